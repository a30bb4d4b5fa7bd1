"""Targets of a lane: where they lie, how they lie, and the metal in them."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass

import numpy as np

from ..truth import Target
from .catalogue import Body, body
from .distribution import Uniform, draw, to_micro
from .lanes import rotate
from .layout import background_sites, grouped_sites
from .metal import MetalPiece, draw_piece
from .points import chance
from .scenario import Place, Scenario

#: Purpose of chance of targets that a user put in place, and how often a place is drawn.
_PLACED = 14
_TRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """A target with what the simulator needs to know of it: plain numbers."""

    target: Target
    body: Body
    pieces: tuple[MetalPiece, ...]


class TargetField:
    """
    The targets of a field, lane by lane, each a function of scenario, seed and lane alone.

    Targets keep apart also across the borders of lanes. For that lanes take turns: those of
    the first turn are drawn alone, those of a later turn beside their neighbours of earlier
    ones. Neighbours beyond the last lane take part, so that a lane is the same however many
    follow it.

    Parameters
    ----------
    recipe : Scenario
        What the field is like.
    seed : int
        Source of all chance.
    """

    def __init__(self, recipe: Scenario, seed: int):
        self._recipe, self._seed = recipe, seed
        by_class: dict[str, list[Body]] = {}
        for kind in recipe.targets.kinds:
            by_class.setdefault(body(kind).metal_class, []).append(body(kind))
        self._classes = [by_class[name] for name in sorted(by_class)]
        self._places = [
            (place.easting, place.northing, body(place.kind).diameter)
            for place in recipe.targets.places
        ]
        widest = max((item.diameter for items in self._classes for item in items), default=0.0)
        room = recipe.layout.separation + widest - recipe.lanes.gap
        # lanes to each side that targets must keep apart from
        self._reach = max(0, math.ceil(room / recipe.lanes.pitch))
        #: Targets of a lane by its index, kept for the lanes that were asked for last.
        self.of_lane = functools.lru_cache(maxsize=16 + 4 * self._reach)(self._draw)

    def _draw(self, index: int) -> tuple[Buried, ...]:
        """Return the targets of a lane: those put in place, those of groups, the others."""
        recipe, turns = self._recipe, self._reach + 1
        taken = list(self._places)
        for i in range(max(0, index - self._reach), index + self._reach + 1):
            if i % turns < index % turns:
                taken += [_taken(item.target) for item in self.of_lane(i)]
        placed: list[Buried] = []

        def bury(
            kind: Body, place: tuple[float, float], group: str, rng: np.random.Generator
        ) -> bool:
            at = _on_map(recipe, place)
            if not _has_room(at, kind, taken, recipe.layout.separation):
                return False
            name = f"{lane_name(index)}/T{len(placed) + 1:02d}"
            placed.append(_bury(recipe, kind, at, name, index, group, rng))
            taken.append(_taken(placed[-1].target))
            return True

        for i, place in enumerate(recipe.targets.places):
            if _lane_of(recipe, place) == index:
                name = f"{lane_name(index)}/T{len(placed) + 1:02d}"
                placed.append(_put(place, name, index, chance(self._seed, _PLACED, i)))
        for site in grouped_sites(recipe.layout, recipe.lanes, index, seed=self._seed):
            bury(self._kind(site.rng), site.place, site.group, site.rng)
        strip = recipe.lanes.strip(index)
        for rng in background_sites(recipe.layout, recipe.lanes, index, seed=self._seed):
            kind = self._kind(rng)
            for _ in range(_TRIES):  # then the lane counts as full
                # up to the border, like clutter: a margin would tell where no target lies
                right, forward = rng.uniform(strip[:2], strip[2:])
                if bury(kind, (float(right), float(forward)), "", rng):
                    break
        return tuple(placed)

    def _kind(self, rng: np.random.Generator) -> Body:
        """Draw what a target is: its class of metal, then its kind."""
        bodies = self._classes[int(rng.integers(len(self._classes)))]
        return bodies[int(rng.integers(len(bodies)))]


def lane_name(index: int) -> str:
    """
    Return the name of a lane.

    Parameters
    ----------
    index : int
        From 0.

    Returns
    -------
    name : str
        The same in every field.

    Examples
    --------
    >>> lane_name(0), lane_name(99)
    ('lane 01', 'lane 100')
    """
    return f"lane {index + 1:02d}"


def _bury(
    recipe: Scenario,
    kind: Body,
    at: tuple[float, float],
    name: str,
    index: int,
    group: str,
    rng: np.random.Generator,
) -> Buried:
    """Draw how a target lies at its place."""
    plan = recipe.targets
    law = plan.depth or Uniform(low=kind.depth[0], high=kind.depth[1])
    depth = draw(law, rng)
    # turned with the field, so that fields of any heading are alike
    heading = 2 * math.pi * rng.random() + recipe.lanes.heading
    tilt = rotate(draw(plan.tilt, rng), draw(plan.tilt, rng), recipe.lanes.heading)
    lean = (to_micro(float(tilt[0])), to_micro(float(tilt[1])))
    place = Place(
        kind=kind.identifier,
        easting=at[0],
        northing=at[1],
        depth=max(depth, math.ceil(kind.rise(math.hypot(*lean)) * 1e6) / 1e6),
        heading=to_micro(heading),
        tilt=lean,
    )
    return _put(place, name, index, rng, group=group, turn=recipe.lanes.heading)


def _put(
    place: Place,
    name: str,
    index: int,
    rng: np.random.Generator,
    *,
    group: str = "",
    turn: float = 0.0,
) -> Buried:
    """Return a target at a place, its metal drawn."""
    kind = body(place.kind)
    target = Target(
        identifier=name,
        kind=kind.identifier,
        is_target=True,
        easting=place.easting,
        northing=place.northing,
        depth=place.depth,
        diameter=kind.diameter,
        metal_class=kind.metal_class,
        lane=lane_name(index),
        heading=place.heading,
        tilt=place.tilt,
        group=group,
    )
    pieces = [draw_piece(part, rng=rng) for part in kind.metal]
    turned = (dataclasses.replace(p, heading=to_micro(p.heading + turn)) for p in pieces)
    return Buried(target=target, body=kind, pieces=tuple(turned))


def _on_map(recipe: Scenario, place: tuple[float, float]) -> tuple[float, float]:
    """Return easting and northing of a place in the field's axes, to the micrometre."""
    east, north = recipe.lanes.to_map(*place)
    return to_micro(float(east)), to_micro(float(north))


def _lane_of(recipe: Scenario, place: Place) -> int | None:
    """Return the lane that holds a place."""
    right, forward = recipe.lanes.from_map(place.easting, place.northing)
    return recipe.lanes.index_at(float(right), float(forward))


def _taken(target: Target) -> tuple[float, float, float]:
    """Return the ground that a target takes: its middle and its diameter, m."""
    return target.easting, target.northing, target.diameter


def _has_room(
    at: tuple[float, float],
    kind: Body,
    taken: list[tuple[float, float, float]],
    separation: float,
) -> bool:
    """Return whether the edge of a target keeps its distance from those of others."""
    return all(
        math.hypot(at[0] - east, at[1] - north) - (kind.diameter + diameter) / 2 >= separation
        for east, north, diameter in taken
    )

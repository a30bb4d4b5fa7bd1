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
from .metal import MetalPiece, draw_piece
from .points import chance
from .scenario import Place, Scenario
from .sites import Site, SiteField

#: Purposes of chance: targets that a user put in place, and how the others lie.
_PLACED, _LIES = 14, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """A target with what the simulator needs to know of it: plain numbers."""

    target: Target
    body: Body
    pieces: tuple[MetalPiece, ...]


class TargetField:
    """
    The targets of a field, lane by lane, each a function of scenario, seed and lane alone.

    Parameters
    ----------
    recipe : Scenario
        What the field is like.
    seed : int
        Source of all chance.
    """

    def __init__(self, recipe: Scenario, seed: int):
        self._recipe, self._seed = recipe, seed
        self._sites = SiteField(recipe, seed)
        #: Targets of a lane by its index, kept for the lanes that were asked for last.
        self.of_lane = functools.lru_cache(maxsize=16)(self._draw)

    def _draw(self, index: int) -> tuple[Buried, ...]:
        """Return the targets of a lane: those put in place, then those that were drawn."""
        recipe = self._recipe
        placed: list[Buried] = []
        for i, place in enumerate(recipe.targets.places):
            if _lane_of(recipe, place) == index:
                name = f"{lane_name(index)}/T{len(placed) + 1:02d}"
                placed.append(_put(place, name, index, chance(self._seed, _PLACED, i)))
        for site in self._sites.within(recipe.lanes.strip(index)):
            name = f"{lane_name(index)}/T{len(placed) + 1:02d}"
            rng = chance(self._seed, _LIES, *site.key)
            placed.append(_bury(recipe, site, name, index, rng))
        return tuple(placed)


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
    recipe: Scenario, site: Site, name: str, index: int, rng: np.random.Generator
) -> Buried:
    """Draw how a target lies at its place."""
    plan, kind, at = recipe.targets, site.kind, _on_map(recipe, site.place)
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
    return _put(place, name, index, rng, group=site.group, turn=recipe.lanes.heading)


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

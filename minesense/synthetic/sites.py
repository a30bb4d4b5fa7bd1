"""Where targets lie, and of what kind: kept apart by rules that know no lanes."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .catalogue import Body, body
from .distribution import to_micro
from .lanes import rotate
from .layout import grouped_sites
from .points import Area, cells_over, chance
from .scenario import Scenario

#: Purposes of chance: the lattice, and targets that belong to no group.
_LATTICE, _ANYWHERE = 15, 10

#: Least and greatest side of a cell, m, and how many targets one between them holds.
_LEAST, _GREATEST, _HELD = 2.0, 20.0, 4.0

#: How often a place is drawn before a cell counts as full.
_TRIES = 200

#: What rounding to the micrometre, in the field's axes and on the map, may take away, m.
_ROUNDING = 4e-6


class Site(NamedTuple):
    """A place where a target lies."""

    place: tuple[float, float]  #: right and forward in the field's axes, m
    kind: Body
    group: str  #: row or cluster, "" for none
    key: tuple[int, ...]  #: of the chance of everything else about it


class SiteField:
    """
    Sites in the plane, functions of scenario, seed and place alone.

    A target is as likely at the border of a lane as in its middle, since nothing here is
    drawn lane by lane. Of two targets of rows or clusters that would come too close, the
    one with the greater mark is left out, each having drawn a mark (Matern's second
    process). The others are drawn cell by cell, Poisson in number, each at a place of its
    cell that has room; cells take turns of four, so that those of one turn lie too far
    apart to matter to each other. The lattice of cells is turned and shifted by chance.

    Parameters
    ----------
    recipe : Scenario
        What the field is like.
    seed : int
        Source of all chance.
    """

    def __init__(self, recipe: Scenario, seed: int):
        self._layout, self._seed = recipe.layout, seed
        self._heading = recipe.lanes.heading
        by_class: dict[str, list[Body]] = {}
        for kind in recipe.targets.kinds:
            by_class.setdefault(body(kind).metal_class, []).append(body(kind))
        self._classes = [by_class[name] for name in sorted(by_class)]
        self._placed = []
        for item in recipe.targets.places:
            right, forward = recipe.lanes.from_map(item.easting, item.northing)
            self._placed.append((float(right), float(forward), body(item.kind).diameter))
        widest = max((item.diameter for items in self._classes for item in items), default=0.0)
        # of two targets whose middles are farther apart than this, neither minds the other
        self._apart = recipe.layout.separation + widest + _ROUNDING
        held = math.sqrt(_HELD / max(recipe.layout.background, 1e-9))
        self._side = max(_LEAST, min(held, _GREATEST), self._apart)
        shares = chance(seed, _LATTICE).random(3)
        self._turn, self._shift = 2 * math.pi * shares[0], shares[1:] * self._side
        rows = recipe.lanes.length / self._side + 3
        columns = recipe.lanes.pitch / self._side + 3
        size = 64 + 8 * math.ceil(rows * columns)  # what a lane and its neighbours need
        self._cell = functools.lru_cache(maxsize=size)(self._draw_cell)

    def within(self, area: Area) -> list[Site]:
        """
        Return the sites in an area.

        Parameters
        ----------
        area : (float, float, float, float)
            Least right and forward, greatest right and forward in the field's axes, m; what
            lies on the greatest ones is not in it.

        Returns
        -------
        sites : list of Site
            From back to front.
        """
        found = self._groups(area)
        if self._layout.background and self._classes:
            for i, j in self._cells_of(area):
                found += [site for site in self._cell(i, j) if _is_in(site.place, area)]
        return sorted(found, key=lambda site: (site.place[1], site.place[0], site.key))

    def _groups(self, area: Area) -> list[Site]:
        """Return the sites of rows and clusters in an area."""
        if not self._classes:
            return []
        wide = _widened(area, self._apart)
        marked = []
        for proposal in grouped_sites(self._layout, self._heading, wide, seed=self._seed):
            rng = chance(self._seed, *proposal.key)
            mark, kind = rng.random(), self._kind(rng)
            place = (to_micro(proposal.place[0]), to_micro(proposal.place[1]))
            marked.append((mark, Site(place, kind, proposal.group, proposal.key)))
        marked.sort(key=lambda item: (item[0], item[1].key))
        kept, before = [], list(self._placed)
        for _, site in marked:
            if _is_in(site.place, area) and self._has_room(site.place, site.kind, before):
                kept.append(site)
            before.append(_taken(site))
        return kept

    def _draw_cell(self, i: int, j: int) -> tuple[Site, ...]:
        """Return the sites of a cell that belong to no group."""
        rng = chance(self._seed, _ANYWHERE, i, j)
        count = int(rng.poisson(self._layout.background * self._side**2))
        if not count:
            return ()  # most cells of a wide, sparse field
        taken = list(self._placed)
        cell = (i * self._side, j * self._side, (i + 1) * self._side, (j + 1) * self._side)
        around = _widened(self._box(_widened(cell, self._apart), inward=False), _ROUNDING)
        taken += [_taken(site) for site in self._groups(around)]
        for k in (i - 1, i, i + 1):
            for m in (j - 1, j, j + 1):
                if _rank(k, m) < _rank(i, j):
                    taken += [_taken(site) for site in self._cell(k, m)]
        found: list[Site] = []
        for n in range(count):
            key = (_ANYWHERE, i, j, n)
            rng = chance(self._seed, *key)
            kind = self._kind(rng)
            for _ in range(_TRIES):
                u, v = rng.uniform(cell[:2], cell[2:])
                place = self._on_field(float(u), float(v))
                if self._has_room(place, kind, taken):
                    found.append(Site(place, kind, "", key))
                    taken.append(_taken(found[-1]))
                    break
            else:
                break  # the cell is full
        return tuple(found)

    def _kind(self, rng: np.random.Generator) -> Body:
        """Draw what a target is: its class of metal, then its kind."""
        bodies = self._classes[int(rng.integers(len(self._classes)))]
        return bodies[int(rng.integers(len(bodies)))]

    def _has_room(
        self,
        place: tuple[float, float],
        kind: Body,
        taken: list[tuple[float, float, float]],
    ) -> bool:
        """Return whether the edge of a target keeps its distance from those of others."""
        least = self._layout.separation + kind.diameter / 2 + _ROUNDING
        return all(
            math.hypot(place[0] - right, place[1] - forward) >= least + diameter / 2
            for right, forward, diameter in taken
        )

    def _on_field(self, u: float, v: float) -> tuple[float, float]:
        """Return a point of the lattice's axes in those of the field, to the micrometre."""
        right, forward = rotate(u - self._shift[0], v - self._shift[1], self._turn)
        return to_micro(float(right)), to_micro(float(forward))

    def _box(self, area: Area, *, inward: bool) -> Area:
        """Return the box around an area of the field in the lattice's axes, or outward."""
        x, y = np.meshgrid(area[::2], area[1::2])
        if inward:
            u, v = rotate(x, y, -self._turn)
            u, v = u + self._shift[0], v + self._shift[1]
        else:
            u, v = rotate(x - self._shift[0], y - self._shift[1], self._turn)
        return float(u.min()), float(v.min()), float(u.max()), float(v.max())

    def _cells_of(self, area: Area) -> list[tuple[int, int]]:
        """Return the cells of the lattice that an area may touch."""
        cells = set()
        for tile in _tiles(area, 2 * self._side):
            box = _widened(self._box(tile, inward=True), _ROUNDING)
            cells |= {(i, j) for i, j, _ in cells_over(box, self._side)}
        return sorted(cells)


def _rank(i: int, j: int) -> int:
    """Return the turn in which a cell is drawn."""
    return 2 * (i % 2) + j % 2


def _taken(site: Site) -> tuple[float, float, float]:
    """Return the ground that a target takes: its middle and its diameter, m."""
    return (*site.place, site.kind.diameter)


def _is_in(place: tuple[float, float], area: Area) -> bool:
    """Return whether a place lies in an area, its greatest coordinates left out."""
    return area[0] <= place[0] < area[2] and area[1] <= place[1] < area[3]


def _widened(area: Area, margin: float) -> Area:
    """Return an area with a margin on all sides."""
    return area[0] - margin, area[1] - margin, area[2] + margin, area[3] + margin


def _tiles(area: Area, side: float) -> Iterator[Area]:
    """Cut an area into tiles of no more than a side, since a turned lane has a wide box."""
    xs, ys = (
        np.linspace(low, high, max(1, math.ceil((high - low) / side)) + 1)
        for low, high in (area[::2], area[1::2])
    )
    for west, east in itertools.pairwise(xs):
        for south, north in itertools.pairwise(ys):
            yield float(west), float(south), float(east), float(north)

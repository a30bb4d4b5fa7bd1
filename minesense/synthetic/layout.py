"""Where targets lie: at random, in clusters or in rows, each a function of seed and place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .._validation import check_at_most, check_not_negative, check_number, check_positive
from .distribution import Normal
from .points import REACH, Area, cells_over, chance, draw_families

DENSEST = 100.0  # targets or clusters per m^2

#: Purposes of chance.
_CLUSTERS, _ROWS, _ROW_PHASE, _CHILD, _IN_ROW = 11, 12, 13, 16, 17


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomLayout:
    """
    Targets at random places, Poisson in number, kept apart.

    Raises
    ------
    TypeError, ValueError
        If the density or the separation is negative.
    """

    density: float  #: targets per m^2, mean
    separation: float = 0.5  #: m at least between the edges of two targets
    kind: Literal["random"] = "random"

    def __post_init__(self) -> None:
        check_not_negative(self.density, "density")
        check_at_most(self.density, "density", DENSEST, "per m^2")
        check_not_negative(self.separation, "separation")

    @property
    def background(self) -> float:
        """Targets per m^2 that belong to no group."""
        return self.density


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLayout:
    """
    Targets in clusters around middles at random places (Neyman-Scott), kept apart.

    Of two that would come too close to each other, one is left out.

    Raises
    ------
    TypeError, ValueError
        If a density or the separation is negative, or a size not greater than zero.
    """

    density: float  #: targets per m^2, mean, before those too close are left out
    cluster_size: float = 5.0  #: mean number of a cluster
    spread: float = 1.0  #: m, standard deviation around the middle
    background: float = 0.0  #: targets per m^2 at random places besides
    separation: float = 0.5  #: m at least between the edges of two targets
    kind: Literal["clusters"] = "clusters"

    def __post_init__(self) -> None:
        for name in ("density", "background", "separation"):
            check_not_negative(getattr(self, name), name)
        check_at_most(self.density, "density", DENSEST, "per m^2")
        check_at_most(self.background, "background", DENSEST, "per m^2")
        for name in ("cluster_size", "spread"):
            check_positive(getattr(self, name), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLayout:
    """
    Targets in rows, regular but for a scatter. Detectors can learn such a layout by heart.

    Raises
    ------
    TypeError, ValueError
        If a length is negative or zero where it must not be, or the share of empty places is
        not from 0 to below 1.
    """

    spacing: float  #: m, along a row
    distance: float  #: m, from row to row
    scatter: float = 0.0  #: m, standard deviation along and across the row, cut off at three
    heading: float = 0.0  #: rad, of the rows, clockwise from north
    missing: float = 0.0  #: share of places in the row that are empty
    background: float = 0.0  #: targets per m^2 at random places besides
    separation: float = 0.5  #: m at least between the edges of two targets
    kind: Literal["rows"] = "rows"

    def __post_init__(self) -> None:
        for name in ("spacing", "distance"):
            check_positive(getattr(self, name), name)
        for name in ("scatter", "background", "separation"):
            check_not_negative(getattr(self, name), name)
        check_at_most(self.background, "background", DENSEST, "per m^2")
        check_number(self.heading, "heading")
        if not 0 <= check_number(self.missing, "missing") < 1:
            msg = f"Invalid missing '{self.missing}'. Must be a share from 0 to below 1."
            raise ValueError(msg)

    def check_room(self, diameter: float) -> None:
        """
        Raise unless targets of a row keep apart however they scatter.

        Parameters
        ----------
        diameter : float
            Of the widest target, m.

        Raises
        ------
        ValueError
            If they may come too close.
        """
        for name in ("spacing", "distance"):
            least = diameter + self.separation + 6 * self.scatter
            if getattr(self, name) < least - 1e-9:
                msg = (
                    f"Invalid {name} '{getattr(self, name)}'. Must be at least {least:g} m: "
                    f"the widest target ({diameter:g} m), the separation "
                    f"({self.separation:g} m) and six times the scatter ({self.scatter:g} m) "
                    f"- at `$.layout.{name}`"
                )
                raise ValueError(msg)


Layout = RandomLayout | ClusterLayout | RowLayout


class Proposal(NamedTuple):
    """A place where a target of a row or a cluster may lie."""

    place: tuple[float, float]  #: right and forward in the field's axes, m
    group: str  #: row or cluster
    key: tuple[int, ...]  #: of its own chance


def grouped_sites(
    layout: Layout, heading: float, area: Area, *, seed: int
) -> Iterator[Proposal]:
    """
    Return the places of rows or clusters in an area.

    Parameters
    ----------
    layout : RandomLayout, ClusterLayout or RowLayout
        Where targets lie.
    heading : float
        Of the field's axes, rad.
    area : (float, float, float, float)
        Least right and forward, greatest right and forward in the field's axes, m.
    seed : int
        Of the field.

    Yields
    ------
    proposal : Proposal
        The same ones whatever the area, as far as they lie in it.
    """
    if isinstance(layout, ClusterLayout):
        sites = _cluster_sites(layout, area, seed)
    elif isinstance(layout, RowLayout):
        sites = _row_sites(layout, heading, area, seed)
    else:
        return
    for site in sites:
        right, forward = site.place
        if area[0] <= right < area[2] and area[1] <= forward < area[3]:
            yield site


def _cluster_sites(layout: ClusterLayout, strip: Area, seed: int) -> Iterator[Proposal]:
    """Return the children of clusters whose middles lie in cells around a strip."""
    reach = REACH * layout.spread
    left, back, right, front = strip
    wide = (left - reach, back - reach, right + reach, front + reach)
    for i, j, cell in cells_over(wide, max(2.0, 2 * layout.spread)):
        families = draw_families(
            cell,
            layout.density,
            cluster_size=layout.cluster_size,
            spread=layout.spread,
            rng=chance(seed, _CLUSTERS, i, j),
        )
        for k, family in enumerate(families):
            for m, child in enumerate(family):
                place = (float(child[0]), float(child[1]))
                yield Proposal(place, f"cluster {i} {j} {k}", (_CHILD, i, j, k, m))


def _row_sites(layout: RowLayout, heading: float, strip: Area, seed: int) -> Iterator[Proposal]:
    """Return the places of rows in and around a strip, each with its scatter."""
    turn = layout.heading - heading
    along = (math.sin(turn), math.cos(turn))
    across = (math.cos(turn), -math.sin(turn))
    left, back, right, front = strip
    reach = 3 * layout.scatter
    corners = [
        (x, y) for x in (left - reach, right + reach) for y in (back - reach, front + reach)
    ]

    def span(axis: tuple[float, float], step: float, phase: float) -> range:
        values = [(axis[0] * x + axis[1] * y) / step - phase for x, y in corners]
        return range(math.floor(min(values)), math.ceil(max(values)) + 1)

    law = Normal(mean=0.0, std=layout.scatter, low=-reach, high=reach) if reach else None
    offset = float(chance(seed, _ROW_PHASE).random())
    for j in span(across, layout.distance, offset):
        phase = float(chance(seed, _ROW_PHASE, j).random())
        for i in span(along, layout.spacing, phase):
            u, v = (i + phase) * layout.spacing, (j + offset) * layout.distance
            rng = chance(seed, _ROWS, i, j)
            shares = rng.random(3)
            if shares[0] < layout.missing:
                continue
            if law is not None:
                u, v = u + law.quantile(shares[1]), v + law.quantile(shares[2])
            place = (u * along[0] + v * across[0], u * along[1] + v * across[1])
            yield Proposal(place, f"row {j}", (_IN_ROW, i, j))

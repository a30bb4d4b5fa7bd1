"""Lanes: strips of ground that are swept in one go, in any direction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_at_most,
    check_count,
    check_not_negative,
    check_number,
    check_positive,
)
from ..coverage import Rectangle, Region
from ..sweep import Floats
from .ground import Soil
from .points import Area

#: Lanes to train on, and blind ones, that a field may hold.
MOST_LANES = 10_000

#: Ground beside a lane that belongs to it, m, where gaps are wider: no sensor feels farther.
_ASIDE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePlan:
    """
    How a field is cut into lanes, side by side.

    Raises
    ------
    TypeError, ValueError
        If a count is not a whole number, there is no lane, a length is not greater than zero,
        or the gap is negative.
    """

    training: int = 10  #: lanes to train on
    blind: int = 8  #: lanes kept apart for the test, after the others
    length: float = 20.0  #: m
    width: float = 1.0  #: m
    gap: float = 0.5  #: m of ground between lanes that is not swept on purpose
    run_in: float = 2.5  #: m before and behind the lane, where stages fill their memory
    heading: float = 0.0  #: rad, in which lanes are swept, clockwise from north
    serpentine: bool = False  #: whether every second lane is swept the other way

    def __post_init__(self) -> None:
        check_count(self.training, "training", least=0)
        check_count(self.blind, "blind", least=0)
        check_count(self.training + self.blind, "training + blind")
        for name in ("training", "blind"):
            check_at_most(getattr(self, name), name, MOST_LANES)
        for name, most in (("length", 1e4), ("width", 100.0), ("run_in", 100.0)):
            check_at_most(check_positive(getattr(self, name), name), name, most, "m")
        check_at_most(check_not_negative(self.gap, "gap"), "gap", 1e3, "m")
        check_at_most(abs(check_number(self.heading, "heading")), "heading", 100.0, "rad")

    @property
    def count(self) -> int:
        """Number of lanes."""
        return self.training + self.blind

    @property
    def pitch(self) -> float:
        """Distance from one lane to the next, m."""
        return self.width + self.gap

    def strip(self, index: int, *, margin: bool = False) -> Area:
        """
        Return a lane in the field's own axes: right of its heading, and forward, in metres.

        Parameters
        ----------
        index : int
            Of the lane, from 0.
        margin : bool
            Whether the run-ins and half of the gaps go with it, up to 2 m on each side.

        Returns
        -------
        strip : (float, float, float, float)
            Least right and forward, greatest right and forward, from the outer corner of the
            first lane.
        """
        aside = min(self.gap / 2, _ASIDE) if margin else 0.0
        ahead = self.run_in if margin else 0.0
        left = self.pitch * index
        return (left - aside, -ahead, left + self.width + aside, self.length + ahead)

    def index_at(self, right: float, forward: float) -> int | None:
        """Return the lane that holds a point of the field's axes, if any does."""
        index = math.floor(right / self.pitch)
        inside = 0 <= index < self.count and right - self.pitch * index <= self.width
        return index if inside and 0 <= forward <= self.length else None

    def to_map(self, right: npt.ArrayLike, forward: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return easting and northing of points of the field's axes, in metres."""
        return rotate(right, forward, self.heading)

    def from_map(
        self, easting: npt.ArrayLike, northing: npt.ArrayLike
    ) -> tuple[Floats, Floats]:
        """Return points in the field's axes, in metres."""
        return rotate(easting, northing, -self.heading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A strip of the field that is swept in one go."""

    name: str
    index: int
    start: tuple[float, float]  #: easting and northing of the middle of its first end, m
    heading: float  #: rad, in which it is swept
    length: float  #: m
    width: float  #: m
    soil: Soil
    is_blind: bool  #: kept apart for the test

    @property
    def corners(self) -> Floats:
        """Easting and northing of its corners, (4, 2), m: left and right of its start first."""
        right = self.width / 2 * np.array([-1.0, 1.0, 1.0, -1.0])
        forward = self.length * np.array([0.0, 0.0, 1.0, 1.0])
        return np.column_stack(self.to_map(right, forward))

    @property
    def is_upright(self) -> bool:
        """Whether it runs north, east, south or west."""
        return abs(math.sin(2 * self.heading)) < 1e-9

    @property
    def area(self) -> Area:
        """
        Least easting and northing, greatest ones, of its corners, m.

        To a micrometre. The lane itself where it is swept north, east, south or west, and a
        rectangle around it elsewhere.
        """
        low, high = self.corners.min(axis=0).round(6), self.corners.max(axis=0).round(6)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    @property
    def ground(self) -> Rectangle | Region:
        """Its area and name where it runs along an axis, else its corners and name."""
        return (
            (*self.area, self.name) if self.is_upright else (self.corners.tolist(), self.name)
        )

    def to_map(self, right: npt.ArrayLike, forward: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return easting and northing of points right of its middle, forward of its start."""
        east, north = rotate(right, forward, self.heading)
        return east + self.start[0], north + self.start[1]

    def from_map(
        self, easting: npt.ArrayLike, northing: npt.ArrayLike
    ) -> tuple[Floats, Floats]:
        """Return how far points lie right of its middle and forward of its start, m."""
        east, north = np.asarray(easting) - self.start[0], np.asarray(northing) - self.start[1]
        return rotate(east, north, -self.heading)


def rotate(
    right: npt.ArrayLike, forward: npt.ArrayLike, heading: float
) -> tuple[Floats, Floats]:
    """
    Turn points about the origin, clockwise from above.

    Parameters
    ----------
    right, forward : (...) array_like
        Coordinates, m.
    heading : float
        Angle in radians, clockwise from north.

    Returns
    -------
    easting, northing : (...) float64 ndarray
        The turned points, exactly where they were if the heading is zero.

    Examples
    --------
    >>> import math
    >>> east, north = rotate(0.0, 1.0, math.pi / 2)
    >>> round(float(east), 9), round(float(north), 9)
    (1.0, 0.0)
    """
    sin, cos = math.sin(heading), math.cos(heading)
    x, y = np.asarray(right, dtype=np.float64), np.asarray(forward, dtype=np.float64)
    return np.asarray(cos * x + sin * y), np.asarray(cos * y - sin * x)

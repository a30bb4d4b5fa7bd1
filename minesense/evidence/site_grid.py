"""The ground that a statement is about: a regular grid, classes of items and depth bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_count, check_number, check_positive
from ..sweep import Floats, Frame

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteGrid:
    """
    A regular grid; rows go north and columns east from `origin`.

    Raises
    ------
    TypeError, ValueError
        If a figure is no number, the shape holds no cell, or `wanted` is another shape or
        holds no cell.

    Examples
    --------
    >>> from minesense.evidence import SiteGrid
    >>> grid = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(20, 30))
    >>> grid.area, grid.index(2.5, 0.1)
    (600.0, (0, 2))
    """

    origin: tuple[float, float]  #: m, easting and northing of the south-western corner
    cell: float  #: m, side of a cell
    shape: tuple[int, int]  #: rows and columns
    wanted: Mask = None  # type: ignore[assignment]  #: cells of the task; all by default
    frame: Frame = field(default_factory=Frame)

    def __post_init__(self) -> None:
        for value in self.origin:
            check_number(value, "origin")
        check_positive(self.cell, "cell")
        for value in self.shape:
            check_count(value, "shape")
        wanted = np.ones(self.shape, bool) if self.wanted is None else np.array(self.wanted)
        if wanted.dtype != np.bool_ or wanted.shape != tuple(self.shape) or not wanted.any():
            msg = (
                f"Invalid wanted with shape {wanted.shape} and dtype {wanted.dtype}. Must be "
                f"truths of shape {self.shape}, at least one of them true."
            )
            raise ValueError(msg)
        wanted.setflags(write=False)
        object.__setattr__(self, "wanted", wanted)

    @property
    def cell_area(self) -> float:
        """Area of a cell, in square metres."""
        return self.cell**2

    @property
    def area(self) -> float:
        """Area of the cells of the task, in square metres."""
        return float(np.count_nonzero(self.wanted)) * self.cell_area

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Easting from and to, northing from and to, in metres."""
        (east, north), (n_rows, n_columns) = self.origin, self.shape
        return east, east + n_columns * self.cell, north, north + n_rows * self.cell

    def centres(self) -> tuple[Floats, Floats]:
        """Return easting and northing of the cells' centres, (n_rows, n_columns), in metres."""
        (east, north), (n_rows, n_columns) = self.origin, self.shape
        columns = east + self.cell * (np.arange(n_columns) + 0.5)
        rows = north + self.cell * (np.arange(n_rows) + 0.5)
        eastings, northings = np.meshgrid(columns, rows)
        return eastings, northings

    def index(self, easting: float, northing: float) -> tuple[int, int] | None:
        """Return row and column of the cell that holds a point (m); None beyond the task."""
        row = math.floor((northing - self.origin[1]) / self.cell)
        column = math.floor((easting - self.origin[0]) / self.cell)
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            return None
        return (row, column) if self.wanted[row, column] else None

    def check_frame(self, crs: str, what: str) -> None:
        """
        Raise unless a coordinate system is that of the grid.

        Raises
        ------
        ValueError
            If it is another one: mixed datums shift everything by up to hundreds of metres.
        """
        if crs != self.frame.crs:
            msg = (
                f"Invalid crs '{crs}' of {what}. Must be '{self.frame.crs}', that of the grid: "
                "transform the coordinates first."
            )
            raise ValueError(msg)

    def check_layer(self, layer: npt.ArrayLike, name: str) -> Floats:
        """
        Return a layer of figures over the grid, finite and not negative.

        Raises
        ------
        TypeError, ValueError
            If it is of another shape, or a value in the task is negative or not finite.
        """
        values = np.asarray(layer, dtype=np.float64)
        if values.shape != tuple(self.shape):
            msg = f"Invalid {name} with shape {values.shape}. Must be {self.shape}."
            raise ValueError(msg)
        inside = values[self.wanted]
        if not np.isfinite(inside).all() or (inside < 0).any():
            msg = f"Invalid {name}: a value is negative, NaN or infinite. Must be zero or more."
            raise ValueError(msg)
        return np.where(self.wanted, values, 0.0)


def check_bands(bands: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """
    Return depth bands that follow each other downward.

    Parameters
    ----------
    bands : sequence of (float, float)
        Upper and lower limit of each, in metres below the surface.

    Returns
    -------
    bands : tuple of (float, float)
        The same ones.

    Raises
    ------
    TypeError, ValueError
        If there is none, one has no thickness, or two overlap.

    Examples
    --------
    >>> from minesense.evidence.site_grid import check_bands
    >>> check_bands([(0.0, 0.1), (0.1, 0.2)])
    ((0.0, 0.1), (0.1, 0.2))
    """
    limits = tuple(
        (check_number(a, "depth_bands"), check_number(b, "depth_bands")) for a, b in bands
    )
    lowest = 0.0
    for top, bottom in limits:
        if top < lowest - 1e-9 or bottom <= top:
            msg = (
                f"Invalid depth_bands {limits}. Must each go from a lesser to a greater depth, "
                "in m, none above the ground or across another."
            )
            raise ValueError(msg)
        lowest = bottom
    if not limits:
        msg = "Invalid depth_bands (). Must hold at least one."
        raise ValueError(msg)
    return limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """
    An item that was found and taken out, wherever and by whomever.

    Raises
    ------
    TypeError, ValueError
        If a coordinate is no number.
    """

    easting: float  #: m
    northing: float  #: m
    target_class: str
    depth: float | None = None  #: m; None where nobody measured it
    crs: str = "local"
    is_incidental: bool = False  #: found by chance or accident, not by a credited search

    def __post_init__(self) -> None:
        for name in ("easting", "northing"):
            check_number(getattr(self, name), name)
        if self.depth is not None:
            check_number(self.depth, "depth")

    def band(self, bands: Sequence[tuple[float, float]]) -> int:
        """Return the index of the depth band; -1 where the depth is not known or in none."""
        if self.depth is None:
            return -1
        for k, (top, bottom) in enumerate(bands):
            if top <= self.depth < bottom:
                return k
        return -1


def check_classes(classes: Sequence[Any]) -> tuple[str, ...]:
    """
    Return names of classes, each once.

    Parameters
    ----------
    classes : sequence of str
        For example metal groups.

    Returns
    -------
    classes : tuple of str
        The same ones.

    Raises
    ------
    ValueError
        If there is none, or one is empty or stands twice.

    Examples
    --------
    >>> from minesense.evidence.site_grid import check_classes
    >>> check_classes(["AP", "AT"])
    ('AP', 'AT')
    """
    names = tuple(classes)
    is_named = all(isinstance(name, str) and name for name in names)
    if not names or not is_named or len(set(names)) < len(names):
        msg = f"Invalid classes {names}. Must be one or more names, each once."
        raise ValueError(msg)
    return names


def share_of_cells(mask: npt.ArrayLike, factor: int) -> Floats:
    """
    Return the share of each cell that a finer mask covers.

    Parameters
    ----------
    mask : (factor * n_rows, factor * n_columns) array_like of bool
        Of cells `factor` times smaller, from the same south-western corner: for example
        ground observed with all gates met.
    factor : int
        Fine cells along the side of a cell.

    Returns
    -------
    shares : (n_rows, n_columns) ndarray
        From 0 to 1: a footprint of :class:`Evidence`.

    Raises
    ------
    TypeError, ValueError
        If the mask holds other things than truths, or its sides are no multiples of the
        factor.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import share_of_cells
    >>> fine = np.array([[True, True, False, False], [True, False, False, False]])
    >>> share_of_cells(fine, 2)
    array([[0.75, 0.  ]])
    """
    fine = np.asarray(mask)
    factor = check_count(factor, "factor")
    if fine.dtype != np.bool_ or fine.ndim != 2 or any(n % factor or not n for n in fine.shape):
        msg = (
            f"Invalid mask with shape {fine.shape} and dtype {fine.dtype}. Must be truths, "
            f"each side a multiple of {factor}."
        )
        raise ValueError(msg)
    n_rows, n_columns = fine.shape[0] // factor, fine.shape[1] // factor
    shares: Floats = fine.reshape(n_rows, factor, n_columns, factor).mean(axis=(1, 3))
    return shares


def inside_polygon(grid: SiteGrid, corners: npt.ArrayLike) -> Mask:
    """
    Return the cells whose centre lies in a polygon.

    Parameters
    ----------
    grid : SiteGrid
        The task.
    corners : (n, 2) array_like
        Easting and northing, m, in order; the last may repeat the first.

    Returns
    -------
    mask : (n_rows, n_columns) ndarray of bool
        Cells of the task or beside it.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than three corners, or two edges cross.

    Examples
    --------
    >>> from minesense.evidence import SiteGrid
    >>> from minesense.evidence.site_grid import inside_polygon
    >>> grid = SiteGrid(origin=(0.0, 0.0), cell=1.0, shape=(4, 4))
    >>> int(inside_polygon(grid, [(0, 0), (2, 0), (2, 4), (0, 4)]).sum())
    8
    >>> inside_polygon(grid, [(0, 0), (4, 4), (4, 0), (0, 4)])
    Traceback (most recent call last):
    ValueError: Invalid corners: the edge from corner 1 crosses the one from corner 3. Must ...
    """
    points = check_array(corners, "corners", ("n", 2))
    if len(points) > 1 and (points[0] == points[-1]).all():
        points = points[:-1]
    if len(points) < 3:
        msg = f"Invalid corners: there are {len(points)}. Must be three or more."
        raise ValueError(msg)
    ends = np.roll(points, -1, axis=0)
    n = len(points)
    for i in range(n):
        for j in range(i + 2, n - (i == 0)):
            if _cross(points[i], ends[i], points[j], ends[j]):
                msg = (
                    f"Invalid corners: the edge from corner {i + 1} crosses the one from "
                    f"corner {j + 1}. Must be a polygon that does not cross itself."
                )
                raise ValueError(msg)
    east, north = grid.centres()
    inside = np.zeros(grid.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, ends, strict=True):
        spans = (y0 > north) != (y1 > north)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = x0 + (north - y0) * (x1 - x0) / (y1 - y0)
        inside ^= spans & (east < crossing)
    return inside


def _cross(a: Floats, b: Floats, c: Floats, d: Floats) -> bool:
    """Return whether two segments meet."""

    def side(p: Floats, q: Floats, r: Floats) -> float:
        return float(np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])))

    return side(a, b, c) * side(a, b, d) <= 0 and side(c, d, a) * side(c, d, b) <= 0

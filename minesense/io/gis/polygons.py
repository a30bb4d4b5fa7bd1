"""Grids as polygons: neighbouring cells of one kind become one polygon, with no area lost."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._validation import check_number, check_positive
from ._extra import import_geo

#: Most polygons that a map is made of; more means that the grid is noise.
MAX_POLYGONS = 200_000


class Patch(NamedTuple):
    """Cells of one code that hang together by their sides."""

    code: int
    polygon: Any  #: shapely polygon in metres; exterior counterclockwise, holes clockwise
    n_cells: int


def grid_patches(
    codes: npt.ArrayLike, *, origin: tuple[float, float], cell: float
) -> list[Patch]:
    """
    Return the patches of equal cells of a grid.

    Parameters
    ----------
    codes : (n_rows, n_columns) array_like of int
        Kind of each cell; rows go north, columns east. Negative cells belong to no patch.
    origin : (easting, northing)
        South-western corner of the grid, in metres.
    cell : float
        Side of a cell, in metres.

    Returns
    -------
    patches : list of Patch
        By code, then from south to north and west to east. Cells that touch at a corner only
        are apart. The areas of the patches add up to that of their cells, exactly: corners
        lie on those of cells.

    Raises
    ------
    TypeError, ValueError
        If the codes are not whole numbers on a grid, or there are more than MAX_POLYGONS
        patches.
    ImportError
        If rasterio or shapely are not installed (extra ``geo``).

    Examples
    --------
    >>> from minesense.io.gis import grid_patches
    >>> patches = grid_patches([[1, 1, 2], [1, -1, 2]], origin=(0.0, 0.0), cell=0.5)
    >>> [(patch.code, patch.n_cells, patch.polygon.area) for patch in patches]
    [(1, 3, 0.75), (2, 2, 0.5)]
    """
    grid = np.asarray(codes)
    if grid.ndim != 2 or grid.dtype.kind not in "iu":
        msg = (
            f"Invalid codes with shape {grid.shape} and dtype {grid.dtype}. Must be whole "
            "numbers, (n_rows, n_columns)."
        )
        raise ValueError(msg)
    cell = check_positive(cell, "cell")
    east, north = (check_number(value, "origin") for value in origin)
    features = import_geo("rasterio.features")
    shapely = import_geo("shapely")
    if not grid.size or (grid < 0).all():
        return []
    found: list[tuple[int, list[Any]]] = []
    wanted = grid >= 0
    for shape, value in features.shapes(grid.astype(np.int32), mask=wanted, connectivity=4):
        if len(found) == MAX_POLYGONS:
            msg = (
                f"Invalid codes: more than {MAX_POLYGONS} patches. Must hang together: use "
                "larger cells."
            )
            raise ValueError(msg)
        rings = [np.asarray(ring) for ring in shape["coordinates"]]
        found.append((int(value), rings))
    patches = []
    for code, rings in found:
        outer, *holes = [
            _turned(ring, is_exterior=k == 0) * cell + (east, north)
            for k, ring in enumerate(rings)
        ]
        n_cells = round(sum(_twice_area(ring, k == 0) for k, ring in enumerate(rings)) / 2)
        patches.append((code, shapely.Polygon(outer, holes), n_cells, _first_corner(rings[0])))
    patches.sort(key=lambda item: (item[0], item[3]))
    return [Patch(code, polygon, n_cells) for code, polygon, n_cells, _ in patches]


def _twice_area(ring: npt.NDArray[np.float64], is_exterior: bool) -> float:
    """Return twice the area of a ring of whole numbers; that of a hole is negative."""
    x, y = ring[:-1, 0], ring[:-1, 1]
    twice = float(np.abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)))
    return twice if is_exterior else -twice


def _turned(ring: npt.NDArray[np.float64], *, is_exterior: bool) -> npt.NDArray[np.float64]:
    """Return a ring that runs counterclockwise if it is the exterior, else clockwise."""
    x, y = ring[:-1, 0], ring[:-1, 1]
    is_counterclockwise = bool(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0)
    return ring if is_counterclockwise == is_exterior else ring[::-1]


def _first_corner(ring: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the southernmost corner of a ring, of several the westernmost: (row, column)."""
    row = float(ring[:, 1].min())
    return row, float(ring[ring[:, 1] == row, 0].min())

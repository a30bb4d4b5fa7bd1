"""Share the polygons of a task among the cells of a grid, so that nothing is lost."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..sweep import Floats
from .grid import UNITS_PER_SQUARE_METRE
from .site import Corners, Site

_MAX_CELLS = 100_000_000


class TaskCells(NamedTuple):
    """The cells over a task, and how much of each belongs to it."""

    origin: tuple[float, float]  #: m, easting and northing of the south-western corner
    cell: float  #: m
    units: npt.NDArray[np.int64]  #: (n_rows, n_columns) square micrometres
    area_index: npt.NDArray[np.int32]  #: polygon with most of the cell; -1 for none


def task_cells(site: Site) -> TaskCells:
    """
    Return a grid over the polygons of a site and the area that each cell has in them.

    Parameters
    ----------
    site : Site
        Polygons and the side of a cell.

    Returns
    -------
    cells : TaskCells
        Corners at whole numbers of cells. The areas of a polygon are whole square micrometres
        and add up to its area, rounded to one; what rounding leaves goes to the cell with the
        largest share that is not whole.

    Raises
    ------
    ValueError
        If two polygons have ground in common, or the grid would have more than 100 million
        cells.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> site = read_site("examples/site.toml")
    >>> cells = task_cells(site)
    >>> cells.units.shape, int(cells.units.sum())
    ((80, 120), 23000000000000)
    """
    corners = np.concatenate([np.array(area.polygon) for area in site.area]) / site.cell
    low = np.floor(corners.min(axis=0) + 1e-6)
    n_columns, n_rows = (np.ceil(corners.max(axis=0) - 1e-6) - low).tolist()
    n_columns, n_rows = max(n_columns, 1), max(n_rows, 1)
    if n_columns * n_rows > _MAX_CELLS:
        msg = (
            f"Invalid area: the polygons span {n_columns * site.cell:.6g} m by "
            f"{n_rows * site.cell:.6g} m. Must be at most {_MAX_CELLS} cells of {site.cell} m."
        )
        raise ValueError(msg)
    shape = (int(n_rows), int(n_columns))
    full = site.cell**2 * UNITS_PER_SQUARE_METRE
    units = np.zeros(shape, np.int64)
    most = np.zeros(shape, np.int64)
    index = np.full(shape, -1, np.int32)
    for k, area in enumerate(site.area):
        share = _shares(area.polygon, low, site.cell, shape)
        for hole in area.holes:
            share -= _shares(hole, low, site.cell, shape)
        own = np.rint(np.clip(share, 0.0, 1.0) * full).astype(np.int64)
        left = round(area.square_metres * UNITS_PER_SQUARE_METRE) - int(own.sum())
        partly = np.where((share < 1 - 1e-6) & (own > abs(left)), own, -1)
        partly = partly if partly.max() >= 0 else own
        own[np.unravel_index(np.argmax(partly), shape)] += left
        # Shares of neighbours along one border may be rounded up, both of them.
        over = (units > 0) & (own > 0) & (units + own > full * (1 + 1e-6) + 2)
        if over.any():
            other = site.area[int(index[over][0])].name
            common = float((units + own - full)[over].sum()) / UNITS_PER_SQUARE_METRE
            msg = (
                f"Invalid area: '{other}' and '{area.name}' have {common:.6g} m2 or more in "
                "common. Must lie apart."
            )
            raise ValueError(msg)
        index[own > most] = k
        most = np.maximum(most, own)
        units += own
    for array in (units, index):
        array.setflags(write=False)
    origin = (float(low[0]) * site.cell, float(low[1]) * site.cell)
    return TaskCells(origin, site.cell, units, index)


def _shares(ring: Corners, low: Floats, cell: float, shape: tuple[int, int]) -> Floats:
    """Return the share of each cell that lies within a ring, 0 to 1."""
    # Loaded late: Numba takes longer to import than the rest of this module.
    from .._kernels.evidence_grid import add_side  # noqa: PLC0415

    limits = np.array(shape[::-1], np.float64)
    corners = np.clip(np.array(ring) / cell - low, 0.0, limits)
    # What was meant as a whole number of cells is one: no slivers of a cell along the border.
    near = np.rint(corners)
    corners = np.where(np.abs(corners - near) < 1e-6, near, corners)
    share, rest = np.zeros(shape), np.zeros(shape)
    for (x, y), (x_2, y_2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y != y_2:
            add_side(float(x), float(y), float(x_2), float(y_2), share, rest)
    result: Floats = share + np.cumsum(rest, axis=1)
    if not math.isfinite(float(result.sum())):
        msg = "Invalid polygon. Must have corners that are finite."
        raise ValueError(msg)
    return result

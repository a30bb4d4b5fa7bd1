"""Cells that traces of a lane passed, and whether they count as observed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..coverage.record import Grid, stamp
from ..sweep import NOT_CREDITED, Floats, Sweep
from .states import MAKES_INVALID, MAKES_NOT_OBSERVED

#: Above all flags: a credited trace passed.
_CREDITED = 1 << 60
_REASONS = int(NOT_CREDITED | MAKES_INVALID | MAKES_NOT_OBSERVED)

#: Greatest side of the grid that one report spans; a jump ends the lane long before.
_MOST_CELLS = 20_000_000

#: Cells from the origin beyond which a place has no cell of its own number.
_FARTHEST = 2.0**52


class CellReport:
    """
    Collect traces of one part of a lane; tell the cells that they passed.

    Parameters
    ----------
    cell : float
        Side of a cell, m.
    footprint : float
        Radius around a channel in which the sensor notices what it must, m; the position
        error makes it smaller.
    limit : float
        Greatest 95 % error of a position, m.
    max_step : float
        Longest distance between traces that leaves no ground out, m.
    """

    def __init__(self, *, cell: float, footprint: float, limit: float, max_step: float):
        self.cell, self.footprint = cell, footprint
        self.limit, self.max_step = limit, max_step
        self._places: list[Floats] = []
        self._flags: list[npt.NDArray[np.int64]] = []
        self._errors: list[Floats] = []

    def add(self, sweep: Sweep, errors: Floats) -> None:
        """
        Take traces that follow those before.

        Parameters
        ----------
        sweep : Sweep
            With positions and flags.
        errors : (n,) float64 ndarray
            95 % position errors, m.
        """
        self._places.append(sweep.channel_position[:, :, :2])
        self._flags.append(sweep.quality & _REASONS)
        self._errors.append(errors)

    def take(
        self,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """
        Return the cells passed since the last report; the last trace stays for the next.

        Returns
        -------
        cells : (n, 2) int64 ndarray
            Numbers of the cells east and north of the frame's origin.
        is_observed : (n,) bool ndarray
            Whether a credited trace passed.
        reasons : (n,) int64 ndarray
            Flags of what passed without credit.
        """
        nothing = np.empty((0, 2), np.int64), np.empty(0, np.bool_), np.empty(0, np.int64)
        if not self._places:
            return nothing
        place = np.concatenate(self._places)
        flags, errors = np.concatenate(self._flags), np.concatenate(self._errors)
        self._places, self._flags = [place[-1:].copy()], [flags[-1:].copy()]
        self._errors = [errors[-1:].copy()]
        known = np.isfinite(place).all(axis=(1, 2))
        place, flags, errors = place[known], flags[known], errors[known]
        if not len(place):
            return nothing
        radius = np.maximum(0.0, self.footprint - errors)
        credited = (flags == 0) & (errors <= self.limit) & (radius > 0)
        drawn = np.where(credited, radius, self.footprint)
        steps = np.hypot(*np.diff(place.mean(axis=1), axis=0).T)
        joins = steps <= self.max_step * (1 + 1e-9)
        both = credited[1:] & credited[:-1]
        starts = [place, place[:-1][joins]]
        stops = [place, place[1:][joins]]
        values = [
            np.where(credited, _CREDITED, flags),
            np.where(both, _CREDITED, flags[1:] | flags[:-1])[joins],
        ]
        less = np.where(both, np.minimum(drawn[1:], drawn[:-1]), self.footprint)
        radii = [drawn, less[joins]]
        n_channels = place.shape[1]
        where = place.reshape(-1, 2) / self.cell
        if np.abs(where).max() > _FARTHEST:
            return nothing
        pad = math.ceil(self.footprint / self.cell) + 1
        low = np.floor(where.min(axis=0)).astype(np.int64) - pad
        high = np.ceil(where.max(axis=0)).astype(np.int64) + pad
        n_columns, n_rows = (high - low).tolist()
        if n_columns * n_rows > _MOST_CELLS:
            return nothing
        origin = (float(low[0]) * self.cell, float(low[1]) * self.cell)
        grid = Grid(origin, self.cell, (n_rows, n_columns))
        out = np.zeros(grid.shape, np.int64)
        touched = np.zeros(grid.shape, np.int64)
        ends = {
            "starts": np.concatenate(starts).reshape(-1, 2),
            "stops": np.concatenate(stops).reshape(-1, 2),
            "radii": np.repeat(np.concatenate(radii), n_channels),
        }
        value = np.repeat(np.concatenate(values), n_channels)
        stamp(out, grid, **ends, values=value)
        stamp(touched, grid, **ends, values=np.ones_like(value))
        rows, columns = np.nonzero(touched)
        found = out[rows, columns]
        cells = np.column_stack([columns + low[0], rows + low[1]])
        return cells, (found & _CREDITED) != 0, found & ~np.int64(_CREDITED)

"""Sums over traces that were recorded at one height."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._kernels.back_projection import put_side_by_side, stack_column, stack_side_by_side
from ..sweep import Samples
from ._arrivals import Arrivals

Counts = npt.NDArray[np.int64]

#: Image columns that are made at a time: their traces nearly fit the second-level cache.
N_BLOCK = 512

#: Depths that are written at a time: a line of the cache.
_N_TOGETHER = 16

#: What keeps sums of different depths out of each other's place in the cache.
_N_APART = 16

#: Columns below which each is quicker by itself.
_N_FEW = 8


class LevelTable(NamedTuple):
    """Arrivals as the kernels read them, by depth and by offset."""

    firsts: Counts
    stops: Counts
    rows: Counts  #: (n_depths, n_offsets), as what follows
    lower: Samples
    upper: Samples
    fractions: Samples
    weights: Samples
    by_offset: tuple[Counts, Samples, Samples]  #: rows, lower and upper the other way round
    sees_below: bool  #: whether a trace is part of the whole column below it

    @classmethod
    def of(cls, arrivals: Arrivals) -> LevelTable:
        """Return arrivals made ready; a last offset, of no weight, makes their number even."""
        lower, upper = (_even(weights) for weights in arrivals.halves)
        rows = _even(arrivals.rows)
        fractions, weights = _even(arrivals.fractions), _even(arrivals.weights)
        by_offset = (
            np.ascontiguousarray(rows.T),
            np.ascontiguousarray(lower.T),
            np.ascontiguousarray(upper.T),
        )
        sees_below = bool(arrivals.is_in[:, 0].all())
        ranges = arrivals.ranges
        return cls(*ranges, rows, lower, upper, fractions, weights, by_offset, sees_below)

    def stack(
        self,
        samples: Samples,
        is_usable: npt.NDArray[np.bool_],
        channel: int,
        columns: range,
        values: Samples,
        ratios: Samples,
    ) -> None:
        """
        Overwrite the first of the values, and ratios unless empty, with the image columns.

        They are those above the traces `columns` of the samples. However columns are
        divided into calls, the result is the same.
        """
        has_coherence = ratios.size > 0
        if len(columns) < _N_FEW and not has_coherence:
            for row, middle in enumerate(columns):
                stack_column(
                    samples,
                    is_usable,
                    middle,
                    channel,
                    self.firsts,
                    self.stops,
                    *self.by_offset,
                    values[row, channel],
                )
                self._mask(is_usable, middle, values[row, channel])
            return
        n_depths, n_offsets = self.rows.shape
        halo = n_offsets - 1
        for start in range(0, len(columns), N_BLOCK):
            n_block = min(N_BLOCK, len(columns) - start)
            n_wide = n_block + 2 * halo
            tile = np.empty((samples.shape[2], n_wide), np.float32)
            n_used = np.empty(n_wide + 1, np.int64)
            begin = columns.start + start - halo
            put_side_by_side(samples, is_usable, channel, begin, tile, n_used)
            stack_side_by_side(
                tile,
                n_used,
                self.firsts,
                self.stops,
                self.rows,
                self.lower,
                self.upper,
                has_coherence,
                self.fractions,
                self.weights,
                np.empty((3, min(_N_TOGETHER, n_depths), n_block + _N_APART), np.float32),
                channel,
                start,
                values,
                ratios,
            )

    def _mask(self, is_usable: npt.NDArray[np.bool_], middle: int, values: Samples) -> None:
        """Overwrite values that no trace is part of with NaN."""
        if is_usable[middle] and self.sees_below:
            return
        n_used = np.concatenate([[0], np.cumsum(is_usable)])
        last = len(is_usable)

        def count(stops: Counts) -> Counts:
            """Return how many traces are usable at offsets less than a stop."""
            behind = np.clip(middle - stops + 1, 0, last)
            n = n_used[np.clip(middle + stops, 0, last)] - n_used[behind]
            return np.where(stops > 0, n, 0)

        is_seen = (self.stops > self.firsts) & (count(self.stops) > count(self.firsts))
        values[~is_seen] = np.nan


def _even(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values with a last offset of zeros if they are for an odd number."""
    return np.pad(column, ((0, 0), (0, column.shape[1] % 2)))

"""What the ground around each trace looks like: the reference of a prescreener."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ._kernels.surroundings import join_halves, ring_moments, ring_statistics
from .sweep import Samples


class Around(NamedTuple):
    """Traces whose rings are complete, and the statistics of these rings."""

    centres: Samples  #: (n_ready, width), the traces themselves; infinite where absent
    level: Samples  #: (n_ready, width), a quantile, by default the median; or the mean
    #: (n_ready, width), 1.4826 times the median absolute deviation from the median; or the
    #: standard deviation
    spread: Samples
    counts: npt.NDArray[np.int64]  #: (n_ready,) traces in the ring


class Surroundings:
    r"""
    Levels and spreads over the ring of traces around each trace of a lane.

    Counts are in traces: stages convert from metres.

    Parameters
    ----------
    behind, ahead : int
        Traces that the ring reaches back and ahead. An `ahead` of 0 makes the statistics
        causal; otherwise it is greater than `guard`.
    guard : int
        Nearest traces on each side, and the trace itself, that are left out. With -1, and
        `ahead` 0, the window is the trace and those `behind` it.
    width : int
        Values of a trace, each with statistics of its own.
    quantile : float or None
        Share of the ring that lies below the level, from 0 to 1. None for moments: the
        mean is the level and the standard deviation the spread.

    Notes
    -----
    The ring of trace :math:`k` is :math:`\{j : g < k - j \le b\} \cup \{j : g < j - k \le
    a\}`, less the traces that are absent or outside the lane. Its spread is 1.4826 times
    the median absolute deviation from its median: for Gaussian values the standard
    deviation, whatever less than half of the ring holds. Between two values a quantile is
    interpolated linearly.

    Examples
    --------
    >>> ring = Surroundings(behind=2, ahead=2, guard=0, width=1)
    >>> rows = np.array([[1.0], [9.0], [2.0], [4.0], [3.0]], np.float32)
    >>> parts = [ring.feed(rows, np.ones(5, bool)), ring.finish()]
    >>> [part.level[:, 0].tolist() for part in parts]
    [[5.5, 2.0, 3.5], [3.0, 3.0]]
    >>> [part.counts.tolist() for part in parts]
    [[2, 3, 4], [3, 2]]
    """

    def __init__(
        self,
        *,
        behind: int,
        ahead: int,
        guard: int,
        width: int,
        quantile: float | None = 0.5,
    ):
        self.behind, self.ahead, self.guard = behind, ahead, guard
        self.quantile = quantile
        self.capacity = behind - guard + max(0, ahead - guard) * (ahead > 0)
        n_held = behind + ahead + 2
        self._buffer = np.full((n_held, width), np.inf, np.float32)
        self._presence = np.zeros(n_held, np.int64)
        self._tally = np.zeros(3, np.int64)
        if quantile is None:
            self._sums = np.zeros((3, width))
        else:
            self._windows = np.full((self.capacity + 1, width), np.inf, np.float32)
            self._scratch = np.empty((2, 64), np.float32)

    def feed(self, rows: Samples, is_present: npt.NDArray[np.bool_]) -> Around:
        """
        Take the next traces; return what is ready.

        Parameters
        ----------
        rows : (n_traces, width) float32 ndarray
            C-contiguous; finite where present.
        is_present : (n_traces,) bool ndarray
            Whether a trace enters the rings of others.

        Returns
        -------
        around : Around
            The traces `ahead` before, with their statistics.
        """
        around = _empty(int(self._tally[0]), rows, self.ahead)
        extent = (self.behind, self.ahead, self.guard)
        if self.quantile is None:
            state = (self._buffer, self._presence, self._sums, self._tally)
            ring_moments(rows, is_present, *extent, *state, *around)
        else:
            ring_statistics(
                rows,
                is_present,
                *extent,
                self.quantile,
                self._buffer,
                self._presence,
                self._windows,
                self._tally,
                self._scratch,
                *around,
            )
        return around

    def finish(self) -> Around:
        """End the lane: return the last traces, whose rings its end cuts."""
        width = self._buffer.shape[1]
        return self.feed(
            np.zeros((self.ahead, width), np.float32), np.zeros(self.ahead, np.bool_)
        )


class HalfSurroundings:
    r"""
    Levels and spreads over one of the two halves of the ring around each trace of a lane.

    Parameters
    ----------
    reach, guard : int
        Traces that the ring reaches to each side, and the nearest ones left out; `reach`
        is greater.
    width : int
        Values of a trace, each with statistics of its own.
    half : {"greatest", "smallest"}
        Of the halves behind and ahead of the trace, that of the greater or the smaller
        level, for each value by itself.
    least : int
        Traces of a half with fewer that are present have no say; at least 1.
    quantile : float or None
        As in :class:`Surroundings`.

    Notes
    -----
    One window of `reach` - `guard` traces slides along the lane: what it holds when it ends
    before the guard of a trace is the half behind it, and what it holds `reach` traces
    after that trace is the half ahead.

    Examples
    --------
    >>> ring = HalfSurroundings(reach=1, guard=0, width=1, half="greatest")
    >>> rows = np.array([[1.0], [9.0], [2.0], [4.0]], np.float32)
    >>> parts = [ring.feed(rows, np.ones(4, bool)), ring.finish()]
    >>> [part.level[:, 0].tolist() for part in parts]
    [[9.0, 2.0, 9.0], [2.0]]
    """

    def __init__(
        self,
        *,
        reach: int,
        guard: int,
        width: int,
        half: Literal["greatest", "smallest"],
        least: int = 1,
        quantile: float | None = 0.5,
    ):
        self.ahead, self.guard, self.least = reach, guard, least
        self.capacity = reach - guard
        self._sign = 1.0 if half == "greatest" else -1.0
        self._window = Surroundings(
            behind=self.capacity - 1, ahead=0, guard=-1, width=width, quantile=quantile
        )
        n_held = reach + guard + 2
        self._held = np.zeros((3, n_held, width), np.float32)
        self._sizes = np.zeros(n_held, np.int64)
        self._tally = np.zeros(1, np.int64)

    def feed(self, rows: Samples, is_present: npt.NDArray[np.bool_]) -> Around:
        """
        Take the next traces; return what is ready.

        Parameters
        ----------
        rows, is_present
            As in :meth:`Surroundings.feed`.

        Returns
        -------
        around : Around
            The traces `reach` before, with the statistics of the half chosen; the counts
            are of traces in halves that have a say.
        """
        around = _empty(int(self._tally[0]), rows, self.ahead)
        join_halves(
            *self._window.feed(rows, is_present),
            self.ahead,
            self.guard,
            self.least,
            self._sign,
            self._held,
            self._sizes,
            self._tally,
            *around,
        )
        return around

    def finish(self) -> Around:
        """End the lane: return the last traces, whose rings its end cuts."""
        width = self._held.shape[2]
        return self.feed(
            np.zeros((self.ahead, width), np.float32), np.zeros(self.ahead, np.bool_)
        )


def _empty(taken: int, rows: Samples, ahead: int) -> Around:
    """Return room for the traces that are ready after these rows."""
    n_ready = max(0, taken + len(rows) - ahead) - max(0, taken - ahead)
    level, spread, centres = (np.empty((n_ready, rows.shape[1]), np.float32) for _ in range(3))
    return Around(centres, level, spread, np.empty(n_ready, np.int64))

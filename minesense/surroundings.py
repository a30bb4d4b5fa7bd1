"""What the ground around each trace looks like: the reference of a prescreener."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._kernels.surroundings import ring_statistics
from .sweep import Samples


class Around(NamedTuple):
    """Traces whose rings are complete, and the statistics of these rings."""

    centres: Samples  #: (n_ready, width), the traces themselves; infinite where absent
    median: Samples  #: (n_ready, width)
    spread: Samples  #: (n_ready, width), 1.4826 times the median absolute deviation
    counts: npt.NDArray[np.int64]  #: (n_ready,) traces in the ring


class Surroundings:
    r"""
    Medians and spreads over the ring of traces around each trace of a lane.

    Counts are in traces: stages convert from metres.

    Parameters
    ----------
    behind, ahead : int
        Traces that the ring reaches back and ahead. An `ahead` of 0 makes the statistics
        causal; otherwise it is greater than `guard`.
    guard : int
        Nearest traces on each side, and the trace itself, that are left out.
    width : int
        Values of a trace, each with statistics of its own.

    Notes
    -----
    The ring of trace :math:`k` is :math:`\{j : g < k - j \le b\} \cup \{j : g < j - k \le
    a\}`, less the traces that are absent or outside the lane. Its spread is 1.4826 times
    the median absolute deviation from its median: for Gaussian values the standard
    deviation, whatever less than half of the ring holds.

    Examples
    --------
    >>> ring = Surroundings(behind=2, ahead=2, guard=0, width=1)
    >>> rows = np.array([[1.0], [9.0], [2.0], [4.0], [3.0]], np.float32)
    >>> parts = [ring.feed(rows, np.ones(5, bool)), ring.finish()]
    >>> [part.median[:, 0].tolist() for part in parts]
    [[5.5, 2.0, 3.5], [3.0, 3.0]]
    >>> [part.counts.tolist() for part in parts]
    [[2, 3, 4], [3, 2]]
    """

    def __init__(self, *, behind: int, ahead: int, guard: int, width: int):
        self.behind, self.ahead, self.guard = behind, ahead, guard
        self.capacity = behind - guard + max(0, ahead - guard)
        n_held = behind + ahead + 2
        self._buffer = np.full((n_held, width), np.inf, np.float32)
        self._presence = np.zeros(n_held, np.int64)
        self._windows = np.full((self.capacity + 1, width), np.inf, np.float32)
        self._tally = np.zeros(2, np.int64)
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
        taken = int(self._tally[0])
        n_ready = max(0, taken + len(rows) - self.ahead) - max(0, taken - self.ahead)
        shape = (n_ready, rows.shape[1])
        around = Around(
            np.empty(shape, np.float32),
            np.empty(shape, np.float32),
            np.empty(shape, np.float32),
            np.empty(n_ready, np.int64),
        )
        ring_statistics(
            rows,
            is_present,
            self.behind,
            self.ahead,
            self.guard,
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

"""
The scan counter of GSSI recordings: whether there is one, and which scans it says are lost.

In a file of instruments word 0 of a scan counts, in a converted one it is signal. All scans
tell that. In a file too large to be read at opening, stretches at its start, in its middle and
at its end do, and places where scans were lost are found by halving the distance between
scans whose counters disagree.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .survey import release

#: Scans in each of the stretches that stand for a large file.
STRETCH = 4096

_MOST_PLACES = 1000  # where scans are lost in a large file; more are no halving matter


@dataclass(frozen=True, slots=True, eq=False)
class ScanIndex:
    """How the traces of a recording are numbered when lost scans are counted."""

    n_traces: int
    first: int  #: number of the first scan, 0 without a counter
    places: npt.NDArray[np.int64]  #: traces in front of which scans were lost
    n_lost: npt.NDArray[np.int64]  #: how many there

    def of(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the index of a range of traces with lost ones counted."""
        traces = np.arange(start, stop)
        if not len(self.places):
            return traces
        lost = np.concatenate([[0], np.cumsum(self.n_lost)])
        return traces + lost[np.searchsorted(self.places, traces, side="right")]

    @property
    def last(self) -> int:
        """Number of the last scan."""
        return self.first + int(self.of(self.n_traces - 1, self.n_traces)[0])

    def traces_of(self, scans: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return the traces of scans by their numbers; between two for lost ones."""
        ends = np.unique([0, self.n_traces - 1, *self.places, *(self.places - 1)])
        numbers = [self.first + int(self.of(k, k + 1)[0]) for k in ends.tolist()]
        return np.interp(np.array(scans, float), numbers, ends)


def counter_steps(counter: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return differences modulo the word size, from minus half of it up."""
    size = 1 << (8 * counter.dtype.itemsize)
    steps = np.diff(counter.astype(np.int64))
    return np.remainder(steps + size // 2, size) - size // 2


def count_kind(scans: npt.NDArray[np.generic], *, whole: bool = True) -> str:
    """
    Return whether the first words of scans count.

    Parameters
    ----------
    scans : (n_traces, n_samples) ndarray
        Of one channel.
    whole : bool, optional
        Whether to look at all, or at three stretches.

    Returns
    -------
    kind : "all", "most", "perhaps" or "no"
        "most" for at least 90 %, "perhaps" for too few scans to tell.
    """
    n_traces, n_samples = scans.shape
    if n_samples < 3:
        return "no"
    if n_traces < 3:
        return "perhaps" if scans[0, 0] in (0, 1) else "no"
    n_regular = n_steps = 0
    for start, stop in [(0, n_traces)] if whole else stretches(n_traces):
        steps = counter_steps(scans[start:stop, 0])
        n_regular += int(np.count_nonzero(steps == 1))
        n_steps += len(steps)
    if n_regular == n_steps:
        return "all"
    return "most" if n_regular >= 0.9 * n_steps else "no"


def stretches(n_traces: int) -> list[tuple[int, int]]:
    """Return first and last trace of the stretches that stand for a large file."""
    if n_traces <= 3 * STRETCH:
        return [(0, n_traces)]
    middle = (n_traces - STRETCH) // 2
    return [
        (0, STRETCH),
        (middle, middle + STRETCH),
        (n_traces - STRETCH, n_traces),
    ]


def read_counter(scans: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Return word 0 of all scans, without keeping the pages of the file."""
    counter = np.empty(len(scans), scans.dtype)
    rows = max(1, 2**24 // max(1, scans.strides[0]))
    for start in range(0, len(scans), rows):
        counter[start : start + rows] = scans[start : start + rows, 0]
        release(scans)
    return counter


def find_losses(scans: npt.NDArray[np.generic]) -> tuple[list[int], list[int]] | None:
    """
    Return where and how many scans were lost, by halving; None if that does not tell.

    The counter of a trace, less that of the first and its index, is the number of scans
    lost before it, modulo the word size. It only grows; so where two traces have the same
    number none was lost between them.
    """
    size = 1 << (8 * scans.dtype.itemsize)
    first = int(scans[0, 0])

    def lost_before(trace: int) -> int:
        return (int(scans[trace, 0]) - first - trace) % size

    places: list[int] = []
    counts: list[int] = []
    edges = [k for pair in stretches(len(scans)) for k in (pair[0], pair[1] - 1)]
    known = [(k, lost_before(k)) for k in edges]
    pairs = list(itertools.pairwise(known))[::-1]
    while pairs:
        (low, lost_low), (high, lost_high) = pairs.pop()
        if lost_high == lost_low:
            continue
        if lost_high < lost_low or len(places) >= _MOST_PLACES:
            return None
        if high - low == 1:
            if lost_high - lost_low >= size // 2:
                return None  # rather a step back
            places.append(high)
            counts.append(lost_high - lost_low)
            continue
        middle = (low + high) // 2
        between = (middle, lost_before(middle))
        pairs += [(between, (high, lost_high)), ((low, lost_low), between)]
    return places, counts

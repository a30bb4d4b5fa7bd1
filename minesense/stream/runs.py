"""What becomes of every scan: runs of scans that wait until the stages have judged them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..sweep import Floats, Quality
from .states import Observation, observation_of

#: Seconds of scans that are accounted for together.
_LONGEST = 0.05

#: Runs that wait, at most; then neighbours are joined.
_MOST_RUNS = 4096


@dataclass(slots=True)
class Run:
    """Scans in a row with the same flags."""

    start: float  #: s
    stop: float  #: s
    flags: int
    n_scans: int
    error: float  #: m, the greatest
    height: float  #: m, the greatest; NaN if unknown
    tilt: float  #: rad, the greatest; NaN if unknown
    length: float = 0.0  #: m of track that its traces stand for


class RunQueue:
    """
    Keep account of scans between their arrival and the traces that the stages make of them.

    Scans are joined to runs of equal flags and at most 50 ms. A run is settled when a trace
    behind it is out: it has its own flags and those of the traces in it, or, where there is
    none, of the next one. No more than 4096 runs wait; where a platform stands for long, older
    ones are joined, with all their flags.

    Examples
    --------
    >>> import numpy as np
    >>> runs = RunQueue()
    >>> runs.add(np.array([0.0, 0.01, 0.1]), np.zeros(3, np.int64), *np.zeros((3, 3)))
    >>> settled = runs.settle(np.array([0.005, 0.2]), np.array([0, 64]), spacing=0.05)
    >>> [(run.n_scans, run.flags, run.length) for run in settled]
    [(2, 0, 0.05), (1, 64, 0.0)]
    """

    def __init__(self) -> None:
        self._runs: deque[Run] = deque()
        self._last = Run(-math.inf, -math.inf, 0, 0, math.inf, math.nan, math.nan)

    def __len__(self) -> int:
        """Return how many scans wait."""
        return sum(run.n_scans for run in self._runs)

    @property
    def span(self) -> tuple[float, float]:
        """First and last task time of what waits; NaN if nothing does."""
        if not self._runs:
            return math.nan, math.nan
        return self._runs[0].start, self._runs[-1].stop

    def add(
        self,
        times: Floats,
        flags: npt.NDArray[np.int64],
        errors: Floats,
        heights: Floats,
        tilts: Floats,
    ) -> None:
        """
        Take scans that follow those before.

        Parameters
        ----------
        times, flags, errors, heights, tilts : (n,) ndarray
            Of each scan: s, flags of Quality, m, m, rad.
        """
        rows = zip(
            times.tolist(),
            flags.tolist(),
            errors.tolist(),
            heights.tolist(),
            tilts.tolist(),
            strict=True,
        )
        last = self._runs[-1] if self._runs else None
        for time, flag, error, height, tilt in rows:
            if last is not None and last.flags == flag and time - last.start <= _LONGEST:
                last.stop = time
                last.n_scans += 1
                last.error = max(last.error, error)
                last.height = _greater(last.height, height)
                last.tilt = _greater(last.tilt, tilt)
                continue
            last = Run(time, time, flag, 1, error, height, tilt)
            self._runs.append(last)
        if len(self._runs) > _MOST_RUNS:
            self._join()

    def at(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """
        Return position errors, heights and tilts at traces, of the runs they lie in or before.

        Parameters
        ----------
        times : (n,) float64 ndarray
            Of traces between the scans that wait, s.

        Returns
        -------
        errors, heights, tilts : (n,) float64 ndarray
            Of each trace.
        """
        known = [self._last, *self._runs] if self._runs else [self._last]
        starts = [run.start for run in known]
        where = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, None)
        runs = [known[k] for k in where.tolist()]
        return (
            np.array([run.error for run in runs]),
            np.array([run.height for run in runs]),
            np.array([run.tilt for run in runs]),
        )

    def settle(
        self, times: Floats, flags: npt.NDArray[np.int64], *, spacing: float
    ) -> list[Run]:
        """
        Return the runs that traces have passed.

        Parameters
        ----------
        times, flags : (n,) ndarray
            Of traces that came out of the stages, rising.
        spacing : float
            Metres of track that a trace stands for.

        Returns
        -------
        runs : list of Run
            With the flags of the traces in them.
        """
        settled: list[Run] = []
        at, end = 0, float(times[-1])
        while self._runs and self._runs[0].stop <= end:
            run = self._runs.popleft()
            stop = int(np.searchsorted(times, run.stop, side="right"))
            near = flags[at : max(stop, at + 1)]  # the next one, if none lies in it
            run.flags |= int(np.bitwise_or.reduce(near)) if len(near) else 0
            run.length += spacing * (stop - at)
            at = stop
            settled.append(run)
        if at < len(times) and self._runs:  # in a run that goes on, or before it
            self._runs[0].length += spacing * (len(times) - at)
            self._runs[0].flags |= int(np.bitwise_or.reduce(flags[at:]))
        if settled:
            self._last = settled[-1]
        return settled

    def take_all(self, flags: int) -> list[Run]:
        """
        Return all runs, at the end of a part.

        Parameters
        ----------
        flags : int
            Of the last trace, or EDGE if there was none.

        Returns
        -------
        runs : list of Run
            With these flags.
        """
        runs = list(self._runs)
        for run in runs:
            run.flags |= flags
        self._runs.clear()
        return runs

    def _join(self) -> None:
        """Join neighbours, oldest first, until half the room is free."""
        joined: deque[Run] = deque()
        runs = list(self._runs)
        half = len(runs) // 2
        for k, run in enumerate(runs):
            if k < half and joined and k % 4:
                last = joined[-1]
                last.stop, last.flags = run.stop, last.flags | run.flags
                last.n_scans += run.n_scans
                last.length += run.length
                last.error = max(last.error, run.error)
                last.height = _greater(last.height, run.height)
                last.tilt = _greater(last.tilt, run.tilt)
            else:
                joined.append(run)
        self._runs = joined


def state_of_run(run: Run, limit: float) -> Observation:
    """
    Return what a settled run says of the ground.

    Parameters
    ----------
    run : Run
        Scans in a row.
    limit : float
        Greatest 95 % error of a position, m.

    Returns
    -------
    state : Observation
        Of its flags; NOT_OBSERVED at best if its place is not known well enough.

    Examples
    --------
    >>> state_of_run(Run(0.0, 1.0, 0, 5, 0.2, 0.1, 0.0), limit=0.1).name
    'NOT_OBSERVED'
    """
    state = observation_of(run.flags)
    return state if run.error <= limit else max(state, Observation.NOT_OBSERVED)


def _greater(one: float, other: float) -> float:
    """Return the greater of two numbers; NaN if one of them is."""
    return math.nan if math.isnan(one) or math.isnan(other) else max(one, other)


def edge() -> int:
    """Return the flag of scans of which no trace was made."""
    return int(Quality.EDGE)

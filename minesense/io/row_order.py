"""Rows of a log in the order of their times: doubles, steps back and midnight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .trouble import Findings

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

DAY = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """Rows of a log whose times increase, and what is known about their times."""

    rows: Indices  #: (n,) of the log
    time: Floats  #: (n,) s, strictly increasing
    quality: npt.NDArray[np.int64]  #: (n,) flags


def order_rows(
    findings: Findings, time: Floats, repeats: npt.NDArray[np.bool_]
) -> list[Stretch]:
    """
    Return the stretches of a log whose times increase.

    Parameters
    ----------
    findings : Findings
        Of the file; takes a warning for everything that is left out or moved.
    time : (n,) float64 ndarray
        Seconds, NaN where unknown.
    repeats : (n,) bool ndarray
        Whether a row holds the same as the row before it.

    Returns
    -------
    stretches : list of Stretch
        Rows without time are left out. A row that repeats the row before, time included, is
        one too many and is left out. Different rows of one time are kept, moved apart by the
        smallest step there is and flagged TIME_DUPLICATE. A single row whose time lies before
        its predecessor's is left out; if time goes on from there, a new stretch starts.

    Notes
    -----
    A file in which time stands still throughout has no times, which is the caller's to see.

    Examples
    --------
    >>> from pathlib import Path
    >>> time = np.array([0.0, 1.0, 1.0, 2.0, 0.0, 1.0])
    >>> found = order_rows(Findings(Path("log")), time, np.zeros(6, bool))
    >>> [stretch.rows.tolist() for stretch in found]
    [[0, 1, 2, 3], [4, 5]]
    """
    order = _Order()
    known = np.flatnonzero(np.isfinite(time))
    for place, row in enumerate(known.tolist()):
        later = known[place + 1 : place + 2]
        order.take(row, float(time[row]), bool(repeats[row]), [float(time[k]) for k in later])
    order.close()
    n_unknown = len(time) - len(known)
    if n_unknown:
        findings.warn(f"{n_unknown} rows have no time and are left out")
    if order.n_repeated:
        findings.warn(f"{order.n_repeated} rows repeat the row before and are left out")
    if order.n_same:
        findings.warn(
            f"{order.n_same} rows have the time of the row before: flagged TIME_DUPLICATE"
        )
    if order.backward:
        findings.warn(
            f"time runs backward at {len(order.backward)} rows, the first is row "
            f"{order.backward[0] + 1}: a single one is left out, else a new lane starts"
        )
    return order.stretches


class _Order:
    """Rows in the order of the log, sorted into stretches."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.n_repeated = self.n_same = 0
        self.backward: list[int] = []
        self._rows: list[int] = []
        self._times: list[float] = []
        self._flags: list[int] = []
        self._previous = -1
        self._stamp = 0.0  # of the row before, as the log has it

    def take(self, row: int, time: float, repeats: bool, later: list[float]) -> None:
        """Add a row, knowing the time of the next one if there is one."""
        previous, self._previous = self._previous, row
        if not self._rows:
            self._add(row, time)
        elif time == self._stamp:
            if repeats and previous == row - 1:
                self.n_repeated += 1
                return
            self.n_same += 1
            self._flags[-1] |= Quality.TIME_DUPLICATE
            self._rows.append(row)
            self._times.append(float(np.nextafter(self._times[-1], np.inf)))
            self._flags.append(int(Quality.TIME_DUPLICATE))
        elif time <= self._times[-1]:
            self.backward.append(row)
            if later and later[0] > self._times[-1]:
                return  # it alone is wrong
            self.close()
            self._add(row, time)
        else:
            self._add(row, time)

    def _add(self, row: int, time: float) -> None:
        self._rows.append(row)
        self._times.append(time)
        self._flags.append(0)
        self._stamp = time

    def close(self) -> None:
        """End a stretch."""
        if self._rows:
            stretch = Stretch(
                rows=np.array(self._rows, np.int64),
                time=np.array(self._times, np.float64),
                quality=np.array(self._flags, np.int64),
            )
            self.stretches.append(stretch)
        self._rows, self._times, self._flags = [], [], []


def join_dates(findings: Findings, days: Floats, seconds: Floats, *, has_dates: bool) -> Floats:
    """
    Return times from days and seconds of a day that need not change in the same row.

    Parameters
    ----------
    findings : Findings
        Takes what was corrected.
    days : (n,) float64 ndarray
        Seconds since 1970 at the start of the day, or zero throughout.
    seconds : (n,) float64 ndarray
        Since midnight.
    has_dates : bool
        Whether the days are known; if not, a step back by more than half a day is taken for
        midnight, once.

    Returns
    -------
    time : (n,) float64 ndarray
        Seconds.

    Examples
    --------
    >>> from pathlib import Path
    >>> seconds = np.array([86398.0, 86399.0, 0.0, 1.0])
    >>> join_dates(Findings(Path("log")), np.zeros(4), seconds, has_dates=False).tolist()
    [86398.0, 86399.0, 86400.0, 86401.0]
    """
    time = days + seconds
    known = np.flatnonzero(np.isfinite(time))
    steps = np.diff(time[known])
    if not has_dates:
        falls = np.flatnonzero(steps < -DAY / 2)
        if len(falls):
            row = int(known[falls[0] + 1])
            time[row:] += DAY
            findings.warn(
                f"time of day falls at row {row + 1}: taken for midnight, a day is added"
            )
        return time
    # A day that changes a row late makes one step of a day back, then one forward; a day that
    # changes a row early the other way round.
    for name, sign in (("late", 1.0), ("early", -1.0)):
        turns = np.abs(steps + sign * DAY) < DAY / 2
        pairs = np.flatnonzero(turns[:-1] & (np.abs(steps[1:] - sign * DAY) < DAY / 2))
        for pair in pairs.tolist():
            row = int(known[pair + 1])
            old = float(time[row])
            time[row] = old + sign * DAY
            reason = f"the date of row {row + 1} changes a row {name} at midnight"
            findings.correct("time", old, float(time[row]), reason)
        steps = np.diff(time[known])
    return time

"""Where ground or time is missing along a lane: nothing may be bridged silently."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ._validation import check_positive
from .sweep import Quality, Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of a lane of which nothing was recorded."""

    lane: str
    sensor: str
    start_time: float  #: s, of the last trace before it
    stop_time: float  #: s, of the first trace after it
    length: float  #: m between the two traces; NaN without positions


class GapFinder:
    """
    Notice where ground or time is missing along one lane, chunk by chunk.

    Parameters
    ----------
    max_step : float, optional
        Longest distance between neighbouring traces, in metres.
    max_interval : float, optional
        Longest time between neighbouring traces, in seconds.
    max_pause : float, optional
        Longest time between neighbouring traces of which one has no position, in seconds.
    spacing : float, optional
        By how much traces without a position are taken to advance, in metres; by
        `max_step` each without it.

    Raises
    ------
    ValueError
        If a limit is not finite and greater than zero.

    Notes
    -----
    Where positions are lost, the next known one is compared with the last known one: the
    distance may exceed `max_step` by `spacing` for each trace between. A gap whose place is
    hidden so is found there, and by `max_pause` where it is.
    """

    def __init__(
        self,
        *,
        max_step: float | None = None,
        max_interval: float | None = None,
        max_pause: float | None = None,
        spacing: float | None = None,
    ):
        limits = {"max_step": max_step, "max_interval": max_interval, "max_pause": max_pause}
        self._limits = {
            name: np.inf if value is None else check_positive(value, name)
            for name, value in limits.items()
        }
        advance = max_step if spacing is None else check_positive(spacing, "spacing")
        self._spacing = advance or 0.0
        self._last_time = np.nan
        self._is_located = False  # whether the last trace has a position
        self._place = np.full(2, np.nan)  # the last known position
        self._since = 0  # traces after it

    def find(self, chunk: Sweep) -> list[tuple[int, Gap]]:
        """
        Take the next chunk of the lane.

        Parameters
        ----------
        chunk : Sweep
            Traces that follow those before.

        Returns
        -------
        gaps : list of (int, Gap)
            Index in the chunk of each trace before which something is missing.
        """
        n = len(chunk)
        if not n:
            return []
        place = np.vstack([self._place, chunk.position[:, :2]])
        located = np.isfinite(place).all(axis=1)
        number = np.arange(n + 1)  # of each trace, from the last one that was seen
        known = np.maximum.accumulate(np.where(located, number, -1))[:-1]
        number[0] = -self._since  # the last known position may be older
        steps = number[1:] - number[np.maximum(known, 0)]
        distance = np.hypot(*(place[1:] - place[np.maximum(known, 0)]).T)
        distance[known < 0] = np.nan
        before = np.concatenate([[self._last_time], chunk.time[:-1]])
        pause = chunk.time - before
        had_place = np.concatenate([[self._is_located], located[1:-1]])
        limit = self._limits
        cut = (chunk.quality & Quality.GAP) != 0
        cut |= distance > limit["max_step"] + (steps - 1) * self._spacing
        cut |= pause > limit["max_interval"]
        cut |= ~(had_place & located[1:]) & (pause > limit["max_pause"])
        cut &= np.isfinite(before)  # nothing lies before the first trace of a lane
        if located.any():
            last = int(np.flatnonzero(located)[-1])
            self._since = n - last if last else self._since + n
            self._place = place[last].copy()
        self._last_time = float(chunk.time[-1])
        self._is_located = bool(located[-1])
        return [
            (
                int(i),
                Gap(
                    lane=chunk.lane,
                    sensor=chunk.sensor.name,
                    start_time=float(before[i]),
                    stop_time=float(chunk.time[i]),
                    length=float(distance[i]),
                ),
            )
            for i in np.flatnonzero(cut)
        ]


def cut_at(chunk: Sweep, starts: Iterable[int]) -> list[Sweep]:
    """
    Cut a chunk before some of its traces, which get the flag GAP.

    Parameters
    ----------
    chunk : Sweep
        Traces of one lane.
    starts : iterable of int
        Indices, rising.

    Returns
    -------
    parts : list of Sweep
        One more than there are indices; the first is empty if the first index is 0.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> len(cut_at(no_traces(), []))
    1
    """
    starts = list(starts)
    quality = chunk.quality.copy()
    quality[starts] |= Quality.GAP
    flagged = dataclasses.replace(chunk, quality=quality)
    bounds = [0, *starts, len(chunk)]
    return [flagged[a:b] for a, b in itertools.pairwise(bounds)]


def split_at_gaps(
    sweep: Sweep,
    *,
    max_step: float | None = None,
    max_interval: float | None = None,
    max_pause: float | None = None,
    spacing: float | None = None,
) -> tuple[list[Sweep], list[Gap]]:
    """
    Cut a lane where ground or time is missing, since nothing may be bridged silently.

    Parameters
    ----------
    sweep : Sweep
        A whole lane.
    max_step, max_interval, max_pause, spacing
        As in :func:`GapFinder`.

    Returns
    -------
    parts : list of Sweep
        The continuous parts in order; each after the first starts with the flag GAP.
    gaps : list of Gap
        What lies between them.

    Raises
    ------
    ValueError
        If a limit is not finite and greater than zero.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> northing = np.array([0.0, 0.1, 0.2, 1.0, 1.1])
    >>> sweep = Sweep(
    ...     samples=np.zeros((5, 1, 2)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(5),
    ...     sensor=sensor,
    ... )
    >>> parts, gaps = split_at_gaps(sweep, max_step=0.15)
    >>> [len(part) for part in parts], round(gaps[0].length, 3)
    ([3, 2], 0.8)
    """
    finder = GapFinder(
        max_step=max_step, max_interval=max_interval, max_pause=max_pause, spacing=spacing
    )
    found = finder.find(sweep)
    return cut_at(sweep, [i for i, _ in found]), [gap for _, gap in found]

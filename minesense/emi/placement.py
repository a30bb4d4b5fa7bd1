"""Give each trace the position at which its samples were taken."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_number, check_positive
from ..sensor import Sensor
from ..stage import Flags, run_lane
from ..sweep import Quality, Samples, Sweep
from ._timing import TOLERANCE, TimedStage, sample_interval

#: What is known to be wrong with a position, which goes where the position goes.
_OF_POSE = int(Quality.POSE_NONE | Quality.POSE_COARSE | Quality.POSE_STALE | Quality.POSE_JUMP)


def correct_lag(sweep: Sweep, *, lag: float, interval: float | None = None) -> Sweep:
    r"""
    Give each trace the position at which its samples were taken.

    Parameters
    ----------
    sweep : Sweep
        A lane with positions.
    lag : float
        By which the samples come later than the positions beside them, in seconds, as
        :func:`~minesense.emi.lag.estimate_lag` finds it; negative where the positions are late.
    interval : float, optional
        From one trace to the next, in seconds; by default that of the time stamps.

    Returns
    -------
    placed : Sweep
        The same samples and stamps with other positions and headings. Traces whose place
        lies before the lane's start or behind its end have the flag POSE_NONE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range or the interval is uneven by more than a tenth.

    Notes
    -----
    A trace with the stamp :math:`t` gets the position :math:`p(t - \tau)`, on a straight
    line between those of the traces before and after that time, and their heading by the
    shorter way. It also gets what was flagged of these two positions, beside its own flags;
    where one of the two is missing, it has none. Samples are not interpolated.

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> time = 0.1 * np.arange(6)
    >>> sweep = Sweep(
    ...     samples=np.zeros((6, 1, 1)),
    ...     time=time,
    ...     position=np.column_stack([0 * time, time, 0 * time]),
    ...     heading=np.zeros(6),
    ...     sensor=sensor,
    ... )
    >>> correct_lag(sweep, lag=0.15).position[:, 1].round(2)
    array([ nan,  nan, 0.05, 0.15, 0.25, 0.35])
    """
    stage = CorrectLag(
        lag=lag, interval=sample_interval(sweep) if interval is None else interval
    )
    return run_lane(stage, sweep)


class CorrectLag(TimedStage):
    """Streaming form of :func:`correct_lag`; looks ahead where the positions are late."""

    def __init__(self, *, lag: float, interval: float):
        self.lag = check_number(lag, "lag")
        self.interval = check_positive(interval, "interval")
        # enough traces ahead, were every step as short as it may be
        shortest = (1 - TOLERANCE) * self.interval
        self.latency = max(0, math.ceil(-self.lag / shortest * (1 - 1e-12)))
        self._n_behind = max(0, math.ceil(self.lag / shortest)) + 1
        super().__init__(lag=self.lag, interval=self.interval)

    def _begin(self, sensor: Sensor) -> None:
        self._kept = np.empty((0, *sensor.shape), np.float32)
        self._n_kept = 0  # traces of `_raw` that have been released
        self._raw: dict[str, npt.NDArray] = {}

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        n = len(samples)
        names = ("time", "position", "heading", "quality")
        new = {name: self._track[name][len(self._track[name]) - n :].copy() for name in names}
        self._raw = {
            name: np.concatenate([self._raw[name], part]) if self._raw else part
            for name, part in new.items()
        }
        self._kept = np.concatenate([self._kept, samples])
        return self._place(max(0, len(self._kept) - self.latency))

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        return self._place(len(self._kept))

    def _place(self, n_ready: int) -> tuple[Samples, Flags]:
        """Return the next traces, of which the track is that of the corrected time."""
        if n_ready == 0:
            return self._kept[:0].copy(), np.zeros(0, np.int64)
        start, raw = self._n_kept, self._raw
        time = raw["time"][start : start + n_ready] - self.lag
        after = np.searchsorted(raw["time"], time, side="left")
        is_inside = (after < len(raw["time"])) & (time >= raw["time"][0])
        after = np.where(is_inside, after, 0)
        before = np.maximum(after - 1, 0)
        step = raw["time"][after] - raw["time"][before]
        share = np.where(
            step > 0, (time - raw["time"][before]) / np.where(step > 0, step, 1), 0
        )
        # a time that is a trace's own needs no other trace
        before = np.where(share == 1, after, before)
        first, last = raw["position"][before], raw["position"][after]
        position = first + share[:, None] * (last - first)
        turn = raw["heading"][after] - raw["heading"][before]
        turn = turn - 2 * np.pi * np.round(turn / (2 * np.pi))
        heading = raw["heading"][before] + share * turn
        flags = (raw["quality"][before] | raw["quality"][after]) & _OF_POSE
        is_known = is_inside & np.isfinite(position).all(axis=1) & np.isfinite(heading)
        position[~is_known] = np.nan
        heading[~is_known] = np.nan
        flags[~is_known] |= int(Quality.POSE_NONE)
        self._track["position"][:n_ready] = position
        self._track["heading"][:n_ready] = heading
        self._forget(n_ready)
        ready, self._kept = self._kept[:n_ready].copy(), self._kept[n_ready:].copy()
        return ready, flags

    def _forget(self, n_ready: int) -> None:
        """Drop positions that lie too far back to be asked for again."""
        drop = max(0, self._n_kept + n_ready - self._n_behind)
        self._n_kept += n_ready - drop
        self._raw = {name: part[drop:] for name, part in self._raw.items()}

"""Alarms of a part of a lane: of saturated stretches, and of candidates."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from typing import Literal

import numpy as np

from ..alarm import Candidate
from ..sweep import Floats, Quality
from .events import AlarmRaised, Event
from .poses import Poses
from .stretches import PartName

#: Traces whose position errors are kept for candidates that come later.
_MOST_ERRORS = 4096

_SATURATED = int(Quality.SATURATED)


class PartAlarms:
    """
    Number the alarms of a part; remember how well its traces were located.

    Parameters
    ----------
    name : PartName
        What events call the part.
    kind : str
        Of the sensor.
    is_located : bool
        Whether its scans have positions; else alarms are kept without a place.
    """

    def __init__(self, name: PartName, kind: str, *, is_located: bool):
        self._name, self._kind, self._is_located = name, kind, is_located
        self._errors: deque[tuple[float, float]] = deque(maxlen=_MOST_ERRORS)
        self._is_saturated = False
        self.n_raised = 0

    @property
    def newest(self) -> float:
        """Time of the newest trace whose error is known, s."""
        return self._errors[-1][0]

    def note_errors(self, time: Floats, errors: Floats) -> None:
        """
        Remember how far the positions of traces may be off.

        Parameters
        ----------
        time : (n,) float64 ndarray
            Of the traces, s, in order.
        errors : (n,) float64 ndarray
            95 %, m.
        """
        self._errors.extend(zip(time.tolist(), errors.tolist(), strict=True))

    def of_saturation(self, time: Floats, flags: np.ndarray, poses: Poses) -> list[Event]:
        """
        Return an alarm at the first scan of each saturated stretch.

        Parameters
        ----------
        time : (n,) float64 ndarray
            Of the next scans, s.
        flags : (n,) int64 ndarray
            Of these scans.
        poses : Poses
            Of these scans.

        Returns
        -------
        events : list of Event
            Of the kind "saturation".
        """
        is_saturated = (flags & _SATURATED) != 0
        before = np.concatenate([[self._is_saturated], is_saturated[:-1]])
        self._is_saturated = bool(is_saturated[-1])
        return [
            self._raise(
                kind="saturation",
                channel=-1,
                time=float(time[k]),
                easting=float(poses.position[k, 0]),
                northing=float(poses.position[k, 1]),
                error=float(poses.error[k]),
                score=math.inf,
                quality=int(flags[k]),
            )
            for k in np.flatnonzero(is_saturated & ~before).tolist()
        ]

    def of_candidate(self, candidate: Candidate, *, latency: float) -> AlarmRaised:
        """
        Return the alarm of a candidate.

        Parameters
        ----------
        candidate : Candidate
            Of the prescreener.
        latency : float
            Metres of track that the stages look ahead.

        Returns
        -------
        alarm : AlarmRaised
            With the error of the trace at the time of the candidate.
        """
        times = [time for time, _ in self._errors]
        k = min(bisect_left(times, candidate.time), len(times) - 1)
        return self._raise(
            kind="prescreener",
            channel=candidate.channel,
            time=candidate.time,
            easting=candidate.easting,
            northing=candidate.northing,
            error=self._errors[k][1] if times else math.inf,
            score=candidate.score,
            quality=candidate.quality,
            two_way_time=candidate.two_way_time,
            latency=latency,
        )

    def _raise(
        self,
        *,
        kind: Literal["saturation", "prescreener"],
        channel: int,
        time: float,
        easting: float,
        northing: float,
        error: float,
        score: float,
        quality: int,
        two_way_time: float = math.nan,
        latency: float = 0.0,
    ) -> AlarmRaised:
        """Return a numbered alarm."""
        name = self._name
        self.n_raised += 1
        located = math.isfinite(easting) and math.isfinite(northing) and self._is_located
        return AlarmRaised(
            identifier=f"{name.stream}/{name.lane}/{name.number}/{self.n_raised}",
            kind=kind,
            stream=name.stream,
            sensor=self._kind,
            lane=name.lane,
            part=name.number,
            channel=channel,
            time=time,
            easting=easting if located else math.nan,
            northing=northing if located else math.nan,
            position_error=error if located else math.inf,
            score=score,
            quality=quality,
            two_way_time=two_way_time,
            declared_latency=latency,
        )

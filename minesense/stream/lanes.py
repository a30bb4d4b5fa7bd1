"""Which lane a task time belongs to: lanes are of the platform, parts of its sensors."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from ..detect import Detector, DetectorSettings
from ..detect.screen import Screen, Screened
from .events import AlarmJudged, Event, LaneNotJudged

#: Boundaries that are kept for sensors that lag behind.
_MOST_BOUNDARIES = 256


class LaneBook:
    """
    Names of lanes by task time, and what their sensors' screens kept for a detector.

    Parameters
    ----------
    settings : DetectorSettings
        Of the screens.
    detector : Detector or None
        Judges a lane when every sensor has left it; None keeps nothing.
    """

    def __init__(self, settings: DetectorSettings, detector: Detector | None):
        self.settings, self.detector = settings, detector
        self._bounds: deque[tuple[float, int, str]] = deque(maxlen=_MOST_BOUNDARIES)
        self._bounds.append((-math.inf, 0, "1"))
        self._number = 0
        self._screens: dict[int, dict[str, Screen]] = {}
        self._names: dict[int, str] = {}  # of the lanes that have screens
        self._n_judged = 0
        self._at: dict[str, int] = {}  # by stream of a sensor, the lane it is in

    def register(self, stream: str) -> None:
        """
        Wait for a sensor's stream before a lane is judged.

        Parameters
        ----------
        stream : str
            Of a sensor.
        """
        self._at.setdefault(stream, 0)

    def begin(self, time: float, name: str | None = None) -> None:
        """
        Begin a lane.

        Parameters
        ----------
        time : float
            Task time from which scans belong to it, s; not before that of the last one.
        name : str, optional
            By default its number.
        """
        time = max(time, self._bounds[-1][0])
        self._number += 1
        self._bounds.append((time, self._number, name or str(self._number + 1)))

    def restart(self) -> None:
        """Begin a lane that no time is before: the clock was set back behind its bounds."""
        self._number += 1
        self._bounds.clear()
        self._bounds.append((-math.inf, self._number, str(self._number + 1)))

    def lane_at(self, time: float) -> tuple[int, str]:
        """
        Return the lane of a task time.

        Parameters
        ----------
        time : float
            Of a scan, s.

        Returns
        -------
        number : int
            Rising.
        name : str
            Of the lane.
        """
        for start, number, name in reversed(self._bounds):
            if time >= start:
                return number, name
        return self._bounds[0][1:]

    def next_bound(self, number: int) -> float:
        """
        Return the task time at which a lane ends; infinite if that is not known.

        Parameters
        ----------
        number : int
            Of the lane.

        Returns
        -------
        time : float
            Start of the next one, s.
        """
        for start, other, _ in self._bounds:
            if other > number:
                return start
        return math.inf

    def screen(self, number: int, kind: str, *, is_located: bool) -> Screen:
        """
        Return the screen for a part of a lane.

        Parameters
        ----------
        number : int
            Of the lane.
        kind : str
            Of the sensor.
        is_located : bool
            Whether its scans have positions; only then a detector can judge them.

        Returns
        -------
        screen : Screen
            That of the parts before, if a detector is to judge them together; else a new one,
            which keeps nothing.
        """
        if self.detector is None or not is_located:
            return Screen(self.settings, keep=False)
        screens = self._screens.setdefault(number, {})
        names = [name for _, other, name in self._bounds if other == number]
        self._names.setdefault(number, names[-1] if names else str(number + 1))
        if kind not in screens:
            screens[kind] = Screen(self.settings)
        return screens[kind]

    def give_up(self, number: int, kind: str) -> None:
        """
        Forget the screen of a sensor that failed.

        Parameters
        ----------
        number : int
            Of the lane.
        kind : str
            Of the sensor.
        """
        self._screens.get(number, {}).pop(kind, None)

    def leave(self, stream: str, number: int) -> list[Event]:
        """
        Note that a sensor is in a later lane; judge those that all sensors have left.

        Parameters
        ----------
        stream : str
            Of the sensor.
        number : int
            Of the lane that it is in now.

        Returns
        -------
        events : list of Event
            What a detector says of the places.
        """
        self._at[stream] = max(number, self._at.get(stream, 0))
        return self._judge(min(self._at.values()))

    def finish(self) -> list[Event]:
        """
        Judge every lane that is left.

        Returns
        -------
        events : list of Event
            What a detector says of the places.
        """
        return self._judge(self._number + 1)

    def _judge(self, before: int) -> list[Event]:
        """Return what the detector says of lanes with lower numbers."""
        events: list[Event] = []
        for number in sorted(n for n in self._screens if n < before):
            events += self._judge_lane(self._names.pop(number), self._screens.pop(number))
        return events

    def _judge_lane(self, lane: str, screens: Mapping[str, Screen]) -> list[Event]:
        """Return the judgements of one lane, or why there are none."""
        assert self.detector is not None
        screened: dict[str, Screened] = {}
        reasons = []
        for kind, screen in screens.items():
            try:
                screened[kind] = screen.finish()
            except ValueError as error:  # too short: its alarms were told, its ground is EDGE
                reasons.append(str(error))
        kinds = [kind for kind in ("gpr", "emi") if kind in screened]
        mode = self.detector.mode()
        if not kinds or mode not in ("both", *kinds):
            missing = f"no lane of a sensor that the model listens to ({mode})"
            return [LaneNotJudged(lane=lane, reason=" ".join([missing, *reasons]))]
        try:
            found = self.detector.judge([{kind: screened[kind] for kind in kinds}], mode=mode)
        except Exception as error:  # noqa: BLE001 - the session goes on, and says so
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return [LaneNotJudged(lane=lane, reason=reason)]
        self._n_judged += 1
        # lanes may share a name, and a sensor that comes late may open one again
        names = f"judged/{lane}/{self._n_judged}"
        return [
            AlarmJudged(
                lane=alarm.lane,
                alarm=replace(alarm, identifier=f"{names}/{alarm.identifier}"),
                is_above_threshold=alarm.score >= found.threshold,
            )
            for alarm in found.ranked
        ]

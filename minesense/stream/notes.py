"""Notes of people and devices in a session: lanes, settings, function checks, marks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..message import NoteMessage
from ..sweep import Quality
from .config import StreamConfig
from .events import AlarmRaised, Event, Invalidated, NoteTaken
from .known_stream import KnownStream
from .lanes import LaneBook

_UNTIL_CHECK = int(Quality.SETTING_CHANGED | Quality.CHECK_FAILED)

#: Seconds by which the stamp of a note may be ahead of all streams.
_MOST_AHEAD = 60.0


class NoteBook:
    """
    Take the notes of a session.

    Parameters
    ----------
    config : StreamConfig
        Of the session.
    book : LaneBook
        Names the lanes.
    streams : dict of KnownStream
        Of the session, by name.
    """

    def __init__(
        self, config: StreamConfig, book: LaneBook, streams: Mapping[str, KnownStream]
    ):
        self.config, self._book, self._streams = config, book, streams
        self._n_marks = 0

    def take(self, note: NoteMessage, now: float) -> list[Event]:
        """
        Take a note of people or devices.

        Parameters
        ----------
        note : NoteMessage
            Of any topic.
        now : float
            Newest task time, s: that of a note without a stamp.

        Returns
        -------
        events : list of Event
            The note, and what follows from it.
        """
        stream = self._streams.get(note.stream)
        time = note.stamp
        if stream is not None and math.isfinite(time):
            time += stream.base.shift
        place = time if math.isfinite(time) else now
        if now > -math.inf and place > now + _MOST_AHEAD:
            place = now  # by another clock: it must not hold up the lanes and checks to come
        lane_start = place if now > -math.inf else now
        events: list[Event] = [
            NoteTaken(stream=note.stream, time=time, topic=note.topic, content=note.content)
        ]
        if note.topic == "lane":
            self._book.begin(lane_start, _text(note.content.get("name")))
        elif note.topic == "end lane":
            name = _text(note.content.get("name")) or "lane"
            self._book.begin(lane_start, f"after {name}")
        elif note.topic == "setting":
            for other in self._sensors(note):
                assert other.path is not None
                other.path.sticky |= int(Quality.SETTING_CHANGED)
        elif note.topic == "check":
            for other in self._sensors(note):
                events += self._check_function(other, note.content, place)
        elif note.topic == "mark":
            events.append(self._mark(note, place))
        return events

    def left_unchecked(self, stream: KnownStream) -> list[Event]:
        """
        Take back what no check followed, at the end of a session.

        Parameters
        ----------
        stream : KnownStream
            Of a sensor.

        Returns
        -------
        events : list of Event
            Nothing if checks are not required, or the last one came behind the last scan.
        """
        if self.config.checks != "required" or not stream.last_time > stream.last_check:
            return []
        return [
            Invalidated(
                stream=stream.declaration.name,
                start_time=stream.last_check,
                stop_time=stream.last_time,
                reason=Quality.CHECK_FAILED.name or "",
            )
        ]

    def _sensors(self, note: NoteMessage) -> list[KnownStream]:
        """Return the sensor streams that a note is about: those that it names, or all."""
        name = note.content.get("sensor", note.stream)
        sensors = [stream for stream in self._streams.values() if stream.path is not None]
        named = [stream for stream in sensors if stream.declaration.name == name]
        return named or sensors

    def _check_function(
        self, stream: KnownStream, content: Mapping[str, Any], time: float
    ) -> list[Event]:
        """Take the result of a function check of a sensor."""
        assert stream.path is not None
        passed = content.get("passed") is True
        tolerance = self.config.check_tolerance
        response = _number(content.get("response"))
        if math.isfinite(response):
            if stream.response is None and passed:
                stream.response = response
            elif stream.response is not None and tolerance is not None:
                off = abs(response - stream.response)
                passed = passed and off <= tolerance * abs(stream.response)
        elif tolerance is not None:
            passed = False  # nothing to compare
        if passed:
            stream.last_check = time
            stream.path.sticky &= ~_UNTIL_CHECK
            return []
        stream.path.sticky |= int(Quality.CHECK_FAILED)
        return [
            Invalidated(
                stream=stream.declaration.name,
                start_time=stream.last_check,
                stop_time=time,
                reason=Quality.CHECK_FAILED.name or "",
            )
        ]

    def _mark(self, note: NoteMessage, time: float) -> AlarmRaised:
        """Return the alarm of a person."""
        self._n_marks += 1
        place = [_number(note.content.get(name)) for name in ("easting", "northing")]
        return AlarmRaised(
            identifier=f"mark/{self._n_marks}",
            kind="mark",
            stream=note.stream,
            sensor="",
            lane=self._book.lane_at(time)[1],
            part=0,
            channel=-1,
            time=time,
            easting=place[0],
            northing=place[1],
            position_error=_number(note.content.get("position_error"), math.inf),
            score=math.nan,
            quality=0,
        )


def _text(value: Any) -> str | None:
    """Return a value if it is text of a length that a name may have."""
    return value[:200] if isinstance(value, str) and value else None


def _number(value: Any, missing: float = math.nan) -> float:
    """Return a value if it is a number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return missing
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return missing

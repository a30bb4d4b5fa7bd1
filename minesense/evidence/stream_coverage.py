"""
Evidence from the events of a live session, or of its recording: the same, bit for bit.

Traces that a session located become tracks, its notes of the topic ``check`` function checks,
what it raised alarms. What it takes back is taken back here, too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..alarm import DISC_95, Alarm
from ..stream.events import (
    AlarmJudged,
    AlarmRaised,
    CountersReport,
    Event,
    Invalidated,
    LaneChunk,
    NoteTaken,
    StreamAccepted,
)
from ..sweep import Floats, Quality, Sweep
from .evidence_session import SESSION_FILE, PieceNote, SensorNote, SessionNotes
from .function_checks import OCCASIONS, FunctionCheck
from .grid import CoverageGrid
from .site import Site
from .track import Track, track_of
from .tracker import CoverageTracker

#: Names of clocks: that of a stream, that of a site.
TASK_CLOCKS = {"utc": "utc", "gps": "gnss", "host": "host", "sensor": "sensor"}

#: s before the first trace at which a check without a stamp was made, if it came before it.
_MARGIN = 1.0

Found = Track | FunctionCheck | Alarm


class StreamEvidence:
    """
    Gather what evidence needs from the events of a session.

    Parameters
    ----------
    notes : SessionNotes
        What a recording does not say: sensors by the name of their stream, and what the test
        piece of its function checks is.
    session : str
        Identifier, if the notes name none.

    Examples
    --------
    >>> from minesense.evidence.evidence_session import SessionNotes
    >>> from minesense.evidence.stream_coverage import StreamEvidence
    >>> from minesense.stream.events import NoteTaken
    >>> gathered = StreamEvidence(SessionNotes(), session="morning")
    >>> note = NoteTaken(stream="", time=1.0, topic="weather", content={})
    >>> gathered.take(note), gathered.tracks
    ([], [])
    """

    def __init__(self, notes: SessionNotes, *, session: str):
        self.notes = notes
        self.session = notes.identifier or session
        self.clock = ""  #: of the tracks and checks; the task's if empty
        self.tracks: list[Track] = []
        self.sweeps: list[Sweep] = []  #: traces of the tracks, one for one
        self.checks: list[FunctionCheck] = []
        self.alarms: list[Alarm] = []
        self._streams: list[str] = []  # of each track
        self._sensors: dict[str, None] = {}  # streams of sensors, as they were accepted
        self._early: list[NoteTaken] = []
        self._taken_back: list[Invalidated] = []
        self._newest = -math.inf

    def take(self, event: Event) -> list[Found] | None:
        """
        Take the next event.

        Parameters
        ----------
        event : Event
            Of :mod:`minesense.stream.events`, in order.

        Returns
        -------
        found : list or None
            What is new; None if something that was handed out before is another now.

        Raises
        ------
        ValueError
            If the notes do not name a sensor, or nobody stated what a check was made with.
        """
        if isinstance(event, LaneChunk):
            return self._chunk(event)
        if isinstance(event, AlarmRaised):
            return self._alarm(_raised(event, f"{event.lane}/{event.part}"))
        if isinstance(event, AlarmJudged) and event.is_above_threshold:
            return self._alarm(event.alarm)
        if isinstance(event, Invalidated):
            return self._take_back(event)
        if isinstance(event, StreamAccepted) and event.declaration.kind == "sensor":
            self._sensors.setdefault(event.stream)
        elif isinstance(event, CountersReport) and math.isfinite(event.time):
            self._newest = max(self._newest, event.time)
        elif isinstance(event, NoteTaken) and event.topic == "check":
            return self._note(event)
        return []

    def _chunk(self, event: LaneChunk) -> list[Found]:
        """Return the track of located traces, and checks that waited for the first one."""
        if not len(event.sweep):
            return []
        note = self._note_of(event.stream)
        # parts never join: what lies between two of them was not processed
        sweep = dataclasses.replace(event.sweep, lane=f"{event.lane}/{event.part}")
        # traces may come out of the stages after they were taken back
        flags = [_flags(e, event.stream, sweep.time) for e in self._taken_back]
        quality = np.bitwise_or.reduce([sweep.quality, *flags])
        sweep = dataclasses.replace(sweep, quality=quality)
        height = sweep.position[:, 2] if note.height_is_position else event.height
        track = track_of(
            sweep,
            session=self.session,
            sensor=note.identifier or note.name,
            height=_known(height, note.height),
            tilt=_known(event.tilt, note.tilt),
            position_error=_known(event.position_error, note.position_error),
            noise=note.noise,
            clock=self.clock,
        )
        found: list[Found] = []
        first, last = float(sweep.time[0]), float(sweep.time[-1])
        for k, early in enumerate(self._early):
            found += self._checks_of(early, first - _MARGIN / (k + 1))
        self._early.clear()
        self._newest = max(self._newest, last)
        self.tracks.append(track)
        self.sweeps.append(sweep)
        self._streams.append(event.stream)
        return [*found, track]

    def _note(self, event: NoteTaken) -> list[Found]:
        """Return the function checks of a note; keep one that has no time yet."""
        time = event.time if math.isfinite(event.time) else self._newest
        if not math.isfinite(time):
            self._early.append(event)
            return []
        self._newest = max(self._newest, time)
        return self._checks_of(event, time)

    def _checks_of(self, event: NoteTaken, time: float) -> list[Found]:
        """Return a check of each sensor that a note is about: those it names, or all."""
        name = event.content.get("sensor", event.stream)
        named = [n for n in self.notes.sensor if name in (n.name, n.identifier)]
        notes = named or [self._note_of(stream) for stream in self._sensors]
        made = [self._check(note, event.content, time) for note in notes]
        self.checks += made
        return list(made)

    def _check(
        self, note: SensorNote, content: Mapping[str, Any], time: float
    ) -> FunctionCheck:
        """Return a function check as a note and the session file state it together."""
        sensor = note.identifier or note.name
        pieces = [p for p in self.notes.test_piece if p.sensor == sensor]
        if not pieces:
            msg = (
                f"Invalid check of sensor '{sensor}' in session '{self.session}': nobody says "
                f"what it was made with. Must be stated as [[test_piece]] in {SESSION_FILE}."
            )
            raise ValueError(msg)
        piece: PieceNote = pieces[0]
        before = [c.time for c in self.checks if c.sensor == sensor]
        occasion = content.get("occasion")
        return FunctionCheck(
            sensor=sensor,
            session=self.session,
            # two checks in one breath: the later one comes after the other
            time=time if not before or time > before[-1] else np.nextafter(before[-1], np.inf),
            occasion=occasion if occasion in OCCASIONS else "interim" if before else "start",
            test_piece=piece.name,
            medium=piece.medium,
            depth=piece.depth,
            response=_number(content.get("response")),
            noise=_number(content.get("noise")),
            baseline=piece.baseline,
            baseline_noise=piece.baseline_noise,
            clock=self.clock,
            by=str(content.get("by") or piece.by),
            reported_failed=content.get("passed") is not True,
        )

    def _alarm(self, alarm: Alarm) -> list[Found]:
        """Return an alarm under a name of its own among all sessions."""
        alarm = dataclasses.replace(alarm, identifier=f"{self.session}/{alarm.identifier}")
        self.alarms.append(alarm)
        return [alarm]

    def _take_back(self, event: Invalidated) -> list[Found] | None:
        """Flag traces that must not be used after all."""
        self._taken_back.append(event)
        changed = False
        for k, stream in enumerate(self._streams):
            track = self.tracks[k]
            flags = _flags(event, stream, track.time)
            if flags.any():
                quality = track.quality | flags
                self.tracks[k] = dataclasses.replace(track, quality=quality)
                self.sweeps[k] = dataclasses.replace(self.sweeps[k], quality=quality)
                changed = True
        return None if changed else []

    def _note_of(self, stream: str) -> SensorNote:
        """Return what the session file says of the sensor of a stream."""
        for note in self.notes.sensor:
            if note.name == stream:
                return note
        msg = (
            f"Invalid sensor stream '{stream}' of session '{self.session}'. Must be stated as "
            f"[[sensor]] in {SESSION_FILE}: which sensor of the site file it is."
        )
        raise ValueError(msg)


class StreamCoverage:
    """
    Follow the states of a site from the events of a live session.

    The grid is that of the recording, bit for bit. What the session takes back (Invalidated)
    is no longer credited: the grid is then made again from all that was gathered.

    Parameters
    ----------
    site : Site
        Polygons, targets, sensors, footprints and gates.
    notes : SessionNotes
        Which sensor of the site each stream is.
    session : str
        Identifier, if the notes name none.
    task_clock : str
        Of the session's configuration: utc, gps, host or sensor.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> from minesense.evidence.evidence_session import SessionNotes
    >>> site = read_site("examples/site.toml")
    >>> coverage = StreamCoverage(site, SessionNotes(), session="1", task_clock="utc")
    >>> coverage.push([])
    >>> coverage.finish().alarms
    {}
    """

    def __init__(self, site: Site, notes: SessionNotes, *, session: str, task_clock: str):
        self.site = site
        self.gathered = StreamEvidence(notes, session=session)
        self.gathered.clock = TASK_CLOCKS[task_clock]
        self._tracker = CoverageTracker(site)
        self._is_stale = False

    def push(self, events: Iterable[Event]) -> None:
        """
        Take the next events of the session.

        Parameters
        ----------
        events : iterable of Event
            In order, none left out.
        """
        for event in events:
            found = self.gathered.take(event)
            self._is_stale |= found is None
            if not self._is_stale:
                _push(self._tracker, found or [])

    def grid(self) -> CoverageGrid:
        """Return the grid as it is now."""
        return self._current().grid()

    def finish(self) -> CoverageGrid:
        """Return the grid at the end of the session; what no check follows is INVALID."""
        return self._current().finish()

    def _current(self) -> CoverageTracker:
        """Return the tracker, made again if something was taken back."""
        if self._is_stale:
            self._tracker, self._is_stale = CoverageTracker(self.site), False
            gathered = self.gathered
            _push(self._tracker, [*gathered.checks, *gathered.tracks, *gathered.alarms])
        return self._tracker


def _push(tracker: CoverageTracker, found: Iterable[Found]) -> None:
    """Hand what was found to a tracker."""
    for item in found:
        if isinstance(item, Track):
            tracker.push_track(item)
        elif isinstance(item, FunctionCheck):
            tracker.push_check(item)
        else:
            tracker.push_alarm(item)


def _raised(event: AlarmRaised, lane: str) -> Alarm:
    """Return what was raised as an alarm, its error as one standard deviation."""
    error = event.position_error
    return Alarm(
        identifier=event.identifier,
        lane=lane,
        time=event.time,
        easting=event.easting,
        northing=event.northing,
        position_error=error / DISC_95 if math.isfinite(error) else math.nan,
        depth=math.nan,
        probability=math.nan,
        score=event.score,
        evidence={event.sensor: event.score} if event.sensor else {},
        quality=event.quality,
        model=event.kind,
    )


def _flags(event: Invalidated, stream: str, time: Floats) -> npt.NDArray[np.int64]:
    """Return the flag of what was taken back at its times, 0 at others."""
    is_bad = (time >= event.start_time) & (time <= event.stop_time) & (stream == event.stream)
    return np.where(is_bad, int(Quality[event.reason]), 0)


def _known(measured: Any, stated: float) -> Any:
    """Return what was measured, and what people stated where nothing was."""
    values = np.asarray(measured, np.float64)
    return np.where(np.isnan(values), stated, values)


def _number(value: Any) -> float:
    """Return a number of a note; NaN if it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan

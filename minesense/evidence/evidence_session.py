"""
Sessions as an annex takes them: tracks, alarms, checks, streams and files of one recording.

Whatever a session was recorded with, this is all that evidence needs of it.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..alarm import Alarm
from ..minefield_records import MinefieldRecord
from ..sweep import Sweep
from .function_checks import FunctionCheck
from .track import Track, track_of

#: Name of the file beside a recording that states what the recording does not.
SESSION_FILE = "session.toml"

#: s before the first and after the last sample at which checks without a time were made.
_MARGIN = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorNote:
    """
    What is known of one sensor of a session beside its samples.

    NaN where it was not measured: then the ground is observed in part, at best.

    Raises
    ------
    ValueError
        If a name is empty, or a figure is negative or infinite.
    """

    name: str  #: as the sweeps call it
    identifier: str = ""  #: in the site file; the name by default
    height: float = math.nan  #: m above ground
    height_is_position: bool = (
        False  #: whether the third coordinate of positions is that height
    )
    tilt: float = math.nan  #: rad from level
    position_error: float = math.nan  #: m, 95 % of the horizontal error
    noise: float = math.nan  #: times the noise over the reference area

    def __post_init__(self) -> None:
        if not self.name:
            msg = "Invalid name '' of a sensor. Must be as the sweeps call it."
            raise ValueError(msg)
        for name in ("height", "tilt", "position_error", "noise"):
            value = getattr(self, name)
            if value < 0 or math.isinf(value):
                msg = f"Invalid {name} '{value}'. Must be finite and not negative."
                raise ValueError(msg)
        if self.height_is_position and not math.isnan(self.height):
            msg = "Invalid height beside height_is_position. Must be one of both."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckNote:
    """
    A function check as a session file states it; see :class:`FunctionCheck`.

    Without a time, a check of occasion start or end was made just before the first or after
    the last sample of the session.
    """

    sensor: str  #: identifier in the site file
    occasion: Literal["start", "break", "setting", "battery", "interim", "end"]
    test_piece: str
    medium: str
    depth: float  #: m
    response: float
    noise: float
    baseline: float
    baseline_noise: float
    by: str
    time: float = math.nan  #: s, by the clock of the task


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceNote:
    """What the function checks that a recording holds as notes were made with, by sensor."""

    sensor: str  #: identifier in the site file
    name: str  #: of the test piece
    medium: str
    depth: float  #: m
    baseline: float  #: response on record
    baseline_noise: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamNote:
    """Whose clock stamped a stream, how far it is off, and what came late or was lost."""

    name: str
    clock: str
    epoch: str = "not stated"
    resolution: float = math.nan  #: s
    offset: float = math.nan  #: s, to the clock of the task
    offset_error: float = math.nan  #: s, 95 %
    drift: float = math.nan  #: s/s
    lag: float = math.nan  #: s
    lag_error: float = math.nan  #: s, 95 %; NaN if never calibrated
    n_late: int = 0
    n_lost: int = 0
    height_datum: str = ""
    fix_classes: Mapping[str, int] = field(default_factory=dict)  #: number of fixes by class


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNotes:
    """What a session file states."""

    identifier: str = ""
    #: s between lanes whose clocks each start anew; NaN if all share one clock
    pause_between_lanes: float = math.nan
    sensor: tuple[SensorNote, ...] = ()
    check: tuple[CheckNote, ...] = ()
    test_piece: tuple[PieceNote, ...] = ()  #: of checks that a recorded stream tells of
    stream: tuple[StreamNote, ...] = ()
    photographs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvidenceSession:
    """
    One recording with all that evidence needs.

    `open_sweeps` hands out the sweeps anew at each call, one in memory at a time.
    """

    name: str
    is_synthetic: bool
    open_sweeps: Callable[[], Iterable[Sweep]]
    alarms: tuple[Alarm, ...]
    judged_lanes: frozenset[str]  #: lanes that the detector went over
    notes: SessionNotes
    files: tuple[tuple[str, Path], ...]  #: name within the session, and where it is
    records: tuple[MinefieldRecord, ...] = ()
    processing: Mapping[str, str] = field(default_factory=dict)
    threshold: float = math.nan
    #: as a recorded stream tells of them; None: made from the sweeps
    tracks: tuple[Track, ...] | None = None
    checks: tuple[FunctionCheck, ...] = ()  #: beside those of the notes


def read_session_notes(path: str | os.PathLike[str]) -> SessionNotes:
    """
    Read a session file.

    Parameters
    ----------
    path : path-like
        TOML with the tables of :class:`SessionNotes`.

    Returns
    -------
    notes : SessionNotes
        What it states.

    Raises
    ------
    ValueError
        If it is not TOML, or a key is unknown, missing or of the wrong type. The message names
        file, line and path.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.evidence.evidence_session import read_session_notes
    >>> with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
    ...     _ = file.write("identifier = 'morning'")
    ...     file.flush()
    ...     read_session_notes(file.name).identifier
    'morning'
    """
    from ..synthetic.document import build, parse_toml  # noqa: PLC0415 - slow to load
    from .site_file import line_of  # noqa: PLC0415

    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"Invalid session file '{path}': byte {error.start} is not UTF-8. Must be text."
        raise ValueError(msg) from None
    document = parse_toml(text, str(path))
    try:
        return build(SessionNotes, document)
    except ValueError as error:
        words, _, place = str(error).partition(" - at `")
        place = place.rstrip("`")
        line = line_of(text, place)
        msg = f"Invalid session file '{path}', line {line}: {words} - at `{place}`"
        raise ValueError(msg) from None


def session_tracks(session: EvidenceSession, *, clock: str) -> Iterator[Track]:
    """
    Yield the tracks of a session in the order of time, those of each sensor.

    Parameters
    ----------
    session : EvidenceSession
        Lanes that the detector did not go over are left out: nothing judged their samples.
    clock : str
        Of the task.

    Yields
    ------
    track : Track
        Of one sweep, its time counted in the session.

    Raises
    ------
    ValueError
        If a sensor of the sweeps is not stated in the session file.

    Examples
    --------
    >>> from minesense.evidence.evidence_session import EvidenceSession, SessionNotes
    >>> session = EvidenceSession(
    ...     name="s", is_synthetic=True, open_sweeps=list, alarms=(), files=(),
    ...     judged_lanes=frozenset(), notes=SessionNotes(),
    ... )
    >>> list(session_tracks(session, clock="utc"))
    []
    """
    if session.tracks is not None:
        yield from session.tracks
        return
    notes = {note.name: note for note in session.notes.sensor}
    starts = lane_starts(session)
    identifier = session.notes.identifier or session.name
    for sweep in session.open_sweeps():
        if sweep.lane not in session.judged_lanes or not len(sweep):
            continue
        note = notes.get(sweep.sensor.name)
        if note is None:
            msg = (
                f"Invalid sensor '{sweep.sensor.name}' of session '{session.name}'. Must be "
                f"stated as [[sensor]] in {SESSION_FILE}: height, tilt and position error "
                "decide what it observed."
            )
            raise ValueError(msg)
        height = sweep.position[:, 2] if note.height_is_position else note.height
        track = track_of(
            sweep,
            session=identifier,
            sensor=note.identifier or note.name,
            height=height,
            tilt=note.tilt,
            position_error=note.position_error,
            noise=note.noise,
            clock=clock,
        )
        shift = starts.get(sweep.lane, 0.0)
        yield _later(track, shift)


def lane_starts(session: EvidenceSession) -> dict[str, float]:
    """
    Return by how many seconds the time of each lane is shifted into that of the session.

    Parameters
    ----------
    session : EvidenceSession
        With or without a pause between its lanes.

    Returns
    -------
    starts : dict of str to float
        Zero where all lanes share a clock; else lanes follow each other in the order they were
        recorded, with the stated pause between them.

    Examples
    --------
    >>> from minesense.evidence.evidence_session import EvidenceSession, SessionNotes
    >>> session = EvidenceSession(
    ...     name="s", is_synthetic=True, open_sweeps=list, alarms=(), files=(),
    ...     judged_lanes=frozenset(), notes=SessionNotes(),
    ... )
    >>> lane_starts(session)
    {}
    """
    pause = session.notes.pause_between_lanes
    spans: dict[str, tuple[float, float]] = {}
    for sweep in session.open_sweeps():
        if not len(sweep):
            continue
        first, last = float(sweep.time[0]), float(sweep.time[-1])
        low, high = spans.get(sweep.lane, (math.inf, -math.inf))
        spans[sweep.lane] = (min(low, first), max(high, last))
    if math.isnan(pause):
        return dict.fromkeys(spans, 0.0)
    starts, now = {}, 0.0
    for lane, (first, last) in spans.items():
        starts[lane] = now - first
        now += last - first + pause
    return starts


def session_checks(session: EvidenceSession) -> tuple[FunctionCheck, ...]:
    """
    Return the function checks of a session, in the order of time.

    Parameters
    ----------
    session : EvidenceSession
        With checks in its session file.

    Returns
    -------
    checks : tuple of FunctionCheck
        Those without a time were made a second before the first or after the last sample.

    Raises
    ------
    ValueError
        If a check without a time is neither of the start nor of the end.

    Examples
    --------
    >>> from minesense.evidence.evidence_session import EvidenceSession, SessionNotes
    >>> session = EvidenceSession(
    ...     name="s", is_synthetic=True, open_sweeps=list, alarms=(), files=(),
    ...     judged_lanes=frozenset(), notes=SessionNotes(),
    ... )
    >>> session_checks(session)
    ()
    """
    identifier = session.notes.identifier or session.name
    if not session.notes.check:
        return session.checks
    starts = lane_starts(session)
    times = [
        float(sweep.time[k]) + starts[sweep.lane]
        for sweep in session.open_sweeps()
        if len(sweep) and sweep.lane in session.judged_lanes
        for k in (0, -1)
    ]
    first, last = (min(times), max(times)) if times else (0.0, 0.0)
    ends = {"start": first - _MARGIN, "end": last + _MARGIN}
    checks = list(session.checks)
    for note in session.notes.check:
        time = note.time
        if math.isnan(time):
            if note.occasion not in ends:
                msg = (
                    f"Invalid time of a check of '{note.sensor}' at a {note.occasion} in "
                    f"session '{session.name}'. Must be stated."
                )
                raise ValueError(msg)
            time = ends[note.occasion]
        checks.append(
            FunctionCheck(
                sensor=note.sensor,
                session=identifier,
                time=time,
                occasion=note.occasion,
                test_piece=note.test_piece,
                medium=note.medium,
                depth=note.depth,
                response=note.response,
                noise=note.noise,
                baseline=note.baseline,
                baseline_noise=note.baseline_noise,
                by=note.by,
            )
        )
    return tuple(sorted(checks, key=lambda check: (check.time, check.sensor)))


def _later(track: Track, seconds: float) -> Track:
    """Return a track some seconds later."""
    if not seconds:
        return track
    return dataclasses.replace(track, time=np.asarray(track.time) + seconds)

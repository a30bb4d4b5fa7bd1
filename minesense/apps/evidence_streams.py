"""Open a recorded stream as a session of evidence: replayed as it was processed live."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ..detect import Detector
from ..evidence.evidence_session import (
    SESSION_FILE,
    EvidenceSession,
    SessionNotes,
    StreamNote,
    read_session_notes,
)
from ..evidence.stream_coverage import TASK_CLOCKS, StreamEvidence
from ..io.trouble import FormatError
from ..message import FixClass, Packet, PositionMessage, StreamDeclaration
from ..payload import Decoder
from ..stream import StreamConfig, load_config
from ..stream.events import ClockEstimate, CountersReport, Event, StreamAccepted
from ..stream.replay_source import read_stream
from .live_session import LiveSession

#: Endings of recordings of streams.
RECORDINGS = (".mcap", ".frames")
_MARK = b"SYNTHETIC"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamParts:
    """What the live session was made from, and the files it was read from."""

    config: StreamConfig | None = None
    detector: Detector | None = None
    files: tuple[Path, ...] = ()


def read_parts(
    config: str | PathLike[str] | None, model: str | PathLike[str] | None
) -> StreamParts:
    """
    Read what live sessions were made from.

    Parameters
    ----------
    config, model : path-like or None
        Files that ``minesense stream`` was given.

    Returns
    -------
    parts : StreamParts
        Without what was not given.

    Raises
    ------
    ValueError, OSError, ImportError
        If a file cannot be used.
    """
    files = tuple(Path(file) for file in (config, model) if file is not None)
    return StreamParts(
        config=None if config is None else load_config(config),
        detector=None if model is None else Detector.load(model),
        files=files,
    )


def open_stream(path: Path, parts: StreamParts) -> EvidenceSession:
    """
    Return the session of a recorded stream.

    Parameters
    ----------
    path : Path
        A recording of ``minesense stream``. Beside it lies NAME.session.toml or session.toml.
    parts : StreamParts
        Those of the live session: only then its flags, and so the grid, are the same.

    Returns
    -------
    session : EvidenceSession
        With tracks, function checks and alarms as the live session told of them.

    Raises
    ------
    ValueError
        If the recording is damaged, or the session file leaves out a sensor.
    OSError
        If a file cannot be read.
    """
    own = path.with_suffix(f".{SESSION_FILE}")
    noted = [file for file in (own, path.with_name(SESSION_FILE)) if file.is_file()][:1]
    notes = read_session_notes(noted[0]) if noted else SessionNotes()
    if notes.pause_between_lanes == notes.pause_between_lanes:
        msg = (
            f"Invalid pause_between_lanes '{notes.pause_between_lanes}' of session "
            f"'{path}'. Must be left out: all lanes of a recorded stream share one clock."
        )
        raise ValueError(msg)
    gathered, seen = StreamEvidence(notes, session=path.stem), _Seen()
    gatherer = _Gatherer(gathered)
    live = LiveSession(parts.config, detector=parts.detector, subscribers=[gatherer, seen])
    gatherer.live = live
    try:
        for packet in read_stream(path):
            live.push(packet)
    except FormatError as error:
        msg = f"Invalid session '{path}': {error} See minesense recover."
        raise ValueError(msg) from None
    live.finish()
    if live.failure:
        msg = f"session '{path}' could not be processed to its end: {live.failure}"
        raise RuntimeError(msg)
    files = [(path.name, path), *((f"{path.stem} {SESSION_FILE}", file) for file in noted)]
    files += [(f"{path.stem} {file.name}", file) for file in parts.files]
    stated = {stream.name for stream in notes.stream}
    streams = (*notes.stream, *(s for s in seen.streams() if s.name not in stated))
    return EvidenceSession(
        name=path.stem,
        is_synthetic=seen.is_synthetic or any(_MARK in file.read_bytes() for file in noted),
        open_sweeps=lambda: gathered.sweeps,
        alarms=tuple(gathered.alarms),
        judged_lanes=frozenset(sweep.lane for sweep in gathered.sweeps),
        notes=dataclasses.replace(notes, stream=streams),
        files=tuple(files),
        processing=_processing(parts),
        tracks=tuple(gathered.tracks),
        checks=tuple(gathered.checks),
    )


class _Gatherer:
    """Hand events to evidence, with the clock of the task."""

    live: LiveSession

    def __init__(self, gathered: StreamEvidence):
        self._gathered = gathered

    def __call__(self, packet: Packet | None, events: Sequence[Event]) -> None:
        """Take events."""
        if self.live.config is not None:
            self._gathered.clock = TASK_CLOCKS[self.live.config.task_clock]
        for event in events:
            self._gathered.take(event)


class _Seen:
    """Note what an annex says of streams: clocks, losses, classes of fixes."""

    def __init__(self) -> None:
        self.is_synthetic = False
        self._decoder = Decoder()
        self._declared: dict[str, StreamDeclaration] = {}
        self._drift: dict[str, float] = {}
        self._fixes: dict[str, Counter[str]] = {}
        self._counters: CountersReport | None = None

    def __call__(self, packet: Packet | None, events: Sequence[Event]) -> None:
        """Take a packet and its events."""
        if packet is not None:
            self.is_synthetic |= _MARK in packet.payload
            self._count_fix(packet)
        for event in events:
            if isinstance(event, StreamAccepted):
                self._declared[event.stream] = event.declaration
            elif isinstance(event, ClockEstimate):
                self._drift[event.stream] = event.drift
            elif isinstance(event, CountersReport):
                self._counters = event

    def streams(self) -> list[StreamNote]:
        """Return what the recording says of its streams."""
        found = []
        for name, declared in sorted(self._declared.items()):
            counters = self._counters.streams.get(name) if self._counters else None
            lag_error = declared.lag_error
            found.append(
                StreamNote(
                    name=name,
                    clock=declared.clock,
                    resolution=declared.resolution,
                    offset=declared.offset,
                    offset_error=declared.offset_error,
                    drift=self._drift.get(name, float("nan")),
                    lag=declared.lag,
                    lag_error=float("nan") if lag_error is None else lag_error,
                    n_late=counters.late if counters else 0,
                    n_lost=counters.missing + counters.overflow if counters else 0,
                    height_datum=declared.height_datum or "",
                    fix_classes=dict(sorted(self._fixes.get(name, Counter()).items())),
                )
            )
        return found

    def _count_fix(self, packet: Packet) -> None:
        try:
            message = self._decoder.decode(packet.payload)
        except ValueError:
            return  # counted by the session
        if isinstance(message, PositionMessage):
            counter = self._fixes.setdefault(message.stream, Counter())
            counter[FixClass(message.fix).name] += 1


def _processing(parts: StreamParts) -> dict[str, str]:
    """Return how samples were judged."""
    found = {"mode": "streamed prescreeners"}
    if parts.detector is not None:
        found["mode"] = "streamed prescreeners and a detector"
        found["model"] = parts.detector.identity
    if parts.config is None:
        found["limits of the stream"] = "not stated"
    return found

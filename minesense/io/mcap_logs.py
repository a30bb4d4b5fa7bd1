"""What a recording of streams holds, stream by stream: numbers packed as the file has them."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..message import (
    DeviceFlag,
    FixClass,
    NoteMessage,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from ..payload import Decoder
from ..sensor_document import sensor_document
from ..sweep import Frame, Quality
from .mcap_reading import Damage, is_mcap, mapped, pieces_of
from .mcap_sweep_writer import HISTORY, QUALITY
from .trouble import Findings

_NAN = math.nan

_QUALITY_OF = {
    DeviceFlag.SATURATED: Quality.SATURATED,
    DeviceFlag.INVALID: Quality.NOT_FINITE,
    DeviceFlag.SETTING_CHANGED: Quality.SETTING_CHANGED,
    DeviceFlag.REZEROED: Quality.BASELINE_STEP,
    DeviceFlag.INTERFERENCE: Quality.INTERFERENCE,
}
_ALL_QUALITY = sum(flag.value for flag in Quality)


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """A stretch of a recording between two notes, or outside of them."""

    name: str | None = None  #: None: outside of lanes
    shift: float = 0.0  #: s by which its stamps were moved, to be taken off
    frame: Frame | None = None  #: of positions while it lasted
    runs: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  #: count and flags
    history: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class ScanLog:
    """The scans of one sensor in one lane."""

    declaration: StreamDeclaration
    lane: Lane
    samples: bytearray = field(default_factory=bytearray)  #: float32
    stamps: array[float] = field(default_factory=lambda: array("d"))
    sequences: array[int] = field(default_factory=lambda: array("I"))
    flags: array[int] = field(default_factory=lambda: array("I"))

    @staticmethod
    def known_flags() -> Iterator[tuple[int, int]]:
        """Give what a device can say, and the flag of a trace that it means."""
        for device, flag in _QUALITY_OF.items():
            yield int(device), int(flag)


@dataclass(slots=True, kw_only=True, eq=False)
class PositionLog:
    """The positions of one stream."""

    declaration: StreamDeclaration
    rows: array[float] = field(default_factory=lambda: array("d"))  #: stamp, 3 places, heading


@dataclass(slots=True, kw_only=True, eq=False)
class StreamLog:
    """All streams of a recording."""

    scans: list[ScanLog] = field(default_factory=list)
    positions: list[PositionLog] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)  #: of streams, by name
    topics: Counter[str] = field(default_factory=Counter)  #: how many notes of each
    n_messages: int = 0
    is_whole: bool = True  #: nothing damaged, and all messages understood


def messages_in(findings: Findings) -> Iterator[tuple[float, Any]]:
    """
    Give the messages of a recording in their order, around what is damaged.

    Parameters
    ----------
    findings : Findings
        Of the file; takes a warning for what is damaged or cannot be understood.

    Yields
    ------
    arrival : float
        s, as recorded.
    message : Message or ValueError
        The latter of a payload that is none.

    Raises
    ------
    FormatError
        If it is no MCAP file, or an empty one.
    """
    data = mapped(findings.path)
    if not is_mcap(bytes(data[:8])):
        findings.fail("magic", bytes(data[:8]), "that of an MCAP file")
    decoder, damages, n_wrong, reason = Decoder(), [], 0, ""
    for piece in pieces_of(data):
        if piece.damage is not None:
            damages.append(piece.damage)
        for payload in piece.declarations:  # for those whose beginning is lost
            number = int.from_bytes(payload[2:4], "little")
            if len(payload) > 4 and number not in decoder.declared:
                try:
                    yield _NAN, decoder.decode(payload)
                except ValueError:
                    continue
        for packet in piece.packets if piece.is_verified else ():
            try:
                message: Any = decoder.decode(packet.payload)
            except ValueError as error:
                message, n_wrong, reason = error, n_wrong + 1, reason or str(error)
            yield packet.arrival, message
    if n_wrong:
        findings.warn(f"{n_wrong} messages cannot be understood, the first: {reason:.200}")
    _warn_of_damage(findings, damages)


def _warn_of_damage(findings: Findings, damages: list[Damage]) -> None:
    """Say what is not as it was written."""
    if damages:
        first = damages[0]
        n_bytes = sum(damage.length for damage in damages)
        findings.warn(
            f"damaged at {len(damages)} places, {n_bytes} bytes in all, the first at byte "
            f"{first.offset} ({first.reason}); `minesense recover` tells what is missing"
        )


def read_logs(findings: Findings, *, max_bytes: int) -> StreamLog:
    """
    Return all scans and positions of a recording, lane by lane.

    Parameters
    ----------
    findings : Findings
        Of the file.
    max_bytes : int
        Most bytes of samples.

    Returns
    -------
    log : StreamLog
        Streams in the order of their first messages.

    Raises
    ------
    FormatError
        If it is no MCAP file, or its samples are more.
    """
    collector = _Collector(findings, max_bytes)
    for _, message in messages_in(findings):
        collector.take(message)
    collector.log.is_whole = collector.log.is_whole and not findings.warnings
    return collector.log


class _Collector:
    """Sort messages into the lanes of their streams."""

    def __init__(self, findings: Findings, max_bytes: int):
        self.log = StreamLog()
        self._findings, self._max_bytes = findings, max_bytes
        self._n_bytes = 0
        self._lane = Lane()
        self._declared: dict[str, StreamDeclaration] = {}
        self._open: dict[str, ScanLog] = {}
        self._places: dict[str, PositionLog] = {}

    def take(self, message: Any) -> None:
        """Add a message."""
        self.log.n_messages += 1
        if isinstance(message, SensorMessage):
            self._scan(message)
        elif isinstance(message, PositionMessage):
            self._place(message)
        elif isinstance(message, NoteMessage):
            self._note(message)
        elif isinstance(message, StreamDeclaration):
            self._declare(message)
        else:
            self.log.is_whole = False

    def _declare(self, declaration: StreamDeclaration) -> None:
        name, before = declaration.name, self._declared.get(declaration.name)
        self._declared[name] = declaration
        self.log.kinds[name] = f"{declaration.kind}, clock {declaration.clock}"
        if declaration.kind == "position":
            self._lane.frame = declaration.frame
            log = self._places.get(name)
            if log is not None and _mounting(log.declaration) != _mounting(declaration):
                self._findings.warn(
                    f"stream '{name}' is declared anew with another clock, lever arm or kind "
                    "of coordinates: the first declaration is used throughout"
                )
        elif before is not None and _settings(before) != _settings(declaration):
            self._open.pop(name, None)  # its scans go on as another sweep

    def _scan(self, message: SensorMessage) -> None:
        log = self._open.get(message.stream)
        if log is None:
            log = ScanLog(declaration=self._declared[message.stream], lane=self._lane)
            self._open[message.stream] = log
            self.log.scans.append(log)
        self._n_bytes += message.samples.nbytes
        if self._n_bytes > self._max_bytes:
            rule = f"at most max_bytes, {self._max_bytes}"
            self._findings.fail("bytes of samples", self._n_bytes, rule)
        log.samples += message.samples.data.cast("B")
        log.stamps.append(message.stamp)
        log.sequences.append(message.sequence)
        log.flags.append(int(message.flags))

    def _place(self, message: PositionMessage) -> None:
        log = self._places.get(message.stream)
        if log is None:
            log = PositionLog(declaration=self._declared[message.stream])
            self._places[message.stream] = log
            self.log.positions.append(log)
        if not math.isfinite(message.stamp):
            return  # without a time it is no position
        if message.fix == FixClass.NONE:
            log.rows.extend((message.stamp, _NAN, _NAN, _NAN, _NAN))
        else:
            log.rows.extend((message.stamp, *message.coordinates, message.heading))

    def _note(self, note: NoteMessage) -> None:
        self.log.topics[note.topic[:80]] += 1
        content = note.content
        if note.topic in ("lane", "end lane"):
            frame = self._lane.frame
            self._open.clear()
            self._lane = Lane(frame=frame)
            if note.topic == "lane":
                name, shift = content.get("name"), content.get("shift", 0.0)
                self._lane.name = name if isinstance(name, str) else ""
                if isinstance(shift, int | float) and abs(shift) < 1e12:
                    self._lane.shift = float(shift)
        stream = content.get("stream")
        if not isinstance(stream, str):
            return
        if note.topic == QUALITY:
            runs = content.get("runs")
            if isinstance(runs, list) and all(_is_run(run) for run in runs):
                self._lane.runs.setdefault(stream, []).extend((n, flags) for n, flags in runs)
        elif note.topic == HISTORY:
            lines = content.get("lines")
            if isinstance(lines, list):
                self._lane.history.setdefault(stream, []).extend(map(str, lines))


def _settings(declaration: StreamDeclaration) -> tuple[Any, ...]:
    """Return what makes scans of a stream another sweep when it changes."""
    assert declaration.sensor is not None
    said = (declaration.clock, declaration.offset, declaration.lag)
    return sensor_document(declaration.sensor), *said


def _mounting(declaration: StreamDeclaration) -> tuple[Any, ...]:
    """Return what the positions of a stream are read by."""
    said = (declaration.clock, declaration.offset, declaration.lag)
    return declaration.coordinates, declaration.lever_arm, declaration.height_datum, *said


def _is_run(run: Any) -> bool:
    """Whether a part of a note is a number of traces and the flags they have."""
    return (
        isinstance(run, list)
        and len(run) == 2
        and all(isinstance(value, int) for value in run)
        and 0 < run[0] < 2**48
        and 0 <= run[1] <= _ALL_QUALITY
    )

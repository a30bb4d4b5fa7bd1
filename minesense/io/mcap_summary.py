"""Say what a recording of streams holds: streams, counts and times, whatever its length."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..message import (
    NoteMessage,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from .mcap_logs import messages_in
from .trouble import Findings

#: Numbers behind the newest up to which a message is late; beyond, its stream began anew.
_MOST_BEHIND = 1000

#: Lanes that are listed by name; more are counted.
_MOST_NAMES = 50


@dataclass(slots=True, kw_only=True)
class _Range:
    """The first and the last of some times."""

    first: float = math.inf
    last: float = -math.inf

    def take(self, moment: float) -> None:
        if math.isfinite(moment):
            self.first, self.last = min(self.first, moment), max(self.last, moment)

    def as_list(self) -> list[float]:
        return [self.first, self.last] if self.first <= self.last else []


class _Stream:
    """What one stream has sent."""

    def __init__(self, declaration: StreamDeclaration):
        self.declaration = declaration
        self.n_messages = self.n_missing = self.n_jumps = 0
        self.n_declarations = 0
        self.stamps = _Range()
        self.fixes: Counter[str] = Counter()
        self._sequence = self._first = -1

    def take(self, message: SensorMessage | PositionMessage) -> None:
        self.n_messages += 1
        self.stamps.take(message.stamp)
        behind = _MOST_BEHIND + 1
        if self._sequence >= 0:
            step = (message.sequence - self._sequence) & 0xFFFFFFFF
            if step != 1:
                self.n_jumps += 1
            if 1 < step < 2**31:
                self.n_missing += step - 1
            behind = -step & 0xFFFFFFFF
            is_known = (message.sequence - self._first) & 0xFFFFFFFF < 2**31
            if 0 < behind <= _MOST_BEHIND and self.n_missing and is_known:
                self.n_missing -= 1  # it was counted when a later one came
            if _MOST_BEHIND < behind < 2**31:
                self._first = message.sequence
        else:
            self._first = message.sequence
        if behind > _MOST_BEHIND:
            self._sequence = message.sequence
        if isinstance(message, PositionMessage):
            self.fixes[message.fix.name.lower()] += 1

    def describe(self) -> dict[str, Any]:
        declared, sensor = self.declaration, self.declaration.sensor
        document: dict[str, Any] = {
            "name": declared.name,
            "kind": declared.kind,
            "clock": declared.clock,
            "rate_hz": declared.rate,
            "messages": self.n_messages,
            "missing_by_sequence": self.n_missing,
            "jumps_of_sequence": self.n_jumps,
            "stamps_s": self.stamps.as_list(),
            "declarations": self.n_declarations,
            **({"note": declared.note[:200]} if declared.note else {}),
        }
        if sensor is not None:
            document["sensor"] = sensor.name
            document["sensor_kind"] = sensor.kind
            document["channels"], document["samples"] = sensor.shape
        else:
            document["coordinates"] = declared.coordinates
            document["height_datum"] = declared.height_datum
            document["lever_arm_m"] = list(declared.lever_arm or ())
            document["fixes"] = dict(self.fixes)
        return document


def describe_streams(path: str | Path, *, strict: bool = False) -> dict[str, Any]:
    """
    Return what a recording of streams holds, in one pass that keeps no samples.

    Parameters
    ----------
    path : str or Path
        An MCAP file of streams, damaged or not.
    strict : bool, optional
        Whether warnings are errors.

    Returns
    -------
    document : dict
        JSON-ready: every stream with the number of its messages, those that are missing by
        their sequence numbers, and the first and last stamp; lanes, notes by topic, arrivals.

    Raises
    ------
    FormatError
        If it is no MCAP file; in strict mode also for damage.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.mcap_writer import McapWriter
    >>> from minesense.message import Packet
    >>> from minesense.payload import Encoder
    >>> with tempfile.NamedTemporaryFile(suffix=".mcap") as file:
    ...     writer = McapWriter(file.raw if hasattr(file, "raw") else file)
    ...     note = NoteMessage(stream="", sequence=0, stamp=2.0, topic="mark")
    ...     writer.write(Packet(1.5, Encoder().encode(note)))
    ...     writer.finish()
    ...     file.flush()
    ...     document = describe_streams(file.name)
    >>> document["notes"], document["arrivals_s"], document["streams"]
    ({'mark': 1}, [1.5, 1.5], [])
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    streams: dict[str, _Stream] = {}
    notes: Counter[str] = Counter()
    lanes: list[str] = []
    arrivals, n_messages, n_wrong, is_synthetic = _Range(), 0, 0, False
    for arrival, message in messages_in(findings):
        arrivals.take(arrival)
        n_messages += 1
        if isinstance(message, StreamDeclaration):
            stream = streams.setdefault(message.name, _Stream(message))
            stream.declaration = message
            stream.n_declarations += 1
            is_synthetic |= message.note.startswith("SYNTHETIC")
        elif isinstance(message, SensorMessage | PositionMessage):
            streams[message.stream].take(message)
        elif isinstance(message, NoteMessage):
            notes[message.topic[:80]] += 1
            if message.topic == "lane" and len(lanes) < _MOST_NAMES:
                lanes.append(str(message.content.get("name", ""))[:80])
        else:
            n_wrong += 1
    note = {"note": "SYNTHETIC: as its declarations say"} if is_synthetic else {}
    findings.emit(stacklevel=2)
    return {
        "kind": "recording of streams",
        **note,
        "format": "mcap",
        "bytes": path.stat().st_size,
        "messages": n_messages,
        "not_understood": n_wrong,
        "arrivals_s": arrivals.as_list(),
        "lanes": lanes,
        "notes": dict(notes),
        "streams": [stream.describe() for stream in streams.values()],
        "warnings": list(findings.warnings),
    }

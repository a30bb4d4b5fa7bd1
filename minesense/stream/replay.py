"""Replay what was recorded, and compare it with what was told live, bit for bit."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..detect import Detector, DetectorSettings
from ..message import Message, Packet, StreamDeclaration
from ..payload import declaration_document
from ..sensor import Sensor
from ..sweep import Sweep
from .config import StreamConfig
from .events import Event
from .session import Session


def replay(
    packets: Iterable[Packet | Message],
    config: StreamConfig,
    *,
    settings: DetectorSettings | None = None,
    detector: Detector | None = None,
) -> Iterator[Event]:
    """
    Yield the events of recorded packets.

    Parameters
    ----------
    packets : iterable of Packet or message
        In the order of their arrival, none left out.
    config : StreamConfig
        That of the live session.
    settings : DetectorSettings, optional
        Of the prescreeners.
    detector : Detector, optional
        Judges the places of a lane.

    Yields
    ------
    event : Event
        The same that the live session told, bit for bit, if it lost nothing.

    Examples
    --------
    >>> from minesense.message import NoteMessage
    >>> note = NoteMessage(stream="", sequence=0, stamp=0.0, topic="mark")
    >>> [type(e).__name__ for e in replay([note], StreamConfig(task_clock="utc"))]
    ['NoteTaken', 'AlarmRaised', 'CountersReport']
    """
    session = Session(config, settings=settings, detector=detector)
    for packet in packets:
        yield from session.push(packet)
    yield from session.finish()


def event_digest(events: Iterable[Event]) -> str:
    """
    Return the SHA-256 of events: equal only if every bit is.

    Parameters
    ----------
    events : iterable of Event
        In their order.

    Returns
    -------
    digest : str
        In hexadecimal.

    Examples
    --------
    >>> from minesense.stream.events import StreamRefused
    >>> one = event_digest([StreamRefused(stream="a", reason="b")])
    >>> one == event_digest([StreamRefused(stream="a", reason="c")])
    False
    """
    digest = hashlib.sha256()
    for event in events:
        _add(digest, event)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    """Add a value to a digest, with its type, so that no two values look alike."""
    if isinstance(value, Sweep):
        _add_items(digest, "sweep", [getattr(value, f.name) for f in dataclasses.fields(value)])
    elif isinstance(value, Sensor):
        _add(digest, value.name)
        _add(digest, value.describe())
    elif isinstance(value, StreamDeclaration):
        _add(digest, declaration_document(value))
    elif dataclasses.is_dataclass(value):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        _add_items(digest, type(value).__name__, fields)
    elif isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        digest.update(f"a{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    elif isinstance(value, enum.IntEnum | enum.IntFlag | bool | int | np.integer):
        digest.update(f"i{int(value)};".encode())
    elif isinstance(value, float | np.floating):
        # one NaN: which bits a NaN has differs between machines
        digest.update(b"f" + struct.pack("<d", math.nan if value != value else value))  # noqa: PLR0124
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        digest.update(f"s{len(data)}:".encode() + data)
    elif value is None:
        digest.update(b"n")
    elif isinstance(value, Mapping):
        items = sorted(value.items(), key=lambda item: str(item[0]))
        _add_items(digest, "map", [part for item in items for part in item])
    elif isinstance(value, Iterable):
        _add_items(digest, "list", list(value))
    else:
        msg = f"Invalid value of type {type(value).__name__} in an event."
        raise TypeError(msg)


def _add_items(digest: Any, name: str, items: list[Any]) -> None:
    """Add a sequence of values."""
    digest.update(f"({name}{len(items)}:".encode())
    for item in items:
        _add(digest, item)
    digest.update(b")")

"""
Messages as bytes: the same on a link, in a recording and in a replay.

All numbers are little endian. A payload begins with 16 bytes:

====== ==== ===================================================================
offset type meaning
====== ==== ===================================================================
0      u8   type: 1 declaration, 2 scan, 3 position, 4 note
1      u8   version of this layout, 1
2      u16  number of the stream, as its declaration gives it; 65535: none
4      u32  sequence number, growing by one in each stream, wrapping at 2^32
8      f64  stamp in seconds of the stream's clock; of a note without one NaN
====== ==== ===================================================================

A *scan* goes on with u32 device flags (:class:`~minesense.message.DeviceFlag`), u16 channels,
u16 samples, and float32 samples, channel after channel. A *position* goes on with three f64
coordinates, then f32 error, heading, pitch, roll and height, NaN where unknown, u8 class of fix
and three zero bytes. A *declaration* and a *note* go on with a JSON object in UTF-8: fields of
:class:`~minesense.message.StreamDeclaration`, or topic and content.
"""

from __future__ import annotations

import dataclasses
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._plain_fields import check_fields
from .message import (
    DeviceFlag,
    FixClass,
    Message,
    NoteMessage,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from .sensor_document import sensor_document, sensor_of
from .sweep import Frame

VERSION = 1
DECLARATION, SCAN, POSITION, NOTE = 1, 2, 3, 4
NO_STREAM = 0xFFFF

_HEAD = struct.Struct("<BBHId")
_SCAN = struct.Struct("<IHH")
_POSITION = struct.Struct("<3d5fB3x")
_ALL_FLAGS = sum(DeviceFlag)

#: Streams of one link or recording: numbers below this.
MOST_STREAMS = 1024

#: Levels of lists and objects in JSON: more would end in whoever writes it again.
_MOST_DEPTH = 32


class Encoder:
    """
    Turn messages into payloads; streams are numbered as they are declared.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.message import SensorMessage, StreamDeclaration
    >>> from minesense.sensor import Sensor
    >>> radar = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-10], lever_arms=np.zeros((1, 3)))
    >>> encoder, decoder = Encoder(), Decoder()
    >>> stream = StreamDeclaration(name="radar", kind="sensor", clock="sensor", sensor=radar)
    >>> scan = SensorMessage(
    ...     stream="radar", sequence=0, stamp=0.25, samples=np.ones((1, 2), np.float32)
    ... )
    >>> decoder.decode(encoder.encode(stream)).name
    'radar'
    >>> decoder.decode(encoder.encode(scan)).samples.tolist()
    [[1.0, 1.0]]
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def encode(self, message: Message) -> bytes:
        """
        Return the payload of a message.

        Parameters
        ----------
        message : StreamDeclaration, SensorMessage, PositionMessage or NoteMessage
            A stream may be declared again, when its settings change.

        Returns
        -------
        payload : bytes
            The same message gives the same bytes.

        Raises
        ------
        TypeError, ValueError
            If it is no message, its stream was not declared, or a number does not fit.
        """
        if isinstance(message, StreamDeclaration):
            number = self._numbers.setdefault(message.name, len(self._numbers))
            if number >= MOST_STREAMS:
                msg = f"Invalid stream '{message.name}'. Must be one of at most {MOST_STREAMS}."
                raise ValueError(msg)
            return _HEAD.pack(DECLARATION, VERSION, number, 0, 0.0) + _json(
                declaration_document(message)
            )
        if not isinstance(message, SensorMessage | PositionMessage | NoteMessage):
            msg = f"Invalid message of type {type(message).__name__}. Must be a message."
            raise TypeError(msg)
        number = self._number(message.stream, isinstance(message, NoteMessage))
        sequence = message.sequence & 0xFFFFFFFF
        if isinstance(message, SensorMessage):
            samples = np.ascontiguousarray(message.samples, "<f4")
            if samples.ndim != 2 or max(samples.shape) > 0xFFFF:
                msg = f"Invalid samples of shape {samples.shape}. Must be (channels, samples)."
                raise ValueError(msg)
            head = _HEAD.pack(SCAN, VERSION, number, sequence, message.stamp)
            return head + _SCAN.pack(int(message.flags), *samples.shape) + samples.tobytes()
        if isinstance(message, PositionMessage):
            head = _HEAD.pack(POSITION, VERSION, number, sequence, message.stamp)
            return head + _POSITION.pack(
                *message.coordinates,
                *(message.error, message.heading, message.pitch, message.roll),
                message.height,
                int(message.fix),
            )
        head = _HEAD.pack(NOTE, VERSION, number, sequence, message.stamp)
        return head + _json({"topic": message.topic, "content": dict(message.content)})

    def _number(self, stream: str, is_note: bool) -> int:
        if not stream and is_note:
            return NO_STREAM
        if stream not in self._numbers:
            msg = f"Invalid stream '{stream}'. Must be declared before its first message."
            raise ValueError(msg)
        return self._numbers[stream]


class Decoder:
    """Turn payloads into messages; hostile until parsed. It remembers what was declared."""

    def __init__(self) -> None:
        self.declared: dict[int, StreamDeclaration] = {}  #: by number, the newest

    def decode(self, payload: bytes | memoryview) -> Message:
        """
        Return the message of a payload.

        Parameters
        ----------
        payload : bytes
            One whole payload.

        Returns
        -------
        message : StreamDeclaration, SensorMessage, PositionMessage or NoteMessage
            Stamps and samples are not judged: they may be NaN or jump.

        Raises
        ------
        ValueError
            If the bytes are no payload of this version, too short or too long, of a stream
            that was not declared, or of another shape than its sensor.
        """
        if len(payload) < _HEAD.size:
            msg = f"Invalid payload of {len(payload)} bytes. Must be at least {_HEAD.size}."
            raise ValueError(msg)
        kind, version, number, sequence, stamp = _HEAD.unpack_from(payload)
        if version != VERSION:
            msg = f"Invalid version {version} of a payload. Must be {VERSION}."
            raise ValueError(msg)
        body = memoryview(payload)[_HEAD.size :]
        if kind == DECLARATION:
            return self._declare(number, body)
        if kind == NOTE:
            name = "" if number == NO_STREAM else self._stream(number).name
            document = _parse(body)
            topic, content = document.get("topic"), document.get("content", {})
            if not isinstance(topic, str) or not isinstance(content, dict):
                msg = f"Invalid note {document!r:.80}. Must have a topic and an object."
                raise ValueError(msg)
            return NoteMessage(
                stream=name, sequence=sequence, stamp=stamp, topic=topic, content=content
            )
        if kind == SCAN:
            return self._scan(self._stream(number, "sensor"), sequence, stamp, body)
        if kind == POSITION:
            return _position(self._stream(number, "position"), sequence, stamp, body)
        msg = f"Invalid type {kind} of a payload. Must be from 1 to 4."
        raise ValueError(msg)

    def _declare(self, number: int, body: memoryview) -> StreamDeclaration:
        if number >= MOST_STREAMS:
            msg = f"Invalid stream number {number}. Must be below {MOST_STREAMS}."
            raise ValueError(msg)
        declaration = declaration_of(_parse(body))
        for other, known in self.declared.items():
            if other != number and known.name == declaration.name:
                msg = f"Invalid stream '{declaration.name}'. Must have one number, {other}."
                raise ValueError(msg)
        before = self.declared.get(number)
        if before and (before.name, before.kind) != (declaration.name, declaration.kind):
            msg = (
                f"Invalid declaration of '{declaration.name}', number {number}. Must be of "
                f"'{before.name}', which has that number."
            )
            raise ValueError(msg)
        self.declared[number] = declaration
        return declaration

    def _stream(self, number: int, kind: str = "") -> StreamDeclaration:
        declared = self.declared.get(number)
        if declared is None or (kind and declared.kind != kind):
            msg = f"Invalid stream number {number}. Must be declared as one of kind '{kind}'."
            raise ValueError(msg)
        return declared

    def _scan(
        self, stream: StreamDeclaration, sequence: int, stamp: float, body: memoryview
    ) -> SensorMessage:
        if len(body) < _SCAN.size:
            msg = f"Invalid scan of {len(body)} bytes. Must be at least {_SCAN.size}."
            raise ValueError(msg)
        flags, n_channels, n_samples = _SCAN.unpack_from(body)
        shape = (n_channels, n_samples)
        assert stream.sensor is not None
        if shape != stream.sensor.shape or len(body) != _SCAN.size + 4 * math.prod(shape):
            msg = (
                f"Invalid scan of stream '{stream.name}': {n_channels} channels of "
                f"{n_samples} samples in {len(body)} bytes. Must be {stream.sensor.shape}, as "
                "declared."
            )
            raise ValueError(msg)
        samples = np.frombuffer(body, "<f4", offset=_SCAN.size).reshape(shape)
        known = DeviceFlag(flags & _ALL_FLAGS)
        return SensorMessage(
            stream=stream.name, sequence=sequence, stamp=stamp, samples=samples, flags=known
        )


def _position(
    stream: StreamDeclaration, sequence: int, stamp: float, body: memoryview
) -> PositionMessage:
    """Return the position that the bytes behind a head hold."""
    if len(body) != _POSITION.size:
        msg = f"Invalid position of {len(body)} bytes. Must be {_POSITION.size}."
        raise ValueError(msg)
    x, y, z, error, heading, pitch, roll, height, fix = _POSITION.unpack(body)
    if fix not in FixClass.__members__.values():
        msg = f"Invalid class of fix {fix} of stream '{stream.name}'. Must be from 0 to 5."
        raise ValueError(msg)
    return PositionMessage(
        stream=stream.name,
        sequence=sequence,
        stamp=stamp,
        coordinates=(x, y, z),
        fix=FixClass(fix),
        error=error,
        heading=heading,
        pitch=pitch,
        roll=roll,
        height=height,
    )


def as_recorded(message: PositionMessage) -> PositionMessage:
    """
    Return a position as its bytes say it, so that a replay of them is the same.

    Parameters
    ----------
    message : PositionMessage
        Made by a program, with all digits of a Python number.

    Returns
    -------
    message : PositionMessage
        Error, heading, pitch, roll and height as float32 holds them.

    Examples
    --------
    >>> from minesense.message import FixClass
    >>> made = PositionMessage(
    ...     stream="gnss", sequence=0, stamp=0.0, coordinates=(0.0, 0.0, 0.0),
    ...     fix=FixClass.FIXED, error=0.1,
    ... )
    >>> as_recorded(made).error
    0.10000000149011612
    """
    fields = ("error", "heading", "pitch", "roll", "height")
    with np.errstate(over="ignore"):
        error, heading, pitch, roll, height = (
            float(np.float32(getattr(message, name))) for name in fields
        )
    return dataclasses.replace(
        message, error=error, heading=heading, pitch=pitch, roll=roll, height=height
    )


def declaration_document(declaration: StreamDeclaration) -> dict[str, Any]:
    """
    Return a declaration as a document that JSON can hold.

    Parameters
    ----------
    declaration : StreamDeclaration
        To describe.

    Returns
    -------
    document : dict
        Its fields; those that are None or empty are left out.

    Examples
    --------
    >>> from minesense.message import StreamDeclaration
    >>> from minesense.sweep import Frame
    >>> declaration_document(
    ...     StreamDeclaration(
    ...         name="gnss", kind="position", clock="utc", coordinates="geographic",
    ...         frame=Frame(), height_datum="ellipsoid", lever_arm=(0.0, 0.5, 1.2),
    ...     )
    ... )["lever_arm"]
    [0.0, 0.5, 1.2]
    """
    document: dict[str, Any] = {}
    for field in dataclasses.fields(declaration):
        value = getattr(declaration, field.name)
        if value is None or value == ():
            continue
        if field.name == "sensor":
            value = sensor_document(value)
        elif field.name == "frame":
            value = {"crs": value.crs, "origin": value.origin}
        elif isinstance(value, tuple):
            value = list(value)
        document[field.name] = value
    return document


def declaration_of(document: Mapping[str, Any]) -> StreamDeclaration:
    """
    Return the declaration that a document describes.

    Parameters
    ----------
    document : mapping
        Of :func:`declaration_document`, or written by an integrator.

    Returns
    -------
    declaration : StreamDeclaration
        With defaults for fields that are left out.

    Raises
    ------
    ValueError
        If a field is unknown, missing or out of its range.

    Examples
    --------
    >>> declaration_of({"name": "gnss", "kind": "position", "clock": "tai"})
    Traceback (most recent call last):
    ValueError: Invalid clock 'tai'. Must be one of 'utc', 'gps', 'host', 'sensor'.
    """
    values = dict(document)
    try:
        check_fields(StreamDeclaration, values, "declaration")
        if values.get("sensor") is not None:
            values["sensor"] = sensor_of(values["sensor"])
        if values.get("frame") is not None:
            frame = values["frame"]
            if not isinstance(frame, Mapping):
                msg = f"Invalid frame {frame!r:.40}. Must be an object with crs and origin."
                raise TypeError(msg)
            check_fields(Frame, frame, "frame")
            values["frame"] = Frame(**frame)
        for name in ("channel_delays", "lever_arm"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return StreamDeclaration(**values)
    except (TypeError, AttributeError, OverflowError) as error:
        msg = f"Invalid declaration: {' '.join(str(error).split())}"
        raise ValueError(msg) from None


def _json(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON of one form: the same document, the same bytes."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def _parse(body: memoryview) -> dict[str, Any]:
    """Return the JSON object that bytes hold."""
    try:
        text = bytes(body).decode("utf-8")
        document = json.loads(text)
        if "\\u" in text:  # halves of surrogate pairs are no text: nobody could write them
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        msg = f"Invalid JSON of {len(body)} bytes: {error}. Must be an object in UTF-8."
        raise ValueError(msg) from None
    if not isinstance(document, dict):
        msg = f"Invalid JSON {type(document).__name__}. Must be an object."
        raise ValueError(msg)
    if not _is_shallow(document, _MOST_DEPTH):
        msg = f"Invalid JSON of {len(body)} bytes. Must be nested {_MOST_DEPTH} deep at most."
        raise ValueError(msg)
    return document


def _is_shallow(value: Any, levels: int) -> bool:
    """Return whether lists and objects are nested no deeper than that."""
    if not isinstance(value, dict | list):
        return True
    items = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in items)

"""
The records of MCAP files, as bytes.

Written from the specification of MCAP, version 0 (https://mcap.dev/spec). A file is its magic,
then records of one byte opcode, eight bytes length and content, then the magic again. All
numbers are little endian, text has a length of four bytes before it. Lengths are hostile until
they were held against what is there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MAGIC = b"\x89MCAP0\r\n"

HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK = 1, 2, 3, 4, 5, 6
CHUNK_INDEX, STATISTICS, SUMMARY_OFFSET, DATA_END = 8, 11, 14, 15
#: Opcodes of the specification; others below 0x80 are kept for later versions.
KNOWN = range(1, 16)

PREFIX = struct.Struct("<BQ")  # opcode, length
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK = struct.Struct("<QQQI")
_LENGTH, _LONG_LENGTH = struct.Struct("<I"), struct.Struct("<Q")

#: Bytes of a message record before its data.
MESSAGE_OVERHEAD = PREFIX.size + _MESSAGE.size


class StoredMessage(NamedTuple):
    """One message record."""

    channel: int
    sequence: int
    log_time: int  #: ns
    publish_time: int  #: ns
    data: bytes


class StoredChannel(NamedTuple):
    """One channel record."""

    number: int
    schema: int
    topic: str
    encoding: str
    metadata: Mapping[str, str]


class StoredChunk(NamedTuple):
    """One chunk record, its content as stored."""

    start_time: int  #: ns, of its earliest message
    end_time: int  #: ns
    size: int  #: bytes of its content when it is not compressed
    checksum: int  #: CRC-32 of that content; 0: none
    compression: str
    content: memoryview


def record(opcode: int, *parts: bytes) -> bytes:
    """Return a record of the parts of its content."""
    return b"".join((PREFIX.pack(opcode, sum(map(len, parts))), *parts))


def text(words: str) -> bytes:
    """Return text with its length."""
    data = words.encode("utf-8")
    return _LENGTH.pack(len(data)) + data


def text_map(words: Mapping[str, str]) -> bytes:
    """Return names and values with the length of all."""
    data = b"".join(text(key) + text(value) for key, value in words.items())
    return _LENGTH.pack(len(data)) + data


def message_head(message: StoredMessage) -> bytes:
    """Return the record of a message as far as its data, which follows."""
    length = _MESSAGE.size + len(message.data)
    return PREFIX.pack(MESSAGE, length) + _MESSAGE.pack(*message[:4])


def channel_record(channel: StoredChannel) -> bytes:
    """Return the record of a channel."""
    return record(
        CHANNEL,
        struct.pack("<HH", channel.number, channel.schema),
        text(channel.topic),
        text(channel.encoding),
        text_map(channel.metadata),
    )


def schema_record(number: int, name: str, encoding: str, data: str) -> bytes:
    """Return the record of a schema."""
    return record(SCHEMA, struct.pack("<H", number), text(name), text(encoding), text(data))


def chunk_record(start_time: int, end_time: int, checksum: int, content: list[bytes]) -> bytes:
    """Return the record of a chunk that is not compressed; its content is in parts."""
    size = sum(map(len, content))
    head = _CHUNK.pack(start_time, end_time, size, checksum) + text("")
    return record(CHUNK, head, _LONG_LENGTH.pack(size), *content)


class Cursor:
    """Take fields from bytes, never beyond their end."""

    def __init__(self, data: memoryview):
        self._data = data
        self._at = 0

    def take(self, length: int) -> memoryview:
        """
        Return the next bytes.

        Raises
        ------
        ValueError
            If there are not so many.
        """
        stop = self._at + length
        if stop > len(self._data):
            msg = f"Invalid length {length} of a field. Must be at most {self.left}."
            raise ValueError(msg)
        part = self._data[self._at : stop]
        self._at = stop
        return part

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._data) - self._at

    def number(self, form: struct.Struct) -> int:
        """Return the next number."""
        (value,) = form.unpack(self.take(form.size))
        return int(value)

    def text(self) -> str:
        """
        Return the next text.

        Raises
        ------
        ValueError
            If it is not UTF-8 or longer than what is left.
        """
        return bytes(self.take(self.number(_LENGTH))).decode("utf-8")

    def text_map(self) -> dict[str, str]:
        """Return the next names and values."""
        inner = Cursor(self.take(self.number(_LENGTH)))
        result = {}
        while inner.left:
            key = inner.text()
            result[key] = inner.text()
        return result


def parse_channel(content: memoryview) -> StoredChannel:
    """
    Return the channel of a record's content.

    Raises
    ------
    ValueError
        If the content is none.
    """
    cursor = Cursor(content)
    number, schema = struct.unpack("<HH", cursor.take(4))
    return StoredChannel(number, schema, cursor.text(), cursor.text(), cursor.text_map())


def parse_message(content: memoryview) -> StoredMessage:
    """
    Return the message of a record's content.

    Raises
    ------
    ValueError
        If the content is too short.
    """
    cursor = Cursor(content)
    channel, sequence, log_time, publish_time = _MESSAGE.unpack(cursor.take(_MESSAGE.size))
    data = bytes(cursor.take(cursor.left))
    return StoredMessage(channel, sequence, log_time, publish_time, data)


def parse_chunk(content: memoryview, *, whole: bool = True) -> StoredChunk:
    """
    Return the chunk of a record's content.

    Parameters
    ----------
    content : memoryview
        Of the record, or of what is left of it.
    whole : bool
        Whether all of it must be there. If not, `content` of the result is what is.

    Returns
    -------
    chunk : StoredChunk
        Its fields; the content is a view.

    Raises
    ------
    ValueError
        If its own lengths contradict that of the record.
    """
    cursor = Cursor(content)
    start, end, size, checksum = _CHUNK.unpack(cursor.take(_CHUNK.size))
    compression = cursor.text()
    length = cursor.number(_LONG_LENGTH)
    if (length != cursor.left if whole else length < cursor.left) or len(compression) > 16:
        msg = f"Invalid length {length} of a chunk. Must be {cursor.left}."
        raise ValueError(msg)
    if not compression and size != length:
        msg = f"Invalid size {size} of a chunk that is not compressed. Must be {length}."
        raise ValueError(msg)
    return StoredChunk(start, end, size, checksum, compression, cursor.take(cursor.left))


def records_of(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """
    Return opcode and content of the records that lie one behind the other.

    Parameters
    ----------
    content : memoryview
        Of a chunk.

    Yields
    ------
    opcode : int
        Of one record.
    content : memoryview
        Of the same.

    Raises
    ------
    ValueError
        If the last one is cut off; those before it have been given by then.
    """
    at = 0
    while at < len(content):
        if len(content) - at < PREFIX.size:
            msg = f"Invalid record of {len(content) - at} bytes. Must be {PREFIX.size} or more."
            raise ValueError(msg)
        opcode, length = PREFIX.unpack_from(content, at)
        at += PREFIX.size
        if opcode == 0:
            msg = "Invalid opcode 0 of a record. Must be greater than zero."
            raise ValueError(msg)
        if length > len(content) - at:
            msg = f"Invalid length {length} of a record. Must be at most {len(content) - at}."
            raise ValueError(msg)
        yield opcode, content[at : at + length]
        at += length

"""
Write recordings of streams as MCAP files, chunk by chunk.

The format's own library closes a chunk when it is full and at no other time; a recording must
be on its way to the disk a few times a second however little arrives, so that a kill costs
little. Files are ordinary MCAP: any program that knows the format lists their messages.
"""

from __future__ import annotations

import math
import struct
import zlib
from array import array
from typing import Protocol

from .._version import __version__
from ..message import Packet
from . import mcap_layout as layout
from .mcap_layout import StoredChannel, StoredMessage

#: What messages are, in words of the file itself.
SCHEMA_TEXT = """\
minesense payload, version 1; little endian.
u8 type (1 declaration, 2 scan, 3 position, 4 note), u8 version, u16 stream, u32 sequence,
f64 stamp in seconds of the stream's clock; then
scan: u32 device flags, u16 channels, u16 samples, f32 samples, channel after channel;
position: 3 f64 coordinates, f32 error (m, 95 %), heading (rad), pitch, roll, height above
ground (m), u8 class of fix, 3 zero bytes;
declaration, note: a JSON object in UTF-8.
"""
SCHEMA_NAME, SCHEMA_ENCODING, ENCODING = "minesense.payload", "text", "minesense-1"

#: Topics of what belongs to no declared stream, and of declarations said again: these are for
#: whoever mends a damaged file, and no packets.
NOTES, UNKNOWN, REPEATED = "notes", "unknown", "declarations, repeated"

PAYLOAD_HEAD = struct.Struct("<BBHId")
_DECLARATION, _NO_STREAM = 1, 0xFFFF
_MOST_TIME = 2**63 - 1
_SCHEMA = 1
_REPEATED_SEQUENCE = 0xFFFFFFFF


class Output(Protocol):
    """Where bytes go, at once: an unbuffered file."""

    def write(self, data: bytes, /) -> int | None:
        """Write bytes; return how many."""


class McapWriter:
    r"""
    Turn packets into the chunks of an MCAP file.

    Nothing here reads a clock: whoever calls says when a chunk is to be closed, beyond those
    that are full. What streams were declared is repeated in the file now and then, so that a
    damaged beginning does not take the meaning of the rest with it.

    Parameters
    ----------
    output : file
        Unbuffered, empty.
    chunk_size : int
        Bytes of messages from which a chunk is closed.
    repeat_after : int
        Bytes after which the declarations are written again.
    repeat_interval : float
        Seconds of arrival after which they are, too.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> writer = McapWriter(file)
    >>> writer.write(Packet(1.5, b"not a payload, kept all the same"))
    >>> writer.finish()
    >>> file.getvalue()[:8]
    b'\x89MCAP0\r\n'
    """

    def __init__(
        self,
        output: Output,
        *,
        chunk_size: int = 65536,
        repeat_after: int = 16 * 2**20,
        repeat_interval: float = 10.0,
    ):
        self._output = output
        self._chunk_size, self._repeat_after = chunk_size, repeat_after
        self._repeat_interval = repeat_interval
        self._offset = 0
        self._content: list[bytes] = []  # of the open chunk, in parts: scans are not copied
        self._size = self._checksum = 0  # of these
        self._times = (_MOST_TIME, 0)
        self._channels: dict[str, StoredChannel] = {}
        self._by_stream: dict[int, str] = {}
        self._known: dict[int, bytes] = {}  # newest declaration of each stream
        self._counts: dict[int, int] = {}
        self._last_repeat = (0, math.inf)  # offset, and arrival of the first packet since
        self._index = array("Q")  # start, end, offset, length, size of each chunk
        self._range = (_MOST_TIME, 0)
        self._send(layout.MAGIC)
        self._send(
            layout.record(
                layout.HEADER, layout.text("minesense"), layout.text(f"minesense {__version__}")
            )
        )

    @property
    def pending(self) -> int:
        """Bytes that a kill would cost now: those of the chunk not closed yet."""
        return self._size

    def write(self, packet: Packet) -> None:
        """
        Add a packet; close the chunk if it is full.

        Parameters
        ----------
        packet : Packet
            As it arrived; bytes that are no payload are kept under the topic "unknown".
        """
        payload = packet.payload
        topic, sequence, stamp = UNKNOWN, 0, math.nan
        if len(payload) >= PAYLOAD_HEAD.size:
            kind, version, number, sequence, stamp = PAYLOAD_HEAD.unpack_from(payload)
            if version == 1:
                if kind == _DECLARATION:
                    self._by_stream[number] = _declared_name(payload, number)
                    self._known[number] = payload
                topic = self._by_stream.get(number, NOTES if number == _NO_STREAM else UNKNOWN)
        self._repeat_if_due(packet.arrival)
        self._add(topic, sequence, packet.arrival, stamp, payload)

    def close_chunk(self) -> None:
        """Write out the chunk that is open, if it holds anything."""
        if not self._content:
            return
        start, end = self._times if self._times[0] != _MOST_TIME else (0, 0)
        data = layout.chunk_record(start, end, self._checksum, self._content)
        offset, size = self._offset, self._size
        # before writing: a full disk must not make memory grow
        self._content, self._size, self._checksum = [], 0, 0
        self._times = (_MOST_TIME, 0)
        self._send(data)
        self._index.extend((start, end, offset, len(data), size))
        self._range = (min(self._range[0], start), max(self._range[1], end))

    def finish(self) -> None:
        """Close the chunk and write the index and statistics that end a file."""
        self.close_chunk()
        self._send(layout.record(layout.DATA_END, struct.pack("<I", 0)))
        start = self._offset
        summary = bytearray()
        groups = []
        for opcode, parts in (
            (layout.SCHEMA, [_schema()]),
            (layout.CHANNEL, [layout.channel_record(c) for c in self._channels.values()]),
            (layout.STATISTICS, [self._statistics()]),
            (layout.CHUNK_INDEX, self._chunk_indices()),
        ):
            begin = len(summary)
            summary += b"".join(parts)
            if len(summary) > begin:
                groups.append((opcode, start + begin, len(summary) - begin))
        offsets = start + len(summary)
        for group in groups:
            summary += layout.record(layout.SUMMARY_OFFSET, struct.pack("<BQQ", *group))
        foot = layout.PREFIX.pack(layout.FOOTER, 20) + struct.pack("<QQ", start, offsets)
        checksum = zlib.crc32(foot, zlib.crc32(summary))
        self._send(bytes(summary) + foot + struct.pack("<I", checksum) + layout.MAGIC)

    def _put(self, *parts: bytes) -> None:
        """Put bytes into the chunk that is open."""
        for part in parts:
            self._content.append(part)
            self._size += len(part)
            self._checksum = zlib.crc32(part, self._checksum)

    def _add_channel(self, topic: str) -> StoredChannel:
        """Make a channel and describe it in the chunk."""
        if not self._channels:
            self._put(_schema())
        number = len(self._channels) + 1
        channel = StoredChannel(number, _SCHEMA, topic, ENCODING, {})
        self._channels[topic] = channel
        self._put(layout.channel_record(channel))
        return channel

    def _repeat_if_due(self, arrival: float) -> None:
        """Say again what was declared, for those who miss the beginning."""
        offset, since = self._last_repeat
        if math.isinf(since):
            self._last_repeat = (offset, arrival)
            return
        is_due = not 0.0 <= arrival - since < self._repeat_interval
        if not is_due and self._offset - offset < self._repeat_after:
            return
        self._last_repeat = (self._offset, arrival)
        self._put(_schema(), *map(layout.channel_record, self._channels.values()))
        for payload in self._known.values():
            self._add(REPEATED, _REPEATED_SEQUENCE, arrival, math.nan, payload)

    def _add(
        self, topic: str, sequence: int, arrival: float, stamp: float, payload: bytes
    ) -> None:
        """Put a message into the chunk; close it if it is full."""
        channel = self._channels.get(topic) or self._add_channel(topic)
        log_time = _nanoseconds(arrival, 0)
        message = StoredMessage(
            channel.number, sequence, log_time, _nanoseconds(stamp, log_time), bytes(payload)
        )
        self._put(layout.message_head(message), message.data)
        self._counts[channel.number] = self._counts.get(channel.number, 0) + 1
        self._times = (min(self._times[0], log_time), max(self._times[1], log_time))
        if self._size >= self._chunk_size:
            self.close_chunk()

    def _statistics(self) -> bytes:
        start, end = self._range if self._range[0] != _MOST_TIME else (0, 0)
        counts = b"".join(struct.pack("<HQ", *item) for item in self._counts.items())
        numbers = (sum(self._counts.values()), 1, len(self._channels), 0, 0)
        n_chunks = len(self._index) // 5
        head = struct.pack("<QHIIIIQQ", *numbers, n_chunks, start, end)
        return layout.record(layout.STATISTICS, head, struct.pack("<I", len(counts)), counts)

    def _chunk_indices(self) -> list[bytes]:
        result = []
        for k in range(0, len(self._index), 5):
            start, end, offset, length, size = self._index[k : k + 5]
            head = struct.pack("<QQQQIQ", start, end, offset, length, 0, 0)
            sizes = struct.pack("<QQ", size, size)
            result.append(layout.record(layout.CHUNK_INDEX, head, layout.text(""), sizes))
        return result

    def _send(self, data: bytes) -> None:
        """Write all bytes; a raw file may take fewer at a time."""
        view = memoryview(data)
        while view:
            n_written = self._output.write(view) or 0  # type: ignore[arg-type]
            if n_written <= 0:
                msg = f"Cannot write {len(view)} bytes: the output takes none."
                raise OSError(msg)
            self._offset += n_written
            view = view[n_written:]


def _schema() -> bytes:
    """Return the record that says what all messages are."""
    return layout.schema_record(_SCHEMA, SCHEMA_NAME, SCHEMA_ENCODING, SCHEMA_TEXT)


def _declared_name(payload: bytes, number: int) -> str:
    """Return the topic of a stream: its name, or its number where it cannot be read."""
    from ..payload import Decoder  # noqa: PLC0415 - only declarations need it

    try:
        return str(Decoder().decode(payload).name)  # type: ignore[union-attr]
    except ValueError:
        return f"stream {number}"


def _nanoseconds(seconds: float, otherwise: int) -> int:
    """Return seconds as the format counts them; `otherwise` where it cannot."""
    if not 0.0 <= seconds < 9e9:  # also NaN
        return otherwise
    return round(seconds * 1e9)

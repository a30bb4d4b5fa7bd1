"""
Read recordings of streams, and get what can be had from damaged ones.

Reading verifies every checksum and fails at the first fault, since a recording that lost a part
must not pass for a whole one. Recovery goes around faults and says what it found missing.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..message import Packet
from . import mcap_layout as layout
from .mcap_end import fault_of_end
from .mcap_writer import REPEATED
from .trouble import FormatError

#: A compressed chunk may say that it holds no more than this, nor more than so many times the
#: bytes that it takes, or this in any case: a few kB can be made to unpack to gigabytes.
_MOST_SIZE, _MOST_TIMES, _ANY_SIZE = 64 * 2**20, 1024, 2**20

#: Records of one chunk, of which each takes more memory than the file has bytes for it.
_MOST_RECORDS = 400_000

#: Bytes of a mapped file after which its pages are let go of.
_MOST_KEPT = 32 * 2**20

#: Times the size of the file that is looked through for the next chunk behind damage.
_MOST_SEARCHED = 32

#: Opcodes of what may lie between chunks and matters to other programs.
_BETWEEN_CHUNKS = (layout.HEADER, layout.SCHEMA, layout.CHANNEL, 7, 9, 10, 12)

#: How a chunk begins whose length is below 4 GiB.
_CHUNK_START = re.compile(rb"\x06.{4}\x00{4}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A stretch of a file that is not as it was written."""

    offset: int  #: of its first byte
    length: int  #: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """What one place of a file holds: the packets of a chunk, or damage."""

    packets: tuple[Packet, ...] = ()
    declarations: tuple[bytes, ...] = ()  #: said again, for a decoder that missed them
    damage: Damage | None = None
    is_verified: bool = True  #: False for packets of a chunk that is cut off
    is_end: bool = False  #: whether the file ends here; its summary may be damaged


def is_mcap(head: bytes) -> bool:
    r"""
    Tell whether bytes begin an MCAP file.

    Parameters
    ----------
    head : bytes
        The first bytes of a file.

    Returns
    -------
    found : bool
        Whether they are its magic.

    Examples
    --------
    >>> is_mcap(b"\x89MCAP0\r\n...")
    True
    """
    return head.startswith(layout.MAGIC)


def read_packets(path: str | Path) -> Iterator[Packet]:
    """
    Read the packets of a recording, in the order in which they arrived.

    Parameters
    ----------
    path : str or Path
        An MCAP file, also one of another program: messages of any encoding are given.

    Yields
    ------
    packet : Packet
        Arrival to the nanosecond, bytes unchanged.

    Raises
    ------
    FormatError
        At the first chunk that is damaged, and at the end of a file that was not finished.
        Packets before it were given by then.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.mcap_writer import McapWriter
    >>> with tempfile.NamedTemporaryFile(suffix=".mcap") as file:
    ...     writer = McapWriter(file.raw if hasattr(file, "raw") else file)
    ...     writer.write(Packet(1.5, b"some bytes"))
    ...     writer.finish()
    ...     file.flush()
    ...     list(read_packets(file.name))
    [Packet(arrival=1.5, payload=b'some bytes')]
    """
    path = Path(path)
    data = mapped(path)
    if not is_mcap(bytes(data[:8])):
        field = "magic"
        raise FormatError(path, field, bytes(data[:8]), "that of an MCAP file")
    for piece in pieces_of(data):
        if piece.is_end:  # a damaged summary costs no packet
            return
        if piece.damage is not None or not piece.is_verified:
            damage = piece.damage or Damage(offset=0, length=0, reason="cut off")
            field, where = "content", f"byte {damage.offset}"
            rule = "whole: `minesense recover` returns what can be had"
            raise FormatError(path, field, damage.reason, rule, where=where)
        yield from piece.packets


def mapped(path: Path) -> memoryview:
    """
    Return the bytes of a file without reading them; they live as long as a view of them.

    Raises
    ------
    FormatError
        If there are none.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            field = "size"
            raise FormatError(path, field, 0, "more than an empty file")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def pieces_of(data: memoryview) -> Iterator[Piece]:
    """
    Walk through the bytes of a file, around whatever is damaged.

    Parameters
    ----------
    data : memoryview
        Of the whole file.

    Yields
    ------
    piece : Piece
        Packets of a chunk whose checksum is right, damage, or the end.

    Notes
    -----
    A chunk repeats its length in its fields. Where these agree with the record's, only the
    content is damaged, and the next record begins behind it; where they do not, the next
    chunk with a right checksum is searched for. The message records of a chunk that ends
    with the file are given, marked as not verified.
    """
    walk = _Walk()
    at = len(layout.MAGIC)
    if bytes(data[:at]) != layout.MAGIC:
        yield Piece(damage=Damage(offset=0, length=min(at, len(data)), reason="no magic"))
    kept = at
    while at < len(data):
        if at - kept > _MOST_KEPT and isinstance(data.obj, mmap.mmap):
            # A pass over a file larger than memory must not look like a process of its size.
            data.obj.madvise(mmap.MADV_DONTNEED)
            kept = at
        step, piece = walk.step(data, at)
        if piece is not None:
            if piece.is_end:
                at += step
                fault = fault_of_end(data, at)
                step, more = walk.behind_end(data, at, fault) if fault else (0, piece)
                yield more
                if more.is_end:
                    return
            else:
                yield piece
        at += step
    yield Piece(damage=Damage(offset=len(data), length=0, reason="the file was not finished"))


class _Walk:
    """What has to be remembered between the pieces of a file."""

    def __init__(self) -> None:
        self._repeated: set[int] = set()  # channels of declarations said again
        self._n_searched = 0  # bytes whose checksums were taken in search of a chunk

    def step(self, data: memoryview, at: int) -> tuple[int, Piece | None]:
        """Return how many bytes the next piece takes, and what it is."""
        left = len(data) - at
        if left < layout.PREFIX.size:
            reason = "cut off within the start of a record"
            return left, Piece(damage=Damage(offset=at, length=left, reason=reason))
        opcode, length = layout.PREFIX.unpack_from(data, at)
        if opcode == layout.CHUNK:
            return self._chunk_at(data, at, length)
        size = layout.PREFIX.size + length
        content = data[at + layout.PREFIX.size : at + size]
        if len(content) == length:
            if opcode == layout.DATA_END and length == 4:
                return size, Piece(is_end=True)
            if opcode == layout.MESSAGE and length >= 22:
                packets, declarations = self._packets([(opcode, content)])
                return size, Piece(packets=packets, declarations=declarations)
            if opcode in _BETWEEN_CHUNKS and _begins_record(data, at + size):
                if opcode == layout.CHANNEL:
                    self._note_channel(content)
                return size, None
        return self._lost(data, at, f"no record: opcode {opcode}, length {length}")

    def _chunk_at(self, data: memoryview, at: int, length: int) -> tuple[int, Piece]:
        """Return what the chunk holds that begins here, whole or cut off."""
        content = data[at + layout.PREFIX.size : at + layout.PREFIX.size + length]
        if len(content) < length:
            torn = self._torn(data, at)
            if torn is not None:
                return len(data) - at, torn
            return self._lost(data, at, "a chunk whose length is beyond the file")
        try:
            chunk = layout.parse_chunk(content)
        except (ValueError, struct.error):
            return self._lost(data, at, "a chunk whose lengths contradict each other")
        return self._chunk(data, at, layout.PREFIX.size + length, chunk)

    def _chunk(
        self, data: memoryview, at: int, size: int, chunk: layout.StoredChunk
    ) -> tuple[int, Piece]:
        """Return the packets of a chunk, or that it is damaged."""
        try:
            content = _decompress(chunk)
            if chunk.checksum and zlib.crc32(content) != chunk.checksum:
                reason = "a chunk whose checksum is wrong"
                if not _begins_record(data, at + size):
                    return self._lost(data, at, reason)
                return size, Piece(damage=Damage(offset=at, length=size, reason=reason))
            packets, declarations = self._packets(layout.records_of(content))
        except ValueError as error:
            reason = f"a chunk that cannot be read: {error}"
            return size, Piece(damage=Damage(offset=at, length=size, reason=reason))
        return size, Piece(packets=packets, declarations=declarations)

    def _torn(self, data: memoryview, at: int) -> Piece | None:
        """Return the whole messages of a chunk that ends with the file; None if it is none."""
        try:
            chunk = layout.parse_chunk(data[at + layout.PREFIX.size :], whole=False)
        except (ValueError, struct.error):
            return None
        length = int.from_bytes(data[at + 1 : at + 9], "little")
        if chunk.compression or length != chunk.size + 40 or chunk.size > _MOST_SIZE:
            return None
        try:
            packets, declarations = self._packets(_until_cut(chunk.content))
        except (ValueError, struct.error):
            packets, declarations = (), ()
        reason = "a chunk that is cut off"
        damage = Damage(offset=at, length=len(data) - at, reason=reason)
        return Piece(
            packets=packets, declarations=declarations, damage=damage, is_verified=False
        )

    def _lost(self, data: memoryview, at: int, reason: str) -> tuple[int, Piece]:
        """Return damage up to the next chunk with a right checksum, or to the file's end."""
        stop, self._n_searched = _next_chunk(data, at + 1, self._n_searched)
        return stop - at, Piece(damage=Damage(offset=at, length=stop - at, reason=reason))

    def behind_end(self, data: memoryview, at: int, fault: str) -> tuple[int, Piece]:
        """Return the end with its fault, or what lies before a chunk that comes behind it."""
        stop, self._n_searched = _next_chunk(data, at, self._n_searched)
        is_end = stop == len(data)
        reason = f"{fault}; no packets are lost" if is_end else "an end with more behind it"
        damage = Damage(offset=at, length=stop - at, reason=reason)
        return stop - at, Piece(damage=damage, is_end=is_end)

    def _note_channel(self, content: memoryview) -> None:
        try:
            channel = layout.parse_channel(content)
        except (ValueError, struct.error):
            return
        if channel.topic == REPEATED:
            self._repeated.add(channel.number)

    def _packets(
        self, records: Iterable[tuple[int, memoryview]]
    ) -> tuple[tuple[Packet, ...], tuple[bytes, ...]]:
        """Return packets, and declarations that were said again."""
        packets, declarations = [], []
        for number, (opcode, content) in enumerate(records):
            if number >= _MOST_RECORDS:
                msg = f"more than {_MOST_RECORDS} records"
                raise ValueError(msg)
            if opcode == layout.CHANNEL:
                self._note_channel(content)
            elif opcode == layout.MESSAGE:
                message = layout.parse_message(content)
                if message.channel in self._repeated:
                    declarations.append(message.data)
                else:
                    packets.append(Packet(message.log_time / 1e9, message.data))
        return tuple(packets), tuple(declarations)


def _until_cut(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Give the whole records at the start of a content that is cut off."""
    try:
        yield from layout.records_of(content)
    except ValueError:
        return


def _decompress(chunk: layout.StoredChunk) -> memoryview:
    """Return what a chunk holds; its stated size is a promise that is kept to."""
    if not chunk.compression:
        return chunk.content
    most = min(_MOST_SIZE, max(_ANY_SIZE, _MOST_TIMES * len(chunk.content)))
    if chunk.size > most:
        msg = f"size {chunk.size} of {len(chunk.content)} compressed bytes, more than {most}"
        raise ValueError(msg)
    stored = bytes(chunk.content)
    try:
        if chunk.compression == "zstd":
            import zstandard  # noqa: PLC0415 - files of other programs alone need it

            try:
                # As much as is stated and a byte more: a few kB can unpack to gigabytes.
                unpacker = zstandard.ZstdDecompressor(max_window_size=2**26)
                with unpacker.stream_reader(stored) as reader:
                    content = reader.read(chunk.size + 1)
            except zstandard.ZstdError as error:
                raise ValueError(str(error)) from None
        elif chunk.compression == "lz4":
            import lz4.frame  # noqa: PLC0415 - as above

            unpacked = lz4.frame.LZ4FrameDecompressor()
            content = unpacked.decompress(stored, max_length=chunk.size)
        else:
            msg = f"unknown compression '{chunk.compression}'"
            raise ValueError(msg)
    except ImportError:
        msg = "Compressed chunks need zstandard and lz4: pip install 'minesense[mcap]'."
        raise ImportError(msg) from None
    except (RuntimeError, EOFError) as error:  # of lz4
        raise ValueError(str(error)) from None
    if len(content) != chunk.size:
        msg = f"{len(content)} bytes unpacked, {chunk.size} stated"
        raise ValueError(msg)
    return memoryview(content)


def _begins_record(data: memoryview, at: int) -> bool:
    """Return whether a record that the format knows, or the end, comes next."""
    if at == len(data):
        return True
    if at + layout.PREFIX.size > len(data):
        return False
    opcode, length = layout.PREFIX.unpack_from(data, at)
    return opcode in layout.KNOWN and length < 2**40


def _next_chunk(data: memoryview, at: int, n_searched: int) -> tuple[int, int]:
    """
    Return where the next chunk with a right checksum begins, or the data ends.

    Hostile bytes can look like as many chunks as there are bytes, each as long as the file:
    `n_searched`, the bytes whose checksums were taken, is returned as well, and has a limit.
    """
    for match in _CHUNK_START.finditer(data, at):
        start = match.start()
        _, length = layout.PREFIX.unpack_from(data, start)
        content = data[start + layout.PREFIX.size : start + layout.PREFIX.size + length]
        if len(content) != length:
            continue
        try:
            chunk = layout.parse_chunk(content)
            if not chunk.checksum:
                continue
            n_searched += min(chunk.size, _MOST_SIZE) if chunk.compression else length
            if n_searched > _MOST_SEARCHED * len(data) + _MOST_SIZE:
                break
            if zlib.crc32(_decompress(chunk)) == chunk.checksum:
                return start, n_searched
        except (ValueError, struct.error):
            continue
    return len(data), n_searched

"""
Frames: where one payload ends and the next begins, in bytes of a link or of a file.

All numbers are little endian.

====== ==== ===================================================================
offset type meaning
====== ==== ===================================================================
0      4    magic, the bytes A7 4D 53 46
4      u32  length of the payload, n
8      u32  the same with every bit inverted
12     n    payload, see :mod:`minesense.payload`
12 + n u32  CRC-32 of the payload (polynomial of zlib, PNG and Ethernet)
====== ==== ===================================================================

The second length makes a damaged one known at once: nobody waits for four megabytes that will
never come. Whatever is no frame is skipped, byte by byte, up to the next one.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .._validation import check_count

MAGIC = b"\xa7MSF"

#: Bytes of the largest payload that a decoder takes unless told otherwise.
MAX_FRAME = 4 * 2**20

_HEAD = struct.Struct("<4sII")
_CRC = struct.Struct("<I")
_OVERHEAD = _HEAD.size + _CRC.size
_ALL = 0xFFFFFFFF

#: Bytes of failed checks that each byte of input may cause: overlapping frames cost no more.
_MOST_WORK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCounters:
    """What a decoder saw."""

    n_bytes: int = 0
    n_frames: int = 0
    n_skipped: int = 0  #: bytes that are part of no frame
    n_corrupt: int = 0  #: frames whose checksum or second length is wrong
    n_oversized: int = 0  #: frames longer than the cap
    n_torn: int = 0  #: frames that the end cut off

    def __add__(self, other: FrameCounters) -> FrameCounters:
        """Return the sums of both."""
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        names = (field.name for field in dataclasses.fields(self))
        return FrameCounters(**dict(zip(names, map(sum, pairs), strict=True)))


def encode_frame(payload: bytes) -> bytes:
    r"""
    Return a payload as a frame.

    Parameters
    ----------
    payload : bytes
        Of :class:`minesense.payload.Encoder`, or anything else.

    Returns
    -------
    frame : bytes
        Sixteen bytes longer.

    Raises
    ------
    ValueError
        If its length does not fit.

    Examples
    --------
    >>> encode_frame(b"hi").hex(" ")
    'a7 4d 53 46 02 00 00 00 fd ff ff ff 68 69 ac 2a 93 d8'
    """
    size = len(payload)
    if size > _ALL:
        msg = f"Invalid payload of {size} bytes. Must be at most {_ALL}."
        raise ValueError(msg)
    return _HEAD.pack(MAGIC, size, size ^ _ALL) + payload + _CRC.pack(zlib.crc32(payload))


class FrameDecoder:
    """
    Take payloads out of bytes as they come, however they are cut and whatever is wrong.

    Between calls it holds at most one frame that is not complete. How the bytes were cut
    changes nothing: neither payloads nor counters.

    Parameters
    ----------
    max_frame : int
        Bytes of the largest payload; longer frames are skipped and counted.

    Examples
    --------
    >>> decoder = FrameDecoder()
    >>> frame = encode_frame(b"hello")
    >>> decoder.feed(b"noise" + frame[:9]), decoder.feed(frame[9:])
    ([], [b'hello'])
    >>> decoder.counters.n_skipped
    5
    """

    def __init__(self, *, max_frame: int = MAX_FRAME):
        self.max_frame = check_count(max_frame, "max_frame")
        self._held = bytearray()
        self._n_bytes = self._n_frames = self._n_skipped = 0
        self._n_corrupt = self._n_oversized = self._n_torn = 0
        self._work = 0  # bytes of failed checks

    @property
    def pending(self) -> int:
        """Bytes held of a frame that is not complete."""
        return len(self._held)

    @property
    def counters(self) -> FrameCounters:
        """What was seen so far."""
        return FrameCounters(
            n_bytes=self._n_bytes,
            n_frames=self._n_frames,
            n_skipped=self._n_skipped,
            n_corrupt=self._n_corrupt,
            n_oversized=self._n_oversized,
            n_torn=self._n_torn,
        )

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """
        Take the next bytes.

        Parameters
        ----------
        data : bytes
            Any number of them.

        Returns
        -------
        payloads : list of bytes
            Of the frames that are complete now and whose checksum is right, in order.
        """
        self._held += data
        self._n_bytes += len(data)
        return self._take(is_end=False)

    def finish(self) -> list[bytes]:
        """
        Take the end of the bytes; what comes next is another link.

        Returns
        -------
        payloads : list of bytes
            Whole frames behind one that was cut off.
        """
        payloads = self._take(is_end=True)
        self._n_skipped += len(self._held)
        self._held.clear()
        return payloads

    def _take(self, *, is_end: bool) -> list[bytes]:
        """Return the payloads that are complete; drop what was used."""
        payloads: list[bytes] = []
        held, start = self._held, 0
        while True:
            found = held.find(MAGIC, start)
            if found < 0:
                # the last three bytes may begin a magic
                keep = 0 if is_end else _beginning(held, start)
                self._n_skipped += len(held) - keep - start
                start = len(held) - keep
                break
            self._n_skipped += found - start
            start = found
            step = self._frame_at(start, payloads, is_end=is_end)
            if not step:
                break
            start += step
        del held[:start]
        return payloads

    def _frame_at(self, start: int, payloads: list[bytes], *, is_end: bool) -> int:
        """Take the frame at a magic; return how many bytes are done with, 0 to wait."""
        held = self._held
        left = len(held) - start
        if left < _HEAD.size:
            return self._cut_off() if is_end else 0
        _, size, inverted = _HEAD.unpack_from(held, start)
        if size ^ _ALL != inverted:
            self._n_corrupt += 1
            return self._skip()
        if size > self.max_frame:
            self._n_oversized += 1
            return self._skip()
        if left < size + _OVERHEAD:
            return self._cut_off() if is_end else 0
        # by the place in the stream, not by what has arrived: cutting must not matter
        place = self._n_bytes - left + size + _OVERHEAD
        if self._work > _MOST_WORK * (place + self.max_frame):
            self._n_corrupt += 1
            return self._skip()
        body = start + _HEAD.size
        payload = bytes(memoryview(held)[body : body + size])
        if _CRC.unpack_from(held, body + size)[0] != zlib.crc32(payload):
            self._n_corrupt += 1
            self._work += size + _OVERHEAD
            return self._skip()
        self._n_frames += 1
        payloads.append(payload)
        return size + _OVERHEAD

    def _skip(self) -> int:
        """Go on behind the first byte of a magic: the next frame may lie within."""
        self._n_skipped += 1
        return 1

    def _cut_off(self) -> int:
        """Go on within a frame that the end cut off."""
        self._n_torn += 1
        return self._skip()


def _beginning(held: bytearray, start: int) -> int:
    """Return how many of the last bytes may be the beginning of a magic."""
    for n in range(min(len(MAGIC) - 1, len(held) - start), 0, -1):
        if held.endswith(MAGIC[:n]):
            return n
    return 0


def write_frames(path: str | Path, payloads: Iterable[bytes]) -> None:
    """
    Write payloads as a file of frames, as a link would carry them.

    Parameters
    ----------
    path : str or Path
        A new file, by custom named ``.frames``; one that exists is not overwritten.
    payloads : iterable of bytes
        In order.

    Raises
    ------
    OSError
        If it exists or cannot be written.
    """
    with Path(path).open("xb") as file:
        for payload in payloads:
            file.write(encode_frame(payload))


def read_frames(path: str | Path, *, max_frame: int = MAX_FRAME) -> Iterator[bytes]:
    """
    Read the payloads of a file of frames.

    Parameters
    ----------
    path : str or Path
        What a link carried, byte for byte.
    max_frame : int
        Bytes of the largest payload.

    Yields
    ------
    payload : bytes
        Of each frame that is whole.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        At the end, if bytes of the file are part of no whole frame.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_frames(f"{folder}/link.frames", [b"one", b"two"])
    ...     list(read_frames(f"{folder}/link.frames"))
    [b'one', b'two']
    """
    decoder = FrameDecoder(max_frame=max_frame)
    with Path(path).open("rb") as file:
        while data := file.read(1 << 16):
            yield from decoder.feed(data)
    yield from decoder.finish()
    n_skipped = decoder.counters.n_skipped
    if n_skipped:
        msg = (
            f"Invalid file '{path}': {n_skipped} bytes are part of no whole frame. Must be "
            "frames alone."
        )
        raise ValueError(msg)

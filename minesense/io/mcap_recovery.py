"""Make a whole recording of a damaged one, and say what was lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..message import Packet
from ..payload import DECLARATION, NO_STREAM, POSITION, SCAN, Decoder
from .mcap_layout import MAGIC
from .mcap_reading import Damage, mapped, pieces_of
from .mcap_writer import PAYLOAD_HEAD, McapWriter
from .trouble import FormatError

_MASK = 0xFFFFFFFF

#: Numbers behind the newest, and holes from the last back, among which a late message is.
_MOST_BEHIND, _MOST_HOLES = 1000, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LostMessages:
    """Numbers of a stream that never came, and the times on either side."""

    stream: str
    n_messages: int
    last_stamp: float  #: s, of the message before
    next_stamp: float  #: s, of the message behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was had from a damaged recording, and what was not."""

    path: Path
    n_bytes: int
    n_packets: int  #: had, those below among them
    n_unverified: int  #: of a chunk that ends with the file: whole, without a checksum
    n_restored: int  #: declarations that were lost and came from a repetition
    is_whole: bool  #: nothing was damaged, and the file was finished
    damages: tuple[Damage, ...]
    lost: tuple[LostMessages, ...]  #: by sequence numbers; also what never arrived

    def describe(self) -> dict[str, Any]:
        """Return the findings as plain numbers and words."""
        return {
            "file": self.path.name,
            "bytes": self.n_bytes,
            "whole": self.is_whole,
            "packets": self.n_packets,
            "packets_without_checksum": self.n_unverified,
            "declarations_restored": self.n_restored,
            "damaged_bytes": sum(damage.length for damage in self.damages),
            "damages": [
                {"offset": d.offset, "bytes": d.length, "reason": d.reason}
                for d in self.damages
            ],
            "missing_messages": [
                {
                    "stream": item.stream,
                    "messages": item.n_messages,
                    "after_stamp_s": item.last_stamp,
                    "before_stamp_s": item.next_stamp,
                }
                for item in self.lost
            ],
        }


def recover(path: str | Path, output: str | Path | None = None) -> Recovery:
    """
    Get everything before a torn tail and around corrupt chunks.

    Parameters
    ----------
    path : str or Path
        A recording; it is not changed.
    output : str or Path, optional
        A new file for what was had. It must not exist.

    Returns
    -------
    recovery : Recovery
        What was had and what was lost: damaged stretches of the file, and jumps in the
        sequence numbers of each stream.

    Raises
    ------
    FileExistsError
        If the output exists.
    FormatError
        If the file is empty, or no packet was found in it.

    Examples
    --------
    A file that was cut off:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from minesense.io.mcap_writer import McapWriter
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "cut.mcap")
    ...     with path.open("wb", buffering=0) as file:
    ...         writer = McapWriter(file)
    ...         writer.write(Packet(1.5, b"some bytes"))
    ...         writer.close_chunk()
    ...     recovery = recover(path)
    >>> recovery.n_packets, recovery.is_whole, recovery.damages[0].reason
    (1, False, 'the file was not finished')
    """
    path = Path(path)
    if output is None:
        return _walk(path, lambda _: None)
    output = Path(output)
    beside = output.with_name(f".{output.name}.part")
    if output.exists():
        msg = f"Invalid output '{output}': it exists. Must be a new file."
        raise FileExistsError(msg)
    try:
        with beside.open("wb", buffering=0) as file:
            writer = McapWriter(file)
            recovery = _walk(path, writer.write)
            writer.finish()
            os.fsync(file.fileno())
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
    return recovery


def _walk(path: Path, keep: Callable[[Packet], None]) -> Recovery:
    """Give every packet that can be had, and return what was found."""
    numbers = _Numbers()
    damages: list[Damage] = []
    n_packets = n_unverified = n_restored = 0
    is_finished = False
    data = mapped(path)
    for piece in pieces_of(data):
        is_finished = piece.is_end
        if piece.damage is not None:
            damages.append(piece.damage)
        arrival = piece.packets[0].arrival if piece.packets else 0.0
        for payload in piece.declarations:
            if numbers.is_new(payload):
                restored = Packet(arrival, payload)
                numbers.note(restored)
                keep(restored)
                n_restored += 1
        for packet in piece.packets:
            numbers.note(packet)
            keep(packet)
        n_packets += len(piece.packets)
        n_unverified += 0 if piece.is_verified else len(piece.packets)
    if not n_packets:
        looks = "" if bytes(data[:8]) == MAGIC else ", and its magic is not that of MCAP"
        field = "content"
        found = f"no whole chunk in {len(data)} bytes{looks}"
        raise FormatError(path, field, found, "a recording with at least one packet")
    return Recovery(
        path=path,
        n_bytes=len(data),
        n_packets=n_packets + n_restored,
        n_unverified=n_unverified,
        n_restored=n_restored,
        is_whole=is_finished and not damages,
        damages=tuple(damages),
        lost=tuple(numbers.lost),
    )


@dataclass(slots=True)
class _Hole:
    """Sequence numbers that have not come yet, and the stamps on either side."""

    number: int  #: of the stream
    name: str
    first: int
    size: int
    last_stamp: float
    next_stamp: float


class _Numbers:
    """Follow the sequence numbers of every stream; what comes out of order is not missing."""

    def __init__(self) -> None:
        self._holes: list[_Hole] = []
        self._last: dict[tuple[int, int], tuple[int, float]] = {}
        self._decoder = Decoder()
        self._known: dict[int, bytes] = {}

    @property
    def lost(self) -> list[LostMessages]:
        """What has never come."""
        return [
            LostMessages(
                stream=hole.name,
                n_messages=hole.size,
                last_stamp=hole.last_stamp,
                next_stamp=hole.next_stamp,
            )
            for hole in self._holes
        ]

    def is_new(self, payload: bytes) -> bool:
        """Return whether a declaration differs from the newest of its stream."""
        if len(payload) < PAYLOAD_HEAD.size:
            return False
        kind, _, number, _, _ = PAYLOAD_HEAD.unpack_from(payload)
        return kind == DECLARATION and number not in self._known

    def note(self, packet: Packet) -> None:
        """Take the next packet."""
        if len(packet.payload) < PAYLOAD_HEAD.size:
            return
        kind, version, number, sequence, stamp = PAYLOAD_HEAD.unpack_from(packet.payload)
        if version != 1 or number == NO_STREAM:
            return
        if kind == DECLARATION:
            self._known[number] = packet.payload
            try:
                self._decoder.decode(packet.payload)
            except ValueError:
                return
            return
        if kind not in (SCAN, POSITION):  # notes are not counted, others are no messages
            return
        before = self._last.get((kind, number))
        if before is not None and self._fills_a_hole(number, sequence, stamp, before[0]):
            return
        self._last[kind, number] = (sequence, stamp)
        n_missing = 0 if before is None else (sequence - before[0] - 1) & _MASK
        if before is not None and 0 < n_missing < 2**31:  # more: they began anew
            declared = self._decoder.declared.get(number)
            name = declared.name if declared else f"number {number}"
            first = (before[0] + 1) & _MASK
            self._holes.append(_Hole(number, name, first, n_missing, before[1], stamp))

    def _fills_a_hole(self, number: int, sequence: int, stamp: float, newest: int) -> bool:
        """Return whether a message came late, and then take it out of what is missing."""
        behind = (newest - sequence) & _MASK
        if behind > _MOST_BEHIND:
            return False
        for k in range(len(self._holes) - 1, max(-1, len(self._holes) - _MOST_HOLES), -1):
            hole = self._holes[k]
            at = (sequence - hole.first) & _MASK
            if hole.number != number or at >= hole.size:
                continue
            first, size = (sequence + 1) & _MASK, hole.size - at - 1
            rest = _Hole(number, hole.name, first, size, stamp, hole.next_stamp)
            hole.size, hole.next_stamp = at, stamp
            self._holes[k : k + 1] = [part for part in (hole, rest) if part.size]
            return True
        return True  # it came twice

"""A bounded queue between those who receive and the one session that processes."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._validation import check_count
from ..message import Packet
from ..payload import DECLARATION, NO_STREAM, NOTE

_HEAD_BYTES = 16


@dataclass(frozen=True, slots=True)
class Lost:
    """Packets that were left out at this place in the order, by the number of their stream."""

    by_number: Mapping[int, int] = field(default_factory=dict)


class PacketQueue:
    """
    Hold packets until they are processed; leave the oldest scans out when there are too many.

    Whoever receives records a packet first and puts it here then: what is left out here is
    missing in the live events alone. Declarations and notes are never left out, nor are the
    newest packets. Loss is told at its place in the order.

    Parameters
    ----------
    most_bytes : int
        Of payloads that are held.
    most_packets : int
        That are held.

    Raises
    ------
    TypeError, ValueError
        If a limit is not a whole number of at least one.

    Notes
    -----
    The only class of the package that threads may share: any number of them may `put`, and
    one may `get`. It starts none.

    Examples
    --------
    >>> import struct
    >>> queue = PacketQueue(most_packets=2)
    >>> scans = [struct.pack("<BBHId", 2, 1, 0, k, float(k)) for k in range(4)]
    >>> [queue.put(Packet(0.0, scan)) for scan in scans]
    [0, 0, 1, 1]
    >>> queue.get().by_number
    {0: 2}
    >>> [struct.unpack("<BBHId", queue.get().payload)[3] for _ in range(2)]
    [2, 3]
    """

    def __init__(self, *, most_bytes: int = 1 << 26, most_packets: int = 1 << 16):
        self.most_bytes = check_count(most_bytes, "most_bytes")
        self.most_packets = check_count(most_packets, "most_packets")
        self.n_lost: Counter[int] = Counter()  #: by number of the stream, in all
        self._kept: deque[Packet] = deque()  # declarations and notes older than the rest
        self._rest: deque[Packet] = deque()
        self._n_bytes = 0
        self._lost: Counter[int] = Counter()
        self._is_closed = False
        self._condition = threading.Condition()

    def __len__(self) -> int:
        """Return how many packets are held."""
        with self._condition:
            return len(self._kept) + len(self._rest)

    @property
    def n_bytes(self) -> int:
        """Bytes of payloads that are held."""
        return self._n_bytes

    def put(self, packet: Packet) -> int:
        """
        Take a packet; never wait.

        Parameters
        ----------
        packet : Packet
            As it was recorded.

        Returns
        -------
        n_lost : int
            How many older ones, or this one, had to be left out for it.
        """
        with self._condition:
            self._rest.append(packet)
            self._n_bytes += len(packet.payload)
            n_lost = 0
            while self._rest and (
                self._n_bytes > self.most_bytes
                or len(self._rest) + len(self._kept) > self.most_packets
            ):
                n_lost += self._leave_out()
            self._condition.notify()
            return n_lost

    def _leave_out(self) -> int:
        """Leave the oldest scan or position out; keep what says what others mean."""
        oldest = self._rest.popleft()
        kind, number = _kind_of(oldest)
        is_kept = kind in (DECLARATION, NOTE) and len(self._kept) < self.most_packets
        if is_kept and len(oldest.payload) + self._kept_bytes() <= self.most_bytes:
            self._kept.append(oldest)
            return 0
        self._n_bytes -= len(oldest.payload)
        self._lost[number] += 1
        self.n_lost[number] += 1
        return 1

    def _kept_bytes(self) -> int:
        return sum(len(packet.payload) for packet in self._kept)

    def get(self, timeout: float | None = None) -> Packet | Lost | None:
        """
        Return the next packet, or what was left out before it.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait for one; by default as long as it takes.

        Returns
        -------
        item : Packet, Lost or None
            None if there is none in time, or the queue was closed and is empty.
        """
        with self._condition:
            self._condition.wait_for(self._has_something, timeout)
            if self._kept:
                return self._taken(self._kept.popleft())
            if self._lost:
                lost, self._lost = Lost(dict(sorted(self._lost.items()))), Counter()
                return lost
            if self._rest:
                return self._taken(self._rest.popleft())
            return None

    def close(self) -> None:
        """End the queue: what it holds is still handed out."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    def _has_something(self) -> bool:
        return bool(self._kept or self._rest or self._lost or self._is_closed)

    def _taken(self, packet: Packet) -> Packet:
        self._n_bytes -= len(packet.payload)
        return packet


def _kind_of(packet: Packet) -> tuple[int, int]:
    """Return the kind of a payload and the number of its stream, unchecked."""
    payload = packet.payload
    if len(payload) < _HEAD_BYTES:
        return 0, NO_STREAM
    return payload[0], int.from_bytes(payload[2:4], "little")

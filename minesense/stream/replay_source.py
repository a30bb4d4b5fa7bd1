"""Packets of a recording again, as fast as they came, faster, or as fast as can be."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .._validation import check_positive
from ..io.mcap_reading import read_packets
from ..message import Packet
from ..payload import DECLARATION
from .frames import read_frames
from .numbering import number_of
from .pace import Pace
from .source import Deliver

_STAMP, _STAMP_AT = struct.Struct("<d"), 8


def read_stream(path: str | Path) -> Iterator[Packet]:
    """
    Read the packets of a recording, or of a file of frames.

    Parameters
    ----------
    path : str or Path
        An MCAP file, or, if its name ends with ``.frames``, what a link carried. That tells no
        arrivals: their place is taken by times that are made from the stamps.

    Yields
    ------
    packet : Packet
        In order.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is damaged; what was before the damage is given before.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.stream.frames import write_frames
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_frames(f"{folder}/link.frames", [b"any bytes"])
    ...     list(read_stream(f"{folder}/link.frames"))
    [Packet(arrival=0.0, payload=b'any bytes')]
    """
    if Path(path).suffix != ".frames":
        yield from read_packets(path)
        return
    times = StampTimes()
    for payload in read_frames(path):
        yield Packet(times.take(payload), payload)


class StampTimes:
    """
    Times at which payloads were sent, as far as their stamps tell, from zero on.

    Every stream has a clock of its own: its first stamp is put at the time of the payload
    before it, later ones as far behind as they say. Time never goes back, and a stamp that
    jumps by more than ten seconds begins the stream anew.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._shifts: dict[int, float] = {}

    def take(self, payload: bytes) -> float:
        """
        Return the time of the next payload.

        Parameters
        ----------
        payload : bytes
            In order.

        Returns
        -------
        time : float
            Seconds, no less than that of the one before.
        """
        stamp = _stamp_of(payload)
        if math.isfinite(stamp):
            number = number_of(payload)
            time = stamp + self._shifts.get(number, math.nan)
            if not abs(time - self._now) <= 10.0:
                self._shifts[number] = self._now - stamp
                time = self._now
            self._now = max(self._now, time)
        return self._now


class ReplaySource:
    """
    A recording as a source.

    Parameters
    ----------
    path : str or Path
        As :func:`read_stream`.
    speed : float
        1: as it came; 2: twice as fast; infinite: as fast as it is taken.
    """

    is_live = False

    def __init__(self, path: str | Path, *, speed: float = math.inf):
        self.path = Path(path)
        self.name = f"replay {self.path}"
        self._speed = speed if speed == math.inf else check_positive(speed, "speed")
        self._stop = threading.Event()
        self._n_packets = 0

    def run(self, deliver: Deliver) -> None:
        """
        Hand over the packets of the recording.

        Parameters
        ----------
        deliver : callable
            Takes each packet, its arrival as recorded.
        """
        pace = Pace(self._speed, self._stop)
        for packet in read_stream(self.path):
            if not pace.wait_for(packet.arrival):
                return
            deliver(packet)
            self._n_packets += 1

    def stop(self) -> None:
        """Return from running soon."""
        self._stop.set()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted.

        Returns
        -------
        counters : dict
            Packets handed over.
        """
        return {"n_packets": self._n_packets}


def _stamp_of(payload: bytes) -> float:
    """Return the stamp of a payload, NaN if it has none."""
    if len(payload) < _STAMP_AT + _STAMP.size or payload[0] == DECLARATION:
        return math.nan
    return float(_STAMP.unpack_from(payload, _STAMP_AT)[0])

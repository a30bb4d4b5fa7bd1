"""Frames from a server, a serial port or a file that we connect to."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from ..message import Packet
from .byte_input import ByteInput, Reader
from .frames import MAX_FRAME, FrameCounters, FrameDecoder
from .numbering import Link, Numbering, of_no_stream
from .source import Deliver


class FramedSource:
    """
    Packets in frames, read from an input that is connected again when it breaks.

    Whoever sends declares its streams after each connection.

    Parameters
    ----------
    source : ByteInput
        Of :mod:`minesense.stream.byte_input`.
    max_frame : int
        Bytes of the largest payload.
    connect_timeout : float
        Seconds in which the first connection must succeed.

    Examples
    --------
    >>> from minesense.stream.byte_input import TcpInput
    >>> FramedSource(TcpInput("127.0.0.1", 9750)).name
    'tcp 127.0.0.1:9750'
    """

    def __init__(
        self,
        source: ByteInput,
        *,
        max_frame: int = MAX_FRAME,
        connect_timeout: float = 10.0,
    ):
        self.name, self.is_live = source.name, source.is_live
        self._reader = Reader(source, connect_timeout=connect_timeout)
        self._max_frame = max_frame
        self._decoder = FrameDecoder(max_frame=max_frame)
        self._numbering = Numbering()
        self._link: Link = self._numbering.link()
        self._before = FrameCounters()  # of connections that have ended
        self._n_refused = 0

    def run(self, deliver: Deliver) -> None:
        """
        Read until the end or a stop.

        Parameters
        ----------
        deliver : callable
            Takes each packet.
        """

        def pass_on(payloads: list[bytes]) -> None:
            arrival = time.time()
            for payload in payloads:
                deliver(Packet(arrival, self._renumbered(payload)))

        def restart() -> None:
            pass_on(self._decoder.finish())
            self._before += self._decoder.counters
            self._decoder = FrameDecoder(max_frame=self._max_frame)
            self._link = self._numbering.link()

        self._reader.run(lambda data: pass_on(self._decoder.feed(data)), restart)

    def stop(self) -> None:
        """Return from running soon."""
        self._reader.stop()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted.

        Returns
        -------
        counters : dict
            Of all connections together.
        """
        frames = dataclasses.asdict(self._before + self._decoder.counters)
        return {**self._reader.counters(), **frames, "n_refused": self._n_refused}

    def _renumbered(self, payload: bytes) -> bytes:
        try:
            return self._link.renumber(payload)
        except ValueError:
            self._n_refused += 1
            return of_no_stream(payload)

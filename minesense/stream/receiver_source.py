"""A satellite receiver as a source, at a serial port, a socket, or in a file."""

from __future__ import annotations

import time
from typing import Any, Protocol

from ..message import Packet, PositionMessage, StreamDeclaration
from ..payload import Encoder
from .byte_input import ByteInput, Reader
from .source import Deliver


class Positions(Protocol):
    """What turns bytes into positions."""

    def feed(self, data: bytes) -> list[PositionMessage]:
        """Return the positions that are complete now."""

    def restart(self) -> None:
        """Forget what was cut."""

    def counters(self) -> dict[str, Any]:
        """Return what was counted."""


class ReceiverSource:
    """
    Positions of a receiver as packets, its declaration first.

    Parameters
    ----------
    source : ByteInput
        Of :mod:`minesense.stream.byte_input`.
    declaration : StreamDeclaration
        Of the positions.
    positions : NmeaPositions or UbxPositions
        Of the same declaration.
    """

    def __init__(self, source: ByteInput, declaration: StreamDeclaration, positions: Positions):
        self.name, self.is_live = source.name, source.is_live
        self._reader = Reader(source)
        self._declaration, self._positions = declaration, positions
        self._n_positions = 0

    def run(self, deliver: Deliver) -> None:
        """
        Read until the end or a stop.

        Parameters
        ----------
        deliver : callable
            Takes each packet.
        """
        encoder = Encoder()
        deliver(Packet(time.time(), encoder.encode(self._declaration)))

        def take(data: bytes) -> None:
            arrival = time.time()
            for position in self._positions.feed(data):
                self._n_positions += 1
                deliver(Packet(arrival, encoder.encode(position)))

        self._reader.run(take, self._positions.restart)

    def stop(self) -> None:
        """Return from running soon."""
        self._reader.stop()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted.

        Returns
        -------
        counters : dict
            Of the link, of its sentences or messages, and of positions.
        """
        found = {**self._reader.counters(), **self._positions.counters()}
        return {**found, "n_positions": self._n_positions}

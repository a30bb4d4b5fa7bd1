"""Sweeps as if their sensors sent them now: files, bags, and whatever else makes sweeps."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..message import Message, NoteMessage, Packet, StreamDeclaration
from ..payload import Encoder
from ..sweep import Sweep
from ..sweep_messages import (
    PAUSE,
    Clock,
    lane_note,
    position_declaration,
    position_of,
    scan_of,
    sensor_declaration,
    stream_name,
)
from .pace import Pace
from .source import Deliver


class SweepMessages:
    """
    Turn sweeps into the messages that their sensors would have sent.

    Parameters
    ----------
    clock : str
        That all streams are stamped by.
    note : str
        Put into every declaration, for example that the data are SYNTHETIC.
    position_stream : str
        Name of the stream of positions.

    Notes
    -----
    Stamps begin at 0 and run on from lane to lane, with a pause of 5 s. Every lane begins and
    ends with a note. Positions are those of the sweep with the most traces, one a trace, of the
    class TRACKED, SINGLE where they are POSE_COARSE, or NONE where a trace has no position.
    """

    def __init__(
        self, *, clock: Clock = "host", note: str = "", position_stream: str = "position"
    ):
        self._clock: Clock = clock
        self._note, self._positions = note, position_stream
        self._sequences: dict[str, int] = {}
        self._start = 0.0

    def lane(self, sweeps: Sequence[Sweep]) -> Iterator[tuple[float, Message]]:
        """
        Return the messages of one lane.

        Parameters
        ----------
        sweeps : sequence of Sweep
            Of its sensors, by one clock.

        Yields
        ------
        moment : float
            When it is sent, s.
        message : StreamDeclaration, SensorMessage, PositionMessage or NoteMessage
            In that order of time; declarations of streams that are new come first.

        Raises
        ------
        ValueError
            If two of the sweeps are of sensors of one name.
        """
        sweeps = [sweep for sweep in sweeps if len(sweep)]
        if not sweeps:
            return
        names = [stream_name(sweep) for sweep in sweeps]
        if len(set(names)) < len(names):
            msg = f"Invalid sweeps of the sensors {names} in one lane. Must have a name each."
            raise ValueError(msg)
        shift = self._start - min(float(sweep.time[0]) for sweep in sweeps)
        leading = max(sweeps, key=len)
        for declaration in self._declarations(sweeps, leading):
            yield self._start, declaration
        yield self._start, self._about_lane("lane", leading.lane, self._start)
        streams: list[Iterator[tuple[float, int, Message]]] = [
            self._poses(leading, shift),
            *(self._scans(sweep, k, shift) for k, sweep in enumerate(sweeps, 1)),
        ]
        stop = self._start
        for moment, _, message in heapq.merge(*streams, key=lambda item: item[:2]):
            stop = moment
            yield moment, message
        yield stop, self._about_lane("end lane", leading.lane, stop)
        self._start = stop + PAUSE

    def _declarations(self, sweeps: Sequence[Sweep], leading: Sweep) -> list[StreamDeclaration]:
        """Return the declarations of the streams that were not declared before."""
        found = []
        if self._positions not in self._sequences:
            self._sequences[self._positions] = 0
            found.append(
                position_declaration(
                    leading, self._positions, clock=self._clock, note=self._note
                )
            )
        for sweep in sweeps:
            if stream_name(sweep) not in self._sequences:
                self._sequences[stream_name(sweep)] = 0
                found.append(sensor_declaration(sweep, clock=self._clock, note=self._note))
        return found

    def _about_lane(self, topic: str, name: str, stamp: float) -> NoteMessage:
        return lane_note(topic, {"name": name}, stamp=stamp, sequence=self._next(""))

    def _poses(self, sweep: Sweep, shift: float) -> Iterator[tuple[float, int, Message]]:
        """Return the positions of a sweep."""
        name = self._positions
        for k in range(len(sweep)):
            stamp = float(sweep.time[k]) + shift
            n = self._next(name)
            yield stamp, 0, position_of(sweep, k, name, stamp=stamp, sequence=n)

    def _scans(
        self, sweep: Sweep, place: int, shift: float
    ) -> Iterator[tuple[float, int, Message]]:
        """Return the scans of a sweep."""
        name = stream_name(sweep)
        for k in range(len(sweep)):
            stamp = float(sweep.time[k]) + shift
            yield stamp, place, scan_of(sweep, k, stamp=stamp, sequence=self._next(name))

    def _next(self, stream: str) -> int:
        """Return the next sequence number of a stream."""
        number = self._sequences.get(stream, 0)
        self._sequences[stream] = (number + 1) & 0xFFFFFFFF
        return number


@dataclass(slots=True, kw_only=True, eq=False)
class SweepSource:
    """
    Lanes of sweeps as a source.

    Parameters
    ----------
    name : str
        What to call it.
    lanes : callable
        Returns an iterable of lanes, each a sequence of sweeps; called when the source runs,
        and asked for the next lane when the one before was sent.
    speed : float
        1: as fast as the sensors; 2: twice; infinite: as fast as it is taken.
    is_live : bool
        Whether packets that nobody takes in time are lost, as those of a real device.
    messages : SweepMessages
        How sweeps become messages.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.sensor import Sensor
    >>> from minesense.stream.source import packets_from
    >>> coil = Sensor(name="coil", kind="emi", axis=[1e-5], lever_arms=np.zeros((1, 3)))
    >>> sweep = Sweep(
    ...     samples=np.zeros((2, 1, 1)), time=[0.0, 0.1], position=np.zeros((2, 3)),
    ...     heading=np.zeros(2), sensor=coil,
    ... )
    >>> source = SweepSource(name="made here", lanes=lambda: [[sweep]])
    >>> [packet.payload[0] for packet in packets_from(source)]  # the types of the messages
    [1, 1, 4, 3, 2, 3, 2, 4]
    """

    name: str
    lanes: Callable[[], Iterable[Sequence[Sweep]]]
    speed: float = math.inf
    is_live: bool = False
    messages: SweepMessages = field(default_factory=SweepMessages)
    _stop: threading.Event = field(default_factory=threading.Event)
    _n_packets: int = 0
    _n_lanes: int = 0

    def run(self, deliver: Deliver) -> None:
        """
        Hand over the messages of all lanes.

        Parameters
        ----------
        deliver : callable
            Takes each packet.
        """
        encoder, pace = Encoder(), Pace(self.speed, self._stop)
        for lane in self.lanes():
            for moment, message in self.messages.lane(lane):
                if not pace.wait_for(moment):
                    return
                deliver(Packet(time.time(), encoder.encode(message)))
                self._n_packets += 1
            self._n_lanes += 1

    def stop(self) -> None:
        """Return from running soon."""
        self._stop.set()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted.

        Returns
        -------
        counters : dict
            Packets handed over and lanes that are done.
        """
        return {"n_packets": self._n_packets, "n_lanes": self._n_lanes}

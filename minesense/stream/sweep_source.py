"""Sweeps as if their sensors sent them now: files, bags, and whatever else makes sweeps."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..message import (
    DeviceFlag,
    FixClass,
    Message,
    NoteMessage,
    Packet,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from ..payload import Encoder
from ..sweep import Quality, Sweep
from .pace import Pace
from .source import Deliver

Clock = Literal["utc", "gps", "host", "sensor"]

#: s of stamps between two lanes.
PAUSE = 5.0

_FLAGS = (
    (Quality.SATURATED, DeviceFlag.SATURATED),
    (Quality.STUCK, DeviceFlag.INVALID),
    (Quality.SETTING_CHANGED, DeviceFlag.SETTING_CHANGED),
    (Quality.BASELINE_STEP, DeviceFlag.REZEROED),
    (Quality.INTERFERENCE, DeviceFlag.INTERFERENCE),
)


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
    class TRACKED; a trace without position sends a message of the class NONE.
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
        names = [sweep.sensor.name for sweep in sweeps]
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
                StreamDeclaration(
                    name=self._positions,
                    kind="position",
                    clock=self._clock,
                    rate=_rate(leading),
                    lag_error=0.0,
                    frame=leading.frame,
                    height_datum="local",
                    lever_arm=(0.0, 0.0, 0.0),
                    note=self._note,
                )
            )
        for sweep in sweeps:
            name = sweep.sensor.name
            if name not in self._sequences:
                self._sequences[name] = 0
                found.append(
                    StreamDeclaration(
                        name=name,
                        kind="sensor",
                        clock=self._clock,
                        rate=_rate(sweep),
                        lag_error=0.0,
                        sensor=sweep.sensor,
                        note=self._note,
                    )
                )
        return found

    def _about_lane(self, topic: str, name: str, stamp: float) -> NoteMessage:
        return NoteMessage(
            stream="",
            sequence=self._next(""),
            stamp=stamp,
            topic=topic,
            content={"name": name},
        )

    def _poses(self, sweep: Sweep, shift: float) -> Iterator[tuple[float, int, Message]]:
        """Return the positions of a sweep."""
        for k in range(len(sweep)):
            stamp = float(sweep.time[k]) + shift
            lost = int(sweep.quality[k]) & int(Quality.POSE_NONE)
            x, y, z = (float(value) for value in sweep.position[k])
            yield (
                stamp,
                0,
                PositionMessage(
                    stream=self._positions,
                    sequence=self._next(self._positions),
                    stamp=stamp,
                    coordinates=(math.nan,) * 3 if lost else (x, y, z),
                    fix=FixClass.NONE if lost else FixClass.TRACKED,
                    heading=math.nan if lost else float(sweep.heading[k]),
                ),
            )

    def _scans(
        self, sweep: Sweep, place: int, shift: float
    ) -> Iterator[tuple[float, int, Message]]:
        """Return the scans of a sweep."""
        name = sweep.sensor.name
        for k in range(len(sweep)):
            stamp = float(sweep.time[k]) + shift
            quality, flags = int(sweep.quality[k]), DeviceFlag(0)
            for flag, said in _FLAGS:
                if quality & int(flag):
                    flags |= said
            yield (
                stamp,
                place,
                SensorMessage(
                    stream=name,
                    sequence=self._next(name),
                    stamp=stamp,
                    samples=sweep.samples[k],
                    flags=flags,
                ),
            )

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


def _rate(sweep: Sweep) -> float | None:
    """Return the rate of a sweep by a clock; None if something else triggers it."""
    steps = np.diff(sweep.time)
    if not len(steps):
        return None
    step = float(np.median(steps))
    is_regular = np.count_nonzero(np.abs(steps - step) <= 0.01 * step) >= 0.9 * len(steps)
    return 1 / step if is_regular else None

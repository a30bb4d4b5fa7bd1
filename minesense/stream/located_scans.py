"""Scans of one recorded stream with their positions, before any stage has changed them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..message import Message, Packet, PositionMessage, SensorMessage, StreamDeclaration
from ..payload import Decoder
from ..sweep import Frame, Quality, Sweep, join
from .breaks import poses_of
from .config import StreamConfig, check_declaration
from .poses import Poses, PoseTrack
from .scan_checks import Scan, ScanChecks
from .scan_shape import fits
from .timebase import Timebase

_NO_POSE = int(Quality.POSE_NONE)

#: Scans that are located together.
_TOGETHER = 64


class LocatedScans(NamedTuple):
    """Scans of one stream with their positions, and what is to be known of these."""

    sweeps: list[Sweep]
    declaration: StreamDeclaration
    is_heading_stated: (
        bool  #: by every fix; else it is the course, wrong by half a turn backwards
    )


def located_scans(
    packets: Iterable[Packet | Message],
    stream: str,
    *,
    config: StreamConfig | None = None,
) -> LocatedScans:
    """
    Return the scans of a sensor as they were sent, each where it was taken.

    Parameters
    ----------
    packets : iterable of Packet or message
        Of a recording, in the order of their arrival.
    stream : str
        Name of the sensor's stream.
    config : StreamConfig, optional
        That of the session. Without it the task's clock is the sensor's.

    Returns
    -------
    sweeps : list of Sweep
        One for each stretch without a gap, a set clock or a set zero. Times are those that the
        session would give them: the lag that is declared is taken off. Scans between fixes
        that are too far apart have POSE_NONE.
    declaration : StreamDeclaration
        Of the sensor's stream.
    is_heading_stated : bool
        Whether every fix told a heading. Where one did not, the heading is that of the track,
        and lever arms point the wrong way while a platform backs up.

    Raises
    ------
    ValueError
        If the stream was not declared, is no sensor's, or is declared anew with other words; if
        there are no positions, or a declaration does not fit the configuration.

    Examples
    --------
    >>> located_scans([], "coil")
    Traceback (most recent call last):
    ValueError: Invalid stream 'coil': it is not declared. Must be one of: none.
    """
    gatherer = _Gatherer(stream, config)
    decoder = Decoder()
    for packet in packets:
        if not isinstance(packet, Packet):
            gatherer.take(packet)
            continue
        try:
            message = decoder.decode(packet.payload)
        except ValueError:
            continue  # what the session refuses, too
        gatherer.take(message)
    return gatherer.finish()


class _Gatherer:
    """Hold scans until there is a fix behind them."""

    def __init__(self, stream: str, config: StreamConfig | None):
        self._stream, self._config = stream, config
        self._declared: dict[str, StreamDeclaration] = {}
        self._sensor: tuple[StreamDeclaration, Timebase, ScanChecks] | None = None
        self._place: tuple[StreamDeclaration, Timebase] | None = None
        self._track: PoseTrack | None = None
        self._waiting: list[Scan] = []
        self._found: list[list[Sweep]] = [[]]
        self._last_time = math.nan
        self._is_heading_stated = True

    def take(self, message: Message) -> None:
        """Take the next message."""
        if isinstance(message, StreamDeclaration):
            self._declare(message)
        elif isinstance(message, SensorMessage) and message.stream == self._stream:
            if self._sensor is not None and fits(message, self._sensor[0]):
                for taken in self._sensor[1].take(message)[0]:
                    self._waiting += self._sensor[2].take(taken)[0]
        elif isinstance(message, PositionMessage) and self._place is not None:
            assert self._track is not None
            if message.stream == self._place[0].name:
                self._is_heading_stated &= math.isfinite(message.heading)
                for taken in self._place[1].take(message)[0]:
                    self._track.take(taken)
        if len(self._waiting) >= _TOGETHER:
            self._locate(-math.inf if self._track is None else self._track.newest)

    def finish(self) -> LocatedScans:
        """Return what was gathered."""
        if self._sensor is None:
            known = ", ".join(sorted(self._declared)) or "none"
            what = "it is not declared"
            if self._stream in self._declared:
                what = "it is one of positions"
                known = ", ".join(
                    sorted(n for n, d in self._declared.items() if d.kind == "sensor")
                )
            msg = f"Invalid stream '{self._stream}': {what}. Must be one of: {known}."
            raise ValueError(msg)
        if self._track is None or self._place is None:
            msg = (
                f"Invalid recording of stream '{self._stream}': it holds no stream of "
                "positions. Must hold one, recorded together with the scans."
            )
            raise ValueError(msg)
        declaration, base, checks = self._sensor
        for taken in base.finish()[0]:
            self._waiting += checks.take(taken)[0]
        self._waiting += checks.flush()
        for taken in self._place[1].finish()[0]:
            self._track.take(taken)
        self._locate(math.inf)
        return LocatedScans(
            [join(parts) for parts in self._found if parts],
            declaration,
            self._is_heading_stated,
        )

    def _declare(self, declaration: StreamDeclaration) -> None:
        known = self._declared.setdefault(declaration.name, declaration)
        if known is not declaration:
            if declaration.name == self._stream and repr(known) != repr(declaration):
                msg = (
                    f"Invalid recording: stream '{self._stream}' is declared twice, with other "
                    "words. Must be one setting: a lag belongs to a setting."
                )
                raise ValueError(msg)
            return
        is_own = declaration.name == self._stream
        if is_own and declaration.kind == "sensor":
            config = self._settled(declaration)
            check_declaration(declaration, config)
            base = Timebase(declaration, time_jump=config.time_jump)
            self._sensor = (declaration, base, ScanChecks(declaration, config))
        elif declaration.kind == "position" and self._place is None:
            config = self._settled(declaration)
            if config.position_stream in (None, declaration.name):
                check_declaration(declaration, config)
                base = Timebase(declaration, time_jump=config.time_jump)
                self._place = (declaration, base)
                self._track = PoseTrack(declaration, config)

    def _settled(self, declaration: StreamDeclaration) -> StreamConfig:
        """Return the configuration; without one, that of a task by the clock of a stream."""
        if self._config is None:
            self._config = StreamConfig(task_clock=declaration.clock)
        return self._config

    def _locate(self, newest: float) -> None:
        """Give the scans that fixes enclose their places; cut where something is missing."""
        n = sum(scan.time <= newest for scan in self._waiting)
        scans, self._waiting = self._waiting[:n], self._waiting[n:]
        if not scans or self._track is None or self._sensor is None or self._place is None:
            return
        assert self._config is not None
        times = np.array([scan.time for scan in scans])
        poses = self._track.locate(times, np.array([scan.time_error for scan in scans]))
        starts = []
        for k, scan in enumerate(scans):
            gap = scan.time - self._last_time
            if scan.begins or scan.restarts or gap > self._config.max_scan_gap:
                starts.append(k)
            self._last_time = scan.time
        bounds = [0, *starts, n]
        for i, (start, stop) in enumerate(itertools.pairwise(bounds)):
            if i:
                self._found.append([])
            if stop > start:
                part = slice(start, stop)
                self._found[-1].append(self._sweep(scans[part], poses_of(poses, start, stop)))

    def _sweep(self, scans: list[Scan], poses: Poses) -> Sweep:
        """Return scans with their poses."""
        assert self._sensor is not None
        assert self._sensor[0].sensor is not None
        assert self._place is not None
        is_lost = ~np.isfinite(poses.position).all(axis=1) | ~np.isfinite(poses.heading)
        flags = np.array([scan.flags for scan in scans], np.int64) | poses.flags
        return Sweep(
            samples=np.stack([scan.samples for scan in scans]),
            time=np.array([scan.time for scan in scans]),
            position=poses.position,
            heading=poses.heading,
            quality=flags | np.where(is_lost, _NO_POSE, 0),
            sensor=self._sensor[0].sensor,
            lane=str(len(self._found)),
            frame=self._place[0].frame or Frame(),
        )

"""The way of one sensor's scans: checked, located between fixes, cut where nothing goes on."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..detect.screen import Screen
from ..message import StreamDeclaration
from ..sweep import Floats, Frame, Quality
from .breaks import poses_of, unbroken
from .config import StreamConfig
from .events import Event, GapFound, SearchScore
from .lanes import LaneBook
from .part import ASSUMED_SPEED, SensorPart
from .poses import Poses, PoseTrack, nowhere
from .quality_lights import QualityLights
from .scan_checks import Scan, ScanChecks
from .stretches import PartName
from .timebase import Taken
from .unscreened import Unscreened

_NO_POSE, _JUMP = int(Quality.POSE_NONE), int(Quality.POSE_JUMP)
_TIME_JUMP = int(Quality.TIME_JUMP)

#: Samples a second from which the traces of a radar go through its stages many at a time.
_WIDE = 1e6


class SensorPath:
    """
    Carry the scans of one sensor from its timebase to the parts of its lanes.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of the sensor's stream.
    config : StreamConfig
        Of the session.
    book : LaneBook
        Names the lanes.
    """

    def __init__(self, declaration: StreamDeclaration, config: StreamConfig, book: LaneBook):
        assert declaration.sensor is not None
        self.declaration, self.config, self.book = declaration, config, book
        self.sensor = declaration.sensor
        self.checks = ScanChecks(declaration, config)
        self.tally: Counter[str] = Counter()  #: scans settled, by state
        self.reasons: Counter[str] = Counter()
        self.sticky = 0  #: flags of all scans from now on: settings, checks, drift, clock
        self.once = 0  #: flags of the next scan
        self.n_missing = 0  #: scans that never came, by their sequence numbers
        self._n_missing_told = 0
        self.is_judged = True  #: whether a detector may judge the places
        self.is_screened = True  #: whether there are stages for the sensor
        self.frame = Frame()  #: of the positions
        self._waiting: deque[Scan] = deque()
        self._n_bytes = 0
        self._part: SensorPart | None = None
        self._lane = 0
        self._n_parts: Counter[int] = Counter()
        self._last_time = math.nan
        self._last_place: Floats | None = None
        self._last_speed = ASSUMED_SPEED
        self._lights = QualityLights(declaration.name)
        expected = config.expected(declaration.name)
        self._time_error = declaration.offset_error
        self._time_error += (
            config.lag_bound if declaration.lag_error is None else declaration.lag_error
        )
        if expected.is_multiplexed and not declaration.channel_delays:
            self._time_error += 1 / declaration.rate if declaration.rate else 1.0
        self._reach = float(np.hypot(*self.sensor.lever_arms[:, :2].T).max(initial=0.0))
        rate = declaration.rate
        self._batch = max(1, int(config.batch * rate + 1e-9)) if rate else 1
        n_samples = math.prod(self.sensor.shape) * (rate or 0.0)  # in a second
        is_wide = self.sensor.kind == "gpr" and n_samples >= _WIDE
        self._gather = config.gather if is_wide else 0.0

    @property
    def n_pending(self) -> int:
        """Scans that were accepted and are not settled yet."""
        held = self.checks.n_held + len(self._waiting)
        return held + (len(self._part.runs) if self._part else 0)

    def take(self, taken: Taken) -> list[Event]:
        """
        Take the next scan in order.

        Parameters
        ----------
        taken : Taken
            Of the stream's timebase.

        Returns
        -------
        events : list of Event
            Its search score, and what is lost if too many wait for positions.
        """
        scans, scores, flags = self.checks.take(taken)
        events: list[Event] = []
        if scores is not None:
            events.append(
                SearchScore(
                    stream=self.declaration.name,
                    time=taken.time,
                    scores=tuple(scores.tolist()),
                    quality=flags | self.sticky,
                )
            )
        self._enqueue(scans)
        return events + self._drop_oldest()

    def _enqueue(self, scans: Sequence[Scan]) -> None:
        """Let scans wait for their positions."""
        for scan in scans:
            flags = scan.flags | self.sticky | self.once
            self.once = 0
            self._waiting.append(scan if flags == scan.flags else replace(scan, flags=flags))
            self._n_bytes += scan.samples.nbytes

    def _drop_oldest(self) -> list[Event]:
        """Drop scans beyond the room there is; tell what is lost."""
        events: list[Event] = []
        lost: list[Scan] = []
        while self._n_bytes > self.config.max_held and len(self._waiting) > 1:
            scan = self._waiting.popleft()
            self._n_bytes -= scan.samples.nbytes
            lost.append(scan)
        if lost:
            events += self._end_part("overflow")
            events.append(self.gap(lost[0].time, lost[-1].time, "held", len(lost)))
            self._last_time = math.nan
            self.once |= int(Quality.GAP)
            self.tally["NOT_OBSERVED"] += len(lost)
            self.reasons["GAP"] += len(lost)
        return events

    def advance(self, track: PoseTrack | None, now: float) -> list[Event]:
        """
        Locate scans that lie between fixes, and those that have waited for too long.

        Parameters
        ----------
        track : PoseTrack or None
            The position stream; None if there is none.
        now : float
            Newest task time of any stream, s.

        Returns
        -------
        events : list of Event
            What it settles.
        """
        waiting = self._waiting
        if not waiting:
            return []
        newest = -math.inf if track is None else track.newest
        given_up = now - self.config.hold
        n = 0
        for scan in waiting:
            if scan.time > newest and scan.time > given_up:
                break
            n += 1
        if n == 0:
            return []
        if n < self._batch and n == len(waiting) and waiting[0].time > given_up:
            return []  # fixes are ahead: a few scans are located together
        return self._locate([self._pop() for _ in range(n)], track)

    def finish(self, track: PoseTrack | None) -> list[Event]:
        """
        Locate what is left and end the lane.

        Parameters
        ----------
        track : PoseTrack or None
            The position stream.

        Returns
        -------
        events : list of Event
            What it settles.
        """
        self._enqueue(self.checks.flush())
        events: list[Event] = []
        if self._waiting:
            events += self._locate([self._pop() for _ in range(len(self._waiting))], track)
        return events + self._end_part("finish")

    def stop(self, track: PoseTrack | None, now: float) -> list[Event]:
        """
        End the part: the stream has been silent for longer than it may hold the others.

        Parameters
        ----------
        track : PoseTrack or None
            The position stream.
        now : float
            Newest task time of any stream, s.

        Returns
        -------
        events : list of Event
            What it settles, and that something is missing.
        """
        if self._part is None and not self.checks.n_held and not self._waiting:
            return []
        self._enqueue(self.checks.flush())
        events: list[Event] = []
        if self._waiting:
            events += self._locate([self._pop() for _ in range(len(self._waiting))], track)
        events += self._end_part("stopped")
        return [*events, self.gap(self._last_time, now, "time")]

    def lose(self, n: int) -> list[Event]:
        """
        End the part: scans were left out because processing fell behind.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        events : list of Event
            What it settles, and what is lost.
        """
        start = self._last_time
        events = self._end_part("overflow")
        self.once |= int(Quality.GAP)
        self._last_time = math.nan
        return [*events, self.gap(start, math.nan, "overflow", n)]

    def cut(self, track: PoseTrack | None, *, is_forward: bool = False) -> list[Event]:
        """
        End the part: a clock was set, and nothing goes on across.

        Parameters
        ----------
        track : PoseTrack or None
            The positions until then.
        is_forward : bool
            Whether time goes on behind a gap, as far as the stamps say.

        Returns
        -------
        events : list of Event
            What it settles.
        """
        events = self.finish(track)
        if not is_forward:
            self._last_time, self._last_place = math.nan, None
        return events

    def _pop(self) -> Scan:
        scan = self._waiting.popleft()
        self._n_bytes -= scan.samples.nbytes
        return scan

    def _locate(self, scans: list[Scan], track: PoseTrack | None) -> list[Event]:
        """Give scans their poses; pass them to parts."""
        times = np.array([scan.time for scan in scans])
        errors = np.array([scan.time_error for scan in scans]) + self._time_error
        if track is None or any(scan.flags & _TIME_JUMP for scan in scans):
            # what a clock that was set says fits no fix
            poses = nowhere(len(scans), _NO_POSE)
            if track is not None:
                track.needed.pop(self.declaration.name, None)
        else:
            poses = track.locate(times, errors, reach=self._reach)
            track.needed[self.declaration.name] = float(times[-1])
        events = self._lights.take(scans, poses)
        for start, stop in unbroken(
            scans, poses, self.book, max_scan_gap=self.config.max_scan_gap
        ):
            events += self._push(scans[start:stop], poses_of(poses, start, stop))
        return events

    def _push(self, scans: list[Scan], poses: Poses) -> list[Event]:
        """Pass scans without a break to the part they belong to."""
        first = scans[0]
        is_lost = bool(poses.flags[0] & _NO_POSE)
        events = self._cut_before(first, poses, is_lost)
        part = self._part
        if part is None:
            number, lane = self.book.lane_at(first.time)
            events += self.book.leave(self.declaration.name, number)
            self._lane = number
            part = self._new_part(number, lane, is_lost)
            events += part.begin(first.time, behind_gap=self._n_parts[number] > 1)
        located = np.flatnonzero(np.isfinite(poses.position[:, 0]))
        if len(located):
            self._last_place = poses.position[located[-1]].copy()
            speed = float(poses.speed[located[-1]])
            if speed > self.config.standstill:
                self._last_speed = speed
        self._last_time = scans[-1].time
        try:
            events += part.push(scans, poses)
        except Exception as error:  # noqa: BLE001, whatever a stage raises: others go on
            return events + self._fail(error)
        if part.length > self.config.longest_lane and self.book.detector is not None:
            self.book.begin(float(np.nextafter(self._last_time, math.inf)))
        return events

    def _cut_before(self, scan: Scan, poses: Poses, is_lost: bool) -> list[Event]:
        """End the part before a scan if anything says that it does not go on."""
        part, events = self._part, []
        gap = scan.time - self._last_time
        step = math.nan
        if self._last_place is not None and not is_lost:
            step = float(np.hypot(*(poses.position[0, :2] - self._last_place[:2])))
        if gap > self.config.max_scan_gap:
            events = self._end_part("gap")
            return [
                *events,
                self.gap(self._last_time, scan.time, "time", length=step),
            ]
        if part is None:
            return []
        is_jump = bool(poses.flags[0] & _JUMP)
        if is_lost != (part.speed is not None):
            events = self._end_part("position lost" if is_lost else "position found")
            if not is_lost:
                events.append(self.gap(part.start, scan.time, "position", length=step))
                if self.config.lanes == "gap" and self._is_cut_short():
                    self.book.begin(scan.time)
            return events
        if scan.begins or scan.restarts:
            return self._end_part("clock set" if scan.begins else "zero set")
        if step > self.book.settings.max_gap or (is_jump and not is_lost):
            events = self._end_part("distance")
            return [
                *events,
                self.gap(self._last_time, scan.time, "distance", length=step),
            ]
        if self.book.lane_at(scan.time)[0] != self._lane:
            return self._end_part("next lane")
        return []

    def _is_cut_short(self) -> bool:
        """
        Return whether a loss of positions ends the lane.

        Not if it had none from its beginning, nor if another sensor has begun the next one:
        sensors that each began a lane of their own would never be judged together.
        """
        is_last = self.book.next_bound(self._lane) == math.inf
        return is_last and self._n_parts[self._lane] > 1

    def _new_part(self, number: int, lane: str, is_lost: bool) -> SensorPart:
        """Return a part with its screen."""
        self._n_parts[number] += 1
        for old in [n for n in self._n_parts if n < number - 1]:
            del self._n_parts[old]
        screen: Screen | Unscreened = Unscreened()
        if self.is_screened:
            is_kept = self.is_judged and not is_lost
            screen = self.book.screen(number, self.sensor.kind, is_located=is_kept)
        name = self.declaration.name
        part = SensorPart(
            PartName(stream=name, lane=lane, number=self._n_parts[number]),
            self.sensor,
            self.frame,
            self.book.settings,
            self.config,
            screen,
            speed=self._last_speed if is_lost else None,
            gather=self._gather,
        )
        self._part = part
        return part

    def _end_part(self, reason: str) -> list[Event]:
        """Flush the part that is open."""
        part = self._part
        if part is None:
            return []
        try:
            events = part.end(reason)
        except Exception as error:  # noqa: BLE001, whatever a stage raises: others go on
            return self._fail(error)
        self._part = None
        self._count(part)
        return events

    def _fail(self, error: Exception) -> list[Event]:
        """Give the part up."""
        part = self._part
        assert part is not None
        events = part.fail(error)
        self.book.give_up(self._lane, self.sensor.kind)
        self._part = None
        self._count(part)
        return events

    def _count(self, part: SensorPart) -> None:
        """Add what a part settled to what was settled before."""
        self.tally += part.states
        self.reasons += part.not_observed

    def counts(self) -> tuple[Counter[str], Counter[str]]:
        """
        Return how many scans are settled.

        Returns
        -------
        states, reasons : Counter
            By state, and by reason of those not wholly observed.
        """
        if self._part is None:
            return self.tally, self.reasons
        return self.tally + self._part.states, self.reasons + self._part.not_observed

    def gap(
        self,
        start: float,
        stop: float,
        cause: str,
        n_lost: int | None = None,
        *,
        length: float = math.nan,
    ) -> GapFound:
        """Return a gap, with the scans that never came since the last one."""
        if n_lost is None:
            n_lost = max(0, self.n_missing - self._n_missing_told)
            self._n_missing_told = self.n_missing
        return GapFound(
            stream=self.declaration.name,
            lane=self.book.lane_at(start)[1],
            start_time=start,
            stop_time=stop,
            length=length,
            cause=cause,  # type: ignore[arg-type]
            n_lost=n_lost,
        )

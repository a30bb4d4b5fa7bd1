"""One sensor along one unbroken part of a lane: equal distances, screen, alarms, coverage."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..alarm import Candidate
from ..detect import DetectorSettings
from ..detect.screen import Screen
from ..resampling import ResampleTrack
from ..sensor import Sensor
from ..standstill import Standstill
from ..sweep import Frame, Quality, Sweep
from .cells import CellReport
from .config import StreamConfig
from .events import (
    CoverageCells,
    Event,
    LaneBegun,
    LaneChunk,
    LaneEnded,
    LaneFailed,
)
from .gathering import Gatherer
from .part_alarms import PartAlarms
from .poses import Poses
from .runs import Run, RunQueue, edge, state_of_run
from .scan_checks import Scan
from .states import LANE_FAILED, LIMITS_NOT_STATED, Observation, reasons_of
from .stretches import PartName, Stretches
from .unscreened import Unscreened

_NO_POSE = int(Quality.POSE_NONE)

#: Speed that a platform without positions is taken to have, m/s, if it is not known.
ASSUMED_SPEED = 0.5


class SensorPart:
    """
    Take the scans of one sensor along a part of a lane without gaps.

    Parameters
    ----------
    name : PartName
        What events call it.
    sensor : Sensor
        What records it.
    frame : Frame
        Of its positions.
    settings : DetectorSettings
        Spacing of the traces, footprints.
    config : StreamConfig
        Limits, cells.
    screen : Screen
        New, or one that takes a part behind a gap.
    speed : float or None
        None if the scans have positions; else the speed at which a platform without
        positions is taken to advance, m/s: what is found is kept, unlocated.
    gather : float
        Seconds for which traces at equal distances wait for one another on their way to the
        screen; 0 for none.
    """

    def __init__(
        self,
        name: PartName,
        sensor: Sensor,
        frame: Frame,
        settings: DetectorSettings,
        config: StreamConfig,
        screen: Screen | Unscreened,
        *,
        speed: float | None,
        gather: float = 0.0,
    ):
        self.name, self.sensor, self.frame, self.config = name, sensor, frame, config
        self.screen, self.speed, self._gather = screen, speed, Gatherer(gather)
        is_radar = sensor.kind == "gpr"
        self._spacing = (settings.radar if is_radar else settings.coils).spacing
        footprint = settings.radar_footprint if is_radar else settings.coil_footprint
        right = sensor.lever_arms[:, 0]
        width = float(np.ptp(right)) + 2 * footprint if len(right) else 0.0
        self._stretches = Stretches(
            name, sensor.kind, width=width, interval=config.report_interval
        )
        self._latency = self._reach = screen.reach(sensor)
        self._resample = ResampleTrack(spacing=self._spacing, max_step=settings.max_gap)
        self._limit = math.inf if config.limits is None else config.limits.position_error
        self._cells = CellReport(
            cell=config.cell,
            footprint=footprint,
            limit=self._limit,
            max_step=settings.max_gap,
        )
        self._next_cells: float | None = None
        self.runs = RunQueue()
        self.start = math.nan  #: s, of the first scan
        self._last = math.nan
        self._along = 0.0  # m, of a platform without positions
        self._still = Standstill(reach=self._spacing)
        self._begins_with_gap = False
        self._out_flags: int | None = None
        self._alarms = PartAlarms(name, sensor.kind, is_located=speed is None)
        self.n_scans = 0

    @property
    def states(self) -> Counter[str]:
        """Scans settled, by state."""
        return self._stretches.states

    @property
    def not_observed(self) -> Counter[str]:
        """Scans settled and not wholly observed, by reason."""
        return self._stretches.not_observed

    @property
    def length(self) -> float:
        """Metres of track settled."""
        return self._stretches.length

    def begin(self, time: float, *, behind_gap: bool) -> list[Event]:
        """
        Begin the part.

        Parameters
        ----------
        time : float
            Of its first scan, s.
        behind_gap : bool
            Whether the screen has taken a part before.

        Returns
        -------
        events : list of Event
            That it begins.
        """
        self._begins_with_gap, self.start = behind_gap, time
        name = self.name
        return [LaneBegun(stream=name.stream, lane=name.lane, part=name.number, time=time)]

    def push(self, scans: Sequence[Scan], poses: Poses) -> list[Event]:
        """
        Take the next scans.

        Parameters
        ----------
        scans : sequence of Scan
            At least one, none behind a gap.
        poses : Poses
            Of these scans.

        Returns
        -------
        events : list of Event
            Alarms, chunks and coverage that are settled.

        Raises
        ------
        Exception
            Whatever a stage raises: the caller gives the part up by :meth:`fail`.
        """
        time = np.array([scan.time for scan in scans])
        flags = np.array([scan.flags for scan in scans], np.int64) | poses.flags
        self.runs.add(time, flags, poses.error, poses.height, poses.tilt)
        self.n_scans += len(scans)
        events: list[Event] = self._alarms.of_saturation(time, flags, poses)
        position, heading = self._places(time, poses)
        self._last = float(time[-1])
        quality = flags & ~(_NO_POSE | int(Quality.GAP))  # a gap ends a part, never lies in one
        if self._begins_with_gap:
            quality[0] |= Quality.GAP
            self._begins_with_gap = False
        chunk = Sweep(
            samples=np.stack([scan.samples for scan in scans]),
            time=time,
            position=position,
            heading=heading,
            quality=quality,
            sensor=self.sensor,
            lane=self.name.lane,
            frame=self.frame,
            history=(f"live stream '{self.name.stream}'",),
        )
        return events + self._pass(self._resample.process(chunk))

    def end(self, reason: str) -> list[Event]:
        """
        Flush the part.

        Parameters
        ----------
        reason : str
            Why it ends.

        Returns
        -------
        events : list of Event
            What waited for traces that will not come, and the report.
        """
        events = self._pass(self._resample.flush(), is_last=True)
        scores: list[Sweep] = []
        self.screen.note = scores.append
        found = self.screen.end_part()
        events += self._tell(scores, found)
        last = edge() if self._out_flags is None else self._out_flags
        events += self._account(self.runs.take_all(last))
        return events + self._close(reason, self._report_cells())

    def fail(self, error: Exception) -> list[Event]:
        """
        Give the part up: what is pending must not be used.

        Parameters
        ----------
        error : Exception
            What a stage raised.

        Returns
        -------
        events : list of Event
            The failure with its cause, and the report.
        """
        name = self.name
        start, stop = self.runs.span
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        events: list[Event] = [
            LaneFailed(
                stream=name.stream,
                lane=name.lane,
                part=name.number,
                start_time=start,
                stop_time=stop,
                cause=cause,
            )
        ]
        for run in self.runs.take_all(0):
            events += self._stretches.add(run, Observation.INVALID, (LANE_FAILED,))
        try:
            cells = self._report_cells()
        except Exception:  # noqa: BLE001, they may be what failed
            cells = []
        return events + self._close("failed", cells)

    def _close(self, reason: str, cells: list[Event]) -> list[Event]:
        """Tell the last stretch, the last cells and what came of the part."""
        name = self.name
        events = self._stretches.end() + cells
        not_observed = dict(sorted(self.not_observed.items()))
        events.append(
            LaneEnded(
                stream=name.stream,
                lane=name.lane,
                part=name.number,
                time=self._last,
                reason=reason,
                n_scans=self.n_scans,
                n_observed=self.states[Observation.OBSERVED_NO_ALARM.name],
                not_observed=not_observed,
                n_alarms=self._alarms.n_raised,
                length=self.length,
            )
        )
        return events

    def _places(self, time: np.ndarray, poses: Poses) -> tuple[np.ndarray, np.ndarray]:
        """Return where the traces are taken to be: as they are, standing, or by their speed."""
        if self.speed is not None:
            steps = np.diff(time, prepend=time[0] if math.isnan(self._last) else self._last)
            along = self._along + np.cumsum(steps) * self.speed
            self._along = float(along[-1])
            zero = np.zeros(len(time))
            return np.column_stack([zero, along, zero]), zero
        is_still = poses.speed < self.config.standstill
        return self._still.hold(poses.position, is_still), poses.heading

    def _pass(self, more: Sweep, *, is_last: bool = False) -> list[Event]:
        """Pass traces at equal distances through the screen, as many together as may wait."""
        even = self._gather.take(more, self._last, is_last=is_last)
        if not len(even):
            return []
        if self._gather.wait:
            self._latency = self._reach + self._spacing * (len(even) - 1)
        if self.speed is not None:
            even = Sweep(
                samples=even.samples,
                time=even.time,
                position=np.full((len(even), 3), np.nan),
                heading=np.full(len(even), np.nan),
                quality=even.quality | _NO_POSE,
                sensor=even.sensor,
                lane=even.lane,
                frame=even.frame,
                history=even.history,
            )
        scores: list[Sweep] = []
        self.screen.note = scores.append
        found = self.screen.push(even)
        return self._tell(scores, found)

    def _tell(self, scores: list[Sweep], found: list[Candidate]) -> list[Event]:
        """Return the events of traces that came out of the stages, and of candidates."""
        events: list[Event] = []
        for sweep in scores:
            events += self._tell_chunk(sweep)
        return events + [self._alarms.of_candidate(c, latency=self._latency) for c in found]

    def _tell_chunk(self, sweep: Sweep) -> list[Event]:
        """Return the chunk, the coverage of its scans, and cells if it is time for them."""
        name = self.name
        errors, heights, tilts = self.runs.at(sweep.time)
        self._alarms.note_errors(sweep.time, errors)
        events: list[Event] = [
            LaneChunk(
                stream=name.stream,
                lane=name.lane,
                part=name.number,
                sweep=sweep,
                height=heights,
                tilt=tilts,
                position_error=errors,
            )
        ]
        self._out_flags = int(sweep.quality[-1]) & ~int(Quality.GAP)
        spacing = self._spacing if self.speed is None else 0.0
        events += self._account(
            self.runs.settle(
                sweep.time, sweep.quality & ~np.int64(Quality.GAP), spacing=spacing
            )
        )
        if self.speed is None and self.config.limits is not None:
            self._cells.add(sweep, errors)
            now = float(sweep.time[-1])
            if self._next_cells is None:
                self._next_cells = now + self.config.report_interval
            if now >= self._next_cells:
                events += self._report_cells()
                self._next_cells = now + self.config.report_interval
        return events

    def _report_cells(self) -> list[Event]:
        """Return the cells passed since the last report."""
        cells, is_observed, reasons = self._cells.take()
        if not len(cells):
            return []
        return [
            CoverageCells(
                stream=self.name.stream,
                sensor=self.sensor.kind,
                lane=self.name.lane,
                time=self._alarms.newest,
                cell=self.config.cell,
                cells=cells,
                is_observed=is_observed,
                reasons=reasons,
            )
        ]

    def _account(self, runs: list[Run]) -> list[Event]:
        """Settle runs of scans."""
        events: list[Event] = []
        for run in runs:
            state, reasons = state_of_run(run, self._limit), reasons_of(run.flags)
            if self.config.limits is None and state < Observation.NOT_OBSERVED:
                state, reasons = Observation.NOT_OBSERVED, (LIMITS_NOT_STATED,)
            events += self._stretches.add(run, state, reasons)
        return events

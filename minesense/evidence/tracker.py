"""Follow which ground is observed, live or from recordings, with the same result."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from ..alarm import Alarm
from .function_checks import FunctionCheck, JudgedCheck, judge_check
from .grid import CoverageGrid, Layer, States, layer_without_data
from .looks import Looks, Window
from .sessions import Session
from .site import Site
from .stretches import Stretches
from .task_cells import task_cells
from .track import Track

#: Radius of the disc that holds 95 % of a circular normal error of standard deviation 1.
DISC_95 = math.sqrt(-2 * math.log(0.05))

#: Samples that are looked at together; bounds the memory of a long track.
_BLOCK = 50_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellChanges:
    """Cells of one layer whose state is another than when last asked."""

    layer: int  #: index in `CoverageGrid.layers`
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    state: States  #: what they are now


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reported:
    """An alarm and the sensors whose layers show it; all if none is named."""

    alarm: Alarm
    sensors: tuple[str, ...]


class CoverageTracker:
    """
    Gather tracks, alarms and function checks into a grid of states, as they come.

    However tracks are cut into chunks, and wherever checks and alarms come between them, the
    grid is the same, bit for bit, as that of :func:`observe_site` for all at once. Tracks of a
    session must come in order of time, and so must its checks.

    Parameters
    ----------
    site : Site
        Polygons, targets, sensors, footprints and gates.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import CoverageTracker, State, Track, read_site
    >>> tracker = CoverageTracker(read_site("examples/site.toml"))
    >>> northing = np.arange(0.0, 4.0, 0.04)
    >>> track = Track(
    ...     sensor="coil",
    ...     session="1",
    ...     lane="A",
    ...     time=northing / 0.5,
    ...     position=np.column_stack([0 * northing + 1.0, northing]),
    ...     heading=0.0,
    ...     height=0.05,
    ...     tilt=0.0,
    ...     position_error=0.02,
    ...     noise=1.0,
    ...     frame=tracker.site.frame.frame,
    ... )
    >>> tracker.push_track(track)
    >>> change = tracker.changed()[0]  # no function check yet: nothing may be used
    >>> {State(int(k)).name for k in np.unique(change.state)}
    {'INVALID'}
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self._cells = task_cells(site)
        n_rows, n_columns = self._cells.units.shape
        self._whole = Window(0, n_rows, 0, n_columns)
        self._looks = [
            Looks(sensor, footprint, self._cells.origin, site.cell, self._whole)
            for sensor in site.sensor
            for footprint in sensor.footprint
        ]
        self._sessions: dict[tuple[str, str], Session] = {}
        self._passes: dict[tuple[str, str, int, int], int] = {}
        self._alarms: dict[str, _Reported] = {}
        self._disposed: dict[str, str] = {}
        self._reported = [np.zeros((n_rows, n_columns), np.uint8) for _ in self._looks]
        self._dirty: list[tuple[float, float, float, float]] = []
        self._is_finished = False

    def push_track(self, track: Track) -> None:
        """
        Take in a track or a chunk of one.

        Parameters
        ----------
        track : Track
            Of a sensor of the site, in the frame and by the clock of the task.

        Raises
        ------
        TypeError
            If it is not a Track.
        ValueError
            If the sensor is unknown, frame or clock differ from the site's, the track begins
            before the end of what came before in its session, or its session overlaps another
            of the same sensor in time.
        """
        self._check_open()
        if not isinstance(cast("object", track), Track):
            msg = f"Invalid track of type {type(track).__name__}. Must be a Track."
            raise TypeError(msg)
        if track.frame != self.site.frame.frame:
            msg = (
                f"Invalid frame {track.frame} of lane '{track.lane}'. Must be that of the "
                f"site, {self.site.frame.frame}."
            )
            raise ValueError(msg)
        self._check_clock(track.clock, f"lane '{track.lane}'")
        self.site.sensor_named(track.sensor)
        if not len(track):
            return
        first, last = float(track.time[0]), float(track.time[-1])
        session = self._session(track.sensor, track.session, first, last)
        session.check_order(track)
        self._sessions[track.sensor, track.session] = session
        for start in range(0, len(track), _BLOCK):
            stretches = session.add(track[start : start + _BLOCK])
            self._note_dirty(stretches)
            self._settle(session, at_end=False)

    def push_check(self, check: FunctionCheck) -> JudgedCheck:
        """
        Take in a function check; return whether it passed.

        Parameters
        ----------
        check : FunctionCheck
            Of a sensor of the site, by the clock of the task.

        Returns
        -------
        judged : JudgedCheck
            With the reason in words.

        Raises
        ------
        ValueError
            If the sensor is unknown, the clock differs, the check is not later than the last
            one of its session, or the session overlaps another of the same sensor in time.
        """
        self._check_open()
        self._check_clock(check.clock, f"function check at {check.time} s")
        judged = judge_check(check, self.site.sensor_named(check.sensor).gates)
        session = self._session(check.sensor, check.session, check.time, check.time)
        self._note_dirty(session.pending()[0])
        session.add_check(judged)
        self._sessions[check.sensor, check.session] = session
        self._settle(session, at_end=False)
        return judged

    def push_alarm(self, alarm: Alarm, *, sensors: Iterable[str] = ()) -> None:
        """
        Take in an alarm, which stays until a named person has disposed of it.

        Parameters
        ----------
        alarm : Alarm
            One without a position is kept and counted, and shown nowhere.
        sensors : iterable of str
            Identifiers of those whose layers show it; all of them by default.

        Raises
        ------
        ValueError
            If there was an alarm with this identifier, or a sensor is unknown.
        """
        self._check_open()
        names = tuple(self.site.sensor_named(name).identifier for name in sensors)
        if alarm.identifier in self._alarms:
            msg = f"Invalid alarm '{alarm.identifier}': it came before. Must have its own name."
            raise ValueError(msg)
        self._alarms[alarm.identifier] = _Reported(alarm=alarm, sensors=names)
        self._note_alarm(alarm)

    def dispose(self, identifier: str, *, by: str) -> None:
        """
        Note that a named person has dealt with an alarm, which ends its ALARM on the ground.

        Parameters
        ----------
        identifier : str
            Of an alarm that came before.
        by : str
            Pseudonym of the person.

        Raises
        ------
        ValueError
            If there was no such alarm, or nobody is named.
        """
        self._check_open()
        if identifier not in self._alarms:
            msg = f"Invalid alarm '{identifier}'. Must be one that was pushed."
            raise ValueError(msg)
        if not by.strip():
            msg = f"Invalid by {by!r}. Must name a person."
            raise ValueError(msg)
        self._disposed[identifier] = by
        self._note_alarm(self._alarms[identifier].alarm)

    def finish(self) -> CoverageGrid:
        """
        End all sessions and return the grid; what no check follows is INVALID.

        Nothing can be pushed afterwards.
        """
        for session in self._sessions.values():
            self._note_dirty(session.pending()[0])
            self._settle(session, at_end=True)
        self._is_finished = True
        return self.grid()

    def grid(self) -> CoverageGrid:
        """
        Return the grid as it is now.

        What waits for its next function check is PARTIALLY_OBSERVED at best, with the reason
        CHECK_PENDING.
        """
        looks = iter(self._looks)
        layers: list[Layer] = []
        for sensor in self.site.sensor:
            alarmed = self._alarmed(sensor.identifier, self._whole)
            for _ in sensor.footprint:
                layers.append(self._with_pending(next(looks), self._whole).layer(alarmed))
        for sensor in self.site.sensor:
            for blind in sensor.cannot_see:
                layers.append(
                    layer_without_data(
                        self._cells.units.shape,
                        sensor=sensor.identifier,
                        model=blind,
                        alarmed=self._alarmed(sensor.identifier, self._whole),
                    )
                )
        sessions = [self._sessions[key] for key in sorted(self._sessions)]
        return CoverageGrid(
            origin=self._cells.origin,
            cell=self.site.cell,
            frame=self.site.frame.frame,
            areas_named=tuple(area.name for area in self.site.area),
            units=self._cells.units,
            area_index=self._cells.area_index,
            layers=tuple(layers),
            unlocated={
                sensor.identifier: sum(s.n_unlocated for s in sessions if s.sensor is sensor)
                for sensor in self.site.sensor
            },
            checks=tuple(judged for s in sessions for judged in s.checks.judged),
            invalid=tuple(interval for s in sessions for interval in s.invalid),
            alarms={name: name in self._disposed for name in sorted(self._alarms)},
        )

    def changed(self) -> tuple[CellChanges, ...]:
        """
        Return the cells whose state is another than at the last call, layer by layer.

        Applied in turn to a grid of NOT_OBSERVED, the changes make the states of :meth:`grid`.
        Layers of what a sensor cannot see come last there, and have none.
        """
        window = self._dirty_window()
        self._dirty = []
        if window is None:
            return ()
        changes = []
        for k, (looks, reported) in enumerate(zip(self._looks, self._reported, strict=True)):
            now = self._with_pending(looks, window)
            if now is looks:
                now = looks.part(window)
            state, _ = now.states(self._alarmed(looks.sensor.identifier, window))
            old = reported[window.slices]
            rows, columns = np.nonzero(state != old)
            if len(rows):
                changes.append(
                    CellChanges(
                        layer=k,
                        rows=rows + window.row,
                        columns=columns + window.column,
                        state=state[rows, columns],
                    )
                )
                old[...] = state
        return tuple(changes)

    def _with_pending(self, looks: Looks, window: Window) -> Looks:
        """Return looks in a window with those that wait for a check; themselves if none do."""
        mine = [s for s in self._sessions.values() if s.sensor is looks.sensor]
        pending = [(session, *session.pending()) for session in mine]
        pending = [item for item in pending if len(item[1].flags)]
        if not pending and window == looks.window:
            return looks
        now = looks.part(window)
        for session, stretches, epochs in pending:
            now.add(stretches, self._pass_numbers(session, stretches, epochs))
        return now

    def _settle(self, session: Session, *, at_end: bool) -> None:
        """Look along the stretches of a session whose checks are known."""
        stretches, epochs = session.decided(at_end=at_end)
        if not len(stretches.flags):
            return
        passes = self._pass_numbers(session, stretches, epochs)
        for looks in self._looks:
            if looks.sensor is session.sensor:
                looks.add(stretches, passes)

    def _pass_numbers(
        self, session: Session, stretches: Stretches, epochs: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Return a number for each lane of a session between two checks."""
        if not len(epochs):
            return epochs
        # Lanes and epochs follow each other in time.
        is_new = (np.diff(stretches.lanes) != 0) | (np.diff(epochs) != 0)
        starts = np.concatenate([[0], np.flatnonzero(is_new) + 1])
        name = (session.sensor.identifier, session.identifier)
        numbers = [
            self._passes.setdefault(
                (*name, int(stretches.lanes[k]), int(epochs[k])), len(self._passes)
            )
            for k in starts
        ]
        lengths = np.diff(np.concatenate([starts, [len(epochs)]]))
        return np.repeat(np.array(numbers, np.int32), lengths)

    def _session(self, sensor: str, identifier: str, first: float, last: float) -> Session:
        """Return a session, new or known, that may hold a span of time."""
        for (other_sensor, name), other in self._sessions.items():
            if other_sensor == sensor and name == identifier:
                first, last = min(first, other.first), max(last, other.last)
        for (other_sensor, name), other in self._sessions.items():
            is_beside = other_sensor == sensor and name != identifier
            if is_beside and first <= other.last and last >= other.first:
                msg = (
                    f"Invalid session '{identifier}' of sensor '{sensor}': {first} to {last} s "
                    f"overlaps session '{name}', {other.first} to {other.last} s. Must lie "
                    "apart: a sensor is in one place at a time, so the clocks contradict "
                    "each other."
                )
                raise ValueError(msg)
        known = self._sessions.get((sensor, identifier))
        return known or Session(self.site.sensor_named(sensor), identifier)

    def _check_clock(self, clock: str, what: str) -> None:
        """Raise unless a stamp is by the clock of the task."""
        if clock and clock != self.site.task.clock:
            msg = (
                f"Invalid clock '{clock}' of {what}. Must be '{self.site.task.clock}', that of "
                "the task: stamps of two clocks cannot be compared."
            )
            raise ValueError(msg)

    def _check_open(self) -> None:
        """Raise if the grid is finished."""
        if self._is_finished:
            msg = "Invalid push to a tracker that is finished. Must begin a new one."
            raise ValueError(msg)

    def _alarmed(self, sensor: str, window: Window) -> npt.NDArray[np.bool_]:
        """Return which cells of a window lie within an alarm that nobody has disposed of."""
        from .._kernels.evidence_grid import mark_discs  # noqa: PLC0415 - see Looks.add

        marks = np.zeros(
            (window.row_end - window.row, window.column_end - window.column), np.uint8
        )
        discs = [
            _disc(item.alarm, self.site)
            for name, item in self._alarms.items()
            if name not in self._disposed and (not item.sensors or sensor in item.sensors)
        ]
        table = np.array([disc for disc in discs if np.isfinite(disc).all()]).reshape(-1, 3)
        mark_discs(
            np.ascontiguousarray(table[:, :2]),
            np.ascontiguousarray(table[:, 2]),
            *self._cells.origin,
            self.site.cell,
            window.row,
            window.column,
            marks,
        )
        return marks.astype(np.bool_)

    def _note_alarm(self, alarm: Alarm) -> None:
        """Remember where an alarm changes states."""
        east, north, radius = _disc(alarm, self.site)
        if math.isfinite(east + north + radius):
            self._dirty.append((east - radius, north - radius, east + radius, north + radius))

    def _note_dirty(self, stretches: Stretches) -> None:
        """Remember where stretches change states."""
        if not len(stretches.flags):
            return
        ends = np.concatenate([stretches.starts, stretches.stops])
        error = np.where(np.isfinite(stretches.error), stretches.error, 0.0).max()
        wide = error + max(max(looks.footprint.radii) for looks in self._looks)
        low, high = ends.min(axis=0) - wide, ends.max(axis=0) + wide
        self._dirty.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))

    def _dirty_window(self) -> Window | None:
        """Return the part of the grid in which states may have changed."""
        if not self._dirty:
            return None
        boxes = np.array(self._dirty)
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        origin, cell, whole = np.array(self._cells.origin), self.site.cell, self._whole
        first = np.floor((low - origin) / cell) - 1
        last = np.floor((high - origin) / cell) + 2
        column, row = (int(max(value, 0)) for value in first)
        column_end = int(min(last[0], whole.column_end))
        row_end = int(min(last[1], whole.row_end))
        if row >= row_end or column >= column_end:
            return None
        return Window(row, row_end, column, column_end)


def _disc(alarm: Alarm, site: Site) -> tuple[float, float, float]:
    """Return easting, northing and radius (m) of the ground that an alarm is shown on."""
    error = alarm.position_error if math.isfinite(alarm.position_error) else 0.0
    # Half a diagonal more: every cell that the disc touches.
    radius = site.alarm.radius + DISC_95 * error + site.cell * math.sqrt(0.5)
    return alarm.easting, alarm.northing, radius

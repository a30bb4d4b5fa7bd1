"""Recorded traces on their way to a screen, which judges traces at equal distances."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._version import __version__
from ..gaps import Gap, GapFinder, cut_at
from ..resampling import ResampleTrack
from ..stage import check_follows
from ..standstill import STANDSTILL, Standstill, TrackSpeed
from ..stuck import StuckFinder
from ..sweep import Floats, Quality, Sweep, form_of, join
from .track_shape import TrackShape

#: How far traces without samples or a place wait for others, times as far as is bridged.
_PATIENCE = 4

_BY_TRACE = ("samples", "time", "position", "heading", "quality")


class _Fix(NamedTuple):
    """When and where a trace was recorded."""

    time: float
    position: Floats
    heading: float

    @classmethod
    def of(cls, run: Sweep, k: int) -> _Fix:
        """Return that of a trace, of which a driver may let the buffer go."""
        return cls(float(run.time[k]), run.position[k].copy(), float(run.heading[k]))


class _Placed(NamedTuple):
    """A run of traces that have places by their time."""

    begin: float  #: s, of the trace before it
    end: float  #: s, of the trace after it
    first: Floats  #: place of its first trace, m
    last: Floats


class EvenTrack:
    """
    Bring one sensor's traces along one lane to equal distances, chunk by chunk.

    Windows, features and learnt shapes count traces. So a lane is judged at the spacing of the
    settings, however fast it was swept, and as a live session does it:
    :func:`~minesense.resampling.resample_track` with `max_step`, from the first trace on and
    from each gap on anew.

    Parameters
    ----------
    spacing : float
        Distance between the traces returned, in metres.
    max_step : float
        Longest distance between neighbours that is bridged, in metres.
    max_pause : float
        As of :class:`~minesense.gaps.GapFinder`, in seconds.

    Attributes
    ----------
    gaps : list of Gap
        Found so far, between the traces as they were recorded.

    Notes
    -----
    **Nothing that was recorded is dropped for lack of a place.** Traces without a place, in
    runs as far as `max_step` and about as long, get places in proportion to time, and those
    made of them the flag POSE_NONE. Longer runs, and those before the first and after the last
    trace with samples and a place, go on as they were recorded, with their flags: where nobody
    knows how far apart traces are, they are taken to be as far apart as `spacing`, or as those
    before them if these were denser. Dropouts between traces with places stay dropouts; more
    than four times `max_step` of them go on as recorded, too.

    The place of a platform that stands is held as a session holds it
    (:mod:`minesense.standstill`). STUCK is looked for before traces are mixed: sums of equal
    traces differ by rounding.
    """

    def __init__(self, *, spacing: float, max_step: float, max_pause: float):
        self.spacing, self.max_step, self.max_pause = spacing, max_step, max_pause
        self.gaps: list[Gap] = []
        # a rounding more than the finder's, which has cut what is farther
        self._resample = ResampleTrack(spacing=spacing, max_step=max_step * (1 + 1e-9))
        self._finder = GapFinder(max_step=max_step, max_pause=max_pause, spacing=spacing)
        self._stuck = StuckFinder()
        self._form: Sweep | None = None
        self._last_time = -np.inf
        self._last: _Fix | None = None  # of the last trace that was resampled
        self._waiting: list[Sweep] = []  # traces without samples or a place, since then
        self._n_lost = 0  # of them, those without a place
        self._placed: list[_Placed] = []
        self._shape = TrackShape(spacing=spacing)
        self._speed, self._still = TrackSpeed(), Standstill(reach=spacing)
        # of a run that goes on as recorded: its traces so far, flags of those left out behind
        # the last one kept, the flags of that, and the last one left out
        self._n_passed, self._passed_over, self._passed_on = 0, 0, 0
        self._left_out: Sweep | None = None

    def __repr__(self) -> str:
        """Return it as it was made, for the history of traces."""
        return (
            f"EvenTrack(spacing={self.spacing!r}, max_step={self.max_step!r}, "
            f"max_pause={self.max_pause!r})"
        )

    def process(self, chunk: Sweep) -> Sweep:
        """
        Take the next chunk of the lane.

        Parameters
        ----------
        chunk : Sweep
            Traces that follow those before.

        Returns
        -------
        traces : Sweep
            Those that are final; the first behind a gap has the flag GAP.

        Raises
        ------
        TypeError, ValueError
            If the chunk does not continue the lane.
        """
        if not isinstance(chunk, Sweep):
            msg = f"Invalid chunk of type {type(chunk).__name__}. Must be a Sweep."
            raise TypeError(msg)
        form = form_of(chunk) if self._form is None else self._form
        unflagged = dataclasses.replace(chunk, quality=chunk.quality & ~Quality.GAP)
        check_follows(unflagged, form, self._last_time)
        if self._form is None:
            history = (*chunk.history, f"minesense {__version__}: {self!r}")
            self._form = dataclasses.replace(form, history=history)
        if len(chunk):
            self._last_time = float(chunk.time[-1])
        gaps = self._finder.find(_without_flagged_places(chunk))
        self.gaps += [gap for _, gap in gaps]
        first, *others = cut_at(self._stuck.flag(chunk), [i for i, _ in gaps])
        found = self._take(first)
        for part in others:
            found += [*self._give_up(), *self._end_of_run(), *self._take(part)]
        return self._joined(found)

    def flush(self) -> Sweep:
        """
        End the lane.

        Returns
        -------
        traces : Sweep
            Those that waited for what might follow.

        Raises
        ------
        ValueError
            If nothing was taken, traces are too far apart for the spacing, or the track winds
            as that of a swung head.
        """
        if self._form is None:
            msg = "Invalid lane: nothing was taken. Must hold at least one chunk."
            raise ValueError(msg)
        self._shape.refuse_coarse(self._name)
        self._shape.refuse_winding(self._name)
        return self._joined([*self._give_up(), *self._end_of_run()])

    def _take(self, part: Sweep) -> list[Sweep]:
        """Return what is final after traces without a gap."""
        is_placed = _has_place(part)
        is_good = part.is_usable & is_placed
        bounds = [0, *(np.flatnonzero(np.diff(is_good)) + 1), len(part)]
        found: list[Sweep] = []
        for start, stop in itertools.pairwise(bounds):
            run = part[start:stop]
            if start < stop and not is_good[start]:
                found += self._wait(run, is_placed[start:stop])
            elif start < stop:
                found += self._go_on(run)
        return found

    def _wait(self, run: Sweep, is_placed: npt.NDArray[np.bool_]) -> list[Sweep]:
        """Keep traces without samples or a place until it is known how long there are such."""
        if self._last is None:
            return self._as_recorded(run)
        copies = {name: getattr(run, name).copy() for name in _BY_TRACE}
        self._waiting.append(dataclasses.replace(run, **copies))  # a driver's buffers go
        self._n_lost += int(np.count_nonzero(~is_placed))
        away = run.position[is_placed, :2] - self._last.position[:2]
        farthest = float(np.hypot(*away.T).max(initial=0.0))
        longest = _PATIENCE * self.max_step
        is_long = self._n_lost * self._shape.pace > longest or farthest > longest
        return self._give_up() if is_long else []

    def _go_on(self, run: Sweep) -> list[Sweep]:
        """Return what is final after a run of good traces, behind those that waited or not."""
        found = self._end_of_run()
        goes_on = self._last is not None
        if self._last is not None and self._waiting:
            step = math.dist(run.position[0, :2], self._last.position[:2])
            # more track than lies between the places: there and back, or a stand
            is_long = self._n_lost * self._shape.pace > step + self.max_step
            if self._n_lost and (step > self.max_step or is_long):
                found, goes_on = [*self._give_up(), *self._end_of_run()], False
            else:
                goes_on = self._n_lost > 0  # over dropouts alone nobody knows the steps
                bridged = self._bridged(self._last, run)
                found.append(self._flagged(self._resample.process(bridged)))
        speed = self._speed.speeds(run.time, run.position[:, :2])
        held = self._still.hold(run.position, speed < STANDSTILL)
        if held is not run.position:
            run = dataclasses.replace(run, position=held)
        self._shape.note(run.position[:, :2], goes_on=goes_on)
        self._last = _Fix.of(run, -1)
        return [*found, self._flagged(self._resample.process(run))]

    def _bridged(self, last: _Fix, following: Sweep) -> Sweep:
        """Return the traces that waited, those without a place at one in proportion to time."""
        waiting = join(self._waiting)
        is_lost = ~_has_place(waiting)
        if is_lost.any():
            after = _Fix.of(following, 0)
            share = (waiting.time - last.time) / (after.time - last.time)
            place = last.position + share[:, None] * (after.position - last.position)
            turn = (after.heading - last.heading + math.pi) % (2 * math.pi) - math.pi
            waiting = dataclasses.replace(
                waiting,
                position=np.where(is_lost[:, None], place, waiting.position),
                heading=np.where(is_lost, last.heading + share * turn, waiting.heading),
                quality=waiting.quality & ~Quality.POSE_NONE,
            )
            place = place[is_lost, :2]
            self._shape.note(place, goes_on=True)
            self._placed.append(_Placed(last.time, after.time, place[0], place[-1]))
        self._waiting, self._n_lost = [], 0
        return waiting

    def _give_up(self) -> list[Sweep]:
        """Return the last traces of a stretch at equal distances, and as it was what waited."""
        found = [*self._end_of_run(), self._flagged(self._resample.flush(), is_end=True)]
        self._n_passed, self._placed = 0, []
        self._speed, self._still = TrackSpeed(), Standstill(reach=self.spacing)
        waiting, self._last, self._waiting, self._n_lost = self._waiting, None, [], 0
        for run in waiting:
            found += self._as_recorded(run)
        return found

    def _as_recorded(self, run: Sweep) -> list[Sweep]:
        """Return traces that are not resampled: of dense ones each so many."""
        stride = max(1, round(self.spacing / self._shape.pace))
        if stride == 1:
            return [run]
        keep, quality = np.zeros(len(run), np.bool_), run.quality.copy()
        for i in range(len(run)):
            self._passed_over |= int(run.quality[i])
            if self._n_passed % stride == 0:
                quality[i] = self._passed_on = self._passed_over
                self._passed_over = 0
                keep[i] = True
            self._n_passed += 1
        if not keep[-1]:
            by_trace = {name: getattr(run, name)[-1:].copy() for name in _BY_TRACE}
            self._left_out = dataclasses.replace(run, **by_trace)
        kept = {name: getattr(run, name)[keep] for name in _BY_TRACE if name != "quality"}
        return [dataclasses.replace(run, **kept, quality=quality[keep])]

    def _end_of_run(self) -> list[Sweep]:
        """Return the last trace left out of a run, if it ends with flags that none has."""
        flags, self._passed_over = self._passed_over, 0
        if not flags & ~self._passed_on or self._left_out is None:
            return []
        return [dataclasses.replace(self._left_out, quality=np.array([flags]))]

    def _joined(self, found: list[Sweep]) -> Sweep:
        """Return traces of the lane as one sweep, with the history of the first, the form."""
        assert self._form is not None
        return join([self._form, *found])

    def _flagged(self, traces: Sweep, *, is_end: bool = False) -> Sweep:
        """Return traces at equal distances, those made of traces without a place flagged."""
        if not len(traces) or not self._placed:
            return traces
        quality = traces.quality.copy()
        for run in self._placed:
            first = int(np.searchsorted(traces.time, run.begin, side="right"))
            stop = int(np.searchsorted(traces.time, run.end, side="left"))
            # and those within half a spacing of them, as with other flags
            if first > 0 and _is_near(traces, first - 1, run.first, self.spacing / 2):
                first -= 1
            if stop < len(traces) and _is_near(traces, stop, run.last, self.spacing / 2):
                stop += 1
            if is_end and first == len(traces):
                first -= 1  # they lie behind the last one, less than a spacing
            quality[first:stop] |= int(Quality.POSE_NONE)
        self._placed = [run for run in self._placed if run.end > traces.time[-1]]
        return dataclasses.replace(traces, quality=quality)

    @property
    def _name(self) -> str:
        """Name of the lane, for errors."""
        assert self._form is not None
        return f"lane '{self._form.lane}' of sensor '{self._form.sensor.name}'"


def _has_place(sweep: Sweep) -> npt.NDArray[np.bool_]:
    """Return which traces have a place; what is flagged has none, whatever it says."""
    is_known = (sweep.quality & Quality.POSE_NONE) == 0
    return np.asarray(np.isfinite(sweep.position[:, :2]).all(axis=1) & is_known)


def _is_near(traces: Sweep, k: int, place: Floats, reach: float) -> bool:
    """Return whether a trace lies as near to a place as `reach`."""
    return math.dist(traces.position[k, :2], place) <= reach


def _without_flagged_places(sweep: Sweep) -> Sweep:
    """Return a sweep whose positions are NaN where they are flagged, for who looks at them."""
    is_flagged = ~_has_place(sweep)
    if not np.isfinite(sweep.position[is_flagged, :2]).any():
        return sweep
    position = np.where(is_flagged[:, None], np.nan, sweep.position)
    return dataclasses.replace(sweep, position=position)

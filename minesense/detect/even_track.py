"""Recorded traces on their way to a screen, which judges traces at equal distances."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

from .._version import __version__
from ..gaps import GapFinder, cut_at
from ..resampling import ResampleTrack
from ..stage import check_follows
from ..stuck import StuckFinder
from ..sweep import Floats, Quality, Sweep, form_of, join

#: How far apart traces may be, in spacings, and of so many metres of track (about what the
#: stages look at) the least share that a lane gets farther by: half of its length must.
_COARSEST, _STRETCH, _STRAIGHTEST = 1.3, 2.0, 0.7

#: A sweep without a place for so many times as far as is bridged goes on as it was recorded.
_PATIENCE = 4


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

    Notes
    -----
    **No trace is lost.** Traces without a place are bridged as far as `max_step`; a longer run
    of them goes on as it was recorded, with its flags: where nobody knows how far apart traces
    are, they are taken to be as far apart as `spacing`. So does what lies before the first and
    after the last trace with samples and a place. Dropouts between such traces stay dropouts.

    STUCK is looked for before traces are mixed: sums of equal traces differ by rounding.
    """

    def __init__(self, *, spacing: float, max_step: float, max_pause: float):
        self.spacing, self.max_step, self.max_pause = spacing, max_step, max_pause
        # a rounding more than the finder's, which has cut what is farther
        self._resample = ResampleTrack(spacing=spacing, max_step=max_step * (1 + 1e-9))
        self._finder = GapFinder(max_step=max_step, max_pause=max_pause, spacing=spacing)
        self._stuck = StuckFinder()
        self._longest = _PATIENCE * math.ceil(max_step / spacing)
        self._form: Sweep | None = None
        self._last_time = -np.inf
        self._last: Floats | None = None  # position of the last trace that was resampled
        self._waiting: list[Sweep] = []  # traces without samples or a place, since then
        self._n_lost = 0  # of them, those without a place
        self._runs: list[Floats] = [np.empty((0, 2))]  # places of traces, m

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
        starts = [i for i, _ in self._finder.find(chunk)]
        first, *others = cut_at(self._stuck.flag(chunk), starts)
        found = self._take(first)
        for part in others:
            found += [*self._give_up(), *self._take(part)]
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
        self._refuse_coarse()
        self._refuse_winding()
        return self._joined(self._give_up())

    def _take(self, part: Sweep) -> list[Sweep]:
        """Return what is final after traces without a gap."""
        has_place = np.isfinite(part.position[:, :2]).all(axis=1)
        has_place &= (part.quality & Quality.POSE_NONE) == 0
        is_good = part.is_usable & has_place
        bounds = [0, *(np.flatnonzero(np.diff(is_good)) + 1), len(part)]
        found: list[Sweep] = []
        for start, stop in itertools.pairwise(bounds):
            run = part[start:stop]
            if start < stop and not is_good[start]:
                found += self._wait(run, int(np.count_nonzero(~has_place[start:stop])))
            elif start < stop:
                found += [*self._go_on(run), self._resample.process(run)]
                self._runs.append(run.position[:, :2].copy())
                self._last = run.position[-1].copy()
        return found

    def _wait(self, run: Sweep, n_lost: int) -> list[Sweep]:
        """Keep traces without samples or a place until it is known how long there are such."""
        self._waiting.append(run)
        self._n_lost += n_lost
        return self._give_up() if self._last is None or self._n_lost > self._longest else []

    def _go_on(self, run: Sweep) -> list[Sweep]:
        """Return what waited before a run of good traces, or bridge it."""
        if not self._waiting or self._last is None:
            return []
        step = math.dist(run.position[0, :2], self._last[:2])
        if self._n_lost and step > self.max_step:
            return self._give_up()
        found = [self._resample.process(sweep) for sweep in self._waiting]
        self._waiting, self._n_lost = [], 0
        return found

    def _give_up(self) -> list[Sweep]:
        """Return the last traces of a stretch at equal distances, and as it was what waited."""
        found = [self._resample.flush(), *self._waiting]
        self._last, self._waiting, self._n_lost = None, [], 0
        return found

    def _joined(self, found: list[Sweep]) -> Sweep:
        """Return traces of the lane as one sweep, with the history of the first, the form."""
        assert self._form is not None
        return join([self._form, *found])

    def _refuse_coarse(self) -> None:
        """Raise if traces were recorded too far apart: most of the lane would be made up."""
        steps = np.concatenate([np.hypot(*np.diff(run, axis=0).T) for run in self._runs])
        typical = float(np.median(steps)) if len(steps) else 0.0
        if typical > _COARSEST * self.spacing:
            msg = (
                f"Invalid {self._name}: its traces are {typical:.4g} m apart. Must be at most "
                f"{self.spacing:g} m, as the settings say, within 30 %."
            )
            raise ValueError(msg)

    def _refuse_winding(self) -> None:
        """Raise if what lies behind along the track mostly lies beside it, not behind."""
        place = np.concatenate(self._runs)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(place, axis=0).T))])
        end = np.searchsorted(along, along + _STRETCH)
        start = np.flatnonzero(end < len(place))
        end = end[start]
        away = np.hypot(*(place[end] - place[start]).T) / (along[end] - along[start])
        typical = float(np.median(away)) if len(away) else 1.0
        if typical < _STRAIGHTEST:
            msg = (
                f"Invalid {self._name}: of {_STRETCH:g} m of its track it gets "
                f"{_STRETCH * typical:.2g} m farther. Must be a lane that goes straight on, "
                "not one of a swung head, with positions that do not wander."
            )
            raise ValueError(msg)

    @property
    def _name(self) -> str:
        """Name of the lane, for errors."""
        assert self._form is not None
        return f"lane '{self._form.lane}' of sensor '{self._form.sensor.name}'"

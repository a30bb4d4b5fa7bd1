"""Traces at equal distances along the track, from those that came at equal times."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ._kernels.resampling import resample
from ._validation import check_not_negative, check_one_of, check_positive
from ._version import __version__
from .held import HeldTraces
from .stage import check_follows, run_lane
from .sweep import UNUSABLE, Floats, Quality, Sweep, form_of, no_traces

Method = Literal["linear", "sinc"]

#: Lobes of the windowed sinc on each side.
_LOBES = 3

#: Share of the spacing that the end of a lane may lack to hold one more trace: sums of steps
#: between large coordinates are a little short.
_SLACK = 1e-6


def resample_track(
    sweep: Sweep,
    *,
    spacing: float,
    max_step: float,
    min_step: float = 0.0,
    method: Method = "sinc",
) -> Sweep:
    r"""
    Return traces at equal distances along the track.

    Parameters
    ----------
    sweep : Sweep
        A lane of a radar or a metal detector, recorded at any pace.
    spacing : float
        Distance between the traces returned, along the track, in metres.
    max_step : float
        Longest distance between neighbours that is bridged, in metres. Nothing is made up
        in what is longer.
    min_step : float
        Traces nearer than this to the last one used are left out, in metres: of a platform
        that stands, whose positions still wander. Well below the usual step.
    method : {"linear", "sinc"}
        What reads between traces: the line between neighbours, or a windowed sinc, which
        removes what `spacing` is too coarse for.

    Returns
    -------
    resampled : Sweep
        The first trace where the first one with samples and a position was, then one each
        `spacing`, none beyond the last. Time, position and heading lie on the line between
        the neighbours.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, `min_step` not less than `max_step`, a gap lies in
        the lane, or neighbours with nothing recorded between them are farther apart than
        `max_step`: cut the lane there with :func:`~minesense.gaps.split_at_gaps`.

    Notes
    -----
    The place :math:`s_i` of a trace is the length of the track up to it, the sum of
    horizontal steps between positions. With the sinc, a trace at s, whose neighbours are
    apart by d, is

    .. math:: y(s) = \frac{\sum_i w_i x_i}{\sum_i w_i}, \quad
        w_i = \min(\Delta_i, D)\, \mathrm{sinc}\!\left(\frac{s_i - s}{D}\right)
        \mathrm{sinc}\!\left(\frac{s_i - s}{3 D}\right), \quad D = \max(\Delta, d),

    over :math:`|s_i - s| \le 3 D` (Lanczos' window [1]_), with half the distance
    :math:`\Delta_i` between the neighbours of trace i, so that dense stretches weigh no
    more than others. What uneven steps make these weights lean to a side is taken off by
    :math:`\Delta_i (1 - |s_i - s| / 2 R) (s_i - \bar s)`, R the reach of the sum and
    :math:`\bar s` the mean place under the first two factors, so that a slope stays one.
    From dense traces, wavelengths above 3 spacings pass and those below 1.5 are stopped.
    Nothing restores what uneven traces were too far apart for. Nearer than 3 D to the ends
    of the lane or to a hole the sum reaches only as far as there, on both sides. Nearer than
    D it is the value of a line fitted to the traces within D, weighted by
    :math:`\Delta_i (1 - |s_i - s| / 2 D)`: from dense traces its noise has twice the spread
    of that within the lane, where a trace alone would have that of one trace.

    **No flag is lost.** A trace returned has the flags of all traces recorded within half a
    spacing of it and of its neighbours, and those left out between any of them, or between two
    traces on either side of half a spacing, and the last one those of the traces behind it;
    GAP stays with the first. So next to a dropout
    (SATURATED, NOT_FINITE, STUCK) it is one, NaN: nothing is read across. The same, with
    NOT_FINITE, holds where dropouts or lost positions hide more than `max_step`. Where
    positions are lost for less, traces are read across, with the flag POSE_NONE. What came
    before the first and after the last usable trace with a position has no place, and
    nothing is returned for it.

    As a stage it returns a trace as soon as the track is known as far ahead as its sum
    reaches, or with lines to where the next one will be.

    References
    ----------
    .. [1] Duchon, C. E. (1979). Lanczos filtering in one and two dimensions. *Journal of
       Applied Meteorology*, 18(8), 1016-1022.
       https://doi.org/10.1175/1520-0450(1979)018<1016:LFIOAT>2.0.CO;2

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> northing = np.array([0.0, 0.04, 0.1, 0.13, 0.21, 0.3])
    >>> sweep = Sweep(
    ...     samples=np.tile(northing[:, None, None], (1, 1, 2)),
    ...     time=np.arange(6),
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(6),
    ...     sensor=sensor,
    ... )
    >>> resampled = resample_track(sweep, spacing=0.1, max_step=0.15, method="linear")
    >>> resampled.samples[:, 0, 0].round(3), resampled.time.round(3)
    (array([0. , 0.1, 0.2, 0.3], dtype=float32), array([0.   , 2.   , 3.875, 5.   ]))
    """
    stage = ResampleTrack(spacing=spacing, max_step=max_step, min_step=min_step, method=method)
    return run_lane(stage, sweep)


class ResampleTrack:
    """
    Streaming form of :func:`resample_track`, with its options.

    It keeps the promises of a stage, but returns another number of traces than it takes.
    `latency` counts the traces returned: where steps are not longer than the spacing, all
    but the last `latency` up to the place that was reached are out.
    """

    def __init__(
        self,
        *,
        spacing: float,
        max_step: float,
        min_step: float = 0.0,
        method: Method = "sinc",
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.max_step = check_positive(max_step, "max_step")
        self.min_step = check_not_negative(min_step, "min_step")
        if self.min_step >= self.max_step:
            msg = (
                f"Invalid min_step '{self.min_step}'. Must be less than max_step, "
                f"{self.max_step} m."
            )
            raise ValueError(msg)
        self.method = check_one_of(method, "method", ("linear", "sinc"))
        self._lobes = _LOBES if method == "sinc" else 0
        self.latency = max(1, self._lobes)
        self._input: Sweep | None = None
        self._last_time = -math.inf
        self.reset()

    def __repr__(self) -> str:
        """Return the stage as it was made."""
        return (
            f"ResampleTrack(spacing={self.spacing!r}, max_step={self.max_step!r}, "
            f"min_step={self.min_step!r}, method={self.method!r})"
        )

    def process(self, chunk: Sweep) -> Sweep:
        """
        Take the next chunk of the lane; return the traces that are final.

        Raises
        ------
        TypeError, ValueError
            If the chunk is not a Sweep, belongs to another lane or sensor than the one
            before, does not follow it in time, holds a gap behind the lane's start, or a
            longer step than is bridged. The chunk is not kept then.
        """
        if not isinstance(chunk, Sweep):
            msg = f"Invalid chunk of type {type(chunk).__name__}. Must be a Sweep."
            raise TypeError(msg)
        if chunk.sensor.shape == (0, 0):
            return chunk
        form = form_of(chunk) if self._input is None else self._input
        check_follows(chunk, form, self._last_time)
        self._take(chunk)
        if self._input is None:
            self._input = form
            history = (*chunk.history, f"minesense {__version__}: {self!r}")
            self._output = dataclasses.replace(form, history=history)
        if len(chunk):
            self._last_time = float(chunk.time[-1])
        return self._emit(self._n_ready())

    def flush(self) -> Sweep:
        """End the lane: return the traces up to the last place, and reset."""
        result = no_traces()
        if self._input is not None:
            result = self._output
            if len(self._places):
                end = self._places[-1] / self.spacing
                result = self._emit(math.floor(end + _SLACK) + 1 - self._done)
                result = self._with_flags_behind(result)
        self.reset()
        return result

    def _with_flags_behind(self, last: Sweep) -> Sweep:
        """Return the lane's last traces, the last with the flags of those behind it."""
        is_behind = self._places > (self._done - 1) * self.spacing
        flags = self._stood | int(np.bitwise_or.reduce(self._flags[:, is_behind], axis=None))
        if not len(last) or not flags:
            return last
        quality, samples = last.quality.copy(), last.samples
        quality[-1] |= flags
        if flags & UNUSABLE:
            samples = samples.copy()
            samples[-1] = np.nan
        return dataclasses.replace(last, quality=quality, samples=samples)

    def reset(self) -> None:
        """Drop the lane and what is held back of it."""
        self._input = None
        self._output = no_traces()
        self._last_time = -math.inf
        self._done = 0  # traces returned
        self._left_out = 0  # flags of traces since the last one used
        self._stood = 0  # of them, up to the last one with samples and a position
        self._n_hidden = 0  # of them, those without samples or a position
        self._samples: HeldTraces | None = None  # of the traces that are used
        self._beside: dict[str, npt.NDArray[Any]] = {}  # what is beside them
        self._places: Floats = np.empty(0)  # along the track, m
        self._flags = np.empty((2, 0), np.int64)  # own, and of those left out before
        self._is_broken = np.empty(0, np.bool_)

    def _take(self, chunk: Sweep) -> None:
        """Add the traces of a chunk that are used; raise where too much is missing."""
        is_good = chunk.is_usable & np.isfinite(chunk.position[:, :2]).all(axis=1)
        is_good &= (chunk.quality & Quality.POSE_NONE) == 0
        place, n_hidden, missed = self._places[-1:], self._n_hidden, self._left_out
        last = self._beside["position"][-1, :2] if len(place) else None
        along = float(place[0]) if len(place) else 0.0
        used, places, before, broken = [], [], [], []
        for i in range(len(chunk)):
            here = chunk.position[i, :2]
            step = 0.0 if last is None else math.hypot(*(here - last))
            is_near = last is not None and (step == 0 or step < self.min_step)
            if not is_good[i] or is_near:
                n_hidden, missed = n_hidden + (not is_good[i]), missed | int(chunk.quality[i])
                self._stood = missed if is_good[i] else self._stood
                continue
            if step > self.max_step and not n_hidden:
                msg = (
                    f"Invalid chunk of lane '{chunk.lane}': {step:.4g} m lie before trace {i} "
                    f"at {float(chunk.time[i])} s with nothing recorded. Must be at most "
                    f"max_step, {self.max_step} m: use split_at_gaps."
                )
                raise ValueError(msg)
            if last is None:
                missed &= Quality.GAP  # what came before has no place
            is_long = step > self.max_step
            along += step
            used.append(i)
            places.append(along)
            before.append(missed | (int(Quality.NOT_FINITE) if is_long else 0))
            broken.append(is_long or bool(missed & UNUSABLE))
            last, n_hidden, missed, self._stood = here, 0, 0, 0
        if self._samples is None:
            self._samples = HeldTraces(chunk.samples.shape[1:], np.float32)
        self._samples.extend(chunk.samples if len(used) == len(chunk) else chunk.samples[used])
        new = {name: getattr(chunk, name)[used] for name in _BESIDE}
        held = self._beside
        if held:
            new = {name: np.concatenate([held[name], new[name]]) for name in _BESIDE}
        self._beside = new
        flags = np.array([chunk.quality[used], np.array(before, np.int64)])
        if used and not len(self._places):
            flags[0, 0] |= flags[1, 0]  # a gap before the lane stays before it
        self._places = np.concatenate([self._places, np.array(places)])
        self._flags = np.concatenate([self._flags, flags], axis=1)
        self._is_broken = np.concatenate([self._is_broken, np.array(broken, np.bool_)])
        self._n_hidden, self._left_out = n_hidden, missed

    def _brackets(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the trace before each target, one that has a trace after it if any has."""
        found = np.searchsorted(self._places, targets, side="right") - 1
        return np.clip(found, 0, max(0, len(self._places) - 2))

    def _n_ready(self) -> int:
        """Return how many more traces do not depend on what comes."""
        if len(self._places) < 2:
            return 0
        end = float(self._places[-1])
        stop = math.ceil(end / self.spacing) + 1
        targets = np.arange(self._done, max(self._done, stop)) * self.spacing
        at = self._brackets(targets)
        width = self._places[at + 1] - self._places[at]
        width = np.where(width > self.max_step, self.spacing, np.maximum(self.spacing, width))
        # the last trace waits for what comes behind it, whose flags it has in the end
        is_last = targets + self.spacing > end + _SLACK * self.spacing
        # a wide bracket may hold back what follows it: traces come in order
        is_ready = (targets < end) & (targets + self._lobes * width < end) & ~is_last
        return len(targets) if is_ready.all() else int(np.argmin(is_ready))

    def _emit(self, n: int) -> Sweep:
        """Return the next traces; drop what none of the later ones needs."""
        if n <= 0:
            return self._output
        targets = np.arange(self._done, self._done + n) * self.spacing
        at = self._brackets(targets)
        after = np.minimum(at + 1, len(self._places) - 1)
        samples = self._read(targets, at)
        step = self._places[after] - self._places[at]
        share = np.where(
            step > 0, (targets - self._places[at]) / np.where(step > 0, step, 1), 0
        )
        share = np.clip(share, 0.0, 1.0)
        held = self._beside
        turn = held["heading"][after] - held["heading"][at]
        turn = (turn + math.pi) % (2 * math.pi) - math.pi  # the short way round
        position = held["position"][at]
        position = position + share[:, None] * (held["position"][after] - position)
        time = held["time"][at] + share * (held["time"][after] - held["time"][at])
        quality = self._gather(targets, at, after)
        samples[(quality & UNUSABLE) != 0] = np.nan
        result = dataclasses.replace(
            self._output,
            samples=samples,
            time=time,
            position=position,
            heading=held["heading"][at] + share * turn,
            quality=quality,
        )
        self._done += n
        self._forget()
        return result

    def _read(
        self, targets: npt.NDArray[Any], at: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return the samples at the targets."""
        assert self._samples is not None
        rows = self._samples.traces
        width = math.prod(rows.shape[1:])
        samples = np.empty((len(targets), *rows.shape[1:]), np.float32)
        resample(
            rows.reshape(len(rows), width),
            self._places,
            self._is_broken,
            targets,
            at,
            self.spacing,
            self._lobes,
            np.empty(len(rows)),
            np.empty(max(1, min(width, _COLUMNS))),
            samples.reshape(len(targets), width),
        )
        return samples

    def _gather(
        self, targets: npt.NDArray[Any], at: npt.NDArray[np.int64], after: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the flags of the neighbours, of half a spacing around, and between them."""
        half = self.spacing / 2
        low = np.searchsorted(self._places, targets - half, side="left")
        high = np.searchsorted(self._places, targets + half, side="right")
        first, last = np.minimum(at, low), np.maximum(after, high - 1)
        # what was left out where two cells meet, and next to no target, may lie in either
        number = np.rint(targets / self.spacing)
        places = np.append(self._places, np.inf)
        is_low = places[np.maximum(low - 1, 0)] > (number - 1) * self.spacing
        is_high = places[high] <= (number + 1) * self.spacing
        low = np.where(is_low, low, first + 1)
        high = np.where(is_high, np.maximum(high, last), last)
        own, between = self._flags
        quality = np.empty(len(targets), np.int64)
        bounds = np.column_stack([first, last + 1, low, high + 1])
        for k, (i, j, m, n) in enumerate(bounds.tolist()):
            quality[k] = np.bitwise_or.reduce(own[i:j])
            quality[k] |= np.bitwise_or.reduce(between[m:n])
        # what is missing before the lane is missing before its first trace alone
        quality[1 if self._done == 0 else 0 :] &= ~int(Quality.GAP)
        return quality

    def _forget(self) -> None:
        """Drop traces that lie farther back than any sum will reach."""
        longest = max(self.spacing, self.max_step)
        oldest = self.spacing * self._done - (self._lobes + 1) * longest
        drop = max(0, int(np.searchsorted(self._places, oldest)) - 2)
        assert self._samples is not None
        self._samples.drop(drop)
        self._beside = {name: held[drop:].copy() for name, held in self._beside.items()}
        self._places = self._places[drop:].copy()
        self._flags = self._flags[:, drop:].copy()
        self._is_broken = self._is_broken[drop:].copy()


#: What is kept beside the samples of the traces that are used.
_BESIDE = ("time", "position", "heading")

#: Columns that are summed together: their sums stay in the first-level cache.
_COLUMNS = 1024

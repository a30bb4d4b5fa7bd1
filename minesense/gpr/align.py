"""Bring the direct wave, then the ground bounce, to the same two-way time in every trace."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._kernels.alignment import (
    direct_wave_delays,
    follow_pulse,
    median_of_neighbours,
    shift_traces,
    trace_back,
    trailing_median,
)
from .._validation import check_array, check_not_negative, check_one_of, check_positive
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Quality, Samples, Sensor, Sweep
from .preprocess import check_radar

Polarity = Literal["either", "positive", "negative"]

#: Traces after which the best path decides on a trace, and its greatest step, in samples.
_LAG, _JUMP = 16, 3


def align_time_zero(
    sweep: Sweep,
    *,
    spacing: float,
    direct: tuple[float, float] | None = None,
    max_delay: float | None = None,
    template: float = 0.5,
    smoothing: float = 1.25,
) -> Sweep:
    r"""
    Undo the drift of the recorder: keep the direct wave where it was at first.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, as recorded.
    spacing : float
        Distance between neighbouring traces, in metres.
    direct : (start, stop), optional
        Two-way times that hold the direct wave and no ground bounce, in seconds. By default
        one period of the sensor's centre frequency to each side of the first sample of the
        first usable trace that reaches half of the largest magnitude, over all channels.
    max_delay : float, optional
        Greatest delay that is looked for, either way, in seconds; by default half a period.
        A longer reach may take the next cycle of the wave for this one.
    template : float
        Length of lane, in usable traces times `spacing`, that the reference is the mean of,
        in metres.
    smoothing : float
        Length of the trailing median of the delays, in metres.

    Returns
    -------
    aligned : Sweep
        Traces moved in time; samples from beyond the record are zero.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensor is not a radar with a regular axis in
        seconds, or has no centre frequency where a default needs it; if `direct` lies
        outside the axis, or a delay is less than a sample or longer than the record.

    Notes
    -----
    The delay of trace :math:`k` in a channel maximises :math:`\sum_t T_t\, x_{k, t + \tau}`,
    with a parabola through the largest three, against the mean :math:`T` of the usable
    traces before it, up to `template`. Its median over the last `smoothing` metres moves
    the trace, as :func:`align_ground` does. Causal.

    Examples
    --------
    >>> from minesense.sweep import Radar
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=1e-10 * np.arange(60),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1e9),
    ... )
    >>> delay = np.where(np.arange(80) < 40, 0.0, 2.0)  # samples
    >>> phase = np.pi * 0.1 * (np.arange(60) - 20 - delay[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=np.arange(80),
    ...     position=np.zeros((80, 3)),
    ...     heading=np.zeros(80),
    ...     sensor=sensor,
    ... )
    >>> aligned = align_time_zero(sweep, spacing=0.05)
    >>> sweep.samples[-1, 0].argmax(), aligned.samples[-1, 0].argmax()
    (np.int64(22), np.int64(20))
    """
    stage = AlignTimeZero(
        spacing=spacing,
        direct=direct,
        max_delay=max_delay,
        template=template,
        smoothing=smoothing,
    )
    return run_lane(stage, sweep)


class AlignTimeZero(LaneStage):
    """Streaming form of :func:`align_time_zero`, with its options. Causal."""

    def __init__(
        self,
        *,
        spacing: float,
        direct: tuple[float, float] | None = None,
        max_delay: float | None = None,
        template: float = 0.5,
        smoothing: float = 1.25,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.direct = None if direct is None else _check_window(direct, "direct")
        self.max_delay = None if max_delay is None else check_positive(max_delay, "max_delay")
        self.template = check_positive(template, "template")
        self.smoothing = check_positive(smoothing, "smoothing")
        super().__init__(
            spacing=self.spacing,
            direct=self.direct,
            max_delay=self.max_delay,
            template=self.template,
            smoothing=self.smoothing,
        )

    def _begin(self, sensor: Sensor) -> None:
        step = check_radar(sensor)
        n_channels, n_samples = sensor.shape
        self._period = math.nan
        if self.direct is None or self.max_delay is None:
            if sensor.radar is None:
                msg = (
                    f"Invalid sensor '{sensor.name}' without a centre frequency. Must have "
                    "one, or direct and max_delay must be given."
                )
                raise ValueError(msg)
            self._period = 1 / sensor.radar.centre_frequency / step
        self._window = None
        if self.direct is not None:
            self._window = _samples_between(self.direct, "direct", sensor)
        reach = self._period / 2 if self.max_delay is None else self.max_delay / step
        self._reach = round(reach)
        if not 1 <= self._reach < n_samples:
            msg = (
                f"Invalid max_delay '{reach * step}'. Must be a sample of {step:.4g} s or "
                f"more and shorter than the record of {n_samples} samples."
            )
            raise ValueError(msg)
        self._tally = np.zeros(2, np.int64)
        self._score = np.empty(2 * self._reach + 1)
        n_history = max(1, round(self.smoothing / self.spacing))
        self._history = np.full((n_history, n_channels), np.nan)
        self._ranked = np.empty(n_history)
        self._shift = _scratch_of_shift(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        aligned = np.zeros_like(samples)
        delays = np.full(samples.shape[:2], np.nan)
        if self._tally[0] == 0 and is_usable.any():
            start, stop = self._window or self._find_direct(samples[is_usable.argmax()])
            self._bounds = (start, stop)
            self._sum = np.zeros((samples.shape[1], stop - start))
        if self._tally[0] or is_usable.any():
            direct_wave_delays(
                samples,
                is_usable,
                *self._bounds,
                self._reach,
                max(1, round(self.template / self.spacing)),
                self._sum,
                self._tally[:1],
                self._score,
                delays,
            )
        shifts = np.empty_like(delays)
        trailing_median(delays, self._history, self._tally[1:], self._ranked, shifts)
        shift_traces(samples, shifts, *self._shift, aligned)
        return aligned, None

    def _find_direct(self, trace: Samples) -> tuple[int, int]:
        """Return the samples around the first that reaches half the largest magnitude."""
        magnitude = np.abs(trace).max(axis=0)
        first = int(np.argmax(magnitude >= magnitude.max() / 2))
        reach = max(1, round(self._period))
        return max(0, first - reach), min(len(magnitude), first + reach + 1)


def align_ground(
    sweep: Sweep,
    *,
    search: tuple[float, float],
    ground_time: float,
    polarity: Polarity = "either",
    stiffness: float = 0.2,
) -> Sweep:
    r"""
    Move every trace so that the ground bounce lies at the same two-way time.

    Parameters
    ----------
    sweep : Sweep
        A radar lane whose ground bounce moves with the height of the antenna.
    search : (start, stop)
        Two-way times between which the ground bounce is the strongest echo, in seconds.
    ground_time : float
        Two-way time where it is put, in seconds.
    polarity, stiffness
        As in :func:`track_ground`.

    Returns
    -------
    aligned : Sweep
        Traces moved in time; samples from beyond the record are zero. Traces whose path
        runs along a border of `search`, in half of the channels or more, have the flag
        HEIGHT_UNKNOWN: the bounce may lie beyond.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensor is not a radar with a regular axis in
        seconds, or if `search` or `ground_time` lie outside the axis.

    Notes
    -----
    With the two-way time :math:`\tau` of the bounce from :func:`track_ground`, the output
    is :math:`y(t) = x(t + \tau - t_g)`, interpolated with 8 samples weighted by a sinc in a
    Kaiser window of beta 6: within 1e-3 of the peak of a Ricker wavelet with eight samples
    a period or more. Nothing wraps around: where :math:`t + \tau - t_g` leaves the
    record, the output is zero. Below the ground all echoes keep their distance from it. It
    lags by 16 traces; the stage keeps :math:`\tau` of the traces it last returned in its
    attribute `ground_times`.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(60), lever_arms=[[0, 0, 0]]
    ... )
    >>> bounce = 20 + 4 * np.sin(np.arange(50) / 10)  # samples
    >>> phase = np.pi * 0.15 * (np.arange(60) - bounce[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=np.arange(50),
    ...     position=np.zeros((50, 3)),
    ...     heading=np.zeros(50),
    ...     sensor=sensor,
    ... )
    >>> aligned = align_ground(sweep, search=(1e-9, 3e-9), ground_time=2e-9)
    >>> set(aligned.samples[:, 0].argmax(axis=1).tolist())
    {20}
    """
    stage = AlignGround(
        search=search, ground_time=ground_time, polarity=polarity, stiffness=stiffness
    )
    return run_lane(stage, sweep)


class AlignGround(LaneStage):
    """Streaming form of :func:`align_ground`, with its options; lags by 16 traces."""

    latency = _LAG

    def __init__(
        self,
        *,
        search: tuple[float, float],
        ground_time: float,
        polarity: Polarity = "either",
        stiffness: float = 0.2,
    ):
        self.search = _check_window(search, "search")
        self.ground_time = check_not_negative(ground_time, "ground_time")
        self.polarity = check_one_of(polarity, "polarity", ("either", "positive", "negative"))
        self.stiffness = check_not_negative(stiffness, "stiffness")
        self.ground_times: Floats = np.empty((0, 0))
        super().__init__(
            search=self.search,
            ground_time=self.ground_time,
            polarity=self.polarity,
            stiffness=self.stiffness,
        )

    def _begin(self, sensor: Sensor) -> None:
        self._step = check_radar(sensor)
        self._axis_start = float(sensor.axis[0])
        self._first, stop = _samples_between(self.search, "search", sensor)
        if not sensor.axis[0] <= self.ground_time <= sensor.axis[-1]:
            msg = (
                f"Invalid ground_time '{self.ground_time}'. Must lie on the axis of sensor "
                f"'{sensor.name}', {sensor.axis[0]:.4g} to {sensor.axis[-1]:.4g} s."
            )
            raise ValueError(msg)
        self._n_window = stop - self._first
        n_channels = sensor.shape[0]
        shape = (n_channels, self._n_window)
        self._score, self._price = np.zeros(shape), np.zeros(n_channels)
        self._taken = np.zeros(1, np.int64)
        self._steps = np.zeros((_LAG + 1, *shape), np.int64)
        self._peaks = np.zeros((_LAG + 1, *shape))
        self._work = np.empty((3, self._n_window))
        self._held = np.empty((0, *sensor.shape), np.float32)
        self._is_usable = np.empty(0, np.bool_)
        self._shift = _scratch_of_shift(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        before = int(self._taken[0])
        n_ready = max(0, before + len(samples) - _LAG) - max(0, before - _LAG)
        path = np.empty((n_ready, samples.shape[1]))
        follow_pulse(
            samples,
            is_usable,
            self._first,
            {"either": 0, "positive": 1, "negative": -1}[self.polarity],
            self.stiffness,
            _JUMP,
            self._score,
            self._price,
            self._taken,
            self._steps,
            self._peaks,
            self._work,
            path,
        )
        self._held = np.concatenate([self._held, samples])
        self._is_usable = np.concatenate([self._is_usable, is_usable])
        return self._align(path)

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        newest = int(self._taken[0]) - 1
        path = np.empty(self._held.shape[:2])
        oldest = newest + 1 - len(path)
        trace_back(self._score, self._steps, self._peaks, newest, oldest, path)
        return self._align(path)

    def _align(self, path: Floats) -> tuple[Samples, Flags]:
        """Return the traces whose path is known, moved, and flags where it is doubtful."""
        n = len(path)
        is_at_border = (path < 0.5) | (path > self._n_window - 1.5)
        flags = np.where(2 * is_at_border.sum(axis=1) >= path.shape[1], _UNKNOWN, 0)
        median_of_neighbours(path, np.empty(path.shape[1]))
        times = self._axis_start + (self._first + path) * self._step
        samples = self._held[:n]
        aligned = np.empty_like(samples)
        shift_traces(samples, (times - self.ground_time) / self._step, *self._shift, aligned)
        times[~self._is_usable[:n]] = np.nan
        self.ground_times = times
        self._held = self._held[n:].copy()
        self._is_usable = self._is_usable[n:]
        return aligned, flags


_UNKNOWN = int(Quality.HEIGHT_UNKNOWN)


def track_ground(
    sweep: Sweep,
    *,
    search: tuple[float, float],
    polarity: Polarity = "either",
    stiffness: float = 0.2,
) -> Floats:
    r"""
    Return the two-way time of the ground bounce, which tells the height of the antenna.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    search : (start, stop)
        Two-way times between which the ground bounce is the strongest echo, in seconds.
    polarity : {"either", "positive", "negative"}
        Which extreme of the bounce is followed; "either" follows its greatest magnitude.
    stiffness : float
        Price of a step of one sample from trace to trace, in medians of the magnitude over
        `search`.

    Returns
    -------
    ground_times : (n_traces, n_channels) float64 ndarray
        Two-way times in seconds; NaN for flagged traces.

    Raises
    ------
    TypeError, ValueError
        As :func:`align_ground` does.

    Notes
    -----
    In each channel the path maximises

    .. math:: \sum_d \big( g_{d, q_d} - \beta_d\, |q_d - q_{d-1}| \big), \qquad
        |q_d - q_{d-1}| \le 3,

    over the samples :math:`q` of the window, with the magnitude :math:`g` and
    :math:`\beta_d` the stiffness times the median of :math:`g_d` over the window. Trace
    :math:`d` is decided by the path that is best 16 traces later, or at the end of the
    lane. A parabola adds a part of a sample, and with three channels or more each takes the
    median with its neighbours; channels are in order across the lane. Flagged traces have
    :math:`g = 0`: the path crosses them at the price of its steps.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(40), lever_arms=[[0, 0, 0]]
    ... )
    >>> phase = np.pi * 0.15 * (np.arange(40) - 20.25)
    >>> sweep = Sweep(
    ...     samples=np.tile((1 - 2 * phase**2) * np.exp(-(phase**2)), (3, 1, 1)),
    ...     time=np.arange(3),
    ...     position=np.zeros((3, 3)),
    ...     heading=np.zeros(3),
    ...     sensor=sensor,
    ... )
    >>> track_ground(sweep, search=(1e-9, 3e-9))[:, 0].round(11)
    array([2.02e-09, 2.02e-09, 2.02e-09])
    """
    check_radar(sweep.sensor)
    somewhere = max(0.0, float(sweep.sensor.axis[-1]))  # the aligned traces are not used
    stage = AlignGround(
        search=search, ground_time=somewhere, polarity=polarity, stiffness=stiffness
    )
    stage.process(sweep)
    first = stage.ground_times
    stage.flush()
    return np.concatenate([first, stage.ground_times])


def _check_window(value: tuple[float, float], name: str) -> tuple[float, float]:
    """Return (start, stop) as floats if start is before stop."""
    start, stop = check_array(value, name, (2,)).tolist()
    if start >= stop:
        msg = f"Invalid {name} ({start}, {stop}). Must be (start, stop), start before stop."
        raise ValueError(msg)
    return start, stop


def _samples_between(window: tuple[float, float], name: str, sensor: Sensor) -> tuple[int, int]:
    """Return the first sample of a window of two-way time and the first after it."""
    start, stop = window
    axis, step = sensor.axis, sensor.sample_interval
    if start < axis[0] - step / 2 or stop > axis[-1] + step / 2:
        msg = (
            f"Invalid {name} ({start}, {stop}). Must lie on the axis of sensor "
            f"'{sensor.name}', {axis[0]:.4g} to {axis[-1]:.4g} s."
        )
        raise ValueError(msg)
    first, last = round((start - axis[0]) / step), round((stop - axis[0]) / step)
    if last - first < 2:
        msg = (
            f"Invalid {name} ({start}, {stop}). Must hold three samples of {step:.4g} s or "
            "more."
        )
        raise ValueError(msg)
    return first, last + 1


def _scratch_of_shift(sensor: Sensor) -> tuple[Floats, Floats]:
    """Return the scratch arrays of `shift_traces`."""
    return np.empty(8), np.empty(sensor.shape[1] + 7)

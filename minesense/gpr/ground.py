"""Follow the ground bounce, and bring it to the same two-way time in every trace."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._kernels.alignment import shift_traces
from .._kernels.pulse_path import (
    add_offsets,
    best_path,
    follow_pulse,
    place_pulses,
    trace_back,
)
from .._validation import check_not_negative, check_one_of, check_positive
from ..held import HeldTraces
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Quality, Samples, Sweep
from .preprocess import check_radar
from .windows import check_window, samples_between, scratch_of_shift

Polarity = Literal["either", "positive", "negative"]

#: Traces after which the best path decides on a trace by default, and its greatest step, in
#: samples.
_LAG, _JUMP = 16, 3

_SIGNS = {"either": 0, "positive": 1, "negative": -1}


def align_ground(
    sweep: Sweep,
    *,
    search: tuple[float, float],
    ground_time: float,
    polarity: Polarity = "either",
    stiffness: float = 0.2,
    look_ahead: float | None = None,
    spacing: float | None = None,
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
    polarity, stiffness, look_ahead, spacing
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
    lags by `look_ahead`, by 16 traces without it; a stage, which cannot look ahead over a
    whole lane, keeps :math:`\tau` of the traces it last returned in its attribute
    `ground_times`.

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
    new = _AlignWhole if look_ahead == math.inf else AlignGround
    stage = new(
        search=search,
        ground_time=ground_time,
        polarity=polarity,
        stiffness=stiffness,
        look_ahead=look_ahead,
        spacing=spacing,
    )
    return run_lane(stage, sweep)


class AlignGround(LaneStage):
    """Streaming form of :func:`align_ground`, with its options; lags by the look-ahead."""

    def __init__(
        self,
        *,
        search: tuple[float, float],
        ground_time: float,
        polarity: Polarity = "either",
        stiffness: float = 0.2,
        look_ahead: float | None = None,
        spacing: float | None = None,
    ):
        self.search = check_window(search, "search")
        self.ground_time = check_not_negative(ground_time, "ground_time")
        self.polarity = check_one_of(polarity, "polarity", ("either", "positive", "negative"))
        self.stiffness = check_not_negative(stiffness, "stiffness")
        self.latency = self._check_look_ahead(look_ahead, spacing)
        self.ground_times: Floats = np.empty((0, 0))
        options = {
            "search": self.search,
            "ground_time": self.ground_time,
            "polarity": self.polarity,
            "stiffness": self.stiffness,
        }
        if look_ahead is not None:
            options |= {"look_ahead": look_ahead, "spacing": spacing}
        super().__init__(**options)

    def _check_look_ahead(self, look_ahead: float | None, spacing: float | None) -> int:
        """Return for how many traces the best path waits."""
        if look_ahead is None:
            return _LAG
        look_ahead = check_positive(look_ahead, "look_ahead")
        if spacing is None:
            msg = "Invalid spacing None. Must be given with a look_ahead."
            raise ValueError(msg)
        # 0.6 / 0.1 is a little less than 6 in floats, 0.7 / 0.1 more than 7
        return max(1, math.ceil(look_ahead / check_positive(spacing, "spacing") - 1e-9))

    def _begin(self, sensor: Sensor) -> None:
        self._step = check_radar(sensor)
        self._axis_start = float(sensor.axis[0])
        self._first, stop = samples_between(self.search, "search", sensor)
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
        self._steps = self._path_state(shape)
        self._work = np.empty((3, 32 * -(-(self._n_window + 2 * _JUMP) // 32)))
        self._held = HeldTraces(sensor.shape, np.float32)
        self._is_usable = HeldTraces((), np.bool_)
        self._shift = scratch_of_shift(sensor)

    def _path_state(self, shape: tuple[int, int]) -> npt.NDArray[np.int8]:
        """Return the steps of the traces held."""
        return np.zeros((self.latency + 1, *shape), np.int8)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        before, lag = int(self._taken[0]), self.latency
        n_ready = max(0, before + len(samples) - lag) - max(0, before - lag)
        path = np.empty((n_ready, samples.shape[1]))
        follow_pulse(
            samples,
            is_usable,
            self._first,
            _SIGNS[self.polarity],
            self.stiffness,
            _JUMP,
            self._score,
            self._price,
            self._taken,
            self._steps,
            self._work,
            path,
        )
        self._held.extend(samples)
        self._is_usable.extend(is_usable)
        self._refine(path)
        return self._align(path)

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        newest = int(self._taken[0]) - 1
        path: Floats = np.empty(self._held.traces.shape[:2])
        oldest = newest + 1 - len(path)
        trace_back(self._score, self._steps, newest, oldest, path)
        self._refine(path)
        return self._align(path)

    def _refine(self, path: Floats) -> None:
        """Add parts of samples to a path through the oldest traces held."""
        traces, is_usable = self._held.traces, self._is_usable.traces
        add_offsets(traces, is_usable, self._first, _SIGNS[self.polarity], path)

    def _align(self, path: Floats) -> tuple[Samples, Flags]:
        """Return the traces whose path is known, moved, and flags where it is doubtful."""
        n = len(path)
        times, shifts = np.empty(path.shape), np.empty(path.shape)
        flags = np.empty(n, np.int64)
        place_pulses(
            path,
            self._is_usable.traces[:n],
            self._n_window,
            self._axis_start + self._first * self._step,
            self._step,
            self.ground_time,
            _UNKNOWN,
            times,
            shifts,
            flags,
        )
        samples = self._held.traces[:n]
        aligned = np.empty_like(samples)
        shift_traces(samples, shifts, *self._shift, aligned)
        self.ground_times = times
        self._held.drop(n)
        self._is_usable.drop(n)
        return aligned, flags


_UNKNOWN = int(Quality.HEIGHT_UNKNOWN)


class _AlignWhole(AlignGround):
    """The same with the best path over all of a lane, which is kept until it ends."""

    def __repr__(self) -> str:
        return f"AlignGround{super().__repr__().removeprefix(type(self).__name__)}"

    def _check_look_ahead(self, _look_ahead: float | None, spacing: float | None) -> int:
        if spacing is not None:
            check_positive(spacing, "spacing")
        return 0

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        self._held.extend(samples)
        self._is_usable.extend(is_usable)
        self.ground_times = np.empty((0, samples.shape[1]))
        return np.empty((0, *samples.shape[1:]), np.float32), None

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        path: Floats = np.empty(self._held.traces.shape[:2])
        steps = np.empty((len(path), self._n_window), np.int8)
        for channel in range(path.shape[1]):
            best_path(
                self._held.traces,
                self._is_usable.traces,
                channel,
                self._first,
                _SIGNS[self.polarity],
                self.stiffness,
                _JUMP,
                self._score[channel],
                steps,
                self._work,
                path,
            )
        return self._align(path)


def track_ground(
    sweep: Sweep,
    *,
    search: tuple[float, float],
    polarity: Polarity = "either",
    stiffness: float = 0.2,
    look_ahead: float | None = None,
    spacing: float | None = None,
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
    look_ahead : float, optional
        How far behind a trace the path that decides on it ends, in metres; infinite for
        the end of the lane, which only functions know. 16 traces by default.
    spacing : float, optional
        Distance between neighbouring traces, in metres; needed with a finite `look_ahead`.

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
    :math:`d` is decided by the path that is best `look_ahead` farther on, or at the end of
    the lane: with an infinite one it is the greatest sum of all [1]_. A parabola adds a part
    of a sample, and with three channels or more each takes the median with its neighbours;
    channels are in order across the lane. Flagged traces have :math:`g = 0`: the path
    crosses them at the price of its steps. :func:`antenna_heights` makes heights of the
    times.

    References
    ----------
    .. [1] Forney, G. D. (1973). The Viterbi algorithm. *Proceedings of the IEEE*, 61(3),
       268-278. https://doi.org/10.1109/PROC.1973.9030

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
    new = _AlignWhole if look_ahead == math.inf else AlignGround
    stage = new(
        search=search,
        ground_time=somewhere,
        polarity=polarity,
        stiffness=stiffness,
        look_ahead=look_ahead,
        spacing=spacing,
    )
    stage.process(sweep)
    first = stage.ground_times
    stage.flush()
    return np.concatenate([first, stage.ground_times])

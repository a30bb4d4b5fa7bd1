"""Compare each trace with those along the lane, value by value: for radar and coils alike."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from ._kernels.along_track import (
    count_present,
    keep_last_traces,
    sort_windows,
    subtract_sliding_median,
)
from ._kernels.whitening import divide_by_spread, trailing_statistics
from ._validation import check_count, check_not_negative, check_positive
from ._windows import check_window, share_columns, subtract_medians
from .sensor import Sensor
from .stage import Flags, LaneStage, run_lane
from .sweep import Quality, Samples, Sweep


def remove_median_background(
    sweep: Sweep,
    *,
    spacing: float,
    half_width: float,
    guard: float | None = None,
    workers: int = 1,
) -> Sweep:
    r"""
    Remove the median of the traces around each trace.

    Parameters
    ----------
    sweep : Sweep
        A lane of a radar or a metal detector.
    spacing : float
        Distance between neighbouring traces, in metres.
    half_width : float
        Distance the window reaches to each side, in metres, at least `spacing`. Choose it
        greater than a target's length; with a guard, several times as great.
    guard : float, optional
        Distance on each side that is left out of the window, in metres, together with the
        trace itself; at least a `spacing` less than `half_width`. A target up to that long
        is no part of its own background. By default nothing is left out.
    workers : int
        Threads that share the columns; the result does not depend on it.

    Returns
    -------
    residual : Sweep
        Traces minus their background, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `spacing` or `half_width` is not finite and greater than zero, `half_width` is less
        than `spacing`, `guard` is negative or not a `spacing` less than `half_width`, or
        `workers` is not a positive whole number.

    Notes
    -----
    Parts of complex samples are treated on their own. With :math:`h` and :math:`g` the
    half-width and the guard in traces, rounded, and :math:`U` the usable traces,

    .. math:: r_k = x_k - \operatorname{median} \{x_j : j \in U, g < |j - k| \le h\},

    so that the window shrinks at the ends of the lane and at dropouts; without a guard it
    holds the trace itself. For an even number of traces the median is the mean of the middle
    two. An echo over at most :math:`h` traces on a constant background, as far from both
    ends, is left whole; with a guard, one over at most :math:`h - g`. Where a guard leaves
    nothing in the window, the trace is zero and has the flag EDGE. It lags by :math:`h`
    traces.

    Chunks that complete many windows at once are worked on in groups whose common traces are
    sorted once, others trace by trace in windows kept sorted: the result is the same.

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> samples = np.full((9, 1, 2), 2.0)  # crosstalk only ...
    >>> samples[4:6, 0, 1] += 1.0  # ... and one echo
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(9),
    ...     position=np.zeros((9, 3)),
    ...     heading=np.zeros(9),
    ...     sensor=sensor,
    ... )
    >>> residual = remove_median_background(sweep, spacing=0.05, half_width=0.1)
    >>> residual.samples[:, 0, 1]
    array([0., 0., 0., 0., 1., 1., 0., 0., 0.], dtype=float32)
    """
    stage = RemoveMedianBackground(spacing=spacing, half_width=half_width, guard=guard)
    stage._workers = check_count(workers, "workers")
    return run_lane(stage, sweep)


class RemoveMedianBackground(LaneStage):
    """Streaming form of :func:`remove_median_background`; lags by the half-width."""

    _workers = 1  # a stream is served by the thread that calls

    def __init__(self, *, spacing: float, half_width: float, guard: float | None = None):
        self.spacing = check_positive(spacing, "spacing")
        self.half_width = check_positive(half_width, "half_width")
        self.guard = None if guard is None else check_not_negative(guard, "guard")
        self.latency, self._n_guard = check_window(self.spacing, self.half_width, self.guard)
        options = {"spacing": self.spacing, "half_width": self.half_width}
        super().__init__(**options | ({} if self.guard is None else {"guard": self.guard}))

    def _begin(self, sensor: Sensor) -> None:
        self._shape = sensor.shape
        size, width = 2 * self.latency + 1, math.prod(sensor.shape)
        self._state = _sorted_windows(n_held=size, size=size, width=width)
        self._is_sorted = True  # whether the windows hold what the buffer does

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        buffer, presence, windows, tally, _ = self._state
        taken = int(tally[0])
        n_ready = max(0, taken + len(samples) - self.latency) - max(0, taken - self.latency)
        residual = self._new_samples((n_ready, *self._shape))
        counts = np.empty(n_ready, np.int64)
        rows, results = _as_rows(samples), _as_rows(residual)
        span = 1 << (self.latency + 1).bit_length() - 1  # windows in a group
        if self._n_guard < 0 and span >= 16 and 3 * n_ready >= 2 * span:
            groups = (self.latency, span, (buffer, presence, taken))
            share_columns(
                lambda columns: subtract_medians(rows, is_usable, *groups, columns, results),
                len(windows),
                self._workers,
            )
            count_present(is_usable, self.latency, -1, presence, tally, counts)
            keep_last_traces(rows, is_usable, taken, buffer)
            self._is_sorted = False
            return residual, None
        count_present(is_usable, self.latency, self._n_guard, presence, tally, counts)

        def work(columns: npt.NDArray[np.int64]) -> None:
            scratch = np.empty((3, 32), np.float32)
            if not self._is_sorted:
                sort_windows(buffer, columns, scratch, windows)
            window = (self.latency, self._n_guard, taken, columns, buffer, windows, scratch)
            subtract_sliding_median(rows, is_usable, *window, counts, results)

        share_columns(work, len(windows), self._workers)
        self._is_sorted = True
        if self._n_guard < 0:
            return residual, None
        return residual, np.where(counts == 0, int(Quality.EDGE), 0)

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        # beyond the end of the lane there are traces too: absent ones
        beyond = np.zeros((self.latency, *self._shape), np.float32)
        return self._advance(beyond, np.zeros(self.latency, np.bool_))


def whiten(
    sweep: Sweep,
    *,
    spacing: float,
    length: float,
    guard: float,
    floor: float = 0.1,
    min_share: float = 1 / 3,
    step: float | None = None,
) -> Sweep:
    r"""
    Express each sample in spreads of the traces behind it.

    Parameters
    ----------
    sweep : Sweep
        A lane of a radar or a metal detector, best without its background.
    spacing : float
        Distance between neighbouring traces, in metres.
    length : float
        How far the window reaches back, in metres.
    guard : float
        Distance behind the trace that is left out, in metres. Choose it no smaller than a
        target, which else raises its own spread.
    floor : float
        Least spread, as a share of the median over the samples of the trace and channel.
    min_share : float
        Least share of a whole window that must be usable, in (0, 1].
    step : float, optional
        Distance between the traces that make up the window, in metres; by default every
        one. Choose it for traces much closer than the ground changes: an array at 1 cm
        takes a fifth of the time with every fifth trace.

    Returns
    -------
    whitened : Sweep
        Samples without unit. Traces with too few others in their window are zero and have
        the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, or `length` does not exceed `guard` by `spacing`.

    Notes
    -----
    For each channel and sample :math:`t`, with the median :math:`m` over the usable traces
    from `length` to `guard` behind trace :math:`k`, the spread :math:`s` (1.4826 times the
    median absolute deviation from it) and the floor :math:`f`,

    .. math:: z_{kt} = \frac{x_{kt} - m_{kt}}
        {\max(s_{kt},\; f \operatorname{median}_u \{s_{ku} : s_{ku} > 0\})}.

    Gaussian noise gets unit spread, whatever its depth. The floor keeps samples that hardly
    vary from shouting; those that an alignment set to zero have no spread and no say in it.
    Where no sample of a channel has any spread, a deviation cannot be measured: such
    traces are flagged EDGE as well. Scores are limited to 1e30 in magnitude. Causal.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(40), lever_arms=[[0, 0, 0]]
    ... )
    >>> rng = np.random.default_rng(seed=1)
    >>> decay = np.exp(-np.arange(40) / 5)
    >>> sweep = Sweep(
    ...     samples=decay * rng.normal(size=(200, 1, 40)),
    ...     time=np.arange(200),
    ...     position=np.zeros((200, 3)),
    ...     heading=np.zeros(200),
    ...     sensor=sensor,
    ... )
    >>> white = whiten(sweep, spacing=0.05, length=5.0, guard=0.5, floor=1e-9)
    >>> [bool(0.9 < white.samples[100:, 0, j].std() < 1.2) for j in (0, 20, 39)]
    [True, True, True]
    >>> int((white.quality[:45] & Quality.EDGE != 0).sum())
    40
    """
    stage = Whiten(
        spacing=spacing,
        length=length,
        guard=guard,
        floor=floor,
        min_share=min_share,
        step=step,
    )
    return run_lane(stage, sweep)


class Whiten(LaneStage):
    """Streaming form of :func:`whiten`, with its options. Causal."""

    def __init__(
        self,
        *,
        spacing: float,
        length: float,
        guard: float,
        floor: float = 0.1,
        min_share: float = 1 / 3,
        step: float | None = None,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.length = check_positive(length, "length")
        self.guard = check_not_negative(guard, "guard")
        self.floor = check_positive(floor, "floor")
        self.min_share = check_positive(min_share, "min_share")
        if self.min_share > 1:
            msg = f"Invalid min_share '{self.min_share}'. Must be at most 1."
            raise ValueError(msg)
        self.step = self.spacing if step is None else check_positive(step, "step")
        n_guard = round(self.guard / self.spacing)
        size = round(self.length / self.spacing) - n_guard
        if size < 1:
            msg = (
                f"Invalid length '{self.length}'. Must exceed the guard of {self.guard} m by "
                f"a spacing of {self.spacing} m or more."
            )
            raise ValueError(msg)
        # traces drawn: numbers 0, n, 2 n ... of the lane, so that chunks do not matter
        self._every = max(1, round(self.step / self.spacing))
        if not self.spacing <= self.step <= size * self.spacing:
            msg = (
                f"Invalid step '{self.step}'. Must be from the spacing of {self.spacing} m to "
                f"the {size * self.spacing:g} m between guard and length."
            )
            raise ValueError(msg)
        self._n_guard = -(-(n_guard + 1) // self._every) - 1
        self._size = max(1, round(size / self._every))
        options = {
            "spacing": self.spacing,
            "length": self.length,
            "guard": self.guard,
            "floor": self.floor,
            "min_share": self.min_share,
        }
        super().__init__(**options if step is None else {**options, "step": self.step})

    def _begin(self, sensor: Sensor) -> None:
        if sensor.is_complex:
            msg = (
                f"Invalid sensor '{sensor.name}' of complex samples. Must be real: in-phase "
                "and quadrature would get different scales, and phases be lost."
            )
            raise ValueError(msg)
        self._state = _sorted_windows(
            n_held=self._size + self._n_guard + 1,
            size=self._size,
            width=math.prod(sensor.shape),
        )
        # of the trace drawn last, for those behind it
        self._median, self._spread = (np.zeros((1, *sensor.shape), np.float32) for _ in "ms")
        self._count, self._bottoms = np.zeros(1, np.int64), np.zeros(sensor.shape[0])
        self._taken = 0

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(sensor, quantity="amplitude in spreads", unit="1")

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        before, self._taken = self._taken, self._taken + len(samples)
        drawn = slice(-before % self._every, None, self._every)
        drawn_samples = np.ascontiguousarray(samples[drawn])
        shape = (len(drawn_samples) + 1, *samples.shape[1:])
        median, spread = np.empty(shape, np.float32), np.empty(shape, np.float32)
        counts = np.empty(len(median), np.int64)
        median[:1], spread[:1], counts[:1] = self._median, self._spread, self._count
        trailing_statistics(
            _as_rows(drawn_samples),
            np.ascontiguousarray(is_usable[drawn]),
            self._n_guard,
            *self._state,
            counts[1:],
            _as_rows(median[1:]),
            _as_rows(spread[1:]),
        )
        self._median, self._spread = median[-1:].copy(), spread[-1:].copy()
        self._count = counts[-1:].copy()
        white, is_short = self._new_samples(samples.shape), np.empty(len(samples), np.bool_)
        numbers = np.arange(before, self._taken)
        divide_by_spread(
            samples,
            median,
            spread,
            counts,
            numbers // self._every - (before - 1) // self._every,
            self.floor,
            max(1, math.ceil(self.min_share * self._size)),
            self._bottoms,
            white,
            is_short,
        )
        # what a flagged trace holds must not decide on a second flag
        is_short &= is_usable
        return white, np.where(is_short, int(Quality.EDGE), 0)


def _as_rows(samples: Samples) -> Samples:
    """Return samples as a view (n_traces, n_channels * n_samples)."""
    return samples.reshape(len(samples), -1) if samples.size else samples.reshape(0, 0)


def _sorted_windows(
    *, n_held: int, size: int, width: int
) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray, npt.NDArray, npt.NDArray]:
    """Return an empty buffer, its presence, sorted windows, tally and scratch of kernels."""
    n_blocks = -(-width // 32)
    n_rows = 8 * -(-size // 8) + 1
    return (
        np.full((n_held, 32 * n_blocks), np.inf, np.float32),
        np.zeros(n_held, np.int64),
        np.full((n_blocks, 32 * n_rows), np.inf, np.float32),
        np.zeros(2, np.int64),
        np.empty((3, 32), np.float32),
    )

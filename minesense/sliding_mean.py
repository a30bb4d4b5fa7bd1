"""Remove the mean of the traces around each trace, which lags by half a window."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ._kernels.along_track import count_present
from ._kernels.sliding_mean import keep_traces, subtract_sliding_mean
from ._validation import check_count, check_not_negative, check_positive
from ._windows import check_window, share_columns
from .sensor import Sensor
from .stage import Flags, LaneStage, run_lane
from .sweep import Quality, Samples, Sweep

_N_WINDOWS = 16  #: windows after which sums are added up anew


def remove_mean_background(
    sweep: Sweep,
    *,
    spacing: float,
    half_width: float,
    guard: float | None = None,
    workers: int = 1,
) -> Sweep:
    r"""
    Remove the mean of the traces around each trace.

    Parameters
    ----------
    sweep : Sweep
        A lane of a radar or a metal detector.
    spacing : float
        Distance between neighbouring traces, in metres.
    half_width : float
        Distance the window reaches to each side, in metres, at least `spacing`. Choose
        several target lengths.
    guard : float, optional
        Distance on each side that is left out of the window, in metres, together with the
        trace itself; at least a `spacing` less than `half_width`. A target up to that long
        is no part of its own background. By default nothing is left out.
    workers : int
        Threads that share the columns; the result does not depend on it. One alone nearly
        fills the memory's bandwidth.

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
    With :math:`h` and :math:`g` the half-width and the guard in traces, rounded, and
    :math:`U` the usable traces,

    .. math:: r_k = x_k - \operatorname{mean} \{x_j : j \in U, g < |j - k| \le h\},

    so that the window shrinks at the ends of the lane and at dropouts; without a guard it
    holds the trace itself, and a lone echo keeps :math:`2 h / (2 h + 1)` of its height. White
    noise of variance :math:`\sigma^2` leaves :math:`\sigma^2 (1 - 1 / (2 h + 1))`, or
    :math:`\sigma^2 (1 + 1 / (2 (h - g)))` with a guard. Where a guard leaves nothing in the
    window, the trace is zero and has the flag EDGE. It lags by :math:`h` traces.

    Sums are float64 and run along the lane, whatever its chunks; they are added up anew at
    each trace whose number is a multiple of 16 windows, so that what rounding a sample of
    absurd size has cost is gone by then.

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> samples = np.full((9, 1, 2), 2.0)  # crosstalk only ...
    >>> samples[4, 0, 1] += 1.0  # ... and one echo
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(9),
    ...     position=np.zeros((9, 3)),
    ...     heading=np.zeros(9),
    ...     sensor=sensor,
    ... )
    >>> residual = remove_mean_background(sweep, spacing=0.05, half_width=0.15, guard=0.05)
    >>> residual.samples[:, 0, 1].astype(float).round(2).tolist()
    [0.0, -0.5, -0.33, 0.0, 1.0, 0.0, -0.33, -0.5, 0.0]
    """
    stage = RemoveMeanBackground(spacing=spacing, half_width=half_width, guard=guard)
    stage._workers = check_count(workers, "workers")
    return run_lane(stage, sweep)


class RemoveMeanBackground(LaneStage):
    """Streaming form of :func:`remove_mean_background`; lags by the half-width."""

    _workers = 1  # a stream is served by the thread that calls

    def __init__(self, *, spacing: float, half_width: float, guard: float | None = None):
        self.spacing = check_positive(spacing, "spacing")
        self.half_width = check_positive(half_width, "half_width")
        self.guard = None if guard is None else check_not_negative(guard, "guard")
        self.latency, self._n_guard = check_window(self.spacing, self.half_width, self.guard)
        self._at_once = self.guard is None  # with one, a trace alone leaves nothing of itself
        options = {"spacing": self.spacing, "half_width": self.half_width}
        super().__init__(**options | ({} if self.guard is None else {"guard": self.guard}))

    def _begin(self, sensor: Sensor) -> None:
        self._shape = sensor.shape
        size, width = 2 * self.latency + 1, math.prod(sensor.shape)
        self._buffer = np.zeros((size + 1, width), np.float32)  # the last row stays so
        self._presence, self._tally = np.zeros(size, np.int64), np.zeros(2, np.int64)
        self._before = np.zeros(size, np.int64)  # presence when the chunk began
        self._total = np.zeros(width)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        taken, every = int(self._tally[0]), _N_WINDOWS * (2 * self.latency + 1)
        n_ready = max(0, taken + len(samples) - self.latency) - max(0, taken - self.latency)
        residual = self._new_samples((n_ready, *self._shape))
        width, counts = len(self._total), np.empty(n_ready, np.int64)
        rows, results = samples.reshape(len(samples), width), residual.reshape(n_ready, width)
        window = (self.latency, self._n_guard)
        self._before[:] = self._presence
        count_present(is_usable, *window, self._presence, self._tally, counts)

        are_finite: list[bool] = []

        def work(columns: npt.NDArray[np.int64]) -> None:
            part_is = subtract_sliding_mean(
                rows,
                *window,
                every,
                taken,
                columns,
                self._buffer,
                self._before,
                is_usable,
                self._total,
                counts,
                results,
            )
            are_finite.append(part_is)

        share_columns(work, width, self._workers)
        self._are_finite = all(are_finite)
        keep_traces(rows, taken, self._buffer)
        return residual, None if self._n_guard < 0 else np.where(counts, 0, int(Quality.EDGE))

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        # beyond the end of the lane there are traces too: absent ones
        beyond = np.zeros((self.latency, *self._shape), np.float32)
        return self._advance(beyond, np.zeros(self.latency, np.bool_))

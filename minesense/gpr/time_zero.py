"""Keep the direct wave at the same two-way time: undo the drift of the recorder."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.alignment import shift_traces, trailing_median
from .._kernels.pulse_path import direct_wave_delays
from .._validation import check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Samples, Sweep
from .preprocess import check_radar
from .windows import check_window, samples_between, scratch_of_shift


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
    >>> from minesense.sensor import Radar
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
        self.direct = None if direct is None else check_window(direct, "direct")
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
            self._window = samples_between(self.direct, "direct", sensor)
        reach = self._period / 2 if self.max_delay is None else self.max_delay / step
        self._reach = round(reach)
        if not 1 <= self._reach < n_samples:
            msg = (
                f"Invalid max_delay '{reach * step}'. Must be a sample of {step:.4g} s or "
                f"more and shorter than the record of {n_samples} samples."
            )
            raise ValueError(msg)
        self._tally = np.zeros(3, np.int64)
        self._score = np.empty(2 * self._reach + 1)
        n_history = max(1, round(self.smoothing / self.spacing))
        self._history = np.full((n_history, n_channels), np.nan)
        self._ranked = np.empty((n_channels, n_history))
        self._shift = scratch_of_shift(sensor)

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
        trailing_median(delays, self._history, self._ranked, self._tally[1:], shifts)
        shift_traces(samples, shifts, *self._shift, aligned)
        return aligned, None

    def _find_direct(self, trace: Samples) -> tuple[int, int]:
        """Return the samples around the first that reaches half the largest magnitude."""
        magnitude = np.abs(trace).max(axis=0)
        first = int(np.argmax(magnitude >= magnitude.max() / 2))
        reach = max(1, round(self._period))
        return max(0, first - reach), min(len(magnitude), first + reach + 1)

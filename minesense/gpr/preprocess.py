"""Filter radar traces along their two-way time."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from .._kernels.band import filter_band
from .._kernels.fast_time import subtract_centred_mean
from .._kernels.sliding_in_time import subtract_sliding_median
from .._validation import check_count, check_one_of, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Samples, Sweep
from ._window_sums import window_sums


def check_radar(sensor: Sensor) -> float:
    """
    Return the sample interval of a radar with a regular axis of two-way time.

    Parameters
    ----------
    sensor : Sensor
        Any sensor.

    Returns
    -------
    step : float
        Sample interval, in seconds.

    Raises
    ------
    ValueError
        If the sensor is not a radar, its axis is not regular and in seconds, or its samples
        are complex.

    Examples
    --------
    >>> sensor = Sensor(name="demo", kind="gpr", axis=[0.0, 1e-9], lever_arms=[[0, 0, 0]])
    >>> check_radar(sensor)
    1e-09
    """
    if sensor.kind != "gpr" or sensor.axis_unit != "s" or sensor.is_complex:
        samples = ", complex samples" if sensor.is_complex else ""
        msg = (
            f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}', axis in "
            f"{sensor.axis_unit}{samples}. Must be a radar with two-way times in s and real "
            "samples."
        )
        raise ValueError(msg)
    return sensor.sample_interval


def half_width_of(window: float, sensor: Sensor) -> int:
    """
    Return how many samples a window of two-way time reaches to each side.

    Parameters
    ----------
    window : float
        Length in seconds.
    sensor : Sensor
        A radar with a regular axis in seconds.

    Returns
    -------
    half_width : int
        Samples on each side of the middle one, 1 or more.

    Raises
    ------
    ValueError
        If the window, rounded to an odd number of samples, is shorter than three or longer
        than the trace, or the sensor is no such radar.

    Examples
    --------
    >>> axis = 1e-10 * np.arange(8)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> half_width_of(5e-10, sensor)
    2
    """
    step, n_samples = check_radar(sensor), sensor.shape[1]
    half_width = round((window / step - 1) / 2)
    if not 3 <= 2 * half_width + 1 <= n_samples:
        msg = (
            f"Invalid window '{window}'. Must be 3 to {n_samples} samples of {step:.4g} s, "
            "the length of the trace."
        )
        raise ValueError(msg)
    return half_width


def dewow(sweep: Sweep, *, window: float, statistic: str = "mean") -> Sweep:
    r"""
    Remove slow drift within each trace: the mean or median of the samples around each sample.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    window : float
        Length of the mean or median, in seconds of two-way time; two periods of the centre
        frequency are usual.
    statistic : {"mean", "median"}
        Which of them stands for the drift.

    Returns
    -------
    residual : Sweep
        Traces without their slow part, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `window` is not finite and greater than zero, is shorter than three samples or
        longer than the trace, `statistic` is another word, or if the sensor is not a radar
        with a regular axis in s.

    Notes
    -----
    With :math:`2 h + 1` the window in samples, rounded to an odd number,

    .. math:: y_t = x_t - \operatorname{mean} \{x_u : |u - t| \le h\},

    or the median of the same samples, over fewer of them at the ends of a trace; of an even
    number the median is the mean of the middle two. A constant vanishes. Each trace by itself.

    The mean is linear: it commutes with stacking and background removal, and a sine of which
    a whole number of periods fills the window passes unchanged; but a strong pulse drags
    down what lies up to :math:`h` samples from it. The median leaves a step of the drift
    without any trace, and around a pulse shorter than :math:`h` samples in a quiet place it
    leaves all as it was [1]_; it is not linear, and bends waves that fill the window.

    References
    ----------
    .. [1] Tukey, J. W. (1977). *Exploratory Data Analysis*, chapter 7, running medians.
       Addison-Wesley. ISBN 0-201-07616-0

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(8), lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.full((1, 1, 8), 5.0)
    >>> samples[0, 0, 4] += 3.0
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> dewow(sweep, window=3e-10).samples[0, 0].round(3)
    array([ 0.,  0.,  0., -1.,  2., -1.,  0.,  0.], dtype=float32)
    """
    return run_lane(Dewow(window=window, statistic=statistic), sweep)


class Dewow(LaneStage):
    """Streaming form of :func:`dewow`, with its options. Each trace by itself."""

    def __init__(self, *, window: float, statistic: str = "mean"):
        self.window = check_positive(window, "window")
        self.statistic = check_one_of(statistic, "statistic", ("mean", "median"))
        options = {} if self.statistic == "mean" else {"statistic": self.statistic}
        super().__init__(window=self.window, **options)
        self._at_once = self.statistic == "mean"  # a median takes a copy without dropouts

    def _begin(self, sensor: Sensor) -> None:
        n_samples = sensor.shape[1]
        self._half_width = half_width_of(self.window, sensor)
        if self.statistic == "median":
            self._scratch = windows_side_by_side(2, self._half_width, n_samples)
            return
        self._sums = window_sums(self._half_width, n_samples)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = self._new_samples(samples.shape)
        traces, out = (x.reshape(-1, samples.shape[2]) for x in (samples, residual))
        if self.statistic == "median":
            # infinite samples would be taken for what lies beyond the ends of a trace
            traces = silence_unusable(samples, is_usable).reshape(traces.shape)
            subtract_sliding_median(traces, self._half_width, *self._scratch, out)
        else:
            self._are_finite = subtract_centred_mean(traces, *self._sums, out)
        return residual, None


def silence_unusable(samples: Samples, is_usable: npt.NDArray[np.bool_]) -> Samples:
    """
    Return samples with zeros in place of traces that mean nothing.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 ndarray
        Anything where a trace is not usable.
    is_usable : (n_traces,) bool ndarray
        Which traces are.

    Returns
    -------
    samples : (n_traces, n_channels, n_samples) float32 ndarray
        The same array if all traces are usable, else a copy.

    Examples
    --------
    >>> silence_unusable(np.full((2, 1, 1), np.nan), np.zeros(2, bool)).ravel()
    array([0., 0.])
    """
    if is_usable.all():
        return samples
    return np.where(is_usable[:, None, None], samples, 0).astype(samples.dtype, copy=False)


def windows_side_by_side(
    n_tiles: int, half_width: int, n_samples: int
) -> tuple[Samples, Samples, Samples]:
    """
    Return what the kernels of sliding medians write into.

    Parameters
    ----------
    n_tiles : int
        Values per sample that a kernel keeps.
    half_width : int
        Samples of a window on each side.
    n_samples : int
        Of a trace.

    Returns
    -------
    tile, window, rows : float32 ndarray
        64 traces side by side, their sorted windows, and rows of them.

    Examples
    --------
    >>> [x.shape for x in windows_side_by_side(2, 5, 512)]
    [(2, 32768), (832,), (2, 64)]
    """
    n_sixes = -(-(2 * half_width + 1) // 6)
    return (
        np.empty((n_tiles, 64 * n_samples), np.float32),
        np.empty(64 * (6 * n_sixes + 1), np.float32),
        np.empty((2, 64), np.float32),
    )


def band_pass(
    sweep: Sweep, *, low: float, high: float, order: int = 4, phase: str = "zero"
) -> Sweep:
    r"""
    Keep a band of frequencies of each trace, without delay or causally.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    low, high : float
        Edges of the band, in Hz, where 6 dB are lost, 3 dB by the causal filter.
    order : int
        Of the Butterworth filter, 1 or more.
    phase : {"zero", "causal"}
        Whether the filter runs once each way, so that echoes stay where they are, or
        forward only, so that nothing comes before its cause; echoes then are late.

    Returns
    -------
    filtered : Sweep
        Traces in their band, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `low` and `high` do not fulfil 0 < low < high < Nyquist frequency, if a trace is
        too short for the ends of the filter of phase zero, `phase` is another word, or if
        the sensor is not a radar with a regular axis in s.

    Notes
    -----
    A Butterworth filter of order :math:`n` is a product of as many sections

    .. math:: H_i(z) = g \frac{1 - z^{-2}}{1 + a_{i1} z^{-1} + a_{i2} z^{-2}},

    from both edges of the band in turns, with :math:`g^n` the gain of the filter. Phase
    zero: they run forward, then backward [1]_, so that the gain is :math:`|H(f)|^2`. Each
    end is extended by :math:`3 (2 n + 1)` samples, point symmetric about the last sample,
    and each run starts settled on its first value, as in `scipy.signal.sosfiltfilt`. Causal:
    one run, settled on the first sample, as if the trace had stood there forever. Arithmetic
    is float64 whatever the band. Each trace by itself.

    References
    ----------
    .. [1] Gustafsson, F. (1996). Determining the initial states in forward-backward
       filtering. *IEEE Transactions on Signal Processing*, 44(4), 988-992.
       https://doi.org/10.1109/78.492552

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(400), lever_arms=[[0, 0, 0]]
    ... )
    >>> inside = np.sin(2 * np.pi * 1e9 * sensor.axis)
    >>> sweep = Sweep(
    ...     samples=(5 + inside)[None, None],
    ...     time=[0.0],
    ...     position=np.zeros((1, 3)),
    ...     heading=[0.0],
    ...     sensor=sensor,
    ... )
    >>> filtered = band_pass(sweep, low=0.3e9, high=3e9)
    >>> bool(np.abs(filtered.samples[0, 0] - inside)[100:300].max() < 0.01)
    True
    """
    return run_lane(BandPass(low=low, high=high, order=order, phase=phase), sweep)


class BandPass(LaneStage):
    """Streaming form of :func:`band_pass`, with its options. Each trace by itself."""

    def __init__(self, *, low: float, high: float, order: int = 4, phase: str = "zero"):
        self.low = check_positive(low, "low")
        self.high = check_positive(high, "high")
        self.order = check_count(order, "order")
        self.phase = check_one_of(phase, "phase", ("zero", "causal"))
        if self.low >= self.high:
            msg = f"Invalid low '{self.low}'. Must be less than high, {self.high} Hz."
            raise ValueError(msg)
        options = {} if self.phase == "zero" else {"phase": self.phase}
        super().__init__(low=self.low, high=self.high, order=self.order, **options)

    def _begin(self, sensor: Sensor) -> None:
        step, n_samples = check_radar(sensor), sensor.shape[1]
        if self.high >= 0.5 / step:
            msg = (
                f"Invalid high '{self.high}'. Must be less than the Nyquist frequency, "
                f"{0.5 / step:.4g} Hz."
            )
            raise ValueError(msg)
        self._n_pad = 3 * (2 * self.order + 1) if self.phase == "zero" else 0
        if n_samples <= self._n_pad:
            msg = (
                f"Invalid sensor '{sensor.name}': traces of {n_samples} samples. Must hold "
                f"more than {self._n_pad} for a band-pass of order {self.order}."
            )
            raise ValueError(msg)
        self._sections, self._gain = _design(self.order, self.low, self.high, step)
        n_fours = -(-(n_samples + 2 * self._n_pad) // 4)
        self._scratch = np.empty(128 * n_fours), np.empty(64 * self.order), np.empty(32)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        filtered = self._new_samples(samples.shape)
        filter_band(
            samples.reshape(-1, samples.shape[2]),
            self._sections,
            self._gain,
            self._n_pad,
            self.phase == "zero",
            *self._scratch,
            filtered.reshape(-1, samples.shape[2]),
        )
        return filtered, None


@functools.lru_cache(maxsize=16)
def _design(order: int, low: float, high: float, step: float) -> tuple[Floats, float]:
    """Return a1 and a2 of the sections of the filter, and the gain of each."""
    from scipy import signal  # noqa: PLC0415 - takes 0.9 s to import

    # as many zeros at 1 as at -1: one of each for a pair of poles
    _, poles, gain = signal.butter(order, (low, high), "bandpass", output="zpk", fs=1 / step)
    upper, real = poles[poles.imag > 0], poles[poles.imag == 0].real
    sections = [(-2 * p.real, abs(p) ** 2) for p in upper]
    if len(real):  # one of each edge of a wide band of odd order
        sections.append((-real.sum(), real.prod()))
    # from both edges of the band in turns: of a wide one, sections of one edge alone would
    # take away most of what lies at the other, and those that follow raise the rest again
    sections.sort()
    turns = [sections[i // 2] if i % 2 == 0 else sections[-1 - i // 2] for i in range(order)]
    return np.array(turns), float(gain ** (1 / order))

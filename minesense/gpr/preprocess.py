"""Filter radar traces along their two-way time."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from .._kernels.fast_time import filter_both_ways, subtract_centred_mean
from .._validation import check_count, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Samples, Sweep

#: Traces that the band-pass filters side by side: a tile of them fits the second-level cache.
_N_SIDE = 64


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


def dewow(sweep: Sweep, *, window: float) -> Sweep:
    r"""
    Remove slow drift within each trace: the mean of the samples around each sample.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    window : float
        Length of the mean, in seconds of two-way time; two periods of the centre frequency
        are usual.

    Returns
    -------
    residual : Sweep
        Traces without their slow part, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `window` is not finite and greater than zero, is shorter than three samples or
        longer than the trace, or if the sensor is not a radar with a regular axis in s.

    Notes
    -----
    With :math:`2 h + 1` the window in samples, rounded to an odd number,

    .. math:: y_t = x_t - \operatorname{mean} \{x_u : |u - t| \le h\},

    over fewer samples at the ends of a trace. A mean and not a median, since the mean is
    linear: it commutes with stacking and background removal, and leaves no steps where a
    strong pulse enters the window. A constant vanishes, and a sine of which a whole number
    of periods fills the window passes unchanged. Each trace by itself.

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
    return run_lane(Dewow(window=window), sweep)


class Dewow(LaneStage):
    """Streaming form of :func:`dewow`, with its options. Each trace by itself."""

    def __init__(self, *, window: float):
        self.window = check_positive(window, "window")
        super().__init__(window=self.window)

    def _begin(self, sensor: Sensor) -> None:
        step, n_samples = check_radar(sensor), sensor.shape[1]
        self._half_width = round((self.window / step - 1) / 2)
        length = 2 * self._half_width + 1
        if not 3 <= length <= n_samples:
            msg = (
                f"Invalid window '{self.window}'. Must be 3 to {n_samples} samples of "
                f"{step:.4g} s, the length of the trace."
            )
            raise ValueError(msg)
        inside = np.convolve(np.ones(n_samples), np.ones(length))
        self._shares = (1 / inside[self._half_width :][:n_samples]).astype(np.float32)
        self._sums = np.empty((2, n_samples + 2 * self._half_width), np.float32)
        self._total = np.empty(n_samples, np.float32)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = np.empty_like(samples)
        subtract_centred_mean(
            samples.reshape(-1, samples.shape[2]),
            self._half_width,
            self._shares,
            self._sums,
            self._total,
            residual.reshape(-1, samples.shape[2]),
        )
        return residual, None


def band_pass(sweep: Sweep, *, low: float, high: float, order: int = 4) -> Sweep:
    r"""
    Keep a band of frequencies of each trace, without delay.

    Parameters
    ----------
    sweep : Sweep
        A radar lane.
    low, high : float
        Edges of the band, in Hz, where 6 dB are lost.
    order : int
        Of the Butterworth filter that runs once each way, 1 or more.

    Returns
    -------
    filtered : Sweep
        Traces in their band, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If `low` and `high` do not fulfil 0 < low < high < Nyquist frequency, if a trace is
        too short for the filter's ends, or if the sensor is not a radar with a regular axis
        in s.

    Notes
    -----
    Second-order sections [1]_ run forward, then backward, so that the gain is
    :math:`|H(f)|^2` and the phase zero. Each end is extended by :math:`3 (2 n + 1)` samples
    for :math:`n` sections (`order` of them), point symmetric about the last sample, and
    each run starts settled on its first value. Sums are float64. Each trace by itself.

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
    return run_lane(BandPass(low=low, high=high, order=order), sweep)


class BandPass(LaneStage):
    """Streaming form of :func:`band_pass`, with its options. Each trace by itself."""

    def __init__(self, *, low: float, high: float, order: int = 4):
        self.low = check_positive(low, "low")
        self.high = check_positive(high, "high")
        self.order = check_count(order, "order")
        if self.low >= self.high:
            msg = f"Invalid low '{self.low}'. Must be less than high, {self.high} Hz."
            raise ValueError(msg)
        super().__init__(low=self.low, high=self.high, order=self.order)

    def _begin(self, sensor: Sensor) -> None:
        step, n_samples = check_radar(sensor), sensor.shape[1]
        if self.high >= 0.5 / step:
            msg = (
                f"Invalid high '{self.high}'. Must be less than the Nyquist frequency, "
                f"{0.5 / step:.4g} Hz."
            )
            raise ValueError(msg)
        self._n_pad = 3 * (2 * self.order + 1)
        if n_samples <= self._n_pad:
            msg = (
                f"Invalid sensor '{sensor.name}': traces of {n_samples} samples. Must hold "
                f"more than {self._n_pad} for a band-pass of order {self.order}."
            )
            raise ValueError(msg)
        self._sections, self._settled = _design(self.order, self.low, self.high, step)
        self._tile = np.empty((n_samples + 2 * self._n_pad, _N_SIDE))
        self._state = np.empty((3, _N_SIDE))

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        filtered = np.empty_like(samples)
        filter_both_ways(
            samples.reshape(-1, samples.shape[2]),
            self._sections,
            self._settled,
            self._n_pad,
            self._tile,
            self._state,
            filtered.reshape(-1, samples.shape[2]),
        )
        return filtered, None


@functools.lru_cache(maxsize=16)
def _design(order: int, low: float, high: float, step: float) -> tuple[Floats, Floats]:
    """Return the sections of the filter and their settled states; a lane needs no new ones."""
    from scipy import signal  # noqa: PLC0415 - takes 0.9 s to import

    sections = signal.butter(order, (low, high), "bandpass", output="sos", fs=1 / step)
    return np.ascontiguousarray(sections), np.ascontiguousarray(signal.sosfilt_zi(sections))

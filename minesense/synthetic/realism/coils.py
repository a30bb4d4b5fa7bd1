"""What soil, height and noise do to a metal detector: statistics of its samples alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...emi.preprocess import check_gated, soil_basis, soil_decay, train_of
from ...physics import soil_pulse_voltage
from ...sensor import Circle, Head, Sensor
from ...sweep import Floats, Sweep
from .kept import LEAST_TRACES, MOST_LAGS, is_kept
from .missing import Missing, TooFewError, told
from .variogram import Variogram, semivariogram

_STEP = 1e-3  # m, for the slope of the soil's response over height
_SEGMENT = 64  # traces, least, of a stretch for the spectrum
_LINE = 0.7  # share of the variance that lies on one axis of the phasor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoilSeries:
    """The response of the soil along a lane, and what moves it."""

    share: float  #: of the variance about the median decay that lies along the soil's decay
    spread: float  #: standard deviation of the logarithm of the response
    height: float | Missing  #: m, of the height that would do the same
    law: Variogram | Missing  #: of the logarithm, lags in seconds
    frequency: Floats  #: (n,) Hz, empty if no stretch without a hole is long enough
    power: Floats  #: (n,) of the logarithm, 1/Hz: its integral is the variance


def gate_noise(sweep: Sweep) -> Floats:
    r"""
    Estimate the noise of every gate, or of in-phase and quadrature, that is new in each trace.

    Parameters
    ----------
    sweep : Sweep
        A metal-detector lane.

    Returns
    -------
    noise : (n_samples,) float64 ndarray
        Standard deviation, in the unit of the samples; median over channels.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector.
    TooFewError
        If fewer than fifty traces have both neighbours.

    Notes
    -----
    Three traces in a row leave :math:`d = x_{k-1} - 2 x_k + x_{k+1}`, in which a slope is
    gone and white noise has six times its variance: :math:`1.4826\, \mathrm{MAD}(d) /
    \sqrt{6}`. Motion that is not smooth over three traces is in it.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import gate_noise
    >>> made = field(scenario("prepared", lanes={"length": 3.0, "run_in": 0.5}), seed=1)
    >>> _, coils = made.sweep(cart(n_antennas=1, n_coils=2), lanes=["lane 01"])
    >>> noise = gate_noise(coils)
    >>> bool(noise[0] > noise[-1] > 0)
    True
    """
    samples, row = samples_of(sweep)
    middle = (np.diff(row)[:-1] == 1) & (np.diff(row)[1:] == 1)
    if middle.sum() < LEAST_TRACES - 2:
        msg = f"{int(middle.sum())} traces with two neighbours: at least 48 are needed"
        raise TooFewError(msg)
    bend = (samples[:-2] - 2 * samples[1:-1] + samples[2:])[middle]
    spread = 1.4826 * np.median(np.abs(bend - np.median(bend, axis=0)), axis=0) / math.sqrt(6)
    return np.asarray(np.median(spread, axis=0))


def soil_series(sweep: Sweep) -> SoilSeries:
    r"""
    Measure how the soil's response varies along a lane of gates.

    Parameters
    ----------
    sweep : Sweep
        A lane of a pulse-induction detector whose head is known.

    Returns
    -------
    series : SoilSeries
        Over all coils.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector of gates with a head and a gate for each sample.
    TooFewError
        If fewer than fifty traces are usable, or the response is not above zero throughout.

    Notes
    -----
    With the unit decay :math:`s` of viscous soil (:func:`minesense.emi.soil_decay`) and the
    median decay :math:`m` of a coil, the share is :math:`\sum (s \cdot (x_k - m))^2 / \sum
    |x_k - m|^2`, and the response :math:`a_k = s \cdot x_k`. Its logarithm moves with the
    height by :math:`d \ln V / d h` of the exact half-space at the nominal height, which turns
    the spread into metres; soil that is stronger in places is in it. The law is over time:
    its length is the correlation time, its nugget noise that is new in each trace. The
    spectrum is the mean over coils and half-overlapping stretches of a quarter of the lane
    (Hann window, mean removed) that have no hole, as if traces came at equal times [1]_.

    References
    ----------
    .. [1] Welch, P. D. (1967). The use of fast Fourier transform for the estimation of power
       spectra. *IEEE Transactions on Audio and Electroacoustics*, 15(2), 70-73.
       https://doi.org/10.1109/TAU.1967.1161901

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import soil_series
    >>> recipe = scenario("basalt", lanes={"length": 5.0}, layout={"density": 0.0})
    >>> made = field(recipe, seed=1)
    >>> _, coils = made.sweep(cart(n_antennas=1, n_coils=2), lanes=["lane 01"])
    >>> series = soil_series(coils)
    >>> series.share > 0.9, 0.003 < series.height < 0.05
    (True, True)
    """
    check_gated(sweep.sensor)
    basis = soil_of(sweep.sensor)
    samples, row = samples_of(sweep)
    deviation = samples - np.median(samples, axis=0)
    along = deviation @ basis
    total = float((deviation**2).sum())
    if not total > 0:
        msg = "all traces are the same"
        raise TooFewError(msg)
    response = samples @ basis
    if not (response > 0).all():
        msg = "the response of the soil is not above zero throughout: noise hides it"
        raise TooFewError(msg)
    logs = np.log(response) - np.log(response).mean(axis=0)
    spread = float(logs.std())
    slope = told(_height_slope, sweep.sensor)
    frequency, power = _spectrum(logs, row, float(np.median(np.diff(sweep.time))))
    return SoilSeries(
        share=float((along**2).sum()) / total,
        spread=spread,
        height=slope if isinstance(slope, Missing) else spread / slope,
        law=told(_over_time, sweep, row, logs),
        frequency=frequency,
        power=power,
    )


def quadrature_ratio(sweep: Sweep) -> tuple[float | Missing, ...]:
    r"""
    Measure the ratio of quadrature to in-phase of what the soil does to phasors.

    Parameters
    ----------
    sweep : Sweep
        A lane of a continuous-wave detector, complex samples.

    Returns
    -------
    ratios : tuple of float or Missing
        One for each frequency, median over channels. Negative where the quadrature is
        opposite to the in-phase part, as of viscous soil for the time factor
        :math:`e^{+i \omega t}`.

    Raises
    ------
    ValueError
        If the sensor is not a metal detector of complex samples.
    TooFewError
        If fewer than fifty traces are usable.

    Notes
    -----
    The soil comes and goes with the height of the head, a constant coupling does not: the
    ratio is that of the principal axis of the phasors about their mean, if it holds at least
    0.7 of their variance. Of viscous soil whose relaxation times span :math:`\tau_1` to
    :math:`\tau_2` it is :math:`- (\pi / 2) / \ln(1 / \omega \tau_1)`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense import Sensor, Sweep
    >>> from minesense.synthetic.realism import quadrature_ratio
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="emi",
    ...     axis=[2e4],
    ...     axis_unit="Hz",
    ...     lever_arms=np.zeros((1, 3)),
    ...     is_complex=True,
    ... )
    >>> soil = 5.0 + np.random.default_rng(seed=0).normal(size=(100, 1, 1))
    >>> sweep = Sweep(
    ...     samples=np.concatenate([soil, 3.0 - 0.1 * soil], axis=2),
    ...     time=np.arange(100),
    ...     position=np.zeros((100, 3)),
    ...     heading=np.zeros(100),
    ...     sensor=sensor,
    ... )
    >>> round(quadrature_ratio(sweep)[0], 6)
    -0.1
    """
    _check_emi(sweep.sensor)
    if not sweep.sensor.is_complex:
        msg = f"Invalid sensor '{sweep.sensor.name}' with real samples. Must be complex."
        raise ValueError(msg)
    samples, _ = samples_of(sweep)
    return tuple(
        told(_ratio, samples[..., 2 * k : 2 * k + 2]) for k in range(len(sweep.sensor.axis))
    )


def _ratio(pairs: Floats) -> float:
    """Return the ratio on the principal axis of (n, n_channels, 2) phasors."""
    ratios = []
    for channel in range(pairs.shape[1]):
        values, axes = np.linalg.eigh(np.cov(pairs[:, channel].T))
        if values[1] > 0 and values[1] >= _LINE * values.sum():
            in_phase, quadrature = axes[:, 1]
            ratios.append(quadrature / in_phase if in_phase else math.inf)
    if not ratios or not np.isfinite(np.median(ratios)):
        msg = "no axis of the phasor holds the soil: noise, metal, or no motion of the head"
        raise TooFewError(msg)
    return float(np.median(ratios))


def soil_of(sensor: Sensor) -> Floats:
    """Return the decay of soil at the gates, of unit length."""
    (basis,) = soil_basis(sensor)
    return basis * np.sign(basis @ soil_decay(train_of(sensor)))


def _height_slope(sensor: Sensor) -> float:
    """Return by how much the logarithm of the soil's response falls per metre of height."""
    head: Head | None = sensor.head
    is_known = (
        head is not None
        and head.height is not None
        and head.height > _STEP
        and all(isinstance(x, Circle) for x in (*head.transmitter, *head.receiver))
        and head.transmitter == head.receiver
        and len(head.transmitter) == 1
    )
    if not is_known:
        msg = "the height of the head is not known, or its coil is no single circle"
        raise TooFewError(msg)
    assert head is not None
    assert head.height is not None
    options: dict[str, Any] = {"susceptibility": 1e-3, "viscous_share": 1.0}
    height = np.array([head.height - _STEP, head.height + _STEP])
    low, high = soil_pulse_voltage(height, head=head, **options)[:, 0]
    return float(math.log(low / high) / (2 * _STEP))


def _over_time(sweep: Sweep, row: npt.NDArray[np.int64], logs: Floats) -> Variogram:
    """Return the semivariogram of a series over time."""
    interval = float(np.median(np.diff(sweep.time)))
    table = np.full((row[-1] - row[0] + 1, logs.shape[1]), np.nan)
    table[row - row[0]] = logs
    return semivariogram(table, spacing=interval)


def _spectrum(
    logs: Floats, row: npt.NDArray[np.int64], interval: float
) -> tuple[Floats, Floats]:
    """Return the spectrum of series (n, m) from stretches without a hole."""
    length = max(_SEGMENT, len(logs) // 4)
    starts = [
        start
        for start in range(0, len(logs) - length + 1, length // 2)
        if row[start + length - 1] - row[start] == length - 1
    ]
    if not starts:
        return np.empty(0), np.empty(0)
    parts = np.stack([logs[start : start + length] for start in starts])
    window = np.hanning(length)[:, None]
    lines = np.fft.rfft((parts - parts.mean(axis=1, keepdims=True)) * window, axis=1)
    power = 2 * interval * (np.abs(lines) ** 2).mean(axis=(0, 2)) / (window**2).sum()
    return np.fft.rfftfreq(length, interval)[1:].astype(np.float64), power[1:]


def samples_of(sweep: Sweep) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return samples of the traces that are used, and their places in time, in traces."""
    _check_emi(sweep.sensor)
    kept = is_kept(sweep)
    if kept.sum() < LEAST_TRACES:
        msg = f"{int(kept.sum())} usable traces: at least {LEAST_TRACES} are needed"
        raise TooFewError(msg)
    steps = np.diff(sweep.time)
    ahead = np.clip(np.rint(steps / np.median(steps)), 1, MOST_LAGS + 1).astype(np.int64)
    row = np.concatenate([[0], np.cumsum(ahead)]).astype(np.int64)
    return sweep.samples[kept].astype(np.float64), row[kept]


def _check_emi(sensor: Sensor) -> None:
    """Raise unless a sensor is a metal detector."""
    if sensor.kind != "emi":
        msg = f"Invalid sensor '{sensor.name}' of kind '{sensor.kind}'. Must be 'emi'."
        raise ValueError(msg)

"""Features of a radar candidate: how its energy spreads over frequency."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..alarm import Feature
from ..sweep import Floats, Sweep
from ._patches import locate_cells

#: Hz, ends of the bands, each as much wider as it is higher.
BANDS: tuple[float, ...] = tuple(float(edge) for edge in np.geomspace(0.5e9, 3e9, 13))

#: Features of :func:`energy_spectrum_features`, in the order of its columns.
ENERGY_SPECTRUM_FEATURES: tuple[Feature, ...] = (
    *(
        Feature(
            f"energy_spectrum_band_{k + 1}",
            "1",
            f"share of energy from {BANDS[k] / 1e9:.3g} to {BANDS[k + 1] / 1e9:.3g} GHz",
        )
        for k in range(len(BANDS) - 1)
    ),
    Feature("energy_spectrum_peak", "Hz", "frequency of the greatest energy density"),
    Feature("energy_spectrum_width", "Hz", "standard deviation of frequency"),
    Feature("energy_spectrum_entropy", "1", "entropy of the shares over its greatest value"),
)

_FINE = 4e6  # Hz, greatest step of the spectrum: the narrowest band holds 20 of them
_ACROSS = 1  # channels on each side


def energy_spectrum_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    reach: float = 0.25,
    duration: float = 4e-9,
) -> Floats:
    r"""
    Describe the energy density spectra of the echoes at candidate places.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) array_like of int
        Trace and channel of each candidate.
    times : (n,) array_like
        Two-way time of each echo in the aligned sweep, in seconds; where it is NaN, that of
        the greatest energy of the trace below the ground.
    ground_time : float
        Two-way time of the ground surface in the aligned sweep, in seconds.
    spacing : float
        Distance between neighbouring traces, in metres.
    reach : float
        How far the patch goes to each side along track, in metres.
    duration : float
        Of the patch around the echo, in seconds; nothing above the ground is in it.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`ENERGY_SPECTRUM_FEATURES`; a row of NaN where the trace itself is
        unusable.

    Raises
    ------
    TypeError, ValueError
        If the sensor is no radar with a regular axis; if a trace, channel or time lies outside
        the sweep, or their numbers differ; if `ground_time` lies outside the sample axis, an
        option is not greater than zero, `spacing` leaves no trace to each side in `reach`, or
        `duration` is shorter than three samples.

    Notes
    -----
    The patch has the candidate's channel and its two neighbours. Unusable traces, and what
    lies beyond the lane, the array or the record, count as zero amplitude. With the
    autocorrelation :math:`r_m` of a trace of :math:`n` samples, averaged over all traces and
    channels of the patch, the energy density at frequency :math:`f` is the estimate of
    Blackman and Tukey [1]_ with Hann's window, negative values set to zero,

    .. math:: P(f) = \max \Big( 0, \sum_{|m| < n}
        \tfrac12 \big( 1 + \cos \tfrac{\pi m}{n} \big)\, r_m\, e^{-2 \pi i f m \Delta t}
        \Big).

    Shares of the bands :data:`BANDS` sum to 1, within them lie peak and width; frequencies
    that the sample interval cannot hold have none. The entropy is
    :math:`-\sum_k p_k \ln p_k / \ln 12`. A silent patch has zeros. Neither amplitude nor
    polarity, direction of travel or delay changes a feature.

    References
    ----------
    .. [1] Blackman, R. B. and Tukey, J. W. (1958). The measurement of power spectra from the
       point of view of communications engineering, part I. *Bell System Technical Journal*,
       37(1), 185-282. https://doi.org/10.1002/j.1538-7305.1958.tb03874.x

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> axis = 62.5e-12 * np.arange(96)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> northing = 0.025 * np.arange(40)
    >>> envelope = np.exp(-(((axis - 3e-9) / 1e-9) ** 2))
    >>> sweep = Sweep(
    ...     samples=np.tile(envelope * np.cos(2 * np.pi * 1.5e9 * axis), (40, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(40),
    ...     sensor=sensor,
    ... )
    >>> row = energy_spectrum_features(
    ...     sweep, [20], [0], [3e-9], ground_time=1e-9, spacing=0.025
    ... )[0]
    >>> names = [feature.name for feature in ENERGY_SPECTRUM_FEATURES]
    >>> round(float(row[names.index("energy_spectrum_peak")]) / 1e9, 1)  # GHz
    1.5
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    half = cells.half(duration)
    result = cells.empty(len(ENERGY_SPECTRUM_FEATURES))
    around = cells.patches(
        along=cells.along(reach), across=_ACROSS, before=half, after=half, is_cut=True
    )
    for row, patch in around:
        frequencies, density = energy_density(patch, cells.interval)
        shares = band_shares(frequencies, density)
        result[row, : len(shares)] = shares
        result[row, len(shares) :] = _summary(frequencies, density, shares)
    return result


def energy_density(patch: npt.NDArray[np.floating], interval: float) -> tuple[Floats, Floats]:
    """
    Return frequencies and the mean energy density of traces.

    Parameters
    ----------
    patch : (..., n_samples) array_like
        Traces in any linear unit.
    interval : float
        Between samples, in seconds.

    Returns
    -------
    frequencies, density : (n_frequencies,) float64 ndarray
        In hertz, and as in the notes of :func:`energy_spectrum_features`.

    Examples
    --------
    >>> tone = np.cos(2 * np.pi * 1e9 * 1e-10 * np.arange(64))
    >>> frequencies, density = energy_density(tone, 1e-10)
    >>> round(float(frequencies[density.argmax()]) / 1e9, 1)
    1.0
    """
    rows = np.asarray(patch, np.float64).reshape(-1, np.shape(patch)[-1])
    n = rows.shape[1]
    spectrum = np.fft.rfft(rows, 2 * n, axis=1)  # twice as long: lags do not wrap around
    lags = np.fft.irfft((spectrum.real**2 + spectrum.imag**2).mean(axis=0))[:n]
    lags *= 0.5 * (1 + np.cos(np.pi * np.arange(n) / n))
    n_fine = 2 ** math.ceil(math.log2(max(2 * n, 1 / (_FINE * interval))))
    two_sided = np.zeros(n_fine)
    two_sided[:n] = lags
    two_sided[n_fine - n + 1 :] = lags[:0:-1]
    density = np.maximum(np.fft.rfft(two_sided).real, 0)
    return np.fft.rfftfreq(n_fine, interval).astype(np.float64), density


def band_shares(frequencies: Floats, density: Floats) -> Floats:
    """
    Return the shares of energy in the bands.

    Parameters
    ----------
    frequencies, density : (n_frequencies,) float64 ndarray
        As :func:`energy_density` returns them.

    Returns
    -------
    shares : (12,) float64 ndarray
        In :data:`BANDS`, of sum 1; zeros where there is no energy in any.

    Examples
    --------
    >>> tone = np.cos(2 * np.pi * 1e9 * 1e-10 * np.arange(64))
    >>> shares = band_shares(*energy_density(tone, 1e-10))
    >>> round(float(shares.sum()), 6), [bool(BANDS[k] < 1e9 < BANDS[k + 1]) for k in (3, 4)]
    (1.0, [False, True])
    """
    edges = np.searchsorted(frequencies, BANDS)
    energy = np.diff(np.concatenate([[0.0], np.cumsum(density)])[edges])
    total = energy.sum()
    return np.asarray(energy / total if total > 0 else np.zeros(len(energy)))


def _summary(frequencies: Floats, density: Floats, shares: Floats) -> tuple[float, ...]:
    """Return peak, width and entropy within the bands; zeros of silence."""
    inside = slice(*np.searchsorted(frequencies, (BANDS[0], BANDS[-1])))
    frequency, power = frequencies[inside], density[inside]
    if not shares.any():
        return 0.0, 0.0, 0.0
    mean = np.average(frequency, weights=power)
    width = math.sqrt(np.average((frequency - mean) ** 2, weights=power))
    some = shares[shares > 0]
    entropy = -float((some * np.log(some)).sum()) / math.log(len(shares))
    return float(frequency[power.argmax()]), width, entropy

"""The pulse of an impulse radar: its spectrum, its frequencies, the ground it lights up."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive, check_real
from ..constants import SPEED_OF_LIGHT
from .soil import Floats

#: The pulse counts up to this multiple of its peak frequency, where it is 50 dB down ...
BAND = 3.0
#: ... for this many periods of the peak frequency before and after its middle ...
HALF_PULSE = 1.25
#: ... and is 10 dB down at this multiple, below the peak.
LOW_EDGE = 0.365


def ricker_spectrum(frequency: npt.ArrayLike, *, peak: float) -> Floats:
    r"""
    Compute the spectrum of a Ricker pulse, the negative second derivative of a Gaussian.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz.
    peak : float
        Frequency where the spectrum is largest, Hz.

    Returns
    -------
    spectrum : (...) float64 ndarray
        In 1/Hz, for the pulse of height 1 in the middle of time.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a finite number or `peak` is not greater than zero.

    Notes
    -----
    .. math:: w(t) = (1 - 2 \pi^2 f_p^2 t^2) e^{-\pi^2 f_p^2 t^2}, \quad
        W(f) = \frac{2}{\sqrt{\pi}} \frac{f^2}{f_p^3} e^{-f^2 / f_p^2} .

    It is 6 dB down at 0.482 and 1.637 times the peak frequency.

    Examples
    --------
    >>> from minesense.physics import ricker_spectrum
    >>> ricker_spectrum([0.5e9, 1e9], peak=1e9).round(12)
    array([2.20e-10, 4.15e-10])
    """
    peak = check_positive(peak, "peak")
    x = _check_finite(frequency, "frequency") / peak
    return np.asarray(2 / math.sqrt(math.pi) / peak * x**2 * np.exp(-(x**2)))[()]


def radar_frequencies(*, n_samples: int, interval: float, peak_frequency: float) -> Floats:
    """
    List the frequencies at which a trace is computed.

    Parameters
    ----------
    n_samples : int
        Samples of a trace.
    interval : float
        Between samples, s; at most a quarter of the period of `peak_frequency`.
    peak_frequency : float
        Of the Ricker pulse, Hz.

    Returns
    -------
    frequency : (n_freq,) float64 ndarray
        Multiples of the first one in Hz, up to three times the peak frequency, where the
        pulse is 50 dB down, or to half the sampling rate if that is less, as steep a filter
        before an instrument's converter leaves it.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The first one is the inverse of a period that is longer than the trace by two and a half
    periods of the peak: what arrives after the trace cannot wrap into it.

    Examples
    --------
    >>> from minesense.physics import radar_frequencies
    >>> radar_frequencies(n_samples=192, interval=62.5e-12, peak_frequency=1.5e9).shape
    (61,)
    """
    n_samples = check_count(n_samples, "n_samples")
    peak = check_positive(peak_frequency, "peak_frequency")
    interval = check_positive(interval, "interval")
    if interval > 0.25 / peak:
        msg = (
            f"Invalid interval '{interval}'. Must be at most a quarter of the period of the "
            f"peak frequency, {0.25 / peak:.3g} s: the band of the pulse, 10 dB down at 1.84 "
            f"times its peak, would reach above the Nyquist frequency, {0.5 / interval:.3g} Hz."
        )
        raise ValueError(msg)
    period = n_samples * interval + 2 * HALF_PULSE / peak
    top = min(BAND * peak, 0.5 / interval)
    return np.arange(1, math.floor(top * period) + 1) / period


def bounce_radius(height: npt.ArrayLike, *, peak_frequency: float) -> Floats:
    r"""
    Compute how far around the antennas the surface takes part in the ground bounce.

    Parameters
    ----------
    height : (...) array_like
        Of the antennas over the surface, m.
    peak_frequency : float
        Of the Ricker pulse, Hz.

    Returns
    -------
    radius : (...) float64 ndarray
        In m.

    Raises
    ------
    TypeError, ValueError
        If a height is not finite and zero or more, or `peak_frequency` is not greater than
        zero.

    Notes
    -----
    :math:`3 \sqrt{\lambda h / 2}` for the wavelength in air at the lower -10 dB edge of the
    pulse, 0.365 times the peak frequency.

    Examples
    --------
    >>> from minesense.physics import bounce_radius
    >>> bounce_radius(0.05, peak_frequency=1.5e9).round(3)
    np.float64(0.351)
    """
    longest = SPEED_OF_LIGHT / (LOW_EDGE * check_positive(peak_frequency, "peak_frequency"))
    return np.asarray(3 * np.sqrt(longest * _check_finite(height, "height", least=0) / 2))[()]


def _check_finite(values: npt.ArrayLike, name: str, least: float = -math.inf) -> Floats:
    """Return values as float64: finite, and not below the least."""
    array: Floats = check_real(values, name).astype(np.float64)
    good = np.isfinite(array) & (array >= least)
    if not good.all():
        rule = "finite" if least == -math.inf else "finite and not negative"
        msg = f"Invalid {name} '{array[~good].flat[0]}'. Must be {rule}."
        raise ValueError(msg)
    return array

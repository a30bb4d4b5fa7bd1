"""Mean spectra of pulse and clutter: centre frequency and band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..._validation import check_array, check_positive
from ...sweep import Floats
from .missing import Missing, TooFewError, told
from .section import SLICES, RadarSection

_PADDING = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectrum:
    """A mean power spectrum and its band."""

    frequency: Floats  #: (n,) Hz
    power: Floats  #: (n,) over its largest
    peak: float  #: Hz
    low: float  #: Hz, where the power falls 10 dB below its largest, on the way down
    high: float | Missing  #: Hz, on the way up
    centre: float | Missing  #: Hz, mean of the frequency between them, weighted with the power


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectra:
    """Of one section."""

    pulse: Spectrum | Missing  #: mean trace, until two periods after the ground
    clutter: Spectrum | Missing  #: residual, from two periods after it to 7


def mean_spectrum(traces: npt.ArrayLike, *, interval: float) -> Spectrum:
    r"""
    Compute the mean power spectrum of traces and its band.

    Parameters
    ----------
    traces : (n_traces, n_samples) array_like
        In any linear unit.
    interval : float
        Between samples, in seconds.

    Returns
    -------
    spectrum : Spectrum
        With the band of 10 dB around its largest value.

    Raises
    ------
    TypeError, ValueError
        If traces are not finite real numbers on two axes, or the interval not greater than
        zero.
    TooFewError
        If they have fewer than eight samples or are constant.

    Notes
    -----
    :math:`P(f) = \langle |\sum_k w_k x_k e^{-2 \pi i f k \Delta}|^2 \rangle` with a Hann
    window :math:`w` and zeros to eight times the length. The band is the connected one around
    the maximum in which :math:`P \ge \max P / 10`, its ends interpolated in dB; where it
    reaches half the sampling rate, noise hides its end. A Ricker pulse of peak :math:`f_p`
    has 0.365 to 1.834 :math:`f_p` [1]_, without the window.

    References
    ----------
    .. [1] Ricker, N. (1953). The form and laws of propagation of seismic wavelets.
       *Geophysics*, 18(1), 10-40. https://doi.org/10.1190/1.1437843

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic.realism import mean_spectrum
    >>> time = 1e-10 * np.arange(200)
    >>> found = mean_spectrum(np.sin(2 * np.pi * 4e8 * time)[None], interval=1e-10)
    >>> round(found.peak / 1e6)
    400
    """
    interval = check_positive(interval, "interval")
    rows = check_array(traces, "traces", ("n_traces", "n_samples"))
    n = rows.shape[1]
    if n < 8 or not len(rows):
        msg = f"{n} samples of {len(rows)} traces: at least 8 of one are needed"
        raise TooFewError(msg)
    rows = rows - rows.mean(axis=1, keepdims=True)
    padded = _PADDING * n
    power = (np.abs(np.fft.rfft(rows * np.hanning(n), padded, axis=1)) ** 2).mean(axis=0)
    if not power.max() > 0:
        msg = "all samples are the same"
        raise TooFewError(msg)
    power /= power.max()
    frequency: Floats = np.fft.rfftfreq(padded, interval).astype(np.float64)
    peak = int(np.argmax(power))
    low, high = _edge(frequency, power, peak, -1), told(_edge, frequency, power, peak, 1)
    return Spectrum(
        frequency=frequency,
        power=power,
        peak=float(frequency[peak]),
        low=low,
        high=high,
        centre=high if isinstance(high, Missing) else _centre(frequency, power, low, high),
    )


def spectra(section: RadarSection) -> Spectra:
    """
    Return the spectra of the pulse and of the clutter of a section.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    spectra : Spectra
        The pulse is the mean trace until the bounce is over: direct wave and bounce together.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import radar_section, spectra
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=2, n_coils=1), lanes=["lane 01"])
    >>> 0.8e9 < spectra(radar_section(radar)).clutter.peak < 2e9
    True
    """
    return Spectra(pulse=told(_pulse, section), clutter=told(_clutter, section))


def _pulse(section: RadarSection) -> Spectrum:
    """Return the spectrum of the mean trace until the end of the bounce."""
    early = section.time < SLICES[0][0] * section.period
    mean = section.wide.mean(axis=0, dtype=np.float64)
    return mean_spectrum(mean[:, early], interval=section.interval)


def _clutter(section: RadarSection) -> Spectrum:
    """Return the spectrum of the residual after the bounce."""
    inside = section.samples_of(SLICES[0][0], SLICES[2][1])
    residual = section.wide[:, :, inside] - section.wide[:, :, inside].mean(axis=0)
    return mean_spectrum(residual.reshape(-1, residual.shape[2]), interval=section.interval)


def _centre(frequency: Floats, power: Floats, low: float, high: float) -> float:
    """Return the mean frequency of a band."""
    inside = (frequency >= low) & (frequency <= high)
    return float((frequency * power)[inside].sum() / power[inside].sum())


def _edge(frequency: Floats, power: Floats, peak: int, side: int) -> float:
    """Return where the power falls to a tenth, on one side of its peak."""
    last = 0 if side < 0 else len(power) - 1
    k = peak
    while k != last and power[k] >= 0.1:
        k += side
    if power[k] >= 0.1:
        if side < 0:
            return 0.0
        msg = "noise up to half the sampling rate is within 10 dB of the largest"
        raise TooFewError(msg)
    inner, outer = np.log10(power[k - side]), np.log10(max(power[k], 1e-300))
    share = (inner + 1) / (inner - outer)
    return float(frequency[k - side] + share * (frequency[k] - frequency[k - side]))

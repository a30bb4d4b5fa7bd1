"""How clutter fades with two-way time, and how much of a section is the same all along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...sweep import Floats
from .missing import Missing, TooFewError, told
from .section import SLICES, RadarSection
from .tails import level_envelope

_SHORTEST = 1.0  # periods that a slope needs
_WHITE = 0.7  # share of the power that differs from trace to trace, above which it is noise
_TINY = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fading:
    """The mean level of clutter against two-way time, and its slope."""

    time: Floats  #: (n,) s after the ground
    level: Floats  #: (n,) dB against its largest after two periods
    slope: float | Missing  #: dB/s, negative where the level falls
    fitted: tuple[float, float] | None  #: s, between which the slope was fitted
    end: float | Missing  #: s, when clutter first sinks to the level of the noise


def fading(section: RadarSection) -> Fading:
    r"""
    Measure how the level of clutter falls with two-way time.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    fading : Fading
        Direct wave and bounce, the first two periods after the ground, are not in the fit.

    Notes
    -----
    The level is :math:`L(t) = \langle 20 \log_{10} A(t) \rangle` over traces and channels,
    with the envelope :math:`A` of the residual, smoothed over half a period. Where at least
    0.7 of the power in the last tenth of the record differs from trace to trace, its level is
    taken for that of the noise, :math:`N`, and the line is fitted by least squares to
    :math:`10 \log_{10} (10^{L/10} - 10^{N/10})` until :math:`L` first comes within 3 dB of
    :math:`N`; else to :math:`L` and to the end. A gain of the recorder adds to the slope; it
    is not known, and not undone.

    Examples
    --------
    >>> from minesense.synthetic import RadarErrors, cart, field, scenario
    >>> from minesense.synthetic.realism import fading, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> quiet = cart(n_antennas=2, n_coils=1, radar_errors=RadarErrors(white=1e-5))
    >>> radar, _ = made.sweep(quiet, lanes=["lane 01"])
    >>> fading(radar_section(radar)).slope < 0
    True
    """
    amplitude, spread = level_envelope(section)
    level = 20 * np.log10(np.maximum(amplitude * spread, _TINY)).mean(axis=(0, 1))
    level = _smooth(level, max(1, round(0.5 * section.period / section.interval)))
    after = np.flatnonzero(section.time >= SLICES[0][0] * section.period)
    shown = level - (level[after].max() if len(after) else level.max())
    noise = _noise_level(section, level)
    end: float | Missing = Missing("clutter is above the noise until the record ends")
    stop = after[-1] + 1 if len(after) else 0
    if noise is not None:
        low = np.flatnonzero(level[after] < noise + 10 * np.log10(2))
        stop = int(after[low[0]]) if len(low) else stop
        end = float(section.time[stop]) if len(low) else end
        level = 10 * np.log10(np.maximum(10 ** (level / 10) - 10 ** (noise / 10), _TINY))
    fitted = told(_stretch, section, after, int(stop))
    if isinstance(fitted, Missing):
        return Fading(time=section.time, level=shown, slope=fitted, fitted=None, end=end)
    start = fitted
    slope = np.polyfit(section.time[start:stop], level[start:stop], 1)[0]
    limits = (float(section.time[start]), float(section.time[stop - 1]))
    return Fading(time=section.time, level=shown, slope=float(slope), fitted=limits, end=end)


def banding(section: RadarSection) -> tuple[float | Missing, ...]:
    r"""
    Measure how much of every slice is the same along the whole lane.

    Parameters
    ----------
    section : RadarSection
        Of :func:`radar_section`.

    Returns
    -------
    banding : tuple of float or Missing
        One for each of SLICES: root mean square of the mean trace over that of the residual,
        in dB. Horizontal bands, ringing antennas and flat layers raise it; the unit of the
        samples and a gain of the recorder do not matter.

    Notes
    -----
    :math:`n` traces of nothing but noise have :math:`-10 \log_{10} (n - 1)`, and as many
    independent stretches of clutter as many.

    Examples
    --------
    >>> from minesense.synthetic import cart, field, scenario
    >>> from minesense.synthetic.realism import banding, radar_section
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=2, n_coils=1), lanes=["lane 01"])
    >>> -30 < banding(radar_section(radar))[0] < 30
    True
    """
    mean = section.traces.mean(axis=0, dtype=np.float64)
    variance = section.residual.var(axis=0, dtype=np.float64)
    return tuple(told(_band, section, mean, variance, limits) for limits in SLICES)


def _band(
    section: RadarSection, mean: Floats, variance: Floats, limits: tuple[float, float]
) -> float:
    """Return the ratio of mean trace to residual in one slice, dB."""
    inside = section.samples_of(*limits)
    power = float(variance[:, inside].mean())
    if not power > 0:
        msg = "all traces are the same in the slice"
        raise TooFewError(msg)
    return float(10 * np.log10(max((mean[:, inside] ** 2).mean() / power, 1e-30)))


def _stretch(section: RadarSection, after: np.ndarray, stop: int) -> int:
    """Return the first sample of a slope that ends before another."""
    least = max(4, round(_SHORTEST * section.period / section.interval))
    if len(after) < least:
        msg = f"the record ends {1e9 * float(section.time[-1]):.3g} ns after the ground"
        raise TooFewError(msg)
    if stop - after[0] < least:
        msg = "clutter sinks into the noise within a period of the bounce"
        raise TooFewError(msg)
    return int(after[0])


def _noise_level(section: RadarSection, level: Floats) -> float | None:
    """Return the level at the end of a record if it is noise, dB."""
    last = slice(-max(1, len(level) // 10), None)
    end = section.residual[:, :, last].astype(np.float64)
    beside = np.diff(section.row) == 1
    if not beside.any() or not end.any():
        return None
    steps = np.diff(end, axis=0)[beside]
    is_white = (steps**2).mean() / 2 >= _WHITE * (end**2).mean()
    return float(np.median(level[last])) if is_white else None


def _smooth(values: Floats, width: int) -> Floats:
    """Return the mean of the values around each, of fewer at the ends."""
    kernel = np.ones(width)
    return np.convolve(values, kernel, "same") / np.convolve(
        np.ones(len(values)), kernel, "same"
    )

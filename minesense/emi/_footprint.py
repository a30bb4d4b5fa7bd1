"""How wide the response of an object is on the ground, and what the ground does around it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..sweep import Floats
from ._nearby import Nearby, SoilAxes

#: Amplitudes of a footprint, as a share of the largest and over the noise; below, other
#: things are heard.
_LEAST_SHARE, _LEAST_AMPLITUDE = 0.05, 3.0
#: Stations that a footprint needs on the ground, and along the track alone.
_FEWEST, _FEWEST_ALONG = 8, 4
#: Signal that its largest amplitude needs, over the noise.
_LEAST_SIGNAL = 5.0
#: A width beyond what was looked at means nothing, m.
_WIDEST = 1.6
#: Where (1 + x^2 / 2)^-3 is half of its largest, twice that.
_HALF = 2 * math.sqrt(2 * (2 ** (1 / 3) - 1))
#: Stations that a ring needs.
_FEWEST_RING = 10


class Footprint(NamedTuple):
    """Widths at half the amplitude, m; NaN where they are not known."""

    along: float
    across: float
    size: float  # geometric mean of the least and the greatest width
    ratio: float  # the least over the greatest


class Ring(NamedTuple):
    """What the soil does around a place."""

    level: float  # V/A, early, robust standard deviation about zero
    slope: float  # V/(A m), early
    likeness: float  # share of the variance that the decay of soil explains
    bare: float  # robust standard deviation of what is left without the soil, over the noise


_UNKNOWN = Footprint(math.nan, math.nan, math.nan, math.nan)


def measure_footprint(near: Nearby) -> Footprint:
    r"""
    Return the widths of the bell that fits what was received around a peak.

    Parameters
    ----------
    near : Nearby
        Stations around a peak.

    Returns
    -------
    footprint : Footprint
        Across is NaN where stations lie on one line, and all is NaN where the peak does not
        stand out of the noise.

    Notes
    -----
    The amplitude :math:`s` of a station is that of the strongest course of the gates, off the
    soil. A small coil at the height :math:`h` over a level loop receives
    :math:`(1 + r^2 / h^2)^{-3}`, so :math:`s^{-1/3} = c + b^T x + x^T Q x / 2` is fitted where
    :math:`s` is more than 0.05 of the largest and three times the noise, with the weights
    :math:`s^{8/3}` of even noise. With :math:`c_0` its least value, widths at half
    the amplitude are :math:`2 \sqrt{2 (2^{1/3} - 1) c_0 / q}`: :math:`q` an element of the
    diagonal of :math:`Q` in the frame of travel, or an eigenvalue, which does not depend on
    the frame.
    """
    course = np.linalg.svd(near.bare, full_matrices=False)[2][0]
    amplitude = near.bare @ course
    amplitude *= np.sign(amplitude[0]) or 1.0
    largest = float(amplitude.max())
    if largest < _LEAST_SIGNAL:
        return _UNKNOWN
    chosen = amplitude > max(_LEAST_SHARE * largest, _LEAST_AMPLITUDE)
    right, forward = near.place[chosen, :2].T
    share = amplitude[chosen] / largest
    root, weight = share ** (-1 / 3), share ** (4 / 3)
    ones = np.ones(len(root))
    design = np.column_stack(
        [ones, right, forward, right**2 / 2, right * forward, forward**2 / 2]
    )
    if len(root) >= _FEWEST and _has_rank(design, weight):
        found = _weighted(design, root, weight)
        bend = np.array([[found[3], found[4]], [found[4], found[5]]])
        values, vectors = np.linalg.eigh(bend)
        if values[0] <= 0:
            return _UNKNOWN
        lowest = found[0] - float(((found[1:3] @ vectors) ** 2 / values).sum()) / 2
        along, across = _width(lowest, bend[1, 1]), _width(lowest, bend[0, 0])
        least, greatest = _width(lowest, values[1]), _width(lowest, values[0])
        return Footprint(along, across, math.sqrt(least * greatest), least / greatest)
    line = design[:, [0, 2, 5]]
    if len(root) >= _FEWEST_ALONG and _has_rank(line, weight):
        level, slope, curve = _weighted(line, root, weight)
        lowest = level - slope**2 / (2 * curve) if curve > 0 else math.nan
        return _UNKNOWN._replace(along=_width(lowest, curve))
    return _UNKNOWN


def measure_ring(ring: Nearby, axes: SoilAxes) -> Ring:
    r"""
    Return what the soil around a place does.

    Parameters
    ----------
    ring : Nearby
        Stations of a ring.
    axes : SoilAxes
        Of the gates.

    Returns
    -------
    ring : Ring
        NaN with fewer than ten stations.

    Notes
    -----
    With :math:`z` the parts of the stations along the soil and :math:`y_k` those across, all
    medians of absolute values, so that single objects in the ring do not count:
    the level is :math:`1.48 |z|`, likeness
    :math:`|z|^2 / (|z|^2 + \sum_k |y_k|^2)`. The slope is that of a plane through
    :math:`z`, cut at three times its level. Both are given as the mean of the first third
    of the gates.
    """
    if len(ring.soil) < _FEWEST_RING:
        return Ring(math.nan, math.nan, math.nan, math.nan)
    soil = 1.4826 * float(np.median(np.abs(ring.soil)))
    bare = 1.4826 * np.median(np.abs(ring.bare), axis=0)
    third = np.array_split(axes.soil * axes.noise, 3)[0]
    early = abs(float(third.mean()))  # V/A of one unit along the soil
    design = np.column_stack([np.ones(len(ring.soil)), ring.place[:, :2]])
    plane = np.linalg.lstsq(design, np.clip(ring.soil, -3 * soil, 3 * soil), rcond=None)[0]
    total = soil**2 + float((bare**2).sum())
    return Ring(
        level=early * soil,
        slope=early * float(np.hypot(plane[1], plane[2])),
        likeness=soil**2 / total if total else math.nan,
        bare=float(np.sqrt((bare**2).mean())),
    )


def _has_rank(design: Floats, weight: Floats) -> bool:
    """Tell whether weighted columns are independent, and by more than stray positions."""
    columns = design * weight[:, None]
    columns = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    values = np.linalg.svd(columns, compute_uv=False)
    return len(design) >= design.shape[1] and bool(values[-1] > 0.005 * values[0])


def _weighted(design: Floats, values: Floats, weight: Floats) -> Floats:
    """Return the coefficients of least weighted squares."""
    return np.asarray(np.linalg.lstsq(design * weight[:, None], values * weight, rcond=None)[0])


def _width(lowest: float, curve: float) -> float:
    """Return the width at half the amplitude; NaN if there is no bell, or one too wide."""
    width = _HALF * math.sqrt(lowest / curve) if lowest > 0 and curve > 0 else math.nan
    return width if width <= _WIDEST else math.nan

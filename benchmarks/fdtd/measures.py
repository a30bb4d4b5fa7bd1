"""How alike two responses of one target are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Goals of the comparison; the page on validation shows which are met.
ARRIVAL_GOAL = 0.1e-9  #: s
AMPLITUDE_GOAL = 3.0  #: dB, against the ground bounce, to a depth of 15 cm
CORRELATION_GOALS = {"plastic": 0.8, "metal": 0.9}


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """The fast model's response of a target against the full-wave one."""

    arrival_error: float  #: s, how much later the fast one is, by best correlation
    amplitude_ratio: float  #: dB, peaks over those of the ground bounces, fast over full
    correlation: float  #: at the best shift
    correlation_unshifted: float
    same_polarity: bool  #: whether the best shift needs no change of sign
    centroid: float  #: Hz, of the full-wave spectrum
    centroid_fast: float  #: Hz


def compare(
    full: np.ndarray, fast: np.ndarray, *, bounces: tuple[float, float], interval: float
) -> Likeness:
    """
    Compare the responses of a target, scene with it minus scene without.

    Parameters
    ----------
    full, fast : (n,) ndarray
        Responses on one time axis.
    bounces : (float, float)
        Peaks of the ground bounces of the full-wave and the fast model.
    interval : float
        Between samples, s.
    """
    norm = np.sqrt((full @ full) * (fast @ fast))
    shifts = np.correlate(fast, full, "full") / norm
    # half a period of the peak frequency at most, where polarity is still one
    middle, reach = len(full) - 1, round(0.33e-9 / interval)
    near = shifts[middle - reach : middle + reach + 1]
    best = int(np.argmax(np.abs(near)))
    curve = near[max(best - 1, 0) : best + 2]
    fine = 0.0
    if len(curve) == 3 and (bend := curve[0] - 2 * curve[1] + curve[2]) != 0:
        fine = float(0.5 * (curve[0] - curve[2]) / bend)
    ratio = (np.abs(fast).max() / bounces[1]) / (np.abs(full).max() / bounces[0])
    return Likeness(
        arrival_error=(best - reach + fine) * interval,
        amplitude_ratio=float(20 * np.log10(ratio)),
        correlation=float(np.abs(near[best])),
        correlation_unshifted=float(shifts[middle]),
        same_polarity=bool(near[best] > 0),
        centroid=centroid(full, interval),
        centroid_fast=centroid(fast, interval),
    )


def centroid(trace: np.ndarray, interval: float) -> float:
    """Return the mean frequency of the power of a trace, Hz."""
    power = np.abs(np.fft.rfft(trace, 8 * len(trace))) ** 2
    frequency = np.fft.rfftfreq(8 * len(trace), interval)
    return float((power * frequency).sum() / power.sum())


def resample(trace: np.ndarray, step: float, *, n: int, interval: float) -> np.ndarray:
    """Return a trace of the solver, far finer than its band, on another time axis."""
    time = np.arange(n) * interval
    return np.interp(time, np.arange(len(trace)) * step, trace, right=0.0)

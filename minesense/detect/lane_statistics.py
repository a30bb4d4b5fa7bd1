"""What the background of a lane is like: numbers to hold against those of training."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative
from ..sweep import Floats
from .screen import Part

#: Background traces below which nothing is said.
LEAST = 20


def lane_statistics(part: Part, *, guard: float = 0.5) -> dict[str, float]:
    r"""
    Return statistics of the background of one sensor along a stretch of lane.

    Parameters
    ----------
    part : Part
        From a screen; its candidates are kept out of the background.
    guard : float
        Distance from any candidate within which a trace is no background, in metres.

    Returns
    -------
    statistics : dict of float
        For both kinds: ``correlation_length`` (m), ``tail`` (1), ``score_median`` and
        ``score_high`` (of the prescreener), ``candidates_per_m`` (1/m). Radar:
        ``spread_shallow``, ``spread_middle``, ``spread_deep`` (log10 of thirds of the
        profile), ``frequency`` and ``bandwidth`` (Hz). Metal detector: ``spread_first``,
        ``spread_last`` (log10 of the unit of the samples) and ``ground_slope`` (1). All are
        NaN with fewer than 20 background traces.

    Raises
    ------
    TypeError, ValueError
        If the guard is negative or no number.

    Notes
    -----
    Spreads are 1.4826 times the median of \|x\|, so that what the screen did not notice
    hardly moves them; the tail is the 0.995 quantile of \|x\| over it. The frequency is the
    centroid of the mean power spectrum, the bandwidth its standard deviation. From the
    correlation :math:`r` of neighbours a distance :math:`d` apart the length is
    :math:`-d / \ln r`. The ground slope is that of the logarithm of spread against that of
    gate time (or frequency): what decays like viscous soil has one near -1.

    Examples
    --------
    White noise of a coil, 20 m long, with nothing that the screen noticed:

    >>> import numpy as np
    >>> from minesense.detect import DetectorSettings, Screen, lane_statistics
    >>> from minesense.sweep import Sweep
    >>> from minesense.synthetic import cart
    >>> sensor = cart(n_coils=1).coils
    >>> northing = 0.05 * np.arange(400)
    >>> lane = Sweep(
    ...     samples=np.random.default_rng(seed=0).normal(scale=1e-9, size=(400, 1, 12)),
    ...     time=northing / 0.5,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> screen = Screen(DetectorSettings())
    >>> _ = screen.push(lane)
    >>> (part,) = screen.finish().parts
    >>> found = lane_statistics(part)
    >>> round(found["spread_first"], 1), abs(found["ground_slope"]) < 0.1
    (-9.0, True)
    """
    guard = check_not_negative(guard, "guard")
    track = part.processed.position[:, :2]
    step, length = _steps(track)
    index = np.flatnonzero(_is_background(part, track, guard))
    x = part.processed.samples[index].astype(np.float64)
    if part.processed.sensor.is_complex:
        x = np.hypot(x[..., 0::2], x[..., 1::2])
    is_radar = part.processed.sensor.kind == "gpr"
    own = _radar if is_radar else _coils
    if len(index) < LEAST:
        x = np.full((1, *x.shape[1:]), np.nan)
    spread = _spread(x)
    best = part.best[index]
    known = best[np.isfinite(best)] if len(index) >= LEAST else np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.quantile(np.abs(x), 0.995) / spread
        return {
            **own(x, part.processed.sensor.axis),
            "correlation_length": _correlation_length(x, index, step),
            "tail": _number(far),
            "score_median": float(np.median(known)) if len(known) else math.nan,
            "score_high": float(np.quantile(known, 0.95)) if len(known) else math.nan,
            "candidates_per_m": len(part.candidates) / length if length > 0 else math.nan,
        }


def _is_background(part: Part, track: Floats, guard: float) -> npt.NDArray[np.bool_]:
    """Return which traces were judged, have numbers, and lie away from all candidates."""
    keep = part.scores.is_judged & np.isfinite(part.processed.samples).all(axis=(1, 2))
    for candidate in part.candidates:
        with np.errstate(invalid="ignore"):
            distance = np.hypot(*(track - track[candidate.trace]).T)
        keep &= ~(distance <= guard)
        keep[candidate.trace] = False  # also where it has no position
    return keep


def _steps(track: Floats) -> tuple[float, float]:
    """Return the median distance of neighbouring traces and the length of the track."""
    steps = np.hypot(*np.diff(track, axis=0).T)
    steps = steps[np.isfinite(steps)]
    return (float(np.median(steps)), float(steps.sum())) if len(steps) else (math.nan, 0.0)


def _spread(x: Floats) -> float:
    """Return a robust standard deviation around zero."""
    return float(1.4826 * np.median(np.abs(x)))


def _number(value: float) -> float:
    """Return a number, NaN if it is infinite."""
    return float(value) if np.isfinite(value) else math.nan


def _log_spread(x: Floats) -> float:
    """Return the logarithm of the spread."""
    return _number(np.log10(_spread(x))) if x.size else math.nan


def _correlation_length(x: Floats, index: npt.NDArray[np.intp], step: float) -> float:
    """Return over what distance neighbours are alike, in metres."""
    pairs = np.flatnonzero(np.diff(index) == 1)
    if len(x) < LEAST or not len(pairs):
        return math.nan
    a, b = x[pairs], x[pairs + 1]
    power = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    r = float((a * b).sum()) / power if power > 0 else math.nan
    # below 0.01 the length is less than a fifth of a step, and the sign is chance
    return -step / math.log(min(max(r, 0.01), 0.9999)) if math.isfinite(r) else math.nan


def _radar(x: Floats, axis: Floats) -> dict[str, float]:
    """Return the profile of spreads over depth, and where the power lies."""
    thirds = np.array_split(np.arange(x.shape[2]), 3)
    names = ("spread_shallow", "spread_middle", "spread_deep")
    found = {n: _log_spread(x[..., part]) for n, part in zip(names, thirds, strict=True)}
    power = (np.abs(np.fft.rfft(x, axis=2)) ** 2).mean(axis=(0, 1))
    frequency = np.fft.rfftfreq(x.shape[2], float(axis[1] - axis[0]))
    centre = float((frequency * power).sum() / power.sum())
    variance = float(((frequency - centre) ** 2 * power).sum() / power.sum())
    return {**found, "frequency": _number(centre), "bandwidth": _number(variance**0.5)}


def _coils(x: Floats, axis: Floats) -> dict[str, float]:
    """Return the spread of the first and last gate, and the slope between all."""
    spreads = np.array([_log_spread(x[..., g]) for g in range(x.shape[2])])
    slope = math.nan
    if len(axis) == len(spreads) > 1 and np.isfinite(spreads).all() and (axis > 0).all():
        slope = float(np.polyfit(np.log10(axis), spreads, 1)[0])
    return {
        "spread_first": float(spreads[0]),
        "spread_last": float(spreads[-1]),
        "ground_slope": slope,
    }

"""Estimate the time by which the samples of a detector lag its positions."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..sweep import Floats, Sweep
from ._timing import check_sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """A lag of samples behind positions, and how well it is known."""

    lag: float  #: s; positive where samples come later than the positions beside them
    error: float  #: s, standard error
    correlation: float  #: of the two passes at this lag, at most 1
    overlap: float  #: m of the line that both passes covered


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """One channel of a pass along a line."""

    time: Floats  # s
    place: Floats  # m along the line, of the platform
    ahead: float  # m along the line, of the channel from the platform
    values: Floats  # (n_traces, n_samples)


def estimate_lag(
    there: Sweep,
    back: Sweep,
    *,
    largest: float = 1.0,
    reach: float = 0.1,
    smooth: float = 0.05,
) -> Lag:
    r"""
    Estimate the lag from two passes over one line in opposite directions.

    Parameters
    ----------
    there, back : Sweep
        Levelled lanes of one detector over the same targets, with positions. Traces that
        are flagged or without position are left out, and so are the places where a gap of
        more than four times `smooth` may lie at the lags that are tried.
    largest : float
        Lags up to this one to either side are tried, in seconds.
    reach : float
        Distance across the line within which a channel of one pass is compared with one of
        the other, in metres.
    smooth : float
        Standard deviation of the Gaussian along the line with which both passes are
        smoothed first, in metres. Choose half a coil's radius or so: it keeps what is
        alike in both.

    Returns
    -------
    lag : Lag
        The best one, its standard error, and how alike the passes are at it.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensors differ, a pass has fewer than three
        traces with positions, the directions are not opposite, no channels pass over the same
        ground, or the best lag is at the end of what was tried.

    Notes
    -----
    A sample with the stamp :math:`t` was taken at the place :math:`p(t - \tau)`. Passes at
    speeds :math:`u` and :math:`v` so see a target :math:`(u + v) \tau` apart. For a trial
    :math:`\tau` each pass is placed by its positions at :math:`t - \tau`, whatever its
    speed did, and smoothed samples are interpolated by cubic splines to common places
    :math:`s` at the mean spacing. The lag is where the correlation of all channels and
    gates of the passes without their means,

    .. math:: \rho(\tau) = \frac{\sum_s a_\tau(s)\, b_\tau(s)}
        {\sqrt{\sum_s a_\tau^2(s) \sum_s b_\tau^2(s)}},

    is greatest, found between the steps of a first search. Without smoothing the noise
    would favour lags at which the interpolation takes most of it away. With the residuals
    :math:`r = a - \gamma b`, :math:`\gamma` the factor that fits best, the standard error is

    .. math:: \sigma_\tau = \frac{\sqrt{\kappa \sum_g \overline{r_g^2} \sum_s (dr_g / d\tau)^2}}
        {-\gamma\, |a| |b|\, \rho''(\tau)}, \quad \kappa = 2 \sqrt{\pi}\, w / \Delta,

    over the gates, from the first-order change of the maximum, for noise that was independent
    from trace to trace before it was smoothed over :math:`w` at the spacing :math:`\Delta`,
    and passes of about the same speed. Only the sum of the speeds makes the lag visible: slow
    passes tell little, and two in one direction nothing.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> def drive(direction, lag=0.13):
    ...     time = 0.05 * np.arange(200)
    ...     northing = direction * 0.5 * (time - 5.0)
    ...     seen = direction * 0.5 * (time - lag - 5.0)
    ...     return Sweep(
    ...         samples=np.exp(-((seen / 0.2) ** 2))[:, None, None],
    ...         time=time,
    ...         position=np.column_stack([0 * time, northing, 0 * time]),
    ...         heading=np.full(200, 0.0 if direction > 0 else np.pi),
    ...         sensor=sensor,
    ...     )
    >>> round(estimate_lag(drive(1), drive(-1)).lag, 4)
    0.13
    """
    largest = check_positive(largest, "largest")
    reach = check_positive(reach, "reach")
    check_sweep(there, "there")
    check_sweep(back, "back")
    if there.sensor.describe() != back.sensor.describe():
        msg = (
            f"Invalid passes of sensors '{there.sensor.name}' and '{back.sensor.name}'. Must "
            "be of the same one."
        )
        raise ValueError(msg)
    smooth = check_positive(smooth, "smooth")
    rough, spacing = _pairs(there, back, reach)
    pairs = _smoothed(rough, 0.0, smooth)
    places = [_shared_places(pair, largest, spacing, smooth) for pair in pairs]
    if min(map(len, places)) < 3:
        msg = (
            f"Invalid largest '{largest}': shifted so far, the passes share less than three "
            "places. Must be less, or the passes longer."
        )
        raise ValueError(msg)
    # the usual one: a single short step would make the search endless
    interval = min(float(np.median(np.diff(one.time))) for pair in pairs for one in pair)
    trials = np.linspace(-largest, largest, 2 * math.ceil(largest / interval) + 1)
    found = [_alike(*_compare(pairs, places, lag)) for lag in trials]
    best = int(np.argmax(found))
    if best in (0, len(trials) - 1):
        msg = (
            f"Invalid largest '{largest}': the passes are most alike at a lag of "
            f"{trials[best]:g} s, the end of what was tried. Must hold the lag inside."
        )
        raise ValueError(msg)
    lag = _refine(pairs, places, trials[best - 1 : best + 2])
    # once more with what was smoothed where it was taken, which matters if speeds vary
    pairs = _smoothed(rough, lag, smooth)
    lag = _refine(pairs, places, lag + (trials[best - 1 : best + 2] - trials[best]))
    return Lag(
        lag=lag,
        error=_standard_error(pairs, places, lag, interval) * _length_of_noise(smooth, spacing),
        correlation=_alike(*_compare(pairs, places, lag)),
        overlap=spacing * sum(map(len, places)) / len(pairs),
    )


def _standard_error(
    pairs: list[tuple[_Pass, _Pass]], places: list[Floats], lag: float, step: float
) -> float:
    """Return the standard error of the lag, from residuals, their slope and the curvature."""
    less, (a, b), more = (_compare(pairs, places, lag + h) for h in (-step, 0, step))
    factor = float((a * b).sum() / (b * b).sum())
    residual = a - factor * b
    slope = ((more[0] - less[0]) - factor * (more[1] - less[1])) / (2 * step)
    rise = 2 * _alike(a, b) - _alike(*less) - _alike(*more)
    curvature = factor * float(np.sqrt((a * a).sum() * (b * b).sum())) * rise / step**2
    if curvature <= 0:
        return math.inf
    # gates differ in their noise, and the strong ones decide
    variance = (residual**2).sum(axis=0) / len(residual)
    variance *= residual.size / max(1, residual.size - 2)
    return math.sqrt(float(variance @ (slope**2).sum(axis=0))) / curvature


def _length_of_noise(smooth: float, spacing: float) -> float:
    """Return the root of the number of places over which smoothed noise is one number."""
    return math.sqrt(max(1.0, 2 * math.sqrt(math.pi) * smooth / spacing))


def _smoothed(
    pairs: list[tuple[_Pass, _Pass]], lag: float, smooth: float
) -> list[tuple[_Pass, _Pass]]:
    """Return passes of means over the ground about each place, with Gaussian weights."""
    return [
        (_smooth(first, lag, smooth), _smooth(second, lag, smooth)) for first, second in pairs
    ]


def _smooth(one: _Pass, lag: float, smooth: float) -> _Pass:
    """Return a pass of means over the ground about each place at a lag."""
    sign = 1 if one.place[-1] > one.place[0] else -1
    place = sign * np.interp(one.time - lag, one.time, one.place)
    first = np.searchsorted(place, place - 4 * smooth)
    last = np.searchsorted(place, place + 4 * smooth, side="right")
    # of ground that a trace stands for: where the head is slow, less
    extent = np.maximum(np.gradient(place), 1e-9)
    values = np.empty_like(one.values)
    for k, (i, j) in enumerate(zip(first, last, strict=True)):
        weight = extent[i:j] * np.exp(-(((place[i:j] - place[k]) / smooth) ** 2) / 2)
        values[k] = weight @ one.values[i:j] / weight.sum()
    return dataclasses.replace(one, values=values)


def _pairs(there: Sweep, back: Sweep, reach: float) -> tuple[list[tuple[_Pass, _Pass]], float]:
    """Return channels that pass over the same ground, and the spacing of the traces."""
    lanes = [_located(sweep, name) for sweep, name in ((there, "there"), (back, "back"))]
    moves = [lane.position[-1, :2] - lane.position[0, :2] for lane in lanes]
    lengths = [float(np.hypot(*move)) for move in moves]
    if min(lengths) == 0 or moves[0] @ moves[1] > -0.8 * lengths[0] * lengths[1]:
        msg = "Invalid passes: their directions are not opposite. Must be, or no lag shows."
        raise ValueError(msg)
    along = moves[0] / lengths[0]
    across = np.array([along[1], -along[0]])
    origin = lanes[0].position[0, :2]
    parts: list[list[tuple[float, _Pass]]] = []
    for lane in lanes:
        moving = _advancing((lane.position[:, :2] - origin) @ along)
        place = (lane.position[moving, :2] - origin) @ along
        channels = lane.channel_position[moving, :, :2] - lane.position[moving, None, :2]
        sideways = ((lane.position[moving, :2] - origin) @ across)[:, None] + channels @ across
        values = lane.samples[moving].astype(np.float64)
        parts.append(
            [
                (
                    float(np.median(sideways[:, c])),
                    _Pass(
                        lane.time[moving],
                        place,
                        float(np.median(channels[:, c] @ along)),
                        values[:, c] - values[:, c].mean(axis=0),
                    ),
                )
                for c in range(values.shape[1])
            ]
        )
    pairs = []
    for side, first in parts[0]:
        other, second = min(parts[1], key=lambda part: abs(part[0] - side))
        if abs(other - side) <= reach:
            pairs.append((first, second))
    if not pairs:
        msg = (
            f"Invalid passes: no channel of one comes within {reach} m of one of the other. "
            "Must pass over the same line: give a larger reach if they do."
        )
        raise ValueError(msg)
    steps = [float(np.abs(np.diff(one.place)).mean()) for pair in pairs for one in pair]
    return pairs, max(steps)


def _located(sweep: Sweep, name: str) -> Sweep:
    """Return the traces that can be judged and have a position."""
    keep = sweep.is_judged & np.isfinite(sweep.position).all(axis=1)
    keep &= np.isfinite(sweep.heading)
    if np.count_nonzero(keep) < 3:
        msg = (
            f"Invalid pass {name} with {np.count_nonzero(keep)} traces that are usable and "
            "have a position. Must have three or more."
        )
        raise ValueError(msg)
    return dataclasses.replace(
        sweep,
        samples=sweep.samples[keep],
        time=sweep.time[keep],
        position=sweep.position[keep],
        heading=sweep.heading[keep],
        quality=sweep.quality[keep],
    )


def _advancing(place: Floats) -> npt.NDArray[np.bool_]:
    """Return the traces that are farther on than all before them."""
    forward = place if place[-1] > place[0] else -place
    farthest = np.maximum.accumulate(forward)
    return np.concatenate([[True], forward[1:] > farthest[:-1]])


def _placed(one: _Pass, lag: float) -> tuple[Floats, Floats]:
    """Return places, rising, and values of the traces that have a place at this lag."""
    seen = one.time - lag
    inside = (seen >= one.time[0]) & (seen <= one.time[-1])
    place = np.interp(seen[inside], one.time, one.place) + one.ahead
    order = slice(None) if one.place[-1] > one.place[0] else slice(None, None, -1)
    return place[order], one.values[inside][order]


def _shared_places(
    pair: tuple[_Pass, _Pass], largest: float, spacing: float, smooth: float
) -> Floats:
    """Return places that both passes cover at every lag that is tried."""
    start, stop = -np.inf, np.inf
    for one in pair:
        for lag in (-largest, largest):
            place, _ = _placed(one, lag)
            if len(place) < 3:
                return np.empty(0)
            start, stop = max(start, place[0]), min(stop, place[-1])
    places = np.arange(start, stop, spacing)
    for one in pair:
        # across a gap as wide as what passes the smoothing, a spline would draw what it likes
        for i in np.flatnonzero(np.abs(np.diff(one.place)) > max(4 * smooth, 2 * spacing)):
            times = [one.time[i] - largest, one.time[i + 1] + largest]
            near, far = np.sort(np.interp(times, one.time, one.place)) + one.ahead
            places = places[(places < near - 3 * smooth) | (places > far + 3 * smooth)]
    return np.asarray(places)


def _compare(
    pairs: list[tuple[_Pass, _Pass]], places: list[Floats], lag: float
) -> tuple[Floats, Floats]:
    """Return both passes at the places they share, all pairs in one list."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  # slow to import

    first, second = (
        np.concatenate(
            [
                CubicSpline(*_placed(pair[i], lag), axis=0)(where)
                for pair, where in zip(pairs, places, strict=True)
            ]
        )
        for i in (0, 1)
    )
    return first, second


def _alike(a: Floats, b: Floats) -> float:
    """Return the correlation of two passes; 0 where one of them is silent."""
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0


def _refine(pairs: list[tuple[_Pass, _Pass]], places: list[Floats], around: Floats) -> float:
    """Return the lag between three trials at which the passes are most alike."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  # slow to import

    result = minimize_scalar(
        lambda lag: -_alike(*_compare(pairs, places, lag)),
        bounds=(around[0], around[-1]),
        method="bounded",
        options={"xatol": 1e-4 * (around[-1] - around[0])},
    )
    return float(result.x)

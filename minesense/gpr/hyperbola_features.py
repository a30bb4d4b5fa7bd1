"""Features of the hyperbola that a candidate's echo draws along the track."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._kernels.hyperbola_fit import (
    agree_on_curve,
    echo_of,
    fit_point,
    pick_extremes,
    stack_along_curve,
)
from .._validation import check_count, check_not_negative, check_positive
from ..alarm import Feature
from ..constants import SPEED_OF_LIGHT
from ..sweep import Floats, Sweep
from ._arrivals import separation_of
from ._patches import Cells, locate_cells

#: Features of :func:`hyperbola_features`, in the order of its columns.
HYPERBOLA_FEATURES: tuple[Feature, ...] = (
    Feature("hyperbola_inliers", "1", "share of the traces in reach with a pick on the curve"),
    Feature("hyperbola_velocity", "m/s", "of the wave in the ground"),
    Feature("hyperbola_velocity_error", "m/s", "standard deviation of that velocity"),
    Feature("hyperbola_depth", "m", "of the point below the surface"),
    Feature("hyperbola_offset", "m", "from the candidate to the apex along track"),
    Feature("hyperbola_residual", "s", "root mean square distance of the picks on the curve"),
    Feature("hyperbola_coherence", "1", "semblance of the traces along the curve"),
    Feature("hyperbola_polarity", "1", "(max + min) / (max - min) of the mean along the curve"),
    Feature("hyperbola_double_delay", "s", "from the echo to the strongest one below it"),
    Feature("hyperbola_double_level", "dB", "of that second echo against the first"),
    Feature("hyperbola_double_sign", "1", "of the second echo times that of the first"),
)

_BEFORE, _AFTER = 1.0e-9, 5.0e-9  # s around the echo that are looked at
_DOUBLE = 2.5e-9  # s, greatest delay of a second echo
_CORE = 0.15  # m on each side of the apex that are summed along the curve
_FAINT = 0.1  # of the apex: what is weaker is no pick
_FARTHEST = 0.15  # m from the candidate to an apex
_N_LEAST = 6  # picks
_BENDS = (0.4e8, 3.6e8)  # m/s, of a hyperbola in t^2; air above the ground makes it flatter


class _Setting(NamedTuple):
    """What all candidates share."""

    interval: float
    period: float
    spacing: float
    before: int
    tolerance: float
    height: float
    half: float
    draws: Floats


def hyperbola_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    reach: float = 0.35,
    tolerance: float | None = None,
    height: float | None = None,
    n_trials: int = 200,
    seed: int = 0,
) -> Floats:
    r"""
    Fit the echo of a buried point to each candidate's section along track.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) array_like of int
        Trace and channel of each candidate.
    times : (n,) array_like
        Two-way time of each echo, in seconds; NaN for the strongest of its trace.
    ground_time : float
        Two-way time of the ground surface in the aligned sweep, in seconds.
    spacing : float
        Distance between neighbouring traces, in metres.
    reach : float
        How far along the track, to each side, the echo is followed, in metres.
    tolerance : float, optional
        Greatest distance of a pick that fits, in seconds; two samples by default.
    height : float, optional
        Of the antennas over the ground, in metres. By default that of the sensor's radar,
        or 0.
    n_trials : int
        Curves that are tried.
    seed : int
        Of the numbers that choose them; every candidate has the same numbers.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`HYPERBOLA_FEATURES`; a row of NaN where the cell is unusable. Where
        fewer than six traces agree on a curve the share of inliers is 0 and the rest NaN.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, a trace, channel or time is outside the sweep, or
        the sensor is not a radar with a regular axis in seconds.

    Notes
    -----
    Picks are the extremes of the apex' sign in every trace that reach a tenth of it. The
    apex is the greatest magnitude within 6 cm and half a period of the candidate. Three
    picks at a time give :math:`t^2 = a + b x + c x^2`; that with the largest
    :math:`\sum_k \max_p\, 1 - (d_{k p} / \epsilon)^2` over traces k and their picks p, for
    distances below the tolerance :math:`\epsilon`, is refined by least squares with the
    times of rays through air and ground that :func:`fit_hyperbola` uses: of a point at
    :math:`(x_0, z)` in ground of velocity :math:`c / n`,

    .. math:: t_k = t_0 + \sum_\pm \min_u \frac{1}{c} \left( \sqrt{h^2 + u^2}
        + n \sqrt{z^2 + (|x_k \pm s/2 - x_0| - u)^2} \right),

    with the height :math:`h`, the separation :math:`s` of the antennas and
    :math:`t_0 = t_g - \sqrt{4 h^2 + s^2} / c`. The second echo is the strongest of the
    mean over traces within 15 cm of the apex, moved along the curve, from three quarters
    of a period to 2.5 ns below the first: top and bottom of a case draw curves of one
    shape, at a delay. Sign apart from the two polarity columns, nothing changes with the
    amplitude; a lane run the other way gives the same figures where the antennas are
    alike.

    References
    ----------
    .. [1] Fischler, M. A. & Bolles, R. C. (1981). Random sample consensus. *Communications
       of the ACM*, 24(6), 381-395. https://doi.org/10.1145/358669.358692

    Examples
    --------
    A point 15 cm deep in ground with waves of 0.12 m/ns:

    >>> import numpy as np
    >>> from minesense.gpr import HYPERBOLA_FEATURES, hyperbola_features
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=62.5e-12 * np.arange(160), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.025 * np.arange(41)
    >>> delay = 2e-9 + 2 * np.hypot(0.15, northing - 0.5) / 1.2e8
    >>> phase = np.pi * 1.5e9 * (sensor.axis - delay[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> row = hyperbola_features(
    ...     sweep, [20], [0], [4.5e-9], ground_time=2e-9, spacing=0.025
    ... )[0]
    >>> names = [feature.name for feature in HYPERBOLA_FEATURES]
    >>> round(row[names.index("hyperbola_velocity")] / 1e8, 2)
    np.float64(1.2)
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    interval = cells.interval
    radar = sweep.sensor.radar
    period = 1 / radar.centre_frequency if radar else 8 * interval
    half = abs(separation_of(sweep.sensor)) / 2
    if height is None:
        height = (radar.height if radar else None) or 0.0
    height = check_not_negative(height, "height")
    n_along = cells.along(reach, least=3)
    setting = _Setting(
        interval=interval,
        period=period,
        spacing=cells.spacing,
        before=max(2, round(_BEFORE / interval)),
        tolerance=2 * interval if tolerance is None else check_positive(tolerance, "tolerance"),
        height=height,
        half=half,
        draws=np.random.default_rng(check_count(seed, "seed", least=0)).random(
            (check_count(n_trials, "n_trials"), 3)
        ),
    )
    time_zero = ground_time - 2 * math.hypot(height, half) / SPEED_OF_LIGHT
    start = sweep.sensor.axis[0] - time_zero
    result = cells.empty(len(HYPERBOLA_FEATURES))
    for row, section in _sections(cells, n_along, setting):
        first = cells.samples[row] - setting.before
        result[row] = _describe(section, start + interval * first, setting)
    return result


def _sections(cells: Cells, n_along: int, setting: _Setting):  # type: ignore[no-untyped-def]
    """Yield the row of each usable cell and its section along track."""
    after = max(4, round(_AFTER / setting.interval))
    for row, patch in cells.patches(
        along=n_along, across=0, before=setting.before, after=after, is_cut=True
    ):
        yield row, patch[:, 0].astype(np.float64)


def _describe(section: Floats, start: float, setting: _Setting) -> Floats:
    """Return the features of a section whose first sample is at `start` after time zero."""
    result = np.full(len(HYPERBOLA_FEATURES), np.nan)
    result[0] = 0.0
    middle = len(section) // 2
    apex, place = _apex(section, setting)
    if apex == 0:
        return result
    n_most = section.size // 2
    traces = np.empty(n_most, np.int64)
    rows, heights = np.empty(n_most), np.empty(n_most)
    least = _FAINT * abs(apex)
    n = pick_extremes(section, np.sign(apex), 1, least, traces, rows, heights)
    traces, delays = traces[:n], start + setting.interval * rows[:n]
    places = setting.spacing * (traces - middle).astype(np.float64)
    is_late = delays > 2 * math.hypot(setting.height, setting.half) / SPEED_OF_LIGHT
    traces, delays, places = traces[is_late], delays[is_late], places[is_late]
    seed = np.array([start + setting.interval * place, setting.period / 2])
    limits = np.array([_FARTHEST, 4 / _BENDS[1] ** 2, 4 / _BENDS[0] ** 2])
    curve = np.empty(3)
    options = (traces, setting.draws, seed, limits, setting.tolerance, curve)
    if not len(traces) or agree_on_curve(places, delays, *options) <= 0:
        return result
    point, told = _refine(places, delays, traces, curve, setting)
    if told[0] < _N_LEAST:
        return result
    velocity = SPEED_OF_LIGHT / point[0]
    result[:6] = (
        told[0] / len(section),
        velocity,
        velocity * math.sqrt(told[2]) / point[0],
        point[2],
        abs(point[1]),
        math.sqrt(told[1]) / SPEED_OF_LIGHT,
    )
    result[6:] = _along_curve(section, start, point, setting)
    return result


def _apex(section: Floats, setting: _Setting) -> tuple[float, int]:
    """Return value and sample of the strongest magnitude around the candidate."""
    aside = max(1, round(0.06 / setting.spacing))
    middle, near = len(section) // 2, max(1, round(setting.period / 2 / setting.interval))
    low = max(0, setting.before - near)
    block = section[middle - aside : middle + aside + 1, low : setting.before + near + 1]
    _, j = np.unravel_index(np.argmax(np.abs(block)), block.shape)
    return float(block.flat[int(np.argmax(np.abs(block)))]), low + int(j)


def _refine(
    places: Floats,
    delays: Floats,
    traces: npt.NDArray[np.int64],
    curve: Floats,
    setting: _Setting,
) -> tuple[Floats, Floats]:
    """Return index, place and depth of the best of some starts, and what is told of it."""
    bend, tilt, base = curve
    way = SPEED_OF_LIGHT * math.sqrt(base - tilt**2 / (4 * bend))
    way -= 2 * math.hypot(setting.height, setting.half)
    best, best_told = np.ones(3), np.zeros(3)
    for index in (1.5, 2.5, 4.0):
        point = np.array([index, -tilt / (2 * bend), max(way / (2 * index), 2e-3)])
        told = np.zeros(3)
        fit_point(
            places,
            SPEED_OF_LIGHT * delays,
            traces,
            setting.height,
            setting.half,
            SPEED_OF_LIGHT * setting.tolerance,
            point,
            np.zeros((7, 4)),
            np.empty(len(places), np.bool_),
            told,
        )
        if (told[0], -told[1]) > (best_told[0], -best_told[1]):
            best, best_told = point, told
    return best, best_told


def _along_curve(section: Floats, start: float, point: Floats, setting: _Setting) -> Floats:
    """Return coherence, polarity and the second echo of the traces moved along the curve."""
    interval, period = setting.interval, max(2, round(setting.period / setting.interval))
    x = setting.spacing * (np.arange(len(section)) - len(section) // 2)
    curve, leg, out = np.full(len(section), np.nan), np.empty(4), np.empty(4)
    for k in np.flatnonzero(np.abs(x - point[1]) <= _CORE):
        echo_of(x[k], point, setting.height, setting.half, leg, out)
        curve[k] = (out[0] / SPEED_OF_LIGHT - start) / interval
    n_below = max(2, round(_DOUBLE / interval))
    mean, power = np.empty(period + 1 + n_below), np.empty(period + 1 + n_below)
    stack_along_curve(section, curve, -period, mean, power)
    half = period // 2
    around = slice(period - half, period + half + 1)
    first = period - half // 2 + int(np.argmax(np.abs(mean[period - half // 2 :][: half + 1])))
    low, high = mean[around].min(), mean[around].max()
    coherence = (mean[around] ** 2).sum() / max(power[around].sum(), 1e-300)
    below = np.abs(mean[first + math.ceil(0.75 * period) :])
    result = np.array([coherence, (high + low) / max(high - low, 1e-300), *[np.nan] * 3])
    if mean[first] == 0 or not len(below) or not below.max() > 0:
        return result
    second = len(mean) - len(below) + int(np.argmax(below))
    result[2:] = (
        interval * (second - first),
        max(-60.0, 20 * math.log10(abs(mean[second] / mean[first]))),
        np.sign(mean[second] * mean[first]),
    )
    return result

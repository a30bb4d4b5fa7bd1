"""The velocity of the ground from the times of one object's echo along the track."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_number,
    check_positive,
    check_real,
    check_rng,
    check_shape,
)
from ..constants import SPEED_OF_LIGHT
from ..physics import trace_rays
from ..sweep import Floats
from .windows import check_window

#: A point nearer to the surface than this cannot be told from it, m.
_SHALLOWEST = 1e-3

#: Rounds of choosing the picks that fit and fitting anew.
_N_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HyperbolaFit:
    """What the times of an echo tell. All but the picks is NaN where there is a reason."""

    velocity: float  #: of the wave in the ground, m/s
    velocity_std: float  #: standard deviation of the velocity, m/s
    place: float  #: of the object along the track, m
    depth: float  #: of its top below the surface, m
    radius: float  #: of the object, m: what was found, or what was given
    rms: float  #: of the distances of the picks that fit, s
    is_inlier: npt.NDArray[np.bool_]  #: (n_picks,) which picks fit
    reason: str  #: why there is no velocity; empty if there is one

    @property
    def permittivity(self) -> float:
        """Relative, real, of the ground."""
        return (SPEED_OF_LIGHT / self.velocity) ** 2


def fit_hyperbola(
    place: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    tolerance: float,
    height: npt.ArrayLike = 0.0,
    separation: float = 0.0,
    time_zero: float = 0.0,
    radius: float | None = 0.0,
    place_std: float = 0.0,
    velocities: tuple[float, float] = (0.6e8, 2.0e8),
    max_spread: float = 0.1,
    n_trials: int = 500,
) -> HyperbolaFit:
    r"""
    Fit the hyperbola of a buried object to picked times; return the velocity of the ground.

    Parameters
    ----------
    place : (n_picks,) array_like
        Of the antennas' middle along the track, in metres.
    time : (n_picks,) array_like
        Two-way time of the peak of the echo, in seconds, for example of
        :func:`track_ground` on a few traces and a window around it; NaN without a pick.
    rng : numpy.random.Generator
        Draws the trials.
    tolerance : float
        Greatest distance of a pick that fits, in seconds; twice the sample interval is
        usual.
    height : float or (n_picks,) array_like
        Of the antennas over the ground, in metres; 0 if they lie on it.
    separation : float
        Between transmitter and receiver, along the track, in metres.
    time_zero : float
        When the peak of the pulse leaves the transmitter, in seconds.
    radius : float or None
        Of the object, a sphere or a cylinder across the track, in metres: 0 for a point.
        None to find it, which long flanks and little noise allow.
    place_std : float
        How far places are wrong, a standard deviation in metres; times count as wrong by
        half of `tolerance`.
    velocities : (least, most)
        That the ground can have, in metres per second.
    max_spread : float
        Greatest standard deviation of a velocity that is believed, as a share of it.
    n_trials : int
        Triples of picks that are tried.

    Returns
    -------
    fit : HyperbolaFit
        Velocity and its standard deviation, or NaN and the reason.

    Raises
    ------
    TypeError, ValueError
        If an argument is not in its range or shapes do not fit.

    Notes
    -----
    A point on the ground's way of light draws [1]_

    .. math:: t^2 = a + b x + c x^2, \quad v = \frac{2}{\sqrt c}, \quad
        x_0 = -\frac{b}{2 c}, \quad t_0^2 = a - \frac{b^2}{4 c},

    which is found by random sample consensus [2]_: of all curves through three picks, the one
    that most picks are within `tolerance` of. It only chooses the picks, and where the fit
    starts: with air below the antennas its c is not that of the ground. The fit itself
    minimises

    .. math:: \sum_i \min_{\delta} \left[ \left(\frac{t_i - T(x_i + \delta)}{\sigma_t}\right)^2
        + \left(\frac{\delta}{\sigma_x}\right)^2 \right], \quad
        T = t_+ + t_- - \frac{2 n R}{c},

    the orthogonal distances to the curve (plain residuals if `place_std` is 0), with the
    times :math:`t_\pm` of both legs through air and ground of index n to the centre of the
    object, at the depth of its top and its radius R, by :func:`~minesense.physics.trace_rays`,
    and straight without height. Picks are chosen anew by the fit until they stay the same.

    The standard deviation is that of linear least squares, with the variance the residuals
    have: right if they are independent. Picks of one wavelet along the track hardly are,
    and a wrong `time_zero`, `height` or `radius` is not in it: an object taken for a point
    appears in faster ground than it is. With `radius` None it holds what the radius leaves
    open, also where that was found to be zero: with antennas in the air mostly more than
    `max_spread`.

    References
    ----------
    .. [1] Dou, Q., Wei, L., Magee, D. R., Cohn, A. G. (2017). Real-time hyperbola recognition
       and fitting in GPR data. *IEEE Transactions on Geoscience and Remote Sensing*, 55(1),
       51-62. https://doi.org/10.1109/TGRS.2016.2592679
    .. [2] Fischler, M. A., Bolles, R. C. (1981). Random sample consensus. *Communications of
       the ACM*, 24(6), 381-395. https://doi.org/10.1145/358669.358692

    Examples
    --------
    A point 20 cm deep, antennas on the ground, 0.1 m/ns, and two wrong picks:

    >>> place = np.linspace(-0.3, 0.3, 31)
    >>> time = 2 * np.hypot(0.2, place) / 1e8
    >>> time[[3, 20]] += 1e-9
    >>> fit = fit_hyperbola(place, time, rng=np.random.default_rng(seed=1), tolerance=1e-10)
    >>> round(fit.velocity / 1e9, 4), round(fit.depth, 4), int(fit.is_inlier.sum())
    (0.1, 0.2, 29)
    """
    places = check_array(place, "place", ("n_picks",))
    times = check_shape(check_real(time, "time"), "time", (len(places),)).astype(np.float64)
    if np.isinf(times).any():
        k = int(np.argmax(np.isinf(times)))
        msg = f"Invalid time: that of pick {k} is infinite. Must be finite or NaN."
        raise ValueError(msg)
    check_rng(rng)
    tolerance = check_positive(tolerance, "tolerance")
    scene = _Scene(
        places=places,
        times=times - check_number(time_zero, "time_zero"),
        heights=_check_heights(height, len(places)),
        separation=abs(check_number(separation, "separation")),
        radius=None if radius is None else check_not_negative(radius, "radius"),
        time_std=tolerance / 2,
        place_std=check_not_negative(place_std, "place_std"),
    )
    least, most = check_window(velocities, "velocities")
    check_positive(least, "velocities")
    if most > SPEED_OF_LIGHT:
        msg = f"Invalid velocities ({least}, {most}). Must not exceed that of light."
        raise ValueError(msg)
    max_spread = check_positive(max_spread, "max_spread")
    n_trials = check_count(n_trials, "n_trials")
    n_least = 6 if radius is not None else 8
    is_inlier, start, reason = _agree(scene, tolerance, n_least, n_trials, rng)
    if reason:
        return _no_fit(is_inlier, reason)
    found, is_inlier, reason = _refine(scene, start, is_inlier, tolerance, n_least)
    if reason:
        return _no_fit(is_inlier, reason)
    return _judge(scene, found, is_inlier, (least, most), max_spread)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scene:
    """Picks, and what is known of antennas and object."""

    places: Floats
    times: Floats  # from time zero
    heights: Floats
    separation: float
    radius: float | None
    time_std: float
    place_std: float

    def arrivals(self, x: Floats, heights: Floats, parameters: Floats) -> Floats:
        """Return the time of the echo at places x, for (index, place, depth[, radius])."""
        index, middle, depth = parameters[:3]
        radius = float(parameters[3]) if self.radius is None else self.radius
        centre = np.full(len(x), depth + radius)
        total = np.full(len(x), -2 * index * radius / SPEED_OF_LIGHT)
        for half in (-self.separation / 2, self.separation / 2):
            offset = np.abs(x - middle + half)
            if not heights.any():
                total += index * np.hypot(centre, offset) / SPEED_OF_LIGHT
                continue
            # from a millionth of a metre the bend does not matter
            air = np.maximum(heights, 1e-6)
            n_steps = 5 if air.min() > 0.02 else 12
            total += trace_rays(air, centre, offset, index=index, n_steps=n_steps).time
        return total

    def distances(self, parameters: Floats, which: npt.NDArray[np.bool_]) -> Floats:
        """Return signed orthogonal distances of picks, in standard deviations of time."""
        x, t, h = self.places[which], self.times[which], self.heights[which]
        late = t - self.arrivals(x, h, parameters)
        if self.place_std == 0:
            return late / self.time_std
        moved = np.zeros_like(x)
        for _ in range(4):
            slope = self.arrivals(x + moved + 1e-5, h, parameters)
            slope = (slope - self.arrivals(x + moved - 1e-5, h, parameters)) / 2e-5
            fall = late * slope / self.time_std**2 - moved / self.place_std**2
            moved += fall / ((slope / self.time_std) ** 2 + 1 / self.place_std**2)
            late = t - self.arrivals(x + moved, h, parameters)
        return np.sign(late) * np.hypot(late / self.time_std, moved / self.place_std)


def _check_heights(height: npt.ArrayLike, n: int) -> Floats:
    """Return the height of the antennas at every pick."""
    if np.ndim(height) == 0:
        return np.full(n, check_not_negative(height, "height"))
    heights = check_array(height, "height", (n,))
    if (heights < 0).any():
        k = int(np.argmax(heights < 0))
        msg = f"Invalid height '{heights[k]:g}' of pick {k}. Must not be negative."
        raise ValueError(msg)
    return heights


def _no_fit(is_inlier: npt.NDArray[np.bool_], reason: str) -> HyperbolaFit:
    """Return that there is no velocity, and why."""
    return HyperbolaFit(
        velocity=math.nan,
        velocity_std=math.nan,
        place=math.nan,
        depth=math.nan,
        radius=math.nan,
        rms=math.nan,
        is_inlier=is_inlier,
        reason=reason,
    )


def _agree(
    scene: _Scene, tolerance: float, n_least: int, n_trials: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], tuple[float, float], str]:
    """Return the picks near one curve, the place and time of its apex, or the reason."""
    nowhere = (math.nan, math.nan)
    no_pick = np.zeros(len(scene.places), np.bool_)
    known = np.flatnonzero(np.isfinite(scene.times) & (scene.times > 0))
    n_places = len(np.unique(scene.places[known]))
    if n_places < n_least:
        return no_pick, nowhere, f"picks at {n_places} places, of {n_least} or more needed"
    # what height changes is taken off: the rest lies on one curve, nearly
    mean = float(scene.heights[known].mean())
    level = scene.times[known] - 2 * (scene.heights[known] - mean) / SPEED_OF_LIGHT
    middle = float(scene.places[known].mean())
    x, square = scene.places[known] - middle, level**2
    drawn = rng.random((n_trials, len(known))).argsort(axis=1)[:, :3]
    best = _best_curve(x, level, square, drawn, tolerance)
    if best is None:
        return no_pick, nowhere, "no three picks lie on a hyperbola that opens downward"
    fits = np.abs(level - np.sqrt(np.maximum(np.polyval(best, x), 0))) <= tolerance
    if np.count_nonzero(fits) < n_least:
        said = f"{np.count_nonzero(fits)} of {len(known)} picks agree on a hyperbola, of "
        return no_pick, nowhere, f"{said}{n_least} or more needed"
    curve = np.polyfit(x[fits], square[fits], 2)
    if not _opens(*curve):
        curve = best
    bend, tilt, base = (float(value) for value in curve)
    is_inlier = no_pick.copy()
    is_inlier[known[fits]] = True
    apex = math.sqrt(base - tilt**2 / (4 * bend))
    return is_inlier, (middle - tilt / (2 * bend), apex), ""


def _opens(bend: Any, tilt: Any, base: Any) -> Any:
    """Return whether curves open downward in a section, from a time greater than zero."""
    return (bend > 0) & (4 * bend * base > tilt**2)


def _best_curve(
    x: Floats, level: Floats, square: Floats, drawn: npt.NDArray[np.int64], tolerance: float
) -> Floats | None:
    """Return bend, tilt and base of the parabola through three picks that most agree with."""
    x0, x1, x2 = x[drawn].T
    y0, y1, y2 = square[drawn].T
    with np.errstate(divide="ignore", invalid="ignore"):  # picks at one place
        first, second = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
        bend = (second - first) / (x2 - x0)
        tilt = first - bend * (x0 + x1)
        base = y0 - x0 * (tilt + bend * x0)
        good = np.isfinite(base) & _opens(bend, tilt, base)
    if not good.any():
        return None
    curves = np.stack([bend, tilt, base], axis=1)[good]
    curve = curves[:, :1] * x**2 + curves[:, 1:2] * x + curves[:, 2:]
    off = np.abs(level - np.sqrt(np.maximum(curve, 0)))
    # of equal counts the one that lies closer
    score = (off <= tolerance).sum(axis=1) - np.minimum(off / tolerance, 1).mean(axis=1)
    return np.asarray(curves[int(np.argmax(score))])


def _refine(
    scene: _Scene,
    apex: tuple[float, float],
    is_inlier: npt.NDArray[np.bool_],
    tolerance: float,
    n_least: int,
) -> tuple[Any, npt.NDArray[np.bool_], str]:
    """Return the least-squares solution, its picks, or the reason why there is none."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - takes a while to import

    lower = np.array([1.0, -np.inf, _SHALLOWEST, 0.0])[: 3 + (scene.radius is None)]
    upper = np.array([10.0, np.inf, 10.0, 2.0])[: len(lower)]
    starts = _starts(scene, apex, is_inlier)
    if not starts:
        return None, is_inlier, "the apex lies before the echo of the ground"

    def fit(start: Floats, which: npt.NDArray[np.bool_]) -> Any:
        function: Callable[[Floats], Floats] = lambda p: scene.distances(p, which)  # noqa: E731
        inside = np.clip(start, lower + 1e-9, upper - 1e-9)
        return least_squares(
            function, inside, bounds=(lower, upper), x_scale=[1.0, 0.1, 0.1, 0.1][: len(lower)]
        )

    found = min((fit(start, is_inlier) for start in starts), key=lambda item: item.cost)
    picked = np.isfinite(scene.times)
    for _ in range(_N_ROUNDS):
        near = np.zeros_like(is_inlier)
        distance = scene.distances(found.x, picked)
        near[picked] = np.abs(distance) * scene.time_std <= tolerance
        if np.count_nonzero(near) < n_least:
            said = f"{np.count_nonzero(near)} picks lie within the tolerance of the fit, of "
            return None, near, f"{said}{n_least} or more needed"
        if (near == is_inlier).all():
            break
        is_inlier = near
        found = fit(found.x, is_inlier)
    return found, is_inlier, ""


def _starts(
    scene: _Scene, apex: tuple[float, float], is_inlier: npt.NDArray[np.bool_]
) -> list[Floats]:
    """Return where to start from: the two best indices of a few, at the apex' time."""
    place, time = apex
    air = 2 * math.hypot(float(scene.heights[is_inlier].mean()), scene.separation / 2)
    way = SPEED_OF_LIGHT * time - air if scene.heights.any() else SPEED_OF_LIGHT * time
    if way <= 0:
        return []
    radius = [0.02] if scene.radius is None else []
    starts = []
    for index in (1.2, 1.6, 2.0, 2.5, 3.0, 3.6, 4.3, 5.2, 6.5):
        depth = max(way / (2 * index), 2 * _SHALLOWEST)
        starts.append(np.array([index, place, depth, *radius]))
    return sorted(starts, key=lambda p: float((scene.distances(p, is_inlier) ** 2).sum()))[:2]


def _judge(
    scene: _Scene,
    found: Any,
    is_inlier: npt.NDArray[np.bool_],
    velocities: tuple[float, float],
    max_spread: float,
) -> HyperbolaFit:
    """Return the fit with its uncertainty, or why it is not believed."""
    index, place, depth = (float(value) for value in found.x[:3])
    radius = float(found.x[3]) if scene.radius is None else scene.radius
    velocity = SPEED_OF_LIGHT / index
    n = int(np.count_nonzero(is_inlier))
    # a radius that stands at its border of zero is as unknown as any other
    bends = found.jac
    variance = 2 * found.cost / max(1, n - bends.shape[1])
    information = bends.T @ bends
    # a direction that no pick tells anything of has no finite spread
    is_told = np.linalg.cond(information) < 1e14
    spread = math.sqrt(variance * np.linalg.inv(information)[0, 0]) if is_told else math.inf
    if spread > max_spread * index:
        share = f"{spread / index:.2g}" if is_told else "an unknown share"
        reason = f"flanks too short: the velocity is uncertain by {share} of itself"
    elif not velocities[0] <= velocity <= velocities[1]:
        reason = f"a velocity of {velocity:.3g} m/s, not {velocities[0]:g} to {velocities[1]:g}"
    elif depth < 2 * _SHALLOWEST:
        reason = "the apex lies at the surface"
    else:
        return HyperbolaFit(
            velocity=velocity,
            velocity_std=velocity * spread / index,
            place=place,
            depth=depth,
            radius=radius,
            rms=scene.time_std * math.sqrt(2 * found.cost / n),
            is_inlier=is_inlier,
            reason="",
        )
    return _no_fit(is_inlier, reason)

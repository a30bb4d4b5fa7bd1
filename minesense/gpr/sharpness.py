"""The permittivity of the ground for which the image of a lane is sharpest."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_increasing,
    check_number,
    check_one_of,
    check_positive,
)
from ..constants import SPEED_OF_LIGHT
from ..sweep import Floats, Sweep
from .back_projection import back_project
from .migration import kirchhoff, stolt
from .preprocess import check_radar
from .windows import check_window, samples_between

Method = Literal["back_project", "stolt", "kirchhoff"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sharpness:
    """How sharp the image of a lane is by permittivity, and where it is sharpest."""

    permittivities: Floats  #: (n,) that were tried, relative
    sharpness: Floats  #: (n,) of the image with each, 1 over pixels
    permittivity: float  #: of the sharpest image, between those tried; NaN with a reason
    is_at_border: bool  #: whether the first or the last that was tried is the sharpest
    reason: str  #: why there is no permittivity; empty if there is one

    @property
    def velocity(self) -> float:
        """Of the wave in the ground, m/s; NaN with a reason."""
        return SPEED_OF_LIGHT / math.sqrt(self.permittivity)


def sharpest_permittivity(
    sweep: Sweep,
    *,
    permittivities: npt.ArrayLike,
    spacing: float,
    times: tuple[float, float],
    method: Method = "back_project",
    aperture: float | None = None,
    height: npt.ArrayLike | None = None,
    time_zero: float = 0.0,
    balance: float = 0.1,
    workers: int = 1,
) -> Sharpness:
    r"""
    Find the permittivity for which the image of a lane is sharpest.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, nearly straight, without its background, with small objects in the
        ground.
    permittivities : (n,) array_like
        To try, relative, three or more, increasing, 1 to 100; steps of a tenth of the value
        are enough.
    spacing : float
        Distance between neighbouring traces, in metres.
    times : (start, stop)
        Vertical two-way times below the ground between which the image counts, in seconds,
        greater than zero: behind what the ground bounce leaves.
    method : {"back_project", "stolt", "kirchhoff"}
        How the image is made. Stolt's is the fastest, for one height; Kirchhoff's is for
        antennas on the ground.
    aperture : float, optional
        How far a sum reaches along the track to each side, in metres: needed by
        :func:`back_project`, optional with :func:`kirchhoff`, and unknown to :func:`stolt`.
    height : float or (n_traces,) array_like, optional
        Of the antennas over the ground, in metres; by default that of the sensor's radar.
        One for all traces but with :func:`back_project`.
    time_zero : float
        When the peak of the pulse leaves the transmitter, in seconds on the axis of the
        sensor.
    balance : float
        Each trace is divided by its strength, from `start` after `time_zero` on, but not by
        less than this share of the strongest; more than 0, and 1 for no balance.
    workers : int
        Threads of an image. Any number gives the same bytes.

    Returns
    -------
    result : Sharpness
        The curve and its greatest value, or the reason why it tells nothing.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, `aperture` or `height` does not go with the method,
        or the image cannot be made.

    Notes
    -----
    The sharpness of the image :math:`I` over all traces, channels and times is [1]_

    .. math:: \frac{\sum I^4}{\left(\sum I^2\right)^2},

    the inverse of the number of pixels if they are all alike. Images are compared at the
    same vertical two-way times, not depths: over depth a pulse is longer in faster ground,
    which would favour slow ones.

    The greatest value on the grid and its two neighbours give a parabola of the logarithm
    over the index :math:`n = \sqrt{\varepsilon_r}`, whose vertex is the result. **If the
    first or the last value is the greatest, there is none**: the curve may rise beyond.

    **The flanks of hyperbolas tell the permittivity**, and they are much weaker than the apex.
    Where they hardly count, the image with too slow ground is as sharp as the right one.
    Of 64 simulated lanes with points 10 to 16 cm deep in ground of 5 to 12, antennas 2 to
    30 cm above it, one gave no result with the default balance, and the index of the others
    was off by 8 % on average and 20 % at most. Without a balance 40 gave none, and most
    others an index that was 12 to 45 % too great. Trust the result no further, and give an
    aperture that holds the flanks.

    It is one permittivity for a lane, never for a target: from one object the curve
    follows its shape, and long flat ones have no focus at all. Whether the lane had enough
    small objects, the curve itself shows best.

    References
    ----------
    .. [1] Wiggins, R. A. (1978). Minimum entropy deconvolution. *Geoexploration*, 16(1-2),
       21-35. https://doi.org/10.1016/0016-7142(78)90005-4

    Examples
    --------
    Two points in ground of permittivity 9, from antennas on it:

    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(90), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.02 * np.arange(81)
    >>> samples = np.zeros((81, 1, 90))
    >>> for place, depth in ((0.5, 0.2), (1.1, 0.25)):
    ...     arrival = 6 * np.hypot(depth, northing - place) / 299_792_458
    ...     phase = np.pi * 1e9 * (sensor.axis - arrival[:, None])
    ...     samples[:, 0] += (1 - 2 * phase**2) * np.exp(-(phase**2))
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(81),
    ...     sensor=sensor,
    ... )
    >>> options = {"spacing": 0.02, "times": (2e-9, 7e-9), "aperture": 0.4, "height": 0.0}
    >>> tried = [5, 6, 7, 8, 9, 10, 12, 14]
    >>> result = sharpest_permittivity(sweep, permittivities=tried, **options)
    >>> round(result.permittivity), result.is_at_border
    (9, False)
    """
    step = check_radar(sweep.sensor)
    grid = _check_grid(permittivities)
    spacing = check_positive(spacing, "spacing")
    start, stop = check_window(times, "times")
    check_positive(start, "times")
    check_one_of(method, "method", ("back_project", "stolt", "kirchhoff"))
    time_zero = check_number(time_zero, "time_zero")
    workers = check_count(workers, "workers")
    sweep = _balance(sweep, time_zero + start, _check_share(balance))
    if method == "back_project":
        if aperture is None:
            msg = "Invalid aperture None. Must be given for back_project."
            raise ValueError(msg)
        _check_end((start, stop), float(sweep.sensor.axis[-1]) - time_zero)
        down = np.arange(start, stop + step / 2, step)
    else:
        sweep, level = _from_ground(sweep, method, aperture, height, time_zero)
        window = slice(*samples_between((start, stop), "times", sweep.sensor))
    sharpness = np.empty(len(grid))
    for k, permittivity in enumerate(grid.tolist()):
        velocity = SPEED_OF_LIGHT / math.sqrt(permittivity)
        if method == "back_project":
            values = back_project(
                sweep,
                permittivity=permittivity,
                spacing=spacing,
                depths=velocity / 2 * down,
                aperture=aperture,  # type: ignore[arg-type]
                height=height,
                time_zero=time_zero,
                workers=workers,
            ).values
        elif method == "stolt":
            image = stolt(
                sweep, velocity=velocity, spacing=spacing, height=level, workers=workers
            )
            values = image.samples[..., window]
        else:
            image = kirchhoff(
                sweep, velocity=velocity, spacing=spacing, aperture=aperture, workers=workers
            )
            values = image.samples[..., window]
        sharpness[k] = _sharpness(values)
    return _find_peak(grid, sharpness)


def _check_grid(values: npt.ArrayLike) -> Floats:
    """Return permittivities to try."""
    grid = check_array(values, "permittivities", ("n",))
    grid = check_increasing(grid, "permittivities").copy()
    if len(grid) < 3 or grid[0] < 1 or grid[-1] > 100:
        found = f"{len(grid)}" + (f" from {grid[0]:g} to {grid[-1]:g}" if len(grid) else "")
        msg = f"Invalid permittivities: {found}. Must be three or more, from 1 to 100."
        raise ValueError(msg)
    return grid


def _check_end(times: tuple[float, float], end: float) -> None:
    """Raise unless times end where the record does, or before."""
    if times[1] > end:
        msg = (
            f"Invalid times {times}. Must end in the record, which reaches {end:.4g} s after "
            "time_zero."
        )
        raise ValueError(msg)


def _check_share(value: float) -> float:
    """Return a share of more than nothing, all at most."""
    share = check_positive(value, "balance")
    if share > 1:
        msg = f"Invalid balance '{share:g}'. Must be at most 1, for no balance."
        raise ValueError(msg)
    return share


def _balance(sweep: Sweep, start: float, share: float) -> Sweep:
    """Return the sweep with traces divided by their strength from a time on."""
    late = sweep.samples[..., sweep.sensor.axis >= start]
    squares = np.square(late, dtype=np.float64)
    strength = np.sqrt(squares.mean(axis=2, keepdims=True)) if squares.size else np.zeros(1)
    most = strength[sweep.is_usable].max(initial=0.0) if squares.size else 0.0
    if most == 0:
        return sweep
    divisor = np.maximum(strength, share * most)
    samples = (sweep.samples / divisor).astype(np.float32)
    return dataclasses.replace(sweep, samples=samples)


def _from_ground(
    sweep: Sweep,
    method: str,
    aperture: float | None,
    height: npt.ArrayLike | None,
    time_zero: float,
) -> tuple[Sweep, float]:
    """Return the sweep with time zero at 0, and its one height."""
    if method == "stolt" and aperture is not None:
        msg = f"Invalid aperture '{aperture}' for stolt, which has none. Must be None."
        raise ValueError(msg)
    if height is None:
        height = sweep.sensor.radar.height if sweep.sensor.radar else None
    if height is None:
        msg = f"Invalid height None: sensor '{sweep.sensor.name}' has none. Must be given."
        raise ValueError(msg)
    if np.ndim(height) != 0:
        msg = (
            f"Invalid height with shape {np.shape(height)} for {method}. Must be one for all "
            "traces: use level_height, or back_project."
        )
        raise ValueError(msg)
    level = check_number(height, "height")
    if method == "kirchhoff" and level != 0:
        msg = f"Invalid height '{level}' for kirchhoff, which knows no air. Must be 0."
        raise ValueError(msg)
    sensor = dataclasses.replace(sweep.sensor, axis=sweep.sensor.axis - time_zero)
    return dataclasses.replace(sweep, sensor=sensor), level


def _sharpness(values: npt.NDArray[np.float32]) -> float:
    """Return the sum of fourth powers over that of squares, squared; NaN for nothing."""
    powers = np.square(np.nan_to_num(values, nan=0.0), dtype=np.float64)
    most = powers.max(initial=0.0)
    if most == 0:
        return math.nan
    powers /= most  # else the fourth powers of small samples vanish
    return float(np.square(powers).sum() / powers.sum() ** 2)


def _find_peak(grid: Floats, sharpness: Floats) -> Sharpness:
    """Return the curve with its vertex, or the reason why it has none."""
    permittivity, is_at_border, reason = math.nan, False, ""
    if np.isnan(sharpness).any():
        reason = "an image is zero throughout"
    else:
        k = int(np.argmax(sharpness))
        is_at_border = k in (0, len(grid) - 1)
        if np.ptp(sharpness) <= 1e-6 * sharpness[k]:
            reason, is_at_border = "all images are equally sharp", False
        elif is_at_border:
            reason = f"sharpest at the border of what was tried, {grid[k]:g}"
        else:
            a, b, c = np.sqrt(grid[k - 1 : k + 2]).tolist()
            low, top, high = np.log(sharpness[k - 1 : k + 2]).tolist()
            fall, rise = (b - a) * (top - high), (c - b) * (top - low)
            # the vertex of the parabola through three points, from the middle one
            index = b + 0.5 * ((c - b) * rise - (b - a) * fall) / (fall + rise)
            permittivity = index**2
    return Sharpness(
        permittivities=grid,
        sharpness=sharpness,
        permittivity=permittivity,
        is_at_border=is_at_border,
        reason=reason,
    )

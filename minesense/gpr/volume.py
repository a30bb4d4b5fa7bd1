"""Image the ground below an array in three dimensions, with refraction at the ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels.volume import stack_volume
from .._validation import (
    check_array,
    check_count,
    check_increasing,
    check_number,
    check_positive,
)
from .._version import __version__
from ..constants import SPEED_OF_LIGHT
from ..sweep import Floats, Frame, Samples, Sweep
from ._arrivals import (
    HEIGHT_BIN,
    bin_heights,
    check_angle,
    check_depths,
    check_heights,
    check_permittivity,
    leg,
    separation_of,
)
from ._profile import share
from .preprocess import check_radar

#: Lines across the track that a thread images at a time, with the traces around them.
_N_LINES = 8

#: What a straight line between tabulated times of one leg may be wrong by, in samples.
_TABLE_ERROR = 1 / 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """What lies in the ground below a lane of an array, on a grid along and across it."""

    values: Samples  #: (n_along, n_across, n_depths), NaN where no trace was used
    coherence: Samples | None  #: of the same shape, 0 to 1; None if it was not asked for
    along: Floats  #: (n_along,) from the origin in the grid's direction, m
    across: Floats  #: (n_across,) from the origin to the right of it, m
    depths: Floats  #: (n_depths,) below the surface, m
    origin: Floats  #: (2,) easting, northing, m
    direction: float  #: radians clockwise from north
    unit: str  #: of the values
    lane: str
    frame: Frame  #: of the origin
    history: tuple[str, ...]  #: what was done to the samples, one line a step

    @property
    def position(self) -> Floats:
        """Easting and northing of every column, (n_along, n_across, 2), m."""
        sin, cos = math.sin(self.direction), math.cos(self.direction)
        along, across = self.along[:, None], self.across
        return self.origin + np.stack(
            [sin * along + cos * across, cos * along - sin * across], axis=-1
        )


def back_project_volume(
    sweep: Sweep,
    *,
    permittivity: float,
    along: npt.ArrayLike,
    across: npt.ArrayLike,
    depths: npt.ArrayLike,
    aperture: float,
    height: npt.ArrayLike | None = None,
    time_zero: float = 0.0,
    angle: float = math.radians(50.0),
    origin: Sequence[float] | None = None,
    direction: float | None = None,
    coherence: bool = False,
    workers: int = 1,
) -> Volume:
    r"""
    Image the ground below an array by sums over traces of all its channels.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, best without its background. Where its traces are is taken from its
        positions, headings and lever arms: they need not be evenly spaced, nor the lane
        be straight.
    permittivity : float
        Relative, real, of the ground; 1 to 100.
    along, across : (n,) array_like
        Lines of the grid in its direction and to the right of it, in metres, increasing.
    depths : (n_depths,) array_like
        Below the surface, in metres, increasing and greater than zero.
    aperture : float
        How far, horizontally, the middle of two antennas may be from a point, in metres.
    height : float, (n_traces,) or (n_traces, n_channels) array_like, optional
        Of the antennas over the ground, in metres, for all traces, each, or each of each
        channel; (1, n_channels) where channels alone differ; 0 if they lie on it. By
        default the height of the sensor's radar.
    time_zero : float
        When the peak of the pulse leaves the transmitter, in seconds on the axis of the
        sensor; the same for all traces, as :func:`align_time_zero` makes it.
    angle : float
        Greatest angle of either leg from the vertical in the ground, in radians, less than
        a right angle.
    origin : (2,) sequence of float, optional
        Easting and northing of the grid's zero, in metres. By default the first position
        of the lane.
    direction : float, optional
        Of the grid, radians clockwise from north. By default from the first position to
        the last.
    coherence : bool
        Whether to compute the coherence too.
    workers : int
        Threads. Any number gives the same bytes.

    Returns
    -------
    volume : Volume
        In the unit of the sweep. Those of lanes on one grid may be added.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, there is no height, the sensor is not a radar with
        a regular axis in s, no trace has a position, or the lane does not tell a direction.

    Notes
    -----
    With the usable traces :math:`s_a` of all channels, whose transmitter, receiver and the
    middle of both are at the horizontal distances :math:`\rho_t`, :math:`\rho_r` and
    :math:`r_a` from a point at depth :math:`z`,

    .. math:: I = \sum_a w_a\, s_a(t_0 + t(\rho_t) + t(\rho_r)), \qquad
        w_a = \frac{\cos \theta_t + \cos \theta_r}{2}
        \cos^2 \frac{\pi r_a}{2 A}, \qquad r_a < A,

    with the time :math:`t` of a leg and its angle :math:`\theta` from the vertical in the
    ground as for :func:`back_project`; :math:`A` is `aperture`. The antennas of a channel
    are half of the `separation` of the radar behind and ahead of its place, along the
    heading of the trace. The coherence is that of :func:`back_project`, over the traces of
    all channels.

    Every trace counts once, however close others are: where they are denser, the image is
    brighter. Traces without a position, and flagged ones, enter no sum. A trace enters none
    where its recording does not reach. The sum is NaN where none does, and is not made up
    for those missing. Times are read from tables by height, in the bins of
    :func:`back_project`, and by distance, between whose values they are wrong by no more
    than a two-hundredth of a sample for each leg: the curvature of :math:`t` is at most
    :math:`n / (c z)`, that of a straight leg from the ground. Sums are float32. Besides the
    result only tables and one column a thread are held, however long the lane is.

    Examples
    --------
    A point 20 cm deep, 5 cm to the right of the middle one of three channels:

    >>> from minesense.physics import trace_rays
    >>> from minesense.sensor import Sensor
    >>> arms = np.array([[-0.1, 0, 0], [0, 0, 0], [0.1, 0, 0]])
    >>> sensor = Sensor(name="demo", kind="gpr", axis=1e-10 * np.arange(80), lever_arms=arms)
    >>> northing = 0.02 * np.arange(41)
    >>> rho = np.hypot(arms[:, 0] - 0.05, northing[:, None] - 0.4)
    >>> arrival = 2 * trace_rays(0.3, 0.2, rho, index=3.0).time
    >>> phase = np.pi * 1e9 * (sensor.axis - arrival[..., None])
    >>> sweep = Sweep(
    ...     samples=(1 - 2 * phase**2) * np.exp(-(phase**2)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> volume = back_project_volume(
    ...     sweep,
    ...     permittivity=9.0,
    ...     along=0.02 * np.arange(41),
    ...     across=0.025 * np.arange(-4, 5),
    ...     depths=0.02 * np.arange(5, 13),
    ...     aperture=0.4,
    ...     height=0.3,
    ... )
    >>> i, j, k = np.unravel_index(volume.values.argmax(), volume.values.shape)
    >>> volume.position[i, j].round(3).tolist(), float(volume.depths[k])
    ([0.05, 0.4], 0.2)
    """
    step = check_radar(sweep.sensor)
    permittivity = check_permittivity(permittivity)
    along = _check_lines(along, "along")
    across = _check_lines(across, "across")
    depths = check_depths(depths)
    aperture = check_positive(aperture, "aperture")
    time_zero = check_number(time_zero, "time_zero")
    angle = check_angle(angle)
    heights = check_heights(sweep, height)
    workers = check_count(workers, "workers")
    zero, way = _grid_of(sweep, origin, direction)
    centres, bins = bin_heights(heights, SPEED_OF_LIGHT * step * HEIGHT_BIN)
    first = (time_zero - sweep.sensor.axis[0]) / step
    tables = _tables(
        centres,
        depths,
        index=math.sqrt(permittivity),
        farthest=aperture + abs(separation_of(sweep.sensor)) / 2,
        interval=step,
        first=first,
        angle=angle,
    )
    values = np.empty((len(along), len(across), len(depths)), np.float32)
    ratios = np.empty(values.shape if coherence else (0, 0, 0), np.float32)
    _stack(
        sweep,
        _antennas(sweep, zero, way),
        bins.astype(np.int64),
        (along, across),
        aperture,
        tables,
        (values, ratios),
        workers,
    )
    shown = f"{centres[0]:g}" if len(centres) == 1 else "array"
    call = (
        f"permittivity={permittivity!r}, aperture={aperture!r}, height={shown}, "
        f"time_zero={time_zero!r}, angle={angle!r}"
    )
    return Volume(
        values=values,
        coherence=ratios if coherence else None,
        along=along,
        across=across,
        depths=depths,
        origin=zero,
        direction=way,
        unit=sweep.sensor.unit,
        lane=sweep.lane,
        frame=sweep.frame,
        history=(*sweep.history, f"minesense {__version__}: back_project_volume({call})"),
    )


def _check_lines(values: npt.ArrayLike, name: str) -> Floats:
    """Return increasing places of the lines of a grid, one or more."""
    lines = check_increasing(check_array(values, name, ("n",)), name)
    if not len(lines):
        msg = f"Invalid {name} without a value. Must be one or more."
        raise ValueError(msg)
    return lines.copy()


def _grid_of(
    sweep: Sweep, origin: Sequence[float] | None, direction: float | None
) -> tuple[Floats, float]:
    """Return origin and direction of a grid, those of the lane unless given."""
    known = sweep.position[np.isfinite(sweep.position[:, :2]).all(axis=1), :2]
    if not len(known):
        msg = f"Invalid sweep of lane '{sweep.lane}': no trace has a position. Must have one."
        raise ValueError(msg)
    place = known[0] if origin is None else check_array(origin, "origin", (2,))
    if direction is None:
        way = known[-1] - known[0]
        if not way.any():
            msg = (
                f"Invalid direction None: lane '{sweep.lane}' ends where it begins. Must be "
                "given."
            )
            raise ValueError(msg)
        direction = math.atan2(way[0], way[1])
    return place.copy(), check_number(direction, "direction")


def _antennas(sweep: Sweep, origin: Floats, direction: float) -> tuple[Floats, Floats]:
    """Return where transmitters and receivers are, along and across the grid."""
    middle = sweep.channel_position[..., :2] - origin
    forward = np.stack([np.sin(sweep.heading), np.cos(sweep.heading)], axis=-1)
    half = separation_of(sweep.sensor) / 2 * forward[:, None]
    sin, cos = math.sin(direction), math.cos(direction)
    turn = np.array([[sin, cos], [cos, -sin]])
    return (middle - half) @ turn, (middle + half) @ turn


def _tables(
    heights: Floats,
    depths: Floats,
    *,
    index: float,
    farthest: float,
    interval: float,
    first: float,
    angle: float,
) -> tuple[Samples, Floats, float]:
    """Return by height places and cosines of a leg, its reaches, and the step in m."""
    wrong = _TABLE_ERROR * interval
    step = math.sqrt(8 * wrong * SPEED_OF_LIGHT * depths[0] / index)
    x = step * np.arange(math.ceil(farthest / step) + 2.0)
    tables = np.empty((len(heights), len(x), 2, len(depths)), np.float32)
    reaches = np.empty((len(heights), len(depths)))
    sine = index * math.sin(angle)
    for i, height in enumerate(heights):
        time, cosine = leg(float(height), depths, x, index**2)
        tables[i, :, 0] = (time / interval + first / 2).T
        tables[i, :, 1] = cosine.T
        reaches[i] = depths * math.tan(angle)
        if height > 0:  # beyond grazing incidence no angle in the ground is too great
            reaches[i] += height * math.tan(math.asin(sine)) if sine < 1 else math.inf
    reaches *= 1 + 1e-9
    return tables, reaches, step


def _stack(
    sweep: Sweep,
    antennas: tuple[Floats, Floats],
    bins: npt.NDArray[np.int64],
    grid: tuple[Floats, Floats],
    aperture: float,
    tables: tuple[Samples, Floats, float],
    results: tuple[Samples, Samples],
    workers: int,
) -> None:
    """Sum traces over the grid, some lines at a time."""
    along, across = grid
    values, ratios = results
    middle = (antennas[0] + antennas[1])[..., 0] / 2
    is_usable = sweep.is_usable & np.isfinite(middle).all(axis=1)

    def image_lines(start: int) -> None:
        lines = slice(start, start + _N_LINES)
        columns = np.stack(np.meshgrid(along[lines], across, indexing="ij"), axis=-1)
        columns = columns.reshape(-1, 2)
        is_near = (middle > along[lines][0] - aperture) & (middle < along[lines][-1] + aperture)
        near = np.flatnonzero(is_near.any(axis=1))
        n_depths = values.shape[2]
        stack_volume(
            sweep.samples,
            is_usable,
            *antennas,
            bins,
            near[0] if len(near) else 0,
            near[-1] + 1 if len(near) else 0,
            columns,
            aperture,
            *tables,
            ratios.size > 0,
            np.empty((2, n_depths), np.float32),
            np.empty(n_depths, np.int32),
            np.empty((3, n_depths), np.float32),
            np.empty(n_depths + 1, np.int64),
            values[lines].reshape(-1, n_depths),
            ratios[lines].reshape(-1, n_depths),
        )

    share(image_lines, range(0, len(along), _N_LINES), workers)

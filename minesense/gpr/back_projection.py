"""Image a radar profile in depth, with refraction at the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._kernels.back_projection import stack_by_height, stack_side_by_side
from .._validation import (
    check_array,
    check_count,
    check_increasing,
    check_not_negative,
    check_number,
    check_positive,
)
from .._version import __version__
from ..constants import SPEED_OF_LIGHT
from ..physics import trace_rays
from ..sweep import Floats, Frame, Samples, Sweep
from ._profile import check_spacing, share
from .preprocess import check_radar

#: Image columns that a thread makes at a time: their traces fit the second-level cache.
#: Fixed, so that the result does not depend on how many threads share the blocks.
_N_BLOCK = 256

#: Depths that are written at a time: a line of the cache.
_N_TOGETHER = 16

#: Heights of one table lie within this many samples of the way of light.
_HEIGHT_BIN = 1 / 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """What lies in the ground below a lane, by depth."""

    values: Samples  #: (n_traces, n_channels, n_depths), NaN where no trace was used
    coherence: Samples | None  #: of the same shape, 0 to 1; None if it was not asked for
    depths: Floats  #: (n_depths,) below the surface, m
    position: Floats  #: (n_traces, 3) easting, northing, upward of the columns, m
    unit: str  #: of the values
    lane: str
    frame: Frame  #: of the positions
    history: tuple[str, ...]  #: what was done to the samples, one line a step


class _Table(NamedTuple):
    """Where in a trace the echo of a point is, by depth and offset in traces."""

    is_in: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]
    fractions: Samples
    weights: Samples


def back_project(
    sweep: Sweep,
    *,
    permittivity: float,
    spacing: float,
    depths: npt.ArrayLike,
    aperture: float,
    height: npt.ArrayLike | None = None,
    time_zero: float = 0.0,
    angle: float = math.radians(50.0),
    coherence: bool = False,
    workers: int = 1,
) -> Image:
    r"""
    Image a profile by sums at the times waves take through air and ground.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, nearly straight, best without its background.
    permittivity : float
        Relative, real, of the ground; 1 to 100.
    spacing : float
        Distance between neighbouring traces, in metres.
    depths : (n_depths,) array_like
        Below the surface, in metres, increasing and greater than zero.
    aperture : float
        How far a sum reaches along the track to each side, in metres.
    height : float or (n_traces,) array_like, optional
        Of the antennas over the ground, in metres, for all traces or each; 0 if they lie
        on it. By default the height of the sensor's radar.
    time_zero : float
        When the peak of the pulse leaves the transmitter, in seconds on the axis of the
        sensor; the same for all traces, as :func:`align_time_zero` makes it. Not the time of
        the ground, which :func:`align_ground` makes the same.
    angle : float
        Greatest angle of either leg from the vertical in the ground, in radians, less than
        a right angle.
    coherence : bool
        Whether to compute the coherence too.
    workers : int
        Threads. Any number gives the same bytes.

    Returns
    -------
    image : Image
        A column below each trace, flagged ones included, in the unit of the sweep.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, there is no height, the sensor is not a radar
        with a regular axis in s, a gap lies in the lane, or its positions do not agree
        with `spacing`.

    Notes
    -----
    Each channel is imaged by itself, as if every echo came from below the track. With the
    usable traces :math:`s_a` whose antennas' middle is at distance :math:`x_a` along the
    track from the image point, at depth :math:`z`,

    .. math:: I = \sum_a w_a\, s_a(t_0 + t_+ + t_-), \qquad
        w_a = \frac{\cos \theta_+ + \cos \theta_-}{2}
        \cos^2 \frac{\pi x_a}{2 A}, \qquad |x_a| < A,

    where :math:`t_\pm` is the time of the leg to the antenna at :math:`x_a \pm d / 2`, with
    the `separation` :math:`d` of the radar (0 without one), and :math:`\theta_\pm` its angle
    from the vertical in the ground; :math:`A` is `aperture`. By Fermat's principle, over flat
    ground of index :math:`n = \sqrt{\varepsilon_r}`,

    .. math:: t = \min_x \frac{\sqrt{h^2 + x^2} + n \sqrt{z^2 + (\rho - x)^2}}{c},

    as :func:`~minesense.physics.trace_rays` solves it. At height 0 the leg is straight. Rays
    that enter from air are at most :math:`\arcsin (1 / n)` from the vertical: above an index
    of 1.31, the default `angle` limits antennas on the ground alone.

    The coherence is :math:`|\sum_a s_a|^2 / (N \sum_a |s_a|^2)` over the N traces in the
    sum, without weights, at the same times: 1 where all are the same, about :math:`1 / N` in
    noise, 0 where all are zero. Multiply the image by it to gate.

    A trace enters no sum where its recording does not reach. The sum is NaN where none does,
    and is not made up for those missing: ends of the lane and flagged traces weaken it.
    Values between samples are interpolated linearly. Heights that differ share tables of
    times in bins of a twelfth of a sample times the speed of light. Since
    :math:`|\partial t / \partial h| \le 1 / c` for each leg, times are wrong by no more than
    a twelfth of a sample; if all heights are the same, by none. One height is also several
    times faster. Sums are float32.

    Examples
    --------
    A point 20 cm deep below the trace 20, from an antenna 30 cm over the ground:

    >>> from minesense.physics import trace_rays
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(80), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.02 * np.arange(41)
    >>> arrival = 2 * trace_rays(0.3, 0.2, np.abs(northing - 0.4), index=3.0).time
    >>> phase = np.pi * 1e9 * (sensor.axis - arrival[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> depths = 0.01 * np.arange(5, 26)
    >>> image = back_project(
    ...     sweep, permittivity=9.0, spacing=0.02, depths=depths, aperture=0.4, height=0.3
    ... )
    >>> trace, _, k = np.unravel_index(image.values.argmax(), image.values.shape)
    >>> int(trace), float(image.depths[k])
    (20, 0.2)
    """
    step = check_radar(sweep.sensor)
    permittivity = _check_permittivity(permittivity)
    spacing = check_spacing(sweep, spacing)
    depths = _check_depths(depths)
    aperture = check_positive(aperture, "aperture")
    heights = _check_heights(sweep, height)
    time_zero = check_number(time_zero, "time_zero")
    angle = check_positive(angle, "angle")
    if angle >= math.pi / 2:
        msg = f"Invalid angle '{angle}'. Must be less than pi / 2, in radians."
        raise ValueError(msg)
    workers = check_count(workers, "workers")
    n_traces, n_channels, _ = sweep.samples.shape
    values = np.empty((n_traces, n_channels, len(depths)), np.float32)
    ratios = np.empty(values.shape if coherence else (0, 0, 0), np.float32)
    centres, bins = _bin_heights(heights, SPEED_OF_LIGHT * step * _HEIGHT_BIN)
    n_offsets = min(max(1, n_traces), math.ceil(aperture / spacing * (1 - 1e-9)))
    x = spacing * np.arange(n_offsets)
    hann = np.cos(np.pi * x / (2 * aperture)) ** 2
    tables = []
    for centre in centres:
        time, cosine, steepest = _legs(sweep, float(centre), depths, x, permittivity)
        place = (time + (time_zero - sweep.sensor.axis[0])) / step
        is_in = steepest >= math.cos(angle) * (1 - 1e-12)
        tables.append(_table(place, is_in, cosine * hann, len(sweep.sensor.axis)))
    if len(tables) == 1:
        _stack_one_height(sweep, tables[0], values, ratios, workers)
    elif tables:
        _stack_heights(sweep, bins, tables, values, ratios, workers)
    shown = f"{centres[0]:g}" if len(centres) == 1 else "array"
    call = (
        f"permittivity={permittivity!r}, spacing={spacing!r}, aperture={aperture!r}, "
        f"height={shown}, time_zero={time_zero!r}, angle={angle!r}"
    )
    return Image(
        values=values,
        coherence=ratios if coherence else None,
        depths=depths,
        position=sweep.position.copy(),
        unit=sweep.sensor.unit,
        lane=sweep.lane,
        frame=sweep.frame,
        history=(*sweep.history, f"minesense {__version__}: back_project({call})"),
    )


def _check_permittivity(value: float) -> float:
    """Return a relative permittivity that ground can have."""
    number = check_number(value, "permittivity")
    if not 1 <= number <= 100:
        msg = f"Invalid permittivity '{number:g}'. Must be relative, from 1 to 100."
        raise ValueError(msg)
    return number


def _check_depths(values: npt.ArrayLike) -> Floats:
    """Return increasing depths below the surface."""
    depths = check_increasing(check_array(values, "depths", ("n_depths",)), "depths")
    if not len(depths) or depths[0] <= 0:
        found = f"'{depths[0]:g}'" if len(depths) else "without a value"
        msg = f"Invalid depths {found}. Must be one or more, greater than zero."
        raise ValueError(msg)
    return depths.copy()


def _check_heights(sweep: Sweep, height: npt.ArrayLike | None) -> Floats:
    """Return the height of every trace."""
    radar = sweep.sensor.radar
    if height is None:
        height = radar.height if radar else None
    if height is None:
        msg = f"Invalid height None: sensor '{sweep.sensor.name}' has none. Must be given."
        raise ValueError(msg)
    if np.ndim(height) == 0:
        return np.full(len(sweep), check_not_negative(height, "height"))
    heights = check_array(height, "height", (len(sweep),))
    if (heights < 0).any():
        k = int(np.argmax(heights < 0))
        msg = f"Invalid height '{heights[k]:g}' of trace {k}. Must not be negative."
        raise ValueError(msg)
    return heights


def _bin_heights(heights: Floats, width: float) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Return heights no more than half a width from all, and which one is whose."""
    if not len(heights) or np.ptp(heights) == 0:
        return heights[:1], np.zeros(len(heights), np.intp)
    middles = (np.floor(heights / width) + 0.5) * width
    centres, bins = np.unique(np.where(heights > 0, middles, 0.0), return_inverse=True)
    return centres, bins.reshape(-1)


def _legs(
    sweep: Sweep, height: float, depths: Floats, x: Floats, permittivity: float
) -> tuple[Floats, Floats, Floats]:
    """Return time over both legs, and mean and least cosine in the ground; depth first."""
    radar = sweep.sensor.radar
    half = abs(radar.separation) / 2 if radar else 0.0
    index, z = math.sqrt(permittivity), depths[:, None]
    legs = []
    for offset in (np.abs(x - half), x + half):
        if height == 0:
            path = np.hypot(z, offset)
            legs.append((index * path / SPEED_OF_LIGHT, z / path))
        else:
            rays = trace_rays(
                height, z, offset, index=index, n_steps=5 if height > 0.02 else 12
            )
            legs.append((rays.time, z / rays.soil))
    (near, near_cosine), (far, far_cosine) = legs
    least = np.minimum(near_cosine, far_cosine)
    return near + far, (near_cosine + far_cosine) / 2, least


def _table(
    place: Floats, is_in: npt.NDArray[np.bool_], weights: Floats, n_samples: int
) -> _Table:
    """Return a table of arrivals, given in samples; some may be outside of the record."""
    is_in = is_in & (place >= -1e-9) & (place <= n_samples - 1 + 1e-9)
    place = np.where(is_in, place, 0.0)
    rows = np.clip(place.astype(np.int64), 0, n_samples - 2)
    fractions = np.clip(place - rows, 0.0, 1.0)
    return _Table(is_in, rows, fractions.astype(np.float32), weights.astype(np.float32))


def _stack_one_height(
    sweep: Sweep, table: _Table, values: Samples, ratios: Samples, workers: int
) -> None:
    """Sum traces that share one table."""
    n_traces, n_channels, n_samples = sweep.samples.shape
    is_in, is_usable = table.is_in, sweep.is_usable
    n_block, halo = min(_N_BLOCK, n_traces), is_in.shape[1] - 1
    # along offset both time and angle grow: what enters a sum has no holes
    firsts = np.argmax(is_in, axis=1)
    stops = firsts + is_in.sum(axis=1)

    def image_block(block: tuple[int, int]) -> None:
        channel, first = block
        tile = np.zeros((n_samples, n_block + 2 * halo), np.float32)
        begin, end = max(0, first - halo), min(n_traces, first + n_block + halo)
        used = np.zeros(tile.shape[1], np.int64)
        columns = slice(begin - first + halo, end - first + halo)
        used[columns] = is_usable[begin:end]
        tile[:, columns] = sweep.samples[begin:end, channel].T
        tile[:, used == 0] = 0.0  # NaN too
        n_used = np.concatenate([[0], np.cumsum(used)])
        totals = np.empty((_N_TOGETHER, 3, n_block), np.float32)
        stack_side_by_side(
            tile,
            n_used,
            firsts,
            stops,
            *table[1:],
            ratios.size > 0,
            totals,
            channel,
            first,
            values,
            ratios,
        )

    starts = range(0, n_traces, _N_BLOCK)
    share(image_block, [(c, i) for c in range(n_channels) for i in starts], workers)


def _stack_heights(
    sweep: Sweep,
    bins: npt.NDArray[np.intp],
    tables: list[_Table],
    values: Samples,
    ratios: Samples,
    workers: int,
) -> None:
    """Sum traces of several heights."""
    n_traces, n_channels, _ = sweep.samples.shape
    rows = np.stack([np.where(table.is_in, table.rows, -1).T for table in tables])
    rows = np.ascontiguousarray(rows)
    fractions = np.ascontiguousarray(np.stack([table.fractions.T for table in tables]))
    weights = np.ascontiguousarray(np.stack([table.weights.T for table in tables]))
    is_usable = sweep.is_usable

    def image_block(block: tuple[int, int]) -> None:
        channel, first = block
        totals = np.empty((4, values.shape[2]), np.float32)
        stop = min(n_traces, first + _N_BLOCK)
        stack_by_height(
            sweep.samples,
            is_usable,
            bins,
            rows,
            fractions,
            weights,
            ratios.size > 0,
            totals,
            channel,
            first,
            stop,
            values,
            ratios,
        )

    starts = range(0, n_traces, _N_BLOCK)
    share(image_block, [(c, i) for c in range(n_channels) for i in starts], workers)

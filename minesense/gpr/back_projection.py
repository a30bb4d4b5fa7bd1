"""Image a radar profile in depth, with refraction at the ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels.back_projection import stack_by_height
from .._validation import check_count, check_number, check_positive
from .._version import __version__
from ..constants import SPEED_OF_LIGHT
from ..sweep import Floats, Frame, Samples, Sweep
from ._arrivals import (
    HEIGHT_BIN,
    Arrivals,
    arrivals_at,
    bin_heights,
    check_angle,
    check_depths,
    check_heights,
    check_permittivity,
    offsets_of,
)
from ._level import N_BLOCK, LevelTable
from ._profile import check_spacing, share
from .preprocess import check_radar


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
    height : float, (n_traces,) or (n_traces, n_channels) array_like, optional
        Of the antennas over the ground, in metres, for all traces, each, or each of each
        channel; (1, n_channels) where channels alone differ; 0 if they lie on it. By
        default the height of the sensor's radar.
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
    a twelfth of a sample; if all heights of a channel are the same, by none. One height is
    also several times faster. Sums are float32. Besides the result only tables and some
    hundred columns a thread are held, however long the lane is.

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
    spacing = check_spacing(sweep, spacing)
    depths = check_depths(depths)
    geometry = {
        "permittivity": check_permittivity(permittivity),
        "aperture": check_positive(aperture, "aperture"),
        "time_zero": check_number(time_zero, "time_zero"),
        "angle": check_angle(angle),
    }
    heights = check_heights(sweep, height)
    workers = check_count(workers, "workers")
    n_traces, n_channels, _ = sweep.samples.shape
    values = np.empty((n_traces, n_channels, len(depths)), np.float32)
    ratios = np.empty(values.shape if coherence else (0, 0, 0), np.float32)
    x = spacing * np.arange(min(max(1, n_traces), offsets_of(geometry["aperture"], spacing)))
    centres, bins = bin_heights(heights, SPEED_OF_LIGHT * step * HEIGHT_BIN)
    arrivals = [arrivals_at(sweep.sensor, float(h), depths, x, **geometry) for h in centres]
    stackers = {}
    is_level = (bins == bins[:1]).all(axis=0)
    for number in np.unique(bins[:1, is_level]):
        stackers[number] = _level_stacker(sweep, arrivals[number], values, ratios)
    if not is_level.all():
        stackers[-1] = _height_stacker(sweep, bins, arrivals, values, ratios)
    blocks = [
        (stackers[bins[0, channel] if is_level[channel] else -1], channel, start)
        for channel in range(n_channels)
        for start in range(0, n_traces, N_BLOCK)
    ]
    share(lambda block: block[0](*block[1:]), blocks, workers)
    shown = f"{centres[0]:g}" if len(centres) == 1 else "array"
    call = (
        f"permittivity={geometry['permittivity']!r}, spacing={spacing!r}, "
        f"aperture={geometry['aperture']!r}, height={shown}, "
        f"time_zero={geometry['time_zero']!r}, angle={geometry['angle']!r}"
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


def _level_stacker(
    sweep: Sweep, arrivals: Arrivals, values: Samples, ratios: Samples
) -> Callable[[int, int], None]:
    """Return what images a block of columns of a channel recorded at one height."""
    table, is_usable = LevelTable.of(arrivals), sweep.is_usable

    def stack(channel: int, start: int) -> None:
        columns = range(start, min(len(sweep), start + N_BLOCK))
        part = slice(start, columns.stop)
        table.stack(sweep.samples, is_usable, channel, columns, values[part], ratios[part])

    return stack


def _height_stacker(
    sweep: Sweep,
    bins: npt.NDArray[np.intp],
    arrivals: list[Arrivals],
    values: Samples,
    ratios: Samples,
) -> Callable[[int, int], None]:
    """Return what images a block of columns of a channel whose height changes."""
    n_depths, is_usable = values.shape[2], sweep.is_usable
    # angle and record each leave depths without holes to an offset
    lows = np.stack([np.argmax(a.is_in, axis=0) for a in arrivals])
    highs = lows + np.stack([a.is_in.sum(axis=0) for a in arrivals])
    rows, fractions, weights = (
        np.ascontiguousarray(np.stack([array.T for array in arrays]))
        for arrays in (
            [a.rows.astype(np.uint32) for a in arrivals],
            [a.fractions for a in arrivals],
            [a.weights for a in arrivals],
        )
    )
    bins = np.ascontiguousarray(bins.T)

    def stack(channel: int, start: int) -> None:
        stop = min(len(sweep), start + N_BLOCK)
        n_block = stop - start
        stack_by_height(
            sweep.samples,
            is_usable,
            bins[channel],
            lows,
            highs,
            rows,
            fractions,
            weights,
            ratios.size > 0,
            np.empty((2, n_depths), np.float32),
            np.empty((2, n_block if ratios.size else 0, n_depths), np.float32),
            np.empty((n_block, n_depths + 1), np.int64),
            channel,
            start,
            stop,
            values,
            ratios,
        )

    return stack

"""Stretches between neighbouring samples, and what each falls short of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..sweep import Floats, Quality
from .gates import Gates
from .reasons import Shortfall
from .site import Footprint
from .track import Track

Numbers = npt.NDArray[np.int64]

#: Limits are compared with a billionth to spare, whatever the rounding of a measured figure.
TOLERANCE = 1e-9


class Stretches(NamedTuple):
    """Straight lines of all channels between neighbouring samples, in order of time."""

    starts: Floats  #: (n, 2) m
    stops: Floats  #: (n, 2) m
    times: Floats  #: (n, 2) s
    heights: Floats  #: (n, 2) m, at both ends; NaN where unknown
    error: Floats  #: (n,) m, the greater of both ends; NaN where unknown
    figures: npt.NDArray[np.float32]  #: (n, 3) greatest height, speed and tilt
    flags: Numbers  #: (n,) what each falls short of
    channels: npt.NDArray[np.int32]  #: (n,)
    lanes: npt.NDArray[np.int32]  #: (n,) number of the lane
    jumped: npt.NDArray[np.bool_]  #: (n,) whether this is an end of a step that cannot be

    def take(self, which: slice | npt.NDArray[Any]) -> Stretches:
        """Return some of the stretches: a slice, a mask or indices."""
        parts: tuple[npt.NDArray[Any], ...] = tuple(self)
        return Stretches(*(np.ascontiguousarray(part[which]) for part in parts))


def no_stretches() -> Stretches:
    """Return stretches of nothing."""
    pairs, one = np.empty((0, 2)), np.empty(0)
    return Stretches(
        starts=pairs,
        stops=pairs,
        times=pairs,
        heights=pairs,
        error=one,
        figures=np.empty((0, 3), np.float32),
        flags=one.astype(np.int64),
        channels=one.astype(np.int32),
        lanes=one.astype(np.int32),
        jumped=one.astype(np.bool_),
    )


def join_stretches(parts: list[Stretches]) -> Stretches:
    """Return consecutive stretches as one record."""
    columns = zip(*(tuple(part) for part in parts), strict=True)
    return Stretches(*(np.concatenate(column) for column in columns))


def stretches_of(track: Track, gates: Gates, *, lane: int, is_first: bool = True) -> Stretches:
    """
    Return the stretches between neighbouring located samples of a track.

    What lies between two neighbours are also the samples without a place: their flags are
    those of the stretch. A step that nothing could have moved in that time, or that a sample
    between says to be one, becomes its two ends: a position that jumped was not on the way.

    Parameters
    ----------
    track : Track
        Samples in order of time.
    gates : Gates
        Limits of its sensor.
    lane : int
        Number that the stretches carry.
    is_first : bool
        Whether a lane begins here. Its first located sample is then a stretch of its own, which
        credits nothing, so that what is wrong with it is kept even if it stays alone.

    Returns
    -------
    stretches : Stretches
        Channel by channel for each pair of neighbours.

    Examples
    --------
    >>> from minesense.evidence import Track, read_site, reason_names
    >>> gates = read_site("examples/site.toml").sensor[0].gates
    >>> track = Track(
    ...     sensor="coil",
    ...     session="1",
    ...     lane="A",
    ...     time=[0.0, 0.1, 0.2],
    ...     position=[[0, 0], [0, 0.05], [0, 0.09]],
    ...     heading=0.0,
    ...     height=[0.05, 0.05, 0.12],
    ...     tilt=0.0,
    ...     position_error=0.02,
    ...     noise=1.0,
    ... )
    >>> stretches = stretches_of(track, gates, lane=0)
    >>> [reason_names(flags) for flags in stretches.flags]
    [('FOOTPRINT_EDGE',), (), ('HEIGHT_LIMIT',)]
    """
    index = np.flatnonzero(track.has_place)
    if len(index) < 2 - is_first:
        return no_stretches()
    alone = index[:1] if is_first else index[:0]
    behind = np.concatenate([alone, index[:-1]])
    ahead = np.concatenate([alone, index[1:]])
    place = track.channel_position
    n_channels = place.shape[1]
    seconds = track.time[ahead] - track.time[behind]
    steps = np.hypot(*np.moveaxis(place[ahead] - place[behind], -1, 0))  # (n, n_channels)
    # a sample alone has not moved
    moved = steps / np.where(seconds > 0, seconds, 1.0)[:, None]
    possible = (moved <= gates.possible_speed.most + TOLERANCE).all(axis=1)

    flags = track.quality[behind] & ~int(Quality.GAP)
    if len(index) > 1:
        between = np.bitwise_or.reduceat(track.quality[: index[-1] + 1], index[:-1] + 1)
        flags[len(alone) :] |= between
    flags[: len(alone)] |= int(Shortfall.FOOTPRINT_EDGE)
    possible &= (flags & int(Quality.POSE_JUMP)) == 0
    flags |= _pair_flags(track, gates, behind, ahead)
    flags |= np.where(possible, 0, int(Quality.POSE_JUMP))
    flags |= np.where(seconds > gates.gap_time.most + TOLERANCE, int(Quality.GAP), 0)

    fastest, slowest = moved, np.where(seconds > 0, moved.T, np.inf).T
    if track.speed is not None:
        pair = np.stack([track.speed[behind], track.speed[ahead]])
        fastest = np.repeat(pair.max(axis=0)[:, None], n_channels, axis=1)  # NaN stays NaN
        slowest = np.repeat(pair.min(axis=0)[:, None], n_channels, axis=1)
    wrong = (fastest > gates.speed_upper.most + TOLERANCE) | (
        slowest < gates.speed_lower.least - TOLERANCE
    )
    is_asked = gates.speed_upper.limit is not None or gates.speed_lower.limit is not None
    by_channel = flags[:, None] | np.where(wrong, int(Quality.SPEED_LIMIT), 0)
    for is_wrong, flag in (
        (np.isnan(fastest) & is_asked, Shortfall.SPEED_UNKNOWN),
        (steps > gates.gap_length.most + TOLERANCE, Quality.GAP),
        (steps > gates.sample_spacing.most + TOLERANCE, Shortfall.SAMPLE_SPACING),
    ):
        by_channel |= np.where(is_wrong, int(flag), 0)

    figures = np.empty((len(behind), n_channels, 3), np.float32)
    heights = np.stack([_heights(track)[behind], _heights(track)[ahead]], axis=1)
    figures[..., 0] = heights.max(axis=1)[:, None]
    figures[..., 1] = fastest
    tilts = np.abs(track.tilt)
    figures[..., 2] = np.maximum(tilts[behind], tilts[ahead])[:, None]
    error = np.maximum(track.position_error[behind], track.position_error[ahead])
    times = np.stack([track.time[behind], track.time[ahead]], axis=1)
    result = Stretches(
        starts=place[behind].reshape(-1, 2),
        stops=place[ahead].reshape(-1, 2),
        times=np.repeat(times, n_channels, axis=0),
        heights=np.repeat(heights, n_channels, axis=0),
        error=np.repeat(error, n_channels),
        figures=figures.reshape(-1, 3),
        flags=by_channel.reshape(-1),
        channels=np.tile(np.arange(n_channels, dtype=np.int32), len(behind)),
        lanes=np.full(by_channel.size, lane, np.int32),
        jumped=np.repeat(~possible, n_channels),
    )
    return result if possible.all() else _ends_alone(result)


def _ends_alone(stretches: Stretches) -> Stretches:
    """Return stretches, of which those that jumped are split into their two ends."""
    which = np.repeat(np.arange(len(stretches.flags)), np.where(stretches.jumped, 2, 1))
    is_second = np.concatenate([[False], which[1:] == which[:-1]])
    is_first = np.concatenate([is_second[1:], [False]])
    result = stretches.take(which)
    result.stops[is_first] = result.starts[is_first]
    result.starts[is_second] = result.stops[is_second]
    return result


def _heights(track: Track) -> Floats:
    """Return heights; NaN where they are unknown, or cannot be heights above ground."""
    return np.where(np.isfinite(track.height) & (track.height >= 0), track.height, np.nan)


def _pair_flags(track: Track, gates: Gates, behind: Numbers, ahead: Numbers) -> Numbers:
    """Return what neighbours fall short of in height, tilt, position error and noise."""

    def worst(values: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        known = np.where(np.isnan(values), -np.inf, values)
        unknown = np.isnan(values)
        return np.maximum(known[behind], known[ahead]), unknown[behind] | unknown[ahead]

    height = _heights(track)
    flags = np.zeros(len(behind), np.int64)
    for values, gate, above, missing, is_asked in (
        (
            height,
            gates.head_height,
            Quality.HEIGHT_LIMIT,
            Quality.HEIGHT_UNKNOWN,
            True,
        ),
        (np.abs(track.tilt), gates.tilt, Quality.TILT_LIMIT, Shortfall.TILT_UNKNOWN, False),
        (
            track.position_error,
            gates.position_error,
            Shortfall.POSITION_ERROR,
            Shortfall.POSITION_ERROR_UNKNOWN,
            True,
        ),
        (track.noise, gates.noise, Quality.INTERFERENCE, Shortfall.NOISE_UNKNOWN, False),
    ):
        greatest, unknown = worst(values)
        flags |= np.where(greatest > gate.most + TOLERANCE, int(above), 0)
        # Without a height or an error there is no footprint to speak of, limit or not.
        if is_asked or gate.limit is not None:
            flags |= np.where(unknown, int(missing), 0)
    return flags


def reaches(stretches: Stretches, footprint: Footprint) -> tuple[Floats, Floats]:
    """
    Return how far each stretch credits ground, and how far it may have looked, in metres.

    Parameters
    ----------
    stretches : Stretches
        With heights and position errors.
    footprint : Footprint
        Radius by height.

    Returns
    -------
    reach : (n,) float64 ndarray
        The smaller radius of both ends, less the position error; zero if nothing is left or
        the error is unknown. Where a height is unknown, the smallest radius of the table.
    outer : (n,) float64 ndarray
        The greatest radius of the table, and the position error.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> footprint = read_site("examples/site.toml").sensor[0].footprint[0]
    >>> [values.tolist() for values in reaches(no_stretches(), footprint)]
    [[], []]
    """
    radii = footprint.radius(stretches.heights)
    radii[np.isnan(stretches.heights)] = min(footprint.radii)
    error = np.where(np.isfinite(stretches.error), stretches.error, 0.0)
    reach = np.where(np.isfinite(stretches.error), radii.min(axis=1) - error, 0.0)
    return np.maximum(reach, 0.0), max(footprint.radii) + error

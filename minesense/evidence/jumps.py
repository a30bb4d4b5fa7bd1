"""Which ground of a lane is not credited, because its positions contradict each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .gates import Gates
from .reasons import Shortfall
from .stretches import Stretches
from .track import Track

#: Flags of samples whose fix is not a good one, or is none any more.
_POOR = int(
    Quality.POSE_COARSE
    | Quality.POSE_STALE
    | Quality.POSE_JUMP
    | Shortfall.POSITION_ERROR
    | Shortfall.POSITION_ERROR_UNKNOWN
)


class Place(NamedTuple):
    """A located sample, by the place of its first channel."""

    time: float  #: s
    easting: float  #: m
    northing: float  #: m
    error: float  #: m; NaN if unknown


class Jump(NamedTuple):
    """A step between two located samples that no movement explains."""

    before: float  #: s, of the last sample in front of it
    landing: float  #: s, of the first one behind it
    east: float  #: m, from the one to the other
    north: float  #: m
    error: float  #: m, the greater of both


def place_of(track: Track, sample: int) -> Place:
    """
    Return where a sample of a track is.

    Parameters
    ----------
    track : Track
        In order of time.
    sample : int
        Index of one that has a place.

    Returns
    -------
    place : Place
        Of the first channel.

    Examples
    --------
    >>> track = Track(
    ...     sensor="coil",
    ...     session="1",
    ...     lane="A",
    ...     time=[0.0, 0.1],
    ...     position=[[1.0, 2.0], [1.0, 2.05]],
    ...     heading=0.0,
    ...     height=0.05,
    ...     tilt=0.0,
    ...     position_error=0.02,
    ...     noise=1.0,
    ... )
    >>> place_of(track, 1)
    Place(time=0.1, easting=1.0, northing=2.05, error=0.02)
    """
    one = track[sample : sample + 1]
    easting, northing = one.channel_position[0, 0].tolist()
    return Place(float(one.time[0]), easting, northing, float(one.position_error[0]))


def jump_between(first: Place, second: Place) -> Jump:
    """
    Return the jump from one place to another.

    Parameters
    ----------
    first, second : Place
        In order of time.

    Returns
    -------
    jump : Jump
        Its error is unknown, NaN, only if both are.

    Examples
    --------
    >>> jump_between(Place(0.0, 1.0, 2.0, 0.02), Place(0.5, 1.5, 2.0, 0.01))
    Jump(before=0.0, landing=0.5, east=0.5, north=0.0, error=0.02)
    """
    return Jump(
        before=first.time,
        landing=second.time,
        east=second.easting - first.easting,
        north=second.northing - first.northing,
        error=float(np.fmax(first.error, second.error)),
    )


def jumps_in(stretches: Stretches) -> list[Jump]:
    """
    Return the jumps of stretches, each of which stands there as its two ends.

    Parameters
    ----------
    stretches : Stretches
        As :func:`~minesense.evidence.stretches.stretches_of` returns them.

    Returns
    -------
    jumps : list of Jump
        In order of time.

    Examples
    --------
    >>> from minesense.evidence.stretches import no_stretches
    >>> jumps_in(no_stretches())
    []
    """
    ends = stretches.take(stretches.jumped & (stretches.channels == 0))
    steps = (ends.starts[1::2] - ends.stops[::2]).tolist()
    times, errors = ends.times[::2].tolist(), ends.error[::2].tolist()
    return [
        Jump(before, landing, east, north, error)
        for (before, landing), (east, north), error in zip(times, steps, errors, strict=True)
    ]


def contradicted(
    stretches: Stretches, jumps: Sequence[Jump], gates: Gates
) -> npt.NDArray[np.bool_]:
    r"""
    Return which stretches of a lane are not credited for its jumps.

    Behind a jump, or in front of it, the position was wrong by the length of the jump, and
    nothing says where. Only if the jumps together lead nowhere is there more to say: the
    positions in front of the first one and those behind the last one bear each other out, and
    what lies between is wrong. Together they lead nowhere if

    .. math:: |\sum_k d_k| \le v \sum_k \Delta t_k + 2 e

    with the steps d_k, the seconds that they took, the greatest speed v that the gates allow
    and the greatest stated error e at their ends, and that bound is less than each jump that
    its own seconds and errors do not explain: it could hide that one stayed. Otherwise nothing
    of the lane is credited.

    A jump also ends what a poor fix had told before it: since the last good fix nothing is
    credited.

    Parameters
    ----------
    stretches : Stretches
        All of the lane so far, in order of time.
    jumps : sequence of Jump
        In order of time.
    gates : Gates
        Limits of the sensor.

    Returns
    -------
    contradicted : (n,) bool ndarray
        Without a jump none is.

    Examples
    --------
    >>> from minesense.evidence import read_site
    >>> from minesense.evidence.stretches import no_stretches
    >>> gates = read_site("examples/site.toml").sensor[0].gates
    >>> contradicted(no_stretches(), [Jump(0.0, 0.1, 0.8, 0.0, 0.02)], gates)
    array([], dtype=bool)
    """
    n = len(stretches.flags)
    result = np.zeros(n, np.bool_)
    if not jumps:
        return result
    steps = np.array([(jump.east, jump.north) for jump in jumps])
    seconds = np.array([jump.landing - jump.before for jump in jumps])
    fastest = min(gates.speed_upper.most, gates.possible_speed.most)
    moved = np.multiply(fastest, seconds, where=seconds > 0, out=np.zeros(len(jumps)))
    errors = np.array([jump.error if math.isfinite(jump.error) else 0.0 for jump in jumps])
    explained = float(moved.sum() + 2 * errors.max())
    sizes = np.hypot(*steps.T)
    unexplained = sizes[sizes > moved + 2 * errors]
    net = float(np.hypot(*steps.sum(axis=0)))
    if net > explained or explained >= unexplained.min(initial=math.inf) < math.inf:
        result[:] = True
        return result
    begin, end = stretches.times[:, 0], stretches.times[:, 1]
    result |= (begin >= jumps[0].landing) & (end <= jumps[-1].before)
    is_good = (stretches.flags & _POOR) == 0
    for jump in jumps:
        stop = int(np.searchsorted(end, jump.before, side="right"))
        good = np.flatnonzero(is_good[:stop])
        result[good[-1] + 1 if len(good) else 0 : stop] = True
    return result

"""Poses of scans, and the flags of those that miss a limit."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..sweep import Floats, Quality
from .config import StreamConfig

# as plain numbers: masks of flags cost ten times as much
_POSE_COARSE = int(Quality.POSE_COARSE)
_MOTION, _SPEED_LIMIT = int(Quality.MOTION), int(Quality.SPEED_LIMIT)
_TILT_LIMIT, _HEIGHT_LIMIT = int(Quality.TILT_LIMIT), int(Quality.HEIGHT_LIMIT)
_HEIGHT_UNKNOWN = int(Quality.HEIGHT_UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class Poses:
    """Poses of scans; what is not known is NaN, and `flags` say why."""

    position: Floats  #: (n, 3) m, easting, northing, upward of the platform
    heading: Floats  #: (n,) rad
    speed: Floats  #: (n,) m/s
    height: Floats  #: (n,) m above ground
    tilt: Floats  #: (n,) rad
    error: Floats  #: (n,) m, 95 %
    flags: npt.NDArray[np.int64]


def nowhere(n: int, flags: int) -> Poses:
    """
    Return poses of scans that have none.

    Parameters
    ----------
    n : int
        How many.
    flags : int
        Why.

    Returns
    -------
    poses : Poses
        NaN, with infinite errors.

    Examples
    --------
    >>> nowhere(2, int(Quality.POSE_NONE)).error.tolist()
    [inf, inf]
    """
    nan = np.full(n, np.nan)
    return Poses(
        position=np.full((n, 3), np.nan),
        heading=nan,
        speed=nan.copy(),
        height=nan.copy(),
        tilt=nan.copy(),
        error=np.full(n, np.inf),
        flags=np.full(n, flags, np.int64),
    )


def flag_limits(
    poses: Poses, vertical: Floats, has_pose: npt.NDArray[np.bool_], config: StreamConfig
) -> Poses:
    """
    Return poses with flags for the limits that they miss.

    Parameters
    ----------
    poses : Poses
        Of scans.
    vertical : (n,) float64 ndarray
        How fast the height changes there, m/s.
    has_pose : (n,) bool ndarray
        Whether the scan has a pose at all.
    config : StreamConfig
        With the limits; without them MOTION alone is flagged.

    Returns
    -------
    poses : Poses
        The same but for their flags.

    Examples
    --------
    >>> config = StreamConfig(task_clock="utc")
    >>> flagged = flag_limits(nowhere(1, 0), np.array([9.0]), np.array([False]), config)
    >>> Quality(int(flagged.flags[0])).name
    'MOTION'
    """
    limits, flags = config.limits, poses.flags
    flags = flags | np.where(vertical > config.motion, _MOTION, 0)
    if limits is not None:
        if limits.height != math.inf:
            flags |= np.where(has_pose & np.isnan(poses.height), _HEIGHT_UNKNOWN, 0)
            flags |= np.where(poses.height > limits.height, _HEIGHT_LIMIT, 0)
        if limits.tilt != math.inf:  # what cannot be checked is not met
            flags |= np.where(has_pose & ~(poses.tilt <= limits.tilt), _TILT_LIMIT, 0)
        wrong = poses.speed > limits.greatest_speed
        if limits.least_speed > 0:
            wrong |= has_pose & ~(poses.speed >= limits.least_speed)
        flags |= np.where(wrong, _SPEED_LIMIT, 0)
        flags |= np.where(has_pose & (poses.error > limits.position_error), _POSE_COARSE, 0)
    return dataclasses.replace(poses, flags=flags)

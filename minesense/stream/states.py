"""States of observation, and which flags of a trace put the ground under it in which."""

from __future__ import annotations

import enum

from ..sweep import Quality


class Observation(enum.IntEnum):
    """What a stretch of track says of the ground under it; the worse, the higher."""

    OBSERVED_NO_ALARM = 0  #: all stated limits met, and no threshold crossed
    PARTIALLY_OBSERVED = 1
    NOT_OBSERVED = 2
    INVALID = 3  #: data exist and must not be used


#: Reason of a stretch that no limits were stated for.
LIMITS_NOT_STATED = "LIMITS_NOT_STATED"

#: Reason of scans whose lane a stage failed in.
LANE_FAILED = "LANE_FAILED"

#: Such a trace must not be used for any claim about the ground.
MAKES_INVALID = (
    Quality.SATURATED
    | Quality.STUCK
    | Quality.DRIFT
    | Quality.INTERFERENCE
    | Quality.BASELINE_STEP
    | Quality.SETTING_CHANGED
    | Quality.CHECK_FAILED
    | Quality.OUT_OF_DOMAIN
)

#: Ground under such a trace was not looked at.
MAKES_NOT_OBSERVED = (
    Quality.NOT_FINITE
    | Quality.EDGE
    | Quality.LATE
    | Quality.TIME_JUMP
    | Quality.TIME_BACKWARD
    | Quality.POSE_NONE
    | Quality.POSE_STALE
    | Quality.POSE_JUMP
    | Quality.HEIGHT_LIMIT
    | Quality.TILT_LIMIT
)

#: Ground under such a trace was looked at with a limit missed.
MAKES_PARTIAL = (
    Quality.POSE_COARSE
    | Quality.HEIGHT_UNKNOWN
    | Quality.SPEED_LIMIT
    | Quality.MOTION
    | Quality.TIME_COARSE
    | Quality.TIME_DUPLICATE
    | Quality.RESTORED
)

_INVALID, _NOT_OBSERVED, _PARTIAL = (
    int(flags) for flags in (MAKES_INVALID, MAKES_NOT_OBSERVED, MAKES_PARTIAL)
)


def observation_of(flags: int) -> Observation:
    """
    Return the state of ground under a trace with these flags.

    Parameters
    ----------
    flags : int
        Of :class:`~minesense.quality.Quality`, joined with or.

    Returns
    -------
    state : Observation
        The worst that any of them asks for.

    Examples
    --------
    >>> from minesense.sweep import Quality
    >>> observation_of(0).name, observation_of(Quality.STUCK | Quality.EDGE).name
    ('OBSERVED_NO_ALARM', 'INVALID')
    """
    if flags & _INVALID:
        return Observation.INVALID
    if flags & _NOT_OBSERVED:
        return Observation.NOT_OBSERVED
    if flags & _PARTIAL:
        return Observation.PARTIALLY_OBSERVED
    return Observation.OBSERVED_NO_ALARM


def reasons_of(flags: int) -> tuple[str, ...]:
    """
    Return why ground under a trace with these flags does not count as wholly observed.

    Parameters
    ----------
    flags : int
        Of :class:`~minesense.quality.Quality`, joined with or.

    Returns
    -------
    reasons : tuple of str
        Names of the flags that decide, in the order of their bits; empty if none does.

    Examples
    --------
    >>> from minesense.sweep import Quality
    >>> reasons_of(Quality.GAP | Quality.POSE_NONE)
    ('POSE_NONE',)
    """
    deciding = flags & (_INVALID | _NOT_OBSERVED | _PARTIAL)
    return tuple(flag.name or "" for flag in Quality if flag & deciding)

"""What can be wrong with a trace, and what that means for its samples and for the ground."""

from __future__ import annotations

import enum


class Quality(enum.IntFlag):
    """What is known to be wrong with a trace. A flag is never removed downstream."""

    TIME_DUPLICATE = enum.auto()
    TIME_BACKWARD = enum.auto()
    TIME_JUMP = enum.auto()
    TIME_COARSE = enum.auto()
    LATE = enum.auto()
    GAP = enum.auto()  #: ground or time is missing before this trace
    EDGE = enum.auto()  #: a stage had too little of the lane to judge this trace
    POSE_NONE = enum.auto()
    POSE_COARSE = enum.auto()
    POSE_STALE = enum.auto()
    POSE_JUMP = enum.auto()
    HEIGHT_UNKNOWN = enum.auto()
    HEIGHT_LIMIT = enum.auto()
    TILT_LIMIT = enum.auto()
    SPEED_LIMIT = enum.auto()
    SATURATED = enum.auto()
    NOT_FINITE = enum.auto()
    STUCK = enum.auto()
    BASELINE_STEP = enum.auto()
    DRIFT = enum.auto()
    INTERFERENCE = enum.auto()
    MOTION = enum.auto()
    SETTING_CHANGED = enum.auto()
    CHECK_FAILED = enum.auto()
    OUT_OF_DOMAIN = enum.auto()
    RESTORED = enum.auto()  #: some samples were not measured: a stage put others in their place


#: The samples of such a trace mean nothing: it enters no statistic and comes out as NaN.
UNUSABLE = Quality.SATURATED | Quality.NOT_FINITE | Quality.STUCK

#: Ground under such a trace counts as not observed.
NOT_CREDITED = (
    UNUSABLE
    | Quality.EDGE
    | Quality.LATE
    | Quality.TIME_JUMP
    | Quality.POSE_NONE
    | Quality.POSE_STALE
    | Quality.POSE_JUMP
    | Quality.HEIGHT_LIMIT
    | Quality.TILT_LIMIT
    | Quality.SPEED_LIMIT
    | Quality.CHECK_FAILED
    | Quality.OUT_OF_DOMAIN
)

"""States of ground, and the reasons for each that is not an observation with all gates met."""

from __future__ import annotations

import enum

from ..sweep import Quality


class State(enum.IntEnum):
    """What is known of a cell for one sensor and one target; unset is NOT_OBSERVED."""

    NOT_OBSERVED = 0  #: no credited look
    PARTIALLY_OBSERVED = 1  #: looks, but a gate was missed, or they are too few
    OBSERVED_NO_ALARM = 2  #: all gates met, and nothing crossed a threshold
    INVALID = 3  #: data exist and must not be used
    ALARM = 4  #: something was reported or saturated, and nobody has disposed of it


#: Which state stands for several, the first that occurs.
SUMMARY_ORDER = (
    State.ALARM,
    State.INVALID,
    State.NOT_OBSERVED,
    State.PARTIALLY_OBSERVED,
    State.OBSERVED_NO_ALARM,
)


class Shortfall(enum.IntFlag):
    """What a look fell short of, beside the flags of `Quality`, whose bits it leaves alone."""

    TILT_UNKNOWN = 1 << 32
    SPEED_UNKNOWN = 1 << 33
    NOISE_UNKNOWN = 1 << 34
    CHECK_PENDING = 1 << 35  #: the next function check, or the lane's end, has not come yet
    LOOKS_TOO_FEW = 1 << 36
    OVERLAP_TOO_SMALL = 1 << 37  #: neighbouring sweeps share too little here
    SAMPLE_SPACING = 1 << 38  #: samples so far apart that the footprint is not closed
    POSITION_ERROR = 1 << 39  #: above the limit
    POSITION_ERROR_UNKNOWN = 1 << 40
    FOOTPRINT_NONE = 1 << 41  #: height beyond the table, or the position error as large
    FOOTPRINT_EDGE = 1 << 42  #: under the sensor, but beyond the radius that is certain
    CHECK_MISSING = 1 << 43  #: no function check before or after
    CANNOT_SEE = 1 << 44  #: the site file says that the sensor says nothing of this target
    NOT_SWEPT = 1 << 45  #: nothing came near


#: With any of these a look counts as partial, at best.
PARTIAL = int(
    Quality.TIME_DUPLICATE
    | Quality.TIME_BACKWARD
    | Quality.TIME_COARSE
    | Quality.POSE_COARSE
    | Quality.HEIGHT_UNKNOWN
    | Quality.BASELINE_STEP
    | Quality.MOTION
    | Quality.RESTORED
) | int(
    Shortfall.TILT_UNKNOWN
    | Shortfall.SPEED_UNKNOWN
    | Shortfall.NOISE_UNKNOWN
    | Shortfall.CHECK_PENDING
    | Shortfall.LOOKS_TOO_FEW
    | Shortfall.OVERLAP_TOO_SMALL
)

#: With any of these there was no look.
NOT_CREDITED = int(
    Quality.TIME_JUMP
    | Quality.LATE
    | Quality.GAP
    | Quality.EDGE
    | Quality.POSE_NONE
    | Quality.POSE_STALE
    | Quality.POSE_JUMP
    | Quality.HEIGHT_LIMIT
    | Quality.TILT_LIMIT
    | Quality.SPEED_LIMIT
) | int(
    Shortfall.SAMPLE_SPACING
    | Shortfall.POSITION_ERROR
    | Shortfall.POSITION_ERROR_UNKNOWN
    | Shortfall.FOOTPRINT_NONE
    | Shortfall.FOOTPRINT_EDGE
    | Shortfall.CANNOT_SEE
    | Shortfall.NOT_SWEPT
)

#: With any of these the data must not be used.
NOT_VALID = int(
    Quality.SATURATED
    | Quality.NOT_FINITE
    | Quality.STUCK
    | Quality.DRIFT
    | Quality.INTERFERENCE
    | Quality.SETTING_CHANGED
    | Quality.CHECK_FAILED
    | Quality.OUT_OF_DOMAIN
) | int(Shortfall.CHECK_MISSING)

#: Every reason by name.
REASONS = {flag.name: int(flag) for kind in (Quality, Shortfall) for flag in kind if flag.name}


def reason_names(flags: int) -> tuple[str, ...]:
    """
    Return the names of reasons that are joined in a number.

    Parameters
    ----------
    flags : int
        Flags of `Quality` and `Shortfall`, joined with or.

    Returns
    -------
    names : tuple of str
        In the order of their bits.

    Examples
    --------
    >>> from minesense.evidence import Shortfall, reason_names
    >>> from minesense.sweep import Quality
    >>> reason_names(Quality.HEIGHT_LIMIT | Shortfall.NOT_SWEPT)
    ('HEIGHT_LIMIT', 'NOT_SWEPT')
    """
    return tuple(name for name, bit in REASONS.items() if int(flags) & bit)

"""Gates: limits of the task with their reasons, none of which has a default."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .._validation import check_not_negative

#: Greatest overlap of neighbouring sweeps that can be asked for, as a share of the footprint.
MAX_OVERLAP = 0.5


def check_text(value: str, name: str) -> str:
    """Return value if it says something."""
    if not isinstance(value, str) or not value.strip():
        msg = f"Invalid {name} {value!r}. Must be text that is not empty."
        raise ValueError(msg)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """
    A limit with its reason, or the statement that there is none, with its reason.

    Raises
    ------
    TypeError, ValueError
        If there is both a limit and `unlimited`, or neither, or no reason.

    Examples
    --------
    >>> from minesense.evidence import Gate
    >>> Gate(limit=0.1, reason="SOP 3.2: no higher than the sole of a boot")
    Gate(limit=0.1, unlimited=False, reason='SOP 3.2: no higher than the sole of a boot')
    >>> Gate(reason="never asked")
    Traceback (most recent call last):
    ValueError: Invalid limit None. Must be a number, unless unlimited is true.
    """

    limit: float | None = None
    unlimited: bool = False
    reason: str

    def __post_init__(self) -> None:
        check_text(self.reason, "reason")
        if self.limit is None and not self.unlimited:
            msg = "Invalid limit None. Must be a number, unless unlimited is true."
            raise ValueError(msg)
        if self.limit is not None:
            if self.unlimited:
                msg = f"Invalid limit '{self.limit}' beside unlimited. Must be one of both."
                raise ValueError(msg)
            check_not_negative(self.limit, "limit")

    @property
    def most(self) -> float:
        """The limit, infinite if there is none."""
        return math.inf if self.limit is None else self.limit

    @property
    def least(self) -> float:
        """The limit, zero if there is none."""
        return 0.0 if self.limit is None else self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """
    What a pass must meet to count; each gate stated, none with a default.

    Raises
    ------
    ValueError
        If limits contradict each other, or one is none that can be asked for.
    """

    head_height: Gate  #: m above ground, at most
    tilt: Gate  #: rad from level, at most
    speed_upper: Gate  #: m/s of the head, at most
    speed_lower: Gate  #: m/s, at least, for sensors that must move
    possible_speed: Gate  #: m/s; a faster step is a jump of the position, not a movement
    sample_spacing: Gate  #: m between credited samples of a channel, at most
    overlap: Gate  #: share of the footprint that neighbouring sweeps have in common, at least
    gap_length: Gate  #: m between samples, at most
    gap_time: Gate  #: s between samples, at most
    position_error: Gate  #: m, 95 % of the horizontal error, at most
    noise: Gate  #: times the noise over the reference area, at most
    looks: Gate  #: separate passes over a cell, at least
    look_separation: Gate  #: s after which a lane is another look; unlimited: it never is
    break_time: Gate  #: s without a sample after which a function check is due
    check_tolerance: Gate  #: share by which a test piece's response may be off its baseline

    def __post_init__(self) -> None:
        if self.overlap.least > MAX_OVERLAP:
            msg = f"Invalid overlap '{self.overlap.limit}'. Must be at most {MAX_OVERLAP}."
            raise ValueError(msg)
        if self.speed_lower.least > self.speed_upper.most:
            msg = (
                f"Invalid speed_lower '{self.speed_lower.limit}'. Must be at most speed_upper, "
                f"{self.speed_upper.limit}."
            )
            raise ValueError(msg)
        if self.possible_speed.most < self.speed_upper.most:
            msg = (
                f"Invalid possible_speed '{self.possible_speed.limit}'. Must be at least "
                f"speed_upper, {self.speed_upper.limit}."
            )
            raise ValueError(msg)
        looks = self.looks.least
        if looks != int(looks) or looks > 65535:
            msg = f"Invalid looks '{looks}'. Must be a whole number of at most 65535."
            raise ValueError(msg)
        for name in ("sample_spacing", "gap_length", "gap_time"):
            if getattr(self, name).most <= 0:
                msg = f"Invalid {name} '0.0'. Must be greater than zero."
                raise ValueError(msg)

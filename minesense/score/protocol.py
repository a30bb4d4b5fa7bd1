"""What is fixed before the truth of a trial is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .._validation import check_positive
from ..sweep import Frame

#: Groups of strata that every score has; a protocol adds others.
OWN_GROUPS = ("metal", "metal_class", "depth", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """
    A lane that is left out of a score, why, and when that was decided.

    Raises
    ------
    TypeError, ValueError
        If the lane or the reason is empty, or the time is no datetime with a time zone.
    """

    lane: str
    reason: str
    decided: datetime  #: with a time zone

    def __post_init__(self) -> None:
        for name in ("lane", "reason"):
            if not getattr(self, name):
                msg = f"Invalid {name} '' of an exclusion. Must be stated."
                raise ValueError(msg)
        _check_instant(self.decided, "decided")


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """
    What is fixed before the truth of a trial is opened.

    Parameters
    ----------
    strata : mapping of str to mapping of str to str
        By what else targets are told apart: for every group, for example `"soil"`,
        `"clutter"`, `"height"` or `"class"` (against persons, against vehicles), the stratum
        by identifier of the target, else by lane, else by kind. Every group stated is
        mandatory: a stratum with too few targets forbids an overall claim, and so does a
        target of which nothing is stated.
    digging_time : float, optional
        Seconds that it takes to dig at one alarm.
    exclusions : tuple of Exclusion
        Lanes that are left out, with their area, alarms and targets.
    unsealed : datetime, optional
        When the truth, or any score on it, was first seen; needed for exclusions.
    frame : Frame, optional
        Where the places of the truth are counted from, for one that does not state it
        itself; needed where those of the alarms are in a coordinate reference system.

    Raises
    ------
    TypeError, ValueError
        If a group of strata is one that every score has, the digging time is not greater
        than zero, a lane is excluded twice, or an exclusion was not decided before the
        truth was opened.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> from minesense.score import Exclusion, Protocol
    >>> decided = datetime(2026, 5, 3, 9, tzinfo=timezone.utc)
    >>> opened = datetime(2026, 5, 4, 8, tzinfo=timezone.utc)
    >>> protocol = Protocol(
    ...     strata={"soil": {"lane 1": "laterite", "lane 2": "quartz sand"}},
    ...     digging_time=300.0,
    ...     exclusions=(Exclusion(lane="lane 3", reason="flooded", decided=decided),),
    ...     unsealed=opened,
    ... )
    >>> late = Exclusion(lane="lane 4", reason="many misses", decided=opened)
    >>> Protocol(exclusions=(late,), unsealed=opened)
    Traceback (most recent call last):
    ValueError: Invalid exclusion of lane 'lane 4', decided at 2026-05-04T08:00:00+00:00...
    """

    strata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    digging_time: float | None = None
    exclusions: tuple[Exclusion, ...] = ()
    unsealed: datetime | None = None
    frame: Frame | None = None

    def __post_init__(self) -> None:
        for group in self.strata:
            if not group or group in OWN_GROUPS:
                msg = (
                    f"Invalid group of strata {group!r}. Must be named, and other than "
                    f"{', '.join(OWN_GROUPS)}, which every score has."
                )
                raise ValueError(msg)
        if self.digging_time is not None:
            check_positive(self.digging_time, "digging_time")
        object.__setattr__(self, "exclusions", tuple(self.exclusions))
        if self.unsealed is not None:
            _check_instant(self.unsealed, "unsealed")
        lanes = [item.lane for item in self.exclusions]
        for item in self.exclusions:
            if lanes.count(item.lane) > 1:
                msg = f"Invalid exclusions: lane '{item.lane}' is named twice. Must be once."
                raise ValueError(msg)
            if self.unsealed is None or item.decided >= self.unsealed:
                opened = "not stated" if self.unsealed is None else self.unsealed.isoformat()
                msg = (
                    f"Invalid exclusion of lane '{item.lane}', decided at "
                    f"{item.decided.isoformat()}: the truth was unsealed at {opened}. Must be "
                    "decided before: lanes dropped after scores were seen flatter them."
                )
                raise ValueError(msg)


def _check_instant(value: object, name: str) -> None:
    """Raise unless a value is an instant: a datetime with a time zone."""
    if not isinstance(value, datetime):
        msg = f"Invalid {name} {value!r}. Must be a datetime."
        raise TypeError(msg)
    if value.utcoffset() is None:
        msg = f"Invalid {name} '{value}'. Must have a time zone, to be compared."
        raise ValueError(msg)

"""What one person did about one alarm."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .._validation import check_one_of

Action = Literal["dug", "looked_at", "destroyed", "handed_over", "left_marked"]
Found = Literal["mine", "uxo", "fragment", "metal", "other", "nothing", "not_known"]

#: What was done about an alarm.
ACTIONS = ("dug", "looked_at", "destroyed", "handed_over", "left_marked")
#: What was there.
FOUND = ("mine", "uxo", "fragment", "metal", "other", "nothing", "not_known")

#: Of these actions the alarm is over: somebody took out, or up, what was there.
ENDING = ("dug", "destroyed", "handed_over")

_SHA512 = re.compile(r"[0-9a-f]{128}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """
    What one person did about one alarm.

    Parameters
    ----------
    alarm : str
        Identifier of the alarm.
    action : str
        Of ACTIONS. Only those of ENDING end an alarm.
    found : str
        Of FOUND: what was there.
    by : str
        Who, by name or by the pseudonym that the organisation keeps.
    time : str
        When, ISO 8601 with its zone; it is given, never taken from a clock.
    photo_sha512 : str
        SHA-512 of the photograph, in hexadecimal; empty if there is none.
    depth : float or None
        Of what was found, in metres.
    note : str
        Anything else. Not a place: coordinates belong to the alarm.
    corrects : int or None
        Number of the entry that this one replaces.

    Raises
    ------
    TypeError, ValueError
        If the alarm or the person is not named, a word is unknown, or time or hash are not
        of their form.

    Examples
    --------
    >>> from minesense.evidence.disposition import Disposition
    >>> entry = Disposition(
    ...     alarm="A0001", action="dug", found="metal", by="operator 3",
    ...     time="2026-05-04T09:30:00Z",
    ... )
    >>> entry.ends_alarm
    True
    """

    alarm: str
    action: Action
    found: Found
    by: str
    time: str
    photo_sha512: str = ""
    depth: float | None = None
    note: str = ""
    corrects: int | None = None

    def __post_init__(self) -> None:
        for name in ("alarm", "by", "time", "photo_sha512", "note"):
            if not isinstance(getattr(self, name), str):
                msg = f"Invalid {name} {getattr(self, name)!r}. Must be text."
                raise TypeError(msg)
        for name in ("alarm", "by"):
            if not getattr(self, name).strip():
                msg = f"Invalid {name} ''. Must be named: only a named person ends an alarm."
                raise ValueError(msg)
        check_one_of(self.action, "action", ACTIONS)
        check_one_of(self.found, "found", FOUND)
        _check_time(self.time)
        if self.photo_sha512 and not _SHA512.fullmatch(self.photo_sha512):
            msg = (
                f"Invalid photo_sha512 '{self.photo_sha512[:20]}...'. Must be 128 small "
                "hexadecimal digits, or empty."
            )
            raise ValueError(msg)
        if self.depth is not None and not (
            isinstance(self.depth, (int, float)) and 0 <= self.depth < 20
        ):
            msg = f"Invalid depth {self.depth!r}. Must be from 0 to 20 m, or None."
            raise ValueError(msg)
        is_number = isinstance(self.corrects, int) and not isinstance(self.corrects, bool)
        if self.corrects is not None and not (is_number and self.corrects >= 0):
            msg = (
                f"Invalid corrects {self.corrects!r}. Must be the number of an entry, or None."
            )
            raise ValueError(msg)
        if self.action in ENDING and self.found == "not_known":
            msg = (
                f"Invalid found 'not_known' of action '{self.action}'. Must say what was "
                "found: an alarm does not end with a question."
            )
            raise ValueError(msg)

    @property
    def ends_alarm(self) -> bool:
        """Whether the alarm is over by this entry."""
        return self.action in ENDING


def _check_time(text: str) -> None:
    """Raise unless a time is ISO 8601 with its zone."""
    try:
        good = _TIME.fullmatch(text) is not None
        datetime.fromisoformat(text)
    except ValueError:
        good = False
    if not good:
        msg = f"Invalid time '{text}'. Must be like '2026-05-04T09:30:00Z', with its zone."
        raise ValueError(msg)

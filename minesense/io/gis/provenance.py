"""Where a map came from, and who may be handed it: the gate that every export passes."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from ..._validation import check_one_of


class Provenance(enum.IntEnum):
    """How far people stand behind an entry; a later one outranks those before."""

    SYNTHETIC = 0  #: made by a simulator
    SENSOR_ANOMALY = 1  #: a sensor noticed something, nobody has looked
    OPERATOR_CONFIRMED = 2  #: a named person looked
    EOD_DISPOSED = 3  #: a qualified person disposed of it

    @property
    def word(self) -> str:
        """The word that columns hold."""
        return self.name if self is Provenance.SYNTHETIC else self.name.lower()


#: What an export is for. A record says what sensors noticed; an operational one is acted upon.
PURPOSES = ("record", "operational")
LEVELS = ("restricted", "public")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """
    For whom and for what an export is made.

    Parameters
    ----------
    level : {"restricted", "public"}
        Whom it may be handed to; every feature of the export says so. Restricted is the
        default.
    purpose : {"record", "operational"}
        An operational export is refused if anything in it is synthetic or not confirmed by a
        person.
    exact_positions : bool or None
        Whether positions of hazards and of ground that is not observed are written. None
        means yes if restricted, no if public.

    Raises
    ------
    ValueError
        If a word is unknown.

    Examples
    --------
    >>> from minesense.io.gis import Release
    >>> Release().shows_positions, Release(level="public").shows_positions
    (True, False)
    """

    level: Literal["restricted", "public"] = "restricted"
    purpose: Literal["record", "operational"] = "record"
    exact_positions: bool | None = None

    def __post_init__(self) -> None:
        check_one_of(self.level, "level", LEVELS)
        check_one_of(self.purpose, "purpose", PURPOSES)

    @property
    def shows_positions(self) -> bool:
        """Whether positions are written."""
        if self.exact_positions is None:
            return self.level == "restricted"
        return self.exact_positions

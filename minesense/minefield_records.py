"""
What is on paper about mines: records that may be old, shifted, incomplete or wrong.

A record is made from the truth, so nothing that detects may see it: the same import contract
holds for this module as for `truth`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ._validation import check_count, check_not_negative, check_number, check_one_of

#: How far an accurate record may be off: its middle in m, its direction in rad, its number as a
#: share (or by one mine). A mine lies outside a record farther than MARGIN m from its strip.
#: Round figures of this project: the reports that speak of accuracy do not define it.
POSITION_TOLERANCE = 10.0
HEADING_TOLERANCE = math.radians(10)
NUMBER_TOLERANCE = 0.2
MARGIN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MinefieldRecord:
    """
    One claim: so many mines of a kind in a strip of ground.

    Raises
    ------
    TypeError, ValueError
        If a figure is no number, a length is negative, or the number is not at least one.
    """

    identifier: str
    form: Literal["row", "area"]
    easting: float  #: m, of the middle of the strip
    northing: float  #: m
    heading: float  #: rad, of its length, clockwise from north
    length: float  #: m
    width: float  #: m
    kind: str  #: entry of the catalogue
    number: int

    def __post_init__(self) -> None:
        check_one_of(self.form, "form", ("row", "area"))
        for name in ("easting", "northing", "heading"):
            check_number(getattr(self, name), name)
        for name in ("length", "width"):
            check_not_negative(getattr(self, name), name)
        check_count(self.number, "number")

    def distance(self, easting: float, northing: float) -> float:
        """
        Return how far a place lies from the claimed strip.

        Parameters
        ----------
        easting, northing : float
            Place in metres.

        Returns
        -------
        distance : float
            In metres, zero inside.

        Examples
        --------
        >>> from minesense.minefield_records import MinefieldRecord
        >>> row = MinefieldRecord(
        ...     identifier="R1", form="row", easting=0.0, northing=0.0, heading=0.0,
        ...     length=40.0, width=2.0, kind="pmn", number=8,
        ... )
        >>> row.distance(0.5, 19.0), row.distance(4.0, 24.0)
        (0.0, 5.0)
        """
        east, north = easting - self.easting, northing - self.northing
        sin, cos = math.sin(self.heading), math.cos(self.heading)
        along = max(0.0, abs(east * sin + north * cos) - self.length / 2)
        across = max(0.0, abs(east * cos - north * sin) - self.width / 2)
        return math.hypot(along, across)


def is_outside(
    easting: float,
    northing: float,
    records: Iterable[MinefieldRecord],
    *,
    margin: float = MARGIN,
) -> bool:
    """
    Tell whether a place lies outside all records.

    Parameters
    ----------
    easting, northing : float
        Place in metres.
    records : iterable of MinefieldRecord
        What is on paper.
    margin : float
        How far from a claimed strip still counts as inside, m.

    Returns
    -------
    outside : bool
        Whether the place is farther than that from the strip of every record.

    Raises
    ------
    ValueError
        If the margin is negative.

    Examples
    --------
    >>> from minesense.minefield_records import is_outside
    >>> is_outside(0.0, 0.0, [])
    True
    """
    margin = check_not_negative(margin, "margin")
    return all(record.distance(easting, northing) > margin for record in records)

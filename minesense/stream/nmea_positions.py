"""Positions from the NMEA sentences of a receiver, as they come."""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
from typing import Any

from ..io.nmea import Fix, checksum, read_date, read_fix, read_time_of_day
from ..message import FixClass, PositionMessage, StreamDeclaration
from .receiver_stamps import check_receiver, utc_to_clock
from .utc_days import UtcDays

#: Of GGA; what is not here is no fix: dead reckoning, typed in, simulated.
_CLASSES = {
    1: FixClass.SINGLE,
    2: FixClass.DIFFERENTIAL,
    3: FixClass.SINGLE,
    4: FixClass.FIXED,
    5: FixClass.FLOAT,
}

_BODY = re.compile(rb"([\x20-\x23\x25-\x29\x2b-\x7e]*)\*([0-9A-Fa-f]{2})")
_LONGEST = 512  # bytes of a sentence; the standard has 82, makers have more

#: Errors and headings older than this are not those of a fix, s.
_MOST_AGE = 2.0


class NmeaPositions:
    """
    Turn bytes of NMEA sentences into positions.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of geographic positions with heights over the geoid or the ellipsoid, of a clock of UTC
        or, with `leap_seconds`, GPS time.
    date : datetime.date, optional
        Of the first fix, where neither RMC nor ZDA tell one.
    leap_seconds : int, optional
        By which GPS time is ahead of UTC: 18 since 2017.

    Raises
    ------
    ImportError
        If pynmeagps is not installed.
    ValueError
        If the declaration is of something else.

    Notes
    -----
    Positions and times are those of GGA, with the qualities that are measured fixes: 1 to 5.
    Another quality gives a position of the class NONE, so that it is known that the receiver
    lives. The error is twice the root of the sum of the squares that GST states for latitude
    and longitude (2 drms, 95 % or more), of the newest GST before; NaN without one. HDT and
    THS give the heading; a course over ground is none. A fix before any date is known is
    counted and left out. Sentences need a correct checksum; one that was cut does not
    swallow the next.

    Examples
    --------
    >>> import datetime
    >>> from minesense.sweep import Frame
    >>> gnss = StreamDeclaration(
    ...     name="gnss", kind="position", clock="utc", coordinates="geographic",
    ...     frame=Frame(), height_datum="ellipsoid", lever_arm=(0.0, 0.0, 1.0),
    ... )
    >>> positions = NmeaPositions(gnss, date=datetime.date(2026, 3, 1))
    >>> (fix,) = positions.feed(
    ...     b"$GPGGA,092725.00,4717.11399,N,00833.91590,E,4,08,1.01,499.6,M,48.0,M,,*5E"
    ... )
    >>> fix.stamp, fix.fix.name, [round(x, 6) for x in fix.coordinates]
    (1772357245.0, 'FIXED', [47.285233, 8.565265, 547.6])
    """

    def __init__(
        self,
        declaration: StreamDeclaration,
        *,
        date: datetime.date | None = None,
        leap_seconds: int | None = None,
    ):
        try:
            from pynmeagps import NMEAReader  # noqa: PLC0415
            from pynmeagps import exceptions as faults  # noqa: PLC0415
        except ImportError:
            msg = "NMEA sentences need pynmeagps: pip install 'minesense[gnss]'"
            raise ImportError(msg) from None
        self._parse = NMEAReader.parse
        self._faults = (
            *(faults.NMEAParseError, faults.NMEAMessageError, faults.NMEATypeError),
            *(ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError),
        )
        check_receiver(declaration)
        self._declaration = declaration
        self._leap_seconds = leap_seconds
        utc_to_clock(0.0, declaration.clock, leap_seconds)  # raises if it cannot be
        self._days = UtcDays(date)
        self._held = b""
        self._sequence = 0
        self._now = -math.inf
        self._error = self._heading = (math.nan, -math.inf)  # value, stamp
        self.n_sentences = self.n_dropped = self.n_undated = self.n_unreadable = 0

    def feed(self, data: bytes) -> list[PositionMessage]:
        """
        Take the next bytes.

        Parameters
        ----------
        data : bytes
            Any number of them.

        Returns
        -------
        positions : list of PositionMessage
            Of the sentences that are complete now.
        """
        _, *pieces = (self._held + data).split(b"$")
        positions: list[PositionMessage] = []
        self._held = b""
        for k, piece in enumerate(pieces):
            match = _BODY.match(piece[:_LONGEST])
            if match is not None and checksum(match[1]) == int(match[2], 16):
                self.n_sentences += 1
                positions += self._sentence(match[1])
            elif match is None and k == len(pieces) - 1 and len(piece) < _LONGEST:
                self._held = b"$" + piece  # it may go on
            else:
                self.n_dropped += 1
        return positions

    def restart(self) -> None:
        """Forget a sentence that was cut: what follows is another connection."""
        self.n_dropped += bool(self._held)
        self._held = b""

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted, ready for JSON.

        Returns
        -------
        counters : dict
            Sentences that were whole, dropped ones, and fixes left out.
        """
        return {
            "n_sentences": self.n_sentences,
            "n_dropped": self.n_dropped,
            "n_undated": self.n_undated,
            "n_unreadable": self.n_unreadable,
            "n_backward_days": self._days.n_backward,
        }

    def _sentence(self, body: bytes) -> list[PositionMessage]:
        """Take a whole sentence; return the position that it holds, if it is one."""
        fields = tuple(body.decode("ascii").split(","))
        kind = fields[0][2:]
        if kind == "GGA":
            return self._position(fields)
        if kind in ("RMC", "ZDA") and len(fields) > 1:
            date, time_of_day = read_date(fields, kind), read_time_of_day(fields[1])
            if date is not None and math.isfinite(time_of_day):
                self._days.note(date, time_of_day)
        elif kind in ("GST", "HDT", "THS"):
            self._accuracy(kind, body)
        return []

    def _accuracy(self, kind: str, body: bytes) -> None:
        """Take the error or the heading that a sentence states."""
        try:
            message = self._parse(b"$%s*%02X\r\n" % (body, checksum(body)))
            if kind == "GST":
                value = 2 * math.hypot(float(message.stdLat), float(message.stdLong))
            else:
                is_valid = kind == "HDT" or message.mi == "A"
                degrees = message.headingT if kind == "HDT" else message.headt
                value = math.radians(float(degrees)) if is_valid else math.nan
        except self._faults:  # empty or damaged fields: nothing is stated
            self.n_unreadable += 1
            return
        if kind == "GST":
            self._error = (value, self._now)
        else:
            self._heading = (value, self._now)

    def _position(self, fields: tuple[str, ...]) -> list[PositionMessage]:
        """Return the position of a GGA."""
        time_of_day = read_time_of_day(fields[1]) if len(fields) > 1 else math.nan
        if not math.isfinite(time_of_day):
            self.n_undated += 1
            return []
        utc = self._days.stamp(time_of_day)
        if utc is None:
            self.n_undated += 1
            return []
        stamp = utc_to_clock(utc, self._declaration.clock, self._leap_seconds)
        fix = read_fix(fields, math.nan)
        error, heading = (
            value if abs(stamp - since) <= _MOST_AGE else math.nan
            for value, since in (self._error, self._heading)
        )
        self._now = stamp
        message = PositionMessage(
            stream=self._declaration.name,
            sequence=self._sequence,
            stamp=stamp,
            coordinates=(math.nan, math.nan, math.nan),
            fix=FixClass.NONE,
            heading=heading,
        )
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        if fix is not None:
            message = dataclasses.replace(
                message,
                coordinates=(fix.latitude, fix.longitude, self._height(fix)),
                fix=_CLASSES[fix.quality],
                error=error,
            )
        return [message]

    def _height(self, fix: Fix) -> float:
        """Return the height of a fix over what the stream says."""
        if self._declaration.height_datum == "geoid":
            return fix.altitude
        return fix.altitude + fix.separation

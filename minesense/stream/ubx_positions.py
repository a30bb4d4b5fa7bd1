"""Positions from the UBX messages of a receiver of u-blox, as they come."""

from __future__ import annotations

import datetime
import math
from typing import Any

from ..message import FixClass, PositionMessage, StreamDeclaration
from .receiver_stamps import check_receiver, gps_from_week_time

_SYNC = b"\xb5\x62"
_PVT = b"\x01\x07"
_HEAD, _TAIL = 6, 2

#: A message that is longer is no position and no reason to wait.
_LONGEST = 1024


class UbxPositions:
    """
    Turn bytes of UBX messages into positions; those of other protocols between them are left.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of geographic positions with heights over the geoid or the ellipsoid, of a clock of UTC
        or GPS time.

    Raises
    ------
    ImportError
        If pyubx2 is not installed.
    ValueError
        If the declaration is of something else.

    Notes
    -----
    NAV-PVT alone is read. UTC is taken once the receiver calls date and time valid and fully
    resolved; GPS time is its time of the week, in the week that fits UTC. The error is twice
    `hAcc`, of which the maker does not say which share of errors it bounds; taken as
    root mean square distance, twice is 95 % or more. The heading is that of the vehicle, where
    it is valid. Coordinates have steps of 1e-7 degrees, 11 mm.
    """

    def __init__(self, declaration: StreamDeclaration):
        try:
            from pyubx2 import UBXReader  # noqa: PLC0415
            from pyubx2 import exceptions as faults  # noqa: PLC0415
        except ImportError:
            msg = "UBX messages need pyubx2: pip install 'minesense[gnss]'"
            raise ImportError(msg) from None
        self._parse = UBXReader.parse
        self._faults = (
            *(faults.UBXParseError, faults.UBXMessageError, faults.UBXTypeError),
            *(ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError),
        )
        check_receiver(declaration)
        self._declaration = declaration
        self._held = bytearray()
        self._sequence = 0
        self.n_messages = self.n_dropped = self.n_undated = self.n_unreadable = 0

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
            Of the messages that are complete now.
        """
        held = self._held
        held += data
        positions: list[PositionMessage] = []
        start = 0
        while True:
            found = held.find(_SYNC, start)
            if found < 0:
                start = len(held) - held.endswith(_SYNC[:1])
                break
            start = found
            if len(held) - start < _HEAD:
                break
            size = int.from_bytes(held[start + 4 : start + 6], "little") + _HEAD + _TAIL
            if size > _LONGEST:
                start += 1
                continue
            if len(held) - start < size:
                break
            message = bytes(held[start : start + size])
            if message[-2:] != fletcher(message[2:-2]):
                self.n_dropped += 1
                start += 1
                continue
            self.n_messages += 1
            if message[2:4] == _PVT:
                positions += self._position(message)
            start += size
        del held[:start]
        return positions

    def restart(self) -> None:
        """Forget a message that was cut: what follows is another connection."""
        self.n_dropped += bool(self._held)
        self._held.clear()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted, ready for JSON.

        Returns
        -------
        counters : dict
            Messages that were whole, dropped ones, and fixes left out.
        """
        return {
            "n_messages": self.n_messages,
            "n_dropped": self.n_dropped,
            "n_undated": self.n_undated,
            "n_unreadable": self.n_unreadable,
        }

    def _position(self, data: bytes) -> list[PositionMessage]:
        """Return the position of a NAV-PVT."""
        try:
            pvt = self._parse(data)
            stamp = self._stamp(pvt)
            if stamp is None:
                self.n_undated += 1
                return []
            fix = _class_of(pvt)
            has_fix = fix != FixClass.NONE
            height = pvt.hMSL if self._declaration.height_datum == "geoid" else pvt.height
            is_flat = pvt.fixType == 2
            message = PositionMessage(
                stream=self._declaration.name,
                sequence=self._sequence,
                stamp=stamp,
                coordinates=(
                    pvt.lat if has_fix else math.nan,
                    pvt.lon if has_fix else math.nan,
                    1e-3 * height if has_fix and not is_flat else math.nan,
                ),
                fix=fix,
                error=2e-3 * pvt.hAcc if has_fix else math.nan,
                heading=math.radians(pvt.headVeh) if pvt.headVehValid else math.nan,
            )
        except self._faults:
            self.n_unreadable += 1
            return []
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        return [message]

    def _stamp(self, pvt: Any) -> float | None:
        """Return the time of a fix by the clock of the stream, None if it is not known."""
        if not (pvt.validDate and pvt.validTime and pvt.fullyResolved):
            return None
        day = datetime.date(pvt.year, pvt.month, pvt.day) - datetime.date(1970, 1, 1)
        whole = 86400.0 * day.days + 3600.0 * pvt.hour + 60.0 * pvt.min + pvt.second
        utc = whole + 1e-9 * pvt.nano  # nanoseconds may be negative
        if self._declaration.clock == "utc":
            return utc
        # pyubx2 makes a time of day of iTOW, so it is read here
        time_of_week = 1e-3 * int.from_bytes(pvt.serialize()[6:10], "little")
        return gps_from_week_time(time_of_week, utc)


def fletcher(data: bytes) -> bytes:
    r"""
    Return the checksum of a message: the algorithm of Fletcher over 8 bits.

    Parameters
    ----------
    data : bytes
        Class, number, length and payload.

    Returns
    -------
    checksum : bytes
        Two bytes.

    Examples
    --------
    >>> fletcher(b"\x06\x00\x00\x00").hex()
    '0618'
    """
    a = b = 0
    for byte in data:
        a = (a + byte) & 0xFF
        b = (b + a) & 0xFF
    return bytes([a, b])


def _class_of(pvt: Any) -> FixClass:
    """Return the class of a fix."""
    if not pvt.gnssFixOk or pvt.fixType not in (2, 3):
        return FixClass.NONE
    if pvt.carrSoln:
        return FixClass.FIXED if pvt.carrSoln == 2 else FixClass.FLOAT
    return FixClass.DIFFERENTIAL if pvt.diffSoln else FixClass.SINGLE

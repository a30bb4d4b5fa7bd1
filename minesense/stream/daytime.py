"""Stamps of sources that tell the time of day without the date."""

from __future__ import annotations

import datetime
import re

from ..sweep import Quality

_PATTERN = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?")
_DAY = 86400.0


class DayTime:
    """
    Give times of day the date that they lack; carry it over one midnight.

    Parameters
    ----------
    date : datetime.date
        Of the first time, from elsewhere: a file's header, a note, the operator.

    Notes
    -----
    A step back of more than half a day is midnight, once. Any other step back, and a second
    midnight, is TIME_BACKWARD and changes no date: a log of two days with dates for neither
    cannot be told from one whose clock was set. A leap second, 23:59:60, is the second after
    23:59:59, as UTC repeats it.

    Examples
    --------
    >>> import datetime
    >>> clock = DayTime(datetime.date(2026, 3, 1))
    >>> [clock.stamp(text) for text in ("23:59:59.500", "0:00:00.250")]
    [(1772409599.5, 0), (1772409600.25, 0)]
    """

    def __init__(self, date: datetime.date):
        if not isinstance(date, datetime.date):
            msg = f"Invalid date {date!r}. Must be a datetime.date: a time of day has none."
            raise TypeError(msg)
        midnight = datetime.datetime(date.year, date.month, date.day, tzinfo=datetime.UTC)
        self._midnight = midnight.timestamp()
        self._last = -1.0
        self._is_carried = False

    def stamp(self, text: str, *, zone: float = 0.0) -> tuple[float, int]:
        """
        Return the stamp of a time of day.

        Parameters
        ----------
        text : str
            ``H:mm:ss`` with or without decimals.
        zone : float
            Hours by which the text is ahead of UTC, as stated.

        Returns
        -------
        stamp : float
            Seconds of UTC.
        flags : int
            TIME_BACKWARD after a step back that is not the first midnight.

        Raises
        ------
        ValueError
            If the text is no time of day.
        """
        found = _PATTERN.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            msg = f"Invalid time of day {text!r:.40}. Must be 'H:mm:ss' with decimals or not."
            raise ValueError(msg)
        hour, minute, second = (int(part) for part in found.groups()[:3])
        if hour > 23 or minute > 59 or second > 60:
            msg = f"Invalid time of day '{text:.40}'. Must be from 0:00:00 to 23:59:60."
            raise ValueError(msg)
        fraction = float(f"0.{found[4]}") if found[4] else 0.0
        of_day = 3600.0 * hour + 60.0 * minute + second + fraction
        flags = 0
        if of_day < self._last:
            if self._last - of_day > _DAY / 2 and not self._is_carried:
                self._midnight += _DAY
                self._is_carried = True
            else:
                flags = int(Quality.TIME_BACKWARD)
        self._last = of_day
        return self._midnight + of_day - 3600.0 * zone, flags

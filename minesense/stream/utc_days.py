"""The day of times of day: from sentences that tell dates, carried over midnight once."""

from __future__ import annotations

import datetime

_DAY = 86400.0


class UtcDays:
    """
    Give times of day their date.

    A date that a sentence tells holds from its own time of day on. A step back of more than
    half a day is midnight: the date is carried forward, once, until a date is told again.
    After that the date stays, and stamps that go back show it. A step forward of more than
    half a day is a time from before midnight that came late.

    Parameters
    ----------
    date : datetime.date, optional
        Of the first time of day, from elsewhere, where no sentence tells it.

    Examples
    --------
    >>> days = UtcDays(datetime.date(1970, 1, 2))
    >>> [days.stamp(second) for second in (86399.0, 1.0, 86399.5, 2.0)]
    [172799.0, 172801.0, 172799.5, 172802.0]
    """

    def __init__(self, date: datetime.date | None = None):
        self.n_backward = 0  #: steps back of half a day or more that are no midnight
        self._midnight = None if date is None else _midnight(date)
        self._last: float | None = None
        self._is_carried = False

    def note(self, date: datetime.date, time_of_day: float) -> None:
        """
        Take a date that was told.

        Parameters
        ----------
        date : datetime.date
            Of UTC.
        time_of_day : float
            At which it was told, s.
        """
        self._midnight, self._last = _midnight(date), time_of_day
        self._is_carried = False

    def stamp(self, time_of_day: float) -> float | None:
        """
        Return seconds since 1970.

        Parameters
        ----------
        time_of_day : float
            Of UTC, s.

        Returns
        -------
        stamp : float or None
            None before any date is known.
        """
        if self._midnight is None:
            return None
        step = 0.0 if self._last is None else time_of_day - self._last
        if step > _DAY / 2:
            return self._midnight - _DAY + time_of_day
        if step < -_DAY / 2:
            if self._is_carried:
                self.n_backward += 1
            else:
                self._midnight += _DAY
                self._is_carried = True
        self._last = time_of_day
        return self._midnight + time_of_day


def _midnight(date: datetime.date) -> float:
    """Return the seconds from 1970 to the beginning of a day."""
    return (date - datetime.date(1970, 1, 1)).days * _DAY

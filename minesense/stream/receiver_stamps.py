"""Clocks of satellite receivers, and what a stream of theirs must declare."""

from __future__ import annotations

from ..message import StreamDeclaration

#: s from 1 January 1970 to 6 January 1980, where GPS time begins; without leap seconds.
GPS_EPOCH = 315_964_800.0

WEEK = 604_800.0


def check_receiver(declaration: StreamDeclaration) -> None:
    """
    Raise unless a stream can be that of a satellite receiver.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of the stream.

    Raises
    ------
    ValueError
        If its coordinates are not geographic, its heights are over anything but geoid or
        ellipsoid, or its clock is neither UTC nor GPS time.
    """
    name = declaration.name
    if declaration.kind != "position" or declaration.coordinates != "geographic":
        msg = f"Invalid stream '{name}'. Must be of geographic positions for a receiver."
        raise ValueError(msg)
    if declaration.height_datum not in ("geoid", "ellipsoid"):
        msg = (
            f"Invalid height_datum '{declaration.height_datum}' of stream '{name}'. Must be "
            "'geoid' or 'ellipsoid': a receiver knows no other."
        )
        raise ValueError(msg)
    if declaration.clock not in ("utc", "gps"):
        msg = (
            f"Invalid clock '{declaration.clock}' of stream '{name}'. Must be 'utc' or 'gps' "
            "for a receiver."
        )
        raise ValueError(msg)


def utc_to_clock(utc: float, clock: str, leap_seconds: int | None) -> float:
    """
    Return UTC as seconds of a receiver's clock.

    Parameters
    ----------
    utc : float
        Seconds since 1970.
    clock : str
        "utc" or "gps".
    leap_seconds : int or None
        By which GPS time is ahead.

    Returns
    -------
    stamp : float
        Of the clock.

    Raises
    ------
    ValueError
        If it is GPS time and the leap seconds are not stated.

    Examples
    --------
    >>> utc_to_clock(315964800.0, "gps", 0)
    0.0
    """
    if clock == "utc":
        return utc
    if leap_seconds is None or not 0 <= leap_seconds <= 100:
        msg = (
            f"Invalid leap_seconds {leap_seconds} for clock 'gps' and a source of UTC. Must "
            "be stated: by how many seconds GPS time is ahead."
        )
        raise ValueError(msg)
    return utc - GPS_EPOCH + leap_seconds


def gps_from_week_time(time_of_week: float, utc: float) -> float:
    """
    Return GPS time from a time of the week and a UTC that is right within days.

    Parameters
    ----------
    time_of_week : float
        Of GPS time, s.
    utc : float
        Seconds since 1970 at about the same time.

    Returns
    -------
    stamp : float
        Seconds since 6 January 1980.

    Examples
    --------
    >>> gps_from_week_time(5.0, 315_964_800.0 + 604_800.0 - 13.0)  # 18 leap seconds
    604805.0
    """
    weeks = round((utc - GPS_EPOCH - time_of_week) / WEEK)
    return weeks * WEEK + time_of_week

"""Metres east and north of a stated origin, from latitude and longitude."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_number
from ..sweep import Frame

Floats = npt.NDArray[np.float64]

# World Geodetic System 1984, NGA.STND.0036, table 3.1
_RADIUS = 6378137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY = _FLATTENING * (2 - _FLATTENING)  # squared


def local_position(
    latitude: npt.ArrayLike, longitude: npt.ArrayLike, *, origin: tuple[float, float]
) -> tuple[Floats, Floats]:
    r"""
    Return easting and northing in the plane that touches the ellipsoid at an origin.

    Parameters
    ----------
    latitude, longitude : (n,) array_like
        Degrees, north and east positive, WGS 84; NaN where unknown.
    origin : (float, float)
        Latitude and longitude of the origin, in degrees.

    Returns
    -------
    easting, northing : (n,) float64 ndarray
        Metres.

    Raises
    ------
    TypeError, ValueError
        If the origin is not two finite numbers, a latitude within 90 degrees.

    Notes
    -----
    Points are taken on the ellipsoid, whatever their height, to cartesian coordinates
    :math:`r`, and :math:`r - r_0` is turned into east, north and up at the origin. A kilometre
    comes out 4 micrometres short of its length along the ellipsoid, since the plane cuts off
    its curve.

    Examples
    --------
    >>> east, north = local_position([45.0, 45.001], [7.0, 7.0], origin=(45.0, 7.0))
    >>> bool(east.max() == 0), north.round(2).tolist()
    (True, [0.0, 111.13])
    """
    latitude_0 = check_number(origin[0], "origin latitude")
    longitude_0 = check_number(origin[1], "origin longitude")
    if abs(latitude_0) > 90 or abs(longitude_0) > 360:
        msg = f"Invalid origin {origin!r}. Must be latitude and longitude in degrees."
        raise ValueError(msg)
    place = _cartesian(np.asarray(latitude, np.float64), np.asarray(longitude, np.float64))
    start = _cartesian(np.asarray(latitude_0), np.asarray(longitude_0))
    x, y, z = (a - b for a, b in zip(place, start, strict=True))
    sin_b, cos_b = math.sin(math.radians(latitude_0)), math.cos(math.radians(latitude_0))
    sin_l, cos_l = math.sin(math.radians(longitude_0)), math.cos(math.radians(longitude_0))
    easting = -sin_l * x + cos_l * y
    northing = -sin_b * (cos_l * x + sin_l * y) + cos_b * z
    return easting, northing


def _cartesian(latitude: Floats, longitude: Floats) -> tuple[Floats, Floats, Floats]:
    """Return cartesian coordinates of points on the ellipsoid, in metres."""
    b, l = np.radians(latitude), np.radians(longitude)  # noqa: E741 - as geodesy writes it
    normal = _RADIUS / np.sqrt(1 - _ECCENTRICITY * np.sin(b) ** 2)
    return (
        normal * np.cos(b) * np.cos(l),
        normal * np.cos(b) * np.sin(l),
        normal * (1 - _ECCENTRICITY) * np.sin(b),
    )


def local_frame(origin: tuple[float, float], height: str = "") -> Frame:
    """
    Return the frame of :func:`local_position`.

    Parameters
    ----------
    origin : (float, float)
        Latitude and longitude in degrees.
    height : str, optional
        What upward counts from, in words.

    Returns
    -------
    frame : Frame
        Local, with the origin in words.

    Examples
    --------
    >>> local_frame((45.0, 7.0)).origin
    'latitude 45.000000000, longitude 7.000000000 (WGS 84), east and north of it'
    """
    words = (
        f"latitude {origin[0]:.9f}, longitude {origin[1]:.9f} (WGS 84), east and north of it"
    )
    return Frame(crs="local", origin=f"{words}; upward: {height}" if height else words)


def heading_of_track(easting: Floats, northing: Floats) -> Floats:
    """
    Return the direction of travel, clockwise from north, in radians.

    Parameters
    ----------
    easting, northing : (n,) float64 ndarray
        Metres, NaN where unknown.

    Returns
    -------
    heading : (n,) float64 ndarray
        From the known place before to the known place after; the last one is held at a
        standstill. NaN where the place is unknown, zero if the track has no direction.

    Examples
    --------
    >>> heading_of_track(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0])).round(2).tolist()
    [1.57, 1.57, 1.57]
    """
    heading = np.full(len(easting), np.nan)
    known = np.flatnonzero(np.isfinite(easting) & np.isfinite(northing))
    if not len(known):
        return heading
    east, north = easting[known], northing[known]
    before = np.maximum(np.arange(len(known)) - 1, 0)
    after = np.minimum(np.arange(len(known)) + 1, len(known) - 1)
    d_east, d_north = east[after] - east[before], north[after] - north[before]
    moves = (d_east != 0) | (d_north != 0)
    if not moves.any():
        heading[known] = 0.0
        return heading
    # where it stands, the last direction; before the first move, the first one
    last = np.maximum.accumulate(np.where(moves, np.arange(len(known)), -1))
    last[last < 0] = int(np.argmax(moves))
    heading[known] = np.arctan2(d_east, d_north)[last]
    return heading

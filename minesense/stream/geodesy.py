"""From latitude and longitude to metres about the origin of a task."""

from __future__ import annotations

import math

from .._validation import check_number


class LocalFrame:
    """
    Easting, northing and upward on the plane that touches the ellipsoid at an origin.

    Parameters
    ----------
    origin : (float, float, float)
        Latitude and longitude in degrees (WGS 84), height in metres.

    Raises
    ------
    ImportError
        If pyproj is not installed (extra ``geo``).
    ValueError
        If the origin is not on the Earth.

    Notes
    -----
    A topocentric frame: PROJ's ``topocentric`` after ``cart``. Within a kilometre of the
    origin, upward differs from the height by less than 8 cm, the square of the distance over
    twice the Earth's radius; horizontal distances are true to less than a micrometre per metre.

    Examples
    --------
    >>> frame = LocalFrame((45.0, 7.0, 250.0))
    >>> east, north, up = frame.local(45.0, 7.001, 250.0)
    >>> round(east, 2), abs(north) < 0.01, abs(up) < 0.01
    (78.85, True, True)
    """

    def __init__(self, origin: tuple[float, float, float]):
        latitude, longitude, height = (check_number(value, "origin") for value in origin)
        if abs(latitude) > 90 or abs(longitude) > 360:
            msg = f"Invalid origin {origin}. Must be latitude and longitude in degrees, height."
            raise ValueError(msg)
        try:
            from pyproj import Transformer  # noqa: PLC0415  # optional
        except ImportError:
            msg = "Geographic positions need pyproj: pip install 'minesense[geo]'."
            raise ImportError(msg) from None
        self.origin = (latitude, longitude, height)
        self._transformer = Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
            "+step +proj=cart +ellps=WGS84 "
            f"+step +proj=topocentric +ellps=WGS84 +lat_0={latitude!r} +lon_0={longitude!r} "
            f"+h_0={height!r}"
        )

    def local(
        self, latitude: float, longitude: float, height: float
    ) -> tuple[float, float, float]:
        """
        Return a place in metres about the origin.

        Parameters
        ----------
        latitude, longitude : float
            Degrees, WGS 84.
        height : float
            Metres, of the origin's kind.

        Returns
        -------
        easting, northing, upward : float
            Metres; infinite if the place is not on the Earth.
        """
        if not abs(latitude) <= 90:
            return math.inf, math.inf, math.inf
        east, north, up = self._transformer.transform(longitude, latitude, height)
        return float(east), float(north), float(up)

"""Local metres and WGS 84: where a site lies, and what its coordinates are counted in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._validation import check_number, check_one_of, check_positive
from ...message import HEIGHT_DATUMS
from ...sweep import Floats, Frame
from ._systems import (
    WGS84,
    anchor_of,
    change_to_wgs84,
    check_inside,
    check_projected,
    topocentric,
)

_DATUMS = (*HEIGHT_DATUMS, "unstated")

#: Farthest that a place may lie from the origin of a local frame, m. Beyond it, coordinates of
#: another system were most likely taken for local ones.
FARTHEST = 20_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFrame:
    """
    The coordinate system of a site.

    Parameters
    ----------
    crs : str
        ``"local"`` for east, north and up in metres from `origin`, on the plane that touches
        the ellipsoid's normal there; else the code of a projected system in metres, such as
        ``"EPSG:32638"``, whose easting and northing the positions then are.
    origin : (longitude, latitude, height) or None
        Of a local frame, in degrees and metres, or easting, northing and height where
        `origin_crs` is projected.
    origin_crs : str
        In which the origin is given; ``"EPSG:4979"``, WGS 84, by default.
    height_datum : str
        Of :data:`minesense.message.HEIGHT_DATUMS`, or ``"unstated"``: what heights are counted
        from. Heights of different datums are never mixed.
    max_datum_error : float
        Largest error in metres that a change to the WGS 84 datum may have.
    name : str
        The origin in words, for example the number of a stake.
    is_fictitious : bool
        Whether the place was made up, as it is for synthetic fields without one.
    shift : (easting, northing)
        Of a projected system: where in it the easting and northing of the site are zero.

    Raises
    ------
    TypeError, ValueError
        If a system is unknown, has no metres, distorts them by more than 0.2 %, or its datum
        can be changed to WGS 84 only with a larger error, or the origin is missing or out of
        range.
    ImportError
        If pyproj is not installed (extra ``geo``).

    Notes
    -----
    A local frame is the topocentric system of EPSG method 9837 [1]_: geodetic coordinates to
    geocentric ones, then a rotation into east, north and up at the origin. A change of datum
    is made once, at the origin, by the most accurate operation that needs no grid from a
    network. Plain shifts without known accuracy are never used.

    References
    ----------
    .. [1] IOGP (2019). Geomatics Guidance Note 7, part 2: Coordinate Conversions and
       Transformations including Formulas. Section 4.1.2, method 9837.

    Examples
    --------
    >>> from minesense.io.gis import MapFrame
    >>> site = MapFrame(origin=(46.0, 40.0, 300.0), name="stake 7")
    >>> longitude, latitude, height = site.to_wgs84(100.0, 50.0)
    >>> longitude.round(6).item(), latitude.round(6).item()
    (46.001171, 40.00045)
    >>> site.to_local(longitude, latitude)[0].round(4).item()
    100.0
    """

    crs: str = "local"
    origin: tuple[float, float, float] | None = None
    origin_crs: str = WGS84
    height_datum: str = "ellipsoid"
    max_datum_error: float = 1.0
    name: str = "unstated"
    is_fictitious: bool = False
    shift: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        check_one_of(self.height_datum, "height_datum", _DATUMS)
        check_positive(self.max_datum_error, "max_datum_error")
        if self.crs == "local":
            if self.origin is None:
                msg = (
                    "Invalid origin None of a local frame. Must be longitude, latitude and "
                    "height: without it no place on Earth can be told."
                )
                raise ValueError(msg)
            origin = tuple(self.origin)
            if len(origin) != 3:
                msg = f"Invalid origin of {len(origin)} numbers. Must be three."
                raise ValueError(msg)
            object.__setattr__(self, "origin", tuple(check_number(v, "origin") for v in origin))
            self.anchor()
        else:
            if self.origin is not None:
                msg = (
                    f"Invalid origin of a frame in '{self.crs}'. Must be None: positions are "
                    "that system's own easting and northing."
                )
                raise ValueError(msg)
            check_projected(self.crs, self.max_datum_error)
        shift = tuple(check_number(value, "shift") for value in self.shift)
        if len(shift) != 2 or (self.crs == "local" and shift != (0.0, 0.0)):
            msg = f"Invalid shift {shift}. Must be two numbers, and zero in a local frame."
            raise ValueError(msg)
        object.__setattr__(self, "shift", shift)

    @classmethod
    def fictitious(cls) -> MapFrame:
        """
        Return a frame at longitude 0 and latitude 0, in the sea, for synthetic fields.

        Returns
        -------
        frame : MapFrame
            Marked as fictitious.

        Examples
        --------
        >>> from minesense.io.gis import MapFrame
        >>> MapFrame.fictitious().is_fictitious
        True
        """
        name = "fictitious: longitude 0, latitude 0"
        return cls(origin=(0.0, 0.0, 0.0), name=name, is_fictitious=True)

    def anchor(self) -> tuple[float, float, float]:
        """Return longitude, latitude (degrees) and ellipsoidal height (m) of a local origin."""
        assert self.origin is not None
        return anchor_of(self.origin, self.origin_crs, self.max_datum_error)

    @property
    def datum_error(self) -> float:
        """Accuracy in metres that is stated for the change to the WGS 84 datum."""
        if self.crs == "local":
            return change_to_wgs84(self.origin_crs, self.max_datum_error)[1]
        return change_to_wgs84(self.crs, self.max_datum_error)[1]

    def to_wgs84(
        self, easting: npt.ArrayLike, northing: npt.ArrayLike, up: npt.ArrayLike = 0.0
    ) -> tuple[Floats, Floats, Floats]:
        """
        Return longitude and latitude in degrees and height in metres.

        Parameters
        ----------
        easting, northing, up : array_like
            In metres in this frame; NaN where unknown.

        Returns
        -------
        longitude, latitude, height : ndarray
            NaN where easting or northing is. Of a projected frame, the height is `up`.

        Raises
        ------
        ValueError
            If a place is beyond FARTHEST from a local origin or outside the area that the
            system is made for. The message tells no position.
        """
        shape, (east, north, height) = _flat(easting, northing, up)
        known = np.isfinite(east) & np.isfinite(north)
        if not known.any():
            return _filled(shape, known, (math.nan,) * 3)
        if self.crs == "local":
            _check_near(east[known], north[known])
            transform = topocentric(self.anchor())
            found = transform.transform(
                east[known], north[known], height[known], direction="INVERSE"
            )
        else:
            change, _ = change_to_wgs84(self.crs, self.max_datum_error)
            east, north = east + self.shift[0], north + self.shift[1]
            found = (*change.transform(east[known], north[known]), height[known])
            check_inside(self.crs, found[0], found[1])
        return _filled(shape, known, found)

    def to_local(
        self,
        longitude: npt.ArrayLike,
        latitude: npt.ArrayLike,
        height: npt.ArrayLike | None = None,
    ) -> tuple[Floats, Floats, Floats]:
        """
        Return easting, northing and up in metres.

        Parameters
        ----------
        longitude, latitude : array_like
            WGS 84, degrees; NaN where unknown.
        height : array_like, optional
            Above the ellipsoid, m. Without it, the place whose `up` is zero is returned.

        Returns
        -------
        easting, northing, up : ndarray
            In metres in this frame.

        Raises
        ------
        ValueError
            If a longitude or latitude is out of range, or a place too far away, as in
            `to_wgs84`.
        """
        shape, (lon, lat, high) = _flat(longitude, latitude, 0.0 if height is None else height)
        known = np.isfinite(lon) & np.isfinite(lat)
        if not known.any():
            return _filled(shape, known, (math.nan,) * 3)
        if (np.abs(lon[known]) > 180).any() or (np.abs(lat[known]) > 90).any():
            msg = "Invalid longitude or latitude. Must be within 180 and 90 degrees."
            raise ValueError(msg)
        if self.crs != "local":
            check_inside(self.crs, lon[known], lat[known])
            change, _ = change_to_wgs84(self.crs, self.max_datum_error)
            x, y = change.transform(lon[known], lat[known], direction="INVERSE")
            found = (x - self.shift[0], y - self.shift[1], high[known])
        else:
            anchor = self.anchor()
            transform = topocentric(anchor)
            level = high[known] if height is not None else np.full(lon[known].shape, anchor[2])
            found = transform.transform(lon[known], lat[known], level)
            if height is None:
                # Down or up the normal until the plane is met; each step gains six digits.
                for _ in range(3):
                    level = level - found[2]
                    found = transform.transform(lon[known], lat[known], level)
            _check_near(found[0], found[1])
        return _filled(shape, known, found)

    def describe(self) -> dict[str, Any]:
        """Return the frame as plain words and numbers, without the place of its origin."""
        return {
            "crs": self.crs,
            "origin_crs": self.origin_crs if self.crs == "local" else "",
            "origin_name": self.name,
            "height_datum": self.height_datum,
            "datum_error_m": self.datum_error,
            "is_fictitious": self.is_fictitious,
        }


def check_frames(frames: Iterable[tuple[str, Frame]], expected: Frame) -> None:
    """
    Check that positions of recordings are counted in the frame of their site.

    Parameters
    ----------
    frames : iterable of (str, Frame)
        Name of a recording or lane, and the frame of its positions.
    expected : Frame
        Of the site.

    Raises
    ------
    ValueError
        If one is in another system, or counted from another origin: mixed datums shift
        everything by up to hundreds of metres.

    Examples
    --------
    >>> from minesense.io.gis import check_frames
    >>> from minesense.sweep import Frame
    >>> check_frames([("lane 1", Frame(origin="stake 7"))], Frame(origin="stake 7"))
    """
    for name, frame in frames:
        if frame.crs != expected.crs:
            msg = (
                f"Invalid crs '{frame.crs}' of '{name}'. Must be '{expected.crs}', that of the "
                "site: datums are never mixed, transform the positions first."
            )
            raise ValueError(msg)
        if frame.origin != expected.origin:
            msg = (
                f"Invalid origin '{frame.origin}' of '{name}'. Must be '{expected.origin}', as "
                "the site describes its own: frames with different origins are never mixed."
            )
            raise ValueError(msg)


def check_heights(datums: Iterable[tuple[str, str]]) -> str:
    """
    Return the one datum that all heights are counted from.

    Parameters
    ----------
    datums : iterable of (str, str)
        Name of a stream or recording, and what its heights are counted from.

    Returns
    -------
    datum : str
        ``"unstated"`` if there are none.

    Raises
    ------
    ValueError
        If one is unknown, or they differ.

    Examples
    --------
    >>> from minesense.io.gis import check_heights
    >>> check_heights([("lane 1", "ground"), ("lane 2", "ground")])
    'ground'
    """
    first: tuple[str, str] | None = None
    for name, datum in datums:
        check_one_of(datum, f"height datum of '{name}'", _DATUMS)
        if first is not None and datum != first[1]:
            msg = (
                f"Invalid height datum '{datum}' of '{name}'. Must be '{first[1]}', as that of "
                f"'{first[0]}': heights of different datums are never mixed."
            )
            raise ValueError(msg)
        first = first or (name, datum)
    return first[1] if first else "unstated"


def _flat(*values: npt.ArrayLike) -> tuple[tuple[int, ...], list[Floats]]:
    """Return the common shape of values, and each as a flat float64 array."""
    arrays = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in values))
    return arrays[0].shape, [array.ravel() for array in arrays]


def _filled(
    shape: tuple[int, ...], known: npt.NDArray[np.bool_], found: Iterable[Any]
) -> tuple[Floats, Floats, Floats]:
    """Return three arrays that hold what was found where something is known, else NaN."""
    out = np.full((3, known.size), np.nan)
    for row, values in zip(out, found, strict=True):
        row[known] = values
    first, second, third = out.reshape(3, *shape)
    return first, second, third


def _check_near(east: Floats, north: Floats) -> None:
    """Raise if a place is farther from the origin than local coordinates go."""
    far = float(np.hypot(east, north).max())
    if not far <= FARTHEST:
        msg = (
            f"Invalid positions: one is {far / 1000:.0f} km from the origin. Must lie within "
            f"{FARTHEST / 1000:.0f} km: are they in the coordinate system of the site?"
        )
        raise ValueError(msg)

"""Shapes of a site as longitude and latitude: turned, cut at the antimeridian, rounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...sweep import Floats
from ._extra import import_geo
from .map_frame import MapFrame

#: Digits behind the point of degrees that are written: a hundredth of a millimetre.
DIGITS = 10

# A straight side in metres is not quite straight in degrees: sides of 25 m stray by less than
# 0.02 mm below 80 degrees of latitude.
_LONGEST_SIDE = 25.0


def to_geographic(shape: Any, frame: MapFrame) -> Any:
    """
    Return a shape in WGS 84 longitude and latitude, as RFC 7946 wants it.

    Parameters
    ----------
    shape : shapely geometry or None
        In metres of the site.
    frame : MapFrame
        Of the site.

    Returns
    -------
    shape : shapely geometry or None
        In degrees. Exterior rings run counterclockwise and holes clockwise; what crosses the
        antimeridian is cut there into several parts; long sides got corners in between, so
        that none strays by a millimetre.

    Raises
    ------
    ValueError
        If a place is too far from the site.

    Examples
    --------
    >>> from shapely import Point
    >>> from minesense.io.gis import MapFrame
    >>> from minesense.io.gis.shapes import to_geographic
    >>> to_geographic(Point(0, 0), MapFrame(origin=(46.0, 40.0, 0.0))).wkt
    'POINT (46 40)'
    """
    if shape is None or shape.is_empty:
        return None
    shapely = import_geo("shapely")
    if shape.geom_type.removeprefix("Multi") != "Point":
        shape = shapely.segmentize(shape, _LONGEST_SIDE)
    reference: list[float] = []

    def move(points: Floats) -> Floats:
        longitude, latitude, _ = frame.to_wgs84(points[:, 0], points[:, 1])
        if not reference:
            reference.append(float(longitude[0]))
        # Around the antimeridian, longitudes go on beyond 180 until the shape is cut.
        longitude = reference[0] + (longitude - reference[0] + 180) % 360 - 180
        return np.column_stack([longitude, latitude])

    moved = _mapped(shape, move)
    west, _, east, _ = moved.bounds
    if west < -180 or east > 180:
        moved = _cut(moved, shapely)
    moved = shapely.transform(moved, lambda points: np.round(points, DIGITS))
    if moved.geom_type.removeprefix("Multi") == "Polygon":
        # corners that rounding made one
        moved = shapely.remove_repeated_points(moved)
        moved = moved if moved.is_valid else oriented(moved.buffer(0))
    return moved


def _mapped(shape: Any, move: Callable[[Floats], Floats]) -> Any:
    """Return a shape whose corners were moved, with rings in their proper direction."""
    shapely = import_geo("shapely")
    kind = shape.geom_type
    if kind.startswith("Multi"):
        parts = [_mapped(part, move) for part in shape.geoms]
        return getattr(shapely, kind)(parts)
    if kind == "Polygon":
        moved = shapely.Polygon(
            move(np.asarray(shape.exterior.coords)[:, :2]),
            [move(np.asarray(hole.coords)[:, :2]) for hole in shape.interiors],
        )
        return oriented(moved)
    return getattr(shapely, kind)(move(np.asarray(shape.coords)[:, :2]))


def oriented(shape: Any) -> Any:
    """
    Return a polygon, or several, whose exterior rings run counterclockwise.

    Parameters
    ----------
    shape : shapely geometry
        Others than polygons are returned as they are.

    Returns
    -------
    shape : shapely geometry
        Holes run clockwise.

    Examples
    --------
    >>> from shapely import Polygon
    >>> from minesense.io.gis.shapes import oriented
    >>> oriented(Polygon([(0, 0), (0, 1), (1, 0)])).exterior.is_ccw
    True
    """
    polygon = import_geo("shapely.geometry.polygon")
    shapely = import_geo("shapely")
    if shape.geom_type == "Polygon":
        return polygon.orient(shape, 1.0)
    if shape.geom_type == "MultiPolygon":
        return shapely.MultiPolygon([polygon.orient(part, 1.0) for part in shape.geoms])
    return shape


def _cut(shape: Any, shapely: Any) -> Any:
    """Return a shape cut at the antimeridian, every part within 180 degrees."""
    parts = []
    for turns in (-1, 0, 1):
        window = shapely.box(-180 + 360 * turns, -90, 180 + 360 * turns, 90)
        piece = shapely.intersection(shape, window)
        for part in getattr(piece, "geoms", [piece]):
            # a side or corner along the cut is no part of a polygon
            if not part.is_empty and part.geom_type == shape.geom_type.removeprefix("Multi"):
                back = -360.0 * turns
                parts.append(shapely.transform(part, lambda p, b=back: p + np.array([b, 0.0])))
    if len(parts) == 1:
        return oriented(parts[0])
    kind = f"Multi{shape.geom_type.removeprefix('Multi')}"
    return oriented(getattr(shapely, kind)(parts))

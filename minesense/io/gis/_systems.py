"""Coordinate systems as PROJ knows them: looked up once, refused where they would mislead."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ...sweep import Floats
from ._extra import import_geo

WGS84 = "EPSG:4979"  # longitude, latitude and height above the ellipsoid

# Of a projection: distances and areas are measured in its metres.
_LARGEST_SCALE_ERROR = 2e-3


def check_inside(crs: str, longitude: Floats, latitude: Floats) -> None:
    """Raise if a place is outside the area for which a system is made."""
    area = system_of(crs).area_of_use
    if area is None:
        return
    east = area.east + (360 if area.east < area.west else 0)
    middle = (area.west + east) / 2
    inside = (
        (np.abs((longitude - middle + 180) % 360 - 180) <= (east - area.west) / 2 + 1)
        & (latitude >= area.south - 1)
        & (latitude <= area.north + 1)
    )
    if not inside.all():
        n = int(np.count_nonzero(~inside))
        msg = (
            f"Invalid positions: {n} of {inside.size} lie outside the area of use of "
            f"'{crs}'. Must be coordinates of that system."
        )
        raise ValueError(msg)


@functools.lru_cache(maxsize=64)
def system_of(crs: str) -> Any:
    """Return a coordinate system that PROJ knows."""
    pyproj = import_geo("pyproj")
    try:
        return pyproj.CRS.from_user_input(crs)
    except (pyproj.exceptions.CRSError, TypeError):
        msg = f"Invalid crs {crs!r}. Must be 'local' or a system that PROJ knows: 'EPSG:32638'."
        raise ValueError(msg) from None


@functools.lru_cache(maxsize=64)
def change_to_wgs84(crs: str, max_error: float) -> tuple[Any, float]:
    """Return the most accurate change to WGS 84, and its stated accuracy in metres."""
    transformer = import_geo("pyproj.transformer")
    system = system_of(crs)
    target = WGS84 if len(system.axis_info) == 3 else "EPSG:4326"
    group = transformer.TransformerGroup(system, target, always_xy=True, allow_ballpark=False)
    stated = [t for t in group.transformers if t.accuracy is not None and t.accuracy >= 0]
    if not stated:
        msg = f"Invalid crs '{crs}': no change to WGS 84 of known accuracy. Must have one."
        raise ValueError(msg)
    best = min(stated, key=lambda t: t.accuracy)
    if best.accuracy > max_error:
        msg = (
            f"Invalid crs '{crs}': the change of its datum to WGS 84 is accurate to "
            f"{best.accuracy:g} m. Must be at most max_datum_error = {max_error:g} m: allow "
            "more explicitly, or give coordinates in WGS 84."
        )
        raise ValueError(msg)
    return best, float(best.accuracy)


@functools.lru_cache(maxsize=64)
def check_projected(crs: str, max_error: float) -> None:
    """Raise unless a system has metres that are true to 0.2 %."""
    system = system_of(crs)
    units = {axis.unit_name for axis in system.axis_info}
    if not system.is_projected or units != {"metre"} or len(system.axis_info) != 2:
        msg = (
            f"Invalid crs '{crs}' ({system.name}). Must be 'local' or a projected system with "
            "easting and northing in metres; heights are stated apart, as height_datum."
        )
        raise ValueError(msg)
    change_to_wgs84(crs, max_error)
    area = system.area_of_use
    if area is not None:
        pyproj = import_geo("pyproj")
        east = area.east + (360 if area.east < area.west else 0)
        factors = pyproj.Proj(system).get_factors(
            ((area.west + east) / 2 + 180) % 360 - 180, (area.south + area.north) / 2 + 1e-3
        )
        pseudo = "pseudo" in system.name.lower()
        if pseudo or abs(factors.meridional_scale - 1) > _LARGEST_SCALE_ERROR:
            msg = (
                f"Invalid crs '{crs}' ({system.name}): its metres are not metres on the "
                "ground. Must be a system whose scale is true to 0.2 %."
            )
            raise ValueError(msg)


@functools.lru_cache(maxsize=64)
def anchor_of(
    origin: tuple[float, float, float], crs: str, max_error: float
) -> tuple[float, float, float]:
    """Return a local origin in WGS 84."""
    system = system_of(crs)
    change, _ = change_to_wgs84(crs, max_error)
    if system.is_geographic and (abs(origin[0]) > 180 or abs(origin[1]) > 89):
        msg = (
            "Invalid origin. Must be longitude within 180 and latitude within 89 degrees, in "
            "this order."
        )
        raise ValueError(msg)
    given = origin if len(system.axis_info) == 3 else origin[:2]
    found = change.transform(*given)
    longitude, latitude = float(found[0]), float(found[1])
    if not (math.isfinite(longitude) and math.isfinite(latitude)):
        msg = f"Invalid origin. Must be a place in '{crs}'."
        raise ValueError(msg)
    if not system.is_geographic:
        check_inside(crs, np.array([longitude]), np.array([latitude]))
    height = float(found[2]) if len(found) == 3 else origin[2]
    return longitude, latitude, height


@functools.lru_cache(maxsize=64)
def topocentric(anchor: tuple[float, float, float]) -> Any:
    """Return the change of WGS 84 to east, north and up at a place."""
    pyproj = import_geo("pyproj")
    longitude, latitude, height = anchor
    return pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        "+step +proj=cart +ellps=WGS84 "
        f"+step +proj=topocentric +ellps=WGS84 +lon_0={longitude!r} +lat_0={latitude!r} "
        f"+h_0={height!r}"
    )

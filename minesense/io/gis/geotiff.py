"""Write surfaces as GeoTIFF, north up, in a projection whose metres are those of the site."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...sweep import Floats
from ._extra import import_geo
from .layers import Surface
from .map_frame import MapFrame
from .provenance import Release

#: Written where there is no figure.
NODATA = -9999.0

# Largest error in metres that putting a grid of the site onto a map projection may make.
_LARGEST_ERROR = 0.01
_SEMI_MAJOR, _ECCENTRICITY_SQUARED = 6_378_137.0, 0.0066943799901413165  # of WGS 84


def write_geotiff(
    path: str | os.PathLike[str],
    surfaces: Sequence[Surface],
    *,
    frame: MapFrame,
    release: Release,
) -> Path:
    """
    Write surfaces of one grid as the bands of a GeoTIFF.

    Parameters
    ----------
    path : path-like
        File to write; an existing one is replaced.
    surfaces : sequence of Surface
        One band each, all on the same grid.
    frame : MapFrame
        Of the site.
    release : Release
        For whom and for what; every band is marked.

    Returns
    -------
    path : Path
        The file, the same bytes for the same surfaces.

    Raises
    ------
    ValueError
        If there is no surface, grids differ, positions must not be shown, an operational
        export holds synthetic data, or the grid is so large that its corners would be off by
        more than 1 cm.
    ImportError
        If rasterio or pyproj are not installed (extra ``geo``).
    OSError
        If the file cannot be written.

    Notes
    -----
    A local frame becomes a transverse Mercator projection about the site's origin, with the
    scale :math:`1 + h / R` at ellipsoidal height :math:`h`, so that its metres are those of
    the ground; :math:`R` is the mean radius of curvature there. The error is checked at the
    corners.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from minesense.io.gis import Release, MapFrame, Surface, write_geotiff
    >>> surface = Surface(name="expected_items", values=np.ones((2, 3)), origin=(0, 0), cell=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_geotiff(
    ...         f"{folder}/a.tif", [surface], frame=MapFrame.fictitious(), release=Release()
    ...     )
    ...     path.stat().st_size > 100
    True
    """
    if not surfaces:
        msg = "Invalid surfaces: there are none. Must hold at least one."
        raise ValueError(msg)
    first = surfaces[0]
    for other in surfaces:
        same = (other.values.shape, other.origin, other.cell) == (
            first.values.shape,
            first.origin,
            first.cell,
        )
        if not same:
            msg = f"Invalid surface '{other.name}'. Must lie on the grid of '{first.name}'."
            raise ValueError(msg)
    if not release.shows_positions:
        msg = "Invalid release without positions. Must show them: a surface is nothing else."
        raise ValueError(msg)
    is_synthetic = any(surface.is_synthetic for surface in surfaces)
    if is_synthetic and release.purpose == "operational":
        msg = "Invalid purpose 'operational' for SYNTHETIC surfaces. Must be 'record'."
        raise ValueError(msg)
    rasterio, coordinates = import_geo("rasterio"), import_geo("rasterio.crs")
    system = _system(frame)
    _check_fit(first, frame, system)
    n_rows, n_columns = first.values.shape
    west, south = (a + b for a, b in zip(first.origin, frame.shift, strict=True))
    top = south + n_rows * first.cell
    transform = rasterio.Affine(first.cell, 0.0, west, 0.0, -first.cell, top)
    kind = "SYNTHETIC" if is_synthetic else "recorded"
    target = Path(path)
    beside = target.with_name(f"{target.stem}.part.tif")
    options = {
        "driver": "GTiff",
        "width": n_columns,
        "height": n_rows,
        "count": len(surfaces),
        "dtype": "float32",
        "crs": coordinates.CRS.from_wkt(system.to_wkt("WKT1_GDAL")),
        "transform": transform,
        "nodata": NODATA,
        "compress": "deflate",
        "predictor": 3,  # for floating point
    }
    try:
        with rasterio.open(beside, "w", **options) as file:
            file.update_tags(
                DATA_KIND=kind, CONFIDENTIALITY=release.level, ORIGIN_NAME=frame.name
            )
            for k, surface in enumerate(surfaces, start=1):
                file.write(_northern_row_first(surface.values), k)
                file.set_band_description(k, surface.name)
                legend = {f"CODE_{code}": word for code, word in surface.legend.items()}
                file.update_tags(k, DATA_KIND=kind, DESCRIPTION=surface.description, **legend)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def _northern_row_first(values: Floats) -> Any:
    """Return figures as an image has them, north up."""
    return np.where(np.isfinite(values), values, NODATA)[::-1].astype(np.float32)


def _system(frame: MapFrame) -> Any:
    """Return the projection in which the site's metres are written."""
    pyproj = import_geo("pyproj")
    if frame.crs != "local":
        return pyproj.CRS.from_user_input(frame.crs)
    longitude, latitude, height = frame.anchor()
    sine = math.sin(math.radians(latitude))
    # mean radius of curvature, sqrt(M N)
    radius = _SEMI_MAJOR * math.sqrt(1 - _ECCENTRICITY_SQUARED)
    radius /= 1 - _ECCENTRICITY_SQUARED * sine**2
    scale = 1 + height / radius
    return pyproj.CRS.from_proj4(
        f"+proj=tmerc +lat_0={latitude!r} +lon_0={longitude!r} +k={scale!r} +x_0=0 +y_0=0 "
        "+datum=WGS84 +units=m +no_defs"
    )


def _check_fit(surface: Surface, frame: MapFrame, system: Any) -> None:
    """Raise if corners of the grid would come to lie elsewhere on the map."""
    if frame.crs != "local":
        return
    pyproj = import_geo("pyproj")
    n_rows, n_columns = surface.values.shape
    (west, south), cell = surface.origin, surface.cell
    east = np.array([west, west + n_columns * cell, west, west + n_columns * cell])
    north = np.array([south, south, south + n_rows * cell, south + n_rows * cell])
    longitude, latitude, _ = frame.to_wgs84(east, north)
    change = pyproj.Transformer.from_crs("EPSG:4326", system, always_xy=True)
    x, y = change.transform(longitude, latitude)
    error = float(np.hypot(x - east, y - north).max())
    if error > _LARGEST_ERROR:
        msg = (
            f"Invalid surface '{surface.name}': a corner would be {error:.3f} m off on the "
            f"map. Must be at most {_LARGEST_ERROR} m: cut it, or use a projected system."
        )
        raise ValueError(msg)

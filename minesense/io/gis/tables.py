"""Write the layers of a map as GeoJSON after RFC 7946, and as CSV."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..._version import __version__
from ...alarm import SAFETY_TEXT
from ._extra import import_geo
from .geopackage import check_admitted
from .layers import Layer
from .map_frame import MapFrame
from .shapes import DIGITS, to_geographic


def write_layer_geojson(
    path: str | os.PathLike[str],
    layer: Layer,
    *,
    frame: MapFrame,
    properties: Mapping[str, Any] | None = None,
) -> Path:
    """
    Write a layer as GeoJSON after RFC 7946.

    Parameters
    ----------
    path : path-like
        File to write; an existing one is replaced.
    layer : Layer
        As :func:`~minesense.io.gis.admit` returned it.
    frame : MapFrame
        Of the site.
    properties : mapping, optional
        What else is said about the collection; must be JSON without NaN.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    ValueError
        If the layer was not admitted, or `properties` are not JSON.
    ImportError
        If pyproj or shapely are not installed (extra ``geo``).
    OSError
        If the file cannot be written.

    Notes
    -----
    Longitude before latitude in WGS 84, exterior rings counterclockwise, shapes cut at the
    antimeridian, and no member ``crs`` (sections 3.1.1, 3.1.6, 3.1.9 and 4 of [1]_).

    References
    ----------
    .. [1] Butler, H. et al. (2016). The GeoJSON Format. RFC 7946.
       https://doi.org/10.17487/RFC7946

    Examples
    --------
    >>> import json, tempfile
    >>> from minesense.io.gis import Layer, Release, MapFrame, admit, write_layer_geojson
    >>> layer = Layer(name="alarms", geometry="Point", columns=(), features=())
    >>> (layer,) = admit([layer], Release(), is_synthetic=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_layer_geojson(
    ...         f"{folder}/alarms.geojson", layer, frame=MapFrame.fictitious()
    ...     )
    ...     document = json.loads(path.read_text())
    >>> document["data_kind"], "crs" in document
    ('SYNTHETIC', False)
    """
    check_admitted(layer)
    shapely = import_geo("shapely")
    features = []
    for item in layer.features:
        shape = to_geographic(item.geometry, frame) if layer.geometry else None
        values = {column.name: layer.value(item, column.name) for column in layer.columns}
        geometry = None if shape is None else shapely.geometry.mapping(shape)
        features.append(
            {
                "type": "Feature",
                "id": item.identifier,
                "geometry": geometry,
                "properties": {"feature_id": item.identifier, **values},
            }
        )
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "name": layer.name,
        "description": layer.description,
        "generator": f"minesense {__version__}",
        "safety": SAFETY_TEXT,
        "data_kind": "SYNTHETIC" if layer.is_synthetic else "recorded",
        "features": features,
    }
    if properties is not None:
        collection["properties"] = dict(properties)
    text = json.dumps(collection, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return write_text(Path(path), text + "\n")


def write_layer_csv(path: str | os.PathLike[str], layer: Layer, *, frame: MapFrame) -> Path:
    """
    Write a layer as comma-separated text with units in the names of columns.

    Parameters
    ----------
    path : path-like
        File to write; an existing one is replaced.
    layer : Layer
        As :func:`~minesense.io.gis.admit` returned it.
    frame : MapFrame
        Of the site.

    Returns
    -------
    path : Path
        The file: a line for each feature. Points have `longitude_deg` and `latitude_deg`;
        of other shapes these are of a point inside the shape.

    Raises
    ------
    ValueError
        If the layer was not admitted.
    ImportError
        If pyproj or shapely are not installed (extra ``geo``).
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.gis import Layer, Release, MapFrame, admit, write_layer_csv
    >>> layer = Layer(name="alarms", geometry="Point", columns=(), features=())
    >>> (layer,) = admit([layer], Release(), is_synthetic=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_layer_csv(f"{folder}/a.csv", layer, frame=MapFrame.fictitious())
    ...     path.read_text().split(",")[:3]
    ['feature_id', 'longitude_deg', 'latitude_deg']
    """
    check_admitted(layer)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    places = ("longitude_deg", "latitude_deg") if layer.geometry else ()
    names = [c.name for c in layer.columns if c.name not in places]
    writer.writerow(["feature_id", *places, *names])
    for item in layer.features:
        cells: list[Any] = [item.identifier]
        if places:
            point = None
            if item.geometry is not None and not item.geometry.is_empty:
                point = to_geographic(item.geometry.representative_point(), frame)
            cells += ["", ""] if point is None else [_degrees(point.x), _degrees(point.y)]
        for name in names:
            cells.append(as_cell(layer.value(item, name)))
        writer.writerow(cells)
    return write_text(Path(path), text.getvalue())


def _degrees(value: float) -> str:
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".")


def as_cell(value: Any) -> str:
    """
    Return a value as a cell.

    Parameters
    ----------
    value : object
        Text, number, truth or None.

    Returns
    -------
    text : str
        Nothing for None, the shortest form of a number, and text that no sheet takes for a
        formula.

    Examples
    --------
    >>> from minesense.io.gis.tables import as_cell
    >>> as_cell(0.1), as_cell(None), as_cell("=1+1")
    ('0.1', '', "'=1+1")
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # a sheet would run what begins like a formula
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return repr(value)


def write_text(path: Path, text: str) -> Path:
    """
    Write a file beside its place, then put it there.

    Parameters
    ----------
    path : Path
        File to write.
    text : str
        Its content.

    Returns
    -------
    path : Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.gis.tables import write_text
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "a.txt", "text").read_text()
    'text'
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path

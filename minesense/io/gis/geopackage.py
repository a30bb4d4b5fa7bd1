"""Write the layers of a map into one GeoPackage, the same bytes for the same map."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ._extra import import_geo
from .layers import Layer
from .map_frame import MapFrame
from .shapes import to_geographic

#: Written as the date of last change where no other time is given: output never depends on
#: the clock.
UNDATED = "1970-01-01T00:00:00.000Z"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_TYPES: Mapping[str, Any] = {
    "text": object,
    "number": np.float64,
    "count": np.int64,
    "truth": np.bool_,
}


def write_geopackage(
    path: str | os.PathLike[str],
    layers: Sequence[Layer],
    *,
    frame: MapFrame,
    changed: str = UNDATED,
) -> Path:
    """
    Write layers into a GeoPackage in WGS 84 (EPSG:4326).

    Parameters
    ----------
    path : path-like
        File to write; an existing one is replaced.
    layers : sequence of Layer
        With shapes in metres of the site, as :func:`~minesense.io.gis.admit` returned them.
    frame : MapFrame
        Of the site.
    changed : str
        Time of last change, ``"YYYY-MM-DDThh:mm:ss.sssZ"``.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    ValueError
        If a layer has no proper name, two have the same, one was not admitted, or the time is
        not of this form.
    ImportError
        If pyogrio, pyproj or shapely are not installed (extra ``geo``).
    OSError
        If the file cannot be written.

    Notes
    -----
    Polygons are written as multipolygons, since some are cut at the antimeridian. Text stays
    empty (null) where there is none. Every layer has the column `feature_id`.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.gis import Layer, Release, MapFrame, admit, write_geopackage
    >>> layer = Layer(name="alarms", geometry="Point", columns=(), features=())
    >>> admitted = admit([layer], Release(), is_synthetic=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_geopackage(
    ...         f"{folder}/map.gpkg", admitted, frame=MapFrame.fictitious()
    ...     )
    ...     path.read_bytes()[:15]
    b'SQLite format 3'
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", changed):
        msg = f"Invalid changed '{changed}'. Must be of the form '{UNDATED}'."
        raise ValueError(msg)
    names = [layer.name for layer in layers]
    for layer in layers:
        if not _NAME.fullmatch(layer.name) or names.count(layer.name) > 1:
            msg = (
                f"Invalid layer name '{layer.name}'. Must be small letters, digits and "
                "underscores, each layer another."
            )
            raise ValueError(msg)
        check_admitted(layer)
    target = Path(path)
    beside = target.with_name(f"{target.stem}.part{target.suffix or '.gpkg'}")
    beside.unlink(missing_ok=True)
    try:
        with _dated(changed):
            for k, layer in enumerate(layers):
                _write_layer(beside, layer, frame, is_first=k == 0)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def check_admitted(layer: Layer) -> None:
    """
    Raise unless a layer says of every feature what it is and who may have it.

    Parameters
    ----------
    layer : Layer
        About to leave.

    Raises
    ------
    ValueError
        If it did not pass :func:`~minesense.io.gis.admit`.

    Examples
    --------
    >>> from minesense.io.gis import Layer, Release, admit
    >>> from minesense.io.gis.geopackage import check_admitted
    >>> layer = Layer(name="x", geometry="", columns=(), features=())
    >>> check_admitted(admit([layer], Release(), is_synthetic=False)[0])
    """
    if "data_kind" not in {column.name for column in layer.columns}:
        msg = f"Invalid layer '{layer.name}'. Must have passed admit(): it carries no marks."
        raise ValueError(msg)


@contextmanager
def _dated(changed: str) -> Iterator[None]:
    """Let GDAL write a given date instead of that of the clock."""
    pyogrio = import_geo("pyogrio")
    wanted = {"OGR_CURRENT_DATE": changed}
    before = {name: pyogrio.get_gdal_config_option(name) for name in wanted}
    pyogrio.set_gdal_config_options(wanted)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _write_layer(path: Path, layer: Layer, frame: MapFrame, *, is_first: bool) -> None:
    """Write or add one layer."""
    raw = import_geo("pyogrio.raw")
    shapely = import_geo("shapely")
    data: list[Any] = [np.array([item.identifier for item in layer.features], dtype=object)]
    masks: list[Any] = [np.zeros(len(layer), bool)]
    for column in layer.columns:
        values = [layer.value(item, column.name) for item in layer.features]
        missing = np.array([value is None for value in values], dtype=bool)
        kind = _TYPES[column.kind]
        filler: Any = "" if kind is object else kind(0)
        filled = [filler if value is None else value for value in values]
        data.append(np.array(filled, dtype=kind))
        masks.append(missing)
    geometry = None
    if layer.geometry:
        shapes = [to_geographic(item.geometry, frame) for item in layer.features]
        geometry = np.empty(len(shapes), dtype=object)
        for k, shape in enumerate(shapes):
            geometry[k] = None if shape is None else shapely.to_wkb(shape, byte_order=1)
    plural = layer.geometry if layer.geometry in ("", "Point") else f"Multi{layer.geometry}"
    raw.write(
        str(path),
        geometry,
        data,
        ["feature_id", *(column.name for column in layer.columns)],
        field_mask=masks,
        layer=layer.name,
        driver="GPKG",
        geometry_type=plural or None,
        promote_to_multi=plural.startswith("Multi"),
        crs="EPSG:4326" if layer.geometry else None,
        append=not is_first,
        layer_options={"IDENTIFIER": layer.name, "DESCRIPTION": layer.description},
    )

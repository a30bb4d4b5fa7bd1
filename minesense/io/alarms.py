"""
Write alarms as CSV and GeoJSON, and read them back.

Output depends on the alarms alone: the same alarms give the same bytes. A file is written
beside its place and renamed, so that none is ever half written.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .._version import __version__
from ..alarm import SAFETY_TEXT, Alarm
from ..sweep import Frame
from .alarm_columns import COLUMNS, NAMES, make_alarm, parse, to_cell, to_json
from .sidecar import MAX_TEXT
from .trouble import FormatError

_EVIDENCE = "evidence "
_KIND = "data_kind"
_FRAME = "minesense:frame"


def write_csv(alarms: Iterable[Alarm], path: str | Path, *, synthetic: bool = False) -> None:
    """
    Write alarms as comma-separated text, one line each, in the order given.

    Parameters
    ----------
    alarms : iterable of Alarm
        What to write.
    path : str or Path
        The file; an existing one is replaced.
    synthetic : bool, optional
        Whether the alarms are of simulated data: the last column says so in every line.

    Raises
    ------
    TypeError, ValueError
        If something is not an Alarm or holds an infinite number; no file appears.

    Notes
    -----
    Units are in the names of columns, NaN is an empty cell, numbers are the shortest that
    read back to the same float, lines end in LF. Evidence has a column for every name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv([], f"{folder}/alarms.csv")
    ...     read_alarms(f"{folder}/alarms.csv")
    []
    """
    found = _check_alarms(alarms)
    evidence = sorted({name for alarm in found for name in alarm.evidence})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*NAMES, *(_EVIDENCE + name for name in evidence), _KIND])
    for alarm in found:
        cells = [to_cell(getattr(alarm, field)) for _, field, _ in COLUMNS]
        cells += [to_cell(alarm.evidence.get(name, math.nan)) for name in evidence]
        writer.writerow([*cells, "SYNTHETIC" if synthetic else "recorded"])
    _replace(Path(path), text.getvalue().encode("utf-8"))


def write_geojson(
    alarms: Iterable[Alarm],
    path: str | Path,
    *,
    frame: Frame,
    synthetic: bool,
    properties: Mapping[str, Any] | None = None,
    geographic: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """
    Write alarms as a GeoJSON feature collection.

    Parameters
    ----------
    alarms : iterable of Alarm
        What to write.
    path : str or Path
        The file; an existing one is replaced.
    frame : Frame
        Where easting and northing are counted from.
    synthetic : bool
        Whether the alarms are of simulated data: the file says SYNTHETIC.
    properties : mapping, optional
        What else is said about the collection; must be JSON without NaN.
    geographic : mapping, optional
        Longitude and latitude (WGS84, degrees) by the identifier of alarms.

    Raises
    ------
    TypeError, ValueError
        If something is not an Alarm or a Frame, a number is infinite, a longitude or
        latitude is out of range, or `properties` are not JSON; no file appears.

    Notes
    -----
    RFC 7946 wants longitude and latitude. They are written if `geographic` is given, and
    an alarm that is not in it has no geometry. Else the coordinates are easting and
    northing in metres, and the member `minesense:frame` says so: such a file needs the
    prior arrangement that section 4 of the RFC speaks of. Geometry is null where the
    position is unknown.

    References
    ----------
    .. [1] Butler, H. et al. (2016). The GeoJSON Format. RFC 7946.
       https://doi.org/10.17487/RFC7946

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "alarms.geojson"
    ...     write_geojson([], path, frame=Frame(origin="stake 1"), synthetic=True)
    ...     document = json.loads(path.read_text())
    >>> document["data"], document["minesense:frame"]["origin"], document["features"]
    ('SYNTHETIC', 'stake 1', [])
    """
    stated = _check_frame(frame)
    places = None if geographic is None else _check_places(geographic)
    system = "WGS84 longitude and latitude, degrees"
    if places is None:
        system = "easting and northing in metres, not WGS84 longitude and latitude"
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "generator": f"minesense {__version__}",
        "safety": SAFETY_TEXT,
        _FRAME: {
            "crs": stated.crs,
            "origin": stated.origin,
            "coordinates": system
            if places is None
            else "WGS84 longitude and latitude, degrees",
        },
        "features": [_feature(alarm, places, synthetic) for alarm in _check_alarms(alarms)],
    }
    if synthetic:
        collection["data"] = "SYNTHETIC"
    if properties is not None:
        collection["properties"] = dict(properties)
    text = json.dumps(collection, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    _replace(Path(path), (text + "\n").encode("utf-8"))


def read_alarms(path: str | Path, *, frame: Frame | None = None) -> list[Alarm]:
    """
    Read alarms that :func:`write_csv` or :func:`write_geojson` wrote.

    Parameters
    ----------
    path : str or Path
        The file; content decides between the two forms.
    frame : Frame, optional
        Where easting and northing must be counted from. Of the two forms only GeoJSON says
        where they are, in `minesense:frame`: another coordinate reference system, or another
        origin of a local one, is refused. CSV and a GeoJSON without that member are taken to
        be counted from there.

    Returns
    -------
    alarms : list of Alarm
        In the order of the file. Empty cells and nulls are NaN; empty evidence is none.

    Raises
    ------
    FormatError
        If the file is of neither form, a cell does not hold what its column says, or
        positions are not counted from where `frame` says.

    Examples
    --------
    >>> import tempfile
    >>> alarm = Alarm(
    ...     identifier="A0001",
    ...     lane="lane 1",
    ...     time=12.0,
    ...     easting=0.25,
    ...     northing=6.5,
    ...     position_error=0.04,
    ...     depth=math.nan,
    ...     probability=0.7,
    ...     score=0.85,
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv([alarm], f"{folder}/alarms.csv")
    ...     read = read_alarms(f"{folder}/alarms.csv")
    >>> [(item.identifier, item.northing, item.depth) for item in read]
    [('A0001', 6.5, nan)]
    """
    path = Path(path)
    size = path.stat().st_size
    if size > MAX_TEXT:
        raise FormatError(path, "file size", size, f"at most {MAX_TEXT} bytes")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        field, where = "text", f"offset {error.start}"
        raise FormatError(path, field, data[:8], "UTF-8", where=where) from None
    if text.lstrip()[:1] == "{":
        return _read_geojson(path, text, frame)
    return _read_csv(path, text)


def _check_alarms(alarms: Iterable[object]) -> list[Alarm]:
    """Return alarms as a list if they are alarms whose numbers are not infinite."""
    found = []
    for alarm in alarms:
        if not isinstance(alarm, Alarm):
            msg = f"Invalid alarm of type {type(alarm).__name__}. Must be an Alarm."
            raise TypeError(msg)
        numbers = {f: getattr(alarm, f) for _, f, kind in COLUMNS if kind == "number"}
        for name, value in [*numbers.items(), *alarm.evidence.items()]:
            if math.isinf(value):
                msg = f"Invalid {name} '{value}' of alarm {alarm.identifier!r}. Must be finite."
                raise ValueError(msg)
        found.append(alarm)
    return found


def _check_frame(frame: object) -> Frame:
    """Return frame if it is one."""
    if not isinstance(frame, Frame):
        msg = f"Invalid frame of type {type(frame).__name__}. Must be a Frame."
        raise TypeError(msg)
    return frame


def _check_places(
    geographic: Mapping[str, tuple[float, float]],
) -> dict[str, tuple[float, float]]:
    """Return longitudes and latitudes if they are in range; NaN means unknown."""
    places = {}
    for identifier, (longitude, latitude) in geographic.items():
        if math.isnan(longitude) or math.isnan(latitude):
            continue
        if not (abs(longitude) <= 180 and abs(latitude) <= 90):
            msg = (
                f"Invalid geographic position ({longitude}, {latitude}) of alarm "
                f"{identifier!r}. Must be longitude and latitude in degrees."
            )
            raise ValueError(msg)
        places[identifier] = (float(longitude), float(latitude))
    return places


def _feature(
    alarm: Alarm, places: Mapping[str, tuple[float, float]] | None, synthetic: bool
) -> dict[str, Any]:
    """Return an alarm as a GeoJSON feature."""
    if places is None:
        place = (float(alarm.easting), float(alarm.northing))
    else:
        place = places.get(alarm.identifier, (math.nan, math.nan))
    unknown = any(math.isnan(coordinate) for coordinate in place)
    found = {name: to_json(getattr(alarm, field)) for name, field, _ in COLUMNS}
    found["evidence"] = {name: to_json(value) for name, value in alarm.evidence.items()}
    found[_KIND] = "SYNTHETIC" if synthetic else "recorded"
    return {
        "type": "Feature",
        "id": alarm.identifier,
        "geometry": None if unknown else {"type": "Point", "coordinates": list(place)},
        "properties": found,
    }


def _replace(path: Path, data: bytes) -> None:
    """Write a file beside its place, then put it there."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _read_csv(path: Path, text: str) -> list[Alarm]:
    """Return the alarms of a CSV file."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        field = "CSV"
        raise FormatError(path, field, str(error), "comma-separated text") from None
    names = rows[0] if rows else []
    missing = [name for name in NAMES if name not in names]
    if missing or len(set(names)) != len(names):
        field = "header line"
        rule = f"a table of alarms, each column once, with {', '.join(missing or NAMES)}"
        raise FormatError(path, field, names[:20], rule, where="line 1")
    alarms = []
    for number, row in enumerate(rows[1:], start=2):
        where = f"row {number}"
        if len(row) != len(names):
            field = "number of cells"
            raise FormatError(path, field, len(row), f"{len(names)}", where=where)
        cells = dict(zip(names, row, strict=True))
        evidence = {
            name.removeprefix(_EVIDENCE): parse(path, where, name, "number", cell)
            for name, cell in cells.items()
            if name.startswith(_EVIDENCE) and cell
        }
        alarms.append(make_alarm(path, where, cells, evidence))
    return alarms


def _read_geojson(path: Path, text: str, frame: Frame | None) -> list[Alarm]:
    """Return the alarms of a GeoJSON file."""
    try:
        collection = json.loads(text)
    except (ValueError, RecursionError) as error:
        field = "JSON"
        raise FormatError(path, field, str(error), "a GeoJSON feature collection") from None
    features = collection.get("features")
    if collection.get("type") != "FeatureCollection" or not isinstance(features, list):
        field = "type"
        raise FormatError(
            path, field, collection.get("type"), "'FeatureCollection' of features"
        )
    if frame is not None and _FRAME in collection:
        _check_stated(path, collection[_FRAME], frame)
    alarms = []
    for number, feature in enumerate(features):
        where = f"feature {number}"
        cells = feature.get("properties") if isinstance(feature, dict) else None
        evidence = cells.get("evidence", {}) if isinstance(cells, dict) else None
        if not isinstance(cells, dict) or not isinstance(evidence, dict):
            field = "properties"
            raise FormatError(path, field, cells, "those of an alarm", where=where)
        values = {
            name: parse(path, where, name, "number", value) for name, value in evidence.items()
        }
        alarms.append(make_alarm(path, where, cells, values))
    return alarms


def _check_stated(path: Path, stated: Any, frame: Frame) -> None:
    """Raise unless a file states the frame that is asked for."""
    words = stated if isinstance(stated, dict) else {}
    crs, origin = words.get("crs"), words.get("origin", "unstated")
    if crs != frame.crs:
        rule = f"{frame.crs!r}, as of the ground: places are not converted"
        raise FormatError(path, f"crs of {_FRAME}", crs, rule)
    is_stated = origin != "unstated" and frame.origin != "unstated"
    if crs == "local" and is_stated and origin != frame.origin:
        rule = f"{frame.origin!r}, as of the ground: places are not converted"
        raise FormatError(path, f"origin of {_FRAME}", origin, rule)

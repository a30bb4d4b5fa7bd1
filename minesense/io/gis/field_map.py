"""A country's form: whose field is which of ours, as the people who know the form state it."""

from __future__ import annotations

import csv
import io
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .geopackage import check_admitted
from .layers import Layer, MapFeature, Value
from .map_frame import MapFrame
from .shapes import to_geographic
from .tables import as_cell, write_text

#: Units that a field may be turned into, and by what metres, square metres and radians are
#: multiplied.
UNITS: Mapping[str, float] = {
    "m": 1.0,
    "cm": 100.0,
    "mm": 1000.0,
    "km": 0.001,
    "m2": 1.0,
    "ha": 1e-4,
    "deg": 1.0,
    "1": 1.0,
}
_KIND = {"m": "m", "cm": "m", "mm": "m", "km": "m", "m2": "m2", "ha": "m2", "deg": "deg"}

_TOP = frozenset({"form", "layer", "field"})
_FIELD = frozenset({"ours", "theirs", "required", "unit", "values", "constant", "max_length"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """One field of the form: which of our columns fills it, and how."""

    theirs: str
    ours: str = ""  #: empty for a field that stays empty or holds a constant
    required: bool = False
    unit: str = ""  #: that the form wants; ours is in the name of the column
    values: Mapping[str, str] = field(default_factory=dict)  #: our value to their choice name
    constant: str = ""
    max_length: int = 0  #: characters; 0 for no limit


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """What of a layer goes into which field of a form."""

    form: str
    layer: str
    fields: tuple[MappedField, ...]
    source: str = ""  #: name of the file


def read_field_map(path: str | os.PathLike[str]) -> FieldMap:
    """
    Read a field map.

    Parameters
    ----------
    path : path-like
        A TOML file: `form` and `layer`, then a table ``[[field]]`` for every field of the
        form, with `theirs` and any of `ours`, `required`, `unit`, `values`, `constant` and
        `max_length`.

    Returns
    -------
    field_map : FieldMap
        As stated; nothing is guessed.

    Raises
    ------
    ValueError
        If it is not TOML or a key is unknown, missing or of another type. The message names
        the line.
    OSError
        If it cannot be read.

    Notes
    -----
    Values must be the names of the form's choices, not their labels. A field without `ours`
    and `constant` stays empty, which is what happens to all that a sensor cannot know.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.gis import read_field_map
    >>> text = '''
    ... form = "hazard_point"
    ... layer = "alarms"
    ... [[field]]
    ... theirs = "imsma_id"
    ... ours = "feature_id"
    ... required = true
    ... '''
    >>> with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
    ...     _ = file.write(text)
    ...     file.flush()
    ...     read_field_map(file.name).fields[0].ours
    'feature_id'
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"Invalid field map '{path}': {error}. Must be TOML."
        raise ValueError(msg) from None
    source = _Source(path, text)
    for key in document:
        if key not in _TOP:
            source.fail(key, 0, f"unknown key '{key}'", f"one of {', '.join(sorted(_TOP))}")
    for key in ("form", "layer"):
        if not isinstance(document.get(key), str) or not document[key]:
            source.fail(key, 0, f"{key} {document.get(key)!r}", "text that is not empty")
    rows: Any = document.get("field")
    if not isinstance(rows, list) or not rows:
        source.fail("field", 0, "no fields", "at least one table [[field]]")
    fields = tuple(_field(row, k, source) for k, row in enumerate(rows))
    names = [item.theirs for item in fields]
    for k, name in enumerate(names):
        if name in names[:k]:
            source.fail("theirs", k + 1, f"'{name}' stands twice", "a field of its own each")
    return FieldMap(
        form=document["form"], layer=document["layer"], fields=fields, source=path.name
    )


class _Source:
    """The text of a field map, to tell in which line something stands."""

    def __init__(self, path: Path, text: str):
        self.path, self.lines = path, text.splitlines()

    def line_of(self, key: str, table: int) -> int:
        """Return the line of a key in the so many-th table of fields; 0 for the top."""
        seen = 0
        header = 1
        for number, line in enumerate(self.lines, start=1):
            bare = line.strip()
            if re.match(r"\[\[\s*field\s*\]\]", bare):
                seen += 1
                header = number if seen == table else header
            elif seen == table and re.match(rf"[\"']?{re.escape(key)}[\"']?\s*(=|\.)", bare):
                return number
        return header

    def fail(self, key: str, table: int, what: str, rule: str) -> NoReturn:
        """Refuse the map, naming the line."""
        line = self.line_of(key, table)
        msg = f"Invalid field map '{self.path}', line {line}: {what}. Must be {rule}."
        raise ValueError(msg)


def _field(row: Any, k: int, source: _Source) -> MappedField:
    """Return one field of the form."""
    table = k + 1
    if not isinstance(row, dict):
        source.fail("field", 0, f"a field {row!r}", "a table [[field]]")
    for key in row:
        if key not in _FIELD:
            rule = f"one of {', '.join(sorted(_FIELD))}"
            source.fail(key, table, f"unknown key '{key}'", rule)
    kinds: Mapping[str, type] = {
        "ours": str,
        "theirs": str,
        "required": bool,
        "unit": str,
        "constant": str,
        "max_length": int,
        "values": dict,
    }
    for key, value in row.items():
        is_flag = isinstance(value, bool) and kinds[key] is not bool
        if not isinstance(value, kinds[key]) or is_flag:
            source.fail(key, table, f"{key} {value!r}", f"of type {kinds[key].__name__}")
    if not row.get("theirs"):
        source.fail("theirs", table, "a field without 'theirs'", "named as the form names it")
    if row.get("ours") and row.get("constant"):
        source.fail("constant", table, "both 'ours' and 'constant'", "one of them")
    unit = row.get("unit", "")
    if unit and unit not in UNITS:
        source.fail("unit", table, f"unit '{unit}'", f"one of {', '.join(UNITS)}")
    for key, value in row.get("values", {}).items():
        if not isinstance(value, str):
            source.fail("values", table, f"choice {value!r} of '{key}'", "text")
    if row.get("max_length", 0) < 0:
        source.fail("max_length", table, f"max_length {row['max_length']}", "0 or more")
    return MappedField(**row)


def mapped_rows(
    layer: Layer, field_map: FieldMap, *, frame: MapFrame
) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    """
    Return the rows of a form.

    Parameters
    ----------
    layer : Layer
        As :func:`~minesense.io.gis.admit` returned it.
    field_map : FieldMap
        Of the form.
    frame : MapFrame
        Of the site, for the columns `longitude_deg` and `latitude_deg`.

    Returns
    -------
    names : tuple of str
        Fields of the form, and after them `data_kind`, which no form may leave out.
    rows : list of tuple
        One for each feature; None where a field stays empty.

    Raises
    ------
    ValueError
        If the map is for another layer, one of our columns does not exist, a required field
        would stay empty, a value has no choice name, is too long, or cannot be turned into
        the unit. The message names the field and the feature.

    Examples
    --------
    >>> from minesense.io.gis import Layer, MapFeature, Release, MapFrame, admit
    >>> from minesense.io.gis.field_map import FieldMap, MappedField, mapped_rows
    >>> item = MapFeature(identifier="A1")
    >>> layer = Layer(name="alarms", geometry="", columns=(), features=(item,))
    >>> (layer,) = admit([layer], Release(), is_synthetic=True)
    >>> fields = (MappedField(theirs="imsma_id", ours="feature_id", required=True),)
    >>> field_map = FieldMap(form="f", layer="alarms", fields=fields)
    >>> mapped_rows(layer, field_map, frame=MapFrame.fictitious())
    (('imsma_id', 'data_kind'), [('A1', 'SYNTHETIC')])
    """
    check_admitted(layer)
    name = f"field map '{field_map.source or field_map.form}'"
    if layer.name != field_map.layer:
        msg = f"Invalid layer '{layer.name}' for {name}. Must be '{field_map.layer}'."
        raise ValueError(msg)
    places = {"longitude_deg", "latitude_deg"} if layer.geometry == "Point" else set()
    known = {"feature_id", *places, *(column.name for column in layer.columns)}
    for item in field_map.fields:
        if item.ours and item.ours not in known:
            msg = (
                f"Invalid {name}: '{item.ours}' of field '{item.theirs}' is no column of "
                f"layer '{layer.name}'. Must be one of {', '.join(sorted(known))}."
            )
            raise ValueError(msg)
        if item.required and not item.ours and not item.constant:
            msg = (
                f"Invalid {name}: required field '{item.theirs}' is mapped to nothing. Must "
                "have 'ours' or 'constant': nothing was written."
            )
            raise ValueError(msg)
    rows = []
    for feature in layer.features:
        values = _values(layer, feature, frame if places else None)
        row = [_mapped(item, values, feature, name) for item in field_map.fields]
        rows.append((*row, "SYNTHETIC" if layer.is_synthetic else "recorded"))
    names = tuple(item.theirs for item in field_map.fields)
    return (*names, "data_kind"), rows


def write_form_csv(
    path: str | os.PathLike[str], layer: Layer, field_map: FieldMap, *, frame: MapFrame
) -> Path:
    """
    Write a layer as a table for a country's form.

    Parameters
    ----------
    path : path-like
        File to write; an existing one is replaced.
    layer, field_map, frame
        As in :func:`mapped_rows`.

    Returns
    -------
    path : Path
        The file: comma-separated, the fields of the form in the order of the map.

    Raises
    ------
    ValueError
        As :func:`mapped_rows`; nothing is written then.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.io.gis import Layer, Release, MapFrame, admit, write_form_csv
    >>> from minesense.io.gis.field_map import FieldMap, MappedField
    >>> layer = Layer(name="alarms", geometry="", columns=(), features=())
    >>> (layer,) = admit([layer], Release(), is_synthetic=True)
    >>> fields = (MappedField(theirs="imsma_id", ours="feature_id"),)
    >>> field_map = FieldMap(form="f", layer="alarms", fields=fields)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_form_csv(
    ...         f"{folder}/f.csv", layer, field_map, frame=MapFrame.fictitious()
    ...     )
    ...     path.read_text().split()
    ['imsma_id,data_kind']
    """
    names, rows = mapped_rows(layer, field_map, frame=frame)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([as_cell(value) for value in row])
    return write_text(Path(path), text.getvalue())


def _values(layer: Layer, feature: MapFeature, frame: MapFrame | None) -> dict[str, Value]:
    """Return what a feature has, by our names."""
    values: dict[str, Value] = {"feature_id": feature.identifier}
    values |= {column.name: layer.value(feature, column.name) for column in layer.columns}
    if frame is not None:
        point = to_geographic(feature.geometry, frame)
        values |= {
            "longitude_deg": None if point is None else float(point.x),
            "latitude_deg": None if point is None else float(point.y),
        }
    return values


def _mapped(
    item: MappedField, values: Mapping[str, Value], feature: MapFeature, name: str
) -> Value:
    """Return what goes into one field of the form."""
    where = f"{name}, field '{item.theirs}', feature '{feature.identifier}'"
    value: Value = item.constant or None
    if item.ours:
        value = values[item.ours]
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is not None and item.values:
            if str(value) not in item.values:
                msg = (
                    f"Invalid {where}: our value '{value}' has no choice name. Must be one of "
                    f"{', '.join(item.values)}."
                )
                raise ValueError(msg)
            value = item.values[str(value)]
        elif value is not None and item.unit:
            value = _in_unit(value, item, where)
    if item.required and (value is None or value == ""):
        msg = f"Invalid {where}: required, and empty. Must be filled: nothing was written."
        raise ValueError(msg)
    if item.max_length and value is not None and len(str(value)) > item.max_length:
        msg = (
            f"Invalid {where}: {len(str(value))} characters. Must be at most "
            f"{item.max_length}: nothing is cut in silence."
        )
        raise ValueError(msg)
    return value


def _in_unit(value: Value, item: MappedField, where: str) -> float:
    """Return a number in the unit of the form."""
    own = item.ours.rpartition("_")[2]
    fits = own in UNITS and _KIND.get(own) == _KIND.get(item.unit)
    if not isinstance(value, (int, float)) or not fits:
        msg = (
            f"Invalid {where}: '{item.ours}' cannot be given in '{item.unit}'. Must be a "
            "number whose column name ends in a unit of the same kind."
        )
        raise ValueError(msg)
    # rounded: 0.13 m are 13 cm, not 13.000000000000002
    return float(f"{value * UNITS[item.unit] / UNITS[own]:.12g}")

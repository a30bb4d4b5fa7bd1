"""The columns of alarms: what each holds, as a cell or property and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..alarm import Alarm
from .trouble import FormatError

#: Columns of CSV and properties of GeoJSON: name, field of the alarm, what it holds.
COLUMNS = (
    ("identifier", "identifier", "text"),
    ("lane", "lane", "text"),
    ("time_s", "time", "number"),
    ("easting_m", "easting", "number"),
    ("northing_m", "northing", "number"),
    ("position_error_m", "position_error", "number"),
    ("depth_m", "depth", "number"),
    ("probability", "probability", "number"),
    ("score", "score", "number"),
    ("quality", "quality", "count"),
    ("model", "model", "text"),
)
NAMES = tuple(name for name, _, _ in COLUMNS)


def to_cell(value: object) -> str:
    """
    Return a value as a cell of CSV.

    Parameters
    ----------
    value : object
        Text or a number.

    Returns
    -------
    text : str
        NaN as nothing, floats as short as they read back.

    Examples
    --------
    >>> to_cell(0.1), to_cell(float("nan"))
    ('0.1', '')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int)):
        return str(int(value))
    number = float(value)  # type: ignore[arg-type]
    return "" if math.isnan(number) else repr(number)


def to_json(value: object) -> object:
    """
    Return a value as a property of GeoJSON.

    Parameters
    ----------
    value : object
        Text or a number.

    Returns
    -------
    value : object
        As JSON has it: NaN as null.

    Examples
    --------
    >>> to_json(0.1), to_json(float("nan"))
    (0.1, None)
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int)):
        return int(value)
    number = float(value)  # type: ignore[arg-type]
    return None if math.isnan(number) else number


def parse(path: Path, where: str, name: str, kind: str, value: object) -> Any:
    """
    Return what a cell or property holds.

    Parameters
    ----------
    path : Path
        The file, for the message.
    where : str
        The place in it, for the message.
    name : str
        Of the column.
    kind : str
        What it must hold: ``"text"``, ``"count"`` or ``"number"``.
    value : object
        The cell or property.

    Returns
    -------
    value : str, int or float
        NaN if a number is empty or null.

    Raises
    ------
    FormatError
        If it holds something else.
    """
    field = name
    if kind == "text":
        if isinstance(value, str):
            return value
        raise FormatError(path, field, value, "text", where=where)
    if kind == "count":
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise FormatError(path, field, value, "a whole number", where=where)
    if value is None or value == "":
        return math.nan
    try:
        plain = not isinstance(value, str) or re.fullmatch(r"[-+.0-9eE]{1,40}", value)
        number = float(value) if plain and not isinstance(value, bool) else math.nan  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise FormatError(path, field, value, "a finite number or empty", where=where)
    return number


def make_alarm(
    path: Path, where: str, cells: Mapping[str, object], evidence: Mapping[str, float]
) -> Alarm:
    """
    Return the alarm that a row or feature holds.

    Parameters
    ----------
    path : Path
        The file, for the message.
    where : str
        The place in it, for the message.
    cells : dict
        Cells or properties by name of the column.
    evidence : dict
        Numbers by name.

    Returns
    -------
    alarm : Alarm
        With all its columns.

    Raises
    ------
    FormatError
        If a column is missing or holds something else than it should.
    """
    values = {}
    for name, field, kind in COLUMNS:
        if name not in cells:
            raise FormatError(path, name, None, "there", where=where)
        values[field] = parse(path, where, name, kind, cells[name])
    return Alarm(evidence=dict(evidence), **values)

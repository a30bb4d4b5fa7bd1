"""What the columns of a table are by its template: times, samples, positions, flags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sensor import Sensor
from ..sweep import Frame, Quality
from .local_frame import local_frame, local_position
from .row_order import join_dates
from .table_template import Column, TableTemplate
from .table_times import TimeFormat, date_in_name, day_of, offset_of_zone, parse_column
from .table_units import unit_of
from .text_table import TextTable, fold
from .trouble import Findings

Floats = npt.NDArray[np.float64]


def find_column(findings: Findings, table: TextTable, column: Column, role: str) -> int:
    """Return the place of a column."""
    if column.index is not None:
        if column.index >= len(table.names):
            rule = f"one of {len(table.names)} columns"
            findings.fail(f"column of {role}", column.index + 1, rule)
        return column.index
    for name in column.names:
        index = table.index_of(name)
        if index is not None:
            return index
    rule = f"in the header: {[name for name in table.names if name][:60]}"
    findings.fail(f"column of {role}", " or ".join(column.names), rule)
    raise AssertionError  # fail() has raised


def scaled(table: TextTable, index: int, column: Column) -> Floats:
    """Return the numbers of a column in SI, rounded once where the unit is a decimal part."""
    unit = unit_of(column.unit)
    factor = unit[1] if unit else 1.0
    divisor = round(1 / factor) if factor < 1 else 1
    if divisor > 1 and abs(divisor * factor - 1) < 1e-12:
        return table.numbers(index, divisor=divisor)
    return table.numbers(index) * factor


def _degrees(table: TextTable, index: int, column: Column) -> Floats:
    """Return the numbers of a column of angles in degrees, exact if written in them."""
    if column.unit == "rad":
        return np.degrees(table.numbers(index))
    return table.numbers(index)


def read_time(
    findings: Findings,
    table: TextTable,
    template: TableTemplate,
    places: Mapping[str, int],
    date: str | None,
) -> tuple[Floats, str]:
    """Return times of the rows, in seconds, and where they are from."""
    columns = template.columns
    if "time" not in places:
        elapsed = scaled(table, places["elapsed"], columns["elapsed"])
        return elapsed, f"column '{table.names[places['elapsed']]}', its own count"
    column, place = columns["time"], places["time"]
    if not column.format:
        return scaled(table, place, column), f"column '{table.names[place]}'"
    missing = template.layout.missing
    form = TimeFormat(column.format)
    days, seconds, bad = parse_column(table.text(place), form, missing=missing)
    if bad is not None:
        table.fail(bad, place, table.text(place)[bad], f"a time as {column.format}")
    has_dates, source = form.has_date, f"column '{table.names[place]}'"
    if "date" in places and not form.has_date:
        day_form = TimeFormat(columns["date"].format)
        cells = table.text(places["date"])
        days, _, bad = parse_column(cells, day_form, missing=missing)
        if bad is not None:
            table.fail(bad, places["date"], cells[bad], f"a date as {columns['date'].format}")
        has_dates, source = True, f"{source} and '{table.names[places['date']]}'"
    time = join_dates(findings, days, seconds, has_dates=has_dates)
    if not has_dates:
        start, how = _first_day(findings, template, date)
        time += start
        source += how
    return time - offset_of_zone(template.zone), f"{source}, zone {template.zone}"


def _first_day(
    findings: Findings, template: TableTemplate, date: str | None
) -> tuple[float, str]:
    """Return the day of the first row, in seconds since 1970, and where it is from."""
    if date is not None:
        return day_of(date), ", date by the caller"
    if template.date == "name":
        found = date_in_name(findings.path.name, findings)
        if found is not None:
            return day_of(found), ", date of the name"
    elif template.date:
        return day_of(template.date), ", date of the template"
    findings.warn("no date: times are seconds of the day")
    return 0.0, ", seconds of the day"


def read_samples(
    table: TextTable, template: TableTemplate, indices: list[int]
) -> npt.NDArray[np.float32]:
    """Return samples by row, channel and sample."""
    n_channels = 1 + max(column.channel for column in template.samples)
    n_samples = 1 + max(column.sample for column in template.samples)
    cube = np.empty((len(table), n_channels, n_samples), np.float32)
    for column, index in zip(template.samples, indices, strict=True):
        with np.errstate(over="ignore"):  # too large for float32: infinite, and flagged
            cube[:, column.channel, column.sample] = scaled(table, index, column)
    return cube


def sensor_of_template(template: TableTemplate, cube: npt.NDArray[np.float32]) -> Sensor:
    """Return what measured."""
    unit = unit_of(template.samples[0].unit)
    arms: Any = template.lever_arms or np.zeros((cube.shape[1], 3))
    return Sensor(
        name=template.sensor_name,
        kind="gpr" if template.kind == "gpr" else "emi",
        axis=np.asarray(template.axis or (0.0,), np.float64),
        axis_unit="Hz" if template.axis_unit == "Hz" else "s",
        lever_arms=np.asarray(arms, np.float64),
        quantity=template.quantity,
        unit=unit[0] if unit else "1",
    )


def read_position(
    findings: Findings,
    table: TextTable,
    template: TableTemplate,
    places: Mapping[str, int],
    origin: tuple[float, float] | None,
) -> tuple[Floats, Frame, str]:
    """Return positions, their frame, and where they are from."""
    columns = template.columns
    position = np.full((len(table), 3), np.nan)
    upward = np.zeros(len(table))
    height = "zero, since the table tells none"
    if "upward" in places:
        upward = scaled(table, places["upward"], columns["upward"])
        height = template.height or f"column '{table.names[places['upward']]}'"
    if "latitude" in places:
        degrees = []
        for role, limit in (("latitude", 90), ("longitude", 180)):
            values = _degrees(table, places[role], columns[role])
            beyond = np.flatnonzero(np.abs(values) > limit * (1 + 1e-12))
            if len(beyond):
                row = int(beyond[0])
                cell = table.text(places[role])[row]
                table.fail(row, places[role], cell, f"within {limit} degrees")
            degrees.append(values)
        latitude, longitude = degrees
        nothing = (latitude == 0) & (longitude == 0)
        if nothing.any():
            findings.warn(f"{np.count_nonzero(nothing)} fixes are zero: no position")
            latitude = np.where(nothing, np.nan, latitude)
        drop_held(latitude, longitude, columns["latitude"].is_held)
        known = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
        if not len(known):
            findings.warn("no row has a position")
            return position, Frame(), "none"
        start = origin or (float(latitude[known[0]]), float(longitude[known[0]]))
        east, north = local_position(latitude, longitude, origin=start)
        position[:] = np.column_stack([east, north, upward])
        return position, local_frame(start, height), "latitude and longitude"
    if "easting" in places:
        east = scaled(table, places["easting"], columns["easting"])
        north = scaled(table, places["northing"], columns["northing"])
        drop_held(east, north, columns["easting"].is_held)
        position[:] = np.column_stack([east, north, upward])
        frame = Frame(crs="local", origin=f"that of the table; upward: {height}")
        return position, frame, "easting and northing"
    findings.warn("the template names no columns of positions")
    return position, Frame(), "none"


def drop_held(first: Floats, second: Floats, is_held: bool) -> None:
    """
    Forget values that repeat those of the row before, in place.

    Parameters
    ----------
    first, second : (n_rows,) float64 ndarray
        Two coordinates; the second stays as it is.
    is_held : bool
        Whether a repeat is no measurement of its own; if not, nothing is done.

    Examples
    --------
    >>> latitude = np.array([1.0, 1.0, 2.0])
    >>> drop_held(latitude, np.array([5.0, 5.0, 5.0]), True)
    >>> latitude.tolist()
    [1.0, nan, 2.0]
    """
    if is_held and len(first) > 1:
        same = (first[1:] == first[:-1]) & (second[1:] == second[:-1])
        first[1:][same] = math.nan


def read_quality(
    findings: Findings, table: TextTable, template: TableTemplate, places: Mapping[str, int]
) -> npt.NDArray[np.int64]:
    """Return the flags that columns of the table tell."""
    quality = np.zeros(len(table), np.int64)
    if "fix" in places:
        good = {fold(word) for word in template.columns["fix"].good}
        cells = table.text(places["fix"])
        bad = np.array([fold(cell) not in good for cell in cells], bool)
        quality[bad] |= int(Quality.POSE_COARSE)
        if bad.any():
            findings.warn(f"{np.count_nonzero(bad)} rows have no good fix: flagged POSE_COARSE")
    if "quality" in places:
        numbers = table.numbers(places["quality"])
        whole = np.isfinite(numbers) & (numbers == np.rint(numbers)) & (numbers >= 0)
        whole &= numbers < 2 * max(flag.value for flag in Quality)
        if not whole.all():
            row = int(np.argmin(whole))
            cell = table.text(places["quality"])[row]
            table.fail(row, places["quality"], cell, "flags, a whole number")
        quality |= numbers.astype(np.int64)
    return quality

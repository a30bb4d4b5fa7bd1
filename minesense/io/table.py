"""Read logs of integrators: tables whose columns a template explains."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..sensor import Sensor
from ..sweep import Frame, Quality, Sweep
from .local_frame import heading_of_track, local_frame, local_position
from .positions import fill_held
from .row_order import Stretch, join_dates, order_rows
from .sweep_file import SweepFile, finish
from .table_template import Column, TableTemplate, load_template
from .table_times import TimeFormat, date_in_name, day_of, offset_of_zone, parse_column
from .table_units import known_units, unit_of
from .text_table import TextTable, fold, read_text_table
from .trouble import Findings

Floats = npt.NDArray[np.float64]


def read_table(
    path: str | Path,
    *,
    template: str | Path | Mapping[str, Any] | TableTemplate | None = None,
    samples: Sequence[str] = (),
    units: Sequence[str] = (),
    date: str | None = None,
    zone: str | None = None,
    origin: tuple[float, float] | None = None,
    max_gap: float = 2.0,
    strict: bool = False,
) -> SweepFile:
    """
    Read a table by a template that says what its columns are.

    Parameters
    ----------
    path : str or Path
        The table.
    template : str, Path, mapping or TableTemplate
        A TOML or YAML file, also of GeoHammer, or its content. Without it there is an error
        that says so.
    samples : sequence of str, optional
        Names of the columns that hold what the sensor measured, each a channel, in place of
        those of the template.
    units : sequence of str, optional
        Their units, one for all or one for each. Without it the header must say it.
    date : str, optional
        Of the first row, yyyy-mm-dd, for a log that has none.
    zone : str, optional
        "UTC" or an offset such as "+03:00", instead of what the template says.
    origin : (float, float), optional
        Latitude and longitude that positions are counted from; the first fix without it.
    max_gap : float, optional
        Longest time between fixes over which the positions of held rows are interpolated, in
        seconds.
    strict : bool, optional
        Whether warnings are errors.

    Returns
    -------
    result : SweepFile
        A sweep for each stretch in which time runs forward. `header["columns"]` holds the text
        of the columns that the template does not name.

    Raises
    ------
    FormatError
        If the table does not have the columns, a cell is not what it must be, or the template
        is wrong; in strict mode also for a warning.
    ImportError
        If PyYAML is not installed, for a YAML template.
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    Times are seconds since 1970 UTC where the log tells date and time, else seconds of the day
    or of its own count. Samples that are missing flag their row NOT_FINITE, positions that are
    missing POSE_NONE, fixes that are not good POSE_COARSE.
    """
    path = Path(path)
    max_gap = check_positive(max_gap, "max_gap")
    findings = Findings(path, strict=strict)
    if template is None:
        with path.open("rb") as file:
            head = file.read(80)
        rule = "a header with units, 'name [unit]', or explained by template=..."
        findings.fail("content", head, rule)
        raise AssertionError  # fail() has raised
    rules = load_template(template)
    if rules.is_foreign and zone is None and _is_dated(rules):
        findings.warn("the template states no zone of time: taken as UTC")
    if zone is not None:
        offset_of_zone(zone)
        rules = dataclasses.replace(rules, zone=zone)
    table = read_text_table(path, findings, rules.layout)
    rules = choose_samples(findings, table, rules, samples, units)
    return read_columns(
        findings,
        table,
        rules,
        date=date,
        origin=origin,
        max_gap=max_gap,
        format_name="table",
    )


def choose_samples(
    findings: Findings,
    table: TextTable,
    template: TableTemplate,
    samples: Sequence[str],
    units: Sequence[str],
) -> TableTemplate:
    """
    Return a template with the columns of samples that the caller names.

    Parameters
    ----------
    findings : Findings
        Of the table.
    table : TextTable
        Whose header may state units, as ``name [unit]``.
    template : TableTemplate
        As loaded.
    samples, units
        As in :func:`read_table`.

    Returns
    -------
    template : TableTemplate
        With samples.

    Raises
    ------
    FormatError
        If nobody names a column of samples, or no unit is stated for one.
    """
    if not samples:
        if not template.samples:
            rule = "named by samples=..., since the template does not say which they are"
            findings.fail("samples", list(template.others)[:40] or "none", rule)
        return template
    if len(units) not in (0, 1, len(samples)):
        msg = f"Invalid units {list(units)}. Must be one, or one for each of {len(samples)}."
        raise ValueError(msg)
    columns = []
    for k, name in enumerate(samples):
        unit = units[k if len(units) > 1 else 0] if units else split_unit(name)[1]
        known = unit_of(unit or "")
        if known is None:
            rule = f"stated in the header as 'name [unit]', or by units=...: {known_units()}"
            findings.fail(f"unit of '{name}'", unit, rule)
        columns.append(Column(names=(name,), unit=unit or "", channel=k))
    kinds = {(unit_of(column.unit) or ("", 0))[0] for column in columns}
    if len(kinds) > 1:
        findings.fail("units of samples", sorted(kinds), "of one quantity")
    return dataclasses.replace(
        template,
        samples=tuple(columns),
        axis=(),
        lever_arms=template.lever_arms[: len(samples)],
    )


def split_unit(header: str) -> tuple[str, str | None]:
    """
    Return name and unit of a header written as ``name [unit]``.

    Parameters
    ----------
    header : str
        Of a column.

    Returns
    -------
    name : str
        Without the unit.
    unit : str or None
        None if there is none.

    Examples
    --------
    >>> split_unit("left coil [mV]"), split_unit("note")
    (('left coil', 'mV'), ('note', None))
    """
    text = header.strip()
    if text.endswith("]") and "[" in text:
        name, _, unit = text[:-1].rpartition("[")
        return name.strip(), unit.strip()
    return text, None


def read_columns(
    findings: Findings,
    table: TextTable,
    template: TableTemplate,
    *,
    date: str | None,
    origin: tuple[float, float] | None,
    max_gap: float = 2.0,
    format_name: str,
) -> SweepFile:
    """
    Return the sweeps of a table.

    Parameters
    ----------
    findings : Findings
        Of the table.
    table : TextTable
        Its cells.
    template : TableTemplate
        With samples.
    date, origin, max_gap
        As in :func:`read_table`.
    format_name : str
        Of the result.

    Returns
    -------
    result : SweepFile
        As of :func:`read_table`.

    Raises
    ------
    FormatError
        If a column is missing or a cell is not what it must be.
    """
    if not len(table):
        findings.fail("rows", 0, "one or more")
    places = {
        role: _find(findings, table, column, role) for role, column in template.columns.items()
    }
    indices = [_find(findings, table, column, "samples") for column in template.samples]
    time, time_source = _read_time(findings, table, template, places, date)
    cube = _read_samples(table, template, indices)
    position, frame, source = _read_position(findings, table, template, places, origin)
    if any(
        template.columns[role].is_held for role in ("latitude", "easting") if role in places
    ):
        position = fill_held(time, position, max_gap)
        source += f", held rows interpolated over up to {max_gap:g} s"
    quality = _read_quality(findings, table, template, places)
    repeats = np.zeros(len(table), bool)
    flat = np.column_stack([cube.reshape(len(cube), -1), position])
    if len(flat) > 1:
        same = (flat[1:] == flat[:-1]) | (np.isnan(flat[1:]) & np.isnan(flat[:-1]))
        repeats[1:] = same.all(axis=1)
    if not np.isfinite(time).any():
        findings.fail("time", "no row has one", "at least one row with a time")
    heading = None
    if "heading" in places:
        heading = _scaled(table, places["heading"], template.columns["heading"])
    sensor = _sensor_of(template, cube)
    sweeps = [
        make_sweep(
            stretch,
            cube,
            position,
            heading,
            quality,
            sensor=sensor,
            frame=frame,
            lane=findings.path.stem,
        )
        for stretch in order_rows(findings, time, repeats)
    ]
    if len(sweeps) > 1:
        sweeps = [
            dataclasses.replace(sweep, lane=f"{sweep.lane} {k}")
            for k, sweep in enumerate(sweeps, 1)
        ]
    used = {*places.values(), *indices}
    rest = [k for k in range(len(table.names)) if k not in used and table.names[k]]
    return finish(
        findings,
        format_name=format_name,
        sweeps=sweeps,
        header={
            "template": template.name,
            "names": table.names,
            "comments": table.comments,
            "rows": len(table),
            "columns": {table.names[k]: table.text(k) for k in rest},
        },
        sources={"time": time_source, "position": source},
    )


def make_sweep(
    stretch: Stretch,
    cube: npt.NDArray[np.float32],
    position: Floats,
    heading: Floats | None,
    quality: npt.NDArray[np.int64],
    *,
    sensor: Sensor,
    frame: Frame,
    lane: str,
) -> Sweep:
    """
    Return the sweep of one stretch of rows, with every gap flagged.

    Parameters
    ----------
    stretch : Stretch
        Rows and their times.
    cube : (n_rows, n_channels, n_samples) float32 ndarray
        Samples of all rows.
    position : (n_rows, 3) float64 ndarray
        Of all rows, NaN where unknown.
    heading : (n_rows,) float64 ndarray or None
        Radians; where it is None or NaN, that of the track.
    quality : (n_rows,) int64 ndarray
        Flags of all rows.
    sensor : Sensor
        What measured.
    frame : Frame
        Of the positions.
    lane : str
        Name of the lane.

    Returns
    -------
    sweep : Sweep
        Of the stretch.
    """
    rows = stretch.rows
    place = position[rows].copy()
    no_pose = ~np.isfinite(place).all(axis=1)
    place[no_pose] = np.nan
    samples = cube[rows]
    flags = quality[rows] | stretch.quality
    flags[no_pose] |= int(Quality.POSE_NONE)
    flags[~np.isfinite(samples).all(axis=(1, 2))] |= int(Quality.NOT_FINITE)
    track = heading_of_track(place[:, 0], place[:, 1])
    angle = track
    if heading is not None:
        angle = np.where(np.isfinite(heading[rows]), heading[rows], track)
    lines = [] if heading is not None else ["heading: of the track"]
    return Sweep(
        samples=samples,
        time=stretch.time,
        position=place,
        heading=np.where(no_pose, np.nan, angle),
        quality=flags,
        sensor=sensor,
        lane=lane,
        frame=frame,
        history=tuple(lines),
    )


def _is_dated(template: TableTemplate) -> bool:
    """Whether dates or times of day are read."""
    return any(column.format for column in template.columns.values())


def _find(findings: Findings, table: TextTable, column: Column, role: str) -> int:
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


def _scaled(table: TextTable, index: int, column: Column) -> Floats:
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


def _read_time(
    findings: Findings,
    table: TextTable,
    template: TableTemplate,
    places: Mapping[str, int],
    date: str | None,
) -> tuple[Floats, str]:
    """Return times of the rows, in seconds, and where they are from."""
    columns = template.columns
    if "time" not in places:
        elapsed = _scaled(table, places["elapsed"], columns["elapsed"])
        return elapsed, f"column '{table.names[places['elapsed']]}', its own count"
    column, place = columns["time"], places["time"]
    if not column.format:
        return _scaled(table, place, column), f"column '{table.names[place]}'"
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


def _read_samples(
    table: TextTable, template: TableTemplate, indices: list[int]
) -> npt.NDArray[np.float32]:
    """Return samples by row, channel and sample."""
    n_channels = 1 + max(column.channel for column in template.samples)
    n_samples = 1 + max(column.sample for column in template.samples)
    cube = np.empty((len(table), n_channels, n_samples), np.float32)
    for column, index in zip(template.samples, indices, strict=True):
        with np.errstate(over="ignore"):  # too large for float32: infinite, and flagged
            cube[:, column.channel, column.sample] = _scaled(table, index, column)
    return cube


def _sensor_of(template: TableTemplate, cube: npt.NDArray[np.float32]) -> Sensor:
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


def _read_position(
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
        upward = _scaled(table, places["upward"], columns["upward"])
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
        east = _scaled(table, places["easting"], columns["easting"])
        north = _scaled(table, places["northing"], columns["northing"])
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


def _read_quality(
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

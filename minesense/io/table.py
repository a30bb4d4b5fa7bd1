"""Read logs of integrators: tables whose columns a template explains."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..sensor import Sensor
from ..sweep import Frame, Quality, Sweep
from .local_frame import heading_of_track
from .positions import fill_held
from .row_order import Stretch, order_rows
from .sweep_file import SweepFile, finish
from .table_columns import (
    find_column,
    read_position,
    read_quality,
    read_samples,
    read_time,
    scaled,
    sensor_of_template,
)
from .table_template import Column, TableTemplate, load_template
from .table_times import offset_of_zone
from .table_units import known_units, unit_of
from .text_table import TextTable, read_text_table
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
        role: find_column(findings, table, column, role)
        for role, column in template.columns.items()
    }
    indices = [find_column(findings, table, column, "samples") for column in template.samples]
    time, time_source = read_time(findings, table, template, places, date)
    cube = read_samples(table, template, indices)
    position, frame, source = read_position(findings, table, template, places, origin)
    if any(
        template.columns[role].is_held for role in ("latitude", "easting") if role in places
    ):
        position = fill_held(time, position, max_gap)
        source += f", held rows interpolated over up to {max_gap:g} s"
    quality = read_quality(findings, table, template, places)
    repeats = np.zeros(len(table), bool)
    flat = np.column_stack([cube.reshape(len(cube), -1), position])
    if len(flat) > 1:
        same = (flat[1:] == flat[:-1]) | (np.isnan(flat[1:]) & np.isnan(flat[:-1]))
        repeats[1:] = same.all(axis=1)
    if not np.isfinite(time).any():
        findings.fail("time", "no row has one", "at least one row with a time")
    heading = None
    if "heading" in places:
        heading = scaled(table, places["heading"], template.columns["heading"])
    sensor = sensor_of_template(template, cube)
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

"""Plain tables of sweeps: one row a trace, units in the header as ``name [unit]``."""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import check_one_of
from ..sweep import Sweep
from .sweep_file import SweepFile, sweeps_of
from .table import read_columns, split_unit
from .table_template import Column, TableTemplate, check_template
from .table_units import known_units, unit_of
from .text_table import Layout, TextTable, fold, read_text_table
from .trouble import Findings

#: Names of columns that are no samples, and the unit of SI they must have.
_ROLES = {
    "time": ("time", "s"),
    "timestamp": ("time", "s"),
    "elapsed": ("elapsed", "s"),
    "easting": ("easting", "m"),
    "northing": ("northing", "m"),
    "upward": ("upward", "m"),
    "height": ("upward", "m"),
    "altitude": ("upward", "m"),
    "latitude": ("latitude", "rad"),
    "lat": ("latitude", "rad"),
    "longitude": ("longitude", "rad"),
    "lon": ("longitude", "rad"),
    "heading": ("heading", "rad"),
    "quality": ("quality", "1"),
}
_PLACE = re.compile(r"channel ([0-9]{1,6}) sample ([0-9]{1,6})")
_SETTING = re.compile(r"(kind|sensor|quantity|axis|lever arms|lane|frame)(?: \[(\w+)\])?: (.*)")


def read_sweep_table(
    path: str | Path,
    *,
    units: dict[str, str] | None = None,
    axis: tuple[float, ...] = (),
    origin: tuple[float, float] | None = None,
    decimal: str = ".",
    strict: bool = False,
) -> SweepFile:
    r"""
    Read a plain table: time, position, then a column for each channel or gate.

    Parameters
    ----------
    path : str or Path
        CSV with a header whose columns are named ``name [unit]``; the separator is found from
        it. Time, easting and northing, or latitude and longitude, upward, heading and quality
        are known by their names; every other column is a channel.
    units : dict of str to str, optional
        Unit of columns that state none, by name.
    axis : tuple of float, optional
        Gate times in seconds: then the columns are gates of one channel. Tables that
        :func:`write_sweep_table` wrote tell it themselves.
    origin : (float, float), optional
        Latitude and longitude that positions are counted from; the first fix without it.
    decimal : str, optional
        Decimal sign of the cells, "." or ",". It is not guessed: 1,250 has two meanings.
    strict : bool, optional
        Whether warnings are errors.

    Returns
    -------
    result : SweepFile
        Of the table.

    Raises
    ------
    FormatError
        If time, a position or an amplitude has no unit, or a cell is no number; in strict mode
        also for a warning.
    ValueError
        If the decimal sign is none of the two.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lane.csv"
    ...     _ = path.write_text(
    ...         "time [ms],easting [m],northing [m],coil [mV]\n0,0,0,1.5\n100,0,1,2.5\n"
    ...     )
    ...     sweep = read_sweep_table(path).to_sweep()
    >>> sweep.time.tolist(), sweep.sensor.unit, (1e3 * sweep.samples.ravel()).round(3).tolist()
    ([0.0, 0.1], 'V', [1.5, 2.5])
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    check_one_of(decimal, "decimal", (".", ","))
    table = read_text_table(path, findings, Layout(decimal=decimal))
    template = _template_of(findings, table, units or {}, axis)
    return read_columns(
        findings, table, template, date=None, origin=origin, format_name="sweep table"
    )


def _template_of(
    findings: Findings, table: TextTable, units: dict[str, str], axis: tuple[float, ...]
) -> TableTemplate:
    """Return the template that a header and the comments before it stand for."""
    said = _settings(findings, table)
    given = {fold(name): unit for name, unit in units.items()}
    columns: dict[str, Column] = {}
    samples: list[Column] = []
    for index, header in enumerate(table.names):
        name, unit = split_unit(header)
        if not name:
            continue
        unit = given.get(fold(name), unit)
        known = unit_of(unit or "")
        role = _ROLES.get(fold(name))
        if known is None or (role is not None and known[0] != role[1]):
            wanted = known_units(role[1] if role else None)
            rule = f"stated as '{name} [unit]', or by units=...: one of {wanted}"
            findings.fail(f"unit of '{header}'", unit, rule, f"column {index + 1}")
        if role is not None and role[0] not in columns:
            columns[role[0]] = Column(index=index, unit=unit or "")
            continue
        place = _PLACE.fullmatch(fold(name))
        channel, sample = (int(place[1]), int(place[2])) if place else (len(samples), 0)
        if axis and not place:
            channel, sample = 0, len(samples)
        samples.append(Column(index=index, unit=unit or "", channel=channel, sample=sample))
    if not samples:
        findings.fail("columns", list(table.names)[:40], "with a channel: amplitude [unit]")
    template = TableTemplate(
        name="name [unit]",
        columns=columns,
        samples=tuple(samples),
        sensor_name=said.get("sensor", "table"),
        kind=said.get("kind", "emi"),
        quantity=said.get("quantity", "amplitude"),
        axis=axis or _numbers(findings, said.get("axis", "")),
        axis_unit=said.get("axis unit", "s"),
        lever_arms=_arms(findings, said.get("lever arms", "")),
    )
    check_template(findings, template)
    return template


def _settings(findings: Findings, table: TextTable) -> dict[str, str]:
    """Return what comments before the header say in the form that the writer uses."""
    said: dict[str, str] = {}
    for comment in table.comments:
        match = _SETTING.fullmatch(comment)
        if match:
            said.setdefault(match[1], match[3].strip())
            if match[1] == "axis" and match[2] in ("s", "Hz"):
                said.setdefault("axis unit", match[2])
    if said.get("kind", "emi") not in ("emi", "gpr"):
        findings.fail("kind", said["kind"], "emi or gpr")
    return said


def _numbers(findings: Findings, text: str) -> tuple[float, ...]:
    """Return the numbers of a setting."""
    try:
        values = tuple(float(word) for word in text.split())
    except ValueError:
        findings.fail("setting", text[:80], "numbers")
        raise AssertionError from None  # fail() has raised
    if not all(np.isfinite(value) for value in values):
        findings.fail("setting", text[:80], "finite numbers")
    return values


def _arms(findings: Findings, text: str) -> tuple[tuple[float, float, float], ...]:
    """Return lever arms of a setting."""
    arms = []
    for part in text.split(";") if text else []:
        numbers = _numbers(findings, part)
        if len(numbers) != 3:
            findings.fail("lever arms", text[:80], "right, forward, upward of each channel")
        arms.append((numbers[0], numbers[1], numbers[2]))
    return tuple(arms)


def write_sweep_table(source: Any, path: str | Path, *, overwrite: bool = False) -> Path:
    """
    Write a sweep as CSV with units in its header; read back, it has the same samples.

    Parameters
    ----------
    source : Sweep, or what a reader returns
        One sweep of real samples.
    path : str or Path
        The file.
    overwrite : bool, optional
        Whether a file of that name is replaced.

    Returns
    -------
    path : Path
        The file, read back and compared before it got its name.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    TypeError, ValueError
        If it is no sweep or several, has no traces, or its samples are complex, which the table
        cannot hold.

    Notes
    -----
    Time is in whole nanoseconds. Samples that are not finite are empty cells. History and what
    the physics needs of the sensor are not kept: HDF5 keeps all of it.
    """
    path = Path(path)
    sweeps = sweeps_of(source)
    if len(sweeps) != 1:
        n = len(sweeps)
        msg = f"Invalid source: it holds {n} sweeps. Must hold one: write it as HDF5."
        raise ValueError(msg)
    sweep = sweeps[0]
    if sweep.sensor.is_complex or not len(sweep):
        what = "complex samples" if len(sweep) else "no traces"
        msg = f"Invalid sweep with {what}. Must have real ones: write it as HDF5 instead."
        raise ValueError(msg)
    if unit_of(sweep.sensor.unit) is None:
        msg = f"Invalid unit '{sweep.sensor.unit}'. Must be one of {known_units()}."
        raise ValueError(msg)
    stamps = [round(Fraction(float(t)) * 10**9) for t in sweep.time]
    if any(b <= a for a, b in itertools.pairwise(stamps)):
        msg = "Invalid time: two traces lie within a nanosecond. Write it as HDF5 instead."
        raise ValueError(msg)
    if path.exists() and not overwrite:
        msg = f"Invalid path '{path}': it exists. Pass overwrite=True to replace it."
        raise FileExistsError(msg)
    data = _render(sweep, stamps).encode("utf-8")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _compare(beside, sweep)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _render(sweep: Sweep, stamps: list[int]) -> str:
    """Return a sweep as the text of a table."""
    sensor = sweep.sensor
    n_channels, n_samples = sensor.shape
    lines = [
        "# table of a sweep, one row a trace",
        f"# kind: {sensor.kind}",
        f"# sensor: {' '.join(sensor.name.split())}",
        f"# quantity: {' '.join(sensor.quantity.split())}",
        f"# axis [{sensor.axis_unit}]: {' '.join(repr(float(a)) for a in sensor.axis)}",
        "# lever arms [m]: "
        + "; ".join(" ".join(repr(float(x)) for x in arm) for arm in sensor.lever_arms),
        f"# lane: {' '.join(sweep.lane.split())}",
        f"# frame: {' '.join(sweep.frame.origin.split())}",
    ]
    names = [
        f"channel {c} sample {k} [{sensor.unit}]"
        for c in range(n_channels)
        for k in range(n_samples)
    ]
    head = ["time [ns]", "easting [m]", "northing [m]", "upward [m]", "heading [rad]"]
    lines.append(",".join([*head, "quality [1]", *names]))
    for k in range(len(sweep)):
        place = [_cell(float(x)) for x in (*sweep.position[k], sweep.heading[k])]
        values = [_cell(x) for x in sweep.samples[k].ravel()]
        lines.append(",".join([str(stamps[k]), *place, str(int(sweep.quality[k])), *values]))
    return "\n".join(lines) + "\n"


def _cell(value: float | np.float32) -> str:
    """Return the shortest decimals that parse back to the number; nothing for none."""
    if not np.isfinite(value):
        return ""
    if isinstance(value, np.float32):
        return np.format_float_scientific(value, unique=True, trim="-")
    return repr(value)


def _compare(path: Path, sweep: Sweep) -> None:
    """Raise unless a file reads back as the sweep."""
    findings = Findings(path)
    table = read_text_table(path, findings, Layout())
    template = _template_of(findings, table, {}, ())
    for column in template.samples:
        found = table.numbers(column.index or 0).astype(np.float32)
        meant = sweep.samples[:, column.channel, column.sample].astype(np.float32)
        meant = np.where(np.isfinite(meant), meant, np.float32(np.nan))
        if not np.array_equal(found, meant, equal_nan=True):
            msg = f"Writing '{path}' failed: the file does not read back as it was."
            raise OSError(msg)

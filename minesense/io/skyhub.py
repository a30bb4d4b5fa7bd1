"""Position logs of SkyHub drones, and the traces of a radar that they place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .row_order import join_dates
from .sweep_file import plain
from .table_times import TimeFormat, date_in_name, day_of, parse_column
from .text_table import Layout, TextTable, fold, read_text_table
from .trouble import Correction, Findings

Floats = npt.NDArray[np.float64]

#: Names of columns that a log must have to be one.
_NEEDED = ("elapsed", "latitude", "longitude")
_TRACES = ("gpr:trace", "zgpr:trace", "echo:trace hi", "echo:trace lo")
_RTK = ("rtk status", "status rtk")
#: Columns with numbers that are kept as such, and how they are called here.
_NUMBERS = {
    "pitch": "pitch_deg",
    "roll": "roll_deg",
    "altitude": "height_above_takeoff_m",
    "alt:altitude": "height_above_ground_m",
    "alt:filtered altitude": "filtered_height_above_ground_m",
    "ellipsoidal height": "ellipsoidal_height_m",
    "altitude rtk": "altitude_rtk_m",
    "latitude rtk": "latitude_rtk_deg",
    "longitude rtk": "longitude_rtk_deg",
    "velocity": "velocity_m_s",
    "next wp": "waypoint",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PositionLog:
    """What a drone logged of its own position, and the numbers of traces in its rows."""

    path: Path
    format: str = "skyhub"
    time: Floats  #: (n_rows,) s since 1970, UTC; of the day without a date
    line: npt.NDArray[np.int64]  #: (n_rows,) number of the stretch in which time runs on
    elapsed: Floats  #: (n_rows,) s of the logger's own count
    latitude: Floats  #: (n_rows,) degrees; NaN in rows that only repeat a value
    longitude: Floats  #: (n_rows,) degrees
    heading: Floats  #: (n_rows,) rad clockwise from north, NaN where unknown
    has_rtk: npt.NDArray[np.bool_]  #: (n_rows,) whether the position is corrected
    traces: Mapping[str, npt.NDArray[np.int64]]  #: of each payload, -1 in rows without
    values: Mapping[str, Floats] = field(default_factory=dict)  #: heights and attitude
    texts: Mapping[str, list[str]] = field(default_factory=dict)  #: columns not known here
    has_date: bool = True
    sources: Mapping[str, str] = field(default_factory=dict)  #: which field told what
    corrections: tuple[Correction, ...] = ()
    warnings: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """
        Return what the log holds, for people and as JSON.

        Returns
        -------
        document : dict
            Plain values.
        """
        return {
            "kind": "position log",
            "format": self.format,
            "rows": len(self.time),
            "lines": int(self.line[-1]) + 1 if len(self.line) else 0,
            "time": [float(self.time[0]), float(self.time[-1])] if len(self.time) else [],
            "has_date": self.has_date,
            "fixes": int(np.isfinite(self.latitude).sum()),
            "rows_without_rtk": int(np.count_nonzero(~self.has_rtk)),
            "traces": {name: int((rows >= 0).sum()) for name, rows in self.traces.items()},
            "values": sorted(self.values),
            "texts": sorted(self.texts),
            "sources": plain(self.sources),
            "corrections": [str(correction) for correction in self.corrections],
            "warnings": list(self.warnings),
        }


def read_skyhub(
    path: str | Path, *, date: str | None = None, strict: bool = False
) -> PositionLog:
    """
    Read a position log, `*-position.csv`.

    Parameters
    ----------
    path : str or Path
        The log.
    date : str, optional
        Of its first row, yyyy-mm-dd, for old logs without dates, instead of the one in the
        name of the file.
    strict : bool, optional
        Whether warnings are errors.

    Returns
    -------
    log : PositionLog
        Of all rows.

    Raises
    ------
    FormatError
        If a column is missing or a cell is not what it must be; in strict mode also for a
        warning.
    ValueError
        If the date is none.

    Notes
    -----
    Columns repeat the last value that the logger received. So equal coordinates in rows that
    follow each other are one fix, the first, and no standstill.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    table = read_text_table(path, findings, Layout(separator=","))
    places = {fold(name): k for k, name in enumerate(table.names) if name}
    for name in (*_NEEDED, "time"):
        if name not in places:
            findings.fail("column", name, f"in the header: {[n for n in table.names if n]}")
    if not len(table):
        findings.fail("rows", 0, "one or more")
    time, has_date, source = _read_time(findings, table, places, date)
    latitude, longitude = table.numbers(places["latitude"]), table.numbers(places["longitude"])
    _check_angles(table, places, latitude, longitude)
    none = (latitude == 0) & (longitude == 0)
    latitude[none] = np.nan
    if none.any():
        findings.warn(f"{np.count_nonzero(none)} rows have zero coordinates: no position")
    if len(latitude) > 1:
        held = (latitude[1:] == latitude[:-1]) & (longitude[1:] == longitude[:-1])
        latitude[1:][held] = np.nan
    longitude[np.isnan(latitude)] = np.nan
    known = {"elapsed", "date", "time", "latitude", "longitude", "heading", "yaw"}
    heading = next((places[n] for n in ("heading", "yaw") if n in places), None)
    values = {
        ours: table.numbers(places[name]) for name, ours in _NUMBERS.items() if name in places
    }
    traces = {
        table.names[places[name]]: _read_traces(table, places[name])
        for name in _TRACES
        if name in places
    }
    has_rtk = _read_rtk(findings, table, places)
    used = known | set(_NUMBERS) | set(_TRACES) | set(_RTK)
    log = PositionLog(
        path=path,
        time=time,
        line=_lines_of(findings, time),
        elapsed=table.numbers(places["elapsed"]) * 1e-3,
        latitude=latitude,
        longitude=longitude,
        heading=np.radians(table.numbers(heading))
        if heading is not None
        else np.full(len(table), np.nan),
        has_rtk=has_rtk,
        traces=traces,
        values=values,
        texts={table.names[k]: table.text(k) for n, k in places.items() if n not in used},
        has_date=has_date,
        sources={"time": source, "position": "Latitude, Longitude"},
        corrections=tuple(findings.corrections),
        warnings=tuple(findings.warnings),
    )
    findings.emit(stacklevel=2)
    return log


def _read_time(
    findings: Findings, table: TextTable, places: Mapping[str, int], date: str | None
) -> tuple[Floats, bool, str]:
    """Return times in seconds, whether they have dates, and where those are from."""
    cells = table.text(places["time"])
    _, seconds, bad = parse_column(cells, TimeFormat("H:mm:ss.fff"))
    if bad is not None:
        table.fail(bad, places["time"], cells[bad], "a time as H:mm:ss.fff")
    if "date" in places:
        day_cells = table.text(places["date"])
        days, _, bad = parse_column(day_cells, TimeFormat("yyyy/MM/dd"))
        if bad is not None:
            table.fail(bad, places["date"], day_cells[bad], "a date as yyyy/MM/dd")
        return join_dates(findings, days, seconds, has_dates=True), True, "Date and Time, UTC"
    time = join_dates(findings, np.zeros(len(table)), seconds, has_dates=False)
    source = "caller"
    if date is None:
        date, source = date_in_name(findings.path.name, findings), "name of the file"
    if date is None:
        findings.warn("no date in log or name: times are seconds of the day")
        return time, False, "Time, UTC, without a date"
    return time + day_of(date), True, f"Time, UTC; date by {source}"


def _check_angles(
    table: TextTable, places: Mapping[str, int], latitude: Floats, longitude: Floats
) -> None:
    """Raise if an angle is none."""
    for name, values, limit in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        beyond = np.flatnonzero(np.abs(values) > limit)
        if len(beyond):
            row = int(beyond[0])
            cell = table.text(places[name])[row]
            table.fail(row, places[name], cell, f"within {limit} degrees")


def _read_traces(table: TextTable, index: int) -> npt.NDArray[np.int64]:
    """Return numbers of traces, -1 in rows in which the payload did not speak."""
    numbers = table.numbers(index)
    there = np.isfinite(numbers)
    whole = ~there | ((numbers == np.rint(numbers)) & (numbers >= 0) & (numbers < 2**31))
    if not whole.all():
        row = int(np.argmin(whole))
        table.fail(row, index, table.text(index)[row], "the number of a trace")
    return np.where(there, numbers, -1).astype(np.int64)


def _read_rtk(
    findings: Findings, table: TextTable, places: Mapping[str, int]
) -> npt.NDArray[np.bool_]:
    """Return whether the position of each row is corrected."""
    index = next((places[name] for name in _RTK if name in places), None)
    if index is None:
        findings.warn("the log does not tell whether positions are RTK-corrected")
        return np.zeros(len(table), bool)
    has_rtk = np.array([cell.upper() == "ON" for cell in table.text(index)], bool)
    if not has_rtk.all():
        n = np.count_nonzero(~has_rtk)
        findings.warn(f"{n} of {len(has_rtk)} rows have no RTK: flagged POSE_COARSE")
    return has_rtk


def _lines_of(findings: Findings, time: Floats) -> npt.NDArray[np.int64]:
    """Return the number of the line of each row: a new one where time runs back for good."""
    line = np.zeros(len(time), np.int64)
    latest, number = -np.inf, 0
    n_single = 0
    for row in range(len(time)):
        here = time[row]
        if np.isfinite(here):
            if here < latest:
                following = time[row + 1 : row + 2]
                if len(following) and following[0] >= latest:
                    n_single += 1  # it alone is wrong
                else:
                    number += 1
                    latest = here
            else:
                latest = here
        line[row] = number
    if n_single:
        findings.warn(f"time runs backward in {n_single} single rows: they place nothing")
    if number:
        findings.warn(f"time runs backward for good {number} times: the log is split there")
    return line

"""Position logs of SkyHub drones, and the traces of a radar that they place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_one_of, check_positive
from ..sweep import Quality, Sweep
from .local_frame import heading_of_track, local_frame, local_position
from .positions import interpolate
from .recording import Recording
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


def join_skyhub(
    recording: Recording,
    log: PositionLog,
    *,
    payload: str | None = None,
    first_trace: int | None = None,
    origin: tuple[float, float] | None = None,
    max_gap: float = 2.0,
    lane: str | None = None,
    centre_frequency: float | None = None,
) -> Sweep:
    """
    Place the traces of a recording by the rows of a log that name them.

    Parameters
    ----------
    recording : Recording
        Of the SEG-Y log of the payload. Names of logs differ by seconds and logs are split:
        which recording belongs to which log is the caller's to say.
    log : PositionLog
        Of the same flight.
    payload : str, optional
        Column with the numbers of traces, for example ``"GPR:Trace"``; the only one without it.
    first_trace : int, optional
        Number of the first trace, 0 or 1. Without it the numbers must tell: the logger does not
        document it.
    origin : (float, float), optional
        Latitude and longitude that positions are counted from; the first fix without it.
    max_gap : float, optional
        Longest time between fixes to interpolate over, in seconds.
    lane : str, optional
        Name of the lane, the stem of the recording without it.
    centre_frequency : float, optional
        Of the antenna, in hertz, as in :meth:`~minesense.io.recording.Recording.to_sweep`.

    Returns
    -------
    sweep : Sweep
        Positions and times by the log; upward is the height above ground where the log has it.
        A trace that no row names, or whose fixes are further apart than `max_gap`, has
        POSE_NONE; one without RTK POSE_COARSE; one before which the line of the log changes,
        GAP.

    Raises
    ------
    FormatError
        If numbers of traces decrease, repeat or lie outside the recording.
    TypeError, ValueError
        If the base is not clear and not given, or an option is not in its range.

    Warns
    -----
    FormatWarning
        If traces have no row.
    """
    max_gap = check_positive(max_gap, "max_gap")
    if first_trace is not None and first_trace not in (0, 1):
        msg = f"Invalid first_trace '{first_trace}'. Must be 0 or 1."
        raise ValueError(msg)
    name = _pick_payload(log, payload)
    n_traces = recording.shape[0]
    findings = Findings(log.path)
    rows, traces = _match(findings, log.traces[name], n_traces, first_trace, name)
    time, line = log.time[rows], log.line[rows]
    rows_known = np.isfinite(time)
    latitude, longitude, height = _places_at(log, rows, max_gap)
    fixed = np.isfinite(latitude)
    if not fixed.any():
        findings.fail("positions", 0, "at least one trace with a fix")
    start = origin or (float(latitude[fixed][0]), float(longitude[fixed][0]))
    east, north = local_position(latitude, longitude, origin=start)
    position = np.full((n_traces, 3), np.nan)
    position[traces] = np.column_stack([east, north, height])
    sweep = recording.to_sweep(lane=lane, centre_frequency=centre_frequency)
    quality = sweep.quality & ~int(Quality.POSE_NONE | Quality.TIME_COARSE)
    coarse = np.ones(n_traces, bool)
    coarse[traces] = ~log.has_rtk[rows]
    no_pose = ~np.isfinite(position).all(axis=1)
    position[no_pose] = np.nan
    quality[no_pose] |= int(Quality.POSE_NONE)
    quality[coarse & ~no_pose] |= int(Quality.POSE_COARSE)
    breaks = traces[1:][np.diff(line) != 0]
    quality[breaks] |= int(Quality.GAP)
    times, is_guess, words = _times_of(n_traces, traces[rows_known], time[rows_known])
    quality[is_guess] |= int(Quality.TIME_COARSE)
    track = heading_of_track(position[:, 0], position[:, 1])
    heading = np.full(n_traces, np.nan)
    heading[traces] = log.heading[rows]
    heading = np.where(np.isfinite(heading), heading, track)
    n_without = n_traces - len(traces)
    if n_without:
        findings.warn(f"{n_without} of {n_traces} traces have no row in the log: POSE_NONE")
    ground = "height_above_ground_m" in log.values
    frame = local_frame(start, "above ground" if ground else "zero, no height above ground")
    findings.emit(stacklevel=2)
    return dataclasses.replace(
        sweep,
        time=times,
        position=position,
        heading=np.where(no_pose, np.nan, heading),
        quality=quality,
        frame=frame,
        history=(
            *sweep.history,
            f"join_skyhub: {len(traces)} traces placed by '{name}' of {log.path.name}, fixes "
            f"up to {max_gap:g} s apart; {words}",
            *(f"warning: {text}" for text in (*log.warnings, *findings.warnings)),
        ),
    )


def _pick_payload(log: PositionLog, payload: str | None) -> str:
    """Return the column with the numbers of traces."""
    spoken = [name for name, rows in log.traces.items() if (rows >= 0).any()]
    if payload is None:
        if len(spoken) != 1:
            msg = f"Invalid log '{log.path}' with payloads {spoken}. Must be one, or chosen."
            raise ValueError(msg)
        return spoken[0]
    found = {fold(name): name for name in log.traces}
    check_one_of(fold(payload), "payload", found)
    return found[fold(payload)]


def _match(
    findings: Findings,
    numbers: npt.NDArray[np.int64],
    n_traces: int,
    first: int | None,
    name: str,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return rows and the indices of the traces that they name."""
    rows = np.flatnonzero(numbers >= 0)
    if not len(rows):
        findings.fail(name, "no row", "a number of a trace in at least one row")
    said = numbers[rows]
    steps = np.diff(said)
    if (steps <= 0).any():
        bad = rows[1:][steps <= 0]
        what = "repeat or decrease"
        findings.fail(name, f"numbers {what} in rows {(bad[:10] + 1).tolist()}", "increasing")
    low, high = int(said[0]), int(said[-1])
    if first is None:
        fits = [base for base in (0, 1) if low >= base and high <= n_traces - 1 + base]
        if (low, high) == (0, n_traces - 1):
            first = 0
        elif (low, high) == (1, n_traces):
            first = 1
        elif len(fits) == 1:
            first = fits[0]
        elif fits:
            findings.fail(
                name,
                f"{low} to {high} for {n_traces} traces",
                "plain about its base, 0 or 1: pass first_trace",
            )
    outside = rows[(said < (first or 0)) | (said > n_traces - 1 + (first or 0))]
    if first is None or len(outside):
        found = f"{low} to {high}, rows {(outside[:10] + 1).tolist()}"
        findings.fail(name, found, f"within the {n_traces} traces of the recording")
    return rows, said - (first or 0)


def _places_at(
    log: PositionLog, rows: npt.NDArray[np.int64], max_gap: float
) -> tuple[Floats, Floats, Floats]:
    """Return latitude, longitude and height at rows, between fixes of the same line."""
    values = np.column_stack([log.latitude, log.longitude])
    finite = np.isfinite(log.longitude)
    values[finite, 1] = np.unwrap(log.longitude[finite], period=360)
    height = log.values.get("height_above_ground_m", np.zeros(len(log.time)))
    place = np.full((len(rows), 2), np.nan)
    for number in np.unique(log.line[rows]):
        there = (log.line == number) & finite & np.isfinite(log.time)
        fixes = np.flatnonzero(there)
        if not len(fixes):
            continue
        rising = fixes[log.time[fixes] >= np.maximum.accumulate(log.time[fixes])]
        _, first = np.unique(log.time[rising], return_index=True)
        fixes = rising[first]
        at = np.flatnonzero(log.line[rows] == number)
        place[at] = interpolate(
            log.time[fixes], values[fixes], log.time[rows[at]], max_gap=max_gap
        )
    longitude = (place[:, 1] + 180) % 360 - 180
    return place[:, 0], longitude, height[rows]


def _times_of(
    n_traces: int, traces: npt.NDArray[np.int64], time: Floats
) -> tuple[Floats, npt.NDArray[np.bool_], str]:
    """Return increasing times of all traces, which are not those of a row, and how."""
    guess = np.ones(n_traces, bool)
    if len(traces) < 2 or (np.diff(time) <= 0).any():
        words = "times of the rows do not increase: an order, 1 s a trace"
        return np.arange(n_traces, dtype=np.float64), guess, words
    guess[traces] = False
    step = float(np.median(np.diff(time) / np.diff(traces)))
    times = np.interp(np.arange(n_traces), traces, time)
    before, after = np.arange(traces[0]), np.arange(traces[-1] + 1, n_traces)
    times[before] = time[0] - step * (traces[0] - before)
    times[after] = time[-1] + step * (after - traces[-1])
    return times, guess, "times of the rows, of others between and beyond them by the rate"

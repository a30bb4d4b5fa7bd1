"""
Read the COR file of a MALA recording: where and when traces were recorded.

Columns are trace, date, time, latitude, N or S, longitude, E or W, height, its unit and one
that tools name differently. The unit may be glued to the height.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from .hd import UNITS
from .nmea import Fix, Track
from .sidecar import decode_lines, read_text_bytes
from .trouble import Findings, parse_number

_UNITS = UNITS | {"f": UNITS["ft"]}
_GLUED = re.compile(r"([-+.0-9eE]+?)\s*([A-Za-z]+)")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2}):([0-9]{2}(?:\.[0-9]{0,9})?)")


@dataclass(slots=True)
class CorLog:
    """What a COR file says."""

    track: Track = field(default_factory=Track)  #: fixes within the recording
    n_rows: int = 0
    n_outside: int = 0  #: rows of traces that the recording has not
    unread: list[int] = field(default_factory=list)  #: lines that are no rows
    last_columns: list[str] = field(default_factory=list)  #: as text, of the rows within


def read_cor(path: Path, findings: Findings, n_traces: int) -> CorLog:
    """
    Read the fixes of a COR file.

    Parameters
    ----------
    path : Path
        The COR file.
    findings : Findings
        Takes warnings.
    n_traces : int
        Traces of the recording, which the file counts from 1.

    Returns
    -------
    log : CorLog
        Fixes in order, those outside the recording counted.

    Raises
    ------
    FormatError
        If it is no text or too large.
    """
    log = CorLog()
    for number, line in enumerate(decode_lines(read_text_bytes(path), findings), start=1):
        row = _read_row(line)
        if row is None:
            log.unread.append(number)
            continue
        fix, last = row
        log.n_rows += 1
        log.track.n_positions += 1
        if not 0 <= fix.trace < n_traces:
            log.n_outside += 1
            continue
        log.track.add(fix)
        log.last_columns.append(last)
    log.track.dates = sorted({fix.date for fix in log.track.fixes if fix.date is not None})
    if log.unread:
        text = f"{path.name}: {len(log.unread)} lines are no rows, the first is {log.unread[0]}"
        findings.warn(text, field=f"lines of {path.name}", value=log.unread[:5])
    return log


def _read_row(line: str) -> tuple[Fix, str] | None:
    """Return the fix of a line and its last column, None if it is no row."""
    cells = [cell.strip() for cell in re.split(r"[\t,;]", line)]
    if len(cells) == 9:
        match = _GLUED.fullmatch(cells[7])
        cells[7:8] = [match[1], match[2]] if match else [cells[7], ""]
    if len(cells) < 10:
        return None
    trace = parse_number(cells[0])
    latitude = _angle(cells[3], cells[4], "NS", 90)
    longitude = _angle(cells[5], cells[6], "EW", 180)
    if trace is None or trace != int(trace) or latitude is None or longitude is None:
        return None
    unit = _UNITS.get(cells[8].lower(), math.nan)
    height = parse_number(cells[7])
    fix = Fix(
        trace=trace - 1,
        time_of_day=_time_of_day(cells[2]),
        date=_date(cells[1]),
        latitude=latitude,
        longitude=longitude,
        altitude=math.nan if height is None else height * unit,
        separation=math.nan,
        quality=0,
        satellites=math.nan,
        hdop=math.nan,
    )
    return fix, cells[9]


def _angle(text: str, hemisphere: str, letters: str, limit: float) -> float | None:
    """Return degrees of decimal degrees or d:m:s, negative for the second letter."""
    parts = [parse_number(part) for part in text.split(":")]
    if len(parts) > 3 or hemisphere.upper() not in tuple(letters):
        return None
    degrees = 0.0
    for part, unit in zip(parts, (1.0, 60.0, 3600.0), strict=False):
        if part is None or part < 0 or (unit > 1 and part >= 60):
            return None
        degrees += part / unit
    if degrees > limit:
        return None
    return -degrees if hemisphere.upper() == letters[1] else degrees


def _time_of_day(text: str) -> float:
    """Return seconds since midnight of h:mm:ss.ss, NaN for anything else."""
    match = _TIME.fullmatch(text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59 or float(match[3]) >= 61:
        return math.nan
    return 3600.0 * int(match[1]) + 60.0 * int(match[2]) + float(match[3])


def _date(text: str) -> datetime.date | None:
    """Return the date of yyyy-mm-dd, None for anything else."""
    if not re.fullmatch(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}", text):
        return None
    year, month, day = (int(part) for part in re.split(r"[-/]", text))
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None

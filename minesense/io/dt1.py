"""
Read Sensors & Software DT1 recordings with their HD and GPS files.

A DT1 file holds, trace after trace, a header of 128 bytes and the points. What they mean
is said in the HD file beside it.
"""

from __future__ import annotations

import datetime
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_one_of, check_positive
from .dt1_layout import TraceLayout, find_layout, map_traces
from .dt1_traces import SAMPLE, TraceReader, check_points
from .dzg import add_fixes, summarise_track
from .hd import HdHeader, no_hd, number_of, read_hd, unit_of
from .nmea import read_track
from .recording import LOOKED_THROUGH, Draft, Recording
from .sidecar import find_sidecar, read_text_bytes
from .sniff import HEAD, describe_content, looks_like_dzt
from .trouble import Findings, check_interval

_BLOCK = re.compile(rb"Trace\s*#\s*([0-9]{1,9})\s+at position\s+([-+.0-9eE]*)")

Floats = npt.NDArray[np.float64]


def read_dt1(
    path: str | Path,
    *,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
    units: str | None = None,
    sample_width: int | None = None,
    max_gap: float = 2.0,
) -> Recording:
    """
    Read a Sensors & Software DT1 recording, its HD file and the GPS file beside it.

    Parameters
    ----------
    path : str or Path
        The DT1 or the HD file.
    strict : bool, optional
        Whether warnings are errors.
    sample_interval, spacing : float, optional
        Time between samples in seconds and distance between traces in metres, instead of
        what the files say.
    units : "m" or "ft", optional
        Unit of positions, instead of what the HD file says. With `sample_interval`, the
        HD file may be missing.
    sample_width : int, optional
        Bytes of a point, 2 or 4, instead of what the trace headers say.
    max_gap : float, optional
        Longest time between fixes to interpolate positions over, in seconds.

    Returns
    -------
    recording : Recording
        `header["trace_headers"]` holds the headers of all traces as a mapped table.

    Raises
    ------
    FormatError
        If the HD file is missing, or the samples or their times would be wrong; in strict
        mode also for a warning.
    TypeError, ValueError
        If an option is not a number in its range.

    Notes
    -----
    The sample interval is TOTAL TIME WINDOW / NUMBER OF PTS/TRC. Positions are those of
    the trace headers; start, end and step of the HD file are compared with them.
    """
    path = Path(path)
    if units is not None:
        check_one_of(units, "units", ("m", "ft"))
    if sample_width is not None and check_count(sample_width, "sample_width") not in (2, 4):
        msg = f"Invalid sample_width '{sample_width}'. Must be 2 or 4 bytes."
        raise ValueError(msg)
    max_gap = check_positive(max_gap, "max_gap")
    if path.suffix.lower() == ".hd":
        path = find_sidecar(path, ".DT1") or path.with_suffix(".DT1")
    findings = Findings(path, strict=strict)
    if not path.is_file() and path.exists():
        findings.fail("path", str(path), "a file, not a folder or device")
    _refuse_foreign(findings, path)
    header = _find_header(findings, path, sample_interval, units)
    n_traces_said = _whole(findings, header, "NUMBER OF TRACES")
    n_points_said = _whole(findings, header, "NUMBER OF PTS/TRC")
    layout = find_layout(findings, n_traces_said, n_points_said, sample_width)
    traces = map_traces(findings, layout)
    draft = Draft(findings=findings, header=_describe(header, traces))
    draft.fields.update(
        format="dt1", stored=traces["points"][:, None, :], offset=0, header_words=(0,)
    )
    # Of a large file the first traces tell the spacing; others are compared when read.
    sample = traces if traces.nbytes <= LOOKED_THROUGH else traces[:SAMPLE]
    check_points(findings, sample["n_points"], layout)
    _add_interval(draft, header, layout, traces, sample_interval)
    unit = unit_of(header, units, findings)
    if spacing is not None:
        spacing = check_positive(spacing, "spacing")
    step = _add_spacing(draft, header, sample, unit, spacing)
    _add_survey(draft, header, unit)
    dates = header.dates()
    known_traces = max(layout.n_traces, n_traces_said or 0)
    gps_dates = _add_gps(draft, dates, known_traces)
    _add_date(draft, header, dates, gps_dates)
    draft.load = TraceReader(draft, header, traces, layout, unit, step, spacing, max_gap)
    return draft.finish()


def _refuse_foreign(findings: Findings, path: Path) -> None:
    """Raise if the content is plainly that of another format."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    content = "a GSSI DZT file" if looks_like_dzt(head) else describe_content(head)
    if content:
        findings.fail("content", head[:8], f"a DT1 file; it looks like {content}")


def _find_header(
    findings: Findings, path: Path, interval: float | None, units: str | None
) -> HdHeader:
    """Return the header beside a recording, or none if the caller says what it would."""
    sidecar = find_sidecar(path, ".HD")
    if sidecar is not None:
        return read_hd(sidecar, findings)
    if interval is None or units is None:
        rule = "there: it holds time window and units; or pass sample_interval and units"
        findings.fail("header file", str(path.with_suffix(".HD")), rule)
    return no_hd()


def _whole(findings: Findings, header: HdHeader, key: str) -> int | None:
    """Return the count a key has, None with a warning if it has none."""
    value = number_of(header, key, findings)
    if value is None:
        return None
    if not (1 <= value < 2**31 and value == int(value)):
        findings.warn(f"HD: {key} {value!r} is not a count", field=key, value=value)
        return None
    return int(value)


def _describe(header: HdHeader, traces: npt.NDArray[Any]) -> dict[str, Any]:
    """Return what was read, in the words of the files."""
    names = [name for name in traces.dtype.names or () if name != "points"]
    return {
        "tag": header.tag,
        "title": header.title,
        "date_line": header.date_line,
        "fields": dict(header.fields),
        "remarks": header.remarks,
        "trace_headers": traces[names],
    }


def _add_interval(
    draft: Draft,
    header: HdHeader,
    layout: TraceLayout,
    traces: npt.NDArray[Any],
    given: float | None,
) -> None:
    """Add sample interval, window and time zero."""
    findings, n = draft.findings, layout.n_points
    window_ns = number_of(header, "TOTAL TIME WINDOW", findings)
    interval = math.nan if window_ns is None else window_ns * 1e-9 / n
    draft.sources["sample_interval"] = "TOTAL TIME WINDOW / NUMBER OF PTS/TRC"
    if given is not None:
        given = check_positive(given, "sample_interval")
        findings.override("sample_interval", interval, given)
        interval, draft.sources["sample_interval"] = given, "caller"
    told = header.fields.get("TOTAL TIME WINDOW") if window_ns is None else window_ns
    check_interval(findings, interval, "HD", **{"TOTAL TIME WINDOW": told})
    said = float(traces["interval"][0])
    as_interval, as_window = said * 1e-12 / interval, said * 1e-9 / (n * interval)
    if not (abs(as_interval - 1) <= 1e-3 or abs(as_window - 1) <= 1e-3):
        findings.warn(
            f"trace headers say {said:g}, neither the interval in ps nor the window in ns; "
            f"{interval:g} s is used"
        )
    time_zero = None
    point = number_of(header, "TIMEZERO AT POINT", findings)
    if point:  # 0 means not set
        time_zero = (point - 1) * interval
    draft.fields.update(sample_interval=interval, window=n * interval, time_zero=time_zero)


def _add_spacing(
    draft: Draft,
    header: HdHeader,
    traces: npt.NDArray[Any],
    unit: float,
    given: float | None,
) -> float:
    """Add the spacing of traces, compared with the HD file; return it in the file's unit."""
    findings, n = draft.findings, len(traces)
    with np.errstate(over="ignore", invalid="ignore"), np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(traces["position"].astype(np.float64)))
    for key in ("STARTING POSITION", "FINAL POSITION"):
        number_of(header, key, findings)  # warns if there is none
    step = number_of(header, "STEP SIZE USED", findings)
    steps = steps[np.isfinite(steps)]
    found = float(np.median(steps)) if len(steps) else 0.0
    draft.sources["spacing"] = "positions of trace headers"
    if n == 1 and step is not None and abs(step) > 0:
        found = abs(step)  # one trace contradicts no step
        draft.sources["spacing"] = "STEP SIZE USED"
    if found == 0 and n > 1:
        findings.warn("positions of traces do not change: no distance along the line")
    if found > 0 and step is not None and abs(abs(step) / found - 1) <= 0.01:
        found = abs(step)  # the same in shorter decimals
    elif found > 0 and step is not None:
        findings.correct("STEP SIZE USED", step, found, "the positions of the traces say so")
    spacing = found * unit or None
    if given is not None:
        findings.override("spacing", spacing, given)
        spacing = given
        draft.sources["spacing"] = "caller"
    draft.fields["spacing"] = spacing
    return found


def _add_survey(draft: Draft, header: HdHeader, unit: float) -> None:
    """Add what the HD file says about antennas and the kind of survey."""
    findings, fields = draft.findings, draft.fields
    megahertz = number_of(header, "NOMINAL FREQUENCY", findings)
    if megahertz is not None and not 0.1 <= megahertz <= 1e5:
        findings.warn(f"HD: NOMINAL FREQUENCY {megahertz:g} MHz is out of range; not used")
        megahertz = None
    separation = number_of(header, "ANTENNA SEPARATION", findings)
    mode = header.fields.get("SURVEY MODE", "")
    is_gather = bool(mode) and mode.lower() != "reflection"
    if is_gather:
        findings.warn(f"SURVEY MODE {mode[:40]!r}: positions are antenna offsets, not places")
    fields.update(
        centre_frequency=None if megahertz is None else 1e6 * megahertz,
        antenna_separation=None if separation is None else separation * unit,
        is_offset_gather=is_gather,
    )


def _add_gps(
    draft: Draft, dates: tuple[datetime.date, ...], n_known: int
) -> list[datetime.date]:
    """Add positions of the GPS file, if any; return the days that it names."""
    sidecar = find_sidecar(draft.path, ".GPS")
    if sidecar is None:
        return []
    data = read_text_bytes(sidecar)
    starts = list(_BLOCK.finditer(data))
    stops = [*(match.start() for match in starts[1:]), len(data)][: len(starts)]
    records = [
        (int(match[1]) - 1, data[match.end() : stop])
        for match, stop in zip(starts, stops, strict=True)
    ]
    track = read_track(records, date=dates[0] if dates else None)
    draft.header["gps"] = {"blocks": len(records), **summarise_track(track)}
    last = max((trace for trace, _ in records), default=0)
    if last >= n_known:
        draft.findings.warn(
            f"{sidecar.name} is of another recording: it names trace {last + 1} of {n_known}; "
            "not used"
        )
        return []
    near = [day for day in dates if any(abs((day - d).days) <= 1 for d in track.dates)]
    if dates and track.dates and not near:
        draft.findings.warn(
            f"{sidecar.name} is of {track.dates[0]}, the recording of {dates[0]}; not used"
        )
        return []
    add_fixes(draft, sidecar, track)
    return track.dates


def _add_date(
    draft: Draft,
    header: HdHeader,
    dates: tuple[datetime.date, ...],
    gps_dates: list[datetime.date],
) -> None:
    """Add the day of the recording; a satellite receiver decides between two readings."""
    if not dates:
        if header.path is not None and header.date_line != "-":  # "-" says that there is none
            draft.findings.warn(f"HD: no date in {header.date_line[:40]!r}")
        draft.fields["date"] = None
        return
    chosen = dates[0]
    if len(dates) > 1:
        near = [day for day in dates if any(abs((day - d).days) <= 1 for d in gps_dates)]
        if len(near) == 1:
            chosen = near[0]
            reason = "month before day or after it: the satellite receiver decides"
            draft.findings.correct("date", header.date_line, chosen.isoformat(), reason)
        else:
            draft.findings.warn(
                f"date {header.date_line!r} is ambiguous: read as month/day, {chosen}"
            )
    draft.fields["date"] = chosen.isoformat()

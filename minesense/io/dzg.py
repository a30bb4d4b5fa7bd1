"""Positions (DZG) and settings (DZX) that GSSI instruments write beside a DZT file."""

from __future__ import annotations

import datetime
import itertools
import math
import re
from pathlib import Path
from typing import Any
from xml.parsers import expat

from .dzt_counter import ScanIndex
from .nmea import Track, read_track
from .recording import Draft
from .sidecar import find_sidecar, read_text_bytes
from .trouble import parse_number

_RECORD = re.compile(rb"\$GSSIS,([^,\r\n$]*)")
_WHOLE = re.compile(rb"\s*\d{1,15}\s*")
_MAX_XML = 16 * 2**20
_UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
_AGREEMENT = 0.05  # statements about the spacing may differ by as much, as a fraction
_XML_TROUBLE = (expat.ExpatError, ValueError, LookupError)


def read_gps_records(data: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """
    Return scan number and bytes of every record of a DZG file, and how many have none.

    A record starts with `$GSSIS,<scan>`, which has no checksum, and lasts to the next.
    """
    starts = list(_RECORD.finditer(data))
    stops = [*(match.start() for match in starts[1:]), len(data)][: len(starts)]
    records, n_bad = [], 0
    for match, stop in zip(starts, stops, strict=True):
        if _WHOLE.fullmatch(match[1]):
            records.append((int(match[1]), data[match.end() : stop]))
        else:
            n_bad += 1
    return records, n_bad


def add_dzg(draft: Draft, index: ScanIndex, *, is_truncated: bool) -> None:
    """
    Add the fixes of the DZG file beside a recording, if there is one.

    Parameters
    ----------
    draft : Draft
        The recording, takes fixes, their source, counts and warnings.
    index : ScanIndex
        How its traces are numbered.
    is_truncated : bool
        Whether the last scan was cut: then fixes behind the last trace are expected.
    """
    findings = draft.findings
    sidecar = find_sidecar(draft.path, ".DZG")
    if sidecar is None:
        return
    records, n_bad = read_gps_records(read_text_bytes(sidecar))
    created = draft.header["created"]
    day = datetime.date.fromisoformat(created[:10]) if created else None
    first, last = index.first, index.last
    outside = [scan for scan, _ in records if not first <= scan <= last]
    positions = index.traces_of([scan for scan, _ in records])
    inside = [
        (float(trace), data)
        for trace, (scan, data) in zip(positions, records, strict=True)
        if first <= scan <= last
    ]
    track = read_track(inside, date=day)
    draft.header["dzg"] = {
        "records": len(records) + n_bad,
        "records_without_scan": n_bad,
        "records_outside": len(outside),
        **summarise_track(track),
    }
    if outside and not is_truncated:
        findings.warn(
            f"{sidecar.name} is of another recording: {len(outside)} of its scans lie "
            f"outside {first} to {last}, the first is {outside[0]}; not used"
        )
        return
    if day is not None and track.dates and not _is_near(day, track.dates):
        findings.warn(
            f"{sidecar.name} is of {track.dates[0]}, the recording of {day}; not used"
        )
        return
    add_fixes(draft, sidecar, track)


def summarise_track(track: Track) -> dict[str, Any]:
    """Return what was counted while reading a log of positions."""
    return {
        "sentences": track.n_sentences,
        "dropped_sentences": track.n_dropped,
        "unusable_positions": track.n_unusable,
        "repeated_fixes": track.n_repeated,
        "stale_fixes": track.n_stale,
        "fixes": len(track.fixes),
        "traces_with_fix": track.traces_with_fix,
        "dates": [date.isoformat() for date in track.dates],
    }


def add_fixes(draft: Draft, sidecar: Path, track: Track) -> None:
    """Add the fixes of a log to the fields of a recording; warn of what it lacks."""
    findings = draft.findings
    if not track.fixes:
        findings.warn(
            f"{sidecar.name}: {track.n_positions} positions and no fix, so no positions"
        )
        return
    if track.n_stale:
        findings.warn(
            f"{sidecar.name}: {track.n_stale} fixes dropped, their time stood still or ran "
            "backward"
        )
    if len(track.fixes) == 1 and track.n_repeated > 1:
        findings.warn(
            f"{sidecar.name}: time and position stand still in all {track.n_repeated + 1} fixes"
        )
    if track.n_dropped:
        findings.warn(
            f"{sidecar.name}: {track.n_dropped} sentences dropped for want of a correct "
            "checksum"
        )
    draft.fields["fixes"] = tuple(track.fixes)
    draft.sources["position"] = sidecar.name


def _is_near(day: datetime.date, dates: list[datetime.date]) -> bool:
    """Whether one of the dates is at most a day off: local time is not UTC."""
    return any(abs((day - date).days) <= 1 for date in dates)


def read_dzx_spacing(draft: Draft, n_scans: int, known: float) -> float | None:
    """
    Return the trace spacing that the DZX file beside a recording gives, in metres.

    Parameters
    ----------
    draft : Draft
        The recording, takes the statements found and warnings.
    n_scans : int
        Scans of the recording, lost ones counted.
    known : float
        Spacing by the recording itself; NaN if none, else the sidecar is only compared.

    Returns
    -------
    spacing : float or None
        None if there is no such file, it says nothing, its statements differ by more
        than 5 % or its scan range is not that of the recording.
    """
    findings = draft.findings
    sidecar = find_sidecar(draft.path, ".DZX")
    if sidecar is None:
        return None
    data = read_text_bytes(sidecar, limit=_MAX_XML)
    try:
        elements = _parse_xml(data)
    except _XML_TROUBLE as error:
        findings.warn(f"{sidecar.name} refused: {error}")
        return None
    statements, scan_range, problem = _read_statements(elements)
    draft.header["dzx"] = {"spacing_statements_m": statements, "scan_range": scan_range}
    is_known = 0 < known < math.inf
    if not problem and statements:
        values = sorted(statements.values())
        if values[-1] > (1 + _AGREEMENT) * values[0]:
            listed = ", ".join(f"{name} {value:g} m" for name, value in statements.items())
            problem = f"it contradicts itself about the spacing ({listed})"
        elif is_known and not 1 / (1 + _AGREEMENT) <= values[0] / known <= 1 + _AGREEMENT:
            problem = f"it says {values[0]:g} m between scans, the recording {known:g} m"
    if scan_range is not None:
        n_range = scan_range[1] - scan_range[0] + 1
        if n_range != n_scans:
            range_problem = f"its range holds {n_range} scans, the recording {n_scans}"
            problem = f"{problem}; {range_problem}" if problem else range_problem
    if problem:
        findings.warn(f"{sidecar.name} not used: {problem}")
        return None
    if is_known or not statements or scan_range is None:
        return None
    return next(iter(statements.values()))


def _parse_xml(data: bytes) -> list[tuple[str, str]]:
    """Return name and text of the elements that matter; refuse a DTD and entities."""
    wanted = {"unitsPerScan", "scanPerMeters", "horizontalUnit", "scanRange", "WayPt"}
    wanted |= {"scan", "localCoords"}
    elements: list[tuple[str, str]] = []
    parts: list[str] = []
    parser = expat.ParserCreate()

    def refuse(*_: Any) -> None:
        msg = "XML with a DTD or entity definitions is not read"
        raise ValueError(msg)

    def start(name: str, _: dict[str, str]) -> None:
        parts.clear()
        if name.rpartition(":")[2] == "WayPt":
            elements.append(("WayPt", ""))

    def end(name: str) -> None:
        name = name.rpartition(":")[2]
        if name in wanted and name != "WayPt":
            elements.append((name, "".join(parts).strip()))
        parts.clear()

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = parts.append
    parser.Parse(data, True)
    return elements


def _until_way_point(elements: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the elements before the next way point."""
    return list(itertools.takewhile(lambda element: element[0] != "WayPt", elements))


def _read_statements(
    elements: list[tuple[str, str]],
) -> tuple[dict[str, float], tuple[int, int] | None, str]:
    """Return spacings by their source, the range of scans, and what cannot be read."""
    statements: dict[str, float] = {}
    unit_name = next((text for name, text in elements if name == "horizontalUnit"), "")
    unit = _UNITS.get(unit_name.lower())
    scan_range: tuple[int, int] | None = None
    points: list[tuple[float, list[float]]] = []
    for k, (name, text) in enumerate(elements):
        number = parse_number(text)
        if name == "unitsPerScan" and number is not None and number > 0:
            if unit is None:
                return {}, None, f"unit {unit_name!r} is unknown"
            statements[name] = number * unit
        elif name == "scanPerMeters" and number is not None and number > 0:
            statements[name] = 1 / number
        elif name == "scanRange" and scan_range is None:
            match = re.fullmatch(r"\s*([0-9]{1,9})\s*,\s*([0-9]{1,9})\s*", text)
            scan_range = (int(match[1]), int(match[2])) if match else None
        elif name == "WayPt":
            inner = dict(
                itertools.takewhile(lambda e: e[0] != "WayPt", elements[k + 1 : k + 4])
            )
            scan = parse_number(inner.get("scan", ""))
            place = [parse_number(part) for part in inner.get("localCoords", "").split(",")]
            if scan is not None and len(place) >= 2 and None not in place[:2]:
                points.append((scan, [float(part or 0.0) for part in place[:2]]))
    n_scans = points[-1][0] - points[0][0] if points else 0
    if n_scans > 0:
        length = sum(math.dist(a[1], b[1]) for a, b in itertools.pairwise(points))
        if length > 0:
            statements["way points"] = (unit or 1.0) * length / n_scans
    return statements, scan_range, ""

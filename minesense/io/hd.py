"""
Read the HD header of a Sensors & Software recording.

A text file: a tag, a title and a date, then `KEY = value` in any order, with lines of
remarks between. Line ends are CR CR LF, or mixed.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from .sidecar import decode_lines, read_text_bytes
from .trouble import Findings, parse_number

#: Metres in the units of positions.
UNITS = {"m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0}
UNITS |= dict.fromkeys(("ft", "foot", "feet"), 0.3048)


@dataclass(frozen=True, slots=True, kw_only=True)
class HdHeader:
    """What an HD file says, as text."""

    path: Path | None  #: None if there is no file and the caller stands in
    tag: str
    title: str
    date_line: str
    fields: dict[str, str]  #: by key, upper case, single blanks
    remarks: tuple[str, ...]  #: lines without an equals sign

    @property
    def has_geographic_positions(self) -> bool:
        """Whether trace headers hold longitude and latitude."""
        return any("latlong" in re.sub(r"[\s/_-]", "", r).lower() for r in self.remarks)

    def dates(self) -> tuple[datetime.date, ...]:
        """
        Return the dates the third line can mean, the likeliest first.

        Year first is certain; of two numbers up to 12 before the year the first is read
        as the month, and the other reading comes second.
        """
        match = re.match(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})", self.date_line)
        if match:
            parts = [(int(match[1]), int(match[2]), int(match[3]))]
        else:
            match = re.match(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})", self.date_line)
            if not match:
                return ()
            first, second, year = int(match[1]), int(match[2]), int(match[3])
            parts = list(dict.fromkeys([(year, first, second), (year, second, first)]))
        found = []
        for year, month, day in parts:
            try:
                found.append(datetime.date(year, month, day))
            except ValueError:
                continue
        return tuple(found)


def read_hd(path: Path, findings: Findings) -> HdHeader:
    """
    Read an HD file.

    Parameters
    ----------
    path : Path
        The HD file.
    findings : Findings
        Takes warnings.

    Returns
    -------
    header : HdHeader
        Its fields, preamble and remarks.

    Raises
    ------
    FormatError
        If it is no text, too large or has no `KEY = value` line.
    """
    lines = decode_lines(read_text_bytes(path), findings)
    preamble: list[str] = []
    fields: dict[str, str] = {}
    remarks: list[str] = []
    for number, line in enumerate(lines, start=1):
        key, equals, value = line.partition("=")
        if equals:
            key = " ".join(key.upper().split())
            if key in fields:
                findings.warn(f"{path.name}, line {number}: {key} again; the first counts")
            else:
                fields[key] = value.strip(" \t\0")
        elif not fields and len(preamble) < 3:
            preamble.append(line)
        else:
            remarks.append(line)
    if not fields:
        findings.fail(f"content of {path.name}", lines[:1], "an HD file with KEY = value lines")
    tag, title, date_line = [*preamble, "", "", ""][:3]
    if not re.fullmatch(r"[0-9]+", tag):
        findings.warn(f"{path.name}: first line {tag[:40]!r} is not a number")
    return HdHeader(
        path=path,
        tag=tag,
        title=title,
        date_line=date_line,
        fields=fields,
        remarks=tuple(remarks),
    )


def no_hd() -> HdHeader:
    """Return a header that says nothing."""
    return HdHeader(path=None, tag="", title="", date_line="", fields={}, remarks=())


def number_of(header: HdHeader, key: str, findings: Findings) -> float | None:
    """
    Return the number a key has, None with a warning if it has none.

    A decimal comma is accepted and listed as a correction; thousands marks and units are
    not numbers.
    """
    text = header.fields.get(key)
    if text is None:
        if header.path is not None:
            findings.warn(f"{header.path.name}: {key} is missing", field=key)
        return None
    value = parse_number(text)
    if value is None and re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        value = parse_number(text.replace(",", "."))
        findings.correct(key, text, value, "a decimal comma")
    if value is None:
        findings.warn(f"HD: {key} {text[:40]!r} is not a number", field=key, value=text)
    return value


def unit_of(header: HdHeader, given: str | None, findings: Findings) -> float:
    """
    Return the metres in the unit of positions.

    Raises
    ------
    FormatError
        If neither the caller nor the file names a unit that is known.
    """
    text = header.fields.get("POSITION UNITS", "")
    if given is not None:
        findings.override("POSITION UNITS", text, given)
        text = given
    unit = UNITS.get(text.lower())
    if unit is None:
        findings.fail("POSITION UNITS", text, "m or ft: pass units to override it", "HD")
    return unit

"""
Read the RAD header of a MALA recording.

A text file of `KEY:value` lines. One header can serve an RD3 and an RD7 file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .sidecar import decode_lines, read_text_bytes
from .trouble import Findings, parse_number

_MEGAHERTZ = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*(M|G)Hz", re.IGNORECASE)
_LEADING = re.compile(r"\s*(\d{2,4})(?=[_\s])")


@dataclass(frozen=True, slots=True, kw_only=True)
class RadHeader:
    """What a RAD file says, as text."""

    path: Path | None  #: None if there is no file and the caller stands in
    fields: dict[str, str]  #: by key, upper case, single blanks, in the order of the file

    def number(self, key: str, findings: Findings) -> float | None:
        """Return the number a key has; None without it, with a warning if it is no number."""
        text = self.fields.get(key)
        if not text:
            return None
        value = parse_number(text)
        if value is None and re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
            value = parse_number(text.replace(",", "."))
            findings.correct(key, text, value, "a decimal comma")
        if value is None:
            findings.warn(f"RAD: {key} {text[:40]!r} is not a number", field=key, value=text)
        return value

    def antenna_frequency(self) -> float | None:
        """
        Return the frequency that the name of the antenna contains, in hertz.

        A number with MHz or GHz, else one of two to four digits in front of a blank or an
        underscore, as in "500_shielded"; None for other names. FREQUENCY is not it: that is
        how often the instrument samples.
        """
        name = self.fields.get("ANTENNAS", "")
        match = _MEGAHERTZ.search(name)
        if match:
            unit = 1e6 if match[2] in "mM" else 1e9
            return float(match[1]) * unit or None
        match = _LEADING.match(name)
        return 1e6 * float(match[1]) or None if match else None


def read_rad(path: Path, findings: Findings) -> RadHeader:
    """
    Read a RAD file.

    Parameters
    ----------
    path : Path
        The RAD file.
    findings : Findings
        Takes warnings.

    Returns
    -------
    header : RadHeader
        Its fields; a key that comes again counts where it is first.

    Raises
    ------
    FormatError
        If it is no text, too large or has no `KEY:value` line.
    """
    fields: dict[str, str] = {}
    lines = decode_lines(read_text_bytes(path), findings)
    for number, line in enumerate(lines, start=1):
        key, colon, value = line.partition(":")
        if not colon:
            continue
        key = " ".join(key.upper().split())
        if key in fields:
            findings.warn(f"{path.name}, line {number}: {key} again; the first counts")
        else:
            fields[key] = value.strip(" \t\0")
    if not fields:
        findings.fail(f"content of {path.name}", lines[:1], "a RAD file with KEY:value lines")
    return RadHeader(path=path, fields=fields)

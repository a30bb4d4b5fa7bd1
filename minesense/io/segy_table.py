"""
What this package says in SEG-Y files that it writes, and in the table beside them.

Trace headers of SEG-Y hold positions to 3 cm and no distance along the line. The text header
names spacing, time zero and antenna in figures that read back exactly, the table beside the
file has distance, time and position of every trace. Either is recognised by its first line.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .recording import Draft
from .traces import Load, TraceFields, no_positions
from .trouble import Findings, parse_number

#: Ends the name of the table, behind the stem of the recording.
SUFFIX = ".traces.csv"

#: First line of the text header.
TITLE = "C 1 RADAR TRACES WRITTEN BY MINESENSE"

#: Names in the text header, and the fields of a recording that they hold.
TEXT_FIELDS = {
    "TRACE SPACING m": "spacing",
    "TRACE INTERVAL s": "trace_interval",
    "TIME ZERO s": "time_zero",
    "CENTRE FREQUENCY Hz": "centre_frequency",
    "ANTENNA SEPARATION m": "antenna_separation",
    "DATE": "date",
}

COLUMNS = (
    "trace",
    "distance [m]",
    "time [s]",
    "latitude [deg]",
    "longitude [deg]",
    "altitude [m]",
    "mark",
)
_ROWS = 2**16
_NAMES = ("distance", "times", "latitude", "longitude", "altitude")


def write_table(path: Path, fields: TraceFields) -> None:
    """Write the fields of all traces, NaN as empty cells, floats as short as they read back."""
    n = len(fields.quality)
    labels = dict(zip(fields.marks.tolist(), fields.mark_labels, strict=False))
    labels = {trace: labels.get(trace, "") or "mark" for trace in fields.marks.tolist()}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for start in range(0, n, _ROWS):  # text of all rows would take much memory
            stop = min(start + _ROWS, n)
            columns = [_cells(getattr(fields, name), start, stop) for name in _NAMES]
            for k, row in enumerate(zip(*columns, strict=True), start=start):
                writer.writerow([k, *row, labels.get(k, "")])


def _cells(values: npt.NDArray[np.float64] | None, start: int, stop: int) -> list[str]:
    """Return numbers as cells."""
    if values is None:
        return [""] * (stop - start)
    numbers = values[start:stop].tolist()
    return ["" if math.isnan(number) else repr(number) for number in numbers]


def read_own_text(draft: Draft, text: str) -> None:
    """Add what the text header of a file of this package says."""
    lines = text.splitlines()
    if not lines or lines[0] != TITLE:
        return
    for line in lines[1:]:
        match = re.fullmatch(r"C\s?\d+ ([^:]+): (\S+)", line)
        field = TEXT_FIELDS.get(match[1]) if match else None
        if match is None or field is None:
            continue
        value: Any = match[2] if field == "date" else parse_number(match[2])
        if value is not None:
            draft.fields[field] = value
            draft.sources[field] = "text header"


def add_table(draft: Draft, load: Load, n_traces: int, spacing: float | None) -> Load:
    """
    Return what reads the fields of traces, from the table beside a file if there is one.

    Parameters
    ----------
    draft : Draft
        The recording, takes sources and warnings.
    load : Load
        What reads them from trace headers.
    n_traces : int
        Of the recording.
    spacing : float or None
        By the caller: then distance follows from it.

    Returns
    -------
    load : Load
        Of the table, or the one given if there is none that fits.
    """
    table = draft.path.with_name(draft.path.stem + SUFFIX)
    if not table.is_file():
        return load
    findings = draft.findings
    with table.open("rb") as file:
        first = file.readline(1000)
        file.seek(max(0, table.stat().st_size - 1000))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    if first.rstrip(b"\r\n") != ",".join(COLUMNS).encode():
        return load  # of somebody else
    if last.partition(b",")[0] != str(n_traces - 1).encode():
        findings.warn(f"{table.name} ends with another trace than {n_traces - 1}; not used")
        return load
    draft.sources["position"] = draft.sources["distance"] = table.name
    return _TableReader(table, load, spacing)


class _TableReader:
    """Read fields of a range of traces from the table, flags from the trace headers."""

    def __init__(self, path: Path, load: Load, spacing: float | None):
        self.path = path
        self.load = load
        self.spacing = spacing

    def __call__(self, findings: Findings, start: int, stop: int) -> TraceFields:
        """Return the fields of the traces from `start` to before `stop`."""
        by_headers = self.load(findings, start, stop)
        n = stop - start
        values: npt.NDArray[np.float64] = np.full((len(_NAMES), n), np.nan)
        marks, labels = [], []
        with self.path.open(encoding="utf-8", errors="replace", newline="") as file:
            rows = itertools.islice(csv.reader(file), start + 1, stop + 1)
            k = -1
            try:
                for k, row in enumerate(rows):
                    is_whole = len(row) == len(COLUMNS) and row[0] == str(start + k)
                    numbers = [parse_number(cell) if cell else math.nan for cell in row[1:-1]]
                    if not is_whole or None in numbers:
                        self._refuse(findings, start + k, row)
                    values[:, k] = numbers
                    if row[-1]:
                        marks.append(k)
                        labels.append(row[-1])
            except csv.Error as error:
                self._refuse(findings, start + k + 1, str(error))
        if k + 1 < n:
            self._refuse(findings, start + k + 1, "no row")
        fields = {
            name: None if np.isnan(column).all() else column
            for name, column in zip(_NAMES, values, strict=True)
        }
        for name in _NAMES[2:]:
            if fields[name] is None:
                fields[name] = no_positions(n)
        if self.spacing is not None:
            fields["distance"] = by_headers.distance
        return TraceFields(
            quality=by_headers.quality,
            marks=np.array(marks, np.int64),
            mark_labels=tuple(labels),
            **fields,  # type: ignore[arg-type]
        )

    def _refuse(self, findings: Findings, trace: int, found: object) -> None:
        """Give up: a table that breaks off would leave traces at wrong places."""
        rule = f"{len(COLUMNS)} cells of trace {trace}, numbers or empty"
        findings.fail(f"row of {self.path.name}", found, rule, f"line {trace + 2}")

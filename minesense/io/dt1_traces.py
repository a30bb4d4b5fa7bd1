"""What the trace headers of Sensors & Software DT1 files say: clock, comments, positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .dt1_layout import TraceLayout
from .survey import release
from .trouble import Findings

#: Traces that stand for a large file when it is opened.
SAMPLE = 4096

_DAY = 86400.0
_BLOCK = 16 * 2**20  # bytes of a file mapped in one go
_COLUMNS = ("n_points", "number", "position", "zero_flag", "seconds", "place", "comment")

Floats = npt.NDArray[np.float64]


def read_columns(traces: npt.NDArray[Any], start: int, stop: int) -> dict[str, Any]:
    """Return fields of the headers of a range of traces, read block by block."""
    columns = {
        name: np.empty((stop - start, *traces.dtype[name].shape), traces.dtype[name].base)
        for name in _COLUMNS
    }
    rows = max(1, _BLOCK // traces.dtype.itemsize)
    for first in range(start, stop, rows):
        block = traces[first : min(first + rows, stop)]
        for name, column in columns.items():
            column[first - start : first - start + len(block)] = block[name]
        release(traces)
    return columns


def check_points(
    findings: Findings, said: npt.NDArray[Any], layout: TraceLayout, start: int = 0
) -> None:
    """
    Compare the number of points that the traces of a range say.

    Raises
    ------
    FormatError
        If they do not agree.
    """
    other = np.flatnonzero(said != said[0]) if len(said) else said
    if len(other):
        trace = start + int(other[0])
        where = f"offset {trace * layout.trace_size + 8}, trace {trace}"
        rule = f"{float(said[0]):g} in every trace"
        findings.fail("points per trace", float(said[other[0]]), rule, where)


def read_flags(
    findings: Findings, columns: dict[str, Any], start: int = 0
) -> npt.NDArray[np.int64]:
    """Return flags of blank traces and of gaps in their numbers."""
    quality = np.zeros(len(columns["number"]), np.int64)
    blank = columns["zero_flag"] == 1
    if blank.any():
        findings.warn(f"{np.count_nonzero(blank)} traces are marked as blank")
        quality[blank] |= Quality.STUCK
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.diff(columns["number"].astype(np.float64))
    # Numbers are float32: beyond 2^24 they cannot rise by one.
    with np.errstate(invalid="ignore"):
        is_exact = ~(columns["number"][1:] > 2**24)
    wrong = np.flatnonzero((steps != 1) & is_exact)  # NaN counts as wrong
    if len(wrong):
        findings.warn(
            f"trace numbers do not rise by one at {len(wrong)} traces, the first is trace "
            f"{start + wrong[0] + 1}"
        )
        quality[wrong[steps[wrong] > 1] + 1] |= Quality.GAP
    return quality


def read_clock(findings: Findings, column: npt.NDArray[Any]) -> Floats | None:
    """Return seconds of the day, rising over midnight; None if there is no clock."""
    seconds: Floats = column.astype(np.float64)
    if not seconds.any():
        return None
    if not (np.isfinite(seconds).all() and (np.abs(seconds) <= 2 * _DAY).all()):
        findings.warn("times of traces are no seconds of a day; not used")
        return None
    midnights = np.cumsum(np.diff(seconds, prepend=seconds[0]) < -_DAY / 2)
    return seconds + _DAY * midnights


def read_fiducials(
    traces: npt.NDArray[Any], comments: npt.NDArray[Any], start: int
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return where the comment changes to a new text: it sticks to all traces behind."""
    marks, labels = [], []
    last = _comment(bytes(traces["comment"][start - 1])) if start else b""
    changes = np.flatnonzero(comments[1:] != comments[:-1]) + 1
    for trace in ([0] if len(comments) else []) + changes.tolist():
        comment = _comment(bytes(comments[trace]))
        if comment and comment != last:
            marks.append(trace)
            labels.append(comment.decode("latin-1"))
            last = comment
    return np.array(marks, np.int64), tuple(labels)


def _comment(text: bytes) -> bytes:
    """Return a comment without what pads it."""
    return text.strip(b"\0 \t\r\n")


def places_of(place: npt.NDArray[Any]) -> tuple[Floats, Floats, Floats] | None:
    """Return latitude, longitude, altitude of X, Y, Z; all zero is none. None if all are."""
    with np.errstate(invalid="ignore"):
        longitude, latitude, altitude = place.astype(np.float64).T.copy()
        known = (longitude != 0) | (latitude != 0) | (altitude != 0)
        known &= (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180)
        is_high = known & np.isfinite(altitude)
    if not known.any():
        return None
    latitude, longitude = np.where(known, latitude, np.nan), np.where(known, longitude, np.nan)
    altitude = np.where(is_high, altitude, np.nan)
    return latitude, longitude, altitude

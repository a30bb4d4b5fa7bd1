"""What the trace headers of Sensors & Software DT1 files say: clock, comments, positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .dt1_layout import TraceLayout
from .hd import HdHeader
from .nmea import interpolate_fixes
from .recording import Draft
from .survey import release
from .traces import TraceFields, no_positions
from .trouble import Findings, parse_number

#: Traces that stand for a large file when it is opened.
SAMPLE = 4096

_DAY = 86400.0
_BLOCK = 16 * 2**20  # bytes of a file mapped in one go
_COLUMNS = ("n_points", "number", "position", "zero_flag", "seconds", "place", "comment")

Floats = npt.NDArray[np.float64]


class TraceReader:
    """Read what is known of each trace of a range, from the headers of its traces."""

    def __init__(
        self,
        draft: Draft,
        header: HdHeader,
        traces: npt.NDArray[Any],
        layout: TraceLayout,
        unit: float,
        step: float,
        spacing: float | None,
        max_gap: float,
    ):
        self.fixes = draft.fields.get("fixes", ())
        self.sources = draft.sources
        self.header = header
        self.traces = traces
        self.layout = layout
        self.unit = unit
        self.step = step
        self.spacing = spacing
        self.max_gap = max_gap

    def __call__(self, findings: Findings, start: int, stop: int) -> TraceFields:
        """Return the fields of the traces from `start` to before `stop`."""
        columns = read_columns(self.traces, start, stop)
        check_points(findings, columns["n_points"], self.layout, start)
        places = self._places(columns, start, stop)
        marks, labels = read_fiducials(self.traces, columns["comment"], start)
        return TraceFields(
            latitude=places[0],
            longitude=places[1],
            altitude=places[2],
            quality=read_flags(findings, columns, start),
            times=read_clock(findings, columns["seconds"]),
            distance=self._distance(findings, columns["position"], start, stop),
            marks=marks,
            mark_labels=labels,
        )

    def _places(self, columns: dict[str, Any], start: int, stop: int) -> tuple[Floats, ...]:
        """Return latitude, longitude and altitude, of fixes or else of trace headers."""
        if not self.fixes and self.header.has_geographic_positions:
            found = places_of(columns["place"])
            if found is not None:
                self.sources["position"] = "X Y Z of trace headers"
                return found
        if not self.fixes:
            return (no_positions(stop - start),) * 3
        return interpolate_fixes(
            self.fixes, self.layout.n_traces, max_gap=self.max_gap, start=start, stop=stop
        )

    def _distance(
        self, findings: Findings, positions: npt.NDArray[Any], start: int, stop: int
    ) -> Floats | None:
        """Return distance along the line; compare its ends with the HD file."""
        with np.errstate(over="ignore", invalid="ignore"):
            distance = positions.astype(np.float64)
        bad = ~np.isfinite(distance)
        if bad.any():
            findings.warn(f"{np.count_nonzero(bad)} traces have no finite position")
            distance[bad] = np.nan
        if stop - start == self.layout.n_traces:
            said = self.header.fields
            start_said = parse_number(said.get("STARTING POSITION", ""))
            final_said = parse_number(said.get("FINAL POSITION", ""))
            _check_ends(findings, distance, start_said, final_said, self.step)
        if self.spacing is not None:
            return self.spacing * np.arange(start, stop, dtype=np.float64)
        return distance * self.unit if self.step > 0 else None


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

    Writers that set one wrong number everywhere contradict the HD alone, which was corrected
    when the file was opened, and so was the first trace of it if only that is wrong.

    Raises
    ------
    FormatError
        If they do not agree.
    """
    if not len(said) or np.array_equal(said, np.full_like(said, said[0]), equal_nan=True):
        return
    is_other = said != layout.n_points
    if start == 0:
        is_other[0] = False
    other = np.flatnonzero(is_other)
    if len(other):
        trace = start + int(other[0])
        where = f"offset {trace * layout.trace_size + 8}, trace {trace}"
        rule = f"{layout.n_points} in every trace"
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
    with np.errstate(invalid="ignore"):  # NaN that signals
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


def _check_ends(
    findings: Findings,
    positions: Floats,
    start: float | None,
    final: float | None,
    step: float,
) -> None:
    """Warn if the ends that the HD file names, in either order, are not those of traces."""
    known = positions[np.isfinite(positions)]
    if start is None or final is None or not len(known):
        return
    low, high, room = float(known.min()), float(known.max()), max(0.5 * step, 1e-9)
    if abs(min(start, final) - low) > room or abs(max(start, final) - high) > room:
        findings.warn(
            f"HD says positions {start:g} to {final:g}, trace headers {low:g} to {high:g}; "
            "trace headers count"
        )

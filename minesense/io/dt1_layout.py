"""Trace headers and layout of Sensors & Software DT1 files."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .trouble import Findings

#: Bytes of the header in front of the points of each trace.
HEADER_SIZE = 128

_TYPES = {2: "<i2", 4: "<f4"}
_FIELDS: dict[str, tuple[str, int]] = {
    "number": ("<f4", 0),
    "position": ("<f4", 4),
    "n_points": ("<f4", 8),
    "topography": ("<f4", 12),
    "odometer_ticks": ("<i4", 16),
    "width": ("<f4", 20),
    "interval": ("<f4", 24),
    "stacks": ("<f4", 28),
    "place": ("(3,)<f8", 32),
    "receiver": ("(3,)<f4", 56),
    "transmitter": ("(3,)<f4", 68),
    "time_zero_adjustment": ("<f4", 80),
    "zero_flag": ("<f4", 84),
    "undocumented": ("<i4", 88),
    "seconds": ("<f4", 92),
    "comment_flag": ("<f4", 96),
    "comment": ("S28", 100),
}


@dataclass(frozen=True, slots=True)
class TraceLayout:
    """How many traces there are and how they are stored."""

    n_traces: int
    n_points: int
    width: int  #: bytes of a point

    @property
    def trace_size(self) -> int:
        """Bytes of a trace with its header."""
        return HEADER_SIZE + self.n_points * self.width


def trace_type(n_points: int, width: int) -> np.dtype[Any]:
    """Return the type of a trace: fields of its header, then `points`."""
    fields = {**_FIELDS, "points": (f"({n_points},){_TYPES[width]}", HEADER_SIZE)}
    return np.dtype(
        {
            "names": list(fields),
            "formats": [form for form, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": HEADER_SIZE + n_points * width,
        }
    )


def find_layout(
    findings: Findings,
    n_traces_said: int | None,
    n_points_said: int | None,
    width_given: int | None,
) -> TraceLayout:
    """
    Return the layout that fits the size of the file.

    Parameters
    ----------
    findings : Findings
        Names the file, takes warnings and corrections.
    n_traces_said, n_points_said : int or None
        By the HD file.
    width_given : int or None
        Bytes of a point by the caller.

    Returns
    -------
    layout : TraceLayout
        Where the traces are.

    Raises
    ------
    FormatError
        If the file does not hold one trace, or points and width stay ambiguous.
    """
    size = findings.path.stat().st_size
    if size < HEADER_SIZE:
        findings.fail("file size", size, f"at least {HEADER_SIZE} bytes for a trace header")
    first = np.fromfile(findings.path, dtype=trace_type(0, 2), count=1)[0]
    width = _whole_in(first["width"], 2, 4)
    if width_given is not None:
        findings.override("width", width, width_given)
        width = width_given
    n_points = _choose_points(
        findings, size, n_points_said, _whole_in(first["n_points"], 1, 2**24), width
    )
    chosen = width_given or _choose_width(findings, size, n_traces_said, n_points, width)
    layout = TraceLayout(0, n_points, chosen)
    n_traces, remainder = divmod(size, layout.trace_size)
    if n_traces == 0:
        rule = f"at least {layout.trace_size} bytes for one trace of {n_points} points"
        findings.fail("file size", size, rule)
    if remainder:
        text = f"truncated: {remainder} bytes of a last trace of {layout.trace_size} dropped"
        findings.warn(text, field="file size", value=size)
    if n_traces_said is not None and n_traces != n_traces_said:
        text = f"HD says {n_traces_said} traces, the file holds {n_traces}"
        findings.warn(text, field="NUMBER OF TRACES", value=n_traces_said)
    return TraceLayout(n_traces, n_points, chosen)


def map_traces(findings: Findings, layout: TraceLayout) -> npt.NDArray[Any]:
    """Return headers and points of all traces as a read-only map of the file."""
    dtype = trace_type(layout.n_points, layout.width)
    mapped = np.memmap(findings.path, dtype=dtype, mode="r", shape=(layout.n_traces,))
    return np.asarray(mapped)


def _whole_in(value: float, least: int, most: int) -> int | None:
    """Return value if it is a whole number of the range, else None."""
    if not (least <= value <= most and value == int(value)):
        return None
    return int(value)


def _choose_points(
    findings: Findings, size: int, said: int | None, found: int | None, width: int | None
) -> int:
    """Return the points per trace; where HD and trace header differ, what divides wins."""
    if said is not None and said == found:
        return said
    widths = [width] if width in _TYPES else list(_TYPES)
    fits = [
        points
        for points, w in itertools.product((said, found), widths)
        if points is not None
        and w is not None
        and size % TraceLayout(0, points, w).trace_size == 0
    ]
    where = "offset 8, and NUMBER OF PTS/TRC of the HD"
    if len(set(fits)) != 1:
        rule = f"equal, or one so that {size} bytes are whole traces"
        findings.fail("points per trace", (found, said), rule, where)
    chosen = fits[0]
    if said is None:
        findings.correct("NUMBER OF PTS/TRC", None, chosen, "the trace headers say so")
    else:
        wrong = found if chosen == said else said
        findings.correct("points per trace", wrong, chosen, "it divides the file into traces")
    return chosen


def _choose_width(
    findings: Findings, size: int, n_traces: int | None, n_points: int, width: int | None
) -> int:
    """Return the bytes of a point; one that gives the trace count of the HD wins."""
    sizes = {w: TraceLayout(0, n_points, w).trace_size for w in _TYPES}
    if width in sizes and (n_traces is None or size == n_traces * sizes[width]):
        return width
    exact = [w for w, one in sizes.items() if n_traces is not None and size == n_traces * one]
    if not exact and width not in sizes:
        exact = [w for w, one in sizes.items() if size % one == 0]
    if len(exact) == 1:
        findings.correct("bytes per point", width, exact[0], "it fits the size of the file")
        return exact[0]
    if width is None or width not in sizes:
        findings.fail("bytes per point", width, "2 or 4", "offset 20")
    return width

"""What a recording knows of each of its traces, besides the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .nmea import Fix
from .trouble import Findings

Floats = npt.NDArray[np.float64]

_BYTES_OF_A_TRACE = 128  # what a sweep keeps of each, besides its samples


def check_bookkeeping(
    findings: Findings, n_traces: int, n_samples: int, where: str = ""
) -> None:
    """
    Refuse traces so short that what is kept of each would dwarf the file.

    A header that says 1 instead of 512 samples would make millions of traces of a few
    megabytes, each with its time, place, distance and flags.

    Raises
    ------
    FormatError
        If that takes more than twice the size of the file and 64 MB.
    """
    size = findings.path.stat().st_size
    if n_traces * _BYTES_OF_A_TRACE > 2 * size + 64 * 10**6:
        rule = f"enough that {size} bytes are not {n_traces} traces"
        findings.fail("samples per trace", n_samples, rule, where)


def no_positions(n_traces: int) -> Floats:
    """Return NaN for every trace, read-only, without using memory."""
    return np.broadcast_to(np.float64(np.nan), (n_traces,))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraceFields:
    """What is known of each trace of a range; NaN or None where the file does not tell."""

    latitude: Floats  #: (n_traces,) degrees, north positive
    longitude: Floats  #: (n_traces,) degrees, east positive
    altitude: Floats  #: (n_traces,) m above the geoid
    quality: npt.NDArray[np.int64]  #: (n_traces,) flags known from headers
    marks: npt.NDArray[np.int64]  #: indices of traces with a mark or fiducial
    mark_labels: tuple[str, ...] = ()  #: text or code of each mark
    distance: Floats | None = None  #: (n_traces,) m along the line
    times: Floats | None = None  #: (n_traces,) s, of the instrument's own clock
    scan_counter: npt.NDArray[np.int64] | None = None  #: (n_traces,) as stored

    def __getitem__(self, traces: slice) -> TraceFields:
        """Return the fields of a range of traces, marks counted from its first."""
        start, stop, _ = traces.indices(len(self.quality))
        inside = (self.marks >= start) & (self.marks < stop)
        changes: dict[str, Any] = {
            "marks": self.marks[inside] - start,
            "mark_labels": tuple(
                label for label, keep in zip(self.mark_labels, inside, strict=False) if keep
            ),
        }
        for name in PER_TRACE:
            values = getattr(self, name)
            if values is not None:
                changes[name] = values[start:stop]
        return replace(self, **changes)


#: Fields that have one value a trace.
PER_TRACE = (
    "latitude",
    "longitude",
    "altitude",
    "quality",
    "distance",
    "times",
    "scan_counter",
)

#: All fields by name.
TRACE_FIELDS = tuple(field.name for field in fields(TraceFields))

#: Reads the fields of the traces from one to before another; warns through the findings.
Load: TypeAlias = Callable[[Findings, int, int], TraceFields]


def shift_fixes(fixes: Sequence[Fix], start: int, stop: int) -> tuple[Fix, ...]:
    """Return the fixes of a range of traces, counted from its first."""
    return tuple(
        replace(fix, trace=fix.trace - start) for fix in fixes if start <= fix.trace <= stop - 1
    )

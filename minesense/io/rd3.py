"""
Read MALA recordings: RD3 and RD7 files with their RAD header and COR positions.

The data file holds nothing but samples, trace after trace, of 16 bits in an RD3 and 32 in
an RD7 file. What they mean is said in the RAD file beside it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive
from .cor import read_cor
from .nmea import interpolate_fixes
from .rad import RadHeader, read_rad
from .recording import Draft, Recording
from .sidecar import find_sidecar
from .sniff import HEAD, describe_signature
from .traces import TraceFields, check_bookkeeping, no_positions
from .trouble import Findings, check_interval

WIDTHS = {".rd3": 2, ".rd7": 4}
_TYPES = {2: "<i2", 4: "<i4"}


def read_rd3(
    path: str | Path,
    *,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
    n_samples: int | None = None,
    sample_width: int | None = None,
    max_gap: float = 2.0,
) -> Recording:
    """
    Read a MALA recording, its RAD header and the COR file beside it.

    Parameters
    ----------
    path : str or Path
        The RD3 or RD7 file, or the RAD file of one of them.
    strict : bool, optional
        Whether warnings are errors.
    sample_interval, spacing : float, optional
        Time between samples in seconds and distance between traces in metres, instead of
        what the header says.
    n_samples : int, optional
        Samples of a trace, instead of what the header says. With `sample_interval`, the
        RAD file may be missing.
    sample_width : int, optional
        Bytes of a sample, 2 or 4, instead of what the extension says.
    max_gap : float, optional
        Longest time between fixes to interpolate positions over, in seconds.

    Returns
    -------
    recording : Recording
        `header["fields"]` holds all fields of the RAD file as text.

    Raises
    ------
    FormatError
        If the RAD file is missing, or serves two data files of which none was named, or the
        samples or their times would be wrong; in strict mode also for a warning.
    TypeError, ValueError
        If an option is not a number in its range.

    Notes
    -----
    The sample interval is 1 / FREQUENCY; TIMEWINDOW / SAMPLES stands in only if that is
    missing. The spacing is DISTANCE INTERVAL if it is positive and DISTANCE FLAG is not 0,
    and never follows from STOP POSITION.
    """
    path = Path(path)
    if sample_width is not None and check_count(sample_width, "sample_width") not in _TYPES:
        msg = f"Invalid sample_width '{sample_width}'. Must be 2 or 4 bytes."
        raise ValueError(msg)
    if n_samples is not None:
        n_samples = check_count(n_samples, "n_samples")
    max_gap = check_positive(max_gap, "max_gap")
    if path.suffix.lower() == ".rad":
        path = _find_data(path, strict=strict)
    findings = Findings(path, strict=strict)
    if not path.is_file() and path.exists():
        findings.fail("path", str(path), "a file, not a folder or device")
    _refuse_foreign(findings, path)
    header = _find_header(findings, path, n_samples, sample_interval)
    draft = Draft(findings=findings, header={"fields": dict(header.fields)})
    draft.header["antenna"] = header.fields.get("ANTENNAS", "")
    width = WIDTHS.get(path.suffix.lower(), 2)
    if sample_width is not None:
        findings.override("sample_width", width, sample_width)
        width = sample_width
    n = _count_samples(findings, header, n_samples)
    n_traces = _count_traces(findings, header, n * width)
    check_bookkeeping(findings, n_traces, n, "SAMPLES of the RAD")
    mapped = np.memmap(path, dtype=_TYPES[width], mode="r", shape=(n_traces, 1, n))
    draft.fields.update(
        format="rd3", stored=np.asarray(mapped), offset=0, header_words=(0,), date=None
    )
    _add_interval(draft, header, n, sample_interval)
    start = _add_spacing(draft, header, spacing)
    draft.fields.update(
        centre_frequency=header.antenna_frequency(),
        antenna_separation=_separation(findings, header),
    )
    marks = _add_own_keys(draft, header, n_traces)
    _add_cor(draft, n_traces)
    draft.load = _TraceReader(draft, n_traces, start, marks, max_gap)
    return draft.finish()


class _TraceReader:
    """Work out what is known of each trace of a range: the data file tells nothing."""

    def __init__(
        self,
        draft: Draft,
        n_traces: int,
        start: float,
        marks: npt.NDArray[np.int64],
        max_gap: float,
    ):
        self.spacing = draft.fields["spacing"]
        self.fixes = draft.fields.get("fixes", ())
        self.n_traces = n_traces
        self.start = start
        self.marks = marks
        self.max_gap = max_gap

    def __call__(self, findings: Findings, start: int, stop: int) -> TraceFields:
        """Return the fields of the traces from `start` to before `stop`."""
        del findings  # nothing can be doubtful
        places = (no_positions(stop - start),) * 3
        if self.fixes:
            places = interpolate_fixes(
                self.fixes, self.n_traces, max_gap=self.max_gap, start=start, stop=stop
            )
        distance = None
        if self.spacing is not None:
            distance = self.start + self.spacing * np.arange(start, stop, dtype=np.float64)
        return TraceFields(
            latitude=places[0],
            longitude=places[1],
            altitude=places[2],
            quality=np.zeros(stop - start, np.int64),
            marks=self.marks[(self.marks >= start) & (self.marks < stop)] - start,
            distance=distance,
        )


def _find_data(path: Path, *, strict: bool) -> Path:
    """Return the data file of a header, if there is one and not two."""
    findings = Findings(path, strict=strict)
    if not path.is_file() and path.exists():
        findings.fail("path", str(path), "a file, not a folder or device")
    path.stat()  # an error that names it if there is none
    found = [data for data in (find_sidecar(path, s) for s in WIDTHS) if data is not None]
    if len(found) > 1:
        names = [data.name for data in found]
        findings.fail("data file", names, "one: open the RD3 or the RD7 file itself")
    if not found:
        findings.fail("data file", str(path.with_suffix(".rd3")), "there, or an RD7 file")
    return found[0]


def _refuse_foreign(findings: Findings, path: Path) -> None:
    """Raise if the content or the name is plainly that of another format."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    content = describe_signature(head)
    if content and head[0] != 0x80:  # the two bytes of a pickle may be a sample
        findings.fail("content", head[:8], f"an RD3 or RD7 file; it looks like {content}")
    if path.suffix.lower() == ".rd6":
        findings.fail("format", path.suffix, "RD3 or RD7: export one of them")


def _find_header(
    findings: Findings, path: Path, n_samples: int | None, interval: float | None
) -> RadHeader:
    """Return the header beside a recording, or none if the caller says what it would."""
    sidecar = find_sidecar(path, ".RAD")
    if sidecar is not None:
        return read_rad(sidecar, findings)
    if n_samples is None or interval is None:
        rule = "there: it holds samples and frequency; or pass n_samples and sample_interval"
        suffix = ".rad" if path.suffix.islower() else ".RAD"
        findings.fail("header file", str(path.with_suffix(suffix)), rule)
    return RadHeader(path=None, fields={})


def _count_samples(findings: Findings, header: RadHeader, given: int | None) -> int:
    """Return the samples of a trace."""
    said = header.fields.get("SAMPLES")
    if given is not None:
        findings.override("n_samples", said, given)
        return given
    value = header.number("SAMPLES", findings)
    if value is None or not (1 <= value < 2**31 and value == int(value)):
        findings.fail("SAMPLES", said, "a count of at least 1", "RAD")
    return int(value)


def _count_traces(findings: Findings, header: RadHeader, trace_size: int) -> int:
    """Return the traces that the file holds; compare them with the header."""
    size = findings.path.stat().st_size
    n_traces, remainder = divmod(size, trace_size)
    if n_traces == 0:
        findings.fail("file size", size, f"at least {trace_size} bytes for one trace")
    if remainder:
        text = f"truncated: {remainder} bytes of a last trace of {trace_size} dropped"
        findings.warn(text, field="file size", value=size)
    said = header.number("LAST TRACE", findings)
    if said is not None and said != n_traces:
        text = f"RAD says {said:g} traces, the file holds {n_traces}"
        findings.warn(text, field="LAST TRACE", value=said)
    return n_traces


def _add_interval(draft: Draft, header: RadHeader, n: int, given: float | None) -> None:
    """Add sample interval and window."""
    findings, sources = draft.findings, draft.sources
    megahertz = header.number("FREQUENCY", findings)
    window_ns = header.number("TIMEWINDOW", findings)
    by_window = 0.0 if window_ns is None else window_ns * 1e-9 / n
    by_frequency = 1e-6 / megahertz if megahertz is not None and megahertz > 0 else 0.0
    interval, sources["sample_interval"] = by_frequency, "1 / FREQUENCY"
    if given is None and not by_frequency and by_window:
        reason = f"FREQUENCY {megahertz!r} gives none, TIMEWINDOW / SAMPLES does"
        findings.correct("sample interval", None, by_window, reason)
        interval, sources["sample_interval"] = by_window, "TIMEWINDOW / SAMPLES"
    elif by_frequency and by_window and not abs(by_window / by_frequency - 1) <= 0.005:
        findings.warn(
            f"TIMEWINDOW / SAMPLES is {by_window:g} s, 1 / FREQUENCY {by_frequency:g} s: "
            "FREQUENCY counts",
            field="TIMEWINDOW",
            value=window_ns,
        )
    if given is not None:
        given = check_positive(given, "sample_interval")
        findings.override("sample_interval", interval or None, given)
        interval, sources["sample_interval"] = given, "caller"
    check_interval(findings, interval, "RAD", FREQUENCY=megahertz, TIMEWINDOW=window_ns)
    draft.fields.update(sample_interval=interval, window=n * interval)


def _add_spacing(draft: Draft, header: RadHeader, given: float | None) -> float:
    """Add spacing or interval of traces; return the position of the first."""
    findings, fields, sources = draft.findings, draft.fields, draft.sources
    step = header.number("DISTANCE INTERVAL", findings)
    flag = header.number("DISTANCE FLAG", findings)
    found = step if step is not None and step > 0 and flag != 0 else None
    sources["spacing"] = "DISTANCE INTERVAL"
    if given is not None:
        given = check_positive(given, "spacing")
        findings.override("spacing", found, given)
        found, sources["spacing"] = given, "caller"
    fields["spacing"] = found
    if found is None:
        del sources["spacing"]
        interval = header.number("TIME INTERVAL", findings)
        if interval is not None and interval > 0:
            fields["trace_interval"] = interval
            sources["trace_interval"] = "TIME INTERVAL"
    return header.number("START POSITION", findings) or 0.0


def _separation(findings: Findings, header: RadHeader) -> float | None:
    """Return the distance of the antennas, None if there is none that can be."""
    value = header.number("ANTENNA SEPARATION", findings)
    return value if value is not None and 0 < value < 1e3 else None


def _add_own_keys(draft: Draft, header: RadHeader, n_traces: int) -> npt.NDArray[np.int64]:
    """Add what files that this package wrote say beyond the vendor's keys; return the marks."""
    time_zero = header.number("MINESENSE TIME ZERO", draft.findings)
    if time_zero is not None:
        draft.fields["time_zero"] = time_zero * 1e-9
    date = header.fields.get("MINESENSE DATE")
    if date:
        draft.fields["date"], draft.sources["date"] = date[:32], "MINESENSE DATE"
    words = header.fields.get("MINESENSE MARKS", "").split()
    found = sorted({int(word) for word in words if re.fullmatch(r"[0-9]{1,12}", word)})
    return np.array([mark for mark in found if mark < n_traces], np.int64)


def _add_cor(draft: Draft, n_traces: int) -> None:
    """Add the fixes of the COR file, if any."""
    findings = draft.findings
    sidecar = find_sidecar(draft.path, ".COR")
    if sidecar is None:
        return
    log = read_cor(sidecar, findings, n_traces)
    draft.header["cor"] = {
        "rows": log.n_rows,
        "rows_outside": log.n_outside,
        "unread_lines": len(log.unread),
        "stale_fixes": log.track.n_stale,
        "repeated_fixes": log.track.n_repeated,
        "last_column": log.last_columns,
    }
    if log.n_outside:
        findings.warn(
            f"{sidecar.name}: {log.n_outside} of {log.n_rows} rows are of traces outside 1 to "
            f"{n_traces}; dropped"
        )
    if log.track.n_stale:
        findings.warn(
            f"{sidecar.name}: {log.track.n_stale} fixes dropped, their time stood still or ran "
            "backward"
        )
    if not log.track.fixes:
        findings.warn(f"{sidecar.name}: {log.n_rows} rows and no fix, so no positions")
        return
    draft.fields["fixes"] = tuple(log.track.fixes)
    draft.sources["position"] = sidecar.name
    if log.track.dates and "date" not in draft.sources:
        draft.fields["date"] = log.track.dates[0].isoformat()
        draft.sources["date"] = sidecar.name

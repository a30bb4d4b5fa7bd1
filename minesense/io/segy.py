"""
Read SEG-Y recordings of radars, in the standard's form and in those of vendors.

SEG-Y was made for seismics: its sample interval is in whole microseconds, so everyone who
writes radar traces bends a field. What was taken for what is in `sources` and warnings.
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_one_of, check_positive
from .recording import LOOKED_THROUGH, Draft, Recording
from .segy_layout import (
    START,
    TEXT,
    TRACE_HEADER,
    SegyLayout,
    find_layout,
    find_order,
    read_binary,
    trace_type,
    walk_traces,
)
from .segy_table import add_table, read_own_text
from .segy_traces import SAMPLE, VARIANTS, SegyTraces, find_variant
from .sniff import HEAD, describe_signature
from .trouble import Findings, check_interval

_UNITS = {"ps": 1e-12, "ns": 1e-9, "us": 1e-6}


def read_segy(
    path: str | Path,
    *,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
    dt_unit: str | None = None,
    variant: str | None = None,
    angles: str | None = None,
    byte_order: str | None = None,
    n_samples: int | None = None,
) -> Recording:
    """
    Read a SEG-Y recording, and the table of positions that this package writes beside one.

    Parameters
    ----------
    path : str or Path
        The SEG-Y file.
    strict : bool, optional
        Whether warnings are errors.
    sample_interval, spacing : float, optional
        Time between samples in seconds and distance between traces in metres, instead of
        what the file says; it says nothing about the latter.
    dt_unit : "ps", "ns" or "us", optional
        Unit of the interval in 16 bits, which the standard has in microseconds and radars
        mostly in picoseconds.
    variant : "standard", "prism" or "geohammer", optional
        Whose habits trace headers follow, instead of what the text header tells.
    angles : "degrees" or "ddmm", optional
        Whether the floating coordinates that vendors put at bytes 183 and 191 are degrees
        or degrees and minutes, ddmm.mmmm.
    byte_order : "big" or "little", optional
        Instead of the order in which the format code makes sense.
    n_samples : int, optional
        Samples of a trace, instead of what the headers say.

    Returns
    -------
    recording : Recording
        `stored` has the words of the file, in its byte order. `header["trace_headers"]`
        holds the headers of all traces as a mapped table, floats and integers side by side.

    Raises
    ------
    FormatError
        If the samples or their times would be wrong; in strict mode also for a warning.
    TypeError, ValueError
        If an option is not a number in its range or none of the words.

    Notes
    -----
    The sample interval is that of revision 2 (bytes 3273 to 3280, a float of
    microseconds), else the 16-bit number of the first trace or the binary header, in
    picoseconds, always with a warning. A delay (bytes 109-110) is kept in the header and
    not applied.
    """
    path = Path(path)
    for name, value, choices in (
        ("dt_unit", dt_unit, tuple(_UNITS)),
        ("variant", variant, VARIANTS),
        ("angles", angles, ("degrees", "ddmm")),
        ("byte_order", byte_order, ("big", "little")),
    ):
        if value is not None:
            check_one_of(value, name, choices)
    if n_samples is not None:
        n_samples = check_count(n_samples, "n_samples")
    if spacing is not None:
        spacing = check_positive(spacing, "spacing")
    findings = Findings(path, strict=strict)
    if not path.is_file() and path.exists():
        findings.fail("path", str(path), "a file, not a folder or device")
    head = _read_head(findings)
    order = find_order(findings, head, byte_order)
    layout = find_layout(findings, head, order)
    if n_samples is not None:
        layout = _with_samples(findings, layout, n_samples)
    binary = read_binary(head, order)
    text = _decode_text(head[:TEXT])
    draft = Draft(findings=findings, header={"text": text, "binary": binary})
    draft.header["byte_order"] = "big" if order == ">" else "little"
    traces = _map_traces(findings, layout)
    is_whole = traces.nbytes <= LOOKED_THROUGH
    sample = traces if is_whole else traces[:SAMPLE]
    varying = _varying_traces(findings, layout, sample, binary) if n_samples is None else None
    if varying is not None:
        headers, stored = varying
        draft.fields.update(stored=stored, decode=None)
    else:
        _check_end(findings, layout)
        headers = traces
        draft.fields.update(stored=traces["samples"][:, None, :], decode=layout.decode)
    names = [name for name in headers.dtype.names or () if name != "samples"]
    draft.header["trace_headers"] = headers[names]
    draft.fields.update(format="segy", offset=0, header_words=(0,))
    _add_interval(draft, layout, headers, sample_interval, dt_unit)
    variant = _choose_variant(draft, text, variant)
    _add_date(draft, headers)
    read_own_text(draft, text)
    if spacing is not None:
        findings.override("spacing", draft.fields.get("spacing"), spacing)
        draft.sources["spacing"] = "caller"
        draft.fields["spacing"] = spacing
    load = SegyTraces(draft, layout, headers, variant, angles)
    draft.load = add_table(draft, load, len(headers), spacing)
    return draft.finish()


def _read_head(findings: Findings) -> bytes:
    """Return the headers of the file."""
    size = findings.path.stat().st_size
    with findings.path.open("rb") as file:
        head = file.read(HEAD)
    content = describe_signature(head)
    if content and not (head[0] == 0x80 and size >= START):
        findings.fail("content", head[:8], f"a SEG-Y file; it looks like {content}")
    least = START + TRACE_HEADER
    if size < least:
        findings.fail("file size", size, f"at least {least} bytes for the headers of SEG-Y")
    return head


def _decode_text(data: bytes) -> str:
    """Return the text header, EBCDIC or ASCII, whichever prints better."""
    ascii_text, ebcdic = data.decode("latin-1"), data.decode("cp037")

    def n_printing(text: str) -> int:
        return sum(" " <= character < "\x7f" for character in text)

    is_ebcdic = data[:1] == b"\xc3" or (
        data[:1] not in (b"C", b"c") and n_printing(ebcdic) > n_printing(ascii_text)
    )
    text = ebcdic if is_ebcdic else ascii_text
    lines = [text[k : k + 80].strip(" \0\r\n") for k in range(0, TEXT, 80)]
    return "\n".join(lines).strip("\n")


def _with_samples(findings: Findings, layout: SegyLayout, n_samples: int) -> SegyLayout:
    """Return a layout with the samples of a trace that the caller gives."""
    findings.override("n_samples", layout.n_samples, n_samples)
    size = findings.path.stat().st_size - layout.start
    trace = layout.header_size + n_samples * layout.width
    if trace > size:
        findings.fail("n_samples", n_samples, f"so that one trace fits into {size} bytes")
    return SegyLayout(
        order=layout.order,
        code=layout.code,
        revision=layout.revision,
        start=layout.start,
        header_size=layout.header_size,
        n_samples=n_samples,
        n_traces=size // trace,
    )


def _map_traces(findings: Findings, layout: SegyLayout) -> npt.NDArray[Any]:
    """Return headers and samples of all traces as a read-only map of the file."""
    dtype = trace_type(layout.order, layout.header_size, layout.n_samples, layout.code)
    mapped = np.memmap(
        findings.path, dtype=dtype, mode="r", offset=layout.start, shape=(layout.n_traces,)
    )
    return np.asarray(mapped)


def _check_end(findings: Findings, layout: SegyLayout) -> None:
    """Warn of a truncated last trace."""
    size = findings.path.stat().st_size
    left = (size - layout.start) % layout.trace_size
    if left and size - layout.start - left == layout.n_traces * layout.trace_size:
        text = f"truncated: {left} bytes of a last trace of {layout.trace_size} dropped"
        findings.warn(text, field="file size", value=size)


def _varying_traces(
    findings: Findings, layout: SegyLayout, sample: npt.NDArray[Any], binary: dict[str, Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """
    Return headers and samples of traces that differ in length; None if they do not.

    Samples that a shorter trace has not are NaN, so that the numbers are floats.
    """
    said = sample["n_samples"]
    if ((said == layout.n_samples) | (said == 0)).all() or layout.n_samples > 0xFFFF:
        return None
    size = findings.path.stat().st_size
    is_regular = (size - layout.start) % layout.trace_size == 0
    offsets, lengths, left = walk_traces(findings, layout)
    is_exact = left == 0 and len(offsets) > 0
    if binary["fixed_length"] == 1 and is_exact:
        reason = "traces as long as their headers say fill the file"
        if not is_regular:
            reason += f", those of {layout.n_samples} samples do not"
        findings.correct("fixed-length flag", 1, 0, reason)
    elif binary["fixed_length"] == 1 or (is_regular and not is_exact):
        findings.warn(
            f"trace headers say other numbers of samples than {layout.n_samples}, which "
            "divides the file; not used"
        )
        return None
    if not len(offsets) or (not is_exact and left >= layout.header_size + 0xFFFF * 8):
        rule = "the same in all traces, or so that traces follow each other"
        findings.fail("samples per trace", sorted(set(said[:8].tolist())), rule, "115-116")
    if (lengths == layout.n_samples).all():
        return None
    longest = int(lengths.max())
    dtype = np.dtype(np.float64 if layout.code in (2, 6, 9, 10, 12) else np.float32)
    if len(lengths) * longest * dtype.itemsize > 2 * size + 64 * 2**20:
        rule = "so that all traces as long as the longest fit into twice the file's size"
        findings.fail("samples per trace", longest, rule, "115-116")
    if left:
        findings.warn(f"truncated: {left} bytes of a last trace dropped", value=left)
    n_short = int(np.count_nonzero(lengths < longest))
    reason = f"{n_short} of {len(lengths)} traces are shorter than {longest} samples"
    findings.correct("missing samples", None, "NaN", reason)
    stored = np.full((len(lengths), 1, longest), np.nan, dtype)
    form_of_header = trace_type(layout.order, layout.header_size, 0, layout.code)
    headers = np.empty(len(lengths), form_of_header)
    data = np.memmap(findings.path, dtype=np.uint8, mode="r")
    form = trace_type(layout.order, layout.header_size, 1, layout.code)["samples"].base
    pairs = zip(offsets.tolist(), lengths.tolist(), strict=True)
    for k, (offset, n) in enumerate(pairs):
        behind = offset + layout.header_size
        headers[k] = data[offset:behind].view(form_of_header)[0]
        words = data[behind : behind + n * layout.width].view(form)
        with np.errstate(over="ignore"):  # an infinite sample is counted with NaN
            stored[k, 0, :n] = words if layout.decode is None else layout.decode(words)
    return headers, stored


def _add_interval(
    draft: Draft,
    layout: SegyLayout,
    headers: npt.NDArray[Any],
    given: float | None,
    unit: str | None,
) -> None:
    """Add sample interval and window: by the caller, revision 2, or a number of 16 bits."""
    findings, binary = draft.findings, draft.header["binary"]
    n = draft.fields["stored"].shape[2]
    number, source = int(headers["interval"][0]), "bytes 117-118 of the first trace"
    if number and binary["interval"] and number != binary["interval"]:
        findings.warn(
            f"sample intervals differ: {binary['interval']} in the binary header, {number} in "
            "that of the first trace, which counts"
        )
    if not number:
        number, source = binary["interval"], "bytes 3217-3218"
    extended = binary["extended_interval"] if layout.revision >= 2 else 0.0
    if extended and not (math.isfinite(extended) and extended > 0):
        findings.warn(f"extended sample interval {extended!r} us is none")
        extended = 0.0
    if given is not None:
        given = check_positive(given, "sample_interval")
        findings.override("sample_interval", 1e-6 * extended or number, given)
        interval, source = given, "caller"
    elif unit is not None:
        findings.override("dt_unit", None, unit)
        interval, source = number * _UNITS[unit], f"{source}, {unit} by the caller"
        if number <= 0:
            findings.fail("sample interval", number, "positive: pass sample_interval")
    elif extended:
        interval, source = 1e-6 * extended, "bytes 3273-3280, us"
    else:
        interval, source = _interval_of(findings, number, n, source), f"{source}, ps"
    check_interval(findings, interval, source, number=number)
    draft.sources["sample_interval"] = source
    draft.fields.update(sample_interval=interval, window=n * interval)


def _interval_of(findings: Findings, number: int, n: int, source: str) -> float:
    """Return a number of 16 bits as picoseconds, if that can be."""
    window = number * 1e-12 * n
    rule = "a number of ps that gives a window of 1 ns to 20 us: pass dt_unit (ps, ns or us)"
    if number <= 1 or not 1e-9 <= window <= 20e-6:
        findings.fail("sample interval", number, f"{rule} or sample_interval", source)
    findings.warn(
        f"sample interval {number} taken to be in ps, window {window:g} s; in ns it would be "
        f"{1e3 * window:g} s, in us {1e6 * window:g} s: pass dt_unit to say which",
        field="sample interval",
        value=number,
    )
    return number * 1e-12


def _choose_variant(draft: Draft, text: str, given: str | None) -> str:
    """Return whose habits trace headers follow."""
    found = find_variant(text)
    if given is not None:
        draft.findings.override("variant", found, given)
        found = given
    draft.header["variant"] = found
    return found


def _add_date(draft: Draft, headers: npt.NDArray[Any]) -> None:
    """Add the day of the first trace, if its header tells it."""
    year, day = (int(part) for part in headers["time"][0][:2])
    if 1900 <= year <= 9998 and 1 <= day <= 366:
        first = datetime.date(year, 1, 1) + datetime.timedelta(day - 1)
        if first.year != year:
            draft.findings.warn(f"day {day} of the year {year} is none: no date")
            return
        draft.fields["date"] = first.isoformat()
        draft.sources["date"] = "bytes 157-160 of the first trace"

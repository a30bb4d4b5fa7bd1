"""
Read SEG-2 files of radars and seismographs.

Layout after Pullan, S. E. (1990). Recommended standard for seismic (/radar) data files in the
personal computer environment. *Geophysics*, 55(9), 1260-1271.
https://doi.org/10.1190/1.1442942
"""

from __future__ import annotations

import datetime
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from .recording import Draft, Recording, no_positions, survey_samples, warn_about_samples
from .signatures import looks_like_seg2
from .trouble import Findings, check_interval, parse_number

#: Keywords of the free text and what they say.
Strings: TypeAlias = dict[str, str]

_BLOCK = 32  # bytes of fixed fields at the start of a block
_TRACE_ID = 0x4422
#: Type and bits of a sample by data format code; code 3 packs four samples in ten bytes.
_TYPES = {1: ("i2", 16), 2: ("i4", 32), 3: ("", 20), 4: ("f4", 32), 5: ("f8", 64)}
_UNITS = {
    "METERS": 1.0,
    "METRES": 1.0,
    "CENTIMETERS": 0.01,
    "CENTIMETRES": 0.01,
    "FEET": 0.3048,
    "INCHES": 0.0254,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trace:
    """Where the samples of one trace are, and what its header says."""

    place: int  #: of its first sample, in the file
    n_samples: int
    code: int
    strings: Strings


def read_seg2(
    path: str | Path,
    *,
    strict: bool = False,
    sample_interval: float | None = None,
    spacing: float | None = None,
) -> Recording:
    """
    Read a SEG-2 file.

    Parameters
    ----------
    path : str or Path
        The file.
    strict : bool, optional
        Whether warnings are errors.
    sample_interval, spacing : float, optional
        Seconds and metres, instead of what the file says.

    Returns
    -------
    recording : Recording
        Samples as stored; 20-bit floating ones as the whole numbers they stand for. Where
        traces have different DESCALING_FACTORs, samples are multiplied by them and are
        float64, which is a correction. `header["file"]` and `header["traces"]` hold all
        keywords.

    Raises
    ------
    FormatError
        If blocks do not lie in the file, traces differ in length or format, or the sample
        interval is none that a radar has and is not given; in strict mode also for a warning.
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    `SAMPLE_INTERVAL` is in seconds. `RECEIVER_LOCATION` gives the distance along the line, in
    the `UNITS` of the file; without units there is no distance.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    if not looks_like_seg2(bytes(data[:_BLOCK])):
        rule = "3a55h, revision 1 and a pointer to a trace"
        findings.fail("file descriptor block", bytes(data[:8]), rule, "byte 0")
    order = "<" if data[0] == 0x55 else ">"
    _, size, count, n_end = struct.unpack_from(order + "3HB", bytes(data[2:9]) + b"\0", 0)
    end = bytes(data[9 : 9 + n_end]) if n_end in (1, 2) else b"\0"
    if _BLOCK + size > len(data):
        findings.fail("trace pointers", size, f"bytes of a file of {len(data)}", "byte 4")
    pointers = np.frombuffer(bytes(data[_BLOCK : _BLOCK + 4 * count]), order + "u4")
    first = int(pointers[0])
    file_strings = _read_strings(findings, data, _BLOCK + size, first, order, end)
    traces = _read_traces(findings, data, pointers, order, end)
    if not traces:
        findings.fail("traces", 0, "at least one whole one", f"byte {first}")
    stored = _read_samples(findings, data, traces, order)
    stored, scale = _descale(findings, stored, traces)
    draft = Draft(
        findings=findings,
        header={
            "file": file_strings,
            "traces": tuple(trace.strings for trace in traces),
            "descaling_factor": scale,
            "data_format_code": traces[0].code,
        },
    )
    survey = survey_samples(stored, (0,))
    warn_about_samples(findings, survey, stored)
    interval = _interval(draft, traces, sample_interval)
    _add_places(draft, traces, file_strings, spacing)
    n_traces, _, n_samples = stored.shape
    draft.fields.update(
        format="seg2",
        stored=stored,
        offset=0,
        header_words=(0,),
        sample_interval=interval,
        window=n_samples * interval,
        n_clipped=survey.n_clipped,
        quality=np.zeros(n_traces, np.int64),
        latitude=no_positions(n_traces),
        longitude=no_positions(n_traces),
        altitude=no_positions(n_traces),
        marks=np.empty(0, np.int64),
        date=_date(file_strings),
    )
    delay = parse_number(traces[0].strings.get("DELAY", ""))
    if delay:
        draft.fields["time_zero"] = -delay
        draft.sources["time_zero"] = "DELAY"
    return draft.finish()


def _read_strings(
    findings: Findings,
    data: npt.NDArray[np.uint8],
    start: int,
    stop: int,
    order: str,
    end: bytes,
) -> Strings:
    """Return keywords and their text; a string starts with the offset to the next one."""
    result: Strings = {}
    block = bytes(data[start : min(stop, len(data), start + 2**16)])
    place = 0
    while place + 2 <= len(block):
        (step,) = struct.unpack_from(order + "H", block, place)
        if step == 0:
            break
        if step < 3 or place + step > len(block):
            findings.warn(f"keywords break off at byte {start + place}: offset {step}")
            break
        raw = block[place + 2 : place + step].split(end, 1)[0]
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
            findings.correct("text encoding", "utf-8", "latin-1", f"at byte {start + place}")
        parts = text.strip(" \t\0\r\n").split(None, 1)
        if parts:
            key = parts[0].upper()
            if key in result and key != "NOTE":
                findings.warn(f"keyword {key} is there twice: the first counts")
            result.setdefault(key, parts[1] if len(parts) > 1 else "")
        place += step
    return result


def _read_traces(
    findings: Findings,
    data: npt.NDArray[np.uint8],
    pointers: npt.NDArray[Any],
    order: str,
    end: bytes,
) -> list[_Trace]:
    """Return the traces whose samples lie in the file."""
    traces: list[_Trace] = []
    taken = 0
    known: set[int] = set()
    for number, pointer in enumerate(pointers.tolist()):
        where = f"trace {number}, byte {pointer}"
        if pointer + _BLOCK > len(data):
            findings.warn(f"{where}: behind the end of the file; {number} traces are read")
            break
        fixed = bytes(data[pointer : pointer + _BLOCK])
        identity, size, n_bytes, n_samples, code = struct.unpack_from(order + "HHIIB", fixed)
        if identity != _TRACE_ID:
            findings.fail("trace descriptor block", hex(identity), "4422h", where)
        if size < _BLOCK or code not in _TYPES or not n_samples:
            found = f"block of {size} bytes, {n_samples} samples, code {code}"
            rule = f"{_BLOCK} bytes or more, samples, a code of {list(_TYPES)}"
            findings.fail("trace descriptor block", found, rule, where)
        if code == 3 and n_samples % 4:
            findings.fail("samples", n_samples, "a multiple of 4 for code 3", where)
        needed = n_samples * _TYPES[code][1] // 8
        if n_bytes < needed:
            findings.fail("data block", n_bytes, f"{needed} bytes or more", where)
        start = pointer + size
        if start + needed > len(data):
            left = len(data) - start
            findings.warn(f"{where}: cut off, {max(0, left)} of {needed} bytes; left out")
            break
        taken += needed
        if taken > len(data) or pointer in known:
            findings.fail("trace pointers", pointer, "to samples of their own", where)
        known.add(pointer)
        strings = _read_strings(findings, data, pointer + _BLOCK, start, order, end)
        traces.append(_Trace(place=start, n_samples=n_samples, code=code, strings=strings))
        same = traces[0]
        if (n_samples, code) != (same.n_samples, same.code):
            found = f"{n_samples} samples of code {code}"
            rule = f"{same.n_samples} samples of code {same.code}, as in trace 0"
            findings.fail("trace", found, rule, where)
    return traces


def _read_samples(
    findings: Findings, data: npt.NDArray[np.uint8], traces: list[_Trace], order: str
) -> npt.NDArray[Any]:
    """Return samples by trace, channel and sample; mapped where they lie evenly."""
    first = traces[0]
    kind, bits = _TYPES[first.code]
    n_bytes = first.n_samples * bits // 8
    if first.code == 3:
        stored = np.empty((len(traces), 1, first.n_samples), np.int32)
        for k, trace in enumerate(traces):
            stored[k, 0] = _unpack_20_bits(data[trace.place : trace.place + n_bytes], order)
        stored.flags.writeable = False
        return stored
    dtype = np.dtype(kind).newbyteorder("<" if order == "<" else ">")
    steps = np.diff([trace.place for trace in traces])
    if len(steps) == 0 or ((steps == steps[0]).all() and steps[0] > 0):
        # evenly spaced blocks: a view into the file
        step = int(steps[0]) if len(steps) else n_bytes
        mapped = np.ndarray(
            (len(traces), 1, first.n_samples),
            dtype,
            buffer=data,
            offset=first.place,
            strides=(step, n_bytes, dtype.itemsize),
        )
        mapped.flags.writeable = False
        return mapped
    stored = np.empty((len(traces), 1, first.n_samples), dtype)
    for k, trace in enumerate(traces):
        stored[k, 0] = data[trace.place : trace.place + n_bytes].view(dtype)
    stored.flags.writeable = False
    return stored


def _unpack_20_bits(block: npt.NDArray[np.uint8], order: str) -> npt.NDArray[np.int32]:
    """
    Return the numbers of data format code 3.

    Of five words of 16 bits the first holds four exponents of 4 bits, that of the first sample
    lowest; the others hold fractions in one's complement, whole numbers here.
    """
    words = block.tobytes()
    groups = np.frombuffer(words, order + "i2").reshape(-1, 5)
    exponents = groups[:, 0].astype(np.int64) & 0xFFFF
    fractions = groups[:, 1:].astype(np.int64)
    fractions += fractions < 0  # one's complement
    shifts = (exponents[:, None] >> np.array([0, 4, 8, 12])) & 15
    return (fractions << shifts).ravel().astype(np.int32)


def _descale(
    findings: Findings, stored: npt.NDArray[Any], traces: list[_Trace]
) -> tuple[npt.NDArray[Any], float | None]:
    """Return samples that compare from trace to trace, and the factor that remains."""
    factors = [parse_number(trace.strings.get("DESCALING_FACTOR", "")) for trace in traces]
    if len(set(factors)) == 1:
        return stored, factors[0]
    if None in factors or 0.0 in factors:
        findings.warn("not all traces have a DESCALING_FACTOR: samples are as stored")
        return stored, None
    scale = np.array(factors, np.float64)
    reason = "traces have different factors, and would not compare with each other"
    findings.correct("samples", "as stored", "times DESCALING_FACTOR of the trace", reason)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = stored.astype(np.float64) * scale[:, None, None]
    scaled.flags.writeable = False
    return scaled, 1.0


def _interval(draft: Draft, traces: list[_Trace], given: float | None) -> float:
    """Return the sample interval in seconds."""
    findings = draft.findings
    said = {trace.strings.get("SAMPLE_INTERVAL", "") for trace in traces}
    numbers = {parse_number(text) for text in said}
    value = numbers.pop() if len(numbers) == 1 else None
    draft.sources["sample_interval"] = "SAMPLE_INTERVAL"
    if given is not None:
        given = check_positive(given, "sample_interval")
        findings.override("sample_interval", value, given)
        value, draft.sources["sample_interval"] = given, "caller"
    elif len(said) > 1 and value is None:
        findings.fail("SAMPLE_INTERVAL", sorted(said)[:5], "the same in all traces")
    if value is None:
        rule = "seconds between samples: pass sample_interval to override it"
        findings.fail("sample interval", min(said) or "none", rule, "SAMPLE_INTERVAL")
    return check_interval(findings, value, "SAMPLE_INTERVAL")


def _add_places(
    draft: Draft, traces: list[_Trace], strings: Strings, given: float | None
) -> None:
    """Add the distance along the receivers, or by the caller's spacing."""
    findings, n_traces = draft.findings, len(traces)
    if given is not None:
        given = check_positive(given, "spacing")
        findings.override("spacing", None, given)
        draft.sources["spacing"] = "caller"
        draft.fields.update(spacing=given, distance=given * np.arange(n_traces, dtype=float))
        return
    places = [_place(trace.strings.get("RECEIVER_LOCATION", "")) for trace in traces]
    if any(place is None for place in places):
        return
    unit = strings.get("UNITS", "").strip().upper()
    if unit not in _UNITS:
        findings.warn(f"RECEIVER_LOCATION without a unit of length ({unit!r}): no distance")
        return
    track = np.array(places, np.float64) * _UNITS[unit]
    steps = np.sqrt((np.diff(track, axis=0) ** 2).sum(axis=1))
    if not steps.any():
        return
    draft.fields["distance"] = np.concatenate([[0.0], np.cumsum(steps)])
    draft.sources["spacing"] = "RECEIVER_LOCATION"
    step = float(np.median(steps))
    if step > 0 and np.ptp(steps) <= 1e-3 * step:
        draft.fields["spacing"] = step


def _place(text: str) -> tuple[float, float, float] | None:
    """Return up to three coordinates, None if there is none."""
    numbers = [parse_number(word) for word in text.split()[:3]]
    if not numbers or None in numbers:
        return None
    x, y, z = (*(float(n) for n in numbers if n is not None), 0.0, 0.0)[:3]
    return x, y, z


def _date(strings: Strings) -> str | None:
    """Return the date of acquisition as ISO, None if it is not plain."""
    match = re.fullmatch(
        r"([0-9]{1,2})[/-]([A-Za-z]{3}|[0-9]{1,2})[/-]([0-9]{4})",
        strings.get("ACQUISITION_DATE", "").strip(),
    )
    if match is None:
        return None
    months = [
        "JAN",
        "FEB",
        "MAR",
        "APR",
        "MAY",
        "JUN",
        "JUL",
        "AUG",
        "SEP",
        "OCT",
        "NOV",
        "DEC",
    ]
    month = match[2].upper()
    number = (
        months.index(month) + 1 if month in months else int(month) if month.isdigit() else 0
    )
    day = int(match[1])
    try:
        return datetime.date(int(match[3]), number, day).isoformat()
    except ValueError:
        return None

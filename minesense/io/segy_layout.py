"""
Layout of SEG-Y files: byte order, sample format, where traces are and how long.

A text header of 3200 bytes, a binary header of 400, further text headers, then traces of 240
bytes and samples. Positions in the standard count from 1, offsets here from 0.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .sidecar import MAX_TEXT
from .survey import Decode
from .trouble import Findings
from .words import decode_ibm, decode_int24

TEXT = 3200
START = 3600
TRACE_HEADER = 240

#: Sample formats: type of NumPy without byte order, None for format 4, which has a gain.
TYPES: dict[int, str | None] = {
    1: "u4",
    2: "i4",
    3: "i2",
    4: None,
    5: "f4",
    6: "f8",
    7: "V3",
    8: "i1",
    9: "i8",
    10: "u4",
    11: "u2",
    12: "u8",
    15: "V3",
    16: "u1",
}

# Name, format and offset of fields of the binary header.
_BINARY = (
    ("interval", "h", 3216),
    ("n_samples", "H", 3220),
    ("format", "h", 3224),
    ("measurement", "h", 3254),
    ("extended_n_samples", "I", 3268),
    ("extended_interval", "d", 3272),
    ("constant", "i", 3296),
    ("fixed_length", "h", 3502),
    ("n_extended_text", "h", 3504),
    ("n_extra_headers", "i", 3506),
    ("first_trace", "Q", 3520),
    ("n_trailers", "i", 3528),
)

# Name, type and offset of fields of trace headers. Vendors put floats in integer slots.
_TRACE: dict[str, tuple[str, int]] = {
    "sequence": ("i4", 0),
    "sequence_in_file": ("i4", 4),
    "trace_type": ("i2", 28),
    "antenna_offset": ("i4", 36),
    "height": ("i4", 40),
    "height_float": ("f4", 40),
    "height_scalar": ("i2", 68),
    "scalar": ("i2", 70),
    "source": ("(2,)i4", 72),
    "group": ("(2,)i4", 80),
    "units": ("i2", 88),
    "fix_quality": ("i4", 90),
    "delay": ("i2", 108),
    "n_samples": ("u2", 114),
    "interval": ("i2", 116),
    "time": ("(5,)i2", 156),
    "milliseconds": ("i2", 168),
    "longitude": ("f8", 182),
    "latitude": ("f8", 190),
    "time_scalar": ("i2", 214),
    "mark_flag": ("u2", 236),
    "mark_number": ("u2", 238),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegyLayout:
    """Where the traces are and how they are stored."""

    order: str  #: ">" or "<"
    code: int  #: sample format
    revision: int
    start: int  #: offset of the first trace
    header_size: int  #: bytes of the headers of a trace
    n_samples: int
    n_traces: int
    offsets: npt.NDArray[np.int64] | None = None  #: of traces that differ in length

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return width_of(self.code)

    @property
    def trace_size(self) -> int:
        """Bytes of a trace with its headers."""
        return self.header_size + self.n_samples * self.width

    @property
    def decode(self) -> Decode | None:
        """What makes numbers of stored words, None if they are numbers."""
        if self.code == 1:
            return decode_ibm
        if self.code in (7, 15):
            name = "big" if self.order == ">" else "little"
            return functools.partial(decode_int24, order=name, is_signed=self.code == 7)
        return None


def width_of(code: int) -> int:
    """Return the bytes of a sample of a format."""
    return int((TYPES[code] or "i4")[1:])


def trace_type(order: str, header_size: int, n_samples: int, code: int) -> np.dtype[Any]:
    """Return the type of a trace: fields of its header, then `samples`."""
    fields = {name: (_ordered(form, order), offset) for name, (form, offset) in _TRACE.items()}
    form = TYPES[code] or "i4"
    fields["samples"] = (f"({n_samples},){_ordered(form, order)}", header_size)
    return np.dtype(
        {
            "names": list(fields),
            "formats": [form for form, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": header_size + n_samples * width_of(code),
        }
    )


def _ordered(form: str, order: str) -> str:
    """Return a type with its byte order behind the shape."""
    shape, bracket, kind = form.rpartition(")")
    return f"{shape}{bracket}{'|' if kind[0] == 'V' else order}{kind}"


def read_binary(head: bytes, order: str) -> dict[str, Any]:
    """Return the fields of the binary header, as read, and the revision."""
    header = {name: struct.unpack_from(order + f, head, place)[0] for name, f, place in _BINARY}
    major, minor = head[3500], head[3501]
    if order == "<" and major == 0 and minor in (1, 2):
        major, minor = minor, 0  # revision 1 wrote a number of two bytes in the file's order
    header["revision"] = (major, minor)
    return header


def find_order(findings: Findings, head: bytes, given: str | None) -> str:
    """
    Return the byte order, by the constant of revision 2, else by the format code.

    Raises
    ------
    FormatError
        If the format code is known in neither order.
    """
    found = None
    if head[3296:3300] == b"\x01\x02\x03\x04":
        found = ">"
    elif head[3296:3300] == b"\x04\x03\x02\x01":
        found = "<"
    else:
        known = [
            order for order in "><" if struct.unpack_from(order + "h", head, 3224)[0] in TYPES
        ]
        found = known[0] if known else None
    if given is not None:
        order = ">" if given == "big" else "<"
        findings.override("byte_order", found, order)
        found = order
    code = struct.unpack_from((found or ">") + "h", head, 3224)[0]
    if found is None or code not in TYPES:
        rule = f"a sample format of {sorted(TYPES)} in one byte order or the other"
        findings.fail("format code", code, rule, "bytes 3225-3226")
    if TYPES[code] is None:
        rule = "one that has no gain in each sample: format 4 is not read"
        findings.fail("format code", code, rule, "bytes 3225-3226")
    return found


def find_layout(findings: Findings, head: bytes, order: str) -> SegyLayout:
    """
    Return where the traces are, after comparing what headers ask with the file's size.

    Parameters
    ----------
    findings : Findings
        Names the file, takes warnings and corrections.
    head : bytes
        The first 3840 bytes.
    order : ">" or "<"
        Byte order.

    Returns
    -------
    layout : SegyLayout
        With offsets of traces only if these differ in length.

    Raises
    ------
    FormatError
        If the file does not hold one trace, or their lengths stay ambiguous.
    """
    header, size = read_binary(head, order), findings.path.stat().st_size
    code, revision = int(header["format"]), int(header["revision"][0])
    start = _find_start(findings, header, size)
    header_size = TRACE_HEADER
    extra = header["n_extra_headers"] if revision >= 2 else 0
    if 0 < extra <= 1000 and start + (1 + extra) * TRACE_HEADER <= size:
        header_size += extra * TRACE_HEADER
    with findings.path.open("rb") as file:
        file.seek(start)
        first = file.read(TRACE_HEADER)
    if len(first) < TRACE_HEADER:
        rule = f"at least {start + TRACE_HEADER} bytes for the header of a trace"
        findings.fail("file size", size, rule)
    end = _find_end(header, revision, start, size)
    (by_trace,) = struct.unpack_from(order + "H", first, 114)
    said = int(header["n_samples"])
    if revision >= 2 and header["extended_n_samples"]:
        said = int(header["extended_n_samples"])
        by_trace = by_trace if said < 2**16 else said
    n_samples = _choose_samples(findings, said, by_trace, end - start, header_size, code)
    n_traces, _ = divmod(end - start, header_size + n_samples * width_of(code))
    return SegyLayout(
        order=order,
        code=code,
        revision=revision,
        start=start,
        header_size=header_size,
        n_samples=n_samples,
        n_traces=n_traces,
    )


def _find_start(findings: Findings, header: dict[str, Any], size: int) -> int:
    """Return the offset of the first trace, behind the text headers."""
    count = header["n_extended_text"] if header["revision"][0] >= 1 else 0
    first = header["first_trace"] if header["revision"][0] >= 2 else 0
    if START <= first < size:
        return int(first)
    if count == -1:
        return _behind_end_stanza(findings, size)
    if count < 0 or START + TEXT * count + TRACE_HEADER > size:
        rule = f"so that {TEXT} bytes each fit into the file of {size} bytes"
        findings.fail("number of extended text headers", count, rule, "bytes 3505-3506")
    return int(START + TEXT * count)


def _behind_end_stanza(findings: Findings, size: int) -> int:
    """Return the offset behind the text header that says it is the last."""
    marks = [text.encode(code) for text in _STANZAS for code in ("ascii", "cp037")]
    with findings.path.open("rb") as file:
        file.seek(START)
        for place in range(START, min(size, MAX_TEXT) - TEXT + 1, TEXT):
            record = file.read(TEXT)
            if any(mark in record for mark in marks):
                return place + TEXT
    rule = "ended by a text header with SEG: EndText"
    return findings.fail("number of extended text headers", -1, rule, "bytes 3505-3506")


_STANZAS = ("SEG: EndText", "SEG:EndText", "SEG: endtext", "SEG:endtext")


def _find_end(header: dict[str, Any], revision: int, start: int, size: int) -> int:
    """Return the offset behind the last trace; trailers of revision 2 come after."""
    count = header["n_trailers"] if revision >= 2 else 0
    end = size - TEXT * count
    return int(end) if count > 0 and end > start else size


def _choose_samples(
    findings: Findings, said: int, by_trace: int, size: int, header_size: int, code: int
) -> int:
    """Return the samples of a trace; where the headers differ, what divides the file wins."""

    def divides(n: int) -> bool:
        return n > 0 and size % (header_size + n * width_of(code)) == 0

    def fits(n: int) -> bool:
        return n > 0 and header_size + n * width_of(code) <= size

    where = "bytes 3221-3222, and 115-116 of the first trace"
    candidates = [n for n in dict.fromkeys((said, by_trace)) if fits(n)]
    if not candidates:
        rule = f"so that one trace fits into {size} bytes"
        findings.fail("samples per trace", (said, by_trace), rule, where)
    if said in candidates and by_trace in (0, said):
        return said
    best = [n for n in candidates if divides(n)] or candidates
    if len(best) > 1:
        best = [said]  # traces of other lengths may follow
    if best[0] != said:
        reason = "the first trace says so" if not divides(best[0]) else "it divides the file"
        findings.correct("samples per trace", said, best[0], reason)
    return best[0]


def walk_traces(
    findings: Findings, layout: SegyLayout
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """
    Return offset and length of traces that differ in length, and what is left at the end.

    Each trace says how many samples it has; none means as many as the binary header says.
    """
    offsets, lengths = [], []
    size = findings.path.stat().st_size
    place = layout.start
    unpack = struct.Struct(layout.order + "H").unpack_from
    mapped = np.memmap(findings.path, dtype=np.uint8, mode="r")
    data = memoryview(mapped)  # type: ignore[arg-type]
    while place + layout.header_size <= size:
        n = unpack(data, place + 114)[0] or layout.n_samples
        behind = place + layout.header_size + n * layout.width
        if behind > size:
            break
        offsets.append(place)
        lengths.append(n)
        place = behind
    return np.array(offsets, np.int64), np.array(lengths, np.int64), size - place

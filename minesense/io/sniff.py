"""Tell what a file holds from its first bytes."""

from __future__ import annotations

import math
import struct
from pathlib import Path

from .sidecar import find_sidecar
from .trouble import FormatError

#: How many bytes decide.
HEAD = 3840

_BITS = (8, 16, 32)
_PRINTING = bytes([9, 10, 13, *range(32, 127)])


def looks_like_dzt(head: bytes) -> bool:
    """Whether bytes start with a plausible GSSI header."""
    if len(head) < 128:
        return False
    tag, start, samples, bits = struct.unpack_from("<4H", head)
    (channels,) = struct.unpack_from("<H", head, 52)
    magic = tag & 0xFF == 0xFF or tag >> 8 == 0x07
    return magic and start > 0 and samples > 0 and bits in _BITS and channels <= 32


def looks_like_dt1(head: bytes) -> bool:
    """Whether bytes start with a plausible Sensors & Software trace header."""
    if len(head) < 128:
        return False
    number, _, points, _, _, width = struct.unpack_from("<4fif", head)
    whole = math.isfinite(number) and math.isfinite(points)
    return (
        whole
        and 0 <= number < 1e6
        and number == int(number)
        and 1 <= points < 1e6
        and points == int(points)
        and width in (2.0, 4.0)
    )


def looks_like_rd3(head: bytes, path: Path) -> bool:
    """Whether a file is named like one of MALA and has, or is, a header of theirs."""
    suffix = path.suffix.lower()
    if suffix in (".rd3", ".rd7"):
        try:
            return find_sidecar(path, ".RAD") is not None
        except FormatError:
            return True  # several: the reader asks which
    return suffix == ".rad" and b"SAMPLES:" in head.upper()


def describe_content(head: bytes) -> str | None:
    """Return in words what foreign content looks like; None if it tells nothing."""
    found = describe_signature(head)
    if found:
        return found
    if looks_like_segy(head):
        return "a SEG-Y file"
    if head and _is_text(head):
        return "text"
    return None


def describe_signature(head: bytes) -> str | None:
    """Return in words what a signature says that content is; None if there is none."""
    signatures = (
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file, for example of gprMax"),
        (b"PK\x03\x04", "a zip archive; for a Sensors & Software project export DT1/HD"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"\x89PNG", "a PNG image"),
        (b"%PDF", "a PDF document"),
        (b"\x1f\x8b", "a gzip archive"),
    )
    for magic, words in signatures:
        if head.startswith(magic):
            return words
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return "a Python pickle, as GPRPy's .gpr files are; pickles are never loaded"
    return None


def looks_like_segy(head: bytes) -> bool:
    """Whether bytes hold a text header of SEG-Y, or an empty one, and a known format code."""
    if len(head) < 3600:
        return False
    text = head[:3200]
    is_ebcdic = text[0] == 0xC3 and text.count(0x40) > 300
    is_ascii = text[:1] in (b"C", b"c") and _is_text(text.replace(b"\0", b" "))
    is_empty = not text.strip(b"\0") or not text.strip(b" ") or not text.strip(b"\x40")
    codes = (head[3224] << 8 | head[3225], head[3225] << 8 | head[3224])
    is_counted = not is_empty or head[3220:3222] != b"\0\0"
    return (is_ebcdic or is_ascii or (is_empty and is_counted)) and any(
        1 <= code <= 16 for code in codes
    )


def _is_text(head: bytes) -> bool:
    """Whether nearly all bytes print."""
    n_other = len(head.translate(None, _PRINTING))
    return n_other <= 0.05 * len(head)

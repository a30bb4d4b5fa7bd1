"""
Header and layout of GSSI DZT files: where the scans are and how they are stored.

Every channel has a header of 1024 bytes at the start of the file; scans follow without
gaps, channel after channel.
"""

from __future__ import annotations

import datetime
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .dzt_counter import count_kind
from .recording import LOOKED_THROUGH
from .sniff import HEAD, describe_content
from .traces import check_bookkeeping
from .trouble import Findings

BLOCK = 1024
MOST_CHANNELS = 32
DTYPES: dict[int, np.dtype[Any]] = {
    8: np.dtype("u1"),
    16: np.dtype("<u2"),
    32: np.dtype("<i4"),
}

# Name, format and offset of the fields kept, in the vendor's order.
_FIELDS = (
    ("tag", "H", 0),
    ("data", "H", 2),
    ("samples", "H", 4),
    ("bits", "H", 6),
    ("zero", "h", 8),
    ("scans_per_second", "f", 10),
    ("scans_per_metre", "f", 14),
    ("metres_per_mark", "f", 18),
    ("position_ns", "f", 22),
    ("range_ns", "f", 26),
    ("passes", "H", 30),
    ("range_gain_offset", "H", 40),
    ("range_gain_size", "H", 42),
    ("text_offset", "H", 44),
    ("text_size", "H", 46),
    ("history_offset", "H", 48),
    ("history_size", "H", 50),
    ("channels", "H", 52),
    ("permittivity", "f", 54),
    ("top_m", "f", 58),
    ("depth_m", "f", 62),
    ("system", "B", 113),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the scans are and how they are stored."""

    start: int
    n_traces: int
    n_channels: int
    n_samples: int
    bits: int
    remainder: int

    @property
    def is_large(self) -> bool:
        """Whether the scans are too many to be looked through at opening."""
        size = self.n_traces * self.n_channels * self.n_samples * self.bits // 8
        return size > LOOKED_THROUGH

    def map(self, path: Path) -> npt.NDArray[Any]:
        """Return the scans as a read-only map of the file."""
        shape = (self.n_traces, self.n_channels, self.n_samples)
        mapped = np.memmap(
            path, dtype=DTYPES[self.bits], mode="r", offset=self.start, shape=shape
        )
        return np.asarray(mapped)


def read_header(block: bytes) -> dict[str, Any]:
    """Return the fields of one header block of 1024 bytes, as read."""
    header: dict[str, Any] = {
        name: struct.unpack_from("<" + form, block, offset)[0] for name, form, offset in _FIELDS
    }
    created, modified = struct.unpack_from("<2I", block, 32)
    header["created"], header["modified"] = read_date(created), read_date(modified)
    header["antenna"] = block[98:112].decode("latin-1").strip("\0 \t\r\n")
    header["antenna_bytes"] = block[98:112]
    header["file_name"] = block[114:126].decode("latin-1").strip("\0 \t\r\n")
    return header


def read_date(packed: int) -> str | None:
    """
    Return the ISO date and time of a packed local clock, None if it is impossible.

    From the low end: 5 bits of seconds / 2, 6 minute, 5 hour, 5 day, 4 month, 7 year - 1980.
    """
    second, minute, hour = 2 * (packed & 31), packed >> 5 & 63, packed >> 11 & 31
    day, month, year = packed >> 16 & 31, packed >> 21 & 15, 1980 + (packed >> 25)
    try:
        return datetime.datetime(year, month, day, hour, minute, second).isoformat()
    except ValueError:
        return None


def find_layout(findings: Findings, head: bytes, size: int, width: int | None) -> Layout:
    """
    Return where the scans are, after comparing what the header asks with the file's size.

    Parameters
    ----------
    findings : Findings
        Takes warnings and corrections.
    head : bytes
        The first 32 KiB of the file, or all of a shorter one.
    size : int
        Of the file, in bytes.
    width : int or None
        Bytes of a sample by the caller.

    Returns
    -------
    layout : Layout
        Where the scans are.

    Raises
    ------
    FormatError
        If the file is no DZT, a field is out of range or not one scan fits.
    """
    header = read_header(head)
    accepted = header["tag"] & 0xFF == 0xFF or header["tag"] >> 8 == 7
    content = None if accepted else describe_content(head[:HEAD])
    if content:
        findings.fail("content", head[:8], f"a DZT file; it looks like {content}")
    n_channels, n_samples, bits = _check_shape(findings, header, width)
    layout = _choose_start(findings, header["data"], size, (n_channels, n_samples, bits))
    tag = f"{header['tag']:#06x}"
    if not accepted and layout.remainder:
        findings.fail("tag", tag, "0x..ff or 0x07.. in a DZT file", "offset 0")
    if not accepted:
        text = f"tag {tag} is not of a DZT file, but the rest fits"
        findings.warn(text, field="tag", value=tag)
    for channel in range(1, n_channels):
        _check_channel(findings, head, channel, n_samples, bits if width is None else None)
        _check_range(findings, head, channel, header["range_ns"])
    if layout.remainder:
        scan = n_channels * n_samples * bits // 8
        text = f"truncated: {layout.remainder} bytes of a last scan of {scan} dropped"
        findings.warn(text, field="file size", value=size)
    return layout


def _check_shape(
    findings: Findings, header: dict[str, Any], width: int | None
) -> tuple[int, int, int]:
    """Return channels, samples and bits of a header if they can be."""
    n_samples, bits, n_channels = header["samples"], header["bits"], header["channels"]
    if width is not None:
        findings.override("bits", bits, 8 * width)
        bits = 8 * width
    if bits not in DTYPES:
        findings.fail("bits per sample", bits, "8, 16 or 32", "offset 6")
    if n_samples == 0:
        findings.fail("samples per scan", 0, "at least 1", "offset 4")
    if n_channels > MOST_CHANNELS:
        findings.fail("channels", n_channels, f"at most {MOST_CHANNELS}", "offset 52")
    if n_channels == 0:
        findings.correct("channels", 0, 1, "a file has at least one")
    return max(1, n_channels), n_samples, bits


def _choose_start(
    findings: Findings, data: int, size: int, shape: tuple[int, int, int]
) -> Layout:
    """Return the layout whose data start fits the file, and the counter if two do."""
    n_channels, n_samples, bits = shape
    scan = n_channels * n_samples * bits // 8
    starts = _data_starts(data, n_channels)
    layouts = [
        Layout(start, (size - start) // scan, *shape, (size - start) % scan)
        for start in starts
        if start >= BLOCK * n_channels and start + scan <= size
    ]
    if not layouts:
        rule = (
            f"so that data start behind {BLOCK * n_channels} bytes of header and one scan of "
            f"{scan} bytes fits into the file of {size} bytes"
        )
        findings.fail("data start", starts[0], rule, "offset 2")
    check_bookkeeping(findings, layouts[0].n_traces, n_samples, "offset 4")
    layout = layouts[0]
    if len(starts) > 1:
        counted = [one for one in layouts if not one.remainder and _counts(one, findings.path)]
        layout = counted[0] if len(counted) == 1 else layout
        text = f"data field {data} has two readings: data taken to start at {layout.start}"
        findings.warn(text, field="data start", value=data)
    return layout


def _data_starts(data: int, n_channels: int) -> list[int]:
    """Return the possible offsets of the first scan, that of the vendor's rule first."""
    if data < BLOCK:
        return [BLOCK * data]
    rule = BLOCK * n_channels
    return [rule] if data == BLOCK else [rule, BLOCK * data]


def _check_channel(
    findings: Findings, head: bytes, channel: int, n_samples: int, bits: int | None
) -> None:
    """Compare the layout in a further header with that of the first."""
    found, found_bits = struct.unpack_from("<2H", head, BLOCK * channel + 4)
    where = f"offset {BLOCK * channel + 4}, header of channel {channel}"
    if found == 0:
        findings.correct(f"samples of channel {channel}", 0, n_samples, "channel 0 says so")
    elif found != n_samples:
        findings.fail("samples per scan", found, f"{n_samples} as in channel 0", where)
    if bits is None or found_bits == bits:
        return
    if found_bits in DTYPES:
        findings.fail("bits per sample", found_bits, f"{bits} as in channel 0", where)
    findings.correct(f"bits of channel {channel}", found_bits, bits, "channel 0 says so")


def _check_range(findings: Findings, head: bytes, channel: int, range_ns: float) -> None:
    """Doubt the time axis of a channel whose header states another window."""
    (found,) = struct.unpack_from("<f", head, BLOCK * channel + 26)
    if math.isfinite(found) and found > 0 and found != range_ns:
        text = (
            f"range of channel {channel}: {found:g} ns; the {range_ns:g} ns of channel 0 count"
        )
        findings.warn(text, field="range", value=found)


def _counts(layout: Layout, path: Path) -> bool:
    """Whether the scans of a layout have a running counter."""
    scans = layout.map(path)[:, 0]
    return count_kind(scans, whole=not layout.is_large) in ("all", "most")

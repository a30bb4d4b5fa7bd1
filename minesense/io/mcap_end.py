"""Whether what lies behind the last packet of a recording is as it was written."""

from __future__ import annotations

import struct
import zlib

from . import mcap_layout as layout

_FOOT = struct.Struct("<QQI")  # start of the summary and of its offsets, CRC-32
_SIZE = layout.PREFIX.size + _FOOT.size + len(layout.MAGIC)


def fault_of_end(data: memoryview, at: int) -> str:
    """
    Return what is wrong with the summary, the footer and the magic that end a file.

    Parameters
    ----------
    data : memoryview
        Of the whole file.
    at : int
        Where the record that ends the data ends.

    Returns
    -------
    fault : str
        Empty if nothing is. No packet lies there: a fault costs the index of other programs.

    Examples
    --------
    >>> fault_of_end(memoryview(b"nothing"), 0)
    'the summary at the end is cut off'
    """
    if len(data) - at < _SIZE:
        return "the summary at the end is cut off"
    footer = len(data) - _SIZE
    opcode, length = layout.PREFIX.unpack_from(data, footer)
    start, _, checksum = _FOOT.unpack_from(data, footer + layout.PREFIX.size)
    magic = bytes(data[-len(layout.MAGIC) :])
    if magic != layout.MAGIC or (opcode, length) != (layout.FOOTER, _FOOT.size):
        return "the summary at the end is damaged: no footer"
    if start and not at <= start <= footer:
        return "the summary at the end is damaged: it begins elsewhere"
    if not start and footer != at:
        return "the summary at the end is damaged: something unknown lies before the footer"
    covered = data[start or footer : len(data) - len(layout.MAGIC) - 4]
    if checksum and zlib.crc32(covered) != checksum:
        return "the summary at the end is damaged: its checksum is wrong"
    return ""

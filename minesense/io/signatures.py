"""Tell tables, bags and other files from their first bytes: formats of no radar vendor."""

from __future__ import annotations

import re
import struct
from pathlib import Path

_SEG2_BLOCK = 32
_VNA_HEADER = re.compile(r"(S[1-9][1-9])_real\s*,\s*(S[1-9][1-9])_imag", re.IGNORECASE)
_VNA_NAME = re.compile(
    r"VNA(?:_data)?_X-?[0-9.]{1,12}_Y-?[0-9.]{1,12}(?=_|\.).*\.csv", re.IGNORECASE
)
_SKYHUB = {"elapsed", "time", "latitude", "longitude"}
_OPTION_LINE = re.compile(r"#(\s+[A-Za-z0-9.]+){1,8}\s*")


def looks_like_seg2(head: bytes) -> bool:
    r"""
    Tell whether bytes start with a file descriptor block.

    Parameters
    ----------
    head : bytes
        First bytes of a file.

    Returns
    -------
    is_one : bool
        Whether they do.

    Examples
    --------
    >>> looks_like_seg2(b"\x55\x3a\x01\x00\x04\x00\x01\x00" + bytes(24))
    True
    """
    if len(head) < _SEG2_BLOCK or head[:2] not in (b"\x55\x3a", b"\x3a\x55"):
        return False
    order = "<" if head[0] == 0x55 else ">"
    revision, size, count = struct.unpack_from(order + "3H", head, 2)
    return revision == 1 and count >= 1 and size >= 4 * count


def looks_like_vna_table(head: bytes) -> bool:
    r"""
    Tell whether a text starts with the header of such a table.

    Parameters
    ----------
    head : bytes
        First bytes of a file.

    Returns
    -------
    is_one : bool
        Whether they are.

    Examples
    --------
    >>> looks_like_vna_table(b"S21_real,S21_imag\n0.1,0.2\n")
    True
    """
    first = re.split(rb"[\r\n]", head.removeprefix(b"\xef\xbb\xbf"), maxsplit=1)[0]
    return _VNA_HEADER.fullmatch(first.decode("latin-1").strip()) is not None


def is_vna_folder(path: Path) -> bool:
    """
    Tell whether a folder holds tables of a network analyser.

    Parameters
    ----------
    path : Path
        A folder.

    Returns
    -------
    is_one : bool
        Whether there is one by its name.
    """
    return path.is_dir() and any(_VNA_NAME.match(entry.name) for entry in path.iterdir())


def looks_like_touchstone(head: bytes, path: Path) -> bool:
    r"""
    Tell whether a text is a Touchstone file.

    Parameters
    ----------
    head : bytes
        First bytes of a file.
    path : Path
        Whose ending counts where the content starts with comments or numbers.

    Returns
    -------
    is_one : bool
        Whether its first line that is no comment is a keyword of version 2, or an option line
        or numbers in a file that is named as one.

    Examples
    --------
    >>> looks_like_touchstone(b"! made by hand\n[Version] 2.0\n", Path("antenna.txt"))
    True
    """
    is_named = re.fullmatch(r"\.(s[1-9]p|ts)", path.suffix.lower()) is not None
    for line in re.split(r"[\r\n]+", head.decode("latin-1").removeprefix("\xef\xbb\xbf"))[:500]:
        text = line.split("!")[0].strip()
        if not text:
            continue
        if re.fullmatch(r"\[version\]\s*[0-9.]+", text.lower()):
            return True
        return is_named and (
            _OPTION_LINE.fullmatch(text) is not None or text[0] in "+-.0123456789#["
        )
    return False


def looks_like_skyhub(head: bytes) -> bool:
    r"""
    Tell whether a text has the header of a position log.

    Parameters
    ----------
    head : bytes
        First bytes of a file.

    Returns
    -------
    is_one : bool
        Whether its first line that is no comment names the columns of one.

    Examples
    --------
    >>> looks_like_skyhub(b"Elapsed,Date,Time,Heading,Latitude,Longitude,Altitude\n")
    True
    """
    for line in re.split(r"[\r\n]+", head.decode("utf-8-sig", "replace"))[:50]:
        if line.strip() and not line.startswith("#"):
            names = {" ".join(name.split()).lower() for name in line.split(",")}
            return names >= _SKYHUB
    return False


def looks_like_sweep_table(head: bytes) -> bool:
    r"""
    Tell whether a text has a header with a time and units in brackets.

    Parameters
    ----------
    head : bytes
        First bytes of a file.

    Returns
    -------
    is_one : bool
        Whether its first line that is no comment has.

    Examples
    --------
    >>> looks_like_sweep_table(b"# a cart\ntime [s];coil [mV]\n0;1\n")
    True
    """
    for line in re.split(r"[\r\n]+", head.decode("utf-8-sig", "replace"))[:50]:
        if line.strip() and not line.startswith("#"):
            named = re.search(
                r"(^|[,;\t|])\s*\"?(time|timestamp|elapsed) \[[^\]]+\]", line, re.I
            )
            return named is not None
    return False


def is_bag(head: bytes, path: Path) -> bool:
    """
    Tell whether a file or folder is a ROS bag that is read here.

    Parameters
    ----------
    head : bytes
        First bytes of a file, none of a folder.
    path : Path
        The file, or the folder of a bag of ROS 2.

    Returns
    -------
    is_one : bool
        Whether it is a bag of ROS 1, a folder with `metadata.yaml`, or storage of ROS 2.
    """
    if path.is_dir():
        return (path / "metadata.yaml").is_file()
    if head.startswith(b"SQLite format 3\x00"):
        return path.suffix.lower() == ".db3"
    if head.startswith(b"\x89MCAP0\r\n"):
        return b"\x04\x00\x00\x00ros2" in head[:64]  # the profile in its header
    return head.startswith(b"#ROSBAG V2.0\n")


def looks_like_stream(head: bytes) -> bool:
    r"""
    Tell whether bytes start a recording of streams, by the profile in its header.

    Parameters
    ----------
    head : bytes
        First bytes of a file.

    Returns
    -------
    is_one : bool
        Whether they do.

    Examples
    --------
    >>> looks_like_stream(b"\x89MCAP0\r\n\x01" + bytes(8) + b"\x09\x00\x00\x00minesense")
    True
    """
    return head.startswith(b"\x89MCAP0\r\n") and b"\x09\x00\x00\x00minesense" in head[:64]

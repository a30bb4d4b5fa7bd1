"""Files beside a recording, and the text in them."""

from __future__ import annotations

import re
from pathlib import Path

from .trouble import Findings, FormatError

#: Largest header or sidecar, and largest line in one, in bytes.
MAX_TEXT = 64 * 2**20
MAX_LINE = 2**20


def find_sidecar(path: Path, extension: str) -> Path | None:
    """
    Return the sibling of a file with the same stem and another extension.

    Parameters
    ----------
    path : Path
        The recording.
    extension : str
        With its dot, for example ".HD"; compared without case, as the stem is not.

    Returns
    -------
    sidecar : Path or None
        The sibling whose extension has the case of `extension`, or follows that of the
        recording, else the only one of another case; None if there is none.

    Raises
    ------
    FormatError
        If several differ from each other only by case and none is preferred.
    """
    found = [
        entry
        for entry in sorted(path.parent.iterdir())
        if entry.stem == path.stem
        and entry.suffix.lower() == extension.lower()
        and entry.is_file()
    ]
    exact = extension.lower() if path.suffix.islower() else extension.upper()
    for entry in found:
        if entry.suffix == exact:
            return entry
    if len(found) > 1:
        names = [entry.name for entry in found]
        raise FormatError(path, f"sidecar {extension}", names, "one file, not several by case")
    return found[0] if found else None


def read_text_bytes(path: Path, *, limit: int = MAX_TEXT) -> bytes:
    """
    Return the content of a text file after checking that it can be one.

    Raises
    ------
    FormatError
        If it is larger than `limit` bytes, holds more than 1 % NUL bytes, or a line of
        more than 1 MiB.
    """
    size = path.stat().st_size
    if size > limit:
        raise FormatError(path, "file size", size, f"at most {limit} bytes for a text file")
    data = path.read_bytes()
    n_nul = data.count(0)
    if 100 * n_nul > len(data):
        raise FormatError(path, "content", f"{n_nul} NUL bytes", "text")
    longest = max((len(line) for line in re.split(rb"[\r\n]+", data)), default=0)
    if longest > MAX_LINE:
        raise FormatError(path, "line length", longest, f"at most {MAX_LINE} bytes")
    return data


def decode_lines(data: bytes, findings: Findings) -> list[str]:
    """
    Return the lines of a text, without blanks and NULs around them.

    UTF-8 with or without a byte-order mark, else Latin-1 with a correction entry. Any run
    of CR and LF ends a line, so that empty lines vanish.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("latin-1")
        reason = f"byte {error.start} is not UTF-8"
        findings.correct("text encoding", "utf-8", "latin-1", reason)
    return [line.strip(" \t\0") for line in re.split(r"[\r\n]+", text) if line.strip(" \t\0")]

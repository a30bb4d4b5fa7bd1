"""
What people did about alarms: an append-only log of which nothing is ever deleted.

The log is text, one JSON object a line, each naming the hash of the line before it. A wrong
entry is corrected by a later one that says so; both stay.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..digest import canonical
from .disposition import ACTIONS, ENDING, FOUND, Action, Disposition, Found

__all__ = [
    "ACTIONS",
    "BEGINNING",
    "ENDING",
    "FOUND",
    "Action",
    "Disposition",
    "Found",
    "LogEntry",
    "append_disposition",
    "current_dispositions",
    "ended_alarms",
    "mend_dispositions",
    "read_dispositions",
]

#: What the first line of a log follows.
BEGINNING = hashlib.sha512(b"minesense dispositions 1").hexdigest()

_LONGEST = 2**20  # bytes of a line


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A line of the log: its number, the disposition, and the hash that the next one names."""

    number: int
    disposition: Disposition
    sha512: str


def read_dispositions(path: str | os.PathLike[str]) -> tuple[LogEntry, ...]:
    """
    Read a log of dispositions and check its chain.

    Parameters
    ----------
    path : path-like
        The log; a missing one is an error, an empty one has no entries.

    Returns
    -------
    entries : tuple of LogEntry
        In the order they were written.

    Raises
    ------
    ValueError
        If a line is damaged, missing or out of order, or names another hash than that of the
        line before it. The message names the line.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.evidence.dispositions import Disposition, append_disposition
    >>> entry = Disposition(
    ...     alarm="A0001", action="dug", found="metal", by="operator 3",
    ...     time="2026-05-04T09:30:00Z",
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = append_disposition(f"{folder}/log.jsonl", entry)
    ...     [line.disposition.found for line in read_dispositions(f"{folder}/log.jsonl")]
    ['metal']
    """
    path = Path(path)
    data = path.read_bytes()
    lines = data.split(b"\n")
    if lines[-1]:
        msg = (
            f"Invalid dispositions '{path}', line {len(lines)}: it has no end. Must be whole: "
            "the writer was stopped there. Call mend_dispositions to set the torn line aside."
        )
        raise ValueError(msg)
    entries: list[LogEntry] = []
    previous = BEGINNING
    for k, line in enumerate(lines[:-1]):
        where = f"'{path}', line {k + 1}"
        entry = _parse(line, where, number=k, previous=previous)
        _check_correction(entry, entries, where)
        entries.append(entry)
        previous = entry.sha512
    return tuple(entries)


def append_disposition(path: str | os.PathLike[str], disposition: Disposition) -> LogEntry:
    """
    Add one entry to the end of a log, which is made if it does not exist.

    Parameters
    ----------
    path : path-like
        The log. It is read and checked first.
    disposition : Disposition
        What was done.

    Returns
    -------
    entry : LogEntry
        As it was written and brought to the disk.

    Raises
    ------
    TypeError, ValueError
        If it is no Disposition, corrects an entry that is not there, was corrected already or
        is of another alarm, or the log is damaged.
    OSError
        If it cannot be written.

    Examples
    --------
    A slip of the pen is corrected, and stays on record:

    >>> import dataclasses, tempfile
    >>> from minesense.evidence.dispositions import Disposition, current_dispositions
    >>> wrong = Disposition(
    ...     alarm="A0001", action="dug", found="metal", by="operator 3",
    ...     time="2026-05-04T09:30:00Z",
    ... )
    >>> right = dataclasses.replace(wrong, found="mine", corrects=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for entry in (wrong, right):
    ...         _ = append_disposition(f"{folder}/log.jsonl", entry)
    ...     log = read_dispositions(f"{folder}/log.jsonl")
    >>> len(log), current_dispositions(log)["A0001"].disposition.found
    (2, 'mine')
    """
    if not isinstance(disposition, Disposition):
        msg = (
            f"Invalid disposition of type {type(disposition).__name__}. Must be a Disposition."
        )
        raise TypeError(msg)
    path = Path(path)
    # Opened for appending only: whatever happens here, no byte that is there can change.
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        _lock(handle)
        entries = read_dispositions(path)
        number, previous = len(entries), entries[-1].sha512 if entries else BEGINNING
        content = _content(number, previous, disposition)
        entry = LogEntry(number=number, disposition=disposition, sha512=_digest(content))
        _check_correction(entry, list(entries), f"'{path}'")
        line = canonical(content | {"sha512": entry.sha512}) + b"\n"
        if os.write(handle, line) != len(line):
            msg = f"only a part of the line was written: {path}"
            raise OSError(msg)
        os.fsync(handle)
    finally:
        os.close(handle)
    return entry


def current_dispositions(entries: Iterable[LogEntry]) -> dict[str, LogEntry]:
    """
    Return the entry that holds for each alarm.

    Parameters
    ----------
    entries : iterable of LogEntry
        Of :func:`read_dispositions`.

    Returns
    -------
    table : dict of str to LogEntry
        By identifier of the alarm: the last one that no other corrects. An entry that leaves
        an alarm open never undoes one that ended it, unless it corrects that one.

    Examples
    --------
    >>> from minesense.evidence.dispositions import current_dispositions
    >>> current_dispositions([])
    {}
    """
    given = list(entries)
    replaced = {e.disposition.corrects for e in given if e.disposition.corrects is not None}
    table: dict[str, LogEntry] = {}
    for entry in given:
        if entry.number in replaced:
            continue
        before = table.get(entry.disposition.alarm)
        if before is None or entry.disposition.ends_alarm or not before.disposition.ends_alarm:
            table[entry.disposition.alarm] = entry
    return table


def ended_alarms(entries: Iterable[LogEntry]) -> frozenset[str]:
    """
    Return the alarms that a named person ended.

    Parameters
    ----------
    entries : iterable of LogEntry
        Of :func:`read_dispositions`.

    Returns
    -------
    alarms : frozenset of str
        Their identifiers. All others stand.

    Examples
    --------
    >>> from minesense.evidence.dispositions import ended_alarms
    >>> ended_alarms([])
    frozenset()
    """
    table = current_dispositions(entries)
    return frozenset(name for name, e in table.items() if e.disposition.ends_alarm)


def mend_dispositions(path: str | os.PathLike[str]) -> Path | None:
    """
    Set aside a last line that was cut short when its writer was stopped.

    Parameters
    ----------
    path : path-like
        The log.

    Returns
    -------
    torn : Path or None
        File that now holds the torn bytes, beside the log; None if the last line was whole.

    Raises
    ------
    ValueError
        If another line is damaged.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.jsonl"
    ...     _ = log.write_bytes(b'{"number":0,"prev')
    ...     mend_dispositions(log).name, log.read_bytes()
    ('log.jsonl.torn-1', b'')
    """
    path = Path(path)
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole == len(data):
        read_dispositions(path)
        return None
    number = 1
    while path.with_name(f"{path.name}.torn-{number}").exists():
        number += 1
    torn = path.with_name(f"{path.name}.torn-{number}")
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(data[:whole])
        read_dispositions(beside)
        with torn.open("xb") as file:
            file.write(data[whole:])
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return torn


def _content(number: int, previous: str, disposition: Disposition) -> dict[str, Any]:
    """Return what the hash of a line is taken of."""
    return {
        "number": number,
        "previous": previous,
        "disposition": dataclasses.asdict(disposition),
    }


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha512(canonical(content)).hexdigest()


def _parse(line: bytes, where: str, *, number: int, previous: str) -> LogEntry:
    """Return the entry of a line, if it follows the one before."""
    try:
        if len(line) > _LONGEST:
            msg = f"{len(line)} bytes"
            raise ValueError(msg)
        document = json.loads(line)
        found = document.pop("sha512")
        disposition = Disposition(**document["disposition"])
        content = _content(document["number"], document["previous"], disposition)
        is_whole = canonical(document | {"sha512": found}) == line and document == content
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        msg = f"Invalid dispositions {where}: {reason}. Must be a line as it was written."
        raise ValueError(msg) from None
    if document["number"] != number or document["previous"] != previous:
        msg = (
            f"Invalid dispositions {where}: it does not follow the line before. Must name its "
            "hash: lines were changed, taken out, added or moved."
        )
        raise ValueError(msg)
    if not is_whole or found != _digest(content):
        msg = (
            f"Invalid dispositions {where}: its sha512 is not that of its content. Must be as "
            "it was written."
        )
        raise ValueError(msg)
    return LogEntry(number=number, disposition=disposition, sha512=found)


def _check_correction(entry: LogEntry, entries: list[LogEntry], where: str) -> None:
    """Raise unless what an entry corrects is an earlier one of the same alarm, once."""
    corrects = entry.disposition.corrects
    if corrects is None:
        return
    reason = ""
    if corrects >= len(entries):
        reason = f"there are {len(entries)} entries before it"
    elif entries[corrects].disposition.alarm != entry.disposition.alarm:
        reason = f"that one is of alarm '{entries[corrects].disposition.alarm}'"
    elif any(e.disposition.corrects == corrects for e in entries):
        reason = "it was corrected already"
    if reason:
        msg = (
            f"Invalid corrects '{corrects}' in dispositions {where}: {reason}. Must be an "
            "earlier entry of the same alarm that no other corrects."
        )
        raise ValueError(msg)


def _lock(handle: int) -> None:
    """Let one process at a time write; where locks are unknown, the chain still tells."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX only
    except ImportError:  # pragma: no cover
        return
    fcntl.flock(handle, fcntl.LOCK_EX)

"""Find what was changed in an annex, what is missing, and what was added."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..digest import canonical
from .chain import (
    BEGINNING,
    FORMAT,
    HASHES,
    MANIFEST,
    VERSION,
    ChainedFile,
    chain,
    check_name,
    files_in,
    hash_file,
    hash_list,
)

_LARGEST_MANIFEST = 256 * 2**20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one file of an annex."""

    name: str
    reason: str  #: "changed", "missing", "extra" or what else it is

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came of checking an annex."""

    head: str  #: last hash of the chain as stated; empty if the manifest cannot be read
    n_files: int  #: that were checked
    faults: tuple[Fault, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every byte is as it was written."""
        return not self.faults


def verify_annex(folder: str | os.PathLike[str]) -> Verification:
    """
    Check every byte of an annex and of the inputs that it rests on.

    Parameters
    ----------
    folder : path-like
        Of the annex. Inputs are looked for where they were when it was written, seen from
        this folder.

    Returns
    -------
    verification : Verification
        Every file that is changed, missing or extra.

    Raises
    ------
    OSError
        If the folder cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.evidence import verify_annex, write_manifest
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_manifest(folder, [], statement={})
    ...     _ = (Path(folder) / "note.txt").write_text("added later")
    ...     [str(fault) for fault in verify_annex(folder).faults]
    ['note.txt: extra: the manifest does not name it']
    """
    folder = Path(folder)
    if not folder.is_dir():
        msg = f"Invalid annex '{folder}'. Must be a folder that minesense evidence wrote."
        raise NotADirectoryError(msg)
    faults: list[Fault] = []
    try:
        data = _read_manifest(folder / MANIFEST)
        document, files = _parse_manifest(data)
    except (OSError, ValueError) as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else f"changed: {error}"
        return Verification(head="", n_files=0, faults=(Fault(name=MANIFEST, reason=reason),))
    for file in files:
        is_input = file.role == "input"
        path = folder / (file.location if is_input else file.name)
        label = f"input {file.name}" if is_input else file.name
        faults += _file_faults(path, file, label)
    found = set(files_in(folder))
    named = {file.name for file in files if file.role != "input"} | {MANIFEST, HASHES}
    faults += [
        Fault(name=name, reason="extra: the manifest does not name it")
        for name in sorted(found - named)
    ]
    faults += _extra_folders(folder, named)
    faults += _extra_inputs(folder, files)
    hashes = folder / HASHES
    if not hashes.is_file():
        faults.append(Fault(name=HASHES, reason="missing"))
    elif hashes.read_bytes() != hash_list(files, data):
        faults.append(Fault(name=HASHES, reason="changed: not that of the manifest"))
    return Verification(
        head=str(document["head"]), n_files=len(files) + 2, faults=tuple(faults)
    )


def _file_faults(path: Path, file: ChainedFile, label: str) -> list[Fault]:
    """Return what is wrong with one file."""
    if path.is_symlink() and file.role != "input":
        return [Fault(name=label, reason="changed: a link, not a file")]
    if not path.is_file():
        return [Fault(name=label, reason="missing")]
    try:
        size, digest = hash_file(path)
    except OSError as error:
        return [Fault(name=label, reason=f"cannot be read: {error.strerror}")]
    if (size, digest) != (file.size, file.sha512):
        reason = "changed" if size == file.size else f"changed: {size} bytes, not {file.size}"
        return [Fault(name=label, reason=reason)]
    return []


def _extra_folders(folder: Path, named: set[str]) -> list[Fault]:
    """Return folders of an annex that no file of the manifest lies in."""
    known = {parent.as_posix() for name in named for parent in PurePosixPath(name).parents}
    found = [
        (Path(root) / name).relative_to(folder).as_posix()
        for root, folders, _ in os.walk(folder)
        for name in folders
        if not (Path(root) / name).is_symlink()
    ]
    return [
        Fault(name=f"{name}/", reason="extra: the manifest names nothing in it")
        for name in sorted(found)
        if name not in known
    ]


def _extra_inputs(folder: Path, files: Sequence[ChainedFile]) -> list[Fault]:
    """Return files that came to lie in the folder of a session after it was read."""
    roots: dict[Path, set[str]] = {}
    for file in files:
        inner = file.name.partition("/")[2]
        if file.role != "input" or not inner:
            continue
        location = PurePosixPath(file.location)
        depth = len(PurePosixPath(inner).parts)
        root = folder / PurePosixPath(*location.parts[: len(location.parts) - depth])
        roots.setdefault(root, set()).add(inner)
    faults = []
    for root, known in sorted(roots.items()):
        if root.is_dir():
            faults += [
                Fault(name=f"input {root.name}/{name}", reason="extra: it was not there")
                for name in sorted(set(files_in(root)) - known)
                if folder.resolve() not in (root / name).resolve().parents
            ]
    return faults


def _read_manifest(path: Path) -> bytes:
    """Return the bytes of a manifest of bearable size."""
    size = path.stat().st_size
    if size > _LARGEST_MANIFEST:
        msg = f"{size} bytes. Must be at most {_LARGEST_MANIFEST}."
        raise ValueError(msg)
    return path.read_bytes()


def _parse_manifest(data: bytes) -> tuple[dict[str, Any], list[ChainedFile]]:
    """Return what a manifest says, if it is as it was written."""
    try:
        document = json.loads(data)
        rows = document["files"]
        files = [
            ChainedFile(
                role=row["role"],
                name=row["name"],
                size=row["size"],
                sha512=row["sha512"],
                location=row["location"],
            )
            for row in rows
        ]
        stated = document.pop("sha512")
        is_whole = canonical(document | {"sha512": stated}) + b"\n" == data
        head, kind = document["head"], (document["format"], document["version"])
        links = [row["link"] for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        msg = f"not a manifest ({type(error).__name__})"
        raise ValueError(msg) from None
    if kind != (FORMAT, VERSION):
        msg = f"format and version are {kind}. Must be {(FORMAT, VERSION)}"
        raise ValueError(msg)
    if not is_whole or hashlib.sha512(canonical(document)).hexdigest() != stated:
        msg = "its sha512 is not that of its content"
        raise ValueError(msg)
    expected = chain(files)
    if list(expected) != links or head != (expected[-1] if expected else BEGINNING):
        msg = "its links do not form a chain"
        raise ValueError(msg)
    for file in files:
        check_name(file.name)
    return document, files

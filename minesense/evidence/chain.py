"""
Hashes of everything that an annex rests on, chained, so that a changed byte is found.

The chain runs over inputs, configuration, model and outputs in this order. It finds what was
changed, not who changed it: whoever can rewrite every file can write a new chain too. That is
what the signature under its last hash is for.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .._validation import check_one_of
from .._version import __version__
from ..digest import canonical

#: Parts of the chain, in its order.
ROLES = ("input", "configuration", "model", "output")

#: Names of the files that hold the chain.
MANIFEST, HASHES = "manifest.json", "hashes.sha512"

#: What the first link follows.
BEGINNING = hashlib.sha512(b"minesense annex 1").hexdigest()

FORMAT, VERSION = "minesense annex", 1
_BLOCK = 2**20
_SHA512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedFile:
    """
    A file and its hash.

    `name` is how the annex calls it, with slashes and without a way out of its folder;
    `location` the way to an input, from the folder of the annex.
    """

    role: str  #: of ROLES
    name: str
    size: int  #: bytes
    sha512: str
    location: str = ""  #: of inputs, which stay where they are


def hash_file(path: str | os.PathLike[str]) -> tuple[int, str]:
    """
    Return size and SHA-512 of a file.

    Parameters
    ----------
    path : path-like
        Read in blocks; it may be larger than memory.

    Returns
    -------
    size : int
        In bytes.
    sha512 : str
        In hexadecimal.

    Raises
    ------
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     size, digest = hash_file(file.name)
    >>> size, digest[:16]
    (0, 'cf83e1357eefb8bd')
    """
    digest, size = hashlib.sha512(), 0
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def chained_file(
    path: str | os.PathLike[str], *, role: str, name: str, location: str = ""
) -> ChainedFile:
    """
    Return a file with its hash.

    Parameters
    ----------
    path : path-like
        Where it is now.
    role : str
        Of ROLES.
    name : str
        How the annex calls it.
    location : str
        Of an input: the way to it from the folder of the annex.

    Returns
    -------
    file : ChainedFile
        With size and SHA-512.

    Raises
    ------
    ValueError
        If the role is unknown or the name leads out of a folder.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     chained_file(file.name, role="output", name="page.html").size
    0
    """
    check_one_of(role, "role", ROLES)
    check_name(name)
    size, digest = hash_file(path)
    return ChainedFile(role=role, name=name, size=size, sha512=digest, location=location)


def chain(files: Iterable[ChainedFile]) -> tuple[str, ...]:
    """
    Return the links of a chain over files.

    Parameters
    ----------
    files : iterable of ChainedFile
        In their order.

    Returns
    -------
    links : tuple of str
        One SHA-512 for each file, of the link before it and the file's role, name, size and
        hash as canonical JSON. Each depends on all files before.

    Examples
    --------
    >>> from minesense.evidence.chain import chain
    >>> chain([])
    ()
    """
    links: list[str] = []
    previous = BEGINNING
    for file in files:
        content = [previous, file.role, file.name, file.size, file.sha512]
        previous = hashlib.sha512(canonical(content)).hexdigest()
        links.append(previous)
    return tuple(links)


def write_manifest(
    folder: str | os.PathLike[str],
    files: Sequence[ChainedFile],
    *,
    statement: Mapping[str, Any],
) -> str:
    """
    Write the manifest of an annex and its list of hashes, as the last of its files.

    Parameters
    ----------
    folder : path-like
        Of the annex.
    files : sequence of ChainedFile
        Inputs, and every file that the folder holds.
    statement : mapping
        What else the annex says of itself; JSON-ready.

    Returns
    -------
    head : str
        Last hash of the chain, for people to sign.

    Raises
    ------
    ValueError
        If two files of one role have the same name, a file of the folder is not named, or the
        statement is not JSON.
    OSError
        If a file cannot be written.

    Notes
    -----
    The list has the form that ``sha512sum --check`` reads. The manifest is canonical JSON, so
    that no byte of it can change without notice.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.evidence import verify_annex, write_manifest
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     head = write_manifest(folder, [], statement={"task": "T1"})
    ...     verify_annex(folder).is_whole
    True
    """
    folder = Path(folder)
    ordered = sorted(files, key=lambda file: (ROLES.index(file.role), file.name))
    for (_, name), n in Counter((f.role == "input", f.name) for f in ordered).items():
        if n > 1:
            msg = f"Invalid files: '{name}' stands {n} times. Must stand once."
            raise ValueError(msg)
    named = {file.name for file in ordered if file.role != "input"}
    unnamed = sorted(set(files_in(folder)) - named - {MANIFEST, HASHES})
    if unnamed:
        msg = (
            f"Invalid folder '{folder}': it holds '{unnamed[0]}', which is no file of this "
            "annex. Must hold nothing else: write to a new folder."
        )
        raise ValueError(msg)
    links = chain(ordered)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "program": f"minesense {__version__}",
        "statement": dict(statement),
        "files": [
            {
                "role": file.role,
                "name": file.name,
                "size": file.size,
                "sha512": file.sha512,
                "location": file.location,
                "link": link,
            }
            for file, link in zip(ordered, links, strict=True)
        ],
        "head": links[-1] if links else BEGINNING,
    }
    document["sha512"] = hashlib.sha512(canonical(document)).hexdigest()
    data = canonical(document) + b"\n"
    (folder / MANIFEST).write_bytes(data)
    (folder / HASHES).write_bytes(hash_list(ordered, data))
    return str(document["head"])


def files_in(folder: Path) -> list[str]:
    """Return the names of all files below a folder, with slashes."""
    found = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        found += [(Path(root) / name).relative_to(folder).as_posix() for name in sorted(names)]
        found += [
            (Path(root) / name).relative_to(folder).as_posix()
            for name in folders
            if (Path(root) / name).is_symlink()
        ]
    return found


def hash_list(files: Sequence[ChainedFile], manifest: bytes) -> bytes:
    """Return the hashes as ``sha512sum`` writes them."""
    rows = [
        (file.sha512, file.location if file.role == "input" else file.name) for file in files
    ]
    rows.append((hashlib.sha512(manifest).hexdigest(), MANIFEST))
    return "".join(f"{digest}  {name}\n" for digest, name in rows).encode()


def check_name(name: str) -> None:
    """Raise unless a name stays within its folder."""
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or ".." in parts or "\n" in name or "\\" in name:
        msg = f"Invalid name '{name}' of a file. Must lead to a file within the folder."
        raise ValueError(msg)


def signature_block(head: str) -> str:
    """
    Return the last hash of a chain in groups that people can read to each other.

    Parameters
    ----------
    head : str
        Of :func:`write_manifest`.

    Returns
    -------
    text : str
        In groups of eight digits.

    Raises
    ------
    ValueError
        If it is no SHA-512.

    Examples
    --------
    >>> signature_block("0" * 128)[:17]
    '00000000 00000000'
    """
    if not _SHA512.fullmatch(head):
        msg = f"Invalid head '{head}'. Must be 128 small hexadecimal digits."
        raise ValueError(msg)
    return " ".join(head[k : k + 8] for k in range(0, 128, 8))

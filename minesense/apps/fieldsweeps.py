"""The sweeps of a field's folder, each held against the hash that field.json names."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..io.store import load_sweep
from ..seal import sweep_digest
from ..sweep import Sweep
from .fieldseal import are_rows, check_field
from .files import read_json

_FOLDER = "sweeps"


def read_sweeps(folder: str | os.PathLike[str], lanes: Collection[str]) -> list[Sweep]:
    """
    Read the sweeps of some lanes of a field; files of others are not opened.

    Parameters
    ----------
    folder : path-like
        Folder of ``minesense simulate``.
    lanes : collection of str
        Their names.

    Returns
    -------
    sweeps : list of Sweep
        In the order they were written.

    Raises
    ------
    ValueError
        If field.json is not of this form or not as it was written, a file is missing or
        damaged, or a sweep is not the one that field.json names.
    OSError
        If a file cannot be read.
    """
    folder = Path(folder)
    return [_read(folder, entry) for entry in _entries(folder) if entry["lane"] in lanes]


def check_sweeps(folder: str | os.PathLike[str]) -> int:
    """
    Check every sweep of a field, one in memory at a time.

    Parameters
    ----------
    folder : path-like
        Folder of ``minesense simulate``.

    Returns
    -------
    n_sweeps : int
        How many there are; all are as they were written.

    Raises
    ------
    ValueError
        As :func:`read_sweeps`, or if there is a sweep that field.json does not name.
    OSError
        If a file cannot be read.
    """
    folder = Path(folder)
    entries = _entries(folder)
    for entry in entries:
        _read(folder, entry)
    named = {_file_of(folder, entry) for entry in entries}
    for file in sorted((folder / _FOLDER).glob("*.npz")):
        if file not in named:
            raise ValueError(_unnamed(file))
    return len(entries)


def read_sweep(path: str | os.PathLike[str]) -> Sweep:
    """
    Read one sweep of a field.

    Parameters
    ----------
    path : path-like
        A file for which :func:`is_of_field` holds.

    Returns
    -------
    sweep : Sweep
        As it was written.

    Raises
    ------
    ValueError
        As :func:`read_sweeps`, or if field.json does not name the file.
    OSError
        If a file cannot be read.
    """
    path = Path(path).absolute()
    folder = path.parent.parent
    for entry in _entries(folder):
        if _file_of(folder, entry) == path:
            return _read(folder, entry)
    raise ValueError(_unnamed(path))


def is_of_field(path: str | os.PathLike[str]) -> bool:
    """
    Return whether a path is that of a sweep in a field's folder.

    Parameters
    ----------
    path : path-like
        Of a file, which may be missing.

    Returns
    -------
    is_of_field : bool
        Whether it ends in .npz and lies in a folder of sweeps beside a field.json.
    """
    path = Path(path).absolute()
    is_sweep = path.suffix == ".npz" and path.parent.name == _FOLDER
    return is_sweep and (path.parent.parent / "field.json").is_file()


def _entries(folder: Path) -> list[dict[str, Any]]:
    """Return what field.json says of every sweep."""
    path = folder / "field.json"
    document = read_json(path)
    entries: Any = document.get("sweeps")
    if not are_rows(entries, dict.fromkeys(("lane", "sensor", "sha256", "file"), str)):
        msg = f"Invalid field '{path}': no sweeps. Must be a field.json of minesense simulate."
        raise ValueError(msg)
    check_field(document, path)
    return list(entries)


def _file_of(folder: Path, entry: Mapping[str, Any]) -> Path:
    """Return the file of a sweep; a name cannot lead out of the folder."""
    return folder / _FOLDER / Path(entry["file"]).name


def _read(folder: Path, entry: Mapping[str, Any]) -> Sweep:
    """Return a sweep if it is the one that field.json names."""
    file = _file_of(folder, entry)
    if not file.is_file():
        msg = (
            f"Invalid sweep '{file}': the file is missing. Must be there: field.json names it."
        )
        raise ValueError(msg)
    sweep = load_sweep(file)
    found = (sweep.lane, sweep.sensor.name, sweep_digest(sweep))
    expected = (entry["lane"], entry["sensor"], entry["sha256"])
    if found != expected:
        msg = (
            f"Invalid sweep '{file}': lane, sensor and sha256 are {found}. Must be those "
            f"of field.json, {expected}."
        )
        raise ValueError(msg)
    return sweep


def _unnamed(path: Path) -> str:
    """Return what is wrong with a file that is not of the field."""
    return f"Invalid sweep '{path}': not named in field.json. Must be one that it names."

"""The seal of a field's folder: what field.json says of itself and of the files beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..digest import digest_lines
from .files import read_json

#: What field.json says that it is. Version 1 said neither, and named no hash of records.
KIND, VERSION = "minesense field", 2


def digest_of(document: Mapping[str, Any]) -> str:
    """
    Return the SHA-256 of what a field.json says.

    Parameters
    ----------
    document : dict
        Its content; note and sha256 do not count.

    Returns
    -------
    digest : str
        Of its canonical form.
    """
    kept = {k: v for k, v in document.items() if k not in ("note", "sha256")}
    return digest_lines([json.loads(json.dumps(kept))])


def check_field(document: Mapping[str, Any], path: Path) -> None:
    """
    Check that a field.json is as it was written.

    Parameters
    ----------
    document : dict
        Its content.
    path : Path
        For the message.

    Raises
    ------
    ValueError
        If it is of another version, or its SHA-256 is missing or not that of its content.
    """
    found = (document.get("format"), document.get("version"))
    if found != (KIND, VERSION):
        msg = (
            f"Invalid field '{path}': format and version are {found}. Must be "
            f"{(KIND, VERSION)}: fields of other versions must be simulated again."
        )
        raise ValueError(msg)
    digest = digest_of(document)
    if document.get("sha256") != digest:
        msg = (
            f"Invalid field '{path}': its sha256 is '{document.get('sha256')}'. Must be that "
            f"of its content, {digest}: it was changed after it was written."
        )
        raise ValueError(msg)


def check_beside(path: Path, name: str, digest: str | None) -> None:
    """
    Check that a file belongs to the field.json beside it, if there is one.

    Parameters
    ----------
    path : Path
        The file, which may be missing.
    name : str
        What it holds, ``"truth"`` or ``"records"``.
    digest : str or None
        SHA-256 of its content; None if the file is missing.

    Raises
    ------
    ValueError
        If field.json was changed, or names another content, or the file is missing though
        field.json names one.
    """
    beside = path.with_name("field.json")
    if not beside.exists():
        return
    document = read_json(beside)
    check_field(document, beside)
    named = document.get(f"{name}_sha256")
    if named != digest:
        found = "the file is missing" if digest is None else f"its sha256 is {digest}"
        wanted = "absent, as field.json names none"
        if named is not None:
            wanted = f"that of the field in field.json, {named}"
        msg = f"Invalid {name} '{path}': {found}. Must be {wanted}."
        raise ValueError(msg)


def are_rows(rows: Any, wanted: Mapping[str, type]) -> bool:
    """
    Return whether something is a list of tables that hold fields of the wanted types.

    Parameters
    ----------
    rows : object
        Of a document.
    wanted : dict
        Types by name of the field.

    Returns
    -------
    are_rows : bool
        Other fields do not matter.
    """
    return isinstance(rows, list) and all(
        isinstance(row, dict)
        and all(isinstance(row.get(name), kind) for name, kind in wanted.items())
        for row in rows
    )

"""The seal of a field's folder: what field.json says of itself and of the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..digest import digest_lines
from .files import read_json


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
        If its SHA-256 is missing or not that of its content.
    """
    digest = digest_of(document)
    if document.get("sha256") != digest:
        msg = (
            f"Invalid field '{path}': its sha256 is '{document.get('sha256')}'. Must be that "
            f"of its content, {digest}: it was changed after it was written."
        )
        raise ValueError(msg)


def check_truth(digest: str, path: Path) -> None:
    """
    Check that a truth belongs to the field.json beside it, if there is one.

    Parameters
    ----------
    digest : str
        SHA-256 of the truth.
    path : Path
        Its file.

    Raises
    ------
    ValueError
        If field.json was changed, or names another truth.
    """
    beside = path.with_name("field.json")
    if not beside.exists():
        return
    document = read_json(beside)
    check_field(document, beside)
    if document.get("truth_sha256") != digest:
        msg = (
            f"Invalid truth '{path}': its sha256 is {digest}. Must be that of the field in "
            f"field.json, {document.get('truth_sha256')}."
        )
        raise ValueError(msg)

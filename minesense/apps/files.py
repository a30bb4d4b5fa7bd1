"""Folders for results, and JSON files that always have the same bytes for the same content."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def read_json(path: Path) -> dict[str, Any]:
    """
    Read a JSON object.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    document : dict
        Its content.

    Raises
    ------
    ValueError
        If it is not JSON, or not an object.
    OSError
        If it cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        msg = f"Invalid file '{path}': {error}. Must be JSON."
        raise ValueError(msg) from None
    if not isinstance(document, dict):
        msg = f"Invalid file '{path}': a {type(document).__name__}. Must be a JSON object."
        raise ValueError(msg)
    return document


def make_folder(path: str | os.PathLike[str]) -> Path:
    """
    Make a folder for results, before the work whose results it will hold.

    Parameters
    ----------
    path : path-like
        May exist.

    Returns
    -------
    folder : Path
        An existing folder.

    Raises
    ------
    OSError
        If it cannot be made or written to.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    return folder


def write_json(path: Path, document: Any) -> None:
    """
    Write JSON, always with the same bytes for the same content.

    Parameters
    ----------
    path : Path
        File to write; replaced as a whole.
    document : object
        JSON-ready.
    """
    temporary = path.with_name(path.name + ".part")
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)

"""Packages of the extra ``geo``, loaded when a map is written."""

from __future__ import annotations

import importlib
from typing import Any


def import_geo(name: str) -> Any:
    """Return a module of the extra, or say how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        msg = f"Maps need {package}: pip install 'minesense[geo]'."
        raise ImportError(msg) from error

"""Model files: a zip of plain values read by skops, never pickle, with a card."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FORMAT = "minesense model 1"

#: Every type that a model file may hold beyond what skops itself trusts. A file that
#: names another one is refused before anything in it is built.
ALLOWED_TYPES = frozenset(
    {
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)


def save_model(path: str | os.PathLike[str], estimators: Mapping[str, Any], card: Any) -> None:
    """
    Write estimators and their card to one file.

    Parameters
    ----------
    path : path-like
        File to write; replaced as a whole, never half written.
    estimators : dict of sklearn.pipeline.Pipeline
        Fitted pipelines by kind of sensor.
    card : dict
        JSON-ready description: training data, soils, features, settings, version.

    Raises
    ------
    ImportError
        If skops is not installed (extra ``models``).
    ValueError
        If an estimator holds a type outside :data:`ALLOWED_TYPES`.
    """
    io = _skops()
    content = {
        "format": _FORMAT,
        "card": json.dumps(card, sort_keys=True),
        "estimators": dict(estimators),
    }
    data = io.dumps(content)
    _refuse_others(io.get_untrusted_types(data=data), "estimators")
    temporary = Path(path).with_name(Path(path).name + ".part")
    temporary.write_bytes(data)
    temporary.replace(path)


def load_model(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Read estimators and their card.

    Parameters
    ----------
    path : path-like
        File written by :func:`save_model`.

    Returns
    -------
    estimators : dict of sklearn.pipeline.Pipeline
        Fitted pipelines by kind of sensor.
    card : dict
        What :func:`save_model` was given.

    Raises
    ------
    ImportError
        If skops is not installed (extra ``models``).
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a model of this format, or names a type outside
        :data:`ALLOWED_TYPES`.
    """
    io = _skops()
    path = Path(path)
    data = path.read_bytes()
    foreign = f"Invalid model file '{path}'. Must be a file written by Detector.save"
    if not zipfile.is_zipfile(path):
        msg = f"{foreign}, which is a zip archive; this one begins with {data[:8]!r}."
        raise ValueError(msg)
    try:
        untrusted = io.get_untrusted_types(data=data)
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        msg = f"{foreign}; its schema cannot be read ({error})."
        raise ValueError(msg) from None
    _refuse_others(untrusted, f"model file '{path}'")
    try:
        content = io.loads(data, trusted=sorted(ALLOWED_TYPES & set(untrusted)))
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        msg = f"{foreign}; its content cannot be read ({error})."
        raise ValueError(msg) from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        msg = f"{foreign}; this one holds no '{_FORMAT}'."
        raise ValueError(msg)
    estimators, card = content.get("estimators"), _parse_card(content.get("card"))
    if not isinstance(estimators, dict) or card is None:
        msg = f"{foreign}; this one holds no estimators or no card."
        raise ValueError(msg)
    return estimators, card


def _parse_card(text: Any) -> dict[str, Any] | None:
    """Return the card, or None if it is not one."""
    try:
        card = json.loads(text)
    except (TypeError, ValueError):
        return None
    return card if isinstance(card, dict) else None


def _skops() -> Any:
    """Return skops.io, or say how to install it."""
    try:
        import skops.io  # noqa: PLC0415, an extra
    except ImportError:
        msg = "Model files need skops. Install it with: pip install 'minesense[models]'"
        raise ImportError(msg) from None
    return skops.io


def _refuse_others(untrusted: list[str], what: str) -> None:
    """Raise if a list of types holds one that is not allowed."""
    others = sorted(set(untrusted) - ALLOWED_TYPES)
    if others:
        msg = (
            f"Invalid {what}: holds the types {', '.join(others)}. Must hold only those of "
            "a boosted-tree pipeline: the file is not loaded."
        )
        raise ValueError(msg)

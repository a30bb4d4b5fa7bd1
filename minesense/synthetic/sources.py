"""Figures that say where they come from: data files of the package, and their reading."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from .document import parse_toml

#: What stands for a source where none is known.
ASSUMPTION = "assumption"

_FIGURE = {"value", "source"}


def read_table(name: str) -> dict[str, Any]:
    """
    Return a data file of the package.

    Parameters
    ----------
    name : str
        File in the folder `data`.

    Returns
    -------
    document : dict
        Its content.
    """
    text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    return parse_toml(text, name)


def unfold(
    document: Mapping[str, Any], sources: Mapping[str, str], *, words: frozenset[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """
    Take the sources of figures out of a document.

    Parameters
    ----------
    document : dict
        In which every figure is a table of a `value` and its `source`.
    sources : dict of str
        Citations by key.
    words : frozenset of str
        Fields that are no figures: names and remarks.

    Returns
    -------
    plain : dict
        The same with values in the place of figures.
    cited : dict of str
        For the path of every figure its citation, or ``"assumption"``.

    Raises
    ------
    ValueError
        If a figure has no source, or one that is not in the list.

    Examples
    --------
    >>> from minesense.synthetic.sources import unfold
    >>> mine = {"height": {"value": 0.05, "source": "model"}}
    >>> unfold(mine, {"model": "Someone (2016)"}, words=frozenset())
    ({'height': 0.05}, {'height': 'Someone (2016)'})
    >>> unfold({"height": 0.05}, {}, words=frozenset())
    Traceback (most recent call last):
    ValueError: Invalid height 0.05. Must be a table of a value and its source.
    """
    cited: dict[str, str] = {}

    def take(item: Any, path: str) -> Any:
        if isinstance(item, Mapping) and set(item) == _FIGURE:
            key = item["source"]
            if key != ASSUMPTION and key not in sources:
                msg = (
                    f"Invalid source {key!r} of {path}. Must be {ASSUMPTION!r} or a key of "
                    "the sources."
                )
                raise ValueError(msg)
            cited[path] = ASSUMPTION if key == ASSUMPTION else sources[key]
            return item["value"]
        if isinstance(item, Mapping):
            return {k: take(v, f"{path}.{k}" if path else k) for k, v in item.items()}
        if isinstance(item, list):
            return [take(v, f"{path}[{i}]") for i, v in enumerate(item)]
        if path.rpartition(".")[2] not in words:
            msg = f"Invalid {path} {item!r}. Must be a table of a value and its source."
            raise ValueError(msg)
        return item

    return {k: take(v, k) for k, v in document.items()}, cited

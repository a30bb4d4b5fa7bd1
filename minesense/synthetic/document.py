"""Documents, such as parsed TOML, into frozen records and back; errors name the path."""

from __future__ import annotations

import dataclasses
import functools
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_UNIONS = (typing.Union, types.UnionType)


def parse_toml(text: str, name: str) -> dict[str, Any]:
    r"""
    Return the content of TOML text.

    Parameters
    ----------
    text : str
        The document.
    name : str
        What an error calls it, for example the path of the file.

    Returns
    -------
    document : dict
        Its content.

    Raises
    ------
    ValueError
        If it is not TOML; the message tells line and column.

    Examples
    --------
    >>> parse_toml("[area]\nlength = 20.0", "short.toml")
    {'area': {'length': 20.0}}
    >>> parse_toml("length = = 20.0", "short.toml")
    Traceback (most recent call last):
    ValueError: Invalid file 'short.toml': Invalid value (at line 1, column 10). Must be TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"Invalid file '{name}': {error}. Must be TOML."
        raise ValueError(msg) from None


def build(kind: type[T], document: Any, *, path: str = "$") -> T:
    """
    Return the record that a document describes.

    Parameters
    ----------
    kind : type
        A frozen dataclass. Its fields may be records, arrays or tables of records, and
        unions of records that tell themselves apart by a field `kind`.
    document : dict
        Fields by name.
    path : str
        Where in the file the document stands.

    Returns
    -------
    record : kind
        With every field of the type that it declares.

    Raises
    ------
    ValueError
        If a field is missing, unknown, of the wrong type or out of range; the message ends
        with its path.

    Examples
    --------
    >>> from minesense.synthetic.document import build
    >>> from minesense.synthetic.distribution import Uniform
    >>> build(Uniform, {"low": 0.0, "high": 0.1})
    Uniform(low=0.0, high=0.1, kind='uniform')
    >>> build(Uniform, {"low": 0.0, "high": "deep"}, path="$.targets.depth")
    Traceback (most recent call last):
    ValueError: Expected `float`, got `str` - at `$.targets.depth.high`
    """
    if not isinstance(document, Mapping):
        raise ValueError(_at(f"Expected a table, got {document!r}", path))
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in document:
        if name not in fields:
            allowed = ", ".join(fields)
            raise ValueError(_at(f"Unknown field. Must be one of {allowed}", f"{path}.{name}"))
    hints = _hints(kind)  # type: ignore[arg-type]
    values = {
        name: _convert(hints[name], value, f"{path}.{name}") for name, value in document.items()
    }
    for name, item in fields.items():
        has_default = (
            item.default is not dataclasses.MISSING
            or item.default_factory is not dataclasses.MISSING
        )
        if name not in values and not has_default:
            raise ValueError(_at("Missing field", f"{path}.{name}"))
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        named = re.match(r"Invalid (\w+)", str(error))
        if named and named[1] in fields:
            path = f"{path}.{named[1]}"
        raise ValueError(_at(str(error).removesuffix("."), path)) from None


def plain(record: Any) -> Any:
    """
    Return a record as tables, arrays and plain values, ready for JSON.

    Parameters
    ----------
    record : object
        A record, or part of one.

    Returns
    -------
    document : object
        What :func:`build` turns into an equal record. Fields that are None are left out.

    Examples
    --------
    >>> from minesense.synthetic.distribution import Uniform
    >>> from minesense.synthetic.document import plain
    >>> plain(Uniform(low=0.0, high=0.1))
    {'low': 0.0, 'high': 0.1, 'kind': 'uniform'}
    """
    if dataclasses.is_dataclass(record):
        pairs = ((item.name, getattr(record, item.name)) for item in dataclasses.fields(record))
        return {name: plain(value) for name, value in pairs if value is not None}
    if isinstance(record, Mapping):
        return {name: plain(value) for name, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [plain(value) for value in record]
    return record


def merge(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return a document with some of its values replaced.

    Parameters
    ----------
    document : dict
        Tables and values.
    changes : dict
        Values to replace, tables within tables. A table that names another `kind` replaces
        the whole table, since its other fields mean nothing there.

    Returns
    -------
    merged : dict
        A new document.

    Examples
    --------
    >>> from minesense.synthetic.document import merge
    >>> merge({"area": {"length": 20.0, "width": 1.0}}, {"area": {"length": 5.0}})
    {'area': {'length': 5.0, 'width': 1.0}}
    """
    merged = dict(document)
    for name, value in changes.items():
        old = merged.get(name)
        is_table = isinstance(old, Mapping) and isinstance(value, Mapping)
        if is_table and value.get("kind", old.get("kind")) == old.get("kind"):  # type: ignore[union-attr]
            merged[name] = merge(old, value)  # type: ignore[arg-type]
        else:
            merged[name] = value
    return merged


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """Return the types of the fields of a record."""
    return typing.get_type_hints(kind)


def _convert(hint: Any, value: Any, path: str) -> Any:
    """Return a value as its field declares it."""
    if dataclasses.is_dataclass(hint):
        return build(hint, value, path=path)  # type: ignore[arg-type]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return _choose(arguments, value, path)
    if origin in _UNIONS and any(dataclasses.is_dataclass(item) for item in arguments):
        return _convert_union(arguments, value, path)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        if not isinstance(value, (list, tuple)):
            found = type(value).__name__
            raise ValueError(_at(f"Expected `array`, got `{found}`", path))
        return tuple(
            _convert(arguments[0], item, f"{path}[{i}]") for i, item in enumerate(value)
        )
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ValueError(_at(f"Expected a table, got {value!r}", path))
        return {
            str(k): _convert(arguments[1], item, f"{path}.{k}") for k, item in value.items()
        }
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        text, _, inner = str(error).partition(" - at `$")
        raise ValueError(_at(text, path + inner.rstrip("`"))) from None


def _convert_union(arguments: tuple[Any, ...], value: Any, path: str) -> Any:
    """Return the record of a union that a table names by its `kind`."""
    if value is None and type(None) in arguments:
        return None
    records = [item for item in arguments if dataclasses.is_dataclass(item)]
    if len(records) == 1:
        return build(records[0], value, path=path)  # type: ignore[arg-type]
    by_kind = {_kind_of(item): item for item in records}
    if not isinstance(value, Mapping):
        raise ValueError(_at(f"Expected a table, got {value!r}", path))
    if "kind" not in value:
        words = ", ".join(map(repr, by_kind))
        raise ValueError(_at(f"Missing field. Must be one of {words}", f"{path}.kind"))
    name = _choose(tuple(by_kind), value["kind"], f"{path}.kind")
    return build(by_kind[name], value, path=path)  # type: ignore[arg-type]


def _choose(words: tuple[str, ...], value: Any, path: str) -> str:
    """Return a value that is one of some words."""
    if not isinstance(value, str) or value not in words:
        allowed, name = ", ".join(map(repr, words)), path.rpartition(".")[2]
        raise ValueError(_at(f"Invalid {name} {value!r}. Must be one of {allowed}", path))
    return value


def _kind_of(record: Any) -> str:
    """Return the word by which a record of a union is told from the others."""
    return str(next(item.default for item in dataclasses.fields(record) if item.name == "kind"))


def _at(text: str, path: str) -> str:
    """Return a message that ends with the path, unless it has one already."""
    return text if " - at `" in text else f"{text} - at `{path}`"

"""Whether the fields of a document from outside are of the types that a record states."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np


def check_fields(kind: type, document: Mapping[str, Any], path: str) -> None:
    """
    Raise unless a document has the fields of a record, with words, numbers and lists in them.

    Records convert and compare what they are given, and a text that looks like a number would
    pass there and fail where it is computed with. What a record holds is left to the record.

    Parameters
    ----------
    kind : type
        A dataclass.
    document : mapping
        As JSON or HDF5 gave it.
    path : str
        Names it in errors.

    Raises
    ------
    TypeError
        If a field is of another type.
    ValueError
        If a field is unknown, or one without a default is missing.

    Examples
    --------
    >>> from minesense.sensor import Radar
    >>> check_fields(Radar, {"centre_frequency": "1.5e9"}, "radar")
    Traceback (most recent call last):
    TypeError: Invalid centre_frequency '1.5e9' of radar. Must be a number.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key, value in document.items():
        if key not in fields:
            msg = f"Invalid field '{key:.40}' of {path}. Must be one of "
            raise ValueError(msg + ", ".join(sorted(fields)) + ".")
        stated = str(fields[key].type)
        if value is None and "None" in stated:
            continue
        rule = _broken_rule(stated, value)
        if rule:
            msg = f"Invalid {key} {value!r:.40} of {path}. Must be {rule}."
            raise TypeError(msg)
    for name, field in fields.items():
        has_default = field.default is not dataclasses.MISSING
        if name not in document and not has_default:
            msg = f"Invalid {path} without {name}. Must state it."
            raise ValueError(msg)


def _broken_rule(stated: str, value: Any) -> str:
    """Return the rule for a field of a stated type that a value breaks; empty for none."""
    plain = stated.replace(" | None", "")
    if plain == "float":
        return "" if is_number(value) else "a number"
    if plain == "bool":
        return "" if isinstance(value, bool | np.bool_) else "true or false"
    if plain == "str" or plain.startswith("Literal["):
        return "" if isinstance(value, str) else "text"
    if plain == "Floats" or re.match(r"tuple\[float", plain):
        return "" if _is_array(value) else "a list of numbers, in rows of one length"
    return ""  # a record, or several


def is_number(value: Any) -> bool:
    """
    Tell whether a value is a number: no text, and neither true nor false.

    Parameters
    ----------
    value : object
        Any.

    Returns
    -------
    found : bool
        Whether it is.

    Examples
    --------
    >>> is_number(1), is_number(np.float32(2)), is_number("3"), is_number(True)
    (True, True, False, False)
    """
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, int | float | np.integer | np.floating)


def _is_array(value: Any) -> bool:
    """Return whether a list holds numbers alone, or such lists of one length."""
    if not isinstance(value, list | tuple | np.ndarray):
        return False
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # rows of different lengths
        return False
    return array.size == 0 or array.dtype.kind in "iuf"

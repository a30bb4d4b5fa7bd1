"""Checks of user input. Every check returns the clean value or raises."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt


def check_number(value: Any, name: str) -> float:
    """Return value as a finite float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        msg = f"Invalid {name} {value!r}. Must be a number."
        raise TypeError(msg) from None
    if not math.isfinite(number):
        msg = f"Invalid {name} '{number}'. Must be finite."
        raise ValueError(msg)
    return number


def check_positive(value: Any, name: str) -> float:
    """Return value as a float that is finite and greater than zero."""
    number = check_number(value, name)
    if number <= 0:
        msg = f"Invalid {name} '{number}'. Must be finite and greater than zero."
        raise ValueError(msg)
    return number


def check_not_negative(value: Any, name: str) -> float:
    """Return value as a float that is finite and zero or more."""
    number = check_number(value, name)
    if number < 0:
        msg = f"Invalid {name} '{number}'. Must be finite and not negative."
        raise ValueError(msg)
    return number


def check_at_most(value: float, name: str, most: float, unit: str = "") -> float:
    """Return value if it is no greater than what the name can stand for."""
    if value > most:
        msg = f"Invalid {name} '{value:g}'. Must be at most {most:g}{unit and ' ' + unit}."
        raise ValueError(msg)
    return value


def check_probability(value: Any, name: str) -> float:
    """Return value as a float strictly between 0 and 1."""
    number = check_number(value, name)
    if not 0 < number < 1:
        msg = f"Invalid {name} '{number}'. Must lie between 0 and 1, both excluded."
        raise ValueError(msg)
    return number


def check_count(value: Any, name: str, *, least: int = 1) -> int:
    """Return value as an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        msg = f"Invalid {name} {value!r}. Must be a whole number."
        raise TypeError(msg)
    if value < least:
        msg = f"Invalid {name} '{value}'. Must be at least {least}."
        raise ValueError(msg)
    return int(value)


def check_one_of(value: Any, name: str, allowed: Iterable[str]) -> str:
    """Return value if it is one of the allowed words."""
    words = list(allowed)
    if value not in words:
        msg = f"Invalid {name} {value!r}. Must be one of {', '.join(map(repr, words))}."
        raise ValueError(msg)
    return value


def check_real(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return values as an array of real numbers."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        msg = f"Invalid {name} of dtype {array.dtype}. Must be real numbers."
        raise TypeError(msg)
    return array


def check_shape(
    array: npt.NDArray[Any], name: str, shape: tuple[int | str, ...]
) -> npt.NDArray[Any]:
    """Return the array if its shape is as given; a name stands for any length."""
    fits = array.ndim == len(shape) and all(
        isinstance(wanted, str) or found == wanted
        for found, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        expected = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        msg = f"Invalid {name} with shape {array.shape}. Must be ({expected})."
        raise ValueError(msg)
    return array


def check_array(
    values: npt.ArrayLike, name: str, shape: tuple[int | str, ...]
) -> npt.NDArray[np.float64]:
    """Return values as a finite, C-contiguous float64 array of the given shape."""
    array = check_shape(check_real(values, name), name, shape)
    array = np.ascontiguousarray(array, dtype=np.float64)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        msg = (
            f"Invalid {name}: {np.count_nonzero(~np.isfinite(array))} of {array.size} "
            f"values are NaN or infinite, the first at index {where}. Must be finite."
        )
        raise ValueError(msg)
    return array


def check_increasing(values: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
    """Return values if each is greater than the one before."""
    steps = np.diff(values)
    if (steps <= 0).any():
        i = int(np.argmax(steps <= 0)) + 1
        msg = (
            f"Invalid {name}: value {i} is {float(values[i])} after {float(values[i - 1])}. "
            "Must be strictly increasing."
        )
        raise ValueError(msg)
    return values


def check_rng(rng: Any, name: str = "rng") -> np.random.Generator:
    """Return rng if it is a NumPy random generator."""
    if not isinstance(rng, np.random.Generator):
        msg = (
            f"Invalid {name} {rng!r}. Must be a numpy.random.Generator, for example "
            "numpy.random.default_rng(seed=1)."
        )
        raise TypeError(msg)
    return rng

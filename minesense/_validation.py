"""Checks of user input. Every check returns the clean value or raises."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
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
    if array.shape == shape:  # at a tenth of the cost
        return array
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


def check_labels(labels: Any, name: str = "labels") -> npt.NDArray[np.bool_]:
    """Return labels as truths; raise unless each is true or false, or 1 or 0."""
    given = np.asarray(labels)
    if given.ndim != 1:
        msg = f"Invalid {name} with shape {given.shape}. Must be (n,)."
        raise ValueError(msg)
    # "0" is no number, NaN no truth
    is_known = np.isin(given, [0, 1]) & (given.dtype.kind in "biuf")
    if not is_known.all():
        wrong = given[np.argmin(is_known)].item()
        msg = f"Invalid {name}: one is {wrong!r}. Must be true or false, or 1 or 0."
        raise ValueError(msg)
    return given.astype(bool)


def meant_fraction(value: float) -> Fraction:
    """
    Return the simple number that a float was meant as.

    That is the nearest one with a denominator of at most 1e7, which is what was written if
    it had no more than seven decimals, or a simple share such as 1/14; smaller numbers and
    those with more decimals are taken as they are.
    """
    exact = Fraction(float(value))
    simple = exact.limit_denominator(10**7)
    return simple if abs(simple - exact) <= abs(exact) * Fraction(1, 10**12) else exact

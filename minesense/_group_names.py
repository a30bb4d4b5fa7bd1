"""Names of what rows belong to: lanes, soils, classes, emplacements."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable

import numpy as np


def check_group_names(
    names: Iterable[object], argument: str, *, of: str, is_optional: bool = False
) -> list[str]:
    """
    Return names as words, such that rows of one group have one name.

    Two spellings of a lane would be two lanes, of which one is trained on while the other is
    tested; and rows whose lane is not known would be a lane of their own.

    Parameters
    ----------
    names : (n,) iterable of str, or of numbers
        One for every row.
    argument : str
        Names it in errors.
    of : str
        What the names are of, in errors: a lane, a soil.
    is_optional : bool
        Whether rows may be of no group: theirs is an empty word, None or NaN, and an empty
        word in the result.

    Returns
    -------
    words : (n,) list of str
        Numbers that are equal have one name, that of the whole number where there is one.

    Raises
    ------
    TypeError
        If names is one word or not a sequence, one of them is neither a word nor a number,
        or words, numbers and truths are mixed.
    ValueError
        If a name is None, NaN, infinite or blank, or two names differ in blanks alone.

    Examples
    --------
    >>> check_group_names([3, 3.0, 2.5], "lanes", of="lane")
    ['3', '3', '2.5']
    >>> check_group_names(["m1", "", None], "groups", of="group", is_optional=True)
    ['m1', '', '']
    >>> check_group_names([3, "3"], "lanes", of="lane")
    Traceback (most recent call last):
    TypeError: Invalid lanes: row 0 is 3, row 1 is '3'. Must be all words, all numbers ...
    """
    if isinstance(names, (str, bytes)) or not np.iterable(names):
        msg = f"Invalid {argument} {names!r}. Must be one name for every row."
        raise TypeError(msg)
    words = []
    known: tuple[int, object, str] | None = None  # the first row with a name, and its kind
    spelt: dict[str, tuple[int, str]] = {}  # row and name, by the name without outer blanks
    for row, given in enumerate(names):
        name = given.item() if isinstance(given, np.generic) else given
        if is_optional and _is_empty(name):
            words.append("")
            continue
        kind, word = _read(name, f"Invalid {argument}: row {row}", of)
        known = known or (row, name, kind)
        if kind != known[2]:
            msg = (
                f"Invalid {argument}: row {known[0]} is {known[1]!r}, row {row} is {name!r}. "
                f"Must be all words, all numbers or all truths: each {of} has one name."
            )
            raise TypeError(msg)
        before, other = spelt.setdefault(word.strip(), (row, word))
        if other != word:
            msg = (
                f"Invalid {argument}: row {before} is {other!r}, row {row} is {word!r}. Must "
                f"not differ in blanks alone: each {of} has one name."
            )
            raise ValueError(msg)
        words.append(word)
    return words


def _is_empty(name: object) -> bool:
    """Return whether a name is what a table holds where there is none."""
    is_nan = isinstance(name, numbers.Real) and math.isnan(name)
    return name is None or is_nan or (isinstance(name, str) and not name)


def _read(name: object, where: str, of: str) -> tuple[str, str]:
    """Return what kind of name it is, and the word for it; raise if it names nothing."""
    if isinstance(name, str) and name.strip():
        return "word", str(name)
    if isinstance(name, bool):
        return "truth", str(name)
    if isinstance(name, numbers.Integral):
        return "number", str(int(name))
    if isinstance(name, numbers.Real) and math.isfinite(name):
        number = float(name)
        return "number", str(int(number) if number.is_integer() else number)
    if name is None or isinstance(name, (str, numbers.Real)):
        msg = f"{where} has no {of} but {name!r}. Must be named by a word or a finite number."
        raise ValueError(msg)
    msg = f"{where} is {name!r}. Must be a word or a number."
    raise TypeError(msg)

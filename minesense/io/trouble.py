"""
What a reader says about a file: errors, warnings and corrections.

An *error* means that samples or the time axis would be wrong. A *warning* means that the
samples are right and something else is missing or doubtful. A *correction* replaced a value
by a better-founded one; it is listed with its reason and warned about as well.
"""

from __future__ import annotations

import functools
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np


class FormatError(ValueError):
    """A file cannot be read: names the file, the place in it, what was found and expected."""

    def __init__(
        self,
        path: Path | str,
        field: str,
        value: object,
        expected: str,
        *,
        where: str = "",
    ):
        self.path = Path(path)
        self.field = field
        self.value = value
        self.expected = expected
        self.where = where
        place = f", {where}" if where else ""
        shown = repr(value.item() if isinstance(value, np.generic) else value)
        if len(shown) > 200:
            shown = shown[:197] + "..."
        super().__init__(f"{path}{place}: invalid {field} {shown}. Must be {expected}.")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error travel between processes."""
        parts = (self.path, self.field, self.value, self.expected)
        return functools.partial(type(self), where=self.where), parts


class FormatWarning(UserWarning):
    """The samples of a file are right, but something else in it is missing or doubtful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A value of the file that the reader, or its caller, replaced by another."""

    field: str
    old: object  #: as the file says; None if it says nothing
    new: object
    reason: str


class Findings:
    """
    Collect the warnings and corrections of one file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    strict : bool
        Whether a warning is an error.
    """

    def __init__(self, path: Path, *, strict: bool = False):
        self.path = path
        self.strict = strict
        self.warnings: list[str] = []
        self.corrections: list[Correction] = []
        self.is_open = True  #: whether warnings found later are issued at once

    def fail(self, field: str, value: object, expected: str, where: str = "") -> NoReturn:
        """
        Give up on the file.

        Raises
        ------
        FormatError
            Always.
        """
        raise FormatError(self.path, field, value, expected, where=where)

    def warn(
        self, text: str, *, field: str = "content", value: object = "", expected: str = ""
    ) -> None:
        """
        Note a warning.

        Raises
        ------
        FormatError
            If warnings are errors.
        """
        if self.strict:
            rule = expected or f"without doubt when strict, but {text}"
            self.fail(field, value, rule)
        self.warnings.append(text)

    def correct(self, field: str, old: object, new: object, reason: str) -> None:
        """Note that a value of the file was replaced, and warn."""
        self.warn(
            f"{field}: {new!r} is used instead of {old!r}, {reason}", field=field, value=old
        )
        self.corrections.append(Correction(field=field, old=old, new=new, reason=reason))

    def override(self, field: str, old: object, new: object) -> None:
        """Note a value that the caller gave; no warning, since it was asked for."""
        reason = "given by the caller"
        self.corrections.append(Correction(field=field, old=old, new=new, reason=reason))

    def emit(self, *, first: int = 0, stacklevel: int = 3) -> None:
        """Issue the warnings noted from the first on, as :class:`FormatWarning`."""
        for text in self.warnings[first:]:
            warnings.warn(f"{self.path}: {text}", FormatWarning, stacklevel=stacklevel + 1)


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def parse_number(text: str) -> float | None:
    """
    Return the finite number a text holds, None for anything else.

    Plain decimal notation only: no thousands marks, units, "nan" or underscores.
    """
    text = text.strip(" \t\0")
    if len(text) > 64 or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def check_interval(findings: Findings, interval: float, where: str, **shown: Any) -> float:
    """
    Return a sample interval that a radar can have, in seconds.

    Raises
    ------
    FormatError
        If it is not between 1e-14 and 1e-6 s.
    """
    if not 1e-14 <= interval <= 1e-6:
        detail = ", ".join(f"{name} {value!r}" for name, value in shown.items())
        told = f" ({detail})" if detail else ""
        rule = f"between 1e-14 and 1e-06 s{told}: pass sample_interval to override it"
        findings.fail("sample interval", interval, rule, where)
    return interval

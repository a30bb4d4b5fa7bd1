"""What stands in the place of a figure that the data cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class TooFewError(ValueError):
    """Raised where there are too few data for a figure: whoever asks may say so instead."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that cannot be told, and why. It is no number, so that none is made of it."""

    why: str


def told(function: Callable[..., T], *arguments: Any, **options: Any) -> T | Missing:
    """
    Return what a function tells, or why the data are too few for it.

    Parameters
    ----------
    function : callable
        That raises :class:`TooFewError` where the data do not suffice.
    *arguments
        Of the function.
    **options
        Of the function.

    Returns
    -------
    result : object
        Of the function, or a :class:`Missing` with the words of its error.

    Examples
    --------
    >>> from minesense.synthetic.realism import told, weibull_shape
    >>> told(weibull_shape, [1.0, 2.0])
    Missing(why='2 amplitudes: at least 30 are needed')
    """
    try:
        return function(*arguments, **options)
    except TooFewError as error:
        return Missing(str(error))

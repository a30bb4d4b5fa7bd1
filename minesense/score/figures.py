"""Figures as text: a Pd that is not 1 never reads as 1, and a rate that is not 0 never as 0."""

from __future__ import annotations

import math
from decimal import ROUND_FLOOR, Decimal

# Beyond so many decimals a small number is written with its exponent.
_MOST_DECIMALS = 6


def format_fixed(value: float, decimals: int = 3, *, whole: float = 1.0) -> str:
    """
    Return a figure with a number of decimals, and more where it would read as 0 or as whole.

    Parameters
    ----------
    value : float
        A share, a rate or a limit of one.
    decimals : int
        Behind the point.
    whole : float
        What a share is of: 1, or 100 for one in percent.

    Returns
    -------
    text : str
        Rounded to the nearest. A value below `whole` that would be rounded up to it gets as
        many decimals as tell it apart, up to six, and is rounded down; one that would be
        rounded to 0 gets as many as show a digit, and beyond six its exponent.

    Examples
    --------
    >>> from minesense.score.figures import format_fixed
    >>> [format_fixed(k / 3000) for k in (3000, 2999, 2500, 1, 0)]
    ['1.000', '0.9996', '0.833', '0.0003', '0.000']
    >>> format_fixed(99.97, 1, whole=100.0), format_fixed(2e-9)
    ('99.97', '2e-09')
    """
    text = f"{value:.{decimals}f}"
    if not math.isfinite(value) or not value:
        return text
    if value < whole == float(text):
        while decimals < _MOST_DECIMALS and float(f"{value:.{decimals}f}") == whole:
            decimals += 1
        step = Decimal(1).scaleb(-decimals)
        return str(Decimal(repr(float(value))).quantize(step, rounding=ROUND_FLOOR))
    while not float(text):
        decimals += 1
        if decimals > _MOST_DECIMALS:
            return f"{value:.1g}"
        text = f"{value:.{decimals}f}"
    return text


def format_percent(share: float, decimals: int = 1) -> str:
    """
    Return a share in percent; one that is not all never reads as 100 %.

    Parameters
    ----------
    share : float
        0 to 1.
    decimals : int
        Behind the point.

    Returns
    -------
    text : str
        As of :func:`format_fixed`, with the sign.

    Examples
    --------
    >>> from minesense.score.figures import format_percent
    >>> [format_percent(k / 3000) for k in (3000, 2999, 2500, 0)]
    ['100.0 %', '99.96 %', '83.3 %', '0.0 %']
    """
    if not 0 < share < 1:
        return f"{100 * share:.{decimals}f} %"
    # 100 times a share next to 1 may be 100 itself
    return f"{format_fixed(min(100 * share, math.nextafter(100, 0)), decimals, whole=100.0)} %"


def format_digits(value: float, digits: int = 4) -> str:
    """
    Return a figure with so many significant digits, and more where it would read as 1.

    Parameters
    ----------
    value : float
        A share, a rate, or a limit or difference of some.
    digits : int
        Significant ones.

    Returns
    -------
    text : str
        Rounded to the nearest, or as :func:`format_fixed` does it just below 1.

    Examples
    --------
    >>> from minesense.score.figures import format_digits
    >>> [format_digits(x) for x in (1.0, 0.99997, 0.5, 1e-7)]
    ['1', '0.99997', '0.5', '1e-07']
    """
    text = f"{value:.{digits}g}"
    return format_fixed(value, digits) if value < 1 and text == "1" else text

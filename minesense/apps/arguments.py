"""Values on the command line: each function returns one, or lets argparse report it."""

from __future__ import annotations

import argparse
import math


def seed(text: str) -> int:
    """
    Return a seed.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    seed : int
        Of 63 bits.
    """
    return count(text, 0, 2**63 - 1)


def count(text: str, least: int, most: int) -> int:
    """
    Return a whole number.

    Parameters
    ----------
    text : str
        As typed.
    least, most : int
        Its limits.

    Returns
    -------
    value : int
        Between the limits.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not one.
    """
    value = int(text) if text.strip().lstrip("+-").isdecimal() else None
    if value is None or not least <= value <= most:
        msg = f"'{text}' is not a whole number from {least} to {most}"
        raise argparse.ArgumentTypeError(msg)
    return value


def number(text: str) -> float:
    """
    Return a finite number.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    value : float
        Finite.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not one.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"'{text}' is not a finite number"
        raise argparse.ArgumentTypeError(msg)
    return value


def positive(text: str) -> float:
    """
    Return a number greater than zero.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    value : float
        Finite.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not one.
    """
    value = number(text)
    if not value > 0:
        msg = f"'{text}' is not greater than zero"
        raise argparse.ArgumentTypeError(msg)
    return value


def share(text: str) -> float:
    """
    Return a number between 0 and 1, both excluded.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    value : float
        Such a number.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is not one.
    """
    value = number(text)
    if not 0 < value < 1:
        msg = f"'{text}' does not lie between 0 and 1"
        raise argparse.ArgumentTypeError(msg)
    return value


def workers(text: str) -> int:
    """
    Return a number of threads.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    value : int
        At least one.
    """
    return count(text, 1, 1024)


def lanes(text: str) -> int:
    """
    Return a number of lanes.

    Parameters
    ----------
    text : str
        As typed.

    Returns
    -------
    value : int
        Zero or more.
    """
    return count(text, 0, 10_000)


def trace_range(text: str) -> slice:
    """
    Return a range of traces.

    Parameters
    ----------
    text : str
        As typed: "A:B", either of which may be missing.

    Returns
    -------
    traces : slice
        From A to before B.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none, or empty.
    """
    first, colon, last = text.partition(":")
    most = 2**62
    if not colon:
        msg = f"'{text}' is no range of traces A:B"
        raise argparse.ArgumentTypeError(msg)
    start = count(first, 0, most) if first.strip() else 0
    stop = count(last, 0, most) if last.strip() else None
    if stop is not None and stop <= start:
        msg = f"'{text}' holds no traces"
        raise argparse.ArgumentTypeError(msg)
    return slice(start, stop)

"""Numbers that NumPy has no type for: floats of IBM mainframes, integers of three bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def decode_ibm(words: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    r"""
    Return the numbers that IBM single-precision words stand for.

    Parameters
    ----------
    words : ndarray of uint32
        In any byte order.

    Returns
    -------
    numbers : ndarray of float64
        Exact: a word has 24 bits of fraction.

    Notes
    -----
    With sign :math:`s`, exponent :math:`e` of seven bits and fraction :math:`m` of 24,

    .. math:: x = (-1)^s \, m \, 2^{-24} \, 16^{e - 64}.

    Examples
    --------
    >>> decode_ibm(np.array([0xC276A000, 0x41100000, 0], np.uint32))
    array([-118.625,    1.   ,    0.   ])
    """
    words = words.astype(np.uint32)  # native order; a copy that may be worked in
    fraction = (words & 0x00FFFFFF).astype(np.float64)
    exponent = ((words >> 24) & 0x7F).astype(np.int32)
    np.negative(fraction, out=fraction, where=(words & 0x80000000) != 0)
    return np.ldexp(fraction, 4 * (exponent - 64) - 24)


def decode_int24(words: npt.NDArray[Any], *, order: str, is_signed: bool) -> npt.NDArray[Any]:
    r"""
    Return the integers that words of three bytes stand for.

    Parameters
    ----------
    words : ndarray of three-byte items
        As they are stored.
    order : "big" or "little"
        Of the bytes.
    is_signed : bool
        Whether the highest bit is a sign.

    Returns
    -------
    numbers : ndarray of int32
        Of the same shape.

    Examples
    --------
    >>> words = np.array([b"\xff\xff\xfe", b"\x00\x01\x01"], "V3")
    >>> decode_int24(words, order="big", is_signed=True)
    array([ -2, 257], dtype=int32)
    """
    parts = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, 3)
    parts = parts.astype(np.int32)
    if order == "little":
        parts = parts[..., ::-1]
    numbers = (parts[..., 0] << 16) | (parts[..., 1] << 8) | parts[..., 2]
    if is_signed:
        numbers -= (numbers & 0x800000) << 1
    return numbers

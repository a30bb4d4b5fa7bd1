"""Kernels that find the n-th smallest of numbers that are not negative."""

import numpy as np

from ._jit import jit


@jit
def select_bits(bits, rank):
    """
    Return the bits of the number that has so many before it in ascending order.

    Such numbers are in the order of their bits read as whole numbers. So the bits of the one
    looked for are found by counting, from the highest on, whatever the values are: a search
    that branches on them takes several times as long.

    Parameters
    ----------
    bits : (n,) int32 array
        Of float32 numbers, none below zero and none NaN.
    rank : int
        From 0 to n - 1.
    """
    found = 0
    n_before = 0
    stop = 0x7FFF_FFFF
    n_to = len(bits)  # numbers less than stop, n_before of them less than found
    for k in range(30, -1, -1):
        limit = found | (1 << k)
        n = count_less(bits, limit)
        if n <= rank:
            found = limit
            n_before = n
        else:
            stop = limit
            n_to = n
        if n_to - n_before == 1:
            return _last_before(bits, stop)
    return found


@jit
def _last_before(bits, limit):
    """Return the greatest of the whole numbers that are less than a limit."""
    number = np.int32(limit)
    last = np.int32(0)
    for j in range(len(bits)):
        last = np.int32(max(last, bits[j] if bits[j] < number else np.int32(0)))
    return np.int64(last)


@jit
def count_less(bits, limit):
    """Return how many of the whole numbers are less than a limit."""
    number = np.int32(limit)
    n = np.int32(0)
    for j in range(len(bits)):
        n = np.int32(n + (1 if bits[j] < number else 0))  # 32 bits: twice as many at once
    return n


@jit
def greatest_to(values, bits, limit):
    """Return the greatest of the values whose bits are not above a limit; 0 if none is."""
    number = np.int32(limit)
    greatest = np.float32(0)
    for j in range(len(values)):
        if bits[j] <= number and values[j] > greatest:
            greatest = values[j]
    return np.float64(greatest)

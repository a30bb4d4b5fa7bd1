"""Kernels that look for values that are no finite numbers."""

import numpy as np

from ._jit import jit


@jit
def are_finite(bits):
    """
    Tell whether numbers are all finite, in half the time of two passes of NumPy.

    Parameters
    ----------
    bits : (n,) int32 array
        The bits of float32 numbers. Those of magnitudes are in the order of these, with
        infinity and what is no number at the end.

    Returns
    -------
    are_finite : bool
        Whether all are.
    """
    return is_number(greatest_of(bits, np.int32(0)))


@jit
def greatest_of(bits, most):
    """Return the greatest magnitude of numbers in bits, or `most` if that is greater."""
    for i in range(len(bits)):
        most = max(most, bits[i] & np.int32(0x7FFFFFFF))
    return most


@jit
def is_number(most):
    """Tell whether the greatest magnitude in bits, and so every one, is a finite number."""
    return most < np.int32(0x7F800000)

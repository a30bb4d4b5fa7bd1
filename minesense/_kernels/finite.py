"""A kernel that looks for values that are no finite numbers."""

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
    most = np.int32(0)
    for i in range(len(bits)):
        most = max(most, bits[i] & np.int32(0x7FFFFFFF))
    return most < np.int32(0x7F800000)

"""Kernel that evaluates a polynomial of three variables at many points."""

from ._jit import jit


@jit
def evaluate_box(points, coefficients, work, out):
    """
    Sum a Chebyshev series of three variables.

    Parameters
    ----------
    points : (n, 3) float64 array
        Each in -1 .. 1.
    coefficients : (n_0, n_1, n_2) float64 array
        Of the products of Chebyshev polynomials; every length at least 2.
    work : (3, max(n_0, n_1, n_2)) float64 array
        Scratch.
    out : (n,) float64 array
        Overwritten with the sums.
    """
    n_0, n_1, n_2 = coefficients.shape
    for i in range(len(points)):
        for axis in range(3):
            x = points[i, axis]
            work[axis, 0] = 1.0
            work[axis, 1] = x
            for k in range(2, coefficients.shape[axis]):
                work[axis, k] = 2.0 * x * work[axis, k - 1] - work[axis, k - 2]
        total = 0.0
        for a in range(n_0):
            for b in range(n_1):
                part = 0.0
                for c in range(n_2):
                    part += coefficients[a, b, c] * work[2, c]
                total += work[0, a] * work[1, b] * part
        out[i] = total

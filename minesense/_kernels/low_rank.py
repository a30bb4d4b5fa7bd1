"""Kernels that part a matrix into one of low rank and a sparse one."""

from ._jit import jit


@jit
def shrink_and_update(section, threshold, mu, growth, multiplier, low, sparse, target):
    """
    Take one round of the augmented Lagrangian, but for its low-rank part.

    With the section X, low-rank part L and multiplier Y:
    S = soft(X - L + Y / mu, threshold), then Y += mu (X - L - S).

    Parameters
    ----------
    section : (n_rows, n_columns) float64 array
        The matrix X that is parted.
    threshold, mu, growth : float
        By which values shrink; penalty of this round; what the next round multiplies it by.
    multiplier : (n_rows, n_columns) float64 array
        Y, which is updated.
    low : (n_rows, n_columns) float64 array
        L on entry; overwritten with what is missing, X - L - S.
    sparse : (n_rows, n_columns) float64 array
        Overwritten with S.
    target : (n_rows, n_columns) float64 array
        Overwritten with X - S + Y / mu of the next round, whose low-rank part is due.
    """
    n_rows, n_columns = section.shape
    for i in range(n_rows):
        for j in range(n_columns):
            rest = section[i, j] - low[i, j]
            value = rest + multiplier[i, j] / mu
            # soft threshold: the value less its part within the threshold
            shrunk = value - min(max(value, -threshold), threshold)
            missing = rest - shrunk
            multiplier[i, j] += mu * missing
            low[i, j] = missing
            sparse[i, j] = shrunk
            target[i, j] = section[i, j] - shrunk + multiplier[i, j] / (mu * growth)

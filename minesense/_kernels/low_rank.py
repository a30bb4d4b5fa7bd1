"""Kernels that part a matrix into one of low rank and a sparse one, or the rest."""

import numpy as np

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


@jit
def multiply_rows(section, across, lanes, along):
    """
    Give the products of each row of a section with some vectors.

    Parameters
    ----------
    section : (n_rows, n_columns) float32 array
        Its rows may lie apart.
    across : (n_vectors, n_columns) float64 array
        The vectors.
    lanes : (n_lanes,) float64 array
        Overwritten: sums side by side, of values that lie as far apart.
    along : (n_rows, n_vectors) float64 array
        Overwritten.
    """
    n_lanes = len(lanes)
    for i in range(len(section)):
        for r in range(len(across)):
            lanes[:] = 0.0
            for start in range(0, section.shape[1], n_lanes):
                row = section[i, start : start + n_lanes]
                vector = across[r, start : start + n_lanes]
                for j in range(len(row)):
                    lanes[j] += np.float64(row[j]) * vector[j]
            total = 0.0
            for j in range(n_lanes):
                total += lanes[j]
            along[i, r] = total


@jit
def subtract_products(section, along, across, rest, out):
    """
    Give a section less the products of some columns and as many rows.

    Parameters
    ----------
    section, out : (n_rows, n_columns) float32 array
        Rows may lie apart; `out` is overwritten.
    along, across : (n_rows, n_vectors), (n_vectors, n_columns) float64 array
        The columns and the rows.
    rest : (n_columns,) float64 array
        Overwritten.
    """
    for i in range(len(section)):
        row = section[i]
        residual = out[i]
        for j in range(len(rest)):
            rest[j] = row[j]
        for r in range(len(across)):
            share = along[i, r]
            vector = across[r]
            for j in range(len(rest)):
                rest[j] -= share * vector[j]
        for j in range(len(rest)):
            residual[j] = rest[j]

"""Kernels that part a matrix into one of low rank and a sparse one, or the rest."""

import numpy as np

from ._jit import jit


@jit
def shrink_and_update(section, low, threshold, growth, multiplier, target, sparse, squares):
    """
    Take one round of the augmented Lagrangian, but for its low-rank part.

    With the section X, low-rank part L, penalty mu and multiplier Z = Y / mu:
    S = soft(X - L + Z, threshold), then Z += X - L - S. What a value is shrunk by, its part
    within the threshold, is the new Z, so that X - L - S is what it has gained.

    Parameters
    ----------
    section, low : (n_rows, n_columns) float64 array
        The matrix X that is parted, and L.
    threshold, growth : float
        By which values shrink; what the next round multiplies mu by.
    multiplier : (n_rows, n_columns) float64 array
        Z, which is updated, and divided by the growth for the next round.
    target : (n_rows, n_columns) float64 array
        Overwritten with X - S + Z of the next round, whose low-rank part is due.
    sparse : (n_rows, n_columns) float32 array
        Overwritten with S.
    squares : (n_columns,) float64 array
        To which the squares of what is missing, X - L - S, are added column by column.
    """
    share = 1 / growth
    for i in range(len(section)):
        for j in range(len(squares)):
            before = multiplier[i, j]
            value = section[i, j] - low[i, j] + before
            within = min(max(value, -threshold), threshold)
            shrunk = value - within
            missing = within - before
            squares[j] += missing * missing
            sparse[i, j] = shrunk
            multiplier[i, j] = within * share
            target[i, j] = section[i, j] - shrunk + within * share


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

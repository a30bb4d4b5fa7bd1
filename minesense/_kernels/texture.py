"""Kernels that count pairs of levels in a plane and describe their distribution."""

import math

from ._jit import jit


@jit
def count_pairs(levels, down, right, shares):
    """
    Count how often two levels lie at an offset from each other, in either order.

    Parameters
    ----------
    levels : (n_rows, n_columns) int64 array
        From 0 to below n_levels.
    down, right : int
        The offset; `down` is not negative, less than n_rows, and |right| less than n_columns.
    shares : (n_levels, n_levels) float64 array
        Overwritten with the symmetric shares, of sum 1.
    """
    n_rows, n_columns = levels.shape
    shares[:] = 0.0
    start, stop = max(0, -right), min(n_columns, n_columns - right)
    for i in range(n_rows - down):
        for j in range(start, stop):
            a, b = levels[i, j], levels[i + down, j + right]
            shares[a, b] += 1.0
            shares[b, a] += 1.0
    shares /= 2.0 * (n_rows - down) * (stop - start)


@jit
def describe_pairs(shares, out):
    """
    Compute contrast, correlation, energy, homogeneity and entropy of symmetric shares.

    Parameters
    ----------
    shares : (n_levels, n_levels) float64 array
        Symmetric, of sum 1.
    out : (5,) float64 array
        Overwritten; the correlation of a single level is 1.
    """
    n_levels = len(shares)
    contrast = energy = homogeneity = entropy = mean = 0.0
    for i in range(n_levels):
        for j in range(n_levels):
            share = shares[i, j]
            if share > 0:
                square = (i - j) * (i - j)
                contrast += share * square
                energy += share * share
                homogeneity += share / (1.0 + square)
                entropy -= share * math.log(share)
                mean += share * i
    variance = covariance = 0.0
    for i in range(n_levels):
        for j in range(n_levels):
            variance += shares[i, j] * (i - mean) * (i - mean)
            covariance += shares[i, j] * (i - mean) * (j - mean)
    out[0] = contrast
    out[1] = covariance / variance if variance > 1e-12 else 1.0
    out[2] = math.sqrt(energy)
    out[3] = homogeneity
    out[4] = entropy

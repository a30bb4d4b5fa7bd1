"""Part a section into a low-rank and a sparse part, by inexact augmented Lagrangians."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from .._kernels.low_rank import shrink_and_update
from ..sweep import Floats, Samples

#: By how much the penalty grows in a round.
_GROWTH = 1.5

#: Of so many vectors one is few: so few are found alone, more with all the others.
_MANY = 10

#: Rows that go through a round together: what is read and written stays in the cache.
_N_ROWS = 400

#: By how many zeros a matrix grows whose rows lie a multiple of so many values apart. Those
#: would share few sets of the cache: of 512 columns, all vectors take a fifth longer.
_N_MORE, _CONGRUENT = 8, 256


def keep_sparse_part(
    section: Samples, sparsity: float, tolerance: float, most_rounds: int, out: Samples
) -> tuple[int, int, float]:
    """
    Write the sparse part of a section; return rank of the other, rounds and residual.

    Parameters
    ----------
    section : (n_traces, n_samples) float32 ndarray
        Finite.
    sparsity : float
        Weight of the sparse part.
    tolerance : float
        Residual below which the parts have converged.
    most_rounds : int
        Rounds after which it ends although they have not.
    out : (n_traces, n_samples) float32 ndarray
        Overwritten.

    Returns
    -------
    rank, rounds : int
        Of the low-rank part; taken.
    residual : float
        Norm of what neither part holds, as a share of that of the section.

    Examples
    --------
    >>> section = np.outer(np.ones(40), np.cos(np.arange(20.0))).astype(np.float32)
    >>> section[17, 5] += 1
    >>> sparse = np.empty_like(section)
    >>> keep_sparse_part(section, 40**-0.5, 1e-7, 100, sparse)[0]
    1
    >>> np.argwhere(np.abs(sparse) > 1e-3).tolist()
    [[17, 5]]
    """
    is_wide = section.shape[0] < section.shape[1]
    x = np.ascontiguousarray(section.T if is_wide else section, dtype=np.float64)
    norm = float(np.linalg.norm(x))
    if norm == 0:
        out[:] = 0
        return 0, 0, 0.0
    gram = _no_products(x)
    for rows in _blocks(x):
        gram = add_products(x[rows], gram)
    largest = _largest_singular_value(gram)
    mu = 1.25 / largest
    share = 1 / (mu * max(largest, float(np.abs(x).max()) / sparsity))
    multiplier = share * x  # divided by the penalty, here and below
    target = x + multiplier
    gram *= (1 + share) ** 2
    sparse, low = np.empty(x.shape, np.float32), np.empty((_N_ROWS, x.shape[1]))
    squares = np.empty(x.shape[1])
    rank, before, rounds, residual = 0, 0, 0, math.inf
    while rounds < most_rounds and residual >= tolerance:
        expected = 2 * rank - before  # grown as in the last round
        before = rank
        rank, shrink = _shrinker(gram, 1 / mu, expected)
        squares[:], gram = 0, _no_products(x)
        for rows in _blocks(x):
            part = low[: rows.stop - rows.start]
            shrink(target[rows], part)
            shrink_and_update(
                x[rows],
                part,
                sparsity / mu,
                _GROWTH,
                multiplier[rows],
                target[rows],
                sparse[rows],
                squares,
            )
            gram = add_products(target[rows], gram)
        residual = math.sqrt(float(squares.sum())) / norm
        mu *= _GROWTH
        rounds += 1
    out[:] = sparse.T if is_wide else sparse
    return rank, rounds, residual


def add_products(rows: Floats, gram: Floats) -> Floats:
    """
    Add the products of the columns of some rows to those of others.

    Parameters
    ----------
    rows : (n_rows, n) float64 ndarray
        Contiguous.
    gram : (n, n) float64 ndarray
        Lower triangle, contiguous by columns; overwritten.

    Returns
    -------
    gram : (n, n) float64 ndarray
        The same array.

    Examples
    --------
    >>> add_products(np.array([[1.0, 2.0]]), np.zeros((2, 2), order="F"))
    array([[1., 0.],
           [2., 4.]])
    """
    from scipy.linalg.blas import dsyrk  # noqa: PLC0415 - slow to import

    added: Floats = dsyrk(1.0, rows.T, beta=1.0, c=gram, lower=1, overwrite_c=1)
    return added


def _no_products(tall: Floats) -> Floats:
    """Return room for the products of the columns."""
    return np.zeros((tall.shape[1], tall.shape[1]), order="F")


def _blocks(tall: Floats) -> Iterator[slice]:
    """Yield slices of the rows."""
    for start in range(0, len(tall), _N_ROWS):
        yield slice(start, min(start + _N_ROWS, len(tall)))


def _largest_singular_value(gram: Floats) -> float:
    """Return the spectral norm of what has these products."""
    from scipy.linalg import eigvalsh  # noqa: PLC0415 - slow to import

    n = len(gram)
    return math.sqrt(float(eigvalsh(gram, subset_by_index=(n - 1, n - 1))[0]))


def _shrinker(
    gram: Floats, threshold: float, expected: int
) -> tuple[int, Callable[[Floats, Floats], object]]:
    """
    Return how many singular values stay if lowered by a threshold, and what lowers them.

    It takes rows and writes those of the matrix of lower singular values. How many values
    are `expected` decides on the way, not on the result.
    """
    from scipy.linalg.blas import dsymm, dsyrk  # noqa: PLC0415 - slow to import

    squares, vectors = _eigenpairs_above(gram, threshold**2, expected)
    left = 1 - threshold / np.sqrt(squares)
    if 2 * len(squares) < len(gram):
        weighted = (vectors * left).T
        return len(squares), lambda rows, out: np.matmul(rows @ vectors, weighted, out=out)
    # a triangle takes half the work of a whole product
    triangle = dsyrk(1.0, vectors * np.sqrt(left), lower=1)

    def multiply(rows: Floats, out: Floats) -> None:
        # the same in columns: BLAS finds `out` as it wants it, and writes there
        dsymm(1.0, triangle, rows.T, beta=0.0, c=out.T, lower=1, overwrite_c=1)

    return len(squares), multiply


def _eigenpairs_above(gram: Floats, least: float, expected: int) -> tuple[Floats, Floats]:
    """Return the eigenvalues of a Gram matrix above the least, and their vectors."""
    from scipy.linalg import eigh  # noqa: PLC0415 - slow to import

    n = len(gram)
    if expected < n / _MANY:
        few: tuple[Floats, Floats] = eigh(
            gram, subset_by_value=(least, np.inf), check_finite=False
        )
        return few
    # all of them take half the time of many
    if n % _CONGRUENT == 0:
        gram = np.pad(gram, (0, _N_MORE))
    squares, vectors = eigh(gram, driver="evd", overwrite_a=True, check_finite=False)
    n_low = int(np.searchsorted(squares, least, side="right"))
    return squares[n_low:], vectors[:n, n_low:]

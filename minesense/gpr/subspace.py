"""Remove what the traces of a lane have in common: singular vectors, or a low-rank part."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels.low_rank import multiply_rows, subtract_products
from .._validation import check_count, check_positive
from .._version import __version__
from ..sweep import Floats, Samples, Sweep
from ._low_rank import add_products, keep_sparse_part
from .attributes import check_lane
from .preprocess import check_radar

#: Rows of a section that are multiplied in float64 at a time.
_N_BLOCK = 256

#: Sums that run side by side in a product: as many values as a few registers hold.
_N_LANES = 64

#: Share of the energy that the vectors before one left, from which it is no mere noise, and
#: effective share of the lane below which it belongs to a stretch of it.
_STRONG, _LOCAL = 0.1, 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubspaceRemoval:
    """A lane without its first singular vectors, and the energy that went with them."""

    sweep: Sweep  #: what is left
    #: share of the energy of a channel in each vector removed, (n_channels, rank)
    removed: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LowRankRemoval:
    """The sparse part of a lane, and how its low-rank part was parted from it."""

    sweep: Sweep  #: the sparse part
    rank: npt.NDArray[np.int64]  #: of the low-rank part, (n_channels,)
    rounds: npt.NDArray[np.int64]  #: until converged, (n_channels,)
    #: norm of what neither part holds, as a share of that of the section, (n_channels,)
    residual: Floats


def remove_subspace(sweep: Sweep, *, rank: int) -> SubspaceRemoval:
    r"""
    Remove the first singular vectors of each channel's section, traces times samples.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, aligned by its ground bounce.
    rank : int
        Vectors removed, 1 or at most 2: flat or long targets live in them.

    Returns
    -------
    removal : SubspaceRemoval
        The lane without them, in the unit of the sweep, and the share of each channel's
        energy that each of them held. Flagged traces are left out and come out as NaN.

    Raises
    ------
    TypeError, ValueError
        If `rank` is not a whole number from 1 to less than the usable traces and the
        samples, if the sensor is not a radar with a regular axis in seconds, or if a trace
        without a flag is not finite.

    Warns
    -----
    UserWarning
        If a vector looks like a target, see the notes. No warning is no proof that none was
        taken: weak ones share vectors with noise.

    Notes
    -----
    The section :math:`X = \sum_j s_j u_j v_j^T` of :math:`m` usable traces and :math:`n`
    samples becomes

    .. math:: Y = X - X V_k V_k^T = \sum_{j > k} s_j u_j v_j^T,

    the section less its nearest one of rank :math:`k` [1]_. The share of vector :math:`j`
    is :math:`s_j^2 / \sum_i s_i^2`. :math:`V_k` are the last eigenvectors of the Gram matrix
    :math:`X^T X`, or for less traces than samples those of :math:`X X^T` on the other side,
    in float64. The order of the traces does not matter.

    A vector looks like a target if, of the energy :math:`\sum_{i \ge j} s_i^2` that those
    before it left, it holds more than twice what white noise would give it,
    :math:`(1 / \sqrt m + 1 / \sqrt n)^2` [2]_, and besides

    - it is beyond the first and holds more than a tenth of that energy: a target long or
      strong, or ground that the alignment missed; or
    - it belongs to a stretch of the lane: :math:`1 / \sum_d u_{dj}^4`, the number of traces
      that it covers, is less than 0.15 m. Noise covers m / 3, a background all.

    References
    ----------
    .. [1] Eckart, C. and Young, G. (1936). The approximation of one matrix by another of
       lower rank. *Psychometrika*, 1, 211-218. https://doi.org/10.1007/BF02288367
    .. [2] Johnstone, I. M. (2001). On the distribution of the largest eigenvalue in
       principal components analysis. *Annals of Statistics*, 29(2), 295-327, theorem 1.1.
       https://doi.org/10.1214/aos/1009210544

    Examples
    --------
    The same trace everywhere, rising along the lane, and one echo of a tenth:

    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(20), lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.linspace(1, 2, 40)[:, None, None] * np.cos(np.arange(20.0))
    >>> samples[20, 0, 14] += 0.1
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(40),
    ...     position=np.zeros((40, 3)),
    ...     heading=np.zeros(40),
    ...     sensor=sensor,
    ... )
    >>> removal = remove_subspace(sweep, rank=1)
    >>> np.unravel_index(removal.sweep.samples.argmax(), samples.shape)[::2]
    (np.int64(20), np.int64(14))
    >>> removal.removed.round(3)
    array([[1.]])
    """
    check_radar(check_lane(sweep).sensor)
    rank = check_count(rank, "rank")
    usable = np.flatnonzero(sweep.is_usable)
    m, n = len(usable), sweep.sensor.shape[1]
    if rank >= min(m, n):
        msg = f"Invalid rank '{rank}'. Must be less than {m} usable traces and {n} samples."
        raise ValueError(msg)
    noise = (1 / math.sqrt(m) + 1 / math.sqrt(n)) ** 2
    shares, doubts = [], []
    samples = np.empty_like(sweep.samples)
    for c, (section, out) in enumerate(_sections(sweep, usable, samples)):
        energies, total, covered = _remove_vectors(section, rank, out)
        shares.append(energies / total if total else energies)
        left = total - np.concatenate([[0.0], np.cumsum(energies)[:-1]])
        of_left = np.divide(energies, left, out=np.zeros(rank), where=left > 1e-9 * total)
        is_strong = (of_left > _STRONG) & (np.arange(rank) > 0)
        is_target = (of_left > 2 * noise) & (is_strong | (covered < _LOCAL * m))
        doubts += [
            f"vector {j + 1} of channel {c} holds {of_left[j]:.1%} of the energy left and "
            f"covers {covered[j]:.0f} of {m} traces"
            for j in np.flatnonzero(is_target)
        ]
    if doubts:
        more = f", and {len(doubts) - 3} more" if len(doubts) > 3 else ""
        warnings.warn(
            f"Removal of {rank} singular vectors may have taken a target: "
            f"{'; '.join(doubts[:3])}{more}. Align the lane by its ground bounce, lower the "
            "rank, or use remove_low_rank.",
            stacklevel=2,
        )
    removed = np.array(shares).reshape(-1, rank)
    energy = ", ".join(f"{share:.4f}" for share in removed.sum(axis=1))
    line = f"remove_subspace(rank={rank}), share of energy removed {energy}"
    return SubspaceRemoval(sweep=_derived(sweep, samples, line), removed=removed)


def remove_low_rank(
    sweep: Sweep,
    *,
    sparsity: float | None = None,
    tolerance: float = 1e-7,
    most_rounds: int = 100,
) -> LowRankRemoval:
    r"""
    Part each channel's section into a low-rank and a sparse part, and keep the sparse one.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, aligned by its ground bounce.
    sparsity : float, optional
        Weight :math:`\lambda` of the sparse part, without unit; a greater one moves more
        into the low-rank part. :math:`1 / \sqrt{\max(m, n)}` for :math:`m` usable traces of
        :math:`n` samples if not given.
    tolerance : float
        Norm of what neither part holds, as a share of that of the section, below which they
        have converged.
    most_rounds : int
        Rounds after which it is an error that they have not.

    Returns
    -------
    removal : LowRankRemoval
        The sparse part, in the unit of the sweep; rank of the other, rounds and residual of
        each channel. Flagged traces are left out and come out as NaN.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the parts do not converge in `most_rounds`, the
        sensor is not a radar with a regular axis in seconds, no trace is usable, or one
        without a flag is not finite.

    Notes
    -----
    Robust principal components [1]_ minimise

    .. math:: \|L\|_* + \lambda \|S\|_1 \quad \text{so that} \quad L + S = X,

    by inexact augmented Lagrangians (algorithm 5 of [2]_): from
    :math:`Y = X / \max(\|X\|_2, \|X\|_\infty / \lambda)`, :math:`S = 0` and
    :math:`\mu = 1.25 / \|X\|_2` repeat

    .. math::
        L &= \operatorname{svt}_{1 / \mu}(X - S + Y / \mu), \\
        S &= \operatorname{soft}_{\lambda / \mu}(X - L + Y / \mu), \\
        Y &\mathrel{+}= \mu (X - L - S), \qquad \mu \mathrel{\times}= 1.5

    until :math:`\|X - L - S\|_F < \epsilon \|X\|_F`, where soft shrinks values and svt
    singular values by a threshold. Those above it come from the Gram matrix, all in
    float64. The parts of :math:`c X` are :math:`c` times those of :math:`X`; the order of
    traces does not matter.

    References
    ----------
    .. [1] Candès, E. J., Li, X., Ma, Y. and Wright, J. (2011). Robust principal component
       analysis? *Journal of the ACM*, 58(3), 11, equation 1.1 and theorem 1.1.
       https://doi.org/10.1145/1970392.1970395
    .. [2] Lin, Z., Chen, M. and Ma, Y. (2010). The augmented Lagrange multiplier method for
       exact recovery of corrupted low-rank matrices. https://arxiv.org/abs/1009.5055

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(40), lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.linspace(1, 2, 60)[:, None, None] * np.cos(np.arange(40.0))
    >>> samples[20:23, 0, 14] += 0.5
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(60),
    ...     position=np.zeros((60, 3)),
    ...     heading=np.zeros(60),
    ...     sensor=sensor,
    ... )
    >>> removal = remove_low_rank(sweep)
    >>> removal.sweep.samples[18:25, 0, 14].round(3) + 0.0
    array([0. , 0. , 0.5, 0.5, 0.5, 0. , 0. ], dtype=float32)
    >>> removal.rank
    array([1])
    """
    check_radar(check_lane(sweep).sensor)
    if sparsity is not None:
        sparsity = check_positive(sparsity, "sparsity")
    tolerance = check_positive(tolerance, "tolerance")
    most_rounds = check_count(most_rounds, "most_rounds")
    usable = np.flatnonzero(sweep.is_usable)
    if not len(usable):
        msg = f"Invalid sweep: none of {len(sweep)} traces is usable. Must hold one or more."
        raise ValueError(msg)
    samples = np.empty_like(sweep.samples)
    reports = []
    for c, (section, out) in enumerate(_sections(sweep, usable, samples)):
        weight = 1 / math.sqrt(max(section.shape)) if sparsity is None else sparsity
        report = keep_sparse_part(section, weight, tolerance, most_rounds, out)
        if not report[2] < tolerance:
            msg = (
                f"Invalid most_rounds '{most_rounds}'. Must be enough for the residual to fall "
                f"below the tolerance of {tolerance:.3g}: that of channel {c} is "
                f"{report[2]:.3g}."
            )
            raise ValueError(msg)
        reports.append(report)
    ranks, rounds, residuals = np.array(reports).reshape(-1, 3).T
    options = f"sparsity={sparsity}, tolerance={tolerance}, most_rounds={most_rounds}"
    return LowRankRemoval(
        sweep=_derived(sweep, samples, f"remove_low_rank({options})"),
        rank=ranks.astype(np.int64),
        rounds=rounds.astype(np.int64),
        residual=residuals,
    )


def _sections(
    sweep: Sweep, usable: npt.NDArray[np.intp], samples: Samples
) -> Iterator[tuple[Samples, Samples]]:
    """Yield the section of each channel, (n_usable, n_samples), and a place for the result."""
    if len(usable) == len(sweep):
        for c in range(samples.shape[1]):
            yield sweep.samples[:, c], samples[:, c]
        return
    samples[:] = np.nan
    for c in range(samples.shape[1]):
        section = sweep.samples[usable, c]
        out = np.empty_like(section)
        yield section, out
        samples[usable, c] = out


def _derived(sweep: Sweep, samples: Samples, line: str) -> Sweep:
    """Return a sweep of other samples, with a line in its history."""
    history = (*sweep.history, f"minesense {__version__}: {line}")
    return dataclasses.replace(sweep, samples=samples, history=history)


def _blocks(tall: npt.NDArray) -> Iterator[tuple[slice, Floats]]:
    """Yield slices of the rows, and what they hold in float64 until the next is taken."""
    if tall.dtype == np.float64:
        yield slice(0, len(tall)), tall
        return
    block = np.empty((min(_N_BLOCK, len(tall)), tall.shape[1]))
    for start in range(0, len(tall), _N_BLOCK):
        rows = slice(start, min(start + _N_BLOCK, len(tall)))
        part = block[: rows.stop - start]
        part[:] = tall[rows]
        yield rows, part


def _gram(tall: npt.NDArray) -> Floats:
    """Return the products of the columns in float64: the lower triangle, zeros above."""
    gram = np.zeros((tall.shape[1], tall.shape[1]), order="F")
    for _, block in _blocks(tall):
        gram = add_products(block, gram)
    return gram


def _remove_vectors(section: Samples, rank: int, out: Samples) -> tuple[Floats, float, Floats]:
    """
    Write a section without its first vectors; return their energies, that of all, and covers.

    The vectors on the shorter side are eigenvectors of the Gram matrix; those on the other
    side are the section times these. A vector covers a number of traces.
    """
    from scipy.linalg import eigh  # noqa: PLC0415 - slow to import

    is_wide = section.shape[0] < section.shape[1]
    tall = section.T if is_wide else section
    gram, n = _gram(tall), tall.shape[1]
    vectors = eigh(gram, subset_by_index=(n - rank, n - 1), check_finite=False)[1][:, ::-1]
    vectors = np.ascontiguousarray(vectors)
    along, rest = np.empty((len(tall), rank)), np.empty(section.shape[1])
    if is_wide:
        for rows, block in _blocks(tall):
            np.matmul(block, vectors, out=along[rows])
        subtract_products(section, vectors, np.ascontiguousarray(along.T), rest, out)
    else:
        across, lanes = np.ascontiguousarray(vectors.T), np.empty(_N_LANES)
        for start in range(0, len(section), _N_BLOCK):  # rows are still in the cache
            rows = slice(start, start + _N_BLOCK)
            multiply_rows(section[rows], across, lanes, along[rows])
            subtract_products(section[rows], along[rows], across, rest, out[rows])
    energies = (along**2).sum(axis=0)
    squares = (vectors if is_wide else along) ** 2
    sums = squares.sum(axis=0)
    covered = np.divide(sums**2, (squares**2).sum(axis=0), out=np.zeros(rank), where=sums > 0)
    return energies, float(np.trace(gram)), covered

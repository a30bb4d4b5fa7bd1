"""Hidden Markov models whose states speak in mixtures of Gaussians, and how they learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels.hidden_markov import (
    expected_counts,
    log_components,
    log_sums,
    sequence_likelihoods,
)
from .._validation import check_array, check_count
from ..sweep import Floats

#: Least variance of a component where the data have unit variance: a component that shrinks
#: onto one vector would have an infinite density.
MIN_VARIANCE = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixtureChain:
    """A hidden Markov model with mixtures of uncorrelated Gaussians."""

    start: Floats  #: (n_states,) probability of each state at the first step
    transition: Floats  #: (n_states, n_states) probability from the row's state to the column's
    weights: Floats  #: (n_states, n_components) of the mixture of each state
    means: Floats  #: (n_states, n_components, n_values)
    variances: Floats  #: (n_states, n_components, n_values)


def left_right_chain(
    sequences: npt.ArrayLike,
    *,
    weights: npt.ArrayLike,
    n_states: int = 3,
    n_components: int = 3,
) -> MixtureChain:
    """
    Return a model whose states follow one another, as a first guess.

    Parameters
    ----------
    sequences : (n, n_steps, n_values) array_like
        Training sequences, of zero mean and unit variance.
    weights : (n,) array_like
        How often each sequence counts.
    n_states, n_components : int
        States, and Gaussians in the mixture of each.

    Returns
    -------
    chain : MixtureChain
        It begins in the first state and stays or goes on to the next. Each state has the
        vectors of its equal share of the steps.

    Raises
    ------
    TypeError, ValueError
        If the sequences are not finite or have not three axes, or a number is not a whole
        one above zero.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect.mixture_chain import left_right_chain
    >>> hill = np.array([[[-1.0], [-1.0], [2.0], [2.0], [-1.0], [-1.0]]])
    >>> chain = left_right_chain(hill, weights=[1.0], n_components=1)
    >>> chain.means.ravel().tolist(), chain.transition[0].tolist()
    ([-1.0, 2.0, -1.0], [0.5, 0.5, 0.0])
    """
    vectors, weight, n_states, n_components = _check(sequences, weights, n_states, n_components)
    n_steps = vectors.shape[1]
    stay = max(0.5, 1 - n_states / n_steps)
    transition = np.diag(np.full(n_states, stay)) + np.diag(
        np.full(n_states - 1, 1 - stay), k=1
    )
    transition[-1, -1] = 1.0
    state_of = np.arange(n_steps) * n_states // n_steps
    # where steps are fewer than states, the last states hear of all steps
    parts = [vectors[:, state_of == s] if s in state_of else vectors for s in range(n_states)]
    mixtures = [_first_mixture(part, weight, n_components) for part in parts]
    start = np.zeros(n_states)
    start[0] = 1.0
    return _chain(start, transition, mixtures)


def ergodic_chain(
    sequences: npt.ArrayLike,
    *,
    weights: npt.ArrayLike,
    n_states: int = 3,
    n_components: int = 3,
) -> MixtureChain:
    """
    Return a model that goes from any state to any other, as a first guess.

    Parameters
    ----------
    sequences, weights, n_states, n_components
        As in :func:`left_right_chain`.

    Returns
    -------
    chain : MixtureChain
        Each state has an equal share of the vectors, in order of the value that varies most.

    Raises
    ------
    TypeError, ValueError
        As :func:`left_right_chain`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect.mixture_chain import ergodic_chain
    >>> steps = np.array([[[-1.0], [1.0]], [[1.0], [-1.0]]])
    >>> ergodic_chain(steps, weights=[1.0, 1.0], n_states=2).means[:, 1, 0].tolist()
    [-1.0, 1.0]
    """
    vectors, weight, n_states, n_components = _check(sequences, weights, n_states, n_components)
    flat = vectors.reshape(-1, vectors.shape[2])
    each = np.repeat(weight, vectors.shape[1])
    group = _equal_shares(flat, each, n_states)
    mixtures = []
    for s in range(n_states):
        own = group == s if (group == s).any() else np.full(len(flat), True)
        mixtures.append(_first_mixture(flat[own][:, None], each[own], n_components))
    transition = np.full((n_states, n_states), 1 / n_states)
    return _chain(np.full(n_states, 1 / n_states), transition, mixtures)


def log_likelihood(chain: MixtureChain, sequences: npt.ArrayLike) -> Floats:
    """
    Return the log likelihood of each sequence.

    Parameters
    ----------
    chain : MixtureChain
        The model.
    sequences : (n, n_steps, n_values) array_like
        Sequences of at least one step.

    Returns
    -------
    log_likelihood : (n,) float64 ndarray
        Natural logarithm of the probability density, summed over all paths of states.

    Raises
    ------
    TypeError, ValueError
        If the sequences are not finite or not of this shape.

    Examples
    --------
    One state and one Gaussian of unit variance leave only the density itself:

    >>> import numpy as np
    >>> from minesense.detect.mixture_chain import ergodic_chain, log_likelihood
    >>> steps = np.array([[[-1.0], [1.0]]])
    >>> chain = ergodic_chain(steps, weights=[1.0], n_states=1, n_components=1)
    >>> log_likelihood(chain, [[[0.0], [0.0]]]).round(4).tolist()
    [-1.8379]
    """
    n_values = chain.means.shape[2]
    vectors = check_array(sequences, "sequences", ("n", "n_steps", n_values))
    _, emissions = _emissions(chain, vectors)
    _, n_steps, n_states = emissions.shape
    out = np.empty(len(vectors))
    ahead, terms = np.empty((n_steps, n_states)), np.empty(n_states)
    sequence_likelihoods(
        emissions, _log(chain.start), _log(chain.transition), ahead, terms, out
    )
    return out


def improve(
    chain: MixtureChain, sequences: npt.ArrayLike, *, weights: npt.ArrayLike
) -> tuple[MixtureChain, float]:
    r"""
    Do one step of expectation and maximisation (Baum-Welch).

    Parameters
    ----------
    chain : MixtureChain
        The model so far.
    sequences, weights
        As in :func:`left_right_chain`.

    Returns
    -------
    chain : MixtureChain
        The next model.
    log_likelihood : float
        Weighted sum over the sequences, of the model so far; that of the next is no less.

    Raises
    ------
    TypeError, ValueError
        If sequences or weights are not finite or do not fit each other and the model.

    Notes
    -----
    With :math:`\gamma_{ts}` the probability of state :math:`s` at step :math:`t` given the
    sequence, and :math:`\gamma_{tsk}` the share of component :math:`k` in it, new weights are
    proportional to :math:`\sum_t \gamma_{tsk}`, means and variances are those of the vectors
    with these shares, and transitions are proportional to their expected numbers (equations
    37, 40 and 52 to 54 of [1]_). Variances are held at :data:`MIN_VARIANCE` or more, which
    is the maximum under that bound. What was impossible stays impossible; what nothing was
    seen of stays as it was.

    References
    ----------
    .. [1] Rabiner, L. R. (1989). A tutorial on hidden Markov models and selected
       applications in speech recognition. Proceedings of the IEEE 77(2), 257-286,
       doi:10.1109/5.18626.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect.mixture_chain import ergodic_chain, improve
    >>> steps = np.random.default_rng(seed=0).normal(size=(20, 5, 1))
    >>> weights = np.ones(20)
    >>> chain, before = improve(ergodic_chain(steps, weights=weights), steps, weights=weights)
    >>> _, after = improve(chain, steps, weights=weights)
    >>> after > before
    True
    """
    n_states, n_components, n_values = chain.means.shape
    vectors, weight, *_ = _check(sequences, weights, n_states, n_components)
    vectors = check_array(vectors, "sequences", ("n", "n_steps", n_values))
    components, emissions = _emissions(chain, vectors)
    n, n_steps, _ = vectors.shape
    occupancy, transitions = np.empty_like(emissions), np.empty((n_states, n_states))
    likelihoods, terms = np.empty(n), np.empty(n_states)
    ahead, behind = np.empty((n_steps, n_states)), np.empty((n_steps, n_states))
    expected_counts(
        emissions,
        weight,
        _log(chain.start),
        _log(chain.transition),
        ahead,
        behind,
        terms,
        occupancy,
        transitions,
        likelihoods,
    )
    share = np.exp(components - emissions[..., None]) * occupancy[..., None]
    share = share.reshape(n * n_steps, n_states * n_components)
    flat = vectors.reshape(n * n_steps, n_values)
    shape = (n_states, n_components, n_values)
    count = share.sum(axis=0).reshape(shape[:2])
    seen = count > 0
    divisor = np.where(seen, count, 1.0)[..., None]
    means = (share.T @ flat).reshape(shape) / divisor
    squares = (share.T @ flat**2).reshape(shape) / divisor
    variances = np.maximum(squares - means**2, MIN_VARIANCE)
    following = MixtureChain(
        start=_shares(occupancy[:, 0].sum(axis=0)[None], chain.start[None])[0],
        transition=_shares(transitions, chain.transition),
        weights=_shares(count, chain.weights),
        means=np.where(seen[..., None], means, chain.means),
        variances=np.where(seen[..., None], variances, chain.variances),
    )
    return following, float(weight @ likelihoods)


def learn(
    chain: MixtureChain,
    sequences: npt.ArrayLike,
    *,
    weights: npt.ArrayLike,
    max_steps: int = 30,
    tolerance: float = 1e-4,
) -> tuple[MixtureChain, int]:
    """
    Improve a model until it gains little.

    Parameters
    ----------
    chain : MixtureChain
        First guess.
    sequences, weights
        As in :func:`left_right_chain`.
    max_steps : int
        Greatest number of steps.
    tolerance : float
        Gain of log likelihood, for one step of a sequence on average, below which it ends.

    Returns
    -------
    chain : MixtureChain
        The model after the last step.
    n_steps : int
        Number of steps that were taken.

    Raises
    ------
    TypeError, ValueError
        As :func:`improve`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect.mixture_chain import ergodic_chain, learn
    >>> steps = np.random.default_rng(seed=0).normal(size=(20, 5, 1))
    >>> weights = np.ones(20)
    >>> _, n_steps = learn(ergodic_chain(steps, weights=weights), steps, weights=weights)
    >>> 1 < n_steps <= 30
    True
    """
    steps = np.asarray(sequences)
    least = tolerance * float(np.sum(weights)) * (steps.shape[1] if steps.ndim > 1 else 1)
    most, before, n_taken = check_count(max_steps, "max_steps"), -np.inf, 0
    while n_taken < most:
        chain, now = improve(chain, steps, weights=weights)
        n_taken += 1
        if now - before < least:
            break
        before = now
    return chain, n_taken


def _check(
    sequences: npt.ArrayLike, weights: npt.ArrayLike, n_states: int, n_components: int
) -> tuple[Floats, Floats, int, int]:
    """Return what every function is given, clean."""
    vectors = check_array(sequences, "sequences", ("n", "n_steps", "n_values"))
    weight = check_array(weights, "weights", (len(vectors),))
    if not vectors.size:
        msg = f"Invalid sequences with shape {vectors.shape}. Must hold at least one vector."
        raise ValueError(msg)
    if (weight < 0).any() or not weight.any():
        msg = (
            f"Invalid weights from {weight.min()} to {weight.max()}. Must not be negative, nor "
            "all of them zero."
        )
        raise ValueError(msg)
    return (
        vectors,
        weight,
        check_count(n_states, "n_states"),
        check_count(n_components, "n_components"),
    )


def _chain(
    start: Floats, transition: Floats, mixtures: list[tuple[Floats, Floats, Floats]]
) -> MixtureChain:
    """Return a model of mixtures, one of each state."""
    weights, means, variances = (np.stack(part) for part in zip(*mixtures, strict=True))
    return MixtureChain(
        start=start, transition=transition, weights=weights, means=means, variances=variances
    )


def _first_mixture(
    vectors: Floats, weight: Floats, n_components: int
) -> tuple[Floats, Floats, Floats]:
    """Return weights, means and variances of equal shares of the vectors of sequences."""
    flat = vectors.reshape(-1, vectors.shape[2])
    each = np.repeat(weight, vectors.shape[1])
    group = _equal_shares(flat, each, n_components)
    weights = np.bincount(group, weights=each, minlength=n_components) / each.sum()
    means, variances = np.empty((2, n_components, flat.shape[1]))
    for k in range(n_components):
        own = group == k if weights[k] > 0 else each > 0
        means[k] = np.average(flat[own], axis=0, weights=each[own])
        variances[k] = np.average((flat[own] - means[k]) ** 2, axis=0, weights=each[own])
    return weights, means, np.maximum(variances, MIN_VARIANCE)


def _equal_shares(vectors: Floats, weight: Floats, n_groups: int) -> npt.NDArray[np.int64]:
    """
    Return which of so many groups of equal weight each vector is in.

    They part the value that varies most. Nothing is random, and equal vectors share a group,
    so that a vector of weight two is the same as two of them.
    """
    mean = np.average(vectors, axis=0, weights=weight)
    variance = np.average((vectors - mean) ** 2, axis=0, weights=weight)
    _, rank = np.unique(vectors[:, np.argmax(variance)], return_inverse=True)
    total = np.bincount(rank, weights=weight)
    middle = (np.cumsum(total) - total / 2) / total.sum()
    return np.minimum((middle * n_groups).astype(np.int64), n_groups - 1)[rank]


def _emissions(chain: MixtureChain, vectors: Floats) -> tuple[Floats, Floats]:
    """Return log densities by component and by state, of every step."""
    n_states, n_components, n_values = chain.means.shape
    flat = vectors.reshape(-1, n_values)
    scales = _log(chain.weights) - 0.5 * np.log(2 * np.pi * chain.variances).sum(axis=2)
    components = np.empty((len(flat), n_states * n_components))
    means, precisions = (
        np.ascontiguousarray(part.reshape(-1, n_values))
        for part in (chain.means, 1 / chain.variances)
    )
    log_components(flat, means, precisions, scales.ravel(), components)
    components = components.reshape(len(flat), n_states, n_components)
    emissions = np.empty((len(flat), n_states))
    log_sums(components, emissions)
    shape = (*vectors.shape[:2], n_states)
    return components.reshape(*shape, n_components), emissions.reshape(shape)


def _shares(counts: Floats, otherwise: Floats) -> Floats:
    """Return rows of counts as shares of their sum; of nothing, what there was."""
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1.0), otherwise)


def _log(probability: Floats) -> Floats:
    """Return natural logarithms, minus infinity of zero."""
    with np.errstate(divide="ignore"):
        return np.ascontiguousarray(np.log(probability))

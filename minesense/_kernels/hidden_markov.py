"""Kernels of hidden Markov models: densities, forward and backward sums, in logarithms."""

import math

from ._jit import jit


@jit
def log_components(vectors, means, precisions, log_scales, out):
    """
    Give the log density of vectors under Gaussians without correlation, scaled.

    Parameters
    ----------
    vectors : (n_vectors, n_values) float64 array
    means, precisions : (n_components, n_values) float64 array
        Precision is one over the variance.
    log_scales : (n_components,) float64 array
        Log of the weight over the root of the determinant of 2 pi variance.
    out : (n_vectors, n_components) float64 array
        Overwritten.
    """
    n_components, n_values = means.shape
    for i in range(len(vectors)):
        for c in range(n_components):
            total = 0.0
            for j in range(n_values):
                apart = vectors[i, j] - means[c, j]
                total += apart * apart * precisions[c, j]
            out[i, c] = log_scales[c] - 0.5 * total


@jit
def log_sums(terms, out):
    """
    Give the log of the sum of exponentials along the last axis.

    Parameters
    ----------
    terms : (n_vectors, n_states, n_components) float64 array
        Minus infinity stands for nothing.
    out : (n_vectors, n_states) float64 array
        Overwritten.
    """
    n_vectors, n_states, _ = terms.shape
    for i in range(n_vectors):
        for s in range(n_states):
            out[i, s] = _log_sum(terms[i, s])


@jit
def sequence_likelihoods(emissions, log_start, log_transition, ahead, terms, out):
    """
    Give the log likelihood of sequences by the forward recursion.

    Parameters
    ----------
    emissions : (n_sequences, n_steps, n_states) float64 array
        Log density of every step in every state.
    log_start : (n_states,) float64 array
    log_transition : (n_states, n_states) float64 array
        From the state of the row to that of the column.
    ahead : (n_steps, n_states) float64 array
        Scratch.
    terms : (n_states,) float64 array
        Scratch.
    out : (n_sequences,) float64 array
        Overwritten.
    """
    n_steps = emissions.shape[1]
    for i in range(len(emissions)):
        _forward(emissions[i], log_start, log_transition, ahead, terms)
        out[i] = _log_sum(ahead[n_steps - 1])


@jit
def expected_counts(
    emissions,
    weights,
    log_start,
    log_transition,
    ahead,
    behind,
    terms,
    occupancy,
    transitions,
    likelihoods,
):
    """
    Give how often states are visited and left, on average over all paths.

    Parameters
    ----------
    emissions : (n_sequences, n_steps, n_states) float64 array
        Log density of every step in every state.
    weights : (n_sequences,) float64 array
        How often each sequence counts.
    log_start, log_transition
        As in `sequence_likelihoods`.
    ahead, behind : (n_steps, n_states) float64 array
        Scratch.
    terms : (n_states,) float64 array
        Scratch.
    occupancy : (n_sequences, n_steps, n_states) float64 array
        Overwritten: weight times the probability of each state at each step.
    transitions : (n_states, n_states) float64 array
        Overwritten: weighted number of steps from the row's state to the column's.
    likelihoods : (n_sequences,) float64 array
        Overwritten with log likelihoods.
    """
    n_sequences, n_steps, n_states = emissions.shape
    for s in range(n_states):
        for r in range(n_states):
            transitions[s, r] = 0.0
    for i in range(n_sequences):
        emission = emissions[i]
        _forward(emission, log_start, log_transition, ahead, terms)
        total = _log_sum(ahead[n_steps - 1])
        likelihoods[i] = total
        for s in range(n_states):
            behind[n_steps - 1, s] = 0.0
        for t in range(n_steps - 2, -1, -1):
            for s in range(n_states):
                for r in range(n_states):
                    terms[r] = log_transition[s, r] + emission[t + 1, r] + behind[t + 1, r]
                behind[t, s] = _log_sum(terms)
                for r in range(n_states):
                    share = math.exp(ahead[t, s] + terms[r] - total)
                    transitions[s, r] += weights[i] * share
        for t in range(n_steps):
            for s in range(n_states):
                share = math.exp(ahead[t, s] + behind[t, s] - total)
                occupancy[i, t, s] = weights[i] * share


@jit
def _forward(emission, log_start, log_transition, ahead, terms):
    """Fill ahead with the log probability of all steps so far and the state at the last."""
    n_steps, n_states = emission.shape
    for s in range(n_states):
        ahead[0, s] = log_start[s] + emission[0, s]
    for t in range(1, n_steps):
        for s in range(n_states):
            for r in range(n_states):
                terms[r] = ahead[t - 1, r] + log_transition[r, s]
            ahead[t, s] = _log_sum(terms) + emission[t, s]


@jit
def _log_sum(terms):
    """Return the log of the sum of exponentials; minus infinity of nothing."""
    largest = terms[0]
    for k in range(1, len(terms)):
        if terms[k] > largest:
            largest = terms[k]
    if largest == -math.inf:
        return largest
    total = 0.0
    for k in range(len(terms)):
        total += math.exp(terms[k] - largest)
    return largest + math.log(total)

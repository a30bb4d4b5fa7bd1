"""Slow, obvious versions of boosted trees and hidden Markov models."""

import itertools
import math

import numpy as np


def walk_tree(nodes, row):
    """Return the leaf value of a row, by scikit-learn's own table of nodes."""
    node = nodes[0]
    while not node["is_leaf"]:
        value = row[node["feature_idx"]]
        goes_left = (
            node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
        )
        node = nodes[node["left" if goes_left else "right"]]
    return float(node["value"])


def boosted_score(classifier, row):
    """Return the baseline plus one leaf of each tree, in their order."""
    total = float(classifier._baseline_prediction.item())
    for (predictor,) in classifier._predictors:
        total += walk_tree(predictor.nodes, row)
    return total


def density(chain, state, vector):
    """Return the density of a mixture, Gaussian by Gaussian."""
    total = 0.0
    for weight, mean, variance in zip(
        chain.weights[state], chain.means[state], chain.variances[state], strict=True
    ):
        product = weight
        for x, m, v in zip(vector, mean, variance, strict=True):
            product *= math.exp(-((x - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
        total += product
    return total


def paths(chain, sequence):
    """Yield every path of states and its joint probability with the sequence."""
    for path in itertools.product(range(len(chain.start)), repeat=len(sequence)):
        p = chain.start[path[0]]
        for a, b in itertools.pairwise(path):
            p *= chain.transition[a, b]
        for state, vector in zip(path, sequence, strict=True):
            p *= density(chain, state, vector)
        yield path, p


def log_likelihood(chain, sequence):
    """Return the log of the sum over all paths."""
    return math.log(sum(p for _, p in paths(chain, sequence)))


def improve(chain, sequences, weights, floor):
    """Return start, transition, weights, means, variances after one step, path by path."""
    n_states, n_components, n_values = chain.means.shape
    start, transition = np.zeros(n_states), np.zeros((n_states, n_states))
    count = np.zeros((n_states, n_components))
    first = np.zeros((n_states, n_components, n_values))
    shares = []
    for sequence, weight in zip(sequences, weights, strict=True):
        total = sum(p for _, p in paths(chain, sequence))
        for path, p in paths(chain, sequence):
            part = weight * p / total
            start[path[0]] += part
            for a, b in itertools.pairwise(path):
                transition[a, b] += part
            for s, x in zip(path, sequence, strict=True):
                for k in range(n_components):
                    one = part_of(chain, s, k, x) * part
                    count[s, k] += one
                    first[s, k] += one * x
                    shares.append((s, k, one, x))
    means = first / count[..., None]
    second = np.zeros_like(means)
    for s, k, one, x in shares:
        second[s, k] += one * (x - means[s, k]) ** 2
    return (
        start / start.sum(),
        transition / transition.sum(axis=1, keepdims=True),
        count / count.sum(axis=1, keepdims=True),
        means,
        np.maximum(second / count[..., None], floor),
    )


def part_of(chain, state, component, vector):
    """Return the share of one Gaussian in the density of a state."""
    norm = np.sqrt(2 * np.pi * chain.variances[state, component]).prod()
    apart = (vector - chain.means[state, component]) ** 2 / chain.variances[state, component]
    own = chain.weights[state, component] * np.exp(-apart.sum() / 2) / norm
    return own / density(chain, state, vector)

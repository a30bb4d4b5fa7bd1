"""Slow, obviously correct versions of the statistics of realism. Written first."""

import math

import numpy as np


def weibull_likelihood(values, shape):
    """Log likelihood of a shape, with the scale that suits it best."""
    scale = np.mean(values**shape) ** (1 / shape)
    return sum(
        math.log(shape / scale) + (shape - 1) * math.log(x / scale) - (x / scale) ** shape
        for x in values
    )


def semivariance(table, lag):
    """Half the mean square of differences over all pairs, columns over their deviation."""
    squares = []
    for column in table.T:
        known = [x for x in column if math.isfinite(x)]
        spread = np.std(known)
        for i in range(len(column) - lag):
            a, b = column[i], column[i + lag]
            if math.isfinite(a) and math.isfinite(b):
                squares.append(((b - a) / spread) ** 2)
    return 0.5 * sum(squares) / len(squares)


def ks_distance(one, other):
    """Greatest difference between shares that do not exceed a value."""
    return max(
        abs(sum(x <= v for x in one) / len(one) - sum(x <= v for x in other) / len(other))
        for v in [*one, *other]
    )


def roc_area(one, other):
    """Share of pairs in which the second scores higher; half for the same."""
    wins = [(b > a) + 0.5 * (b == a) for a in one for b in other]
    return sum(wins) / len(wins)


def gate_noise(series):
    """Deviation of a gate from second differences, by their median."""
    bends = sorted(
        series[k - 1] - 2 * series[k] + series[k + 1] for k in range(1, len(series) - 1)
    )
    middle = np.median(bends)
    return 1.4826 * np.median([abs(x - middle) for x in bends]) / math.sqrt(6)

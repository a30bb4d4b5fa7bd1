"""Slow, obviously correct versions of what the scorer computes. Written first."""

import math

import numpy as np
from scipy.optimize import minimize


def rejected_share(scores, labels, owners, missed):
    """Return the share of clutter below the highest threshold that loses no more mines."""
    best = {}
    for score, label, owner in zip(scores, labels, owners, strict=True):
        if label:
            best[owner] = max(best.get(owner, -math.inf), score)
    clutter = [s for s, label in zip(scores, labels, strict=True) if not label]
    shares = []
    for threshold in sorted({*scores, -math.inf}):
        if sum(value < threshold for value in best.values()) <= missed:
            shares.append(sum(s < threshold for s in clutter) / len(clutter))
    return max(shares)


def repeat_lanes(scores, labels, lanes, owners, names):
    """Return the rows of lanes drawn, a lane drawn twice holding other mines each time."""
    out = []
    for copy, name in enumerate(names):
        out += [
            (s, label, f"{owner}/{copy}")
            for s, label, lane, owner in zip(scores, labels, lanes, owners, strict=True)
            if lane == name
        ]
    return [list(column) for column in zip(*out, strict=True)]


def robust_logistic(depth, found, lanes):
    """Return coefficients by brute maximisation and the sandwich, sum by sum."""
    x = np.column_stack([np.ones(len(depth)), depth])

    sign = np.where(found, 1, -1)

    def loss(beta):
        terms = (-s * (row @ beta) for s, row in zip(sign, x, strict=True))
        return sum(math.log1p(math.exp(term)) for term in terms)

    options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20000, "maxfev": 20000}
    beta = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options=options).x
    information, meat = np.zeros((2, 2)), np.zeros((2, 2))
    for lane in set(lanes):
        u = np.zeros(2)
        for row, y, name in zip(x, found, lanes, strict=True):
            p = 1 / (1 + math.exp(-row @ beta))
            if name == lane:
                u += row * (y - p)
                information += p * (1 - p) * np.outer(row, row)
        meat += np.outer(u, u)
    g, n = len(set(lanes)), len(depth)
    inverse = np.linalg.inv(information)
    return beta, g / (g - 1) * (n - 1) / (n - 2) * inverse @ meat @ inverse

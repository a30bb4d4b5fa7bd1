"""Slow, obviously correct versions of prescreeners by covariance. Written first."""

import numpy as np


def follow(
    samples,
    is_present,
    judge,
    *,
    start,
    width,
    n_guard,
    forget,
    n_turns,
    least,
    shrinkage,
):
    """
    Return the scores of a lane and which of its traces have too little behind.

    `judge(block, deviation, covariance, squares)` returns the score of a block and the
    squared distance of its deviation; the covariance is the unbiased one, shrunk.
    """
    n_traces, n_channels, n_samples = samples.shape
    starts = np.arange(start, n_samples - width + 1, width // 2)
    scores = np.zeros((n_traces, n_channels, len(starts)))
    n_learnt = [n_learnt_before(k, is_present, n_guard) for k in range(n_traces)]
    is_short = np.array([n < least for n in n_learnt], bool)
    for c in range(n_channels):
        for b, first in enumerate(starts):
            unit = c * len(starts) + b
            rows = samples[:, c, first : first + width].astype(float)
            mean, cov, fourth, squares, n = np.zeros(width), np.zeros((width,) * 2), 0.0, 0.0, 0
            used, influence = None, np.ones(n_traces)
            for k in range(n_traces):
                if is_present[k] and not is_short[k]:
                    scores[k, c, b], distance = judge(b, rows[k] - mean, used, squares)
                    if n >= max(least, 2 * width) and distance > 4 * width:
                        influence[k] = np.sqrt(4 * width / distance)
                j = k - n_guard
                if j >= 0 and is_present[j]:
                    n += 1
                    g = max(forget, 1 / n)
                    d = influence[j] * (rows[j] - mean)
                    fourth = (1 - g) * fourth + g * ((1 - g) * (d @ d)) ** 2
                    cov = (1 - g) * (cov + g * np.outer(d, d))
                    mean = mean + g * d
                    squares = (1 - g) ** 2 * squares + g**2
                if n >= 2 and k % n_turns == unit % n_turns:
                    used = shrunk(cov, fourth, squares, shrinkage)
    return scores, is_short


def n_learnt_before(k, is_present, n_guard):
    """Return how many traces were learnt from before trace k."""
    return int(np.sum(is_present[: max(0, k - n_guard)]))


def shrunk(cov, fourth, squares, shrinkage):
    """Return the unbiased covariance, shrunk; None takes the share of Ledoit and Wolf."""
    target = np.trace(cov) / len(cov) * np.eye(len(cov))
    if shrinkage is None:
        spread = np.sum((cov - target) ** 2)
        noise = np.clip(squares * (fourth - np.sum(cov**2)), 0, spread)
        shrinkage = noise / spread if spread else 1.0
    return ((1 - shrinkage) * cov + shrinkage * target) / (1 - squares)


def mahalanobis(block, z, covariance, squares):
    """Return the squared distance, twice."""
    distance = z @ np.linalg.solve(covariance, z)
    return distance, distance


def matcher(parts, statistic, rank):
    """Return a judge of blocks by their templates, {block: (n, width)}."""

    def judge(block, z, covariance, squares):
        inverse = np.linalg.inv(covariance)
        distance = z @ inverse @ z
        bank = parts[block]
        if not len(bank):
            return 0.0, distance
        if rank is None:
            along = max((s @ inverse @ z) ** 2 / (s @ inverse @ s) for s in bank)
        else:
            unit = bank / np.linalg.norm(bank, axis=1, keepdims=True)
            h = np.linalg.svd(unit)[2][: min(rank, len(bank))].T
            fit = h @ np.linalg.solve(h.T @ inverse @ h, h.T @ inverse @ z)
            along = fit @ inverse @ z
        score = {
            "ace": along / distance,
            "glrt": along / (1 / squares + distance),
            "matched": np.sqrt(max(0.0, along)),
        }
        return score[statistic], distance

    return judge

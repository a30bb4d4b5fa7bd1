"""Slow, obviously correct versions of thresholds that hold a miss rate. Written first."""

from fractions import Fraction

import numpy as np


def lane_losses(scores, lanes, threshold):
    """Return the share of each lane's targets below a threshold, by lane, as fractions."""
    losses = {}
    for lane in lanes:
        own = [s for s, where in zip(scores, lanes, strict=True) if where == lane]
        losses[lane] = Fraction(sum(s < threshold for s in own), len(own))
    return losses


def risk_control(scores, lanes, rate):
    """Return the highest score at which the bound of conformal risk control holds, or None."""
    best = None
    for threshold in scores:
        losses = list(lane_losses(scores, lanes, threshold).values())
        n = len(losses)
        mean = sum(losses) / n
        holds = Fraction(n, n + 1) * mean + Fraction(1, n + 1) <= rate
        if holds and np.isfinite(threshold) and (best is None or threshold > best):
            best = threshold
    return best


def pooled_threshold(scores, rate):
    """Return the threshold of someone who takes every mine for an independent one."""
    return np.sort(scores)[int(rate * (len(scores) + 1) + 1e-9) - 1]

"""Slow, obviously correct versions of what brings radar traces into place. Written first."""

import cmath
import math

import numpy as np


def trace_of_tones(phasors, tones, weights, times):
    """Real part of the weighted mean of phasors turned to each time, one by one."""
    trace = []
    for t in times:
        total = sum(
            w * x * cmath.exp(2j * math.pi * f * t)
            for w, x, f in zip(weights, phasors, tones, strict=True)
        )
        trace.append(total.real / sum(weights))
    return np.array(trace)


def best_sum(gain, prices, jump):
    """Return the best path through gains, by the recursion, each trace with its own price."""
    score, steps = [0.0] * len(gain[0]), []
    for row, price in zip(gain, prices, strict=True):
        best = [
            max(
                (score[p] - price * abs(p - q), -abs(p - q), p)
                for p in range(len(row))
                if abs(p - q) <= jump
            )
            for q in range(len(row))
        ]
        score = [total + g for (total, _, _), g in zip(best, row, strict=True)]
        steps.append([p for _, _, p in best])
    path = [int(np.argmax(score))]
    for row in steps[:0:-1]:
        path.append(row[path[-1]])
    return path[::-1]

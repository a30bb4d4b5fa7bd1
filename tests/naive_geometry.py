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

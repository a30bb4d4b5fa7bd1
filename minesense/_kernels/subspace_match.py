"""Kernels that match traces to targets in noise whose covariance trails behind them."""

import math

import numpy as np

from ._jit import jit


@jit
def match_targets(
    samples,
    is_present,
    complement,
    targets,
    is_bank,
    statistic,
    weight,
    shrinkage,
    ratio,
    most,
    least,
    held,
    enters,
    covariance,
    counts,
    tally,
    factor,
    white,
    out,
    is_short,
):
    """
    Give a detection statistic of each trace, and learn the noise from those far behind it.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces in recording order, finite where present.
    is_present : (n_traces,) bool array
        Whether a trace is judged and learnt from.
    complement : (n, n_samples) float64 array
        Orthonormal rows that span what is not soil.
    targets : (n_targets, n) float64 array
        Targets along these rows, none of them zero.
    is_bank : bool
        Whether the best single target counts, with a positive amplitude; else all together
        span a subspace, and are linearly independent.
    statistic : int
        0 for the energy, 1 for the root of the likelihood ratio, 2 for ACE.
    weight : float
        Of the newest trace in the covariance, in (0, 1).
    shrinkage : float
        Share of the covariance that is taken alike in all directions, in (0, 1].
    ratio : float
        Energy over the expected one above which nothing is learnt from a trace; negative to
        learn always.
    most, least : int
        Traces in a row that may be left out; traces that must be learnt from before one is
        judged.
    held, enters : (n_channels, guard + 1, n) float64 array, (n_channels, same) bool array
        State: the last traces, trace i in row i modulo the length; whether they will be
        learnt from.
    covariance : (n_channels, n, n) float64 array
        State: of the noise.
    counts : (n_channels, 2) int64 array
        State: traces learnt from, and left out in a row.
    tally : (1,) int64 array
        State: traces taken.
    factor, white : (n, n), (n_targets + 1, n) float64 array
        Overwritten.
    out : (n_traces, n_channels, 1) float32 array
        Overwritten; zero where a trace is absent or not judged.
    is_short : (n_traces,) bool array
        Overwritten: whether the noise of a channel is not known, or zero.
    """
    n_traces, n_channels, _ = samples.shape
    n_held, n = held.shape[1:]
    for k in range(n_traces):
        slot = (tally[0] + k) % n_held
        is_short[k] = False
        for c in range(n_channels):
            row = held[c, slot]
            if enters[c, slot]:
                counts[c, 0] += 1
                _learn(row, max(weight, 1.0 / counts[c, 0]), covariance[c])
            enters[c, slot] = False
            out[k, c, 0] = 0.0
            if not is_present[k]:
                continue
            _project(samples[k, c], complement, row)
            is_known = counts[c, 0] >= least and _factorise(covariance[c], shrinkage, factor)
            if not is_known:
                is_short[k] = True
                enters[c, slot] = True
                continue
            data = white[len(targets)]
            _whiten(factor, row, data)
            energy = _dot(data, data)
            if statistic == 0:
                # of n squared standard normals the mean is n, the variance 2 n
                out[k, c, 0] = (energy - n) / math.sqrt(2.0 * n)
            else:
                for d in range(len(targets)):
                    _whiten(factor, targets[d], white[d])
                matched = _match_one(white) if is_bank else _match_all(white)
                if statistic == 1:
                    out[k, c, 0] = math.sqrt(matched)
                elif energy > 0:
                    out[k, c, 0] = min(1.0, matched / energy)
            is_strong = ratio >= 0 and energy > ratio * n
            if is_strong and counts[c, 1] < most:
                counts[c, 1] += 1
                continue
            if not is_strong:
                counts[c, 1] = 0
            enters[c, slot] = True
    tally[0] += n_traces


@jit
def _learn(row, share, covariance):
    """Let a trace enter the covariance."""
    for a in range(len(row)):
        for b in range(len(row)):
            covariance[a, b] += share * (row[a] * row[b] - covariance[a, b])


@jit
def _project(trace, complement, row):
    """Give the trace along the rows of the complement."""
    for a in range(len(complement)):
        total = 0.0
        for g in range(len(trace)):
            total += complement[a, g] * np.float64(trace[g])
        row[a] = total


@jit
def _factorise(covariance, shrinkage, factor):
    """Give the Cholesky factor of the shrunk covariance; return False if that is zero."""
    n = len(covariance)
    mean = 0.0
    for a in range(n):
        mean += covariance[a, a] / n
    if mean <= 0.0:
        return False
    for a in range(n):
        for b in range(a + 1):
            total = (1.0 - shrinkage) * covariance[a, b]
            if a == b:
                total += shrinkage * mean
            for j in range(b):
                total -= factor[a, j] * factor[b, j]
            factor[a, b] = math.sqrt(total) if a == b else total / factor[b, b]
    return True


@jit
def _whiten(factor, row, white):
    """Solve for the vector that the Cholesky factor makes into the row."""
    for a in range(len(row)):
        total = row[a]
        for j in range(a):
            total -= factor[a, j] * white[j]
        white[a] = total / factor[a, a]


@jit
def _dot(first, second):
    """Return the scalar product."""
    total = 0.0
    for a in range(len(first)):
        total += first[a] * second[a]
    return total


@jit
def _match_one(white):
    """Return the greatest squared part of the last row along one of the others, if positive."""
    data = white[len(white) - 1]
    best = 0.0
    for d in range(len(white) - 1):
        part = _dot(white[d], data) / math.sqrt(_dot(white[d], white[d]))
        best = max(best, part)
    return best * best


@jit
def _match_all(white):
    """Return the squared length of the last row's projection on all others."""
    last = len(white) - 1
    total = 0.0
    for d in range(last):
        for _ in range(2):  # twice is enough: the first pass leaves rounding errors
            for q in range(d):
                share = _dot(white[q], white[d])
                for a in range(white.shape[1]):
                    white[d, a] -= share * white[q, a]
        length = math.sqrt(_dot(white[d], white[d]))
        for a in range(white.shape[1]):
            white[d, a] /= length
        part = _dot(white[d], white[last])
        total += part * part
    return total

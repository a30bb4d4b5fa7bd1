"""Kernels that put back what a converter cut off."""

import numpy as np

from ._jit import jit
from .copying import copy_row


@jit
def restore_clipped(
    samples, low, high, longest, side, values, work, band, is_loose, out, counts
):
    """
    Replace runs of samples at a rail by the smoothest curve that stays beyond it.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten.
    low, high : float32
        The rails: samples at or beyond them are unknown.
    longest : int
        Samples of the longest run that is replaced.
    side : (n_samples,) int64 array
        Overwritten: 0 where a sample is known, else the side of the rail, -1 or 1.
    values : (n_samples,) float64 array
        Overwritten.
    work : (2, n_samples) float64 array
        Overwritten.
    band : (n_samples, 5) float64 array
        Overwritten.
    is_loose : (n_samples,) bool array
        Overwritten.
    counts : (n_traces,) int64 array
        Overwritten with the number of samples replaced, or -1 where a trace cannot be
        restored: a run is too long, touches an end of the trace, or no solution was found.
    """
    n_samples = samples.shape[1]
    for i in range(len(samples)):
        trace = samples[i]
        copy_row(trace, out[i])
        counts[i] = 0
        n_run = 0
        for j in range(n_samples):
            side[j] = 0
            if trace[j] <= low:
                side[j] = -1
            elif trace[j] >= high:
                side[j] = 1
            values[j] = trace[j] if side[j] == 0 else (high if side[j] > 0 else low)
            n_run = n_run + 1 if side[j] != 0 else 0
            if n_run > longest or (n_run > 0 and (j == n_run - 1 or j == n_samples - 1)):
                counts[i] = -1
        j = 0
        while j < n_samples and counts[i] >= 0:
            if side[j] == 0:
                j += 1
                continue
            stop = _end_of_group(side, j)
            start = max(0, j - 4)
            end = min(n_samples, stop + 4)
            n = _solve_group(
                side[start:end],
                values[start:end],
                work[:, start:end],
                band[start:end],
                is_loose[start:end],
            )
            counts[i] = counts[i] + n if n > 0 else -1
            for k in range(j, stop):
                out[i, k] = values[k]
            j = stop


@jit
def _end_of_group(side, start):
    """Return the end of runs that no four known samples keep apart."""
    stop = start + 1
    for k in range(start, len(side)):
        if side[k] != 0:
            stop = k + 1
        elif k - stop >= 3:
            break
    return stop


@jit
def _solve_group(side, values, work, band, is_loose):
    """
    Move unknown values to the least sum of squared fourth differences beyond the rails.

    As Lawson and Hanson (1974, algorithm NNLS) do, values that lie on the rail are let go
    one by one, the one that pulls most first, and those that would come back are stopped
    at the rail. Mostly all of them leave it at once, which is tried first. Returns how many
    values are unknown, or 0 without a solution: a cubic, which has no fourth difference, is
    told by four known values, not by fewer.
    """
    n = len(side)
    rails, trial = work[0], work[1]
    n_unknown = 0
    scale = 0.0
    for j in range(n):
        rails[j] = values[j]
        is_loose[j] = side[j] != 0
        n_unknown += 1 if side[j] != 0 else 0
        scale = max(scale, abs(values[j]))
    if n - n_unknown < 4:
        return 0
    _minimise(values, is_loose, band, trial)
    if _share_of_step(side, rails, values, trial, is_loose) == 1.0:
        copy_row(trial, values)
        return n_unknown
    is_loose[:] = False
    n_left = 3 * n_unknown  # steps; many times what it takes
    k = _strongest_pull(side, values, is_loose, trial, 1e-7 * scale)
    while k >= 0 and n_left > 0:
        n_left -= 1
        is_loose[k] = True
        share = 0.0
        while share < 1.0:
            _minimise(values, is_loose, band, trial)
            share = _share_of_step(side, rails, values, trial, is_loose)
            for j in range(n):
                if is_loose[j]:
                    values[j] += share * (trial[j] - values[j])
                    if share < 1.0 and side[j] * (values[j] - rails[j]) <= 1e-12 * scale:
                        is_loose[j] = False
                        values[j] = rails[j]
        k = _strongest_pull(side, values, is_loose, trial, 1e-7 * scale)
    return n_unknown if k < 0 else 0


@jit
def _share_of_step(side, rails, values, trial, is_loose):
    """Return how far, 0 to 1, all loose values may go to their trial without crossing."""
    share = 1.0
    for j in range(len(side)):
        if is_loose[j]:
            beyond = side[j] * (trial[j] - rails[j])
            if beyond <= 0.0:
                now = side[j] * (values[j] - rails[j])
                share = min(share, now / (now - beyond) if now > beyond else 0.0)
    return share


@jit
def _strongest_pull(side, values, is_loose, slope, least):
    """Return which value on the rail is pulled most away from it; -1 if none is."""
    n = len(values)
    slope[:] = 0.0
    for j in range(n - 4):
        bend = values[j] - 4 * values[j + 1] + 6 * values[j + 2] - 4 * values[j + 3]
        bend += values[j + 4]
        slope[j] += bend
        slope[j + 1] -= 4 * bend
        slope[j + 2] += 6 * bend
        slope[j + 3] -= 4 * bend
        slope[j + 4] += bend
    strongest = -1
    for j in range(n):
        if side[j] != 0 and not is_loose[j] and -side[j] * slope[j] > least:
            strongest = j
            least = -side[j] * slope[j]
    return strongest


@jit
def _minimise(values, is_loose, band, result):
    """
    Give the loose values that make the sum of squared fourth differences least.

    The normal equations have five diagonals on each side of which the lower ones are kept:
    band[j, d] belongs to values j and j - d. A Cholesky decomposition solves them; what is
    not loose keeps its value.
    """
    n = len(values)
    band[:] = 0.0
    for j in range(n - 4):
        for p in range(5):
            for q in range(p + 1):
                band[j + p, p - q] += _weight(p) * _weight(q)
    for j in range(n):
        result[j] = 0.0 if is_loose[j] else values[j]
    for j in range(n):
        for d in range(1, min(5, j + 1)):
            if is_loose[j] and not is_loose[j - d]:
                result[j] -= band[j, d] * values[j - d]
            if is_loose[j - d] and not is_loose[j]:
                result[j - d] -= band[j, d] * values[j]
            if not (is_loose[j] and is_loose[j - d]):
                band[j, d] = 0.0
        if not is_loose[j]:
            band[j, 0] = 1.0
    for j in range(n):
        for d in range(min(4, j), -1, -1):
            total = band[j, d]
            for e in range(d + 1, min(5, j + 1)):
                total -= band[j, e] * band[j - d, e - d]
            band[j, d] = np.sqrt(total) if d == 0 else total / band[j - d, 0]
        for d in range(1, min(5, j + 1)):
            result[j] -= band[j, d] * result[j - d]
        result[j] /= band[j, 0]
    for j in range(n - 1, -1, -1):
        for d in range(1, min(5, n - j)):
            result[j] -= band[j + d, d] * result[j + d]
        result[j] /= band[j, 0]


@jit
def _weight(k):
    """Return the weight of a value in a fourth difference."""
    if k == 2:
        return 6.0
    return -4.0 if k % 2 == 1 else 1.0

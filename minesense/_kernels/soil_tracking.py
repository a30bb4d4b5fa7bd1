"""Kernels that turn phasors, and follow what the soil does to the samples of a coil."""

import math

import numpy as np

from ._jit import jit
from .copying import copy_rows
from .sorted_values import enter, leave, middle


@jit
def rotate_phasors(samples, cosine, sine, out):
    """
    Multiply phasors by e^{-i angle}.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, 2 n_frequencies) float32 array
        In-phase and quadrature in turns; `out` is overwritten.
    cosine, sine : (n_channels, n_frequencies) float64 array
        Of the angles.
    """
    n_channels, n_frequencies = cosine.shape
    for k in range(len(samples)):
        for c in range(n_channels):
            for f in range(n_frequencies):
                in_phase = samples[k, c, 2 * f]
                quadrature = samples[k, c, 2 * f + 1]
                out[k, c, 2 * f] = cosine[c, f] * in_phase + sine[c, f] * quadrature
                out[k, c, 2 * f + 1] = cosine[c, f] * quadrature - sine[c, f] * in_phase


@jit
def remove_tracked_columns(
    samples,
    is_usable,
    weight,
    ratio,
    most,
    nearest,
    start,
    columns,
    ring,
    windows,
    counts,
    power,
    work,
    overlap,
    out,
):
    """
    Subtract from every trace its projection on columns that follow the traces.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        Traces in recording order; `out` is overwritten with the residuals, zero where a
        trace is not usable.
    is_usable : (n_traces,) bool array
    weight : float
        Of a trace of mean power when the columns turn, in (0, 1).
    ratio : float
        Energy of a residual over the median energy above which nothing is learnt from it,
        once the window is full; negative to learn always.
    most : int
        Traces in a row that may be left out.
    nearest : float
        Least squared length of the projection on what the first columns span, for every
        unit vector that the columns span.
    start : (n_columns, n_samples) float64 array
        The first columns, orthonormal rows.
    columns : (n_channels, n_columns, n_samples) float64 array
        State: orthonormal rows, at first those of `start`.
    ring, windows : (n_channels, size) float64 array
        State: the last energies of residuals that were learnt from, and these sorted.
    counts : (n_channels, 3) int64 array
        State: energies in the window, the place of the oldest, traces left out in a row.
    power : (n_channels, 2) float64 array
        State: mean power of the traces that were learnt from, and their number.
    work, overlap : (n_columns + 1, n_samples), (n_columns, n_columns) float64 array
        Overwritten.
    """
    n_traces, n_channels, _ = samples.shape
    turned = work[: len(start)]
    values = work[len(start)]
    size = ring.shape[1]
    for k in range(n_traces):
        if not is_usable[k]:
            out[k] = 0.0
            continue
        for c in range(n_channels):
            trace, residual, basis = samples[k, c], out[k, c], columns[c]
            total, energy = _project(trace, basis, values, residual)
            count = counts[c, 0]
            is_strong = False
            if count == size and ratio >= 0:
                is_strong = energy > ratio * middle(windows[c], count)
            if is_strong and counts[c, 2] < most:
                counts[c, 2] += 1
                continue
            if not is_strong:
                counts[c, 2] = 0
            if count == size:
                leave(windows[c], count, ring[c, counts[c, 1]])
                enter(windows[c], count - 1, energy)
            else:
                enter(windows[c], count, energy)
            ring[c, counts[c, 1]] = energy
            counts[c, 0] = min(count + 1, size)
            counts[c, 1] = (counts[c, 1] + 1) % size
            power[c, 1] += 1.0
            power[c, 0] += max(weight, 1.0 / power[c, 1]) * (total - power[c, 0])
            if power[c, 0] > 0:
                _turn(trace, basis, weight / power[c, 0], turned)
                if _stays(turned, start, nearest, overlap):
                    copy_rows(turned, basis)


@jit
def _project(trace, basis, values, residual):
    """Give the residual off the rows; return the energies of the trace and of it."""
    total = 0.0
    for g in range(len(trace)):
        value = np.float64(trace[g])
        values[g] = value
        total += value * value
    for m in range(len(basis)):
        share = _dot(basis[m], trace)
        for g in range(len(trace)):
            values[g] -= share * basis[m, g]
    left = 0.0
    for g in range(len(trace)):
        residual[g] = values[g]
        left += values[g] * values[g]
    return total, left


@jit
def _dot(row, trace):
    """Return the scalar product."""
    total = 0.0
    for g in range(len(row)):
        total += row[g] * trace[g]
    return total


@jit
def _turn(trace, basis, rate, turned):
    """Give the rows turned towards a trace by Oja's rule, and made orthonormal again."""
    n_samples = len(trace)
    copy_rows(basis, turned)
    for m in range(len(basis)):
        share = _dot(basis[m], trace)
        # what the rows leave of the trace is the same for all of them
        for g in range(n_samples):
            turned[m, g] += rate * share * trace[g]
        for q in range(len(basis)):
            other = rate * share * _dot(basis[q], trace)
            for g in range(n_samples):
                turned[m, g] -= other * basis[q, g]
    for m in range(len(basis)):
        for q in range(m):
            share = _dot(turned[q], turned[m])
            for g in range(n_samples):
                turned[m, g] -= share * turned[q, g]
        length = math.sqrt(_dot(turned[m], turned[m]))
        for g in range(n_samples):
            turned[m, g] /= length


@jit
def _stays(turned, start, nearest, overlap):
    """Return whether all that the rows span is near enough to what the first rows span."""
    # with the squared cosines C, C - nearest I is positive definite: Cholesky finds a factor
    for m in range(len(turned)):
        for q in range(m + 1):
            total = -nearest if m == q else 0.0
            for j in range(len(start)):
                total += _dot(start[j], turned[m]) * _dot(start[j], turned[q])
            for j in range(q):
                total -= overlap[m, j] * overlap[q, j]
            if m != q:
                overlap[m, q] = total / overlap[q, q]
            elif total > 0.0:
                overlap[m, m] = math.sqrt(total)
            else:
                return False
    return True

"""Kernels that project decays, add them up along the track and match them to templates."""

import math

import numpy as np

from ._jit import jit
from .copying import copy_row


@jit
def remove_columns(samples, basis, out):
    """
    Subtract from every decay its projection on orthonormal columns.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_gates) float32 array
        `out` is overwritten.
    basis : (n_columns, n_gates) float64 array
        Orthonormal rows.
    """
    n_traces, n_channels, n_gates = samples.shape
    for k in range(n_traces):
        for c in range(n_channels):
            copy_row(samples[k, c], out[k, c])
            for m in range(len(basis)):
                # from the input, not from what is left: orthonormal rows do not mix
                share = 0.0
                for g in range(n_gates):
                    share += basis[m, g] * samples[k, c, g]
                for g in range(n_gates):
                    out[k, c, g] -= share * basis[m, g]


@jit
def sum_footprint(rows, is_present, half_width, buffer, presence, tally, out, is_ready):
    """
    Sum the traces around each trace and divide by the root of their number.

    Parameters
    ----------
    rows : (n_rows, width) float32 array
        The next traces.
    is_present : (n_rows,) bool array
        Whether a trace counts.
    half_width : int
        Traces to each side.
    buffer, presence : (2 * half_width + 1, width) float32 array, (same,) bool array
        State: the last traces, trace i in row i modulo the length; which are present, at
        first none.
    tally : (1,) int64 array
        State: traces taken so far.
    out, is_ready : (n_ready, width) float32 array, (n_ready,) bool array
        Overwritten with the sums around the traces whose look-ahead is complete, and
        whether the trace itself is present; zero if it is not.
    """
    n_held, width = buffer.shape
    taken = tally[0]
    first = max(0, taken - half_width)
    for i in range(taken, taken + len(rows)):
        presence[i % n_held] = is_present[i - taken]
        copy_row(rows[i - taken], buffer[i % n_held])
        k = i - half_width
        if k < 0:
            continue
        is_ready[k - first] = presence[k % n_held]
        count = 0
        for j in range(k - half_width, k + half_width + 1):
            count += presence[j % n_held]
        for w in range(width):
            total = 0.0
            if presence[k % n_held]:
                # in the order of the lane, so that no cut of it changes the rounding
                for j in range(k - half_width, k + half_width + 1):
                    if presence[j % n_held]:
                        total += buffer[j % n_held, w]
                total /= math.sqrt(count)
            out[k - first, w] = total
    tally[0] = taken + len(rows)


@jit
def match_decays(
    decays, spread, columns, mixing, bank, floor, n_rounds, variance, work, out, has_noise
):
    """
    Give the greatest signed matched-filter output over a bank, in standard deviations.

    Parameters
    ----------
    decays, spread : (n_traces, n_channels, n_gates) float32 array
        Projected decays and the spread of their surroundings.
    columns : (n_columns, n_gates) float64 array
        Nuisance decays, linearly independent.
    mixing : (n_gates, n_gates) float64 array
        Squared elements of the projection off the columns.
    bank : (n_decays, n_gates) float64 array
        Templates, none of them in the span of the columns.
    floor : float
        Least spread of a gate, as a share of the largest of its channel.
    n_rounds : int
        Rounds of the variance estimate.
    variance : (2, n_gates) float64 array
        Overwritten.
    work : (n_columns + 2, n_gates) float64 array
        Overwritten.
    out : (n_traces, n_channels, 1) float32 array
        Overwritten with the statistic, at least zero.
    has_noise : (n_traces,) bool array
        Overwritten: False where the spread of a whole channel is zero.
    """
    n_traces, n_channels, n_gates = decays.shape
    n_columns = len(columns)
    for k in range(n_traces):
        has_noise[k] = True
        for c in range(n_channels):
            largest = 0.0
            for g in range(n_gates):
                largest = max(largest, np.float64(spread[k, c, g]))
            out[k, c, 0] = 0.0
            if largest == 0.0:
                has_noise[k] = False
                continue
            for g in range(n_gates):
                seen = max(np.float64(spread[k, c, g]), floor * largest)
                variance[1, g] = seen * seen
            _undo_projection(variance[1], mixing, n_rounds, variance[0])
            data = work[n_columns + 1]
            for g in range(n_gates):
                data[g] = decays[k, c, g] / math.sqrt(variance[0, g])
            for m in range(n_columns):
                for g in range(n_gates):
                    work[m, g] = columns[m, g] / math.sqrt(variance[0, g])
                _remove_rows(work, m, work[m])
                _scale(work[m])
            template = work[n_columns]
            for d in range(len(bank)):
                for g in range(n_gates):
                    template[g] = bank[d, g] / math.sqrt(variance[0, g])
                _remove_rows(work, n_columns, template)
                _scale(template)
                result = 0.0
                for g in range(n_gates):
                    result += template[g] * data[g]
                if result > out[k, c, 0]:
                    out[k, c, 0] = result


@jit
def _undo_projection(seen, mixing, n_rounds, variance):
    """
    Give the variances of independent gates that leave `seen` once projected.

    Projecting gates of variances v leaves those of mixing @ v. Each round multiplies v by
    the ratio of what is seen to what it leaves, which keeps it positive. A gate keeps at
    least a quarter of what it would have alone: a short ring may see less in it than the
    others leave there, and it must not decide for that.
    """
    n_gates = len(seen)
    for g in range(n_gates):
        variance[g] = seen[g] / math.sqrt(mixing[g, g])
    for _ in range(n_rounds):
        # gate by gate with the newest values: converges faster than all at once
        for g in range(n_gates):
            left = 0.0
            for h in range(n_gates):
                left += mixing[g, h] * variance[h]
            least = 0.25 * seen[g] / math.sqrt(mixing[g, g])
            variance[g] = max(variance[g] * seen[g] / left, least)


@jit
def _remove_rows(rows, n_rows, vector):
    """Subtract from the vector its projections on the first rows, which are orthonormal."""
    for _ in range(2):  # twice is enough: the first pass leaves rounding errors
        for m in range(n_rows):
            share = 0.0
            for g in range(len(vector)):
                share += rows[m, g] * vector[g]
            for g in range(len(vector)):
                vector[g] -= share * rows[m, g]


@jit
def _scale(vector):
    """Give the vector unit length."""
    total = 0.0
    for g in range(len(vector)):
        total += vector[g] * vector[g]
    total = math.sqrt(total)
    for g in range(len(vector)):
        vector[g] /= total

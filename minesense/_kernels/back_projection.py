"""Kernels that sum traces at the times a wave takes to a point and back."""

import numpy as np

from ._jit import jit


@jit
def stack_side_by_side(
    tile,
    n_used,
    firsts,
    stops,
    rows,
    fractions,
    weights,
    has_coherence,
    totals,
    channel,
    first,
    out,
    coherence,
):
    """
    Sum traces for a block of image columns, when all antennas are at one height.

    Traces as far behind as ahead share their times. The inner loops run over contiguous
    traces.

    Parameters
    ----------
    tile : (n_samples, n_halo + n_block + n_halo) float32 array
        Traces side by side, zero where there is none to be used; those of the block begin
        at column n_halo.
    n_used : (n_halo + n_block + n_halo + 1,) int64 array
        How many traces are to be used before each column.
    firsts, stops : (n_depths,) int64 array
        Offsets in traces from the first to before the stop enter the sum; no more than
        n_halo + 1.
    rows : (n_depths, n_halo + 1) int64 array
        Row at or before the arrival, less than n_samples - 1.
    fractions, weights : (n_depths, n_halo + 1) float32 array
        How far the arrival is from that row to the next; weight in the sum.
    has_coherence : bool
        Whether `coherence` is wanted.
    totals : (3, n_block) float32 array
        Overwritten.
    channel, first : int
        Where the block goes in `out` and `coherence`.
    out, coherence : (n_traces, n_channels, n_depths) float32 array
        Overwritten in n_block traces from `first` on, of one channel; NaN where no trace
        is used. `coherence` stays as it is unless it is wanted.
    """
    n_block = totals.shape[1]
    halo = (tile.shape[1] - n_block) // 2
    for j in range(len(stops)):
        for q in range(3):
            for m in range(n_block):
                totals[q, m] = 0.0
        for k in range(firsts[j], stops[j]):
            above = tile[rows[j, k]]
            below = tile[rows[j, k] + 1]
            for side in range(2 if k else 1):
                at = halo + k - 2 * k * side
                end = at + n_block
                a = above[at:end]
                b = below[at:end]
                if has_coherence:
                    _add_moments(a, b, fractions[j, k], weights[j, k], totals)
                else:
                    _add(a, b, fractions[j, k], weights[j, k], totals[0])
        for m in range(min(n_block, len(out) - first)):
            n = _count(n_used, halo + m, firsts[j], stops[j])
            out[first + m, channel, j] = totals[0, m] if n else np.nan
            if has_coherence:
                ratio = _coherence(totals[1, m], totals[2, m], n)
                coherence[first + m, channel, j] = ratio


@jit
def _add(above, below, fraction, weight, total):
    """Add weighted values between two rows to the total."""
    a = weight * (np.float32(1.0) - fraction)
    b = weight * fraction
    for m in range(len(total)):
        total[m] += a * above[m] + b * below[m]


@jit
def _add_moments(above, below, fraction, weight, totals):
    """Add values between two rows to totals of them weighted, of them, and squared."""
    total, plain, power = totals[0], totals[1], totals[2]
    for m in range(len(total)):
        value = above[m] + fraction * (below[m] - above[m])
        total[m] += weight * value
        plain[m] += value
        power[m] += value * value


@jit
def _count(n_used, column, first, stop):
    """Return how many traces are used at offsets of `first` to before `stop`."""
    if stop <= first:
        return 0
    n = n_used[column + stop] - n_used[column - stop + 1]
    if first > 0:
        n -= n_used[column + first] - n_used[column - first + 1]
    return n


@jit
def _coherence(plain, power, n):
    """Return the square of a sum over n times the sum of squares; 0 where all is zero."""
    if n == 0:
        return np.float32(np.nan)
    if power == 0.0:
        return np.float32(0.0)
    return min(plain * plain / (np.float32(n) * power), np.float32(1.0))


@jit
def stack_by_height(
    samples,
    is_usable,
    bins,
    rows,
    fractions,
    weights,
    has_coherence,
    totals,
    channel,
    first,
    stop,
    out,
    coherence,
):
    """
    Sum traces for some image columns, each trace with the times of its antenna's height.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces.
    is_usable : (n_traces,) bool array
        A trace that is not usable enters no sum.
    bins : (n_traces,) int64 array
        Which of the heights a trace was recorded at.
    rows : (n_heights, n_offsets, n_depths) int64 array
        Sample at or before the arrival, less than n_samples - 1; negative where the trace
        does not enter the sum.
    fractions, weights : (n_heights, n_offsets, n_depths) float32 array
        How far the arrival is from that sample to the next; weight in the sum.
    has_coherence : bool
        Whether `coherence` is wanted.
    totals : (4, n_depths) float32 array
        Overwritten.
    channel, first, stop : int
        Which channel, and the columns to be imaged.
    out, coherence : (n_traces, n_channels, n_depths) float32 array
        Overwritten there; NaN where no trace is used. `coherence` stays as it is unless it
        is wanted.
    """
    n_depths = totals.shape[1]
    n_halo = rows.shape[1] - 1
    for i in range(first, stop):
        totals[:] = 0.0
        for a in range(max(0, i - n_halo), min(len(samples), i + n_halo + 1)):
            if is_usable[a]:
                k = abs(a - i)
                b = bins[a]
                trace = samples[a, channel]
                _add_trace(trace, rows[b, k], fractions[b, k], weights[b, k], totals)
        for j in range(n_depths):
            n = int(totals[3, j])
            out[i, channel, j] = totals[0, j] if n else np.nan
            if has_coherence:
                coherence[i, channel, j] = _coherence(totals[1, j], totals[2, j], n)


@jit
def _add_trace(trace, rows, fractions, weights, totals):
    """Add a trace to totals of values weighted, of values, squared, and their number."""
    for j in range(len(rows)):
        row = rows[j]
        if row >= 0:
            value = trace[row] + fractions[j] * (trace[row + 1] - trace[row])
            totals[0, j] += weights[j] * value
            totals[1, j] += value
            totals[2, j] += value * value
            totals[3, j] += np.float32(1.0)

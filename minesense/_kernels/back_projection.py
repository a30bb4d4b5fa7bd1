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
    totals : (n_together, 3, n_block) float32 array
        Overwritten. So many depths are written at a time.
    channel, first : int
        Where the block goes in `out` and `coherence`.
    out, coherence : (n_traces, n_channels, n_depths) float32 array
        Overwritten in n_block traces from `first` on, of one channel; NaN where no trace
        is used. `coherence` stays as it is unless it is wanted.
    """
    n_together, _, n_block = totals.shape
    halo = (tile.shape[1] - n_block) // 2
    n_depths = len(stops)
    for begin in range(0, n_depths, n_together):
        end = min(begin + n_together, n_depths)
        for j in range(begin, end):
            _stack_depth(
                tile,
                halo,
                firsts[j],
                stops[j],
                rows[j],
                fractions[j],
                weights[j],
                has_coherence,
                totals[j - begin],
            )
        for m in range(min(n_block, len(out) - first)):
            image = out[first + m, channel]
            for j in range(begin, end):
                n = _count(n_used, halo + m, firsts[j], stops[j])
                image[j] = totals[j - begin, 0, m] if n else np.nan
                if has_coherence:
                    sums = totals[j - begin, :, m]
                    coherence[first + m, channel, j] = _coherence(sums[1], sums[2], n)


@jit
def _stack_depth(tile, halo, first, stop, rows, fractions, weights, has_coherence, totals):
    """Sum traces at one depth, for `stack_side_by_side`; totals of a depth."""
    n_block = totals.shape[1]
    totals[: 3 if has_coherence else 1] = 0.0
    for k in range(first, stop):
        above = tile[rows[k]]
        below = tile[rows[k] + 1]
        back = halo - k
        ahead = halo + k
        if has_coherence:
            for side in range(2 if k else 1):
                at = back + 2 * k * side
                end = at + n_block
                _add_moments(above[at:end], below[at:end], fractions[k], weights[k], totals)
            continue
        b = weights[k] * fractions[k]
        a = weights[k] - b
        if k == 0:
            a *= np.float32(0.5)  # both are one trace
            b *= np.float32(0.5)
        _add_four(
            a,
            above[back : back + n_block],
            above[ahead : ahead + n_block],
            b,
            below[back : back + n_block],
            below[ahead : ahead + n_block],
            totals[0],
        )


@jit
def _add_four(a, above, above_too, b, below, below_too, total):
    """Add the weighted sum of two pairs of rows to the total."""
    for m in range(len(total)):
        total[m] += a * (above[m] + above_too[m]) + b * (below[m] + below_too[m])


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

"""Kernels that sum traces at the times a wave takes to a point and back."""

import numpy as np

from ._jit import jit


@jit
def put_side_by_side(samples, is_usable, channel, begin, tile, n_used):
    """
    Put consecutive traces side by side, and count those to be used.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces.
    is_usable : (n_traces,) bool array
        A trace that is not usable counts as zero, like those beyond the lane.
    channel, begin : int
        Which channel; which trace is in column 0, negative ahead of the lane.
    tile : (n_samples, n_columns) float32 array
        Overwritten.
    n_used : (n_columns + 1,) int64 array
        Overwritten with how many traces are to be used before each column.
    """
    n_samples, n_columns = tile.shape
    n_traces = len(samples)
    n_used[0] = 0
    for m in range(n_columns):
        i = begin + m
        is_in = 0 <= i < n_traces and is_usable[i]
        n_used[m + 1] = n_used[m] + (1 if is_in else 0)
    n_side = 16  # a line of the cache
    n_deep = 64
    for left in range(0, n_columns, n_side):
        right = min(left + n_side, n_columns)
        for low in range(0, n_samples, n_deep):
            high = min(low + n_deep, n_samples)
            for m in range(left, right):
                if n_used[m + 1] > n_used[m]:
                    trace = samples[begin + m, channel, low:high]
                    for j in range(high - low):
                        tile[low + j, m] = trace[j]
                else:
                    for j in range(low, high):
                        tile[j, m] = 0.0


@jit
def stack_side_by_side(
    tile,
    n_used,
    firsts,
    stops,
    rows,
    lower,
    upper,
    has_coherence,
    fractions,
    weights,
    totals,
    channel,
    first,
    out,
    coherence,
):
    """
    Sum traces for a block of image columns, when all antennas are at one height.

    Traces as far behind as ahead share their times. The inner loops run over contiguous
    traces. Offsets are added two by two, from an even one on.

    Parameters
    ----------
    tile : (n_samples, n_halo + n_block + n_halo) float32 array
        Traces side by side, zero where there is none to be used; those of the block begin
        at column n_halo.
    n_used : (n_halo + n_block + n_halo + 1,) int64 array
        How many traces are to be used before each column.
    firsts, stops : (n_depths,) int64 array
        Offsets in traces from the first to before the stop enter the sum; no more than
        n_halo.
    rows : (n_depths, n_halo + 1) int64 array
        Row at or before the arrival, less than n_samples - 1. The number of offsets is even.
    lower, upper : (n_depths, n_halo + 1) float32 array
        Weights of that row and the next for each of the two traces at an offset; zero where
        the offset does not enter the sum; half of the weight at offset 0.
    has_coherence : bool
        Whether `coherence` is wanted.
    fractions, weights : (n_depths, n_halo + 1) float32 array
        How far the arrival is from its row to the next; whole weight. For the coherence.
    totals : (3, n_together, n_block or more) float32 array
        Overwritten. So many depths are written at a time.
    channel, first : int
        Where the block goes in `out` and `coherence`.
    out, coherence : (n_traces, n_channels, n_depths) float32 array
        Overwritten in n_block traces from `first` on, of one channel; NaN where no trace
        is used. `coherence` stays as it is unless it is wanted.
    """
    n_together = totals.shape[1]
    width = tile.shape[1]
    halo = rows.shape[1] - 1
    n_block = width - 2 * halo
    n_depths = len(stops)
    n_seen = min(n_block, len(out) - first)
    flat = tile.reshape(tile.size)
    for begin in range(0, n_depths, n_together):
        end = min(begin + n_together, n_depths)
        for j in range(begin, end):
            total = totals[0, j - begin, :n_block]
            plain = totals[1, j - begin, :n_block]
            power = totals[2, j - begin, :n_block]
            _stack_depth(flat, width, firsts[j], stops[j], rows[j], lower[j], upper[j], total)
            if has_coherence:
                plain[:] = 0.0
                power[:] = 0.0
                for k in range(firsts[j], stops[j]):
                    corner = rows[j, k] * width + halo
                    _add_moments(flat, width, corner - k, fractions[j, k], plain, power)
                    if k > 0:
                        _add_moments(flat, width, corner + k, fractions[j, k], plain, power)
            _mask(n_used, halo, firsts[j], stops[j], has_coherence, total, plain, power)
        for m in range(n_seen):
            image = out[first + m, channel]
            for j in range(begin, end):
                image[j] = totals[0, j - begin, m]
        if has_coherence:
            for m in range(n_seen):
                for j in range(begin, end):
                    coherence[first + m, channel, j] = totals[1, j - begin, m]


@jit
def _stack_depth(flat, width, first, stop, rows, lower, upper, total):
    """Overwrite the total with the weighted sum of traces at one depth."""
    total[:] = 0.0
    halo = (width - len(total)) // 2
    for k in range(first - first % 2, stop, 2):
        one = rows[k] * width + halo
        two = rows[k + 1] * width + halo
        # unsigned: a place that might be negative would keep the compiler from vectors
        _add_eight(
            flat,
            np.uint64(width),
            np.uint64(one - k),
            np.uint64(one + k),
            lower[k],
            upper[k],
            np.uint64(two - k - 1),
            np.uint64(two + k + 1),
            lower[k + 1],
            upper[k + 1],
            total,
        )


@jit
def _add_eight(flat, width, back, ahead, a, b, back_too, ahead_too, c, d, total):
    """Add two offsets to the total: traces behind and ahead, the row and the one below."""
    for m in range(np.uint64(len(total))):
        total[m] += (
            a * (flat[back + m] + flat[ahead + m])
            + b * (flat[back + width + m] + flat[ahead + width + m])
        ) + (
            c * (flat[back_too + m] + flat[ahead_too + m])
            + d * (flat[back_too + width + m] + flat[ahead_too + width + m])
        )


@jit
def _add_moments(flat, width, place, fraction, plain, power):
    """Add values between two rows to sums of them and of their squares."""
    at = np.uint64(place)
    below = np.uint64(place + width)
    for m in range(np.uint64(len(plain))):
        value = flat[at + m] + fraction * (flat[below + m] - flat[at + m])
        plain[m] += value
        power[m] += value * value


@jit
def _mask(n_used, halo, first, stop, has_coherence, total, plain, power):
    """Turn sums of nothing into NaN, and moments into coherence."""
    n_columns = len(n_used) - 1
    if n_used[n_columns] == n_columns and stop > first and not has_coherence:
        return
    for m in range(len(total)):
        n = n_used[halo + m + max(stop, 1)] - n_used[halo + m - max(stop, 1) + 1]
        if first > 0:
            n -= n_used[halo + m + first] - n_used[halo + m - first + 1]
        if n == 0 or stop <= first:
            n = 0
            total[m] = np.nan
        if has_coherence:
            plain[m] = _coherence(plain[m], power[m], n)


@jit
def _coherence(plain, power, n):
    """Return the square of a sum over n times the sum of squares; 0 where all is zero."""
    if n == 0:
        return np.float32(np.nan)
    if power == 0.0:
        return np.float32(0.0)
    return min(plain * plain / (np.float32(n) * power), np.float32(1.0))


@jit
def stack_column(traces, is_usable, middle, channel, firsts, stops, rows, lower, upper, out):
    """
    Sum traces for one image column, when all antennas are at one height.

    The same operations in the same order as :func:`stack_side_by_side`, so that the bits
    are the same; it is quicker for a column alone.

    Parameters
    ----------
    traces : (n_traces, n_channels, n_samples) float32 array
        At least the traces that the column sums.
    is_usable : (n_traces,) bool array
        A trace that is not usable counts as zero, like those beyond the traces.
    middle, channel : int
        Trace above the column, and which channel.
    firsts, stops : (n_depths,) int64 array
        Offsets in traces from the first to before the stop enter the sum.
    rows : (n_offsets, n_depths) int64 array
        Sample at or before the arrival, less than n_samples - 1; n_offsets is even.
    lower, upper : (n_offsets, n_depths) float32 array
        As for :func:`stack_side_by_side`, offsets first.
    out : (n_depths,) float32 array
        Overwritten.
    """
    out[:] = 0.0
    for k in range(0, len(rows), 2):
        _add_offsets(
            traces,
            is_usable,
            middle,
            channel,
            k,
            firsts,
            stops,
            rows[k : k + 2],
            lower[k : k + 2],
            upper[k : k + 2],
            out,
        )


@jit
def _add_offsets(traces, is_usable, middle, channel, k, firsts, stops, rows, lower, upper, out):
    """Add two offsets, from k on, to one column."""
    has_back, has_ahead = _is_used(is_usable, middle - k), _is_used(is_usable, middle + k)
    has_back_too = _is_used(is_usable, middle - k - 1)
    has_ahead_too = _is_used(is_usable, middle + k + 1)
    back = traces[middle - k if has_back else 0, channel]
    ahead = traces[middle + k if has_ahead else 0, channel]
    back_too = traces[middle - k - 1 if has_back_too else 0, channel]
    ahead_too = traces[middle + k + 1 if has_ahead_too else 0, channel]
    zero = np.float32(0.0)
    for j in range(len(out)):
        if firsts[j] - firsts[j] % 2 <= k < stops[j]:
            r = rows[0, j]
            s = rows[1, j]
            above = (back[r] if has_back else zero) + (ahead[r] if has_ahead else zero)
            r += 1
            below = (back[r] if has_back else zero) + (ahead[r] if has_ahead else zero)
            over = (back_too[s] if has_back_too else zero) + (
                ahead_too[s] if has_ahead_too else zero
            )
            s += 1
            under = (back_too[s] if has_back_too else zero) + (
                ahead_too[s] if has_ahead_too else zero
            )
            out[j] += (lower[0, j] * above + upper[0, j] * below) + (
                lower[1, j] * over + upper[1, j] * under
            )


@jit
def _is_used(is_usable, i):
    """Tell whether trace i is there and usable."""
    return 0 <= i < len(is_usable) and is_usable[i]


@jit
def stack_by_height(
    samples,
    is_usable,
    bins,
    lows,
    highs,
    rows,
    fractions,
    weights,
    has_coherence,
    values,
    moments,
    counts,
    channel,
    first,
    stop,
    out,
    coherence,
):
    """
    Sum traces for some image columns, each trace with the times of its antenna's height.

    A trace is added to the columns as far behind as ahead at once: it is the same at both.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces.
    is_usable : (n_traces,) bool array
        A trace that is not usable enters no sum.
    bins : (n_traces,) int64 array
        Which of the heights a trace was recorded at.
    lows, highs : (n_heights, n_offsets) int64 array
        Depths from the low to before the high get an offset into their sum.
    rows : (n_heights, n_offsets, n_depths) uint32 array
        Sample at or before the arrival, less than n_samples - 1.
    fractions, weights : (n_heights, n_offsets, n_depths) float32 array
        How far the arrival is from that sample to the next; weight in the sum.
    has_coherence : bool
        Whether `coherence` is wanted.
    values : (2, n_depths) float32 array
        Overwritten.
    moments : (2, n_block, n_depths) float32 array
        Overwritten; without any column unless the coherence is wanted.
    counts : (n_block, n_depths + 1) int64 array
        Overwritten.
    channel, first, stop : int
        Which channel, and the columns to be imaged: n_block at most.
    out, coherence : (n_traces, n_channels, n_depths) float32 array
        Overwritten there; NaN where no trace is used. `coherence` stays as it is unless it
        is wanted.
    """
    n_offsets = rows.shape[1]
    out[first:stop, channel] = 0.0
    counts[:] = 0
    moments[:] = 0.0
    for a in range(max(0, first - n_offsets + 1), min(len(samples), stop + n_offsets - 1)):
        if not is_usable[a]:
            continue
        b = bins[a]
        trace = samples[a, channel]
        for k in range(n_offsets):
            low, high = lows[b, k], highs[b, k]
            is_behind = first <= a - k < stop
            is_ahead = k > 0 and first <= a + k < stop
            if low >= high or not (is_behind or is_ahead):
                continue
            _read(trace, rows[b, k], fractions[b, k], weights[b, k], low, high, values)
            for side in range(2):
                i = a + k * (2 * side - 1)
                if not (is_ahead if side else is_behind):
                    continue
                counts[i - first, low] += 1
                counts[i - first, high] -= 1
                _add(values[1], low, high, out[i, channel])
                if has_coherence:
                    _add(values[0], low, high, moments[0, i - first])
                    _add_squares(values[0], low, high, moments[1, i - first])
    for i in range(first, stop):
        n = 0
        for j in range(out.shape[2]):
            n += counts[i - first, j]
            if n == 0:
                out[i, channel, j] = np.nan
            if has_coherence:
                plain, power = moments[0, i - first, j], moments[1, i - first, j]
                coherence[i, channel, j] = _coherence(plain, power, n)


@jit
def _read(trace, rows, fractions, weights, low, high, values):
    """Overwrite values at their times, and weighted, from `low` to before `high`."""
    above, below = trace[:-1], trace[1:]
    plain, weighted = values[0], values[1]
    for j in range(low, high):
        r = rows[j]
        value = above[r] + fractions[j] * (below[r] - above[r])
        plain[j] = value
        weighted[j] = weights[j] * value


@jit
def _add(values, low, high, total):
    """Add values to a total, from `low` to before `high`."""
    source, target = values[low:high], total[low:high]
    for j in range(len(source)):
        target[j] += source[j]


@jit
def _add_squares(values, low, high, total):
    """Add squares of values to a total, from `low` to before `high`."""
    source, target = values[low:high], total[low:high]
    for j in range(len(source)):
        target[j] += source[j] * source[j]

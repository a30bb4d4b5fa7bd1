"""Kernels that express traces in spreads of those behind them."""

import numpy as np

from ._jit import jit
from .along_track import enter_row, replace_values
from .selection import count_less, greatest_to, select_bits


@jit
def trailing_statistics(
    samples,
    is_present,
    guard,
    buffer,
    presence,
    windows,
    tally,
    scratch,
    counts,
    median,
    spread,
):
    """
    Give the median and spread of the traces behind each trace, less the nearest.

    The window of trace k holds the traces from k - guard - size to k - guard - 1 that are
    present, sorted as in `subtract_sliding_median`.

    Parameters
    ----------
    samples : (n_traces, width) float32 array
        The next traces, finite where present.
    is_present : (n_traces,) bool array
        Whether a trace counts.
    guard : int
        Nearest traces that are left out.
    buffer, presence : (size + guard + 1, 32 n_blocks) float32 array, (same,) int64 array
        State: the last traces, trace i in row i modulo the length, at first infinite; and
        whether they are present, 1 or 0. Columns beyond the width stay infinite.
    windows : (n_blocks, 32 (8 n + 1)) float32 array
        State: for each block of 32 columns, the rows of the sorted windows, 8 n of them at
        least `size`; at first infinite, as rows beyond the window stay.
    tally : (2,) int64 array
        State: traces taken so far, and traces present in the window.
    scratch : (3, 32) float32 array
        Overwritten.
    counts : (n_traces,) int64 array
        Overwritten with the number of traces present in each window.
    median, spread : (n_traces, width) float32 array
        Overwritten with the medians and 1.4826 times the median absolute deviations from
        these; zero for an empty window.
    """
    n_traces, width = samples.shape
    n_held = len(buffer)
    taken = tally[0]
    inside = tally[1]
    for i in range(taken, taken + n_traces):
        inside -= presence[i % n_held]
        presence[i % n_held] = 1 if is_present[i - taken] else 0
        # before the lane's start this is a row not yet written: absent
        inside += presence[(i - guard - 1) % n_held]
        counts[i - taken] = inside
    for block in range(len(windows)):
        window = windows[block]
        start = 32 * block
        n_columns = min(32, width - start)
        for i in range(taken, taken + n_traces):
            newest = buffer[i % n_held, start : start + 32]
            oldest = scratch[0]
            for j in range(32):
                oldest[j] = newest[j]
            enter_row(
                samples[i - taken, start : start + n_columns], is_present[i - taken], newest
            )
            entering = buffer[(i - guard - 1) % n_held, start : start + 32]
            replace_values(window, oldest, entering, scratch[1])
            _median_and_spread(
                window,
                counts[i - taken],
                scratch,
                median[i - taken, start : start + n_columns],
                spread[i - taken, start : start + n_columns],
            )
    tally[0] = taken + n_traces
    tally[1] = inside


@jit
def _median_and_spread(window, count, scratch, median, spread):
    """
    Give the medians of the first `count` rows and 1.4826 times their deviations.

    The n values nearest to the median are neighbours in a sorted column: the n-th smallest
    deviation is the least, over all runs of n rows, of the greater deviation of their ends.
    """
    if count == 0:
        for j in range(len(median)):
            median[j] = 0.0
            spread[j] = 0.0
        return
    low = (count - 1) // 2
    high = count // 2
    lower = window[32 * low : 32 * low + 32]
    upper = window[32 * high : 32 * high + 32]
    middle = scratch[0]
    near = scratch[1]
    far = scratch[2]
    for j in range(32):
        # beyond the width all rows are infinite: a middle that is not makes no NaN of them
        middle[j] = (lower[j] + upper[j]) / np.float32(2) if j < len(median) else 0.0
        near[j] = np.inf
        far[j] = np.inf
    if low == high:
        _least_reach(window, count, low, middle, near)
        far = near
    else:
        _least_reaches(window, count, low, middle, near, far)
    for j in range(len(median)):
        median[j] = middle[j]
        spread[j] = 1.4826 * (np.float64(near[j]) + far[j]) / 2


@jit
def _least_reach(window, count, size, middle, least):
    """Lower `least` to the smallest reach about `middle` of a run of size + 1 rows."""
    n_runs = count - size
    n_fours = n_runs // 4
    for i in range(n_fours):  # four at a time save loads and stores of the least
        heads = window[128 * i : 128 * i + 128]
        tails = window[128 * i + 32 * size : 128 * i + 32 * size + 128]
        for j in range(32):
            m = middle[j]
            r0 = _greater(m - heads[j], tails[j] - m)
            r1 = _greater(m - heads[32 + j], tails[32 + j] - m)
            r2 = _greater(m - heads[64 + j], tails[64 + j] - m)
            r3 = _greater(m - heads[96 + j], tails[96 + j] - m)
            least[j] = _less(_less(_less(r0, r1), _less(r2, r3)), least[j])
    for i in range(4 * n_fours, n_runs):
        head = window[32 * i : 32 * i + 32]
        tail = window[32 * (i + size) : 32 * (i + size) + 32]
        for j in range(32):
            least[j] = _less(_greater(middle[j] - head[j], tail[j] - middle[j]), least[j])


@jit
def _least_reaches(window, count, size, middle, near, far):
    """Do the same for runs of size + 1 rows, and of size + 2, which share their ends."""
    n_runs = count - size - 1  # of the longer ones
    n_fours = n_runs // 4
    for i in range(n_fours):
        heads = window[128 * i : 128 * i + 128]
        tails = window[128 * i + 32 * size : 128 * i + 32 * size + 160]
        for j in range(32):
            m = middle[j]
            b0 = m - heads[j]
            b1 = m - heads[32 + j]
            b2 = m - heads[64 + j]
            b3 = m - heads[96 + j]
            a0 = tails[j] - m
            a1 = tails[32 + j] - m
            a2 = tails[64 + j] - m
            a3 = tails[96 + j] - m
            a4 = tails[128 + j] - m
            short = _less(
                _less(_greater(b0, a0), _greater(b1, a1)),
                _less(_greater(b2, a2), _greater(b3, a3)),
            )
            long = _less(
                _less(_greater(b0, a1), _greater(b1, a2)),
                _less(_greater(b2, a3), _greater(b3, a4)),
            )
            near[j] = _less(short, near[j])
            far[j] = _less(long, far[j])
    _least_reach(window[128 * n_fours :], count - 4 * n_fours, size, middle, near)
    _least_reach(window[128 * n_fours :], count - 4 * n_fours, size + 1, middle, far)


@jit
def _greater(one, other):
    """Return the greater of two numbers."""
    return one if one > other else other


@jit
def _less(one, other):
    """Return the lesser of two numbers."""
    return one if one < other else other


@jit
def divide_by_spread(
    samples, median, spread, counts, rows, floor, least, bottoms, out, is_short
):
    """
    Give (sample - median) / spread, with a floor under the spread.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        `out` is overwritten; zero where the trace is short.
    median, spread : (n_rows, n_channels, n_samples) float32 array
    counts : (n_rows,) int64 array
        Traces that the statistics rest on.
    rows : (n_traces,) int64 array
        Row of the statistics of each trace, rising.
    floor : float
        Least spread, as a share of the median over the samples of a trace and channel of
        the spreads that are not zero.
    least : int
        Least number of traces that statistics rest on.
    bottoms : (n_channels,) float64 array
        State: least spreads of the row used last; at first those of row 0.
    is_short : (n_traces,) bool array
        Overwritten: too few traces, or a deviation where no sample of the channel has a
        spread to measure it with.
    """
    n_traces, n_channels, n_samples = samples.shape
    latest = 0
    for i in range(n_traces):
        row = rows[i]
        is_short[i] = counts[row] < least
        if row != latest:
            latest = row
            for c in range(n_channels):
                bottoms[c] = floor * _median_of_positive(spread[row, c])
        for c in range(n_channels):
            trace = samples[i, c]
            middle = median[row, c]
            scale = spread[row, c]
            result = out[i, c]
            bottom = bottoms[c]
            if bottom > 0:
                for j in range(n_samples):
                    s = scale[j] if scale[j] > bottom else bottom
                    z = (np.float64(trace[j]) - middle[j]) / s
                    # an absurd sample stays finite: it is still an absurd score
                    result[j] = min(max(z, -1e30), 1e30)
            else:
                for j in range(n_samples):
                    result[j] = 0.0
                    is_short[i] = is_short[i] or trace[j] != middle[j]
        if is_short[i]:
            for c in range(n_channels):
                result = out[i, c]
                for j in range(n_samples):
                    result[j] = 0.0


@jit
def _median_of_positive(values):
    """Return the median of the values, none below zero, that are above it; zero if none is."""
    bits = values.view(np.int32)
    n_zero = count_less(bits, 1)
    n = len(values) - n_zero
    if n == 0:
        return 0.0
    rank = n_zero + n // 2
    found = select_bits(bits, rank)
    upper = greatest_to(values, bits, found)
    if n % 2 == 1 or count_less(bits, found) < rank:
        return upper
    return (greatest_to(values, bits, found - 1) + upper) / 2

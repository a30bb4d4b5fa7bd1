"""Kernels that express traces in spreads of those behind them."""

import numpy as np

from ._jit import jit
from .along_track import enter_row, replace_values


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
    near = scratch[1]
    far = scratch[2]
    for j in range(len(median)):
        median[j] = (lower[j] + upper[j]) / np.float32(2)
        near[j] = np.inf
        far[j] = np.inf
    _least_reach(window, count, low, median, near)
    _least_reach(window, count, high, median, far)
    for j in range(len(median)):
        spread[j] = 1.4826 * (np.float64(near[j]) + far[j]) / 2


@jit
def _least_reach(window, count, size, middle, least):
    """Lower `least` to the smallest reach about `middle` of a run of size + 1 rows."""
    for i in range(count - size):
        head = window[32 * i : 32 * i + 32]
        tail = window[32 * (i + size) : 32 * (i + size) + 32]
        for j in range(len(middle)):
            below = middle[j] - head[j]
            above = tail[j] - middle[j]
            reach = below if below > above else above
            least[j] = reach if reach < least[j] else least[j]


@jit
def divide_by_spread(
    samples, median, spread, counts, rows, floor, least, bottoms, scratch, out, is_short
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
    scratch : (n_samples,) float32 array
        Overwritten.
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
                bottoms[c] = floor * _median_of_positive(spread[row, c], scratch)
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
def _median_of_positive(values, scratch):
    """Return the median of the values above zero, or zero if there are none."""
    n = 0
    for j in range(len(values)):
        if values[j] > 0:
            scratch[n] = values[j]
            n += 1
    if n == 0:
        return 0.0
    # quickselect: afterwards scratch[k] is in its place, smaller ones before it
    k = n // 2
    left = 0
    right = n - 1
    while left < right:
        pivot = scratch[(left + right) // 2]
        i = left
        j = right
        while i <= j:
            while scratch[i] < pivot:
                i += 1
            while scratch[j] > pivot:
                j -= 1
            if i <= j:
                swap = scratch[i]
                scratch[i] = scratch[j]
                scratch[j] = swap
                i += 1
                j -= 1
        if k <= j:
            right = j
        elif k >= i:
            left = i
        else:
            left = right
    upper = np.float64(scratch[k])
    if n % 2 == 1:
        return upper
    lower = np.float64(scratch[0])
    for j in range(1, k):
        lower = max(lower, np.float64(scratch[j]))
    return (lower + upper) / 2

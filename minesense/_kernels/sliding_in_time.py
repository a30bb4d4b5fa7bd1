"""Kernels that compare each sample of a trace with the median of those around it."""

import numpy as np

from ._jit import jit
from .side_by_side import interleave, separate


@jit
def subtract_sliding_median(samples, half_width, tile, window, rows, out):
    """
    Subtract from each sample the median of the samples around it.

    Of 64 traces side by side, the window of each is a sorted column: a step puts the
    newest sample in the place of the oldest, in one pass and without a branch. Beyond the
    ends of a trace there are infinities, which sort behind all samples.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten with the residuals.
    half_width : int
        Samples on each side; windows shrink at the ends of a trace.
    tile : (2, 64 n_samples) float32 array
        Overwritten.
    window : (64 (6 n + 1),) float32 array
        Overwritten; 6 n is at least 2 half_width + 1.
    rows : (2, 64) float32 array
        Overwritten.
    """
    n_traces, n_samples = samples.shape
    for start in range(0, n_traces, 64):
        _begin_windows(samples[start : start + 64], tile[0], window, rows)
        for j in range(n_samples + half_width):
            _slide(tile[0], j, half_width, window, rows[0], rows[1])
            if j >= half_width:
                i = j - half_width
                low, high = _middle(i, half_width, n_samples)
                median = window[64 * low :]
                if low < high:
                    median = rows[1]
                    _mean_of_rows(window[64 * low :], window[64 * high :], median)
                _subtract(tile[0, 64 * i :], median, tile[1, 64 * i :])
        separate(tile[1], out[start : start + 64], 64)


@jit
def replace_outliers(
    samples, half_width, threshold, floor, longest, tile, window, rows, spread, out, counts
):
    """
    Put medians in the place of short runs of samples that lie far from them.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten.
    half_width : int
        Samples on each side; windows shrink at the ends of a trace.
    threshold : float
        Distance from the median that is far, in spreads.
    floor : float
        Least spread, as a share of the lower median of those of a trace above zero.
    longest : int
        Samples of the longest run that is replaced; longer ones stay.
    tile : (3, 64 n_samples) float32 array
        Overwritten.
    window : (64 (6 n + 1),) float32 array
        Overwritten; 6 n is at least 2 half_width + 1.
    rows : (2, 64) float32 array
        Overwritten.
    spread : (65, n_samples) float32 array
        Overwritten.
    counts : (n_traces,) int64 array
        Overwritten with the number of samples replaced.
    """
    n_traces, n_samples = samples.shape
    for start in range(0, n_traces, 64):
        _begin_windows(samples[start : start + 64], tile[0], window, rows)
        for j in range(n_samples + half_width):
            _slide(tile[0], j, half_width, window, rows[0], rows[1])
            if j >= half_width:
                i = j - half_width
                low, high = _middle(i, half_width, n_samples)
                middle = tile[1, 64 * i :]
                _mean_of_rows(window[64 * low :], window[64 * high :], middle)
                reach = tile[2, 64 * i :]
                _least_reach(window, low + high + 1, low, middle, reach)
                if low < high:
                    _least_reach(window, low + high + 1, high, middle, rows[1])
                    _mean_of_rows(reach, rows[1], reach)
        n = min(64, n_traces - start)
        separate(tile[1], out[start : start + n], 64)
        separate(tile[2], spread[:n], 64)
        for k in range(n):
            bottom = floor * _median_of_positive(spread[k], spread[64])
            counts[start + k] = _replace_runs(
                samples[start + k], spread[k], threshold, bottom, longest, out[start + k]
            )


@jit
def _begin_windows(samples, tile, window, rows):
    """Put up to 64 traces side by side and empty their windows."""
    if len(samples) < 64:
        tile[:] = 0.0
    rows[:] = 0.0
    interleave(samples, rows[0], tile, 64)
    window[:] = np.inf
    rows[0] = np.inf


@jit
def _middle(centre, half_width, n_samples):
    """Return the lower and the upper of the middle places in a sorted window."""
    count = min(n_samples - 1, centre + half_width) - max(0, centre - half_width) + 1
    return (count - 1) // 2, count // 2


@jit
def _mean_of_rows(lower, upper, row):
    """Give the mean of two rows; of equal ones, the row itself."""
    for k in range(64):
        row[k] = np.float32(0.5) * lower[k] + np.float32(0.5) * upper[k]


@jit
def _subtract(row, less, residual):
    """Give a row less another one."""
    for k in range(64):
        residual[k] = row[k] - less[k]


@jit
def _slide(tile, j, half_width, window, absent, carry):
    """Let sample j into sorted windows, and the one that they leave behind out of them."""
    leaving = j - 2 * half_width - 1
    old = tile[64 * leaving :] if leaving >= 0 else absent
    new = tile[64 * j :] if 64 * j < len(tile) else absent
    _replace(window, old, new, carry)


@jit
def _replace(window, old, new, carry):
    """
    Put `new` in the place of `old` in 64 sorted columns.

    Inserting a value v in a sorted column a gives c[i] = max(a[i - 1], min(v, a[i])), one
    longer; taking the value w out of it gives c[i] where c[i] < w, else c[i + 1]. Both are
    done in one pass that overwrites a. Six rows at a time save loads and stores of c.
    """
    for k in range(64):
        carry[k] = new[k] if new[k] < window[k] else window[k]
    for i in range(len(window) // 384):
        rows = window[384 * i : 384 * i + 448]
        for k in range(64):
            v = new[k]
            w = old[k]
            a0 = rows[k]
            a1 = rows[64 + k]
            a2 = rows[128 + k]
            a3 = rows[192 + k]
            a4 = rows[256 + k]
            a5 = rows[320 + k]
            a6 = rows[384 + k]
            c0 = carry[k]
            c1 = v if v < a1 else a1
            c1 = a0 if a0 > c1 else c1
            c2 = v if v < a2 else a2
            c2 = a1 if a1 > c2 else c2
            c3 = v if v < a3 else a3
            c3 = a2 if a2 > c3 else c3
            c4 = v if v < a4 else a4
            c4 = a3 if a3 > c4 else c4
            c5 = v if v < a5 else a5
            c5 = a4 if a4 > c5 else c5
            c6 = v if v < a6 else a6
            c6 = a5 if a5 > c6 else c6
            rows[k] = c0 if c0 < w else c1
            rows[64 + k] = c1 if c1 < w else c2
            rows[128 + k] = c2 if c2 < w else c3
            rows[192 + k] = c3 if c3 < w else c4
            rows[256 + k] = c4 if c4 < w else c5
            rows[320 + k] = c5 if c5 < w else c6
            carry[k] = c6


@jit
def _least_reach(window, count, size, middle, least):
    """
    Give the deviation from `middle` that `size` of `count` sorted values fall short of.

    The size + 1 values nearest to the middle are neighbours in a sorted column: the
    deviation is the least, over all runs of that length, of the greater one of their ends.
    """
    for k in range(64):
        least[k] = np.inf
    for i in range(count - size):
        head = window[64 * i :]
        tail = window[64 * (i + size) :]
        for k in range(64):
            below = middle[k] - head[k]
            above = tail[k] - middle[k]
            reach = below if below > above else above
            least[k] = reach if reach < least[k] else least[k]


@jit
def _median_of_positive(values, scratch):
    """Return the lower median of the values above zero, or zero if there are none."""
    n = 0
    for j in range(len(values)):
        if values[j] > 0:
            scratch[n] = values[j]
            n += 1
    if n == 0:
        return np.float32(0.0)
    middle = (n - 1) // 2
    left = 0
    right = n - 1
    while left < right:  # afterwards the middle is in its place
        pivot = scratch[middle]
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
        if j < middle:
            left = i
        if middle < i:
            right = j
    return scratch[middle]


@jit
def _replace_runs(trace, spread, threshold, bottom, longest, out):
    """Leave medians in `out` at short runs of outliers, samples elsewhere; count the first."""
    n_replaced = 0
    n_run = 0
    for j in range(len(trace) + 1):
        is_out = False
        if j < len(trace):
            least = spread[j] if spread[j] > bottom else bottom
            is_out = abs(np.float64(trace[j]) - out[j]) > threshold * least
        if is_out:
            n_run += 1
            continue
        if n_run > longest:
            for i in range(j - n_run, j):
                out[i] = trace[i]
        else:
            n_replaced += n_run
        n_run = 0
        if j < len(trace):
            out[j] = trace[j]
    return n_replaced

"""Kernels for medians and spreads of the traces around each trace, updated as they come."""

import numpy as np

from ._jit import jit


@jit
def ring_statistics(
    rows,
    is_present,
    behind,
    ahead,
    guard,
    buffer,
    presence,
    windows,
    tally,
    scratch,
    centres,
    median,
    spread,
    counts,
):
    """
    Take traces one by one; give the statistics around those whose look-ahead is complete.

    The ring of trace k holds the traces from k - behind to k - guard - 1 and from
    k + guard + 1 to k + ahead that are present. It is kept sorted: a step costs two
    passes over it and no sort. A trace that is absent, like one outside the lane, is a row
    of infinities, which sorts behind all others.

    Parameters
    ----------
    rows : (n_rows, width) float32 array
        The next traces, finite where present.
    is_present : (n_rows,) bool array
        Whether a trace counts.
    behind, ahead, guard : int
        Extent of the ring in traces; `ahead` is 0 or greater than `guard`.
    buffer, presence : (behind + ahead + 2, width) float32 array, (same,) int64 array
        State: the last traces, trace i in row i modulo the length, at first infinite; and
        whether they are present, 1 or 0.
    windows : (capacity + 1, width) float32 array
        State: the sorted ring of each column, at first infinite; the last row stays so.
    tally : (2,) int64 array
        State: traces taken so far, and traces present in the ring.
    scratch : (2, 64) float32 array
        Overwritten.
    centres, median, spread : (n_ready, width) float32 array
        Overwritten with the traces that are ready (infinite where absent), the medians
        of their rings and 1.4826 times the median absolute deviations from these; zero
        for an empty ring.
    counts : (n_ready,) int64 array
        Overwritten with the number of traces present in each ring.
    """
    width = rows.shape[1]
    n_held = len(buffer)
    taken = tally[0]
    inside = tally[1]
    first = max(0, taken - ahead)
    for i in range(taken, taken + len(rows)):
        k = i - ahead
        presence[i % n_held] = 1 if is_present[i - taken] else 0
        if ahead > guard:
            inside += presence[i % n_held] - presence[(k + guard) % n_held]
        inside += presence[(k - guard - 1) % n_held] - presence[(k - 1 - behind) % n_held]
        if k >= 0:
            counts[k - first] = inside
    # blocks of columns: their windows stay in the first-level cache along the lane
    for start in range(0, width, 64):
        stop = min(width, start + 64)
        window = windows[:, start:stop]
        for i in range(taken, taken + len(rows)):
            k = i - ahead
            newest = buffer[i % n_held, start:stop]
            if is_present[i - taken]:
                newest[:] = rows[i - taken, start:stop]
            else:
                newest[:] = np.inf
            if ahead > guard:
                leaving = buffer[(k + guard) % n_held, start:stop]
                _replace(window, leaving, newest, scratch[0])
            leaving = buffer[(k - 1 - behind) % n_held, start:stop]
            entering = buffer[(k - guard - 1) % n_held, start:stop]
            _replace(window, leaving, entering, scratch[0])
            if k >= 0:
                centres[k - first, start:stop] = buffer[k % n_held, start:stop]
                _median_and_spread(
                    window,
                    counts[k - first],
                    scratch,
                    median[k - first, start:stop],
                    spread[k - first, start:stop],
                )
    tally[0] = taken + len(rows)
    tally[1] = inside


@jit
def _replace(window, old, new, before):
    """
    Put `new` in the place of `old` in every sorted column, without a branch.

    Where the new value is the greater one, the values between them move down by a row;
    where it is the smaller one, up.
    """
    width = len(old)
    for j in range(width):
        before[j] = -np.inf
    for i in range(len(window) - 1):
        row = window[i]
        after = window[i + 1]
        for j in range(width):
            a = row[j]
            v = new[j]
            inner = after[j] if after[j] < v else v
            down = inner if inner > a >= old[j] else a
            outer = before[j] if before[j] > v else v
            up = outer if outer < a <= old[j] else a
            before[j] = a
            row[j] = down if v >= old[j] else up


@jit
def _median_and_spread(window, count, scratch, median, spread):
    """
    Give the median of the first `count` rows and 1.4826 times their MAD.

    The n values nearest to the median are neighbours in a sorted column, so that the n-th
    smallest deviation is the least, over all runs of n rows, of the greater deviation of
    their ends.
    """
    width = len(median)
    low = (count - 1) // 2
    high = count // 2
    for j in range(width):
        median[j] = (window[low, j] + window[high, j]) / 2 if count > 0 else 0.0
        scratch[0, j] = np.inf
        scratch[1, j] = np.inf
    for half in range(2):
        size = (high if half else low) + 1
        least = scratch[half]
        for i in range(count - size + 1):
            head = window[i]
            tail = window[i + size - 1]
            for j in range(width):
                below = median[j] - head[j]
                above = tail[j] - median[j]
                worst = below if below > above else above
                if worst < least[j]:
                    least[j] = worst
    for j in range(width):
        spread[j] = 1.4826 * (scratch[0, j] + scratch[1, j]) / 2 if count > 0 else 0.0

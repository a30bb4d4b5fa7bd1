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
        for i in range(taken, taken + len(rows)):
            k = i - ahead
            newest = buffer[i % n_held, start:stop]
            if is_present[i - taken]:
                newest[:] = rows[i - taken, start:stop]
            else:
                newest[:] = np.inf
            if ahead > guard:
                leaving = buffer[(k + guard) % n_held, start:stop]
                _replace(windows, start, stop, leaving, newest)
            leaving = buffer[(k - 1 - behind) % n_held, start:stop]
            entering = buffer[(k - guard - 1) % n_held, start:stop]
            _replace(windows, start, stop, leaving, entering)
            if k >= 0:
                centres[k - first, start:stop] = buffer[k % n_held, start:stop]
                _median_and_spread(
                    windows,
                    start,
                    stop,
                    counts[k - first],
                    scratch,
                    median[k - first, start:stop],
                    spread[k - first, start:stop],
                )
    tally[0] = taken + len(rows)
    tally[1] = inside


@jit
def _replace(windows, start, stop, old, new):
    """
    Put `new` in the place of `old` in every sorted column of a block, without a branch.

    Where the new value is the greater one, the values between them move down by a row in
    the first loop; where it is the smaller one, up in the second. Each does nothing where
    it is the turn of the other.
    """
    width = len(old)
    last = len(windows) - 2
    # Slices of rows are contiguous, those of a slice of columns are not; loads come before
    # selections, and each loop writes one array: only so are they vectorised.
    for i in range(last + 1):
        row = windows[i, start:stop]
        after = windows[i + 1, start:stop]
        for j in range(width):
            a = row[j]
            o = old[j]
            v = new[j]
            v = v if v > o else o
            moved = after[j]
            moved = moved if moved < v else v
            moved = moved if moved > a else a
            row[j] = moved if a >= o else a
    for i in range(last, 0, -1):
        row = windows[i, start:stop]
        before = windows[i - 1, start:stop]
        for j in range(width):
            a = row[j]
            o = old[j]
            v = new[j]
            v = v if v < o else o
            moved = before[j]
            moved = moved if moved > v else v
            moved = moved if moved < a else a
            row[j] = moved if a <= o else a
    row = windows[0, start:stop]
    for j in range(width):
        row[j] = new[j] if new[j] < row[j] and row[j] <= old[j] else row[j]


@jit
def _median_and_spread(windows, start, stop, count, scratch, median, spread):
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
        total = windows[low, start + j] + windows[high, start + j]
        median[j] = total / 2 if count > 0 else 0.0
        scratch[0, j] = np.inf
        scratch[1, j] = np.inf
    for half in range(2):
        size = (high if half else low) + 1
        least = scratch[half]
        for i in range(count - size + 1):
            head = windows[i, start:stop]
            tail = windows[i + size - 1, start:stop]
            for j in range(width):
                m = median[j]
                below = m - head[j]
                above = tail[j] - m
                worst = below if below > above else above
                last = least[j]
                least[j] = worst if worst < last else last
    for j in range(width):
        spread[j] = 1.4826 * (scratch[0, j] + scratch[1, j]) / 2 if count > 0 else 0.0

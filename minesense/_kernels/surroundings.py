"""Kernels for statistics of the traces around each trace, updated as they come."""

import math

import numpy as np

from ._jit import jit
from .copying import copy_row


@jit
def ring_statistics(
    rows,
    is_present,
    behind,
    ahead,
    guard,
    quantile,
    buffer,
    presence,
    windows,
    tally,
    scratch,
    centres,
    level,
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
        Extent of the ring in traces; `ahead` is 0 or greater than `guard`. A guard of -1
        with `ahead` 0 puts the trace itself into its window.
    quantile : float
        Share of the ring below the level; at 0.5 it is the median.
    buffer, presence : (behind + ahead + 2, width) float32 array, (same,) int64 array
        State: the last traces, trace i in row i modulo the length, at first infinite; and
        whether they are present, 1 or 0.
    windows : (capacity + 1, width) float32 array
        State: the sorted ring of each column, at first infinite; the last row stays so.
    tally : (2,) int64 array
        State: traces taken so far, and traces present in the ring.
    scratch : (2, 64) float32 array
        Overwritten.
    centres, level, spread : (n_ready, width) float32 array
        Overwritten with the traces that are ready (infinite where absent), the quantiles
        of their rings and 1.4826 times the median absolute deviations from the medians;
        zero for an empty ring.
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
        if ahead > 0:
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
                copy_row(rows[i - taken, start:stop], newest)
            else:
                newest[:] = np.inf
            if ahead > 0:
                leaving = buffer[(k + guard) % n_held, start:stop]
                _replace(windows, start, stop, leaving, newest)
            leaving = buffer[(k - 1 - behind) % n_held, start:stop]
            entering = buffer[(k - guard - 1) % n_held, start:stop]
            _replace(windows, start, stop, leaving, entering)
            if k >= 0:
                copy_row(buffer[k % n_held, start:stop], centres[k - first, start:stop])
                _median_and_spread(
                    windows,
                    start,
                    stop,
                    counts[k - first],
                    scratch,
                    level[k - first, start:stop],
                    spread[k - first, start:stop],
                )
                if quantile != 0.5 and counts[k - first] > 0:
                    _quantile(
                        windows,
                        start,
                        quantile * (counts[k - first] - 1),
                        level[k - first, start:stop],
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


@jit
def _quantile(windows, start, rank, out):
    """Give the value at a rank of every sorted column of a block, between rows linearly."""
    low = int(rank)
    share = rank - low
    for j in range(len(out)):
        value = np.float64(windows[low, start + j])
        if share > 0:  # the row after the last is infinite
            value += share * (np.float64(windows[low + 1, start + j]) - value)
        out[j] = value


@jit
def ring_moments(
    rows,
    is_present,
    behind,
    ahead,
    guard,
    buffer,
    presence,
    sums,
    tally,
    centres,
    level,
    spread,
    counts,
):
    """
    Take traces one by one; give means and standard deviations as `ring_statistics` does.

    Sums of deviations are updated as traces come and go, and taken anew at every 64th trace
    of the lane, from the mean as it then is: rounding does not pile up, and what strong
    traces left of it is gone.

    Parameters
    ----------
    rows, is_present, behind, ahead, guard, buffer, presence, centres, counts
        As in `ring_statistics`.
    sums : (3, width) float64 array
        State: what deviations are from, their sum over the ring and that of their squares;
        at first zero.
    tally : (2,) int64 array
        State: traces taken so far, and traces present in the ring.
    level, spread : (n_ready, width) float32 array
        Overwritten with mean and standard deviation (of one less than the count) of the
        rings; the latter is zero for less than two traces.
    """
    width = rows.shape[1]
    n_held = len(buffer)
    first = max(0, tally[0] - ahead)
    for row in range(len(rows)):
        i = tally[0]
        k = i - ahead
        slot = i % n_held
        if is_present[row]:
            copy_row(rows[row], buffer[slot])
        else:
            buffer[slot] = np.inf
        presence[slot] = 1 if is_present[row] else 0
        if ahead > 0:
            _count_in(buffer, presence, slot, 1, sums, tally)
            _count_in(buffer, presence, (k + guard) % n_held, -1, sums, tally)
        _count_in(buffer, presence, (k - guard - 1) % n_held, 1, sums, tally)
        _count_in(buffer, presence, (k - 1 - behind) % n_held, -1, sums, tally)
        tally[0] = i + 1
        if i % 64 == 0:
            _sum_anew(buffer, presence, k, behind, ahead, guard, sums, tally)
        if k >= 0:
            n = tally[1]
            counts[k - first] = n
            copy_row(buffer[k % n_held], centres[k - first])
            for j in range(width):
                mean = sums[1, j] / max(1, n)
                rest = max(0.0, sums[2, j] - mean * sums[1, j]) / max(1, n - 1)
                level[k - first, j] = sums[0, j] + mean if n > 0 else 0.0
                spread[k - first, j] = math.sqrt(rest) if n > 1 else 0.0


@jit
def _count_in(buffer, presence, slot, sign, sums, tally):
    """Add a trace to the sums or, with the sign -1, take it out."""
    if presence[slot] == 0:
        return
    row = buffer[slot]
    tally[1] += sign
    for j in range(len(row)):
        deviation = row[j] - sums[0, j]
        sums[1, j] += sign * deviation
        sums[2, j] += sign * deviation * deviation


@jit
def _sum_anew(buffer, presence, k, behind, ahead, guard, sums, tally):
    """Sum the ring of trace k from the buffer: deviations from the mean it now has."""
    n_held = len(buffer)
    for j in range(sums.shape[1]):
        sums[0, j] += sums[1, j] / max(1, tally[1])
    sums[1:] = 0.0
    tally[1] = 0
    for i in range(k - behind, k - guard):
        _count_in(buffer, presence, i % n_held, 1, sums, tally)
    for i in range(k + max(guard, 0) + 1, k + ahead + 1):
        _count_in(buffer, presence, i % n_held, 1, sums, tally)


@jit
def join_halves(
    rows,
    levels,
    spreads,
    sizes,
    ahead,
    guard,
    least,
    sign,
    held,
    held_sizes,
    tally,
    centres,
    level,
    spread,
    counts,
):
    """
    Take windows that end with each trace; give the greater or smaller of the two around one.

    The half behind trace k is the window that ends with k - guard - 1, the half ahead the
    one that ends with k + ahead.

    Parameters
    ----------
    rows, levels, spreads : (n_rows, width) float32 array
        The next traces, and level and spread of the windows that end with them.
    sizes : (n_rows,) int64 array
        Traces present in each window.
    ahead, guard : int
        How far the half ahead reaches, and the guard, in traces; `ahead` is greater.
    least : int
        Halves of fewer traces have no say; at least 1.
    sign : float
        1 for the half of the greater level, -1 for the other.
    held, held_sizes : (3, ahead + guard + 2, width) float32 array, (same,) int64 array
        State: the last rows, levels and spreads, and sizes; at first zero.
    tally : (1,) int64 array
        State: traces taken so far.
    centres, level, spread : (n_ready, width) float32 array
        Overwritten with the traces that are ready, and what was chosen for each value.
    counts : (n_ready,) int64 array
        Overwritten with the traces in the halves that have a say.
    """
    n_held = len(held_sizes)
    first = max(0, tally[0] - ahead)
    for row in range(len(rows)):
        slot = tally[0] % n_held
        k = tally[0] - ahead
        tally[0] += 1
        copy_row(rows[row], held[0, slot])
        copy_row(levels[row], held[1, slot])
        copy_row(spreads[row], held[2, slot])
        held_sizes[slot] = sizes[row]
        if k >= 0:
            behind = (k - guard - 1) % n_held
            n_behind = held_sizes[behind] if held_sizes[behind] >= least else 0
            n_ahead = held_sizes[slot] if held_sizes[slot] >= least else 0
            counts[k - first] = n_behind + n_ahead
            copy_row(held[0, k % n_held], centres[k - first])
            for j in range(rows.shape[1]):
                is_behind = sign * held[1, behind, j] >= sign * held[1, slot, j]
                if n_behind == 0 or n_ahead == 0:
                    is_behind = n_behind > 0
                chosen = behind if is_behind else slot
                level[k - first, j] = held[1, chosen, j]
                spread[k - first, j] = held[2, chosen, j]

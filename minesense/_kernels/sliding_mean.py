"""Kernels that subtract the mean of the traces around each trace."""

import numpy as np

from ._jit import jit
from .finite import greatest_of, is_number


@jit
def subtract_sliding_mean(
    samples,
    half_width,
    guard,
    every,
    taken,
    columns,
    buffer,
    presence,
    is_present,
    total,
    counts,
    out,
):
    """
    Take traces; give those whose windows are complete without their means.

    A window's sum is that of the one before with the newest trace and without the oldest. It
    is added up anew at every trace whose number in the lane is a multiple of `every`, so that
    no rounding error lives longer, and where a chunk ends has no part in it.

    Parameters
    ----------
    samples : (n_traces, width) float32 array
        The next traces, finite where present.
    half_width, guard : int
        Traces on each side, and how many of them are left out next to the trace, which then
        is left out itself; -1 leaves nothing out.
    every : int
        Traces from one new sum to the next.
    taken : int
        Traces of the lane before these.
    columns : (2,) int64 array
        First column that is worked on, and the one after the last.
    buffer : (2 half_width + 2, width) float32 array
        The traces before, trace i in row i modulo 2 half_width + 1, where absent ones hold
        anything; then a row of zeros, in place of absent traces.
    presence : (2 half_width + 1,) int64 array
        Whether the traces before are present, 1 or 0.
    is_present : (n_traces,) bool array
        Whether a trace counts.
    total : (width,) float64 array
        State: the sums of the last window.
    counts : (n_ready,) int64 array
        Traces present in each window.
    out : (n_ready, width) float32 array
        Overwritten in these columns with the residuals; zero where a trace is absent or its
        window empty.

    Returns
    -------
    are_finite : bool
        Whether all residuals of these columns are finite numbers, looked for while they are
        at hand.
    """
    most = np.int32(0)
    first = max(0, taken - half_width)
    start, stop = columns[0], columns[1]
    sums = total[start:stop]
    source = (samples, buffer, start, stop)
    for k in range(first, first + len(out)):
        centre = _row(k, is_present, presence, taken)
        residual = out[k - first, start:stop]
        share = 1.0 / max(1, counts[k - first])
        if k % every == 0:
            sums[:] = 0.0
            for i in range(k - half_width, k + half_width + 1):
                if guard < 0 or abs(i - k) > guard:
                    _add(_row(i, is_present, presence, taken), source, sums)
            _subtract_share(centre, source, sums, share, residual)
        else:
            newest = _row(k + half_width, is_present, presence, taken)
            oldest = _row(k - half_width - 1, is_present, presence, taken)
            if guard >= 0:
                behind = _row(k - guard - 1, is_present, presence, taken)
                ahead = _row(k + guard, is_present, presence, taken)
                _exchange(behind, ahead, source, sums)
            _exchange_and_subtract(newest, oldest, centre, source, share, sums, residual)
        if counts[k - first] == 0 or centre == len(presence):
            residual[:] = 0.0
        most = greatest_of(residual.view(np.int32), most)
    return is_number(most)


@jit
def _row(i, is_present, presence, taken):
    """Return the row of trace i in the buffer, or beyond it in the samples; zeros if absent."""
    n_held = len(presence)
    if i >= taken:
        return n_held + 1 + i - taken if is_present[i - taken] else n_held
    return i % n_held if i >= 0 and presence[i % n_held] == 1 else n_held


@jit
def _add(row, source, sums):
    """Add a trace to the sums."""
    samples, buffer, start, stop = source
    n = len(buffer)
    trace = buffer[row, start:stop] if row < n else samples[row - n, start:stop]
    for j in range(len(sums)):
        sums[j] += np.float64(trace[j])


@jit
def _exchange(newest, oldest, source, sums):
    """Add a trace to the sums and take another off."""
    samples, buffer, start, stop = source
    n = len(buffer)
    new = buffer[newest, start:stop] if newest < n else samples[newest - n, start:stop]
    old = buffer[oldest, start:stop] if oldest < n else samples[oldest - n, start:stop]
    for j in range(len(sums)):
        sums[j] += np.float64(new[j]) - np.float64(old[j])


@jit
def _exchange_and_subtract(newest, oldest, centre, source, share, sums, out):
    """Do the same, then give a third trace without a share of the sums, in one pass."""
    samples, buffer, start, stop = source
    n = len(buffer)
    new = buffer[newest, start:stop] if newest < n else samples[newest - n, start:stop]
    old = buffer[oldest, start:stop] if oldest < n else samples[oldest - n, start:stop]
    trace = buffer[centre, start:stop] if centre < n else samples[centre - n, start:stop]
    for j in range(len(sums)):
        total = sums[j] + (np.float64(new[j]) - np.float64(old[j]))
        sums[j] = total
        out[j] = np.float64(trace[j]) - total * share


@jit
def _subtract_share(row, source, sums, share, out):
    """Give a trace without a share of the sums."""
    samples, buffer, start, stop = source
    n = len(buffer)
    trace = buffer[row, start:stop] if row < n else samples[row - n, start:stop]
    for j in range(len(sums)):
        out[j] = np.float64(trace[j]) - sums[j] * share


@jit
def keep_traces(samples, taken, buffer):
    """
    Put the last of the next traces into the buffer of `subtract_sliding_mean`.

    Parameters
    ----------
    samples, taken, buffer
        As there.
    """
    n_held = len(buffer) - 1
    for i in range(max(0, len(samples) - n_held), len(samples)):
        row = buffer[(taken + i) % n_held]
        trace = samples[i]
        for j in range(len(row)):
            row[j] = trace[j]

"""Kernels that subtract the mean of the traces around each trace."""

import numpy as np

from ._jit import jit


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
    silence,
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
    buffer, presence : (2 half_width + 1, width) float32 array, (same,) int64 array
        The traces before, trace i in row i modulo the length; and whether they are present,
        1 or 0. What absent ones hold does not matter.
    is_present : (n_traces,) bool array
        Whether a trace counts.
    silence : (width,) float32 array
        Zeros, in place of absent traces.
    total : (width,) float64 array
        State: the sums of the last window.
    counts : (n_ready,) int64 array
        Traces present in each window.
    out : (n_ready, width) float32 array
        Overwritten in these columns with the residuals; zero where a trace is absent or its
        window empty.
    """
    first = max(0, taken - half_width)
    start = columns[0]
    stop = columns[1]
    sums = total[start:stop]
    source = (samples, is_present, buffer, presence, taken, start, stop, silence[start:stop])
    for k in range(first, first + len(out)):
        centre = _trace(k, source)
        residual = out[k - first, start:stop]
        share = 1.0 / max(1, counts[k - first])
        if k % every == 0:
            sums[:] = 0.0
            for i in range(k - half_width, k + half_width + 1):
                if guard < 0 or abs(i - k) > guard:
                    _add(_trace(i, source), sums)
            _subtract_share(centre, sums, share, residual)
        else:
            newest = _trace(k + half_width, source)
            oldest = _trace(k - half_width - 1, source)
            if guard >= 0:
                behind = _trace(k - guard - 1, source)
                ahead = _trace(k + guard, source)
                _exchange(behind, ahead, sums)
            _exchange_and_subtract(newest, oldest, centre, share, sums, residual)
        if counts[k - first] == 0 or not _is_here(k, is_present, presence, taken):
            residual[:] = 0.0


@jit
def _is_here(i, is_present, presence, taken):
    """Tell whether trace i of the lane is present."""
    if i < taken:
        return i >= 0 and presence[i % len(presence)] == 1
    return is_present[i - taken]


@jit
def _trace(i, source):
    """Return the columns of trace i of the lane; zeros where it is absent."""
    samples, is_present, buffer, presence, taken, start, stop, none = source
    if not _is_here(i, is_present, presence, taken):
        return none
    if i < taken:
        return buffer[i % len(buffer), start:stop]
    return samples[i - taken, start:stop]


@jit
def _add(trace, sums):
    """Add a trace to the sums."""
    for j in range(len(sums)):
        sums[j] += np.float64(trace[j])


@jit
def _exchange(newest, oldest, sums):
    """Add a trace to the sums and take another off."""
    for j in range(len(sums)):
        sums[j] += np.float64(newest[j]) - np.float64(oldest[j])


@jit
def _exchange_and_subtract(newest, oldest, centre, share, sums, out):
    """Do the same, then give a third trace without a share of the sums, in one pass."""
    for j in range(len(sums)):
        total = sums[j] + (np.float64(newest[j]) - np.float64(oldest[j]))
        sums[j] = total
        out[j] = np.float64(centre[j]) - total * share


@jit
def _subtract_share(trace, sums, share, out):
    """Give a trace without a share of the sums."""
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
    for i in range(max(0, len(samples) - len(buffer)), len(samples)):
        row = buffer[(taken + i) % len(buffer)]
        trace = samples[i]
        for j in range(len(row)):
            row[j] = trace[j]

"""Kernels that sum the traces of an array over a volume of ground."""

import math

import numpy as np

from ._jit import jit


@jit
def stack_volume(
    samples,
    is_usable,
    transmitters,
    receivers,
    bins,
    first,
    stop,
    columns,
    aperture,
    tables,
    reaches,
    step,
    has_coherence,
    scratch,
    rows,
    totals,
    counts,
    out,
    coherence,
):
    """
    Sum traces below each of some columns, at the times of two legs each.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces of two samples or more.
    is_usable : (n_traces,) bool array
        A trace that is not usable enters no sum.
    transmitters, receivers : (n_traces, n_channels, 2) float64 array
        Where the antennas are, m.
    bins : (n_traces, n_channels) int64 array
        Which of the heights a trace was recorded at.
    first, stop : int
        The traces that may enter a sum.
    columns : (n_columns, 2) float64 array
        Where the columns are, m.
    aperture : float
        Antennas whose middle is nearer to a column than that enter its sum, m.
    tables : (n_heights, n_distances, 2, n_depths) float32 array
        Of one leg: time in samples, counted from half of that of the first sample, and
        cosine of the angle from the vertical in the ground.
    reaches : (n_heights, n_depths) float64 array
        Greatest distance of a leg in the sum; it grows with depth.
    step : float
        From one of the distances to the next, the first being zero; m. They end a step or
        more behind the farthest antenna in the sum.
    has_coherence : bool
        Whether `coherence` is wanted.
    scratch : (2, n_depths) float32 array
        Overwritten.
    rows : (n_depths,) int32 array
        Overwritten.
    totals : (3, n_depths) float32 array
        Overwritten.
    counts : (n_depths + 1,) int64 array
        Overwritten.
    out, coherence : (n_columns, n_depths) float32 array
        Overwritten; NaN where no trace is used. `coherence` stays as it is unless it is
        wanted.
    """
    n_depths = out.shape[1]
    for c in range(len(columns)):
        totals[:] = 0.0
        counts[:] = 0
        for a in range(first, stop):
            if not is_usable[a]:
                continue
            for channel in range(samples.shape[1]):
                weight = _weight(
                    transmitters[a, channel], receivers[a, channel], columns[c], aperture
                )
                if weight > 0.0:
                    b = bins[a, channel]
                    _add_pair(
                        samples[a, channel],
                        _distance(transmitters[a, channel], columns[c]),
                        _distance(receivers[a, channel], columns[c]),
                        np.float32(weight / 2),
                        tables[b],
                        reaches[b],
                        step,
                        has_coherence,
                        scratch,
                        rows,
                        totals,
                        counts,
                    )
        n = 0
        for j in range(n_depths):
            n += counts[j]
            out[c, j] = totals[0, j] if n else np.nan
            if has_coherence:
                coherence[c, j] = _coherence(totals[1, j], totals[2, j], n)


@jit
def _distance(antenna, column):
    """Return the horizontal distance of an antenna."""
    x, y = antenna[0] - column[0], antenna[1] - column[1]
    return math.sqrt(x * x + y * y)


@jit
def _weight(transmitter, receiver, column, aperture):
    """Return the weight of a pair of antennas by the distance of their middle."""
    x = (transmitter[0] + receiver[0]) / 2 - column[0]
    y = (transmitter[1] + receiver[1]) / 2 - column[1]
    square = x * x + y * y
    if square >= aperture * aperture * (1 - 2e-9):
        return 0.0
    return math.cos(math.pi * math.sqrt(square) / (2 * aperture)) ** 2


@jit
def _add_pair(
    trace,
    way_down,
    way_up,
    weight,
    table,
    reaches,
    step,
    has_coherence,
    scratch,
    rows,
    totals,
    counts,
):
    """Add what a pair of antennas recorded from the depths below a column."""
    n_distances, _, n_depths = table.shape
    i = int(way_down / step)
    k = int(way_up / step)
    p = np.float32(way_down / step - i)
    q = np.float32(way_up / step - k)
    flat = table.reshape(n_distances * 2 * n_depths)
    down = 2 * n_depths * i
    up = 2 * n_depths * k
    last = len(trace) - 1
    slack = np.float32(1e-3)  # what rounding of a table may cost, in samples
    high = n_depths
    while high > 0 and _both(flat, down, p, up, q, n_depths, high - 1) > last + slack:
        high -= 1
    farther = max(way_down, way_up)
    low = 0
    while low < high and (
        reaches[low] < farther or _both(flat, down, p, up, q, n_depths, low) < -slack
    ):
        low += 1
    if low == high:
        return
    counts[low] += 1
    counts[high] -= 1
    place, gain = scratch[0, : high - low], scratch[1, : high - low]
    _sum_legs(flat, down + low, p, up + low, q, n_depths, place)
    down += n_depths
    up += n_depths
    _sum_legs(flat, down + low, p, up + low, q, n_depths, gain)
    near = rows[: high - low]
    _split(place, last - 1, near)
    _add_values(trace, near, place, weight, gain, totals[0, low:high])
    if has_coherence:
        _add_moments(trace, near, place, totals[1, low:high], totals[2, low:high])


@jit
def _both(flat, down, p, up, q, n_depths, j):
    """Return one entry of what `_sum_legs` writes."""
    d, u = flat[down + j], flat[up + j]
    d_too, u_too = flat[down + 2 * n_depths + j], flat[up + 2 * n_depths + j]
    return (d + p * (d_too - d)) + (u + q * (u_too - u))


@jit
def _sum_legs(flat, down, p, up, q, n_depths, total):
    """Overwrite with the sum over two legs, each between two distances of a table."""
    # unsigned: a place that might be negative would keep the compiler from vectors
    d, u = np.uint64(down), np.uint64(up)
    d_too, u_too = np.uint64(down + 2 * n_depths), np.uint64(up + 2 * n_depths)
    for j in range(np.uint64(len(total))):
        total[j] = (flat[d + j] + p * (flat[d_too + j] - flat[d + j])) + (
            flat[u + j] + q * (flat[u_too + j] - flat[u + j])
        )


@jit
def _split(place, last, rows):
    """Split places into rows, `last` at most, and what they are beyond, left in their place."""
    zero = np.float32(0.0)
    one = np.float32(1.0)
    for j in range(len(rows)):
        row = np.int32(min(max(place[j], zero), np.float32(last)))
        rows[j] = row
        place[j] = min(max(place[j] - np.float32(row), zero), one)


@jit
def _add_values(trace, rows, parts, weight, gain, total):
    """Add values of a trace between two samples each, weighted."""
    above, below = trace[:-1], trace[1:]
    for j in range(len(total)):
        row = np.uint32(rows[j])
        value = above[row] + parts[j] * (below[row] - above[row])
        total[j] += weight * gain[j] * value


@jit
def _add_moments(trace, rows, parts, plain, power):
    """Add values of a trace between two samples each to sums of them and of their squares."""
    above, below = trace[:-1], trace[1:]
    for j in range(len(plain)):
        row = np.uint32(rows[j])
        value = above[row] + parts[j] * (below[row] - above[row])
        plain[j] += value
        power[j] += value * value


@jit
def _coherence(plain, power, n):
    """Return the square of a sum over n times the sum of squares; 0 where all is zero."""
    if n == 0:
        return np.float32(np.nan)
    if power == 0.0:
        return np.float32(0.0)
    return min(plain * plain / (np.float32(n) * power), np.float32(1.0))

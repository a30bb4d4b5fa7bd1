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
    places,
    cosines,
    reaches,
    step,
    has_coherence,
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
    places : (n_heights, n_distances, n_depths) float32 array
        Time of one leg in samples, counted from half of that of the first sample.
    cosines : (n_heights, n_distances, n_depths) float32 array
        Of the angle of the leg from the vertical in the ground.
    reaches : (n_heights, n_depths) float64 array
        Greatest distance of a leg in the sum; it grows with depth.
    step : float
        From one of the distances to the next, the first being zero; m. They end a step or
        more behind the farthest antenna in the sum.
    has_coherence : bool
        Whether `coherence` is wanted.
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
                        places[b],
                        cosines[b],
                        reaches[b],
                        step,
                        has_coherence,
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
    return math.hypot(antenna[0] - column[0], antenna[1] - column[1])


@jit
def _weight(transmitter, receiver, column, aperture):
    """Return the weight of a pair of antennas by the distance of their middle."""
    x = (transmitter[0] + receiver[0]) / 2 - column[0]
    y = (transmitter[1] + receiver[1]) / 2 - column[1]
    r = math.hypot(x, y)
    if r >= aperture * (1 - 1e-9):
        return 0.0
    return math.cos(math.pi * r / (2 * aperture)) ** 2


@jit
def _add_pair(
    trace,
    way_down,
    way_up,
    weight,
    places,
    cosines,
    reaches,
    step,
    has_coherence,
    totals,
    counts,
):
    """Add what a pair of antennas recorded from the depths below a column."""
    i = int(way_down / step)
    k = int(way_up / step)
    p = np.float32(way_down / step - i)
    q = np.float32(way_up / step - k)
    down, down_too, up, up_too = places[i], places[i + 1], places[k], places[k + 1]
    last = len(trace) - 1
    slack = np.float32(1e-3)  # what rounding of a table may cost, in samples
    high = len(reaches)
    while high > 0 and _place(down, down_too, p, up, up_too, q, high - 1) > last + slack:
        high -= 1
    farther = max(way_down, way_up)
    low = 0
    while low < high and (
        reaches[low] < farther or _place(down, down_too, p, up, up_too, q, low) < -slack
    ):
        low += 1
    if low == high:
        return
    counts[low] += 1
    counts[high] -= 1
    one, one_too, two, two_too = cosines[i], cosines[i + 1], cosines[k], cosines[k + 1]
    for j in range(low, high):
        place = _place(down, down_too, p, up, up_too, q, j)
        row = min(max(int(place), 0), last - 1)
        part = min(max(place - np.float32(row), np.float32(0.0)), np.float32(1.0))
        value = trace[row] + part * (trace[row + 1] - trace[row])
        cosine = one[j] + p * (one_too[j] - one[j]) + two[j] + q * (two_too[j] - two[j])
        totals[0, j] += weight * cosine * value
        if has_coherence:
            totals[1, j] += value
            totals[2, j] += value * value


@jit
def _place(down, down_too, p, up, up_too, q, j):
    """Return when the echo from a depth arrives, in samples."""
    return down[j] + p * (down_too[j] - down[j]) + up[j] + q * (up_too[j] - up[j])


@jit
def _coherence(plain, power, n):
    """Return the square of a sum over n times the sum of squares; 0 where all is zero."""
    if n == 0:
        return np.float32(np.nan)
    if power == 0.0:
        return np.float32(0.0)
    return min(plain * plain / (np.float32(n) * power), np.float32(1.0))

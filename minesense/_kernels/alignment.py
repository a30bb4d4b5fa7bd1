"""Kernels that move traces in time by parts of a sample."""

import math

from ._jit import jit
from .sorted_values import enter, leave, middle


@jit
def trailing_median(values, history, ranked, tally, out):
    """
    Give the median of the last values in each column, NaN left out.

    Parameters
    ----------
    values : (n_rows, width) float64 array
        A row is NaN throughout or nowhere.
    history : (n_history, width) float64 array
        State: the last rows, at first NaN.
    ranked : (width, n_history) float64 array
        State: of each column the values in the history, sorted.
    tally : (2,) int64 array
        State: rows taken so far, and how many of the history are not NaN.
    out : (n_rows, width) float64 array
        Overwritten; zero where there is nothing yet.
    """
    n_rows, width = values.shape
    for i in range(n_rows):
        slot = tally[0] % len(history)
        tally[0] += 1
        if width > 0 and not math.isnan(history[slot, 0]):
            for c in range(width):
                leave(ranked[c], tally[1], history[slot, c])
            tally[1] -= 1
        for c in range(width):
            history[slot, c] = values[i, c]
        if width > 0 and not math.isnan(values[i, 0]):
            for c in range(width):
                enter(ranked[c], tally[1], values[i, c])
            tally[1] += 1
        for c in range(width):
            out[i, c] = middle(ranked[c], tally[1]) if tally[1] > 0 else 0.0


@jit
def shift_traces(samples, shifts, taps, padded, out):
    """
    Move traces by parts of a sample: out[j] is the trace at j + shift, zero beyond its ends.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        `out` is overwritten.
    shifts : (n_traces, n_channels) float64 array
        In samples, finite.
    taps : (4, 8) float64 array
        Overwritten, the first row with the weights: a sinc in a Kaiser window (beta 6) of 8
        samples.
    padded : (n_samples + 7,) float64 array
        Overwritten.
    """
    n_traces, n_channels, n_samples = samples.shape
    for i in range(n_traces):
        for c in range(n_channels):
            trace = samples[i, c]
            result = out[i, c]
            for j in range(n_samples):
                result[j] = 0.0
            whole = math.floor(shifts[i, c])
            part = shifts[i, c] - whole
            if part == 1.0:  # the nearest number to a shift just below a whole one
                whole += 1
                part = 0.0
            if whole >= n_samples or whole <= -n_samples - 1:
                continue
            shift = int(whole)
            # out[j] lies between trace[j + shift] and the next: both must be in the record
            first = max(0, -shift)
            last = min(n_samples, n_samples - shift - (1 if part > 0.0 else 0))
            if part == 0.0:
                for j in range(first, last):
                    result[j] = trace[j + shift]
                continue
            _sinc_taps(part, taps)
            for j in range(7):
                padded[j if j < 3 else n_samples + j] = 0.0
            inner = padded[3 : n_samples + 3]
            for j in range(n_samples):
                inner[j] = trace[j]
            _weigh(padded[first + shift :], taps[0], result[first : max(first, last)])


@jit
def _sinc_taps(part, taps):
    """Give the weights of 8 samples for the value at `part` of the way to the fifth."""
    weights = taps[0]
    squares = taps[1]
    window = taps[2]
    for k in range(8):
        distance = k - 3 - part
        squares[k] = 9.0 * max(0.0, 1.0 - (distance / 4) ** 2)
    _bessel(squares, taps[3], window)
    total = 0.0
    sine = math.sin(math.pi * part)  # of all distances, but for the sign
    for k in range(8):
        weights[k] = (sine if k % 2 == 0 else -sine) / (k - 3 - part) * window[k]
        total += weights[k]
    for k in range(8):
        weights[k] /= total  # a constant stays what it is


@jit
def _bessel(squares, terms, totals):
    """Give the modified Bessel function of order 0 of 2 sqrt(x) for 8 numbers x up to 9."""
    for j in range(8):
        terms[j] = 1.0
        totals[j] = 1.0
    for k in range(1, 21):  # the next term is below the rounding of the sum
        share = 1.0 / (k * k)
        for j in range(8):  # side by side
            terms[j] *= squares[j] * share
            totals[j] += terms[j]


@jit
def _weigh(padded, taps, out):
    """Give the sum of taps[k] padded[j + k] over k."""
    t0 = taps[0]
    t1 = taps[1]
    t2 = taps[2]
    t3 = taps[3]
    t4 = taps[4]
    t5 = taps[5]
    t6 = taps[6]
    t7 = taps[7]
    n = len(out)
    p0 = padded[:n]
    p1 = padded[1 : n + 1]
    p2 = padded[2 : n + 2]
    p3 = padded[3 : n + 3]
    p4 = padded[4 : n + 4]
    p5 = padded[5 : n + 5]
    p6 = padded[6 : n + 6]
    p7 = padded[7 : n + 7]
    for j in range(n):
        near = t3 * p3[j] + t4 * p4[j]
        far = t2 * p2[j] + t5 * p5[j] + t1 * p1[j] + t6 * p6[j]
        out[j] = near + far + t0 * p0[j] + t7 * p7[j]

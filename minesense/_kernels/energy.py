"""Kernels that sum the energy of traces in depth bins."""

import numpy as np

from ._jit import jit


@jit
def log_bin_energy(samples, start, hop, scratch, out):
    """
    Give log(1 + energy) of every trace in bins of 2 hop samples, half overlapping.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
    start, hop : int
        First sample of the first bin; samples between the starts of bins.
    scratch : (4, 32 n_blocks) float64 array
        Overwritten: energies of half bins first, which must fit, then those of bins.
    out : (n_traces, n_channels, n_bins) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_bins = out.shape
    halves = scratch[0]
    for b in range(n_bins + 1, len(halves)):
        halves[b] = 0.0
    for k in range(n_traces):
        for c in range(n_channels):
            trace = samples[k, c]
            for b in range(n_bins + 1):
                halves[b] = 0.0
            for j in range(start, start + hop):  # bins take turns: none waits for its sum
                for b in range(n_bins + 1):
                    value = np.float64(trace[j + b * hop])
                    halves[b] += value * value
            for b in range(len(halves) - 1):
                scratch[1, b] = halves[b] + halves[b + 1]
            scratch[1, len(halves) - 1] = 0.0
            log_of_one_more(scratch[1:])
            for b in range(n_bins):
                out[k, c, b] = scratch[1, b]


@jit
def log_of_one_more(rows):
    """
    Replace numbers x, not negative, by log(1 + x), to 3e-12 of it; NaN stays NaN.

    Without calls, so that many numbers are treated at once. With 1 + x = 2^e m, 1 <= m < 2,
    it is e log(2) + 2 atanh(s), s = (m - 1) / (m + 1), of which nothing cancels, and what
    the sum 1 + x was rounded by is added.

    Parameters
    ----------
    rows : (3, n) float64 array
        The first row is replaced, the others are overwritten.
    """
    x = rows[0]
    one_more = rows[1]
    part = rows[2]
    bits = one_more.view(np.int64)
    part_bits = part.view(np.int64)
    for b in range(len(x)):
        one_more[b] = 1.0 + x[b]
    for b in range(len(x)):  # of doubles: 11 bits of exponent, then 52 of m
        part_bits[b] = (bits[b] & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000
    for b in range(len(x)):
        y = one_more[b]
        rounded = (x[b] - (y - 1.0)) / y  # NaN for NaN, and for infinity
        s = (part[b] - 1.0) / (part[b] + 1.0)
        z = s * s
        series = z * (1 / 19 + z * (1 / 21 + z * (1 / 23)))
        series = z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + series)))
        series = z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + series)))
        series = z * (1 / 3 + z * (1 / 5 + series))
        part[b] = 2.0 * s * (1.0 + series) + rounded
    for b in range(len(x)):  # the exponent, as a number above 2^52
        bits[b] = (bits[b] >> 52) | 0x4330_0000_0000_0000
    for b in range(len(x)):
        exponent = one_more[b] - (4503599627370496.0 + 1023.0)
        x[b] = part[b] + exponent * 0.6931471805599453


@jit
def sum_excess(values, level, spread, floor, n_best, out):
    """
    Sum (value - level) / spread over every run of n_best contiguous bins.

    Parameters
    ----------
    values, level, spread : (n_traces, n_channels, n_bins) float32 array
    floor : float
        Least spread that is divided by.
    n_best : int
        Bins in a run.
    out : (n_traces, n_channels, n_bins - n_best + 1) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_runs = out.shape
    for k in range(n_traces):
        for c in range(n_channels):
            for w in range(n_runs):
                total = 0.0
                for b in range(w, w + n_best):
                    scale = max(np.float64(spread[k, c, b]), floor)
                    total += (np.float64(values[k, c, b]) - level[k, c, b]) / scale
                out[k, c, w] = total

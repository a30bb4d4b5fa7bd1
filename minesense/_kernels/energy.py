"""Kernels that sum the energy of traces in depth bins."""

import math

import numpy as np

from ._jit import jit


@jit
def log_bin_energy(samples, start, hop, halves, out):
    """
    Give log(1 + energy) of every trace in bins of 2 hop samples, half overlapping.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
    start, hop : int
        First sample of the first bin; samples between the starts of bins.
    halves : (n_bins + 1,) float64 array
        Overwritten: energies of half bins.
    out : (n_traces, n_channels, n_bins) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_bins = out.shape
    for k in range(n_traces):
        for c in range(n_channels):
            trace = samples[k, c]
            halves[:] = 0.0
            for j in range(start, start + hop):  # bins take turns: none waits for its sum
                for b in range(n_bins + 1):
                    value = np.float64(trace[j + b * hop])
                    halves[b] += value * value
            for b in range(n_bins):
                out[k, c, b] = math.log1p(halves[b] + halves[b + 1])


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

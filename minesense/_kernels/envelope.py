"""Kernel of a first-order filter over samples that need not be regular."""

import math

from ._jit import jit


@jit
def pass_pole(values, time, tau, out):
    """
    Filter series by one pole, taking them as linear between samples.

    Parameters
    ----------
    values, out : (n, n_series) float64 array
        Samples in order of time, one or more; `out` is overwritten and must not be `values`.
    time : (n,) float64 array
        Seconds, strictly increasing.
    tau : float
        Time constant, s, greater than zero.
    """
    n, n_series = values.shape
    for k in range(n_series):
        out[0, k] = values[0, k]
    for i in range(1, n):
        step = time[i] - time[i - 1]
        decay = math.exp(-step / tau)
        for k in range(n_series):
            lag = (values[i, k] - values[i - 1, k]) / step * tau
            out[i, k] = values[i, k] - lag + (out[i - 1, k] - values[i - 1, k] + lag) * decay

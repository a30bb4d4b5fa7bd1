"""Kernels that subtract the mean of the traces before each trace."""

import numpy as np

from ._jit import jit
from .copying import copy_row
from .finite import greatest_of, is_number


@jit
def subtract_running_mean(samples, is_usable, weight, background, tally, out):
    """
    Subtract from each trace the weighted mean of the usable traces before it.

    Parameters
    ----------
    samples, out : (n_traces, width) float32 array
        Traces in recording order; `out` is overwritten with the residuals, zero where a
        trace is not usable.
    is_usable : (n_traces,) bool array
    weight : float
        Weight of the newest trace in the mean, in (0, 1].
    background : (width,) float64 array
        State: the mean before the first trace on entry, after the last on exit.
    tally : (1,) int64 array
        State: whether the background holds anything yet, 1 or 0.

    Returns
    -------
    are_finite : bool
        Whether all residuals are finite numbers, looked for while they are at hand.
    """
    n_traces, width = samples.shape
    most = np.int32(0)
    for i in range(n_traces):
        trace = samples[i]
        residual = out[i]
        if not is_usable[i]:
            residual[:] = 0.0
            continue
        if tally[0] == 0:
            tally[0] = 1
            copy_row(trace, background)
        for j in range(width):
            difference = np.float64(trace[j]) - background[j]
            residual[j] = difference
            background[j] += weight * difference
        most = greatest_of(residual.view(np.int32), most)
    return is_number(most)


@jit
def subtract_guarded_mean(
    samples, is_usable, weight, ratio, n_learn, most, background, level, counts, out
):
    """
    Subtract the weighted mean of earlier traces, which stays as it is over strong echoes.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        Traces in recording order; `out` is overwritten with the residuals, zero where a
        trace is not usable.
    is_usable : (n_traces,) bool array
    weight : float
        Weight of the newest trace in the mean, in (0, 1].
    ratio : float
        Energy of a residual over the mean energy above which nothing is learnt from it.
    n_learn : int
        Traces that are learnt from whatever their energy, after the first.
    most : int
        Traces in a row that may be left out.
    background : (n_channels, n_samples) float64 array
        State: the mean before the first trace on entry, after the last on exit.
    level : (n_channels,) float64 array
        State: mean energy of the residuals that were learnt from.
    counts : (n_channels, 2) int64 array
        State: traces learnt from, and left out in a row.
    """
    n_traces, n_channels, n_samples = samples.shape
    for i in range(n_traces):
        if not is_usable[i]:
            out[i] = 0.0
            continue
        for c in range(n_channels):
            trace, residual, mean = samples[i, c], out[i, c], background[c]
            n_learnt = counts[c, 0]
            if n_learnt == 0:
                copy_row(trace, mean)
            energy = 0.0
            for j in range(n_samples):
                difference = np.float64(trace[j]) - mean[j]
                residual[j] = difference
                energy += difference * difference
            if n_learnt <= n_learn or energy <= ratio * level[c]:
                counts[c, 1] = 0
            elif counts[c, 1] < most:
                counts[c, 1] += 1
                continue
            for j in range(n_samples):
                mean[j] += weight * (np.float64(trace[j]) - mean[j])
            if n_learnt > 0:  # the first residual is zero by definition
                level[c] += max(weight, 1.0 / n_learnt) * (energy - level[c])
            counts[c, 0] = n_learnt + 1

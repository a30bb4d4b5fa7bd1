"""Kernels that follow the level of a lane and leave it as it is over targets."""

import numpy as np

from ._jit import jit
from .sorted_values import enter, leave, middle


@jit
def subtract_guarded_median(
    samples, is_usable, ratio, most, ring, windows, counts, out, is_learnt
):
    """
    Subtract the median of earlier traces, which strong residuals do not enter.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        Traces in recording order; `out` is overwritten with the residuals, zero where a
        trace is not usable.
    is_usable : (n_traces,) bool array
    ratio : float
        Energy of a residual over the median energy above which nothing is learnt from it,
        once the window is full; negative to learn always.
    most : int
        Traces in a row that may be left out.
    ring : (n_channels, size, n_samples + 1) float64 array
        State: the last traces that were learnt from, and the energies of their residuals.
    windows : (n_channels, n_samples + 1, size) float64 array
        State: the same, each sample sorted.
    counts : (n_channels, 3) int64 array
        State: traces in the window, the row of the oldest, and traces left out in a row.
    is_learnt : (n_traces, n_channels) bool array
        Overwritten: whether the trace entered the window.
    """
    n_traces, n_channels, n_samples = samples.shape
    size = ring.shape[1]
    for k in range(n_traces):
        for c in range(n_channels):
            trace = samples[k, c]
            residual = out[k, c]
            is_learnt[k, c] = False
            if not is_usable[k]:
                residual[:] = 0.0
                continue
            window = windows[c]
            count = counts[c, 0]
            energy = 0.0
            for j in range(n_samples):
                # the first trace is its own level
                level = middle(window[j], count) if count > 0 else np.float64(trace[j])
                difference = trace[j] - level
                residual[j] = difference
                energy += difference * difference
            is_strong = False
            if count == size and ratio >= 0:
                is_strong = energy > ratio * middle(window[n_samples], count)
            if is_strong and counts[c, 2] < most:
                counts[c, 2] += 1
                continue
            if not is_strong:
                counts[c, 2] = 0
            oldest = ring[c, counts[c, 1]]
            for j in range(n_samples + 1):
                value = np.float64(trace[j]) if j < n_samples else energy
                if count == size:
                    leave(window[j], count, oldest[j])
                    enter(window[j], count - 1, value)
                else:
                    enter(window[j], count, value)
                oldest[j] = value
            counts[c, 0] = min(count + 1, size)
            counts[c, 1] = (counts[c, 1] + 1) % size
            is_learnt[k, c] = True

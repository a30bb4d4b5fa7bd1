"""Kernels that filter each trace along its own two-way time."""

import numpy as np

from ._jit import jit
from .finite import greatest_of, is_number
from .window_sums import copy_squares, copy_values, lead_of, scale_of, sum_beside, total_of


@jit
def subtract_centred_mean(samples, half_width, steps, shares, sums, out):
    """
    Subtract from each sample the mean of the samples around it.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten with the residuals.
    half_width : int
        Samples on each side; windows shrink at the ends of a trace.
    steps : (n_steps, 2) int64 array
        How sums over as many samples are put together, as of `sum_beside`.
    shares : (n_samples,) float32 array
        One over the number of samples in each window.
    sums : (3, width) float32 array
        As `sum_beside` takes them.

    Returns
    -------
    are_finite : bool
        Whether all results are finite numbers, looked for while they are at hand.
    """
    most = np.int32(0)
    for i in range(len(samples)):
        trace = samples[i]
        copy_values(trace, half_width, sums)
        beside = sums[sum_beside(half_width, steps, sums)]
        subtract_share(trace, half_width, beside, shares, out[i])
        most = greatest_of(out[i].view(np.int32), most)
    return is_number(most)


@jit
def divide_by_rms(samples, half_width, steps, shares, sums, floor, out):
    """
    Divide each sample by the root mean square of the samples around it.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten; zeros where a trace is zero all along.
    half_width : int
        Samples on each side; windows shrink at the ends of a trace.
    steps : (n_steps, 2) int64 array
        How sums over as many squares are put together, as of `sum_beside`.
    shares : (n_samples,) float32 array
        One over the number of samples in each window.
    sums : (3, width) float32 array
        As `sum_beside` takes them.
    floor : float
        Least root mean square that counts, as a share of that of the trace.

    Returns
    -------
    are_finite : bool
        Whether all results are finite numbers, looked for while they are at hand.
    """
    most = np.int32(0)
    for i in range(len(samples)):
        divide_trace(samples[i], half_width, steps, shares, sums, floor, out[i])
        most = greatest_of(out[i].view(np.int32), most)
    return is_number(most)


@jit
def divide_trace(trace, half_width, steps, shares, sums, floor, out):
    """Divide the samples of one trace as `divide_by_rms` does it."""
    scale = scale_of(trace)  # no square leaves the numbers
    if scale == 0.0:
        out[:] = 0.0
        return
    copy_squares(trace, scale, half_width, sums)
    beside = sums[sum_beside(half_width, steps, sums)]
    whole = total_of(len(trace), half_width, beside)
    least = np.float32(floor * floor * whole / len(trace))
    lead = lead_of(half_width)
    squares = sums[0][lead:]
    before, after = beside[lead - half_width :], beside[lead + 1 :]
    _divide(trace, scale, squares, before, after, shares, least, out)


@jit
def _divide(trace, scale, squares, before, after, shares, least, out):
    """Give scaled samples over the roots of the means of squares around them."""
    for j in range(len(out)):
        mean = max((squares[j] + (before[j] + after[j])) * shares[j], least)
        out[j] = scale * trace[j] / np.sqrt(mean)


@jit
def subtract_share(trace, half_width, beside, shares, out):
    """Give the samples of one trace less the means of the samples around them."""
    lead = lead_of(half_width)
    before, after = beside[lead - half_width :], beside[lead + 1 :]
    for j in range(len(out)):
        out[j] = trace[j] - (trace[j] + (before[j] + after[j])) * shares[j]

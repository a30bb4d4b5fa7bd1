"""A kernel that runs three operations on a trace while it lies in the nearest cache."""

import numpy as np

from ._jit import jit
from .copying import copy_row
from .fast_time import divide_trace, subtract_share
from .finite import greatest_of, is_number
from .window_sums import copy_values, sum_beside


@jit
def prepare_traces(
    samples,
    is_usable,
    half_width,
    steps,
    shares,
    sums,
    weight,
    background,
    has_begun,
    reach,
    other_steps,
    other_shares,
    other_sums,
    floor,
    rest,
    out,
):
    """
    Subtract from each trace its slow part, then a background; divide by the strength left.

    The operations are those of `subtract_centred_mean`, `subtract_running_mean` and
    `divide_by_rms`, to the last bit: the same sums in the same order, in fewer passes.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        `out` is overwritten; zero where a trace is not usable.
    is_usable : (n_traces,) bool array
        Whether a trace counts.
    half_width : int
        Of the mean along a trace, samples on each side.
    steps : (n_steps, 2) int64 array
        How sums over as many samples are put together, as of `sum_beside`.
    shares : (n_samples,) float32 array
        One over the number of samples in each window of that mean.
    sums : (3, width) float32 array
        As `sum_beside` takes them.
    weight : float
        Weight of the newest trace in the background, in (0, 1].
    background : (n_channels, n_samples) float64 array
        State: the background before the first trace on entry, after the last on exit.
    has_begun : (n_channels,) bool array
        State: whether the background holds anything yet.
    reach : int
        Of the strength along a trace, samples on each side.
    other_steps, other_shares, other_sums
        As `steps`, `shares` and `sums`, of the strength.
    floor : float
        Least strength that counts, as a share of that of the trace.
    rest : (n_samples,) float32 array
        Overwritten.

    Returns
    -------
    are_finite : bool
        Whether all results are finite numbers, looked for while they are at hand.
    """
    n_traces, n_channels, _ = samples.shape
    most = np.int32(0)
    for i in range(n_traces):
        for c in range(n_channels):
            trace, mean, equalised = samples[i, c], background[c], out[i, c]
            if not is_usable[i]:
                equalised[:] = 0.0
                continue
            copy_values(trace, half_width, sums)
            beside = sums[sum_beside(half_width, steps, sums)]
            level = equalised
            subtract_share(trace, half_width, beside, shares, level)
            if not has_begun[c]:
                has_begun[c] = True
                copy_row(level, mean)
            _subtract_mean(level, weight, mean, rest)
            divide_trace(rest, reach, other_steps, other_shares, other_sums, floor, equalised)
            most = greatest_of(equalised.view(np.int32), most)
    return is_number(most)


@jit
def _subtract_mean(trace, weight, mean, out):
    """Give a trace without a mean that then learns from it."""
    for j in range(len(out)):
        difference = np.float64(trace[j]) - mean[j]
        out[j] = difference
        mean[j] += weight * difference

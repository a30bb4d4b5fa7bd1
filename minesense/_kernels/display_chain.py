"""A kernel that runs three operations on a trace while it lies in the nearest cache."""

from ._jit import jit
from .fast_time import divide_by_rms, subtract_centred_mean
from .running_mean import subtract_running_mean


@jit
def prepare_traces(samples, is_usable, drift, background, gain, scratch, out):
    """
    Subtract from each trace its slow part, then a background; divide by the strength left.

    Each operation is that of the kernel alone, to the last bit, one trace at a time.

    Parameters
    ----------
    samples, out : (n_traces, n_channels, n_samples) float32 array
        `out` is overwritten.
    is_usable : (n_traces,) bool array
        Whether a trace counts.
    drift : tuple
        What `subtract_centred_mean` takes between input and output.
    background : tuple
        What `subtract_running_mean` takes so.
    gain : tuple
        What `divide_by_rms` takes so.
    scratch : (2, n_channels, n_samples) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_samples = samples.shape
    weight, mean, tally = background
    half_width, shares, sums, total = drift
    reach, floor, other_shares, other_sums, other_total = gain
    for i in range(n_traces):
        if not is_usable[i]:
            out[i] = 0.0
            continue
        # each step from one row to another: in place the compiler would take single values
        level = scratch[0]
        rest = scratch[1]
        subtract_centred_mean(samples[i], half_width, shares, sums, total, level)
        subtract_running_mean(
            level.reshape(1, n_channels * n_samples),
            is_usable[i : i + 1],
            weight,
            mean,
            tally,
            rest.reshape(1, n_channels * n_samples),
        )
        divide_by_rms(rest, reach, floor, other_shares, other_sums, other_total, out[i])

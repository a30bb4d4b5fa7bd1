"""Kernels that filter each trace along its own two-way time."""

import math

import numpy as np

from ._jit import jit


@jit
def subtract_centred_mean(samples, half_width, shares, sums, total, out):
    """
    Subtract from each sample the mean of the samples around it.

    The sum over a window is put together from sums over 1, 2, 4, ... samples: as many
    passes as the window's length has binary digits, each over contiguous samples.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten with the residuals.
    half_width : int
        Samples on each side; windows shrink at the ends of a trace.
    shares : (n_samples,) float32 array
        One over the number of samples in each window.
    sums : (2, n_samples + 2 half_width) float32 array
        Overwritten.
    total : (n_samples,) float32 array
        Overwritten.
    """
    for i in range(len(samples)):
        trace, residual = samples[i], out[i]
        _sum_around(trace, half_width, sums, total)
        for j in range(len(trace)):
            residual[j] = trace[j] - total[j] * shares[j]


@jit
def divide_by_rms(samples, half_width, floor, shares, sums, total, out):
    """
    Divide each sample by the root mean square of the samples around it.

    Sums of squares are put together as in `subtract_centred_mean`: nothing is taken off
    again, so that little is lost behind a strong pulse.

    Parameters
    ----------
    samples, out : (n_traces, n_samples) float32 array
        `out` is overwritten; zeros where a trace is zero all along.
    half_width : int
        Samples on each side; windows shrink at the ends of a trace.
    floor : float32
        Least root mean square that counts, as a share of that of the trace.
    shares : (n_samples,) float32 array
        One over the number of samples in each window.
    sums : (2, n_samples + 2 half_width) float32 array
        Overwritten.
    total : (n_samples,) float32 array
        Overwritten.
    """
    least = floor * floor
    for i in range(len(samples)):
        trace, equalised = samples[i], out[i]
        whole = _sum_squares(trace)
        if whole == 0.0:
            equalised[:] = 0.0
            continue
        scale = np.float32(math.sqrt(len(trace) / whole))  # no square leaves the numbers
        for j in range(len(trace)):
            equalised[j] = (scale * trace[j]) * (scale * trace[j])
        _sum_around(equalised, half_width, sums, total)
        for j in range(len(trace)):
            mean = max(total[j] * shares[j], least)
            equalised[j] = scale * trace[j] / np.sqrt(mean)


@jit
def _sum_squares(values):
    """Return the sum of squares, in four sums that need not wait for each other."""
    a = b = c = d = 0.0
    n = len(values) // 4 * 4
    for j in range(0, n, 4):
        p, q = np.float64(values[j]), np.float64(values[j + 1])
        r, s = np.float64(values[j + 2]), np.float64(values[j + 3])
        a += p * p
        b += q * q
        c += r * r
        d += s * s
    for j in range(n, len(values)):
        a += np.float64(values[j]) * np.float64(values[j])
    return (a + b) + (c + d)


@jit
def _sum_around(values, half_width, sums, total):
    """Overwrite a total with the sums of the values around each one."""
    n_samples, length = len(values), 2 * half_width + 1
    padded = sums[0]
    for j in range(half_width):
        padded[j] = 0.0
        padded[half_width + n_samples + j] = 0.0
    inner = padded[half_width : half_width + n_samples]
    for j in range(n_samples):
        inner[j] = values[j]
        total[j] = 0.0
    done = 0  # samples of the window that are in the total
    span = 1  # samples in a sum, which stands where they start
    now = 0
    while span <= length:
        if length & span:
            _accumulate(sums[now, done : done + n_samples], total)
            done += span
        if 2 * span <= length:
            n_sums = n_samples + length - 2 * span
            _add(sums[now, :n_sums], sums[now, span : span + n_sums], sums[1 - now])
        now = 1 - now
        span *= 2


@jit
def _accumulate(part, total):
    """Add a part to the total."""
    for j in range(len(total)):
        total[j] += part[j]


@jit
def _add(first, second, out):
    """Give the sum of two rows in the beginning of a third."""
    for j in range(len(first)):
        out[j] = first[j] + second[j]

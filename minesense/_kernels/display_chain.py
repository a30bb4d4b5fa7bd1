"""A kernel that runs three operations on a trace while it lies in the nearest cache."""

import math

import numpy as np

from ._jit import jit


@jit
def prepare_traces(
    samples,
    is_usable,
    half_width,
    shares,
    weight,
    background,
    has_begun,
    reach,
    floor,
    other_shares,
    level,
    rest,
    sums,
    total,
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
    shares : (n_samples,) float32 array
        One over the number of samples in each window of that mean.
    weight : float
        Weight of the newest trace in the background, in (0, 1].
    background : (n_channels, n_samples) float64 array
        State: the background before the first trace on entry, after the last on exit.
    has_begun : (n_channels,) bool array
        State: whether the background holds anything yet.
    reach : int
        Of the strength along a trace, samples on each side.
    floor : float32
        Least strength that counts, as a share of that of the trace.
    other_shares : (n_samples,) float32 array
        One over the number of samples in each window of the strength.
    level, rest : (n_samples,) float32 array
        Overwritten.
    sums : (2, n_samples + 2 max(half_width, reach)) float32 array
        Overwritten.
    total : (n_samples,) float32 array
        Overwritten.
    """
    n_traces, n_channels, n_samples = samples.shape
    least = floor * floor
    for i in range(n_traces):
        for c in range(n_channels):
            trace, mean, equalised = samples[i, c], background[c], out[i, c]
            if not is_usable[i]:
                equalised[:] = 0.0
                continue
            _sum_around(trace, half_width, sums, total)
            _subtract_share(trace, total, shares, level)
            if not has_begun[c]:
                has_begun[c] = True
                mean[:] = level
            _subtract_mean(level, weight, mean, rest)
            whole = _sum_squares(rest)
            if whole == 0.0:
                equalised[:] = 0.0
                continue
            scale = np.float32(math.sqrt(n_samples / whole))  # no square leaves the numbers
            _square(rest, scale, level)
            _sum_around(level, reach, sums, total)
            _divide(rest, total, other_shares, scale, least, equalised)


@jit
def _subtract_share(trace, total, shares, out):
    """Give a trace without its shares of a total."""
    for j in range(len(out)):
        out[j] = trace[j] - total[j] * shares[j]


@jit
def _subtract_mean(trace, weight, mean, out):
    """Give a trace without a mean that then learns from it."""
    for j in range(len(out)):
        difference = np.float64(trace[j]) - mean[j]
        out[j] = difference
        mean[j] += weight * difference


@jit
def _square(trace, scale, out):
    """Give the squares of a scaled trace."""
    for j in range(len(out)):
        out[j] = (scale * trace[j]) * (scale * trace[j])


@jit
def _divide(trace, total, shares, scale, least, out):
    """Give a scaled trace over the root of its share of a total."""
    for j in range(len(out)):
        mean = max(total[j] * shares[j], least)
        out[j] = scale * trace[j] / np.sqrt(mean)


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
    """
    Overwrite a total with the sums of the values around each one.

    A window is put together from sums over 1, 2, 4, ... values, as `subtract_centred_mean`
    does it; those over 2, 8, 32, ... are added where they are needed and not stored.
    """
    n_samples = len(values)
    length = 2 * half_width + 1
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
        part = sums[now]
        digit = length // span % 4
        if digit == 3:
            _add_three(part[done : done + n_samples + 2 * span], span, total)
        elif digit == 2:
            _add_two(part[done : done + n_samples + span], span, total)
        elif digit == 1:
            _add_one(part[done : done + n_samples], total)
        done += digit * span
        if 4 * span <= length:
            _add_four(part, span, n_samples + length - 4 * span, sums[1 - now])
        now = 1 - now
        span *= 4


@jit
def _add_one(part, total):
    """Add to the total the sums over one span."""
    for j in range(len(total)):
        total[j] += part[j]


@jit
def _add_two(part, span, total):
    """Add to the total the sums over two spans."""
    second = part[span:]
    for j in range(len(total)):
        total[j] += part[j] + second[j]


@jit
def _add_three(part, span, total):
    """Add to the total the sums over one span, then those over the two behind it."""
    second = part[span:]
    third = part[2 * span :]
    for j in range(len(total)):
        total[j] = total[j] + part[j] + (second[j] + third[j])


@jit
def _add_four(part, span, n, out):
    """Give the sums over four spans."""
    second = part[span:]
    third = part[2 * span :]
    fourth = part[3 * span :]
    for j in range(n):
        out[j] = (part[j] + second[j]) + (third[j] + fourth[j])

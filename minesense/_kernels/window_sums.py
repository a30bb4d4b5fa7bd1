"""Kernels that sum the values around each value of a row."""

import numpy as np

from ._jit import jit


@jit
def lead_of(half_width):
    """
    Return how many zeros stand before the values of a row, at least as many as a side holds.

    A row of sums begins with a multiple of 16 zeros and goes on with zeros behind its values,
    so that windows may reach beyond both ends. These zeros are never written to.
    """
    return (half_width + 15) // 16 * 16


@jit
def copy_values(values, half_width, sums):
    """Put values into the first of the rows of `sum_beside`."""
    row = sums[0][lead_of(half_width) :][: len(values)]
    for j in range(len(values)):
        row[j] = values[j]


@jit
def copy_squares(values, scale, half_width, sums):
    """Put the squares of scaled values into the first of the rows of `sum_beside`."""
    row = sums[0][lead_of(half_width) :][: len(values)]
    for j in range(len(values)):
        row[j] = (scale * values[j]) * (scale * values[j])


@jit
def sum_beside(half_width, steps, sums):
    """
    Sum as many values of a row as its windows reach to each side; return where the sums are.

    The window of a value is the value and what stands on its two sides, and sums over one
    side are put together from shorter ones. Nothing is ever taken off a sum, so that little
    is lost beside a strong pulse, and every pass goes over contiguous values.

    Parameters
    ----------
    half_width : int
        Values on each side.
    steps : (n_steps, 2) int64 array
        How the sums grow to that length: those over `span` values become those over
        `steps[i, 0] * span + steps[i, 1]`, of 2 to 5 sums and no or one value.
    sums : (3, width) float32 array
        The values in its first row, behind `lead_of` zeros and before as many or more; the
        others are overwritten but for their last zeros.

    Returns
    -------
    row : int
        Which row of `sums` then holds the sums over the values from each one on.
    """
    values = sums[0]
    beside = values
    span = 1
    # sums that start behind the last value are zero already
    n_sums = len(values) - lead_of(half_width)
    for i in range(len(steps)):
        times = steps[i, 0]
        longer = sums[1 + i % 2]
        if steps[i, 1] == 0:
            _repeat(beside, span, times, longer[:n_sums])
        else:
            _repeat_and_one(beside, span, times, values[times * span :], longer[:n_sums])
        beside = longer
        span = times * span + steps[i, 1]
    return 1 + (len(steps) - 1) % 2 if len(steps) > 0 else 0


@jit
def scale_of(values):
    """
    Return a power of two that brings the greatest magnitude of a row between 1 and 2.

    Parameters
    ----------
    values : (n,) float32 array

    Returns
    -------
    scale : float32
        Zero if all values are zero. Of magnitudes below 1.2e-38, which have fewer digits,
        the greatest comes to less than 1.
    """
    bits = values.view(np.int32)  # of magnitudes, in the same order as these
    most = np.int32(0)
    for j in range(len(bits)):
        most = max(most, bits[j] & np.int32(0x7FFFFFFF))
    if most == 0:
        return np.float32(0.0)
    return np.float32(2.0 ** (127 - (most >> 23)))


@jit
def total_of(n_values, half_width, beside):
    """Return the sum of all values of a row from the sums over `half_width` of them."""
    total = 0.0
    lead = lead_of(half_width)
    for j in range(lead, lead + n_values, half_width):
        total += np.float64(beside[j])
    return total


@jit
def _repeat(part, span, times, out):
    """Give the sums over 2 to 5 spans."""
    second = part[span:]
    if times == 2:
        for j in range(len(out)):
            out[j] = part[j] + second[j]
        return
    third = part[2 * span :]
    if times == 3:
        for j in range(len(out)):
            out[j] = part[j] + (second[j] + third[j])
        return
    fourth = part[3 * span :]
    if times == 4:
        for j in range(len(out)):
            out[j] = (part[j] + second[j]) + (third[j] + fourth[j])
        return
    fifth = part[4 * span :]
    for j in range(len(out)):
        out[j] = (part[j] + second[j]) + (third[j] + fourth[j]) + fifth[j]


@jit
def _repeat_and_one(part, span, times, ones, out):
    """Give the sums over 2 to 5 spans and the value behind them."""
    second = part[span:]
    if times == 2:
        for j in range(len(out)):
            out[j] = (part[j] + second[j]) + ones[j]
        return
    third = part[2 * span :]
    if times == 3:
        for j in range(len(out)):
            out[j] = (part[j] + second[j]) + (third[j] + ones[j])
        return
    fourth = part[3 * span :]
    if times == 4:
        for j in range(len(out)):
            out[j] = (part[j] + second[j]) + (third[j] + fourth[j]) + ones[j]
        return
    fifth = part[4 * span :]
    for j in range(len(out)):
        out[j] = (part[j] + second[j]) + (third[j] + fourth[j]) + (fifth[j] + ones[j])

"""Kernels that image a radar profile: sums along diffractions, and Stolt's mapping."""

import numpy as np

from ._jit import jit


@jit
def difference_side_by_side(samples, is_usable, channel, begin, tile):
    """
    Put differences along time of consecutive traces side by side.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces of two samples or more.
    is_usable : (n_traces,) bool array
        A trace that is not usable counts as zero, like those beyond the lane.
    channel, begin : int
        Which channel; which trace is in column 0, negative ahead of the lane.
    tile : (n_samples, n_columns) float32 array
        Overwritten with the differences from the sample before to the one after, at the
        ends of a trace with twice the difference from the last sample to its neighbour.
    """
    n_samples, n_columns = tile.shape
    n_traces = len(samples)
    n_side = 16  # columns at a time: a line of the cache
    for left in range(0, n_columns, n_side):
        right = min(left + n_side, n_columns)
        for j in range(n_samples):
            before = max(j - 1, 0)
            after = min(j + 1, n_samples - 1)
            factor = np.float32(2.0 / (after - before))
            row = tile[j, left:right]
            for m in range(right - left):
                i = begin + left + m
                if 0 <= i < n_traces and is_usable[i]:
                    trace = samples[i, channel]
                    row[m] = factor * (trace[after] - trace[before])
                else:
                    row[m] = 0.0


@jit
def sum_diffractions(tile, counts, rows, lower, upper, totals, channel, first, out):
    """
    Sum weighted values along the diffractions that belong to a block of traces.

    The traces as far behind as ahead are added first, since they share row and weight. The
    inner loops run over contiguous traces.

    Parameters
    ----------
    tile : (n_samples, n_halo + n_block + n_halo) float32 array
        Traces side by side; those to be imaged begin at column n_halo.
    counts : (n_samples,) int64 array
        How many offsets, 0 among them, enter the sum of each depth: n_halo + 1 at most.
    rows : (n_samples, n_halo + 1) int64 array
        For each depth and offset in traces the row at or above the diffraction, less than
        n_samples - 1.
    lower, upper : (n_samples, n_halo + 1) float32 array
        Weights of that row and of the one after it.
    totals : (n_samples, n_block) float32 array
        Overwritten.
    channel, first : int
        Where the block goes in `out`.
    out : (n_traces, n_channels, n_samples) float32 array
        Overwritten in n_block traces from `first` on, of one channel.
    """
    n_samples, n_block = totals.shape
    halo = (tile.shape[1] - n_block) // 2
    for j in range(n_samples):
        total = totals[j]
        for m in range(n_block):
            total[m] = 0.0
        for k in range(counts[j]):
            row = rows[j, k]
            a = lower[j, k]
            b = upper[j, k]
            above = tile[row]
            below = tile[row + 1]
            if k == 0:
                _add_two(
                    a, above[halo : halo + n_block], b, below[halo : halo + n_block], total
                )
            else:
                back = halo - k
                ahead = halo + k
                _add_four(
                    a,
                    above[back : back + n_block],
                    above[ahead : ahead + n_block],
                    b,
                    below[back : back + n_block],
                    below[ahead : ahead + n_block],
                    total,
                )
    for m in range(min(n_block, len(out) - first)):
        image = out[first + m, channel]
        for j in range(n_samples):
            image[j] = totals[j, m]


@jit
def _add_two(a, above, b, below, total):
    """Add the weighted sum of two rows to the total."""
    for m in range(len(total)):
        total[m] += a * above[m] + b * below[m]


@jit
def _add_four(a, above, above_too, b, below, below_too, total):
    """Add the weighted sum of two pairs of rows to the total."""
    for m in range(len(total)):
        total[m] += a * (above[m] + above_too[m]) + b * (below[m] + below_too[m])


@jit
def map_frequencies(lines, squares, weights, out):
    """
    Take from each wavenumber's spectrum the frequencies that Stolt's mapping asks for.

    Parameters
    ----------
    lines : (n_wavenumbers, 2 + n_frequencies + 2) complex64 array
        Spectra; frequency m, in steps of the transform, stands in column m + 2.
    squares : (n_wavenumbers,) float64 array
        Square of the frequency below which each wavenumber does not propagate, in steps.
    weights : (n_fine + 1, 4) complex64 array
        Of the two frequencies below and the two above, by fractions of a step in n_fine
        parts.
    out : (n_wavenumbers, n_frequencies) complex64 array
        Overwritten: column j holds the values at sqrt(j^2 + square), times j over that
        root; zero beyond the last frequency.
    """
    n_wavenumbers, n_frequencies = out.shape
    n_fine = len(weights) - 1
    for m in range(n_wavenumbers):
        line = lines[m]
        row = out[m]
        square = squares[m]
        for j in range(n_frequencies):
            u = np.sqrt(j * j + square)
            if u > n_frequencies - 1:
                row[j] = 0.0
                continue
            low = int(u)
            taps = weights[int((u - low) * n_fine + 0.5)]
            near = line[low + 1 : low + 5]
            total = taps[0] * near[0] + taps[1] * near[1]
            total += taps[2] * near[2] + taps[3] * near[3]
            # at u = 0 nothing is mapped: the mean stays the mean
            row[j] = total * np.float32(j / u if u > 0.0 else 1.0)


@jit
def remove_air_leg(squares, air_squares, turn, out):
    """
    Take the way through air off a mapped spectrum, and what does not propagate there.

    Parameters
    ----------
    squares, air_squares : (n_wavenumbers,) float64 array
        Squares of the frequencies below which each wavenumber does not propagate in the
        ground and in air, in steps of the transform.
    turn : float
        Phase of one step of frequency over the way down and back, in rad.
    out : (n_wavenumbers, n_frequencies) complex64 array
        As :func:`map_frequencies` leaves it; overwritten.
    """
    n_wavenumbers, n_frequencies = out.shape
    for m in range(n_wavenumbers):
        row = out[m]
        for j in range(n_frequencies):
            square = j * j + squares[m] - air_squares[m]
            if square < 0.0:
                row[j] = 0.0
            else:
                phase = turn * np.sqrt(square)
                row[j] *= np.complex64(complex(np.cos(phase), np.sin(phase)))


@jit
def continue_downward(borders, legs, turn, n_hidden, real, imag, turns, sums):
    """
    Continue spectra downward leg by leg, and sum them over frequency after each.

    Parameters
    ----------
    borders : (n_legs, n_wavenumbers) float64 array
        Frequency below which each wavenumber does not propagate in a leg, in steps of the
        transform.
    legs : (n_legs,) float64 array
        Two-way time of each leg.
    turn : float
        Phase of one step of frequency in a unit of time, in rad.
    n_hidden : int
        How many of the first legs lead to nothing that is asked for.
    real, imag : (n_frequencies, n_wavenumbers) float32 array
        The spectra; overwritten.
    turns : (2, n_frequencies, n_wavenumbers) float32 array
        Overwritten.
    sums : (2, n_legs - n_hidden, n_wavenumbers) float32 array
        Overwritten with real and imaginary parts.
    """
    n_frequencies, n_wavenumbers = real.shape
    for s in range(len(legs)):
        if s == 0 or legs[s] != legs[s - 1] or (borders[s] != borders[s - 1]).any():
            for j in range(n_frequencies):
                for m in range(n_wavenumbers):
                    square = j * j - borders[s, m] * borders[s, m]
                    if square < 0.0:
                        turns[0, j, m] = 0.0
                        turns[1, j, m] = 0.0
                    else:
                        phase = turn * legs[s] * np.sqrt(square)
                        turns[0, j, m] = np.cos(phase)
                        turns[1, j, m] = np.sin(phase)
        row = max(s - n_hidden, 0)  # what hidden legs sum is overwritten
        sum_real = sums[0, row]
        sum_imag = sums[1, row]
        for m in range(n_wavenumbers):
            sum_real[m] = 0.0
            sum_imag[m] = 0.0
        for j in range(n_frequencies):
            _turn_and_add(real[j], imag[j], turns[0, j], turns[1, j], sum_real, sum_imag)


@jit
def _turn_and_add(real, imag, cos, sin, sum_real, sum_imag):
    """Turn phasors side by side, and add them to sums."""
    for m in range(len(real)):
        x = real[m] * cos[m] - imag[m] * sin[m]
        y = real[m] * sin[m] + imag[m] * cos[m]
        real[m] = x
        imag[m] = y
        sum_real[m] += x
        sum_imag[m] += y

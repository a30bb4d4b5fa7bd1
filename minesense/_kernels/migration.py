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
def lay_side_by_side(samples, is_usable, channel, first, gain, rows):
    """
    Put samples of all traces at consecutive times into rows, times a gain for each time.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) float32 array
        Traces; one that is not usable counts as zero.
    is_usable : (n_traces,) bool array
        Which are.
    channel, first : int
        Which channel; which sample goes to row 0.
    gain : (n_rows,) float32 array
        For each row.
    rows : (n_rows, n_columns) float32 array
        Overwritten; columns from n_traces on with zeros.
    """
    n_traces = len(samples)
    n_rows, n_columns = rows.shape
    for i in range(n_traces):
        if is_usable[i]:
            trace = samples[i, channel]
            for m in range(n_rows):
                rows[m, i] = gain[m] * trace[first + m]
        else:
            for m in range(n_rows):
                rows[m, i] = 0.0
    for m in range(n_rows):
        for i in range(n_traces, n_columns):
            rows[m, i] = 0.0


@jit
def stand_upright(rows, channel, first, image):
    """
    Put rows back into consecutive samples of traces.

    Parameters
    ----------
    rows : (n_rows, n_columns) float32 array
        As :func:`lay_side_by_side` lays them.
    channel, first : int
        Which channel; which sample row 0 becomes.
    image : (n_traces, n_channels, n_samples) float32 array
        Overwritten in n_rows samples of one channel.
    """
    n_rows = len(rows)
    for i in range(len(image)):
        trace = image[i, channel]
        for m in range(n_rows):
            trace[first + m] = rows[m, i]


@jit
def take_columns(rows, first, out):
    """
    Put consecutive columns into rows, one after the other.

    Parameters
    ----------
    rows : (n, n_columns) complex64 array
        Where columns are taken from.
    first : int
        The first of them.
    out : (n_taken, n or more) complex64 array
        Overwritten in its first n columns.
    """
    for j in range(len(rows)):
        row = rows[j, first : first + len(out)]
        for m in range(len(row)):
            out[m, j] = row[m]


@jit
def put_columns(lines, first, rows):
    """
    Put lines into consecutive columns, as :func:`take_columns` takes them.

    Parameters
    ----------
    lines : (n_put, n or more) complex64 array
        The columns.
    first : int
        Where the first of them goes.
    rows : (n, n_columns) complex64 array
        Overwritten in n_put columns.
    """
    n_side = 8  # a line of the cache
    for top in range(0, len(rows), n_side):
        for left in range(0, len(lines), n_side):
            right = min(left + n_side, len(lines))
            for j in range(top, min(top + n_side, len(rows))):
                row = rows[j, first + left : first + right]
                for m in range(right - left):
                    row[m] = lines[left + m, j]


@jit
def map_frequencies(lines, squares, weights, turns, places, parts, shares, out):
    """
    Take from each wavenumber's spectrum the frequencies that Stolt's mapping asks for.

    Complex numbers are pairs of real and imaginary part.

    Parameters
    ----------
    lines : (n_wavenumbers, 2 * (1 + 2 n + 2)) float32 array
        Spectra of a transform of length 2 n in the order of ``numpy.fft``, behind a copy of
        its last number and before copies of its first two.
    squares : (n_wavenumbers,) float64 array
        Square of the frequency below which each wavenumber does not propagate, in steps.
    weights : (n_fine + 1, 2 * 4) float32 array
        Of the two frequencies below and the two above, by fractions of a step in n_fine
        parts; for negative frequencies their conjugates.
    turns : (n + 1,) complex64 array
        What a value is multiplied by, depending on the frequency below it, its conjugate
        for negative ones; empty if by nothing.
    places, parts : (n + 1,) int32 array
        Overwritten.
    shares : (n + 1,) float32 array
        Overwritten.
    out : (n_wavenumbers, 2 * 2 n) float32 array
        Overwritten: numbers j and 2 n - j hold the values at the frequencies
        sqrt(j^2 + square) and minus that, times j over that root, number n that at n; zero
        beyond n.
    """
    n = len(places) - 1
    n_fine = len(weights) - 1
    for m in range(len(lines)):
        line = lines[m]
        row = out[m]
        square = squares[m]
        for j in range(n + 1):
            u = np.sqrt(j * j + square)
            low = np.int32(u)
            places[j] = low
            parts[j] = np.int32((u - low) * n_fine + 0.5)
            # at u = 0 nothing is mapped: the mean stays the mean
            shares[j] = j / u if u > 0.0 else 1.0
        n_in = n + 1
        while n_in > 0 and np.sqrt((n_in - 1) * (n_in - 1) + square) > n:
            n_in -= 1
        for j in range(2 * max(n_in, 0), 2 * (2 * n - max(n_in, 1) + 1)):
            row[j] = 0.0
        for j in range(n_in):
            # unsigned: a sign would have to be looked at for every value
            k = np.uint64(2 * places[j])
            taps = weights[parts[j]]
            share = shares[j]
            real, imag = _sum_ahead(taps, line, k)
            row[2 * j] = share * real
            row[2 * j + 1] = share * imag
            if 0 < j < n:  # 0 and n stand for both signs
                real, imag = _sum_behind(taps, line, np.uint64(4 * n - 2) - k)
                row[2 * (2 * n - j)] = share * real
                row[2 * (2 * n - j) + 1] = share * imag
        if len(turns):
            for j in range(n_in):
                turn = turns[places[j]]
                _turn(row, 2 * j, turn.real, turn.imag)
                if 0 < j < n:
                    _turn(row, 2 * (2 * n - j), turn.real, -turn.imag)


@jit
def _turn(row, k, cos, sin):
    """Multiply the complex number that begins at k."""
    real = row[k] * cos - row[k + 1] * sin
    row[k + 1] = row[k] * sin + row[k + 1] * cos
    row[k] = real


@jit
def _sum_ahead(taps, line, k):
    """Return real and imaginary part of the sum of four products from k on."""
    a = line[k]
    b = line[k + np.uint64(1)]
    c = line[k + np.uint64(2)]
    d = line[k + np.uint64(3)]
    e = line[k + np.uint64(4)]
    f = line[k + np.uint64(5)]
    g = line[k + np.uint64(6)]
    h = line[k + np.uint64(7)]
    real = taps[0] * a + taps[2] * c + taps[4] * e + taps[6] * g
    real -= taps[1] * b + taps[3] * d + taps[5] * f + taps[7] * h
    imag = taps[0] * b + taps[2] * d + taps[4] * f + taps[6] * h
    imag += taps[1] * a + taps[3] * c + taps[5] * e + taps[7] * g
    return real, imag


@jit
def _sum_behind(taps, line, k):
    """Return the same with conjugate taps, the first for the last of the four."""
    a = line[k]
    b = line[k + np.uint64(1)]
    c = line[k + np.uint64(2)]
    d = line[k + np.uint64(3)]
    e = line[k + np.uint64(4)]
    f = line[k + np.uint64(5)]
    g = line[k + np.uint64(6)]
    h = line[k + np.uint64(7)]
    real = taps[0] * g + taps[2] * e + taps[4] * c + taps[6] * a
    real += taps[1] * h + taps[3] * f + taps[5] * d + taps[7] * b
    imag = taps[0] * h + taps[2] * f + taps[4] * d + taps[6] * b
    imag -= taps[1] * g + taps[3] * e + taps[5] * c + taps[7] * a
    return real, imag


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
    out : (n_wavenumbers, 2 n) complex64 array
        As :func:`map_frequencies` leaves it; overwritten.
    """
    n_wavenumbers, length = out.shape
    for m in range(n_wavenumbers):
        row = out[m]
        for j in range(length // 2 + 1):
            square = j * j + squares[m] - air_squares[m]
            factor = np.complex64(0.0)
            if square >= 0.0:
                phase = turn * np.sqrt(square)
                factor = np.complex64(complex(np.cos(phase), np.sin(phase)))
            row[j] *= factor
            if 0 < j < length // 2:
                row[length - j] *= factor.conjugate()


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
        if s == 0 or legs[s] != legs[s - 1] or _differ(borders[s], borders[s - 1]):
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
def _differ(one, two):
    """Tell whether any value of a row is another one than in the other row."""
    for m in range(len(one)):
        if one[m] != two[m]:
            return True
    return False


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

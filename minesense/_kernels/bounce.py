"""
Kernels of the ground bounce: facets of a rough surface, sorted into bins of delay.

Spectra are kept in blocks of 64 numbers, 32 real parts and then 32 imaginary parts, as in
`radar`, which adds up all that a radar hears.
"""

import math

import numpy as np

from ._jit import jit
from .rays import interpolate

#: Antennas lower than this many steps of the surface see it in finer facets, at most so many
#: a step.
FINE_HEIGHT = 2.0
FINEST = 16


@jit
def raise_cosine(cosine, exponent):
    """Raise the cosine of the angle at an antenna to a power, fast for 1 and 2."""
    if exponent == 1.0:
        return cosine
    if exponent == 2.0:
        return cosine * cosine
    return cosine**exponent


@jit
def fade_out(distance, start, stop):
    """Fall as cos^2 from 1 at start to 0 at stop; a series keeps the loop vectorised."""
    u = (distance - start) / (stop - start)
    x = math.pi * (min(max(u, 0.0), 1.0) - 0.5)
    x2 = x * x
    sine = x * (1 - x2 / 6 * (1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72 * (1 - x2 / 110)))))
    return 0.5 - 0.5 * sine


@jit
def count_parts(pair, heights, place):
    """Return into how many parts a step is cut to keep facets small for antennas so low."""
    step = place[2]
    least = FINE_HEIGHT * step
    for share in (0.0, 0.5, 1.0):
        e = pair[0] + share * (pair[3] - pair[0])
        n = pair[1] + share * (pair[4] - pair[1])
        up = pair[2] + share * (pair[5] - pair[2])
        ground = interpolate(heights, (e - place[0]) / step, (n - place[1]) / step)
        least = min(least, up - ground)
    if not least < FINE_HEIGHT * step:
        return 1
    return min(FINEST, math.ceil(FINE_HEIGHT * step / max(least, 1e-3)))


@jit
def _refine_row(grid, i, j0, j1, n_parts, row):
    """Fill row[j0 : j1 + 1] with bilinear values of a grid that is n_parts times as fine."""
    last_e, last_n = grid.shape[0] - 2, grid.shape[1] - 2
    above = min(i // n_parts, last_e)
    u = i / n_parts - above
    for j in range(j0, j1 + 1):
        left = min(j // n_parts, last_n)
        v = j / n_parts - left
        low = grid[above, left] + v * (grid[above, left + 1] - grid[above, left])
        high = grid[above + 1, left] + v * (grid[above + 1, left + 1] - grid[above + 1, left])
        row[j] = low + u * (high - low)


@jit
def bin_facets(
    antennas, heights, slope_e, slope_n, place, n_parts, radius, exponent, delay_step, n_bins,
    bins, rows,
):  # fmt: skip
    """
    Put the facets of the surface around the antennas into bins of delay.

    Each facet is spread over four bins as a cubic B-spline, whose spectrum the caller
    divides out. Bins from n_bins on stay empty. Steps of the surface are cut into n_parts,
    heights and slopes interpolated; sizes count in facets of a whole step. Returns the
    first and the last bin in use.
    """
    ce, cn = 0.5 * (antennas[0] + antennas[3]), 0.5 * (antennas[1] + antennas[4])
    te, tn, tu = antennas[0] - ce, antennas[1] - cn, antennas[2]
    re, rn, ru = antennas[3] - ce, antennas[4] - cn, antennas[5]
    east, north, step = place[0], place[1], place[2] / n_parts
    area = 1.0 / (n_parts * n_parts)
    delays, sizes = rows[0], rows[1]
    first, last = len(bins), -1
    i0 = max(0, math.ceil((ce - radius - east) / step))
    i1 = min((heights.shape[0] - 1) * n_parts, math.floor((ce + radius - east) / step))
    for i in range(i0, i1 + 1):
        e = east + i * step - ce
        chord = math.sqrt(max(radius * radius - e * e, 0.0))
        j0 = max(0, math.ceil((cn - chord - north) / step))
        j1 = min((heights.shape[1] - 1) * n_parts, math.floor((cn + chord - north) / step))
        if n_parts == 1:
            ups, easts, norths = heights[i], slope_e[i], slope_n[i]
        else:
            ups, easts, norths = rows[2], rows[3], rows[4]
            _refine_row(heights, i, j0, j1, n_parts, ups)
            _refine_row(slope_e, i, j0, j1, n_parts, easts)
            _refine_row(slope_n, i, j0, j1, n_parts, norths)
        for j in range(j0, j1 + 1):
            n = north + j * step - cn
            up = ups[j]
            a, b, c = te - e, tn - n, tu - up
            d, f, g = re - e, rn - n, ru - up
            rt = math.sqrt(a * a + b * b + c * c)
            rr = math.sqrt(d * d + f * f + g * g)
            he, hn = easts[j], norths[j]
            face = 0.5 * ((c - a * he - b * hn) / rt + (g - d * he - f * hn) / rr)
            shape = raise_cosine(max(c, 0.0) * max(g, 0.0) / (rt * rr), exponent)
            fade = area * fade_out(math.sqrt(e * e + n * n), radius * (2.0 / 3.0), radius)
            delays[j] = (rt + rr) / delay_step
            sizes[j] = max(face, 0.0) * shape * fade / (rt * rr)
        for j in range(j0, j1 + 1):
            at = int(delays[j])
            u = delays[j] - at
            if at + 3 >= n_bins:
                continue  # arrives after the window
            v = 1.0 - u
            size = sizes[j] * (1.0 / 6.0)
            # bins are shifted by one, so that the spline of delay 0 fits
            bins[at] += size * v * v * v
            bins[at + 1] += size * (4.0 - 6.0 * u * u + 3.0 * u * u * u)
            bins[at + 2] += size * (4.0 - 6.0 * v * v + 3.0 * v * v * v)
            bins[at + 3] += size * u * u * u
            first = min(first, at)
            last = max(last, at + 3)
    return first, last


@jit
def add_scaled(size, spectrum, total):
    """Add size * spectrum to the total."""
    for block in range(len(total)):
        row, sums = spectrum[block], total[block]
        for q in range(64):
            sums[q] += size * row[q]


@jit
def add_bins(bins, first, last, phasors, facet, share, total):
    """
    Transform the bins of delay, multiply by the spectrum of a facet, empty the bins.

    That spectrum is the cubic through those of four heights, between the middle two, by
    `share` of the way from the second to the third.
    """
    for block in range(len(total)):
        sums = total[block]
        for q in range(64):
            sums[q] = np.float32(0.0)
    for m in range(first, last + 1):
        add_scaled(np.float32(bins[m]), phasors[m], total)
        bins[m] = 0.0
    s = share
    a = np.float32(-s * (s - 1.0) * (s - 2.0) / 6.0)
    b = np.float32((s + 1.0) * (s - 1.0) * (s - 2.0) / 2.0)
    c = np.float32(-(s + 1.0) * s * (s - 2.0) / 2.0)
    d = np.float32((s + 1.0) * s * (s - 1.0) / 6.0)
    for block in range(len(total)):
        sums = total[block]
        one, two, three, four = (
            facet[0, block],
            facet[1, block],
            facet[2, block],
            facet[3, block],
        )
        for q in range(32):
            p = q + 32
            u, v = sums[q], sums[p]
            x = a * one[q] + b * two[q] + c * three[q] + d * four[q]
            y = a * one[p] + b * two[p] + c * three[p] + d * four[p]
            sums[q] = u * x - v * y
            sums[p] = u * y + v * x


@jit
def bounce_spectra(
    pairs, radii, exponent, heights, place, path_step, phasors, bins, rows, out
):  # fmt: skip
    """
    Sum the facets of a flat surface for some heights, without the spectrum of a facet.

    Parameters
    ----------
    pairs : (n, 6) float64 array
        Transmitter and receiver, m.
    radii : (n,) float64 array
        Of the surface that counts, m.
    exponent : float
        Of the antenna pattern.
    heights : (n_rows, n_columns) float64 array of zeros
        Surface, which also serves as its slopes; `place` holds easting, northing and step.
    path_step : float
        Step of the bins, m.
    phasors, bins, rows
        As in `radar.sum_echoes`.
    out : (n, n_blocks, 64) float32 array
        Overwritten with the sums.
    """
    for i in range(len(out)):
        n_parts = count_parts(pairs[i], heights, place)
        first, last = bin_facets(
            pairs[i], heights, heights, heights, place, n_parts, radii[i], exponent, path_step,
            len(bins), bins, rows,
        )  # fmt: skip
        for block in range(len(out[i])):
            for q in range(64):
                out[i, block, q] = np.float32(0.0)
        for m in range(first, last + 1):
            add_scaled(np.float32(bins[m]), phasors[m], out[i])
            bins[m] = 0.0

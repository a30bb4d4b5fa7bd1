"""
Kernels of the radar forward model: rays through the ground surface, sums of echoes.

Frequencies are k * step for k = 1, 2, ..., so that the phasors of a delay are the powers of
one number. Sums over scatterers run in float32 along frequency, which the compiler turns
into vector instructions; delays, and the phases made of them, are float64.
"""

import math

import numpy as np

from ._jit import jit


@jit
def trace_rays(height, depth, offset, index, n_steps, entry):
    """
    Find where rays enter the ground: Newton's method, kept between antenna and point.

    Parameters
    ----------
    height, depth, offset : (n,) float64 arrays
        Antenna above the surface, point below it, horizontal distance; m.
    index : float
        Refractive index of the ground.
    n_steps : int
        Newton steps.
    entry : (n,) float64 array
        Overwritten with the horizontal distance from the antenna to the entry point.
    """
    for i in range(len(entry)):
        h, z, rho = height[i], depth[i], offset[i]
        h2, z2 = h * h, z * z
        x = rho * index * h / (index * h + z)  # paraxial
        for _ in range(n_steps):
            y = rho - x
            a = 1.0 / math.sqrt(h2 + x * x)
            b = 1.0 / math.sqrt(z2 + y * y)
            f = x * a - index * y * b
            slope = h2 * a * a * a + index * z2 * b * b * b
            x = min(max(x - f / slope, 0.0), rho)  # without the clip it can diverge
        entry[i] = x


@jit
def spread_rays(
    height, depth, offset, entry, index, air, soil, cosine, sine, electric, magnetic
):
    """
    Compute lengths, angles and amplitude of one leg of each ray, without an antenna.

    Parameters
    ----------
    height, depth, offset, entry : (n,) float64 arrays
        As in `trace_rays`, which found `entry`.
    index : float
        Refractive index of the ground.
    air, soil : (n,) float64 arrays
        Overwritten with path lengths in m.
    cosine, sine : (n,) float64 arrays
        Overwritten with the cosine of the angle at the antenna, and the sine of the angle
        in the soil; both from the vertical.
    electric, magnetic : (n,) float64 arrays
        Overwritten with transmission over ray-tube distance, 1/m, for E and for H
        parallel to the surface. The product of two legs is the geometry factor.
    """
    for i in range(len(entry)):
        h, z, x = height[i], depth[i], entry[i]
        y = offset[i] - x
        la = math.sqrt(h * h + x * x)
        ls = math.sqrt(z * z + y * y)
        c1 = h / la
        s2 = x / (la * index)
        c2 = math.sqrt(1.0 - s2 * s2)
        tube = (h / c1 + z / (index * c2)) * (h / (c1 * c1) + z * c1 / (index * c2 * c2 * c2))
        # t12 sqrt(c2/c1) and t21 sqrt(c1/c2)/n are one number: both legs are alike
        common = 2.0 * math.sqrt(c1 / tube)
        air[i] = la
        soil[i] = ls
        cosine[i] = c1
        sine[i] = y / ls
        electric[i] = common / (c1 + index * c2)
        magnetic[i] = common / (index * c1 + c2)


@jit
def _pattern(cosine, exponent):
    """Raise the cosine of the angle at an antenna to a power, fast for 1 and 2."""
    if exponent == 1.0:
        return cosine
    if exponent == 2.0:
        return cosine * cosine
    return cosine**exponent


@jit
def _fade(distance, start, stop):
    """Fall as cos^2 from 1 at start to 0 at stop; a series keeps the loop vectorised."""
    u = (distance - start) / (stop - start)
    x = math.pi * (min(max(u, 0.0), 1.0) - 0.5)
    x2 = x * x
    sine = x * (1 - x2 / 6 * (1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72 * (1 - x2 / 110)))))
    return 0.5 - 0.5 * sine


@jit
def _interpolate(grid, x, y):
    """Bilinear value at a place counted in steps; beyond the grid, at its edge."""
    n_rows, n_columns = grid.shape
    x = min(max(x, 0.0), n_rows - 1.000001)
    y = min(max(y, 0.0), n_columns - 1.000001)
    i, j = int(x), int(y)
    x -= i
    y -= j
    low = grid[i, j] + y * (grid[i, j + 1] - grid[i, j])
    high = grid[i + 1, j] + y * (grid[i + 1, j + 1] - grid[i + 1, j])
    return low + x * (high - low)


@jit
def _raise_powers(angle, real, imag):
    """Fill real + i imag with exp(-i k angle), k = 1, 2, ..., by doubling what is there."""
    n = len(real)
    real[0] = math.cos(angle)
    imag[0] = -math.sin(angle)
    done = 1
    while done < n:
        a, b = real[done - 1], imag[done - 1]
        for k in range(min(done, n - done)):
            real[done + k] = real[k] * a - imag[k] * b
            imag[done + k] = real[k] * b + imag[k] * a
        done *= 2


@jit
def _bounce(
    antennas, heights, slope_e, slope_n, place, radius, exponent, delay_step, n_bins,
    bins, delays, sizes,
):  # fmt: skip
    """
    Put the facets of the surface around the antennas into bins of delay.

    Each facet is spread over four bins as a cubic B-spline, whose spectrum the caller
    divides out. Bins from n_bins on stay empty. Returns the first and the last bin in use.
    """
    ce, cn = 0.5 * (antennas[0] + antennas[3]), 0.5 * (antennas[1] + antennas[4])
    te, tn, tu = antennas[0] - ce, antennas[1] - cn, antennas[2]
    re, rn, ru = antennas[3] - ce, antennas[4] - cn, antennas[5]
    east, north, step = place[0], place[1], place[2]
    first, last = len(bins), -1
    i0 = max(0, math.ceil((ce - radius - east) / step))
    i1 = min(heights.shape[0] - 1, math.floor((ce + radius - east) / step))
    for i in range(i0, i1 + 1):
        e = east + i * step - ce
        chord = math.sqrt(max(radius * radius - e * e, 0.0))
        j0 = max(0, math.ceil((cn - chord - north) / step))
        j1 = min(heights.shape[1] - 1, math.floor((cn + chord - north) / step))
        for j in range(j0, j1 + 1):
            n = north + j * step - cn
            up = heights[i, j]
            a, b, c = te - e, tn - n, tu - up
            d, f, g = re - e, rn - n, ru - up
            rt = math.sqrt(a * a + b * b + c * c)
            rr = math.sqrt(d * d + f * f + g * g)
            he, hn = slope_e[i, j], slope_n[i, j]
            face = 0.5 * ((c - a * he - b * hn) / rt + (g - d * he - f * hn) / rr)
            shape = _pattern(max(c, 0.0) * max(g, 0.0) / (rt * rr), exponent)
            fade = _fade(math.sqrt(e * e + n * n), radius * (2.0 / 3.0), radius)
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
def _add_bins(bins, first, last, bin_real, bin_imag, factor_real, factor_imag, real, imag):
    """Transform the bins of delay, multiply by the spectrum of a facet, empty the bins."""
    n = len(real)
    for k in range(n):
        real[k] = np.float32(0.0)
        imag[k] = np.float32(0.0)
    for m in range(first, last + 1):
        size = np.float32(bins[m])
        bins[m] = 0.0
        for k in range(n):
            real[k] += size * bin_real[m, k]
            imag[k] += size * bin_imag[m, k]
    for k in range(n):
        a, b = real[k], imag[k]
        real[k] = a * factor_real[k] - b * factor_imag[k]
        imag[k] = a * factor_imag[k] + b * factor_real[k]


@jit
def _gather(antennas, position, starts, cells, reach, found):
    """List the scatterers within reach of the antennas' midpoint; return how many."""
    ce, cn = 0.5 * (antennas[0] + antennas[3]), 0.5 * (antennas[1] + antennas[4])
    east, north, size = cells[0], cells[1], cells[2]
    n_rows, n_columns = int(cells[3]), int(cells[4])
    i0 = max(0, math.floor((ce - reach - east) / size))
    i1 = min(n_rows - 1, math.floor((ce + reach - east) / size))
    j0 = max(0, math.floor((cn - reach - north) / size))
    j1 = min(n_columns - 1, math.floor((cn + reach - north) / size))
    n = 0
    if j1 < j0:
        return n
    for i in range(i0, i1 + 1):
        for k in range(starts[i * n_columns + j0], starts[i * n_columns + j1 + 1]):
            e, f = position[k, 0] - ce, position[k, 1] - cn
            if e * e + f * f < reach * reach:
                found[n] = k
                n += 1
    return n


@jit
def _enter(antenna, n, found, position, depth, heights, place, index, n_steps, leg):
    """
    Solve one leg for the scatterers found; see `spread_rays` for the rows of `leg`.

    Rows: height, depth, offset, entry, air, soil, cosine, sine, electric, magnetic. Height
    and depth are counted from the surface where the paraxial ray enters.
    """
    for m in range(n):
        k = found[m]
        e, f = position[k, 0] - antenna[0], position[k, 1] - antenna[1]
        rise = antenna[2] - position[k, 2]
        z = depth[k]
        h = max(rise - z, 1e-3)
        share = index * h / (index * h + z)
        x = (antenna[0] + share * e - place[0]) / place[2]
        y = (antenna[1] + share * f - place[1]) / place[2]
        z = _interpolate(heights, x, y) - position[k, 2]
        z = min(max(z, 1e-3), rise - 1e-3)
        leg[0, m] = rise - z
        leg[1, m] = z
        leg[2, m] = math.sqrt(e * e + f * f)
    trace_rays(leg[0, :n], leg[1, :n], leg[2, :n], index, n_steps, leg[3, :n])
    spread_rays(
        leg[0, :n], leg[1, :n], leg[2, :n], leg[3, :n], index,
        leg[4, :n], leg[5, :n], leg[6, :n], leg[7, :n], leg[8, :n], leg[9, :n],
    )  # fmt: skip


@jit
def _face(antenna, leg, m, position, normal):
    """Cosine between a facet's normal and the ray that leaves it for the antenna."""
    share = leg[7, m] / max(leg[2, m], 1e-12)
    flat = normal[0] * (antenna[0] - position[0]) + normal[1] * (antenna[1] - position[1])
    return share * flat + normal[2] * math.sqrt(max(1.0 - leg[7, m] * leg[7, m], 0.0))


@jit
def sum_echoes(
    antennas, origin, coupling, geometry, heights, slope_e, slope_n, place,
    position, normal, depth, weight, kind, starts, cells,
    spectrum_real, spectrum_imag, decay_real, decay_imag, excess_real, excess_imag,
    bin_real, bin_imag, facet_real, facet_imag, wave, cosines, sines,
    found, tx, rx, bins, delays, sizes, phasor, total, out,
):  # fmt: skip
    """
    Add up direct wave, ground bounce and buried scatterers of each trace.

    Parameters
    ----------
    antennas : (n, 6) float64 array
        Transmitter, then receiver: easting, northing, upward, m.
    origin : (n,) float64 array
        Time of the pulse's middle in the trace, s.
    coupling : (n,) float64 array
        Amplitude of the direct wave at 1 m.
    geometry : (11,) float64 array
        Speed of light, frequency step, delay step of the bins, end of arrivals after the
        start of the trace, index, path step of the decay table, pattern exponent, share
        of E parallel to the surface, reach, fixed bounce radius or 0, longest wavelength.
    heights, slope_e, slope_n : (n_rows, n_columns) float64 arrays
        Surface and its slopes; `place` holds easting, northing of [0, 0] and the step.
    position, normal : (m, 3) float64 arrays
        Scatterers sorted into cells; `starts` delimits them, `cells` holds easting,
        northing, size, rows, columns of the cells.
    depth, weight : (m,) float64 arrays
        Below the surface straight above, m; what multiplies the spectrum.
    kind : (m,) int64 array
        Row of the spectra.
    spectrum_real, spectrum_imag : (n_spectra, n_freq) float32 arrays
        Scattering length per unit weight.
    decay_real, decay_imag : (n_nodes, n_freq) float32 arrays
        exp(-i excess s) at soil paths s, which multiples of the path step are.
    excess_real, excess_imag : (n_freq,) float32 arrays
        -i (k - omega n / c) of the soil: what `index` leaves of its wavenumber.
    bin_real, bin_imag : (n_bins, n_freq) float32 arrays
        Phasors of the bins of delay.
    facet_real, facet_imag : (n_freq,) float32 arrays
        Spectrum of a surface facet over the spline's.
    wave : (n_freq,) float32 array
        Spectrum of the pulse times twice the frequency step.
    cosines, sines : (n_freq, n_samples) float32 arrays
        Tables of the inverse transform.
    found : (m,) int64 array; tx, rx : (10, m) float64 arrays
        Scratch of the scatterers.
    bins : (n_bins,) float64 array of zeros; delays, sizes : (n_columns,) float64 arrays
        Scratch of the surface.
    phasor : (2, n_freq) float64 array; total : (4, n_freq) float32 array
        Scratch of the sums.
    out : (n, n_samples) float32 array
        Overwritten with the traces.
    """
    c, step, delay_step, latest = geometry[0], geometry[1], geometry[2], geometry[3]
    index, path_step, exponent, share = geometry[4], geometry[5], geometry[6], geometry[7]
    reach = geometry[8]
    turn = 2.0 * math.pi * step
    n_freq = len(wave)
    last_node = len(decay_real) - 1
    half = np.float32(0.5)
    pr, pi = total[2], total[3]
    for i in range(len(out)):
        pair = antennas[i]
        ce, cn = 0.5 * (pair[0] + pair[3]), 0.5 * (pair[1] + pair[4])
        ground = _interpolate(heights, (ce - place[0]) / place[2], (cn - place[1]) / place[2])
        height = max(min(pair[2], pair[5]) - ground, 1e-3)
        n_steps = 3 if height > 0.03 else 5  # 2 cm, and a margin for rough ground

        radius = geometry[9]
        if radius == 0.0:
            mean = max(0.5 * (pair[2] + pair[5]) - ground, 1e-3)
            radius = 3.0 * math.sqrt(0.5 * geometry[10] * mean)
        n_bins = min(len(bins), max(0, int((latest - origin[i]) / delay_step)))
        first, last = _bounce(
            pair, heights, slope_e, slope_n, place, radius, exponent, c * delay_step, n_bins,
            bins, delays, sizes,
        )  # fmt: skip
        _add_bins(
            bins, first, last, bin_real, bin_imag, facet_real, facet_imag, total[0], total[1]
        )
        real, imag = total[0], total[1]

        apart = math.sqrt(
            (pair[0] - pair[3]) ** 2 + (pair[1] - pair[4]) ** 2 + (pair[2] - pair[5]) ** 2
        )
        if coupling[i] != 0.0 and origin[i] + apart / c < latest:
            _raise_powers(turn * apart / c, phasor[0], phasor[1])
            size = np.float32(coupling[i] / apart)
            for k in range(n_freq):
                real[k] += size * np.float32(phasor[0, k])
                imag[k] += size * np.float32(phasor[1, k])

        n = _gather(pair, position, starts, cells, reach, found)
        _enter(pair[:3], n, found, position, depth, heights, place, index, n_steps, tx)
        _enter(pair[3:], n, found, position, depth, heights, place, index, n_steps, rx)
        for m in range(n):
            k = found[m]
            soil = tx[5, m] + rx[5, m]
            delay = (tx[4, m] + rx[4, m] + index * soil) / c
            shape = _pattern(tx[6, m] * rx[6, m], exponent)
            if shape < 0.01 or origin[i] + delay >= latest:
                continue  # 40 dB below the main lobe, or after the window
            size = (
                shape
                * weight[k]
                * (share * tx[8, m] * rx[8, m] + (1.0 - share) * tx[9, m] * rx[9, m])
            )
            if normal[k, 0] != 0.0 or normal[k, 1] != 0.0 or normal[k, 2] != 0.0:
                face = _face(pair[:3], tx, m, position[k], normal[k])
                face += _face(pair[3:], rx, m, position[k], normal[k])
                size *= 0.5 * max(face, 0.0)
            if reach < 1e6:
                e, f = position[k, 0] - ce, position[k, 1] - cn
                size *= _fade(math.sqrt(e * e + f * f), 0.8 * reach, reach)
            node = min(int(soil / path_step + 0.5), last_node)
            rest = np.float32(soil - node * path_step)
            curve = half * rest * rest
            _raise_powers(turn * delay, phasor[0], phasor[1])
            row = kind[k]
            weak = np.float32(size)
            for q in range(n_freq):
                # exp(x) of the rest of the path to second order, times the table
                xr, xi = excess_real[q], excess_imag[q]
                a = np.float32(1.0) + rest * xr + curve * (xr * xr - xi * xi)
                b = rest * xi + curve * (xr * xi + xr * xi)
                dr, di = decay_real[node, q], decay_imag[node, q]
                a, b = a * dr - b * di, a * di + b * dr
                sr, si = spectrum_real[row, q], spectrum_imag[row, q]
                a, b = a * sr - b * si, a * si + b * sr
                tr, ti = np.float32(phasor[0, q]), np.float32(phasor[1, q])
                real[q] += weak * (a * tr - b * ti)
                imag[q] += weak * (a * ti + b * tr)

        _raise_powers(turn * origin[i], phasor[0], phasor[1])
        for k in range(n_freq):
            a, b = np.float32(phasor[0, k]), np.float32(phasor[1, k])
            pr[k] = wave[k] * (real[k] * a - imag[k] * b)
            pi[k] = wave[k] * (real[k] * b + imag[k] * a)
        trace = out[i]
        for j in range(len(trace)):
            trace[j] = np.float32(0.0)
        for k in range(n_freq):
            a, b = pr[k], pi[k]
            for j in range(len(trace)):
                trace[j] += a * cosines[k, j] - b * sines[k, j]

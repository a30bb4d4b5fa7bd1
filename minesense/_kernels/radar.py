"""
Kernels of the radar forward model: rays through the ground surface, sums of echoes.

Frequencies are k * step for k = 1, 2, ..., so that the phasors of a delay are the powers of
one number. Spectra are kept in blocks of 64 numbers, 32 real parts and then 32 imaginary
parts, and rays in blocks of 64: with distances that the compiler knows, it sees that
nothing overlaps and turns the loops into vector instructions. Sums over scatterers run in
float32 along frequency; delays, and the phases made of them, are float64.
"""

import math

import numpy as np

from ._jit import jit


@jit
def trace_rays(height, depth, offset, index, n_steps, leg, rays):
    """
    Trace one leg from antenna to buried point for every ray.

    Parameters
    ----------
    height, depth, offset : (n,) float64 arrays
        Antenna above the surface, point below it, horizontal distance; m.
    index : float
        Refractive index of the ground.
    n_steps : int
        Newton steps.
    leg : (640,) float64 array
        Scratch.
    rays : (7, n) float64 array
        Overwritten with the rows of `_solve` from the entry point on.
    """
    for start in range(0, len(height), 64):
        n = min(64, len(height) - start)
        for m in range(64):  # a full block: what is left over repeats a ray
            k = start + min(m, n - 1)
            leg[m] = height[k]
            leg[64 + m] = depth[k]
            leg[128 + m] = offset[k]
        _solve(leg, index, n_steps)
        for row in range(7):
            for m in range(n):
                rays[row, start + m] = leg[64 * (row + 3) + m]


@jit
def _solve(leg, index, n_steps):
    """
    Find where 64 rays enter the ground, their lengths, angles and amplitudes.

    `leg` holds ten rows of 64: height, depth and offset in; then horizontal distance to
    the entry point, path in air, path in soil, cosine of the angle at the antenna, sine of
    the angle in the soil (both from the vertical), and transmission over ray-tube
    distance, 1/m, for E and for H parallel to the surface. The product of two legs'
    amplitudes is the geometry factor without antennas.
    """
    for i in range(64):
        h, z, rho = leg[i], leg[64 + i], leg[128 + i]
        leg[192 + i] = rho * index * h / (index * h + z)  # paraxial
    for _ in range(n_steps):
        for i in range(64):
            h, z, rho, x = leg[i], leg[64 + i], leg[128 + i], leg[192 + i]
            y = rho - x
            a = 1.0 / math.sqrt(h * h + x * x)
            b = 1.0 / math.sqrt(z * z + y * y)
            f = x * a - index * y * b
            slope = h * h * a * a * a + index * z * z * b * b * b
            x -= f / slope
            x = x if x > 0.0 else 0.0  # without the clip it can diverge
            leg[192 + i] = x if x < rho else rho
    for i in range(64):
        h, z, x = leg[i], leg[64 + i], leg[192 + i]
        y = leg[128 + i] - x
        la = math.sqrt(h * h + x * x)
        ls = math.sqrt(z * z + y * y)
        c1 = h / la
        s2 = x / (la * index)
        c2 = math.sqrt(1.0 - s2 * s2)
        tube = (h / c1 + z / (index * c2)) * (h / (c1 * c1) + z * c1 / (index * c2 * c2 * c2))
        # t12 sqrt(c2/c1) and t21 sqrt(c1/c2)/n are one number: both legs are alike
        common = 2.0 * math.sqrt(c1 / tube)
        leg[256 + i] = la
        leg[320 + i] = ls
        leg[384 + i] = c1
        leg[448 + i] = y / ls
        leg[512 + i] = common / (c1 + index * c2)
        leg[576 + i] = common / (index * c1 + c2)


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
def _raise_powers(angle, powers):
    """Fill a spectrum with exp(-i k angle), k = 1, 2, ..., by doubling what is there."""
    c, s = math.cos(angle), -math.sin(angle)
    first = powers[0]
    first[0] = c
    first[32] = s
    for done in (1, 2, 4, 8, 16):
        a, b = np.float32(c), np.float32(s)
        for q in range(done):
            x, y = first[q], first[32 + q]
            first[done + q] = x * a - y * b
            first[32 + done + q] = x * b + y * a
        c, s = c * c - s * s, 2.0 * c * s
    d, f = c, s
    for block in range(1, len(powers)):
        a, b = np.float32(d), np.float32(f)
        row = powers[block]
        for q in range(32):
            x, y = first[q], first[32 + q]
            row[q] = x * a - y * b
            row[32 + q] = x * b + y * a
        d, f = d * c - f * s, d * s + f * c


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
def _add(size, spectrum, total):
    """Add size * spectrum to the total."""
    for block in range(len(total)):
        row, sums = spectrum[block], total[block]
        for q in range(64):
            sums[q] += size * row[q]


@jit
def _add_bins(bins, first, last, phasors, facet, total):
    """Transform the bins of delay, multiply by the spectrum of a facet, empty the bins."""
    for block in range(len(total)):
        sums = total[block]
        for q in range(64):
            sums[q] = np.float32(0.0)
    for m in range(first, last + 1):
        _add(np.float32(bins[m]), phasors[m], total)
        bins[m] = 0.0
    for block in range(len(total)):
        sums, factor = total[block], facet[block]
        for q in range(32):
            a, b = sums[q], sums[q + 32]
            sums[q] = a * factor[q] - b * factor[q + 32]
            sums[q + 32] = a * factor[q + 32] + b * factor[q]


@jit
def _add_echo(size, rest, excess, decay, spectrum, phasor, total):
    """Add size * exp(excess * rest) * decay * spectrum * phasor; the first to 2nd order."""
    one = np.float32(1.0)
    curve = np.float32(0.5) * rest * rest
    for block in range(len(total)):
        small, table, body = excess[block], decay[block], spectrum[block]
        shift, sums = phasor[block], total[block]
        for q in range(32):
            xr, xi = small[q], small[q + 32]
            a = one + rest * xr + curve * (xr * xr - xi * xi)
            b = rest * xi + curve * (xr * xi + xr * xi)
            dr, di = table[q], table[q + 32]
            a, b = a * dr - b * di, a * di + b * dr
            sr, si = body[q], body[q + 32]
            a, b = a * sr - b * si, a * si + b * sr
            tr, ti = shift[q], shift[q + 32]
            sums[q] += size * (a * tr - b * ti)
            sums[q + 32] += size * (a * ti + b * tr)


@jit
def _synthesize(phasor, wave, total, cosines, sines, trace):
    """Shift the spectrum to the time zero, shape it by the pulse, transform it to time."""
    for j in range(len(trace)):
        trace[j] = np.float32(0.0)
    for k in range(len(cosines)):
        block, q = k // 32, k % 32
        a, b, w = total[block, q], total[block, q + 32], wave[k]
        c, s = phasor[block, q], phasor[block, q + 32]
        a, b = w * (a * c - b * s), w * (a * s + b * c)
        cosine, sine = cosines[k], sines[k]
        for j in range(len(trace)):
            trace[j] += a * cosine[j] - b * sine[j]


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
def _enter(antenna, found, position, depth, heights, place, index, n_steps, leg):
    """
    Solve one leg for the 64 scatterers found; see `_solve` for what `leg` then holds.

    Height and depth are counted from the surface where the paraxial ray enters.
    """
    for m in range(64):
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
        leg[m] = rise - z
        leg[64 + m] = z
        leg[128 + m] = math.sqrt(e * e + f * f)
    _solve(leg, index, n_steps)


@jit
def _face(antenna, leg, m, position, normal):
    """Cosine between a facet's normal and the ray that leaves it for the antenna."""
    sine = leg[448 + m]
    flat = normal[0] * (antenna[0] - position[0]) + normal[1] * (antenna[1] - position[1])
    up = math.sqrt(max(1.0 - sine * sine, 0.0))
    return sine / max(leg[128 + m], 1e-12) * flat + normal[2] * up


@jit
def sum_echoes(
    antennas, origin, coupling, geometry, heights, slope_e, slope_n, place,
    position, normal, depth, weight, kind, starts, cells,
    spectra, decay, excess, phasors, facet, wave, cosines, sines,
    found, tx, rx, bins, delays, sizes, powers, total, out,
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
    spectra : (n_spectra, n_blocks, 64) float32 array
        Scattering length per unit weight, like most that follows in blocks of 64.
    decay : (n_nodes, n_blocks, 64) float32 array
        exp(excess s) at soil paths s, which multiples of the path step are.
    excess : (n_blocks, 64) float32 array
        -i (k - omega index / c): what `index` leaves of the soil's wavenumber k.
    phasors : (n_bins, n_blocks, 64) float32 array
        Of the bins of delay.
    facet : (n_blocks, 64) float32 array
        Spectrum of a surface facet over the spline's.
    wave : (n_freq,) float32 array
        Spectrum of the pulse times twice the frequency step.
    cosines, sines : (n_freq, n_samples) float32 arrays
        Tables of the inverse transform.
    found : (m + 64,) int64 array; tx, rx : (640,) float64 arrays
        Scratch of the scatterers.
    bins : (n_bins,) float64 array of zeros; delays, sizes : (n_columns,) float64 arrays
        Scratch of the surface.
    powers, total : (n_blocks, 64) float32 arrays
        Scratch of the sums.
    out : (n, n_samples) float32 array
        Overwritten with the traces.
    """
    c, step, delay_step, latest = geometry[0], geometry[1], geometry[2], geometry[3]
    index, path_step, exponent, share = geometry[4], geometry[5], geometry[6], geometry[7]
    reach = geometry[8]
    turn = 2.0 * math.pi * step
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
        _add_bins(bins, first, last, phasors, facet, total)

        apart = math.sqrt(
            (pair[0] - pair[3]) ** 2 + (pair[1] - pair[4]) ** 2 + (pair[2] - pair[5]) ** 2
        )
        if coupling[i] != 0.0 and origin[i] + apart / c < latest:
            _raise_powers(turn * apart / c, powers)
            direct = np.float32(coupling[i] / apart)
            _add(direct, powers, total)

        n = _gather(pair, position, starts, cells, reach, found)
        for m in range(n, n + 64 if n else n):
            found[m] = found[n - 1]  # blocks of 64 are solved whole
        for begin in range(0, n, 64):
            block = found[begin : begin + 64]
            _enter(pair[:3], block, position, depth, heights, place, index, n_steps, tx)
            _enter(pair[3:], block, position, depth, heights, place, index, n_steps, rx)
            for m in range(min(64, n - begin)):
                k = block[m]
                soil = tx[320 + m] + rx[320 + m]
                delay = (tx[256 + m] + rx[256 + m] + index * soil) / c
                shape = _pattern(tx[384 + m] * rx[384 + m], exponent)
                if shape < 0.01 or origin[i] + delay >= latest:
                    continue  # 40 dB below the main lobe, or after the window
                electric, magnetic = tx[512 + m] * rx[512 + m], tx[576 + m] * rx[576 + m]
                size = shape * weight[k] * (share * electric + (1.0 - share) * magnetic)
                if normal[k, 0] != 0.0 or normal[k, 1] != 0.0 or normal[k, 2] != 0.0:
                    face = _face(pair[:3], tx, m, position[k], normal[k])
                    face += _face(pair[3:], rx, m, position[k], normal[k])
                    size *= 0.5 * max(face, 0.0)
                if reach < 1e6:
                    e, f = position[k, 0] - ce, position[k, 1] - cn
                    size *= _fade(math.sqrt(e * e + f * f), 0.8 * reach, reach)
                node = min(int(soil / path_step + 0.5), len(decay) - 1)
                rest = np.float32(soil - node * path_step)
                _raise_powers(turn * delay, powers)
                _add_echo(
                    np.float32(size), rest, excess, decay[node], spectra[kind[k]], powers, total
                )

        _raise_powers(turn * origin[i], powers)
        _synthesize(powers, wave, total, cosines, sines, out[i])

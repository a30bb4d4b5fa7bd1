"""
Kernels of the radar forward model: sums of echoes over frequency.

Frequencies are regular, first + k * step for k = 0, 1, ..., so that the phasors of a delay
are one number times the powers of another. Spectra are kept in blocks of 64 numbers, 32 real
parts and then 32 imaginary parts: with distances that the compiler knows, it sees that
nothing overlaps and turns the loops into vector instructions. Sums over scatterers run in
float32 along frequency; delays, and the phases made of them, are float64.
"""

import math

import numpy as np

from ._jit import jit
from .bounce import add_bins, bin_facets, count_parts, fade_out, raise_cosine
from .rays import dipole_product, enter_ground, face_cosine, interpolate


@jit
def _raise_powers(start, angle, powers):
    """Fill a spectrum with exp(-i (start + k angle)), k = 0, 1, ..., by doubling it."""
    c, s = math.cos(angle), -math.sin(angle)
    first = powers[0]
    first[0] = math.cos(start)
    first[32] = -math.sin(start)
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
def _add_direct(size, across, along, distance, lengths, phasor, total):
    """
    Add the direct wave; with dipoles, as strong as their near field is.

    `across` and `along` are the squared sine and cosine of the angle between dipoles and the
    line between them, both 0 for no near field; `lengths` are inverse wavenumbers.
    """
    for block in range(len(total)):
        inverse, shift, sums = lengths[block], phasor[block], total[block]
        for q in range(32):
            u = inverse[q] / distance
            a, b = np.float32(1.0), np.float32(0.0)
            if across + along > np.float32(0.0):
                a = across * (np.float32(1.0) - u * u) + along * np.float32(2.0) * u * u
                b = (np.float32(2.0) * along - across) * u
            sums[q] += size * (a * shift[q] - b * shift[q + 32])
            sums[q + 32] += size * (a * shift[q + 32] + b * shift[q])


@jit
def _shift(phasor, total, out):
    """Multiply a spectrum by a phasor."""
    for block in range(len(total)):
        row, shift, sums = out[block], phasor[block], total[block]
        for q in range(32):
            a, b = sums[q], sums[q + 32]
            c, s = shift[q], shift[q + 32]
            row[q] = a * c - b * s
            row[q + 32] = a * s + b * c


@jit
def _blend(low, high, share, out):
    """Fill a table with what lies between two others, by `share` of the way to `high`."""
    for node in range(len(out)):
        for block in range(len(out[node])):
            row, under, over = out[node, block], low[node, block], high[node, block]
            for q in range(64):
                row[q] = under[q] + share * (over[q] - under[q])


@jit
def _add_echo(size, rest, slope, decay, spectrum, phasor, total):
    """Add size * exp(slope * rest) * decay * spectrum * phasor; the first to 2nd order."""
    one = np.float32(1.0)
    curve = np.float32(0.5) * rest * rest
    for block in range(len(total)):
        small, table, body = slope[block], decay[block], spectrum[block]
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
def sum_echoes(
    antennas, origin, coupling, geometry, heights, slope_e, slope_n, place,
    position, normal, depth, weight, kind, starts, cells,
    spectra, decay, slope, phasors, facet, lengths,
    found, tx, rx, bins, rows, path_decay, path_slope, powers, total, out,
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
    geometry : (17,) float64 array
        Speed of light, first frequency, frequency step, delay step of the bins, end of
        arrivals after the start of the trace, index, path step of the decay table, pattern
        exponent, share of E parallel to the surface, reach, fixed bounce radius or 0, longest
        wavelength, logarithm of the least height of the tables and of the ratio of
        neighbours, 1 for dipoles or 0, sine and cosine of their angle.
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
    decay : (n_heights, n_nodes, n_blocks, 64) float32 array
        exp(-i (k - omega index / c) s) times the near field of both legs, at soil paths s,
        which multiples of the path step are, for each height of the tables: what `index`
        leaves of the soil's wavenumber k.
    slope : (n_heights, n_nodes, n_blocks, 64) float32 array
        Derivative of the logarithm of `decay` by s, 1/m.
    phasors : (n_bins, n_blocks, 64) float32 array
        Of the bins of delay.
    facet : (n_heights + 2, n_blocks, 64) float32 array
        Spectrum of a surface facet over the spline's, at one more height at either end.
    lengths : (n_blocks, 64) float32 array
        Inverse wavenumbers in air, m.
    found : (m + 64,) int64 array; tx, rx : (640,) float64 arrays
        Scratch of the scatterers.
    bins : (n_bins,) float64 array of zeros; rows : (5, n) float64 array
        Scratch of the surface, as long as its rows in their finest parts.
    path_decay, path_slope : (n_nodes, n_blocks, 64) float32 arrays
        Scratch of the tables at the height of a trace.
    powers, total : (n_blocks, 64) float32 arrays
        Scratch of the sums.
    out : (n, n_blocks, 64) float32 array
        Overwritten with the spectra of the traces.
    """
    c, base, step = geometry[0], geometry[1], geometry[2]
    delay_step, latest = geometry[3], geometry[4]
    index, path_step, exponent, share = geometry[5], geometry[6], geometry[7], geometry[8]
    reach = geometry[9]
    sine, cosine = geometry[15], geometry[16]
    across = np.float32(geometry[14] * sine * sine)
    along = np.float32(geometry[14] * cosine * cosine)
    start, turn = 2.0 * math.pi * base, 2.0 * math.pi * step
    for i in range(len(out)):
        pair = antennas[i]
        ce, cn = 0.5 * (pair[0] + pair[3]), 0.5 * (pair[1] + pair[4])
        ground = interpolate(heights, (ce - place[0]) / place[2], (cn - place[1]) / place[2])
        height = max(min(pair[2], pair[5]) - ground, 1e-3)
        n_steps = 3 if height > 0.03 else 5  # 2 cm, and a margin for rough ground

        mean = max(0.5 * (pair[2] + pair[5]) - ground, 1e-3)
        level = (math.log(mean) - geometry[12]) / geometry[13]
        level = min(max(level, 0.0), len(decay) - 1.0)
        below = min(int(level), len(decay) - 2)
        upward = np.float32(level - below)
        radius = geometry[10]
        if radius == 0.0:
            radius = 3.0 * math.sqrt(0.5 * geometry[11] * mean)
        n_bins = min(len(bins), max(0, int((latest - origin[i]) / delay_step)))
        first, last = bin_facets(
            pair, heights, slope_e, slope_n, place, count_parts(pair, heights, place), radius,
            exponent, c * delay_step, n_bins, bins, rows,
        )  # fmt: skip
        add_bins(bins, first, last, phasors, facet[below : below + 4], level - below, total)

        flat_e, flat_n = pair[3] - pair[0], pair[4] - pair[1]
        apart = math.sqrt(flat_e * flat_e + flat_n * flat_n + (pair[5] - pair[2]) ** 2)
        if coupling[i] != 0.0 and origin[i] + apart / c < latest:
            _raise_powers(start * apart / c, turn * apart / c, powers)
            direct = np.float32(coupling[i] / apart)
            _add_direct(direct, across, along, np.float32(apart), lengths, powers, total)

        line = math.sqrt(flat_e * flat_e + flat_n * flat_n)
        axis_e, axis_n = sine, cosine  # antennas in one place: from north
        if line > 0.0:
            axis_e = (flat_e * cosine + flat_n * sine) / line
            axis_n = (flat_n * cosine - flat_e * sine) / line

        n = _gather(pair, position, starts, cells, reach, found)
        if n:
            _blend(decay[below], decay[below + 1], upward, path_decay)
            _blend(slope[below], slope[below + 1], upward, path_slope)
            for m in range(n, n + 64):
                found[m] = found[n - 1]  # blocks of 64 are solved whole
        for begin in range(0, n, 64):
            block = found[begin : begin + 64]
            enter_ground(pair[:3], block, position, depth, heights, place, index, n_steps, tx)
            enter_ground(pair[3:], block, position, depth, heights, place, index, n_steps, rx)
            for m in range(min(64, n - begin)):
                k = block[m]
                soil = tx[320 + m] + rx[320 + m]
                delay = (tx[256 + m] + rx[256 + m] + index * soil) / c
                shape = raise_cosine(tx[384 + m] * rx[384 + m], exponent)
                if shape < 0.01 or origin[i] + delay >= latest:
                    continue  # 40 dB below the main lobe, or after the window
                if geometry[14] != 0.0:
                    size = dipole_product(
                        pair[:3], pair[3:], tx, rx, m, position[k], axis_e, axis_n
                    )
                else:
                    size = share * tx[512 + m] * rx[512 + m]
                    size += (1.0 - share) * tx[576 + m] * rx[576 + m]
                size *= shape * weight[k]
                if normal[k, 0] != 0.0 or normal[k, 1] != 0.0 or normal[k, 2] != 0.0:
                    face = face_cosine(pair[:3], tx, m, position[k], normal[k])
                    face += face_cosine(pair[3:], rx, m, position[k], normal[k])
                    size *= 0.5 * max(face, 0.0)
                if reach < 1e6:
                    e, f = position[k, 0] - ce, position[k, 1] - cn
                    size *= fade_out(math.sqrt(e * e + f * f), 0.8 * reach, reach)
                node = min(int(soil / path_step + 0.5), len(path_decay) - 1)
                rest = np.float32(soil - node * path_step)
                _raise_powers(start * delay, turn * delay, powers)
                _add_echo(
                    np.float32(size), rest, path_slope[node], path_decay[node],
                    spectra[kind[k]], powers, total,
                )  # fmt: skip

        _raise_powers(start * origin[i], turn * origin[i], powers)
        _shift(powers, total, out[i])


@jit
def synthesize(spectra, wave, cosines, sines, traces):
    """
    Transform spectra to time.

    Parameters
    ----------
    spectra : (n, n_blocks, 64) float32 array
        Of :func:`sum_echoes`.
    wave : (n_blocks, 64) float32 array
        Spectrum of the pulse times twice the frequency step.
    cosines, sines : (n_freq, n_samples) float32 arrays
        Tables of the inverse transform.
    traces : (n, n_samples) float32 array
        Overwritten.
    """
    for i in range(len(traces)):
        trace = traces[i]
        for j in range(len(trace)):
            trace[j] = np.float32(0.0)
        for k in range(len(cosines)):
            block, q = k // 32, k % 32
            a, b = spectra[i, block, q], spectra[i, block, q + 32]
            c, s = wave[block, q], wave[block, q + 32]
            a, b = a * c - b * s, a * s + b * c
            cosine, sine = cosines[k], sines[k]
            for j in range(len(trace)):
                trace[j] += a * cosine[j] - b * sine[j]

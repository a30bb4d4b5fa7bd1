"""The radar model from its formulas, one trace at a time, in complex float64."""

import math
from itertools import pairwise

import numpy as np
from scipy.special import jv

from minesense.physics import Surface

C = 299_792_458.0


def enter_ground(h, z, rho, n):
    """Entry points by bisection of Snell's law, to the last digits."""
    low, high = np.zeros_like(rho), rho.copy()
    for _ in range(100):
        x = (low + high) / 2
        late = x / np.hypot(h, x) > n * (rho - x) / np.hypot(z, rho - x)
        low, high = np.where(late, low, x), np.where(late, x, high)
    return (low + high) / 2


def amplitude(h, z, x, rho, n):
    """Transmission over ray-tube distance of one leg, E and H parallel to the surface."""
    th1 = np.arctan2(x, h)
    th2 = np.arcsin(np.sin(th1) / n)
    c1, c2 = np.cos(th1), np.cos(th2)
    tube = c2 * (h / c1 + z / (n * c2)) * (h / c1**2 + z * c1 / (n * c2**3))
    down_e = 2 * c1 / (c1 + n * c2) * np.sqrt(c2 / c1) / np.sqrt(tube)
    down_m = 2 * c1 / (n * c1 + c2) * np.sqrt(c2 / c1) / np.sqrt(tube)
    up_e = 2 * n * c2 / (c1 + n * c2) * np.sqrt(c1 / c2) / (n * np.sqrt(tube))
    up_m = 2 * n * c2 / (n * c1 + c2) * np.sqrt(c1 / c2) / (n * np.sqrt(tube))
    return (down_e, down_m), (up_e, up_m), c1


def fade(distance, start, stop):
    """Cosine squared from 1 to 0."""
    return np.cos(np.pi / 2 * np.clip((distance - start) / (stop - start), 0, 1)) ** 2


def on_axis(k1, soil, h, z, share):
    """Integral of plane waves below a dipole, straight under it, at one frequency."""
    k2 = k1 * np.sqrt(soil)
    kr, step = detour(k1, k2, h + z)
    kz1, kz2 = upright(k1, kr), upright(k2, kr)
    waves = share * 2 / (kz1 + kz2)
    waves = waves + (1 - share) * kz1 / k1**2 * 2 * kz2 / (kz2 + soil * kz1)
    return -1j * (waves * np.exp(-1j * (kz1 * h + kz2 * z)) * kr * step).sum()


def mirrored(k1, soil, h, apart, share, angle=None):
    """
    Integral of plane waves that flat ground sends back, at one frequency.

    For parallel dipoles, `angle` is that between them and the line from one to the other.
    """
    k2 = k1 * np.sqrt(soil)
    kr, step = detour(k1, k2, 2 * h, lift=min(0.3, 5 / abs(k2 * apart + 1e-9)))
    kz1, kz2 = upright(k1, kr), upright(k2, kr)
    electric, magnetic = share * jv(0, kr * apart), (1 - share) * jv(0, kr * apart)
    if angle is not None:
        # all directions that a wave may travel in, one by one
        turn = 2 * math.pi * np.arange(400)[:, None] / 400
        wave = np.exp(-1j * kr * apart * np.cos(turn))
        electric = (np.sin(turn - angle) ** 2 * wave).mean(axis=0)
        magnetic = (np.cos(turn - angle) ** 2 * wave).mean(axis=0)
    waves = electric * (kz1 - kz2) / (kz1 + kz2) / kz1
    waves = waves + magnetic * kz1 / k1**2 * (kz2 - soil * kz1) / (kz2 + soil * kz1)
    return -1j * (waves * np.exp(-2j * kz1 * h) * kr * step).sum()


def upright(k, kr):
    """Vertical wavenumber of a wave that fades away from its source."""
    kz = np.sqrt(k**2 - kr**2 + 0j)
    return np.where(kz.imag > 0, -kz, kz)


def detour(k1, k2, reach, *, lift=0.3, n_nodes=400):
    """Midpoints along straight lines above the branch points, then along the axis."""
    wide = 1.5 * max(abs(k2), k1)
    corners = [0, (0.4 + lift * 1j) * wide, wide, wide + 5 / reach, wide + 40 / reach]
    lines = [
        (
            a + (b - a) * (np.arange(n_nodes) + 0.5) / n_nodes,
            np.full(n_nodes, (b - a) / n_nodes),
        )
        for a, b in pairwise(corners)
    ]
    return (np.concatenate(part) for part in zip(*lines, strict=True))


def cut(grid, parts):
    """Bilinear values of a grid that is so many times as fine."""
    for axis in (0, 1):
        n = grid.shape[axis]
        fine = np.arange((n - 1) * parts + 1) / parts
        grid = np.apply_along_axis(
            lambda row, x=fine, n=n: np.interp(x, range(n), row), axis, grid
        )
    return grid


def bounce(tx, rx, surface, frequency, radius, q):
    """Sum of the facets of the surface, without what they reflect."""
    k0 = 2 * math.pi * frequency / C
    total = np.zeros(len(frequency), complex)
    middle = (tx + rx) / 2
    least = min(p[2] - float(surface.height_at(p[0], p[1])) for p in (tx, middle, rx))
    parts = 1 if least >= 2 * surface.step else math.ceil(2 * surface.step / least)
    step = surface.step / parts
    heights, slope_e, slope_n = (
        cut(grid, parts)
        for grid in (surface.heights, *np.gradient(surface.heights, surface.step))
    )
    for (i, j), up in np.ndenumerate(heights):
        place = np.array([*(surface.origin + step * np.array([i, j])), up])
        far = np.hypot(*(place - middle)[:2])
        if far > radius:
            continue
        normal = np.array([-slope_e[i, j], -slope_n[i, j], 1])
        rt, rr = np.linalg.norm(tx - place), np.linalg.norm(rx - place)
        face = (normal @ (tx - place) / rt + normal @ (rx - place) / rr) / 2
        cosines = (tx - place)[2] / rt * (rx - place)[2] / rr
        weight = face * step**2 * cosines**q * fade(far, 2 / 3 * radius, radius)
        total += weight * np.exp(-1j * k0 * (rt + rr)) / (rt * rr)
    return total


def facet_spectrum(h, apart, step, frequency, soil, *, radius, q, share, angle):
    """Return what a facet must reflect for flat ground to bounce exactly."""
    n = 2 * math.ceil(radius / step) + 3
    flat = Surface(origin=np.full(2, -(n // 2) * step), step=step, heights=np.zeros((n, n)))
    half = np.array([apart / 2, 0, 0])
    up = np.array([0, 0, h])
    facets = bounce(up - half, up + half, flat, frequency, radius, q)
    k0 = 2 * math.pi * frequency / C
    exact = np.array(
        [mirrored(k, e, h, apart, share, angle) for k, e in zip(k0, soil, strict=True)]
    )
    return exact * (h / math.hypot(h, apart / 2)) ** (2 * q) / facets


def dipole_field(across, c1, rho, ray, down, axis):
    """Field of a horizontal dipole at the end of each ray, as vectors."""
    flat = across / np.maximum(rho, 1e-12)[:, None]
    along = np.column_stack([flat, np.zeros(len(flat))])
    side = np.cross([0, 0, 1], along)
    electric = (down[0] * (side @ axis))[:, None] * side
    # across the ray, in its plane; the ray points up to the antenna
    tilted = along * ray[:, 2:] - np.outer((ray * along).sum(axis=1), [0, 0, 1])
    return electric + (down[1] * c1 * (along @ axis))[:, None] * tilted


def buried(
    tx, rx, surface, scatterers, frequency, soil, *, n, q, share, reach, height, angle=None
):  # fmt: skip
    """Spectrum of what is buried, and the delays at the reference index."""
    k0, k = 2 * math.pi * frequency / C, 2 * math.pi * frequency / C * np.sqrt(soil)
    place = scatterers.position
    legs = []
    for antenna in (tx, rx):
        across = place[:, :2] - antenna[:2]
        rho = np.hypot(*across.T)
        rise = antenna[2] - place[:, 2]
        z = surface.height_at(*place[:, :2].T) - place[:, 2]
        h = np.maximum(rise - z, 1e-3)
        entry = antenna[:2] + across * (n * h / (n * h + z))[:, None]
        z = np.clip(surface.height_at(*entry.T) - place[:, 2], 1e-3, rise - 1e-3)
        x = enter_ground(rise - z, z, rho, n)
        ray = np.column_stack([-across * ((rho - x) / np.maximum(rho, 1e-12))[:, None], z])
        ray /= np.linalg.norm(ray, axis=1)[:, None]
        down, up, c1 = amplitude(rise - z, z, x, rho, n)
        face = (ray * scatterers.normal).sum(axis=1)
        line = (rx - tx) / np.hypot(*(rx - tx)[:2])
        lean = angle or 0.0
        axis = np.array(
            [
                line[0] * math.cos(lean) + line[1] * math.sin(lean),
                line[1] * math.cos(lean) - line[0] * math.sin(lean),
                0,
            ]
        )
        field = dipole_field(across, c1, rho, ray, down, axis)
        legs.append((np.hypot(rise - z, x), np.hypot(z, rho - x), c1, face, down, up, field))
    (la_t, ls_t, c_t, f_t, down, _, sent), (la_r, ls_r, c_r, f_r, _, up, heard) = legs
    size = share * down[0] * up[0] + (1 - share) * down[1] * up[1]
    if angle is not None:
        size = (sent * heard).sum(axis=1)
    size = size * scatterers.weight * (c_t * c_r) ** q
    has_face = scatterers.normal.any(axis=1)
    size *= np.where(has_face, np.maximum(f_t + f_r, 0) / 2, 1)
    far = np.hypot(*(place - (tx + rx) / 2)[:, :2].T)
    if reach < np.inf:
        size = size * fade(far, 0.8 * reach, reach)
    size[(c_t * c_r) ** q < 0.01] = 0
    air, ground = (la_t + la_r)[:, None], (ls_t + ls_r)[:, None]
    waves = np.exp(-1j * (k0 * air + k * ground))
    for i, half in enumerate(ground[:, 0] / 2):
        ray = 2 / ((1 + n) * (height + half / n)) * np.exp(-1j * (k0 * height + k * half))
        exact = [on_axis(a, e, height, half, share) for a, e in zip(k0, soil, strict=True)]
        waves[i] *= (np.array(exact) / ray) ** 2
    delay = (air + n * ground)[:, 0] / C
    return size[:, None] * scatterers.spectra[scatterers.spectrum] * waves, delay


def trace(
    tx, rx, *, n_samples, interval, peak_frequency, permittivity, surface, scatterers,
    coupling, q=1.0, share=0.5, reach=np.inf, angle=None,
):  # fmt: skip
    """One trace with its time zero one period of the peak into it."""
    fp = peak_frequency
    window = n_samples * interval
    step = 1 / (window + 2.5 / fp)
    frequency = step * np.arange(1, int(min(3 * fp, 0.5 / interval) / step) + 1)
    soil = np.broadcast_to(np.asarray(permittivity, complex), frequency.shape)
    n = np.interp(fp, frequency, np.sqrt(soil).real)
    middle = (tx + rx) / 2
    height = middle[2] - surface.height_at(*middle[:2])
    radius = 3 * math.sqrt(C / (0.365 * fp) * height / 2)
    apart = np.linalg.norm((tx - rx)[:2])
    total = bounce(tx, rx, surface, frequency, radius, q)
    total = total * facet_spectrum(
        height,
        apart,
        surface.step,
        frequency,
        soil,
        radius=radius,
        q=q,
        share=share,
        angle=angle,
    )
    if coupling:
        apart = np.linalg.norm(tx - rx)
        direct = coupling / apart * np.exp(-2j * math.pi * frequency * apart / C)
        if angle is not None:
            u = C / (2 * math.pi * frequency * apart)
            across, along = 1 - 1j * u - u**2, 2j * u + 2 * u**2
            direct = direct * (math.sin(angle) ** 2 * across + math.cos(angle) ** 2 * along)
        total = total + direct
    if len(scatterers):
        echoes, delay = buried(
            tx, rx, surface, scatterers, frequency, soil,
            n=n, q=q, share=share, reach=reach, height=height, angle=angle,
        )  # fmt: skip
        total = total + echoes[delay + 1 / fp < window + 1.25 / fp].sum(axis=0)
    wave = 2 / math.sqrt(math.pi) * frequency**2 / fp**3 * np.exp(-((frequency / fp) ** 2))
    spectrum = wave * total * np.exp(-2j * math.pi * frequency / fp)
    time = np.arange(n_samples) * interval
    return 2 * step * (np.exp(2j * math.pi * np.outer(time, frequency)) @ spectrum).real

"""The radar model from its formulas, one trace at a time, in complex float64."""

import math

import numpy as np

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


def bounce(tx, rx, surface, frequency, soil, radius, q):
    """Spectrum of the facets of the surface."""
    k0 = 2 * math.pi * frequency / C
    n = np.sqrt(soil)
    total = np.zeros(len(frequency), complex)
    slope_e, slope_n = np.gradient(surface.heights, surface.step)
    middle = (tx + rx) / 2
    for (i, j), up in np.ndenumerate(surface.heights):
        place = np.array([*(surface.origin + surface.step * np.array([i, j])), up])
        far = np.hypot(*(place - middle)[:2])
        if far > radius:
            continue
        normal = np.array([-slope_e[i, j], -slope_n[i, j], 1])  # times area over step^2
        rt, rr = np.linalg.norm(tx - place), np.linalg.norm(rx - place)
        face = (normal @ (tx - place) / rt + normal @ (rx - place) / rr) / 2
        cosines = (tx - place)[2] / rt * (rx - place)[2] / rr
        weight = face * surface.step**2 * cosines**q * fade(far, 2 / 3 * radius, radius)
        wave = 1j * k0 / (2 * math.pi) * (1 - n) / (1 + n) * np.exp(-1j * k0 * (rt + rr))
        total += weight * wave / (rt * rr)
    return total


def buried(tx, rx, surface, scatterers, frequency, soil, *, n, q, share, reach):
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
        legs.append((np.hypot(rise - z, x), np.hypot(z, rho - x), c1, face, down, up))
    (la_t, ls_t, c_t, f_t, down, _), (la_r, ls_r, c_r, f_r, _, up) = legs
    size = share * down[0] * up[0] + (1 - share) * down[1] * up[1]
    size = size * scatterers.weight * (c_t * c_r) ** q
    has_face = scatterers.normal.any(axis=1)
    size *= np.where(has_face, np.maximum(f_t + f_r, 0) / 2, 1)
    far = np.hypot(*(place - (tx + rx) / 2)[:, :2].T)
    if reach < np.inf:
        size = size * fade(far, 0.8 * reach, reach)
    size[(c_t * c_r) ** q < 0.01] = 0
    air, ground = (la_t + la_r)[:, None], (ls_t + ls_r)[:, None]
    waves = np.exp(-1j * (k0 * air + k * ground))
    delay = (air + n * ground)[:, 0] / C
    return size[:, None] * scatterers.spectra[scatterers.spectrum] * waves, delay


def trace(
    tx, rx, *, n_samples, interval, peak_frequency, permittivity, surface, scatterers,
    coupling, q=1.0, share=0.5, reach=np.inf,
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
    total = bounce(tx, rx, surface, frequency, soil, radius, q)
    apart = np.linalg.norm(tx - rx)
    if coupling:
        total = total + coupling / apart * np.exp(-2j * math.pi * frequency * apart / C)
    if len(scatterers):
        echoes, delay = buried(
            tx, rx, surface, scatterers, frequency, soil, n=n, q=q, share=share, reach=reach
        )
        total = total + echoes[delay + 1 / fp < window + 1.25 / fp].sum(axis=0)
    wave = 2 / math.sqrt(math.pi) * frequency**2 / fp**3 * np.exp(-((frequency / fp) ** 2))
    spectrum = wave * total * np.exp(-2j * math.pi * frequency / fp)
    time = np.arange(n_samples) * interval
    return 2 * step * (np.exp(2j * math.pi * np.outer(time, frequency)) @ spectrum).real

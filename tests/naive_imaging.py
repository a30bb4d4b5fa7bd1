"""Images of a radar profile from their formulas, by loops, in float64."""

import functools
import math

import numpy as np
from scipy.optimize import minimize_scalar

C = 299_792_458.0


def kirchhoff(traces, axis, *, velocity, spacing, is_usable, aperture=math.inf, angle=0.9):
    """Sum over the diffractions of one channel, image point by image point."""
    step = axis[1] - axis[0]
    slopes = [np.gradient(trace.astype(float), step) for trace in traces]
    image = np.zeros(traces.shape)
    for k in range(len(traces)):
        for j, t in enumerate(axis):
            for a in np.flatnonzero(is_usable):
                x = abs(a - k) * spacing
                depth = velocity * t / 2
                if t <= 0 or x > aperture * (1 + 1e-9) or math.atan2(x, depth) > angle:
                    continue
                r = math.hypot(x, depth)
                if 2 * r / velocity <= axis[-1] * (1 + 1e-12):
                    slope = np.interp(2 * r / velocity, axis, slopes[a])
                    image[k, j] += depth / r / (velocity * r) * slope
        if not is_usable[k]:
            image[k] = np.nan
    return image


def stolt(traces, axis, *, velocity, spacing, is_usable, height=0.0, n_wide=300, length=400):
    """Map one channel, each value of the spectrum by its sum over the profile."""
    step = axis[1] - axis[0]
    u = velocity / 2
    x = spacing * np.arange(len(traces))
    kept = np.where(is_usable[:, None], traces, 0).astype(float)
    d_kz = 2 * math.pi / (length * step * u)
    d_kx = 2 * math.pi / (n_wide * spacing)
    depth = u * axis
    image = np.zeros(traces.shape)
    for m in range(-(n_wide // 2), (n_wide + 1) // 2):
        along = np.exp(-1j * m * d_kx * x)
        line = along @ kept
        for n in range(length // 2 + 1):
            kx, kz = m * d_kx, n * d_kz
            w = u * math.hypot(kx, kz)
            if w > math.pi / step * (1 + 1e-9):
                continue
            value = line @ np.exp(-1j * w * axis) * (kz / math.hypot(kx, kz) if w else 1)
            if height:
                square = (2 * w / C) ** 2 - kx**2
                value *= np.exp(1j * height * math.sqrt(square)) if square >= 0 else 0
            both = 1 if n in (0, length // 2) else 2  # its mirror image at -kx, -kz too
            part = both * value * np.exp(1j * kz * depth)
            image += (along.conj()[:, None] * part).real
    image /= n_wide * length
    image[~is_usable] = np.nan
    return image


def phase_shift(traces, axis, *, layers, spacing, height, n_wide, length):
    """Continue one channel down, image time by image time, each from the surface."""
    step = axis[1] - axis[0]
    x = spacing * np.arange(len(traces))
    tops = [top for top, _ in layers]
    image = np.zeros(traces.shape)
    for m in range(-(n_wide // 2), (n_wide + 1) // 2):
        kx = 2 * math.pi * m / (n_wide * spacing)
        along = np.exp(-1j * kx * x)
        line = along @ traces.astype(float)
        for n in range(length // 2 + 1):
            w = 2 * math.pi * n / (length * step)
            value = line @ np.exp(-1j * w * axis) * (1 if n in (0, length // 2) else 2)
            air = (2 * w / C) ** 2 - kx**2
            if height and air < 0:
                continue
            value *= np.exp(1j * height * math.sqrt(max(air, 0.0)))
            for j, time in enumerate(axis):
                phase, is_in = 0.0, True
                for (top, v), bottom in zip(layers, [*tops[1:], math.inf], strict=True):
                    root = w**2 - (v * kx / 2) ** 2
                    inside = min(time, bottom) - top if time > top or top == 0 else 0.0
                    is_in = is_in and (root >= 0 or (inside == 0 and top > 0))
                    phase += math.sqrt(max(root, 0.0)) * inside
                if is_in:
                    image[:, j] += (along.conj() * value * np.exp(1j * phase)).real
    return image / (n_wide * length)


@functools.cache
def leg(height, depth, offset, index):
    """Return time of the fastest way into the ground, and cosine from the vertical there."""
    if height == 0 or offset == 0:  # on the ground a wave is not to creep along it
        way = math.hypot(depth, offset)
        return (height + index * way) / C, depth / way

    def path(x):
        return math.hypot(height, x) + index * math.hypot(depth, offset - x)

    best = minimize_scalar(
        path, bounds=(0, offset), method="bounded", options={"xatol": 1e-10 * offset}
    )
    return best.fun / C, depth / math.hypot(depth, offset - best.x)


def back_project(
    traces,
    axis,
    *,
    index,
    spacing,
    depths,
    heights,
    aperture,
    is_usable,
    separation=0.0,
    time_zero=0.0,
    angle=0.9,
):
    """Sum one channel point by point and trace by trace; return image and coherence."""
    image = np.full((len(traces), len(depths)), np.nan)
    coherence = image.copy()
    for i in range(len(traces)):
        for j, z in enumerate(depths):
            weights, values = [], []
            for a in np.flatnonzero(is_usable):
                x = (a - i) * spacing
                sides = [abs(x - separation / 2), abs(x + separation / 2)]
                legs = [leg(heights[a], z, side, index) for side in sides]
                time = time_zero + legs[0][0] + legs[1][0]
                if abs(x) >= aperture * (1 - 1e-9) or not axis[0] <= time <= axis[-1]:
                    continue
                if max(math.acos(min(1.0, cosine)) for _, cosine in legs) > angle:
                    continue
                hann = (1 + math.cos(math.pi * x / aperture)) / 2
                weights.append((legs[0][1] + legs[1][1]) / 2 * hann)
                values.append(np.interp(time, axis, traces[a].astype(float)))
            if values:
                image[i, j] = np.dot(weights, values)
                coherence[i, j] = sum(values) ** 2 / (len(values) * np.dot(values, values))
    return image, coherence

"""Slow, obviously correct versions of what brings radar traces into place. Written first."""

import cmath
import math

import naive_imaging
import numpy as np


def trace_of_tones(phasors, tones, weights, times):
    """Real part of the weighted mean of phasors turned to each time, one by one."""
    trace = []
    for t in times:
        total = sum(
            w * x * cmath.exp(2j * math.pi * f * t)
            for w, x, f in zip(weights, phasors, tones, strict=True)
        )
        trace.append(total.real / sum(weights))
    return np.array(trace)


def best_sum(gain, prices, jump):
    """Return the best path through gains, by the recursion, each trace with its own price."""
    score, steps = [0.0] * len(gain[0]), []
    for row, price in zip(gain, prices, strict=True):
        best = [
            max(
                (score[p] - price * abs(p - q), -abs(p - q), p)
                for p in range(len(row))
                if abs(p - q) <= jump
            )
            for q in range(len(row))
        ]
        score = [total + g for (total, _, _), g in zip(best, row, strict=True)]
        steps.append([p for _, _, p in best])
    path = [int(np.argmax(score))]
    for row in steps[:0:-1]:
        path.append(row[path[-1]])
    return path[::-1]


def read_along(places, rows, target, spacing, lobes):
    """Return what lies at a place of a lane without holes, from the definition."""
    n = len(places)
    i = max(k for k in range(n) if places[k] <= target)
    i = min(i, n - 2)
    step = places[i + 1] - places[i]
    width = max(spacing, step)
    reach = min(lobes * width, target - places[0], places[-1] - target)
    if reach < width * (1 - 1e-6):
        if lobes:
            near = [k for k in range(n) if abs(places[k] - target) <= width or k in (i, i + 1)]
            left = np.array([places[k] - places[k - 1] if k else 0.0 for k in near])
            right = np.array([places[k + 1] - places[k] if k + 1 < n else 0.0 for k in near])
            d = np.array([places[k] - target for k in near])
            weight = np.minimum((left + right) / 2, width) * (1 - np.abs(d) / (2 * width))
            root = np.sqrt(weight)[:, None]
            design = root * np.column_stack([np.ones(len(d)), d])
            return np.linalg.lstsq(design, root * rows[near], rcond=None)[0][0]
        share = (target - places[i]) / step
        return (1 - share) * rows[i] + share * rows[i + 1]
    near = [k for k in range(n) if abs(places[k] - target) <= reach]
    d = np.array([places[k] - target for k in near])
    left = np.array([places[k] - places[k - 1] if k else 0.0 for k in near])
    right = np.array([places[k + 1] - places[k] if k + 1 < n else 0.0 for k in near])
    cells = np.minimum((left + right) / 2, width)
    w = cells * np.sinc(d / width) * np.sinc(d / width / lobes)
    w /= w.sum()
    tent = cells * (1 - np.abs(d) / (2 * reach))
    lean = (tent * d).sum() / tent.sum()
    tilt = tent * (d - lean)  # adds up to nothing, and times d to its own square
    w -= (w * d).sum() * tilt / (tilt * d).sum()
    return w @ np.array([rows[k] for k in near])


def arrival(x, height, depth, radius, index, separation):
    """Return the time of the echo of a sphere, each leg the fastest of all ways to it."""
    time = -2 * index * radius / 299_792_458
    for half in (-separation / 2, separation / 2):
        time += naive_imaging.leg(height, depth + radius, abs(x + half), index)[0]
    return time


def distance_to_curve(x, t, curve, x_std, t_std):
    """Return how far a point is from a curve, in standard deviations, by trying all."""
    moved = np.linspace(-6 * x_std, 6 * x_std, 801)
    late = np.array([t - curve(x + m) for m in moved])
    return np.sqrt(((late / t_std) ** 2 + (moved / x_std) ** 2).min())


def sharpness(image):
    """Return the sum of fourth powers over the square of the sum of squares, pixel by pixel."""
    fourth = sum(float(v) ** 4 for v in image.ravel() if not math.isnan(v))
    second = sum(float(v) ** 2 for v in image.ravel() if not math.isnan(v))
    return fourth / second**2

"""Slow, obvious gridding, smoothing and peaks: one cell and one neighbour at a time."""

import itertools
import math

import numpy as np

KERNEL = np.array([[0.06, 0.10, 0.06], [0.10, 0.36, 0.10], [0.06, 0.10, 0.06]])


def grid(places, values, origin, cell, shape, reach):
    """
    Return the grid of one value: block means, then planes over their triangles.

    A triangle is one of Delaunay's if no other mean lies in its circumcircle; which of them
    holds a middle is found by trying all.
    """
    blocks = {}
    for place, value in zip(places, values, strict=True):
        key = tuple(math.floor((p - o) / cell) for p, o in zip(place, origin, strict=True))
        blocks.setdefault(key, []).append((*place, value))
    means = np.array([np.mean(block, axis=0) for block in blocks.values()])
    triangles = [t for t in itertools.combinations(means, 3) if _is_empty(t, means)]
    result = np.full(shape, np.nan)
    for i, j in np.ndindex(*shape):
        middle = np.array([origin[0] + (j + 0.5) * cell, origin[1] + (i + 0.5) * cell])
        if min(math.dist(middle, place) for place in places) > reach:
            continue
        result[i, j] = min(means, key=lambda mean: math.dist(mean[:2], middle))[2]
        for triangle in triangles:
            corners = np.column_stack([np.array(triangle)[:, :2], np.ones(3)])
            shares = np.linalg.solve(corners.T, [*middle, 1])
            if (shares >= -1e-9).all():
                result[i, j] = shares @ np.array(triangle)[:, 2]
    return result


def _is_empty(triangle, means):
    """Tell whether no mean lies in the circumcircle of three."""
    a, b, c = (corner[:2] for corner in triangle)
    matrix = 2 * np.array([b - a, c - a])
    if abs(np.linalg.det(matrix)) < 1e-12:
        return False
    centre = np.linalg.solve(matrix, [b @ b - a @ a, c @ c - a @ a])
    radius = math.dist(centre, a)
    return all(math.dist(centre, mean[:2]) > radius * (1 - 1e-9) for mean in means)


def smooth(values, passes):
    """Return the weighted means of observed neighbours, pass after pass."""
    for _ in range(passes):
        result = np.full(values.shape, np.nan)
        for i, j in np.argwhere(np.isfinite(values)):
            total = weight = 0.0
            for k, m in itertools.product(range(-1, 2), repeat=2):
                inside = 0 <= i + k < values.shape[0] and 0 <= j + m < values.shape[1]
                if inside and np.isfinite(values[i + k, j + m]):
                    total += KERNEL[k + 1, m + 1] * values[i + k, j + m]
                    weight += KERNEL[k + 1, m + 1]
            result[i, j] = total / weight
        values = result
    return values


def peaks(values, threshold, least):
    """
    Return row, column, steps east and north, height, directions and border of each peak.

    Parabolas are NumPy's fits through three points.
    """
    found = []
    for i, j in np.argwhere(values > threshold):

        def at(k, m, i=i, j=j):
            inside = 0 <= i + k < values.shape[0] and 0 <= j + m < values.shape[1]
            return values[i + k, j + m] if inside else math.nan

        n_higher, best = 0, (values[i, j], 0.0, 0.0)
        for k, m in ((0, 1), (1, 0), (1, 1), (1, -1)):
            before, after = at(-k, -m), at(k, m)
            if before >= values[i, j] or after > values[i, j]:
                continue
            n_higher += 1
            if math.isfinite(before) and math.isfinite(after):
                a, b, c = np.polyfit([-1, 0, 1], [before, values[i, j], after], 2)
                x = -b / (2 * a)
                best = max(best, (np.polyval([a, b, c], x), x * m, x * k))
        around = [at(k, m) for k, m in itertools.product(range(-1, 2), repeat=2)]
        if n_higher >= least:
            found.append(
                (i, j, best[1], best[2], best[0], n_higher, bool(np.isnan(around).any()))
            )
    return found

"""
Kernels of single strips of items: their density, and the law by which a record claims them.

Strips and laws are rows of numbers, as :mod:`minesense._kernels.strips` describes them.
"""

import math

from ._jit import jit


@jit
def strip_density(strip, easting, northing):
    """Return items per m^2 of a strip at a point."""
    east, north = easting - strip[0], northing - strip[1]
    sin, cos = math.sin(strip[2]), math.cos(strip[2])
    if abs(east * sin + north * cos) > strip[3] / 2:
        return 0.0
    across = (east * cos - north * sin) / strip[4]
    return (
        strip[5] / strip[3] * math.exp(-0.5 * across * across) / (strip[4] * 2.5066282746310002)
    )


@jit
def add_strip(strip, points, origin, cell, weight, out):
    """
    Add a strip's items to the cells of a grid.

    Parameters
    ----------
    strip : (6,) float64 array
        See the module.
    points : (n, 2) float64 array
        Equally likely places: share of the length from the middle, and standard deviations.
    origin : (2,) float64 array
        South-western corner, m.
    cell : float
        Side of a cell, m.
    weight : float
        Times this.
    out : (n_rows, n_columns) float64 array
        Items are added to it; those beyond it are left out.
    """
    sin, cos = math.sin(strip[2]), math.cos(strip[2])
    part = weight * strip[5] / len(points)
    for k in range(len(points)):
        u, v = points[k, 0] * strip[3], points[k, 1] * strip[4]
        column = math.floor((strip[0] + u * sin + v * cos - origin[0]) / cell)
        row = math.floor((strip[1] + u * cos - v * sin - origin[1]) / cell)
        if 0 <= row < out.shape[0] and 0 <= column < out.shape[1]:
            out[row, column] += part


@jit
def half_turn(angle):
    """Return an angle between lines: from -pi/2 to pi/2."""
    return (angle + math.pi / 2) % math.pi - math.pi / 2


@jit
def normal_log(value, spread):
    """Return the logarithm of the density of a normal law around zero."""
    z = value / spread
    return -0.5 * z * z - math.log(spread) - 0.9189385332046727


@jit
def log_place(strip, claim, law, box):
    """Return the logarithm of the prior density of a strip's middle, 1/m^2."""
    if law[0] < 0:
        if box[0] <= strip[0] <= box[1] and box[2] <= strip[1] <= box[3]:
            return -math.log((box[1] - box[0]) * (box[3] - box[2]))
        return -math.inf
    east, north = strip[0] - claim[0], strip[1] - claim[1]
    sin, cos = math.sin(claim[2]), math.cos(claim[2])
    along, across = east * sin + north * cos, east * cos - north * sin
    return normal_log(along, law[0]) + normal_log(across, law[1])


@jit
def log_heading(strip, claim, law):
    """Return the logarithm of the prior density of a strip's heading, 1/rad."""
    if law[2] < 0:
        return -math.log(math.pi)
    return normal_log(half_turn(strip[2] - claim[2]), law[2])


@jit
def log_size(strip, claim, law):
    """Return the logarithm of the prior density of the logarithms of length and number."""
    length = math.log(strip[3] / claim[3]) - law[3]
    number = math.log(strip[5] / claim[5]) - law[5]
    return normal_log(length, law[4]) + normal_log(number, law[6])


@jit
def draw_strip(claim, law, box, rng, out):
    """Overwrite `out` with a strip drawn from the law of a state that is not absence."""
    if law[0] < 0:
        out[0] = box[0] + (box[1] - box[0]) * rng.random()
        out[1] = box[2] + (box[3] - box[2]) * rng.random()
    else:
        along, across = law[0] * rng.normal(0.0, 1.0), law[1] * rng.normal(0.0, 1.0)
        sin, cos = math.sin(claim[2]), math.cos(claim[2])
        out[0] = claim[0] + along * sin + across * cos
        out[1] = claim[1] + along * cos - across * sin
    if law[2] < 0:
        out[2] = claim[2] + math.pi * (rng.random() - 0.5)
    else:
        out[2] = claim[2] + half_turn(law[2] * rng.normal(0.0, 1.0))
    out[3] = claim[3] * math.exp(law[3] + law[4] * rng.normal(0.0, 1.0))
    out[4] = claim[4]
    out[5] = claim[5] * math.exp(law[5] + law[6] * rng.normal(0.0, 1.0))


@jit
def pick(weights, total, rng):
    """Return an index at random, in proportion to weights that add up to `total`."""
    left = rng.random() * total
    for k in range(len(weights) - 1):
        left -= weights[k]
        if left < 0:
            return k
    return len(weights) - 1

"""Kernels that read traces between the places where they were recorded."""

import math

import numpy as np

from ._jit import jit


@jit
def resample(rows, places, is_broken, targets, brackets, spacing, lobes, weights, sums, out):
    """
    Give weighted sums of the rows around each target.

    Parameters
    ----------
    rows : (n, width) float32 array
        Finite.
    places : (n,) float64 array
        Strictly increasing.
    is_broken : (n,) bool array
        Whether nothing may be read between a row and the one before.
    targets : (n_out,) float64 array
    brackets : (n_out,) int64 array
        Last row not after each target, but one with a row after it if there is any.
    spacing : float
        Between targets.
    lobes : int
        Of the windowed sinc on each side; 0 for the line between neighbours.
    weights : (n,) float64 array
        Overwritten.
    sums : (n_columns,) float64 array
        Overwritten; as many columns are summed together.
    out : (n_out, width) float32 array
        Overwritten; NaN where nothing may be read.
    """
    n, width = rows.shape
    for k in range(len(targets)):
        i = brackets[k]
        result = out[k]
        if i + 1 < n and is_broken[i + 1]:
            for j in range(width):
                result[j] = np.nan
            continue
        first, stop = _weigh(places, is_broken, targets[k], i, spacing, lobes, weights)
        for start in range(0, width, len(sums)):
            columns = min(len(sums), width - start)
            _sum_rows(rows, first, stop, start, weights, sums[:columns])
            part = result[start : start + columns]
            for j in range(columns):
                part[j] = sums[j]


@jit
def _sum_rows(rows, first, stop, start, weights, sums):
    """Sum weighted rows in their order, four at a time: that saves loads and stores."""
    n = len(sums)
    for j in range(n):
        sums[j] = 0.0
    n_fours = (stop - first) // 4
    for i in range(n_fours):
        m = first + 4 * i
        a = rows[m, start : start + n]
        b = rows[m + 1, start : start + n]
        c = rows[m + 2, start : start + n]
        d = rows[m + 3, start : start + n]
        p = weights[m]
        q = weights[m + 1]
        r = weights[m + 2]
        s = weights[m + 3]
        for j in range(n):
            sums[j] = (((sums[j] + p * a[j]) + q * b[j]) + r * c[j]) + s * d[j]
    for m in range(first + 4 * n_fours, stop):
        row = rows[m, start : start + n]
        weight = weights[m]
        for j in range(n):
            sums[j] += weight * row[j]


@jit
def _weigh(places, is_broken, target, i, spacing, lobes, weights):
    """Give weights of the rows around a target, 1 in all; return the first and the end."""
    n = len(places)
    if i + 1 == n:
        weights[i] = 1.0
        return i, n
    step = places[i + 1] - places[i]
    length = max(spacing, step)
    reach = lobes * length
    # as far on one side as on the other, up to where rows end or a hole begins
    first = i
    while first > 0 and not is_broken[first] and target - places[first] < reach:
        first -= 1
    last = i + 1
    while last + 1 < n and not is_broken[last + 1] and places[last] - target < reach:
        last += 1
    reach = min(reach, target - places[first], places[last] - target)
    # rounding decides nothing between equal distances, of places far from the origin either
    if reach < length * (1 - 1e-6):
        if lobes > 0:
            return _weigh_end(places, is_broken, target, i, length, weights)
        weights[i + 1] = (target - places[i]) / step
        weights[i] = 1.0 - weights[i + 1]
        return i, i + 2
    while target - places[first] > reach:
        first += 1
    while places[last] - target > reach:
        last -= 1
    total = 0.0
    moment = 0.0
    mass = 0.0
    lean = 0.0
    square = 0.0
    for m in range(first, last + 1):
        cell, distance = _cell(places, is_broken, m, length), places[m] - target
        weights[m] = cell * _sinc(distance / length) * _sinc(distance / length / lobes)
        total += weights[m]
        moment += weights[m] * distance
        tent = cell * (1.0 - abs(distance) / (2 * reach))
        mass += tent
        lean += tent * distance
        square += tent * distance * distance
    # weights that add up to nothing, and times distance to one, take the lean away
    lean /= mass
    square = square / mass - lean * lean
    for m in range(first, last + 1):
        cell, distance = _cell(places, is_broken, m, length), places[m] - target
        tent = cell * (1.0 - abs(distance) / (2 * reach)) / mass
        weights[m] = (weights[m] - moment * tent * (distance - lean) / square) / total
    return first, last + 1


@jit
def _weigh_end(places, is_broken, target, i, length, weights):
    """
    Give the weights of a line fitted to the rows around a target near an end or a hole.

    Rows as far as `length` on either side, and the two neighbours in any case: through two
    rows it is the line between them. Dense rows are averaged, as they are within the lane;
    one of them alone, with all its noise, would stand out there like a target.
    """
    n = len(places)
    first = i
    while first > 0 and not is_broken[first] and target - places[first - 1] <= length:
        first -= 1
    last = i + 1
    while last + 1 < n and not is_broken[last + 1] and places[last + 1] - target <= length:
        last += 1
    mass = 0.0
    lean = 0.0
    square = 0.0
    for m in range(first, last + 1):
        distance = places[m] - target
        tent = _cell(places, is_broken, m, length) * (1.0 - abs(distance) / (2 * length))
        weights[m] = tent
        mass += tent
        lean += tent * distance
        square += tent * distance * distance
    lean /= mass
    square = square / mass - lean * lean
    for m in range(first, last + 1):
        distance = places[m] - target
        weights[m] *= (1.0 - lean * (distance - lean) / square) / mass
    return first, last + 1


@jit
def _cell(places, is_broken, m, most):
    """Return the part of the lane that is nearest to a row, `most` at most."""
    before = places[m] - places[m - 1] if m > 0 and not is_broken[m] else 0.0
    after = places[m + 1] - places[m] if m + 1 < len(places) and not is_broken[m + 1] else 0.0
    return min((before + after) / 2, most)


@jit
def _sinc(value):
    """Return sin(pi x) / (pi x)."""
    if abs(value) < 1e-9:
        return 1.0
    return math.sin(math.pi * value) / (math.pi * value)

"""
Kernels of dipole inversion: where a small body lies, and its tensor at every gate.

The six elements of a symmetric tensor come in the order 00, 11, 22, 01, 02, 12. What a trial
place needs is filled by `_reduce`, what a step from there needs by `_slope`; both share the
scratch arrays that `descend` describes. Each kernel is compiled again into every one that
calls it, so calls are few and not deep, and what is not done for every station loops over the
shapes of its arrays, which compiles faster than a fixed six.
"""

import math

from ._jit import jit
from .station_fields import fields_at


@jit
def _products(r0, r1, r2, t0, t1, t2):
    """Return what r^T M t takes of each element of M."""
    return r0 * t0, r1 * t1, r2 * t2, r0 * t1 + r1 * t0, r0 * t2 + r2 * t0, r1 * t2 + r2 * t1


@jit
def _factorise(gram, factor):
    """Overwrite the lower triangle of `factor` with Cholesky's; tell whether there is one."""
    for a in range(len(gram)):
        for b in range(a + 1):
            total = gram[a, b]
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a != b:
                factor[a, b] = total / factor[b, b]
            elif total > 1e-12 * gram[a, a]:
                factor[a, a] = math.sqrt(total)
            else:  # an element that no station sees, or NaN on a wire
                return False
    return True


@jit
def _solve_lower(factor, columns):
    """Overwrite `columns`, (6, n), with L^-1 times them."""
    for a in range(len(columns)):
        for b in range(a):
            for g in range(columns.shape[1]):
                columns[a, g] -= factor[a, b] * columns[b, g]
        for g in range(columns.shape[1]):
            columns[a, g] /= factor[a, a]


@jit
def _solve_upper(factor, columns):
    """Overwrite `columns`, (6, n), with L^-T times them."""
    for a in range(len(columns) - 1, -1, -1):
        for b in range(a + 1, len(columns)):
            for g in range(columns.shape[1]):
                columns[a, g] -= factor[b, a] * columns[b, g]
        for g in range(columns.shape[1]):
            columns[a, g] /= factor[a, a]


@jit
def _reduce(place, data, site, scratch):
    """
    Return how much of the squared data the best tensors at a place explain, else -1.

    Leaves fields and rows of the stations, the factor of A^T A and L^-1 A^T Y.
    """
    fields, rows, squares, columns, work = scratch
    gram = squares[0]
    for a in range(6):
        for b in range(6):
            gram[a, b] = 0.0
        for g in range(data.shape[1]):
            columns[a, g] = 0.0
    fields_at(place[0], place[1], place[2], site, fields[0], fields[3, 0], work[0])
    rx, tx = fields[0, 0], fields[0, 1]
    for i in range(len(data)):
        row = rows[i]
        row[0], row[1], row[2], row[3], row[4], row[5] = _products(
            rx[0, i], rx[1, i], rx[2, i], tx[0, i], tx[1, i], tx[2, i]
        )
        for a in range(6):
            for b in range(a + 1):
                gram[a, b] += row[a] * row[b]
            for g in range(data.shape[1]):
                columns[a, g] += row[a] * data[i, g]
    if not _factorise(gram, squares[1]):
        return -1.0
    _solve_lower(squares[1], columns)
    explained = 0.0
    for a in range(6):
        for g in range(data.shape[1]):
            explained += columns[a, g] * columns[a, g]
    return explained


@jit
def _slope_rows(fields, i, steps, changes, slopes):
    """Overwrite `slopes`, (3, 6), with the derivatives of a station's row by the place."""
    # curl and divergence of a field are zero off the wire: dH/du follows from dH/de, dH/dn
    for s in range(2):
        for c in range(3):
            for k in range(2):
                changes[k, s, c] = (fields[k + 1, s, c, i] - fields[0, s, c, i]) / steps[k]
        changes[2, s, 0] = changes[0, s, 2]
        changes[2, s, 1] = changes[1, s, 2]
        changes[2, s, 2] = -changes[0, s, 0] - changes[1, s, 1]
    rx, tx = fields[0, 0], fields[0, 1]
    for k in range(3):
        r, t = changes[k, 0], changes[k, 1]
        one = _products(r[0], r[1], r[2], tx[0, i], tx[1, i], tx[2, i])
        two = _products(rx[0, i], rx[1, i], rx[2, i], t[0], t[1], t[2])
        for a in range(6):
            slopes[k, a] = one[a] + two[a]


@jit
def _slope(place, data, site, scratch, normal):
    """
    Overwrite `normal`, (3, 4), with J^T J and the negative gradient at the place reduced.

    Kaufman's J_k = -P dA/dr_k X, with P = I - A (A^T A)^-1 A^T and X the tensors, which are
    left in the columns.
    """
    fields, rows, squares, columns, work = scratch
    shared = squares[2]
    cross = squares[3:6]
    _solve_upper(squares[1], columns)
    for a in range(6):
        for b in range(6):
            shared[a, b] = 0.0
            for g in range(data.shape[1]):
                shared[a, b] += columns[a, g] * columns[b, g]
    for k in range(3):
        for a in range(6):
            for b in range(6):
                cross[k, a, b] = 0.0
        for m in range(4):
            normal[k, m] = 0.0
    slopes = squares[6, :3]
    weighed = squares[6, 3:]
    pull = squares[7, 0]
    changes = work[4:10].reshape(3, 2, 3)
    steps = work[1]
    for k in range(2):
        # one-sided over 0.1 um, as good as 1e-6 of the slope; what the sum makes of it counts
        steps[k] = (place[k] + 1e-7) - place[k]
        e = place[0] + steps[k] * (1 - k)
        n = place[1] + steps[k] * k
        fields_at(e, n, place[2], site, fields[k + 1], fields[3, 0], work[0])
    for i in range(len(data)):
        row = rows[i]
        _slope_rows(fields, i, steps, changes, slopes)
        for a in range(6):
            pull[a] = 0.0
            for k in range(3):
                weighed[k, a] = 0.0
        for g in range(data.shape[1]):
            left = data[i, g]
            for a in range(6):
                left -= row[a] * columns[a, g]
            for a in range(6):
                pull[a] += columns[a, g] * left
        for k in range(3):
            for a in range(6):
                normal[k, 3] += slopes[k, a] * pull[a]
                for b in range(6):
                    weighed[k, b] += slopes[k, a] * shared[a, b]
                    cross[k, a, b] += row[a] * slopes[k, b]
            for m in range(k + 1):
                for b in range(6):
                    normal[k, m] += weighed[k, b] * slopes[m, b]
    _take_projection(squares[1], shared, cross, weighed[0], normal)


@jit
def _take_projection(factor, shared, cross, turned, normal):
    """Take from J^T J what the tensors follow, and fill its upper triangle."""
    n = len(turned)
    for k in range(len(cross)):
        _solve_lower(factor, cross[k])
    for k in range(len(cross)):
        for a in range(n):
            for c in range(n):
                turned[c] = 0.0
            for b in range(n):
                for c in range(n):
                    turned[c] += cross[k, a, b] * shared[b, c]
            for m in range(k + 1):
                for c in range(n):
                    normal[k, m] -= turned[c] * cross[m, a, c]
        for m in range(k):
            normal[m, k] = normal[k, m]


@jit
def _damped_step(normal, damping, step):
    """Overwrite `step`, (3,), with Marquardt's; with zero where the data have no slope."""
    a = normal[0, 0] * (1.0 + damping)
    b = normal[1, 1] * (1.0 + damping)
    c = normal[2, 2] * (1.0 + damping)
    d = normal[0, 1]
    e = normal[0, 2]
    f = normal[1, 2]
    u = b * c - f * f
    v = e * f - c * d
    w = d * f - b * e
    size = a * u + d * v + e * w
    if not size > 0.0:
        step[0] = step[1] = step[2] = 0.0
        return
    x, y, z = normal[0, 3], normal[1, 3], normal[2, 3]
    step[0] = (u * x + v * y + w * z) / size
    step[1] = (v * x + (a * c - e * e) * y + (d * e - a * f) * z) / size
    step[2] = (w * x + (d * e - a * f) * y + (a * b - d * d) * z) / size


@jit
def _is_known(place, known, merge):
    """Tell whether a place is as near as `merge` to one of those known, (n, 3)."""
    for j in range(len(known)):
        apart = 0.0
        for k in range(3):
            apart += (place[k] - known[j, k]) * (place[k] - known[j, k])
        if apart <= merge * merge:
            return True
    return False


@jit
def search_grid(
    data,
    position,
    rotation,
    tx_circles,
    tx_segments,
    rx_circles,
    rx_segments,
    is_coincident,
    low,
    high,
    counts,
    fields,
    rows,
    squares,
    columns,
    work,
    places,
    explained,
):
    """
    Find the points of a grid where h_rx^T M h_tx explains most of the data.

    Parameters
    ----------
    data : (n, n_gates) float64 array
        Over the standard deviation of their noise.
    position, rotation, tx_circles, tx_segments, rx_circles, rx_segments, is_coincident
        Heads, as in `induction.sum_of_bodies`.
    low, high : (3,) float64 array
        Corners of the box to search, m.
    counts : (3,) int64 array
        Cells of the grid along each axis; its points are their middles.
    fields, rows, squares, columns, work : float64 array
        Scratch, as in `descend`.
    places : (n_starts, 3) float64 array
        Overwritten with the best points, the best one first, m.
    explained : (n_starts,) float64 array
        Overwritten with the squared data that they explain; -1 where the stations determine
        no tensor, or the grid has no point for it.
    """
    site = (position, rotation, tx_circles, tx_segments, rx_circles, rx_segments, is_coincident)
    scratch = (fields, rows, squares, columns, work)
    for s in range(len(explained)):
        explained[s] = -1.0
    trial = work[10]
    for j in range(counts[0] * counts[1] * counts[2]):
        trial[0] = j // (counts[1] * counts[2])
        trial[1] = j // counts[2] % counts[1]
        trial[2] = j % counts[2]
        for k in range(len(trial)):
            trial[k] = low[k] + (trial[k] + 0.5) * (high[k] - low[k]) / counts[k]
        value = _reduce(trial, data, site, scratch)
        s = len(explained)
        while s > 0 and value > explained[s - 1]:
            s -= 1
            if s + 1 < len(explained):
                explained[s + 1] = explained[s]
                for k in range(len(trial)):
                    places[s + 1, k] = places[s, k]
        if s < len(explained):
            explained[s] = value
            for k in range(len(trial)):
                places[s, k] = trial[k]


@jit
def descend(
    place,
    known,
    data,
    position,
    rotation,
    tx_circles,
    tx_segments,
    rx_circles,
    rx_segments,
    is_coincident,
    low,
    high,
    nearest,
    merge,
    n_most,
    fields,
    rows,
    squares,
    columns,
    work,
    normal,
):
    """
    Move a place to the nearest optimum within a box, by Levenberg-Marquardt.

    Parameters
    ----------
    place : (3,) float64 array
        Where to begin; overwritten with the optimum, m.
    known : (n_known, 3) float64 array
        Optima found before.
    data, position, rotation, tx_circles, tx_segments, rx_circles, rx_segments, is_coincident
        As in `search_grid`.
    low, high : (3,) float64 array
        Corners of the box, m.
    nearest : float
        Step below which it has arrived, m.
    merge : float
        Distance from one of those known at which it is given up, m.
    n_most : int
        Places tried at most; 1 fills the results of the place itself.
    fields : (4, 2, 3, n) float64 array
        Scratch.
    rows : (n, 6) float64 array
        Overwritten with what each station receives of each element of the tensor, at the
        last place tried.
    squares : (8, 6, 6) float64 array
        Scratch.
    columns : (6, n_gates) float64 array
        Overwritten with the tensors there, in the unit of the data times m^2.
    work : (13, 3) float64 array
        Scratch.
    normal : (3, 4) float64 array
        Overwritten with J^T J at the place, and the negative gradient.

    Returns
    -------
    explained : float
        Squared data that the best tensors at the place explain; -1 where the stations
        determine none.
    """
    site = (position, rotation, tx_circles, tx_segments, rx_circles, rx_segments, is_coincident)
    scratch = (fields, rows, squares, columns, work)
    total = 0.0
    for i in range(len(data)):
        for g in range(data.shape[1]):
            total += data[i, g] * data[i, g]
    step = work[11]
    trial = work[12]
    for k in range(len(trial)):
        trial[k] = place[k]
    explained = -1.0
    damping = 1e-2
    for _ in range(n_most):
        value = _reduce(trial, data, site, scratch)
        # the sums of squares are known to rounding alone, the slope is better
        if value >= explained - 1e-13 * total:
            for k in range(len(trial)):
                place[k] = trial[k]
            explained = value
            damping *= 0.1
            _slope(place, data, site, scratch, normal)
        else:
            damping *= 10.0
        _damped_step(normal, damping, step)
        moved = 0.0
        for k in range(len(trial)):
            trial[k] = min(max(place[k] + step[k], low[k]), high[k])
            moved += (trial[k] - place[k]) * (trial[k] - place[k])
        if moved <= nearest * nearest or _is_known(place, known, merge):
            break
    return explained

"""Slow, obvious dipole inversion: a grid, and SciPy's least squares without the tensors."""

import itertools

import naive_emi
import numpy as np
from scipy.optimize import least_squares

ELEMENTS = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]


def unit_tensors():
    """Return the six symmetric tensors of which every other is a sum."""
    units = np.zeros((6, 3, 3))
    for k, (a, b) in enumerate(ELEMENTS):
        units[k, a, b] = units[k, b, a] = 1
    return units


def columns(place, position, rotation, head):
    """Return what each station receives from each unit tensor at a place, (n, 6)."""
    local = np.einsum("nba,nb->na", rotation, place - position)
    fields = [
        np.einsum("nab,nb->na", rotation, naive_emi.winding_field(local, winding, 200))
        for winding in (head.receiver, head.transmitter)
    ]
    return np.einsum("na,kab,nb->nk", fields[0], unit_tensors(), fields[1])


def fit(scaled, position, rotation, head, box, *, starts, n_cells):
    """
    Return place, tensors (n_gates, 3, 3), covariance and squared misfit of scaled data.

    The tensors at a place are those of linear least squares; the grid has the middles of
    `n_cells` cells along each axis of the box.
    """

    def solve(place):
        a = columns(place, position, rotation, head)
        found = np.linalg.lstsq(a, scaled, rcond=None)[0]
        return found, (scaled - a @ found).ravel()

    axes = [
        low + (np.arange(n) + 0.5) * (high - low) / n
        for low, high, n in zip(*box, n_cells, strict=True)
    ]
    grid = [np.array(point) for point in itertools.product(*axes)]
    grid.sort(key=lambda place: (solve(place)[1] ** 2).sum())
    options = {"method": "lm", "xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    fits = [least_squares(lambda p: solve(p)[1], x, **options) for x in grid[:starts]]
    best = min(fits, key=lambda found: found.cost)
    tensors = np.einsum("kg,kab->gab", solve(best.x)[0], unit_tensors())
    return best.x, tensors, np.linalg.inv(best.jac.T @ best.jac), 2 * best.cost

"""Where a dipole explains most of what stations received: a grid, then descents from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kernels.inversion import descend, search_grid
from ..head import Head
from ..physics.winding import wires_of
from ..sweep import Floats

#: Step at which a start has arrived, m; distance at which it is given up beside the end of an
#: earlier one, since it would end there too, m; and the most places it tries.
_LIMITS = (1e-9, 1e-3, 60)


def best_place(
    head: Head,
    stations: tuple[Floats, Floats, Floats],
    box: tuple[Floats, Floats],
    starts: int,
    spacing: float,
) -> tuple[Any, ...] | None:
    """
    Return the place at which one dipole explains most of the data.

    Parameters
    ----------
    head : Head
        Its wires.
    stations : ((n, 3), (n, 3, 3), (n, n_gates)) tuple of float64 ndarray
        Positions in m, rotations, and data over their noise.
    box : ((3,), (3,)) tuple of float64 ndarray
        Corners of the volume searched, m.
    starts : int
        How many of the best points of the grid are refined.
    spacing : float
        Of the grid at most, m.

    Returns
    -------
    found : tuple or None
        Place (3,) in m, squares explained, tensors (6, n_gates), what each station receives
        of their elements (n, 6), and J^T J of the place (3, 3). None if the stations
        determine no tensor anywhere on the grid.
    """
    position, rotation, scaled = stations
    low, high = box
    n, n_gates = scaled.shape
    transmitter, receiver = wires_of(head.transmitter), wires_of(head.receiver)
    rows, columns, normal = np.empty((n, 6)), np.empty((6, n_gates)), np.empty((3, 4))
    scratch = (np.empty((4, 2, 3, n)), rows, np.empty((8, 6, 6)), columns, np.empty((13, 3)))
    places, explained = np.empty((starts, 3)), np.empty(starts)
    site = (
        scaled,
        position,
        rotation,
        transmitter.circles,
        transmitter.segments,
        receiver.circles,
        receiver.segments,
        head.receiver is head.transmitter,
        low,
        high,
    )
    counts = np.ceil((high - low) / spacing).astype(np.int64)
    search_grid(*site, counts, *scratch, places, explained)
    for s in np.flatnonzero(explained >= 0):
        explained[s] = descend(places[s], places[:s], *site, *_LIMITS, *scratch, normal)
    best = int(explained.argmax())
    if explained[best] < 0:
        return None
    # once more without a step: rows, tensors and normal equations of the best
    descend(places[best], places[:0], *site, *_LIMITS[:2], 1, *scratch, normal)
    return places[best], float(explained[best]), columns, rows, normal[:, :3]


def place_covariance(normal: Floats) -> Floats:
    """
    Return the covariance of a place.

    Parameters
    ----------
    normal : (3, 3) float64 ndarray
        J^T J, for data over their noise, 1/m^2.

    Returns
    -------
    covariance : (3, 3) float64 ndarray
        In m^2; NaN where the data do not tell the place.
    """
    if np.linalg.eigvalsh(normal)[0] <= 0:
        return np.full((3, 3), np.nan)
    return np.asarray(np.linalg.inv(normal))

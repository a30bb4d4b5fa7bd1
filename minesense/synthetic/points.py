"""Points in the plane that are a function of seed and place, wherever one looks."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .._validation import check_not_negative, check_positive, check_rng
from ..sweep import Floats

#: Least easting and northing, greatest easting and northing, m.
Area = tuple[float, float, float, float]

#: Standard deviations beyond which no point of a cluster lies.
REACH = 4.0


def clustered_points(
    area: Area,
    density: float,
    *,
    cluster_size: float = 3.0,
    spread: float = 0.25,
    rng: np.random.Generator,
) -> Floats:
    """
    Draw a Neyman-Scott process: points in clusters around parents that are not kept.

    Parameters
    ----------
    area : (float, float, float, float)
        Least easting and northing, greatest easting and northing, in metres.
    density : float
        Mean number of points per square metre.
    cluster_size : float
        Mean number of points of a parent.
    spread : float
        Standard deviation of a point around its parent, in metres.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    points : (n, 2) float64 ndarray
        Easting and northing of the points inside the area, in metres.

    Raises
    ------
    TypeError, ValueError
        If a number is negative or `rng` is not a generator.

    Notes
    -----
    Parents are Poisson with `density` / `cluster_size` in the area widened by four times
    `spread`, their children Poisson with mean `cluster_size`: the mean density inside the
    area is `density` (Neyman & Scott 1958, J. R. Stat. Soc. B 20, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import clustered_points
    >>> rng = np.random.default_rng(seed=0)
    >>> points = clustered_points((0.0, 0.0, 100.0, 50.0), 0.5, rng=rng)
    >>> bool(2300 < len(points) < 2700)
    True
    """
    density = check_not_negative(density, "density")
    cluster_size = check_positive(cluster_size, "cluster_size")
    spread = check_not_negative(spread, "spread")
    west, south, east, north = area
    margin = REACH * spread
    wide = (west - margin, south - margin, east + margin, north + margin)
    families = draw_families(
        wide, density, cluster_size=cluster_size, spread=spread, rng=check_rng(rng)
    )
    points = np.concatenate([np.empty((0, 2)), *families])
    inside = ((points >= (west, south)) & (points <= (east, north))).all(axis=1)
    return points[inside]


def draw_families(
    area: Area, density: float, *, cluster_size: float, spread: float, rng: np.random.Generator
) -> list[Floats]:
    """
    Draw the children of all parents in an area.

    Parameters
    ----------
    area : (float, float, float, float)
        Where the parents lie, in metres.
    density, cluster_size, spread
        As in :func:`clustered_points`.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    families : list of (n, 2) float64 ndarray
        Children of each parent, none farther than four times `spread` along an axis.
    """
    west, south, east, north = area
    n_parents = rng.poisson(density / cluster_size * (east - west) * (north - south))
    families = []
    for parent in rng.uniform((west, south), (east, north), size=(n_parents, 2)):
        offsets = rng.normal(scale=spread, size=(rng.poisson(cluster_size), 2))
        families.append(parent + np.clip(offsets, -REACH * spread, REACH * spread))
    return families


def cells_over(area: Area, side: float) -> Iterator[tuple[int, int, Area]]:
    """
    Cut the plane into square cells and go through those that touch an area.

    Parameters
    ----------
    area : (float, float, float, float)
        Least and greatest coordinates, in metres.
    side : float
        Of a cell, in metres.

    Yields
    ------
    row, column : int
        Of the cell, counted from the origin, in either direction.
    cell : (float, float, float, float)
        Its least and greatest coordinates, in metres.

    Examples
    --------
    >>> from minesense.synthetic.points import cells_over
    >>> [(i, j) for i, j, _ in cells_over((-0.5, 0.0, 0.5, 0.5), 1.0)]
    [(-1, 0), (0, 0)]
    """
    west, south, east, north = area
    for i in range(math.floor(west / side), math.ceil(east / side)):
        for j in range(math.floor(south / side), math.ceil(north / side)):
            yield i, j, (i * side, j * side, (i + 1) * side, (j + 1) * side)


def chance(seed: int, *place: int) -> np.random.Generator:
    """
    Return the source of chance of one purpose at one place.

    Parameters
    ----------
    seed : int
        Of the field.
    *place : int
        Number of the purpose, then what tells the place, of either sign.

    Returns
    -------
    rng : numpy.random.Generator
        Independent of that of every other purpose and place.

    Examples
    --------
    >>> bool(chance(1, 0, -3).random() == chance(1, 0, -3).random())
    True
    >>> bool(chance(1, 0, -3).random() == chance(1, 0, 3).random())
    False
    """
    key = tuple(2 * k if k >= 0 else -2 * k - 1 for k in place)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))

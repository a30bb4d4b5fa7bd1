"""What else lies in the ground: metal scrap, stones, roots and voids as point processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .._validation import check_not_negative, check_rng
from ..physics import Relaxation
from ..sweep import Floats
from .metal import scrap

Area = tuple[float, float, float, float]  #: least easting, northing, greatest ones, m


@dataclass(frozen=True, slots=True, kw_only=True)
class Clutter:
    """One object that is not a target."""

    kind: str  #: "scrap", "stone", "root" or "void"
    easting: float  #: m
    northing: float  #: m
    depth: float  #: m, of its top
    size: float  #: m, longest extent
    heading: float = 0.0  #: rad, direction of a root
    permittivity: float | None = None  #: relative; None for metal
    metal: Relaxation | None = None

    @property
    def radius(self) -> float:
        """
        Radius in metres of the sphere, or of the rod of a root, that stands for it.

        Unverified: a splinter is thinner than long, a stone a little, a root is 16 mm thick.
        """
        if self.kind == "root":
            return 0.008
        return (0.3 if self.metal is not None else 0.4) * self.size


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
    >>> rng = np.random.default_rng(seed=0)
    >>> points = clustered_points((0.0, 0.0, 100.0, 50.0), 0.5, rng=rng)
    >>> bool(2300 < len(points) < 2700)
    True
    """
    density = check_not_negative(density, "density")
    spread = check_not_negative(spread, "spread")
    rng = check_rng(rng)
    west, south, east, north = area
    margin = 4 * spread
    widened = (east - west + 2 * margin) * (north - south + 2 * margin)
    n_parents = rng.poisson(density * widened / cluster_size)
    low, high = (west - margin, south - margin), (east + margin, north + margin)
    parents = rng.uniform(low, high, size=(n_parents, 2))
    parents = np.repeat(parents, rng.poisson(cluster_size, size=n_parents), axis=0)
    points = parents + rng.normal(scale=spread, size=parents.shape)
    inside = ((points >= (west, south)) & (points <= (east, north))).all(axis=1)
    return points[inside]


def draw_metal(area: Area, density: float, *, rng: np.random.Generator) -> list[Clutter]:
    """
    Draw metal scrap over an area.

    Parameters
    ----------
    area : (float, float, float, float)
        Least easting and northing, greatest easting and northing, in metres.
    density : float
        Mean number per square metre.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    clutter : list of Clutter
        Clustered pieces, log-normal in size (median 12 mm, sigma 0.7, 3 to 80 mm), depth
        exponential with mean 4 cm, at most 15 cm. Figures are unverified.

    Raises
    ------
    TypeError, ValueError
        As :func:`clustered_points`.

    Examples
    --------
    >>> import numpy as np
    >>> items = draw_metal((0.0, 0.0, 4.0, 5.0), 2.0, rng=np.random.default_rng(seed=0))
    >>> {item.kind for item in items}
    {'scrap'}
    """
    items = []
    for easting, northing in clustered_points(area, density, rng=rng):
        size = float(np.clip(0.012 * math.exp(0.7 * rng.normal()), 0.003, 0.08))
        items.append(
            Clutter(
                kind="scrap",
                easting=float(easting),
                northing=float(northing),
                depth=min(0.15, float(rng.exponential(0.04))),
                size=size,
                metal=scrap(size, rng=rng),
            )
        )
    return items


def draw_dielectric(area: Area, density: float, *, rng: np.random.Generator) -> list[Clutter]:
    """
    Draw stones, roots and voids over an area.

    Parameters
    ----------
    area : (float, float, float, float)
        Least easting and northing, greatest easting and northing, in metres.
    density : float
        Mean number per square metre.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    clutter : list of Clutter
        Of ten, six stones (30 to 120 mm by a power law of exponent -3, permittivity 4 to
        8), three roots (0.1 to 0.5 m long, 8 mm in radius, permittivity 8 to 25) and one
        void (20 to 80 mm). Figures are unverified.

    Raises
    ------
    TypeError, ValueError
        As :func:`clustered_points`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(seed=0)
    >>> items = draw_dielectric((0.0, 0.0, 4.0, 5.0), 3.0, rng=rng)
    >>> sorted({item.kind for item in items})
    ['root', 'stone', 'void']
    """
    items = []
    for easting, northing in clustered_points(area, density, cluster_size=1.5, rng=rng):
        kind = str(rng.choice(["stone", "root", "void"], p=[0.6, 0.3, 0.1]))
        if kind == "stone":
            # density proportional to size^-3 between 30 and 120 mm, by inversion
            share = rng.random()
            size = (0.03**-2 - share * (0.03**-2 - 0.12**-2)) ** -0.5
            permittivity = rng.uniform(4, 8)
        elif kind == "root":
            size, permittivity = rng.uniform(0.1, 0.5), rng.uniform(8, 25)
        else:
            size, permittivity = rng.uniform(0.02, 0.08), 1.0
        items.append(
            Clutter(
                kind=kind,
                easting=float(easting),
                northing=float(northing),
                depth=float(rng.uniform(0.01, 0.3)),
                size=float(size),
                heading=float(rng.uniform(0, math.pi)),
                permittivity=float(permittivity),
            )
        )
    return items

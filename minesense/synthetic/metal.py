"""Metal parts of targets and clutter as relaxation lists, drawn from their class."""

from __future__ import annotations

import math

import numpy as np

from .._validation import check_one_of, check_positive, check_rng
from ..physics import Relaxation, combine_axes, ring_relaxation, sphere_relaxation
from ..truth import METAL_CLASSES
from .catalogue import Body

# Conductivity in S/m and relative permeability of the metals drawn; unverified choices.
_ALUMINIUM = (3.5e7, 1.0)
_STEELS = ((4e6, 50.0), (4e6, 100.0), (4e6, 150.0))


def surrogate(body: Body, *, rng: np.random.Generator) -> Relaxation | None:
    """
    Draw the metal of a body from its class.

    Parameters
    ----------
    body : Body
        Entry of the catalogue.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    metal : Relaxation or None
        None for a body without metal.

    Raises
    ------
    ValueError
        If the metal class is unknown.
    TypeError
        If `rng` is not a generator.

    Notes
    -----
    Test balls are exact. The rest are surrogates whose sizes are unverified: minimum, an
    aluminium sphere of 4 to 7 mm or a ring of 3 mm radius; low, aluminium of 7 to 12 mm
    or steel of 10 to 18 mm; medium, steel of 15 to 30 mm; high, two unequal axes taken from
    steel spheres of 40 to 80 mm, and of half the diameter of the body if it is wider than
    0.2 m. The ring is corroded: its conductivity is 0.5 to 1 times that of the metal.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import body, surrogate
    >>> surrogate(body("simulant"), rng=np.random.default_rng(seed=0)) is None
    True
    """
    rng = check_rng(rng)
    kind = check_one_of(body.metal_class, "metal_class", METAL_CLASSES)
    if body.metal_diameter is not None:
        return _ball(body.metal_diameter, _STEELS[1])
    if kind == "none":
        return None
    if kind == "minimum":
        if rng.random() < 0.3:
            return _ring(0.003, rng)
        return _ball(rng.uniform(0.004, 0.007), _ALUMINIUM)
    if kind == "low":
        if rng.random() < 0.5:
            return _ball(rng.uniform(0.007, 0.012), _ALUMINIUM)
        return _ball(rng.uniform(0.010, 0.018), _steel(rng))
    if kind == "medium":
        return _ball(rng.uniform(0.015, 0.030), _steel(rng))
    wide = rng.uniform(0.04, 0.08) if body.diameter < 0.2 else 0.5 * body.diameter
    steel = _steel(rng)
    flat, tall = _ball(wide, steel), _ball(wide * rng.uniform(0.6, 1.4), steel)
    return combine_axes(flat, flat, tall)


def scrap(size: float, *, rng: np.random.Generator) -> Relaxation:
    """
    Draw a piece of metal scrap: steel or aluminium, elongated or flat, of any attitude.

    Parameters
    ----------
    size : float
        Longest extent in metres.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    metal : Relaxation
        Three axes taken from spheres of unequal size, a modelling choice (unverified),
        turned by a uniform random rotation.

    Raises
    ------
    ValueError
        If `size` is not greater than zero.
    TypeError
        If `rng` is not a generator.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import scrap
    >>> scrap(0.012, rng=np.random.default_rng(seed=0)).instantaneous.shape
    (3, 3)
    """
    size, rng = check_positive(size, "size"), check_rng(rng)
    metal = _steel(rng) if rng.random() < 0.75 else _ALUMINIUM
    thin, middle = sorted(rng.uniform(0.25, 0.8, size=2))
    axes = [_ball(share * size, metal) for share in (thin, middle, 0.9)]
    return combine_axes(*axes).rotated(random_rotation(rng))


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """
    Draw a rotation uniformly.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    rotation : (3, 3) float64 ndarray
        Orthogonal, of determinant 1.

    Notes
    -----
    A unit quaternion from four normal deviates is uniform over rotations (Marsaglia 1972,
    Annals of Mathematical Statistics 43(2), 645).

    Examples
    --------
    >>> import numpy as np
    >>> turn = random_rotation(np.random.default_rng(seed=0))
    >>> bool(np.allclose(turn @ turn.T, np.eye(3))), round(float(np.linalg.det(turn)), 9)
    (True, 1.0)
    """
    w, x, y, z = (q := check_rng(rng).normal(size=4)) / math.sqrt(float(q @ q))
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _ball(diameter: float, metal: tuple[float, float]) -> Relaxation:
    """Return a sphere of a metal given as conductivity and permeability."""
    return sphere_relaxation(radius=diameter / 2, conductivity=metal[0], permeability=metal[1])


def _steel(rng: np.random.Generator) -> tuple[float, float]:
    """Draw one of the steels."""
    return _STEELS[int(rng.integers(len(_STEELS)))]


def _ring(radius: float, rng: np.random.Generator) -> Relaxation:
    """Return an aluminium ring of 0.5 mm wire, of any attitude."""
    normal = rng.normal(size=3)
    return ring_relaxation(
        radius=radius,
        wire_radius=0.0005,
        conductivity=_ALUMINIUM[0] * rng.uniform(0.5, 1.0),
        normal=normal / np.linalg.norm(normal),
    )

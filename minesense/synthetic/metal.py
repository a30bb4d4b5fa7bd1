"""Metal parts of targets and clutter: what is known of them, one drawn, and how it responds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._validation import (
    check_not_negative,
    check_number,
    check_one_of,
    check_positive,
    check_rng,
)
from ..physics import (
    Relaxation,
    cylinder_relaxation,
    ring_relaxation,
    shell_relaxation,
    sphere_relaxation,
)
from .distribution import to_micro
from .document import build
from .sources import read_table, unfold

#: A length in m, or the range from which it is drawn.
Size = float | tuple[float, float]

#: Shapes of metal parts, all of them round about an axis, and the sizes that each needs.
SHAPES: dict[str, tuple[str, ...]] = {
    "sphere": ("diameter",),
    "rod": ("length", "diameter"),
    "tube": ("length", "diameter", "thickness"),
    "disc": ("diameter", "thickness"),
    "ring": ("diameter", "thickness"),
    "can": ("length", "diameter", "thickness"),
}

#: Steps of a permeability, so that few lists of a sphere need be fitted.
_PERMEABILITY_STEP = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alloy:
    """
    A metal, by what a metal detector feels of it.

    Raises
    ------
    TypeError, ValueError
        If the conductivity is not greater than zero, a permeability below 1, or a share of
        corrosion not above 0 and up to 1.
    """

    name: str
    conductivity: float  #: S/m
    permeability: tuple[float, float]  #: relative, a range
    corrosion: tuple[float, float]  #: what is left of conductivity and permeability
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_positive(self.conductivity, "conductivity")
        if not 1 <= self.permeability[0] <= self.permeability[1]:
            msg = f"Invalid permeability {self.permeability}. Must be a range from 1 up."
            raise ValueError(msg)
        if not 0 < self.corrosion[0] <= self.corrosion[1] <= 1:
            msg = f"Invalid corrosion {self.corrosion}. Must be a range above 0 and up to 1."
            raise ValueError(msg)


def _read_alloys() -> dict[str, Alloy]:
    """Return the metals of the data file."""
    document = read_table("alloys.toml")
    sources = document.pop("sources")
    alloys = {}
    for name, entry in document.items():
        values, cited = unfold(entry, sources, words=frozenset())
        alloys[name] = build(Alloy, values | {"name": name, "sources": cited}, path=f"$.{name}")
    return alloys


#: Metals by name.
ALLOYS: dict[str, Alloy] = _read_alloys()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetalPart:
    """
    What is known of a metal part: shape, sizes or their ranges, alloy, place in the body.

    Raises
    ------
    TypeError, ValueError
        If the shape or the alloy is unknown, or a size that the shape needs is missing or not
        greater than zero.
    """

    part: str  #: what a report calls it
    shape: Literal["sphere", "rod", "tube", "disc", "ring", "can"]
    alloy: str  #: key of ALLOYS
    diameter: Size  #: m; of a ring, to the middle of its wire
    length: Size = 0.0  #: m, along the axis of a rod, tube or can
    thickness: Size = 0.0  #: m, of a wall, a disc, or the wire of a ring
    below: float = 0.0  #: m, of its middle below the top of the body
    attitude: Literal["any", "upright"] = "any"  #: how its axis lies in the body
    is_new: bool = False  #: whether it has not corroded

    def __post_init__(self) -> None:
        check_one_of(self.shape, "shape", SHAPES)
        check_one_of(self.alloy, "alloy", ALLOYS)
        check_one_of(self.attitude, "attitude", ("any", "upright"))
        check_not_negative(self.below, "below")
        for name in SHAPES[self.shape]:
            low, high = _range(getattr(self, name), name)
            if check_positive(low, name) > high:
                msg = (
                    f"Invalid {name} {getattr(self, name)}. Must be the least and the greatest."
                )
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetalPiece:
    """One drawn metal part: plain numbers, from which its response follows."""

    shape: str
    alloy: str
    diameter: float  #: m
    length: float = 0.0  #: m
    thickness: float = 0.0  #: m
    permeability: float = 1.0  #: relative, without corrosion
    corrosion: float = 1.0  #: what is left of conductivity and permeability
    heading: float = 0.0  #: rad, of its axis, clockwise from north
    dip: float = math.pi / 2  #: rad, of its axis, upward from level
    below: float = 0.0  #: m, of its middle below the top of the body

    @property
    def axis(self) -> np.ndarray:
        """Direction of its axis: easting, northing, upward."""
        level = math.cos(self.dip)
        return np.array(
            [level * math.sin(self.heading), level * math.cos(self.heading), math.sin(self.dip)]
        )

    @property
    def extent(self) -> float:
        """Longest extent, m."""
        outer = self.diameter + (self.thickness if self.shape == "ring" else 0.0)
        return max(outer, self.length)


def draw_piece(part: MetalPart, *, rng: np.random.Generator) -> MetalPiece:
    """
    Draw one metal part from what is known of it.

    Parameters
    ----------
    part : MetalPart
        Its shape, ranges of size, and alloy.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    piece : MetalPiece
        Sizes uniform in their ranges, permeability and corrosion in those of the alloy, an
        axis of any direction alike unless the part is upright. Figures are rounded to the
        sixth digit after the point, the permeability to 5.

    Raises
    ------
    TypeError
        If `rng` is not a generator.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import body, draw_piece
    >>> piece = draw_piece(body("pma2").metal[0], rng=np.random.default_rng(seed=0))
    >>> piece.shape, piece.alloy, piece.diameter, piece.length
    ('tube', 'aluminium', 0.006, 0.007)
    """
    rng = check_rng(rng)
    # the same count of uniform numbers whatever the part, so that a changed one shifts no other
    shares = rng.random(7).tolist()
    alloy = ALLOYS[part.alloy]
    sizes = {}
    for share, name in zip(shares, ("diameter", "length", "thickness"), strict=False):
        low, high = _range(getattr(part, name), name)
        sizes[name] = to_micro(low + share * (high - low))
    corrosion = alloy.corrosion[0] + shares[4] * (alloy.corrosion[1] - alloy.corrosion[0])
    is_upright = part.attitude == "upright"
    permeability = alloy.permeability[0] + shares[3] * (
        alloy.permeability[1] - alloy.permeability[0]
    )
    if permeability > 2 * _PERMEABILITY_STEP:
        permeability = _PERMEABILITY_STEP * round(permeability / _PERMEABILITY_STEP)
    return MetalPiece(
        shape=part.shape,
        alloy=part.alloy,
        **sizes,
        permeability=to_micro(permeability),
        corrosion=1.0 if part.is_new else to_micro(corrosion),
        heading=0.0 if is_upright else to_micro(2 * math.pi * shares[5]),
        dip=math.pi / 2 if is_upright else to_micro(math.asin(2 * shares[6] - 1)),
        below=part.below,
    )


def piece_relaxation(piece: MetalPiece) -> Relaxation:
    r"""
    Return how a metal piece responds to a magnetic field.

    Parameters
    ----------
    piece : MetalPiece
        Its shape, size, alloy and attitude.

    Returns
    -------
    relaxation : Relaxation
        In m^3 and s, in easting, northing, upward.

    Raises
    ------
    ValueError
        If the shape is unknown or a size is not greater than zero.

    Notes
    -----
    Spheres are closed forms, and so is the current around a thin ring; what a steel ring does
    in a field at rest is missing (:func:`minesense.physics.ring_relaxation`). Rods and discs
    are :func:`minesense.physics.cylinder_relaxation`, tubes and cans
    :func:`minesense.physics.shell_relaxation` of their outside and wall; how near these come
    to computed bodies is said there. Corrosion multiplies conductivity and permeability.

    Examples
    --------
    >>> from minesense.synthetic import MetalPiece, piece_relaxation
    >>> ball = MetalPiece(shape="sphere", alloy="aluminium", diameter=0.01)
    >>> print(f"{piece_relaxation(ball).polarizability(2400.0)[0, 0].real:.4g}")
    -3.727e-07
    """
    check_one_of(piece.shape, "shape", SHAPES)
    alloy = ALLOYS[check_one_of(piece.alloy, "alloy", ALLOYS)]
    conductivity = alloy.conductivity * piece.corrosion
    permeability = max(1.0, piece.permeability * piece.corrosion)
    if permeability > 2 * _PERMEABILITY_STEP:
        permeability = _PERMEABILITY_STEP * round(permeability / _PERMEABILITY_STEP)
    metal = {"conductivity": conductivity, "permeability": permeability}
    if piece.shape == "sphere":
        return sphere_relaxation(radius=piece.diameter / 2, **metal)
    if piece.shape == "ring":
        return ring_relaxation(
            radius=piece.diameter / 2,
            wire_radius=piece.thickness / 2,
            normal=piece.axis,
            **metal,
        )
    outside: dict[str, Any] = {"diameter": piece.diameter, "axis": piece.axis}
    if piece.shape == "disc":
        return cylinder_relaxation(length=piece.thickness, **outside, **metal)
    if piece.shape == "rod":
        return cylinder_relaxation(length=piece.length, **outside, **metal)
    wall = min(piece.thickness, 0.49 * min(piece.diameter, piece.length))
    return shell_relaxation(length=piece.length, wall=wall, **outside, **metal)


def _range(size: Size, name: str) -> tuple[float, float]:
    """Return the least and the greatest of a size."""
    low, high = size if isinstance(size, tuple) else (size, size)
    return check_number(low, name), check_number(high, name)

"""
Objects that a synthetic field may hold, by what matters to a sensor.

Outer size, permittivity, metal and depth, nothing else: no content, fuze or emplacement
data. The data are in `data/targets.toml`, where every figure has a citation or the word
"assumption"; `Body.sources` carries them, so that reports can print them.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .._validation import check_not_negative, check_number, check_one_of, check_positive
from ..truth import METAL_CLASSES
from .document import build
from .metal import ALLOYS, MetalPart
from .sources import ASSUMPTION, read_table, unfold

_WORDS = frozenset({"name", "part", "identifier"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    A horizontal layer of a body.

    Raises
    ------
    TypeError, ValueError
        If the thickness is not greater than zero or the permittivity is below 1.
    """

    part: str
    thickness: float  #: m
    permittivity: float  #: relative

    def __post_init__(self) -> None:
        check_positive(self.thickness, "thickness")
        check_permittivity(self.permittivity, "permittivity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """
    One entry of the catalogue: a disc, a box or a sphere of horizontal layers, or a metal case.

    Raises
    ------
    TypeError, ValueError
        If a length is not greater than zero, layers do not fill the height, a class of
        metal is unknown, or a depth lies above the ground.
    """

    identifier: str
    name: str
    shape: Literal["disc", "box", "sphere"]
    length: float  #: m, diameter of a disc or sphere
    width: float  #: m, equal to `length` but for a box
    height: float  #: m
    layers: tuple[Layer, ...] = ()  #: from the top down; none for a metal case
    metal: tuple[MetalPart, ...] = ()
    metal_class: str  #: of truth.METAL_CLASSES
    depth: tuple[float, float]  #: m, least and greatest depth of the top in fields
    is_test_piece: bool = False
    #: Citation of every figure by its path, or "assumption".
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("length", "width", "height"):
            check_positive(getattr(self, name), name)
        if self.shape != "box" and self.width != self.length:
            msg = f"Invalid width '{self.width}' of a {self.shape}. Must equal its length."
            raise ValueError(msg)
        check_one_of(self.metal_class, "metal_class", METAL_CLASSES)
        if (self.metal_class == "none") == bool(self.metal):
            msg = (
                f"Invalid metal of {len(self.metal)} parts for the metal_class "
                f"'{self.metal_class}'. Must be none for 'none' and some for the others."
            )
            raise ValueError(msg)
        total = sum(layer.thickness for layer in self.layers)
        if self.layers and abs(total - self.height) > 1e-6:
            msg = (
                f"Invalid layers of {total:g} m in all. Must add up to the height, "
                f"{self.height} m."
            )
            raise ValueError(msg)
        for part in self.metal:
            if not 0 <= part.below <= self.height:
                msg = (
                    f"Invalid metal: the {part.part} lies {part.below} m below the top. Must "
                    f"lie within the height, {self.height} m."
                )
                raise ValueError(msg)
        low, high = (check_not_negative(value, "depth") for value in self.depth)
        if high < low:
            msg = f"Invalid depth {self.depth}. Must be the least and the greatest, in metres."
            raise ValueError(msg)

    @property
    def diameter(self) -> float:
        """Horizontal extent: the diameter, or the longer side, m."""
        return max(self.length, self.width)

    def rise(self, tilt: float) -> float:
        """
        Return how far the edge of its top rises over the middle when it leans.

        Parameters
        ----------
        tilt : float
            Angle of the top face from level, rad.

        Returns
        -------
        rise : float
            In m; a ball has no edge.
        """
        if self.shape == "sphere":
            return 0.0
        reach = self.length / 2 if self.is_round else math.hypot(self.length, self.width) / 2
        return reach * math.sin(tilt)

    @property
    def deepest(self) -> float:
        """Greatest depth of the top at which fields hold it, m."""
        return self.depth[1]

    @property
    def is_round(self) -> bool:
        """Whether the outline is a circle."""
        return self.shape != "box"

    @property
    def has_metal_case(self) -> bool:
        """Whether the outside is metal."""
        return not self.layers

    @property
    def citations(self) -> tuple[str, ...]:
        """What its figures are taken from; empty if all are assumptions."""
        return tuple(dict.fromkeys(s for s in self.sources.values() if s != ASSUMPTION))


def check_permittivity(value: float, name: str) -> float:
    """
    Return a relative permittivity if matter can have it.

    Parameters
    ----------
    value : float
        Relative permittivity.
    name : str
        What an error calls it.

    Returns
    -------
    value : float
        The same.

    Raises
    ------
    ValueError
        If it is below 1.

    Examples
    --------
    >>> check_permittivity(2.8, "permittivity")
    2.8
    """
    number = check_number(value, name)
    if number < 1:
        msg = f"Invalid {name} '{number}'. Must be at least 1, that of empty space."
        raise ValueError(msg)
    return number


def ball(diameter: float, *, alloy: str = "bearing_steel") -> Body:
    """
    Return a metal ball, the parametric reference of detector tests.

    Parameters
    ----------
    diameter : float
        In metres, up to 0.1.
    alloy : str
        Key of :data:`minesense.synthetic.ALLOYS`.

    Returns
    -------
    body : Body
        A sphere whose response to the metal detector is exact.

    Raises
    ------
    ValueError
        If the diameter is not greater than zero or too large, or the alloy unknown.

    Examples
    --------
    >>> from minesense.synthetic import ball
    >>> ball(0.012, alloy="aluminium").identifier
    'ball_12mm_aluminium'
    """
    diameter = check_positive(diameter, "diameter")
    if diameter > 0.1:
        msg = f"Invalid diameter '{diameter}'. Must be at most 0.1 m for a ball."
        raise ValueError(msg)
    check_one_of(alloy, "alloy", ALLOYS)
    suffix = "" if alloy == "bearing_steel" else f"_{alloy}"
    part = MetalPart(
        part="ball",
        shape="sphere",
        diameter=diameter,
        alloy=alloy,
        below=diameter / 2,
        is_new=True,
    )
    figures = ("length", "width", "height", "shape", "metal_class", "metal[0].diameter")
    size = "minimum" if diameter < 0.008 else "low" if diameter <= 0.02 else "medium"
    return Body(
        identifier=f"ball_{1e3 * diameter:.6g}mm{suffix}",
        name=f"{alloy} ball of {1e3 * diameter:.6g} mm",
        shape="sphere",
        length=diameter,
        width=diameter,
        height=diameter,
        metal=(part,),
        metal_class=size,
        depth=(0.005, 0.15),
        is_test_piece=True,
        sources=dict.fromkeys(figures, "by definition of the test piece")
        | {"depth": ASSUMPTION, "metal[0].alloy": ASSUMPTION},
    )


def _read_bodies() -> dict[str, Body]:
    """Return the entries of the data file, and the balls that presets use."""
    document = read_table("targets.toml")
    sources = document.pop("sources")
    bodies = {}
    for identifier, entry in document.items():
        values, cited = unfold(entry, sources, words=_WORDS)
        values |= {"identifier": identifier, "sources": cited}
        bodies[identifier] = build(Body, values, path=f"$.{identifier}")
    return bodies | {item.identifier: item for item in map(ball, (0.005, 0.010, 0.020))}


#: Every body by its identifier. Balls of other sizes have names such as "ball_12mm".
CATALOGUE: dict[str, Body] = _read_bodies()


@functools.lru_cache(maxsize=256)
def body(identifier: str) -> Body:
    """
    Return one entry of the catalogue.

    Parameters
    ----------
    identifier : str
        Name of the entry, for example ``"pmn"``, or a ball such as ``"ball_12mm"`` or
        ``"ball_7.5mm_aluminium"``.

    Returns
    -------
    body : Body
        Its size, layers and metal.

    Raises
    ------
    ValueError
        If there is no such entry.

    Examples
    --------
    >>> from minesense.synthetic import body
    >>> body("ts50").diameter, body("ts50").metal_class
    (0.09, 'minimum')
    >>> body("pma2").sources["metal[0].diameter"]
    'nolandmines.com, Detecting what: an aluminium shell of 6 mm by about 7 mm, the only metal'
    >>> body("pma2").sources["height"]
    'assumption'
    """
    named = re.fullmatch(r"ball_(\d+(?:\.\d+)?)mm(?:_(\w+))?", str(identifier))
    if named and identifier not in CATALOGUE:
        return ball(round(float(named[1]) / 1e3, 9), alloy=named[2] or "bearing_steel")
    return CATALOGUE[check_one_of(identifier, "identifier", CATALOGUE)]

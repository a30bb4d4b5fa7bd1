"""What else lies in the ground: metal, stones, roots, voids and wet patches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._validation import check_not_negative, check_one_of, check_positive, check_rng
from .catalogue import check_permittivity
from .distribution import Distribution, draw, to_micro
from .document import build
from .metal import ALLOYS, SHAPES, MetalPart, MetalPiece, draw_piece
from .points import REACH, Area, cells_over, chance, draw_families
from .sources import read_table, unfold

_Range = tuple[float, float]
_WORDS = frozenset({"name", "form", "kind"})

#: What drawn lengths are multiples of, m.
_GRAIN = 1e-6

#: Side of the cells in which clutter is drawn, m, and the purposes of chance.
_CELL = 2.0
_METAL, _DIELECTRIC = 20, 21


@dataclass(frozen=True, slots=True, kw_only=True)
class ClutterKind:
    """
    What is known of one kind of clutter, by what both sensors feel of it.

    Raises
    ------
    TypeError, ValueError
        If a size or depth may be negative, a permittivity is below 1, or metal lacks a shape
        or an alloy that is known.
    """

    identifier: str
    name: str
    form: Literal["metal", "stone", "root", "void", "patch"]
    size: Distribution  #: m, longest extent
    depth: Distribution  #: m, of its top
    ratio: _Range  #: of width to length, or of thickness to diameter
    shapes: tuple[str, ...] = ()  #: of metal, each alike
    alloys: tuple[str, ...] = ()  #: of metal, each alike
    wall: float = 0.0  #: m, of tubes and cans
    permittivity: _Range | None = None  #: relative
    susceptibility: _Range = (0.0, 0.0)  #: SI, drawn log-uniform if above zero
    moisture: _Range | None = None  #: of a wet patch, more than around it, volumetric
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_positive(self.size.low, "size")
        check_not_negative(self.depth.low, "depth")
        check_positive(self.ratio[0], "ratio")
        check_not_negative(self.wall, "wall")
        for shape in self.shapes:
            check_one_of(shape, "shapes", SHAPES)
        for alloy in self.alloys:
            check_one_of(alloy, "alloys", ALLOYS)
        for value in self.permittivity or ():
            check_permittivity(value, "permittivity")
        for value in (*self.susceptibility, *(self.moisture or ())):
            check_not_negative(value, "susceptibility or moisture")
        needed = {"metal": self.shapes and self.alloys, "patch": self.moisture}
        if not needed.get(self.form, self.permittivity):
            what = {"metal": "shapes and alloys", "patch": "a moisture"}
            missing = what.get(self.form, "a permittivity")
            msg = f"Invalid form '{self.form}'. Must come with {missing}."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClutterPreset:
    """
    How much clutter there is, and of what kinds.

    Raises
    ------
    TypeError, ValueError
        If a density or weight is negative, a size of clusters not greater than zero, or a kind
        unknown.
    """

    metal_density: float  #: pieces per m^2, mean
    dielectric_density: float  #: objects without metal per m^2, mean
    cluster_size: float = 3.0  #: mean number of a cluster of metal; half as many of the rest
    cluster_spread: float = 0.25  #: m, standard deviation around the middle of a cluster
    weights: Mapping[str, float] = field(default_factory=dict)  #: by kind
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("metal_density", "dielectric_density", "cluster_spread"):
            check_not_negative(getattr(self, name), name)
        check_positive(self.cluster_size, "cluster_size")
        for kind, weight in self.weights.items():
            check_one_of(kind, "weights", CLUTTER)
            check_not_negative(weight, "weights")
        for has_metal, name in ((True, "metal_density"), (False, "dielectric_density")):
            if getattr(self, name) and not any(self.shares(has_metal=has_metal).values()):
                msg = f"Invalid weights {dict(self.weights)}. Must hold some for the {name}."
                raise ValueError(msg)

    def shares(self, *, has_metal: bool) -> dict[str, float]:
        """Return the weights of the kinds that are of metal, or of those that are not."""
        return {
            kind: weight
            for kind, weight in self.weights.items()
            if (CLUTTER[kind].form == "metal") == has_metal
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Clutter:
    """One object that is not a target: plain numbers, from which both sensors are computed."""

    kind: str  #: key of CLUTTER
    easting: float  #: m
    northing: float  #: m
    depth: float  #: m, of its top
    size: float  #: m, longest extent
    width: float  #: m, the next one
    heading: float = 0.0  #: rad, direction of the longest extent
    permittivity: float | None = None  #: relative; None for metal and patches
    susceptibility: float = 0.0  #: SI
    moisture: float = 0.0  #: volumetric, more than around it
    piece: MetalPiece | None = None

    @property
    def form(self) -> str:
        """What it is to the sensors: metal, stone, root, void or patch."""
        return CLUTTER[self.kind].form

    @property
    def thickness(self) -> float:
        """Vertical extent, m."""
        if self.piece is None:
            return self.width
        along = self.piece.thickness if self.piece.shape in ("disc", "ring") else self.size
        across = self.size if self.piece.shape in ("disc", "ring") else self.width
        dip = abs(self.piece.dip)
        return along * math.sin(dip) + across * math.cos(dip)

    @property
    def volume(self) -> float:
        """Volume in m^3: a rod for a root, else an ellipsoid that is round from above."""
        if self.form == "root":
            return math.pi / 4 * self.width**2 * self.size
        return math.pi / 6 * self.size**2 * self.width


def _read_kinds() -> tuple[dict[str, ClutterKind], dict[str, dict]]:
    """Return the kinds of the data file, and its presets, unread."""
    document = read_table("clutter.toml")
    sources = document.pop("sources")
    kinds = {}
    for name, entry in document["kinds"].items():
        values, cited = unfold(entry, sources, words=_WORDS)
        values |= {"identifier": name, "sources": cited}
        kinds[name] = build(ClutterKind, values, path=f"$.kinds.{name}")
    presets = {}
    for name, entry in document["presets"].items():
        values, cited = unfold(entry, sources, words=_WORDS)
        presets[name] = values | {"sources": cited}
    return kinds, presets


_KINDS, _PRESETS = _read_kinds()

#: Kinds of clutter by name.
CLUTTER: dict[str, ClutterKind] = _KINDS

#: How much clutter of what kinds, by name: clean, farmland, village, battlefield.
CLUTTER_PRESETS: dict[str, ClutterPreset] = {
    name: build(ClutterPreset, values, path=f"$.presets.{name}")
    for name, values in _PRESETS.items()
}


def draw_clutter(kind: str, place: tuple[float, float], *, rng: np.random.Generator) -> Clutter:
    """
    Draw one object of a kind.

    Parameters
    ----------
    kind : str
        Key of :data:`CLUTTER`, for example ``"nail"``.
    place : (float, float)
        Easting and northing in metres.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    clutter : Clutter
        Size, depth, attitude and matter as the kind says, to six digits after the point; the
        width is rounded to where its ratio to the size stays in the range of the kind.

    Raises
    ------
    ValueError
        If there is no such kind.
    TypeError
        If `rng` is not a generator.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import draw_clutter
    >>> nail = draw_clutter("nail", (1.0, 2.0), rng=np.random.default_rng(seed=0))
    >>> nail.piece.shape, nail.piece.alloy
    ('rod', 'steel')
    """
    recipe = CLUTTER[check_one_of(kind, "kind", CLUTTER)]
    rng = check_rng(rng)
    size, depth = draw(recipe.size, rng), draw(recipe.depth, rng)
    shares = rng.random(5)
    ratio = recipe.ratio[0] + shares[0] * (recipe.ratio[1] - recipe.ratio[0])
    width = _width(ratio, size, recipe.ratio)
    heading = to_micro(2 * math.pi * shares[1])
    whole: dict[str, Any] = {
        "kind": kind,
        "easting": to_micro(place[0]),
        "northing": to_micro(place[1]),
        "depth": depth,
        "size": size,
        "width": width,
    }
    if recipe.form == "metal":
        shape = recipe.shapes[int(shares[2] * len(recipe.shapes))]
        alloy = recipe.alloys[int(shares[3] * len(recipe.alloys))]
        piece = draw_piece(_part(kind, shape, alloy, size, width, recipe.wall), rng=rng)
        return Clutter(**whole, heading=piece.heading, piece=piece)
    permittivity = None
    if recipe.permittivity is not None:
        low, high = recipe.permittivity
        permittivity = to_micro(low + shares[2] * (high - low))
    low, high = recipe.susceptibility
    susceptibility = low * (high / low) ** shares[3] if low > 0 else shares[3] * high
    wetter = recipe.moisture or (0.0, 0.0)
    return Clutter(
        **whole,
        heading=heading,
        permittivity=permittivity,
        susceptibility=float(f"{susceptibility:.6g}"),
        moisture=to_micro(wetter[0] + shares[4] * (wetter[1] - wetter[0])),
    )


def clutter_over(area: Area, preset: ClutterPreset, *, seed: int) -> Iterator[Clutter]:
    """
    Draw the clutter of an area, which is a function of the seed and the place alone.

    Parameters
    ----------
    area : (float, float, float, float)
        Least and greatest coordinates, in metres.
    preset : ClutterPreset
        How much of what.
    seed : int
        Of the field.

    Yields
    ------
    clutter : Clutter
        The same objects whatever the area, as far as they lie in it; in an order that
        depends on their places alone.

    Notes
    -----
    The plane is cut into cells of 2 m. In each of them the parents of a Neyman-Scott process
    are drawn, with their children, from a source of chance of that cell; children reach no
    farther than four standard deviations, so that a look at the cells around is enough.

    Examples
    --------
    >>> from minesense.synthetic import CLUTTER_PRESETS, clutter_over
    >>> village = CLUTTER_PRESETS["village"]
    >>> whole = list(clutter_over((0.0, 0.0, 6.0, 6.0), village, seed=1))
    >>> part = list(clutter_over((0.0, 0.0, 1.0, 6.0), village, seed=1))
    >>> part == [item for item in whole if item.easting < 1.0]
    True
    """
    west, south, east, north = area
    reach = REACH * preset.cluster_spread
    wide = (west - reach, south - reach, east + reach, north + reach)
    for has_metal, purpose in ((True, _METAL), (False, _DIELECTRIC)):
        density = preset.metal_density if has_metal else preset.dielectric_density
        if density == 0:
            continue
        shares = preset.shares(has_metal=has_metal)
        names = list(shares)
        ends = np.cumsum([shares[name] for name in names])
        size = preset.cluster_size if has_metal else 1 + (preset.cluster_size - 1) / 4
        for i, j, cell in cells_over(wide, _CELL):
            families = draw_families(
                cell,
                density,
                cluster_size=size,
                spread=preset.cluster_spread,
                rng=chance(seed, purpose, i, j),
            )
            children = (child for family in families for child in family)
            for k, (easting, northing) in enumerate(children):
                place = (to_micro(easting), to_micro(northing))
                if not (west <= place[0] < east and south <= place[1] < north):
                    continue
                # from a source of its own, so that those elsewhere need not be drawn
                own = chance(seed, purpose, i, j, k)
                kind = int(np.searchsorted(ends, own.random() * ends[-1], side="right"))
                yield draw_clutter(names[min(kind, len(names) - 1)], place, rng=own)


def _width(ratio: float, size: float, allowed: _Range) -> float:
    """Return the width of a body of that size, to the micrometre, its ratio in its range."""
    width = to_micro(ratio * size)
    # as the physics divides: 0.07 over 0.0007 is a little more than 100
    if size / width > 1 / allowed[0]:  # a wire of more than 100 diameters is no body of ours
        return to_micro(width + _GRAIN)
    thinner = to_micro(width - _GRAIN)
    return thinner if width > allowed[1] * size and thinner >= allowed[0] * size else width


def _part(
    kind: str, shape: str, alloy: str, size: float, width: float, wall: float
) -> MetalPart:
    """Return the metal of a piece of clutter of a given longest extent."""
    if shape in ("disc", "ring"):
        sizes = {"diameter": size, "thickness": max(width, 1e-5)}
    else:
        sizes = {
            "length": size,
            "diameter": width,
            "thickness": wall if shape != "rod" else 0.0,
        }
    return MetalPart(part=kind, shape=shape, alloy=alloy, **sizes)  # type: ignore[arg-type]

"""
Recipes of lanes for a full-wave solver: soil, surface, mines, clutter. All of it is SYNTHETIC.

Nothing here uses the simulator of the package: the permittivity of soil is that of Topp's
polynomial, its lumps and its surface are random fields of their own, and what lies in it is
drawn cell by cell. Only outer sizes, layers and depths of mines come from the catalogue.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minesense.synthetic import CATALOGUE, Body
from minesense.truth import Target

N_LANES = 24
LENGTH = 3.0  #: m that are scored
RUN_IN, RUN_OUT = 0.7, 0.3  #: m before and behind them, where stages fill their memory
SPACING = 0.025  #: m between traces
CELL = 0.005  #: m
#: m of ground and of air that a model has around a trace, to the outer edge of its absorber
ASIDE, DOWN, UP = 0.45, 0.34, 0.22
HEIGHT, SEPARATION = 0.12, 0.06  #: m, of the cart's antennas
PITCH = 2.0  #: m from lane to lane on the map

#: Northing of the middle of the antennas in every trace, m; the scored part begins at 0.
TRACES = SPACING * np.arange(round((RUN_IN + LENGTH + RUN_OUT) / SPACING) + 1) - RUN_IN

_SEED = 20_260
_N_LEVELS = 32  # of the permittivity of soil, from three spreads below the mean to three above
_N_FILLS = 7  # media between air and soil, for cells that the surface cuts
_APART = 0.45  # m at least between the edges of two objects
_SMALLEST_METAL = 0.025  # m across of metal parts that are drawn; shorter ones are no wires


@dataclass(frozen=True, kw_only=True)
class SoilKind:
    """From what the soil of a lane is drawn. Every figure is an assumption."""

    moisture: tuple[float, float]  #: volumetric
    conductivity: tuple[float, float]  #: S/m, drawn log-uniform
    spread: tuple[float, float]  #: relative standard deviation of the permittivity
    scales: tuple[float, float]  #: m, outer scales of the permittivity along and down
    roughness: tuple[float, float]  #: m, standard deviation of the surface
    surface_scale: float  #: m, its outer scale
    pebbles: float  #: per m^2 of section


SOILS = {
    "sand": SoilKind(
        moisture=(0.03, 0.10), conductivity=(1e-3, 8e-3), spread=(0.03, 0.07),
        scales=(0.20, 0.08), roughness=(0.005, 0.010), surface_scale=0.5, pebbles=4.0,
    ),
    "loam": SoilKind(
        moisture=(0.10, 0.20), conductivity=(8e-3, 25e-3), spread=(0.05, 0.10),
        scales=(0.12, 0.06), roughness=(0.007, 0.013), surface_scale=0.4, pebbles=8.0,
    ),
    "clay": SoilKind(
        moisture=(0.15, 0.26), conductivity=(20e-3, 60e-3), spread=(0.05, 0.10),
        scales=(0.10, 0.06), roughness=(0.008, 0.015), surface_scale=0.4, pebbles=4.0,
    ),
    "gravel": SoilKind(
        moisture=(0.03, 0.10), conductivity=(1e-3, 8e-3), spread=(0.08, 0.14),
        scales=(0.06, 0.05), roughness=(0.008, 0.013), surface_scale=0.3, pebbles=40.0,
    ),
}  # fmt: skip

_MINES = tuple(sorted(k for k, item in CATALOGUE.items() if not item.is_test_piece))
_CLUTTER = ("rock",) * 4 + ("root",) * 3 + ("scrap",) * 3 + ("burrow", "brick")


@dataclass(frozen=True, kw_only=True)
class Medium:
    """What fills a cell; with a relaxation if `delta` is above zero."""

    permittivity: float  #: relative, at high frequency
    conductivity: float = 0.0  #: S/m
    delta: float = 0.0  #: by which the static permittivity is greater
    relaxation_time: float = 16e-12  #: s


METAL = Medium(permittivity=1.0, conductivity=1e6)


@dataclass(frozen=True, kw_only=True, eq=False)
class LaneScene:
    """A lane as cells: what each is filled with, and what lies where."""

    index: int
    soil: str
    moisture: float
    is_dispersive: bool
    cells: np.ndarray  #: (along, up) int16 index of `media`; -1 for air
    media: tuple[Medium, ...]
    objects: tuple[Target, ...]

    @property
    def name(self) -> str:
        """Name of the lane."""
        return f"full-wave {self.index + 1:02d}"


#: (along, up) centres of all cells of a lane, m; the mean surface is at 0.
ALONG = np.arange(TRACES[0] - ASIDE + CELL / 2, TRACES[-1] + ASIDE, CELL)
UPWARD = np.arange(-DOWN + CELL / 2, UP, CELL)


def lane_scene(index: int) -> LaneScene:
    """Return one of the lanes, a function of its index alone."""
    rng = np.random.default_rng([_SEED, index])
    soil = list(SOILS)[index % len(SOILS)]
    kind = SOILS[soil]
    moisture = rng.uniform(*kind.moisture)
    is_dispersive = index // len(SOILS) % 2 == 1
    mean = _soil_medium(
        moisture,
        float(np.exp(rng.uniform(*np.log(kind.conductivity)))),
        is_dispersive=is_dispersive,
    )
    spread = rng.uniform(*kind.spread)
    levels = spread * 3 * np.linspace(-1, 1, _N_LEVELS)
    media = [_changed(mean, level) for level in levels]
    fills = [_mixed(mean, (k + 1) / (_N_FILLS + 1)) for k in range(_N_FILLS)]
    media += fills
    lumps = random_field((len(ALONG), len(UPWARD)), kind.scales, hurst=0.4, rng=rng)
    surface = (
        rng.uniform(*kind.roughness)
        * random_field((len(ALONG), 1), (kind.surface_scale, 1.0), hurst=0.8, rng=rng)[:, 0]
    )
    level = np.rint((lumps / 6 + 0.5) * (_N_LEVELS - 1))
    cells = np.clip(level, 0, _N_LEVELS - 1).astype(np.int16)
    share = (surface[:, None] - UPWARD) / CELL + 0.5  # of a cell that is soil
    fill = np.rint(share * (_N_FILLS + 1)).astype(np.int64)
    cells = np.where(fill <= 0, -1, np.where(fill > _N_FILLS, cells, _N_LEVELS + fill - 1))
    canvas = _Canvas(cells.astype(np.int16), media, surface)
    for _ in range(rng.poisson(kind.pebbles * 0.3 * (ALONG[-1] - ALONG[0]))):
        canvas.stone(
            rng.uniform(ALONG[0], ALONG[-1]),
            rng.uniform(0.0, 0.3),
            rng.uniform(0.008, 0.028),
            rng,
        )
    objects = _draw_objects(index, soil, canvas, rng)
    return LaneScene(
        index=index,
        soil=soil,
        moisture=float(moisture),
        is_dispersive=is_dispersive,
        cells=canvas.cells,
        media=tuple(canvas.media),
        objects=objects,
    )


def soil_of(lane: str) -> str:
    """Return the soil of a lane by its name: they take turns."""
    return list(SOILS)[(int(lane.rsplit(maxsplit=1)[-1]) - 1) % len(SOILS)]


def topp_permittivity(moisture: float) -> float:
    """Return the relative permittivity of moist soil (Topp, Davis & Annan, 1980)."""
    m = moisture
    return 3.03 + 9.3 * m + 146.0 * m**2 - 76.7 * m**3


def random_field(
    shape: tuple[int, int],
    scales: tuple[float, float],
    *,
    hurst: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return a field of mean 0 and spread 1 whose spectrum falls off beyond two scales (m)."""
    padded = tuple(n if n == 1 else 2 ** math.ceil(math.log2(1.2 * n)) for n in shape)
    kx, ky = (
        2 * np.pi * np.fft.fftfreq(n, CELL) * scale / (2 * np.pi)
        for n, scale in zip(padded, scales, strict=True)
    )
    dimensions = sum(n > 1 for n in shape)
    power = (1 + (2 * np.pi) ** 2 * (kx[:, None] ** 2 + ky**2)) ** -(hurst + dimensions / 2)
    noise = np.fft.fft2(rng.normal(size=padded))
    made = np.fft.ifft2(noise * np.sqrt(power)).real[: shape[0], : shape[1]]
    return (made - made.mean()) / made.std()


def _soil_medium(moisture: float, conductivity: float, *, is_dispersive: bool) -> Medium:
    """Return the mean medium; of a dispersive one the water relaxes."""
    static = topp_permittivity(moisture)
    delta = 0.35 + 11.0 * moisture if is_dispersive else 0.0
    return Medium(permittivity=static - delta, conductivity=conductivity, delta=delta)


def _changed(medium: Medium, level: float) -> Medium:
    """Return a medium that is wetter by a relative change of its permittivity."""
    wetter = max(0.05, 1 + 1.5 * level)
    return Medium(
        permittivity=max(1.5, medium.permittivity * (1 + level)),
        conductivity=medium.conductivity * wetter,
        delta=medium.delta * wetter,
    )


def _mixed(medium: Medium, share: float) -> Medium:
    """Return a mixture of a medium with air: fields along the cells add in parallel."""
    return Medium(
        permittivity=1 + share * (medium.permittivity - 1),
        conductivity=share * medium.conductivity,
        delta=share * medium.delta,
    )


class _Canvas:
    """Cells on which objects are drawn, each over what was there before."""

    def __init__(self, cells: np.ndarray, media: list[Medium], surface: np.ndarray):
        self.cells, self.media, self.surface = cells, media, surface

    def ground(self, along: float) -> float:
        """Return the height of the surface at a place."""
        return float(np.interp(along, ALONG, self.surface))

    def fill(self, inside: np.ndarray, medium: Medium) -> None:
        """Fill cells with a medium, below the surface only."""
        if medium not in self.media:
            self.media.append(medium)
        below = self.surface[:, None] - CELL / 2 > UPWARD
        self.cells[inside & below] = self.media.index(medium)

    def local(self, along: float, upward: float, tilt: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coordinates of all cells in the axes of an object."""
        x, y = ALONG[:, None] - along, UPWARD[None] - upward
        return x * math.cos(tilt) + y * math.sin(tilt), y * math.cos(tilt) - x * math.sin(tilt)

    def stone(
        self,
        along: float,
        depth: float,
        size: float,
        rng: np.random.Generator,
        kind: str = "rock",
    ) -> None:
        """Draw an irregular outline of a stone whose top is at a depth."""
        limits = {"rock": (4.5, 8.5), "brick": (3.5, 5.5), "burrow": (1.0, 1.0)}[kind]
        ratio, turn = rng.uniform(0.5, 0.95), rng.uniform(0, np.pi)
        waves = rng.normal(scale=0.06, size=3), rng.uniform(0, 2 * np.pi, 3)
        medium = Medium(permittivity=round(rng.uniform(*limits), 2))
        half = size / 2
        if kind == "burrow":
            turn = 0.0
        rise = half * math.hypot(ratio * math.cos(turn), math.sin(turn))
        x, y = self.local(along, self.ground(along) - depth - rise, turn)
        angle = np.arctan2(y / ratio, x)
        bumps = sum(
            a * np.cos((k + 2) * angle + p) for k, (a, p) in enumerate(zip(*waves, strict=True))
        )
        self.fill(np.hypot(x, y / ratio) <= half * (1 + bumps), medium)


def _draw_objects(
    index: int, soil: str, canvas: _Canvas, rng: np.random.Generator
) -> tuple[Target, ...]:
    """Draw mines and clutter where they keep apart; every sixth lane has no mine."""
    is_empty = index % 6 == 5
    n_mines = 0 if is_empty else 1 + int(rng.random() < 0.6)
    n_clutter = 0 if index % 12 == 5 else int(rng.poisson(1.1)) + is_empty
    taken: list[tuple[float, float]] = []
    objects, lane = [], f"full-wave {index + 1:02d}"
    kinds = [str(rng.choice(_MINES)) for _ in range(n_mines)]
    kinds += [str(rng.choice(_CLUTTER)) for _ in range(n_clutter)]
    for number, kind in enumerate(kinds):
        is_mine = number < n_mines
        turned = bool(rng.random() < 0.5)
        size = _extent(CATALOGUE[kind], turned) if is_mine else _clutter_size(kind, rng)
        place = _free_place(size, taken, rng)
        if place is None:
            continue
        taken.append((place, size / 2))
        draw = _mine if is_mine else _clutter
        depth = draw(canvas, kind, place, size, rng)
        metal = (
            CATALOGUE[kind].metal_class if is_mine else "medium" if kind == "scrap" else "none"
        )
        objects.append(
            Target(
                identifier=f"{lane}/{'T' if is_mine else 'C'}{number + 1:02d}",
                kind=kind,
                is_target=is_mine,
                easting=PITCH * index,
                northing=round(place, 4),
                depth=round(depth, 4),
                diameter=round(size, 4),
                metal_class=metal,
                lane=lane,
            )
        )
    return tuple(sorted(objects, key=lambda item: item.northing))


def _free_place(
    size: float, taken: list[tuple[float, float]], rng: np.random.Generator
) -> float | None:
    """Return a place that keeps apart from others; none if there is none in many tries."""
    for _ in range(200):
        place = float(rng.uniform(0.2, LENGTH - 0.2))
        if all(abs(place - p) - half - size / 2 >= _APART for p, half in taken):
            return place
    return None


def _extent(body: Body, turned: bool) -> float:
    """Return the extent of a body along the lane, m."""
    return body.width if turned else body.length


def _mine(
    canvas: _Canvas,
    kind: str,
    place: float,
    size: float,
    rng: np.random.Generator,
) -> float:
    """Draw the section of a mine through its middle; return the depth of its top."""
    body = CATALOGUE[kind]
    tilt = float(np.clip(rng.normal(scale=0.07), -0.2, 0.2))
    rise = size / 2 * abs(math.sin(tilt))
    depth = max(float(rng.uniform(*body.depth)), rise + 0.006)
    x, y = canvas.local(place, canvas.ground(place) - depth, tilt)
    across = np.abs(x) <= size / 2
    inside = across & (y <= 0) & (y >= -body.height)
    if body.has_metal_case:
        canvas.fill(inside, METAL)
        return depth
    down = 0.0
    for layer in body.layers:
        part = across & (y <= -down) & (y >= -down - layer.thickness)
        canvas.fill(part, Medium(permittivity=layer.permittivity, conductivity=1e-4))
        down += layer.thickness
    for part in body.metal:
        _metal_part(canvas, part, x, y, size, rng)
    return depth


def _metal_part(canvas, part, x, y, size, rng) -> None:
    """
    Draw a metal part as far as two dimensions allow.

    Cells are endless across the lane. A band around the body is cut at both sides, a plate or
    bar of 25 mm or more is a strip, a can its outline; a part that is shorter in each
    direction would become a long wire, which it is not, and is left out.
    """
    draw = [
        float(rng.uniform(*v)) if isinstance(v, tuple) else float(v or 0.0)
        for v in (part.length, part.diameter)
    ]
    length, diameter = draw
    thin = CELL
    if part.shape == "ring" and diameter >= 2 * _SMALLEST_METAL:
        inside = np.abs(np.abs(x) - diameter / 2 + thin / 2) <= thin / 2
        canvas.fill(inside & (np.abs(y + part.below) <= thin / 2), METAL)
    elif part.shape == "can":
        half = min(diameter, size) / 2
        canvas.fill((np.abs(x) <= half) & (np.abs(y + part.below) <= length / 2), METAL)
    elif max(length, diameter) >= _SMALLEST_METAL and part.shape != "ring":
        half = max(length, diameter) / 2
        canvas.fill((np.abs(x) <= half) & (np.abs(y + part.below) <= thin / 2), METAL)


def _clutter_size(kind: str, rng: np.random.Generator) -> float:
    """Return the extent of a piece of clutter along the lane, m."""
    if kind in ("rock", "brick"):
        return float(np.clip(0.03 * rng.pareto(1.5) + 0.035, 0.035, 0.12))
    low, high = {"root": (0.012, 0.03), "scrap": (0.01, 0.06), "burrow": (0.03, 0.09)}[kind]
    size = float(rng.uniform(low, high))
    return float(rng.uniform(0.1, 0.35)) if kind == "root" and rng.random() < 0.25 else size


def _clutter(
    canvas: _Canvas,
    kind: str,
    place: float,
    size: float,
    rng: np.random.Generator,
) -> float:
    """Draw a piece of clutter; return the depth of its top."""
    shallow = kind == "scrap"
    depth = (
        float(min(0.15, rng.exponential(0.05)) if shallow else rng.uniform(0.01, 0.2)) + 0.006
    )
    if kind not in ("root", "scrap"):
        canvas.stone(place, depth, size, rng, kind)
        return depth
    tilt = float(rng.normal(scale=0.2))
    thick = min(size, 0.015 if kind == "root" else max(CELL, size * rng.uniform(0.1, 0.5)))
    depth = max(depth, size / 2 * abs(math.sin(tilt)) + 0.006)
    x, y = canvas.local(place, canvas.ground(place) - depth - thick / 2, tilt)
    if kind == "root":
        wood = Medium(permittivity=round(rng.uniform(8, 25), 2), conductivity=0.02)
        canvas.fill((2 * x / size) ** 2 + (2 * y / thick) ** 2 <= 1, wood)
    else:
        canvas.fill((np.abs(x) <= size / 2) & (np.abs(y) <= thick / 2), METAL)
    return depth

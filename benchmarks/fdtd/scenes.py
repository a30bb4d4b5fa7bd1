"""Scenes that both solvers compute: soil, target, antennas. Everything here is SYNTHETIC."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from minesense.physics import debye_permittivity


@dataclass(frozen=True, kw_only=True)
class Soil:
    """One relaxation and a conductivity, the same for both solvers."""

    name: str
    optical: float
    static: float
    relaxation_time: float  #: s
    conductivity: float  #: S/m

    def permittivity(self, frequency: np.ndarray) -> np.ndarray:
        """Return the complex relative permittivity."""
        return debye_permittivity(
            frequency,
            static=self.static,
            optical=self.optical,
            relaxation_time=self.relaxation_time,
            conductivity=self.conductivity,
        )


#: Least-squares fits over 0.3-3.5 GHz, within 0.2 %, to the soils that the simulator takes:
#: Peplinski's at the textures of quartz_sand, loam and clay and moistures of 4, 12 and 22 %.
SOILS = {
    soil.name: soil
    for soil in (
        Soil(name="sand", optical=5.644, static=6.549, relaxation_time=16.27e-12,
             conductivity=9.67e-3),
        Soil(name="loam", optical=6.549, static=7.956, relaxation_time=16.34e-12,
             conductivity=39.5e-3),
        Soil(name="clay", optical=8.591, static=11.626, relaxation_time=14.83e-12,
             conductivity=89.2e-3),
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Target:
    """
    What lies in the ground.

    A disc or box has `layers` of (thickness in m, relative permittivity), or is metal
    without any. A sphere has one `permittivity`; infinite is metal. `model` names a mine
    model that gprMax ships, whose voxels take the place of the body; the layers then are
    what the fast model makes of it.
    """

    name: str
    shape: str = "disc"  #: "disc", "box" or "sphere"
    size: tuple[float, float, float] = (0.1, 0.1, 0.04)  #: along, across, height, m
    layers: tuple[tuple[float, float], ...] = ()
    permittivity: float = float("inf")
    model: str = ""

    @property
    def is_metal(self) -> bool:
        """Whether nothing enters it."""
        return not self.layers and np.isinf(self.permittivity)


#: The layers of the three mine models are the means of their voxels by area and height.
TARGETS = {
    target.name: target
    for target in (
        Target(name="plastic_mine", size=(0.1, 0.1, 0.04), layers=((0.04, 2.8),)),
        Target(name="metal_mine", size=(0.1, 0.1, 0.04)),
        Target(name="rock", shape="sphere", size=(0.08, 0.08, 0.08), permittivity=5.0),
        Target(name="pmn", size=(0.112, 0.112, 0.046), model="PMN",
               layers=((0.002, 6.0), (0.012, 1.5), (0.030, 4.9))),
        Target(name="ts50", size=(0.084, 0.084, 0.044), model="TS50",
               layers=((0.008, 5.0), (0.006, 4.0), (0.014, 2.5), (0.014, 3.0))),
        Target(name="pma", shape="box", size=(0.138, 0.062, 0.032), model="PMA",
               layers=((0.024, 4.2),)),
        Target(name="can", size=(0.072, 0.072, 0.108), model="can"),
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One arrangement; without a target it is an empty stretch."""

    soil: Soil
    target: Target | None
    depth: float = 0.05  #: m, from the surface to the top of the target
    height: float = 0.05  #: m, of the antennas over the surface
    separation: float = 0.06  #: m, between transmitter and receiver
    frequency: float = 1.5e9  #: Hz, of the Ricker current in the transmitter
    cell: float = 2e-3  #: m, of the finite differences

    @property
    def window(self) -> float:
        """Length of a trace in s: to the bottom of the target in any soil, and 2 ns on."""
        return round(4e-9 + 2 * (self.depth * 3.4 + self.height - 0.05) / 3e8, 11)

    @property
    def label(self) -> str:
        """Words that tell scenes apart."""
        what = f"{self.target.name} {100 * self.depth:g} cm" if self.target else "empty"
        return f"{self.soil.name}, {what}, antennas {100 * self.height:g} cm"

    def without_target(self) -> Scene:
        """Return the same scene, empty."""
        return dataclasses.replace(self, target=None)


def read_scene(path: Path) -> Scene:
    """
    Read a scene of one's own.

    A TOML file with the fields of :class:`Scene`; `soil` and `target` are tables with the
    fields of their records, or names of those above.
    """
    with path.open("rb") as file:
        document: dict[str, Any] = tomllib.load(file)
    for key, known in (("soil", SOILS), ("target", TARGETS)):
        if isinstance(document.get(key), str):
            document[key] = dataclasses.asdict(known[document[key]])
    document.setdefault("target", None)
    return msgspec.convert(document, Scene, strict=False)

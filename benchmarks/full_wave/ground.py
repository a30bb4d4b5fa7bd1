"""Ground to train on before the full-wave lanes: more varied than any soil of the presets."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from minesense.synthetic import SOILS

PRESETS = ("quartz_sand", "loam", "clay", "gravel_road", "terra_rossa")
#: From what each figure of a soil is drawn, log-uniform. Surfaces run from nearly even ones to
#: the roughest of the presets, with waves from the width of a facet on; lumps from those of
#: texture to such as return what pebbles do.
DRAWN = {
    "roughness": (0.001, 0.012),  # m
    "surface_length": (0.06, 0.6),  # m
    "permittivity_spread": (0.04, 0.6),
    "correlation_length": (0.02, 0.3),  # m
}

#: What lies in it, a table of a scenario: more than in a village of what answers a radar over a
#: length, so that some of it crosses the track, as all roots and scraps of a section do.
CLUTTER: dict[str, Any] = {
    "preset": "village",
    "dielectric_density": 6.0,  # per m^2
    "weights": {
        "fragment": 1.0, "nail": 1.0, "wire": 3.0, "bolt": 3.0, "foil": 3.0, "bottle_cap": 2.0,
        "can": 3.0, "cartridge_case": 3.0, "rock": 5.0, "brick": 2.0, "root": 6.0, "wood": 3.0,
        "burrow": 3.0,
    },
}  # fmt: skip


def varied_ground(n_soils: int = 40, *, seed: int = 5) -> dict[str, Any]:
    """Return a table `ground` of a scenario: the presets in turn, surface and lumps redrawn."""
    rng = np.random.default_rng(seed)
    own = {}
    for k in range(n_soils):
        drawn = {
            name: float(np.exp(rng.uniform(*np.log(limits)))) for name, limits in DRAWN.items()
        }
        preset = SOILS[PRESETS[k % len(PRESETS)]]
        name = f"varied_{k + 1:02d}"
        own[name] = dataclasses.replace(preset, name=name, **drawn)
    return {"soils": tuple(own), "own": own}

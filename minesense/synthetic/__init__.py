"""Synthetic fields whose truth is known. Everything made here is SYNTHETIC."""

from .catalogue import CATALOGUE, Body, body
from .clutter import Clutter, clustered_points, draw_dielectric, draw_metal
from .field import Buried, Field, Lane, field
from .ground import SOILS, Soil, SoilPreset, draw_soil
from .metal import random_rotation, scrap, surrogate
from .platform import Carrier, Motion, Noise, cart, drive, ornstein_uhlenbeck
from .scenario import PRESETS, Scenario, read_scenario, scenario

__all__ = [
    "CATALOGUE",
    "PRESETS",
    "SOILS",
    "Body",
    "Buried",
    "Carrier",
    "Clutter",
    "Field",
    "Lane",
    "Motion",
    "Noise",
    "Scenario",
    "Soil",
    "SoilPreset",
    "body",
    "cart",
    "clustered_points",
    "draw_dielectric",
    "draw_metal",
    "draw_soil",
    "drive",
    "field",
    "ornstein_uhlenbeck",
    "random_rotation",
    "read_scenario",
    "scenario",
    "scrap",
    "surrogate",
]

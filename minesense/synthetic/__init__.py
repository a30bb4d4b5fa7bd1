"""Synthetic fields whose truth is known. Everything made here is SYNTHETIC."""

from .catalogue import CATALOGUE, Body, Layer, ball, body
from .clutter import (
    CLUTTER,
    CLUTTER_PRESETS,
    Clutter,
    ClutterKind,
    ClutterPreset,
    clutter_over,
    draw_clutter,
)
from .coil_errors import CoilErrors
from .distribution import (
    Distribution,
    Exponential,
    Fixed,
    LogNormal,
    Normal,
    PowerLaw,
    Uniform,
    draw,
)
from .field import Field, field
from .ground import SOILS, Soil, SoilPreset, draw_soil
from .instrument import Converter, Faults, Positioning
from .lanes import Lane, LanePlan
from .layout import ClusterLayout, RandomLayout, RowLayout
from .metal import ALLOYS, Alloy, MetalPart, MetalPiece, draw_piece, piece_relaxation
from .motion import CartMotion, FlightMotion, SwingMotion
from .objects import Objects
from .plans import CartPlan, DronePlan, HandheldPlan, cart, drone, handheld
from .platform import Carrier
from .points import clustered_points
from .radar_errors import RadarErrors
from .record_process import RecordProcess, draw_records, is_accurate
from .scenario import (
    PRESETS,
    ClutterPlan,
    GroundPlan,
    Place,
    Scenario,
    TargetPlan,
    read_scenario,
    scenario,
)
from .targets import Buried
from .tone_errors import ToneErrors
from .track import Track, ornstein_uhlenbeck

__all__ = [
    "ALLOYS",
    "CATALOGUE",
    "CLUTTER",
    "CLUTTER_PRESETS",
    "PRESETS",
    "SOILS",
    "Alloy",
    "Body",
    "Buried",
    "Carrier",
    "CartMotion",
    "CartPlan",
    "ClusterLayout",
    "Clutter",
    "ClutterKind",
    "ClutterPlan",
    "ClutterPreset",
    "CoilErrors",
    "Converter",
    "Distribution",
    "DronePlan",
    "Exponential",
    "Faults",
    "Field",
    "Fixed",
    "FlightMotion",
    "GroundPlan",
    "HandheldPlan",
    "Lane",
    "LanePlan",
    "Layer",
    "LogNormal",
    "MetalPart",
    "MetalPiece",
    "Normal",
    "Objects",
    "Place",
    "Positioning",
    "PowerLaw",
    "RadarErrors",
    "RandomLayout",
    "RecordProcess",
    "RowLayout",
    "Scenario",
    "Soil",
    "SoilPreset",
    "SwingMotion",
    "TargetPlan",
    "ToneErrors",
    "Track",
    "Uniform",
    "ball",
    "body",
    "cart",
    "clustered_points",
    "clutter_over",
    "draw",
    "draw_clutter",
    "draw_piece",
    "draw_records",
    "draw_soil",
    "drone",
    "field",
    "handheld",
    "is_accurate",
    "ornstein_uhlenbeck",
    "piece_relaxation",
    "read_scenario",
    "scenario",
]

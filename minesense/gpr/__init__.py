"""Stages for ground-penetrating radar."""

from ..along_track import (
    RemoveBackground,
    RemoveMedianBackground,
    Whiten,
    remove_background,
    remove_median_background,
    whiten,
)
from .continuation import phase_shift
from .features import FEATURES, radar_features
from .ground import AlignGround, align_ground, track_ground
from .migration import kirchhoff, stolt
from .preprocess import BandPass, Dewow, band_pass, dewow
from .prescreen import PrescreenEnergy, prescreen_energy
from .time_zero import AlignTimeZero, align_time_zero

__all__ = [
    "FEATURES",
    "AlignGround",
    "AlignTimeZero",
    "BandPass",
    "Dewow",
    "PrescreenEnergy",
    "RemoveBackground",
    "RemoveMedianBackground",
    "Whiten",
    "align_ground",
    "align_time_zero",
    "band_pass",
    "dewow",
    "kirchhoff",
    "phase_shift",
    "prescreen_energy",
    "radar_features",
    "remove_background",
    "remove_median_background",
    "stolt",
    "track_ground",
    "whiten",
]

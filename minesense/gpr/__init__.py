"""Stages for ground-penetrating radar."""

from ..along_track import (
    RemoveBackground,
    RemoveMedianBackground,
    Whiten,
    remove_background,
    remove_median_background,
    whiten,
)
from .align import AlignGround, AlignTimeZero, align_ground, align_time_zero, track_ground
from .features import FEATURES, radar_features
from .preprocess import BandPass, Dewow, band_pass, dewow
from .prescreen import PrescreenEnergy, prescreen_energy

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
    "prescreen_energy",
    "radar_features",
    "remove_background",
    "remove_median_background",
    "track_ground",
    "whiten",
]

"""Stages for ground-penetrating radar."""

from ..along_track import RemoveMedianBackground, Whiten, remove_median_background, whiten
from ..background import RemoveBackground, remove_background
from .features import FEATURES, radar_features
from .gain import CompensateLoss, Equalise, compensate_loss, equalise, loss_rate
from .ground import AlignGround, align_ground, track_ground
from .preprocess import BandPass, Dewow, band_pass, dewow
from .prescreen import PrescreenEnergy, prescreen_energy
from .time_zero import AlignTimeZero, align_time_zero

__all__ = [
    "FEATURES",
    "AlignGround",
    "AlignTimeZero",
    "BandPass",
    "CompensateLoss",
    "Dewow",
    "Equalise",
    "PrescreenEnergy",
    "RemoveBackground",
    "RemoveMedianBackground",
    "Whiten",
    "align_ground",
    "align_time_zero",
    "band_pass",
    "compensate_loss",
    "dewow",
    "equalise",
    "loss_rate",
    "prescreen_energy",
    "radar_features",
    "remove_background",
    "remove_median_background",
    "track_ground",
    "whiten",
]

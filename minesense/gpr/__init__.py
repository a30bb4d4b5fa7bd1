"""Stages for ground-penetrating radar."""

from ..along_track import RemoveMedianBackground, Whiten, remove_median_background, whiten
from ..background import RemoveBackground, remove_background
from .attributes import (
    Envelope,
    envelope,
    instantaneous_frequency,
    instantaneous_phase,
)
from .back_projection import Image, back_project
from .continuation import phase_shift
from .features import FEATURES, radar_features
from .focusing import Focus, focus
from .gain import CompensateLoss, Equalise, compensate_loss, equalise, loss_rate
from .ground import AlignGround, align_ground, track_ground
from .migration import kirchhoff, stolt
from .prediction import PrescreenPrediction, prescreen_prediction
from .preprocess import BandPass, Dewow, band_pass, dewow
from .prescreen import PrescreenEnergy, prescreen_energy
from .subspace import LowRankRemoval, SubspaceRemoval, remove_low_rank, remove_subspace
from .time_zero import AlignTimeZero, align_time_zero
from .volume import Volume, back_project_volume

__all__ = [
    "FEATURES",
    "AlignGround",
    "AlignTimeZero",
    "BandPass",
    "CompensateLoss",
    "Dewow",
    "Envelope",
    "Equalise",
    "Focus",
    "Image",
    "LowRankRemoval",
    "PrescreenEnergy",
    "PrescreenPrediction",
    "RemoveBackground",
    "RemoveMedianBackground",
    "SubspaceRemoval",
    "Volume",
    "Whiten",
    "align_ground",
    "align_time_zero",
    "back_project",
    "back_project_volume",
    "band_pass",
    "compensate_loss",
    "dewow",
    "envelope",
    "equalise",
    "focus",
    "instantaneous_frequency",
    "instantaneous_phase",
    "kirchhoff",
    "loss_rate",
    "phase_shift",
    "prescreen_energy",
    "prescreen_prediction",
    "radar_features",
    "remove_background",
    "remove_low_rank",
    "remove_median_background",
    "remove_subspace",
    "stolt",
    "track_ground",
    "whiten",
]

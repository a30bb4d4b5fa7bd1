"""Stages for ground-penetrating radar."""

from ..along_track import RemoveMedianBackground, Whiten, remove_median_background, whiten
from ..background import RemoveBackground, remove_background
from ..sliding_mean import RemoveMeanBackground, remove_mean_background
from .attributes import (
    Envelope,
    envelope,
    instantaneous_frequency,
    instantaneous_phase,
)
from .back_projection import Image, back_project
from .continuation import phase_shift
from .display import PrepareDisplay, prepare_display
from .features import FEATURES, radar_features
from .gain import CompensateLoss, Equalise, compensate_loss, equalise, loss_rate
from .ground import AlignGround, align_ground, track_ground
from .migration import kirchhoff, stolt
from .prediction import PrescreenPrediction, prescreen_prediction
from .preprocess import BandPass, Dewow, band_pass, dewow
from .prescreen import PrescreenEnergy, prescreen_energy
from .subspace import LowRankRemoval, SubspaceRemoval, remove_low_rank, remove_subspace
from .time_zero import AlignTimeZero, align_time_zero

__all__ = [
    "FEATURES",
    "AlignGround",
    "AlignTimeZero",
    "BandPass",
    "CompensateLoss",
    "Dewow",
    "Envelope",
    "Equalise",
    "Image",
    "LowRankRemoval",
    "PrepareDisplay",
    "PrescreenEnergy",
    "PrescreenPrediction",
    "RemoveBackground",
    "RemoveMeanBackground",
    "RemoveMedianBackground",
    "SubspaceRemoval",
    "Whiten",
    "align_ground",
    "align_time_zero",
    "back_project",
    "band_pass",
    "compensate_loss",
    "dewow",
    "envelope",
    "equalise",
    "instantaneous_frequency",
    "instantaneous_phase",
    "kirchhoff",
    "loss_rate",
    "phase_shift",
    "prepare_display",
    "prescreen_energy",
    "prescreen_prediction",
    "radar_features",
    "remove_background",
    "remove_low_rank",
    "remove_mean_background",
    "remove_median_background",
    "remove_subspace",
    "stolt",
    "track_ground",
    "whiten",
]

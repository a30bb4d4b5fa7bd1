"""Stages for metal detectors."""

from ..along_track import RemoveMedianBackground, Whiten
from .features import FEATURES as COIL_FEATURES
from .features import coil_features
from .preprocess import ProjectSoil, project_soil, received_decays, soil_decay, soil_loss
from .prescreen import PrescreenDecay, prescreen_decay

__all__ = [
    "COIL_FEATURES",
    "PrescreenDecay",
    "ProjectSoil",
    "RemoveMedianBackground",
    "Whiten",
    "coil_features",
    "prescreen_decay",
    "project_soil",
    "received_decays",
    "soil_decay",
    "soil_loss",
]

"""Stages for metal detectors."""

from .preprocess import ProjectSoil, project_soil, received_decays, soil_decay, soil_loss
from .prescreen import PrescreenDecay, prescreen_decay

__all__ = [
    "PrescreenDecay",
    "ProjectSoil",
    "prescreen_decay",
    "project_soil",
    "received_decays",
    "soil_decay",
    "soil_loss",
]

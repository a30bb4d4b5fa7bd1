"""Stages for metal detectors."""

from ..along_track import RemoveMedianBackground, Whiten
from .features import FEATURES as COIL_FEATURES
from .features import coil_features
from .filters import FilterInTime, RejectMains, filter_in_time, reject_mains
from .inversion import DipoleFit, fit_dipole
from .library import LibraryMatch, match_library
from .preprocess import ProjectSoil, project_soil, received_decays, soil_decay, soil_loss
from .prescreen import PrescreenDecay, prescreen_decay
from .stations import Stations

__all__ = [
    "COIL_FEATURES",
    "DipoleFit",
    "FilterInTime",
    "LibraryMatch",
    "PrescreenDecay",
    "ProjectSoil",
    "RejectMains",
    "RemoveMedianBackground",
    "Stations",
    "Whiten",
    "coil_features",
    "filter_in_time",
    "fit_dipole",
    "match_library",
    "prescreen_decay",
    "project_soil",
    "received_decays",
    "reject_mains",
    "soil_decay",
    "soil_loss",
]

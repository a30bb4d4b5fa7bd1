"""Stages for metal detectors."""

from ..along_track import RemoveMedianBackground, Whiten
from .features import FEATURES as COIL_FEATURES
from .features import coil_features
from .gridding import SurveyGrid, grid_survey, smooth_grid
from .inversion import DipoleFit, fit_dipole
from .library import LibraryMatch, match_library
from .object_features import (
    PHASE_FEATURES,
    POLARIZABILITY_FEATURES,
    RELAXATION_FEATURES,
    phase_features,
    polarizability_features,
    relaxation_features,
)
from .preprocess import ProjectSoil, project_soil, received_decays, soil_decay, soil_loss
from .prescreen import PrescreenDecay, prescreen_decay
from .relaxation_spectrum import RelaxationSpectrum, fit_decays, fit_phasors
from .stations import Stations
from .survey_peaks import SurveyPeaks, find_survey_peaks, noise_threshold

__all__ = [
    "COIL_FEATURES",
    "PHASE_FEATURES",
    "POLARIZABILITY_FEATURES",
    "RELAXATION_FEATURES",
    "DipoleFit",
    "LibraryMatch",
    "PrescreenDecay",
    "ProjectSoil",
    "RelaxationSpectrum",
    "RemoveMedianBackground",
    "Stations",
    "SurveyGrid",
    "SurveyPeaks",
    "Whiten",
    "coil_features",
    "find_survey_peaks",
    "fit_decays",
    "fit_dipole",
    "fit_phasors",
    "grid_survey",
    "match_library",
    "noise_threshold",
    "phase_features",
    "polarizability_features",
    "prescreen_decay",
    "project_soil",
    "received_decays",
    "relaxation_features",
    "smooth_grid",
    "soil_decay",
    "soil_loss",
]

"""Stages and fits for metal detectors."""

from ..along_track import RemoveMedianBackground, Whiten, remove_median_background, whiten
from ..resampling import ResampleTrack, resample_track
from .features import FEATURES as COIL_FEATURES
from .features import coil_features
from .filters import FilterInTime, RejectMains, filter_in_time, reject_mains
from .gridding import SurveyGrid, grid_survey, smooth_grid
from .ground_balance import BalancePhase, SoilPhase, balance_phase, estimate_soil_phase
from .inversion import DipoleFit, fit_dipole
from .lag import Lag, estimate_lag
from .levelling import LevelBaseline, level_baseline
from .library import LibraryMatch, match_library
from .object_features import (
    PHASE_FEATURES,
    POLARIZABILITY_FEATURES,
    RELAXATION_FEATURES,
    phase_features,
    polarizability_features,
    relaxation_features,
)
from .placement import CorrectLag, correct_lag
from .places import PLACE_FEATURES, place_features
from .preprocess import ProjectSoil, project_soil, received_decays, soil_decay, soil_loss
from .prescreen import PrescreenDecay, prescreen_decay
from .relaxation_spectrum import RelaxationSpectrum, fit_decays, fit_phasors
from .rezero import Rezero, RezeroEntry, rezero
from .sections import SectionFilter
from .soil_tracking import TrackSoil, projection_loss, pump_columns, track_soil, viscous_columns
from .stations import Stations
from .survey_peaks import SurveyPeaks, find_survey_peaks, noise_threshold
from .target_statistics import (
    GateEnergy,
    PrescreenTargets,
    prescreen_gate_energy,
    prescreen_targets,
)
from .tone import Tone, sweep_tone
from .voice import Control, ToneState, Voice
from .wav import WavWriter, write_wav

__all__ = [
    "COIL_FEATURES",
    "PHASE_FEATURES",
    "PLACE_FEATURES",
    "POLARIZABILITY_FEATURES",
    "RELAXATION_FEATURES",
    "BalancePhase",
    "Control",
    "CorrectLag",
    "DipoleFit",
    "FilterInTime",
    "GateEnergy",
    "Lag",
    "LevelBaseline",
    "LibraryMatch",
    "PrescreenDecay",
    "PrescreenTargets",
    "ProjectSoil",
    "RejectMains",
    "RelaxationSpectrum",
    "RemoveMedianBackground",
    "ResampleTrack",
    "Rezero",
    "RezeroEntry",
    "SectionFilter",
    "SoilPhase",
    "Stations",
    "SurveyGrid",
    "SurveyPeaks",
    "Tone",
    "ToneState",
    "TrackSoil",
    "Voice",
    "WavWriter",
    "Whiten",
    "balance_phase",
    "coil_features",
    "correct_lag",
    "estimate_lag",
    "estimate_soil_phase",
    "filter_in_time",
    "find_survey_peaks",
    "fit_decays",
    "fit_dipole",
    "fit_phasors",
    "grid_survey",
    "level_baseline",
    "match_library",
    "noise_threshold",
    "phase_features",
    "place_features",
    "polarizability_features",
    "prescreen_decay",
    "prescreen_gate_energy",
    "prescreen_targets",
    "project_soil",
    "projection_loss",
    "pump_columns",
    "received_decays",
    "reject_mains",
    "relaxation_features",
    "remove_median_background",
    "resample_track",
    "rezero",
    "smooth_grid",
    "soil_decay",
    "soil_loss",
    "sweep_tone",
    "track_soil",
    "viscous_columns",
    "whiten",
    "write_wav",
]

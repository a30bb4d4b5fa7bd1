"""From candidates to alarms: features, classifier, calibration, fusion."""

from .calibrate import Platt, expected_calibration_error, fit_platt, log_odds, probability
from .candidates import ExtractCandidates, merge_candidates
from .cap import CandidateCap
from .classify import fit, new_estimator, out_of_fold, predict
from .detection import Detection, LaneDetection, check_sensor, observed
from .detector import Detector
from .feature_groups import (
    DEFAULT_GROUPS,
    GROUPS,
    KINDS,
    Cells,
    FeatureGroup,
    describe,
    features_of,
)
from .folds import Fold, check_groups, lane_folds
from .fuse import fuse
from .model import ALLOWED_TYPES
from .recipes import RECIPES, Recipe, read_recipe
from .recording import Screening, recording_settings, screen_recording
from .screen import Part, Screen, Screened, coil_stages, radar_stages
from .settings import CoilSettings, DetectorSettings, RadarSettings, read_settings
from .sites import Site, find_sites

__all__ = [
    "ALLOWED_TYPES",
    "DEFAULT_GROUPS",
    "GROUPS",
    "KINDS",
    "RECIPES",
    "CandidateCap",
    "Cells",
    "CoilSettings",
    "Detection",
    "Detector",
    "DetectorSettings",
    "ExtractCandidates",
    "FeatureGroup",
    "Fold",
    "LaneDetection",
    "Part",
    "Platt",
    "RadarSettings",
    "Recipe",
    "Screen",
    "Screened",
    "Screening",
    "Site",
    "check_groups",
    "check_sensor",
    "coil_stages",
    "describe",
    "expected_calibration_error",
    "features_of",
    "find_sites",
    "fit",
    "fit_platt",
    "fuse",
    "lane_folds",
    "log_odds",
    "merge_candidates",
    "new_estimator",
    "observed",
    "out_of_fold",
    "predict",
    "probability",
    "radar_stages",
    "read_recipe",
    "read_settings",
    "recording_settings",
    "screen_recording",
]

"""From candidates to alarms: features, classifier, calibration, fusion."""

from .calibrate import (
    Platt,
    brier_score,
    expected_calibration_error,
    fit_platt,
    log_odds,
    probability,
)
from .candidates import ExtractCandidates, merge_candidates
from .cap import CandidateCap
from .classify import fit, new_estimator, out_of_fold, predict
from .confident import certify_with_confidence
from .detection import Detection, LaneDetection, check_sensor, observed
from .detector import Detector
from .folds import Fold, check_groups, lane_folds
from .fuse import fuse
from .guarantee import Guarantee, certify_each_class, certify_miss_rate, units_needed
from .isotonic import Calibration, Isotonic, fit_calibration, fit_isotonic, read_calibration
from .model import ALLOWED_TYPES
from .prior import BASE_RATES, BaseRate, with_prior
from .recording import Screening, recording_settings, screen_recording
from .screen import Part, Screen, Screened, coil_stages, radar_stages
from .settings import CoilSettings, DetectorSettings, RadarSettings, read_settings
from .sites import FEATURES, KINDS, Site, find_sites
from .venn_abers import VennAbers, venn_abers

__all__ = [
    "ALLOWED_TYPES",
    "BASE_RATES",
    "FEATURES",
    "KINDS",
    "BaseRate",
    "Calibration",
    "CandidateCap",
    "CoilSettings",
    "Detection",
    "Detector",
    "DetectorSettings",
    "ExtractCandidates",
    "Fold",
    "Guarantee",
    "Isotonic",
    "LaneDetection",
    "Part",
    "Platt",
    "RadarSettings",
    "Screen",
    "Screened",
    "Screening",
    "Site",
    "VennAbers",
    "brier_score",
    "certify_each_class",
    "certify_miss_rate",
    "certify_with_confidence",
    "check_groups",
    "check_sensor",
    "coil_stages",
    "expected_calibration_error",
    "find_sites",
    "fit",
    "fit_calibration",
    "fit_isotonic",
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
    "read_calibration",
    "read_settings",
    "recording_settings",
    "screen_recording",
    "units_needed",
    "venn_abers",
    "with_prior",
]

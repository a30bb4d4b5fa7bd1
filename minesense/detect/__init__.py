"""From candidates to alarms: features, classifier, calibration, fusion."""

from .belief import Belief, CombinedBelief, belief_of, combine_beliefs
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
from .fuse import Fused, FusionRule, fuse, silence_log_ratio
from .guarantee import Guarantee, certify_each_class, certify_miss_rate, units_needed
from .isotonic import Calibration, Isotonic, fit_calibration, fit_isotonic, read_calibration
from .joint_miss import MissBounds, joint_miss_bounds, repeated_miss
from .lane_statistics import lane_statistics
from .model import ALLOWED_TYPES
from .novelty import conformal_p_values, is_unknown, thin_places
from .position_gate import Gate, position_gate
from .prior import BASE_RATES, BaseRate, with_prior
from .recipes import RECIPES, Recipe, read_recipe
from .recording import Screening, recording_settings, screen_recording
from .screen import Part, Screen, Screened, coil_stages, radar_stages
from .settings import CoilSettings, DetectorSettings, RadarSettings, read_settings
from .shift import Departure, ShiftMonitor, Verdict, stability_index, withhold
from .sites import Site, find_sites
from .venn import VennAbers, venn_abers

__all__ = [
    "ALLOWED_TYPES",
    "BASE_RATES",
    "DEFAULT_GROUPS",
    "GROUPS",
    "KINDS",
    "RECIPES",
    "BaseRate",
    "Belief",
    "Calibration",
    "CandidateCap",
    "Cells",
    "CoilSettings",
    "CombinedBelief",
    "Departure",
    "Detection",
    "Detector",
    "DetectorSettings",
    "ExtractCandidates",
    "FeatureGroup",
    "Fold",
    "Fused",
    "FusionRule",
    "Gate",
    "Guarantee",
    "Isotonic",
    "LaneDetection",
    "MissBounds",
    "Part",
    "Platt",
    "RadarSettings",
    "Recipe",
    "Screen",
    "Screened",
    "Screening",
    "ShiftMonitor",
    "Site",
    "VennAbers",
    "Verdict",
    "belief_of",
    "brier_score",
    "certify_each_class",
    "certify_miss_rate",
    "certify_with_confidence",
    "check_groups",
    "check_sensor",
    "coil_stages",
    "combine_beliefs",
    "conformal_p_values",
    "describe",
    "expected_calibration_error",
    "features_of",
    "find_sites",
    "fit",
    "fit_calibration",
    "fit_isotonic",
    "fit_platt",
    "fuse",
    "is_unknown",
    "joint_miss_bounds",
    "lane_folds",
    "lane_statistics",
    "log_odds",
    "merge_candidates",
    "new_estimator",
    "observed",
    "out_of_fold",
    "position_gate",
    "predict",
    "probability",
    "radar_stages",
    "read_calibration",
    "read_recipe",
    "read_settings",
    "recording_settings",
    "repeated_miss",
    "screen_recording",
    "silence_log_ratio",
    "stability_index",
    "thin_places",
    "units_needed",
    "venn_abers",
    "with_prior",
    "withhold",
]

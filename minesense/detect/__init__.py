"""From candidates to alarms: features, classifier, calibration, fusion."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
from .classify import ESTIMATORS, fit, new_estimator, out_of_fold, predict
from .confident import certify_with_confidence
from .decision import Decision, decide, decide_again, rank_sites
from .detection import Detection, LaneDetection, check_sensor, observed
from .detector import Detector
from .familiarity import (
    Unfamiliar,
    familiar_margin,
    fit_monitors,
    ground_statistics,
    is_unfamiliar,
    unfamiliar_ground,
)
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
from .screen import Part, Screen, Screened
from .sensor_stages import coil_stages, radar_stages
from .settings import CoilSettings, DetectorSettings, RadarSettings, read_settings
from .shift import Departure, ShiftMonitor, Verdict, stability_index, withhold
from .sites import Site, find_sites
from .target_scores import TargetScores
from .tested_trees import compiled_trees
from .trees import SummedTrees, extract_trees, score_trees, trial_rows
from .venn import VennAbers, venn_abers

if TYPE_CHECKING:
    from .forest import VoteForest
    from .hidden_markov import HiddenMarkov
    from .possibilistic import PossibilisticNeighbours
    from .score_column import ScoreColumn

# Loaded at first use: they are estimators of scikit-learn, which takes seconds to import.
_ESTIMATORS = {
    "HiddenMarkov": "hidden_markov",
    "PossibilisticNeighbours": "possibilistic",
    "ScoreColumn": "score_column",
    "VoteForest": "forest",
}

__all__ = [
    "ALLOWED_TYPES",
    "BASE_RATES",
    "DEFAULT_GROUPS",
    "ESTIMATORS",
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
    "Decision",
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
    "HiddenMarkov",
    "Isotonic",
    "LaneDetection",
    "MissBounds",
    "Part",
    "Platt",
    "PossibilisticNeighbours",
    "RadarSettings",
    "Recipe",
    "ScoreColumn",
    "Screen",
    "Screened",
    "Screening",
    "ShiftMonitor",
    "Site",
    "SummedTrees",
    "TargetScores",
    "Unfamiliar",
    "VennAbers",
    "Verdict",
    "VoteForest",
    "belief_of",
    "brier_score",
    "certify_each_class",
    "certify_miss_rate",
    "certify_with_confidence",
    "check_groups",
    "check_sensor",
    "coil_stages",
    "combine_beliefs",
    "compiled_trees",
    "conformal_p_values",
    "decide",
    "decide_again",
    "describe",
    "expected_calibration_error",
    "extract_trees",
    "familiar_margin",
    "features_of",
    "find_sites",
    "fit",
    "fit_calibration",
    "fit_isotonic",
    "fit_monitors",
    "fit_platt",
    "fuse",
    "ground_statistics",
    "is_unfamiliar",
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
    "rank_sites",
    "read_calibration",
    "read_recipe",
    "read_settings",
    "recording_settings",
    "repeated_miss",
    "score_trees",
    "screen_recording",
    "silence_log_ratio",
    "stability_index",
    "thin_places",
    "trial_rows",
    "unfamiliar_ground",
    "units_needed",
    "venn_abers",
    "with_prior",
    "withhold",
]


def __getattr__(name: str) -> Any:
    """Load an estimator when it is first used."""
    if name in _ESTIMATORS:
        return getattr(importlib.import_module(f".{_ESTIMATORS[name]}", __name__), name)
    msg = f"module 'minesense.detect' has no attribute {name!r}"
    raise AttributeError(msg)

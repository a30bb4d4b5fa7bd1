"""From candidates to alarms: features, classifier, calibration, fusion."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .calibrate import Platt, expected_calibration_error, fit_platt, log_odds, probability
from .candidates import ExtractCandidates, merge_candidates
from .cap import CandidateCap
from .classify import ESTIMATORS, fit, new_estimator, out_of_fold, predict
from .detection import Detection, LaneDetection, check_sensor, observed
from .detector import Detector
from .folds import Fold, check_groups, lane_folds
from .fuse import fuse
from .model import ALLOWED_TYPES
from .recording import Screening, recording_settings, screen_recording
from .screen import Part, Screen, Screened, coil_stages, radar_stages
from .settings import CoilSettings, DetectorSettings, RadarSettings, read_settings
from .sites import FEATURES, KINDS, Site, find_sites
from .tested_trees import compiled_trees
from .trees import SummedTrees, extract_trees, score_trees, trial_rows

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
    "ESTIMATORS",
    "FEATURES",
    "KINDS",
    "CandidateCap",
    "CoilSettings",
    "Detection",
    "Detector",
    "DetectorSettings",
    "ExtractCandidates",
    "Fold",
    "HiddenMarkov",
    "LaneDetection",
    "Part",
    "Platt",
    "PossibilisticNeighbours",
    "RadarSettings",
    "ScoreColumn",
    "Screen",
    "Screened",
    "Screening",
    "Site",
    "SummedTrees",
    "VoteForest",
    "check_groups",
    "check_sensor",
    "coil_stages",
    "compiled_trees",
    "expected_calibration_error",
    "extract_trees",
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
    "read_settings",
    "recording_settings",
    "score_trees",
    "screen_recording",
    "trial_rows",
]


def __getattr__(name: str) -> Any:
    """Load an estimator when it is first used."""
    if name in _ESTIMATORS:
        return getattr(importlib.import_module(f".{_ESTIMATORS[name]}", __name__), name)
    msg = f"module 'minesense.detect' has no attribute {name!r}"
    raise AttributeError(msg)

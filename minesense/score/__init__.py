"""How good the alarms are, with exact intervals."""

from ..detect.folds import Fold, check_groups, lane_folds
from .baselines import layout_alarms, random_alarms
from .curves import Bands, Curve, roc
from .grounds import Ground, scored_ground
from .intervals import (
    Interval,
    area_needed,
    clopper_pearson,
    poisson_rate,
    targets_needed,
    wilson,
)
from .matching import AlarmOutcome, Halo, Matching, TargetOutcome, match
from .scoring import ClutterCount, Proportion, Rate, Score, Stratum, score
from .stated import LaneReliability, Reliability, ReliabilityBin, reliability

__all__ = [
    "AlarmOutcome",
    "Bands",
    "ClutterCount",
    "Curve",
    "Fold",
    "Ground",
    "Halo",
    "Interval",
    "LaneReliability",
    "Matching",
    "Proportion",
    "Rate",
    "Reliability",
    "ReliabilityBin",
    "Score",
    "Stratum",
    "TargetOutcome",
    "area_needed",
    "check_groups",
    "clopper_pearson",
    "lane_folds",
    "layout_alarms",
    "match",
    "poisson_rate",
    "random_alarms",
    "reliability",
    "roc",
    "score",
    "scored_ground",
    "targets_needed",
    "wilson",
]

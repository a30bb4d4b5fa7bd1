"""How good the alarms are, with exact intervals."""

from ..detect.folds import Fold, check_groups, lane_folds
from .baselines import layout_alarms, random_alarms
from .curves import Bands, Curve, roc
from .grounds import Ground, scored_ground
from .halo import Halo
from .intervals import (
    Interval,
    area_needed,
    clopper_pearson,
    poisson_rate,
    poisson_ratio,
    targets_needed,
    wilson,
)
from .matching import AlarmOutcome, Matching, TargetOutcome, match
from .operating import Threshold, choose_threshold
from .profiles import PROFILES, RADII, Profile, RadiusScore, sensitivity
from .protocol import Exclusion, Protocol
from .result import (
    ClutterCount,
    ExclusionEffect,
    Proportion,
    Rate,
    Ratio,
    Score,
    Stratum,
)
from .scoring import score

__all__ = [
    "PROFILES",
    "RADII",
    "AlarmOutcome",
    "Bands",
    "ClutterCount",
    "Curve",
    "Exclusion",
    "ExclusionEffect",
    "Fold",
    "Ground",
    "Halo",
    "Interval",
    "Matching",
    "Profile",
    "Proportion",
    "Protocol",
    "RadiusScore",
    "Rate",
    "Ratio",
    "Score",
    "Stratum",
    "TargetOutcome",
    "Threshold",
    "area_needed",
    "check_groups",
    "choose_threshold",
    "clopper_pearson",
    "lane_folds",
    "layout_alarms",
    "match",
    "poisson_rate",
    "poisson_ratio",
    "random_alarms",
    "roc",
    "score",
    "scored_ground",
    "sensitivity",
    "targets_needed",
    "wilson",
]

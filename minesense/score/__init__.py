"""How good the alarms are, with exact intervals."""

from ..detect.folds import Fold, check_groups, lane_folds
from .baselines import layout_alarms, random_alarms
from .curves import Bands, Curve, roc
from .depth import DepthCurve, pd_over_depth
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
from .outcomes import Outcomes, outcomes
from .paired import Comparison, Difference, McNemar, compare, compare_rejections
from .passes import PassScore, merge_passes, score_passes
from .planner import Plan, design_effect, lanes_needed, plan
from .profiles import PROFILES, RADII, Profile, RadiusScore, sensitivity
from .protocol import Exclusion, Protocol
from .rejection import Rejection, rejection
from .result import (
    LEAST_TARGETS,
    ClutterCount,
    ExclusionEffect,
    Proportion,
    Rate,
    Ratio,
    Score,
    Stratum,
)
from .scoring import score
from .stated import LaneReliability, Reliability, ReliabilityBin, reliability
from .strata import METAL_GROUPS

__all__ = [
    "LEAST_TARGETS",
    "METAL_GROUPS",
    "PROFILES",
    "RADII",
    "AlarmOutcome",
    "Bands",
    "ClutterCount",
    "Comparison",
    "Curve",
    "DepthCurve",
    "Difference",
    "Exclusion",
    "ExclusionEffect",
    "Fold",
    "Ground",
    "Halo",
    "Interval",
    "LaneReliability",
    "Matching",
    "McNemar",
    "Outcomes",
    "PassScore",
    "Plan",
    "Profile",
    "Proportion",
    "Protocol",
    "RadiusScore",
    "Rate",
    "Ratio",
    "Rejection",
    "Reliability",
    "ReliabilityBin",
    "Score",
    "Stratum",
    "TargetOutcome",
    "Threshold",
    "area_needed",
    "check_groups",
    "choose_threshold",
    "clopper_pearson",
    "compare",
    "compare_rejections",
    "design_effect",
    "lane_folds",
    "lanes_needed",
    "layout_alarms",
    "match",
    "merge_passes",
    "outcomes",
    "pd_over_depth",
    "plan",
    "poisson_rate",
    "poisson_ratio",
    "random_alarms",
    "rejection",
    "reliability",
    "roc",
    "score",
    "score_passes",
    "scored_ground",
    "sensitivity",
    "targets_needed",
    "wilson",
]

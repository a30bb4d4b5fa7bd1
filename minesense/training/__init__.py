"""Training: from swept lanes whose truth is known to a detector."""

from .evaluation import evaluate
from .held_out import held_out_targets
from .labels import emplacement_weights, label_sites
from .screening import ScreenedLanes, screen_lanes, with_learnt_shapes, with_settings
from .thresholds import joint_thresholds, rate_threshold
from .tier_results import Evaluation, Figure, FoldFigure, TierResult
from .tiers import TIERS
from .trainer import train, train_screened

__all__ = [
    "TIERS",
    "Evaluation",
    "Figure",
    "FoldFigure",
    "ScreenedLanes",
    "TierResult",
    "emplacement_weights",
    "evaluate",
    "held_out_targets",
    "joint_thresholds",
    "label_sites",
    "rate_threshold",
    "screen_lanes",
    "train",
    "train_screened",
    "with_learnt_shapes",
    "with_settings",
]

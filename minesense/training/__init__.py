"""Training: from swept lanes whose truth is known to a detector."""

from .evaluation import evaluate
from .labels import emplacement_weights, label_sites
from .thresholds import rate_threshold
from .tier_results import Evaluation, Figure, FoldFigure, TierResult
from .tiers import TIERS
from .trainer import train

__all__ = [
    "TIERS",
    "Evaluation",
    "Figure",
    "FoldFigure",
    "TierResult",
    "emplacement_weights",
    "evaluate",
    "label_sites",
    "rate_threshold",
    "train",
]

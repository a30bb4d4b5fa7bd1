"""Training: from swept lanes whose truth is known to a detector."""

from .labels import emplacement_weights, label_sites
from .thresholds import rate_threshold
from .trainer import train

__all__ = ["emplacement_weights", "label_sites", "rate_threshold", "train"]

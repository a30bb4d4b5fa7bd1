"""How good the alarms are, with exact intervals."""

from .intervals import (
    Interval,
    area_needed,
    clopper_pearson,
    poisson_rate,
    targets_needed,
    wilson,
)
from .matching import AlarmOutcome, Halo, Matching, TargetOutcome, match

__all__ = [
    "AlarmOutcome",
    "Halo",
    "Interval",
    "Matching",
    "TargetOutcome",
    "area_needed",
    "clopper_pearson",
    "match",
    "poisson_rate",
    "targets_needed",
    "wilson",
]

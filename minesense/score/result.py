"""What a score holds: figures with their limits, strata, and the outcome of everything."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from .curves import Curve
from .halo import Halo
from .intervals import Interval
from .matching import AlarmOutcome, TargetOutcome
from .protocol import Exclusion
from .table import format_headline, format_score

#: Strata with fewer targets allow no claim.
LEAST_TARGETS = 10

#: Groups in which every stratum must hold enough targets for an overall claim.
MANDATORY = ("metal", "depth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share of targets, with its exact limits."""

    k: int
    n: int
    value: float  #: NaN if n is 0
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """False alarms per square metre, with exact limits."""

    count: int
    area: float  #: m2
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """False alarms for every target found, with exact limits."""

    count: int  #: false alarms
    per: int  #: targets found
    value: float  #: NaN if no target was found
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Targets of one sort."""

    group: str  #: "metal", "metal_class", "kind", "depth", or a group of the protocol
    name: str
    swept: Proportion  #: Pd | swept
    total: Proportion  #: Pd total
    claim: str  #: such as "n<10: no claim", or empty if there are enough swept targets


@dataclass(frozen=True, slots=True, kw_only=True)
class ClutterCount:
    """What became of clutter of one kind."""

    kind: str
    n: int  #: pieces in the truth
    n_alarmed: int  #: pieces with a false alarm
    n_alarms: int  #: false alarms on them


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionEffect:
    """What one exclusion took out of a score."""

    exclusion: Exclusion
    area: float  #: m2 that would have been observed and wanted
    n_swept: int  #: swept targets taken out
    n_detected: int  #: of those, detected


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """
    How good a set of alarms is.

    `Pd | swept` judges the detector: of the targets whose footprint was observed to 90 % or
    more, the share that was detected. `Pd total` judges the search: of all targets, the
    share that was detected. They are never merged. `str` of a score is a table.
    """

    is_synthetic: bool
    is_capped: bool  #: alarms were left out by a cap: Pd is a lower bound
    sensors: str
    halo: Halo
    threshold: float | None
    confidence: float
    pd_swept: Proportion
    pd_total: Proportion
    false_alarms: Rate
    dispersion: float  #: variance over mean of false alarms between lanes; NaN for one lane
    strata: tuple[Stratum, ...]
    worst: Stratum | None  #: the lowest Pd | swept among strata with a swept target
    clutter: tuple[ClutterCount, ...]
    areas: Mapping[str, float]  #: m2: observed, scored, in halos, in rings, not observed
    not_observed: Mapping[str, float]  #: m2 by reason, which may overlap
    outside: Mapping[str, int]  #: alarms that were left out, by reason
    targets: tuple[TargetOutcome, ...]
    alarms: tuple[AlarmOutcome, ...]
    curve: Curve | None
    false_per_target: Ratio  #: depends on how many targets the field holds
    digging_time: Interval | None = None  #: s per m2, of false alarms alone
    is_tuned_on_test: bool = False  #: the threshold was chosen on targets that it is judged by
    mandatory: tuple[str, ...] = MANDATORY  #: groups whose strata must all hold enough targets
    exclusions: tuple[ExclusionEffect, ...] = ()
    pd_with_excluded: Proportion | None = None  #: Pd | swept, had nothing been excluded

    @property
    def no_claim(self) -> tuple[str, ...]:
        """Mandatory strata with too few targets: while there are any, no overall claim."""
        return tuple(
            f"{s.group} = {s.name} (n = {s.swept.n})"
            for s in self.strata
            if s.group in self.mandatory and s.claim
        )

    def count(self, outcome: str) -> int:
        """Return how many targets had this outcome."""
        return sum(target.outcome == outcome for target in self.targets)

    def headline(self) -> str:
        """
        Return the result in one line: the mean and the worst stratum, with their limits.

        Returns
        -------
        line : str
            Pd of all swept targets, that of the worst stratum, and false alarms per m2.

        Raises
        ------
        ValueError
            If a mandatory stratum holds fewer than ten swept targets, or the threshold was
            chosen on the targets that it is judged by: there is no claim to make.
        """
        if self.is_tuned_on_test:
            msg = (
                "Invalid threshold for a claim: tuned_on_test, it was chosen on targets that "
                "it is judged by. Must be chosen on others, before the truth is opened."
            )
            raise ValueError(msg)
        if self.no_claim or self.worst is None:
            found = "; ".join(self.no_claim) or "no target was swept"
            msg = (
                f"Invalid strata for a claim: {found}. Must hold at least {LEAST_TARGETS} "
                "swept targets each, and be stated for every target."
            )
            raise ValueError(msg)
        return format_headline(self)

    def to_dict(self) -> dict[str, Any]:
        """
        Return everything as plain words and numbers, the same bytes for the same score.

        Keys are sorted, places are rounded to 0.1 mm and other numbers to six digits; what
        is not finite is None.
        """
        result = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        result["no_claim"] = self.no_claim
        result["label"] = "SYNTHETIC" if self.is_synthetic else "FIELD"
        plain = _plain(result)
        assert isinstance(plain, dict)
        return plain

    def __str__(self) -> str:
        """Return the table."""
        return format_score(self)


def _plain(value: Any, name: str = "") -> Any:
    """Return a value as JSON knows it: sorted keys, numbers rounded, None for not finite."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key], str(key)) for key in sorted(value)}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, name) for item in value]
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if not math.isfinite(number):
            return None
        # Six digits of a map coordinate would be whole metres.
        is_place = name in ("easting", "northing")
        return (round(number, 4) if is_place else float(f"{number:.6g}")) + 0.0  # no -0.0
    return value

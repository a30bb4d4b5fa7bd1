"""What an evaluation found, tier by tier, and which of it may be claimed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._validation import check_one_of
from .tiers import RANDOM

#: Figures that are read off test scores: they describe, and claim nothing.
TUNED_ON_TEST = ("rejected_at_0", "rejected_at_1")
#: Seeds below which the spread of training is not known well enough for a claim.
LEAST_SEEDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: the mean over seeds, the limits by lanes, and the range of the seeds."""

    value: float
    low: float  #: from drawing lanes
    high: float
    seed_low: float  #: of single seeds
    seed_high: float
    tuned_on_test: bool  #: read off test scores: no claim


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldFigure:
    """One fold of the first seed."""

    names: tuple[str, ...]  #: what was held out
    n_mines: int  #: emplacements
    n_clutter: int
    kept: float  #: share of mines kept at the threshold chosen in training; NaN without one
    rejected: float  #: share of clutter below it


@dataclass(frozen=True, slots=True, kw_only=True)
class TierResult:
    """What one tier found."""

    tier: str
    meaning: str
    is_demonstration: bool  #: a random split: how much a leak would flatter, no claim
    n_rows: int
    n_mines: int  #: emplacements
    n_clutter: int
    n_groups: int
    n_folds: int
    figures: Mapping[str, Figure]
    folds: tuple[FoldFigure, ...]
    worst: FoldFigure  #: fold that kept the smallest share of mines, then rejected least


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A classifier on what it was not trained on; `str` is a table."""

    tiers: Mapping[str, TierResult]
    is_synthetic: bool
    kind: str
    n_seeds: int
    confidence: float
    keep: float

    def claim(self, tier: str, figure: str) -> Figure:
        """
        Return a figure that may be claimed.

        Parameters
        ----------
        tier : str
            Of those evaluated.
        figure : str
            Of its figures.

        Returns
        -------
        figure : Figure
            With its limits.

        Raises
        ------
        ValueError
            If the tier is a random split, the figure was read off test scores
            (`tuned_on_test`), there were fewer than five seeds, or either is unknown.
        """
        check_one_of(tier, "tier", self.tiers)
        check_one_of(figure, "figure", self.tiers[tier].figures)
        if self.tiers[tier].is_demonstration:
            msg = f"Invalid tier '{tier}' for a claim. Must hold out lanes or more."
            raise ValueError(msg)
        found = self.tiers[tier].figures[figure]
        if found.tuned_on_test:
            msg = (
                f"Invalid figure '{figure}' for a claim: tuned_on_test. Must rest on a "
                "threshold that was chosen in training: 'kept', 'rejected'."
            )
            raise ValueError(msg)
        if self.n_seeds < LEAST_SEEDS:
            msg = f"Invalid seeds for a claim: {self.n_seeds}. Must be at least {LEAST_SEEDS}."
            raise ValueError(msg)
        return found

    @property
    def leak(self) -> float:
        """Clutter that a random split rejects beyond lanes, no mine lost; NaN without one."""
        if RANDOM not in self.tiers:
            return math.nan
        values = [self.tiers[k].figures["rejected_at_0"].value for k in (RANDOM, "lane")]
        return values[0] - values[1]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain words and numbers; NaN is None."""
        plain = _plain(dataclasses.asdict(self))
        assert isinstance(plain, dict)
        return plain | {"label": "SYNTHETIC" if self.is_synthetic else "FIELD"}

    def __str__(self) -> str:
        """Return the table."""
        lines = ["SYNTHETIC data: says nothing about performance in the field."]
        lines = lines if self.is_synthetic else []
        lines.append(
            f"{self.kind}, {self.n_seeds} seeds; [limits by lanes, "
            f"{100 * self.confidence:g} %] (range of seeds)"
        )
        for result in self.tiers.values():
            lines += [
                "",
                f"{result.tier}: held out {result.meaning}",
                f"  {result.n_mines} mines, {result.n_clutter} clutter, "
                f"{result.n_groups} groups in {result.n_folds} folds",
            ]
            for name, item in result.figures.items():
                tag = "  tuned_on_test: no claim" if item.tuned_on_test else ""
                lines.append(
                    f"  {name:<15}{item.value:>8.3f}  [{item.low:.3f} to {item.high:.3f}]  "
                    f"({item.seed_low:.3f} to {item.seed_high:.3f}){tag}"
                )
            worst = result.worst
            names = ", ".join(worst.names) or "random places"
            lines.append(
                f"  worst fold: {names}: kept {worst.kept:.3f} of {worst.n_mines} mines, "
                f"rejected {worst.rejected:.3f} of {worst.n_clutter} clutter"
            )
        if RANDOM in self.tiers:
            lines += ["", f"leak of a random split at 0 missed: {self.leak:+.3f} of clutter"]
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

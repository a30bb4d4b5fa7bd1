"""Scores of targets by lane: what is missed at each threshold, counted without rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import check_real, check_shape, meant_fraction
from ..sweep import Floats

#: What is taken to be exchangeable.
UNITS = ("lane", "target")

#: A threshold below every score but that of a target without a candidate.
LOWEST = float(np.finfo(np.float64).min)


@dataclass(frozen=True, slots=True, eq=False)
class TargetScores:
    """The scores of targets, -inf for one without a candidate, and the lane of each."""

    scores: Floats
    lanes: npt.NDArray[np.str_]

    def of(self, chosen: npt.NDArray[np.bool_]) -> TargetScores:
        """Return some of the targets."""
        return TargetScores(self.scores[chosen], self.lanes[chosen])

    def weights(self, unit: str) -> tuple[list[int], int, int]:
        """Return what a miss of each target adds to the loss, its unit, and how many units."""
        if unit == "target":
            return [1] * len(self.scores), 1, len(self.scores)
        _, owner, sizes = np.unique(self.lanes, return_inverse=True, return_counts=True)
        common = math.lcm(*sizes.tolist())
        return [common // int(sizes[i]) for i in owner], common, len(sizes)

    def n_units(self, unit: str) -> int:
        """Return how many lanes hold targets, or how many targets there are."""
        return len(self.scores) if unit == "target" else len(np.unique(self.lanes))

    def lost(self, threshold: float, unit: str) -> Fraction:
        """Return the sum over the units of the share that scores below a threshold."""
        weights, parts, _ = self.weights(unit)
        missed = np.flatnonzero(self.scores < threshold)
        return Fraction(sum(weights[k] for k in missed), parts)

    def steps(self, unit: str) -> Iterator[tuple[float, Fraction]]:
        """Yield each finite score, from the lowest, and what is lost with it as threshold."""
        weights, parts, _ = self.weights(unit)
        below, pending, previous = 0, 0, -math.inf
        for k in np.argsort(self.scores, kind="stable").tolist():
            score = float(self.scores[k])
            if score > previous:
                below, pending, previous = below + pending, 0, score
                yield score, Fraction(below, parts)
            pending += weights[k]

    def lane_losses(self, threshold: float) -> tuple[tuple[str, ...], Floats]:
        """Return the lanes, and the share of each one's targets below a threshold."""
        names, owner, sizes = np.unique(self.lanes, return_inverse=True, return_counts=True)
        missed = np.bincount(owner, weights=self.scores < threshold)
        return tuple(names.tolist()), missed / sizes


def check_targets(scores: npt.ArrayLike, lanes: Sequence[str]) -> TargetScores:
    """
    Return scores and lanes of targets, if they are usable.

    Parameters
    ----------
    scores : (n,) array_like
        Score of each target's best place; -inf for a target without a candidate.
    lanes : (n,) sequence of str
        Lane of each target.

    Returns
    -------
    targets : TargetScores
        Both, as arrays.

    Raises
    ------
    TypeError, ValueError
        If a score is NaN or inf, lengths differ or there is no target; or a lane has no
        name (None, NaN and blanks are none), or names are neither all words nor all numbers.
    """
    values = check_shape(check_real(scores, "scores"), "scores", ("n",)).astype(np.float64)
    words = check_group_names(lanes, "lanes", of="lane")
    names = check_shape(np.array(words, dtype=str), "lanes", (len(values),))
    is_bad = np.isnan(values) | (values == np.inf)
    if is_bad.any():
        i = int(np.argmax(is_bad))
        msg = (
            f"Invalid scores: the one at index {i} is {values[i]}. Must be finite, or -inf for "
            "a target without a candidate."
        )
        raise ValueError(msg)
    if not len(values):
        msg = "Invalid scores: there is no target. Must hold at least one."
        raise ValueError(msg)
    return TargetScores(values, names)


def exact(value: float) -> Fraction:
    """
    Return the simple number that a float was meant as.

    Parameters
    ----------
    value : float
        For example 0.29, whose nearest double is a little less, or 1 / 14.

    Returns
    -------
    number : Fraction
        The nearest one with a denominator of at most 1e7, 29/100 or 1/14, if it is that to
        twelve digits; else the float as it is.
    """
    return meant_fraction(value)

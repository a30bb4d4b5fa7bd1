"""Scores of training targets by classifiers that had not seen their lanes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..coverage import Coverage
from ..detect import Site, TargetScores
from ..score import Halo, match
from ..sweep import Floats
from ..truth import Truth


def held_out_targets(
    sites: Sequence[Site],
    scores: Floats,
    truth: Truth,
    coverage: Coverage,
    *,
    halo: Halo,
    sensors: str,
    use: npt.NDArray[np.bool_],
) -> TargetScores | None:
    """
    Return the score of every swept target's best place, found as the score finds it.

    Parameters
    ----------
    sites : sequence of Site
        Places of the training lanes.
    scores : (n,) float64 ndarray
        Of the places, out of fold.
    truth : Truth
        What lies in the ground.
    coverage : Coverage
        Of the training lanes.
    halo : Halo
        What counts as the place of a target.
    sensors : str
        Whose observation counts.
    use : (n,) bool ndarray
        Places that the mode noticed.

    Returns
    -------
    targets : TargetScores or None
        -inf for a target without a place. None if no swept target names a training lane: the
        lane is what a promise is about.

    Examples
    --------
    >>> targets = held_out_targets(sites, odds, truth, coverage, **options)  # doctest: +SKIP
    """
    alarms = [
        site.alarm(f"P{k:06d}", score=scores[k])
        for k, site in enumerate(sites)
        if use[k] and math.isfinite(scores[k])
    ]
    found = match(alarms, truth, halo, coverage=coverage, sensors=sensors)
    swept = [t for t in found.targets if t.is_swept and t.lane in coverage.lanes]
    if not swept:
        return None
    return TargetScores(
        np.array([t.score if t.outcome == "detected" else -math.inf for t in swept]),
        np.array([t.lane for t in swept], dtype=str),
    )

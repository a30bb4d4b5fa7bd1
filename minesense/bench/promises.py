"""Stated miss rates: were they held on lanes that nobody had seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sweep import Floats
from .detection import finite, limits, outcomes_of
from .outcomes import Outcomes
from .reference import Reference

#: Shares of targets that may be missed, as a user would state them.
RATES = (0.05, 0.1, 0.2)

#: Sites that are drawn, each of as many lanes as the part has with targets.
N_SITES = 200


def judge_promises(
    entrant: Any, found: Any, reference: Reference, *, seed: int = 0
) -> list[dict[str, Any]]:
    """
    Hold what an entrant promised in training against the lanes of a part.

    Parameters
    ----------
    entrant : Entrant
        With a method ``promise(found, miss_rate)`` that returns what it found, judged again
        so that the rate holds, with a `guarantee`; it raises ValueError if it cannot.
    found : Found or Detection
        What it found in the part.
    reference : Reference
        What it is judged by.
    seed : int
        Of the sites.

    Returns
    -------
    promises : list of dict
        Ready for JSON, one for each of :data:`RATES`: the share of the targets of a lane
        that was missed, its mean over lanes, 95 % of the means of 200 sites of resampled
        lanes, and how lanes differ; or why nothing was promised. Empty for an entrant
        without the method.

    Examples
    --------
    >>> judge_promises(object(), None, None)
    []
    """
    promise = getattr(entrant, "promise", None)
    if promise is None:
        return []
    held: list[dict[str, Any]] = []
    for rate in RATES:
        try:
            kept = promise(found, rate)
        except ValueError as error:
            held.append({"stated": rate, "not_promised": str(error)})
            continue
        outcomes, _ = outcomes_of(kept, reference)
        losses = lane_losses(outcomes)
        if not len(losses):
            held.append({"stated": rate, "not_promised": "no target of the part was swept"})
            continue
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, len(losses), (N_SITES, len(losses)))
        sites = losses[drawn].mean(axis=1)
        held.append(
            {
                "stated": rate,
                "certified": finite(kept.guarantee.certified),
                "threshold": finite(kept.threshold),
                "n_lanes": len(losses),
                "n_sites": N_SITES,
                "mean_miss_rate": limits(float(losses.mean()), sites),
                "share_of_sites_above": finite(float((sites > rate).mean())),
                "lane_miss_rate": {
                    name: finite(float(np.quantile(losses, share, method="inverted_cdf")))
                    for name, share in (("half", 0.5), ("nine_tenths", 0.9), ("worst", 1.0))
                },
                "false_alarms_per_m2": finite(
                    float(outcomes.false_at_threshold.sum() / outcomes.areas.sum())
                ),
            }
        )
    return held


def lane_losses(outcomes: Outcomes) -> Floats:
    """
    Return the share of targets that was missed at the threshold, lane by lane.

    Parameters
    ----------
    outcomes : Outcomes
        Of one detector.

    Returns
    -------
    losses : (n,) float64 ndarray
        Of the lanes that hold swept targets.

    Examples
    --------
    >>> import numpy as np
    >>> outcomes = Outcomes(
    ...     areas=np.ones(3),
    ...     target_lanes=np.array([0, 0, 2]),
    ...     target_scores=np.array([1.0, 3.0, 3.0]),
    ...     detected=np.array([False, True, True]),
    ...     false_lanes=np.zeros(0, int),
    ...     false_scores=np.zeros(0),
    ...     false_at_threshold=np.zeros(3, int),
    ... )
    >>> lane_losses(outcomes).tolist()
    [0.5, 0.0]
    """
    n = np.bincount(outcomes.target_lanes, minlength=outcomes.n_lanes)
    lost = np.bincount(
        outcomes.target_lanes, weights=~outcomes.detected, minlength=outcomes.n_lanes
    )
    return lost[n > 0] / n[n > 0]

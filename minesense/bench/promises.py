"""Stated miss rates: were they held on lanes that nobody had seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from .detection import finite, limits
from .outcomes import Outcomes

#: Shares of targets that may be missed, as a user would state them.
RATES = (0.05, 0.1, 0.2)

#: Sites that are drawn, each of as many lanes as the part has with targets.
N_SITES = 200


def judge_promises(entrant: Any, outcomes: Outcomes, *, seed: int = 0) -> list[dict[str, Any]]:
    """
    Hold what an entrant promised in training against the lanes of a part.

    Parameters
    ----------
    entrant : Entrant
        With a method ``promise(miss_rate)`` that returns a
        :class:`minesense.detect.Guarantee`, or raises ValueError if it cannot.
    outcomes : Outcomes
        Of the part.
    seed : int
        Of the sites.

    Returns
    -------
    promises : list of dict
        Ready for JSON, one for each of :data:`RATES`: the share of the targets of a lane
        that was missed at the promised threshold, its mean over lanes, 95 % of the means of
        200 sites of resampled lanes, and how lanes differ; or why nothing was promised. Empty
        for an entrant without the method.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace as Record
    >>> outcomes = Outcomes(
    ...     areas=np.ones(2),
    ...     target_lanes=np.array([0, 0, 1]),
    ...     target_scores=np.array([1.0, 3.0, 3.0]),
    ...     detected=np.ones(3, bool),
    ...     false_lanes=np.zeros(0, int),
    ...     false_scores=np.zeros(0),
    ...     false_at_threshold=np.zeros(2, int),
    ... )
    >>> entrant = Record(promise=lambda rate: Record(threshold=2.0, certified=rate))
    >>> judge_promises(entrant, outcomes)[0]["mean_miss_rate"]["value"]
    0.25
    """
    promise = getattr(entrant, "promise", None)
    if promise is None:
        return []
    found: list[dict[str, Any]] = []
    for rate in RATES:
        try:
            held = promise(rate)
        except ValueError as error:
            found.append({"stated": rate, "not_promised": str(error)})
            continue
        losses = _lane_losses(outcomes, held.threshold)
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, len(losses), (N_SITES, len(losses)))
        sites = losses[drawn].mean(axis=1)
        found.append(
            {
                "stated": rate,
                "certified": finite(held.certified),
                "threshold": finite(held.threshold),
                "n_lanes": len(losses),
                "n_sites": N_SITES,
                "mean_miss_rate": limits(float(losses.mean()), sites),
                "share_of_sites_above": finite(float((sites > rate).mean())),
                "lane_miss_rate": {
                    name: finite(float(np.quantile(losses, share, method="inverted_cdf")))
                    for name, share in (("half", 0.5), ("nine_tenths", 0.9), ("worst", 1.0))
                },
                "false_alarms_per_m2": finite(
                    float(
                        (outcomes.false_scores >= held.threshold).sum() / outcomes.areas.sum()
                    )
                ),
            }
        )
    return found


def _lane_losses(outcomes: Outcomes, threshold: float) -> np.ndarray:
    """Return the share of targets below a threshold, of every lane that holds targets."""
    n = np.bincount(outcomes.target_lanes, minlength=outcomes.n_lanes)
    is_missed = ~(outcomes.target_scores >= threshold)
    lost = np.bincount(outcomes.target_lanes, weights=is_missed, minlength=outcomes.n_lanes)
    return lost[n > 0] / n[n > 0]

"""Track B for detectors with a prescreener of their own: clutter rejected at its own Pd."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..score.curves import Steps, far_at, pd_at
from ..sweep import Floats
from .detection import finite, limits
from .discrimination import MISSES, Places, exact_share, rejected_share
from .outcomes import Draws, Outcomes, draw_lanes, in_pieces, steps_of
from .standings import MOST_UNDEFINED

#: Entrants that are prescreeners alone: that of the full detector, and one that learns nothing.
PRESCREENERS = ("prescreener", "energy")

#: False alarms per m2 of a prescreener at which a detector is held against it; infinite for
#: all that it noticed.
RATES = (0.1, 0.2, 0.5, 1.0, math.inf)


def own_places(outcomes: Outcomes) -> tuple[Places, Floats]:
    """
    Return the places that an entrant noticed itself, and its scores of them.

    Parameters
    ----------
    outcomes : Outcomes
        Of the entrant.

    Returns
    -------
    places : Places
        Targets that were noticed, one place each, then false alarms; where they lie is not
        known any more.
    scores : (n,) float64 ndarray
        Highest threshold at which each is still an alarm.

    Examples
    --------
    >>> import numpy as np
    >>> found = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0, 0]),
    ...     target_scores=np.array([3.0, np.nan]),
    ...     detected=np.array([True, False]),
    ...     false_lanes=np.array([0]),
    ...     false_scores=np.array([2.0]),
    ...     false_at_threshold=np.array([0]),
    ... )
    >>> places, scores = own_places(found)
    >>> places.owner.tolist(), scores.tolist()
    ([0, -1], [3.0, 2.0])
    """
    noticed = ~np.isnan(outcomes.target_scores)
    n_mines, n_clutter = int(noticed.sum()), len(outcomes.false_scores)
    nowhere = np.full(n_mines + n_clutter, np.nan)
    places = Places(
        lanes=np.concatenate([outcomes.target_lanes[noticed], outcomes.false_lanes]),
        easting=nowhere,
        northing=nowhere,
        owner=np.concatenate([np.arange(n_mines), np.full(n_clutter, -1)]),
        n_lanes=outcomes.n_lanes,
    )
    return places, np.concatenate([outcomes.target_scores[noticed], outcomes.false_scores])


def judge_own_places(
    outcomes: Outcomes, *, seed: int = 0, n_resamples: int = 1000
) -> dict[str, Any]:
    """
    Return the clutter that an entrant rejects of the places that it noticed itself.

    Parameters
    ----------
    outcomes : Outcomes
        Of the entrant.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes are drawn for the limits.

    Returns
    -------
    figures : dict
        Ready for JSON: mines that it noticed at all, of those that were swept; clutter
        rejected while 0 and 1 of these mines are missed; and what its own threshold does.

    Notes
    -----
    Of given places, a mine at which an entrant has no alarm counts as ranked last, though no
    classifier has seen it: its own prescreener did not notice it. Here each is judged at the
    Pd of its own prescreener, which stands beside the share, as one that notices less is
    left with easier mines.

    Examples
    --------
    >>> import numpy as np
    >>> found = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0, 0, 0]),
    ...     target_scores=np.array([3.0, 1.0, np.nan]),
    ...     detected=np.array([True, True, False]),
    ...     false_lanes=np.array([0, 0]),
    ...     false_scores=np.array([2.0, 0.5]),
    ...     false_at_threshold=np.array([1]),
    ... )
    >>> figures = judge_own_places(found, n_resamples=10)
    >>> figures["noticed"]["k"], figures["rejected_at_0_missed"]["value"]
    (2, 0.5)
    """
    places, scores = own_places(outcomes)
    draws = draw_lanes(
        places.n_lanes,
        np.empty(0, np.int64),
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
    )
    n_noticed, n_clutter = places.n_targets, len(outcomes.false_scores)
    missed = n_noticed - int(outcomes.detected.sum())
    figures: dict[str, Any] = {
        "noticed": exact_share(n_noticed, len(outcomes.target_scores)),
        "n_clutter": n_clutter,
        "stop_dig": {
            "missed": exact_share(missed, n_noticed),
            # of more than 10 false alarms per m2 the lowest are not kept
            "rejected": exact_share(
                max(0, n_clutter - int(outcomes.false_at_threshold.sum())), n_clutter
            ),
        },
    }
    for misses in MISSES:
        samples = [rejected_share(scores, places, misses, lanes) for lanes in draws.lanes]
        figures[f"rejected_at_{misses}_missed"] = limits(
            rejected_share(scores, places, misses), samples
        )
    return figures


def judge_against_prescreener(
    own: Outcomes, prescreener: Outcomes, *, seed: int = 0, n_resamples: int = 1000
) -> list[dict[str, Any]]:
    r"""
    Return the clutter that an entrant rejects at the Pd of a prescreener, by its threshold.

    Parameters
    ----------
    own : Outcomes
        Of the entrant.
    prescreener : Outcomes
        Of the prescreener, on the same lanes and targets.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes, then targets in them, are drawn for the limits.

    Returns
    -------
    rows : list of dict
        Ready for JSON, one for each of :data:`RATES`: false alarms per m2 of the prescreener,
        None for all that it noticed, its Pd there, and the share :math:`1 - F_d(P) / F_p(P)`
        of its false alarms which the entrant does not have at the same Pd.

    Raises
    ------
    ValueError
        If the two have not the same lanes and targets.

    Notes
    -----
    As many mines are found by both, not the same ones. Thresholds are read from the test.
    Where the prescreener has no false alarm, or the entrant never reaches its Pd, the share
    is not defined, or minus infinity; neither has a figure. Where it is not defined in more
    than one of twenty resamples, it has no limits.

    Examples
    --------
    >>> import numpy as np
    >>> from dataclasses import replace
    >>> plain = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0, 0]),
    ...     target_scores=np.array([3.0, 1.0]),
    ...     detected=np.array([True, False]),
    ...     false_lanes=np.array([0, 0]),
    ...     false_scores=np.array([2.0, 2.5]),
    ...     false_at_threshold=np.array([0]),
    ... )
    >>> better = replace(plain, false_scores=np.array([2.0, 0.5]))
    >>> row = judge_against_prescreener(better, plain, n_resamples=10)[-1]
    >>> row["far"], row["pd"]["value"], row["rejected"]["value"]
    (None, 1.0, 0.5)
    """
    same = np.array_equal(own.target_lanes, prescreener.target_lanes) and np.array_equal(
        own.areas, prescreener.areas
    )
    if not same:
        msg = (
            f"Invalid outcomes of {len(own.target_lanes)} and "
            f"{len(prescreener.target_lanes)} targets. Must have the same lanes and targets."
        )
        raise ValueError(msg)
    draws = draw_lanes(
        own.n_lanes, own.target_lanes, rng=np.random.default_rng(seed), n_resamples=n_resamples
    )
    once = Draws(np.ones((1, own.n_lanes)), np.ones((1, len(own.target_lanes))))
    point, samples = (_at_equal_pd(own, prescreener, drawn) for drawn in (once, draws))
    rows = []
    for k, rate in enumerate(RATES):
        pd, share = (limits(float(point[j][k, 0]), samples[j][k]) for j in (0, 1))
        n_undefined = int(np.isnan(samples[1][k]).sum())
        if n_undefined > MOST_UNDEFINED * n_resamples:
            # what is left would be the resamples in which the prescreener did worse
            share |= {"low": None, "high": None}
        rows.append(
            {"far": finite(rate), "pd": pd, "rejected": share, "n_undefined": n_undefined}
        )
    return rows


def _at_equal_pd(own: Outcomes, prescreener: Outcomes, draws: Draws) -> tuple[Floats, Floats]:
    """Return Pd of the prescreener and share rejected, (n_rates, n_resamples) each."""
    n_events = len(own.target_lanes) + len(own.false_scores) + len(prescreener.false_scores)
    pds, shares = [], []
    for some in in_pieces(draws, n_events):
        mine, other = steps_of(own, some), steps_of(prescreener, some)
        pd = np.array([pd_at(other, rate) for rate in RATES])
        pds.append(pd)
        shares.append(np.array([_rejected(mine, other, row) for row in pd]))
    return np.concatenate(pds, axis=1), np.concatenate(shares, axis=1)


def _rejected(own: Steps, other: Steps, pd: Floats) -> Floats:
    """Return the share of false alarms that is saved at a Pd of each resample."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1 - far_at(own, pd[:, None]) / far_at(other, pd[:, None])
    return np.where(pd > 0, share, np.nan)

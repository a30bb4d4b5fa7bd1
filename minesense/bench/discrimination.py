"""Track B: given the places, tell mines from clutter without missing a further mine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..score import clopper_pearson
from ..sweep import Floats
from .detection import finite, limits
from .outcomes import draw_lanes
from .reference import Reference

#: m from a given place within which an entrant's alarm speaks of it: the fusion radius.
REACH = 0.25

#: Mines that the prescreeners noticed and that may be missed.
MISSES = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """The places that all entrants are given, and what lies there."""

    lanes: npt.NDArray[np.int64]  #: (n,) index of the lane
    easting: Floats  #: (n,) m
    northing: Floats  #: (n,) m
    owner: npt.NDArray[np.int64]  #: (n,) index of the noticed target, -1 for clutter
    n_lanes: int

    @property
    def n_targets(self) -> int:
        """Targets that were noticed."""
        return int(self.owner.max(initial=-1)) + 1


def places_of(reference: Reference) -> Places:
    """
    Return the places that the default prescreeners noticed on scored ground.

    Parameters
    ----------
    reference : Reference
        Of one part.

    Returns
    -------
    places : Places
        Those in the halo of a swept target belong to the nearest one; those in the ring
        around it, and on ground that is not scored, are left out.

    Examples
    --------
    >>> places = places_of(reference)  # doctest: +SKIP
    """
    index = {lane: k for k, lane in enumerate(reference.lanes)}
    swept = {target.identifier for target in reference.swept}
    targets = [t for t in reference.survey.truth.targets if t.identifier in swept]
    spots = np.array([(t.easting, t.northing) for t in targets]).reshape(-1, 2)
    reach = np.array([reference.halo.reach(t.diameter) for t in targets])
    lanes, east, north, owner = [], [], [], []
    for site in reference.places:
        share = np.hypot(*(spots - (site.easting, site.northing)).T) / reach
        nearest = int(share.argmin()) if len(share) else -1
        is_mine = nearest >= 0 and share[nearest] <= 1
        on_ground = reference.coverage.at(
            reference.ground.mask, site.easting, site.northing, False
        )
        if not (is_mine or bool(on_ground)):
            continue
        lanes.append(index[site.lane])
        east.append(site.easting)
        north.append(site.northing)
        owner.append(nearest if is_mine else -1)
    noticed = {k: i for i, k in enumerate(sorted(set(owner) - {-1}))}
    return Places(
        lanes=np.array(lanes, np.int64),
        easting=np.array(east, np.float64),
        northing=np.array(north, np.float64),
        owner=np.array([noticed.get(k, -1) for k in owner], np.int64),
        n_lanes=len(index),
    )


def place_scores(found: Any, places: Places) -> Floats:
    """
    Return what an entrant says of every given place.

    Parameters
    ----------
    found : Found or Detection
        Alarms, those below the threshold too.
    places : Places
        Where it is asked.

    Returns
    -------
    scores : (n,) float64 ndarray
        Of its nearest alarm within 0.25 m; minus infinity where it has none.

    Examples
    --------
    >>> from types import SimpleNamespace as Record
    >>> import numpy as np
    >>> places = Places(
    ...     lanes=np.array([0, 0]),
    ...     easting=np.array([0.0, 5.0]),
    ...     northing=np.array([0.0, 0.0]),
    ...     owner=np.array([0, -1]),
    ...     n_lanes=1,
    ... )
    >>> alarm = Record(easting=0.1, northing=0.0, score=2.0)
    >>> place_scores(Record(ranked=[alarm]), places).tolist()
    [2.0, -inf]
    """
    scores = np.full(len(places.lanes), -math.inf)
    spots = np.array([(a.easting, a.northing) for a in found.ranked]).reshape(-1, 2)
    values = np.array([a.score for a in found.ranked], np.float64)
    known = np.isfinite(spots).all(axis=1)
    spots, values = spots[known], values[known]
    if not len(spots) or not len(scores):
        return scores
    from scipy.spatial import cKDTree  # noqa: PLC0415 - SciPy is slow to import

    distance, nearest = cKDTree(spots).query(np.column_stack([places.easting, places.northing]))
    near = distance <= REACH
    scores[near] = values[nearest[near]]
    return scores


def rejected_share(
    scores: Floats, places: Places, misses: int, lanes: Floats | None = None
) -> float:
    """
    Return the share of clutter that may be left alone while few more mines are missed.

    Parameters
    ----------
    scores : (n,) float64 ndarray
        Of the places.
    places : Places
        What they are.
    misses : int
        Noticed mines that may be missed.
    lanes : (n_lanes,) float64 ndarray, optional
        How often each lane counts; once by default.

    Returns
    -------
    share : float
        Of clutter with a score below the highest threshold that misses no more mines; NaN
        without clutter or without a mine.

    Examples
    --------
    >>> import numpy as np
    >>> places = Places(
    ...     lanes=np.zeros(5, int),
    ...     easting=np.zeros(5),
    ...     northing=np.zeros(5),
    ...     owner=np.array([0, 1, -1, -1, -1]),
    ...     n_lanes=1,
    ... )
    >>> scores = np.array([3.0, 1.0, 2.0, 0.5, 0.0])
    >>> [round(rejected_share(scores, places, misses), 3) for misses in (0, 1)]
    [0.667, 1.0]
    """
    weights = np.ones(places.n_lanes) if lanes is None else lanes
    best = np.full(places.n_targets, -math.inf)
    np.maximum.at(best, places.owner[places.owner >= 0], scores[places.owner >= 0])
    lane_of = np.zeros(places.n_targets, np.int64)
    lane_of[places.owner[places.owner >= 0]] = places.lanes[places.owner >= 0]
    order = np.argsort(best, kind="stable")
    missed = weights[lane_of[order]].cumsum()
    is_clutter = places.owner < 0
    clutter = weights[places.lanes[is_clutter]]
    if not clutter.sum() or not len(missed) or not missed[-1]:
        return math.nan
    too_many = np.flatnonzero(missed > misses)
    threshold = best[order][too_many[0]] if len(too_many) else math.inf
    return float(clutter[scores[is_clutter] < threshold].sum() / clutter.sum())


def judge_discrimination(
    found: Any, places: Places, *, seed: int = 0, n_resamples: int = 1000
) -> tuple[dict[str, Any], Floats]:
    """
    Score an entrant on given places.

    Parameters
    ----------
    found : Found or Detection
        Alarms and the threshold.
    places : Places
        Where it is asked.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes are drawn for the limits.

    Returns
    -------
    figures : dict
        Clutter rejected at 0 and 1 further missed mine, and at the entrant's own threshold,
        which was set before: that is where it would stop to dig.
    scores : (n,) float64 ndarray
        Of the places.

    Notes
    -----
    Limits of the share at no miss are those of resampled lanes. The lowest score of a mine
    is the least stable of all figures: read them beside the upper limit of the share of
    mines that are missed (Clopper-Pearson: exact if mines were independent, which mines of
    one lane are not).

    Examples
    --------
    >>> figures, scores = judge_discrimination(found, places)  # doctest: +SKIP
    """
    scores = place_scores(found, places)
    draws = draw_lanes(
        places.n_lanes,
        np.empty(0, np.int64),
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
    )
    n = places.n_targets
    figures: dict[str, Any] = {"n_mines": n, "n_clutter": int((places.owner < 0).sum())}
    for misses in MISSES:
        samples = [rejected_share(scores, places, misses, lanes) for lanes in draws.lanes]
        entry = limits(rejected_share(scores, places, misses), samples)
        if n > misses:
            bound = clopper_pearson(misses, n, sides="upper").high
            entry["miss_share_at_most"] = finite(bound)
        figures[f"rejected_at_{misses}_missed"] = entry
    best = np.full(n, -math.inf)
    np.maximum.at(best, places.owner[places.owner >= 0], scores[places.owner >= 0])
    missed = int((best < found.threshold).sum())
    clutter = scores[places.owner < 0]
    left = int((clutter < found.threshold).sum())
    figures["stop_dig"] = {
        "threshold": finite(found.threshold),
        "missed": exact_share(missed, n),
        "rejected": exact_share(left, len(clutter)),
    }
    return figures, scores


def exact_share(k: int, n: int) -> dict[str, Any]:
    """
    Return a share with its exact limits at 95 %, for JSON.

    Parameters
    ----------
    k, n : int
        How many, and of how many; of none the limits are 0 and 1 and the share is none.

    Returns
    -------
    share : dict
        With k and n.

    Examples
    --------
    >>> exact_share(0, 0)
    {'k': 0, 'n': 0, 'value': None, 'low': 0.0, 'high': 1.0}
    """
    share = clopper_pearson(k, n)
    return {"k": k, "n": n, **{name: finite(x) for name, x in share._asdict().items()}}

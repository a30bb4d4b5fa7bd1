"""Which places are alarms, in which order, and who asked for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..alarm import Alarm
from ..sweep import Floats, Quality
from .fuse import FusionRule
from .sites import Site

#: By how much the score of a place that is kept at least exceeds the threshold, and at most
#: twice as much.
LIFT = 1e-6

#: Who keeps a place below the threshold because its ground is unlike that of training.
UNFAMILIAR = "unfamiliar"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decision:
    """What is decided about places."""

    scores: Floats  #: (n,) at or above the threshold means an alarm
    #: (n,) who keeps a place whose log odds are below the threshold: sensors, `UNFAMILIAR`
    kept_by: tuple[tuple[str, ...], ...]


def decide(
    log_odds: Floats,
    ratios: Mapping[str, Floats],
    *,
    threshold: float,
    own: Mapping[str, float],
    is_unfamiliar: npt.NDArray[np.bool_],
) -> Decision:
    r"""
    Decide which places are alarms.

    Parameters
    ----------
    log_odds : (n,) float64 ndarray
        Of a mine, of all sensors together; NaN where none of them has a say, which makes an
        alarm.
    ratios : dict of (n,) float64 ndarray
        Log likelihood ratio of each sensor; NaN where it did not observe the place.
    threshold : float
        Of the log odds.
    own : dict of float
        Thresholds of the sensors' own ratios: what one of them asks for, the others cannot
        cancel. Empty with one sensor.
    is_unfamiliar : (n,) bool ndarray
        Places on ground unlike that of training.

    Returns
    -------
    decision : Decision
        Scores and reasons.

    Notes
    -----
    A place that is an alarm for another reason than its log odds :math:`s < T` has the
    score :math:`T + \delta (1 + \tanh(s / 20))`, just above the threshold and in the order
    of the log odds, so that whoever compares scores with the threshold finds all alarms.

    Examples
    --------
    A radar alarm that the metal detector does not confirm, and a place on unknown ground:

    >>> import numpy as np
    >>> from minesense.detect.decision import decide
    >>> decision = decide(
    ...     np.array([-2.0, -5.0, -5.0]),
    ...     {"gpr": np.array([4.0, 0.0, 0.0]), "emi": np.array([-6.0, -5.0, -5.0])},
    ...     threshold=0.0,
    ...     own={"gpr": 3.0, "emi": 3.0},
    ...     is_unfamiliar=np.array([False, True, False]),
    ... )
    >>> (decision.scores >= 0.0).tolist(), decision.kept_by
    ([True, True, False], (('gpr',), ('unfamiliar',), ()))
    """
    is_lost = np.isnan(log_odds)  # nothing is known: neither is it unlike a mine
    asked: dict[str, npt.NDArray[np.bool_]] = {UNFAMILIAR: is_unfamiliar | is_lost}
    if own:
        rule = FusionRule(threshold=threshold, own=own)
        fused = rule.decide(log_odds, {kind: ratios[kind] for kind in own})
        for kind in own:
            asked[kind] = np.array([kind in by for by in fused.by], dtype=bool)
    is_below = ~(log_odds >= threshold)
    is_kept = is_below & np.logical_or.reduce(list(asked.values()))
    order = np.where(is_lost, -np.inf, log_odds)
    lifted = threshold + LIFT * (1 + np.tanh(order / 20))
    return Decision(
        scores=np.where(is_kept, lifted, log_odds),
        kept_by=tuple(
            tuple(sorted(name for name, mask in asked.items() if is_below[k] and mask[k]))
            for k in range(len(log_odds))
        ),
    )


def rank_sites(
    sites: Sequence[Site],
    decision: Decision,
    *,
    log_odds: Floats,
    probabilities: Floats,
    ratios: Mapping[str, Floats],
    is_unfamiliar: npt.NDArray[np.bool_],
    model: str,
) -> tuple[tuple[Alarm, ...], dict[str, tuple[str, ...]]]:
    """
    Return places as alarms, strongest first.

    Parameters
    ----------
    sites : sequence of Site
        Places that were noticed.
    decision : Decision
        Of :func:`decide`.
    log_odds, probabilities : (n,) float64 ndarray
        Of a mine.
    ratios : dict of (n,) float64 ndarray
        Of each sensor.
    is_unfamiliar : (n,) bool ndarray
        Places whose probability is withheld: NaN, with the flag OUT_OF_DOMAIN.
    model : str
        Name of the detector.

    Returns
    -------
    ranked : tuple of Alarm
        Every place.
    kept : dict of tuple of str
        By identifier, who keeps a place that is below the threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect.decision import Decision, rank_sites
    >>> empty, nothing = np.zeros(0), Decision(scores=np.zeros(0), kept_by=())
    >>> rank_sites(
    ...     [],
    ...     nothing,
    ...     log_odds=empty,
    ...     probabilities=empty,
    ...     ratios={},
    ...     is_unfamiliar=empty.astype(bool),
    ...     model="",
    ... )
    ((), {})
    """
    order = _strongest_first(decision.scores, log_odds, sites)
    ranked, kept = [], {}
    for rank, k in enumerate(order, start=1):
        site, name = sites[k], f"A{rank:04d}"
        evidence = {"log_odds": float(log_odds[k])}
        evidence |= {f"{kind}_log_ratio": float(ratios[kind][k]) for kind in ratios}
        evidence |= {f"{kind}_score": float(site.scores[kind]) for kind in site.scores}
        flag = int(Quality.OUT_OF_DOMAIN) if is_unfamiliar[k] else 0
        ranked.append(
            site.alarm(
                name,
                score=decision.scores[k],
                probability=float("nan") if is_unfamiliar[k] else float(probabilities[k]),
                evidence=evidence,
                quality=int(site.quality) | flag,
                model=model,
            )
        )
        if decision.kept_by[k]:
            kept[name] = decision.kept_by[k]
    return tuple(ranked), kept


def decide_again(
    ranked: Sequence[Alarm], *, threshold: float, own: Mapping[str, float]
) -> tuple[tuple[Alarm, ...], dict[str, tuple[str, ...]]]:
    """
    Return ranked places as another threshold ranks them.

    Parameters
    ----------
    ranked : sequence of Alarm
        Of :func:`rank_sites`: their evidence and flags tell all that is needed.
    threshold, own
        As in :func:`decide`.

    Returns
    -------
    ranked, kept
        As of :func:`rank_sites`; places keep their identifiers.

    Examples
    --------
    >>> from minesense.detect.decision import decide_again
    >>> decide_again([], threshold=0.0, own={})
    ((), {})
    """
    log_odds = np.array([alarm.evidence["log_odds"] for alarm in ranked], dtype=np.float64)
    decision = decide(
        log_odds,
        {
            kind: np.array([alarm.evidence[f"{kind}_log_ratio"] for alarm in ranked])
            for kind in own
        },
        threshold=threshold,
        own=own,
        is_unfamiliar=np.array(
            [bool(alarm.quality & Quality.OUT_OF_DOMAIN) for alarm in ranked], dtype=bool
        ),
    )
    order = _strongest_first(decision.scores, log_odds, ranked)
    again = tuple(
        dataclasses.replace(ranked[k], score=float(decision.scores[k])) for k in order
    )
    kept = {ranked[k].identifier: decision.kept_by[k] for k in order if decision.kept_by[k]}
    return again, kept


def _strongest_first(
    scores: Floats, log_odds: Floats, places: Sequence[Site] | Sequence[Alarm]
) -> list[int]:
    """Return the order of places."""
    return sorted(
        range(len(places)),
        key=lambda k: (
            -scores[k],
            -np.nan_to_num(log_odds[k], nan=-np.inf),
            places[k].lane,
            places[k].time,
        ),
    )

"""Track A: detection from sweeps, as a curve of Pd against false alarms per square metre."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..detect import expected_calibration_error
from ..score import (
    LEAST_TARGETS,
    METAL_GROUPS,
    Matching,
    clopper_pearson,
    match,
    poisson_rate,
    score,
)
from ..score.curves import FAR_AXIS, Steps, pd_at
from .outcomes import MOST_FALSE, Outcomes, draw_lanes, percentiles, readings, steps_of
from .reference import Reference

#: Targets that radar and metal detector find hard, and how deep: metal classes, and m.
LITTLE_METAL, SHALLOW = ("none", "minimum"), 0.10

#: Of the score at the threshold, what a result keeps.
_KEPT = (
    "pd_swept", "pd_total", "false_alarms", "dispersion", "strata", "worst", "no_claim",
    "clutter", "outside",
)  # fmt: skip


def outcomes_of(found: Any, reference: Reference) -> tuple[Outcomes, Matching]:
    """
    Match what an entrant found with the truth, over all thresholds.

    Parameters
    ----------
    found : Found or Detection
        Alarms and the threshold.
    reference : Reference
        What it is judged by.

    Returns
    -------
    outcomes : Outcomes
        Lane by lane.
    matching : Matching
        Of every alarm, whatever its score.

    Raises
    ------
    ValueError
        If a score is not finite, an identifier occurs twice or the threshold is not finite.

    Examples
    --------
    >>> outcomes, matching = outcomes_of(found, reference)  # doctest: +SKIP
    """
    everything = list(found.ranked)
    truth, halo = reference.survey.truth, reference.halo
    whole = match(everything, truth, halo, coverage=reference.coverage)
    stated = match(
        everything, truth, halo, coverage=reference.coverage, threshold=found.threshold
    )
    index = {lane: k for k, lane in enumerate(reference.lanes)}
    areas = np.array([reference.ground.lane_areas.get(lane, 0.0) for lane in reference.lanes])
    swept = [target for target in whole.targets if target.is_swept]
    hits = {target.identifier for target in stated.targets if target.outcome == "detected"}
    false = [alarm for alarm in whole.alarms if alarm.outcome == "false"]
    false = false[: int(MOST_FALSE * areas.sum()) + 1]  # from the highest score down
    at_threshold = np.zeros(len(areas), np.int64)
    for alarm in stated.alarms:
        if alarm.outcome == "false":
            at_threshold[index[alarm.lane]] += 1
    outcomes = Outcomes(
        areas=areas,
        target_lanes=np.array([index[t.lane] for t in swept], np.int64),
        target_scores=np.array([t.score for t in swept], np.float64),
        detected=np.array([t.identifier in hits for t in swept], bool),
        false_lanes=np.array([index[a.lane] for a in false], np.int64),
        false_scores=np.array([a.score for a in false], np.float64),
        false_at_threshold=at_threshold,
    )
    return outcomes, whole


def judge_detection(
    found: Any,
    reference: Reference,
    *,
    seed: int = 0,
    n_resamples: int = 1000,
) -> tuple[dict[str, Any], Outcomes]:
    """
    Score an entrant on one part: curve, readings, strata, and the stated threshold.

    Parameters
    ----------
    found : Found or Detection
        Alarms and the threshold.
    reference : Reference
        What it is judged by.
    seed : int
        Of the resamples.
    n_resamples : int
        How often lanes, then targets in them, are drawn for the limits.

    Returns
    -------
    figures : dict
        Ready for JSON.
    outcomes : Outcomes
        What they were made from.

    Raises
    ------
    ValueError
        As :func:`outcomes_of`.

    Examples
    --------
    >>> figures, outcomes = judge_detection(found, reference)  # doctest: +SKIP
    """
    outcomes, whole = outcomes_of(found, reference)
    rng = np.random.default_rng(seed)
    draws = draw_lanes(
        outcomes.n_lanes, outcomes.target_lanes, rng=rng, n_resamples=n_resamples
    )
    point, samples = readings(outcomes), readings(outcomes, draws)
    figures: dict[str, Any] = {
        name: limits(float(point[name][0]), samples[name]) for name in point
    }
    table = score(
        found.ranked,
        reference.survey.truth,
        reference.coverage,
        threshold=found.threshold,
        halo=reference.halo,
        curve=False,
    ).to_dict()
    at_threshold = {name: table[name] for name in _KEPT}
    at_threshold["threshold"] = finite(found.threshold)
    at_threshold["strata"] += _ground_strata(outcomes, reference)
    judged = [s for s in at_threshold["strata"] if s["swept"]["n"]]
    at_threshold["worst"] = min(
        judged, key=lambda s: (s["swept"]["value"], s["swept"]["low"]), default=None
    )
    return {
        "n_targets": len(outcomes.target_scores),
        "n_lanes": outcomes.n_lanes,
        "area_m2": finite(float(outcomes.areas.sum())),
        "readings": figures,
        "curve": _curve(outcomes, draws),
        "at_threshold": at_threshold,
        "little_metal": _little_metal(outcomes, reference),
        "calibration_error": _calibration(found, whole, outcomes, reference, draws.lanes),
    }, outcomes


def limits(value: float, samples: Any) -> dict[str, Any]:
    """
    Return a figure with the 95 % limits of its resamples, for JSON.

    Parameters
    ----------
    value : float
        The figure.
    samples : (n,) array_like
        The same of resamples.

    Returns
    -------
    figure : dict
        Value, low and high; None for what is not finite.

    Examples
    --------
    >>> limits(2.0, [1.0, 2.0, float("inf")])
    {'value': 2.0, 'low': 1.0, 'high': None}
    """
    low, high = percentiles(samples)
    return {"value": finite(value), "low": finite(low), "high": finite(high)}


def finite(value: float) -> float | None:
    """
    Return a number to nine digits, or None if it is not finite, for JSON.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    number : float or None
        The same, rounded.

    Examples
    --------
    >>> finite(1 / 3), finite(float("nan"))
    (0.333333333, None)
    """
    number = float(value)
    return float(f"{number:.9g}") + 0.0 if math.isfinite(number) else None


def _curve(outcomes: Outcomes, draws: Any) -> dict[str, Any]:
    """Return Pd along the axis of false alarms per m2, with its band."""
    columns = []
    for drawn in (None, draws):
        steps: Steps = steps_of(outcomes, drawn)
        columns.append(np.stack([pd_at(steps, far) for far in FAR_AXIS], axis=1))
    bands = [percentiles(column) for column in columns[1].T]
    return {
        "far": [finite(far) for far in FAR_AXIS],
        "pd": [finite(pd) for pd in columns[0][0]],
        "low": [finite(low) for low, _ in bands],
        "high": [finite(high) for _, high in bands],
    }


def _ground_strata(outcomes: Outcomes, reference: Reference) -> list[dict[str, Any]]:
    """Return Pd and false alarms at the threshold by soil and by clutter."""
    result = []
    facts = [reference.survey.lanes[lane] for lane in reference.lanes]
    for group in ("soil", "clutter"):
        names = [getattr(fact, group) for fact in facts]
        for name in sorted(set(names)):
            inside = np.array([item == name for item in names])
            mine = inside[outcomes.target_lanes]
            n, k = int(mine.sum()), int(outcomes.detected[mine].sum())
            area = float(outcomes.areas[inside].sum())
            share = clopper_pearson(k, n)
            entry: dict[str, Any] = {
                "group": group,
                "name": name,
                "swept": {"k": k, "n": n, **_interval(share)},
                "claim": f"n<{LEAST_TARGETS}: no claim" if n < LEAST_TARGETS else "",
            }
            if area > 0:
                count = int(outcomes.false_at_threshold[inside].sum())
                rate = _interval(poisson_rate(count, area))
                entry["false_alarms"] = {"count": count, "area": finite(area), **rate}
            result.append(entry)
    return result


def _interval(found: Any) -> dict[str, Any]:
    """Return an interval for JSON."""
    return {name: finite(value) for name, value in found._asdict().items()}


def _little_metal(outcomes: Outcomes, reference: Reference) -> dict[str, Any]:
    """Return Pd of shallow targets with little or no metal at 0.1 false alarms per m2."""
    chosen = np.array(
        [t.metal_class in LITTLE_METAL and t.depth <= SHALLOW + 1e-9 for t in reference.swept],
        bool,
    )
    threshold = threshold_at(outcomes, 0.1)
    with np.errstate(invalid="ignore"):
        hit = outcomes.target_scores >= threshold
    n, k = int(chosen.sum()), int(hit[chosen].sum())
    return {"far": 0.1, "k": k, "n": n, **_interval(clopper_pearson(k, n))}


def threshold_at(outcomes: Outcomes, far: float) -> float:
    """
    Return the lowest score at which there are no more false alarms than a rate allows.

    Parameters
    ----------
    outcomes : Outcomes
        Of one detector.
    far : float
        False alarms per m2.

    Returns
    -------
    threshold : float
        Just above the first false alarm that is too many; minus infinity if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> one = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0]),
    ...     target_scores=np.array([2.0]),
    ...     detected=np.array([True]),
    ...     false_lanes=np.array([0, 0]),
    ...     false_scores=np.array([3.0, 1.0]),
    ...     false_at_threshold=np.array([0]),
    ... )
    >>> 1.0 < threshold_at(one, 0.1) < 1.000001
    True
    """
    allowed = int(far * float(outcomes.areas.sum()) + 1e-9)
    ordered = np.sort(outcomes.false_scores)[::-1]
    if len(ordered) <= allowed:
        return -math.inf
    return float(np.nextafter(ordered[allowed], np.inf))


def _calibration(
    found: Any,
    whole: Matching,
    outcomes: Outcomes,
    reference: Reference,
    drawn: Any,
) -> dict[str, Any] | None:
    """Return the expected calibration error over noticed places; None without probabilities."""
    stated = {alarm.identifier: alarm.probability for alarm in found.ranked}
    index = {lane: k for k, lane in enumerate(reference.lanes)}
    rows = [
        (stated[a.identifier], a.outcome == "hit", index[a.lane])
        for a in whole.alarms
        if a.outcome in ("hit", "false") and a.lane in index
    ]
    n_all = len(rows)
    rows = [row for row in rows if math.isfinite(row[0])]
    if not rows:
        return None
    p, y, lane = (np.array(column) for column in zip(*rows, strict=True))
    samples = []
    for weights in drawn[:200].astype(int):
        repeat = weights[lane]
        if repeat.sum():
            samples.append(
                expected_calibration_error(np.repeat(p, repeat), np.repeat(y, repeat))
            )
    counts = {"n": len(rows), "n_withheld": n_all - len(rows)}
    chance = [
        expected_calibration_error(p, drawn_labels)
        for drawn_labels in np.random.default_rng(0).random((100, len(p))) < p
    ]
    return {
        **counts,
        **limits(expected_calibration_error(p, y), samples),
        "by_chance": finite(float(np.mean(chance))),
    }


def stratum_names(reference: Reference) -> Sequence[Mapping[str, Any]]:
    """
    Return what every swept target is, for a results file.

    Parameters
    ----------
    reference : Reference
        Of one part.

    Returns
    -------
    targets : list of dict
        Identifier, kind, metal and depth, in the order of the outcomes.

    Examples
    --------
    >>> stratum_names(reference)  # doctest: +SKIP
    """
    return [
        {
            "identifier": t.identifier,
            "kind": t.kind,
            "metal": METAL_GROUPS[t.metal_class],
            "depth_m": finite(t.depth),
        }
        for t in reference.swept
    ]

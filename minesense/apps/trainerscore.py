"""How well a learner searched, scored like any detector, beside two that did not listen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..alarm import Alarm
from ..coverage import Coverage, observe
from ..score import Halo, Score, random_alarms, score
from ..truth import Truth
from .trainerground import RADIUS, Ground, Training
from .trainerrun import Limits, Run, alarms_of, overlaps_of, speeds_of, sweep_of

#: Side of a cell of coverage, m; longest step between poses taken as continuous, m.
CELL, STEP = 0.05, 0.15

_DRAWS = 100  # of the random operator
_LATTICE = 0.10  # m between the marks of the one who marks everything


Pair = tuple[Ground, Run]


def coverage_of(pairs: Iterable[Pair], limits: Limits) -> Coverage:
    """
    Return which ground was observed.

    Parameters
    ----------
    pairs : iterable of (Ground, Run)
        Grounds and what was done on them.
    limits : Limits
        What counts as a proper sweep.

    Returns
    -------
    coverage : Coverage
        Of all of them, in cells of 5 cm.
    """
    pairs = list(pairs)
    return observe(
        [sweep_of(run, ground, limits) for ground, run in pairs],
        footprint={"emi": RADIUS},
        cell=CELL,
        area=[ground.area for ground, _ in pairs],
        max_step=STEP,
    )


def compliance_of(ground: Ground, run: Run, limits: Limits) -> dict[str, Any]:
    """
    Return how a head was moved, beside the limits.

    Parameters
    ----------
    ground, run : Ground and Run
        Where, and what was done.
    limits : Limits
        What counts as a proper sweep.

    Returns
    -------
    figures : dict
        Seconds; area observed and wanted (m2), and why the rest was not; mean and share of time
        within the limit of height and speed; strokes, the median overlap of neighbours, and
        the share of them within the limit. None where there is nothing to measure.
    """
    coverage = coverage_of([(ground, run)], limits)
    over = _on_lane(ground, run)
    height, speed = run.pose[over, 2], speeds_of(run)[over]
    weight = _seconds(run)[over]
    overlaps = overlaps_of(run, ground)
    wanted = float(coverage.area("emi") + coverage.missing_area("emi"))
    return {
        "lane": ground.name,
        "kind": ground.kind,
        "seconds": run.seconds,
        "marks": len(run.marks),
        "wanted_m2": wanted,
        "observed_m2": float(coverage.area("emi")),
        "observed_share": float(coverage.area("emi")) / wanted,
        "not_observed_m2": coverage.not_observed("emi"),
        "height_mean_m": _mean(height, weight),
        "height_within": _mean(height <= limits.height + 1e-9, weight),
        "speed_mean_m_s": _mean(speed, weight),
        "speed_within": _mean(speed <= limits.speed + 1e-9, weight),
        "strokes": len(overlaps) + 1 if len(overlaps) else 0,
        "overlap_median": float(np.median(overlaps)) if len(overlaps) else None,
        "overlap_within": float((overlaps >= limits.overlap - 1e-9).mean())
        if len(overlaps)
        else None,
    }


def search_of(pairs: Sequence[Pair], limits: Limits, *, seed: int) -> dict[str, Any]:
    """
    Score the marks on some grounds.

    Parameters
    ----------
    pairs : sequence of (Ground, Run)
        Grounds and what was done on them.
    limits : Limits
        What counts as a proper sweep.
    seed : int
        Of the random operator.

    Returns
    -------
    figures : dict
        Of the learner, of one who marks as often at random on the same ground, and of one who
        marks everything; and what became of every target and every mark.
    """
    if not pairs:
        return {"is_scored": False, "reason": "there is no lane"}
    coverage = coverage_of(pairs, limits)
    objects = tuple(item for ground, _ in pairs for item in ground.truth.objects)
    truth = Truth(objects=objects, is_synthetic=True)
    alarms = [alarm for ground, run in pairs for alarm in alarms_of(run, ground)]
    if not coverage.area("emi"):
        return {"is_scored": False, "reason": "nothing was swept within the limits"}
    try:
        own = _score(alarms, truth, coverage)
    except ValueError as error:  # halos cover all that was swept
        return {"is_scored": False, "reason": str(error)}
    places = {item.identifier: (item.easting, item.northing) for item in objects}
    misses = [
        math.dist((alarm.easting, alarm.northing), places[alarm.target])
        for alarm in own.alarms
        if alarm.outcome == "hit"
    ]
    return {
        "is_scored": True,
        "learner": _figures(own),
        "random": _random(len(alarms), truth, coverage, seed=seed),
        "everything": _figures(_score(_everything(coverage), truth, coverage)),
        "pinpoint_mean_m": float(np.mean(misses)) if misses else None,
        "pinpoint_greatest_m": max(misses, default=None),
        "halo_m": Halo().radius,
        "confidence": own.confidence,
        "targets": [
            {
                "target": item.identifier,
                "lane": item.lane,
                "kind": item.kind,
                "depth_m": item.depth,
                "outcome": item.outcome,
                "share_observed": item.share_observed,
                "easting": places[item.identifier][0],
                "northing": places[item.identifier][1],
            }
            for item in own.targets
        ],
        "marks": [
            {
                "mark": item.identifier,
                "lane": item.lane,
                "outcome": item.outcome,
                "reason": item.reason,
                "on": item.target or item.clutter_kind,
                "easting": item.easting,
                "northing": item.northing,
            }
            for item in own.alarms
        ],
        "clutter_marked": {c.kind: [c.n_alarmed, c.n] for c in own.clutter},
    }


def check_of(ground: Ground, run: Run | None, limits: Limits) -> dict[str, Any]:
    """
    Return whether the test piece was found.

    Parameters
    ----------
    ground : Ground
        The pad.
    run : Run or None
        What was done on it; None if it was left out.
    limits : Limits
        What counts as a proper sweep.

    Returns
    -------
    figures : dict
        Whether it passed: swept, marked within the halo, at most two marks besides.
    """
    name = ground.name
    if run is None or not len(run.time):
        return {"check": name, "passed": False, "reason": "not done"}
    found = search_of([(ground, run)], limits, seed=0)
    if not found["is_scored"]:
        return {"check": name, "passed": False, "reason": found["reason"]}
    outcome = found["targets"][0]["outcome"]
    heard = np.nanmax(np.abs(sweep_of(run, ground, limits).samples), initial=0.0)
    n_false = found["learner"]["false_alarms"]["count"]
    reason = outcome.replace("_", " ") + (f", {n_false} false marks" if n_false > 2 else "")
    return {
        "check": name,
        "passed": outcome == "detected" and n_false <= 2,
        "reason": reason,
        "response": float(heard),
        "pinpoint_m": found["pinpoint_mean_m"],
    }


def result_of(
    training: Training, runs: Mapping[str, Run], limits: Limits | None = None
) -> dict[str, Any]:
    """
    Return everything that a sheet says about a run of the course.

    Parameters
    ----------
    training : Training
        The course made.
    runs : mapping of str to Run
        What was done, by name of the ground; those missing were not done.
    limits : Limits, optional
        What counts as a proper sweep.

    Returns
    -------
    result : dict
        JSON-ready. `is_valid` is False if a check with the test piece failed or was left out:
        what lies between is then worth nothing.
    """
    limits = Limits() if limits is None else limits
    nothing = Run(time=np.empty(0), pose=np.empty((0, 3)), marks=np.empty((0, 3)))
    pairs = [(ground, runs.get(ground.name, nothing)) for ground in training.grounds]
    checks = [
        check_of(ground, runs.get(ground.name), limits)
        for ground, _ in pairs
        if ground.kind == "check"
    ]
    seed = training.course.seed
    blind = [pair for pair in pairs if pair[0].kind == "blind"]
    return {
        "is_synthetic": True,
        "is_valid": all(check["passed"] for check in checks),
        "checks": checks,
        "limits": {
            "height_m": limits.height,
            "speed_m_s": limits.speed,
            "overlap": limits.overlap,
            "footprint_m": RADIUS,
        },
        "lanes": [
            compliance_of(ground, run, limits)
            for ground, run in pairs
            if ground.kind != "check"
        ],
        "blind": search_of(blind, limits, seed=seed),
        "open": [
            {"lane": ground.name, **search_of([(ground, run)], limits, seed=seed)}
            for ground, run in pairs
            if ground.kind == "open" and ground.truth.targets
        ],
    }


def _score(alarms: Iterable[Alarm], truth: Truth, coverage: Coverage) -> Score:
    """Return the score of marks: no curve, since they have no order."""
    return score(alarms, truth, coverage, sensors="emi", curve=False)


def _figures(found: Score) -> dict[str, Any]:
    """Return the figures of a score, JSON-ready."""
    return {
        "pd_swept": _limits(found.pd_swept),
        "pd_total": _limits(found.pd_total),
        "missed_though_swept": found.count("missed_swept"),
        "not_swept": found.count("partly_swept") + found.count("never_swept"),
        "false_alarms": {
            **{name: _known(getattr(found.false_alarms, name)) for name in _RATE},
            "count": found.false_alarms.count,
        },
        "repeats": sum(alarm.outcome == "repeat" for alarm in found.alarms),
        "outside": dict(found.outside),
    }


_RATE = ("area", "value", "low", "high")


def _limits(share: Any) -> dict[str, Any]:
    """Return a share with its limits."""
    return {name: _known(getattr(share, name)) for name in ("k", "n", "value", "low", "high")}


def _known(value: float) -> float | int | None:
    """Return a number, or None for one that is not known."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(value) if math.isfinite(value) else None


def _random(
    n_marks: int, truth: Truth, coverage: Coverage, *, seed: int
) -> dict[str, Any] | None:
    """Return the mean of one who marks as often, anywhere on the swept ground."""
    if not n_marks:
        return None
    rng = np.random.default_rng([seed, 7])
    density = n_marks / coverage.area("emi")
    scores = [
        _score(random_alarms(coverage, density, rng, sensors="emi"), truth, coverage)
        for _ in range(_DRAWS)
    ]
    shares = np.array([found.pd_swept.value for found in scores])
    rates = np.array([found.false_alarms.value for found in scores])
    return {
        "draws": _DRAWS,
        "marks_mean": float(n_marks),
        "pd_swept_mean": _known(float(shares.mean())),
        "pd_swept_limits": [_known(float(x)) for x in np.quantile(shares, [0.025, 0.975])],
        "false_alarms_mean": _known(float(rates.mean())),
    }


def _everything(coverage: Coverage) -> list[Alarm]:
    """Return marks all over the swept ground."""
    west, east, south, north = coverage.extent
    x, y = np.meshgrid(
        np.arange(west + _LATTICE / 2, east, _LATTICE),
        np.arange(south + _LATTICE / 2, north, _LATTICE),
    )
    seen = coverage.at(coverage.mask("emi") & coverage.wanted, x.ravel(), y.ravel(), False)
    return [
        Alarm(
            identifier=f"everywhere {k}",
            lane=coverage.lane_at(a, b),
            time=math.nan,
            easting=a,
            northing=b,
            position_error=0.0,
            depth=math.nan,
            probability=math.nan,
            score=1.0,
            model="baseline: everything",
        )
        for k, (a, b) in enumerate(
            zip(x.ravel()[seen].tolist(), y.ravel()[seen].tolist(), strict=True)
        )
    ]


def _on_lane(ground: Ground, run: Run) -> Any:
    """Return which poses lie over the lane."""
    right, forward, _ = run.pose.T
    return (np.abs(right) <= ground.width / 2) & (forward >= 0) & (forward <= ground.length)


def _seconds(run: Run) -> Any:
    """Return how long each pose lasted, s; pauses without a pose do not count."""
    if not len(run.time):
        return np.empty(0)
    return np.minimum(np.diff(run.time, prepend=run.time[0] - 0.02), 0.3)


def _mean(values: Any, weight: Any) -> float | None:
    """Return a mean weighted by time; None of nothing."""
    if not len(weight) or weight.sum() <= 0:
        return None
    return float(np.average(values, weights=weight))

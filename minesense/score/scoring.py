"""The score of a set of alarms: Pd, false alarms per area, strata, and what was left out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

from .._validation import check_probability
from ..alarm import Alarm
from ..coverage import Coverage
from ..coverage.record import frozen
from ..detect import Detection
from ..truth import Truth
from .curves import Curve, curve_of
from .grounds import Ground, scored_ground
from .halo import Halo
from .intervals import Interval, poisson_rate, poisson_ratio
from .matching import Matching, TargetOutcome, check_coverage, match
from .operating import Threshold
from .protocol import Protocol
from .result import (
    MANDATORY,
    ClutterCount,
    ExclusionEffect,
    Proportion,
    Rate,
    Ratio,
    Score,
)
from .strata import proportion, strata_of


def score(
    alarms: Detection | Iterable[Alarm],
    truth: Truth,
    coverage: Coverage,
    *,
    threshold: float | Threshold | None = None,
    sensors: str = "any",
    halo: Halo | None = None,
    confidence: float = 0.95,
    curve: bool = True,
    rng: np.random.Generator | None = None,
    is_capped: bool = False,
    protocol: Protocol | None = None,
) -> Score:
    """
    Score alarms against the truth.

    Parameters
    ----------
    alarms : Detection or iterable of Alarm
        What a detector returned, or alarms in any order; for a curve, with those below
        the threshold.
    truth : Truth
        What is in the ground.
    coverage : Coverage
        What was observed, from :func:`minesense.coverage.observe`.
    threshold : float or Threshold, optional
        Lowest score of an alarm that counts. State it before the truth is opened: that of
        a Detection by default; without one, every alarm counts. One that
        :func:`choose_threshold` found on any of these targets marks the score
        `is_tuned_on_test`.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.
    confidence : float
        Of all limits.
    curve : bool
        Whether to add the curve over all thresholds.
    rng : numpy.random.Generator, optional
        For the bands of the curve; without it, there are none.
    is_capped : bool
        Whether a cap on their number left alarms out; a Detection knows it itself.
    protocol : Protocol, optional
        Further strata, digging time, lanes that are left out, and the frame of the truth.

    Returns
    -------
    Score
        The figures, each with its limits, and the outcome of every alarm and target.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If a score is not finite, an alarm occurs twice, by its identifier or by its place
        and time, the threshold is not finite, the truth is known no better than to a third
        of the halo's radius, the coverage has a coordinate reference system and the truth
        none or another, a lane to be left out is not in the coverage, or no observed ground
        is left to count false alarms on.

    Notes
    -----
    Matching is that of :func:`match`. False alarms are counted on cells that were observed
    and lie in no halo or ring; areas left out are in `areas`. Limits are Clopper-Pearson
    for Pd and exact Poisson for false alarms. Alarms beyond the observed ground are counted
    apart, in `outside`. `false_per_target` is false alarms over targets found, with the exact
    limits of :func:`poisson_ratio`; it falls as a field holds more targets. `dispersion` is
    ``sum((k - r A)^2 / (r A)) / (n - 1)`` over n lanes with counts k and areas A, r the
    rate; where it is well above 1, lanes differ, and the bands of the curve are the better
    limits.

    Examples
    --------
    >>> from minesense.coverage import observe
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.truth import Target, Truth
    >>> northing = np.arange(0.0, 10.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((200, 1, 2)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(
    ...         name="demo", kind="emi", axis=[1e-5, 2e-5], lever_arms=[[0, 0, 0]]
    ...     ),
    ...     lane="A",
    ... )
    >>> coverage = observe([sweep], footprint=0.4)
    >>> mine = {"kind": "disc", "is_target": True, "easting": 0.0, "depth": 0.05}
    >>> mine |= {"diameter": 0.1, "metal_class": "low"}
    >>> truth = Truth(
    ...     objects=(
    ...         Target(identifier="T1", northing=3.0, **mine),
    ...         Target(identifier="T2", northing=30.0, **mine),
    ...     )
    ... )
    >>> alarm = Alarm(
    ...     identifier="a1",
    ...     lane="A",
    ...     time=3.0,
    ...     easting=0.05,
    ...     northing=3.02,
    ...     position_error=0.02,
    ...     depth=0.05,
    ...     probability=0.8,
    ...     score=1.4,
    ... )
    >>> result = score([alarm], truth, coverage)
    >>> print(f"{result.pd_swept.k} of {result.pd_swept.n}, {result.pd_total.n} in all")
    1 of 1, 2 in all
    >>> print(f"at most {result.false_alarms.high:.3f} false alarms per m2")
    at most 0.450 false alarms per m2
    """
    halo = Halo() if halo is None else halo
    protocol = Protocol() if protocol is None else protocol
    check_probability(confidence, "confidence")
    if isinstance(alarms, Detection):
        threshold = alarms.threshold if threshold is None else threshold
        is_capped = is_capped or bool(alarms.withheld)
        alarms = alarms.ranked
    everything = list(alarms)
    limit = threshold.value if isinstance(threshold, Threshold) else threshold
    if protocol.frame is not None:
        truth = dataclasses.replace(truth, frame=protocol.frame)
    truth.check_frame(check_coverage(coverage).frame)

    def matched(truth: Truth, coverage: Coverage, lowest: float | None) -> Matching:
        return match(
            everything, truth, halo, coverage=coverage, sensors=sensors, threshold=lowest
        )

    effects: tuple[ExclusionEffect, ...] = ()
    pd_with_excluded = None
    all_ground = coverage
    if protocol.exclusions:
        whole = matched(truth, coverage, limit)
        pd_with_excluded = _swept(whole.targets, confidence)
        effects = _effects(protocol, whole, coverage, sensors)
        truth, coverage = _leave_out(protocol, truth, coverage)
    matching = _name_excluded(matched(truth, coverage, limit), all_ground, coverage)
    ground = scored_ground(truth, coverage, halo=halo, sensors=sensors)
    n_false = matching.count("false")
    rate = poisson_rate(n_false, ground.scored, confidence=confidence)
    outside = [alarm.reason for alarm in matching.alarms if alarm.outcome == "outside"]
    strata = strata_of(matching.targets, confidence, protocol.strata)
    judged = [stratum for stratum in strata if stratum.swept.n]
    found: Curve | None = None
    if curve:
        whole = matching if limit is None else matched(truth, coverage, None)
        found = curve_of(whole, ground.lane_areas, confidence=confidence, rng=rng)
    pd_total = proportion(matching.targets, confidence)
    per_target = poisson_ratio(n_false, pd_total.k, confidence=confidence)
    time = protocol.digging_time
    return Score(
        is_synthetic=truth.is_synthetic,
        is_capped=bool(is_capped),
        sensors=sensors,
        halo=halo,
        threshold=None if limit is None else float(limit),
        confidence=confidence,
        pd_swept=_swept(matching.targets, confidence),
        pd_total=pd_total,
        false_alarms=Rate(count=n_false, area=ground.scored, **rate._asdict()),
        dispersion=_dispersion(matching, ground),
        strata=strata,
        worst=min(judged, key=lambda s: (s.swept.value, s.swept.low), default=None),
        clutter=_clutter(matching, truth),
        areas={
            "observed": coverage.area(sensors),
            "scored": ground.scored,
            "halo": ground.halo,
            "ring": ground.ring,
            "not_observed": ground.missing,
        },
        not_observed=ground.not_observed,
        outside={reason: outside.count(reason) for reason in sorted(set(outside))},
        targets=matching.targets,
        alarms=matching.alarms,
        curve=found,
        false_per_target=Ratio(count=n_false, per=pd_total.k, **per_target._asdict()),
        digging_time=None if time is None else Interval(*(time * value for value in rate)),
        is_tuned_on_test=isinstance(threshold, Threshold) and threshold.has_seen(truth),
        mandatory=(*MANDATORY, *protocol.strata),
        exclusions=effects,
        pd_with_excluded=pd_with_excluded,
    )


def _swept(targets: Iterable[TargetOutcome], confidence: float) -> Proportion:
    """Return the share of swept targets that were detected."""
    return proportion([target for target in targets if target.is_swept], confidence)


def _leave_out(protocol: Protocol, truth: Truth, coverage: Coverage) -> tuple[Truth, Coverage]:
    """Return the truth and the coverage without the lanes that are left out."""
    lanes = {item.lane for item in protocol.exclusions}
    unknown = sorted(lanes - set(coverage.lanes))
    if unknown:
        msg = (
            f"Invalid exclusions: no lane '{unknown[0]}'. Must be lanes of the coverage: "
            f"{', '.join(map(repr, coverage.lanes))}."
        )
        raise ValueError(msg)
    objects = tuple(
        item
        for item in truth.objects
        if (item.lane or coverage.lane_at(item.easting, item.northing)) not in lanes
    )
    indices = [k for k, lane in enumerate(coverage.lanes) if lane in lanes]
    wanted = coverage.wanted & ~np.isin(coverage.lane_index, indices)
    kept = dataclasses.replace(coverage, wanted=frozen(wanted, bool))
    return dataclasses.replace(truth, objects=objects), kept


def _name_excluded(matching: Matching, before: Coverage, after: Coverage) -> Matching:
    """Give alarms on ground that was left out that reason, not that it was not observed."""
    if before is after:
        return matching
    taken = before.wanted & ~after.wanted
    alarms = tuple(
        dataclasses.replace(alarm, reason="excluded")
        if alarm.reason == "not observed"
        and before.at(taken, alarm.easting, alarm.northing, False)
        else alarm
        for alarm in matching.alarms
    )
    return dataclasses.replace(matching, alarms=alarms)


def _effects(
    protocol: Protocol, matching: Matching, coverage: Coverage, sensors: str
) -> tuple[ExclusionEffect, ...]:
    """Return what every lane that is left out would have brought."""
    areas = coverage.lane_areas(sensors)
    result = []
    for item in protocol.exclusions:
        mine = [t for t in matching.targets if t.is_swept and t.lane == item.lane]
        result.append(
            ExclusionEffect(
                exclusion=item,
                area=areas.get(item.lane, 0.0),
                n_swept=len(mine),
                n_detected=sum(target.outcome == "detected" for target in mine),
            )
        )
    return tuple(result)


def _dispersion(matching: Matching, ground: Ground) -> float:
    """Return the variance over the mean of false alarms between lanes."""
    areas = {lane: area for lane, area in ground.lane_areas.items() if area > 0}
    lanes = [alarm.lane for alarm in matching.alarms if alarm.outcome == "false"]
    if len(areas) < 2 or not lanes:
        return math.nan
    rate = len(lanes) / ground.scored
    terms = [(lanes.count(lane) - rate * a) ** 2 / (rate * a) for lane, a in areas.items()]
    return sum(terms) / (len(areas) - 1)


def _clutter(matching: Matching, truth: Truth) -> tuple[ClutterCount, ...]:
    """Return what became of clutter, by kind."""
    hit = [(a.clutter_kind, a.clutter) for a in matching.alarms if a.clutter]
    kinds = sorted({item.kind for item in truth.clutter})
    return tuple(
        ClutterCount(
            kind=kind,
            n=sum(item.kind == kind for item in truth.clutter),
            n_alarmed=len({name for found, name in hit if found == kind}),
            n_alarms=sum(found == kind for found, _ in hit),
        )
        for kind in kinds
    )

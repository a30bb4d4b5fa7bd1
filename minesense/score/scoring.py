"""The score of a set of alarms: Pd, false alarms per area, strata, and what was left out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_probability
from ..alarm import Alarm
from ..coverage import Coverage
from ..detect import Detection
from ..truth import Truth
from .curves import Curve, curve_of
from .grounds import Ground, scored_ground
from .intervals import clopper_pearson, poisson_rate
from .matching import AlarmOutcome, Halo, Matching, TargetOutcome, match
from .table import format_score

#: Strata with fewer targets allow no claim.
LEAST_TARGETS = 10

#: Metal classes as they are reported.
METAL_GROUPS = {
    "high": "metal",
    "medium": "metal",
    "low": "low metal",
    "minimum": "low metal",
    "none": "no metal",
}
_DEPTHS = ((0.05, "0-5 cm"), (0.10, "5-10 cm"), (0.20, "10-20 cm"), (math.inf, ">20 cm"))
#: Groups in which every stratum must hold enough targets for an overall claim.
_MANDATORY = ("metal", "depth")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """A share of targets, with its exact limits."""

    k: int
    n: int
    value: float  #: NaN if n is 0
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """False alarms per square metre, with exact limits."""

    count: int
    area: float  #: m2
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Targets of one sort."""

    group: str  #: "metal", "metal_class", "kind" or "depth"
    name: str
    swept: Proportion  #: Pd | swept
    total: Proportion  #: Pd total
    claim: str  #: "n<10: no claim", or empty if there are enough swept targets


@dataclass(frozen=True, slots=True, kw_only=True)
class ClutterCount:
    """What became of clutter of one kind."""

    kind: str
    n: int  #: pieces in the truth
    n_alarmed: int  #: pieces with a false alarm
    n_alarms: int  #: false alarms on them


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """
    How good a set of alarms is.

    `Pd | swept` judges the detector: of the targets whose footprint was observed to 90 % or
    more, the share that was detected. `Pd total` judges the search: of all targets, the
    share that was detected. They are never merged. `str` of a score is a table.
    """

    is_synthetic: bool
    is_capped: bool  #: alarms were left out by a cap: Pd is a lower bound
    sensors: str
    halo: Halo
    threshold: float | None
    confidence: float
    pd_swept: Proportion
    pd_total: Proportion
    false_alarms: Rate
    dispersion: float  #: variance over mean of false alarms between lanes; NaN for one lane
    strata: tuple[Stratum, ...]
    worst: Stratum | None  #: the lowest Pd | swept among strata with a swept target
    clutter: tuple[ClutterCount, ...]
    areas: Mapping[str, float]  #: m2: observed, scored, in halos, in rings, not observed
    not_observed: Mapping[str, float]  #: m2 by reason, which may overlap
    outside: Mapping[str, int]  #: alarms that were left out, by reason
    targets: tuple[TargetOutcome, ...]
    alarms: tuple[AlarmOutcome, ...]
    curve: Curve | None

    @property
    def no_claim(self) -> tuple[str, ...]:
        """Mandatory strata with too few targets: while there are any, no overall claim."""
        return tuple(
            f"{s.group} = {s.name} (n = {s.swept.n})"
            for s in self.strata
            if s.group in _MANDATORY and s.claim
        )

    def count(self, outcome: str) -> int:
        """Return how many targets had this outcome."""
        return sum(target.outcome == outcome for target in self.targets)

    def to_dict(self) -> dict[str, Any]:
        """
        Return everything as plain words and numbers, the same bytes for the same score.

        Keys are sorted, places are rounded to 0.1 mm and other numbers to six digits; what
        is not finite is None.
        """
        result = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        result["no_claim"] = self.no_claim
        result["label"] = "SYNTHETIC" if self.is_synthetic else "FIELD"
        plain = _plain(result)
        assert isinstance(plain, dict)
        return plain

    def __str__(self) -> str:
        """Return the table."""
        return format_score(self)


def score(
    alarms: Detection | Iterable[Alarm],
    truth: Truth,
    coverage: Coverage,
    *,
    threshold: float | None = None,
    sensors: str = "any",
    halo: Halo | None = None,
    confidence: float = 0.95,
    curve: bool = True,
    rng: np.random.Generator | None = None,
    is_capped: bool = False,
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
    threshold : float, optional
        Lowest score of an alarm that counts. State it before the truth is opened: that of
        a Detection by default; without one, every alarm counts.
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
        Whether a cap on their number left alarms out.

    Returns
    -------
    Score
        The figures, each with its limits, and the outcome of every alarm and target.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If a score is NaN, the threshold is not finite, the truth is known no better than to
        a third of the halo's radius, or no observed ground is left to count false alarms
        on.

    Notes
    -----
    Matching is that of :func:`match`. False alarms are counted on cells that were observed
    and lie in no halo or ring; areas left out are in `areas`. Limits are Clopper-Pearson
    for Pd and exact Poisson for false alarms. `dispersion` is
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
    check_probability(confidence, "confidence")
    if isinstance(alarms, Detection):
        threshold = alarms.threshold if threshold is None else threshold
        alarms = alarms.ranked
    everything = list(alarms)
    matching = match(
        everything, truth, halo, coverage=coverage, sensors=sensors, threshold=threshold
    )
    ground = scored_ground(truth, coverage, halo=halo, sensors=sensors)
    targets = matching.targets
    strata = _strata(targets, confidence)
    judged = [stratum for stratum in strata if stratum.swept.n]
    rate = poisson_rate(matching.count("false"), ground.scored, confidence=confidence)
    outside = [alarm.reason for alarm in matching.alarms if alarm.outcome == "outside"]
    found: Curve | None = None
    if curve:
        whole = matching
        if threshold is not None:
            whole = match(everything, truth, halo, coverage=coverage, sensors=sensors)
        found = curve_of(whole, ground.lane_areas, confidence=confidence, rng=rng)
    return Score(
        is_synthetic=truth.is_synthetic,
        is_capped=bool(is_capped),
        sensors=sensors,
        halo=halo,
        threshold=None if threshold is None else float(threshold),
        confidence=confidence,
        pd_swept=_proportion([t for t in targets if t.is_swept], confidence),
        pd_total=_proportion(targets, confidence),
        false_alarms=Rate(count=matching.count("false"), area=ground.scored, **rate._asdict()),
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
        targets=targets,
        alarms=matching.alarms,
        curve=found,
    )


def _proportion(targets: Iterable[TargetOutcome], confidence: float) -> Proportion:
    """Return the share of targets that were detected."""
    found = [target.outcome == "detected" for target in targets]
    interval = clopper_pearson(sum(found), len(found), confidence=confidence)
    return Proportion(k=sum(found), n=len(found), **interval._asdict())


def _strata(targets: Iterable[TargetOutcome], confidence: float) -> tuple[Stratum, ...]:
    """Return the strata in order; every metal group is there, if only to show n = 0."""
    members: dict[tuple[str, str], list[TargetOutcome]] = {
        ("metal", name): [] for name in dict.fromkeys(METAL_GROUPS.values())
    }
    named = [_names(target) for target in targets]
    bands = [name for _, name in _DEPTHS]
    for group in ("metal_class", "depth", "kind"):
        names = {item[group] for item in named}
        order = bands if group == "depth" else sorted(names)
        members |= {(group, name): [] for name in order if name in names}
    for target, item in zip(targets, named, strict=True):
        for key in item.items():
            members[key].append(target)
    result = []
    for (group, name), group_targets in members.items():
        swept = _proportion([t for t in group_targets if t.is_swept], confidence)
        result.append(
            Stratum(
                group=group,
                name=name,
                swept=swept,
                total=_proportion(group_targets, confidence),
                claim=f"n<{LEAST_TARGETS}: no claim" if swept.n < LEAST_TARGETS else "",
            )
        )
    return tuple(result)


def _names(target: TargetOutcome) -> dict[str, str]:
    """Return the name of a target's stratum in every group."""
    depth = round(target.depth, 9)  # 0.1 + 0.2 cm is not below 0.3 cm
    return {
        "metal": METAL_GROUPS[target.metal_class],
        "metal_class": target.metal_class,
        "depth": next(name for limit, name in _DEPTHS if depth < limit),
        "kind": target.kind,
    }


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


def _plain(value: Any, name: str = "") -> Any:
    """Return a value as JSON knows it: sorted keys, numbers rounded, None for not finite."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key], str(key)) for key in sorted(value)}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, name) for item in value]
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if not math.isfinite(number):
            return None
        # Six digits of a map coordinate would be whole metres.
        is_place = name in ("easting", "northing")
        return (round(number, 4) if is_place else float(f"{number:.6g}")) + 0.0  # no -0.0
    return value

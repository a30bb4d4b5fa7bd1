"""Which alarm found which target, and what became of all others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_number, check_one_of, check_positive
from ..alarm import Alarm
from ..coverage import Coverage
from ..sweep import Floats
from ..truth import METAL_CLASSES, Target, Truth
from .assignment import assign, nearest, neighbours
from .halo import TOLERANCE, Halo

#: Share of a target's footprint that must be observed for it to count as swept.
SWEPT_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmOutcome:
    """What became of one alarm."""

    identifier: str
    outcome: Literal["hit", "repeat", "false", "outside"]
    score: float
    easting: float  #: m
    northing: float  #: m
    lane: str  #: of the ground it lies on, else of the alarm
    target: str = ""  #: identifier of the target hit, or in whose halo or ring it lies
    clutter: str = ""  #: identifier of the clutter it lies on, if false
    clutter_kind: str = ""
    reason: str = ""  #: why it is outside: "ring", "not observed" or "unlocated"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """What became of one target."""

    identifier: str
    outcome: Literal["detected", "missed_swept", "partly_swept", "never_swept"]
    kind: str
    metal_class: str
    depth: float  #: m
    lane: str  #: where it was put, else of the ground it lies in
    share_observed: float  #: of its footprint, 0 to 1
    is_swept: bool  #: whether that share is at least `SWEPT_SHARE`
    alarm: str = ""  #: identifier of the alarm that hit it
    score: float = math.nan  #: highest threshold at which it is detected; NaN if never


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What became of every alarm at or above a threshold, and of every target."""

    alarms: tuple[AlarmOutcome, ...]  #: from the highest score to the lowest
    targets: tuple[TargetOutcome, ...]  #: by identifier
    halo: Halo
    sensors: str
    threshold: float | None

    def count(self, outcome: str) -> int:
        """Return how many alarms had this outcome."""
        return sum(alarm.outcome == outcome for alarm in self.alarms)


def match(
    alarms: Iterable[Alarm],
    truth: Truth,
    halo: Halo | None = None,
    *,
    coverage: Coverage | None = None,
    sensors: str = "any",
    threshold: float | None = None,
) -> Matching:
    """
    Find out which alarm found which target.

    Parameters
    ----------
    alarms : iterable of Alarm
        In any order.
    truth : Truth
        What is in the ground.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.
    coverage : Coverage, optional
        What was observed; without it, all ground counts as observed.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.
    threshold : float, optional
        Lowest score of an alarm that counts; all count without it.

    Returns
    -------
    Matching
        The outcome of every alarm and every target.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If a score is not finite, an identifier occurs twice, two alarms have the same place and
        time, the threshold is not finite, an object of the truth has no place or an unknown
        metal class, the truth is known no better than to a third of the halo's radius, or its
        frame is not that of the coverage.

    Notes
    -----
    An alarm is a *hit* if it is assigned to a target in whose halo it lies; each is
    assigned to at most one. Alarms are served from the highest score down, at equal score
    the one nearest to a target first; an alarm is served if the ones before it can be
    reassigned to make room. Among all assignments of the alarms served, the one with the
    least sum of distances is taken. The number of hits is then the greatest that is
    possible, and a target that is detected at one threshold is detected at every lower
    one.

    Further alarms in a halo are *repeats*. Alarms in the ring around a halo, and on ground
    that was not observed, are *outside*: excluded, with their reason. All others are
    *false*, with the nearest clutter in whose halo they lie, if any. An alarm where none
    can be false finds no target either, though its halo may reach there: marks along the
    border of the ground would be hits that cost nothing.

    Examples
    --------
    >>> from minesense.alarm import Alarm
    >>> from minesense.truth import Target, Truth
    >>> mine = Target(
    ...     identifier="T1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.0,
    ...     northing=0.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ... )
    >>> def alarm(identifier, easting, score):
    ...     return Alarm(
    ...         identifier=identifier,
    ...         lane="A",
    ...         time=0.0,
    ...         easting=easting,
    ...         northing=0.0,
    ...         position_error=0.02,
    ...         depth=0.05,
    ...         probability=0.5,
    ...         score=score,
    ...     )
    >>> alarms = [alarm("a", 0.1, 3.0), alarm("b", 0.15, 2.0), alarm("c", 0.2, 1.0)]
    >>> alarms += [alarm("d", 5.0, 0.5)]
    >>> [result.outcome for result in match(alarms, Truth(objects=(mine,))).alarms]
    ['hit', 'repeat', 'outside', 'false']
    """
    halo = Halo() if halo is None else halo
    chosen = _check_alarms(alarms, threshold)
    targets, clutter = _check_truth(truth, halo)
    if coverage is not None:
        truth.check_frame(check_coverage(coverage).frame)
    places = np.array([(a.easting, a.northing) for a in chosen]).reshape(-1, 2)
    shares, is_seen = _observed(targets, places, coverage, sensors)
    near = neighbours(places, targets, halo, factor=halo.ring)
    inside: list[dict[int, float]] = [
        {k: distance for k, distance in found.items() if is_seen[i]}
        for i, found in enumerate(neighbours(places, targets, halo))
    ]
    order = sorted(range(len(chosen)), key=lambda i: _rank(chosen[i], inside[i]))
    assigned, found_by = assign(order, inside)
    on_clutter = neighbours(places, clutter, halo)
    results: list[AlarmOutcome] = []
    for i in order:
        if i in assigned:
            known = {"outcome": "hit", "target": targets[assigned[i]].identifier}
        elif inside[i]:
            known = {"outcome": "repeat", "target": targets[nearest(inside[i])].identifier}
        elif not np.isfinite(places[i]).all():
            known = {"outcome": "outside", "reason": "unlocated"}
        elif not is_seen[i]:
            known = {"outcome": "outside", "reason": "not observed"}
        elif near[i]:
            target = targets[nearest(near[i])].identifier
            known = {"outcome": "outside", "reason": "ring", "target": target}
        elif on_clutter[i]:
            thing = clutter[nearest(on_clutter[i])]
            kind = thing.kind
            known = {"outcome": "false", "clutter": thing.identifier, "clutter_kind": kind}
        else:
            known = {"outcome": "false"}
        results.append(_alarm_outcome(chosen[i], known, coverage))
    hits = {k: chosen[i].identifier for i, k in assigned.items()}
    scores = {k: float(chosen[i].score) for k, i in found_by.items()}
    return Matching(
        alarms=tuple(results),
        targets=tuple(
            _target_outcome(
                target,
                share=shares[k],
                alarm=hits.get(k, ""),
                score=scores.get(k, math.nan),
                lane=_lane(target, "", coverage),
            )
            for k, target in enumerate(targets)
        ),
        halo=halo,
        sensors=sensors,
        threshold=threshold,
    )


def _rank(alarm: Alarm, inside: dict[int, float]) -> tuple[float | str, ...]:
    """Return what alarms are served by, the first to be served lowest."""
    place = (alarm.easting, alarm.northing)
    if not all(map(math.isfinite, place)):
        place = (math.inf, math.inf)  # NaN does not sort
    return (-alarm.score, min(inside.values(), default=math.inf), *place, alarm.identifier)


def _lane(item: Alarm | Target, otherwise: str, coverage: Coverage | None) -> str:
    """Return the lane of the ground that something lies in, or another word for it."""
    ground = coverage.lane_at(item.easting, item.northing) if coverage else ""
    return ground or otherwise


def _observed(
    targets: Sequence[Target], places: Floats, coverage: Coverage | None, sensors: str
) -> tuple[list[float], npt.NDArray[np.bool_]]:
    """Return what share of each target was observed, and which places were."""
    if coverage is None:
        return [1.0] * len(targets), np.ones(len(places), bool)
    seen = check_coverage(coverage).mask(sensors) & coverage.wanted
    shares = [
        coverage.observed_share(t.easting, t.northing, t.diameter / 2, sensors) for t in targets
    ]
    return shares, coverage.at(seen, places[:, 0], places[:, 1], False)


def _alarm_outcome(
    alarm: Alarm, known: dict[str, Any], coverage: Coverage | None
) -> AlarmOutcome:
    """Return what became of an alarm: its own fields, and what is known of it besides."""
    return AlarmOutcome(
        identifier=alarm.identifier,
        score=float(alarm.score),
        easting=float(alarm.easting),
        northing=float(alarm.northing),
        lane=_lane(alarm, alarm.lane, coverage),
        **known,
    )


def _target_outcome(
    target: Target, *, share: float, alarm: str, score: float, lane: str
) -> TargetOutcome:
    """Return what became of a target."""
    is_swept = share >= SWEPT_SHARE - TOLERANCE
    if alarm:
        outcome = "detected"
    elif is_swept:
        outcome = "missed_swept"
    else:
        outcome = "partly_swept" if share > 0 else "never_swept"
    return TargetOutcome(
        identifier=target.identifier,
        outcome=outcome,  # type: ignore[arg-type]
        kind=target.kind,
        metal_class=target.metal_class,
        depth=float(target.depth),
        lane=target.lane or lane,
        share_observed=share,
        is_swept=is_swept,
        alarm=alarm,
        score=score,
    )


def _check_alarms(alarms: Iterable[Alarm], threshold: float | None) -> list[Alarm]:
    """Return the alarms at or above the threshold."""
    if threshold is not None:
        check_number(threshold, "threshold")
    chosen: list[Any] = list(alarms)
    names = set()
    spots: dict[tuple[float | None, ...], str] = {}
    for item in chosen:
        if not isinstance(item, Alarm):
            msg = f"Invalid alarm of type {type(item).__name__}. Must be an Alarm."
            raise TypeError(msg)
        check_number(item.score, f"score of alarm '{item.identifier}'")
        if item.identifier in names:
            msg = f"Invalid alarm '{item.identifier}': it occurs twice. Must be unique."
            raise ValueError(msg)
        names.add(item.identifier)
        _check_spot(item, spots)
    return [item for item in chosen if threshold is None or item.score >= threshold]


def _check_spot(alarm: Alarm, spots: dict[tuple[float | None, ...], str]) -> None:
    """Raise if an alarm before had the same place and time, both known to be the same."""
    if not (math.isfinite(alarm.easting) and math.isfinite(alarm.northing)):
        return
    time = None if math.isnan(alarm.time) else float(alarm.time)
    other = spots.setdefault((float(alarm.easting), float(alarm.northing), time), "")
    if other:
        msg = (
            f"Invalid alarm '{alarm.identifier}': it has the place and time of alarm "
            f"'{other}'. Must be raised once: leave repeated records out."
        )
        raise ValueError(msg)
    spots[float(alarm.easting), float(alarm.northing), time] = alarm.identifier


def _check_truth(truth: Any, halo: Halo) -> tuple[list[Target], list[Target]]:
    """Return targets and clutter in order of their names, known well enough to match."""
    if not isinstance(truth, Truth):
        msg = f"Invalid truth of type {type(truth).__name__}. Must be a Truth."
        raise TypeError(msg)
    error = check_not_negative(truth.position_error, "position_error")
    limit = check_positive(halo.radius, "radius") / 3
    if error > limit + TOLERANCE:
        msg = (
            f"Invalid position_error '{error}' of the truth. Must be at most {limit:.4g} m, a "
            f"third of the halo's radius: the place of a target must be known to match it."
        )
        raise ValueError(msg)
    names = set()
    for item in truth.objects:
        name = f"of object '{item.identifier}'"
        check_number(item.easting, f"easting {name}")
        check_number(item.northing, f"northing {name}")
        check_number(item.depth, f"depth {name}")
        check_not_negative(item.diameter, f"diameter {name}")
        check_one_of(item.metal_class, f"metal_class {name}", METAL_CLASSES)
        if item.identifier in names:
            msg = f"Invalid object '{item.identifier}': it occurs twice. Must be unique."
            raise ValueError(msg)
        names.add(item.identifier)
    order = sorted(truth.objects, key=lambda item: item.identifier)
    return [t for t in order if t.is_target], [t for t in order if not t.is_target]


def check_coverage(coverage: Any) -> Coverage:
    """Return coverage if it is one."""
    if not isinstance(coverage, Coverage):
        msg = (
            f"Invalid coverage of type {type(coverage).__name__}. Must be a Coverage, as "
            "minesense.coverage.observe returns it."
        )
        raise TypeError(msg)
    return coverage

"""Which places a report shows sections of: chosen by a rule, not by their looks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..alarm import Alarm
from ..score import AlarmOutcome, Matching, Score, TargetOutcome
from ..score.figures import format_fixed
from ..truth import Target, Truth

# Metal classes as they take turns: one target of each group before a second of any.
_TURNS = (("high", "medium"), ("low", "minimum"), ("none",))
_NEAR = 0.30  # m within which an object is named beside a false alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A place to show, and what it is."""

    title: str
    caption: str
    lane: str
    place: tuple[float, float]  #: easting and northing, m


def choose_examples(
    outcomes: Matching | Score,
    truth: Truth,
    alarms: Iterable[Alarm],
    *,
    noticed: Matching | None = None,
    n_targets: int = 3,
    n_false: int = 3,
) -> tuple[Example, ...]:
    """
    Choose targets and false alarms to show sections of.

    Parameters
    ----------
    outcomes : Matching or Score
        What became of every alarm and every target.
    truth : Truth
        What is in the ground.
    alarms : iterable of Alarm
        The alarms that were scored.
    noticed : Matching, optional
        The same without a threshold, to say how near to it a missed target came.
    n_targets, n_false : int
        How many of each to choose at most.

    Returns
    -------
    examples : tuple of Example
        Targets first: of those swept, in turn from metal, low metal and no metal, the one
        of middle score among those found, or a missed one where none was found. Then the
        false alarms of highest score.

    Examples
    --------
    >>> from minesense.alarm import Alarm
    >>> from minesense.report import choose_examples
    >>> from minesense.score import match
    >>> from minesense.truth import Target, Truth
    >>> mine = Target(
    ...     identifier="T1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.5,
    ...     northing=4.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ...     lane="A",
    ... )
    >>> truth = Truth(objects=(mine,))
    >>> [example.title for example in choose_examples(match([], truth), truth, [])]
    ['Target T1: missed though swept']
    """
    by_name = {alarm.identifier: alarm for alarm in alarms}
    objects = {item.identifier: item for item in truth.objects}
    best = {t.identifier: t.score for t in noticed.targets} if noticed is not None else {}
    chosen = [
        _of_target(outcome, objects[outcome.identifier], by_name, best)
        for outcome in _targets(outcomes, n_targets)
    ]
    false = [outcome for outcome in outcomes.alarms if outcome.outcome == "false"][:n_false]
    return (*chosen, *(_of_false(outcome, truth, by_name) for outcome in false))


def _targets(outcomes: Matching | Score, n: int) -> list[TargetOutcome]:
    """Return swept targets, the groups of metal taking turns."""
    queues = []
    for group in _TURNS:
        swept = [t for t in outcomes.targets if t.metal_class in group and t.is_swept]
        found = sorted(
            (t for t in swept if t.outcome == "detected"),
            key=lambda t: (-t.score, t.identifier),
        )
        missed = sorted(
            (t for t in swept if t.outcome != "detected"), key=lambda t: t.identifier
        )
        middle = len(found) // 2
        # From the middle outwards, so that neither the best nor the worst comes first.
        order = sorted(range(len(found)), key=lambda k: (abs(k - middle), k))
        queues.append([found[k] for k in order] + missed)
    turns = max((len(queue) for queue in queues), default=0)
    return [queue[k] for k in range(turns) for queue in queues if k < len(queue)][:n]


def _of_target(
    outcome: TargetOutcome,
    target: Target,
    alarms: Mapping[str, Alarm],
    best: Mapping[str, float],
) -> Example:
    """Return a target as an example."""
    words = {"detected": "found", "missed_swept": "missed though swept"}
    what = (
        f"{target.kind}, {target.metal_class} metal, {100 * target.diameter:.0f} cm across, "
        f"its top {100 * target.depth:.1f} cm deep"
    )
    alarm = alarms.get(outcome.alarm)
    if alarm is not None:
        away = math.hypot(alarm.easting - target.easting, alarm.northing - target.northing)
        said = f"Alarm {alarm.identifier}{_stated(alarm)}, {100 * away:.0f} cm from its centre."
    elif target.identifier not in best:
        said = "No alarm found it."
    elif math.isfinite(best[target.identifier]):
        said = f"Its best place scored {best[target.identifier]:.3g}, below the threshold."
    else:
        said = "No sensor noticed anything near it."
    return Example(
        title=f"Target {target.identifier}: {words.get(outcome.outcome, outcome.outcome)}",
        caption=f"Target: {what}. {said}",
        lane=outcome.lane,
        place=(target.easting, target.northing),
    )


def _of_false(outcome: AlarmOutcome, truth: Truth, alarms: Mapping[str, Alarm]) -> Example:
    """Return a false alarm as an example."""
    alarm = alarms.get(outcome.identifier)
    distances = [
        (math.hypot(item.easting - outcome.easting, item.northing - outcome.northing), item)
        for item in truth.objects
    ]
    near = min(distances, key=lambda pair: (pair[0], pair[1].identifier), default=None)
    if near is not None and near[0] <= _NEAR:
        what = "a target" if near[1].is_target else "clutter"
        beside = (
            f"The nearest object is {what}: {near[1].kind}, {100 * near[0]:.0f} cm away, "
            f"{100 * near[1].depth:.1f} cm deep."
        )
    else:
        beside = f"No object lies within {100 * _NEAR:.0f} cm."
    return Example(
        title=f"False alarm {outcome.identifier}",
        caption=f"False alarm{_stated(alarm)}. {beside}",
        lane=alarm.lane if alarm is not None else outcome.lane,
        place=(outcome.easting, outcome.northing),
    )


def _stated(alarm: Alarm | None) -> str:
    """Return the stated probability of an alarm in words, if it has one."""
    if alarm is None or not math.isfinite(alarm.probability):
        return ""
    return f" with a stated probability of {format_fixed(alarm.probability, 2)}"

"""What one detector made of one field, in a form that is stored and compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_not_negative, check_number
from ..alarm import Alarm
from ..coverage import Coverage
from ..detect import Detection
from ..sweep import Floats
from ..truth import Truth
from .curves import Steps, count_above
from .grounds import scored_ground
from .halo import Halo
from .matching import match


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """
    What one detector made of one field: enough to compare it with another, pair by pair.

    Alarms are listed down to the lowest score, whatever the threshold.

    Raises
    ------
    ValueError
        If the threshold is NaN or infinity, an area is negative or not finite, or `found_at`
        says nothing of a target.
    """

    name: str  #: of the detector
    truth: str  #: SHA-256 of the truth
    halo: Halo
    sensors: str
    threshold: float  #: the operating point, minus infinity if every alarm counts
    lane_areas: Mapping[str, float]  #: m2 on which false alarms count
    targets: Mapping[str, str]  #: lane by identifier of every swept target
    found_at: Mapping[str, float | None]  #: highest threshold that detects it, None if none
    false_at: Mapping[str, tuple[float, ...]]  #: scores of false alarms, by lane
    is_synthetic: bool

    def __post_init__(self) -> None:
        if self.threshold != -math.inf:
            check_number(self.threshold, "threshold")
        for lane, area in self.lane_areas.items():
            check_not_negative(area, f"area of lane '{lane}'")
        untold = sorted(self.targets.keys() - self.found_at.keys())
        if untold:
            msg = (
                f"Invalid found_at: target '{untold[0]}' is missing. Must say of every swept "
                "target at what threshold it is detected, None if at none."
            )
            raise ValueError(msg)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain words and numbers, as JSON knows them."""
        return {
            "name": self.name,
            "truth": self.truth,
            "halo": {
                "kind": self.halo.kind,
                "radius": self.halo.radius,
                "ring": self.halo.ring,
            },
            "sensors": self.sensors,
            "threshold": self.threshold if math.isfinite(self.threshold) else None,
            "lane_areas": dict(self.lane_areas),
            "targets": dict(self.targets),
            "found_at": dict(self.found_at),
            "false_at": {lane: list(scores) for lane, scores in self.false_at.items()},
            "is_synthetic": self.is_synthetic,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Outcomes:
        """
        Return what :meth:`to_dict` wrote.

        Parameters
        ----------
        content : mapping
            As JSON gives it back.

        Returns
        -------
        outcomes : Outcomes
            The same as was written.

        Raises
        ------
        ValueError
            If an entry is missing or of the wrong kind, or a value is refused by Outcomes.
        """
        try:
            threshold = content["threshold"]
            return cls(
                name=str(content["name"]),
                truth=str(content["truth"]),
                halo=Halo(**content["halo"]),
                sensors=str(content["sensors"]),
                threshold=-math.inf
                if threshold is None
                else check_number(threshold, "threshold"),
                lane_areas={
                    str(k): check_not_negative(v, f"area of lane '{k}'")
                    for k, v in content["lane_areas"].items()
                },
                targets={str(k): str(v) for k, v in content["targets"].items()},
                found_at={
                    str(k): None if v is None else check_number(v, "found_at")
                    for k, v in content["found_at"].items()
                },
                false_at={
                    str(lane): tuple(check_number(v, "false_at") for v in scores)
                    for lane, scores in content["false_at"].items()
                },
                is_synthetic=bool(content["is_synthetic"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            msg = f"Invalid outcomes: {error!r}. Must be what Outcomes.to_dict wrote."
            raise ValueError(msg) from None

    def detected(self, target: str) -> bool:
        """Return whether a target is detected at the operating point."""
        score = self.found_at[target]
        return score is not None and score >= self.threshold


def outcomes(
    alarms: Detection | Iterable[Alarm],
    truth: Truth,
    coverage: Coverage,
    *,
    name: str = "",
    threshold: float | None = None,
    sensors: str = "any",
    halo: Halo | None = None,
) -> Outcomes:
    """
    Return what a detector made of a field, to be stored and compared.

    Parameters
    ----------
    alarms : Detection or iterable of Alarm
        Down to the lowest score that is of interest.
    truth : Truth
        What is in the ground.
    coverage : Coverage
        What was observed.
    name : str
        Of the detector.
    threshold : float, optional
        Of the operating point: that of a Detection by default; without one, every alarm
        counts.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`. Detectors are
        compared on the same ground, so that one sensor and both are judged on `"all"`.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.

    Returns
    -------
    outcomes : Outcomes
        By lane and target.

    Raises
    ------
    TypeError, ValueError
        As for :func:`roc`.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> from minesense.coverage import observe
    >>> from minesense.score import outcomes
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.truth import Target
    >>> northing = np.arange(0.0, 10.0, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((200, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> mine = Target(
    ...     identifier="T1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.0,
    ...     northing=3.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ... )
    >>> place = {"lane": "A", "easting": 0.0, "position_error": 0.0, "depth": math.nan}
    >>> place |= {"time": math.nan, "probability": math.nan}
    >>> alarms = [
    ...     Alarm(identifier="a", northing=3.0, score=2.0, **place),
    ...     Alarm(identifier="b", northing=7.0, score=1.0, **place),
    ... ]
    >>> made = outcomes(alarms, Truth(objects=(mine,)), observe([sweep], footprint=0.4))
    >>> made.found_at, made.false_at
    ({'T1': 2.0}, {'A': (1.0,)})
    """
    halo = Halo() if halo is None else halo
    if isinstance(alarms, Detection):
        threshold = alarms.threshold if threshold is None else threshold
        alarms = alarms.ranked
    limit = -math.inf if threshold is None else check_number(threshold, "threshold")
    matching = match(alarms, truth, halo, coverage=coverage, sensors=sensors)
    areas = scored_ground(truth, coverage, halo=halo, sensors=sensors).lane_areas
    swept = [target for target in matching.targets if target.is_swept]
    false: dict[str, list[float]] = {}
    for alarm in matching.alarms:
        if alarm.outcome == "false":
            false.setdefault(alarm.lane, []).append(alarm.score)
    return Outcomes(
        name=name,
        truth=truth.sha256,
        halo=halo,
        sensors=sensors,
        threshold=limit,
        lane_areas=dict(sorted(areas.items())),
        targets={target.identifier: target.lane for target in swept},
        found_at={t.identifier: None if math.isnan(t.score) else t.score for t in swept},
        false_at={lane: tuple(sorted(scores)) for lane, scores in sorted(false.items())},
        is_synthetic=truth.is_synthetic,
    )


class Drawn:
    """One detector's outcomes as arrays, to be read for many weights of lanes and targets."""

    def __init__(self, made: Outcomes, targets: list[str], lanes: list[str]):
        scores = [made.found_at[name] for name in targets]
        found = np.array([-np.inf if x is None else x for x in scores])
        false = [np.array(made.false_at.get(lane, ()), float) for lane in lanes]
        known = np.isfinite(found)
        self.thresholds = np.unique(np.concatenate([found[known], *false]))[::-1]
        self.order = np.argsort(-found, kind="stable")
        known_scores = np.where(known, found, np.nan)
        self.n_found = count_above(known_scores, self.thresholds)
        self.false_counts = np.array([count_above(x, self.thresholds) for x in false], float)
        self.areas = np.array([made.lane_areas.get(lane, 0.0) for lane in lanes])
        # the operating point as it is, even between two scores
        self.is_detected = known & (found >= made.threshold)
        self.n_false = np.array([(x >= made.threshold).sum() for x in false], float)

    def steps(self, drawn: Floats, weights: Floats) -> Steps:
        """Return the curve of every row of weights of lanes, and of targets."""
        hits = np.concatenate(
            [np.zeros((len(weights), 1)), weights[:, self.order].cumsum(axis=1)], axis=1
        )
        with np.errstate(divide="ignore", invalid="ignore"):  # nothing drawn: NaN
            pd = hits[:, self.n_found] / hits[:, -1:]
            far = (drawn @ self.false_counts) / (drawn @ self.areas)[:, None]
        return Steps(pd, far)

    def point(self, drawn: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Return Pd and false alarms per m2 at the operating point, for every row."""
        with np.errstate(divide="ignore", invalid="ignore"):
            pd = (weights @ self.is_detected) / weights.sum(axis=1)
            far = (drawn @ self.n_false) / (drawn @ self.areas)
        return pd, far

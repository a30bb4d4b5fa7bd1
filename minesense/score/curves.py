"""Pd against false alarms per area, over all thresholds, with bands and scalars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_probability, check_rng
from ..alarm import Alarm
from ..coverage import Coverage
from ..sweep import Floats
from ..truth import Truth
from .grounds import scored_ground
from .halo import Halo
from .intervals import clopper_pearson, poisson_rate
from .matching import Matching, match

#: False alarms per m2 up to which the normalised partial area is taken.
PARTIAL_AREAS = (0.1, 1.0)
#: Pd at which false alarms per m2 are read.
READ_AT_PD = (0.8, 0.9, 0.95, 0.99)
#: False alarms per m2 at which Pd is read.
READ_AT_FAR = (1e-3, 1e-2, 1e-1, 1.0)
#: The axis of plots and bands, false alarms per m2.
FAR_AXIS = np.geomspace(1e-4, 10.0, 51)

_CELLS_AT_ONCE = 4_000_000


class Steps(NamedTuple):
    """Curves over falling thresholds, as stairs: (..., n_thresholds), both rising."""

    pd: Floats
    far: Floats  #: per m2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """What resampling the lanes, then the targets in them, does to a curve."""

    n_resamples: int
    far: Floats  #: (n_axis,) false alarms per m2, `FAR_AXIS`
    pd_low: Floats  #: (n_axis,)
    pd_high: Floats  #: (n_axis,)
    scalars: Mapping[str, tuple[float, float]]  #: limits, by the names of `Curve.scalars`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """
    Pd and false alarms per square metre at every threshold that changes either.

    Pd is that of the swept targets; limits are exact and hold for one threshold each.
    """

    thresholds: Floats  #: (n,) falling
    n_detected: npt.NDArray[np.int64]  #: (n,) swept targets
    n_swept: int
    n_detected_total: npt.NDArray[np.int64]  #: (n,) of all targets
    n_targets: int
    n_false: npt.NDArray[np.int64]  #: (n,)
    area: float  #: m2, in which false alarms were counted
    confidence: float
    pd: Floats  #: (n,) NaN if no target was swept
    pd_low: Floats
    pd_high: Floats
    far: Floats  #: (n,) per m2
    far_low: Floats
    far_high: Floats
    scalars: Mapping[str, float]  #: partial areas, readings; NaN where not reached
    bands: Bands | None = None


def roc(
    alarms: Iterable[Alarm],
    truth: Truth,
    coverage: Coverage,
    *,
    sensors: str = "any",
    halo: Halo | None = None,
    confidence: float = 0.95,
    rng: np.random.Generator | None = None,
    n_resamples: int = 2000,
) -> Curve:
    """
    Return Pd against false alarms per area, over all thresholds.

    Parameters
    ----------
    alarms : iterable of Alarm
        Down to the lowest score that is of interest.
    truth : Truth
        What is in the ground.
    coverage : Coverage
        What was observed.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.
    halo : Halo, optional
        How near an alarm must be; `Halo()` by default.
    confidence : float
        Of all limits.
    rng : numpy.random.Generator, optional
        For the bands; without it, there are none.
    n_resamples : int
        How often lanes and targets are drawn for the bands.

    Returns
    -------
    Curve
        Points from the highest threshold to the lowest, and the scalars read from them.

    Raises
    ------
    TypeError, ValueError
        As for :func:`match`; if nothing was observed outside the halos and rings; if
        n_resamples is below 1 or confidence is not between 0 and 1.

    Notes
    -----
    The curve is a stair: between points it keeps the Pd of the point before, and nothing is
    interpolated. Scalars: ``pauc_F = (1/F) int_0^F Pd dFAR``; ``far_at_pd_P``, the least
    false alarms per m2 of a point with Pd >= P; ``pd_at_far_F``, the greatest Pd of a point
    with no more than F.

    Each resample draws as many lanes as there are, with replacement, and within every lane
    drawn as many targets as it has; the area and the false alarms of a lane go with it.
    Limits are percentiles. Few lanes make bands too narrow: with one, only targets vary.

    Examples
    --------
    >>> from minesense.coverage import observe
    >>> from minesense.score import roc
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
    >>> mine = {"kind": "disc", "is_target": True, "easting": 0.0, "depth": 0.05}
    >>> mine |= {"diameter": 0.1, "metal_class": "low"}
    >>> truth = Truth(
    ...     objects=(
    ...         Target(identifier="T1", northing=3.0, **mine),
    ...         Target(identifier="T2", northing=7.0, **mine),
    ...     )
    ... )
    >>> place = {"lane": "A", "easting": 0.0, "position_error": 0.0, "depth": math.nan}
    >>> place |= {"time": math.nan, "probability": math.nan}
    >>> alarms = [
    ...     Alarm(identifier="a", northing=3.0, score=3.0, **place),
    ...     Alarm(identifier="b", northing=5.0, score=2.0, **place),
    ...     Alarm(identifier="c", northing=7.0, score=1.0, **place),
    ... ]
    >>> curve = roc(alarms, truth, observe([sweep], footprint=0.4))
    >>> curve.thresholds.tolist(), curve.pd.tolist(), curve.n_false.tolist()
    ([3.0, 2.0, 1.0], [0.5, 0.5, 1.0], [0, 1, 1])
    """
    halo = Halo() if halo is None else halo
    matching = match(alarms, truth, halo, coverage=coverage, sensors=sensors)
    areas = scored_ground(truth, coverage, halo=halo, sensors=sensors).lane_areas
    return curve_of(matching, areas, confidence=confidence, rng=rng, n_resamples=n_resamples)


def curve_of(
    matching: Matching,
    lane_areas: Mapping[str, float],
    *,
    confidence: float = 0.95,
    rng: np.random.Generator | None = None,
    n_resamples: int = 2000,
) -> Curve:
    """
    Return the curve of a matching that was made without a threshold.

    Parameters
    ----------
    matching : Matching
        Of all alarms.
    lane_areas : mapping of str to float
        Area in which false alarms count, in square metres by lane.
    confidence, rng, n_resamples
        As in :func:`roc`.

    Returns
    -------
    Curve
        As for :func:`roc`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`roc`.

    Notes
    -----
    One matching serves all thresholds: alarms are served from the highest score down, so
    that what happens above a threshold does not depend on what lies below.
    """
    check_probability(confidence, "confidence")
    area = sum(lane_areas.values())
    swept = np.array([t.is_swept for t in matching.targets], bool)
    found_at = np.array([t.score for t in matching.targets], float)
    false = [alarm for alarm in matching.alarms if alarm.outcome == "false"]
    false_at = np.array([alarm.score for alarm in false], float)
    thresholds = np.unique(np.concatenate([found_at[~np.isnan(found_at)], false_at]))[::-1]
    n_detected = count_above(found_at[swept], thresholds)
    n_total = count_above(found_at, thresholds)
    n_false = count_above(false_at, thresholds)
    n_swept = int(swept.sum())
    # Counts repeat, and their limits take time.
    shares = {
        k: clopper_pearson(k, n_swept, confidence=confidence) for k in set(n_detected.tolist())
    }
    rates = {k: poisson_rate(k, area, confidence=confidence) for k in set(n_false.tolist())}
    pd = [shares[k] for k in n_detected.tolist()]
    far = [rates[k] for k in n_false.tolist()]
    pd_columns = np.array(pd, float).reshape(-1, 3).T
    far_columns = np.array(far, float).reshape(-1, 3).T
    steps = Steps(pd_columns[0], far_columns[0])
    bands = None
    if rng is not None:
        samples = _resample(
            matching,
            lane_areas,
            thresholds,
            rng=check_rng(rng),
            n_resamples=check_count(n_resamples, "n_resamples"),
        )
        bands = _bands(samples, confidence)
    return Curve(
        thresholds=thresholds,
        n_detected=n_detected,
        n_swept=n_swept,
        n_detected_total=n_total,
        n_targets=len(swept),
        n_false=n_false,
        area=area,
        confidence=confidence,
        pd=pd_columns[0],
        pd_low=pd_columns[1],
        pd_high=pd_columns[2],
        far=far_columns[0],
        far_low=far_columns[1],
        far_high=far_columns[2],
        scalars={name: float(v) for name, v in read_steps(steps, n_swept > 0).items()},
        bands=bands,
    )


def partial_area(steps: Steps, limit: float) -> Floats:
    """Return ``(1/F) int_0^F Pd dFAR`` of stairs, F the limit, over the last axis."""
    far = np.minimum(steps.far, limit)
    ends = np.concatenate([far[..., 1:], np.full((*far.shape[:-1], 1), limit)], axis=-1)
    if not far.shape[-1]:
        return np.zeros(far.shape[:-1])
    result: Floats = (steps.pd * (ends - far)).sum(axis=-1) / limit
    return result


def pd_at(steps: Steps, far: float) -> Floats:
    """Return the greatest Pd with no more than `far` false alarms per m2; 0 if none."""
    n_points = (steps.far <= far).sum(axis=-1)
    start = np.zeros((*steps.pd.shape[:-1], 1))
    stairs = np.concatenate([start, steps.pd], axis=-1)
    return np.take_along_axis(stairs, n_points[..., None], axis=-1)[..., 0]


def far_at(steps: Steps, pd: float | Floats) -> Floats:
    """
    Return the least false alarms per m2 with at least that Pd; infinite if none.

    Of (n, n_thresholds) steps, (n, 1) values of Pd are one for each.
    """
    # 0.9 of 10 targets is 9 of them, whatever 9 / 10 rounds to.
    n_points = (steps.pd < pd - 1e-12).sum(axis=-1)
    end = np.full((*steps.far.shape[:-1], 1), np.inf)
    stairs = np.concatenate([steps.far, end], axis=-1)
    return np.take_along_axis(stairs, n_points[..., None], axis=-1)[..., 0]


def read_steps(steps: Steps, has_targets: bool) -> dict[str, Floats]:
    """Return all scalars of one curve or of many; NaN where a Pd is not reached."""
    result = {f"pauc_{limit:g}": partial_area(steps, limit) for limit in PARTIAL_AREAS}
    result |= {f"pd_at_far_{far:g}": pd_at(steps, far) for far in READ_AT_FAR}
    result |= {f"far_at_pd_{pd:g}": far_at(steps, pd) for pd in READ_AT_PD}
    for name, values in result.items():
        if not has_targets:
            result[name] = np.full_like(values, np.nan)
        elif name.startswith("far_at"):
            result[name] = np.where(np.isfinite(values), values, np.nan)
    return result


def count_above(scores: Floats, thresholds: Floats) -> npt.NDArray[np.int64]:
    """Return how many scores reach each threshold; NaN never does."""
    known = np.sort(scores[~np.isnan(scores)])
    return (len(known) - np.searchsorted(known, thresholds, side="left")).astype(np.int64)


def _resample(
    matching: Matching,
    lane_areas: Mapping[str, float],
    thresholds: Floats,
    *,
    rng: np.random.Generator,
    n_resamples: int,
) -> dict[str, Floats]:
    """Return what every resample reads: scalars by name, and Pd along the axis."""
    targets = [t for t in matching.targets if t.is_swept]
    false = [alarm for alarm in matching.alarms if alarm.outcome == "false"]
    lanes = sorted({*lane_areas, *(t.lane for t in targets), *(a.lane for a in false)})
    areas = np.array([lane_areas.get(lane, 0.0) for lane in lanes])
    false_counts = np.array(
        [
            count_above(np.array([a.score for a in false if a.lane == lane]), thresholds)
            for lane in lanes
        ],
        float,
    )
    # Targets from the highest score down: a sum of weights so far is a count of hits.
    targets.sort(key=lambda t: -math.inf if math.isnan(t.score) else t.score, reverse=True)
    n_found = count_above(np.array([t.score for t in targets], float), thresholds)
    parts: list[dict[str, Any]] = []
    at_once = max(1, _CELLS_AT_ONCE // max(len(thresholds), len(targets), 1))
    for first in range(0, n_resamples, at_once):
        n = min(at_once, n_resamples - first)
        drawn = rng.multinomial(len(lanes), np.full(len(lanes), 1 / len(lanes)), size=n)
        weights = np.zeros((n, len(targets)))
        for j, lane in enumerate(lanes):
            mine = [i for i, t in enumerate(targets) if t.lane == lane]
            if mine:
                share = np.full(len(mine), 1 / len(mine))
                weights[:, mine] = rng.multinomial(drawn[:, j] * len(mine), share)
        hits = np.concatenate([np.zeros((n, 1)), weights.cumsum(axis=1)], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):  # no target or area drawn: NaN
            pd = hits[:, n_found] / hits[:, -1:]
            far = (drawn @ false_counts) / (drawn @ areas)[:, None]
        steps = Steps(pd, far)
        bad = (hits[:, -1] == 0) | (drawn @ areas == 0)
        read: dict[str, Any] = {**read_steps(steps, bool(targets))}
        read["axis"] = np.stack([pd_at(steps, x) for x in FAR_AXIS], axis=1)
        parts.append({name: values[~bad] for name, values in read.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _bands(samples: dict[str, Floats], confidence: float) -> Bands:
    """Return percentiles of what the resamples read."""
    tails = 50 * (1 - confidence), 50 * (1 + confidence)
    axis = samples["axis"]
    limits = np.full((2, len(FAR_AXIS)), np.nan)
    if len(axis):
        limits = np.percentile(axis, tails, axis=0)
    scalars = {}
    for name, values in samples.items():
        if name == "axis":
            continue
        # A Pd that is not reached is a rate beyond every other, not a missing value.
        known = np.where(np.isnan(values), np.inf, values)
        low = high = math.nan
        if len(known):
            # Order statistics: interpolation with infinity would make NaN.
            known, last = np.sort(known), len(known) - 1
            low = float(known[math.floor(tails[0] / 100 * last)])
            high = float(known[math.ceil(tails[1] / 100 * last)])
        scalars[name] = (low, high)
    return Bands(
        n_resamples=len(axis),
        far=FAR_AXIS.copy(),
        pd_low=limits[0],
        pd_high=limits[1],
        scalars=scalars,
    )

"""What became of every target and false alarm, lane by lane: all that curves are made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_probability, check_rng
from ..score.curves import Steps, far_at, partial_area, pd_at
from ..sweep import Floats

#: False alarms per m2 beyond which none is kept: no figure is read there.
MOST_FALSE = 10.0

_CELLS_AT_ONCE = 4_000_000

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """
    What one detector did on the swept targets and the scored ground of some lanes.

    Raises
    ------
    ValueError
        If arrays differ in length, or a lane has no area to count false alarms on.
    """

    areas: Floats  #: (n_lanes,) m2 in which false alarms count
    target_lanes: Integers  #: (n_targets,) index of its lane
    target_scores: Floats  #: (n_targets,) highest threshold that detects it; NaN if none
    detected: npt.NDArray[np.bool_]  #: (n_targets,) at the stated threshold
    false_lanes: Integers  #: (n_false,)
    false_scores: Floats  #: (n_false,)
    false_at_threshold: Integers  #: (n_lanes,)

    def __post_init__(self) -> None:
        same = (
            len(self.target_lanes) == len(self.target_scores) == len(self.detected)
            and len(self.false_lanes) == len(self.false_scores)
            and len(self.areas) == len(self.false_at_threshold)
        )
        lanes = np.concatenate([self.target_lanes, self.false_lanes])
        inside = not len(lanes) or 0 <= lanes.min() <= lanes.max() < len(self.areas)
        if not (same and inside and (self.areas >= 0).all() and self.areas.sum() > 0):
            msg = (
                f"Invalid outcomes of {len(self.areas)} lanes, {len(self.target_scores)} "
                f"targets and {len(self.false_scores)} false alarms. Must have a lane and a "
                "score each, and ground to count false alarms on."
            )
            raise ValueError(msg)

    @property
    def n_lanes(self) -> int:
        """Number of lanes."""
        return len(self.areas)


def pool(parts: Sequence[Outcomes]) -> Outcomes:
    """
    Join the outcomes of one detector on several parts, whose lanes all differ.

    Parameters
    ----------
    parts : sequence of Outcomes
        At least one.

    Returns
    -------
    outcomes : Outcomes
        Of all lanes, in order.

    Examples
    --------
    >>> import numpy as np
    >>> one = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0]),
    ...     target_scores=np.array([2.0]),
    ...     detected=np.array([True]),
    ...     false_lanes=np.array([0]),
    ...     false_scores=np.array([1.0]),
    ...     false_at_threshold=np.array([0]),
    ... )
    >>> pool([one, one]).target_lanes.tolist()
    [0, 1]
    """
    firsts = np.cumsum([0, *(part.n_lanes for part in parts)])[:-1].tolist()

    def join(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    def shift(name: str) -> Integers:
        pairs = zip(parts, firsts, strict=True)
        return np.concatenate([getattr(part, name) + first for part, first in pairs])

    return Outcomes(
        areas=join("areas"),
        target_lanes=shift("target_lanes"),
        target_scores=join("target_scores"),
        detected=join("detected"),
        false_lanes=shift("false_lanes"),
        false_scores=join("false_scores"),
        false_at_threshold=join("false_at_threshold"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Resampled lanes, and the targets resampled within them: how often each was drawn."""

    lanes: Floats  #: (n_resamples, n_lanes)
    targets: Floats  #: (n_resamples, n_targets)


def draw_lanes(
    n_lanes: int, target_lanes: Integers, *, rng: np.random.Generator, n_resamples: int
) -> Draws:
    """
    Draw lanes with replacement, and within every lane drawn as many targets as it has.

    Parameters
    ----------
    n_lanes : int
        Number of lanes.
    target_lanes : (n_targets,) int64 ndarray
        Lane of every target.
    rng : numpy.random.Generator
        Source of chance.
    n_resamples : int
        How often.

    Returns
    -------
    draws : Draws
        The same for every detector that is compared on these lanes.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(seed=0)
    >>> draws = draw_lanes(3, np.array([0, 0, 2]), rng=rng, n_resamples=5)
    >>> draws.lanes.sum(axis=1).tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0]
    >>> bool((draws.targets[:, :2].sum(axis=1) == 2 * draws.lanes[:, 0]).all())
    True
    """
    n_lanes = check_count(n_lanes, "n_lanes")
    n = check_count(n_resamples, "n_resamples")
    drawn = check_rng(rng).multinomial(n_lanes, np.full(n_lanes, 1 / n_lanes), size=n)
    weights = np.zeros((n, len(target_lanes)))
    for lane in range(n_lanes):
        mine = np.flatnonzero(target_lanes == lane)
        if len(mine):
            share = np.full(len(mine), 1 / len(mine))
            weights[:, mine] = rng.multinomial(drawn[:, lane] * len(mine), share)
    return Draws(drawn.astype(np.float64), weights)


def in_pieces(draws: Draws, n_events: int) -> Iterator[Draws]:
    """
    Yield some resamples after others, few enough for the memory that their curves take.

    Parameters
    ----------
    draws : Draws
        All of them.
    n_events : int
        Targets and false alarms of which each resample has a curve.

    Yields
    ------
    draws : Draws
        In order.

    Examples
    --------
    >>> import numpy as np
    >>> draws = Draws(np.ones((5, 1)), np.ones((5, 2)))
    >>> [len(some.lanes) for some in in_pieces(draws, n_events=2_000_000)]
    [2, 2, 1]
    """
    at_once = max(1, _CELLS_AT_ONCE // max(n_events, 1))
    for k in range(0, len(draws.lanes), at_once):
        yield Draws(draws.lanes[k : k + at_once], draws.targets[k : k + at_once])


def readings(outcomes: Outcomes, draws: Draws | None = None) -> dict[str, Floats]:
    """
    Read the figures of merit of a detector from its outcomes, or from resamples of them.

    Parameters
    ----------
    outcomes : Outcomes
        Of one detector.
    draws : Draws, optional
        Of its lanes and targets; without them every lane and target counts once.

    Returns
    -------
    figures : dict of (n_resamples,) float64 ndarray
        ``pauc_F``: Pd averaged over false alarms from 0 to F per m2; ``pd_at_far_F``;
        ``far_at_pd_P``, infinite if that Pd is not reached; ``pd`` and ``far`` at the stated
        threshold. NaN where a resample holds no target or no area.

    Examples
    --------
    >>> import numpy as np
    >>> one = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0, 0]),
    ...     target_scores=np.array([3.0, 1.0]),
    ...     detected=np.array([True, False]),
    ...     false_lanes=np.array([0]),
    ...     false_scores=np.array([2.0]),
    ...     false_at_threshold=np.array([0]),
    ... )
    >>> figures = readings(one)
    >>> float(figures["pd_at_far_0.01"][0]), float(figures["far_at_pd_0.9"][0])
    (0.5, 0.1)
    >>> round(float(figures["pauc_1"][0]), 3)
    0.95
    """
    if draws is None:
        draws = Draws(np.ones((1, outcomes.n_lanes)), np.ones((1, len(outcomes.target_lanes))))
    n_events = len(outcomes.target_scores) + len(outcomes.false_scores)
    parts = [
        _readings(outcomes, some.lanes, some.targets) for some in in_pieces(draws, n_events)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _readings(outcomes: Outcomes, lanes: Floats, targets: Floats) -> dict[str, Floats]:
    """Return the figures of some resamples, weights of lanes and targets given."""
    total, area = targets.sum(axis=1), lanes @ outcomes.areas
    steps = steps_of(outcomes, Draws(lanes, targets))
    result = {f"pauc_{far:g}": partial_area(steps, far) for far in (0.1, 1.0)}
    result |= {f"pd_at_far_{far:g}": pd_at(steps, far) for far in (0.01, 0.1, 1.0)}
    result |= {f"far_at_pd_{pd:g}": far_at(steps, pd) for pd in (0.8, 0.9, 0.95)}
    with np.errstate(divide="ignore", invalid="ignore"):
        result["pd"] = (targets @ outcomes.detected.astype(np.float64)) / total
        result["far"] = (lanes @ outcomes.false_at_threshold.astype(np.float64)) / area
    bad = (total == 0) | (area == 0)
    return {name: np.where(bad, np.nan, values) for name, values in result.items()}


def steps_of(outcomes: Outcomes, draws: Draws | None = None) -> Steps:
    """
    Return Pd and false alarms per m2 at every threshold that changes one of them.

    Parameters
    ----------
    outcomes : Outcomes
        Of one detector.
    draws : Draws, optional
        Of its lanes and targets; without them every lane and target counts once.

    Returns
    -------
    steps : Steps
        Arrays ``(n_resamples, n_thresholds)``, from the highest threshold down. Where a
        resample holds no target or no area, they hold zeros.

    Examples
    --------
    >>> import numpy as np
    >>> one = Outcomes(
    ...     areas=np.array([10.0]),
    ...     target_lanes=np.array([0, 0]),
    ...     target_scores=np.array([3.0, 1.0]),
    ...     detected=np.array([True, False]),
    ...     false_lanes=np.array([0]),
    ...     false_scores=np.array([1.0]),
    ...     false_at_threshold=np.array([0]),
    ... )
    >>> steps = steps_of(one)
    >>> steps.pd.tolist(), steps.far.tolist()
    ([[0.5, 1.0]], [[0.0, 0.1]])
    """
    if draws is None:
        draws = Draws(np.ones((1, outcomes.n_lanes)), np.ones((1, len(outcomes.target_lanes))))
    lanes, targets = draws.lanes, draws.targets
    known = ~np.isnan(outcomes.target_scores)
    scores = np.concatenate([outcomes.target_scores[known], outcomes.false_scores])
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)[: len(order)]
    hits = np.hstack([targets[:, known], np.zeros((len(lanes), len(outcomes.false_scores)))])
    false = np.hstack(
        [np.zeros((len(lanes), int(known.sum()))), lanes[:, outcomes.false_lanes]]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        pd = hits[:, order].cumsum(axis=1)[:, is_last] / targets.sum(axis=1)[:, None]
        far = false[:, order].cumsum(axis=1)[:, is_last] / (lanes @ outcomes.areas)[:, None]
    return Steps(np.nan_to_num(pd, posinf=0.0), np.nan_to_num(far, posinf=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """By how much one figure exceeds another, with the limits of resampled lanes."""

    first: float
    second: float
    value: float  #: second minus first
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the limits leave zero out."""
        return self.low > 0 or self.high < 0


def percentiles(values: npt.ArrayLike, *, confidence: float = 0.95) -> tuple[float, float]:
    """
    Return the limits between which the middle share of resampled values lies.

    Parameters
    ----------
    values : (n,) array_like
        Of resamples; NaN are left out, infinite ones are kept in their order.
    confidence : float
        The share.

    Returns
    -------
    low, high : float
        Order statistics, taken outwards; NaN if there is no value.

    Examples
    --------
    >>> percentiles([float("nan"), 3.0, 1.0, 2.0])
    (1.0, 3.0)
    """
    doubt = (1 - check_probability(confidence, "confidence")) / 2
    known = np.sort(np.asarray(values, dtype=np.float64))
    known = known[~np.isnan(known)]
    if not len(known):
        return math.nan, math.nan
    last = len(known) - 1
    return float(known[math.floor(doubt * last)]), float(known[math.ceil((1 - doubt) * last)])


def differences(
    first: Outcomes,
    second: Outcomes,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    figures: Sequence[str] = ("pauc_1",),
) -> dict[str, Difference]:
    """
    Compare two detectors, or two runs of one, on the same lanes.

    Parameters
    ----------
    first, second : Outcomes
        On the same lanes and swept targets, in the same order.
    rng : numpy.random.Generator
        Source of chance.
    n_resamples : int
        How often lanes and targets are drawn, for both alike.
    confidence : float
        Of the limits.
    figures : sequence of str
        Names of :func:`readings`.

    Returns
    -------
    found : dict of Difference
        By figure. Ground common to both cancels, so that the limits are those of the
        difference and not of either detector. With a single lane they are NaN: drawn again
        it is the same.

    Raises
    ------
    ValueError
        If lanes or targets differ.

    Examples
    --------
    >>> import numpy as np
    >>> whole = {
    ...     "areas": np.full(4, 10.0),
    ...     "target_lanes": np.arange(4),
    ...     "detected": np.ones(4, bool),
    ...     "false_lanes": np.array([0]),
    ...     "false_scores": np.array([0.5]),
    ...     "false_at_threshold": np.zeros(4, int),
    ... }
    >>> good = Outcomes(target_scores=np.ones(4), **whole)
    >>> blind = Outcomes(target_scores=np.full(4, np.nan), **whole)
    >>> rng = np.random.default_rng(seed=0)
    >>> differences(good, blind, rng=rng)["pauc_1"].is_beyond_chance
    True
    """
    if first.n_lanes != second.n_lanes or not np.array_equal(
        first.target_lanes, second.target_lanes
    ):
        msg = (
            f"Invalid outcomes of {first.n_lanes} and {second.n_lanes} lanes. Must be of the "
            "same lanes and targets."
        )
        raise ValueError(msg)
    draws = draw_lanes(first.n_lanes, first.target_lanes, rng=rng, n_resamples=n_resamples)
    return _differences(
        lambda drawn: readings(first, drawn), lambda drawn: readings(second, drawn), draws,
        confidence=confidence, figures=figures,
    )  # fmt: skip


def _differences(
    first: Callable[[Draws | None], Mapping[str, Floats]],
    second: Callable[[Draws | None], Mapping[str, Floats]],
    draws: Draws,
    *,
    confidence: float,
    figures: Sequence[str],
) -> dict[str, Difference]:
    """Return the differences of figures that two functions read from the same draws."""
    points = first(None), second(None)
    samples = first(draws), second(draws)
    found = {}
    for name in figures:
        a, b = (float(point[name][0]) for point in points)
        with np.errstate(invalid="ignore"):  # infinity less infinity: neither is better
            change = samples[1][name] - samples[0][name]
        if draws.lanes.shape[1] < 2:
            change = np.full_like(change, np.nan)
        low, high = percentiles(change, confidence=confidence)
        found[name] = Difference(first=a, second=b, value=b - a, low=low, high=high)
    return found

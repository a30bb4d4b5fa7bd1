"""Whether one detector is better than another on the same field: paired by lane and target."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_probability, check_rng
from ..sweep import Floats
from .curves import read_steps
from .figures import format_digits
from .outcomes import Drawn, Outcomes
from .rejection import check_places, percentiles

# A curve of many thresholds is read for so many cells at once.
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of two detectors, and how far the second is from the first."""

    name: str
    first: float  #: NaN where it is not reached
    second: float
    value: float  #: second minus first
    low: float  #: NaN where nothing tells it, as with a single lane
    high: float
    ratio: float  #: second over first
    ratio_low: float
    ratio_high: float
    n_resamples: int  #: that tell a difference

    @property
    def is_told_apart(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class McNemar:
    """Targets that only one of two detectors found, and how likely that is by chance."""

    n_both: int
    n_first: int  #: found by the first alone
    n_second: int  #: found by the second alone
    n_neither: int
    p: float  #: exact, two-sided


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two detectors on the same field."""

    first: str
    second: str
    is_synthetic: bool
    confidence: float
    n_lanes: int
    n_targets: int
    differences: Mapping[str, Difference]
    mcnemar: McNemar

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain words and numbers; what is not finite is None."""
        content = dataclasses.asdict(self)
        content["differences"] = {
            name: {
                key: None if isinstance(x, float) and not math.isfinite(x) else x
                for key, x in item.items()
            }
            for name, item in content["differences"].items()
        }
        return content

    def __str__(self) -> str:
        """Return the comparison as a table."""
        label = ["SYNTHETIC data: says nothing about performance in the field."]
        lines = label if self.is_synthetic else []
        lines += [
            f"{self.second or 'second'} against {self.first or 'first'}: "
            f"{self.n_targets} swept targets, {self.n_lanes} lanes",
            f"{'':<18}{'first':>10}{'second':>10}{'difference':>12}"
            f"  {100 * self.confidence:g} % interval",
        ]
        for item in self.differences.values():
            mark = " *" if item.is_told_apart else ""
            lines.append(
                f"{item.name:<18}{format_digits(item.first):>10}"
                f"{format_digits(item.second):>10}{item.value:>12.4g}"
                f"  {item.low:.4g} to {item.high:.4g}{mark}"
            )
        found = self.mcnemar
        lines.append(
            f"McNemar: {found.n_second} found by the second alone, {found.n_first} by the "
            f"first alone, exact p {found.p:.3g}"
        )
        return "\n".join(lines)


def compare(
    first: Outcomes,
    second: Outcomes,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
    n_resamples: int = 2000,
) -> Comparison:
    """
    Return how far the second of two detectors is from the first.

    Parameters
    ----------
    first, second : Outcomes
        Of the same truth, halo and ground.
    rng : numpy.random.Generator
        For the limits.
    confidence : float
        Of the limits.
    n_resamples : int
        How often lanes and targets are drawn.

    Returns
    -------
    comparison : Comparison
        Differences, second minus first, of `pd` and `far` at the two operating points and
        of every scalar of :class:`Curve`; and McNemar's test on the swept targets.

    Raises
    ------
    TypeError, ValueError
        If the two are not of the same truth, halo, swept targets and areas, there is no
        swept target, or rng is no generator.

    Notes
    -----
    Each resample draws lanes with replacement, and as many targets in every lane drawn as
    it has, once for both detectors: what a lane does to both cancels. Limits are
    percentiles. A false-alarm rate at a Pd that is not reached is infinite; resamples
    in which neither reaches it tell nothing and are left out of that figure. One lane drawn
    again is the same lane: with a single one there are no limits, NaN, and nothing is told
    apart.

    McNemar's p is ``min(1, 2 P(X <= min(b, c)))``, X binomial with 1/2 over the b + c
    targets that only one detector found. It takes targets as independent; where lanes
    differ much, the interval of `pd` is the better guide.

    References
    ----------
    Q. McNemar (1947): Note on the sampling error of the difference between correlated
    proportions or percentages. Psychometrika 12, 153-157.

    Examples
    --------
    >>> import dataclasses
    >>> import numpy as np
    >>> from minesense.score import Halo, Outcomes, compare
    >>> first = Outcomes(
    ...     name="energy",
    ...     truth="0" * 64,
    ...     halo=Halo(),
    ...     sensors="any",
    ...     threshold=1.0,
    ...     lane_areas={"A": 20.0, "B": 20.0},
    ...     targets={"T1": "A", "T2": "B"},
    ...     found_at={"T1": 2.0, "T2": 1.5},
    ...     false_at={"A": (1.0, 2.5), "B": (1.2, 3.0)},
    ...     is_synthetic=True,
    ... )
    >>> second = dataclasses.replace(first, name="fused", false_at={"A": (1.0,)})
    >>> result = compare(first, second, rng=np.random.default_rng(seed=0))
    >>> far = result.differences["far"]
    >>> far.first, far.second, far.is_told_apart, result.mcnemar.p
    (0.1, 0.025, True, 1.0)
    """
    _check_same(first, second)
    check_probability(confidence, "confidence")
    n_resamples = check_count(n_resamples, "n_resamples")
    rng = check_rng(rng)
    targets = sorted(first.targets)
    lanes = sorted(
        {*first.lane_areas, *first.targets.values(), *first.false_at, *second.false_at}
    )
    pair = [Drawn(made, targets, lanes) for made in (first, second)]
    whole = [_read(made, np.ones((1, len(lanes))), np.ones((1, len(targets)))) for made in pair]
    size = max(len(made.thresholds) for made in pair) + len(targets)
    at_once = max(1, _CELLS_AT_ONCE // size)
    lane_of = np.array([lanes.index(first.targets[name]) for name in targets])
    parts: list[list[dict[str, Floats]]] = []
    for start in range(0, n_resamples, at_once):
        drawn, weights = _draw(rng, lane_of, len(lanes), min(at_once, n_resamples - start))
        parts.append([_read(made, drawn, weights) for made in pair])
    differences = {}
    for name in whole[0]:
        a, b = (np.concatenate([part[k][name] for part in parts]) for k in (0, 1))
        if len(lanes) < 2:
            a, b = np.full_like(a, np.nan), np.full_like(b, np.nan)
        values = float(whole[0][name][0]), float(whole[1][name][0])
        differences[name] = _difference(name, values, a, b, confidence)
    return Comparison(
        first=first.name,
        second=second.name,
        is_synthetic=first.is_synthetic,
        confidence=confidence,
        n_lanes=len(lanes),
        n_targets=len(targets),
        differences=differences,
        mcnemar=_mcnemar(first, second, targets),
    )


def compare_rejections(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    labels: npt.ArrayLike,
    lanes: Sequence[str],
    *,
    rng: np.random.Generator,
    emplacements: Sequence[str] | None = None,
    missed: Sequence[int] = (0, 1),
    confidence: float = 0.95,
    n_resamples: int = 2000,
) -> tuple[Difference, ...]:
    """
    Return how much more clutter the second of two orders of the same places rejects.

    Parameters
    ----------
    first, second : (n,) array_like
        Scores of the same places by two classifiers.
    labels, lanes, rng, emplacements, missed, confidence, n_resamples
        As in :func:`rejection`.

    Returns
    -------
    tuple of Difference
        One for each number of mines that may be lost, named `rejected_at_0` and so on.

    Raises
    ------
    TypeError, ValueError
        As for :func:`rejection`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.score import compare_rejections
    >>> labels = [True, True, False, False] * 2
    >>> lanes = ["A"] * 4 + ["B"] * 4
    >>> poor, good = [3, 1, 2, 0] * 2, [3, 2, 1, 0] * 2
    >>> rng = np.random.default_rng(seed=0)
    >>> none, _ = compare_rejections(poor, good, labels, lanes, rng=rng)
    >>> none.first, none.second, none.value
    (0.5, 1.0, 0.5)
    """
    places = [check_places(scores, labels, lanes, emplacements) for scores in (first, second)]
    check_probability(confidence, "confidence")
    n_resamples = check_count(n_resamples, "n_resamples")
    drawn = places[0].draw(check_rng(rng), n_resamples)
    once = np.ones((1, drawn.shape[1]), np.int64)
    results = []
    for k in (check_count(k, "missed", least=0) for k in missed):
        if k >= len(places[0].mine_scores):
            n_mines = len(places[0].mine_scores)
            msg = f"Invalid missed '{k}'. Must be below the number of mines, {n_mines}."
            raise ValueError(msg)
        values = [float(one.share(once, k)[0]) for one in places]
        a, b = (one.shares(drawn, k) for one in places)
        results.append(
            _difference(f"rejected_at_{k}", (values[0], values[1]), a, b, confidence)
        )
    return tuple(results)


def _read(made: Drawn, drawn: Floats, weights: Floats) -> dict[str, Floats]:
    """Return every figure of one detector for every row of weights."""
    pd, far = made.point(drawn, weights)
    steps = made.steps(drawn, weights)
    found = {"pd": pd, "far": far, **read_steps(steps, has_targets=True)}
    nothing = (weights.sum(axis=1) == 0) | (drawn @ made.areas == 0)
    return {
        # a rate at a Pd that is not reached is beyond every other
        name: np.where(nothing, np.nan, np.where(np.isnan(values), np.inf, values))
        for name, values in found.items()
    }


def _draw(
    rng: np.random.Generator, lane_of: npt.NDArray[np.int64], n_lanes: int, n: int
) -> tuple[Floats, Floats]:
    """Return how often each lane counts in n resamples, and each target."""
    drawn = rng.multinomial(n_lanes, np.full(n_lanes, 1 / n_lanes), size=n)
    weights = np.zeros((n, len(lane_of)))
    for k in range(n_lanes):
        mine = np.flatnonzero(lane_of == k)
        if len(mine):
            share = np.full(len(mine), 1 / len(mine))
            weights[:, mine] = rng.multinomial(drawn[:, k] * len(mine), share)
    return drawn.astype(float), weights


def _difference(
    name: str, values: tuple[float, float], a: Floats, b: Floats, confidence: float
) -> Difference:
    """Return one figure's difference and ratio with the percentiles of its resamples."""
    with np.errstate(divide="ignore", invalid="ignore"):  # both infinite, or 0 / 0: NaN
        low, high, n = percentiles(b - a, confidence)
        ratio_low, ratio_high, _ = percentiles(b / a, confidence)
        first, second = np.float64(values[0]), np.float64(values[1])
        change, ratio = float(second - first), float(second / first)
    return Difference(
        name=name,
        first=values[0] if math.isfinite(values[0]) else math.nan,
        second=values[1] if math.isfinite(values[1]) else math.nan,
        value=change,
        low=low,
        high=high,
        ratio=ratio,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        n_resamples=n,
    )


def _mcnemar(first: Outcomes, second: Outcomes, targets: Sequence[str]) -> McNemar:
    """Return McNemar's exact test on targets."""
    from scipy.special import bdtr  # noqa: PLC0415 - SciPy is slow to import

    found = [(first.detected(name), second.detected(name)) for name in targets]
    b, c = found.count((True, False)), found.count((False, True))
    p = min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5))) if b + c else 1.0
    return McNemar(
        n_both=found.count((True, True)),
        n_first=b,
        n_second=c,
        n_neither=found.count((False, False)),
        p=p,
    )


def _check_same(first: Outcomes, second: Outcomes) -> None:
    """Raise unless two detectors were judged by the same truth on the same ground."""
    for item in (first, second):
        if not isinstance(item, Outcomes):
            msg = f"Invalid outcomes of type {type(item).__name__}. Must be Outcomes."
            raise TypeError(msg)
    same = {
        "truth": first.truth == second.truth,
        "halo": first.halo == second.halo,
        "targets": first.targets == second.targets,
        "lane_areas": first.lane_areas.keys() == second.lane_areas.keys()
        and all(
            math.isclose(first.lane_areas[k], second.lane_areas[k], abs_tol=1e-9)
            for k in first.lane_areas
        ),
    }
    for name, is_same in same.items():
        if not is_same:
            msg = (
                f"Invalid pair: '{first.name}' and '{second.name}' differ in {name}. Must be "
                "judged by one truth on one ground, for example sensors='all' for both."
            )
            raise ValueError(msg)
    if not first.targets:
        msg = "Invalid outcomes: no swept target. Must hold some to be compared on."
        raise ValueError(msg)

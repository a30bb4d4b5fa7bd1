"""How a classifier does on what it was not trained on, tier by tier."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_probability
from ..detect import (
    fit,
    fit_platt,
    out_of_fold,
    predict,
    probability,
)
from ..score.calibration_limits import (
    CalibrationError,
    calibration_error,
    calibration_limits,
)
from ..score.rejection import check_places, percentiles
from ..sweep import Floats
from .copies import refuse_copied_rows
from .evaluation_table import Table, check_table
from .tier_results import (
    LEAST_SEEDS,
    TUNED_ON_TEST,
    Evaluation,
    Figure,
    FoldFigure,
    TierResult,
)
from .tiers import RANDOM, TIERS, Split, tier_splits

_INNER_FOLDS = 3


def evaluate(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    emplacements: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    is_synthetic: bool,
    kind: str = "boosted",
    keep: float = 0.95,
    show_leak: bool = False,
    n_seeds: int = LEAST_SEEDS,
    seed: int = 0,
    n_folds: int = 5,
    confidence: float = 0.95,
    n_resamples: int = 1000,
) -> Evaluation:
    r"""
    Evaluate a classifier on what it was not trained on, in two tiers or more.

    Parameters
    ----------
    features : (n, n_features) array_like
        One row a place that was noticed; NaN where a feature is missing.
    labels : (n,) array_like
        True for mines.
    groups : mapping of str to (n,) sequence of str
        What every row belongs to, by tier: `"lane"` always, and one or more of `"site"`,
        `"soil"`, `"target_type"`, `"sensor"` and `"generator"`. A target type is that of
        mines; clutter has none.
    emplacements : (n,) sequence of str
        Mine that every row lies on, empty for clutter: rows of one are passes over it, which
        stay in one fold and count once.
    weights : (n,) array_like, optional
        In training, 1 by default.
    is_synthetic : bool
        Whether the rows were simulated; the result says so.
    kind : str
        As in :func:`minesense.detect.fit`.
    keep : float
        Share of training mines that the operating threshold keeps.
    show_leak : bool
        Whether to add a random split, to show how much it would flatter.
    n_seeds : int
        Trainings, each with its own chance and its own dealing of groups to folds.
    seed : int
        The first of the seeds, and that of the limits.
    n_folds : int
        Greatest number of folds.
    confidence : float
        Of the limits.
    n_resamples : int
        How often lanes are drawn for the limits.

    Returns
    -------
    evaluation : Evaluation
        By tier: `kept` and `rejected`, mines kept and clutter rejected at a threshold that
        was chosen in training; `brier` and `ece` of probabilities calibrated in training;
        `rejected_at_0` and `rejected_at_1`, clutter rejected when no or one mine is lost,
        read off the test scores and so marked `tuned_on_test`; and the worst fold.

    Raises
    ------
    TypeError, ValueError
        If groups is missing, does not hold lanes and another tier, or names a tier that is
        unknown; if lengths differ, a name is missing (None, NaN and blanks name nothing),
        names of a tier are neither all words nor all numbers, or differ in blanks alone; if
        a tier has only one group; if emplacements are missing, or passes of one, or rows of a
        lane, would fall into two folds; if rows of a lane are those of another one; or as
        :func:`minesense.detect.fit` of the rows outside some fold.

    Notes
    -----
    Calibration and threshold are nested: within the training rows of each split, rows are
    scored lane by lane by classifiers that had not seen their lane (at random, where the
    split is random); those scores fit the
    logistic calibration and set the threshold, at which the best places of at least a
    share `keep` of the mines lie. Scores of different folds are compared as calibrated log
    odds.

    In the tier of target types, training lacks the mines of the types held out and no clutter,
    and clutter is tested once for each of the K folds of types. So that figures are of one
    mix, log odds are shifted by :math:`\ln(N / (N - N_k))`, where :math:`N_k` of the
    :math:`N` mines in the lanes trained on are of those types (by weight); that is the shift of
    :func:`minesense.detect.with_prior` from the mix that was trained on to that of all types.
    In `brier` and `ece`, clutter counts 1/K each time. With features that tell nothing, for a
    share p of mines, they are then :math:`p (1 - p)` and zero but for chance, as in the
    other tiers.

    Limits are percentiles over lanes drawn whole, the mean over seeds in each draw; they do
    not hold the chance of training, which the range of seeds shows. Where an estimator has
    no chance of its own and there are no more groups than folds, that range is zero.

    The limits of `ece` are others, since drawing again makes it larger than it is [1]_, [2]_:
    they bound what noise can do to it. In simulations of ten lanes or more they held the
    error of ever more places at least as often as they say. With few places, the value itself
    is larger than that error, by chance.

    References
    ----------
    .. [1] Fang, Z. & Santos, A. (2019). Inference on directionally differentiable functions.
       Review of Economic Studies 86(1), 377-412. doi:10.1093/restud/rdy049.
    .. [2] Kumar, A., Liang, P. & Ma, T. (2019). Verified uncertainty calibration. Advances in
       Neural Information Processing Systems 32. arXiv 1909.10155.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.training import evaluate
    >>> rng = np.random.default_rng(seed=0)
    >>> lane = np.repeat(np.arange(8), 30)
    >>> labels = rng.random(240) < 0.3
    >>> features = rng.normal(size=(240, 2)) + 1.5 * labels[:, None]
    >>> result = evaluate(
    ...     features,
    ...     labels,
    ...     groups={
    ...         "lane": [f"lane {k}" for k in lane],
    ...         "soil": [f"soil {k // 2}" for k in lane],
    ...     },
    ...     emplacements=[f"mine {i}" if mine else "" for i, mine in enumerate(labels)],
    ...     is_synthetic=True,
    ...     kind="logistic",
    ... )
    >>> list(result.tiers)
    ['lane', 'soil']
    >>> bool(result.claim("soil", "kept").value > 0.8)
    True
    >>> result.claim("lane", "rejected_at_0")
    Traceback (most recent call last):
    ValueError: Invalid figure 'rejected_at_0' for a claim: tuned_on_test...
    """
    table = check_table(features, labels, groups, emplacements, weights)
    refuse_copied_rows(table.features, table.groups["lane"])
    keep = check_probability(keep, "keep")
    check_probability(confidence, "confidence")
    n_seeds, seed = check_count(n_seeds, "n_seeds"), check_count(seed, "seed", least=0)
    n_folds = check_count(n_folds, "n_folds", least=2)
    n_resamples = check_count(n_resamples, "n_resamples")
    wanted = [*([RANDOM] if show_leak else []), *(t for t in TIERS if t in table.groups)]
    results = {}
    for tier in wanted:
        runs = [
            _run(table, tier, kind=kind, keep=keep, n_folds=n_folds, seed=seed + k)
            for k in range(n_seeds)
        ]
        rng = np.random.default_rng(seed)
        results[tier] = _judge(table, tier, runs, rng, confidence, n_resamples)
    return Evaluation(
        tiers=results,
        is_synthetic=bool(is_synthetic),
        kind=kind,
        n_seeds=n_seeds,
        confidence=confidence,
        keep=keep,
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """What one seed said of every row when it was held out."""

    rows: npt.NDArray[np.int64]  #: tested, clutter more than once where types are held out
    fold: npt.NDArray[np.int64]
    odds: Floats  #: calibrated in training
    limits: Floats  #: threshold of the odds, chosen in training
    names: list[tuple[str, ...]]  #: by fold


def _run(table: Table, tier: str, *, kind: str, keep: float, n_folds: int, seed: int) -> _Run:
    """Train, calibrate and test every split of a tier with one seed."""
    splits = tier_splits(
        tier, table.groups, table.labels, table.emplacements, n_folds=n_folds, seed=seed
    )
    lanes = table.groups["lane"]
    if tier == RANDOM:  # who splits at random does so within training, too
        lanes = [str(i % _INNER_FOLDS) for i in range(len(lanes))]
    parts = [_test(table, split, lanes, kind=kind, keep=keep, seed=seed) for split in splits]
    return _Run(
        rows=np.concatenate([split.test for split in splits]),
        fold=np.concatenate([np.full(len(split.test), split.fold) for split in splits]),
        odds=np.concatenate([odds for odds, _ in parts]),
        limits=np.concatenate(
            [np.full(len(odds), limit) for odds, limit in parts],
        ),
        names=[split.names for split in {split.fold: split for split in splits}.values()],
    )


def _test(
    table: Table,
    split: Split,
    lanes: Sequence[str],
    *,
    kind: str,
    keep: float,
    seed: int,
) -> tuple[Floats, float]:
    """
    Return calibrated log odds of the test rows, and the threshold, both from training.

    Both are of the mix of mines and clutter in the lanes trained on, as
    :func:`minesense.detect.with_prior` has it, those mines counted that are left out.
    """
    train = split.train
    x, y, weights = table.features[train], table.labels[train], table.weights[train]
    owners = [table.emplacements[i] for i in train]
    inner = out_of_fold(
        x,
        y,
        [lanes[i] for i in train],
        weights=weights,
        n_folds=_INNER_FOLDS,
        kind=kind,
        seed=seed,
    )
    calibration = fit_platt(inner, y, weights=weights)
    best: dict[str, float] = {}
    for owner, value in zip(owners, calibration.log_odds(inner).tolist(), strict=True):
        if owner:
            best[owner] = max(best.get(owner, -math.inf), value)
    ranked = sorted(best.values(), reverse=True)
    limit = ranked[math.ceil(keep * len(ranked) - 1e-9) - 1]
    estimator = fit(x, y, weights=weights, kind=kind, seed=seed)
    odds = calibration.log_odds(predict(estimator, table.features[split.test]))
    shift = float(np.log1p(table.weights[split.left_out].sum() / weights[y].sum()))
    return odds + shift, limit + shift


def _judge(
    table: Table,
    tier: str,
    runs: Sequence[_Run],
    rng: np.random.Generator,
    confidence: float,
    n_resamples: int,
) -> TierResult:
    """Return the figures of a tier, with limits by lanes and the range of seeds."""
    names = sorted(set(table.groups["lane"]))
    n = len(names)
    drawn = np.concatenate(
        [np.ones((1, n), np.int64), rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)]
    )
    read = [_read(table, run, names, drawn) for run in runs]
    figures = {}
    for name in read[0][0]:
        values = np.array([found[name] for found, _ in read])
        low, high, _ = percentiles(values[:, 1:].mean(axis=0), confidence)
        if name == "ece":
            low, high = calibration_limits([error for _, error in read], confidence)
        seeds = values[:, 0]
        figures[name] = Figure(
            value=float(seeds.mean()),
            low=low,
            high=high,
            seed_low=float(seeds.min()),
            seed_high=float(seeds.max()),
            tuned_on_test=name in TUNED_ON_TEST,
        )
    folds = tuple(_fold(table, runs[0], k) for k in range(len(runs[0].names)))
    mines = [item for item in folds if item.n_mines]
    return TierResult(
        tier=tier,
        meaning=TIERS[tier],
        is_demonstration=tier == RANDOM,
        n_rows=len(table.labels),
        n_mines=len({name for name in table.emplacements if name}),
        n_clutter=int((~table.labels).sum()),
        n_groups=len(set(table.groups.get(tier, table.groups["lane"])) - {""}),
        n_folds=len(folds),
        figures=figures,
        folds=folds,
        worst=min(mines, key=lambda item: (item.kept, item.rejected)),
    )


def _read(
    table: Table, run: _Run, names: Sequence[str], drawn: npt.NDArray[np.int64]
) -> tuple[dict[str, Floats], CalibrationError]:
    """Return every figure of one seed for every way that lanes were drawn, and the ece's."""
    lanes = [table.groups["lane"][i] for i in run.rows]
    labels = table.labels[run.rows]
    owners = [table.emplacements[i] for i in run.rows]
    index = np.array([names.index(lane) for lane in lanes])
    p, y = probability(run.odds), labels.astype(float)
    each = 1 / np.bincount(run.rows)[run.rows]  # a row that is tested K times counts once
    best = _mines(table, run)
    mine_lane = np.array([names.index(lane) for lane, _ in best.values()])
    is_kept = np.array([ok for _, ok in best.values()], float)
    clutter = np.flatnonzero(~labels)
    is_rejected = (run.odds < run.limits)[clutter].astype(float)
    places = check_places(run.odds, labels, lanes, owners)
    by_lane = drawn[:, [names.index(name) for name in places.names]]
    with np.errstate(divide="ignore", invalid="ignore"):  # lanes without any: NaN
        found = {
            "kept": (drawn[:, mine_lane] @ is_kept) / drawn[:, mine_lane].sum(axis=1),
            "rejected": (drawn[:, index[clutter]] @ is_rejected)
            / drawn[:, index[clutter]].sum(axis=1),
            "brier": (drawn[:, index] @ (each * (p - y) ** 2)) / (drawn[:, index] @ each),
        }
    error = calibration_error(p, labels, index, drawn[1:], weights=each)
    found |= {
        "ece": np.array([error.value]),
        "rejected_at_0": places.share(by_lane, 0),
        "rejected_at_1": places.share(by_lane, 1),
    }
    return found, error


def _mines(table: Table, run: _Run) -> dict[str, tuple[str, bool]]:
    """Return lane of every mine, and whether the best of its places reached the threshold."""
    found: dict[str, tuple[str, bool]] = {}
    is_kept = run.odds >= run.limits
    for row, ok in zip(run.rows.tolist(), is_kept.tolist(), strict=True):
        name = table.emplacements[row]
        if name:
            before = found.get(name, ("", False))[1]
            found[name] = table.groups["lane"][row], before or ok
    return found


def _fold(table: Table, run: _Run, k: int) -> FoldFigure:
    """Return the figures of one fold."""
    chosen = np.flatnonzero(run.fold == k)
    part = dataclasses.replace(
        run, rows=run.rows[chosen], odds=run.odds[chosen], limits=run.limits[chosen]
    )
    kept = [ok for _, ok in _mines(table, part).values()]
    clutter = ~table.labels[part.rows]
    rejected = (part.odds < part.limits)[clutter]
    return FoldFigure(
        names=run.names[k],
        n_mines=len(kept),
        n_clutter=int(clutter.sum()),
        kept=sum(kept) / len(kept) if kept else math.nan,
        rejected=float(rejected.mean()) if len(rejected) else math.nan,
    )

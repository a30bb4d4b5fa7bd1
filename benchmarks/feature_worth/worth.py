"""What sets of features are worth: out of fold by lane, with paired limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from minesense.detect import out_of_fold
from minesense.training import emplacement_weights

#: The trees of all tables here, which are of some 50 lanes. Those of the detectors are larger
#: since the benchmark trains on 180.
SMALL_TREES = {
    "max_iter": 120,
    "max_depth": 3,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 8,
    "l2_regularization": 1.0,
}
RATE = 0.5  # false alarms per m^2 up to which the curve counts
#: What is told of each set of features.
WORDS = (f"area to {RATE}/m^2", "rejected at no loss", "rejected at 5 % loss")


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Candidates of a field, and what lies there."""

    lanes: np.ndarray  # name of each candidate's lane
    owner: np.ndarray  # target of each candidate, -1 for none
    targets: dict[int, str]  # lane of every target

    @property
    def is_mine(self) -> np.ndarray:
        """Whether a candidate is one of a mine."""
        return self.owner >= 0


def scores_of(
    table: np.ndarray, candidates: Candidates, *, kind: str = "boosted"
) -> np.ndarray:
    """Return what a classifier says of every candidate that has not seen its lane."""
    names = [f"mine {k}" if k >= 0 else "" for k in candidates.owner]
    return out_of_fold(
        table,
        candidates.is_mine,
        candidates.lanes.tolist(),
        emplacements=names,
        weights=emplacement_weights(candidates.owner),
        kind=kind,
        options=SMALL_TREES if kind == "boosted" else None,
    )


def figures(
    scores: np.ndarray, candidates: Candidates, counts: Mapping[str, int], area: float
) -> np.ndarray:
    """
    Return figures of lanes that count so many times each.

    They are the area under Pd over false alarms up to RATE, over RATE; and the share of
    clutter rejected where no mine more is lost, and where 5 % of those noticed are.
    """
    weight = np.array([counts[lane] for lane in candidates.lanes])
    is_mine = candidates.is_mine
    false, false_weight = scores[~is_mine], weight[~is_mine]
    total = sum(counts[lane] for lane in candidates.targets.values())
    best, heavy = [], []
    for k in np.unique(candidates.owner[is_mine]):
        best.append(scores[candidates.owner == k].max())
        heavy.append(counts.get(candidates.targets.get(k, ""), 0))
    mines, mine_weight = np.array(best), np.array(heavy)
    order = np.argsort(-false, kind="stable")
    rate = np.cumsum(false_weight[order]) / (area * sum(counts.values()))
    order_mines = np.argsort(-mines, kind="stable")
    found = np.append(0, np.cumsum(mine_weight[order_mines]))
    above = np.searchsorted(-mines[order_mines], -false[order], side="left")
    pd = found[above] / total
    # the curve is a step at every false alarm: Pd before it holds up to its rate
    steps = np.diff(np.minimum(np.append(0.0, rate), RATE))
    rest = max(0.0, RATE - float(rate[-1])) * found[-1] / total
    partial = (float((steps * pd).sum()) + rest) / RATE
    seen = mines[mine_weight > 0]
    drawn = np.repeat(mines, mine_weight)
    cuts = (seen.min(), np.sort(drawn)[int(0.05 * len(drawn))])
    rejected = [float(false_weight[false < cut].sum() / false_weight.sum()) for cut in cuts]
    return np.array([partial, *rejected])


def compare(
    scores: Mapping[str, np.ndarray],
    candidates: Candidates,
    *,
    area: float,
    seed: int,
    n_bootstrap: int,
) -> list[str]:
    """
    Return the table of sets of features, and of what each differs from the first.

    Limits are those of lanes drawn with replacement, of a difference from the same draws.
    """
    lanes = sorted(set(candidates.lanes) | set(candidates.targets.values()))
    rng = np.random.default_rng(seed)
    drawn_lanes = [
        np.bincount(rng.integers(len(lanes), size=len(lanes)), minlength=len(lanes)).tolist()
        for _ in range(n_bootstrap)
    ]
    draws = [dict(zip(lanes, counts, strict=True)) for counts in drawn_lanes]
    once = dict.fromkeys(lanes, 1)
    point = {name: figures(s, candidates, once, area) for name, s in scores.items()}
    drawn = {
        name: np.array([figures(s, candidates, counts, area) for counts in draws])
        for name, s in scores.items()
    }
    first = next(iter(scores))
    heads = ("features", *WORDS, *(f"{word}, less the first row" for word in WORDS))
    lines = [
        f"| {' | '.join(heads)} |",
        "|" + "---|" * (1 + 2 * len(WORDS)),
    ]
    for name in scores:
        cells = [
            f"{value:.3f} ({low:.3f}-{high:.3f})"
            for value, (low, high) in zip(point[name], _limits(drawn[name]), strict=True)
        ]
        change = point[name] - point[first]
        cells += [
            f"{value:+.3f} ({low:+.3f} to {high:+.3f})" if name != first else ""
            for value, (low, high) in zip(
                change, _limits(drawn[name] - drawn[first]), strict=True
            )
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _limits(drawn: np.ndarray) -> np.ndarray:
    """Return 95 % limits of each figure."""
    return np.quantile(drawn, [0.025, 0.975], axis=0).T

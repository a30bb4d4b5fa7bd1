"""Measure what features of places add to those of single coils, on a SYNTHETIC field.

    python -m benchmarks.feature_worth.emi [--lanes 96] [--seed 1] [--bootstrap 500]

The metal detector of a cart alone, in three soils. Candidates of the prescreener are judged by
the boosted classifier out of fold, whole lanes at a time, with the features of the coils, and
with those of the places beside them. Intervals come from lanes drawn with replacement; that
of a difference from the same draws for both. Mines that the prescreener missed are counted as
missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from typing import Any

import numpy as np

from minesense.detect import DetectorSettings, Screen, out_of_fold
from minesense.emi import (
    COIL_FEATURES,
    PLACE_FEATURES,
    coil_features,
    place_features,
    soil_decay,
)
from minesense.score import Halo
from minesense.sensor import pulse_train_of
from minesense.synthetic import field, scenario
from minesense.synthetic.simulate import sweep_lane
from minesense.training import emplacement_weights, label_sites

SOILS = ("loam", "quartz_sand", "laterite_basalt")
RATE = 0.5  # false alarms per m^2 up to which the curve counts
GROUPS = {
    "dipole": slice(0, 11),
    "relaxations": slice(11, 19),
    "footprint": slice(19, 23),
    "soil around": slice(23, 27),
}


@dataclasses.dataclass(frozen=True)
class Places:
    """Candidates of a field, and what lies there."""

    coils: np.ndarray
    places: np.ndarray
    lanes: np.ndarray  # name of each candidate's lane
    owner: np.ndarray  # target of each candidate, -1 for none
    targets: dict[int, str]  # lane of every target


def spread_of(samples: np.ndarray) -> np.ndarray:
    """Return a robust standard deviation over traces."""
    apart = np.abs(samples - np.median(samples, axis=0))
    return np.maximum(1.4826 * np.median(apart, axis=0), 1e-15)


def collect(n_lanes: int, seed: int) -> Places:
    """Sweep a field, screen it and describe its candidates."""
    plan = scenario(
        "farmland", lanes={"training": n_lanes, "blind": 0}, ground={"soils": list(SOILS)}
    )
    made, settings = field(plan, seed=seed), DetectorSettings()
    carrier = dataclasses.replace(plan.platform.carrier(), radar=None, radar_spacing=None)
    found: list[Any] = []
    rows: list[np.ndarray] = []
    for lane in made.lanes:
        screen = Screen(settings)
        screen.push(sweep_lane(made, lane, carrier)[0])
        for part in screen.finish().parts:
            traces = [c.trace for c in part.candidates]
            channels = [c.channel for c in part.candidates]
            sweep = part.processed
            options: dict[str, Any] = {
                "spread": spread_of(sweep.samples[sweep.is_usable].astype(np.float64)),
                "soil": soil_decay(pulse_train_of(sweep.sensor)),
                "spacing": settings.coils.spacing,
            }
            coils = coil_features(sweep, part.scores, traces, channels, **options)
            rows.append(np.hstack([coils, place_features(sweep, traces, channels, **options)]))
            found += part.candidates
    owner, keep = label_sites(found, made.truth, Halo())
    corners = np.array([lane.area for lane in made.lanes])
    inside = np.array(
        [
            bool(
                (
                    (corners[:, :2] <= (c.easting, c.northing))
                    & (corners[:, 2:] >= (c.easting, c.northing))
                )
                .all(axis=1)
                .any()
            )
            for c in found
        ]
    )
    use = keep & ((owner >= 0) | inside)
    table = np.concatenate(rows)[use]
    targets = {}
    for k, target in enumerate(made.truth.targets):
        at = np.array([target.easting, target.northing])
        own = ((corners[:, :2] <= at) & (corners[:, 2:] >= at)).all(axis=1)
        if own.any():
            targets[k] = made.lanes[int(own.argmax())].name
    n = len(COIL_FEATURES)
    lanes = np.array([c.lane for c in found])[use]
    return Places(table[:, :n], table[:, n:], lanes, owner[use], targets)


def figures(scores: np.ndarray, places: Places, counts: dict[str, int], area: float) -> Any:
    """
    Return figures of lanes that count so many times each.

    They are the area under Pd over false alarms up to RATE, over RATE; and the share of
    clutter rejected where no mine more is lost, and where 5 % of those noticed are.
    """
    weight = np.array([counts[lane] for lane in places.lanes])
    is_mine = places.owner >= 0
    false, false_weight = scores[~is_mine], weight[~is_mine]
    total = sum(counts[lane] for lane in places.targets.values())
    best, heavy = [], []
    for k in np.unique(places.owner[is_mine]):
        own = places.owner == k
        best.append(scores[own].max())
        heavy.append(counts.get(places.targets.get(k, ""), 0))
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


def main() -> None:
    """Collect, judge with each set of features, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bootstrap", type=int, default=500)
    given = parser.parse_args()
    places = collect(given.lanes, given.seed)
    sets = {"coils": places.coils, "coils and places": np.hstack([places.coils, places.places])}
    for name, columns in GROUPS.items():
        sets[f"coils and {name}"] = np.hstack([places.coils, places.places[:, columns]])
    sets["places alone"] = places.places
    is_mine = places.owner >= 0
    names = [f"mine {k}" if k >= 0 else "" for k in places.owner]
    weights = emplacement_weights(places.owner)
    scores = {
        name: out_of_fold(
            table, is_mine, places.lanes.tolist(), emplacements=names, weights=weights
        )
        for name, table in sets.items()
    }
    lanes = sorted(set(places.lanes) | set(places.targets.values()))
    rng, area = np.random.default_rng(given.seed), 20.0
    once = dict.fromkeys(lanes, 1)
    draws = [
        dict(
            zip(
                lanes,
                np.bincount(
                    rng.integers(len(lanes), size=len(lanes)), minlength=len(lanes)
                ).tolist(),
                strict=True,
            )
        )
        for _ in range(given.bootstrap)
    ]
    point = {name: figures(s, places, once, area) for name, s in scores.items()}
    drawn = {
        name: np.array([figures(s, places, counts, area) for counts in draws])
        for name, s in scores.items()
    }
    print(f"SYNTHETIC: {len(lanes)} lanes of 20 m^2, {', '.join(SOILS)}, seed {given.seed}")
    print(
        f"{len(places.targets)} mines, {len(set(places.owner[is_mine]))} of them noticed; "
        f"{int((~is_mine).sum())} other candidates; {len(PLACE_FEATURES)} features of places"
    )
    words = (f"area to {RATE}/m^2", "rejected at no loss", "rejected at 5 % loss")
    print(f"{'features':26s}" + "".join(f"{word:>30s}" for word in words))
    for name in sets:
        print(
            f"{name:26s}"
            + "".join(
                f"{point[name][k]:14.3f} ({low:.3f}-{high:.3f})"
                for k, (low, high) in enumerate(
                    np.quantile(drawn[name], [0.025, 0.975], axis=0).T
                )
            )
        )
    for name in list(sets)[1:]:
        change = point[name] - point["coils"]
        ends = np.quantile(drawn[name] - drawn["coils"], [0.025, 0.975], axis=0).T
        print(
            f"{name + ' - coils':26s}"
            + "".join(
                f"{change[k]:+12.3f} ({low:+.3f} to {high:+.3f})"
                for k, (low, high) in enumerate(ends)
            )
        )
    if not all(map(math.isfinite, point["coils"])):
        msg = "no figures: too few candidates"
        raise SystemExit(msg)


if __name__ == "__main__":
    main()

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
from typing import Any

import numpy as np

from minesense.detect import DetectorSettings, Screen
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
from minesense.training import label_sites

from .worth import Candidates, compare, scores_of

SOILS = ("loam", "quartz_sand", "laterite_basalt")
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
    candidates: Candidates


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
    return Places(table[:, :n], table[:, n:], Candidates(lanes, owner[use], targets))


def main() -> None:
    """Collect, judge with each set of features, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bootstrap", type=int, default=500)
    given = parser.parse_args()
    places = collect(given.lanes, given.seed)
    candidates = places.candidates
    sets = {"coils": places.coils, "coils and places": np.hstack([places.coils, places.places])}
    for name, columns in GROUPS.items():
        sets[f"coils and {name}"] = np.hstack([places.coils, places.places[:, columns]])
    sets["places alone"] = places.places
    scores = {name: scores_of(table, candidates) for name, table in sets.items()}
    n_lanes = len(set(candidates.lanes) | set(candidates.targets.values()))
    print(f"SYNTHETIC: {n_lanes} lanes of 20 m^2, {', '.join(SOILS)}, seed {given.seed}")
    print(
        f"{len(candidates.targets)} mines, {len(set(candidates.owner[candidates.is_mine]))} of "
        f"them noticed; {int((~candidates.is_mine).sum())} other candidates; "
        f"{len(PLACE_FEATURES)} features of places"
    )
    for line in compare(
        scores, candidates, area=20.0, seed=given.seed, n_bootstrap=given.bootstrap
    ):
        print(line)


if __name__ == "__main__":
    main()

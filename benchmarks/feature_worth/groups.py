"""Ablation: what each group of features is worth to a sensor's classifier, on SYNTHETIC fields.

    python -m benchmarks.feature_worth.groups [--lanes 48] [--seed 1] [--bootstrap 300]

Both sensors of a cart over three fields: farmland, village and battlefield clutter, in three
soils each. For each sensor, the places that its own prescreener noticed are judged by the
boosted classifier out of fold, whole lanes at a time: with the usual groups, with each other
group added, with each group alone, and with one of the usual left out. Mines that the
prescreener missed are counted as missed. Writes docs/validation/features_table.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from minesense.detect import GROUPS, DetectorSettings, features_of, find_sites
from minesense.score import Halo
from minesense.synthetic import field, scenario
from minesense.training import label_sites, screen_lanes

from .worth import Candidates, compare, scores_of

TABLE = Path(__file__).parents[2] / "docs" / "validation" / "features_table.md"
CLUTTER = ("farmland", "village", "battlefield")
SOILS = ("loam", "quartz_sand", "clay")
LENGTH, WIDTH = 20.0, 1.0  # m
#: Groups of the first row. With 180 training lanes the detectors use more of the radar's.
USUAL = {"gpr": ("score", "echo", "spectrum", "shape"), "emi": ("score", "decay", "places")}
#: Groups that hold what another group holds, too, or, focused, describe the same echo again:
#: benchmarks.feature_worth.shallow judges those.
CONTAINED = {"gpr": ("level", "focused"), "emi": ()}


def groups_of(kind: str) -> tuple[str, ...]:
    """Return the groups of a sensor that are compared."""
    return tuple(name for name in GROUPS[kind] if name not in CONTAINED[kind])


def collect(n_lanes: int, seed: int) -> dict[str, tuple[np.ndarray, Candidates]]:
    """Sweep the fields; return features and labels of what each sensor noticed."""
    groups = {kind: groups_of(kind) for kind in GROUPS}
    rows: dict[str, list[np.ndarray]] = {kind: [] for kind in GROUPS}
    lanes: dict[str, list[str]] = {kind: [] for kind in GROUPS}
    owners: dict[str, list[int]] = {kind: [] for kind in GROUPS}
    targets: dict[int, str] = {}
    for number, clutter in enumerate(CLUTTER):
        plan = scenario(
            "farmland",
            lanes={"training": n_lanes // len(CLUTTER), "blind": 0, "length": LENGTH},
            ground={"soils": list(SOILS)},
            clutter={"preset": clutter},
        )
        made = field(plan, seed=1000 * seed + number)
        screened = screen_lanes(made.sweep(plan.platform.carrier(), workers=2), workers=2)
        sites = [
            site
            for lane in screened.lanes
            for site in find_sites(lane, DetectorSettings(), groups=groups)
        ]
        owner, keep = label_sites(sites, made.truth, Halo())
        corners = {lane.name: lane.area for lane in made.lanes}
        first = len(targets)
        for k, target in enumerate(made.truth.targets):
            targets[first + k] = f"{clutter} {target.lane}"
        for k, site in enumerate(sites):
            west, south, east, north = corners[site.lane]
            inside = west <= site.easting <= east and south <= site.northing <= north
            if not (keep[k] and (owner[k] >= 0 or inside)):
                continue
            for kind in site.noticed:
                rows[kind].append(site.features[kind])
                lanes[kind].append(f"{clutter} {site.lane}")
                owners[kind].append(first + int(owner[k]) if owner[k] >= 0 else -1)
    return {
        kind: (
            np.array(rows[kind]),
            Candidates(np.array(lanes[kind]), np.array(owners[kind]), targets),
        )
        for kind in GROUPS
    }


def sets_of(kind: str, table: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of every set of groups that is compared, the usual first."""
    at, columns = 0, {}
    for name in groups_of(kind):
        n = len(features_of(kind, {kind: (name,)}))
        columns[name] = np.arange(at, at + n)
        at += n
    usual = USUAL[kind]

    def of(names: tuple[str, ...]) -> np.ndarray:
        return table[:, np.concatenate([columns[name] for name in names])]

    found = {" and ".join(usual): of(usual)}
    for name in groups_of(kind):
        if name not in usual:
            found[f"with {name}"] = of((*usual, name))
    if len(usual) > 1:
        for name in usual:
            found[f"without {name}"] = of(tuple(other for other in usual if other != name))
    for name in groups_of(kind):
        if name != "context" and (name,) != usual:
            found[f"{name} alone"] = of((name,))
    found["all"] = table
    return found


def main() -> int:
    """Collect, judge with each set of groups, write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lanes", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bootstrap", type=int, default=300)
    parser.add_argument("--output", type=Path, default=TABLE)
    given = parser.parse_args()
    lines = []
    for kind, (table, candidates) in collect(given.lanes, given.seed).items():
        scores = {
            name: scores_of(columns, candidates)
            for name, columns in sets_of(kind, table).items()
        }
        noticed = len(set(candidates.owner[candidates.is_mine]))
        lines += [
            f"SYNTHETIC: {kind}, {given.lanes} lanes of {LENGTH * WIDTH:.0f} m², seed "
            f"{given.seed}; {noticed} of {len(candidates.targets)} mines noticed, and "
            f"{int((~candidates.is_mine).sum())} other places.",
            "",
            *compare(
                scores,
                candidates,
                area=LENGTH * WIDTH,
                seed=given.seed,
                n_bootstrap=given.bootstrap,
            ),
            "",
        ]
    text = "\n".join(lines)
    given.output.write_text(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

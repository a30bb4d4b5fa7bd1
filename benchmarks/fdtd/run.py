"""
Compute the full-wave side of the comparison and keep it.

    make fdtd                           # installs gprMax, computes what is missing, compares
    python -m benchmarks.fdtd.run       # the same without installing: about an hour on 2 cores
    python -m benchmarks.fdtd.run --scene FILE.toml    # one of one's own, printed, not kept

gprMax runs out of process. What it gave is kept in results/, so that the tests compare
without it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

from .fast import band_of
from .gprmax import Run, grid_of, has_gprmax, run_lane, run_single
from .measures import resample
from .scenes import SOILS, TARGETS, Scene, read_scene

RESULTS = Path(__file__).parent / "results"
LONGEST = 8e-9  #: s, of empty scenes, which serve all depths
DEPTHS = (0.02, 0.05, 0.10, 0.15)
POSITIONS = np.round(np.arange(-0.6, 0.601, 0.02), 3)


def single_scenes() -> list[Scene]:
    """Return the scenes of single traces, in three dimensions."""
    scenes = []
    for soil in SOILS.values():
        scenes += [
            Scene(soil=soil, target=TARGETS[name], depth=depth)
            for name in ("plastic_mine", "metal_mine", "rock")
            for depth in DEPTHS
        ]
        scenes += [
            Scene(soil=soil, target=TARGETS["pmn"], depth=depth) for depth in (0.05, 0.1)
        ]
    loam = SOILS["loam"]
    scenes += [Scene(soil=loam, target=TARGETS[name]) for name in ("ts50", "pma", "can")]
    return scenes + [
        Scene(soil=loam, target=TARGETS[name], height=height)
        for name in ("plastic_mine", "metal_mine")
        for height in (0.02, 0.10)
    ]


def lane_scenes() -> list[Scene]:
    """Return the scenes of lanes, in two dimensions."""
    return [
        Scene(soil=soil, target=TARGETS[name], depth=0.05)
        for soil in SOILS.values()
        for name in ("plastic_mine", "metal_mine", "rock")
    ]


def key_of(scene: Scene) -> str:
    """Return a name for a file: which soil, target, depth and height."""
    what = f"{scene.target.name}-{1e3 * scene.depth:g}mm" if scene.target else "empty"
    return f"{scene.soil.name}-{what}-up-{1e3 * scene.height:g}mm"


def response(scene: Scene, run: Run, empty: np.ndarray) -> np.ndarray:
    """Return scene minus empty scene, trace by trace, on the time axis of the fast model."""
    band = band_of(scene)
    axis = {"n": int(band["n_samples"]), "interval": band["interval"]}
    return np.array(
        [
            resample(trace, run.step, **axis) - resample(bare, run.step, **axis)
            for trace, bare in zip(run.traces, empty, strict=True)
        ]
    )


class Store:
    """Responses by name, kept as they come so that a run may be interrupted."""

    def __init__(self, name: str):
        self.path = RESULTS / f"{name}.npz"
        self.notes_path = RESULTS / f"{name}.json"
        self.arrays: dict[str, np.ndarray] = {}
        self.notes: dict[str, dict] = {}
        if self.path.exists():
            with np.load(self.path) as kept:
                self.arrays = {key: kept[key] for key in kept.files}
            self.notes = json.loads(self.notes_path.read_text())

    def add(self, key: str, traces: np.ndarray, note: dict) -> None:
        """Keep traces as half-precision shares of their peak, with the peak in the note."""
        peak = float(np.abs(traces).max()) or 1.0
        self.arrays[key] = (traces / peak).astype(np.float16)
        self.notes[key] = {**note, "peak": peak}
        RESULTS.mkdir(exist_ok=True)
        np.savez_compressed(self.path, **self.arrays)
        text = json.dumps(self.notes, indent=1, sort_keys=True)
        self.notes_path.write_text(text + "\n")

    def get(self, key: str) -> np.ndarray:
        """Return traces as they were, to a thousandth of their peak."""
        return self.arrays[key].astype(np.float64) * self.notes[key]["peak"]


def compute(store: Store, scenes: list[Scene], *, lane: bool) -> None:
    """Compute and keep the bounce and the response of every scene that is missing."""
    empties: dict[tuple, Run] = {}

    def empty_run(scene: Scene, *, soil: bool) -> Run:
        what = (key_of(scene.without_target()), grid_of(scene), soil)
        if what not in empties:
            one = {"soil": soil, "body": False, "window": LONGEST}
            # ground at the places of the scene, as far from the absorbing edge as there
            places = POSITIONS if soil else np.zeros(1)
            empties[what] = run_lane(scene, places, **one) if lane else run_single(scene, **one)
        return empties[what]

    for scene in scenes:
        bare, key = scene.without_target(), key_of(scene)
        if key in store.arrays:
            continue
        sys.stderr.write(f"{'lane' if lane else 'trace'}: {scene.label}\n")
        ground = empty_run(scene, soil=True)
        run = run_lane(scene, POSITIONS) if lane else run_single(scene)
        if key_of(bare) not in store.arrays:
            air = empty_run(scene, soil=False)
            middle = len(ground.traces) // 2
            one = dataclasses.replace(ground, traces=ground.traces[middle : middle + 1])
            store.add(key_of(bare), response(bare, one, air.traces), _note(bare, one))
        store.add(key, response(scene, run, ground.traces), _note(scene, run))


def _note(scene: Scene, run: Run) -> dict:
    """Return what is to be known about a run."""
    return {
        "gprMax": run.version,
        "seconds": round(run.seconds, 1),
        "n_traces": len(run.traces),
        "cell_m": scene.cell,
        "interval_s": band_of(scene)["interval"],
    }


def main() -> int:
    """Compute, then say what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--scene", type=Path, help="TOML file of one scene, not kept")
    parser.add_argument("--only", choices=("single", "lane"), help="one half")
    options = parser.parse_args()
    if not has_gprmax():
        sys.stderr.write("gprMax is not installed: pip install 'minesense[fdtd]'\n")
        return 2
    if options.scene:
        from .report import print_one  # noqa: PLC0415

        print_one(read_scene(options.scene))
        return 0
    if options.only != "lane":
        compute(Store("single"), single_scenes(), lane=False)
    if options.only != "single":
        compute(Store("lane"), lane_scenes(), lane=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""
Compute the lanes that are missing with gprMax: a field in each cell, every trace.

    python -m benchmarks.full_wave.run
    python -m benchmarks.full_wave.run --first 24 --lanes 96 --folder DEVELOPMENT

One process, resumable: a lane that was computed is kept. Needs the extra `fdtd`, or
MINESENSE_GPRMAX, a Python that has gprMax. Lanes of other indices than the first 24 are for
development: `judge --folder` judges them, so that nothing is chosen on those that are stored.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.fdtd.gprmax import has_gprmax

from .lanes import AXIS, FOLDER, lane_path, pack
from .scenes import N_LANES, lane_scene
from .solver import solve


def compute(index: int, folder: Path) -> None:
    """Compute and keep one lane."""
    scene = lane_scene(index)
    start = time.perf_counter()
    interval = float(AXIS[1] - AXIS[0])
    fields, version = solve(scene, interval=interval, n_samples=len(AXIS))
    seconds = time.perf_counter() - start
    pack(lane_path(index, folder), scene, fields, version=version)
    sys.stderr.write(f"{scene.name} ({scene.soil}): {seconds:.0f} s\n")


def main() -> int:
    """Compute what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--first", type=int, default=0, help="index of the first lane")
    parser.add_argument("--lanes", type=int, default=N_LANES, help="how many, from the first")
    options = parser.parse_args()
    wanted = range(options.first, options.first + options.lanes)
    missing = [i for i in wanted if not lane_path(i, options.folder).exists()]
    if missing and not has_gprmax():
        sys.stderr.write("gprMax is not installed: pip install 'minesense[fdtd]'\n")
        return 2
    for index in missing:
        compute(index, options.folder)
    return 0


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    sys.exit(main())

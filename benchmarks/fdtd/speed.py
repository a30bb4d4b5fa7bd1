"""
Time one section with both solvers, one after the other on this machine.

    make fdtd-speed

A lane of 8 channels, 20 m long at 5 cm, 512 samples, over uneven soil with a mine, by the
fast model; single traces of the same window by gprMax in two dimensions (5 mm cells) and
in three (2 mm cells), from the difference of a long and a short run, so that its start does
not count. Ratios are per trace.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from minesense.physics import (
    FourierField,
    Surface,
    disc_facets,
    gaussian_field,
    join_scatterers,
    radar_frequencies,
    radar_traces,
    volume_cells,
)

from .gprmax import run_lane, run_single
from .scenes import SOILS, TARGETS, Scene

BAND = {"n_samples": 512, "interval": 25e-12, "peak_frequency": 1.5e9}


def fast_lane() -> tuple[float, int]:
    """Return seconds for a lane of 3200 traces, and how many those were."""
    rng = np.random.default_rng(seed=1)
    f = radar_frequencies(**BAND)
    soil = SOILS["loam"].permittivity(f)
    heights = gaussian_field((110, 740), 0.03, outer_scale=0.4, std=0.01, hurst=0.8, rng=rng)
    ground = Surface(origin=[-1.6, -1.1], step=0.03, heights=heights)
    low, high = np.array([-1.0, -0.5, 0.01]), np.array([1.0, 20.5, 0.35])
    place = rng.uniform(low, high, (round(900 * float(np.prod(high - low))), 3))
    place[:, 2] = ground.height_at(place[:, 0], place[:, 1]) - place[:, 2]
    uneven = FourierField(3, outer_scale=0.1, std=0.1, rng=rng, n_waves=200)
    cells = volume_cells(place, contrast=uneven(place), volume=1 / 900, frequency=f, soil=soil)
    mine = disc_facets(
        [0, 10, float(ground.height_at(0, 10)) - 0.05], diameter=0.1, frequency=f, soil=soil,
        layers=[(0.04, 2.8)], depth=0.05,
    )  # fmt: skip
    things = join_scatterers([mine, cells])
    along, across = np.arange(0, 20, 0.05), (np.arange(8) - 3.5) / 8
    x, y = (v.ravel() for v in np.meshgrid(across, along))
    middle = np.column_stack([x, y, np.full(len(x), 0.12)])
    half = np.array([0, 0.03, 0])
    settings = {
        **BAND, "permittivity": soil, "surface": ground, "scatterers": things,
        "coupling": 0.25, "reach": 0.45,
    }  # fmt: skip
    radar_traces(middle[:8] - half, middle[:8] + half, **settings)  # compiles
    start = time.perf_counter()
    radar_traces(middle - half, middle + half, **settings)
    return time.perf_counter() - start, len(middle)


def full_trace(dimensions: int) -> float:
    """Return seconds of a trace by gprMax, without its start."""
    scene = Scene(
        soil=SOILS["loam"], target=TARGETS["plastic_mine"],
        cell=0.005 if dimensions == 2 else 0.002,
    )  # fmt: skip
    window = BAND["n_samples"] * BAND["interval"]
    if dimensions == 2:
        positions = np.arange(-0.5, 0.5, 0.05)
        few = run_lane(scene, positions[:2], window=window).seconds
        return (run_lane(scene, positions, window=window).seconds - few) / (len(positions) - 2)
    short = run_single(scene, window=window / 10).seconds
    return (run_single(scene, window=window).seconds - short) / 0.9


def main() -> int:
    """Print seconds and ratios."""
    seconds, n = fast_lane()
    each = seconds / n
    two, three = full_trace(2), full_trace(3)
    sys.stdout.write(
        f"fast model: {n} traces of {BAND['n_samples']} samples in {seconds:.2f} s, "
        f"{1e6 * each:.0f} us each\n"
        f"gprMax 2-D, 5 mm: {two:.2f} s a trace, {two / each:,.0f} times as long\n"
        f"gprMax 3-D, 2 mm: {three:.1f} s a trace, {three / each:,.0f} times as long\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

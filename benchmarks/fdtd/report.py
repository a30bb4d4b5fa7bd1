"""
Compare the kept full-wave results with the fast model: a table and pictures.

    make fdtd-report        # writes docs/validation/radar_table.md and its pictures

Every figure is of SYNTHETIC scenes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from .fast import band_of, lane_traces, single_trace
from .gprmax import run_single
from .measures import (
    AMPLITUDE_GOAL,
    ARRIVAL_GOAL,
    CORRELATION_GOALS,
    Likeness,
    compare,
)
from .run import POSITIONS, Store, key_of, lane_scenes, response, single_scenes
from .scenes import Scene

DOCS = Path(__file__).resolve().parents[2] / "docs" / "validation"

_FAINT = 0.1  # share of the greatest peak of a lane below which a trace is not judged
_PLACES = (0.0, 0.04, 0.08)  # m from the target, of the table of lanes

#: A scene's bounces, its full-wave response and the fast one.
Pair = tuple[tuple[float, float], np.ndarray, np.ndarray]


def single_pair(scene: Scene, store: Store) -> Pair:
    """Return bounces and responses of a single trace."""
    full_bounce = store.get(key_of(scene.without_target()))[0]
    fast_bounce = single_trace(scene.without_target())
    fast = single_trace(scene, bounce=False)
    full = store.get(key_of(scene))[0]
    n = min(len(full), len(fast))
    peaks = float(np.abs(full_bounce).max()), float(np.abs(fast_bounce).max())
    return peaks, full[:n], fast[:n].astype(np.float64)


def lane_pair(scene: Scene, store: Store) -> Pair:
    """Return bounces and responses of a lane."""
    full_bounce = store.get(key_of(scene.without_target()))[0]
    fast_bounce = lane_traces(scene.without_target(), np.zeros(1))[0]
    fast = lane_traces(scene, POSITIONS, bounce=False)
    full = store.get(key_of(scene))
    n = min(full.shape[1], fast.shape[1])
    peaks = float(np.abs(full_bounce).max()), float(np.abs(fast_bounce).max())
    return peaks, full[:, :n], fast[:, :n]


def likeness(scene: Scene, pair: Pair) -> Likeness:
    """Return how alike the responses of a single trace are."""
    peaks, full, fast = pair
    return compare(full, fast, bounces=peaks, interval=band_of(scene)["interval"])


def bounce_row(scene: Scene, store: Store) -> Likeness:
    """Return how alike the ground bounces are, with nothing to refer their peaks to."""
    full = store.get(key_of(scene))[0]
    fast = single_trace(scene).astype(np.float64)
    n = min(len(full), len(fast))
    interval = band_of(scene)["interval"]
    return compare(full[:n], fast[:n], bounces=(1.0, 1.0), interval=interval)


def is_met(scene: Scene, found: Likeness) -> bool:
    """Return whether a scene meets every goal that is set for it."""
    goal = CORRELATION_GOALS["metal" if scene.target and scene.target.is_metal else "plastic"]
    return bool(
        abs(found.arrival_error) <= ARRIVAL_GOAL
        and abs(found.amplitude_ratio) <= AMPLITUDE_GOAL
        and found.correlation >= goal
        and found.same_polarity
    )


def row(words: list[str], found: Likeness, met: str) -> str:
    """Return a line of the table."""
    figures = [
        f"{1e12 * found.arrival_error:+.0f}",
        f"{found.amplitude_ratio:+.1f}",
        "same" if found.same_polarity else "**turned**",
        f"{found.correlation:.3f}",
        f"{found.correlation_unshifted:.3f}",
        f"{found.centroid / 1e9:.2f} / {found.centroid_fast / 1e9:.2f}",
        met,
    ]
    return "| " + " | ".join([*words, *figures]) + " |"


HEAD = (
    "| soil | target | depth, cm | antennas, cm | arrival, ps | amplitude, dB | polarity | "
    "correlation | unshifted | centroid, GHz: full / fast | goals |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def table(store: Store) -> tuple[list[str], int, int]:
    """Return the lines of the table of single traces, scenes that meet all goals, and all."""
    lines, n_met, scenes = [HEAD], 0, single_scenes()
    seen: set[str] = set()
    for scene in scenes:
        bare = scene.without_target()
        place = [scene.soil.name]
        up = f"{100 * scene.height:g}"
        if key_of(bare) not in seen:
            seen.add(key_of(bare))
            lines.append(row([*place, "ground bounce", "-", up], bounce_row(bare, store), "-"))
        found = likeness(scene, single_pair(scene, store))
        met = is_met(scene, found)
        n_met += met
        words = [*place, scene.target.name, f"{100 * scene.depth:g}", up]
        lines.append(row(words, found, "met" if met else "**missed**"))
    return lines, n_met, len(scenes)


def reach_of_goals(scene: Scene, pair: Pair) -> tuple[float, float]:
    """
    Return how far from the target a lane meets all goals, and how far it is heard, m.

    A trace is heard if its full-wave peak is no less than a tenth of that over the target;
    what is fainter is not judged.
    """
    peaks, full, fast = pair
    interval = band_of(scene)["interval"]
    peak = np.abs(full).max(axis=1)
    heard = peak >= _FAINT * peak.max()
    missed = [
        abs(place)
        for place, one, other in zip(POSITIONS[heard], full[heard], fast[heard], strict=True)
        if not is_met(scene, compare(one, other, bounces=peaks, interval=interval))
    ]
    aside = np.abs(POSITIONS[heard])
    inside = aside[aside < min(missed, default=np.inf)]
    return float(inside.max(initial=0.0)), float(aside.max())


def section_correlation(pair: Pair) -> float:
    """Return the correlation of whole sections, without a shift."""
    _, full, fast = pair
    return float((full * fast).sum() / np.sqrt((full**2).sum() * (fast**2).sum()))


def lane_table(store: Store) -> list[str]:
    """Return the lines of the table of lanes, by distance from the target."""
    lines = [
        "| soil | target | correlation of the section | goals met to, of heard to, cm | "
        "arrival, ps / amplitude, dB / correlation at 0 cm | at 4 cm | at 8 cm |",
        "|---|---|---|---|---|---|---|",
    ]
    for scene in lane_scenes():
        pair = lane_pair(scene, store)
        peaks, full, fast = pair
        interval = band_of(scene)["interval"]
        words = [scene.soil.name, scene.target.name, f"{section_correlation(pair):.3f}"]
        met, heard = (100 * x for x in reach_of_goals(scene, pair))
        words.append(f"{met:.0f} of {heard:.0f}")
        for x in _PLACES:
            i = int(np.argmin(np.abs(POSITIONS - x)))
            found = compare(full[i], fast[i], bounces=peaks, interval=interval)
            figures = [
                f"{1e12 * found.arrival_error:+.0f}",
                f"{found.amplitude_ratio:+.1f}",
                f"{found.correlation:.3f}",
            ]
            words.append(" / ".join(figures))
        lines.append("| " + " | ".join(words) + " |")
    return lines


def draw_traces(store: Store, path: Path) -> None:
    """Draw the responses of single traces over each other."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    names = ("plastic_mine", "metal_mine", "rock", "pmn")
    scenes = [s for s in single_scenes() if s.height == 0.05 and s.target.name in names]
    depths = sorted({s.depth for s in scenes})
    soils = list(dict.fromkeys(s.soil.name for s in scenes))
    figure = Figure(figsize=(3.2 * len(depths), 1.55 * len(soils) * len(names)))
    axes = figure.subplots(len(soils) * len(names), len(depths), squeeze=False)
    for axis in axes.ravel():
        axis.set_visible(False)
    for scene in scenes:
        i = soils.index(scene.soil.name) * len(names) + names.index(scene.target.name)
        axis = axes[i][depths.index(scene.depth)]
        axis.set_visible(True)
        _, full, fast = single_pair(scene, store)
        time = 1e9 * np.arange(len(full)) * band_of(scene)["interval"]
        peak = np.abs(full).max()
        axis.plot(time, full / peak, color="black", linewidth=1.6, label="gprMax")
        axis.plot(time, fast / peak, color="tab:red", linewidth=1.0, label="minesense")
        axis.set_title(f"{scene.soil.name}: {scene.target.name}, {100 * scene.depth:g} cm",
                       fontsize=8)  # fmt: skip
        axis.set_ylim(-1.3, 1.3)
        axis.tick_params(labelsize=7)
        axis.set_xlabel("time, ns", fontsize=7)
    axes[0][0].legend(fontsize=7, frameon=False)
    figure.suptitle("SYNTHETIC: response of the target alone, over its full-wave peak",
                    fontsize=10)  # fmt: skip
    figure.tight_layout(rect=(0, 0, 1, 0.985))
    figure.savefig(path, dpi=80)


def draw_sections(store: Store, path: Path) -> None:
    """Draw the sections of lanes side by side."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    scenes = lane_scenes()
    figure = Figure(figsize=(11, 1.9 * len(scenes)))
    axes = figure.subplots(len(scenes), 3, squeeze=False, sharex=True)
    for line, scene in zip(axes, scenes, strict=True):
        _, full, fast = lane_pair(scene, store)
        peak = np.abs(full).max()
        extent = (100 * POSITIONS[0], 100 * POSITIONS[-1],
                  1e9 * full.shape[1] * band_of(scene)["interval"], 0)  # fmt: skip
        sides = (("gprMax", full), ("minesense", fast), ("difference", fast - full))
        for axis, (title, section) in zip(line, sides, strict=True):
            axis.imshow(section.T / peak, aspect="auto", cmap="RdBu", vmin=-0.6, vmax=0.6,
                        extent=extent, interpolation="nearest")  # fmt: skip
            axis.set_title(f"{title}: {scene.soil.name}, {scene.target.name}", fontsize=8)
            axis.tick_params(labelsize=7)
        line[0].set_ylabel("time, ns", fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("along the lane, cm", fontsize=8)
    figure.suptitle("SYNTHETIC, two dimensions: response of the target alone", fontsize=10)
    figure.tight_layout(rect=(0, 0, 1, 0.985))
    figure.savefig(path, dpi=80)


def print_one(scene: Scene) -> None:
    """Compute one scene with both solvers, now, and print how alike they are."""
    empty = run_single(scene, body=False)
    air = run_single(scene, body=False, soil=False)
    run = run_single(scene)
    full = response(scene, run, empty.traces)[0]
    bounce = response(scene, empty, air.traces)[0]
    fast = single_trace(scene, bounce=False).astype(np.float64)
    fast_bounce = single_trace(scene.without_target())
    peaks = float(np.abs(bounce).max()), float(np.abs(fast_bounce).max())
    n = min(len(full), len(fast))
    found = compare(full[:n], fast[:n], bounces=peaks, interval=band_of(scene)["interval"])
    sys.stdout.write(f"SYNTHETIC {scene.label}; gprMax {run.version}, {run.seconds:.0f} s\n")
    name = scene.target.name if scene.target else "empty"
    words = [scene.soil.name, name, f"{100 * scene.depth:g}", f"{100 * scene.height:g}"]
    met = "met" if is_met(scene, found) else "**missed**"
    sys.stdout.write(f"{HEAD}\n{row(words, found, met)}\n")


def main() -> int:
    """Write the tables and the pictures of the page on validation."""
    single, lane = Store("single"), Store("lane")
    DOCS.mkdir(parents=True, exist_ok=True)
    lines, n_met, n_scenes = table(single)
    text = [
        "<!-- written by benchmarks/fdtd/report.py -->",
        f"{n_met} of {n_scenes} scenes meet every goal.",
        "",
        *lines,
        "",
        *lane_table(lane),
        "",
    ]
    (DOCS / "radar_table.md").write_text("\n".join(text))
    draw_traces(single, DOCS / "figures" / "radar_traces.png")
    draw_sections(lane, DOCS / "figures" / "radar_sections.png")
    sys.stdout.write("\n".join(text) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

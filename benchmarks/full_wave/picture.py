"""The pictures of docs/validation/full-wave.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minesense.along_track import remove_median_background
from minesense.score.curves import Curve
from minesense.sweep import Sweep
from minesense.truth import Truth

from .scenes import LENGTH, SPACING

FIGURES = Path(__file__).parents[2] / "docs" / "validation" / "figures"
_SHOWN = 4  # lanes, one of each soil


def draw(curves: Mapping[str, Curve], sweeps: list[Sweep], truth: Truth) -> None:
    """Draw the curves, and one lane of each soil with what lies in it."""
    import matplotlib as mpl  # noqa: PLC0415  an extra

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, curve in curves.items():
        far = np.maximum(np.asarray(curve.far), 0.01)
        axes.step(far, curve.pd, where="post", label=name)
    axes.plot([0.2], [0.9], "k*", label="goal")
    axes.plot([0.41, 1.35], [0.8, 0.9], "kx", label="published energy detector")
    axes.set(xscale="log", xlim=(0.01, 5), ylim=(0, 1.02), xlabel="false alarms per metre",
             ylabel="Pd", title="SYNTHETIC: full-wave lanes")  # fmt: skip
    axes.legend(fontsize=8)
    figure.savefig(FIGURES / "full_wave_curves.png", dpi=90)
    plt.close(figure)
    figure, grid = plt.subplots(_SHOWN, 1, figsize=(8, 9), sharex=True, layout="constrained")
    for axes, sweep in zip(grid, sweeps[:_SHOWN], strict=False):
        _section(axes, sweep, truth)
    grid[-1].set_xlabel("northing, m")
    figure.savefig(FIGURES / "full_wave_lanes.png", dpi=80)
    plt.close(figure)


def _section(axes, sweep: Sweep, truth: Truth) -> None:
    """Draw a lane without its background, and what lies in it."""
    clean = remove_median_background(sweep, spacing=SPACING, half_width=0.75)
    image = clean.samples[:, 0].T
    limit = 0.03 * float(np.abs(sweep.samples).max())
    north, axis = sweep.position[:, 1], 1e9 * sweep.sensor.axis
    axes.imshow(
        image, aspect="auto", cmap="gray", vmin=-limit, vmax=limit,
        extent=(north[0], north[-1], axis[-1], axis[0]),
    )  # fmt: skip
    for item in truth.only([sweep.lane]).objects:
        colour = "tab:red" if item.is_target else "tab:blue"
        axes.axvspan(item.northing - item.diameter / 2, item.northing + item.diameter / 2,
                     color=colour, alpha=0.15)  # fmt: skip
        axes.text(item.northing, 11.5, item.kind, color=colour, ha="center", fontsize=7)
    for edge in (0.0, LENGTH):
        axes.axvline(edge, color="white", lw=0.8)
    axes.set(ylim=(12, 0), ylabel="ns", title=f"{sweep.lane}, SYNTHETIC")

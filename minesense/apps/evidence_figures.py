"""Figures of the page of an annex."""

from __future__ import annotations

import numpy as np

from .. import report
from ..evidence import Site
from ..evidence.annex import format_area
from ..evidence.annex_matter import AnnexMatter, figure_layers
from ..evidence.dispositions import current_dispositions


def annex_figures(matter: AnnexMatter, site: Site) -> dict[str, tuple[bytes, str, str]]:
    """
    Return the figures of the page by name.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.
    site : Site
        Of the task.

    Returns
    -------
    figures : dict
        SVG image, alternative text and caption, by name.
    """
    rings = [ring for area in site.area for ring in (area.polygon, *area.holes)]
    synthetic = matter.is_synthetic
    figures: dict[str, tuple[bytes, str, str]] = {}
    chosen = [("", matter.grounds[0])]
    chosen += [(f"_{k}", matter.grounds[k + 1]) for k in figure_layers(matter.grid)]
    for suffix, ground in chosen:
        if not matter.shows_positions:
            break
        areas = "; ".join(f"{k} {format_area(v)} m2" for k, v in ground.areas().items())
        image = report.ground_figure(ground, outlines=rings, is_synthetic=synthetic)
        figures[f"states{suffix}"] = (
            image,
            f"Map of the task by state, {ground.label}: {areas}.",
            f"Ground of the task by state: {ground.label}. Hatching means that all gates were "
            "met and no threshold was crossed; it does not say what lies there.",
        )
        unseen = sum(part.area for part in ground.unseen())
        image = report.reason_figure(ground, outlines=rings, is_synthetic=synthetic)
        figures[f"reasons{suffix}"] = (
            image,
            f"Map of what was not observed, {ground.label}: {format_area(unseen)} m2.",
            f"What was not looked at to the stated limits, and why: {ground.label}, "
            f"{format_area(unseen)} m² of {format_area(ground.area)} m².",
        )
    figures |= _histograms(matter)
    if matter.shows_positions:
        alarms = [alarm for session in matter.sessions for alarm in session.alarms]
        table = current_dispositions(matter.entries)
        ended = frozenset(n for n, e in table.items() if e.disposition.ends_alarm)
        image = report.alarm_figure(
            matter.grounds[0], alarms, ended, outlines=rings, is_synthetic=synthetic
        )
        caption = f"{len(alarms)} alarms, {len(ended)} of them ended by a named person."
        figures["alarms"] = (image, f"Map of the alarms. {caption}", caption)
    return figures


def _histograms(matter: AnnexMatter) -> dict[str, tuple[bytes, str, str]]:
    """Return heights and speeds where ground was observed, beside their limits."""
    grid = matter.grid
    area = grid.units / 1e12
    figures = {}
    for k in figure_layers(grid):
        layer = grid.layers[k]
        gates = matter.site.sensor_named(layer.sensor).gates
        seen = grid.inside & (layer.looks > 0)
        about = matter.grounds[k + 1].label
        for name, values, unit, label, limit in (
            ("heights", layer.height, "m", "greatest height of a look", gates.head_height),
            ("speeds", layer.speed, "m/s", "greatest speed of a look", gates.speed_upper),
        ):
            limits = [] if limit.limit is None else [(float(limit.limit), "limit")]
            image = report.histogram_figure(
                np.asarray(values[seen], np.float64),
                area[seen],
                label=label,
                unit=unit,
                limits=limits,
                is_synthetic=matter.is_synthetic,
            )
            caption = f"{label.capitalize()} over the ground that was looked at: {about}."
            figures[f"{name}_{k}"] = (image, caption, caption)
    return figures

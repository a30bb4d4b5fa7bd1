"""The report of a field whose truth is known: one HTML file that stands alone."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..score import Interval, Matching, Score, match
from . import _field_tables as tables
from . import _page as page
from ._page import Raw, text_of
from .curve_figure import RocLine, reliability_figure, roc_figure
from .examples import choose_examples
from .field_figure import field_map
from .results import MODES, FieldResults
from .section_figure import section_figure

if TYPE_CHECKING:  # scikit-learn is slow to import, and no report needs it
    from ..detect.screen import Screened


def field_report(
    path: str | os.PathLike[str],
    results: FieldResults,
    *,
    configuration: Mapping[str, Any],
    versions: Mapping[str, str] | None = None,
) -> Path:
    """
    Write the report of a field as one HTML file that needs nothing else.

    Parameters
    ----------
    path : path-like
        File to write.
    results : FieldResults
        What was there, what was found, and how good it was.
    configuration : mapping
        Everything that was set, perhaps nested; shown name by name.
    versions : mapping of str to str, optional
        Versions of the software; those installed here by default.

    Returns
    -------
    path : Path
        The file, the same bytes for the same results.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).
    ValueError
        If there is no lane or one has no extent.
    OSError
        If the file cannot be written.
    """
    main = results.scores[results.main]
    # Without the threshold: for the stated probabilities, and how near a miss came to it.
    noticed = match(
        results.detections[results.main].ranked,
        results.truth,
        main.halo,
        coverage=results.coverage,
        sensors=main.sensors,
    )
    seed = "" if results.seed is None else f", seed {results.seed}"
    sections = [
        ("What was scanned", tables.scanned_table(results)),
        ("How much was found", tables.found_table(results)),
        ("Map", _map(results)),
        ("Pd against false alarms", _curves(results, noticed)),
        ("Targets that were not found", tables.not_found_table(main, results.truth, noticed)),
        ("Three targets and three false alarms", _sections(results, noticed)),
        ("Clutter", tables.clutter_table(main)),
        ("Configuration", page.pairs(configuration)),
        ("Versions", page.pairs(page.versions_of(versions))),
    ]
    model = results.detections[results.main].model
    return page.write_page(
        path,
        title=f"Field report: {results.name}{seed}",
        subtitle=f"{len(results.lanes)} lanes, model {model or 'none'}",
        sections=sections,
        is_synthetic=results.truth.is_synthetic,
    )


def _map(results: FieldResults) -> Raw:
    """Return the map of the field with its caption."""
    score = results.scores[results.main]
    image = field_map(
        results.lanes, results.coverage, results.truth, score, sensors=score.sensors
    )
    found, missed = score.count("detected"), score.count("missed_swept")
    alt = (
        f"Map of {len(results.lanes)} lanes: {found} targets found, {missed} missed though "
        f"swept, {score.count('partly_swept')} partly swept and not found, "
        f"{score.count('never_swept')} never swept."
    )
    left_out = ", ".join(f"{n} {reason}" for reason, n in score.outside.items())
    caption = (
        f"Alarms of {MODES[results.main]} at or above the threshold. Grey hatching means "
        "observed to the stated limits without a statement about what lies there. Alarms not "
        "counted are repeats on a target already found, and those outside the scored ground"
        f"{f' ({left_out})' if left_out else ''}."
    )
    return page.picture(image, "svg", alt=alt, caption=caption, kind="wide")


def _curves(results: FieldResults, noticed: Matching) -> Raw:
    """Return the ROC figure and that of the stated probabilities."""
    ordered = sorted(results.rows, key=lambda row: row[0] != MODES[results.main])
    lines = [line for name, s in ordered if (line := _roc_line(name, s)) is not None]
    synthetic = results.truth.is_synthetic
    pieces = []
    if lines:
        names = ", ".join(line.label for line in lines)
        caption = (
            "Each curve runs over all thresholds; marks are the thresholds set before the "
            "truth was opened. Bands and bars are exact 95 % intervals of one threshold each."
        )
        pieces.append(
            page.picture(
                roc_figure(lines[:7], is_synthetic=synthetic),
                "svg",
                alt=f"Pd against false alarms per square metre: {names}.",
                caption=caption,
                kind="medium",
            )
        )
    else:
        pieces.append(page.element("p", "No target was swept: there is no curve to draw."))
    stated, hits = _stated_probabilities(results, noticed)
    if len(stated):
        pieces.append(
            page.picture(
                reliability_figure(stated, hits, is_synthetic=synthetic),
                "svg",
                alt="Share of places on a target against their stated probability.",
                caption=(
                    f"Were the stated probabilities right? All {len(stated)} places noticed "
                    f"by {MODES[results.main]} and counted as a hit or false, at any score."
                ),
                kind="small",
            )
        )
    return page.join(pieces)


def _roc_line(name: str, score: Score) -> RocLine | None:
    """Return the line of a score, from no alarm at all; None if no target was swept."""
    curve = score.curve
    if curve is None or not curve.n_swept:
        return None
    is_baseline = name.startswith("baseline")
    pd, rate = score.pd_swept, score.false_alarms
    start = (0.0,)
    return RocLine(
        label=name,
        rate=np.concatenate([start, curve.far]),
        pd=np.concatenate([start, curve.pd]),
        low=None if is_baseline else np.concatenate([start, curve.pd_low]),
        high=None if is_baseline else np.concatenate([curve.pd_high[:1], curve.pd_high]),
        point=(Interval(rate.value, rate.low, rate.high), Interval(pd.value, pd.low, pd.high)),
    )


def _stated_probabilities(
    results: FieldResults, noticed: Matching
) -> tuple[list[float], list[bool]]:
    """Return the probability of every place that is a hit or false, and which it is."""
    ranked = results.detections[results.main].ranked
    stated = {alarm.identifier: alarm.probability for alarm in ranked}
    judged = [
        (stated[item.identifier], item.outcome == "hit")
        for item in noticed.alarms
        if item.outcome in ("hit", "false") and math.isfinite(stated[item.identifier])
    ]
    return [p for p, _ in judged], [is_hit for _, is_hit in judged]


def _sections(results: FieldResults, noticed: Matching) -> Raw:
    """Return sections of targets and of false alarms."""
    score, detection = results.scores[results.main], results.detections[results.main]
    by_lane: dict[str, dict[str, Screened]] = {}
    for lane in results.screened:
        for kind, item in lane.items():
            by_lane.setdefault(item.lane, {})[kind] = item
    radar = results.settings.radar
    figures = []
    examples = choose_examples(score, results.truth, detection.ranked, noticed=noticed)
    for example in examples:
        if example.lane not in by_lane:
            continue
        image = section_figure(
            by_lane[example.lane],
            example.place,
            ground_time=radar.ground_time,
            velocity=radar.velocity,
            alarms=list(detection),
            objects=results.truth.objects,
            is_synthetic=results.truth.is_synthetic,
        )
        caption = Raw(
            f"{page.element('strong', example.title)}, {text_of(example.lane)}. "
            f"{text_of(example.caption)}"
        )
        figures.append(
            page.picture(
                image,
                "png",
                alt=f"Radar section and metal-detector profile. {example.title}.",
                caption=caption,
                kind="section",
            )
        )
    if not figures:
        return page.element("p", "There is nothing to show: no lane's traces were kept.")
    rule = (
        "Chosen by rule: of each metal content the target of middle score among those found "
        "(a missed one where none was), and the false alarms of highest score. Grey levels are "
        "the radar samples after processing; the metal detector's gates are named by their "
        "time after the pulse."
    )
    n_false = sum(alarm.outcome == "false" for alarm in score.alarms)
    if n_false < 3:
        rule += f" False alarms in all: {n_false}."
    return Raw(f'{page.element("p", rule)}<div class="pair">{page.join(figures)}</div>')

"""The tables of the report of a field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..alarm import Withheld
from ..detect import Detection
from ..score import Matching, Proportion, Rate, Score, TargetOutcome
from ..score.figures import format_fixed
from ..truth import Truth
from . import _page as page
from ._page import DASH, Raw, fixed, number
from .results import MODES, FieldResults

_GROUPS = {
    "metal": "by metal content",
    "depth": "by depth of the top",
    "metal_class": "by metal class of the catalogue",
    "kind": "by kind",
}
_FATES = {
    "missed_swept": "Targets missed though swept",
    "partly_swept": "Targets partly swept, not found",
    "never_swept": "Targets never swept",
}


def scanned_table(results: FieldResults) -> Raw:
    """Say which ground was observed, which was not and why, and where lanes had gaps."""
    score, coverage = results.scores[results.main], results.coverage
    kinds = [*coverage.kinds, "any", "all"] if len(coverage.kinds) > 1 else [*coverage.kinds]
    names = {"gpr": "radar", "emi": "metal detector", "any": "any sensor", "all": "all sensors"}
    rows = []
    for kind in kinds:
        reasons = [
            f"{name.replace('_', ' ').lower()} {fixed(area)} m²"
            for name, area in coverage.not_observed(kind).items()
        ]
        rows.append(
            (
                names.get(kind, kind),
                fixed(coverage.area(kind)),
                fixed(coverage.missing_area(kind)),
                "; ".join(reasons) or "0 m² by this sensor",
            )
        )
    gaps = [
        (gap.lane, gap.sensor, fixed(gap.start_time), fixed(gap.stop_time), fixed(gap.length))
        for gap in results.detections[results.main].gaps
    ]
    counted = (
        f"Scored as observed by: {names.get(score.sensors, score.sensors)}. False alarms "
        f"are counted on {fixed(score.areas['scored'])} m² of it; "
        f"{fixed(score.areas['halo'])} m² lie in the halos of targets and "
        f"{fixed(score.areas['ring'])} m² in the rings around them."
    )
    return page.join(
        [
            page.table(
                (
                    "observed by",
                    "observed, m²",
                    "not observed, m²",
                    "reasons, which may overlap",
                ),
                rows,
                numbers=(1, 2),
            ),
            page.element("p", counted),
            page.table(
                ("lane", "sensor", "from, s", "to, s", "length, m"),
                gaps,
                caption="Gaps in the recording, never bridged",
                numbers=(2, 3, 4),
            ),
            *withheld_table(results.detections[results.main].withheld),
            *_kept(results.detections[results.main]),
        ]
    )


def _kept(detection: Detection) -> list[Raw]:
    """Say which alarms are none by the score of all sensors, and where ground is unknown."""
    kinds = {"gpr": "radar", "emi": "metal detector"}
    names = {kind: f"the {name} alone" for kind, name in kinds.items()}
    asked = [by for kept in detection.kept.values() for by in kept]
    pieces = []
    if asked:
        counts = ", ".join(
            f"{asked.count(by)} by {names.get(by, 'ground unlike that of training')}"
            for by in sorted(set(asked))
        )
        words = (
            f"{len(detection.kept)} places are alarms though the sensors together would not "
            f"make them so: {counts}. What one sensor asks for, the other cannot take back."
        )
        pieces.append(page.element("p", words))
    rows = [
        (s.lane, kinds.get(s.kind, s.kind), fixed(s.start), fixed(s.stop), s.reason)
        for s in detection.unfamiliar
    ]
    if rows:
        pieces.append(
            page.table(
                ("lane", "sensor", "from, s", "to, s", "what was unlike training"),
                rows,
                caption="Ground without stated probabilities: every place there is an alarm",
                numbers=(2, 3),
            )
        )
    return pieces


def withheld_table(withheld: Sequence[Withheld]) -> list[Raw]:
    """Say where a cap held candidates back, or nothing where none did."""
    rows = [
        (
            w.lane,
            w.sensor,
            fixed(w.start_time),
            fixed(w.stop_time),
            fixed(w.area),
            w.n_found,
            w.n_kept,
            fixed(w.best_score),
        )
        for w in withheld
    ]
    if not rows:
        return []
    table = page.table(
        ("lane", "sensor", "from, s", "to, s", "area, m²", "noticed", "kept", "best not kept"),
        rows,
        caption="Stretches in which the cap on candidates held some back",
        numbers=(2, 3, 4, 5, 6, 7),
    )
    words = (
        "The settings cap the candidates of an area. What was held back is in no list of "
        "alarms: Pd is a lower bound, and false alarms would be more without the cap."
    )
    return [table, page.element("p", words)]


def found_table(results: FieldResults) -> Raw:
    """Return the table of all modes and baselines, then that of the sorts of targets."""
    main = results.scores[results.main]
    level = f"{100 * main.confidence:g} %"
    head = ("", "Pd | swept", "Pd total", "false alarms per m²")
    rows = [
        (name, _share(s.pd_swept), _share(s.pd_total), _rate(s.false_alarms))
        for name, s in results.rows
    ]
    index = [name for name, _ in results.rows].index(MODES[results.main])
    halo = main.halo
    measured = "centre" if halo.kind == "fixed" else "edge"
    pieces = [
        page.table(head, rows, main_row=index),
        page.element(
            "p",
            f"In brackets exact {level} intervals. Pd | swept is the share found of the "
            "targets whose footprint was observed to 90 % or more; Pd total is the share "
            f"found of all targets. An alarm within {number(halo.radius or math.nan)} m of a "
            f"target's {measured} finds it. A Pd without a miss is given as its lower limit.",
        ),
    ]
    if main.no_claim:
        names = "; ".join(main.no_claim)
        words = f"No overall claim: fewer than 10 swept targets in {names}."
        pieces.append(page.element("p", words, class_="note"))
    if math.isfinite(main.dispersion) and main.dispersion > 1.5:
        words = (
            f"False alarms vary between lanes {number(main.dispersion)} times as much as "
            "chance alone would make them: the interval of their rate is too narrow."
        )
        pieces.append(page.element("p", words, class_="note"))
    for group, title in _GROUPS.items():
        pieces.append(_strata_table(results, group, title))
    return page.join(pieces)


def _strata_table(results: FieldResults, group: str, title: str) -> Raw:
    """Return Pd | swept of the targets of a group for every mode."""
    modes = [mode for mode in MODES if mode in results.scores]
    by_mode = {
        mode: {s.name: s for s in results.scores[mode].strata if s.group == group}
        for mode in modes
    }
    rows = []
    for name, stratum in by_mode[results.main].items():
        shares = [
            _share(by_mode[mode][name].swept) if name in by_mode[mode] else DASH
            for mode in modes
        ]
        claim = "no claim, n < 10" if stratum.claim else ""
        rows.append((name, stratum.swept.n, *shares, claim))
    return page.table(
        ("", "n swept", *(MODES[mode] for mode in modes), ""),
        rows,
        caption=f"Pd | swept {title}",
        numbers=(1,),
    )


def _share(share: Proportion) -> Raw:
    """Return a Pd with its interval and counts; without a miss, its lower limit."""
    if not share.n:
        return Raw(f"{DASH} {page.element('span', '(not tested, 0 of 0)', class_='detail')}")
    has_miss = share.k < share.n
    low = format_fixed(share.low)
    value = format_fixed(share.value) if has_miss else f"≥ {low}"
    top = format_fixed(share.high) if has_miss else "1"
    detail = f"[{low} to {top}] {share.k} of {share.n}"
    return Raw(f"{value} {page.element('span', detail, class_='detail')}")


def _rate(rate: Rate) -> Raw:
    """Return a rate of false alarms with its interval and counts."""
    detail = (
        f"[{number(rate.low)} to {number(rate.high)}] {rate.count} in {fixed(rate.area, 1)} m²"
    )
    return Raw(f"{number(rate.value)} {page.element('span', detail, class_='detail')}")


def not_found_table(score: Score, truth: Truth, noticed: Matching) -> Raw:
    """List the targets that were missed, and apart from them those that were not swept."""
    places = {item.identifier: item for item in truth.targets}
    scores = {item.identifier: item.score for item in noticed.targets}

    def row(outcome: TargetOutcome) -> tuple[Any, ...]:
        target = places[outcome.identifier]
        value = scores[outcome.identifier]
        best = number(value) if math.isfinite(value) else "not noticed"
        return (
            outcome.identifier,
            outcome.kind,
            outcome.metal_class,
            fixed(100 * outcome.depth, 1),
            fixed(target.easting),
            fixed(target.northing),
            f"{100 * outcome.share_observed:.0f}",
            best,
        )

    head = (
        "target",
        "kind",
        "metal",
        "top, cm deep",
        "easting, m",
        "northing, m",
        "footprint observed, %",
        "best score",
    )
    threshold = "none" if score.threshold is None else number(score.threshold)
    tables = [
        page.table(
            head,
            [row(t) for t in score.targets if t.outcome == fate],
            caption=f"{title}: {score.count(fate)}" if score.count(fate) else title,
            numbers=(3, 4, 5, 6, 7),
        )
        for fate, title in _FATES.items()
    ]
    return page.join([page.element("p", f"Threshold of the score: {threshold}."), *tables])


def clutter_table(score: Score) -> Raw:
    """Return how often clutter of each kind made a false alarm."""
    rows = [(c.kind, c.n, c.n_alarmed, c.n_alarms) for c in score.clutter]
    return page.table(
        ("kind", "pieces", "pieces with a false alarm", "false alarms"),
        rows,
        numbers=(1, 2, 3),
        nothing="No clutter in the truth.",
    )

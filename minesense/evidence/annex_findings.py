"""Sections 8 to 10 and 15 of an annex: what was observed, what was not, what may remain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .annex import AnnexSection, AnnexTable, format_area
from .annex_matter import (
    MOST_ROWS,
    AnnexMatter,
    figure_layers,
    format_figure,
    stated,
)
from .dispositions import LogEntry, current_dispositions
from .gates import Gate
from .grid import Layer
from .ground_map import STATES
from .ground_maps import band_label
from .map_layers import flag_words
from .residual_file import ResidualMap


def coverage_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 8: the ground by state, footprints and gates.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    head = ("about", *(state.replace("_", " ").lower() + ", m²" for state in STATES))
    rows = tuple(
        (ground.label, *(format_area(ground.areas()[state]) for state in STATES))
        for ground in matter.grounds
    )
    states = AnnexTable(
        caption="Ground of the task by state", head=head, rows=rows, numbers=(1, 2, 3, 4, 5)
    )
    gates = AnnexTable(
        caption="Gates that a pass must meet to count",
        head=("sensor", "gate", "limit", "reason"),
        rows=tuple(
            (sensor.identifier, name.replace("_", " "), _limit(gate), gate.reason)
            for sensor in matter.site.sensor
            for name, gate in _gates(sensor.gates)
        ),
    )
    models = AnnexTable(
        caption="Footprints",
        head=("sensor", "class", "from, m", "to, m", "Pd", "radius by height, m", "source"),
        rows=tuple(
            (
                sensor.identifier,
                p.target,
                f"{p.depth_from:g}",
                f"{p.depth_to:g}",
                f"{p.p_det:g}",
                "; ".join(f"{r:g} at {h:g}" for h, r in zip(p.heights, p.radii, strict=True)),
                p.source,
            )
            for sensor in matter.site.sensor
            for p in sensor.footprint
        ),
        numbers=(2, 3, 4),
    )
    measured = AnnexTable(
        caption="Looks, heights and speeds where ground was observed",
        head=(
            "about", "fewest looks", "most looks", "greatest height, m", "least margin, m",
            "greatest speed, m/s",
        ),
        rows=tuple(_measured(layer) for layer in matter.grid.layers),
        numbers=(1, 2, 3, 4, 5),
    )  # fmt: skip
    words = (
        "Coverage is the area swept with all gates met, not the path of the sensor. It belongs "
        "to a sensor, a class of items and a band of depth; the summary takes the worst state "
        "of all that the authority asked for. No state says that nothing is there.",
    )
    figures = ["states"] if matter.shows_positions else []
    for k in figure_layers(matter.grid):
        if matter.shows_positions:
            figures.append(f"states_{k}")
        figures += [f"heights_{k}", f"speeds_{k}"]
    return AnnexSection(
        number=8,
        paragraphs=words,
        tables=(states, models, gates, measured),
        figures=tuple(figures),
    )


def not_observed_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 9: what was not observed, and why.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    rows: list[tuple[str, ...]] = []
    words = []
    method = (
        f"states of cells of {matter.grid.cell:g} m, each set by the footprint, the gates and "
        "the function checks of section 8"
    )
    for ground in matter.grounds:
        parts, hidden = ground.unseen(), ground.area_unseen_under_alarms()
        area = sum(part.area for part in parts)
        share = 100 * area / ground.area
        if parts:
            words.append(
                f"{ground.label}: {format_area(area)} m² of {format_area(ground.area)} m² "
                f"({share:.1f} %) were not observed to the stated limits."
            )
        else:
            words.append(f"{ground.label}: 0 m² not observed, by {method}.")
        if hidden:
            words[-1] += (
                f" Under alarms, which come first among states, lie another "
                f"{format_area(hidden)} m² that no look counts for."
            )
        rows += [
            (
                ground.label,
                part.state.replace("_", " ").lower(),
                ", ".join(part.reasons),
                format_area(part.area),
            )
            for part in parts
        ]
    lost = sum(matter.grid.unlocated.values())
    if lost:
        words.append(
            f"{lost} samples have no trusted position: what they passed over is not observed, "
            "and no map can show where."
        )
    words.append(
        "What lies deeper than the bands of section 1, and classes that are not named there, "
        "nobody looked for. Every polygon is in the layer not_observed of the map files."
    )
    table = AnnexTable(
        caption="Ground that was not observed, by state and reasons; areas add up",
        head=("about", "state", "reasons", "area, m²"),
        rows=tuple(rows[:MOST_ROWS]),
        numbers=(3,),
        nothing="0 m².",
    )
    figures = []
    if matter.shows_positions:
        figures = ["reasons", *(f"reasons_{k}" for k in figure_layers(matter.grid))]
    return AnnexSection(
        number=9, paragraphs=tuple(words), tables=(table,), figures=tuple(figures)
    )


def alarms_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 10: alarms and what people did about them.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    table = current_dispositions(matter.entries)
    rows = []
    alarms = [a for session in matter.sessions for a in session.alarms]
    for alarm in alarms:
        entry = table.get(alarm.identifier)
        done = entry.disposition if entry else None
        place = ("withheld", "withheld")
        if matter.shows_positions:
            place = (format_figure(alarm.easting, 2), format_figure(alarm.northing, 2))
        rows.append(
            (
                alarm.identifier,
                alarm.lane,
                format_figure(alarm.time, 2),
                *place,
                format_figure(alarm.position_error, 3),
                format_figure(alarm.score, 4),
                flag_words(int(alarm.quality)),
                "open" if done is None else f"{done.action}: {done.found}",
                "" if done is None else f"{done.by}, {done.time}",
                "" if done is None else (done.photo_sha512[:16] or "no photograph"),
            )
        )
    ended = sum(entry.disposition.ends_alarm for entry in table.values())
    thresholds = [format_figure(s.threshold, 6) for s in matter.sessions if s.alarms]
    models = sorted({alarm.model for alarm in alarms if alarm.model})
    facts = [
        ("Alarms", str(len(alarms))),
        ("Ended by a named person", str(ended)),
        ("Standing", str(len(alarms) - ended)),
        ("Entries of the log", f"{len(matter.entries)}, none deleted"),
        ("Thresholds", ", ".join(thresholds)),
        ("Model", ", ".join(models)),
    ]
    shown = AnnexTable(
        caption="Alarms and what people did about them",
        head=(
            "alarm", "lane", "time, s", "easting, m", "northing, m", "error, m", "score",
            "flags", "disposition", "by", "photograph, SHA-512 begins",
        ),
        rows=tuple(rows[:MOST_ROWS]),
        numbers=(2, 3, 4, 5, 6),
        nothing="No threshold was crossed.",
    )  # fmt: skip
    words = ["An alarm ends only by the entry of a named person; none is deleted."]
    if len(rows) > MOST_ROWS:
        words.append(
            f"The table shows {MOST_ROWS} of {len(rows)}; all are in the files of the annex."
        )
    history = AnnexTable(
        caption="Log of dispositions, corrections included",
        head=("entry", "alarm", "action", "found", "by", "time", "corrects", "note"),
        rows=tuple(_log_row(entry) for entry in matter.entries[:MOST_ROWS]),
        numbers=(0,),
    )
    return AnnexSection(
        number=10,
        paragraphs=tuple(words),
        facts=tuple(fact for fact in facts if fact[1]),
        tables=(shown, history),
        figures=("alarms",) if matter.shows_positions else (),
    )


def residual_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 15: what may remain.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 15)
    without = tuple(
        (ground.label, format_area(sum(part.area for part in ground.unseen())))
        for ground in matter.grounds
    )
    tables = [
        AnnexTable(
            caption="Without evidence",
            head=("about", "area, m²"),
            rows=without,
            numbers=(1,),
        )
    ]
    words = [
        "Not a release authorisation. What may remain is never zero. Recommendations are left "
        "to people."
    ]
    if matter.residual is not None:
        tables += _residual_tables(matter.residual)
        words += [f"Assumption: {text}" for text in matter.residual.assumptions]
    else:
        missing = (*missing, "an estimate of what may remain")
    return AnnexSection(
        number=15, paragraphs=tuple(words), facts=facts, tables=tuple(tables), missing=missing
    )


def _residual_tables(shown: ResidualMap) -> list[AnnexTable]:
    """Return the tables of an estimate of what may remain; the worst case is the headline."""

    def row(name: str, item: Mapping[str, float]) -> tuple[str, ...]:
        return (
            name,
            f"{item['mean']:.3g}",
            f"{item['upper']:.3g}",
            f"{item['none_remain']:.3g}",
            f"{item['greatest_cell']:.3g}",
        )

    head = ("", "expected items", "upper bound", "P(none remains)", "greatest cell, bound")
    confidence = f"{100 * shown.confidence:g} %"
    cases = AnnexTable(
        caption=f"Items that may remain, whole task, {confidence} bounds; worst case first",
        head=head,
        rows=tuple(row(name, item) for name, item in shown.cases.items()),
        numbers=(1, 2, 3, 4),
    )
    others = AnnexTable(
        caption="Under other assumptions",
        head=(*head, "assumption"),
        rows=tuple((*row(k, item), shown.words.get(k, "")) for k, item in shown.others.items()),
        numbers=(1, 2, 3, 4),
    )
    return [cases, others]


def _limit(gate: Gate) -> str:
    return "unlimited" if gate.limit is None else f"{gate.limit:g}"


def _gates(gates: Any) -> Iterable[tuple[str, Gate]]:
    for name in gates.__dataclass_fields__:
        yield name, getattr(gates, name)


def _measured(layer: Layer) -> tuple[str, ...]:
    """Return the extremes of a layer where there was a look."""
    label = band_label(layer.sensor, *layer.band)
    seen = layer.looks > 0
    if not seen.any():
        return (label, "0", "0", "no look", "no look", "no look")

    def extreme(values: Any, largest: bool) -> str:
        known = values[seen & np.isfinite(values)]
        if not known.size:
            return "unknown"
        return f"{float(known.max() if largest else known.min()):.3g}"

    return (
        label,
        str(int(layer.looks[seen].min())),
        str(int(layer.looks.max())),
        extreme(layer.height, True),
        extreme(layer.height_margin, False),
        extreme(layer.speed, True),
    )


def _log_row(entry: LogEntry) -> tuple[str, ...]:
    done = entry.disposition
    corrects = "" if done.corrects is None else str(done.corrects)
    return (
        str(entry.number), done.alarm, done.action, done.found, done.by, done.time, corrects,
        done.note,
    )  # fmt: skip

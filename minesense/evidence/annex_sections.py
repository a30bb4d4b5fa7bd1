"""Sections of an annex from what a site, its sessions and its grid state."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..alarm import SAFETY_TEXT
from ..io.gis import MapFrame
from ..sweep import Quality
from .annex import AnnexSection, AnnexTable, format_area, statements
from .chain import ChainedFile
from .dispositions import LogEntry, current_dispositions
from .evidence_session import EvidenceSession
from .grid import CoverageGrid, Layer
from .ground_map import STATES, GroundMap
from .ground_maps import band_label
from .map_layers import flag_words
from .site import Footprint, Gate, Site

#: Statements that the table ``annex`` of a site file may hold, by section.
STATEMENTS: Mapping[int, tuple[tuple[str, str], ...]] = {
    2: (("limits", "Further limits"),),
    5: (
        ("soil_susceptibility", "Magnetic susceptibility"),
        ("soil_moisture", "Moisture or permittivity"),
        ("ground_noise", "Ground noise"),
        ("reference_area", "Reference area"),
    ),
    7: (
        ("positioning_method", "Method"),
        ("control_points", "Control points"),
        ("lever_arm", "Lever arm"),
    ),
    11: (
        ("blind_seeds_by", "Blind seeds laid by"),
        ("quality_control", "Internal and external checks"),
    ),
    12: (("nonconformities", "Non-conformities and corrective action"),),
    13: (("deviations", "Deviations from the procedure"),),
    14: (
        ("raw_data_location", "Where raw data are kept"),
        ("retention", "For how long"),
    ),
    15: (("recommendation", "Recommendation, made by people"),),
}

#: Other keys of that table: numbers, and the place of a local frame on Earth.
OTHER_KEYS = (
    "blind_seeds_laid",
    "blind_seeds_found",
    "origin_longitude_deg",
    "origin_latitude_deg",
    "origin_height_m",
)

_INSTRUMENT = (
    ("make", "Make"),
    ("model", "Model"),
    ("serial", "Serial number"),
    ("firmware", "Firmware"),
    ("settings", "Settings"),
    ("mode", "Mode"),
    ("ground_balance", "Ground balance"),
    ("last_service", "Last service"),
)

_MOST_ROWS = 400  # of a table of the page; the rest is in the files, and is counted
_MOST_FIGURES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnexMatter:
    """Everything that an annex is made from."""

    site: Site
    grid: CoverageGrid
    grounds: tuple[GroundMap, ...]  #: of :func:`ground_maps`
    sessions: tuple[EvidenceSession, ...]
    entries: tuple[LogEntry, ...]
    frame: MapFrame
    is_synthetic: bool
    shows_positions: bool
    files: tuple[ChainedFile, ...] = ()
    links: tuple[str, ...] = ()
    residual: Any = None  #: Residual, if one was estimated
    program: Mapping[str, str] = field(default_factory=dict)


def check_statements(given: Mapping[str, str]) -> None:
    """
    Check the statements of a site file's table ``annex``.

    Parameters
    ----------
    given : mapping of str to str
        Statements by key.

    Raises
    ------
    ValueError
        If a key is unknown.

    Examples
    --------
    >>> from minesense.evidence.annex_sections import check_statements
    >>> check_statements({"retention": "ten years"})
    """
    known = {key for keys in STATEMENTS.values() for key, _ in keys} | set(OTHER_KEYS)
    for key in given:
        if key not in known:
            msg = f"Invalid annex key '{key}'. Must be one of {', '.join(sorted(known))}."
            raise ValueError(msg)


def annex_sections(matter: AnnexMatter) -> tuple[AnnexSection, ...]:
    """
    Return the fifteen sections.

    Parameters
    ----------
    matter : AnnexMatter
        What they are made from.

    Returns
    -------
    sections : tuple of AnnexSection
        In their order.

    Raises
    ------
    ValueError
        If a statement is unknown, or numbers of blind seeds are none.
    """
    check_statements(matter.site.annex)
    made = (
        _identity, _limits, _instrument, _checks, _soil, _timebase, _positioning, _coverage,
        _not_observed, _alarms, _seeds, _nonconformities, _processing, _integrity, _residual,
    )  # fmt: skip
    return tuple(make(matter) for make in made)


def figure_layers(grid: CoverageGrid) -> tuple[int, ...]:
    """
    Return which layers of a grid have figures of their own.

    Parameters
    ----------
    grid : CoverageGrid
        Of a task.

    Returns
    -------
    layers : tuple of int
        Indices of the first few that a sensor can see at all.

    Examples
    --------
    >>> from minesense.evidence import CoverageTracker, read_site
    >>> figure_layers(CoverageTracker(read_site("examples/site.toml")).finish())
    (0,)
    """
    seen = [k for k, layer in enumerate(grid.layers) if isinstance(layer.model, Footprint)]
    return tuple(seen[:_MOST_FIGURES])


def _stated(matter: AnnexMatter, number: int) -> tuple[Any, Any]:
    return statements(matter.site.annex, STATEMENTS.get(number, ()))


def _identity(matter: AnnexMatter) -> AnnexSection:
    task = matter.site.task
    facts = [
        ("Task", task.identifier),
        ("imsma_id", task.imsma_id),
        ("Organisation", task.organisation),
        ("Operator (pseudonym)", task.operator),
        ("Supervisor", task.supervisor),
        ("Dates", ", ".join(date.isoformat() for date in task.dates)),
        ("Procedure and version", task.procedure),
        ("Targets and limits given by", task.given_by),
        ("Area of the task", f"{format_area(matter.grid.task_area)} m²"),
        ("Sessions", ", ".join(session.name for session in matter.sessions)),
    ]
    targets = AnnexTable(
        caption="Targets and depths given by the authority",
        head=("class", "from, m", "to, m", "given by"),
        rows=tuple(
            (t.name, f"{t.depth_from:g}", f"{t.depth_to:g}", t.given_by)
            for t in matter.site.target
        ),
        numbers=(1, 2),
    )
    areas = AnnexTable(
        caption="Polygons of the task",
        head=("name", "area, m²"),
        rows=tuple((area.name, format_area(area.square_metres)) for area in matter.site.area),
        numbers=(1,),
    )
    facts, missing = [f for f in facts if f[1]], tuple(f[0] for f in facts if not f[1])
    return AnnexSection(number=1, facts=tuple(facts), tables=(targets, areas), missing=missing)


def _limits(matter: AnnexMatter) -> AnnexSection:
    rows = [
        (
            sensor.identifier,
            blind.target,
            f"{blind.depth_from:g}",
            f"{blind.depth_to:g}",
            blind.reason,
        )
        for sensor in matter.site.sensor
        for blind in sensor.cannot_see
    ]
    rows += [
        (
            sensor.identifier,
            print_.target,
            f"{print_.depth_from:g}",
            f"{print_.depth_to:g}",
            f"misses {100 * (1 - print_.p_det):.3g} % even there ({print_.source})",
        )
        for sensor in matter.site.sensor
        for print_ in sensor.footprint
    ]
    facts, _ = _stated(matter, 2)
    table = AnnexTable(
        caption="What the sensors cannot see, or may miss",
        head=("sensor", "class", "from, m", "to, m", "why"),
        rows=tuple(rows),
        numbers=(2, 3),
    )
    return AnnexSection(number=2, paragraphs=(SAFETY_TEXT,), facts=facts, tables=(table,))


def _instrument(matter: AnnexMatter) -> AnnexSection:
    rows, missing = [], []
    for sensor in matter.site.sensor:
        given = dict(sensor.instrument)
        for key, words in _INSTRUMENT:
            value = given.pop(key, "")
            if value:
                rows.append((sensor.identifier, words, value))
            else:
                missing.append(f"{words.lower()} of {sensor.identifier}")
        rows += [(sensor.identifier, key, value) for key, value in sorted(given.items())]
    table = AnnexTable(
        caption="Instruments", head=("sensor", "", "as stated"), rows=tuple(rows)
    )
    return AnnexSection(number=3, tables=(table,), missing=tuple(missing))


def _checks(matter: AnnexMatter) -> AnnexSection:
    rows = tuple(
        (
            item.check.sensor,
            item.check.session,
            f"{item.check.time:.1f}",
            item.check.occasion,
            f"{item.check.test_piece} in {item.check.medium} at {item.check.depth:g} m",
            f"{item.check.response:.4g}",
            f"{item.check.noise:.3g}",
            "passed" if item.passed else "FAILED",
            item.why,
            item.check.by,
        )
        for item in matter.grid.checks
    )
    invalid = tuple(
        (i.sensor, i.session, f"{i.start:.1f}", f"{i.stop:.1f}", i.reason, str(i.n_samples))
        for i in matter.grid.invalid
    )
    checks = AnnexTable(
        caption="Function checks",
        head=(
            "sensor", "session", "time, s", "occasion", "test piece", "response", "noise",
            "result", "why", "by",
        ),
        rows=rows,
        numbers=(2, 5, 6),
    )  # fmt: skip
    intervals = AnnexTable(
        caption="Time whose data must not be used, as checks failed or are missing",
        head=("sensor", "session", "from, s", "to, s", "reason", "samples"),
        rows=invalid,
        numbers=(2, 3, 5),
    )
    # without a check the section is empty, whatever the other table says
    tables = (checks, intervals) if rows else (checks,)
    return AnnexSection(number=4, tables=tables)


def _soil(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 5)
    return AnnexSection(number=5, facts=facts, missing=missing)


def _timebase(matter: AnnexMatter) -> AnnexSection:
    rows = tuple(
        (
            session.name,
            stream.name,
            stream.clock,
            stream.epoch,
            _figure(stream.offset),
            _figure(stream.offset_error),
            _figure(stream.drift),
            _figure(stream.lag),
            _figure(stream.lag_error),
            str(stream.n_late),
            str(stream.n_lost),
        )
        for session in matter.sessions
        for stream in session.notes.stream
    )
    table = AnnexTable(
        caption="Streams and their clocks",
        head=(
            "session", "stream", "clock", "epoch", "offset, s", "its error, s", "drift, s/s",
            "lag, s", "its error, s", "late", "lost",
        ),
        rows=rows,
        numbers=(4, 5, 6, 7, 8, 9, 10),
    )  # fmt: skip
    flags: Counter[str] = Counter()
    for session in matter.sessions:
        for sweep in session.open_sweeps():
            for name in (
                "TIME_DUPLICATE",
                "TIME_BACKWARD",
                "TIME_JUMP",
                "TIME_COARSE",
                "LATE",
                "GAP",
            ):
                flags[name] += _count_flag(sweep.quality, name)
    counts = tuple((name, str(n)) for name, n in flags.items())
    marked = AnnexTable(
        caption="Samples flagged for their time",
        head=("flag", "samples"),
        rows=counts,
        numbers=(1,),
    )
    paused = [s for s in matter.sessions if not math.isnan(s.notes.pause_between_lanes)]
    words = tuple(
        f"Lanes of {s.name} each start their clock anew; they were set one after another with "
        f"{s.notes.pause_between_lanes:g} s between them."
        for s in paused
    )
    task = (("Clock of the task", matter.site.task.clock),)
    missing = tuple(f"clocks of {s.name}" for s in matter.sessions if not s.notes.stream)
    return AnnexSection(
        number=6, facts=task, paragraphs=words, tables=(table, marked), missing=missing
    )


def _positioning(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 7)
    frame = matter.site.frame
    about = matter.frame.describe()
    own = (
        ("Reference system", frame.crs),
        ("Counted from", frame.description),
        ("On the map", f"WGS 84 (EPSG:4326), {about['origin_name']}"),
        ("Error of the change of datum", f"{about['datum_error_m']:g} m, as stated by PROJ"),
    )
    rows = [
        (
            session.name,
            note.name,
            _figure(note.position_error),
            "third coordinate" if note.height_is_position else _figure(note.height),
            _figure(note.tilt),
        )
        for session in matter.sessions
        for note in session.notes.sensor
    ]
    errors = AnnexTable(
        caption="Errors and pose as stated",
        head=("session", "sensor", "95 % error, m", "height, m", "tilt, rad"),
        rows=tuple(rows),
        numbers=(2, 3, 4),
    )
    fixes = AnnexTable(
        caption="Fixes by class",
        head=("session", "stream", "class", "fixes"),
        rows=tuple(
            (session.name, stream.name, name, str(n))
            for session in matter.sessions
            for stream in session.notes.stream
            for name, n in stream.fix_classes.items()
        ),
        numbers=(3,),
        nothing="Nobody stated classes of fixes.",
    )
    lost = AnnexTable(
        caption="Samples without a trusted position",
        head=("sensor", "samples"),
        rows=tuple((name, str(n)) for name, n in matter.grid.unlocated.items()),
        numbers=(1,),
    )
    return AnnexSection(
        number=7, facts=(*own, *facts), tables=(errors, fixes, lost), missing=missing
    )


def _coverage(matter: AnnexMatter) -> AnnexSection:
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


def _not_observed(matter: AnnexMatter) -> AnnexSection:
    rows: list[tuple[str, ...]] = []
    words = []
    method = (
        f"states of cells of {matter.grid.cell:g} m, each set by the footprint, the gates and "
        "the function checks of section 8"
    )
    for ground in matter.grounds:
        parts = ground.unseen()
        area = sum(part.area for part in parts)
        share = 100 * area / ground.area
        if parts:
            words.append(
                f"{ground.label}: {format_area(area)} m² of {format_area(ground.area)} m² "
                f"({share:.1f} %) were not observed to the stated limits."
            )
        else:
            words.append(f"{ground.label}: 0 m² not observed, by {method}.")
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
        rows=tuple(rows[:_MOST_ROWS]),
        numbers=(3,),
        nothing="0 m².",
    )
    figures = []
    if matter.shows_positions:
        figures = ["reasons", *(f"reasons_{k}" for k in figure_layers(matter.grid))]
    return AnnexSection(
        number=9, paragraphs=tuple(words), tables=(table,), figures=tuple(figures)
    )


def _alarms(matter: AnnexMatter) -> AnnexSection:
    table = current_dispositions(matter.entries)
    rows = []
    alarms = [a for session in matter.sessions for a in session.alarms]
    for alarm in alarms:
        entry = table.get(alarm.identifier)
        done = entry.disposition if entry else None
        place = ("withheld", "withheld")
        if matter.shows_positions:
            place = (_figure(alarm.easting, 2), _figure(alarm.northing, 2))
        rows.append(
            (
                alarm.identifier,
                alarm.lane,
                _figure(alarm.time, 2),
                *place,
                _figure(alarm.position_error, 3),
                _figure(alarm.score, 4),
                flag_words(int(alarm.quality)),
                "open" if done is None else f"{done.action}: {done.found}",
                "" if done is None else f"{done.by}, {done.time}",
                "" if done is None else (done.photo_sha512[:16] or "no photograph"),
            )
        )
    ended = sum(entry.disposition.ends_alarm for entry in table.values())
    models = sorted({alarm.model for alarm in alarms if alarm.model})
    facts = [
        ("Alarms", str(len(alarms))),
        ("Ended by a named person", str(ended)),
        ("Standing", str(len(alarms) - ended)),
        ("Entries of the log", f"{len(matter.entries)}, none deleted"),
        ("Thresholds", ", ".join(_figure(s.threshold, 6) for s in matter.sessions if s.alarms)),
        ("Model", ", ".join(models)),
    ]
    shown = AnnexTable(
        caption="Alarms and what people did about them",
        head=(
            "alarm", "lane", "time, s", "easting, m", "northing, m", "error, m", "score",
            "flags", "disposition", "by", "photograph, SHA-512 begins",
        ),
        rows=tuple(rows[:_MOST_ROWS]),
        numbers=(2, 3, 4, 5, 6),
        nothing="No threshold was crossed.",
    )  # fmt: skip
    words = ["An alarm ends only by the entry of a named person; none is deleted."]
    if len(rows) > _MOST_ROWS:
        words.append(
            f"The table shows {_MOST_ROWS} of {len(rows)}; all are in the files of the annex."
        )
    history = AnnexTable(
        caption="Log of dispositions, corrections included",
        head=("entry", "alarm", "action", "found", "by", "time", "corrects", "note"),
        rows=tuple(_log_row(entry) for entry in matter.entries[:_MOST_ROWS]),
        numbers=(0,),
    )
    return AnnexSection(
        number=10,
        paragraphs=tuple(words),
        facts=tuple(fact for fact in facts if fact[1]),
        tables=(shown, history),
        figures=("alarms",) if matter.shows_positions else (),
    )


def _seeds(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 11)
    given = matter.site.annex
    laid, found = given.get("blind_seeds_laid", ""), given.get("blind_seeds_found", "")
    if laid or found:
        low, high = _seed_interval(laid, found)
        facts = (
            *facts,
            ("Blind seeds found", f"{found} of {laid}"),
            ("95 % interval of the share found", f"{low:.3f} to {high:.3f}"),
        )
    else:
        missing = (*missing, "blind seeds found and laid")
    return AnnexSection(number=11, facts=facts, missing=missing)


def _nonconformities(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 12)
    failed = [item for item in matter.grid.checks if not item.passed]
    words = [
        f"Function check of {item.check.sensor} at {item.check.time:.1f} s failed: {item.why}. "
        "Data back to the last check that passed are INVALID."
        for item in failed
    ]
    mines = [
        e for e in current_dispositions(matter.entries).values()
        if e.disposition.found in ("mine", "uxo")
    ]  # fmt: skip
    words += [
        f"Alarm {e.disposition.alarm}: {e.disposition.found} found by {e.disposition.by} on "
        f"{e.disposition.time}. An item found on ground already searched is critical."
        for e in mines
    ]
    return AnnexSection(number=12, paragraphs=tuple(words), facts=facts, missing=missing)


def _processing(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 13)
    rows = [(name, value) for name, value in matter.program.items()]
    rows += [
        (f"{session.name}: {name}", value)
        for session in matter.sessions
        for name, value in session.processing.items()
    ]
    return AnnexSection(number=13, facts=(*rows, *facts), missing=missing)


def _integrity(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 14)
    rows = tuple(
        (file.role, file.name, str(file.size), file.sha512)
        for file in matter.files[:_MOST_ROWS]
    )
    table = AnnexTable(
        caption="Files and their SHA-512",
        head=("role", "file", "bytes", "SHA-512"),
        rows=rows,
        numbers=(2,),
    )
    words = [
        "Hashes are chained over inputs, configuration, model and outputs. The command "
        "minesense verify finds any changed byte, and files that are missing or were added. It "
        "cannot tell who changed them: that is what the signature is for.",
    ]
    if len(matter.files) > _MOST_ROWS:
        words.append(f"The table shows {_MOST_ROWS} of {len(matter.files)} files.")
    own = (
        ("Link of the chain up to this page", matter.links[-1] if matter.links else ""),
        (
            "Last entry of the log of dispositions",
            matter.entries[-1].sha512 if matter.entries else "none",
        ),
        ("Signed for the organisation", "................................"),
        ("Signed for quality assurance", "................................"),
        ("Date", "................................"),
    )
    return AnnexSection(
        number=14,
        paragraphs=tuple(words),
        facts=(*own, *facts),
        tables=(table,),
        missing=missing,
    )


def _residual(matter: AnnexMatter) -> AnnexSection:
    facts, missing = _stated(matter, 15)
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


def _residual_tables(residual: Any) -> list[AnnexTable]:
    """Return the tables of an estimate of what may remain; the worst case is the headline."""

    def row(name: str, item: Any) -> tuple[str, ...]:
        return (
            name,
            f"{item.mean:.3g}",
            f"{item.upper:.3g}",
            f"{item.none_remain:.3g}",
            f"{item.greatest_cell:.3g}",
        )

    head = ("", "expected items", "upper bound", "P(none remains)", "greatest cell, bound")
    confidence = f"{100 * residual.confidence:g} %"
    cases = AnnexTable(
        caption=f"Items that may remain, whole task, {confidence} bounds; worst case first",
        head=head,
        rows=tuple(row(name, item) for name, item in residual.combinations.items()),
        numbers=(1, 2, 3, 4),
    )
    others = AnnexTable(
        caption="Under other assumptions",
        head=("", *head[1:], "assumption"),
        rows=tuple((*row(s.name, s.remaining), s.assumption) for s in residual.scenarios),
        numbers=(1, 2, 3, 4),
    )
    return [cases, others]


def _figure(value: float, digits: int = 3) -> str:
    """Return a figure, or a word where it is not known."""
    return f"{round(value, digits):.10g}" if math.isfinite(value) else "unknown"


def _count_flag(quality: Any, name: str) -> int:
    return int(np.count_nonzero(quality & int(Quality[name])))


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


def _seed_interval(laid: str, found: str) -> tuple[float, float]:
    """Return the exact 95 % interval of the share of blind seeds found (Clopper, Pearson)."""
    from scipy.special import betaincinv  # noqa: PLC0415 - slow to load

    if not (laid.isdecimal() and found.isdecimal() and 0 <= int(found) <= int(laid) > 0):
        msg = (
            f"Invalid blind_seeds_found '{found}' of blind_seeds_laid '{laid}'. Must be whole "
            "numbers, found at most laid."
        )
        raise ValueError(msg)
    k, n = int(found), int(laid)
    low = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0
    return low, high

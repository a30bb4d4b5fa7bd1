"""Sections 1 to 7 of an annex: who searched what, with what, by which clock and where."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from ..alarm import SAFETY_TEXT
from ..sweep import Quality
from .annex import AnnexSection, AnnexTable, format_area
from .annex_matter import INSTRUMENT, AnnexMatter, format_figure, stated


def identity_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 1: who searched what for whom.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
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


def limits_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 2: the fixed text, and what the sensors cannot see.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
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
    facts, _ = stated(matter, 2)
    table = AnnexTable(
        caption="What the sensors cannot see, or may miss",
        head=("sensor", "class", "from, m", "to, m", "why"),
        rows=tuple(rows),
        numbers=(2, 3),
    )
    return AnnexSection(number=2, paragraphs=(SAFETY_TEXT,), facts=facts, tables=(table,))


def instrument_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 3: the instruments as the site file states them.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    rows, missing = [], []
    for sensor in matter.site.sensor:
        given = dict(sensor.instrument)
        for key, words in INSTRUMENT:
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


def checks_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 4: function checks, and what they made invalid.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
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


def soil_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 5: what was stated of the soil.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 5)
    return AnnexSection(number=5, facts=facts, missing=missing)


def timebase_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 6: clocks, and samples flagged for their time.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    rows = tuple(
        (
            session.name,
            stream.name,
            stream.clock,
            stream.epoch,
            format_figure(stream.offset),
            format_figure(stream.offset_error),
            format_figure(stream.drift),
            format_figure(stream.lag),
            format_figure(stream.lag_error),
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


def positioning_section(matter: AnnexMatter) -> AnnexSection:
    """
    Return section 7: where positions come from, and their errors.

    Parameters
    ----------
    matter : AnnexMatter
        What the annex is made from.

    Returns
    -------
    section : AnnexSection
        As it stands in the annex.
    """
    facts, missing = stated(matter, 7)
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
            format_figure(note.position_error),
            "third coordinate" if note.height_is_position else format_figure(note.height),
            format_figure(note.tilt),
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


def _count_flag(quality: Any, name: str) -> int:
    return int(np.count_nonzero(quality & int(Quality[name])))

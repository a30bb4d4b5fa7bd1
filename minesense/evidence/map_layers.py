"""What an annex rests on as layers of a map: alarms, tracks, checks, records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..alarm import Alarm
from ..io.gis import Column, Layer, MapFeature, Provenance
from ..io.gis._extra import import_geo
from ..io.gis.layers import Value
from ..minefield_records import MinefieldRecord
from ..sweep import Quality, Sweep
from .dispositions import LogEntry
from .function_checks import JudgedCheck

#: Farthest that a simplified track strays from the recorded one, m.
TRACK_TOLERANCE = 0.005


def flag_words(quality: int) -> str:
    """
    Return the names of quality flags as one text.

    Parameters
    ----------
    quality : int
        Flags of :class:`minesense.quality.Quality`, joined with or.

    Returns
    -------
    words : str
        Separated by blanks; empty if there are none.

    Examples
    --------
    >>> from minesense.evidence.map_layers import flag_words
    >>> flag_words(6)
    'TIME_BACKWARD TIME_JUMP'
    """
    return " ".join(str(flag.name) for flag in Quality if quality & flag)


def alarm_layer(
    alarms: Iterable[Alarm],
    dispositions: Mapping[str, LogEntry],
    *,
    task: Any,
    threshold: float = math.nan,
) -> Layer:
    """
    Return the layer of alarms; none is ever left out.

    Parameters
    ----------
    alarms : iterable of Alarm
        All that were made.
    dispositions : mapping of str to LogEntry
        What people did, by alarm.
    task : shapely polygon or None
        Ground of the task; alarms outside are marked.
    threshold : float
        Of the score.

    Returns
    -------
    layer : Layer
        Points; alarms without a position have none, and say so.

    Raises
    ------
    ValueError
        If a disposition is of an alarm that is not there.
    ImportError
        If the extra ``geo`` is not installed.

    Examples
    --------
    >>> from minesense.evidence.map_layers import alarm_layer
    >>> len(alarm_layer([], {}, task=None))
    0
    """
    shapely = import_geo("shapely")
    given = list(alarms)
    unknown = sorted(dispositions.keys() - {alarm.identifier for alarm in given})
    if unknown:
        msg = (
            f"Invalid dispositions: {len(unknown)} are of alarms that are not there, the first "
            f"is '{unknown[0]}'. Must be of alarms of the sessions."
        )
        raise ValueError(msg)
    features = []
    for alarm in given:
        is_located = math.isfinite(alarm.easting) and math.isfinite(alarm.northing)
        place = shapely.Point(alarm.easting, alarm.northing) if is_located else None
        entry = dispositions.get(alarm.identifier)
        values = _alarm_values(alarm, entry) | {
            "threshold": threshold,
            "is_located": is_located,
            "is_outside_task": bool(is_located and task is not None and not task.covers(place)),
        }
        features.append(
            MapFeature(
                identifier=alarm.identifier,
                geometry=place,
                values=values,
                provenance=_provenance(entry),
            )
        )
    return Layer(
        name="alarms",
        geometry="Point",
        columns=_ALARM_COLUMNS,
        features=tuple(features),
        description="alarms with what people did about them; none was deleted",
    )


_ALARM_COLUMNS = (
    Column(name="lane"),
    Column(name="time_s", kind="number"),
    Column(name="easting_m", kind="number"),
    Column(name="northing_m", kind="number"),
    Column(name="position_error_m", kind="number", meaning="one standard deviation"),
    Column(name="depth_m", kind="number"),
    Column(name="probability", kind="number", meaning="as the model states it"),
    Column(name="score", kind="number"),
    Column(name="threshold", kind="number"),
    Column(name="model"),
    Column(name="flags"),
    Column(name="is_located", kind="truth"),
    Column(name="is_outside_task", kind="truth"),
    Column(name="disposition", meaning="what was done; open if nothing"),
    Column(name="is_ended", kind="truth", meaning="whether a person ended the alarm"),
    Column(name="found"),
    Column(name="found_depth_m", kind="number"),
    Column(name="disposed_by"),
    Column(name="disposed_at"),
    Column(name="photo_sha512"),
    Column(name="log_entry", kind="count"),
)


def _alarm_values(alarm: Alarm, entry: LogEntry | None) -> dict[str, Any]:
    """Return what is known of an alarm."""
    done = entry.disposition if entry else None
    depth = done.depth if done else None
    return {
        "lane": alarm.lane,
        "time_s": float(alarm.time),
        "easting_m": float(alarm.easting),
        "northing_m": float(alarm.northing),
        "position_error_m": float(alarm.position_error),
        "depth_m": float(alarm.depth),
        "probability": float(alarm.probability),
        "score": float(alarm.score),
        "model": alarm.model,
        "flags": flag_words(int(alarm.quality)),
        "disposition": done.action if done else "open",
        "is_ended": bool(done and done.ends_alarm),
        "found": done.found if done else None,
        "found_depth_m": None if depth is None else float(depth),
        "disposed_by": done.by if done else None,
        "disposed_at": done.time if done else None,
        "photo_sha512": (done.photo_sha512 or None) if done else None,
        "log_entry": entry.number if entry else None,
    }


def _provenance(entry: LogEntry | None) -> Provenance:
    """Return how far people stand behind an alarm."""
    if entry is None:
        return Provenance.SENSOR_ANOMALY
    if entry.disposition.action in ("destroyed", "handed_over"):
        return Provenance.EOD_DISPOSED
    return Provenance.OPERATOR_CONFIRMED


def track_layer(sweeps: Iterable[Sweep]) -> Layer:
    """
    Return the layer of tracks, a line for each stretch whose positions are trusted.

    Parameters
    ----------
    sweeps : iterable of Sweep
        One is in memory at a time.

    Returns
    -------
    layer : Layer
        Lines, thinned to what strays less than TRACK_TOLERANCE from them.

    Raises
    ------
    ImportError
        If the extra ``geo`` is not installed.

    Examples
    --------
    >>> from minesense.evidence.map_layers import track_layer
    >>> len(track_layer([]))
    0
    """
    shapely = import_geo("shapely")
    features: list[MapFeature] = []
    for sweep in sweeps:
        place = sweep.position[:, :2]
        lost = Quality.POSE_NONE | Quality.POSE_JUMP
        known = ((sweep.quality & int(lost)) == 0) & np.isfinite(place).all(axis=1)
        for start, stop in _runs(known):
            corners = place[start:stop]
            moved = np.ones(len(corners), bool)
            moved[1:] = (np.diff(corners, axis=0) != 0).any(axis=1)
            corners = corners[moved]
            if len(corners) < 2:
                continue
            line = shapely.simplify(shapely.LineString(corners), TRACK_TOLERANCE)
            part = slice(start, stop)
            flags = int(np.bitwise_or.reduce(sweep.quality[part]))
            values: dict[str, Value] = {
                "lane": sweep.lane,
                "sensor": sweep.sensor.name,
                "start_time_s": float(sweep.time[start]),
                "stop_time_s": float(sweep.time[stop - 1]),
                "n_traces": stop - start,
                "n_credited": int(np.count_nonzero(sweep.is_credited[part])),
                "length_m": round(float(np.hypot(*np.diff(corners, axis=0).T).sum()), 3),
                "flags": flag_words(flags),
            }
            features.append(
                MapFeature(identifier=f"T{len(features) + 1:05d}", geometry=line, values=values)
            )
    return Layer(
        name="tracks",
        geometry="LineString",
        columns=(
            Column(name="lane"),
            Column(name="sensor"),
            Column(name="start_time_s", kind="number"),
            Column(name="stop_time_s", kind="number"),
            Column(name="n_traces", kind="count"),
            Column(name="n_credited", kind="count"),
            Column(name="length_m", kind="number"),
            Column(name="flags"),
        ),
        features=tuple(features),
        description="where the platform passed; passing is not observing",
        is_hazard=False,
    )


def _runs(known: Any) -> list[tuple[int, int]]:
    """Return first and one behind the last of every run of true values."""
    edges = np.diff(np.concatenate([[0], known.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def record_layer(records: Iterable[MinefieldRecord], *, sources: Mapping[str, str]) -> Layer:
    """
    Return the layer of minefield records as they stand on paper.

    Parameters
    ----------
    records : iterable of MinefieldRecord
        Claims of doubtful worth.
    sources : mapping of str to str
        Author or archive, by identifier of the record.

    Returns
    -------
    layer : Layer
        Strips as polygons, at least 10 cm wide.

    Raises
    ------
    ImportError
        If the extra ``geo`` is not installed.

    Examples
    --------
    >>> from minesense.evidence.map_layers import record_layer
    >>> len(record_layer([], sources={}))
    0
    """
    shapely = import_geo("shapely")
    features = []
    for record in records:
        along = np.array([math.sin(record.heading), math.cos(record.heading)])
        across = np.array([along[1], -along[0]])
        middle = np.array([record.easting, record.northing])
        half = max(record.length, 0.1) / 2, max(record.width, 0.1) / 2
        corners = [
            middle + a * half[0] * along + b * half[1] * across
            for a, b in ((-1, 1), (1, 1), (1, -1), (-1, -1))
        ]
        values: dict[str, Value] = {
            "form": record.form,
            "kind": record.kind,
            "number": int(record.number),
            "length_m": float(record.length),
            "width_m": float(record.width),
            "source": sources.get(record.identifier, ""),
            "note": "a claim on paper: may be shifted, turned, incomplete or wrong",
        }
        features.append(
            MapFeature(
                identifier=record.identifier,
                geometry=shapely.Polygon(corners).normalize().reverse(),
                values=values,
            )
        )
    return Layer(
        name="records",
        geometry="Polygon",
        columns=(
            Column(name="form"),
            Column(name="kind"),
            Column(name="number", kind="count"),
            Column(name="length_m", kind="number"),
            Column(name="width_m", kind="number"),
            Column(name="source"),
            Column(name="note"),
        ),
        features=tuple(features),
        description="minefield records as they stand on paper",
        is_hazard=False,
        may_overlap=True,
    )


def check_layer(checks: Iterable[JudgedCheck]) -> Layer:
    """
    Return the layer of function checks, which have no place.

    Parameters
    ----------
    checks : iterable of JudgedCheck
        Those that failed as well.

    Returns
    -------
    layer : Layer
        A table.

    Examples
    --------
    >>> from minesense.evidence.map_layers import check_layer
    >>> len(check_layer([]))
    0
    """
    features = []
    for number, item in enumerate(checks, start=1):
        check = item.check
        values: dict[str, Value] = {
            "sensor": check.sensor,
            "session": check.session,
            "time_s": float(check.time),
            "occasion": check.occasion,
            "test_piece": check.test_piece,
            "medium": check.medium,
            "depth_m": float(check.depth),
            "response": float(check.response),
            "noise": float(check.noise),
            "baseline": float(check.baseline),
            "passed": item.passed,
            "why": item.why,
            "made_by": check.by,
        }
        features.append(MapFeature(identifier=f"C{number:04d}", values=values))
    texts = ("sensor", "session", "occasion", "test_piece", "medium", "why", "made_by")
    order = (
        "sensor", "session", "time_s", "occasion", "test_piece", "medium", "depth_m",
        "response", "noise", "baseline", "passed", "why", "made_by",
    )  # fmt: skip
    columns = tuple(
        Column(
            name=name,
            kind="text" if name in texts else "truth" if name == "passed" else "number",
        )
        for name in order
    )
    return Layer(
        name="function_checks",
        geometry="",
        columns=columns,
        features=tuple(features),
        description="checks of the instruments against a test piece",
        is_hazard=False,
    )

"""
Read recordings of streams as sweeps: one for each sensor and lane.

Scans get the positions of the stream that tells them, by stamps of one clock. What two clocks
say of one instant is a matter of a live session, not of a file reader: positions of another
clock are not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_positive
from ..message import StreamDeclaration
from ..sweep import Frame, Quality, Sweep
from .hdf5_access import MAX_BYTES
from .local_frame import heading_of_track, local_frame, local_position
from .mcap_logs import Lane, PositionLog, ScanLog, StreamLog, read_logs
from .positions import interpolate
from .row_order import order_rows
from .sweep_file import SweepFile, finish
from .trouble import Findings

Floats = npt.NDArray[np.float64]

#: Clocks that are the same for all streams that name them; every sensor has its own.
_SHARED_CLOCKS = ("utc", "gps", "host")


def read_mcap(
    path: str | Path,
    *,
    traces: slice | None = None,
    strict: bool = False,
    max_gap: float = 2.0,
    position_stream: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> SweepFile:
    """
    Read a recording of streams (MCAP) as the sweeps of its sensors.

    Parameters
    ----------
    path : str or Path
        Of `minesense stream`, or of :func:`~minesense.io.mcap_sweep_writer.write_mcap`.
    traces : slice, optional
        Which traces of each sweep, all without it.
    strict : bool, optional
        Whether warnings are errors.
    max_gap : float, optional
        Longest time between two positions to interpolate over, in seconds.
    position_stream : str, optional
        Name of the stream of positions; needed only where there are several.
    max_bytes : int, optional
        Most bytes of samples that are taken: a compressed file may hold more than it is long.

    Returns
    -------
    result : SweepFile
        A sweep for each sensor and lane; a lane lies between two notes of that name. Times are
        those of events by the stream's clock: stamp plus offset minus lag, as declared.

    Raises
    ------
    FormatError
        If it is no recording of streams, or no scan can be had; in strict mode also for a
        warning.
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    What damage hides is left out with a warning; the trace behind missing sequence numbers has
    the flag GAP. A trace has a position only between two of the same lane of time, no further
    apart than `max_gap`, and never across a message that says there is none.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    max_gap = check_positive(max_gap, "max_gap")
    check_count(max_bytes, "max_bytes")
    if traces is not None and (not isinstance(traces, slice) or traces.step not in (None, 1)):
        msg = f"Invalid traces {traces!r}. Must be a slice without a step."
        raise TypeError(msg)
    log = read_logs(findings, max_bytes=max_bytes)
    places = _pick(findings, log, position_stream)
    sweeps = []
    for scans in log.scans:
        sweeps += _sweeps_of(findings, scans, places, max_gap)
    if not sweeps:
        findings.fail("content", f"{log.n_messages} messages", "with a scan of a sensor")
    if traces is not None:
        sweeps = [part for sweep in sweeps if len(part := sweep[traces])]
        if not sweeps:
            findings.fail("traces", str(traces), "some of the traces of a sweep")
    return finish(
        findings,
        format_name="mcap",
        sweeps=sweeps,
        header={
            "streams": dict(log.kinds),
            "notes": dict(log.topics),
            "is_whole": traces is None and log.is_whole,
        },
        sources={
            "time": "stamps of the streams",
            "position": f"stream '{places.declaration.name}'" if places else "none",
        },
    )


def _pick(findings: Findings, log: StreamLog, name: str | None) -> PositionLog | None:
    """Return the positions to use."""
    there = {places.declaration.name: places for places in log.positions}
    if name is not None:
        if name not in there:
            findings.fail("position_stream", name, f"one of {sorted(there)}")
        return there[name]
    if len(there) > 1:
        first = next(iter(there))
        findings.warn(
            f"several streams of positions, {sorted(there)}: '{first}' is used; "
            "position_stream names another"
        )
    return next(iter(there.values()), None)


def _sweeps_of(
    findings: Findings, scans: ScanLog, places: PositionLog | None, max_gap: float
) -> list[Sweep]:
    """Return the sweeps of one sensor in one lane."""
    declaration, lane = scans.declaration, scans.lane
    sensor = declaration.sensor
    assert sensor is not None
    samples = np.frombuffer(scans.samples, np.float32).reshape(-1, *sensor.shape)
    time = _event_time(declaration, scans.stamps)
    quality = _quality(findings, scans)
    quality[~np.isfinite(samples).all(axis=(1, 2))] |= int(Quality.NOT_FINITE)
    position = np.full((len(samples), 3), np.nan)
    heading = np.full(len(samples), np.nan)
    frame = Frame()
    if places is not None and _share_a_clock(declaration, places.declaration):
        position, heading, frame = _places_at(places, lane, time, max_gap)
    elif places is not None:
        findings.warn(
            f"stream '{declaration.name}' goes by the clock '{declaration.clock}', positions "
            f"of '{places.declaration.name}' by '{places.declaration.clock}' of their own: "
            "its traces have no position"
        )
    lost = ~np.isfinite(position).all(axis=1)
    position[lost] = np.nan
    track = heading_of_track(position[:, 0], position[:, 1])
    heading = np.where(lost, np.nan, np.where(np.isfinite(heading), heading, track))
    quality[lost] |= int(Quality.POSE_NONE)
    return [
        Sweep(
            samples=samples[stretch.rows],
            time=stretch.time,
            position=position[stretch.rows],
            heading=heading[stretch.rows],
            quality=quality[stretch.rows] | stretch.quality,
            sensor=sensor,
            lane=findings.path.stem if lane.name is None else lane.name,
            frame=frame,
            history=tuple(lane.history.get(declaration.name, ())),
        )
        for stretch in order_rows(findings, time - lane.shift, np.zeros(len(time), bool))
    ]


def _event_time(declaration: StreamDeclaration, stamps: Any) -> Floats:
    """Return when what was stamped happened, by the clock of the task."""
    return np.array(stamps, np.float64) + declaration.offset - declaration.lag


def _share_a_clock(one: StreamDeclaration, other: StreamDeclaration) -> bool:
    return one.clock == other.clock and one.clock in _SHARED_CLOCKS


def _quality(findings: Findings, scans: ScanLog) -> npt.NDArray[np.int64]:
    """Return the flags of traces: as noted in full, else those that the device said."""
    n_traces = len(scans.stamps)
    runs = scans.lane.runs.get(scans.declaration.name)
    if runs is not None:
        if sum(count for count, _ in runs) == n_traces:
            counts, flags = np.array(runs, np.int64).T
            return np.repeat(flags, counts)
        findings.warn(
            f"lane '{scans.lane.name}': notes have flags of {sum(c for c, _ in runs)} traces, "
            f"there are {n_traces}; those of the device are used"
        )
    said = np.frombuffer(scans.flags, np.uint32)
    quality = np.zeros(n_traces, np.int64)
    for device, flag in scans.known_flags():
        quality[(said & device) != 0] |= flag
    numbers = np.frombuffer(scans.sequences, np.uint32)
    jumps = np.flatnonzero(np.diff(numbers) != 1) + 1  # differences wrap as the numbers do
    quality[jumps] |= int(Quality.GAP)
    if len(jumps):
        findings.warn(
            f"stream '{scans.declaration.name}': sequence numbers jump in front of "
            f"{len(jumps)} traces, the first is trace {jumps[0]}"
        )
    return quality


def _places_at(
    places: PositionLog, lane: Lane, time: Floats, max_gap: float
) -> tuple[Floats, Floats, Frame]:
    """Return positions and headings of the platform at times, and their frame."""
    declaration = places.declaration
    rows = np.frombuffer(places.rows, np.float64).reshape(-1, 5)
    order = np.argsort(rows[:, 0], kind="stable")
    moments, first = np.unique(rows[order, 0], return_index=True)
    rows = rows[order][first]
    moments = _event_time(declaration, moments)
    place, heading = rows[:, 1:4].copy(), rows[:, 4].copy()
    frame = (lane.frame or declaration.frame) or Frame()
    if declaration.coordinates == "geographic":
        known = np.flatnonzero(np.isfinite(place).all(axis=1) & (np.abs(place[:, 0]) <= 90))
        if not len(known):
            return np.full((len(time), 3), np.nan), np.full(len(time), np.nan), frame
        origin = (float(place[known[0], 0]), float(place[known[0], 1]))
        wrong = np.ones(len(place), bool)
        wrong[known] = False
        place[wrong] = np.nan
        east, north = local_position(place[:, 0], place[:, 1], origin=origin)
        place = np.stack([east, north, place[:, 2]], axis=1)
        frame = local_frame(origin, declaration.height_datum or "")
    finite = np.isfinite(heading)
    turned = np.full(len(heading), np.nan)
    turned[finite] = np.unwrap(heading[finite])
    both = interpolate(moments, np.column_stack([place, turned]), time, max_gap=max_gap)
    index = np.minimum(np.searchsorted(moments, time), max(len(moments) - 1, 0))
    found = both[:, 3]
    if len(moments):
        found = np.where(moments[index] == time, heading[index], found)
    right, forward, upward = declaration.lever_arm or (0.0, 0.0, 0.0)
    position = both[:, :3]
    if any((right, forward, upward)):
        track = heading_of_track(position[:, 0], position[:, 1])
        angle = np.where(np.isfinite(found), found, track)
        sin, cos = np.sin(angle), np.cos(angle)
        position = position - np.stack(
            [
                cos * right + sin * forward,
                cos * forward - sin * right,
                np.full(len(angle), upward),
            ],
            axis=1,
        )
    return position, found, frame

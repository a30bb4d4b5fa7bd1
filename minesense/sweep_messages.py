"""What the sensors of a sweep would have sent: its streams, and the messages of its traces."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from .message import (
    DeviceFlag,
    FixClass,
    NoteMessage,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from .sweep import Floats, Quality, Sweep

Clock = Literal["utc", "gps", "host", "sensor"]

#: s of stamps between a lane and the next one, where the next would begin before its end.
PAUSE = 5.0

#: Flags of a trace that a device can say.
_SAID = tuple(
    (int(flag), said)
    for flag, said in (
        (Quality.SATURATED, DeviceFlag.SATURATED),
        (Quality.NOT_FINITE | Quality.STUCK, DeviceFlag.INVALID),
        (Quality.SETTING_CHANGED, DeviceFlag.SETTING_CHANGED),
        (Quality.BASELINE_STEP, DeviceFlag.REZEROED),
        (Quality.INTERFERENCE, DeviceFlag.INTERFERENCE),
    )
)


def stream_name(sweep: Sweep) -> str:
    """
    Return the name of the stream of a sweep's sensor.

    Parameters
    ----------
    sweep : Sweep
        Of the sensor.

    Returns
    -------
    name : str
        That of the sensor, as long as the name of a stream can be.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> stream_name(no_traces())
    'sensor'
    """
    return sweep.sensor.name[:200] or "sensor"


def sensor_declaration(sweep: Sweep, *, clock: Clock, note: str) -> StreamDeclaration:
    """
    Return the declaration of the stream of a sweep's sensor.

    Parameters
    ----------
    sweep : Sweep
        Its sensor, and its times for the rate.
    clock : str
        That stamps are of.
    note : str
        For people.

    Returns
    -------
    declaration : StreamDeclaration
        Without a lag: samples and positions of a sweep are of the same times.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> sensor_declaration(no_traces(), clock="host", note="SYNTHETIC").kind
    'sensor'
    """
    return StreamDeclaration(
        name=stream_name(sweep),
        kind="sensor",
        clock=clock,
        rate=regular_rate(sweep.time),
        lag_error=0.0,
        sensor=sweep.sensor,
        note=note,
    )


def position_declaration(
    sweep: Sweep, name: str, *, clock: Clock, note: str
) -> StreamDeclaration:
    """
    Return the declaration of the stream of a sweep's positions.

    Parameters
    ----------
    sweep : Sweep
        Its frame, and its times for the rate.
    name : str
        Of the stream.
    clock : str
        That stamps are of.
    note : str
        For people.

    Returns
    -------
    declaration : StreamDeclaration
        Of the platform's origin: lever arms are the sensor's.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> position_declaration(no_traces(), "position", clock="host", note="").lever_arm
    (0.0, 0.0, 0.0)
    """
    return StreamDeclaration(
        name=name,
        kind="position",
        clock=clock,
        rate=regular_rate(sweep.time),
        lag_error=0.0,
        frame=sweep.frame,
        height_datum="local",
        lever_arm=(0.0, 0.0, 0.0),
        note=note,
    )


def scan_of(sweep: Sweep, trace: int, *, stamp: float, sequence: int) -> SensorMessage:
    """
    Return a trace as the scan that its sensor sent.

    Parameters
    ----------
    sweep : Sweep
        With the trace.
    trace : int
        Its index.
    stamp : float
        Of the scan, s.
    sequence : int
        Of the scan in its stream.

    Returns
    -------
    scan : SensorMessage
        With what of the flags of the trace a device can say.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> coil = Sensor(name="coil", kind="emi", axis=[1e-5], lever_arms=np.zeros((1, 3)))
    >>> sweep = Sweep(
    ...     samples=np.ones((1, 1, 1)), time=[0.0], position=np.zeros((1, 3)), heading=[0.0],
    ...     quality=[int(Quality.BASELINE_STEP)], sensor=coil,
    ... )
    >>> scan_of(sweep, 0, stamp=2.5, sequence=7).flags.name
    'REZEROED'
    """
    quality, flags = int(sweep.quality[trace]), DeviceFlag(0)
    for flag, said in _SAID:
        if quality & flag:
            flags |= said
    return SensorMessage(
        stream=stream_name(sweep),
        sequence=sequence,
        stamp=stamp,
        samples=sweep.samples[trace],
        flags=flags,
    )


def position_of(
    sweep: Sweep, trace: int, name: str, *, stamp: float, sequence: int
) -> PositionMessage:
    """
    Return where the platform was at a trace.

    Parameters
    ----------
    sweep : Sweep
        With the trace.
    trace : int
        Its index.
    name : str
        Of the stream of positions.
    stamp : float
        Of the message, s.
    sequence : int
        Of the message in its stream.

    Returns
    -------
    position : PositionMessage
        NONE where the trace has none, SINGLE where it is POSE_COARSE, else TRACKED.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> coil = Sensor(name="coil", kind="emi", axis=[1e-5], lever_arms=np.zeros((1, 3)))
    >>> sweep = Sweep(
    ...     samples=np.ones((1, 1, 1)), time=[0.0], position=[[1.0, 2.0, 0.0]], heading=[0.0],
    ...     sensor=coil,
    ... )
    >>> where = position_of(sweep, 0, "position", stamp=2.5, sequence=7)
    >>> where.coordinates, where.fix.name
    ((1.0, 2.0, 0.0), 'TRACKED')
    """
    quality = int(sweep.quality[trace])
    is_lost = bool(quality & int(Quality.POSE_NONE))
    fix = FixClass.SINGLE if quality & int(Quality.POSE_COARSE) else FixClass.TRACKED
    east, north, up = (float(value) for value in sweep.position[trace])
    return PositionMessage(
        stream=name,
        sequence=sequence,
        stamp=stamp,
        coordinates=(math.nan,) * 3 if is_lost else (east, north, up),
        fix=FixClass.NONE if is_lost else fix,
        heading=math.nan if is_lost else float(sweep.heading[trace]),
    )


def lane_note(
    topic: str, content: dict[str, Any], *, stamp: float, sequence: int
) -> NoteMessage:
    """
    Return a note about a lane: that it begins or ends, or what scans have no room for.

    Parameters
    ----------
    topic : str
        Of the note.
    content : dict
        Of the note.
    stamp : float
        Of the note, s.
    sequence : int
        Of the note; those of all streams are numbered together.

    Returns
    -------
    note : NoteMessage
        Of no stream.

    Examples
    --------
    >>> lane_note("end lane", {"name": "A"}, stamp=4.0, sequence=1).topic
    'end lane'
    """
    return NoteMessage(stream="", sequence=sequence, stamp=stamp, topic=topic, content=content)


def regular_rate(time: Floats) -> float | None:
    """
    Return the rate of traces by a clock.

    Parameters
    ----------
    time : (n,) float64 ndarray
        Of the traces, s.

    Returns
    -------
    rate : float or None
        Hz; None where something else triggers them, or there are less than two.

    Examples
    --------
    >>> regular_rate(0.25 * np.arange(9)), regular_rate(np.array([0.0, 1.0, 4.0]))
    (4.0, None)
    """
    steps = np.diff(time)
    if not len(steps):
        return None
    step = float(np.median(steps))
    is_regular = np.count_nonzero(np.abs(steps - step) <= 0.01 * step) >= 0.9 * len(steps)
    return 1 / step if is_regular and 1 / step < math.inf else None

"""Read `metal_detector_msgs/Coil` from ROS bags: two coils in turn, and where they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number, check_positive
from ..sensor import Sensor
from ..sweep import Frame, Quality, Sweep
from .bag_messages import COIL, FIX, ODOMETRY, open_bag
from .local_frame import heading_of_track, local_frame, local_position
from .positions import interpolate
from .row_order import order_rows
from .sweep_file import SweepFile, finish
from .trouble import Findings

Floats = npt.NDArray[np.float64]

COILS = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoilLog:
    """Messages of the coils as they came, before any of them is judged."""

    time: Floats  #: (n,) s, stamps of the host before it read its serial port
    values: Floats  #: (n, 2) left, right; as sent, zero where a coil was not measured
    frame: str  #: of the header


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoseLog:
    """Fixes or odometry of a bag."""

    kind: str  #: type of the message
    topic: str
    time: Floats  #: (n,) s
    values: Floats  #: (n, 3) latitude, longitude, height; or x, y, z in metres
    status: npt.NDArray[np.int64]  #: (n,) of the fix; zero for odometry
    frame: str  #: of the header


@dataclass(slots=True)
class _Rows:
    """Messages of one topic while a bag is read."""

    time: list[float] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    frame: str = ""


def read_coil_bag(
    path: str | Path,
    *,
    topic: str | None = None,
    position_topic: str | None = None,
    reference: float = 1.0,
    max_hold: float = 0.5,
    max_gap: float = 2.0,
    lever_arms: Sequence[Sequence[float]] | None = None,
    origin: tuple[float, float] | None = None,
    strict: bool = False,
) -> SweepFile:
    """
    Read the messages of the coils, and positions if the bag has them.

    Parameters
    ----------
    path : str or Path
        A bag of ROS 1, or the folder of a bag of ROS 2, its storage sqlite3 or mcap.
    topic, position_topic : str, optional
        Of the coils, and of `sensor_msgs/NavSatFix` or `nav_msgs/Odometry`; each the only one
        of its type without it.
    reference : float, optional
        `calibration/ref` of the node, at which it clamps its values.
    max_hold : float, optional
        Longest time in seconds that a value may repeat: the node sends an old one again when
        no new one came. A longer run is flagged STUCK from its second message on.
    max_gap : float, optional
        Longest time between fixes to interpolate over, in seconds.
    lever_arms : (2, 3) sequence of float, optional
        Right, forward, upward of the left and the right coil, in metres; zero without it.
    origin : (float, float), optional
        Latitude and longitude that positions are counted from; the first fix without it.
    strict : bool, optional
        Whether warnings are errors.

    Returns
    -------
    result : SweepFile
        A sweep for each coil that was measured, of the messages in which it was; where both
        are in nearly every message, one sweep of two channels. Values at the reference are
        SATURATED. `header["both_zero"]` counts messages after a switch.

    Raises
    ------
    FormatError
        If it is no bag or damaged, has no message of the coils, or several topics could be
        meant; in strict mode also for a warning.
    ImportError
        If rosbags is not installed.
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    The coils are measured in turn, and one that is not connected is sent as exactly zero: zero
    is "not measured", never "no metal". With `calibration/sat` not set, every value is clamped
    to the reference.
    """
    path = Path(path)
    reference = check_positive(reference, "reference")
    max_hold, max_gap = check_positive(max_hold, "max_hold"), check_positive(max_gap, "max_gap")
    arms = np.zeros((2, 3))
    if lever_arms is not None:
        arms = check_array(lever_arms, "lever_arms", (2, 3))
    if origin is not None:
        check_number(origin[0], "origin latitude")
    findings = Findings(path, strict=strict)
    coils, poses = read_bag(findings, topic, position_topic)
    sweeps, header = _sweeps_of(
        findings, coils, poses, reference, max_hold, max_gap, arms, origin
    )
    if lever_arms is None:
        findings.warn("lever arms of the coils are not told: taken as zero")
    header["frame"] = coils.frame
    header["reference"] = reference
    return finish(
        findings,
        format_name="coil",
        sweeps=sweeps,
        header=header,
        sources={
            "time": "header stamp: host clock, before the serial read",
            "position": f"{poses.kind} of {poses.topic}" if poses else "none",
        },
    )


def read_bag(
    findings: Findings, topic: str | None = None, position_topic: str | None = None
) -> tuple[CoilLog, PoseLog | None]:
    """
    Return the messages of a bag, in their order in the bag.

    Parameters
    ----------
    findings : Findings
        Of the bag, whose path it has.
    topic, position_topic
        As in :func:`read_coil_bag`.

    Returns
    -------
    coils : CoilLog
        All messages of the coils.
    poses : PoseLog or None
        Fixes or odometry, None if the bag has none.

    Raises
    ------
    FormatError
        As in :func:`read_coil_bag`.
    """
    coils, poses = _Rows(), _Rows()
    with open_bag(findings.path) as reader:
        chosen = _pick(findings, reader, topic, (COIL,), "topic")
        placed = _pick(findings, reader, position_topic, (FIX, ODOMETRY), "position_topic")
        if chosen is None:
            there = sorted({f"{c.topic}: {c.msgtype}" for c in reader.connections})
            findings.fail("bag", there[:20], f"with a topic of {COIL}")
        wanted = [chosen, *([placed] if placed else [])]
        topics = {connection.topic for connection in wanted}
        connections = [c for c in reader.connections if c.topic in topics]
        for connection, _, raw in reader.messages(connections=connections):
            message = reader.deserialize(raw, connection.msgtype)
            if connection.topic == chosen.topic:
                _take(coils, message, (message.left_coil, message.right_coil))
            elif connection.msgtype == FIX:
                values = (message.latitude, message.longitude, message.altitude)
                _take(poses, message, values, int(message.status.status))
            else:
                place = message.pose.pose.position
                _take(poses, message, (place.x, place.y, place.z))
    if not coils.time:
        findings.fail("messages", 0, f"at least one of {COIL}")
    log = CoilLog(
        time=np.array(coils.time, np.float64),
        values=np.array(coils.values, np.float64),
        frame=coils.frame,
    )
    if placed is None or not poses.time:
        return log, None
    return log, PoseLog(
        kind=placed.msgtype,
        topic=placed.topic,
        time=np.array(poses.time, np.float64),
        values=np.array(poses.values, np.float64),
        status=np.array(poses.status, np.int64),
        frame=poses.frame,
    )


def _take(rows: _Rows, message: Any, values: tuple[float, ...], status: int = 0) -> None:
    """Add a message to its rows."""
    stamp = message.header.stamp
    rows.time.append(int(stamp.sec) + int(stamp.nanosec) * 1e-9)
    rows.values.append(tuple(float(value) for value in values))
    rows.status.append(status)
    rows.frame = rows.frame or str(message.header.frame_id)[:200]


def _pick(
    findings: Findings, reader: Any, topic: str | None, types: tuple[str, ...], option: str
) -> Any:
    """Return the connection of the topic that is meant, None if there is none of its type."""
    able = {c.topic: c for c in reader.connections if c.msgtype in types}
    if topic is not None:
        if topic not in able:
            findings.fail(option, topic, f"one of {sorted(able)}")
        return able[topic]
    if len(able) > 1:
        findings.fail("topics", sorted(able), f"one of its type, or chosen by {option}")
    return next(iter(able.values()), None)


def _sweeps_of(
    findings: Findings,
    coils: CoilLog,
    poses: PoseLog | None,
    reference: float,
    max_hold: float,
    max_gap: float,
    arms: Floats,
    origin: tuple[float, float] | None,
) -> tuple[list[Sweep], dict[str, Any]]:
    """Return the sweeps of the coils and what was counted."""
    measured = coils.values != 0
    values = np.where(measured, coils.values, np.nan)
    both = measured.all(axis=1)
    neither = ~measured.any(axis=1)
    header: dict[str, Any] = {
        "messages": len(values),
        "both_zero": int(neither.sum()),
        "both_measured": int(both.sum()),
    }
    finite = values[np.isfinite(values)]
    if finite.size and (finite == np.float64(np.float32(reference))).all():
        findings.warn(
            f"all values equal the reference {reference:g}: saturated or uncalibrated"
        )
    elif finite.size and finite.max() > reference * (1 + 1e-6):
        findings.warn(
            f"values reach {finite.max():g}, above the reference {reference:g} that the node "
            "clamps to: another reference, or another meaning"
        )
    used = [np.flatnonzero(measured[:, k]) for k in range(2)]
    together = both.sum() >= 0.9 * (len(values) - neither.sum()) and both.any()
    if together:
        findings.warn(
            "both coils are in most messages: a simulator publishes so, a detector in turn"
        )
        groups: list[tuple[tuple[int, ...], Any]] = [((0, 1), np.flatnonzero(~neither))]
    else:
        groups = [((k,), used[k]) for k in range(2) if len(used[k])]
    if not groups:
        findings.fail("values", "all zero", "at least one that is not: zero is 'not measured'")
    place, frame, coarse = _places(findings, coils.time, poses, max_gap, origin)
    sweeps = []
    for channels, rows in groups:
        name = " and ".join(COILS[k] for k in channels)
        sensor = Sensor(
            name=f"coil {name}",
            kind="emi",
            axis=np.zeros(1),
            lever_arms=arms[list(channels)],
            quantity="frequency over saturation times reference",
        )
        part = values[rows][:, list(channels)]
        flags = _judge(coils.time[rows], part, reference, max_hold)
        flags |= np.where(coarse[rows], int(Quality.POSE_COARSE), 0)
        no_pose = ~np.isfinite(place[rows]).all(axis=1)
        flags[no_pose] |= int(Quality.POSE_NONE)
        repeats = np.zeros(len(rows), bool)
        if len(rows) > 1:
            same = (part[1:] == part[:-1]) | np.isnan(part[1:])
            repeats[1:] = np.asarray(same, bool).all(axis=1)
        stretches = order_rows(findings, coils.time[rows], repeats)
        for number, stretch in enumerate(stretches, 1):
            these = stretch.rows
            spot = np.where(no_pose[these][:, None], np.nan, place[rows][these])
            heading = heading_of_track(spot[:, 0], spot[:, 1])
            sweeps.append(
                Sweep(
                    samples=part[these][:, :, None],
                    time=stretch.time,
                    position=spot,
                    heading=heading,
                    quality=flags[these] | stretch.quality,
                    sensor=sensor,
                    lane=f"{findings.path.stem} {name}"
                    + (f" {number}" if len(stretches) > 1 else ""),
                    frame=frame,
                    history=("heading: of the track",),
                )
            )
    return sweeps, header


def _judge(
    time: Floats, values: Floats, reference: float, max_hold: float
) -> npt.NDArray[np.int64]:
    """Return flags of messages: not measured, clamped, or an old value sent again."""
    flags = np.zeros(len(time), np.int64)
    flags[np.isnan(values).any(axis=1) | ~np.isfinite(values).all(axis=1)] |= int(
        Quality.NOT_FINITE
    )
    flags[(values == np.float64(np.float32(reference))).any(axis=1)] |= int(Quality.SATURATED)
    if len(time) < 2:
        return flags
    held = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    same = np.asarray(held, bool).all(axis=1)
    start = 0
    for stop in [*(np.flatnonzero(~same) + 1).tolist(), len(time)]:
        if stop - start > 1 and time[stop - 1] - time[start] > max_hold:
            flags[start + 1 : stop] |= int(Quality.STUCK)
        start = stop
    return flags


def _places(
    findings: Findings,
    time: Floats,
    poses: PoseLog | None,
    max_gap: float,
    origin: tuple[float, float] | None,
) -> tuple[Floats, Frame, npt.NDArray[np.bool_]]:
    """Return positions at the times of messages, their frame, and which are coarse."""
    place = np.full((len(time), 3), np.nan)
    coarse = np.zeros(len(time), bool)
    if poses is None:
        findings.warn("the bag has no positions")
        return place, Frame(), coarse
    good = np.isfinite(poses.time)
    good &= np.isfinite(poses.values[:, :2]).all(axis=1)
    if poses.kind == FIX:
        good &= poses.status >= 0
        good &= (np.abs(poses.values[:, 0]) <= 90) & (np.abs(poses.values[:, 1]) <= 360)
    n_bad = int(np.count_nonzero(~good))
    if n_bad:
        findings.warn(f"{n_bad} of {len(good)} positions have no fix and are left out")
    stamps = np.where(good, poses.time, -np.inf)
    rising = np.flatnonzero(good & (stamps > _before(stamps)))
    n_back = int(np.count_nonzero(good)) - len(rising)
    if n_back:
        findings.warn(f"{n_back} positions repeat a stamp or run backward and are left out")
    if not len(rising):
        findings.warn("the bag has no usable position")
        return place, Frame(), coarse
    values = poses.values[rising].copy()
    heights = np.where(np.isfinite(values[:, 2]), values[:, 2], 0.0)
    if poses.kind == FIX:
        start = origin or (float(values[0, 0]), float(values[0, 1]))
        east, north = local_position(values[:, 0], values[:, 1], origin=start)
        frame = local_frame(start, "ellipsoidal height")
    else:
        east, north = values[:, 0], values[:, 1]
        frame = Frame(crs="local", origin=f"frame '{poses.frame}' of {poses.topic}: x, y, z")
    track = np.column_stack([east, north, heights])
    place = interpolate(poses.time[rising], track, time, max_gap=max_gap)
    if poses.kind == FIX:
        # 2 is a ground-based augmentation, such as RTK; others are metres off
        near = np.clip(np.searchsorted(poses.time[rising], time), 0, len(rising) - 1)
        before = np.maximum(near - 1, 0)
        status = poses.status[rising]
        coarse = (status[near] < 2) | (status[before] < 2)
        coarse &= np.isfinite(place).all(axis=1)
    return place, frame, coarse


def _before(stamps: Floats) -> Floats:
    """Return the latest stamp before each."""
    latest = np.maximum.accumulate(stamps)
    return np.concatenate([[-np.inf], latest[:-1]])

"""What a learner did on one ground: poses and marks, checked, as a sweep with its flags."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import check_positive
from ..alarm import Alarm
from ..sensor import Sensor
from ..sweep import Floats, Frame, Quality, Sweep
from .trainerground import ASIDE, RADIUS, Ground

#: Poses and marks of one ground, and seconds on it, at most.
MOST_POSES, MOST_MARKS, LONGEST = 100_000, 500, 3600.0

_FRAME = Frame(crs="local", origin="SYNTHETIC: south-western corner of the first lane")
_WINDOW = 0.05  # s over which speed is taken
_GAP = 0.3  # s without a pose: the head was away
_TURN = 0.05  # m back, for a stroke to have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What counts as a proper sweep. The values are of the trainer, not of any standard.

    Raises
    ------
    TypeError, ValueError
        If one is not greater than zero, or the overlap not below 1.
    """

    height: float = 0.08  #: m, greatest, of the coil over mean ground
    speed: float = 0.8  #: m/s, greatest
    overlap: float = 0.25  #: least share of the footprint that neighbouring strokes share

    def __post_init__(self) -> None:
        for name in ("height", "speed", "overlap"):
            check_positive(getattr(self, name), name)
        if self.overlap >= 1:
            msg = f"Invalid overlap '{self.overlap}'. Must be below 1."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """
    What a learner did on one ground, in the lane's axes.

    Raises
    ------
    TypeError, ValueError
        If there are too many poses or marks, one is not finite or far from the ground, or time
        does not increase.
    """

    time: Floats  #: (n,) s, from the start on this ground
    pose: Floats  #: (n, 3) m: right, forward, height
    marks: Floats  #: (m, 3): time in s, right and forward in m

    @property
    def seconds(self) -> float:
        """Time on the ground, s."""
        return float(self.time[-1] - self.time[0]) if len(self.time) else 0.0

    def document(self) -> dict[str, Any]:
        """Return the run as JSON-ready lists."""
        poses = np.column_stack([self.time, self.pose])
        return {"poses": poses.tolist(), "marks": self.marks.tolist()}


def read_run(document: Any, ground: Ground) -> Run:
    """
    Read a run that came from outside.

    Parameters
    ----------
    document : object
        Parsed JSON: ``{"poses": [[t, right, forward, height], ...], "marks": [[t, right,
        forward], ...]}``.
    ground : Ground
        That it was made on.

    Returns
    -------
    run : Run
        Checked, to a millisecond and a tenth of a millimetre.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(document, Mapping) or set(document) != {"poses", "marks"}:
        msg = "Invalid run. Must be a table of 'poses' and 'marks'."
        raise ValueError(msg)
    poses = _rows(document["poses"], "poses", 4, MOST_POSES)
    marks = _rows(document["marks"], "marks", 3, MOST_MARKS)
    near = ASIDE + 1.0
    low = np.array([0.0, -ground.width / 2 - near, -near])
    high = np.array([LONGEST, ground.width / 2 + near, ground.length + near])
    for name, rows in (("poses", poses[:, :3]), ("marks", marks)):
        outside = ((rows < low) | (rows > high)).any(axis=1)
        if outside.any():
            k = int(np.argmax(outside))
            msg = (
                f"Invalid {name}: row {k} is {rows[k].tolist()}. Must be within "
                f"{LONGEST:g} s and {near:g} m of the ground."
            )
            raise ValueError(msg)
    if len(poses) and not ((poses[:, 3] >= 0) & (poses[:, 3] <= 2.0)).all():
        msg = "Invalid poses: a height is below 0 or above 2 m. Must lie between."
        raise ValueError(msg)
    poses = np.column_stack([poses[:, 0].round(3), poses[:, 1:].round(4)])
    if (np.diff(poses[:, 0]) <= 0).any():
        k = int(np.argmax(np.diff(poses[:, 0]) <= 0)) + 1
        msg = f"Invalid poses: row {k} is no later than the one before. Must be, by 1 ms."
        raise ValueError(msg)
    return Run(time=poses[:, 0], pose=poses[:, 1:], marks=marks.round(4))


def _rows(values: Any, name: str, width: int, most: int) -> Floats:
    """Return rows of so many finite numbers each."""
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) > most:
        msg = f"Invalid {name}. Must be a list of at most {most} rows of {width} numbers."
        raise ValueError(msg)
    for k, row in enumerate(values):
        fits = isinstance(row, Sequence) and not isinstance(row, str) and len(row) == width
        if not fits or not all(
            isinstance(value, (int, float)) and not isinstance(value, bool) for value in row
        ):
            msg = f"Invalid {name}: row {k} is no list of {width} numbers. Must be one."
            raise ValueError(msg)
        # whole numbers of JSON may be longer than any float
        if not all(abs(value) < 1e9 and math.isfinite(value) for value in row):
            msg = f"Invalid {name}: row {k} holds a number beyond 1e9. Must be finite."
            raise ValueError(msg)
    return np.array(values, dtype=np.float64).reshape(-1, width)


def speeds_of(run: Run) -> Floats:
    """
    Return the speed of the head at each pose, over about a twentieth of a second.

    Parameters
    ----------
    run : Run
        What a learner did.

    Returns
    -------
    speed : (n,) float64 ndarray
        m/s, along the ground; 0 where the head had been away.
    """
    n = len(run.time)
    before = np.searchsorted(run.time, run.time - _WINDOW, side="right") - 1
    before = np.clip(before, 0, np.maximum(np.arange(n) - 1, 0))
    passed = run.time - run.time[before]
    path = np.hypot(*(run.pose[:, :2] - run.pose[before, :2]).T)
    known = (passed > 0) & (passed <= _GAP)
    return np.where(known, path / np.where(known, passed, 1.0), 0.0)


def sweep_of(run: Run, ground: Ground, limits: Limits) -> Sweep:
    """
    Return a run as a sweep: what the head heard, where, and what kept it from counting.

    Parameters
    ----------
    run : Run
        What a learner did.
    ground : Ground
        Where.
    limits : Limits
        What counts as a proper sweep.

    Returns
    -------
    sweep : Sweep
        Samples (n, 1, 1), the statistic; flagged HEIGHT_LIMIT, SPEED_LIMIT, GAP, and
        NOT_FINITE beyond the ground.
    """
    right, forward, height = run.pose.T
    heard = ground.at(right, forward, height)
    quality = np.zeros(len(heard), np.int64)
    quality[np.isnan(heard)] |= Quality.NOT_FINITE
    quality[height > limits.height + 1e-9] |= Quality.HEIGHT_LIMIT
    quality[speeds_of(run) > limits.speed + 1e-9] |= Quality.SPEED_LIMIT
    quality[1:][np.diff(run.time) > _GAP] |= Quality.GAP
    east, north = right + ground.start[0], forward + ground.start[1]
    return Sweep(
        samples=heard[:, None, None].astype(np.float32),
        time=run.time,
        position=np.column_stack([east, north, height]),
        heading=np.zeros(len(heard)),
        quality=quality,
        sensor=Sensor(
            name="trainer head",
            kind="emi",
            axis=np.array([1e-5]),
            lever_arms=np.zeros((1, 3)),
            quantity="score",
            unit="standard deviations",
        ),
        lane=ground.name,
        frame=_FRAME,
        history=("SYNTHETIC: swept by a learner over a simulated lane",),
    )


def alarms_of(run: Run, ground: Ground) -> list[Alarm]:
    """
    Return the marks of a run as alarms, those of one place once.

    Parameters
    ----------
    run : Run
        What a learner did.
    ground : Ground
        Where.

    Returns
    -------
    alarms : list of Alarm
        All of the same score: a mark is a mark.
    """
    found: dict[tuple[float, float], Alarm] = {}
    for k, (time, right, forward) in enumerate(run.marks.tolist()):
        place = (right + ground.start[0], forward + ground.start[1])
        found.setdefault(
            place,
            Alarm(
                identifier=f"{ground.name}, mark {k + 1}",
                lane=ground.name,
                time=time,
                easting=place[0],
                northing=place[1],
                position_error=0.0,
                depth=math.nan,
                probability=math.nan,
                score=1.0,
                model="learner",
            ),
        )
    return list(found.values())


def overlaps_of(run: Run, ground: Ground) -> Floats:
    """
    Return by how much neighbouring strokes of the head overlap.

    Parameters
    ----------
    run : Run
        What a learner did.
    ground : Ground
        Where.

    Returns
    -------
    overlap : (n_strokes - 1,) float64 ndarray
        Share of the footprint's diameter that a stroke shares with the one before; less than
        zero where a strip lies between. A stroke is a movement across at least a third of the
        lane.
    """
    places = [
        float(np.mean(forward))
        for right, forward in _strokes(run)
        if np.ptp(right) >= ground.width / 3
    ]
    return np.asarray(1.0 - np.abs(np.diff(places)) / (2 * RADIUS))


def _strokes(run: Run) -> list[tuple[Floats, Floats]]:
    """Return right and forward of the movements from side to side."""
    right, forward = run.pose[:, 0], run.pose[:, 1]
    away = np.flatnonzero(np.diff(run.time) > _GAP) + 1
    strokes = []
    for part in np.split(np.arange(len(right)), away):
        begin, turn, towards = 0, 0, 0.0
        x = right[part]
        for k in range(1, len(x)):
            if (x[k] - x[turn]) * towards >= 0:
                if x[k] != x[turn]:
                    towards = towards or math.copysign(1.0, x[k] - x[turn])
                    turn = k
            elif abs(x[k] - x[turn]) >= _TURN:
                strokes.append(part[begin : turn + 1])
                begin, towards, turn = turn, -towards, k
        strokes.append(part[begin:])
    return [(right[part], forward[part]) for part in strokes if len(part)]

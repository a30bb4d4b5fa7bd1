"""
The records that flow through minesense: a sensor, and what it recorded along a lane.

Axes and signs, everywhere: easting, northing, upward (right-handed), depth positive down.
The platform frame is right, forward, upward; `heading` is the angle of forward, clockwise
from north, so that at heading 0 right is easting and forward is northing.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ._validation import (
    check_array,
    check_increasing,
    check_one_of,
    check_positive,
    check_real,
    check_shape,
)

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]


class Quality(enum.IntFlag):
    """What is known to be wrong with a trace. A flag is never removed downstream."""

    TIME_DUPLICATE = enum.auto()
    TIME_BACKWARD = enum.auto()
    TIME_JUMP = enum.auto()
    TIME_COARSE = enum.auto()
    LATE = enum.auto()
    GAP = enum.auto()  #: ground or time is missing before this trace
    EDGE = enum.auto()  #: a stage had too little of the lane to judge this trace
    POSE_NONE = enum.auto()
    POSE_COARSE = enum.auto()
    POSE_STALE = enum.auto()
    POSE_JUMP = enum.auto()
    HEIGHT_UNKNOWN = enum.auto()
    HEIGHT_LIMIT = enum.auto()
    TILT_LIMIT = enum.auto()
    SPEED_LIMIT = enum.auto()
    SATURATED = enum.auto()
    NOT_FINITE = enum.auto()
    STUCK = enum.auto()
    BASELINE_STEP = enum.auto()
    DRIFT = enum.auto()
    INTERFERENCE = enum.auto()
    MOTION = enum.auto()
    SETTING_CHANGED = enum.auto()
    CHECK_FAILED = enum.auto()
    OUT_OF_DOMAIN = enum.auto()


#: The samples of such a trace mean nothing: it enters no statistic and comes out as NaN.
UNUSABLE = Quality.SATURATED | Quality.NOT_FINITE | Quality.STUCK

#: Ground under such a trace counts as not observed.
NOT_CREDITED = (
    UNUSABLE
    | Quality.EDGE
    | Quality.LATE
    | Quality.TIME_JUMP
    | Quality.POSE_NONE
    | Quality.POSE_STALE
    | Quality.POSE_JUMP
    | Quality.HEIGHT_LIMIT
    | Quality.TILT_LIMIT
    | Quality.SPEED_LIMIT
    | Quality.CHECK_FAILED
    | Quality.OUT_OF_DOMAIN
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where positions are counted from: a coordinate system and its origin in words."""

    crs: str = "local"  #: "local", or an authority code such as "EPSG:32638"
    origin: str = "unstated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Radar:
    """What the physics of a ground-penetrating radar needs."""

    centre_frequency: float  #: Hz
    separation: float = 0.0  #: m, from transmitter (behind) to receiver, along forward
    height: float | None = None  #: m, antenna over mean ground; None if unknown

    def __post_init__(self) -> None:
        check_positive(self.centre_frequency, "centre_frequency")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PulseCoil:
    """A pulse-induction head: one circular coil that transmits, then receives."""

    radius: float  #: m
    gates: Floats  #: (n_gates, 2) start and stop after the end of turn-off, s
    pulse: float  #: s, current on before turn-off
    ramp: float  #: s, linear turn-off
    half_period: float  #: s, between pulses of alternating polarity
    receiver_tau: float  #: s, time constant of the receiver
    height: float | None = None  #: m, coil over mean ground; None if unknown

    def __post_init__(self) -> None:
        for name in ("radius", "pulse", "ramp", "half_period", "receiver_tau"):
            check_positive(getattr(self, name), name)
        gates = check_array(self.gates, "gates", ("n_gates", 2))
        if (gates[:, 0] <= 0).any() or (gates[:, 1] <= gates[:, 0]).any():
            msg = f"Invalid gates {gates.tolist()}. Must hold 0 < start < stop, in seconds."
            raise ValueError(msg)
        object.__setattr__(self, "gates", gates)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensor:
    """
    What recorded a sweep: its sample axis, its channels and its physics.

    Raises
    ------
    ValueError
        If `axis` is not strictly increasing, a unit or kind is unknown, or the record of
        the physics does not fit the kind.
    """

    name: str
    kind: Literal["gpr", "emi"]
    axis: Floats  #: (n_samples,) two-way time, gate centre (s), or frequency (Hz)
    axis_unit: Literal["s", "Hz"] = "s"
    lever_arms: Floats  #: (n_channels, 3) right, forward, upward from the position, m
    quantity: str = "amplitude"  #: what a sample is, for example "amplitude" or "score"
    unit: str = "1"  #: unit of a sample; "1" for counts and ratios
    radar: Radar | None = None
    coil: PulseCoil | None = None

    def __post_init__(self) -> None:
        check_one_of(self.kind, "kind", ("gpr", "emi"))
        check_one_of(self.axis_unit, "axis_unit", ("s", "Hz"))
        axis = check_increasing(check_array(self.axis, "axis", ("n_samples",)), "axis")
        arms = check_array(self.lever_arms, "lever_arms", ("n_channels", 3))
        object.__setattr__(self, "axis", axis)
        object.__setattr__(self, "lever_arms", arms)
        wrong = self.coil if self.kind == "gpr" else self.radar
        if wrong is not None:
            msg = f"Invalid {type(wrong).__name__} for a sensor of kind '{self.kind}'."
            raise ValueError(msg)

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and samples of one trace."""
        return len(self.lever_arms), len(self.axis)

    @property
    def sample_interval(self) -> float:
        """
        Step of a regular sample axis, in its unit.

        Raises
        ------
        ValueError
            If there are fewer than two samples or the steps differ by more than 1e-6.
        """
        steps = np.diff(self.axis)
        if not len(steps) or np.ptp(steps) > 1e-6 * steps[0]:
            msg = f"Invalid axis of sensor '{self.name}'. Must be regular, two values or more."
            raise ValueError(msg)
        return float((self.axis[-1] - self.axis[0]) / len(steps))

    def describe(self) -> dict[str, Any]:
        """Return what a model must match, as plain numbers and words."""
        first = float(self.axis[0]) if len(self.axis) else None
        last = float(self.axis[-1]) if len(self.axis) else None
        radar, coil = self.radar, self.coil
        return {
            "kind": self.kind,
            "n_channels": self.shape[0],
            "n_samples": self.shape[1],
            "axis_first": first,
            "axis_last": last,
            "axis_unit": self.axis_unit,
            "quantity": self.quantity,
            "unit": self.unit,
            "lever_arms_m": self.lever_arms.ravel().tolist(),
            "centre_frequency_hz": radar.centre_frequency if radar else None,
            "separation_m": radar.separation if radar else None,
            "height_m": radar.height if radar else coil.height if coil else None,
            "coil_radius_m": coil.radius if coil else None,
            "gates_s": coil.gates.ravel().tolist() if coil else None,
            "pulse_s": coil.pulse if coil else None,
            "ramp_s": coil.ramp if coil else None,
            "half_period_s": coil.half_period if coil else None,
            "receiver_tau_s": coil.receiver_tau if coil else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """
    Traces of one sensor along one lane, or a chunk of them.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) array_like
        Traces in recording order; kept as float32.
    time : (n_traces,) array_like
        Seconds, strictly increasing.
    position : (n_traces, 3) array_like
        Easting, northing, upward of the platform in `frame`, in metres; NaN where
        `quality` says POSE_NONE.
    heading : (n_traces,) array_like
        Direction of travel, radians clockwise from north.
    quality : (n_traces,) array_like, optional
        Flags of :class:`Quality`, joined with or.
    sensor : Sensor
    lane : str
    frame : Frame
    history : tuple of str
        What was done to the samples, one line a step.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit the sensor, time does not increase, or a trace holds NaN
        or infinite values without the flag NOT_FINITE, SATURATED or STUCK.
    """

    samples: Samples
    time: Floats
    position: Floats
    heading: Floats
    sensor: Sensor
    quality: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    lane: str = ""
    frame: Frame = Frame()
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = ("n_traces", *self.sensor.shape)
        samples = check_shape(check_real(self.samples, "samples"), "samples", shape)
        with np.errstate(over="ignore"):  # too large for float32: inf, refused below
            samples = np.ascontiguousarray(samples, dtype=np.float32)
        n = len(samples)
        time = check_increasing(check_array(self.time, "time", (n,)), "time")
        position = check_shape(check_real(self.position, "position"), "position", (n, 3))
        position = np.ascontiguousarray(position, dtype=np.float64)
        heading = check_shape(check_real(self.heading, "heading"), "heading", (n,))
        heading = np.ascontiguousarray(heading, dtype=np.float64)
        quality = np.zeros(n, np.int64) if self.quality is None else self.quality
        quality = check_shape(np.asarray(quality), "quality", (n,))
        if quality.dtype.kind not in "iu":
            msg = f"Invalid quality of dtype {quality.dtype}. Must be flags, whole numbers."
            raise TypeError(msg)
        quality = np.ascontiguousarray(quality, dtype=np.int64)
        _refuse_unflagged(samples, quality, UNUSABLE, "samples", "NOT_FINITE")
        pose = np.column_stack([position, heading])
        _refuse_unflagged(pose, quality, Quality.POSE_NONE, "position or heading", "POSE_NONE")
        for name, value in (
            ("samples", samples),
            ("time", time),
            ("position", position),
            ("heading", heading),
            ("quality", quality),
            ("history", tuple(self.history)),
        ):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Return the number of traces."""
        return len(self.samples)

    def __getitem__(self, traces: slice) -> Sweep:
        """Return the traces of a slice, as views."""
        return dataclasses.replace(
            self,
            samples=self.samples[traces],
            time=self.time[traces],
            position=self.position[traces],
            heading=self.heading[traces],
            quality=self.quality[traces],
        )

    @property
    def is_usable(self) -> npt.NDArray[np.bool_]:
        """Whether the samples of each trace mean anything."""
        return (self.quality & UNUSABLE) == 0

    @property
    def is_judged(self) -> npt.NDArray[np.bool_]:
        """Whether the samples mean anything and the stages had enough of the lane."""
        return (self.quality & (UNUSABLE | Quality.EDGE)) == 0

    @property
    def is_credited(self) -> npt.NDArray[np.bool_]:
        """Whether the ground under each trace counts as observed."""
        return (self.quality & NOT_CREDITED) == 0

    @property
    def channel_position(self) -> Floats:
        """Easting, northing, upward of every channel, (n_traces, n_channels, 3), m."""
        right, forward, upward = self.sensor.lever_arms.T
        sin, cos = np.sin(self.heading)[:, None], np.cos(self.heading)[:, None]
        offset = np.stack(
            [
                cos * right + sin * forward,
                -sin * right + cos * forward,
                np.broadcast_to(upward, (len(self), len(upward))),
            ],
            axis=-1,
        )
        return self.position[:, None, :] + offset


def _refuse_unflagged(
    values: npt.NDArray[Any],
    quality: npt.NDArray[np.int64],
    flags: Quality,
    name: str,
    flag_name: str,
) -> None:
    """Raise if a trace without one of the flags holds a value that is not finite."""
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    bad = ~finite & ((quality & flags) == 0)
    if bad.any():
        msg = (
            f"Invalid {name}: {np.count_nonzero(bad)} of {bad.size} traces hold NaN or "
            f"infinite values, the first is trace {np.argmax(bad)}. Must be finite: flag "
            f"dropouts with Quality.{flag_name} before processing."
        )
        raise ValueError(msg)


def no_traces(sensor: Sensor | None = None, lane: str = "") -> Sweep:
    """Return a sweep without traces; without a sensor, one that belongs to no lane."""
    if sensor is None:
        sensor = Sensor(name="", kind="gpr", axis=np.empty(0), lever_arms=np.empty((0, 3)))
    return Sweep(
        samples=np.empty((0, *sensor.shape), np.float32),
        time=np.empty(0),
        position=np.empty((0, 3)),
        heading=np.empty(0),
        sensor=sensor,
        lane=lane,
    )


def belongs_to(chunk: Sweep, other: Sweep) -> bool:
    """
    Tell whether two chunks are of one lane: the same name, sensor and frame.

    Parameters
    ----------
    chunk, other : Sweep
        To compare.

    Returns
    -------
    same : bool
        Whether they may be joined.

    Examples
    --------
    >>> belongs_to(no_traces(lane="A"), no_traces(lane="B"))
    False
    """
    if chunk.lane != other.lane or chunk.frame != other.frame:
        return False
    return chunk.sensor is other.sensor or chunk.sensor.describe() == other.sensor.describe()


def join(sweeps: Sequence[Sweep]) -> Sweep:
    """
    Return consecutive chunks of one lane as one sweep.

    Raises
    ------
    ValueError
        If chunks belong to different lanes or sensors, or time does not increase.
    """
    chunks = [s for s in sweeps if s.sensor.shape != (0, 0)]
    if not chunks:
        return no_traces()
    first = chunks[0]
    for other in chunks[1:]:
        if not belongs_to(other, first):
            msg = (
                f"Invalid chunk of lane '{other.lane}', sensor '{other.sensor.name}'. Must "
                f"belong to lane '{first.lane}', sensor '{first.sensor.name}', in the same "
                "frame, like the first."
            )
            raise ValueError(msg)
    if len(chunks) == 1:
        return first
    return dataclasses.replace(
        first,
        samples=np.concatenate([c.samples for c in chunks]),
        time=np.concatenate([c.time for c in chunks]),
        position=np.concatenate([c.position for c in chunks]),
        heading=np.concatenate([c.heading for c in chunks]),
        quality=np.concatenate([c.quality for c in chunks]),
    )


def track_length(sweep: Sweep) -> float:
    """Return the length of the platform's track in metres; NaN without positions."""
    steps = np.diff(sweep.position[:, :2], axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())

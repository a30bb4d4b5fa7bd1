"""
The record that flows through minesense: what a sensor recorded along a lane.

Axes and signs, everywhere: easting, northing, upward (right-handed), depth positive down.
The platform frame is right, forward, upward; `heading` is the angle of forward, clockwise
from north, so that at heading 0 right is easting and forward is northing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._validation import check_array, check_increasing, check_real, check_shape
from .frame import Frame
from .quality import NOT_CREDITED, UNUSABLE, Quality
from .sensor import Sensor

__all__ = [
    "NOT_CREDITED",
    "UNUSABLE",
    "Floats",
    "Frame",
    "Quality",
    "Samples",
    "Sweep",
    "assemble",
    "belongs_to",
    "check_belongs",
    "form_of",
    "from_stage",
    "join",
    "no_traces",
    "track_length",
]

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]


#: As plain numbers: masks of flags cost ten times as much in every scan of a stream.
_UNUSABLE, _NOT_JUDGED, _NOT_CREDITED = (
    int(flags) for flags in (UNUSABLE, UNUSABLE | Quality.EDGE, NOT_CREDITED)
)


_LOCAL = Frame()

#: What a sweep holds for every trace.
_BY_TRACE = ("samples", "time", "position", "heading", "quality")


#: Bytes of samples from which a kernel is worth its loading, and the call of a loaded one.
_MANY, _SOME = 1 << 20, 1 << 13

#: Traces that are looked at together where some are not finite.
_N_BLOCK = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """
    Traces of one sensor along one lane, or a chunk of them.

    Parameters
    ----------
    samples : (n_traces, n_channels, n_samples) array_like
        Traces in recording order; kept as float32. In-phase and quadrature take turns where
        the sensor's samples are complex.
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
    frame: Frame = _LOCAL
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
        """Return the traces of a slice, as views, of which only samples are checked again."""
        parts = {name: getattr(self, name)[traces] for name in _BY_TRACE}
        if isinstance(traces, slice) and (traces.step is None or traces.step > 0):
            quality = parts["quality"]
            _refuse_unflagged(parts["samples"], quality, UNUSABLE, "samples", "NOT_FINITE")
            return assemble(self, **parts)
        return dataclasses.replace(self, **parts)

    @property
    def phasors(self) -> npt.NDArray[np.complex64]:
        """
        Complex samples of a sensor that has them, (n_traces, n_channels, n), as a view.

        Raises
        ------
        ValueError
            If the samples of the sensor are not complex.
        """
        if not self.sensor.is_complex:
            msg = f"Invalid sensor '{self.sensor.name}' with real samples. Must be complex."
            raise ValueError(msg)
        return self.samples.view(np.complex64)

    @property
    def is_usable(self) -> npt.NDArray[np.bool_]:
        """Whether the samples of each trace mean anything."""
        return (self.quality & _UNUSABLE) == 0

    @property
    def is_judged(self) -> npt.NDArray[np.bool_]:
        """Whether the samples mean anything and the stages had enough of the lane."""
        return (self.quality & _NOT_JUDGED) == 0

    @property
    def is_credited(self) -> npt.NDArray[np.bool_]:
        """Whether the ground under each trace counts as observed."""
        return (self.quality & _NOT_CREDITED) == 0

    @property
    def channel_position(self) -> Floats:
        """Easting, northing, upward of every channel, (n_traces, n_channels, 3), m."""
        right, forward, upward = self.sensor.lever_arms.T
        sin, cos = np.sin(self.heading)[:, None], np.cos(self.heading)[:, None]
        place = np.empty((len(self), len(upward), 3))
        easting, northing, up = self.position.T[:, :, None]
        np.add(easting, cos * right + sin * forward, out=place[..., 0])
        np.add(northing, -sin * right + cos * forward, out=place[..., 1])
        np.add(up, upward, out=place[..., 2])
        return place


def _refuse_unflagged(
    values: npt.NDArray[Any],
    quality: npt.NDArray[np.int64],
    flags: Quality,
    name: str,
    flag_name: str,
    many: int | None = None,
) -> None:
    """Raise if a trace without one of the flags holds a value that is not finite."""
    many = _MANY if many is None else many
    if _are_finite(values, many):
        return
    bad = np.zeros(len(values), np.bool_)
    for start in range(0, len(values), _N_BLOCK):
        block = values[start : start + _N_BLOCK]
        if not _are_finite(block, many):
            flagged = (quality[start : start + _N_BLOCK] & flags) != 0
            bad[start : start + _N_BLOCK] = ~flagged & ~np.isfinite(block).all(
                axis=tuple(range(1, values.ndim))
            )
    if bad.any():
        msg = (
            f"Invalid {name}: {np.count_nonzero(bad)} of {bad.size} traces hold NaN or "
            f"infinite values, the first is trace {np.argmax(bad)}. Must be finite: flag "
            f"dropouts with Quality.{flag_name} before processing."
        )
        raise ValueError(msg)


def _are_finite(values: npt.NDArray[Any], many: int) -> bool:
    """Tell whether all are finite; of so many bytes or more by a kernel, in half the time."""
    if values.nbytes < many or values.dtype != np.float32 or not values.flags.c_contiguous:
        return bool(np.isfinite(values).all())
    from ._kernels.finite import are_finite  # noqa: PLC0415 - slow to import

    return bool(are_finite(values.reshape(-1).view(np.int32)))


def from_stage(
    form: Sweep,
    samples: Samples,
    time: Floats,
    position: Floats,
    heading: Floats,
    quality: npt.NDArray[np.int64],
    *,
    are_finite: bool = False,
) -> Sweep:
    """
    Return what a stage made of traces, in a thirtieth of the time that a new Sweep takes.

    The track comes from a Sweep, whose checks it passed; only what a stage computes is
    checked again.

    Parameters
    ----------
    form : Sweep
        Lane, sensor, frame and history of the result; its traces do not count.
    samples : (n_traces, n_channels, n_samples) float32 ndarray
        Of usable traces finite; of others overwritten with NaN.
    time, position, heading, quality : ndarray
        Of these traces, as in a Sweep.
    are_finite : bool
        Whether the samples are known to be, and need not be looked through.

    Returns
    -------
    sweep : Sweep
        Of these arrays, not copied.

    Raises
    ------
    TypeError, ValueError
        If the samples are not float32, do not fit the sensor and the track, or are not
        finite in a trace without one of the flags NOT_FINITE, SATURATED or STUCK.

    Examples
    --------
    >>> from_stage(
    ...     no_traces(),
    ...     np.empty((0, 0, 0), np.float32),
    ...     np.empty(0),
    ...     np.empty((0, 3)),
    ...     np.empty(0),
    ...     np.empty(0, np.int64),
    ... ).history
    ()
    """
    if samples.dtype != np.float32:
        msg = f"Invalid samples of dtype {samples.dtype}. Must be float32."
        raise TypeError(msg)
    check_shape(samples, "samples", (len(time), *form.sensor.shape))
    dropouts = quality & _UNUSABLE
    if np.count_nonzero(dropouts):
        samples[dropouts != 0] = np.nan
    if not are_finite:  # a stage has loaded kernels anyway
        _refuse_unflagged(samples, quality, UNUSABLE, "samples", "NOT_FINITE", _SOME)
    return assemble(form, samples, time, position, heading, quality)


def assemble(
    form: Sweep,
    samples: Samples,
    time: Floats,
    position: Floats,
    heading: Floats,
    quality: npt.NDArray[np.int64],
) -> Sweep:
    """
    Return a sweep of arrays that were part of sweeps before, without checks.

    Parameters
    ----------
    form : Sweep
        Lane, sensor, frame and history of the result; its traces do not count.
    samples, time, position, heading, quality : ndarray
        As in a Sweep.

    Returns
    -------
    sweep : Sweep
        Of these arrays, copied only where they are not contiguous.

    Examples
    --------
    >>> nothing = no_traces(lane="A")
    >>> arrays = (nothing.samples, nothing.time, nothing.position, nothing.heading)
    >>> assemble(nothing, *arrays, nothing.quality).lane
    'A'
    """
    result = object.__new__(Sweep)
    keep = object.__setattr__
    keep(result, "samples", np.ascontiguousarray(samples))
    keep(result, "time", np.ascontiguousarray(time))
    keep(result, "position", np.ascontiguousarray(position))
    keep(result, "heading", np.ascontiguousarray(heading))
    keep(result, "quality", np.ascontiguousarray(quality))
    keep(result, "sensor", form.sensor)
    keep(result, "lane", form.lane)
    keep(result, "frame", form.frame)
    keep(result, "history", form.history)
    return result


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


def form_of(sweep: Sweep) -> Sweep:
    """
    Return a sweep without its traces.

    A slice of none would do, but holds on to the memory of all.

    Parameters
    ----------
    sweep : Sweep
        Traces of a lane.

    Returns
    -------
    form : Sweep
        Its lane, sensor, frame and history.

    Examples
    --------
    >>> form_of(no_traces(lane="A")).lane
    'A'
    """
    return assemble(sweep, **{name: getattr(sweep, name)[:0].copy() for name in _BY_TRACE})


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


def check_belongs(chunk: Sweep, first: Sweep) -> None:
    """
    Raise unless a chunk is of the lane of the first one.

    Parameters
    ----------
    chunk, first : Sweep
        To compare.

    Raises
    ------
    ValueError
        If lane, sensor or frame differ.

    Examples
    --------
    >>> check_belongs(no_traces(lane="A"), no_traces(lane="A"))
    """
    if not belongs_to(chunk, first):
        msg = (
            f"Invalid chunk of lane '{chunk.lane}', sensor '{chunk.sensor.name}'. Must "
            f"belong to lane '{first.lane}', sensor '{first.sensor.name}', in the same "
            "frame, like the first."
        )
        raise ValueError(msg)


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
        check_belongs(other, first)
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

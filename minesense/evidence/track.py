"""Where a sensor was, how high and how tilted: what coverage needs of a recording."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_increasing, check_real, check_shape
from ..sweep import Floats, Frame, Quality, Sweep

#: Nothing on Earth is farther from its origin, m; a larger number is no position.
_FARTHEST = 1e8

#: What a track holds for every sample.
_BY_SAMPLE = (
    "time",
    "position",
    "heading",
    "height",
    "tilt",
    "position_error",
    "quality",
    "speed",
    "noise",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """
    The track of one sensor along a lane, or a chunk of it.

    Figures that were not measured are NaN; a number stands for the same in every sample.

    Raises
    ------
    TypeError, ValueError
        If shapes differ, time does not increase, a position or heading is not finite without
        the flag POSE_NONE or POSE_JUMP, or an error, speed or noise is negative.

    Examples
    --------
    >>> from minesense.evidence import Track
    >>> track = Track(
    ...     sensor="coil",
    ...     session="morning",
    ...     lane="A",
    ...     time=[0.0, 0.1],
    ...     position=[[1.0, 2.0], [1.0, 2.05]],
    ...     heading=0.0,
    ...     height=0.05,
    ...     tilt=float("nan"),
    ...     position_error=0.02,
    ... )
    >>> len(track), track.lever_arms.tolist()
    (2, [[0.0, 0.0]])
    """

    sensor: str  #: identifier in the site file
    session: str  #: what lies between an opening and a closing function check
    lane: str
    time: Floats  #: (n,) s, by the clock of the task
    position: Floats  #: (n, 2) or (n, 3) m, easting and northing of the platform
    heading: Floats  #: rad, clockwise from north
    height: Floats  #: m above ground
    tilt: Floats  #: rad from level
    position_error: Floats  #: m, 95 % of the horizontal error
    quality: npt.NDArray[np.int64] = 0  # type: ignore[assignment]  #: flags
    lever_arms: Floats = None  # type: ignore[assignment]  #: (n_channels, 2) or 3, right, forward
    speed: Floats | None = None  #: m/s of the head where measured; else from the positions
    noise: Floats = np.nan  # type: ignore[assignment]  #: times that over the reference area
    clock: str = ""  #: of the stamps; the task's if empty
    frame: Frame = field(default_factory=Frame)

    def __post_init__(self) -> None:
        time = check_increasing(check_array(self.time, "time", ("n_samples",)), "time")
        n = len(time)
        place = check_real(self.position, "position")
        if place.ndim != 2 or len(place) != n or place.shape[1] not in (2, 3):
            msg = f"Invalid position with shape {place.shape}. Must be ({n}, 2) or ({n}, 3)."
            raise ValueError(msg)
        arms = np.zeros((1, 2)) if self.lever_arms is None else self.lever_arms
        arms = check_array(arms, "lever_arms", ("n_channels", "right, forward[, upward]"))
        if len(arms) < 1 or arms.shape[1] not in (2, 3):
            msg = f"Invalid lever_arms with shape {arms.shape}. Must be (n_channels, 2) or 3."
            raise ValueError(msg)
        quality = np.broadcast_to(np.asarray(self.quality), (n,))
        if quality.dtype.kind not in "iu":
            msg = f"Invalid quality of dtype {quality.dtype}. Must be flags, whole numbers."
            raise TypeError(msg)
        values: dict[str, Any] = {
            "time": time,
            "position": np.ascontiguousarray(place[:, :2], np.float64),
            "lever_arms": np.ascontiguousarray(arms[:, :2]),
            "quality": np.array(quality, np.int64),
        }
        for name in ("heading", "height", "tilt", "position_error", "speed", "noise"):
            given = getattr(self, name)
            if given is not None:
                values[name] = _figures(given, name, n)
        for name in ("position_error", "speed", "noise"):
            wrong = values.get(name, np.empty(0)) < 0
            if wrong.any():
                msg = f"Invalid {name} '{values[name][wrong][0]}'. Must not be negative."
                raise ValueError(msg)
        pose = np.column_stack([values["position"], values["heading"]])
        excused = (values["quality"] & int(Quality.POSE_NONE | Quality.POSE_JUMP)) != 0
        bad = ~((np.abs(pose) <= _FARTHEST).all(axis=1) | excused)
        if bad.any():
            msg = (
                f"Invalid position or heading: {np.count_nonzero(bad)} of {n} samples hold "
                f"NaN, infinite or values beyond {_FARTHEST:g}, the first is sample "
                f"{int(np.argmax(bad))}. Must be finite: flag losses with Quality.POSE_NONE."
            )
            raise ValueError(msg)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.time)

    def __getitem__(self, samples: slice | npt.NDArray[np.int64]) -> Track:
        """Return the samples of a slice, or those of some indices in order."""
        parts = {name: getattr(self, name) for name in _BY_SAMPLE}
        parts = {k: None if part is None else part[samples] for k, part in parts.items()}
        return dataclasses.replace(self, **parts)

    @property
    def has_place(self) -> npt.NDArray[np.bool_]:
        """Which samples have a position that can be put on a map."""
        pose = np.column_stack([self.position, self.heading])
        lost = (self.quality & int(Quality.POSE_NONE | Quality.POSE_JUMP)) != 0
        near = (np.abs(pose) <= _FARTHEST).all(axis=1)
        result: npt.NDArray[np.bool_] = ~lost & near
        return result

    @property
    def channel_position(self) -> Floats:
        """Easting and northing of every channel, (n_samples, n_channels, 2), m."""
        right, forward = self.lever_arms.T
        sin, cos = np.sin(self.heading)[:, None], np.cos(self.heading)[:, None]
        offset = np.stack([cos * right + sin * forward, -sin * right + cos * forward], axis=-1)
        return self.position[:, None, :] + offset


def track_of(
    sweep: Sweep,
    *,
    session: str,
    height: npt.ArrayLike,
    tilt: npt.ArrayLike,
    position_error: npt.ArrayLike,
    sensor: str | None = None,
    speed: npt.ArrayLike | None = None,
    noise: npt.ArrayLike = np.nan,
    clock: str = "",
) -> Track:
    """
    Return the track of a sweep, whose samples do not matter.

    Parameters
    ----------
    sweep : Sweep
        Traces of a lane, or a chunk of them.
    session : str
        What lies between an opening and a closing function check.
    height, tilt, position_error : float or (n_traces,) array_like
        Metres above ground, radians from level, and 95 % of the horizontal error in metres;
        NaN where unknown.
    sensor : str, optional
        Identifier in the site file; the name of the sensor by default.
    speed : float or (n_traces,) array_like, optional
        m/s of the head. Without it, speed comes from neighbouring positions.
    noise : float or (n_traces,) array_like
        Times the noise over the reference area.
    clock : str
        Of the stamps; that of the task if empty.

    Returns
    -------
    track : Track
        With the quality, the frame and the channels' lever arms of the sweep.

    Raises
    ------
    TypeError, ValueError
        As by :class:`Track`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import track_of
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> arms = [[-0.1, 0, 0], [0.1, 0, 0]]
    >>> sensor = Sensor(name="coil", kind="emi", axis=[1e-5], lever_arms=arms)
    >>> sweep = Sweep(
    ...     samples=np.zeros((2, 2, 1)),
    ...     time=[0.0, 0.1],
    ...     position=[[0, 0, 0], [0, 0.05, 0]],
    ...     heading=[0, 0],
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> track = track_of(sweep, session="1", height=0.05, tilt=0.0, position_error=0.02)
    >>> track.channel_position[1].tolist()
    [[-0.1, 0.05], [0.1, 0.05]]
    """
    return Track(
        sensor=sweep.sensor.name if sensor is None else sensor,
        session=session,
        lane=sweep.lane,
        time=sweep.time,
        position=sweep.position,
        heading=sweep.heading,
        height=height,  # type: ignore[arg-type]
        tilt=tilt,  # type: ignore[arg-type]
        position_error=position_error,  # type: ignore[arg-type]
        quality=sweep.quality,
        lever_arms=sweep.sensor.lever_arms,
        speed=speed,  # type: ignore[arg-type]
        noise=noise,  # type: ignore[arg-type]
        clock=clock,
        frame=sweep.frame,
    )


def _figures(given: npt.ArrayLike, name: str, n: int) -> Floats:
    """Return one figure for each sample."""
    values = check_real(given, name)
    if values.ndim == 0:
        return np.full(n, float(values))
    return np.ascontiguousarray(check_shape(values, name, (n,)), dtype=np.float64)

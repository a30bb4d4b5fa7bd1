"""
What arrives live: declarations of streams, scans of sensors, positions, notes.

A stream is declared before its first message: whose clock stamps it, what its sensor is, in
which frame its positions are. Every message carries the stamp of its own stream's clock, in
seconds, and a sequence number that grows by one. When it arrived is known to the receiver
alone, is recorded with it and decides nothing.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ._plain_fields import is_number
from ._validation import (
    check_array,
    check_not_negative,
    check_number,
    check_one_of,
    check_positive,
)
from .sensor import Sensor
from .sweep import Frame

Floats = npt.NDArray[np.float64]

#: Clocks whose stamps mean different things: never subtracted from one another. "utc" counts
#: from 1970 and repeats leap seconds, "gps" from 6 January 1980 without them, "host" is the
#: receiving computer's, "sensor" counts from an instant that the device chose.
CLOCKS = ("utc", "gps", "host", "sensor")

#: Hz; a rate sizes what is held of a stream.
_MOST_RATE = 1e6

#: What heights of positions are counted from; "ground" is height above ground.
HEIGHT_DATUMS = ("ground", "ellipsoid", "geoid", "takeoff", "local")


class FixClass(enum.IntEnum):
    """How a position was found; the numbers are those of the link."""

    NONE = 0  #: the source lives and knows no position
    SINGLE = 1
    DIFFERENTIAL = 2
    FLOAT = 3  #: carrier phase, ambiguities not resolved
    FIXED = 4  #: carrier phase, resolved
    TRACKED = 5  #: camera, total station, odometer: not a satellite receiver


class DeviceFlag(enum.IntFlag):
    """What a device itself says of a scan; the numbers are those of the link."""

    SATURATED = 1
    INVALID = 2  #: the device says that the samples mean nothing
    SETTING_CHANGED = 4  #: before this scan
    REZEROED = 8  #: zero or ground balance was set before this scan
    INTERFERENCE = 16


_NO_FLAGS = DeviceFlag(0)


#: Longest lever arm that a platform can have, m.
_LONGEST_ARM = 100.0

#: Fields of a declaration that are numbers.
_NUMBERS = (
    "rate",
    "resolution",
    "offset",
    "offset_error",
    "drift_bound",
    "lag",
    "lag_error",
    "lateness",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamDeclaration:
    """
    What a stream is, said once before its first message.

    Raises
    ------
    TypeError, ValueError
        If a field is out of its range, a sensor stream has no sensor, or a position stream no
        frame, height datum or lever arm: what is missing there cannot be guessed.
    """

    name: str
    kind: Literal["sensor", "position"]
    clock: Literal["utc", "gps", "host", "sensor"]
    rate: float | None = None  #: Hz, nominal; None if messages come when they come
    resolution: float = 1e-6  #: s, smallest step of stamps
    offset: float = 0.0  #: s, to be added to stamps to give the task's time
    offset_error: float = 0.0  #: s, how wrong the offset may be (95 %)
    drift_bound: float = 1e-4  #: s/s, largest drift against the task's clock that is normal
    lag: float = 0.0  #: s from the physical event to its stamp, from a calibration
    lag_error: float | None = None  #: s (95 %); None: never calibrated
    lateness: float = 0.0  #: s by which messages of the stream may come out of order
    sensor: Sensor | None = None  #: of a sensor stream
    channel_delays: tuple[float, ...] = ()  #: s of each channel behind the stamp, if in turn
    coordinates: Literal["local", "geographic"] = "local"  #: of a position stream
    frame: Frame | None = None  #: of a position stream: of local coordinates, or to become so
    height_datum: str | None = None  #: of a position stream, one of HEIGHT_DATUMS
    #: right, forward, upward of the antenna or marker from the platform's origin, m
    lever_arm: tuple[float, float, float] | None = None
    note: str = ""  #: make, serial number, firmware, settings in words

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or len(self.name) > 200:
            msg = f"Invalid name '{self.name!s:.40}'. Must be text of 1 to 200 characters."
            raise ValueError(msg)
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None and not is_number(value):  # a text would fail where it is used
                msg = f"Invalid {name} {value!r:.40} of stream '{self.name}'. Must be a number."
                raise TypeError(msg)
        if not isinstance(self.note, str):
            msg = f"Invalid note {self.note!r:.40} of stream '{self.name}'. Must be text."
            raise TypeError(msg)
        check_one_of(self.kind, "kind", ("sensor", "position"))
        check_one_of(self.clock, "clock", CLOCKS)
        if self.rate is not None:
            check_positive(self.rate, "rate")
            if self.rate > _MOST_RATE:
                msg = f"Invalid rate '{self.rate}' of '{self.name}'. Must be at most 1e6 Hz."
                raise ValueError(msg)
        check_positive(self.resolution, "resolution")
        for name in ("offset", "lag"):
            check_number(getattr(self, name), name)
        for name in ("offset_error", "drift_bound", "lateness"):
            check_not_negative(getattr(self, name), name)
        if self.lag_error is not None:
            check_not_negative(self.lag_error, "lag_error")
        if self.kind == "sensor":
            self._check_sensor()
        else:
            self._check_position()

    def _check_sensor(self) -> None:
        """Raise unless the sensor and the delays of its channels are stated."""
        if not isinstance(self.sensor, Sensor):
            msg = f"Invalid sensor {self.sensor!r} of stream '{self.name}'. Must be a Sensor."
            raise TypeError(msg)
        delays = tuple(check_number(delay, "channel_delays") for delay in self.channel_delays)
        _check_arms(self.sensor.lever_arms, self.name)
        n_channels = self.sensor.shape[0]
        if delays and len(delays) != n_channels:
            msg = (
                f"Invalid channel_delays of stream '{self.name}': {len(delays)} for "
                f"{n_channels} channels. Must be one for each, or none."
            )
            raise ValueError(msg)
        object.__setattr__(self, "channel_delays", delays)

    def _check_position(self) -> None:
        """Raise unless frame, height datum and lever arm are stated."""
        check_one_of(self.coordinates, "coordinates", ("local", "geographic"))
        if not isinstance(self.frame, Frame):
            msg = f"Invalid frame {self.frame!r} of stream '{self.name}'. Must be a Frame."
            raise TypeError(msg)
        if self.height_datum is None:
            msg = (
                f"Invalid height_datum None of stream '{self.name}'. Must be stated: one of "
                f"{', '.join(HEIGHT_DATUMS)}."
            )
            raise ValueError(msg)
        check_one_of(self.height_datum, "height_datum", HEIGHT_DATUMS)
        if self.lever_arm is None:
            msg = (
                f"Invalid lever_arm None of stream '{self.name}'. Must be stated: right, "
                "forward, upward of the antenna from the platform's origin, m."
            )
            raise ValueError(msg)
        arm = check_array(self.lever_arm, "lever_arm", (3,))
        _check_arms(arm, self.name)
        object.__setattr__(self, "lever_arm", tuple(arm.tolist()))


def _check_arms(arms: npt.NDArray[np.float64], stream: str) -> None:
    """Raise if a lever arm is longer than any platform, as one in mm would be."""
    longest = float(np.abs(arms).max(initial=0.0))
    if longest > _LONGEST_ARM:
        msg = (
            f"Invalid lever arm of {longest:g} m of stream '{stream}'. Must be in metres, "
            f"{_LONGEST_ARM:g} at most."
        )
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorMessage:
    """One scan of all channels of a sensor, as it arrived: nothing is checked but its form."""

    stream: str
    sequence: int
    stamp: float  #: s, of the stream's clock
    samples: npt.NDArray[np.float32]  #: (n_channels, n_samples)
    flags: DeviceFlag = _NO_FLAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionMessage:
    """One position, as it arrived. What a source does not know is NaN, never zero."""

    stream: str
    sequence: int
    stamp: float  #: s, of the stream's clock
    #: easting, northing, upward (m) or latitude, longitude (degrees), height (m)
    coordinates: tuple[float, float, float]
    fix: FixClass
    error: float = math.nan  #: m, horizontal, 95 %
    heading: float = math.nan  #: rad clockwise from north
    pitch: float = math.nan  #: rad, nose up
    roll: float = math.nan  #: rad, right side down
    height: float = math.nan  #: m of the sensor head above ground


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteMessage:
    """
    Something that is neither scan nor position, of people or devices.

    Topics that mean something: "lane" and "end lane" (`name`), "setting", "check" (a function
    check: `sensor`, `passed`, `response`, `noise` ...), "mark". Others are kept.
    """

    stream: str  #: "" if it belongs to none
    sequence: int
    stamp: float  #: s, of the stream's clock; NaN if it has none: as of its place in the order
    topic: str
    content: Mapping[str, Any] = field(default_factory=dict)  #: plain JSON


Message: TypeAlias = StreamDeclaration | SensorMessage | PositionMessage | NoteMessage


@dataclass(frozen=True, slots=True)
class Packet:
    """The bytes of one message as they came, and when the receiver had them."""

    arrival: float  #: s, UTC by the receiver's clock; recorded, decides nothing
    payload: bytes  #: of :mod:`minesense.payload`

"""Platforms: which sensors ride on them, when these record, how they move and err."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .._validation import check_positive
from ..sensor import Head, Radar, Sensor, pulse_train_of
from .coil_errors import CoilErrors
from .instrument import Faults, Positioning
from .motion import CartMotion, FlightMotion, Motion, SwingMotion
from .radar_errors import RadarErrors
from .tone_errors import ToneErrors
from .track import PATH_INTERVAL, PATH_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """
    Sensors on one platform: a radar, a metal detector, or both.

    A cart's wheel triggers a trace every so many metres; on other platforms a clock does, so
    many times a second.

    Raises
    ------
    TypeError, ValueError
        If there is no sensor, one lacks the record of its physics, there is not exactly one
        spacing or rate for each, as the motion wants it, or a length is not greater than
        zero.
    """

    name: str
    radar: Sensor | None = None
    coils: Sensor | None = None
    radar_spacing: float | None = None  #: m between radar traces, on a cart
    coil_spacing: float | None = None  #: m between metal-detector traces, on a cart
    radar_rate: float | None = None  #: radar traces a second, elsewhere
    coil_rate: float | None = None  #: metal-detector traces a second, elsewhere
    motion: Motion = field(default_factory=CartMotion)
    positioning: Positioning = field(default_factory=Positioning)
    radar_errors: RadarErrors | ToneErrors = field(default_factory=RadarErrors)
    coil_errors: CoilErrors = field(default_factory=CoilErrors)
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        if self.radar is None and self.coils is None:
            msg = "Invalid radar None and coils None. Must have one of them or both."
            raise ValueError(msg)
        if self.radar is not None:
            radar = radar_of(self.radar)
            check_positive(radar.separation, "separation")
            check_positive(radar.height or 0.0, "height of the Radar")
            unit = "Hz" if self.radar.is_complex else "s"
            if self.radar.axis_unit != unit:
                msg = (
                    f"Invalid radar '{self.radar.name}' with an axis in "
                    f"'{self.radar.axis_unit}'. Must be in Hz for tones, in s for pulses."
                )
                raise ValueError(msg)
            if not self.radar.is_complex and self.radar.axis[0] != 0:
                msg = (
                    f"Invalid radar '{self.radar.name}' with an axis from "
                    f"{self.radar.axis[0]:g} s. Must begin at 0, when the recording starts."
                )
                raise ValueError(msg)
            if self.radar.is_complex != isinstance(self.radar_errors, ToneErrors):
                kind = "tones" if self.radar.is_complex else "pulses"
                msg = (
                    f"Invalid radar_errors {type(self.radar_errors).__name__} of a radar of "
                    f"{kind}. Must be ToneErrors for tones, RadarErrors for pulses."
                )
                raise ValueError(msg)
        if self.coils is not None:
            pulse_train_of(self.coils)
            check_positive(head_of(self.coils).height or 0.0, "height of the Head")
        word, other = ("spacing", "rate") if self.is_cart else ("rate", "spacing")
        for sensor in ("radar", "coil"):
            value = getattr(self, f"{sensor}_{word}")
            wanted = getattr(self, "coils" if sensor == "coil" else sensor) is not None
            if getattr(self, f"{sensor}_{other}") is not None or (value is None) == wanted:
                name = f"{sensor}_{word}"
                msg = (
                    f"Invalid {name} {value}. Must be given for the sensors there are, and no "
                    f"{sensor}_{other}, for the motion of a {self.motion.kind}."
                )
                raise ValueError(msg)
            if value is not None:
                check_positive(value, f"{sensor}_{word}")

    @property
    def is_cart(self) -> bool:
        """Whether a wheel triggers traces, else a clock."""
        return isinstance(self.motion, CartMotion)

    def steps(self, n: int, *, is_radar: bool) -> np.ndarray:
        """
        Return the steps of a track at which a sensor records.

        Parameters
        ----------
        n : int
            Steps of the track.
        is_radar : bool
            Which sensor.

        Returns
        -------
        steps : (n_traces,) int64 ndarray
            From the first one on.

        Raises
        ------
        ValueError
            If traces would be closer than the steps of the track.
        """
        name = "radar" if is_radar else "coil"
        if self.is_cart:
            spacing, step = getattr(self, f"{name}_spacing"), PATH_STEP
            word, rule = "spacing", f"at least the step of the path, {PATH_STEP:g} m"
        else:
            spacing, step = 1 / getattr(self, f"{name}_rate"), PATH_INTERVAL
            word, rule = "rate", f"at most {1 / PATH_INTERVAL:g} Hz"
        if spacing < (1 - 1e-9) * step:
            msg = f"Invalid {word} '{getattr(self, f'{name}_{word}')}'. Must be {rule}."
            raise ValueError(msg)
        count = int((n - 1) * step / spacing + 1e-6) + 1 if n else 0
        return np.rint(np.arange(count) * (spacing / step) - 1e-9).astype(np.int64)


def radar_of(sensor: Sensor) -> Radar:
    """
    Return the record of a radar.

    Parameters
    ----------
    sensor : Sensor
        Of kind ``"gpr"``.

    Returns
    -------
    radar : Radar
        Frequency, separation and height.

    Raises
    ------
    ValueError
        If the sensor has none.
    """
    if sensor.radar is None:
        msg = f"Invalid sensor '{sensor.name}': no radar. Must have a Radar."
        raise ValueError(msg)
    return sensor.radar


def head_of(sensor: Sensor) -> Head:
    """
    Return the head of a metal detector.

    Parameters
    ----------
    sensor : Sensor
        Of kind ``"emi"``.

    Returns
    -------
    head : Head
        Its wires and waveform.

    Raises
    ------
    ValueError
        If the sensor has none.
    """
    if sensor.head is None:
        msg = f"Invalid sensor '{sensor.name}': no head. Must have one for all channels."
        raise ValueError(msg)
    return sensor.head


def overhang(carrier: Carrier, half_width: float) -> float:
    """
    Return how far a platform's sensors reach out of a lane.

    Parameters
    ----------
    carrier : Carrier
        The platform.
    half_width : float
        Half of the width of the lane, m.

    Returns
    -------
    overhang : float
        Beyond its edges, or before its start, whichever is more, m; at least zero.

    Examples
    --------
    >>> from minesense.synthetic import cart
    >>> overhang(cart(width=2.0), 0.5)
    0.375
    """
    sensors = [sensor for sensor in (carrier.radar, carrier.coils) if sensor is not None]
    arms = np.abs(np.concatenate([sensor.lever_arms for sensor in sensors]))
    aside, ahead = float(arms[:, 0].max()), float(arms[:, 1].max())
    motion = carrier.motion
    if isinstance(motion, SwingMotion):
        half = half_width + motion.beyond
        aside += half + 4 * motion.sideways_spread
        # the ends of a swing lie behind its middle
        ahead += motion.reach - math.sqrt(max(0.0, motion.reach**2 - half**2))
    elif isinstance(motion, FlightMotion):
        aside += 4 * math.hypot(motion.sideways_spread, motion.drift_per_gust * motion.gust)
    return max(0.0, aside - half_width, ahead)

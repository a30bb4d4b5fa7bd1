"""Platforms as a scenario describes them: a cart, a hand-held head, a drone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .._validation import check_at_most, check_count, check_one_of, check_positive
from ..sensor import Circle, Head, PulseTrain, Radar, Sensor
from ..sweep import Floats
from .coil_errors import CoilErrors
from .instrument import Faults, Positioning
from .motion import CartMotion, FlightMotion, SwingMotion
from .platform import Carrier
from .radar_errors import RadarErrors
from .tone_errors import ToneErrors
from .track import PATH_INTERVAL, PATH_STEP

#: Kinds of radar: a pulse of 1.5 GHz, or 121 tones from 0.6 to 3 GHz.
Waves = Literal["pulse", "tones"]


#: m over mean ground of the coils of a cart.
_CART_COILS = 0.05

#: m over mean ground of any head or drone: the ground around a lane is simulated for it.
_HIGHEST = 1.0
_FASTEST = 1 / PATH_INTERVAL  # traces a second: one for each step of the path


def _radar_sensor(
    name: str, arms: Floats, *, height: float, window: float, waves: Waves
) -> Sensor:
    """Return a radar of pulses at 1.5 GHz, or of tones around it."""
    if waves == "tones":
        axis = np.linspace(0.6e9, 3.0e9, 121)
    else:
        axis = 62.5e-12 * np.arange(round(window / 62.5e-12), dtype=np.float64)
    return Sensor(
        name=name,
        kind="gpr",
        axis=axis,
        axis_unit="Hz" if waves == "tones" else "s",
        is_complex=waves == "tones",
        lever_arms=arms,
        radar=Radar(centre_frequency=1.5e9, separation=0.06, height=height),
    )


def _coil_sensor(name: str, arms: Floats, *, radius: float, height: float) -> Sensor:
    """Return coils that transmit pulses, then receive."""
    edges = np.geomspace(12e-6, 400e-6, 13)
    gates = np.column_stack([edges[:-1], edges[1:]])
    train = PulseTrain(
        pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=gates
    )
    wires = (Circle(radius=radius),)
    return Sensor(
        name=name,
        kind="emi",
        axis=np.sqrt(gates.prod(axis=1)).astype(np.float64),
        lever_arms=arms,
        unit="V/A",
        head=Head(transmitter=wires, receiver=wires, excitation=train, height=height),
    )


def _across(n_channels: int, width: float) -> Floats:
    """Return lever arms that share a width evenly, right of the platform's middle."""
    arms = np.zeros((n_channels, 3))
    arms[:, 0] = width * ((np.arange(n_channels) + 0.5) / n_channels - 0.5)
    return arms


@dataclass(frozen=True, slots=True, kw_only=True)
class CartPlan:
    """
    A hand-pushed cart with a radar array and metal-detector coils.

    A 1.5 GHz impulse radar, 12 ns in 192 samples, antennas 12 cm over the ground, and
    pulse-induction coils of 10 cm radius 5 cm over the ground, 12 gates of 12 to 400 us.
    Figures are engineering choices, unverified.

    Raises
    ------
    TypeError, ValueError
        If a count is not a positive whole number, a length not greater than zero, or traces
        are closer than 5 mm.
    """

    n_antennas: int = 8  #: radar channels, evenly spread over the width
    n_coils: int = 7  #: likewise; seven of 20 cm overlap by about a quarter
    width: float = 1.0  #: m, of the swath
    radar_spacing: float = 0.025  #: m between traces, on the steps of the path, 5 mm
    coil_spacing: float = 0.05  #: m
    motion: CartMotion = field(default_factory=CartMotion)
    positioning: Positioning = field(default_factory=Positioning)
    waves: Waves = "pulse"  #: of the radar: pulses, or tones stepped through
    radar_errors: RadarErrors = field(default_factory=RadarErrors)  #: of pulses
    tone_errors: ToneErrors = field(default_factory=ToneErrors)  #: of tones
    coil_errors: CoilErrors = field(default_factory=CoilErrors)
    faults: Faults = field(default_factory=Faults)
    kind: Literal["cart"] = "cart"

    def __post_init__(self) -> None:
        check_one_of(self.waves, "waves", ("pulse", "tones"))
        for name in ("n_antennas", "n_coils"):
            check_count(getattr(self, name), name)
        check_positive(self.width, "width")
        for name in ("radar_spacing", "coil_spacing"):
            if check_positive(getattr(self, name), name) < PATH_STEP * (1 - 1e-9):
                msg = (
                    f"Invalid {name} '{getattr(self, name)}'. Must be at least the step of "
                    f"the path, {PATH_STEP:g} m."
                )
                raise ValueError(msg)

    @property
    def coil_height(self) -> float:
        """Height of the coils over mean ground, m."""
        return _CART_COILS

    def carrier(self) -> Carrier:
        """Return the sensors on their platform."""
        arms = _across(self.n_antennas, self.width)
        coils = _across(self.n_coils, self.width)
        return Carrier(
            name="cart",
            radar=_radar_sensor(
                "cart radar", arms, height=0.12, window=12e-9, waves=self.waves
            ),
            coils=_coil_sensor("cart coils", coils, radius=0.10, height=self.coil_height),
            radar_spacing=self.radar_spacing,
            coil_spacing=self.coil_spacing,
            **_shared(self),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HandheldPlan:
    """
    A hand-held head that is swung in arcs: one coil, or a coil and a pair of antennas.

    The coil has 10 cm of radius; the antennas of a dual sensor are in its middle, 2 cm above
    it, with the radar of the cart. Figures are engineering choices, unverified.

    Raises
    ------
    TypeError, ValueError
        If there is no such set of sensors, a number is not greater than zero, the height
        greater than 1 m, or the rate than 100 Hz.
    """

    sensors: Literal["coil", "dual"] = "dual"
    height: float = 0.05  #: m, of the coil over mean ground
    rate: float = 100.0  #: traces a second
    motion: SwingMotion = field(default_factory=SwingMotion)
    positioning: Positioning = field(
        default_factory=lambda: Positioning(
            error=0.012, error_time=2.0, jitter=0.003, heading_error=0.02
        )
    )
    waves: Waves = "pulse"  #: of the radar: pulses, or tones stepped through
    radar_errors: RadarErrors = field(default_factory=RadarErrors)  #: of pulses
    tone_errors: ToneErrors = field(default_factory=ToneErrors)  #: of tones
    coil_errors: CoilErrors = field(default_factory=CoilErrors)
    faults: Faults = field(default_factory=Faults)
    kind: Literal["handheld"] = "handheld"

    def __post_init__(self) -> None:
        check_one_of(self.sensors, "sensors", ("coil", "dual"))
        check_one_of(self.waves, "waves", ("pulse", "tones"))
        check_at_most(check_positive(self.height, "height"), "height", _HIGHEST, "m")
        check_at_most(check_positive(self.rate, "rate"), "rate", _FASTEST, "Hz")

    @property
    def coil_height(self) -> float:
        """Height of the coil over mean ground, m."""
        return self.height

    def carrier(self) -> Carrier:
        """Return the sensors on their platform."""
        middle, radar = np.zeros((1, 3)), None
        if self.sensors == "dual":
            height = self.height + 0.02
            radar = _radar_sensor(
                "head antennas", middle, height=height, window=12e-9, waves=self.waves
            )
        return Carrier(
            name="handheld",
            radar=radar,
            coils=_coil_sensor("head coil", middle, radius=0.10, height=self.height),
            radar_rate=None if radar is None else self.rate,
            coil_rate=self.rate,
            **_shared(self),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DronePlan:
    """
    A drone that flies low along the lanes with a radar, a metal detector, or both.

    One pair of antennas or a coil of 25 cm radius under its middle. Positions have the height.
    Figures are engineering choices, unverified.

    Raises
    ------
    TypeError, ValueError
        If there is no such set of sensors, the height is not from 0.3 to 1 m, or a rate is
        not greater than zero or greater than 100 Hz.
    """

    sensors: Literal["radar", "coil", "both"] = "both"
    height: float = 0.5  #: m over mean ground
    radar_rate: float = 50.0  #: traces a second
    coil_rate: float = 20.0  #: traces a second
    motion: FlightMotion = field(default_factory=FlightMotion)
    positioning: Positioning = field(
        default_factory=lambda: Positioning(
            error=0.02,
            error_time=20.0,
            jitter=0.004,
            heading_error=0.02,
            height_error=0.03,
            lag=0.05,
            records_height=True,
            losses_per_minute=0.1,
        )
    )
    waves: Waves = "pulse"  #: of the radar: pulses, or tones stepped through
    radar_errors: RadarErrors = field(default_factory=RadarErrors)  #: of pulses
    tone_errors: ToneErrors = field(default_factory=ToneErrors)  #: of tones
    coil_errors: CoilErrors = field(default_factory=CoilErrors)
    faults: Faults = field(default_factory=Faults)
    kind: Literal["drone"] = "drone"

    def __post_init__(self) -> None:
        check_one_of(self.sensors, "sensors", ("radar", "coil", "both"))
        check_one_of(self.waves, "waves", ("pulse", "tones"))
        for name in ("radar_rate", "coil_rate"):
            check_at_most(check_positive(getattr(self, name), name), name, _FASTEST, "Hz")
        if not 0.3 <= check_positive(self.height, "height") <= _HIGHEST:
            msg = f"Invalid height '{self.height}'. Must lie between 0.3 and {_HIGHEST:g} m."
            raise ValueError(msg)

    @property
    def coil_height(self) -> float | None:
        """Height of the coil over mean ground, m; None if there is none."""
        return None if self.sensors == "radar" else self.height

    def carrier(self) -> Carrier:
        """Return the sensors on their platform."""
        middle, height = np.zeros((1, 3)), self.height
        radar = coils = None
        if self.sensors != "coil":
            radar = _radar_sensor(
                "drone radar", middle, height=height, window=18e-9, waves=self.waves
            )
        if self.sensors != "radar":
            coils = _coil_sensor("drone coil", middle, radius=0.25, height=height)
        return Carrier(
            name="drone",
            radar=radar,
            coils=coils,
            radar_rate=None if radar is None else self.radar_rate,
            coil_rate=None if coils is None else self.coil_rate,
            **_shared(self),
        )


Plan = CartPlan | HandheldPlan | DronePlan


def _shared(plan: Plan) -> dict[str, Any]:
    """Return the records that a plan hands on as they are."""
    names = ("motion", "positioning", "coil_errors", "faults")
    errors = plan.tone_errors if plan.waves == "tones" else plan.radar_errors
    return {name: getattr(plan, name) for name in names} | {"radar_errors": errors}


def cart(**options: Any) -> Carrier:
    """
    Return a hand-pushed cart with a radar array and metal-detector coils.

    Parameters
    ----------
    **options
        Fields of :class:`CartPlan`.

    Returns
    -------
    carrier : Carrier
        The sensors on their platform.

    Raises
    ------
    TypeError, ValueError
        If an option is unknown or out of range.

    Examples
    --------
    >>> from minesense.synthetic import cart
    >>> cart().radar.shape, cart(n_coils=3).coils.shape
    ((8, 192), (3, 12))
    """
    return CartPlan(**options).carrier()


def handheld(**options: Any) -> Carrier:
    """
    Return a hand-held head that is swung in arcs across a lane.

    Parameters
    ----------
    **options
        Fields of :class:`HandheldPlan`.

    Returns
    -------
    carrier : Carrier
        The sensors on their platform.

    Raises
    ------
    TypeError, ValueError
        If an option is unknown or out of range.

    Examples
    --------
    >>> from minesense.synthetic import handheld
    >>> handheld(sensors="coil").radar is None
    True
    """
    return HandheldPlan(**options).carrier()


def drone(**options: Any) -> Carrier:
    """
    Return a drone that flies low along the lanes.

    Parameters
    ----------
    **options
        Fields of :class:`DronePlan`.

    Returns
    -------
    carrier : Carrier
        The sensors on their platform.

    Raises
    ------
    TypeError, ValueError
        If an option is unknown or out of range.

    Examples
    --------
    >>> from minesense.synthetic import drone
    >>> drone(height=0.8).radar.radar.height
    0.8
    """
    return DronePlan(**options).carrier()

"""Carriers: where the sensors are, how they move, and how well that is known."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from .._validation import check_count, check_not_negative, check_positive, check_rng
from ..sweep import Floats, PulseCoil, Radar, Sensor


def _check_numbers(record: Motion | Noise, *, positive: tuple[str, ...]) -> None:
    """Raise unless every field is a number, not negative, and some greater than zero."""
    for item in dataclasses.fields(record):
        check = check_positive if item.name in positive else check_not_negative
        check(getattr(record, item.name), item.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """
    How a carrier moves. Spreads are standard deviations; all defaults are unverified.

    Height, sideways and yaw errors are Ornstein-Uhlenbeck processes in time.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or `speed` or `correlation_time` is zero.
    """

    speed: float = 0.5  #: m/s
    speed_spread: float = 0.05  #: share of the speed
    height_spread: float = 0.006  #: m
    sideways_spread: float = 0.01  #: m
    yaw_spread: float = 0.01  #: rad
    correlation_time: float = 0.5  #: s
    position_error: float = 0.01  #: m, of the recorded position
    gaps_per_metre: float = 0.01  #: link losses
    gap_length: float = 0.4  #: m, mean
    dropouts_per_metre: float = 0.05  #: single traces lost to saturation

    def __post_init__(self) -> None:
        _check_numbers(self, positive=("speed", "correlation_time"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """
    Errors of the sensors. All defaults are unverified.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or `drift_time` is zero.
    """

    radar_white: float = 1.5e-3  #: share of the direct wave's peak
    radar_gain: float = 0.05  #: spread between channels
    radar_delay: float = 30e-12  #: s, spread of time zero between channels
    radar_jitter: float = 3e-12  #: s, from trace to trace
    radar_drift: float = 0.005  #: slow change of the direct wave's amplitude
    coil_white: float = 4e-10  #: V per ampere, one turn, at the first gate
    coil_gain: float = 0.03  #: spread between coils
    coil_drift: float = 2e-9  #: V per ampere, slow
    drift_time: float = 20.0  #: s

    def __post_init__(self) -> None:
        _check_numbers(self, positive=("drift_time",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """
    Sensors on one platform.

    Raises
    ------
    TypeError, ValueError
        If a sensor lacks the record of its physics, or a spacing, a height or the
        separation of the antennas is not greater than zero.
    """

    name: str
    radar: Sensor
    coils: Sensor
    radar_spacing: float  #: m between radar traces
    coil_spacing: float  #: m between metal-detector traces
    motion: Motion = Motion()
    noise: Noise = Noise()

    def __post_init__(self) -> None:
        if self.radar.radar is None:
            msg = f"Invalid radar '{self.radar.name}': no Radar. Must have one."
            raise ValueError(msg)
        if self.coils.coil is None:
            msg = f"Invalid coils '{self.coils.name}': no PulseCoil. Must have one."
            raise ValueError(msg)
        check_positive(self.radar.radar.separation, "separation")
        for record in (self.radar.radar, self.coils.coil):
            check_positive(record.height or 0.0, f"height of the {type(record).__name__}")
        for name in ("radar_spacing", "coil_spacing"):
            check_positive(getattr(self, name), name)


def cart(
    *,
    n_antennas: int = 8,
    n_coils: int = 7,
    width: float = 1.0,
    radar_spacing: float = 0.025,
    coil_spacing: float = 0.05,
    motion: Motion | None = None,
    noise: Noise | None = None,
) -> Carrier:
    """
    Return a hand-pushed cart with a radar array and metal-detector coils.

    Parameters
    ----------
    n_antennas, n_coils : int
        Radar channels and coils, evenly spread over `width`. Seven coils of 20 cm overlap
        by about a quarter, as arrays do whose neighbours are not to feel each other.
    width : float
        Swath in metres.
    radar_spacing, coil_spacing : float
        Mean distance between traces along the track, in metres; traces fall on the steps
        of the path, 5 mm.
    motion : Motion, optional
        How the cart moves.
    noise : Noise, optional
        Errors of the sensors.

    Returns
    -------
    carrier : Carrier
        A 1.5 GHz impulse radar, 12 ns in 192 samples, antennas 12 cm over the ground, and
        pulse-induction coils of 10 cm radius 5 cm over the ground, 12 gates of 12 to
        400 us. Figures are engineering choices, unverified.

    Raises
    ------
    TypeError, ValueError
        If a count is not a positive whole number or a length not greater than zero.

    Examples
    --------
    >>> from minesense.synthetic import cart
    >>> cart().radar.shape, cart().coils.shape
    ((8, 192), (7, 12))
    """
    width = check_positive(width, "width")
    radar = Sensor(
        name="cart radar",
        kind="gpr",
        axis=62.5e-12 * np.arange(192, dtype=np.float64),
        lever_arms=_across(check_count(n_antennas, "n_antennas"), width),
        radar=Radar(centre_frequency=1.5e9, separation=0.06, height=0.12),
    )
    edges = np.geomspace(12e-6, 400e-6, 13)
    gates = np.column_stack([edges[:-1], edges[1:]])
    coil = PulseCoil(
        radius=0.10,
        gates=gates,
        pulse=200e-6,
        ramp=5e-6,
        half_period=1e-3,
        receiver_tau=1e-6,
        height=0.05,
    )
    coils = Sensor(
        name="cart coils",
        kind="emi",
        axis=np.sqrt(gates.prod(axis=1)).astype(np.float64),
        lever_arms=_across(check_count(n_coils, "n_coils"), width),
        unit="V/A",
        coil=coil,
    )
    return Carrier(
        name="cart",
        radar=radar,
        coils=coils,
        radar_spacing=check_positive(radar_spacing, "radar_spacing"),
        coil_spacing=check_positive(coil_spacing, "coil_spacing"),
        motion=motion or Motion(),
        noise=noise or Noise(),
    )


def _across(n_channels: int, width: float) -> Floats:
    """Return lever arms that share a width evenly, right of the platform's middle."""
    arms = np.zeros((n_channels, 3))
    arms[:, 0] = width * ((np.arange(n_channels) + 0.5) / n_channels - 0.5)
    return arms


def ornstein_uhlenbeck(
    n: int, *, step: float, time: float, std: float, rng: np.random.Generator
) -> Floats:
    r"""
    Return a stationary Gauss-Markov series.

    Parameters
    ----------
    n : int
        Number of values.
    step, time : float
        Interval of the series and correlation time, in seconds.
    std : float
        Standard deviation, in any unit.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    series : (n,) float64 ndarray
        Values in the unit of `std`.

    Raises
    ------
    TypeError, ValueError
        If a length of time is not greater than zero, `std` is negative, or `rng` is not a
        generator.

    Notes
    -----
    :math:`x_0 = \sigma w_0`, :math:`x_k = a x_{k-1} + \sigma \sqrt{1 - a^2}\, w_k` with
    :math:`a = e^{-\Delta / T}`: the variance is :math:`\sigma^2` from the first value on.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(seed=0)
    >>> series = ornstein_uhlenbeck(20_000, step=0.1, time=0.5, std=2.0, rng=rng)
    >>> bool(1.9 < series.std() < 2.1)
    True
    """
    decay = math.exp(-check_positive(step, "step") / check_positive(time, "time"))
    white = check_rng(rng).normal(size=check_count(n, "n", least=0))
    white *= check_not_negative(std, "std")
    white[1:] *= math.sqrt(1 - decay**2)
    for k in range(1, len(white)):
        white[k] += decay * white[k - 1]
    return white


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """Where a carrier really went along one lane, at regular distances."""

    time: Floats  #: (n,) s
    position: Floats  #: (n, 3) easting, northing of the platform, height error, m
    heading: Floats  #: (n,) rad


def drive(
    start: tuple[float, float], length: float, *, motion: Motion, rng: np.random.Generator
) -> Path:
    """
    Drive one lane northward.

    Parameters
    ----------
    start : (float, float)
        Easting and northing where the path begins, in metres.
    length : float
        Length of the path in metres.
    motion : Motion
        How the carrier moves.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    path : Path
        The true path in steps of 5 mm; the third column of `position` is what sway adds to
        the sensors' nominal height.

    Raises
    ------
    ValueError
        If `length` is not greater than zero.

    Examples
    --------
    >>> import numpy as np
    >>> path = drive((0.0, 0.0), 2.0, motion=Motion(), rng=np.random.default_rng(seed=0))
    >>> path.position.shape
    (401, 3)
    """
    step = 0.005
    n = round(check_positive(length, "length") / step) + 1
    interval = step / motion.speed

    def wander(std: float) -> Floats:
        return ornstein_uhlenbeck(
            n, step=interval, time=motion.correlation_time, std=std, rng=rng
        )

    speed = motion.speed * np.exp(wander(motion.speed_spread))
    time = np.concatenate([[0.0], np.cumsum(step / speed[:-1])])
    sideways, height = wander(motion.sideways_spread), wander(motion.height_spread)
    position = np.column_stack([start[0] + sideways, start[1] + step * np.arange(n), height])
    return Path(time=time, position=position, heading=wander(motion.yaw_spread))

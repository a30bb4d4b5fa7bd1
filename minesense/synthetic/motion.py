"""How platforms move: carts that are pushed, heads that are swung, drones that fly low."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._validation import check_positive
from ..sweep import Floats
from .track import PATH_INTERVAL, PATH_STEP, Track, check_numbers, ornstein_uhlenbeck


@dataclass(frozen=True, slots=True, kw_only=True)
class CartMotion:
    """
    How a cart is pushed along the middle of a lane. All defaults are unverified.

    Spreads are standard deviations of Ornstein-Uhlenbeck processes in time.

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
    pitch_spread: float = 0.004  #: rad
    roll_spread: float = 0.004  #: rad
    correlation_time: float = 0.5  #: s
    kind: Literal["cart"] = "cart"

    def __post_init__(self) -> None:
        check_numbers(self, positive=("speed", "correlation_time"))

    def track(self, *, length: float, width: float, rng: np.random.Generator) -> Track:
        """
        Drive one lane.

        Parameters
        ----------
        length : float
            Of the path, m.
        width : float
            Of the lane, m; a cart takes no heed of it.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        track : Track
            From its start on, in steps of 5 mm.

        Raises
        ------
        ValueError
            If a length is not greater than zero.
        """
        n = round(check_positive(length, "length") / PATH_STEP) + 1
        interval = PATH_STEP / self.speed

        def wander(std: float) -> Floats:
            time = self.correlation_time
            return ornstein_uhlenbeck(n, step=interval, time=time, std=std, rng=rng)

        speed = self.speed * np.exp(wander(self.speed_spread))
        time = np.concatenate([[0.0], np.cumsum(PATH_STEP / speed[:-1])])
        sideways, height = wander(self.sideways_spread), wander(self.height_spread)
        return Track(
            time=time,
            position=np.column_stack([sideways, PATH_STEP * np.arange(n), height]),
            heading=wander(self.yaw_spread),
            pitch=wander(self.pitch_spread),
            roll=wander(self.roll_spread),
            step=PATH_STEP,
            is_timed=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SwingMotion:
    """
    How a hand-held head is swung in arcs across a lane. All defaults are unverified.

    The operator walks along the middle of the lane and steps forward at the end of every
    swing. The head turns with the shaft. Spreads are standard deviations of
    Ornstein-Uhlenbeck processes in time.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or zero where it must not be.
    """

    speed: float = 0.5  #: m/s, mean of a swing; the greatest is pi/2 times as much
    speed_spread: float = 0.1  #: share of the speed, from swing to swing
    reach: float = 1.2  #: m, from the operator's shoulder to the head
    beyond: float = 0.1  #: m by which the middle of the head goes beyond the lane
    advance: float = 0.1  #: m forward at the end of every swing
    advance_spread: float = 0.015  #: m
    height_spread: float = 0.01  #: m
    tilt_spread: float = 0.07  #: rad, in pitch and in roll
    sideways_spread: float = 0.03  #: m, of the operator
    correlation_time: float = 0.4  #: s
    kind: Literal["swing"] = "swing"

    def __post_init__(self) -> None:
        check_numbers(self, positive=("speed", "reach", "advance", "correlation_time"))

    def track(self, *, length: float, width: float, rng: np.random.Generator) -> Track:
        r"""
        Swing along one lane.

        Parameters
        ----------
        length : float
            Of the path, m.
        width : float
            Of the lane, m.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        track : Track
            The middle of the head, a hundred times a second.

        Raises
        ------
        ValueError
            If a length is not greater than zero or the lane is wider than the arm reaches.

        Notes
        -----
        In a swing of duration T the angle of the shaft is :math:`\mp A \cos(\pi t / T)`: at
        rest at both ends, fastest in the middle. Over the last fifth of T the operator steps
        forward as :math:`3 s^2 - 2 s^3`.
        """
        length, width = check_positive(length, "length"), check_positive(width, "width")
        half = width / 2 + self.beyond
        if half >= self.reach:
            msg = (
                f"Invalid width '{width}'. Must be less than "
                f"{2 * (self.reach - self.beyond):g} m for this reach."
            )
            raise ValueError(msg)
        angle = math.asin(half / self.reach)
        mean = math.ceil(length / self.advance) + 1
        # swings advance by chance: with so many more the end is passed but once in 30,000
        n_swings = mean + math.ceil(4 * self.advance_spread * math.sqrt(mean) / self.advance)
        speed = self.speed * np.exp(self.speed_spread * rng.normal(size=n_swings))
        duration = 2 * angle * self.reach / speed
        steps = np.maximum(0.0, rng.normal(self.advance, self.advance_spread, n_swings))
        ends = np.cumsum(duration)
        time: Floats = PATH_INTERVAL * np.arange(
            int(ends[-1] / PATH_INTERVAL), dtype=np.float64
        )
        k = np.searchsorted(ends, time, side="right")
        share = 1 - (ends[k] - time) / duration[k]
        turn = np.where(k % 2 == 0, -1.0, 1.0) * angle * np.cos(np.pi * share)
        late = np.clip(5 * share - 4, 0.0, 1.0)
        walked = (np.cumsum(steps) - steps)[k] + steps[k] * late**2 * (3 - 2 * late)
        inside = walked <= length
        time, turn, walked = time[inside], turn[inside], walked[inside]

        def wander(std: float) -> Floats:
            return ornstein_uhlenbeck(
                len(time), step=PATH_INTERVAL, time=self.correlation_time, std=std, rng=rng
            )

        right = self.reach * np.sin(turn) + wander(self.sideways_spread)
        forward = walked + self.reach * (np.cos(turn) - 1)
        return Track(
            time=time,
            position=np.column_stack([right, forward, wander(self.height_spread)]),
            heading=turn,
            pitch=wander(self.tilt_spread),
            roll=wander(self.tilt_spread),
            step=PATH_INTERVAL,
            is_timed=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightMotion:
    """
    How a drone flies low along the middle of a lane. All defaults are unverified.

    Wind pushes it sideways and makes it lean against it; what is left wanders faster. Spreads
    are standard deviations of Ornstein-Uhlenbeck processes in time.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or zero where it must not be.
    """

    speed: float = 1.0  #: m/s
    speed_spread: float = 0.1  #: share of the speed
    height_spread: float = 0.04  #: m
    sideways_spread: float = 0.03  #: m, without wind
    yaw_spread: float = 0.04  #: rad
    tilt_spread: float = 0.03  #: rad, in pitch and in roll, without wind
    correlation_time: float = 0.8  #: s
    gust: float = 0.5  #: m/s, spread of the wind across the lane
    gust_time: float = 4.0  #: s, correlation time of the wind
    drift_per_gust: float = 0.06  #: m sideways for a wind of 1 m/s
    lean_per_gust: float = 0.03  #: rad of roll for a wind of 1 m/s
    kind: Literal["flight"] = "flight"

    def __post_init__(self) -> None:
        check_numbers(self, positive=("speed", "correlation_time", "gust_time"))

    def track(self, *, length: float, width: float, rng: np.random.Generator) -> Track:
        """
        Fly along one lane.

        Parameters
        ----------
        length : float
            Of the path, m.
        width : float
            Of the lane, m; a drone takes no heed of it.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        track : Track
            A hundred times a second.

        Raises
        ------
        ValueError
            If a length is not greater than zero.
        """
        length = check_positive(length, "length")
        # slower than a third of the mean it does not get, in ten standard deviations
        n = math.ceil(3 * length / (self.speed * PATH_INTERVAL)) + 1

        def wander(std: float, time: float = 0.0) -> Floats:
            time = time or self.correlation_time
            return ornstein_uhlenbeck(n, step=PATH_INTERVAL, time=time, std=std, rng=rng)

        speed = self.speed * np.exp(np.clip(wander(self.speed_spread), -1.0, 1.0))
        forward = np.concatenate([[0.0], np.cumsum(PATH_INTERVAL * speed[:-1])])
        wind = wander(self.gust, self.gust_time)
        right = wander(self.sideways_spread) + self.drift_per_gust * wind
        roll = wander(self.tilt_spread) - self.lean_per_gust * wind
        whole = Track(
            time=PATH_INTERVAL * np.arange(n, dtype=np.float64),
            position=np.column_stack([right, forward, wander(self.height_spread)]),
            heading=wander(self.yaw_spread),
            pitch=wander(self.tilt_spread),
            roll=roll,
            step=PATH_INTERVAL,
            is_timed=True,
        )
        return whole.at(np.flatnonzero(forward <= length))


Motion = CartMotion | SwingMotion | FlightMotion

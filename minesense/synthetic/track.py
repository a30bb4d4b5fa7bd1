"""Where platforms go: wandering series, and the track of a platform along a lane."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_not_negative, check_positive, check_rng
from ..sweep import Floats

#: Step of the path of a cart, m, and of a head or drone, s.
PATH_STEP = 0.005
PATH_INTERVAL = 0.01


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
    >>> from minesense.synthetic import ornstein_uhlenbeck
    >>> rng = np.random.default_rng(seed=0)
    >>> series = ornstein_uhlenbeck(20_000, step=0.1, time=0.5, std=2.0, rng=rng)
    >>> bool(1.9 < series.std() < 2.1)
    True
    """
    decay = math.exp(-check_positive(step, "step") / check_positive(time, "time"))
    white = check_rng(rng).normal(size=check_count(n, "n", least=0))
    white *= check_not_negative(std, "std")
    white[1:] *= math.sqrt(1 - decay**2)
    values = white.tolist()  # a loop over floats is five times as fast as over an array
    for k in range(1, len(values)):
        values[k] += decay * values[k - 1]
    return np.array(values, dtype=np.float64)


def wander(
    time: Floats, n: int, *, std: float, correlation_time: float, rng: np.random.Generator
) -> Floats:
    """
    Return slow changes, one for each channel.

    Parameters
    ----------
    time : (n_traces,) float64 ndarray
        Of the traces, s.
    n : int
        Channels.
    std : float
        Standard deviation, in any unit.
    correlation_time : float
        In seconds.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    series : (n_traces, n) float64 ndarray
        Of :func:`ornstein_uhlenbeck`, independent of each other.
    """
    n_traces = len(time)
    step = float(np.median(np.diff(time))) if n_traces > 1 else 1.0
    series = [
        ornstein_uhlenbeck(n_traces, step=step, time=correlation_time, std=std, rng=rng)
        for _ in range(n)
    ]
    return np.array(series).reshape(n, n_traces).T


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """
    Where a platform really went along one lane, in the lane's own axes.

    Pitch is positive nose up, roll is positive right side down. The pose of a trace is that
    of a step of the track.
    """

    time: Floats  #: (n,) s
    position: Floats  #: (n, 3) right of the lane's middle, forward of its start, sway, m
    heading: Floats  #: (n,) rad, clockwise from the lane's own
    pitch: Floats  #: (n,) rad
    roll: Floats  #: (n,) rad
    step: float  #: m or s from one step to the next
    is_timed: bool  #: whether the steps are regular in time, else in distance

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.time)

    def at(self, steps: npt.NDArray[np.int64]) -> Track:
        """Return some of its steps."""
        names = ("time", "position", "heading", "pitch", "roll")
        return dataclasses.replace(self, **{name: getattr(self, name)[steps] for name in names})

    def place(self, arms: Floats, height: float) -> Floats:
        """
        Return where sensors are that ride on the platform.

        Parameters
        ----------
        arms : (n_channels, 3) float64 ndarray
            Right, forward, upward from the platform's point, m.
        height : float
            Of that point over mean ground, without sway, m.

        Returns
        -------
        place : (n, n_channels, 3) float64 ndarray
            Right, forward, upward over mean ground, m.
        """
        place = self.position[:, None, :] + self.turned(arms)
        place[..., 2] += height
        return place

    def turned(self, arms: npt.ArrayLike) -> Floats:
        r"""
        Return vectors of the platform in the axes of the lane.

        Parameters
        ----------
        arms : (m, 3) array_like
            Right, forward, upward.

        Returns
        -------
        vectors : (n, m, 3) float64 ndarray
            :math:`R_\psi R_\theta R_\phi` times the vectors: roll about forward, then pitch
            about right, then heading about the vertical.
        """
        right, forward, upward = np.asarray(arms, dtype=np.float64).T
        sin, cos = np.sin(self.roll)[:, None], np.cos(self.roll)[:, None]
        x, z = cos * right + sin * upward, cos * upward - sin * right
        sin, cos = np.sin(self.pitch)[:, None], np.cos(self.pitch)[:, None]
        y, z = cos * forward - sin * z, cos * z + sin * forward
        sin, cos = np.sin(self.heading)[:, None], np.cos(self.heading)[:, None]
        return np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)


def check_numbers(record: Any, *, positive: Iterable[str] = ()) -> None:
    """
    Raise unless every number of a record is finite and not negative.

    Parameters
    ----------
    record : dataclass
        Fields that are words or counts in other records are left alone: only numbers count.
    positive : iterable of str
        Fields that must be greater than zero.

    Raises
    ------
    TypeError, ValueError
        If a value is no number or out of range.

    Examples
    --------
    >>> from minesense.synthetic import CartMotion
    >>> CartMotion(speed=-1.0)
    Traceback (most recent call last):
    ValueError: Invalid speed '-1.0'. Must be finite and greater than zero.
    """
    for item in dataclasses.fields(record):
        if item.name == "kind":
            continue
        check = check_positive if item.name in positive else check_not_negative
        check(getattr(record, item.name), item.name)

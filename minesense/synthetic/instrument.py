"""Errors that both sensors have: how positions, stamps and links fail, and converters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_not_negative, check_positive
from ..sweep import Floats, Quality
from .track import Track, check_numbers, ornstein_uhlenbeck

Flags = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: What a stamp that repeats the one before is set after it, s: stamps of a sweep increase.
_LEAST_STEP = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Positioning:
    """
    How well the recorded pose follows the true one. All defaults are unverified.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or a correlation time is zero.
    """

    error: float = 0.01  #: m, slow, standard deviation along each axis
    error_time: float = 10.0  #: s, its correlation time
    jitter: float = 0.0  #: m, from trace to trace
    heading_error: float = 0.0  #: rad, slow
    height_error: float = 0.0  #: m, slow; matters where the height is recorded
    lag: float = 0.0  #: s by which positions are older than their stamps say
    records_height: bool = False  #: whether the recorded position has a height
    losses_per_minute: float = 0.0  #: stretches without a position
    loss_time: float = 2.0  #: s, their mean length

    def __post_init__(self) -> None:
        check_numbers(self, positive=("error_time", "loss_time"))

    def record(
        self, track: Track, steps: npt.NDArray[np.int64], *, rng: np.random.Generator
    ) -> tuple[Floats, Floats, Flags]:
        """
        Return the pose that is recorded at some steps of a track.

        Parameters
        ----------
        track : Track
            Where the platform really was.
        steps : (n,) int64 ndarray
            Of the traces.
        rng : numpy.random.Generator
            Source of chance. From the same one, sensors of one platform err alike.

        Returns
        -------
        position : (n, 3) float64 ndarray
            Right, forward and, if it is recorded, sway, m; NaN where it was lost.
        heading : (n,) float64 ndarray
            From that of the lane, rad; NaN where it was lost.
        quality : (n,) int64 ndarray
            POSE_NONE where it was lost.
        """
        n, duration = len(track), float(track.time[-1] - track.time[0])
        interval = duration / max(1, n - 1) or 1.0

        def wander(std: float) -> Floats:
            return ornstein_uhlenbeck(n, step=interval, time=self.error_time, std=std, rng=rng)

        errors = np.column_stack(
            [wander(self.error), wander(self.error), wander(self.height_error)]
        )
        errors[:, :2] += self.jitter * rng.normal(size=(n, 2))
        turn = wander(self.heading_error)
        lost = bursts(track.time, self.losses_per_minute, self.loss_time, rng=rng)[steps]
        seen = track.time[steps] - self.lag
        columns = [*track.position.T, track.heading]
        *place, heading = (np.interp(seen, track.time, column) for column in columns)
        position = np.column_stack(place) + errors[steps]
        if not self.records_height:
            position[:, 2] = 0.0
        heading = heading + turn[steps]
        position[lost], heading[lost] = np.nan, np.nan
        return position, heading, _flags(lost, Quality.POSE_NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """
    How links, stamps and converters fail. All defaults are unverified.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or a mean length is zero.
    """

    gaps_per_minute: float = 0.3  #: stretches lost on the link, in all sensors alike
    gap_time: float = 0.8  #: s, their mean length
    dropouts_per_minute: float = 1.5  #: single traces lost to saturation
    stuck_per_minute: float = 0.02  #: stretches in which a sensor repeats one trace
    stuck_time: float = 0.3  #: s, their mean length
    duplicates_per_minute: float = 0.05  #: traces with the stamp of the one before
    lost_stamps_per_minute: float = 0.02  #: stretches without stamps, filled evenly
    lost_stamp_time: float = 0.5  #: s, their mean length

    def __post_init__(self) -> None:
        check_numbers(self, positive=("gap_time", "stuck_time", "lost_stamp_time"))

    def stamps(self, time: Floats, *, rng: np.random.Generator) -> tuple[Floats, Flags]:
        """
        Return the stamps that are recorded.

        Parameters
        ----------
        time : (n,) float64 ndarray
            True times in seconds, increasing.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        stamps : (n,) float64 ndarray
            In seconds, increasing. One that repeats the stamp before is set a microsecond
            after it; lost ones are spread evenly between those that are known.
        quality : (n,) int64 ndarray
            TIME_DUPLICATE and TIME_COARSE.
        """
        lost = bursts(time, self.lost_stamps_per_minute, self.lost_stamp_time, rng=rng)
        repeated = singles(time, self.duplicates_per_minute, rng=rng) & ~lost
        if not len(time):
            return time, _flags(lost, Quality.TIME_COARSE)
        lost[[0, -1]] = repeated[0] = False
        known = np.flatnonzero(~lost)
        stamps = np.interp(np.arange(len(time)), known, time[known])
        for i in np.flatnonzero(repeated):  # one by one: several may repeat the same stamp
            stamps[i] = stamps[i - 1] + _LEAST_STEP
        coarse = _flags(lost, Quality.TIME_COARSE)
        return stamps, coarse | _flags(repeated, Quality.TIME_DUPLICATE)

    def stick(
        self, samples: Floats, time: Floats, *, rng: np.random.Generator
    ) -> tuple[Floats, Flags]:
        """
        Return samples with stretches in which the sensor repeats itself.

        Parameters
        ----------
        samples : (n, n_channels, n_samples) float64 ndarray
            As measured.
        time : (n,) float64 ndarray
            Seconds.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        samples : (n, n_channels, n_samples) float64 ndarray
            With the trace before such a stretch all along it.
        quality : (n,) int64 ndarray
            STUCK, and SATURATED for single traces that are lost, whose samples are NaN.
        """
        stuck = bursts(time, self.stuck_per_minute, self.stuck_time, rng=rng)
        dropped = singles(time, self.dropouts_per_minute, rng=rng)
        if len(time):
            stuck[0] = False
        source = np.maximum.accumulate(np.where(stuck, 0, np.arange(len(time))))
        samples = samples[source]
        samples[dropped] = np.nan
        return samples, _flags(stuck, Quality.STUCK) | _flags(dropped, Quality.SATURATED)

    def gaps(self, time: Floats, *, rng: np.random.Generator) -> list[tuple[float, float]]:
        """
        Return the stretches of time that are lost on the link.

        Parameters
        ----------
        time : (n,) float64 ndarray
            Of the track, s.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        gaps : list of (float, float)
            Start and stop in seconds.
        """
        return _stretches(time, self.gaps_per_minute, self.gap_time, rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """
    How samples become numbers.

    Raises
    ------
    TypeError, ValueError
        If `bits` is not a whole number from 0 to 32 or the range not greater than zero.
    """

    full_scale: float  #: largest value, in the unit of the samples
    bits: int = 24  #: of a signed number; 0 for none, that is without steps

    def __post_init__(self) -> None:
        check_positive(self.full_scale, "full_scale")
        if check_count(self.bits, "bits", least=0) > 32:
            msg = f"Invalid bits '{self.bits}'. Must be at most 32."
            raise ValueError(msg)

    def convert(self, samples: Floats) -> tuple[Floats, Flags]:
        """
        Return samples in steps, and which traces were too large.

        Parameters
        ----------
        samples : (n, n_channels, n_samples) float64 ndarray
            As they come.

        Returns
        -------
        samples : (n, n_channels, n_samples) float64 ndarray
            Rounded to a step, at most the largest code, which is one step below the range; NaN
            throughout a trace in which any was beyond the range.
        quality : (n,) int64 ndarray
            SATURATED for those traces.
        """
        clipped = np.asarray((np.abs(samples) >= self.full_scale).any(axis=(1, 2)))
        if self.bits:
            step = self.full_scale / 2 ** (self.bits - 1)
            most = 2.0 ** (self.bits - 1)
            samples = step * np.clip(np.rint(samples / step), -most, most - 1)
        samples = np.where(clipped[:, None, None], np.nan, samples)
        return samples, _flags(clipped, Quality.SATURATED)


def _flags(where: Mask, flag: Quality) -> Flags:
    """Return a flag for the traces that have it."""
    return np.where(where, int(flag), 0).astype(np.int64)


def bursts(time: Floats, per_minute: float, length: float, *, rng: np.random.Generator) -> Mask:
    """
    Draw which traces lie in some stretches of time.

    Parameters
    ----------
    time : (n,) float64 ndarray
        Seconds, increasing.
    per_minute : float
        Mean number of stretches.
    length : float
        Their mean length in seconds; lengths are exponential.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    inside : (n,) bool ndarray
        Whether a trace lies in one.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(seed=0)
    >>> inside = bursts(np.arange(0, 6000, 0.1), 1.0, 3.0, rng=rng)
    >>> bool(0.03 < inside.mean() < 0.07)
    True
    """
    inside = np.zeros(len(time), dtype=bool)
    for start, stop in _stretches(time, per_minute, length, rng):
        inside[np.searchsorted(time, start) : np.searchsorted(time, stop)] = True
    return inside


def singles(time: Floats, per_minute: float, *, rng: np.random.Generator) -> Mask:
    """
    Draw single traces, each as likely as the others.

    Parameters
    ----------
    time : (n,) float64 ndarray
        Seconds, increasing.
    per_minute : float
        Their mean number.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    chosen : (n,) bool ndarray
        Whether a trace is one of them.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(seed=0)
    >>> int(singles(np.arange(0, 600, 0.1), 6.0, rng=rng).sum()) in range(35, 85)
    True
    """
    duration = float(time[-1] - time[0]) if len(time) else 0.0
    share = check_not_negative(per_minute, "per_minute") * duration / 60 / max(1, len(time) - 1)
    return np.asarray(rng.random(len(time)) < share)


def _stretches(
    time: Floats, per_minute: float, length: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw stretches of time, Poisson in number and exponential in length."""
    duration = float(time[-1] - time[0]) if len(time) else 0.0
    n = rng.poisson(per_minute * duration / 60)
    starts = np.sort(rng.uniform(0, duration, n)) + (time[0] if len(time) else 0.0)
    lengths = rng.exponential(length, n)
    return [(float(a), float(a + b)) for a, b in zip(starts, lengths, strict=True)]


def gain_curve(time: Floats, *, slope: float, most: float = math.inf) -> Floats:
    """
    Return a gain that grows with time.

    Parameters
    ----------
    time : (n,) float64 ndarray
        Seconds.
    slope : float
        In dB per second.
    most : float
        Greatest gain, dB.

    Returns
    -------
    gain : (n,) float64 ndarray
        Factor, 1 at time zero.

    Examples
    --------
    >>> import numpy as np
    >>> gain_curve(np.array([0.0, 10e-9]), slope=2e9).round(6).tolist()
    [1.0, 10.0]
    """
    return np.asarray(10 ** (np.minimum(slope * np.maximum(time, 0.0), most) / 20))

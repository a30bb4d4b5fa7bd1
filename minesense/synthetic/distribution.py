"""Small records of distributions from which one figure at a time is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from .._validation import check_number, check_positive, check_rng

#: Digits after the point of a drawn figure that is kept: micrometres, microradians.
_DIGITS = 6


def to_micro(value: float) -> float:
    """
    Round a drawn figure to the sixth digit after the point.

    Parameters
    ----------
    value : float
        Metres, radians or a share.

    Returns
    -------
    rounded : float
        Processors and libraries differ in the last bit of a logarithm or a sine; what is
        rounded is the same on all of them, but for one figure in about 1e10.

    Examples
    --------
    >>> to_micro(0.12345678)
    0.123457
    """
    return round(float(value), _DIGITS) + 0.0  # no negative zero


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same figure."""

    value: float
    kind: Literal["fixed"] = "fixed"

    def __post_init__(self) -> None:
        check_number(self.value, "value")

    @property
    def low(self) -> float:
        """Least figure that is drawn."""
        return self.value

    @property
    def high(self) -> float:
        """Greatest figure that is drawn."""
        return self.value

    def quantile(self, share: float) -> float:
        """Return the figure below which a share of all lies."""
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform:
    """
    Every figure between two limits alike.

    Raises
    ------
    ValueError
        If `high` is less than `low`.
    """

    low: float
    high: float
    kind: Literal["uniform"] = "uniform"

    def __post_init__(self) -> None:
        _check_limits(self.low, self.high)

    def quantile(self, share: float) -> float:
        """Return the figure below which a share of all lies."""
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Normal:
    """
    A normal law, cut off at two limits.

    Raises
    ------
    ValueError
        If `std` is not greater than zero or the limits hold nothing of the law.
    """

    mean: float
    std: float
    low: float
    high: float
    kind: Literal["normal"] = "normal"

    def __post_init__(self) -> None:
        check_number(self.mean, "mean")
        check_positive(self.std, "std")
        _check_limits(self.low, self.high)
        _check_within(*self._shares(), self.low, self.high)

    def quantile(self, share: float) -> float:
        """Return the figure below which a share of all lies."""
        least, most = self._shares()
        return _between(
            self.mean + self.std * _normal_quantile(least + share * (most - least)), self
        )

    def _shares(self) -> tuple[float, float]:
        """Return which shares of the whole law lie below the limits."""
        law = NormalDist(self.mean, self.std)
        return law.cdf(self.low), law.cdf(self.high)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """
    A figure whose logarithm is normal, cut off at two limits.

    Raises
    ------
    ValueError
        If `median`, `sigma` or `low` is not greater than zero, or the limits hold nothing of
        the law.
    """

    median: float
    sigma: float  #: standard deviation of the natural logarithm
    low: float
    high: float
    kind: Literal["lognormal"] = "lognormal"

    def __post_init__(self) -> None:
        for name in ("median", "sigma", "low"):
            check_positive(getattr(self, name), name)
        _check_limits(self.low, self.high)
        _check_within(*self._shares(), self.low, self.high)

    def quantile(self, share: float) -> float:
        """Return the figure below which a share of all lies."""
        least, most = self._shares()
        deviate = _normal_quantile(least + share * (most - least))
        return _between(self.median * math.exp(self.sigma * deviate), self)

    def _shares(self) -> tuple[float, float]:
        """Return which shares of the whole law lie below the limits."""
        law = NormalDist(math.log(self.median), self.sigma)
        return law.cdf(math.log(self.low)), law.cdf(math.log(self.high))


@dataclass(frozen=True, slots=True)
class Exponential:
    """
    An exponential law from zero on, cut off at two limits.

    Raises
    ------
    ValueError
        If `mean` is not greater than zero, `low` is negative, or the limits are in the wrong
        order.
    """

    mean: float  #: of the whole law
    low: float
    high: float
    kind: Literal["exponential"] = "exponential"

    def __post_init__(self) -> None:
        check_positive(self.mean, "mean")
        _check_limits(self.low, self.high)
        if self.low < 0:
            msg = f"Invalid low '{self.low}'. Must not be negative."
            raise ValueError(msg)

    def quantile(self, share: float) -> float:
        """Return the figure below which a share of all lies."""
        cut = -math.expm1((self.low - self.high) / self.mean)
        return _between(self.low - self.mean * math.log1p(-share * cut), self)


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """
    A density proportional to a power of the figure, between two limits.

    Raises
    ------
    ValueError
        If `low` is not greater than zero or the limits are in the wrong order.
    """

    exponent: float
    low: float
    high: float
    kind: Literal["power"] = "power"

    def __post_init__(self) -> None:
        check_number(self.exponent, "exponent")
        check_positive(self.low, "low")
        _check_limits(self.low, self.high)

    def quantile(self, share: float) -> float:
        """Return the figure below which a share of all lies."""
        n = self.exponent + 1
        if n == 0:
            return _between(self.low * (self.high / self.low) ** share, self)
        # from the limit where the density is, so that no power overflows
        ratio = self.low / self.high
        if n > 0:
            part = ratio**n
            return _between(self.high * (part + share * (1 - part)) ** (1 / n), self)
        left = 1 - share * (1 - ratio**-n)
        return _between(self.low * left ** (1 / n), self) if left else self.high


Distribution = Fixed | Uniform | Normal | LogNormal | Exponential | PowerLaw


def draw(law: Distribution, rng: np.random.Generator) -> float:
    """
    Draw one figure.

    Parameters
    ----------
    law : Fixed, Uniform, Normal, LogNormal, Exponential or PowerLaw
        Where it is drawn from.
    rng : numpy.random.Generator
        Source of chance; every law takes one uniform number from it.

    Returns
    -------
    figure : float
        Rounded to the sixth digit after the point (:func:`to_micro`).

    Raises
    ------
    TypeError
        If `rng` is not a generator.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import Normal, draw
    >>> depth = Normal(mean=0.05, std=0.02, low=0.0, high=0.1)
    >>> 0.0 <= draw(depth, np.random.default_rng(seed=1)) <= 0.1
    True
    """
    return to_micro(law.quantile(float(check_rng(rng).random())))


def _normal_quantile(share: float) -> float:
    """Return the quantile of the standard normal law; its ends stay finite."""
    return NormalDist().inv_cdf(min(max(share, 1e-300), 1 - 1e-16))


def _between(value: float, law: Normal | LogNormal | Exponential | PowerLaw) -> float:
    """Return a figure within the limits, whatever the last bit says."""
    return min(max(value, law.low), law.high)


def _check_limits(low: float, high: float) -> None:
    """Raise unless the limits are finite and in order."""
    check_number(low, "low")
    if check_number(high, "high") < low:
        msg = f"Invalid high '{high}'. Must be at least low, '{low}'."
        raise ValueError(msg)


def _check_within(least: float, most: float, low: float, high: float) -> None:
    """Raise if next to nothing of a law lies between its limits."""
    if most - least < 1e-6:
        msg = (
            f"Invalid low '{low}' and high '{high}'. Must hold at least a millionth of the law."
        )
        raise ValueError(msg)

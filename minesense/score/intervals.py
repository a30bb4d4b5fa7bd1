"""Exact intervals of shares and rates, and the sample sizes that a claim needs."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from .._validation import check_count, check_one_of, check_positive, check_probability

Sides = Literal["two", "lower", "upper"]


class Interval(NamedTuple):
    """An estimate and its confidence limits."""

    value: float
    low: float
    high: float


def clopper_pearson(
    k: int, n: int, *, confidence: float = 0.95, sides: Sides = "two"
) -> Interval:
    """
    Return the share k of n with its exact (Clopper-Pearson) limits.

    Parameters
    ----------
    k, n : int
        Successes, and trials; without trials the limits are 0 and 1 and the share NaN.
    confidence : float
        Probability, at least, that the limits hold the true share.
    sides : {"two", "lower", "upper"}
        Limits on both sides, or one limit that takes all the doubt; the other is 0 or 1.

    Returns
    -------
    Interval
        The share and its limits.

    Raises
    ------
    TypeError, ValueError
        If k or n is no whole number, or not 0 <= k <= n; if confidence is not between 0
        and 1 or sides is unknown.

    Notes
    -----
    With a the doubt of a side, the limits are the a quantile of Beta(k, n - k + 1) and the
    1 - a quantile of Beta(k + 1, n - k). This is the interval for claims; at the price of
    some width its coverage never falls below the confidence.

    References
    ----------
    C. J. Clopper, E. S. Pearson (1934): The use of confidence or fiducial limits
    illustrated in the case of the binomial. Biometrika 26, 404-413.

    Examples
    --------
    >>> value, low, high = clopper_pearson(98, 100)
    >>> print(f"{value} from {low:.5f} to {high:.5f}")
    0.98 from 0.92962 to 0.99757
    >>> round(clopper_pearson(10, 10, sides="lower").low, 5)
    0.74113
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - SciPy is slow to import

    k, n = _check_share(k, n)
    below, above = _doubt(confidence, sides)
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    low = float(betaincinv(k, n - k + 1, below)) if k and below else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - above)) if k < n and above else 1.0
    return Interval(k / n, low, high)


def wilson(k: int, n: int, *, confidence: float = 0.95, sides: Sides = "two") -> Interval:
    """
    Return the share k of n with Wilson's limits, for plots.

    Parameters
    ----------
    k, n : int
        Successes, and trials; without trials the limits are 0 and 1 and the share NaN.
    confidence : float
        Probability, on average over shares, that the limits hold the true one.
    sides : {"two", "lower", "upper"}
        Limits on both sides, or one limit that takes all the doubt; the other is 0 or 1.

    Returns
    -------
    Interval
        The share and its limits.

    Raises
    ------
    TypeError, ValueError
        As for :func:`clopper_pearson`.

    Notes
    -----
    With p = k/n and z the normal quantile, the limits are
    ``(p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)``.

    References
    ----------
    E. B. Wilson (1927): Probable inference, the law of succession, and statistical
    inference. Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    >>> value, low, high = wilson(98, 100)
    >>> print(f"{value} from {low:.5f} to {high:.5f}")
    0.98 from 0.92999 to 0.99450
    """
    from scipy.special import ndtri  # noqa: PLC0415 - SciPy is slow to import

    k, n = _check_share(k, n)
    below, above = _doubt(confidence, sides)
    if n == 0:
        return Interval(math.nan, 0.0, 1.0)
    share = k / n
    z = -float(ndtri(below or above))
    middle = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((middle + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    # The formula gives 0 and 1 at the ends only to rounding.
    low = max(low, 0.0) if k and below else 0.0
    high = min(high, 1.0) if k < n and above else 1.0
    return Interval(share, low, high)


def poisson_rate(
    count: int, area: float, *, confidence: float = 0.95, sides: Sides = "two"
) -> Interval:
    """
    Return the rate of a count per area with its exact Poisson limits.

    Parameters
    ----------
    count : int
        Events, for example false alarms.
    area : float
        In which they were counted, in square metres.
    confidence : float
        Probability, at least, that the limits hold the true rate.
    sides : {"two", "lower", "upper"}
        Limits on both sides, or one limit that takes all the doubt; the other is 0 or
        infinity.

    Returns
    -------
    Interval
        The rate and its limits, per square metre.

    Raises
    ------
    TypeError, ValueError
        If count is no whole number or negative, or area is not greater than zero.

    Notes
    -----
    With a the doubt of a side, the limits are the a quantile of Gamma(count) and the 1 - a
    quantile of Gamma(count + 1), over the area: ``[chi2(a; 2k)/2, chi2(1 - a; 2k + 2)/2]/A``.
    Where counts vary between lanes by more than a Poisson law allows, use the bootstrap
    of :func:`minesense.score.roc` instead.

    References
    ----------
    F. Garwood (1936): Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.

    Examples
    --------
    >>> value, low, high = poisson_rate(12, 200.0)
    >>> print(f"{value} from {low:.5f} to {high:.5f} per m2")
    0.06 from 0.03100 to 0.10481 per m2
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 - SciPy is slow to import

    count, area = check_count(count, "count", least=0), check_positive(area, "area")
    below, above = _doubt(confidence, sides)
    low = float(gammaincinv(count, below)) if count and below else 0.0
    high = float(gammaincinv(count + 1, 1 - above)) if above else math.inf
    return Interval(count / area, low / area, high / area)


def poisson_ratio(count: int, per: int, *, confidence: float = 0.95) -> Interval:
    """
    Return the ratio of two counts with its exact limits.

    Parameters
    ----------
    count, per : int
        Events of either kind, for example false alarms and targets found.
    confidence : float
        Probability, at least, that the limits hold the ratio of what is expected.

    Returns
    -------
    Interval
        `count / per` and its limits; NaN, with an infinite upper limit, if `per` is 0.

    Raises
    ------
    TypeError, ValueError
        If a count is no whole number or negative, or confidence is not between 0 and 1.

    Notes
    -----
    Given their sum, one of two Poisson counts is binomial with the share
    ``p = ratio / (1 + ratio)``: the limits are ``p / (1 - p)`` of those of
    :func:`clopper_pearson`.

    References
    ----------
    J. Przyborowski, H. Wilenski (1940): Homogeneity of results in testing samples from
    Poisson series. Biometrika 31, 313-323.

    Examples
    --------
    >>> value, low, high = poisson_ratio(30, 60)
    >>> print(f"{value} from {low:.3f} to {high:.3f} false alarms per target found")
    0.5 from 0.311 to 0.787 false alarms per target found
    """
    count, per = check_count(count, "count", least=0), check_count(per, "per", least=0)
    _, low, high = clopper_pearson(count, count + per, confidence=confidence)
    upper = high / (1 - high) if high < 1 else math.inf
    return Interval(count / per if per else math.nan, low / (1 - low), upper)


def targets_needed(pd: float, misses: int = 0, *, confidence: float = 0.95) -> int:
    """
    Return how many targets show a Pd, if no more than so many of them are missed.

    Parameters
    ----------
    pd : float
        Probability of detection to show.
    misses : int
        Targets that may be missed.
    confidence : float
        Of the one-sided exact limit.

    Returns
    -------
    int
        The least number of independent targets whose lower limit reaches `pd`.

    Raises
    ------
    TypeError, ValueError
        If pd or confidence is not between 0 and 1, or misses is no whole number or negative.

    Examples
    --------
    >>> targets_needed(0.9), targets_needed(0.99, 1)
    (29, 473)
    """
    from scipy.special import bdtr  # noqa: PLC0415 - SciPy is slow to import

    pd, misses = check_probability(pd, "pd"), check_count(misses, "misses", least=0)
    doubt = 1 - check_probability(confidence, "confidence")
    # P(no more than so many misses) falls with n: double, then halve the interval.
    few, enough = misses, misses + 1
    while bdtr(misses, enough, 1 - pd) > doubt:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        if bdtr(misses, middle, 1 - pd) > doubt:
            few = middle
        else:
            enough = middle
    return enough


def area_needed(rate: float, false_alarms: int = 0, *, confidence: float = 0.95) -> float:
    """
    Return the area that shows a false-alarm rate, if it holds no more than so many.

    Parameters
    ----------
    rate : float
        False alarms per square metre, to show that there are no more.
    false_alarms : int
        False alarms that may occur.
    confidence : float
        Of the one-sided exact limit.

    Returns
    -------
    float
        Area, in square metres: ``-ln(1 - confidence) / rate`` without any false alarm, else
        the `confidence` quantile of Gamma(false_alarms + 1), over the rate.

    Raises
    ------
    TypeError, ValueError
        If rate is not greater than zero, false_alarms is no whole number or negative, or
        confidence is not between 0 and 1.

    Examples
    --------
    >>> round(area_needed(0.01)), round(area_needed(0.01, 2))
    (300, 630)
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 - SciPy is slow to import

    doubt = 1 - check_probability(confidence, "confidence")
    rate = check_positive(rate, "rate")
    if not check_count(false_alarms, "false_alarms", least=0):
        return -math.log(doubt) / rate
    return float(gammaincinv(false_alarms + 1, 1 - doubt)) / rate


def _check_share(k: int, n: int) -> tuple[int, int]:
    """Return k and n as counts, k no greater than n."""
    k, n = check_count(k, "k", least=0), check_count(n, "n", least=0)
    if k > n:
        msg = f"Invalid k '{k}'. Must be at most n = {n}."
        raise ValueError(msg)
    return k, n


def _doubt(confidence: float, sides: str) -> tuple[float, float]:
    """Return the probability left below the lower and above the upper limit."""
    doubt = 1 - check_probability(confidence, "confidence")
    check_one_of(sides, "sides", ("two", "lower", "upper"))
    if sides == "two":
        return doubt / 2, doubt / 2
    return (doubt, 0.0) if sides == "lower" else (0.0, doubt)

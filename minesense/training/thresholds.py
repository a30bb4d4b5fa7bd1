"""Thresholds set on lanes whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..sweep import Floats


def rate_threshold(scores: Floats, *, rate: float, area: float) -> float:
    """
    Return a threshold that raises no more false alarms than a rate allows.

    Parameters
    ----------
    scores : (n,) float64 ndarray
        Scores of places that hold no target.
    rate : float
        False alarms per square metre.
    area : float
        Area the scores come from, in square metres.

    Returns
    -------
    threshold : float
        An alarm is a score at or above it. The lowest that holds the rate, or the lowest
        score where all may be alarms.

    Examples
    --------
    >>> import numpy as np
    >>> threshold = rate_threshold(np.array([1.0, 2.0, 3.0, 4.0]), rate=0.2, area=10.0)
    >>> 2.0 < threshold <= 3.0
    True
    """
    return _letting_by(np.asarray(scores, dtype=np.float64), int(rate * area + 1e-9))


def joint_thresholds(
    fused: Floats, own: Mapping[str, Floats], *, rate: float, area: float
) -> tuple[float, dict[str, float]]:
    """
    Return thresholds of fused scores and of each sensor's own that hold a rate together.

    Parameters
    ----------
    fused : (n,) float64 ndarray
        Scores of all sensors at places that hold no target.
    own : dict of (n,) float64 ndarray
        Each sensor's own scores there; NaN where it did not observe the place.
    rate : float
        False alarms per square metre.
    area : float
        Area the places come from, in square metres.

    Returns
    -------
    threshold : float
        Of the fused scores.
    own : dict of float
        Of the sensors' own. A place that reaches any of the thresholds is an alarm.

    Raises
    ------
    ValueError
        If a fused score is NaN.

    Notes
    -----
    Each threshold alone lets by at most :math:`k` of the places, the same limit for all, and
    fewer where scores tie or a sensor observed fewer places. Of all :math:`k` the greatest is
    taken at which no more than ``rate * area`` places reach one or several thresholds. A
    sensor that observed none of the places gets no threshold of its own: nothing is known
    of what it would let by.

    Examples
    --------
    One sensor's two strongest false places are not those of the sum:

    >>> import numpy as np
    >>> fused = np.array([4.0, 3.0, 2.0, 1.0])
    >>> own = {"gpr": np.array([1.0, 2.0, 3.0, 4.0])}
    >>> threshold, limits = joint_thresholds(fused, own, rate=0.5, area=4.0)
    >>> 3.0 < threshold <= 4.0, 3.0 < limits["gpr"] <= 4.0
    (True, True)
    """
    known = {name: x[~np.isnan(x)] for name, x in own.items() if not np.isnan(x).all()}
    if np.isnan(fused).any():
        msg = f"Invalid fused: score {int(np.isnan(fused).argmax())} is NaN. Must be numbers."
        raise ValueError(msg)
    allowed = int(rate * area + 1e-9)
    low, high = 0, allowed

    def at(count: int) -> tuple[float, dict[str, float]]:
        limits = {name: _letting_by(values, count) for name, values in known.items()}
        return _letting_by(fused, count), limits

    while low < high:
        count = (low + high + 1) // 2
        threshold, limits = at(count)
        asked = fused >= threshold
        for name, limit in limits.items():
            asked |= own[name] >= limit  # NaN asks for nothing
        low, high = (count, high) if asked.sum() <= allowed else (low, count - 1)
    return at(low)


def _letting_by(scores: Floats, count: int) -> float:
    """Return a threshold that at most so many scores reach: the lowest score if all may."""
    ordered = np.sort(scores)[::-1]
    if len(ordered) <= count:
        return float(ordered[-1]) if len(ordered) else 0.0
    return float(np.nextafter(ordered[count], np.inf))

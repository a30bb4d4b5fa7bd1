"""Position gate: may two sensors mean one place, given how well each knows where it was."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_not_negative, check_number, check_probability
from ..sweep import Floats


class Gate(NamedTuple):
    """How far pairs of places are apart, and whether they may be one."""

    distance: Floats  #: (n,) squared, in units of its variance; NaN without a position
    limit: float  #: quantile of chi-square with two degrees of freedom
    is_same: npt.NDArray[np.bool_]  #: (n,) False without a position: two places, both kept


def position_gate(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    first_error: float,
    second_error: float,
    offset: tuple[float, float] = (0.0, 0.0),
    offset_error: float = 0.0,
    delay: float = 0.0,
    delay_error: float = 0.0,
    speed: float = 0.0,
    heading: npt.ArrayLike = 0.0,
    confidence: float = 0.99,
) -> Gate:
    r"""
    Return which pairs of places of two sensors may be one place.

    Parameters
    ----------
    first, second : (n, 2) array_like
        Easting and northing that each sensor gave, in metres.
    first_error, second_error : float
        One standard deviation of each in either direction, in metres.
    offset : (float, float)
        Where the second sensor's places are known to lie beside the first's: metres to the
        right and forward.
    offset_error : float
        One standard deviation of the offset in either direction, in metres.
    delay : float
        Time by which the second sensor's samples are stamped too late, in seconds; at speed
        they then lie too far forward.
    delay_error : float
        One standard deviation of the delay, in seconds.
    speed : float
        Along the heading, in metres per second.
    heading : (n,) array_like or float
        Radians clockwise from north.
    confidence : float
        Share of true pairs that the gate keeps.

    Returns
    -------
    gate : Gate
        Squared distances, their limit, and who passes. A pair that does not is two places:
        nothing is dropped.

    Raises
    ------
    TypeError, ValueError
        If shapes differ, an error is negative, all errors are zero, or `confidence` is not
        between 0 and 1.

    Notes
    -----
    With :math:`\Delta` the difference less offset and :math:`v \cdot \text{delay}` forward,

    .. math:: d^2 = \frac{\Delta_{right}^2}{s^2}
              + \frac{\Delta_{forward}^2}{s^2 + v^2 s_{delay}^2}, \quad
              s^2 = s_1^2 + s_2^2 + s_{offset}^2,

    is :math:`\chi^2` with two degrees of freedom for a true pair, whose quantile is
    :math:`-2 \ln(1 - \text{confidence})`, 9.21 for 0.99.

    Examples
    --------
    At 1 m/s a delay of 0.2 s explains 0.2 m forward; unknown, it would be too far:

    >>> from minesense.detect import position_gate
    >>> errors = {"first_error": 0.04, "second_error": 0.03}
    >>> position_gate([[0.0, 5.0]], [[0.0, 5.2]], **errors).is_same.tolist()
    [False]
    >>> late = {"delay": 0.2, "speed": 1.0}
    >>> position_gate([[0.0, 5.0]], [[0.0, 5.2]], **errors, **late).is_same.tolist()
    [True]
    """
    a = check_places(first, "first")
    b = check_places(second, "second")
    if a.shape != b.shape:
        msg = f"Invalid second with shape {b.shape}. Must be {a.shape}, as first."
        raise ValueError(msg)
    angle = np.broadcast_to(np.asarray(heading, dtype=np.float64), (len(a),))
    pace = check_number(speed, "speed")
    right, forward = check_array(offset, "offset", (2,))
    forward += pace * check_number(delay, "delay")
    errors = {"first": first_error, "second": second_error, "offset": offset_error}
    across = sum(check_not_negative(e, f"{name}_error") ** 2 for name, e in errors.items())
    along = across + (pace * check_not_negative(delay_error, "delay_error")) ** 2
    if across <= 0:
        msg = "Invalid first_error '0.0' with second_error '0.0'. Must not both be zero."
        raise ValueError(msg)
    east, north = (b - a).T
    beside = east * np.cos(angle) - north * np.sin(angle) - right
    ahead = east * np.sin(angle) + north * np.cos(angle) - forward
    distance = beside**2 / across + ahead**2 / along
    limit = -2 * math.log1p(-check_probability(confidence, "confidence"))
    return Gate(distance, limit, distance <= limit)


def check_places(places: npt.ArrayLike, name: str) -> Floats:
    """
    Return places as an array of eastings and northings.

    Parameters
    ----------
    places : (n, 2) array_like
        In metres; NaN without a position.
    name : str
        Of the argument, for the error.

    Returns
    -------
    places : (n, 2) float64 ndarray
        The same.

    Raises
    ------
    ValueError
        If the shape is another.
    """
    array = np.asarray(places, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        msg = f"Invalid {name} with shape {array.shape}. Must be (n, 2)."
        raise ValueError(msg)
    return array

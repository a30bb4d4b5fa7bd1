"""What several sensors, or passes, miss together: bounds, and models of dependence."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy.typing as npt

from .._validation import check_array, check_count, check_not_negative, check_probability


class MissBounds(NamedTuple):
    """Least and greatest joint miss probability, and that of independent sensors."""

    low: float
    high: float  #: the one for a headline, unless independence was shown on data
    independent: float


def joint_miss_bounds(miss: npt.ArrayLike) -> MissBounds:
    r"""
    Return the bounds of the probability that all sensors miss a mine.

    Parameters
    ----------
    miss : (n_sensors,) array_like
        Probability that each sensor misses it, from 0 to 1.

    Returns
    -------
    bounds : MissBounds
        :math:`\max(0, \sum m_s - (n - 1)) \le m \le \min m_s`, and the product.

    Raises
    ------
    TypeError, ValueError
        If there is no sensor, or a probability is not from 0 to 1.

    References
    ----------
    .. [1] Fréchet, M. (1935). Généralisation du théorème des probabilités totales.
       Fundamenta Mathematicae 25, 379-387.

    Examples
    --------
    >>> from minesense.detect import joint_miss_bounds
    >>> bounds = joint_miss_bounds([0.3, 0.1])
    >>> bounds.low, bounds.high, round(bounds.independent, 3)
    (0.0, 0.1, 0.03)
    """
    m = check_array(miss, "miss", ("n_sensors",))
    if not len(m) or (m < 0).any() or (m > 1).any():
        msg = f"Invalid miss {m.tolist()}. Must be one or more, each from 0 to 1."
        raise ValueError(msg)
    low = max(0.0, math.fsum(m) - (len(m) - 1))
    return MissBounds(low, float(m.min()), float(m.prod()))


def repeated_miss(
    pd: float, n_passes: int, *, undetectable: float = 0.0, correlation: float = 0.0
) -> float:
    r"""
    Return the share of mines that repeated passes of one sensor all miss.

    Parameters
    ----------
    pd : float
        Share of all mines that one pass finds.
    n_passes : int
        Passes over each mine.
    undetectable : float
        Share of mines that the sensor never finds, at most `1 - pd`.
    correlation : float
        Of the outcomes of two passes over one of the other mines, from 0 (independent) to
        1 (the second pass finds what the first found).

    Returns
    -------
    miss : float
        Share missed by all passes.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    One pass misses :math:`q = (1 - P_d - u)/(1 - u)` of the mines that are detectable. If
    the miss probability varies between them by a beta law with mean :math:`q` and
    correlation :math:`\rho = 1/(a + b + 1)`, then

    .. math:: m = u + (1 - u) \prod_{i=0}^{k-1} \frac{q (1 - \rho) + i \rho}
              {1 - \rho + i \rho},

    the beta-binomial probability of :math:`k` misses of :math:`k`; :math:`q^k` for
    :math:`\rho = 0`.

    References
    ----------
    .. [1] Skellam, J. G. (1948). A probability distribution derived from the binomial
       distribution. Journal of the Royal Statistical Society B 10(2), 257-261.

    Examples
    --------
    Three passes at Pd 0.9, independent; and if 5 % of the mines are undetectable:

    >>> from minesense.detect import repeated_miss
    >>> round(repeated_miss(0.9, 3), 4), round(repeated_miss(0.9, 3, undetectable=0.05), 4)
    (0.001, 0.0501)
    """
    pd = check_probability(pd, "pd")
    n_passes = check_count(n_passes, "n_passes")
    u = check_not_negative(undetectable, "undetectable")
    rho = check_not_negative(correlation, "correlation")
    if u > 1 - pd + 1e-12:
        msg = f"Invalid undetectable '{u:g}'. Must be at most 1 - pd = {1 - pd:g}."
        raise ValueError(msg)
    if rho > 1:
        msg = f"Invalid correlation '{rho:g}'. Must be at most 1."
        raise ValueError(msg)
    q = max(0.0, (1 - pd - u) / (1 - u))
    all_missed = q  # the first factor, also where 1 - rho is 0
    for i in range(1, n_passes):
        all_missed *= (q * (1 - rho) + i * rho) / (1 - rho + i * rho)
    return u + (1 - u) * all_missed

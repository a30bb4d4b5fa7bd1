"""A miss rate that holds with a stated confidence, not only on average."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy.typing as npt

from .._validation import check_one_of, check_probability
from .guarantee import Guarantee, guarantee_at
from .target_scores import LOWEST, UNITS, check_targets

_TRUST = (
    "With the stated confidence over draws of the calibration data the rate holds for the mean "
    "of new {}s drawn like them: same soils, clutter, mines, sensors and way of sweeping."
)


def certify_with_confidence(
    scores: npt.ArrayLike,
    lanes: Sequence[str],
    *,
    miss_rate: float,
    confidence: float = 0.95,
    unit: str = "lane",
) -> Guarantee:
    r"""
    Return the highest threshold that holds a miss rate with a stated confidence.

    Parameters
    ----------
    scores, lanes, miss_rate, unit
        As in :func:`~minesense.detect.guarantee.certify_miss_rate`.
    confidence : float
        Probability, over draws of the calibration data, that the rate holds.

    Returns
    -------
    guarantee : Guarantee
        Its `certified` is the least rate that the data show with this confidence there.

    Raises
    ------
    TypeError, ValueError
        As :func:`~minesense.detect.guarantee.certify_miss_rate`; the error says how many
        units without a single miss would do.

    Notes
    -----
    Thresholds are tested from the lowest upwards until one fails (learn then test [1]_ with a
    fixed sequence), each by the p-value of "the miss rate is above :math:`\alpha`". With
    targets as units and :math:`k` of :math:`n` missed it is the exact binomial
    :math:`P(\mathrm{Bin}(n, \alpha) \le k)`. With lanes, whose losses are shares with mean
    :math:`\hat R`, it is that of Hoeffding and Bentkus [2]_,

    .. math:: \min\left(e^{-n\,h(\min(\hat R, \alpha), \alpha)},\;
              e\,P(\mathrm{Bin}(n, \alpha) \le \lceil n \hat R \rceil)\right), \quad
              h(a, b) = a \ln\frac{a}{b} + (1 - a) \ln\frac{1 - a}{1 - b}.

    Without any miss both are :math:`(1 - \alpha)^n`: 59 units show 0.05 at 0.95.

    References
    ----------
    .. [1] Angelopoulos, A. N., Bates, S., Candès, E. J., Jordan, M. I. & Lei, L. (2021).
       Learn then test: calibrating predictive algorithms to achieve risk control.
       arXiv 2110.01052.
    .. [2] Bates, S., Angelopoulos, A., Lei, L., Malik, J. & Jordan, M. (2021).
       Distribution-free, risk-controlling prediction sets. Journal of the ACM 68(6), 43.
       arXiv 2101.02703.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import certify_with_confidence
    >>> lanes = [f"lane {k}" for k in range(93)]
    >>> scores = np.arange(93.0)
    >>> certify_with_confidence(scores, lanes, miss_rate=0.05, unit="target").threshold
    1.0
    """
    check_one_of(unit, "unit", UNITS)
    alpha = check_probability(miss_rate, "miss_rate")
    doubt = 1 - check_probability(confidence, "confidence")
    targets = check_targets(scores, lanes)
    n, best, lost_there = targets.n_units(unit), None, Fraction(0)
    for threshold, lost in targets.steps(unit):
        if p_value(lost, n, alpha, unit=unit) > doubt:
            break
        best, lost_there = threshold, lost
    if best is None:
        lost = targets.lost(LOWEST, unit)
        needed = math.ceil(math.log(doubt) / math.log1p(-alpha) - 1e-9)
        msg = (
            f"Invalid miss_rate '{alpha:g}' with confidence {confidence:g}: {n} {unit}s, of "
            f"which {float(lost):.3g} are lost without a candidate, do not show it. Must have "
            f"at least {needed} {unit}s, with no miss."
        )
        raise ValueError(msg)
    found = guarantee_at(targets, best, miss_rate=alpha, unit=unit)
    return dataclasses.replace(
        found,
        certified=_least_rate(lost_there, n, doubt, unit),
        confidence=1 - doubt,
        assumes=_TRUST.format(unit),
    )


def p_value(lost: Fraction, n: int, alpha: float, *, unit: str) -> float:
    """
    Return how likely so small a loss is where the miss rate is above a stated one.

    Parameters
    ----------
    lost : Fraction
        Sum over the units of the share missed.
    n : int
        Units.
    alpha : float
        The stated miss rate.
    unit : str
        ``"lane"`` or ``"target"``, as in :func:`certify_with_confidence`.

    Returns
    -------
    p : float
        At most; between 0 and 1.
    """
    from scipy.special import bdtr, rel_entr  # noqa: PLC0415 - SciPy is slow to import

    tail = float(bdtr(math.ceil(lost), n, alpha))
    if unit == "target":
        return tail
    mean = min(float(lost / n), alpha)
    distance = float(rel_entr(mean, alpha) + rel_entr(1 - mean, 1 - alpha))
    return min(math.exp(-n * distance), math.e * tail, 1.0)


def _least_rate(lost: Fraction, n: int, doubt: float, unit: str) -> float:
    """Return the least miss rate that a loss shows, by halving."""
    low, high = float(lost / n), 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if 0 < middle < 1 and p_value(lost, n, middle, unit=unit) <= doubt:
            high = middle
        else:
            low = middle
    return high

"""A stated miss rate: the threshold that holds it, or an error that says why none does."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import check_not_negative, check_one_of, check_probability, check_shape
from ..sweep import Floats
from .target_scores import LOWEST, UNITS, TargetScores, check_targets, exact

_ASSUMED = {
    "lane": (
        "New lanes are drawn like the calibration lanes: same soils, clutter, mines, sensors "
        "and way of sweeping. The mean over such lanes of the share of mines missed is at most "
        "the stated rate; single lanes may be several times worse."
    ),
    "target": (
        "New mines are drawn like the calibration mines, each on its own. Mines of one lane "
        "share its soil and are not: where lanes differ, more are missed than stated."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guarantee:
    """A threshold at which a stated miss rate holds, and what it holds for."""

    threshold: float  #: a place at or above it is an alarm
    miss_rate: float  #: stated: most mines that may be missed, as a share
    certified: float  #: least rate that the same data certify at this threshold
    confidence: float | None  #: that the rate holds; None if it holds on average
    unit: str  #: "lane" or "target"
    target_class: str  #: of the targets, "" for all
    n_units: int  #: lanes or targets that count
    n_targets: int
    n_without_candidate: int  #: targets missed at every threshold
    lanes: tuple[str, ...]  #: those that hold targets
    lane_losses: Floats  #: (n_lanes,) share of each lane's targets missed at the threshold
    assumes: str  #: what must hold, in words

    @property
    def mean_loss(self) -> float:
        """Mean over the calibration lanes of the share missed."""
        return float(self.lane_losses.mean())

    @property
    def worst_loss(self) -> float:
        """Greatest share of a calibration lane's targets missed."""
        return float(self.lane_losses.max())

    def lane_quantiles(self, shares: Sequence[float] = (0.5, 0.9, 0.95)) -> Floats:
        """
        Return quantiles over the calibration lanes of the share missed.

        Parameters
        ----------
        shares : sequence of float
            Shares of the lanes, between 0 and 1.

        Returns
        -------
        losses : (n,) float64 ndarray
            So many of the lanes missed no more, rounded up to a lane.
        """
        return np.quantile(self.lane_losses, shares, method="inverted_cdf")

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers and words, for the card of a model."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain |= {"lanes": list(self.lanes), "lane_losses": self.lane_losses.tolist()}
        summary = {"mean_loss": self.mean_loss, "worst_loss": self.worst_loss}
        return plain | summary

    def __str__(self) -> str:
        """Say what is promised, for whom, and how the lanes differ."""
        who = f"{self.target_class} targets" if self.target_class else "targets"
        sure = self.confidence
        held = "on average" if sure is None else f"with {100 * sure:g} % trust"
        median, most = self.lane_quantiles((0.5, 0.9))
        return (
            f"At score {self.threshold:.4g} at most {self.miss_rate:.3g} of the {who} are "
            f"missed {held} ({self.n_units} {self.unit}s, {self.n_targets} targets). Lanes "
            f"missed {self.mean_loss:.3g} on average, half at most {median:.3g}, nine in ten "
            f"at most {most:.3g}, the worst {self.worst_loss:.3g}. {self.assumes}"
        )


def units_needed(miss_rate: float, *, loss: float = 0.0) -> int:
    r"""
    Return how many lanes, or targets, a stated miss rate needs.

    Parameters
    ----------
    miss_rate : float
        Greatest share of mines that may be missed.
    loss : float
        Share that is missed whatever the threshold, since no candidate marks it.

    Returns
    -------
    n : int
        Least :math:`n` with :math:`(n\,\text{loss} + 1)/(n + 1) \le \text{miss\_rate}`.

    Raises
    ------
    TypeError, ValueError
        If `miss_rate` is not between 0 and 1, or `loss` is not from 0 to below it.

    Examples
    --------
    >>> from minesense.detect import units_needed
    >>> [units_needed(rate) for rate in (0.1, 0.05, 0.02, 1 / 14)]
    [9, 19, 49, 13]
    """
    alpha = exact(check_probability(miss_rate, "miss_rate"))
    lost = exact(check_not_negative(loss, "loss"))
    if lost >= alpha:
        msg = f"Invalid loss '{loss}'. Must be below the miss rate, {miss_rate}."
        raise ValueError(msg)
    return _needed(alpha, lost)


def certify_miss_rate(
    scores: npt.ArrayLike, lanes: Sequence[str], *, miss_rate: float, unit: str = "lane"
) -> Guarantee:
    r"""
    Return the highest threshold that holds a stated miss rate on average.

    Parameters
    ----------
    scores : (n,) array_like
        Of every swept target of the calibration lanes the score of its best place, by a
        detector that has not seen the lane; -inf for a target without a candidate.
    lanes : (n,) sequence of str
        Lane of each target.
    miss_rate : float
        Greatest share of targets that may be missed.
    unit : str
        ``"lane"``: lanes are exchangeable; ``"target"``: every target is, which few fields
        can claim.

    Returns
    -------
    guarantee : Guarantee
        The threshold, the loss of every lane there, and what it rests on.

    Raises
    ------
    TypeError, ValueError
        If a score is NaN or inf, lengths differ, there is no target, a lane has no name
        (None, NaN and blanks are none), names are neither all words nor all numbers, or no
        threshold holds the rate; the error says how many lanes would do.

    Notes
    -----
    The loss :math:`L_l(t)` of lane :math:`l` is the share of its targets that score below
    :math:`t`; lanes without targets do not count. Of all :math:`t` with

    .. math:: \frac{n}{n+1} \hat R(t) + \frac{1}{n+1} \le \alpha, \quad
              \hat R = \frac{1}{n} \sum_l L_l,

    the highest is taken: the expected loss of a new lane then is at most :math:`\alpha` [1]_.
    With targets as units it is the :math:`k`-th smallest score, :math:`k = \lfloor \alpha
    (n + 1) \rfloor`. Sums are of fractions, and the rate is the simple number that was
    meant, so that nothing hangs on rounding: 0.29 of 99 targets is :math:`k = 29`.

    References
    ----------
    .. [1] Angelopoulos, A. N., Bates, S., Fisch, A., Lei, L. & Schuster, T. (2022).
       Conformal risk control. arXiv 2208.02814, equation 4 and theorem 1.

    Examples
    --------
    Twenty lanes of two mines each, one of which scores low in two of the lanes:

    >>> from minesense.detect import certify_miss_rate
    >>> lanes = [f"lane {k // 2}" for k in range(40)]
    >>> scores = [1.0, 2.0] + [3.0, 4.0] * 19
    >>> guarantee = certify_miss_rate(scores, lanes, miss_rate=0.05)
    >>> guarantee.threshold, guarantee.worst_loss
    (1.0, 0.0)
    >>> certify_miss_rate(scores, lanes, miss_rate=0.08).threshold
    2.0
    >>> certify_miss_rate(scores[:26], lanes[:26], miss_rate=0.07)
    Traceback (most recent call last):
    ValueError: Invalid miss_rate '0.07': 13 lanes cannot certify below 0.0714. Must have ...
    """
    check_one_of(unit, "unit", UNITS)
    targets = check_targets(scores, lanes)
    return _certify(targets, check_probability(miss_rate, "miss_rate"), unit, "")


def certify_each_class(
    scores: npt.ArrayLike,
    lanes: Sequence[str],
    classes: Sequence[str],
    *,
    miss_rates: Mapping[str, float],
) -> dict[str, Guarantee]:
    """
    Return guarantees that hold for every class of targets at one threshold.

    Parameters
    ----------
    scores, lanes
        As in :func:`certify_miss_rate`.
    classes : (n,) sequence of str
        Class of each target, for example of its metal.
    miss_rates : dict of float
        Greatest share of targets that may be missed, by class. Every class that occurs
        must be named: nobody is left out by silence.

    Returns
    -------
    guarantees : dict of Guarantee
        By class, all with the lowest of the thresholds that the classes allow, since a
        detector does not know the class of what it has not dug; lanes are the units.

    Raises
    ------
    TypeError, ValueError
        As :func:`certify_miss_rate`, naming the class; if a class has no rate, or a rate
        no target.

    Examples
    --------
    Metal would allow a threshold of 5; the plastic ones allow 2, and that is what counts:

    >>> from minesense.detect import certify_each_class
    >>> lanes = [f"lane {k // 2}" for k in range(40)]
    >>> held = certify_each_class(
    ...     [5.0, 2.0] * 20,
    ...     lanes,
    ...     ["high", "none"] * 20,
    ...     miss_rates={"high": 0.05, "none": 0.10},
    ... )
    >>> [(name, item.threshold, item.miss_rate) for name, item in held.items()]
    [('high', 2.0, 0.05), ('none', 2.0, 0.1)]
    """
    targets = check_targets(scores, lanes)
    words = check_group_names(classes, "classes", of="class")
    kind = check_shape(np.array(words, dtype=str), "classes", (len(targets.scores),))
    if set(kind.tolist()) != set(miss_rates):
        given, found = ", ".join(sorted(miss_rates)), ", ".join(sorted(set(kind.tolist())))
        msg = (
            f"Invalid miss_rates for {given or 'no class'}. Must be one for each class of the "
            f"targets: {found}."
        )
        raise ValueError(msg)
    own = {
        name: _certify(
            targets.of(kind == name),
            check_probability(rate, f"miss_rates['{name}']"),
            "lane",
            name,
        )
        for name, rate in miss_rates.items()
    }
    threshold = min(item.threshold for item in own.values())
    return {
        name: guarantee_at(
            targets.of(kind == name),
            threshold,
            miss_rate=item.miss_rate,
            unit="lane",
            target_class=name,
        )
        for name, item in own.items()
    }


def guarantee_at(
    targets: TargetScores,
    threshold: float,
    *,
    miss_rate: float,
    unit: str,
    target_class: str = "",
) -> Guarantee:
    """
    Return the record of a threshold that is known to hold a miss rate on average.

    Parameters
    ----------
    targets : TargetScores
        Calibration targets.
    threshold : float
        The one to be used, or a lower one.
    miss_rate : float
        The stated rate.
    unit : str
        ``"lane"`` or ``"target"``.
    target_class : str
        Class of the targets, "" for all.

    Returns
    -------
    guarantee : Guarantee
        With the losses of every lane there.
    """
    n = targets.n_units(unit)
    lanes, losses = targets.lane_losses(threshold)
    return Guarantee(
        threshold=threshold,
        miss_rate=miss_rate,
        certified=float((targets.lost(threshold, unit) + 1) / (n + 1)),
        confidence=None,
        unit=unit,
        target_class=target_class,
        n_units=n,
        n_targets=len(targets.scores),
        n_without_candidate=int((targets.scores == -np.inf).sum()),
        lanes=lanes,
        lane_losses=losses,
        assumes=_ASSUMED[unit],
    )


def _certify(targets: TargetScores, miss_rate: float, unit: str, name: str) -> Guarantee:
    """Return the guarantee of conformal risk control, or raise."""
    n = targets.n_units(unit)
    budget = exact(miss_rate) * (n + 1) - 1  # n/(n+1) R + 1/(n+1) <= alpha, times n + 1
    best = None
    for threshold, lost in targets.steps(unit):
        if lost > budget:
            break
        best = threshold
    if best is None:
        _refuse(targets, miss_rate, unit, name)
    return guarantee_at(targets, best, miss_rate=miss_rate, unit=unit, target_class=name)


def _needed(alpha: Fraction, share: Fraction) -> int:
    """Return how many units a rate needs if a share of the targets is lost anyway."""
    return math.ceil((1 - alpha) / (alpha - share))


def _refuse(targets: TargetScores, miss_rate: float, unit: str, name: str) -> NoReturn:
    """Raise: no threshold holds the rate. Say what would."""
    n, lost = targets.n_units(unit), targets.lost(LOWEST, unit)
    of = f" of class '{name}'" if name else ""
    gone = f", since {float(lost / n):.3g} of their targets have no candidate" if lost else ""
    if lost / n < exact(miss_rate):
        needed = _needed(exact(miss_rate), lost / n)
        rule = f"Must have at least {needed} {unit}s{of}, or a greater rate."
    else:
        rule = "No number of them would do: must be a greater rate, or a lower prescreener."
    msg = (
        f"Invalid miss_rate '{miss_rate:g}': {n} {unit}s{of} cannot certify below "
        f"{float((lost + 1) / (n + 1)):.3g}{gone}. {rule}"
    )
    raise ValueError(msg)

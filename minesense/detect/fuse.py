"""Fusion: what two sensors say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_number, check_probability, check_shape
from ..sweep import Floats


def fuse(
    ratios: Mapping[str, Floats],
    *,
    silent: Mapping[str, npt.ArrayLike] | None = None,
    silence: Mapping[str, float] | None = None,
) -> Floats:
    r"""
    Add the log likelihood ratios of the sensors.

    Parameters
    ----------
    ratios : dict of (n,) float64 ndarray
        For each sensor the natural logarithm of p(score | mine) / p(score | clutter) at
        each place; NaN where the sensor did not observe it.
    silent : dict of (n,) bool array_like, optional
        For some sensors the places that they observed and where they noticed nothing.
    silence : dict of float, optional
        For those sensors what silence says instead of their ratio: a log ratio of
        :func:`silence_log_ratio`.

    Returns
    -------
    total : (n,) float64 ndarray
        Sum over the sensors that observed the place; NaN where none did, for which
        :meth:`FusionRule.decide` asks for an alarm.

    Raises
    ------
    ValueError
        If there is no sensor, the lengths differ, or a sensor that is silent somewhere has
        no ratio or no log ratio of silence.

    Notes
    -----
    :math:`\ln \Lambda = \sum_s \ln \Lambda_s` holds if the sensors err independently given
    what is there. They do not quite (both see large metal), so the sum is calibrated again
    on places it was not trained on. A sensor that was not there adds nothing; one that was
    and stayed silent lowers the rank, but never removes an alarm.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fuse
    >>> nan = np.nan
    >>> fuse({"gpr": np.array([1.0, 2.0, nan]), "emi": np.array([0.5, nan, nan])}).tolist()
    [1.5, 2.0, nan]
    """
    if not ratios or len({len(ratio) for ratio in ratios.values()}) > 1:
        lengths = {name: len(ratio) for name, ratio in ratios.items()}
        msg = f"Invalid ratios of lengths {lengths}. Must be one or more, equally long."
        raise ValueError(msg)
    said = {name: np.asarray(ratio, dtype=np.float64) for name, ratio in ratios.items()}
    silent, silence = silent or {}, silence or {}
    for name, mask in silent.items():
        if name not in said or name not in silence:
            msg = (
                f"Invalid silent '{name}'. Must be a sensor with ratios ({', '.join(said)}) "
                f"and with a log ratio of silence ({', '.join(silence) or 'none given'})."
            )
            raise ValueError(msg)
        where = check_shape(np.asarray(mask, dtype=bool), "silent", said[name].shape)
        said[name] = np.where(where, check_number(silence[name], "silence"), said[name])
    every = np.stack(list(said.values()))
    is_known = ~np.isnan(every)
    return np.where(is_known.any(axis=0), np.where(is_known, every, 0.0).sum(axis=0), np.nan)


def silence_log_ratio(
    pd: float | Mapping[str, float],
    *,
    pfa: float,
    shares: Mapping[str, float] | None = None,
) -> float:
    r"""
    Return what it says for or against a mine that a sensor noticed nothing.

    Parameters
    ----------
    pd : float or dict of float
        Probability that the sensor notices a mine; or one for each class of mines.
    pfa : float
        Probability that it notices a place that holds none.
    shares : dict of float, optional
        Share of each class among the mines. By default the class that the sensor notices
        least counts alone, so that silence is never held against it.

    Returns
    -------
    log_ratio : float
        Natural logarithm of P(silent | mine) / P(silent | no mine).

    Raises
    ------
    TypeError, ValueError
        If a probability is not between 0 and 1, or shares do not name the classes or do not
        sum to 1.

    Notes
    -----
    :math:`\ln[(1 - P_d)/(1 - P_{fa})]` of a class, and
    :math:`\ln[\sum_c w_c (1 - P_{d,c})/(1 - P_{fa})]` of a mix: near 0 for a mine
    without metal under a metal detector.

    Examples
    --------
    >>> from minesense.detect import silence_log_ratio
    >>> pd = {"high": 0.99, "none": 0.03}
    >>> round(silence_log_ratio(pd, pfa=0.03), 3)
    0.0
    >>> round(silence_log_ratio(pd, pfa=0.03, shares={"high": 1.0, "none": 0.0}), 3)
    -4.575
    """
    quiet = 1 - check_probability(pfa, "pfa")
    classes = pd if isinstance(pd, Mapping) else {"": pd}
    missed = {name: 1 - check_probability(p, "pd") for name, p in classes.items()}
    if not missed:
        msg = "Invalid pd: it names no class. Must name at least one."
        raise ValueError(msg)
    if shares is None:
        return float(np.log(max(missed.values()) / quiet))
    weights = {name: check_number(share, "shares") for name, share in shares.items()}
    total = sum(weights.values())
    if set(weights) != set(missed) or min(weights.values()) < 0 or abs(total - 1) > 1e-9:
        msg = (
            f"Invalid shares {dict(shares)}. Must be one for each of {', '.join(missed)}, none "
            "negative, with a sum of 1."
        )
        raise ValueError(msg)
    return float(np.log(sum(weights[name] * missed[name] for name in missed) / quiet))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fused:
    """What sensors decided together."""

    score: Floats  #: (n,) to rank by; at or above the rule's threshold for every alarm
    is_alarm: npt.NDArray[np.bool_]  #: (n,)
    by: tuple[tuple[str, ...], ...]  #: of each place, who asked for it: "fused", sensors


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionRule:
    """
    Whatever one sensor alone would call an alarm stays one; the others only rank it.

    Raises
    ------
    TypeError, ValueError
        If a threshold is no finite number.

    Examples
    --------
    A radar alarm under a metal detector that is sure of nothing there:

    >>> import numpy as np
    >>> from minesense.detect import FusionRule
    >>> rule = FusionRule(threshold=1.0, own={"gpr": 3.0, "emi": 3.0})
    >>> ratios = {"gpr": np.array([4.0, 1.0]), "emi": np.array([-9.0, -9.0])}
    >>> fused = rule.decide(ratios["gpr"] + ratios["emi"], ratios)
    >>> fused.is_alarm.tolist(), fused.score.tolist(), fused.by
    ([True, False], [1.0, -8.0], (('gpr',), ()))
    """

    threshold: float  #: of the fused score
    own: Mapping[str, float]  #: of each sensor's own score

    def __post_init__(self) -> None:
        check_number(self.threshold, "threshold")
        for name, value in self.own.items():
            check_number(value, f"own['{name}']")

    def decide(self, fused: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike]) -> Fused:
        r"""
        Decide for every place.

        Parameters
        ----------
        fused : (n,) array_like
            Fused score, for example of :func:`fuse`; NaN where no sensor could tell.
        scores : dict of (n,) array_like
            Score of each sensor on its own, as its threshold counts it; NaN where it did
            not observe the place.

        Returns
        -------
        decision : Fused
            With the score :math:`\max(f, T)` where a sensor alone asks for an alarm, and
            :math:`f` elsewhere. A place of which nothing is known is an alarm too.

        Raises
        ------
        ValueError
            If a sensor has no threshold or no scores, or the lengths differ.
        """
        total = check_shape(np.asarray(fused, dtype=np.float64), "fused", ("n",))
        if set(scores) != set(self.own):
            msg = f"Invalid scores of {sorted(scores)}. Must be of {sorted(self.own)}."
            raise ValueError(msg)
        said = {
            name: check_shape(np.asarray(scores[name], dtype=np.float64), name, total.shape)
            for name in self.own
        }
        own = {name: values >= self.own[name] for name, values in said.items()}
        is_lost = np.isnan(total)
        asked = {"unknown": is_lost, "fused": total >= self.threshold, **own}
        is_alarm = np.logical_or.reduce(list(asked.values()))
        floor = np.where(is_lost, self.threshold, total)
        return Fused(
            score=np.where(is_alarm, np.maximum(floor, self.threshold), floor),
            is_alarm=is_alarm,
            by=tuple(
                tuple(name for name, mask in asked.items() if mask[k])
                for k in range(len(total))
            ),
        )

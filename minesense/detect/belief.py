"""Belief in mine, in clutter, or in neither: two sensors that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative
from ..sweep import Floats

#: Conflict above which sensors are said to contradict each other.
CONFLICT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belief:
    """Mass on "mine", on "clutter", and on "either": a sum of 1 at each place."""

    mine: Floats
    clutter: Floats
    either: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CombinedBelief:
    """The belief of several sensors together, and how much they contradict each other."""

    belief: Belief
    conflict: Floats  #: (n,) mass that contradicted itself, between 0 and 1
    is_ambiguous: npt.NDArray[np.bool_]  #: conflict above the limit: dig


def belief_of(probabilities: npt.ArrayLike, *, reliability: float) -> Belief:
    r"""
    Return a sensor's probabilities as belief, discounted by how far it is relied on.

    Parameters
    ----------
    probabilities : (n,) array_like
        Calibrated; NaN where the sensor did not observe the place or it is withheld.
    reliability : float
        From 0 to 1: mass that the sensor may give away.

    Returns
    -------
    belief : Belief
        :math:`m(mine) = a p`, :math:`m(clutter) = a (1 - p)`, :math:`m(either) = 1 - a`;
        all on "either" where the probability is NaN.

    Raises
    ------
    TypeError, ValueError
        If a probability, or the reliability, is not from 0 to 1.

    Examples
    --------
    >>> from minesense.detect import belief_of
    >>> belief = belief_of([0.75], reliability=0.5)
    >>> belief.mine.tolist(), belief.clutter.tolist(), belief.either.tolist()
    ([0.375], [0.125], [0.5])
    """
    p = np.asarray(probabilities, dtype=np.float64)
    a = check_not_negative(reliability, "reliability")
    if a > 1 or (p < 0).any() or (p > 1).any():
        msg = f"Invalid probabilities or reliability '{a:g}'. Must lie between 0 and 1."
        raise ValueError(msg)
    trust = np.where(np.isnan(p), 0.0, a)
    share = np.nan_to_num(p, nan=0.5)
    return Belief(mine=trust * share, clutter=trust * (1 - share), either=1 - trust)


def combine_beliefs(beliefs: Sequence[Belief], *, limit: float = CONFLICT) -> CombinedBelief:
    r"""
    Combine the beliefs of sensors by Dempster's rule; contradiction means dig.

    Parameters
    ----------
    beliefs : sequence of Belief
        One or more, of the same places.
    limit : float
        Conflict above which a place is ambiguous.

    Returns
    -------
    combined : CombinedBelief
        In any order of the sensors the same. Where they contradict each other entirely,
        all mass is on "either".

    Raises
    ------
    TypeError, ValueError
        If there is no belief, lengths differ or the limit is negative.

    Notes
    -----
    For two, :math:`K = m_1(M) m_2(C) + m_1(C) m_2(M)` and :math:`m(M) = [m_1(M) m_2(M) +
    m_1(M) m_2(\Theta) + m_1(\Theta) m_2(M)]/(1 - K)`. For more, :math:`1 - K` is the mass
    that no pair of them contradicts: the product over the steps.

    References
    ----------
    .. [1] Shafer, G. (1976). A mathematical theory of evidence. Princeton University Press.

    Examples
    --------
    Two sensors that agree, and two that do not:

    >>> from minesense.detect import belief_of, combine_beliefs
    >>> radar, coils = ([0.9, 0.9], [0.9, 0.1])
    >>> combined = combine_beliefs([belief_of(p, reliability=0.9) for p in (radar, coils)])
    >>> combined.is_ambiguous.tolist(), combined.conflict.round(4).tolist()
    ([False, True], [0.1458, 0.6642])
    """
    limit = check_not_negative(limit, "limit")
    shapes = {np.shape(b.mine) for b in beliefs}
    if len(shapes) != 1:
        msg = f"Invalid beliefs of shapes {sorted(shapes)}. Must be one or more, equally long."
        raise ValueError(msg)
    first, *others = beliefs
    mine, clutter, either = first.mine, first.clutter, first.either
    for b in others:  # masses are kept unnormalised: what is missing from 1 is conflict
        mine, clutter, either = (
            mine * (b.mine + b.either) + either * b.mine,
            clutter * (b.clutter + b.either) + either * b.clutter,
            either * b.either,
        )
    kept = mine + clutter + either
    is_total = kept <= 1e-15
    scale = np.where(is_total, 1.0, kept)
    conflict = np.clip(1 - kept, 0.0, 1.0)
    return CombinedBelief(
        belief=Belief(
            mine=np.where(is_total, 0.0, mine / scale),
            clutter=np.where(is_total, 0.0, clutter / scale),
            either=np.where(is_total, 1.0, either / scale),
        ),
        conflict=conflict,
        is_ambiguous=conflict > limit,
    )

"""Where to look next: an order for work that people have decided to do. It ends no search."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_number,
    check_positive,
    check_rng,
)
from ..sweep import Floats

#: Share of the effort that goes to units at random; otherwise maps confirm themselves.
RANDOM_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStep:
    """One piece of work: a unit of ground, and why it was chosen."""

    order: int  #: from 1
    unit: int
    hours: float  #: of effort in this step
    expected_found: float  #: items
    residual_before: float  #: expected items in the unit
    residual_after: float  #: if nothing is found
    probability: float  #: that the unit was chosen in this step
    is_random: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """Steps in order. What comes after the last one is not searched, and is not settled."""

    steps: tuple[SearchStep, ...]
    random_share: float
    hours: float
    expected_found: float
    residual: float  #: expected items in all units after the plan, if nothing is found

    @property
    def n_random(self) -> int:
        """Steps that chance has chosen."""
        return sum(step.is_random for step in self.steps)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per step, units in the names."""
        return [
            {
                "order": step.order,
                "unit": step.unit,
                "hours": step.hours,
                "expected_found_items": step.expected_found,
                "residual_before_items": step.residual_before,
                "residual_after_items": step.residual_after,
                "probability": step.probability,
                "is_random": step.is_random,
            }
            for step in self.steps
        ]


def after_failed_search(presence: npt.ArrayLike, detection: npt.ArrayLike) -> Floats:
    """
    Return the probability of an item after a search that did not find it.

    Parameters
    ----------
    presence : array_like
        Probability before, from 0 to 1.
    detection : array_like
        Probability that the search finds an item that is there, from 0 to below 1.

    Returns
    -------
    presence : ndarray
        ``p (1 - d) / (1 - p d)``; never zero unless it was.

    Raises
    ------
    ValueError
        If a probability is out of range; a detection of 1 is refused.

    References
    ----------
    B. O. Koopman (1980): Search and Screening. Pergamon Press.

    Examples
    --------
    >>> from minesense.evidence import after_failed_search
    >>> after_failed_search([0.5, 0.1], 0.8).round(4).tolist()
    [0.1667, 0.0217]
    """
    p, d = np.asarray(presence, dtype=np.float64), np.asarray(detection, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all() or not ((d >= 0) & (d < 1)).all():
        msg = (
            "Invalid presence or detection. Must be from 0 to 1, and from 0 to below 1: no "
            "search finds everything."
        )
        raise ValueError(msg)
    result: Floats = np.asarray(p * (1 - d) / (1 - p * d), dtype=np.float64)
    return result


def plan_search(
    expected: npt.ArrayLike,
    *,
    area: npt.ArrayLike,
    sweep_rate: float,
    hours: float,
    rng: np.random.Generator,
    step_hours: float | None = None,
    value: npt.ArrayLike = 1.0,
    overhead_hours: npt.ArrayLike = 0.0,
    never_found: float = 0.05,
    random_share: float = RANDOM_SHARE,
) -> SearchPlan:
    r"""
    Order units of ground by the risk that an hour of search removes.

    Parameters
    ----------
    expected : (n_units,) array_like
        Expected items in each unit: a cell, or cells searched in one go.
    area : (n_units,) or float array_like
        Of each unit, in m2.
    sweep_rate : float
        Effective sweep width times speed, in m2 per hour.
    hours : float
        Effort to be shared out.
    rng : numpy.random.Generator
        Chooses the steps at random, and among equals.
    step_hours : float, optional
        Effort of one step; by default what sweeps the mean unit once.
    value : (n_units,) or float array_like
        What an item found there is worth, for example exposure of people; greater than zero.
    overhead_hours : (n_units,) or float array_like
        Time to set up in the unit, for its first step.
    never_found : float
        Share of items that no look of this kind finds: the common-mode share.
    random_share : float
        Probability that a step goes to a unit at random.

    Returns
    -------
    plan : SearchPlan
        Steps, with the probability that each had of being chosen. A unit may come again.

    Raises
    ------
    TypeError, ValueError
        If a figure is out of range or lengths differ; a random share of zero is refused.

    Notes
    -----
    Effort z finds the share :math:`1 - e^{-W v z/A}` of the detectable items of a unit
    (random search). The gain of a step is residual x value x probability to detect; the
    greedy rule takes the greatest gain per hour. With an exponential law it is optimal
    for what is detectable. With probability `random_share` the unit is drawn evenly from
    all.

    References
    ----------
    L. D. Stone (1975): Theory of Optimal Search. Academic Press, chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import plan_search
    >>> plan = plan_search(
    ...     [0.2, 1.0, 0.05], area=100.0, sweep_rate=100.0, hours=3.0,
    ...     rng=np.random.default_rng(seed=3),
    ... )
    >>> [(step.unit, step.is_random) for step in plan.steps]
    [(1, False), (0, True), (1, False)]
    >>> round(plan.steps[0].probability, 4), plan.residual > 0
    (0.9333, True)
    """
    items = check_array(expected, "expected", ("n_units",))
    n = check_count(len(items), "number of units")
    check_rng(rng)
    areas, worth, overhead = (
        check_array(np.broadcast_to(np.asarray(x, dtype=np.float64), (n,)), name, (n,))
        for x, name in ((area, "area"), (value, "value"), (overhead_hours, "overhead_hours"))
    )
    if (items <= 0).any() or (areas <= 0).any() or (worth <= 0).any() or (overhead < 0).any():
        msg = (
            "Invalid expected, area, value or overhead_hours. Must be greater than zero, the "
            "last not negative: no unit is without items."
        )
        raise ValueError(msg)
    rate, hours = check_positive(sweep_rate, "sweep_rate"), check_positive(hours, "hours")
    step = areas.mean() / rate if step_hours is None else step_hours
    step = check_positive(step, "step_hours")
    share = check_number(random_share, "random_share")
    lost = check_not_negative(never_found, "never_found")
    if not 0 < share <= 1 or lost >= 1:
        msg = (
            f"Invalid random_share '{share:g}' or never_found '{lost:g}'. Must be above 0 and "
            "at most 1, and below 1: without chance maps confirm themselves."
        )
        raise ValueError(msg)
    hidden, open_to = items * lost, items * (1 - lost)
    detection = -np.expm1(-rate * step / areas)
    is_new = np.ones(n, bool)
    ties = rng.random(n)
    spent, total = 0.0, 0.0
    steps: list[SearchStep] = []
    while spent < hours - 1e-9:
        cost = step + np.where(is_new, overhead, 0.0)
        gain = open_to * worth * detection / cost
        greedy = int(np.lexsort((ties, -gain))[0])
        is_random = bool(rng.random() < share)
        unit = int(rng.integers(n)) if is_random else greedy
        if cost[unit] > hours - spent + 1e-9:
            break
        before = float(hidden[unit] + open_to[unit])
        found = float(open_to[unit] * detection[unit])
        open_to[unit] -= found
        is_new[unit] = False
        spent += float(cost[unit])
        total += found
        steps.append(
            SearchStep(
                order=len(steps) + 1,
                unit=unit,
                hours=float(cost[unit]),
                expected_found=found,
                residual_before=before,
                residual_after=before - found,
                probability=share / n + (1 - share) * (unit == greedy),
                is_random=is_random,
            )
        )
    return SearchPlan(
        steps=tuple(steps),
        random_share=share,
        hours=spent,
        expected_found=total,
        residual=math.fsum(hidden) + math.fsum(open_to),
    )


def next_units(
    expected: npt.ArrayLike,
    n_chosen: int,
    *,
    rng: np.random.Generator,
    cost: npt.ArrayLike = 1.0,
    value: npt.ArrayLike = 1.0,
    done: npt.ArrayLike | None = None,
    random_share: float = RANDOM_SHARE,
) -> tuple[npt.NDArray[np.int64], Floats]:
    """
    Choose the units to look at next, each once, before finds are known.

    Parameters
    ----------
    expected : (n_units,) array_like
        Expected items that the next look would find.
    n_chosen : int
        How many to choose.
    rng : numpy.random.Generator
        Source of chance.
    cost, value : (n_units,) or float array_like
        Hours, and worth of an item.
    done : (n_units,) array_like of bool, optional
        Units that are left out for now. They are not settled by that.
    random_share : float
        Probability that a choice is drawn evenly from those left.

    Returns
    -------
    units : (n_chosen,) ndarray of int
        In order; fewer if there are no more.
    probability : (n_chosen,) ndarray
        That each had of being chosen when it was: keep it with the log of the search.

    Raises
    ------
    TypeError, ValueError
        If lengths differ or the random share is not above 0 and at most 1.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.evidence import next_units
    >>> units, probability = next_units([0.1, 0.5, 0.2], 2, rng=np.random.default_rng(seed=1))
    >>> units.tolist(), probability.round(3).tolist()
    ([1, 2], [0.933, 0.95])
    """
    items = check_array(expected, "expected", ("n_units",))
    check_rng(rng)
    n = len(items)
    left = np.ones(n, bool) if done is None else ~np.asarray(done, dtype=bool)
    if left.shape != (n,):
        msg = f"Invalid done with shape {left.shape}. Must be ({n},)."
        raise ValueError(msg)
    share = check_number(random_share, "random_share")
    if not 0 < share <= 1:
        msg = f"Invalid random_share '{share:g}'. Must be above 0 and at most 1."
        raise ValueError(msg)
    gain = items * np.broadcast_to(np.asarray(value, float), (n,))
    gain = gain / np.broadcast_to(np.asarray(cost, float), (n,))
    ties = rng.random(n)
    units, chances = [], []
    for _ in range(min(check_count(n_chosen, "n_chosen"), int(left.sum()))):
        choices = np.flatnonzero(left)
        greedy = int(choices[np.lexsort((ties[choices], -gain[choices]))[0]])
        unit = int(rng.choice(choices)) if rng.random() < share else greedy
        units.append(unit)
        chances.append(share / len(choices) + (1 - share) * (unit == greedy))
        left[unit] = False
    return np.array(units, dtype=np.int64), np.array(chances, dtype=np.float64)

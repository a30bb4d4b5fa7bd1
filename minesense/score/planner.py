"""How many targets, lanes and square metres a claim needs, before a trial is laid out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .._validation import (
    check_count,
    check_number,
    check_positive,
    check_probability,
    meant_fraction,
)
from .intervals import area_needed, targets_needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a trial must hold for its claims; `str` says it in words."""

    pd: float  #: to show
    misses: int  #: that may occur
    confidence: float
    targets_if_independent: int
    design_effect: float
    n_strata: int  #: in each of which the Pd is to be shown
    passes: int  #: over every emplacement
    targets: int  #: emplacements, of all strata
    far: float  #: per m2, to show that there are no more
    false_alarms: int  #: that may occur
    area: float  #: m2 beyond halos and rings
    lanes_by_guarantee: int  #: for the miss rate that is to be guaranteed; 0 if none is
    lanes_by_targets: int  #: to hold the targets
    lanes_by_area: int  #: to hold the area, halos and rings included
    miss_rate: float | None

    @property
    def lanes(self) -> int:
        """Lanes that fulfil all demands."""
        return max(self.lanes_by_guarantee, self.lanes_by_targets, self.lanes_by_area)

    def __str__(self) -> str:
        """Return the plan in words."""
        percent = f"{100 * self.confidence:g} %"
        lines = [
            f"Pd {self.pd:g} at {percent} with {self.misses} missed: "
            f"{self.targets_if_independent} independent targets",
            f"design effect {self.design_effect:.3g}, {self.n_strata} strata, "
            f"{self.passes} passes: {self.targets} emplacements",
            f"at most {self.far:g} false alarms per m2 with {self.false_alarms} seen: "
            f"{self.area:.4g} m2 beyond halos and rings",
            f"lanes: {self.lanes_by_targets} for the targets, "
            f"{self.lanes_by_area} for the area",
        ]
        if self.miss_rate is not None:
            lines[-1] += f", {self.lanes_by_guarantee} to guarantee a miss rate"
            lines.append(f"guaranteed mean miss rate of a lane: {self.miss_rate:g}")
        return "\n".join([*lines, f"in all {self.lanes} lanes"])


def design_effect(cluster_size: float, correlation: float) -> float:
    """
    Return how many times more units a claim needs when they come in clusters.

    Parameters
    ----------
    cluster_size : float
        Units of a cluster: passes over an emplacement, or targets in a lane.
    correlation : float
        Between units of a cluster, from 0 to 1.

    Returns
    -------
    effect : float
        ``1 + (m - 1) rho``, by which the variance of a share grows.

    Raises
    ------
    TypeError, ValueError
        If the size is below 1 or the correlation not from 0 to 1.

    References
    ----------
    L. Kish (1965): Survey Sampling. Wiley, section 5.4.

    Examples
    --------
    >>> design_effect(4, 0.5)
    2.5
    """
    size, rho = check_number(cluster_size, "cluster_size"), check_number(correlation, "rho")
    if size < 1:
        msg = f"Invalid cluster_size '{size}'. Must be at least 1."
        raise ValueError(msg)
    if not 0 <= rho <= 1:
        msg = f"Invalid correlation '{rho}'. Must lie between 0 and 1."
        raise ValueError(msg)
    return 1 + (size - 1) * rho


def lanes_needed(miss_rate: float) -> int:
    """
    Return how many lanes with targets can guarantee a mean miss rate of a new lane.

    Parameters
    ----------
    miss_rate : float
        To be guaranteed by conformal risk control, the lane being the unit.

    Returns
    -------
    n_lanes : int
        The least n with ``1 / (n + 1) <= miss_rate``: even no miss at all leaves that risk.

    Raises
    ------
    TypeError, ValueError
        If the rate is not between 0 and 1.

    References
    ----------
    A. N. Angelopoulos, S. Bates, A. Fisch, L. Lei, T. Schuster (2022): Conformal risk
    control. arXiv:2208.02814, theorem 1.

    Examples
    --------
    >>> lanes_needed(0.05), lanes_needed(0.02), lanes_needed(1 / 14)
    (19, 49, 13)
    """
    rate = check_probability(miss_rate, "miss_rate")
    return math.ceil(1 / meant_fraction(rate) - 1)  # 0.1 is one in ten, not a little more


def plan(
    *,
    pd: float,
    far: float,
    misses: int = 0,
    false_alarms: int = 0,
    confidence: float = 0.95,
    n_strata: int = 1,
    targets_per_lane: int = 1,
    lane_correlation: float = 0.0,
    passes: int = 1,
    pass_correlation: float = 1.0,
    lane_area: float = 20.0,
    halo_area: float = 0.0,
    miss_rate: float | None = None,
) -> Plan:
    """
    Return what a trial must hold for its claims.

    Parameters
    ----------
    pd : float
        Probability of detection to show.
    far : float
        False alarms per m2, to show that there are no more.
    misses, false_alarms : int
        That may occur, in every stratum and in all.
    confidence : float
        Of the one-sided exact limits.
    n_strata : int
        Strata in each of which the Pd is to be shown, for example classes of metal.
    targets_per_lane : int
        Targets of one stratum in a lane.
    lane_correlation : float
        Between targets of a lane, 0 to 1.
    passes : int
        Over every emplacement, each counted as an opportunity.
    pass_correlation : float
        Between passes over one emplacement, 0 to 1; at 1 further passes add nothing.
    lane_area : float
        Area of a lane, m2.
    halo_area : float
        Area of the halo and ring of a target, m2, on which no false alarm counts.
    miss_rate : float, optional
        Mean miss rate of a new lane that is to be guaranteed.

    Returns
    -------
    plan : Plan
        Targets, area and lanes.

    Raises
    ------
    TypeError, ValueError
        If a share is not between 0 and 1, a count below its least value, an area not
        greater than zero, or the halos leave nothing of a lane.

    Notes
    -----
    With n of :func:`targets_needed`, m passes of correlation r, and l targets of a stratum
    in a lane of correlation q, every stratum needs
    ``n (1 + (m - 1) r) / m (1 + (l - 1) q)`` emplacements, rounded up. A lane holds
    `targets_per_lane` of every stratum.

    Examples
    --------
    >>> print(plan(pd=0.99, far=0.01, n_strata=3, targets_per_lane=5, lane_correlation=0.1))
    Pd 0.99 at 95 % with 0 missed: 299 independent targets
    design effect 1.4, 3 strata, 1 passes: 1257 emplacements
    at most 0.01 false alarms per m2 with 0 seen: 299.6 m2 beyond halos and rings
    lanes: 84 for the targets, 15 for the area
    in all 84 lanes
    """
    n = targets_needed(pd, misses, confidence=confidence)
    area = area_needed(far, false_alarms, confidence=confidence)
    n_strata = check_count(n_strata, "n_strata")
    per_lane, passes = (
        check_count(targets_per_lane, "targets_per_lane"),
        check_count(passes, "passes"),
    )
    by_lane = design_effect(per_lane, lane_correlation)
    by_pass = design_effect(passes, pass_correlation)
    lane_area = check_positive(lane_area, "lane_area")
    if check_number(halo_area, "halo_area") < 0:
        msg = f"Invalid halo_area '{halo_area}'. Must not be negative."
        raise ValueError(msg)
    left = lane_area - halo_area * per_lane * n_strata
    if left <= 0:
        msg = (
            f"Invalid lane_area '{lane_area}': {per_lane * n_strata} halos of {halo_area} m2 "
            "leave nothing of it. Must leave ground on which to count false alarms."
        )
        raise ValueError(msg)
    # a little less than the product: 299 times 1.4 is 418.6, and 10 times 1.1 is 11
    emplacements = math.ceil(n * by_lane * by_pass / passes - 1e-9)
    return Plan(
        pd=float(pd),
        misses=int(misses),
        confidence=float(confidence),
        targets_if_independent=n,
        design_effect=by_lane * by_pass,
        n_strata=n_strata,
        passes=passes,
        targets=n_strata * emplacements,
        far=float(far),
        false_alarms=int(false_alarms),
        area=area,
        lanes_by_guarantee=0 if miss_rate is None else lanes_needed(miss_rate),
        lanes_by_targets=math.ceil(emplacements / per_lane),
        lanes_by_area=math.ceil(area / left),
        miss_rate=miss_rate,
    )

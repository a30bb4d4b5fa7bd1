"""The ground on which false alarms count, and what is left out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..coverage import Coverage
from ..truth import Target, Truth
from .halo import TOLERANCE, Halo
from .matching import check_coverage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Where false alarms count, and the areas that are left out, in square metres."""

    mask: npt.NDArray[np.bool_]  #: cells of the coverage in which false alarms count
    scored: float
    halo: float  #: observed, in the halo of a target
    ring: float  #: observed, in the ring around a halo
    not_observed: Mapping[str, float]  #: by reason, which may overlap
    missing: float  #: wanted and not observed
    lane_areas: Mapping[str, float]  #: scored, by lane


def scored_ground(
    truth: Truth, coverage: Coverage, *, halo: Halo | None = None, sensors: str = "any"
) -> Ground:
    """
    Return the ground on which false alarms count: observed, beyond halos and rings.

    Parameters
    ----------
    truth : Truth
        What is in the ground.
    coverage : Coverage
        What was observed.
    halo : Halo, optional
        Left out around every target; `Halo()` by default.
    sensors : str
        Whose observation counts: a kind of sensor, `"any"` or `"all"`.

    Returns
    -------
    Ground
        Cells whose centre is observed, wanted, and in no halo or ring; and their areas.

    Raises
    ------
    TypeError, ValueError
        If coverage is no Coverage, or none of its ground is left to score.

    Examples
    --------
    >>> from minesense.coverage import observe
    >>> from minesense.score import scored_ground
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> from minesense.truth import Target
    >>> northing = np.arange(0.0, 10.01, 0.05)
    >>> sweep = Sweep(
    ...     samples=np.zeros((201, 1, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=0 * northing,
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]]),
    ...     lane="A",
    ... )
    >>> coverage = observe([sweep], footprint=0.6, area=[(-0.5, 0.0, 0.5, 10.0, "A")])
    >>> mine = Target(
    ...     identifier="T1",
    ...     kind="disc",
    ...     is_target=True,
    ...     easting=0.0,
    ...     northing=3.0,
    ...     depth=0.05,
    ...     diameter=0.1,
    ...     metal_class="low",
    ... )
    >>> ground = scored_ground(Truth(objects=(mine,)), coverage)
    >>> round(ground.scored + ground.halo + ground.ring, 6), ground.missing
    (10.0, 0.0)
    """
    halo = Halo() if halo is None else halo
    seen = check_coverage(coverage).mask(sensors) & coverage.wanted
    in_halo = _within(coverage, truth.targets, halo, 1.0)
    in_ring = _within(coverage, truth.targets, halo, halo.ring) & ~in_halo
    mask = seen & ~in_halo & ~in_ring
    if not mask.any():
        msg = (
            f"Invalid coverage: of {coverage.area(sensors):.4g} m2 observed by {sensors!r}, "
            "none lies outside halos and rings. Must leave ground on which to count false "
            "alarms."
        )
        raise ValueError(msg)
    cell_area = coverage.cell**2

    def area(cells: npt.NDArray[np.bool_]) -> float:
        return float(round(int(np.count_nonzero(cells)) * cell_area, 12))

    lane_areas = {
        lane: area(mask & (coverage.lane_index == i)) for i, lane in enumerate(coverage.lanes)
    }
    return Ground(
        mask=mask,
        scored=area(mask),
        halo=area(seen & in_halo),
        ring=area(seen & in_ring),
        not_observed=coverage.not_observed(sensors),
        missing=coverage.missing_area(sensors),
        lane_areas=lane_areas,
    )


def _within(
    coverage: Coverage, targets: Sequence[Target], halo: Halo, factor: float
) -> npt.NDArray[np.bool_]:
    """Return the cells whose centre lies in a halo, or a multiple of it."""
    axes = np.array([halo.axes(t.diameter) for t in targets]).reshape(-1, 2) * factor
    is_round = axes[:, 0] == axes[:, 1]
    discs = [t for t, ok in zip(targets, is_round, strict=True) if ok]
    mask = coverage.within(
        [t.easting for t in discs], [t.northing for t in discs], axes[is_round, 0]
    )
    n_rows, n_columns = coverage.shape
    north = coverage.origin[1] + (np.arange(n_rows)[:, None] + 0.5) * coverage.cell
    east = coverage.origin[0] + (np.arange(n_columns)[None, :] + 0.5) * coverage.cell
    for k in np.flatnonzero(~is_round).tolist():
        target, (along, across) = targets[k], axes[k] + TOLERANCE
        dx, dy = east - target.easting, north - target.northing
        forward = dx * np.sin(target.heading) + dy * np.cos(target.heading)
        aside = dx * np.cos(target.heading) - dy * np.sin(target.heading)
        mask |= np.hypot(forward / along, aside / across) <= 1
    return mask

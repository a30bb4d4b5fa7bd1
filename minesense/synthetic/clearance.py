"""Whether what a platform carries stays clear of the ground that a scenario describes."""

from __future__ import annotations

from collections.abc import Iterable

from .ground import SoilPreset
from .motion import SwingMotion
from .plans import Plan

#: Height of coils over mean ground, in standard deviations of the surface, at least. Lower
#: ones would stand in every larger bump, among the metal in it (assumption).
LEAST_CLEARANCE = 1.5


def check_clearance(plan: Plan, soils: Iterable[SoilPreset]) -> None:
    """
    Check that the coils of a platform stand high enough over rough ground.

    Parameters
    ----------
    plan : CartPlan, HandheldPlan or DronePlan
        The platform.
    soils : iterable of SoilPreset
        Of the lanes.

    Raises
    ------
    ValueError
        If they do not. The message ends with the place in a scenario: the height where the
        platform has one, else the roughness of the soil.

    Examples
    --------
    >>> from minesense.synthetic import SOILS, HandheldPlan
    >>> check_clearance(HandheldPlan(height=0.02), [SOILS["loam"]])
    >>> check_clearance(HandheldPlan(height=0.02), [SOILS["peat"]])
    Traceback (most recent call last):
    ValueError: Invalid height '0.02' over soil 'peat' with roughness '0.02'. Must be at least \
1.5 times the roughness, 0.03 m - at `$.platform.height`
    """
    height = plan.coil_height
    if height is None:
        return
    for soil in soils:
        if height >= LEAST_CLEARANCE * soil.roughness * (1 - 1e-9):
            continue
        if hasattr(plan, "height"):
            msg = (
                f"Invalid height '{height:g}' over soil '{soil.name}' with roughness "
                f"'{soil.roughness:g}'. Must be at least {LEAST_CLEARANCE:g} times the "
                f"roughness, {LEAST_CLEARANCE * soil.roughness:.4g} m - at `$.platform.height`"
            )
        else:
            msg = (
                f"Invalid roughness '{soil.roughness:g}' under the coils of a {plan.kind}, "
                f"{height:g} m up. Must be at most {height / LEAST_CLEARANCE:.3g} m, their "
                f"height over {LEAST_CLEARANCE:g} - at `$.ground.own.{soil.name}.roughness`"
            )
        raise ValueError(msg)


def check_swing(plan: Plan, width: float) -> None:
    """
    Check that a swung head reaches across its lane.

    Parameters
    ----------
    plan : CartPlan, HandheldPlan or DronePlan
        The platform; only a hand-held head is swung.
    width : float
        Of the lanes, m.

    Raises
    ------
    ValueError
        If the arm is too short. The message ends with the place in a scenario.

    Examples
    --------
    >>> from minesense.synthetic import HandheldPlan
    >>> check_swing(HandheldPlan(), 1.0)
    """
    motion = plan.motion
    if isinstance(motion, SwingMotion) and width / 2 + motion.beyond >= motion.reach:
        msg = (
            f"Invalid width '{width:g}' for a head swung with a reach of '{motion.reach:g}', "
            f"'{motion.beyond:g}' beyond the lane. Must be less than "
            f"{2 * (motion.reach - motion.beyond):g} m - at `$.lanes.width`"
        )
        raise ValueError(msg)

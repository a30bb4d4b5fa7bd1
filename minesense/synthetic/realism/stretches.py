"""Empty SYNTHETIC ground, and platforms that sweep it as a recording was made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._validation import check_count, check_positive
from ...constants import SPEED_OF_LIGHT
from ...sensor import Radar, Sensor
from ...sweep import Sweep
from ..ground import SOILS, Soil
from ..layout import RandomLayout
from ..motion import CartMotion
from ..plans import Plan
from ..platform import Carrier
from ..radar_errors import RadarErrors
from ..radar_ground import DEEPEST
from ..scenario import ClutterPlan, Scenario, TargetPlan
from ..track import PATH_STEP
from .kept import rows_of
from .missing import TooFewError

#: Height of antennas that lie on the ground, m: the model has none lower.
COUPLED_HEIGHT = 0.02

#: Frequency that the errors of a scenario's radar are meant for, Hz.
_DESIGN_FREQUENCY = 1.5e9
_DESIGN_SEPARATION = 0.3  # wavelengths in air between antennas: 6 cm at 1.5 GHz


def empty_ground(
    recipe: Scenario,
    *,
    has_clutter: bool = False,
    soils: Sequence[str] | None = None,
    n_each: int = 1,
    length: float | None = None,
) -> Scenario:
    """
    Return a scenario with its soils and without its targets.

    Parameters
    ----------
    recipe : Scenario
        What the ground is like.
    has_clutter : bool
        Whether the clutter of the scenario stays.
    soils : sequence of str, optional
        Names of soils, of the scenario or presets; by default each of the scenario's once.
    n_each : int
        Lanes of every soil.
    length : float, optional
        Of the lanes with their run-ins, m; by default as in the scenario.

    Returns
    -------
    recipe : Scenario
        Lanes with the soils in turn, without records. The lane of an index has the same soil,
        surface and errors with clutter and without.

    Raises
    ------
    TypeError, ValueError
        If there is no such soil, `n_each` is no count, or `length` not greater than zero.

    Examples
    --------
    >>> from minesense.synthetic import field, scenario
    >>> from minesense.synthetic.realism import empty_ground
    >>> made = field(empty_ground(scenario("village")), seed=1)
    >>> len(made.lanes), len(made.truth.objects)
    (2, 0)
    """
    names = tuple(dict.fromkeys(recipe.ground.soils if soils is None else soils))
    plan = recipe.lanes
    if length is not None:
        run_in = min(plan.run_in, check_positive(length, "length") / 4)
        plan = dataclasses.replace(plan, run_in=run_in, length=length - 2 * run_in)
    n_lanes = check_count(n_each, "n_each") * len(names)
    bare = ClutterPlan(preset=recipe.clutter.preset, metal_density=0.0, dielectric_density=0.0)
    return dataclasses.replace(
        recipe,
        lanes=dataclasses.replace(plan, training=n_lanes, blind=0),
        ground=dataclasses.replace(recipe.ground, soils=names),
        layout=RandomLayout(density=0.0),
        targets=TargetPlan(kinds=()),
        clutter=recipe.clutter if has_clutter else bare,
        records=None,
    )


def carrier_like(sweep: Sweep, plan: Plan, *, height: float | None = None) -> Carrier:
    """
    Return a platform whose radar records as another did.

    Parameters
    ----------
    sweep : Sweep
        A radar lane: centre frequency, sample interval and number of samples, separation and
        height if known, and the spacing of its traces.
    plan : CartPlan, HandheldPlan or DronePlan
        Whose motion, if it is a cart's, and errors are taken.
    height : float, optional
        Of the antennas over the ground, m; by default that of the sensor, and where it is not
        known 2 cm, for antennas on the ground.

    Returns
    -------
    carrier : Carrier
        A cart with one channel. A separation that is not known is 0.3 wavelengths in air;
        times, frequencies and slopes of the errors of the radar are those of the plan,
        scaled from 1.5 GHz to the centre frequency (assumptions). Nothing is lost on a link.

    Raises
    ------
    TypeError, ValueError
        If the sweep is not of a radar, or `height` not greater than zero.
    TooFewError
        If the spacing of the traces is not known, not regular, or less than the 5 mm of the
        simulator's path.

    Examples
    --------
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.synthetic import CartPlan, cart, field, scenario
    >>> from minesense.synthetic.realism import carrier_like
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> radar, _ = made.sweep(cart(n_antennas=1, n_coils=1), lanes=["lane 01"])
    >>> like = carrier_like(radar, CartPlan())
    >>> like.radar.radar == radar.sensor.radar, round(like.radar_spacing, 3)
    (True, 0.025)
    """
    radar = sweep.sensor.radar
    if sweep.sensor.kind != "gpr" or radar is None:
        kind = sweep.sensor.kind
        msg = f"Invalid sensor '{sweep.sensor.name}' of kind '{kind}'. Must be a radar."
        raise ValueError(msg)
    spacing = _spacing_of(sweep)
    up = radar.height if height is None else check_positive(height, "height")
    wavelength = SPEED_OF_LIGHT / radar.centre_frequency
    sensor = Sensor(
        name=f"like {sweep.sensor.name}",
        kind="gpr",
        axis=sweep.sensor.axis - sweep.sensor.axis[0],
        lever_arms=np.zeros((1, 3)),
        radar=Radar(
            centre_frequency=radar.centre_frequency,
            separation=radar.separation or _DESIGN_SEPARATION * wavelength,
            height=max(up or 0.0, COUPLED_HEIGHT),
        ),
    )
    return Carrier(
        name="like a recording",
        radar=sensor,
        radar_spacing=max(spacing, PATH_STEP),
        motion=plan.motion if isinstance(plan.motion, CartMotion) else CartMotion(),
        radar_errors=scaled_errors(plan.radar_errors, radar.centre_frequency),
        faults=_no_faults(plan.faults),
    )


def coil_carrier_like(sweep: Sweep, plan: Plan) -> Carrier:
    """
    Return a cart whose metal detector records as another did.

    Parameters
    ----------
    sweep : Sweep
        A lane of gates of a head whose height is known, at a regular distance.
    plan : CartPlan, HandheldPlan or DronePlan
        Whose motion, if it is a cart's, and errors are taken.

    Returns
    -------
    carrier : Carrier
        With the sensor of the sweep, its spacing and its mean speed.

    Raises
    ------
    TypeError, ValueError
        If the sweep is not of a metal detector, or of one that cannot be simulated.
    TooFewError
        If the height of the head is not known, or the spacing of the traces not known, not
        regular, or less than the 5 mm of the simulator's path.

    Examples
    --------
    >>> from minesense.synthetic import CartPlan, cart, field, scenario
    >>> from minesense.synthetic.realism import coil_carrier_like
    >>> made = field(scenario("prepared", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> _, coils = made.sweep(cart(n_antennas=1, n_coils=2), lanes=["lane 01"])
    >>> like = coil_carrier_like(coils, CartPlan())
    >>> like.coils is coils.sensor, round(like.coil_spacing, 2)
    (True, 0.05)
    """
    if sweep.sensor.kind != "emi":
        kind = sweep.sensor.kind
        msg = f"Invalid sensor '{sweep.sensor.name}' of kind '{kind}'. Must be 'emi'."
        raise ValueError(msg)
    spacing = _spacing_of(sweep)
    head = sweep.sensor.head
    if head is None or not head.height:
        msg = "the height of the head is not known"
        raise TooFewError(msg)
    speed = spacing / float(np.median(np.diff(sweep.time)))
    motion = plan.motion if isinstance(plan.motion, CartMotion) else CartMotion()
    return Carrier(
        name="like a recording",
        coils=sweep.sensor,
        coil_spacing=max(spacing, PATH_STEP),
        motion=dataclasses.replace(motion, speed=speed),
        coil_errors=plan.coil_errors,
        faults=_no_faults(plan.faults),
    )


def _spacing_of(sweep: Sweep) -> float:
    """Return the distance between the traces of a lane that can be swept again, m."""
    _, spacing = rows_of(sweep)
    if not math.isfinite(spacing):
        msg = "the distance between traces is not known, or not regular"
        raise TooFewError(msg)
    if not spacing >= 0.99 * PATH_STEP:
        msg = f"traces every {1e3 * spacing:.3g} mm: at least {1e3 * PATH_STEP:g} mm are needed"
        raise TooFewError(msg)
    return spacing


def scaled_errors(errors: RadarErrors, frequency: float) -> RadarErrors:
    """
    Return the errors of a radar of another frequency, alike in its periods.

    Parameters
    ----------
    errors : RadarErrors
        Meant for 1.5 GHz.
    frequency : float
        Centre frequency, Hz.

    Returns
    -------
    errors : RadarErrors
        Times scaled by the period, frequencies and slopes of gain by the frequency.

    Examples
    --------
    >>> from minesense.synthetic import RadarErrors
    >>> from minesense.synthetic.realism import scaled_errors
    >>> round(1e12 * scaled_errors(RadarErrors(jitter=3e-12), 5e8).jitter, 6)
    9.0
    """
    longer = _DESIGN_FREQUENCY / check_positive(frequency, "frequency")
    times = ("delay_spread", "delay_drift", "jitter", "ringing_time")
    changes: dict[str, Any] = {name: getattr(errors, name) * longer for name in times}
    for name in ("ringing_frequency", "gain_slope"):
        changes[name] = getattr(errors, name) / longer
    return dataclasses.replace(errors, **changes)


def reach_of(soil: Soil, frequency: float) -> float:
    r"""
    Return the two-way time after the ground down to which simulated soil is uneven.

    Parameters
    ----------
    soil : Soil
        Of a lane.
    frequency : float
        Centre frequency, Hz.

    Returns
    -------
    time : float
        In seconds, :math:`2 n z / c` for the index of the soil and a depth of 35 cm.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import draw_soil
    >>> from minesense.synthetic.realism import reach_of
    >>> soil = draw_soil("quartz_sand", rng=np.random.default_rng(seed=1))
    >>> 4 < 1e9 * reach_of(soil, 1.5e9) < 8
    True
    """
    index = np.sqrt(soil.permittivity(np.array([frequency]))[0]).real
    return float(2 * index * DEEPEST / SPEED_OF_LIGHT)


def is_soil(word: str, recipe: Scenario) -> bool:
    """
    Tell whether a word names a soil that can be simulated.

    Parameters
    ----------
    word : str
        For example ``"loam"``, or ``"concrete"``.
    recipe : Scenario
        May have soils of its own.

    Returns
    -------
    known : bool
        Whether it is a preset or a soil of the scenario.

    Examples
    --------
    >>> from minesense.synthetic import scenario
    >>> from minesense.synthetic.realism import is_soil
    >>> is_soil("peat", scenario("farmland")), is_soil("concrete", scenario("farmland"))
    (True, False)
    """
    return word in SOILS or word in recipe.ground.own


def _no_faults(faults: Any) -> Any:
    """Return faults of a link that loses nothing."""
    names = ("gaps", "dropouts", "stuck", "duplicates", "lost_stamps")
    return dataclasses.replace(faults, **{f"{name}_per_minute": 0.0 for name in names})

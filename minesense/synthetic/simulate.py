"""Sweep one lane with one carrier: drive, record with both sensors, lose some of it."""

from __future__ import annotations

import numpy as np

from ..sweep import Floats, Frame, Quality, Sensor, Sweep
from .coil_lane import coil_samples
from .field import Field, Lane, lane_rng
from .platform import Carrier, Path, drive, ornstein_uhlenbeck
from .radar_lane import radar_samples
from .terrain import make_terrain

_FRAME = Frame(crs="local", origin="SYNTHETIC: south-western corner of the first lane")
_MARGIN = 1.2  # m of ground around the lane that the sensors feel

# Purposes of chance in a lane; 0 is what the field itself was drawn with.
_GROUND, _DRIVE, _RADAR, _COILS, _FAULTS = 1, 2, 3, 4, 5


def sweep_lane(field: Field, lane: Lane, carrier: Carrier) -> list[Sweep]:
    """
    Simulate what a carrier records along one lane.

    Parameters
    ----------
    field : Field
        The SYNTHETIC field.
    lane : Lane
        One of its lanes.
    carrier : Carrier
        What sweeps it.

    Returns
    -------
    sweeps : list of Sweep
        The radar's, then the coils'. Recorded positions carry the error of the carrier's
        positioning; traces lost to a gap are missing and the next one is flagged GAP,
        saturated ones are NaN and flagged.

    Raises
    ------
    TypeError, ValueError
        If `carrier` is none, its traces are closer than the steps of its path, or it lets
        an antenna touch the ground.
    """
    if not isinstance(carrier, Carrier):
        msg = f"Invalid carrier {carrier!r}. Must be a Carrier, for example of cart()."
        raise TypeError(msg)
    index = field.lanes.index(lane)
    run_in = field.scenario.run_in
    west, south, east, north = lane.area
    swept = (west, south - run_in, east, north + run_in)
    margin = _MARGIN + _overhang(carrier, (east - west) / 2)
    terrain = make_terrain(
        swept, lane.soil, margin=margin, rng=lane_rng(field.seed, index, _GROUND)
    )
    rng = lane_rng(field.seed, index, _DRIVE)
    start = ((west + east) / 2, swept[1])
    path = drive(start, swept[3] - swept[1], motion=carrier.motion, rng=rng)
    error = _position_error(carrier, path, rng)
    names = [other.name for other in field.lanes if _is_near(other, lane, field, margin)]
    buried = tuple(item for name in names for item in field.buried[name])
    clutter = tuple(item for name in names for item in field.clutter[name])

    sweeps = []
    for sensor, spacing, purpose in (
        (carrier.radar, carrier.radar_spacing, _RADAR),
        (carrier.coils, carrier.coil_spacing, _COILS),
    ):
        at = _trace_indices(path, spacing)
        rng = lane_rng(field.seed, index, purpose)
        positions = _channel_positions(path, at, sensor)
        simulate = radar_samples if purpose == _RADAR else coil_samples
        samples = simulate(
            carrier,
            positions,
            path.time[at],
            terrain=terrain,
            buried=buried,
            clutter=clutter,
            rng=rng,
            **({"heading": path.heading[at]} if purpose == _RADAR else {}),
        )
        sweeps.append(
            Sweep(
                samples=samples.astype(np.float32),
                time=path.time[at],
                position=_recorded(path, at, error),
                heading=path.heading[at],
                sensor=sensor,
                lane=lane.name,
                frame=_FRAME,
                history=(f"SYNTHETIC: simulated, seed {field.seed}, {lane.name}",),
            )
        )
    return _with_faults(sweeps, path, carrier, lane_rng(field.seed, index, _FAULTS))


def _overhang(carrier: Carrier, half_width: float) -> float:
    """Return how far sensors reach out of a lane, or ahead of the platform, m."""
    arms = np.abs(np.concatenate([carrier.radar.lever_arms, carrier.coils.lever_arms]))
    return max(0.0, float(arms[:, 0].max()) - half_width, float(arms[:, 1].max()))


def _is_near(other: Lane, lane: Lane, field: Field, margin: float) -> bool:
    """Return whether the objects of another lane and around it may be felt in a lane."""
    margin += field.scenario.lane_gap / 2  # clutter lies beside the lanes, too
    return other.area[0] - margin < lane.area[2] and lane.area[0] < other.area[2] + margin


def _trace_indices(path: Path, spacing: float) -> np.ndarray:
    """Return the steps of the path at which a wheel triggers a trace."""
    step = float(np.median(np.diff(path.position[:, 1])))
    if spacing < (1 - 1e-9) * step:
        msg = f"Invalid spacing '{spacing}'. Must be at least the step of the path, {step:g} m."
        raise ValueError(msg)
    n = int((len(path.time) - 1) * step / spacing + 1e-6) + 1
    return np.rint(np.arange(n) * (spacing / step)).astype(np.int64)


def _channel_positions(path: Path, at: np.ndarray, sensor: Sensor) -> Floats:
    """Return easting, northing, upward of every channel at its true pose."""
    height = (sensor.radar.height if sensor.radar else sensor.coil.height) or 0.0  # type: ignore[union-attr]
    right, forward, upward = sensor.lever_arms.T
    sin, cos = np.sin(path.heading[at])[:, None], np.cos(path.heading[at])[:, None]
    position = path.position[at]
    return np.stack(
        [
            position[:, :1] + cos * right + sin * forward,
            position[:, 1:2] - sin * right + cos * forward,
            position[:, 2:] + height + upward,
        ],
        axis=-1,
    )


def _position_error(carrier: Carrier, path: Path, rng: np.random.Generator) -> Floats:
    """Return the slow error of the recorded position along the path, (n, 2)."""
    step = float(np.median(np.diff(path.time)))
    std = carrier.motion.position_error
    return np.column_stack(
        [
            ornstein_uhlenbeck(len(path.time), step=step, time=10.0, std=std, rng=rng)
            for _ in range(2)
        ]
    )


def _recorded(path: Path, at: np.ndarray, error: Floats) -> Floats:
    """Return positions as the carrier records them; the height is not measured."""
    place = path.position[at, :2] + error[at]
    return np.column_stack([place, np.zeros(len(at))])


def _with_faults(
    sweeps: list[Sweep], path: Path, carrier: Carrier, rng: np.random.Generator
) -> list[Sweep]:
    """Return sweeps with stretches lost on the link and single traces saturated."""
    length = float(path.position[-1, 1] - path.position[0, 1])
    motion = carrier.motion
    n_gaps = rng.poisson(motion.gaps_per_metre * length)
    starts = path.position[0, 1] + np.sort(rng.uniform(0, length, n_gaps))
    lengths = rng.exponential(motion.gap_length, n_gaps)
    result = []
    for sweep in sweeps:
        northing = np.interp(sweep.time, path.time, path.position[:, 1])
        lost = np.zeros(len(sweep), dtype=bool)
        for start, extent in zip(starts, lengths, strict=True):
            lost |= (northing >= start) & (northing < start + extent)
        quality = sweep.quality.copy()
        after = np.flatnonzero(lost[:-1] & ~lost[1:]) + 1
        quality[after] |= Quality.GAP
        n_steps = max(1, len(sweep) - 1)
        saturated = rng.random(len(sweep)) < motion.dropouts_per_metre * length / n_steps
        quality[saturated] |= Quality.SATURATED
        samples = sweep.samples.copy()
        samples[saturated] = np.nan
        keep = ~lost
        result.append(
            Sweep(
                samples=samples[keep],
                time=sweep.time[keep],
                position=sweep.position[keep],
                heading=sweep.heading[keep],
                quality=quality[keep],
                sensor=sweep.sensor,
                lane=sweep.lane,
                frame=sweep.frame,
                history=sweep.history,
            )
        )
    return result

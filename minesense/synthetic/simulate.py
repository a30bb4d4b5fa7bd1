"""Sweep one lane with one platform: move, record with its sensors, err, lose some of it."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..physics import attitude, bounce_radius
from ..seal import seal
from ..sensor import Sensor, pulse_train_of
from ..sweep import Floats, Frame, Quality, Sweep
from .clutter import Clutter
from .coil_lane import coil_samples, reach_of
from .field import Field
from .instrument import Flags
from .lanes import Lane, rotate
from .metal import MetalPiece
from .platform import Carrier, head_of, overhang, radar_of
from .points import chance
from .radar_lane import direct_peak, hearing, radar_samples, time_zero
from .targets import Buried
from .terrain import Terrain, make_terrain
from .track import Track

_FRAME = Frame(crs="local", origin="SYNTHETIC: south-western corner of the first lane")
_MARGIN = 1.2  # m of ground around the lane that the sensors stand for
_LEAST_HEIGHT = 0.02  # m of antennas over the ground: lower ones ride on it

# Purposes of chance in a lane; the field itself has others.
_GROUND, _DRIVE, _POSE, _GAPS, _UNEVEN = 1, 2, 3, 4, 5
_RADAR, _COILS = 6, 8  # and the next number for each sensor's faults


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
        The radar's, then the coils', as far as the carrier has them. Recorded poses, stamps
        and samples carry the carrier's errors; traces lost to a gap are missing and the next
        one is flagged GAP. The history ends with a seal.

    Raises
    ------
    TypeError, ValueError
        If `carrier` is none, or its traces are closer than the steps of its path.
    """
    if not isinstance(carrier, Carrier):
        msg = f"Invalid carrier {carrier!r}. Must be a Carrier, for example of cart()."
        raise TypeError(msg)
    # in the lane's own axes, right of its middle and forward of its start: the physics does
    # not know where north is
    track = lane_track(field, lane, carrier)
    margin = _margin(lane, carrier, track)
    felt = _felt_from(lane, carrier, margin)
    terrain, buried, clutter = lane_scene(field, lane, margin=margin, felt_from=felt)
    gaps = carrier.faults.gaps(track.time, rng=chance(field.seed, _GAPS, lane.index))
    sweeps = []
    for sensor, purpose in ((carrier.radar, _RADAR), (carrier.coils, _COILS)):
        if sensor is None:
            continue
        steps = carrier.steps(len(track), is_radar=purpose == _RADAR)
        pose = track.at(steps)
        simulate = _radar if purpose == _RADAR else _coils
        found = simulate(field, lane, carrier, pose, terrain, buried, clutter)
        sweep = _record(field, lane, carrier, sensor, track, steps, found)
        sweeps.append(seal(_without_gaps(sweep, pose.time, gaps)))
    return sweeps


def lane_scene(
    field: Field, lane: Lane, *, margin: float, felt_from: float
) -> tuple[Terrain, tuple[Buried, ...], tuple[Clutter, ...]]:
    """
    Return what sensors feel along a lane, in its own axes.

    Parameters
    ----------
    field : Field
        The SYNTHETIC field.
    lane : Lane
        One of its lanes.
    margin : float
        Ground around lane and run-ins that is made, m; another margin makes another ground.
    felt_from : float
        How far from the lane objects are felt, m.

    Returns
    -------
    terrain : Terrain
        Surface and soil: right of the lane's middle, forward of its start.
    buried : tuple of Buried
        Targets.
    clutter : tuple of Clutter
        Other objects.

    Examples
    --------
    >>> from minesense.synthetic import field, scenario
    >>> made = field(scenario("farmland", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> terrain, _, _ = lane_scene(made, made.lanes[0], margin=1.2, felt_from=1.2)
    >>> terrain.soil is made.lanes[0].soil
    True
    """
    run_in = field.scenario.lanes.run_in
    swept = (-lane.width / 2, -run_in, lane.width / 2, lane.length + run_in)
    terrain = make_terrain(
        swept, lane.soil, margin=margin, rng=chance(field.seed, _GROUND, lane.index)
    )
    near = field.objects.near(lane.index, felt_from)
    buried = tuple(_bury_in(lane, item) for item in near.buried)
    clutter = tuple(_clutter_in(lane, item) for item in near.clutter)
    return terrain, buried, clutter


def lane_track(field: Field, lane: Lane, carrier: Carrier) -> Track:
    """
    Return where a carrier really goes along a lane.

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
    track : Track
        In the lane's own axes: right of its middle, forward of its start.

    Examples
    --------
    >>> from minesense.synthetic import field, handheld, scenario
    >>> made = field(scenario("farmland", lanes={"length": 1.0, "run_in": 0.5}), seed=1)
    >>> track = lane_track(made, made.lanes[0], handheld())
    >>> bool(abs(track.position[:, 0]).max() > 0.4)
    True
    """
    run_in = field.scenario.lanes.run_in
    rng = chance(field.seed, _DRIVE, lane.index)
    track = carrier.motion.track(length=lane.length + 2 * run_in, width=lane.width, rng=rng)
    start = np.array([0.0, -run_in, 0.0])
    return dataclasses.replace(track, position=track.position + start)


def _margin(lane: Lane, carrier: Carrier, track: Track) -> float:
    """Return how much ground around a lane the sensors may feel, m."""
    margin = _MARGIN
    if carrier.radar is not None:
        radar = radar_of(carrier.radar)
        height = (radar.height or 0.0) + float(track.position[:, 2].max(initial=0.0)) + 0.1
        bounce = float(bounce_radius(height, peak_frequency=radar.centre_frequency))
        margin = max(margin, bounce + 0.2, hearing(height) + 0.2)
    return margin + overhang(carrier, lane.width / 2)


def _felt_from(lane: Lane, carrier: Carrier, margin: float) -> float:
    """Return how far from a lane objects are felt, m: large coils feel beyond the ground."""
    if carrier.coils is None:
        return margin
    reach = max(reach_of(head) for head in carrier.coils.channel_heads)
    return max(margin, reach + overhang(carrier, lane.width / 2))


def _radar(
    field: Field,
    lane: Lane,
    carrier: Carrier,
    pose: Track,
    terrain: Terrain,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
) -> tuple[Floats, Flags]:
    """Return the samples of the radar, with the errors of the instrument."""
    sensor, errors = carrier.radar, carrier.radar_errors
    assert sensor is not None
    rng = chance(field.seed, _RADAR, lane.index)
    positions = pose.place(sensor.lever_arms, radar_of(sensor).height or 0.0)
    forward = pose.turned([[0.0, 1.0, 0.0]])[:, 0]
    apart = radar_of(sensor).separation / 2 * forward[:, None, :]
    ends = [positions + share * apart for share in (-1.0, 0.0, 1.0)]
    ground = np.max([terrain.surface.height_at(x[..., 0], x[..., 1]) for x in ends], axis=0)
    lowest = ground + np.abs(apart[..., 2]) + _LEAST_HEIGHT
    positions[..., 2] = np.maximum(positions[..., 2], lowest)
    delay, coupling = errors.timing(pose.time, len(sensor.lever_arms), rng=rng)
    traces = radar_samples(
        sensor,
        positions,
        forward,
        terrain=terrain,
        buried=buried,
        clutter=clutter,
        delay=delay,
        coupling=coupling,
        rng=chance(field.seed, _UNEVEN, lane.index),
    )
    return errors.apply(
        traces,
        pose.time,
        axis=sensor.axis,
        peak=direct_peak(sensor),
        time_zero=time_zero(sensor),
        rng=rng,
    )


def _coils(
    field: Field,
    lane: Lane,
    carrier: Carrier,
    pose: Track,
    terrain: Terrain,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
) -> tuple[Floats, Flags]:
    """Return the samples of the metal detector, with the errors of the instrument."""
    sensor = carrier.coils
    assert sensor is not None
    volts = coil_samples(
        sensor,
        pose.place(sensor.lever_arms, head_of(sensor).height or 0.0),
        attitude(pose.heading, pitch=pose.pitch, roll=pose.roll),
        terrain=terrain,
        buried=buried,
        clutter=clutter,
    )
    return carrier.coil_errors.apply(
        volts,
        pose.time,
        train=pulse_train_of(sensor),
        rng=chance(field.seed, _COILS, lane.index),
    )


def _record(
    field: Field,
    lane: Lane,
    carrier: Carrier,
    sensor: Sensor,
    track: Track,
    steps: np.ndarray,
    found: tuple[Floats, Flags],
) -> Sweep:
    """Return samples as a sweep: with recorded pose and stamps, and stuck stretches."""
    time = track.time[steps]
    # both sensors of a platform err alike in their position, hence the same chance
    pose = chance(field.seed, _POSE, lane.index)
    position, heading, lost = carrier.positioning.record(track, steps, rng=pose)
    if carrier.positioning.records_height:
        position[:, 2] += _nominal_height(sensor)
    position[:, :2] = np.column_stack(lane.to_map(*position[:, :2].T))
    purpose = _RADAR if sensor.kind == "gpr" else _COILS
    rng = chance(field.seed, purpose + 1, lane.index)
    samples, stuck = carrier.faults.stick(found[0], time, rng=rng)
    stamps, flags = carrier.faults.stamps(time, rng=rng)
    return Sweep(
        samples=samples.astype(np.float32),
        time=stamps,
        position=position,
        heading=heading + lane.heading,
        quality=found[1] | stuck | lost | flags,
        sensor=sensor,
        lane=lane.name,
        frame=_FRAME,
        history=(f"SYNTHETIC: simulated, seed {field.seed}, {lane.name}",),
    )


def _nominal_height(sensor: Sensor) -> float:
    """Return the height of a sensor over mean ground, m."""
    height = sensor.radar.height if sensor.radar else head_of(sensor).height
    return height or 0.0


def _without_gaps(sweep: Sweep, time: Floats, gaps: list[tuple[float, float]]) -> Sweep:
    """Return a sweep without the traces that were lost on the link; the next is flagged."""
    lost = np.zeros(len(sweep), dtype=bool)
    for start, stop in gaps:
        lost |= (time >= start) & (time < stop)
    quality = sweep.quality.copy()
    quality[np.flatnonzero(lost[:-1] & ~lost[1:]) + 1] |= Quality.GAP
    keep = ~lost
    return dataclasses.replace(
        sweep,
        samples=sweep.samples[keep],
        time=sweep.time[keep],
        position=sweep.position[keep],
        heading=sweep.heading[keep],
        quality=quality[keep],
    )


def _bury_in(lane: Lane, item: Buried) -> Buried:
    """Return a target in the axes of a lane."""
    target = item.target
    right, forward = lane.from_map(target.easting, target.northing)
    tilt = rotate(*target.tilt, -lane.heading)
    return dataclasses.replace(
        item,
        target=dataclasses.replace(
            target,
            easting=float(right),
            northing=float(forward),
            heading=target.heading - lane.heading,
            tilt=(float(tilt[0]), float(tilt[1])),
        ),
        pieces=tuple(_turned(piece, lane) for piece in item.pieces),
    )


def _clutter_in(lane: Lane, item: Clutter) -> Clutter:
    """Return a piece of clutter in the axes of a lane."""
    right, forward = lane.from_map(item.easting, item.northing)
    return dataclasses.replace(
        item,
        easting=float(right),
        northing=float(forward),
        heading=item.heading - lane.heading,
        piece=None if item.piece is None else _turned(item.piece, lane),
    )


def _turned(piece: MetalPiece, lane: Lane) -> MetalPiece:
    """Return a piece of metal in the axes of a lane."""
    return dataclasses.replace(piece, heading=piece.heading - lane.heading)

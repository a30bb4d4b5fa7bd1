"""What the coils of a carrier record along one lane: metal, soil, voids, noise."""

from __future__ import annotations

import math

import numpy as np

from ..physics import (
    Relaxation,
    loop_field,
    pulse_voltage,
    soil_pulse_voltage,
    void_relaxation,
)
from ..sweep import Floats, PulseCoil, Sensor
from ..truth import Target
from .catalogue import Body
from .clutter import Clutter
from .field import Buried
from .platform import Carrier, ornstein_uhlenbeck
from .terrain import Terrain

_LEAST_HEIGHT = 0.01  # m of a coil over the ground: lower ones ride on a skid
_PIECE = 0.06  # m, widest part of a body whose missing soil is put at its middle

_REACH = 1.2  # m; beyond it the smallest noise hides every object of the catalogue


def coil_samples(
    carrier: Carrier,
    positions: Floats,
    time: Floats,
    *,
    terrain: Terrain,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
    rng: np.random.Generator,
) -> Floats:
    """
    Simulate the decays of every coil at every trace.

    Parameters
    ----------
    carrier : Carrier
        Its coils and their noise.
    positions : (n_traces, n_coils, 3) float64 ndarray
        True centre of each coil: easting, northing, upward over mean ground, m.
    time : (n_traces,) float64 ndarray
        Seconds.
    terrain : Terrain
        Surface and susceptibility of the lane.
    buried : tuple of Buried
        Targets near the lane.
    clutter : tuple of Clutter
        Other objects near the lane.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    samples : (n_traces, n_coils, n_gates) float64 ndarray
        Volts per ampere and turn, with soil, drift and white noise.

    Notes
    -----
    Soil is that of the exact half-space at the height over the ground under the coil,
    averaged with the weight that it has in the flux: the square of the coil's field. A
    coil that sways below 1 cm over that ground rides on it.
    """
    coil = coil_of(carrier.coils)
    n_traces, n_coils, _ = positions.shape
    flat = positions.reshape(-1, 3)
    ground = ground_under(flat[:, :2], coil=coil, terrain=terrain)
    height = np.maximum(flat[:, 2] - ground, _LEAST_HEIGHT)
    flat = np.column_stack([flat[:, :2], ground + height])
    susceptibility = terrain.susceptibility(flat[:, 0], flat[:, 1])
    volts = soil_pulse_voltage(height, coil=coil, susceptibility=susceptibility)
    places, objects = metal_objects(terrain, buried, clutter)
    if objects:
        volts = volts + pulse_voltage(
            flat, coil=coil, object_position=places, objects=objects, reach=_REACH
        )
    volts = volts.reshape(n_traces, n_coils, -1)
    gain = 1 + carrier.noise.coil_gain * rng.normal(size=(n_coils, 1))
    return volts * gain + _noise(carrier, time, n_coils, rng)


def ground_under(place: Floats, *, coil: PulseCoil, terrain: Terrain) -> Floats:
    """
    Return the height of the ground as a coil feels it.

    Parameters
    ----------
    place : (n, 2) float64 ndarray
        Easting and northing of the middle of the coil, m.
    coil : PulseCoil
        Its radius and nominal height matter.
    terrain : Terrain
        Surface of the lane.

    Returns
    -------
    ground : (n,) float64 ndarray
        Mean of the surface, m, weighted with the square of the field at the ground.

    Notes
    -----
    To first order a bump adds to the flux what the square of the field is at its place
    (Born). Eight directions on four rings, out to two radii of the coil.
    """
    ring = coil.radius * (0.25 + 0.5 * np.arange(4))
    below = np.full(4, -max(coil.height or 0.0, _LEAST_HEIGHT))
    field = loop_field(np.column_stack([ring, np.zeros(4), below]), radius=coil.radius)
    weight = ring * (field**2).sum(axis=1)
    weight /= 8 * weight.sum()
    ground = np.zeros(len(place))
    for turn in 2 * np.pi * np.arange(8) / 8:
        for radius, share in zip(ring, weight, strict=True):
            easting = place[:, 0] + radius * math.sin(turn)
            northing = place[:, 1] + radius * math.cos(turn)
            ground += share * terrain.surface.height_at(easting, northing)
    return ground


def coil_of(sensor: Sensor) -> PulseCoil:
    """
    Return the coil of a metal detector.

    Parameters
    ----------
    sensor : Sensor
        Of kind ``"emi"``.

    Returns
    -------
    coil : PulseCoil
        Its waveform and size.

    Raises
    ------
    ValueError
        If the sensor has none.
    """
    if sensor.coil is None:
        msg = f"Invalid sensor '{sensor.name}': no coil. Must have a PulseCoil."
        raise ValueError(msg)
    return sensor.coil


def metal_objects(
    terrain: Terrain, buried: tuple[Buried, ...], clutter: tuple[Clutter, ...]
) -> tuple[Floats, list[Relaxation]]:
    """
    Return everything that a coil feels besides the soil, with its place.

    Parameters
    ----------
    terrain : Terrain
        Surface and susceptibility of the lane.
    buried : tuple of Buried
        Targets.
    clutter : tuple of Clutter
        Other objects.

    Returns
    -------
    places : (n, 3) float64 ndarray
        Easting, northing, upward of each centre, m.
    objects : list of Relaxation
        Metal, and what bodies without metal take away from magnetic soil.
    """
    places: list[Floats] = []
    objects: list[Relaxation] = []

    def ground(thing: Target | Clutter) -> float:
        return float(terrain.surface.height_at(thing.easting, thing.northing))

    def susceptibility(thing: Target | Clutter) -> float:
        place = np.array([thing.easting]), np.array([thing.northing])
        return float(terrain.susceptibility(*place)[0])

    for one in buried:
        target, body = one.target, one.body
        top = np.array([target.easting, target.northing, ground(target) - target.depth])
        if one.metal is not None:
            # a tall case answers from its upper end (unverified)
            places.append(top - [0, 0, min(body.height, body.diameter) / 2])
            objects.append(one.metal)
        if not body.has_metal_case:
            offsets = _pieces(body, one.heading)
            volume = _volume(body) / len(offsets)
            void = void_relaxation(volume, susceptibility=susceptibility(target))
            places += list(top + offsets)
            objects += [void] * len(offsets)
    for item in clutter:
        if item.kind == "root":
            continue  # too thin to be missed
        middle = ground(item) - item.depth - item.radius
        places.append(np.array([item.easting, item.northing, middle]))
        if item.metal is not None:
            objects.append(item.metal)
        else:
            volume = 4 / 3 * math.pi * item.radius**3
            objects.append(void_relaxation(volume, susceptibility=susceptibility(item)))
    return np.array(places).reshape(-1, 3), objects


def _volume(body: Body) -> float:
    """Return the volume of a body, m^3."""
    outline = math.pi / 4 * body.length**2 if body.is_disc else body.length * body.width
    return outline * body.height


def _pieces(body: Body, heading: float) -> Floats:
    """Return the middles of equal pieces of a body, from the middle of its top, (n, 3), m."""
    counts = [max(1, math.ceil(x / _PIECE)) for x in (body.length, body.width, body.height)]
    forward, right, down = (
        x.ravel()
        for x in np.meshgrid(
            *((np.arange(n) + 0.5) / n - 0.5 for n in counts[:2]),
            (np.arange(counts[2]) + 0.5) / counts[2],
            indexing="ij",
        )
    )
    if body.is_disc:
        # square rings onto round ones, so that areas stay equal
        outer = np.maximum(np.abs(forward), np.abs(right))
        length = np.hypot(forward, right)
        scale = np.divide(outer, length, out=np.zeros_like(length), where=length > 0)
        forward, right = forward * scale, right * scale
    forward, right = forward * body.length, right * body.width
    sin, cos = math.sin(heading), math.cos(heading)
    return np.column_stack(
        [right * cos + forward * sin, forward * cos - right * sin, -down * body.height]
    )


def _noise(carrier: Carrier, time: Floats, n_coils: int, rng: np.random.Generator) -> Floats:
    """Return white noise, less in longer gates, and a drift that all gates share."""
    noise, coil = carrier.noise, coil_of(carrier.coils)
    width = np.diff(coil.gates, axis=1)[:, 0]
    per_gate = noise.coil_white * np.sqrt(width[0] / width)
    white = per_gate * rng.normal(size=(len(time), n_coils, len(width)))
    step = float(np.median(np.diff(time))) if len(time) > 1 else 1.0
    drift = [
        ornstein_uhlenbeck(
            len(time), step=step, time=noise.drift_time, std=noise.coil_drift, rng=rng
        )
        for _ in range(n_coils)
    ]
    # an offset of the receiver decays with the gates much as soil does
    shape = coil.gates[0, 0] / coil.gates[:, 0]
    return white + np.array(drift).T[:, :, None] * shape

"""What the coils of a carrier record along one lane: metal, soil, voids, noise."""

from __future__ import annotations

import math

import numpy as np

from ..physics import Relaxation, pulse_voltage, soil_pulse_voltage, void_relaxation
from ..sweep import Floats, PulseCoil, Sensor
from .clutter import Clutter
from .field import Buried
from .platform import Carrier, ornstein_uhlenbeck
from .terrain import Terrain

_REACH = 0.8  # m; beyond it the smallest noise hides every object of the catalogue


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

    Raises
    ------
    ValueError
        If a coil would touch the ground.
    """
    coil = coil_of(carrier.coils)
    n_traces, n_coils, _ = positions.shape
    flat = positions.reshape(-1, 3)
    ground = terrain.surface.height_at(flat[:, 0], flat[:, 1])
    height = np.maximum(flat[:, 2] - ground, 0.01)
    susceptibility = terrain.susceptibility(flat[:, 0], flat[:, 1])
    volts = soil_pulse_voltage(height, coil=coil, susceptibility=susceptibility)
    places, objects = metal_objects(terrain, buried, clutter)
    if objects:
        volts = volts + pulse_voltage(
            flat, coil=coil, object_position=places, objects=objects, reach=_REACH
        )
    volts = volts.reshape(n_traces, n_coils, -1)
    return volts * _gains(n_coils, rng) + _noise(carrier, time, n_coils, rng)


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
    places: list[tuple[float, float, float]] = []
    objects: list[Relaxation] = []

    def add(easting: float, northing: float, depth: float, item: Relaxation) -> None:
        ground = float(terrain.surface.height_at(easting, northing))
        places.append((easting, northing, ground - depth))
        objects.append(item)

    for one in buried:
        target, body = one.target, one.body
        middle = target.depth + body.height / 2
        if one.metal is not None:
            add(target.easting, target.northing, middle, one.metal)
        if not body.has_metal_case:
            outline = math.pi / 4 * body.length**2 if body.is_disc else body.length * body.width
            void = void_relaxation(
                outline * body.height, susceptibility=terrain.soil.susceptibility
            )
            add(target.easting, target.northing, middle, void)
    for item in clutter:
        middle = item.depth + item.size / 2
        if item.metal is not None:
            add(item.easting, item.northing, middle, item.metal)
        elif item.kind in ("stone", "void"):
            void = void_relaxation(
                math.pi / 6 * item.size**3, susceptibility=terrain.soil.susceptibility
            )
            add(item.easting, item.northing, middle, void)
    return np.array(places).reshape(-1, 3), objects


def _gains(n_coils: int, rng: np.random.Generator) -> Floats:
    """Return how much each coil exaggerates: 3 % mismatch (unverified)."""
    return 1 + 0.03 * rng.normal(size=(n_coils, 1))


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

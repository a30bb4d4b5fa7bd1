"""What the coils of a carrier record along one lane: soil, metal, voids."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..physics import continuous_wave_response, pulse_voltage
from ..sensor import Circle, Head, PulseTrain, Sensor, Winding
from ..sweep import Floats
from .clutter import Clutter
from .coil_ground import stand_over
from .coil_objects import Objects, metal_objects
from .coil_soil import soil_samples
from .targets import Buried
from .terrain import Terrain

_REACH = 1.6  # m, beyond which the smallest noise hides every object from the coil below
_MOMENT = math.pi * 0.1**2  # m^2, of one turn of 10 cm radius


def coil_samples(
    sensor: Sensor,
    positions: Floats,
    rotation: Floats | None = None,
    *,
    terrain: Terrain,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
) -> Floats:
    """
    Simulate what every head of a metal detector receives at every trace.

    Parameters
    ----------
    sensor : Sensor
        Of pulse induction or continuous wave, with one head for all channels or one for
        each.
    positions : (n_traces, n_channels, 3) float64 ndarray
        True origin of each head: right, forward, upward over mean ground, m.
    rotation : (n_traces, 3, 3) float64 ndarray, optional
        How the platform stands, as of :func:`minesense.physics.attitude`; level by default.
    terrain : Terrain
        Surface and soil of the lane.
    buried : tuple of Buried
        Targets near the lane.
    clutter : tuple of Clutter
        Other objects near the lane.

    Returns
    -------
    samples : (n_traces, n_channels, n_samples) float64 ndarray
        V per ampere at the gates; or metres, in-phase and quadrature in turn at the
        frequencies.

    Raises
    ------
    ValueError
        If a wire touches something, as it may where a bump of rough ground is higher than
        the wire.

    Notes
    -----
    Soil is that of the exact image in flat ground, at the height and with the susceptibility
    that the head feels of rough, patchy ground (:func:`stand_over`). Heads with a wire lower
    than 1 cm over it ride on it. Objects are felt from where the head then is. A trace is
    the same whatever others are simulated with it.
    """
    n_traces = len(positions)
    things = metal_objects(terrain, buried, clutter)
    samples = np.empty((n_traces, *sensor.shape))
    heads = sensor.channel_heads
    for head in dict.fromkeys(heads):
        channels = np.flatnonzero([other is head for other in heads])
        turn = None if rotation is None else np.repeat(rotation, len(channels), axis=0)
        place = np.ascontiguousarray(positions[:, channels].reshape(-1, 3))
        found = _received(head, place, turn, things, terrain)
        samples[:, channels] = found.reshape(n_traces, len(channels), -1)
    return samples


def _received(
    head: Head, place: Floats, rotation: Floats | None, things: Objects, terrain: Terrain
) -> Floats:
    """Return the samples of one head at many places, (n, n_samples)."""
    stand = stand_over(head, place, rotation, terrain=terrain)
    samples = soil_samples(head, stand, terrain=terrain)
    places, objects = things
    if not objects:
        return samples
    place = np.column_stack([place[:, :2], stand.ground + stand.height])
    scene: dict[str, Any] = {
        "head": head,
        "object_position": places,
        "objects": objects,
        "rotation": rotation,
        "reach": reach_of(head),
    }
    try:
        if isinstance(head.excitation, PulseTrain):
            return samples + pulse_voltage(place, **scene)
        waves = continuous_wave_response(place, **scene)
    except ValueError as error:
        if not str(error).startswith("Invalid object_"):
            raise
        raise ValueError(_too_low(head, terrain)) from error
    return samples + np.ascontiguousarray(waves).view(np.float64)


def _too_low(head: Head, terrain: Terrain) -> str:
    """Return what is wrong where a thing in a bump of the ground touches a wire."""
    preset = terrain.soil.preset
    return (
        f"Invalid height '{head.height}' of a head over soil '{preset.name}' with roughness "
        f"'{preset.roughness:g}': in a bump of the ground its wire meets what is buried there. "
        "Must be more, over smoother ground, or of another seed; in a scenario, "
        "`$.platform.height`, if the platform has one, and `$.ground`."
    )


def reach_of(head: Head) -> float:
    r"""
    Return the distance beyond which the smallest noise hides every object of the catalogue.

    Parameters
    ----------
    head : Head
        Its wires matter.

    Returns
    -------
    reach : float
        In m: 1.6 for a coil of 10 cm radius, and as the sixth root of the moments of
        transmitter and receiver, since far away the response falls as
        :math:`m_t m_r / d^6`.
    """
    moments = _moment(head.transmitter) * _moment(head.receiver)
    return _REACH * max(1.0, (moments / _MOMENT**2) ** (1 / 6))


def _moment(winding: Winding) -> float:
    """Return the moment of a winding for each ampere, signs of turns apart, m^2."""
    total = 0.0
    for path in winding:
        if isinstance(path, Circle):
            total += abs(path.turns) * math.pi * path.radius**2
        else:
            area = np.cross(path.vertices, np.roll(path.vertices, -1, axis=0)).sum(axis=0) / 2
            total += abs(path.turns) * float(np.linalg.norm(area))
    return total

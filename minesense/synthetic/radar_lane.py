"""What the radar of a carrier records along one lane: bodies, uneven soil, noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..physics import (
    Scatterers,
    disc_facets,
    join_scatterers,
    peplinski_permittivity,
    radar_frequencies,
    radar_traces,
    rectangle_facets,
    small_body,
    sphere_body,
    volume_cell,
    wavenumber,
)
from ..sweep import Floats, Radar, Sensor
from .clutter import Clutter
from .field import Buried
from .ground import Soil
from .platform import Carrier, ornstein_uhlenbeck
from .terrain import Terrain

_REACH = 0.45  # m along the ground beyond which scatterers are not heard
_DEEPEST = 0.35  # m, of the uneven soil
_CELLS = 900.0  # scatterers per m^3 that stand for uneven soil
_COUPLING = 0.25  # amplitude of the direct wave against the main lobe, at 1 m

Band = dict[str, Any]


def radar_samples(
    carrier: Carrier,
    positions: Floats,
    time: Floats,
    *,
    terrain: Terrain,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
    rng: np.random.Generator,
    heading: Floats,
) -> Floats:
    """
    Simulate the traces of every radar channel.

    Parameters
    ----------
    carrier : Carrier
        Its radar and its noise.
    positions : (n_traces, n_channels, 3) float64 ndarray
        True middle of each antenna pair: easting, northing, upward over mean ground, m.
    time : (n_traces,) float64 ndarray
        Seconds.
    terrain : Terrain
        Surface and soil of the lane.
    buried : tuple of Buried
        Targets near the lane.
    clutter : tuple of Clutter
        Other objects near the lane.
    rng : numpy.random.Generator
        Source of chance.
    heading : (n_traces,) float64 ndarray
        Direction of travel, radians clockwise from north.

    Returns
    -------
    samples : (n_traces, n_channels, n_samples) float64 ndarray
        Field over that of the source at 1 m, with the errors of the channels.

    Raises
    ------
    ValueError
        If an antenna is not above the ground.
    """
    sensor, radar = carrier.radar, radar_of(carrier.radar)
    n_traces, n_channels, _ = positions.shape
    band = band_of(sensor)
    frequency = radar_frequencies(**band)
    soil = soil_permittivity(terrain.soil, frequency)
    scatterers = lane_scatterers(terrain, frequency, soil, buried, clutter, positions, rng)

    forward = np.stack([np.sin(heading), np.cos(heading), np.zeros(n_traces)], axis=-1)
    half = (0.5 * radar.separation * forward)[:, None, :]
    noise = carrier.noise
    gain = np.asarray(1 + noise.radar_gain * rng.normal(size=n_channels))
    delay = noise.radar_delay * rng.normal(size=n_channels)
    jitter = noise.radar_jitter * rng.normal(size=(n_traces, n_channels))
    step = float(np.median(np.diff(time))) if n_traces > 1 else 1.0
    drift = np.column_stack(
        [
            ornstein_uhlenbeck(
                n_traces, step=step, time=noise.drift_time, std=noise.radar_drift, rng=rng
            )
            for _ in range(n_channels)
        ]
    )
    traces = radar_traces(
        (positions - half).reshape(-1, 3),
        (positions + half).reshape(-1, 3),
        **band,
        permittivity=soil,
        surface=terrain.surface,
        scatterers=scatterers,
        coupling=(_COUPLING * (1 + drift)).ravel(),
        time_zero=(1 / radar.centre_frequency + delay + jitter).ravel(),
        reach=_REACH,
    ).reshape(n_traces, n_channels, -1)
    peak = _COUPLING / radar.separation
    white = noise.radar_white * peak * rng.normal(size=traces.shape)
    return np.asarray(gain[:, None] * traces + white)


def radar_of(sensor: Sensor) -> Radar:
    """
    Return the record of a radar.

    Parameters
    ----------
    sensor : Sensor
        Of kind ``"gpr"``.

    Returns
    -------
    radar : Radar
        Frequency, separation and height.

    Raises
    ------
    ValueError
        If the sensor has none.
    """
    if sensor.radar is None:
        msg = f"Invalid sensor '{sensor.name}': no radar. Must have a Radar."
        raise ValueError(msg)
    return sensor.radar


def band_of(sensor: Sensor) -> Band:
    """
    Return what the forward model needs to know of a trace.

    Parameters
    ----------
    sensor : Sensor
        A radar with a regular sample axis.

    Returns
    -------
    band : dict
        n_samples, interval (s) and peak_frequency (Hz).
    """
    return {
        "n_samples": sensor.shape[1],
        "interval": sensor.sample_interval,
        "peak_frequency": radar_of(sensor).centre_frequency,
    }


def soil_permittivity(soil: Soil, frequency: Floats) -> np.ndarray:
    """
    Return the permittivity of a soil by its moisture and texture.

    Parameters
    ----------
    soil : Soil
        Drawn from a preset.
    frequency : (n_freq,) float64 ndarray
        Hz.

    Returns
    -------
    permittivity : (n_freq,) complex128 ndarray
        Relative.
    """
    preset = soil.preset
    return peplinski_permittivity(
        frequency,
        sand=preset.sand,
        clay=preset.clay,
        bulk_density=preset.bulk_density,
        moisture=soil.moisture,
    )


def lane_scatterers(
    terrain: Terrain,
    frequency: Floats,
    soil: np.ndarray,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
    positions: Floats,
    rng: np.random.Generator,
) -> Scatterers:
    """
    Return everything in the ground that answers the radar.

    Parameters
    ----------
    terrain : Terrain
        Surface of the lane.
    frequency : (n_freq,) float64 ndarray
        Hz.
    soil : (n_freq,) complex128 ndarray
        Relative permittivity.
    buried : tuple of Buried
        Targets.
    clutter : tuple of Clutter
        Other objects; metal below 20 mm is left to the metal detector.
    positions : (n_traces, n_channels, 3) float64 ndarray
        Where the antennas go, m; uneven soil is drawn around them.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    scatterers : Scatterers
        Facets and points, none above the surface.
    """
    parts = [_uneven_soil(terrain, frequency, soil, positions, rng)]
    parts += [_target(terrain, frequency, soil, item) for item in buried]
    for item in clutter:
        part = _clutter(terrain, frequency, soil, item)
        if part is not None:
            parts.append(part)
    return _heard(join_scatterers(parts), terrain, positions)


def _ground(terrain: Terrain, easting: float, northing: float) -> float:
    """Return the height of the surface at a place."""
    return float(terrain.surface.height_at(easting, northing))


def _target(terrain: Terrain, frequency: Floats, soil: np.ndarray, item: Buried) -> Scatterers:
    """Return the top face of a target, layered, or of metal."""
    target, body = item.target, item.body
    upward = _ground(terrain, target.easting, target.northing) - target.depth
    top = [target.easting, target.northing, upward]
    if body.metal_diameter is not None:
        centre = [top[0], top[1], top[2] - body.height / 2]
        return sphere_body(centre, radius=body.height / 2, frequency=frequency, soil=soil)
    shape: dict[str, Any] = {
        "frequency": frequency,
        "soil": soil,
        "tilt": math.hypot(*item.tilt),
        "tilt_direction": math.atan2(*item.tilt),
    }
    if body.has_metal_case:
        shape["below"] = np.inf
    else:
        shape["layers"] = [(share * body.height, eps) for eps, share in body.layers]
    if body.is_disc:
        return disc_facets(top, diameter=body.length, **shape)
    return rectangle_facets(
        top, length=body.length, width=body.width, heading=item.heading, **shape
    )


def _clutter(
    terrain: Terrain, frequency: Floats, soil: np.ndarray, item: Clutter
) -> Scatterers | None:
    """Return a piece of clutter; None if the radar does not see it."""
    upward = _ground(terrain, item.easting, item.northing) - item.depth
    if item.kind == "root":
        return _root(item, upward, frequency, soil)
    if item.metal is not None and item.size < 0.02:
        return None
    permittivity = np.inf if item.metal is not None else float(item.permittivity or 1.0)
    centre = [item.easting, item.northing, upward - item.radius]
    return sphere_body(
        centre, radius=item.radius, frequency=frequency, soil=soil, permittivity=permittivity
    )


def _root(item: Clutter, upward: float, frequency: Floats, soil: np.ndarray) -> Scatterers:
    """Return a root as a chain of elements 10 mm long."""
    radius, step = item.radius, 0.01
    along = np.arange(0.5 * step, item.size, step) - item.size / 2
    position = np.column_stack(
        [
            item.easting + along * math.sin(item.heading),
            item.northing + along * math.cos(item.heading),
            np.full(len(along), upward - radius),
        ]
    )
    spectrum = small_body(
        frequency,
        volume=math.pi * radius**2 * step,
        permittivity=float(item.permittivity or 1.0),
        soil=soil,
    )
    return Scatterers(
        position=position,
        normal=np.zeros_like(position),
        weight=np.ones(len(along)),
        spectrum=np.zeros(len(along), np.int64),
        spectra=spectrum[None],
    )


def _uneven_soil(
    terrain: Terrain,
    frequency: Floats,
    soil: np.ndarray,
    positions: Floats,
    rng: np.random.Generator,
) -> Scatterers:
    r"""
    Return points at random places that scatter back as much as uneven soil does.

    In the Born approximation a medium of relative contrast :math:`\delta` returns per
    volume the power :math:`|k^2 / 4 \pi|^2 \Phi(2 k')`. Its lumps are those of
    :class:`minesense.physics.FourierField`, of outer scale :math:`2 \pi l`, whose
    spectrum is :math:`\Phi(q) = 8 \pi l^3 \sigma^2 / (1 + q^2 l^2)^2`. So do :math:`\nu`
    points a volume of independent weights of unit variance and of the scattering length
    :math:`(k^2 / 4 \pi) \sqrt{\Phi(2 k') / \nu}`.
    """
    low = positions[..., :2].min(axis=(0, 1)) - _REACH
    high = positions[..., :2].max(axis=(0, 1)) + _REACH
    n = rng.poisson(_CELLS * float(np.prod(high - low)) * _DEEPEST)
    place = np.column_stack([rng.uniform(low, high, (n, 2)), rng.uniform(0.0, _DEEPEST, n)])
    place[:, 2] = terrain.surface.height_at(place[:, 0], place[:, 1]) - place[:, 2]
    preset = terrain.soil.preset
    scale = preset.correlation_length / (2 * math.pi)
    double = 2 * wavenumber(frequency, soil).real
    power = 8 * math.pi * scale**3 / (1 + (double * scale) ** 2) ** 2
    length = volume_cell(frequency, soil=soil) * np.sqrt(power / _CELLS)
    return Scatterers(
        position=place,
        normal=np.zeros_like(place),
        weight=preset.permittivity_spread * rng.normal(size=n),
        spectrum=np.zeros(n, np.int64),
        spectra=length[None],
    )


def _heard(scatterers: Scatterers, terrain: Terrain, positions: Floats) -> Scatterers:
    """Return the scatterers that some antenna may hear, each 2 mm or more below ground."""
    low = positions[..., :2].min(axis=(0, 1)) - _REACH
    high = positions[..., :2].max(axis=(0, 1)) + _REACH
    place = scatterers.position[:, :2]
    near = ((place >= low) & (place <= high)).all(axis=1)
    position = scatterers.position[near]
    ground = terrain.surface.height_at(position[:, 0], position[:, 1])
    position[:, 2] = np.minimum(position[:, 2], ground - 0.002)
    return Scatterers(
        position=position,
        normal=scatterers.normal[near],
        weight=scatterers.weight[near],
        spectrum=scatterers.spectrum[near],
        spectra=scatterers.spectra,
    )

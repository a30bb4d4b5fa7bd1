"""What the radar of a carrier records along one lane: bodies, uneven soil, noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..physics import (
    radar_frequencies,
    radar_spectra,
    radar_traces,
)
from ..sensor import Sensor
from ..sweep import Floats
from .clutter import Clutter
from .platform import radar_of
from .radar_ground import lane_scatterers
from .targets import Buried
from .terrain import Terrain

COUPLING = 0.25  # amplitude of the direct wave against the main lobe, at 1 m

Band = dict[str, Any]


def radar_samples(
    sensor: Sensor,
    positions: Floats,
    forward: Floats,
    *,
    terrain: Terrain,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
    delay: Floats | float = 0.0,
    coupling: Floats | float = 1.0,
    rng: np.random.Generator,
) -> Floats:
    """
    Simulate the traces of every radar channel.

    Parameters
    ----------
    sensor : Sensor
        The radar.
    positions : (n_traces, n_channels, 3) float64 ndarray
        True middle of each antenna pair: right, forward, upward over mean ground, m.
    forward : (n_traces, 3) float64 ndarray
        Unit vector from transmitter to receiver.
    terrain : Terrain
        Surface and soil of the lane.
    buried : tuple of Buried
        Targets near the lane.
    clutter : tuple of Clutter
        Other objects near the lane.
    delay : float or (n_traces, n_channels) float64 ndarray
        By which time zero is late, s.
    coupling : float or (n_traces, n_channels) float64 ndarray
        Factor of the direct wave.
    rng : numpy.random.Generator
        Source of chance of the uneven soil.

    Returns
    -------
    samples : (n_traces, n_channels, n_samples) float64 ndarray
        Field over that of the source at 1 m; of a stepped-frequency radar, in-phase and
        quadrature of its tones in turn.

    Raises
    ------
    ValueError
        If an antenna is not above the ground.
    """
    radar = radar_of(sensor)
    n_traces, n_channels, _ = positions.shape
    is_stepped = sensor.is_complex
    frequency = sensor.axis if is_stepped else radar_frequencies(**band_of(sensor))
    soil = terrain.soil.permittivity(frequency)
    reach = hearing(radar.height or 0.0)
    scatterers = lane_scatterers(
        terrain, frequency, soil, buried, clutter, positions, rng, reach=reach
    )
    half = (0.5 * radar.separation * forward)[:, None, :]
    shape = (n_traces, n_channels)
    sent, heard = (positions - half).reshape(-1, 3), (positions + half).reshape(-1, 3)
    scene: dict[str, Any] = {
        "permittivity": soil,
        "surface": terrain.surface,
        "scatterers": scatterers,
        "coupling": np.broadcast_to(COUPLING * np.asarray(coupling), shape).ravel(),
        "time_zero": np.broadcast_to(time_zero(sensor) + np.asarray(delay), shape).ravel(),
        "reach": reach,
    }
    if is_stepped:
        spectra = radar_spectra(sent, heard, frequency=frequency, **scene)
        samples = spectra.astype(np.complex128).view(np.float64)
    else:
        samples = radar_traces(sent, heard, **band_of(sensor), **scene).astype(np.float64)
    return np.asarray(samples.reshape(*shape, -1))


def time_zero(sensor: Sensor) -> float:
    """
    Return when the pulse leaves in a trace.

    Parameters
    ----------
    sensor : Sensor
        A radar.

    Returns
    -------
    time_zero : float
        In seconds: one period after the start; the delay of its cables if it steps through
        tones.
    """
    return 1 / radar_of(sensor).centre_frequency


def direct_peak(sensor: Sensor) -> float:
    """
    Return the peak of the direct wave, to which errors are related.

    Parameters
    ----------
    sensor : Sensor
        A radar.

    Returns
    -------
    peak : float
        Field over that of the source at 1 m.
    """
    return COUPLING / radar_of(sensor).separation


def hearing(height: float) -> float:
    """
    Return how far along the ground scatterers are heard.

    Parameters
    ----------
    height : float
        Of the antennas over mean ground, m.

    Returns
    -------
    reach : float
        In metres, more from higher up.

    Examples
    --------
    >>> hearing(0.12), round(hearing(1.0), 6)
    (0.45, 1.15)
    """
    return max(0.45, 0.35 + 0.8 * height)


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

"""The same scenes by the fast model of minesense."""

from __future__ import annotations

import numpy as np

from minesense.physics import (
    AntennaPattern,
    Scatterers,
    Surface,
    disc_facets,
    join_scatterers,
    no_scatterers,
    radar_frequencies,
    radar_traces,
    rectangle_facets,
    rod_body,
    sphere_body,
)

from .gprmax import source_spectrum
from .scenes import Scene, Target

#: m along which a two-dimensional scene is summed to each side, and its step.
_ACROSS, _STEP = 0.9, 0.02


def band_of(scene: Scene, interval: float = 25e-12) -> dict[str, float]:
    """Return samples, interval and peak frequency of the traces."""
    return {
        "n_samples": round(scene.window / interval),
        "interval": interval,
        "peak_frequency": scene.frequency,
    }


def single_trace(scene: Scene, *, bounce: bool = True) -> np.ndarray:
    """Return one trace in three dimensions, without the direct wave."""
    band = band_of(scene)
    f = radar_frequencies(**band)
    half = np.array([scene.separation / 2, 0, 0])
    place = np.array([0, 0, scene.height])
    return radar_traces(
        [place - half], [place + half], **band,
        permittivity=scene.soil.permittivity(f), surface=_flat(1.2),
        scatterers=_body(scene.target, scene, f), coupling=0.0, time_zero=0.0,
        pulse=source_spectrum(f, scene, scene.cell),
        surface_radius=None if bounce else 0.0,
        pattern=AntennaPattern(exponent=0.0, polarization="dipole"),
    )[0]  # fmt: skip


def lane_traces(scene: Scene, positions: np.ndarray, *, bounce: bool = True) -> np.ndarray:
    """
    Return a lane in two dimensions, without the direct wave.

    An endless wire across the lane is a row of sources, each of which radiates alike in
    all directions with its field along the wire; everything buried is as endless. Their
    sum is the two-dimensional field, term by term.
    """
    band = band_of(scene)
    f = radar_frequencies(**band)
    across = np.arange(0, _ACROSS + _STEP / 2, _STEP)
    # fades towards the ends, and counts both sides
    fade = np.cos(np.pi / 2 * np.clip(2 * across / _ACROSS - 1, 0, 1)) ** 2
    weight = np.where(across == 0, 1.0, 2.0) * fade * _STEP
    if scene.target is None and not bounce:
        return np.zeros((len(positions), int(band["n_samples"])), np.float32)
    settings = {
        **band, "permittivity": scene.soil.permittivity(f),
        "surface": _flat(max(-positions[0], positions[-1]) + 1.8),
        "coupling": 0.0, "time_zero": 0.0, "pulse": source_spectrum(f, scene, 1.0),
        "scatterers": _endless(scene.target, scene, f),
        "surface_radius": None if bounce else 0.0,
        "pattern": AntennaPattern(exponent=0.0, polarization="electric"),
    }  # fmt: skip
    total = np.zeros((len(positions), int(band["n_samples"])))
    half, n = scene.separation / 2, len(positions)
    rx = np.column_stack([positions + half, np.zeros(n), np.full(n, scene.height)])
    for y, share in zip(across, weight, strict=True):
        tx = np.column_stack([positions - half, np.full(n, y), np.full(n, scene.height)])
        total += share * radar_traces(tx, rx, **settings)
    return total


def direct_wave(scene: Scene, *, dimensions: int) -> np.ndarray:
    """Return the wave from antenna to antenna, exactly."""
    from scipy.special import hankel2  # noqa: PLC0415

    band = band_of(scene)
    f = radar_frequencies(**band)
    r = scene.separation
    k = 2 * np.pi * f / 299_792_458.0
    if dimensions == 3:
        spectrum = source_spectrum(f, scene, scene.cell) * np.exp(-1j * k * r) / r
        spectrum = spectrum * (1 - 1j / (k * r) - 1 / (k * r) ** 2)
    else:
        spectrum = source_spectrum(f, scene, 1.0) * -1j * np.pi * hankel2(0, k * r)
    time = np.arange(int(band["n_samples"])) * band["interval"]
    return 2 * f[0] * (np.exp(2j * np.pi * np.outer(time, f)) @ spectrum).real


def _flat(reach: float) -> Surface:
    """Return flat ground around the origin."""
    step = 0.025
    n = int(np.ceil(reach / step))
    return Surface(origin=[-n * step] * 2, step=step, heights=np.zeros((2 * n + 1,) * 2))


def _body(target: Target | None, scene: Scene, f: np.ndarray) -> Scatterers:
    """Return a target below the origin."""
    if target is None:
        return no_scatterers(len(f))
    soil = scene.soil.permittivity(f)
    length, width, _ = target.size
    if target.shape == "sphere":
        return sphere_body(
            [0, 0, -scene.depth - length / 2], radius=length / 2, frequency=f, soil=soil,
            permittivity=target.permittivity,
        )  # fmt: skip
    shape = {"frequency": f, "soil": soil, "depth": scene.depth, **_inside(target)}
    if target.shape == "disc":
        return disc_facets([0, 0, -scene.depth], diameter=length, **shape)
    return rectangle_facets(
        [0, 0, -scene.depth], length=length, width=width, heading=np.pi / 2, **shape
    )


def _endless(target: Target | None, scene: Scene, f: np.ndarray) -> Scatterers:
    """Return a target below the origin that does not end across the lane."""
    if target is None:
        return no_scatterers(len(f))
    soil = scene.soil.permittivity(f)
    length = target.size[0]
    if target.shape == "sphere":
        down = -scene.depth - length / 2
        return join_scatterers([
            rod_body(
                [0, -_ACROSS, down], [0, _ACROSS, down], radius=length / 2, frequency=f,
                soil=soil, permittivity=target.permittivity, field="along",
            )
        ])  # fmt: skip
    return rectangle_facets(
        [0, 0, -scene.depth], length=2 * _ACROSS, width=length, frequency=f, soil=soil,
        depth=scene.depth, **_inside(target),
    )  # fmt: skip


def _inside(target: Target) -> dict:
    """Return what is in a disc or a box."""
    return {"below": np.inf} if target.is_metal else {"layers": target.layers}

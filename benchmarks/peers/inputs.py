"""SYNTHETIC inputs with fixed seeds: a profile and the cube of an array."""

from __future__ import annotations

import numpy as np

from minesense.sensor import Radar, Sensor
from minesense.sweep import Sweep

STEP, SPACING, VELOCITY = 1e-10, 0.02, 1e8


def ricker(time: np.ndarray, frequency: float = 1.2e9) -> np.ndarray:
    """Return a pulse of unit peak at time 0."""
    phase = (np.pi * frequency * time) ** 2
    return ((1 - 2 * phase) * np.exp(-phase)).astype(np.float32)


def lane_of(samples: np.ndarray, *, step: float = STEP, spacing: float = SPACING) -> Sweep:
    """Return samples as a lane of a radar northward."""
    n_traces, n_channels, n_samples = samples.shape
    northing = spacing * np.arange(n_traces)
    return Sweep(
        samples=samples,
        time=northing,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(n_traces),
        sensor=Sensor(
            name="peers",
            kind="gpr",
            axis=step * np.arange(n_samples),
            lever_arms=0.05 * np.arange(n_channels)[:, None] * [1, 0, 0],
            radar=Radar(centre_frequency=1.2e9),
        ),
    )


def profile(n_traces: int = 20_000, n_samples: int = 512, *, noise: float = 0.02) -> Sweep:
    """
    Return echoes of points, of 0.3, with a direct wave, wow, a bounce that drifts, and noise.

    Without noise it has nothing but echoes, what images are compared by.
    """
    rng = np.random.default_rng(7)
    time, along = STEP * np.arange(n_samples), SPACING * np.arange(n_traces)
    samples = rng.normal(0, noise, size=(n_traces, n_samples)).astype(np.float32)
    if noise:
        samples += 4 * ricker(time - 3e-9)
        samples += np.outer(0.5 + 0.1 * np.sin(along / 7), np.exp(-time / 15e-9))
        drift = np.cumsum(rng.normal(0, 2e-12, n_traces))
        samples += 2 * ricker(time - 6e-9 - drift[:, None])
    for at in np.arange(1.5, along[-1], 4.0):
        depth = rng.uniform(0.05, 0.55)
        near = slice(*np.searchsorted(along, [at - 1, at + 1]))
        arrival = 6e-9 + 2 * np.hypot(depth, along[near] - at) / VELOCITY
        samples[near] += 0.3 * ricker(time - arrival[:, None])
    return lane_of(samples[:, None])


def cube(n_traces: int = 4_000, n_channels: int = 51, n_samples: int = 415) -> Sweep:
    """Return noise of an array, each channel with its own gain of the same bounce."""
    rng = np.random.default_rng(11)
    samples = rng.standard_normal((n_traces, n_channels, n_samples), dtype=np.float32)
    samples *= np.float32(0.02)
    gain = (1 + 0.05 * rng.standard_normal(n_channels)).astype(np.float32)
    samples += gain[:, None] * ricker(STEP * (np.arange(n_samples) - 90))
    return lane_of(samples)

"""
A cart that drives north over targets in noise, as messages: what track C streams.

SYNTHETIC, and simple on purpose: Gaussian noise, decays and echoes of point targets. It says
nothing about detection; it shows what a session does with faults.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..detect import CoilSettings, DetectorSettings, RadarSettings
from ..message import (
    FixClass,
    Message,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from ..sensor import Circle, Head, PulseTrain, Radar, Sensor
from ..sweep import Floats, Frame, Samples

FRAME = Frame(crs="local", origin="SYNTHETIC: corner of the demonstration field")
#: Short windows, so that short lanes have ground that is observed.
SETTINGS = DetectorSettings(
    coils=CoilSettings(baseline=0.5, noise_length=1.0, guard=0.3),
    radar=RadarSettings(background=0.5, whitening=0.6, whitening_guard=0.2, ring=0.5),
)
GATES = np.geomspace(2e-5, 4e-4, 8)


def _side_by_side(n_channels: int, spacing: float, forward: float) -> Floats:
    """Return lever arms of channels beside one another, m."""
    right = spacing * (np.arange(n_channels) - (n_channels - 1) / 2)
    return np.column_stack([right, np.full(n_channels, forward), np.zeros(n_channels)])


def coils(n_channels: int = 2) -> Sensor:
    """Return a metal detector of some coils side by side."""
    edges = np.geomspace(1.6e-5, 5e-4, len(GATES) + 1)
    train = PulseTrain(
        pulse=2e-4,
        ramp=1e-6,
        half_period=2e-3,
        receiver_tau=1e-6,
        gates=np.column_stack([edges[:-1], edges[1:]]),
    )
    circle = (Circle(radius=0.1, turns=10),)
    return Sensor(
        name="coils",
        kind="emi",
        axis=(edges[:-1] + edges[1:]) / 2,
        lever_arms=_side_by_side(n_channels, 0.2, 0.0),
        head=Head(transmitter=circle, receiver=circle, excitation=train, height=0.05),
    )


def radar(n_channels: int = 2, n_samples: int = 64) -> Sensor:
    """Return a radar of some antennas side by side."""
    return Sensor(
        name="radar",
        kind="gpr",
        axis=1e-10 * np.arange(n_samples, dtype=np.float64),
        lever_arms=_side_by_side(n_channels, 0.1, 0.2),
        radar=Radar(centre_frequency=1.5e9, height=0.05),
    )


def declarations(
    rate: float = 50.0,
    fix_rate: float = 10.0,
    sensors: Sequence[str] = ("coils",),
    lateness: float = 0.0,
) -> list[StreamDeclaration]:
    """Return the declarations of the streams of the cart."""
    made = {"coils": coils, "radar": radar}
    found = [
        StreamDeclaration(
            name=name,
            kind="sensor",
            clock="utc",
            rate=rate,
            resolution=1e-6,
            lag_error=0.0,
            sensor=made[name](),
            lateness=lateness,
        )
        for name in sensors
    ]
    gnss = StreamDeclaration(
        name="gnss",
        kind="position",
        clock="utc",
        rate=fix_rate,
        lag_error=0.0,
        frame=FRAME,
        height_datum="local",
        lever_arm=(0.0, 0.25, 0.0),
        lateness=lateness,
    )
    return [*found, gnss]


def messages(
    seconds: float = 30.0,
    *,
    rate: float = 50.0,
    fix_rate: float = 10.0,
    speed: float = 0.5,
    targets: Sequence[float] = (6.0, 10.0),
    sensors: Sequence[str] = ("coils",),
    start: float = 1000.0,
    seed: int = 0,
    height: float = 0.05,
    lateness: float = 0.0,
) -> list[Message]:
    """Return declarations and messages in the order of their arrival, without any fault."""
    rng = np.random.default_rng(seed)
    declared = declarations(rate, fix_rate, sensors, lateness)
    timed: list[tuple[float, int, Message]] = []
    for declaration in declared:
        if declaration.kind == "position":
            continue
        sensor = declaration.sensor
        assert sensor is not None
        n = int(seconds * rate)
        stamps = np.arange(n) / rate
        samples = _samples(sensor, stamps * speed, targets, rng)
        timed += [
            (
                float(stamps[k]),
                1,
                SensorMessage(
                    stream=declaration.name,
                    sequence=k,
                    stamp=start + float(stamps[k]),
                    samples=samples[k],
                ),
            )
            for k in range(n)
        ]
    for k in range(int(seconds * fix_rate) + 1):
        time = k / fix_rate
        wander = rng.normal(scale=0.001, size=2)
        timed.append(
            (
                time,
                0,
                PositionMessage(
                    stream="gnss",
                    sequence=k,
                    stamp=start + time,
                    coordinates=(float(wander[0]), float(speed * time + 0.25 + wander[1]), 0.0),
                    fix=FixClass.FIXED,
                    error=0.02,
                    heading=0.0,
                    height=height,
                ),
            )
        )
    timed.sort(key=lambda item: item[:2])
    return [*declared, *(message for _, _, message in timed)]


def _samples(
    sensor: Sensor, northing: Floats, targets: Sequence[float], rng: np.random.Generator
) -> Samples:
    """Return samples over targets: a decay for a metal detector, echoes for a radar."""
    n_channels, n_samples = sensor.shape
    samples = rng.normal(size=(len(northing), n_channels, n_samples))
    for target in targets:
        for c, (right, forward, _) in enumerate(sensor.lever_arms.tolist()):
            along = northing + forward - target
            distance = np.hypot(along, right)
            if sensor.kind == "emi":
                decay = 400 * np.exp(-sensor.axis / 6e-5)
                samples[:, c] += np.exp(-((distance / 0.15) ** 2))[:, None] * decay
            else:
                delay = 2.2e-9 + (np.hypot(distance, 0.1) - 0.1) / 0.6e8
                phase = np.pi * 1.5e9 * (sensor.axis - delay[:, None])
                echo = 12 * (1 - 2 * phase**2) * np.exp(-(phase**2))
                samples[:, c] += echo * np.exp(-((distance / 0.3) ** 2))[:, None]
    if sensor.kind == "gpr":
        phase = np.pi * 1.5e9 * (sensor.axis - 1.6e-9)
        samples -= 60 * (1 - 2 * phase**2) * np.exp(-(phase**2))
    return samples.astype(np.float32)

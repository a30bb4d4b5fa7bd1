"""Messages of a cart that drives north: a metal detector, a radar, positions. SYNTHETIC."""

import dataclasses
import math

import numpy as np

from minesense.detect import CoilSettings, DetectorSettings, RadarSettings
from minesense.message import (
    FixClass,
    Packet,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from minesense.payload import Encoder
from minesense.sensor import Circle, Head, PulseTrain, Radar, Sensor
from minesense.stream import Limits, StreamConfig
from minesense.sweep import Frame

FRAME = Frame(crs="local", origin="SYNTHETIC: corner of the demonstration field")
LIMITS = Limits(
    height=0.3,
    tilt=math.inf,
    least_speed=0.0,
    greatest_speed=3.0,
    position_error=0.1,
    noise=math.inf,
)
#: Short windows, so that short lanes have ground that is observed.
SETTINGS = DetectorSettings(
    coils=CoilSettings(baseline=0.5, noise_length=1.0, guard=0.3),
    radar=RadarSettings(background=0.5, whitening=0.6, whitening_guard=0.2, ring=0.5),
)
GATES = np.geomspace(2e-5, 4e-4, 8)


def coils(n_channels=2):
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
        lever_arms=[[0.2 * (k - (n_channels - 1) / 2), 0.0, 0.0] for k in range(n_channels)],
        head=Head(transmitter=circle, receiver=circle, excitation=train, height=0.05),
    )


def radar(n_channels=2, n_samples=64):
    """Return a radar of some antennas side by side."""
    return Sensor(
        name="radar",
        kind="gpr",
        axis=1e-10 * np.arange(n_samples),
        lever_arms=[[0.1 * (k - (n_channels - 1) / 2), 0.2, 0.0] for k in range(n_channels)],
        radar=Radar(centre_frequency=1.5e9, height=0.05),
    )


def declarations(rate=50.0, fix_rate=10.0, sensors=("coils",), **options):
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
            **options,
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
        lateness=options.get("lateness", 0.0),
    )
    return [*found, gnss]


def config(**options):
    """Return a configuration for the cart."""
    return StreamConfig(**({"task_clock": "utc", "limits": LIMITS} | options))


def northing_at(time, speed=0.5):
    """Return where the cart is."""
    return speed * time


def messages(
    seconds=30.0,
    *,
    rate=50.0,
    fix_rate=10.0,
    speed=0.5,
    targets=(6.0, 10.0),
    sensors=("coils",),
    start=1000.0,
    seed=0,
    height=0.05,
    **options,
):
    """Return declarations and messages in the order of their arrival, without any fault."""
    rng = np.random.default_rng(seed)
    declared = declarations(rate, fix_rate, sensors, **options)
    timed = []
    for declaration in declared:
        if declaration.kind == "position":
            continue
        sensor = declaration.sensor
        n = int(seconds * rate)
        time = np.arange(n) / rate
        samples = _samples(sensor, time * speed, targets, rng)
        timed += [
            (
                time[k],
                1,
                SensorMessage(
                    stream=declaration.name,
                    sequence=k,
                    stamp=start + float(time[k]),
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


def _samples(sensor, northing, targets, rng):
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


def packets(found, arrival=0.0):
    """Return messages as packets."""
    encoder = Encoder()
    return [
        Packet(arrival + 1e-3 * k, encoder.encode(message)) for k, message in enumerate(found)
    ]


def run(session, found):
    """Return the events of messages, and of the end."""
    events = []
    for message in found:
        events += session.push(message)
    return [*events, *session.finish()]


def only(events, kind):
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def changed(message, **values):
    """Return a message with other fields."""
    return dataclasses.replace(message, **values)

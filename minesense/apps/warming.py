"""Compile, or load, what a session needs before its first message must be quick."""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence

import numpy as np

from ..message import FixClass, Packet, PositionMessage, SensorMessage, StreamDeclaration
from ..payload import SCAN
from ..sensor import Circle, Head, PulseTrain, Radar, Sensor
from ..stream import Session, StreamConfig
from ..stream.events import Event, StreamAccepted
from ..sweep import Frame

_RATE = 50.0
_SPEED = 1.0
_PATIENCE = 0.5  # s
_SECONDS = 1.0  # enough to run every kernel once


class Warming:
    """
    Warm up in a thread, behind the first scan, or when nothing comes for a while.

    A subscriber of a live session and a context: the thread has ended behind it.
    """

    def __init__(self) -> None:
        self._has_begun = threading.Event()
        self._kinds: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="warming")

    def __call__(self, packet: Packet | None, events: Sequence[Event]) -> None:
        """Note that a scan was processed: the first is not to wait for others' kernels."""
        if self._has_begun.is_set():
            return
        for event in events:
            if isinstance(event, StreamAccepted) and event.declaration.sensor is not None:
                self._kinds.add(event.declaration.sensor.kind)
        if packet is not None and packet.payload[:1] == bytes([SCAN]):
            self._has_begun.set()

    def __enter__(self) -> Warming:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Wait for the end."""
        self._has_begun.set()
        self._thread.join()

    def _run(self) -> None:
        self._has_begun.wait(_PATIENCE)
        warm_up(tuple(self._kinds) or ("emi", "gpr"))
        settle_memory()


def settle_memory() -> None:
    """
    Leave what is in memory now out of all collections to come.

    Modules and kernels are never garbage. A collection that looks through them takes some tenth
    of a second, which would be heard as a stall; of what a session makes, some milliseconds.
    """
    gc.freeze()


def warm_up(kinds: Sequence[str] = ("emi", "gpr")) -> None:
    """
    Run a session over a made-up metre.

    Parameters
    ----------
    kinds : sequence of str
        Of the sensors that will be needed.
    """
    session = Session(StreamConfig(task_clock="sensor"))
    sensors = [sensor for sensor in (_coil(), _radar()) if sensor.kind in kinds]
    for sensor in sensors:
        session.push(
            StreamDeclaration(
                name=sensor.name, kind="sensor", clock="sensor", rate=_RATE, sensor=sensor
            )
        )
    session.push(
        StreamDeclaration(
            name="position",
            kind="position",
            clock="sensor",
            frame=Frame(),
            height_datum="local",
            lever_arm=(0.0, 0.0, 0.0),
        )
    )
    rng = np.random.default_rng(seed=0)
    for k in range(int(_RATE * _SECONDS)):
        stamp = k / _RATE
        session.push(
            PositionMessage(
                stream="position",
                sequence=k,
                stamp=stamp,
                coordinates=(0.0, _SPEED * stamp, 0.0),
                fix=FixClass.TRACKED,
                heading=0.0,
                height=0.05,
            )
        )
        for sensor in sensors:
            samples = rng.normal(size=sensor.shape).astype(np.float32)
            session.push(
                SensorMessage(stream=sensor.name, sequence=k, stamp=stamp, samples=samples)
            )
    session.finish()


def _coil() -> Sensor:
    """Return a metal detector with one coil."""
    edges = 1e-5 * 1.5 ** np.arange(9.0)
    train = PulseTrain(
        pulse=2e-4,
        ramp=1e-6,
        half_period=2e-3,
        receiver_tau=1e-6,
        gates=np.column_stack([edges[:-1], edges[1:]]),
    )
    circle = (Circle(radius=0.1, turns=10),)
    return Sensor(
        name="coil",
        kind="emi",
        axis=np.asarray(np.sqrt(edges[:-1] * edges[1:]), np.float64),
        lever_arms=np.zeros((1, 3)),
        head=Head(transmitter=circle, receiver=circle, excitation=train, height=0.05),
    )


def _radar() -> Sensor:
    """Return a radar with one antenna."""
    return Sensor(
        name="radar",
        kind="gpr",
        axis=1e-10 * np.arange(64.0),
        lever_arms=np.zeros((1, 3)),
        radar=Radar(centre_frequency=1.5e9, height=0.05),
    )

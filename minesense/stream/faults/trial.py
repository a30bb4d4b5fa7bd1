"""One fault on one recording: the session with it, without it, and what is required."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...detect import DetectorSettings
from ...message import Message, Packet, StreamDeclaration
from ...payload import Encoder
from ..config import ExpectedStream, StreamConfig
from ..events import Event
from ..replay import event_digest
from ..session import Session
from .catalogue import Fault
from .items import first_stamp
from .outcome import Outcome


def configured(config: StreamConfig, fault: Fault, sensors: Sequence[str]) -> StreamConfig:
    """
    Return a configuration with what the check of a fault needs.

    Parameters
    ----------
    config : StreamConfig
        With limits.
    fault : Fault
        To be injected.
    sensors : sequence of str
        Names of the sensor streams.

    Returns
    -------
    config : StreamConfig
        With it.

    Raises
    ------
    ValueError
        If the configuration has no limits.
    """
    if config.limits is None:
        msg = "Invalid limits None. Must be stated: without, nothing counts as observed."
        raise ValueError(msg)
    changes: dict[str, Any] = dict(fault.config)
    if "limits" in changes:
        changes["limits"] = dataclasses.replace(config.limits, **changes["limits"])
    if fault.sensor:
        streams = {stream.name: stream for stream in config.streams}
        for name in sensors:
            known = streams.get(name, ExpectedStream(name=name))
            streams[name] = dataclasses.replace(known, **fault.sensor)
        changes["streams"] = tuple(streams.values())
    return dataclasses.replace(config, **changes)


def run_trial(
    fault: Fault,
    messages: Sequence[Message],
    config: StreamConfig,
    rng: np.random.Generator,
    *,
    after: float,
    settings: DetectorSettings | None = None,
    known: dict[Any, tuple[Event, ...]] | None = None,
) -> tuple[Outcome, list[str]]:
    """
    Inject a fault and check what is required of every fault and of this one.

    Parameters
    ----------
    fault : Fault
        Of :data:`~minesense.stream.faults.FAULTS`.
    messages : sequence of messages
        Without faults, declarations first.
    config : StreamConfig
        With limits.
    rng : numpy.random.Generator
        Of the fault.
    after : float
        Seconds of the streams before it.
    settings : DetectorSettings, optional
        Of the stages.
    known : dict, optional
        Events without faults by configuration, of the same messages; filled here.

    Returns
    -------
    outcome : Outcome
        Events with the fault and without.
    failures : list of str
        What did not hold; empty if the fault did what is required.
    """
    messages = [
        dataclasses.replace(m, lateness=fault.lateness)
        if isinstance(m, StreamDeclaration)
        else m
        for m in messages
    ]
    sensors = [
        m.name for m in messages if isinstance(m, StreamDeclaration) and m.kind == "sensor"
    ]
    config = configured(config, fault, sensors)
    faulty = fault.inject(messages, rng, after=after)
    known = {} if known is None else known
    key = (config, fault.lateness)
    if key not in known:
        known[key] = _run(messages, config, settings)
    plain = known[key]
    events = _run(faulty, config, settings)
    begin = first_stamp([(0.0, m) for m in messages]) + after
    outcome = Outcome(
        plain=plain,
        events=events,
        begin=begin,
        config=config,
        is_from_start=fault.is_from_start,
    )
    failures = outcome.common_failures()
    packets = [Packet(0.0, payload) for payload in _payloads(faulty)]
    if event_digest(events) != event_digest(_run(packets, config, settings)):
        failures.append("a replay is not the same")
    return outcome, failures + fault.check(outcome)


def _payloads(messages: Sequence[Message]) -> list[bytes]:
    """Return the bytes of messages, as a recording has them."""
    encoder = Encoder()
    return [encoder.encode(message) for message in messages]


def _run(
    messages: Sequence[Message | Packet],
    config: StreamConfig,
    settings: DetectorSettings | None,
) -> tuple[Event, ...]:
    """Return the events of a session."""
    session = Session(config, settings=settings)
    events: list[Event] = []
    for message in messages:
        events += session.push(message)
    return (*events, *session.finish())

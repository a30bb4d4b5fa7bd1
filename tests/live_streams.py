"""Messages of a cart that drives north: a metal detector, a radar, positions. SYNTHETIC."""

import dataclasses
import math

from minesense.bench.streamed_cart import FRAME, SETTINGS, declarations, messages
from minesense.message import Packet
from minesense.payload import Encoder
from minesense.stream import Limits, StreamConfig

__all__ = ["FRAME", "SETTINGS", "declarations", "messages"]

LIMITS = Limits(
    height=0.3,
    tilt=math.inf,
    least_speed=0.0,
    greatest_speed=3.0,
    position_error=0.1,
    noise=math.inf,
)


def config(**options):
    """Return a configuration for the cart."""
    return StreamConfig(**({"task_clock": "utc", "limits": LIMITS} | options))


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

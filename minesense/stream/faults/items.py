"""Messages with their arrival, as faults change them, from packets and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..._validation import check_not_negative, check_rng
from ...message import Message, Packet, PositionMessage, SensorMessage, StreamDeclaration
from ...payload import Decoder, Encoder

#: A message and when it arrived, s.
Item: TypeAlias = tuple[float, Message]
Change: TypeAlias = Callable[..., list[Item]]


def apply(
    change: Change,
    packets: Sequence[Packet] | Sequence[Message],
    rng: np.random.Generator,
    *,
    after: float,
    options: dict[str, Any],
) -> list[Any]:
    """
    Change packets or messages; return the same kind.

    Parameters
    ----------
    change : callable
        From items to items.
    packets : sequence of Packet or of messages
        In the order of their arrival.
    rng : numpy.random.Generator
        Of what is drawn.
    after : float
        Seconds of the streams before which nothing is changed.
    options : dict
        Of the change.

    Returns
    -------
    changed : list of Packet or of messages
        In the order of their arrival.

    Raises
    ------
    TypeError, ValueError
        If an option is out of range, or packets cannot be decoded.
    """
    check_rng(rng)
    check_not_negative(after, "after")
    are_packets = bool(packets) and isinstance(packets[0], Packet)
    if are_packets:
        decoder = Decoder()
        items = [(p.arrival, decoder.decode(p.payload)) for p in packets]  # type: ignore[union-attr]
    else:
        items = [(float(k), message) for k, message in enumerate(packets)]  # type: ignore[misc]
    changed = change(items, rng, begin=first_stamp(items) + after, **options)
    if not are_packets:
        return [message for _, message in changed]
    encoder = Encoder()
    return [Packet(arrival, encoder.encode(message)) for arrival, message in changed]


def first_stamp(items: Sequence[Item]) -> float:
    """Return the first finite stamp of a scan or position; 0 if there is none."""
    for _, message in items:
        if is_timed(message) and math.isfinite(stamp_of(message)):
            return stamp_of(message)
    return 0.0


def is_timed(message: Message) -> bool:
    """Return whether a message is a scan or a position."""
    return isinstance(message, SensorMessage | PositionMessage)


def stamp_of(message: Message) -> float:
    """Return the stamp of a message; NaN of a declaration."""
    return math.nan if isinstance(message, StreamDeclaration) else message.stamp


def is_within(message: Message, begin: float, seconds: float = math.inf) -> bool:
    """Return whether a scan or position lies in a stretch of time."""
    return is_timed(message) and begin <= stamp_of(message) < begin + seconds


def is_scan(message: Message, begin: float, seconds: float = math.inf) -> bool:
    """Return whether a message is a scan in a stretch of time."""
    return isinstance(message, SensorMessage) and is_within(message, begin, seconds)


def is_fix(message: Message, begin: float, seconds: float = math.inf) -> bool:
    """Return whether a message is a position in a stretch of time."""
    return isinstance(message, PositionMessage) and is_within(message, begin, seconds)


def changed(
    items: Sequence[Item],
    wanted: Callable[[Message], bool],
    how: Callable[[Any], Message],
) -> list[Item]:
    """Return items of which some messages are changed."""
    return [(at, how(message) if wanted(message) else message) for at, message in items]


def with_values(message: Any, **values: Any) -> Any:
    """Return a message with other fields."""
    return dataclasses.replace(message, **values)

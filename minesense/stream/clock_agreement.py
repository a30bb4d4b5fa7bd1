"""Whether the clocks of a session's streams go together."""

from __future__ import annotations

import math

from ..sweep import Quality
from .clock_monitor import ClockMonitor
from .events import Event, Invalidated
from .known_stream import KnownStream

_JUMP, _DRIFT = int(Quality.TIME_JUMP), int(Quality.DRIFT)


def agree(
    stream: KnownStream, time: float, other: float, *, time_jump: float, hold: float
) -> None:
    """
    Trust a clock that was set, or is new, as soon as it is near what the others say.

    Parameters
    ----------
    stream : KnownStream
        Whose clock was set, or is new.
    time : float
        What it says now, s.
    other : float
        What the others say, s; NaN or minus infinity if they say nothing.
    time_jump, hold : float
        Of the configuration, s.
    """
    bound = time_jump / 2
    if stream.last_time == -math.inf:
        bound = max(bound, hold)  # its first message may have been under way
    stream.disagrees = not (math.isnan(other) or other == -math.inf) and (
        abs(time - other) > bound
    )
    if stream.path is not None:
        stream.path.sticky &= ~_JUMP
        stream.path.sticky |= _JUMP if stream.disagrees else 0


def read_clock(
    stream: KnownStream, reference: KnownStream | None, time: float, *, block: float
) -> list[Event]:
    """
    Compare a sensor's clock with that of the positions.

    Parameters
    ----------
    stream : KnownStream
        Of the sensor.
    reference : KnownStream or None
        Of the positions.
    time : float
        Of the sensor's newest scan, s.
    block : float
        Over what one reading is taken, s.

    Returns
    -------
    events : list of Event
        An estimate, when a block is full; and what it takes back.
    """
    if reference is None or reference.disagrees or stream.disagrees:
        return []
    newest = reference.base.newest
    if newest in (stream.reference_read, -math.inf):
        return []
    stream.reference_read = newest
    if stream.monitor is None:
        stream.monitor = ClockMonitor(
            stream.declaration.name,
            reference.declaration.name,
            block=block,
            drift_bound=stream.declaration.drift_bound + reference.declaration.drift_bound,
        )
    good_before = stream.monitor.last_good
    estimate = stream.monitor.take(time, newest)
    if estimate is None:
        return []
    events: list[Event] = [estimate]
    assert stream.path is not None
    was_bad = stream.path.sticky & _DRIFT
    if estimate.is_within_bound:
        stream.path.sticky &= ~_DRIFT
    else:
        stream.path.sticky |= _DRIFT
        if not was_bad:
            events.append(
                Invalidated(
                    stream=stream.declaration.name,
                    start_time=good_before,
                    stop_time=time,
                    reason=Quality.DRIFT.name or "",
                )
            )
    return events

"""Track C: streaming with faults: required behaviour, latency, memory, live beside batch."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from ..detect import Screen
from ..message import Message, PositionMessage, SensorMessage, StreamDeclaration
from ..resampling import resample_track
from ..stream import Limits, Session, StreamConfig, event_digest
from ..stream.events import AlarmRaised, Event
from ..stream.faults import FAULTS, run_trial
from ..sweep import Sweep
from .streamed_cart import FRAME, SETTINGS, messages

#: Faults that only the stages of a radar show.
_OF_RADAR = ("restart behind a gap",)

_CONFIG = StreamConfig(
    task_clock="utc",
    limits=Limits(
        height=0.3,
        tilt=math.inf,
        least_speed=0.0,
        greatest_speed=3.0,
        position_error=0.1,
        noise=math.inf,
    ),
)


def judge_streaming(
    *, seed: int, progress: Callable[[str], None] | None = None
) -> tuple[dict[str, Any], dict[str, float]]:
    """
    Run a live session on every fault, and beside a batch without any.

    Parameters
    ----------
    seed : int
        Of noise and faults.
    progress : callable, optional
        Called with what is being done.

    Returns
    -------
    figures : dict
        For each fault what is required and whether it held; whether alarms are those of a
        batch, and events those of a replay. The same for a seed.
    times : dict
        Latency of pushes and growth of memory on this machine.

    Examples
    --------
    >>> figures, times = judge_streaming(seed=1)  # doctest: +SKIP
    >>> figures["n_failed"]  # doctest: +SKIP
    0
    """
    say = progress or (lambda _: None)
    drives = {
        kind: messages(16.0, rate=40.0, targets=(3.0, 6.0), sensors=(kind,), seed=seed)
        for kind in ("coils", "radar")
    }
    known: dict[str, dict[Any, tuple[Event, ...]]] = {"coils": {}, "radar": {}}
    faults = {}
    for name, fault in FAULTS.items():
        say(f"fault: {name}")
        kind = "radar" if name in _OF_RADAR else "coils"
        _, failures = run_trial(
            fault,
            drives[kind],
            _CONFIG,
            np.random.default_rng([seed, fault.number]),
            after=9.0,
            settings=SETTINGS,
            known=known[kind],
        )
        faults[name] = {
            "number": fault.number,
            "required": fault.required,
            "passed": not failures,
            "failures": failures,
        }
    say("live beside batch")
    both = messages(24.0, sensors=("coils", "radar"), seed=seed)
    events, times = _timed(both)
    again, _ = _timed(both)
    figures = {
        "faults": faults,
        "n_failed": sum(not entry["passed"] for entry in faults.values()),
        "replay_is_the_same": event_digest(events) == event_digest(again),
        "alarms_are_those_of_a_batch": all(
            _live_alarms(events, kind) == _batch_alarms(both, kind) for kind in drives
        ),
        "n_alarms": len([e for e in events if isinstance(e, AlarmRaised)]),
    }
    return figures, times


def _timed(found: list[Message]) -> tuple[list[Event], dict[str, float]]:
    """Return the events of a session, the time of its pushes and what memory grew by."""
    session = Session(_CONFIG, settings=SETTINGS)
    seconds, events = np.zeros(len(found)), []
    half, end, begun = len(found) // 2, 0, 0
    tracemalloc.start()
    try:
        for k, message in enumerate(found):
            before = time.perf_counter()
            told = session.push(message)
            seconds[k] = time.perf_counter() - before
            if k == half:
                begun = tracemalloc.get_traced_memory()[0]
            events.append(told)
        end = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    flat = [event for told in events for event in told] + list(session.finish())
    return flat, {
        "push_p50_ms": round(1e3 * float(np.percentile(seconds, 50)), 3),
        "push_p99_ms": round(1e3 * float(np.percentile(seconds, 99)), 3),
        "push_worst_ms": round(1e3 * float(seconds.max()), 3),
        "memory_of_events_and_session_MB": round((end - begun) / 1e6, 2),
    }


def _live_alarms(events: list[Event], stream: str) -> list[tuple[float, ...]]:
    """Return the alarms of one sensor as numbers."""
    return [
        (e.time, e.channel, e.easting, e.northing, e.score)
        for e in events
        if isinstance(e, AlarmRaised) and e.stream == stream and e.kind == "prescreener"
    ]


def _batch_alarms(found: list[Message], stream: str) -> list[tuple[float, ...]]:
    """Return the alarms of one sensor's whole lane, located, resampled and pushed at once."""
    scans = [m for m in found if isinstance(m, SensorMessage) and m.stream == stream]
    fixes = [m for m in found if isinstance(m, PositionMessage)]
    declared = [m for m in found if isinstance(m, StreamDeclaration)]
    sensor = next(m.sensor for m in declared if m.name == stream)
    arm = next(m.lever_arm for m in declared if m.kind == "position")
    assert sensor is not None
    assert arm is not None
    stamps = np.array([m.stamp for m in scans])
    known = np.array([m.stamp for m in fixes])
    place = np.array([m.coordinates for m in fixes])
    after = np.clip(np.searchsorted(known, stamps), 1, len(known) - 1)
    share = (stamps - known[after - 1]) / (known[after] - known[after - 1])
    antenna = place[after - 1] + share[:, None] * (place[after] - place[after - 1])
    lane = Sweep(
        samples=np.stack([m.samples for m in scans]),
        time=stamps,
        position=antenna - np.array(arm),  # the cart's heading is north
        heading=np.zeros(len(stamps)),
        sensor=sensor,
        lane="1",
        frame=FRAME,
    )
    options = SETTINGS.radar if sensor.kind == "gpr" else SETTINGS.coils
    screen = Screen(SETTINGS)
    even = resample_track(lane, spacing=options.spacing, max_step=SETTINGS.max_gap)
    candidates = screen.push(even) + screen.end_part()
    return [(c.time, c.channel, c.easting, c.northing, c.score) for c in candidates]

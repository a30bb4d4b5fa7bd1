"""What a live page shows: updates from messages and events, and the state for who joins."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from ..alarm import DISC_95, SAFETY_TEXT
from ..message import Message, PositionMessage, SensorMessage, StreamDeclaration
from ..stream.events import (
    AlarmJudged,
    AlarmRaised,
    CountersReport,
    CoverageCells,
    Event,
    GapFound,
    Invalidated,
    LaneBegun,
    LaneChunk,
    LaneEnded,
    LaneFailed,
    LaneNotJudged,
    ProcessingStopped,
    QualityChanged,
    StreamRefused,
)
from ..sweep import Quality
from .live_rows import WaterfallRows

#: Rows of a waterfall in a second, at most.
ROW_RATE = 25.0

#: What is kept for pages that join: alarms, places of the track, cells, lines of the log.
MOST_ALARMS, MOST_PLACES, MOST_CELLS, MOST_LINES = 2000, 4000, 40000, 200

#: Updates that wait for one page, at most; a page that falls behind begins anew.
MOST_WAITING = 2000


class LiveFeed:
    """
    Turn messages and events into updates for pages, in bounded memory.

    Any thread may call it. A page that reads too slowly is dropped, and gets the state anew
    when it comes again; alarms are part of that state, so that none is lost on the way.

    Examples
    --------
    >>> feed = LiveFeed()
    >>> reader = feed.join()
    >>> name, text = reader.get(timeout=1.0)
    >>> name, sorted(json.loads(text))[:3]
    ('state', ['alarms', 'cell', 'cells'])
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: set[Reader] = set()
        self._rows: dict[str, WaterfallRows] = {}
        self._next_row: dict[str, float] = {}
        self._streams: dict[str, dict[str, Any]] = {}
        self._alarms: deque[dict[str, Any]] = deque(maxlen=MOST_ALARMS)
        self._track: deque[list[float]] = deque(maxlen=MOST_PLACES)
        self._cells: dict[tuple[str, int, int], int] = {}
        self._cell = 0.05
        self._log: deque[str] = deque(maxlen=MOST_LINES)
        self._lane = ""
        self._n_alarms = 0
        self._is_synthetic = False

    def join(self) -> Reader:
        """Return a reader whose first update is the whole state."""
        reader = Reader(self)
        with self._lock:
            reader.put("state", json.dumps(self._state(), allow_nan=False))
            self._readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """Forget a reader."""
        with self._lock:
            self._readers.discard(reader)

    def take(self, message: Message) -> None:
        """
        Show a message as it came.

        Parameters
        ----------
        message : Message
            Any; scans become rows, at most `ROW_RATE` a second of the wall clock.
        """
        if isinstance(message, SensorMessage):
            rows = self._rows.get(message.stream)
            now = time.monotonic()
            if rows is None or now < self._next_row.get(message.stream, 0.0):
                return
            self._next_row[message.stream] = now + 1.0 / ROW_RATE
            if message.samples.ndim != 2:
                return
            row = rows.take(message)
            self._tell("row", {"stream": message.stream, "row": row})
        elif isinstance(message, StreamDeclaration):
            self._declare(message)
        elif isinstance(message, PositionMessage):
            self._tell_light(message.stream, time.monotonic())

    def publish(self, events: Iterable[Event]) -> None:
        """
        Show what a session told.

        Parameters
        ----------
        events : iterable of Event
            In order.
        """
        for event in events:
            self._publish(event)

    def _publish(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, AlarmRaised):
            self._alarm(event)
        elif isinstance(event, AlarmJudged):
            self._judged(event)
        elif isinstance(event, QualityChanged):
            with self._lock:
                stream = self._streams.get(event.stream)
                if stream is not None:
                    stream["flags"] = _names(event.quality)
            self._tell("quality", {"stream": event.stream, "flags": _names(event.quality)})
        elif isinstance(event, LaneChunk):
            self._places(event)
        elif isinstance(event, CoverageCells):
            self._cover(event)
        elif isinstance(event, LaneBegun):
            with self._lock:
                self._lane = event.lane
            self._tell("lane", {"lane": event.lane})
        elif isinstance(event, CountersReport):
            self._tell(
                "counters",
                {
                    name: {
                        "received": c.received,
                        "rejected": c.received - c.accepted - c.undecided,
                        "missing": c.missing,
                        "observed": c.observed,
                        "partial": c.partial,
                        "not_observed": c.not_observed,
                        "invalid": c.invalid,
                    }
                    for name, c in event.streams.items()
                },
            )
        else:
            line = _line(event)
            if line:
                with self._lock:
                    self._log.append(line)
                self._tell("log", line)

    def _declare(self, declaration: StreamDeclaration) -> None:
        """Show a stream."""
        sensor = declaration.sensor
        said = [declaration.note, declaration.name]
        said += [sensor.name] if sensor else []
        said += [declaration.frame.origin] if declaration.frame else []
        stream = {
            "name": declaration.name,
            "kind": sensor.kind if sensor else "position",
            "sensor": sensor.name if sensor else "",
            "channels": sensor.shape[0] if sensor else 0,
            "flags": [],
        }
        with self._lock:
            if sensor is not None:
                self._rows[declaration.name] = WaterfallRows(declaration)
            self._streams[declaration.name] = stream
            self._is_synthetic |= any("SYNTHETIC" in words for words in said)
            is_synthetic = self._is_synthetic
        self._tell("stream", {**stream, "synthetic": is_synthetic})

    def _tell_light(self, stream: str, now: float) -> None:
        """Say that a stream of positions lives, a few times a second."""
        if now >= self._next_row.get(stream, 0.0):
            self._next_row[stream] = now + 0.2
            self._tell("alive", {"stream": stream})

    def _alarm(self, event: AlarmRaised) -> None:
        """Show an alarm."""
        with self._lock:
            self._n_alarms += 1
            shown = {
                "number": self._n_alarms,
                "identifier": event.identifier,
                "kind": event.kind,
                "sensor": event.sensor,
                "lane": event.lane,
                "time": _finite(event.time),
                "easting": _finite(event.easting),
                "northing": _finite(event.northing),
                "error": _finite(event.position_error),
                "score": _finite(event.score),
                "flags": _names(event.quality),
                "probability": None,
            }
            self._alarms.append(shown)
        self._tell("alarm", shown)

    def _judged(self, event: AlarmJudged) -> None:
        """Show what a detector says of a place."""
        alarm = event.alarm
        with self._lock:
            self._n_alarms += 1
            shown = {
                "number": self._n_alarms,
                "identifier": alarm.identifier,
                "kind": "detector" if event.is_above_threshold else "detector, ranked low",
                "sensor": "+".join(sorted(alarm.evidence)) or "",
                "lane": event.lane,
                "time": _finite(alarm.time),
                "easting": _finite(alarm.easting),
                "northing": _finite(alarm.northing),
                "error": _finite(DISC_95 * alarm.position_error),
                "score": _finite(alarm.score),
                "flags": _names(alarm.quality),
                "probability": _finite(alarm.probability),
            }
            self._alarms.append(shown)
        self._tell("alarm", shown)

    def _places(self, event: LaneChunk) -> None:
        """Add to the track, every few centimetres."""
        places = event.sweep.position[:, :2]
        new = []
        with self._lock:
            for east, north in places.tolist():
                if not (math.isfinite(east) and math.isfinite(north)):
                    continue
                last = self._track[-1] if self._track else None
                if last is None or math.hypot(east - last[0], north - last[1]) >= 0.04:
                    place = [round(east, 3), round(north, 3)]
                    self._track.append(place)
                    new.append(place)
        if new:
            self._tell("track", new)

    def _cover(self, event: CoverageCells) -> None:
        """Mark cells: 1 observed, 2 passed without credit. What was observed once stays so."""
        new = []
        with self._lock:
            self._cell = event.cell
            for (i, j), seen in zip(
                event.cells.tolist(), event.is_observed.tolist(), strict=True
            ):
                key, mark = (event.sensor, i, j), 1 if seen else 2
                if self._cells.get(key) in (1, mark):
                    continue
                while len(self._cells) >= MOST_CELLS:
                    self._cells.pop(next(iter(self._cells)))
                self._cells[key] = mark
                new.append([event.sensor, i, j, mark])
        if new:
            self._tell("cells", {"cell": event.cell, "cells": new})

    def _state(self) -> dict[str, Any]:
        """Return what a page that joins has to know."""
        return {
            "safety": SAFETY_TEXT,
            "synthetic": self._is_synthetic,
            "streams": list(self._streams.values()),
            "alarms": list(self._alarms),
            "track": list(self._track),
            "cell": self._cell,
            "cells": [[*key, mark] for key, mark in self._cells.items()],
            "log": list(self._log),
            "lane": self._lane,
        }

    def _tell(self, name: str, content: Any) -> None:
        """Give an update to every reader."""
        with self._lock:
            if not self._readers:
                return
            text = json.dumps(content, allow_nan=False)
            for reader in list(self._readers):
                if not reader.put(name, text):
                    self._readers.discard(reader)


class Reader:
    """
    Updates that wait for one page. Made by :meth:`LiveFeed.join`.

    Parameters
    ----------
    feed : LiveFeed
        Where they come from.
    """

    def __init__(self, feed: LiveFeed):
        self._feed = feed
        self._waiting: deque[tuple[str, str]] = deque()
        self._ready = threading.Condition()
        self.is_dropped = False  #: it fell behind, and gets nothing more

    def put(self, name: str, text: str) -> bool:
        """Add an update; return False if too many wait."""
        with self._ready:
            if len(self._waiting) >= MOST_WAITING:
                self.is_dropped = True
            else:
                self._waiting.append((name, text))
            self._ready.notify()
            return not self.is_dropped

    def get(self, *, timeout: float) -> tuple[str, str] | None:
        """Return the next update; None if none came in time or the reader was dropped."""
        with self._ready:
            if not self._waiting and not self.is_dropped:
                self._ready.wait(timeout)
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Leave the feed."""
        self._feed.leave(self)


def _finite(value: float) -> float | None:
    """Return a number, or None where JSON has none."""
    return float(value) if math.isfinite(value) else None


def _names(quality: int) -> list[str]:
    """Return the names of flags."""
    return [flag.name or "" for flag in Quality(quality)]


def _line(event: Event) -> str:
    """Return a line of the log, empty for what has its place elsewhere."""
    if isinstance(event, GapFound):
        return (
            f"{event.stream}: gap of {event.stop_time - event.start_time:.2f} s ({event.cause})"
        )
    if isinstance(event, LaneFailed):
        return f"{event.stream}: lane '{event.lane}' failed, INVALID: {event.cause}"
    if isinstance(event, ProcessingStopped):
        return f"PROCESSING STOPPED, nothing is looked at from here on: {event.cause}"
    if isinstance(event, LaneNotJudged):
        return f"lane '{event.lane}' not judged by the model: {event.reason}"
    if isinstance(event, Invalidated):
        return f"{event.stream}: INVALID from {event.start_time:.2f} s: {event.reason}"
    if isinstance(event, StreamRefused):
        return f"{event.stream}: refused: {event.reason}"
    if isinstance(event, LaneEnded):
        return (
            f"{event.stream}: lane '{event.lane}' ended ({event.reason}): {event.n_observed} "
            f"of {event.n_scans} scans observed{_reasons(event)}, {event.n_alarms} alarms"
        )
    return ""


def _reasons(event: LaneEnded) -> str:
    """Return why scans of a lane were not observed."""
    items = sorted(event.not_observed.items(), key=lambda item: -item[1])
    words = ", ".join(f"{name} {count}" for name, count in items)
    return f" (not: {words})" if words else ""

"""Events of a live session as lines of JSON."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..payload import declaration_document
from ..stream.events import (
    ClockEstimate,
    CountersReport,
    CoverageCells,
    CoverageStretch,
    Event,
    LaneChunk,
    MessageRejected,
    PayloadRefused,
    SearchScore,
    StreamAccepted,
)
from ..sweep import Quality

#: Told with ``--events all`` only: many, and counted in the counters.
_MANY = (SearchScore, CoverageStretch, CoverageCells, MessageRejected, PayloadRefused)

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def event_line(event: Event) -> str:
    """
    Return an event as one line of JSON.

    Parameters
    ----------
    event : Event
        Of :mod:`minesense.stream.events`.

    Returns
    -------
    line : str
        An object whose `event` is the kind of event. What is not a number, or infinite, is
        null; flags are lists of their names. The same event gives the same line.

    Examples
    --------
    >>> from minesense.stream.events import StreamRefused
    >>> event_line(StreamRefused(stream="gnss", reason="no origin"))
    '{"event":"stream_refused","stream":"gnss","reason":"no origin"}'
    """
    document = {"event": _WORD.sub("_", type(event).__name__).lower(), **_fields(event)}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def is_told(event: Event, *, tell_all: bool) -> bool:
    """
    Return whether an event is printed.

    Parameters
    ----------
    event : Event
        Any.
    tell_all : bool
        Whether more than alarms, changes of quality, lanes and gaps are wanted.

    Returns
    -------
    told : bool
        Traces themselves are never printed; counters only at the end, by the command.
    """
    if isinstance(event, LaneChunk | CountersReport):
        return False
    if isinstance(event, ClockEstimate) and event.is_within_bound:
        return tell_all
    return tell_all or not isinstance(event, _MANY)


def _fields(record: Any) -> dict[str, Any]:
    """Return the fields of a record, ready for JSON."""
    found = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        is_flags = field.name == "quality" and isinstance(value, int)
        found[field.name] = flag_names(value) if is_flags else _plain(value)
    if isinstance(record, StreamAccepted):
        found["declaration"] = _plain(declaration_document(record.declaration))
    return found


def flag_names(quality: int) -> list[str]:
    """
    Return the names of flags.

    Parameters
    ----------
    quality : int
        Flags of :class:`~minesense.quality.Quality`, joined.

    Returns
    -------
    names : list of str
        In the order of their bits.

    Examples
    --------
    >>> flag_names(int(Quality.GAP | Quality.EDGE))
    ['GAP', 'EDGE']
    """
    return [flag.name or "" for flag in Quality if quality & flag]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, int):  # or bool
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, str) or value is None:
        # what JSON cannot hold must not stop the line: half a surrogate pair
        return value if value is None else value.encode("utf-8", "replace").decode("utf-8")
    assert isinstance(value, Sequence)
    return [_plain(item) for item in value]

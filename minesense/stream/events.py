"""
What a session tells of the messages it was given.

Every event is a frozen record of plain values and arrays. `time` is seconds of the task's
clock, of what the event is about, never when it was made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..alarm import Alarm
from ..message import StreamDeclaration
from ..sweep import Sweep
from .states import Observation

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreamAccepted:
    """A stream was declared, or declared again."""

    stream: str
    declaration: StreamDeclaration
    unscreened: str = ""  #: why all of its scans are OUT_OF_DOMAIN; empty if they are not


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRefused:
    """A declaration that the session cannot use; messages of the stream are only counted."""

    stream: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadRefused:
    """Bytes that are no message of a stream that was declared."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRejected:
    """A message that was counted and not processed."""

    stream: str
    sequence: int
    stamp: float  #: s, as it came
    reason: str  #: one of the counters of :class:`StreamCounters`


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScore:
    """What a metal detector hears now, scan by scan: for a tone and a meter, not for a map."""

    stream: str
    time: float  #: s
    scores: tuple[float, ...]  #: of each channel, in standard deviations of its noise
    quality: int  #: flags of the scan


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised:
    """A place that asks to be looked at. Nothing that follows takes it back."""

    identifier: str
    kind: Literal["prescreener", "saturation", "mark"]
    stream: str
    sensor: str  #: kind of sensor, "gpr" or "emi"; empty of a mark
    lane: str
    part: int
    channel: int  #: -1 if it is of all
    time: float  #: s
    easting: float  #: m; NaN if unlocated
    northing: float  #: m
    position_error: float  #: m, 95 %; infinite if unlocated
    score: float
    quality: int  #: flags of the traces it was made from
    two_way_time: float = math.nan  #: s, of a radar
    declared_latency: float = math.nan  #: m of track from the place to when it could be told

    @property
    def is_located(self) -> bool:
        """Whether the place is known."""
        return math.isfinite(self.easting) and math.isfinite(self.northing)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlarmJudged:
    """
    What a trained detector says of a place, at the end of its lane. It suppresses none.

    The identifier of the alarm is its own in the session: "judged", the name of the lane, how
    many lanes were judged with it, and the rank of the place in the lane.
    """

    lane: str
    alarm: Alarm
    is_above_threshold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNotJudged:
    """A lane of which the detector says nothing. Alarms of its prescreeners stand."""

    lane: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityChanged:
    """The flags of a stream are others than before, from a scan on."""

    stream: str
    time: float  #: s
    quality: int
    added: tuple[str, ...]
    removed: tuple[str, ...]  #: of what is true now: those of earlier traces stay


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageStretch:
    """A stretch of one sensor's track and whether it counts as observed."""

    stream: str
    sensor: str
    lane: str
    part: int
    start_time: float  #: s
    stop_time: float  #: s
    length: float  #: m of track; 0 where it has no place
    area: float  #: m^2, length times the width that the sensor sees; counted as driven
    n_scans: int  #: messages that it accounts for
    state: Observation
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverageCells:
    """Cells that traces passed since the last event of this kind, and with what result."""

    stream: str
    sensor: str
    lane: str
    time: float  #: s, of the last of the traces
    cell: float  #: m, side; cell (i, j) reaches from i to i + 1 sides east, j to j + 1 north
    cells: npt.NDArray[np.int64]  #: (n, 2)
    is_observed: npt.NDArray[np.bool_]  #: (n,)
    reasons: npt.NDArray[np.int64]  #: (n,) flags of what passed without credit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaneChunk:
    """
    Traces at equal distances, located, with every flag and the prescreener's scores.

    What coverage and maps are made from. The flag EDGE is here, so it comes as late as an
    alarm of the same place.
    """

    stream: str
    lane: str
    part: int
    sweep: Sweep  #: samples are scores
    height: Floats  #: (n,) m above ground; NaN if unknown
    tilt: Floats  #: (n,) rad; NaN if unknown
    position_error: Floats  #: (n,) m, 95 %


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFound:
    """Ground or time of which nothing was recorded, or nothing could be processed."""

    stream: str
    lane: str
    start_time: float  #: s
    stop_time: float  #: s
    length: float  #: m; NaN without positions
    cause: Literal["time", "distance", "position", "overflow", "held"]
    n_lost: int = 0  #: messages known to be missing, by their sequence numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneBegun:
    """A sensor begins a part of a lane: its stages start afresh."""

    stream: str
    lane: str
    part: int
    time: float  #: s


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEnded:
    """A part of a lane was flushed, and what came of it."""

    stream: str
    lane: str
    part: int
    time: float  #: s, of its last scan
    reason: str
    n_scans: int
    n_observed: int
    not_observed: Mapping[str, int]  #: scans by reason; one with several counts at the first
    n_alarms: int
    length: float  #: m of track


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFailed:
    """A stage failed: all that was pending in the part is INVALID; a new one begins."""

    stream: str
    lane: str
    part: int
    start_time: float  #: s
    stop_time: float  #: s
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingStopped:
    """A fault of the program: what was pending, and all behind it, is not processed."""

    time: float  #: s, the newest stamp of any stream
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidated:
    """Data of a stream that were told of before and must not be used after all."""

    stream: str
    start_time: float  #: s; minus infinity: from the beginning
    stop_time: float  #: s
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEstimate:
    """How a stream's clock ran against the task's reference stream."""

    stream: str
    reference: str
    time: float  #: s
    offset: float  #: s to be added to task times of the stream to meet the reference
    offset_error: float  #: s, 95 %
    drift: float  #: s/s
    drift_error: float  #: s/s, 95 %
    n_readings: int
    is_within_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCounters:
    """
    What became of the messages of one stream.

    `received` is the sum of `accepted`, of those that were rejected (from `duplicate` to
    `overflow`) and of `undecided`; `accepted` scans are the sum of observed, partial, not
    observed, invalid and pending.
    """

    received: int = 0
    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    backward: int = 0
    time_jump: int = 0
    not_a_time: int = 0  #: the stamp is NaN or infinite
    bad_shape: int = 0
    undeclared: int = 0
    overflow: int = 0  #: the live path had no room; a recording has them
    reordered: int = 0  #: of the accepted ones
    missing: int = 0  #: never received, by their sequence numbers; not part of `received`
    undecided: int = 0  #: a stamp that jumped, until the next one comes
    pending: int = 0
    observed: int = 0
    partial: int = 0
    not_observed: int = 0
    invalid: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)  #: of scans not wholly observed


@dataclass(frozen=True, slots=True, kw_only=True)
class CountersReport:
    """Counters of all streams, since the session began."""

    time: float  #: s, the newest stamp of any stream
    streams: Mapping[str, StreamCounters]
    n_refused: int  #: payloads that were no message


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTaken:
    """A note of people or devices, in its place."""

    stream: str
    time: float  #: s; NaN if it has none
    topic: str
    content: Mapping[str, Any]


Event: TypeAlias = (
    StreamAccepted
    | StreamRefused
    | PayloadRefused
    | MessageRejected
    | SearchScore
    | AlarmRaised
    | AlarmJudged
    | LaneNotJudged
    | QualityChanged
    | CoverageStretch
    | CoverageCells
    | LaneChunk
    | GapFound
    | LaneBegun
    | LaneEnded
    | LaneFailed
    | ProcessingStopped
    | Invalidated
    | ClockEstimate
    | CountersReport
    | NoteTaken
)

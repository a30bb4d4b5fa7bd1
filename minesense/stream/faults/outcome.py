"""What a session told with a fault and without it, for the checks of its behaviour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..config import StreamConfig
from ..events import (
    AlarmRaised,
    CountersReport,
    CoverageStretch,
    Event,
    GapFound,
    MessageRejected,
    StreamCounters,
)
from ..states import Observation

E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """Events of the same messages with a fault and without, and when it began."""

    plain: tuple[Event, ...]  #: without the fault
    events: tuple[Event, ...]  #: with it
    begin: float  #: s, task time of the first message that is changed
    config: StreamConfig
    is_from_start: bool = False  #: whether declarations are other ones

    def all(self, kind: type[E]) -> list[E]:
        """Return the events of a kind, with the fault."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def counters(self) -> dict[str, StreamCounters]:
        """The last counters, by stream."""
        return dict(self.all(CountersReport)[-1].streams)

    def total(self, name: str) -> int:
        """Return a counter over all streams."""
        return sum(getattr(counters, name) for counters in self.counters.values())

    def rejected(self, reason: str) -> int:
        """Return how many messages were rejected for a reason."""
        return sum(event.reason == reason for event in self.all(MessageRejected))

    def scans_with(self, reason: str) -> int:
        """Return how many scans have a reason among those that decide."""
        return sum(
            event.n_scans for event in self.all(CoverageStretch) if reason in event.reasons
        )

    def observed_within(self, start: float, stop: float, stream: str = "") -> int:
        """Return how many scans count as observed in stretches that lie in a time."""
        return sum(
            event.n_scans
            for event in self.all(CoverageStretch)
            if event.state == Observation.OBSERVED_NO_ALARM
            and event.start_time >= start
            and event.stop_time <= stop
            and stream in ("", event.stream)
        )

    def gaps(self, *causes: str) -> list[GapFound]:
        """Return the gaps of some causes."""
        return [event for event in self.all(GapFound) if event.cause in causes]

    def common_failures(self) -> list[str]:
        """
        Return what of that which holds for every fault does not.

        Returns
        -------
        failures : list of str
            Alarms before the fault are others; counters do not add up; scans are missing in the
            account of coverage.
        """
        failures = []
        early = early_alarms(self.plain, self.begin)
        if (
            not self.is_from_start
            and early_alarms(self.events, math.inf)[: len(early)] != early
        ):
            failures.append("alarms before the fault changed")
        reports = self.all(CountersReport)
        if not reports or self.events[-1] is not reports[-1]:
            return [*failures, "the last event is no report of counters"]
        stretches = self.all(CoverageStretch)
        gaps = self.gaps("held")
        for name, counters in self.counters.items():
            failures += _accounts(name, counters, stretches, sum(gap.n_lost for gap in gaps))
        return failures


def early_alarms(events: Sequence[Event], begin: float) -> list[tuple[Any, ...]]:
    """
    Return the alarms whose evidence was complete before a time.

    Parameters
    ----------
    events : sequence of Event
        Of a session.
    begin : float
        Task time, s.

    Returns
    -------
    alarms : list of tuple
        Those that were told before anything of that time or later, by place and score.
    """
    found: list[tuple[Any, ...]] = []
    for event in events:
        time = getattr(event, "time", math.nan)
        if isinstance(event, CountersReport) and event.time >= begin:
            break
        if isinstance(event, AlarmRaised):
            if event.kind != "prescreener":
                continue
            found.append((event.stream, event.channel, event.time, event.easting, event.score))
        elif time >= begin:
            break
    return found


def _accounts(
    name: str, counters: StreamCounters, stretches: list[CoverageStretch], n_held: int
) -> list[str]:
    """Return which sums of the counters of a stream are wrong."""
    failures = []
    rejected = counters.duplicate + counters.late + counters.backward + counters.time_jump
    rejected += counters.not_a_time + counters.bad_shape + counters.undeclared
    total = counters.accepted + rejected + counters.overflow + counters.undecided
    if counters.received != total:
        failures.append(f"{name}: {counters.received} received, {total} accounted for")
    settled = counters.observed + counters.partial + counters.not_observed + counters.invalid
    own = [event for event in stretches if event.stream == name]
    if not own and not settled:
        return failures
    if settled + counters.pending != counters.accepted:
        failures.append(f"{name}: {counters.accepted} accepted, {settled} settled")
    told = sum(event.n_scans for event in own)
    if told + n_held < settled:
        failures.append(f"{name}: {settled} scans settled, {told} in stretches")
    return failures

"""Counters of the streams of a session: every message is in one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from .events import CountersReport, StreamCounters
from .known_stream import KnownStream

#: By the name of a state, the counter of its scans.
_STATES = {
    "OBSERVED_NO_ALARM": "observed",
    "PARTIALLY_OBSERVED": "partial",
    "NOT_OBSERVED": "not_observed",
    "INVALID": "invalid",
}


@dataclass(slots=True, eq=False)
class StreamCounts:
    """Counters of one stream, kept when it is declared again."""

    by_name: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    n_reordered: int = 0
    n_missing: int = 0


class SessionCounters:
    """Counters of all streams, by name; they outlive a declaration."""

    def __init__(self) -> None:
        self._by_stream: dict[str, StreamCounts] = {}

    def of(self, name: str) -> StreamCounts:
        """
        Return the counters of a stream.

        Parameters
        ----------
        name : str
            Of the stream.

        Returns
        -------
        counts : StreamCounts
            To be added to.
        """
        counts = self._by_stream.get(name)
        if counts is None:
            counts = self._by_stream[name] = StreamCounts()
        return counts

    def keep(self, stream: KnownStream) -> None:
        """
        Add what was counted in a stream that is declared anew.

        Parameters
        ----------
        stream : KnownStream
            As it was declared before; nothing waits in it any more.
        """
        counts = self.of(stream.declaration.name)
        counts.n_reordered += stream.base.n_reordered
        counts.n_missing += stream.base.n_missing
        if stream.path is not None:
            states, reasons = stream.path.counts()
            counts.states += states
            counts.reasons += reasons

    def report(
        self, known: Mapping[str, KnownStream], time: float, n_refused: int
    ) -> CountersReport:
        """
        Return all counters.

        Parameters
        ----------
        known : dict of KnownStream
            By name: what waits in them counts too.
        time : float
            Newest task time, s.
        n_refused : int
            Payloads that were no message.

        Returns
        -------
        report : CountersReport
            Of every stream that anything was counted of.
        """
        streams = {}
        for name in sorted(self._by_stream):
            counts = self._by_stream[name]
            by_name = dict(counts.by_name)
            states, reasons = counts.states, counts.reasons
            stream = known.get(name)
            pending = 0
            if stream is not None:
                by_name["reordered"] = counts.n_reordered + stream.base.n_reordered
                by_name["missing"] = counts.n_missing + stream.base.n_missing
                by_name["accepted"] = by_name.get("accepted", 0) + stream.base.n_waiting
                by_name["undecided"] = int(stream.base.has_suspect)
                if stream.path is not None:
                    now_states, now_reasons = stream.path.counts()
                    states, reasons = states + now_states, reasons + now_reasons
                    pending = stream.path.n_pending + stream.base.n_waiting
            streams[name] = StreamCounters(
                **by_name,
                pending=pending,
                **{counter: states[state] for state, counter in _STATES.items()},
                reasons=dict(sorted(reasons.items())),
            )
        return CountersReport(time=time, streams=streams, n_refused=n_refused)

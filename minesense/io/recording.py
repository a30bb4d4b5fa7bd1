"""A recording as a file holds it, and the sweep that processing takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Sweep
from .line_sweep import make_line_sweep
from .nmea import Fix
from .survey import (
    Decode,
    Survey,
    blocks_of,
    release,
    survey_samples,
    type_limits,
    warn_about_samples,
)
from .traces import TRACE_FIELDS, Load, TraceFields, no_positions, shift_fixes
from .trouble import Correction, Findings

__all__ = [
    "Draft",
    "Recording",
    "no_positions",
    "survey_samples",
    "warn_about_samples",
]

Floats = npt.NDArray[np.float64]

#: Recordings of up to as many bytes of samples are looked through when they are opened.
LOOKED_THROUGH = 64 * 2**20


@dataclass(slots=True)
class _Memory:
    """What a recording has found out so far."""

    findings: Findings
    traces: TraceFields | None = None
    survey: Survey | None = None
    is_surveyed: bool = False  #: whether the doubts about samples are among the warnings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """
    One file of a radar: samples as stored, and what header and sidecars say about them.

    Fields that a file does not tell are None, or NaN for single traces. Nothing here is
    invented: where a value was replaced, `corrections` says so.
    """

    path: Path
    format: str  #: name in :data:`minesense.io.formats.FORMATS`
    stored: npt.NDArray[Any]  #: (n_traces, n_channels, n_samples) as in the file, read-only
    offset: int  #: mid-scale of the stored samples, in counts
    header_words: tuple[int, ...]  #: per channel, leading samples that are no signal
    sample_interval: float  #: s; sample k lies at k times this
    window: float  #: s, number of samples times the interval
    time_zero: float | None = None  #: s after sample 0, as the header says; often wrong
    spacing: float | None = None  #: m between traces
    trace_interval: float | None = None  #: s between traces of a time-triggered recording
    fixes: tuple[Fix, ...] = ()  #: what position was interpolated from
    centre_frequency: float | None = None  #: Hz, nominal, as the header says
    antenna_separation: float | None = None  #: m
    is_offset_gather: bool = False  #: distance is antenna offset: not to be imaged
    date: str | None = None  #: ISO date, or date and time, of the instrument's clock
    header: Mapping[str, Any] = field(default_factory=dict)  #: as read
    sources: Mapping[str, str] = field(default_factory=dict)  #: which field told what
    start: int = 0  #: index in the file of the first trace
    n_stored_traces: int  #: of the file, of which this may be a part
    decode: Decode | None = None  #: what makes numbers of stored words; None if they are
    load: Load = field(repr=False)  #: reads what is known of each trace
    memory: _Memory = field(repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Traces, channels and samples."""
        n_traces, n_channels, n_samples = self.stored.shape
        return n_traces, n_channels, n_samples

    def __len__(self) -> int:
        """Return the number of traces."""
        return len(self.stored)

    def __getitem__(self, traces: slice) -> Recording:
        """
        Return a range of traces as a recording; only its part of the file is read.

        In a large file that was not looked through, what counts from the first trace on
        (midnights of a clock) counts from the first of the range.
        """
        if not isinstance(traces, slice) or traces.step not in (None, 1):
            msg = f"Invalid traces '{traces}'. Must be a slice without a step."
            raise TypeError(msg)
        start, stop, _ = traces.indices(len(self))
        stop = max(start, stop)
        findings = Findings(self.path, strict=self.memory.findings.strict)
        findings.warnings += self.memory.findings.warnings
        findings.corrections += self.memory.findings.corrections
        known = self.memory.traces
        return replace(
            self,
            stored=self.stored[start:stop],
            start=self.start + start,
            fixes=shift_fixes(self.fixes, start, stop),
            memory=_Memory(findings, None if known is None else known[start:stop]),
        )

    @property
    def traces(self) -> TraceFields:
        """What is known of each trace, read when it is first asked for."""
        if self.memory.traces is None:
            with self._finding() as findings:
                stop = self.start + len(self)
                self.memory.traces = self.load(findings, self.start, stop)
        return self.memory.traces

    @property
    def distance(self) -> Floats | None:
        """(n_traces,) m along the line, NaN where unknown."""
        return self.traces.distance

    @property
    def times(self) -> Floats | None:
        """(n_traces,) s, of the instrument's own clock."""
        return self.traces.times

    @property
    def latitude(self) -> Floats:
        """(n_traces,) degrees, north positive, NaN where unknown."""
        return self.traces.latitude

    @property
    def longitude(self) -> Floats:
        """(n_traces,) degrees, east positive, NaN where unknown."""
        return self.traces.longitude

    @property
    def altitude(self) -> Floats:
        """(n_traces,) m above the geoid, NaN where unknown."""
        return self.traces.altitude

    @property
    def marks(self) -> npt.NDArray[np.int64]:
        """Indices of traces with a mark or fiducial."""
        return self.traces.marks

    @property
    def mark_labels(self) -> tuple[str, ...]:
        """Text or code of each mark."""
        return self.traces.mark_labels

    @property
    def scan_counter(self) -> npt.NDArray[np.int64] | None:
        """(n_traces,) as stored, None if the file has none."""
        return self.traces.scan_counter

    @property
    def quality(self) -> npt.NDArray[np.int64]:
        """(n_traces,) flags known from headers."""
        return self.traces.quality

    @property
    def n_clipped(self) -> npt.NDArray[np.int64]:
        """(n_traces, n_channels) samples at a limit of the stored type."""
        return self.survey().n_clipped

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Values that the reader or its caller replaced, so far."""
        return tuple(self.memory.findings.corrections)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing or doubtful, so far: see :meth:`survey`."""
        return tuple(self.memory.findings.warnings)

    def survey(self) -> Survey:
        """
        Pass once over traces and samples, and return limits and counts of the samples.

        Returns
        -------
        survey : Survey
            Kept for the next call.

        Raises
        ------
        FormatError
            If a header of a trace contradicts the others; in strict mode also for a warning.

        Warns
        -----
        FormatWarning
            For samples and headers of traces that are doubtful. A recording of up to 64 MiB
            was looked through when it was opened, and warned then.
        """
        if self.memory.survey is None:
            self.memory.survey = survey_samples(
                self.stored, self.header_words, decode=self.decode
            )
        if not self.memory.is_surveyed:
            self.traces  # noqa: B018 - warns of what is doubtful there
            with self._finding() as findings:
                warn_about_samples(findings, self.memory.survey, self.stored)
            self.memory.is_surveyed = True
        return self.memory.survey

    @contextlib.contextmanager
    def _finding(self) -> Iterator[Findings]:
        """Collect warnings in the block, and issue those that are new after it."""
        findings = self.memory.findings
        n_known = len(findings.warnings)
        yield findings
        known = set(findings.warnings[:n_known])  # a part says again what the whole has said
        findings.warnings[n_known:] = [
            text for text in findings.warnings[n_known:] if text not in known
        ]
        if findings.is_open:
            findings.emit(first=n_known, stacklevel=5)

    @property
    def samples(self) -> npt.NDArray[np.float32]:
        """
        Samples in counts around zero, float32, as a new array.

        Words that hold a counter or a mark take the value of the first sample behind
        them; zero there would ring in filters. Exact up to 2^24 in magnitude.
        """
        result = np.empty(self.stored.shape, np.float32)
        for number, (start, stop) in enumerate(blocks_of(self.stored)):
            block = self.stored[start:stop]
            with np.errstate(over="ignore"):  # infinite in float32: flagged by to_sweep
                result[start:stop] = block if self.decode is None else self.decode(block)
            # A 32-bit integer less its offset may not fit; no 32-bit format has an offset.
            if self.offset:
                result[start:stop] -= np.float32(self.offset)
            if number % 32 == 31:
                release(self.stored)
        for channel, n_words in enumerate(self.header_words):
            if n_words:
                result[:, channel, :n_words] = result[:, channel, n_words : n_words + 1]
        return result

    @property
    def clipped(self) -> npt.NDArray[np.bool_]:
        """Which samples sit at a limit of the stored type, as a new array."""
        mask = np.zeros(self.stored.shape, bool)
        limits = type_limits(self.stored.dtype)
        if limits is not None and self.decode is None:
            for channel, n_words in enumerate(self.header_words):
                signal = self.stored[:, channel, n_words:]
                mask[:, channel, n_words:] = (signal == limits[0]) | (signal == limits[1])
        return mask

    def to_sweep(
        self,
        *,
        lane: str | None = None,
        spacing: float | None = None,
        centre_frequency: float | None = None,
        max_clipped: float = 0.25,
        traces: slice | None = None,
    ) -> Sweep:
        """
        Return the recording as a sweep along its own line.

        Parameters
        ----------
        lane : str, optional
            Name of the lane; the file's stem if not given.
        spacing : float, optional
            Distance between traces in metres, instead of what the file says.
        centre_frequency : float, optional
            Of the antenna, in hertz, instead of what the header says. Without either it is
            estimated by :func:`~minesense.io.spectrum.estimate_centre_frequency`.
        max_clipped : float, optional
            Largest fraction of clipped samples in a channel of a trace that stays
            usable. A clipped direct wave is normal.
        traces : slice, optional
            Which traces, all if not given; only their part of the file is read.

        Returns
        -------
        sweep : Sweep
            In counts. Northing is the distance from the first trace along the line. A
            trace without distance has the flag POSE_NONE; all traces of an offset gather
            have it, and OUT_OF_DOMAIN. Above `max_clipped` a trace is SATURATED, with NaN
            or infinite samples NOT_FINITE. Without increasing times in the file, index
            times the nominal interval stands in, flagged TIME_COARSE.

        Raises
        ------
        FormatError
            If headers of the traces contradict each other.
        TypeError, ValueError
            If an option is not a number, finite and greater than zero, `max_clipped` does
            not lie between 0 and 1, or the centre frequency must be estimated and no
            trace tells it.
        """
        return make_line_sweep(
            self if traces is None else self[traces],
            lane=lane,
            spacing=spacing,
            centre_frequency=centre_frequency,
            max_clipped=max_clipped,
        )


@dataclass(slots=True, kw_only=True)
class Draft:
    """
    A recording while it is being read.

    Fields of single traces are either among `fields`, or read by `load` when needed.
    """

    findings: Findings
    header: dict[str, Any]
    sources: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)  #: of the recording, so far
    load: Load | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self.findings.path

    def finish(self) -> Recording:
        """Return the recording, looked through if it is not large, and issue the warnings."""
        fields = dict(self.fields)
        single = {name: fields.pop(name) for name in TRACE_FIELDS if name in fields}
        traces = None if self.load else TraceFields(**single)
        n_clipped = fields.pop("n_clipped", None)  # of a reader that has surveyed itself
        memory = _Memory(self.findings, traces, None, n_clipped is not None)
        recording = Recording(
            path=self.path,
            header=self.header,
            sources=self.sources,
            n_stored_traces=len(fields["stored"]),
            load=self.load or _nothing_to_load,
            memory=memory,
            **fields,
        )
        if recording.stored.nbytes <= LOOKED_THROUGH:
            self.findings.is_open = False  # all are issued below, in one go
            recording.survey()
            self.findings.is_open = True
        self.findings.emit(stacklevel=4)
        return recording


def _nothing_to_load(findings: Findings, start: int, stop: int) -> TraceFields:
    """Stand in where the reader has given the fields of all traces."""
    raise AssertionError((findings.path, start, stop))

"""A recording as a file holds it, and the sweep that processing takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_positive, check_probability
from .._version import __version__
from ..sensor import Radar, Sensor
from ..sweep import Frame, Quality, Sweep
from .nmea import Fix
from .spectrum import estimate_centre_frequency
from .trouble import Correction, Findings

Floats = npt.NDArray[np.float64]

#: The frame of sweeps made from recordings that know distance only.
LINE_FRAME = Frame(
    crs="local", origin="first trace; northing = distance along the line, easting = 0"
)

_BLOCK = 2**20  # samples looked at in one go: bounds the memory of a pass over a file


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """
    One file of a radar: samples as stored, and what header and sidecars say about them.

    Fields that a file does not tell are None, or NaN for single traces. Nothing here is
    invented: where a value was replaced, `corrections` says so.
    """

    path: Path
    format: str  #: "dzt" or "dt1"
    stored: npt.NDArray[Any]  #: (n_traces, n_channels, n_samples) as in the file, read-only
    offset: int  #: mid-scale of the stored samples, in counts
    header_words: tuple[int, ...]  #: per channel, leading samples that are no signal
    sample_interval: float  #: s; sample k lies at k times this
    window: float  #: s, number of samples times the interval
    time_zero: float | None = None  #: s after sample 0, as the header says; often wrong
    spacing: float | None = None  #: m between traces
    trace_interval: float | None = None  #: s between traces of a time-triggered recording
    distance: Floats | None = None  #: (n_traces,) m along the line, NaN where unknown
    times: Floats | None = None  #: (n_traces,) s, of the instrument's own clock
    latitude: Floats  #: (n_traces,) degrees, north positive, NaN where unknown
    longitude: Floats  #: (n_traces,) degrees, east positive, NaN where unknown
    altitude: Floats  #: (n_traces,) m above the geoid, NaN where unknown
    fixes: tuple[Fix, ...] = ()  #: what position was interpolated from
    centre_frequency: float | None = None  #: Hz, nominal, as the header says
    antenna_separation: float | None = None  #: m
    is_offset_gather: bool = False  #: distance is antenna offset: not to be imaged
    date: str | None = None  #: ISO date, or date and time, of the instrument's clock
    marks: npt.NDArray[np.int64]  #: indices of traces with a mark or fiducial
    mark_labels: tuple[str, ...] = ()  #: text or code of each mark
    scan_counter: npt.NDArray[np.int64] | None = None  #: (n_traces,) as stored
    quality: npt.NDArray[np.int64]  #: (n_traces,) flags known from headers
    n_clipped: npt.NDArray[np.int64]  #: (n_traces, n_channels) samples at a limit
    header: Mapping[str, Any] = field(default_factory=dict)  #: as read
    sources: Mapping[str, str] = field(default_factory=dict)  #: which field told what
    corrections: tuple[Correction, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Traces, channels and samples."""
        n_traces, n_channels, n_samples = self.stored.shape
        return n_traces, n_channels, n_samples

    @property
    def samples(self) -> npt.NDArray[np.float32]:
        """
        Samples in counts around zero, float32, as a new array.

        Words that hold a counter or a mark take the value of the first sample behind
        them; zero there would ring in filters. Exact up to 2^24 in magnitude.
        """
        # A 32-bit integer less its offset may not fit; no 32-bit format has an offset.
        result = self.stored.astype(np.float32)
        if self.offset:
            result -= np.float32(self.offset)
        for channel, n_words in enumerate(self.header_words):
            result[:, channel, :n_words] = result[:, channel, n_words : n_words + 1]
        return result

    @property
    def clipped(self) -> npt.NDArray[np.bool_]:
        """Which samples sit at a limit of the stored type, as a new array."""
        mask = np.zeros(self.stored.shape, bool)
        limits = type_limits(self.stored.dtype)
        if limits is not None:
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
        TypeError, ValueError
            If an option is not a number, finite and greater than zero, `max_clipped` does
            not lie between 0 and 1, or the centre frequency must be estimated and no
            trace tells it.
        """
        max_clipped = check_probability(max_clipped, "max_clipped")
        n_traces, n_channels, n_samples = self.shape
        samples = self.samples
        history = [f"minesense {__version__}: read {self.format} {self.path.name}"]
        history += [f"warning: {text}" for text in self.warnings]
        quality = self.quality.copy()

        time, line = self._time()
        if line:
            quality |= Quality.TIME_COARSE
            history.append(line)
        distance, line = self._distance(spacing)
        history.append(line)
        position = np.zeros((n_traces, 3))
        position[:, 1] = distance
        no_pose = np.isnan(distance)
        position[no_pose] = np.nan
        quality[no_pose] |= Quality.POSE_NONE
        if self.is_offset_gather:
            quality |= Quality.OUT_OF_DOMAIN
            history.append("survey mode: distance is antenna offset, not a position")

        n_signal = n_samples - np.asarray(self.header_words)
        saturated = (self.n_clipped / n_signal).max(axis=1) > max_clipped
        quality[saturated] |= Quality.SATURATED
        finite = np.isfinite(samples).all(axis=(1, 2))
        quality[~finite] |= Quality.NOT_FINITE
        history.append(
            f"clipped: {int(self.n_clipped.sum())} samples in "
            f"{np.count_nonzero(self.n_clipped.any(axis=1))} of {n_traces} traces; "
            f"{np.count_nonzero(saturated)} traces flagged SATURATED, above {max_clipped:g}"
        )
        if n_channels > 1:
            history.append(f"lever arms of {n_channels} channels unknown: taken as zero")
        frequency, line = self._frequency(centre_frequency, samples, finite & ~saturated)
        history.append(line)
        sensor = Sensor(
            name=f"{self.format} {self.header.get('antenna', '')}".strip(),
            kind="gpr",
            axis=self.sample_interval * np.arange(n_samples, dtype=np.float64),
            lever_arms=np.zeros((n_channels, 3)),
            radar=Radar(centre_frequency=frequency, separation=self.antenna_separation or 0.0),
        )
        return Sweep(
            samples=samples,
            time=time,
            position=position,
            heading=np.where(no_pose, np.nan, 0.0),
            quality=quality,
            sensor=sensor,
            lane=self.path.stem if lane is None else lane,
            frame=LINE_FRAME,
            history=tuple(history),
        )

    def _time(self) -> tuple[Floats, str]:
        """Return times that increase, and a line of history if they stand in."""
        if self.times is not None:
            if np.isfinite(self.times).all() and (np.diff(self.times) > 0).all():
                return self.times, ""
            why = "recorded times do not increase"
        else:
            why = "none recorded"
        interval = self.trace_interval
        words = f"nominal {interval:g} s" if interval else "1 s, an order and no duration"
        line = f"time: {why}; trace index x {words}"
        return (interval or 1.0) * np.arange(self.shape[0], dtype=np.float64), line

    def _distance(self, spacing: float | None) -> tuple[Floats, str]:
        """Return distance from the first trace, NaN where unknown, and where it is from."""
        n_traces = self.shape[0]
        if spacing is not None:
            spacing = check_positive(spacing, "spacing")
            distance = spacing * np.arange(n_traces, dtype=np.float64)
            line = f"position: trace index x {spacing:g} m, given by the caller"
        elif self.distance is not None:
            distance, source = self.distance, self.sources.get("spacing", "file")
            line = f"position: distance along the line by {source}"
        else:
            return np.full(n_traces, np.nan), "position: unknown, no distance in the file"
        if self.is_offset_gather:
            return np.full(n_traces, np.nan), "position: unknown, file holds antenna offsets"
        known = distance[~np.isnan(distance)]
        if not len(known):
            return distance, "position: unknown, no distance in the file"
        if known[-1] < known[0]:
            return known[0] - distance, f"{line}, which falls: sign reversed"
        return distance - known[0], line

    def _frequency(
        self,
        given: float | None,
        samples: npt.NDArray[np.float32],
        usable: npt.NDArray[np.bool_],
    ) -> tuple[float, str]:
        """Return the centre frequency and where it is from."""
        header = self.centre_frequency
        if given is not None:
            given = check_positive(given, "centre_frequency")
            instead = f" instead of {header:g} Hz by the header" if header else ""
            return given, f"centre frequency: {given:g} Hz, given by the caller{instead}"
        if header is not None:
            return header, f"centre frequency: {header:g} Hz by the header"
        frequency = estimate_centre_frequency(samples[usable], self.sample_interval)
        return frequency, f"centre frequency: {frequency:g} Hz, estimated from the spectrum"


def type_limits(dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """Return the smallest and largest number of an integer type, None for floats."""
    if dtype.kind not in "iu":
        return None
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A recording while it is being read."""

    findings: Findings
    header: dict[str, Any]
    sources: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)  #: of the recording, so far

    @property
    def path(self) -> Path:
        """The file."""
        return self.findings.path

    def finish(self) -> Recording:
        """Return the recording and issue the warnings."""
        recording = Recording(
            path=self.path,
            header=self.header,
            sources=self.sources,
            corrections=tuple(self.findings.corrections),
            warnings=tuple(self.findings.warnings),
            **self.fields,
        )
        self.findings.emit(stacklevel=4)
        return recording


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """What one pass over the stored samples finds, leading words left out."""

    smallest: float
    largest: float
    n_clipped: npt.NDArray[np.int64]  #: (n_traces, n_channels)
    n_signal: int  #: samples looked at
    n_not_finite: int
    first_not_finite: tuple[int, int, int] | None  #: trace, channel, sample


def survey_samples(
    stored: npt.NDArray[Any], header_words: tuple[int, ...] | list[int]
) -> Survey:
    """
    Return limits and counts of stored samples, read block by block.

    Parameters
    ----------
    stored : (n_traces, n_channels, n_samples) ndarray
        Samples of a file, mapped or not.
    header_words : sequence of int
        Per channel, leading samples to leave out.

    Returns
    -------
    survey : Survey
        `smallest` and `largest` are of finite samples, NaN if there are none.
    """
    n_traces, n_channels, n_samples = stored.shape
    limits = type_limits(stored.dtype)
    n_clipped = np.zeros((n_traces, n_channels), np.int64)
    smallest, largest, n_bad = math.inf, -math.inf, 0
    first: tuple[int, int, int] | None = None
    rows = max(1, _BLOCK // n_samples)
    for start in range(0, n_traces, rows):
        for channel, n_words in enumerate(header_words):
            block = stored[start : start + rows, channel, n_words:]
            if limits is not None:
                at_limit = (block == limits[0]) | (block == limits[1])
                n_clipped[start : start + rows, channel] = at_limit.sum(axis=1)
            else:
                bad = ~np.isfinite(block)
                if bad.any():
                    n_bad += int(np.count_nonzero(bad))
                    trace, sample = (int(k) for k in np.argwhere(bad)[0])
                    here = (start + trace, channel, n_words + sample)
                    first = min(first or here, here)
                    block = block[~bad]
            if block.size:
                smallest = min(smallest, float(block.min()))
                largest = max(largest, float(block.max()))
    none = smallest > largest
    return Survey(
        smallest=math.nan if none else smallest,
        largest=math.nan if none else largest,
        n_clipped=n_clipped,
        n_signal=n_traces * sum(n_samples - n_words for n_words in header_words),
        n_not_finite=n_bad,
        first_not_finite=first,
    )


def warn_about_samples(findings: Findings, survey: Survey, stored: npt.NDArray[Any]) -> None:
    """Warn of samples that are constant, all clipped, too large for float32 or not finite."""
    if survey.n_not_finite:
        trace, channel, sample = survey.first_not_finite or (0, 0, 0)
        findings.warn(
            f"{survey.n_not_finite} samples are NaN or infinite, the first is sample {sample} "
            f"of trace {trace}, channel {channel}"
        )
    limits = type_limits(stored.dtype)
    if survey.smallest == survey.largest:
        findings.warn(f"all samples have the same value {survey.smallest!r}")
    elif int(survey.n_clipped.sum()) == survey.n_signal:
        findings.warn("all samples are clipped")
    if limits is not None and max(-survey.smallest, survey.largest) > 2**24:
        findings.warn(
            f"samples reach {survey.smallest:.0f} and {survey.largest:.0f}: float32 rounds "
            "them beyond 2^24"
        )


def no_positions(n_traces: int) -> Floats:
    """Return NaN for every trace, read-only, without using memory."""
    return np.broadcast_to(np.float64(np.nan), (n_traces,))

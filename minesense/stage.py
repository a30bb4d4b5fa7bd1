"""Stages, alone and in series. A batch is a stream that nobody waits for."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ._validation import check_increasing, check_shape
from ._version import __version__
from .sensor import Sensor
from .sweep import (
    Quality,
    Samples,
    Sweep,
    assemble,
    belongs_to,
    check_belongs,
    form_of,
    from_stage,
    join,
    no_traces,
)

Flags = npt.NDArray[np.int64]

#: What stays beside the samples of a trace on its way through a stage.
_TRACK = ("time", "position", "heading", "quality")

_GAP = int(Quality.GAP)  # a plain number: masks of flags cost ten times as much

#: Bytes of samples that a long lane goes through its stages in at a time.
_CHUNK = 1 << 21

#: Traces that stages treat together, or a multiple of that: see `subtract_median_blocks`.
_GROUP = 32


class Stage(Protocol):
    """One step of the data flow. Its output does not depend on how a lane is cut."""

    latency: int  #: traces by which the output lags the input

    def process(self, chunk: Sweep) -> Sweep:
        """Take the next chunk of the lane; return what is ready, perhaps no traces."""

    def flush(self) -> Sweep:
        """End the lane: return the tail that look-ahead held back, and reset."""

    def reset(self) -> None:
        """Drop the lane, tail included; the next chunk starts a new one."""


class LaneStage:
    """
    What every stage does alike: check chunks and keep time and place beside the samples.

    A stage derived from this one computes with arrays in three methods: `_begin` at the
    first chunk of a lane, `_advance` for each chunk and `_finish` at its end. The latter
    two return the samples that are ready, in lane order, and flags to add to them or None.
    Traces whose samples mean nothing are False in `is_usable`; whatever a stage returns
    for them leaves it as NaN, still flagged.

    Parameters
    ----------
    **options
        What the stage was made with, for its line in the history.
    """

    latency = 0

    #: Whether a batch gives it a long lane in one piece. It makes nothing of that size but its
    #: results, and what is not finite in a trace leaves some of that trace not finite: so it
    #: is refused as it comes out, and need not be looked for as it goes in.
    _at_once = False

    _input: Sweep | None  # the form of the input, no traces; None before the lane begins
    _last_time: float  # s, of the last trace taken
    _output: Sweep  # the form of the output, no traces
    _track: dict[str, npt.NDArray[Any]]  # of traces not yet released
    _no_track: dict[str, npt.NDArray[Any]]  # of none
    _are_finite = False  # whether the last samples returned are known to be
    _room: Samples | None = None  # where the samples of the next results belong, in a batch

    def __init__(self, **options: Any):
        self.options = options
        self.reset()

    def __repr__(self) -> str:
        """Return the stage as it was made."""
        inner = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{type(self).__name__}({inner})"

    def _begin(self, sensor: Sensor) -> None:
        """Set up the state for a lane of this sensor; raise if it cannot be processed."""

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        """Return what is ready after these traces, and flags to add to them."""
        raise NotImplementedError

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        """Return what look-ahead held back; None if nothing."""
        return None

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        """Return the sensor as it describes the output."""
        return sensor

    def process(self, chunk: Sweep) -> Sweep:
        """
        Take the next chunk of the lane; return the traces that are ready.

        Raises
        ------
        TypeError, ValueError
            If the chunk is not a Sweep, belongs to another lane or sensor than the one
            before, does not follow it in time, or holds a gap behind the lane's start.
        """
        if not isinstance(chunk, Sweep):
            msg = f"Invalid chunk of type {type(chunk).__name__}. Must be a Sweep."
            raise TypeError(msg)
        is_known = self._input is not None and chunk.sensor is self._input.sensor
        if not is_known and chunk.sensor.shape == (0, 0):
            return chunk
        if self._input is None:
            form = form_of(chunk)  # a driver may let its buffers go
            check_follows(chunk, form, -np.inf)
            self._begin(chunk.sensor)
            self._input = form
            history = (*chunk.history, f"minesense {__version__}: {self!r}")
            sensor = self._output_sensor(chunk.sensor)
            self._output = dataclasses.replace(
                no_traces(sensor, chunk.lane), frame=chunk.frame, history=history
            )
            self._track = self._no_track = {name: getattr(form, name) for name in _TRACK}
        else:
            check_follows(chunk, self._input, self._last_time)
        if len(chunk):
            self._last_time = float(chunk.time[-1])
            self._track = self._extend(chunk)  # copies: a driver may reuse its buffers
        samples, flags = self._advance(chunk.samples, chunk.is_usable)
        return self._release(samples, flags)

    def flush(self) -> Sweep:
        """End the lane: return the traces held back, and reset."""
        if self._input is None:
            self.reset()
            return no_traces()
        tail = self._finish()
        result = self._output if tail is None else self._release(*tail)
        self.reset()
        return result

    def reset(self) -> None:
        """Drop the lane and what is held back of it."""
        self._input = None
        self._last_time = -np.inf
        self._output = no_traces()
        self._track = {}
        self._room = None

    def _new_samples(self, shape: tuple[int, ...]) -> Samples:
        """Return memory for the samples of the next results; in a batch, where they belong."""
        room = self._room
        if room is not None and shape[0] <= len(room) and shape[1:] == room.shape[1:]:
            return room[: shape[0]]
        return np.empty(shape, np.float32)

    def _extend(self, chunk: Sweep) -> dict[str, npt.NDArray[Any]]:
        """Return the track that is held, with that of a chunk behind it."""
        if not len(self._track["time"]):
            return {name: getattr(chunk, name).copy() for name in _TRACK}
        return {
            name: np.concatenate([held, getattr(chunk, name)])
            for name, held in self._track.items()
        }

    def _release(self, samples: Samples, flags: Flags | None) -> Sweep:
        """Return results as a Sweep, with the track of the traces they belong to."""
        n = len(samples)
        ready: dict[str, Any] = self._track
        if n == len(ready["time"]):
            self._track = self._no_track
        else:
            ready = {name: held[:n] for name, held in self._track.items()}
            self._track = {name: held[n:] for name, held in self._track.items()}
        if flags is not None:
            check_shape(flags, "flags", (n,))
            ready = {**ready, "quality": ready["quality"] | flags}
        are_finite, self._are_finite = self._are_finite, False
        return from_stage(self._output, samples, **ready, are_finite=are_finite)


def check_follows(chunk: Sweep, form: Sweep, last_time: float) -> None:
    """
    Raise unless a chunk continues a lane.

    Parameters
    ----------
    chunk : Sweep
        The next traces.
    form : Sweep
        Of the lane: its name, sensor and frame; traces do not count.
    last_time : float
        Of the last trace, s; minus infinity at the start of the lane.

    Raises
    ------
    ValueError
        If lane, sensor or frame differ, time does not go on, or a gap lies inside.

    Examples
    --------
    >>> from minesense.sweep import no_traces
    >>> check_follows(no_traces(), no_traces(), 0.0)
    """
    if not belongs_to(chunk, form):
        msg = (
            f"Invalid chunk: {chunk.sensor.shape} channels and samples of lane "
            f"'{chunk.lane}', sensor '{chunk.sensor.name}'. Must be {form.sensor.shape} of "
            f"lane '{form.lane}', sensor '{form.sensor.name}', in the same frame: flush or "
            "reset between lanes."
        )
        raise ValueError(msg)
    if len(chunk) and chunk.time[0] <= last_time:
        msg = (
            f"Invalid chunk: its time {float(chunk.time[0])} s is not after {last_time} s. "
            "Must follow the chunk before."
        )
        raise ValueError(msg)
    gaps = chunk.quality & _GAP
    if not np.count_nonzero(gaps):  # at half of what any() takes for a scan
        return
    if gaps[0 if math.isfinite(last_time) else 1 :].any():
        msg = (
            f"Invalid chunk: a gap lies before {np.count_nonzero(gaps)} of its traces, the "
            f"first is trace {np.argmax(gaps)}. Must be continuous: use split_at_gaps."
        )
        raise ValueError(msg)


class Pipeline:
    """Stages in series, in the order the data visits them; itself a stage."""

    def __init__(self, first: Stage, *others: Stage):
        self.stages = (first, *others)
        self.latency = sum(stage.latency for stage in self.stages)

    def __repr__(self) -> str:
        """Return the stages in order."""
        return f"Pipeline({', '.join(map(repr, self.stages))})"

    def process(self, chunk: Sweep) -> Sweep:
        """Pass a chunk through every stage."""
        for stage in self.stages:
            chunk = stage.process(chunk)
        return chunk

    def flush(self) -> Sweep:
        """End the lane: flush each stage into the next; return the tail."""
        tail = self.stages[0].flush()
        for stage in self.stages[1:]:
            tail = join([stage.process(tail), stage.flush()])
        return tail

    def reset(self) -> None:
        """Reset every stage."""
        for stage in self.stages:
            stage.reset()


def stream(stage: Stage, chunks: Iterable[Sweep]) -> Iterator[Sweep]:
    """Yield the results of one lane, chunk by chunk, then its tail."""
    stage.reset()
    for chunk in chunks:
        yield stage.process(chunk)
    yield stage.flush()


def run_lane(stage: Stage, sweep: Sweep) -> Sweep:
    """
    Return the result of a whole lane: of process(everything), then flush().

    Long lanes go through in chunks, which changes nothing but memory: beside lane and
    result, stages hold copies of a chunk, not of the lane. A stage alone that copies nothing
    takes it in one piece.
    """
    if not isinstance(sweep, Sweep):
        return join(list(stream(stage, [sweep])))  # refused there
    # at least some windows of the stage: what it does once for each chunk shall count little;
    # and whole groups of the traces that it treats together
    least = -(-4 * stage.latency // _GROUP) * _GROUP
    n = max(1, _CHUNK // max(1, sweep.samples[:1].nbytes), least)
    if len(sweep) <= n:
        return join(list(stream(stage, [sweep])))
    end = stage.stages[-1] if isinstance(stage, Pipeline) else stage
    last = end if isinstance(end, LaneStage) else None

    def chunks() -> Iterator[Sweep]:
        if last is not None:  # most results have the shape of what they are made from
            last._room = np.empty(sweep.samples.shape, np.float32)
        if stage is last and last._at_once:
            yield sweep
            return
        for begin in range(0, len(sweep), n):
            yield sweep[begin : begin + n]

    try:
        return _gather(stream(stage, chunks()), len(sweep), last)
    finally:
        if last is not None:
            last._room = None


def _gather(parts: Iterable[Sweep], n_expected: int, last: LaneStage | None) -> Sweep:
    """
    Return consecutive chunks as one sweep, as join does, without holding them all.

    The stage that made them, if it takes it, is told where they belong, which spares a copy,
    and memory that would be touched for a moment only.
    """
    form, n = no_traces(), 0
    arrays: dict[str, npt.NDArray[Any]] = {}
    for part in parts:
        if part.sensor.shape == (0, 0):
            continue
        if not arrays:
            form = form_of(part)
            arrays = _room_for(part, n_expected, None if last is None else last._room)
        check_belongs(part, form)
        for name, array in _arrays_of(part).items():
            if n + len(part) > len(arrays[name]):
                more = np.empty_like(arrays[name], shape=(n + 2 * len(part), *array.shape[1:]))
                more[:n] = arrays[name][:n]
                arrays[name] = more
            target = arrays[name][n : n + len(part)]
            if name != "samples" or _address(target) != _address(array):
                target[:] = array
        n += len(part)
        if last is not None:
            last._room = arrays["samples"][n:]
    if not arrays:
        return form
    kept: dict[str, Any] = {name: array[:n] for name, array in arrays.items()}
    check_increasing(kept["time"], "time")
    return assemble(form, **kept)


def _room_for(
    part: Sweep, n_expected: int, room: Samples | None
) -> dict[str, npt.NDArray[Any]]:
    """Return memory for a sweep of which this is a part; for samples the room if it fits."""
    n = max(n_expected, len(part))
    return {
        name: room
        if name == "samples" and room is not None and room.shape == (n, *array.shape[1:])
        else np.empty((n, *array.shape[1:]), array.dtype)
        for name, array in _arrays_of(part).items()
    }


def _address(array: npt.NDArray[Any]) -> int:
    """Return where an array begins; `array.ctypes` says it too, at ten times the cost."""
    address: int = array.__array_interface__["data"][0]
    return address


def _arrays_of(part: Sweep) -> dict[str, npt.NDArray[Any]]:
    """Return what a sweep holds for each trace."""
    return {name: getattr(part, name) for name in ("samples", *_TRACK)}

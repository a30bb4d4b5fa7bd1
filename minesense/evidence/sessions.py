"""Sessions of a sensor: tracks and function checks, brought together by time."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Quality
from .function_checks import CheckLog, InvalidInterval, JudgedCheck
from .jumps import Jump, Place, contradicted, jump_between, jumps_in, place_of
from .reasons import Shortfall
from .site import SiteSensor
from .stretches import Stretches, join_stretches, no_stretches, stretches_of
from .track import Track

Numbers = npt.NDArray[np.int64]

_OF_CHECKS = int(Quality.CHECK_FAILED | Shortfall.CHECK_MISSING)


class Session:
    """
    What one sensor recorded between its opening and its closing check.

    Stretches wait until the check after them is known, and for the end of their lane: where
    the position has jumped, what lies on both sides of it is not credited unless the position
    came back (:func:`~minesense.evidence.jumps.contradicted`). Lanes between which a jump was
    flagged, or nothing could have moved so far, are one in this: a stream begins a new one
    there.
    """

    def __init__(self, sensor: SiteSensor, identifier: str) -> None:
        self.sensor, self.identifier = sensor, identifier
        self.checks = CheckLog()
        self.first, self.last = math.inf, -math.inf  # s, of samples and checks
        self.n_unlocated = 0
        self.invalid: list[InvalidInterval] = []
        self._last_sample = -math.inf
        self._lane: str | None = None
        self._n_lanes = 0
        self._tail: Track | None = None
        self._waiting: list[Stretches] = []
        self._was_invalid = False
        self._jumps: list[Jump] = []  # of the lane, and of those that it goes on from
        self._open_from = -math.inf  # s, where that began
        self._last_place: Place | None = None
        self._since = 0  # flags of the samples without a place after it
        self._is_located = False  # whether the lane has a place yet

    def check_order(self, track: Track) -> None:
        """Raise if a track begins before the end of what was recorded."""
        if track.time[0] <= self._last_sample:
            msg = (
                f"Invalid lane '{track.lane}' of session '{self.identifier}', sensor "
                f"'{self.sensor.identifier}': it begins at {track.time[0]} s, and samples up "
                f"to {self._last_sample} s came before. Must be in order of time."
            )
            raise ValueError(msg)
        tail = self._tail
        if tail is not None and track.lane == self._lane:
            same = (tail.speed is None) == (track.speed is None)
            if not (same and np.array_equal(tail.lever_arms, track.lever_arms)):
                msg = (
                    f"Invalid chunk of lane '{track.lane}', sensor '{track.sensor}': lever "
                    "arms differ from those before, or speeds are there only in a part. Must "
                    "be the same along a lane."
                )
                raise ValueError(msg)

    def add_check(self, judged: JudgedCheck) -> None:
        """Take in a function check."""
        self.checks.add(judged)
        self._widen(judged.check.time, judged.check.time)

    def add(self, track: Track) -> Stretches:
        """Take in a track that `check_order` let pass; return stretches that it changes."""
        self._find_events(track)
        if track.lane != self._lane:
            self._lane, self._tail, self._n_lanes = track.lane, None, self._n_lanes + 1
            self._is_located = False
        self.n_unlocated += int(np.count_nonzero(~track.has_place))
        n_jumps = len(self._jumps)
        self._go_on(track)
        whole = track if self._tail is None else _joined(self._tail, track)
        is_first = self._tail is None or not self._tail.has_place.any()
        stretches = stretches_of(
            whole, self.sensor.gates, lane=self._n_lanes, is_first=is_first
        )
        self._tail = _tail(whole)
        self._widen(float(track.time[0]), float(track.time[-1]))
        self._last_sample = float(track.time[-1])
        if len(stretches.flags):
            self._waiting.append(stretches)
        self._jumps += jumps_in(stretches)
        if len(self._jumps) <= n_jumps:
            return stretches
        self._waiting = [join_stretches(self._waiting)]
        return self._waiting[0]

    def _go_on(self, track: Track) -> None:
        """Follow places from lane to lane; end the open one unless a jump leads out of it."""
        located = np.flatnonzero(track.has_place)
        if not len(located):
            self._since |= int(np.bitwise_or.reduce(track.quality))
            return
        if not self._is_located:
            first = place_of(track, int(located[0]))
            flags = self._since | int(
                np.bitwise_or.reduce(track.quality[: located[0]], initial=0)
            )
            if self._last_place is not None and (
                flags & int(Quality.POSE_JUMP) or self._cannot_be(self._last_place, first)
            ):
                self._jumps.append(jump_between(self._last_place, first))
            else:
                self._end_open()
                self._open_from = first.time
        self._is_located = True
        self._last_place = place_of(track, int(located[-1]))
        self._since = int(np.bitwise_or.reduce(track.quality[located[-1] + 1 :], initial=0))

    def _cannot_be(self, last: Place, first: Place) -> bool:
        """Return whether nothing moves so far between lanes: the jump fell between samples."""
        step = math.hypot(first.easting - last.easting, first.northing - last.northing)
        return step > self.sensor.gates.possible_speed.most * (first.time - last.time)

    def _end_open(self) -> None:
        """Settle what the jumps of the open lane leave of it."""
        if self._jumps:
            waiting = join_stretches(self._waiting)
            self._waiting = [waiting._replace(flags=self._with_jumps(waiting))]
        self._jumps = []

    def _with_jumps(self, stretches: Stretches) -> Numbers:
        """Return the flags of stretches with what the jumps of the open lane say."""
        flags = stretches.flags.copy()
        if self._jumps:
            start = int(np.searchsorted(stretches.times[:, 0], self._open_from, side="left"))
            is_wrong = contradicted(
                stretches.take(slice(start, None)), self._jumps, self.sensor.gates
            )
            flags[start:][is_wrong] |= int(Quality.POSE_JUMP)
        return flags

    def decided(self, *, at_end: bool) -> tuple[Stretches, npt.NDArray[np.int32]]:
        """
        Hand over the stretches whose next check is known, with their epochs.

        At the end all are, and what no check follows is invalid.
        """
        if at_end:
            self._end_open()
            self._open_from = math.inf
        if not self._waiting or not (at_end or self._n_settled(self._waiting[0])):
            return no_stretches(), np.empty(0, np.int32)
        waiting = join_stretches(self._waiting)
        n = len(waiting.flags) if at_end else self._n_settled(waiting)
        self._waiting = [waiting.take(slice(n, None))] if n < len(waiting.flags) else []
        result, epochs = self._checked(waiting.take(slice(n)), Shortfall.CHECK_MISSING)
        self._note_invalid(result)
        return result, epochs

    def _n_settled(self, stretches: Stretches) -> int:
        """Return how many of waiting stretches have an end of their lane, and a check."""
        ended = np.searchsorted(stretches.times[:, 0], self._open_from, side="left")
        return min(self.checks.n_decided(stretches.times[:, 1]), int(ended))

    def pending(self) -> tuple[Stretches, npt.NDArray[np.int32]]:
        """Return what waits, flagged CHECK_PENDING where the next check is not known."""
        if not self._waiting:
            return no_stretches(), np.empty(0, np.int32)
        self._waiting = [join_stretches(self._waiting)]
        waiting = self._waiting[0]
        waiting = waiting._replace(flags=self._with_jumps(waiting))
        result, epochs = self._checked(waiting, Shortfall.CHECK_PENDING)
        result.flags[self.checks.n_decided(result.times[:, 1]) :] |= int(
            Shortfall.CHECK_PENDING
        )
        return result, epochs

    def _checked(
        self, stretches: Stretches, missing: Shortfall
    ) -> tuple[Stretches, npt.NDArray[np.int32]]:
        """Return stretches with what checks say of their two ends, and their epochs."""
        flags = stretches.flags.copy()
        for end in (0, 1):
            flags |= self.checks.flags(stretches.times[:, end], missing=missing)
        check_times = np.array([item.check.time for item in self.checks.judged])
        epochs = np.searchsorted(check_times, stretches.times[:, 1], side="right")
        return stretches._replace(flags=flags), epochs.astype(np.int32)

    def _find_events(self, track: Track) -> None:
        """Note breaks and changes of settings, after which a check is due."""
        before = np.concatenate([[self._last_sample], track.time[:-1]])
        pauses = track.time - before > self.sensor.gates.break_time.most
        pauses[:1] &= math.isfinite(self._last_sample)
        changed = (track.quality & int(Quality.SETTING_CHANGED)) != 0
        for k in np.flatnonzero(pauses | changed):
            after_pause = float(np.nextafter(before[k], np.inf))
            self.checks.add_event(
                affected_from=float(track.time[k]),
                checked_from=float(track.time[k]) if changed[k] else after_pause,
            )

    def _note_invalid(self, stretches: Stretches) -> None:
        """Extend the list of intervals that checks made invalid."""
        one = stretches.channels == 0
        flags, times = stretches.flags[one] & _OF_CHECKS, stretches.times[one]
        if not len(flags):
            return
        edges = np.flatnonzero(np.diff(flags)) + 1
        for start, stop in zip([0, *edges], [*edges, len(flags)], strict=True):
            if flags[start]:
                failed = flags[start] & int(Quality.CHECK_FAILED)
                reason = "CHECK_FAILED" if failed else "CHECK_MISSING"
                begin, end = float(times[start, 0]), float(times[stop - 1, 1])
                n = int(stop - start)
                last = self.invalid[-1] if self.invalid else None
                if last and self._was_invalid and last.reason == reason:
                    begin, n = last.start, n + last.n_samples
                    self.invalid.pop()
                self.invalid.append(
                    InvalidInterval(
                        sensor=self.sensor.identifier,
                        session=self.identifier,
                        start=begin,
                        stop=end,
                        reason=reason,
                        n_samples=n,
                    )
                )
            self._was_invalid = bool(flags[start])

    def _widen(self, first: float, last: float) -> None:
        """Take a span of time into the session."""
        self.first, self.last = min(self.first, first), max(self.last, last)


def _joined(tail: Track, track: Track) -> Track:
    """Return a track with the end of what came before it."""
    parts: dict[str, Any] = {
        name: np.concatenate([getattr(tail, name), getattr(track, name)])
        for name in ("time", "position", "heading", "height", "tilt", "position_error",
                     "quality", "noise")
    }  # fmt: skip
    if tail.speed is not None and track.speed is not None:
        parts["speed"] = np.concatenate([tail.speed, track.speed])
    return dataclasses.replace(track, **parts)


def _tail(track: Track) -> Track:
    """Return the last located sample, and one for all that came after it."""
    located = np.flatnonzero(track.has_place)
    last = len(track) - 1
    if len(located) and located[-1] == last:
        return track[last:]
    flags = track.quality[located[-1] + 1 :] if len(located) else track.quality
    quality = track.quality.copy()
    quality[last] = np.bitwise_or.reduce(flags)
    kept = [located[-1], last] if len(located) else [last]
    merged = dataclasses.replace(track, quality=quality)
    return merged[np.array(kept)]

"""The stamps of one stream on the task's clock: what is taken, what is not, and why."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..message import PositionMessage, SensorMessage, StreamDeclaration
from ..sweep import Quality

Timed = SensorMessage | PositionMessage

#: Newest messages of a stream that a duplicate is looked for among.
_N_RECENT = 16

#: Messages of a stream that wait to be put in order, at most.
_MOST_WAITING = 65536

#: Sequence numbers that differ by more mean that the device counts anew.
_RESTART = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A message that is processed, and when what it tells of happened."""

    message: Timed
    time: float  #: s of the task's clock, of the physical event; rising in each stream
    flags: int
    time_error: float  #: s, by which resolution and lost digits may have moved it
    begins: bool = False  #: the clock was set before it: nothing goes on across


@dataclass(frozen=True, slots=True, eq=False)
class Rejected:
    """A message that is not processed, and the counter that it belongs to."""

    message: Timed
    reason: str


class Timebase:
    """
    Take the messages of one stream in the order of their arrival; return them in that of time.

    Parameters
    ----------
    declaration : StreamDeclaration
        Offset, lag, lateness, rate and resolution of the stream.
    time_jump : float
        Seconds between a stamp and those before it from which it is an outlier, unless the
        next one agrees with it.

    Notes
    -----
    A message of stamp t tells of what happened at :math:`t + o - l`, with the declared offset
    o and lag l; neither is changed while the stream runs. With the allowed lateness
    :math:`L` and the newest stamp :math:`n`, the watermark is :math:`n - L`: what is older
    when it arrives is late and not processed, and what is in order leaves when the
    watermark passes it.

    One stamp that jumps is rejected. If the next one agrees with it the clock was set: both are
    taken, and the first of them begins anew. A stamp for two different messages stays in the
    order of arrival, both with TIME_DUPLICATE, the second later by the least step there is.
    Three whole seconds in a row that repeat mean that digits were lost: TIME_COARSE. They are
    spread over the second if the rate was declared, else not.

    Examples
    --------
    >>> from minesense.message import FixClass
    >>> from minesense.sweep import Frame
    >>> stream = StreamDeclaration(
    ...     name="gnss", kind="position", clock="utc", frame=Frame(), height_datum="geoid",
    ...     lever_arm=(0.0, 0.0, 1.0), lateness=0.15,
    ... )
    >>> base = Timebase(stream, time_jump=2.0)
    >>> def fix(k, stamp):
    ...     return PositionMessage(
    ...         stream="gnss", sequence=k, stamp=stamp, coordinates=(stamp, 0.0, 0.0),
    ...         fix=FixClass.FIXED,
    ...     )
    >>> out = [base.take(fix(k, t)) for k, t in enumerate([0.0, 0.2, 0.1, 0.4, 0.05])]
    >>> [item.time for taken, _ in out for item in taken]
    [0.0, 0.1, 0.2]
    >>> [item.reason for _, rejected in out for item in rejected]
    ['late']
    """

    def __init__(self, declaration: StreamDeclaration, *, time_jump: float):
        self.declaration = declaration
        self.shift = declaration.offset - declaration.lag
        slow = 3 / declaration.rate if declaration.rate else 0.0
        self._jump = max(time_jump, slow, 2 * declaration.lateness)
        self.n_reordered = self.n_missing = 0
        self._newest = -math.inf  # stamp, as it came
        self._mark = -math.inf  # stamp, spread where digits were lost
        self._last_time = -math.inf  # task time of the last one released
        self._sequence: int | None = None
        self._waiting: list[tuple[float, int, Timed, int, float, bool]] = []
        self._count = 0
        self._suspect: Timed | None = None
        self._recent: deque[Timed] = deque(maxlen=_N_RECENT)
        # whole seconds: how many messages the newest one has, and whether that is the rule
        self._second = -math.inf
        self._in_second = 0
        self._is_coarse = False
        self._is_whole_second = False  # the second was seen from its beginning, none missing

    @property
    def newest(self) -> float:
        """Task time of the newest stamp that was believed; minus infinity before the first."""
        return self._mark + self.shift

    @property
    def watermark(self) -> float:
        """Task time before which nothing will be taken any more."""
        return self.newest - self.declaration.lateness

    @property
    def n_waiting(self) -> int:
        """Messages that were accepted and wait to be put in order."""
        return len(self._waiting)

    @property
    def has_suspect(self) -> bool:
        """Whether a stamp that jumped waits for the next one."""
        return self._suspect is not None

    def take(self, message: Timed) -> tuple[list[Taken], list[Rejected]]:
        """
        Take the next message of the stream.

        Parameters
        ----------
        message : SensorMessage or PositionMessage
            As it arrived.

        Returns
        -------
        taken : list of Taken
            What is in order now, rising in time.
        rejected : list of Rejected
            What is settled not to be processed.
        """
        stamp = message.stamp
        if not math.isfinite(stamp):
            self._note_sequence(message)
            return [], [Rejected(message, "not_a_time")]
        flags = 0
        for other in self._recent:
            if other.stamp == stamp:
                if _is_same(other, message):
                    return [], [Rejected(message, "duplicate")]
                flags |= int(Quality.TIME_DUPLICATE)
        missing = self._note_sequence(message)
        suspect = self._suspect
        if suspect is not None:
            return self._decide(suspect, message, flags, missing)
        if self._newest > -math.inf and abs(stamp - self._newest) > self._jump:
            self._suspect = message
            return [], []
        return self._accept(message, flags, missing)

    def finish(self) -> tuple[list[Taken], list[Rejected]]:
        """
        End the stream.

        Returns
        -------
        taken : list of Taken
            What waited to be put in order.
        rejected : list of Rejected
            A stamp that jumped last.
        """
        rejected = [] if self._suspect is None else [Rejected(self._suspect, "time_jump")]
        self._suspect = None
        return self._release(math.inf), rejected

    def release(self) -> list[Taken]:
        """
        Return what waits to be put in order: the stream has been silent for too long.

        Returns
        -------
        taken : list of Taken
            Rising in time. A stamp that jumped still waits for the next one.
        """
        return self._release(math.inf)

    def _decide(
        self, suspect: Timed, message: Timed, flags: int, missing: int
    ) -> tuple[list[Taken], list[Rejected]]:
        """Return what the message after a jump settles."""
        if abs(message.stamp - suspect.stamp) <= self._jump:
            is_back = suspect.stamp < self._newest
            taken = self._release(math.inf)
            self._suspect, self._last_time = None, -math.inf
            self._newest = self._mark = -math.inf
            self._recent.clear()
            jump = int(Quality.TIME_BACKWARD) if is_back else 0
            first, refused = self._accept(suspect, jump, 1, begins=True)
            second, late = self._accept(message, flags, missing)
            return taken + first + second, refused + late
        rejected = [Rejected(suspect, "time_jump")]
        if abs(message.stamp - self._newest) <= self._jump + self._jump:
            self._suspect = None
            taken, late = self._accept(message, flags, missing)
            return taken, rejected + late
        self._suspect = message
        return [], rejected

    def _accept(
        self, message: Timed, flags: int, missing: int, begins: bool = False
    ) -> tuple[list[Taken], list[Rejected]]:
        """Put a message in order; return what the watermark has passed."""
        stamp = message.stamp
        late = self._newest - stamp > self.declaration.lateness
        if late and self._newest > -math.inf:
            return [], [Rejected(message, "late")]
        if stamp < self._newest:
            self.n_reordered += 1
        elif flags & int(Quality.TIME_DUPLICATE):
            self._flag_twins(stamp)
        self._recent.append(message)
        self._newest = max(self._newest, stamp)
        stamp, flags, error = self._spread(stamp, flags, missing)
        self._mark = max(self._mark, stamp)
        entry = (stamp, self._count, message, flags, error, begins)
        self._count += 1
        heapq.heappush(self._waiting, entry)
        taken = self._release(self._mark - self.declaration.lateness)
        while len(self._waiting) > _MOST_WAITING:
            taken.append(self._pop())
        return taken, []

    def _flag_twins(self, stamp: float) -> None:
        """Flag those that still wait and have this stamp."""
        flag = int(Quality.TIME_DUPLICATE)
        self._waiting = [
            (t, k, m, f | flag if m.stamp == stamp else f, e, b)
            for t, k, m, f, e, b in self._waiting
        ]

    def _spread(self, stamp: float, flags: int, missing: int) -> tuple[float, int, float]:
        """Return the stamp of a message whose digits may be lost, its flags and its error."""
        error = self.declaration.resolution / 2
        if stamp != math.floor(stamp):
            self._is_coarse, self._second, self._in_second = False, -math.inf, 0
            return stamp, flags, error
        if stamp != self._second:
            self._is_whole_second = stamp == self._second + 1 and missing <= 1
            self._second, self._in_second = stamp, 0
        else:
            self._in_second += 1
            self._is_whole_second &= missing <= 1
        self._is_coarse |= self._in_second >= 2
        if not self._is_coarse:
            return stamp, flags, error
        flags = (flags | int(Quality.TIME_COARSE)) & ~int(Quality.TIME_DUPLICATE)
        rate = self.declaration.rate
        if not rate:
            return stamp, flags, 1.0
        spread = stamp + min(self._in_second / rate, 1 - 1e-6)
        return spread, flags, 1 / rate if self._is_whole_second else 1.0

    def _release(self, watermark: float) -> list[Taken]:
        """Return what is no newer than the watermark."""
        taken = []
        while self._waiting and self._waiting[0][0] <= watermark:
            taken.append(self._pop())
        return taken

    def _pop(self) -> Taken:
        """Return the oldest of those that wait; its time is later than that of the last."""
        stamp, _, message, flags, error, begins = heapq.heappop(self._waiting)
        time = stamp + self.shift
        if begins:
            self._last_time = -math.inf
        if time <= self._last_time:
            time = float(np.nextafter(self._last_time, math.inf))
        self._last_time = time
        return Taken(message, time, flags, error, begins)

    def _note_sequence(self, message: Timed) -> int:
        """Count what is missing; return how many numbers on a message is."""
        number = message.sequence & 0xFFFFFFFF
        if self._sequence is None:
            self._sequence = number
            return 1
        step = (number - self._sequence) & 0xFFFFFFFF
        if step >= 1 << 31:
            step -= 1 << 32
        if abs(step) > _RESTART:
            self._sequence = number
            return 1
        if step > 0:
            self.n_missing += step - 1
            self._sequence = number
        elif step < 0 and self.n_missing:
            self.n_missing -= 1  # it was counted when a later one came
        return step


def _is_same(one: Timed, other: Timed) -> bool:
    """Return whether two messages are one that came twice."""
    if type(one) is not type(other) or one.sequence != other.sequence:
        return False
    if isinstance(one, SensorMessage) and isinstance(other, SensorMessage):
        return one.flags == other.flags and _same_bits(one.samples, other.samples)
    return repr(one) == repr(other)  # NaN is not equal to NaN


def _same_bits(one: Any, other: Any) -> bool:
    """Return whether two arrays hold the same numbers, NaN included."""
    return bool(np.array_equal(one, other, equal_nan=True))

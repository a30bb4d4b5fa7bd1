"""A live session: messages in, events out, without I/O, clocks or threads."""

from __future__ import annotations

import math

from ..detect import Detector, DetectorSettings
from ..message import (
    DeviceFlag,
    Message,
    NoteMessage,
    Packet,
    PositionMessage,
    SensorMessage,
    StreamDeclaration,
)
from ..payload import Decoder, as_recorded, declaration_document
from ..sweep import Quality
from .admission import check_admissible, new_path
from .clock_agreement import agree, read_clock
from .config import StreamConfig
from .counters import SessionCounters
from .events import (
    CountersReport,
    Event,
    Invalidated,
    MessageRejected,
    PayloadRefused,
    StreamAccepted,
    StreamRefused,
)
from .known_stream import KnownStream
from .lanes import LaneBook
from .notes import NoteBook
from .poses import PoseTrack
from .queue import Lost
from .scan_shape import fits
from .timebase import Taken, Timebase


class Session:
    """
    Turn messages of sensors and positions into alarms, coverage and quality, as they come.

    Parameters
    ----------
    config : StreamConfig
        Clocks, limits, and how lanes begin.
    settings : DetectorSettings, optional
        Of the prescreeners; those of the detector, if there is one.
    detector : Detector, optional
        Judges the places of a lane at its end, when both sensors have seen the whole of it.
        It takes back no alarm of a prescreener. Of several sensors of a kind it knows the
        first; the others keep their alarms, OUT_OF_DOMAIN.

    Raises
    ------
    TypeError
        If `config` is no StreamConfig.
    ValueError
        If `settings` beside a detector are not its own.

    Notes
    -----
    **Order decides, not time.** What comes out depends on the messages and their order alone:
    a replay gives the same events bit for bit. No wall clock is read.

    **Latency.** A search score comes with the push of its scan. A scan has its place as soon as
    a fix behind it is in order, or `batch` seconds of scans are; that of a metal detector
    with a rate `step_hold` later. An alarm of a prescreener then lags by the look-ahead of its
    stages, which every alarm states in metres of track. The traces of a radar that declares
    a million samples a second or more, of all its channels, wait for one another for `gather`
    seconds more and go through the stages together, which takes less time; the
    track of these seconds is in what its alarms state. Judged alarms come at the end of a
    lane.

    **Memory.** Held are, for each stream, messages within its lateness (65536 at most), scans
    that wait for positions (`max_held` bytes at most), 4096 fixes and 4096 runs of scans,
    and the windows of the stages. With a detector, also the processed traces of the lane,
    which ends after `longest_lane`.

    **Failure.** If a stage raises, all that was pending in its part is INVALID, the event says
    why, and a new part begins with the next scan.

    Examples
    --------
    >>> from minesense.stream import Session, StreamConfig
    >>> session = Session(StreamConfig(task_clock="utc"))
    >>> session.push(NoteMessage(stream="", sequence=0, stamp=float("nan"), topic="hello"))
    (NoteTaken(stream='', time=nan, topic='hello', content={}),)
    """

    def __init__(
        self,
        config: StreamConfig,
        *,
        settings: DetectorSettings | None = None,
        detector: Detector | None = None,
    ):
        if not isinstance(config, StreamConfig):
            msg = f"Invalid config of type {type(config).__name__}. Must be a StreamConfig."
            raise TypeError(msg)
        if detector is not None and settings not in (None, detector.settings):
            msg = "Invalid settings beside a detector. Must be those that it was trained with."
            raise ValueError(msg)
        self.config, self.detector = config, detector
        self.settings = settings or (detector.settings if detector else DetectorSettings())
        self._book = LaneBook(self.settings, detector)
        self._decoder = Decoder()
        self._streams: dict[str, KnownStream] = {}
        self._counters = SessionCounters()
        self._notes = NoteBook(config, self._book, self._streams)
        self._refused: set[str] = set()
        self._track: PoseTrack | None = None
        self._reference: KnownStream | None = None
        self._n_refused = 0
        self._next_report = -math.inf
        self._is_finished = False

    def push(self, message: Message | Packet | Lost) -> tuple[Event, ...]:
        """
        Take the next message; return what it settles, in the order of its causes.

        Parameters
        ----------
        message : Packet, StreamDeclaration, SensorMessage, PositionMessage, NoteMessage or Lost
            A packet's bytes are decoded first. Bytes that are no message are counted. What a
            :class:`~minesense.stream.PacketQueue` lost ends parts with a gap.

        Returns
        -------
        events : tuple of Event
            Of :mod:`minesense.stream.events`.

        Raises
        ------
        TypeError
            If it is none of these.
        ValueError
            If the session was finished.
        """
        if self._is_finished:
            msg = "Invalid message: the session was finished. Must be a new Session."
            raise ValueError(msg)
        if isinstance(message, Packet):
            try:
                message = self._decoder.decode(message.payload)
            except ValueError as error:
                self._n_refused += 1
                return (PayloadRefused(reason=str(error)),)
        if isinstance(message, Lost):
            events = self._lose(message)
        elif isinstance(message, SensorMessage | PositionMessage):
            events = self._take(message)
        elif isinstance(message, StreamDeclaration):
            events = self._declare(message)
        elif isinstance(message, NoteMessage):
            events = self._notes.take(message, self._now)
        else:
            msg = f"Invalid message of type {type(message).__name__}. Must be a message."
            raise TypeError(msg)
        events += self._advance()
        return tuple(events)

    def _lose(self, lost: Lost) -> list[Event]:
        """Count what a queue left out; end the parts of sensors that lost scans."""
        events: list[Event] = []
        for number, n in lost.by_number.items():
            declared = self._decoder.declared.get(number)
            name = declared.name if declared is not None else ""
            counts = self._counters.of(name).by_name
            counts["received"] += n
            counts["overflow"] += n
            stream = self._streams.get(name)
            if stream is not None and stream.path is not None:
                events += stream.path.lose(n)
        return events

    def finish(self) -> tuple[Event, ...]:
        """
        End the session: flush every lane; return the last events.

        Returns
        -------
        events : tuple of Event
            The last of them the counters.
        """
        if self._is_finished:
            return ()
        events: list[Event] = []
        for stream in self._streams.values():
            events += self._release(stream)
        now = self._now
        for stream in self._streams.values():
            if stream.path is None:
                continue
            events += stream.path.finish(self._track)
            if now - stream.last_time > self.config.hold and math.isfinite(stream.last_time):
                events.append(stream.path.gap(stream.last_time, now, "time"))
            events += self._notes.left_unchecked(stream)
        events += self._book.finish()
        self._is_finished = True
        return (*events, self.counters())

    def counters(self) -> CountersReport:
        """
        Return what was counted so far, without a change of anything.

        Returns
        -------
        counters : CountersReport
            As the last event of :meth:`finish` has them at the end.
        """
        return self._counters.report(self._streams, self._now, self._n_refused)

    # -- declarations ----------------------------------------------------------------------

    def _declare(self, declaration: StreamDeclaration) -> list[Event]:
        """Take the declaration of a stream."""
        name = declaration.name
        known = self._streams.get(name)
        if known is not None:
            before = declaration_document(known.declaration)
            if before == declaration_document(declaration):
                return [StreamAccepted(stream=name, declaration=declaration)]
        try:
            check_admissible(declaration, self.config, self._streams)
        except (ValueError, ImportError) as error:
            if len(self._refused) < self.config.max_streams:
                self._refused.add(name)
            return [StreamRefused(stream=name, reason=str(error))]
        self._refused.discard(name)
        events: list[Event] = [] if known is None else self._retire(known)
        base = Timebase(declaration, time_jump=self.config.time_jump)
        stream = KnownStream(declaration, base)
        self._streams[name] = stream
        unscreened = ""
        if declaration.kind == "sensor":
            stream.path, unscreened = new_path(
                declaration,
                self._book,
                self.config,
                judged=[
                    other.path
                    for other_name, other in self._streams.items()
                    if other.path is not None and other_name != name
                ],
            )
            if known is not None:
                stream.last_check, stream.response = known.last_check, known.response
                stream.path.sticky |= int(Quality.SETTING_CHANGED)
        elif self.config.position_stream in (None, name) and (
            self._reference is None or self._reference is known
        ):
            self._reference = stream
            self._track = PoseTrack(declaration, self.config)
        events.append(
            StreamAccepted(stream=name, declaration=declaration, unscreened=unscreened)
        )
        if self._reference is not None and self._reference.declaration.frame is not None:
            for other in self._streams.values():
                if other.path is not None:
                    other.path.frame = self._reference.declaration.frame
        return events

    def _retire(self, stream: KnownStream) -> list[Event]:
        """End a stream that is declared anew; keep its counters."""
        events = self._release(stream)
        if stream.path is not None:
            events += stream.path.finish(self._track)
        elif stream is self._reference:
            events += self._cut_all()
        self._counters.keep(stream)
        return events

    # -- scans and positions ---------------------------------------------------------------

    def _take(self, message: SensorMessage | PositionMessage) -> list[Event]:
        """Take a scan or a position."""
        stream = self._streams.get(message.stream)
        kind = "sensor" if isinstance(message, SensorMessage) else "position"
        if isinstance(message, PositionMessage):
            message = as_recorded(message)
        if stream is None or stream.declaration.kind != kind:
            return self._reject(message, "undeclared")
        if isinstance(message, SensorMessage) and not fits(message, stream.declaration):
            return self._reject(message, "bad_shape")
        self._counters.of(message.stream).by_name["received"] += 1
        taken, rejected = stream.base.take(message)
        stream.heard = self._now
        if stream.path is not None:
            stream.path.n_missing = stream.base.n_missing
        events: list[Event] = []
        for item in rejected:
            events += self._reject(item.message, item.reason, is_counted=True)
            if item.reason == "late" and stream.path is not None:
                stream.path.once |= int(Quality.LATE)
        return events + self._process(stream, taken)

    def _reject(
        self, message: SensorMessage | PositionMessage, reason: str, *, is_counted: bool = False
    ) -> list[Event]:
        """Count a message that is not processed."""
        known = message.stream in self._streams or message.stream in self._refused
        counts = self._counters.of(message.stream if known else "").by_name
        counts["received"] += 0 if is_counted else 1
        counts[reason] += 1
        return [
            MessageRejected(
                stream=message.stream,
                sequence=message.sequence,
                stamp=message.stamp,
                reason=reason,
            )
        ]

    def _process(self, stream: KnownStream, taken: list[Taken]) -> list[Event]:
        """Pass what is in order on."""
        events: list[Event] = []
        if taken and stream.is_stopped:
            stream.is_stopped = False
        for item in taken:
            if item.begins:
                events += self._clock_was_set(stream, item.time)
            elif stream.disagrees or stream.last_time == -math.inf:
                self._agree(stream, item.time)
            stream.last_time = item.time
            if stream.path is not None:
                events += read_clock(
                    stream, self._reference, item.time, block=self.config.clock_block
                )
                message = item.message
                if isinstance(message, SensorMessage) and (
                    message.flags & DeviceFlag.SETTING_CHANGED
                ):
                    stream.path.sticky |= int(Quality.SETTING_CHANGED)
                events += stream.path.take(item)
            elif stream is self._reference and not stream.disagrees:
                assert self._track is not None
                self._track.take(item)
                events += self._take_back(self._track.taken_back)
        self._counters.of(stream.declaration.name).by_name["accepted"] += len(taken)
        return events

    def _take_back(self, span: tuple[float, float] | None) -> list[Event]:
        """Tell of every sensor that its poses in a span of time must not be used after all."""
        if span is None:
            return []
        return [
            Invalidated(
                stream=stream.declaration.name,
                start_time=span[0],
                stop_time=span[1],
                reason=Quality.POSE_JUMP.name or "",
            )
            for stream in self._streams.values()
            if stream.path is not None
        ]

    def _release(self, stream: KnownStream) -> list[Event]:
        """Take what waits in a stream's timebase."""
        taken, rejected = stream.base.finish()
        events: list[Event] = []
        for item in rejected:
            events += self._reject(item.message, item.reason, is_counted=True)
        return events + self._process(stream, taken)

    # -- clocks ----------------------------------------------------------------------------

    def _other_time(self, stream: KnownStream) -> float:
        """Return the newest task time that a stream is compared with; NaN if there is none."""
        if stream is not self._reference:
            return math.nan if self._reference is None else self._reference.base.newest
        times = [other.base.newest for other in self._streams.values() if other.path]
        return max(times, default=math.nan)

    def _clock_was_set(self, stream: KnownStream, time: float) -> list[Event]:
        """End what cannot go on behind a step of a clock."""
        events: list[Event] = []
        is_forward = time > stream.last_time  # perhaps nothing but a gap
        if stream.path is not None:
            events += stream.path.cut(self._track, is_forward=is_forward)
            if stream.monitor is not None:
                stream.monitor.restart()
        elif stream is self._reference and self._track is not None and not is_forward:
            events += self._cut_all()
            self._track.restart()
        if not is_forward and stream is (self._reference or stream):
            self._book.restart()
            self._next_report = min(self._next_report, time)
        stream.disagrees = True
        self._agree(stream, time)
        return events

    def _cut_all(self) -> list[Event]:
        """End the parts of all sensors: positions do not go on."""
        events: list[Event] = []
        for other in self._streams.values():
            if other.path is not None:
                events += other.path.cut(self._track)
            if other.monitor is not None:
                other.monitor.restart()
        return events

    def _agree(self, stream: KnownStream, time: float) -> None:
        """Trust a clock that was set, or is new, as soon as it is near what the others say."""
        agree(
            stream,
            time,
            self._other_time(stream),
            time_jump=self.config.time_jump,
            hold=self.config.hold,
        )

    # -- what follows from any message -----------------------------------------------------

    @property
    def _now(self) -> float:
        """Newest task time of any stream whose clock agrees with the others."""
        return max(
            (s.base.newest for s in self._streams.values() if not s.disagrees),
            default=-math.inf,
        )

    def _advance(self) -> list[Event]:
        """Locate what can be located; give up what has waited too long; report."""
        now = self._now
        events: list[Event] = []
        for stream in list(self._streams.values()):
            newest = stream.base.newest
            # one whose clock is behind, or that sends seconds at once, is not silent
            silent = now - max(newest, stream.heard) > self.config.hold
            if silent and stream.base.n_waiting:
                events += self._process(stream, stream.base.release())
            path = stream.path
            if path is None:
                continue
            events += path.advance(self._track, max(now, newest))
            if silent and not stream.is_stopped and math.isfinite(newest):
                stream.is_stopped = True
                events += path.stop(self._track, now)
                if self._track is not None:
                    self._track.needed.pop(path.declaration.name, None)
        if self._track is not None:
            self._track.forget()
        if now >= self._next_report:
            is_first = self._next_report == -math.inf
            self._next_report = now + self.config.report_interval
            if not is_first:
                events.append(self.counters())
        return events

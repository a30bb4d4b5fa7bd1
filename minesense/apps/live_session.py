"""A session that is fed with packets, and those who are told what comes of it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Protocol

from ..detect import Detector
from ..message import Packet, StreamDeclaration
from ..payload import DECLARATION, Decoder
from ..stream import Lost, Session, StreamConfig
from ..stream.events import CountersReport, Event, ProcessingStopped
from .event_lines import event_line, is_told

_log = logging.getLogger(__name__)

#: Packets kept before any stream is declared; more are refused as the session would.
_MOST_EARLY = 1000


class Subscriber(Protocol):
    """Who is told what every packet led to."""

    def __call__(self, packet: Packet | None, events: Sequence[Event], /) -> None:
        """
        Take a packet and its events.

        Parameters
        ----------
        packet : Packet or None
            None for events of no packet: losses, and the end.
        events : sequence of Event
            In order; may be none.
        """


class LiveSession:
    """
    Feed a session with packets and tell subscribers what comes of them.

    Without a configuration the task's clock is that of the first stream that is declared, and
    no limits are stated: alarms come, and no ground counts as observed. What comes out depends
    on the packets alone.

    A fault of the program in the session, which nobody foresaw, ends the session and not its
    owner, who may have packets to record: subscribers are told ``ProcessingStopped``, later
    packets are left alone, and `failure` says why.

    Parameters
    ----------
    config : StreamConfig or None
        Of the session.
    detector : Detector or None
        Judges places.
    subscribers : sequence of Subscriber
        Told in their order.
    """

    def __init__(
        self,
        config: StreamConfig | None,
        *,
        detector: Detector | None = None,
        subscribers: Sequence[Subscriber] = (),
    ):
        self._detector = detector
        self._subscribers = tuple(subscribers)
        self._early: list[Packet] = []
        self._session = None if config is None else Session(config, detector=detector)
        self.failure = ""  #: what ended the session before its time, empty if nothing did

    @property
    def config(self) -> StreamConfig | None:
        """Configuration of the session; None until it is known."""
        return None if self._session is None else self._session.config

    def push(self, item: Packet | Lost) -> None:
        """
        Take the next packet, or the loss of some.

        Parameters
        ----------
        item : Packet or Lost
            In order.
        """
        if self._session is None:
            if isinstance(item, Packet):
                self._early.append(item)
                clock = _declared_clock(item)
                if clock is not None or len(self._early) > _MOST_EARLY:
                    self._begin(clock or "host")
            return
        self._push(self._session, item)

    def finish(self) -> CountersReport:
        """
        End the session.

        Returns
        -------
        counters : CountersReport
            The last event; of what was processed until it failed, if it did.
        """
        if self._session is None:
            self._begin("host")
        assert self._session is not None
        events: Sequence[Event] = ()
        if not self.failure:
            try:
                events = self._session.finish()
            except Exception as error:  # noqa: BLE001 - told, and counted to here
                self._fail(self._session, error)
        if self.failure:
            events = (self._session.counters(),)
        self._tell(None, events)
        counters = events[-1]
        assert isinstance(counters, CountersReport)
        return counters

    def _begin(self, clock: str) -> None:
        """Make the session; give it what came before it could be made."""
        config = StreamConfig(task_clock=clock)  # type: ignore[arg-type]
        session = self._session = Session(config, detector=self._detector)
        for packet in self._early:
            self._push(session, packet)
        self._early.clear()

    def _push(self, session: Session, item: Packet | Lost) -> None:
        if self.failure:
            return
        try:
            events = session.push(item)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._fail(session, error)
            return
        self._tell(item if isinstance(item, Packet) else None, events)

    def _fail(self, session: Session, error: Exception) -> None:
        """Take no more packets, and say so."""
        self.failure = f"{type(error).__name__}: {error}"
        _log.error("live processing stopped, a fault in minesense: %s", self.failure)
        time = session.counters().time
        self._tell(None, (ProcessingStopped(time=time, cause=self.failure),))

    def _tell(self, packet: Packet | None, events: Sequence[Event]) -> None:
        for subscriber in self._subscribers:
            subscriber(packet, events)


class LinePrinter:
    """
    Print events as lines of JSON, each as soon as it is known.

    Parameters
    ----------
    tell_all : bool
        Whether all events are printed, scores of every scan among them.
    """

    def __init__(self, *, tell_all: bool):
        self._tell_all = tell_all

    def __call__(self, packet: Packet | None, events: Sequence[Event]) -> None:
        """Print the events that are told."""
        lines = [event_line(e) for e in events if is_told(e, tell_all=self._tell_all)]
        if lines:
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()


def closing_line(live: LiveSession) -> str:
    """
    End a session; return its counters as a line.

    Parameters
    ----------
    live : LiveSession
        To be ended.

    Returns
    -------
    line : str
        Of JSON.

    Raises
    ------
    RuntimeError
        If a fault stopped the session before; its counters are printed then.
    """
    line = event_line(live.finish())
    if live.failure:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        msg = f"live processing stopped before the end: {live.failure}"
        raise RuntimeError(msg)
    return line


def tell(line: str) -> None:
    """
    Tell the person at the terminal something that is no event.

    Parameters
    ----------
    line : str
        Goes to the standard error at once.
    """
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _declared_clock(packet: Packet) -> str | None:
    """Return the clock that a packet declares, None if it declares none."""
    if packet.payload[:1] != bytes([DECLARATION]):
        return None
    try:
        message = Decoder().decode(packet.payload)
    except ValueError:
        return None
    return message.clock if isinstance(message, StreamDeclaration) else None

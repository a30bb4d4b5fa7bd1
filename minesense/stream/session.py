"""A live session: messages in, events out, without I/O, clocks or threads."""

from __future__ import annotations

from ..detect import Detector, DetectorSettings
from ..message import Message, Packet
from .config import StreamConfig
from .events import Event


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
        Judges the places of a lane at its end.
    """

    def __init__(
        self,
        config: StreamConfig,
        *,
        settings: DetectorSettings | None = None,
        detector: Detector | None = None,
    ):
        self.config = config
        self.settings = settings
        self.detector = detector

    def push(self, message: Message | Packet) -> tuple[Event, ...]:
        """Take the next message; return what it settles, in the order of its causes."""
        raise NotImplementedError

    def finish(self) -> tuple[Event, ...]:
        """End the session: flush every lane; return the last events."""
        raise NotImplementedError

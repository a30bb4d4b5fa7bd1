"""Those who are told of a live session beside the printer: the live page, and a tone."""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..emi.tone import Tone
from ..emi.wav import WavWriter
from ..message import Packet
from ..payload import Decoder
from ..stream.events import Event, SearchScore
from .live_page import LivePage
from .live_session import Subscriber, tell

#: Audio samples per second of a tone that is written.
_AUDIO_RATE = 16_000


_NO_TONE = (
    "minesense: no audio: no metal detector with a declared rate was heard; one that a wheel "
    "triggers has no tone"
)


class PageSubscriber:
    """
    Show packets and events on a live page.

    Parameters
    ----------
    page : LivePage
        That is being served.
    """

    def __init__(self, page: LivePage):
        self._page = page
        self._decoder = Decoder()

    def __call__(self, packet: Packet | None, events: Sequence[Event]) -> None:
        """Show a packet, if it is a message, and its events."""
        if packet is not None:
            try:
                message = self._decoder.decode(packet.payload)
            except ValueError:
                message = None  # the session refused and counted it
            if message is not None:
                self._page.feed.take(message)
        self._page.feed.publish(events)


class ToneSubscriber:
    """
    Write what an operator would hear of the first metal detector.

    Parameters
    ----------
    writer : WavWriter
        Of a file.

    Notes
    -----
    The loudest channel of each scan is heard, times those of the task's clock: a gap in the
    stream is a fault tone, no silence.
    """

    def __init__(self, writer: WavWriter):
        self._writer = writer
        self._tone = Tone(rate=writer.rate)
        self._stream: str | None = None
        self._newest = -math.inf

    @property
    def is_silent(self) -> bool:
        """Whether no score came, so that nothing was written."""
        return self._stream is None

    def __call__(self, packet: Packet | None, events: Sequence[Event]) -> None:
        """Write the audio up to the newest score."""
        for event in events:
            if not isinstance(event, SearchScore):
                continue
            self._stream = self._stream or event.stream
            if event.stream != self._stream or not event.time >= self._newest:
                continue
            self._newest = event.time
            loudest = max(event.scores, key=abs, default=math.nan)
            if any(math.isnan(score) for score in event.scores):
                loudest = math.nan
            self._writer.write(self._tone.push(loudest, event.time, event.quality))


def _tell_of_silence(tone: ToneSubscriber) -> None:
    """Say that a file holds no audio, and why."""
    if tone.is_silent:
        tell(_NO_TONE)


@contextmanager
def live_subscribers(
    options: Namespace, *, host: str, token: str
) -> Iterator[list[Subscriber]]:
    """
    Make the subscribers that the command line asks for; end them afterwards.

    Parameters
    ----------
    options : argparse.Namespace
        With http (a port or None) and audio (a file or None).
    host : str
        Address that the page listens on.
    token : str
        That the page asks for; empty for this computer alone.

    Yields
    ------
    subscribers : list of Subscriber
        None, one or two.

    Raises
    ------
    ValueError, OSError
        If the port or the file cannot be had.
    """
    with ExitStack() as stack:
        subscribers: list[Subscriber] = []
        if options.http is not None:
            page = LivePage(host=host, port=options.http, token=token)
            stack.callback(page.close)
            tell(f"minesense: live page at {page.address}")
            subscribers.append(PageSubscriber(page))
        if options.audio is not None:
            path = Path(options.audio)
            if path.exists():
                msg = f"Invalid audio '{path}': it exists. Must be a new file."
                raise FileExistsError(msg)
            writer = stack.enter_context(WavWriter(path, rate=_AUDIO_RATE))
            tone = ToneSubscriber(writer)
            subscribers.append(tone)
            stack.callback(_tell_of_silence, tone)
        yield subscribers

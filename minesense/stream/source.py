"""Where packets come from: the one interface of links, receivers, files and simulators."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias

from ..message import Packet

Deliver: TypeAlias = Callable[[Packet], None]


class Source(Protocol):
    """
    Something that packets come from, until it ends or is told to stop.

    In the packets of one source the numbers of streams are unambiguous, whoever sent them.
    """

    @property
    def name(self) -> str:
        """What to call it in counters and messages."""

    @property
    def is_live(self) -> bool:
        """Whether it goes on while nobody takes its packets: they are lost, not late."""

    def run(self, deliver: Deliver) -> None:
        """
        Hand over every packet as it comes, and return at the end or soon after a stop.

        Parameters
        ----------
        deliver : callable
            Takes one packet; may block for as long as it has no room.

        Raises
        ------
        OSError, ValueError
            If the source fails for good.
        """

    def stop(self) -> None:
        """Ask a running source to return. Any thread may, also before it runs."""

    def counters(self) -> Mapping[str, Any]:
        """Return what was counted so far, ready for JSON."""


def packets_from(source: Source, *, max_waiting: int = 1024) -> Iterator[Packet]:
    """
    Return the packets of a source one by one; it runs in a thread meanwhile.

    Parameters
    ----------
    source : Source
        Stopped when the iterator is closed.
    max_waiting : int
        Packets between the two, at most; then the source waits.

    Yields
    ------
    packet : Packet
        In order.

    Raises
    ------
    OSError, ValueError
        Of the source, behind the packets that came before.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.stream.frames import write_frames
    >>> from minesense.stream.replay_source import ReplaySource
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_frames(f"{folder}/link.frames", [b"one", b"two"])
    ...     source = ReplaySource(f"{folder}/link.frames")
    ...     [packet.payload for packet in packets_from(source)]
    [b'one', b'two']
    """
    waiting: queue.Queue[Packet | BaseException | None] = queue.Queue(max_waiting)
    stopped = threading.Event()

    def put(item: Packet | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        try:
            source.run(put)
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that reads
            put(error)
        put(None)

    thread = threading.Thread(target=work, name=f"source {source.name}", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        source.stop()
        thread.join(5.0)

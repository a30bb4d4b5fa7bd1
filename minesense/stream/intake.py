"""
Several sources into one order: recorded first, then given to whoever processes it.

Every source runs in a thread. What it delivers gets its place in the order; from there one
bounded queue leads to the recorder and one to the session. The recorder makes sources wait
when it falls behind, so that nothing recorded is missing. A session that falls behind makes
nobody wait: the oldest packets of live sources leave its queue, counted, and stay recorded.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any, Protocol

from ..message import Packet
from .numbering import Link, Numbering, of_no_stream
from .queue import Lost, PacketQueue
from .source import Source

_log = logging.getLogger(__name__)

#: Queues that nothing may leave are filled so far; the rest is for the last packet.
_MOST_PACKETS, _MOST_BYTES = 4096, 16 * 2**20

_PATIENCE = 0.05  # s between looks at a queue that is full


class Writes(Protocol):
    """What records packets, such as :class:`minesense.stream.recorder.Recorder`."""

    def write(self, packet: Packet, /) -> None:
        """
        Record a packet.

        Raises
        ------
        OSError
            If it cannot be recorded.
        """


class _Waiting:
    """A queue whose users may wait for room instead of losing what is oldest."""

    def __init__(self, queue: PacketQueue):
        self.queue = queue
        self._most_packets = min(_MOST_PACKETS, queue.most_packets - 1)
        self._most_bytes = min(_MOST_BYTES, queue.most_bytes // 2)
        self._is_closed = False
        self._room = threading.Event()

    def put(self, packet: Packet, *, wait: bool) -> None:
        while wait and not self._is_closed and self._is_full():
            self._room.clear()
            if self._is_full():
                self._room.wait(_PATIENCE)
        if not self._is_closed:
            self.queue.put(packet)

    def get(self) -> Packet | Lost | None:
        item = self.queue.get()
        self._room.set()
        return item

    def close(self) -> None:
        self._is_closed = True
        self.queue.close()
        self._room.set()

    def _is_full(self) -> bool:
        queue = self.queue
        return len(queue) > self._most_packets or queue.n_bytes > self._most_bytes


class Intake:
    """
    Run sources and give their packets in one order.

    Parameters
    ----------
    sources : sequence of Source
        To run, each in a thread.
    recorder : Recorder, optional
        Gets every packet, before anybody can know whether it is good for anything.
    queue : PacketQueue, optional
        Before whoever reads :meth:`packets`.

    Examples
    --------
    >>> import tempfile
    >>> from minesense.stream.frames import write_frames
    >>> from minesense.stream.replay_source import ReplaySource
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_frames(f"{folder}/link.frames", [b"one", b"two"])
    ...     intake = Intake([ReplaySource(f"{folder}/link.frames")])
    ...     [packet.payload for packet in intake.packets()]
    [b'one', b'two']
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        recorder: Writes | None = None,
        queue: PacketQueue | None = None,
    ):
        if not sources:
            msg = "Invalid sources: none. Must be at least one."
            raise ValueError(msg)
        self._sources = tuple(sources)
        self._recorder = recorder
        self._live = _Waiting(PacketQueue() if queue is None else queue)
        self._to_record = _Waiting(PacketQueue())
        self._numbering = Numbering()
        self._order = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._failure: Exception | None = None
        self._threads: list[threading.Thread] = []
        self._recording: threading.Thread | None = None
        self._n_running = len(self._sources)

    def packets(self) -> Generator[Packet | Lost, None, None]:
        """
        Run the sources; return what they deliver until all have ended or :meth:`stop`.

        Yields
        ------
        item : Packet or Lost
            In order, and what was left out of it.

        Raises
        ------
        OSError, ValueError, ImportError
            If recording or a source failed; behind what came before. All sources stop then.
        """
        self._start()
        try:
            while (item := self._live.get()) is not None:
                yield item
        finally:
            self.stop()
            self._live.close()
            self._to_record.close()
            for thread in self._threads:
                thread.join(10.0)
            if self._recording is not None:
                self._recording.join()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask all sources to end. What they have delivered is still recorded and given."""
        for source in self._sources:
            source.stop()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted, ready for JSON.

        Returns
        -------
        counters : dict
            Packets received, refused, recorded and lost to the live path, and the counters of
            each source.
        """
        return {
            "n_received": self._counts["received"],
            "n_refused": self._counts["refused"],
            "n_recorded": self._counts["recorded"],
            "n_lost_live": self._live.queue.n_lost.total(),
            "sources": [{"name": s.name, **s.counters()} for s in self._sources],
        }

    def _start(self) -> None:
        if self._recorder is not None:
            self._recording = threading.Thread(
                target=self._record, args=(self._recorder,), name="recording", daemon=True
            )
            self._recording.start()
        for source in self._sources:
            thread = threading.Thread(
                target=self._run, args=(source,), name=f"source {source.name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _run(self, source: Source) -> None:
        """Run a source to its end; the last one closes the queues."""
        link = self._numbering.link()
        try:
            source.run(lambda packet: self._take(packet, link, is_live=source.is_live))
        except Exception as error:  # noqa: BLE001 - raised in the thread that reads
            self._fail(error)
        finally:
            with self._order:
                self._n_running -= 1
                is_last = not self._n_running
            if is_last:
                self._to_record.close()
                self._live.close()

    def _take(self, packet: Packet, link: Link, *, is_live: bool) -> None:
        """Give a packet its place in the order."""
        with self._order:
            self._counts["received"] += 1
            try:
                payload = link.renumber(packet.payload)
            except ValueError:
                self._counts["refused"] += 1
                payload = of_no_stream(packet.payload)
            if payload is not packet.payload:
                packet = Packet(packet.arrival, payload)
            if self._recorder is not None:
                self._to_record.put(packet, wait=True)
            self._live.put(packet, wait=not is_live)

    def _record(self, recorder: Writes) -> None:
        """Record what waits for it; a failure stops everything aloud."""
        while (item := self._to_record.get()) is not None:
            assert not isinstance(item, Lost)  # whoever puts has waited
            try:
                recorder.write(item)
            except Exception as error:  # noqa: BLE001 - raised in the thread that reads
                self._fail(error)
                self._to_record.close()
                self._live.close()
                return
            self._counts["recorded"] += 1

    def _fail(self, error: Exception) -> None:
        """Remember the first failure and stop all sources."""
        _log.error("stopping: %s", error)
        self._failure = self._failure or error
        self.stop()

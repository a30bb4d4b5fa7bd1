"""
Record packets as they arrive, so that a kill or a power cut costs little.

A chunk goes to the system every 20 ms at the latest: what the system has survives the death of
the program. Every 2 s a thread asks the disk to have it too (fsync), which survives a power
cut; the writer does not wait for that.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from ..io.mcap_writer import McapWriter
from ..message import Packet


class Recorder:
    """
    A recording that is being written.

    Safe to use from several threads. A thread of its own closes chunks when nothing arrives
    and syncs the disk.

    Parameters
    ----------
    path : str or Path
        A new MCAP file; one that exists is never overwritten.
    flush_interval : float
        Longest time that a packet waits before the system has it, s.
    sync_interval : float
        Time between requests that the disk have everything, s.
    chunk_size : int
        Bytes from which a chunk is closed before its time.

    Raises
    ------
    FileExistsError
        If the file exists.
    OSError
        If it cannot be made; from :meth:`write`, :meth:`check` or :meth:`close` if the disk
        is full or fails: the task must not go on as if it were recorded.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from minesense.io.mcap_reading import read_packets
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "task.mcap")
    ...     with Recorder(path) as recorder:
    ...         recorder.write(Packet(12.5, b"what arrived"))
    ...     list(read_packets(path))
    [Packet(arrival=12.5, payload=b'what arrived')]
    """

    def __init__(
        self,
        path: str | Path,
        *,
        flush_interval: float = 0.02,
        sync_interval: float = 2.0,
        chunk_size: int = 65536,
    ):
        for name, value in (
            ("flush_interval", flush_interval),
            ("sync_interval", sync_interval),
            ("chunk_size", chunk_size),
        ):
            if not value > 0:
                msg = f"Invalid {name} '{value}'. Must be greater than zero."
                raise ValueError(msg)
        self.path = Path(path)
        self.n_packets = 0  #: recorded so far
        self.n_bytes = 0  #: of their payloads
        self._flush_interval, self._sync_interval = flush_interval, sync_interval
        self._file = self.path.open("xb", buffering=0)
        self._lock = threading.Lock()
        self._due = 0.0  # when the open chunk is to be closed; by the monotonic clock
        self._failure: OSError | None = None
        self._stop = threading.Event()
        self._writer = McapWriter(self._file, chunk_size=chunk_size)
        self._threads = [
            threading.Thread(target=self._flush_regularly, name="recorder flush", daemon=True),
            threading.Thread(target=self._sync_regularly, name="recorder sync", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def write(self, packet: Packet) -> None:
        """
        Record a packet.

        Parameters
        ----------
        packet : Packet
            As it arrived, of any content.

        Raises
        ------
        OSError
            If this or an earlier packet could not be written.
        ValueError
            If the recording was closed.
        """
        now = time.monotonic()
        with self._lock:
            self._refuse_failed()
            if self._file.closed:
                msg = f"Invalid recorder of '{self.path}': it was closed. Must be a new one."
                raise ValueError(msg)
            if not self._writer.pending:
                self._due = now + self._flush_interval
            self._attempt(lambda: self._writer.write(packet))
            if self._writer.pending and now >= self._due:
                self._attempt(self._writer.close_chunk)
            self.n_packets += 1
            self.n_bytes += len(packet.payload)

    def check(self) -> None:
        """
        Raise if something could not be recorded.

        Raises
        ------
        OSError
            What the system said.
        """
        with self._lock:
            self._refuse_failed()

    def close(self) -> None:
        """
        End the recording: write its index and have the disk take everything.

        Raises
        ------
        OSError
            If that, or an earlier write, failed; what was written before can be recovered.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        with self._lock:
            if self._file.closed:
                return
            try:
                self._refuse_failed()
                self._writer.finish()
                os.fsync(self._file.fileno())
            finally:
                self._file.close()

    def __enter__(self) -> Recorder:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the recording, also after an error."""
        self.close()

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do something that the disk may refuse; remember if it does."""
        try:
            action()
        except OSError as error:
            self._failure = error
            raise

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            number, words = self._failure.errno or 0, self._failure.strerror
            raise OSError(number, f"recording stopped: {words}", str(self.path))

    def _flush_regularly(self) -> None:
        """Close chunks that nothing else closes."""
        while not self._stop.wait(self._flush_interval / 2):
            with self._lock:
                if self._failure is not None or self._file.closed:
                    return
                if self._writer.pending and time.monotonic() >= self._due:
                    try:
                        self._writer.close_chunk()
                    except OSError as error:  # the next write raises it
                        self._failure = error

    def _sync_regularly(self) -> None:
        """Ask the disk to have everything; it may take long, and holds nobody up."""
        while not self._stop.wait(self._sync_interval):
            try:
                os.fsync(self._file.fileno())
            except (OSError, ValueError) as error:
                if isinstance(error, OSError):
                    with self._lock:
                        self._failure = self._failure or error
                return

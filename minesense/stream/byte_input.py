"""Bytes of a socket, a serial port or a file; links that broke are connected again."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from .._validation import check_count, check_positive
from .frames import encode_frame
from .server_limits import token_payload

_log = logging.getLogger(__name__)

_READ = 1 << 16
_PATIENCE = 0.1  # s that a read waits at most, so that a stop is noticed


class OpenInput(Protocol):
    """Bytes that can be read now."""

    def read(self) -> bytes:
        """
        Return the next bytes, none if there are none for now.

        Raises
        ------
        EOFError
            At their end.
        OSError
            If the link is broken.
        """

    def close(self) -> None:
        """Let go of it."""


class ByteInput(Protocol):
    """Where bytes can be read, again and again if it is live."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def is_live(self) -> bool:
        """Whether an end is only a broken link."""

    def open(self) -> OpenInput:
        """
        Connect.

        Raises
        ------
        OSError
            If that fails for now.
        """


class TcpInput:
    """
    A server that sends bytes to those who connect: a device, a receiver, another minesense.

    Parameters
    ----------
    host : str
        Name or address.
    port : int
        Of the server.
    token : str, optional
        Sent as the first frame.
    """

    is_live = True

    def __init__(self, host: str, port: int, *, token: str | None = None):
        self.name = f"tcp {host}:{port}"
        self._address = (host, check_count(port, "port"))
        self._token = token

    def open(self) -> OpenInput:
        """Connect to the server."""
        channel = socket.create_connection(self._address, timeout=5.0)
        with contextlib.suppress(OSError):
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._token is not None:
            channel.sendall(encode_frame(token_payload(self._token)))
        channel.settimeout(_PATIENCE)
        return _OpenSocket(channel)


class _OpenSocket:
    """A socket that is connected."""

    def __init__(self, channel: socket.socket):
        self._channel = channel

    def read(self) -> bytes:
        try:
            data = self._channel.recv(_READ)
        except TimeoutError:
            return b""
        if not data:
            msg = "the other side closed the connection"
            raise EOFError(msg)
        return data

    def close(self) -> None:
        self._channel.close()


class SerialInput:
    """
    A serial port.

    Parameters
    ----------
    port : str
        Of the system, for example ``/dev/ttyUSB0`` or ``COM3``.
    baud_rate : int
        Bits per second.
    **options
        Others of pyserial's ``Serial``, such as `parity`.

    Raises
    ------
    ImportError
        If pyserial is not installed.
    """

    is_live = True

    def __init__(self, port: str, *, baud_rate: int = 115_200, **options: Any):
        try:
            import serial  # noqa: PLC0415
        except ImportError:
            msg = "Serial ports need pyserial: pip install 'minesense[serial]'"
            raise ImportError(msg) from None
        self.name = f"serial {port}"
        check_count(baud_rate, "baud_rate")
        self._new: Callable[[], Any] = partial(
            serial.Serial, port, baud_rate, timeout=_PATIENCE, **options
        )

    def open(self) -> OpenInput:
        """Open the port."""
        return _OpenSerial(self._new())


class _OpenSerial:
    """A serial port that is open."""

    def __init__(self, port: Any):
        self._port = port

    def read(self) -> bytes:
        # one byte is waited for, and all that came with it are taken
        return bytes(self._port.read(max(1, min(_READ, self._port.in_waiting))))

    def close(self) -> None:
        self._port.close()


class FileInput:
    """
    A file of the bytes that a link carried.

    Parameters
    ----------
    path : str or Path
        The file, or a named pipe.
    """

    is_live = False

    def __init__(self, path: str | Path):
        self.name = f"file {path}"
        self._path = Path(path)

    def open(self) -> OpenInput:
        """Open the file at its beginning."""
        return _OpenFile(self._path)


class _OpenFile:
    """A file that is open."""

    def __init__(self, path: Path):
        self._file = path.open("rb", buffering=0)
        self._is_pipe = not path.is_file()

    def read(self) -> bytes:
        if self._is_pipe and not select.select([self._file], [], [], _PATIENCE)[0]:
            return b""
        data = self._file.read(_READ)
        if not data:
            msg = "the file ends"
            raise EOFError(msg)
        return data

    def close(self) -> None:
        self._file.close()


class Reader:
    """
    Read an input to its end, or for as long as it lives, and connect again when it breaks.

    Parameters
    ----------
    source : ByteInput
        To read.
    connect_timeout : float
        Seconds in which the first connection must succeed; later ones are tried for ever.
    """

    def __init__(self, source: ByteInput, *, connect_timeout: float = 10.0):
        self.source = source
        self.n_connections = self.n_breaks = self.n_bytes = 0
        self._connect_timeout = check_positive(connect_timeout, "connect_timeout")
        self._stop = threading.Event()

    def stop(self) -> None:
        """Return from running soon."""
        self._stop.set()

    def run(self, take: Callable[[bytes], None], restart: Callable[[], None]) -> None:
        """
        Read until the end or a stop.

        Parameters
        ----------
        take : callable
            Gets all bytes in order.
        restart : callable
            Called at the end of each connection: what follows is another.

        Raises
        ------
        OSError
            If the first connection fails, or reading a file does.
        """
        while not self._stop.is_set():
            opened = self._connect()
            if opened is None:
                return
            try:
                while not self._stop.is_set():
                    data = opened.read()
                    self.n_bytes += len(data)
                    if data:
                        take(data)
            except EOFError as error:
                if not self.source.is_live:
                    return
                self._note_break(error)
            except OSError as error:
                if not self.source.is_live:
                    raise
                self._note_break(error)
            finally:
                opened.close()
                restart()

    def counters(self) -> dict[str, Any]:
        """Return what was counted, ready for JSON."""
        return {
            "n_connections": self.n_connections,
            "n_breaks": self.n_breaks,
            "n_bytes": self.n_bytes,
        }

    def _connect(self) -> OpenInput | None:
        """Return the input open, None after a stop."""
        wait, waited = 0.1, 0.0
        while not self._stop.is_set():
            try:
                opened = self.source.open()
            except OSError as error:
                is_first = not self.n_connections
                if not self.source.is_live or (is_first and waited >= self._connect_timeout):
                    raise
                _log.info("%s: %s; trying again", self.source.name, error)
                self._stop.wait(wait)
                waited += wait
                wait = min(2 * wait, 2.0)
                continue
            self.n_connections += 1
            return opened
        return None

    def _note_break(self, error: Exception) -> None:
        self.n_breaks += 1
        _log.warning("%s broke: %s; connecting again", self.source.name, error)
        self._stop.wait(0.1)

"""
The server that devices send frames to.

One thread looks after all connections. What a client sends is hostile until its frames are
whole: lengths, rates, waiting times and the number of clients have limits, and no text of a
message is ever used as a path or an address.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import Counter
from typing import Any

from ..message import Packet
from .connection import Connection
from .numbering import Numbering
from .server_limits import ServerLimits, check_token
from .source import Deliver

_log = logging.getLogger(__name__)

_TICK = 0.05  # s between looks at the clocks of connections

_MOST_DRAINED = 256  # reads of a client whose stream another one takes


class TcpServer:
    """
    A source that clients connect to, each with streams of its own.

    A client that lost its connection connects again and declares its streams again; a
    stream belongs to the link that declared it last.

    Parameters
    ----------
    host : str
        Address to bind to. One that other computers can reach needs a token.
    port : int
        0: any that is not in use, see `address`.
    token : str, optional
        What the first frame of each client must hold.
    limits : ServerLimits, optional
        What each client may ask for.

    Raises
    ------
    ValueError
        If the address can be reached from elsewhere and there is no token.
    OSError
        If it cannot be bound to.

    Examples
    --------
    >>> server = TcpServer()
    >>> server.address[0]
    '127.0.0.1'
    >>> server.stop(); server.run(print)
    """

    is_live = True

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str | None = None,
        limits: ServerLimits | None = None,
    ):
        self._token = check_token(token, host)
        self._limits = limits or ServerLimits()
        self._numbering = Numbering()
        self._connections: dict[socket.socket, Connection] = {}
        self._totals: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._is_draining = False
        self._blocked = 0.0  # s in which nobody could take packets: no client's fault
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=16)
        self._listener.setblocking(False)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]  #: as bound
        self.name = f"listen {self.address[0]}:{self.address[1]}"
        self._waker, self._wake = socket.socketpair()

    def run(self, deliver: Deliver) -> None:
        """
        Serve clients until told to stop.

        Parameters
        ----------
        deliver : callable
            Takes each packet. While it blocks no client is read, and TCP makes them wait.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._waker, selectors.EVENT_READ)
            try:
                while not self._stop.is_set():
                    self._turn(selector, deliver)
            finally:
                for connection in list(self._connections.values()):
                    self._drop(selector, connection, deliver)
                self.close()

    def stop(self) -> None:
        """Close all connections and return from running."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._wake.send(b"x")

    def close(self) -> None:
        """Give the port back; running does that at its end."""
        for channel in (self._listener, self._waker, self._wake):
            channel.close()

    def counters(self) -> dict[str, Any]:
        """
        Return what was counted.

        Returns
        -------
        counters : dict
            Sums over all connections so far, reasons of those that were sent away, and the
            counters of each that is open.
        """
        with self._lock:
            totals = self._totals.copy()
            each = {}
            for connection in self._connections.values():
                each[connection.peer] = connection.counters()
                totals.update(each[connection.peer])
            return {**totals, "sent_away": dict(self._reasons), "connections": each}

    def _turn(self, selector: selectors.BaseSelector, deliver: Deliver) -> None:
        """Look at every connection once."""
        for key, _ in selector.select(_TICK):
            if key.fileobj is self._listener:
                self._accept(selector, deliver)
            elif key.data is not None:
                self._read(selector, key.data, deliver)
        now = self._now()
        for connection in list(self._connections.values()):
            if connection.judge(now):
                self._drop(selector, connection, deliver)
            elif now >= connection.resumes_at():
                self._listen_to(selector, connection, wanted=True)

    def _accept(self, selector: selectors.BaseSelector, deliver: Deliver) -> None:
        """Take the next client, if there is room for it."""
        try:
            channel, address = self._listener.accept()
        except OSError:  # it has gone, or the system has no more handles
            return
        channel.setblocking(False)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        now = self._now()
        peer = f"{address[0]}:{address[1]}"
        connection = Connection(
            channel,
            peer,
            link=self._numbering.link(before_loss=lambda: self._drain(connection, deliver)),
            limits=self._limits,
            token=self._token,
            now=now,
        )
        with self._lock:
            self._totals["n_connections"] += 1
            n_open = len(self._connections)
            is_full = n_open >= self._limits.max_connections
            if is_full:
                self._reasons["too many connections"] += 1
            else:
                self._connections[channel] = connection
        if is_full:
            connection.send_away("too many connections", now)
            channel.close()
            return
        _log.info("%s connected", peer)
        selector.register(channel, selectors.EVENT_READ, connection)

    def _read(
        self, selector: selectors.BaseSelector, connection: Connection, deliver: Deliver
    ) -> None:
        """Pass on what a client has sent."""
        now = self._now()
        payloads = connection.read(now)
        if payloads is None:
            self._drop(selector, connection, deliver)
            return
        self._pass_on(payloads, deliver)
        if connection.resumes_at() > now:
            self._listen_to(selector, connection, wanted=False)

    def _drain(self, connection: Connection, deliver: Deliver) -> None:
        """
        Pass on what a client has sent before another link takes its stream.

        Its link broke, and it has connected again; what arrived before that is not lost, even
        if it may only be read later, or nobody had the time to read it yet.
        """
        if self._is_draining:  # two that take streams from each other must not nest
            return
        self._is_draining = True
        try:
            for _ in range(_MOST_DRAINED):
                if not connection.has_arrived():
                    break
                payloads = connection.read(self._now())
                if payloads is None:  # it is dropped in its turn
                    break
                self._pass_on(payloads, deliver)
        finally:
            self._is_draining = False

    def _pass_on(self, payloads: list[bytes], deliver: Deliver) -> None:
        """Hand payloads over; the time it takes does not count for the clients."""
        arrival, began = time.time(), time.monotonic()
        for payload in payloads:
            deliver(Packet(arrival, payload))
        self._blocked += time.monotonic() - began

    def _now(self) -> float:
        """Return the seconds in which clients could have been read."""
        return time.monotonic() - self._blocked

    def _listen_to(
        self, selector: selectors.BaseSelector, connection: Connection, *, wanted: bool
    ) -> None:
        """Begin or cease to read a client."""
        is_read = connection.channel in selector.get_map()
        if wanted and not is_read:
            selector.register(connection.channel, selectors.EVENT_READ, connection)
        elif is_read and not wanted:
            selector.unregister(connection.channel)

    def _drop(
        self, selector: selectors.BaseSelector, connection: Connection, deliver: Deliver
    ) -> None:
        """Close a connection; pass on what was whole behind a torn frame."""
        self._listen_to(selector, connection, wanted=False)
        connection.channel.close()
        self._pass_on(connection.finish(), deliver)
        with self._lock:
            del self._connections[connection.channel]
            self._totals.update(connection.counters())
            if connection.closing is not None:
                self._reasons[connection.closing] += 1
        _log.info("%s closed: %s", connection.peer, connection.closing or "by the client")

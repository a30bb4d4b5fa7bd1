"""A server for pages on this machine: loopback by default, every request treated as hostile."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

#: Connections at a time, at most.
MOST_CONNECTIONS = 32

#: Seconds without a byte, and of a connection as a whole, at most.
PATIENCE, DEADLINE = 15.0, 60.0

HTML, JSON = "text/html; charset=utf-8", "application/json"

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class RefusedRequest(Exception):
    """A request that gets an answer other than what it asked for."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status = status


class LocalServer(ThreadingHTTPServer):
    """
    A server with limits on who connects, how many and for how long.

    Parameters
    ----------
    handler : type
        A :class:`LocalHandler`.
    host : str
        Address to listen on.
    port : int
        0 for any that is not taken.
    token : str
        Asked for in every request, unless empty; needed where others can connect.

    Raises
    ------
    ValueError
        If the host is not this machine alone and there is no token.
    OSError
        If the port cannot be had.
    """

    daemon_threads = True
    request_queue_size = 16
    deadline: float = DEADLINE  #: s of a connection as a whole
    most_connections = MOST_CONNECTIONS

    def __init__(self, handler: type[LocalHandler], *, host: str, port: int, token: str = ""):
        if not token and not is_loopback(host):
            msg = f"Invalid host '{host}' without a token. Must be this machine alone."
            raise ValueError(msg)
        self.token = token
        self._places = threading.BoundedSemaphore(self.most_connections)
        super().__init__((host, port), handler)

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host, port = self.server_address[:2]
        query = f"?{urlencode({'token': self.token})}" if self.token else ""
        return f"http://{host!s}:{port}/{query}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or close it if there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection; then make room for another."""
        end = threading.Timer(self.deadline, _shut, [request])  # of one that sends slowly
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that break."""


def is_loopback(host: str) -> bool:
    """
    Return whether an address is this machine alone.

    Parameters
    ----------
    host : str
        Name or number.

    Returns
    -------
    is_loopback : bool
        Names other than localhost are not looked up.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class LocalHandler(BaseHTTPRequestHandler):
    """Answers one connection, if its sender may ask."""

    server: LocalServer
    timeout = PATIENCE
    server_version = "minesense"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Keep no log of requests."""

    def answer(self, respond: Callable[[str], tuple[str, bytes] | None]) -> None:
        """
        Send what a function of the path returns, or why not.

        Parameters
        ----------
        respond : callable
            Returns type and body, or None if it answered itself; raises RefusedRequest.
        """
        try:
            self.check_sender()
            result = respond(urlsplit(self.path).path)
        except RefusedRequest as error:
            self.send(error.status, "text/plain; charset=utf-8", str(error).encode())
            return
        if result is not None:
            self.send(200, *result)

    def check_sender(self) -> None:
        """
        Refuse who does not know the token, and pages of other addresses.

        Raises
        ------
        RefusedRequest
            With status 403.
        """
        server = self.server
        asked = parse_qs(urlsplit(self.path).query, max_num_fields=8).get("token", [""])[0]
        if server.token and not hmac.compare_digest(asked.encode(), server.token.encode()):
            raise RefusedRequest(403, "Invalid token. Must be the one printed at the start.")
        host = self.headers.get("Host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if not server.token and not is_loopback(name):
            # a page elsewhere whose name was pointed at this machine
            raise RefusedRequest(403, "Invalid Host. Must be this machine.")
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise RefusedRequest(403, "Invalid Origin. Must be this page.")

    def begin(self, status: int, kind: str, **others: str) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in {**_HEADERS, **others}.items():
            self.send_header(name, value)

    def send(self, status: int, kind: str, body: bytes) -> None:
        """Send an answer, the only one of its connection."""
        self.begin(status, kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _shut(request: Any) -> None:
    """End a connection, whoever reads from it."""
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)

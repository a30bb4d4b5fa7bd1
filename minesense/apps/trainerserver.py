"""Serve a trainer's session: loopback by default, every request treated as hostile."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from .trainersession import OutOfTurn, Session
from .trainersheet import trainer_page

#: Bytes of a request's body, and connections at a time, at most.
MOST_BYTES, MOST_CONNECTIONS = 8 << 20, 32

#: Seconds without a byte, and of a connection as a whole, at most.
PATIENCE, DEADLINE = 15.0, 60.0

_HTML, _JSON, _BINARY = (
    "text/html; charset=utf-8",
    "application/json",
    "application/octet-stream",
)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Refused(Exception):
    """A request that gets an answer other than what it asked for."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status = status


class TrainerServer(ThreadingHTTPServer):
    """
    A server for one session.

    Parameters
    ----------
    session : Session
        What it serves.
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

    def __init__(self, session: Session, *, host: str, port: int, token: str = ""):
        if not token and not is_loopback(host):
            msg = f"Invalid host '{host}' without a token. Must be this machine alone."
            raise ValueError(msg)
        self.session = session
        self.token = token
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((host, port), _Handler)

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        host, port = self.server_address[:2]
        query = f"?token={self.token}" if self.token else ""
        return f"http://{host!s}:{port}/{query}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or close it if there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection; then make room for another."""
        end = threading.Timer(DEADLINE, _shut, [request])  # of one that sends byte by byte
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


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: TrainerServer
    timeout = PATIENCE
    server_version = "minesense"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Keep no log of requests."""

    def do_GET(self) -> None:
        """Answer with a page, a ground or a result."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take the learner's name, a run, or the end."""
        self._answer(self._post)

    def _answer(self, respond: Any) -> None:
        """Send what a function returns, or why not."""
        try:
            self._check_sender()
            kind, body = respond(urlsplit(self.path).path)
            self._send(200, kind, body)
        except _Refused as error:
            self._send(error.status, _JSON, _words(error))
        except OutOfTurn as error:
            self._send(409, _JSON, _words(error))
        except (ValueError, TypeError) as error:
            self._send(400, _JSON, _words(error))

    def _check_sender(self) -> None:
        """Refuse who does not know the token, and pages of other addresses."""
        server = self.server
        asked = parse_qs(urlsplit(self.path).query, max_num_fields=8).get("token", [""])[0]
        if server.token and not hmac.compare_digest(asked.encode(), server.token.encode()):
            raise _Refused(403, "Invalid token. Must be the one printed at the start.")
        host = self.headers.get("Host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if not server.token and not is_loopback(name):
            # a page elsewhere whose name was pointed at this machine
            raise _Refused(403, "Invalid Host. Must be this machine.")
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise _Refused(403, "Invalid Origin. Must be this page.")

    def _get(self, path: str) -> tuple[str, bytes]:
        """Return what is at a path."""
        session = self.server.session
        if path == "/":
            return _HTML, trainer_page(session.configuration()).encode()
        if path.startswith("/ground/"):
            return _BINARY, session.statistic(_step(path))
        if path == "/result":
            return _JSON, _text(session.result())
        if path == "/sheet.html":
            return _HTML, session.sheet().encode()
        if path == "/run.json":
            session.result()  # raises before the end
            return _JSON, _text(session.document())
        raise _Refused(404, "Invalid address. Must be one that the page knows.")

    def _post(self, path: str) -> tuple[str, bytes]:
        """Take what was sent to a path."""
        document = self._document()
        session = self.server.session
        if path == "/start":
            session.start(document)
            return _JSON, _text({"step": session.step})
        if path == "/finish":
            session.finish()
            return _JSON, _text({"step": session.step, "finished": True})
        if path.startswith("/ground/"):
            return _JSON, _text(session.submit(_step(path), document))
        raise _Refused(404, "Invalid address. Must be one that the page knows.")

    def _document(self) -> Any:
        """Return the JSON of a request."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            raise _Refused(411, "Invalid Content-Length. Must be a whole number.")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise _Refused(413, f"Invalid Content-Length. Must be at most {MOST_BYTES}.")
        if self.headers.get_content_type() != _JSON:
            raise _Refused(415, f"Invalid Content-Type. Must be {_JSON}.")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise _Refused(400, "Invalid body: it is shorter than its Content-Length.")
        try:
            return json.loads(data.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise _Refused(400, "Invalid body. Must be JSON.") from None

    def _send(self, status: int, kind: str, body: bytes) -> None:
        """Send an answer, the only one of its connection."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _shut(request: Any) -> None:
    """End a connection, whoever reads from it."""
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def _step(path: str) -> int:
    """Return the index of a ground that a path names."""
    word = path.removeprefix("/ground/")
    if not (word.isascii() and word.isdigit() and len(word) <= 3):
        raise _Refused(404, "Invalid address. Must be one that the page knows.")
    return int(word)


def _no_constant(word: str) -> NoReturn:
    """Refuse NaN and infinity, which JSON does not have."""
    raise ValueError(word)


def _text(document: Any) -> bytes:
    """Return a document as JSON."""
    return json.dumps(document, allow_nan=False).encode()


def _words(error: Exception) -> bytes:
    """Return what is wrong as JSON."""
    return _text({"error": " ".join(str(error).split())[:500]})

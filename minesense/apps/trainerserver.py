"""Serve a trainer's session: loopback by default, every request treated as hostile."""

from __future__ import annotations

import json
from typing import Any, NoReturn
from urllib.parse import urlsplit

from .local_server import HTML, JSON, LocalHandler, LocalServer, RefusedRequest
from .trainersession import OutOfTurn, Session
from .trainersheet import trainer_page

#: Bytes of a request's body, at most.
MOST_BYTES = 8 << 20

_BINARY = "application/octet-stream"


class TrainerServer(LocalServer):
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

    def __init__(self, session: Session, *, host: str, port: int, token: str = ""):
        self.session = session
        super().__init__(_Handler, host=host, port=port, token=token)


class _Handler(LocalHandler):
    """Answers one connection."""

    server: TrainerServer

    def do_GET(self) -> None:
        """Answer with a page, a ground or a result."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take the learner's name, a run, or the end."""
        self._answer(self._post)

    def _answer(self, respond: Any) -> None:
        """Send what a function returns, or why not."""
        try:
            self.check_sender()
            kind, body = respond(urlsplit(self.path).path)
            self.send(200, kind, body)
        except RefusedRequest as error:
            self.send(error.status, JSON, _words(error))
        except OutOfTurn as error:
            self.send(409, JSON, _words(error))
        except (ValueError, TypeError) as error:
            self.send(400, JSON, _words(error))

    def _get(self, path: str) -> tuple[str, bytes]:
        """Return what is at a path."""
        session = self.server.session
        if path == "/":
            return HTML, trainer_page(session.configuration()).encode()
        if path.startswith("/ground/"):
            return _BINARY, session.statistic(_step(path))
        if path == "/result":
            return JSON, _text(session.result())
        if path == "/sheet.html":
            return HTML, session.sheet().encode()
        if path == "/run.json":
            session.result()  # raises before the end
            return JSON, _text(session.document())
        raise RefusedRequest(404, "Invalid address. Must be one that the page knows.")

    def _post(self, path: str) -> tuple[str, bytes]:
        """Take what was sent to a path."""
        document = self._document()
        session = self.server.session
        if path == "/start":
            session.start(document)
            return JSON, _text({"step": session.step})
        if path == "/finish":
            session.finish()
            return JSON, _text({"step": session.step, "finished": True})
        if path.startswith("/ground/"):
            return JSON, _text(session.submit(_step(path), document))
        raise RefusedRequest(404, "Invalid address. Must be one that the page knows.")

    def _document(self) -> Any:
        """Return the JSON of a request."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            raise RefusedRequest(411, "Invalid Content-Length. Must be a whole number.")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise RefusedRequest(413, f"Invalid Content-Length. Must be at most {MOST_BYTES}.")
        if self.headers.get_content_type() != JSON:
            raise RefusedRequest(415, f"Invalid Content-Type. Must be {JSON}.")
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise RefusedRequest(400, "Invalid body: it is shorter than its Content-Length.")
        try:
            return json.loads(data.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise RefusedRequest(400, "Invalid body. Must be JSON.") from None


def _step(path: str) -> int:
    """Return the index of a ground that a path names."""
    word = path.removeprefix("/ground/")
    if not (word.isascii() and word.isdigit() and len(word) <= 3):
        raise RefusedRequest(404, "Invalid address. Must be one that the page knows.")
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

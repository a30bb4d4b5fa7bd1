"""A page in the browser that shows a live session, fed by server-sent events."""

from __future__ import annotations

import threading
from importlib import resources

from .live_feed import LiveFeed
from .local_server import HTML, LocalHandler, LocalServer, RefusedRequest

#: Seconds between signs of life to a page that hears nothing else.
_HEARTBEAT = 2.0


class LivePage:
    """
    Serve a live page from a thread of its own.

    Parameters
    ----------
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

    Examples
    --------
    >>> page = LivePage(port=0)
    >>> page.address.startswith("http://127.0.0.1:")
    True
    >>> page.close()
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, token: str = ""):
        self.feed = LiveFeed()
        self._server = _Server(self.feed, host=host, port=port, token=token)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where a browser finds the page, token included."""
        return self._server.address

    def close(self) -> None:
        """Stop serving; pages that are open say so."""
        self._server.is_closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(LocalServer):
    """The server of one page."""

    deadline = 86400.0  # a page may stay open all day

    def __init__(self, feed: LiveFeed, *, host: str, port: int, token: str):
        self.feed = feed
        self.is_closing = threading.Event()
        super().__init__(_Handler, host=host, port=port, token=token)


class _Handler(LocalHandler):
    """Answers with the page or with updates."""

    server: _Server

    def do_GET(self) -> None:
        """Answer with what is at a path."""
        self.answer(self._respond)

    def _respond(self, path: str) -> tuple[str, bytes] | None:
        if path == "/":
            page = resources.files(__package__).joinpath("live_page.html")
            return HTML, page.read_bytes()
        if path == "/updates":
            self._stream()
            return None
        raise RefusedRequest(404, "Invalid address. Must be one that the page knows.")

    def _stream(self) -> None:
        """Send updates until the page goes, falls behind or the server ends."""
        reader = self.server.feed.join()
        try:
            self.begin(200, "text/event-stream")
            self.end_headers()
            while not self.server.is_closing.is_set():
                update = reader.get(timeout=_HEARTBEAT / 4)
                if update is not None:
                    name, text = update
                    self.wfile.write(f"event: {name}\ndata: {text}\n\n".encode())
                elif reader.is_dropped:
                    return
                else:
                    self.wfile.write(b": still here\n\n")
        except OSError:
            return  # the page was closed
        finally:
            reader.close()

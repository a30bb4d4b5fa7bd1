"""One client of the server: its bytes, its frames, and when it has asked for too much."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import select
import socket
from typing import Any

from ..message import NoteMessage
from ..payload import Decoder, Encoder
from .frames import FrameDecoder, encode_frame
from .numbering import Link, of_no_stream
from .server_limits import ServerLimits, admits, is_token

_READ = 1 << 16

#: Notes that a client is sent about its mistakes, at most.
_MOST_NOTES = 20

#: Seconds that a client has to read why it is sent away.
_LINGER = 1.0


class Connection:
    """
    One client. Times are those of a monotonic clock, given by the caller.

    Parameters
    ----------
    channel : socket.socket
        Connected, not blocking.
    peer : str
        Address of the client, for counters.
    link : Link
        Its streams.
    limits : ServerLimits
        What it may do.
    token : bytes or None
        What its first frame must hold.
    now : float
        When it connected.
    """

    def __init__(
        self,
        channel: socket.socket,
        peer: str,
        *,
        link: Link,
        limits: ServerLimits,
        token: bytes | None,
        now: float,
    ):
        self.channel, self.peer = channel, peer
        self.n_delivered = self.n_refused = 0
        self.closing: str | None = None  #: why it is sent away
        self._link, self._limits, self._token = link, limits, token
        self._messages = Decoder()
        self._decoder = FrameDecoder(max_frame=limits.max_frame)
        self._is_admitted = token is None
        self._most = max(256, min(_READ, int(0.1 * limits.max_byte_rate)))
        self._last_frame: float | None = None
        self._connected = now
        self._frame_began: float | None = None
        self._skipped_at_frame = 0
        self._allowed_at = now  # when it may be read again
        self._closed_by = math.inf
        self._n_notes = 0

    def has_arrived(self) -> bool:
        """Return whether there is anything to read, the end included."""
        try:
            return bool(select.select([self.channel], [], [], 0)[0])
        except (OSError, ValueError):  # it is closed
            return False

    def read(self, now: float) -> list[bytes] | None:
        """
        Read what has arrived.

        Parameters
        ----------
        now : float
            By the clock of the caller.

        Returns
        -------
        payloads : list of bytes or None
            Renumbered; None at the end of the connection.
        """
        try:
            data = self.channel.recv(self._most)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        if self.closing is not None:
            return []
        frames = self._decoder.feed(data)
        limits = self._limits
        cost = max(len(data) / limits.max_byte_rate, len(frames) / limits.max_frame_rate)
        self._allowed_at = max(self._allowed_at, now - 0.1) + cost
        if frames:
            self._last_frame = now
            self._frame_began = None
            self._skipped_at_frame = self._decoder.counters.n_skipped
        if self._decoder.pending:
            # time in which it may not be read is not its own
            self._frame_began = (self._frame_began or now) + max(0.0, self._allowed_at - now)
        else:
            self._frame_began = None
        if self._decoder.counters.n_skipped - self._skipped_at_frame > limits.max_skipped:
            self.send_away("what arrives holds no frames", now)
        return self._admitted(frames, now)

    def finish(self) -> list[bytes]:
        """Return the payloads behind a frame that the end cut off."""
        frames = [] if self.closing else self._decoder.finish()
        return self._admitted(frames, self._connected)

    def judge(self, now: float) -> bool:
        """Send the client away if it took too long; return whether it is to be closed."""
        if self.closing is not None:
            return now >= self._closed_by
        limits = self._limits
        if self._last_frame is None:
            if now - self._connected > limits.first_frame_timeout:
                self.send_away("no whole frame came in time", now)
        elif now - self._last_frame > limits.idle_timeout:
            self.send_away("no frame came for too long", now)
        began = self._frame_began
        if began is not None and now - began > limits.frame_timeout:
            self.send_away("a frame took too long", now)
        return False

    def resumes_at(self) -> float:
        """Return when it may be read again: later if it sent more than it may."""
        return self._allowed_at

    def send_away(self, reason: str, now: float) -> None:
        """Tell a client why it must go; it has a second to read that."""
        if self.closing is None:
            self._tell(reason)
            self.closing, self._closed_by = reason, now + _LINGER
            with contextlib.suppress(OSError):
                self.channel.shutdown(socket.SHUT_WR)

    def counters(self) -> dict[str, Any]:
        """Return what was counted, ready for JSON."""
        frames = dataclasses.asdict(self._decoder.counters)
        return {**frames, "n_delivered": self.n_delivered, "n_refused": self.n_refused}

    def _admitted(self, frames: list[bytes], now: float) -> list[bytes]:
        """Return the payloads of frames that may be passed on."""
        payloads = []
        for frame in frames:
            if self.closing is not None:
                break
            if not self._is_admitted:
                assert self._token is not None
                if not admits(frame, self._token):
                    self.n_refused += 1
                    self.send_away("the first frame must hold the token", now)
                    break
                self._is_admitted = True
            elif not is_token(frame):  # a token that nobody asked for is nobody's business
                payloads.append(self._renumbered(frame))
        self.n_delivered += len(payloads)
        return payloads

    def _renumbered(self, payload: bytes) -> bytes:
        """Return a payload under the number of all links; tell the client what is wrong."""
        try:
            payload = self._link.renumber(payload)
        except ValueError as error:
            self.n_refused += 1
            self._tell(str(error))
            return of_no_stream(payload)
        if self._n_notes < _MOST_NOTES:
            try:
                self._messages.decode(payload)
            except ValueError as error:  # the session refuses and counts it
                self._tell(str(error))
        return payload

    def _tell(self, reason: str) -> None:
        """Send a note about a mistake, if the client reads such notes."""
        self._n_notes += 1
        if self._n_notes > _MOST_NOTES:
            return
        note = NoteMessage(
            stream="",
            sequence=self._n_notes,
            stamp=math.nan,
            topic="error",
            content={"reason": reason[:1000]},
        )
        with contextlib.suppress(OSError):
            self.channel.send(encode_frame(Encoder().encode(note)))

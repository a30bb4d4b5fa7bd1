"""How much a client may ask of the server, and who may be a client at all."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from .._validation import check_count, check_positive
from .frames import MAX_FRAME

#: Type of the payload that holds a token; its head is that of all payloads.
TOKEN = 0

_HEAD_SIZE = 16
_LEAST_TOKEN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """
    What the server grants each client.

    Raises
    ------
    TypeError, ValueError
        If a limit is not greater than zero.
    """

    max_frame: int = MAX_FRAME  #: bytes of a payload
    max_connections: int = 16
    max_byte_rate: float = 64e6  #: bytes per second of a connection; then it is read later
    max_frame_rate: float = 20_000.0  #: frames per second of a connection
    first_frame_timeout: float = 10.0  #: s from connecting to the first whole frame
    frame_timeout: float = 10.0  #: s that one frame may take
    idle_timeout: float = 60.0  #: s without any whole frame
    max_skipped: int = 2**20  #: bytes in a row that are no frame

    def __post_init__(self) -> None:
        for name in ("max_frame", "max_connections", "max_skipped"):
            check_count(getattr(self, name), name)
        for name in (
            *("max_byte_rate", "max_frame_rate", "first_frame_timeout"),
            *("frame_timeout", "idle_timeout"),
        ):
            check_positive(getattr(self, name), name)


def is_loopback(host: str) -> bool:
    """
    Tell whether an address can only be reached from this computer.

    Parameters
    ----------
    host : str
        An address, or "localhost". Other names are not looked up.

    Returns
    -------
    found : bool
        False for names.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "0.0.0.0", "detector.local")]
    [True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_token(token: str | None, host: str) -> bytes | None:
    """
    Return the token that clients of an address must send.

    Parameters
    ----------
    token : str or None
        As configured.
    host : str
        That the server binds to.

    Returns
    -------
    token : bytes or None
        None if none is asked for.

    Raises
    ------
    ValueError
        If the address can be reached from elsewhere and there is none, or it is too short.
    """
    if token is None:
        if is_loopback(host):
            return None
        msg = (
            f"Invalid host '{host}' without a token. Must be a loopback address, or come with "
            "a token that clients send."
        )
        raise ValueError(msg)
    value = token.encode("utf-8")
    if not _LEAST_TOKEN <= len(value) <= 1024:
        # its value is no business of a log
        msg = f"Invalid token of {len(value)} bytes. Must have {_LEAST_TOKEN} to 1024."
        raise ValueError(msg)
    return value


def read_token(path: str | Path) -> str:
    """
    Read a token from a file.

    Parameters
    ----------
    path : str or Path
        Of one line.

    Returns
    -------
    token : str
        Without the space around it.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not one line of text.
    """
    with Path(path).open("rb") as file:
        data = file.read(4096)
    try:
        token = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        token = ""
    if not token or len(token.splitlines()) != 1:
        msg = f"Invalid token file '{path}'. Must hold one line of text."
        raise ValueError(msg)
    return token


def is_token(payload: bytes) -> bool:
    """Return whether a payload holds a token, right or wrong."""
    return len(payload) >= _HEAD_SIZE and payload[0] == TOKEN


def admits(payload: bytes, token: bytes) -> bool:
    """Return whether a payload holds the token; takes as long for any of its length."""
    return is_token(payload) and hmac.compare_digest(payload[_HEAD_SIZE:], token)


def token_payload(token: str) -> bytes:
    """
    Return the payload by which a client sends its token.

    Parameters
    ----------
    token : str
        As the server has it.

    Returns
    -------
    payload : bytes
        The first of a link.

    Examples
    --------
    >>> token_payload("sixteen letters!")[16:]
    b'sixteen letters!'
    """
    return bytes([TOKEN, 1, 255, 255]) + bytes(12) + token.encode("utf-8")

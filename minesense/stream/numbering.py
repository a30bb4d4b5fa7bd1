"""
One numbering for the streams of several links.

Every link numbers its streams from zero, so two may use one number for different streams. A
stream is known by its name: each name gets one number, whichever link it comes by, and what
links send is renumbered. Nothing else of a payload is changed.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable

from ..message import StreamDeclaration
from ..payload import DECLARATION, MOST_STREAMS, NO_STREAM, VERSION, Decoder

#: Number of payloads whose stream is not known: kept and counted, never taken for another's.
UNKNOWN_STREAM = 0xFFFE

_NUMBER = struct.Struct("<H")
_NUMBER_AT = 2
_HEAD_SIZE = 16


class Numbering:
    """
    Numbers of streams by name, shared by links. Safe to use from several threads.

    Examples
    --------
    >>> from minesense.message import StreamDeclaration
    >>> from minesense.payload import Encoder
    >>> from minesense.sweep import Frame
    >>> def declared(name):
    ...     return Encoder().encode(  # number 0, each by an encoder of its own
    ...         StreamDeclaration(
    ...             name=name, kind="position", clock="utc", frame=Frame(),
    ...             height_datum="local", lever_arm=(0.0, 0.0, 0.0),
    ...         )
    ...     )
    >>> numbering = Numbering()
    >>> one, other = numbering.link(), numbering.link()
    >>> [link.renumber(declared(name))[2] for link, name in ((one, "a"), (other, "b"))]
    [0, 1]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._kinds: list[str] = []
        self._owners: list[Link] = []

    def link(self, *, before_loss: Callable[[], None] | None = None) -> Link:
        """
        Return a link that numbers its streams as it likes.

        Parameters
        ----------
        before_loss : callable, optional
            Called before another link gets one of its streams.

        Returns
        -------
        link : Link
            Without streams.
        """
        return Link(self, before_loss=before_loss)

    def _claim(self, link: Link, declaration: StreamDeclaration) -> int:
        """Return the number of a stream, which from now on belongs to a link."""
        name, kind = declaration.name, declaration.kind
        with self._lock:
            number = self._numbers.get(name)
            if number is None:
                if len(self._numbers) >= MOST_STREAMS:
                    msg = f"Invalid stream '{name}'. Must be one of at most {MOST_STREAMS}."
                    raise ValueError(msg)
                number = self._numbers[name] = len(self._numbers)
                self._kinds.append(kind)
                self._owners.append(link)
            if self._kinds[number] != kind:
                msg = (
                    f"Invalid kind '{kind}' of stream '{name}'. Must be "
                    f"'{self._kinds[number]}', as it was declared before."
                )
                raise ValueError(msg)
            owner = self._owners[number]
        if owner is not link:
            owner.before_loss()  # without the lock: it passes on what it has
        with self._lock:
            self._owners[number] = link
            return number

    def _is_owner(self, link: Link, number: int) -> bool:
        return self._owners[number] is link


class Link:
    """One link into a :class:`Numbering`: the numbers that it uses, and what they became."""

    def __init__(self, numbering: Numbering, *, before_loss: Callable[[], None] | None = None):
        self._numbering = numbering
        self.before_loss = before_loss or (lambda: None)
        self._numbers: dict[int, int] = {}

    def renumber(self, payload: bytes) -> bytes:
        """
        Return a payload under the number that its stream has for all links.

        Parameters
        ----------
        payload : bytes
            As it came.

        Returns
        -------
        payload : bytes
            The same but for two bytes.

        Raises
        ------
        ValueError
            If it is no payload; declares what cannot be; or is of a stream that this link has
            not declared, or that another link has declared since. :func:`of_no_stream`
            returns what may be kept of it.
        """
        if len(payload) < _HEAD_SIZE or payload[1] != VERSION:
            msg = (
                f"Invalid payload that begins with {payload[:4].hex(' ') or 'nothing'}. Must "
                f"have {_HEAD_SIZE} bytes or more, the second {VERSION}."
            )
            raise ValueError(msg)
        number = number_of(payload)
        if payload[0] == DECLARATION:
            declaration = Decoder().decode(payload)
            assert isinstance(declaration, StreamDeclaration)
            known = self._numbering._claim(self, declaration)
            self._numbers[number] = known
        elif number == NO_STREAM:
            return payload
        else:
            found = self._numbers.get(number)
            if found is None:
                msg = f"Invalid stream number {number}. Must be declared before it is used."
                raise ValueError(msg)
            known = found
            if not self._numbering._is_owner(self, known):
                msg = f"Invalid stream number {number}. Must not be declared by another link."
                raise ValueError(msg)
        return payload if known == number else with_number(payload, known)


def number_of(payload: bytes) -> int:
    """
    Return the number of a payload's stream.

    Parameters
    ----------
    payload : bytes
        Of any length.

    Returns
    -------
    number : int
        65535 if it has none.

    Examples
    --------
    >>> number_of(bytes([3, 1, 7, 0]) + bytes(12))
    7
    """
    if len(payload) < _NUMBER_AT + _NUMBER.size:
        return NO_STREAM
    return int(_NUMBER.unpack_from(payload, _NUMBER_AT)[0])


def with_number(payload: bytes, number: int) -> bytes:
    r"""
    Return a payload with another number of its stream.

    Parameters
    ----------
    payload : bytes
        Of four bytes or more.
    number : int
        The new one.

    Returns
    -------
    payload : bytes
        A copy.

    Examples
    --------
    >>> with_number(bytes([3, 1, 7, 0]), 258)
    b'\x03\x01\x02\x01'
    """
    return payload[:_NUMBER_AT] + _NUMBER.pack(number) + payload[_NUMBER_AT + _NUMBER.size :]


def of_no_stream(payload: bytes) -> bytes:
    """
    Return a payload that was refused in a form that can be kept and is refused again.

    Parameters
    ----------
    payload : bytes
        Of any content.

    Returns
    -------
    payload : bytes
        Of the stream :data:`UNKNOWN_STREAM`, which is never declared.

    Examples
    --------
    >>> of_no_stream(b"?")
    b'?'
    """
    if len(payload) < _NUMBER_AT + _NUMBER.size:
        return payload
    return with_number(payload, UNKNOWN_STREAM)

"""Sources from words of the command line: ``KIND:TARGET?OPTION=VALUE&...``."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from .. import io
from ..message import StreamDeclaration
from ..stream.byte_input import ByteInput, FileInput, SerialInput, TcpInput
from ..stream.framed_source import FramedSource
from ..stream.nmea_positions import NmeaPositions
from ..stream.receiver_source import ReceiverSource
from ..stream.replay_source import ReplaySource
from ..stream.server_limits import ServerLimits, read_token
from ..stream.source import Source
from ..stream.sweep_source import SweepMessages, SweepSource
from ..stream.tcp_server import TcpServer
from ..stream.ubx_positions import UbxPositions
from ..sweep import Frame, Sweep
from .readoptions import call_with

#: Port that is listened at unless another is named.
PORT = 9750


class _Options:
    """Options of one source; each is taken once, and what is left is unknown."""

    def __init__(self, spec: str, text: str):
        self._spec = spec
        self._taken: list[str] = []
        try:
            pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
        except ValueError:
            msg = f"Invalid source '{spec}'. Must have options like '?seed=1&speed=2'."
            raise ValueError(msg) from None
        self._values = dict(pairs)

    def take(self, name: str, kind: Callable[[str], Any], default: Any) -> Any:
        """Return an option as a value of its kind."""
        self._taken.append(name)
        text = self._values.pop(name, None)
        if text is None:
            return default
        try:
            return kind(text)
        except ValueError as error:
            msg = f"Invalid {name} '{text}' of source '{self._spec}'. {error}"
            raise ValueError(msg) from None

    def finish(self) -> None:
        """Raise if an option is unknown."""
        for name in self._values:
            known = ", ".join(self._taken) or "none"
            msg = f"Invalid option '{name}' of source '{self._spec}'. Must be one of: {known}."
            raise ValueError(msg)


def make_source(spec: str, *, host: str = "127.0.0.1", token: str | None = None) -> Source:
    """
    Return the source that a word describes.

    Parameters
    ----------
    spec : str
        Kind, target and options, see ``minesense stream --help``.
    host : str
        That servers bind to.
    token : str, optional
        That servers ask for, and that is sent to those that are connected to.

    Returns
    -------
    source : Source
        Not yet running.

    Raises
    ------
    ValueError, OSError, ImportError
        If it cannot be made.

    Examples
    --------
    >>> make_source("replay:task.mcap?speed=2").name
    'replay task.mcap'
    >>> make_source("radio:1")
    Traceback (most recent call last):
    ValueError: Invalid source 'radio:1'. Must begin with one of listen:, tcp:, serial:, ...
    """
    kind, _, rest = spec.partition(":")
    target, _, text = rest.partition("?")
    options = _Options(spec, text)
    transport, is_receiver = kind, False
    if kind.startswith(("nmea+", "ubx+")):
        transport, is_receiver = kind.partition("+")[2], True
    if kind not in _KINDS:
        known = ", ".join(f"{name}:" for name in _KINDS)
        msg = f"Invalid source '{spec}'. Must begin with one of {known}."
        raise ValueError(msg)
    if not target and kind != "listen":
        msg = f"Invalid source '{spec}'. Must name what is behind '{kind}:'."
        raise ValueError(msg)
    if is_receiver:
        return _receiver(kind.partition("+")[0], transport, target, options, spec)
    source: Source
    if kind == "listen":
        source = _server(target, options, spec, host, token)
    elif kind in ("tcp", "serial"):
        source = FramedSource(_input(kind, target, options, spec, token))
    elif kind == "replay":
        source = ReplaySource(target, speed=options.take("speed", speed_of, math.inf))
    elif kind == "file":
        source = _file(target, options)
    else:
        source = _simulator(target, options)
    options.finish()
    return source


_KINDS = (
    *("listen", "tcp", "serial", "nmea+serial", "nmea+tcp", "nmea+file"),
    *("ubx+serial", "ubx+tcp", "ubx+file", "replay", "file", "simulator"),
)


def speed_of(text: str) -> float:
    """
    Return a speed.

    Parameters
    ----------
    text : str
        A number, or "max".

    Returns
    -------
    speed : float
        Infinite for "max".

    Raises
    ------
    ValueError
        If it is not greater than zero.

    Examples
    --------
    >>> speed_of("2.5"), speed_of("max")
    (2.5, inf)
    """
    value = math.inf if text == "max" else _number(text)
    if not value > 0:
        msg = "Must be a number greater than zero, or 'max'."
        raise ValueError(msg)
    return value


def _server(
    target: str, options: _Options, spec: str, host: str, token: str | None
) -> TcpServer:
    """Return a server for devices."""
    defaults = ServerLimits()
    limits = ServerLimits(
        max_frame=options.take("max_frame", _count, defaults.max_frame),
        max_connections=options.take("max_connections", _count, defaults.max_connections),
        max_byte_rate=options.take("max_byte_rate", _number, defaults.max_byte_rate),
        max_frame_rate=options.take("max_frame_rate", _number, defaults.max_frame_rate),
        idle_timeout=options.take("idle_timeout", _number, defaults.idle_timeout),
    )
    options.finish()
    return TcpServer(host, _port(target or str(PORT), spec), token=token, limits=limits)


def _input(
    kind: str, target: str, options: _Options, spec: str, token: str | None
) -> ByteInput:
    """Return where bytes are read."""
    if kind == "file":
        return FileInput(target)
    if kind == "serial":
        return SerialInput(target, baud_rate=options.take("baud", _count, 115_200))
    host, _, port = target.rpartition(":")
    token_file = options.take("token_file", str, None)
    return TcpInput(
        host.strip("[]") or "127.0.0.1",
        _port(port, spec),
        token=token if token_file is None else read_token(token_file),
    )


def _receiver(
    language: str, transport: str, target: str, options: _Options, spec: str
) -> ReceiverSource:
    """Return a satellite receiver."""
    # a receiver understands no token of ours, and must not get one
    source = _input(transport, target, options, spec, None)
    declaration = StreamDeclaration(
        name=options.take("name", str, "gnss"),
        kind="position",
        clock=options.take("clock", str, "utc"),
        rate=options.take("rate", _number, None),
        offset=options.take("offset", _number, 0.0),
        offset_error=options.take("offset_error", _number, 0.0),
        lag=options.take("lag", _number, 0.0),
        lag_error=options.take("lag_error", _number, None),
        lateness=options.take("lateness", _number, 0.0),
        coordinates="geographic",
        frame=Frame(
            crs=options.take("crs", str, "local"),
            origin=options.take("origin", str, "that of the task's configuration"),
        ),
        height_datum=options.take("datum", str, "ellipsoid"),
        lever_arm=options.take("lever_arm", _arm, None),
        note=options.take("note", str, ""),
    )
    positions: NmeaPositions | UbxPositions
    if language == "nmea":
        positions = NmeaPositions(
            declaration,
            date=options.take("date", datetime.date.fromisoformat, None),
            leap_seconds=options.take("leap_seconds", _count, None),
        )
    else:
        positions = UbxPositions(declaration)
    options.finish()
    return ReceiverSource(source, declaration, positions)


def _file(target: str, options: _Options) -> SweepSource:
    """Return a recording of a radar or detector, or a bag, as a source."""
    return SweepSource(
        name=f"file {target}",
        speed=options.take("speed", speed_of, math.inf),
        messages=SweepMessages(clock=options.take("clock", str, "host")),
        lanes=partial(
            _lanes_of_file,
            target,
            {
                name: value
                for name, kind in _READING.items()
                if (value := options.take(name, kind, None)) is not None
            },
        ),
    )


def _lanes_of_file(path: str, reading: dict[str, Any]) -> Iterable[Sequence[Sweep]]:
    """Return the lanes of a file."""
    recording: Any = call_with(io.read, path, options=reading)
    sweeps = recording.to_sweeps() if hasattr(recording, "to_sweeps") else None
    sweeps = list(sweeps or [recording.to_sweep()])
    if getattr(recording, "format", "") == "coil":
        # the coils of a bag take turns along one track: they came together
        return [[dataclasses.replace(sweep, lane=Path(path).stem) for sweep in sweeps]]
    return [[sweep] for sweep in sweeps]


def _simulator(target: str, options: _Options) -> SweepSource:
    """Return a simulated platform as a source. SYNTHETIC."""
    from .simulator_source import simulate  # noqa: PLC0415 - slow to import

    return simulate(
        target,
        seed=options.take("seed", _count, 1),
        n_lanes=options.take("lanes", _count, None),
        length=options.take("length", _number, None),
        speed=options.take("speed", speed_of, 1.0),
    )


def _port(text: str, spec: str) -> int:
    """Return a port; 0 for any that is not in use."""
    value = int(text) if text.isdecimal() and text.isascii() else -1
    if not 0 <= value <= 65535:
        msg = f"Invalid port '{text}' of source '{spec}'. Must be from 0 to 65535."
        raise ValueError(msg)
    return value


def _number(text: str) -> float:
    """Return a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = "Must be a finite number."
        raise ValueError(msg)
    return value


def _count(text: str) -> int:
    """Return a whole number."""
    if not (text.isascii() and text.isdecimal()):
        msg = "Must be a whole number."
        raise ValueError(msg)
    return int(text)


def _arms(text: str) -> list[tuple[float, float, float]]:
    """Return the lever arms of several channels."""
    return [_arm(part) for part in text.split(";")]


#: Options of files that their readers take.
_READING: dict[str, Callable[[str], Any]] = {
    "spacing": _number,
    "format": str,
    "topic": str,
    "position_topic": str,
    "lever_arms": _arms,
}


def _arm(text: str) -> tuple[float, float, float]:
    """Return a lever arm."""
    parts = [_number(part) for part in text.split(",")]
    if len(parts) != 3:
        msg = "Must be right, forward and upward in metres, with commas between them."
        raise ValueError(msg)
    return parts[0], parts[1], parts[2]

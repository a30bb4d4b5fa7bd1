"""The command ``minesense serve-simulator``: a device that does not exist. SYNTHETIC."""

from __future__ import annotations

import contextlib
import socket
import threading
from argparse import Namespace

from ..message import Packet
from ..stream.frames import FrameDecoder, encode_frame
from ..stream.server_limits import admits, check_token, read_token
from ..stream.sweep_source import SweepSource
from .fieldfolder import SYNTHETIC
from .live_session import tell
from .signals import stopped_by_signals
from .simulator_source import simulate

_MOST_CLIENTS = 8
_TICK = 0.2  # s between looks at whether to stop
_TOKEN_TIMEOUT = 10.0


def run(options: Namespace) -> str:
    """
    Send simulated messages to every client, from the beginning, until SIGINT or SIGTERM.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        How many clients there were.

    Raises
    ------
    ValueError, OSError
        If the scenario or the address cannot be used, or the address can be reached from
        elsewhere and there is no token.
    """
    secret = None if options.token_file is None else read_token(options.token_file)
    token = check_token(secret, options.host)
    new_source(options)  # raises before anybody connects
    stopped = threading.Event()
    threads: list[threading.Thread] = []
    n_clients = 0
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with (
        socket.create_server((options.host, options.port), family=family) as listener,
        stopped_by_signals(stopped.set),
    ):
        host, port = listener.getsockname()[:2]
        tell(f"minesense: {SYNTHETIC}; sending at {host}:{port}")
        listener.settimeout(_TICK)
        while not stopped.is_set():
            try:
                channel, _ = listener.accept()
            except TimeoutError:
                continue
            threads = [thread for thread in threads if thread.is_alive()]
            if len(threads) >= _MOST_CLIENTS:
                channel.close()
                continue
            n_clients += 1
            thread = threading.Thread(
                target=_serve, args=(channel, token, new_source(options), stopped), daemon=True
            )
            threads.append(thread)
            thread.start()
    for thread in threads:
        thread.join(5.0)
    return f"{SYNTHETIC}\n{n_clients} clients were served"


def new_source(options: Namespace) -> SweepSource:
    """
    Return the simulated platform that options describe.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    source : SweepSource
        From its beginning.
    """
    return simulate(
        options.scenario,
        seed=options.seed,
        n_lanes=options.lanes,
        length=options.length,
        speed=options.speed,
    )


def _serve(
    channel: socket.socket, token: bytes | None, source: SweepSource, stopped: threading.Event
) -> None:
    """Send everything to one client, if it may have it."""

    def send(packet: Packet) -> None:
        if stopped.is_set():
            source.stop()
        try:
            channel.sendall(encode_frame(packet.payload))
        except OSError:  # the client has gone, or takes nothing
            source.stop()

    with channel, contextlib.suppress(OSError):
        channel.settimeout(_TOKEN_TIMEOUT)
        if token is not None:
            decoder = FrameDecoder(max_frame=2048)
            frames: list[bytes] = []
            while not frames and (data := channel.recv(4096)):
                frames = decoder.feed(data)
            if not frames or not admits(frames[0], token):
                return
        source.run(send)

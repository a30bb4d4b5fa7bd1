"""The command ``minesense replay``: the lines of a live session again, from its recording."""

from __future__ import annotations

import threading
from argparse import Namespace

from ..stream.pace import Pace
from ..stream.replay_source import read_stream
from .live_session import LinePrinter, LiveSession, closing_line
from .live_subscribers import live_subscribers
from .signals import stopped_by_signals
from .stream import session_parts


def run(options: Namespace) -> str:
    """
    Process a recording as if it came now.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The last line: the counters.

    Raises
    ------
    ValueError, OSError, ImportError
        If the recording, the model or the configuration cannot be used.
    """
    config, detector = session_parts(options)
    printer = LinePrinter(tell_all=options.events == "all")
    stopped = threading.Event()
    pace = Pace(options.speed, stopped)
    with (
        live_subscribers(options, host="127.0.0.1", token="") as others,
        stopped_by_signals(stopped.set),
    ):
        live = LiveSession(config, detector=detector, subscribers=[printer, *others])
        for packet in read_stream(options.path):
            if not pace.wait_for(packet.arrival):
                break
            live.push(packet)
            if live.failure:
                break
        return closing_line(live)

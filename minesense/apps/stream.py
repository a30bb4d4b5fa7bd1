"""The command ``minesense stream``: sources in, a recording and lines of JSON out."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
from argparse import Namespace
from collections.abc import Sequence

from ..detect import Detector
from ..stream import StreamConfig, load_config
from ..stream.intake import Intake
from ..stream.recorder import Recorder
from ..stream.server_limits import read_token
from ..stream.tcp_server import TcpServer
from .live_session import LinePrinter, LiveSession, Subscriber, closing_line, tell
from .live_subscribers import live_subscribers
from .signals import stopped_by_signals
from .source_spec import make_source
from .warming import Warming, settle_memory


def run(options: Namespace) -> str:
    """
    Process what sources send until they end, or SIGINT or SIGTERM.

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
        If a source, the recording, the model or the configuration cannot be used.
    """
    token = read_token(options.token_file) if options.token_file else ""
    printer = LinePrinter(tell_all=options.events == "all")
    with live_subscribers(options, host=options.host, token=token) as others:
        return stream(options, subscribers=[printer, *others])


def stream(options: Namespace, *, subscribers: Sequence[Subscriber]) -> str:
    """
    Run sources, telling subscribers what comes of them; see :func:`run`.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.
    subscribers : sequence of Subscriber
        Told what comes of every packet.

    Returns
    -------
    text : str
        The last line.
    """
    logging.basicConfig(format="minesense: %(message)s", level=logging.WARNING)
    config, detector = session_parts(options)
    token = None if options.token_file is None else read_token(options.token_file)
    with contextlib.ExitStack() as stack:
        sources = []
        for spec in options.source:
            source = make_source(spec, host=options.host, token=token)
            if isinstance(source, TcpServer):
                stack.callback(source.close)
            sources.append(source)
            tell(f"minesense: {source.name}")
        recorder = stack.enter_context(Recorder(options.record)) if options.record else None
        intake = Intake(sources, recorder=recorder)
        stack.callback(gc.unfreeze)  # when the warming is over, too: it settles once more
        warming = stack.enter_context(Warming())
        live = LiveSession(config, detector=detector, subscribers=[*subscribers, warming])
        stack.enter_context(stopped_by_signals(intake.stop))
        settle_memory()
        packets = stack.enter_context(contextlib.closing(intake.packets()))
        for item in packets:
            live.push(item)
            if live.failure and recorder is None:
                intake.stop()  # with a recorder, what comes is recorded all the same
        try:
            return closing_line(live)
        finally:
            tell(json.dumps({"event": "link_counters", **intake.counters()}))


def session_parts(options: Namespace) -> tuple[StreamConfig | None, Detector | None]:
    """
    Return what a session is made from.

    Parameters
    ----------
    options : argparse.Namespace
        With config and model, each None or a file.

    Returns
    -------
    config : StreamConfig or None
        None if none was named.
    detector : Detector or None
        None if none was named.
    """
    config = None if options.config is None else load_config(options.config)
    detector = None if options.model is None else Detector.load(options.model)
    return config, detector

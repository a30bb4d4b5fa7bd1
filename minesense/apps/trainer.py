"""The command ``minesense trainer``."""

from __future__ import annotations

import contextlib
import secrets
import sys
import threading
from argparse import Namespace
from pathlib import Path

from .files import make_folder
from .local_server import is_loopback
from .signals import stopped_by_signals
from .trainerground import Course, make_training
from .trainerserver import TrainerServer
from .trainersession import Session, read_session


def run(options: Namespace) -> str:
    """
    Serve a course to a learner, or score again what one did.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The result, or how far the learner came.

    Raises
    ------
    OSError
        If a file or the port cannot be had.
    ValueError
        If an option or a file cannot be used.
    """
    if options.run is not None:
        session = read_session(options.run)
        folder = make_folder(options.output)
        if (folder / "run.json").exists() and not _is_same(folder / "run.json", options.run):
            msg = f"Invalid --output '{options.output}': it holds another run. Must not."
            raise FileExistsError(msg)
        session.folder = folder
        session.finish()
        return f"{session.summary()}\nWrote {folder / 'sheet.html'}"
    course = Course(
        seed=options.seed,
        n_open=options.open_lanes,
        n_blind=options.blind_lanes,
        head=options.head,
        mode=options.mode,
        soil=options.soil,
        clutter=options.clutter,
        length=options.length,
    )
    folder = make_folder(options.output)
    if (folder / "run.json").exists():
        msg = f"Invalid --output '{options.output}': it holds a run already. Must not."
        raise FileExistsError(msg)
    say("Making the lanes ...")
    session = Session(make_training(course), folder=folder)
    token = "" if is_loopback(options.host) else secrets.token_urlsafe(16)
    with TrainerServer(session, host=options.host, port=options.port, token=token) as server:
        say(f"SYNTHETIC lanes. Truth of the blind ones is sealed: {session.training.seal}")
        say(f"Open {server.address} in a browser; stop with Ctrl-C.")
        # from a thread: a server cannot be told to stop by the thread that serves
        stop = threading.Thread(target=server.shutdown)
        with stopped_by_signals(stop.start), contextlib.suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.2)
    if not session.is_finished:
        return session.summary()
    return f"{session.summary()}\nWrote {folder / 'sheet.html'}"


def say(line: str) -> None:
    """Tell the user something while the command runs."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _is_same(path: Path, other: str) -> bool:
    """Return whether two paths name one file."""
    return path.resolve() == Path(other).resolve()

"""The command line. Subcommands load what they need only when they run."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import textwrap
import warnings
from collections.abc import Sequence

from ._version import __version__
from .alarm import SAFETY_TEXT
from .apps.commands import EXIT_CODES, Parser, add_commands

_DESCRIPTION = """\
Open signal processing for humanitarian demining: turn sweeps of metal detectors and
ground-penetrating radar into alarms, and measure how good they are on synthetic fields.
"""


def build_parser() -> argparse.ArgumentParser:
    """
    Return the parser of the command line.

    Returns
    -------
    parser : argparse.ArgumentParser
        With one subparser for each command.

    Examples
    --------
    >>> from minesense.cli import build_parser
    >>> build_parser().parse_args(["demo", "--seed", "7"]).seed
    7
    """
    parser = Parser(
        prog="minesense",
        description=_DESCRIPTION,
        epilog=f"{textwrap.fill(SAFETY_TEXT, 78)}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"minesense {__version__}")
    add_commands(parser)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Parameters
    ----------
    words : sequence of str, optional
        Of the command line; those of the process by default.

    Returns
    -------
    code : int
        0 done, 1 a fault in minesense itself, 2 input that cannot be used.

    Examples
    --------
    >>> from minesense.cli import main
    >>> main(["info", "no such file"])
    2
    """
    options = build_parser().parse_args(words)
    debug = os.environ.get("MINESENSE_DEBUG") == "1"
    try:
        command = importlib.import_module(f".apps.{options.module}", __package__)
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            text = command.run(options)
            print(text)
    except BrokenPipeError:
        # whoever read our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("minesense: stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, MemoryError) as error:
        if debug:
            raise
        print(f"minesense {options.command}: {_one_line(error)}", file=sys.stderr)
        return 2
    except Exception as error:  # a user must never see a traceback
        if debug:
            raise
        print(
            f"minesense {options.command}: a fault in minesense: {type(error).__name__}: "
            f"{_one_line(error)} (set MINESENSE_DEBUG=1 to see where, and please report it)",
            file=sys.stderr,
        )
        return 1
    return int(getattr(text, "code", 0))  # a command may have a verdict, not only a text


def _one_line(error: BaseException) -> str:
    """Return the message of an error on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line for the user, without the place in the code."""
    print(f"minesense: warning: {' '.join(str(message).split())}", file=sys.stderr)

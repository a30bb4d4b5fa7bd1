"""The commands and what each takes. Nothing is imported here that a command needs to run."""

from __future__ import annotations

from . import (
    annex_commands,
    bench_commands,
    evidence_commands,
    field_commands,
    file_commands,
    stream_commands,
)
from .parser import EXIT_CODES, Parser

__all__ = ["EXIT_CODES", "Parser", "add_commands"]

_GROUPS = (
    field_commands,
    bench_commands,
    file_commands,
    stream_commands,
    evidence_commands,
    annex_commands,
)


def add_commands(parser: Parser) -> None:
    """
    Add every command to a parser, each with the name of the module that runs it.

    Parameters
    ----------
    parser : Parser
        Of the program.

    Examples
    --------
    >>> from minesense.apps.commands import Parser, add_commands
    >>> parser = Parser()
    >>> add_commands(parser)
    >>> parser.parse_args(["info", "field"]).module
    'info'
    """
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in _GROUPS:
        group.add_commands(commands)

"""The parser of the program, and what every command takes."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn, TypeAlias

from . import arguments

EXIT_CODES = "Exit codes: 0 done, 1 a fault in minesense itself, 2 input that cannot be used."


class Parser(argparse.ArgumentParser):
    """A parser that complains in one line, like the rest of the program."""

    def error(self, message: str) -> NoReturn:
        """Leave with code 2 and one line about what is wrong with the command line."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_command(
    commands: Commands,
    name: str,
    *,
    module: str,
    summary: str,
    text: str,
    output: str | None,
    output_help: str,
    seed_help: str = "source of all chance, a whole number (default: 1)",
) -> Parser:
    """Add a subcommand with what all of them have."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=text,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module)
    parser.add_argument("--seed", type=arguments.seed, default=1, metavar="N", help=seed_help)
    parser.add_argument("--output", default=output, metavar="PATH", help=output_help)
    return parser


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the number of threads."""
    parser.add_argument(
        "--workers",
        type=arguments.workers,
        default=min(4, os.cpu_count() or 1),
        metavar="N",
        help="threads; the result does not depend on it (default: %(default)s)",
    )

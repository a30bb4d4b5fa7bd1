"""Commands about files: info and convert."""

from __future__ import annotations

from .parser import Commands, Parser, add_command


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_info(commands)
    _add_convert(commands)


def _add_info(commands: Commands) -> None:
    parser = add_command(
        commands,
        "info",
        module="info",
        summary="say what a recording, a sweep, a simulated field or a model holds",
        text=(
            "Print what a file holds: a recording's size, sample interval, spacing and where\n"
            "each figure comes from, with every correction and warning; a simulated field's\n"
            "lanes and targets; a sweep's sensor and history; a model's card.\n\n"
            "The SHA-256 of a field, its truth, its records and all its sweeps are verified;\n"
            "what is missing or not as it was written is input that cannot be used."
        ),
        output=None,
        output_help="write it to this file as JSON too",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="recording, sweep, folder or model")
    _add_options(parser)


def _add_convert(commands: Commands) -> None:
    parser = add_command(
        commands,
        "convert",
        module="convert",
        summary="read a file of any format and write it in another one",
        text=(
            "Read a recording, a table, a bag or a sweep over frequency, and write it in the\n"
            "format that the ending of the target names: .h5 takes everything that is read,\n"
            "other formats what they can hold. What was written is read back and compared\n"
            "before it gets its name. No file is replaced unless --overwrite is given.\n\n"
            "With --positions the traces of a radar are placed by the log of a drone."
        ),
        output=None,
        output_help="not used: the target is the second argument",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="file to read, or folder")
    parser.add_argument("target", metavar="TARGET", help="file to write")
    parser.add_argument(
        "--format", metavar="NAME", help="to write, if the ending is not enough"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the target")
    parser.add_argument(
        "--positions", metavar="LOG", help="SkyHub position log with the numbers of the traces"
    )
    parser.add_argument(
        "--first-trace", type=int, choices=(0, 1), help="what the log counts traces from"
    )
    parser.add_argument(
        "--write-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the writer; may be repeated",
    )
    _add_options(parser)


def _add_options(parser: Parser) -> None:
    """Add options of readers."""
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the reader, for example component=Ez; may be repeated",
    )

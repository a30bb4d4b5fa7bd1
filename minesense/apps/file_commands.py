"""Commands about files: info, convert, recover."""

from __future__ import annotations

from . import arguments
from .parser import Commands, Parser, add_command


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_info(commands)
    _add_recover(commands)
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
            "lanes and targets; a sweep's sensor and history; a model's card; the streams,\n"
            "counts and times of a recording of streams (MCAP).\n\n"
            "The SHA-256 of a field, its truth, its records and all its sweeps are verified;\n"
            "what is missing or not as it was written is input that cannot be used."
        ),
        output=None,
        output_help="write it to this file as JSON too",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="recording, sweep, folder or model")
    _add_options(parser)


def _add_recover(commands: Commands) -> None:
    parser = add_command(
        commands,
        "recover",
        module="recover",
        summary="get everything out of a damaged recording of a stream",
        text=(
            "Copy all packets of a recording (MCAP) whose checksums are right, those before\n"
            "a torn tail and around corrupt chunks, into a new file. Prints what was damaged\n"
            "and which messages are missing by their sequence numbers. The recording itself\n"
            "is not changed."
        ),
        output=None,
        output_help="new file (default: beside the recording, NAME-recovered.mcap)",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="recording of `minesense stream`")


def _add_convert(commands: Commands) -> None:
    parser = add_command(
        commands,
        "convert",
        module="convert",
        summary="write a recording, or a part of it, in another format",
        text=(
            "Read a radar recording and write it as DT1, RD3, RD7, SEG-Y or DZT, or read a\n"
            "file of any format and write its sweeps as arrays (.h5), a table (.csv) or a\n"
            "recording of streams (.mcap) that `minesense replay` plays, told by the ending\n"
            "of TARGET. Samples keep their bits unless --scale is given: one factor for the\n"
            "whole survey, named in the header. What a format cannot hold is\n"
            "refused. The files are read back before they appear; none is overwritten\n"
            "unasked. In the same format and whole, files are copied byte for byte."
        ),
        output=None,
        output_help="write what was done to this file as JSON too",
        seed_help="taken by every command; nothing here is left to chance",
    )
    parser.add_argument("path", metavar="FILE", help="recording to read")
    parser.add_argument("target", metavar="TARGET", help="recording to write")
    parser.add_argument(
        "--format",
        default=None,
        metavar="NAME",
        help="dt1, rd3, segy, dzt, hdf5, mcap, touchstone, 'sweep table' (default: by ending)",
    )
    parser.add_argument(
        "--traces",
        type=arguments.trace_range,
        default=None,
        metavar="A:B",
        help="only traces from A, counted from 0, to before B; of several sweeps those of each",
    )
    parser.add_argument(
        "--scale",
        type=arguments.positive,
        default=None,
        metavar="X",
        help="counts to store per count; needed to write floats as whole numbers",
    )
    parser.add_argument(
        "--channel", type=int, default=None, metavar="N", help="which of several, from 0"
    )
    parser.add_argument(
        "--spacing",
        type=arguments.positive,
        default=None,
        metavar="M",
        help="metres between traces, instead of what the file says",
    )
    parser.add_argument(
        "--sample-interval",
        type=arguments.positive,
        default=None,
        metavar="S",
        help="seconds between samples, instead of what the file says",
    )
    parser.add_argument(
        "--dt-unit",
        choices=("ps", "ns", "us"),
        default=None,
        help="unit of the sample interval of a SEG-Y file that does not say",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.add_argument(
        "--positions",
        default=None,
        metavar="LOG",
        help="SkyHub position log that names the traces, to write placed sweeps",
    )
    parser.add_argument(
        "--first-trace", type=int, choices=(0, 1), help="what the log counts traces from"
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

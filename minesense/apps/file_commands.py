"""Commands about files: info, recover."""

from __future__ import annotations

from .parser import Commands, add_command


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_info(commands)
    _add_recover(commands)


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

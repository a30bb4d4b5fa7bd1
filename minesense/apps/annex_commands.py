"""Commands that write and verify the annex of a task."""

from __future__ import annotations

from .parser import Commands, add_command

_UNUSED_SEED = "taken by every command; nothing here is left to chance"


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_evidence(commands)
    _add_verify(commands)


def _add_evidence(commands: Commands) -> None:
    parser = add_command(
        commands,
        "evidence",
        module="evidence",
        summary="write the sensor-evidence annex of a task: what was searched, what was not",
        text=(
            "Write the annex of a task from sessions and a site file: one HTML page of 15\n"
            "sections that prints to A4, a GeoPackage, GeoJSON, CSV and GeoTIFF files, a list\n"
            "of hashes and a manifest. Ground that was not observed is always listed with its\n"
            "reason. Refused are an annex without function checks, and shapes that are not\n"
            "valid. A draft for discussion: whether any authority accepts it is unknown.\n\n"
            "A session is a folder of minesense simulate, and after it the folder that\n"
            "minesense detect wrote for it; session.toml in either states heights, errors and\n"
            "function checks. Or it is a recording of minesense stream (MCAP), which is\n"
            "replayed; NAME.session.toml beside it says which sensor each stream is."
        ),
        output=None,
        output_help="folder to write, new or empty (default: TASK-annex)",
        seed_help=_UNUSED_SEED,
    )
    parser.add_argument(
        "sessions", nargs="+", metavar="SESSION", help="folders, or recordings of streams"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="configuration of the streams when they were recorded"
    )
    parser.add_argument(
        "--model", metavar="FILE", help="model that judged the streams when they were recorded"
    )
    parser.add_argument("--site", required=True, metavar="FILE", help="site file (TOML)")
    parser.add_argument(
        "--dispositions", metavar="FILE", help="log of what people did about alarms"
    )
    parser.add_argument(
        "--residual", metavar="FILE", help="what may remain, as save_residual wrote it"
    )
    parser.add_argument(
        "--field-map",
        action="append",
        metavar="FILE",
        help="field map of a country's form (TOML); may be given again",
    )
    parser.add_argument(
        "--level",
        choices=("restricted", "public"),
        default="restricted",
        help="to whom it may be handed; public withholds positions (default: %(default)s)",
    )
    parser.add_argument(
        "--exact-positions",
        action="store_true",
        help="write positions although the level is public",
    )
    parser.add_argument(
        "--purpose",
        choices=("record", "operational"),
        default="record",
        help="operational is refused for synthetic or unconfirmed data (default: %(default)s)",
    )


def _add_verify(commands: Commands) -> None:
    parser = add_command(
        commands,
        "verify",
        module="verify",
        summary="find any changed byte of an annex or of what it rests on",
        text=(
            "Check every file of an annex, and the inputs where they were, against the hashes\n"
            "of its manifest. Whoever can rewrite all files can write new hashes too: compare\n"
            "the last hash of the chain with the one that was signed. Leaves with code 2 if\n"
            "anything was changed, is missing or was added."
        ),
        output=None,
        output_help="taken by every command; nothing is written",
        seed_help=_UNUSED_SEED,
    )
    parser.add_argument("path", metavar="ANNEX", help="folder of minesense evidence")

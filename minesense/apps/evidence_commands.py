"""Commands about evidence, and for training people."""

from __future__ import annotations

from . import arguments
from .parser import Commands, add_command


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_trainer(commands)


def _add_trainer(commands: Commands) -> None:
    parser = add_command(
        commands,
        "trainer",
        module="trainer",
        summary="let a learner sweep SYNTHETIC lanes by ear in a browser, and score it",
        text=(
            "Make SYNTHETIC lanes from a seed and serve a page on which a learner moves the\n"
            "head of a metal detector with mouse, touch or pen, hears its tone and marks\n"
            "indications: a test piece, open lanes, blind lanes, the test piece again. What\n"
            "lies in the blind lanes is sealed by its SHA-256 before the start and opened\n"
            "after the last mark. Writes run.json, sheet.json and sheet.html, the\n"
            "instructor's sheet with the replay. With --run, a run.json is scored again.\n\n"
            "A practice aid, not a qualification. The seed gives the truth away: it is the\n"
            "instructor's."
        ),
        output="training",
        output_help="folder for the results (default: training)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="to listen on; any but this machine asks for a token (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=8765,
        metavar="N",
        help="to listen on; 0 for any that is not taken (default: 8765)",
    )
    for name, default, what in (("open", 1, "with display"), ("blind", 2, "without")):
        parser.add_argument(
            f"--{name}-lanes",
            type=arguments.lanes,
            default=default,
            metavar="N",
            help=f"number of lanes {what}, up to 8 (default: {default})",
        )
    parser.add_argument(
        "--head",
        choices=("single", "double-d"),
        default="single",
        help="one coil, or halves whose tone changes from left to right (default: single)",
    )
    parser.add_argument(
        "--mode",
        choices=("static", "dynamic"),
        default="static",
        help="dynamic: only changes are heard (default: static)",
    )
    parser.add_argument(
        "--soil",
        default="loam",
        metavar="NAME",
        help="a soil of the simulator, for example laterite_basalt (default: loam)",
    )
    parser.add_argument(
        "--clutter",
        choices=("none", "little", "much"),
        default="little",
        help="pieces of metal that are no targets (default: little)",
    )
    parser.add_argument(
        "--length",
        type=arguments.positive,
        default=3.0,
        metavar="M",
        help="metres of a lane, 1 to 10 (default: 3)",
    )
    parser.add_argument(
        "--run",
        metavar="FILE",
        help="score this run.json again, without a browser; it names its own seed and course",
    )


def _port(text: str) -> int:
    """Return the number of a port."""
    return arguments.count(text, 0, 65535)

"""The command of the benchmark."""

from __future__ import annotations

import argparse

from . import arguments
from .parser import EXIT_CODES, Commands, add_command, add_workers


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    _add_bench(commands)


def _add_bench(commands: Commands) -> None:
    parser = add_command(
        commands,
        "bench",
        module="bench",
        summary="run the benchmark, or compare two runs of it",
        text=(
            "Train and test detectors and baselines on the SYNTHETIC fields of the benchmark:\n"
            "other lanes, other soils, other types of target. Track A: detection from sweeps;\n"
            "B: discrimination of given places; C: live sessions with every injectable fault,\n"
            "without entrants; D: is ground that was not observed claimed to have been.\n"
            "Prints tables and writes full.json or quick.json.\n\n"
            "With --compare, two results files of the same data are compared lane by lane.\n"
            "The exit code is 1 if the second is worse than the first beyond the limits."
        ),
        output="bench",
        output_help="folder for the results (default: bench)",
    )
    parser.add_argument(
        "--track",
        action="append",
        choices=("A", "B", "C", "D"),
        help="track to run, once or more (default: A, B and D)",
    )
    parser.add_argument("--quick", action="store_true", help="the small size, for CI")
    parser.add_argument(
        "--entrant",
        action="append",
        default=[],
        metavar="NAME",
        help="entrant to run, once or more: a baseline, or package.module:Class (default: all "
        "baselines)",
    )
    parser.add_argument(
        "--alarms",
        action="append",
        default=[],
        metavar="FILE",
        help="alarms of another program (CSV or GeoJSON), as an entrant",
    )
    parser.add_argument(
        "--threshold",
        type=arguments.number,
        metavar="X",
        help="of the score of --alarms, set before the run (default: all count)",
    )
    add_workers(parser)
    _add_sealed(parser)
    _add_comparing(parser)
    parser.epilog = (
        f"{EXIT_CODES}\nWith --compare or reveal, 1 also: worse, or not verified; of a run: an "
        "entrant\ncould not be trained, or was left out of a test."
    )


def _add_sealed(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sealed seeds")
    group.add_argument(
        "--sealed",
        choices=("commit", "run", "reveal"),
        help="draw a secret seed and print its hash; run with it; check a run against it",
    )
    group.add_argument(
        "--secret",
        default="secret.json",
        metavar="FILE",
        help="of the secret seed (default: secret.json)",
    )
    group.add_argument("--results", metavar="FILE", help="of the sealed run, for reveal")


def _add_comparing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("comparing")
    group.add_argument(
        "--compare", nargs=2, metavar=("A.json", "B.json"), help="reference, and new results"
    )
    group.add_argument(
        "--confidence",
        type=arguments.share,
        default=0.95,
        metavar="P",
        help="of the limits of a difference (default: 0.95)",
    )

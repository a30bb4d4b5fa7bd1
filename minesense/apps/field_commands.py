"""Commands about fields: demo, simulate, train, detect, score."""

from __future__ import annotations

import argparse

from . import arguments
from .parser import Commands, add_command, add_workers


def add_commands(commands: Commands) -> None:
    """Add these commands to a parser."""
    for add in (_add_demo, _add_simulate, _add_train, _add_detect, _add_score):
        add(commands)


def _add_demo(commands: Commands) -> None:
    parser = add_command(
        commands,
        "demo",
        module="demo",
        summary="simulate a field, train on some lanes, detect on others, report",
        text=(
            "Make a SYNTHETIC field from a seed, sweep it with the platform of its scenario,\n"
            "train and calibrate on the training lanes, detect on the blind lanes and score\n"
            "against the truth. Prints a table and writes report.html, alarms.geojson,\n"
            "alarms.csv, score.json and model.skops. The same seed gives the same score.json,\n"
            "byte for byte."
        ),
        output="demo",
        output_help="folder for the results (default: demo)",
    )
    _add_scenario(parser)
    add_workers(parser)


def _add_scenario(parser: argparse.ArgumentParser) -> None:
    """Add what describes a field."""
    parser.add_argument(
        "scenario",
        nargs="?",
        default="farmland",
        metavar="SCENARIO",
        help="a TOML file, or a name of `minesense simulate --list` (default: farmland)",
    )
    for name, what in (("training", "to train on"), ("blind", "kept apart for the test")):
        parser.add_argument(
            f"--{name}-lanes",
            type=arguments.lanes,
            default=None,
            metavar="N",
            help=f"number of lanes {what} (default: as the scenario says)",
        )


def _add_simulate(commands: Commands) -> None:
    parser = add_command(
        commands,
        "simulate",
        module="simulate",
        summary="write the sweeps and the truth of a synthetic field",
        text=(
            "Make a SYNTHETIC field from a scenario and a seed, and write lane by lane what\n"
            "its platform would record: one file a lane and sensor in sweeps/, the truth in\n"
            "truth.json, minefield records, if it has any, in records.json, the recipe in\n"
            "field.json. All carry a SHA-256, which is checked when they are read.\n\n"
            "With --check no field is written. Stretches of its soils without targets are\n"
            "swept and measured, beside recordings if --reference names some; a table is\n"
            "printed, and check.json and check.png are written. To be like a recording in\n"
            "these figures says nothing about performance in the field."
        ),
        output=None,
        output_help="folder to write (default: field; with --check: check)",
    )
    parser.add_argument(
        "--list", action="store_true", help="list the scenarios that come with the package"
    )
    _add_scenario(parser)
    add_workers(parser)
    _add_check(parser)


def _add_check(parser: argparse.ArgumentParser) -> None:
    """Add what a check of simulated ground takes."""
    group = parser.add_argument_group("how real the ground is")
    group.add_argument(
        "--check",
        action="store_true",
        help="measure ground without targets instead of writing a field",
    )
    group.add_argument(
        "--reference",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="recordings (GSSI DZT, Sensors & Software DT1) or folders of sweeps",
    )
    group.add_argument(
        "--ground",
        metavar="WORD",
        help="what lies under the recordings: a soil, or for example concrete",
    )
    group.add_argument(
        "--height",
        type=arguments.positive,
        metavar="M",
        help="of their antennas over the ground, where they do not say (default: on it)",
    )
    group.add_argument(
        "--spacing",
        type=arguments.positive,
        metavar="M",
        help="metres between their traces, if they do not say or are wrong",
    )
    group.add_argument(
        "--frequency",
        type=arguments.positive,
        metavar="HZ",
        help="their centre frequency, if they do not say or are wrong",
    )


def _add_train(commands: Commands) -> None:
    parser = add_command(
        commands,
        "train",
        module="train",
        summary="train a detector on the training lanes of a simulated field",
        text=(
            "Train and calibrate a detector on the training lanes of a folder that\n"
            "`minesense simulate` wrote. Blind lanes are not looked at."
        ),
        output="model.skops",
        output_help="model file to write (default: model.skops)",
        seed_help="of the classifier, a whole number (default: 1)",
    )
    parser.add_argument("field", metavar="FOLDER", help="folder of `minesense simulate`")
    add_workers(parser)


def _add_detect(commands: Commands) -> None:
    parser = add_command(
        commands,
        "detect",
        module="detect",
        summary="find alarms in a radar recording or a simulated field",
        text=(
            "On a recording (GSSI DZT, Sensors & Software DT1): run the radar stages and the\n"
            "prescreener, and write alarms.csv, alarms.geojson, section.png, quality.json and\n"
            "report.html. No model knows such a sensor, so alarms have a score and no\n"
            "probability.\n\n"
            "On a folder of `minesense simulate`: run a trained model over its blind lanes\n"
            "and write alarms.csv, alarms.geojson, noticed.csv (every place, for a curve),\n"
            "coverage.npz and quality.json."
        ),
        output=None,
        output_help="folder for the results (default: named after the input, in this folder)",
        seed_help="taken by every command; detection leaves nothing to chance",
    )
    parser.add_argument("path", metavar="PATH", help="recording, or folder of sweeps")
    parser.add_argument("--model", metavar="FILE", help="model of `minesense train`")
    parser.add_argument(
        "--mode",
        choices=("both", "gpr", "emi"),
        default="both",
        help="sensors a model listens to (default: both)",
    )
    parser.add_argument(
        "--lanes",
        choices=("blind", "training", "all"),
        default="blind",
        help="lanes of a simulated field (default: blind)",
    )
    parser.add_argument(
        "--spacing",
        type=arguments.positive,
        metavar="M",
        help="metres between traces, if the recording does not say or is wrong",
    )
    parser.add_argument(
        "--frequency",
        type=arguments.positive,
        metavar="HZ",
        help="centre frequency of the antenna, if the recording does not say or is wrong",
    )
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument(
        "--threshold",
        type=arguments.number,
        metavar="X",
        help="of the score; instead of the default",
    )
    limit.add_argument(
        "--miss-rate",
        type=arguments.positive,
        metavar="R",
        help="share of targets that may be missed, on average over lanes like those of "
        "training; instead of a threshold",
    )
    add_workers(parser)


def _add_score(commands: Commands) -> None:
    parser = add_command(
        commands,
        "score",
        module="score",
        summary="score alarms against the truth",
        text=(
            "Match alarms (CSV or GeoJSON of `minesense detect`) with the truth and print Pd\n"
            "and false alarms per square metre with exact 95 % intervals. Places below the\n"
            "threshold, as in noticed.csv, give the curve its lower end."
        ),
        output="score.json",
        output_help="JSON file to write (default: score.json)",
        seed_help="of the random baseline and the bands of the curve (default: 1)",
    )
    parser.add_argument(
        "alarms", metavar="ALARMS", help="noticed.csv, alarms.csv or alarms.geojson"
    )
    parser.add_argument(
        "--truth", required=True, metavar="FILE", help="truth.json, or the folder that holds it"
    )
    parser.add_argument(
        "--coverage",
        metavar="FILE",
        help="coverage.npz (default: beside the alarms)",
    )
    parser.add_argument(
        "--threshold",
        type=arguments.number,
        metavar="X",
        help="of the score (default: that of quality.json beside the alarms)",
    )
    parser.add_argument(
        "--halo",
        type=arguments.positive,
        default=0.10,
        metavar="M",
        help="metres beyond a target's edge that count as its place (default: 0.10)",
    )

"""The command ``minesense demo``: simulate, train, detect, score, report."""

from __future__ import annotations

import math
import platform
import time
from argparse import Namespace
from importlib import metadata
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .. import report
from .._version import __version__
from ..alarm import SAFETY_TEXT
from ..report import MODES
from ..score import Proportion, Rate, Score
from ..score.figures import format_fixed
from ..synthetic.document import plain
from .detect import write_detection
from .fieldfolder import SYNTHETIC
from .files import make_folder, write_json
from .recipe import make_field
from .trial import Trial, conduct

#: Baselines: what they are called.
BASELINES = {
    "random": "random marks",
    "layout": "lane layout alone",
    "gpr_energy": "radar energy",
    "emi_decay": "detector signal",
}


def run(options: Namespace) -> str:
    """
    Run the demonstration and write its files.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The table, and where the files are.
    """
    started = time.perf_counter()
    field = make_field(options)
    if not field.training or not field.blind:
        msg = (
            f"Invalid lanes: {len(field.training)} for training, {len(field.blind)} blind. "
            "Must be at least 3 and 1."
        )
        raise ValueError(msg)
    output = make_folder(options.output)
    steps = 2 * len(field.lanes) + 3
    with tqdm(total=steps, unit="step", desc="sweeping") as bar:
        carrier = field.scenario.platform.carrier()
        trial = conduct(field, carrier, seed=options.seed, workers=options.workers, bar=bar)
        bar.set_description("reporting")
        write_results(trial, output)
        bar.update()
    seconds = time.perf_counter() - started
    area = trial.detections["both"].coverage.area("any")
    total = area / len(field.blind) * len(field.lanes)
    return "\n".join(
        [
            SYNTHETIC,
            table(trial),
            f"{seconds:.1f} s in all, {total / seconds:.1f} m^2 per second from simulation "
            f"to report",
            f"wrote report.html, alarms.geojson, alarms.csv, score.json, model.skops to "
            f"{options.output}",
            SAFETY_TEXT,
        ]
    )


def table(trial: Trial) -> str:
    """
    Return the table of a trial as text.

    Parameters
    ----------
    trial : Trial
        What was scored.

    Returns
    -------
    text : str
        Pd and false alarms per square metre of each mode and baseline with exact 95 %
        intervals, then Pd per class of metal.
    """
    rows = [(MODES[mode], item) for mode, item in trial.scores.items()]
    rows += [(f"baseline: {BASELINES[name]}", item) for name, item in trial.baselines.items()]
    lines = [
        "SYNTHETIC  exact 95 % intervals; found/swept targets",
        f"{'':26}{'Pd (swept targets)':>30}{'false alarms per m^2':>32}",
    ]
    for name, item in rows:
        pd, far = item.pd_swept, item.false_alarms
        left = f"{pd.k}/{pd.n}  {format_interval(pd)}"
        lines.append(f"{name:26}{left:>30}{format_interval(far):>32}")
    lines.append("Pd per class of metal (swept targets)")
    for group in _classes(trial):
        cells = []
        for mode in MODES:
            stratum = _stratum(trial.scores[mode], group)
            text = f"{stratum.swept.k}/{stratum.swept.n} {format_interval(stratum.swept)}"
            cells.append(text + (" *" if stratum.claim else "  "))
        lines.append(f"  {group:10}" + "".join(f"{cell:>30}" for cell in cells))
    lines.append(f"  {'':10}" + "".join(f"{MODES[mode]:>30}" for mode in MODES))
    lines.append("* fewer than ten targets: no claim")
    both = trial.scores["both"]
    if both.worst is not None:
        name, figure = f"{both.worst.group} = {both.worst.name}", both.worst.swept
        lines.append(f"worst stratum of both: {name}, {figure.k}/{figure.n} found")
    if both.no_claim:
        lines.append(f"no overall claim, too few targets: {'; '.join(both.no_claim)}")
    worst = trial.scores["both"]
    lines.append(
        f"both sensors: {worst.count('missed_swept')} missed though swept, "
        f"{worst.count('partly_swept')} partly swept, "
        f"{worst.count('never_swept')} never swept; "
        f"{worst.areas['observed']:.1f} m^2 observed, "
        f"{worst.areas['not_observed']:.1f} m^2 not"
    )
    return "\n".join(lines)


def format_interval(figure: Proportion | Rate) -> str:
    """
    Return a figure with its exact interval.

    Parameters
    ----------
    figure : Proportion or Rate
        Value and limits.

    Returns
    -------
    text : str
        For example ``0.93 (0.81-0.99)``.
    """
    if not math.isfinite(figure.value):
        return "none"
    value, low, high = (format_fixed(x, 2) for x in (figure.value, figure.low, figure.high))
    return f"{value} ({low}-{high})"


def _classes(trial: Trial) -> list[str]:
    """Return the metal classes that the blind lanes hold."""
    found = {s.name for s in trial.scores["both"].strata if s.group == "metal_class"}
    order = ("none", "minimum", "low", "medium", "high")
    return [name for name in order if name in found]


def _stratum(item: Score, name: str) -> Any:
    """Return one stratum by metal class."""
    return next(s for s in item.strata if s.group == "metal_class" and s.name == name)


def write_results(trial: Trial, output: Path) -> None:
    """
    Write everything a trial found to a folder.

    Parameters
    ----------
    trial : Trial
        What was found.
    output : Path
        An existing folder.
    """
    both = trial.detections["both"]
    write_detection(output, both, trial.sweeps[0].frame)
    trial.detector.save(output / "model.skops")
    write_json(output / "score.json", score_document(trial))
    results = report.FieldResults(
        name=trial.field.scenario.name,
        seed=trial.field.seed,
        lanes=[lane for lane in trial.field.lanes if lane.is_blind],
        truth=trial.field.truth_of(trial.field.blind),
        coverage=both.coverage,
        detections=trial.detections,
        scores=trial.scores,
        baselines={BASELINES[name]: item for name, item in trial.baselines.items()},
        screened=trial.lanes,
        settings=trial.detector.settings,
    )
    report.field_report(
        output / "report.html",
        results,
        configuration=configuration(trial),
        versions=versions(),
    )


def score_document(trial: Trial) -> dict[str, Any]:
    """
    Return the scores of a trial ready for JSON; the same seed gives the same content.

    Parameters
    ----------
    trial : Trial
        What was scored.

    Returns
    -------
    document : dict
        Scores of each mode and baseline, with what made them. No time, no place of a file.
    """
    return {
        "note": SYNTHETIC,
        "version": __version__,
        "configuration": configuration(trial),
        "modes": {mode: item.to_dict() for mode, item in trial.scores.items()},
        "baselines": {name: item.to_dict() for name, item in trial.baselines.items()},
    }


def configuration(trial: Trial) -> dict[str, Any]:
    """
    Return what was asked for, ready for JSON.

    Parameters
    ----------
    trial : Trial
        What was run.

    Returns
    -------
    configuration : dict
        Seed, scenario, lanes, settings, thresholds and the model's card.
    """
    field = trial.field
    return {
        "seed": field.seed,
        "scenario": plain(field.scenario),
        "soils": {lane.name: lane.soil.preset.name for lane in field.lanes},
        "training_lanes": list(field.training),
        "blind_lanes": list(field.blind),
        "settings": trial.detector.settings.as_dict(),
        "thresholds": {k: round(v, 9) for k, v in trial.detector.thresholds.items()},
        "model": dict(trial.detector.card),
    }


def versions() -> dict[str, str]:
    """
    Return the versions that the figures may depend on.

    Returns
    -------
    versions : dict of str
        Of minesense, Python and the libraries under it.
    """
    names = ("numpy", "scipy", "numba", "scikit-learn", "skops", "matplotlib")
    return {
        "minesense": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in names},
    }

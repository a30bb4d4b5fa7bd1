"""The command ``minesense demo``: simulate, train, detect, score, report."""

from __future__ import annotations

import dataclasses
import math
import platform
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .. import report
from .._version import __version__
from ..alarm import SAFETY_TEXT, Alarm
from ..coverage import Coverage
from ..detect import KINDS, Detection, Detector, Screened, find_sites
from ..io import write_csv, write_geojson
from ..report import MODES
from ..score import Proportion, Rate, Score, random_alarms, score
from ..sweep import Sweep
from ..synthetic import Carrier, Field, cart
from .detect import field_quality, write_coverage
from .fieldfolder import SYNTHETIC, make_field, make_folder, write_json
from .trainer import train

#: Baselines: what they are called.
BASELINES = {
    "random": "random marks",
    "gpr_energy": "radar energy",
    "emi_decay": "detector signal",
}

#: Coverage that a mode or baseline is scored against.
_SENSORS = {"emi": "emi", "gpr": "gpr", "both": "any"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One field, the detector trained on part of it, and how it did on the rest."""

    field: Field
    detector: Detector
    sweeps: Sequence[Sweep]  #: of the blind lanes
    lanes: Sequence[Mapping[str, Screened]]  #: the same, screened
    detections: Mapping[str, Detection]  #: by mode
    scores: Mapping[str, Score]  #: by mode
    baselines: Mapping[str, Score]  #: by name


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
        trial = conduct(field, cart(), seed=options.seed, workers=options.workers, bar=bar)
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


def conduct(
    field: Field, carrier: Carrier, *, seed: int, workers: int = 1, bar: Any = None
) -> Trial:
    """
    Sweep a field, train on its training lanes, detect on its blind lanes, and score.

    Parameters
    ----------
    field : Field
        A SYNTHETIC field with training and blind lanes.
    carrier : Carrier
        What sweeps it.
    seed : int
        Of the classifier and the random baseline.
    workers : int
        Threads. The result does not depend on it.
    bar : tqdm.tqdm, optional
        Progress.

    Returns
    -------
    trial : Trial
        Detections and scores of each mode, and the baselines.

    Raises
    ------
    ValueError
        If there is too little to train on, or nothing to score.
    """

    def step(name: str | None = None) -> None:
        if bar is not None:
            bar.update()

    def describe(what: str) -> None:
        if bar is not None:
            bar.set_description(what)

    sweeps = field.sweep(carrier, workers=workers, progress=step)
    training = [sweep for sweep in sweeps if sweep.lane in set(field.training)]
    blind = [sweep for sweep in sweeps if sweep.lane in set(field.blind)]
    describe("training")
    detector = train(
        training,
        field.truth_of(field.training),
        soils={lane.name: lane.soil.preset.name for lane in field.lanes if not lane.is_blind},
        area=field.area_of(field.training),
        seed=seed,
        workers=workers,
        progress=step,
    )
    step()
    describe("detecting")
    lanes = detector.screen(blind, workers=workers, progress=step)
    area = field.area_of(field.blind)
    detections = {mode: detector.judge(lanes, mode=mode, area=area) for mode in MODES}
    describe("scoring")
    truth = field.truth_of(field.blind)
    scores = {
        mode: score(
            found.ranked,
            truth,
            found.coverage,
            threshold=found.threshold,
            sensors=_SENSORS[mode],
            rng=np.random.default_rng(seed),
        )
        for mode, found in detections.items()
    }
    coverage = detections["both"].coverage
    baselines = {
        name: score(
            alarms,
            truth,
            coverage,
            threshold=limit,
            sensors=sensors,
            rng=np.random.default_rng(seed),
        )
        for name, (alarms, limit, sensors) in baseline_alarms(
            detector, lanes, coverage, seed=seed
        ).items()
    }
    step()
    return Trial(
        field=field,
        detector=detector,
        sweeps=blind,
        lanes=lanes,
        detections=detections,
        scores=scores,
        baselines=baselines,
    )


def baseline_alarms(
    detector: Detector,
    lanes: Sequence[Mapping[str, Screened]],
    coverage: Coverage,
    *,
    seed: int,
) -> dict[str, tuple[Sequence[Alarm], float, str]]:
    """
    Return the alarms of the baselines that every table shows.

    Parameters
    ----------
    detector : Detector
        Its settings and the thresholds of its prescreeners are used.
    lanes : sequence of dict of Screened
        Screened lanes.
    coverage : Coverage
        Where random marks may lie.
    seed : int
        Of the random marks.

    Returns
    -------
    baselines : dict of (alarms, threshold, sensors)
        ``"random"``: marks at twice the design rate, half of them above the threshold.
        ``"gpr_energy"`` and ``"emi_decay"``: the prescreeners alone, ranked by their score,
        with thresholds set on the training lanes for the design rate.
    """
    rate = detector.settings.design_rate
    marks = random_alarms(coverage, 2 * rate, np.random.default_rng(seed))
    found: dict[str, tuple[Sequence[Alarm], float, str]] = {"random": (marks, 0.5, "any")}
    for kind, name in zip(KINDS, ("gpr_energy", "emi_decay"), strict=True):
        sites = [s for lane in lanes for s in find_sites({kind: lane[kind]}, detector.settings)]
        alarms = [
            Alarm(
                identifier=f"B{k:04d}",
                lane=site.lane,
                time=site.time,
                easting=site.easting,
                northing=site.northing,
                position_error=site.position_error,
                depth=site.depth,
                probability=float("nan"),
                score=site.scores[kind],
                quality=site.quality,
                model=name,
            )
            for k, site in enumerate(sites, start=1)
        ]
        found[name] = (alarms, detector.thresholds[name], kind)
    return found


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
    return f"{figure.value:.2f} ({figure.low:.2f}-{figure.high:.2f})"


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
    write_csv(both, output / "alarms.csv", synthetic=True)
    frame = trial.sweeps[0].frame
    write_geojson(both, output / "alarms.geojson", frame=frame, synthetic=True)
    write_coverage(output / "coverage.npz", both.coverage)
    trial.detector.save(output / "model.skops")
    write_json(output / "quality.json", field_quality(both, both.threshold, synthetic=True))
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
        "scenario": dataclasses.asdict(field.scenario),
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

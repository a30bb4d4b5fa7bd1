"""One experiment: sweep a field, train on part of it, judge the rest, score it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..alarm import Alarm
from ..coverage import Coverage
from ..detect import KINDS, Detection, Detector, Screened, find_sites
from ..report import MODES
from ..score import Score, layout_alarms, random_alarms, score
from ..sweep import Sweep
from ..synthetic import Carrier, Field
from ..training import train

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

    def judge(alarms: Sequence[Alarm], coverage: Coverage, limit: float, sensors: str) -> Score:
        rng = np.random.default_rng(seed)
        return score(alarms, truth, coverage, threshold=limit, sensors=sensors, rng=rng)

    scores = {
        mode: judge(found.ranked, found.coverage, found.threshold, _SENSORS[mode])
        for mode, found in detections.items()
    }
    coverage = detections["both"].coverage
    marks = baseline_alarms(detector, lanes, coverage, seed=seed)
    baselines = {
        name: judge(alarms, coverage, limit, sensors)
        for name, (alarms, limit, sensors) in marks.items()
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
        ``"layout"``: marks at the design rate, placed by one who sees the lanes and no
        sample; if it beat chance, the field would give its layout away.
        ``"gpr_energy"`` and ``"emi_decay"``: the prescreeners alone, ranked by their score,
        with thresholds set on the training lanes for the design rate.
    """
    rate = detector.settings.design_rate
    marks = random_alarms(coverage, 2 * rate, np.random.default_rng(seed))
    found: dict[str, tuple[Sequence[Alarm], float, str]] = {
        "random": (marks, 0.5, "any"),
        "layout": (layout_alarms(coverage, rate), 0.0, "any"),
    }
    for kind, name in zip(KINDS, ("gpr_energy", "emi_decay"), strict=True):
        sites = [
            site
            for lane in lanes
            for site in find_sites({kind: lane[kind]}, detector.settings, groups={})
        ]
        alarms = [
            site.alarm(f"B{k:04d}", score=site.scores[kind], model=name)
            for k, site in enumerate(sites, start=1)
        ]
        found[name] = (alarms, detector.thresholds[name], kind)
    return found

"""Training: from swept lanes whose truth is known to a detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .._validation import check_count
from .._version import __version__
from ..coverage import Coverage, Rectangle, Region
from ..detect import (
    KINDS,
    Detector,
    DetectorSettings,
    Recipe,
    Screened,
    features_of,
    fit_monitors,
    observed,
)
from ..detect.ratios import alone
from ..score import Halo
from ..sweep import Sweep
from ..truth import Truth
from .judges import fit_judge
from .labels import in_swept_lanes
from .modes import Mode, judge_mode
from .places import Places, label_places
from .screening import ScreenedLanes, screen_lanes, untrained, with_learnt_shapes
from .thresholds import joint_thresholds, rate_threshold

#: What the prescreener of each kind is called when it is judged alone.
_BASELINES = {"gpr": "gpr_energy", "emi": "emi_decay"}


def train(
    sweeps: Iterable[Sweep],
    truth: Truth,
    *,
    settings: DetectorSettings | None = None,
    recipe: Recipe | None = None,
    soils: Mapping[str, str] | None = None,
    area: Sequence[Rectangle | Region] | None = None,
    halo: Halo | None = None,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Detector:
    """
    Train and calibrate a detector on lanes whose truth is known.

    Parameters
    ----------
    sweeps : iterable of Sweep
        The sensors of the recipe over three or more lanes of the area.
    truth : Truth
        What lies in them; targets that name none of the lanes count where they lie.
    settings : DetectorSettings, optional
        What the stages are told.
    recipe : Recipe, optional
        Sensors, prescreener, features and classifiers; the full detector by default.
    soils : dict of str, optional
        Soil by lane, for the card.
    area : sequence of rectangles, optional
        Where observation is wanted, as in :meth:`minesense.Detector.detect`. Lanes that it
        does not name are lessons: see Notes.
    halo : Halo, optional
        What counts as the place of a target.
    seed : int
        Of the classifier.
    workers : int
        Threads that share the lanes. The result does not depend on it.
    progress : callable, optional
        Called with the name of each lane that is done.

    Returns
    -------
    detector : Detector
        Its thresholds are set, on lanes that each classifier had not seen, to the
        false-alarm rate that the settings ask for.

    Raises
    ------
    ValueError
        If there are too few lanes, mines or other places to train on in lanes of the area, or
        one sensor has too few of them.

    Notes
    -----
    The radar's prescreener learns from the lanes first, see
    :func:`~minesense.training.with_learnt_shapes`.

    Each sensor's classifier is scored out of fold, lane by lane; in lanes of the area those
    scores fit its calibration, their sums the calibration of both sensors together, and they
    set the thresholds. The classifiers that are kept are fitted to all lanes.

    **Lessons** are lanes that `area` does not name. Classifiers and echo shapes learn from them
    as from all others, but nothing is calibrated, promised or set to a rate on them, nor do
    they say what ground is familiar: so they may hold more targets than any ground that the
    detector is meant for. Of mines there are otherwise few to learn from, of clutter many;
    the lanes of the area should be as the detector will meet them.

    Places between one and two halos from a target are neither mine nor clutter and are left
    out. Those beyond the area, or on ground that was not observed, are clutter that the
    classifiers learn from, but as in the score they count neither for the calibrations nor
    for the thresholds; and the area of the design rate is that of the score: observed,
    beyond halos and rings.

    A sensor alone notices fewer places than both, and among them more mines: its
    probabilities alone are its log ratio plus a shift fitted to what it noticed itself.

    With both sensors, what one of them asks for on its own stays an alarm, and the false
    alarms of either sensor and of both together are as many as the design rate allows
    (:func:`~minesense.training.thresholds.joint_thresholds`). Places on ground unlike that
    of training come on top: where a new lane of the same ground is taken for other ground,
    as one in twenty is by each sensor, all its places are alarms.
    """
    sweeps = list(sweeps)
    screened = screen_lanes(
        sweeps, settings=settings, recipe=recipe, workers=workers, progress=progress
    )
    if (recipe or Recipe()).learns(screened.settings):
        screened = with_learnt_shapes(screened, sweeps, truth, workers=workers)
    return train_screened(
        screened, truth, recipe=recipe, soils=soils, area=area, halo=halo, seed=seed
    )


def train_screened(
    screened: ScreenedLanes,
    truth: Truth,
    *,
    recipe: Recipe | None = None,
    soils: Mapping[str, str] | None = None,
    area: Sequence[Rectangle | Region] | None = None,
    halo: Halo | None = None,
    seed: int = 0,
) -> Detector:
    """
    Train and calibrate a detector on lanes that were screened; the second half of training.

    Parameters
    ----------
    screened : ScreenedLanes
        Of :func:`~minesense.training.screen_lanes`, with this recipe or another of the
        same stages.
    truth, recipe, soils, area, halo, seed
        As in :func:`train`.

    Returns
    -------
    detector : Detector
        As of :func:`train`.

    Raises
    ------
    ValueError
        If the lanes were screened for another prescreener or without a sensor of the
        recipe; and as :func:`train`.

    Examples
    --------
    >>> detector = train_screened(screened, truth)  # doctest: +SKIP
    """
    recipe, halo = recipe or Recipe(), halo or Halo()
    settings = screened.settings
    if recipe.apply(settings) != settings or set(recipe.kinds) - set(screened.sensors):
        msg = (
            f"Invalid recipe '{recipe.name}': the lanes were screened by other stages or for "
            f"{' and '.join(screened.sensors)} alone. Must be screened for this recipe."
        )
        raise ValueError(msg)
    seed = check_count(seed, "seed", least=0)
    sensors = {kind: screened.sensors[kind] for kind in recipe.kinds}
    empty = untrained(sensors, settings, recipe)
    lanes = [
        {kind: lane[kind] for kind in recipe.kinds if kind in lane} for lane in screened.lanes
    ]
    names = {item.lane for lane in lanes for item in lane.values()}
    _check_truth(truth, area, names)
    truth = in_swept_lanes(truth, names)
    counted = [lane for lane in lanes if _counts(lane, area)]
    # lessons observe nothing: they may lie far off, and their false alarms do not count
    coverage = observed(counted, settings, area=area, kinds=recipe.kinds)
    truth.check_frame(coverage.frame)
    places = label_places(
        [site for lane in lanes for site in empty.find_sites(lane)], truth, coverage, halo
    )
    judges = {kind: fit_judge(places, kind, recipe, seed=seed) for kind in empty.sensors}
    priors = {kind: judge.prior for kind, judge in judges.items()}
    priors["both"] = float(
        np.average(places.labels[places.keep], weights=places.weights[places.keep])
    )
    calibrations = {kind: judge.calibration for kind, judge in judges.items()}
    ratios = {kind: judge.ratios for kind, judge in judges.items()}
    thresholds: dict[str, float] = {}
    own_thresholds: dict[str, float] = {}
    modes: dict[str, Mode] = {}
    for mode in recipe.modes:
        found = judge_mode(mode, places, ratios, priors, truth, coverage, halo)
        limit = {"rate": settings.design_rate, "area": found.area}
        modes[mode], odds = found, found.odds[found.is_false]
        if mode == "both":
            calibrations["both"] = found.calibration
            own = {kind: ratios[kind][found.is_false] for kind in KINDS}
            thresholds[mode], own_thresholds = joint_thresholds(odds, own, **limit)
            continue
        calibrations[alone(mode)] = found.calibration
        thresholds[mode] = rate_threshold(odds, **limit)
        scores = np.array([site.scores.get(mode, np.nan) for site in places.sites])
        thresholds[_BASELINES[mode]] = rate_threshold(scores[found.is_false], **limit)
    return dataclasses.replace(
        empty,
        estimators={kind: judge.estimator for kind, judge in judges.items()},
        calibrations=calibrations,
        priors=priors,
        thresholds=thresholds,
        card=_card(screened, truth, coverage, places, modes, recipe, soils, seed),
        stated={k: mode.stated for k, mode in modes.items()},
        own_thresholds=own_thresholds,
        monitors=fit_monitors(counted, settings),
        targets={k: mode.targets for k, mode in modes.items() if mode.targets is not None},
    )


def _card(
    screened: ScreenedLanes,
    truth: Truth,
    coverage: Coverage,
    places: Places,
    modes: Mapping[str, Mode],
    recipe: Recipe,
    soils: Mapping[str, str] | None,
    seed: int,
) -> dict[str, Any]:
    """Return what a detector was trained on, and how well it did on lanes held out."""
    lanes = {site.lane for site in places.sites}
    return {
        "version": __version__,
        "is_synthetic": truth.is_synthetic,
        "training_lanes": sorted(lanes & set(coverage.lanes)),
        "lesson_lanes": sorted(lanes - set(coverage.lanes)),
        "training_data": {kind: screened.recorded[kind] for kind in recipe.kinds},
        "training_area_m2": round(coverage.area("any"), 3),
        "false_alarm_area_m2": {k: round(mode.area, 3) for k, mode in modes.items()},
        "soils": dict(sorted((soils or {}).items())),
        "features": {
            k: [[f.name, f.unit] for f in features_of(k, recipe.groups)] for k in recipe.kinds
        },
        "out_of_fold": {k: mode.quality for k, mode in modes.items()},
        "seed": seed,
    }


def _counts(lane: Mapping[str, Screened], area: Sequence[Rectangle | Region] | None) -> bool:
    """Tell whether a lane is one of the area, not a lesson."""
    names = {str(item[-1]) for item in area or ()}
    return area is None or any(item.lane in names for item in lane.values())


def _check_truth(
    truth: Truth, area: Sequence[Rectangle | Region] | None, lanes: set[str]
) -> None:
    """Raise if the truth is none, or no lane of the area was swept."""
    if not isinstance(truth, Truth):
        msg = f"Invalid truth of type {type(truth).__name__}. Must be a Truth."
        raise TypeError(msg)
    if area is not None:
        named = {str(item[-1]) for item in area}
        if not named & lanes:
            msg = (
                f"Invalid area of lanes {', '.join(sorted(named)) or 'none'}. Must "
                "name lanes that were swept, as the sweeps do."
            )
            raise ValueError(msg)

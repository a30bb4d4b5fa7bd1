"""Training: from swept lanes whose truth is known to a detector."""

from __future__ import annotations

import dataclasses
import hashlib
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
from ..detect._one_thread import one_thread
from ..detect.ratios import alone
from ..score import Halo
from ..sweep import Sweep
from ..truth import Truth
from .judges import fit_judge
from .modes import Mode, judge_mode
from .places import Places, label_places
from .shapes import learn_shapes
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
        The sensors of the recipe over three or more lanes.
    truth : Truth
        What lies in them.
    settings : DetectorSettings, optional
        What the stages are told.
    recipe : Recipe, optional
        Sensors, prescreener, features and classifiers; the full detector by default.
    soils : dict of str, optional
        Soil by lane, for the card.
    area : sequence of rectangles, optional
        Where observation is wanted, as in :meth:`minesense.Detector.detect`.
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
        If there are too few lanes, mines or other places to train on.

    Notes
    -----
    The radar's prescreener learns from the lanes first, see :func:`with_learnt_shapes`.

    Each sensor's classifier is scored out of fold, lane by lane; those scores fit its
    calibration, their sums the calibration of both sensors together, and they set the
    thresholds. The classifiers that are kept are fitted to all lanes.

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


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ScreenedLanes:
    """What prescreeners noticed in training lanes; several detectors may be trained on it."""

    settings: DetectorSettings
    sensors: Mapping[str, Mapping[str, Any]]  #: descriptions by kind
    lanes: Sequence[Mapping[str, Screened]]
    recorded: Mapping[str, str]  #: hash of what the sweeps recorded, by kind


def screen_lanes(
    sweeps: Iterable[Sweep],
    *,
    settings: DetectorSettings | None = None,
    recipe: Recipe | None = None,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> ScreenedLanes:
    """
    Process training lanes as far as candidates; the first half of :func:`train`.

    Parameters
    ----------
    sweeps, settings, recipe, workers, progress
        As in :func:`train`.

    Returns
    -------
    screened : ScreenedLanes
        For :func:`train_screened`, by the prescreener that settings and recipe name; see
        :func:`with_learnt_shapes`.

    Raises
    ------
    ValueError
        If a sensor of the recipe is missing, or a lane is too short to be judged.

    Examples
    --------
    >>> screened = screen_lanes(sweeps)  # doctest: +SKIP
    """
    recipe = recipe or Recipe()
    if not isinstance(recipe, Recipe):
        msg = f"Invalid recipe of type {type(recipe).__name__}. Must be a Recipe."
        raise TypeError(msg)
    settings = recipe.apply(settings or DetectorSettings())
    sweeps = [sweep for sweep in sweeps if sweep.sensor.kind in recipe.kinds]
    _refuse_copies(sweeps)
    empty = _untrained(_describe(sweeps, recipe), settings, recipe)
    return ScreenedLanes(
        settings=settings,
        sensors=empty.sensors,
        lanes=empty.screen(sweeps, workers=workers, progress=progress),
        recorded={
            kind: _fingerprint([s for s in sweeps if s.sensor.kind == kind])
            for kind in recipe.kinds
        },
    )


def with_learnt_shapes(
    screened: ScreenedLanes, sweeps: Sequence[Sweep], truth: Truth, *, workers: int = 1
) -> ScreenedLanes:
    """
    Learn echo shapes from training lanes, and screen each by the shapes of other lanes.

    Parameters
    ----------
    screened : ScreenedLanes
        Of :func:`screen_lanes`.
    sweeps : sequence of Sweep
        What was screened.
    truth : Truth
        What lies in the lanes.
    workers : int
        As in :func:`train`.

    Returns
    -------
    screened : ScreenedLanes
        For :func:`train_screened`; its settings hold the shapes of all lanes. As it was
        without a radar, or where too few targets were passed to learn from.

    Raises
    ------
    ValueError
        As :func:`screen_lanes`.

    Notes
    -----
    A lane that shapes were learnt from holds them as no other does: its scores would promise
    too much. So each is screened by what was learnt from four fifths of the others, which are
    a little worse than the shapes that are kept.

    Examples
    --------
    >>> screened = with_learnt_shapes(screen_lanes(sweeps), sweeps, truth)  # doctest: +SKIP
    """
    radar = [lane["gpr"] for lane in screened.lanes if "gpr" in lane]
    _check_truth(truth, None, set())
    with one_thread():  # sums must not depend on how many there are
        settings, by_lane = learn_shapes(radar, truth, screened.settings)
    if not by_lane:
        return screened
    groups: dict[int, list[Sweep]] = {}
    for sweep in sweeps:
        if sweep.sensor.kind == "gpr":
            groups.setdefault(id(by_lane[sweep.lane]), []).append(sweep)
    anew = [
        with_settings(screened, group, by_lane[group[0].lane], workers=workers)
        for group in groups.values()
    ]
    found = {lane["gpr"].lane: lane["gpr"] for part in anew for lane in part.lanes}
    return _with_radar(screened, settings, found)


def with_settings(
    screened: ScreenedLanes,
    sweeps: Sequence[Sweep],
    settings: DetectorSettings,
    *,
    workers: int = 1,
) -> ScreenedLanes:
    """
    Screen the radar of lanes again; of other sensors, what was noticed stays.

    Parameters
    ----------
    screened : ScreenedLanes
        Of :func:`screen_lanes`.
    sweeps : sequence of Sweep
        Lanes that were screened, all or some.
    settings : DetectorSettings
        Which differ in those of the radar alone.
    workers : int
        As in :func:`train`.

    Returns
    -------
    screened : ScreenedLanes
        The lanes of the sweeps.

    Raises
    ------
    ValueError
        As :func:`screen_lanes`.

    Examples
    --------
    >>> screened = with_settings(screened, sweeps, detector.settings)  # doctest: +SKIP
    """
    radar = [sweep for sweep in sweeps if sweep.sensor.kind == "gpr"]
    empty = _untrained(screened.sensors, settings, Recipe())
    anew = empty.screen(radar, mode="gpr", workers=workers)
    names = {sweep.lane for sweep in sweeps}
    chosen = [lane for lane in screened.lanes if {item.lane for item in lane.values()} & names]
    some = dataclasses.replace(screened, lanes=chosen)
    return _with_radar(some, settings, {lane["gpr"].lane: lane["gpr"] for lane in anew})


def _with_radar(
    screened: ScreenedLanes, settings: DetectorSettings, found: Mapping[str, Screened]
) -> ScreenedLanes:
    """Return lanes with what a radar was found to notice, by lane."""
    lanes = [
        {**lane, "gpr": found[lane["gpr"].lane]} if "gpr" in lane else lane
        for lane in screened.lanes
    ]
    return dataclasses.replace(screened, settings=settings, lanes=lanes)


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
        Of :func:`screen_lanes`, with this recipe or another of the same stages.
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
    empty = _untrained(sensors, settings, recipe)
    lanes = [
        {kind: lane[kind] for kind in recipe.kinds if kind in lane} for lane in screened.lanes
    ]
    _check_truth(truth, area, {item.lane for lane in lanes for item in lane.values()})
    coverage = observed(lanes, settings, area=area, kinds=recipe.kinds)
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
        monitors=fit_monitors(lanes, settings),
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
    return {
        "version": __version__,
        "is_synthetic": truth.is_synthetic,
        "training_lanes": sorted({site.lane for site in places.sites}),
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


def _describe(sweeps: Sequence[Sweep], recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Return the description of each sensor of a recipe; raise if one is missing."""
    sensors: dict[str, dict[str, Any]] = {}
    for sweep in sweeps:
        sensors.setdefault(sweep.sensor.kind, sweep.sensor.describe())
    missing = [kind for kind in recipe.kinds if kind not in sensors]
    if missing:
        both = "both sensors" if len(recipe.kinds) > 1 else "that sensor"
        msg = f"Invalid sweeps: none of kind {' or '.join(missing)}. Must hold {both}."
        raise ValueError(msg)
    return {kind: sensors[kind] for kind in KINDS if kind in recipe.kinds}


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


def _refuse_copies(sweeps: Sequence[Sweep]) -> None:
    """Raise if two lanes hold the same samples: held out, one would be known by the other."""
    lanes: dict[tuple[str, str], str] = {}
    for sweep in sweeps:
        samples = hashlib.sha256(np.ascontiguousarray(sweep.samples).tobytes()).hexdigest()
        other = lanes.setdefault((sweep.sensor.kind, samples), sweep.lane)
        if other != sweep.lane:
            msg = (
                f"Invalid sweeps: lanes '{other}' and '{sweep.lane}' hold the same samples of "
                f"kind '{sweep.sensor.kind}'. Must be recorded once each: copies leak."
            )
            raise ValueError(msg)


def _untrained(
    sensors: Mapping[str, Mapping[str, Any]], settings: DetectorSettings, recipe: Recipe
) -> Detector:
    """Return a detector that can screen but not judge."""
    return Detector(
        settings=settings,
        recipe=recipe,
        sensors=sensors,
        estimators={},
        calibrations={},
        priors={},
        thresholds={},
        card={},
    )


def _fingerprint(sweeps: Sequence[Sweep]) -> str:
    """Return a hash of everything the sweeps recorded."""
    digest = hashlib.sha256()
    for sweep in sweeps:
        digest.update(f"{sweep.lane}/{sweep.sensor.name}".encode())
        for values in (sweep.samples, sweep.time, sweep.position, sweep.quality):
            digest.update(np.ascontiguousarray(values).tobytes())
    return f"sha256:{digest.hexdigest()}"

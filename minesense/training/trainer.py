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
    Platt,
    Recipe,
    Site,
    features_of,
    fit,
    fit_platt,
    fuse,
    log_odds,
    observed,
    out_of_fold,
    probability,
)
from ..detect.calibrate import expected_calibration_error
from ..detect.ratios import alone
from ..score import Halo, scored_ground
from ..sweep import Floats, Sweep
from ..truth import Truth
from .labels import emplacement_weights, label_sites
from .thresholds import rate_threshold

#: Coverage in which each mode is trained and scored.
_SENSORS = {"gpr": "gpr", "emi": "emi", "both": "any"}
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
    """
    recipe = recipe or Recipe()
    settings = recipe.apply(settings or DetectorSettings())
    halo = halo or Halo()
    seed = check_count(seed, "seed", least=0)
    sweeps = [sweep for sweep in sweeps if sweep.sensor.kind in recipe.kinds]
    empty = _untrained(sweeps, settings, recipe)
    lanes = empty.screen(sweeps, workers=workers, progress=progress)
    coverage = observed(lanes, settings, area=area)
    places = _label(
        [site for lane in lanes for site in empty.find_sites(lane)], truth, coverage, halo
    )
    judges = {
        kind: _fit_sensor(places, kind, estimator=recipe.estimators[kind], seed=seed)
        for kind in empty.sensors
    }
    priors = {kind: judge.prior for kind, judge in judges.items()}
    priors["both"] = float(
        np.average(places.labels[places.keep], weights=places.weights[places.keep])
    )
    calibrations = {kind: judge.calibration for kind, judge in judges.items()}
    ratios = {kind: judge.ratios for kind, judge in judges.items()}
    thresholds, quality, square_metres = {}, {}, {}
    for mode in recipe.modes:
        sensors = _SENSORS[mode]
        name, kinds = ("both", KINDS) if mode == "both" else (alone(mode), (mode,))
        total = fuse({kind: ratios[kind] for kind in kinds})
        use = places.keep & _noticed(places.sites, mode)
        calibrations[name] = _calibrate(
            mode, total[use], places.labels[use], places.weights[use], priors
        )
        odds = calibrations[name].log_odds(total)
        quality[mode] = _quality(probability(odds[use]), places.labels[use])
        area_m2 = scored_ground(truth, coverage, halo=halo, sensors=sensors).scored
        square_metres[mode] = area_m2
        is_false = use & ~places.labels & _seen(places.sites, coverage, sensors)
        judged = {mode: odds}
        if mode != "both":
            judged[_BASELINES[mode]] = np.array([site.scores[mode] for site in places.sites])
        for judge, values in judged.items():
            thresholds[judge] = rate_threshold(
                values[is_false], rate=settings.design_rate, area=area_m2
            )
    card = {
        "version": __version__,
        "is_synthetic": truth.is_synthetic,
        "training_lanes": sorted({site.lane for site in places.sites}),
        "training_data": _fingerprint(sweeps),
        "training_area_m2": round(coverage.area("any"), 3),
        "false_alarm_area_m2": {mode: round(a, 3) for mode, a in square_metres.items()},
        "soils": dict(sorted((soils or {}).items())),
        "features": {
            k: [[f.name, f.unit] for f in features_of(k, recipe.groups)] for k in judges
        },
        "out_of_fold": quality,
        "seed": seed,
    }
    return dataclasses.replace(
        empty,
        estimators={kind: judge.estimator for kind, judge in judges.items()},
        calibrations=calibrations,
        priors=priors,
        thresholds=thresholds,
        card=card,
    )


@dataclasses.dataclass(frozen=True)
class _Places:
    """What was noticed in the lanes, and what lies there."""

    sites: list[Site]
    #: Target each place belongs to, "" if to none.
    emplacements: list[str]
    #: Whether it is a mine; several places at one mine weigh one together.
    labels: np.ndarray
    weights: Floats
    #: Which are mine or clutter, and which of them count for calibrations and thresholds.
    known: np.ndarray
    keep: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Judge:
    """A sensor's classifier, and what it said of places in lanes it had not seen."""

    estimator: Any
    calibration: Platt
    prior: float
    #: Log likelihood ratio of each place, NaN where the sensor has no features.
    ratios: Floats


def _label(sites: list[Site], truth: Truth, coverage: Coverage, halo: Halo) -> _Places:
    """Say what lies at each place; raise if there is too little to train on."""
    owner, known = label_sites(sites, truth, halo)
    labels = np.array([k >= 0 for k in owner], dtype=bool)
    _require_enough(
        labels[known], [site.lane for site, ok in zip(sites, known, strict=True) if ok]
    )
    names = {-1: "", **{k: item.identifier for k, item in enumerate(truth.targets)}}
    return _Places(
        sites=sites,
        emplacements=[names[k] for k in owner],
        labels=labels,
        weights=emplacement_weights(owner),
        known=known,
        keep=known & (labels | _seen(sites, coverage, "any")),
    )


def _fit_sensor(places: _Places, kind: str, *, estimator: str, seed: int) -> _Judge:
    """Score one sensor's places out of fold, calibrate the scores, fit all lanes."""
    rows = np.array([site.features[kind] for site in places.sites])
    use = places.known & np.isfinite(rows).any(axis=1)
    labels, weights, inside = places.labels[use], places.weights[use], places.keep[use]
    chosen = np.flatnonzero(use)
    scores = out_of_fold(
        rows[use],
        labels,
        [places.sites[i].lane for i in chosen],
        emplacements=[places.emplacements[i] for i in chosen],
        weights=weights,
        kind=estimator,
        seed=seed,
    )
    calibration = fit_platt(scores[inside], labels[inside], weights=weights[inside])
    prior = float(np.average(labels[inside], weights=weights[inside]))
    ratios = np.full(len(rows), np.nan)
    ratios[use] = calibration.log_odds(scores) - log_odds(prior)
    fitted = fit(rows[use], labels, weights=weights, kind=estimator, seed=seed)
    return _Judge(estimator=fitted, calibration=calibration, prior=prior, ratios=ratios)


def _calibrate(
    mode: str,
    ratios: Floats,
    labels: np.ndarray,
    weights: Floats,
    priors: Mapping[str, float],
) -> Platt:
    """Calibrate the summed log ratios of a mode."""
    if mode == "both":
        return fit_platt(ratios, labels, weights=weights)
    return _calibrate_alone(ratios, labels, weights, priors[mode])


def _untrained(sweeps: Sequence[Sweep], settings: DetectorSettings, recipe: Recipe) -> Detector:
    """Return a detector that can screen but not judge, for the sensors of the sweeps."""
    sensors: dict[str, dict[str, Any]] = {}
    for sweep in sweeps:
        sensors.setdefault(sweep.sensor.kind, sweep.sensor.describe())
    missing = [kind for kind in recipe.kinds if kind not in sensors]
    if missing:
        both = "both sensors" if len(recipe.kinds) > 1 else "that sensor"
        msg = f"Invalid sweeps: none of kind {' or '.join(missing)}. Must hold {both}."
        raise ValueError(msg)
    return Detector(
        settings=settings,
        recipe=recipe,
        sensors={kind: sensors[kind] for kind in KINDS if kind in recipe.kinds},
        estimators={},
        calibrations={},
        priors={},
        thresholds={},
        card={},
    )


def _require_enough(labels: np.ndarray, lanes: Sequence[str]) -> None:
    """Raise if there is too little to train on."""
    n_mines, n_others, n_lanes = int(labels.sum()), int((~labels).sum()), len(set(lanes))
    if n_mines < 10 or n_others < 10 or n_lanes < 3:
        msg = (
            f"Invalid training data: {n_mines} noticed targets and {n_others} other places in "
            f"{n_lanes} lanes. Must be at least 10, 10 and 3."
        )
        raise ValueError(msg)


def _calibrate_alone(
    ratios: Floats, labels: np.ndarray, weights: Floats, prior: float
) -> Platt:
    """
    Return the shift that makes log ratios the log odds of what a sensor noticed itself.

    The slope stays 1: among what a metal detector noticed there may be nothing left to tell
    mines from scrap, and a slope of 0 would make all places equal.
    """
    n_mines, n_rest = weights[labels].sum(), weights[~labels].sum()
    target = np.where(labels, (n_mines + 1) / (n_mines + 2), 1 / (n_rest + 2))  # as Platt
    low, high = -100.0, 100.0
    for _ in range(60 if len(ratios) else 0):
        middle = (low + high) / 2
        is_high = (weights * (probability(ratios + middle) - target)).sum() > 0
        low, high = (low, middle) if is_high else (middle, high)
    offset = (low + high) / 2 if len(ratios) else log_odds(prior)
    return Platt(slope=1.0, offset=float(offset))


def _quality(p: Floats, y: np.ndarray) -> dict[str, float]:
    """Return how good probabilities are, for the card."""
    return {
        "brier": round(float(np.mean((p - y) ** 2)), 6),
        "calibration_error": round(expected_calibration_error(p, y), 6),
        "n_mines": int(y.sum()),
        "n_others": int((~y).sum()),
    }


def _noticed(sites: Sequence[Site], mode: str) -> np.ndarray:
    """Return which places a mode's own prescreeners noticed."""
    return np.array([mode == "both" or mode in site.noticed for site in sites], dtype=bool)


def _seen(sites: Sequence[Site], coverage: Coverage, sensors: str) -> np.ndarray:
    """Return which places lie on ground that the score counts, as it decides it."""
    east, north = ([getattr(site, a) for site in sites] for a in ("easting", "northing"))
    return coverage.at(coverage.mask(sensors) & coverage.wanted, east, north, False)


def _fingerprint(sweeps: Sequence[Sweep]) -> str:
    """Return a hash of everything the sweeps recorded."""
    digest = hashlib.sha256()
    for sweep in sweeps:
        digest.update(f"{sweep.lane}/{sweep.sensor.name}".encode())
        for values in (sweep.samples, sweep.time, sweep.position, sweep.quality):
            digest.update(np.ascontiguousarray(values).tobytes())
    return f"sha256:{digest.hexdigest()}"

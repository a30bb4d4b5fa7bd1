"""One sensor's classifier, fitted, scored out of fold and calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..detect import (
    Platt,
    Recipe,
    features_of,
    fit,
    fit_platt,
    log_odds,
    out_of_fold,
    probability,
)
from ..sweep import Floats
from .places import Places


@dataclass(frozen=True, eq=False)
class Judge:
    """A sensor's classifier, and what it said of places in lanes it had not seen."""

    estimator: Any
    calibration: Platt
    prior: float
    #: Log likelihood ratio of each place, NaN where the sensor has no features.
    ratios: Floats


def fit_judge(places: Places, kind: str, recipe: Recipe, *, seed: int) -> Judge:
    """
    Score one sensor's places out of fold, calibrate the scores, fit all lanes.

    Parameters
    ----------
    places : Places
        With features and labels.
    kind : str
        Of sensor.
    recipe : Recipe
        Which classifier.
    seed : int
        Of the classifier.

    Returns
    -------
    judge : Judge
        Its ratios are those of classifiers that had not seen the lane.

    Raises
    ------
    ValueError
        If the sensor has features of no mine, or of nothing else, in lanes that count.

    Examples
    --------
    >>> judge = fit_judge(places, "gpr", RECIPES["radar"], seed=0)  # doctest: +SKIP
    """
    nothing = np.full(len(features_of(kind, recipe.groups)), np.nan)  # the lane lacks it
    rows = np.array([site.features.get(kind, nothing) for site in places.sites])
    estimator, options = recipe.estimators[kind], recipe.options.get(kind)
    use = places.known & np.isfinite(rows).any(axis=1)
    labels, weights, inside = places.labels[use], places.weights[use], places.keep[use]
    chosen = np.flatnonzero(use)
    n_mines, n_others = int(labels[inside].sum()), int((~labels[inside]).sum())
    if not n_mines or not n_others:
        msg = (
            f"Invalid sweeps of kind '{kind}': {n_mines} targets and {n_others} other places "
            "to calibrate on, in lanes that count. Must be some of both."
        )
        raise ValueError(msg)
    scores = out_of_fold(
        rows[use],
        labels,
        [places.sites[i].lane for i in chosen],
        emplacements=[places.emplacements[i] for i in chosen],
        weights=weights,
        kind=estimator,
        options=options,
        seed=seed,
    )
    calibration = fit_platt(scores[inside], labels[inside], weights=weights[inside])
    prior = float(np.average(labels[inside], weights=weights[inside]))
    ratios = np.full(len(rows), np.nan)
    ratios[use] = calibration.log_odds(scores) - log_odds(prior)
    fitted = fit(rows[use], labels, weights=weights, kind=estimator, options=options, seed=seed)
    return Judge(estimator=fitted, calibration=calibration, prior=prior, ratios=ratios)


def calibrate_mode(
    mode: str,
    ratios: Floats,
    labels: np.ndarray,
    weights: Floats,
    priors: Mapping[str, float],
) -> Platt:
    """
    Calibrate the summed log ratios of a mode.

    Parameters
    ----------
    mode : str
        ``"both"`` or a kind of sensor.
    ratios, labels, weights : (n,) ndarray
        Of the places that the mode noticed.
    priors : dict of float
        Share of mines by kind of sensor.

    Returns
    -------
    calibration : Platt
        Of the sum; for one sensor alone a shift.

    Examples
    --------
    >>> import numpy as np
    >>> ratios, labels = np.array([-1.0, 1.0, 2.0]), np.array([False, False, True])
    >>> calibrate_mode("emi", ratios, labels, np.ones(3), {"emi": 0.3}).slope
    1.0
    """
    if mode == "both":
        return fit_platt(ratios, labels, weights=weights)
    return _calibrate_alone(ratios, labels, weights, priors[mode])


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

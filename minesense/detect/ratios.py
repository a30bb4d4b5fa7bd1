"""What one sensor's classifier says of places: log likelihood ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .calibrate import Platt, log_odds
from .classify import predict
from .sites import Site


def alone(kind: str) -> str:
    """
    Return the name of the calibration of a sensor without the other.

    Parameters
    ----------
    kind : str
        ``"gpr"`` or ``"emi"``.

    Returns
    -------
    name : str
        Key of :attr:`Detector.calibrations`.

    Examples
    --------
    >>> from minesense.detect.ratios import alone
    >>> alone("emi")
    'emi_alone'
    """
    return f"{kind}_alone"


def likelihood_ratios(
    estimator: Any, calibration: Platt, prior: float, sites: Sequence[Site], kind: str
) -> np.ndarray:
    """
    Return the log likelihood ratio that one sensor gives each place.

    Parameters
    ----------
    estimator : sklearn.pipeline.Pipeline
        Fitted on the features of the kind.
    calibration : Platt
        Of its scores.
    prior : float
        Share of mines that it was calibrated on.
    sites : sequence of Site
        Places to judge.
    kind : str
        ``"gpr"`` or ``"emi"``.

    Returns
    -------
    ratios : (n,) float64 ndarray
        NaN where the sensor did not observe the place.
    """
    ratios = np.full(len(sites), np.nan)
    seen = [
        k
        for k, site in enumerate(sites)
        if kind in site.features and np.isfinite(site.features[kind]).any()
    ]
    if seen:
        scores = predict(estimator, np.array([sites[k].features[kind] for k in seen]))
        ratios[seen] = calibration.log_odds(scores) - log_odds(prior)
    return ratios

"""Calibration: from a classifier's score to a probability that means what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_count, check_labels, check_probability
from ..sweep import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Platt:
    """A logistic calibration: log odds = `slope` * score + `offset`."""

    slope: float
    offset: float

    def log_odds(self, scores: npt.ArrayLike) -> Floats:
        """
        Return calibrated log odds.

        Parameters
        ----------
        scores : (n,) array_like
            Scores of the kind the calibration was fitted on.

        Returns
        -------
        log_odds : (n,) float64 ndarray
            Natural logarithm of p / (1 - p).
        """
        return self.slope * np.asarray(scores, dtype=np.float64) + self.offset

    def as_dict(self) -> dict[str, Any]:
        """Return plain numbers, for the card of a model."""
        return {"kind": "platt", "slope": self.slope, "offset": self.offset}


def probability(log_odds: npt.ArrayLike) -> Floats:
    """
    Return the probability of log odds, without overflow.

    Parameters
    ----------
    log_odds : array_like
        Natural logarithm of p / (1 - p).

    Returns
    -------
    probability : float64 ndarray
        Between 0 and 1.

    Examples
    --------
    >>> from minesense.detect import probability
    >>> probability([-1000.0, 0.0, 1000.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    half = np.exp(-np.abs(np.asarray(log_odds, dtype=np.float64)))
    return np.where(np.asarray(log_odds) >= 0, 1 / (1 + half), half / (1 + half))


def log_odds(probability: float) -> float:
    """
    Return the log odds of a probability.

    Parameters
    ----------
    probability : float
        Between 0 and 1, both excluded.

    Returns
    -------
    log_odds : float
        Natural logarithm of p / (1 - p).

    Raises
    ------
    ValueError
        If `probability` is not between 0 and 1.

    Examples
    --------
    >>> from minesense.detect import log_odds
    >>> log_odds(0.5)
    0.0
    """
    p = check_probability(probability, "probability")
    return float(np.log(p) - np.log1p(-p))


def fit_platt(
    scores: npt.ArrayLike, labels: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> Platt:
    r"""
    Fit a logistic calibration to scores that the classifier had not been trained on.

    Parameters
    ----------
    scores : (n,) array_like
        Out-of-fold scores; higher means more like a mine.
    labels : (n,) array_like
        True for mines.
    weights : (n,) array_like, optional
        Weight of each, 1 by default.

    Returns
    -------
    calibration : Platt
        With a slope of at least zero: a calibration never turns the ranking round.

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, a weight is negative, or only one class is
        present.

    Notes
    -----
    Minimises :math:`-\sum w_i [t_i \ln p_i + (1 - t_i) \ln(1 - p_i)]` for
    :math:`p = 1/(1 + e^{-(a s + b)})` with the targets :math:`t = (N_+ + 1)/(N_+ + 2)` for
    mines and :math:`1/(N_- + 2)` for the rest, by Newton's method with step halving, on
    scores less their median and over their greatest distance from it: probabilities do not
    depend on the unit of scores, nor on where their zero lies. Scores that are all equal
    have a slope of zero.

    References
    ----------
    .. [1] Platt, J. (1999). Probabilistic outputs for support vector machines. Advances in
       Large Margin Classifiers. Numerics as in Lin, Lin & Weng (2007), Machine Learning 68,
       267, doi:10.1007/s10994-007-5018-6.

    Examples
    --------
    >>> from minesense.detect import fit_platt
    >>> calibration = fit_platt([-2.0, -1.0, 0.5, 1.0, 2.0], [0, 0, 1, 0, 1])
    >>> bool(calibration.slope > 0)
    True
    """
    score, label, weight = check_scores(scores, labels, weights)
    n_mines, n_rest = weight[label].sum(), weight[~label].sum()
    target = np.where(label, (n_mines + 1) / (n_mines + 2), 1 / (n_rest + 2))
    centre, spread = _location_and_scale(score)
    design = np.column_stack([(score - centre) / spread, np.ones_like(score)])
    parameters = np.array([0.0, np.log((n_mines + 1) / (n_rest + 1))])
    best = _loss(design, parameters, target, weight)
    for _ in range(100):
        p = probability(design @ parameters)
        gradient = design.T @ (weight * (p - target))
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design
        own = np.diag(hessian)
        # in proportion to each term, so that no unit of scores or weights is too small for it
        ridge = 1e-10 * np.diag(np.where(own > 0, own, 1.0))
        step = np.linalg.solve(hessian + ridge, gradient)
        scale = 1.0
        while scale > 1e-8:
            trial = parameters - scale * step
            loss = _loss(design, trial, target, weight)
            if loss < best:
                break
            scale /= 2
        else:
            break
        parameters, best = trial, loss
    if parameters[0] < 0:
        parameters = np.array([0.0, log_odds(float(np.average(target, weights=weight)))])
    slope = float(parameters[0]) / spread
    return Platt(slope=slope, offset=float(parameters[1]) - slope * centre)


def _location_and_scale(score: Floats) -> tuple[float, float]:
    """Return the median of scores, and their greatest distance from it, 1 if that is 0."""
    centre = float(np.median(score))
    return centre, float(np.abs(score - centre).max()) or 1.0


def check_scores(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """
    Return scores, labels and weights as arrays of one length that hold both classes.

    Parameters
    ----------
    scores, labels, weights
        As in :func:`fit_platt`.

    Returns
    -------
    scores, labels, weights : (n,) ndarray
        Of type float64, bool and float64.

    Raises
    ------
    TypeError, ValueError
        As :func:`fit_platt`.
    """
    score = check_array(scores, "scores", ("n",))
    label = check_labels(labels)
    weight = np.ones(len(score)) if weights is None else check_array(weights, "weights", ("n",))
    if not len(score) == len(label) == len(weight):
        msg = f"Invalid lengths {len(score)}, {len(label)}, {len(weight)}. Must be equal."
        raise ValueError(msg)
    if (weight < 0).any():
        msg = f"Invalid weights: the least is {weight.min():g}. Must not be negative."
        raise ValueError(msg)
    n_mines, n_rest = weight[label].sum(), weight[~label].sum()
    if n_mines == 0 or n_rest == 0:
        msg = f"Invalid labels: {n_mines:g} mines, {n_rest:g} others. Must hold both."
        raise ValueError(msg)
    return score, label, weight


def _loss(design: Floats, parameters: Floats, target: Floats, weight: Floats) -> float:
    """Return the negative log likelihood, without overflow."""
    odds = design @ parameters
    return float((weight * (np.logaddexp(0, odds) - target * odds)).sum())


def expected_calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, n_bins: int = 10
) -> float:
    """
    Return the mean distance between what was promised and what happened.

    Parameters
    ----------
    probabilities : (n,) array_like
        Calibrated probabilities.
    labels : (n,) array_like
        True for mines.
    n_bins : int
        Number of bins of equal width.

    Returns
    -------
    error : float
        Mean over bins of the distance between mean probability and share of mines,
        weighted by their counts; NaN without any place.

    Raises
    ------
    TypeError, ValueError
        If a probability is not between 0 and 1, lengths differ, or `n_bins` is no whole
        number of at least 1.

    Examples
    --------
    >>> from minesense.detect import expected_calibration_error
    >>> expected_calibration_error([0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1])
    0.0
    """
    n_bins = check_count(n_bins, "n_bins")
    p, y = check_probabilities(probabilities, labels)
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    count = np.bincount(bins, minlength=n_bins)
    gap = np.bincount(bins, weights=p, minlength=n_bins)
    gap -= np.bincount(bins, weights=y, minlength=n_bins)
    return float(np.abs(gap[count > 0]).sum() / len(p)) if len(p) else float("nan")


def brier_score(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """
    Return the mean squared distance between probabilities and what was there.

    Parameters
    ----------
    probabilities, labels
        As in :func:`expected_calibration_error`.

    Returns
    -------
    score : float
        0 at best; 0.25 for who says 0.5 everywhere; NaN without any place.

    Raises
    ------
    TypeError, ValueError
        If a probability is not between 0 and 1, or lengths differ.

    References
    ----------
    .. [1] Brier, G. W. (1950). Verification of forecasts expressed in terms of probability.
       Monthly Weather Review 78(1), 1-3.

    Examples
    --------
    >>> from minesense.detect import brier_score
    >>> brier_score([0.5, 1.0], [1, 1])
    0.125
    """
    p, y = check_probabilities(probabilities, labels)
    return float(np.mean((p - y) ** 2)) if len(p) else float("nan")


def check_probabilities(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """
    Return probabilities and labels as arrays, if they fit together.

    Parameters
    ----------
    probabilities, labels
        As in :func:`expected_calibration_error`.

    Returns
    -------
    probabilities, labels : (n,) ndarray
        Of type float64 and bool.

    Raises
    ------
    TypeError, ValueError
        If a probability is not between 0 and 1, or lengths differ.
    """
    p = check_array(probabilities, "probabilities", ("n",))
    y = check_labels(labels)
    if y.shape != p.shape or (p < 0).any() or (p > 1).any():
        msg = (
            f"Invalid probabilities with shape {p.shape} beside labels with shape {y.shape}. "
            "Must be of one shape, probabilities between 0 and 1."
        )
        raise ValueError(msg)
    return p, y

"""Test calibration and fusion against their definitions."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from minesense.detect import expected_calibration_error, fit_platt, fuse, log_odds, probability


def make_scores(n=400, slope=1.7, offset=-0.8, seed=0):
    """Return scores and labels that follow a known logistic law."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n)
    return scores, rng.random(n) < 1 / (1 + np.exp(-(slope * scores + offset)))


def test_platt_agrees_with_a_general_optimiser():
    """Newton's method finds the same minimum as a method that knows no derivative."""
    scores, labels = make_scores()
    weights = np.random.default_rng(seed=1).uniform(0.5, 2, len(scores))
    n_mines, n_rest = weights[labels].sum(), weights[~labels].sum()
    target = np.where(labels, (n_mines + 1) / (n_mines + 2), 1 / (n_rest + 2))

    def loss(parameters):
        p = 1 / (1 + np.exp(-(parameters[0] * scores + parameters[1])))
        return -(weights * (target * np.log(p) + (1 - target) * np.log(1 - p))).sum()

    best = minimize(
        loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}
    )
    fitted = fit_platt(scores, labels, weights=weights)
    npt.assert_allclose([fitted.slope, fitted.offset], best.x, atol=1e-5)


def test_platt_finds_the_law_that_made_the_labels():
    """With many scores the true slope and offset come back within their errors."""
    fitted = fit_platt(*make_scores(n=20_000))
    npt.assert_allclose([fitted.slope, fitted.offset], [1.7, -0.8], atol=0.1)


def test_weights_count_like_copies():
    """A weight of two is the same as two rows, but for the smoothed targets."""
    scores, labels = make_scores()
    twice = fit_platt(np.repeat(scores, 2), np.repeat(labels, 2))
    weighted = fit_platt(scores, labels, weights=np.full(len(scores), 2.0))
    npt.assert_allclose(
        [weighted.slope, weighted.offset], [twice.slope, twice.offset], rtol=1e-7
    )


def test_separable_scores_stay_finite():
    """Perfect separation gives a steep calibration, not an infinite one."""
    fitted = fit_platt([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])
    assert math.isfinite(fitted.slope)
    assert 0.5 < probability(fitted.log_odds([2.0]))[0] < 1


def test_a_calibration_never_turns_the_ranking_round():
    """Scores that point the wrong way lose their say; they do not win."""
    scores, labels = make_scores()
    fitted = fit_platt(-scores, labels)
    assert fitted.slope == 0
    npt.assert_allclose(probability(fitted.log_odds([0.0]))[0], labels.mean(), atol=0.01)


@given(st.floats(-700, 700))
def test_probability_inverts_log_odds(odds):
    """The two functions undo each other where a double can tell."""
    p = float(probability(odds))
    assert 0 <= p <= 1
    if 1e-12 < p < 1 - 1e-6:
        npt.assert_allclose(log_odds(p), odds, rtol=1e-6, atol=1e-9)


def test_calibration_error_is_the_mean_gap():
    """Bins count by how many they hold."""
    p = [0.05, 0.05, 0.95, 0.95]
    npt.assert_allclose(expected_calibration_error(p, [0, 0, 1, 1]), 0.05)
    npt.assert_allclose(expected_calibration_error(p, [1, 1, 0, 0]), 0.95)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, math.nan], [0, 1], "1 of 2 values are NaN"),
        ([1.0, 2.0], [1, 1], "2 mines, 0 others. Must hold both"),
        ([1.0, 2.0], [1, 0, 1], "lengths 2, 3, 2. Must be equal"),
    ],
)
def test_bad_scores_are_named(scores, labels, message):
    """The error says what is wrong with the scores."""
    with pytest.raises(ValueError, match=message):
        fit_platt(scores, labels)


def test_fusion_adds_what_was_observed():
    """A sensor that was not there adds nothing; a silent one takes away."""
    radar, coils = np.array([2.0, 2.0, np.nan]), np.array([-1.0, np.nan, np.nan])
    npt.assert_array_equal(fuse({"gpr": radar, "emi": coils}), [1.0, 2.0, 0.0])


def test_fusion_is_the_product_of_likelihoods():
    """For independent sensors the fused odds are those of the joint likelihood."""
    rng = np.random.default_rng(seed=3)
    radar, coils = rng.normal(size=50), rng.normal(size=50)
    joint = np.log(np.exp(radar) * np.exp(coils))
    npt.assert_allclose(fuse({"gpr": radar, "emi": coils}), joint, atol=1e-12)


def test_fusion_refuses_unequal_lengths():
    """One ratio a place and sensor."""
    with pytest.raises(ValueError, match=r"lengths \{'gpr': 2, 'emi': 3\}"):
        fuse({"gpr": np.zeros(2), "emi": np.zeros(3)})
    with pytest.raises(ValueError, match="Must be one or more"):
        fuse({})

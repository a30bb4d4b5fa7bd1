"""Test calibration and fusion against their definitions."""

import json
import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from minesense.detect import (
    BASE_RATES,
    Isotonic,
    Platt,
    expected_calibration_error,
    fit_calibration,
    fit_isotonic,
    fit_platt,
    fuse,
    log_odds,
    probability,
    read_calibration,
    venn_abers,
    with_prior,
)
from minesense.score import clopper_pearson, reliability


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


@given(
    exponent=st.floats(-12, 12),
    shift=st.floats(-1000, 1000),
    seed=st.integers(0, 1000),
    is_weighted=st.booleans(),
)
def test_platt_does_not_depend_on_the_unit_of_scores(exponent, shift, seed, is_weighted):
    """Volts or nanovolts, from any zero: the same probabilities."""
    scores, labels = make_scores(n=120, seed=seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2, 120) if is_weighted else None
    other = 10.0**exponent * (scores + shift)
    found, expected = (
        probability(fit_platt(s, labels, weights=weights).log_odds(s)) for s in (other, scores)
    )
    npt.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1.0, 1e9, 1e12])
def test_platt_is_at_its_minimum_at_any_scale(scale):
    """The mean of p is that of the targets, and so is the mean of p times the score."""
    scores, labels = make_scores()
    fitted = fit_platt(scale * scores, labels)
    n_mines, n_rest = labels.sum(), (~labels).sum()
    target = np.where(labels, (n_mines + 1) / (n_mines + 2), 1 / (n_rest + 2))
    p = probability(fitted.log_odds(scale * scores))
    npt.assert_allclose([(p - target).sum(), (scores * (p - target)).sum()], 0.0, atol=1e-5)


def test_platt_of_equal_scores_says_what_share_is_mines():
    """Scores that do not differ have a slope of zero, wherever they lie."""
    for value in (0.0, 5e-9, -3.0, 7e8):
        fitted = fit_platt(np.full(9, value), [1] * 3 + [0] * 6)
        assert fitted.slope == 0.0
        expected = (3 * 4 / 5 + 6 / 8) / 9  # the mean of the targets
        npt.assert_allclose(probability(fitted.offset), expected, rtol=1e-9)


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
    assert np.isnan(expected_calibration_error([], []))  # nothing was promised


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
    """A sensor that was not there adds nothing; of what none saw nothing is said."""
    radar, coils = np.array([2.0, 2.0, np.nan]), np.array([-1.0, np.nan, np.nan])
    npt.assert_array_equal(fuse({"gpr": radar, "emi": coils}), [1.0, 2.0, np.nan])


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


# Isotonic, and the choice


def pool_adjacent(labels):
    """Return the isotonic fit of labels in order of their scores: merge blocks that fall."""
    blocks = [[float(y), 1] for y in labels]
    k = 0
    while k + 1 < len(blocks):
        if blocks[k][0] > blocks[k + 1][0]:
            (a, n), (b, m) = blocks[k], blocks.pop(k + 1)
            blocks[k] = [(a * n + b * m) / (n + m), n + m]
            k = max(0, k - 1)
        else:
            k += 1
    return np.concatenate([np.full(n, mean) for mean, n in blocks])


@given(st.lists(st.booleans(), min_size=3, max_size=40).filter(lambda y: 0 < sum(y) < len(y)))
def test_isotonic_pools_adjacent_violators(labels):
    """At every score the mean of its block, kept within Platt's targets."""
    n, mines = len(labels), sum(labels)
    fitted = fit_isotonic(np.arange(n), labels)
    expected = np.clip(pool_adjacent(labels), 1 / (n - mines + 2), (mines + 1) / (mines + 2))
    npt.assert_allclose(probability(fitted.log_odds(np.arange(n))), expected, atol=1e-9)


def test_isotonic_is_clipped_beyond_its_scores_and_keeps_nan():
    """Nothing is stated that was not seen; a missing score stays missing."""
    fitted = fit_isotonic(*make_scores(n=1000))
    ends = fitted.log_odds([-1e9, fitted.scores[0], fitted.scores[-1], 1e9, math.nan])
    assert ends[0] == ends[1]
    assert ends[2] == ends[3]
    assert np.isfinite(ends[:4]).all()
    assert math.isnan(ends[4])


def test_the_number_of_mines_chooses():
    """499 give a logistic law, 500 steps; weights count, as does the user's wish."""
    labels = np.arange(2000) < 500
    scores = np.random.default_rng(seed=7).normal(size=2000) + labels
    assert isinstance(fit_calibration(scores, labels), Isotonic)
    assert isinstance(fit_calibration(scores[1:], labels[1:]), Platt)
    assert isinstance(fit_calibration(scores, labels, weights=np.full(2000, 0.9)), Platt)
    assert isinstance(fit_calibration(scores, labels, isotonic_from=1000), Platt)
    assert isinstance(fit_calibration(scores[1:], labels[1:], method="isotonic"), Isotonic)
    with pytest.raises(ValueError, match="Invalid method 'spline'"):
        fit_calibration(scores, labels, method="spline")


def test_calibrations_survive_json():
    """Plain numbers there and back, the same log odds; a card without kind is Platt's."""
    for method in ("platt", "isotonic"):
        fitted = fit_calibration(*make_scores(), method=method)
        again = read_calibration(json.loads(json.dumps(fitted.as_dict())))
        grid = np.linspace(-5, 5, 101)
        npt.assert_array_equal(again.log_odds(grid), fitted.log_odds(grid))
    assert read_calibration({"slope": 2.0, "offset": 1.0}) == Platt(slope=2.0, offset=1.0)
    with pytest.raises(ValueError, match="Must hold offset and slope"):
        read_calibration({"slope": 2.0})
    with pytest.raises(ValueError, match="Must never fall"):
        Isotonic(scores=[1.0, 2.0], probabilities=[0.6, 0.5])


# Base rates


def test_a_prior_moves_log_odds_as_bayes_does():
    """For two normal laws the shifted odds are those of the law under the other mix."""
    x = np.linspace(-3, 3, 13)
    likelihood = np.exp(-((x - 1) ** 2) / 2) / np.exp(-(x**2) / 2)
    trained = np.log(0.3 / 0.7 * likelihood)
    moved = with_prior(trained, prior=0.004, training_prior=0.3)
    p = 0.004 * likelihood / (0.004 * likelihood + 0.996)
    npt.assert_allclose(probability(moved), p)
    assert math.isnan(with_prior([math.nan], prior=0.1, training_prior=0.3)[0])


def test_base_rates_are_those_published():
    """One in 253.8 detections, one per 107.7 m2; one per 47,000 m2."""
    cambodia, other = (BASE_RATES[k] for k in ("cambodia_2006_2008", "azerbaijan_2025_01"))
    assert round(1 / cambodia.share(), 1) == 253.8
    assert round(1 / cambodia.density, 1) == 107.7
    assert round(1 / other.density, -3) == 47_000
    npt.assert_allclose(other.share(detections_per_area=0.5), 2 * 762 / 35_838_000)
    with pytest.raises(ValueError, match="counts mines and area only"):
        with_prior([0.0], prior="azerbaijan_2025_01", training_prior=0.5)
    with pytest.raises(ValueError, match="Must be one of 'cambodia_2006_2008'"):
        with_prior([0.0], prior="atlantis", training_prior=0.5)
    with pytest.raises(ValueError, match=r"Invalid training_prior '1\.0'"):
        with_prior([0.0], prior=0.1, training_prior=1.0)


# Intervals of probabilities, and reliability


def test_venn_abers_refits_with_the_place_itself():
    """As a mine and as clutter, each fit written out, ties included."""
    rng = np.random.default_rng(seed=8)
    scores = rng.integers(0, 8, 40).astype(float)
    labels = rng.random(40) < (scores + 1) / 10
    asked = np.array([-1.0, 0.0, 2.5, 3.0, 9.0])
    found = venn_abers(asked, calibration_scores=scores, labels=labels)
    for k, value in enumerate(asked):
        for bound, y in ((found.low, 0), (found.high, 1)):
            s, t = np.append(scores, value), np.append(labels, y)
            expected = IsotonicRegression().fit(s, t).predict([value])[0]
            npt.assert_allclose(bound[k], expected, atol=1e-9)
    assert (found.low <= found.high).all()
    npt.assert_allclose(found.merged, found.high / (1 - found.low + found.high))


def test_reliability_is_counted_by_bin_and_lane():
    """Bins with exact limits, lanes apart, what was withheld only counted."""
    p = [0.15, 0.15, 0.15, 0.85, 1.0, math.nan]
    y, lanes = [0, 0, 1, 1, 1, 1], ["b", "b", "a", "a", "a", "c"]
    found = reliability(p, y, lanes)
    assert [(b.low, b.mines, b.n) for b in found.bins] == [
        (0.1, 1, 3),
        (0.8, 1, 1),
        (0.9, 1, 1),
    ]
    assert found.bins[0].share == clopper_pearson(1, 3)
    error = (3 * abs(0.15 - 1 / 3) + 0.15) / 5
    npt.assert_allclose(found.overall.calibration_error, error)
    npt.assert_allclose(found.overall.brier, (2 * 0.15**2 + 0.85**2 + 0.15**2) / 5)
    assert [(x.lane, x.n, x.withheld) for x in found.lanes] == [
        ("a", 3, 0),
        ("b", 2, 0),
        ("c", 0, 1),
    ]
    npt.assert_allclose(found.lanes[1].calibration_error, 0.15)
    assert found.worst.lane == "a"
    with pytest.raises(ValueError, match="all withheld"):
        reliability([math.nan], [1], ["a"])
    with pytest.raises(ValueError, match="probabilities between 0 and 1"):
        reliability([1.5], [1], ["a"])
    for wrong in (["0", "1"], [0, math.nan], [0, 2]):  # not mines, because they are not 0
        with pytest.raises(ValueError, match="Must be true or false"):
            reliability([0.1, 0.2], wrong, ["a", "a"])

"""Test limits of a calibration error against naive drawing and a known truth."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.detect import expected_calibration_error, probability
from minesense.score.calibration_limits import (
    CalibrationError,
    calibration_error,
    calibration_limits,
)


def make_places(rng, n_lanes, n, *, slope=1.0, offset=0.0, spread=0.0):
    """Return stated probabilities, labels that follow another law, and lanes."""
    lanes = np.repeat(np.arange(n_lanes), n)
    odds = rng.normal(-1, 1.5, n_lanes * n)
    true = probability(slope * odds + offset + spread * rng.normal(size=n_lanes)[lanes])
    return probability(odds), rng.random(len(odds)) < true, lanes


def draw(rng, n_lanes, n):
    """Return how often each lane counts."""
    return rng.multinomial(n_lanes, np.full(n_lanes, 1 / n_lanes), size=n)


@given(seed=st.integers(0, 10_000), n_lanes=st.integers(1, 6), n=st.integers(1, 12))
def test_the_error_is_that_of_places_counted_so_often(seed, n_lanes, n):
    """Weights count places, draws count lanes, as if each were there so often."""
    rng = np.random.default_rng(seed)
    p, y, lanes = make_places(rng, n_lanes, n)
    weights = rng.integers(0, 4, len(p))
    weights[0] = 1
    drawn = draw(rng, n_lanes, 5)
    found = calibration_error(p, y, lanes, drawn, weights=weights.astype(float))
    expected = expected_calibration_error(np.repeat(p, weights), np.repeat(y, weights))
    npt.assert_allclose(found.value, expected, atol=1e-12)

    def gaps(repeat):
        if not repeat.sum():
            return np.full(10, np.nan)
        bins = np.minimum((p * 10).astype(int), 9)
        return np.bincount(bins, repeat * (p - y), minlength=10) / repeat.sum()

    whole = gaps(weights)
    for row, moved, lost in zip(drawn, found.moved, found.lost, strict=True):
        change = gaps(weights * row[lanes]) - whole
        npt.assert_allclose(moved, np.abs(change).sum(), atol=1e-12)
        npt.assert_allclose(lost, -(change * np.sign(whole)).sum(), atol=1e-12)


@given(seed=st.integers(0, 10_000), n_lanes=st.integers(2, 12), n=st.integers(1, 20))
def test_an_error_lies_within_its_limits(seed, n_lanes, n):
    """That of one seed, and the mean of two; percentiles of draws do not do that."""
    rng = np.random.default_rng(seed)
    errors = []
    drawn = draw(rng, n_lanes, 50)
    for _ in range(2):
        p, y, lanes = make_places(rng, n_lanes, n)
        errors.append(calibration_error(p, y, lanes, drawn))
        low, high = calibration_limits(errors, 0.95)
        assert 0 <= low <= np.mean([error.value for error in errors]) <= high


@pytest.mark.parametrize(
    "law",
    [
        {},  # perfectly calibrated
        {"spread": 0.5},  # each lane with a law of its own
        {"slope": 0.7},
        {"slope": 0.5, "offset": 0.3, "spread": 0.5},
        {"offset": 1.0},
    ],
)
@pytest.mark.parametrize(("n_lanes", "n"), [(10, 24), (20, 40)])
def test_limits_hold_the_true_error(law, n_lanes, n):
    """As often as they say, within three standard errors, where it is known."""
    rng = np.random.default_rng(1)
    p, y, _ = make_places(rng, 2000, 200, **law)
    true = expected_calibration_error(p, y) if law else 0.0
    held = percentile = 0
    n_runs = 300
    for _ in range(n_runs):
        p, y, lanes = make_places(rng, n_lanes, n, **law)
        drawn = draw(rng, n_lanes, 200)
        low, high = calibration_limits([calibration_error(p, y, lanes, drawn)], 0.95)
        held += low <= true <= high
        if not law:
            worst = np.quantile(
                [
                    expected_calibration_error(np.repeat(p, k), np.repeat(y, k))
                    for k in drawn[:40, lanes]
                ],
                0.025,
            )
            percentile += worst <= true
    assert held / n_runs > 0.95 - 3 * math.sqrt(0.95 * 0.05 / n_runs)
    assert percentile == 0  # why percentiles of draws are not used


def test_limits_shrink_with_more_places():
    """With the square root of their number."""
    rng = np.random.default_rng(2)
    widths = []
    for n in (25, 400):
        p, y, lanes = make_places(rng, 30, n, offset=1.0)
        error = calibration_error(p, y, lanes, draw(rng, 30, 500))
        low, high = calibration_limits([error], 0.95)
        widths.append(high - low)
    assert 3 < widths[0] / widths[1] < 5.5


def test_draws_without_any_place_tell_nothing():
    """They are left out; without others there are no limits."""
    p, y, lanes = np.full(4, 0.3), np.array([0, 1, 0, 0], bool), np.zeros(4, np.int64)
    none = np.array([[0, 2]])
    assert np.isnan(calibration_error(p, y, lanes, none).moved).all()
    assert all(math.isnan(x) for x in calibration_limits([_error(none)], 0.95))
    some = calibration_limits([_error(np.array([[0, 2], [1, 1]]))], 0.95)
    npt.assert_allclose(some, 0.05)


def _error(drawn) -> CalibrationError:
    """Return the error of four places in the first of two lanes."""
    places = np.full(4, 0.3), np.array([0, 1, 0, 0], bool), np.zeros(4, np.int64)
    return calibration_error(*places, drawn)

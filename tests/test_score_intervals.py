"""Test intervals against published anchors, exact coverage and their limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from minesense.score import (
    area_needed,
    clopper_pearson,
    poisson_rate,
    targets_needed,
    wilson,
)


@pytest.mark.parametrize(
    ("interval", "low", "high"),
    [
        (clopper_pearson(98, 100), 0.92962, 0.99757),
        (wilson(98, 100), 0.92999, 0.99450),
        (clopper_pearson(50, 50), 0.92888, 1),
        (clopper_pearson(50, 50, sides="lower"), 0.94184, 1),
        (clopper_pearson(10, 10), 0.69150, 1),
        (clopper_pearson(10, 10, sides="lower"), 0.74113, 1),
        (clopper_pearson(299, 299, sides="lower"), 0.99003, 1),
        (clopper_pearson(0, 10, sides="upper"), 0, 1 - 0.74113),
        (poisson_rate(12, 200.0), 0.03100, 0.10481),
        (poisson_rate(0, 500.0), 0, 0.00738),
        (poisson_rate(0, 500.0, sides="upper"), 0, 0.00599),
        (wilson(270, 300), 0.8608, 0.9291),
        (wilson(1434, 1593), 0.8845, 0.9140),
    ],
)
def test_anchors(interval, low, high):
    """The figures of the textbooks, to the digits that are printed."""
    digits = 5e-5 if round(low, 4) == low and round(high, 4) == high else 5e-6
    assert interval.low == pytest.approx(low, abs=digits)
    assert interval.high == pytest.approx(high, abs=digits)
    assert interval.low <= interval.value <= interval.high


@pytest.mark.parametrize(
    ("pd", "n"),
    [
        (0.90, (29, 46, 61)),
        (0.95, (59, 93, 124)),
        (0.98, (149, 236, 313)),
        (0.99, (299, 473, 628)),
        (0.996, (748, 1185, 1572)),
        (0.9995, (5990, 9486, 12590)),
    ],
)
def test_planner(pd, n):
    """Sample sizes, and the limit that they reach while one fewer does not."""
    assert tuple(targets_needed(pd, misses) for misses in range(3)) == n
    for misses, enough in enumerate(n):
        assert clopper_pearson(enough - misses, enough, sides="lower").low >= pd
        assert clopper_pearson(enough - 1 - misses, enough - 1, sides="lower").low < pd


def test_planner_of_area():
    """300 m2 for 0.01 per m2, and the limit that this area reaches."""
    assert area_needed(0.01) == pytest.approx(299.573, abs=1e-3)
    assert area_needed(0.1) == pytest.approx(29.957, abs=1e-3)
    area = area_needed(0.1, confidence=0.8)
    assert poisson_rate(0, area, confidence=0.8, sides="upper").high == pytest.approx(0.1)


@given(n=st.integers(1, 60), k=st.integers(0, 60), confidence=st.floats(0.5, 0.999))
def test_agrees_with_scipy(n, k, confidence):
    """Both intervals are those of scipy.stats, which solves for them differently."""
    k = min(k, n)
    result = stats.binomtest(k, n)
    for function, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        expected = result.proportion_ci(confidence, method=method)
        actual = function(k, n, confidence=confidence)
        assert actual[1:] == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(k=st.integers(0, 40), n=st.integers(1, 40))
def test_misses_mirror_hits(k, n):
    """The interval of the misses is that of the hits, mirrored."""
    k = min(k, n)
    for function in (clopper_pearson, wilson):
        hits, misses = function(k, n), function(n - k, n)
        assert hits.low == pytest.approx(1 - misses.high, abs=1e-12)
        assert function(k, n, sides="lower").low >= hits.low
        assert function(k, n, sides="upper").high <= hits.high


def test_coverage_of_claims_is_kept():
    """Clopper-Pearson holds its confidence at every share; the sum is over all outcomes."""
    n = 30
    intervals = [clopper_pearson(k, n) for k in range(n + 1)]
    for share in np.linspace(0.01, 0.99, 99):
        holds = [i.low <= share <= i.high for i in intervals]
        assert stats.binom.pmf(np.arange(n + 1), n, share)[holds].sum() >= 0.95


def test_poisson_limits_are_where_the_tails_are():
    """At each limit the count, or a more extreme one, has the probability of the doubt."""
    _, low, high = poisson_rate(7, 3.0, confidence=0.9)
    assert stats.poisson.sf(6, 3 * low) == pytest.approx(0.05)
    assert stats.poisson.cdf(7, 3 * high) == pytest.approx(0.05)
    assert poisson_rate(7, 3.0, sides="lower").high == math.inf


def test_nothing_tried_says_nothing():
    """Without trials any share is possible."""
    for function in (clopper_pearson, wilson):
        value, low, high = function(0, 0)
        assert math.isnan(value)
        assert (low, high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: clopper_pearson(11, 10), ValueError, "Invalid k '11'. Must be at most n = 10"),
        (lambda: wilson(-1, 10), ValueError, "Invalid k '-1'. Must be at least 0"),
        (lambda: wilson(1.0, 10), TypeError, "Invalid k 1.0. Must be a whole number"),
        (lambda: wilson(1, 10, confidence=95), ValueError, "Invalid confidence '95.0'"),
        (lambda: wilson(1, 10, sides="one"), ValueError, "Invalid sides 'one'"),
        (lambda: poisson_rate(1, 0.0), ValueError, "Invalid area '0.0'"),
        (lambda: poisson_rate(-1, 1.0), ValueError, "Invalid count '-1'"),
        (lambda: targets_needed(1.0), ValueError, "Invalid pd '1.0'"),
        (lambda: targets_needed(0.9, -1), ValueError, "Invalid misses '-1'"),
        (lambda: area_needed(-1), ValueError, "Invalid rate '-1.0'"),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        call()

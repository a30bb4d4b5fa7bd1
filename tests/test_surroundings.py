"""Test the ring statistics against their definition."""

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_prescreeners import level_and_spread, surroundings
from scipy.optimize import brentq
from scipy.stats import norm

from minesense.surroundings import HalfSurroundings, Surroundings

ROWS = np.random.default_rng(seed=0).normal(size=(40, 70)).astype(np.float32)
ROWS[:, ::2] = ROWS[:, ::2].round()  # ties


def naive_ring(rows, is_present, k, *, behind, ahead, guard):
    """Return the rows of the ring around trace k, from the definition."""
    return [
        row
        for j, row in enumerate(rows)
        if is_present[j] and (guard < k - j <= behind or guard < j - k <= ahead)
    ]


def run(rows, is_present, **extent):
    """Return medians, spreads and counts of a lane."""
    ring = Surroundings(width=rows.shape[1], **extent)
    parts = [ring.feed(rows, is_present), ring.finish()]
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


@given(
    n_traces=st.integers(0, 40),
    behind=st.integers(1, 9),
    extra=st.integers(1, 6),
    guard=st.integers(0, 3),
    is_causal=st.booleans(),
    bad=st.sets(st.integers(0, 39), max_size=12),
)
def test_matches_the_definition(*, n_traces, behind, extra, guard, is_causal, bad):
    """Median, MAD and count of each ring, through gaps and at both ends."""
    rows = ROWS[:n_traces, :5]
    is_present = ~np.isin(np.arange(n_traces), sorted(bad))
    extent = {
        "behind": guard + behind,
        "ahead": 0 if is_causal else guard + extra,
        "guard": guard,
    }
    centres, median, spread, counts = run(rows, is_present, **extent)
    assert len(centres) == n_traces
    npt.assert_array_equal(centres[is_present], rows[is_present])
    assert np.isinf(centres[~is_present]).all()
    for k in range(n_traces):
        ring = naive_ring(rows, is_present, k, **extent)
        assert counts[k] == len(ring)
        if ring:
            middle = np.median(np.array(ring, float), axis=0)
            mad = np.median(np.abs(np.array(ring, float) - middle), axis=0)
            npt.assert_allclose(median[k], middle, rtol=1e-6)
            npt.assert_allclose(spread[k], 1.4826 * mad, rtol=1e-5, atol=1e-6)
        else:
            npt.assert_array_equal([median[k], spread[k]], np.zeros((2, 5)))


def test_columns_do_not_mix():
    """More columns than one block of the kernel: each has the statistics it has alone."""
    extent = {"behind": 5, "ahead": 5, "guard": 1}
    is_present = np.ones(40, bool)
    together = run(ROWS, is_present, **extent)
    for j in (0, 63, 64, 69):
        alone = run(np.ascontiguousarray(ROWS[:, j : j + 1]), is_present, **extent)
        for whole, part in zip(together[:3], alone[:3], strict=True):
            npt.assert_array_equal(whole[:, j : j + 1], part)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_spread_of_noise_with_outliers(share):
    """The spread of Gaussian noise, contaminated on one side, has its closed form."""
    rng = np.random.default_rng(seed=2)
    rows = rng.normal(scale=3.0, size=(121, 30)).astype(np.float32)
    rows[rng.permutation(121)[: round(share * 121)]] = 1e6
    ring = Surroundings(behind=60, ahead=60, guard=0, width=30)
    spread = ring.feed(rows, np.ones(121, bool)).spread[60]
    # the median, and then half of all values, lie among the share that is noise
    half = 0.5 / (1 - share)
    middle = norm.ppf(half)
    mad = brentq(lambda d: norm.cdf(middle + d) - norm.cdf(middle - d) - half, 0, 9)
    npt.assert_allclose(np.mean(spread), 3.0 * 1.4826 * mad, rtol=0.05)


#: Each reference, and the quantile that stands for it.
REFERENCES = {"median": 0.5, "mean": None, "quantile": 0.75}


@given(
    n_traces=st.integers(0, 40),
    behind=st.integers(1, 9),
    extra=st.integers(1, 6),
    guard=st.integers(0, 3),
    is_causal=st.booleans(),
    reference=st.sampled_from(["mean", "quantile"]),
    quantile=st.sampled_from([0.0, 0.3, 0.75, 0.9, 1.0]),
    bad=st.sets(st.integers(0, 39), max_size=30),
)
def test_other_references_match_the_definition(
    *, n_traces, behind, extra, guard, is_causal, reference, quantile, bad
):
    """Mean and deviation, or quantile and MAD, through gaps and at both ends."""
    rows = ROWS[:n_traces, :5]
    is_present = ~np.isin(np.arange(n_traces), sorted(bad))
    extent = {
        "behind": guard + behind,
        "ahead": 0 if is_causal else guard + extra,
        "guard": guard,
    }
    chosen = None if reference == "mean" else quantile
    _, level, spread, counts = run(rows, is_present, **extent, quantile=chosen)
    for k in range(n_traces):
        ring = naive_ring(rows, is_present, k, **extent)
        assert counts[k] == len(ring)
        if ring:
            middle, deviation = level_and_spread(ring, reference, quantile)
            npt.assert_allclose(level[k], middle, rtol=1e-6, atol=1e-7)
            npt.assert_allclose(spread[k], deviation, rtol=1e-5, atol=1e-6)
        else:
            npt.assert_array_equal([level[k], spread[k]], np.zeros((2, 5)))


@given(
    n_traces=st.integers(0, 40),
    length=st.integers(1, 7),
    guard=st.integers(0, 3),
    least=st.integers(1, 4),
    half=st.sampled_from(["greatest", "smallest"]),
    reference=st.sampled_from(list(REFERENCES)),
    bad=st.sets(st.integers(0, 39), max_size=30),
    cut=st.integers(0, 40),
)
def test_halves_match_the_definition(
    *, n_traces, length, guard, least, half, reference, bad, cut
):
    """The half of the greater or smaller level, or the only one that has a say."""
    rows = ROWS[:n_traces, :5]
    is_present = ~np.isin(np.arange(n_traces), sorted(bad))
    quantile = REFERENCES[reference]
    ring = HalfSurroundings(
        reach=guard + length, guard=guard, width=5, half=half, least=least, quantile=quantile
    )
    parts = [ring.feed(rows[:cut], is_present[:cut])]
    parts += [ring.feed(rows[cut:], is_present[cut:]), ring.finish()]
    centres, level, spread, counts = (
        np.concatenate(values) for values in zip(*parts, strict=True)
    )
    assert len(counts) == n_traces
    npt.assert_array_equal(centres[is_present], rows[is_present])
    for k in range(n_traces):
        middle, deviation, count = surroundings(
            rows,
            is_present,
            k,
            reach=guard + length,
            guard=guard,
            least=least,
            reference=reference,
            quantile=quantile,
            halves=half,
        )
        assert counts[k] == count
        if count:
            npt.assert_allclose(level[k], middle, rtol=1e-6, atol=1e-7)
            npt.assert_allclose(spread[k], deviation, rtol=1e-5, atol=1e-6)


def test_a_mean_stays_exact_along_a_lane():
    """After a value far beyond the others has left the ring, nothing of it remains."""
    rows = np.random.default_rng(3).normal(size=(20_000, 2)).astype(np.float32) + 100
    rows[:50] = 1e6
    ring = Surroundings(behind=10, ahead=0, guard=0, width=2, quantile=None)
    around = ring.feed(rows, np.ones(len(rows), bool))
    window = rows[-11:-1].astype(float)
    npt.assert_allclose(around.level[-1], window.mean(axis=0), rtol=1e-6)
    npt.assert_allclose(around.spread[-1], window.std(axis=0, ddof=1), rtol=1e-3)

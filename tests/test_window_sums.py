"""Test the kernels of sums around each value against sums by hand."""

import naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_sensor, make_sweep

from minesense._kernels.window_sums import (
    copy_squares,
    copy_values,
    lead_of,
    scale_of,
    sum_beside,
    total_of,
)
from minesense.gpr import dewow, equalise
from minesense.gpr._window_sums import steps_to, window_sums

STEP = 1e-10  # s
RNG = np.random.default_rng(seed=0)


def lane_of(traces):
    """Return traces as a lane of a radar with 100 ps samples."""
    traces = np.asarray(traces, np.float32)
    return make_sweep(traces, sensor=make_sensor(*traces.shape[1:], interval=STEP))


@pytest.mark.parametrize("span", range(1, 301))
def test_steps_lead_to_the_span(span):
    """Each of 2 to 5 sums and one sample at most, and no more reads than by halves."""
    steps, now = steps_to(span).tolist(), 1
    for times, rest in steps:
        assert 2 <= times <= 5
        assert rest in {0, 1}
        now = times * now + rest
    assert now == span
    by_halves = sum(2.6 + int(digit) for digit in f"{span:b}"[1:])
    assert sum(times + rest + 0.6 for times, rest in steps) <= by_halves + 1e-9


@pytest.mark.parametrize("n_values", [3, 17, 64, 77, 130])
@pytest.mark.parametrize("half_width", [*range(1, 27), 30, 36, 41, 62])
def test_sums_over_one_side(n_values, half_width):
    """Whole numbers are summed without error, twice in the same rows, to the last zeros."""
    if 2 * half_width + 1 > n_values:
        half_width = (n_values - 1) // 2
    half_width, steps, shares, sums = window_sums(half_width, n_values)
    lead = lead_of(half_width)
    for _ in range(2):
        values = RNG.integers(-50, 50, n_values).astype(np.float32)
        copy_values(values, half_width, sums)
        beside = sums[sum_beside(half_width, steps, sums)]
        padded = np.concatenate([np.zeros(lead), values, np.zeros(lead + half_width)])
        expected = [padded[j : j + half_width].sum() for j in range(lead + n_values + 1)]
        npt.assert_array_equal(beside[: lead + n_values + 1], expected)
        assert total_of(n_values, half_width, beside) == values.sum()
    n_inside = [
        min(n_values, t + half_width + 1) - max(0, t - half_width) for t in range(n_values)
    ]
    npt.assert_allclose(shares, 1 / np.array(n_inside), rtol=1e-6)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_scale_brings_the_greatest_between_one_and_two(values):
    """A power of two, whatever the sign; none for zeros; tiny numbers come to less."""
    row = np.array(values, np.float32)
    most = np.abs(row.astype(float)).max()
    scale = float(scale_of(row))
    if most == 0:
        assert scale == 0
    elif most >= np.finfo(np.float32).tiny:
        assert 1 <= scale * most < 2
        assert np.frexp(scale)[0] == 0.5
    else:
        assert 0 < scale * most < 1


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_scale_of_what_is_not_finite_is_no_zero(spoilt):
    """Such a trace is not taken for one of zeros."""
    assert scale_of(np.array([1.0, spoilt, 3.0], np.float32)) > 0


def test_squares_are_of_scaled_values():
    """They stand behind the zeros, where sums expect them."""
    half_width, _, _, sums = window_sums(2, 5)
    copy_squares(np.arange(5, dtype=np.float32), np.float32(0.5), half_width, sums)
    npt.assert_array_equal(sums[0, :16], 0)
    npt.assert_array_equal(sums[0, 16:21], [0, 0.25, 1, 2.25, 4])
    npt.assert_array_equal(sums[0, 21:], 0)


@pytest.mark.parametrize("h", [4, 9, 13, 14, 15, 19, 20, 26, 29])
def test_little_is_lost_behind_a_strong_pulse(h):
    """A pulse a hundred thousand times as strong leaves weak noise as exact as without it."""
    traces = RNG.normal(size=(3, 1, 90))
    traces[..., 20] = 1e5
    lane, window = lane_of(traces), (2 * h + 1) * STEP
    far = slice(21 + h, None)
    flat = dewow(lane, window=window).samples[..., far]
    npt.assert_allclose(flat, naive.dewow(lane.samples, h)[..., far], atol=1e-6)
    even = equalise(lane, window=window, floor=1e-9).samples[..., far]
    npt.assert_allclose(even, naive.equalise(lane.samples, h, 1e-9)[..., far], rtol=1e-5)


@pytest.mark.parametrize("level", [1e-41, 1e-30, 1e-18, 1e18, 1e37])
def test_gain_of_traces_of_any_strength(level):
    """No square leaves the numbers that float32 can hold."""
    traces = (RNG.uniform(0.5, 2, size=(2, 1, 40)) * level).astype(np.float32)
    found = equalise(lane_of(traces), window=11 * STEP).samples
    npt.assert_allclose(found, naive.equalise(traces, 5, 0.01), rtol=1e-5)


@pytest.mark.parametrize("n_samples", [48, 63, 64, 65, 80])
def test_a_constant_vanishes(n_samples):
    """To a few last digits of it, at the ends too."""
    flat = dewow(lane_of(np.full((2, 1, n_samples), 0.1)), window=31 * STEP).samples
    npt.assert_allclose(flat, 0, atol=5e-8)

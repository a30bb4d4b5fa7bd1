"""Test levelling by a frozen median against its definition and its promises."""

import dataclasses

import naive_coils
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sweep

from minesense.along_track import remove_median_background
from minesense.emi.levelling import LevelBaseline, level_baseline
from minesense.stage import run_lane
from minesense.sweep import Quality

# windows of 8 traces, or 4 to each side; half a metre at most is left out
OPTIONS = {"spacing": 0.05, "length": 0.4, "freeze": 2.0, "longest": 0.15}


def noise(n_traces=60, *, sensor=None, seed=0, bad=()):
    """Return a lane of noise on a level, with ties as converters make, and dropouts."""
    sensor = sensor or make_coils(2, 3)
    rng = np.random.default_rng(seed)
    samples = 3 + rng.normal(size=(n_traces, *sensor.shape)).round(1)
    quality = np.zeros(n_traces, int)
    quality[list(bad)] = Quality.STUCK
    samples[list(bad)] = 1e6
    return make_sweep(samples, sensor=sensor, quality=quality)


@given(
    bad=st.sets(st.integers(0, 59)),
    freeze=st.sampled_from([None, 1.1, 2.0, 5.0]),
    most=st.integers(1, 8),
)
def test_matches_the_definition(bad, freeze, most):
    """Windows, energies, what is left out and for how long, channel by channel."""
    lane = noise(bad=sorted(bad))
    options = OPTIONS | {"freeze": freeze, "longest": 0.05 * most}
    expected, _ = naive_coils.level(
        lane.samples, lane.is_usable, size=8, freeze=freeze, most=most
    )
    npt.assert_allclose(level_baseline(lane, **options).samples, expected, atol=1e-6)


@given(bad=st.sets(st.integers(0, 59)), n_guard=st.integers(0, 3))
def test_centred_matches_the_definition(bad, n_guard):
    """The same traces are left out of windows around the trace."""
    lane = noise(bad=sorted(bad))
    _, enters = naive_coils.level(lane.samples, lane.is_usable, size=8, freeze=2.0, most=3)
    expected, is_alone = naive_coils.level_centred(
        lane.samples, lane.is_usable, enters, reach=4, guard=n_guard
    )
    result = level_baseline(lane, **OPTIONS, centred=True, guard=0.05 * n_guard)
    npt.assert_allclose(result.samples, expected, atol=1e-6)
    is_edge = result.quality & Quality.EDGE != 0
    npt.assert_array_equal(is_edge[lane.is_usable], is_alone[lane.is_usable])


@pytest.mark.parametrize("sensor", [make_coils(1, 4), make_phasors(1)])
@pytest.mark.parametrize("centred", [False, True])
def test_a_target_as_long_as_the_window_is_kept(sensor, centred):
    """Frozen, 2 m of target keep their height to the end; a plain median swallows them."""
    rng = np.random.default_rng(seed=1)
    samples = 5 + 0.01 * rng.normal(size=(240, *sensor.shape))
    samples[100:140] += 1.0
    lane = make_sweep(samples, sensor=sensor)
    options = {"spacing": 0.05, "length": 2.0, "centred": centred}
    frozen = level_baseline(lane, **options).samples
    npt.assert_allclose(frozen[100:140], 1.0, atol=0.05)
    npt.assert_allclose(np.delete(frozen, slice(100, 140), 0), 0.0, atol=0.06)
    plain = level_baseline(lane, **options, freeze=None).samples
    assert np.abs(plain[125 if not centred else 120]).max() < 0.05


def test_new_ground_is_learnt_after_a_while():
    """A step that lasts is taken for a target over `longest`, then becomes the level."""
    rng = np.random.default_rng(seed=2)
    samples = 0.01 * rng.normal(size=(200, 1, 4))
    samples[60:] += 1.0
    lane = make_sweep(samples, sensor=make_coils(1, 4))
    result = level_baseline(lane, spacing=0.05, length=1.0, longest=2.0).samples.mean(axis=2)
    # 40 traces left out, then half a window of 10 more
    npt.assert_allclose(result[60:110], 1.0, atol=0.03)
    npt.assert_allclose(result[112:], 0.0, atol=0.03)


def test_centred_follows_a_slope_and_trailing_lags():
    """On ground that rises evenly a centred median is exact; a trailing one is late."""
    slope = np.arange(100.0)[:, None, None] * np.ones((1, 1, 4))
    lane = make_sweep(slope, sensor=make_coils(1, 4))
    options = {"spacing": 0.05, "length": 0.4, "freeze": None}
    centred = level_baseline(lane, **options, centred=True).samples
    npt.assert_allclose(centred[4:-4], 0.0, atol=1e-5)
    trailing = level_baseline(lane, **options).samples
    npt.assert_allclose(trailing[8:], 4.5, atol=1e-5)


def test_without_freeze_centred_is_the_median_of_the_others():
    """With one more trace, the trace itself, it is the median background."""
    lane = noise(200)
    ours = level_baseline(lane, spacing=0.05, length=4.0, freeze=None, centred=True)
    theirs = remove_median_background(lane, spacing=0.05, half_width=2.0)
    npt.assert_allclose(ours.samples[40:-40], theirs.samples[40:-40], atol=0.2)


def test_trailing_is_causal_and_centred_lags_by_half_the_length():
    """What follows a trace changes nothing of it but in the centred form."""
    lane = noise()
    assert (
        LevelBaseline(**OPTIONS).latency,
        LevelBaseline(**OPTIONS, centred=True).latency,
    ) == (
        0,
        4,
    )
    other = lane.samples.copy()
    other[30:] += 100
    changed = level_baseline(dataclasses.replace(lane, samples=other), **OPTIONS)
    npt.assert_array_equal(changed.samples[:30], level_baseline(lane, **OPTIONS).samples[:30])


def test_a_trace_alone_is_not_judged():
    """One trace in reach of no other: zero and EDGE, not credited."""
    result = run_lane(LevelBaseline(**OPTIONS, centred=True), noise(1))
    npt.assert_array_equal(result.samples, 0.0)
    assert not result.is_credited.any()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"spacing": 0}, "Invalid spacing '0.0'"),
        ({"length": 0.05}, "Invalid length '0.05'. Must be two spacings of 0.05 m"),
        ({"guard": 0.2}, "Invalid length '0.4'. .* beyond the guard of 0.2 m"),
        ({"freeze": 1}, "Invalid freeze '1.0'. Must be more than 1"),
        ({"longest": -1}, "Invalid longest '-1.0'"),
        ({"guard": -1}, "Invalid guard '-1.0'"),
    ],
)
def test_bad_options_are_named(bad, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        LevelBaseline(**OPTIONS | bad)

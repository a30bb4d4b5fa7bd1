"""Test backgrounds and whitening along the track against definitions and theory."""

import math

import naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.along_track import (
    RemoveMedianBackground,
    remove_median_background,
    whiten,
)
from minesense.background import remove_background
from minesense.sweep import Quality

WEIGHT = 1 - math.exp(-0.05 / 1.0)
MEAN = {"spacing": 0.05, "length": 1.0}
LONG = {"spacing": 0.05, "length": 5.0, "guard": 0.5}

TRACES = np.random.default_rng(seed=0).normal(size=(50, 2, 40)).astype(np.float32)
TRACES[..., ::2] = TRACES[..., ::2].round()  # ties

dropouts = st.sets(st.integers(0, 49), max_size=20)


def lane_of(traces, bad=()):
    """Return a lane whose traces `bad` are flagged and hold nonsense."""
    traces = np.array(traces, np.float32)
    quality = np.zeros(len(traces), np.int64)
    traces[list(bad)], quality[list(bad)] = np.nan, Quality.NOT_FINITE
    return make_sweep(traces, quality=quality)


def one_column(values):
    """Return a lane of one channel and one sample."""
    return lane_of(np.array(values, np.float32)[:, None, None])


@given(n_traces=st.integers(0, 50), bad=dropouts)
def test_mean_matches_the_definition(n_traces, bad):
    """The recursive mean of the usable traces before, through dropouts."""
    lane = lane_of(TRACES, sorted(bad))[:n_traces]
    expected = naive.remove_background(TRACES[:n_traces], WEIGHT, lane.is_usable)
    npt.assert_allclose(remove_background(lane, **MEAN).samples, expected, atol=2e-6)


@given(
    bad=dropouts,
    freeze=st.sampled_from([1.001, 1.2, 2.0]),
    longest=st.sampled_from([0.05, 0.2, 5.0]),
)
def test_frozen_mean_matches_the_definition(bad, freeze, longest):
    """Channel by channel; with the strong and the weak, through dropouts."""
    traces = TRACES.copy()
    traces[20:26, 0] *= 2
    traces[30:, 1] += 1
    lane = lane_of(traces, sorted(bad))
    options = {"spacing": 0.05, "length": 0.4}
    expected = naive.remove_guarded_background(
        traces, 1 - math.exp(-0.05 / 0.4), freeze, 8, round(longest / 0.05), lane.is_usable
    )
    result = remove_background(lane, **options, freeze=freeze, longest=longest)
    npt.assert_allclose(result.samples, expected, atol=2e-6)


@pytest.mark.parametrize("h", [1, 4, 12, 60])
@pytest.mark.parametrize("n_traces", [0, 1, 2, 13, 50])
def test_median_matches_the_definition(h, n_traces):
    """Windows that shrink at the ends, also those longer than the lane: to the last bit."""
    lane = lane_of(TRACES)[:n_traces]
    expected = naive.remove_median_background(TRACES[:n_traces], h, lane.is_usable)
    result = remove_median_background(lane, spacing=0.05, half_width=0.05 * h)
    npt.assert_array_equal(result.samples, expected.astype(np.float32))


@given(bad=dropouts, h=st.integers(1, 9))
def test_median_leaves_flagged_traces_out(bad, h):
    """The window is the usable traces within its metres, and no more."""
    lane = lane_of(TRACES[:, :1, :5], sorted(bad))
    expected = naive.remove_median_background(TRACES[:, :1, :5], h, lane.is_usable)
    result = remove_median_background(lane, spacing=0.05, half_width=0.05 * h)
    npt.assert_array_equal(result.samples, expected.astype(np.float32))


@given(
    bad=dropouts,
    size=st.integers(2, 20),
    guard=st.integers(0, 5),
    floor=st.sampled_from([1e-6, 0.1, 2.0]),
)
def test_whitening_matches_the_definition(bad, size, guard, floor):
    """Median, spread, floor and the traces that are too few, through dropouts."""
    traces = np.random.default_rng(seed=5).normal(size=(50, 2, 6)).astype(np.float32)
    lane = lane_of(traces, sorted(bad))
    least = max(2, math.ceil(0.4 * size))
    expected, is_short = naive.whiten(traces, guard + size, guard, floor, least, lane.is_usable)
    result = whiten(
        lane,
        spacing=0.05,
        length=0.05 * (guard + size),
        guard=0.05 * guard,
        floor=floor,
        min_share=min(1.0, (least - 0.5) / size),
    )
    npt.assert_array_equal(result.quality & Quality.EDGE != 0, is_short)
    npt.assert_allclose(result.samples, expected, rtol=2e-5, atol=1e-4)


@given(bad=dropouts, size=st.integers(10, 20), guard=st.integers(0, 5), every=st.integers(1, 5))
def test_whitening_draws_traces_a_step_apart(bad, size, guard, every):
    """Of every so many traces the first counts for all of them, through dropouts."""
    traces = np.random.default_rng(seed=5).normal(size=(50, 2, 6)).astype(np.float32)
    lane = lane_of(traces, sorted(bad))
    n_window = round(size / every)
    least = max(2, math.ceil(0.5 * n_window))
    expected, is_short = naive.whiten(
        traces, guard + size, guard, 0.1, least, lane.is_usable, every
    )
    result = whiten(
        lane,
        spacing=0.05,
        length=0.05 * (guard + size),
        guard=0.05 * guard,
        min_share=min(1.0, (least - 0.5) / n_window),
        step=0.05 * every,
    )
    npt.assert_array_equal(result.quality & Quality.EDGE != 0, is_short)
    npt.assert_allclose(result.samples, expected, rtol=2e-5, atol=1e-4)


def test_columns_do_not_mix():
    """More columns than one block of the kernels: each has the result it has alone."""
    traces = np.random.default_rng(seed=6).normal(size=(40, 3, 50)).astype(np.float32)
    for stage in (
        lambda lane: remove_median_background(lane, spacing=0.05, half_width=0.3),
        lambda lane: whiten(lane, spacing=0.05, length=0.8, guard=0.1, floor=1e-9),
    ):
        together = stage(lane_of(traces)).samples
        for c in range(3):
            alone = stage(lane_of(traces[:, c : c + 1])).samples
            npt.assert_array_equal(together[:, c : c + 1], alone)


def test_mean_of_a_step_decays_geometrically():
    """A step of height A leaves A (1 - w)^k, even one far below the level."""
    step = np.full((50, 1, 1), 1.0, np.float32)
    step[10:] += 3e-4
    expected = (step[10, 0, 0] - 1.0) * (1 - WEIGHT) ** np.arange(40)
    result = remove_background(lane_of(step), **MEAN).samples[10:, 0, 0]
    npt.assert_allclose(result, expected, rtol=1e-6)


def test_mean_of_noise_has_its_variance():
    """White noise of variance s^2 leaves 2 s^2 / (2 - w), within four standard errors."""
    noise = np.random.default_rng(seed=1).normal(scale=3.0, size=(1000, 1, 60))
    residual = remove_background(lane_of(noise), **MEAN).samples[200:]
    expected = 2 * 9.0 / (2 - WEIGHT)
    error = expected * math.sqrt(2 / residual.size)
    assert abs(residual.var() - expected) < 4 * error


def test_background_learnt_on_the_target_costs_energy():
    """A 1 m long target at L = 1 m keeps (1 - e^-2) / 2 = 43 % of its energy."""
    target = np.zeros((2000, 1, 1), np.float32)
    target[500:1500] = 1.0
    residual = remove_background(lane_of(target), spacing=0.001, length=1.0).samples
    kept = (residual[500:1500] ** 2).mean()
    npt.assert_allclose(kept, (1 - math.exp(-2)) / 2, rtol=2e-3)


def noise_with(target, size=(3000, 1, 40)):
    """Return noise, and the same with one more unit over some traces."""
    noise = np.random.default_rng(seed=2).normal(scale=0.05, size=size)
    loud = noise.copy()
    loud[target] += 1.0
    return lane_of(noise), lane_of(loud)


def test_a_frozen_background_keeps_a_target_whole():
    """The target that lost more than half of its energy loses a hundredth at most."""
    silence, loud = noise_with(slice(1500, 2500))
    options = {"spacing": 0.001, "length": 1.0}
    for freeze, least, most in ((None, 0.42, 0.45), (4.0, 0.99, 1.01)):
        bare = remove_background(silence, **options, freeze=freeze).samples
        found = remove_background(loud, **options, freeze=freeze).samples - bare
        assert least < (found[1500:2500] ** 2).mean() < most
    npt.assert_allclose(found[2500:].mean(axis=2), 0.0, atol=0.02)  # and no shadow behind it


def test_a_frozen_background_learns_new_ground_in_the_end():
    """A step that lasts is kept for `longest`, then forgotten as without the freeze."""
    _, step = noise_with(slice(1500, None), size=(6000, 1, 40))
    found = remove_background(
        step, spacing=0.001, length=0.5, freeze=4.0, longest=1.2
    ).samples.mean(axis=(1, 2))
    npt.assert_allclose(found[1500:2700], 1.0, atol=0.1)
    npt.assert_allclose(found[2700], 1.0, atol=0.1)
    npt.assert_allclose(found[3200], math.exp(-1), atol=0.1)
    npt.assert_allclose(found[5500:], 0.0, atol=0.1)


def test_one_channel_may_freeze_alone():
    """What one channel passes over is no reason for its neighbour to stop learning."""
    noise = np.random.default_rng(seed=3).normal(scale=0.05, size=(400, 2, 40))
    loud = noise.copy()
    loud[200:300, 0] += 1.0
    options = {"spacing": 0.05, "length": 2.0, "freeze": 3.0, "longest": 9.0}
    one, other = (remove_background(lane_of(x), **options).samples for x in (noise, loud))
    npt.assert_array_equal(one[:, 1], other[:, 1])
    npt.assert_allclose((other - one)[200:300, 0], 1.0, atol=0.1)


def test_median_leaves_a_short_echo_whole():
    """An echo over no more than h traces does not touch its background."""
    echo = np.zeros((40, 1, 1), np.float32)
    echo[15:20, 0, 0] = [1, 4, -2, 3, 1]
    result = remove_median_background(lane_of(echo + 7), spacing=0.05, half_width=0.25)
    npt.assert_array_equal(result.samples, echo)


def test_median_removes_a_longer_echo():
    """What is longer than the window is background: the price that half_width states."""
    echo = np.zeros((60, 1, 1), np.float32)
    echo[20:40] = 1
    result = remove_median_background(lane_of(echo), spacing=0.05, half_width=0.25).samples
    assert result[26:34].max() == 0.0


def test_metal_detectors_have_backgrounds_too():
    """Gates instead of samples: a constant baseline vanishes."""
    sensor = make_coils(4, 12)
    lane = make_sweep(np.ones((30, 4, 12), np.float32) * np.arange(12), sensor=sensor)
    assert not remove_background(lane, **MEAN).samples.any()
    assert not remove_median_background(lane, spacing=0.05, half_width=0.5).samples.any()


def test_whitening_gives_unit_spread_at_every_depth():
    """
    Gaussian noise whose spread falls by 1000 over the record comes out level.

    The spread is measured as 1.4826 MAD, which no window's own error biases much; its
    standard error for n independent values is 1.17 / sqrt(n).
    """
    rng = np.random.default_rng(seed=2)
    scale = np.logspace(0, -3, 30)
    traces = 5 + scale * rng.normal(size=(1100, 1, 30))
    result = whiten(lane_of(traces), **LONG, floor=1e-9).samples[100:, 0].astype(float)
    spread = 1.4826 * np.median(np.abs(result - np.median(result, axis=0)), axis=0)
    # spreads of 90 traces scatter by 1.17 / sqrt(90) and medians by 1.25 / sqrt(90)
    inflation = math.sqrt(1 + 1.25**2 / 90)
    assert (np.abs(spread / inflation - 1) < 4 * 1.17 / math.sqrt(1000) + 0.01).all()
    assert abs(spread.mean() / inflation - 1) < 0.02


def test_floor_limits_what_hardly_varies():
    """A sample with a hundredth of the others' spread is measured by a tenth of it."""
    scale = np.ones(9)
    scale[4] = 0.01
    traces = scale * np.random.default_rng(seed=3).normal(size=(300, 1, 9))
    result = whiten(lane_of(traces), **LONG, floor=0.1).samples[150:, 0]
    assert 0.08 < result[:, 4].std() < 0.13
    assert 0.7 < result[:, 3].std() < 1.4  # four standard errors of a MAD of 90


def test_a_target_does_not_raise_its_own_spread():
    """Within the guard the echo is not in its own reference; behind it, it is."""
    traces = np.random.default_rng(seed=4).normal(size=(200, 1, 8))
    quiet = whiten(lane_of(traces), **LONG).samples
    traces[150:158] += 20.0
    loud = whiten(lane_of(traces), **LONG).samples
    spread = 20.0 / (loud - quiet)[150:158]
    assert (np.abs(spread - 1) < 0.5).all()
    npt.assert_allclose(spread, np.broadcast_to(spread[:1], spread.shape), rtol=0.3)
    npt.assert_array_equal(loud[158:161], quiet[158:161])
    assert (loud[161:] != quiet[161:]).any()


def test_too_few_traces_are_flagged_and_finite():
    """Traces 0 to guard + least - 1 are EDGE and zero; a dropout in the window adds one."""
    lane = lane_of(TRACES, [4])
    result = whiten(lane, spacing=0.05, length=0.7, guard=0.1, min_share=0.5)
    is_edge = result.quality & Quality.EDGE != 0
    npt.assert_array_equal(np.flatnonzero(is_edge), [0, 1, 2, 3, 5, 6, 7, 8])
    assert not result.samples[is_edge].any()
    assert not result.is_credited[is_edge].any()


@pytest.mark.parametrize("n_traces", [0, 1, 5])
def test_a_lane_shorter_than_the_window_is_all_edge(n_traces):
    """Nothing can be judged, nothing is made up."""
    result = whiten(lane_of(TRACES)[:n_traces], **LONG)
    assert len(result) == n_traces
    assert (result.quality & Quality.EDGE != 0).all()
    assert not result.samples.any()


def test_without_spread_a_deviation_is_not_judged():
    """A flat lane scores zero; an echo on it cannot be measured, and says so."""
    flat = np.full((200, 2, 6), 3.0, np.float32)
    result = whiten(lane_of(flat), **LONG)
    assert not result.samples.any()
    assert (result.quality[100:] == 0).all()
    flat[150, 1, 2] = 4.0
    result = whiten(lane_of(flat), **LONG)
    npt.assert_array_equal(np.flatnonzero(result.quality[100:]), [50])
    assert not result.samples.any()


def test_zeros_shifted_in_do_not_lower_the_floor():
    """Where most of the record was moved out, the rest keeps the floor of its own."""
    traces = np.random.default_rng(seed=7).normal(size=(200, 1, 10))
    traces[..., 4:] = 0.0
    traces[..., 0] *= 1e-3
    result = whiten(lane_of(traces), **LONG).samples[100:, 0]
    assert not result[:, 4:].any()
    assert 0.005 < result[:, 0].std() < 0.02  # 1e-3 over 0.1 of the median spread


def test_absurd_samples_stay_finite():
    """A huge sample over a tiny spread is limited, not infinite."""
    traces = 1e-30 * np.random.default_rng(seed=8).normal(size=(150, 1, 4))
    traces[140] = 1e30
    result = whiten(lane_of(traces), **LONG).samples
    npt.assert_array_equal(result[140, 0], np.full(4, 1e30, np.float32))


def test_whitened_samples_have_no_unit():
    """The sensor of the result says what its samples are."""
    lane = make_sweep(TRACES, sensor=make_sensor(2, 40, quantity="voltage", unit="V"))
    result = whiten(lane, **LONG)
    assert (result.sensor.unit, result.sensor.quantity) == ("1", "amplitude in spreads")
    assert remove_background(lane, **MEAN).sensor.unit == "V"


def test_latency_is_in_metres():
    """Half a metre at 5 cm is ten traces."""
    assert RemoveMedianBackground(spacing=0.05, half_width=0.5).latency == 10


@pytest.mark.parametrize(
    ("function", "options", "error", "message"),
    [
        (remove_background, MEAN | {"spacing": 0.0}, ValueError, "Invalid spacing '0.0'"),
        (remove_background, MEAN | {"length": math.inf}, ValueError, "Invalid length 'inf'"),
        (remove_background, MEAN | {"freeze": 1.0}, ValueError, "Invalid freeze '1.0'"),
        (remove_background, MEAN | {"freeze": 2, "longest": 0}, ValueError, "Invalid longest"),
        (remove_background, MEAN | {"length": "far"}, TypeError, "Invalid length 'far'"),
        (
            remove_median_background,
            {"spacing": 0.05, "half_width": 0.04},
            ValueError,
            "Invalid half_width '0.04'. Must be at least the spacing of 0.05 m",
        ),
        (whiten, LONG | {"guard": -1.0}, ValueError, "Invalid guard '-1.0'"),
        (whiten, LONG | {"guard": 5.0}, ValueError, "Must exceed the guard of 5.0 m by a"),
        (whiten, LONG | {"floor": 0.0}, ValueError, "Invalid floor '0.0'"),
        (whiten, LONG | {"step": 0.04}, ValueError, "Invalid step '0.04'. Must be from the"),
        (whiten, LONG | {"step": 40.0}, ValueError, "Invalid step '40.0'. Must be from the"),
        (whiten, LONG | {"step": 0.0}, ValueError, "Invalid step '0.0'"),
        (whiten, LONG | {"min_share": 1.5}, ValueError, "Invalid min_share '1.5'. Must be at"),
    ],
)
def test_bad_options_are_named(function, options, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        function(one_column([1.0, 2.0]), **options)

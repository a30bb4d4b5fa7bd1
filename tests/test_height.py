"""Test the ground's path over whole lanes, heights from it, and levelling, against theory."""

import dataclasses
import math

import naive_geometry as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from test_radar_physics import BAND, FLAT

from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr import (
    AlignGround,
    LevelHeight,
    align_ground,
    antenna_heights,
    back_project,
    level_height,
    track_ground,
)
from minesense.physics import no_scatterers, radar_frequencies, radar_traces
from minesense.sensor import Radar
from minesense.stage import run_lane
from minesense.sweep import Quality

STEP = 5e-11  # s
PERIOD = 1 / 1.5e9 / STEP  # samples
SEARCH = (14 * STEP, 52 * STEP)
RNG = np.random.default_rng(seed=0)


def lane_of(traces, *, separation=0.06, height=None, **options):
    """Return traces as a lane of a radar with 50 ps samples."""
    traces = np.asarray(traces, np.float32)
    radar = Radar(centre_frequency=1.5e9, separation=separation, height=height)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    return make_sweep(traces, sensor=dataclasses.replace(sensor, radar=radar), **options)


def ricker(n_samples, at):
    """Return Ricker wavelets that peak at samples `at`."""
    phase = math.pi / PERIOD * (np.arange(n_samples) - np.asarray(at)[..., None])
    return (1 - 2 * phase**2) * np.exp(-(phase**2))


def noisy_bounce(n_traces, n_channels=1, noise=0.5):
    """Return a bounce that sways in strong noise, and where it is, in samples."""
    at = 33 + 8 * np.sin(np.arange(n_traces) / 20)[:, None] + np.linspace(-2, 2, n_channels)
    traces = ricker(80, at) + noise * RNG.normal(size=(n_traces, n_channels, 80))
    return traces, at


# The best path


@given(
    seed=st.integers(0, 1000),
    n_traces=st.integers(1, 12),
    stiffness=st.sampled_from([0.0, 0.2, 1.0]),
    bad=st.sets(st.integers(0, 11)),
)
def test_the_whole_path_is_the_best_of_all(seed, n_traces, stiffness, bad):
    """The same path as the recursion written out, dropouts included."""
    rng = np.random.default_rng(seed)
    traces = rng.normal(size=(n_traces, 1, 9)).astype(np.float32)
    quality = np.zeros(n_traces, np.int64)
    quality[[k for k in bad if k < n_traces]] = Quality.STUCK
    lane = lane_of(traces, quality=quality)
    found = track_ground(
        lane, search=(STEP, 7 * STEP), stiffness=stiffness, look_ahead=math.inf
    )
    gain = np.abs(traces[:, 0, 1:8].astype(float)) * lane.is_usable[:, None]
    prices, price = [], 0.0
    for row, usable in zip(gain, lane.is_usable, strict=True):
        price = stiffness * np.sort(row)[3] if usable else price
        prices.append(price)
    expected = np.array(naive.best_sum(gain, prices, 3))
    place = found[:, 0] / STEP - 1
    assert (np.abs(place - expected)[lane.is_usable] <= 0.5 + 1e-9).all()
    npt.assert_array_equal(np.isnan(place), ~lane.is_usable)


@pytest.mark.parametrize("polarity", ["either", "positive", "negative"])
@pytest.mark.parametrize("n_traces", [0, 1, 5, 70])
def test_a_stream_that_sees_all_of_it_agrees(polarity, n_traces):
    """With a look-ahead longer than the lane the stage gives the same bytes."""
    traces, _ = noisy_bounce(n_traces, 3)
    quality = np.zeros(n_traces, np.int64)
    quality[10:14] = Quality.STUCK
    lane = lane_of(traces, quality=quality)
    options = {"search": SEARCH, "polarity": polarity, "ground_time": 1.5e-9}
    stage = AlignGround(**options, look_ahead=5.0, spacing=0.05)
    assert stage.latency == 100
    whole = align_ground(lane, **options, look_ahead=math.inf)
    npt.assert_array_equal(run_lane(stage, lane).samples, whole.samples)
    npt.assert_array_equal(run_lane(stage, lane).quality, whole.quality)
    assert "AlignGround(" in whole.history[-1]
    assert "look_ahead=inf" in whole.history[-1]


def test_looking_farther_ahead_follows_better():
    """In a stretch where the bounce fades, the whole lane knows where it comes back."""
    traces, at = noisy_bounce(400, noise=0.1)
    traces[150:190] = 0.1 * RNG.normal(size=(40, 1, 80))  # it fades among clutter
    traces[150:190] += 0.35 * ricker(80, np.full((40, 1), 48.0))
    wrong = [
        np.abs(track_ground(lane_of(traces), search=SEARCH, **options) / STEP - at)[150:190]
        for options in (
            {"look_ahead": 0.05, "spacing": 0.05},
            {},
            {"look_ahead": math.inf},
        )
    ]
    assert wrong[0].mean() >= wrong[1].mean() >= wrong[2].mean()
    outside = np.r_[0:150, 190:400]
    found = track_ground(lane_of(traces), search=SEARCH, look_ahead=math.inf) / STEP
    assert np.abs(found - at)[outside].max() < 2


@pytest.mark.parametrize(
    ("length", "spacing", "latency"),
    [(0.6, 0.1, 6), (0.7, 0.1, 7), (0.61, 0.1, 7), (0.01, 1, 1)],
)
def test_look_ahead_is_a_length(length, spacing, latency):
    """It is rounded up to whole traces, but not by the noise of floats."""
    stage = AlignGround(search=SEARCH, ground_time=1e-9, look_ahead=length, spacing=spacing)
    assert stage.latency == latency
    assert AlignGround(search=SEARCH, ground_time=1e-9).latency == 16


def test_a_pulse_between_two_samples():
    """Where the path holds on to the second best of them, the time is still theirs both."""
    at = np.where(np.arange(40) % 10 == 5, 29.48, 30.0)[:, None]
    for stiffness in (0.0, 2.0):
        found = track_ground(lane_of(ricker(80, at)), search=SEARCH, stiffness=stiffness)
        npt.assert_allclose(found / STEP, at, atol=0.04)


# Heights


@pytest.mark.parametrize("separation", [0.0, 0.06, 0.2])
def test_heights_of_simulated_ground(separation):
    """Over flat ground the model's bounce tells the height to 2 mm."""
    height = 0.2 + 0.05 * np.sin(np.arange(30) / 4)
    place = np.zeros((30, 3))
    place[:, 2] = height
    half = np.array([separation / 2, 0, 0])
    trace = radar_traces(
        place - half,
        place + half,
        **BAND,
        permittivity=9.0,
        surface=FLAT,
        scatterers=no_scatterers(len(radar_frequencies(**BAND))),
        coupling=0.0,
    )
    lane = lane_of(np.zeros((30, 1, 4)), separation=separation)
    sensor = make_sensor(1, trace.shape[1], interval=BAND["interval"])
    lane = make_sweep(
        trace[:, None], sensor=dataclasses.replace(sensor, radar=lane.sensor.radar)
    )
    search = (1e-9, 4e-9)
    times = track_ground(lane, search=search, look_ahead=math.inf)
    found = antenna_heights(lane, times, time_zero=1 / 1.5e9)
    npt.assert_allclose(found, height, atol=2e-3)


def test_heights_by_hand():
    """Pythagoras, the median of channels, and the line across what is unknown."""
    lane = lane_of(np.zeros((6, 3, 80)), separation=0.3)
    ways = np.full((6, 3), 0.5)  # height 0.2
    ways[1] = [0.5, 0.5, 9.0]  # one channel is wrong
    ways[2] = np.nan
    ways[3] = 0.2  # less than from antenna to antenna
    ways[4, :2] = [np.nan, 0.5]
    ways[5] = np.hypot(0.3, 0.8)
    times = 1e-9 + ways / SPEED_OF_LIGHT
    found = antenna_heights(lane, times, time_zero=1e-9)
    npt.assert_allclose(found, [0.2, 0.2, 0.2, 0.2, 0.2, 0.4], atol=1e-12)
    times[4] = np.nan
    found = antenna_heights(lane, times, time_zero=1e-9)
    npt.assert_allclose(found, [0.2, 0.2, 0.25, 0.3, 0.35, 0.4], atol=1e-12)
    times[:2] = np.nan
    found = antenna_heights(lane, times, time_zero=1e-9)
    npt.assert_allclose(found, 0.4, atol=1e-12)
    assert antenna_heights(lane[:0], times[:0]).shape == (0,)


def test_heights_serve_imaging():
    """What comes out is what back-projection takes, dropouts and all."""
    traces, _ = noisy_bounce(40, noise=0.0)
    quality = np.zeros(40, np.int64)
    quality[[0, 7, 8, 39]] = Quality.SATURATED
    lane = lane_of(traces, quality=quality)
    times = track_ground(lane, search=SEARCH, look_ahead=math.inf)
    heights = antenna_heights(lane, times, time_zero=0.0)
    assert np.isfinite(heights).all()
    image = back_project(
        lane, permittivity=6.0, spacing=0.05, depths=[0.05, 0.1], aperture=0.3, height=heights
    )
    assert np.isfinite(image.values).all()


# Levelling


@given(reference=st.floats(0.15, 0.35), separation=st.sampled_from([0.0, 0.06, 0.3]))
def test_the_bounce_comes_to_one_place_and_size(reference, separation):
    """Within 1e-3 of the peak, at parts of a sample too; without spreading only in time."""
    height = np.linspace(0.15, 0.35, 9)
    way = np.hypot(2 * height, separation)
    origin = 30 - way.min() / SPEED_OF_LIGHT / STEP
    traces = ricker(120, origin + way[:, None] / SPEED_OF_LIGHT / STEP) / way[:, None, None]
    lane = lane_of(traces, separation=separation)
    result = level_height(lane, height=height, reference=reference)
    there = math.hypot(2 * reference, separation)
    expected = ricker(120, origin + there / SPEED_OF_LIGHT / STEP) / there
    npt.assert_allclose(result.samples[:, 0], np.tile(expected, (9, 1)), atol=4e-3 / there)
    assert result.sensor.radar.height == reference
    plain = level_height(lane, height=height, reference=reference, spreading=False)
    npt.assert_allclose(
        plain.samples[:, 0] * way[:, None], np.tile(expected * there, (9, 1)), atol=4e-3
    )


def test_nothing_wraps_around():
    """What would come from beyond the record is zero."""
    lane = lane_of(np.ones((2, 1, 80)), separation=0.0)
    result = level_height(lane, height=[0.3, 0.1], reference=0.2, spreading=False).samples
    n = math.floor(0.2 / SPEED_OF_LIGHT / STEP)
    assert result[0, 0, 0] == 1
    assert not result[0, 0, 80 - n :].any()
    assert not result[1, 0, :n].any()
    assert result[1, 0, -1] == 1


def test_heights_by_channel():
    """An array that is tilted is levelled channel by channel."""
    height = np.array([[0.2, 0.25, 0.3]] * 4)
    way = np.hypot(2 * height, 0.06) / SPEED_OF_LIGHT / STEP
    result = level_height(lane_of(ricker(120, way)), height=height, reference=0.25)
    assert set(result.samples.argmax(axis=2).ravel().tolist()) == {round(way[0, 1])}


@pytest.mark.parametrize("spreading", [True, False])
def test_a_long_lane_keeps_its_heights(monkeypatch, spreading):
    """A lane that goes through in chunks has every height at its own trace."""
    height = np.linspace(0.15, 0.35, 9)
    lane = lane_of(RNG.normal(size=(9, 2, 80)))
    options = {"reference": 0.25, "spreading": spreading}
    expected = level_height(lane, height=height, **options)
    monkeypatch.setattr("minesense.stage._CHUNK", 4 * 2 * 80 * 4)  # bytes of four traces
    result = level_height(lane, height=height, **options)
    npt.assert_array_equal(result.samples, expected.samples)


def test_the_stage_takes_the_height_from_the_position():
    """Upward of trace and lever arm over the ground; unknown heights hold the last one."""
    height = np.array([0.2, 0.3, 0.25, 0.25, 0.4, 0.2])
    arms = np.array([[-0.1, 0, 0], [0.1, 0, 0.02]])
    sensor = make_sensor(2, 120, interval=STEP)
    radar = Radar(centre_frequency=1.5e9, separation=0.06)
    sensor = dataclasses.replace(sensor, lever_arms=arms, radar=radar)
    position = np.column_stack([np.zeros(6), 0.05 * np.arange(6), 100 + height])
    position[0], position[3, 2] = np.nan, 99.0
    quality = np.array([int(Quality.POSE_NONE), 0, 0, 0, 0, 0])
    traces = RNG.normal(size=(6, 2, 120))
    lane = make_sweep(traces, sensor=sensor, position=position, quality=quality)
    stage = LevelHeight(reference=0.25, ground=100.0)
    result = run_lane(stage, lane)
    unknown = result.quality & Quality.HEIGHT_UNKNOWN != 0
    npt.assert_array_equal(unknown, [True, False, False, True, False, False])
    used = height[:, None] + arms[:, 2]
    used[0], used[3] = 0.25, used[2]
    expected = level_height(lane, height=used, reference=0.25)
    npt.assert_array_equal(result.samples, expected.samples)
    assert result.sensor.radar.height == 0.25


def test_a_sensor_without_radar_stays_without():
    """Its separation counts as zero."""
    lane = lane_of(ricker(120, np.full((3, 1), 50.0)))
    bare = dataclasses.replace(lane, sensor=dataclasses.replace(lane.sensor, radar=None))
    result = level_height(bare, height=np.full(3, 0.2), reference=0.2)
    assert result.sensor.radar is None
    npt.assert_allclose(result.samples, bare.samples, atol=1e-7)


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"look_ahead": 0.5}, "spacing None. Must be given with a look_ahead"),
        ({"look_ahead": 0.0, "spacing": 0.1}, "look_ahead '0.0'"),
        ({"look_ahead": 0.5, "spacing": -1.0}, "spacing '-1.0'"),
        ({"look_ahead": math.inf, "spacing": -1.0}, "spacing '-1.0'"),
    ],
)
def test_bad_look_ahead(options, message):
    """Named, with the value; a stream cannot look ahead over all."""
    with pytest.raises(ValueError, match=message):
        track_ground(lane_of(np.zeros((3, 1, 80))), search=SEARCH, **options)
    with pytest.raises(ValueError, match=r"look_ahead 'inf'. Must be finite"):
        AlignGround(search=SEARCH, ground_time=1e-9, look_ahead=math.inf)


@pytest.mark.parametrize(
    ("times", "options", "error", "message"),
    [
        (
            np.zeros((2, 1)),
            {},
            ValueError,
            r"ground_times with shape \(2, 1\). Must be",
        ),
        ([["a"]] * 3, {}, TypeError, "ground_times of dtype"),
        ([[1e-9], [np.inf], [1e-9]], {}, ValueError, "that of trace 1 is infinite"),
        (np.full((3, 1), 1e-10), {}, ValueError, "none is later than time_zero 0 s"),
        (np.full((3, 1), 1e-9), {"time_zero": np.nan}, ValueError, "time_zero 'nan'"),
    ],
)
def test_bad_times_are_named(times, options, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        antenna_heights(lane_of(np.zeros((3, 1, 80))), times, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": [0.1, 0.1]}, r"height with shape \(2,\). Must be \(3,\)"),
        ({"height": np.ones((3, 2))}, r"height with shape \(3, 2\). Must be \(3, 1\)"),
        ({"height": [0.1, np.nan, 0.1]}, "height: 1 of 3 values are NaN"),
        ({"height": [0.1, 0.1, -0.2]}, "height '-0.2' of trace 2. Must not be negative"),
        ({"reference": -0.1}, "reference '-0.1'"),
    ],
)
def test_bad_heights_are_named(options, message):
    """The error names the argument, shows its value and states the rule."""
    good = {"height": [0.1, 0.1, 0.1], "reference": 0.1}
    with pytest.raises(ValueError, match=message):
        level_height(lane_of(np.zeros((3, 1, 80))), **(good | options))


def test_no_way_to_spread_along():
    """Antennas on the ground and at one place have no bounce."""
    lane = lane_of(np.ones((3, 1, 80)), separation=0.0)
    with pytest.raises(ValueError, match=r"reference '0.0' with antennas at one place"):
        level_height(lane, height=np.zeros(3), reference=0.0)
    level_height(lane, height=np.zeros(3), reference=0.0, spreading=False)


def test_only_radars_in_time():
    """A metal detector has no bounce."""
    coils = make_sweep(np.zeros((3, 1, 12)), sensor=make_coils(1, 12))
    for call in (
        lambda: antenna_heights(coils, np.zeros((3, 1))),
        lambda: level_height(coils, height=np.zeros(3), reference=0.1),
        lambda: track_ground(coils, search=SEARCH, look_ahead=math.inf),
    ):
        with pytest.raises(ValueError, match="Must be a radar"):
            call()

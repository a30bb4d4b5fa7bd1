"""Test the lag of samples behind positions: its estimate, its error and its correction."""

import dataclasses

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from numba import config

from minesense.emi.lag import estimate_lag
from minesense.emi.placement import CorrectLag, correct_lag
from minesense.stage import run_lane
from minesense.sweep import Quality

COILS = make_coils(2, 3)
INTERVAL = 0.05


def field(easting, northing):
    """Return what coils receive at places: two targets, of three gates."""
    places = [(-0.1, 2.0, 0.25, [1.0, 0.5, 0.2]), (0.15, 3.1, 0.18, [0.4, 0.4, -0.3])]
    return sum(
        np.exp(-(((easting - x) ** 2 + (northing - y) ** 2) / w**2))[..., None] * np.array(g)
        for x, y, w, g in places
    )


def drive(direction, lag, *, scale=0.0, seed=0, n=240, sensor=COILS, speed=0.5, sway=0.0):
    """Return a pass over the line whose samples come `lag` seconds late."""
    time = INTERVAL * np.arange(n)

    def northing(t):
        middle = 2.5 + direction * speed * (t - time[-1] / 2)
        return middle + sway * np.sin(1.7 * t + direction)

    heading = np.full(n, 0.0 if direction > 0 else np.pi)
    lane = make_sweep(
        np.zeros((n, *sensor.shape)),
        sensor=sensor,
        time=time,
        position=np.column_stack([0 * time, northing(time), 0 * time]),
        heading=heading,
    )
    moved = dataclasses.replace(
        lane, position=np.column_stack([0 * time, northing(time - lag), 0 * time])
    )
    place = moved.channel_position
    samples = field(place[..., 0], place[..., 1])
    samples = samples + scale * np.random.default_rng(seed).normal(size=samples.shape)
    return dataclasses.replace(lane, samples=samples)


@pytest.mark.parametrize("lag", [0.0, 0.137, -0.211, 0.6])
def test_without_noise_the_lag_is_found_to_a_thousandth(lag):
    """Far below the 50 ms between samples, for arrays whose sides change with direction."""
    result = estimate_lag(drive(1, lag), drive(-1, lag))
    npt.assert_allclose(result.lag, lag, atol=1e-3)
    assert result.correlation > 0.999
    assert result.error < 2e-3
    assert 2 < result.overlap < 6


def test_speeds_that_vary_and_differ_are_allowed():
    """Positions are taken where the samples were, whatever the speed did."""
    there, back = drive(1, 0.137, sway=0.15), drive(-1, 0.137, speed=0.4, sway=0.1)
    npt.assert_allclose(estimate_lag(there, back).lag, 0.137, atol=2e-3)


def test_the_forward_lever_arm_is_no_lag():
    """A coil 20 cm ahead of the antenna sees the same ground from both sides."""
    arms = COILS.lever_arms + np.array([0, 0.2, 0])
    ahead = dataclasses.replace(COILS, lever_arms=arms)
    passes = [drive(side, 0.1, sensor=ahead) for side in (1, -1)]
    npt.assert_allclose(estimate_lag(*passes).lag, 0.1, atol=1e-3)


def test_the_error_is_that_of_repeated_trials():
    """Errors over standard errors have about the unit spread, and no bias."""
    n = 12 if config.DISABLE_JIT else 40
    scores = []
    for seed in range(n):
        result = estimate_lag(
            drive(1, 0.137, scale=0.1, seed=seed),
            drive(-1, 0.137, scale=0.1, seed=1000 + seed),
            largest=0.4,
        )
        scores.append((result.lag - 0.137) / result.error)
    assert abs(np.mean(scores)) < 3 / np.sqrt(n)
    assert 0.6 < np.std(scores) < 1.4


def test_flagged_traces_are_left_out():
    """A dropout, and a trace without position, say nothing."""
    there, back = drive(1, 0.1), drive(-1, 0.1)
    samples, quality, position = (
        there.samples.copy(),
        there.quality.copy(),
        there.position.copy(),
    )
    samples[100:104] = np.nan
    quality[100:104] = Quality.NOT_FINITE
    position[150:153] = np.nan
    quality[150:153] = Quality.POSE_NONE
    bad = dataclasses.replace(there, samples=samples, quality=quality, position=position)
    npt.assert_allclose(estimate_lag(bad, back).lag, 0.1, atol=2e-3)


def test_nothing_is_drawn_across_a_gap():
    """A target lost in one pass does not pull the lag, which the other target tells."""
    scores = []
    for seed in range(4 if config.DISABLE_JIT else 12):
        there, back = (drive(d, 0.137, scale=0.05, seed=seed + 90 * (d + 1)) for d in (1, -1))
        samples, quality = there.samples.copy(), there.quality.copy()
        samples[90:107] = np.nan
        quality[90:107] = Quality.NOT_FINITE
        gap = dataclasses.replace(there, samples=samples, quality=quality)
        result = estimate_lag(gap, back, largest=0.4)
        assert result.overlap < estimate_lag(there, back, largest=0.4).overlap - 0.5
        scores.append((result.lag - 0.137) / result.error)
    assert abs(np.mean(scores)) < 3 / np.sqrt(len(scores))


def test_the_error_knows_which_gates_are_noisy():
    """Strong gates with most of the noise: the spread is theirs, not the mean of all."""
    n = 12 if config.DISABLE_JIT else 40
    scores = []
    for seed in range(n):
        passes = []
        for d in (1, -1):
            lane, quiet = (
                drive(d, 0.137, scale=s, seed=seed + 500 * d + 500) for s in (0.2, 0)
            )
            samples = quiet.samples + (lane.samples - quiet.samples) * np.array([1, 0.1, 0.1])
            passes.append(dataclasses.replace(quiet, samples=samples))
        result = estimate_lag(*passes, largest=0.4)
        scores.append((result.lag - 0.137) / result.error)
    assert 0.6 < np.std(scores) < 1.2


def test_a_short_step_in_time_costs_nothing():
    """Two stamps close to each other do not make the search a thousand times as long."""
    there, back = drive(1, 0.137), drive(-1, 0.137)
    time = there.time.copy()
    time[30] = time[29] + 1e-4
    there = dataclasses.replace(there, time=time)
    npt.assert_allclose(estimate_lag(there, back).lag, 0.137, atol=5e-3)


def test_passes_are_sweeps():
    """Anything else is refused by name."""
    for passes, name in [((None, drive(1, 0)), "there"), ((drive(1, 0), 3), "back")]:
        with pytest.raises(TypeError, match=f"Invalid {name} of type"):
            estimate_lag(*passes)


def test_passes_that_tell_no_lag_are_refused():
    """One direction, another line, another sensor, too short, too far, or empty."""
    there, back = drive(1, 0.3), drive(-1, 0.3)
    aside = dataclasses.replace(back, position=back.position + np.array([3.0, 0, 0]))
    other = drive(-1, 0.3, sensor=make_coils(1, 3))
    silent = dataclasses.replace(there, quality=np.full(240, int(Quality.STUCK)))
    for passes, options, message in [
        ((there, there), {}, "directions are not opposite"),
        ((there, aside), {}, "no channel of one comes within 0.1 m"),
        ((there, other), {}, "Must be of the same one"),
        ((silent, back), {}, "pass there with 0 traces"),
        ((there, silent), {}, "pass back with 0 traces"),
        ((there, back), {"largest": 0.2}, "most alike at a lag of 0.2 s"),
        ((there, back), {"largest": 30}, "share less than three places"),
        ((there, back), {"largest": 5.99}, "share less than three places"),
        ((there, back), {"reach": -1}, "Invalid reach '-1.0'"),
        ((there, back), {"smooth": 0}, "Invalid smooth '0.0'"),
    ]:
        with pytest.raises(ValueError, match=message):
            estimate_lag(*passes, **options)
    assert estimate_lag(there, aside, reach=3.5).correlation > 0


def test_silence_is_no_pass():
    """Two passes over nothing are alike at no lag."""
    still = [dataclasses.replace(p, samples=0 * p.samples) for p in (drive(1, 0), drive(-1, 0))]
    with pytest.raises(ValueError, match="the end of what was tried"):
        estimate_lag(*still)


# --- correction


@pytest.mark.parametrize("lag", [0.0, 0.12, -0.12, 0.1, -0.1])
def test_positions_are_those_of_the_time_before(lag):
    """The estimate, corrected, leaves no lag; ends without a place have none."""
    there, back = (correct_lag(drive(side, lag), lag=lag) for side in (1, -1))
    known = np.isfinite(there.position[:, 1])
    expected = 2.5 + 0.5 * (there.time - lag - 239 * INTERVAL / 2)
    npt.assert_allclose(there.position[known, 1], expected[known], atol=1e-9)
    npt.assert_array_equal(there.quality & Quality.POSE_NONE != 0, ~known)
    assert np.count_nonzero(~known) == np.ceil(abs(lag) / INTERVAL - 1e-6)
    npt.assert_allclose(estimate_lag(there, back).lag, 0.0, atol=1e-3)


@given(
    lag=st.floats(-0.3, 0.3),
    lost=st.sets(st.integers(0, 39)),
    jitter=st.integers(0, 5),
)
def test_matches_interpolation(lag, lost, jitter):
    """Against np.interp, trace by trace; nothing is interpolated from what is missing."""
    rng = np.random.default_rng(jitter)
    time = INTERVAL * (np.arange(40) + 0.04 * rng.uniform(-1, 1, 40))
    lost = sorted(lost)
    position, quality = rng.normal(size=(40, 3)), np.zeros(40, int)
    position[lost], quality[lost] = np.nan, Quality.POSE_NONE
    quality[5] |= Quality.POSE_COARSE
    heading = rng.uniform(-0.5, 0.5, 40)
    lane = make_sweep(
        rng.normal(size=(40, 1, 3)),
        sensor=make_coils(1, 3),
        time=time,
        position=position,
        heading=heading,
        quality=quality,
    )
    result = run_lane(CorrectLag(lag=lag, interval=INTERVAL), lane)
    npt.assert_array_equal(result.samples, lane.samples)
    npt.assert_array_equal(result.time, time)
    for k, t in enumerate(time - lag):
        beside = [int(np.searchsorted(time, t, side="right")) - 1]
        if time[max(beside[0], 0)] != t:
            beside.append(beside[0] + 1)
        if min(beside) < 0 or max(beside) > 39 or np.isnan(position[beside]).any():
            assert np.isnan(result.position[k]).all()
            assert result.quality[k] & Quality.POSE_NONE
            continue
        assert bool(result.quality[k] & Quality.POSE_COARSE) == (5 in beside or k == 5)
        npt.assert_allclose(
            result.position[k], [np.interp(t, time, p) for p in position.T], atol=1e-9
        )
        npt.assert_allclose(result.heading[k], np.interp(t, time, heading), atol=1e-9)


def test_headings_turn_the_short_way():
    """Between 350 and 10 degrees lies north."""
    lane = make_sweep(
        np.zeros((3, 1, 4)),
        sensor=make_sensor(1, 4),
        time=[0.0, 0.1, 0.2],
        heading=np.deg2rad([350.0, 10.0, 30.0]),
    )
    result = correct_lag(lane, lag=0.05)
    npt.assert_allclose(np.rad2deg(result.heading[1:]) % 360, [0, 20], atol=1e-6)


def test_latency_looks_ahead_only_where_positions_are_late():
    """Positive lags are causal; negative ones wait for the positions."""
    assert CorrectLag(lag=0.3, interval=0.1).latency == 0
    assert CorrectLag(lag=0.0, interval=0.1).latency == 0
    assert CorrectLag(lag=-0.3, interval=0.1).latency == 4
    with pytest.raises(ValueError, match="Invalid lag 'nan'"):
        CorrectLag(lag=np.nan, interval=0.1)
    with pytest.raises(ValueError, match=r"Invalid interval '0.0'"):
        CorrectLag(lag=1.0, interval=0)

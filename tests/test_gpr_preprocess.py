"""Test radar alignment and filters against definitions, SciPy and theory."""

import dataclasses
import math

import naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from scipy import signal

from minesense._kernels.alignment import shift_traces
from minesense._kernels.pulse_path import place_pulses
from minesense.gpr import (
    AlignGround,
    align_ground,
    align_time_zero,
    band_pass,
    dewow,
    track_ground,
)
from minesense.stage import run_lane
from minesense.sweep import Quality

STEP = 5e-11  # s
PERIOD = 1 / 1.5e9 / STEP  # samples, of the centre frequency
RNG = np.random.default_rng(seed=0)
NOISE = RNG.normal(size=(9, 2, 80)).astype(np.float32)

# Filters


def lane_of(traces, **options):
    """Return traces as a lane of a radar with 50 ps samples."""
    traces = np.asarray(traces, np.float32)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    return make_sweep(traces, sensor=sensor, **options)


def ricker(n_samples, at):
    """Return Ricker wavelets of the centre frequency that peak at samples `at`."""
    phase = math.pi / PERIOD * (np.arange(n_samples) - np.asarray(at)[..., None])
    return (1 - 2 * phase**2) * np.exp(-(phase**2))


@pytest.mark.parametrize("h", [1, 2, 3, 7, 15, 31, 39])
def test_dewow_matches_the_definition(h):
    """Every length of window in binary digits, up to that of the trace."""
    result = dewow(lane_of(NOISE + 10), window=(2 * h + 1) * STEP).samples
    npt.assert_allclose(result, naive.dewow(NOISE + np.float32(10), h), atol=1e-5)


def test_dewow_removes_wow_and_leaves_the_pulse():
    """A constant vanishes; a sine of which two periods fill the window passes."""
    flat = dewow(lane_of(np.full((3, 1, 80), 7.0)), window=1e-9).samples
    npt.assert_allclose(flat, 0, atol=1e-6)
    sine = np.sin(2 * math.pi / 10 * np.arange(81))[None, None]
    result = dewow(lane_of(sine), window=21 * STEP).samples
    # 21 samples are two periods and one sample, which counts for 1 / 21 of itself
    npt.assert_allclose(result[..., 10:-10], 20 / 21 * sine[..., 10:-10], atol=1e-6)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("n_traces", [0, 1, 9, 40])
def test_band_pass_matches_scipy(order, n_traces):
    """The same as sosfiltfilt, to 1e-5 of the peak, for one trace and for several tiles."""
    traces = np.random.default_rng(seed=1).normal(size=(n_traces, 1, 80)).astype(np.float32)
    low, high = 0.5e9, 4e9
    result = band_pass(lane_of(traces + 3), low=low, high=high, order=order).samples
    sections = signal.butter(order, (low, high), "bandpass", output="sos", fs=1 / STEP)
    expected = signal.sosfiltfilt(sections, traces + np.float32(3), axis=2) if n_traces else []
    npt.assert_allclose(result, np.reshape(expected, result.shape), atol=1e-5 * 4)


def test_band_pass_has_the_squared_gain_and_no_phase():
    """Sines come out at |H|^2 and in place; at the edges of the band 6 dB are lost."""
    j = np.arange(2000)
    for frequency in (1e9, 2e9, 3e9):
        sine = np.sin(2 * math.pi * frequency * STEP * j)
        result = band_pass(lane_of(sine[None, None]), low=1e9, high=3e9).samples[0, 0]
        sections = signal.butter(4, (1e9, 3e9), "bandpass", output="sos", fs=1 / STEP)
        gain = abs(signal.sosfreqz(sections, [frequency], fs=1 / STEP)[1][0]) ** 2
        npt.assert_allclose(result[900:1100], gain * sine[900:1100], atol=2e-4)
        assert abs(gain - (1.0 if frequency == 2e9 else 0.5)) < 1e-3


def test_filters_take_each_trace_alone():
    """A trace is filtered alike whatever stands beside it, to the last bit."""
    for filtered in (
        lambda lane: dewow(lane, window=1e-9),
        lambda lane: band_pass(lane, low=0.5e9, high=4e9),
    ):
        together = filtered(lane_of(NOISE)).samples
        for k in range(9):
            npt.assert_array_equal(together[k], filtered(lane_of(NOISE[k : k + 1])).samples[0])


# Alignment


def shifted(traces, ground):
    """Return traces moved by align_ground so that their peaks lie at sample 30."""
    return align_ground(lane_of(traces), search=ground, ground_time=30 * STEP).samples


@given(at=st.floats(16.0, 50.0))
def test_a_ricker_is_restored(at):
    """A pulse at any part of a sample comes to sample 30 with its shape."""
    lane = lane_of(ricker(80, [at])[:, None])
    result = align_ground(lane, search=(14 * STEP, 52 * STEP), ground_time=30 * STEP)
    place = float(track_ground(lane, search=(14 * STEP, 52 * STEP))[0, 0] / STEP)
    assert abs(place - at) < 0.03  # the parabola's own error for 13 samples a period
    expected = ricker(80, [30 + at - place])[0]
    npt.assert_allclose(result.samples[0, 0], expected, atol=1e-3)


@pytest.mark.parametrize("move", [0.0, 0.25, 3.0, 7.6, -0.25, -3.0, -7.6, 79.0, -90.0, 95.5])
def test_shift_matches_the_definition(move):
    """Windowed sinc inside the record, zero beyond: nothing wraps around."""
    trace = np.random.default_rng(seed=3).normal(size=(1, 1, 80)).astype(np.float32)
    out = np.full_like(trace, np.nan)
    shift_traces(trace, np.array([[move]]), np.empty((4, 8)), np.empty(87), out)
    npt.assert_allclose(out[0, 0], naive.shift_trace(trace[0, 0], move), atol=1e-6)


@pytest.mark.parametrize("move", [-1e-20, 1e-20, 2 - 1e-16])
def test_shift_by_almost_nothing(move):
    """A shift that floats cannot tell from a whole one divides nothing by zero."""
    trace = np.arange(1.0, 21.0, dtype=np.float32)[None, None]
    out = np.empty_like(trace)
    shift_traces(trace, np.array([[move]]), np.empty((4, 8)), np.empty(27), out)
    expected = np.append(trace[0, 0], [0, 0])[round(move) :][:20]
    npt.assert_allclose(out[0, 0, 1:-1], expected[1:-1], atol=1e-5)


def test_nothing_wraps_into_late_samples():
    """
    Pitfall: with np.roll a late bounce re-enters elsewhere; here zeros are shifted in.

    A direct wave at sample 2 leaves the record when the ground moves from 45 to 30.
    """
    traces = 0.5 * ricker(80, [[2.0]]) + ricker(80, [[45.0]])
    rolled = np.roll(traces[0, 0], -15)
    result = shifted(traces, (40 * STEP, 50 * STEP))[0, 0]
    assert np.abs(rolled[66:]).max() > 0.3
    assert not result[66:].any()
    down = shifted(traces, (0.0, 10 * STEP))[0, 0]
    assert not down[:27].any()


def track(n_traces):
    """Return a height that rises, falls and jumps a little, in samples."""
    d = np.arange(n_traces)
    return 32 + 7 * np.sin(d / 15) + 1.5 * np.sin(d / 3)


@pytest.mark.parametrize("n_channels", [1, 2, 5])
def test_tracker_recovers_the_height_through_noise_and_dropouts(n_channels):
    """The bounce is found to parts of a sample; dropouts are NaN, not guesses."""
    rng = np.random.default_rng(seed=4)
    truth = track(120)[:, None] + np.linspace(-2, 2, n_channels)
    traces = ricker(80, truth) + 0.05 * rng.normal(size=(120, n_channels, 80))
    bad = [0, 1, 30, *range(60, 68), 119]
    quality = np.zeros(120, np.int64)
    quality[bad] = Quality.SATURATED
    traces[bad] = 1e4
    lane = lane_of(traces, quality=quality)
    found = track_ground(lane, search=(15 * STEP, 50 * STEP)) / STEP
    npt.assert_array_equal(np.isnan(found).all(axis=1), ~lane.is_usable)
    error = (found - truth)[lane.is_usable]
    # noise moves a vertex by 0.11; the side channels of an array lean on two others
    assert np.sqrt((error**2).mean()) < (0.2 if n_channels < 3 else 0.25)
    assert np.abs(error).max() < 1.5
    aligned = align_ground(lane, search=(15 * STEP, 50 * STEP), ground_time=20 * STEP)
    peaks = np.abs(aligned.samples[lane.is_usable]).argmax(axis=2)
    assert (np.abs(peaks - 20) <= 1).all()
    assert (aligned.quality[lane.is_usable] == 0).all()


def test_path_is_the_best_of_all():
    """The tracker's path over few traces is that of an exhaustive search."""
    rng = np.random.default_rng(seed=5)
    for _ in range(20):
        gain = rng.random(size=(5, 6))
        traces = np.zeros((5, 1, 8), np.float32)
        traces[:, 0, 1:7] = gain
        price = 0.2 * np.sort(gain.astype(np.float32), axis=1)[:, 2]
        traces[:, 0, 1:7] /= price[:, None]  # so that the price is the same for all traces
        gain = traces[:, 0, 1:7].astype(float)
        expected = naive.best_path(gain, 1.0, 3)
        found = track_ground(lane_of(traces), search=(STEP, 6 * STEP))[:, 0] / STEP - 1
        assert np.abs(found - expected).max() <= 0.5 + 1e-9


def test_tracker_prefers_to_stay():
    """A single stronger echo elsewhere does not pull the path away from the bounce."""
    traces = ricker(80, np.full((60, 1), 25.0))
    traces[30] += 1.6 * ricker(80, [[42.0]])[0]
    found = track_ground(lane_of(traces), search=(15 * STEP, 50 * STEP)) / STEP
    npt.assert_allclose(found[:, 0], 25, atol=0.01)
    loose = track_ground(lane_of(traces), search=(15 * STEP, 50 * STEP), stiffness=0.0)
    assert np.abs(loose / STEP - 25).max() < 0.01  # 17 samples are more than 3 a trace


def test_polarity_selects_the_extreme():
    """The main lobe of a negative Ricker, or its side lobe."""
    traces = -ricker(80, np.full((20, 1), 30.25))
    window = (15 * STEP, 50 * STEP)
    for polarity in ("either", "negative"):
        found = track_ground(lane_of(traces), search=window, polarity=polarity) / STEP
        npt.assert_allclose(found, 30.25, atol=0.05)
    found = track_ground(lane_of(traces), search=window, polarity="positive") / STEP
    side = 30.25 - math.sqrt(1.5) * PERIOD / math.pi
    assert np.abs(np.abs(found - 30.25) - (30.25 - side)).max() < 0.1


def test_neighbouring_channels_outvote_one():
    """One channel that follows clutter is corrected, at the side too; a tilt stays."""
    truth = 30 + np.arange(5.0)
    for odd in range(5):
        at = np.tile(truth, (30, 1))
        at[:, odd] += 9
        found = track_ground(lane_of(ricker(80, at)), search=(15 * STEP, 50 * STEP)) / STEP
        assert np.abs(found - truth).max() < 2.1  # two channels of tilt, not 9 samples
    found = track_ground(
        lane_of(ricker(80, np.tile(truth, (30, 1)))), search=(15 * STEP, 50 * STEP)
    )
    npt.assert_allclose(found / STEP, np.tile(truth, (30, 1)), atol=0.03)


def test_a_bounce_beyond_the_window_is_flagged():
    """The path runs along the border, and the height counts as unknown."""
    traces = ricker(80, np.full((30, 1), 52.0))
    result = align_ground(lane_of(traces), search=(15 * STEP, 50 * STEP), ground_time=1e-9)
    assert (result.quality & Quality.HEIGHT_UNKNOWN != 0).all()


@pytest.mark.parametrize(("place", "first"), [(0, 0), (79, 69)])
def test_a_bounce_at_an_end_of_the_record_is_a_whole_sample(place, first):
    """Beyond the record there is no sample that a parabola could go through."""
    traces = ricker(80, np.full((20, 1), place + 0.2 * (1 if place == 0 else -1)))
    window = (first * STEP, (first + 10) * STEP)
    found = track_ground(lane_of(traces), search=window) / STEP
    npt.assert_allclose(found, place, atol=1e-9)


def test_ground_times_are_those_of_the_traces_returned():
    """A stream reads the height beside its traces."""
    lane = lane_of(ricker(80, track(60)[:, None]))
    stage = AlignGround(search=(15 * STEP, 50 * STEP), ground_time=1e-9)
    parts = []
    for k in range(60):
        assert len(stage.process(lane[k : k + 1])) == len(stage.ground_times)
        parts.append(stage.ground_times)
    assert len(stage.flush()) == len(stage.ground_times) == 16
    whole = track_ground(lane, search=(15 * STEP, 50 * STEP))
    npt.assert_array_equal(np.concatenate([*parts, stage.ground_times]), whole)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_time_zero_follows_a_drift(n_channels):
    """A slow drift of the recorder is undone; the direct wave stays where it was."""
    drift = np.linspace(0, 5, 200)
    rng = np.random.default_rng(seed=6)
    traces = ricker(80, np.tile(12 + drift[:, None], (1, n_channels)))
    traces += 0.02 * rng.normal(size=traces.shape)
    lane = lane_of(traces)
    options = {"spacing": 0.05, "smoothing": 0.25, "max_delay": 8 * STEP}
    aligned = align_time_zero(lane, **options)
    found = track_ground(aligned, search=(6 * STEP, 25 * STEP)) / STEP
    # the median of 5 traces lags by 2, and the first ten are the reference
    assert np.abs(found - 12).max() < 0.35
    assert np.abs(track_ground(lane, search=(6 * STEP, 25 * STEP)) / STEP - 12).max() > 4.5


def test_time_zero_is_not_moved_by_one_trace_or_a_moving_ground():
    """A single late trace is outvoted, and what lies behind the direct wave has no say."""
    still = ricker(80, np.full((80, 1), 12.0)) + 2 * ricker(80, track(80)[:, None] + 15)
    late = still.copy()
    late[40] = ricker(80, [[15.0]])[0]
    options = {"spacing": 0.05, "direct": (4 * STEP, 20 * STEP)}
    for traces in (still, late):
        result = align_time_zero(lane_of(traces), **options).samples
        npt.assert_allclose(result, traces.astype(np.float32), atol=2e-3)


def test_time_zero_leaves_flagged_traces_out():
    """Dropouts, the first trace included, neither make the template nor the median."""
    traces = ricker(80, 12 + np.linspace(0, 3, 60)[:, None])
    quality = np.zeros(60, np.int64)
    quality[[0, 1, 30, 31]] = Quality.STUCK
    kept = align_time_zero(lane_of(traces), spacing=0.05, smoothing=0.05).samples
    traces[[0, 1, 30, 31]] = 1e3
    lane = lane_of(traces, quality=quality)
    result = align_time_zero(lane, spacing=0.05, smoothing=0.05).samples
    assert np.isnan(result[[0, 1, 30, 31]]).all()
    peaks = np.abs(result[lane.is_usable]).argmax(axis=2)
    assert set(peaks.ravel().tolist()) == {12}
    assert set(np.abs(kept).argmax(axis=2).ravel().tolist()) == {12}


def test_time_zero_of_silence():
    """A lane without any signal stays as it is: of equal scores, no delay."""
    lane = lane_of(np.zeros((30, 2, 80)))
    assert not align_time_zero(lane, spacing=0.05).samples.any()


def test_a_delay_at_the_end_of_the_reach():
    """More delay than is looked for is undone as far as the reach goes."""
    traces = ricker(80, np.repeat([12.0, 16.0], 40)[:, None])
    options = {"spacing": 0.05, "max_delay": 3 * STEP}
    result = align_time_zero(lane_of(traces), **options).samples
    assert np.abs(result[-1, 0]).argmax() == 13


# Short lanes and bad input

STAGES = {
    "time zero": lambda lane: align_time_zero(lane, spacing=0.05),
    "ground": lambda lane: align_ground(lane, search=(1e-9, 2e-9), ground_time=1e-9),
    "dewow": lambda lane: dewow(lane, window=1e-9),
    "band-pass": lambda lane: band_pass(lane, low=0.5e9, high=4e9),
}


@pytest.mark.parametrize("function", STAGES.values(), ids=STAGES)
@pytest.mark.parametrize("n_traces", [0, 1, 5])
def test_short_lanes(function, n_traces):
    """No trace, one and fewer than any look-ahead: all come out, finite."""
    result = function(lane_of(NOISE[:n_traces]))
    assert result.samples.shape == (n_traces, 2, 80)
    assert np.isfinite(result.samples).all()


@pytest.mark.parametrize("function", STAGES.values(), ids=STAGES)
def test_only_radars_with_regular_axes(function):
    """Metal detectors and irregular axes are refused by name."""
    coils = make_sweep(np.zeros((3, 2, 12)), sensor=make_coils(2, 12))
    with pytest.raises(ValueError, match=r"of kind 'emi', axis in s\. Must be a radar"):
        function(coils)
    lane = lane_of(NOISE)
    axis = lane.sensor.axis.copy()
    axis[7] += STEP / 3
    sensor = dataclasses.replace(lane.sensor, axis=axis)
    with pytest.raises(ValueError, match="Must be regular, two values or more"):
        function(dataclasses.replace(lane, sensor=sensor))


GROUND = {"search": (1e-9, 2e-9), "ground_time": 1e-9}


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (dewow, {"window": 81.1 * STEP}, "Invalid window .* Must be 3 to 80 samples"),
        (dewow, {"window": STEP}, "Must be 3 to 80 samples of 5e-11 s"),
        (dewow, {"window": -1.0}, "Invalid window '-1.0'. Must be finite and greater"),
        (band_pass, {"low": 0.0, "high": 1e9}, "Invalid low '0.0'"),
        (band_pass, {"low": 2e9, "high": 1e9}, "Invalid low '2000000000.0'. Must be less"),
        (band_pass, {"low": 1e9, "high": 1e10}, r"Must be less than the Nyquist .* 1e\+10 Hz"),
        (band_pass, {"low": 1e9, "high": 2e9, "order": 0}, "Invalid order '0'"),
        (band_pass, {"low": 1e9, "high": 2e9, "order": 13}, "traces of 80 samples. Must hold"),
        (
            align_ground,
            GROUND | {"search": (2e-9, 1e-9)},
            "Invalid search .* start before stop",
        ),
        (align_ground, GROUND | {"search": (1e-9, 5e-9)}, "Invalid search .* Must lie on the"),
        (align_ground, GROUND | {"search": (1e-9, 1.04e-9)}, "Must hold three samples"),
        (align_ground, GROUND | {"ground_time": 9e-9}, "Invalid ground_time '9e-09'. Must lie"),
        (align_ground, GROUND | {"stiffness": -0.1}, "Invalid stiffness '-0.1'"),
        (align_ground, GROUND | {"polarity": "up"}, "Invalid polarity 'up'. Must be one of"),
        (align_time_zero, {"spacing": 0.0}, "Invalid spacing '0.0'"),
        (align_time_zero, {"spacing": 0.05, "direct": (-1e-9, 1e-9)}, "Invalid direct"),
        (align_time_zero, {"spacing": 0.05, "max_delay": 1e-12}, "Must be a sample of"),
        (align_time_zero, {"spacing": 0.05, "max_delay": 1e-8}, "shorter than the record"),
        (align_time_zero, {"spacing": 0.05, "template": 0.0}, "Invalid template"),
        (align_time_zero, {"spacing": 0.05, "smoothing": 0.0}, "Invalid smoothing"),
    ],
)
def test_bad_options_are_named(function, options, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        function(lane_of(NOISE), **options)


def test_a_default_needs_the_centre_frequency():
    """Without it, the direct wave and its reach must be told."""
    lane = lane_of(NOISE)
    sensor = dataclasses.replace(lane.sensor, radar=None)
    lane = dataclasses.replace(lane, sensor=sensor)
    with pytest.raises(ValueError, match=r"without a centre frequency\. Must have"):
        align_time_zero(lane, spacing=0.05)
    told = {"direct": (0.2e-9, 1e-9), "max_delay": 0.2e-9}
    assert len(align_time_zero(lane, spacing=0.05, **told)) == 9


def test_order_of_the_chain():
    """Dewow and band-pass are linear and alike for all traces: their order is free."""
    lane = lane_of(NOISE)
    one = band_pass(dewow(lane, window=1e-9), low=0.5e9, high=4e9)
    assert len(run_lane(AlignGround(search=(1e-9, 2e-9), ground_time=1e-9), one).history) == 3
    twice = lane_of(2 * NOISE)
    npt.assert_allclose(
        dewow(twice, window=1e-9).samples, 2 * dewow(lane, window=1e-9).samples, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("path", "is_doubtful"),
    [([0.5, 6.0], True), ([6.0, 8.5], True), ([0.6, 8.4], False), ([0.5, 6, 6], False)],
)
def test_pulses_at_the_border_are_doubtful(path, is_doubtful):
    """In half of the channels or more, of ten samples; times are as the path says."""
    rows = np.array([path, path], float)
    times, shifts = np.empty((2, *rows.shape))
    flags = np.full(2, -1)
    is_usable = np.array([True, False])
    place_pulses(rows, is_usable, 10, 2e-9, 1e-10, 2.3e-9, 64, times, shifts, flags)
    assert flags.tolist() == [64 * is_doubtful] * 2
    npt.assert_allclose(times[0], 2e-9 + 1e-10 * rows[0])
    assert np.isnan(times[1]).all()
    npt.assert_allclose(shifts, rows - 3, atol=1e-9)

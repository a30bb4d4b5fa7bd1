"""Test the errors of instruments, each alone: what it does, how much, and what is flagged."""

import dataclasses
import inspect
import math

import numpy as np
import numpy.testing as npt
import pytest
from carriers import NO_FAULTS, quiet, silent

from minesense.physics import tones_to_time
from minesense.sensor import pulse_train_of
from minesense.sweep import UNUSABLE, Quality
from minesense.synthetic import (
    CoilErrors,
    Converter,
    Faults,
    Positioning,
    RadarErrors,
    ToneErrors,
    Track,
    cart,
    field,
    scenario,
)
from minesense.synthetic.instrument import bursts, gain_curve, singles
from minesense.synthetic.radar_lane import direct_peak, time_zero

TRAIN = pulse_train_of(cart().coils)
AXIS = cart().radar.axis
PEAK, ZERO = direct_peak(cart().radar), time_zero(cart().radar)
NO_BITS = {"bits": 0, "full_scale": 1e3}


def make_rng(seed=0):
    return np.random.default_rng(seed)


def make_track(n=6001, step=0.05, speed=0.5):
    """Return a track straight ahead."""
    time = step * np.arange(n)
    position = np.column_stack([0 * time, speed * time, 0 * time])
    zero = np.zeros(n)
    return Track(
        time=time,
        position=position,
        heading=zero,
        pitch=zero,
        roll=zero,
        step=step,
        is_timed=True,
    )


def recorded(track=None, *, seed=0, **errors):
    """Return position, heading and flags at every step of a track."""
    track = make_track() if track is None else track
    steps = np.arange(len(track))
    return silent(Positioning, **errors).record(track, steps, rng=make_rng(seed))


def coil_errors(volts, *, step=0.1, seed=0, **errors):
    """Return samples and flags of coils that receive these voltages."""
    errors = silent(CoilErrors, **NO_BITS | errors)
    time = step * np.arange(len(volts))
    return errors.apply(volts, time, train=TRAIN, rng=make_rng(seed))


def radar_errors(traces, *, step=0.05, seed=0, **errors):
    """Return samples and flags of a radar that receives these traces."""
    errors = silent(RadarErrors, **NO_BITS | errors)
    time = step * np.arange(len(traces))
    return errors.apply(traces, time, axis=AXIS, peak=PEAK, time_zero=ZERO, rng=make_rng(seed))


def timing(n=400, n_channels=30, *, step=0.05, seed=0, **errors):
    """Return errors of time zero and the factor of the direct wave."""
    errors = silent(RadarErrors, **errors)
    return errors.timing(step * np.arange(n), n_channels, rng=make_rng(seed))


def correlation(series, lag):
    """Return the correlation of columns at a lag."""
    series = series - series.mean()
    return np.mean(series[lag:] * series[:-lag]) / series.var()


SILENCE = np.zeros((2000, 4, 12))
QUIET = np.zeros((400, 6, 192))
WAVE = np.sin(AXIS * 2 * np.pi * 1e9) * PEAK * np.ones((300, 40, 1))


# -- positions -----------------------------------------------------------------------------


def test_without_errors_the_true_pose_is_recorded():
    """To the last bit, but for the height, which is not measured."""
    track = make_track()
    track.position[:, 2] = 0.01
    position, heading, quality = recorded(track)
    npt.assert_array_equal(position[:, :2], track.position[:, :2])
    npt.assert_array_equal(position[:, 2], 0.0)
    npt.assert_array_equal(heading, 0.0)
    npt.assert_array_equal(quality, 0)
    npt.assert_array_equal(recorded(track, records_height=True)[0][:, 2], 0.01)


@pytest.mark.parametrize(
    ("name", "column"),
    [("error", 0), ("error", 1), ("height_error", 2), ("heading_error", 3)],
)
def test_slow_errors_have_their_spread_and_memory(name, column):
    """Each in its own columns, over many lanes."""
    series = []
    for seed in range(40):
        options = {name: 0.03, "error_time": 10.0, "records_height": True}
        position, heading, _ = recorded(seed=seed, **options)
        errors = np.column_stack([position - make_track().position, heading])
        series.append(errors)
    series = np.concatenate(series)
    npt.assert_allclose(series[:, column].std(), 0.03, rtol=0.1)
    npt.assert_allclose(correlation(series[:, column], 200), math.exp(-1), atol=0.08)
    moved = {"error": {0, 1}, "height_error": {2}, "heading_error": {3}}[name]
    assert set(np.flatnonzero(np.abs(series).max(axis=0) > 0)) == moved


def test_jitter_has_no_memory():
    """From trace to trace, level only."""
    position, _, _ = recorded(jitter=0.01, records_height=True)
    errors = position - make_track().position
    npt.assert_allclose(errors[:, :2].std(axis=0), 0.01, rtol=0.05)
    assert abs(correlation(errors[:, 0], 1)) < 0.05
    npt.assert_array_equal(errors[:, 2], 0.0)


def test_positions_may_lag():
    """By speed times lag, back along the track; nothing flags it."""
    position, _, quality = recorded(lag=0.2)
    behind = make_track().position[10:, 1] - position[10:, 1]
    npt.assert_allclose(behind, 0.1, atol=1e-9)
    npt.assert_array_equal(quality, 0)


def test_lost_positions_are_flagged():
    """As often and as long as stated; NaN in every figure of the pose."""
    position, heading, quality = recorded(
        make_track(60_001), losses_per_minute=2.0, loss_time=3.0
    )
    lost = quality == Quality.POSE_NONE
    npt.assert_array_equal(np.isnan(position).all(axis=1), lost)
    npt.assert_array_equal(np.isnan(heading), lost)
    npt.assert_allclose(lost.mean(), 2 * 3 / 60, rtol=0.35)
    starts = np.count_nonzero(lost[1:] & ~lost[:-1])
    assert abs(starts - 100) < 4 * math.sqrt(100)


def test_sensors_of_one_platform_err_alike():
    """At other steps of the same track the error is the same where they meet."""
    errors, track = silent(Positioning, error=0.02, jitter=0.01), make_track()
    every, some = np.arange(len(track)), np.arange(0, len(track), 7)
    whole, _, _ = errors.record(track, every, rng=make_rng(3))
    part, _, _ = errors.record(track, some, rng=make_rng(3))
    npt.assert_array_equal(part, whole[some])


# -- stamps --------------------------------------------------------------------------------


TIME = 0.05 * np.arange(60_001)


def test_stamps_without_faults_are_true():
    """Nothing changed, nothing flagged."""
    stamps, quality = NO_FAULTS.stamps(TIME, rng=make_rng())
    npt.assert_array_equal(stamps, TIME)
    npt.assert_array_equal(quality, 0)


def test_repeated_stamps_are_flagged():
    """As many as stated, a microsecond after the one before, so that time still goes on."""
    stamps, quality = silent(Faults, duplicates_per_minute=6.0).stamps(TIME, rng=make_rng())
    repeated = np.flatnonzero(quality)
    assert set(quality[repeated]) == {Quality.TIME_DUPLICATE}
    assert abs(len(repeated) - 300) < 4 * math.sqrt(300)
    assert (np.diff(stamps) > 0).all()
    npt.assert_allclose(stamps[repeated] - stamps[repeated - 1], 1e-6, rtol=1e-3)
    kept = np.setdiff1d(np.arange(len(TIME)), repeated)
    npt.assert_array_equal(stamps[kept], TIME[kept])


def test_lost_stamps_are_filled_evenly_and_flagged():
    """Between those that are known; the first and the last are always known."""
    faults = silent(Faults, lost_stamps_per_minute=6.0, lost_stamp_time=1.0)
    uneven = np.cumsum(np.where(np.arange(20_000) % 7 == 0, 0.1, 0.03))
    stamps, quality = faults.stamps(uneven, rng=make_rng())
    lost = quality == Quality.TIME_COARSE
    npt.assert_allclose(lost.mean(), 0.1, rtol=0.4)
    npt.assert_array_equal(stamps[~lost], uneven[~lost])
    assert (np.diff(stamps) > 0).all()
    inside = lost[1:-1] & lost[2:] & lost[:-2]
    npt.assert_allclose(np.diff(stamps, 2)[inside], 0.0, atol=1e-9)
    assert np.abs(stamps - uneven)[lost].max() > 0.01


def test_empty_lanes_have_no_faults():
    """Nothing to lose, repeat or stick."""
    faults, none = Faults(), np.empty(0)
    assert faults.stamps(none, rng=make_rng())[0].size == 0
    assert faults.stick(np.empty((0, 1, 2)), none, rng=make_rng())[0].size == 0
    assert faults.gaps(none, rng=make_rng()) == []
    assert not bursts(none, 1.0, 1.0, rng=make_rng()).size


# -- converters and links ------------------------------------------------------------------


def test_a_stuck_sensor_repeats_itself():
    """The trace before, all along the stretch; flagged, and of no use."""
    samples = make_rng(1).normal(size=(20_000, 2, 3))
    faults = silent(Faults, stuck_per_minute=2.0, stuck_time=1.0)
    found, quality = faults.stick(samples, 0.05 * np.arange(20_000), rng=make_rng())
    stuck = quality == Quality.STUCK
    npt.assert_allclose(stuck.mean(), 2 / 60, rtol=0.6)
    npt.assert_array_equal(found[~stuck], samples[~stuck])
    for i in np.flatnonzero(stuck):
        npt.assert_array_equal(found[i], found[i - 1])
    assert ((quality & UNUSABLE) != 0).sum() == stuck.sum() > 100


def test_single_traces_are_lost():
    """As many as stated, whole, and flagged as saturated."""
    samples = make_rng(1).normal(size=(20_000, 2, 3))
    faults = silent(Faults, dropouts_per_minute=6.0)
    found, quality = faults.stick(samples, 0.05 * np.arange(20_000), rng=make_rng())
    lost = quality == Quality.SATURATED
    assert abs(lost.sum() - 100) < 4 * math.sqrt(100)
    npt.assert_array_equal(np.isnan(found).all(axis=(1, 2)), lost)
    npt.assert_array_equal(found[~lost], samples[~lost])


def test_gaps_are_as_many_and_as_long_as_stated():
    """In time, within the lane."""
    gaps = silent(Faults, gaps_per_minute=3.0, gap_time=2.0).gaps(TIME, rng=make_rng())
    assert abs(len(gaps) - 150) < 4 * math.sqrt(150)
    lengths = [stop - start for start, stop in gaps]
    npt.assert_allclose(np.mean(lengths), 2.0, rtol=0.35)
    assert all(0 <= start <= TIME[-1] for start, _ in gaps)


def test_stretches_and_single_traces_fall_anywhere():
    """Both halves of a lane alike."""
    for drawn in (
        bursts(TIME, 6.0, 0.5, rng=make_rng(2)),
        singles(TIME, 30.0, rng=make_rng(2)),
    ):
        half = len(drawn) // 2
        first, second = drawn[:half].sum(), drawn[half:].sum()
        assert abs(first - second) < 0.3 * drawn.sum()


@pytest.mark.parametrize("bits", [8, 16])
def test_a_converter_has_steps(bits):
    """Of the range over half the numbers; the error is that of rounding."""
    converter = Converter(full_scale=2.0, bits=bits)
    samples = make_rng().uniform(-1.9, 1.9, size=(500, 2, 4))
    found, quality = converter.convert(samples)
    step = 2.0 / 2 ** (bits - 1)
    npt.assert_allclose(found / step, np.rint(found / step), atol=1e-9)
    assert np.abs(found - samples).max() <= step / 2 * (1 + 1e-9)
    npt.assert_allclose((found - samples).std(), step / math.sqrt(12), rtol=0.05)
    npt.assert_array_equal(quality, 0)


def test_a_converter_clips_and_says_so():
    """Any sample beyond the range costs the trace, on either side of it, and no other."""
    samples = np.zeros((4, 2, 3))
    samples[1, 0, 2], samples[2, 1, 0], samples[3, 0, 0] = 2.5, -2.0, 1.99
    found, quality = Converter(full_scale=2.0, bits=0).convert(samples)
    npt.assert_array_equal(quality, [0, Quality.SATURATED, Quality.SATURATED, 0])
    assert np.isnan(found[1:3]).all()
    npt.assert_array_equal(found[[0, 3]], samples[[0, 3]])


def test_the_largest_code_is_a_step_below_the_range():
    """Signed numbers of four bits end at seven; minus eight is one of them."""
    found, quality = Converter(full_scale=1.0, bits=4).convert(
        np.array([[[0.99, 0.96, -0.99]]])
    )
    npt.assert_array_equal(8 * found, [[[7, 7, -8]]])
    npt.assert_array_equal(quality, 0)


# -- metal detectors -----------------------------------------------------------------------


def test_a_silent_detector_records_what_it_receives():
    """To the last bit."""
    volts = make_rng().normal(size=(5, 2, 12))
    found, quality = coil_errors(volts)
    npt.assert_array_equal(found, volts)
    npt.assert_array_equal(quality, 0)


def test_white_noise_has_its_spread_in_every_gate():
    """Less in longer gates, by the root of their width; none shared between gates."""
    found, _ = coil_errors(SILENCE, white=1e-9)
    flat = found.reshape(-1, 12)
    width = np.diff(TRAIN.gates, axis=1)[:, 0]
    npt.assert_allclose(flat.std(axis=0), 1e-9 * np.sqrt(width[0] / width), rtol=0.05)
    npt.assert_allclose(np.corrcoef(flat.T) - np.eye(12), 0.0, atol=0.05)
    assert abs(correlation(found[:, 0, 0], 1)) < 0.1


def test_offsets_drift_and_fall_with_the_gates():
    """Correlation e^-1 after the drift time; gates share it, each coil has its own."""
    found, _ = coil_errors(np.zeros((21, 800, 12)), offset_drift=1e-9, drift_time=2.0)
    npt.assert_allclose(found[..., 0].std(), 1e-9, rtol=0.1)
    memory = (found[0, :, 0] * found[20, :, 0]).mean() / 1e-18
    npt.assert_allclose(memory, math.exp(-1), atol=0.12)
    ratio = TRAIN.gates[0, 0] / TRAIN.gates[:, 0]
    npt.assert_allclose(found, found[..., :1] * ratio, rtol=1e-9, atol=1e-24)


def test_coils_differ_by_their_gain_and_it_drifts():
    """One factor for all gates of a trace; between coils, and slowly in time."""
    volts = np.ones((2, 600, 12))
    spread, _ = coil_errors(volts, gain_spread=0.03)
    npt.assert_allclose(spread, spread[:1, :, :1] * volts)
    npt.assert_allclose(spread.std(), 0.03, rtol=0.12)
    drift, _ = coil_errors(np.ones((21, 800, 12)), gain_drift=0.01, drift_time=2.0)
    npt.assert_allclose(drift, drift[..., :1] * np.ones(12))
    change = drift[..., 0] - 1
    npt.assert_allclose(change.std(), 0.01, rtol=0.1)
    npt.assert_allclose((change[0] * change[20]).mean() / 1e-4, math.exp(-1), atol=0.12)


def test_hum_is_of_the_mains_and_its_odd_harmonics():
    """Lines of 50, 150 and 250 Hz, each weaker by its number; alike in all gates and coils."""
    found, _ = coil_errors(SILENCE, step=1e-3, mains=1e-9, mains_frequency=50.0)
    npt.assert_array_equal(found, found[:, :1, :1] * np.ones((4, 12)))
    lines = 2 * np.abs(np.fft.rfft(found[:, 0, 0])) / len(found)
    frequency = np.fft.rfftfreq(len(found), 1e-3)
    for k in (1, 3, 5):
        npt.assert_allclose(lines[frequency == 50.0 * k], 1e-9 / k, rtol=1e-6)
    rest = ~np.isin(frequency, [50.0, 150.0, 250.0])
    assert lines[rest].max() < 1e-15
    other, _ = coil_errors(SILENCE, step=1e-3, mains=1e-9, seed=1)
    assert np.abs(other - found).max() > 1e-10  # another phase


def test_bursts_of_interference_are_flagged():
    """Louder while they last, and told; what is left is silent."""
    found, quality = coil_errors(
        np.zeros((20_000, 2, 12)), bursts_per_minute=6.0, burst_time=1.0, burst=5e-9
    )
    disturbed = quality == Quality.INTERFERENCE
    npt.assert_allclose(disturbed.mean(), 0.1, rtol=0.35)
    npt.assert_array_equal(found[~disturbed], 0.0)
    npt.assert_allclose(found[disturbed][..., 0].std(), 5e-9, rtol=0.1)


def test_a_detector_clips_at_its_full_scale():
    """Over a large piece of metal; the trace is lost and says so."""
    volts = np.zeros((3, 2, 12))
    volts[1, 0, 0] = 2e-3
    found, quality = coil_errors(volts, full_scale=1e-3, bits=16)
    npt.assert_array_equal(quality, [0, Quality.SATURATED, 0])
    assert np.isnan(found[1]).all()


# -- radars --------------------------------------------------------------------------------


def test_a_silent_radar_records_what_it_receives():
    """To the last bit; its time zero and direct wave are true."""
    traces = make_rng().normal(size=(3, 2, 192))
    found, quality = radar_errors(traces)
    npt.assert_array_equal(found, traces)
    npt.assert_array_equal(quality, 0)
    delay, coupling = timing()
    npt.assert_array_equal(delay, 0.0)
    npt.assert_array_equal(coupling, 1.0)


def test_radar_noise_is_white_and_of_its_spread():
    """A share of the direct wave's peak, in every sample and channel."""
    found, _ = radar_errors(QUIET, white=2e-3)
    npt.assert_allclose(found.std(), 2e-3 * PEAK, rtol=0.02)
    near = (found[..., 1:] * found[..., :-1]).mean() / found.var()
    npt.assert_allclose(near, 0.0, atol=0.02)


def test_channels_differ_in_gain_and_it_drifts():
    """One factor for all samples of a trace."""
    spread, _ = radar_errors(WAVE, gain_spread=0.05)
    ratio = spread[..., 20] / WAVE[..., 20]
    npt.assert_allclose(spread, ratio[..., None] * WAVE, atol=1e-12)
    npt.assert_allclose(ratio - ratio[:1], 0.0, atol=1e-12)
    npt.assert_allclose(ratio[0].std(), 0.05, rtol=0.35)
    drift, _ = radar_errors(WAVE, gain_drift=0.01, drift_time=1.0)
    ratio = drift[..., 20] / WAVE[..., 20] - 1
    npt.assert_allclose(ratio.std(), 0.01, rtol=0.2)
    memory = np.mean(ratio[20:] * ratio[:-20]) / ratio.var()
    npt.assert_allclose(memory, math.exp(-1), atol=0.15)


def test_levels_drift():
    """The same in all samples of a trace, slow, a share of the peak."""
    found, _ = radar_errors(np.zeros((400, 60, 192)), offset_drift=0.01, drift_time=1.0)
    npt.assert_array_equal(found, found[..., :1] * np.ones(192))
    npt.assert_allclose(found.std(), 0.01 * PEAK, rtol=0.15)


def test_time_zero_differs_drifts_and_jitters():
    """Between channels once, in time slowly, from trace to trace; each by its spread."""
    delay, _ = timing(n_channels=600, n=3, delay_spread=30e-12)
    npt.assert_array_equal(delay, delay[:1] * np.ones((3, 1)))
    npt.assert_allclose(delay[0].std(), 30e-12, rtol=0.12)
    delay, _ = timing(jitter=3e-12)
    npt.assert_allclose(delay.std(), 3e-12, rtol=0.05)
    assert abs(np.mean(delay[1:] * delay[:-1])) / delay.var() < 0.05
    delay, _ = timing(delay_drift=5e-12, drift_time=1.0)
    npt.assert_allclose(delay.std(), 5e-12, rtol=0.15)
    memory = np.mean(delay[20:] * delay[:-20]) / delay.var()
    npt.assert_allclose(memory, math.exp(-1), atol=0.15)


def test_the_direct_wave_drifts():
    """As a factor of its own, and nothing else with it."""
    delay, coupling = timing(coupling_drift=0.01, drift_time=1.0)
    npt.assert_array_equal(delay, 0.0)
    npt.assert_allclose((coupling - 1).std(), 0.01, rtol=0.15)


def test_antennas_ring_after_the_pulse():
    """At their frequency, falling to 1/e in their time; the same in every trace."""
    found, _ = radar_errors(QUIET, ringing=0.02, ringing_frequency=0.8e9, ringing_time=2e-9)
    npt.assert_array_equal(found, found[:1] * np.ones((len(QUIET), 1, 1)))
    before = AXIS < ZERO
    npt.assert_array_equal(found[0][:, before], 0.0)
    after = AXIS[~before] - ZERO
    for trace in found[0][:, ~before]:
        design = np.exp(-after / 2e-9)[:, None] * np.column_stack(
            [np.cos(2 * np.pi * 0.8e9 * after), np.sin(2 * np.pi * 0.8e9 * after)]
        )
        weights, rest, *_ = np.linalg.lstsq(design, trace, rcond=None)
        assert rest[0] < 1e-20
        npt.assert_allclose(np.hypot(*weights), 0.02 * PEAK)


def test_radar_interference_is_a_tone_in_a_burst():
    """One line in the spectrum of a disturbed trace, flagged; nothing elsewhere."""
    found, quality = radar_errors(
        np.zeros((8000, 1, 192)), bursts_per_minute=10.0, burst_time=0.5, burst=0.02
    )
    disturbed = quality == Quality.INTERFERENCE
    assert 0.03 < disturbed.mean() < 0.2
    npt.assert_array_equal(found[~disturbed], 0.0)
    npt.assert_allclose(found[disturbed].std(), 0.02 * PEAK / math.sqrt(2), rtol=0.1)
    spectra = np.abs(np.fft.rfft(found[disturbed][:, 0] * np.hanning(192))) ** 2
    top = np.sort(spectra, axis=1)[:, -5:].sum(axis=1) / spectra.sum(axis=1)
    assert np.median(top) > 0.99


def test_gain_may_grow_with_time():
    """In dB per second from time zero on, up to its end."""
    found, _ = radar_errors(np.ones((2, 1, 192)), gain_slope=3e9, most_gain=20.0)
    expected = 3e9 * np.clip(AXIS - ZERO, 0.0, None)
    npt.assert_allclose(20 * np.log10(found[0, 0]), np.minimum(expected, 20.0), atol=1e-9)
    npt.assert_array_equal(gain_curve(AXIS, slope=0.0), 1.0)


def test_a_radar_clips_at_its_full_scale():
    """A share of the direct wave's peak."""
    traces = np.zeros((3, 1, 192))
    traces[1, 0, 50], traces[2, 0, 50] = 1.3 * PEAK, -1.1 * PEAK
    found, quality = radar_errors(traces, full_scale=1.2, bits=16)
    npt.assert_array_equal(quality, [0, Quality.SATURATED, 0])
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[2]).all()


# -- a whole lane --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_lane_with_every_fault_is_still_a_lane():
    """Whatever means nothing is flagged; what happened can be read from the flags."""
    recipe = scenario(
        "farmland", lanes={"training": 1, "blind": 0, "length": 20.0, "run_in": 1.0}
    )
    faults = Faults(
        gaps_per_minute=4.0,
        dropouts_per_minute=20.0,
        stuck_per_minute=6.0,
        duplicates_per_minute=10.0,
        lost_stamps_per_minute=6.0,
    )
    carrier = cart(
        n_antennas=2,
        n_coils=2,
        width=0.5,
        positioning=Positioning(losses_per_minute=6.0, lag=0.1),
        radar_errors=RadarErrors(bursts_per_minute=10.0),
        coil_errors=CoilErrors(bursts_per_minute=10.0),
        faults=faults,
    )
    for sweep in field(recipe, seed=4).sweep(carrier):
        bad = ~np.isfinite(sweep.samples).all(axis=(1, 2))
        assert not (bad & sweep.is_usable).any()
        found = {flag for flag in Quality if (sweep.quality & flag).any()}
        assert {
            Quality.GAP,
            Quality.SATURATED,
            Quality.STUCK,
            Quality.INTERFERENCE,
            Quality.POSE_NONE,
            Quality.TIME_DUPLICATE,
            Quality.TIME_COARSE,
        } <= found
        assert (np.diff(sweep.time) > 0).all()


@pytest.mark.slow
def test_errors_do_not_touch_the_ground():
    """With and without noise the soil, the motion and the objects are the same."""
    recipe = scenario(
        "farmland", lanes={"training": 1, "blind": 0, "length": 2.0, "run_in": 0.5}
    )
    made = field(recipe, seed=1)
    sizes = {"n_antennas": 1, "n_coils": 1, "radar_spacing": 0.1, "coil_spacing": 0.1}
    plain = made.sweep(cart(**sizes, **quiet()))
    noisy = made.sweep(
        cart(
            **sizes,
            **quiet(
                radar_errors=silent(RadarErrors, white=1e-6, **NO_BITS),
                coil_errors=silent(CoilErrors, white=1e-13, **NO_BITS),
            ),
        )
    )
    for one, other in zip(plain, noisy, strict=True):
        assert 0 < np.abs(one.samples - other.samples).max() < 1e-4 * np.abs(one.samples).max()
        npt.assert_array_equal(one.time, other.time)


# -- stepped-frequency radars --------------------------------------------------------------


def tone_errors(phasors, **options):
    """Return what a stepped-frequency radar records, as phasors, and the flags."""
    errors = silent(ToneErrors, **{"full_scale": 1e3, "isolation": 1.0, **NO_BITS} | options)
    n = len(phasors)
    samples, quality = errors.apply(
        np.ascontiguousarray(phasors).view(np.float64),
        0.05 * np.arange(n),
        axis=np.linspace(0.6e9, 3e9, phasors.shape[2]),
        peak=2.0,
        time_zero=0.0,
        rng=make_rng(),
    )
    return np.ascontiguousarray(samples).view(np.complex128), quality


PHASORS = np.exp(1j * np.arange(400 * 3 * 50).reshape(400, 3, 50))


def test_a_silent_stepped_radar_records_what_it_receives():
    found, quality = tone_errors(PHASORS)
    npt.assert_array_equal(found, PHASORS)
    npt.assert_array_equal(quality, 0)


def test_tones_keep_what_calibration_leaves():
    """Gain and phase of a tone of a channel, the same in every trace."""
    found, _ = tone_errors(PHASORS, tone_gain=0.05, tone_phase=0.1)
    factor = found / PHASORS
    npt.assert_allclose(factor - factor[:1], 0, atol=1e-12)
    npt.assert_allclose(np.abs(factor[0]).std(), 0.05, rtol=0.2)
    npt.assert_allclose(np.angle(factor[0]).std(), 0.1, rtol=0.2)


def test_stepped_radars_drift_and_hiss():
    found, _ = tone_errors(PHASORS, gain_spread=0.05, gain_drift=0.02, drift_time=1.0)
    factor = found / PHASORS
    npt.assert_allclose(factor, np.tile(factor[:, :, :1], 50), atol=1e-12)
    npt.assert_allclose(factor[:, :, 0].real.std(axis=0).mean(), 0.02, rtol=0.3)
    found, _ = tone_errors(0 * PHASORS, white=1e-3)
    npt.assert_allclose([found.real.std(), found.imag.std()], 2e-3, rtol=0.02)


def test_interference_meets_some_tones():
    found, quality = tone_errors(0 * PHASORS, bursts_per_minute=20.0, burst_time=1.0, burst=0.1)
    is_hit = (quality & Quality.INTERFERENCE) != 0
    assert 0.05 < is_hit.mean() < 0.95
    assert not found[~is_hit].any()
    npt.assert_allclose((found[is_hit] != 0).mean(), 0.1, atol=0.02)


def test_stepped_radars_clip():
    loud = PHASORS.copy()
    loud[7] *= 30
    found, quality = tone_errors(loud, full_scale=10.0)
    npt.assert_array_equal(np.flatnonzero(quality & Quality.SATURATED), [7])
    assert np.isnan(found[7]).all()


def test_blanking_weakens_the_direct_wave():
    errors = silent(ToneErrors, isolation=0.1)
    delay, coupling = errors.timing(np.arange(3.0), 2, rng=make_rng())
    npt.assert_array_equal(coupling, 0.1)
    npt.assert_array_equal(delay, 0.0)


@pytest.mark.slow
def test_one_lane_by_pulses_and_by_tones():
    """The same ground: transformed to time, tones put the bounce where pulses have it."""
    recipe = scenario(
        "farmland", lanes={"training": 1, "blind": 0, "length": 1.0, "run_in": 0.5}
    )
    made = field(recipe, seed=1)
    sizes = {"n_antennas": 2, "n_coils": 1, "radar_spacing": 0.1, "coil_spacing": 0.1}
    pulses = made.sweep(cart(**sizes, **quiet()))[0]
    tones = made.sweep(cart(**sizes, **quiet(), waves="tones"))[0]
    assert tones.sensor.is_complex
    assert tones.sensor.axis_unit == "Hz"
    npt.assert_array_equal(tones.position, pulses.position)
    step = pulses.sensor.sample_interval
    traces = tones_to_time(
        tones.phasors, tones.sensor.axis, n_samples=192, interval=step, window="none"
    )
    late = pulses.samples[..., 20:]  # after the direct wave
    delays = [np.abs(part).argmax(axis=-1) * step for part in (late, traces[..., 20:])]
    assert np.abs(np.median(delays[0] - delays[1])) < 2.5 * step
    again = made.sweep(cart(**sizes, **quiet(), waves="tones"))[0]
    assert again.samples.tobytes() == tones.samples.tobytes()


# -- defaults and bad input ----------------------------------------------------------------


@pytest.mark.parametrize("record", [Positioning, Faults, CoilErrors, RadarErrors, ToneErrors])
def test_defaults_are_marked_as_unverified(record):
    """In the words of the record, and every figure has its unit or meaning beside it."""
    assert "All defaults are unverified" in record.__doc__
    source = inspect.getsource(record)
    for item in dataclasses.fields(record):
        line = next(text for text in source.splitlines() if text.strip().startswith(item.name))
        assert "#:" in line, item.name


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: CoilErrors(white=-1e-3), ValueError, "Invalid white '-0.001'"),
        (lambda: CoilErrors(drift_time=0.0), ValueError, "Invalid drift_time '0.0'"),
        (lambda: CoilErrors(white="loud"), TypeError, "Invalid white 'loud'"),
        (lambda: CoilErrors(mains_harmonics=0), ValueError, "Invalid mains_harmonics '0'"),
        (lambda: CoilErrors(bits=40), ValueError, "Invalid bits '40'. Must be at most 32"),
        (lambda: CoilErrors(bits=-1), ValueError, "Invalid bits '-1.0'"),
        (lambda: RadarErrors(ringing_time=0), ValueError, "Invalid ringing_time '0.0'"),
        (lambda: RadarErrors(jitter=math.inf), ValueError, "Invalid jitter 'inf'"),
        (lambda: ToneErrors(tone_gain=-1.0), ValueError, "Invalid tone_gain '-1.0'"),
        (lambda: ToneErrors(burst_time=0.0), ValueError, "Invalid burst_time '0.0'"),
        (lambda: cart(waves="x"), ValueError, "Invalid waves 'x'"),
        (
            lambda: dataclasses.replace(cart(), radar_errors=ToneErrors()),
            ValueError,
            "Invalid radar_errors ToneErrors of a radar of pulses",
        ),
        (lambda: RadarErrors(full_scale=0.0), ValueError, "Invalid full_scale '0.0'"),
        (lambda: Positioning(lag=-0.1), ValueError, "Invalid lag '-0.1'"),
        (lambda: Positioning(error_time=0.0), ValueError, "Invalid error_time '0.0'"),
        (lambda: Faults(gaps_per_minute=-1), ValueError, "Invalid gaps_per_minute '-1.0'"),
        (lambda: Faults(stuck_time=0.0), ValueError, "Invalid stuck_time '0.0'"),
        (lambda: Converter(full_scale=-1.0), ValueError, "Invalid full_scale '-1.0'"),
        (
            lambda: singles(TIME, -1.0, rng=make_rng()),
            ValueError,
            "Invalid per_minute '-1.0'",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(error, match=message):
        call()

"""Test what works along the two-way time of each trace against definitions and theory."""

import math

import naive_fast_time as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from scipy import signal

from minesense.gpr import (
    Declip,
    Despike,
    band_pass,
    declip,
    despike,
    dewow,
    flatten_spectrum,
    prescreen_energy,
)
from minesense.sweep import Quality

STEP = 5e-11  # s
RNG = np.random.default_rng(seed=0)
NOISE = RNG.normal(size=(9, 2, 80)).astype(np.float32)


def lane_of(traces, **options):
    """Return traces as a lane of a radar with 50 ps samples."""
    traces = np.asarray(traces, np.float32)
    sensor = make_sensor(*traces.shape[1:], interval=STEP)
    return make_sweep(traces, sensor=sensor, **options)


def by_trace(function, traces):
    """Return what a function of one trace gives for all."""
    return np.stack([[function(trace) for trace in channels] for channels in traces])


def ricker(n_samples, at, period):
    """Return a Ricker pulse with its peak of 1 at sample `at`."""
    phase = math.pi / period * (np.arange(n_samples) - at)
    return (1 - 2 * phase**2) * np.exp(-(phase**2))


# Band-pass


@pytest.mark.parametrize("phase", ["zero", "causal"])
@pytest.mark.parametrize("order", [1, 2, 3, 4, 7, 10])
@pytest.mark.parametrize(
    "band", [(2e6, 9e9), (1e7, 4e7), (4e7, 5e8), (4e8, 3.5e9), (3e9, 3.3e9), (1e9, 9.9e9)]
)
def test_band_pass_is_exact_in_every_band(phase, order, band):
    """To 1e-6 of the peak of float64 SciPy, with poles close to 1 and -1, and drift."""
    n_samples = 77 + order % 4  # all remainders of the groups of four
    traces = RNG.normal(size=(3, 1, n_samples)) + np.linspace(50, 60, n_samples)
    lane = lane_of(traces)
    found = band_pass(lane, low=band[0], high=band[1], order=order, phase=phase).samples
    sections = signal.butter(order, band, "bandpass", output="sos", fs=1 / STEP)
    expected = by_trace(lambda x: naive.band_pass(x, sections, phase), lane.samples)
    npt.assert_allclose(found, expected, atol=1e-6 * np.abs(traces).max())


@pytest.mark.parametrize("phase", ["zero", "causal"])
def test_band_pass_of_any_number_of_traces(phase):
    """Tiles that are full, part of a tile, and traces that are no whole group of four."""
    sections = signal.butter(4, (4e8, 3.5e9), "bandpass", output="sos", fs=1 / STEP)
    for n_traces in (1, 3, 31, 32, 33, 70):
        lane = lane_of(RNG.normal(size=(n_traces, 1, 70)))
        found = band_pass(lane, low=4e8, high=3.5e9, phase=phase).samples
        expected = by_trace(lambda x: naive.band_pass(x, sections, phase), lane.samples)
        npt.assert_allclose(found, expected, atol=1e-6 * 4)


def test_zero_phase_is_symmetric_and_causal_is_not():
    """An impulse: the same on both sides of it, or nothing before it."""
    impulse = np.zeros((1, 1, 201))
    impulse[..., 100] = 1.0
    lane = lane_of(impulse)
    zero = band_pass(lane, low=1e9, high=5e9).samples[0, 0]
    npt.assert_allclose(zero, zero[::-1], atol=1e-6)
    causal = band_pass(lane, low=1e9, high=5e9, phase="causal").samples[0, 0]
    assert not causal[:100].any()
    assert np.abs(causal[100:]).max() > 0.1


def test_causal_band_pass_loses_half_the_power_at_its_edges():
    """Once settled, sines at the edges are left with 3 dB less."""
    j = np.arange(4000)
    for frequency in (1e9, 3e9):
        sine = np.sin(2 * math.pi * frequency * STEP * j)[None, None]
        found = band_pass(lane_of(sine), low=1e9, high=3e9, phase="causal").samples[0, 0]
        npt.assert_allclose(np.sqrt((found[2000:] ** 2).mean()), 0.5, atol=2e-3)


def test_causal_band_pass_starts_settled():
    """A constant is nothing from the first sample on, and so is one beneath a pulse."""
    flat = lane_of(np.full((2, 1, 64), 1e4))
    assert not band_pass(flat, low=1e9, high=3e9, phase="causal").samples.any()
    pulse = ricker(64, 30, 13)
    one = band_pass(lane_of(pulse[None, None]), low=1e9, high=3e9, phase="causal").samples
    other = band_pass(lane_of(pulse[None, None] + 8), low=1e9, high=3e9, phase="causal").samples
    npt.assert_allclose(one, other, atol=1e-5)


def test_a_short_trace_needs_no_ends_when_causal():
    """Only the filter of phase zero extends the trace."""
    lane = lane_of(NOISE[..., :20])
    assert np.isfinite(band_pass(lane, low=1e9, high=3e9, phase="causal").samples).all()
    with pytest.raises(ValueError, match="Must hold more than 27 for a band-pass of order 4"):
        band_pass(lane, low=1e9, high=3e9)


# Wow by median


@pytest.mark.parametrize("h", [1, 2, 3, 5, 8, 15, 31, 39])
@pytest.mark.parametrize("n_traces", [1, 9])
def test_median_dewow_matches_the_definition(h, n_traces):
    """Bit for bit in the middle; with ties, and at the ends where windows are even."""
    traces = NOISE[:n_traces].copy()
    traces[..., 1::3] = traces[..., 1::3].round()
    found = dewow(lane_of(traces), window=(2 * h + 1) * STEP, statistic="median").samples
    expected = by_trace(lambda x: x - naive.sliding_median(x, h), traces)
    npt.assert_allclose(found, expected, atol=1e-6)
    npt.assert_array_equal(found[..., h:-h], expected[..., h:-h].astype(np.float32))


@pytest.mark.parametrize("n_traces", [0, 63, 64, 66, 130])
def test_median_dewow_of_any_number_of_traces(n_traces):
    """Tiles of 64 traces, full or in part."""
    traces = RNG.normal(size=(n_traces, 1, 12)).astype(np.float32)
    found = dewow(lane_of(traces), window=5 * STEP, statistic="median").samples
    for trace, residual in zip(traces[:, 0], found[:, 0], strict=True):
        npt.assert_allclose(residual, trace - naive.sliding_median(trace, 2), atol=1e-6)


def test_median_dewow_leaves_steps_and_pulses():
    """A step of the drift vanishes whole; a short pulse stays, with nothing beside it."""
    step = np.where(np.arange(80) < 40, 3.0, -2.0)
    pulse = np.zeros(80)
    pulse[20:24] = [1.0, 5.0, -4.0, -1.0]
    lane = lane_of((step + pulse)[None, None])
    found = dewow(lane, window=21 * STEP, statistic="median").samples[0, 0]
    npt.assert_allclose(found, pulse, atol=1e-6)
    mean = dewow(lane, window=21 * STEP).samples[0, 0]
    assert np.abs(mean - pulse).max() > 2


def test_median_dewow_of_flagged_traces_leaves_the_others_alone():
    """Infinite samples of a dropout are not taken for the end of a trace."""
    traces = NOISE.copy()
    traces[3] = np.inf
    traces[4] = np.nan
    quality = np.zeros(9, np.int64)
    quality[[3, 4]] = int(Quality.NOT_FINITE)
    found = dewow(lane_of(traces, quality=quality), window=11 * STEP, statistic="median")
    whole = dewow(lane_of(NOISE), window=11 * STEP, statistic="median")
    assert np.isnan(found.samples[[3, 4]]).all()
    rest = [0, 1, 2, 5, 6, 7, 8]
    npt.assert_array_equal(found.samples[rest], whole.samples[rest])


# Spikes


@pytest.mark.parametrize("h", [1, 2, 5, 12])
@pytest.mark.parametrize(("threshold", "floor"), [(2.0, 0.0), (3.0, 0.8)])
def test_despike_matches_the_definition(h, threshold, floor):
    """Samples, flags and counts, with ties and a trace of zeros."""
    traces = RNG.standard_t(2, size=(70, 1, 40)).astype(np.float32)
    traces[:30] = traces[:30].round()
    traces[5] = 0.0
    longest = min(2, h)
    stage = Despike(
        window=(2 * h + 1) * STEP, longest=longest * STEP, threshold=threshold, floor=floor
    )
    found = stage.process(lane_of(traces))
    for k in range(70):
        expected, n = naive.despike(traces[k, 0], h, longest, threshold, floor)
        npt.assert_allclose(found.samples[k, 0], expected, atol=1e-6)
        assert stage.n_replaced[k, 0] == n
        flags = Quality.INTERFERENCE | Quality.RESTORED if n else Quality(0)
        assert found.quality[k] == int(flags)
    assert stage.n_replaced.sum() > 10


@given(at=st.integers(0, 79), height=st.floats(20, 1e6), width=st.integers(1, 3))
def test_a_spike_goes_and_nothing_else(at, height, width):
    """A spike of up to `longest` is gone wherever it is; what is longer stays, to the bit."""
    wave = np.sin(np.arange(80) / 6).astype(np.float32)
    spoilt = wave.copy()
    spoilt[at : at + width] += height
    lane = lane_of(np.stack([wave, spoilt])[:, None])
    found = despike(lane, window=11 * STEP, longest=2 * STEP)
    npt.assert_array_equal(found.samples[0, 0], wave)
    if width == 3 and at + width <= 80:
        npt.assert_array_equal(found.samples[1, 0], spoilt)
        assert found.quality[1] == 0
    else:
        assert np.abs(found.samples[1, 0] - wave).max() < 1
        assert found.quality[1] & Quality.INTERFERENCE


@pytest.mark.parametrize("period", [13, 20])
def test_pulses_are_no_spikes(period):
    """A strong pulse in weak noise, whose flanks are outliers, stays as it is, to the bit."""
    rng = np.random.default_rng(seed=2)
    at = rng.uniform(60, 140, size=200)
    traces = np.stack([ricker(200, x, period) for x in at])[:, None]
    lane = lane_of(20 * traces + 0.3 * rng.normal(size=traces.shape))
    window, longest = 11 * STEP, 2 * STEP
    found = despike(lane, window=window, longest=longest)
    near = np.abs(np.arange(200) - at[:, None]) < period
    changed = (found.samples != lane.samples)[:, 0]
    assert not (changed & near).any()
    assert changed.mean() < 3e-3  # of the noise, whose spread over 11 samples varies


def test_spikes_of_one_channel_flag_the_trace():
    """The flag is for the trace, the count for each channel; flags that were there stay."""
    traces = np.tile(np.sin(np.arange(80) / 6), (4, 2, 1))
    traces[1, 1, 30] = 50
    traces[2] = 1e4
    traces[2, :, ::7] = np.inf
    quality = np.array([0, Quality.POSE_COARSE, Quality.SATURATED, 0])
    stage = Despike(window=11 * STEP, longest=2 * STEP)
    found = stage.process(lane_of(traces, quality=quality))
    npt.assert_array_equal(stage.n_replaced, [[0, 0], [0, 1], [0, 0], [0, 0]])
    spoilt = Quality.POSE_COARSE | Quality.INTERFERENCE | Quality.RESTORED
    npt.assert_array_equal(found.quality, [0, spoilt, Quality.SATURATED, 0])
    stage.reset()
    assert stage.n_replaced.size == 0


# Clipping


@pytest.mark.parametrize("seed", range(12))
def test_declip_matches_bounded_least_squares(seed):
    """Several runs near each other, both rails, corners where the rail is touched."""
    rng = np.random.default_rng(seed)
    for width in (1, 4, 9, 15):
        trace = np.convolve(rng.normal(size=90), np.hanning(width + 2), "same")
        trace = (trace / np.abs(trace).max()).astype(np.float32)
        trace[:3] = trace[-3:] = 0.1
        rail = np.float32(rng.uniform(0.3, 0.95))
        clipped = trace.clip(-rail, rail)
        found = declip(lane_of(clipped[None, None]), rails=(-rail, rail), longest=32 * STEP)
        expected = naive.declip(clipped, -rail, rail)
        npt.assert_allclose(found.samples[0, 0], expected, atol=2e-5 * np.abs(expected).max())
        is_clipped = (np.abs(trace) >= rail).any()
        assert found.quality[0] == (int(Quality.RESTORED) if is_clipped else 0)


def test_declip_restores_a_cubic():
    """A polynomial of the third degree has no fourth difference: it comes back."""
    t = np.linspace(-1, 1, 61)
    cubic = 40 * (t + 0.9) * t * (t - 0.9)
    assert cubic.max() > 11
    assert cubic.min() < -11
    found = declip(lane_of(cubic.clip(-9, 9)[None, None]), rails=(-9.0, 9.0), longest=32 * STEP)
    npt.assert_allclose(found.samples[0, 0], cubic, atol=1e-3)


@pytest.mark.parametrize("period", [13, 20, 30])
@pytest.mark.parametrize("sign", [1, -1])
def test_declip_restores_a_pulse(period, sign):
    """Clipped at half its height, the peak comes back to within a tenth of it."""
    pulse = 1e4 * sign * ricker(120, 60.3, period)
    lane = lane_of(pulse.clip(-5e3, 5e3)[None, None])
    found = declip(lane, rails=(-5e3, 5e3), longest=16 * STEP)
    assert np.abs(found.samples[0, 0] - pulse).max() < 1e3
    known = np.abs(pulse) < 5e3
    npt.assert_array_equal(found.samples[0, 0][known], lane.samples[0, 0][known])
    assert (np.abs(found.samples[0, 0][~known]) >= 5e3).all()


@given(
    rail=st.floats(0.2, 1.5),
    longest=st.integers(1, 32),
    scale=st.floats(1e-3, 1e6),
    seed=st.integers(0, 50),
)
def test_declip_never_comes_inside_the_rails(rail, longest, scale, seed):
    """Restored samples lie beyond the rail at which they were; all others are untouched."""
    trace = scale * np.random.default_rng(seed).normal(size=60)
    trace = trace.clip(-rail * scale, rail * scale).astype(np.float32)
    low, high = trace.min(), trace.max()
    stage = Declip(rails=(low, high), longest=longest * STEP)
    found = stage.process(lane_of(trace[None, None]))
    if found.quality[0] & Quality.SATURATED:
        assert stage.n_replaced[0, 0] == -1
        assert np.isnan(found.samples).all()
        return
    result = found.samples[0, 0]
    assert (result[trace == high] >= high).all()
    assert (result[trace == low] <= low).all()
    inside = (trace > low) & (trace < high)
    npt.assert_array_equal(result[inside], trace[inside])
    assert stage.n_replaced[0, 0] == (~inside).sum()


def test_what_cannot_be_restored_is_saturated():
    """Runs that are too long or touch an end; a channel spoils its trace, no other."""
    pulse = ricker(80, 40, 20).clip(-1, 0.6)
    traces = np.tile(pulse, (6, 2, 1))
    traces[1, 1, 50:57] = 0.6  # 7 samples
    traces[2, 0, 50:56] = 0.6  # 6: the longest
    traces[3, 0, :2] = 0.6
    traces[4, 1, -1] = 0.7
    traces[5] = 0.1 * NOISE[0]
    stage = Declip(rails=(-1.0, 0.6), longest=6 * STEP)
    found = stage.process(lane_of(traces))
    kept, lost = int(Quality.RESTORED), int(Quality.SATURATED)
    npt.assert_array_equal(found.quality, [kept, lost, kept, lost, lost, 0])
    npt.assert_array_equal(np.isnan(found.samples).all(axis=(1, 2)), found.quality == lost)
    assert (stage.n_replaced == -1).sum() == 3
    npt.assert_array_equal(found.samples[5], lane_of(traces).samples[5])


def test_fewer_than_four_known_samples_tell_no_curve():
    """A cubic is told by four: with fewer around it a run stays saturated."""
    traces = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.5]])[:, None]
    found = declip(lane_of(traces), rails=(-1.0, 1.0), longest=2 * STEP)
    assert (found.quality == int(Quality.SATURATED)).all()
    traces = np.array([[0.0, 0.5, 1.0, 1.0, 0.5], [0.0, 0.9, 1.0, 0.9, 0.0]])[:, None]
    found = declip(lane_of(traces), rails=(-1.0, 1.0), longest=2 * STEP)
    assert found.quality.tolist() == [int(Quality.SATURATED), int(Quality.RESTORED)]
    npt.assert_allclose(found.samples[1, 0, 2], 1.2, rtol=1e-6)


def test_a_saturated_trace_stays_so():
    """Flags are never taken away, and what such a trace holds is not looked at."""
    traces = np.tile(ricker(80, 40, 20).clip(-1, 0.6), (3, 1, 1))
    traces[1] = 0.6
    quality = np.array([Quality.SATURATED, Quality.STUCK, 0])
    stage = Declip(rails=(-1.0, 0.6), longest=8 * STEP)
    found = stage.process(lane_of(traces, quality=quality))
    npt.assert_array_equal(found.quality, [Quality.SATURATED, Quality.STUCK, Quality.RESTORED])
    assert stage.n_replaced[:2].max() == 0
    assert np.isnan(found.samples[:2]).all()
    assert found.is_credited.tolist() == [False, False, True]
    stage.reset()
    assert stage.n_replaced.size == 0


# Spectra

FLAT = {"low": 5e8, "high": 6e9, "taper": 1e9, "smoothing": 1e9, "water_level": 0.02}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"taper": 0.0},
        {"water_level": 1.0},
        {"smoothing": 5e8, "taper": 2.75e9},
        {"low": 1e6},
    ],
)
def test_flat_spectrum_matches_the_definition(options):
    options = FLAT | options
    traces = NOISE * np.exp(-np.arange(80) / 30)
    traces[2, 1] = 0.0
    lane = lane_of(traces)
    found = flatten_spectrum(lane, **options).samples
    n_fft = {1e9: 100, 5e8: 120}[options["smoothing"]]
    expected = by_trace(
        lambda x: naive.flatten_spectrum(x, STEP, n_fft=n_fft, **options), lane.samples
    )
    npt.assert_allclose(found, expected, atol=3e-6 * np.abs(traces).max())


def test_a_pulse_becomes_flat_short_and_stays_in_place():
    """The spectrum of a Ricker pulse is even inside the band, and its peak where it was."""
    lane = lane_of(ricker(256, 128, 20)[None, None])
    options = {"low": 2e8, "high": 3e9, "taper": 4e8, "smoothing": 2e8, "water_level": 1e-3}
    found = flatten_spectrum(lane, **options).samples[0, 0]
    spectrum = np.abs(np.fft.rfft(found))
    frequency = np.fft.rfftfreq(256, STEP)
    inside = (frequency > 7e8) & (frequency < 2.5e9)
    assert np.ptp(spectrum[inside]) < 0.1 * spectrum.max()
    before = np.abs(np.fft.rfft(lane.samples[0, 0]))
    assert np.ptp(before[inside]) > 0.7 * before.max()
    assert found.argmax() == 128
    npt.assert_allclose(found[28:129], found[228:127:-1], atol=2e-3 * found.max())


@given(st.floats(1e-6, 1e6))
def test_strong_traces_stay_strong(scale):
    """A multiple of a trace gives that multiple, so that the prescreener may take it."""
    one = flatten_spectrum(lane_of(NOISE[:1]), **FLAT).samples
    other = flatten_spectrum(lane_of(NOISE[:1] * np.float32(scale)), **FLAT).samples
    npt.assert_allclose(other, one * np.float32(scale), rtol=1e-4, atol=1e-5 * scale)


def test_flat_traces_may_be_screened():
    lane = lane_of(np.random.default_rng(1).normal(size=(60, 1, 60)))
    flat = flatten_spectrum(lane, **FLAT)
    assert flat.sensor is lane.sensor
    assert np.isfinite(prescreen_energy(flat, spacing=0.05, bin_length=1e-9).samples).all()


def test_energy_in_the_band_is_kept():
    """Of a trace that ends in silence, so that nothing is cut off behind it."""
    trace = np.zeros(400)
    trace[100:180] = NOISE[0, 0]
    found = flatten_spectrum(lane_of(trace[None, None]), **FLAT).samples[0, 0].astype(float)
    spectrum, frequency = np.fft.rfft(trace, 4096), np.fft.rfftfreq(4096, STEP)
    edge = np.minimum(frequency - FLAT["low"], FLAT["high"] - frequency)
    share = np.sin(np.pi / 2 * (edge / FLAT["taper"]).clip(0, 1)) ** 2
    inside = np.fft.irfft(share * spectrum)
    npt.assert_allclose((found**2).sum(), (inside**2).sum(), rtol=0.02)


# Bad input

FUNCTIONS = {
    "median dewow": lambda lane: dewow(lane, window=1e-9, statistic="median"),
    "causal band-pass": lambda lane: band_pass(lane, low=1e9, high=3e9, phase="causal"),
    "spikes": lambda lane: despike(lane, window=5.5e-10, longest=1e-10),
    "clipping": lambda lane: declip(lane, rails=(-9.0, 9.0), longest=1e-9),
    "spectra": lambda lane: flatten_spectrum(lane, **FLAT),
}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@every_function
@pytest.mark.parametrize("n_traces", [0, 1, 5])
def test_short_lanes(function, n_traces):
    result = function(lane_of(NOISE[:n_traces]))
    assert result.samples.shape == (n_traces, 2, 80)
    assert result.samples.dtype == np.float32
    assert np.isfinite(result.samples).all()


@every_function
def test_each_trace_by_itself(function):
    """A trace comes out alike whatever stands beside it, to the last bit."""
    together = function(lane_of(NOISE)).samples
    for k in range(9):
        npt.assert_array_equal(together[k], function(lane_of(NOISE[k : k + 1])).samples[0])


@every_function
def test_coils_are_refused(function):
    coils = make_sweep(np.zeros((3, 2, 12)), sensor=make_coils(2, 12))
    with pytest.raises(ValueError, match="Must be a radar"):
        function(coils)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (dewow, {"window": 1e-9, "statistic": "mode"}, "Invalid statistic 'mode'. Must be one"),
        (dewow, {"window": STEP, "statistic": "median"}, "Must be 3 to 80 samples of 5e-11 s"),
        (band_pass, {"low": 1e9, "high": 3e9, "phase": "linear"}, "Invalid phase 'linear'"),
        (despike, {"window": STEP, "longest": STEP}, "Invalid window .* Must be 3 to 80"),
        (despike, {"window": 1e-9, "longest": 2e-11}, "Invalid longest '2e-11'. Must be at"),
        (despike, {"window": 5.5e-10, "longest": 3e-10}, "less than half the window, 2.75e-10"),
        (
            despike,
            {"window": 1e-9, "longest": 1e-10, "threshold": 0},
            "Invalid threshold '0.0'",
        ),
        (despike, {"window": 1e-9, "longest": 1e-10, "floor": -1}, "Invalid floor '-1.0'"),
        (declip, {"rails": (1, 1), "longest": 1e-9}, r"Invalid rails '\(1.0, 1.0\)'. Must be"),
        (declip, {"rails": (1, 2, 3), "longest": 1e-9}, r"Invalid rails with shape \(3,\)"),
        (declip, {"rails": (-1, math.inf), "longest": 1e-9}, "Invalid rails: 1 of 2"),
        (declip, {"rails": (-1, 1), "longest": 2e-11}, "Invalid longest .* Must be 1 to 32"),
        (declip, {"rails": (-1, 1), "longest": 33 * STEP}, "Must be 1 to 32 samples of 5e-11"),
        (flatten_spectrum, FLAT | {"low": 0}, "Invalid low '0.0'"),
        (flatten_spectrum, FLAT | {"low": 6e9}, "Must be less than high, 6000000000.0 Hz"),
        (flatten_spectrum, FLAT | {"high": 1e10}, r"the Nyquist frequency, 1e\+10 Hz"),
        (flatten_spectrum, FLAT | {"taper": -1}, "Invalid taper '-1.0'"),
        (
            flatten_spectrum,
            FLAT | {"taper": 2.8e9},
            "Must be at most half the band, 2750000000",
        ),
        (flatten_spectrum, FLAT | {"smoothing": 5.5e9}, "Invalid smoothing .* less than the"),
        (flatten_spectrum, FLAT | {"smoothing": 4e8}, r"Must be at least 5e\+08 Hz, twice one"),
        (flatten_spectrum, FLAT | {"water_level": 0}, "Invalid water_level '0.0'"),
        (
            flatten_spectrum,
            FLAT | {"water_level": 1.1},
            "Invalid water_level '1.1'. Must be a share",
        ),
    ],
)
def test_bad_options_are_named(function, options, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        function(lane_of(NOISE), **options)

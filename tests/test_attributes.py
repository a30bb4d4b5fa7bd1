"""Test envelope, phase and frequency against definitions, SciPy and theory."""

import math

import naive_subspace as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from scipy import signal

from minesense.gpr import (
    Envelope,
    envelope,
    instantaneous_frequency,
    instantaneous_phase,
)
from minesense.stage import run_lane
from minesense.sweep import Quality

STEP = 5e-11  # s
TIME = STEP * np.arange(400)
ATTRIBUTES = (envelope, instantaneous_phase, instantaneous_frequency)


def lane_of(traces, **options):
    """Return traces as a lane of a radar with 50 ps samples."""
    traces = np.asarray(traces, np.float32)
    return make_sweep(traces, sensor=make_sensor(*traces.shape[1:], interval=STEP), **options)


def one(trace):
    """Return a trace as a lane."""
    return lane_of(np.asarray(trace)[None, None])


def noise(*shape, seed=0):
    """Return white noise."""
    return np.random.default_rng(seed=seed).normal(size=shape).astype(np.float32)


# Against the definition


@given(
    n_samples=st.integers(2, 70),
    n_traces=st.integers(0, 5),
    scale=st.sampled_from([1e-25, 1e-3, 1.0, 1e25]),
)
def test_envelope_matches_scipy_and_the_definition(n_samples, n_traces, scale):
    """Any length of trace, prime or even, and amplitudes whose squares no float32 holds."""
    traces = noise(n_traces, 2, n_samples, seed=n_samples) * np.float32(scale)
    result = envelope(lane_of(traces)).samples
    tolerance = {"rtol": 2e-6, "atol": 2e-6 * scale}
    if n_traces:
        expected = np.abs(signal.hilbert(traces.astype(float)))
        npt.assert_allclose(result, expected, **tolerance)
    rows = traces.reshape(-1, n_samples).astype(float)
    for trace, found in zip(rows, result.reshape(-1, n_samples), strict=True):
        npt.assert_allclose(found, np.hypot(trace, naive.quadrature(trace)), **tolerance)


def test_blocks_do_not_matter():
    """More traces than a block holds, and a part of one: each as it is alone, in every bit."""
    lane = lane_of(noise(300, 2, 61))
    together = envelope(lane).samples
    for k in (0, 1, 127, 128, 129, 255, 256, 299):
        assert envelope(lane[k : k + 1]).samples[0].tobytes() == together[k].tobytes()
    phases = instantaneous_phase(lane).samples
    expected = np.angle(signal.hilbert(lane.samples.astype(float)))
    npt.assert_allclose(phases, expected, atol=1e-6)


def test_frequency_is_the_slope_of_the_unwrapped_phase():
    """The same as NumPy's gradient of its unwrapped phase, on both sides of zero."""
    traces = noise(20, 2, 61)
    result = instantaneous_frequency(lane_of(traces)).samples
    phase = np.unwrap(np.angle(signal.hilbert(traces.astype(float))), axis=2)
    expected = np.gradient(phase, STEP, axis=2) / (2 * math.pi)
    npt.assert_allclose(result, expected, rtol=1e-5, atol=1e4)
    assert (result < 0).any()
    assert (np.abs(result) <= 0.5 / STEP * (1 + 1e-6)).all()
    # of two samples there is a constant and the Nyquist frequency, no quadrature
    two = instantaneous_frequency(lane_of(traces[:, :, :2])).samples
    turns = np.signbit(traces[:, :, 0]) != np.signbit(traces[:, :, 1])
    npt.assert_allclose(np.abs(two), np.where(turns, 0.5 / STEP, 0)[..., None].repeat(2, 2))


# Theory


def test_envelope_of_a_modulated_tone_is_its_modulation():
    """Carrier above the band of the modulation (Bedrosian): exact, phase and all."""
    modulation = 3 + np.cos(2 * math.pi * 5 * np.arange(400) / 400)
    phase = 2 * math.pi * 40 * np.arange(400) / 400 + 0.7
    lane = one(modulation * np.cos(phase))
    npt.assert_allclose(envelope(lane).samples[0, 0], modulation, rtol=1e-5)
    found = instantaneous_phase(lane).samples[0, 0]
    npt.assert_allclose(np.exp(1j * found), np.exp(1j * phase), atol=1e-6)
    frequency = instantaneous_frequency(lane).samples
    npt.assert_allclose(frequency, 40 / (400 * STEP), rtol=1e-5)


def test_phase_and_frequency_of_a_chirp():
    """A chirp in a smooth window has its law of phase; its frequency rises in a line."""
    t = TIME - TIME[200]
    rate = 2e9 / (200 * STEP)  # Hz / s
    phase = 2 * math.pi * (2e9 * t + rate * t**2 / 2)
    lane = one(np.exp(-((t / (60 * STEP)) ** 2)) * np.cos(phase))
    inner = slice(160, 241)
    found = instantaneous_phase(lane).samples[0, 0, inner]
    npt.assert_allclose(np.exp(1j * found), np.exp(1j * phase[inner]), atol=0.01)
    frequency = instantaneous_frequency(lane).samples[0, 0, inner]
    npt.assert_allclose(frequency, 2e9 + rate * t[inner], rtol=0.01)


@given(scale=st.floats(0.01, 100), shift=st.integers(0, 60))
def test_scale_and_shift(scale, shift):
    """A factor scales the envelope and leaves the phase; a shift in time moves both."""
    lane = lane_of(noise(3, 1, 61))
    other = lane_of(np.roll(scale * lane.samples, shift, axis=2))
    for attribute, factor in ((envelope, scale), (instantaneous_phase, 1.0)):
        expected = factor * np.roll(attribute(lane).samples, shift, axis=2)
        npt.assert_allclose(attribute(other).samples, expected, rtol=1e-4, atol=1e-5 * factor)
    npt.assert_allclose(envelope(other).samples, envelope(lane_of(-other.samples)).samples)


def test_where_there_is_no_phase_it_is_zero():
    """A trace of zeros has neither phase nor frequency; one of a constant has phase 0."""
    for trace in (np.zeros(40), np.full(40, 2.0)):
        for attribute in (instantaneous_phase, instantaneous_frequency):
            npt.assert_allclose(attribute(one(trace)).samples, 0, atol=1e-6)
    # a beat whose envelope, 2 |cos|, vanishes at samples 50 and 150 of 200
    j = np.arange(200)
    beat = np.cos(2 * math.pi * 20 * j / 200) + np.cos(2 * math.pi * 21 * j / 200)
    assert envelope(one(beat)).samples[0, 0, 100] < 1e-5
    assert instantaneous_phase(one(beat)).samples[0, 0, 100] == 0
    frequency = instantaneous_frequency(one(beat)).samples[0, 0]
    npt.assert_array_equal(np.flatnonzero(frequency == 0), [99, 100, 101])
    others = np.delete(frequency, [99, 100, 101])
    npt.assert_allclose(others, 20.5 / (200 * STEP), rtol=1e-4)
    ends = np.roll(beat, 100)  # now it vanishes at the first sample
    frequency = instantaneous_frequency(one(ends)).samples[0, 0]
    npt.assert_array_equal(np.flatnonzero(frequency == 0), [0, 1])


# Flags, records and bad input


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_flagged_traces_stay_flagged(attribute):
    """They come out as NaN in their places, whatever they hold; the others as without."""
    traces, quality = noise(20, 2, 31), np.zeros(20, np.int64)
    bad = [0, 7, 8, 19]
    quality[bad] = Quality.SATURATED
    traces[bad] = np.array([np.nan, np.inf, 3e38, -7])[:, None, None]
    lane = lane_of(traces, quality=quality)
    result = attribute(lane)
    npt.assert_array_equal(result.quality, quality)
    assert np.isnan(result.samples[bad]).all()
    rest = np.setdiff1d(np.arange(20), bad)
    npt.assert_array_equal(result.samples[rest], attribute(lane_of(traces[rest])).samples)


def test_results_say_what_they_are():
    """History, track and options; the function is the stage."""
    lane = lane_of(noise(5, 2, 31))
    for attribute in ATTRIBUTES[1:]:
        result = attribute(lane)
        assert result.history[-1].endswith(f": {attribute.__name__}()")
        assert result.samples.dtype == np.float32
        npt.assert_array_equal(result.time, lane.time)
        assert result.sensor is lane.sensor
        assert len(attribute(lane[:0])) == 0
    assert envelope(lane).history[-1].endswith(": Envelope()")
    npt.assert_array_equal(run_lane(Envelope(), lane).samples, envelope(lane).samples)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_bad_input_is_named(attribute):
    """Coils, a bare array, and NaN that got into a lane without a flag."""
    coils = make_sweep(np.zeros((4, 2, 12)), sensor=make_coils(2, 12))
    with pytest.raises(ValueError, match=r"of kind 'emi'.* Must be a radar"):
        attribute(coils)
    with pytest.raises(TypeError, match=r"of type ndarray\. Must be a Sweep"):
        attribute(coils.samples)
    lane = lane_of(noise(4, 1, 31))
    lane.samples[2] = np.nan
    with pytest.raises(ValueError, match=r"1 of 4 traces hold NaN .* the first is trace 2"):
        attribute(lane)

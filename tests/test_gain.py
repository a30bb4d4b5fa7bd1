"""Test gain along two-way time against definitions, theory and what must not follow it."""

import math

import naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.gpr import compensate_loss, equalise, loss_rate, prescreen_energy
from minesense.physics import wavenumber
from minesense.sweep import Quality

STEP = 1e-10  # s
NOISE = np.random.default_rng(seed=0).normal(size=(5, 2, 60)).astype(np.float32)


def lane_of(traces, **options):
    traces = np.asarray(traces, np.float32)
    return make_sweep(traces, sensor=make_sensor(*traces.shape[1:], interval=STEP), **options)


# Loss


@pytest.mark.parametrize("soil", [4.0 - 0.2j, 9.0 - 0.9j, 16.0 - 6j])
def test_loss_rate_is_that_of_a_wave_there_and_back(soil):
    """A plane wave over a known path loses what the rate says for its time."""
    frequency, path = 1.2e9, 0.6  # down and up
    k = complex(wavenumber(frequency, soil))
    two_way = path * k.real / (2 * math.pi * frequency)
    lost = abs(np.exp(-1j * k * path))
    npt.assert_allclose(math.exp(-loss_rate(soil, frequency=frequency) * two_way), lost)


def test_soil_without_loss_has_none():
    assert loss_rate(5.0, frequency=1e9) == 0.0


def test_compensation_makes_fading_echoes_alike():
    """Echoes that fall as exp(-a tau) / tau come out as strong as at the start."""
    rate, ground, start = 4e8, 5e-10, 3e-10
    late = STEP * np.arange(60) - ground
    fading = np.where(late >= start, np.exp(-rate * late) / np.maximum(late, start), 0.0)
    found = compensate_loss(
        lane_of(fading[None, None]), rate=rate, ground_time=ground, start=start, most=200
    ).samples[0, 0]
    inside = late >= start
    npt.assert_allclose(found[inside], math.exp(-rate * start) / start, rtol=1e-5)


def test_gain_starts_at_one_and_ends_at_its_most():
    """Untouched up to its start; never more than its limit, whatever the rate."""
    found = compensate_loss(
        lane_of(np.ones((1, 1, 60))), rate=1e13, ground_time=1e-9, start=5e-10, most=40.0
    ).samples[0, 0]
    npt.assert_array_equal(found[:16], 1.0)
    npt.assert_allclose(found[17:], 100.0, rtol=1e-6)
    plain = lane_of(NOISE)
    same = compensate_loss(plain, rate=1e9, ground_time=1e-9, start=1e-10, most=0.0)
    npt.assert_array_equal(same.samples, plain.samples)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": -1.0}, "Invalid rate '-1.0'"),
        ({"ground_time": math.nan}, "Invalid ground_time 'nan'"),
        ({"start": 0.0}, "Invalid start '0.0'"),
        ({"most": -3.0}, "Invalid most '-3.0'"),
    ],
)
def test_what_no_gain_can_be_is_refused(options, message):
    usual = {"rate": 1e8, "ground_time": 1e-9, "start": 1e-10}
    with pytest.raises(ValueError, match=message):
        compensate_loss(lane_of(NOISE), **usual | options)


# Automatic gain


@pytest.mark.parametrize("h", [1, 2, 7, 29])
@pytest.mark.parametrize("floor", [1e-6, 0.5, 1.0])
def test_equalise_matches_the_definition(h, floor):
    traces = NOISE * np.linspace(20, 0, 60, dtype=np.float32)
    traces[0, 1] = 0.0
    found = equalise(lane_of(traces), window=(2 * h + 1) * STEP, floor=floor).samples
    npt.assert_allclose(found, naive.equalise(traces, h, floor), rtol=1e-5, atol=1e-6)


def test_a_long_window_divides_by_a_constant_in_the_middle():
    """A sine keeps its form where whole half-periods fill the window: over its rms."""
    sine = np.sin(2 * math.pi / 42 * np.arange(103))[None, None]
    found = equalise(lane_of(sine), window=21 * STEP).samples[0, 0]
    npt.assert_allclose(found[15:85], math.sqrt(2) * sine[0, 0, 15:85], atol=1e-5)


@given(st.floats(1e-3, 1e3), st.integers(1, 20))
def test_automatic_gain_forgets_how_strong_a_trace_was(scale, h):
    """The same for a trace and a multiple of it."""
    window = (2 * h + 1) * STEP
    one = equalise(lane_of(NOISE[:1]), window=window)
    other = equalise(lane_of(NOISE[:1] * np.float32(scale)), window=window)
    npt.assert_allclose(other.samples, one.samples, rtol=1e-5, atol=1e-6)
    assert one.sensor.unit == "1"


def test_flagged_traces_stay_flagged():
    """Not a number comes out for them, and nothing of it in the others."""
    traces = NOISE.copy()
    traces[2] = np.nan
    quality = np.zeros(5, np.int64)
    quality[2] = int(Quality.SATURATED)
    for found in (
        equalise(lane_of(traces, quality=quality), window=1e-9),
        compensate_loss(
            lane_of(traces, quality=quality), rate=1e8, ground_time=0.0, start=1e-10
        ),
    ):
        assert np.isnan(found.samples[2]).all()
        assert np.isfinite(found.samples[[0, 1, 3, 4]]).all()
        npt.assert_array_equal(found.quality, quality)


def test_prescreener_refuses_traces_after_automatic_gain():
    """Their energy says nothing; after a fixed gain it does."""
    lane = lane_of(np.random.default_rng(1).normal(size=(60, 1, 60)))
    options = {"spacing": 0.05, "bin_length": 1e-9}
    with pytest.raises(ValueError, match="Invalid sensor 'test radar' of equalised amplitude"):
        prescreen_energy(equalise(lane, window=1e-9), **options)
    fixed = compensate_loss(lane, rate=1e8, ground_time=0.0, start=1e-9)
    assert np.isfinite(prescreen_energy(fixed, **options).samples).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 1e-10}, "Invalid window '1e-10'. Must be 3 to 60 samples"),
        ({"window": 7e-9}, "Must be 3 to 60 samples"),
        ({"window": 1e-9, "floor": 0.0}, "Invalid floor '0.0'"),
        ({"window": 1e-9, "floor": 1.5}, "Invalid floor '1.5'. Must be a share, at most 1"),
    ],
)
def test_what_no_window_can_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        equalise(lane_of(NOISE), **options)


def test_coils_have_no_two_way_time():
    coils = make_sweep(np.ones((3, 2, 12), np.float32), sensor=make_coils(2, 12))
    with pytest.raises(ValueError, match="Must be a radar"):
        equalise(coils, window=1e-9)
    with pytest.raises(ValueError, match="Must be a radar"):
        compensate_loss(coils, rate=1e8, ground_time=0.0, start=1e-10)

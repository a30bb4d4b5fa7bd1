"""Test statistics of metal-detector lanes against soil and metal that are known."""

import dataclasses
import math

import naive_realism as naive
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_phasors, make_sensor, make_sweep

from minesense.emi import received_decays, soil_decay
from minesense.physics import soil_pulse_voltage, vrm_susceptibility
from minesense.sensor import Circle, pulse_train_of
from minesense.sweep import Quality
from minesense.synthetic import ornstein_uhlenbeck
from minesense.synthetic.realism import (
    Missing,
    gate_noise,
    metal_exponent,
    quadrature_ratio,
    soil_exponent,
    soil_series,
    told,
)

HEIGHT = 0.05


def generator(seed=0):
    """Return a source of chance."""
    return np.random.default_rng(seed)


def head_at(height=HEIGHT, n_channels=1):
    """Return coils at a height, m."""
    coils = make_coils(n_channels)
    object.__setattr__(coils, "head", dataclasses.replace(coils.head, height=height))
    return coils


def soil_lane(height, *, noise=0.0, spacing=0.05, extra=0.0, seed=0, **options):
    """Return what one coil records over viscous soil at heights (n,), 0.1 s apart."""
    sensor = head_at()
    volts = soil_pulse_voltage(height, head=sensor.head, susceptibility=1e-3)
    volts = volts + noise * generator(seed).normal(size=volts.shape) + extra
    return make_sweep(volts[:, None], sensor=sensor, spacing=spacing, **options)


@pytest.fixture(scope="module")
def sway():
    """Return heights of a swaying coil: 6 mm, remembered for half a second."""
    return HEIGHT + ornstein_uhlenbeck(4000, step=0.1, time=0.5, std=0.006, rng=generator(1))


def test_gate_noise_is_that_of_the_definition():
    """Median absolute deviation of second differences, for every gate."""
    series = generator().standard_t(3, size=(200, 1, 12))
    expected = [naive.gate_noise(series[:, 0, k]) for k in range(12)]
    npt.assert_allclose(gate_noise(make_sweep(series, sensor=make_coils(1))), expected, 1e-6)


def test_gate_noise_of_known_noise():
    """For each gate its own, whatever slope and level are below it; flagged traces apart."""
    std = np.geomspace(1e-9, 1e-10, 12)
    samples = 1e-6 + 1e-8 * np.arange(3000)[:, None, None] + np.zeros((3000, 2, 12))
    samples += std * generator(2).normal(size=samples.shape)
    quality = np.zeros(3000, np.int64)
    quality[::50] = Quality.INTERFERENCE
    samples[::50] *= 1e3
    found = gate_noise(make_sweep(samples, sensor=make_coils(), quality=quality))
    npt.assert_allclose(found, std, rtol=0.06)


def test_sway_is_found_in_the_soil(sway):
    """Its height, its memory and that nothing but soil is there."""
    found = soil_series(soil_lane(sway))
    assert found.height == pytest.approx(0.006, rel=0.06)
    assert found.law.length == pytest.approx(0.5, rel=0.15)
    assert found.law.nugget < 0.05
    assert found.share == pytest.approx(1.0, abs=1e-4)
    assert found.spread == pytest.approx(0.006 * 29.1, rel=0.08)  # 0.291 per cm at 5 cm


def test_the_spectrum_of_sway_is_that_of_its_memory(sway):
    """Its integral is the variance; it halves at 1 / (2 pi T)."""
    found = soil_series(soil_lane(sway))
    step = found.frequency[1] - found.frequency[0]
    assert found.power.sum() * step == pytest.approx(found.spread**2, rel=0.15)
    corner = 1 / (2 * math.pi * 0.5)
    low = found.power[found.frequency < 0.3 * corner].mean()
    at = found.power[np.abs(found.frequency - corner) < 0.2 * corner].mean()
    assert at / low == pytest.approx(0.5, abs=0.2)


def test_white_noise_is_told_from_sway(sway):
    """Its share is the nugget of the law, and part of what soil does not explain."""
    quiet, loud = soil_series(soil_lane(sway)), soil_series(soil_lane(sway, noise=3e-9))
    assert loud.law.nugget > quiet.law.nugget + 0.02
    assert loud.law.length == pytest.approx(quiet.law.length, rel=0.15)
    assert loud.share < 0.999


def test_what_is_no_soil_lowers_its_share(sway):
    """Metal whose decay is another: the share of the soil is known from energies."""
    sensor = head_at()
    train = pulse_train_of(sensor)
    metal = received_decays(train, [30e-6])[0]
    soil = soil_decay(train) / np.linalg.norm(soil_decay(train))
    left = metal - (metal @ soil) * soil
    left *= 2e-8 / np.linalg.norm(left)
    switch = np.where(np.arange(4000) % 2, 1.0, -1.0)[:, None]
    plain = soil_lane(sway).samples[:, 0].astype(float)
    energy = (((plain - np.median(plain, axis=0)) @ soil) ** 2).sum()
    found = soil_series(soil_lane(sway, extra=switch * left))
    assert found.share == pytest.approx(energy / (energy + 4000 * 4e-16), rel=0.03)


def test_viscous_soil_has_the_exponent_of_a_step():
    """-1 whatever the pulse; the voltage of a short pulse falls faster."""
    found = soil_exponent(soil_lane(np.full(60, HEIGHT)))
    assert found.step == pytest.approx(-1.0, abs=0.01)
    assert -1.5 < found.voltage < -1.1
    gates = head_at().axis
    power = make_sweep(np.tile(gates**-1.7, (60, 1, 1)), sensor=head_at())
    assert soil_exponent(power).voltage == pytest.approx(-1.7, abs=1e-6)


def test_gates_in_the_noise_are_not_fitted():
    """They would flatten the decay: the exponent stays, until too few gates are left."""
    heights = np.full(400, HEIGHT)
    assert soil_exponent(soil_lane(heights, noise=4e-9)).step == pytest.approx(-1.0, abs=0.03)
    loud = told(soil_exponent, soil_lane(heights, noise=1e-6))
    assert loud == Missing("of no decay 4 gates are above 5 times their noise")


@pytest.mark.parametrize("exponent", [-1.4, -2.2])
def test_metal_has_its_own_exponent(exponent):
    """Of the places that stand out, whatever lies between them."""
    sensor = head_at(n_channels=2)
    samples = 1e-9 * generator(3).normal(size=(600, 2, 12))
    decay = 1e-6 * (sensor.axis / sensor.axis[0]) ** exponent
    for place in (100, 250, 400):
        samples[place, place // 250] += decay
        # what is weak beside it has another, and does not count
        samples[[place - 1, place + 1], place // 250] += 1e-7 * sensor.axis[0] / sensor.axis
    found = metal_exponent(make_sweep(samples, sensor=sensor))
    assert found.n == 3
    assert found.voltage == pytest.approx(exponent, abs=0.05)
    none = make_sweep(1e-9 * generator(3).normal(size=(600, 2, 12)), sensor=sensor)
    assert told(metal_exponent, none).why.startswith("no place stands out")


@pytest.mark.parametrize(("size", "why"), [(8.0, "no place stands out"), (9.8, "of no decay")])
def test_metal_stands_out_from_eight_robust_deviations(size, why):
    """Of a chi law of eleven degrees: 3.21 and eight times 0.70 are 8.8 times the noise."""
    sensor = head_at()
    samples = 1e-9 * generator(3).normal(size=(4000, 1, 12))
    soil = soil_decay(pulse_train_of(sensor))
    metal = np.where(np.arange(12) % 2, 1.0, -1.0)
    metal -= (metal @ soil) / (soil @ soil) * soil
    samples[2000] = size * 1e-9 * metal / np.linalg.norm(metal)
    found = told(metal_exponent, make_sweep(samples, sensor=sensor))
    assert found.why.startswith(why)


def test_quadrature_of_viscous_soil():
    """Phasors that follow its susceptibility have its ratio, whatever couples directly."""
    frequencies = (2.4e3, 19.2e3)
    chi = vrm_susceptibility(np.array(frequencies), chi0=1e-3)
    height = 1 + 0.2 * generator(4).normal(size=(300, 2, 1))
    phasors = height * chi / 1e-3 + np.array([0.3 - 2j, -1 + 0.5j])
    samples = phasors.astype(np.complex64).view(np.float32)
    found = quadrature_ratio(make_sweep(samples, sensor=make_phasors()))
    npt.assert_allclose(found, chi.imag / chi.real, rtol=1e-4)
    expected = -(math.pi / 2) / np.log(1 / (2 * np.pi * np.array(frequencies) * 1e-10))
    npt.assert_allclose(found, expected, rtol=1e-3)


def test_phasors_without_an_axis_are_not_told():
    """Noise in both parts alike has no ratio; one frequency does not hide another."""
    samples = generator(5).normal(size=(300, 2, 4))
    samples[..., 3] = 0.2 * samples[..., 2]
    found = quadrature_ratio(make_sweep(samples, sensor=make_phasors()))
    assert isinstance(found[0], Missing)
    assert found[1] == pytest.approx(0.2, abs=1e-5)


@pytest.mark.parametrize(("share", "is_told"), [(0.74, True), (0.66, False)])
def test_an_axis_holds_seven_tenths_of_the_variance(share, is_told):
    """Of in-phase and quadrature together; less is no line."""
    across = math.sqrt((1 - share) / share)
    pairs = generator(5).normal(size=(6000, 2, 2, 2)) * [1.0, across]
    pairs = pairs @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    found = quadrature_ratio(make_sweep(pairs.reshape(6000, 2, 4), sensor=make_phasors()))
    for ratio in found:
        assert isinstance(ratio, Missing) != is_told
        assert not is_told or ratio == pytest.approx(0.75, rel=0.1)


def test_a_louder_coil_is_no_spread(sway):
    """Each coil is held against its own mean."""
    whole = soil_series(soil_lane(sway))
    samples = soil_lane(sway).samples * np.array([1.0, 3.0])[:, None]
    found = soil_series(make_sweep(samples, sensor=head_at(n_channels=2)))
    assert found.spread == pytest.approx(whole.spread, rel=1e-5)


def test_time_without_traces_is_a_hole(sway):
    """As if its traces were flagged; where no stretch is without one there is no spectrum."""
    heights = sway[:600]
    lost = np.zeros(600, bool)
    lost[10::60] = lost[11::60] = True
    quality = np.where(lost, int(Quality.INTERFERENCE), 0)
    flagged = soil_series(soil_lane(heights, quality=quality))
    time = 0.1 * np.arange(600)
    missing = soil_series(soil_lane(heights[~lost], time=time[~lost]))
    npt.assert_allclose(missing.law.value, flagged.law.value[: len(missing.law.value)])
    assert len(flagged.frequency) == len(missing.frequency) == 0
    assert len(soil_series(soil_lane(heights)).frequency) > 0


def test_a_trace_left_out_does_not_count(sway):
    """Flagged traces change nothing, whatever they hold; a hole in time stays one."""
    quality = np.zeros(4000, np.int64)
    quality[1000:1010] = Quality.INTERFERENCE
    whole = soil_series(soil_lane(sway))
    spoilt = np.zeros((4000, 1))
    spoilt[1000:1010] = 1.0
    found = soil_series(soil_lane(sway, extra=spoilt, quality=quality))
    assert found.height == pytest.approx(whole.height, rel=0.01)
    assert found.law.length == pytest.approx(whole.law.length, rel=0.02)


def test_too_little_is_said(sway):
    """Each figure that the data do not suffice for gives words and no number."""
    short = soil_lane(sway[:40])
    for function in (soil_series, soil_exponent, metal_exponent, gate_noise):
        assert told(function, short) == Missing("40 usable traces: at least 50 are needed")
    still = soil_lane(np.full(80, HEIGHT))
    assert told(soil_series, still) == Missing("all traces are the same")
    assert "a gate without noise" in told(metal_exponent, still).why
    weak = soil_lane(sway, noise=1e-6)
    assert "not above zero throughout" in told(soil_series, weak).why
    holes = np.zeros(120, np.int64)
    holes[::2] = Quality.STUCK
    sparse = soil_lane(sway[:120], quality=holes)
    assert "traces with two neighbours" in told(gate_noise, sparse).why


def test_a_head_that_is_not_known_tells_no_height(sway):
    """Without its height, a spread of the response is no spread of heights."""
    sweep = soil_lane(sway)
    sensor = make_coils(1)
    found = soil_series(dataclasses.replace(sweep, sensor=sensor))
    assert "height of the head is not known" in found.height.why
    assert found.spread > 0.1
    for change in ({"height": 5e-4}, {"receiver": (Circle(radius=0.05),)}):
        other = head_at()
        object.__setattr__(other, "head", dataclasses.replace(other.head, **change))
        told_of = soil_series(dataclasses.replace(sweep, sensor=other)).height
        assert told_of.why.endswith("is not known, or its coil is no single circle")
    bare = make_coils(1)
    object.__setattr__(bare, "head", None)
    exponent = soil_exponent(dataclasses.replace(sweep, sensor=bare))
    assert exponent.step == Missing("the waveform of the head is not known")
    with pytest.raises(ValueError, match="with no head for 12 samples"):
        soil_series(dataclasses.replace(sweep, sensor=bare))


@pytest.mark.parametrize(
    ("function", "sensor", "message"),
    [
        (gate_noise, make_sensor(2, 4), "of kind 'gpr'. Must be 'emi'"),
        (soil_series, make_sensor(2, 4), "of kind 'gpr'. Must be 'emi'"),
        (soil_exponent, make_phasors(), "complex samples. Must be gates"),
        (metal_exponent, make_phasors(), "complex samples. Must be gates"),
        (quadrature_ratio, make_coils(2, 4), "with real samples. Must be complex"),
        (quadrature_ratio, make_sensor(2, 4), "of kind 'gpr'. Must be 'emi'"),
    ],
)
def test_wrong_sensors_are_refused(function, sensor, message):
    """The error names the sensor and the rule."""
    with pytest.raises(ValueError, match=message):
        function(make_sweep(np.ones((60, 2, 4)), sensor=sensor))

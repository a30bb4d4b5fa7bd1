"""Test magnetic soil against tables, a volume integral, the 1/t law and the image."""

import csv
import dataclasses
import math

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_head

from minesense.physics import (
    gate_factors,
    heads,
    image_flux,
    loop_field,
    mutual_inductance,
    pulse_voltage,
    soil_pulse_voltage,
    soil_wave_response,
    void_relaxation,
    vrm_relaxation,
    vrm_susceptibility,
)
from minesense.sensor import ContinuousWave, PulseTrain

MU_0 = naive_emi.MU_0
TRAIN = PulseTrain(
    gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
HEAD = make_head(TRAIN)


def test_susceptibility_has_the_known_value():
    chi = vrm_susceptibility(4650.0, chi0=1e-3)
    npt.assert_allclose(chi.real, 5.03124288977e-4, rtol=1e-10)
    npt.assert_allclose(chi.imag, -6.20168565e-5, rtol=1e-8)


def test_susceptibility_table_agrees(test_data):
    with (test_data / "emi/reference/vrm.csv").open(newline="") as file:
        rows = [[float(word) for word in row] for row in list(csv.reader(file))[1:]]
    assert len(rows) == 5
    for chi0, tau1, tau2, frequency, real, imag in rows:
        chi = vrm_susceptibility(frequency, chi0=chi0, tau1=tau1, tau2=tau2)
        npt.assert_allclose([chi.real, chi.imag], [real, imag], rtol=1e-9)


def test_susceptibility_has_its_limits_and_its_slope():
    """Static, gone; and chi'' = -(pi/2) d chi'/d ln w in between."""
    assert vrm_susceptibility(0.0, chi0=1e-3) == 1e-3
    assert abs(vrm_susceptibility(1e14, chi0=1e-3)) < 1e-8
    chi = vrm_susceptibility(1e4 * np.exp([-1e-3, 0, 1e-3]), chi0=1e-3)
    slope = (chi[2].real - chi[0].real) / 2e-3
    npt.assert_allclose(-math.pi / 2 * slope, -chi[1].imag, rtol=1e-4)
    decade = vrm_susceptibility([1e3, 1e4], chi0=1.0).real
    npt.assert_allclose(decade[0] - decade[1], 0.091, atol=1e-4)


def test_list_repeats_the_susceptibility_and_the_decay():
    soil = vrm_relaxation(chi0=1e-3)
    assert len(soil) == 33
    frequency = np.geomspace(1e3, 1e5, 41)
    listed, chi = (
        soil.polarizability(frequency)[:, 0, 0],
        vrm_susceptibility(frequency, chi0=1e-3),
    )
    npt.assert_allclose(listed.imag, chi.imag, rtol=2e-5)
    npt.assert_allclose(listed.real, chi.real, rtol=1e-4)
    time = np.geomspace(1e-6, 1e-2, 41)
    law = -(1e-3 / math.log(1e11)) * (np.exp(-time / 10) - np.exp(-time / 1e-10)) / time
    npt.assert_allclose(soil.decay_rate(time)[:, 1, 1], law, rtol=1e-4)
    npt.assert_allclose(soil.polarizability(0.0), 1e-3 * np.eye(3), rtol=1e-12)


def test_viscous_share_keeps_the_static_value():
    soil = vrm_relaxation(chi0=1e-3, viscous_share=0.25)
    npt.assert_allclose(soil.polarizability(0.0), 1e-3 * np.eye(3), rtol=1e-12)
    npt.assert_allclose(soil.instantaneous, 0.75e-3 * np.eye(3), rtol=1e-12)
    npt.assert_allclose(
        soil.decay_rate(1e-5), 0.25 * vrm_relaxation(chi0=1e-3).decay_rate(1e-5), rtol=1e-12
    )


def test_viscous_share_is_the_same_in_frequency_and_time():
    frequency = np.geomspace(1e3, 1e5, 9)
    for share in (0.0, 0.4):
        chi = vrm_susceptibility(frequency, chi0=2e-3, viscous_share=share)
        listed = vrm_relaxation(chi0=2e-3, viscous_share=share).polarizability(frequency)
        npt.assert_allclose(listed[:, 0, 0], chi, rtol=1e-4)
    still = vrm_susceptibility(frequency, chi0=-1e-5, viscous_share=0.0)  # water, quartz
    npt.assert_array_equal(still, -1e-5)


def test_a_narrow_band_is_one_relaxation():
    soil = vrm_relaxation(chi0=2.0, tau1=1e-5, tau2=1.2e-5)
    npt.assert_allclose(soil.taus, [math.sqrt(1.2) * 1e-5], rtol=1e-12)
    npt.assert_allclose(soil.amplitudes[0], 2 * np.eye(3), rtol=1e-12)


def test_image_has_the_known_value():
    flux = image_flux(0.03, radius=0.1, susceptibility=1e-3)
    npt.assert_allclose(flux, 4.99750125e-4 * 9.29644264912e-8, rtol=1e-8)
    npt.assert_allclose(flux, 1e-3 / 2.001 * 9.29644264912e-8, rtol=1e-11)


def test_image_table_agrees(test_data):
    with (test_data / "emi/reference/halfspace_image.csv").open(newline="") as file:
        rows = [[float(word) for word in row] for row in list(csv.reader(file))[1:]]
    assert len(rows) == 45
    for a, b, height, mr, coupling, flux in rows:
        npt.assert_allclose(mutual_inductance(a, b, 2 * height), coupling, rtol=1e-9)
        ours = image_flux(height, radius=a, receiver_radius=b, susceptibility=mr - 1)
        npt.assert_allclose(ours, flux, rtol=1e-9)


def test_image_is_the_volume_integral_of_faint_soil():
    """Born: Phi = mu0 chi times the integral of h_rx . h_tx over the ground."""
    height, chi = 0.05, 1e-9
    nodes, weights = np.polynomial.legendre.leggauss(120)
    x, w = (nodes + 1) / 2, weights / 2
    down = height + 0.1 * x / (1 - x)  # both axes to infinity
    w_down = 0.1 * w / (1 - x) ** 2
    rho = 0.15 * x / (1 - x)
    w_rho = 2 * math.pi * rho * 0.15 * w / (1 - x) ** 2
    grid = np.array([(r, 0, -d) for r in rho for d in down])
    product = (loop_field(grid, radius=0.1) * loop_field(grid, radius=0.06)).sum(axis=1)
    integral = w_rho @ product.reshape(len(rho), len(down)) @ w_down
    flux = image_flux(height, radius=0.1, receiver_radius=0.06, susceptibility=chi)
    npt.assert_allclose(MU_0 * chi * integral, flux, rtol=1e-7)


def test_image_takes_complex_and_varying_soil():
    chi = vrm_susceptibility([[1e3], [1e4]], chi0=1e-2)
    flux = image_flux([0.03, 0.05, 0.1], radius=0.1, susceptibility=chi)
    assert flux.shape == (2, 3)
    assert (flux.imag < 0).all()
    npt.assert_allclose(flux[0, 0] / flux[0, 1], flux[1, 0] / flux[1, 1], rtol=1e-12)
    rows = soil_pulse_voltage([0.05, 0.05], head=HEAD, susceptibility=[1e-3, 3e-3])
    npt.assert_allclose(rows[1] / rows[0], 3 * 2.001 / 2.003, rtol=1e-12)


def test_law_of_viscous_soil_has_the_known_value():
    """The closed form of the decay, half the image, at 20 us and 3 cm: all digits."""
    law = 1e-3 / math.log(1e11) * math.exp(-20e-6 / 10) / 20e-6
    voltage = mutual_inductance(0.1, 0.1, 0.06) / 2 * law
    npt.assert_allclose(voltage, 9.17587652e-8, rtol=1e-9)


def test_ideal_step_off_over_soil_has_the_known_value():
    """To first order in the susceptibility, at 20 us, 3 cm over the ground."""
    train = PulseTrain(
        gates=[[20e-6 * (1 - 1e-6), 20e-6 * (1 + 1e-6)]],
        polarity="single",
        pulse=math.inf,
        ramp=0.0,
        receiver_tau=0.0,
    )
    voltage = soil_pulse_voltage([0.03], head=make_head(train), susceptibility=1e-3)[0, 0]
    npt.assert_allclose(voltage, 9.17587652e-8 / (1 + 1e-3 / 2), rtol=1e-4)


def test_pulse_over_soil_is_the_fourier_series_of_its_susceptibility():
    coupling = mutual_inductance(0.1, 0.1, 0.06)
    for share in (1.0, 0.3):
        expected = naive_emi.gate_voltage(
            lambda f, share=share: (
                (1 - share) * 1e-3 + share * vrm_susceptibility(f, chi0=1e-3)
            ),
            TRAIN,
        )
        expected *= coupling / MU_0 / 2.001
        seen = soil_pulse_voltage([0.03], head=HEAD, susceptibility=1e-3, viscous_share=share)
        npt.assert_allclose(seen[0], expected, rtol=1e-3)


def test_long_gates_follow_the_alternating_sum():
    """1/t, less the pulse before it, less the pulses of the other sign before that."""
    train = dataclasses.replace(
        TRAIN, gates=[[100e-6, 100.01e-6]], ramp=1e-9, receiver_tau=1e-9
    )
    t = 100.005e-6 + 1e-3 * np.arange(200_000)
    terms = 1 / t - 1 / (t + 200e-6)
    total = (terms[::2] - terms[1::2]).sum()
    beta, course = 1e-3 / 2.001, total / math.log(1e11)
    expected = beta * course * mutual_inductance(0.1, 0.1, 0.06)
    seen = soil_pulse_voltage([0.03], head=make_head(train), susceptibility=1e-3)[0, 0]
    npt.assert_allclose(seen, expected, rtol=2e-4)


def test_voltage_falls_with_height_as_computed():
    """The slope that makes height jitter the largest noise over soil."""
    height = np.array([0.02, 0.03, 0.04, 0.05, 0.10])
    up = soil_pulse_voltage(height + 1e-5, head=HEAD, susceptibility=1e-3)[:, 0]
    down = soil_pulse_voltage(height - 1e-5, head=HEAD, susceptibility=1e-3)[:, 0]
    slope = np.log(up / down) / 2e-5 / 100
    npt.assert_allclose(slope, [-0.406, -0.348, -0.314, -0.291, -0.215], atol=6e-4)


def test_voids_fill_the_ground_they_are_cut_from():
    """Minus the voltage of small voids everywhere is that of faint soil."""
    height, chi = 0.1, 1e-9
    nodes, weights = np.polynomial.legendre.leggauss(40)
    x, w = (nodes + 1) / 2, weights / 2
    down, w_down = height + 0.1 * x / (1 - x), 0.1 * w / (1 - x) ** 2
    rho, w_rho = 0.15 * x / (1 - x), 0.15 * w / (1 - x) ** 2
    cells = [
        (2 * math.pi * r * a * b, (r, 0, -d))
        for r, a in zip(rho, w_rho, strict=True)
        for d, b in zip(down, w_down, strict=True)
    ]
    one = void_relaxation(1.0, susceptibility=chi)
    share = np.array([volume for volume, _ in cells])
    places = np.array([place for _, place in cells])
    # one voltage for each place: a coil moved the other way past one void
    each = pulse_voltage(-places, head=HEAD, object_position=[[0, 0, 0]], objects=[one])
    soil = soil_pulse_voltage([height], head=HEAD, susceptibility=chi)
    npt.assert_allclose(-share @ each, soil[0], rtol=1e-4)
    assert (each < 0).all()


def test_void_scales_with_volume_and_soil():
    void = void_relaxation(2e-4, susceptibility=1e-3, viscous_share=0.5)
    npt.assert_allclose(void.polarizability(0.0), -2e-7 * np.eye(3), rtol=1e-12)
    soil = vrm_relaxation(chi0=1e-3, viscous_share=0.5)
    npt.assert_allclose(void.polarizability(1e4), -2e-4 * soil.polarizability(1e4), rtol=1e-12)


def test_soil_without_viscosity_is_silent_once_the_receiver_is():
    silent = soil_pulse_voltage([0.05], head=HEAD, susceptibility=1e-2, viscous_share=0.0)
    viscous = soil_pulse_voltage([0.05], head=HEAD, susceptibility=1e-2)
    factor = gate_factors(TRAIN, [TRAIN.receiver_tau])[0] / TRAIN.receiver_tau
    flux = image_flux(0.05, radius=0.1, susceptibility=1e-2)
    npt.assert_allclose(silent[0], flux * factor, rtol=1e-12)
    assert silent[0, 1] < 1e-30 < viscous[0, 1]


def test_continuous_wave_over_soil_is_the_image_at_each_frequency():
    wave = ContinuousWave(frequencies=[2.4e3, 19.2e3])
    for head, radii in (
        (make_head(wave), (0.1, 0.1)),
        (heads.concentric(radius=0.1, receiver_radius=0.06, excitation=wave), (0.1, 0.06)),
    ):
        seen = soil_wave_response(
            [0.03, 0.06], head=head, susceptibility=[1e-3, 2e-2], viscous_share=0.7
        )
        for i, (height, chi0) in enumerate([(0.03, 1e-3), (0.06, 2e-2)]):
            chi = vrm_susceptibility(wave.frequencies, chi0=chi0, viscous_share=0.7)
            options = {"radius": radii[0], "receiver_radius": radii[1], "susceptibility": chi}
            npt.assert_allclose(seen[i], image_flux(height, **options) / MU_0, rtol=1e-12)


def test_no_heights_give_no_voltages():
    assert soil_pulse_voltage([], head=HEAD, susceptibility=1e-3).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vrm_susceptibility(-1, chi0=1), ValueError, "frequency '-1.0'"),
        (lambda: vrm_susceptibility(1, chi0=np.inf), ValueError, "chi0 'inf'"),
        (
            lambda: vrm_susceptibility(1, chi0=-1, viscous_share=0),
            ValueError,
            "greater than -1",
        ),
        (
            lambda: vrm_susceptibility(1, chi0=-1e-5),
            ValueError,
            "not negative where it",
        ),
        (lambda: vrm_susceptibility(1, chi0=1, viscous_share=-0.1), ValueError, "share '-0.1'"),
        (lambda: vrm_susceptibility(1, chi0=1, tau1=0), ValueError, "tau1 '0.0'"),
        (lambda: vrm_relaxation(chi0=1, tau1=1, tau2=1), ValueError, "tau2 '1.0'. Must be gr"),
        (lambda: vrm_relaxation(chi0=1, viscous_share=1.1), ValueError, "share '1.1'"),
        (lambda: void_relaxation(0, susceptibility=1), ValueError, "volume '0.0'"),
        (lambda: image_flux(0, radius=1, susceptibility=1), ValueError, "height '0.0'"),
        (lambda: image_flux(-1, radius=1, susceptibility=1), ValueError, "height '-1.0'"),
        (lambda: image_flux(1, radius=0, susceptibility=1), ValueError, "radius_a '0.0'"),
        (
            lambda: image_flux(1, radius=1, susceptibility=-1),
            ValueError,
            "susceptibility '-1'",
        ),
        (
            lambda: image_flux(1, radius=1, susceptibility=[0, -2]),
            ValueError,
            "greater than -1",
        ),
        (
            lambda: soil_pulse_voltage([1], head=HEAD, susceptibility=-1.0),
            ValueError,
            "susceptibility '-1.0'",
        ),
        (
            lambda: soil_pulse_voltage([0], head=HEAD, susceptibility=1e-3),
            ValueError,
            "height '0",
        ),
        (
            lambda: soil_wave_response([1], head=HEAD, susceptibility=1e-3),
            TypeError,
            "excitation of type PulseTrain",
        ),
        (lambda: image_flux(1, radius=1, susceptibility=np.nan), ValueError, "Must be finite"),
        (lambda: image_flux(1, radius=1, susceptibility="x"), TypeError, "Must be numbers"),
        (
            lambda: soil_pulse_voltage([1, 2], head=HEAD, susceptibility=[1e-3]),
            ValueError,
            r"susceptibility with shape \(1,\). Must be \(2,\)",
        ),
        (
            lambda: soil_pulse_voltage(1.0, head=HEAD, susceptibility=1e-3),
            ValueError,
            r"height with shape \(\)",
        ),
        (
            lambda: soil_pulse_voltage([1.0], head=None, susceptibility=1e-3),
            TypeError,
            "head of type NoneType. Must be a Head",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

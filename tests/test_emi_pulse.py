"""Test pulse and continuous-wave voltages of objects: anchors, another road, symmetry."""

import csv
import dataclasses
import math

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.physics import (
    Relaxation,
    combine_axes,
    continuous_wave_response,
    gate_factors,
    image_flux,
    loop_field,
    pulse_tensors,
    pulse_voltage,
    ring_relaxation,
    soil_pulse_voltage,
    sphere_polarizability,
    sphere_poles,
    sphere_relaxation,
    step_off_coefficients,
)
from minesense.sweep import PulseCoil

MU_0 = naive_emi.MU_0
ALUMINIUM = {"radius": 0.005, "conductivity": 3.5e7, "permeability": 1.0}
STEEL = {"radius": 0.005, "conductivity": 4e6, "permeability": 100.0}
COIL = PulseCoil(
    radius=0.1,
    gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
ABOVE = [[0.0, 0.0, 0.1]]
ORIGIN = [[0.0, 0.0, 0.0]]
ONE = np.eye(3)


def exact_list(n_poles=3000, **sphere):
    """Return a list of true modes alone; the rest act at once."""
    amplitudes, taus = sphere_poles(n_poles, **sphere)
    mr = sphere["permeability"]
    static = 4 * math.pi * sphere["radius"] ** 3 * (mr - 1) / (mr + 2)
    return Relaxation(
        instantaneous=(static - amplitudes.sum()) * ONE,
        amplitudes=amplitudes[:, None, None] * ONE,
        taus=taus,
    )


def almost_ideal(times):
    """Return a coil whose current was on for ever, stops at once and is read at once."""
    times = np.asarray(times)
    return PulseCoil(
        radius=0.1,
        gates=np.column_stack([times * (1 - 1e-6), times * (1 + 1e-6)]),
        pulse=1e4,
        ramp=1e-13,
        half_period=1e5,
        receiver_tau=1e-13,
    )


@pytest.mark.parametrize(
    ("sphere", "expected"),
    [
        (ALUMINIUM, [2.0198547292e-8, 5.5052461279e-9]),
        (STEEL, [1.9768561046e-8, 1.9038912382e-9]),
    ],
)
def test_full_chain_has_known_values(sphere, expected):
    options = {"coil": COIL, "object_position": ORIGIN}
    exact = pulse_voltage(ABOVE, objects=[exact_list(**sphere)], **options)
    npt.assert_allclose(exact[0], expected, rtol=1e-9)
    listed = pulse_voltage(ABOVE, objects=[sphere_relaxation(**sphere)], **options)
    npt.assert_allclose(listed[0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("sphere", "expected"),
    [
        (ALUMINIUM, [2.67874079758e-8, 1.71439411045e-9]),
        (STEEL, [2.99295317192e-8, 1.91549003003e-9]),
    ],
)
def test_ideal_step_off_has_known_values(sphere, expected):
    body = exact_list(**sphere)
    coil = almost_ideal([20e-6])
    for height, voltage in zip([0.1, 0.2], expected, strict=True):
        place = [[0.0, 0.0, -height]]
        field = loop_field(place, radius=0.1)[0]
        npt.assert_allclose(-MU_0 * field @ body.decay_rate(20e-6) @ field, voltage, rtol=1e-9)
        seen = pulse_voltage(ORIGIN, coil=coil, object_position=place, objects=[body])
        npt.assert_allclose(seen[0, 0], voltage, rtol=1e-6)


def test_voltage_table_agrees(test_data):
    with (test_data / "emi/reference/rx_voltage_onaxis.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert len(rows) == 105
    spheres = {
        "Al_10mm": ALUMINIUM,
        "Al_25.4mm": {**ALUMINIUM, "radius": 0.0127},
        "steel_10mm": STEEL,
    }
    modes = {name: exact_list(600, **sphere) for name, sphere in spheres.items()}
    for case, mode, *words in rows:
        distance, abscissa, real = map(float, words[:3])
        place = [[0.0, 0.0, -distance]]
        if mode.startswith("CW"):
            imag = float(words[3])
            omega = 2 * math.pi * abscissa
            field = loop_field(place, radius=0.1)[0, 2]
            moment = sphere_polarizability(abscissa, **spheres[case])
            voltage = complex(-1j * omega * MU_0 * field**2 * moment)
            npt.assert_allclose(voltage, complex(real, imag), rtol=1e-9)
            response = continuous_wave_response(
                ORIGIN,
                radius=0.1,
                frequency=[abscissa],
                object_position=place,
                objects=[sphere_relaxation(**spheres[case])],
            )
            npt.assert_allclose(-1j * omega * MU_0 * response[0, 0], voltage, rtol=1e-5)
        else:
            field = loop_field(place, radius=0.1)[0]
            rate = modes[case].decay_rate(abscissa)
            npt.assert_allclose(-MU_0 * field @ rate @ field, real, rtol=1e-9)
            seen = pulse_voltage(
                ORIGIN,
                coil=almost_ideal([abscissa]),
                object_position=place,
                objects=[modes[case]],
            )
            npt.assert_allclose(seen[0, 0], real, rtol=1e-6)


@pytest.mark.parametrize("sphere", [ALUMINIUM, STEEL], ids=["aluminium", "steel"])
def test_pulse_train_is_the_fourier_series_of_the_frequency_response(sphere):
    """No exponential in the other road: closed form at odd harmonics, then back."""
    expected = naive_emi.gate_voltage(lambda f: sphere_polarizability(f, **sphere), COIL)
    tensors = pulse_tensors([sphere_relaxation(**sphere)], coil=COIL)[0]
    npt.assert_allclose(tensors[:, 2, 2], expected, rtol=1e-4)


@given(
    tau=st.floats(2e-6, 1e-2),
    pulse=st.floats(1e-5, 5e-4),
    ramp=st.floats(1e-6, 2e-5),
    receiver_tau=st.floats(2e-7, 1e-5),
)
def test_one_exponential_through_any_train(tau, pulse, ramp, receiver_tau):
    coil = dataclasses.replace(COIL, pulse=pulse, ramp=ramp, receiver_tau=receiver_tau)
    body = Relaxation(instantaneous=-0.7 * ONE, amplitudes=ONE[None], taus=[tau])
    expected = naive_emi.gate_voltage(
        lambda f: -0.7 + 1 / (1 + 2j * np.pi * f * tau), coil, 100_000
    )
    scale = MU_0 / tau  # of the voltage at turn-off
    seen = pulse_tensors([body], coil=coil)[0, :, 0, 0]
    npt.assert_allclose(seen, expected, rtol=1e-3, atol=2e-4 * scale)


def test_instantaneous_response_shows_through_the_receiver():
    """Its transient dies with the receiver alone."""
    coil = dataclasses.replace(COIL, receiver_tau=2e-6, gates=[[10e-6, 10.01e-6]])
    at_once = Relaxation(instantaneous=-ONE, amplitudes=np.empty((0, 3, 3)), taus=[])
    ramp = 2 / 5 * (1 - math.exp(-5 / 2))
    decay = math.exp(-10.005 / 2) / 2e-6
    npt.assert_allclose(
        pulse_tensors([at_once], coil=coil)[0, 0], -MU_0 * ramp * decay * ONE, rtol=1e-4
    )


def test_factors_keep_their_digits_for_long_time_constants():
    """For theta far above the pulse the train leaves (Tp + Tr / 2) / (2 theta)."""
    theta = np.array([1e3, 1e6, 1e9])
    expected = (COIL.pulse + COIL.ramp / 2) / (2 * theta)
    npt.assert_allclose(gate_factors(COIL, theta)[:, 0], expected, rtol=2e-6)
    npt.assert_allclose(gate_factors(COIL, theta)[1:, 0], expected[1:], rtol=2e-9)


def test_factors_are_smooth_where_the_series_takes_over():
    theta = COIL.ramp / np.linspace(0.0499, 0.0501, 101)
    factors = gate_factors(COIL, theta)[:, 0]
    assert np.abs(np.diff(factors, 3)).max() < 1e-13


def test_factors_vanish_for_short_time_constants():
    npt.assert_array_equal(gate_factors(COIL, [1e-12]), 0)
    assert gate_factors(COIL, []).shape == (0, 2)


def test_step_off_adds_up():
    """At time zero the pole has let nothing through but what it holds itself."""
    thetas, c = step_off_coefficients(-0.3, [1.0, 2.0], [3e-6, 4e-5], receiver_tau=1e-6)
    npt.assert_array_equal(thetas, [3e-6, 4e-5, 1e-6])
    npt.assert_allclose(c.sum(), -0.3 / 1e-6, rtol=1e-12)
    # the area under the voltage is the change of flux, whatever the receiver
    npt.assert_allclose((c * thetas).sum(), -0.3 + 1.0 + 2.0, rtol=1e-12)


@pytest.mark.parametrize("offset", [-2e-13, 0.0, 2e-13, 2e-12])
def test_a_time_constant_at_the_receivers_has_its_limit(offset):
    """Equal poles: v = u t / tau^2 exp(-t / tau)."""
    thetas, c = step_off_coefficients(0.0, [1.0], [1e-6 + offset], receiver_tau=1e-6)
    voltage = (c * np.exp(-3e-6 / thetas)).sum()
    npt.assert_allclose(voltage, 3 * math.exp(-3) / 1e-6, rtol=1e-5)


def scene(seed, n=4, m=5):
    """Return coils and tilted bodies at random."""
    rng = np.random.default_rng(seed)
    steel, aluminium = sphere_relaxation(**STEEL), sphere_relaxation(**ALUMINIUM)
    bodies = []
    for _ in range(m):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        bodies.append(combine_axes(steel, aluminium, steel.scaled(1.5)).rotated(turn))
    position = rng.uniform(-0.5, 0.5, (n, 3)) + np.array([0, 0, 0.7])
    places = rng.uniform(-0.5, 0.5, (m, 3)) - np.array([0, 0, 0.7])
    return position, rng.normal(size=(n, 3)), places, bodies


def test_kernel_is_the_sum_over_objects_term_by_term():
    position, axis, places, bodies = scene(1)
    tensors = pulse_tensors(bodies, coil=COIL)
    unit = axis / np.linalg.norm(axis, axis=1, keepdims=True)
    for reach in (np.inf, 1.6):
        expected = naive_emi.sum_of_bodies(
            (position, position), (0.1, 0.1), unit, places, tensors, reach=reach
        )
        seen = pulse_voltage(
            position,
            coil=COIL,
            object_position=places,
            objects=bodies,
            coil_axis=axis,
            reach=reach,
        )
        npt.assert_allclose(seen, expected, rtol=1e-9)
    distance = np.linalg.norm(places - position[:, None], axis=2)
    assert 0 < np.count_nonzero(distance > 1.6) < distance.size


def test_pair_of_loops_is_the_sum_term_by_term():
    position, axis, places, bodies = scene(2)
    receiver, unit = (
        position + np.array([0.1, 0.05, 0.02]),
        axis / np.linalg.norm(axis, axis=1)[:, None],
    )
    moments = np.array([b.polarizability([2400.0, 19200.0]) for b in bodies])
    both = np.concatenate([moments.real, moments.imag], axis=1)
    expected = naive_emi.sum_of_bodies((position, receiver), (0.1, 0.06), unit, places, both)
    options = {
        "frequency": [2400.0, 19200.0],
        "object_position": places,
        "objects": bodies,
        "coil_axis": axis,
    }
    seen = continuous_wave_response(
        position, radius=0.1, receiver_position=receiver, receiver_radius=0.06, **options
    )
    npt.assert_allclose(seen, expected[:, :2] + 1j * expected[:, 2:], rtol=1e-9)
    # reciprocity: transmitter and receiver may change places
    swapped = continuous_wave_response(
        receiver, radius=0.06, receiver_position=position, receiver_radius=0.1, **options
    )
    npt.assert_allclose(swapped, seen, rtol=1e-12)


def test_concentric_loops_see_through_both_fields():
    field = loop_field([[0.05, 0.02, -0.1]], radius=0.1)[0]
    inner = loop_field([[0.05, 0.02, -0.1]], radius=0.04)[0]
    response = continuous_wave_response(
        ORIGIN,
        radius=0.1,
        receiver_radius=0.04,
        frequency=[5e3],
        object_position=[[0.05, 0.02, -0.1]],
        objects=[RING],
    )
    expected = inner @ RING.polarizability(5e3) @ field
    npt.assert_allclose(response[0, 0], expected, rtol=1e-12)


@given(seed=st.integers(0, 1000))
def test_whole_scene_may_move_and_turn(seed):
    position, axis, places, bodies = scene(seed, n=2, m=2)
    rng = np.random.default_rng(seed + 1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    shift = rng.normal(size=3)
    before = pulse_voltage(
        position, coil=COIL, object_position=places, objects=bodies, coil_axis=axis
    )
    after = pulse_voltage(
        position @ turn.T + shift,
        coil=COIL,
        object_position=places @ turn.T + shift,
        objects=[body.rotated(turn) for body in bodies],
        coil_axis=axis @ turn.T,
    )
    npt.assert_allclose(after, before, rtol=1e-7, atol=1e-9 * np.abs(before).max())


def test_horizontal_is_the_default_and_turning_the_coil_over_changes_nothing():
    position, _, places, bodies = scene(3)
    options = {"coil": COIL, "object_position": places, "objects": bodies}
    level = pulse_voltage(position, **options)
    down = pulse_voltage(position, coil_axis=np.tile([0, 0, -3.0], (4, 1)), **options)
    npt.assert_array_equal(level, down)


def test_objects_add_up_and_reach_leaves_out():
    position, _, places, bodies = scene(4)
    options = {"coil": COIL}
    whole = pulse_voltage(position, object_position=places, objects=bodies, **options)
    parts = [
        pulse_voltage(position, object_position=[place], objects=[body], **options)
        for place, body in zip(places, bodies, strict=True)
    ]
    npt.assert_allclose(whole, np.sum(parts, axis=0), rtol=1e-12)
    near = pulse_voltage(position, object_position=places, objects=bodies, reach=0.1, **options)
    npt.assert_array_equal(near, np.zeros((4, 2)))
    # one at exactly the reach still counts
    at_reach = {"object_position": ORIGIN, "objects": bodies[:1], **options}
    assert (pulse_voltage([[0, 0, 0.5]], reach=0.5, **at_reach) != 0).all()
    assert (pulse_voltage([[0, 0, 0.5]], reach=0.49, **at_reach) == 0).all()


def test_nothing_there_gives_nothing():
    nothing = {"object_position": np.empty((0, 3)), "objects": []}
    npt.assert_array_equal(pulse_voltage(ABOVE, coil=COIL, **nothing), [[0, 0]])
    assert pulse_voltage(np.empty((0, 3)), coil=COIL, reach=1.0, **nothing).shape == (0, 2)
    response = continuous_wave_response(ABOVE, radius=0.1, frequency=[1e3], **nothing)
    npt.assert_array_equal(response, [[0]])


def test_smallest_ball_grows_as_radius_squared_plus_height_squared():
    """At the inductive limit a diameter in proportion to R^2 + z^2 gives one response."""
    height = np.array([0.02, 0.05, 0.1, 0.2])
    responses = []
    for z in height:
        ball = sphere_polarizability(1e14, **{**ALUMINIUM, "radius": 0.3 * (0.01 + z * z)})
        still = Relaxation(
            instantaneous=ball.real * ONE, amplitudes=np.empty((0, 3, 3)), taus=[]
        )
        response = continuous_wave_response(
            [[0, 0, z]], radius=0.1, frequency=[2e4], object_position=ORIGIN, objects=[still]
        )
        responses.append(response[0, 0].real)
    npt.assert_allclose(responses, responses[0], rtol=1e-3)


def test_magnetic_ball_and_magnetic_soil_move_the_in_phase_channel_alike():
    """Faint balls are all that soil is: a positive real part from both."""
    ball = sphere_relaxation(**{**STEEL, "conductivity": 1.0})
    options = {"object_position": ORIGIN, "objects": [ball]}
    response = continuous_wave_response(ABOVE, radius=0.1, frequency=[2e4], **options)[0, 0]
    soil = image_flux(0.1, radius=0.1, susceptibility=1e-3 - 1e-4j) / MU_0
    assert response.real > 0
    assert soil.real > 0
    assert soil.imag < 0  # as of every passive body
    late = dataclasses.replace(COIL, gates=[[1e-6, 2e-6]])  # while the receiver still rings
    for share in (0.0, 1.0):
        assert (
            soil_pulse_voltage([0.1], coil=late, susceptibility=1e-3, viscous_share=share) > 0
        ).all()
    assert (pulse_voltage(ABOVE, coil=late, **options) > 0).all()


def test_how_strong_soil_is_beside_a_ball():
    """Soil of chi = 1e-3 under a coil at 3 cm against aluminium 5, 10, 20 cm deep."""
    soil = image_flux(0.03, radius=0.1, susceptibility=1e-3) / MU_0
    ratios = []
    for depth in (0.05, 0.1, 0.2):
        response = continuous_wave_response(
            [[0, 0, 0.03]],
            radius=0.1,
            frequency=[2e4],
            object_position=[[0, 0, -depth]],
            objects=[sphere_relaxation(**ALUMINIUM)],
        )
        ratios.append(soil / -response[0, 0].real)
    npt.assert_allclose(ratios, [10.1, 45, 572], rtol=0.01)


RING = ring_relaxation(radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0, 0, 1])
GOOD = {
    "coil_position": ABOVE,
    "coil": COIL,
    "object_position": ORIGIN,
    "objects": [RING],
}


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"coil_position": [[0, 0]]}, ValueError, r"coil_position with shape \(1, 2\)"),
        ({"coil_position": [[0, 0, np.nan]]}, ValueError, "coil_position: 1 of 3"),
        (
            {"object_position": [[0, 0, 0]] * 2},
            ValueError,
            r"object_position .* Must be \(1, 3",
        ),
        ({"objects": [None]}, TypeError, "object None. Must be a Relaxation"),
        ({"coil": None}, TypeError, "coil None. Must be a PulseCoil"),
        ({"coil_axis": [[0, 0, 0]]}, ValueError, "coil_axis: vector 0 is zero"),
        ({"coil_axis": [[0, 0, 1]] * 2}, ValueError, r"coil_axis with shape \(2, 3\)"),
        ({"reach": 0.0}, ValueError, "reach '0.0'"),
        ({"reach": np.nan}, ValueError, "reach 'nan'"),
        (
            {"object_position": [[0.1, 0, 0.1]]},
            ValueError,
            "on the wire of a loop at position 0",
        ),
    ],
)
def test_bad_input_is_named(bad, error, message):
    with pytest.raises(error, match=message):
        pulse_voltage(**{**GOOD, **bad})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"radius": 0.0}, "radius '0.0'"),
        ({"frequency": [-1.0]}, "frequency '-1.0'"),
        ({"frequency": 1.0}, r"frequency with shape \(\)"),
        ({"receiver_radius": -1.0}, "receiver_radius '-1.0'"),
        ({"receiver_position": [[0, 0, 1]] * 2}, r"receiver_position with shape \(2, 3\)"),
        ({"receiver_position": [[0.1, 0, 0.0]]}, "on the wire"),
    ],
)
def test_bad_pairs_of_loops_are_named(bad, message):
    good = {"radius": 0.1, "frequency": [1e3], "object_position": ORIGIN, "objects": [RING]}
    with pytest.raises(ValueError, match=message):
        continuous_wave_response(ABOVE, **{**good, **bad})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gate_factors(COIL, [0.0]), ValueError, "thetas: the least is '0.0'"),
        (lambda: gate_factors("coil", [1.0]), TypeError, "coil 'coil'. Must be a PulseCoil"),
        (
            lambda: step_off_coefficients(0, [1.0], [-1.0], receiver_tau=1.0),
            ValueError,
            "taus: the least is '-1.0'",
        ),
        (
            lambda: step_off_coefficients(0, [1.0], [1.0], receiver_tau=0.0),
            ValueError,
            "receiver_tau '0.0'",
        ),
        (
            lambda: step_off_coefficients(0, [1.0, 2.0], [1.0], receiver_tau=1.0),
            ValueError,
            r"amplitudes with shape \(2,\). Must be \(1,\)",
        ),
    ],
)
def test_bad_exponentials_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

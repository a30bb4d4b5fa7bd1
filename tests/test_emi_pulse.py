"""Test pulse and continuous-wave voltages of objects: anchors, another road, symmetry."""

import csv
import dataclasses
import itertools
import math

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_head

from minesense.physics import (
    Relaxation,
    array_response,
    attitude,
    combine_axes,
    continuous_wave_response,
    demodulate,
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
from minesense.sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain, Sensor

MU_0 = naive_emi.MU_0
ALUMINIUM = {"radius": 0.005, "conductivity": 3.5e7, "permeability": 1.0}
STEEL = {"radius": 0.005, "conductivity": 4e6, "permeability": 100.0}
TRAIN = PulseTrain(
    gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
HEAD = make_head(TRAIN)
ABOVE = [[0.0, 0.0, 0.1]]
ORIGIN = [[0.0, 0.0, 0.0]]
ONE = np.eye(3)


def wave_head(frequencies, *, receiver=None):
    """Return a continuous-wave head of a coil of 0.1 m that receives, or of another one."""
    coil = (Circle(radius=0.1),)
    wave = ContinuousWave(frequencies=frequencies)
    return Head(transmitter=coil, receiver=receiver or coil, excitation=wave)


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


def step_off(times):
    """Return a train whose current was on for ever, stops at once and is read at once."""
    times = np.asarray(times)
    return PulseTrain(
        gates=np.column_stack([times * (1 - 1e-6), times * (1 + 1e-6)]),
        polarity="single",
        pulse=math.inf,
        ramp=0.0,
        receiver_tau=0.0,
    )


@pytest.mark.parametrize(
    ("sphere", "expected"),
    [
        (ALUMINIUM, [2.0198547292e-8, 5.5052461279e-9]),
        (STEEL, [1.9768561046e-8, 1.9038912382e-9]),
    ],
)
def test_full_chain_has_known_values(sphere, expected):
    options = {"head": HEAD, "object_position": ORIGIN}
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
    head = make_head(step_off([20e-6]))
    for height, voltage in zip([0.1, 0.2], expected, strict=True):
        place = [[0.0, 0.0, -height]]
        field = loop_field(place, radius=0.1)[0]
        npt.assert_allclose(-MU_0 * field @ body.decay_rate(20e-6) @ field, voltage, rtol=1e-9)
        seen = pulse_voltage(ORIGIN, head=head, object_position=place, objects=[body])
        npt.assert_allclose(seen[0, 0], voltage, rtol=1e-9)


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
                head=wave_head([abscissa]),
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
                head=make_head(step_off([abscissa])),
                object_position=place,
                objects=[modes[case]],
            )
            npt.assert_allclose(seen[0, 0], real, rtol=1e-9)


@pytest.mark.parametrize("sphere", [ALUMINIUM, STEEL], ids=["aluminium", "steel"])
def test_pulse_train_is_the_fourier_series_of_the_frequency_response(sphere):
    """No exponential in the other road: closed form at odd harmonics, then back."""
    expected = naive_emi.gate_voltage(lambda f: sphere_polarizability(f, **sphere), TRAIN)
    tensors = pulse_tensors([sphere_relaxation(**sphere)], train=TRAIN)[0]
    npt.assert_allclose(tensors[:, 2, 2], expected, rtol=1e-4)


@given(
    tau=st.floats(2e-6, 1e-2),
    pulse=st.floats(1e-5, 5e-4),
    ramp=st.floats(1e-6, 2e-5),
    receiver_tau=st.floats(2e-7, 1e-5),
    polarity=st.sampled_from(["bipolar", "unipolar"]),
)
def test_one_exponential_through_any_train(tau, pulse, ramp, receiver_tau, polarity):
    train = dataclasses.replace(
        TRAIN, pulse=pulse, ramp=ramp, receiver_tau=receiver_tau, polarity=polarity
    )
    body = Relaxation(instantaneous=-0.7 * ONE, amplitudes=ONE[None], taus=[tau])
    expected = naive_emi.gate_voltage(
        lambda f: -0.7 + 1 / (1 + 2j * np.pi * f * tau), train, 100_000
    )
    scale = MU_0 / tau  # of the voltage at turn-off
    seen = pulse_tensors([body], train=train)[0, :, 0, 0]
    npt.assert_allclose(seen, expected, rtol=1e-3, atol=2e-4 * scale)


@pytest.mark.parametrize("sphere", [ALUMINIUM, STEEL], ids=["aluminium", "steel"])
def test_step_off_is_the_inverse_transform_of_the_frequency_response(sphere):
    """Frequency and time domain agree through a numerical transform, receiver included."""
    time = np.array([10e-6, 30e-6, 100e-6, 300e-6])
    tau_r = 2e-6
    expected = naive_emi.step_off_voltage(
        lambda f: sphere_polarizability(f, **sphere), time, tau_r
    )
    train = dataclasses.replace(step_off(time), receiver_tau=tau_r)
    tensors = pulse_tensors([sphere_relaxation(**sphere)], train=train)[0]
    npt.assert_allclose(tensors[:, 2, 2], expected, rtol=2e-3)


@pytest.mark.parametrize("ramp", [0.0, 5e-6])
def test_a_single_pulse_is_two_steps(ramp):
    """Off at the end of the ramp, on at the start of the pulse; a ramp is a mean of steps."""
    tau = np.array([3e-6, 5e-5, 2e-3])
    train = PulseTrain(
        pulse=2e-4, ramp=ramp, receiver_tau=1e-6, gates=TRAIN.gates, polarity="single"
    )
    delays = (np.arange(1000) + 0.5) / 1000 * ramp if ramp else np.zeros(1)
    time = np.linspace(*TRAIN.gates.T, 4001)  # (n, n_gates)

    def mean(delay):
        course = np.exp(-(time[..., None] + delay) / tau)
        return np.trapezoid(course, dx=1 / 4000, axis=0).T

    expected = np.mean([mean(delay) for delay in delays], axis=0) - mean(2e-4 + ramp)
    npt.assert_allclose(gate_factors(train, tau), expected, rtol=1e-6, atol=1e-15)


def test_trains_are_sums_of_single_pulses():
    tau = np.array([3e-6, 5e-5, 2e-3])
    single = PulseTrain(
        pulse=2e-4, ramp=5e-6, receiver_tau=1e-6, gates=TRAIN.gates, polarity="single"
    )
    for polarity, sign in (("bipolar", -1.0), ("unipolar", 1.0)):
        expected = 0.0
        for k in range(40):
            late = dataclasses.replace(single, gates=TRAIN.gates + k * TRAIN.half_period)
            expected = expected + sign**k * gate_factors(late, tau)
        train = dataclasses.replace(TRAIN, polarity=polarity)
        npt.assert_allclose(gate_factors(train, tau), expected, rtol=1e-7)


def test_a_train_of_pulses_far_apart_is_a_single_pulse():
    tau = [1e-5, 1e-4]
    rare = dataclasses.replace(TRAIN, half_period=1.0)
    single = dataclasses.replace(TRAIN, half_period=None, polarity="single")
    npt.assert_allclose(gate_factors(rare, tau), gate_factors(single, tau), rtol=1e-14)
    long = dataclasses.replace(single, pulse=1.0, ramp=0.0)
    ideal = dataclasses.replace(single, pulse=math.inf, ramp=0.0)
    npt.assert_allclose(gate_factors(long, tau), gate_factors(ideal, tau), rtol=1e-14)


def test_an_ideal_receiver_is_the_limit_of_a_fast_one():
    exact = step_off_coefficients(-0.3, [1.0, 2.0], [3e-6, 4e-5], receiver_tau=0.0)
    npt.assert_array_equal(exact[0], [3e-6, 4e-5])
    npt.assert_allclose(exact[1], [1 / 3e-6, 2 / 4e-5])
    fast = step_off_coefficients(-0.3, [1.0, 2.0], [3e-6, 4e-5], receiver_tau=1e-12)
    npt.assert_allclose(fast[1][:2], exact[1], rtol=1e-6)


def test_factors_keep_their_digits_for_short_time_constants():
    """Within the ramp: theta / Tr exp(-t1 / theta) and nothing lost to a difference of ones."""
    train = dataclasses.replace(TRAIN, ramp=0.1, half_period=1.0, gates=[[1e-9, 1.001e-9]])
    theta = np.array([1e-9, 1e-8])
    width = 1e-12 / theta
    expected = theta / 0.1 * np.exp(-1e-9 / theta) * -np.expm1(-width) / width
    npt.assert_allclose(gate_factors(train, theta)[:, 0], expected, rtol=1e-11)


def test_instantaneous_response_shows_through_the_receiver():
    """Its transient dies with the receiver alone."""
    train = dataclasses.replace(TRAIN, receiver_tau=2e-6, gates=[[10e-6, 10.01e-6]])
    at_once = Relaxation(instantaneous=-ONE, amplitudes=np.empty((0, 3, 3)), taus=[])
    ramp = 2 / 5 * (1 - math.exp(-5 / 2))
    decay = math.exp(-10.005 / 2) / 2e-6
    npt.assert_allclose(
        pulse_tensors([at_once], train=train)[0, 0], -MU_0 * ramp * decay * ONE, rtol=1e-4
    )


def test_factors_keep_their_digits_for_long_time_constants():
    """For theta far above the pulse the train leaves (Tp + Tr / 2) / (2 theta)."""
    theta = np.array([1e3, 1e6, 1e9])
    expected = (TRAIN.pulse + TRAIN.ramp / 2) / (2 * theta)
    npt.assert_allclose(gate_factors(TRAIN, theta)[:, 0], expected, rtol=2e-6)
    npt.assert_allclose(gate_factors(TRAIN, theta)[1:, 0], expected[1:], rtol=2e-9)


def test_factors_are_smooth_where_the_series_takes_over():
    theta = TRAIN.ramp / np.linspace(0.0499, 0.0501, 101)
    factors = gate_factors(TRAIN, theta)[:, 0]
    assert np.abs(np.diff(factors, 3)).max() < 1e-13


def test_factors_vanish_for_short_time_constants():
    npt.assert_array_equal(gate_factors(TRAIN, [1e-12]), 0)
    assert gate_factors(TRAIN, []).shape == (0, 2)


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


SQUARE = [[0.1, 0.1, 0], [-0.1, 0.1, 0.02], [-0.1, -0.1, 0], [0.1, -0.1, 0]]
WINDINGS = {
    "circle": (Circle(radius=0.1),),
    "offset": (Circle(radius=0.06, centre=[0.1, 0.05, 0.02], axis=[0.2, 0.1, 1], turns=3),),
    "difference": (
        Circle(radius=0.08, centre=[0, 0, -0.03]),
        Circle(radius=0.08, centre=[0, 0, 0.03], turns=-1),
    ),
    "polygon": (Polygon(vertices=SQUARE, turns=2),),
    "both": (Polygon(vertices=SQUARE), Circle(radius=0.05, centre=[0, 0, 0.05])),
}
pairs_of_windings = pytest.mark.parametrize(
    ("one", "other"),
    [("circle", "circle"), ("circle", "offset"), ("difference", "both"), ("polygon", "offset")],
)


def scene(seed, n=4, m=5):
    """Return poses of a head and bodies of any attitude at random, well apart."""
    rng = np.random.default_rng(seed)
    steel, aluminium = sphere_relaxation(**STEEL), sphere_relaxation(**ALUMINIUM)
    bodies = []
    for _ in range(m):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        bodies.append(combine_axes(steel, aluminium, steel.scaled(1.5)).rotated(turn))
    position = rng.uniform(-0.5, 0.5, (n, 3)) + np.array([0, 0, 0.7])
    places = rng.uniform(-0.5, 0.5, (m, 3)) - np.array([0, 0, 0.7])
    rotation = attitude(*rng.uniform(-3, 3, (1, n)), pitch=rng.normal(size=n), roll=[1.0] * n)
    return position, rotation, places, bodies


@pairs_of_windings
def test_kernel_is_the_sum_over_objects_term_by_term(one, other):
    position, rotation, places, bodies = scene(1)
    head = Head(transmitter=WINDINGS[one], receiver=WINDINGS[other], excitation=TRAIN)
    tensors = pulse_tensors(bodies, train=TRAIN)
    options = {"head": head, "object_position": places, "objects": bodies}
    for reach in (np.inf, 1.6):
        expected = naive_emi.sum_of_bodies(
            head, position, rotation, places, tensors, reach=reach
        )
        seen = pulse_voltage(position, rotation=rotation, reach=reach, **options)
        npt.assert_allclose(seen, expected, rtol=1e-9)
    distance = np.linalg.norm(places - position[:, None], axis=2)
    assert 0 < np.count_nonzero(distance > 1.6) < distance.size


@pairs_of_windings
def test_transmitter_and_receiver_may_change_places(one, other):
    """Reciprocity, in frequency and in time, at any pose."""
    position, rotation, places, bodies = scene(2)
    options = {"object_position": places, "objects": bodies, "rotation": rotation}
    for excitation in (TRAIN, ContinuousWave(frequencies=[2400.0, 19200.0])):
        to = Head(transmitter=WINDINGS[one], receiver=WINDINGS[other], excitation=excitation)
        fro = Head(transmitter=WINDINGS[other], receiver=WINDINGS[one], excitation=excitation)
        compute = pulse_voltage if excitation is TRAIN else continuous_wave_response
        there, back = (compute(position, head=head, **options) for head in (to, fro))
        npt.assert_allclose(there, back, rtol=1e-12)


def test_continuous_wave_is_the_sum_term_by_term():
    position, rotation, places, bodies = scene(2)
    frequency = [2400.0, 19200.0]
    head = wave_head(frequency, receiver=WINDINGS["offset"])
    moments = np.array([b.polarizability(frequency) for b in bodies])
    both = np.concatenate([moments.real, moments.imag], axis=1)
    expected = naive_emi.sum_of_bodies(head, position, rotation, places, both)
    seen = continuous_wave_response(
        position, head=head, object_position=places, objects=bodies, rotation=rotation
    )
    npt.assert_allclose(seen, expected[:, :2] + 1j * expected[:, 2:], rtol=1e-9)


def test_concentric_loops_see_through_both_fields():
    field = loop_field([[0.05, 0.02, -0.1]], radius=0.1)[0]
    inner = loop_field([[0.05, 0.02, -0.1]], radius=0.04)[0]
    response = continuous_wave_response(
        ORIGIN,
        head=wave_head([5e3], receiver=(Circle(radius=0.04),)),
        object_position=[[0.05, 0.02, -0.1]],
        objects=[RING],
    )
    expected = inner @ RING.polarizability(5e3) @ field
    npt.assert_allclose(response[0, 0], expected, rtol=1e-12)


def test_turns_multiply():
    position, rotation, places, bodies = scene(3)
    options = {"object_position": places, "objects": bodies, "rotation": rotation}
    once = pulse_voltage(position, head=HEAD, **options)
    coil = (Circle(radius=0.1, turns=20),)
    many = Head(transmitter=coil, receiver=coil, excitation=TRAIN)
    npt.assert_allclose(pulse_voltage(position, head=many, **options), 400 * once, rtol=1e-12)
    other = Head(transmitter=coil, receiver=(Circle(radius=0.1, turns=-2),), excitation=TRAIN)
    npt.assert_allclose(pulse_voltage(position, head=other, **options), -40 * once, rtol=1e-12)


@given(seed=st.integers(0, 1000), name=st.sampled_from(sorted(WINDINGS)))
def test_whole_scene_may_move_and_turn(seed, name):
    position, rotation, places, bodies = scene(seed, n=2, m=2)
    rng = np.random.default_rng(seed + 1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    shift = rng.normal(size=3)
    head = Head(transmitter=WINDINGS[name], receiver=WINDINGS["offset"], excitation=TRAIN)
    before = pulse_voltage(
        position, head=head, object_position=places, objects=bodies, rotation=rotation
    )
    after = pulse_voltage(
        position @ turn.T + shift,
        head=head,
        object_position=places @ turn.T + shift,
        objects=[body.rotated(turn) for body in bodies],
        rotation=turn @ rotation,
    )
    npt.assert_allclose(after, before, rtol=1e-7, atol=1e-9 * np.abs(before).max())


def test_level_to_the_north_is_the_default_and_turning_a_coil_over_changes_nothing():
    position, _, places, bodies = scene(3)
    options = {"head": HEAD, "object_position": places, "objects": bodies}
    level = pulse_voltage(position, **options)
    flat = np.tile(np.eye(3), (4, 1, 1))
    npt.assert_array_equal(pulse_voltage(position, rotation=flat, **options), level)
    over = attitude(np.zeros(4), roll=math.pi)
    npt.assert_allclose(pulse_voltage(position, rotation=over, **options), level, rtol=1e-12)
    # a head whose receiver lies to its right sees what is east of it when it looks north
    aside = Head(
        transmitter=WINDINGS["circle"],
        receiver=(Circle(radius=0.05, centre=[0.3, 0, 0]),),
        excitation=TRAIN,
    )
    east, west = (
        pulse_voltage(ORIGIN, head=aside, object_position=[[x, 0, -0.1]], objects=[RING])
        for x in (0.3, -0.3)
    )
    assert (np.abs(east) > 3 * np.abs(west)).all()


def test_objects_add_up_and_reach_leaves_out():
    position, _, places, bodies = scene(4)
    options = {"head": HEAD}
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
    npt.assert_array_equal(pulse_voltage(ABOVE, head=HEAD, **nothing), [[0, 0]])
    assert pulse_voltage(np.empty((0, 3)), head=HEAD, reach=1.0, **nothing).shape == (0, 2)
    response = continuous_wave_response(ABOVE, head=wave_head([1e3]), **nothing)
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
            [[0, 0, z]], head=wave_head([2e4]), object_position=ORIGIN, objects=[still]
        )
        responses.append(response[0, 0].real)
    npt.assert_allclose(responses, responses[0], rtol=1e-3)


def test_magnetic_ball_and_magnetic_soil_move_the_in_phase_channel_alike():
    """Faint balls are all that soil is: a positive real part from both."""
    ball = sphere_relaxation(**{**STEEL, "conductivity": 1.0})
    options = {"object_position": ORIGIN, "objects": [ball]}
    response = continuous_wave_response(ABOVE, head=wave_head([2e4]), **options)[0, 0]
    soil = image_flux(0.1, radius=0.1, susceptibility=1e-3 - 1e-4j) / MU_0
    assert response.real > 0
    assert soil.real > 0
    assert soil.imag < 0  # as of every passive body
    train = dataclasses.replace(TRAIN, gates=[[1e-6, 2e-6]])
    late = make_head(train)  # while the receiver still rings
    for share in (0.0, 1.0):
        assert (
            soil_pulse_voltage([0.1], head=late, susceptibility=1e-3, viscous_share=share) > 0
        ).all()
    assert (pulse_voltage(ABOVE, head=late, **options) > 0).all()


def test_how_strong_soil_is_beside_a_ball():
    """Soil of chi = 1e-3 under a coil at 3 cm against aluminium 5, 10, 20 cm deep."""
    soil = image_flux(0.03, radius=0.1, susceptibility=1e-3) / MU_0
    ratios = []
    for depth in (0.05, 0.1, 0.2):
        response = continuous_wave_response(
            [[0, 0, 0.03]],
            head=wave_head([2e4]),
            object_position=[[0, 0, -depth]],
            objects=[sphere_relaxation(**ALUMINIUM)],
        )
        ratios.append(soil / -response[0, 0].real)
    npt.assert_allclose(ratios, [10.1, 45, 572], rtol=0.01)


def test_objects_at_the_head_are_refused():
    """On the wire, near it, or of a size that reaches it or through the coil."""
    square = (
        Polygon(vertices=[[0.1, 0.1, 0], [-0.1, 0.1, 0], [-0.1, -0.1, 0], [0.1, -0.1, 0]]),
    )
    tilted = attitude([0.3], pitch=0.4, roll=-0.2)
    for winding, at_wire in ((WINDINGS["circle"], [0.1, 0, 0]), (square, [0.1, 0.03, 0])):
        head = Head(transmitter=winding, receiver=winding, excitation=TRAIN)

        def place(local, size=0.0, head=head):
            where = [[1, 2, 3] + tilted[0] @ np.asarray(local, float)]
            options = {"object_position": where, "objects": [RING], "rotation": tilted}
            return pulse_voltage([[1, 2, 3]], head=head, object_radius=size, **options)

        for local, size in [
            (at_wire, 0.0),
            (np.add(at_wire, [0, 0, 0.0009]), 0.0),
            (np.add(at_wire, [0.02, 0, 0]), 0.021),
            (np.add(at_wire, [0, 0, 0.02]), 0.021),
        ]:
            with pytest.raises(ValueError, match="touches a wire of the head at position 0"):
                place(local, size)
        for local, size in [([0.02, 0.01, 0.01], 0.011), ([0, 0, 0], 1e-6)]:
            with pytest.raises(ValueError, match="reaches through the coil at position 0"):
                place(local, size)
        for local, size in [
            (np.add(at_wire, [0, 0, 0.0011]), 0.0),
            (np.add(at_wire, [0.02, 0, 0]), 0.019),
            ([0.02, 0.01, 0.01], 0.009),
            ([0.2, 0.0, 0.0], 0.05),
            ([0, 0, 0], 0.0),
        ]:
            assert np.isfinite(place(local, size)).all()


def test_the_receiver_touches_as_well():
    head = Head(transmitter=WINDINGS["circle"], receiver=WINDINGS["offset"], excitation=TRAIN)
    middle = WINDINGS["offset"][0].centre
    options = {"head": head, "object_position": [middle], "objects": [RING]}
    with pytest.raises(ValueError, match=r"object_radius '0.001' of the object at \[0.1, 0.05"):
        pulse_voltage(ORIGIN, object_radius=[0.001], **options)


def test_the_second_of_many_is_named():
    position = [[0, 0, z] for z in (0.3, 0.2, 0.1)]
    options = {"object_position": [[5, 5, 5], [0.1, 0, 0.2]], "objects": [RING, RING]}
    with pytest.raises(ValueError, match=r"object_position \[0.1, 0.0, 0.2\].* at position 1"):
        pulse_voltage(position, head=HEAD, **options)


def test_an_array_is_its_channels_one_by_one():
    """Lever arms turn with the platform; each head starts at the arm of its channel."""
    position, rotation, places, bodies = scene(5)
    arms = np.array([[-0.3, 0.1, 0.05], [0.3, -0.1, 0.0]])
    heads_ = (
        HEAD,
        Head(transmitter=WINDINGS["both"], receiver=WINDINGS["offset"], excitation=TRAIN),
    )
    sensor = Sensor(name="pair", kind="emi", axis=[1, 2], lever_arms=arms, heads=heads_)
    options = {"object_position": places, "objects": bodies, "rotation": rotation, "reach": 3.0}
    seen = array_response(position, sensor=sensor, **options)
    assert seen.shape == (4, 2, 2)
    for c, (arm, head) in enumerate(zip(arms, heads_, strict=True)):
        own = pulse_voltage(position + rotation @ arm, head=head, **options)
        npt.assert_array_equal(seen[:, c], own)
    waves = Sensor(name="waves", kind="emi", axis=[1e3], lever_arms=arms, head=wave_head([1e3]))
    phasors = array_response(position, sensor=waves, **options)
    assert phasors.shape == (4, 2, 1)
    assert phasors.dtype == np.complex128
    with pytest.raises(ValueError, match="sensor 'pair' without a head"):
        array_response(position, sensor=dataclasses.replace(sensor, heads=()), **options)
    with pytest.raises(TypeError, match="sensor of type Head"):
        array_response(position, sensor=HEAD, **options)


RING = ring_relaxation(radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0, 0, 1])
GOOD = {
    "head_position": ABOVE,
    "head": HEAD,
    "object_position": ORIGIN,
    "objects": [RING],
}


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"head_position": [[0, 0]]}, ValueError, r"head_position with shape \(1, 2\)"),
        ({"head_position": [[0, 0, np.nan]]}, ValueError, "head_position: 1 of 3"),
        (
            {"object_position": [[0, 0, 0]] * 2},
            ValueError,
            r"object_position .* Must be \(1, 3",
        ),
        (
            {"objects": [None]},
            TypeError,
            "object of type NoneType. Must be a Relaxation or Abs",
        ),
        ({"head": None}, TypeError, "head of type NoneType. Must be a Head"),
        ({"head": wave_head([1e3])}, TypeError, "train .* Must be a PulseTrain"),
        ({"rotation": [np.eye(3)] * 2}, ValueError, r"rotation with shape \(2, 3, 3\)"),
        ({"rotation": [2 * np.eye(3)]}, ValueError, "rotation .* at position 0. Must be ortho"),
        ({"rotation": [-np.eye(3)]}, ValueError, "of determinant 1"),
        ({"object_radius": -1.0}, ValueError, "object_radius '-1.0'. Must not be negative"),
        ({"object_radius": [0.1, 0.1]}, ValueError, r"object_radius with shape \(2,\)"),
        ({"reach": 0.0}, ValueError, "reach '0.0'"),
        ({"reach": np.nan}, ValueError, "reach 'nan'"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    with pytest.raises(error, match=message):
        pulse_voltage(**{**GOOD, **bad})


def test_pulses_are_no_continuous_wave():
    with pytest.raises(
        TypeError, match=r"excitation of type PulseTrain\. Must be ContinuousWave"
    ):
        continuous_wave_response(ABOVE, head=HEAD, object_position=ORIGIN, objects=[RING])


@settings(max_examples=10)
@given(
    tau=st.floats(0.01, 10),
    steps=st.lists(st.floats(1e-3, 2), min_size=1, max_size=12),
    seed=st.integers(0, 99),
)
def test_demodulator_is_a_pole_on_the_envelope(tau, steps, seed):
    """Against a fine simulation of tau dy/dt = x - y between samples joined by lines."""
    rng = np.random.default_rng(seed)
    time = np.concatenate([[0.0], np.cumsum(steps)])
    envelope = rng.normal(size=(len(time), 2)) + 1j * rng.normal(size=(len(time), 2))
    seen = demodulate(envelope, time=time, tau=tau)
    fine = np.linspace(0, time[-1], 4001)
    parts = np.array([np.interp(fine, time, column) for column in envelope.T]).T
    step = fine[1] / tau
    state, track = parts[0], [parts[0]]
    for a, b in itertools.pairwise(parts):
        state = ((1 - step / 2) * state + step * (a + b) / 2) / (1 + step / 2)
        track.append(state)
    for column, expected in zip(seen.T, np.array(track).T, strict=True):
        npt.assert_allclose(column, np.interp(time, fine, expected), atol=3e-3)


def test_demodulator_without_a_pole_changes_nothing():
    npt.assert_array_equal(demodulate([1.0, 2.0], time=[0, 1], tau=0), [1, 2])
    npt.assert_array_equal(demodulate([5.0, 5.0, 5.0], time=[0, 1, 3], tau=2.0), [5, 5, 5])
    assert demodulate(np.empty((0, 3)), time=[], tau=1.0).shape == (0, 3)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"response": ["a", "b"]}, TypeError, "response of dtype"),
        ({"response": [1.0]}, ValueError, r"response with shape \(1,\). Must be \(2,\)"),
        ({"response": [1.0, np.nan]}, ValueError, "Invalid response. Must be finite"),
        ({"time": [1.0, 1.0]}, ValueError, "time: value 1 is 1.0 after 1.0"),
        ({"tau": -1.0}, ValueError, "tau '-1.0'"),
    ],
)
def test_bad_envelopes_are_named(bad, error, message):
    with pytest.raises(error, match=message):
        demodulate(**{"response": [1.0, 2.0], "time": [0, 1], "tau": 1.0, **bad})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gate_factors(TRAIN, [0.0]), ValueError, "thetas: the least is '0.0'"),
        (lambda: gate_factors("x", [1.0]), TypeError, "train 'x'. Must be a PulseTrain"),
        (
            lambda: step_off_coefficients(0, [1.0], [-1.0], receiver_tau=1.0),
            ValueError,
            "taus: the least is '-1.0'",
        ),
        (
            lambda: step_off_coefficients(0, [1.0], [1.0], receiver_tau=-1.0),
            ValueError,
            "receiver_tau '-1.0'",
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

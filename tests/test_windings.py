"""Test windings of circles and polygons: fields, inductances, images and common heads."""

import math

import naive_emi
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minesense._kernels import induction
from minesense.physics import (
    array_response,
    attitude,
    circle_polygon,
    continuous_wave_response,
    head_arrays,
    heads,
    loop_field,
    mirrored,
    moved,
    mutual_inductance,
    pulse_voltage,
    rotation_onto,
    self_inductance,
    sphere_relaxation,
    winding_field,
    winding_inductance,
)
from minesense.physics.winding import extent, wires_of
from minesense.sensor import Circle, ContinuousWave, Head, Polygon, PulseTrain

MU_0 = naive_emi.MU_0
WAVE = ContinuousWave(frequencies=[2.4e3, 19.2e3])
TRAIN = PulseTrain(
    gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
LOOP = (Circle(radius=0.1),)
BENT = Polygon(vertices=[[0, 0, 0], [0.2, 0, 0.05], [0.2, 0.1, 0], [0.1, 0.2, -0.05]], turns=3)
SQUARE = heads.rectangle(0.2, 0.2)
BALL = sphere_relaxation(radius=0.005, conductivity=3.5e7, permeability=1.0)


def test_field_is_that_of_biot_and_savart():
    rng = np.random.default_rng(seed=1)
    points = rng.uniform(-0.4, 0.4, (20, 3)) + np.array([0, 0, 0.5])
    tilted = Circle(radius=0.17, centre=[0.1, -0.2, 0.05], axis=[0.3, -0.5, 0.7], turns=-2)
    for winding in ((BENT,), (tilted,), (tilted, BENT, SQUARE)):
        expected = naive_emi.winding_field(points, winding)
        npt.assert_allclose(winding_field(points, winding), expected, rtol=1e-9)


def test_field_of_a_square_is_the_textbooks():
    """In the middle 2 sqrt(2) / (pi a) for the side a; an edge alone by its two angles."""
    field = winding_field([[0, 0, 0]], (SQUARE,))
    npt.assert_allclose(field, [[0, 0, 2 * math.sqrt(2) / (math.pi * 0.2)]], rtol=1e-14, atol=0)
    across = winding_field([[0, 0, 0.1]], (SQUARE,))[0, 2]
    npt.assert_allclose(across, 4 * 0.1**2 / (math.pi * 0.02 * math.sqrt(0.03)) / 2, rtol=1e-14)


def test_field_beside_an_edge_is_that_of_a_straight_wire():
    for gap in (1e-3, 1e-6, 1e-9, 1e-12):
        field = winding_field([[0.1 + gap, 0.01, 0.0], [0.1, 0.01, gap]], (SQUARE,))
        straight = 1 / (2 * math.pi * gap)
        rtol = max(30 * gap, 1e-4 if gap < 1e-11 else 1e-6)  # 0.1 + gap is rounded
        npt.assert_allclose(field[0, 2], -straight, rtol=rtol)
        npt.assert_allclose(field[1, 0], straight, rtol=rtol)
    # beyond its ends, in line with an edge, that edge does nothing
    line = winding_field([[0.1, 0.3, 0]], (SQUARE,))
    assert np.isfinite(line).all()


@pytest.mark.parametrize(
    ("n_edges", "inscribed", "equal_area"), [(64, 1.3e-3, 2.1e-7), (256, 8e-5, 8e-10)]
)
def test_polygons_of_equal_area_stand_for_circles(n_edges, inscribed, equal_area):
    """The errors at rho = z = R that were computed for both choices of the radius."""
    exact = loop_field([[0.1, 0, 0.1]], radius=0.1)[0]

    def error(polygon):
        found = winding_field([[0.1, 0, 0.1]], (polygon,))[0]
        return np.linalg.norm(found - exact) / np.linalg.norm(exact)

    ours = circle_polygon(LOOP[0], n_edges)
    npt.assert_allclose(error(ours), equal_area, rtol=0.1)
    rim = np.linalg.norm(ours.vertices, axis=1)[0]
    small = Polygon(vertices=ours.vertices * 0.1 / rim)
    npt.assert_allclose(error(small), inscribed, rtol=0.1)
    tilted = Circle(radius=0.2, centre=[1, 2, 3], axis=[1, 1, 0], turns=-4)
    found = circle_polygon(tilted, 16)
    assert found.turns == -4
    npt.assert_allclose(found.vertices.mean(axis=0), [1, 2, 3], atol=1e-14)
    point = [[1.4, 2.2, 3.9]]
    npt.assert_allclose(
        winding_field(point, (found,)), winding_field(point, (tilted,)), rtol=2e-3
    )


@given(seed=st.integers(0, 1000))
def test_fields_turn_and_move_with_the_winding(seed):
    rng = np.random.default_rng(seed)
    turn = rotation_onto(rng.normal(size=3)) @ attitude([rng.uniform(-3, 3)])[0]
    shift = rng.normal(size=3)
    winding = (BENT, Circle(radius=0.3, centre=[0.1, 0, 0], axis=[0, 1, 1]))
    points = rng.normal(size=(3, 3)) + 2
    before = winding_field(points, winding)
    after = winding_field(points @ turn.T + shift, moved(winding, offset=shift, rotation=turn))
    npt.assert_allclose(after, before @ turn.T, rtol=1e-7, atol=1e-9 * np.abs(before).max())


@given(seed=st.integers(0, 1000))
def test_the_image_is_the_mirrored_wire(seed):
    """Fields of mirrored currents: an axial vector takes the other sign along the mirror."""
    rng = np.random.default_rng(seed)
    winding = (BENT, Circle(radius=0.3, centre=[0.1, 0, 0.4], axis=rng.normal(size=3), turns=2))
    points = rng.normal(size=(3, 3)) + 2
    image = winding_field(points * [1, 1, -1], mirrored(winding))
    expected = winding_field(points, winding) * [-1, -1, 1]
    npt.assert_allclose(image, expected, rtol=1e-9, atol=1e-12)
    axis = mirrored((Circle(radius=1, axis=[1, 2, 3]),))[0].axis
    npt.assert_array_equal(axis, [-1, -2, 3])


SQUARE_ABOVE = moved((SQUARE,), offset=[0, 0.05, 0.3])[0]
SEPARATE = {
    "tilted circles": (LOOP, (Circle(radius=0.07, centre=[0.05, 0.1, 0.1], axis=[1, 2, 3]),)),
    "circle and polygon": (LOOP, moved((BENT,), offset=[0, 0, 0.15])),
    "polygons": ((SQUARE,), moved((BENT,), offset=[0.1, 0, -0.15])),
    "sums": (
        (*LOOP, SQUARE),
        (
            Circle(radius=0.07, centre=[0, 0.1, 0.2], turns=-2),
            *moved((BENT,), offset=[0, 0, 0.3]),
        ),
    ),
}


@pytest.mark.parametrize(("one", "other"), SEPARATE.values(), ids=SEPARATE)
def test_inductance_is_that_of_neumann(one, other):
    ours = winding_inductance(one, other)
    npt.assert_allclose(ours, naive_emi.winding_inductance(one, other), rtol=1e-5)
    npt.assert_allclose(ours, winding_inductance(other, one), rtol=1e-9)
    turn = rotation_onto([1.0, -2.0, 0.5])
    both = (moved(x, offset=[3, 2, 1], rotation=turn) for x in (one, other))
    npt.assert_allclose(winding_inductance(*both), ours, rtol=1e-9)


def test_inductance_of_coaxial_circles_is_exact():
    for axis, sign in (([0, 0, 5], 1), ([0, 0, -1], -1)):
        other = (Circle(radius=0.07, centre=[0, 0, -0.05], axis=axis, turns=3),)
        exact = sign * 3 * mutual_inductance(0.1, 0.07, 0.05)
        assert winding_inductance(LOOP, other) == pytest.approx(exact, rel=1e-15)
    turn = rotation_onto([0.2, 0.3, 0.4])
    pair = (moved(x, rotation=turn) for x in (LOOP, other))
    npt.assert_allclose(winding_inductance(*pair), exact, rtol=1e-12)
    # slightly off the axis the integral takes over, without a step
    near = (Circle(radius=0.07, centre=[1e-7, 0, -0.05], axis=[0, 0, -1], turns=3),)
    npt.assert_allclose(winding_inductance(LOOP, near), exact, rtol=1e-9)
    polygon = (circle_polygon(other[0], 512),)
    npt.assert_allclose(winding_inductance(LOOP, polygon), exact, rtol=1e-8)


def test_inductance_of_close_and_crossing_wires():
    """Squares a hundredth of a side apart by textbook; crossing in one plane, by symmetry."""
    a, d = 0.2, 0.002
    close = winding_inductance((SQUARE,), moved((SQUARE,), offset=[0, 0, d]))

    def parallel(gap):  # Grover: two equal parallel filaments
        return a * math.asinh(a / gap) - math.hypot(a, gap) + gap

    expected = 2 * MU_0 / math.pi * (parallel(d) - parallel(math.hypot(a, d)))
    npt.assert_allclose(close, expected, rtol=1e-10)
    crossing = winding_inductance((SQUARE,), moved((SQUARE,), offset=[0.1, 0.1, 0.0]))
    near = winding_inductance((SQUARE,), moved((SQUARE,), offset=[0.1, 0.1, 1e-9]))
    npt.assert_allclose(crossing, near, rtol=1e-6)
    assert crossing == pytest.approx(
        naive_emi.winding_inductance(
            (SQUARE,), moved((SQUARE,), offset=[0.1, 0.1, 1e-4]), 4000
        ),
        rel=2e-3,
    )


def test_potential_has_its_limits():
    """Infinite on a wire; on the axis of a circle none about it; far away that of a dipole."""
    wires = wires_of(LOOP)
    points = np.array([[0.1, 0, 0], [0, 0, 0.05], [40.0, 0, 30.0]])
    directions = np.tile([0.0, 1.0, 0.0], (3, 1))
    found = np.empty(3)
    induction.potential_along(points, directions, wires.circles, wires.segments, 0.0, found)
    assert found[0] == np.inf
    assert found[1] == 0
    npt.assert_allclose(found[2], math.pi * 0.01 * 40 / (4 * math.pi * 50**3), rtol=1e-5)


def test_nulled_pairs_are_null_beside_what_they_are_made_of():
    pair = heads.coaxial_pair(radius=0.1, receiver_radius=0.08, distance=0.05, excitation=WAVE)
    tilt = rotation_onto([0.1, 0.2, 1.0])  # coaxial, but for rounding
    turned = [moved(x, rotation=tilt) for x in (pair.transmitter, pair.receiver)]
    assert abs(winding_inductance(*turned)) < 1e-12 * mutual_inductance(0.1, 0.08, 0.05)
    across = (Circle(radius=0.1, axis=[1, 0, 0]),)
    assert abs(winding_inductance(LOOP, across)) < 1e-9 * self_inductance(
        LOOP, wire_radius=1e-3
    )


def test_self_inductance():
    """A circle, the polygon that stands for it, a square by the textbook, turns squared."""
    circle = self_inductance(LOOP, wire_radius=1e-3)
    npt.assert_allclose(circle, MU_0 * 0.1 * (math.log(800) - 2), rtol=1e-14)
    polygon = (circle_polygon(LOOP[0], 64),)
    npt.assert_allclose(self_inductance(polygon, wire_radius=1e-3), circle, rtol=2e-3)
    a, w = 0.2, 1e-4
    square = 2 * MU_0 * a / math.pi * (math.log(a / w) + w / a - 0.774)
    npt.assert_allclose(self_inductance((SQUARE,), wire_radius=w), square, rtol=1e-4)
    many = (Circle(radius=0.1, turns=-5),)
    npt.assert_allclose(self_inductance(many, wire_radius=1e-3), 25 * circle, rtol=1e-14)
    pair = (Circle(radius=0.1), Circle(radius=0.1, centre=[0, 0, 0.02], turns=2))
    expected = 5 * circle + 4 * mutual_inductance(0.1, 0.1, 0.02)
    npt.assert_allclose(self_inductance(pair, wire_radius=1e-3), expected, rtol=1e-14)


@pytest.mark.parametrize("radius", [0.08, 0.15])
def test_double_d_is_nulled(radius):
    head = heads.double_d(
        radius=radius, excitation=WAVE, turns=20, receiver_turns=50, n_edges=12
    )
    own = self_inductance(head.transmitter, wire_radius=0.001) / 20**2
    coupling = winding_inductance(head.transmitter, head.receiver) / (20 * 50)
    assert abs(coupling) < 1e-5 * own
    left, right = (winding[0].vertices for winding in (head.transmitter, head.receiver))
    overlap = left[:, 0].max()
    assert 0 < overlap < 0.4 * radius  # chords overlap, arcs lie outside
    npt.assert_allclose(right[:, 0].min(), -overlap, rtol=1e-12)
    npt.assert_allclose(left[:, 0].min(), overlap - radius, rtol=1e-2)
    npt.assert_allclose(right[:, 2] - left[:, 2], 0.002, rtol=1e-12)
    # further apart negative, closer positive: it is the null between
    for shift, sign in ((0.01, -1), (-0.01, 1)):
        other = moved(head.receiver, offset=[shift, 0, 0])
        assert sign * winding_inductance(head.transmitter, other) > 1e-3 * own * 1000


def test_double_d_halves_have_the_area_of_half_circles():
    head = heads.double_d(radius=0.1, excitation=WAVE, n_edges=8)
    for winding in (head.transmitter, head.receiver):
        x, y, _ = winding[0].vertices.T
        area = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
        npt.assert_allclose(area, math.pi / 2 * 0.01, rtol=1e-12)  # and the same sense


def test_heads_of_one_centre():
    one = heads.single(radius=0.1, turns=3, excitation=WAVE, height=0.05)
    assert one.receiver is one.transmitter
    assert (one.transmitter[0].turns, one.height) == (3.0, 0.05)
    two = heads.concentric(radius=0.1, receiver_radius=0.05, receiver_turns=7, excitation=WAVE)
    expected = 7 * mutual_inductance(0.1, 0.05, 0.0)
    assert winding_inductance(two.transmitter, two.receiver) == pytest.approx(expected)


def test_gradiometer_and_quad_are_nulled_and_see_differences():
    pair = heads.coaxial_pair(radius=0.1, receiver_radius=0.1, distance=0.05, excitation=TRAIN)
    assert winding_inductance(pair.transmitter, pair.receiver) == 0
    quad = heads.quad(width=0.3, length=0.2, excitation=TRAIN)
    own = self_inductance(quad.transmitter, wire_radius=1e-3)
    assert abs(winding_inductance(quad.transmitter, quad.receiver)) < 1e-9 * own
    options = {"objects": [BALL]}

    def seen(head, place):
        return pulse_voltage([[0, 0, 0]], head=head, object_position=[place], **options)[0]

    below, above = seen(pair, [0, 0, -0.15]), seen(pair, [0, 0, 0.15])
    npt.assert_allclose(below, -above, rtol=1e-12)  # the near receiver wins
    assert (below > 0).all()
    right, left = seen(quad, [0.1, 0, -0.1]), seen(quad, [-0.1, 0, -0.1])
    npt.assert_allclose(right, -left, rtol=1e-9)
    assert (right > 0).all()
    assert (np.abs(seen(quad, [0, 0.05, -0.1])) < 1e-9 * np.abs(right)).all()


def test_five_transmitters_and_eleven_cubes_make_165_channels():
    """The shape of a published array: 5 transmitters, 11 three-axis receivers, 27 gates."""
    coil = (heads.rectangle(0.5, 0.5),)
    transmitters = [moved(coil, offset=[x, y, 0]) for x, y in np.eye(5, 2) - 0.4]
    cubes = [[0.2 * (k - 5), 0.05, 0.01] for k in range(11)]
    receivers = [winding for at in cubes for winding in head_arrays.three_axis(0.1, centre=at)]
    edges = np.geomspace(0.154e-3, 2.42e-3, 28)
    gates = np.column_stack([edges[:-1], edges[1:]])
    train = PulseTrain(gates=gates, pulse=5e-3, ramp=5e-6, half_period=10e-3, receiver_tau=1e-6)
    sensor = head_arrays.array_of(transmitters, receivers, excitation=train, height=0.28)
    assert sensor.shape == (165, 27)
    assert len(sensor.heads) == 165
    assert (sensor.unit, sensor.axis_unit, sensor.is_complex) == ("V/A", "s", False)
    steel = sphere_relaxation(radius=0.03, conductivity=4e6, permeability=100.0)
    place = [[0.13, -0.08, -0.6]]
    seen = array_response([[0, 0, 0]], sensor=sensor, object_position=place, objects=[steel])
    # a channel is its pair wherever its wires are counted from
    for c in (0, 34, 164):
        t, r = divmod(c, 33)
        head = Head(transmitter=transmitters[t], receiver=receivers[r], excitation=train)
        alone = pulse_voltage([[0, 0, 0]], head=head, object_position=place, objects=[steel])
        npt.assert_allclose(seen[0, c], alone[0], rtol=1e-9)
    # the three receivers of a cube see the three parts of one vector
    cube = seen[0, :3, 0]
    field = winding_field(place, transmitters[0])
    assert np.abs(cube).min() > 0
    assert np.isfinite(field).all()


def test_three_axes_point_right_forward_and_up():
    for k, winding in enumerate(head_arrays.three_axis(0.1, centre=[0.3, 0.2, 0.1], turns=2)):
        field = winding_field([[0.3, 0.2, 0.1]], winding)[0]
        expected = np.zeros(3)
        expected[k] = 2 * 2 * math.sqrt(2) / (math.pi * 0.1)
        npt.assert_allclose(field, expected, atol=1e-12)


def test_arrays_of_continuous_wave_hold_phasors():
    sensor = head_arrays.array_of([LOOP], [moved(LOOP, offset=[0, 1, 0])], excitation=WAVE)
    assert sensor.shape == (1, 4)
    assert (sensor.unit, sensor.axis_unit, sensor.is_complex) == ("m", "Hz", True)
    npt.assert_array_equal(sensor.lever_arms, [[0, 0.5, 0]])
    npt.assert_array_equal(sensor.heads[0].transmitter[0].centre, [0, -0.5, 0])
    assert sensor.heads[0].height is None


def test_arrays_of_wires():
    wires = wires_of((SQUARE, *LOOP, BENT))
    assert wires.circles.shape == (1, 8)
    assert wires.segments.shape == (8, 7)
    npt.assert_array_equal(wires.segments[:4, 3:6], np.roll(SQUARE.vertices, -1, axis=0))
    assert extent((SQUARE, Circle(radius=0.2, centre=[0, 0.3, 0]))) == pytest.approx(0.5)


@settings(max_examples=5)
@given(height=st.floats(0.05, 0.2))
def test_heads_stay_above_the_ground(height):
    head = heads.coaxial_pair(
        radius=0.1, receiver_radius=0.1, distance=0.04, excitation=WAVE, height=height
    )
    assert head.height == height


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: winding_field([[0.1, 0.05, 0]], (SQUARE,)),
            ValueError,
            "lies on",
        ),
        (lambda: winding_field([[0.1, 0.1, 0]], (SQUARE,)), ValueError, "lies on the wire"),
        (lambda: winding_field([[0, 0]], LOOP), ValueError, r"points with shape \(1, 2\)"),
        (lambda: winding_field([[0, 0, 0]], LOOP[0]), TypeError, "winding of type Circle"),
        (lambda: winding_field([[0, 0, 0]], (1,)), TypeError, "path of type int"),
        (lambda: winding_field([[0, 0, 0]], ()), ValueError, r"winding \(\). Must hold a wire"),
        (lambda: winding_inductance(LOOP, LOOP), ValueError, "wires touch along a length"),
        (lambda: winding_inductance((SQUARE,), (SQUARE,)), ValueError, "wires touch along"),
        (lambda: winding_inductance(LOOP, SQUARE), TypeError, "winding of type Polygon"),
        (lambda: self_inductance(LOOP, wire_radius=0), ValueError, "wire_radius '0.0'"),
        (
            lambda: self_inductance(LOOP, wire_radius=0.03),
            ValueError,
            "wire_radius '0.03'. Must be",
        ),
        (lambda: circle_polygon(SQUARE, 8), TypeError, "circle of type Polygon"),
        (lambda: circle_polygon(LOOP[0], 2), ValueError, "n_edges '2'. Must be at least 3"),
        (lambda: moved(LOOP, offset=[1, 2]), ValueError, r"offset with shape \(2,\)"),
        (
            lambda: heads.concentric(radius=0.1, receiver_radius=0.1, excitation=WAVE),
            ValueError,
            "receiver_radius '0.1'. Must not be that of the",
        ),
        (
            lambda: heads.coaxial_pair(
                radius=0.1, receiver_radius=0.1, distance=0.1, excitation=WAVE, height=0.1
            ),
            ValueError,
            "height '0.1'. Must be more than the distance of 0.1 m",
        ),
        (
            lambda: heads.coaxial_pair(
                radius=0.1, receiver_radius=0.1, distance=0, excitation=WAVE
            ),
            ValueError,
            "distance '0.0'",
        ),
        (lambda: heads.double_d(radius=0, excitation=WAVE), ValueError, "radius '0.0'"),
        (lambda: heads.double_d(radius=0.1, gap=0, excitation=WAVE), ValueError, "gap '0.0'"),
        (
            lambda: heads.double_d(radius=0.1, n_edges=7, excitation=WAVE),
            ValueError,
            "n_edges '7'. Must be at least 8",
        ),
        (
            lambda: heads.quad(width=0.1, length=0.1, gap=-1, excitation=WAVE),
            ValueError,
            "gap '-1.0'",
        ),
        (lambda: heads.rectangle(0, 1), ValueError, "width '0.0'"),
        (lambda: heads.rectangle(1, 0), ValueError, "length '0.0'"),
        (
            lambda: head_arrays.three_axis(0.1, centre=[0]),
            ValueError,
            r"centre with shape \(1,\)",
        ),
        (
            lambda: head_arrays.array_of([], [LOOP], excitation=WAVE),
            ValueError,
            "array of 0 transmitters and 1 receivers. Must have one or more of each",
        ),
        (
            lambda: head_arrays.array_of([LOOP[0]], [LOOP], excitation=WAVE),
            TypeError,
            "of type Circle",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("rotation", [np.diag([1.0, -1.0, 1.0]), 2 * np.eye(3)])
def test_moved_refuses_what_is_no_rotation(rotation):
    with pytest.raises(ValueError, match=r"rotation .*Must be orthogonal, of determinant 1"):
        moved((Circle(radius=0.1),), rotation=rotation)


def test_what_cannot_be_is_named():
    wave = ContinuousWave(frequencies=[1e4])
    with pytest.raises(ValueError, match=r"gap '0.05' with a radius of 0.1 m: no overlap"):
        heads.double_d(radius=0.1, gap=0.05, excitation=wave)
    assert mutual_inductance(0.1, 0.1, 1e200) == 0
    head = heads.single(radius=0.1, excitation=wave)
    with pytest.raises(ValueError, match=r"head_position .* at position 0. Must lie within"):
        continuous_wave_response(
            [[0, 0, 1e200]], head=head, object_position=np.empty((0, 3)), objects=[]
        )
    train = PulseTrain(
        pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    )
    with pytest.raises(ValueError, match=r"unit 'm' for pulses. Must be 'V/A'"):
        head_arrays.array_of([head.transmitter], [head.transmitter], excitation=train, unit="m")

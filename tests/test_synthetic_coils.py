"""Test what the coils of a carrier record of soil, metal and voids in it."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from lane_scenes import EVEN, bury, coils_over, make_ground, make_rng, make_soil

from minesense.constants import MU_0
from minesense.physics import (
    Surface,
    attitude,
    conductive_flux,
    continuous_wave_response,
    gaussian_field,
    heads,
    late_conductive_voltage,
    loop_field,
    mutual_inductance,
    pulse_voltage,
    radar_frequencies,
    soil_pulse_voltage,
    soil_wave_response,
    sphere_relaxation,
    vrm_susceptibility,
)
from minesense.physics.winding import winding_field
from minesense.sensor import Circle, ContinuousWave, Head, Sensor
from minesense.synthetic import (
    CATALOGUE,
    Clutter,
    CoilErrors,
    MetalPiece,
    Soil,
    cart,
    draw_clutter,
    draw_piece,
    piece_relaxation,
)
from minesense.synthetic.coil_ground import stand_over
from minesense.synthetic.coil_lane import reach_of
from minesense.synthetic.coil_objects import metal_objects
from minesense.synthetic.radar_ground import lane_scatterers
from minesense.synthetic.radar_lane import band_of

HEAD = cart().coils.head
TRAIN = HEAD.excitation
MAGNETLESS = make_ground(make_soil(susceptibility=1e-9))


PULSES = HEAD.excitation
WAVES = ContinuousWave(frequencies=[2e3, 20e3])
NULLED = heads.double_d(radius=0.12, excitation=PULSES, height=0.05)


def sensor_of(*channels):
    """Return a sensor with these heads, one for each channel."""
    excitation = channels[0].excitation
    is_pulse = excitation is PULSES
    return Sensor(
        name="heads",
        kind="emi",
        axis=np.sqrt(PULSES.gates.prod(axis=1)) if is_pulse else excitation.frequencies,
        axis_unit="s" if is_pulse else "Hz",
        lever_arms=np.zeros((len(channels), 3)),
        unit="V/A" if is_pulse else "m",
        is_complex=not is_pulse,
        heads=channels,
    )


def product_under(head, points):
    """Return the product of the fields of transmitter and receiver at points, 1/m^2."""
    fields = [winding_field(points, winding) for winding in (head.transmitter, head.receiver)]
    return (fields[0] * fields[1]).sum(axis=1)


def rough_ground(**options):
    heights = gaussian_field((101, 101), 0.03, outer_scale=0.5, std=0.01, rng=make_rng())
    return make_ground(heights=heights, spread=0.15, **options)


def test_without_metal_a_coil_feels_the_soil_it_stands_over():
    """On rough, patchy ground the voltage is that of one half-space, gate for gate."""
    rng, terrain = make_rng(), rough_ground()
    places = np.column_stack([rng.uniform(-1, 1, (30, 2)), rng.uniform(0.045, 0.08, 30)])
    stand = stand_over(HEAD, places, None, terrain=terrain)
    expected = soil_pulse_voltage(stand.height, head=HEAD, susceptibility=stand.susceptibility)
    npt.assert_allclose(coils_over(places, terrain=terrain)[:, 0], expected, rtol=1e-12)
    assert np.ptp(expected[:, 0]) > 0.2 * expected[:, 0].mean()
    # near the mean over the coil, 0.3 m wide at half of the weight
    around = np.random.default_rng(1).normal(0, 0.08, (2, 400))
    mean = [terrain.magnetism.height_at(*(around + place[:2, None])).mean() for place in places]
    npt.assert_allclose(stand.susceptibility, mean, rtol=0.03)


def test_a_wire_in_a_bump_is_told_without_inner_names():
    """By height, soil, roughness and keys of a scenario; the fault below is its cause."""
    heights = np.zeros((101, 101))
    node = np.rint((np.array([HEAD.transmitter[0].radius, 0.0]) + 1.5) / 0.03).astype(int)
    radius = float(node[0] * 0.03 - 1.5)  # a wire right over the peak
    wire = (Circle(radius=radius),)
    head = dataclasses.replace(HEAD, transmitter=wire, receiver=wire)
    heights[tuple(node)] = 0.10
    terrain = make_ground(heights=heights)
    stand = stand_over(head, np.array([[0.0, 0.0, 0.05]]), None, terrain=terrain)
    up = float(stand.ground[0] + stand.height[0])
    stone = Clutter(
        kind="rock",
        easting=radius,
        northing=0.0,
        depth=0.10 - up - 0.01,
        size=0.02,
        width=0.02,
        permittivity=6.0,
    )
    assert stone.depth > 0
    scene = {"sensor": sensor_of(head), "terrain": terrain, "clutter": (stone,)}
    with pytest.raises(ValueError, match="wire meets what is buried there") as caught:
        coils_over([[0.0, 0.0, 0.05]], **scene)
    message = str(caught.value)
    assert message.startswith(
        "Invalid height '0.05' of a head over soil 'loam' with roughness '"
    )
    assert "`$.platform.height`" in message
    assert "`$.ground`" in message
    assert "object_" not in message
    assert "object_" in str(caught.value.__cause__)


def test_on_a_slope_a_coil_feels_the_height_of_its_middle():
    """What lies higher on one side lies lower on the other."""
    north = np.arange(101) * 0.03 - 1.5
    terrain = make_ground(heights=np.tile(0.1 * north, (101, 1)))
    places = np.array([[0.1, 0.31, 0.1], [-0.2, -0.44, 0.1]])
    stand = stand_over(HEAD, places, None, terrain=terrain)
    npt.assert_allclose(stand.ground, 0.1 * places[:, 1], atol=1e-6)
    npt.assert_allclose(stand.height, 0.1 - 0.1 * places[:, 1], atol=1e-6)


@pytest.mark.parametrize("head", [HEAD, NULLED], ids=["coil", "nulled"])
@pytest.mark.parametrize("distance", [0.0, 0.09, 0.18])
def test_a_magnetic_patch_adds_what_born_says(head, distance):
    """Also under a head that is nulled, where patches of both sides have opposite signs."""
    x = np.arange(61) * 0.05 - 1.5

    def share(e, n):
        return 0.02 * np.exp(-((e - distance) ** 2 + n**2) / (2 * 0.1**2))

    soil = make_soil()
    excess = soil.susceptibility * share(x[:, None], x[None, :])
    even = make_ground(soil)
    patchy = dataclasses.replace(
        even,
        magnetism=Surface(origin=[-1.5, -1.5], step=0.05, heights=soil.susceptibility + excess),
    )
    place, sensor = [[0, 0, 0.05]], sensor_of(head)
    volts = coils_over(place, sensor=sensor, terrain=patchy)[0, 0]
    volts -= coils_over(place, sensor=sensor, terrain=even)[0, 0]
    along = np.arange(-0.7, 0.7, 0.01)
    depths = np.geomspace(5e-3, 1.5, 80)
    edges = np.concatenate([[0.0], (depths[1:] + depths[:-1]) / 2, [1.5]])
    e, n, depth = (a.ravel() for a in np.meshgrid(along, along, depths, indexing="ij"))
    cell = 1e-4 * np.tile(np.diff(edges), len(along) ** 2)
    excess = patchy.magnetism.height_at(e, n) - soil.susceptibility
    points = np.column_stack([e, n, -0.05 - depth])
    flux = (product_under(head, points) * excess * cell).sum()
    whole = soil_pulse_voltage([0.05], head=HEAD, susceptibility=1e-3)[0]
    whole /= 1e-3 * mutual_inductance(0.1, 0.1, distance=0.1) / (2 * MU_0)
    npt.assert_allclose(volts, flux * whole, rtol=0.03, atol=1e-13)


@pytest.mark.parametrize("kind", ["coil", "nulled", "waves"])
def test_over_soil_a_tilted_head_has_the_image_of_tilted_wires(kind):
    """Whatever its tilt and height, to a thousandth of what is largest."""
    rng = make_rng(3)
    head = {
        "coil": HEAD,
        "nulled": NULLED,
        "waves": heads.double_d(radius=0.12, excitation=WAVES, height=0.05),
    }[kind]
    turn = attitude(
        rng.uniform(0, 6, 40), pitch=rng.uniform(-0.3, 0.3, 40), roll=rng.uniform(-0.3, 0.3, 40)
    )
    height = rng.uniform(0.06, 0.25, 40)
    places = np.column_stack([np.zeros((40, 2)), height])
    found = coils_over(places, sensor=sensor_of(head), rotation=turn)[:, 0]
    exact = soil_wave_response if kind == "waves" else soil_pulse_voltage
    expected = exact(height, head=head, susceptibility=1e-3, rotation=turn)
    if kind == "waves":
        expected = np.ascontiguousarray(expected).view(np.float64)
    npt.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max(), rtol=0)
    level = exact(height, head=head, susceptibility=1e-3)
    if kind != "waves":
        assert np.abs(level - expected).max() > 0.01 * np.abs(expected).max()


def test_a_wave_head_has_metal_and_soil_in_phase_and_in_quadrature():
    """Real and imaginary part of the physics, in turn, at every frequency."""
    head = heads.coaxial_pair(
        radius=0.1, receiver_radius=0.08, distance=0.02, excitation=WAVES, height=0.05
    )
    terrain = make_ground(make_soil(susceptibility=1e-4))
    ball = bury("ball_20mm", depth=0.03)
    place = np.array([[0.02, 0.0, 0.05]])
    found = coils_over(place, sensor=sensor_of(head), terrain=terrain, buried=(ball,))[0, 0]
    exact = sphere_relaxation(radius=0.01, conductivity=4e6, permeability=100.0)
    metal = continuous_wave_response(
        place, head=head, object_position=[[0, 0, -0.04]], objects=[exact]
    )[0]
    soil = soil_wave_response([0.05], head=head, susceptibility=1e-4)[0]
    npt.assert_allclose(found[0::2], (metal + soil).real, rtol=1e-9)
    npt.assert_allclose(found[1::2], (metal + soil).imag, rtol=1e-9)
    assert found.shape == (4,)


def test_conducting_ground_is_felt_in_late_gates_and_in_quadrature():
    """Added to the magnetic soil as the laws say that physics has for it."""
    salt = dataclasses.replace(make_soil(), conductivity=0.5)
    place = [[0, 0, 0.05]]
    volts = coils_over(place, terrain=make_ground(salt))[0, 0] - coils_over(place)[0, 0]
    expected = late_conductive_voltage(PULSES, height=0.05, radius=0.1, conductivity=0.5)
    npt.assert_allclose(volts, expected, rtol=1e-6)
    assert (volts > 0).all()
    head = heads.single(radius=0.1, excitation=WAVES, height=0.05)
    wave = [
        coils_over(place, sensor=sensor_of(head), terrain=make_ground(soil))[0, 0]
        for soil in (salt, make_soil())
    ]
    flux = conductive_flux([0.05], frequency=WAVES.frequencies, radius=0.1, conductivity=0.5)[0]
    npt.assert_allclose(
        wave[0] - wave[1], (flux / MU_0).view(np.float64), rtol=1e-6, atol=1e-12
    )


def test_wet_ground_that_has_not_decayed_is_carried_back():
    """Where the late law does not hold yet at the first gate, by its own power of time."""
    sea = dataclasses.replace(make_soil(), conductivity=5.0)
    place = [[0, 0, 0.3]]
    volts = coils_over(place, terrain=make_ground(sea))[0, 0] - coils_over(place)[0, 0]
    begin = PULSES.gates[:, 0]
    slope = np.diff(np.log(volts)) / np.diff(np.log(begin))
    assert np.isfinite(volts).all()
    npt.assert_allclose(slope[:3], -2.5, atol=0.3)


def test_every_channel_has_its_own_head():
    """Samples of two heads side by side are those of each alone."""
    other = heads.single(radius=0.15, excitation=PULSES, height=0.05)
    ball = (bury("ball_20mm", depth=0.03, easting=0.1),)
    north = np.linspace(-0.2, 0.2, 5)
    places = np.array([[[x, y, 0.06] for x in (0.0, 0.2)] for y in north])
    terrain = rough_ground()
    both = coils_over(places, sensor=sensor_of(HEAD, other), terrain=terrain, buried=ball)
    for channel, head in enumerate((HEAD, other)):
        alone = coils_over(
            places[:, channel], sensor=sensor_of(head), terrain=terrain, buried=ball
        )
        npt.assert_array_equal(both[:, channel], alone[:, 0])


def test_a_tilted_head_turns_its_metal_with_it():
    """The lane less its soil is pulse_voltage of the turned head."""
    turn = attitude([0.4], pitch=[0.3], roll=[-0.2])
    ball = (bury("ball_20mm", depth=0.03),)
    place = [[0.03, -0.02, 0.1]]
    volts = coils_over(place, rotation=turn, buried=ball) - coils_over(place, rotation=turn)
    exact = sphere_relaxation(radius=0.01, conductivity=4e6, permeability=100.0)
    expected = pulse_voltage(
        place, head=HEAD, object_position=[[0, 0, -0.04]], objects=[exact], rotation=turn
    )
    npt.assert_allclose(volts[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("distance", [0.0, 0.09, 0.18])
def test_a_bump_adds_to_the_soil_what_born_says(distance):
    """The change is the integral of the squared field over the bump, wherever it is."""
    x = np.arange(101) * 0.03 - 1.5
    bump = 1e-3 * np.exp(-((x[:, None] - distance) ** 2 + x**2) / (2 * 0.05**2))
    volts = coils_over([[0, 0, 0.05]], terrain=make_ground(heights=bump))[0, 0, 0]
    flat = coils_over([[0, 0, 0.05]])[0, 0, 0]
    fine = np.arange(-0.4, 0.4, 0.005)
    e, n = (a.ravel() for a in np.meshgrid(fine, fine))
    square = (loop_field(np.column_stack([e, n, 0 * e - 0.05]), radius=0.1) ** 2).sum(axis=1)
    extra = 1e-3 * np.exp(-((e - distance) ** 2 + n**2) / (2 * 0.05**2))
    whole = mutual_inductance(0.1, 0.1, distance=0.1) / (2 * MU_0)
    expected = (square * extra).sum() * 0.005**2 / whole
    npt.assert_allclose(volts / flat - 1, expected, rtol=0.08)


def test_soil_falls_with_height_and_a_low_coil_rides_on_the_ground():
    """Never less than 1 cm of height, for the soil and for metal alike."""
    ball = bury("ball_10mm")
    heights = np.array([-0.02, 0.01, 0.03, 0.05, 0.08])
    places = np.column_stack([np.zeros((5, 2)), heights])
    volts = coils_over(places, buried=(ball,))[:, 0, 0]
    assert volts[0] == volts[1]
    assert (np.diff(volts[1:]) < 0).all()


def test_a_ball_gives_what_its_physics_says_and_most_right_over_it():
    """The lane less its soil is pulse_voltage, and largest where the ball is."""
    terrain = make_ground(make_soil(susceptibility=1e-4))
    north = np.arange(-0.5, 0.51, 0.05)
    places = np.column_stack([np.full_like(north, 0.2), north, np.full_like(north, 0.05)])
    ball = bury("ball_10mm", depth=0.04, easting=0.2, northing=0.1)
    volts = coils_over(places, terrain=terrain, buried=(ball,)) - coils_over(
        places, terrain=terrain
    )
    exact = sphere_relaxation(radius=0.005, conductivity=4e6, permeability=100.0)
    expected = pulse_voltage(
        places, head=HEAD, object_position=[[0.2, 0.1, -0.045]], objects=[exact]
    )
    npt.assert_allclose(volts[:, 0], expected, atol=1e-9 * expected.max())
    npt.assert_allclose(north[volts[:, 0, 0].argmax()], 0.1)


def test_depth_counts_from_the_ground_above_the_object():
    """An object under raised ground is raised with it."""
    ball = bury("ball_20mm", depth=0.03)
    terrain = make_ground(heights=np.full((101, 101), 0.2))
    places, _ = metal_objects(terrain, (ball,), ())
    npt.assert_allclose(places, [[0, 0, 0.2 - 0.03 - 0.01]])
    raised = coils_over([[0, 0, 0.25]], terrain=terrain, buried=(ball,))
    npt.assert_allclose(raised, coils_over([[0, 0, 0.05]], buried=(ball,)), rtol=1e-9)


def test_more_metal_is_felt_more_at_the_same_depth():
    """Over the middle, whatever the height of the body, the median grows class by class."""
    volts = {}
    for item in CATALOGUE.values():
        for seed in range(0 if item.is_test_piece else 9):
            mine = bury(item.identifier, depth=0.05, metal=seed)
            found = coils_over([[0, 0, 0.05]], terrain=MAGNETLESS, buried=(mine,))[0, 0, 0]
            volts.setdefault(item.metal_class, []).append(found)
    median = [np.median(volts[name]) for name in ("minimum", "low", "medium", "high")]
    assert median == sorted(median)
    # a case of steel lasts longer than the ring and the rods of a mine of medium metal
    case, parts = (
        coils_over([[0, 0, 0.05]], terrain=MAGNETLESS, buried=(bury(kind, depth=0.05),))[0, 0]
        for kind in ("prom1", "pmn")
    )
    assert case[-1] > 10 * parts[-1]


@pytest.mark.parametrize("kind", ["simulant", "tm62p3", "pma1", "m14"])
@pytest.mark.parametrize("offset", [0.0, 0.1, 0.2])
def test_a_body_takes_its_soil_away(kind, offset):
    """The voltage falls by the integral of the squared field over the body."""
    item = bury(kind, depth=0.02, metal=None)
    terrain = make_ground(make_soil(susceptibility=1e-2))
    place = [[offset * math.sin(0.3), offset * math.cos(0.3), 0.05]]  # along its length
    with_body = coils_over(place, terrain=terrain, buried=(item,))[0, 0]
    without = coils_over(place, terrain=terrain)[0, 0]
    mine = item.body
    axis = (np.arange(40) + 0.5) / 40 - 0.5
    x, y, z = (a.ravel() for a in np.meshgrid(axis, axis, axis, indexing="ij"))
    inside = np.hypot(x, y) <= 0.5 if mine.is_round else np.ones_like(x, dtype=bool)
    points = np.column_stack(
        [
            y[inside] * mine.width,
            x[inside] * mine.length - offset,
            -0.05 - 0.02 - (z[inside] + 0.5) * mine.height,
        ]
    )
    cell = mine.length * mine.width * mine.height / 40**3
    part = (loop_field(points, radius=0.1) ** 2).sum() * cell
    whole = mutual_inductance(0.1, 0.1, distance=0.1) / (2 * MU_0)
    # the image of the soil holds a term of second order, 1 + chi / 2
    npt.assert_allclose(1 - with_body / without, part / whole, rtol=0.15)
    assert (with_body < without).all()
    assert coils_over(place, terrain=terrain, buried=(bury("ball_10mm"),))[0, 0, 0] > without[0]


def test_coils_add_up_what_they_feel():
    """Two objects together are the sum of both alone."""
    north = np.arange(-0.3, 0.31, 0.1)
    places = np.column_stack([0 * north, north, 0 * north + 0.05])
    mine = bury("pmn2", northing=-0.1)
    junk = dataclasses.replace(draw_clutter("bolt", (0.1, 0.2), rng=make_rng()), depth=0.02)
    soil = coils_over(places)
    one, other = coils_over(places, buried=(mine,)), coils_over(places, clutter=(junk,))
    both = coils_over(places, buried=(mine,), clutter=(junk,))
    npt.assert_allclose(both - soil, (one - soil) + (other - soil), atol=1e-18)
    assert np.abs(one - soil).max() > 1e-9
    assert np.abs(other - soil).max() > 1e-9


def test_both_sensors_have_clutter_at_the_same_depth():
    """A stone and a splinter lie where they lie, and are as large, for coils and radar."""
    rng, terrain = make_rng(), make_ground()
    stone = Clutter(
        kind="rock",
        easting=0.1,
        northing=0.0,
        depth=0.05,
        size=0.1,
        width=0.06,
        permittivity=6.0,
    )
    piece = MetalPiece(shape="disc", alloy="steel", diameter=0.025, thickness=0.004)
    coin = Clutter(
        kind="coin",
        easting=0.2,
        northing=0.1,
        depth=0.02,
        size=0.025,
        width=0.004,
        piece=piece,
    )
    root = Clutter(
        kind="root",
        easting=0.0,
        northing=0.1,
        depth=0.02,
        size=0.2,
        width=0.01,
        permittivity=9.0,
    )
    items = (stone, coin, root)
    places, objects = metal_objects(terrain, (), items)
    npt.assert_allclose(places, [[0.1, 0.0, -0.08], [0.2, 0.1, -0.022]], atol=1e-12)
    frequency = radar_frequencies(**band_of(cart().radar))
    soil = terrain.soil.permittivity(frequency)
    seen = lane_scatterers(
        make_ground(make_soil()), frequency, soil, (), items, np.zeros((1, 1, 3)), rng
    )
    npt.assert_allclose(seen.position[seen.weight == 1], places, atol=1e-12)
    rest = (seen.weight != 0) & (seen.weight != 1)  # pieces of the root; the soil is even
    npt.assert_allclose(seen.position[rest][:, ::2] - [0.0, -0.025], 0.0, atol=1e-12)
    assert np.abs(seen.position[rest][:, 1] - 0.1).max() < 0.1
    npt.assert_allclose(seen.weight[rest].sum(), 0.2)
    volume = math.pi / 6 * 0.1**2 * 0.06
    npt.assert_allclose(objects[0].amplitudes.sum(axis=0)[0, 0], -volume * 1e-3, rtol=1e-9)


def test_a_magnetic_stone_adds_what_it_has_more_than_the_soil():
    """Less than the soil it takes the place of, the same, or more; its own share is viscous."""
    terrain = make_ground(make_soil(susceptibility=1e-3))
    plain = coils_over([[0, 0, 0.05]], terrain=terrain)[0, 0]
    volts = []
    for susceptibility in (0.0, 1e-3, 1e-2):
        stone = Clutter(
            kind="magnetic_rock",
            easting=0.0,
            northing=0.0,
            depth=0.02,
            size=0.05,
            width=0.05,
            permittivity=6.0,
            susceptibility=susceptibility,
        )
        volts.append(
            coils_over([[0, 0, 0.05]], terrain=terrain, clutter=(stone,))[0, 0] - plain
        )
    npt.assert_allclose(volts[1], 0.0, atol=1e-9 * plain.max())
    assert (volts[0] < 0).all()
    npt.assert_allclose(volts[2], -9 * volts[0], rtol=1e-6)


def test_only_the_viscous_share_of_the_soil_is_left_when_the_pulse_is_over():
    """Half of it viscous gives half of the voltage, but for what acts at once."""
    soils = [
        Soil(preset=EVEN["loam"], moisture=0.1, susceptibility=1e-3, viscous_share=share)
        for share in (1.0, 0.5, 0.0)
    ]
    whole, half, none = (
        coils_over([[0, 0, 0.05]], terrain=make_ground(soil))[0, 0] for soil in soils
    )
    npt.assert_allclose(half - none, (whole - none) / 2, rtol=1e-9)
    assert (np.abs(none[2:]) < 1e-3 * whole[2:]).all()


@pytest.mark.parametrize("radius", [0.1, 0.25])
def test_nothing_of_the_catalogue_is_felt_beyond_the_reach(radius):
    """Where the simulator stops adding objects, the noise of every gate hides them."""
    width = np.diff(TRAIN.gates, axis=1)[:, 0]
    noise = CoilErrors().white * np.sqrt(width[0] / width)
    head = heads.single(radius=radius, excitation=PULSES)
    for item in CATALOGUE.values():
        for part in item.metal:
            metal = piece_relaxation(draw_piece(part, rng=make_rng()))
            volts = pulse_voltage(
                [[reach_of(head), 0, 0.05]],
                head=head,
                object_position=[[0, 0, -0.05]],
                objects=[metal],
            )
            assert (np.abs(volts) < noise).all(), item.identifier
    assert reach_of(HEAD) == 1.6
    square = heads.quad(width=0.4, length=0.2, excitation=PULSES)
    npt.assert_allclose(reach_of(square), 1.6 * (0.08 / (math.pi * 0.01)) ** (1 / 3))


@pytest.mark.parametrize("head", [HEAD, NULLED], ids=["coil", "nulled"])
def test_a_trace_is_the_same_whatever_others_are_computed_with_it(head):
    """Also beside steep, high and low ones, over ground that conducts."""
    salt = make_ground(dataclasses.replace(make_soil(), conductivity=0.5))
    turn = attitude(np.zeros(6), roll=[0.03, 0.55, 0.0, 0.3, 0.1, 1.0])
    places = np.column_stack([np.arange(6.0), np.zeros(6), [0.035, 0.2, 0.05, 0.07, 0.6, 0.3]])
    options = {"sensor": sensor_of(head), "terrain": salt}
    together = coils_over(places, rotation=turn, **options)
    for k in range(6):
        alone = coils_over(places[k : k + 1], rotation=turn[k : k + 1], **options)
        npt.assert_allclose(together[k], alone[0], rtol=1e-12, atol=0)


@pytest.mark.parametrize("roll", [0.03, 0.15, 0.3, 0.45])
def test_only_a_head_with_a_wire_lower_than_1_cm_is_lifted(roll):
    """To where that wire is 1 cm over the ground, with the image of tilted wires there."""
    turn = attitude(np.zeros(3), roll=np.full(3, roll))
    floor = 0.01 + 0.1 * math.sin(roll)
    places = np.array([[0, 0, floor - 0.005], [0, 0, floor + 1e-4], [0, 0, floor + 0.003]])
    stand = stand_over(HEAD, places, turn, terrain=make_ground())
    npt.assert_allclose(stand.height, [floor, *places[1:, 2]], rtol=1e-12)
    exact = soil_pulse_voltage(stand.height, head=HEAD, susceptibility=1e-3, rotation=turn)
    npt.assert_allclose(coils_over(places, rotation=turn)[:, 0], exact, rtol=2e-3)


@pytest.mark.parametrize(
    ("head", "pose"),
    [
        (
            heads.coaxial_pair(
                radius=0.1,
                receiver_radius=0.08,
                distance=0.03,
                excitation=PULSES,
                height=0.05,
            ),
            (0.05, 0.0),
        ),
        (
            heads.coaxial_pair(
                radius=0.1, receiver_radius=0.08, distance=0.02, excitation=PULSES
            ),
            (0.018, 0.0),
        ),
        (
            heads.concentric(radius=0.06, receiver_radius=0.15, excitation=PULSES, height=0.05),
            (0.06, 0.45),
        ),
    ],
    ids=["close", "low", "wide"],
)
def test_heads_with_receivers_lower_or_wider_than_the_transmitter(head, pose):
    """Stand on the lowest wire of both."""
    turn = attitude([0.0], roll=[pose[1]])
    drop = max(path.radius for path in head.receiver) * math.sin(pose[1])
    lower = min(path.centre[2] for path in head.receiver)
    height = max(pose[0], 0.01 + drop - lower)
    expected = soil_pulse_voltage([height], head=head, susceptibility=1e-3, rotation=turn)
    found = coils_over([[0, 0, pose[0]]], sensor=sensor_of(head), rotation=turn)[0]
    npt.assert_allclose(found, expected, rtol=2e-3 if pose[1] else 1e-9)  # a table's


def test_uneven_soil_under_a_nulled_head_of_continuous_wave():
    """As Born says, with the course of viscous soil over frequency."""
    head = heads.double_d(radius=0.12, excitation=WAVES, height=0.05)
    soil, x = make_soil(), np.arange(61) * 0.05 - 1.5
    share = 0.02 * np.exp(-((x[:, None] - 0.09) ** 2 + x[None] ** 2) / (2 * 0.1**2))
    even = make_ground(soil)
    heights = soil.susceptibility * (1 + share)
    patchy = dataclasses.replace(
        even, magnetism=Surface(origin=[-1.5, -1.5], step=0.05, heights=heights)
    )
    found = [
        coils_over([[0, 0, 0.05]], sensor=sensor_of(head), terrain=ground)[0, 0]
        for ground in (patchy, even)
    ]
    waves = (found[0] - found[1]).view(np.complex128)
    along, depths = np.arange(-0.7, 0.7, 0.01), np.geomspace(5e-3, 1.5, 80)
    edges = np.concatenate([[0.0], (depths[1:] + depths[:-1]) / 2, [1.5]])
    e, n, depth = (a.ravel() for a in np.meshgrid(along, along, depths, indexing="ij"))
    cell = 1e-4 * np.tile(np.diff(edges), len(along) ** 2)
    excess = patchy.magnetism.height_at(e, n) - soil.susceptibility
    flux = (product_under(head, np.column_stack([e, n, -0.05 - depth])) * excess * cell).sum()
    npt.assert_allclose(
        waves, flux * vrm_susceptibility(WAVES.frequencies, chi0=1.0), rtol=0.03
    )


@pytest.mark.parametrize("excitation", [PULSES, WAVES], ids=["pulses", "waves"])
def test_conducting_ground_has_the_sign_of_the_axes_and_knows_where_receivers_are(excitation):
    """Turned over it is felt the other way round; lifted, as from the mean height."""
    salt = make_ground(dataclasses.replace(make_soil(), conductivity=0.5))

    def added(**receiver):
        head = Head(
            transmitter=(Circle(radius=0.1),),
            receiver=(Circle(radius=0.06, **receiver),),
            excitation=excitation,
            height=0.05,
        )
        sensor = sensor_of(head)
        wet, dry = (
            coils_over([[0, 0, 0.05]], sensor=sensor, terrain=ground)[0, 0]
            for ground in (salt, make_ground())
        )
        return wet - dry

    plain = added()
    npt.assert_allclose(added(axis=[0, 0, -1]), -plain, rtol=1e-6, atol=1e-20)
    height, radii = 0.06, {"radius": 0.1, "receiver_radius": 0.06}
    lifted = added(centre=[0, 0, 0.02])
    if excitation is PULSES:
        expected = late_conductive_voltage(PULSES, height=height, conductivity=0.5, **radii)
    else:
        flux = conductive_flux([height], frequency=WAVES.frequencies, conductivity=0.5, **radii)
        expected = (flux[0] / MU_0).view(np.float64)
    npt.assert_allclose(lifted, expected, rtol=1e-6, atol=1e-12)


def leaning(kind, tilt, **options):
    """Return a buried target that leans."""
    item = bury(kind, **options)
    return dataclasses.replace(item, target=dataclasses.replace(item.target, tilt=tilt))


@pytest.mark.parametrize("tilt", [(0.6, 0.0), (0.0, -0.3), (0.2, 0.4)])
@pytest.mark.parametrize("kind", ["ozm72", "tm57", "m14_washer", "pmn"])
def test_metal_leans_with_its_target(kind, tilt):
    """Its place and axis, about the middle of its top, as the face that the radar sees."""
    upright, item = bury(kind, depth=0.05), leaning(kind, tilt, depth=0.05)
    angle, towards = math.hypot(*tilt), math.atan2(*tilt)
    up = np.array(
        [
            math.sin(angle) * math.sin(towards),
            math.sin(angle) * math.cos(towards),
            math.cos(angle),
        ]
    )
    places, objects = metal_objects(MAGNETLESS, (item,), ())
    n = len(item.pieces)
    below = np.array([piece.below for piece in item.pieces])
    npt.assert_allclose(places[:n], [0, 0, -0.05] - below[:, None] * up, atol=1e-15)
    # an upright plate or ring of the same metal, its axis along the lean
    for piece, found in zip(item.pieces, objects, strict=False):
        if abs(piece.dip - math.pi / 2) < 1e-9:
            heading, dip = towards, math.pi / 2 - angle
            by_hand = piece_relaxation(dataclasses.replace(piece, heading=heading, dip=dip))
            npt.assert_allclose(
                found.polarizability(2e4), by_hand.polarizability(2e4), rtol=1e-9, atol=1e-12
            )
    frequency = radar_frequencies(**band_of(cart().radar))
    soil = make_soil().permittivity(frequency)
    seen = lane_scatterers(
        make_ground(), frequency, soil, (item,), (), np.zeros((1, 1, 3)), make_rng()
    )
    npt.assert_allclose(seen.normal[np.abs(seen.normal).any(axis=1)][0], up, atol=1e-12)
    place = [[0.05, 0.02, 0.05]]
    flat, leant = (coils_over(place, buried=(one,)) for one in (upright, item))
    assert np.abs(leant / flat - 1).max() > 1e-4
    npt.assert_array_equal(coils_over(place, buried=(leaning(kind, (0.0, 0.0)),)), flat)

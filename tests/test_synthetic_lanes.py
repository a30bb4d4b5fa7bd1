"""Test what is simulated along a lane: ground, coils, radar, and the carrier's faults."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from scipy.signal import hilbert
from scipy.special import gamma, kv

from minesense.constants import MU_0, SPEED_OF_LIGHT
from minesense.physics import (
    FourierField,
    Surface,
    gaussian_field,
    loop_field,
    mutual_inductance,
    pulse_voltage,
    radar_frequencies,
    radar_traces,
    soil_pulse_voltage,
    sphere_relaxation,
    trace_rays,
    volume_cells,
)
from minesense.sweep import Quality
from minesense.synthetic import (
    CATALOGUE,
    SOILS,
    Buried,
    Clutter,
    Motion,
    Noise,
    Soil,
    body,
    cart,
    field,
    radar_lane,
    scenario,
    scrap,
    surrogate,
)
from minesense.synthetic.coil_lane import coil_samples, ground_under, metal_objects
from minesense.synthetic.platform import Path
from minesense.synthetic.radar_lane import (
    band_of,
    lane_scatterers,
    radar_samples,
    soil_permittivity,
)
from minesense.synthetic.simulate import _channel_positions, _trace_indices, sweep_lane
from minesense.synthetic.terrain import Terrain, make_terrain
from minesense.truth import Target

STILL = Motion(
    speed_spread=0,
    height_spread=0,
    sideways_spread=0,
    yaw_spread=0,
    position_error=0,
    gaps_per_metre=0,
    dropouts_per_metre=0,
)
SILENT = Noise(**{f.name: 0.0 for f in dataclasses.fields(Noise)} | {"drift_time": 20.0})
EVEN = {name: dataclasses.replace(p, permittivity_spread=0.0) for name, p in SOILS.items()}


def make_rng(seed=0):
    return np.random.default_rng(seed)


def make_soil(name="loam", *, moisture=0.1, susceptibility=1e-3, preset=None):
    return Soil(preset=preset or EVEN[name], moisture=moisture, susceptibility=susceptibility)


def make_ground(soil=None, *, heights=None, spread=0.0):
    """Return flat ground, 3 m square about the origin, or with the given heights."""
    surface = Surface(
        origin=[-1.5, -1.5],
        step=0.03,
        heights=np.zeros((101, 101)) if heights is None else heights,
    )
    unevenness = FourierField(2, outer_scale=3.0, std=spread, rng=make_rng(), n_waves=10)
    return Terrain(soil=soil or make_soil(), surface=surface, unevenness=unevenness)


def bury(kind, *, depth=0.05, easting=0.0, northing=0.0, metal=None):
    item = body(kind)
    target = Target(
        identifier=kind,
        kind=kind,
        is_target=True,
        easting=easting,
        northing=northing,
        depth=depth,
        diameter=item.diameter,
        metal_class=item.metal_class,
    )
    return Buried(target=target, body=item, heading=0.3, tilt=(0.0, 0.0), metal=metal)


def coils_over(places, *, terrain=None, noise=SILENT, buried=(), clutter=(), seed=0, step=0.1):
    """Return samples of one coil (or one for each of the second axis) at places."""
    places = np.asarray(places, dtype=float)
    places = places[:, None] if places.ndim == 2 else places
    return coil_samples(
        cart(noise=noise),
        places,
        step * np.arange(len(places)),
        terrain=terrain or make_ground(),
        buried=buried,
        clutter=clutter,
        rng=make_rng(seed),
    )


def radar_over(
    places, *, terrain=None, noise=SILENT, buried=(), clutter=(), seed=0, heading=0.0
):
    """Return traces of one channel (or one for each of the second axis) at places."""
    places = np.asarray(places, dtype=float)
    places = places[:, None] if places.ndim == 2 else places
    return radar_samples(
        cart(noise=noise),
        places,
        0.05 * np.arange(len(places)),
        terrain=terrain or make_ground(),
        buried=buried,
        clutter=clutter,
        rng=make_rng(seed),
        heading=np.full(len(places), heading),
    )


def time_of_peak(trace, interval=62.5e-12):
    """Return when the envelope of a trace is largest, by a parabola through its top."""
    envelope = np.abs(hilbert(trace))
    i = int(envelope.argmax())
    left, top, right = envelope[i - 1 : i + 2]
    return (i + 0.5 * (left - right) / (left - 2 * top + right)) * interval


COIL = cart().coils.coil
MAGNETLESS = make_ground(make_soil(susceptibility=1e-9))
TIME_ZERO = 1 / 1.5e9
AXIS = [[0.0, 0.0, 0.12]]


# Ground


@pytest.mark.parametrize("name", SOILS)
def test_the_surface_has_the_spread_and_scale_of_its_preset(name):
    """Mean square and semivariogram are those of a Matern field of exponent 0.8."""
    preset, squares, steps = SOILS[name], [], []
    lag = 3
    for seed in range(6):
        terrain = make_terrain((0, 0, 6, 20), make_soil(name), margin=0.5, rng=make_rng(seed))
        heights = terrain.surface.heights
        squares.append((heights**2).mean())
        steps.append(((heights[lag:] - heights[:-lag]) ** 2).mean())
    npt.assert_allclose(math.sqrt(np.mean(squares)), preset.roughness, rtol=0.05)
    x = 2 * math.pi / preset.surface_length * lag * terrain.surface.step
    correlation = 2 ** (1 - 0.8) / gamma(0.8) * x**0.8 * kv(0.8, x)
    expected = 2 * preset.roughness**2 * (1 - correlation)
    npt.assert_allclose(np.mean(steps), expected, rtol=0.1)
    assert (terrain.surface.origin <= [-0.5, -0.5]).all()
    assert (terrain.surface.end >= [6.5, 20.5]).all()


def test_susceptibility_is_log_normal_around_the_soil_s_own():
    """15 % of spread about the lane's own, smooth over the width of a coil."""
    logs = []
    for seed in range(200):
        terrain = make_terrain((0, 0, 1, 1), make_soil(), margin=1.2, rng=make_rng(seed))
        values = terrain.susceptibility(np.array([0.5, 0.55, 1.5]), np.full(3, 0.5))
        logs.append(np.log(values / 1e-3))
    logs = np.array(logs)
    npt.assert_allclose(logs.std(axis=0), 0.15, rtol=0.2)
    npt.assert_allclose(logs.mean(), 0.0, atol=0.03)
    assert (logs[:, 0] - logs[:, 1]).std() < 0.02  # 5 cm, one trace to the next
    npt.assert_allclose(np.corrcoef(logs[:, 0], logs[:, 2])[0, 1], math.exp(-1), atol=0.2)


def test_terrain_takes_chance_from_a_generator():
    with pytest.raises(TypeError, match=r"Must be a numpy\.random\.Generator"):
        make_terrain((0, 0, 1, 1), make_soil(), margin=1.0, rng=1)


# Coils


def test_without_metal_a_coil_feels_the_soil_at_its_true_height():
    """On rough, uneven ground the voltage is that of the half-space, gate for gate."""
    rng = make_rng()
    rough = 0.01 * gaussian_field((101, 101), 0.03, outer_scale=0.5, std=1.0, rng=rng)
    terrain = make_ground(heights=rough, spread=0.15)
    places = np.column_stack([rng.uniform(-1, 1, (30, 2)), rng.uniform(0.045, 0.08, 30)])
    ground = ground_under(places[:, :2], coil=COIL, terrain=terrain)
    expected = soil_pulse_voltage(
        places[:, 2] - ground,
        coil=COIL,
        susceptibility=terrain.susceptibility(*places[:, :2].T),
    )
    npt.assert_allclose(coils_over(places, terrain=terrain)[:, 0], expected, rtol=1e-12)
    assert np.ptp(expected[:, 0]) > 0.2 * expected[:, 0].mean()


def test_on_a_slope_a_coil_feels_the_height_of_its_middle():
    """What lies higher on one side lies lower on the other."""
    north = np.arange(101) * 0.03 - 1.5
    terrain = make_ground(heights=np.tile(0.1 * north, (101, 1)))
    place = np.array([[0.1, 0.31], [-0.2, -0.44]])
    npt.assert_allclose(ground_under(place, coil=COIL, terrain=terrain), 0.1 * place[:, 1])


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
    ball = bury("ball_10mm", metal=surrogate(body("ball_10mm"), rng=make_rng()))
    heights = np.array([-0.02, 0.01, 0.03, 0.05, 0.08])
    places = np.column_stack([np.zeros((5, 2)), heights])
    volts = coils_over(places, buried=(ball,))[:, 0, 0]
    assert volts[0] == volts[1]
    assert (np.diff(volts[1:]) < 0).all()


def test_a_ball_gives_what_its_physics_says_and_most_right_over_it():
    """The lane less its soil is pulse_voltage, and largest where the ball is."""
    metal = surrogate(body("ball_10mm"), rng=make_rng())
    terrain = make_ground(make_soil(susceptibility=1e-4))
    north = np.arange(-0.5, 0.51, 0.05)
    places = np.column_stack([np.full_like(north, 0.2), north, np.full_like(north, 0.05)])
    ball = bury("ball_10mm", depth=0.04, easting=0.2, northing=0.1, metal=metal)
    volts = coils_over(places, terrain=terrain, buried=(ball,)) - coils_over(
        places, terrain=terrain
    )
    exact = sphere_relaxation(radius=0.005, conductivity=4e6, permeability=100.0)
    expected = pulse_voltage(
        places, coil=COIL, object_position=[[0.2, 0.1, -0.045]], objects=[exact]
    )
    npt.assert_allclose(volts[:, 0], expected, atol=1e-9 * expected.max())
    npt.assert_allclose(north[volts[:, 0, 0].argmax()], 0.1)


def test_depth_counts_from_the_ground_above_the_object():
    """An object under raised ground is raised with it."""
    metal = surrogate(body("ball_20mm"), rng=make_rng())
    ball = bury("ball_20mm", depth=0.03, metal=metal)
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
            metal = surrogate(item, rng=make_rng(seed))
            mine = bury(item.identifier, depth=0.05, metal=metal)
            found = coils_over([[0, 0, 0.05]], terrain=MAGNETLESS, buried=(mine,))[0, 0, 0]
            volts.setdefault(item.metal_class, []).append(found)
    median = [np.median(volts[name]) for name in ("minimum", "low", "medium", "high")]
    assert median == sorted(median)
    case = bury("prom1", depth=0.05, metal=surrogate(body("prom1"), rng=make_rng()))
    assert coils_over([[0, 0, 0.05]], buried=(case,))[0, 0, 0] > median[2]


@pytest.mark.parametrize("kind", ["simulant", "tm62p3", "pma1", "m14"])
@pytest.mark.parametrize("offset", [0.0, 0.1, 0.2])
def test_a_body_takes_its_soil_away(kind, offset):
    """The voltage falls by the integral of the squared field over the body."""
    item = bury(kind, depth=0.02)
    terrain = make_ground(make_soil(susceptibility=1e-2))
    place = [[offset * math.sin(0.3), offset * math.cos(0.3), 0.05]]  # along its length
    with_body = coils_over(place, terrain=terrain, buried=(item,))[0, 0]
    without = coils_over(place, terrain=terrain)[0, 0]
    mine = item.body
    axis = (np.arange(40) + 0.5) / 40 - 0.5
    x, y, z = (a.ravel() for a in np.meshgrid(axis, axis, axis, indexing="ij"))
    inside = np.hypot(x, y) <= 0.5 if mine.is_disc else np.ones_like(x, dtype=bool)
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
    metal = surrogate(body("ball_10mm"), rng=make_rng())
    assert (
        coils_over(place, terrain=terrain, buried=(bury("ball_10mm", metal=metal),))[0, 0, 0]
        > without[0]
    )


def test_coils_add_up_what_they_feel():
    """Two objects together are the sum of both alone."""
    rng = make_rng()
    north = np.arange(-0.3, 0.31, 0.1)
    places = np.column_stack([0 * north, north, 0 * north + 0.05])
    mine = bury("pmn2", northing=-0.1, metal=surrogate(body("pmn2"), rng=rng))
    junk = Clutter(
        kind="scrap",
        easting=0.1,
        northing=0.2,
        depth=0.02,
        size=0.02,
        metal=scrap(0.02, rng=rng),
    )
    soil = coils_over(places)
    one, other = coils_over(places, buried=(mine,)), coils_over(places, clutter=(junk,))
    both = coils_over(places, buried=(mine,), clutter=(junk,))
    npt.assert_allclose(both - soil, (one - soil) + (other - soil), atol=1e-18)
    assert np.abs(one - soil).max() > 1e-9
    assert np.abs(other - soil).max() > 1e-9


def test_both_sensors_have_clutter_at_the_same_depth():
    """A stone and a splinter lie where they lie, and are as large, for coils and radar."""
    rng, terrain = make_rng(), make_ground()
    items = (
        Clutter(
            kind="stone", easting=0.1, northing=0.0, depth=0.05, size=0.1, permittivity=6.0
        ),
        Clutter(
            kind="scrap",
            easting=0.2,
            northing=0.1,
            depth=0.02,
            size=0.05,
            metal=scrap(0.05, rng=rng),
        ),
        Clutter(kind="root", easting=0.0, northing=0.1, depth=0.02, size=0.2, permittivity=9.0),
    )
    places, objects = metal_objects(terrain, (), items)
    frequency = radar_frequencies(**band_of(cart().radar))
    soil = soil_permittivity(terrain.soil, frequency)
    seen = lane_scatterers(
        make_ground(make_soil()), frequency, soil, (), items, np.zeros((1, 1, 3)), rng
    )
    seen = seen.position[seen.weight == 1]
    npt.assert_allclose(seen[:2], places, atol=1e-12)
    assert len(seen) == 2 + 20  # the root, every centimetre
    npt.assert_allclose(
        objects[0].amplitudes.sum(axis=0)[0, 0], -4 / 3 * math.pi * 0.04**3 * 1e-3, rtol=1e-9
    )


def test_nothing_of_the_catalogue_is_felt_beyond_the_reach():
    """Where the simulator stops adding objects, the noise of every gate hides them."""
    width = np.diff(COIL.gates, axis=1)[:, 0]
    noise = Noise().coil_white * np.sqrt(width[0] / width)
    for item in CATALOGUE.values():
        metal = surrogate(item, rng=make_rng())
        if metal is not None:
            volts = pulse_voltage(
                [[1.2, 0, 0.05]], coil=COIL, object_position=[[0, 0, -0.05]], objects=[metal]
            )
            assert (volts < noise).all(), item.identifier


def test_white_noise_has_its_spread_in_every_gate():
    """Less in longer gates, by the root of their width; none shared between gates."""
    noise = dataclasses.replace(SILENT, coil_white=1e-9)
    places = np.tile([0.0, 0.0, 0.05], (2000, 2, 1))
    volts = (coils_over(places, noise=noise) - coils_over(places[:1])).reshape(-1, 12)
    width = np.diff(COIL.gates, axis=1)[:, 0]
    npt.assert_allclose(volts.std(axis=0), 1e-9 * np.sqrt(width[0] / width), rtol=0.08)
    npt.assert_allclose(np.corrcoef(volts.T) - np.eye(12), 0.0, atol=0.08)


def test_drift_has_its_memory_and_falls_with_the_gates():
    """Correlation e^-1 after the drift time; gates share it, each coil has its own."""
    noise = dataclasses.replace(SILENT, coil_drift=1e-9, drift_time=2.0)
    places = np.tile([0.0, 0.0, 0.05], (21, 600, 1))
    drift = coils_over(places, noise=noise) - coils_over(places[:1, :1])
    npt.assert_allclose(drift[..., 0].std(), 1e-9, rtol=0.1)
    correlation = (drift[0, :, 0] * drift[20, :, 0]).mean() / 1e-18
    npt.assert_allclose(correlation, math.exp(-1), atol=0.12)
    ratio = COIL.gates[0, 0] / COIL.gates[:, 0]
    npt.assert_allclose(drift, drift[..., :1] * ratio, rtol=1e-6, atol=1e-18)


def test_coils_differ_by_their_gain():
    """Each coil has one factor for all gates and traces."""
    places = np.tile([0.0, 0.0, 0.05], (2, 500, 1))
    ratio = coils_over(places, noise=dataclasses.replace(SILENT, coil_gain=0.03)) / coils_over(
        places[:1, :1]
    )
    npt.assert_allclose(ratio, ratio[:1, :, :1] * np.ones((2, 1, 12)), rtol=1e-12)
    npt.assert_allclose(ratio.std(), 0.03, rtol=0.15)


# Radar


@pytest.mark.parametrize("height", [0.4, 0.6])
def test_direct_wave_and_bounce_come_when_geometry_says(height):
    """The first after the separation, the second after the mirrored path."""
    trace = radar_over([[0.0, 0.0, height]])[0, 0]
    bounce = 2 * math.hypot(height, 0.03) / SPEED_OF_LIGHT
    split = round((TIME_ZERO + bounce / 2) / 62.5e-12)
    direct = np.where(np.arange(192) < split, trace, 0.0)
    npt.assert_allclose(time_of_peak(direct), TIME_ZERO + 0.06 / SPEED_OF_LIGHT, atol=10e-12)
    npt.assert_allclose(time_of_peak(trace - direct), TIME_ZERO + bounce, atol=20e-12)
    npt.assert_allclose(direct.max(), 0.25 / 0.06, rtol=0.01)
    permittivity = soil_permittivity(make_soil(), np.array([1.5e9]))[0]
    reflection = (1 - np.sqrt(permittivity)) / (1 + np.sqrt(permittivity))
    npt.assert_allclose((trace - direct).min(), reflection.real / (2 * height), rtol=0.08)


@pytest.mark.parametrize(("depth", "offset"), [(0.05, 0.0), (0.10, 0.0), (0.10, 0.15)])
def test_an_echo_comes_when_refraction_says(depth, offset):
    """Over a ball and beside it, leg by leg; later beside it."""
    places = [[0.0, offset, 0.12]]
    ball = bury("ball_20mm", depth=depth - 0.01)
    echo = (radar_over(places, buried=(ball,)) - radar_over(places))[0, 0]
    soil = make_soil()
    index = float(np.sqrt(soil_permittivity(soil, np.array([1.5e9]))[0]).real)
    legs = [
        trace_rays(0.12, depth, abs(offset + side), index=index).time for side in (-0.03, 0.03)
    ]
    npt.assert_allclose(time_of_peak(echo), TIME_ZERO + sum(legs), atol=40e-12)


def test_the_transmitter_is_behind_the_receiver():
    """Turned eastward the pair lies along easting: a ball beside it is not symmetric."""
    ball = bury("ball_20mm", depth=0.05, easting=0.1)
    east = radar_over([[0, 0, 0.12]], buried=(ball,), heading=math.pi / 2)
    north = radar_over([[0, 0, 0.12]], buried=(ball,), heading=0.0)
    turned = bury("ball_20mm", depth=0.05, northing=0.1)
    npt.assert_allclose(
        east, radar_over([[0, 0, 0.12]], buried=(turned,), heading=0.0), atol=2e-4
    )
    assert np.abs(east - north).max() > 5e-4


def first_arrival(trace):
    """Return the sign of the first extremum above 60 % of the largest sample."""
    return np.sign(trace[np.argmax(np.abs(trace) > 0.6 * np.abs(trace).max())])


def test_metal_turns_the_polarity_over_and_plastic_does_not():
    """A case of metal and one of plastic at the same depth begin with opposite signs."""
    echoes = [
        (radar_over(AXIS, buried=(bury(kind, depth=0.08),)) - radar_over(AXIS))[0, 0]
        for kind in ("tm62m", "tm62p3")
    ]
    early = slice(0, round(3.05e-9 / 62.5e-12))  # before the bottom of the case
    metal, plastic = (echo[early] for echo in echoes)
    assert np.corrcoef(metal, plastic)[0, 1] < -0.9
    assert np.abs(metal).max() > 2 * np.abs(plastic).max()


def test_a_simulant_without_metal_is_seen_by_the_radar_alone():
    """Well over the noise of the radar, nothing over that of the coils."""
    terrain = make_ground(make_soil(susceptibility=1e-6))
    mine = (bury("simulant"),)
    noise = Noise()
    seen = radar_over(AXIS, terrain=terrain, buried=mine) - radar_over(AXIS, terrain=terrain)
    assert np.abs(seen).max() > 20 * noise.radar_white * 0.25 / 0.06
    place = [[0, 0, 0.05]]
    felt = coils_over(place, terrain=terrain, buried=mine) - coils_over(place, terrain=terrain)
    assert np.abs(felt).max() < 0.1 * noise.coil_white


def test_moisture_slows_and_weakens_an_echo():
    """The wetter the soil, the later and the fainter the ball."""
    ball, times, peaks = (bury("ball_20mm", depth=0.1),), [], []
    for moisture in (0.05, 0.1, 0.2):
        terrain = make_ground(make_soil(moisture=moisture))
        echo = radar_over(AXIS, terrain=terrain, buried=ball) - radar_over(
            AXIS, terrain=terrain
        )
        times.append(time_of_peak(echo[0, 0]))
        peaks.append(np.abs(echo).max())
    assert (np.diff(times) > 0.1e-9).all()
    assert (np.diff(peaks) < 0).all()


def test_radar_adds_up_what_it_sees():
    """Two bodies together are the sum of both alone."""
    one, other = bury("pmn2", northing=-0.1), bury("ball_20mm", easting=0.2)
    bare = radar_over(AXIS)
    both = radar_over(AXIS, buried=(one, other)) - bare
    alone = [radar_over(AXIS, buried=(item,)) - bare for item in (one, other)]
    npt.assert_allclose(both, sum(alone), atol=1e-5)


def test_a_small_splinter_is_left_to_the_coils():
    """Metal of less than 20 mm does not change a trace."""
    pieces = [
        Clutter(
            kind="scrap",
            easting=0,
            northing=0,
            depth=0.03,
            size=size,
            metal=scrap(size, rng=make_rng()),
        )
        for size in (0.019, 0.021)
    ]
    small, large = (radar_over(AXIS, clutter=(piece,)) for piece in pieces)
    npt.assert_array_equal(small, radar_over(AXIS))
    assert np.abs(large - small).max() > 1e-3


def test_radar_noise_is_white_and_of_its_spread():
    """A share of the direct wave's peak, in every sample and channel."""
    places = np.tile(AXIS[0], (6, 4, 1))
    noise = dataclasses.replace(SILENT, radar_white=2e-3)
    residue = radar_over(places, noise=noise) - radar_over(places[:1, :1])
    npt.assert_allclose(residue.std(), 2e-3 * 0.25 / 0.06, rtol=0.05)
    near = (residue[..., 1:] * residue[..., :-1]).mean() / residue.var()
    npt.assert_allclose(near, 0.0, atol=0.07)


@pytest.mark.slow
def test_channels_differ_in_gain_and_delay_and_traces_jitter():
    """The direct wave shows each error with the spread that is stated."""
    places = np.tile([0.0, 0.0, 0.12], (3, 60, 1))
    noise = dataclasses.replace(SILENT, radar_gain=0.05, radar_delay=30e-12, radar_jitter=3e-12)
    with_errors = np.fft.rfft(radar_over(places, noise=noise))
    plain = np.fft.rfft(radar_over(places[:1, :1]))
    line = 18  # 1.5 GHz of 192 samples at 62.5 ps
    ratio = with_errors[..., line] / plain[..., line]
    gain, delay = np.abs(ratio), -np.angle(ratio) / (2 * math.pi * 1.5e9)
    npt.assert_allclose(gain - gain[:1], 0.0, atol=1e-3)
    npt.assert_allclose(gain[0].std(), 0.05, rtol=0.3)
    npt.assert_allclose(delay.mean(axis=0).std(), 30e-12, rtol=0.3)
    jitter = (delay - delay.mean(axis=0)).std() * math.sqrt(3 / 2)
    npt.assert_allclose(jitter, 3e-12, rtol=0.25)


@pytest.mark.slow
def test_drift_changes_the_direct_wave_alone():
    """The echo of the ground stays what it is."""
    places = np.tile([0.0, 0.0, 0.6], (4, 20, 1))
    noise = dataclasses.replace(SILENT, radar_drift=0.01)
    change = radar_over(places, noise=noise) - radar_over(places[:1, :1])
    npt.assert_allclose(change[..., 60:], 0.0, atol=2e-4)
    peak = change[..., round((TIME_ZERO + 0.06 / SPEED_OF_LIGHT) / 62.5e-12)]
    npt.assert_allclose(peak.std(), 0.01 * 0.25 / 0.06, rtol=0.35)


def clutter_power(preset, *, seeds, first=0):
    """Return the mean power of uneven soil by two-way time, over many seeds."""
    even = make_soil(preset=dataclasses.replace(preset, permittivity_spread=0.0))
    bare = radar_over(AXIS, terrain=make_ground(even))[0, 0]
    total = np.zeros(192)
    for seed in range(first, first + seeds):
        terrain = make_ground(make_soil(preset=preset))
        total += (radar_over(AXIS, terrain=terrain, seed=seed)[0, 0] - bare) ** 2
    return total / seeds


@pytest.mark.slow
def test_uneven_soil_is_as_strong_however_many_cells_stand_for_it(monkeypatch):
    """Mean power in the ground does not depend on the density, but on the spread squared."""
    ground = slice(30, 64)  # 1.9 to 4 ns
    usual = clutter_power(SOILS["loam"], seeds=300)[ground].mean()
    double = dataclasses.replace(
        SOILS["loam"], permittivity_spread=2 * SOILS["loam"].permittivity_spread
    )
    npt.assert_allclose(clutter_power(double, seeds=300)[ground].mean() / usual, 4, rtol=1e-3)
    monkeypatch.setattr(radar_lane, "_CELLS", 4 * radar_lane._CELLS)
    npt.assert_allclose(
        clutter_power(SOILS["loam"], seeds=150)[ground].mean(), usual, rtol=0.25
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quartz_sand", "loam"])
def test_uneven_soil_is_as_strong_as_all_of_its_cells(name):
    """Against every cell of a correlated field, that fades in from the surface down."""
    preset, step = SOILS[name], 0.01
    terrain, band = make_ground(make_soil(name)), band_of(cart().radar)
    frequency = radar_frequencies(**band)
    soil = soil_permittivity(terrain.soil, frequency)
    axes = [(np.arange(n) + 0.5) * step for n in (80, 80, 20)]
    east, north, down = (a.ravel() for a in np.meshgrid(*axes, indexing="ij"))
    place = np.column_stack([east - 0.4, north - 0.4, -down])
    bare = radar_over(AXIS, terrain=terrain)[0, 0]
    fade = np.sin(np.pi / 2 * np.minimum(down / 0.04, 1)) ** 2  # no echo of a sharp edge
    power = np.zeros(192)
    for seed in range(20):
        lumps = gaussian_field(
            (80, 80, 20),
            step,
            outer_scale=preset.correlation_length,
            std=preset.permittivity_spread,
            rng=make_rng(seed),
        )
        cells = volume_cells(
            place, contrast=fade * lumps.ravel(), volume=step**3, frequency=frequency, soil=soil
        )
        trace = radar_traces(
            [[0, -0.03, 0.12]],
            [[0, 0.03, 0.12]],
            **band,
            permittivity=soil,
            surface=terrain.surface,
            scatterers=cells,
            coupling=0.25,
            reach=0.45,
        )[0]
        power += (trace - bare) ** 2 / 20
    ground = slice(46, 68)  # from 4 cm down, 2.9 to 4.2 ns
    found = clutter_power(preset, seeds=300)[ground].mean()
    assert abs(10 * math.log10(found / power[ground].mean())) < 1.5


# A carrier along a lane

SMALL = scenario("farmland", n_training=3, n_blind=1, lane_length=4.0, run_in=1.0)


def small_cart(**options):
    return cart(n_antennas=2, n_coils=3, radar_spacing=0.1, coil_spacing=0.1, **options)


def bytes_of(sweeps):
    return [
        b"".join(getattr(s, n).tobytes() for n in ("samples", "time", "position", "quality"))
        for s in sweeps
    ]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes():
    """Whoever computes, in whatever company; another seed gives others."""
    made, carrier = field(SMALL, seed=4), small_cart()
    sweeps = made.sweep(carrier)
    assert [s.lane for s in sweeps] == [n for lane in made.lanes for n in (lane.name,) * 2]
    expected = bytes_of(sweeps)
    assert bytes_of(field(SMALL, seed=4).sweep(carrier, workers=2)) == expected
    seen = []
    alone = made.sweep(carrier, lanes=[made.lanes[2].name], progress=seen.append)
    assert seen == [made.lanes[2].name]
    assert bytes_of(alone) == expected[4:6]
    other = bytes_of(field(SMALL, seed=5).sweep(carrier))
    assert not set(other) & set(expected)


@pytest.mark.slow
def test_a_sweep_is_recorded_as_the_carrier_says():
    """Sensors, spacing, time, run-in at both ends, heading, and what made it."""
    made, carrier = field(SMALL, seed=1), small_cart(motion=STILL)
    radar, coils = made.sweep(carrier, lanes=["lane 02"])
    for sweep, sensor in ((radar, carrier.radar), (coils, carrier.coils)):
        assert sweep.sensor is sensor
        assert sweep.lane == "lane 02"
        assert "SYNTHETIC" in sweep.history[0]
        assert "SYNTHETIC" in sweep.frame.origin
        assert (np.diff(sweep.time) > 0).all()
        npt.assert_allclose(sweep.position[[0, -1], 1], [-1.0, 5.0])
        npt.assert_allclose(np.diff(sweep.position[:, 1]), 0.1)
        npt.assert_allclose(np.diff(sweep.time), 0.2)
        npt.assert_allclose(sweep.position[:, 0], 2.0)  # the middle of the second lane
        npt.assert_array_equal(sweep.position[:, 2], 0.0)
        npt.assert_array_equal(sweep.heading, 0.0)
        npt.assert_array_equal(sweep.quality, 0)


def test_sensors_are_where_arms_and_heading_put_them():
    """Heading east, what is right of the platform lies south; the height adds to the sway."""
    path = Path(
        time=np.array([0.0, 1.0]),
        position=np.array([[1.0, 2.0, 0.003], [1.0, 2.005, -0.004]]),
        heading=np.array([0.0, math.pi / 2]),
    )
    for sensor, height in ((cart(n_antennas=2).radar, 0.12), (cart(n_coils=2).coils, 0.05)):
        found = _channel_positions(path, np.arange(2), sensor)
        expected = [
            [[0.75, 2.0, height + 0.003], [1.25, 2.0, height + 0.003]],
            [[1.0, 2.255, height - 0.004], [1.0, 1.755, height - 0.004]],
        ]
        npt.assert_allclose(found, expected)


@pytest.mark.parametrize("spacing", [0.005, 0.01, 0.012, 0.5])
def test_every_trace_is_on_the_path(spacing):
    """From its first step on, no farther than its last, which one may hit."""
    path = Path(
        time=np.arange(101.0),
        position=np.column_stack([np.zeros(101), 0.005 * np.arange(101), np.zeros(101)]),
        heading=np.zeros(101),
    )
    at = _trace_indices(path, spacing)
    npt.assert_array_equal(at, np.rint(np.arange(0, 100.001, spacing / 0.005)))


@pytest.mark.slow
def test_the_ground_comes_from_the_seed_of_the_field():
    """Without noise, motion and objects, only soil of another seed makes other voltages."""
    bare = dataclasses.replace(SMALL, target_density=0, metal_density=0, dielectric_density=0)
    made = field(dataclasses.replace(bare, lane_length=1.0), seed=1)
    carrier = cart(n_antennas=1, n_coils=1, radar_spacing=1.0, motion=STILL, noise=SILENT)
    one, other = (
        dataclasses.replace(made, seed=seed).sweep(carrier, lanes=["lane 01"])[1].samples
        for seed in (1, 2)
    )
    assert np.abs(one / other - 1).max() > 0.05


@pytest.mark.parametrize(("spacing", "expected"), [(0.025, 0.025), (0.012, 0.012)])
def test_traces_are_as_far_apart_as_asked(spacing, expected):
    """On the steps of the path, but without a bias when they do not fit."""
    recipe = dataclasses.replace(SMALL, lane_length=0.5, run_in=0.5, metal_density=0.0)
    carrier = cart(
        n_antennas=1, n_coils=1, radar_spacing=0.5, coil_spacing=spacing, motion=STILL
    )
    made = field(recipe, seed=1)
    north = made.sweep(carrier, lanes=["lane 01"])[1].position[:, 1]
    npt.assert_allclose((north[-1] - north[0]) / (len(north) - 1), expected, rtol=5e-3)


@pytest.mark.slow
def test_the_recorded_position_errs_as_stated():
    """Over lanes the true and the recorded place differ by the stated spread."""
    recipe = dataclasses.replace(SMALL, n_training=40, n_blind=0, lane_length=0.5, run_in=0.1)
    made = field(recipe, seed=1)
    motion = dataclasses.replace(STILL, position_error=0.02)
    carrier = cart(n_antennas=1, n_coils=1, radar_spacing=1.0, coil_spacing=0.1, motion=motion)
    errors = []
    for sweep in made.sweep(carrier)[1::2]:
        lane = made.lane(sweep.lane)
        north = -0.1 + 0.1 * np.arange(len(sweep))
        errors.append(
            sweep.position[:, :2] - np.column_stack([0 * north + lane.area[0] + 0.5, north])
        )
    errors = np.array(errors)
    npt.assert_allclose(errors.std(axis=(0, 1)), 0.02, rtol=0.3)
    assert np.abs(np.diff(errors, axis=1)).max() < 0.02  # it is slow


@pytest.mark.slow
def test_gaps_take_both_sensors_and_are_flagged():
    """Ground lost on the link is missing in both sweeps, and the next trace says so."""
    recipe = dataclasses.replace(SMALL, lane_length=20.0)
    made = field(recipe, seed=2)
    carrier = cart(
        n_antennas=1,
        n_coils=1,
        radar_spacing=0.05,
        coil_spacing=0.05,
        motion=dataclasses.replace(STILL, gaps_per_metre=0.3, gap_length=0.5),
    )
    radar, coils = made.sweep(carrier, lanes=["lane 01"])
    npt.assert_array_equal(radar.time, coils.time)
    jumps = np.flatnonzero(np.diff(radar.position[:, 1]) > 0.075) + 1
    assert len(jumps) >= 3
    for sweep in (radar, coils):
        npt.assert_array_equal(np.flatnonzero(sweep.quality & Quality.GAP), jumps)
    lost = 22.0 / 0.05 + 1 - len(radar)
    assert 22 * 0.3 * 0.5 / 0.05 * 0.3 < lost < 22 * 0.3 * 0.5 / 0.05 * 2.5


@pytest.mark.slow
def test_saturated_traces_are_lost_and_flagged():
    """They keep their place, hold NaN, and are as many as stated."""
    recipe = dataclasses.replace(SMALL, lane_length=20.0)
    carrier = cart(
        n_antennas=1,
        n_coils=1,
        radar_spacing=0.1,
        coil_spacing=0.05,
        motion=dataclasses.replace(STILL, dropouts_per_metre=2.0),
    )
    for sweep in field(recipe, seed=2).sweep(carrier, lanes=["lane 01"]):
        flagged = (sweep.quality & Quality.SATURATED) != 0
        npt.assert_array_equal(np.isnan(sweep.samples).all(axis=(1, 2)), flagged)
        npt.assert_array_equal(np.isnan(sweep.samples).any(axis=(1, 2)), flagged)
        npt.assert_array_equal(sweep.is_usable, ~flagged)
        assert abs(flagged.sum() - 44) < 4 * math.sqrt(44)


@pytest.mark.slow
def test_a_lane_feels_what_lies_in_the_next_one_and_no_farther():
    """A ball just across the border is felt, one in the lane after that is not."""
    recipe = dataclasses.replace(
        SMALL,
        target_density=0.0,
        metal_density=0.0,
        dielectric_density=0.0,
        lane_gap=0.1,
        lane_length=1.0,
        run_in=0.5,
    )
    made = field(recipe, seed=1)
    carrier = cart(
        n_antennas=4,
        n_coils=4,
        radar_spacing=0.25,
        coil_spacing=0.25,
        motion=STILL,
        noise=SILENT,
    )
    lane = made.lanes[0]

    def swept(easting, owner):
        metal = surrogate(body("tm57"), rng=make_rng())
        mine = bury("tm57", easting=easting, northing=0.5, metal=metal)
        buried = dict(made.buried) | {owner: (mine,)}
        return sweep_lane(dataclasses.replace(made, buried=buried), lane, carrier)

    bare = bytes_of(sweep_lane(made, lane, carrier))
    near = bytes_of(swept(1.2, "lane 02"))
    assert near[0] != bare[0]
    assert near[1] != bare[1]
    far = bytes_of(swept(2.4, "lane 03"))
    assert far == bare


@pytest.mark.slow
def test_a_wide_cart_finds_ground_and_objects_under_its_ends():
    """Sensors beyond the lane stand on ground, and feel lanes that lie there."""
    recipe = dataclasses.replace(
        SMALL, lane_length=0.5, run_in=0.25, lane_width=0.6, lane_gap=0.0
    )
    carrier = cart(n_antennas=3, n_coils=3, width=3.0, radar_spacing=0.5, motion=STILL)
    made = field(recipe, seed=1)
    metal = surrogate(body("tm57"), rng=make_rng())
    mine = bury("tm57", easting=1.5, northing=0.25, metal=metal)
    loud = dataclasses.replace(made, buried=dict(made.buried) | {"lane 03": (mine,)})
    bare = sweep_lane(
        dataclasses.replace(made, buried={**made.buried, "lane 03": ()}), made.lanes[0], carrier
    )
    assert (
        np.abs(sweep_lane(loud, made.lanes[0], carrier)[1].samples - bare[1].samples).max()
        > 1e-7
    )


# Bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Motion(speed=0.0), ValueError, "Invalid speed '0.0'"),
        (lambda: Motion(correlation_time=-1.0), ValueError, "Invalid correlation_time"),
        (lambda: Motion(gaps_per_metre=-0.1), ValueError, "Invalid gaps_per_metre '-0.1'"),
        (lambda: Motion(height_spread=math.nan), ValueError, "Invalid height_spread 'nan'"),
        (lambda: Noise(radar_white=-1e-3), ValueError, "Invalid radar_white '-0.001'"),
        (lambda: Noise(drift_time=0.0), ValueError, "Invalid drift_time '0.0'"),
        (lambda: Noise(coil_white="loud"), TypeError, "Invalid coil_white"),
        (
            lambda: dataclasses.replace(cart(), radar=cart().coils),
            ValueError,
            "Invalid radar 'cart coils': no Radar",
        ),
        (
            lambda: dataclasses.replace(cart(), coils=cart().radar),
            ValueError,
            "Invalid coils 'cart radar': no PulseCoil",
        ),
        (
            lambda: dataclasses.replace(cart(), coil_spacing=-1.0),
            ValueError,
            "Invalid coil_spacing '-1.0'",
        ),
        (
            lambda: field(SMALL, seed=1).sweep("cart"),
            TypeError,
            "Invalid carrier 'cart'. Must be a Carrier",
        ),
        (
            lambda: field(SMALL, seed=1).sweep(cart(), lanes=["lane 99"]),
            ValueError,
            "Invalid lane 'lane 99'",
        ),
        (
            lambda: field(SMALL, seed=1).sweep(cart(), workers=0),
            ValueError,
            "Invalid workers '0'",
        ),
        (
            lambda: field(SMALL, seed=1).sweep(cart(radar_spacing=0.001), lanes=["lane 01"]),
            ValueError,
            "Invalid spacing '0.001'. Must be at least the step of the path, 0.005 m",
        ),
        (lambda: radar_over([[0.0, 0.0, -0.1]]), ValueError, "Must be above it"),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(error, match=message):
        call()

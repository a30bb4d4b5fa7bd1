"""Test what is simulated along a lane: ground, coils, radar, and the carrier's faults."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from carriers import CALM, quiet, silent
from lane_scenes import bury, coils_over, make_ground, make_rng, make_soil, radar_over
from scipy.signal import hilbert
from scipy.special import gamma, kv

from minesense.constants import SPEED_OF_LIGHT
from minesense.physics import (
    gaussian_field,
    radar_frequencies,
    radar_traces,
    trace_rays,
    volume_cells,
)
from minesense.sweep import Quality
from minesense.synthetic import (
    SOILS,
    CartMotion,
    Clutter,
    CoilErrors,
    Faults,
    MetalPiece,
    Positioning,
    RadarErrors,
    cart,
    drone,
    field,
    radar_ground,
    scenario,
)
from minesense.synthetic.lanes import rotate
from minesense.synthetic.radar_ground import lane_scatterers
from minesense.synthetic.radar_lane import (
    band_of,
)
from minesense.synthetic.terrain import make_terrain


def time_of_peak(trace, interval=62.5e-12):
    """Return when the envelope of a trace is largest, by a parabola through its top."""
    envelope = np.abs(hilbert(trace))
    i = int(envelope.argmax())
    left, top, right = envelope[i - 1 : i + 2]
    return (i + 0.5 * (left - right) / (left - 2 * top + right)) * interval


HEAD = cart().coils.head
TRAIN = HEAD.excitation
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


def test_susceptibility_is_log_normal_in_wide_and_small_patches():
    """Spread and semivariogram of its logarithm are those of two Matern fields of 1.5."""
    preset, lags = SOILS["loam"], np.array([2, 6, 20])
    squares, steps, whole = [], [], []
    for seed in range(40):
        terrain = make_terrain((0, 0, 6, 6), make_soil(), margin=0.5, rng=make_rng(seed))
        logs = np.log(terrain.magnetism.heights / 1e-3)
        squares.append((logs**2).mean())
        whole.append(logs.mean())
        steps.append([((logs[lag:] - logs[:-lag]) ** 2).mean() for lag in lags])
    npt.assert_allclose(math.sqrt(np.mean(squares)), preset.susceptibility_spread, rtol=0.06)
    npt.assert_allclose(np.mean(whole), 0.0, atol=0.03)
    expected = np.zeros(3)
    for length, share in ((3.0, 0.75), (0.45, 0.25)):
        x = 2 * math.pi / length * 0.05 * lags
        correlation = 2 ** (1 - 1.5) / gamma(1.5) * x**1.5 * kv(1.5, x)
        expected += share * 2 * 0.15**2 * (1 - correlation)
    npt.assert_allclose(np.mean(steps, axis=0), expected, rtol=0.1)


def test_terrain_takes_chance_from_a_generator():
    with pytest.raises(TypeError, match=r"Must be a numpy\.random\.Generator"):
        make_terrain((0, 0, 1, 1), make_soil(), margin=1.0, rng=1)


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
    permittivity = make_soil().permittivity(np.array([1.5e9]))[0]
    reflection = (1 - np.sqrt(permittivity)) / (1 + np.sqrt(permittivity))
    npt.assert_allclose((trace - direct).min(), reflection.real / (2 * height), rtol=0.08)


@pytest.mark.parametrize(("depth", "offset"), [(0.05, 0.0), (0.10, 0.0), (0.10, 0.15)])
def test_an_echo_comes_when_refraction_says(depth, offset):
    """Over a ball and beside it, leg by leg; later beside it."""
    places = [[0.0, offset, 0.12]]
    ball = bury("ball_20mm", depth=depth - 0.01)
    echo = (radar_over(places, buried=(ball,)) - radar_over(places))[0, 0]
    soil = make_soil()
    index = float(np.sqrt(soil.permittivity(np.array([1.5e9]))[0]).real)
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
    seen = radar_over(AXIS, terrain=terrain, buried=mine) - radar_over(AXIS, terrain=terrain)
    assert np.abs(seen).max() > 20 * RadarErrors().white * 0.25 / 0.06
    place = [[0, 0, 0.05]]
    felt = coils_over(place, terrain=terrain, buried=mine) - coils_over(place, terrain=terrain)
    assert np.abs(felt).max() < 0.1 * CoilErrors().white


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


def scatterers_of(item, *, terrain=None):
    """Return what one piece of clutter is to the radar, without the uneven soil."""
    terrain = terrain or make_ground()
    frequency = radar_frequencies(**band_of(cart().radar))
    soil = terrain.soil.permittivity(frequency)
    place = np.zeros((1, 1, 3))
    found = lane_scatterers(terrain, frequency, soil, (), (item,), place, make_rng())
    even = lane_scatterers(terrain, frequency, soil, (), (), place, make_rng())
    n = len(even)
    return found.position[n:], found.normal[n:], found.weight[n:]


@pytest.mark.parametrize("dip", [0.9, -0.9])
@pytest.mark.parametrize("heading", [0.4, 2.5])
def test_the_face_of_a_plate_looks_along_its_axis(dip, heading):
    """A leaning disc is a leaning face of its area, about its middle."""
    piece = MetalPiece(
        shape="disc", alloy="steel", diameter=0.08, thickness=0.001, heading=heading, dip=dip
    )
    coin = Clutter(
        kind="bottle_cap",
        easting=0.05,
        northing=-0.02,
        depth=0.04,
        size=0.08,
        width=0.001,
        piece=piece,
    )
    position, normal, weight = scatterers_of(coin)
    up = piece.axis * np.sign(dip)
    npt.assert_allclose(normal, np.tile(up, (len(normal), 1)), atol=1e-9)
    npt.assert_allclose(weight.sum(), math.pi * 0.04**2, rtol=1e-9)
    middle = np.average(position, axis=0, weights=weight)
    npt.assert_allclose(middle, [0.05, -0.02, -0.04 - coin.thickness / 2], atol=1e-9)
    npt.assert_allclose((position - middle) @ piece.axis, 0.0, atol=1e-9)
    npt.assert_allclose(position[:, 2].max(), -0.04, atol=0.01)  # its highest point


@pytest.mark.parametrize("dip", [0.5, -0.5, 0.0])
def test_a_rod_lies_along_its_axis(dip):
    """It goes up where it points, and is as long as the rod."""
    piece = MetalPiece(
        shape="rod", alloy="steel", diameter=0.01, length=0.1, heading=0.7, dip=dip
    )
    nail = Clutter(
        kind="nail",
        easting=0.0,
        northing=0.0,
        depth=0.03,
        size=0.1,
        width=0.01,
        piece=piece,
    )
    position, normal, weight = scatterers_of(nail)
    middle = np.average(position, axis=0, weights=weight)
    along = (position - middle) @ piece.axis
    assert 0.08 < np.ptp(along) < 0.1
    beside = np.linalg.norm(position - middle - np.outer(along, piece.axis), axis=1)
    assert beside.max() < 1e-9
    assert not normal.any()  # round: no side of it is a face
    npt.assert_allclose(weight.sum(), 0.1, rtol=1e-9)


def test_a_wet_patch_is_seen_the_more_the_wetter_it_is():
    """By the radar; the metal detector does not feel it."""
    peaks = []
    for moisture in (0.0, 0.05, 0.15):
        patch = Clutter(
            kind="wet_patch",
            easting=0.0,
            northing=0.0,
            depth=0.06,
            size=0.3,
            width=0.08,
            moisture=moisture,
        )
        echo = radar_over(AXIS, clutter=(patch,)) - radar_over(AXIS)
        peaks.append(np.abs(echo).max())
        volts = coils_over([[0, 0, 0.05]], clutter=(patch,))
        npt.assert_array_equal(volts, coils_over([[0, 0, 0.05]]))
    assert peaks[0] < 1e-6
    assert peaks[2] > 2 * peaks[1] > 1e-3


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
            kind="fragment",
            easting=0,
            northing=0,
            depth=0.03,
            size=size,
            width=0.005,
            piece=MetalPiece(shape="rod", alloy="steel", diameter=0.005, length=size, dip=0.0),
        )
        for size in (0.019, 0.021)
    ]
    small, large = (radar_over(AXIS, clutter=(piece,)) for piece in pieces)
    npt.assert_array_equal(small, radar_over(AXIS))
    assert np.abs(large - small).max() > 1e-3


def clutter_power(preset, *, seeds, first=0):
    """Return the mean power of uneven soil by two-way time, over many seeds."""
    even = make_soil(
        preset=dataclasses.replace(preset, permittivity_spread=0.0, moisture_spread=0.0)
    )
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
        SOILS["loam"],
        permittivity_spread=2 * SOILS["loam"].permittivity_spread,
        moisture_spread=2 * SOILS["loam"].moisture_spread,
    )
    npt.assert_allclose(clutter_power(double, seeds=300)[ground].mean() / usual, 4, rtol=1e-3)
    monkeypatch.setattr(radar_ground, "_CELLS", 4 * radar_ground._CELLS)
    npt.assert_allclose(
        clutter_power(SOILS["loam"], seeds=150)[ground].mean(), usual, rtol=0.25
    )


@pytest.mark.slow
def test_echoes_of_uneven_soil_are_spread_as_those_of_a_medium():
    """Nearly Gaussian at every depth, though it stands on points: kurtosis near three."""
    places = np.array([[x, y, 0.05] for x in (-1, 0, 1) for y in (-1, 0, 1)])  # far apart
    bare = radar_over(places, terrain=make_ground())[:, 0]
    terrain, sensor = make_ground(make_soil(preset=SOILS["loam"])), cart().radar
    echoes = np.concatenate(
        [radar_over(places, terrain=terrain, seed=seed)[:, 0] - bare for seed in range(120)]
    )
    slow = np.sqrt(terrain.soil.permittivity(np.array([1.5e9]))[0].real)
    for depth in (0.015, 0.03, 0.06, 0.1, 0.2, 0.3):
        arrival = TIME_ZERO + 2 * (0.05 + slow * depth) / SPEED_OF_LIGHT
        echo = echoes[:, np.abs(sensor.axis - arrival) < 0.12e-9]
        kurtosis = (echo**4).mean(axis=0) / (echo**2).mean(axis=0) ** 2
        assert 2.5 < kurtosis.mean() < 4.7


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quartz_sand", "loam"])
def test_uneven_soil_is_as_strong_as_all_of_its_cells(name):
    """Against every cell of a correlated field, that fades in from the surface down."""
    preset, step = SOILS[name], 0.01
    terrain, band = make_ground(make_soil(name)), band_of(cart().radar)
    frequency = radar_frequencies(**band)
    soil = terrain.soil.permittivity(frequency)
    axes = [(np.arange(n) + 0.5) * step for n in (80, 80, 20)]
    east, north, down = (a.ravel() for a in np.meshgrid(*axes, indexing="ij"))
    place = np.column_stack([east - 0.4, north - 0.4, -down])
    bare = radar_over(AXIS, terrain=terrain)[0, 0]
    fade = np.sin(np.pi / 2 * np.minimum(down / 0.04, 1)) ** 2  # no echo of a sharp edge
    # the grid holds the waves longer than two steps, a part of the variance, as all of it
    waves = (2 * math.pi * np.fft.fftfreq(100, step)) ** 2
    squares = waves[:, None, None] + waves[:, None] + waves
    length = preset.correlation_length / (2 * math.pi)
    share = (8 * math.pi * length**3 / (1 + squares * length**2) ** 2).mean() / step**3
    power = np.zeros(192)
    for seed in range(20):
        lumps = gaussian_field(
            (80, 80, 20),
            step,
            outer_scale=preset.correlation_length,
            std=math.sqrt(share) * make_soil(preset=preset).spread(1.5e9),
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


def small(**lanes):
    """Return a recipe of short lanes of a farm."""
    lanes = {"training": 3, "blind": 1, "length": 4.0, "run_in": 1.0} | lanes
    return scenario("farmland", lanes=lanes)


def bare(places=(), **lanes):
    """Return a recipe of short lanes without anything but targets in their places."""
    lanes = {"training": 3, "blind": 1, "length": 1.0, "run_in": 0.5} | lanes
    return scenario(
        "farmland",
        lanes=lanes,
        layout={"density": 0.0},
        targets={"places": list(places)},
        clutter={"metal_density": 0.0, "dielectric_density": 0.0},
    )


SMALL = small()


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
    made, carrier = field(SMALL, seed=1), small_cart(**quiet())
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


@pytest.mark.slow
def test_the_ground_comes_from_the_seed_of_the_field():
    """Without noise, motion and objects, only soil of another seed makes other voltages."""
    carrier = cart(n_antennas=1, n_coils=1, radar_spacing=1.0, **quiet())
    preset = dataclasses.replace(
        SOILS["loam"],
        moisture=(0.1, 0.1),
        susceptibility=(1e-3, 1e-3),
        conductivity=(0.01, 0.01),
        viscous_share=(0.5, 0.5),
    )
    recipe = bare()
    ground = dataclasses.replace(recipe.ground, soils=("mine",), own={"mine": preset})
    still_soil = dataclasses.replace(recipe, ground=ground)
    one, other = (
        field(still_soil, seed=seed).sweep(carrier, lanes=["lane 01"])[1].samples
        for seed in (1, 2)
    )
    assert np.abs(one / other - 1).max() > 0.05


@pytest.mark.parametrize(("spacing", "expected"), [(0.025, 0.025), (0.012, 0.012)])
def test_traces_are_as_far_apart_as_asked(spacing, expected):
    """On the steps of the path, but without a bias when they do not fit."""
    recipe = bare(length=0.5)
    carrier = cart(n_antennas=1, n_coils=1, radar_spacing=0.5, coil_spacing=spacing, **quiet())
    made = field(recipe, seed=1)
    north = made.sweep(carrier, lanes=["lane 01"])[1].position[:, 1]
    npt.assert_allclose((north[-1] - north[0]) / (len(north) - 1), expected, rtol=5e-3)


@pytest.mark.slow
def test_the_recorded_position_errs_as_stated():
    """Over lanes the true and the recorded place differ by the stated spread."""
    recipe = bare(training=40, blind=0, length=0.5, run_in=0.1)
    made = field(recipe, seed=1)
    options = quiet(positioning=silent(Positioning, error=0.02))
    carrier = cart(n_antennas=1, n_coils=1, radar_spacing=1.0, coil_spacing=0.1, **options)
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
    recipe = small(length=20.0)
    made = field(recipe, seed=2)
    carrier = cart(
        n_antennas=1,
        n_coils=1,
        radar_spacing=0.05,
        coil_spacing=0.05,
        **quiet(faults=silent(Faults, gaps_per_minute=9.0, gap_time=1.0)),
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
    recipe = small(length=20.0)
    carrier = cart(
        n_antennas=1,
        n_coils=1,
        radar_spacing=0.1,
        coil_spacing=0.05,
        **quiet(faults=silent(Faults, dropouts_per_minute=60.0)),
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
    carrier = cart(
        n_antennas=4,
        n_coils=4,
        radar_spacing=0.25,
        coil_spacing=0.25,
        **quiet(),
    )

    def swept(*places):
        made = field(bare(places, gap=0.1), seed=1)
        return bytes_of(made.sweep(carrier, lanes=["lane 01"]))

    def mine(easting):
        return {"kind": "tm57", "easting": easting, "northing": 0.5, "depth": 0.05}

    empty, near, far = swept(), swept(mine(1.2)), swept(mine(2.9))
    assert near[0] != empty[0]
    assert near[1] != empty[1]
    assert far == empty


@pytest.mark.slow
def test_a_large_coil_feels_farther_with_and_without_a_radar():
    """A mine two lanes away reaches a coil of 25 cm and not one of 10 cm."""
    places = ({"kind": "tm57", "easting": 2.9, "northing": 0.5, "depth": 0.05},)
    low, high = cart(**quiet()), drone(**quiet(motion=CALM))

    def felt(carrier):
        silence, loud = (
            field(bare(put, gap=0.1), seed=1).sweep(carrier, lanes=["lane 01"])[-1].samples
            for put in ((), places)
        )
        return np.abs(loud - silence).max()

    assert felt(dataclasses.replace(low, radar=None, radar_spacing=None)) == 0.0
    alone = felt(dataclasses.replace(high, radar=None, radar_rate=None))
    assert alone > 1e-12
    npt.assert_allclose(felt(high), alone, rtol=0.02)  # traces at other places


@pytest.mark.slow
def test_a_wide_cart_finds_ground_and_objects_under_its_ends():
    """Sensors beyond the lane stand on ground, and feel lanes that lie there."""
    lanes = {"length": 0.5, "run_in": 0.25, "width": 0.6, "gap": 0.0}
    carrier = cart(n_antennas=3, n_coils=3, width=3.0, radar_spacing=0.5, **quiet())
    mine = {"kind": "tm57", "easting": 1.5, "northing": 0.25, "depth": 0.05}
    silence, loud = (
        field(bare(places, **lanes), seed=1).sweep(carrier, lanes=["lane 01"])
        for places in ((), (mine,))
    )
    assert np.abs(loud[1].samples - silence[1].samples).max() > 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("heading", [0.9, math.pi])
def test_a_turned_field_is_recorded_alike(heading):
    """The same samples as going north, at turned places, with the heading added."""
    lanes = {"training": 1, "blind": 0, "length": 2.0, "run_in": 1.0}
    recipe, turned = (
        scenario("village", lanes=lanes | {"heading": angle}, layout={"density": 1.0})
        for angle in (0.0, heading)
    )
    objects = field(recipe, seed=3).objects_of("lane 01")
    assert sum(item.piece is not None for item in objects.clutter) > 3
    assert any(item.pieces for item in objects.buried)
    carrier = small_cart(**quiet(motion=CartMotion()))
    for one, other in zip(
        field(recipe, seed=3).sweep(carrier),
        field(turned, seed=3).sweep(carrier),
        strict=True,
    ):
        # places are rounded to the micrometre in either direction
        part = 1e-4 if one.sensor.kind == "gpr" else 5e-5
        scale = np.nanmax(np.abs(one.samples))
        npt.assert_allclose(other.samples, one.samples, rtol=0, atol=part * scale)
        npt.assert_array_equal(other.quality, one.quality)
        place = np.column_stack(rotate(*one.position[:, :2].T, heading))
        npt.assert_allclose(other.position[:, :2], place, atol=1e-9)
        npt.assert_allclose(other.heading, one.heading + heading)


# Bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: dataclasses.replace(cart(), radar=cart().coils),
            ValueError,
            "Invalid sensor 'cart coils': no radar",
        ),
        (
            lambda: dataclasses.replace(cart(), coils=cart().radar),
            ValueError,
            "Invalid sensor 'cart radar' with no head",
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
            "Invalid radar_spacing '0.001'. Must be at least the step of the path, 0.005 m",
        ),
        (lambda: radar_over([[0.0, 0.0, -0.1]]), ValueError, "Must be above it"),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(error, match=message):
        call()

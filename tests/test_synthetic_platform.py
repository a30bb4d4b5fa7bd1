"""Test how platforms move, where their sensors are, and when these record."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest
from carriers import CALM, EVEN_SWING, NO_FAULTS, STILL, quiet, silent

from minesense.synthetic import (
    Carrier,
    CartMotion,
    DronePlan,
    FlightMotion,
    HandheldPlan,
    Positioning,
    SwingMotion,
    Track,
    cart,
    drone,
    field,
    handheld,
    ornstein_uhlenbeck,
    scenario,
)
from minesense.synthetic.platform import overhang
from minesense.synthetic.simulate import lane_track


def make_rng(seed=0):
    return np.random.default_rng(seed)


def make_track(heading=(0.0,), pitch=0.0, roll=0.0, position=(1.0, 2.0, 0.003)):
    """Return a track that turns on the spot."""
    n = len(heading)
    return Track(
        time=np.arange(float(n)),
        position=np.tile(position, (n, 1)),
        heading=np.array(heading),
        pitch=np.full(n, pitch),
        roll=np.full(n, roll),
        step=1.0,
        is_timed=True,
    )


def track_of(motion, *, length=20.0, width=1.0, seed=0):
    return motion.track(length=length, width=width, rng=make_rng(seed))


# -- wandering -----------------------------------------------------------------------------


def test_wandering_has_the_spread_and_the_memory_it_should():
    """Variance from the first value on, and correlation e^-1 after the correlation time."""
    series = np.array(
        [
            ornstein_uhlenbeck(60, step=0.1, time=1.0, std=3.0, rng=make_rng(seed))
            for seed in range(3000)
        ]
    )
    npt.assert_allclose(series.std(axis=0), 3.0, rtol=0.06)
    correlation = (series[:, 20] * series[:, 30]).mean() / 9
    npt.assert_allclose(correlation, math.exp(-1), atol=0.06)
    assert len(ornstein_uhlenbeck(0, step=0.1, time=1.0, std=1.0, rng=make_rng())) == 0


# -- poses ---------------------------------------------------------------------------------


def test_sensors_are_where_arms_and_heading_put_them():
    """Heading east, what is right of the platform lies south; the height adds to the sway."""
    track = make_track((0.0, math.pi / 2))
    for sensor, height in ((cart(n_antennas=2).radar, 0.12), (cart(n_coils=2).coils, 0.05)):
        up = height + 0.003
        expected = [
            [[0.75, 2.0, up], [1.25, 2.0, up]],
            [[1.0, 2.25, up], [1.0, 1.75, up]],
        ]
        npt.assert_allclose(track.place(sensor.lever_arms, height), expected)


@pytest.mark.parametrize(
    ("pose", "arm", "expected"),
    [
        ({"pitch": 0.1}, [0, 1, 0], [0, math.cos(0.1), math.sin(0.1)]),  # nose up
        ({"pitch": 0.1}, [0, 0, 1], [0, -math.sin(0.1), math.cos(0.1)]),
        ({"roll": 0.1}, [1, 0, 0], [math.cos(0.1), 0, -math.sin(0.1)]),  # right side down
        ({"roll": 0.1}, [0, 0, 1], [math.sin(0.1), 0, math.cos(0.1)]),
        ({"heading": (0.1,)}, [0, 1, 0], [math.sin(0.1), math.cos(0.1), 0]),  # clockwise
    ],
)
def test_attitude_turns_as_it_is_defined(pose, arm, expected):
    """Each angle alone, by its sign."""
    npt.assert_allclose(make_track(**pose).turned([arm])[0, 0], expected, atol=1e-15)


def test_attitude_is_a_rotation_in_the_stated_order():
    """Roll, then pitch, then heading; lengths and angles stay."""
    roll, pitch, heading = 0.2, -0.3, 0.5
    turned = make_track((heading,), pitch, roll).turned(np.eye(3))[0].T
    npt.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-14)
    npt.assert_allclose(np.linalg.det(turned), 1.0)
    steps = [
        make_track(**angle).turned(np.eye(3))[0].T
        for angle in ({"heading": (heading,)}, {"pitch": pitch}, {"roll": roll})
    ]
    npt.assert_allclose(turned, steps[0] @ steps[1] @ steps[2], atol=1e-14)


# -- carts ---------------------------------------------------------------------------------


def test_a_cart_goes_forward_at_its_speed():
    """Distance is regular, time follows the speed, nothing goes backward."""
    track = track_of(CartMotion())
    npt.assert_allclose(np.diff(track.position[:, 1]), 0.005)
    assert (np.diff(track.time) > 0).all()
    npt.assert_allclose(track.time[-1], 40.0, rtol=0.1)
    assert abs(track.position[:, 0].mean()) < 0.02
    assert len(track) == 4001


def test_a_cart_sways_by_its_spreads():
    """Each in its own column, none where it is zero."""
    columns = {
        "height_spread": lambda t: t.position[:, 2],
        "sideways_spread": lambda t: t.position[:, 0],
        "yaw_spread": lambda t: t.heading,
        "pitch_spread": lambda t: t.pitch,
        "roll_spread": lambda t: t.roll,
    }
    for name in columns:
        track = track_of(silent(CartMotion, **{name: 0.02}), length=400.0)
        for other, column in columns.items():
            spread = column(track).std()
            npt.assert_allclose(spread, 0.02 if other == name else 0.0, rtol=0.15)


# -- hands ---------------------------------------------------------------------------------


def test_a_head_is_swung_in_arcs_and_forward():
    """Across the lane and a little beyond, on a circle about the operator, step by step."""
    motion = dataclasses.replace(EVEN_SWING, advance_spread=0.0, speed_spread=0.0)
    track = track_of(motion, length=5.0)
    right, forward = track.position[:, 0], track.position[:, 1]
    npt.assert_allclose([right.min(), right.max()], [-0.6, 0.6], atol=1e-3)
    # the operator stands one reach behind the middle of the arc
    walked = forward + 1.2 * (1 - np.cos(track.heading))
    assert (np.diff(walked) >= -1e-12).all()
    npt.assert_allclose(right, 1.2 * np.sin(track.heading), atol=1e-12)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(right)))) + 1
    npt.assert_allclose(np.diff(walked[turns]), 0.1, atol=5e-3)
    swing = 2 * math.asin(0.5) * 1.2 / 0.5
    npt.assert_allclose(np.diff(track.time[turns]), swing, atol=0.021)
    npt.assert_allclose(np.diff(track.time), 0.01)
    assert walked[0] == 0.0
    npt.assert_allclose(walked[-1], 5.0, atol=0.1)


def test_a_swing_is_fastest_in_its_middle():
    """Mean as stated, pi / 2 times as much there, at rest at the ends."""
    track = track_of(EVEN_SWING, length=2.0)
    speed = 1.2 * np.abs(np.gradient(track.heading, track.time))
    npt.assert_allclose(speed.max(), 0.5 * math.pi / 2, rtol=1e-3)
    npt.assert_allclose(speed.mean(), 0.5, rtol=0.01)
    at_ends = np.abs(track.position[:, 0]) > 0.599
    assert speed[at_ends].max() < 0.08
    at_middle = np.abs(track.position[:, 0]) < 0.05
    assert speed[at_middle].min() > 0.75


def test_a_head_sways_by_its_spreads():
    """Height and tilt with the correlation time; swings and steps differ."""
    motion = SwingMotion()
    track = track_of(motion, length=40.0)
    npt.assert_allclose(track.position[:, 2].std(), motion.height_spread, rtol=0.15)
    for angle in (track.pitch, track.roll):
        npt.assert_allclose(angle.std(), motion.tilt_spread, rtol=0.15)
    height = track.position[:, 2]
    lag = round(motion.correlation_time / 0.01)
    correlation = np.mean(height[lag:] * height[:-lag]) / height.var()
    npt.assert_allclose(correlation, math.exp(-1), atol=0.1)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(track.heading)))) + 1
    assert 0.05 < np.log(np.diff(track.time[turns])).std() < 0.2


def test_every_place_of_a_lane_is_passed_by_the_head():
    """With a step of half a coil no place is farther from a trace than its radius."""
    recipe = scenario("farmland", lanes={"training": 1, "blind": 0, "length": 3.0})
    made = field(recipe, seed=1)
    lane = made.lanes[0]
    track = lane_track(made, lane, handheld(motion=EVEN_SWING))
    grid = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 21), np.linspace(0, 3, 61)), axis=-1)
    for place in grid.reshape(-1, 2):
        assert np.hypot(*(track.position[:, :2] - place).T).min() < 0.07


@pytest.mark.parametrize("seed", range(20))
def test_a_head_is_swung_to_the_end_of_its_lane(seed):
    """However short the steps that chance gives it."""
    motion = dataclasses.replace(EVEN_SWING, advance_spread=0.5 * EVEN_SWING.advance)
    track = motion.track(length=20.0, width=1.0, rng=np.random.default_rng(seed))
    walked = track.position[:, 1] - motion.reach * (np.cos(track.heading) - 1)
    assert walked.max() > 20.0 - 3 * motion.advance


def test_axes_of_radars_begin_with_the_recording():
    """In seconds for pulses; a late start would be simulated as none."""
    made = cart()
    for axis, unit, message in (
        (made.radar.axis + 2e-9, "s", r"from 2e-09 s. Must begin at 0"),
        (made.radar.axis, "Hz", r"axis in 'Hz'. Must be in Hz for tones, in s for pulses"),
    ):
        radar = dataclasses.replace(made.radar, axis=axis, axis_unit=unit)
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(made, radar=radar)


# -- drones --------------------------------------------------------------------------------


def test_a_drone_flies_its_lane():
    """Forward at its speed, a hundred times a second, to the end."""
    track = track_of(FlightMotion(), length=50.0)
    npt.assert_allclose(np.diff(track.time), 0.01)
    assert (np.diff(track.position[:, 1]) > 0).all()
    npt.assert_allclose(track.position[-1, 1], 50.0, atol=0.05)
    npt.assert_allclose(track.time[-1], 50.0, rtol=0.15)
    calm = track_of(CALM, length=10.0)
    npt.assert_array_equal(calm.position[:, [0, 2]], 0.0)
    npt.assert_allclose(calm.time[-1], 10.0, atol=0.011)


def test_wind_pushes_a_drone_and_makes_it_lean():
    """Off to one side and leaning to the other, slower than the rest of its wander."""
    motion = dataclasses.replace(
        CALM, gust=1.0, gust_time=4.0, drift_per_gust=0.06, lean_per_gust=0.03
    )
    track = track_of(motion, length=400.0)
    npt.assert_allclose(track.position[:, 0].std(), 0.06, rtol=0.25)
    npt.assert_allclose(track.roll, -track.position[:, 0] / 2)
    side = track.position[:, 0]
    correlation = np.mean(side[400:] * side[:-400]) / side.var()
    npt.assert_allclose(correlation, math.exp(-1), atol=0.2)


def test_a_drone_wanders_by_its_spreads():
    """Height, attitude and yaw."""
    motion = FlightMotion()
    track = track_of(motion, length=300.0)
    npt.assert_allclose(track.position[:, 2].std(), motion.height_spread, rtol=0.2)
    npt.assert_allclose(track.pitch.std(), motion.tilt_spread, rtol=0.2)
    npt.assert_allclose(track.heading.std(), motion.yaw_spread, rtol=0.2)


# -- when sensors record -------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [0.005, 0.01, 0.012, 0.0125, 0.5])
def test_a_wheel_triggers_on_the_path(spacing):
    """From its first step on, no farther than its last, which one may hit."""
    steps = cart(radar_spacing=spacing).steps(101, is_radar=True)
    expected = np.arange(0, 100.001, spacing / 0.005)
    assert np.abs(steps - expected).max() <= 0.5 + 1e-6
    assert steps[0] == 0
    assert 100 - steps[-1] < spacing / 0.005 + 0.5
    assert (np.diff(steps) > 0).all()


@pytest.mark.parametrize(("rate", "every"), [(100.0, 1), (50.0, 2), (20.0, 5)])
def test_a_clock_triggers_in_time(rate, every):
    """Each sensor at its own rate."""
    carrier = drone(radar_rate=rate, coil_rate=10.0)
    npt.assert_array_equal(carrier.steps(101, is_radar=True), np.arange(0, 101, every))
    npt.assert_array_equal(carrier.steps(101, is_radar=False), np.arange(0, 101, 10))
    assert len(carrier.steps(0, is_radar=True)) == 0


def test_platforms_know_how_far_they_reach():
    """Sensors, swings and wind, beyond the edge of the lane."""
    assert overhang(cart(n_coils=1, n_antennas=1), 0.5) == 0.0
    npt.assert_allclose(overhang(cart(width=3.0, n_coils=3, n_antennas=3), 0.5), 0.5)
    assert 0.2 < overhang(handheld(), 0.5) < 0.3
    for carrier in (handheld(), drone()):
        reach = overhang(carrier, 0.5)
        for seed in range(5):
            track = track_of(carrier.motion, seed=seed)
            assert np.abs(track.position[:, 0]).max() < 0.5 + reach + 0.05


# -- what is recorded ----------------------------------------------------------------------


def small(**lanes):
    """Return a recipe of one short lane."""
    lanes = {"training": 1, "blind": 0, "length": 2.0, "run_in": 0.5} | lanes
    return scenario("farmland", lanes=lanes)


@pytest.mark.slow
def test_a_hand_held_head_records_both_sensors_alike():
    """A hundred times a second, one channel each, at the same poses."""
    made = field(small(heading=0.4), seed=1)
    carrier = handheld(positioning=silent(Positioning), faults=NO_FAULTS)
    radar, coils = made.sweep(carrier)
    assert (radar.sensor.shape, coils.sensor.shape) == ((1, 192), (1, 12))
    npt.assert_array_equal(radar.time, coils.time)
    npt.assert_array_equal(radar.position, coils.position)
    npt.assert_allclose(np.diff(radar.time), 0.01)
    track = lane_track(made, made.lanes[0], carrier)
    right, forward = made.lanes[0].from_map(*radar.position[:, :2].T)
    npt.assert_allclose(right, track.position[:, 0], atol=1e-9)
    npt.assert_allclose(forward, track.position[:, 1], atol=1e-9)
    npt.assert_allclose(radar.heading, track.heading + 0.4)
    (alone,) = made.sweep(handheld(sensors="coil", faults=NO_FAULTS))
    assert alone.sensor.kind == "emi"


@pytest.mark.slow
def test_a_drone_records_its_height():
    """With its error, from the sensor's own; positions lag and are lost now and then."""
    made = field(small(length=20.0), seed=2)
    errors = {"records_height": True, "height_error": 0.05}
    carrier = drone(
        motion=CALM, positioning=silent(Positioning, **errors), faults=NO_FAULTS, height=0.6
    )
    radar, coils = made.sweep(carrier)
    for sweep in (radar, coils):
        height = sweep.position[:, 2]
        npt.assert_allclose(height.mean(), 0.6, atol=0.15)
        assert 0 < height.std() < 0.1
    for sensors, kind in (("radar", "gpr"), ("coil", "emi")):
        (sweep,) = made.sweep(drone(sensors=sensors))
        assert sweep.sensor.kind == kind
    assert cart().coils.head.height == 0.05


@pytest.mark.slow
def test_a_tilted_head_feels_a_tilted_field():
    """Over a ball a level head and a tilted one differ, by the tilt of the coil's field."""
    ball = {"kind": "ball_20mm", "easting": 0.5, "northing": 0.5, "depth": 0.02}
    recipe = scenario(
        "farmland",
        lanes={"training": 1, "blind": 0, "length": 1.0, "run_in": 0.2},
        layout={"density": 0.0},
        targets={"places": [ball]},
        clutter={"metal_density": 0.0, "dielectric_density": 0.0},
    )
    made = field(recipe, seed=1)
    options = quiet(motion=EVEN_SWING) | {"sensors": "coil"}
    (level,) = made.sweep(handheld(**options))
    wild = dataclasses.replace(EVEN_SWING, tilt_spread=0.2)
    (tilted,) = made.sweep(handheld(**options | {"motion": wild}))
    npt.assert_array_equal(level.time, tilted.time)
    change = np.abs(tilted.samples - level.samples).max(axis=(1, 2))
    away = np.hypot(level.position[:, 0] - 0.5, level.position[:, 1] - 0.5)
    assert change[away < 0.2].max() > 0.02 * np.abs(level.samples).max()


@pytest.mark.parametrize("name", ["handheld", "drone"])
def test_presets_of_other_platforms_are_swept(name):
    """What the scenario's own platform records."""
    recipe = scenario(name, lanes={"training": 1, "blind": 0, "length": 1.0, "run_in": 0.3})
    made = field(recipe, seed=1)
    sweeps = made.sweep()
    assert {sweep.sensor.kind for sweep in sweeps} == {"gpr", "emi"}
    assert all(sweep.sensor.name.startswith(("head", "drone")) for sweep in sweeps)


# -- bad input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: CartMotion(speed=0.0), ValueError, "Invalid speed '0.0'"),
        (lambda: CartMotion(correlation_time=-1.0), ValueError, "correlation_time '-1.0'"),
        (lambda: CartMotion(height_spread=math.nan), ValueError, "height_spread 'nan'"),
        (lambda: SwingMotion(advance=0.0), ValueError, "Invalid advance '0.0'"),
        (lambda: SwingMotion(tilt_spread=-0.1), ValueError, "Invalid tilt_spread '-0.1'"),
        (lambda: FlightMotion(gust_time=0.0), ValueError, "Invalid gust_time '0.0'"),
        (lambda: FlightMotion(speed="fast"), TypeError, "Invalid speed 'fast'"),
        (lambda: track_of(SwingMotion(), width=2.5), ValueError, "Must be less than 2.2 m"),
        (lambda: track_of(SwingMotion(), width=0.0), ValueError, "Invalid width '0.0'"),
        (lambda: track_of(STILL, length=0.0), ValueError, "Invalid length '0.0'"),
        (lambda: track_of(CALM, length=-1.0), ValueError, "Invalid length '-1.0'"),
        (lambda: cart(width=0), ValueError, "Invalid width '0.0'"),
        (lambda: cart(n_coils=0), ValueError, "Invalid n_coils '0'"),
        (lambda: cart(wheels=4), TypeError, "wheels"),
        (lambda: handheld(sensors="nose"), ValueError, "Invalid sensors 'nose'"),
        (lambda: handheld(rate=0), ValueError, "Invalid rate '0.0'"),
        (lambda: drone(height=3.0), ValueError, "Invalid height '3.0'. Must lie between 0.3"),
        (lambda: drone(sensors="none"), ValueError, "Invalid sensors 'none'"),
        (lambda: Carrier(name="empty"), ValueError, "Must have one of them or both"),
        (
            lambda: dataclasses.replace(cart(), radar_spacing=None),
            ValueError,
            "Invalid radar_spacing None. Must be given",
        ),
        (
            lambda: dataclasses.replace(cart(), radar=None),
            ValueError,
            "Invalid radar_spacing 0.025. Must be given for the sensors there are",
        ),
        (
            lambda: dataclasses.replace(cart(), coil_rate=10.0),
            ValueError,
            "Invalid coil_spacing 0.05. Must be given .* no coil_rate",
        ),
        (
            lambda: dataclasses.replace(cart(), motion=FlightMotion()),
            ValueError,
            "Invalid radar_rate None. Must be given .* no radar_spacing, .* of a flight",
        ),
        (
            lambda: dataclasses.replace(drone(), coil_rate=-1.0),
            ValueError,
            "Invalid coil_rate '-1.0'",
        ),
        (
            lambda: dataclasses.replace(drone(), radar_rate=1000.0).steps(10, is_radar=True),
            ValueError,
            "Invalid rate '1000.0'. Must be at most 100 Hz",
        ),
        (
            lambda: dataclasses.replace(cart(), coil_spacing=0.001).steps(10, is_radar=False),
            ValueError,
            "Invalid spacing '0.001'. Must be at least the step of the path, 0.005 m",
        ),
        (lambda: HandheldPlan(height=-1), ValueError, "Invalid height '-1.0'"),
        (lambda: DronePlan(radar_rate=0), ValueError, "Invalid radar_rate '0.0'"),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(error, match=message):
        call()

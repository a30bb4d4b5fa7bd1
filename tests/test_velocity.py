"""Test velocities from hyperbolas and from focus against theory and simulated ground."""

import dataclasses
import math

import naive_geometry as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep
from scipy import optimize

from minesense.constants import SPEED_OF_LIGHT
from minesense.gpr import (
    back_project,
    fit_hyperbola,
    kirchhoff,
    sharpest_permittivity,
    stolt,
    track_ground,
)
from minesense.gpr.hyperbola import _Scene
from minesense.gpr.sharpness import _find_peak
from minesense.physics import (
    Scatterers,
    Surface,
    join_scatterers,
    radar_frequencies,
    radar_traces,
)
from minesense.sensor import Radar
from minesense.sweep import Quality

PLACE = np.linspace(-0.4, 0.4, 41)
TOLERANCE = 1e-10


def make_rng(seed=0):
    """Return a source of chance."""
    return np.random.default_rng(seed)


def times(
    place=PLACE, *, at=0.03, height=0.0, depth=0.15, radius=0.0, index=3.0, separation=0.0
):
    """Return the times of the echo of an object, by Fermat's principle."""
    heights = np.broadcast_to(height, place.shape)
    return np.array(
        [
            naive.arrival(x - at, h, depth, radius, index, separation)
            for x, h in zip(place, heights, strict=True)
        ]
    )


def fit(time, place=PLACE, seed=0, **options):
    """Return the fit with a tolerance of 0.1 ns."""
    return fit_hyperbola(
        place, time, rng=make_rng(seed), **({"tolerance": TOLERANCE} | options)
    )


# Hyperbolas without noise

SCENES = {
    "on the ground": {},
    "fast ground": {"index": 1.6, "depth": 0.3},
    "two antennas": {"separation": 0.1},
    "in the air": {"height": 0.2},
    "two in the air": {"height": 0.3, "separation": 0.12, "index": 2.0},
    "just above": {"height": 0.01},
    "swaying": {"height": 0.2 + 0.04 * np.sin(9 * PLACE)},
    "a thick one": {"radius": 0.06},
    "a thick one below air": {"height": 0.1, "radius": 0.05, "index": 2.4},
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
@pytest.mark.parametrize("place_std", [0.0, 0.004])
def test_exact_times_give_the_truth(scene, place_std):
    """Velocity, place and depth, whatever antennas and object are like."""
    known = {key: scene[key] for key in ("height", "separation", "radius") if key in scene}
    found = fit(times(**scene) + 1e-9, time_zero=1e-9, place_std=place_std, **known)
    assert found.reason == ""
    npt.assert_allclose(found.velocity, SPEED_OF_LIGHT / scene.get("index", 3.0), rtol=1e-4)
    npt.assert_allclose(found.permittivity, scene.get("index", 3.0) ** 2, rtol=2e-4)
    npt.assert_allclose(found.place, 0.03, atol=1e-5)
    npt.assert_allclose(found.depth, scene.get("depth", 0.15), rtol=1e-4)
    assert found.radius == scene.get("radius", 0.0)
    assert found.is_inlier.all()
    assert found.rms < 1e-14
    assert found.velocity_std < 1e-4 * found.velocity


def test_the_plain_hyperbola_is_that_of_the_formula():
    """On the ground t^2 is a parabola: 2 / sqrt(c), -b / 2c and sqrt(a - b^2 / 4c)."""
    time = times()
    c, b, a = np.polyfit(PLACE, time**2, 2)
    found = fit(time)
    npt.assert_allclose(found.velocity, 2 / math.sqrt(c), rtol=1e-6)
    npt.assert_allclose(found.place, -b / (2 * c), atol=1e-7)
    apex = math.sqrt(a - b**2 / (4 * c))
    npt.assert_allclose(found.depth, found.velocity * apex / 2, rtol=1e-6)


def test_air_taken_for_ground_is_wrong():
    """The plain hyperbola below 20 cm of air is far too fast; that is why height counts."""
    found = fit(times(height=0.2), velocities=(0.6e8, SPEED_OF_LIGHT), tolerance=3e-10)
    assert found.velocity > 1.5 * SPEED_OF_LIGHT / 3


def test_a_thick_object_taken_for_a_point_is_too_fast():
    """The flanks of a thick object are flatter."""
    found = fit(times(radius=0.06), tolerance=5e-10)
    assert found.velocity > 1.1 * SPEED_OF_LIGHT / 3


def test_a_radius_of_zero_is_no_knowledge():
    """Noise that leaves a thick object without radius does not make its velocity certain."""
    wrong = []
    for seed in range(4):
        noise = 2e-11 * np.random.default_rng(seed).normal(size=len(PLACE))
        time = times(height=0.2, radius=0.05, separation=0.06) + noise
        found = fit(time, radius=None, height=0.2, separation=0.06, tolerance=1e-10)
        error = abs(found.velocity - SPEED_OF_LIGHT / 3)
        wrong.append(not found.reason and error > 5 * found.velocity_std)
    assert not any(wrong)


def test_a_radius_can_be_found():
    """From long flanks without noise; noise on short ones leaves it open."""
    found = fit(times(radius=0.06), radius=None)
    npt.assert_allclose([found.radius, found.velocity], [0.06, SPEED_OF_LIGHT / 3], rtol=1e-3)
    point = fit(times(), radius=None)
    npt.assert_allclose(
        [point.radius, point.velocity], [0, SPEED_OF_LIGHT / 3], atol=1e-3, rtol=1e-3
    )
    short = np.linspace(-0.08, 0.08, 17)
    time = times(short, at=0.0) + 3e-11 * make_rng().normal(size=17)
    assert "flanks too short" in fit(time, short, radius=None).reason


# Noise and wrong picks


@given(
    seed=st.integers(0, 10_000),
    share=st.floats(0.0, 0.4),
    height=st.sampled_from([0.0, 0.05]),
)
def test_wrong_picks_are_left_out(seed, share, height):
    """Up to two of five picks anywhere else; with the rest within three deviations."""
    rng = make_rng(seed)
    time = times(height=height) + 1.5e-11 * rng.normal(size=41)
    wrong = rng.permutation(41)[: int(share * 41)]
    time[wrong] += rng.choice([-1, 1], len(wrong)) * rng.uniform(0.6e-9, 2e-9, len(wrong))
    found = fit(time, seed=seed, height=height)
    assert found.reason == ""
    assert not found.is_inlier[wrong].any()
    assert found.is_inlier.sum() >= 41 - len(wrong) - 1
    assert abs(found.velocity - SPEED_OF_LIGHT / 3) < 5 * found.velocity_std


def test_the_standard_deviation_is_right():
    """Over 60 draws of independent noise the errors are as large as it says."""
    exact = times(height=0.1)
    errors, stds = [], []
    for seed in range(60):
        noise = 2e-11 * make_rng(seed).normal(size=41)
        found = fit(exact + noise, seed=seed, height=0.1, tolerance=2e-10)
        errors.append(found.velocity - SPEED_OF_LIGHT / 3)
        stds.append(found.velocity_std)
    assert 0.7 < np.std(errors) / np.mean(stds) < 1.4
    assert abs(np.mean(errors)) < 0.5 * np.mean(stds)
    assert found.rms == pytest.approx(2e-11, rel=0.4)


def test_the_fit_is_the_least_sum_of_orthogonal_distances():
    """No simplex search over distances by trying all points of the curve does better."""
    rng = make_rng(5)
    place = np.linspace(-0.3, 0.3, 13)
    time = times(place + 0.006 * rng.normal(size=13), at=0.0) + 2e-11 * rng.normal(size=13)
    options = {"place_std": 0.006, "tolerance": 1.2e-9}
    found = fit(time, place, max_spread=1.0, **options)

    def cost(p):
        def curve(x):
            return 2 * p[0] * np.hypot(p[2], x - p[1]) / SPEED_OF_LIGHT

        return sum(
            naive.distance_to_curve(x, t, curve, 0.006, 0.6e-9) ** 2
            for x, t in zip(place, time, strict=True)
        )

    start = [SPEED_OF_LIGHT / found.velocity, found.place, found.depth]
    best = optimize.minimize(
        cost,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": start * (1 + 0.1 * np.eye(4, 3))},
    )
    assert cost(start) <= best.fun * (1 + 1e-3)
    npt.assert_allclose(start[0], best.x[0], rtol=5e-3)


def test_distances_are_orthogonal():
    """To the curve, with the sign of the residual in time."""
    place = np.array([-0.2, 0.0, 0.1, 0.3])
    time = times(place, height=0.1) + np.array([2e-10, -1e-10, 3e-10, 0.0])
    scene = _Scene(
        places=place,
        times=time,
        heights=np.full(4, 0.1),
        separation=0.0,
        radius=0.0,
        time_std=1e-10,
        place_std=0.01,
    )
    found = scene.distances(np.array([3.0, 0.03, 0.15]), np.ones(4, bool))

    def curve(x):
        return naive.arrival(x - 0.03, 0.1, 0.15, 0.0, 3.0, 0.0)

    expected = [
        naive.distance_to_curve(x, t, curve, 0.01, 1e-10)
        for x, t in zip(place, time, strict=True)
    ]
    npt.assert_allclose(np.abs(found), expected, atol=2e-3)
    npt.assert_array_equal(np.sign(found[:3]), [1, -1, 1])


def test_chance_comes_from_the_generator():
    """The same seed gives the same bits."""
    time = times() + 3e-11 * make_rng(3).normal(size=41)
    assert fit(time, seed=7).velocity == fit(time, seed=7).velocity


# When there is no velocity


@pytest.mark.parametrize(
    ("time", "options", "reason"),
    [
        (np.full(41, np.nan), {}, "picks at 0 places, of 6 or more needed"),
        (np.where(np.arange(41) < 5, times(), np.nan), {}, "picks at 5 places"),
        (np.full(41, 4e-9), {}, "no three picks lie on a hyperbola"),
        (6e-9 - times(), {}, "no three picks lie on a hyperbola"),
        (make_rng(1).uniform(1e-9, 9e-9, 41), {"tolerance": 2e-12}, "picks agree on a hyperb"),
        (times(), {"velocities": (1.2e8, 2e8)}, "a velocity of 9.99e+07 m/s, not 1.2e+08"),
        (times(), {"height": 0.6}, "the apex lies before the echo of the ground"),
        (times(), {"height": 0.3}, "1 picks lie within the tolerance of the fit, of 6"),
        (times() + 4e-11 * make_rng(2).normal(size=41), {"max_spread": 1e-4}, "flanks too sh"),
        (2 * 3 * np.abs(PLACE - 0.03) / SPEED_OF_LIGHT + 1e-12, {}, "the apex lies at the sur"),
    ],
)
def test_no_velocity_without_a_reason(time, options, reason):
    """NaN throughout, and why."""
    found = fit(time, **options)
    assert reason in found.reason
    numbers = [found.velocity, found.velocity_std, found.place, found.depth, found.rms]
    assert np.isnan([*numbers, found.radius, found.permittivity]).all()
    assert found.is_inlier.shape == (41,)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"place": [[0.0]]}, ValueError, r"place with shape \(1, 1\)"),
        ({"time": [1e-9]}, ValueError, r"time with shape \(1,\). Must be \(41,\)"),
        (
            {"time": np.where(np.arange(41) == 2, np.inf, 1e-9)},
            ValueError,
            "pick 2 is infinite",
        ),
        ({"rng": 1}, TypeError, "rng 1. Must be a numpy.random.Generator"),
        ({"tolerance": 0.0}, ValueError, "tolerance '0.0'"),
        ({"height": -0.1}, ValueError, "height '-0.1'"),
        ({"height": np.where(np.arange(41) == 3, -0.1, 0.2)}, ValueError, "'-0.1' of pick 3"),
        ({"height": np.ones(3)}, ValueError, r"height with shape \(3,\)"),
        ({"separation": np.nan}, ValueError, "separation 'nan'"),
        ({"radius": -1.0}, ValueError, "radius '-1.0'"),
        ({"place_std": -1.0}, ValueError, "place_std '-1.0'"),
        ({"time_zero": np.inf}, ValueError, "time_zero 'inf'"),
        ({"velocities": (2e8, 1e8)}, ValueError, r"velocities \(200000000.0"),
        ({"velocities": (0.0, 1e8)}, ValueError, "velocities '0.0'"),
        ({"velocities": (1e8, 4e8)}, ValueError, "Must not exceed that of light"),
        ({"max_spread": 0.0}, ValueError, "max_spread '0.0'"),
        ({"n_trials": 0}, ValueError, "n_trials '0'"),
    ],
)
def test_bad_picks_are_named(options, error, message):
    """The error names the argument, shows its value and states the rule."""
    given = {"place": PLACE, "time": times(), "rng": make_rng(), "tolerance": 1e-10} | options
    with pytest.raises(error, match=message):
        fit_hyperbola(given.pop("place"), given.pop("time"), **given)


# Simulated ground

SPACING = 0.02
BAND = {"n_samples": 120, "interval": 8e-11, "peak_frequency": 1.5e9}
FREQUENCIES = radar_frequencies(**BAND)
START = 1 / 1.5e9


def simulated(permittivity, objects, *, height=0.15, separation=0.06, n_traces=76, noise=0.0):
    """Return a lane over flat ground of known permittivity, objects at (northing, depth)."""
    northing = SPACING * np.arange(n_traces)
    middle = np.column_stack([0 * northing, northing, np.full(n_traces, height)])
    half = np.array([0, separation / 2, 0])
    points = [
        Scatterers(
            position=[[0.0, y, -z]],
            normal=[[0, 0, 0]],
            weight=[0.01],
            spectrum=[0],
            spectra=np.ones((1, len(FREQUENCIES)), complex),
        )
        for y, z in objects
    ]
    surface = Surface(origin=[-0.9, -0.9], step=0.033, heights=np.zeros((56, 110)))
    traces = radar_traces(
        middle - half,
        middle + half,
        **BAND,
        permittivity=permittivity,
        surface=surface,
        scatterers=join_scatterers(points),
        coupling=0.0,
        surface_radius=0.0,
    )
    traces = traces + noise * np.abs(traces).max() * make_rng().normal(size=traces.shape)
    radar = Radar(centre_frequency=1.5e9, separation=separation, height=height)
    sensor = make_sensor(1, BAND["n_samples"], interval=BAND["interval"])
    sensor = dataclasses.replace(sensor, radar=radar)
    return make_sweep(traces[:, None], spacing=SPACING, sensor=sensor)


@pytest.mark.parametrize("permittivity", [4.0, 7.0, 12.0])
def test_a_hyperbola_of_simulated_ground(permittivity):
    """Picked by the tracker, through air, the velocity is right to 3 % and within doubt."""
    lane = simulated(permittivity, [(0.75, 0.12)], n_traces=76)[15:61]
    picks = track_ground(
        lane, search=(1.5e-9, 9e-9), stiffness=0.05, polarity="either", look_ahead=math.inf
    )
    found = fit_hyperbola(
        lane.position[:, 1],
        picks[:, 0],
        rng=make_rng(),
        tolerance=2 * BAND["interval"],
        height=0.15,
        separation=0.06,
        time_zero=START,
    )
    assert found.reason == ""
    npt.assert_allclose(found.velocity, SPEED_OF_LIGHT / math.sqrt(permittivity), rtol=0.05)
    npt.assert_allclose(found.place, 0.75, atol=0.01)
    npt.assert_allclose(found.depth, 0.12, atol=0.02)


POINTS = [(0.3, 0.1), (0.75, 0.16), (1.15, 0.12)]


@pytest.mark.parametrize("permittivity", [5.0, 9.0])
@pytest.mark.parametrize("method", ["back_project", "stolt"])
def test_the_focus_of_simulated_ground(permittivity, method):
    """Three points in noise, through air: the index is right to 10 %, with a balance only."""
    lane = simulated(permittivity, POINTS, noise=0.01)
    options = {"aperture": 0.6} if method == "back_project" else {}
    grid = np.geomspace(2.5, 18, 16)
    focus = sharpest_permittivity(
        lane,
        permittivities=grid,
        spacing=SPACING,
        times=(1e-9, 6e-9),
        method=method,
        time_zero=START,
        **options,
    )
    assert focus.reason == ""
    assert not focus.is_at_border
    npt.assert_allclose(math.sqrt(focus.permittivity), math.sqrt(permittivity), rtol=0.1)
    npt.assert_allclose(focus.velocity, SPEED_OF_LIGHT / math.sqrt(focus.permittivity))
    npt.assert_array_equal(focus.permittivities, grid)
    plain = sharpest_permittivity(
        lane,
        permittivities=grid,
        spacing=SPACING,
        times=(1e-9, 6e-9),
        method=method,
        time_zero=START,
        balance=1.0,
        **options,
    )
    assert plain.is_at_border or plain.permittivity > 1.2 * permittivity


# Focus

STEP = 1e-10


def on_ground(index=3.0, *, objects=((0.4, 0.15), (1.0, 0.2)), quality=None):
    """Return points seen by antennas on the ground."""
    northing = SPACING * np.arange(71)
    traces = np.zeros((71, 1, 100))
    for place, depth in objects:
        arrival = 2 * index * np.hypot(depth, northing - place) / SPEED_OF_LIGHT
        phase = math.pi * 1e9 * (STEP * np.arange(100) - arrival[:, None])
        traces[:, 0] += (1 - 2 * phase**2) * np.exp(-(phase**2))
    sensor = make_sensor(1, 100, interval=STEP)
    return make_sweep(traces, spacing=SPACING, sensor=sensor, quality=quality)


WINDOW = (1e-9, 8e-9)
GRID = [4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16]
FOCUS = {"permittivities": GRID, "spacing": SPACING, "times": WINDOW, "height": 0.0}
METHODS = {
    "back_project": {"aperture": 0.5},
    "stolt": {},
    "kirchhoff": {"aperture": 0.5},
}


@pytest.mark.parametrize(("method", "options"), METHODS.items(), ids=METHODS)
def test_points_are_sharpest_with_their_own_velocity(method, options):
    """Within 3 % of the index, with each image, between the grid's values too."""
    for index in (2.6, 3.1):
        focus = sharpest_permittivity(on_ground(index), method=method, **FOCUS, **options)
        assert focus.reason == ""
        npt.assert_allclose(math.sqrt(focus.permittivity), index, rtol=0.03)


@pytest.mark.parametrize(("method", "options"), METHODS.items(), ids=METHODS)
def test_the_curve_is_that_of_the_images(method, options):
    """Each value is the sharpness of an image that anyone can make."""
    lane, few = on_ground(), FOCUS | {"permittivities": [6, 9, 12]}
    focus = sharpest_permittivity(lane, method=method, balance=1.0, **few, **options)
    for permittivity, value in zip(focus.permittivities, focus.sharpness, strict=True):
        v = SPEED_OF_LIGHT / math.sqrt(permittivity)
        place = {"spacing": SPACING}
        if method == "back_project":
            down = v / 2 * (1e-9 + STEP * np.arange(71))
            image = back_project(
                lane, permittivity=permittivity, depths=down, height=0.0, aperture=0.5, **place
            ).values
        else:
            function = {"stolt": stolt, "kirchhoff": kirchhoff}[method]
            image = function(lane, velocity=v, **place, **options).samples[..., 10:81]
        npt.assert_allclose(value, naive.sharpness(image), rtol=1e-5)


def test_time_zero_is_taken_off():
    """A later start of the pulse, said, changes nothing."""
    lane = on_ground()
    late = dataclasses.replace(
        lane, sensor=dataclasses.replace(lane.sensor, axis=lane.sensor.axis + 3e-9)
    )
    for method, options in METHODS.items():
        plain = sharpest_permittivity(lane, method=method, **FOCUS, **options)
        moved = sharpest_permittivity(late, method=method, time_zero=3e-9, **FOCUS, **options)
        npt.assert_allclose(moved.sharpness, plain.sharpness, rtol=1e-4)


def test_the_border_is_no_result():
    """Ground faster or slower than all that was tried gives none."""
    for grid, border in (([10, 12, 14], 10), ([4, 5, 6], 6)):
        focus = sharpest_permittivity(
            on_ground(), method="stolt", **(FOCUS | {"permittivities": grid})
        )
        assert focus.is_at_border
        assert math.isnan(focus.permittivity)
        assert math.isnan(focus.velocity)
        assert f"border of what was tried, {border}" in focus.reason


def test_nothing_to_focus():
    """Silence has no sharpness."""
    lane = on_ground(objects=())
    focus = sharpest_permittivity(lane, method="stolt", **FOCUS)
    assert focus.reason == "an image is zero throughout"
    assert not focus.is_at_border
    assert np.isnan(focus.sharpness).all()
    assert sharpest_permittivity(lane[:0], method="stolt", **FOCUS).reason == focus.reason


def test_weak_traces_are_balanced():
    """A trace counts as much as another, however strong it is; silence stays silence."""
    lane = on_ground()
    strong = dataclasses.replace(lane, samples=lane.samples.copy())
    strong.samples[::7] *= 3
    options = FOCUS | {"method": "stolt"}
    even = sharpest_permittivity(lane, **options, balance=0.01)
    balanced = sharpest_permittivity(strong, **options, balance=0.01)
    npt.assert_allclose(balanced.sharpness, even.sharpness, rtol=2e-3)
    plain = sharpest_permittivity(strong, **options, balance=1.0).sharpness
    assert np.abs(plain / even.sharpness - 1).max() > 0.05


def test_dropouts_do_not_spoil_it():
    """Flagged traces are left out."""
    quality = np.zeros(71, np.int64)
    quality[[10, 11, 40]] = Quality.STUCK
    lane = on_ground(quality=quality)
    lane.samples[[10, 11, 40]] = np.nan
    for method, options in METHODS.items():
        focus = sharpest_permittivity(lane, method=method, **FOCUS, **options)
        npt.assert_allclose(math.sqrt(focus.permittivity), 3, rtol=0.04)


@given(n=st.floats(2.1, 2.9), width=st.floats(0.5, 3.0))
def test_the_vertex_of_a_parabola(n, width):
    """A curve whose logarithm is a parabola over the index gives it back."""
    grid = np.array([4.0, 4.8, 6.1, 7.0, 9.0])
    curve = np.exp(-(((np.sqrt(grid) - n) / width) ** 2))
    focus = _find_peak(grid, curve)
    if not focus.is_at_border:
        npt.assert_allclose(math.sqrt(focus.permittivity), n, rtol=1e-6)


def test_a_flat_curve_has_no_peak():
    """Nor is it a border."""
    focus = _find_peak(np.array([4.0, 5.0, 6.0]), np.full(3, 0.1))
    assert focus.reason == "all images are equally sharp"
    assert not focus.is_at_border


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"permittivities": [4, 5]}, "permittivities: 2 from 4 to 5. Must be three or more"),
        ({"permittivities": []}, "permittivities: 0. Must be three or more"),
        ({"permittivities": [0.5, 4, 5]}, "from 1 to 100"),
        ({"permittivities": [4, 5, 101]}, "from 1 to 100"),
        ({"permittivities": [5, 4, 6]}, "strictly increasing"),
        ({"spacing": 0.0}, "spacing '0.0'"),
        ({"times": (0.0, 5e-9)}, "times '0.0'"),
        ({"times": (2e-9, 1e-9)}, r"times \(2e-09"),
        (
            {"method": "back_project", "aperture": 0.3, "times": (2.0, 6.0)},
            r"times \(2\.0, 6\.0\)\. Must end in the record, which",
        ),
        ({"times": (1e-9, 20e-9)}, r"times \(1e-09, 2e-08\). Must lie on the axis"),
        ({"method": "eye"}, "method 'eye'"),
        ({"method": "back_project"}, "aperture None. Must be given for back_project"),
        ({"aperture": 0.3}, "aperture '0.3' for stolt"),
        ({"height": None}, "height None: sensor 'test radar' has none"),
        ({"height": np.zeros(71)}, r"height with shape \(71,\) for stolt"),
        ({"method": "kirchhoff", "height": 0.1}, "height '0.1' for kirchhoff"),
        ({"time_zero": np.nan}, "time_zero 'nan'"),
        ({"balance": 0.0}, "balance '0.0'"),
        ({"balance": 1.1}, "balance '1.1'. Must be at most 1"),
        ({"workers": 0}, "workers '0'"),
    ],
)
def test_bad_options_are_named(options, message):
    """The error names the option, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        sharpest_permittivity(on_ground(), **({"method": "stolt"} | FOCUS | options))


def test_only_radars():
    """A metal detector has no focus."""
    coils = make_sweep(np.zeros((3, 1, 12)), sensor=make_coils(1, 12))
    with pytest.raises(ValueError, match="Must be a radar"):
        sharpest_permittivity(coils, method="stolt", **FOCUS)

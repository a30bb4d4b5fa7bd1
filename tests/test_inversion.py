"""Test dipole inversion: a slow version, exact data, symmetry, noise, what it refuses."""

import dataclasses
import math

import naive_inversion
import numpy as np
import numpy.testing as npt
import pytest
from lanes import make_coils, make_head, make_sweep
from scipy.optimize import nnls

from minesense._kernels.joint_axes import diagonalise_jointly
from minesense._kernels.station_fields import circle_fields
from minesense.emi import DipoleFit, Stations, _place_search, fit_dipole, match_library
from minesense.physics import array_response, attitude, nail, rotation_onto, winding_field
from minesense.physics.scene import sum_of_bodies
from minesense.sensor import Circle, Head, Polygon, PulseTrain
from minesense.sweep import Quality

TRAIN = PulseTrain(
    gates=[[20e-6, 30e-6], [100e-6, 120e-6]],
    pulse=200e-6,
    ramp=5e-6,
    half_period=1e-3,
    receiver_tau=1e-6,
)
HEAD = make_head(TRAIN)
PAIR = Head(
    transmitter=(Circle(radius=0.12),),
    receiver=(Circle(radius=0.06, centre=[0.03, 0.0, 0.01]),),
    excitation=TRAIN,
)
PLACE = np.array([0.031, -0.017, -0.123])
# a rod and a little more, along axes that no rotation by right angles makes; V m^2 / A
AXES = rotation_onto([0.5, 0.3, 0.6])
COURSES = np.array([[3e-8, 0.9e-8, 0.5e-8], [1e-8, 0.2e-8, 0.1e-8]])
TENSORS = np.einsum("ak,gk,bk->gab", AXES, COURSES, AXES)
SEARCH = {
    "area": [[-0.15, 0.15], [-0.15, 0.15]],
    "depths": [0.02, 0.32],
    "noise": 2e-11,
    "starts": 2,
    "grid": 0.1,
}


def make_places(n=5, reach=0.3, height=0.05):
    """Return a square of n by n places of the head."""
    axis = np.linspace(-reach, reach, n)
    east, north = np.meshgrid(axis, axis)
    return np.column_stack([east.ravel(), north.ravel(), np.full(n * n, height)])


def receive(
    places=None, *, head=HEAD, place=PLACE, tensors=TENSORS, rotation=None, noise=0.0, seed=0
):
    """Return the stations of one dipole, with noise if wished."""
    places = make_places() if places is None else places
    turn = np.tile(np.eye(3), (len(places), 1, 1)) if rotation is None else rotation
    bodies = (np.asarray(place)[None], np.zeros(1))
    data = sum_of_bodies(head, places, turn, bodies, tensors[None], reach=math.inf)
    data += np.random.default_rng(seed).normal(scale=1, size=data.shape) * noise
    return Stations(position=places, data=data, rotation=rotation)


def fit(stations, **options):
    """Fit with the options of this file, but for those given."""
    return fit_dipole(stations, **{"head": HEAD} | SEARCH | options)


# Against the slow version and exact data


@pytest.mark.parametrize("head", [HEAD, PAIR], ids=["one coil", "two coils"])
def test_matches_the_slow_version(head):
    """The same optimum, tensors, covariance and misfit as SciPy's, to its tolerance."""
    noise = np.array([6e-12, 2e-12])
    turn = attitude(np.linspace(0, 6, 25), pitch=0.1 * np.ones(25), roll=-0.05 * np.ones(25))
    stations = receive(head=head, rotation=turn, noise=noise)
    found = fit(stations, head=head, noise=noise)
    box = ([-0.15, -0.15, -0.32], [0.15, 0.15, -0.02])
    place, tensors, covariance, misfit = naive_inversion.fit(
        stations.data / noise, stations.position, turn, head, box, starts=1, n_cells=[3, 3, 3]
    )
    npt.assert_allclose(found.position, place, atol=2e-8)
    npt.assert_allclose(found.covariance, covariance, rtol=2e-2, atol=1e-9)
    npt.assert_allclose(found.residual**2 * (50 - 15), misfit, rtol=1e-9)
    values, vectors = np.linalg.eigh(tensors * noise[:, None, None])
    expected = (vectors * np.maximum(values, 0)[:, None]) @ np.swapaxes(vectors, 1, 2)
    npt.assert_allclose(found.tensors, expected, atol=1e-5 * TENSORS.max())


@pytest.mark.parametrize("head", [HEAD, PAIR], ids=["one coil", "two coils"])
def test_exact_data_are_recovered(head):
    """Place to 1e-6 m and tensors to 1e-6, from a grid of 10 cm."""
    found = fit(receive(head=head), head=head)
    assert (found.outcome, found.reason) == ("fitted", "")
    npt.assert_allclose(found.position, PLACE, atol=1e-9)
    npt.assert_allclose(found.tensors, TENSORS, atol=1e-9 * TENSORS.max())
    npt.assert_allclose(found.principal, COURSES, rtol=1e-7)
    npt.assert_allclose(found.along_axes, COURSES, rtol=1e-7)
    strongest = AXES[:, 0]
    assert abs(found.rotation[:, 0] @ strongest) == pytest.approx(1, abs=1e-9)
    npt.assert_allclose(found.rotation.T @ found.rotation, np.eye(3), atol=1e-12)
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    assert found.coherence == pytest.approx(1)
    assert found.correlation == pytest.approx(1)
    assert found.residual < 1e-3
    assert (found.n_stations, found.n_left_out) == (25, 0)


def test_wires_of_straight_edges_are_heads_too():
    """A square that transmits, and a triangle within it that receives."""
    square = [[0.1, 0.1, 0.0], [-0.1, 0.1, 0.0], [-0.1, -0.1, 0.0], [0.1, -0.1, 0.0]]
    triangle = [[0.08, -0.05, 0.0], [-0.02, 0.06, 0.0], [-0.06, -0.08, 0.0]]
    head = Head(
        transmitter=(Polygon(vertices=square),),
        receiver=(Polygon(vertices=triangle),),
        excitation=TRAIN,
    )
    found = fit(receive(head=head), head=head)
    npt.assert_allclose(found.position, PLACE, atol=1e-8)


def test_paths_in_series_are_one_head():
    """Two circles, one of them tilted, and a square: their fields add up."""
    square = [[0.1, 0.1, 0.02], [-0.1, 0.1, 0.02], [-0.1, -0.1, 0.02], [0.1, -0.1, 0.02]]
    paths = (
        Circle(radius=0.12, turns=3),
        Circle(radius=0.05, centre=[0.04, -0.02, 0.03], axis=[0.2, 0.1, 1.0], turns=-2),
        Polygon(vertices=square),
    )
    head = Head(transmitter=paths, receiver=paths[1:], excitation=TRAIN)
    found = fit(receive(head=head), head=head)
    npt.assert_allclose(found.position, PLACE, atol=1e-8)
    npt.assert_allclose(found.tensors, TENSORS, atol=1e-7 * TENSORS.max())


def test_circles_at_several_points_at_a_time():
    """The same field as one by one: far, on the axis, in the plane, all but on the wire."""
    rng = np.random.default_rng(seed=2)
    axis = np.array([0.3, -0.2, 0.9])
    circle = Circle(radius=0.1, centre=[0.02, -0.01, 0.03], axis=axis, turns=-2)
    across = np.cross(axis, [1.0, 0, 0]) / np.linalg.norm(np.cross(axis, [1.0, 0, 0]))
    rim = circle.centre + across * 0.1
    near = rim + np.geomspace(1e-8, 1e-2, 7)[:, None] * axis
    points = np.concatenate(
        [
            rng.uniform(-0.5, 0.5, (20, 3)),
            circle.centre + np.outer([0, 1], axis),
            near,
            [[30, 40, -9]],
        ]
    )
    expected = winding_field(points, (circle,))
    found = np.ascontiguousarray(points.T)
    row = np.array([*circle.centre, *axis / np.linalg.norm(axis), 0.1, -2.0])
    circle_fields(row, found)
    npt.assert_allclose(found.T, expected, rtol=1e-9, atol=1e-9 * np.abs(expected[-1]).max())


def test_on_the_wire_there_is_no_field():
    """NaN, which no factor has, so that such a place explains nothing."""
    points = np.array([[0.1], [0.0], [0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        circle_fields(np.array([0, 0, 0, 0, 0, 1.0, 0.1, 1.0]), points)
    assert np.isnan(points).any()


@pytest.mark.parametrize("depth", [0.05, 0.12, 0.26])
def test_depth_is_recovered(depth):
    """Depth is positive down, from upward = 0."""
    found = fit(receive(place=[0.02, 0.01, -depth]), starts=1)
    assert found.depth == pytest.approx(depth, abs=1e-8)


def test_fit_turns_and_moves_with_the_scene():
    """Far from the origin and turned about all axes, only the frame of the answer differs."""
    shift = np.array([431_250.0, 5_120_400.0, 0.0])
    angle = 0.7
    turn = attitude([-angle])[0]
    stations = receive(noise=2e-11)
    moved = Stations(
        position=stations.position @ turn.T + shift,
        data=stations.data,
        rotation=np.tile(turn, (25, 1, 1)),
    )
    here = fit(stations, starts=1)
    there = fit(moved, area=shift[:2, None] + [[-0.15, 0.15]] * 2, starts=1)
    npt.assert_allclose(there.position - shift, turn @ here.position, atol=1e-7)
    npt.assert_allclose(there.tensors, turn @ here.tensors @ turn.T, atol=1e-5 * 3e-8)
    npt.assert_allclose(there.covariance, turn @ here.covariance @ turn.T, rtol=1e-3, atol=1e-9)
    npt.assert_allclose(there.principal, here.principal, rtol=1e-5)


def test_units_of_data_do_not_matter():
    """Data and noise a million times larger: the same place and larger tensors."""
    stations = receive(noise=2e-11)
    larger = Stations(position=stations.position, data=1e6 * stations.data)
    here, there = fit(stations), fit(larger, noise=2e-5)
    npt.assert_allclose(there.position, here.position, atol=1e-9)
    npt.assert_allclose(there.principal, 1e6 * here.principal, rtol=1e-6, atol=1e-9)


# Tensors as matrices


def test_a_rod_turned_by_45_degrees_is_recovered():
    """Off-diagonals are negative; with elements bounded at zero the data cannot be fitted."""
    axis = np.array([1.0, -1.0, 0.0]) / math.sqrt(2)
    rod = COURSES[:, :1, None] * np.outer(axis, axis)
    assert rod[0, 0, 1] < 0
    stations = receive(tensors=rod)
    found = fit(stations)
    npt.assert_allclose(found.tensors, rod, atol=1e-6 * rod.max())
    npt.assert_allclose(found.principal[:, 0], COURSES[:, 0], rtol=1e-6)
    npt.assert_allclose(np.abs(found.rotation[:, 0]), np.abs(axis), atol=1e-6)
    turn = np.tile(np.eye(3), (25, 1, 1))
    columns = naive_inversion.columns(PLACE, stations.position, turn, HEAD)
    data = stations.data[:, 0]
    scale = np.abs(data).max()
    assert nnls(columns, data / scale)[1] > 0.1 * np.linalg.norm(data / scale)
    assert found.residual < 1e-3


def test_tensors_are_semidefinite_under_noise():
    """What noise made negative is taken out, and said."""
    axis = rotation_onto([1, 1, 0.5])[:, 2]
    stations = receive(tensors=COURSES[:, :1, None] * np.outer(axis, axis), noise=6e-11)
    found = fit(stations, noise=6e-11)
    assert found.outcome == "fitted"
    assert np.linalg.eigvalsh(found.tensors).min() > -1e-15 * found.tensors.max()
    assert found.indefinite.max() > 0
    assert (found.principal >= 0).all()


def test_principal_polarizabilities_are_sorted_at_every_gate():
    """Courses along the axes may cross; one rotation holds them all."""
    courses = np.array([[3e-8, 1e-8, 0.5e-8], [0.1e-8, 0.2e-8, 0.4e-8]])
    tensors = np.einsum("ak,gk,bk->gab", AXES, courses, AXES)
    found = fit(receive(tensors=tensors))
    npt.assert_allclose(found.along_axes, courses, rtol=1e-6)
    npt.assert_allclose(found.principal, -np.sort(-courses, axis=1), rtol=1e-6)


def test_commuting_tensors_are_diagonalised_exactly():
    """Cardoso and Souloumiac: matrices that share their axes become diagonal together."""
    rng = np.random.default_rng(seed=3)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    values = rng.normal(size=(7, 3))
    tensors = np.ascontiguousarray(np.einsum("ak,gk,bk->gab", axes, values, axes))
    turned, rotation = tensors.copy(), np.empty((3, 3))
    diagonalise_jointly(turned, rotation, 1e-12, 100)
    npt.assert_allclose(turned * (1 - np.eye(3)), 0, atol=1e-12)
    npt.assert_allclose(rotation @ turned @ rotation.T, tensors, atol=1e-12)
    npt.assert_allclose(np.abs(rotation.T @ axes).max(axis=0), 1, atol=1e-12)


def test_joint_axes_are_the_best_there_are():
    """Of tensors that do not commute the off-diagonals are least, and two rounds are two."""
    rng = np.random.default_rng(seed=4)
    tensors = rng.normal(size=(5, 3, 3))
    tensors = tensors + np.swapaxes(tensors, 1, 2)

    def off(turned):
        return ((turned * (1 - np.eye(3))) ** 2).sum()

    turned, rotation = tensors.copy(), np.empty((3, 3))
    diagonalise_jointly(turned, rotation, 1e-12, 100)
    for vector in np.vstack([np.eye(3), -np.eye(3)]):
        turn = np.eye(3) + 1e-3 * np.cross(np.eye(3), vector)
        turn = np.linalg.qr(turn)[0]
        assert off(turn.T @ turned @ turn) > off(turned)
    early = tensors.copy()
    diagonalise_jointly(early, rotation, 1e-12, 1)
    assert off(turned) < off(early) < off(tensors)


# Noise


@pytest.mark.slow
def test_scatter_of_fits_is_the_reported_covariance():
    """Of 300 fits, within four standard errors; and the residual is that of the noise."""
    noise = np.array([6e-11, 2e-11])
    fits = [fit(receive(noise=noise, seed=seed), noise=noise, starts=1) for seed in range(300)]
    places = np.array([found.position for found in fits])
    expected = fit(receive(), noise=noise).covariance
    scatter = np.cov(places.T)
    limit = 4 * np.sqrt((expected**2 + np.outer(*2 * [np.diag(expected)])) / 300)
    assert (np.abs(scatter - expected) < limit).all()
    shift = places.mean(axis=0) - PLACE
    assert (np.abs(shift) < 5 * np.sqrt(np.diag(expected) / 300)).all()
    reported = np.mean([found.covariance for found in fits], axis=0)
    npt.assert_allclose(reported, expected, rtol=0.1, atol=0.1 * expected.max())
    squares = np.array([found.residual**2 for found in fits])
    assert abs(squares.mean() - 1) < 4 * math.sqrt(2 / 35 / 300)


@pytest.mark.slow
def test_noise_alone_has_no_signal():
    """The ratio is about 0 dB, and nothing is fitted."""
    fits = [
        fit(receive(tensors=0 * TENSORS, noise=2e-11, seed=seed), starts=1)
        for seed in range(50)
    ]
    assert {found.outcome for found in fits} == {"cannot analyse"}
    assert abs(np.mean([found.signal_to_noise for found in fits])) < 1.5


# What cannot be analysed


def test_too_few_stations_cannot_be_analysed():
    """Nine usable ones, since a place and a tensor have as many unknowns."""
    stations = receive(make_places(3))
    found = fit(stations)
    assert found.outcome == "cannot analyse"
    assert found.reason == "9 usable stations, fewer than 10"
    assert np.isnan(found.position).all()
    assert np.isnan(found.depth)
    assert found.tensors.shape == (2, 3, 3)


def test_stations_that_see_one_direction_cannot_be_analysed():
    """One and the same place of the head tells no tensor."""
    found = fit(receive(np.tile([[0.0, 0.0, 0.05]], (12, 1))))
    assert found.outcome == "cannot analyse"
    assert found.reason == "the stations determine no place and tensor"


def test_weak_signals_cannot_be_analysed():
    """Below 10 dB, and with the limit below the ratio the same data are fitted."""
    stations = receive(noise=3e-9)
    found = fit(stations, noise=3e-9)
    assert found.outcome == "cannot analyse"
    assert "dB, below 10 dB" in found.reason
    assert np.isfinite(found.position).all()
    silent = fit(receive(tensors=0 * TENSORS), starts=1)
    assert silent.outcome == "cannot analyse"
    assert np.isnan(silent.covariance).all()
    assert (silent.coherence, silent.correlation) == (0, 0)


def test_objects_beyond_the_search_volume_cannot_be_analysed():
    """The best place is then on its edge."""
    found = fit(receive(place=[0.21, 0.0, -0.1]))
    assert found.outcome == "cannot analyse"
    assert "is on the edge of the search" in found.reason
    assert found.position[0] == pytest.approx(0.15)


def test_two_objects_cannot_be_analysed():
    """One dipole does not explain them; noise as stated does not lower the coherence."""
    places = make_places(7)
    left, right = (receive(places, place=[x, 0.02, -0.06]) for x in (-0.2, 0.2))
    both = Stations(position=left.position, data=left.data + right.data)
    found = fit(both, area=[[-0.3, 0.3], [-0.3, 0.3]])
    assert found.outcome == "cannot analyse"
    assert found.reason.startswith("fit coherence of 0.")
    assert fit(receive(noise=2e-10), noise=2e-10).coherence > 0.98


def test_negative_tensors_cannot_be_analysed():
    """Data of the wrong sign are those of no passive object."""
    found = fit(receive(tensors=-TENSORS))
    assert found.outcome == "cannot analyse"
    assert found.reason == "the tensors are negative: 100% of their squares"
    npt.assert_allclose(found.indefinite, 1)


def test_a_start_may_run_out_of_steps(monkeypatch):
    """It keeps what it has."""
    monkeypatch.setattr(_place_search, "_LIMITS", (1e-9, 1e-3, 2))
    found = fit(receive(), starts=1)
    assert 1e-6 < np.linalg.norm(found.position - PLACE) < 0.1


def test_more_starts_than_points_of_the_grid():
    """The starts that are left over are none."""
    found = fit(receive(), starts=3, grid=1.0)
    npt.assert_allclose(found.position, PLACE, atol=1e-8)


# Sweeps and flags


def make_lane(**options):
    """Return a lane of four coils over a nail, flown level northward, in V/A."""
    sensor = make_coils(4, 3)
    northing = np.linspace(-0.3, 0.3, 7)
    position = np.column_stack([0 * northing, northing, 0 * northing + 0.06])
    body = nail(length=0.05, diameter=0.004).rotated(AXES)
    volts = array_response(position, sensor=sensor, object_position=[PLACE], objects=[body])
    samples = np.asarray(volts, np.float32)
    return make_sweep(samples, sensor=sensor, position=position, spacing=0.1, **options)


def test_sweeps_are_stations_of_every_coil():
    """Head, places and headings come from the sweep."""
    lane = make_lane()
    options = {key: value for key, value in SEARCH.items() if key != "noise"}
    noise = 1e-6 * float(lane.samples.max())
    found = fit_dipole(lane, noise=noise, **options)
    assert found.outcome == "fitted"
    npt.assert_allclose(found.position, PLACE, atol=1e-6)
    assert found.n_stations == 28
    again = fit_dipole(lane, head=make_coils(4, 3).head, noise=noise, **options)
    npt.assert_array_equal(again.position, found.position)


def test_flagged_traces_are_left_out_and_counted():
    """A flagged dropout moves nothing, even of NaN; so do lost positions."""
    lane = make_lane()
    samples, position = lane.samples.copy(), lane.position.copy()
    samples[2], position[5] = np.nan, np.nan
    quality = np.zeros(7, np.int64)
    quality[2], quality[5] = Quality.NOT_FINITE, Quality.POSE_NONE
    flagged = dataclasses.replace(lane, samples=samples, position=position, quality=quality)
    options = SEARCH | {"noise": 1e-6 * float(lane.samples.max())}
    found = fit_dipole(flagged, **options)
    assert (found.n_stations, found.n_left_out) == (20, 8)
    npt.assert_allclose(found.position, PLACE, atol=1e-6)


def test_flagged_stations_are_left_out():
    """The same for arrays, rotations included."""
    stations = receive(rotation=np.tile(np.eye(3), (25, 1, 1)))
    data = stations.data.copy()
    data[3] = np.nan
    usable = np.arange(25) != 3
    found = fit(dataclasses.replace(stations, data=data, is_usable=usable))
    assert (found.n_stations, found.n_left_out) == (24, 1)
    npt.assert_allclose(found.position, PLACE, atol=1e-8)


def test_an_unflagged_nan_raises():
    """Never a value: the error names the place."""
    data = receive().data.copy()
    data[3, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"Invalid data of usable stations: 1 of 50 .*\(3, 1\)"
    ):
        Stations(position=make_places(), data=data)


# Bad input


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"data": np.zeros(3)}, ValueError, r"Invalid data with shape \(3,\)"),
        ({"data": np.zeros((25, 0))}, ValueError, "Must have a gate"),
        ({"position": np.zeros((3, 3))}, ValueError, r"Invalid position .* Must be \(25, 3\)"),
        ({"position": np.full((25, 3), np.nan)}, ValueError, "Invalid position: 75 of 75"),
        ({"rotation": np.ones((25, 3, 3))}, ValueError, "Must be orthogonal"),
        ({"is_usable": np.ones(25)}, TypeError, "Invalid is_usable of dtype float64"),
    ],
)
def test_bad_stations_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    good = {"position": make_places(), "data": np.zeros((25, 2))}
    with pytest.raises(error, match=message):
        Stations(**good | bad)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"stations": 3}, TypeError, "Invalid stations of type int. Must be Stations or"),
        ({"head": None}, TypeError, "Invalid head of type NoneType"),
        ({"noise": 0.0}, ValueError, "Invalid noise '0.0'. Must be greater than zero"),
        ({"noise": [1.0]}, ValueError, r"Invalid noise with shape \(1,\). Must be \(2,\)"),
        ({"area": [[0, 1], [1, 1]]}, ValueError, "Invalid area: value 1 is 1.0 after 1.0"),
        ({"depths": [0.2, 0.1]}, ValueError, "Invalid depths: value 1 is 0.1 after 0.2"),
        ({"depths": [-0.06, 0.1]}, ValueError, "Invalid depths .* below all stations"),
        ({"starts": 0}, ValueError, "Invalid starts '0'. Must be at least 1"),
        ({"grid": 0.0}, ValueError, "Invalid grid '0.0'"),
        ({"least_signal": math.nan}, ValueError, "Invalid least_signal 'nan'"),
        ({"least_coherence": 1.0}, ValueError, "Invalid least_coherence '1.0'"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    stations = Stations(position=make_places(), data=np.zeros((25, 2)))
    with pytest.raises(error, match=message):
        fit(**{"stations": stations} | bad)


def test_a_sweep_needs_one_head():
    """Two heads are refused with what to do."""
    lane = make_lane()
    sensor = dataclasses.replace(lane.sensor, head=None, heads=(HEAD, PAIR, HEAD, PAIR))
    with pytest.raises(ValueError, match=r"with 2 heads\. Must have one for all channels"):
        fit_dipole(dataclasses.replace(lane, sensor=sensor), **SEARCH)


# Libraries


LIBRARY = {"rod": COURSES, "small rod": COURSES / 8, "ball": np.full((2, 3), 1e-8)}


@pytest.fixture(scope="module")
def rod():
    """Return the fit of exact data."""
    return fit(receive(noise=1e-12), noise=1e-12)


def test_the_object_itself_is_accepted(rod):
    """First of the entries, in any order of its axes."""
    match = match_library(rod, LIBRARY | {"rod": COURSES[:, ::-1]})
    assert match.names[0] == "rod"
    assert match.likeness[0] > 0.98
    assert match.is_accepted
    assert (np.diff(match.likeness) <= 0).all()
    others = match_library(rod, {"ball": LIBRARY["ball"], "small rod": COURSES / 8})
    assert not others.is_accepted
    assert others.likeness[others.names.index("small rod")] == pytest.approx(1 / 8, rel=0.02)


def test_likeness_is_as_defined(rod):
    """Minus the exponent are the weighted logarithms; three weights serve all gates."""
    seen = dataclasses.replace(rod, principal=COURSES, principal_error=np.full((2, 3), 1e-12))
    apart = np.abs(np.log(COURSES) - np.log(1e-8))
    weights = np.array([0.2, 0.1, 0.0])
    match = match_library(seen, {"ball": LIBRARY["ball"]}, weights=weights)
    assert match.likeness[0] == pytest.approx(math.exp(-(weights * apart).sum()))
    full = np.arange(6.0).reshape(2, 3)
    match = match_library(seen, {"ball": LIBRARY["ball"]}, weights=full)
    assert match.likeness[0] == pytest.approx(math.exp(-(full * apart).sum()))


def test_what_is_below_the_noise_does_not_count(rod):
    """Zero in the fit and anything below the noise in the library are alike."""
    seen = dataclasses.replace(
        rod,
        principal=np.array([[1.0, 0.0, 0.0]] * 2),
        principal_error=np.full((2, 3), 0.1),
    )
    library = {"thin": [[1, 0, 0]] * 2, "faint": [[1, 0.1, 0.05]] * 2, "disc": [[1, 1, 0]] * 2}
    match = match_library(seen, library)
    assert dict(zip(match.names, match.likeness, strict=True)) == pytest.approx(
        {"thin": 1.0, "faint": 1.0, "disc": 0.1 ** (1 / 3)}
    )


def test_what_cannot_be_analysed_matches_nothing():
    """No entry is offered, and none accepted."""
    match = match_library(fit(receive(make_places(3))), LIBRARY)
    assert (match.names, len(match.likeness), match.is_accepted) == ((), 0, False)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"fit": 3}, TypeError, "Invalid fit of type int. Must be a DipoleFit"),
        ({"library": {}}, ValueError, "Invalid library. Must hold an object"),
        ({"library": {"x": np.ones((3, 3))}}, ValueError, "Invalid library entry 'x' with sh"),
        ({"library": {"x": -COURSES}}, ValueError, "entry 'x' with -3e-08. Must not be neg"),
        ({"weights": np.ones((2, 2))}, ValueError, "Invalid weights with shape"),
        ({"weights": [1.0, -1.0, 1.0]}, ValueError, "Invalid weights with -1. Must not be"),
        ({"weights": np.zeros(3)}, ValueError, "Invalid weights with 0. .* nor all zero"),
        ({"accept": 1.5}, ValueError, "Invalid accept '1.5'"),
    ],
)
def test_bad_libraries_are_named(rod, bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    assert isinstance(rod, DipoleFit)
    with pytest.raises(error, match=message):
        match_library(**{"fit": rod, "library": LIBRARY} | bad)

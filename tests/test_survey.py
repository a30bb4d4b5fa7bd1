"""Test gridded surveys: slow versions, fields with closed forms, what was not observed."""

import dataclasses
import math

import naive_survey
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_phasors, make_sensor, make_sweep

from minesense.detect.candidates import merge_candidates
from minesense.emi import find_survey_peaks, grid_survey, noise_threshold, smooth_grid
from minesense.physics import array_response, sphere_relaxation
from minesense.sweep import Frame, Quality

EAST, NORTH = 431_250.0, 5_120_400.0


def make_lanes(field, *, n_lanes=4, n_traces=25, spacing=0.1, distance=0.5, flags=None):
    """Return lanes there and back of a head of two coils 25 cm apart that measures a field."""
    sensor = make_coils(2, 3)
    lanes = []
    for k in range(n_lanes):
        northing = NORTH + spacing * np.arange(n_traces)
        heading = np.full(n_traces, math.pi if k % 2 else 0.0)
        if k % 2:
            northing = northing[::-1]
        position = np.column_stack([np.full(n_traces, EAST + distance * k), northing, heading])
        quality = np.zeros(n_traces, np.int64) if flags is None else flags(k, northing)
        lane = make_sweep(
            np.zeros((n_traces, 2, 3)),
            sensor=sensor,
            position=position,
            heading=heading,
            quality=quality,
            lane=f"lane {k}",
        )
        places = lane.channel_position[..., :2] - [EAST, NORTH]
        samples = np.stack([(g + 1) * field(*np.moveaxis(places, -1, 0)) for g in range(3)], -1)
        lanes.append(dataclasses.replace(lane, samples=samples.astype(np.float32)))
    return lanes


def plane(east, north):
    """Return a field that planes over triangles reproduce."""
    return 2 + 0.7 * east - 0.3 * north


def make_grid(values, cell=1.0):
    """Return a grid whose cells hold given values, NaN where they do; corner at zero."""
    values = np.asarray(values, float)
    n_rows, n_columns = values.shape
    arms = np.zeros((n_columns, 3))
    arms[:, 0] = cell * (np.arange(n_columns) + 0.5)
    sensor = dataclasses.replace(make_coils(n_columns, 1), lever_arms=arms)
    northing = cell * (np.arange(n_rows) + 0.5)
    sweep = make_sweep(
        np.nan_to_num(values)[..., None],
        sensor=sensor,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        time=np.arange(n_rows),
    )
    grid = grid_survey([sweep], cell=cell, reach=0.4 * cell)
    assert grid.values.shape == (n_rows, n_columns, 1)
    return dataclasses.replace(grid, values=values[..., None].astype(np.float32))


# Gridding


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_a_plane_is_reproduced(method):
    """All gates, between the lanes and far from the origin of the frame."""
    grid = grid_survey(make_lanes(plane), cell=0.125, reach=0.3, method=method)
    east, north = grid.easting - EAST, grid.northing[:, None] - NORTH
    inside = (east > 0) & (east < 1.5) & (north > 0.1) & (north < 2.3)
    expected = plane(east, north)[..., None] * [1, 2, 3]
    npt.assert_allclose(grid.values[inside], expected[inside], rtol=1e-5)
    assert grid.values.dtype == np.float32
    assert grid.n_left_out == 0


def test_matches_the_slow_version():
    """Irregular places, two passes over some, and a hole: the same cells, the same values."""
    rng = np.random.default_rng(seed=1)
    places = rng.uniform(0, 1, size=(40, 2))
    places = places[np.hypot(*(places - [0.5, 0.4]).T) > 0.25]
    n = len(places)
    sweep = make_sweep(
        rng.normal(size=(n, 1, 1)),
        sensor=make_coils(1, 1),
        position=np.column_stack([places, np.zeros(n)]),
        heading=rng.uniform(0, 6, size=n),
    )
    grid = grid_survey([sweep], cell=0.1, reach=0.15)
    expected = naive_survey.grid(
        places, sweep.samples[:, 0, 0], grid.origin, 0.1, grid.values.shape[:2], 0.15
    )
    npt.assert_array_equal(grid.is_observed, np.isfinite(expected))
    npt.assert_allclose(grid.values[..., 0], expected, atol=1e-6)
    assert 20 < np.isnan(expected).sum() < expected.size - 40


def test_far_from_data_nothing_was_observed():
    """Exactly the cells within reach of a credited point hold a value, and never zero."""
    grid = grid_survey(make_lanes(plane, distance=2.0), cell=0.25, reach=0.4)
    places = grid.points.place
    for (i, j), distance in np.ndenumerate(grid.distance):
        apart = np.hypot(grid.easting[j] - places[:, 0], grid.northing[i] - places[:, 1])
        assert distance == pytest.approx(apart.min())
        assert apart[grid.nearest[i, j]] == apart.min()
        assert grid.is_observed[i, j] == (apart.min() <= 0.4)
    assert np.isnan(grid.values[~grid.is_observed]).all()
    assert not (grid.values == 0).any()


def test_what_only_flagged_traces_passed_was_not_observed():
    """Garbage in them reaches no cell; traces are counted."""

    def flags(lane, northing):
        is_lost = (lane == 2) & (np.abs(northing - NORTH - 1.2) < 0.55)
        return np.where(is_lost, int(Quality.SATURATED), 0)

    lanes = make_lanes(plane, flags=flags)
    samples = lanes[2].samples.copy()
    samples[~lanes[2].is_usable] = np.nan
    lanes[2] = dataclasses.replace(lanes[2], samples=samples)
    grid = grid_survey(lanes, cell=0.125, reach=0.2)
    assert grid.n_left_out == np.count_nonzero(~lanes[2].is_usable) == 11
    hole = grid.distance[
        :, np.abs(grid.easting - EAST - 1.0) < 0.07
    ]  # under the middle of the lane
    row = int(np.argmin(np.abs(grid.northing - NORTH - 1.2)))
    assert hole[row].min() > 0.2
    assert not grid.is_observed[row, np.abs(grid.easting - EAST - 1.0) < 0.07].any()
    garbage = dataclasses.replace(
        lanes[2], samples=np.where(np.isnan(samples), np.float32(1e30), samples)
    )
    again = grid_survey([*lanes[:2], garbage, lanes[3]], cell=0.125, reach=0.2)
    npt.assert_array_equal(again.values, grid.values)


def test_lost_positions_are_left_out():
    """Such a trace was somewhere, but nowhere on the grid."""
    lanes = make_lanes(plane)
    position = lanes[0].position.copy()
    position[3] = np.nan
    quality = np.where(np.arange(25) == 3, int(Quality.POSE_NONE), 0)
    lanes[0] = dataclasses.replace(lanes[0], position=position, quality=quality)
    grid = grid_survey(lanes, cell=0.25, reach=0.3)
    assert grid.n_left_out == 1
    assert np.isfinite(grid.points.place).all()


def test_points_of_a_cell_are_averaged():
    """Two passes over one place in opposite directions: the mean, not one of them."""
    lanes = make_lanes(plane, n_lanes=2)
    again = dataclasses.replace(lanes[0], samples=lanes[0].samples + 1, lane="again")
    once = grid_survey(lanes, cell=0.05, reach=0.3)
    twice = grid_survey([*lanes, again], cell=0.05, reach=0.3)
    west = np.abs(once.easting - EAST + 0.125) < 0.05
    difference = (twice.values - once.values)[:, west]
    npt.assert_allclose(difference[np.isfinite(difference)], 0.5, atol=1e-5)


def test_grids_of_parts_share_their_corners():
    """Corners are multiples of the cell, whatever the lanes."""
    lanes = make_lanes(plane)
    whole, part = (grid_survey(s, cell=0.25, reach=0.3) for s in (lanes, lanes[1:3]))
    shift = (np.array(part.origin) - whole.origin) / 0.25
    npt.assert_allclose(shift, np.round(shift), atol=1e-6)


def test_phasors_are_gridded_in_both_parts():
    """In-phase and quadrature take turns, as in the sweep."""
    sensor = dataclasses.replace(make_phasors(2), lever_arms=[[-0.2, 0, 0], [0.2, 0, 0]])
    sweep = make_sweep(np.tile([1.0, -2.0, 3.0, -4.0], (9, 2, 1)), sensor=sensor)
    grid = grid_survey([sweep], cell=0.1, reach=0.2)
    npt.assert_allclose(
        grid.values[grid.is_observed],
        np.tile([1, -2, 3, -4], (grid.is_observed.sum(), 1)),
        rtol=1e-6,
    )


# Smoothing


def make_holes(rng, shape=(9, 11), share=0.3):
    """Return normal values with holes."""
    values = rng.normal(size=shape)
    values[rng.random(shape) < share] = np.nan
    return values


@pytest.mark.parametrize("passes", [0, 1, 3])
def test_smoothing_matches_the_slow_version(passes):
    """Holes and borders included."""
    grid = make_grid(make_holes(np.random.default_rng(seed=2)))
    smooth = smooth_grid(grid, passes=passes)
    expected = naive_survey.smooth(grid.values[..., 0].astype(float), passes)
    npt.assert_allclose(smooth.values[..., 0], expected, atol=1e-6)


def test_a_constant_stays_a_constant():
    """Up to the border of what was not observed, which stays so."""
    values = np.where(np.isnan(make_holes(np.random.default_rng(seed=3))), np.nan, 7.0)
    smooth = smooth_grid(make_grid(values))
    npt.assert_array_equal(np.isnan(smooth.values[..., 0]), np.isnan(values))
    npt.assert_allclose(smooth.values[smooth.is_observed], 7, rtol=1e-6)


def test_a_spike_spreads_as_stated():
    """Three passes: the sum stays, and the standard deviation is 1.15 cells."""
    values = np.zeros((11, 11))
    values[5, 5] = 1
    smooth = smooth_grid(make_grid(values)).values[..., 0].astype(float)
    assert smooth.sum() == pytest.approx(1, abs=1e-6)
    steps = (np.arange(11) - 5) ** 2
    assert math.sqrt((smooth.sum(axis=0) * steps).sum()) == pytest.approx(1.15, abs=0.005)
    npt.assert_allclose(smooth, smooth.T, atol=1e-9)


# Peaks


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(0, 0.4), st.booleans())
def test_peaks_match_the_slow_version(seed, least, share, has_ties):
    """Any grid, holes and ties included, before merging."""
    values = make_holes(np.random.default_rng(seed), share=share)
    values = np.round(values) if has_ties else values
    grid = make_grid(values)
    peaks = find_survey_peaks(grid, threshold=-0.5, merge_radius=1e-9, least_directions=least)
    expected = naive_survey.peaks(grid.values[..., 0].astype(float), -0.5, least)
    expected = {(i, j): rest for i, j, *rest in expected}
    kept = set(zip(peaks.row.tolist(), peaks.column.tolist(), strict=True))
    assert kept <= set(expected)
    if not has_ties:  # interpolated maxima of two cells may then be one place
        assert kept == set(expected)
    for k in range(len(peaks)):
        i, j = peaks.row[k], peaks.column[k]
        _, _, height, directions, is_at_border = expected[i, j]
        assert peaks.height[k] == pytest.approx(height, abs=1e-12)
        assert peaks.directions[k] == directions
        assert peaks.is_at_border[k] == is_at_border
        assert abs(peaks.easting[k] - j - 0.5) <= 0.5
        assert abs(peaks.northing[k] - i - 0.5) <= 0.5
        if not has_ties:
            east, north = expected[i, j][:2]
            npt.assert_allclose(peaks.easting[k], j + 0.5 + east, atol=1e-9)
            npt.assert_allclose(peaks.northing[k], i + 0.5 + north, atol=1e-9)
    assert (np.diff(peaks.height) <= 0).all()


@pytest.mark.parametrize("along", [(1, 0), (0, 1), (1, 1), (1, -1)])
def test_parabolas_are_exact_along_their_direction(along):
    """A paraboloid whose top is a third of a cell along a row, column or diagonal."""
    north, east = np.indices((9, 9)) + 0.5
    top = np.array([4.5, 4.5]) + np.array(along) / 3  # east, north
    values = 10 - (east - top[0]) ** 2 - (north - top[1]) ** 2
    peaks = find_survey_peaks(make_grid(values), threshold=0, merge_radius=1.0)
    assert len(peaks) == 1
    npt.assert_allclose([peaks.easting[0], peaks.northing[0]], top, atol=1e-5)
    assert peaks.height[0] == pytest.approx(10, abs=1e-5)
    assert (peaks.directions[0], peaks.is_at_border[0]) == (4, False)


def test_directions_tell_ridges_from_peaks():
    """A ridge northward is higher in three directions, a saddle in one, a peak in four."""
    north, east = np.indices((7, 7)) - 3
    for field, expected in (
        (-(east**2), 3),
        (-(east**2) + 0.5 * north**2, 3),
        (-(east**2) + 2.0 * north**2, 1),
        (-(east**2) - north**2, 4),
    ):
        grid = make_grid(field + 100.0)
        peaks = find_survey_peaks(grid, threshold=0, merge_radius=1e-9, least_directions=1)
        at = (peaks.row == 3) & (peaks.column == 3)
        assert peaks.directions[at].tolist() == [expected]


def test_a_plateau_has_one_peak():
    """Cells that are equal are one object, not none and not many."""
    values = np.zeros((7, 8))
    values[2:5, 3:5] = 1.0
    peaks = find_survey_peaks(make_grid(values), threshold=0.5, merge_radius=1e-9)
    assert len(peaks) == 1


def test_peaks_at_unobserved_ground_are_reported_as_such():
    """A maximum beside a hole, one at the edge of the grid, one alone and one inside."""
    values = np.zeros((12, 12))
    values[3, 3], values[3, 4] = 5, np.nan
    values[11, 6] = 4
    values[7:10, 8:11] = np.nan
    values[8, 9] = 3
    values[7, 3] = 2
    peaks = find_survey_peaks(make_grid(values), threshold=1, merge_radius=0.5)
    assert peaks.height.tolist() == [5, 4, 3, 2]
    assert peaks.is_at_border.tolist() == [True, True, True, False]
    flags = [bool(candidate.quality & Quality.EDGE) for candidate in peaks.candidates]
    assert flags == [True, True, True, False]


def test_near_peaks_are_merged():
    """The higher is kept, to the radius and no farther; as the detector's candidates are."""
    values = np.zeros((5, 13))
    values[2, [2, 5, 10]] = 3, 4, 2
    grid = make_grid(values, cell=0.1)
    counts = [
        len(find_survey_peaks(grid, threshold=1, merge_radius=radius))
        for radius in (0.29, 0.31, 0.51)
    ]
    assert counts == [3, 2, 1]
    every = find_survey_peaks(grid, threshold=1, merge_radius=0.01).candidates
    merged = merge_candidates(every, radius=0.31)
    assert tuple(merged) == find_survey_peaks(grid, threshold=1, merge_radius=0.31).candidates


def test_candidates_name_what_was_measured_nearest():
    """Lane, trace, channel and time are those of the closest point; the place is the peak's."""
    lanes = make_lanes(lambda e, n: np.exp(-((e - 1.1) ** 2 + (n - 1.63) ** 2) / 0.1))
    grid = smooth_grid(grid_survey(lanes, cell=0.1, reach=0.3))
    peaks = find_survey_peaks(grid, threshold=0.5, merge_radius=0.5, sample=2)
    (candidate,) = peaks.candidates
    assert candidate.lane == "lane 2"
    lane = lanes[2]
    place = lane.channel_position[candidate.trace, candidate.channel, :2] - [EAST, NORTH]
    assert math.dist(place, [1.1, 1.63]) < 0.1
    assert candidate.time == lane.time[candidate.trace]
    assert candidate.sensor == "emi"
    assert (candidate.easting, candidate.score) == (peaks.easting[0], peaks.height[0])
    assert math.dist([candidate.easting - EAST, candidate.northing - NORTH], [1.1, 1.63]) < 0.06


def test_two_balls_are_found_in_a_survey():
    """The whole way from voltages: two objects, within a third of 25 cm, the coils apart."""
    sensor = make_coils(4, 6)
    balls = [[0.33, 1.02, -0.1], [0.95, 2.21, -0.07]]
    body = sphere_relaxation(radius=0.01, conductivity=3.5e7, permeability=1.0)
    lanes = []
    for k in range(2):
        lane = make_sweep(np.zeros((61, 4, 6)), sensor=sensor, lane=f"lane {k}")
        position = lane.position + np.array([0.5 + 0.95 * k, 0, 0.05])
        lane = dataclasses.replace(lane, position=position)
        volts = array_response(
            position, sensor=sensor, object_position=balls, objects=[body, body]
        )
        volts = volts + 1e-3 * volts.max() * np.random.default_rng(k).normal(size=volts.shape)
        lanes.append(dataclasses.replace(lane, samples=volts.astype(np.float32)))
    grid = smooth_grid(grid_survey(lanes, cell=0.05, reach=0.2))
    threshold = noise_threshold(grid, [[-0.1, 2.6], [2.0, 2.6], [2.0, 3.1], [-0.1, 3.1]])
    peaks = find_survey_peaks(grid, threshold=threshold, merge_radius=0.25)
    found = np.column_stack([peaks.easting, peaks.northing])[np.argsort(peaks.northing)]
    strong = peaks.height[np.argsort(peaks.northing)] > 0.1 * peaks.height.max()
    npt.assert_allclose(found[strong], np.array(balls)[:, :2], atol=0.08)


# Threshold


def test_threshold_is_of_the_noise_in_the_polygon():
    """Median and scaled deviation of what lies inside, whatever is outside or not observed."""
    rng = np.random.default_rng(seed=5)
    values = rng.normal(3, 0.5, size=(60, 60))
    values[:20] = 1e6
    values[40, 40] = np.nan
    grid = make_grid(values, cell=0.1)
    polygon = [[1, 2.5], [5.5, 2.5], [5.5, 5.5], [1, 5.5]]
    inside = grid.values[25:55, 10:55, 0]
    inside = inside[np.isfinite(inside)]
    middle = np.median(inside)
    expected = middle + 4 * 1.4826 * np.median(np.abs(inside - middle))
    assert noise_threshold(grid, polygon, factor=4) == pytest.approx(expected)
    assert noise_threshold(grid, polygon, factor=4) == pytest.approx(3 + 4 * 0.5, rel=0.03)
    assert noise_threshold(grid, polygon[::-1], factor=4) == pytest.approx(expected)
    concave = [[1, 2.5], [5.5, 2.5], [5.5, 5.5], [3.0, 3.0]]
    assert noise_threshold(grid, concave) != noise_threshold(grid, polygon)


def test_an_object_in_the_polygon_matters_little():
    """A few cells a thousand times the noise move the threshold by less than a tenth."""
    values = np.random.default_rng(seed=6).normal(size=(30, 30))
    grid = make_grid(values)
    square = [[0, 0], [30, 0], [30, 30], [0, 30]]
    clean = noise_threshold(grid, square)
    values[10:13, 10:13] = 1000
    assert noise_threshold(make_grid(values), square) == pytest.approx(clean, rel=0.1)


# Bad input


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"cell": 0.0}, ValueError, "Invalid cell '0.0'"),
        ({"reach": -1.0}, ValueError, "Invalid reach '-1.0'"),
        ({"method": "spline"}, ValueError, "Invalid method 'spline'. Must be one of 'linear'"),
        ({"sweeps": [3]}, TypeError, "Invalid sweeps: one of type int"),
        ({"sweeps": []}, ValueError, "Invalid sweeps: nothing was measured"),
        ({"cell": 1e-4}, ValueError, "Invalid cell '0.0001': .* look for stray positions"),
        ({"cell": 1e-9}, ValueError, "Invalid cell '1e-09': .* look for stray positions"),
    ],
)
def test_bad_surveys_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        grid_survey(**{"sweeps": make_lanes(plane), "cell": 0.25, "reach": 0.3} | bad)


def test_lanes_must_belong_together():
    """One sensor, one frame; an area; something usable."""
    lanes = make_lanes(plane)
    other = dataclasses.replace(lanes[1], frame=Frame(crs="EPSG:32638"))
    with pytest.raises(ValueError, match=r"Invalid sweep of lane 'lane 1'.* frame and sensor"):
        grid_survey([lanes[0], other], cell=0.25, reach=0.3)
    with pytest.raises(ValueError, match="Invalid sweep of lane 'lane 1'"):
        grid_survey([lanes[0], make_sweep(np.zeros((9, 2, 3)))], cell=0.25, reach=0.3)
    line = make_sweep(np.zeros((9, 1, 3)), sensor=make_coils(1, 3))
    with pytest.raises(ValueError, match=r"lie on one line\. Must cover an area"):
        grid_survey([line], cell=0.1, reach=0.3)
    lost = dataclasses.replace(line, quality=np.full(9, int(Quality.STUCK)))
    with pytest.raises(ValueError, match="Invalid sweeps without a usable trace"):
        grid_survey([lost], cell=0.1, reach=0.3)


def test_other_kinds_keep_their_name():
    """A radar's scores are gridded and searched alike; candidates name the sensor."""
    rows = np.zeros((9, 3, 1))
    rows[4, 1] = 1
    sweep = make_sweep(rows, sensor=make_sensor(3, 1))
    grid = grid_survey([sweep], cell=0.1, reach=0.2)
    (candidate,) = find_survey_peaks(grid, threshold=0.1, merge_radius=1.0).candidates
    assert (candidate.sensor, candidate.channel) == ("gpr", 1)
    assert candidate.trace in (4, 5)  # both lie in the cell


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"grid": 3}, TypeError, "Invalid grid of type int. Must be a SurveyGrid"),
        ({"threshold": math.nan}, ValueError, "Invalid threshold 'nan'"),
        ({"merge_radius": 0.0}, ValueError, "Invalid merge_radius '0.0'"),
        ({"least_directions": 0}, ValueError, "Invalid least_directions '0'"),
        (
            {"least_directions": 5},
            ValueError,
            "Invalid least_directions '5'. Must be at most 4",
        ),
        ({"sample": 1}, ValueError, "Invalid sample '1'. Must be less than 1"),
    ],
)
def test_bad_searches_are_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    good = {"grid": make_grid(np.zeros((4, 4))), "threshold": 1.0, "merge_radius": 1.0}
    with pytest.raises(error, match=message):
        find_survey_peaks(**good | bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"polygon": [[0, 0], [1, 1]]}, "Invalid polygon with 2 corners"),
        ({"polygon": [[9, 9], [9, 8], [8, 8]]}, "Invalid polygon: 0 observed cells lie inside"),
        ({"factor": -1.0}, "Invalid factor '-1.0'"),
        ({"sample": 1}, "Invalid sample '1'"),
    ],
)
def test_bad_polygons_are_named(bad, message):
    """The error names the argument, shows its value and states the rule."""
    square = [[0, 0], [4, 0], [4, 4], [0, 4]]
    with pytest.raises(ValueError, match=message):
        noise_threshold(**{"grid": make_grid(np.zeros((4, 4))), "polygon": square} | bad)


def test_smoothing_refuses_what_is_no_grid():
    """And passes that are no number of times."""
    with pytest.raises(TypeError, match="Invalid grid of type int"):
        smooth_grid(3)
    with pytest.raises(ValueError, match="Invalid passes '-1'"):
        smooth_grid(make_grid(np.zeros((4, 4))), passes=-1)

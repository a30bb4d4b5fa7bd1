"""Test the grid of observed ground against a slow, obvious version and by hand."""

import dataclasses
import io
import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import make_coils, make_sensor, make_sweep

from minesense.coverage import NOT_SWEPT, Coverage, observe
from minesense.sweep import Frame, Quality

LANE = (-0.5, 0.0, 0.5, 2.0, "lane 1")


def make_lane(n_traces=41, *, sensor=None, quality=None, spacing=0.05, **options):
    """Return a sweep northward over 2 m, one channel at easting 0 unless told."""
    sensor = sensor or make_sensor(1, 2)
    samples = np.zeros((n_traces, *sensor.shape), np.float32)
    return make_sweep(samples, sensor=sensor, quality=quality, spacing=spacing, **options)


def flagged(n_traces, where, flag):
    """Return quality flags, `flag` in the traces of a slice."""
    quality = np.zeros(n_traces, np.int64)
    quality[where] = flag
    return quality


def naive_distance(point, start, stop):
    """Return the distance of a point from a segment by the textbook."""
    along, away = np.subtract(stop, start), np.subtract(point, start)
    length = along @ along
    share = 0.0 if length == 0 else min(max((along @ away) / length, 0.0), 1.0)
    return float(np.hypot(*(away - share * along)))


def naive_observed(coverage, sweeps, kind, max_step):
    """Return which cells are observed, cell by cell, trace by trace."""
    result = np.zeros(coverage.shape, bool)
    radius = coverage.footprint[kind] + 1e-9
    for row, column in np.ndindex(*coverage.shape):
        centre = (np.array([column, row]) + 0.5) * coverage.cell + coverage.origin
        for sweep in sweeps:
            if sweep.sensor.kind != kind:
                continue
            place, good = sweep.channel_position[..., :2], sweep.is_credited
            for i in range(len(sweep)):
                joined = i > 0 and good[i - 1] and not sweep.quality[i] & Quality.GAP
                step = np.hypot(*(sweep.position[i] - sweep.position[i - 1])[:2])
                joined = joined and step <= max_step + 1e-9
                for c in range(place.shape[1]):
                    start = place[i - 1 if joined else i, c]
                    if good[i] and naive_distance(centre, start, place[i, c]) <= radius:
                        result[row, column] = True
    return result


flags = st.sampled_from(
    [0, 0, 0, 0, int(Quality.GAP), int(Quality.SPEED_LIMIT), int(Quality.MOTION)]
)


@settings(max_examples=15)
@given(
    quality=st.lists(flags, min_size=1, max_size=9),
    heading=st.floats(0, 6.3),
    radius=st.floats(0.03, 0.2),
    seed=st.integers(0, 99),
)
def test_matches_the_slow_version(quality, heading, radius, seed):
    """The kernel marks the cells that the obvious loops mark, whatever the track."""
    n = len(quality)
    steps = np.random.default_rng(seed).uniform(0, 0.15, size=(n, 3))
    sweep = make_lane(
        n,
        sensor=make_sensor(2, 2),
        position=steps.cumsum(axis=0),
        heading=np.full(n, heading),
        quality=np.array(quality),
    )
    coverage = observe([sweep], footprint=radius, max_step=0.12)
    expected = naive_observed(coverage, [sweep], "gpr", 0.12)
    npt.assert_array_equal(coverage.observed["gpr"], expected)


def test_area_of_a_straight_lane():
    """A strip of width 2r and length L has L 2r + pi r^2, to the roundness of a grid."""
    coverage = observe([make_lane()], footprint=0.25, cell=0.01)
    assert coverage.area("gpr") == pytest.approx(2.0 * 0.5 + math.pi * 0.25**2, rel=0.003)
    assert coverage.missing_area() == 0.0
    assert coverage.not_observed() == {}


@pytest.mark.parametrize(("radius", "n_columns"), [(0.075, 4), (0.0749, 2), (0.125, 6)])
def test_a_centre_at_the_radius_counts(radius, n_columns):
    """Centres lie at 2.5, 7.5, 12.5 cm: the radius is inclusive, to the nanometre."""
    coverage = observe([make_lane()], footprint=radius, area=[LANE])
    row = coverage.observed["gpr"][20]
    assert np.count_nonzero(row) == n_columns
    npt.assert_array_equal(row, row[::-1])


@pytest.mark.parametrize("as_flag", [True, False])
def test_a_gap_is_not_bridged(as_flag):
    """Traces on both sides of a gap are not joined, and the ground between says GAP."""
    northing = np.concatenate([np.arange(0, 0.51, 0.05), np.arange(1.0, 1.51, 0.05)])
    position = np.column_stack([0 * northing, northing, 0 * northing])
    quality = flagged(22, 11, Quality.GAP if as_flag else 0)
    sweep = make_lane(22, position=position, quality=quality)
    step = 1.0 if as_flag else 0.2
    area = [(-0.025, 0.0, 0.025, 1.5, "lane 1")]
    coverage = observe([sweep], footprint=0.1, area=area, max_step=step)
    seen = coverage.is_observed(0.01, [0.26, 0.56, 0.63, 0.75, 0.88, 0.96], "gpr")
    npt.assert_array_equal(seen, [True, True, False, False, False, True])
    # 0.60 to 0.90 m in two columns; the discs at the ends reach centres at 0.575 and 0.925.
    assert coverage.not_observed("gpr") == {"GAP": pytest.approx(0.3 * 0.1)}
    bridged = dataclasses.replace(sweep, quality=0 * quality)
    assert observe([bridged], footprint=0.1, max_step=1.0, area=area).missing_area() == 0


def test_the_default_step_is_the_footprint():
    """Without max_step, traces farther apart than the footprint are not joined."""
    for spacing, is_joined in [(0.1, True), (0.101, False)]:
        sweep = make_lane(3, spacing=spacing)
        reasons = observe([sweep], footprint=0.1).reasons["gpr"]
        assert bool((reasons == 0).all()) is is_joined


def test_flagged_ground_moves_to_not_observed():
    """Dropouts leave no silent hole: their area appears under the names of their flags."""
    quality = flagged(41, slice(10, 21), Quality.SATURATED)
    quality[15] |= Quality.SPEED_LIMIT | Quality.MOTION
    area = [(-0.1, 0.0, 0.1, 2.0, "lane 1")]
    whole = observe([make_lane()], footprint=0.2, area=area)
    assert whole.missing_area() == 0
    coverage = observe([make_lane(quality=quality)], footprint=0.2, area=area)
    missing = coverage.not_observed("gpr")
    assert set(missing) == {"SATURATED", "SPEED_LIMIT"}  # MOTION alone withholds no credit
    assert missing["SATURATED"] == pytest.approx(coverage.missing_area("gpr"))
    assert coverage.area() + coverage.missing_area() == pytest.approx(whole.area())
    assert coverage.passed["gpr"][12:18].any()


def test_the_way_from_and_to_a_flagged_trace_has_no_credit():
    """Between a credited trace and one that is not, the ground takes its flags."""
    sweep = make_lane(3, spacing=0.4, quality=flagged(3, 1, Quality.SPEED_LIMIT))
    coverage = observe([sweep], footprint=0.1, max_step=0.5)
    seen = coverage.is_observed(0.01, [0.01, 0.2, 0.4, 0.6, 0.79])
    npt.assert_array_equal(seen, [True, False, False, False, True])
    assert set(coverage.not_observed()) == {"SPEED_LIMIT"}


def test_reasons_are_those_of_the_kind_that_failed():
    """A bad pass of the radar is no reason where a good one followed and coils never came."""
    bad = make_lane(quality=np.full(41, int(Quality.HEIGHT_LIMIT)))
    area = [(-0.1, 0.0, 0.1, 2.0, "lane 1")]
    coverage = observe([bad, make_lane()], footprint={"gpr": 0.15, "emi": 0.2}, area=area)
    assert coverage.not_observed("all") == {NOT_SWEPT: pytest.approx(0.4)}


def test_another_pass_observes_what_one_missed():
    """The best credited pass counts; the reason stays in the grid, not in the area."""
    bad = make_lane(quality=np.full(41, int(Quality.HEIGHT_LIMIT)))
    area = [(-0.1, 0.0, 0.1, 2.0, "lane 1")]
    assert observe([bad], footprint=0.15, area=area).area() == 0
    both = observe([bad, make_lane()], footprint=0.15, area=area)
    assert both.missing_area() == 0
    assert both.passed["gpr"].any()


def test_traces_without_position_are_counted():
    """They are on no map; the ground between their neighbours carries the flag."""
    sweep = make_lane()
    position = sweep.position.copy()
    position[10:20] = np.nan
    quality = flagged(41, slice(10, 20), Quality.POSE_NONE)
    lost = make_lane(position=position, quality=quality)
    area = [(-0.05, 0.0, 0.05, 2.0, "lane 1")]
    coverage = observe([lost], footprint=0.1, area=area, max_step=5.0)
    assert coverage.unlocated == {"gpr": 10}
    missing = coverage.not_observed()
    assert missing["POSE_NONE"] == coverage.missing_area() > 0
    with pytest.raises(ValueError, match="no trace has a position, and no area is given"):
        observe([lost[10:20]], footprint=0.1)
    nothing = observe([lost[10:20]], footprint=0.1, area=area)
    assert nothing.not_observed() == {NOT_SWEPT: 0.2}


def test_a_jump_makes_no_map():
    """A trace thrown 500 km away by its receiver neither stretches nor marks the grid."""
    sweep = make_lane()
    position = sweep.position.copy()
    position[7] = 5e5
    with pytest.raises(ValueError, match=r"flag jumps with Quality\.POSE_JUMP"):
        observe([make_lane(position=position)], footprint=0.1)
    quality = flagged(41, 7, Quality.POSE_JUMP)
    coverage = observe([make_lane(position=position, quality=quality)], footprint=0.1)
    assert coverage.shape == observe([sweep], footprint=0.1).shape


def test_kinds_are_kept_apart():
    """Any, all and each kind are different questions, with their own reasons."""
    radar, coils = make_lane(), make_lane(21, sensor=make_coils(1))
    area = [(-0.1, 0.0, 0.1, 2.0, "lane 1")]
    coverage = observe([radar, coils], footprint={"gpr": 0.15, "emi": 0.15}, area=area)
    assert coverage.kinds == ("emi", "gpr")
    assert coverage.area("gpr") == coverage.area("any") == pytest.approx(0.4)
    assert coverage.area("emi") == coverage.area("all") == pytest.approx(0.2, abs=0.03)
    assert coverage.not_observed("any") == {}
    assert coverage.not_observed("all") == {NOT_SWEPT: coverage.missing_area("emi")}
    point = (0.0, 1.5)
    assert bool(coverage.is_observed(*point, "any"))
    assert not coverage.is_observed(*point, "all")


def test_lanes_share_the_area():
    """Ground belongs to the lane that wanted it, or to the first that passed."""
    there = make_lane()
    position = there.position + np.array([0.3, 0, 0])
    back = make_lane(position=position, lane="lane 2")
    coverage = observe([back, there], footprint=0.2)
    areas = coverage.lane_areas()
    assert sum(areas.values()) == pytest.approx(coverage.area())
    assert areas["lane 1"] > areas["lane 2"] > 0
    assert coverage.lane_at(0.14, 1.0) == "lane 1"
    assert coverage.lane_at(0.3, 1.0) == "lane 2"
    assert coverage.lane_at(9.0, 1.0) == ""
    wanted = [(0.3, 0, 0.1, 2.0, "B"), (-0.2, 0, 0.1, 2.0, "A")]  # corners in any order
    coverage = observe([there, back], footprint=0.2, area=wanted)
    assert coverage.lane_areas() == {"A": pytest.approx(0.6), "B": pytest.approx(0.4)}
    assert coverage.area() == pytest.approx(1.0)  # what lies beyond is seen, not counted
    assert bool(coverage.is_observed(0.42, 1.0))


def test_order_of_sweeps_does_not_matter():
    """The record is that of the field, not of the list."""
    one = make_lane(quality=flagged(41, slice(5, 9), Quality.LATE))
    two = make_lane(position=one.position + np.array([0.2, 0, 0]), lane="lane 2")
    a = observe([one, two], footprint=0.15).to_arrays()
    b = observe([two, one], footprint=0.15).to_arrays()
    for name in a:
        npt.assert_array_equal(a[name], b[name])


def test_cutting_a_lane_at_a_trace_changes_only_the_cut():
    """A sweep and its two halves differ by the stretch between them, nothing else."""
    whole = observe([make_lane()], footprint=0.1, area=[LANE])
    halves = observe([make_lane()[:20], make_lane()[19:]], footprint=0.1, area=[LANE])
    npt.assert_array_equal(whole.observed["gpr"], halves.observed["gpr"])


def test_share_of_a_disc():
    """The share runs from 0 to 1 across the edge; a tiny disc is its cell."""
    coverage = observe([make_lane()], footprint=0.2, area=[LANE])
    assert coverage.observed_share(0.0, 1.0, 0.1) == 1.0
    assert coverage.observed_share(0.2, 1.0, 0.1) == pytest.approx(0.5, abs=0.1)
    assert coverage.observed_share(0.4, 1.0, 0.1) == 0.0
    assert coverage.observed_share(0.0, -3.0, 0.1) == 0.0
    assert coverage.observed_share(0.01, 1.0, 0.001) == 1.0
    assert coverage.observed_share(0.31, 1.0, 0.001) == 0.0


def test_discs_match_the_slow_version():
    """`within` marks the cells whose centre lies in a disc."""
    coverage = observe([], footprint={"gpr": 0.1}, area=[LANE])
    found = coverage.within([0.0, 0.31], [0.5, 1.2], [0.075, 0.2])
    rows, columns = np.indices(coverage.shape)
    east, north = -0.5 + (columns + 0.5) * 0.05, (rows + 0.5) * 0.05
    expected = np.hypot(east, north - 0.5) <= 0.075 + 1e-9
    expected |= np.hypot(east - 0.31, north - 1.2) <= 0.2
    npt.assert_array_equal(found, expected)


def test_round_trip_without_pickle():
    """What is written is what is read."""
    sweeps = [make_lane(quality=flagged(41, 3, Quality.LATE)), make_lane(sensor=make_coils(1))]
    coverage = observe(sweeps, footprint={"gpr": 0.1, "emi": 0.2}, area=[LANE])
    file = io.BytesIO()
    np.savez(file, **coverage.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = Coverage.from_arrays(arrays)
    for name, array in coverage.to_arrays().items():
        npt.assert_array_equal(again.to_arrays()[name], array)
    assert again.not_observed("all") == coverage.not_observed("all")
    assert (again.frame, again.lanes) == (coverage.frame, coverage.lanes)
    arrays = coverage.to_arrays()
    del arrays["reasons_emi"]
    with pytest.raises(ValueError, match="'reasons_emi' is missing"):
        Coverage.from_arrays(arrays)
    arrays = coverage.to_arrays() | {"wanted": np.zeros((2, 2), bool)}
    with pytest.raises(ValueError, match="Must all be the same"):
        Coverage.from_arrays(arrays)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cell", 0.0, "Invalid cell '0.0'. Must be finite and greater than zero"),
        ("cell", -0.05, "Invalid cell '-0.05'"),
        ("cell", math.nan, "Invalid cell"),
        ("cell", [0.05, 0.05], "Invalid cell with shape"),
        ("cell", "wide", "Invalid cell of dtype"),
        ("origin", [math.nan, 0.0], "Invalid origin: 1 of 2 values are NaN or infinite"),
        ("origin", [0.0, math.inf], "Invalid origin: 1 of 2 values are NaN or infinite"),
        ("origin", [0.0], "Invalid origin with shape"),
        ("lane_index", 99, "Invalid lane_index '99'. Must be the place of a name in lanes"),
        ("lane_index", -2, "Invalid lane_index '-2'. Must be at least -1"),
        ("lane_index", 0.5, "Invalid lane_index of dtype float64. Must be whole numbers"),
        ("wanted", 1, "Invalid wanted of dtype int64. Must be true or false"),
        ("observed_gpr", np.zeros(3, bool), "Invalid observed_gpr with shape"),
        ("reasons_gpr", -1, "Invalid reasons_gpr '-1'"),
        ("kinds", np.array([], str), "Invalid kinds: there are none"),
        ("kinds", ["gpr", "gpr"], "Invalid kinds .* different names"),
        ("kinds", [1], "Invalid kinds of dtype"),
        ("lanes", ["A", "A"], "Invalid lanes"),
        ("footprint", [-0.1], "Invalid footprint of 'gpr' '-0.1'"),
        ("footprint", [], "Invalid footprint with shape"),
        ("unlocated", [-1], "Invalid unlocated '-1'"),
        ("frame", ["local"], "Invalid frame with shape"),
    ],
)
def test_arrays_that_cannot_be_are_refused(name, value, message):
    """Each by its name, before anything is scored on it."""
    arrays = observe([make_lane()], footprint=0.1, area=[LANE]).to_arrays()
    is_grid = name in ("lane_index", "wanted", "reasons_gpr") and np.ndim(value) == 0
    given = np.full(arrays["wanted"].shape, value) if is_grid else np.array(value)
    with pytest.raises(ValueError, match=message):
        Coverage.from_arrays(arrays | {name: given})


def test_a_grid_has_a_cell():
    """Nothing can be said on none."""
    arrays = observe([make_lane()], footprint=0.1, area=[LANE]).to_arrays()
    none = {name: grid[:0] for name, grid in arrays.items() if grid.ndim == 2}
    with pytest.raises(ValueError, match="Must have a cell"):
        Coverage.from_arrays(arrays | none)


def test_grids_cannot_be_written_to():
    """The record is frozen, its grids included."""
    coverage = observe([make_lane()], footprint=0.1)
    with pytest.raises(ValueError, match="read-only"):
        coverage.observed["gpr"][0, 0] = True


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"sweeps": []}, ValueError, "there are none, and footprint names no kind"),
        ({"sweeps": [np.zeros(3)]}, TypeError, "type ndarray. Must be a Sweep"),
        ({"footprint": 0}, ValueError, r"Invalid footprint '0.0'"),
        ({"footprint": {"gpr": -1}}, ValueError, "Invalid footprint of 'gpr' '-1.0'"),
        ({"footprint": {"emi": 0.2}}, ValueError, "every kind of sensor; 'gpr' is missing"),
        ({"cell": math.nan}, ValueError, "Invalid cell 'nan'"),
        ({"max_step": 0.0}, ValueError, "Invalid max_step '0.0'"),
        ({"area": [(0, 0, 1, 1)]}, ValueError, r"Invalid area\[0\] .* and a lane"),
        ({"area": [(0, 0, 0, 1, "A")]}, ValueError, "Must have a length and a width"),
        ({"area": [(0, 0, math.inf, 1, "A")]}, ValueError, r"Invalid area\[0\] 'inf'"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    options = {"sweeps": [make_lane()], "footprint": 0.1} | bad
    with pytest.raises(error, match=message):
        observe(options.pop("sweeps"), **options)


def test_frames_must_agree():
    """Positions of different frames share no grid."""
    other = dataclasses.replace(make_lane(), frame=Frame(crs="EPSG:32638"))
    with pytest.raises(ValueError, match="Must be one for all sweeps"):
        observe([make_lane(), other], footprint=0.1)


def test_kind_is_checked():
    """A kind that the grid does not know is refused with those that it knows."""
    with pytest.raises(
        ValueError, match=r"Invalid kind 'emi'. Must be one of 'any', 'all', 'gpr'"
    ):
        observe([make_lane()], footprint=0.1).area("emi")


def turned_lane(heading, *, length=4.0, width=0.6):
    """Return the corners of a lane from the origin on, clockwise from its left start."""
    sin, cos = math.sin(heading), math.cos(heading)
    ends = [(-width / 2, 0), (-width / 2, length), (width / 2, length), (width / 2, 0)]
    return [(x * cos + y * sin, y * cos - x * sin) for x, y in ends]


@pytest.mark.parametrize("heading", [0.3, 1.2, math.pi / 2, -2.5])
def test_lanes_of_any_direction_have_their_area(heading):
    """Swept along their middle they are observed; ground beside them is not wanted."""
    along = np.arange(0, 4.01, 0.05)
    position = np.column_stack(
        [along * math.sin(heading), along * math.cos(heading), 0 * along]
    )
    sweep = make_sweep(
        np.zeros((len(along), 1, 2)),
        sensor=make_sensor(1, 2),
        position=position,
        heading=np.full(len(along), heading),
    )
    area = [(turned_lane(heading), "lane 1")]
    coverage = observe([sweep], footprint=0.2, area=area, cell=0.02)
    wanted = coverage.area("gpr") + coverage.missing_area("gpr")
    assert wanted == pytest.approx(4.0 * 0.6, rel=0.02)
    assert coverage.area("gpr") == pytest.approx(4.0 * 0.4, rel=0.03)
    middle = 2 * math.sin(heading), 2 * math.cos(heading)
    assert coverage.lane_at(*middle) == "lane 1"
    aside = middle[0] + 0.35 * math.cos(heading), middle[1] - 0.35 * math.sin(heading)
    assert coverage.lane_at(*aside) == ""


def test_corners_of_a_rectangle_are_a_rectangle():
    """In either order; cell for cell the same as by two corners."""
    rectangle = observe([], footprint={"gpr": 0.1}, area=[(0.05, 0.0, 1.0, 2.03, "A")])
    corners = [(0.05, 0.0), (1.0, 0.0), (1.0, 2.03), (0.05, 2.03)]
    for order in (corners, corners[::-1]):
        region = observe([], footprint={"gpr": 0.1}, area=[(order, "A")])
        npt.assert_array_equal(region.lane_index, rectangle.lane_index)


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (1, 0)],
        [(0, 0), (1, 0), (2, 0)],
        [(0, 0), (1, 1), (1, 0), (0, 1)],
        [(0, 0), (2, 0), (2, 2), (1, 0.5)],
    ],
    ids=["two", "flat", "crossed", "dented"],
)
def test_corners_must_go_around_a_convex_region(corners):
    """The error names them."""
    with pytest.raises(ValueError, match=r"Invalid area\[0\] .*Must go around a convex region"):
        observe([], footprint={"gpr": 0.1}, area=[(corners, "A")])

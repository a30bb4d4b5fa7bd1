"""Test what is drawn in a field: places, clutter; and that lanes can come alone."""

import dataclasses
import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import numpy.testing as npt
import pytest

from minesense.digest import canonical, digest_arrays, digest_lines
from minesense.seal import broken_seal, seal
from minesense.sweep import no_traces
from minesense.synthetic import (
    CLUTTER,
    CLUTTER_PRESETS,
    PRESETS,
    Place,
    TargetPlan,
    body,
    clustered_points,
    clutter_over,
    field,
    scenario,
    simulate,
)
from minesense.synthetic.lanes import rotate
from minesense.synthetic.points import cells_over, chance
from minesense.synthetic.sites import SiteField
from minesense.truth import RecordOrigin, Target, Truth

AREA = (0.0, 0.0, 20.0, 10.0)
BARE = {"preset": "clean", "metal_density": 0.0, "dielectric_density": 0.0}


def make_rng(seed=0):
    return np.random.default_rng(seed)


def make_field(layout, *, seed=1, **changes):
    """Return a field of bare ground with some layout of small mines."""
    changes = {"clutter": BARE, "targets": {"kinds": ["pma2", "m14"]}} | changes
    return field(scenario("farmland", layout=layout, **changes), seed=seed)


def places_of(made):
    """Return the places of all targets, (n, 2)."""
    return np.array([(t.easting, t.northing) for t in made.truth.targets]).reshape(-1, 2)


# -- points --------------------------------------------------------------------------------


def test_clustered_points_have_the_density_and_the_clusters_they_should():
    """The mean is the density; the variance between squares is well above Poisson."""
    counts = []
    for seed in range(40):
        points = clustered_points(AREA, 0.5, rng=make_rng(seed))
        assert ((points >= 0) & (points <= [20, 10])).all()
        table, _, _ = np.histogram2d(*points.T, bins=[20, 10], range=[[0, 20], [0, 10]])
        counts.append(table.ravel())
    counts = np.array(counts)
    npt.assert_allclose(counts.mean(), 0.5, atol=0.05)
    assert counts.var() / counts.mean() > 1.5


def test_clustered_points_are_as_dense_at_the_border():
    """Parents beyond the area have children in it."""
    at_border = 0
    for seed in range(60):
        points = clustered_points(AREA, 2.0, spread=0.5, rng=make_rng(seed))
        inner = ((points > 0.25) & (points < [19.75, 9.75])).all(axis=1)
        at_border += np.count_nonzero(~inner)
    expected = 60 * 2.0 * (200 - 19.5 * 9.5)
    npt.assert_allclose(at_border, expected, rtol=0.1)


def test_cells_cover_an_area_and_chance_is_their_own():
    """All of it, on both sides of the origin; neighbours differ, again is the same."""
    cells = {(i, j): cell for i, j, cell in cells_over((-2.5, -0.5, 1.0, 0.5), 1.0)}
    assert set(cells) == {(i, j) for i in (-3, -2, -1, 0) for j in (-1, 0)}
    assert cells[-3, 0] == (-3.0, 0.0, -2.0, 1.0)
    first = {place: chance(1, 5, *place).random() for place in cells}
    assert len(set(first.values())) == len(cells)
    assert chance(1, 5, -3, 0).random() == first[-3, 0]
    assert chance(1, 5, 3, 0).random() != first[-3, 0]
    assert chance(2, 5, -3, 0).random() != first[-3, 0]
    assert chance(1, 6, -3, 0).random() != first[-3, 0]


# -- clutter -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLUTTER_PRESETS)
def test_clutter_has_the_density_and_mix_of_its_preset(name):
    """Metal and the rest apart; kinds by their weights."""
    preset = CLUTTER_PRESETS[name]
    side = 60.0 if name == "clean" else 24.0
    items = list(clutter_over((0.0, 0.0, side, side), preset, seed=3))
    metal = [item for item in items if item.piece is not None]
    for found, density in (
        (len(metal), preset.metal_density),
        (len(items) - len(metal), preset.dielectric_density),
    ):
        # clusters of three to four have up to five times the variance of Poisson
        assert abs(found - density * side**2) < 4 * math.sqrt(5 * density * side**2)
    shares = preset.shares(has_metal=True)
    for kind, weight in shares.items():
        share = weight / sum(shares.values())
        found = sum(item.kind == kind for item in metal)
        spread = math.sqrt(len(metal) * share * (1 - share))
        assert abs(found - share * len(metal)) < 4.5 * spread


def test_clutter_is_the_same_wherever_one_looks():
    """Cut into strips it is what it is whole, to the last figure."""
    preset = CLUTTER_PRESETS["village"]
    whole = list(clutter_over((-3.0, -3.0, 3.0, 3.0), preset, seed=9))
    parts = [
        item
        for west in np.arange(-3.0, 3.0, 0.75)
        for item in clutter_over((west, -3.0, west + 0.75, 3.0), preset, seed=9)
    ]
    order = dataclasses.astuple
    key = lambda item: (item.easting, item.northing)  # noqa: E731
    assert sorted(map(order, whole), key=str) == sorted(map(order, parts), key=str)
    assert len({key(item) for item in whole}) == len(whole) > 100


def test_no_density_no_clutter():
    """Zero means none."""
    preset = dataclasses.replace(
        CLUTTER_PRESETS["village"], metal_density=0.0, dielectric_density=0.0
    )
    assert list(clutter_over(AREA, preset, seed=1)) == []


def test_clutter_does_not_lie_within_targets():
    """Neither in those of its own lane nor in those of the next; beside them it does."""
    made = field(
        scenario(
            "battlefield",
            lanes={"training": 4, "blind": 0, "gap": 0.0},
            layout={"density": 2.0, "separation": 0.05},
            targets={"kinds": ["tm62m"]},
        ),
        seed=2,
    )
    targets = [item.target for lane in made.lanes for item in made.objects_of(lane.name).buried]
    beside = 0
    for lane in made.lanes:
        for item in made.objects_of(lane.name).clutter:
            for target in targets:
                distance = math.hypot(
                    item.easting - target.easting, item.northing - target.northing
                )
                meet = (
                    item.depth + item.thickness > target.depth
                    and item.depth < target.depth + body(target.kind).height
                )
                assert distance >= target.diameter / 2 or not meet
                beside += target.diameter / 2 <= distance < target.diameter
    assert beside > 50


# -- layouts -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(PRESETS) - {"hectare", "unreliable_records"}))
def test_a_field_is_as_its_scenario_says(name):
    """Lanes, targets apart, in their lanes and depths; clutter of its kinds."""
    made = field(name, seed=5)
    recipe, plan = made.scenario, made.scenario.lanes
    own = recipe.targets.depth  # instead of the catalogue's
    assert len(made.training) == plan.training
    assert len(made.blind) == plan.blind
    for lane in made.lanes:
        west, south, east, north = lane.area
        for one in (item.target for item in made.objects_of(lane.name).buried):
            assert west <= one.easting <= east
            assert south <= one.northing <= north
            assert 0 <= one.depth <= (own.high if own else body(one.kind).deepest)
            assert one.lane == lane.name
            assert abs(one.tilt[0]) <= 0.3
    check_apart(made.truth.targets, recipe.layout.separation)
    classes = {body(kind).metal_class for kind in recipe.targets.kinds}
    assert {target.metal_class for target in made.truth.targets} == classes
    assert {item.kind for item in made.truth.clutter} <= set(CLUTTER)
    assert made.lane(made.lanes[0].name) is made.lanes[0]


def check_apart(targets, separation):
    """Fail unless the edges of all targets keep their distance."""
    place = np.array([(t.easting, t.northing) for t in targets])
    radius = np.array([t.diameter / 2 for t in targets])
    for i in range(len(targets)):
        distance = np.hypot(*(place[i + 1 :] - place[i]).T) - radius[i + 1 :] - radius[i]
        assert (distance >= separation - 1e-9).all()


def test_random_targets_have_their_density():
    """Poisson in number over many lanes; up to the border; every place alike."""
    made = make_field(
        {"density": 0.5, "separation": 0.1}, lanes={"training": 60, "blind": 0, "gap": 2.0}
    )
    counts = np.array([len(made.objects_of(lane.name).buried) for lane in made.lanes])
    npt.assert_allclose(counts.mean(), 10.0, atol=4 * math.sqrt(10.0 / 60))
    npt.assert_allclose(counts.var() / counts.mean(), 1.0, atol=0.7)
    across = np.array([t.easting % 3.0 for t in made.truth.targets])
    assert across.min() < 0.03
    assert 0.97 < across.max() <= 1.0
    npt.assert_allclose(across.mean(), 0.5, atol=4 / math.sqrt(12 * len(across)))


@pytest.mark.parametrize(
    "layout",
    [
        {"density": 1.0},
        {"kind": "clusters", "density": 1.0, "background": 0.5},
        {"kind": "rows", "spacing": 1.2, "distance": 2.0, "scatter": 0.05, "background": 0.5},
    ],
    ids=["random", "clusters", "rows"],
)
def test_targets_know_no_lanes(layout):
    """Wide, narrow or apart: where lanes lie does not matter to what lies in the ground."""
    whole = {"gap": 0.0, "width": 6.0, "training": 1, "blind": 0, "length": 12.0}
    plans = [
        whole,
        whole | {"width": 0.5, "training": 12},
        whole | {"width": 0.5, "gap": 1.0, "training": 4},
    ]

    def found(plan):
        return {
            (t.easting, t.northing, t.kind, t.depth, t.heading, t.tilt, t.group)
            for t in make_field(layout, lanes=plan).truth.targets
        }

    every, narrow, apart = (found(plan) for plan in plans)
    assert len(every) > 30
    assert narrow == every
    assert apart == {item for item in every if item[0] % 1.5 < 0.5}


def test_no_part_of_the_plane_is_denser():
    """As dense as stated, and in every square of one metre alike, over many seeds."""
    side, density, seeds = 6, 0.5, 150
    counts = np.zeros((side, side))
    for seed in range(seeds):
        made = make_field(
            {"density": density, "separation": 0.3},
            lanes={"gap": 0.0, "width": side, "training": 1, "blind": 0, "length": side},
            seed=seed,
        )
        place = places_of(made)
        counts += np.histogram2d(*place.T, bins=side, range=[[0, side]] * 2)[0]
    expected = density * seeds
    npt.assert_allclose(counts.mean(), expected, atol=4 * math.sqrt(expected / side**2))
    # apart, they vary a little less than Poisson; chi-squared of 36 squares, 1 in 10^4
    assert ((counts - expected) ** 2 / expected).sum() < 78


def test_cells_are_drawn_the_same_in_any_order():
    """And keep apart where they meet, whichever was asked for first."""
    recipe = make_field({"density": 3.0, "separation": 0.4}).scenario
    one, other = SiteField(recipe, 1), SiteField(recipe, 1)
    area = (0.0, 0.0, 8.0, 8.0)
    sites = one.within(area)
    parts = [
        other.within((x, y, x + 2, y + 2)) for x in (6.0, 0.0, 4.0, 2.0) for y in (4, 0, 6, 2)
    ]
    assert sorted(site.key for part in parts for site in part) == sorted(
        site.key for site in sites
    )
    place = np.array([site.place for site in sites])
    radius = np.array([site.kind.diameter / 2 for site in sites])
    for i in range(len(sites)):
        gap = np.hypot(*(place[i + 1 :] - place[i]).T) - radius[i + 1 :] - radius[i]
        assert (gap >= 0.4).all()


def test_an_area_holds_its_least_coordinates_alone():
    """So that of two areas side by side one has what lies on their border."""
    sites = SiteField(make_field({"density": 1.0}).scenario, 1)
    for site in sites.within((0.0, 0.0, 4.0, 4.0)):
        x, y = site.place
        assert [one.place for one in sites.within((x, y, x + 1e-6, y + 1e-6))] == [(x, y)]
        assert site not in sites.within((x - 1, y - 1, x, y + 1))
        assert site not in sites.within((x - 1, y - 1, x + 1, y))


def test_classes_of_metal_are_alike_in_number():
    """Whatever the number of their kinds, which are alike in number within a class."""
    kinds = ["pma2", "m14", "ts50", "pmn"]
    recipe = make_field({"density": 4.0, "separation": 0.0}, targets={"kinds": kinds}).scenario
    found = [site.kind for site in SiteField(recipe, 1).within((0.0, 0.0, 15.0, 15.0))]
    for kind, share in zip(kinds, (1 / 6, 1 / 6, 1 / 6, 1 / 2), strict=True):
        spread = math.sqrt(share * (1 - share) / len(found))
        assert abs(found.count(body(kind)) / len(found) - share) < 4 * spread


def test_targets_keep_apart_across_lanes():
    """Side by side without a gap, as in one lane; crowded, until lanes are full."""
    made = make_field(
        {"density": 3.0, "separation": 0.4},
        lanes={"training": 12, "blind": 0, "gap": 0.0, "length": 6.0, "width": 0.4},
    )
    targets = made.truth.targets
    check_apart(targets, 0.4)
    assert 1.0 < len(targets) / (12 * 6 * 0.4) < 3.0
    lanes = [int(target.lane[5:]) for target in targets]
    counts = np.bincount(lanes, minlength=13)[1:]
    assert counts.min() >= 1


@pytest.mark.parametrize(
    "layout",
    [
        {"density": 6.0},
        {"kind": "clusters", "density": 3.0, "background": 3.0},
        {"kind": "rows", "spacing": 1.0, "distance": 1.0, "scatter": 0.03, "background": 3.0},
    ],
    ids=["random", "clusters", "rows"],
)
def test_targets_keep_apart_from_groups_and_places(layout):
    """Those at random from those of groups, and both from those whose places are stated."""
    spots = [(0.25 + k % 4, 0.5 + 0.75 * (k // 4)) for k in range(28)]
    places = [
        {"kind": "m14", "easting": easting, "northing": northing, "depth": 0.01}
        for easting, northing in spots
    ]
    made = make_field(
        layout | {"separation": 0.2},
        lanes={"training": 4, "blind": 0, "gap": 0.0, "length": 6.0, "width": 1.0},
        targets={"kinds": ["pma2", "m14"], "places": places},
    )
    check_apart(made.truth.targets, 0.2)
    assert set(spots) <= set(map(tuple, places_of(made).tolist()))
    assert len(made.truth.targets) > 50
    has_groups = layout.get("kind", "random") != "random"
    assert {bool(target.group) for target in made.truth.targets} == {False, has_groups}


@pytest.mark.parametrize(
    "layout",
    [
        {"density": 1.0},
        {"kind": "clusters", "density": 1.0, "background": 0.2},
        {"kind": "rows", "spacing": 1.0, "distance": 1.5, "scatter": 0.05, "background": 0.2},
    ],
    ids=["random", "clusters", "rows"],
)
def test_lanes_do_not_depend_on_how_many_follow(layout):
    """Or on which were asked for before, in whatever order."""
    lanes = {"training": 3, "blind": 0, "gap": 0.1, "length": 8.0}
    clutter = {"clutter": {"preset": "village"}}
    short = make_field(layout, lanes=lanes, **clutter)
    long = make_field(layout, lanes=lanes | {"training": 9}, **clutter)
    for name in ("lane 03", "lane 01", "lane 02"):
        assert short.truth_of([name]) == long.truth_of([name])
        assert short.objects_of(name) == long.objects_of(name)
    assert long.truth.only({"lane 02"}).objects == long.truth_of(["lane 02"]).objects
    other = make_field(layout, lanes=lanes, seed=2, **clutter)
    assert other.truth_of(["lane 01"]) != short.truth_of(["lane 01"])


def test_rows_are_regular_but_for_their_scatter():
    """Spacing, distance, direction and spread, in rows that go on from lane to lane."""
    made = make_field(
        {"kind": "rows", "spacing": 2.0, "distance": 3.0, "scatter": 0.1, "heading": 0.4},
        lanes={"training": 40, "blind": 0, "gap": 0.0, "length": 40.0},
    )
    assert len(made.truth.targets) == pytest.approx(40 * 40 / 6, abs=20)
    along, across = [], []
    for name in {target.group for target in made.truth.targets}:
        row = [target for target in made.truth.targets if target.group == name]
        place = np.array([(t.easting, t.northing) for t in row])
        u = place @ [math.sin(0.4), math.cos(0.4)]
        v = place @ [math.cos(0.4), -math.sin(0.4)]
        across.append(v - v.mean())
        steps = np.diff(np.sort(u))
        along.append(steps - 2.0)
    npt.assert_allclose(np.concatenate(across).std(), 0.1, rtol=0.25)
    npt.assert_allclose(np.concatenate(along).std(), 0.1 * math.sqrt(2), rtol=0.25)
    npt.assert_allclose(np.concatenate(along).mean(), 0.0, atol=0.02)
    assert np.abs(np.concatenate(across)).max() <= 0.6


def test_places_of_a_row_may_be_empty():
    """As many as stated."""
    rows = {"kind": "rows", "spacing": 1.0, "distance": 1.0}
    lanes = {"lanes": {"training": 20, "blind": 0, "gap": 0.0, "length": 20.0}}
    whole = len(make_field(rows, **lanes).truth.targets)
    rest = len(make_field(rows | {"missing": 0.3}, **lanes).truth.targets)
    assert whole == pytest.approx(400, abs=25)
    assert abs(rest / whole - 0.7) < 4 * math.sqrt(0.3 * 0.7 / whole)


def test_clusters_are_clusters():
    """Mean density, more variance between squares than at random, one group a cluster."""
    made = make_field(
        {
            "kind": "clusters",
            "density": 0.2,
            "cluster_size": 6.0,
            "spread": 0.8,
            "separation": 0.0,
        },
        lanes={"training": 40, "blind": 0, "gap": 0.0, "length": 60.0},
        targets={"kinds": ["ball_5mm"]},
    )
    place = places_of(made)
    expected = 0.2 * 40 * 60
    assert abs(len(place) - expected) < 4 * math.sqrt(7 * expected)
    table, _, _ = np.histogram2d(*place.T, bins=[20, 30], range=[[0, 40], [0, 60]])
    assert table.var() / table.mean() > 2
    for name in {target.group for target in made.truth.targets}:
        group = np.array(
            [(t.easting, t.northing) for t in made.truth.targets if t.group == name]
        )
        assert np.ptp(group, axis=0).max() < 8 * 0.8


def test_targets_can_be_put_in_place():
    """Where, how deep and how they lie is what was said; drawn ones keep away."""
    places = [
        {
            "kind": "ts50",
            "easting": 0.4,
            "northing": 3.0,
            "depth": 0.07,
            "heading": 0.3,
            "tilt": [0.05, -0.02],
        },
        {"kind": "ball_12mm", "easting": 1.7, "northing": 1.0, "depth": 0.0},
    ]
    made = make_field(
        {"density": 1.0},
        lanes={"training": 2, "blind": 0, "length": 5.0},
        targets={"kinds": ["pma2"], "places": places},
    )
    first = made.objects_of("lane 01").buried[0]
    assert first.target.identifier == "lane 01/T01"
    for name, value in places[0].items():
        assert getattr(first.target, name) == (tuple(value) if name == "tilt" else value)
    assert first.body is body("ts50")
    second = made.objects_of("lane 02").buried[0].target
    assert (second.kind, second.depth, second.lane) == ("ball_12mm", 0.0, "lane 02")
    check_apart(made.truth.targets, 0.5)
    assert len(made.truth.targets) > 4
    alone = make_field(
        {"density": 0.0},
        targets=TargetPlan(
            kinds=(), places=(Place(kind="m14", easting=0.5, northing=1.0, depth=0.01),)
        ),
    )
    assert [t.kind for t in alone.truth.targets] == ["m14"]


def test_depths_and_tilts_follow_their_laws():
    """Those of the scenario in place of the body's own."""
    made = make_field(
        {"density": 1.0, "separation": 0.0},
        lanes={"training": 20, "blind": 0},
        targets={
            "kinds": ["pma2"],
            "depth": {
                "kind": "lognormal",
                "median": 0.06,
                "sigma": 0.3,
                "low": 0.01,
                "high": 0.2,
            },
            "tilt": {"kind": "fixed", "value": 0.1},
        },
    )
    depth = np.array([t.depth for t in made.truth.targets])
    npt.assert_allclose(np.median(depth), 0.06, rtol=0.1)
    assert {t.tilt for t in made.truth.targets} == {(0.1, 0.1)}


def test_leaning_targets_stay_under_ground():
    """A place whose edge would stick out is refused; what is drawn lies deeper instead."""
    with pytest.raises(
        ValueError, match=r"Invalid depth '0.0' of a tm57 .*its edge would stick"
    ):
        Place(kind="tm57", easting=0.5, northing=3.0, depth=0.0, tilt=(0.7, 0.0))
    Place(kind="ball_20mm", easting=0.5, northing=3.0, depth=0.0, tilt=(0.7, 0.0))
    made = make_field(
        {"density": 1.0, "separation": 0.0},
        lanes={"training": 20, "blind": 0, "heading": 1.1},
        targets={
            "kinds": ["tm57", "pma2", "ball_20mm"],
            "depth": {"kind": "uniform", "low": 0.0, "high": 0.01},
        },
    )
    for item in (x for lane in made.lanes for x in made.objects_of(lane.name).buried):
        rise = item.body.length / 2 * math.sin(math.hypot(*item.target.tilt))
        if item.body.shape == "sphere":
            assert item.target.depth <= 0.01
        else:
            assert item.target.depth >= rise - 1e-12
            assert item.target.depth <= max(rise + 1e-6, 0.01)


def test_targets_lean_the_same_way_in_every_lane():
    """Their lean is kept in axes of the map, and turned into those of the lane that sees it."""
    made = make_field(
        {"density": 0.0},
        lanes={"training": 2, "blind": 0, "serpentine": True, "heading": 0.4},
        targets={
            "kinds": [],
            "places": [
                {
                    "kind": "pmn",
                    "easting": 0.9,
                    "northing": 2.0,
                    "depth": 0.1,
                    "tilt": [0.3, 0.1],
                }
            ],
        },
    )
    (item,) = made.objects_of("lane 01").buried
    for lane in made.lanes:
        seen = simulate._bury_in(lane, item).target
        npt.assert_allclose(rotate(*seen.tilt, lane.heading), item.target.tilt, atol=1e-12)
    leans = [simulate._bury_in(lane, item).target.tilt for lane in made.lanes]
    npt.assert_allclose(leans[0], np.negative(leans[1]), atol=1e-12)


# -- lanes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("heading", [0.0, 0.7, -2.0, math.pi / 2])
def test_lanes_lie_in_any_direction(heading):
    """The field of a heading is that of north, turned; its lanes hold their targets."""
    lanes = {"training": 3, "blind": 0, "length": 6.0}
    north = make_field({"density": 1.0}, lanes=lanes, clutter={"preset": "village"})
    turned = make_field(
        {"density": 1.0}, lanes=lanes | {"heading": heading}, clutter={"preset": "village"}
    )
    assert len(north.truth.objects) == len(turned.truth.objects)
    for one, other in zip(north.truth.objects, turned.truth.objects, strict=True):
        place = rotate(one.easting, one.northing, heading)
        npt.assert_allclose([other.easting, other.northing], place, atol=2e-6)
        assert (one.kind, one.depth, one.lane) == (other.kind, other.depth, other.lane)
    for lane in turned.lanes:
        for item in turned.objects_of(lane.name).buried:
            right, forward = lane.from_map(item.target.easting, item.target.northing)
            assert abs(right) <= 0.5 + 1e-5
            assert -1e-5 <= forward <= 6.0 + 1e-5
        npt.assert_allclose(lane.to_map(*lane.from_map(1.2, 3.4)), (1.2, 3.4))


def test_serpentine_lanes_come_back():
    """Every second lane starts at the other end and has the opposite heading."""
    made = make_field({"density": 0.1}, lanes={"training": 3, "blind": 0, "serpentine": True})
    first, second, third = made.lanes
    assert first.start == (0.5, 0.0)
    npt.assert_allclose(second.start, (2.0, 20.0))
    npt.assert_allclose(second.heading, math.pi)
    assert third.heading == 0.0
    npt.assert_allclose(second.to_map(0.1, 1.0), (1.9, 19.0))
    assert second.area == (1.5, 0.0, 2.5, 20.0)
    npt.assert_allclose(second.corners[0], (2.5, 20.0))


def test_unknown_lanes_are_named():
    """By every way to ask for one."""
    made = make_field({"density": 0.1})
    for call in (made.lane, made.objects_of, lambda name: made.truth_of([name])):
        with pytest.raises(ValueError, match=r"Invalid lane 'lane 99'. Must be one of lane 01"):
            call("lane 99")
    with pytest.raises(ValueError, match="Invalid seed '-1'"):
        field("farmland", seed=-1)
    with pytest.raises(TypeError, match=r"Invalid seed 1\.5"):
        field("farmland", seed=1.5)


# -- truth and its hash --------------------------------------------------------------------


def test_figures_of_the_truth_are_micrometres():
    """Every drawn figure has six digits after the point or fewer."""
    made = field("village", seed=1)
    for row in made.truth.objects:
        for name in ("easting", "northing", "depth", "diameter", "heading"):
            value = getattr(row, name)
            assert value == round(value, 6)
    for item in made.objects_of("lane 01").clutter:
        if item.piece is not None:
            assert item.piece.length == round(item.piece.length, 6)


def test_truth_holds_no_relaxation_lists():
    """Rows of plain figures and words, for every lane."""
    made = field("farmland", seed=1)
    for row in made.truth.objects:
        for name in row.__slots__:
            assert isinstance(getattr(row, name), (str, bool, float, tuple))
    for item in made.objects_of("lane 01").buried:
        text = repr(item.pieces)
        assert "array" not in text


def test_the_hash_of_a_truth_is_that_of_its_lines():
    """Written out by hand; any figure changes it."""
    row = Target(
        identifier="T1",
        kind="pmn",
        is_target=True,
        easting=0.1,
        northing=1e-07,
        depth=0.05,
        diameter=0.112,
        metal_class="medium",
        lane="lane 01",
    )
    origin = RecordOrigin(record="R1", targets=("T1",), fault="wrong")
    truth = Truth(objects=(row,), origins=(origin,))
    text = (
        '{"is_synthetic":true,"position_error":0.0}\n'
        '{"depth":0.05,"diameter":0.112,"easting":0.1,"group":"","heading":0.0,'
        '"identifier":"T1","is_target":true,"kind":"pmn","lane":"lane 01",'
        '"metal_class":"medium","northing":1e-07,"tilt":[0.0,0.0]}\n'
        '{"fault":"wrong","record":"R1","targets":["T1"]}\n'
    )
    assert truth.sha256 == hashlib.sha256(text.encode()).hexdigest()
    moved = dataclasses.replace(truth, objects=(dataclasses.replace(row, depth=0.050001),))
    assert moved.sha256 != truth.sha256
    assert dataclasses.replace(truth, position_error=0.01).sha256 != truth.sha256
    assert dataclasses.replace(truth, origins=()).sha256 != truth.sha256


def test_canonical_bytes_have_one_form():
    """Keys sorted, text escaped, no number that JSON does not know."""
    assert canonical({"b": [1.0, "é"], "a": None}) == b'{"a":null,"b":[1.0,"\\u00e9"]}'
    assert digest_lines([1, 2]) != digest_lines([12])
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(math.nan)


def test_arrays_of_another_order_or_type_have_the_hash_of_their_values():
    """Byte order and memory layout do not matter; type and shape do."""
    values = np.arange(6.0).reshape(2, 3)
    expected = digest_arrays({}, [values])
    assert digest_arrays({}, [values.astype(">f8")]) == expected
    assert digest_arrays({}, [np.asfortranarray(values)]) == expected
    assert digest_arrays({}, [values.astype(np.float32)]) != expected
    assert digest_arrays({}, [values.reshape(3, 2)]) != expected
    assert digest_arrays({"a": 1}, [values]) != expected
    assert digest_arrays({}, [values[:0]]) != digest_arrays({}, [])


def test_a_seal_vouches_for_everything_and_only_at_the_end():
    """Any change breaks it; a line after it leaves it alone; without one nothing is said."""
    sweep = seal(dataclasses.replace(no_traces(lane="a"), history=("made",)))
    assert broken_seal(sweep) is None
    for change in (
        {"lane": "b"},
        {"frame": dataclasses.replace(sweep.frame, origin="elsewhere")},
        {"history": ("found", sweep.history[-1])},
        {"sensor": dataclasses.replace(sweep.sensor, unit="V")},
    ):
        found, expected = broken_seal(dataclasses.replace(sweep, **change))
        assert found == sweep.history[-1][7:] != expected
    later = dataclasses.replace(sweep, lane="b", history=(*sweep.history, "filtered"))
    assert broken_seal(later) is None
    assert broken_seal(no_traces()) is None


def features():
    """Return the vector instructions that NumPy found here, as it names them."""
    return np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])


PRINT_HASHES = """
import sys
from minesense.synthetic import field
for name in sys.argv[1:]:
    made = field(name, seed=7)
    print(name, made.truth.sha256, made.lanes[-1].soil.susceptibility)
"""


@pytest.mark.slow
def test_the_truth_is_the_same_on_every_processor():
    """With and without the vector instructions of this one, to the last digit."""
    names = ["farmland", "battlefield", "unreliable_records"]
    said = []
    for environment in (
        {},
        {
            "NPY_DISABLE_CPU_FEATURES": " ".join(features()),
            "NUMBA_CPU_NAME": "generic",
            "OPENBLAS_CORETYPE": "Prescott",
        },
    ):
        result = subprocess.run(
            [sys.executable, "-c", PRINT_HASHES, *names],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        said.append(result.stdout)
    assert said[0] == said[1]
    assert said[0].count("\n") == len(names)

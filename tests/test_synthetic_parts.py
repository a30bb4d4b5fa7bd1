"""Test what a synthetic field is made of: catalogue, clutter, motion, recipe."""

import dataclasses
import math

import numpy as np
import numpy.testing as npt
import pytest

from minesense.synthetic import (
    CATALOGUE,
    PRESETS,
    SOILS,
    Motion,
    body,
    cart,
    clustered_points,
    draw_dielectric,
    draw_metal,
    draw_soil,
    drive,
    field,
    ornstein_uhlenbeck,
    random_rotation,
    read_scenario,
    scenario,
    scrap,
    surrogate,
)
from minesense.truth import METAL_CLASSES

AREA = (0.0, 0.0, 20.0, 10.0)


def make_rng(seed=0):
    return np.random.default_rng(seed)


def test_the_catalogue_holds_mines_of_three_metal_classes():
    """Six mines at least, of minimum, low and high metal, and test spheres."""
    mines = [item for item in CATALOGUE.values() if not item.is_test_piece]
    assert len(mines) >= 6
    assert {"minimum", "low", "high"} <= {item.metal_class for item in mines}
    assert any(item.metal_diameter for item in CATALOGUE.values())
    assert {item.metal_class for item in CATALOGUE.values()} <= set(METAL_CLASSES)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_body_is_whole(name):
    """Sizes are plausible, layers fill the height, metal fits inside."""
    item = body(name)
    assert 0 < item.width <= item.length < 0.5
    assert 0 < item.height < 0.5
    assert 0 < item.deepest <= 0.2
    if item.has_metal_case:
        assert item.layers == ()
    else:
        assert math.isclose(sum(share for _, share in item.layers), 1.0)
        assert all(2 < permittivity < 10 for permittivity, _ in item.layers)
    metal = surrogate(item, rng=make_rng())
    assert (metal is None) == (item.metal_class == "none")


def test_more_metal_responds_more():
    """On the average the response grows from class to class."""

    def mean_response(metal_class):
        items = [i for i in CATALOGUE.values() if i.metal_class == metal_class]
        rng = make_rng()
        moments = [
            np.abs(np.trace(surrogate(i, rng=rng).decay(2e-5)))
            for i in items
            for _ in range(40)
        ]
        return np.exp(np.mean(np.log(moments)))

    response = [mean_response(c) for c in METAL_CLASSES[1:]]
    assert response == sorted(response)


def test_scrap_is_a_passive_body_of_any_attitude():
    """Every relaxation is positive semidefinite, and off-diagonals do occur."""
    rng = make_rng()
    for size in (0.004, 0.02, 0.06):
        piece = scrap(size, rng=rng)
        smallest = np.linalg.eigvalsh(piece.amplitudes)[:, 0]
        assert (smallest >= -1e-12 * piece.amplitudes.max()).all()
        off = piece.amplitudes - piece.amplitudes * np.eye(3)
        assert np.abs(off).max() > 0


def test_rotations_are_uniform():
    """The image of a vector has no preferred direction."""
    rng = make_rng()
    images = np.array([random_rotation(rng) @ [1.0, 0.0, 0.0] for _ in range(4000)])
    npt.assert_allclose(np.linalg.norm(images, axis=1), 1.0)
    npt.assert_allclose(images.mean(axis=0), 0.0, atol=4 / math.sqrt(3 * 4000))
    npt.assert_allclose((images**2).mean(axis=0), 1 / 3, atol=0.03)


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


def test_no_density_no_clutter():
    """Zero means none."""
    assert draw_metal(AREA, 0.0, rng=make_rng()) == []
    assert draw_dielectric(AREA, 0.0, rng=make_rng()) == []


def test_stones_follow_their_power_law():
    """P(size > s) is that of a density proportional to size^-3 between the limits."""
    items = draw_dielectric((0, 0, 60, 60), 2.0, rng=make_rng())
    sizes = np.array([item.size for item in items if item.kind == "stone"])
    assert sizes.min() >= 0.03
    assert sizes.max() <= 0.12
    expected = (0.06**-2 - 0.12**-2) / (0.03**-2 - 0.12**-2)
    share = (sizes > 0.06).mean()
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / len(sizes))


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


def test_a_path_goes_north_at_its_speed():
    """Distance is regular, time follows the speed, nothing goes backward."""
    path = drive((3.0, -2.0), 20.0, motion=Motion(), rng=make_rng())
    npt.assert_allclose(np.diff(path.position[:, 1]), 0.005)
    assert (np.diff(path.time) > 0).all()
    npt.assert_allclose(path.time[-1], 40.0, rtol=0.1)
    assert abs(path.position[:, 0].mean() - 3.0) < 0.02


@pytest.mark.parametrize("name", SOILS)
def test_soils_are_drawn_inside_their_ranges(name):
    """A hundred draws stay within the preset."""
    rng = make_rng()
    preset = SOILS[name]
    for _ in range(100):
        soil = draw_soil(name, rng=rng)
        assert preset.moisture[0] <= soil.moisture <= preset.moisture[1]
        assert preset.susceptibility[0] <= soil.susceptibility <= preset.susceptibility[1]


@pytest.mark.parametrize("name", PRESETS)
def test_a_field_is_as_its_scenario_says(name):
    """Lanes, targets apart, in their lanes and depths, classes all there."""
    made = field(name, seed=5)
    recipe = made.scenario
    assert len(made.training) == recipe.n_training
    assert len(made.blind) == recipe.n_blind
    area = recipe.lane_length * recipe.lane_width * len(made.lanes)
    expected = recipe.target_density * area
    assert abs(len(made.truth.targets) - expected) < 4 * math.sqrt(expected) + 2
    for lane in made.lanes:
        west, south, east, north = lane.area
        targets = [item.target for item in made.buried[lane.name]]
        for k, one in enumerate(targets):
            assert west < one.easting < east
            assert south < one.northing < north
            assert 0 <= one.depth <= CATALOGUE[one.kind].deepest
            for other in targets[:k]:
                distance = math.hypot(
                    one.easting - other.easting, one.northing - other.northing
                )
                edges = distance - (one.diameter + other.diameter) / 2
                assert edges >= recipe.separation
    classes = {CATALOGUE[name].metal_class for name in recipe.targets}
    assert {target.metal_class for target in made.truth.targets} == classes


def test_same_seed_same_field():
    """The truth is a function of scenario and seed; another seed gives another field."""
    assert field("farmland", seed=1).truth == field("farmland", seed=1).truth
    assert field("farmland", seed=1).truth != field("farmland", seed=2).truth


def test_lanes_are_independent_of_each_other():
    """A lane is the same however many lanes follow it."""
    short = field(scenario("farmland", n_training=2, n_blind=1), seed=3)
    long = field(scenario("farmland", n_training=2, n_blind=4), seed=3)
    name = short.lanes[1].name
    assert short.truth_of([name]) == long.truth_of([name])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: body("frog"), "Invalid identifier 'frog'. Must be one of 'pmn'"),
        (lambda: field("moon", seed=1), "Invalid name 'moon'. Must be one of 'prepared'"),
        (lambda: field("farmland", seed=-1), "Invalid seed '-1'. Must be at least 0"),
        (lambda: scenario("farmland", soils=("cheese",)), "Invalid soils 'cheese'"),
        (lambda: scenario("farmland", target_density=-1), "Invalid target_density '-1.0'"),
        (lambda: scenario("farmland", n_training=0, n_blind=0), "n_training \\+ n_blind '0'"),
        (lambda: field("farmland", seed=1).lane("lane 99"), "Invalid lane 'lane 99'"),
        (lambda: cart(width=0), "Invalid width '0.0'"),
        (lambda: scrap(0.0, rng=make_rng()), "Invalid size '0.0'"),
        (
            lambda: read_scenario({**dataclasses.asdict(PRESETS["village"]), "n_blind": "two"}),
            "Expected `int`, got `str` - at `\\$.n_blind`",
        ),
        (
            lambda: read_scenario({**dataclasses.asdict(PRESETS["village"]), "mines": 3}),
            "unknown fields mines",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(ValueError, match=message):
        call()


def test_chance_comes_from_generators_alone():
    """A seed where a generator belongs is refused."""
    with pytest.raises(TypeError, match=r"Must be a numpy\.random\.Generator"):
        draw_soil("loam", rng=1)

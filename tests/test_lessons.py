"""Tests of lessons: lanes that detectors learn from and that nothing is calibrated on."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from minesense import synthetic
from minesense.detect import Recipe, fit_monitors, observed
from minesense.detect.sites import find_sites
from minesense.score import Halo
from minesense.sweep import Frame
from minesense.training import screen_lanes, train, train_screened
from minesense.training.labels import label_sites
from minesense.training.modes import judge_mode
from minesense.training.places import label_places

pytestmark = pytest.mark.endtoend

SEED = 23
#: Prescreened by energy: what is noticed in a lane does not depend on other lanes.
RECIPE = dataclasses.replace(Recipe(), learn_shapes=False)


@pytest.fixture(scope="module")
def world():
    """Return SYNTHETIC lanes, a detector trained on four, and one with two lessons more."""
    recipe = synthetic.scenario(
        "farmland",
        lanes={"training": 6, "blind": 0, "length": 10.0},
        layout={"density": 1.0, "separation": 0.3},
        platform={"n_antennas": 5, "n_coils": 5},
    )
    field = synthetic.field(recipe, seed=SEED)
    whole = synthetic.Faults(gaps_per_minute=0.0)
    sweeps = field.sweep(dataclasses.replace(recipe.platform.carrier(), faults=whole))
    counted, lessons = field.training[:4], field.training[4:]
    screened = screen_lanes(sweeps, recipe=RECIPE)
    alone = screen_lanes([s for s in sweeps if s.lane in counted], recipe=RECIPE)
    area, truth = field.area_of(counted), field.truth_of(field.training)
    options = {"recipe": RECIPE, "area": area, "seed": 3}
    return SimpleNamespace(
        field=field,
        sweeps=sweeps,
        screened=screened,
        counted=counted,
        lessons=lessons,
        area=area,
        truth=truth,
        options=options,
        taught=train_screened(screened, truth, **options),
        without=train_screened(alone, truth, **options),
    )


def test_the_card_tells_lessons_from_lanes_that_count(world):
    """Also where there are none."""
    card = world.taught.card
    assert card["training_lanes"] == sorted(world.counted)
    assert card["lesson_lanes"] == sorted(world.lessons)
    assert world.without.card["lesson_lanes"] == []


def test_only_lanes_of_the_area_calibrate_and_promise(world):
    """Places, ground, targets and monitors are those of the four lanes, with lessons or not."""
    taught, without = world.taught, world.without
    assert taught.priors == without.priors
    for name in ("training_area_m2", "false_alarm_area_m2"):
        assert taught.card[name] == without.card[name]
    for mode, quality in taught.card["out_of_fold"].items():
        other = without.card["out_of_fold"][mode]
        assert [quality[k] for k in ("n_mines", "n_others")] == [
            other[k] for k in ("n_mines", "n_others")
        ]
        assert set(taught.targets[mode].lanes) == set(without.targets[mode].lanes)
        assert len(taught.targets[mode].lanes) == len(without.targets[mode].lanes)
    assert set(taught.targets["both"].lanes) <= set(world.counted)
    assert taught.monitors == without.monitors
    lanes = [lane for lane in world.screened.lanes if lane["gpr"].lane in world.counted]
    assert taught.monitors == fit_monitors(lanes, world.screened.settings)
    everything = fit_monitors(world.screened.lanes, world.screened.settings)
    assert taught.monitors != everything  # so that the test could fail


@pytest.mark.parametrize("name", ["", "strip {}"])
def test_truth_need_not_name_lanes(world, name):
    """What it calls them does not matter: targets count in the lane that passes them."""
    objects = tuple(
        dataclasses.replace(item, lane=name.format(item.lane)) for item in world.truth.objects
    )
    truth = dataclasses.replace(world.truth, objects=objects)
    found = train_screened(world.screened, truth, **world.options)
    assert found.priors == world.taught.priors
    for mode, targets in world.taught.targets.items():
        assert sorted(found.targets[mode].lanes) == sorted(targets.lanes)
        assert sorted(found.targets[mode].scores) == sorted(targets.scores)


def test_truth_must_be_in_the_frame_of_the_sweeps(world):
    """Places elsewhere would make mines clutter, and clutter mines."""
    stated = dataclasses.replace(world.truth, frame=Frame(crs="EPSG:32638"))
    with pytest.raises(ValueError, match=r"in 'EPSG:32638'\. Must be that of the cov"):
        train_screened(world.screened, stated, **world.options)


def test_priors_are_shares_of_mines_in_lanes_of_the_area(world):
    """Counted place by place: several places at one mine weigh one together."""
    lanes = world.screened.lanes
    coverage = observed(lanes, world.screened.settings, area=world.area)
    sites = [s for lane in lanes for s in find_sites(lane, world.screened.settings)]
    owner, known = label_sites(sites, world.truth, Halo())
    mask = coverage.mask("any") & coverage.wanted
    mines, others = 0.0, 0
    for k, site in enumerate(sites):
        if not known[k] or site.lane not in world.counted:
            continue
        if owner[k] >= 0:
            mines += 1 / (owner == owner[k]).sum()
        elif coverage.at(mask, site.easting, site.northing, False):
            others += 1
    assert others > 30
    assert world.taught.priors["both"] == pytest.approx(mines / (mines + others), rel=1e-12)


def test_a_lesson_finds_no_target_of_the_area(world):
    """A promise rests on places of its own lane, though a lesson saw the same mine better."""
    lanes = [lane for lane in world.screened.lanes if lane["gpr"].lane in world.counted]
    coverage = observed(lanes, world.screened.settings, area=world.area)
    sites = [s for lane in lanes for s in find_sites(lane, world.screened.settings)]
    owner, _ = label_sites(sites, world.truth, Halo())
    seen = next(s for s, k in zip(sites, owner, strict=True) if k >= 0 and "gpr" in s.noticed)
    lesson = dataclasses.replace(seen, lane=world.lessons[0], northing=seen.northing + 0.01)
    sites.append(lesson)
    places = label_places(sites, world.truth, coverage, Halo())
    ratios = {"gpr": np.append(np.zeros(len(sites) - 1), 50.0)}
    mode = judge_mode("gpr", places, ratios, {"gpr": 0.5}, world.truth, coverage, Halo())
    assert mode.odds[-1] > 40
    assert mode.targets.scores.max() < 40


def test_classifiers_learn_from_lessons(world):
    """Which they tell from other places there better than those that never saw these lanes."""
    lesson = [lane for lane in world.screened.lanes if lane["gpr"].lane in world.lessons]
    sites = [s for lane in lesson for s in world.taught.find_sites(lane)]
    owner, known = label_sites(sites, world.truth, Halo())
    told = {
        name: np.asarray(detector.log_odds(sites, "both")[0])
        for name, detector in (("taught", world.taught), ("without", world.without))
    }
    is_mine, rest = known & (owner >= 0), known & (owner < 0)
    assert is_mine.sum() > 5
    assert rest.sum() > 10
    apart = {n: odds[is_mine].mean() - odds[rest].mean() for n, odds in told.items()}
    assert apart["taught"] > apart["without"]


def test_lanes_of_the_area_alone_must_be_enough(world):
    """Three lanes at least, however many lessons there are."""
    area = world.field.area_of(world.counted[:2])
    with pytest.raises(ValueError, match=r"2 lanes that count, .*Must be at least 10, 10"):
        train_screened(world.screened, world.truth, **{**world.options, "area": area})


def test_without_an_area_all_lanes_count(world):
    """As before there were lessons; shapes are learnt from all lanes, too."""
    detector = train(world.sweeps, world.truth, seed=3)
    assert detector.card["lesson_lanes"] == []
    assert detector.card["training_lanes"] == sorted(world.field.training)
    assert set(detector.targets["both"].lanes) == set(world.field.training)


def test_a_sensor_in_lessons_alone_cannot_be_calibrated(world):
    """The message says which, and what there is to calibrate on."""
    lanes = [
        {
            kind: item
            for kind, item in lane.items()
            if kind == "gpr" or item.lane in world.lessons
        }
        for lane in world.screened.lanes
    ]
    some = dataclasses.replace(world.screened, lanes=lanes)
    with pytest.raises(ValueError, match=r"of kind 'emi': 0 targets and 0 other places to cal"):
        train_screened(some, world.truth, **world.options)


def test_ground_without_a_lane_of_its_name_changes_nothing(world):
    """Neither its square metres nor what was found there: thresholds and areas stay."""
    lesson = world.field.area_of(world.lessons)
    misspelt = [(*item[:4], f"Lane of {item[-1]}") for item in lesson]
    other = train_screened(
        world.screened, world.truth, **{**world.options, "area": [*world.area, *misspelt]}
    )
    assert other.thresholds == world.taught.thresholds
    assert other.own_thresholds == world.taught.own_thresholds
    assert other.card["training_area_m2"] == world.taught.card["training_area_m2"]
    assert other.card["false_alarm_area_m2"] == world.taught.card["false_alarm_area_m2"]
    whole = {**world.options, "area": world.field.area_of(world.field.training)}
    everything = train_screened(world.screened, world.truth, **whole)
    assert everything.card["false_alarm_area_m2"] != world.taught.card["false_alarm_area_m2"]


def test_lessons_may_lie_kilometres_away(world):
    """What they observe is on no grid: the same classifiers, thresholds and promises."""
    away = np.array([3000.0, 500.0, 0.0])
    moved = [
        dataclasses.replace(s, position=s.position + away) if s.lane in world.lessons else s
        for s in world.sweeps
    ]
    objects = tuple(
        dataclasses.replace(o, easting=o.easting + 3000.0, northing=o.northing + 500.0)
        if o.lane in world.lessons
        else o
        for o in world.truth.objects
    )
    truth = dataclasses.replace(world.truth, objects=objects)
    far = train_screened(screen_lanes(moved, recipe=RECIPE), truth, **world.options)
    assert far.card["lesson_lanes"] == sorted(world.lessons)
    assert far.card["training_area_m2"] == world.taught.card["training_area_m2"]
    assert far.priors == world.taught.priors


def test_a_sensor_in_one_lane_of_the_area_cannot_be_calibrated(world):
    """A calibration is judged on lanes that it had not seen."""
    lanes = [
        {
            kind: x
            for kind, x in lane.items()
            if kind == "emi" or x.lane not in world.counted[1:]
        }
        for lane in world.screened.lanes
    ]
    some = dataclasses.replace(world.screened, lanes=lanes)
    with pytest.raises(ValueError, match=r"mode 'gpr' places .* in 1 lanes"):
        train_screened(some, world.truth, **world.options)

"""Check that echo shapes are learnt from targets, and never from the lane they screen."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from fields import make_target, make_truth

from minesense.detect import DetectorSettings, RadarSettings, Recipe, Screen, read_settings
from minesense.gpr import PrescreenShapes
from minesense.sensor import Radar, Sensor
from minesense.sweep import Sweep
from minesense.synthetic import cart
from minesense.training import ScreenedLanes, screen_lanes, with_learnt_shapes, with_settings
from minesense.training.shapes import learn_shapes, patch_form

SENSOR = Sensor(
    name="test radar",
    kind="gpr",
    axis=6.25e-11 * np.arange(96),
    lever_arms=[[-0.1, 0, 0], [0.1, 0, 0]],
    radar=Radar(centre_frequency=1.5e9),
)
RECIPE = Recipe(name="test", kinds=("gpr",), groups={"gpr": ("score",)})
N_TRACES, PLACES = 500, (5.0, 7.0, 9.0, 11.0)


def make_lane(name, seed, *, echo=0.7, spread=1.0):
    """Return noise on a bounce, with an echo that comes and goes along 20 cm at each place."""
    rng = np.random.default_rng(seed)
    northing = 0.025 * np.arange(N_TRACES)
    time = SENSOR.axis
    bounce = -100 * np.exp(-(((time - 1.5e-9) / 2e-10) ** 2))
    samples = spread * rng.normal(size=(N_TRACES, 2, 96)).cumsum(axis=2) * 0.3 + bounce
    for place in PLACES:
        along = northing - place
        delay = 2.6e-9 + 3e-9 * along**2 / 0.04
        wave = np.sin(2 * np.pi * 1.5e9 * (time - delay[:, None]))
        body = np.exp(-(((time - delay[:, None]) / 4e-10) ** 2) - (along[:, None] / 0.1) ** 2)
        samples[:, 0] += echo * body * wave
    return Sweep(
        samples=samples,
        time=northing / 0.5,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(N_TRACES),
        sensor=SENSOR,
        lane=name,
    )


def truth_of(names):
    """Return the targets of lanes."""
    return make_truth(
        *(
            make_target(f"{name}{k}", -0.1, place, lane=name)
            for name in names
            for k, place in enumerate(PLACES)
        )
    )


@pytest.fixture(scope="module")
def world():
    """Return five lanes, their truth, and what energy notices in them."""
    names = [f"lane {k}" for k in range(5)]
    sweeps = [make_lane(name, k) for k, name in enumerate(names)]
    return names, sweeps, truth_of(names), screen_lanes(sweeps, recipe=RECIPE)


def test_each_lane_is_screened_by_what_others_taught(world):
    """Its own targets change the shapes that are kept, and not those that screen it."""
    names, _, truth, screened = world
    radar = [lane["gpr"] for lane in screened.lanes]
    settings, by_lane = learn_shapes(radar, truth, screened.settings)
    assert set(by_lane) == set(names)
    odd = make_lane(names[2], 77, echo=-40.0, spread=3.0)
    other = [radar[0], radar[1], screen_lanes([odd], recipe=RECIPE).lanes[0]["gpr"], *radar[3:]]
    changed, by_other = learn_shapes(other, truth, screened.settings)
    assert by_other[names[2]] == by_lane[names[2]]
    assert changed != settings
    assert all(by_other[name] != by_lane[name] for name in names if name != names[2])
    assert len({item.radar.shapes.filters for item in by_lane.values()}) == len(names)


@pytest.mark.parametrize("name", ["", "strip {}"])
def test_targets_count_where_they_lie_whatever_lane_they_name(world, name):
    """Those of no lane, or of lanes that were not swept: the same shapes of the same ground."""
    names, sweeps, truth, _ = world
    east = {lane: 10.0 * k for k, lane in enumerate(names)}
    apart = [
        dataclasses.replace(sweep, position=np.add(sweep.position, (east[sweep.lane], 0, 0)))
        for sweep in sweeps
    ]
    moved = [
        dataclasses.replace(item, easting=item.easting + east[item.lane])
        for item in truth.objects
    ]
    named = [dataclasses.replace(item, lane=name.format(item.lane)) for item in moved]
    screened = screen_lanes(apart, recipe=RECIPE)
    radar = [lane["gpr"] for lane in screened.lanes]
    found, expected = (
        learn_shapes(radar, dataclasses.replace(truth, objects=tuple(some)), screened.settings)
        for some in (named, moved)
    )
    assert found[0].radar.shapes is not None
    assert found == expected


def test_learnt_shapes_find_more_in_a_new_lane(world):
    """And in the lanes that they were held out of."""
    _, sweeps, truth, screened = world
    learnt = with_learnt_shapes(screened, sweeps, truth)
    new = make_lane("new", 99)
    taught = with_settings(screen_lanes([new], recipe=RECIPE), [new], learnt.settings)
    for before, after in (
        (screen_lanes([new], recipe=RECIPE).lanes, taught.lanes),
        (screened.lanes, learnt.lanes),
    ):
        assert 1 - rank_sum(after) < 0.5 * (1 - rank_sum(before))


def rank_sum(lanes):
    """Return the chance that a cell at a target scores more than one of the ground."""
    at, away = [], []
    for lane in lanes:
        for part in lane["gpr"].parts:
            near = np.min([abs(part.position[:, 0, 1] - p) for p in PLACES], axis=0)
            best = np.where(part.scores.is_judged, part.best[:, 0], np.nan)
            at += [np.nanmax(best[abs(part.position[:, 0, 1] - p) < 0.06]) for p in PLACES]
            away += best[(near > 0.4) & np.isfinite(best)].tolist()
    return float(np.mean([np.mean(np.array(away) < value) for value in at]))


def test_settings_with_shapes_are_plain_and_read_back(world):
    """As a model's card holds them."""
    _, sweeps, truth, screened = world
    settings = with_learnt_shapes(screened, sweeps, truth).settings
    assert settings.radar.shapes is not None
    assert read_settings(settings.as_dict()) == settings
    screen = Screen(settings)
    screen.push(sweeps[0])
    assert isinstance(screen._prescreen, PrescreenShapes)


def test_too_few_targets_teach_nothing(world):
    """With nine or fewer beside those that are held out, energy goes on."""
    names, sweeps, _, screened = world
    few = truth_of(names[:3])  # two lanes of these remain
    same = with_learnt_shapes(screened, sweeps, few)
    assert same is screened
    assert learn_shapes([], few, screened.settings) == (screened.settings, {})


def test_what_no_antenna_passed_teaches_nothing(world):
    """Targets beside the lane, or of another, are none of its echoes."""
    names, _, _, screened = world
    radar = [lane["gpr"] for lane in screened.lanes]
    away = make_truth(
        *(make_target(f"{n}{k}", 0.5, p, lane=n) for n in names for k, p in enumerate(PLACES))
    )
    assert learn_shapes(radar, away, screened.settings)[1] == {}


def test_coils_stay_as_they_were(world):
    """With other settings the radar alone is screened again."""
    names, sweeps, _, screened = world
    coils = [SimpleNamespace(lane=name, kind="emi") for name in names[:2]]
    both = ScreenedLanes(
        settings=screened.settings,
        sensors=screened.sensors,
        lanes=[{**screened.lanes[k], "emi": coils[k]} for k in range(2)],
        recorded=screened.recorded,
    )
    lower = dataclasses.replace(
        screened.settings, radar=dataclasses.replace(screened.settings.radar, threshold=4.0)
    )
    again = with_settings(both, [sweeps[1]], lower)
    assert [lane["gpr"].lane for lane in again.lanes] == [names[1]]
    assert again.settings is lower
    assert len(again.lanes[0]["gpr"].parts[0].candidates) > len(
        screened.lanes[1]["gpr"].parts[0].candidates
    )
    assert again.lanes[0]["emi"] is coils[1]


def test_a_patch_ends_with_the_record():
    """And has samples as far apart as the band allows."""
    form = patch_form(DetectorSettings(), cart().radar)
    assert form.interval == pytest.approx(1.25e-10)
    assert form.n_samples * form.interval == pytest.approx(4e-9)
    long = DetectorSettings(radar=RadarSettings(shape_length=1.0))
    last = patch_form(long, cart().radar)
    assert last.start_time + (last.n_samples - 1) * last.interval <= cart().radar.axis[-1]


@pytest.mark.parametrize(
    ("recipe", "settings", "learns"),
    [
        (Recipe(), DetectorSettings(), True),
        (Recipe(learn_shapes=False), DetectorSettings(), False),
        (Recipe(prescreener="prediction"), DetectorSettings(), False),
        (Recipe(), DetectorSettings(radar=RadarSettings(prescreener="mean")), False),
        (Recipe(kinds=("emi",)), DetectorSettings(), False),
    ],
)
def test_a_prescreener_that_was_chosen_stays(recipe, settings, learns):
    """Shapes take the place of the default alone."""
    assert recipe.learns(recipe.apply(settings)) is learns

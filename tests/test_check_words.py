"""Test what is put beside what in a check, and with which word."""

import dataclasses
import warnings

import numpy as np
import pytest
from lanes import make_coils, make_sweep
from radar_files import scans, write_dzt
from realism_lanes import clutter, lane, raised

from minesense.apps.check import Stretch, check_realism
from minesense.apps.references import common_band, read_references, why_not
from minesense.report import RealismBlock, RealismLine, realism_figure
from minesense.sensor import Radar
from minesense.sweep import Quality
from minesense.synthetic import SOILS, CartPlan, CoilErrors, RadarErrors, field, scenario
from minesense.synthetic.realism import (
    COUPLED_HEIGHT,
    Figure,
    Missing,
    TooFewError,
    carrier_like,
    coil_carrier_like,
    compare,
    compare_pairs,
    empty_ground,
    is_soil,
    radar_figures,
    radar_statistics,
    reach_of,
    scaled_errors,
)


def figure(value, **options):
    """Return a figure."""
    return Figure(key="slice_1.a", name="a", unit="", value=value, **options)


@pytest.mark.parametrize(
    ("value", "others", "options", "word"),
    [
        (1.0, [0.9, 1.1], {}, "like"),
        (1.37, [0.9, 1.1], {}, "like"),  # 1.1 times 1.25 is 1.375
        (1.38, [0.9, 1.1], {}, "differs"),
        (0.721, [0.9, 1.1], {}, "like"),  # 0.9 over 1.25 is 0.72
        (0.719, [0.9, 1.1], {}, "differs"),
        (-1.0, [0.9, 1.1], {}, "differs"),
        (-1.0, [-1.1, -0.9], {}, "like"),
        (-1.38, [-1.1, -0.9], {}, "differs"),
        (0.0, [0.9, 1.1], {}, "differs"),
        (0.0, [0.0, 0.0], {}, "like"),
        (1.29, [0.9, 1.1], {"measure": "difference", "tolerance": 0.2}, "like"),
        (1.31, [0.9, 1.1], {"measure": "difference", "tolerance": 0.2}, "differs"),
        (0.71, [0.9, 1.1], {"measure": "difference", "tolerance": 0.2}, "like"),
        (0.69, [0.9, 1.1], {"measure": "difference", "tolerance": 0.2}, "differs"),
        (Missing("short"), [0.9, 1.1], {}, "cannot be compared"),
        (1.0, [Missing("short"), Missing("short"), 1.0], {}, "cannot be compared"),
        (1.0, [Missing("short"), 1.0], {}, "cannot be compared"),
        (1.0, [Missing("short"), 1.0, 1.0], {}, "like"),
    ],
)
def test_words_follow_the_tolerance(value, others, options, word):
    """Both limits, of both measures; what is missing has a reason."""
    stretches = [[figure(other, **options)] for other in others]
    (row,) = compare([figure(value, **options)], stretches)
    assert row.word == word
    assert bool(row.why) == (word == "cannot be compared")


def test_a_row_holds_what_it_was_made_of():
    """Median, least and greatest, and the ratio to the median."""
    (row,) = compare([figure(3.0)], [[figure(x)] for x in (4.0, 1.0, 2.0)])
    assert (row.synthetic, row.lowest, row.highest, row.ratio) == (2.0, 1.0, 4.0, 1.5)
    (row,) = compare([figure(3.0)], [[figure(-1.0)]])
    assert isinstance(row.ratio, Missing)


@pytest.mark.parametrize("key", ["slice_1.a", "slice_1", ""])
def test_what_is_withheld_is_not_judged(key):
    """By its key, by its beginning, or all."""
    (row,) = compare([figure(1.0)], [[figure(1.0)]], withheld={key: "a gain was applied"})
    assert (row.word, row.why) == ("cannot be compared", "a gain was applied")
    (row,) = compare([figure(1.0)], [[figure(1.0)]], withheld={"slice_2": "deep"})
    assert row.word == "like"


def test_stretches_must_have_the_same_figures():
    """None, and others."""
    with pytest.raises(ValueError, match=r"stretches of length 0\. Must hold at least one"):
        compare([figure(1.0)], [])
    other = dataclasses.replace(figure(1.0), key="b")
    with pytest.raises(ValueError, match=r"figures \['b'\]. Must be those of recorded"):
        compare([figure(1.0)], [[other]])


@pytest.fixture(scope="module")
def measured():
    """Return statistics of four lanes of one law, and of one of a longer memory."""
    found = []
    for seed, length in ((0, 0.1), (1, 0.1), (2, 0.1), (3, 0.1), (4, 0.6)):
        rng = np.random.default_rng(seed)
        found.append(radar_statistics(lane(clutter(400, length=length, rng=rng))))
    return found


def test_lanes_of_one_law_are_like_each_other(measured):
    """In their figures and in pairs; one of another law is not."""
    one, *others, odd = measured
    pairs = {pair.key: pair for pair in compare_pairs(one, others)}
    assert {pairs[f"patches.{x}"].word for x in ("logistic", "trees")} == {"like"}
    pairs = {pair.key: pair for pair in compare_pairs(odd, others)}
    assert {pairs[f"patches.{x}"].word for x in ("logistic", "trees")} == {"differs"}
    assert pairs["patches.logistic"].value > 0.9
    figures = [radar_figures(x) for x in others]
    words = {row.figure.key: row.word for row in compare(radar_figures(odd), figures)}
    assert words["slice_2.length"] == "differs"
    words = {row.figure.key: row.word for row in compare(radar_figures(one), figures)}
    assert words["slice_2.length"] == words["slice_2.weibull"] == "like"


def test_pairs_that_are_withheld_are_not_judged(measured):
    """From the first slice that is withheld, classifiers see none below."""
    one, other, *_ = measured
    rows = compare_pairs(one, [other], withheld={"slice_1": "deep"})
    assert {row.word for row in rows if row.key.startswith(("slice_1", "patches"))} == {
        "cannot be compared"
    }
    assert all(row.why for row in rows if row.word == "cannot be compared")


# -- stretches -------------------------------------------------------------------------------


def test_empty_ground_is_the_ground_of_the_scenario():
    """Soils in turn, no target; the same ground with clutter and without."""
    recipe = scenario("village")
    bare, full = (
        field(empty_ground(recipe, has_clutter=has, n_each=2), seed=4) for has in (False, True)
    )
    soils = list(dict.fromkeys(recipe.ground.soils))
    assert [x.soil.preset.name for x in bare.lanes] == 2 * soils
    assert not bare.truth.objects
    assert not full.truth.targets
    assert len(full.truth.clutter) > 10
    for one, other in zip(bare.lanes, full.lanes, strict=True):
        assert one.soil == other.soil


def test_stretches_have_the_length_that_is_asked():
    """With their run-ins, also where these are longer than the stretch."""
    for length in (0.4, 3.0, 50.0):
        plan = empty_ground(scenario("farmland"), length=length).lanes
        assert plan.length + 2 * plan.run_in == pytest.approx(length)
        assert plan.length >= length / 2
    with pytest.raises(ValueError, match=r"length '0\.0'\. Must be finite and greater"):
        empty_ground(scenario("farmland"), length=0.0)
    with pytest.raises(ValueError, match="n_each"):
        empty_ground(scenario("farmland"), n_each=0)
    with pytest.raises(ValueError, match="cheese"):
        field(empty_ground(scenario("farmland"), soils=["cheese"]), seed=1)


def test_a_radar_like_another_records_as_it_does():
    """Axis, frequency, spacing; on the ground, and at a stated height."""
    swept = lane(clutter(100, rng=np.random.default_rng(0)), spacing=0.04)
    like = carrier_like(swept, CartPlan())
    radar = like.radar.radar
    assert like.radar.axis[1] == pytest.approx(swept.sensor.axis[1] - swept.sensor.axis[0])
    assert like.radar_spacing == pytest.approx(0.04)
    assert radar.centre_frequency == swept.sensor.radar.centre_frequency
    assert carrier_like(swept, CartPlan(), height=0.3).radar.radar.height == 0.3
    bare = dataclasses.replace(swept.sensor, radar=Radar(centre_frequency=5e8, separation=0.0))
    like = carrier_like(dataclasses.replace(swept, sensor=bare), CartPlan())
    assert like.radar.radar.height == COUPLED_HEIGHT
    assert like.radar.radar.separation == pytest.approx(0.3 * 0.6, rel=1e-3)
    with pytest.raises(ValueError, match=r"height '-1\.0'\. Must be finite and greater"):
        carrier_like(swept, CartPlan(), height=-1.0)
    with pytest.raises(ValueError, match="Must be 'emi'"):
        coil_carrier_like(swept, CartPlan())
    with pytest.raises(TooFewError, match=r"traces every 4\.9 mm: at least 5 mm are needed"):
        carrier_like(
            lane(clutter(100, rng=np.random.default_rng(0)), spacing=0.0049), CartPlan()
        )
    lost = dataclasses.replace(
        swept,
        position=np.full_like(swept.position, np.nan),
        quality=swept.quality | Quality.POSE_NONE,
    )
    with pytest.raises(TooFewError, match="distance between traces is not known"):
        carrier_like(lost, CartPlan())


def test_a_radar_like_another_starts_at_zero_and_loses_nothing():
    """Whatever its axis and height; errors are scaled to it, and no fault of a link is left."""
    sensor = raised(height=0.01)
    object.__setattr__(sensor, "axis", sensor.axis + 3e-9)
    object.__setattr__(sensor, "radar", dataclasses.replace(sensor.radar, centre_frequency=1e9))
    plan = CartPlan()
    like = carrier_like(lane(clutter(100, rng=np.random.default_rng(0)), sensor=sensor), plan)
    assert like.radar.axis[0] == 0
    assert like.radar.radar.height == COUPLED_HEIGHT
    assert like.radar_errors == scaled_errors(plan.radar_errors, 1e9)
    assert_no_faults(like)


def test_coils_like_others_record_as_they_do():
    """Spacing, mean speed and the errors of the plan; no fault of a link is left."""
    sensor = make_coils()
    object.__setattr__(sensor, "head", dataclasses.replace(sensor.head, height=0.05))
    swept = make_sweep(np.zeros((60, 2, 12)), sensor=sensor, spacing=0.04, speed=0.8)
    plan = CartPlan(coil_errors=CoilErrors(white=1e-9))
    like = coil_carrier_like(swept, plan)
    assert like.coil_spacing == pytest.approx(0.04)
    assert like.motion.speed == pytest.approx(0.8)
    assert like.coil_errors == plan.coil_errors
    assert_no_faults(like)
    with pytest.raises(TooFewError, match="height of the head is not known"):
        coil_carrier_like(make_sweep(np.zeros((60, 2, 12)), sensor=make_coils()), plan)


def assert_no_faults(carrier):
    """Fail if a fault of the link can befall a carrier."""
    faults = dataclasses.asdict(carrier.faults)
    assert {value for name, value in faults.items() if name.endswith("_per_minute")} == {0}


def test_soils_of_the_scenario_can_be_simulated():
    """Its own beside the presets, nothing else."""
    plain = scenario("farmland")
    ground = dataclasses.replace(plain.ground, own={"heap": SOILS["loam"]})
    recipe = dataclasses.replace(plain, ground=ground)
    assert [is_soil(word, recipe) for word in ("heap", "loam", "concrete")] == [1, 1, 0]
    assert not is_soil("heap", plain)


def test_errors_are_alike_in_periods():
    """Times grow as frequencies fall, shares stay."""
    times = {"delay_spread": 3e-11, "delay_drift": 5e-12, "jitter": 2e-12, "ringing_time": 1e-9}
    rates = {"ringing_frequency": 1.2e9, "gain_slope": 1e9}
    errors = RadarErrors(**times, **rates)
    other = scaled_errors(errors, 0.5e9)
    for name, value in times.items():
        assert getattr(other, name) == pytest.approx(3 * value)
    for name, value in rates.items():
        assert getattr(other, name) == pytest.approx(value / 3)
    assert dataclasses.replace(other, **times, **rates) == errors
    assert scaled_errors(errors, 1.5e9) == errors


def test_reach_is_that_of_the_index():
    """Two ways of 35 cm at c over the square root of the permittivity."""
    (made,) = field(empty_ground(scenario("farmland"), soils=["loam"]), seed=1).lanes
    square = made.soil.permittivity(np.array([4e8]))[0]
    expected = 2 * 0.35 * np.sqrt(square).real / 299_792_458
    assert reach_of(made.soil, 4e8) == pytest.approx(expected, rel=1e-12)


# -- references ------------------------------------------------------------------------------


def test_bands_in_common():
    """Symmetric; none from a ratio of five on."""
    one, other = Radar(centre_frequency=4e8), Radar(centre_frequency=1.5e9)
    assert common_band(one, other) == common_band(other, one)
    for ratio, has in ((5.0, True), (5.1, False)):
        low, high = common_band(one, Radar(centre_frequency=4e8 * ratio))
        assert (low < high) == has


def test_fine_and_long_recordings_are_thinned(tmp_path):
    """To 5 mm and 2000 traces, with a note for each."""
    fine = {"scans_per_metre": 400.0, "range": 40.0}
    path = write_dzt(tmp_path / "line.dzt", scans(4500, n_samples=64), **fine)
    (found,) = read_references(str(path))
    assert len(found.sweep) == 2000
    steps = np.diff(found.sweep.position[:, 1])
    assert np.hypot(steps, np.diff(found.sweep.position[:, 0])) == pytest.approx(0.005)
    assert found.notes == (
        "every 2th trace, 5 mm apart",
        "the first 2000 of 2250 traces",
    )
    assert not found.is_synthetic


def test_antennas_for_structures_stand_on_concrete(tmp_path):
    """Unless it is said what lies under them."""
    path = write_dzt(tmp_path / "s.dzt", scans(60, n_samples=64), antenna=b"SS MINI #4")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (found,) = read_references(str(path))
        (told,) = read_references(str(path), ground="loam", frequency=1.6e9)
    recipe = scenario("farmland")
    radar = Radar(centre_frequency=1.5e9)
    assert why_not(found, recipe, radar) == "concrete is no soil of the simulator"
    assert why_not(told, recipe, radar) == ""
    assert why_not(told, recipe, None) == "the platform of the scenario has no radar"


# -- the whole, by workers --------------------------------------------------------------------


def test_the_number_of_workers_changes_nothing():
    """Nor the order of the stretches."""
    recipe = scenario("village", lanes={"length": 1.0, "run_in": 0.5})
    found = []
    for workers in (1, 3):
        stretches = check_realism(recipe, seed=3, workers=workers).stretches
        found.append([(x.label, x.kind, [y.value for y in x.figures]) for x in stretches])
    assert found[0] == found[1]
    assert [x[1] for x in found[0]] == ["gpr"] * 4 + ["emi"] * 4


def test_seeds_and_heights_out_of_range_are_refused():
    """By their names."""
    recipe = scenario("village", lanes={"length": 1.0, "run_in": 0.5})
    with pytest.raises(ValueError, match="seed"):
        check_realism(recipe, seed=-1)


# -- the picture -------------------------------------------------------------------------------


def test_the_picture_is_the_same_for_the_same_lines(measured):
    """And another for others."""
    lines = [RealismLine(label=f"lane {k}", statistics=x) for k, x in enumerate(measured[:2])]
    lines[0] = dataclasses.replace(lines[0], is_reference=True)
    block = RealismBlock(title="two lanes", lines=lines)
    image = realism_figure([block])
    assert image == realism_figure([block])
    assert image != realism_figure([dataclasses.replace(block, lines=lines[:1])])
    assert b"SYNTHETIC" in realism_figure([block], image_format="svg")


def test_pictures_of_nothing_are_refused(measured):
    """No block, no line, sensors of two kinds, an unknown format."""
    line = RealismLine(label="lane", statistics=measured[0])
    with pytest.raises(ValueError, match=r"blocks of length 0\. Must hold at least one"):
        realism_figure([])
    with pytest.raises(ValueError, match="Must be of radar, or of metal detectors"):
        RealismBlock(title="none", lines=[])
    with pytest.raises(ValueError, match="image_format"):
        realism_figure([RealismBlock(title="one", lines=[line])], image_format="gif")


def test_labels_tell_stretches_apart():
    """Soil, and whether there is clutter."""
    options = {"soil": "loam", "kind": "gpr", "n_traces": 1, "n_flagged": 0, "figures": ()}
    labels = {
        Stretch(has_clutter=has, statistics=Missing("none"), **options).label
        for has in (False, True)
    }
    assert labels == {"loam, empty", "loam, clutter"}

"""Test profiles, protocols, exclusions, thresholds and bad input of the score."""

import dataclasses
import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from fields import make_alarm, make_clutter, make_coverage, make_target, make_truth
from scipy import stats

from minesense.score import (
    PROFILES,
    RADII,
    Exclusion,
    Halo,
    Protocol,
    area_needed,
    choose_threshold,
    match,
    outcomes,
    poisson_ratio,
    random_alarms,
    roc,
    score,
    score_passes,
    scored_ground,
    sensitivity,
)
from minesense.sweep import Frame

OPENED = datetime(2026, 5, 4, 8, tzinfo=UTC)
BEFORE = OPENED - timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "diameter", "reach"),
    [
        ("handheld", 0.1, 0.15),
        ("vehicle", 0.1, 0.30),
        ("hratc", 0.1, 0.5),
        ("atc_uxo", 0.1, 0.5),
        ("atc_uxo", 0.59, 0.5),
    ],
)
def test_profiles_reach_as_far_as_they_say(name, diameter, reach):
    """An alarm at the edge hits, a micrometre beyond it does not."""
    truth = make_truth(make_target("T1", 0.0, 5.0, diameter=diameter, heading=0.4))
    for more, expected in [(-1e-6, 1), (1e-6, 0)]:
        found = match([make_alarm(reach + more, 5.0)], truth, PROFILES[name].halo)
        assert found.count("hit") == expected


def test_a_long_item_has_an_ellipse_along_its_heading():
    """Of 1 m heading east: 1 m along, 0.5 m across; its ring is twice that."""
    halo = PROFILES["atc_uxo"].halo
    truth = make_truth(make_target("T1", 0.0, 5.0, diameter=1.0, heading=math.pi / 2))
    for east, north, expected in [
        (0.99, 0.0, "hit"),
        (1.01, 0.0, "outside"),
        (0.0, 0.49, "hit"),
        (0.0, 0.51, "outside"),
        (0.8, 0.4, "outside"),
        (1.99, 0.0, "outside"),
        (2.01, 0.0, "false"),
        (0.0, 1.01, "false"),
    ]:
        found = match([make_alarm(east, 5.0 + north)], truth, halo)
        assert [a.outcome for a in found.alarms] == [expected], (east, north)
    askew = dataclasses.replace(truth.objects[0], heading=math.pi / 4)
    north_east = match([make_alarm(0.65, 5.65)], make_truth(askew), halo)
    assert north_east.count("hit") == 1
    assert match([make_alarm(-0.65, 5.65)], make_truth(askew), halo).count("hit") == 0


def test_the_ground_leaves_out_the_ellipse():
    """Its area is pi a b, cell by cell what matching calls inside."""
    coverage = make_coverage(*[10.0] * 6)
    halo = Halo(kind="elongated")
    truth = make_truth(make_target("T1", 2.5, 5.0, diameter=1.0, heading=0.6))
    ground = scored_ground(truth, coverage, halo=halo)
    assert ground.halo == pytest.approx(math.pi * 1.0 * 0.5, rel=0.03)
    assert ground.halo + ground.ring == pytest.approx(4 * math.pi * 0.5, rel=0.03)
    rows, columns = np.nonzero(ground.mask)
    some = np.random.default_rng(0).choice(len(rows), 200, replace=False)
    alarms = [
        make_alarm(
            coverage.origin[0] + (columns[i] + 0.5) * coverage.cell,
            coverage.origin[1] + (rows[i] + 0.5) * coverage.cell,
        )
        for i in some
    ]
    assert match(alarms, truth, halo, coverage=coverage).count("false") == 200


def test_sensitivity_is_the_score_at_every_radius():
    """Each point is that of a score of its own; random marks find more as it grows."""
    coverage = make_coverage(10.0, 10.0)
    truth = make_truth(*(make_target(f"T{k}", k % 2, 1.0 + k) for k in range(8)))
    marks = random_alarms(coverage, 2.0, np.random.default_rng(3))
    points = sensitivity(marks, truth, coverage)
    assert tuple(p.radius for p in points) == RADII
    for point in points:
        whole = score(marks, truth, coverage, halo=Halo(radius=point.radius), curve=False)
        assert (point.pd_swept, point.false_alarms) == (whole.pd_swept, whole.false_alarms)
    assert points[0].pd_swept.k < points[-1].pd_swept.k


def test_truth_must_fit_the_smallest_radius():
    """Pitfall 28: a truth known to 4 cm makes 0.10 m invalid; 0.15 m is valid."""
    truth = make_truth(make_target("T1", 0.0, 5.0), position_error=0.04)
    with pytest.raises(ValueError, match=r"position_error '0.04' of the truth"):
        sensitivity([], truth, make_coverage())
    assert len(sensitivity([], truth, make_coverage(), radii=(0.15, 0.25))) == 2


def make_lanes(n=12):
    """Return truth, alarms that find all but one in three of lane B, and coverage."""
    objects, alarms = [], []
    for k, lane in enumerate("AB"):
        for i in range(n):
            metal = ("none", "low", "high")[i % 3]
            place = (float(k), 0.4 + 0.8 * i)
            objects.append(make_target(f"{lane}{i:02d}", *place, metal_class=metal, lane=lane))
            if lane == "A" or i % 3:
                alarms.append(make_alarm(*place, 1.0 + i, lane=lane))
    return make_truth(*objects), alarms, make_coverage(10.0, 10.0)


def test_strata_by_lane_kind_and_identifier():
    """Soil by lane, a class by kind, one target by name, which goes first."""
    truth, alarms, coverage = make_lanes()
    protocol = Protocol(
        strata={
            "soil": {"A": "sand", "B": "clay", "A00": "clay"},
            "class": {"disc": "against persons"},
        }
    )
    result = score(alarms, truth, coverage, protocol=protocol, curve=False)
    found = {(s.group, s.name): (s.swept.k, s.swept.n) for s in result.strata}
    assert found["soil", "sand"] == (11, 11)
    assert found["soil", "clay"] == (9, 13)
    assert found["class", "against persons"] == (20, 24)
    assert "Pd | swept by soil" in str(result)


def test_a_stratum_of_the_protocol_is_mandatory():
    """Nine targets on one soil, or none stated, forbid the headline; enough allow it."""
    objects, alarms = [], []
    for i in range(40):
        place = (float(i // 10), 0.5 + 0.9 * (i % 10))
        metal = ("none", "low", "high")[i % 3]
        objects.append(
            make_target(f"T{i:02d}", *place, metal_class=metal, lane="ABCD"[i // 10])
        )
        if i != 7:
            alarms.append(make_alarm(*place))
    truth, coverage = make_truth(*objects), make_coverage(*[10.0] * 4)
    soils = {"A": "sand", "B": "sand", "C": "clay", "D": "clay"}

    def headline(**strata):
        protocol = Protocol(strata=strata)
        return score(alarms, truth, coverage, protocol=protocol, curve=False).headline()

    line = headline(soil=soils)
    assert line.startswith("SYNTHETIC: Pd | swept, all targets 0.975 [")
    assert "39 of 40, worst stratum metal = low metal 0.923 [" in line
    assert "12 of 13; false alarms per m2" in line
    few = {f"T{i:02d}": "peat" for i in range(9)}
    with pytest.raises(ValueError, match=r"soil = peat \(n = 9\). Must hold at least 10 swept"):
        headline(soil=soils | few)
    with pytest.raises(ValueError, match=r"height = unstated \(n = 39\)"):
        headline(height={"T00": "5 cm"})


def test_plastic_refuses_or_leads_the_headline():
    """Pitfall 21: 90 of 90 with metal, 1 of 10 without: never one number alone."""
    objects, alarms = [], []
    for i in range(110):
        metal = "none" if i < 10 else "low" if i < 20 else "high"
        place = (float(i % 2), 0.4 + 0.8 * (i // 2))
        objects.append(make_target(f"T{i:03d}", *place, metal_class=metal))
        if i == 0 or i >= 10:
            alarms.append(make_alarm(*place))
    coverage = make_coverage(50.0, 50.0, length=50.0)
    result = score(alarms, make_truth(*objects), coverage, curve=False)
    assert "worst stratum metal = no metal 0.100" in result.headline()
    fewer = make_truth(*objects[:9], *objects[10:])
    with pytest.raises(ValueError, match="metal = no metal"):
        score(alarms, fewer, coverage, curve=False).headline()


def test_an_exclusion_takes_area_alarms_and_targets_and_is_told():
    """Pitfall 27: what is left out is stated with its effect on Pd."""
    truth, alarms, coverage = make_lanes()
    alarms = [*alarms, make_alarm(1.3, 5.0, 0.5, lane="B")]
    whole = score(alarms, truth, coverage)
    left_out = Exclusion(lane="B", reason="flooded", decided=BEFORE)
    protocol = Protocol(exclusions=(left_out,), unsealed=OPENED)
    result = score(alarms, truth, coverage, protocol=protocol)
    assert (result.pd_swept.k, result.pd_swept.n) == (12, 12)
    assert result.pd_with_excluded == whole.pd_swept
    effect = result.exclusions[0]
    assert (effect.n_detected, effect.n_swept) == (8, 12)
    assert effect.area == pytest.approx(10.0)
    assert result.areas["observed"] == pytest.approx(10.0)
    assert result.outside == {"excluded": 9}
    assert result.false_alarms.count == 0
    assert whole.false_alarms.count == 1
    text = str(result)
    assert "Left out, lane B: flooded; 10 m2, 8 of 12 swept targets detected" in text
    assert "Pd | swept with what was left out: 0.833" in text
    assert json.dumps(result.to_dict(), allow_nan=False).count("2026-05-04T07:00") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unsealed": BEFORE}, "lane 'B', decided at 2026-05-04T07:00"),
        ({"unsealed": BEFORE - timedelta(1)}, "Must be decided before"),
        ({}, "unsealed at not stated"),
        ({"unsealed": datetime(2026, 5, 4)}, "Must have a time zone"),
    ],
)
def test_lanes_are_not_dropped_after_the_scores_were_seen(options, message):
    """Pitfall 27: an exclusion needs an instant before the truth was opened."""
    left_out = Exclusion(lane="B", reason="bad", decided=BEFORE)
    with pytest.raises(ValueError, match=message):
        Protocol(exclusions=(left_out,), **options)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Exclusion(lane="", reason="x", decided=BEFORE), ValueError, "Invalid lane"),
        (lambda: Exclusion(lane="A", reason="", decided=BEFORE), ValueError, "Invalid reason"),
        (
            lambda: Exclusion(lane="A", reason="x", decided="now"),
            TypeError,
            "Must be a datetime",
        ),
        (lambda: Protocol(strata={"depth": {}}), ValueError, "Invalid group of strata 'depth'"),
        (lambda: Protocol(digging_time=0), ValueError, "Invalid digging_time"),
        (
            lambda: Protocol(
                exclusions=2 * (Exclusion(lane="A", reason="x", decided=BEFORE),),
                unsealed=OPENED,
            ),
            ValueError,
            "lane 'A' is named twice",
        ),
        (
            lambda: score(
                [],
                make_truth(),
                make_coverage(),
                protocol=Protocol(
                    exclusions=(Exclusion(lane="Z", reason="x", decided=BEFORE),),
                    unsealed=OPENED,
                ),
            ),
            ValueError,
            "no lane 'Z'. Must be lanes of the coverage: 'A'",
        ),
    ],
)
def test_bad_protocols_are_named(make, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        make()


def test_a_threshold_remembers_its_targets():
    """Pitfall 3: chosen on these targets the score is tagged and refused, on others not."""
    truth, alarms, coverage = make_lanes()
    chosen = choose_threshold(alarms, truth, coverage, pd=0.5)
    result = score(alarms, truth, coverage, threshold=chosen)
    assert result.is_tuned_on_test
    assert result.threshold == chosen.value
    assert "tuned_on_test" in str(result)
    assert result.to_dict()["is_tuned_on_test"] is True
    with pytest.raises(ValueError, match="tuned_on_test"):
        result.headline()
    half = choose_threshold(alarms, truth.only({"A"}), coverage, pd=0.5)
    assert score(alarms, truth, coverage, threshold=half).is_tuned_on_test  # overlap will do
    assert not score(alarms, truth.only({"B"}), coverage, threshold=half).is_tuned_on_test
    assert not score(alarms, truth, coverage, threshold=half.value).is_tuned_on_test


def test_thresholds_do_what_they_were_chosen_for():
    """The highest that reaches a Pd, the lowest that keeps to a rate."""
    truth, alarms, coverage = make_lanes()
    alarms = [*alarms, *(make_alarm(0.3, 0.8 + 0.8 * k, 0.1 * k) for k in range(8))]
    curve = roc(alarms, truth, coverage)
    for pd in (0.25, 0.5, 0.8):
        value = choose_threshold(alarms, truth, coverage, pd=pd).value
        reached = curve.pd >= pd - 1e-12
        assert value == curve.thresholds[reached].max()
    for far in (0.0, 0.1, 0.3):
        value = choose_threshold(alarms, truth, coverage, far=far).value
        assert value == curve.thresholds[curve.far <= far].min()
    for bad in ({}, {"pd": 0.5, "far": 0.1}):
        with pytest.raises(ValueError, match="Must be one of both"):
            choose_threshold(alarms, truth, coverage, **bad)
    with pytest.raises(ValueError, match="no threshold reaches pd 1"):
        choose_threshold(alarms, truth, coverage, pd=1.0)
    with pytest.raises(ValueError, match="Must be at most 1"):
        choose_threshold(alarms, truth, coverage, pd=1.5)


def test_false_alarms_per_target_and_digging_time():
    """4 false for 2 found is 2 each; at 5 minutes a dig, the rate times 5 minutes."""
    truth = make_truth(make_target("T1", 0.0, 2.0), make_target("T2", 0.0, 8.0))
    alarms = [make_alarm(0.0, 2.0), make_alarm(0.0, 8.0)]
    alarms += [make_alarm(0.3, 3.0 + k) for k in range(4)]
    result = score(alarms, truth, make_coverage(), protocol=Protocol(digging_time=300.0))
    ratio = result.false_per_target
    assert (ratio.count, ratio.per, ratio.value) == (4, 2, 2.0)
    assert result.digging_time.value == pytest.approx(300 * result.false_alarms.value)
    assert result.digging_time.high == pytest.approx(300 * result.false_alarms.high)
    last = str(result).splitlines()[-2:]
    assert last[0].startswith("False alarms per target found: 2, 0.287 to 22.1 (4 for 2)")
    minutes = 5 * result.false_alarms.value
    assert last[1].startswith(f"Digging at false alarms, minutes per m2: {minutes:.3g},")
    nothing = score(alarms[2:], truth, make_coverage())
    assert str(nothing).splitlines()[-1] == "False alarms per target found: none found, 4 false"
    assert nothing.to_dict()["false_per_target"]["value"] is None


def test_the_ratio_of_counts_covers():
    """Limits hold the ratio of two Poisson means at least as often as they say."""
    rng = np.random.default_rng(5)
    a, b = rng.poisson(12, 2000), rng.poisson(8, 2000)
    limits = {
        pair: poisson_ratio(*pair) for pair in set(zip(a.tolist(), b.tolist(), strict=True))
    }
    held = [limits[x, y].low <= 1.5 <= limits[x, y].high for x, y in zip(a, b, strict=True)]
    assert 0.94 < np.mean(held) < 0.99
    low, high = stats.binomtest(30, 90).proportion_ci(method="exact")
    _, found_low, found_high = poisson_ratio(30, 60)
    assert (found_low, found_high) == pytest.approx((low / (1 - low), high / (1 - high)))
    assert poisson_ratio(0, 5)[:2] == (0.0, 0.0)
    assert math.isnan(poisson_ratio(3, 0).value)
    assert poisson_ratio(3, 0).high == math.inf


def test_area_with_false_alarms_inverts_the_poisson_limit():
    """With k alarms in that area, the upper limit of the rate is the rate asked for."""
    for k in range(4):
        area = area_needed(0.05, k)
        limit = stats.chi2.ppf(0.95, 2 * k + 2) / 2 / area
        assert limit == pytest.approx(0.05)


def test_the_same_place_and_time_twice_is_an_error():
    """With names of their own, two records of one alarm; apart in time or place they pass."""
    truth, coverage = make_truth(), make_coverage()
    one = make_alarm(0.0, 5.0, 1.0, identifier="one")
    two = dataclasses.replace(one, identifier="two", score=2.0)
    for judge in (score, roc):
        with pytest.raises(ValueError, match="'two': it has the place and time of alarm 'one'"):
            judge([one, two], truth, coverage)
    untimed = [dataclasses.replace(item, time=math.nan) for item in (one, two)]
    with pytest.raises(ValueError, match="Must be raised once"):
        score(untimed, truth, coverage)
    later = dataclasses.replace(two, time=1.0)
    assert score([one, later], truth, coverage).false_alarms.count == 2
    nowhere = [
        dataclasses.replace(item, easting=math.nan, northing=math.nan) for item in (one, two)
    ]
    assert score(nowhere, truth, coverage).outside == {"unlocated": 2}


def test_alarms_beyond_the_swept_ground_are_counted_apart():
    """They are neither false nor dropped; the table names them."""
    alarms = [make_alarm(0.0, 2.0), make_alarm(5.0, 5.0), make_alarm(0.0, 9.0)]
    result = score(alarms, make_truth(), make_coverage(6.0))
    assert result.false_alarms.count == 1
    assert result.outside == {"not observed": 2}
    assert "1 false, 2 outside (2 not observed)" in str(result)


def test_truth_needs_the_frame_of_the_coverage():
    """A coordinate reference system on one side only, or another one, is an error."""
    truth, local = make_truth(make_target("T1", 0.0, 2.0)), make_coverage()
    utm = dataclasses.replace(local, frame=Frame(crs="EPSG:32638", origin="grid"))
    with pytest.raises(ValueError, match="frame None of the truth: the coverage is in EPSG:3"):
        score([], truth, utm)
    with pytest.raises(ValueError, match=r"in 'EPSG:32637'. Must be that of the coverage"):
        score([], truth, utm, protocol=Protocol(frame=Frame(crs="EPSG:32637")))
    score([], truth, utm, protocol=Protocol(frame=Frame(crs="EPSG:32638")))
    score([], truth, local)
    score([], dataclasses.replace(truth, frame=Frame(crs="EPSG:32638")), utm)
    stake = dataclasses.replace(local, frame=Frame(origin="stake 1"))
    with pytest.raises(ValueError, match="counted from 'stake 2'"):
        score([], truth, stake, protocol=Protocol(frame=Frame(origin="stake 2")))
    score([], truth, stake, protocol=Protocol(frame=Frame(origin="stake 1")))


@pytest.mark.parametrize(
    "call",
    [
        lambda truth, coverage: match([], truth, coverage=coverage),
        lambda truth, coverage: outcomes([], truth, coverage),
        lambda truth, coverage: sensitivity([], truth, coverage),
        lambda truth, coverage: choose_threshold([make_alarm(0, 2)], truth, coverage, pd=0.5),
        lambda truth, coverage: score_passes({"a": ([], coverage)}, truth),
    ],
    ids=["match", "outcomes", "sensitivity", "choose_threshold", "score_passes"],
)
def test_nothing_is_scored_in_another_frame(call):
    """Not by the least of the functions either; stated, it is."""
    truth = make_truth(make_target("T1", 0.0, 2.0))
    utm = dataclasses.replace(make_coverage(), frame=Frame(crs="EPSG:32638", origin="grid"))
    with pytest.raises(ValueError, match="frame None of the truth: the coverage is in EPSG:3"):
        call(truth, utm)
    with pytest.raises(ValueError, match=r"in 'EPSG:32637'\. Must be that of the coverage"):
        call(dataclasses.replace(truth, frame=Frame(crs="EPSG:32637")), utm)
    call(dataclasses.replace(truth, frame=Frame(crs="EPSG:32638")), utm)


def test_the_frame_is_part_of_the_hash_only_if_it_is_stated():
    truth = make_truth(make_target("T1", 0.0, 2.0))
    stated = dataclasses.replace(truth, frame=Frame(crs="EPSG:32638"))
    assert truth.sha256 != stated.sha256
    assert stated.only([""]).frame == stated.frame


def test_clutter_is_named_beside_an_ellipse():
    """Clutter halos follow the profile too."""
    truth = make_truth(make_clutter("C1", 0.0, 5.0))
    found = match([make_alarm(0.49, 5.0)], truth, PROFILES["hratc"].halo)
    assert found.alarms[0].clutter == "C1"

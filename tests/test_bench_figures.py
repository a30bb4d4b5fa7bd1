"""Test the figures of the benchmark against slow versions, limits and bad input."""

import dataclasses
import math
from types import SimpleNamespace

import naive_bench
import numpy as np
import numpy.testing as npt
import pytest
from fields import make_alarm, make_coverage, make_target, make_truth
from hypothesis import given
from hypothesis import strategies as st

from minesense.bench import Outcomes, Places, differences, judge_honesty, lane_claims
from minesense.bench.chance import DENSITY, Dowsing, RandomMarks, layout_features, marks_over
from minesense.bench.discrimination import place_scores, rejected_share
from minesense.bench.goals import goals_of
from minesense.bench.outcomes import Draws, draw_lanes, percentiles, pool, readings
from minesense.bench.promises import lane_losses
from minesense.score import match

SCORES = st.lists(st.sampled_from([math.nan, 0.0, 1.0, 2.0, 2.5, 3.0]), min_size=1, max_size=8)
FALSE = st.lists(st.sampled_from([0.5, 1.0, 2.0, 2.5, 4.0]), max_size=8)


def make_outcomes(targets, false, *, lanes=2, area=5.0, threshold=1.5):
    """Return outcomes whose targets and false alarms take turns of the lanes."""
    targets, false = np.array(targets, float), np.array(false, float)
    false_lanes = np.arange(len(false)) % lanes
    with np.errstate(invalid="ignore"):
        detected = targets >= threshold
    at = np.bincount(false_lanes[false >= threshold], minlength=lanes)
    return Outcomes(
        areas=np.full(lanes, area),
        target_lanes=np.arange(len(targets)) % lanes,
        target_scores=targets,
        detected=detected,
        false_lanes=false_lanes,
        false_scores=false,
        false_at_threshold=at,
    )


@given(targets=SCORES, threshold=st.floats(0, 3.5), lanes=st.integers(1, 4))
def test_losses_of_lanes_are_the_shares_missed(targets, threshold, lanes):
    """Lane by lane; a score that is NaN is a miss, a lane without targets no lane."""
    outcomes = make_outcomes(targets, [2.0, 1.0], lanes=lanes, threshold=threshold)
    losses = []
    for lane in range(lanes):
        own = targets[lane::lanes]
        if own:
            losses.append(sum(not score >= threshold for score in own) / len(own))
    npt.assert_allclose(lane_losses(outcomes), losses)


def figure(value):
    """Return a figure as in a results file."""
    return {"value": value, "low": value, "high": value}


def test_goals_are_met_by_their_values():
    """Each from its own place in a results file, and none where it is missing."""
    promise = {
        "stated": 0.05,
        "certified": 0.05,
        "threshold": 0.0,
        "n_lanes": 30,
        "n_sites": 200,
        "mean_miss_rate": figure(0.04),
        "share_of_sites_above": 0.1,
        "lane_miss_rate": {"half": 0.0, "nine_tenths": 0.1, "worst": 0.5},
        "false_alarms_per_m2": 1.0,
    }
    entry = {
        "little_metal": {"k": 9, "n": 10},
        "calibration_error": {"n": 5, "n_withheld": 1, "by_chance": 0.02, **figure(0.05)},
    }
    track = {
        "all": {
            "readings": {"full": {}},
            "false_alarms_saved": {"full": figure(0.69)},
        },
        "parts": {
            part: {
                "entrants": {"full": entry, "metal_detector": entry},
                "promises": {"full": [promise, {"stated": 0.1, "not_promised": "why"}]},
            }
            for part in ("lane_out", "soil_out")
        },
    }
    rejected = {
        "n_mines": 300,
        "n_clutter": 900,
        "stop_dig": {"rejected": {"k": 8, "n": 9}, "missed": {"k": 1, "n": 3}},
        "rejected_at_0_missed": figure(0.8),
    }
    own = {
        "noticed": {"k": 310, "n": 340},
        "n_clutter": 950,
        "stop_dig": {"rejected": {"k": 7, "n": 9}, "missed": {"k": 2, "n": 4}},
        "rejected_at_0_missed": figure(0.7),
    }
    row = {"far": None, "pd": figure(0.7), "rejected": figure(0.97)}
    parts = {
        part: {
            "entrants": {"full": rejected},
            "own_places": {"full": own},
            "against_prescreeners": {"energy": {"full": [row, {**row, "far": 0.1}]}},
        }
        for part in ("lane_out", "soil_out")
    }
    found = {g.name: g for g in goals_of({"tracks": {"A": track, "B": {"parts": parts}}})}
    verdicts = {name: goal.is_met for name, goal in found.items()}
    start = "clutter rejected, no further mine missed, "
    assert verdicts[f"{start}lane_out"] is False
    assert verdicts[f"{start}soil_out"] is True
    assert verdicts["false alarms saved against metal_detector at Pd 0.9"] is False
    little = "Pd of little or no metal to 10 cm at 0.1 FA/m2, "
    assert verdicts[f"{little}full"] is True
    assert verdicts[f"{little}metal_detector"] is None
    assert found[f"{little}full"].cases.startswith("18 of 20")
    assert "8 of 9 rejected and 1 of 3 mines missed" in found[f"{start}lane_out"].cases
    own_places = found[f"{start}places of its own, lane_out"]
    assert (own_places.value, own_places.is_met) == (0.7, False)
    assert "310 of 340 mines noticed, 950 pieces" in own_places.cases
    assert "7 of 9 rejected and 2 of 4 mines missed" in own_places.cases
    saved = found["false alarms of energy saved at its own Pd, of all it noticed, lane_out"]
    assert (saved.value, saved.is_met, saved.cases[:9]) == (0.97, None, "Pd 70.0 %")
    assert "false alarms of energy saved at its own Pd, at 0.1 FA/m2, soil_out" in found
    before = {part: {"entrants": {"full": rejected}} for part in parts}  # no places of its own
    old = goals_of({"tracks": {"B": {"parts": before}}})
    assert [goal.is_met for goal in old] == [False, True]
    assert verdicts["mean share missed in a lane, stated 0.05, lane_out"] is True
    assert verdicts["mean share missed in a lane, stated 0.1, lane_out"] is None
    assert verdicts["expected calibration error, lane_out"] is False
    assert verdicts["expected calibration error, soil_out"] is True
    assert goals_of({"tracks": {}}) == []
    head = {"version": "1", "size": "full", "seed": 1, "commitment": None}
    document = {"benchmark": head, "data": {}, "exclusions": []}
    document["tracks"] = {"B": {"parts": {"lane_out": {"entrants": {}}, **parts}}}
    assert goals_of(document)


@given(targets=SCORES, false=FALSE)
def test_readings_match_the_slow_version(targets, false):
    """Ties, targets that are never found, and no false alarm at all."""
    found = {k: v[0] for k, v in readings(make_outcomes(targets, false)).items()}
    for far in (0.01, 0.1, 1.0):
        expected = naive_bench.pd_at_far(targets, false, 10.0, far)
        npt.assert_allclose(found[f"pd_at_far_{far:g}"], expected)
    for pd in (0.8, 0.9, 0.95):
        expected = naive_bench.far_at_pd(targets, false, 10.0, pd)
        npt.assert_allclose(found[f"far_at_pd_{pd:g}"], expected)
    expected = naive_bench.partial_area(targets, false, 10.0, 1.0, n=1000)
    npt.assert_allclose(found["pauc_1"], expected, atol=2e-3)
    npt.assert_allclose(found["pd"], np.mean([s >= 1.5 for s in targets]))
    npt.assert_allclose(found["far"], sum(s >= 1.5 for s in false) / 10.0)


@given(targets=SCORES, false=FALSE, twice=st.integers(0, 1))
def test_a_lane_drawn_twice_is_that_lane_twice(targets, false, twice):
    """Weights stand for copies: of targets, of false alarms and of area."""
    whole = make_outcomes(targets, false)
    lanes = np.array([[2.0, 0.0], [0.0, 2.0]])[[twice]]
    drawn = readings(whole, Draws(lanes, lanes[:, whole.target_lanes]))
    own = [s for k, s in enumerate(targets) if k % 2 == twice]
    wrong = [s for k, s in enumerate(false) if k % 2 == twice]
    if not own:
        assert math.isnan(drawn["pauc_1"][0])
        return
    alone = readings(make_outcomes(own, wrong, lanes=1))
    for name, value in alone.items():
        npt.assert_allclose(drawn[name], value, err_msg=name)


def test_draws_keep_lanes_and_their_targets_together():
    """As many targets of a lane as it has, times how often it was drawn."""
    owner = np.array([0, 0, 0, 2])
    draws = draw_lanes(3, owner, rng=np.random.default_rng(0), n_resamples=200)
    npt.assert_array_equal(draws.targets[:, :3].sum(axis=1), 3 * draws.lanes[:, 0])
    npt.assert_array_equal(draws.targets[:, 3], draws.lanes[:, 2])
    npt.assert_array_equal(draws.lanes.sum(axis=1), 3)
    npt.assert_allclose(draws.lanes.mean(axis=0), 1, atol=0.2)


def test_a_run_does_not_differ_from_itself():
    """The limits of nothing are nothing: lanes that are hard are hard for both."""
    one = make_outcomes([3, 1, math.nan, 2, 0], [2.5, 1, 0.5], lanes=3)
    found = differences(one, one, rng=np.random.default_rng(0), figures=("pauc_1", "pd", "far"))
    for item in found.values():
        assert (item.value, item.low, item.high) == (0, 0, 0)
        assert not item.is_beyond_chance


def test_a_single_lane_tells_no_difference():
    """Drawn again it is the same lane, and its limits would have no width."""
    one, two = (make_outcomes([3, 1], scores, lanes=1) for scores in ([2.5], [2.5, 2.0, 1.5]))
    found = differences(one, two, rng=np.random.default_rng(0), figures=("pauc_1", "far"))
    assert found["pauc_1"].value < 0
    assert not any(item.is_beyond_chance for item in found.values())
    assert math.isnan(found["pauc_1"].high)


def test_pairs_see_what_two_intervals_do_not():
    """Every lane a little worse, while lanes differ widely: the paired limits exclude zero."""
    rng = np.random.default_rng(seed=3)
    lane = np.repeat(np.arange(20), 10)
    level = rng.uniform(0.1, 0.9, 20)[lane]
    good = rng.random(200) < level
    bad = good & (rng.random(200) > 0.25)
    parts = {
        "areas": np.full(20, 10.0), "target_lanes": lane, "false_lanes": np.arange(20),
        "false_scores": np.zeros(20), "false_at_threshold": np.zeros(20, int),
    }  # fmt: skip
    first, second = (
        Outcomes(target_scores=np.where(hit, 1.0, np.nan), detected=hit, **parts)
        for hit in (good, bad)
    )
    found = differences(first, second, rng=np.random.default_rng(0), figures=("pd",))["pd"]
    assert found.is_beyond_chance
    assert found.value == pytest.approx(bad.mean() - good.mean())
    assert found.high < 0
    alone = [
        percentiles(
            readings(x, draw_lanes(20, lane, rng=np.random.default_rng(0), n_resamples=500))[
                "pd"
            ]
        )
        for x in (first, second)
    ]
    assert alone[1][1] > alone[0][0]  # the limits of each overlap


def test_pooling_shifts_lanes():
    """Lanes of the second part follow those of the first."""
    one = make_outcomes([3, 1], [2.0])
    both = pool([one, one])
    assert (both.n_lanes, both.target_lanes.tolist()) == (4, [0, 1, 2, 3])
    assert both.false_lanes.tolist() == [0, 2]
    npt.assert_allclose(readings(both)["pauc_1"], readings(one)["pauc_1"])


@pytest.mark.parametrize(
    "change",
    [
        {"target_lanes": np.array([0, 5])},
        {"detected": np.array([True])},
        {"areas": np.zeros(2)},
        {"false_scores": np.empty(0)},
    ],
)
def test_outcomes_that_do_not_fit_are_refused(change):
    """Lengths, lanes and areas."""
    one = make_outcomes([3, 1], [2.0])
    values = {name: getattr(one, name) for name in Outcomes.__dataclass_fields__}
    with pytest.raises(ValueError, match="Must have a lane and a score each"):
        Outcomes(**values | change)
    with pytest.raises(ValueError, match="Must be of the same lanes and targets"):
        differences(one, make_outcomes([3], []), rng=np.random.default_rng(0))


# -- track B -------------------------------------------------------------------------------


@given(
    rows=st.lists(
        st.tuples(st.sampled_from([-math.inf, 0.0, 1.0, 2.0]), st.integers(-1, 2)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
@pytest.mark.parametrize("misses", [0, 1])
def test_rejection_matches_the_slow_version(rows, misses):
    """The best score of a mine counts; ties keep clutter in."""
    scores = [s for s, _ in rows] + [0.0, 1.0, 2.0, 0.5]
    owner = [k for _, k in rows] + [0, 1, 2, -1]
    places = Places(
        lanes=np.zeros(len(owner), int), easting=np.zeros(len(owner)),
        northing=np.zeros(len(owner)), owner=np.array(owner), n_lanes=1,
    )  # fmt: skip
    found = rejected_share(np.array(scores), places, misses)
    npt.assert_allclose(found, naive_bench.rejected(scores, owner, misses))


def test_a_lane_that_was_not_drawn_counts_for_nothing():
    """Neither its mine, which is the hardest, nor its clutter."""
    places = Places(
        lanes=np.array([0, 0, 1, 1]), easting=np.zeros(4), northing=np.zeros(4),
        owner=np.array([0, -1, 1, -1]), n_lanes=2,
    )  # fmt: skip
    scores = np.array([2.0, 1.0, 0.0, 3.0])
    assert rejected_share(scores, places, 0) == 0
    assert rejected_share(scores, places, 0, np.array([2.0, 0.0])) == 1
    assert math.isnan(rejected_share(scores, places, 0, np.zeros(2)))


def test_places_take_the_nearest_alarm_within_reach():
    """Not a better one farther off, and none beyond a quarter of a metre."""
    places = Places(
        lanes=np.zeros(2, int), easting=np.array([0.0, 9.0]), northing=np.zeros(2),
        owner=np.array([0, -1]), n_lanes=1,
    )  # fmt: skip
    alarms = [make_alarm(0.1, 0.0, 1.0), make_alarm(0.2, 0.0, 5.0), make_alarm(9.26, 0.0, 7.0)]
    lost = make_alarm(math.nan, 0.0, 9.0, identifier="lost")
    found = place_scores(SimpleNamespace(ranked=[*alarms, lost]), places)
    assert found.tolist() == [1.0, -math.inf]
    assert place_scores(SimpleNamespace(ranked=[]), places).tolist() == [-math.inf] * 2


# -- track D -------------------------------------------------------------------------------


def test_claims_are_counted_lane_by_lane():
    """Claimed beyond what was swept, and swept beyond what was claimed, but for one cell."""
    true, claimed = make_coverage(5.0, 10.0), make_coverage(8.0, 6.0)
    lanes = lane_claims(claimed, true)
    assert lanes["A"]["falsely_claimed"] == pytest.approx(3.0, abs=0.35)
    assert lanes["B"]["not_claimed"] == pytest.approx(4.0, abs=0.7)
    assert lanes["A"]["not_claimed"] == lanes["B"]["falsely_claimed"] == 0
    assert lanes["A"]["wanted"] == pytest.approx(10.0)
    figures = judge_honesty(claimed, true, n_resamples=50)
    share = lanes["A"]["falsely_claimed"] / (20 - sum(x["observed"] for x in lanes.values()))
    assert figures["any"]["falsely_claimed"]["value"] == pytest.approx(share, rel=1e-6)
    assert figures["gpr"]["not_claimed"]["low"] <= figures["gpr"]["not_claimed"]["value"]


def test_one_who_listens_to_one_sensor_is_asked_about_that_one():
    """Ground that the other sensor saw is no fault of an entrant without it."""
    true = make_coverage(10.0, kinds=("gpr", "emi"))
    claimed = make_coverage(10.0, kinds=("emi",))
    assert lane_claims(claimed, true)["A"]["not_claimed"] == 0
    assert set(judge_honesty(claimed, true, n_resamples=5)) == {"any", "emi"}


def test_ground_claimed_for_a_sensor_that_was_not_there_is_refused():
    """Nothing could be held against such a claim."""
    true = make_coverage(5.0, kinds=("gpr", "emi"))
    claimed = make_coverage(10.0)
    claimed = dataclasses.replace(
        claimed,
        observed={"fused": claimed.observed["gpr"]},
        reasons={"fused": claimed.reasons["gpr"]},
        unlocated={"fused": 0},
    )
    for judge in (lane_claims, judge_honesty):
        with pytest.raises(ValueError, match="kind of sensor of the coverage 'fused'"):
            judge(claimed, true)


# -- chance --------------------------------------------------------------------------------


def lanes_of(n, width=1.0, length=20.0):
    """Return sweeps and rectangles of lanes side by side, marks may lie anywhere in them."""
    from lanes import make_coils, make_sweep  # noqa: PLC0415

    sweeps, area = [], []
    sensor = make_coils(1)
    for k in range(n):
        northing = np.arange(0, length + 0.01, 0.1)
        for side in np.arange(-0.4, 0.41, 0.1):
            position = np.column_stack([0 * northing + 2 * k + side, northing, 0 * northing])
            samples = np.zeros((len(northing), *sensor.shape))
            sweeps.append(make_sweep(samples, sensor=sensor, position=position, lane=f"L{k}"))
        area.append((2 * k - width / 2, 0.0, 2 * k + width / 2, length, f"L{k}"))
    return sweeps, area


def leak(easting, seed=0):
    """Return by how much dowsing beats random where targets lie at such offsets."""
    rng = np.random.default_rng(seed)
    results = []
    sweeps, area = lanes_of(16)
    for n in range(2):
        targets = [
            make_target(
                f"{n}/{k}/{i}", 2 * k + easting(rng), 1.5 + 2.0 * i + rng.uniform(-1, 1)
            )
            for k in range(16)
            for i in range(9)
        ]
        results.append(make_truth(*targets))
    train, test = results
    pair = []
    for entrant in (RandomMarks(), Dowsing()):
        entrant.train(sweeps, train, area=area, seed=1, workers=1)
        found = entrant.detect(sweeps, area=area)
        _, coverage = marks_over(sweeps, area, 1)
        whole = match(found.ranked, test, coverage=coverage)
        swept = [t for t in whole.targets if t.is_swept]
        wrong = [a for a in whole.alarms if a.outcome == "false"]
        assert abs(sum(a.score >= found.threshold for a in found.ranked) - 0.3 * 320) < 60
        pair.append(
            Outcomes(
                areas=np.full(16, 16.0),
                target_lanes=np.array([int(t.lane[1:]) for t in swept]),
                target_scores=np.array([t.score for t in swept]),
                detected=np.zeros(len(swept), bool),
                false_lanes=np.array([int(a.lane[1:]) for a in wrong]),
                false_scores=np.array([a.score for a in wrong]),
                false_at_threshold=np.zeros(16, int),
            )
        )
    return differences(*pair, rng=np.random.default_rng(0), n_resamples=300)["pauc_1"]


def test_dowsing_finds_a_field_that_was_laid_out_with_a_tape():
    """Targets on the middle line of lanes: better than chance, beyond the limits."""
    assert leak(lambda rng: rng.normal(0, 0.03)).low > 0


def test_dowsing_stays_within_chance_where_nothing_leaks():
    """Targets anywhere across the lane."""
    found = leak(lambda rng: rng.uniform(-0.45, 0.45))
    assert not (found.low > 0)


def test_marks_are_the_same_for_both_and_for_every_run():
    """Places of dowsing are those of random; scores differ."""
    sweeps, area = lanes_of(2)
    first, second = (marks_over(sweeps, area, 5)[0] for _ in range(2))
    assert first == second
    assert len(first) == pytest.approx(DENSITY * 36, abs=40)
    rows = layout_features(first, sweeps, area)
    assert rows.shape == (len(first), 8)
    assert np.isfinite(rows).all()
    npt.assert_allclose(rows[:, 0], [m.northing for m in first])
    assert (rows[:, 2] <= 10.0).all()

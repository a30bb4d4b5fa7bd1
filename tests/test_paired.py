"""Test paired comparisons, rejection of clutter, passes, Pd over depth and the planner."""

import dataclasses
import json
import math

import naive_scores as naive
import numpy as np
import numpy.testing as npt
import pytest
from fields import make_alarm, make_coverage, make_target, make_truth
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from minesense.score import (
    Halo,
    Outcomes,
    TargetOutcome,
    compare,
    compare_rejections,
    design_effect,
    lanes_needed,
    merge_passes,
    outcomes,
    pd_over_depth,
    plan,
    rejection,
    roc,
    score_passes,
)
from minesense.score.rejection import check_places


def rng():
    """Return a new generator, the same each time."""
    return np.random.default_rng(0)


def make_outcomes(seed=0, n_lanes=6, n=8, skill=1.5, noise=None, **options):
    """Return outcomes with an effect of the lane that detectors of one seed share."""
    shared = np.random.default_rng(seed)
    own = np.random.default_rng(noise) if noise is not None else shared
    effect = shared.normal(size=n_lanes)
    names = [f"lane {k}" for k in range(n_lanes)]
    targets = {f"T{k}{i}": names[k] for k in range(n_lanes) for i in range(n)}
    found = {
        name: float(skill + effect[names.index(lane)] + own.normal())
        for name, lane in targets.items()
    }
    false = {
        name: tuple(sorted((own.normal(size=12) + effect[k]).tolist()))
        for k, name in enumerate(names)
    }
    known = {
        "name": f"skill {skill}",
        "truth": "0" * 64,
        "halo": Halo(),
        "sensors": "any",
        "threshold": 1.0,
        "lane_areas": dict.fromkeys(names, 15.0),
        "targets": targets,
        "found_at": found,
        "false_at": false,
        "is_synthetic": True,
    }
    return Outcomes(**(known | options))


def test_outcomes_read_as_the_curve_does():
    """The figures of either detector are the scalars of its curve, and its operating point."""
    generator = np.random.default_rng(4)
    coverage = make_coverage(10.0, 10.0, 6.0)
    places = generator.uniform([-0.4, 0.3], [2.4, 9.5], size=(12, 2)).tolist()
    truth = make_truth(*(make_target(f"T{k:02d}", *p) for k, p in enumerate(places)))
    alarms = [make_alarm(*p, float(generator.normal(1))) for p in places[:9]]
    alarms += [
        make_alarm(*p, float(generator.normal()))
        for p in generator.uniform([-0.4, 0.3], [2.4, 9.5], size=(20, 2)).tolist()
    ]
    made = outcomes(alarms, truth, coverage, threshold=0.5)
    result = compare(made, made, rng=rng(), n_resamples=50)
    curve = roc(alarms, truth, coverage)
    for name, value in curve.scalars.items():
        npt.assert_allclose(result.differences[name].first, value, rtol=1e-12)
        if math.isfinite(value):
            assert result.differences[name].value == 0
    at = curve.thresholds >= 0.5
    assert result.differences["pd"].first == pytest.approx(curve.pd[at][-1])
    assert result.differences["far"].first == pytest.approx(curve.far[at][-1])
    again = Outcomes.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
    assert again == made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(threshold=math.nan), "Invalid threshold 'nan'"),
        (lambda d: d.update(threshold=math.inf), "Invalid threshold 'inf'"),
        (lambda d: d["lane_areas"].update({"lane 1": -5.0}), "area of lane 'lane 1' '-5.0'"),
        (lambda d: d["lane_areas"].update({"lane 1": math.nan}), "area of lane 'lane 1'"),
        (lambda d: d["found_at"].pop("T00"), "Invalid found_at: target 'T00' is missing"),
        (lambda d: d["found_at"].update(T00=math.nan), "Invalid found_at 'nan'"),
        (lambda d: d.update(halo=[]), "Must be what Outcomes.to_dict wrote"),
        (lambda d: d.update(threshold="high"), "Must be what Outcomes.to_dict wrote"),
    ],
)
def test_outcomes_that_cannot_be_are_refused(change, message):
    """Before they are compared, and by name."""
    content = json.loads(json.dumps(make_outcomes().to_dict()))
    change(content)
    with pytest.raises(ValueError, match=message):
        Outcomes.from_dict(content)


def naive_difference(first, second, lanes, targets):
    """Return the differences of Pd and FAR for lanes drawn and their targets."""
    figures = []
    for made in (first, second):
        pd = np.mean([made.detected(name) for name in targets])
        false = sum(x >= made.threshold for lane in lanes for x in made.false_at[lane])
        figures.append((pd, false / sum(made.lane_areas[lane] for lane in lanes)))
    return np.subtract(figures[1], figures[0])


def test_limits_agree_with_drawing_one_by_one():
    """Lanes, then targets in them, the same for both detectors."""
    first, second = make_outcomes(1, skill=0.5), make_outcomes(1, skill=1.5, noise=7)
    result = compare(first, second, rng=rng(), n_resamples=4000)
    generator = np.random.default_rng(1)
    names, drawn = list(first.lane_areas), []
    for _ in range(4000):
        lanes = generator.choice(names, len(names))
        targets = []
        for lane in lanes:
            mine = [t for t, where in first.targets.items() if where == lane]
            targets += generator.choice(mine, len(mine)).tolist()
        drawn.append(naive_difference(first, second, lanes, targets))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    for k, name in enumerate(["pd", "far"]):
        item = result.differences[name]
        spread = high[k] - low[k]
        assert item.low == pytest.approx(low[k], abs=0.08 * spread)
        assert item.high == pytest.approx(high[k], abs=0.08 * spread)


def test_pairing_takes_the_lane_out():
    """What a lane does to both cancels: a shift by a constant is told apart at once."""
    first = make_outcomes(2, skill=1.0)
    better = dataclasses.replace(
        first, found_at={name: x + 0.5 for name, x in first.found_at.items()}
    )
    paired = compare(first, better, rng=rng()).differences["pauc_1"]
    assert paired.is_told_apart
    alone = compare(
        first,
        dataclasses.replace(first, found_at=dict.fromkeys(first.found_at)),
        rng=rng(),
    ).differences["pauc_1"]
    # against a detector that finds nothing, the limits are those of the first alone
    assert paired.high - paired.low < 0.8 * (alone.high - alone.low)


def test_a_detector_equals_itself():
    """No difference, no interval, p = 1."""
    made = make_outcomes()
    result = compare(made, made, rng=rng(), n_resamples=200)
    for item in result.differences.values():
        assert (item.low, item.high) == (0, 0) or item.n_resamples < 200
        assert not item.is_told_apart
    assert result.mcnemar.p == 1
    assert "SYNTHETIC" in str(result)
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_single_lane_tells_nothing_apart():
    """Drawn again it is the same lane: its false alarms would have an interval of no width."""
    first, second = (make_outcomes(n_lanes=1, noise=k) for k in (1, 2))
    found = compare(first, second, rng=rng(), n_resamples=50).differences
    assert found["far"].value != 0
    assert not any(item.is_told_apart for item in found.values())
    assert all(math.isnan(item.low) and math.isnan(item.high) for item in found.values())
    scores, labels = [3.0, 2.0, 1.0, 0.0], [True, True, False, False]
    (alone,) = rejection(scores, labels, ["A"] * 4, rng=rng(), missed=(0,))
    assert (alone.value, alone.n_resamples) == (1.0, 0)
    assert math.isnan(alone.low)
    (pair,) = compare_rejections(
        scores, [0.0, 2.0, 1.0, 3.0], labels, ["A"] * 4, rng=rng(), missed=(0,)
    )
    assert pair.value != 0
    assert not pair.is_told_apart


def test_intervals_cover_the_difference():
    """Over fields with lane effects, limits hold the true difference about as often as said."""
    held = []
    for seed in range(120):
        first = make_outcomes(seed, n_lanes=12, skill=1.0)
        second = make_outcomes(seed, n_lanes=12, skill=1.0, noise=1000 + seed)
        item = compare(first, second, rng=rng(), n_resamples=300).differences["pd"]
        held.append(item.low <= 0 <= item.high)
    assert 0.88 <= np.mean(held) <= 1.0


@pytest.mark.parametrize("b", [0, 1, 3, 7])
@pytest.mark.parametrize("c", [0, 2, 5])
def test_mcnemar_is_the_binomial_test(b, c):
    """Exact, two-sided, on targets that only one found."""
    first = make_outcomes()
    names = list(first.targets)
    at = dict.fromkeys(names, 2.0)
    one = dataclasses.replace(first, found_at=at | dict.fromkeys(names[b : b + c]))
    two = dataclasses.replace(first, found_at=at | dict.fromkeys(names[:b]))
    found = compare(one, two, rng=rng(), n_resamples=10).mcnemar
    assert (found.n_first, found.n_second) == (b, c)
    assert found.n_both == len(names) - b - c
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert found.p == pytest.approx(expected)


def test_a_rate_that_is_not_reached_is_beyond_every_other():
    """The first never reaches Pd 0.9: the difference is minus infinity, not missing."""
    first = make_outcomes(5)
    half = list(first.targets)[::2]
    poor = dataclasses.replace(first, found_at=first.found_at | dict.fromkeys(half))
    item = compare(poor, first, rng=rng(), n_resamples=200).differences["far_at_pd_0.9"]
    assert math.isnan(item.first)
    assert item.value == item.low == -math.inf
    assert item.ratio == 0
    assert item.is_told_apart


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"truth": "1" * 64}, "differ in truth"),
        ({"halo": Halo(radius=0.2)}, "differ in halo"),
        ({"targets": {"T00": "lane 0"}}, "differ in targets"),
        ({"lane_areas": {f"lane {k}": 15.0 + (k == 3) for k in range(6)}}, "in lane_areas"),
        ({"lane_areas": {f"lane {k}": 15.0 for k in range(5)}}, "in lane_areas"),
    ],
)
def test_other_truths_and_areas_are_refused(other, message):
    """Detectors are compared on one truth and one ground."""
    made = make_outcomes()
    with pytest.raises(ValueError, match=message):
        compare(made, dataclasses.replace(made, **other), rng=rng())


def test_bad_pairs_are_named():
    """Types, nothing to compare on, and records that are none."""
    made = make_outcomes()
    empty = dataclasses.replace(made, targets={}, found_at={})
    with pytest.raises(ValueError, match="no swept target"):
        compare(empty, empty, rng=rng())
    with pytest.raises(TypeError, match="Invalid outcomes of type int"):
        compare(made, 3, rng=rng())
    with pytest.raises(TypeError, match="Invalid rng"):
        compare(made, made, rng=1)
    content = made.to_dict()
    del content["truth"]
    with pytest.raises(ValueError, match="Invalid outcomes: KeyError"):
        Outcomes.from_dict(content)


# Rejection of clutter

rows = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.sampled_from("AB"), st.integers(0, 2)),
    min_size=4,
    max_size=14,
).filter(lambda x: len({(r[2], r[3]) for r in x if r[1]}) >= 2 and not all(r[1] for r in x))


@settings(max_examples=60)
@given(rows=rows, drawn=st.lists(st.sampled_from("AB"), min_size=2, max_size=2))
def test_rejection_is_the_best_over_all_thresholds(rows, drawn):
    """Ties, several places of a mine, and lanes that are drawn twice."""
    scores, labels, lanes, numbers = (list(column) for column in zip(*rows, strict=True))
    owners = [f"{lane}{i}" for lane, i in zip(lanes, numbers, strict=True)]
    result = rejection(scores, labels, lanes, emplacements=owners, rng=rng(), n_resamples=5)
    for k in (0, 1):
        expected = naive.rejected_share(scores, labels, owners, k)
        assert result[k].value == pytest.approx(expected)
    repeated = naive.repeat_lanes(
        scores, labels, lanes, owners, [n for n in drawn if n in lanes]
    )
    places = check_places(scores, labels, lanes, owners)
    weights = np.array([[drawn.count(name) for name in places.names]])
    for k in (0, 1):
        share = places.share(weights, k)[0]
        if not repeated or not any(repeated[1]) or all(repeated[1]):
            assert math.isnan(share)
        else:
            assert share == pytest.approx(naive.rejected_share(*repeated, k))


def test_limits_widen_with_lane_effects():
    """The same scores, alike within lanes, tell less than scores that are not."""
    generator = np.random.default_rng(3)
    lanes = [f"lane {k}" for k in range(10) for _ in range(40)]
    labels = np.tile(np.arange(40) < 8, 10)
    effect = np.repeat(generator.normal(size=10), 40)
    noise = generator.normal(size=400) + 4.0 * labels
    plain, alike = (
        rejection(noise + x, labels, lanes, rng=rng(), missed=(1,))[0]
        for x in (0, effect * ~labels)
    )
    assert alike.high - alike.low > 1.5 * (plain.high - plain.low)


def test_two_orders_are_compared_on_the_same_lanes():
    """A better order rejects more; an order rejects what it rejects itself, exactly."""
    generator = np.random.default_rng(0)
    lanes = [f"lane {k}" for k in range(8) for _ in range(25)]
    labels = np.tile(np.arange(25) < 5, 8)
    poor = generator.normal(size=200) + 1.0 * labels
    good = poor + 3.0 * labels
    none, one = compare_rejections(poor, good, labels, lanes, rng=rng())
    alone = rejection(good, labels, lanes, rng=rng())
    assert (none.second, one.second) == (alone[0].value, alone[1].value)
    assert none.is_told_apart
    same = compare_rejections(poor, poor, labels, lanes, rng=rng())[0]
    assert (same.low, same.high, same.is_told_apart) == (0, 0, False)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"scores": [1.0, math.nan, 0.0, 0.0]}, "1 of 4 values are NaN"),
        ({"labels": [1, 1, 1, 1]}, "4 mines of 4 places. Must hold both"),
        ({"labels": [1, 0]}, "Invalid labels with shape"),
        ({"labels": [1, 0, 1, math.nan]}, "Invalid labels: one is nan"),
        ({"labels": ["1", "0", "1", "0"]}, "Invalid labels: one is '1'"),
        ({"lanes": ["A", "", "B", "B"]}, "Invalid lanes"),
        ({"lanes": ["A"]}, "Invalid lanes of 1 places"),
        ({"emplacements": ["m", "m", "", ""]}, "places of 'm' lie in 'A' and 'B'"),
        ({"emplacements": ["", "m", "", ""]}, "place 0 is a mine without one"),
        ({"emplacements": ["m"]}, "Invalid emplacements of 1"),
        ({"missed": (2,)}, "Invalid missed '2'. Must be below the number of mines, 2"),
        ({"missed": (-1,)}, "Invalid missed '-1'"),
    ],
)
def test_bad_places_are_named(bad, message):
    """The error names the argument, shows its value and states the rule."""
    options = {
        "scores": [3.0, 2.0, 1.0, 0.0],
        "labels": [True, True, False, False],
        "lanes": ["A", "B", "A", "B"],
    } | bad
    with pytest.raises(ValueError, match=message):
        rejection(
            options.pop("scores"),
            options.pop("labels"),
            options.pop("lanes"),
            rng=rng(),
            **options,
        )


# Passes


def test_passes_merge_place_by_place():
    """The best score stays; two alarms of one pass stay two, wherever they are."""
    first = [
        make_alarm(0.0, 0.0, 3.0, identifier="a"),
        make_alarm(0.1, 0.0, 2.0, identifier="b"),
    ]
    back = [
        make_alarm(0.05, 0.0, 5.0, identifier="a"),
        make_alarm(4.0, 0.0, 1.0, identifier="b"),
    ]
    merged = merge_passes({"out": first, "back": back}, radius=0.25)
    assert [m.identifier for m in merged] == ["back/a", "out/b", "back/b"]
    assert len(merge_passes({"out": first}, radius=0.25)) == 2
    third = [make_alarm(0.0, 0.01, 0.5, identifier="a")]
    assert len(merge_passes({"1": first[:1], "2": back[:1], "3": third}, radius=0.25)) == 1
    assert len(merge_passes({"1": first[:1], "2": back[:1]}, radius=0.04)) == 2
    for bad, error in [([3], TypeError), ([make_alarm(0, 0, math.nan)], ValueError)]:
        with pytest.raises(error, match="Invalid"):
            merge_passes({"x": bad}, radius=0.1)


def naive_anova(groups):
    """Return the correlation of an analysis of variance, from the definition."""
    every = [x for group in groups for x in group]
    n, k, mean = len(every), len(groups), np.mean(every)
    between = sum(len(g) * (np.mean(g) - mean) ** 2 for g in groups) / (k - 1)
    within = sum((x - np.mean(g)) ** 2 for g in groups for x in g) / (n - k)
    m0 = (n - sum(len(g) ** 2 for g in groups) / n) / (k - 1)
    return (between - within) / (between + (m0 - 1) * within)


def test_a_mine_counts_once_over_passes():
    """Design effect 1 + (m - 1) rho; limits of so many fewer trials; one pass is short."""
    truth = make_truth(*(make_target(f"T{k}", 0.0, 0.5 + k) for k in range(9)))
    hits = [{0, 1, 2, 3, 5}, {0, 1, 2, 4, 5}, {0, 1, 6}]
    full, part = make_coverage(10.0), make_coverage(5.0)
    passes = {
        f"pass {i}": ([make_alarm(0.0, 0.5 + k) for k in found], part if i == 2 else full)
        for i, found in enumerate(hits)
    }
    result = score_passes(passes, truth)
    swept = [3] * 5 + [2] * 4  # of 5 m, the first five targets
    groups = [[int(k in hits[i]) for i in range(m)] for k, m in enumerate(swept)]
    n = sum(swept)
    assert (result.n_emplacements, result.n_opportunities) == (9, n)
    assert result.n_detected == sum(map(sum, groups))
    rho = naive_anova(groups)
    assert result.correlation == pytest.approx(rho)
    m = sum(x * x for x in swept) / n
    assert result.design_effect == pytest.approx(1 + (m - 1) * rho)
    assert (result.pd_any.k, result.pd_any.n) == (sum(map(any, groups)), 9)
    trials, share = n / result.design_effect, result.n_detected / n
    low = stats.beta.ppf(0.025, share * trials, trials - share * trials + 1)
    assert result.pd_pass.low == pytest.approx(low)
    assert "design effect 1 + (m - 1) rho" in str(result)


def test_passes_that_agree_add_nothing():
    """The same alarms twice: correlation 1, as many trials as emplacements."""
    truth = make_truth(*(make_target(f"T{k}", 0.0, 0.5 + k) for k in range(8)))
    alarms = [make_alarm(0.0, 0.5 + k) for k in range(5)]
    once = score_passes({"a": (alarms, make_coverage())}, truth)
    twice = score_passes({k: (alarms, make_coverage()) for k in "ab"}, truth)
    assert math.isnan(once.correlation)
    assert twice.correlation == 1
    npt.assert_allclose(twice.pd_pass, once.pd_pass)
    npt.assert_allclose(once.pd_pass, (once.pd_any.value, once.pd_any.low, once.pd_any.high))
    with pytest.raises(ValueError, match="Invalid passes: none"):
        score_passes({}, truth)
    with pytest.raises(ValueError, match="no emplacement was swept"):
        score_passes({"a": ([], make_coverage(0.0))}, truth)


# Pd over depth


def make_depths(seed=0, n_lanes=8, n=15):
    """Return targets found less often the deeper they are, with an effect of the lane."""
    generator = np.random.default_rng(seed)
    targets = []
    for k in range(n_lanes):
        effect = generator.normal()
        for i in range(n):
            depth = float(generator.uniform(0, 0.2))
            is_found = generator.random() < 1 / (1 + math.exp(-(3 + effect - 25 * depth)))
            targets.append(
                TargetOutcome(
                    identifier=f"T{k}{i}",
                    outcome="detected" if is_found else "missed_swept",
                    kind="disc",
                    metal_class="low",
                    depth=depth,
                    lane=f"lane {k}",
                    share_observed=1.0,
                    is_swept=True,
                )
            )
    return targets


def test_pd_over_depth_matches_the_slow_version():
    """Coefficients and the sandwich, sum by sum; unswept targets are left out."""
    targets = make_depths()
    curve = pd_over_depth(targets)
    depth, lanes = [t.depth for t in targets], [t.lane for t in targets]
    found = [t.outcome == "detected" for t in targets]
    beta, covariance = naive.robust_logistic(np.array(depth), np.array(found), lanes)
    npt.assert_allclose([curve.offset, curve.slope], beta, rtol=1e-4)
    npt.assert_allclose(curve.covariance, covariance, rtol=1e-3)
    pd, low, high = curve.at([0.05])
    odds = beta @ [1, 0.05]
    error = math.sqrt(np.array([1, 0.05]) @ covariance @ [1, 0.05])
    limit = stats.t.ppf(0.975, 7)
    for value, sign in [(low, -1), (pd, 0), (high, 1)]:
        expected = 1 / (1 + math.exp(-(odds + sign * limit * error)))
        assert value[0] == pytest.approx(expected, rel=1e-3)
    unswept = [dataclasses.replace(t, is_swept=False, depth=3.0) for t in targets[:5]]
    assert pd_over_depth([*targets, *unswept]).slope == curve.slope


def test_pd_over_depth_needs_something_to_tell():
    """One lane, no miss, or a depth that parts found from missed: no slope."""
    targets = make_depths()
    cases = {
        "in 1 lanes": [t for t in targets if t.lane == "lane 0"],
        "Must be some and not all": [t for t in targets if t.outcome == "detected"],
        "Must overlap in depth": [
            dataclasses.replace(t, outcome="detected" if t.depth < 0.1 else "missed_swept")
            for t in targets
        ],
    }
    for message, chosen in cases.items():
        with pytest.raises(ValueError, match=message):
            pd_over_depth(chosen)


# The planner


def test_the_plan_holds_the_published_figures():
    """299 without a miss for Pd 0.99, 300 m2 for 0.01 per m2, 19 lanes for 5 %."""
    small = plan(pd=0.99, far=0.01, miss_rate=0.05)
    assert (small.targets, round(small.area), small.lanes_by_guarantee) == (299, 300, 19)
    assert small.lanes == 299
    assert "19 to guarantee a miss rate" in str(small)
    assert [lanes_needed(a) for a in (0.10, 0.05, 0.02, 1 / 14, 0.07)] == [9, 19, 49, 13, 14]
    for alpha in np.arange(1, 51) / 100:
        n = lanes_needed(float(alpha))
        assert 1 / (n + 1) <= alpha + 1e-12
        assert n == 1 or 1 / n > alpha + 1e-12


def test_clusters_and_passes_inflate_the_plan():
    """Passes that agree add nothing, independent ones count in full."""
    base = {"pd": 0.9, "far": 0.1}
    assert plan(**base, passes=4).targets == 29
    assert plan(**base, passes=4, pass_correlation=0.0).targets == math.ceil(29 / 4)
    assert plan(**base, targets_per_lane=5, lane_correlation=0.25).targets == 58
    assert plan(**base, n_strata=3).targets == 87
    assert plan(**base, lane_area=10.0, halo_area=1.0).lanes_by_area == math.ceil(29.96 / 9)
    assert design_effect(1, 0.7) == 1
    for bad, message in [
        ({"pass_correlation": 1.5}, "Invalid correlation"),
        ({"passes": 0}, "Invalid passes"),
        ({"halo_area": -1.0}, "Invalid halo_area"),
        ({"halo_area": 30.0}, "leave nothing of it"),
        ({"miss_rate": 0.0}, "Invalid miss_rate"),
    ]:
        with pytest.raises(ValueError, match=message):
            plan(**base, **bad)

"""Test that stated miss rates hold, that mistakes break them, and that none is invented."""

import dataclasses
import json
import math
from fractions import Fraction

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_guarantee import lane_losses, pooled_threshold, risk_control
from scipy.stats import beta, binom, norm

from minesense.detect import (
    certify_each_class,
    certify_miss_rate,
    certify_with_confidence,
    units_needed,
)
from minesense.detect.confident import p_value
from minesense.detect.target_scores import exact
from minesense.score import lanes_needed

#: Few values, so that ties are common; a target without a candidate among them.
SCORE = st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
TARGETS = st.lists(st.tuples(SCORE, st.sampled_from("abcdefg")), min_size=1, max_size=30)
RATES = st.sampled_from([0.05, 0.125, 0.2, 0.29, 0.5, 0.8])


def lane_names(n_lanes, n_each):
    """Return the lane of each target."""
    return np.repeat([f"lane {k:03d}" for k in range(n_lanes)], n_each)


@given(TARGETS, RATES)
def test_the_highest_threshold_agrees_with_trying_all(targets, rate):
    """Every score tried as threshold, in fractions: the same, or no threshold either way."""
    scores, lanes = zip(*targets, strict=True)
    expected = risk_control(scores, lanes, Fraction(str(rate)))
    if expected is None:
        with pytest.raises(ValueError, match="cannot certify below"):
            certify_miss_rate(scores, lanes, miss_rate=rate)
        return
    found = certify_miss_rate(scores, lanes, miss_rate=rate)
    losses = lane_losses(scores, lanes, expected)
    assert found.threshold == expected
    assert dict(zip(found.lanes, found.lane_losses, strict=True)) == {
        lane: float(loss) for lane, loss in losses.items()
    }
    assert found.certified == float((sum(losses.values()) + 1) / (len(losses) + 1)) <= rate
    assert found.n_without_candidate == scores.count(-math.inf)


@pytest.mark.parametrize(("rate", "n", "k"), [(0.29, 99, 29), (0.07, 99, 7), (0.1, 9, 1)])
def test_targets_as_units_take_the_kth_smallest_score(rate, n, k):
    """Where floating point loses one: 0.29 * 100 is 28.999999999999996."""
    scores = np.random.default_rng(seed=1).permutation(n).astype(float)
    found = certify_miss_rate(scores, ["a"] * n, miss_rate=rate, unit="target")
    assert found.threshold == k - 1
    assert found.n_units == n


def test_no_whole_percent_is_lost_to_rounding():
    """With exact sums k is that of integers; the plain product is sometimes one less."""
    wrong = 0
    for percent in range(1, 100):
        rate = exact(percent / 100)
        assert rate == Fraction(percent, 100)
        for n in range(1, 2000):
            k = percent * (n + 1) // 100
            assert math.floor(rate.numerator * (n + 1) / rate.denominator + 1e-9) == k
            wrong += math.floor(percent / 100 * (n + 1)) < k
    assert wrong > 20
    assert exact(1 / 14) == Fraction(1, 14)


def test_ties_count_as_found():
    """A mine at the threshold is an alarm; the next score up would miss both of two."""
    found = certify_miss_rate([1.0, 1.0, 2.0, 2.0] * 10, lane_names(10, 4), miss_rate=0.5)
    assert found.threshold == 1.0
    assert found.worst_loss == 0


@pytest.mark.parametrize(("rate", "n"), [(0.1, 9), (0.05, 19), (0.02, 49), (0.01, 99)])
def test_as_many_lanes_as_published_are_enough_and_one_less_is_not(rate, n):
    """1 / alpha - 1 lanes without a miss."""
    assert units_needed(rate) == n
    certify_miss_rate(np.ones(n), lane_names(n, 1), miss_rate=rate)
    with pytest.raises(ValueError, match=f"Must have at least {n} lanes"):
        certify_miss_rate(np.ones(n - 1), lane_names(n - 1, 1), miss_rate=rate)


def test_thirteen_lanes_certify_one_in_fourteen_and_no_less():
    """However many mines lie in them."""
    scores, lanes = np.arange(1300.0), lane_names(13, 100)
    assert certify_miss_rate(scores, lanes, miss_rate=1 / 14).threshold == 0.0
    message = "13 lanes cannot certify below 0.0714. Must have at least 14 lanes"
    with pytest.raises(ValueError, match=message):
        certify_miss_rate(scores, lanes, miss_rate=0.07)


def test_what_the_prescreener_loses_needs_more_lanes_or_cannot_be_had():
    """One of ten mines without a candidate: 0.2 needs 8 lanes, 0.1 no number of them."""
    scores = np.tile([-np.inf, *range(1, 10)], 7)
    message = "since 0.1 of their targets have no candidate. Must have at least 8 lanes"
    with pytest.raises(ValueError, match=message):
        certify_miss_rate(scores, lane_names(7, 10), miss_rate=0.2)
    assert units_needed(0.2, loss=0.1) == 8
    more = np.tile(scores[:10], 8)
    assert certify_miss_rate(more, lane_names(8, 10), miss_rate=0.2).threshold == 1.0
    with pytest.raises(ValueError, match="No number of them would do"):
        certify_miss_rate(more, lane_names(8, 10), miss_rate=0.1)


def test_every_class_holds_at_the_one_threshold():
    """The lowest of the thresholds each class would get alone; lanes without it left out."""
    rng = np.random.default_rng(seed=2)
    lanes = lane_names(60, 6)
    kind = np.tile(["high", "high", "low", "low", "none", "none"], 60)
    kind[:60] = "high"  # the first ten lanes hold metal only
    scores = rng.normal(size=360) + np.select([kind == "high", kind == "low"], [3.0, 1.0])
    rates = {"high": 0.02, "low": 0.05, "none": 0.1}
    held = certify_each_class(scores, lanes, kind, miss_rates=rates)
    alone = {
        name: certify_miss_rate(scores[kind == name], lanes[kind == name], miss_rate=rate)
        for name, rate in rates.items()
    }
    threshold = min(item.threshold for item in alone.values())
    assert len({item.threshold for item in alone.values()}) == 3
    for name, item in held.items():
        assert item.threshold == threshold
        assert item.certified <= rates[name] == item.miss_rate
        assert item.target_class == name
    assert [held[name].n_units for name in rates] == [60, 50, 50]


def test_a_class_that_cannot_hold_is_named():
    """Metal mines must not hide that there are too few plastic ones."""
    kind = ["high"] * 90 + ["none"] * 10
    lanes = [*lane_names(30, 3), *lane_names(10, 1)]
    message = "10 lanes of class 'none' cannot certify below 0.0909. Must have at least 19"
    with pytest.raises(ValueError, match=message):
        certify_each_class(np.ones(100), lanes, kind, miss_rates={"high": 0.05, "none": 0.05})
    with pytest.raises(ValueError, match="one for each class of the targets: high, none"):
        certify_each_class(np.ones(100), lanes, kind, miss_rates={"high": 0.05})


# What holds, and what does not, where lanes differ


def simulate(rule, *, n_lanes, n_runs, seed, n_mines=25):
    """
    Return the share of mines that new lanes miss on average, for many calibrations.

    A score is normal around the effect of its lane, which is normal around 0: a new mine
    scores below t with probability Phi(t / sqrt 2).
    """
    rng = np.random.default_rng(seed)
    lanes, rates = lane_names(n_lanes, n_mines), []
    for _ in range(n_runs):
        effects = np.repeat(rng.normal(size=n_lanes), n_mines)
        scores = effects + rng.normal(size=len(effects))
        rates.append(norm.cdf(rule(scores, lanes) / math.sqrt(2)))
    return np.array(rates)


def standard_error(values):
    """Return the Monte Carlo error of a mean."""
    return values.std(ddof=1) / math.sqrt(len(values))


@pytest.mark.parametrize(("n_lanes", "published"), [(30, 0.022), (60, 0.037)])
def test_lanes_as_units_hold_their_rate_on_new_lanes(n_lanes, published):
    """On average over calibrations, as the published simulation has it."""
    missed = simulate(
        lambda scores, lanes: certify_miss_rate(scores, lanes, miss_rate=0.05).threshold,
        n_lanes=n_lanes,
        n_runs=300,
        seed=3,
    )
    assert missed.mean() + 2 * standard_error(missed) <= 0.05
    npt.assert_allclose(missed.mean(), published, atol=0.001 + 3 * standard_error(missed))


@pytest.mark.parametrize(("n_lanes", "published"), [(6, 0.034), (12, 0.028)])
def test_mines_pooled_over_lanes_break_their_rate(n_lanes, published):
    """The mistake: 150 mines of 6 lanes taken for 150 independent ones."""
    missed = simulate(
        lambda scores, _: pooled_threshold(scores, 0.02), n_lanes=n_lanes, n_runs=3000, seed=4
    )
    assert missed.mean() - 3 * standard_error(missed) > 0.02
    npt.assert_allclose(missed.mean(), published, atol=0.001 + 3 * standard_error(missed))
    ours = simulate(
        lambda scores, lanes: (
            certify_miss_rate(scores, lanes, miss_rate=0.02, unit="target").threshold
        ),
        n_lanes=n_lanes,
        n_runs=30,
        seed=4,
    )
    npt.assert_allclose(ours, missed[:30])  # the same mistake, if the user insists on it


def test_leaving_out_what_has_no_candidate_breaks_the_rate():
    """A twentieth of the mines has none: who calibrates on the rest misses twice as many."""

    def missed(forgetful, rng):
        scores = rng.normal(size=(39, 20))
        scores[rng.random(scores.shape) < 0.05] = -np.inf
        values, lanes = scores.ravel(), lane_names(39, 20)
        use = np.isfinite(values) | (not forgetful)
        found = certify_miss_rate(values[use], lanes[use], miss_rate=0.1)
        return 0.05 + 0.95 * norm.cdf(found.threshold)

    rng = np.random.default_rng(seed=5)
    honest = np.array([missed(False, rng) for _ in range(60)])
    forgetful = np.array([missed(True, rng) for _ in range(60)])
    assert honest.mean() <= 0.1 + 2 * standard_error(honest)
    assert forgetful.mean() - 3 * standard_error(forgetful) > 0.1


# With confidence


@pytest.mark.parametrize(
    ("rate", "n"), [(0.1, 29), (0.05, 59), (0.02, 149), (0.01, 299), (0.004, 748)]
)
@pytest.mark.parametrize("unit", ["lane", "target"])
def test_units_without_a_miss_show_a_rate_as_published(rate, n, unit):
    """The least number at 95 % confidence, and one less."""
    found = certify_with_confidence(np.ones(n), lane_names(n, 1), miss_rate=rate, unit=unit)
    assert found.certified <= rate
    npt.assert_allclose(found.certified, 1 - 0.05 ** (1 / n), rtol=1e-6)
    with pytest.raises(ValueError, match=f"Must have at least {n} {unit}s, with no miss"):
        certify_with_confidence(np.ones(n - 1), lane_names(n - 1, 1), miss_rate=rate, unit=unit)


def test_confidence_in_targets_is_the_exact_binomial():
    """At the threshold the upper Clopper-Pearson limit is below the rate; one up it is not."""
    scores = np.arange(200.0)
    found = certify_with_confidence(
        scores, ["a"] * 200, miss_rate=0.1, confidence=0.9, unit="target"
    )
    k = int(found.threshold)
    assert beta.ppf(0.9, k + 1, 200 - k) <= 0.1 < beta.ppf(0.9, k + 2, 200 - k - 1)
    npt.assert_allclose(found.certified, beta.ppf(0.9, k + 1, 200 - k), rtol=1e-6)
    assert found.confidence == 0.9


def test_p_value_of_lanes_is_that_of_the_paper():
    """Hoeffding's and Bentkus' bounds, written out."""
    n, rate, lost = 40, 0.2, Fraction(5, 2)
    mean = 2.5 / 40
    h = mean * math.log(mean / rate) + (1 - mean) * math.log((1 - mean) / (1 - rate))
    expected = min(math.exp(-n * h), math.e * binom.cdf(3, n, rate))
    npt.assert_allclose(p_value(lost, n, rate, unit="lane"), expected, rtol=1e-9)
    assert p_value(Fraction(20), n, rate, unit="lane") == 1.0


def test_confidence_holds_over_draws():
    """The true rate is above the stated one in no more than 10 % of calibrations."""
    missed = simulate(
        lambda scores, lanes: (
            certify_with_confidence(scores, lanes, miss_rate=0.15, confidence=0.9).threshold
        ),
        n_lanes=40,
        n_runs=150,
        seed=6,
        n_mines=10,
    )
    assert (missed > 0.15).mean() <= 0.1 + 2 * math.sqrt(0.1 * 0.9 / 150)
    assert missed.mean() > 0.02  # and the bound is not empty


# The record, and bad input


def test_the_record_says_what_it_rests_on():
    """Numbers of the lanes beside the mean, in words and as plain JSON."""
    scores = np.ones(100)
    scores[:5] = 0.0  # the first lane loses all
    found = certify_miss_rate(scores, lane_names(20, 5), miss_rate=0.1)
    assert (found.threshold, found.worst_loss, found.mean_loss) == (1.0, 1.0, 0.05)
    npt.assert_array_equal(found.lane_quantiles((0.5, 0.95, 1.0)), [0.0, 0.0, 1.0])
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["lane_losses"] == [1.0] + [0.0] * 19
    assert plain["n_units"] == 20
    text = str(found)
    for words in ("0.1 of the targets are missed on average", "20 lanes", "the worst 1"):
        assert words in text
    assert "single lanes may be several times worse" in found.assumes
    sure = certify_with_confidence(np.ones(60), lane_names(60, 1), miss_rate=0.05)
    assert "with 95 % trust" in str(sure)
    surer = dataclasses.replace(sure, confidence=0.999)
    assert "with 99.9 % trust" in str(surer)  # not rounded up to certainty


@pytest.mark.parametrize(
    ("scores", "lanes", "options", "message"),
    [
        ([1.0, math.nan], ["a", "b"], {}, "index 1 is nan. Must be finite, or -inf"),
        ([math.inf], ["a"], {}, "index 0 is inf"),
        ([1.0], ["a", "b"], {}, r"Invalid lanes with shape \(2,\)"),
        ([], [], {}, "there is no target"),
        ([1.0], ["a"], {"miss_rate": 0.0}, "Invalid miss_rate '0.0'"),
        ([1.0], ["a"], {"unit": "mine"}, "Must be one of 'lane', 'target'"),
    ],
)
@pytest.mark.parametrize("certify", [certify_miss_rate, certify_with_confidence])
def test_bad_input_is_named(certify, scores, lanes, options, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(ValueError, match=message):
        certify(np.array(scores, float), lanes, **{"miss_rate": 0.5} | options)


def test_a_loss_above_the_rate_needs_no_number():
    """What is lost anyway must be less than what may be lost."""
    with pytest.raises(ValueError, match=r"Invalid loss '0\.1'\. Must be below the miss rate"):
        units_needed(0.1, loss=0.1)


@pytest.mark.parametrize(
    ("rate", "needed"), [(1e-8, 99_999_999), (6e-8, 16_666_666), (6e-7, 1_666_666), (0.29, 3)]
)
def test_rates_are_never_rounded_up(rate, needed):
    """However small: a rate of 6e-8 is not one in ten million; and both sides agree."""
    assert units_needed(rate) == needed
    assert lanes_needed(rate) == needed

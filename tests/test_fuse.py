"""Test what sensors say together: sums, rules, gates, beliefs and joint misses."""

import math
from itertools import product

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import chi2, multivariate_normal

from minesense.detect import (
    Belief,
    FusionRule,
    belief_of,
    combine_beliefs,
    fuse,
    joint_miss_bounds,
    position_gate,
    repeated_miss,
    silence_log_ratio,
)

RULE = FusionRule(threshold=2.0, own={"gpr": 3.0, "emi": 4.0})
SCORES = st.one_of(st.floats(-50, 50), st.just(math.nan), st.just(-math.inf))


@given(SCORES, SCORES)
def test_silence_never_cancels_an_alarm(radar, coils):
    """Whatever the other says: an alarm of one sensor stays, and scores as one."""
    ratios = {"gpr": np.array([radar]), "emi": np.array([coils])}
    total = float(fuse(ratios)[0])
    fused = RULE.decide([total], ratios)
    alone = radar >= 3 or coils >= 4
    is_unknown = math.isnan(radar) and math.isnan(coils)
    assert fused.is_alarm[0] == (alone or is_unknown or total >= 2)
    assert fused.is_alarm[0] == (fused.score[0] >= RULE.threshold)
    assert is_unknown or fused.score[0] >= total
    if not (alone or is_unknown):
        assert fused.score[0] == total


def test_the_other_sensor_still_ranks():
    """Two alarms of the radar: the one that the coils back comes first."""
    radar, coils = np.array([5.0, 5.0]), np.array([1.0, -20.0])
    fused = RULE.decide(fuse({"gpr": radar, "emi": coils}), {"gpr": radar, "emi": coils})
    npt.assert_array_equal(fused.score, [6.0, 2.0])
    assert fused.by == (("fused", "gpr"), ("gpr",))


def test_a_place_of_which_nothing_is_known_is_dug():
    """Unknown means dig."""
    nothing = np.array([math.nan])
    fused = RULE.decide(nothing, {"gpr": nothing, "emi": nothing})
    assert fused.is_alarm.tolist() == [True]
    assert fused.by == (("unknown",),)
    assert fused.score[0] == RULE.threshold
    ratios = {"gpr": np.array([math.nan, -9.0]), "emi": np.array([math.nan, math.nan])}
    fused = RULE.decide(fuse(ratios), ratios)
    assert fused.is_alarm.tolist() == [True, False]
    silent = fuse(ratios, silent={"emi": [True, False]}, silence={"emi": -1.0})
    npt.assert_array_equal(silent, [-1.0, -9.0])  # that one was there says something


def test_silence_counts_by_class():
    """Written out; a class that the sensor does not notice makes it say nothing."""
    npt.assert_allclose(silence_log_ratio(0.9, pfa=0.2), math.log(0.1 / 0.8))
    pd = {"metal": 0.9, "plastic": 0.2}
    assert silence_log_ratio(pd, pfa=0.2) == 0.0
    mixed = silence_log_ratio(pd, pfa=0.2, shares={"metal": 0.75, "plastic": 0.25})
    npt.assert_allclose(mixed, math.log((0.75 * 0.1 + 0.25 * 0.8) / 0.8))
    ratios = {"gpr": np.array([1.0, 2.0]), "emi": np.array([0.5, 7.0])}
    total = fuse(ratios, silent={"emi": [False, True]}, silence={"emi": -0.25})
    npt.assert_array_equal(total, [1.5, 1.75])


def test_the_gate_is_a_normal_law_with_known_errors():
    """Squared distance of a covariance matrix turned into the heading, and its quantile."""
    rng = np.random.default_rng(seed=1)
    heading, speed = 0.7, 0.8
    right = np.array([math.cos(heading), -math.sin(heading)])
    forward = np.array([math.sin(heading), math.cos(heading)])
    mean = 0.05 * right + (-0.02 + speed * 0.1) * forward
    across, along = 0.04**2 + 0.05**2 + 0.01**2, (speed * 0.06) ** 2
    covariance = across * np.eye(2) + along * np.outer(forward, forward)
    second = rng.multivariate_normal(mean, covariance, size=4000)
    gate = position_gate(
        np.zeros((4000, 2)),
        second,
        first_error=0.04,
        second_error=0.05,
        offset=(0.05, -0.02),
        offset_error=0.01,
        delay=0.1,
        delay_error=0.06,
        speed=speed,
        heading=heading,
    )
    law = multivariate_normal(mean, covariance)
    expected = -2 * (law.logpdf(second) - law.logpdf(mean))
    npt.assert_allclose(gate.distance, expected, rtol=1e-6, atol=1e-9)
    npt.assert_allclose(gate.limit, chi2.ppf(0.99, 2))
    assert abs(gate.is_same.mean() - 0.99) < 0.006
    lost = position_gate([[math.nan, 0]], [[0, 0]], first_error=0.1, second_error=0.1)
    assert lost.is_same.tolist() == [False]


def dempster(one, two):
    """Return mass on mine, clutter, either, and the conflict, over all pairs of sets."""
    sets = [{"m"}, {"c"}, {"m", "c"}]
    mass, conflict = [0.0, 0.0, 0.0], 0.0
    for (a, x), (b, y) in product(zip(sets, one, strict=True), zip(sets, two, strict=True)):
        if a & b:
            mass[sets.index(a & b)] += x * y
        else:
            conflict += x * y
    return [m / (1 - conflict) for m in mass], conflict


def test_beliefs_combine_as_sets_do():
    """Dempster's rule over all pairs of subsets; order does not matter."""
    radar = belief_of([0.8], reliability=0.9)
    coils = belief_of([0.3], reliability=0.6)
    masses = [
        [float(getattr(b, k)[0]) for k in ("mine", "clutter", "either")] for b in (radar, coils)
    ]
    expected, conflict = dempster(*masses)
    for pair in ([radar, coils], [coils, radar]):
        found = combine_beliefs(pair)
        together = found.belief
        npt.assert_allclose(
            [together.mine[0], together.clutter[0], together.either[0]], expected
        )
        npt.assert_allclose(found.conflict, conflict)
    third = belief_of([0.5], reliability=0.5)
    steps = combine_beliefs([combine_beliefs([radar, coils]).belief, third])
    npt.assert_allclose(combine_beliefs([radar, coils, third]).belief.mine, steps.belief.mine)


def test_contradiction_is_ambiguous_and_absence_is_not():
    """Above 0.3 dig; total contradiction keeps no belief; a sensor that was not there none."""
    sure, against = belief_of([1.0], reliability=1.0), belief_of([0.0], reliability=1.0)
    both = combine_beliefs([sure, against])
    assert (both.conflict[0], both.is_ambiguous[0], both.belief.either[0]) == (1.0, True, 1.0)
    absent = belief_of([math.nan], reliability=0.9)
    alone = combine_beliefs([sure, absent])
    assert (alone.conflict[0], alone.belief.mine[0]) == (0.0, 1.0)
    for mass, is_ambiguous in ((0.29, False), (0.31, True)):
        weak = Belief(mine=np.array([mass]), clutter=np.zeros(1), either=np.array([1 - mass]))
        assert combine_beliefs([weak, against]).is_ambiguous.tolist() == [is_ambiguous]


@given(st.lists(st.integers(0, 1), min_size=8, max_size=8))
def test_joint_misses_stay_within_their_bounds(outcomes):
    """Any table of misses of two sensors over four mines."""
    a, b = np.reshape(outcomes, (2, 4))
    bounds = joint_miss_bounds([a.mean(), b.mean()])
    assert bounds.low - 1e-12 <= (a & b).mean() <= bounds.high + 1e-12
    npt.assert_allclose(bounds.independent, a.mean() * b.mean())


def test_repeated_passes_as_published():
    """Three passes at Pd 0.9: 0.1 % if independent, 5.0 % if 5 % are undetectable."""
    npt.assert_allclose(repeated_miss(0.9, 3), 0.001)
    assert round(100 * repeated_miss(0.9, 3, undetectable=0.05), 1) == 5.0
    npt.assert_allclose(repeated_miss(0.9, 4, correlation=1.0), 0.1)
    q, rho, k = 0.2, 0.3, 5
    a, b = q * (1 - rho) / rho, (1 - q) * (1 - rho) / rho
    expected = math.exp(betaln(a + k, b) - betaln(a, b))
    npt.assert_allclose(repeated_miss(0.8, k, correlation=rho), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RULE.decide([1.0], {"gpr": [1.0]}), "scores of .'gpr'.. Must be of"),
        (lambda: fuse({"a": np.zeros(1)}, silent={"b": [True]}), "Invalid silent 'b'"),
        (lambda: silence_log_ratio({"a": 0.5}, pfa=0.1, shares={"a": 0.5}), "sum of 1"),
        (lambda: belief_of([1.5], reliability=1.0), "Must lie between 0 and 1"),
        (lambda: combine_beliefs([]), "Must be one or more"),
        (lambda: joint_miss_bounds([1.2]), "each from 0 to 1"),
        (lambda: repeated_miss(0.9, 2, undetectable=0.2), "at most 1 - pd = 0.1"),
        (
            lambda: position_gate([[0, 0]], [[0, 0]], first_error=0, second_error=0),
            "not both be zero",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    """The error names the argument and states the rule."""
    with pytest.raises(ValueError, match=message):
        call()

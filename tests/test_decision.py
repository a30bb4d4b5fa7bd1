"""Which places are alarms: by both sensors, by one alone, or since the ground is unknown."""

import math

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.detect import Site, decide, decide_again, rank_sites
from minesense.detect.decision import LIFT
from minesense.sweep import Quality
from minesense.training import joint_thresholds, rate_threshold

odds = st.lists(st.floats(-30, 30), min_size=1, max_size=20)


def slowly(log_odds, ratios, threshold, own, is_new):
    """Return who asks for each place, one place and one sensor at a time."""
    asked = []
    for k, value in enumerate(log_odds):
        by = [kind for kind in own if ratios[kind][k] >= own[kind]]
        if is_new[k]:
            by.append("unfamiliar")
        asked.append((value >= threshold, tuple(sorted(by))))
    return asked


@given(odds, st.floats(-5, 5), st.floats(-3, 3), st.integers(0, 2**20))
def test_every_alarm_of_anybody_is_one(log_odds, threshold, own, seed):
    """And nothing else is; places keep their order, kept ones stand just above."""
    rng = np.random.default_rng(seed)
    values = np.array(log_odds)
    ratios = {kind: rng.normal(0, 4, len(values)) for kind in ("gpr", "emi")}
    ratios["emi"][rng.random(len(values)) < 0.3] = np.nan
    is_new = rng.random(len(values)) < 0.2
    limits = {"gpr": own, "emi": own + 1}
    found = decide(values, ratios, threshold=threshold, own=limits, is_unfamiliar=is_new)
    for k, (is_over, by) in enumerate(slowly(values, ratios, threshold, limits, is_new)):
        assert (found.scores[k] >= threshold) == (is_over or bool(by))
        assert found.kept_by[k] == (() if is_over else by)
        if is_over or not by:
            assert found.scores[k] == values[k]
        else:
            assert threshold <= found.scores[k] <= threshold + 2 * LIFT
    kept = [k for k in range(len(values)) if found.kept_by[k]]
    order = sorted(kept, key=lambda k: values[k])
    assert (np.diff(found.scores[order]) >= 0).all()


@given(odds, st.integers(0, 2**20))
def test_silence_only_ranks(log_odds, seed):
    """However low one sensor thinks of a place, what the other asks for stays an alarm."""
    rng = np.random.default_rng(seed)
    values = np.array(log_odds)
    radar = rng.normal(0, 4, len(values))
    none = np.zeros(len(values), bool)
    own = {"gpr": 2.0, "emi": 2.0}
    for silent in (0.0, -10.0, -1000.0, math.nan):
        said = {"gpr": radar, "emi": np.full(len(values), silent)}
        total = values + np.nan_to_num(said["emi"])
        found = decide(total, said, threshold=1.0, own=own, is_unfamiliar=none)
        assert (found.scores[radar >= 2.0] >= 1.0).all()


def site(k, **changes):
    """Return a place."""
    fields = {
        "lane": "A",
        "easting": 0.1 * k,
        "northing": 1.0,
        "position_error": 0.05,
        "depth": 0.05,
        "time": float(k),
        "quality": 0,
        "noticed": ("gpr",),
        "scores": {"gpr": 1.0},
        "features": {"gpr": np.ones(2)},
    }
    return Site(**(fields | changes))


def test_a_withheld_probability_is_nan_with_a_flag_and_an_alarm():
    """And its log odds can still be read; other flags of the place stay."""
    log_odds = np.array([-3.0, -4.0, 2.0])
    is_new = np.array([True, False, False])
    ratios = {"gpr": log_odds}
    decision = decide(log_odds, ratios, threshold=0.0, own={}, is_unfamiliar=is_new)
    ranked, kept = rank_sites(
        [site(k, quality=int(Quality.EDGE) if k == 0 else 0) for k in range(3)],
        decision,
        log_odds=log_odds,
        probabilities=1 / (1 + np.exp(-log_odds)),
        ratios=ratios,
        is_unfamiliar=is_new,
        model="m",
    )
    strongest, new, low = ranked
    assert [a.time for a in ranked] == [2.0, 0.0, 1.0]
    assert math.isnan(new.probability)
    assert new.score > 0.0
    assert new.quality == int(Quality.EDGE | Quality.OUT_OF_DOMAIN)
    assert new.evidence["log_odds"] == -3.0
    assert kept == {new.identifier: ("unfamiliar",)}
    assert not (strongest.quality | low.quality) & Quality.OUT_OF_DOMAIN
    npt.assert_allclose(
        [strongest.probability, low.probability], [0.880797, 0.017986], atol=1e-6
    )


@given(odds, st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 2**20))
def test_deciding_again_is_deciding(log_odds, first, second, seed):
    """From the evidence of the alarms alone, whatever was decided before."""
    rng = np.random.default_rng(seed)
    values = np.array(log_odds)
    ratios = {kind: rng.normal(0, 4, len(values)) for kind in ("gpr", "emi")}
    is_new = rng.random(len(values)) < 0.2
    own = {"gpr": 3.0, "emi": 2.0}

    def alarms(threshold):
        decision = decide(values, ratios, threshold=threshold, own=own, is_unfamiliar=is_new)
        return rank_sites(
            [site(k) for k in range(len(values))],
            decision,
            log_odds=values,
            probabilities=1 / (1 + np.exp(-values)),
            ratios=ratios,
            is_unfamiliar=is_new,
            model="m",
        )

    again, kept = decide_again(alarms(first)[0], threshold=second, own=own)
    straight, expected = alarms(second)
    assert [(a.time, a.score) for a in again] == [(a.time, a.score) for a in straight]
    by_time = {a.identifier: a.time for a in again}
    assert {by_time[name]: by for name, by in kept.items()} == {
        next(a.time for a in straight if a.identifier == name): by
        for name, by in expected.items()
    }


def test_a_place_of_which_nothing_is_known_is_an_alarm():
    """NaN log odds are no silence: the place stands at the threshold, below all others."""
    found = decide(
        np.array([math.nan, -1.0, 2.0]),
        {"gpr": np.array([math.nan, -1.0, 2.0])},
        threshold=0.5,
        own={},
        is_unfamiliar=np.zeros(3, bool),
    )
    assert (found.scores >= 0.5).tolist() == [True, False, True]
    assert found.kept_by == (("unfamiliar",), (), ())


@given(st.integers(0, 2**20), st.floats(0.05, 2.0), st.integers(1, 60))
def test_joint_thresholds_are_the_lowest_that_hold_the_rate(seed, rate, n):
    """Against trying every count; one sensor may have seen nothing."""
    rng = np.random.default_rng(seed)
    fused = rng.normal(size=n).round(1)
    own = {"gpr": (fused + rng.normal(size=n)).round(1), "emi": rng.normal(size=n).round(1)}
    own["emi"][rng.random(n) < rng.random()] = np.nan
    area, allowed = 10.0, int(rate * 10.0 + 1e-9)

    def asked(count):
        """Return how many places any threshold lets by that alone lets by so many."""
        area_of = max(count, 0)
        mask = fused >= rate_threshold(fused, rate=1.0, area=area_of)
        for values in own.values():
            known = values[~np.isnan(values)]
            if not len(known):
                continue
            mask |= values >= rate_threshold(known, rate=1.0, area=area_of)
        return mask.sum()

    best = max([k for k in range(allowed + 1) if asked(k) <= allowed], default=0)
    threshold, limits = joint_thresholds(fused, own, rate=rate, area=area)
    assert threshold == rate_threshold(fused, rate=1.0, area=best)
    assert limits["gpr"] == rate_threshold(own["gpr"], rate=1.0, area=best)
    assert ("emi" in limits) == (not np.isnan(own["emi"]).all())
    total = fused >= threshold
    for kind, limit in limits.items():
        total |= own[kind] >= limit
    if any(len(v[~np.isnan(v)]) for v in own.values()) and best:
        assert total.sum() <= allowed


def test_no_false_place_at_all():
    """Leaves the threshold at zero, as a rate alone does, and no sensor asks on its own."""
    empty = np.zeros(0)
    assert joint_thresholds(empty, {"gpr": empty}, rate=1.0, area=1.0) == (0.0, {})
    with pytest.raises(ValueError, match="score 1 is NaN"):
        joint_thresholds(np.array([1.0, math.nan]), {}, rate=1.0, area=1.0)
    with pytest.raises(ValueError, match="Must be finite"):
        decide(
            np.zeros(1),
            {"gpr": np.zeros(1)},
            threshold=math.nan,
            own={"gpr": 1.0},
            is_unfamiliar=np.zeros(1, bool),
        )

"""Test what is rejected at the Pd of a prescreener against slow versions and by hand."""

import dataclasses
import math

import naive_bench
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from test_bench_figures import FALSE, SCORES, figure, make_outcomes

from minesense.bench import outcomes as outcomes_module
from minesense.bench.entrants import ENTRANTS
from minesense.bench.goals import goals_of
from minesense.bench.outcomes import draw_lanes, percentiles
from minesense.bench.rejection import (
    PRESCREENERS,
    RATES,
    judge_against_prescreener,
    judge_own_places,
    own_places,
)
from minesense.bench.results import outcomes_to_json
from minesense.bench.table import _against_prescreener, _own_places


@given(targets=SCORES, false=FALSE)
def test_places_of_its_own_are_judged_as_given_ones(targets, false):
    """A target that was not noticed is no place; the slow version counts one by one."""
    outcomes = make_outcomes(targets, false)
    found = judge_own_places(outcomes, n_resamples=5)
    noticed = [score for score in targets if not math.isnan(score)]
    assert (found["noticed"]["k"], found["noticed"]["n"]) == (len(noticed), len(targets))
    assert found["n_clutter"] == len(false)
    scores, owner = [*noticed, *false], [*range(len(noticed)), *[-1] * len(false)]
    for misses in (0, 1):
        value = found[f"rejected_at_{misses}_missed"]["value"]
        if noticed and false:
            assert value == pytest.approx(naive_bench.rejected(scores, owner, misses))
        else:
            assert value is None
    dig = found["stop_dig"]
    assert dig["missed"]["k"] == sum(score < 1.5 for score in noticed)
    assert dig["rejected"]["k"] == sum(score < 1.5 for score in false)


def test_limits_of_own_places_are_those_of_drawn_lanes():
    """Lanes drawn again, by the seed, for no and for one mine missed."""
    rng = np.random.default_rng(seed=4)
    outcomes = make_outcomes(rng.normal(2, 1, 12), rng.normal(1, 1, 40), lanes=6)
    found = judge_own_places(outcomes, seed=9, n_resamples=60)
    drawn = np.random.default_rng(9).multinomial(6, np.full(6, 1 / 6), size=60)
    for misses in (0, 1):
        shares = []
        for lanes in drawn:
            mines = np.repeat(outcomes.target_scores, lanes[outcomes.target_lanes]).tolist()
            clutter = np.repeat(outcomes.false_scores, lanes[outcomes.false_lanes]).tolist()
            owner = [*range(len(mines)), *[-1] * len(clutter)]
            shares.append(naive_bench.rejected([*mines, *clutter], owner, misses))
        low, high = percentiles(shares)
        figures = found[f"rejected_at_{misses}_missed"]
        assert (figures["low"], figures["high"]) == (pytest.approx(low), pytest.approx(high))


def test_places_keep_their_lanes():
    """Lanes of targets that nobody noticed are left to them; limits draw lanes."""
    outcomes = make_outcomes([math.nan, 2.0, 3.0], [1.0, 4.0, 1.0], lanes=3)
    places, scores = own_places(outcomes)
    assert places.lanes.tolist() == [1, 2, 0, 1, 2]
    assert places.owner.tolist() == [0, 1, -1, -1, -1]
    assert scores.tolist() == [2.0, 3.0, 1.0, 4.0, 1.0]
    found = judge_own_places(outcomes, seed=3, n_resamples=200)["rejected_at_0_missed"]
    assert found["value"] == pytest.approx(2 / 3)
    # of lane 1 alone nothing, of lane 2 alone all: of lanes drawn anything between
    assert (found["low"], found["high"]) == (0.0, 1.0)


def naive_saved(own, plain, false_own, false_plain, rate, area, *, told=True):
    """Return Pd of a prescreener at a rate, and what the other saves there, by search."""
    pd = naive_bench.pd_at_far(plain, false_plain, area, rate)
    far = naive_bench.far_at_pd(plain, false_plain, area, pd)
    own_far = naive_bench.far_at_pd(own, false_own, area, pd)
    is_told = pd > 0 and far > 0 and math.isfinite(own_far)
    if told:
        return pd, 1 - own_far / far if is_told else None
    if pd == 0 or (far == 0 and own_far == 0):
        return pd, math.nan
    return pd, 1 - own_far / far if far else -math.inf


@given(own=SCORES, plain=SCORES, false_own=FALSE, false_plain=FALSE)
def test_what_is_saved_at_equal_pd_matches_the_slow_version(own, plain, false_own, false_plain):
    """Whatever the ties, the targets that are never found, and rates without any alarm."""
    plain = (plain * len(own))[: len(own)]
    outcomes = (
        make_outcomes(own, false_own, area=2.0),
        make_outcomes(plain, false_plain, area=2.0),
    )
    rows = judge_against_prescreener(*outcomes, n_resamples=5)
    assert [row["far"] for row in rows] == [*RATES[:-1], None]
    for row, rate in zip(rows, RATES, strict=True):
        pd, saved = naive_saved(own, plain, false_own, false_plain, rate, 4.0)
        assert row["pd"]["value"] == pytest.approx(pd)
        if saved is None:
            assert row["rejected"]["value"] is None
        else:
            assert row["rejected"]["value"] == pytest.approx(saved)


@given(targets=SCORES, false=FALSE)
def test_against_itself_nothing_is_saved(targets, false):
    """At any rate and in any resample, where there is an alarm to save."""
    outcomes = make_outcomes(targets, false)
    for row in judge_against_prescreener(outcomes, outcomes, n_resamples=20):
        for name in ("value", "low", "high"):
            assert row["rejected"][name] in (0.0, None)


def test_limits_are_those_of_every_resample_one_by_one():
    """Rates, seed and weights as drawn; a draw without an alarm to save counts as none."""
    rng = np.random.default_rng(seed=5)
    own = make_outcomes([*rng.normal(2.0, 1.0, 20), math.nan], rng.normal(1, 1, 30), lanes=5)
    plain = make_outcomes(
        [*rng.normal(2.0, 1.0, 20), 0.5], rng.normal(1.5, 1, 50), lanes=5, area=5.0
    )
    rows = judge_against_prescreener(own, plain, seed=7, n_resamples=40)
    draws = draw_lanes(5, own.target_lanes, rng=np.random.default_rng(7), n_resamples=40)
    for row, rate in zip(rows, RATES, strict=True):
        pds, shares = [], []
        for lanes, targets in zip(
            draws.lanes.astype(int), draws.targets.astype(int), strict=True
        ):
            found = []
            for item in (own, plain):
                hits = np.repeat(item.target_scores, targets).tolist()
                false = np.repeat(item.false_scores, lanes[item.false_lanes]).tolist()
                found.append((hits, false))
            area = float(lanes @ own.areas)
            pd, share = naive_saved(
                found[0][0], found[1][0], found[0][1], found[1][1], rate, area, told=False
            )
            pds.append(pd)
            shares.append(share)
        assert row["n_undefined"] == sum(math.isnan(share) for share in shares)
        few = row["n_undefined"] <= 2
        for name, values in (("pd", pds), ("rejected", shares)):
            low, high = percentiles(values)
            wanted = (low, high) if few or name == "pd" else (-math.inf, math.inf)
            for side, value in zip(("low", "high"), wanted, strict=True):
                if math.isfinite(value):
                    assert row[name][side] == pytest.approx(value)
                else:
                    assert row[name][side] is None
    assert any(row["rejected"]["low"] is None for row in rows)
    assert any(row["rejected"]["low"] is not None for row in rows)


def test_more_false_alarms_than_are_kept_do_not_end_a_run():
    """At the threshold there are more than the list holds: none is rejected."""
    outcomes = dataclasses.replace(
        make_outcomes([2.0], [1.0, 3.0]), false_at_threshold=np.array([40, 2])
    )
    assert judge_own_places(outcomes, n_resamples=5)["stop_dig"]["rejected"]["k"] == 0


def test_lanes_are_drawn_for_both_at_once():
    """One that always has half the false alarms saves a half in every resample."""
    rng = np.random.default_rng(seed=1)
    targets = rng.normal(3.0, 1.0, 40)
    own = make_outcomes(targets, rng.normal(2.0, 1.0, 100), lanes=10)
    both = np.repeat(np.arange(100), 2)
    plain = dataclasses.replace(
        own, false_lanes=own.false_lanes[both], false_scores=own.false_scores[both]
    )
    *_, everything = judge_against_prescreener(own, plain, n_resamples=50)
    for name in ("value", "low", "high"):
        npt.assert_allclose(everything["rejected"][name], 0.5)


def test_goals_tell_what_is_saved_where_the_metal_detector_gets():
    """Over all tests together, whatever it does not reach; without it nothing is told."""
    full = make_outcomes([5.0, 4.0, 3.0, 2.0], [1.0, 2.5], area=10.0)
    coils = make_outcomes([5.0, 4.0, math.nan, math.nan], [1.0, 4.5], area=10.0)
    part = {
        "entrants": {},
        "outcomes": {
            "full": outcomes_to_json(full),
            "metal_detector": outcomes_to_json(coils),
        },
    }
    readings = {"readings": {"full": {}}, "false_alarms_saved": {}}
    track = {"all": readings, "parts": {"lane_out": part, "soil_out": part}}
    goals = {g.name: g for g in goals_of({"tracks": {"A": track}})}
    least = "false alarms of metal_detector saved at its own Pd, of all it noticed, all tests"
    assert (goals[least].value, goals[least].is_met) == (1.0, None)
    assert goals[least].cases.startswith("Pd 50.0 %")
    missing = {**part, "outcomes": {"full": part["outcomes"]["full"]}}
    assert goals_of({"tracks": {"A": {**track, "parts": {"a": part, "b": missing}}}}) == []


def test_limits_do_not_depend_on_how_many_resamples_are_read_at_once(monkeypatch):
    """The same draws, in one piece and one by one."""
    rng = np.random.default_rng(seed=2)
    own, plain = (
        make_outcomes(rng.normal(2.0, 1.0, 30), rng.normal(1.0, 1.0, 60), lanes=6)
        for _ in range(2)
    )
    whole = judge_against_prescreener(own, plain, n_resamples=30)
    monkeypatch.setattr(outcomes_module, "_CELLS_AT_ONCE", 1)
    assert judge_against_prescreener(own, plain, n_resamples=30) == whole


def test_other_lanes_or_targets_do_not_compare():
    """The message says how many targets each has."""
    one, two = make_outcomes([1.0, 2.0], [1.0]), make_outcomes([1.0], [1.0])
    with pytest.raises(ValueError, match=r"Invalid outcomes of 2 and 1 targets\. Must have"):
        judge_against_prescreener(one, two)
    other = make_outcomes([1.0, 2.0], [1.0], area=6.0)
    with pytest.raises(ValueError, match=r"Must have the same lanes and targets"):
        judge_against_prescreener(one, other)


def test_prescreeners_always_run():
    """Each is an entrant; the first has the stages of the full detector."""
    assert set(PRESCREENERS) <= set(ENTRANTS)
    first = ENTRANTS[PRESCREENERS[0]](None).recipe
    assert first.learn_shapes
    assert first.groups == {"gpr": ("score",), "emi": ("score",)}


def test_tables_name_everybody():
    """Those who save nothing, too; without entrants there is no table."""
    none = {"value": None, "low": None, "high": None}
    rows = [
        {"far": 0.1, "pd": figure(0.5), "rejected": figure(0.8)},
        {"far": None, "pd": figure(0.9), "rejected": none},
    ]
    worse = [{**row, "rejected": {"value": 0.1, "low": -0.2, "high": 0.3}} for row in rows]
    text = "\n".join(_against_prescreener("lane_out", "energy", {"full": rows, "bad": worse}))
    assert "at 0.1 FA/m2" in text
    assert "all it noticed" in text
    assert "full                0.800 [0.800, 0.800]       - [-, -]" in text
    assert "bad                 0.100 [-0.200, 0.300]" in text
    assert _against_prescreener("lane_out", "energy", {}) == []
    assert _own_places("lane_out", {}) == []
    entry = judge_own_places(make_outcomes([2.0, 1.0, math.nan], [1.7, 0.5]), n_resamples=5)
    assert _own_places("lane_out", {"full": entry})[-1].startswith(
        "full                2 of 3      2        0.500 ["
    )

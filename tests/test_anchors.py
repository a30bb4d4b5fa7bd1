"""Test synthetic ground against published figures of trials and of clearance."""

import json

import pytest

from benchmarks.anchors.run import RESULTS, trial, village

KEPT = json.loads(RESULTS.read_text())


def test_an_average_detector_finds_what_it_finds_in_blind_trials():
    """Pd between 0.5 and 0.8 at 0.3 false alarms per square metre, fewer the deeper."""
    for found in KEPT["trial"]:
        assert 0.25 < found["far"] <= 0.3
        assert 0.5 <= found["pd"] <= 0.8
        shares = [band["hits"] / band["targets"] for band in found["by_depth"]]
        assert shares == sorted(shares, reverse=True)


def test_a_village_has_the_marks_of_a_clearance():
    """Swept until nothing sounds, about 2.36 per square metre; fewer in every round."""
    rates = [found["per_m2"] for found in KEPT["village"]]
    assert sum(rates) / len(rates) == pytest.approx(2.36, rel=0.15)
    for found in KEPT["village"]:
        assert found["rounds"] == sorted(found["rounds"], reverse=True)
        assert found["rounds"][-1] == 0


@pytest.mark.slow
def test_a_fresh_seed_is_like_those_kept():
    """Fewer lanes, hence wider bounds."""
    found = trial(11, n_lanes=12)
    assert 0.5 <= found["pd"] <= 0.9
    swept = village(11, KEPT["threshold"], n_lanes=20)
    assert swept["per_m2"] == pytest.approx(2.36, abs=0.8)

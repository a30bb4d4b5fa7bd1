"""Test that what compares training lanes and features takes the lanes that it says."""

import dataclasses

import pytest
from fields import make_target, make_truth

from benchmarks.feature_worth import lanes
from benchmarks.full_wave import choose, judge
from minesense.bench import TESTS, benchmark_plan
from minesense.detect import DEFAULT_GROUPS, GROUPS
from minesense.training import ScreenedLanes


@pytest.mark.parametrize("n_lanes", [6, 60])
def test_every_part_has_as_many_lanes(n_lanes):
    """Shared among its fields; lanes with faults have no part in it."""
    plan = lanes.thinned(benchmark_plan("full"), n_lanes)
    for part in ("training", "lessons", *TESTS):
        counts = [
            getattr(plot.scenario.lanes, sort)
            for plot in plan.plots
            for sort, its in plot.parts.items()
            if its == part
        ]
        assert sum(counts) == n_lanes, part
    assert not plan.plots_of("faulty")


def test_rows_differ_in_what_their_names_say():
    """Whether lessons teach, and one or two groups of features."""
    (first, groups), *others = lanes.ROWS.values()
    assert first
    assert groups == DEFAULT_GROUPS["gpr"]
    assert [has_lessons for has_lessons, _ in others] == [False, True, True]
    changed = [set(groups) ^ set(theirs) for _, theirs in others]
    assert changed == [set(), {"focused"}, {"context", "hyperbola"}]


def test_only_some_lanes_are_kept():
    """Of what was screened, and of what lies there."""
    part = dataclasses.make_dataclass("Part", ["lane"])
    screened = ScreenedLanes(
        settings=None,
        sensors={},
        lanes=[{"gpr": part("A"), "emi": part("A")}, {"gpr": part("B")}],
        recorded={},
    )
    truth = make_truth(
        make_target("1", 0.0, 1.0, lane="A"), make_target("2", 2.0, 1.0, lane="B")
    )
    kept, known = lanes.only(screened, truth, {"B": None})
    assert [lane["gpr"].lane for lane in kept.lanes] == ["B"]
    assert [row.lane for row in known.objects] == ["B"]


def test_groups_that_are_compared_exist():
    """The first row is the package's recipe, the last what the stored lanes are judged by."""
    assert choose.ROWS[0] == DEFAULT_GROUPS["gpr"]
    assert choose.ROWS[-1] == judge.GROUPS
    for row in choose.ROWS:
        assert set(row) <= set(GROUPS["gpr"])

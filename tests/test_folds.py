"""Test that folds keep lanes and groups whole."""

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense.score import check_groups, lane_folds

rows = st.lists(st.sampled_from("ABCDEF"), min_size=2, max_size=40).filter(
    lambda lanes: len(set(lanes)) > 1
)


@given(lanes=rows, n_folds=st.integers(2, 6))
def test_every_row_is_tested_once_and_no_lane_is_shared(lanes, n_folds):
    """Folds part the rows; training and test rows have no lane in common."""
    n_folds = min(n_folds, len(set(lanes)))
    folds = lane_folds(lanes, n_folds=n_folds)
    assert len(folds) == n_folds
    tested = np.concatenate([fold.test for fold in folds])
    npt.assert_array_equal(np.sort(tested), np.arange(len(lanes)))
    names = np.array(lanes)
    for fold in folds:
        assert set(names[fold.train]).isdisjoint(names[fold.test])
        assert set(names[fold.test]) == set(fold.lanes)
        assert len(fold.train) + len(fold.test) == len(lanes)
        assert len(fold.train)


def test_folds_are_even_and_repeat():
    """Lanes go by size, then name, to the smallest fold; without a number, one each."""
    lanes = ["C"] * 3 + ["A"] * 5 + ["B"] * 3 + ["D"]
    folds = lane_folds(lanes, n_folds=2)
    assert [fold.lanes for fold in folds] == [("A", "D"), ("B", "C")]
    assert [fold.lanes for fold in lane_folds(lanes)] == [("A",), ("B",), ("C",), ("D",)]
    npt.assert_array_equal(lane_folds(lanes)[1].test, [8, 9, 10])


def test_an_emplacement_in_two_folds_is_refused():
    """Pitfall 2: passes over one emplacement in two lanes must share their fold."""
    lanes, groups = ["A", "A", "B", "C"], ["m1", "", "m1", ""]
    with pytest.raises(
        ValueError, match=r"'m1' has rows in folds 0 and 1, the first .* row is 2"
    ):
        lane_folds(lanes, groups=groups)
    folds = lane_folds(["A", "A", "B", "C"], groups=["m1", "m1", "", ""])
    assert len(folds) == 3
    check_groups(["g", "h", "g"], [1, 0, 1])


def test_rows_need_lanes():
    """Pitfall 1: without lanes there are no folds."""
    with pytest.raises(TypeError, match="lanes"):
        lane_folds()


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"lanes": "AB"}, TypeError, "Invalid lanes 'AB'. Must be one name for every row"),
        ({"lanes": ["A", ""]}, ValueError, "row 1 has no lane"),
        ({"lanes": ["A", "A"]}, ValueError, "Invalid n_folds '1'. Must be at least 2"),
        ({"n_folds": 4}, ValueError, "Invalid n_folds '4'. Must be at most .* 3"),
        ({"n_folds": 2.0}, TypeError, "Invalid n_folds 2.0"),
        ({"groups": ["a"]}, ValueError, "Invalid groups of 1 rows. Must be one for each of 3"),
    ],
)
def test_bad_input_is_named(bad, error, message):
    """The error names the argument, shows its value and states the rule."""
    options = {"lanes": ["A", "B", "C"]} | bad
    with pytest.raises(error, match=message):
        lane_folds(options.pop("lanes"), **options)

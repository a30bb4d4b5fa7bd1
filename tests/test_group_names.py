"""Test that one group has one name, and that what is no name is refused."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minesense._group_names import check_group_names
from minesense.detect import (
    certify_each_class,
    certify_miss_rate,
    certify_with_confidence,
    check_groups,
    lane_folds,
    out_of_fold,
)
from minesense.score import rejection, reliability
from minesense.training import evaluate

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(np.float32),
    st.integers(-128, 127).map(np.int8),
    st.integers(-128, 127).map(float),
)


@given(st.lists(NUMBERS, max_size=12))
def test_numbers_have_one_name_where_they_are_equal(numbers):
    """Whatever their type, and only there."""
    words = check_group_names(numbers, "lanes", of="lane")
    plain = [n.item() if isinstance(n, np.generic) else n for n in numbers]
    for a, first in zip(plain, words, strict=True):
        for b, second in zip(plain, words, strict=True):
            assert (a == b) == (first == second)


@given(st.lists(st.text().filter(str.strip), max_size=8))
def test_words_are_kept_or_differ_in_blanks_alone(names):
    """As they are, whether Python's or NumPy's."""
    if len({name.strip() for name in names}) < len(set(names)):
        with pytest.raises(ValueError, match="Must not differ in blanks alone"):
            check_group_names(names, "lanes", of="lane")
        return
    assert check_group_names(names, "lanes", of="lane") == names
    assert check_group_names(map(np.str_, names), "lanes", of="lane") == names
    gaps = [x for name in names for x in (name, "", None, math.nan, np.float32("nan"))]
    found = check_group_names(gaps, "groups", of="group", is_optional=True)
    assert found == [x for name in names for x in (name, "", "", "", "")]


def test_long_floats_are_numbers_too():
    """Which NumPy does not turn into Python's."""
    names = [np.longdouble(3), 3, np.longdouble(2.5)]
    assert check_group_names(names, "lanes", of="lane") == ["3", "3", "2.5"]


def test_truths_are_words_of_their_own():
    """Wet or dry is not 1 or 0."""
    assert check_group_names([True, np.False_], "soils", of="soil") == ["True", "False"]


BAD = [
    (None, ValueError, "has no lane but None. Must be named by a word or a finite number"),
    (math.nan, ValueError, "has no lane but nan"),
    (np.float32("nan"), ValueError, "has no lane but nan"),
    (np.float16("nan"), ValueError, "has no lane but nan"),
    (math.inf, ValueError, "has no lane but inf"),
    ("", ValueError, "has no lane but ''"),
    (" \t", ValueError, r"has no lane but ' \\t'"),
    ("lane 1 ", ValueError, "row 1 is 'lane 1', row 4 is 'lane 1 '. Must not differ in blanks"),
    (3, TypeError, "row 0 is 'lane 0', row 4 is 3. Must be all words, all numbers or all tru"),
    (True, TypeError, "row 0 is 'lane 0', row 4 is True. Must be all words, all numbers"),
    (b"A", TypeError, "row 4 is b'A'. Must be a word or a number"),
    (datetime.date(2024, 5, 1), TypeError, "Must be a word or a number"),
    (np.array([1, 2]), TypeError, "Must be a word or a number"),
    (1j, TypeError, "Must be a word or a number"),
]


@pytest.mark.parametrize(("bad", "error", "message"), BAD)
@pytest.mark.parametrize(
    "use",
    [
        lambda lanes: certify_miss_rate(np.arange(40.0), lanes, miss_rate=0.2),
        lambda lanes: certify_with_confidence(
            np.arange(40.0), lanes, miss_rate=0.2, confidence=0.5
        ),
        lambda lanes: lane_folds(lanes, n_folds=2),
        lambda lanes: rejection(
            np.arange(40.0), np.arange(40) % 2, lanes, rng=np.random.default_rng(0)
        ),
        lambda lanes: reliability(np.full(40, 0.5), np.arange(40) % 2, lanes),
    ],
)
def test_lanes_without_one_name_each_are_refused(use, bad, error, message):
    """A leak of spelling, or a lane called 'nan', certifies what was not shown."""
    lanes = [f"lane {k % 10}" for k in range(40)]
    use(lanes)
    lanes[4] = bad
    with pytest.raises(error, match=f"Invalid lanes: .*{message}"):
        use(lanes)


@pytest.mark.parametrize("bad", ["lane", b"lane", 7, None, np.array(3)])
def test_one_name_is_not_one_for_every_row(bad):
    """A word is a sequence of words, too."""
    with pytest.raises(TypeError, match=r"Invalid lanes .*Must be one name for every row"):
        certify_miss_rate(np.arange(4.0), bad, miss_rate=0.2)


def spelt_twice(numbers):
    """Return numbers as whole numbers and as floats in turn."""
    return [int(n) if i % 2 else float(n) for i, n in enumerate(numbers)]


def test_ten_lanes_do_not_certify_one_in_twenty():
    """They would, were 3 and 3.0 two lanes."""
    lanes = spelt_twice(np.repeat(np.arange(10), 2))
    with pytest.raises(ValueError, match=r"10 lanes cannot certify below 0\.0909"):
        certify_miss_rate(np.arange(20.0), lanes, miss_rate=0.05)
    found = certify_miss_rate(np.arange(20.0), lanes, miss_rate=0.1)
    assert found.lanes == tuple("0123456789")


def test_classes_have_one_name_too():
    """Neither is a class split, nor has it none."""
    lanes = [f"lane {k}" for k in range(20)]
    classes = spelt_twice([k // 10 for k in range(20)])
    held = certify_each_class(np.ones(20), lanes, classes, miss_rates={"0": 0.1, "1": 0.1})
    assert [len(item.lanes) for item in held.values()] == [10, 10]
    classes[3] = None
    with pytest.raises(ValueError, match="Invalid classes: row 3 has no class but None"):
        certify_each_class(np.ones(20), lanes, classes, miss_rates={"0": 0.1, "1": 0.1})


def test_folds_do_not_part_what_is_spelt_twice():
    """Lanes stay in one fold; groups, a group called 0 too, are seen to span two."""
    lanes = spelt_twice(np.repeat(np.arange(4), 5))
    folds = lane_folds(lanes)
    assert [fold.lanes for fold in folds] == [("0",), ("1",), ("2",), ("3",)]
    assert all(len(fold.test) == 5 for fold in folds)
    for groups in ([3, 3.0], [0, 0.0], [np.int8(3), 3]):
        with pytest.raises(ValueError, match="has rows in folds 0 and 1"):
            check_groups(groups, [0, 1])
    check_groups([None, "", np.nan, "a"], [0, 1, 0, 1])
    with pytest.raises(TypeError, match="Invalid groups: row 0 is 3, row 1 is '3'"):
        check_groups([3, "3"], [0, 1])


def test_a_lane_spelt_twice_is_one_lane_of_a_classifier():
    """Its rows are judged by other lanes only."""
    features = np.array([[0.0], [1.0], [0.0], [1.0]])
    with pytest.raises(ValueError, match="all 4 candidates lie in one lane, '3'"):
        out_of_fold(features, [0, 1, 0, 1], [3, 3.0, 3, 3.0], kind="logistic")


def make_table(lane):
    """Return options of an evaluation in which nothing is known but the lane."""
    rng = np.random.default_rng(0)
    labels = rng.random(len(lane)) < rng.choice([0.1, 0.9], 20)[lane]
    return {
        "features": rng.normal(size=20)[lane][:, None] + 1e-3 * rng.normal(size=(len(lane), 1)),
        "labels": labels,
        "emplacements": [f"mine {i}" if mine else "" for i, mine in enumerate(labels)],
        "is_synthetic": True,
        "kind": "logistic",
        "n_seeds": 1,
        "n_resamples": 20,
        "groups": {"lane": lane.tolist(), "soil": [f"soil {k // 5}" for k in lane]},
    }


def test_a_lane_spelt_twice_is_one_lane_of_an_evaluation():
    """Held out, it is not known from its other spelling."""
    lane = np.repeat(np.arange(20), 30)
    table = make_table(lane)
    expected = evaluate(**table)
    mixed = spelt_twice(lane)
    found = evaluate(**table | {"groups": table["groups"] | {"lane": mixed}})
    assert found.tiers["lane"].n_groups == 20
    assert found == expected


@pytest.mark.parametrize(
    ("tier", "bad", "error", "message"),
    [
        ("lane", 3, TypeError, "tier 'lane': row 0 is 'lane 0', row 4 is 3. Must be all words"),
        ("soil", np.float32("nan"), ValueError, "tier 'soil': 4 names, 1 rows without one"),
        ("soil", None, ValueError, "tier 'soil': 4 names, 1 rows without one"),
        ("soil", " ", ValueError, "tier 'soil': row 4 has no soil but ' '"),
        ("soil", "soil 0 ", ValueError, "tier 'soil': row 0 is 'soil 0', row 4 is 'soil 0 '"),
        ("soil", b"x", TypeError, "tier 'soil': row 4 is b'x'. Must be a word or a number"),
    ],
)
def test_groups_of_an_evaluation_have_one_name_each(tier, bad, error, message):
    """A soil called 'nan' is no soil."""
    lane = np.repeat(np.arange(20), 30)
    table = make_table(lane)
    groups = table["groups"] | {"lane": [f"lane {k}" for k in lane]}
    groups[tier] = [*groups[tier][:4], bad, *groups[tier][5:]]
    with pytest.raises(error, match=f"Invalid groups of {message}"):
        evaluate(**table | {"groups": groups})


def test_emplacements_of_an_evaluation_have_one_name_each():
    """A mine spelt twice is one, and lies in one lane."""
    lane = np.repeat(np.arange(20), 30)
    table = make_table(lane)
    mines = np.flatnonzero(table["labels"])
    owners = [i if mine else None for i, mine in enumerate(table["labels"])]
    owners[mines[-1]] = float(mines[0])
    with pytest.raises(ValueError, match=f"'{mines[0]}' has rows in folds"):
        evaluate(**table | {"emplacements": owners})
    owners[mines[-1]] = np.float32("nan")
    with pytest.raises(ValueError, match="a mine, has ''"):
        evaluate(**table | {"emplacements": owners})

"""Test compiled trees: the bits of scikit-learn, whatever the row; a self-test that notices."""

import dataclasses
import math
import warnings

import naive_chains as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from minesense.detect import (
    compiled_trees,
    extract_trees,
    fit,
    predict,
    score_trees,
    tested_trees,
    trial_rows,
)
from minesense.detect.tested_trees import reference_scores
from minesense.detect.trees import check_trees


def make_classifier(seed=0, n=200, **options):
    """Return a boosted classifier fitted to four features, some of them missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)).round(1)  # rounded: many values lie at one threshold
    y = x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=n) > 0
    # missing values say something, so that some of them turn left, others right
    x[y & (rng.random(n) < 0.3), 0] = np.nan
    x[~y & (rng.random(n) < 0.3), 3] = np.nan
    options = {"max_iter": 20, "min_samples_leaf": 5, "random_state": seed} | options
    return HistGradientBoostingClassifier(**options).fit(x, y)


CLASSIFIER = make_classifier()
TREES = extract_trees(CLASSIFIER)


def assert_same_bits(actual, desired):
    """Fail unless every bit agrees, signs of zeros included."""
    assert (actual.dtype, actual.shape) == (np.float64, desired.shape)
    assert actual.tobytes() == desired.tobytes()


values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(TREES.values.tolist()),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0]),
)


@given(rows=st.lists(st.tuples(*[values] * 4), min_size=1, max_size=8))
def test_any_row_has_the_bits_of_scikit_learn(rows):
    """And those of a walk from node to node: at thresholds, missing, infinite."""
    scores = score_trees(TREES, rows)
    assert_same_bits(scores, reference_scores(CLASSIFIER, np.array(rows)))
    assert scores.tolist() == [naive.boosted_score(CLASSIFIER, row) for row in rows]


@pytest.mark.parametrize(
    "options",
    [
        {"max_depth": 1},
        {"max_depth": None, "max_leaf_nodes": 31},
        {"learning_rate": 1e-9},
        {"max_iter": 1},
        {"min_samples_leaf": 200},  # trees of one leaf
        {"class_weight": "balanced", "max_bins": 8},
    ],
)
def test_shapes_of_trees(options):
    """Stumps, deep trees, single leaves: the difference is nought on every test row."""
    classifier = make_classifier(seed=3, **options)
    tried = trial_rows(extract_trees(classifier), seed=1)
    assert_same_bits(
        score_trees(extract_trees(classifier), tried), reference_scores(classifier, tried)
    )


def test_one_row_and_many_agree():
    """A row has the same bits alone, in any layout, and as single precision."""
    tried = trial_rows(TREES)
    whole = score_trees(TREES, tried)
    assert_same_bits(np.concatenate([score_trees(TREES, row[None]) for row in tried]), whole)
    assert_same_bits(score_trees(TREES, np.asfortranarray(tried)), whole)
    assert score_trees(TREES, np.empty((0, 4))).shape == (0,)
    with np.errstate(over="ignore"):
        single = tried.astype(np.float32)
    assert_same_bits(score_trees(TREES, single), reference_scores(CLASSIFIER, single))


def test_trial_rows_hold_what_can_go_wrong():
    """Missing, infinite, and every threshold with its neighbours; the same seed, the same."""
    tried = trial_rows(TREES, n_rows=400)
    assert np.isnan(tried[0]).all()
    assert np.isposinf(tried[1]).all()
    assert np.isneginf(tried[2]).all()
    for k in range(4):
        cuts = np.unique(TREES.values[TREES.links[:, 0] == k])
        assert np.isin(cuts, tried[:, k]).mean() > 0.9
        near = tried[np.abs(tried[:, k]) < 1e3, k]
        assert np.isin(np.nextafter(near, -np.inf), cuts).sum() > 10
        assert np.isin(np.nextafter(near, np.inf), cuts).sum() > 10
        assert np.isnan(tried[:, k]).sum() > 10
    assert_same_bits(trial_rows(TREES, n_rows=400), tried)
    assert trial_rows(TREES, n_rows=400, seed=1).tobytes() != tried.tobytes()


def spoilt(kind):
    """Return the trees with one fault of an evaluator."""
    values, links = TREES.values.copy(), TREES.links.copy()
    inner = links[:, 0] >= 0
    baseline = TREES.baseline
    if kind == "missing turns the other way":
        other = np.where(links[:, 3] == links[:, 1], links[:, 2], links[:, 1])
        links[inner, 3] = other[inner]
    elif kind == "less instead of at most":
        values[inner] = np.nextafter(values[inner], -np.inf)  # the same for all but ties
    elif kind == "one leaf by one bit":
        values[np.flatnonzero(~inner)[0]] *= 1 + 1e-15
    elif kind == "left and right swapped":
        links[inner, 1], links[inner, 2] = links[inner, 2], links[inner, 1]
    elif kind == "no baseline":
        baseline = 0.0
    return dataclasses.replace(TREES, values=values, links=links, baseline=baseline)


@pytest.mark.parametrize(
    "kind",
    [
        "missing turns the other way",
        "less instead of at most",
        "one leaf by one bit",
        "left and right swapped",
        "no baseline",
    ],
)
def test_a_failed_self_test_falls_back_with_a_warning(monkeypatch, kind):
    """The scores are then those of scikit-learn, and the warning is not repeated."""
    classifier = make_classifier()
    monkeypatch.setattr(tested_trees, "extract_trees", lambda _: spoilt(kind))
    tried = trial_rows(TREES, seed=5)
    with pytest.warns(RuntimeWarning, match=r"failed their self-test: \d+ of 256 test rows"):
        scores = predict(classifier, tried)
    assert_same_bits(scores, reference_scores(CLASSIFIER, tried))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled_trees(classifier) is None
        assert_same_bits(predict(classifier, tried), scores)


def test_trees_follow_a_classifier_that_is_fitted_again():
    """A new fit, or more trees of a warm start, are not scored by the trees before."""
    classifier = make_classifier(warm_start=True)
    before = compiled_trees(classifier)
    assert compiled_trees(classifier) is before
    x = trial_rows(TREES)[4:]
    y = np.arange(len(x)) % 2 == 0
    classifier.set_params(max_iter=25).fit(x, y)
    assert len(compiled_trees(classifier).roots) == 25
    classifier.set_params(warm_start=False, max_iter=20).fit(x, ~y)
    assert_same_bits(predict(classifier, x), reference_scores(classifier, x))


def test_predict_runs_compiled_trees_behind_other_steps():
    """A pipeline ahead of the trees is run by scikit-learn."""
    x = trial_rows(TREES)[4:]
    x[np.abs(x) > 1e3] = 0.0  # infinite, or the greatest number there is
    y = np.arange(len(x)) % 2 == 0
    pipeline = Pipeline(
        [("impute", SimpleImputer()), ("boost", HistGradientBoostingClassifier(max_iter=5))]
    ).fit(x, y)
    assert_same_bits(predict(pipeline, x), pipeline.decision_function(x))
    assert compiled_trees(pipeline[-1]) is not None


def test_what_is_not_supported_is_refused_and_left_to_scikit_learn():
    """Three classes, categories, another estimator, nothing fitted."""
    x = np.random.default_rng(0).integers(0, 4, size=(90, 2)).astype(float)
    three = HistGradientBoostingClassifier(max_iter=2).fit(x, x[:, 0] % 3)
    words = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0])
    words.fit(x, x[:, 0] > 1)
    values = HistGradientBoostingRegressor(max_iter=2).fit(x, x[:, 0])
    for other, message in [
        (three, "of 3 classes. Must have two"),
        (words, "with categorical features. Must have only numbers"),
        (values, "HistGradientBoostingRegressor: its trees cannot be read"),
        (HistGradientBoostingClassifier(), "its trees cannot be read"),
        (fit(x, x[:, 0] > 1, kind="logistic")[-1], "LogisticRegression: its trees cannot"),
    ]:
        with pytest.raises(ValueError, match=message):
            extract_trees(other)
        assert compiled_trees(other) is None
    assert_same_bits(predict(words, x), words.decision_function(x))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("left", 0, "leads out of its tree or back"),
        ("left", 2**31, "leads out of its tree or back"),
        ("right", 2**32 - 1, "leads out of its tree or back"),
        ("feature_idx", 4, "asks for another than the 4 features"),
        ("feature_idx", 2**40, "asks for another than the 4 features"),
        ("feature_idx", -1, "a feature before the first"),
        ("num_threshold", np.nan, "is not a number"),
        ("is_categorical", 1, "categorical splits"),
    ],
)
def test_damaged_nodes_are_refused(field, value, message):
    """Nothing runs through a node that leads out of memory, or round and round."""
    classifier = make_classifier()
    classifier._predictors[1][0].nodes[0][field] = value
    with pytest.raises(ValueError, match=message):
        extract_trees(classifier)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"links": TREES.links.astype(np.int64)}, r"Invalid trees of int32 \(20,\), float64"),
        ({"links": TREES.links[:, :3].copy()}, "Must be int32"),
        ({"links": np.asfortranarray(TREES.links)}, "Must be int32"),
        ({"values": TREES.values[:-1]}, "Must be int32"),
        ({"roots": TREES.roots[::-1].copy()}, "a tree has no nodes"),
        ({"roots": TREES.roots + np.int32(1)}, "a tree has no nodes"),
        ({"baseline": math.inf}, "the baseline is inf"),
        ({"values": np.full_like(TREES.values, np.inf)}, "a leaf is not a number"),
    ],
)
def test_trees_of_any_origin_are_checked(changes, message):
    """Arrays of another shape or type, trees without nodes, numbers that are none."""
    assert check_trees(TREES) is TREES
    with pytest.raises(ValueError, match=message):
        check_trees(dataclasses.replace(TREES, **changes))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: score_trees(TREES, np.zeros(4)), ValueError, r"\(4,\). Must be \(n, 4\)"),
        (lambda: score_trees(TREES, np.zeros((2, 3))), ValueError, r"\(2, 3\). Must be"),
        (lambda: score_trees(TREES, [["a"] * 4]), TypeError, "Must be real numbers"),
        (lambda: trial_rows(TREES, n_rows=7), ValueError, "n_rows '7'. Must be at least 8"),
        (lambda: trial_rows(TREES, seed=0.5), TypeError, "seed 0.5"),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        call()


def test_a_baseline_of_negative_zero_adds_as_in_scikit_learn():
    """Bits, not values: minus nought plus nought is nought."""
    classifier = make_classifier(max_iter=1)
    classifier._baseline_prediction[:] = -0.0
    classifier._predictors[0][0].nodes["value"] = -0.0
    rows = np.zeros((1, 4))
    assert_same_bits(
        score_trees(extract_trees(classifier), rows), reference_scores(classifier, rows)
    )
    npt.assert_array_equal(np.signbit(score_trees(extract_trees(classifier), rows)), [False])

"""Test the classifier: lanes stay together, nothing leaks, files hold no surprises."""

import io
import json
import warnings
import zipfile

import numpy as np
import numpy.testing as npt
import pytest
import skops.io
from sklearn.neighbors import KNeighborsClassifier

from minesense.detect import (
    ALLOWED_TYPES,
    ESTIMATORS,
    compiled_trees,
    fit,
    new_estimator,
    out_of_fold,
    predict,
    trees,
)
from minesense.detect.model import load_model, save_model


def make_table(n=300, seed=0):
    """Return features of which one tells the class, and some are missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    y = x[:, 1] + 0.3 * rng.normal(size=n) > 0.5
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, y, [f"lane {k % 7}" for k in range(n)]


#: Options by which the kinds fit `make_table`: its second column tells the class.
OPTIONS = {"score": {"column": 1}, "forest": {"n_trees": 50}}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_learns_what_can_be_learned(kind):
    """Scores of unseen rows rank mines above the rest."""
    x, y, _ = make_table()
    other, truth, _ = make_table(seed=1)
    if kind == "hidden_markov":  # a hill along 8 scans, seen twice in each
        hill = np.array([0, 1, 2, 3, 3, 2, 1, 0])
        x, other = (
            np.repeat(table[:, :4], 4, axis=1) + np.repeat(labels[:, None] * hill, 2, axis=1)
            for table, labels in ((x, y), (other, truth))
        )
    options = OPTIONS.get(kind, {"n_observations": 2} if kind == "hidden_markov" else {})
    scores = predict(fit(x, y, kind=kind, options=options), other)
    above = (scores[truth][:, None] > scores[~truth][None, :]).mean()
    # neighbours pay for the columns that say nothing
    assert above > (0.85 if kind == "possibilistic" else 0.9)


def test_columns_without_values_say_nothing():
    """A feature that no candidate has changes no score, instead of failing to be binned."""
    x, y, _ = make_table()
    x[:, 3] = np.nan
    wide = predict(fit(x, y), x)
    narrow = predict(fit(x[:, :3], y), x[:, :3])
    npt.assert_allclose(wide, narrow, atol=1e-12)
    x[:, 3] = 7.0
    npt.assert_array_equal(predict(fit(np.where(x == 7.0, np.nan, x), y), x), wide)


def test_same_seed_same_scores():
    """Fitting twice gives the same bits."""
    x, y, _ = make_table()
    npt.assert_array_equal(predict(fit(x, y, seed=3), x), predict(fit(x, y, seed=3), x))


def test_out_of_fold_scores_have_not_seen_their_lane():
    """A label that only the lane tells cannot be learned across lanes."""
    rng = np.random.default_rng(seed=0)
    lanes = np.repeat(np.arange(12), 40)
    labels = rng.random(12)[lanes] < 0.5
    # the lane's own number, in no order: memorised within lanes, useless across them
    marks = rng.permutation(12)[lanes] + 0.01 * rng.normal(size=len(lanes))
    features = np.column_stack([marks, rng.normal(size=len(lanes))])
    groups = [f"lane {k}" for k in lanes]
    seen = predict(fit(features, labels), features)
    unseen = out_of_fold(features, labels, groups, n_folds=12)

    def accuracy(scores):
        return ((scores > 0) == labels).mean()

    assert accuracy(seen) > 0.95
    assert accuracy(unseen) < 0.8


def test_weight_zero_is_absence():
    """A row of no weight changes nothing that matters."""
    x, y, _ = make_table(n=200)
    wrong = np.concatenate([y, ~y])
    weights = np.concatenate([np.ones(200), np.full(200, 1e-9)])
    scores = predict(fit(np.concatenate([x, x]), wrong, weights=weights), x)
    assert ((scores > 0) == y).mean() > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit(np.zeros((3, 2)), [1, 1, 1]), "3 mines of 3 candidates. Must hold both"),
        (lambda: fit(np.zeros((3, 2)), [1, 0]), r"features \(3, 2\), labels \(2,\)"),
        (
            lambda: out_of_fold(np.zeros((2, 1)), [0, 1], ["a", "a"]),
            "all 2 candidates lie in one lane, 'a'. Must be of at least 2",
        ),
        (
            lambda: out_of_fold(np.zeros((3, 1)), [0, 1, 1], ["a", "b"]),
            "Invalid groups of 2 rows. Must be one lane for each of 3",
        ),
        (
            lambda: out_of_fold(np.zeros((4, 1)), [0, 1, 1, 1], ["a", "a", "b", "b"]),
            "without a 2 mines of 2 candidates are left. Must hold both classes in other lanes",
        ),
        (
            lambda: out_of_fold(
                np.zeros((3, 1)), [1, 1, 0], ["a", "b", "b"], emplacements=["m", "m", ""]
            ),
            "'m' has rows in folds 1 and 0",
        ),
        (lambda: new_estimator("oak"), r"Invalid kind 'oak'. Must be one of 'boosted', 'logi"),
        (lambda: new_estimator(seed=-1), "seed '-1'. Must be at least 0"),
        (
            lambda: new_estimator("score", options={"colour": 1}),
            "options 'colour' of kind 'score'. Must be of column",
        ),
        (lambda: fit(np.zeros((2, 1)), [0, 2]), "labels: one is 2. Must be true or false"),
        (lambda: fit(np.zeros((2, 1)), [0.0, np.nan]), "labels: one is nan. Must be true"),
        (lambda: fit(np.zeros((2, 1)), ["0", "1"]), "labels: one is '0'. Must be true or"),
        (lambda: fit(np.zeros((2, 1)), [0, 1], weights=[1]), r"weights with shape \(1,\)"),
        (lambda: fit(np.zeros((2, 1)), [0, 1], weights=[1, -1]), "the least is -1.0"),
        (lambda: fit(np.zeros((2, 1)), [0, 1], weights=[1, 0]), "no mine has any"),
        (lambda: fit(np.zeros((2, 1)), [0, 1], weights=[0, 1]), "no other candidate has"),
        (
            lambda: predict(fit([[0.0], [1.0]], [0, 1], kind="logistic"), [[0.0, 1.0]]),
            r"features with shape \(1, 2\). Must be \(n, 1\), those that the estimator",
        ),
        (
            lambda: predict(fit([[0.0], [1.0]], [0, 1], kind="logistic"), [0.0]),
            r"features with shape \(1,\). Must be \(n, 1\)",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(ValueError, match=message):
        call()


def test_a_saved_model_scores_the_same(tmp_path):
    """Estimator and card come back, the scores bit for bit."""
    x, y, _ = make_table()
    path = tmp_path / "model.skops"
    needed = set()
    for kind in ESTIMATORS:
        estimator = fit(x, y, kind=kind, options=OPTIONS.get(kind))
        save_model(path, {"gpr": estimator}, {"soil": "loam"})
        estimators, card = load_model(path)
        assert repr(estimators["gpr"]) == repr(estimator)
        assert predict(estimators["gpr"], x).tobytes() == predict(estimator, x).tobytes()
        assert card == {"soil": "loam"}
        needed |= set(skops.io.get_untrusted_types(file=path))
    assert needed == ALLOWED_TYPES  # nothing is trusted that no model needs


def saved_content(path, kind="boosted"):
    """Save a model and return the table it was fitted to, and what its file holds."""
    x, y, _ = make_table()
    save_model(path, {"gpr": fit(x, y, kind=kind, options=OPTIONS.get(kind))}, {})
    return x, skops.io.load(path, trusted=sorted(ALLOWED_TYPES))


def test_a_file_holds_its_self_test(tmp_path, monkeypatch):
    """What scikit-learn said when it was saved is compared with what both say now."""
    path = tmp_path / "model.skops"
    x, content = saved_content(path)
    test = content["self_tests"]["gpr"]
    boost = content["estimators"]["gpr"][-1]
    assert test["scores"].tobytes() == boost.decision_function(test["rows"]).tobytes()
    assert np.isnan(test["rows"]).any()
    assert np.isinf(test["rows"]).any()
    honest = trees.sum_leaves

    def spoilt(rows, *tables):
        honest(rows, *tables)
        tables[-1][:] += 1e-12

    monkeypatch.setattr(trees, "sum_leaves", spoilt)
    with pytest.warns(RuntimeWarning, match="self-test: 2.. of 256 test rows"):
        estimators, _ = load_model(path)
    expected = boost.decision_function(x)
    assert predict(estimators["gpr"], x).tobytes() == expected.tobytes()
    with pytest.warns(RuntimeWarning, match="failed their self-test"):
        save_model(path, {"gpr": content["estimators"]["gpr"]}, {})
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimators, _ = load_model(path)
    assert predict(estimators["gpr"], x).tobytes() == expected.tobytes()


def test_a_file_without_a_self_test_is_tested_by_rows_of_its_own(tmp_path):
    """Files of earlier versions hold none."""
    path = tmp_path / "model.skops"
    x, content = saved_content(path)
    del content["self_tests"]
    skops.io.dump(content, path)
    estimators, _ = load_model(path)
    assert compiled_trees(estimators["gpr"][-1]) is not None
    expected = content["estimators"]["gpr"].decision_function(x)
    assert predict(estimators["gpr"], x).tobytes() == expected.tobytes()


def change_leaf(content):
    """Change one leaf by a bit or so."""
    nodes = content["estimators"]["gpr"][-1]._predictors[0][0].nodes
    nodes["value"][nodes["is_leaf"] == 1] += 1e-9


def turn_back(content):
    """Lead a tree back to its root."""
    content["estimators"]["gpr"][-1]._predictors[0][0].nodes["left"][0] = 0


def lead_out(content):
    """Lead a tree out of its memory."""
    content["estimators"]["gpr"][-1]._predictors[0][0].nodes["right"][0] = 2**31


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            change_leaf,
            "'gpr' is damaged. .* test rows score differently from when it was saved",
        ),
        (turn_back, "is damaged. .*leads out of its tree or back"),
        (lead_out, "is damaged. .*leads out of its tree or back"),
        (lambda c: c["self_tests"]["gpr"].pop("rows"), "is damaged. 'rows'"),
        (
            lambda c: c["self_tests"]["gpr"].update(rows=np.zeros((2, 3))),
            "is damaged. Its test rows have the shapes",
        ),
        (lambda c: c["self_tests"].update(gpr=7), "is damaged"),
        (
            lambda c: setattr(c["estimators"]["gpr"][-1], "_bin_mapper", None),
            "is damaged. 'NoneType' object has no attribute",
        ),
        (
            lambda c: c.update(card=json.dumps({"features": {"gpr": [["a", "m"]]}})),
            "its features are not those of its classifier of 'gpr', which takes 4; the card "
            "names 1. Must be trained again",
        ),
    ],
)
def test_damaged_trees_are_refused(tmp_path, spoil, message):
    """Before a row runs through them: a damaged tree may lead anywhere."""
    path = tmp_path / "model.skops"
    _, content = saved_content(path)
    spoil(content)
    skops.io.dump(content, path)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_a_damaged_forest_is_refused(tmp_path):
    """Its trees are arrays too."""
    path = tmp_path / "model.skops"
    _, content = saved_content(path, "forest")
    content["estimators"]["gpr"][-1].links_[0, 1] = 2**30
    skops.io.dump(content, path)
    with pytest.raises(ValueError, match=r"cannot be read .*leads out of its tree or back"):
        load_model(path)


def test_a_boosted_classifier_of_another_sort_is_not_saved(tmp_path):
    """Three classes have no place in a model."""
    x = np.random.default_rng(0).normal(size=(90, 2))
    other = new_estimator().fit(x, np.arange(90) % 3)
    with pytest.raises(ValueError, match="of 3 classes"):
        save_model(tmp_path / "model.skops", {"gpr": other}, {})
    assert not (tmp_path / "model.skops").exists()


def test_what_cannot_score_is_refused():
    """A number in the place of an estimator."""
    with pytest.raises(TypeError, match=r"estimator 1\.0\. Must be one that fit returns"):
        predict(1.0, [[0.0]])


def test_a_type_outside_the_list_is_refused_before_it_is_built(tmp_path):
    """Neither saving nor loading lets an unknown type through."""
    x, y, _ = make_table()
    other = KNeighborsClassifier().fit(np.nan_to_num(x), y)
    other.weights = abs_weights  # a function: skops would have to import and trust it
    path = tmp_path / "model.skops"
    with pytest.raises(ValueError, match=r"holds the types .*abs_weights"):
        save_model(path, {"gpr": other}, {})
    assert not path.exists()
    path.write_bytes(skops.io.dumps({"format": "minesense model 1", "estimators": other}))
    with pytest.raises(ValueError, match=r"model\.skops.*abs_weights.*the file is not loaded"):
        load_model(path)


def abs_weights(distances):
    """Return weights; stands for any code that a file could name."""
    return np.abs(distances)


def archive(name, content):
    """Return a zip archive of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"Must be a file written by Detector\.save, which is a zip archive"),
        (b"\x80\x04\x95 a pickle", "this one begins with"),
        (archive("other.txt", "hello"), "its schema cannot be read"),
        (archive("schema.json", "[1"), "its schema cannot be read"),
        (skops.io.dumps({"answer": 42}), "this one holds no 'minesense model 1'"),
        (skops.io.dumps([1, 2]), "this one holds no 'minesense model 1'"),
    ],
)
def test_foreign_files_are_refused(tmp_path, data, message):
    """What is not a model of ours is named as such."""
    path = tmp_path / "model.skops"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_a_cut_model_is_refused(tmp_path):
    """Half a file is no file."""
    x, y, _ = make_table()
    path = tmp_path / "model.skops"
    save_model(path, {"gpr": fit(x, y)}, {})
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.999):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ValueError, match="Must be a file written by"):
            load_model(path)


@pytest.mark.parametrize("kind", ["boosted", "forest", "possibilistic"])
def test_a_seed_may_be_as_long_as_it_likes(kind):
    """Beyond 32 bits, too, as the sealed seeds of the benchmark are; short ones stay."""
    rows = np.random.default_rng(0).normal(size=(60, 2))
    labels = rows[:, 0] > 0
    long = fit(rows, labels, kind=kind, seed=2**61 + 1)
    again = fit(rows, labels, kind=kind, seed=2**61 + 1)
    npt.assert_array_equal(predict(long, rows), predict(again, rows))
    assert new_estimator(kind, seed=7).steps[-1][1].random_state == 7
    assert new_estimator(kind, seed=2**61).steps[-1][1].random_state < 2**32
    other = new_estimator(kind, seed=2**61 + 2).steps[-1][1].random_state
    assert other != new_estimator(kind, seed=2**61).steps[-1][1].random_state

"""Test the classifier: lanes stay together, nothing leaks, files hold no surprises."""

import io
import zipfile

import numpy as np
import numpy.testing as npt
import pytest
import skops.io
from sklearn.neighbors import KNeighborsClassifier

from minesense.detect import fit, new_estimator, out_of_fold, predict
from minesense.detect.model import load_model, save_model


def make_table(n=300, seed=0):
    """Return features of which one tells the class, and some are missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    y = x[:, 1] + 0.3 * rng.normal(size=n) > 0.5
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, y, [f"lane {k % 7}" for k in range(n)]


@pytest.mark.parametrize("kind", ["boosted", "logistic"])
def test_learns_what_can_be_learned(kind):
    """Scores of unseen rows rank mines above the rest."""
    x, y, _ = make_table()
    other, truth, _ = make_table(seed=1)
    scores = predict(fit(x, y, kind=kind), other)
    above = (scores[truth][:, None] > scores[~truth][None, :]).mean()
    assert above > 0.9


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
            r"Invalid n_folds '1'\. Must be at least 2",
        ),
        (
            lambda: out_of_fold(
                np.zeros((3, 1)), [1, 1, 0], ["a", "b", "b"], emplacements=["m", "m", ""]
            ),
            "'m' has rows in folds 1 and 0",
        ),
        (lambda: new_estimator("forest"), r"Invalid kind 'forest'. Must be one of 'boosted'"),
    ],
)
def test_bad_input_is_named(call, message):
    """The error says what is wrong and what would be right."""
    with pytest.raises(ValueError, match=message):
        call()


def test_a_saved_model_scores_the_same(tmp_path):
    """Estimator and card come back, the scores bit for bit."""
    x, y, _ = make_table()
    for kind in ("boosted", "logistic"):
        estimator = fit(x, y, kind=kind)
        save_model(tmp_path / "model.skops", {"gpr": estimator}, {"soil": "loam"})
        estimators, card = load_model(tmp_path / "model.skops")
        npt.assert_array_equal(predict(estimators["gpr"], x), predict(estimator, x))
        assert card == {"soil": "loam"}


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

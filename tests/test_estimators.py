"""Test the estimators: scikit-learn's own checks, definitions, limits, bad input."""

import dataclasses
import subprocess
import sys

import naive_chains as naive
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.estimator_checks import check_estimator

import minesense.detect
from minesense.detect import HiddenMarkov, PossibilisticNeighbours, ScoreColumn, VoteForest
from minesense.detect.mixture_chain import (
    MIN_VARIANCE,
    MixtureChain,
    ergodic_chain,
    improve,
    learn,
    left_right_chain,
    log_likelihood,
)

# Here what is skipped asks for pandas or for the array interface of SciPy.
MAY_BE_SKIPPED = {
    "check_sample_weights_pandas_series",
    "check_array_api_input",
    "check_classifier_data_not_an_array",
}


@pytest.mark.parametrize(
    "estimator",
    [
        ScoreColumn(),
        PossibilisticNeighbours(),
        PossibilisticNeighbours(n_prototypes=3, n_neighbours=2),
        HiddenMarkov(),
        HiddenMarkov(n_states=2, n_background_states=1, n_components=1),
        VoteForest(n_trees=25),
    ],
    ids=repr,
)
def test_scikit_learn_accepts_it(estimator):
    """Every check of scikit-learn passes, those of weights included; none is excused."""
    results = check_estimator(estimator, on_fail="raise", on_skip=None)
    skipped = {r["check_name"] for r in results if r["status"] != "passed"}
    assert skipped <= MAY_BE_SKIPPED
    assert len(results) > 40


def test_estimators_are_loaded_at_first_use():
    """The package alone loads no scikit-learn."""
    code = (
        "import sys, minesense.detect as d; assert 'sklearn' not in sys.modules; "
        "d.VoteForest; assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Unknown'"):
        minesense.detect.Unknown  # noqa: B018


# One column


def test_score_column_hands_through():
    """The column as it is, and the sign of it as the class."""
    x = np.random.default_rng(0).normal(size=(20, 3))
    y = np.arange(20) % 2
    for k in range(3):
        model = ScoreColumn(column=k).fit(x, y)
        npt.assert_array_equal(model.decision_function(x), x[:, k])
        npt.assert_array_equal(model.predict(x), (x[:, k] > 0).astype(int))


def test_score_column_gives_no_view_of_its_input():
    """Writing into the scores leaves the features alone."""
    x = np.ones((4, 2))
    model = ScoreColumn().fit(x, [0, 1, 0, 1])
    model.decision_function(x)[:] = 7
    npt.assert_array_equal(x, 1.0)


# Forest


def test_vote_has_the_bits_of_scikit_learn():
    """On distinct rows in rising order it is scikit-learn's forest, vote for vote."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(150, 5))
    x = x[np.lexsort(x.T[::-1])]
    y = x[:, 2] + 0.5 * rng.normal(size=150) > 0
    weight = rng.uniform(0.5, 2.0, size=150)
    model = VoteForest(n_trees=40, random_state=3).fit(x, y, weight)
    other = RandomForestClassifier(n_estimators=40, min_samples_leaf=5, random_state=3)
    other.fit(x, y, sample_weight=weight)
    fresh = np.concatenate([rng.normal(size=(200, 5)), x])
    vote = other.predict_proba(fresh)
    assert model.predict_proba(fresh)[:, 1].tobytes() == vote[:, 1].copy().tobytes()
    npt.assert_allclose(
        model.decision_function(fresh),
        np.log((40 * vote[:, 1] + 0.5) / (40 * vote[:, 0] + 0.5)),
    )


def test_a_vote_without_dissent_has_finite_odds():
    """A row on which all trees agree scores the log of 2 n + 1."""
    x = np.linspace(-1, 1, 200)[:, None]
    model = VoteForest(n_trees=30, random_state=0).fit(x, x[:, 0] > 0)
    scores = model.decision_function([[-0.9], [0.9]])
    npt.assert_allclose(scores, [-np.log(61), np.log(61)], rtol=1e-12)


def test_the_order_of_rows_does_not_matter_to_a_forest():
    """And a row of weight two is two rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = x[:, 0] > 0
    whole = VoteForest(n_trees=10, random_state=0).fit(x, y).decision_function(x)
    order = rng.permutation(60)
    turned = VoteForest(n_trees=10, random_state=0).fit(x[order], y[order])
    npt.assert_array_equal(turned.decision_function(x), whole)


# Possibilistic neighbours


def naive_confidence(model, row):
    """Return the mean signed membership, prototype by prototype."""
    distances = [float(np.sqrt(((row - p) ** 2).sum())) for p in model.prototypes_]
    nearest = sorted(range(len(distances)), key=lambda k: (distances[k], k))
    nearest = nearest[: model.n_neighbours]
    member = [1 / (1 + max(0, distances[k] - model.near_) / model.fade_) for k in nearest]
    return float(np.mean([model.signs_[k] * m for k, m in zip(nearest, member, strict=True)]))


def two_clouds(n=120, seed=0):
    """Return two clouds of points and which is which."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2 == 0
    return rng.normal(size=(n, 3)) + 3.0 * y[:, None], y


@pytest.mark.parametrize("n_prototypes", [400, 7])
def test_possibilistic_score_is_the_definition(n_prototypes):
    """With rows as prototypes and with centres of clusters."""
    x, y = two_clouds()
    model = PossibilisticNeighbours(n_prototypes=n_prototypes, random_state=0).fit(x, y)
    assert len(model.prototypes_) == min(120, 2 * n_prototypes)
    assert (model.signs_ > 0).sum() == min(60, n_prototypes)
    rows, _ = two_clouds(seed=1)
    expected = [naive_confidence(model, row) for row in rows]
    npt.assert_allclose(model.decision_function(rows), expected, rtol=1e-12)
    npt.assert_allclose(model.predict_proba(rows)[:, 1], (1 + np.array(expected)) / 2)


def test_far_from_everything_is_unknown():
    """The score falls to nought in every direction, whichever class is nearer."""
    x, y = two_clouds()
    model = PossibilisticNeighbours(random_state=0).fit(x, y)
    away = np.random.default_rng(0).normal(size=(50, 3))
    away /= np.linalg.norm(away, axis=1)[:, None]
    assert np.abs(model.decision_function(x)).mean() > 0.7
    near, far, farther = (np.abs(model.decision_function(r * away)) for r in (50, 1e3, 1e6))
    assert (far < 0.01).all()
    assert (farther < 1e-5).all()
    assert (far < near).all()


def test_classes_count_alike():
    """Swapping the labels turns the sign of every score."""
    x, y = two_clouds()
    there, back = (PossibilisticNeighbours().fit(x, labels) for labels in (y, ~y))
    rows, _ = two_clouds(seed=1)
    npt.assert_allclose(there.decision_function(rows), -back.decision_function(rows))


def test_membership_is_full_up_to_near_and_one_half_at_fade():
    """The two distances mean what they say."""
    x, y = [[0.0], [100.0]], [1, 0]
    model = PossibilisticNeighbours(n_neighbours=1, near=2.0, fade=3.0).fit(x, y)
    scores = model.decision_function([[0.0], [2.0], [5.0], [-11.0]])
    npt.assert_allclose(scores, [1.0, 1.0, 0.5, 0.25])


def test_distances_of_a_class_of_one_row():
    """Nothing to measure by: a distance of one, in the unit of the features."""
    model = PossibilisticNeighbours().fit([[0.0], [4.0]], [0, 1])
    assert (model.near_, model.fade_) == (0.0, 1.0)


def test_many_rows_are_scored_in_parts():
    """A row has the same bits wherever it stands."""
    x, y = two_clouds()
    model = PossibilisticNeighbours(n_prototypes=5, random_state=0).fit(x, y)
    rows = np.random.default_rng(0).normal(size=(2500, 3))
    whole = model.decision_function(rows)
    assert model.decision_function(rows[2000:]).tobytes() == whole[2000:].tobytes()


# Hidden Markov models


def random_chain(rng, n_states, n_components, n_values, left_right=False):
    """Return a model of any numbers, with no transition back if it is left to right."""
    transition = rng.dirichlet(np.ones(n_states), size=n_states)
    start = rng.dirichlet(np.ones(n_states))
    if left_right:
        transition = np.triu(transition) - np.triu(transition, 2)
        transition /= transition.sum(axis=1, keepdims=True)
        start = np.eye(n_states)[0]
    return MixtureChain(
        start=start,
        transition=transition,
        weights=rng.dirichlet(np.ones(n_components), size=n_states),
        means=rng.normal(size=(n_states, n_components, n_values)),
        variances=rng.uniform(0.3, 2.0, size=(n_states, n_components, n_values)),
    )


@pytest.mark.parametrize("left_right", [False, True])
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)),
    n_steps=st.integers(1, 4),
)
def test_likelihood_is_the_sum_over_all_paths(left_right, seed, shape, n_steps):
    """The forward recursion equals brute force."""
    rng = np.random.default_rng(seed)
    chain = random_chain(rng, *shape, left_right=left_right)
    sequences = rng.normal(size=(3, n_steps, shape[2]))
    expected = [naive.log_likelihood(chain, sequence) for sequence in sequences]
    npt.assert_allclose(log_likelihood(chain, sequences), expected, rtol=1e-10)


@pytest.mark.parametrize("left_right", [False, True])
def test_one_step_of_learning_is_the_mean_over_all_paths(left_right):
    """Baum-Welch equals brute force, weights of sequences included."""
    rng = np.random.default_rng(2)
    chain = random_chain(rng, 3, 2, 2, left_right=left_right)
    sequences, weights = rng.normal(size=(4, 4, 2)), np.array([1.0, 2.0, 0.5, 1.0])
    following, before = improve(chain, sequences, weights=weights)
    expected = naive.improve(chain, sequences, weights, MIN_VARIANCE)
    for found, wanted in zip(dataclasses.astuple(following), expected, strict=True):
        npt.assert_allclose(found, wanted, rtol=1e-8, atol=1e-12)
    each = [naive.log_likelihood(chain, sequence) for sequence in sequences]
    assert before == pytest.approx(np.dot(weights, each))


@given(seed=st.integers(0, 1000), left_right=st.booleans())
def test_the_likelihood_rises_in_every_step(seed, left_right):
    """Whatever the data and the first guess, the bound of variances included."""
    rng = np.random.default_rng(seed)
    sequences = rng.normal(size=(12, 6, 2)).round(seed % 3)  # rounded: variances hit the bound
    weights = rng.uniform(0.1, 3.0, size=12)
    first = left_right_chain if left_right else ergodic_chain
    chain, before = first(sequences, weights=weights), -np.inf
    for _ in range(12):
        chain, now = improve(chain, sequences, weights=weights)
        assert now >= before - 1e-9 * abs(now)
        before = now
    assert (chain.variances >= MIN_VARIANCE).all()
    for shares in (chain.start[None], chain.transition, chain.weights):
        npt.assert_allclose(shares.sum(axis=1), 1.0)
    if left_right:
        assert chain.start.tolist() == [1.0, 0.0, 0.0]
        assert (np.tril(chain.transition, -1) == 0).all()
        assert chain.transition[0, 2] == 0


def test_learning_finds_a_chain_again():
    """From many long sequences, transitions and means to within their errors."""
    rng = np.random.default_rng(0)
    transition, means = np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([-1.0, 1.0])
    sequences = np.empty((200, 50, 1))
    for i in range(200):
        state = rng.integers(2)
        for t in range(50):
            sequences[i, t] = means[state] + 0.3 * rng.normal()
            state = int(rng.random() < transition[state, 1])
    weights = np.ones(200)
    guess = ergodic_chain(sequences, weights=weights, n_states=2, n_components=1)
    chain, _ = learn(guess, sequences, weights=weights)
    npt.assert_allclose(chain.transition, transition, atol=0.02)
    npt.assert_allclose(chain.means.ravel(), means, atol=0.02)
    npt.assert_allclose(chain.variances.ravel(), 0.09, atol=0.005)


def test_what_nothing_was_seen_of_stays():
    """States that no path reaches, and Gaussians without weight, are kept as they were."""
    rng = np.random.default_rng(0)
    chain = random_chain(rng, 3, 2, 1, left_right=True)
    chain = dataclasses.replace(chain, weights=np.array([[1.0, 0.0]] * 3))
    following, _ = improve(chain, rng.normal(size=(5, 1, 1)), weights=np.ones(5))
    for name in ("means", "variances"):
        old, new = getattr(chain, name), getattr(following, name)
        npt.assert_array_equal(new[1:], old[1:])
        npt.assert_array_equal(new[0, 1], old[0, 1])
        assert new[0, 0] != old[0, 0]
    npt.assert_array_equal(following.transition, chain.transition)


def hills(n=120, n_depths=3, n_scans=12, seed=0):
    """Return rows of noise, half of them with a hill along scans at a depth of its own."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, n_depths, n_scans, 2))
    is_mine = np.arange(n) % 2 == 0
    hill = 3 * np.exp(-(((np.arange(n_scans) - (n_scans - 1) / 2) / 2.5) ** 2))
    for i in np.flatnonzero(is_mine):
        rows[i, rng.integers(n_depths), :, :] += hill[:, None] * [1.0, 0.5]
    return rows.reshape(n, -1), is_mine


def test_hidden_markov_finds_hills_at_any_depth():
    """Unseen rows are told apart; the model rises to an apex and falls."""
    x, y = hills()
    options = {"n_depths": 3, "n_observations": 2}
    model = HiddenMarkov(**options).fit(x, y)
    other, truth = hills(seed=1)
    scores = model.decision_function(other)
    assert (scores[truth][:, None] > scores[~truth][None]).mean() > 0.95
    level = (model.mine_["weights"][..., None] * model.mine_["means"]).sum(axis=1)[:, 0]
    assert level[1] > level[0] + 0.5
    assert level[1] > level[2] + 0.5


def test_hidden_markov_score_is_the_definition():
    """The greatest mean log likelihood ratio of a depth, from the models it holds."""
    x, y = hills(n=40, n_scans=4)
    model = HiddenMarkov(n_depths=3, n_scans=4, n_observations=2, n_components=1).fit(x, y)
    windows = (x.reshape(40, 3, 4, 2) - model.mean_) / model.scale_
    mine, background = MixtureChain(**model.mine_), MixtureChain(**model.background_)
    expected = [
        max(
            (naive.log_likelihood(mine, depth) - naive.log_likelihood(background, depth)) / 4
            for depth in row
        )
        for row in windows[:6]
    ]
    npt.assert_allclose(model.decision_function(x[:6]), expected, rtol=1e-9)
    npt.assert_allclose(windows.mean(axis=(0, 1, 2)), 0.0, atol=1e-12)
    npt.assert_allclose(windows.std(axis=(0, 1, 2)), 1.0)


def test_depths_may_be_swapped():
    """A mine is as much a mine at another depth."""
    x, y = hills()
    model = HiddenMarkov(n_depths=3, n_observations=2).fit(x, y)
    turned = x.reshape(len(x), 3, -1)[:, ::-1].reshape(len(x), -1)
    npt.assert_array_equal(model.decision_function(turned), model.decision_function(x))


def test_hidden_markov_scores_stay_finite():
    """However far a value lies, the score is a number; and a constant observation is none."""
    x, y = hills(n=40)
    x[:, 1::2] = 5.0
    model = HiddenMarkov(n_depths=3, n_observations=2).fit(x, y)
    assert np.isfinite(model.decision_function(x * 1e200)).all()
    assert np.isfinite(model.decision_function(x)).all()


X, Y = two_clouds(n=20)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ScoreColumn(column=3).fit(X, Y), ValueError, "column '3'. Must be less than"),
        (lambda: ScoreColumn(column=-1).fit(X, Y), ValueError, "column '-1'"),
        (lambda: ScoreColumn(column=0.5).fit(X, Y), TypeError, "column 0.5"),
        (lambda: VoteForest(n_trees=0).fit(X, Y), ValueError, "n_trees '0'"),
        (lambda: VoteForest(min_leaf=0).fit(X, Y), ValueError, "min_leaf '0'"),
        (
            lambda: VoteForest().fit(X, np.arange(20) % 3),
            ValueError,
            "y holds 3 classes. Must hold two",
        ),
        (lambda: VoteForest().fit(X, np.ones(20)), ValueError, "y: 1 class with weight"),
        (
            lambda: VoteForest().fit(X, Y, sample_weight=Y.astype(float)),
            ValueError,
            "y: 1 class with weight above zero. Must be two",
        ),
        (
            lambda: PossibilisticNeighbours(n_prototypes=0).fit(X, Y),
            ValueError,
            "n_prototypes '0'",
        ),
        (
            lambda: PossibilisticNeighbours(n_neighbours=0).fit(X, Y),
            ValueError,
            "n_neighbours '0'",
        ),
        (lambda: PossibilisticNeighbours(near=-1.0).fit(X, Y), ValueError, "near '-1.0'"),
        (lambda: PossibilisticNeighbours(fade=0.0).fit(X, Y), ValueError, "fade '0.0'"),
        (
            lambda: HiddenMarkov(n_depths=2).fit(X, Y),
            ValueError,
            "of 3 columns. Must be 2 depths x 1 scans x 1 observations = 2",
        ),
        (lambda: HiddenMarkov(n_depths=5).fit(X, Y), ValueError, "of 3 columns. Must be 5 dep"),
        (lambda: HiddenMarkov(n_scans=2).fit(X, Y), ValueError, "x 2 scans x 1 obs"),
        (lambda: HiddenMarkov(n_states=0).fit(X, Y), ValueError, "n_states '0'"),
        (lambda: HiddenMarkov(max_iter=0).fit(X, Y), ValueError, "max_iter '0'"),
        (lambda: HiddenMarkov(tol=-1).fit(X, Y), ValueError, "tol '-1.0'"),
        (
            lambda: ergodic_chain(np.zeros((2, 3)), weights=np.ones(2)),
            ValueError,
            r"sequences with shape \(2, 3\). Must be \(n, n_steps, n_values\)",
        ),
        (
            lambda: ergodic_chain(np.zeros((2, 0, 1)), weights=np.ones(2)),
            ValueError,
            "Must hold at least one vector",
        ),
        (
            lambda: ergodic_chain(np.zeros((2, 3, 1)), weights=np.zeros(2)),
            ValueError,
            "weights from 0.0 to 0.0",
        ),
        (
            lambda: left_right_chain(np.zeros((2, 3, 1)), weights=[1.0, -1.0]),
            ValueError,
            "weights from -1.0 to 1.0. Must not be negative",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    """The error names the argument, shows its value and states the rule."""
    with pytest.raises(error, match=message):
        call()

"""The classifier of one sensor: an estimator over named features, judged lane by lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import check_array, check_count, check_labels, check_one_of
from ..sweep import Floats
from ._one_thread import one_thread
from .folds import lane_folds
from .tested_trees import compiled_trees
from .trees import score_trees

#: Kinds of estimator: the default, a simple reference, a second opinion, two that baselines
#: of radar are made of, and one column as it is.
ESTIMATORS = ("boosted", "logistic", "forest", "possibilistic", "hidden_markov", "score")


def new_estimator(
    kind: str = "boosted", *, seed: int = 0, options: Mapping[str, Any] | None = None
) -> Any:
    """
    Return an unfitted scikit-learn pipeline.

    Parameters
    ----------
    kind : str
        ``"boosted"``: histogram gradient boosting, 250 trees of up to 10 leaves, rate 0.05,
        which takes missing values as they are. In all others the median of a feature stands for
        its missing values. ``"logistic"``: scaled logistic regression with shrinkage.
        ``"forest"``: :class:`~minesense.detect.forest.VoteForest`, 300 trees, leaves of 5 or
        more. ``"possibilistic"``: scaled,
        :class:`~minesense.detect.possibilistic.PossibilisticNeighbours`. ``"hidden_markov"``:
        :class:`~minesense.detect.hidden_markov.HiddenMarkov`, whose shape goes into
        `options`. ``"score"``: :class:`~minesense.detect.score_column.ScoreColumn`, the
        first column unless `options` name another.
    seed : int
        Of the estimator's own chance, zero or more; one beyond 32 bits is hashed to them.
    options : dict, optional
        Parameters of the last step by name, in place of those above.

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
        Ready to be fitted.

    Raises
    ------
    TypeError
        If the seed is no whole number.
    ValueError
        If the kind is unknown, the seed negative, or the last step has no such parameter.

    Examples
    --------
    >>> from minesense.detect import new_estimator
    >>> [name for name, _ in new_estimator("logistic").steps]
    ['impute', 'scale', 'regress']
    >>> new_estimator("score", options={"column": 3})[-1]
    ScoreColumn(column=3)
    """
    # scikit-learn takes seconds to import: only who trains or detects pays for it
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    check_one_of(kind, "kind", ESTIMATORS)
    steps = _steps(kind, _short(check_count(seed, "seed", least=0)))
    name, last = steps[-1]
    unknown = sorted(set(options or {}) - set(last.get_params()))
    if unknown:
        msg = (
            f"Invalid options {', '.join(map(repr, unknown))} of kind '{kind}'. Must be of "
            f"{', '.join(sorted(last.get_params()))}."
        )
        raise ValueError(msg)
    return Pipeline([*steps[:-1], (name, last.set_params(**(options or {})))])


def _short(seed: int) -> int:
    """Return a seed that scikit-learn takes, of 32 bits; one that is short enough stays."""
    if seed < 2**32:
        return seed
    return int(np.random.SeedSequence(seed).generate_state(1)[0])


def _steps(kind: str, seed: int) -> list[tuple[str, Any]]:
    """Return the named steps of a kind of pipeline."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    from .forest import VoteForest  # noqa: PLC0415
    from .hidden_markov import HiddenMarkov  # noqa: PLC0415
    from .possibilistic import PossibilisticNeighbours  # noqa: PLC0415
    from .score_column import ScoreColumn  # noqa: PLC0415

    impute = ("impute", SimpleImputer(strategy="median", keep_empty_features=True))
    scale = ("scale", StandardScaler())
    match kind:
        case "logistic":
            return [impute, scale, ("regress", LogisticRegression(C=0.1, max_iter=1000))]
        case "forest":
            return [impute, ("vote", VoteForest(random_state=seed))]
        case "possibilistic":
            return [impute, scale, ("ask", PossibilisticNeighbours(random_state=seed))]
        case "hidden_markov":  # scales each observation alike in all scans, by itself
            return [impute, ("compare", HiddenMarkov())]
        case "score":
            return [impute, ("score", ScoreColumn())]
    boost = HistGradientBoostingClassifier(
        max_iter=250,
        learning_rate=0.05,
        max_leaf_nodes=10,
        min_samples_leaf=8,
        l2_regularization=5.0,
        max_bins=32,  # finer ones tell mines from clutter no better, and take most of the time
        early_stopping=False,
        random_state=seed,
    )
    return [("boost", boost)]


def fit(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    kind: str = "boosted",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Any:
    """
    Fit an estimator to labelled candidates.

    Parameters
    ----------
    features : (n, n_features) array_like
        One row a candidate; NaN where a feature is missing.
    labels : (n,) array_like
        True or 1 for mines, False or 0 for the rest.
    weights : (n,) array_like, optional
        Weight of each row, zero or more; one emplacement seen several times should weigh one.
    kind, seed, options
        As in :func:`new_estimator`.

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
        The fitted pipeline.

    Raises
    ------
    TypeError, ValueError
        As :func:`new_estimator`; if lengths differ, a label is neither true nor false, a
        weight is negative or not finite, or only one class is present or has weight.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fit, predict
    >>> rng = np.random.default_rng(seed=0)
    >>> features = rng.normal(size=(200, 2))
    >>> labels = features[:, 0] > 0
    >>> scores = predict(fit(features, labels), features)
    >>> bool(scores[labels].mean() > scores[~labels].mean())
    True
    """
    x, y, weight = _check_table(features, labels, weights)
    if y.all() or not y.any():
        msg = f"Invalid labels: {y.sum()} mines of {len(y)} candidates. Must hold both classes."
        raise ValueError(msg)
    for name, own in (("mine", y), ("other candidate", ~y)):
        if not weight[own].any():
            msg = f"Invalid weights: no {name} has any. Must leave both classes some."
            raise ValueError(msg)
    # scikit-learn cannot bin a column without any value, such as a comparison of coils on
    # both sides where there are none; a constant tells as much
    x = np.where(np.isfinite(x).any(axis=0), x, 0.0)
    estimator = new_estimator(kind, seed=seed, options=options)
    last = estimator.steps[-1][0]
    with one_thread():
        estimator.fit(x, y, **({} if weights is None else {f"{last}__sample_weight": weight}))
    return estimator


def predict(estimator: Any, features: npt.ArrayLike) -> Floats:
    """
    Return the raw scores of candidates: uncalibrated log odds.

    Parameters
    ----------
    estimator : sklearn.pipeline.Pipeline
        A fitted pipeline.
    features : (n, n_features) array_like
        One row a candidate.

    Returns
    -------
    scores : (n,) float64 ndarray
        Decision function; higher means more like a mine.

    Raises
    ------
    TypeError, ValueError
        If the estimator has no decision function, or the features are not real numbers or
        not those that it was fitted to.

    Warns
    -----
    RuntimeWarning
        If boosted trees fail their self-test, see
        :func:`~minesense.detect.tested_trees.compiled_trees`.

    Notes
    -----
    A pipeline that ends in boosted trees is scored by
    :func:`~minesense.detect.trees.score_trees`: the same bits in a fraction of the time.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fit, predict
    >>> features = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> estimator = fit(features, [False, False, True, True], kind="logistic")
    >>> (predict(estimator, features) > 0).tolist()
    [False, False, True, True]
    """
    steps = getattr(estimator, "steps", None) or [("", estimator)]
    x = _check_rows(features, getattr(estimator, "n_features_in_", None))
    if not len(x):
        return np.empty(0)
    trees = compiled_trees(steps[-1][1])
    if trees is not None and len(steps) == 1:
        return score_trees(trees, x)
    with one_thread():
        if trees is not None:
            return score_trees(trees, estimator[:-1].transform(x))
        if not hasattr(estimator, "decision_function"):
            msg = f"Invalid estimator {estimator!r}. Must be one that fit returns."
            raise TypeError(msg)
        return np.asarray(estimator.decision_function(x), dtype=np.float64)


def out_of_fold(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: Sequence[str],
    *,
    emplacements: Sequence[str] | None = None,
    weights: npt.ArrayLike | None = None,
    n_folds: int = 5,
    kind: str = "boosted",
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Floats:
    """
    Score each candidate by an estimator that has not seen its lane.

    Parameters
    ----------
    features, labels, weights, kind, seed, options
        As in :func:`fit`.
    groups : (n,) sequence of str
        Lane of each candidate.
    emplacements : (n,) sequence of str, optional
        Target that each candidate lies on, empty for none: those of one target must not
        fall into two folds.
    n_folds : int
        Greatest number of folds.

    Returns
    -------
    scores : (n,) float64 ndarray
        Uncalibrated log odds.

    Raises
    ------
    TypeError, ValueError
        As :func:`fit` and :func:`~minesense.detect.folds.lane_folds`; also if there is one
        lane only, or the lanes outside some fold hold only one class.

    Examples
    --------
    Each row is judged by the lanes other than its own, here by one that says the opposite:

    >>> import numpy as np
    >>> from minesense.detect import out_of_fold
    >>> features = np.array([[0.0], [1.0], [0.0], [1.0]])
    >>> labels, lanes = [False, True, True, False], ["a", "a", "b", "b"]
    >>> (out_of_fold(features, labels, lanes, kind="logistic") > 0).tolist()
    [True, False, False, True]
    """
    x, y, weight = _check_table(features, labels, weights)
    lanes = check_group_names(groups, "groups", of="lane")
    n_lanes = len(set(lanes))
    if len(lanes) != len(y):
        msg = f"Invalid groups of {len(lanes)} rows. Must be one lane for each of {len(y)}."
        raise ValueError(msg)
    if n_lanes == 1:
        msg = (
            f"Invalid groups: all {len(y)} candidates lie in one lane, '{lanes[0]}'. Must be "
            "of at least 2: a lane is judged by what was learnt on others."
        )
        raise ValueError(msg)
    folds = lane_folds(lanes, n_folds=min(n_folds, n_lanes), groups=emplacements)
    scores = np.empty(len(y))
    for fold in folds:
        rows = fold.train
        if y[rows].all() or not y[rows].any():
            msg = (
                f"Invalid labels: without {', '.join(fold.lanes)} {y[rows].sum()} mines of "
                f"{len(rows)} candidates are left. Must hold both classes in other lanes too."
            )
            raise ValueError(msg)
        estimator = fit(
            x[rows], y[rows], weights=weight[rows], kind=kind, seed=seed, options=options
        )
        scores[fold.test] = predict(estimator, x[fold.test])
    return scores


def _check_table(
    features: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """Return features, labels and weights as arrays of one length."""
    x = np.asarray(features, dtype=np.float64)
    given = np.asarray(labels)
    if x.ndim != 2 or given.ndim != 1 or len(x) != len(given):
        msg = (
            f"Invalid features {x.shape}, labels {given.shape}. Must be (n, n_features), (n,)."
        )
        raise ValueError(msg)
    y = check_labels(given)
    if weights is None:
        return x, y, np.ones(len(x))
    weight = check_array(weights, "weights", (len(x),))
    if (weight < 0).any():
        msg = f"Invalid weights: the least is {weight.min()}. Must not be negative."
        raise ValueError(msg)
    return x, y, weight


def _check_rows(features: npt.ArrayLike, n_features: int | None) -> Floats:
    """Return rows of as many features as an estimator was fitted to, if it says."""
    x = np.asarray(features, dtype=np.float64)
    if x.ndim == 2 and x.shape[1] == (x.shape[1] if n_features is None else n_features):
        return x
    if not x.size and x.ndim == 1:
        return x
    wanted = "n_features" if n_features is None else n_features
    msg = (
        f"Invalid features with shape {x.shape}. Must be (n, {wanted}), those that the "
        "estimator was fitted to."
    )
    raise ValueError(msg)

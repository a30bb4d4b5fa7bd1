"""The classifier of one sensor: boosted trees over named features, judged lane by lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_one_of
from ..sweep import Floats
from .folds import lane_folds

#: Kinds of estimator: the default, and a simple reference to compare it with.
ESTIMATORS = ("boosted", "logistic")


def new_estimator(kind: str = "boosted", *, seed: int = 0) -> Any:
    """
    Return an unfitted scikit-learn pipeline.

    Parameters
    ----------
    kind : str
        ``"boosted"``: histogram gradient boosting, depth 3, 120 trees, rate 0.05, which
        takes missing values as they are. ``"logistic"``: imputed, scaled logistic
        regression with shrinkage.
    seed : int
        Of the estimator's own chance.

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
        Ready to be fitted.

    Raises
    ------
    ValueError
        If the kind is unknown.

    Examples
    --------
    >>> from minesense.detect import new_estimator
    >>> [name for name, _ in new_estimator("logistic").steps]
    ['impute', 'scale', 'regress']
    """
    # scikit-learn takes seconds to import: only who trains or detects pays for it
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    if check_one_of(kind, "kind", ESTIMATORS) == "logistic":
        return Pipeline(
            [
                ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
                ("scale", StandardScaler()),
                ("regress", LogisticRegression(C=0.1, max_iter=1000)),
            ]
        )
    boost = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.05,
        max_depth=3,
        min_samples_leaf=8,
        l2_regularization=1.0,
        max_bins=32,  # a few hundred rows hold no more; finer bins take most of the time
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("boost", boost)])


def fit(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    kind: str = "boosted",
    seed: int = 0,
) -> Any:
    """
    Fit an estimator to labelled candidates.

    Parameters
    ----------
    features : (n, n_features) array_like
        One row a candidate; NaN where a feature is missing.
    labels : (n,) array_like
        True for mines.
    weights : (n,) array_like, optional
        Weight of each row; one emplacement seen several times should weigh one.
    kind, seed
        As in :func:`new_estimator`.

    Returns
    -------
    estimator : sklearn.pipeline.Pipeline
        The fitted pipeline.

    Raises
    ------
    ValueError
        If lengths differ or only one class is present.

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
    x, y = _check_table(features, labels)
    if y.all() or not y.any():
        msg = f"Invalid labels: {y.sum()} mines of {len(y)} candidates. Must hold both classes."
        raise ValueError(msg)
    # scikit-learn cannot bin a column without any value, such as a comparison of coils on
    # both sides where there are none; a constant tells as much
    x = np.where(np.isfinite(x).any(axis=0), x, 0.0)
    estimator = new_estimator(kind, seed=seed)
    last = estimator.steps[-1][0]
    with _one_thread():
        estimator.fit(x, y, **({} if weights is None else {f"{last}__sample_weight": weights}))
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

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fit, predict
    >>> features = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> estimator = fit(features, [False, False, True, True], kind="logistic")
    >>> (predict(estimator, features) > 0).tolist()
    [False, False, True, True]
    """
    x = np.asarray(features, dtype=np.float64)
    if not len(x):
        return np.empty(0)
    with _one_thread():
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
) -> Floats:
    """
    Score each candidate by an estimator that has not seen its lane.

    Parameters
    ----------
    features, labels, weights, kind, seed
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
    ValueError
        As :func:`fit` and :func:`~minesense.detect.folds.lane_folds`; also if the lanes
        outside some fold hold only one class.

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
    x, y = _check_table(features, labels)
    n_lanes = len(set(groups))
    folds = lane_folds(groups, n_folds=min(n_folds, n_lanes), groups=emplacements)
    weight = np.ones(len(y)) if weights is None else check_array(weights, "weights", (len(y),))
    scores = np.empty(len(y))
    for fold in folds:
        rows = fold.train
        estimator = fit(x[rows], y[rows], weights=weight[rows], kind=kind, seed=seed)
        scores[fold.test] = predict(estimator, x[fold.test])
    return scores


def _check_table(
    features: npt.ArrayLike, labels: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return features and labels as arrays of one length."""
    x = np.asarray(features, dtype=np.float64)
    y = np.asarray(labels).astype(bool)
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        msg = f"Invalid features {x.shape}, labels {y.shape}. Must be (n, n_features), (n,)."
        raise ValueError(msg)
    return x, y


def _one_thread() -> Any:
    """
    Return a context in which scikit-learn uses one thread.

    A few hundred rows gain nothing from more, and sums then do not depend on their number.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415, comes with scikit-learn

    return threadpool_limits(limits=1)

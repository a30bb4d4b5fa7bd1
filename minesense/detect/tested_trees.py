"""Compiled trees are used only where they pass a test against scikit-learn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..sweep import Floats
from ._one_thread import one_thread
from .trees import SummedTrees, extract_trees, score_trees, trial_rows


@dataclass(frozen=True, slots=True, eq=False)
class _Tested:
    """The trees of a classifier if they passed, and what they were copied from."""

    trees: SummedTrees | None
    source: Any
    n_trees: int


#: Which classifiers were tested, each as long as it lives.
_TESTED: WeakKeyDictionary[Any, _Tested] = WeakKeyDictionary()


def compiled_trees(classifier: Any) -> SummedTrees | None:
    """
    Return the trees of a classifier if they score its test rows as scikit-learn does.

    Parameters
    ----------
    classifier : object
        A fitted estimator of scikit-learn.

    Returns
    -------
    trees : SummedTrees or None
        None if it is no boosted classifier of two classes and numbers, or if the test failed.

    Warns
    -----
    RuntimeWarning
        If the test fails: scikit-learn is then used instead, which is slower.

    Notes
    -----
    The test runs once, at first use, and again when the classifier has been fitted again.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import compiled_trees, fit
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> compiled_trees(fit(rows, rows[:, 0] > 0.5)[-1]).n_features
    1
    >>> compiled_trees(fit(rows, rows[:, 0] > 0.5, kind="logistic")[-1]) is None
    True
    """
    source = getattr(classifier, "_predictors", None)
    if source is None:
        return None
    found = _TESTED.get(classifier)
    if found is None or found.source is not source or found.n_trees != len(source):
        try:
            trees = extract_trees(classifier)
        except ValueError:
            _remember(classifier, None)
            return None
        rows = trial_rows(trees)
        return adopt_trees(classifier, trees, rows, reference_scores(classifier, rows))
    return found.trees


def reference_scores(classifier: Any, rows: Floats) -> Floats:
    """
    Return what scikit-learn says of rows, with one thread.

    Parameters
    ----------
    classifier : sklearn.ensemble.HistGradientBoostingClassifier
        Fitted to two classes.
    rows : (n, n_features) float64 ndarray
        Rows to score.

    Returns
    -------
    scores : (n,) float64 ndarray
        Its decision function.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import fit
    >>> from minesense.detect.tested_trees import reference_scores
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> reference_scores(fit(rows, rows[:, 0] > 0.5)[-1], rows).shape
    (40,)
    """
    with one_thread():
        return np.asarray(classifier.decision_function(rows), dtype=np.float64)


def adopt_trees(
    classifier: Any, trees: SummedTrees, rows: Floats, expected: Floats
) -> SummedTrees | None:
    """
    Use compiled trees for a classifier from now on if they give the expected bits.

    Parameters
    ----------
    classifier : sklearn.ensemble.HistGradientBoostingClassifier
        What the trees were copied from.
    trees : SummedTrees
        From :func:`extract_trees`.
    rows : (n, n_features) float64 ndarray
        Test rows.
    expected : (n,) float64 ndarray
        Scores of scikit-learn.

    Returns
    -------
    trees : SummedTrees or None
        None if a bit differs.

    Warns
    -----
    RuntimeWarning
        If a bit differs: scikit-learn is then used instead.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import extract_trees, fit, trial_rows
    >>> from minesense.detect.tested_trees import adopt_trees, reference_scores
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> classifier = fit(rows, rows[:, 0] > 0.5)[-1]
    >>> trees = extract_trees(classifier)
    >>> tried = trial_rows(trees)
    >>> adopt_trees(classifier, trees, tried, reference_scores(classifier, tried)) is trees
    True
    """
    scores = score_trees(trees, rows)
    is_wrong = scores.view(np.int64) != expected.view(np.int64)  # bits: zeros have a sign
    if is_wrong.any():
        msg = (
            f"The compiled trees failed their self-test: {is_wrong.sum()} of {len(rows)} test "
            "rows score differently from scikit-learn, which is used instead. Results are "
            "right, but a row takes far longer."
        )
        warnings.warn(msg, RuntimeWarning, stacklevel=2)
        return _remember(classifier, None)
    return _remember(classifier, trees)


def _remember(classifier: Any, trees: SummedTrees | None) -> SummedTrees | None:
    """Note what to use for a classifier, and return it."""
    source = classifier._predictors
    _TESTED[classifier] = _Tested(trees, source, len(source))
    return trees

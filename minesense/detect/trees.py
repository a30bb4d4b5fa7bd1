"""Trees without scikit-learn's overhead: the same bits, one row in microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._kernels.trees import sum_leaves
from .._validation import check_count, check_real
from ..sweep import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SummedTrees:
    """Fitted trees whose leaves are added up, as plain arrays."""

    n_features: int
    baseline: float  #: sum before the first tree
    roots: npt.NDArray[np.int32]  #: node at which each tree begins
    values: Floats  #: threshold of each inner node, value of each leaf
    #: of each node its feature, negative in a leaf, and the nodes that follow: for values up
    #: to the threshold, for greater ones, for missing ones
    links: npt.NDArray[np.int32]


def extract_trees(classifier: Any) -> SummedTrees:
    """
    Copy the trees of a fitted boosted classifier.

    Parameters
    ----------
    classifier : sklearn.ensemble.HistGradientBoostingClassifier
        Fitted to two classes, without categorical features.

    Returns
    -------
    trees : SummedTrees
        What :func:`score_trees` runs.

    Raises
    ------
    ValueError
        If the classifier is of another type, not fitted, of more than two classes or has
        categorical features; or if its trees are damaged: a node that leads out of its tree
        or back, a feature that is not there, a leaf that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import extract_trees, fit
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> trees = extract_trees(fit(rows, rows[:, 0] > 0.5)[-1])
    >>> trees.n_features, len(trees.roots)
    (1, 250)
    """
    try:
        return _copy_trees(classifier)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        msg = (
            f"Invalid classifier {type(classifier).__name__}: its trees cannot be read "
            f"({error}). Must be a fitted HistGradientBoostingClassifier."
        )
        raise ValueError(msg) from None


def _copy_trees(classifier: Any) -> SummedTrees:
    """Return the trees of a classifier, or raise whatever is wrong with it."""
    n_outputs = classifier.n_trees_per_iteration_
    if n_outputs != 1 or len(classifier.classes_) != 2:
        msg = f"Invalid classifier of {len(classifier.classes_)} classes. Must have two."
        raise ValueError(msg)
    if classifier.is_categorical_ is not None or classifier._preprocessor is not None:
        msg = "Invalid classifier with categorical features. Must have only numbers."
        raise ValueError(msg)
    baseline = np.asarray(classifier._baseline_prediction)
    if baseline.dtype != np.float64 or baseline.size != 1:
        msg = f"Invalid classifier with baseline {baseline!r}. Must be one number."
        raise ValueError(msg)
    n_features = check_count(classifier.n_features_in_, "n_features_in_")
    roots, values, links, n_nodes = [], [], [], 0
    for (predictor,) in classifier._predictors:
        nodes = predictor.nodes
        is_leaf = nodes["is_leaf"].astype(bool)
        if nodes["is_categorical"][~is_leaf].any():
            msg = "Invalid classifier with categorical splits. Must have only numbers."
            raise ValueError(msg)
        feature = nodes["feature_idx"]
        if (feature[~is_leaf] < 0).any():
            msg = "Invalid classifier: a node asks for a feature before the first."
            raise ValueError(msg)
        sides = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
        missing = np.where(nodes["missing_go_to_left"].astype(bool), *sides)
        table = np.column_stack([*sides, missing]) + n_nodes
        table = np.column_stack([np.where(is_leaf, -1, feature), table])
        roots.append(n_nodes)
        values.append(np.where(is_leaf, nodes["value"], nodes["num_threshold"]))
        # what int32 cannot hold leads nowhere
        links.append(np.clip(table, -1, np.iinfo(np.int32).max).astype(np.int32))
        n_nodes += len(nodes)
    trees = SummedTrees(
        n_features=n_features,
        baseline=float(0.0 + baseline.item()),  # as scikit-learn adds: never a negative zero
        roots=np.array(roots, np.int32),
        values=np.concatenate([np.empty(0), *values]),
        links=np.ascontiguousarray(np.concatenate([np.empty((0, 4), np.int32), *links])),
    )
    return check_trees(trees)


def check_trees(trees: SummedTrees) -> SummedTrees:
    """
    Return trees if every row that runs through them comes to a leaf.

    Parameters
    ----------
    trees : SummedTrees
        Trees of any origin, a file for example.

    Returns
    -------
    trees : SummedTrees
        The same.

    Raises
    ------
    ValueError
        If an array is of another shape or type, a node leads out of its tree or back, a
        feature is not there, or a number is not finite.

    Examples
    --------
    >>> import dataclasses
    >>> import numpy as np
    >>> from minesense.detect import extract_trees, fit
    >>> from minesense.detect.trees import check_trees
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> trees = extract_trees(fit(rows, rows[:, 0] > 0.5)[-1])
    >>> check_trees(trees) is trees
    True
    >>> check_trees(dataclasses.replace(trees, links=trees.links[::-1].copy()))
    Traceback (most recent call last):
    ValueError: Invalid trees: a node leads out of its tree or back. Must ...
    """
    roots, values, links = trees.roots, trees.values, trees.links
    n_nodes = len(values)
    expected: list[tuple[npt.NDArray[Any], type, tuple[int, ...]]] = [
        (roots, np.int32, (len(roots),)),
        (values, np.float64, (n_nodes,)),
        (links, np.int32, (n_nodes, 4)),
    ]
    if any(
        array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous
        for array, dtype, shape in expected
    ):
        shapes = ", ".join(f"{array.dtype} {array.shape}" for array, *_ in expected)
        msg = f"Invalid trees of {shapes}. Must be int32 (n,), float64 (m,), int32 (m, 4)."
        raise ValueError(msg)
    fault = ""
    steps = np.diff(np.append(roots, n_nodes))
    is_inner = links[:, 0] >= 0
    own = np.arange(n_nodes)
    if (steps <= 0).any() or (len(roots) and roots[0] != 0):
        fault = "a tree has no nodes"
    else:
        end = np.repeat(np.append(roots, n_nodes)[1:], steps)
        ahead = links[is_inner, 1:]
        if (ahead <= own[is_inner, None]).any() or (ahead >= end[is_inner, None]).any():
            fault = "a node leads out of its tree or back"
        elif (links[:, 0] >= trees.n_features).any():
            fault = f"one asks for another than the {trees.n_features} features"
        elif np.isnan(values[is_inner]).any() or not np.isfinite(values[~is_inner]).all():
            fault = "a threshold or a leaf is not a number"
        elif not np.isfinite(trees.baseline):
            fault = f"the baseline is {trees.baseline}"
    if fault:
        msg = f"Invalid trees: {fault}. Must lead every row to a leaf with a finite number."
        raise ValueError(msg)
    return trees


def score_trees(trees: SummedTrees, features: npt.ArrayLike) -> Floats:
    r"""
    Return the sums of leaves of rows: log odds, the bits of scikit-learn's decision function.

    Parameters
    ----------
    trees : SummedTrees
        From :func:`extract_trees`, or of any origin by :func:`check_trees`.
    features : (n, n_features) array_like
        One row a candidate; NaN where a feature is missing.

    Returns
    -------
    scores : (n,) float64 ndarray
        Higher means more like a mine.

    Raises
    ------
    TypeError, ValueError
        If `features` are not real numbers, or not of this shape.

    Notes
    -----
    :math:`s = b + v_1 + v_2 + \dots` for the baseline :math:`b` and the leaf :math:`v_k` of
    each tree, added in the order in which the trees were grown. At a node a row turns left if
    its value is at most the threshold; a missing value goes the way that was learnt for it.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import extract_trees, fit, score_trees
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> classifier = fit(rows, rows[:, 0] > 0.5)[-1]
    >>> scores = score_trees(extract_trees(classifier), rows)
    >>> bool((scores == classifier.decision_function(rows)).all())
    True
    """
    rows = np.ascontiguousarray(check_real(features, "features"), dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != trees.n_features:
        msg = f"Invalid features with shape {rows.shape}. Must be (n, {trees.n_features})."
        raise ValueError(msg)
    scores = np.empty(len(rows))
    sum_leaves(rows, trees.roots, trees.values, trees.links, trees.baseline, scores)
    return scores


def trial_rows(trees: SummedTrees, *, n_rows: int = 256, seed: int = 0) -> Floats:
    """
    Return rows that try every turn of the trees, for a test of whoever runs them.

    Parameters
    ----------
    trees : SummedTrees
        From :func:`extract_trees`.
    n_rows : int
        Number of rows, at least 8.
    seed : int
        Of the rows' chance.

    Returns
    -------
    rows : (n_rows, n_features) float64 ndarray
        Values at thresholds, one bit to either side of them, between and far beyond them,
        infinite and missing ones; the first rows are missing or infinite throughout.

    Raises
    ------
    TypeError, ValueError
        If `n_rows` or `seed` is no whole number, or too small.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import extract_trees, fit, trial_rows
    >>> rows = np.linspace(0.0, 1.0, 40)[:, None]
    >>> tried = trial_rows(extract_trees(fit(rows, rows[:, 0] > 0.5)[-1]))
    >>> tried.shape, tried[:3, 0].tolist()
    ((256, 1), [nan, inf, -inf])
    """
    n_rows = check_count(n_rows, "n_rows", least=8)
    rng = np.random.default_rng(check_count(seed, "seed", least=0))
    rows = np.empty((n_rows, trees.n_features))
    for k in range(trees.n_features):
        cuts = np.unique(trees.values[trees.links[:, 0] == k])
        cuts = cuts if len(cuts) else np.zeros(1)
        at = np.resize(rng.permutation(cuts), n_rows)  # each threshold in its turn
        # a split of missing values alone has an infinite threshold
        finite = cuts[np.isfinite(cuts)] if np.isfinite(cuts).any() else np.zeros(1)
        with np.errstate(over="ignore"):
            column = np.stack(
                [
                    at,
                    np.nextafter(at, -np.inf),
                    np.nextafter(at, np.inf),
                    np.median(finite) + (np.ptp(finite) + 1) * rng.normal(size=n_rows),
                    np.full(n_rows, np.nan),
                    np.where(rng.random(n_rows) < 0.5, -np.inf, np.inf),
                ]
            )
        kind = rng.choice(6, size=n_rows, p=[0.25, 0.15, 0.15, 0.25, 0.15, 0.05])
        rows[:, k] = column[kind, np.arange(n_rows)]
    rows[:4] = np.array([np.nan, np.inf, -np.inf, 0.0])[:, None]
    return rows

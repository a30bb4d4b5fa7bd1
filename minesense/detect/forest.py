"""A random forest whose score is the log odds of its vote."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier

from .._validation import check_count
from ..sweep import Floats
from ._one_thread import one_thread
from ._two_classes import TwoClasses, merge_equal_rows
from .trees import SummedTrees, check_trees, score_trees


class VoteForest(TwoClasses):
    r"""
    Classify by the vote of a random forest, as log odds.

    Parameters
    ----------
    n_trees : int
        Number of trees.
    min_leaf : int
        Least number of distinct training rows in a leaf.
    random_state : int, RandomState instance or None
        Of the draws of rows and features.

    Attributes
    ----------
    classes_ : (2,) ndarray
        The two classes, in rising order.
    roots_, values_, links_ : ndarray
        The trees, as in :class:`~minesense.detect.trees.SummedTrees`; each leaf holds its
        share of the second class.

    Raises
    ------
    TypeError, ValueError
        In `fit`: if an option is no whole number above zero, `y` does not hold two classes,
        or a value is missing or infinite.

    Notes
    -----
    With :math:`p` the mean over :math:`n` trees of the share of the second class in the leaf
    that a row falls into [1]_, the score is :math:`\ln\{(n p + 1/2) / (n (1 - p) + 1/2)\}`:
    a vote without dissent has finite odds too. Values are compared with thresholds in single
    precision, as scikit-learn does: the vote has the bits of its forest's probability. Equal
    training rows are one row with the sum of their weights; the order of rows does not
    matter.

    References
    ----------
    .. [1] Breiman, L. (2001). Random forests. Machine Learning 45, 5-32,
       doi:10.1023/A:1010933404324.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import VoteForest
    >>> table = np.linspace(-1.0, 1.0, 40)[:, None]
    >>> forest = VoteForest(n_trees=50, random_state=0).fit(table, table[:, 0] > 0)
    >>> forest.predict([[-0.9], [0.9]]).tolist()
    [False, True]
    """

    def __init__(
        self,
        n_trees: int = 300,
        min_leaf: int = 5,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.random_state = random_state

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> VoteForest:
        """Grow the trees."""
        rows, labels, weights = merge_equal_rows(*self._check_training(X, y, sample_weight))
        forest = RandomForestClassifier(
            n_estimators=check_count(self.n_trees, "n_trees"),
            min_samples_leaf=check_count(self.min_leaf, "min_leaf"),
            random_state=self.random_state,
        )
        with one_thread():
            forest.fit(rows, labels.astype(int), sample_weight=weights)
        # plain arrays: quick to run, small to store, and a file's can be checked before use
        tables = [_table(tree.tree_) for tree in forest.estimators_]
        sizes = [len(values) for values, _ in tables]
        self.roots_ = (np.cumsum(sizes) - sizes).astype(np.int32)
        self.values_ = np.concatenate([values for values, _ in tables])
        links = [
            links + np.array([0, root, root, root])
            for root, (_, links) in zip(self.roots_, tables, strict=True)
        ]
        self.links_ = np.ascontiguousarray(np.concatenate(links), dtype=np.int32)
        return self

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Return the log odds of the vote for the second class."""
        vote = self._vote(X)
        n = len(self.roots_)
        return np.log((n * vote + 0.5) / (n * (1 - vote) + 0.5))

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Return the vote for each class, uncalibrated."""
        vote = self._vote(X)
        return np.column_stack([1 - vote, vote])

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the state of a file if its trees can be run."""
        super().__setstate__(state)
        if hasattr(self, "links_"):
            check_trees(self._trees())

    def _trees(self) -> SummedTrees:
        """Return the trees."""
        return SummedTrees(
            n_features=self.n_features_in_,
            baseline=0.0,
            roots=self.roots_,
            values=self.values_,
            links=self.links_,
        )

    def _vote(self, X: npt.ArrayLike) -> Floats:
        """Return the mean share of the second class in the leaves of each row."""
        rows = self._check_rows(X).astype(np.float32)
        return score_trees(self._trees(), rows) / len(self.roots_)


def _table(tree: Any) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return thresholds or shares, and links, of the nodes of one tree."""
    is_leaf = tree.children_left < 0
    values = np.where(is_leaf, tree.value[:, 0, 1], tree.threshold)
    sides = np.maximum(tree.children_left, 0), np.maximum(tree.children_right, 0)
    return values, np.column_stack([np.where(is_leaf, -1, tree.feature), *sides, sides[0]])

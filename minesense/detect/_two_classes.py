"""What the classifiers of two classes have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..sweep import Floats


class TwoClasses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # no stubs
    """Checks of tables of two classes, and the class that a score stands for."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def predict(self, X: npt.ArrayLike) -> Any:
        """Return the second class where the decision function is positive, or the first."""
        score = self.decision_function(X)
        return self.classes_[(score > 0).astype(int)]

    def _check_training(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
        """Return rows of positive weight, which are of the second class, and the weights."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        counts = weight > 0
        self.classes_ = np.unique(y)
        n_classes = len(np.unique(y[counts]))
        if len(self.classes_) > 2:  # in the words that scikit-learn asks for
            msg = (
                "Only binary classification is supported. The type of the target is "
                f"multiclass: y holds {len(self.classes_)} classes. Must hold two."
            )
            raise ValueError(msg)
        if n_classes != 2:
            msg = f"Invalid y: {n_classes} class with weight above zero. Must be two classes."
            raise ValueError(msg)
        return X[counts], y[counts] == self.classes_[1], weight[counts]

    def _check_rows(self, X: Any) -> Floats:
        """Return rows to be scored, of as many features as the estimator was fitted to."""
        check_is_fitted(self)
        return np.asarray(validate_data(self, X, dtype=np.float64, reset=False))


def merge_equal_rows(
    rows: Floats, labels: npt.NDArray[np.bool_], weights: Floats
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    """
    Return each row once, in rising order, with the sum of its weights.

    A row of weight two is then the same as two rows, and the order of rows does not matter.

    Parameters
    ----------
    rows : (n, n_features) float64 ndarray
        Finite numbers.
    labels : (n,) bool ndarray
        Equal rows of different labels stay apart.
    weights : (n,) float64 ndarray
        Of each row.

    Returns
    -------
    rows, labels, weights : ndarray
        The distinct ones.
    """
    table, place = np.unique(np.column_stack([rows, labels]), axis=0, return_inverse=True)
    total = np.bincount(place.ravel(), weights=weights, minlength=len(table))
    return np.ascontiguousarray(table[:, :-1]), table[:, -1] > 0, total.astype(np.float64)

"""A baseline that learns nothing: one feature as it is."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from .._validation import check_count
from ..sweep import Floats
from ._two_classes import TwoClasses


class ScoreColumn(TwoClasses):
    """
    Hand through one column of the features as the score.

    It stands where a classifier stands, so that a plain prescreener is calibrated and
    scored exactly as a detector that learns.

    Parameters
    ----------
    column : int
        Number of the column.

    Attributes
    ----------
    classes_ : (2,) ndarray
        The two classes, in rising order.

    Raises
    ------
    TypeError, ValueError
        In `fit`: if the column is none of the table, `y` does not hold two classes, or a
        value is missing or infinite.

    Examples
    --------
    >>> from minesense.detect import ScoreColumn
    >>> table = [[3.0, 0.2], [1.0, 0.7], [2.0, -0.4]]
    >>> ScoreColumn(column=1).fit(table, [0, 1, 0]).decision_function(table).tolist()
    [0.2, 0.7, -0.4]
    """

    def __init__(self, column: int = 0):
        self.column = column

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # the score of one column is what it is
        return tags

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> ScoreColumn:
        """Note the classes; the weights change nothing."""
        rows, _, _ = self._check_training(X, y, sample_weight)
        column = check_count(self.column, "column", least=0)
        if column >= rows.shape[1]:
            msg = f"Invalid column '{column}'. Must be less than the {rows.shape[1]} columns."
            raise ValueError(msg)
        return self

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Return the column of each row."""
        return self._check_rows(X)[:, self.column].copy()

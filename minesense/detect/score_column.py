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
    column : int or str
        Number of the column; or its name, where it is fitted to a table with named columns.

    Attributes
    ----------
    classes_ : (2,) ndarray
        The two classes, in rising order.
    column_ : int
        Number of the column.

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

    def __init__(self, column: int | str = 0):
        self.column = column

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # the score of one column is what it is
        return tags

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> ScoreColumn:
        """Look up the column and note the classes; the weights change nothing."""
        rows, _, _ = self._check_training(X, y, sample_weight)
        if isinstance(self.column, str):
            names = list(getattr(self, "feature_names_in_", ()))
            if self.column not in names:
                msg = (
                    f"Invalid column {self.column!r}. Must be a column of the table: "
                    f"{', '.join(names) or 'its columns have no names'}."
                )
                raise ValueError(msg)
            self.column_ = names.index(self.column)
            return self
        column = check_count(self.column, "column", least=0)
        if column >= rows.shape[1]:
            msg = f"Invalid column '{column}'. Must be less than the {rows.shape[1]} columns."
            raise ValueError(msg)
        self.column_ = column
        return self

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Return the column of each row."""
        return self._check_rows(X)[:, self.column_].copy()

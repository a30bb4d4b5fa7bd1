"""Possibilistic nearest neighbours: far from all that is known, the score is nought."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state

from .._validation import check_count, check_not_negative, check_positive
from ..sweep import Floats
from ._one_thread import one_thread
from ._two_classes import TwoClasses, merge_equal_rows

_ROWS_AT_ONCE = 1024  # bounds the memory that distances take


class PossibilisticNeighbours(TwoClasses):
    r"""
    Classify by the signed memberships of a row in its nearest prototypes.

    Features must be of one scale: put a scaler before it.

    Parameters
    ----------
    n_prototypes : int
        Greatest number of prototypes of each class.
    n_neighbours : int
        Number of nearest prototypes that are asked.
    near : float or None
        Distance :math:`\eta_1` up to which a row is a full member; by default the mean
        distance of training rows to that many nearest prototypes of their class.
    fade : float or None
        Distance :math:`\eta_2` beyond it at which membership is one half; by default the
        standard deviation of those distances.
    random_state : int, RandomState instance or None
        Of the starts of the k-means that finds prototypes.

    Attributes
    ----------
    classes_ : (2,) ndarray
        The two classes, in rising order.
    prototypes_ : (n, n_features) ndarray
        Of both classes, those of the first class before those of the second.
    signs_ : (n,) ndarray
        -1 for prototypes of the first class, 1 for the second.
    near_, fade_ : float
        The distances that are used.

    Raises
    ------
    TypeError, ValueError
        In `fit`: if an option is out of range, `y` does not hold two classes, or a value is
        missing or infinite.

    Notes
    -----
    Of a row :math:`x` in a prototype :math:`p` the membership is

    .. math:: m(x, p) = \frac{1}{1 + \max(0, |x - p| - \eta_1) / \eta_2},

    the form of [1]_ with exponent 1. The score is the mean of :math:`\pm m` over the nearest
    prototypes, at least -1 and at most 1; far from all of them it tends to 0, whichever is
    nearest: unknown is not the same as unlike a mine. Classes have equal numbers of
    prototypes, however many rows each has. A class of at most `n_prototypes` distinct rows is
    its own prototypes, otherwise they are the centres of its k-means clusters.

    References
    ----------
    .. [1] Frigui, H. & Gader, P. (2009). Detection and discrimination of land mines in
       ground-penetrating radar based on edge histogram descriptors and a possibilistic
       K-nearest neighbor classifier. IEEE Transactions on Fuzzy Systems 17(1), 185-199.

    Examples
    --------
    >>> from minesense.detect import PossibilisticNeighbours
    >>> table, labels = [[0.0], [0.2], [2.0], [2.2]], [0, 0, 1, 1]
    >>> neighbours = PossibilisticNeighbours(n_neighbours=2).fit(table, labels)
    >>> neighbours.decision_function([[0.1], [2.1], [1e6]]).round(2).tolist()
    [-1.0, 1.0, 0.0]
    """

    def __init__(
        self,
        n_prototypes: int = 400,
        n_neighbours: int = 5,
        near: float | None = None,
        fade: float | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.n_prototypes = n_prototypes
        self.n_neighbours = n_neighbours
        self.near = near
        self.fade = fade
        self.random_state = random_state

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> PossibilisticNeighbours:
        """Find the prototypes of each class, and the distances that count as near."""
        n_most = check_count(self.n_prototypes, "n_prototypes")
        n_asked = check_count(self.n_neighbours, "n_neighbours")
        near = None if self.near is None else check_not_negative(self.near, "near")
        fade = None if self.fade is None else check_positive(self.fade, "fade")
        rows, labels, weights = merge_equal_rows(*self._check_training(X, y, sample_weight))
        chance = check_random_state(self.random_state)
        prototypes, distances, shares = [], [], []
        for is_second in (False, True):
            own, weight = rows[labels == is_second], weights[labels == is_second]
            centres = _centres(own, weight, n_most, chance)
            prototypes.append(centres)
            nearest = np.sort(cdist(own, centres), axis=1)[:, :n_asked]
            # a row that is its own prototype says nothing about distances
            apart = nearest > 0
            distances.append(nearest[apart])
            shares.append(np.broadcast_to(weight[:, None], nearest.shape)[apart])
        mean, spread = _mean_and_spread(np.concatenate(distances), np.concatenate(shares))
        self.near_ = mean if near is None else near
        self.fade_ = (spread or self.near_ or 1.0) if fade is None else fade
        self.prototypes_ = np.concatenate(prototypes)
        self.signs_ = np.repeat([-1.0, 1.0], [len(centres) for centres in prototypes])
        self.n_asked_ = min(n_asked, len(self.signs_))
        return self

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Return the mean signed membership in the nearest prototypes."""
        rows = self._check_rows(X)
        score = np.empty(len(rows))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            distance = cdist(rows[part], self.prototypes_)
            nearest = np.argsort(distance, axis=1, kind="stable")[:, : self.n_asked_]
            beyond = np.take_along_axis(distance, nearest, axis=1) - self.near_
            member = 1 / (1 + np.maximum(0.0, beyond) / self.fade_)
            score[part] = (self.signs_[nearest] * member).mean(axis=1)
        return score

    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Return (1 - score) / 2 and (1 + score) / 2: one half far from everything."""
        score = self.decision_function(X)
        return np.column_stack([(1 - score) / 2, (1 + score) / 2])


def _centres(
    rows: Floats, weights: Floats, n_most: int, chance: np.random.RandomState
) -> Floats:
    """Return at most so many prototypes of distinct rows."""
    if len(rows) <= n_most:
        return rows
    means = KMeans(n_clusters=n_most, n_init=1, random_state=chance)
    with one_thread():
        means.fit(rows, sample_weight=weights)
    return np.asarray(means.cluster_centers_, dtype=np.float64)


def _mean_and_spread(distances: Floats, weights: Floats) -> tuple[float, float]:
    """Return the weighted mean and standard deviation, 0 of nothing."""
    if not len(distances):
        return 0.0, 0.0
    mean = float(np.average(distances, weights=weights))
    return mean, math.sqrt(np.average((distances - mean) ** 2, weights=weights))

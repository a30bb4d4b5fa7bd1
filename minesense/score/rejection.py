"""What share of given places could be left alone without losing a mine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import (
    check_array,
    check_count,
    check_labels,
    check_probability,
    check_rng,
    check_shape,
)
from ..sweep import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """
    Clutter below the highest threshold that loses no more than so many mines.

    The threshold is read off the scores that it is judged by: the figure says what an
    order of the places is worth, not what a threshold stated before would have done.
    """

    missed: int  #: mines that may be lost
    threshold: float  #: a place below it is left alone
    n_mines: int
    n_clutter: int
    n_rejected: int
    value: float  #: share of clutter below the threshold
    low: float
    high: float
    confidence: float
    n_lanes: int
    n_resamples: int  #: that hold mines and clutter


class Places:
    """
    Given places, one order of scores over them, and their lanes; for many resamplings.

    A mine is found by the best of its places. Lanes are drawn by weights: how often each
    counts. Only this package uses it; arguments are checked in `rejection`.
    """

    def __init__(
        self,
        scores: Floats,
        labels: npt.NDArray[np.bool_],
        lanes: Sequence[str],
        emplacements: Sequence[str],
    ):
        self.names = sorted(set(lanes))
        index = {name: k for k, name in enumerate(self.names)}
        lane = np.array([index[name] for name in lanes], np.int64)
        best: dict[str, int] = {}
        for i in np.flatnonzero(labels).tolist():
            name = emplacements[i]
            if name not in best or scores[i] > scores[best[name]]:
                best[name] = i
        mines = sorted(best.values(), key=lambda i: scores[i])
        self.mine_scores = scores[mines]
        self.mine_lanes = lane[mines]
        clutter = np.flatnonzero(~labels)
        self.clutter_scores, self.clutter_lanes = scores[clutter], lane[clutter]
        # clutter of every lane below the score of every mine, the worst mine first
        self.below = np.stack(
            [
                np.searchsorted(
                    np.sort(self.clutter_scores[self.clutter_lanes == k]), self.mine_scores
                )
                for k in range(len(self.names))
            ]
        )
        self.n_clutter = np.bincount(self.clutter_lanes, minlength=len(self.names))

    def share(self, drawn: npt.NDArray[np.int64], missed: int) -> Floats:
        """Return the share rejected for lanes drawn, (n, n_lanes); NaN without any to judge."""
        lost = drawn[:, self.mine_lanes].cumsum(axis=1)
        has_mines = lost[:, -1] > missed
        # the first mine whose loss would be one too many sets the threshold
        first = np.argmax(lost > missed, axis=1)
        rejected = np.einsum("nk,kn->n", drawn.astype(float), self.below[:, first])
        n_clutter = drawn @ self.n_clutter
        with np.errstate(divide="ignore", invalid="ignore"):
            share = rejected / n_clutter
        # no more mines than may be lost: all clutter could be left alone
        share = np.where(has_mines, share, 1.0)
        result: Floats = np.where((n_clutter > 0) & (lost[:, -1] > 0), share, np.nan)
        return result

    def shares(self, drawn: npt.NDArray[np.int64], missed: int) -> Floats:
        """Return the share for resamplings; NaN with one lane, which is always the same."""
        if len(self.names) < 2:
            return np.full(len(drawn), np.nan)
        return self.share(drawn, missed)

    def draw(self, rng: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
        """Return how often each lane counts in n resamplings, (n, n_lanes)."""
        k = len(self.names)
        return rng.multinomial(k, np.full(k, 1 / k), size=n)


def rejection(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    lanes: Sequence[str],
    *,
    rng: np.random.Generator,
    emplacements: Sequence[str] | None = None,
    missed: Sequence[int] = (0, 1),
    confidence: float = 0.95,
    n_resamples: int = 2000,
) -> tuple[Rejection, ...]:
    """
    Return what share of clutter could be left alone at so many mines lost.

    Parameters
    ----------
    scores : (n,) array_like
        Of places that a prescreener noticed, each by a classifier that had not seen its
        lane; higher is more like a mine.
    labels : (n,) array_like
        True for mines.
    lanes : (n,) sequence of str
        Lane of every place: what is drawn for the limits.
    rng : numpy.random.Generator
        For the limits.
    emplacements : (n,) sequence of str, optional
        Mine that a place lies on: it is lost only if all of its places are below the
        threshold. Without it, every place of a mine is a mine of its own.
    missed : sequence of int
        How many mines may be lost.
    confidence : float
        Of the limits.
    n_resamples : int
        How often lanes are drawn.

    Returns
    -------
    tuple of Rejection
        One for each number of mines that may be lost, in the order given.

    Raises
    ------
    TypeError, ValueError
        If lengths differ; a score is not finite; a label is not true or false, or 1 or 0;
        there is no clutter, or no more mines than may be lost; a lane, or a mine of
        `emplacements`, has no name (None, NaN and blanks are none), names are neither all
        words nor all numbers, or a mine lies in two lanes; or rng is no generator.

    Notes
    -----
    The threshold is the score of the mine whose loss would be one too many, each mine
    taken at its best place: ``share = #{clutter: s < t} / #clutter``. Clutter of an equal
    score is not rejected.

    Limits are percentiles over lanes drawn with replacement, whole, mines and clutter
    together. A mine worse than all in the sample cannot be drawn: with few mines, the
    upper limit at no mine lost is too high. With a single lane there are no limits: NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.score import rejection
    >>> scores = [5.0, 4.0, 1.0, 3.0, 2.0, 0.5, 0.1]
    >>> labels = [True, True, True, False, False, False, False]
    >>> lanes = ["A", "B", "A", "A", "B", "A", "B"]
    >>> none, one = rejection(scores, labels, lanes, rng=np.random.default_rng(seed=0))
    >>> none.threshold, none.value, one.threshold, one.value
    (1.0, 0.5, 4.0, 1.0)
    """
    places = check_places(scores, labels, lanes, emplacements)
    check_probability(confidence, "confidence")
    n_resamples = check_count(n_resamples, "n_resamples")
    allowed = [check_count(k, "missed", least=0) for k in missed]
    drawn = places.draw(check_rng(rng), n_resamples)
    n_mines = len(places.mine_scores)
    results = []
    for k in allowed:
        if k >= n_mines:
            msg = f"Invalid missed '{k}'. Must be below the number of mines, {n_mines}."
            raise ValueError(msg)
        limit = float(places.mine_scores[k])
        rejected = int((places.clutter_scores < limit).sum())
        low, high, n = percentiles(places.shares(drawn, k), confidence)
        n_clutter = len(places.clutter_scores)
        results.append(
            Rejection(
                missed=k,
                threshold=limit,
                n_mines=n_mines,
                n_clutter=n_clutter,
                n_rejected=rejected,
                value=rejected / n_clutter,
                low=low,
                high=high,
                confidence=confidence,
                n_lanes=len(places.names),
                n_resamples=n,
            )
        )
    return tuple(results)


def check_places(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    lanes: Sequence[str],
    emplacements: Sequence[str] | None,
) -> Places:
    """
    Return given places, known well enough to judge an order of them.

    Parameters
    ----------
    scores, labels, lanes, emplacements
        As in :func:`rejection`.

    Returns
    -------
    places : Places
        Sorted for many resamplings.

    Raises
    ------
    TypeError, ValueError
        As for :func:`rejection`.
    """
    values = check_array(scores, "scores", ("n",))
    is_mine = check_shape(check_labels(labels), "labels", (len(values),))
    names = check_group_names(lanes, "lanes", of="lane")
    if len(names) != len(values):
        msg = f"Invalid lanes of {len(names)} places. Must be a name for each of {len(values)}."
        raise ValueError(msg)
    if is_mine.all() or not is_mine.any():
        msg = f"Invalid labels: {is_mine.sum()} mines of {len(is_mine)} places. Must hold both."
        raise ValueError(msg)
    owners = [f"place {i}" for i in range(len(values))]
    if emplacements is not None:
        owners = check_group_names(
            emplacements, "emplacements", of="emplacement", is_optional=True
        )
        if len(owners) != len(values):
            msg = f"Invalid emplacements of {len(owners)} places. Must be {len(values)}."
            raise ValueError(msg)
        lane_of: dict[str, str] = {}
        for i in np.flatnonzero(is_mine).tolist():
            if not owners[i]:
                msg = f"Invalid emplacements: place {i} is a mine without one. Must be named."
                raise ValueError(msg)
            if lane_of.setdefault(owners[i], names[i]) != names[i]:
                msg = (
                    f"Invalid lanes: places of '{owners[i]}' lie in '{lane_of[owners[i]]}' and "
                    f"'{names[i]}'. Must be one: passes of an emplacement are drawn together."
                )
                raise ValueError(msg)
    return Places(values, is_mine, names, owners)


def percentiles(values: Floats, confidence: float) -> tuple[float, float, int]:
    """
    Return the limits of resampled values, and how many of them were known.

    Parameters
    ----------
    values : (n,) float64 ndarray
        NaN where a resample tells nothing; infinite values are values.
    confidence : float
        Of the limits.

    Returns
    -------
    low, high : float
        Order statistics, rounded outwards; NaN if nothing is known.
    n : int
        Values that are not NaN.
    """
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return math.nan, math.nan, 0
    last = len(known) - 1
    # order statistics: interpolation with infinity would make NaN
    low = float(known[math.floor((1 - confidence) / 2 * last)])
    high = float(known[math.ceil((1 + confidence) / 2 * last)])
    return low, high, len(known)

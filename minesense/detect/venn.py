"""Venn-Abers prediction: a probability with the width of what is not known about it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_labels
from ..sweep import Floats


class VennAbers(NamedTuple):
    """Two probabilities of each score, of which one is calibrated, and one between them."""

    low: Floats  #: if the place were clutter
    high: Floats  #: if it were a mine
    merged: Floats  #: between the two


def venn_abers(
    scores: npt.ArrayLike, *, calibration_scores: npt.ArrayLike, labels: npt.ArrayLike
) -> VennAbers:
    r"""
    Return the Venn-Abers interval of the probability at each score.

    Parameters
    ----------
    scores : (n,) array_like
        Scores of places to be judged.
    calibration_scores : (m,) array_like
        Scores of places that the classifier had not been trained on.
    labels : (m,) array_like
        True for mines.

    Returns
    -------
    interval : VennAbers
        Lower and upper probability, each (n,), and one that stands for both.

    Raises
    ------
    TypeError, ValueError
        If scores are not finite, or lengths differ or only one class is present.

    Notes
    -----
    For each score an isotonic regression is fitted to the calibration places and the score
    itself, once as clutter (:math:`p_0`) and once as a mine (:math:`p_1`). If places are
    exchangeable, the one of the two that belongs to the truth is calibrated, whatever their
    law. Merged is :math:`p_1 / (1 - p_0 + p_1)`. The width :math:`p_1 - p_0` tells how much
    one more place could change; it is wide where there were few. Places of one lane are
    not exchangeable with those of another: there the interval is too narrow.

    References
    ----------
    .. [1] Vovk, V. & Petej, I. (2014). Venn-Abers predictors. UAI 2014; arXiv 1211.0025.

    Examples
    --------
    >>> from minesense.detect import venn_abers
    >>> interval = venn_abers([2.5], calibration_scores=[1.0, 2.0, 3.0], labels=[0, 0, 1])
    >>> interval.low.tolist(), interval.high.tolist(), interval.merged.tolist()
    ([0.0], [1.0], [0.5])
    """
    from sklearn.isotonic import isotonic_regression  # noqa: PLC0415 - slow to import

    score = check_array(scores, "scores", ("n",))
    known = check_array(calibration_scores, "calibration_scores", ("m",))
    label = check_labels(labels)
    if len(known) != len(label) or label.all() or not label.any():
        msg = (
            f"Invalid labels: {len(label)} for {len(known)} scores, {label.sum()} of them "
            "mines. Must be one a score, of both classes."
        )
        raise ValueError(msg)
    places, owner = np.unique(known, return_inverse=True)
    count = np.bincount(owner).astype(np.float64)
    mines = np.bincount(owner, weights=label)
    asked, back = np.unique(score, return_inverse=True)
    bounds = np.empty((2, len(asked)))
    for k, value in enumerate(asked):
        at = int(np.searchsorted(places, value))
        is_new = at == len(places) or places[at] != value
        n, hits = count.copy(), mines.copy()
        if is_new:
            n, hits = np.insert(n, at, 0.0), np.insert(hits, at, 0.0)
        n[at] += 1
        for as_mine in (0, 1):
            share = hits.copy()
            share[at] += as_mine
            bounds[as_mine, k] = isotonic_regression(share / n, sample_weight=n)[at]
    low, high = bounds[:, back]
    return VennAbers(low, high, high / (1 - low + high))

"""Reliability: what stated probabilities were worth, over all places and lane by lane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._group_names import check_group_names
from .._validation import check_count, check_labels, check_one_of, check_real, check_shape
from ..detect.calibrate import brier_score, check_probabilities, expected_calibration_error
from ..sweep import Floats
from .intervals import Interval, clopper_pearson, wilson

#: Ways to give a share its limits.
INTERVALS = {"clopper_pearson": clopper_pearson, "wilson": wilson}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Places whose stated probabilities lie between two limits."""

    low: float
    high: float
    stated: float  #: mean of the stated probabilities
    share: Interval  #: of mines among them, with limits
    mines: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneReliability:
    """What stated probabilities were worth in one lane, or over all."""

    lane: str  #: "" over all lanes
    n: int
    mines: int
    withheld: int  #: places without a probability, which count nowhere else
    stated: float  #: mean of the stated probabilities: expected share of mines
    brier: float
    calibration_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Stated probabilities against what was there."""

    bins: tuple[ReliabilityBin, ...]  #: those that hold places
    overall: LaneReliability
    lanes: tuple[LaneReliability, ...]  #: in order of their names
    is_synthetic: bool

    @property
    def worst(self) -> LaneReliability:
        """Lane with the greatest Brier score among those with a stated probability."""
        return max((x for x in self.lanes if x.n), key=lambda item: item.brier)


def reliability(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    lanes: Sequence[str],
    *,
    n_bins: int = 10,
    interval: str = "clopper_pearson",
    is_synthetic: bool = True,
) -> Reliability:
    r"""
    Compare stated probabilities with what was there, over all places and by lane.

    Parameters
    ----------
    probabilities : (n,) array_like
        Stated probability of each place; NaN where it was withheld.
    labels : (n,) array_like
        True for mines.
    lanes : (n,) sequence of str
        Lane of each place.
    n_bins : int
        Bins of equal width from 0 to 1.
    interval : {"clopper_pearson", "wilson"}
        Limits of the shares at 95 %: exact ones for claims, Wilson's for plots.
    is_synthetic : bool
        Whether the data are.

    Returns
    -------
    reliability : Reliability
        Bins with limits, Brier score and expected calibration error, overall and by lane.

    Raises
    ------
    TypeError, ValueError
        If a probability is not between 0 and 1, a label is not true or false, or 1 or 0,
        lengths differ, a lane has no name, names are neither all words nor all numbers, all
        are withheld, or an option is unknown.

    Notes
    -----
    The Brier score is the mean of :math:`(p - y)^2`; the calibration error is the mean over
    bins of :math:`|\bar p - \bar y|`, weighted by their counts. Few places make the
    latter large by chance: the error of a perfectly calibrated lane of :math:`n` places is
    of the order of :math:`\sqrt{p (1 - p) / n}` in each bin. Limits take places for
    independent, which those of one lane are not.

    Examples
    --------
    >>> from minesense.score import reliability
    >>> found = reliability([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0], ["a", "a", "a", "b"])
    >>> [(round(item.stated, 2), item.mines, item.n) for item in found.bins]
    [(0.1, 0, 2), (0.9, 1, 2)]
    >>> round(found.overall.calibration_error, 3), found.worst.lane
    (0.25, 'b')
    """
    n_bins = check_count(n_bins, "n_bins")
    limits = INTERVALS[check_one_of(interval, "interval", INTERVALS)]
    values = check_shape(check_real(probabilities, "probabilities"), "probabilities", ("n",))
    is_stated = ~np.isnan(values)
    label = check_shape(check_labels(labels), "labels", (len(values),))
    words = check_group_names(lanes, "lanes", of="lane")
    name = check_shape(np.array(words, dtype=str), "lanes", (len(values),))
    p, y = check_probabilities(values[is_stated], label[is_stated])
    if not len(p):
        msg = f"Invalid probabilities: {len(values)}, all withheld. Must hold a number."
        raise ValueError(msg)
    at = np.minimum((p * n_bins).astype(int), n_bins - 1)
    bins = []
    for k in np.unique(at).tolist():
        here = at == k
        mines, n = int(y[here].sum()), int(here.sum())
        bins.append(
            ReliabilityBin(
                low=k / n_bins,
                high=(k + 1) / n_bins,
                stated=float(p[here].mean()),
                share=limits(mines, n),
                mines=mines,
                n=n,
            )
        )
    every = np.ones(len(values), dtype=bool)
    return Reliability(
        bins=tuple(bins),
        overall=_summary("", values, label, every, n_bins),
        lanes=tuple(
            _summary(lane, values, label, name == lane, n_bins)
            for lane in np.unique(name).tolist()
        ),
        is_synthetic=is_synthetic,
    )


def _summary(
    lane: str,
    values: Floats,
    labels: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.bool_],
    n_bins: int,
) -> LaneReliability:
    """Return the figures of some places."""
    use = chosen & ~np.isnan(values)
    p, y = values[use], labels[use]
    error = expected_calibration_error(p, y, n_bins=n_bins) if len(p) else math.nan
    return LaneReliability(
        lane=lane,
        n=len(p),
        mines=int(y.sum()),
        withheld=int((chosen & np.isnan(values)).sum()),
        stated=float(p.mean()) if len(p) else math.nan,
        brier=brier_score(p, y),
        calibration_error=error,
    )

"""Limits of a calibration error, which drawing again makes larger than it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..sweep import Floats
from .rejection import percentiles


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationError:
    """An expected calibration error, and how far it moved as lanes were drawn."""

    value: float
    moved: Floats  #: (n,) sum over bins of how far each moved
    lost: Floats  #: (n,) the same along the signs of the bins, positive towards zero


def calibration_error(
    probabilities: Floats,
    labels: npt.NDArray[np.bool_],
    lanes: npt.NDArray[np.int64],
    drawn: npt.NDArray[np.int64],
    *,
    weights: Floats | None = None,
    n_bins: int = 10,
) -> CalibrationError:
    r"""
    Return the expected calibration error of places, and how drawing lanes moves it.

    Parameters
    ----------
    probabilities : (n,) float64 ndarray
        Calibrated, of every place.
    labels : (n,) bool ndarray
        True for mines.
    lanes : (n,) int64 ndarray
        Number of each one's lane.
    drawn : (n_resamples, n_lanes) int64 ndarray
        How often each lane counts.
    weights : (n,) float64 ndarray, optional
        How often each place counts, 1 by default.
    n_bins : int
        Number of bins of equal width.

    Returns
    -------
    error : CalibrationError
        For :func:`calibration_limits`; NaN where no place was drawn.

    Notes
    -----
    With :math:`g_b = \sum_{i \in b} w_i (p_i - y_i) / \sum_i w_i` in bin b, the error is
    :math:`|g| = \sum_b |g_b|`, as :func:`minesense.detect.expected_calibration_error`.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.score.calibration_limits import calibration_error
    >>> labels, lanes = np.array([False, True, False, True]), np.array([0, 0, 1, 1])
    >>> drawn = np.array([[1, 1], [2, 0]])
    >>> calibration_error(np.array([0.1, 0.8, 0.1, 0.6]), labels, lanes, drawn).value
    0.2
    """
    bins = np.minimum((probabilities * n_bins).astype(int), n_bins - 1)
    each = np.ones(len(lanes)) if weights is None else weights
    gaps = np.zeros((drawn.shape[1], n_bins))
    np.add.at(gaps, (lanes, bins), each * (probabilities - labels))
    sizes = np.bincount(lanes, weights=each, minlength=drawn.shape[1])
    whole = gaps.sum(axis=0) / sizes.sum()
    with np.errstate(divide="ignore", invalid="ignore"):  # no place drawn: NaN
        change = (drawn @ gaps) / (drawn @ sizes)[:, None] - whole
    return CalibrationError(
        value=float(np.abs(whole).sum()),
        moved=np.abs(change).sum(axis=1),
        lost=-(change @ np.sign(whole)),
    )


def calibration_limits(
    errors: Sequence[CalibrationError], confidence: float
) -> tuple[float, float]:
    r"""
    Return the limits of a calibration error, or of the mean of several.

    Parameters
    ----------
    errors : sequence of CalibrationError
        Of one seed each, with the same lanes drawn.
    confidence : float
        Of the limits.

    Returns
    -------
    low, high : float
        The mean of the errors lies within them; NaN where every draw was empty.

    Notes
    -----
    An error is a sum of sizes: noise makes it larger, and drawing again adds the noise once
    more, so that percentiles of draws may exclude the error itself, and always exclude the
    zero of perfect calibration. What noise can do is bounded instead. For the true gaps
    :math:`g`, those found, :math:`\hat g`, and signs :math:`s` of :math:`g`,

    .. math:: |\hat g| - |\hat g - g| \le |g| \le |\hat g| + s \cdot (g - \hat g).

    :math:`\hat g - g` is taken to be spread as :math:`g^* - \hat g` of the draws, and the signs
    to be those of :math:`\hat g`, which can be wrong only where a gap is within its noise.
    The limits are :math:`|\hat g|` less the upper percentile of :math:`|g^* - \hat g|`, zero at
    least, and :math:`|\hat g|` plus that of :math:`\hat s \cdot (\hat g - g^*)`, each with half
    of the doubt. They are wider than needed rather than too narrow: in simulations of 10 to
    40 lanes, 95 % limits held the true error in 95 % to 100 % of the runs; percentiles held
    it in none of them where calibration was perfect.

    References
    ----------
    .. [1] Fang, Z. & Santos, A. (2019). Inference on directionally differentiable functions.
       Review of Economic Studies 86(1), 377-412. doi:10.1093/restud/rdy049. Why drawing
       again fails for a size near zero, and what to draw instead.
    .. [2] Kumar, A., Liang, P. & Ma, T. (2019). Verified uncertainty calibration. Advances in
       Neural Information Processing Systems 32. arXiv 1909.10155. The bias of the error.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.score.calibration_limits import CalibrationError, calibration_limits
    >>> error = CalibrationError(0.25, moved=np.full(9, 0.5), lost=np.linspace(0, 0.5, 9))
    >>> calibration_limits([error], 0.95)
    (0.0, 0.75)
    """
    value = float(np.mean([error.value for error in errors]))
    moved, lost = (
        percentiles(np.mean([getattr(error, name) for error in errors], axis=0), confidence)[1]
        for name in ("moved", "lost")
    )
    if math.isnan(moved):
        return math.nan, math.nan
    return max(0.0, value - moved), value + max(0.0, lost)

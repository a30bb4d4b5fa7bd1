"""What a metal detector hears now: a score for every scan, without look-ahead."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from ..sweep import Floats

#: Scans before which the noise is not known well enough to divide by it.
_N_LEARN = 16

#: Deviations beyond which a scan does not teach level and noise.
_FREEZE = 6.0


class SearchScorer:
    r"""
    Score the scans of a metal detector one by one.

    Parameters
    ----------
    interval : float
        Seconds between scans.
    memory : float
        Seconds over which level and noise are taken.
    noise_floor : float
        Least noise of a sample, in its unit.

    Notes
    -----
    Of every sample the level b and the noise s follow with weight :math:`w = 1 - e^{-\Delta / T}`,
    the interval over the memory. The score of a channel is the root mean square of
    :math:`(x - b) / s` over its gates, less the 1 that noise alone gives. While a score is
    beyond 6, level and noise follow at a twentieth of the pace: a target held under the head
    stays audible for a minute, and a new ground is learnt in the end. A search score is for the
    ear: it knows no place and is compared with no threshold.

    Examples
    --------
    >>> import numpy as np
    >>> scorer = SearchScorer(interval=0.01, memory=1.0, noise_floor=0.0)
    >>> noise = np.random.default_rng(seed=1).normal(size=(400, 2, 8)).astype(np.float32)
    >>> quiet = [scorer.score(scan) for scan in noise]
    >>> noise[0, 1] += 20.0
    >>> bool(scorer.score(noise[0])[1] > 10 > np.max(quiet[100:]))
    True
    """

    def __init__(self, *, interval: float, memory: float, noise_floor: float):
        self._weight = -math.expm1(
            -check_positive(interval, "interval") / check_positive(memory, "memory")
        )
        self._floor = max(noise_floor, 1e-30)
        self.restart()

    def restart(self) -> None:
        """Learn level and noise anew: the zero was set, or the ground is another."""
        self._level: Floats | None = None
        self._variance: Floats = np.empty(0)
        self._n = 0

    def score(self, samples: npt.NDArray[np.float32]) -> Floats:
        """
        Return the scores of the channels of a scan.

        Parameters
        ----------
        samples : (n_channels, n_samples) float32 ndarray
            Finite.

        Returns
        -------
        scores : (n_channels,) float64 ndarray
            In standard deviations; 0 while noise is not known yet.
        """
        values = samples.astype(np.float64)
        if self._level is None:
            self._level = values.copy()
            self._variance = np.zeros_like(values)
        self._n += 1
        residual = values - self._level
        square = residual * residual
        if self._n <= _N_LEARN:
            weight = 1 / self._n
            self._level += weight * residual
            # the level is a mean of few: it follows what it is compared with
            self._variance += weight * (square - self._variance)
            return np.zeros(len(values))
        ratio = square / np.maximum(self._variance, self._floor**2)
        scores: Floats = np.sqrt(ratio.mean(axis=1)) - 1
        weights = np.where(scores > _FREEZE, self._weight / 20, self._weight)[:, None]
        self._level += weights * residual
        self._variance += weights * (square - self._variance)
        return scores

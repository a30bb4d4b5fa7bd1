"""Hidden Markov models of radar sequences: an echo that rises and falls, or background."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_not_negative
from ..sweep import Floats
from ._one_thread import one_thread
from ._two_classes import TwoClasses
from .mixture_chain import MixtureChain, ergodic_chain, learn, left_right_chain, log_likelihood

#: Standard deviations beyond which a value is taken as this far: squares stay finite.
_FARTHEST = 1e4


class HiddenMarkov(TwoClasses):
    r"""
    Classify sequences of scans by two hidden Markov models, one of mines, one of the rest.

    A mine passes through states that follow one another, by default three: the echo rises,
    has its apex, and falls. The background goes from any of its states to any other.

    Parameters
    ----------
    n_depths : int
        Depth windows of a row, each with a sequence of its own.
    n_observations : int
        Numbers observed in a scan at one depth.
    n_scans : int or None
        Scans of a sequence along track; by default whatever the columns leave.
    n_states, n_background_states : int
        States of the model of mines and of the background.
    n_components : int
        Gaussians without correlation in the mixture of each state.
    max_iter : int
        Greatest number of Baum-Welch steps of one training.
    tol : float
        Gain of log likelihood of a scan below which training ends.

    Attributes
    ----------
    classes_ : (2,) ndarray
        The two classes, in rising order; the second is the mines.
    mean_, scale_ : (n_observations,) ndarray
        By which observations are standardised, alike in all scans and depths.
    mine_, background_ : dict of ndarray
        Fields of :class:`~minesense.detect.mixture_chain.MixtureChain`.
    n_iter_ : int
        Baum-Welch steps that were taken in all.

    Raises
    ------
    TypeError, ValueError
        In `fit`: if an option is out of range, the columns are not `n_depths` x `n_scans` x
        `n_observations`, `y` does not hold two classes, or a value is missing or infinite.

    Notes
    -----
    Columns are in the order (depth, scan, observation), the last running fastest. With
    log likelihoods :math:`\ell` of the sequence of :math:`T` scans at depth :math:`d`, the
    score is that of the depth that looks most like a mine [1]_:

    .. math:: s = \max_d \frac{\ell_\mathrm{mine}(d) - \ell_\mathrm{background}(d)}{T}.

    At which depth a mine lies is not part of the labels. The background is learnt from all
    depths of the rows without mines; mines from the depth of each row that the background
    explains worst, and then again from the depth of the highest score. The first guess parts
    the training vectors into equal shares, so that nothing is random.

    References
    ----------
    .. [1] Gader, P. D., Mystkowski, M. & Zhao, Y. (2001). Landmine detection with ground
       penetrating radar using hidden Markov models. IEEE Transactions on Geoscience and
       Remote Sensing 39(6), 1231-1244.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.detect import HiddenMarkov
    >>> rng = np.random.default_rng(seed=0)
    >>> rows = rng.normal(size=(60, 9))
    >>> rows[:30] += [0, 0, 1, 2, 3, 2, 1, 0, 0]  # an echo in the middle of nine scans
    >>> model = HiddenMarkov().fit(rows, np.arange(60) < 30)
    >>> model.score(rows, np.arange(60) < 30) > 0.9
    True
    """

    def __init__(
        self,
        n_depths: int = 1,
        n_observations: int = 1,
        n_scans: int | None = None,
        n_states: int = 3,
        n_background_states: int = 3,
        n_components: int = 3,
        max_iter: int = 30,
        tol: float = 1e-4,
    ):
        self.n_depths = n_depths
        self.n_observations = n_observations
        self.n_scans = n_scans
        self.n_states = n_states
        self.n_background_states = n_background_states
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> HiddenMarkov:
        """Learn both models."""
        rows, labels, weights = self._check_training(X, y, sample_weight)
        self._check_columns(rows.shape[1])
        flat = rows.reshape(len(rows), -1, self.n_observations)
        self.mean_ = np.average(flat.mean(axis=1), axis=0, weights=weights)
        variance = np.average(((flat - self.mean_) ** 2).mean(axis=1), axis=0, weights=weights)
        self.scale_ = np.where(variance > 0, np.sqrt(variance), 1.0)
        windows = self._windows(rows)
        with one_thread():
            self._learn(windows, labels, weights)
        return self

    def decision_function(self, X: npt.ArrayLike) -> Floats:
        """Return the greatest mean log likelihood ratio of any depth."""
        return self._ratios(self._windows(self._check_rows(X))).max(axis=1)

    def _check_columns(self, n_columns: int) -> None:
        """Raise if an option is out of range or does not fit the columns."""
        n_depths = check_count(self.n_depths, "n_depths")
        n_observations = check_count(self.n_observations, "n_observations")
        for name in ("n_states", "n_background_states", "n_components", "max_iter"):
            check_count(getattr(self, name), name)
        check_not_negative(self.tol, "tol")
        each = n_depths * n_observations
        n_scans = max(1, n_columns // each) if self.n_scans is None else self.n_scans
        if each * check_count(n_scans, "n_scans") != n_columns:
            msg = (
                f"Invalid features of {n_columns} columns. Must be {n_depths} depths x "
                f"{n_scans} scans x {n_observations} observations = {each * n_scans}."
            )
            raise ValueError(msg)

    def _windows(self, rows: Floats) -> Floats:
        """Return standardised observations (n, n_depths, n_scans, n_observations)."""
        windows = rows.reshape(len(rows), self.n_depths, -1, self.n_observations)
        return np.clip((windows - self.mean_) / self.scale_, -_FARTHEST, _FARTHEST)

    def _learn(self, windows: Floats, labels: npt.NDArray[np.bool_], weights: Floats) -> None:
        """Learn the background of all depths, then mines at the depth that shows them."""
        other = windows[~labels].reshape(-1, *windows.shape[2:])
        weight = np.repeat(weights[~labels], self.n_depths)
        guess = ergodic_chain(
            other,
            weights=weight,
            n_states=self.n_background_states,
            n_components=self.n_components,
        )
        self.n_iter_ = 0
        self.background_ = self._improve(guess, other, weight)
        mines, weight = windows[labels], weights[labels]
        sequences = mines.reshape(-1, *mines.shape[2:])
        unlikely = -log_likelihood(MixtureChain(**self.background_), sequences)
        chosen = _at_depth(mines, unlikely.reshape(len(mines), -1))
        guess = left_right_chain(
            chosen, weights=weight, n_states=self.n_states, n_components=self.n_components
        )
        self.mine_ = self._improve(guess, chosen, weight)
        if self.n_depths > 1:
            chosen = _at_depth(mines, self._ratios(mines))
            self.mine_ = self._improve(MixtureChain(**self.mine_), chosen, weight)

    def _improve(
        self, chain: MixtureChain, sequences: Floats, weights: Floats
    ) -> dict[str, Floats]:
        """Return the fields of a model that has learnt from sequences."""
        chain, n_steps = learn(
            chain, sequences, weights=weights, max_steps=self.max_iter, tolerance=self.tol
        )
        self.n_iter_ += n_steps
        return dataclasses.asdict(chain)

    def _ratios(self, windows: Floats) -> Floats:
        """Return mean log likelihood ratios (n, n_depths)."""
        n, n_depths, n_scans, _ = windows.shape
        sequences = windows.reshape(n * n_depths, n_scans, -1)
        mine, background = (
            log_likelihood(MixtureChain(**chain), sequences)
            for chain in (self.mine_, self.background_)
        )
        return ((mine - background) / n_scans).reshape(n, n_depths)


def _at_depth(windows: Floats, worth: Floats) -> Floats:
    """Return of each row the sequence at the depth of greatest worth."""
    return windows[np.arange(len(windows)), worth.argmax(axis=1)]

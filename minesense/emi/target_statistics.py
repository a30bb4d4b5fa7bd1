"""Detection statistics of single traces of a metal detector: energy, GLRT and ACE."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .._kernels.decay import remove_columns
from .._kernels.subspace_match import match_targets
from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_one_of,
    check_positive,
)
from ..along_track import Whiten
from ..sensor import Sensor
from ..stage import Flags, LaneStage, Pipeline, run_lane
from ..sweep import Floats, Quality, Samples, Sweep
from .preprocess import as_rows, as_words, received_decays, train_of
from .prescreen import TAUS
from .soil_tracking import first_columns

_STATISTICS = ("energy", "glrt", "ace")


def prescreen_targets(
    sweep: Sweep,
    *,
    spacing: float,
    statistic: str = "glrt",
    taus: npt.ArrayLike = TAUS,
    decays: npt.ArrayLike | None = None,
    rank: int | None = None,
    columns: npt.ArrayLike | None = None,
    noise_length: float = 5.0,
    guard: float = 0.5,
    freeze: float | None = 10.0,
    longest: float = 3.0,
    shrinkage: float = 0.1,
) -> Sweep:
    r"""
    Score each trace against targets in noise whose covariance trails behind it.

    Parameters
    ----------
    sweep : Sweep
        A levelled metal-detector lane of gates or phasors. Do not whiten it.
    spacing : float
        Distance between neighbouring traces, in metres.
    statistic : {'glrt', 'ace', 'energy'}
        Likelihood ratio in standard deviations; adaptive coherence, from 0 to 1, which does
        not depend on the size of the signal; energy, which asks for no target at all.
    taus : (n_taus,) array_like
        Relaxation times of targets, in seconds, for gates of pulse induction.
    decays : (n_targets, n_samples) array_like, optional
        Targets instead of `taus`: gates, positive as a target's voltage is, or in-phase and
        quadrature in turns.
    rank : int, optional
        Dimensions of the subspace that fits the targets best, in which a trace is sought.
        By default it is sought along the best single target, with a positive amplitude.
    columns : (n_columns, n_samples) array_like, optional
        Of the soil, which are projected out: by default those of
        :func:`~minesense.emi.soil_tracking.track_soil`.
    noise_length : float
        Over which the covariance forgets, in metres.
    guard : float
        Distance behind the trace that is not learnt from yet, in metres.
    freeze : float, optional
        Energy of a trace, over the expected one, above which it does not enter the
        covariance; more than 1. None to let all in.
    longest : float
        Distance after which traces enter whatever they hold, in metres, counted in traces at
        the stated spacing: give more where the head may stand still over a target.
    shrinkage : float
        Share of the covariance taken alike in all directions, in (0, 1].

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, 1). Traces behind which too little noise is known
        have the score 0 where that holds, and the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the targets or columns do not fit the sensor, the
        soil hides a target, or the rank exceeds what targets and samples have.

    Notes
    -----
    With :math:`B` the orthonormal complement of the soil columns, :math:`z = B^T x` of
    :math:`m` elements and :math:`R` the exponentially weighted mean of :math:`z z^T` over
    the traces more than `guard` behind, shrunk by :math:`\alpha`,

    .. math:: \hat R = (1 - \alpha) R + \alpha \frac{\operatorname{tr} R}{m} I, \quad
        w = \hat R^{-1/2} z ,

    and with :math:`U` an orthonormal basis of :math:`\hat R^{-1/2} B^T` times the targets
    (one of them, or the subspace), the statistics are [1]_ [2]_

    .. math:: T_{glrt} = |U^T w|, \quad T_{ace} = \frac{|U^T w|^2}{|w|^2}, \quad
        T_{energy} = \frac{|w|^2 - m}{\sqrt{2 m}} .

    In Gaussian noise of that covariance :math:`T_{glrt}^2` is chi-square with as many
    degrees as the rank and :math:`T_{ace}` has the beta distribution of half of them and
    half of the rest; a bank takes its best. The estimate makes tails heavier: at least
    :math:`2 m` traces are learnt from first. Set thresholds on lanes without targets. The
    statistic is of one trace; :func:`~minesense.emi.prescreen.prescreen_decay` adds up
    those under the head, and takes gates as independent. Causal.

    References
    ----------
    .. [1] Scharf, L. L. and Friedlander, B. (1994). Matched subspace detectors. *IEEE
       Transactions on Signal Processing*, 42(8). https://doi.org/10.1109/78.301849
    .. [2] Kraut, S., Scharf, L. L. and McWhorter, L. T. (2001). Adaptive subspace detectors.
       *IEEE Transactions on Signal Processing*, 49(1). https://doi.org/10.1109/78.890324

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="emi", axis=[1e-5, 2e-5, 4e-5, 8e-5], lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.random.default_rng(seed=1).normal(size=(300, 1, 4))
    >>> target = np.array([1.0, 2.0, 3.0, 2.0])
    >>> samples[200:204, 0] += 5 * target
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(300),
    ...     position=np.zeros((300, 3)),
    ...     heading=np.zeros(300),
    ...     sensor=sensor,
    ... )
    >>> options = {"spacing": 0.05, "decays": [target], "columns": [[8.0, 4.0, 2.0, 1.0]]}
    >>> scores = prescreen_targets(sweep, **options).samples[:, 0, 0]
    >>> bool(200 <= scores.argmax() < 204), bool(np.delete(scores, range(200, 204)).max() < 5)
    (True, True)
    >>> coherence = prescreen_targets(sweep, **options, statistic="ace").samples
    >>> bool(coherence[200:204].min() > 0.9)
    True
    """
    stage = PrescreenTargets(
        spacing=spacing,
        statistic=statistic,
        taus=taus,
        decays=decays,
        rank=rank,
        columns=columns,
        noise_length=noise_length,
        guard=guard,
        freeze=freeze,
        longest=longest,
        shrinkage=shrinkage,
    )
    return run_lane(stage, sweep)


class PrescreenTargets(LaneStage):
    """Streaming form of :func:`prescreen_targets`, with its options. Causal."""

    def __init__(
        self,
        *,
        spacing: float,
        statistic: str = "glrt",
        taus: npt.ArrayLike = TAUS,
        decays: npt.ArrayLike | None = None,
        rank: int | None = None,
        columns: npt.ArrayLike | None = None,
        noise_length: float = 5.0,
        guard: float = 0.5,
        freeze: float | None = 10.0,
        longest: float = 3.0,
        shrinkage: float = 0.1,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.statistic = check_one_of(statistic, "statistic", _STATISTICS)
        self.taus = check_array(taus, "taus", ("n_taus",)).copy()
        self.decays = as_rows(decays, "decays")
        self.rank = None if rank is None else check_count(rank, "rank")
        self.columns = as_rows(columns, "columns")
        self.noise_length = check_positive(noise_length, "noise_length")
        self.guard = check_not_negative(guard, "guard")
        self.freeze = None if freeze is None else check_positive(freeze, "freeze")
        self.longest = check_positive(longest, "longest")
        self.shrinkage = check_positive(shrinkage, "shrinkage")
        if self.shrinkage > 1:
            msg = f"Invalid shrinkage '{self.shrinkage}'. Must be at most 1."
            raise ValueError(msg)
        if self.freeze is not None and self.freeze <= 1:
            msg = f"Invalid freeze '{self.freeze}'. Must be more than 1, the expected energy."
            raise ValueError(msg)
        super().__init__(
            spacing=self.spacing,
            statistic=self.statistic,
            taus=self.taus.tolist(),
            decays=as_words(self.decays),
            rank=self.rank,
            columns=as_words(self.columns),
            noise_length=self.noise_length,
            guard=self.guard,
            freeze=self.freeze,
            longest=self.longest,
            shrinkage=self.shrinkage,
        )

    def _begin(self, sensor: Sensor) -> None:
        basis = first_columns(sensor, self.columns)
        complement = np.eye(sensor.shape[1])
        if len(basis):
            complement = np.linalg.qr(basis.T, mode="complete")[0][:, len(basis) :].T
        self._complement = np.ascontiguousarray(complement)
        self._targets = self._along_complement(sensor)
        n_channels, n = len(sensor.lever_arms), len(complement)
        n_held = round(self.guard / self.spacing) + 1
        self._state = (
            np.zeros((n_channels, n_held, n)),
            np.zeros((n_channels, n_held), np.bool_),
            np.zeros((n_channels, n, n)),
            np.zeros((n_channels, 2), np.int64),
            np.zeros(1, np.int64),
            np.empty((n, n)),
            np.empty((len(self._targets) + 1, n)),
        )

    def _along_complement(self, sensor: Sensor) -> Floats:
        """Return the targets along what is not soil, of unit length."""
        n = len(self._complement)
        if self.statistic == "energy":
            return np.empty((0, n))
        if self.decays is None:
            bank = received_decays(train_of(sensor), self.taus)
        else:
            bank = check_array(self.decays, "decays", ("n_targets", sensor.shape[1]))
        left = bank @ self._complement.T
        length = np.linalg.norm(left, axis=1, keepdims=True)
        hidden = length[:, 0] <= 3e-5 * np.linalg.norm(bank, axis=1)
        if hidden.any() or not len(bank):
            msg = (
                f"Invalid bank of {len(bank)} targets, {np.count_nonzero(hidden)} of which are "
                "zero or removed by the soil columns. Must be one or more that differ from "
                "the soil."
            )
            raise ValueError(msg)
        if self.rank is None:
            return np.ascontiguousarray(left / length)
        _, values, vectors = np.linalg.svd(left / length, full_matrices=False)
        if self.rank >= n or np.count_nonzero(values > 1e-9 * values[0]) < self.rank:
            msg = (
                f"Invalid rank '{self.rank}' of {len(bank)} targets in {n} samples without "
                "soil. Must be less than the samples, and at most the rank of the targets."
            )
            raise ValueError(msg)
        return np.ascontiguousarray(vectors[: self.rank])

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(
            sensor,
            axis=sensor.axis[:1],
            is_complex=False,
            quantity="score",
            unit="1" if self.statistic == "ace" else "standard deviations",
        )

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        quality = self._track["quality"]
        is_present = is_usable & (quality[len(quality) - len(samples) :] & Quality.EDGE == 0)
        scores = np.empty((*samples.shape[:2], 1), np.float32)
        is_short = np.empty(len(samples), np.bool_)
        match_targets(
            samples,
            is_present,
            self._complement,
            self._targets,
            self.rank is None,
            _STATISTICS.index(self.statistic),
            -math.expm1(-self.spacing / self.noise_length),
            self.shrinkage,
            -1.0 if self.freeze is None else self.freeze,
            round(self.longest / self.spacing),
            2 * len(self._complement),
            *self._state,
            scores,
            is_short,
        )
        return scores, np.where(is_short, int(Quality.EDGE), 0)


class GateEnergy(LaneStage):
    r"""
    Sum the squares of the samples of each channel that the soil does not explain.

    Parameters
    ----------
    columns : (n_columns, n_samples) array_like, optional
        Of the soil, as in :func:`prescreen_targets`.

    Notes
    -----
    :math:`e = |P x|^2`, in the square of the unit of the sweep. Causal, without memory.
    """

    def __init__(self, *, columns: npt.ArrayLike | None = None):
        self.columns = as_rows(columns, "columns")
        super().__init__(columns=as_words(self.columns))

    def _begin(self, sensor: Sensor) -> None:
        self._basis = first_columns(sensor, self.columns)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(
            sensor,
            axis=sensor.axis[:1],
            is_complex=False,
            quantity="energy",
            unit="1" if sensor.unit == "1" else f"{sensor.unit}^2",
        )

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = np.zeros_like(samples)
        remove_columns(samples, self._basis, residual)
        residual[~is_usable] = 0.0
        energy = (residual.astype(np.float64) ** 2).sum(axis=2, keepdims=True)
        return np.minimum(energy, 1e38).astype(np.float32), None


def prescreen_gate_energy(
    sweep: Sweep,
    *,
    spacing: float,
    columns: npt.ArrayLike | None = None,
    length: float = 5.0,
    guard: float = 0.5,
    min_share: float = 1 / 3,
) -> Sweep:
    r"""
    Score how far the energy off the soil stands out from the traces behind.

    Parameters
    ----------
    sweep : Sweep
        A levelled metal-detector lane of gates or phasors.
    spacing : float
        Distance between neighbouring traces, in metres.
    columns : (n_columns, n_samples) array_like, optional
        Of the soil, as in :func:`prescreen_targets`.
    length, guard, min_share
        Of the window behind, as in :func:`~minesense.along_track.whiten`.

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, 1): robust standard deviations of the energy above
        its median. Traces with too few others behind have the score 0 and the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, or the columns do not fit the sensor.

    Notes
    -----
    The energy :math:`e = |P x|^2` less its median over the traces from `length` to `guard`
    behind, over 1.4826 times their median absolute deviation: a :class:`GateEnergy` and a
    :class:`~minesense.along_track.Whiten` in series. It asks for no target and weighs the
    gates by their squares, so that the loudest decides. Energies have a heavy tail: set
    thresholds on lanes without targets. Causal.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="emi", axis=[1e-5, 2e-5, 4e-5], lever_arms=[[0, 0, 0]]
    ... )
    >>> samples = np.random.default_rng(seed=1).normal(size=(300, 1, 3))
    >>> samples[200, 0] += [1.0, 9.0, 9.0]
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=np.arange(300),
    ...     position=np.zeros((300, 3)),
    ...     heading=np.zeros(300),
    ...     sensor=sensor,
    ... )
    >>> scores = prescreen_gate_energy(sweep, spacing=0.05, columns=[[4.0, 2.0, 1.0]])
    >>> int(scores.samples.argmax())
    200
    """
    stages = Pipeline(
        GateEnergy(columns=columns),
        Whiten(spacing=spacing, length=length, guard=guard, min_share=min_share),
    )
    return run_lane(stages, sweep)

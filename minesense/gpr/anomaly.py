"""Find where a radar lane is unlike the ground behind: distances, and what subspaces miss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.clutter import judge_residuals, match_blocks, renew_components
from .._validation import check_count
from ..sensor import Sensor
from ..stage import run_lane
from ..sweep import Floats, Samples, Sweep
from ._clutter import WhiteningStage

#: Rounds of orthogonal iteration at each renewal.
_ROUNDS = 2


def prescreen_anomaly(
    sweep: Sweep,
    *,
    spacing: float,
    block_length: float,
    n_components: int | None = None,
    guard: float = 0.4,
    memory: float = 5.0,
    refresh: float = 0.5,
    shrinkage: float | None = 0.1,
    start_time: float = 0.0,
    min_share: float = 0.5,
    clean: Sweep | None = None,
) -> Sweep:
    r"""
    Score how far each stretch of a trace lies from the ground behind, given how that varies.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, aligned and without its background; its two-way time is regular.
    spacing : float
        Distance between neighbouring traces, in metres.
    block_length : float
        Two-way time of a block, in seconds; blocks overlap by half. It becomes an even
        number of samples, at least two. Choose it as long as an echo: a block of :math:`p`
        samples needs several times as many traces.
    n_components : int, optional
        Score the energy beside so many principal components of the clutter instead of the
        distance; fewer than the samples of a block.
    guard : float
        Traces up to this distance behind are not learnt from yet, in metres. Choose it no
        shorter than a target.
    memory : float
        Distance over which mean and covariance forget, in metres.
    refresh : float
        Distance after which the inverse of a covariance, or its components, are renewed, in
        metres. Blocks take turns, so that no trace waits for all of them.
    shrinkage : float, optional
        Share of the mean variance in the covariance, from 0 to 1; None takes that of Ledoit
        and Wolf from the data. It does not act on components.
    start_time : float
        Two-way time at which the first block starts, in seconds: below the ground bounce.
    min_share : float
        Share of `memory` that must have been learnt from, in (0, 1]; in any case a few
        traces more than those of a `refresh`, with components twice as many more.
    clean : Sweep, optional
        A lane of the same sensor without targets, processed alike, to take mean and
        covariance from in place of the traces behind. Nothing is learnt then.

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, n_blocks) are squared distances, without unit, about
        as many as samples in a block where the ground is steady; or, with `n_components`,
        energies over that of clutter, about 1. The sensor's axis holds the centre two-way
        time of each block. Traces with too little behind them, or with a channel in which
        nothing varied, have the score 0 and the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, if the sensor is not a radar with a regular axis in
        seconds or its gain was automatic, if its record holds no block after `start_time`,
        or if `clean` is of another sensor or too short.

    Notes
    -----
    For the :math:`p` samples :math:`x` of a block, the score is the squared distance of
    Mahalanobis, in imaging the RX anomaly detector [1]_,

    .. math:: D^2 = (x - m)^T S^{-1} (x - m), \qquad
        S = (1 - \rho)\, C + \rho\, \frac{\operatorname{tr} C}{p} I,

    with the shrinkage :math:`\rho`, given or that of [2]_ (:math:`C` is then shrunk to the
    same target). Mean and covariance follow the traces more than `guard` behind,

    .. math:: C \leftarrow (1 - g)(C + g\, d d^T), \quad m \leftarrow m + g\, d, \quad
        d = \min\Big(1, \sqrt{4 p / D^2}\Big)(x - m),

    with :math:`g = 1 / n` for the first :math:`1 / a` of them, so that both are those of a
    plain sample, and then :math:`a = 1 - e^{-\Delta / \text{memory}}` for spacing
    :math:`\Delta`; :math:`C` is divided by one less the sum of the squared weights, which
    makes it unbiased. The bound on :math:`d`, in force once :math:`n` exceeds :math:`2 p`
    and the least wanted, keeps a strong target from hiding the next. Pivots of the Cholesky
    factor of :math:`S` below a millionth of the mean variance are raised to that.

    For Gaussian clutter, no shrinkage and a plain sample of :math:`n > p` traces,

    .. math:: \frac{n (n - p)}{(n^2 - 1)\, p}\, D^2 \sim F_{p,\, n - p},

    Hotelling's law for a new observation; for many traces :math:`D^2` is chi-square with
    :math:`p` degrees of freedom. Without shrinkage the distance does not change if all
    traces go through one invertible linear map.

    With `n_components` the score is :math:`|r|^2 / \sum_{i > k} \lambda_i`, for what is left
    of :math:`x - m` beside the first :math:`k` eigenvectors of :math:`C` and the eigenvalues
    :math:`\lambda`. Along a lane these are followed by two rounds of orthogonal iteration
    [3]_ at each renewal, from where the last one left them; for `clean` they are exact. The
    bound on :math:`d` is then a score of 16.

    Flagged traces, and those an earlier stage flagged EDGE, are not learnt from. Where a
    block does not vary at all, as those that an alignment set to zero, its score is zero.
    Where none of a channel does, a deviation cannot be measured: such traces are flagged
    EDGE as well. Causal: the latency is none. The threshold is set on lanes without targets:
    clutter has heavier tails.

    References
    ----------
    .. [1] Reed, I. S. and Yu, X. (1990). Adaptive multiple-band CFAR detection of an optical
       pattern with unknown spectral distribution. *IEEE Transactions on Acoustics, Speech,
       and Signal Processing*, 38(10), 1760-1770. Not read: cited from memory, unverified.
    .. [2] Ledoit, O. and Wolf, M. (2004). A well-conditioned estimator for large-dimensional
       covariance matrices. *Journal of Multivariate Analysis*, 88(2), 365-411. Coded as in
       scikit-learn, which the tests compare with.
    .. [3] Golub, G. H. and Van Loan, C. F. (2013). *Matrix Computations*, 4th edition,
       section 8.2: orthogonal iteration. Cited from memory.

    Examples
    --------
    Clutter that is alike from sample to sample, and an echo of the same energy that is not:

    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(32), lever_arms=[[0, 0, 0]]
    ... )
    >>> rng = np.random.default_rng(seed=1)
    >>> samples = rng.normal(size=(300, 1, 32)).cumsum(axis=2)
    >>> samples[250, 0, 16:24] += 3 * (-1.0) ** np.arange(8)
    >>> northing = 0.05 * np.arange(300)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(300),
    ...     sensor=sensor,
    ... )
    >>> scores = prescreen_anomaly(sweep, spacing=0.05, block_length=8e-10)
    >>> trace, _, block = np.unravel_index(scores.samples.argmax(), scores.samples.shape)
    >>> int(trace), float(scores.sensor.axis[block].round(11))
    (250, 1.95e-09)
    """
    stage = PrescreenAnomaly(
        spacing=spacing,
        block_length=block_length,
        n_components=n_components,
        guard=guard,
        memory=memory,
        refresh=refresh,
        shrinkage=shrinkage,
        start_time=start_time,
        min_share=min_share,
        clean=clean,
    )
    return run_lane(stage, sweep)


class PrescreenAnomaly(WhiteningStage):
    """Streaming form of :func:`prescreen_anomaly`, with its options; does not lag."""

    def __init__(
        self,
        *,
        spacing: float,
        block_length: float,
        n_components: int | None = None,
        guard: float = 0.4,
        memory: float = 5.0,
        refresh: float = 0.5,
        shrinkage: float | None = 0.1,
        start_time: float = 0.0,
        min_share: float = 0.5,
        clean: Sweep | None = None,
    ):
        if n_components is not None:
            n_components = check_count(n_components, "n_components")
        self.n_components = n_components
        super().__init__(
            spacing=spacing,
            block_length=block_length,
            guard=guard,
            memory=memory,
            refresh=refresh,
            shrinkage=shrinkage,
            start_time=start_time,
            min_share=min_share,
            clean=clean,
            # few traces more than components leave hardly any variance beside them
            n_fewest=2 + 2 * (n_components or 0),
            n_components=n_components,
        )

    def _set_up(self, sensor: Sensor) -> None:
        width, n_units = self._width, self._fourth.size
        if self.n_components is None:
            super()._set_up(sensor)
            self._directions = np.zeros((n_units, width, 0), np.float32)
            self._n_parts = np.zeros(self._bins.n_bins, np.int64)
            self._scratch = np.empty((2, width), np.float32)
            self._along = np.empty(0, np.float32)
            return
        if self.n_components >= width:
            msg = (
                f"Invalid n_components '{self.n_components}'. Must be less than the {width} "
                "samples of a block: nothing would be left."
            )
            raise ValueError(msg)
        # smooth waves to begin with: no two are alike, and clutter has a part in each
        angle = np.outer(np.arange(self.n_components) + 0.5, np.arange(width) + 0.5)
        waves = np.sqrt(2 / width) * np.cos(np.pi / width * angle)
        self._components: Floats = np.tile(waves, (n_units, 1, 1))
        self._rest = np.zeros(n_units)
        self._column = np.empty(width)

    def _renew(self, turn: int, n_turns: int) -> None:
        if self.n_components is None:
            super()._renew(turn, n_turns)
            return
        covariance = self._covariance.reshape(-1, self._width, self._width)
        n_rounds = _ROUNDS
        if self.clean is not None:
            vectors = np.linalg.eigh(covariance.astype(np.float64), UPLO="U")[1]
            self._components[:] = vectors[:, :, : -self.n_components - 1 : -1].swapaxes(1, 2)
            n_rounds = 0
        renew_components(
            turn,
            n_turns,
            n_rounds,
            self._squares,
            covariance,
            self._column,
            self._components,
            self._rest,
        )

    def _varies(self) -> npt.NDArray[np.bool_]:
        if self.n_components is None:
            return super()._varies()
        return (self._rest > 0) & np.isfinite(self._rest)

    def _judge(self, trace: Samples, out: Samples) -> None:
        if self.n_components is None:
            match_blocks(
                trace,
                self._bins.start,
                self._bins.hop,
                self._mean,
                self._whitener,
                self._directions,
                self._n_parts,
                0,
                False,
                self._n_learnt,
                self._scratch,
                self._along,
                self._distance,
                out,
            )
            return
        judge_residuals(
            trace,
            self._bins.start,
            self._bins.hop,
            self._mean,
            self._components,
            self._rest,
            self._column,
            self._distance,
            out,
        )

"""Find where a radar lane looks like an echo: matched filters against correlated clutter."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from .._kernels.clutter import match_blocks, renew_directions
from .._validation import check_array, check_count, check_one_of
from ..sensor import Sensor
from ..stage import run_lane
from ..sweep import Floats, Samples, Sweep
from ._clutter import WhiteningStage

Statistic = Literal["ace", "glrt", "matched"]

#: As the kernel knows them; 0 is the plain distance.
_NUMBER = {"ace": 1, "glrt": 2, "matched": 3}

#: Share of a template's energy that a block must hold to be searched with it.
_SHARE = 0.5


def prescreen_templates(
    sweep: Sweep,
    templates: npt.ArrayLike,
    *,
    spacing: float,
    block_length: float,
    statistic: Statistic = "ace",
    rank: int | None = None,
    guard: float = 0.4,
    memory: float = 5.0,
    refresh: float = 0.5,
    shrinkage: float | None = 0.1,
    start_time: float = 0.0,
    min_share: float = 0.5,
    clean: Sweep | None = None,
) -> Sweep:
    r"""
    Score how well each stretch of a trace fits one of several echoes, given the clutter.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, aligned and without its background; its two-way time is regular.
    templates : (n_templates, n_samples) array_like
        Echoes on the axis of the sensor, each at its two-way time, of any scale and sign;
        filtered as the lane was. :func:`~minesense.gpr.template_bank` makes some.
    spacing : float
        Distance between neighbouring traces, in metres.
    block_length : float
        Two-way time of a block, in seconds; blocks overlap by half. Choose it twice as long
        as an echo, so that each lies whole in one of them.
    statistic : {"ace", "glrt", "matched"}
        The adaptive cosine estimator, which does not care how strong an echo is; Kelly's
        likelihood ratio, which wants it strong as well; or the output of the matched filter
        in standard deviations.
    rank : int, optional
        Fit the best combination of so many principal shapes of the templates of a block,
        in place of the best single one. For echoes between those of the bank.
    guard, memory, refresh, shrinkage, start_time, min_share, clean
        As in :func:`~minesense.gpr.prescreen_anomaly`, with samples of a block.

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, n_blocks) are scores, without unit; from 0 to 1 for
        ``"ace"`` and ``"glrt"``. The sensor's axis holds the centre two-way time of each
        block. Blocks without a template score 0, and so do traces with too little behind
        them, or with a channel in which nothing varied, which have the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, if templates do not fit the sensor, are not finite,
        are zero, or no block holds half the energy of one, or as in
        :func:`~minesense.gpr.prescreen_anomaly`.

    Notes
    -----
    With the deviation :math:`z` of a block from its mean, the shrunk covariance :math:`S` of
    :math:`n` traces and the part :math:`s` of a template in the block, the scores are

    .. math::
        \text{ACE} = \frac{(s^T S^{-1} z)^2}{(s^T S^{-1} s)(z^T S^{-1} z)}, \quad
        \text{GLRT} = \frac{(s^T S^{-1} z)^2}{(s^T S^{-1} s)(n + z^T S^{-1} z)}, \quad
        \text{MF} = \frac{|s^T S^{-1} z|}{\sqrt{s^T S^{-1} s}},

    [1]_ and [2]_ (whose :math:`M` is :math:`n S`), the greatest over the templates of which
    the block holds half the energy or more. ACE is the squared cosine of the angle between
    the whitened :math:`z` and :math:`s`: scaling either changes nothing. With `rank` the
    numerator over :math:`s^T S^{-1} s` becomes :math:`z^T S^{-1} H (H^T S^{-1} H)^{-1} H^T
    S^{-1} z` for the first right singular vectors :math:`H` of the templates of the block,
    each scaled to unit energy: the energy of the whitened :math:`z` in their span.

    For white Gaussian :math:`z` and one template, ACE against a known covariance follows a
    beta law of 1/2 and :math:`(p - 1) / 2` for :math:`p` samples in a block. Means,
    covariances, their renewal and what is left out of them are those of
    :func:`~minesense.gpr.prescreen_anomaly`. The greatest over a bank has no closed law: the
    threshold is set on lanes without targets. Causal.

    References
    ----------
    .. [1] Kraut, S., Scharf, L. L. and McWhorter, L. T. (2001). Adaptive subspace detectors.
       *IEEE Transactions on Signal Processing*, 49(1), 1-16. Not read: cited from memory,
       unverified.
    .. [2] Kelly, E. J. (1986). An adaptive detection algorithm. *IEEE Transactions on
       Aerospace and Electronic Systems*, 22(2), 115-127. Not read: cited from memory,
       unverified.

    Examples
    --------
    An echo at 2 ns, half as strong as the clutter it lies in:

    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(40), lever_arms=[[0, 0, 0]]
    ... )
    >>> echo = np.zeros(40)
    >>> echo[18:23] = [-1, 2, -2, 2, -1]
    >>> samples = np.random.default_rng(seed=1).normal(size=(300, 1, 40)).cumsum(axis=2)
    >>> samples[250, 0] += 2 * echo
    >>> northing = 0.05 * np.arange(300)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(300),
    ...     sensor=sensor,
    ... )
    >>> bank = [np.roll(echo, shift) for shift in range(-12, 13)]
    >>> scores = prescreen_templates(sweep, bank, spacing=0.05, block_length=1.2e-9)
    >>> trace, _, block = np.unravel_index(scores.samples.argmax(), scores.samples.shape)
    >>> int(trace), bool(abs(scores.sensor.axis[block] - 2e-9) <= 6e-10)
    (250, True)
    """
    stage = PrescreenTemplates(
        templates,
        spacing=spacing,
        block_length=block_length,
        statistic=statistic,
        rank=rank,
        guard=guard,
        memory=memory,
        refresh=refresh,
        shrinkage=shrinkage,
        start_time=start_time,
        min_share=min_share,
        clean=clean,
    )
    return run_lane(stage, sweep)


class PrescreenTemplates(WhiteningStage):
    """Streaming form of :func:`prescreen_templates`, with its options; does not lag."""

    def __init__(
        self,
        templates: npt.ArrayLike,
        *,
        spacing: float,
        block_length: float,
        statistic: Statistic = "ace",
        rank: int | None = None,
        guard: float = 0.4,
        memory: float = 5.0,
        refresh: float = 0.5,
        shrinkage: float | None = 0.1,
        start_time: float = 0.0,
        min_share: float = 0.5,
        clean: Sweep | None = None,
    ):
        bank = check_array(templates, "templates", ("n_templates", "n_samples"))
        energy = (bank**2).sum(axis=1)
        if not len(bank) or not energy.all():
            msg = f"Invalid templates: {bank.shape[0]}, of which {np.count_nonzero(energy)} "
            msg += "are not zero. Must be one or more, none of them zero."
            raise ValueError(msg)
        self.templates: Floats = bank / np.sqrt(energy)[:, None]
        self.statistic = check_one_of(statistic, "statistic", get_args(Statistic))
        self.rank = None if rank is None else check_count(rank, "rank")
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
            n_templates=len(bank),
            statistic=self.statistic,
            rank=self.rank,
        )

    def _set_up(self, sensor: Sensor) -> None:
        super()._set_up(sensor)
        if self.templates.shape[1] != sensor.shape[1]:
            msg = (
                f"Invalid templates of {self.templates.shape[1]} samples. Must have the "
                f"{sensor.shape[1]} of sensor '{sensor.name}'."
            )
            raise ValueError(msg)
        found = [self._parts_of(b) for b in range(self._bins.n_bins)]
        self._n_parts = np.array([len(parts) for parts in found], np.int64)
        n_most = int(self._n_parts.max())
        self._parts = np.zeros((len(found), n_most, self._width), np.float32)
        for b, parts in enumerate(found):
            self._parts[b, : len(parts)] = parts
        n_units = self._fourth.size
        self._directions = np.zeros((n_units, self._width, n_most), np.float32)
        self._scratch = np.empty((2, self._width), np.float32)
        self._along = np.empty(n_most, np.float32)

    def _parts_of(self, block: int) -> Floats:
        """Return the parts of templates that lie in a block, or the shapes that span them."""
        first = self._bins.start + block * self._bins.hop
        parts = self.templates[:, first : first + self._width]
        energy = (parts**2).sum(axis=1)
        if block == 0:
            self._refuse_unseen()
        parts = parts[energy >= _SHARE] / np.sqrt(energy[energy >= _SHARE])[:, None]
        if self.rank is None or not len(parts):
            return parts
        shapes = np.linalg.svd(parts, full_matrices=False)[2]
        return shapes[: self.rank]

    def _refuse_unseen(self) -> None:
        """Raise if no block holds half the energy of a template."""
        sums = np.cumsum(np.pad(self.templates**2, [(0, 0), (1, 0)]), axis=1)
        first = self._bins.start + self._bins.hop * np.arange(self._bins.n_bins)
        most = (sums[:, first + self._width] - sums[:, first]).max(axis=1)
        if (most < _SHARE).any():
            k = int(np.argmax(most < _SHARE))
            msg = (
                f"Invalid templates: {np.count_nonzero(most < _SHARE)} of {len(most)} lie in "
                f"no block, the first is template {k}, of whose energy a block holds "
                f"{most[k]:.0%}. Must be {_SHARE:.0%} or more: take longer blocks, or leave "
                "out templates above start_time or beyond the record."
            )
            raise ValueError(msg)

    def _renew(self, turn: int, n_turns: int) -> None:
        super()._renew(turn, n_turns)
        renew_directions(
            turn,
            n_turns,
            self._parts,
            self._n_parts,
            self.rank is not None,
            self._whitener,
            self._row,
            self._directions,
        )

    def _judge(self, trace: Samples, out: Samples) -> None:
        match_blocks(
            trace,
            self._bins.start,
            self._bins.hop,
            self._mean,
            self._whitener,
            self._directions,
            self._n_parts,
            _NUMBER[self.statistic],
            self.rank is not None,
            1 / self._squares,
            self._scratch,
            self._along,
            self._distance,
            out,
        )

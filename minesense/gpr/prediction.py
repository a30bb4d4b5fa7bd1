"""Find where a radar lane departs from what the traces behind predict."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.prediction import predict_and_learn, sum_runs
from .._validation import check_at_most, check_count, check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Quality, Samples, Sweep
from ._bins import DepthBins

#: The regularisation of a step as a share of the mean power of what predicts.
_SHARE = 1e-3


def prescreen_prediction(
    sweep: Sweep,
    *,
    spacing: float,
    bin_length: float,
    guard: float = 0.2,
    length: float = 0.5,
    reach: int = 3,
    rate: float = 0.05,
    memory: float = 1.2,
    n_best: int = 3,
    start_time: float = 0.0,
    floor: float = 0.1,
    min_share: float = 0.5,
    step: float | None = None,
) -> Sweep:
    r"""
    Score how far the energy at each depth departs from an adaptive prediction.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, whitened, so that depths compare; its two-way time is regular.
    spacing : float
        Distance between neighbouring traces, in metres.
    bin_length : float
        Two-way time of a depth bin, in seconds; bins overlap by half. It becomes an even
        number of samples, at least two.
    guard, length : float
        Traces up to `guard` behind do not predict, those of the next `length` do, in
        metres. Choose the guard no shorter than a target, which then does not predict
        itself.
    reach : int
        Channels to each side that predict, fewer at the edges of the array.
    rate : float
        Share of an error that one trace corrects, less than 2. Small rates follow the
        ground slowly and add little noise.
    memory : float
        Distance over which the spread of errors forgets, in metres.
    n_best : int
        Contiguous bins that are summed. The best run is the maximum over the sample axis.
    start_time : float
        Two-way time at which the first bin starts, in seconds: below the ground bounce.
    floor : float
        Least spread of log energy that an error is divided by.
    min_share : float
        Least share of the traces that predict that must be usable, in (0, 1].
    step : float, optional
        Distance between the traces that predict, in metres; by default all of them do.
        Choose it for traces much closer than the ground changes: the time falls alike.

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, n_windows) are scores, without unit, about `n_best`
        where the ground is steady; the sensor's axis holds the centre two-way time of each
        window of `n_best` bins. Traces with too few usable ones behind, or at the start of
        a lane, where less than `length` was learnt from, have the score 0 and the flag
        EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, if `length` is less than half a spacing, if the
        sensor is not a radar with a regular axis in seconds or its gain was automatic, or
        if its record is shorter than `n_best` bins after `start_time`.

    Notes
    -----
    With whitened samples :math:`z`, trace :math:`k`, guard :math:`g` and length :math:`L` in
    traces, :math:`u` the values :math:`y` of the same bin :math:`b` in traces :math:`k - g -
    L` to :math:`k - g - 1` and the channels within `reach`,

    .. math:: y_{kb} = \ln\Big(1 + \sum_{t \in b} z_{kt}^2\Big), \quad
        \epsilon = y - w \cdot u, \quad
        w \leftarrow w + \frac{\mu\, \epsilon\, u}{\delta + |u|^2}, \quad
        S_{kv} = \sum_{b = v}^{v + n - 1} \frac{\epsilon_{kb}^2}{\max(s_{kb}, f)^2}.

    This is the normalised form of the rule of Widrow and Hoff [1]_. Adaptive prediction in
    two dimensions as a radar's prescreener is described in [2]_; its details there are
    unverified and were not followed. Every channel and bin has weights of its own, which
    start a lane as those of a plain mean: a constant background has no error from the
    first trace on.

    :math:`\delta` is a thousandth of the running mean of :math:`|u|^2`, which ends with the
    present trace and so needs nothing ahead. The variance :math:`s^2` is a mean over the
    errors before the trace, with weight :math:`a = 1 - e^{-\Delta / \text{memory}}` for
    spacing :math:`\Delta`; both are plain means over the first :math:`1 / a` traces. An
    error enters it as :math:`\min(\epsilon^2, 4 s^2) / 0.92`, unbiased for Gaussian errors,
    once :math:`L` traces are learnt from: one trace of a target, however strong, raises the
    variance by less than :math:`3.4 a`, and no sorted window need be kept.

    Flagged traces, and those an earlier stage flagged EDGE, are not learnt from, and in
    :math:`u` the last usable trace before stands for each, which is never nearer than the
    guard; zeros would pull predictions down, since :math:`y` is not centred. Places ahead
    of the first usable trace hold that one. Causal: the latency is none. A target is
    followed by a weaker echo of itself in the score, where it predicts the ground behind.
    The threshold is set on lanes without targets.

    References
    ----------
    .. [1] Widrow, B. and Hoff, M. E. (1960). Adaptive switching circuits. *IRE WESCON
       Convention Record*, part 4, 96-104. Not read: cited from memory, unverified.
    .. [2] Torrione, P. A., Throckmorton, C. S. and Collins, L. M. (2006). Performance of an
       adaptive feature-based processor for a wideband ground penetrating radar system.
       *IEEE Transactions on Aerospace and Electronic Systems*, 42(2). Not read: cited from
       memory, unverified.

    Examples
    --------
    A burst of energy at 6 ns over 15 cm of a lane of noise:

    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(100), lever_arms=[[0, 0, 0]]
    ... )
    >>> rng = np.random.default_rng(seed=1)
    >>> samples = rng.normal(size=(80, 1, 100))
    >>> samples[60:63, 0, 55:65] *= 5
    >>> northing = 0.05 * np.arange(80)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(80),
    ...     sensor=sensor,
    ... )
    >>> scores = prescreen_prediction(sweep, spacing=0.05, bin_length=1e-9)
    >>> trace, _, window = np.unravel_index(scores.samples.argmax(), scores.samples.shape)
    >>> bool(60 <= trace <= 62), bool(abs(scores.sensor.axis[window] - 6e-9) < 1e-9)
    (True, True)
    """
    stage = PrescreenPrediction(
        spacing=spacing,
        bin_length=bin_length,
        guard=guard,
        length=length,
        reach=reach,
        rate=rate,
        memory=memory,
        n_best=n_best,
        start_time=start_time,
        floor=floor,
        min_share=min_share,
        step=step,
    )
    return run_lane(stage, sweep)


class PrescreenPrediction(LaneStage):
    """Streaming form of :func:`prescreen_prediction`, with its options; does not lag."""

    def __init__(
        self,
        *,
        spacing: float,
        bin_length: float,
        guard: float = 0.2,
        length: float = 0.5,
        reach: int = 3,
        rate: float = 0.05,
        memory: float = 1.2,
        n_best: int = 3,
        start_time: float = 0.0,
        floor: float = 0.1,
        min_share: float = 0.5,
        step: float | None = None,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.bin_length = check_positive(bin_length, "bin_length")
        self.guard = check_not_negative(guard, "guard")
        self.length = check_positive(length, "length")
        self.reach = check_count(reach, "reach", least=0)
        self.rate = check_positive(rate, "rate")
        if self.rate >= 2:
            msg = f"Invalid rate '{self.rate}'. Must be less than 2: weights diverge."
            raise ValueError(msg)
        self.memory = check_positive(memory, "memory")
        self.n_best = check_count(n_best, "n_best")
        self.start_time = check_not_negative(start_time, "start_time")
        self.floor = check_positive(floor, "floor")
        self.min_share = check_at_most(check_positive(min_share, "min_share"), "min_share", 1)
        self._n_guard = round(self.guard / self.spacing)
        self.step = self.spacing if step is None else check_positive(step, "step")
        self._every = round(self.step / self.spacing)
        if self._every < 1:
            msg = f"Invalid step '{self.step}'. Must be at least the spacing, {self.spacing} m."
            raise ValueError(msg)
        self._n_lags = round(self.length / self.spacing / self._every)
        if self._n_lags < 1:
            msg = (
                f"Invalid length '{self.length}'. Must hold a trace or more at a step of "
                f"{self._every * self.spacing:g} m."
            )
            raise ValueError(msg)
        self._forget = -math.expm1(-self.spacing / self.memory)
        options: dict[str, float] = {
            "spacing": self.spacing,
            "bin_length": self.bin_length,
            "guard": self.guard,
            "length": self.length,
            "reach": self.reach,
            "rate": self.rate,
            "memory": self.memory,
            "n_best": self.n_best,
            "start_time": self.start_time,
            "floor": self.floor,
            "min_share": self.min_share,
        }
        super().__init__(**options if step is None else {**options, "step": self.step})

    def _begin(self, sensor: Sensor) -> None:
        self._bins = DepthBins.of_sensor(
            sensor,
            bin_length=self.bin_length,
            start_time=self.start_time,
            n_best=self.n_best,
        )
        self._restart(sensor.shape[0], self._bins.n_bins)

    def _restart(self, n_channels: int, n_bins: int) -> None:
        """Set up what is learnt along a lane, before anything is."""
        n_held = self._n_guard + self._every * (self._n_lags - 1) + 1
        self._held = np.zeros((n_held, n_channels * n_bins), np.float32)
        self._presence = np.zeros(n_held, np.int64)
        channels = np.arange(n_channels)
        n_near = np.minimum(n_channels - 1, channels + self.reach) + 1
        n_near -= np.maximum(0, channels - self.reach)
        width = (2 * self.reach + 1) * n_bins
        self._weights = np.empty((n_channels, self._n_lags, width), np.float32)
        self._weights[:] = 1 / (self._n_lags * n_near[:, None, None])
        self._power = np.zeros((n_channels, n_bins))
        self._variance = np.zeros((n_channels, n_bins))
        self._tally = np.zeros(3, np.int64)
        self._scratch = np.empty((4, n_channels * n_bins), np.float32)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return self._bins.score_sensor(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        ratios, is_short = self._ratios(samples, is_usable)
        scores = np.empty((*ratios.shape[:2], self._bins.n_windows), np.float32)
        sum_runs(ratios, self.n_best, scores)
        return scores, np.where(is_short, int(Quality.EDGE), 0)

    def _ratios(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """Return squared errors over their spread, bin by bin, and what is short."""
        energy = self._bins.log_energy(samples)
        is_present = is_usable & (self._track["quality"] & Quality.EDGE == 0)
        ratios = np.empty_like(energy)
        is_short = np.empty(len(samples), np.bool_)
        predict_and_learn(
            energy,
            is_present,
            self._every,
            self.reach,
            math.ceil(self.min_share * self._n_lags),
            self.rate,
            _SHARE,
            self._forget,
            self.floor,
            self._held,
            self._presence,
            self._weights,
            self._power,
            self._variance,
            self._tally,
            self._scratch,
            ratios,
            is_short,
        )
        return ratios, is_short

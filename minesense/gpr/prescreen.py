"""Find where a radar lane holds more energy than the ground around it."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from .._kernels.energy import sum_excess
from .._validation import (
    check_at_most,
    check_count,
    check_not_negative,
    check_one_of,
    check_positive,
    check_probability,
)
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..surroundings import Around, HalfSurroundings, Surroundings
from ..sweep import Quality, Samples, Sweep
from ._bins import DepthBins

#: What an energy is compared with, and which part of the ring gives it.
Reference = Literal["median", "mean", "quantile"]
Halves = Literal["both", "greatest", "smallest"]


def prescreen_energy(
    sweep: Sweep,
    *,
    spacing: float,
    bin_length: float,
    guard: float = 0.35,
    ring: float = 1.2,
    n_best: int = 3,
    start_time: float = 0.0,
    floor: float = 0.1,
    min_share: float = 0.25,
    reference: Reference = "median",
    quantile: float = 0.75,
    halves: Halves = "both",
) -> Sweep:
    r"""
    Score how far the energy at each depth exceeds that of the traces around.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, whitened, so that depths compare; its two-way time is regular.
    spacing : float
        Distance between neighbouring traces, in metres.
    bin_length : float
        Two-way time of a depth bin, in seconds; bins overlap by half. It becomes an even
        number of samples, at least two.
    guard, ring : float
        The reference of a trace are those farther than `guard` and not farther than
        `ring` from it along the track, in metres. Choose the guard no smaller than a
        target: what reaches beyond it raises its own threshold.
    n_best : int
        Contiguous bins that are summed. The best run is the maximum over the sample axis.
    start_time : float
        Two-way time at which the first bin starts, in seconds: below the ground bounce.
    floor : float
        Least spread of log energy that a deviation is divided by.
    min_share : float
        Least share of a whole ring, both sides, that must be usable, in (0, 1]. At the
        end of a lane half of it remains.
    reference : {"median", "mean", "quantile"}
        What an energy is compared with: the median of the ring, which shrugs off a second
        target in it; the mean (cell averaging), which needs the fewest traces on even
        ground; or a quantile (ordered statistic), which follows clutter that comes in
        patches. The spread is the standard deviation for the mean, else the MAD.
    quantile : float
        Share of the ring below the reference ``"quantile"``, in (0, 1); unused otherwise.
    halves : {"both", "greatest", "smallest"}
        Whether the whole ring is one reference, or that half of it, behind or ahead, whose
        level is greater or smaller. Where two soils meet, the greatest keeps the edge from
        scoring; the smallest keeps a neighbour of the target from masking it.

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, n_windows) are scores, without unit; the sensor's
        axis holds the centre two-way time of each window of `n_best` bins. Traces whose
        ring holds too few usable traces have the score 0 and the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, if no trace lies between guard and ring, if the
        sensor is not a radar with a regular axis in seconds, or if its record is shorter
        than `n_best` bins after `start_time`.

    Notes
    -----
    With whitened samples :math:`z`, trace :math:`k`, bin :math:`b` and the median
    :math:`m` and spread :math:`s` (1.4826 MAD) of :math:`y` over the ring of the same
    channel and bin,

    .. math:: y_{kb} = \ln\Big(1 + \sum_{t \in b} z_{kt}^2\Big), \qquad
        S_{kw} = \sum_{b = w}^{w + n - 1} \frac{y_{kb} - m_{kb}}{\max(s_{kb}, f)}.

    With another `reference`, :math:`m` is the mean and :math:`s` the standard deviation over
    the ring, or :math:`m` the quantile. With `halves` they are those of the half, behind or
    ahead, whose :math:`m` is the greatest [1]_ or the smallest [2]_, for each bin by itself;
    a half with less than `min_share` of its traces has no say, and a trace without any that
    has is EDGE. Ordered statistics as a reference are due to [3]_. There the detectors work
    on energies of exponential distribution, see :func:`cell_averaging_factor`; here on their
    logarithms, whose spread adapts to the heavier tails of clutter.

    Flagged traces, and those an earlier stage flagged EDGE, are in no ring. The statistic
    is invariant to the order of the traces within a ring, or a half; its threshold is set on
    lanes without targets, since clutter is not Gaussian. It looks ahead by `ring`.

    References
    ----------
    .. [1] Hansen, V. G. and Sawyers, J. H. (1980). Detectability loss due to "greatest of"
       selection in a cell-averaging CFAR. *IEEE Transactions on Aerospace and Electronic
       Systems*, 16(1), 115-118. Not read: cited from memory, unverified.
    .. [2] Trunk, G. V. (1978). Range resolution of targets using automatic detectors. *IEEE
       Transactions on Aerospace and Electronic Systems*, 14(5), 750-755. Not read: cited
       from memory, unverified.
    .. [3] Rohling, H. (1983). Radar CFAR thresholding in clutter and multiple target
       situations. *IEEE Transactions on Aerospace and Electronic Systems*, 19(4), 608-621.
       Not read: cited from memory, unverified.

    Examples
    --------
    A burst of energy at 6 ns over 15 cm of a lane of noise:

    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(100), lever_arms=[[0, 0, 0]]
    ... )
    >>> rng = np.random.default_rng(seed=1)
    >>> samples = rng.normal(size=(80, 1, 100))
    >>> samples[40:43, 0, 55:65] *= 5
    >>> northing = 0.05 * np.arange(80)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(80),
    ...     sensor=sensor,
    ... )
    >>> scores = prescreen_energy(sweep, spacing=0.05, bin_length=1e-9)
    >>> trace, _, window = np.unravel_index(scores.samples.argmax(), scores.samples.shape)
    >>> bool(40 <= trace <= 42), float(scores.sensor.axis[window].round(11))
    (True, 5.95e-09)
    """
    stage = PrescreenEnergy(
        spacing=spacing,
        bin_length=bin_length,
        guard=guard,
        ring=ring,
        n_best=n_best,
        start_time=start_time,
        floor=floor,
        min_share=min_share,
        reference=reference,
        quantile=quantile,
        halves=halves,
    )
    return run_lane(stage, sweep)


def cell_averaging_factor(n_cells: int, *, false_alarm_probability: float) -> float:
    r"""
    Return by how much an energy must exceed the mean of its reference.

    Parameters
    ----------
    n_cells : int
        Energies that the mean is of, independent of each other and of the one tested.
    false_alarm_probability : float
        Chance that an energy of the same distribution exceeds the threshold.

    Returns
    -------
    factor : float
        Threshold over the mean, without unit.

    Raises
    ------
    TypeError, ValueError
        If `n_cells` is not a whole number of at least 1, or the probability not between 0
        and 1.

    Notes
    -----
    For energies of exponential distribution, such as the power of complex Gaussian noise,
    whatever its level,

    .. math:: \alpha = N \big(P_{fa}^{-1 / N} - 1\big),

    which falls to :math:`-\ln P_{fa}` for many cells: the excess is the price of not knowing
    the level. For the logarithmic scores of :func:`prescreen_energy` it does not hold, and
    clutter has heavier tails: thresholds for ground are set on lanes without targets.

    Examples
    --------
    >>> cell_averaging_factor(32, false_alarm_probability=1e-3)
    7.71...
    """
    n = check_count(n_cells, "n_cells")
    p = check_probability(false_alarm_probability, "false_alarm_probability")
    return n * math.expm1(-math.log(p) / n)


class PrescreenEnergy(LaneStage):
    """Streaming form of :func:`prescreen_energy`, with its options; lags by `ring`."""

    def __init__(
        self,
        *,
        spacing: float,
        bin_length: float,
        guard: float = 0.35,
        ring: float = 1.2,
        n_best: int = 3,
        start_time: float = 0.0,
        floor: float = 0.1,
        min_share: float = 0.25,
        reference: Reference = "median",
        quantile: float = 0.75,
        halves: Halves = "both",
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.bin_length = check_positive(bin_length, "bin_length")
        self.guard = check_not_negative(guard, "guard")
        self.ring = check_positive(ring, "ring")
        self.n_best = check_count(n_best, "n_best")
        self.start_time = check_not_negative(start_time, "start_time")
        self.floor = check_positive(floor, "floor")
        self.min_share = check_at_most(check_positive(min_share, "min_share"), "min_share", 1)
        self.reference = check_one_of(reference, "reference", get_args(Reference))
        self.quantile = check_probability(quantile, "quantile")
        self.halves = check_one_of(halves, "halves", get_args(Halves))
        self._n_guard = round(self.guard / self.spacing)
        self.latency = round(self.ring / self.spacing)
        if self.latency <= self._n_guard:
            msg = (
                f"Invalid ring '{self.ring}'. Must reach beyond the guard of {self.guard} m "
                f"by a spacing of {self.spacing} m or more."
            )
            raise ValueError(msg)
        super().__init__(
            spacing=self.spacing,
            bin_length=self.bin_length,
            guard=self.guard,
            ring=self.ring,
            n_best=self.n_best,
            start_time=self.start_time,
            floor=self.floor,
            min_share=self.min_share,
            **self._choice(),
        )

    def _choice(self) -> dict[str, object]:
        """Return what differs from the median of the whole ring, for the history."""
        choice: dict[str, object] = {}
        if self.reference != "median":
            choice["reference"] = self.reference
        if self.reference == "quantile":
            choice["quantile"] = self.quantile
        if self.halves != "both":
            choice["halves"] = self.halves
        return choice

    def _begin(self, sensor: Sensor) -> None:
        self._bins = DepthBins.of_sensor(
            sensor,
            bin_length=self.bin_length,
            start_time=self.start_time,
            n_best=self.n_best,
        )
        self._n_channels = sensor.shape[0]
        width = self._n_channels * self._bins.n_bins
        quantile = {"median": 0.5, "mean": None, "quantile": self.quantile}[self.reference]
        self._around: Surroundings | HalfSurroundings
        if self.halves == "both":
            self._around = Surroundings(
                behind=self.latency,
                ahead=self.latency,
                guard=self._n_guard,
                width=width,
                quantile=quantile,
            )
        else:
            self._around = HalfSurroundings(
                reach=self.latency,
                guard=self._n_guard,
                width=width,
                half=self.halves,  # type: ignore[arg-type]
                least=math.ceil(self.min_share * (self.latency - self._n_guard)),
                quantile=quantile,
            )

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return self._bins.score_sensor(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        n_traces = len(samples)
        energy = self._bins.log_energy(samples)
        rows = energy.reshape(n_traces, self._n_channels * self._bins.n_bins)
        quality = self._track["quality"]
        is_present = is_usable & (quality[len(quality) - n_traces :] & Quality.EDGE == 0)
        return self._score(self._around.feed(rows, is_present))

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        return self._score(self._around.finish())

    def _score(self, around: Around) -> tuple[Samples, Flags]:
        """Return the scores of traces with complete rings, and flags where these fail."""
        shape = (len(around.counts), self._n_channels, self._bins.n_bins)
        scores = np.empty((*shape[:2], self._bins.n_windows), np.float32)
        values, level, spread = (part.reshape(shape) for part in around[:3])
        sum_excess(values, level, spread, self.floor, self.n_best, scores)
        is_short = around.counts < self.min_share * self._around.capacity
        # absent centres are infinite; those that are usable carry EDGE from before
        scores[is_short | ~np.isfinite(around.centres[:, 0])] = 0.0
        return scores, np.where(is_short, int(Quality.EDGE), 0)

"""Find where a radar lane holds more energy than the ground around it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.energy import sum_excess
from .._validation import check_count, check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..surroundings import Around, Surroundings
from ..sweep import Quality, Samples, Sweep
from ._bins import DepthBins


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

    Flagged traces, and those an earlier stage flagged EDGE, are in no ring. The statistic
    is invariant to the order of the traces within a ring; its threshold is set on lanes
    without targets, since clutter is not Gaussian. It looks ahead by `ring`.

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
    )
    return run_lane(stage, sweep)


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
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.bin_length = check_positive(bin_length, "bin_length")
        self.guard = check_not_negative(guard, "guard")
        self.ring = check_positive(ring, "ring")
        self.n_best = check_count(n_best, "n_best")
        self.start_time = check_not_negative(start_time, "start_time")
        self.floor = check_positive(floor, "floor")
        self.min_share = check_positive(min_share, "min_share")
        if self.min_share > 1:
            msg = f"Invalid min_share '{self.min_share}'. Must be at most 1."
            raise ValueError(msg)
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
        )

    def _begin(self, sensor: Sensor) -> None:
        self._bins = DepthBins.of_sensor(
            sensor,
            bin_length=self.bin_length,
            start_time=self.start_time,
            n_best=self.n_best,
        )
        self._n_channels = sensor.shape[0]
        self._around = Surroundings(
            behind=self.latency,
            ahead=self.latency,
            guard=self._n_guard,
            width=self._n_channels * self._bins.n_bins,
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
        values, median, spread = (part.reshape(shape) for part in around[:3])
        sum_excess(values, median, spread, self.floor, self.n_best, scores)
        is_short = around.counts < self.min_share * self._around.capacity
        # absent centres are infinite; those that are usable carry EDGE from before
        scores[is_short | ~np.isfinite(around.centres[:, 0])] = 0.0
        return scores, np.where(is_short, int(Quality.EDGE), 0)

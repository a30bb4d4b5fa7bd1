"""Find where a radar lane holds what echoes of targets have in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.echo_shapes import project_samples, sum_patches
from .._validation import check_at_most, check_count, check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..surroundings import Around, Surroundings
from ..sweep import Quality, Samples, Sweep
from ._bins import DepthBins
from .echo_shapes import EchoShapes, patch_samples


def prescreen_shapes(
    sweep: Sweep,
    shapes: EchoShapes,
    *,
    bin_length: float,
    n_best: int = 3,
    start_time: float = 0.0,
    guard: float = 0.1,
    ring: float = 0.5,
    min_share: float = 0.5,
) -> Sweep:
    r"""
    Score how much more of the shapes of targets a patch holds than those around it.

    Parameters
    ----------
    sweep : Sweep
        A radar lane processed as those that the shapes are from: aligned, without background,
        whitened.
    shapes : EchoShapes
        Of :func:`~minesense.gpr.fit_echo_shapes`.
    bin_length : float
        Two-way time of a depth bin, in seconds, by which the depth of what was found is told.
    n_best : int
        Contiguous bins that are summed for that.
    start_time : float
        Two-way time at which the first bin starts, in seconds.
    guard, ring : float
        The reference of a patch are those whose middle is farther than `guard` and not farther
        than `ring` from its own along the track, in metres.
    min_share : float
        Least share of the traces of a patch that must be usable, in (0, 1], and half of it the
        least share of its ring. At the end of a lane half of either remain.

    Returns
    -------
    scores : Sweep
        Samples (n_traces, n_channels, n_windows) are scores, in dB; the sensor's axis holds
        the centre two-way time of each window of `n_best` bins. The greatest of a trace and
        channel is that of the patch; the others are less by as much as the energy of their
        window is less than the greatest. Traces with too few usable ones around them have the
        score 0 and the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, or the sensor is not a radar with the samples that
        the shapes are of.

    Notes
    -----
    With the filters :math:`v_k` of the shapes, the patch :math:`x` around a place, the energy
    :math:`e_w` of the samples of a window, and the median over the ring,

    .. math:: E = 10 \log_{10} \sum_k (v_k^T x)^2, \qquad
        S_w = E - \operatorname{med} E - 10 \log_{10} \frac{\max_u e_u}{e_w}.

    Scaling a lane changes nothing but where an amplitude is beyond what counts. Flagged
    traces, and those an earlier stage flagged EDGE, count as zero in the patches of others,
    as does what lies beyond the lane, and are in no ring. It looks ahead by the reach of a
    patch and the ring. The threshold is set on lanes without targets: clutter is not Gaussian.

    Examples
    --------
    >>> from minesense.gpr import prescreen_shapes
    >>> scores = prescreen_shapes(lane, shapes, bin_length=6e-10)  # doctest: +SKIP
    """
    stage = PrescreenShapes(
        shapes,
        bin_length=bin_length,
        n_best=n_best,
        start_time=start_time,
        guard=guard,
        ring=ring,
        min_share=min_share,
    )
    return run_lane(stage, sweep)


class PrescreenShapes(LaneStage):
    """Streaming form of :func:`prescreen_shapes`, with its options; lags by patch and ring."""

    def __init__(
        self,
        shapes: EchoShapes,
        *,
        bin_length: float,
        n_best: int = 3,
        start_time: float = 0.0,
        guard: float = 0.1,
        ring: float = 0.5,
        min_share: float = 0.5,
    ):
        if not isinstance(shapes, EchoShapes):
            msg = f"Invalid shapes of type {type(shapes).__name__}. Must be EchoShapes."
            raise TypeError(msg)
        self.shapes, form = shapes, shapes.form
        self.bin_length = check_positive(bin_length, "bin_length")
        self.n_best = check_count(n_best, "n_best")
        self.start_time = check_not_negative(start_time, "start_time")
        self.guard = check_not_negative(guard, "guard")
        self.ring = check_positive(ring, "ring")
        self.min_share = check_at_most(check_positive(min_share, "min_share"), "min_share", 1)
        self._n_guard = round(self.guard / form.spacing)
        self._n_ring = round(self.ring / form.spacing)
        if self._n_ring <= self._n_guard:
            msg = (
                f"Invalid ring '{self.ring}'. Must reach beyond the guard of {self.guard} m by "
                f"a spacing of {form.spacing} m or more."
            )
            raise ValueError(msg)
        self.latency = form.n_reach + self._n_ring
        weights = shapes.weights
        n_shapes = weights.shape[2]
        # by sample; traces of a patch and filters side by side
        by_sample = weights.transpose(1, 0, 2).reshape(form.n_samples, -1)
        self._filters = np.ascontiguousarray(by_sample)
        self._along = np.empty(n_shapes, np.float32)
        super().__init__(
            n_shapes=n_shapes,
            reach=form.reach,
            bin_length=self.bin_length,
            n_best=self.n_best,
            start_time=self.start_time,
            guard=self.guard,
            ring=self.ring,
            min_share=self.min_share,
        )

    def _begin(self, sensor: Sensor) -> None:
        form, n_channels = self.shapes.form, sensor.shape[0]
        self._samples = form.samples_of(sensor)
        self._bins = DepthBins.of_sensor(
            sensor,
            bin_length=self.bin_length,
            start_time=self.start_time,
            n_best=self.n_best,
        )
        self._around = Surroundings(
            behind=self._n_ring, ahead=self._n_ring, guard=self._n_guard, width=n_channels
        )
        self._products = np.empty((0, n_channels, self._filters.shape[1]), np.float32)
        self._is_present = np.empty(0, np.bool_)
        self._first = 0  # of the traces held, whose patch is next
        # of traces whose scores are not out: windows below the greatest, and too few around
        self._below = np.empty((0, n_channels, self._bins.n_windows), np.float32)
        self._is_short = np.empty(0, np.bool_)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return self._bins.score_sensor(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        quality = self._track["quality"]
        edge = quality[len(quality) - len(samples) :] & Quality.EDGE
        is_present = is_usable & (edge == 0)
        values = patch_samples(samples, self._samples)
        values[~is_present] = 0.0
        products = np.empty((*values.shape[:2], self._filters.shape[1]), np.float32)
        project_samples(np.ascontiguousarray(values), self._filters, products)
        self._products = np.concatenate([self._products, products])
        self._is_present = np.concatenate([self._is_present, is_present])
        self._below = np.concatenate([self._below, self._levels(samples, is_present)])
        n_ready = len(self._products) - self.shapes.form.n_reach - self._first
        return self._score([self._around.feed(*self._patches(max(0, n_ready)))])

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        last = self._patches(len(self._products) - self._first)
        return self._score([self._around.feed(*last), self._around.finish()])

    def _levels(self, samples: Samples, is_present: npt.NDArray[np.bool_]) -> Samples:
        """Return the energy of every window against the greatest of the trace, in dB."""
        usable = np.where(is_present[:, None, None], samples, np.float32(0.0))
        energy = np.expm1(self._bins.log_energy(usable))
        sums = energy[:, :, : self._bins.n_windows].copy()
        for k in range(1, self.n_best):
            sums += energy[:, :, k : k + self._bins.n_windows]
        level = 10 * np.log10(np.maximum(sums, np.float32(1e-12)))
        return np.asarray(level - level.max(axis=2, keepdims=True), np.float32)

    def _patches(self, n_ready: int) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """Return the energies of the next patches along the shapes, in dB, and which count."""
        first, form = self._first, self.shapes.form
        energy = np.empty((n_ready, self._products.shape[1]), np.float32)
        counts = np.empty(n_ready, np.int64)
        sum_patches(
            self._products,
            self._is_present,
            first,
            form.n_reach,
            form.stride,
            self._along,
            energy,
            counts,
        )
        is_present = self._is_present[first : first + n_ready]
        is_short = counts < self.min_share * form.shape[0]
        self._is_short = np.concatenate([self._is_short, is_short])
        drop = max(0, first + n_ready - form.n_reach)  # no later patch reaches these
        self._products = self._products[drop:].copy()
        self._is_present = self._is_present[drop:].copy()
        self._first = first + n_ready - drop
        level = 10 * np.log10(np.maximum(energy, np.float32(1e-12)))
        return level.astype(np.float32, copy=False), is_present & ~is_short

    def _score(self, parts: list[Around]) -> tuple[Samples, Flags]:
        """Return the scores of traces with complete rings, and flags where these fail."""
        centres, level = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        counts = np.concatenate([part.counts for part in parts])
        n = len(counts)
        fewest = self.min_share / 2 * self._around.capacity
        is_short = self._is_short[:n] | (counts < fewest)
        is_absent = ~np.isfinite(centres[:, 0])  # those that are usable are flagged
        lost = is_short | is_absent
        over = np.where(lost[:, None], np.float32(0.0), centres) - np.where(
            lost[:, None], np.float32(0.0), level
        )
        scores = over[:, :, None] + self._below[:n]
        scores[lost] = 0.0
        self._below, self._is_short = self._below[n:].copy(), self._is_short[n:].copy()
        return scores, np.where(is_short, int(Quality.EDGE), 0)

"""Take the slowly changing level out of a lane, and leave the targets in it whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.levelling import subtract_guarded_median
from .._validation import check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..surroundings import Surroundings
from ..sweep import Quality, Samples, Sweep


def level_baseline(
    sweep: Sweep,
    *,
    spacing: float,
    length: float = 2.0,
    freeze: float | None = 10.0,
    longest: float = 3.0,
    centred: bool = False,
    guard: float = 0.0,
) -> Sweep:
    r"""
    Subtract a running median that is frozen over targets.

    Parameters
    ----------
    sweep : Sweep
        A lane of gates or of phasors.
    spacing : float
        Distance between neighbouring traces, in metres.
    length : float
        Of the window, in metres (engineering default, unverified).
    freeze : float, optional
        Energy of a residual, over the median one, above which the trace does not enter the
        window, so that a target does not become the level; more than 1. None to let all in.
    longest : float
        Distance after which traces enter again whatever they hold, in metres, since the
        ground has changed. It is counted in traces at the stated spacing: give more where the
        head may stand still over a target, or that becomes the level.
    centred : bool
        Whether the window lies around the trace, half its length to each side, at the price
        of a lag of half its length; else it trails.
    guard : float
        Distance from the trace within which others are left out of a centred window, in
        metres, less than half the length.

    Returns
    -------
    residual : Sweep
        Traces minus their level, in the unit of the sweep. A trace without others in its
        centred window is zero and has the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    In-phase and quadrature are levelled each by itself, like gates. For each channel, with
    the window :math:`W_k` of the :math:`n = L / \Delta` last traces that entered it before
    trace :math:`k`, the residual and its energy are

    .. math:: r_k = x_k - \operatorname{median}\{x_j : j \in W_k\}, \quad
        e_k = \sum_g r_{k,g}^2,

    and the first usable trace is its own level. Once the window is full, trace :math:`k`
    enters it only if :math:`e_k \le \phi \operatorname{median}\{e_j : j \in W_k\}` or
    `longest` of traces before it were left out in a row. The energy is that of all gates in
    their unit: the strong gates decide.

    A plain median of length :math:`L` forgets a target longer than half of that. Centred,
    the same traces are left out, and the window of trace :math:`k` holds the others with
    :math:`g < |j - k| \Delta \le L / 2`. The trailing form lags behind a slope of the
    ground by about half the length; the centred one does not.

    Examples
    --------
    A target as long as the window, on ground that rises:

    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> rng = np.random.default_rng(seed=1)
    >>> samples = 5 + 0.01 * rng.normal(size=(200, 1, 1))
    >>> samples[100:140] += 1.0
    >>> northing = 0.05 * np.arange(200)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(200),
    ...     sensor=sensor,
    ... )
    >>> frozen = level_baseline(sweep, spacing=0.05).samples
    >>> plain = level_baseline(sweep, spacing=0.05, freeze=None).samples
    >>> bool(frozen[135, 0, 0] > 0.9), bool(plain[135, 0, 0] < 0.1)
    (True, True)
    """
    stage = LevelBaseline(
        spacing=spacing,
        length=length,
        freeze=freeze,
        longest=longest,
        centred=centred,
        guard=guard,
    )
    return run_lane(stage, sweep)


class LevelBaseline(LaneStage):
    """Streaming form of :func:`level_baseline`; lags by half the length where centred."""

    def __init__(
        self,
        *,
        spacing: float,
        length: float = 2.0,
        freeze: float | None = 10.0,
        longest: float = 3.0,
        centred: bool = False,
        guard: float = 0.0,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.length = check_positive(length, "length")
        self.freeze = None if freeze is None else check_positive(freeze, "freeze")
        self.longest = check_positive(longest, "longest")
        self.centred = bool(centred)
        self.guard = check_not_negative(guard, "guard")
        if self.freeze is not None and self.freeze <= 1:
            msg = f"Invalid freeze '{self.freeze}'. Must be more than 1, the usual energy."
            raise ValueError(msg)
        self._size = round(self.length / self.spacing)
        self._half_width = round(self.length / 2 / self.spacing)
        self._n_guard = round(self.guard / self.spacing)
        if self._size < 2 or self._half_width <= self._n_guard:
            msg = (
                f"Invalid length '{self.length}'. Must be two spacings of {self.spacing} m or "
                f"more, and half of it beyond the guard of {self.guard} m."
            )
            raise ValueError(msg)
        self.latency = self._half_width if self.centred else 0
        super().__init__(
            spacing=self.spacing,
            length=self.length,
            freeze=self.freeze,
            longest=self.longest,
            centred=self.centred,
            guard=self.guard,
        )

    def _begin(self, sensor: Sensor) -> None:
        n_channels, n_samples = sensor.shape
        self._ring = np.zeros((n_channels, self._size, n_samples + 1))
        self._windows = np.zeros((n_channels, n_samples + 1, self._size))
        self._counts = np.zeros((n_channels, 3), np.int64)
        reach, guard = self._half_width, self._n_guard
        self._around = [
            Surroundings(behind=reach, ahead=reach, guard=guard, width=n_samples)
            for _ in range(n_channels if self.centred else 0)
        ]
        self._kept = np.empty((0, n_channels, n_samples), np.float32)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        residual = np.empty_like(samples)
        is_learnt = np.empty(samples.shape[:2], np.bool_)
        subtract_guarded_median(
            samples,
            is_usable,
            -1.0 if self.freeze is None else self.freeze,
            round(self.longest / self.spacing),
            self._ring,
            self._windows,
            self._counts,
            residual,
            is_learnt,
        )
        if not self.centred:
            return residual, None
        return self._centre(samples, is_learnt)

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        if not self.centred:
            return None
        beyond = np.zeros((self._half_width, *self._kept.shape[1:]), np.float32)
        return self._centre(beyond, np.zeros(beyond.shape[:2], np.bool_))

    def _centre(
        self, samples: Samples, is_learnt: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags]:
        """Return the traces whose windows are complete, less their medians."""
        parts = [
            ring.feed(np.ascontiguousarray(samples[:, c]), is_learnt[:, c])
            for c, ring in enumerate(self._around)
        ]
        median = np.stack([part.level for part in parts], axis=1)
        is_alone = np.stack([part.counts == 0 for part in parts], axis=1)
        kept = np.concatenate([self._kept, samples])
        n_ready = len(median)
        self._kept = kept[n_ready:].copy()
        # in float64, as a kernel would; a flagged trace may hold anything
        with np.errstate(invalid="ignore", over="ignore"):
            residual = (kept[:n_ready] - median.astype(np.float64)).astype(np.float32)
        residual[is_alone] = 0.0
        return residual, np.where(is_alone.any(axis=1), int(Quality.EDGE), 0)

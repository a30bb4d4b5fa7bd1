"""What prescreeners by covariance share: how blocks of clutter vary, learnt along a lane."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .._kernels.clutter import learn_blocks, renew_whiteners
from .._validation import check_at_most, check_not_negative, check_positive
from ..sensor import Sensor
from ..stage import Flags, LaneStage
from ..sweep import Floats, Quality, Samples, Sweep
from ._bins import DepthBins

#: A trace whose squared distance exceeds this many times its expectation counts as one whose
#: distance does not.
_BOUND = 4.0


class ClutterStage(LaneStage):
    """
    Learn mean and covariance of the blocks of traces; judge each trace by those behind.

    A stage derived from this one gives `_set_up`, `_renew`, `_varies` and `_judge`.

    Parameters
    ----------
    spacing, block_length, guard, memory, refresh, shrinkage, start_time, min_share, clean
        As in :func:`minesense.gpr.anomaly.prescreen_anomaly`.
    n_fewest : int
        Traces that a covariance must be of, at least.
    **others
        Further options of the stage, for its line in the history.
    """

    def __init__(
        self,
        *,
        spacing: float,
        block_length: float,
        guard: float,
        memory: float,
        refresh: float,
        shrinkage: float | None,
        start_time: float,
        min_share: float,
        clean: Sweep | None,
        n_fewest: int = 2,
        **others: Any,
    ):
        self.spacing = check_positive(spacing, "spacing")
        self.block_length = check_positive(block_length, "block_length")
        self.guard = check_not_negative(guard, "guard")
        self.memory = check_positive(memory, "memory")
        self.refresh = check_positive(refresh, "refresh")
        self.shrinkage = shrinkage
        if shrinkage is not None:
            share = check_not_negative(shrinkage, "shrinkage")
            self.shrinkage = check_at_most(share, "shrinkage", 1)
        self.start_time = check_not_negative(start_time, "start_time")
        self.min_share = check_at_most(check_positive(min_share, "min_share"), "min_share", 1)
        self.clean = clean
        self._n_guard = round(self.guard / self.spacing)
        self._n_turns = max(1, round(self.refresh / self.spacing))
        self._forget = -math.expm1(-self.spacing / self.memory)
        # by then everything was renewed since there was a variance
        wanted = math.ceil(self.min_share * self.memory / self.spacing)
        self._n_fewest = n_fewest
        self._least = max(wanted, n_fewest + self._n_turns)
        if clean is not None:
            if not isinstance(clean, Sweep):
                msg = f"Invalid clean of type {type(clean).__name__}. Must be a Sweep or None."
                raise TypeError(msg)
            others["clean"] = f"lane {clean.lane}, {len(clean)} traces"
        super().__init__(
            spacing=self.spacing,
            block_length=self.block_length,
            guard=self.guard,
            memory=self.memory,
            refresh=self.refresh,
            shrinkage=self.shrinkage,
            start_time=self.start_time,
            min_share=self.min_share,
            **others,
        )

    def _set_up(self, sensor: Sensor) -> None:
        """Set up what the statistic needs beside mean and covariance."""
        raise NotImplementedError

    def _renew(self, turn: int, n_turns: int) -> None:
        """Renew what is derived from the covariances of the blocks whose turn it is."""
        raise NotImplementedError

    def _varies(self) -> npt.NDArray[np.bool_]:
        """Return whether a deviation in a block can be measured, block by block."""
        raise NotImplementedError

    def _judge(self, trace: Samples, out: Samples) -> None:
        """Write the scores of a trace, and the squared distances to `self._distance`."""
        raise NotImplementedError

    def _begin(self, sensor: Sensor) -> None:
        self._bins = DepthBins.of_sensor(
            sensor, bin_length=self.block_length, start_time=self.start_time, n_best=1
        )
        shape = (sensor.shape[0], self._bins.n_bins)
        self._width = width = 2 * self._bins.hop
        # float64: a float32 mean cannot follow steps below its last digit. The covariance
        # has no level to be small against, and half the bytes are twice the speed.
        self._mean = np.zeros((*shape, width))
        self._covariance = np.zeros((*shape, width, width), np.float32)
        self._fourth = np.zeros(shape)
        self._squares = 0.0  # sum of the squared weights of the traces learnt from
        self._taken = self._n_learnt = 0
        self._is_blind = False  # whether a channel has no block that varies
        self._held = np.zeros((self._n_guard + 1, *sensor.shape), np.float32)
        self._influence = np.ones((self._n_guard + 1, *shape), np.float32)
        self._is_held = np.zeros(self._n_guard + 1, np.bool_)
        self._distance = np.zeros(shape, np.float32)
        self._row = np.empty(width, np.float32)
        self._set_up(sensor)
        if self.clean is not None:
            self._learn_clean(self.clean, sensor)
            self._renew(0, 1)
            self._is_blind = self._find_blind()

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return self._bins.score_sensor(sensor)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        quality = self._track["quality"]
        is_present = is_usable & (quality[len(quality) - len(samples) :] & Quality.EDGE == 0)
        scores = np.zeros((len(samples), *self._distance.shape), np.float32)
        is_short = np.zeros(len(samples), np.bool_)
        for k in range(len(samples)):
            is_short[k] = self.clean is None and self._n_learnt < self._least
            if is_present[k] and not is_short[k]:
                self._judge(samples[k], scores[k])
            if self._is_blind:
                is_short[k], scores[k] = True, 0.0
            if self.clean is None:
                self._learn(samples[k], bool(is_present[k]))
        return scores, np.where(is_short, int(Quality.EDGE), 0)

    def _learn(self, trace: Samples, is_present: bool) -> None:
        """Hold a trace as long as the guard, and learn from the one that leaves it."""
        size = self._n_guard + 1
        slot, oldest = self._taken % size, (self._taken - self._n_guard) % size
        self._is_held[slot] = is_present
        if is_present:
            self._held[slot] = trace
            bound = _BOUND * self._width
            self._influence[slot] = 1.0
            if self._n_learnt >= max(self._least, 2 * self._width):
                over = np.maximum(self._distance / np.float32(bound), np.float32(1))
                self._influence[slot] = 1 / np.sqrt(over)
        if self._taken >= self._n_guard and self._is_held[oldest]:
            self._n_learnt += 1
            gain = max(self._forget, 1 / self._n_learnt)  # a plain mean first
            self._squares = (1 - gain) ** 2 * self._squares + gain**2
            learn_blocks(
                self._held[oldest],
                self._bins.start,
                self._bins.hop,
                gain,
                self._influence[oldest],
                self._row,
                self._mean,
                self._covariance,
                self._fourth,
            )
        if self._n_learnt >= 2:
            self._renew(self._taken % self._n_turns, self._n_turns)
            self._is_blind = self._find_blind()
        self._taken += 1

    def _find_blind(self) -> bool:
        """Return whether there is a channel none of whose blocks varies."""
        return not self._varies().reshape(self._fourth.shape).any(axis=1).all()

    def _learn_clean(self, clean: Sweep, sensor: Sensor) -> None:
        """Take mean and covariance from a lane of the same sensor, all its traces alike."""
        found = clean.sensor
        apart = 1e-3 * sensor.sample_interval
        if found.shape != sensor.shape or (np.abs(found.axis - sensor.axis) > apart).any():
            msg = (
                f"Invalid clean of sensor '{found.name}', {found.shape} channels and samples "
                f"from {found.axis[0]:.4g} s on. Must have the {sensor.shape} of sensor "
                f"'{sensor.name}', from {sensor.axis[0]:.4g} s on."
            )
            raise ValueError(msg)
        traces = clean.samples[clean.is_judged].astype(np.float64)
        if len(traces) < self._n_fewest:
            msg = (
                f"Invalid clean: {len(traces)} traces can be judged. Must hold "
                f"{self._n_fewest} or more."
            )
            raise ValueError(msg)
        self._n_learnt, self._squares = len(traces), 1 / len(traces)
        for b in range(self._bins.n_bins):
            first = self._bins.start + b * self._bins.hop
            block = traces[:, :, first : first + self._width]
            self._mean[:, b] = block.mean(axis=0)
            rest = block - self._mean[:, b]
            self._covariance[:, b] = np.einsum("kci,kcj->cij", rest, rest) / len(traces)
            self._fourth[:, b] = ((rest**2).sum(axis=2) ** 2).mean(axis=0)


class WhiteningStage(ClutterStage):
    """A stage that judges whitened deviations: the inverse roots of covariances."""

    def _set_up(self, sensor: Sensor) -> None:
        width, n_units = self._width, self._fourth.size
        self._whitener = np.zeros((n_units, width, width), np.float32)
        self._work: Floats = np.empty((width, width))
        self._inverse: Floats = np.empty((width, width))

    def _varies(self) -> npt.NDArray[np.bool_]:
        return self._whitener[:, 0, 0] > 0

    def _renew(self, turn: int, n_turns: int) -> None:
        width = self._width
        renew_whiteners(
            turn,
            n_turns,
            -1.0 if self.shrinkage is None else self.shrinkage,
            self._squares,
            self._covariance.reshape(-1, width, width),
            self._fourth.reshape(-1),
            self._work,
            self._inverse,
            self._whitener,
        )

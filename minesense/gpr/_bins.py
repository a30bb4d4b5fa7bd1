"""Depth bins of radar traces, as prescreeners score them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from .._kernels.energy import log_bin_energy
from ..sensor import Sensor
from ..sweep import Samples
from .gain import EQUALISED
from .preprocess import check_radar


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DepthBins:
    """Bins of `2 hop` samples, half overlapping, of which `n_best` make a window."""

    start: int  #: first sample of the first bin
    hop: int  #: samples from one bin to the next
    n_bins: int
    n_best: int

    @classmethod
    def of_sensor(
        cls, sensor: Sensor, *, bin_length: float, start_time: float, n_best: int
    ) -> DepthBins:
        """Return the bins of a radar's record, from a two-way time on; times in seconds."""
        step = check_radar(sensor)
        if sensor.quantity == EQUALISED:
            msg = (
                f"Invalid sensor '{sensor.name}' of {EQUALISED}. Must hold amplitudes: "
                "automatic gain is for the eye and makes weak echoes and strong ones alike."
            )
            raise ValueError(msg)
        hop = max(1, round(bin_length / step / 2))
        # a thousandth of a sample absorbs the rounding of an axis that starts there
        start = max(0, math.ceil((start_time - sensor.axis[0]) / step - 1e-3))
        n_bins = (sensor.shape[1] - start) // hop - 1
        if n_bins < n_best:
            msg = (
                f"Invalid sensor '{sensor.name}': its record ends at {sensor.axis[-1]:.4g} s "
                f"and holds {max(0, n_bins)} bins after {start_time:.4g} s. Must "
                f"hold at least n_best = {n_best}: take shorter bins or start earlier."
            )
            raise ValueError(msg)
        return cls(start=start, hop=hop, n_bins=n_bins, n_best=n_best)

    @property
    def n_windows(self) -> int:
        """Runs of `n_best` contiguous bins."""
        return self.n_bins - self.n_best + 1

    def score_sensor(self, sensor: Sensor) -> Sensor:
        """Return the sensor of scores; its axis holds the centres of windows, in seconds."""
        middle = self.start + np.arange(self.n_windows) * self.hop
        centre = middle + ((self.n_best + 1) * self.hop - 1) / 2
        return dataclasses.replace(
            sensor,
            axis=sensor.axis[0] + centre * sensor.sample_interval,
            quantity="score",
            unit="1",
        )

    def log_energy(self, samples: Samples) -> Samples:
        """Return log(1 + energy) of every trace, channel and bin."""
        energy = np.empty((*samples.shape[:2], self.n_bins), np.float32)
        scratch = np.empty((4, 32 * (self.n_bins // 32 + 1)))  # n_bins + 1 half bins
        log_bin_energy(samples, self.start, self.hop, scratch, energy)
        return energy

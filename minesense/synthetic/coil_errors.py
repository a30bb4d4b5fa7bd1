"""Errors of a metal detector's electronics: gain, offset, noise, hum, bursts, converter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validation import check_count
from ..sensor import PulseTrain
from ..sweep import Floats, Quality
from .instrument import Converter, Flags, bursts
from .track import check_numbers, wander


@dataclass(frozen=True, slots=True, kw_only=True)
class CoilErrors:
    """
    Errors of a metal detector, added to what its coils receive. All defaults are unverified.

    Voltages are per ampere of current, turns included, at the first gate. Spreads are standard
    deviations.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or zero where it must not be.
    """

    gain_spread: float = 0.03  #: between coils
    gain_drift: float = 0.003  #: slow change of the gain
    offset_drift: float = 2e-9  #: V, slow
    drift_time: float = 20.0  #: s, correlation time of both drifts
    white: float = 4e-10  #: V, from trace to trace
    mains: float = 3e-11  #: V, amplitude of the hum
    mains_frequency: float = 50.0  #: Hz
    mains_harmonics: int = 3  #: odd ones: 1, 3, 5; each weaker by its number
    bursts_per_minute: float = 0.05  #: of interference
    burst_time: float = 0.4  #: s, their mean length
    burst: float = 5e-9  #: V, their spread
    full_scale: float = 1e-3  #: V at which the converter clips
    bits: int = 24  #: of the converter; 0 for none

    def __post_init__(self) -> None:
        positive = ("drift_time", "mains_frequency", "burst_time", "full_scale")
        check_numbers(self, positive=positive)
        check_count(self.mains_harmonics, "mains_harmonics")
        Converter(full_scale=self.full_scale, bits=self.bits)

    def apply(
        self, volts: Floats, time: Floats, *, train: PulseTrain, rng: np.random.Generator
    ) -> tuple[Floats, Flags]:
        r"""
        Return what the instrument makes of what its coils receive.

        Parameters
        ----------
        volts : (n, n_coils, n_gates) float64 ndarray
            Received, in V per ampere, turns included.
        time : (n,) float64 ndarray
            Of the traces, s.
        train : PulseTrain
            Its gates.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        samples : (n, n_coils, n_gates) float64 ndarray
            With every error; NaN throughout a trace that was clipped.
        quality : (n,) int64 ndarray
            SATURATED and INTERFERENCE.

        Notes
        -----
        White noise and bursts fall with the root of the width of a gate, since a gate is a
        mean. The offset of a receiver is taken to decay as 1/t, much as soil does. Hum is
        the same in all gates and coils of a trace,
        :math:`\sum_k (a / k) \sin(2 \pi k f t + \phi_k)` over odd k, with a random phase for
        each sweep.
        """
        n, n_coils, n_gates = volts.shape

        def slow(std: float) -> Floats:
            series = wander(time, n_coils, std=std, correlation_time=self.drift_time, rng=rng)
            return series[:, :, None]

        gain = 1 + self.gain_spread * rng.normal(size=(n_coils, 1)) + slow(self.gain_drift)
        offset = slow(self.offset_drift) * (train.gates[0, 0] / train.gates[:, 0])
        width = np.diff(train.gates, axis=1)[:, 0]
        per_gate = np.sqrt(width[0] / width)
        noise = self.white * rng.normal(size=(n, n_coils, n_gates))
        phases = rng.uniform(0, 2 * np.pi, size=self.mains_harmonics)
        hum = np.zeros(n)
        for k, phase in zip(2 * np.arange(self.mains_harmonics) + 1, phases, strict=True):
            hum += self.mains / k * np.sin(2 * np.pi * k * self.mains_frequency * time + phase)
        disturbed = bursts(time, self.bursts_per_minute, self.burst_time, rng=rng)
        n_disturbed = int(disturbed.sum())
        noise[disturbed] += self.burst * rng.normal(size=(n_disturbed, n_coils, n_gates))
        samples = volts * gain + offset + noise * per_gate + hum[:, None, None]
        converter = Converter(full_scale=self.full_scale, bits=self.bits)
        samples, quality = converter.convert(samples)
        return samples, quality | np.where(disturbed, int(Quality.INTERFERENCE), 0)

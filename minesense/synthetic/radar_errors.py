"""Errors of a radar's electronics and antennas: gain, timing, ringing, noise, converter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sweep import Floats, Quality
from .instrument import Converter, Flags, bursts, gain_curve
from .track import check_numbers, wander


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarErrors:
    """
    Errors of a radar. All defaults are unverified.

    Amplitudes are shares of the peak of the direct wave. Spreads are standard deviations.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or zero where it must not be.
    """

    gain_spread: float = 0.05  #: between channels
    gain_drift: float = 0.005  #: slow change of the gain
    offset_drift: float = 5e-4  #: slow change of the level of a channel
    coupling_drift: float = 0.005  #: slow change of the direct wave alone
    delay_spread: float = 30e-12  #: s, of time zero between channels
    delay_drift: float = 5e-12  #: s, slow change of time zero
    jitter: float = 3e-12  #: s, of time zero from trace to trace
    drift_time: float = 20.0  #: s, correlation time of the drifts
    white: float = 7.5e-4  #: from sample to sample
    ringing: float = 0.003  #: of the antennas after the direct wave
    ringing_frequency: float = 0.7e9  #: Hz
    ringing_time: float = 1.5e-9  #: s, in which it falls to 1/e
    bursts_per_minute: float = 0.05  #: of interference
    burst_time: float = 0.2  #: s, their mean length
    burst: float = 0.02  #: amplitude of the tone of a burst
    gain_slope: float = 0.0  #: dB per second of two-way time, of a time-varying gain
    most_gain: float = 40.0  #: dB at which that gain ends
    full_scale: float = 2.0  #: at which the converter clips
    bits: int = 16  #: of the converter; 0 for none

    def __post_init__(self) -> None:
        positive = ("drift_time", "ringing_frequency", "ringing_time", "burst_time")
        check_numbers(self, positive=(*positive, "full_scale"))
        Converter(full_scale=self.full_scale, bits=self.bits)

    def timing(
        self, time: Floats, n_channels: int, *, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """
        Return errors that the forward model has to know.

        Parameters
        ----------
        time : (n,) float64 ndarray
            Of the traces, s.
        n_channels : int
            Of the radar.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        delay : (n, n_channels) float64 ndarray
            By which time zero is late, s.
        coupling : (n, n_channels) float64 ndarray
            Factor of the direct wave.
        """
        n = len(time)
        delay = np.tile(self.delay_spread * rng.normal(size=n_channels), (n, 1))
        delay += self.jitter * rng.normal(size=(n, n_channels))
        delay += self._wander(time, n_channels, self.delay_drift, rng)
        return delay, 1 + self._wander(time, n_channels, self.coupling_drift, rng)

    def apply(
        self,
        traces: Floats,
        time: Floats,
        *,
        axis: Floats,
        peak: float,
        time_zero: float,
        rng: np.random.Generator,
    ) -> tuple[Floats, Flags]:
        r"""
        Return what the instrument makes of what its antennas receive.

        Parameters
        ----------
        traces : (n, n_channels, n_samples) float64 ndarray
            Received.
        time : (n,) float64 ndarray
            Of the traces, s.
        axis : (n_samples,) float64 ndarray
            Two-way time, s.
        peak : float
            Of the direct wave, in the unit of the traces.
        time_zero : float
            At which the pulse leaves, s.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        samples : (n, n_channels, n_samples) float64 ndarray
            With every error; NaN throughout a trace that was clipped.
        quality : (n,) int64 ndarray
            SATURATED and INTERFERENCE.

        Notes
        -----
        Ringing is :math:`a e^{-(t - t_0)/T} \cos(2 \pi f (t - t_0) + \phi)` after time zero,
        with a phase of its own for each channel. A burst is a tone of random frequency below
        half the sampling rate and of random phase in each trace. The time-varying gain comes
        last before the converter, so that it lifts all of them.
        """
        _, n_channels, n_samples = traces.shape
        own = np.asarray(1 + self.gain_spread * rng.normal(size=n_channels))
        gain = own + self._wander(time, n_channels, self.gain_drift, rng)
        offset = peak * self._wander(time, n_channels, self.offset_drift, rng)
        since = np.maximum(axis - time_zero, 0.0)
        phase = rng.uniform(0, 2 * np.pi, size=(n_channels, 1))
        ring = np.cos(2 * np.pi * self.ringing_frequency * since + phase)
        ring *= self.ringing * peak * np.exp(-since / self.ringing_time) * (axis >= time_zero)
        samples = gain[:, :, None] * (traces + ring) + offset[:, :, None]
        samples += self.white * peak * rng.normal(size=samples.shape)
        disturbed = bursts(time, self.bursts_per_minute, self.burst_time, rng=rng)
        m = int(disturbed.sum())
        cycles = rng.uniform(0, 0.5, size=(m, 1, 1)) * np.arange(n_samples)
        tone = np.sin(2 * np.pi * (cycles + rng.random((m, n_channels, 1))))
        samples[disturbed] += self.burst * peak * tone
        samples *= gain_curve(axis - time_zero, slope=self.gain_slope, most=self.most_gain)
        converter = Converter(full_scale=self.full_scale * peak, bits=self.bits)
        samples, quality = converter.convert(samples)
        return samples, quality | np.where(disturbed, int(Quality.INTERFERENCE), 0)

    def _wander(
        self, time: Floats, n_channels: int, std: float, rng: np.random.Generator
    ) -> Floats:
        """Return a slow change for each channel, (n, n_channels)."""
        return wander(time, n_channels, std=std, correlation_time=self.drift_time, rng=rng)

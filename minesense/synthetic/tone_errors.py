"""Errors of a stepped-frequency radar: gain and phase of tones, drift, noise, converter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sweep import Floats, Quality
from .instrument import Converter, Flags, bursts
from .track import check_numbers, wander


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneErrors:
    """
    Errors of a stepped-frequency radar. All defaults are unverified.

    Amplitudes are shares of that of the direct wave. Spreads are standard deviations.

    Raises
    ------
    TypeError, ValueError
        If a value is not a number, is negative, or zero where it must not be.
    """

    gain_spread: float = 0.05  #: between channels
    gain_drift: float = 0.005  #: slow change of the gain
    coupling_drift: float = 0.005  #: slow change of the direct wave alone
    delay_spread: float = 30e-12  #: s, of the cables of channels
    delay_drift: float = 3e-12  #: s, slow change of that delay
    drift_time: float = 20.0  #: s, correlation time of the drifts
    tone_gain: float = 0.02  #: what calibration leaves of the gain of a tone
    tone_phase: float = 0.03  #: rad, and of its phase
    isolation: float = 1.0  #: factor of the direct wave: below 1 where the receiver is blanked
    white: float = 3e-4  #: of in-phase and quadrature each
    bursts_per_minute: float = 0.05  #: of interference
    burst_time: float = 0.2  #: s, their mean length
    burst: float = 0.05  #: its spread, at one tone in ten
    full_scale: float = 2.0  #: at which the converter clips
    bits: int = 16  #: of the converter; 0 for none

    def __post_init__(self) -> None:
        check_numbers(self, positive=("drift_time", "burst_time", "full_scale"))
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
            Of cables, s.
        coupling : (n, n_channels) float64 ndarray
            Factor of the direct wave.
        """
        delay = np.tile(self.delay_spread * rng.normal(size=n_channels), (len(time), 1))
        delay += self._wander(time, n_channels, self.delay_drift, rng)
        drift = self._wander(time, n_channels, self.coupling_drift, rng)
        return delay, self.isolation * (1 + drift)

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
        traces : (n, n_channels, 2 * n_tones) float64 ndarray
            Received, in-phase and quadrature in turn.
        time : (n,) float64 ndarray
            Of the traces, s.
        axis : (n_tones,) float64 ndarray
            Tones, Hz.
        peak : float
            Amplitude of the direct wave, in the unit of the traces.
        time_zero : float
            Not used: tones have no time.
        rng : numpy.random.Generator
            Source of chance.

        Returns
        -------
        samples : (n, n_channels, 2 * n_tones) float64 ndarray
            With every error; NaN throughout a trace that was clipped.
        quality : (n,) int64 ndarray
            SATURATED and INTERFERENCE.

        Notes
        -----
        Each tone of each channel is multiplied by :math:`(1 + a) e^{i \phi}` with constant
        random a and :math:`\phi`, what a calibration leaves. Interference meets a tenth of
        the tones of a trace, anew in each.
        """
        phasors = np.ascontiguousarray(traces).view(np.complex128)
        _, n_channels, n_tones = phasors.shape
        own = np.asarray(1 + self.gain_spread * rng.normal(size=n_channels))
        gain = own + self._wander(time, n_channels, self.gain_drift, rng)
        shape = (n_channels, n_tones)
        tone = 1 + self.tone_gain * rng.normal(size=shape)
        tone = tone * np.exp(1j * self.tone_phase * rng.normal(size=shape))
        received = gain[:, :, None] * (phasors * tone)
        disturbed = bursts(time, self.bursts_per_minute, self.burst_time, rng=rng)
        m = int(disturbed.sum())
        hit = rng.random((m, 1, n_tones)) < 0.1
        tone_noise = rng.normal(size=(m, n_channels, n_tones, 2)) * hit[..., None]
        samples = received.view(np.float64)
        samples[disturbed] += self.burst * peak * tone_noise.reshape(m, n_channels, 2 * n_tones)
        samples += self.white * peak * rng.normal(size=samples.shape)
        converter = Converter(full_scale=self.full_scale * peak, bits=self.bits)
        samples, quality = converter.convert(samples)
        return samples, quality | np.where(disturbed, int(Quality.INTERFERENCE), 0)

    def _wander(
        self, time: Floats, n_channels: int, std: float, rng: np.random.Generator
    ) -> Floats:
        """Return a slow change for each channel, (n, n_channels)."""
        return wander(time, n_channels, std=std, correlation_time=self.drift_time, rng=rng)

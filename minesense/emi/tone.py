"""
What an operator hears: a statistic as pitch and loudness, sample by sample.

The tones are generic and copy no maker's detector. A hum says that the detector works; a
signal raises it; saturation trills; input that means nothing, or stays away, gives a tone of
its own and never silence, which would sound like "no alarm".
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_at_most,
    check_count,
    check_not_negative,
    check_number,
    check_real,
    check_shape,
)
from ..sweep import UNUSABLE, Sweep
from .voice import Control, ToneState, Voice

Audio = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: Seconds of audio that one push returns at most: a clock that jumps must not fill the memory.
LONGEST = 10.0

#: Seconds in which pitch and loudness move in a straight line; targets change in between.
_FRAME = 0.002

_UNUSABLE = int(UNUSABLE)  # a plain number: flags cost ten times as much


class Tone:
    """
    A synthesiser that follows a statistic.

    Two ways to use it. In the time of a recording, `push` returns the audio between one
    statistic and the next. On an audio device, `update` tells it the newest statistic, and
    the device's callback takes as many samples as it wants with `pull` or `fill`. Both give
    the same audio bit for bit, however it is cut.

    Parameters
    ----------
    voice : Voice
        How the statistic sounds.
    rate : int
        Samples per second of audio, from 8000 to 192000.

    Raises
    ------
    TypeError, ValueError
        If voice is no Voice or the rate is out of range.

    Notes
    -----
    Pitch and loudness move towards their targets by :math:`1 - e^{-1/2}` of the way in each
    frame of 2 ms, in straight lines, so that nothing clicks; phase is continuous. A statistic
    is heard from the next frame on: `latency` says within what time the loudness has gone
    nine tenths of the way. The rest of the way to the ear is that of the device.

    Examples
    --------
    >>> tone = Tone(rate=8000)
    >>> [len(tone.push(0.5, time)) for time in (10.0, 10.01, 10.02)]
    [0, 80, 80]
    >>> len(tone.pull(100)), tone.state.value
    (100, 'hum')
    """

    #: s, from a statistic to nine tenths of the change of loudness
    latency = 0.012

    def __init__(self, voice: Voice | None = None, *, rate: int = 16_000):
        self.voice = Voice() if voice is None else voice
        if not isinstance(self.voice, Voice):
            msg = f"Invalid voice of type {type(voice).__name__}. Must be a Voice."
            raise TypeError(msg)
        self.rate = check_count(rate, "rate", least=8000)
        check_at_most(self.rate, "rate", 192_000, "Hz")
        self._size = round(self.rate * _FRAME)
        self._ramp = np.arange(self._size) / self._size
        self._step = self._size / self.rate  # s, of a frame: 2 ms to the nearest sample
        self._share = 1.0 - math.exp(-0.5)
        self.reset()

    def reset(self) -> None:
        """Start afresh: no statistic, no time, phase 0."""
        self.made = 0  #: samples of audio handed out
        self.skipped = 0.0  #: s of recording that `push` gave no audio for: its clock jumped
        self._left: Audio = np.empty(0, np.float32)  # of the last frame, not yet handed out
        self._frames = 0
        self._phase = 0.0  # of the oscillator, in turns
        self._now = (self.voice.pitch, 0.0, 0.0)  # pitch, loudness, harshness
        self._target = self.voice.control(math.nan)
        self._age = 0  # frames since the last update
        self._begin: float | None = None  # s, time of the first sample of audio
        self._time = -math.inf  # s, of the last statistic
        self._level = math.nan  # what the dynamic mode takes for ground

    @property
    def control(self) -> Control:
        """Where pitch and loudness go now."""
        if self._age * self._step > self.voice.hold:
            return self.voice.control(math.nan)
        return self._target

    @property
    def state(self) -> ToneState:
        """What the tone says now."""
        return self.control.state

    def update(self, statistic: float, time: float, quality: int = 0) -> Control:
        """
        Take the newest statistic; what is made from now on follows it.

        Parameters
        ----------
        statistic : float
            Of the detector; NaN is a fault that is heard.
        time : float
            In seconds; must not go back.
        quality : int
            Flags of :class:`~minesense.quality.Quality`.

        Returns
        -------
        control : Control
            Where pitch and loudness go.

        Raises
        ------
        TypeError, ValueError
            If time goes back or is not finite, or the statistic is no number.

        Examples
        --------
        >>> tone = Tone()
        >>> tone.update(30.0, 0.0).state.value
        'signal'
        """
        time = check_number(time, "time")
        if time < self._time:
            msg = f"Invalid time '{time}' s after {self._time} s. Must not go back."
            raise ValueError(msg)
        try:
            value = float(statistic)
        except (TypeError, ValueError):
            msg = f"Invalid statistic {statistic!r}. Must be a number."
            raise TypeError(msg) from None
        quality = int(quality)
        if self.voice.mode == "dynamic" and not quality & _UNUSABLE and math.isfinite(value):
            value = self._without_level(value, time)
        self._time = time
        self._target, self._age = self.voice.control(value, quality), 0
        return self._target

    def _without_level(self, value: float, time: float) -> float:
        """Return by how much a statistic differs from its level of the last moments."""
        if math.isnan(self._level):
            self._level = value if self.voice.head == "double-d" else max(0.0, value)
            # a detector switched on above metal must not stay silent about it
            self._level = min(max(self._level, -self.voice.threshold), self.voice.threshold)
        else:
            weight = -math.expm1(-(time - self._time) / self.voice.time_constant)
            self._level += weight * (value - self._level)
        if abs(value) >= self.voice.saturation:
            return value
        return value - self._level

    def pull(self, n_samples: int) -> Audio:
        """
        Return the next samples of audio, for a device that asks for them.

        Parameters
        ----------
        n_samples : int
            How many.

        Returns
        -------
        audio : (n_samples,) float32 ndarray
            Between -1 and 1.

        Examples
        --------
        >>> Tone().pull(64).shape
        (64,)
        """
        n_samples = check_count(n_samples, "n_samples", least=0)
        parts, n_ready = deque([self._left]), len(self._left)
        while n_ready < n_samples:
            parts.append(self._frame())
            n_ready += self._size
        audio = np.concatenate(parts)
        self._left = audio[n_samples:].copy()
        self.made += n_samples
        return audio[:n_samples]

    def fill(self, out: npt.NDArray[np.float32]) -> None:
        """
        Fill the buffer of an audio device.

        Parameters
        ----------
        out : (n_samples,) or (n_samples, n_channels) float32 ndarray
            Overwritten; all channels get the same.

        Examples
        --------
        >>> buffer = np.zeros((64, 2), np.float32)
        >>> Tone().fill(buffer)
        >>> bool((buffer[:, 0] == buffer[:, 1]).all())
        True
        """
        audio = self.pull(len(out))
        out[...] = audio if out.ndim == 1 else audio[:, None]

    def push(
        self, statistic: npt.ArrayLike, time: npt.ArrayLike, quality: npt.ArrayLike = 0
    ) -> Audio:
        """
        Take statistics of a recording; return the audio between them.

        Parameters
        ----------
        statistic : float or (n,) array_like
            Of the detector.
        time : float or (n,) array_like
            Of each statistic, in seconds; must not go back.
        quality : int or (n,) array_like
            Flags of :class:`~minesense.quality.Quality`.

        Returns
        -------
        audio : (n_samples,) float32 ndarray
            From the time that audio reached before up to that of the last statistic, at most
            ten seconds for each: a longer gap is cut short and counted in `skipped`.

        Raises
        ------
        TypeError, ValueError
            If the arrays differ in length, or as :meth:`update` does.

        Examples
        --------
        >>> tone = Tone(rate=8000)
        >>> len(tone.push([0.0, 5.0, 0.0], [0.0, 0.5, 1.0]))
        8000
        """
        values = np.atleast_1d(check_real(statistic, "statistic")).astype(np.float64)
        values = check_shape(values, "statistic", ("n",))
        times = check_shape(np.atleast_1d(check_real(time, "time")), "time", (len(values),))
        flags = np.broadcast_to(np.asarray(quality, np.int64), (len(values),))
        parts = [np.empty(0, np.float32)]
        for one, at, flag in zip(values.tolist(), times.tolist(), flags.tolist(), strict=True):
            moment = check_number(at, "time")
            if self._begin is None:
                self._begin = moment - self.made / self.rate
            if moment >= self._time:  # else update says what is wrong
                parts.append(self._up_to(moment, self._begin))
            self.update(one, moment, flag)
        return np.concatenate(parts)

    def _up_to(self, time: float, begin: float) -> Audio:
        """Return the audio up to a time, not more than the longest."""
        n_samples = round((time - begin) * self.rate) - self.made
        n_most = round(LONGEST * self.rate)
        if n_samples > n_most:
            excess = (n_samples - n_most) / self.rate
            self.skipped += excess
            self._begin = begin + excess
            n_samples = n_most
        return self.pull(max(0, n_samples))

    def _frame(self) -> Audio:
        """Return the next frame of audio."""
        pitch, loudness, state, is_credited = self.control
        harsh = 0.0
        moment = self._frames * self._step
        if state is ToneState.FAULT:  # two notes, twice a second, harsh
            harsh, pitch = 1.0, pitch * (1.0 if moment % 0.5 < 0.25 else 1.5)
        elif state is ToneState.SATURATED:  # a trill
            harsh, pitch = 0.3, pitch * (1.0 if moment % 0.1 < 0.05 else 1.26)
        elif not is_credited:  # the signal, with a flutter
            loudness *= 1.0 if moment % 0.125 < 0.08 else 0.25
        before = self._now
        after = tuple(
            old + self._share * (new - old)
            for old, new in zip(before, (pitch, loudness, harsh), strict=True)
        )
        turns = (
            self._phase
            + (
                before[0] * np.arange(self._size)
                + (after[0] - before[0]) * 0.5 * self._size * self._ramp**2
            )
            / self.rate
        )
        self._phase = (
            self._phase + 0.5 * (before[0] + after[0]) * self._size / self.rate
        ) % 1.0
        angle = 2.0 * np.pi * turns
        harshness = before[2] + (after[2] - before[2]) * self._ramp
        wave = 0.8 * np.sin(angle) + 0.2 * np.sin(2.0 * angle)
        buzz = 0.6 * np.sin(angle) + 0.3 * np.sin(3.0 * angle) + 0.1 * np.sin(5.0 * angle)
        size = before[1] + (after[1] - before[1]) * self._ramp
        self._now = (after[0], after[1], after[2])
        self._frames += 1
        self._age += 1
        return (size * (wave + harshness * (buzz - wave))).astype(np.float32)


def sweep_tone(
    scores: Sweep, *, voice: Voice | None = None, rate: int = 16_000, tail: float = 0.1
) -> Audio:
    """
    Return what an operator would have heard along a lane.

    Parameters
    ----------
    scores : Sweep
        Of one sample a trace and channel, as a prescreener returns them. The channel with the
        largest magnitude is heard.
    voice : Voice, optional
        How they sound.
    rate : int
        Samples per second of audio.
    tail : float
        Seconds of audio after the last trace.

    Returns
    -------
    audio : (n_samples,) float32 ndarray
        From the first trace on; flagged traces are heard as what they are.

    Raises
    ------
    TypeError, ValueError
        If scores is no Sweep of one sample a channel, or as :class:`Tone` does.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> scores = Sweep(
    ...     samples=[[[0.0]], [[9.0]], [[0.0]]],
    ...     time=[0.0, 0.5, 1.0],
    ...     position=[[0, 0, 0], [0, 0.25, 0], [0, 0.5, 0]],
    ...     heading=[0.0, 0.0, 0.0],
    ...     sensor=sensor,
    ... )
    >>> len(sweep_tone(scores, rate=8000, tail=0.5))
    12000
    """
    if not isinstance(scores, Sweep):
        msg = f"Invalid scores of type {type(scores).__name__}. Must be a Sweep."
        raise TypeError(msg)
    samples = check_shape(scores.samples, "samples of scores", ("n", "n_channels", 1))[..., 0]
    tail = check_not_negative(tail, "tail")
    tone = Tone(voice, rate=rate)
    if not samples.size:
        return tone.pull(0)
    largest = np.nanargmax(np.where(np.isnan(samples), -1.0, np.abs(samples)), axis=1)
    heard = samples[np.arange(len(samples)), largest]
    audio = tone.push(heard, scores.time, scores.quality)
    return np.concatenate([audio, tone.pull(round(tail * tone.rate))])

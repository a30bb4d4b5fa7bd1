"""What is wrong with the samples of a scan, told before it has a place."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from ..message import DeviceFlag, SensorMessage, StreamDeclaration
from ..sweep import Floats, Quality, Samples
from .config import StreamConfig
from .search_score import SearchScorer
from .timebase import Taken

#: What a device says of a scan, as flags of a trace.
_DEVICE = {
    DeviceFlag.SATURATED: Quality.SATURATED,
    DeviceFlag.INVALID: Quality.NOT_FINITE,
    DeviceFlag.SETTING_CHANGED: Quality.SETTING_CHANGED,
    DeviceFlag.REZEROED: Quality.BASELINE_STEP,
    DeviceFlag.INTERFERENCE: Quality.INTERFERENCE,
}

# as plain numbers: masks of flags cost ten times as much
_SATURATED, _NOT_FINITE, _STUCK, _STEP_OF_ZERO, _INTERFERENCE, _DRIFT = (
    int(flag)
    for flag in (
        Quality.SATURATED,
        Quality.NOT_FINITE,
        Quality.STUCK,
        Quality.BASELINE_STEP,
        Quality.INTERFERENCE,
        Quality.DRIFT,
    )
)
_UNUSABLE = _SATURATED | _NOT_FINITE | _STUCK

#: Seconds of a stream that its noise is referred to, and over which it is followed.
_REFERENCE, _FOLLOW = 2.0, 0.25

#: Scans that the noise is referred to, at most.
_MOST_REFERENCE = 20_000

#: Seconds over which the rate of a level is taken.
_DRIFT_BLOCK = 5.0

#: Samples of a channel that noise is taken from, at most.
_MOST_SAMPLES = 32

#: A step of the zero: this many times the spread of what changes from scan to scan.
_STEP = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A scan whose samples were checked."""

    time: float  #: s
    samples: Samples  #: (n_channels, n_samples); NaN where the flags say they mean nothing
    flags: int
    time_error: float  #: s
    begins: bool  #: nothing goes on across: the clock was set
    restarts: bool = False  #: the zero was set before it: stages start afresh


class ScanChecks:
    """
    Check the scans of one sensor stream, in order; hold them until steps are known.

    Parameters
    ----------
    declaration : StreamDeclaration
        Of the stream.
    config : StreamConfig
        Full scale, noise, how long a step must stay.

    Notes
    -----
    A scan is STUCK where a channel repeats itself bit for bit in a row, NOT_FINITE and
    SATURATED by its samples or by what the device says. Noise is the root mean square of the
    change from scan to scan, over sqrt(2), never less than the floor; INTERFERENCE if it is
    more than the limit times that of the first two seconds. DRIFT if the level of a channel,
    taken as a median over 5 s, moves faster than the limit.

    A step of the zero of a metal detector is a change in one interval, in all gates of a
    channel, by 8 times the usual change, that stays for `step_hold`: BASELINE_STEP on
    the scan behind it, where the stages restart. So scans of a metal detector leave by that
    much later. Without a rate there is no such search; what the device tells always counts.
    """

    def __init__(self, declaration: StreamDeclaration, config: StreamConfig):
        assert declaration.sensor is not None
        self.declaration, self.config = declaration, config
        self.expected = config.expected(declaration.name)
        sensor = declaration.sensor
        self._is_coil = sensor.kind == "emi"
        self._every = max(1, math.ceil(sensor.shape[1] / _MOST_SAMPLES))
        rate = declaration.rate
        self._interval = 1 / rate if rate else None
        self._n_hold = 0
        if self._is_coil and rate and config.step_hold > 0:
            # a rate that is not true must not fill the memory
            most = max(3, config.max_held // (4 * max(1, math.prod(sensor.shape))))
            self._n_hold = max(3, round(min(config.step_hold * rate, most)))
        self._shares: Floats | None = None
        if any(declaration.channel_delays) and rate:
            self._shares = np.array(declaration.channel_delays)[:, None] * rate
        self.scorer: SearchScorer | None = None
        if self._is_coil and config.search and rate:
            self.scorer = SearchScorer(
                interval=1 / rate,
                memory=config.search_memory,
                noise_floor=self.expected.noise_floor,
            )
        self._held: deque[Scan] = deque()
        self._behind: deque[Scan] = deque(maxlen=max(1, self._n_hold))
        self._reference: list[Floats] = []
        self._reference_noise: Floats | None = None
        self.restart()

    @property
    def delay(self) -> float:
        """Seconds by which scans leave later than they came."""
        return self._n_hold * (self._interval or 0.0)

    @property
    def n_held(self) -> int:
        """Scans that wait for what follows."""
        return len(self._held)

    def restart(self) -> None:
        """Forget the scans before: nothing goes on across a gap."""
        n_channels, n_samples = self._shape
        self._before: Samples | None = None
        self._last: Samples | None = None
        self._turn: Samples | None = None
        self._runs = np.ones(n_channels, np.int64)
        self._noise: Floats | None = None
        self._spread = np.zeros((n_channels, n_samples))
        self._n_spread = 0
        self._block: list[Samples] = []
        self._block_start = math.nan
        self._level: tuple[float, Floats] | None = None
        self._drifts = False
        self._behind.clear()

    @property
    def _shape(self) -> tuple[int, int]:
        assert self.declaration.sensor is not None
        return self.declaration.sensor.shape

    def take(self, taken: Taken) -> tuple[list[Scan], Floats | None, int]:
        """
        Take the next scan.

        Parameters
        ----------
        taken : Taken
            In order, its samples of the sensor's shape.

        Returns
        -------
        scans : list of Scan
            Those that are settled.
        scores : (n_channels,) float64 ndarray or None
            The search score of the scan that was taken.
        flags : int
            Of the scan that was taken.
        """
        message = taken.message
        assert isinstance(message, SensorMessage)
        settled: list[Scan] = []
        if taken.begins or (
            self._held and taken.time - self._held[-1].time > self.config.max_scan_gap
        ):
            settled = self.flush()
            self.restart()
        samples = np.asarray(message.samples, np.float32)
        flags = taken.flags | self._device_flags(message.flags)
        if not np.isfinite(samples).all():
            flags |= _NOT_FINITE
        full = self.expected.full_scale
        if full is not None and float(np.abs(samples).max(initial=0.0)) >= full:
            flags |= _SATURATED
        flags |= self._stuck(samples, flags)
        flags |= self._noise_and_drift(samples, taken.time, flags)
        scores = self._search(samples, flags)
        if flags & _UNUSABLE:
            samples, self._turn = np.full(samples.shape, np.nan, np.float32), None
        elif self._shares is not None:
            samples = self._in_step(samples)
        scan = Scan(
            time=taken.time,
            samples=samples,
            flags=flags,
            time_error=taken.time_error,
            begins=taken.begins,
            restarts=bool(flags & _STEP_OF_ZERO),
        )
        if scan.restarts:
            self._n_spread = 0
        if self._n_hold == 0:
            return [*settled, scan], scores, flags
        self._held.append(scan)
        self._find_step()
        while len(self._held) > self._n_hold:
            self._behind.append(self._held[0])
            settled.append(self._held.popleft())
        return settled, scores, flags

    def flush(self) -> list[Scan]:
        """
        Return the scans that are held: the stream ends or stops.

        Returns
        -------
        scans : list of Scan
            In order.
        """
        scans = list(self._held)
        self._held.clear()
        return scans

    def _device_flags(self, flags: DeviceFlag) -> int:
        """Return what the device says, as flags of a trace."""
        if not flags:
            return 0
        return int(sum(int(meant) for said, meant in _DEVICE.items() if flags & said))

    def _stuck(self, samples: Samples, flags: int) -> int:
        """Return STUCK if a channel repeats itself."""
        before, self._before = self._before, samples
        if before is None or flags & _NOT_FINITE:
            self._runs[:] = 1
            return 0
        equal = (samples == before).all(axis=1)
        if not equal.any():
            self._runs[:] = 1
            return 0
        self._runs = np.where(equal, self._runs + 1, 1)
        is_stuck = bool((self._runs >= self.expected.stuck_after).any())
        return _STUCK if is_stuck else 0

    def _noise_and_drift(self, samples: Samples, time: float, flags: int) -> int:
        """Return INTERFERENCE and DRIFT; follow noise and level."""
        if flags & _UNUSABLE:
            self._last = None
            return 0
        few = samples[:, :: self._every]
        last, self._last = self._last, few
        found = self._drift(few, time) if self.expected.drift_limit is not None else 0
        limits = self.config.limits
        if last is None or limits is None or limits.noise == math.inf or not self._interval:
            return found
        change = few.astype(np.float64) - last
        power = (change * change).mean(axis=1) / 2
        if self._reference_noise is None:
            self._reference.append(power)
            long = len(self._reference) * self._interval >= _REFERENCE
            if long or len(self._reference) >= _MOST_REFERENCE:
                power = np.median(self._reference, axis=0)
                self._reference_noise = np.maximum(np.sqrt(power), self.expected.noise_floor)
                self._reference.clear()
            return found
        weight = -math.expm1(-self._interval / _FOLLOW)
        reference = self._reference_noise
        before = reference**2 if self._noise is None else self._noise
        self._noise = before + weight * (power - before)
        noise = np.maximum(np.sqrt(self._noise), self.expected.noise_floor)
        if (noise > limits.noise * np.maximum(reference, 1e-30)).any():
            found |= _INTERFERENCE
        return found

    def _drift(self, few: Samples, time: float) -> int:
        """Return DRIFT while the level of a channel moves too fast."""
        limit = self.expected.drift_limit
        assert limit is not None
        if not time - self._block_start < _DRIFT_BLOCK:  # also the first
            if self._block:
                middle = (self._block_start + time) / 2
                level = np.median(np.array(self._block, np.float64), axis=0)
                if self._level is not None:
                    rate = (level - self._level[1]) / (middle - self._level[0])
                    self._drifts = bool((np.abs(rate) > limit).any())
                self._level = (middle, level)
            self._block, self._block_start = [], time
        if len(self._block) < 64 or len(self._block) % 2:
            self._block.append(few)
        if len(self._block) > 256:
            self._block = self._block[::2]
        return _DRIFT if self._drifts else 0

    def _search(self, samples: Samples, flags: int) -> Floats | None:
        """Return the search score; a saturated scan is as loud as can be."""
        if self.scorer is None:
            return None
        n = len(samples)
        if flags & _STEP_OF_ZERO:
            self.scorer.restart()
        if flags & _SATURATED:
            return np.full(n, np.inf)
        if flags & _UNUSABLE:
            return np.full(n, np.nan)
        return self.scorer.score(samples)

    def _in_step(self, samples: Samples) -> Samples:
        """Return channels that take turns as they were at the stamp."""
        assert self._shares is not None
        before, self._turn = self._turn, samples
        if before is None:
            return samples
        mixed = samples + self._shares * (before - samples)
        return mixed.astype(np.float32)

    def _find_step(self) -> None:
        """Flag a scan held whose zero jumped and stayed."""
        held, n = self._held, self._n_hold
        newest = held[-1]
        before = held[-2] if len(held) > 1 else (self._behind[-1] if self._behind else None)
        if before is not None and not (newest.flags | before.flags) & _UNUSABLE:
            change = np.abs(newest.samples.astype(np.float64) - before.samples)
            is_large = change > _STEP * self._spread
            usual = self._n_spread >= n
            # what jumps does not teach how much is usual
            weight = 1 / (self._n_spread + 1) if not usual else 1 / (10 * n)
            size = 1.2533 * change
            if usual:
                size = np.where(is_large, self._spread, size)
            self._spread += weight * (size - self._spread)
            self._n_spread += 1
            is_step = usual and bool((is_large & (self._spread > 0)).all(axis=1).any())
            if is_step and not newest.restarts:
                held[-1] = replace(newest, flags=newest.flags | _MAY_STEP)
        if len(held) > n and held[0].flags & _MAY_STEP:
            self._settle_step()

    def _settle_step(self) -> None:
        """Decide whether the jump before the oldest scan held stayed."""
        scan = self._held[0]
        flags = scan.flags & ~_MAY_STEP
        after = [s.samples for s in self._held if not s.flags & _UNUSABLE]
        before = [s.samples for s in self._behind if not s.flags & _UNUSABLE]
        stayed = False
        if after and before:
            jump = scan.samples.astype(np.float64) - before[-1]
            shift = np.median(after, axis=0) - np.median(before, axis=0)
            same = (jump * shift > 0) & (np.abs(shift) >= np.abs(jump) / 2)
            same &= np.abs(jump) >= np.abs(shift) / 2
            same &= np.abs(jump) > _STEP * self._spread
            stayed = bool(same.all(axis=1).any())
        if stayed:
            flags |= _STEP_OF_ZERO
        self._held[0] = replace(scan, flags=flags, restarts=scan.restarts or stayed)


#: Marks a scan held that a step may lie before; above all flags of Quality.
_MAY_STEP = 1 << 60

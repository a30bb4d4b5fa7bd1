"""What the direct wave and the ground bounce were before a lane lost its background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..constants import SPEED_OF_LIGHT
from ..held import HeldTraces
from ..sensor import Sensor
from ..sweep import Floats, Sweep
from .ground import AlignGround

#: Of the magnitude of the bounce: what is smaller before it is not the direct wave.
_LEAST = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bounce:
    """
    Ground bounce and direct wave of a radar, (n_traces, n_channels) each.

    NaN for traces that are not usable; of the direct wave, and of what is told by it, also
    where none is seen before the bounce.
    """

    time: Floats  #: two-way time of the ground bounce where it was tracked, s
    amplitude: Floats  #: of the bounce there, with its sign, in the unit of the sweep
    direct_time: Floats  #: two-way time of the direct wave's peak, s
    direct_amplitude: Floats  #: of the direct wave there, with its sign
    separation: float  #: of the antennas, m

    def __len__(self) -> int:
        """Return the number of traces."""
        return len(self.time)

    @property
    def path(self) -> Floats:
        r"""
        Way from antenna to ground to antenna, m.

        The direct wave takes :math:`s / c` from antenna to antenna, for the separation
        :math:`s`, so that the way is :math:`c (\tau - \tau_d) + s`.
        """
        return SPEED_OF_LIGHT * (self.time - self.direct_time) + self.separation

    @property
    def height(self) -> Floats:
        r"""
        Height of the antennas over the ground, m.

        As :func:`minesense.gpr.antenna_heights`, :math:`\sqrt{r^2 - s^2} / 2` with the way
        :math:`r` of the bounce, for each channel; NaN where the way is shorter than the
        separation.
        """
        square = self.path**2 - self.separation**2
        return np.sqrt(np.where(square >= 0, square, np.nan)) / 2

    @property
    def ratio(self) -> Floats:
        """
        Amplitude of the bounce times its way, over that of the direct wave times its way.

        Both spread with the inverse of their way. What remains is the reflection
        coefficient of the ground times a constant of the instrument, the gain of its
        antennas toward the ground over that toward each other.
        """
        way = self.separation if self.separation > 0 else 1.0
        return self.amplitude * self.path / (self.direct_amplitude * way)


class NoteBounce:
    """
    Align a lane to the ground as a given stage does, and note what is lost by it.

    Parameters
    ----------
    stage : AlignGround
        The stage; its output is handed on as it is.

    Notes
    -----
    The amplitude of the bounce is that of the aligned trace at the stage's `ground_time`,
    by the parabola through the three samples nearest to it. The direct wave is the
    greatest magnitude before the window in which the bounce is searched, its time and
    amplitude those of the vertex of the parabola around it; it counts as not seen if it is
    less than a tenth of the bounce. All of a trace's figures are its own: however a lane is
    cut, they are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import AlignGround, NoteBounce
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=5e-11 * np.arange(80),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9, separation=0.06),
    ... )
    >>> def ricker(delay):
    ...     phase = np.pi * 1.5e9 * (sensor.axis - delay)
    ...     return (1 - 2 * phase**2) * np.exp(-(phase**2))
    >>> lane = Sweep(
    ...     samples=np.tile(ricker(0.7e-9) - 0.2 * ricker(2.1e-9), (30, 1, 1)),
    ...     time=np.arange(30),
    ...     position=np.zeros((30, 3)),
    ...     heading=np.zeros(30),
    ...     sensor=sensor,
    ... )
    >>> stage = NoteBounce(AlignGround(search=(1.5e-9, 3e-9), ground_time=2e-9))
    >>> _ = stage.process(lane), stage.flush()
    >>> bounce = stage.take()
    >>> bounce.height[5].round(3), bounce.amplitude[5].round(2)
    (array([0.238]), array([-0.2]))
    """

    def __init__(self, stage: AlignGround):
        self._stage = stage
        self.latency = stage.latency
        self._sensor: Sensor | None = None
        self.reset()

    def __repr__(self) -> str:
        """Return the stage as it was made."""
        return repr(self._stage)

    def process(self, chunk: Sweep) -> Sweep:
        """Take the next chunk of the lane; return the aligned traces that are ready."""
        aligned = self._stage.process(chunk)
        if self._is_ended:  # what was not taken belongs to the lane before
            self._forget()
        if self._sensor is None:
            self._sensor = chunk.sensor
            self._direct = HeldTraces((2, chunk.sensor.shape[0]), np.float64)
        if len(chunk):
            self._direct.extend(_direct_wave(chunk, self._stage.search[0]))
        self._note(aligned)
        return aligned

    def flush(self) -> Sweep:
        """End the lane: return the traces held back; take the notes before the next lane."""
        tail = self._stage.flush()
        self._note(tail)
        self._is_ended = True
        return tail

    def reset(self) -> None:
        """Drop the lane and all that was noted of it."""
        self._stage.reset()
        self._forget()

    def _forget(self) -> None:
        """Drop all that was noted."""
        self._is_ended = False
        self._noted: list[Floats] = []
        self._direct = HeldTraces((2, 0), np.float64)
        self._sensor = None

    def take(self) -> Bounce:
        """
        Return what was noted since the last call, and forget it.

        Returns
        -------
        bounce : Bounce
            One row for each aligned trace, in their order.
        """
        sensor, noted = self._sensor, self._noted
        n_channels = sensor.shape[0] if sensor else 0
        rows = np.concatenate([np.empty((0, 4, n_channels)), *noted])
        separation = abs(sensor.radar.separation) if sensor and sensor.radar else 0.0
        self.reset()
        time, amplitude, direct_time, direct = (
            np.ascontiguousarray(rows[:, k]) for k in range(4)
        )
        return Bounce(
            time=time,
            amplitude=amplitude,
            direct_time=direct_time,
            direct_amplitude=direct,
            separation=separation,
        )

    def _note(self, aligned: Sweep) -> None:
        """Keep the figures of traces that were aligned."""
        n = len(aligned)
        if not n:  # ground_times may be those of an earlier call
            return
        times = self._stage.ground_times
        amplitude = _value_at(aligned, self._stage.ground_time)
        direct = self._direct.traces[:n].copy()
        self._direct.drop(n)
        is_seen = np.abs(direct[:, 1]) >= _LEAST * np.abs(amplitude)  # False for NaN
        direct = np.where(is_seen[:, None], direct, np.nan)
        self._noted.append(np.concatenate([times[:, None], amplitude[:, None], direct], axis=1))


def _direct_wave(chunk: Sweep, stop: float) -> Floats:
    """Return time and amplitude of the greatest magnitude before a time, for each trace."""
    axis = chunk.sensor.axis
    n_before = int(np.searchsorted(axis, stop))
    result = np.full((len(chunk), 2, chunk.sensor.shape[0]), np.nan)
    usable = np.flatnonzero(chunk.is_usable)
    if n_before < 3 or not len(usable):
        return result
    early = chunk.samples[usable, :, :n_before].astype(np.float64)
    middle = np.clip(np.abs(early).argmax(axis=2), 1, n_before - 2)
    place, value = _vertex(*(_pick(early, middle + k) for k in (-1, 0, 1)))
    result[usable, 0] = axis[middle] + place * chunk.sensor.sample_interval
    result[usable, 1] = value
    return result


def _value_at(aligned: Sweep, time: float) -> Floats:
    """Return the parabola through the three samples nearest to a time, at that time."""
    axis = aligned.sensor.axis
    place = (time - axis[0]) / aligned.sensor.sample_interval
    middle = int(np.clip(round(place), 1, max(1, len(axis) - 2)))
    part = place - middle
    three = aligned.samples[:, :, middle - 1 : middle + 2].astype(np.float64)
    before, here, after = np.moveaxis(three, 2, 0)
    return here + part * (after - before) / 2 + part**2 * (before - 2 * here + after) / 2


def _pick(values: Floats, index: npt.NDArray[np.intp]) -> Floats:
    """Return one value of each trace and channel."""
    return np.take_along_axis(values, index[..., None], axis=2)[..., 0]


def _vertex(before: Floats, here: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Return place, within half a sample, and value of the vertex of parabolas."""
    bend = before - 2 * here + after
    divisor = np.where(bend == 0, 1.0, bend)
    place = np.where(bend == 0, 0.0, np.clip((before - after) / (2 * divisor), -0.5, 0.5))
    return place, here + place * (after - before) / 2 + place**2 * bend / 2

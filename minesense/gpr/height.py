"""The height of the antennas over the ground, and traces as if it had stayed the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from .._kernels.alignment import shift_traces
from .._validation import check_array, check_not_negative, check_number, check_real, check_shape
from ..constants import SPEED_OF_LIGHT
from ..sensor import Sensor
from ..stage import Flags, LaneStage, run_lane
from ..sweep import Floats, Quality, Samples, Sweep
from .preprocess import check_radar
from .windows import scratch_of_shift


def antenna_heights(
    sweep: Sweep, ground_times: npt.ArrayLike, *, time_zero: float = 0.0
) -> Floats:
    r"""
    Return the height of the antennas over the ground from the time of the ground bounce.

    Parameters
    ----------
    sweep : Sweep
        The radar lane that the times are of; the separation of its antennas is used.
    ground_times : (n_traces, n_channels) array_like
        Two-way times of the ground bounce, in seconds, of :func:`track_ground`; NaN where
        unknown.
    time_zero : float
        When the peak of the pulse leaves the transmitter, in seconds on the axis of the
        sensor, as in :func:`back_project`.

    Returns
    -------
    heights : (n_traces,) float64 ndarray
        In metres, as :func:`back_project` takes them. Where no channel tells, the line
        between the nearest traces that do, or the nearest at the ends of the lane: imaging
        leaves flagged traces out, whatever their height.

    Raises
    ------
    TypeError, ValueError
        If the sensor is not a radar with a regular axis in seconds, shapes do not fit, a
        time is infinite or `time_zero` not finite, or no time of any trace tells a height.

    Notes
    -----
    Over flat ground with the separation :math:`s` of the antennas (0 if it is unknown) a
    bounce at :math:`\tau` has run along :math:`c (\tau - t_0) = \sqrt{(2 h)^2 + s^2}`, hence

    .. math:: h = \frac{1}{2} \sqrt{c^2 (\tau - t_0)^2 - s^2} .

    The height of a trace is the median over its channels. A time that is shorter than the
    way from antenna to antenna tells no height. An error of 0.1 ns in :math:`t_0` is one of
    1.5 cm.

    Examples
    --------
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(40), lever_arms=[[0, 0, 0]]
    ... )
    >>> sweep = Sweep(
    ...     samples=np.zeros((3, 1, 40)),
    ...     time=np.arange(3),
    ...     position=np.zeros((3, 3)),
    ...     heading=np.zeros(3),
    ...     sensor=sensor,
    ... )
    >>> antenna_heights(sweep, [[3e-9], [np.nan], [4e-9]], time_zero=1e-9).round(3)
    array([0.3  , 0.375, 0.45 ])
    """
    check_radar(sweep.sensor)
    shape = (len(sweep), len(sweep.sensor.lever_arms))
    times = check_shape(check_real(ground_times, "ground_times"), "ground_times", shape)
    times = np.asarray(times, dtype=np.float64)
    if np.isinf(times).any():
        trace = int(np.argmax(np.isinf(times).any(axis=1)))
        msg = f"Invalid ground_times: that of trace {trace} is infinite. Must be finite or NaN."
        raise ValueError(msg)
    path = SPEED_OF_LIGHT * (times - check_number(time_zero, "time_zero"))
    tells = path >= _separation(sweep.sensor)  # False for NaN
    tells &= path > 0
    square = np.where(tells, path, np.nan) ** 2 - _separation(sweep.sensor) ** 2
    known = tells.any(axis=1)
    if not len(sweep):
        return np.empty(0)
    if not known.any():
        msg = (
            f"Invalid ground_times of lane '{sweep.lane}': none is later than time_zero "
            f"{float(time_zero):.4g} s by the way between the antennas. Must tell a height."
        )
        raise ValueError(msg)
    heights = np.full(len(sweep), np.nan)
    heights[known] = np.nanmedian(np.sqrt(square[known]) / 2, axis=1)
    number = np.arange(len(sweep))
    heights[~known] = np.interp(number[~known], number[known], heights[known])
    return heights


def level_height(
    sweep: Sweep,
    *,
    height: npt.ArrayLike,
    reference: float,
    spreading: bool = True,
) -> Sweep:
    r"""
    Move traces to where they would be had the antennas kept one height over the ground.

    Parameters
    ----------
    sweep : Sweep
        A radar lane, best without its direct wave, which keeps its time only at the
        reference height.
    height : (n_traces,) or (n_traces, n_channels) array_like
        Of the antennas over the ground, in metres, for example of
        :func:`antenna_heights`.
    reference : float
        The height that is made up, in metres; best in the middle of the real ones.
    spreading : bool
        Whether amplitudes are made those of the reference height too.

    Returns
    -------
    levelled : Sweep
        Traces moved in time; samples from beyond the record are zero. The radar of its
        sensor, if known, has the height `reference`.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, the sensor is not a radar with a regular axis in
        seconds, or a gap lies in the lane.

    Notes
    -----
    With the way of the ground bounce, for the separation :math:`s` of the antennas (0 if it
    is unknown), and its way at the reference height,

    .. math:: r = \sqrt{(2 h)^2 + s^2}, \qquad
        y(t) = \frac{r}{r_0}\, x\!\left(t + \frac{r - r_0}{c}\right),

    interpolated as in :func:`align_ground`; nothing wraps around. The bounce of flat ground
    comes to its place exactly, in time and amplitude: its image in the ground is a source at
    the distance r. Echoes from below keep their distance from it. That is exact straight
    below the antennas; the flanks of a hyperbola, whose rays bend elsewhere, stay those of
    the real heights, and a buried object's own spreading, with :math:`h + z / n` in place of
    h, is overdone. For images :func:`back_project` takes the heights themselves.

    Examples
    --------
    >>> from minesense.sensor import Radar
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=1e-10 * np.arange(60),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9, separation=0.06),
    ... )
    >>> height = np.array([0.2, 0.25, 0.3])
    >>> way = np.hypot(2 * height, 0.06)
    >>> phase = np.pi * 1.5e9 * (sensor.axis - way[:, None] / 3e8 - 1e-9)
    >>> sweep = Sweep(
    ...     samples=(((1 - 2 * phase**2) * np.exp(-(phase**2))) / way[:, None])[:, None],
    ...     time=np.arange(3),
    ...     position=np.zeros((3, 3)),
    ...     heading=np.zeros(3),
    ...     sensor=sensor,
    ... )
    >>> levelled = level_height(sweep, height=height, reference=0.25)
    >>> sweep.samples[:, 0].argmax(axis=1), levelled.samples[:, 0].argmax(axis=1)
    (array([23, 27, 30]), array([27, 27, 27]))
    """
    heights = check_real(height, "height")
    n_channels = len(sweep.sensor.lever_arms)
    shape = (len(sweep),) if heights.ndim == 1 else (len(sweep), n_channels)
    heights = check_array(heights, "height", shape)
    if (heights < 0).any():
        trace = int(np.argwhere(heights < 0)[0, 0])
        worst = float(heights[trace].min())
        msg = f"Invalid height '{worst:g}' of trace {trace}. Must not be negative."
        raise ValueError(msg)
    columns = heights[:, None] if heights.ndim == 1 else heights
    every = np.broadcast_to(columns, (len(sweep), n_channels))
    stage = _LevelKnown(every, reference=reference, spreading=spreading)
    return run_lane(stage, sweep)


class LevelHeight(LaneStage):
    """
    Streaming form of :func:`level_height` for platforms that know their height.

    The height of a channel is the upward position of the trace and of its lever arm less
    `ground`. Where that is unknown or below the ground, the trace gets the flag
    HEIGHT_UNKNOWN and is moved as the last one whose height was known, at the start of a
    lane not at all. Without delay.

    Parameters
    ----------
    reference, spreading
        As in :func:`level_height`.
    ground : float
        Upward position of the ground in the frame of the sweep, in metres; 0 where the
        position is counted from the ground, as that of an altimeter.
    """

    def __init__(self, *, reference: float, ground: float = 0.0, spreading: bool = True):
        self.reference = check_not_negative(reference, "reference")
        self.ground = check_number(ground, "ground")
        self.spreading = bool(spreading)
        super().__init__(reference=self.reference, ground=self.ground, spreading=self.spreading)

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        if sensor.radar is None:
            return sensor
        radar = dataclasses.replace(sensor.radar, height=self.reference)
        return dataclasses.replace(sensor, radar=radar)

    def _begin(self, sensor: Sensor) -> None:
        self._step = check_radar(sensor)
        self._separation = _separation(sensor)
        self._upward = sensor.lever_arms[:, 2]
        self._last = np.full(len(self._upward), self.reference)
        self._shift = scratch_of_shift(sensor)
        if self._way(np.array(self.reference)) == 0 and self.spreading:
            msg = (
                f"Invalid reference '{self.reference}' with antennas at one place. Must be "
                "greater than zero, or spreading False: the bounce has no way to spread along."
            )
            raise ValueError(msg)

    def _way(self, height: Floats) -> Floats:
        """Return the length of the way over the ground, m."""
        return np.hypot(2 * height, self._separation)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        heights, flags = self._heights(len(samples))
        excess = self._way(heights) - self._way(np.array(self.reference))
        levelled = np.empty_like(samples)
        shifts = excess / (SPEED_OF_LIGHT * self._step)
        shift_traces(samples, np.ascontiguousarray(shifts), *self._shift, levelled)
        if self.spreading:
            factor = self._way(heights) / self._way(np.array(self.reference))
            levelled[is_usable] *= factor[is_usable, :, None].astype(np.float32)
        return levelled, flags

    def _heights(self, n: int) -> tuple[Floats, Flags]:
        """Return the heights of the channels at the newest traces, and flags."""
        upward = self._track["position"][-n:, 2] if n else np.empty(0)
        heights = upward[:, None] + self._upward - self.ground
        is_known = (heights >= 0).all(axis=1)  # False for NaN
        every = np.vstack([self._last, heights])
        source = np.where(is_known, np.arange(1, n + 1), 0)
        every = every[np.append(0, np.maximum.accumulate(source))]
        self._last = every[-1].copy()
        return every[1:], np.where(is_known, 0, int(Quality.HEIGHT_UNKNOWN))


class _LevelKnown(LevelHeight):
    """The same with heights that are given for all traces of the lane."""

    def __init__(self, heights: Floats, *, reference: float, spreading: bool):
        super().__init__(reference=reference, spreading=spreading)
        self.options = {
            "height": "array",
            "reference": self.reference,
            "spreading": self.spreading,
        }
        self._given = heights

    def __repr__(self) -> str:
        return f"LevelHeight{super().__repr__().removeprefix(type(self).__name__)}"

    def _begin(self, sensor: Sensor) -> None:
        super()._begin(sensor)
        self._n_used = 0  # heights; a long lane comes in chunks

    def _heights(self, n: int) -> tuple[Floats, Flags]:
        start, self._n_used = self._n_used, self._n_used + n
        return self._given[start : self._n_used], np.zeros(n, np.int64)


def _separation(sensor: Sensor) -> float:
    """Return the distance between transmitter and receiver, m; 0 if it is unknown."""
    return abs(sensor.radar.separation) if sensor.radar else 0.0

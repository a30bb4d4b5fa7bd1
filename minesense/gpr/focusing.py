"""Focus a radar profile as it is recorded, half an aperture behind."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_at_most,
    check_not_negative,
    check_number,
    check_positive,
)
from ..constants import SPEED_OF_LIGHT
from ..sensor import Sensor
from ..stage import Flags, LaneStage, check_follows, run_lane
from ..sweep import Floats, Quality, Samples, Sweep
from ._arrivals import (
    Arrivals,
    arrivals_at,
    check_angle,
    check_permittivity,
    height_of,
    offsets_of,
)
from ._level import LevelTable
from .preprocess import check_radar

#: Traces that are imaged at a time: what is held of a lane stays small.
_N_PART = 256


def focus(
    sweep: Sweep,
    *,
    permittivity: float,
    spacing: float,
    aperture: float,
    height: npt.ArrayLike | None = None,
    time_zero: float = 0.0,
    angle: float = math.radians(50.0),
    min_share: float = 0.25,
) -> Sweep:
    r"""
    Gather echoes at the points that they come from, in two-way time.

    Parameters
    ----------
    sweep : Sweep
        A radar lane of even spacing, nearly straight, best without its background.
    permittivity : float
        Relative, real, of the ground; 1 to 100.
    spacing : float
        Distance between neighbouring traces, in metres.
    aperture : float
        How far a sum reaches along the track to each side, in metres.
    height : float or (n_channels,) array_like, optional
        Of the antennas over the ground, in metres, for all channels or each; 0 if they lie
        on it. By default the height of the sensor's radar.
    time_zero : float
        When the peak of the pulse leaves the transmitter, in seconds on the axis of the
        sensor, as :func:`align_time_zero` makes it the same for all traces.
    angle : float
        Greatest angle of either leg from the vertical in the ground, in radians, less than
        a right angle.
    min_share : float
        Least share of the traces of a whole aperture, both sides, that must be usable, in
        (0, 1]. At the end of a lane half of them remain.

    Returns
    -------
    image : Sweep
        Samples (n_traces, n_channels, n_times) of the ground below each trace, in the unit
        of the sweep. The sensor's axis is the part of its two-way times that lies below
        the ground and within reach. Where too few traces are usable, samples are zero and
        have the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, there is no height, the sensor is not a radar with
        a regular axis in s, none of it lies below the ground, or positions do not agree with
        `spacing`: within 30 % for each trace, and over an aperture within 5 % and 0.3 of a
        spacing.

    Notes
    -----
    The sum is that of :func:`back_project`, where its weights are given, and equals it bit
    for bit at the depths

    .. math:: z = \frac{c\,(t - t_0) / 2 - h}{\sqrt{\varepsilon_r}} > 0

    for the times :math:`t` of the axis, with :math:`t_0` the `time_zero` and :math:`h` the
    height, of the highest channel if they differ. So an echo from straight below stays
    where it was, and what takes a radar lane takes its image too: a prescreener, the
    features, or a candidate's two-way time. Each channel is imaged by itself.

    A flagged trace enters no sum. Sums are not made up for traces that are missing: the
    image is weaker near them and near the ends of a lane. It lags by the traces of one side
    of the aperture.

    Examples
    --------
    A point 20 cm deep below the trace 20, from an antenna 30 cm over the ground:

    >>> from minesense.physics import trace_rays
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=1e-10 * np.arange(80), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.02 * np.arange(41)
    >>> arrival = 2 * trace_rays(0.3, 0.2, np.abs(northing - 0.4), index=3.0).time
    >>> phase = np.pi * 1e9 * (sensor.axis - arrival[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> image = focus(sweep, permittivity=9.0, spacing=0.02, aperture=0.4, height=0.3)
    >>> trace, _, k = np.unravel_index(image.samples.argmax(), image.samples.shape)
    >>> int(trace), bool(abs(image.sensor.axis[k] - 2 * (0.3 + 3.0 * 0.2) / 3e8) < 1e-10)
    (20, True)
    """
    stage = Focus(
        permittivity=permittivity,
        spacing=spacing,
        aperture=aperture,
        height=height,
        time_zero=time_zero,
        angle=angle,
        min_share=min_share,
    )
    return run_lane(stage, sweep)


class Focus(LaneStage):
    """Streaming form of :func:`focus`, with its options; lags by a side of the aperture."""

    def __init__(
        self,
        *,
        permittivity: float,
        spacing: float,
        aperture: float,
        height: npt.ArrayLike | None = None,
        time_zero: float = 0.0,
        angle: float = math.radians(50.0),
        min_share: float = 0.25,
    ):
        self.permittivity = check_permittivity(permittivity)
        self.spacing = check_positive(spacing, "spacing")
        self.aperture = check_positive(aperture, "aperture")
        self.height = None if height is None else _check_given(height)
        self.time_zero = check_number(time_zero, "time_zero")
        self.angle = check_angle(angle)
        self.min_share = check_at_most(check_positive(min_share, "min_share"), "min_share", 1)
        self.latency = offsets_of(self.aperture, self.spacing) - 1
        super().__init__(
            permittivity=self.permittivity,
            spacing=self.spacing,
            aperture=self.aperture,
            height=self.height,
            time_zero=self.time_zero,
            angle=self.angle,
            min_share=self.min_share,
        )

    def _begin(self, sensor: Sensor) -> None:
        heights = self._heights_of(sensor)
        above = self.time_zero + 2 * float(heights.max(initial=0)) / SPEED_OF_LIGHT
        index = math.sqrt(self.permittivity)
        depths = (sensor.axis - above) * SPEED_OF_LIGHT / (2 * index)
        # a thousandth of a sample keeps rounding from deciding on the surface itself
        is_in = sensor.axis - above > 1e-3 * sensor.sample_interval
        for height in np.unique(heights):
            below = self._arrivals(sensor, height, depths[is_in], np.zeros(1))
            is_in[is_in] = below.is_in[:, 0]
        if not is_in.any():
            msg = (
                f"Invalid sensor '{sensor.name}': its record, from {sensor.axis[0]:.4g} to "
                f"{sensor.axis[-1]:.4g} s, holds no echo from below the ground, which begins "
                f"at {above:.4g} s. Must reach below it: see height and time_zero."
            )
            raise ValueError(msg)
        self._axis = sensor.axis[is_in]
        x = self.spacing * np.arange(self.latency + 1.0)
        tables = {
            height: LevelTable.of(self._arrivals(sensor, height, depths[is_in], x))
            for height in np.unique(heights)
        }
        self._tables = [tables[height] for height in heights]
        n_held = 2 * self.latency + _N_PART
        self._held = np.zeros((n_held, *sensor.shape), np.float32)
        self._is_held_usable = np.zeros(n_held, np.bool_)
        self._n_held = self._first = self._n_out = 0

    def _heights_of(self, sensor: Sensor) -> Floats:
        """Return the height of every channel, if the sensor is a radar that can be imaged."""
        check_radar(sensor)
        height = _check_given(height_of(sensor, self.height))
        if np.ndim(height) and np.shape(height) != sensor.shape[:1]:
            msg = (
                f"Invalid height with shape {np.shape(height)} for sensor '{sensor.name}'. "
                f"Must be one number or ({sensor.shape[0]},), one for each channel."
            )
            raise ValueError(msg)
        return np.array(np.broadcast_to(height, sensor.shape[:1]), np.float64)

    def _arrivals(self, sensor: Sensor, height: float, depths: Floats, x: Floats) -> Arrivals:
        return arrivals_at(
            sensor,
            float(height),
            depths,
            x,
            permittivity=self.permittivity,
            aperture=self.aperture,
            time_zero=self.time_zero,
            angle=self.angle,
        )

    def _output_sensor(self, sensor: Sensor) -> Sensor:
        return dataclasses.replace(sensor, axis=self._axis, quantity="image")

    def reset(self) -> None:
        """Drop the lane and what is held back of it."""
        super().reset()
        self._places = np.empty((0, 2))

    def process(self, chunk: Sweep) -> Sweep:
        """
        Take the next chunk of the lane; return the traces that are ready.

        Raises
        ------
        TypeError, ValueError
            As every stage, and if positions do not agree with the spacing.
        """
        if not isinstance(chunk, Sweep) or chunk.sensor.shape == (0, 0):
            return super().process(chunk)
        if self._input is None:
            check_radar(chunk.sensor)
        check_follows(chunk, chunk[:0] if self._input is None else self._input, self._last_time)
        places = np.concatenate([self._places, chunk.position[:, :2]])
        self._check_places(places, len(self._places))
        result = super().process(chunk)
        known = np.flatnonzero(np.isfinite(places).all(axis=1))
        last = known[-1] if len(known) else len(places)
        self._places = places[max(0, min(len(places) - self.latency, last)) :].copy()
        return result

    def _check_places(self, places: Floats, n_checked: int) -> None:
        """Raise unless places, from one on, are a spacing apart and in line."""
        known = np.flatnonzero(np.isfinite(places).all(axis=1))
        new = np.searchsorted(known, n_checked)
        ends = np.arange(max(int(new), 1), len(known))
        oldest = np.searchsorted(known, known[ends] - self.latency)
        for starts, slack in ((ends - 1, 0.0), (np.minimum(oldest, ends - 1), 0.05)):
            n_steps = known[ends] - known[starts]
            way = np.hypot(*(places[known[ends]] - places[known[starts]]).T)
            most = (0.3 + slack * n_steps if slack else 0.3 * n_steps) * self.spacing
            wrong = np.abs(way - n_steps * self.spacing) > most
            if wrong.any():
                k = int(np.argmax(wrong))
                msg = (
                    f"Invalid chunk: its trace {known[ends[k]] - n_checked} is {way[k]:.4g} m "
                    f"from the trace {n_steps[k]} before. Must be {self.spacing:g} m a trace "
                    "on a straight lane: resample to equal distance."
                )
                raise ValueError(msg)

    def _advance(
        self, samples: Samples, is_usable: npt.NDArray[np.bool_]
    ) -> tuple[Samples, Flags | None]:
        taken = self._first + self._n_held
        n_ready = max(0, taken + len(samples) - self.latency) - self._n_out
        image = np.empty((n_ready, len(self._tables), len(self._axis)), np.float32)
        flags = np.empty(n_ready, np.int64)
        n_done = 0
        for start in range(0, len(samples), _N_PART):
            part = slice(start, start + _N_PART)
            self._hold(samples[part], is_usable[part])
            stop = max(0, self._first + self._n_held - self.latency)
            n_done += self._image_until(stop, image[n_done:], flags[n_done:])
        return image, flags

    def _finish(self) -> tuple[Samples, Flags | None] | None:
        taken = self._first + self._n_held
        image = np.empty((taken - self._n_out, len(self._tables), len(self._axis)), np.float32)
        flags = np.empty(len(image), np.int64)
        self._image_until(taken, image, flags)
        return image, flags

    def _hold(self, samples: Samples, is_usable: npt.NDArray[np.bool_]) -> None:
        """Keep traces that later columns need; forget those before, from time to time."""
        n_new = len(samples)
        if self._n_held + n_new > len(self._held):
            n_kept = 2 * self.latency
            old = slice(self._n_held - n_kept, self._n_held)
            self._held[:n_kept] = self._held[old].copy()
            self._is_held_usable[:n_kept] = self._is_held_usable[old].copy()
            self._first += self._n_held - n_kept
            self._n_held = n_kept
        new = slice(self._n_held, self._n_held + n_new)
        self._held[new] = samples
        self._is_held_usable[new] = is_usable
        self._n_held += n_new

    def _image_until(self, stop: int, image: Samples, flags: Flags) -> int:
        """Overwrite the first of image and flags up to a trace of the lane; return how many."""
        columns = range(self._n_out - self._first, stop - self._first)
        held = self._held[: self._n_held]
        is_usable = self._is_held_usable[: self._n_held]
        nothing = np.empty((0, 0, 0), np.float32)
        for channel, table in enumerate(self._tables):
            table.stack(held, is_usable, channel, columns, image[: len(columns)], nothing)
        n_used = np.concatenate([[0], np.cumsum(is_usable)])
        middle = np.array(columns, np.int64)
        near = n_used[np.minimum(middle + self.latency + 1, self._n_held)]
        near -= n_used[np.maximum(middle - self.latency, 0)]
        least = self.min_share * (2 * self.latency + 1)
        is_short = (near < least) & is_usable[middle]
        image[: len(columns)][is_short] = 0.0
        flags[: len(columns)] = np.where(is_short, int(Quality.EDGE), 0)
        self._n_out = stop
        return len(columns)


def _check_given(height: npt.ArrayLike) -> float | tuple[float, ...]:
    """Return a height, or one for each channel, none of them negative."""
    if np.ndim(height) == 0:
        return check_not_negative(height, "height")
    heights = check_array(height, "height", ("n_channels",))
    return tuple(check_not_negative(value, "height") for value in heights)

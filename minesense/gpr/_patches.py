"""Cells of candidates and the patches around them: what families of features share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_positive, check_real, check_shape
from ..sweep import Floats, Samples, Sweep
from .preprocess import check_radar

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Where candidates lie in a lane, checked, as whole numbers of traces and samples."""

    sweep: Sweep
    traces: Indices  #: (n,)
    channels: Indices  #: (n,)
    samples: Indices  #: (n,) of the echo; of no meaning where the cell is unusable
    is_usable: npt.NDArray[np.bool_]  #: (n,)
    ground: int  #: first sample below the ground
    interval: float  #: s, between samples
    spacing: float  #: m, between traces

    def empty(self, n_features: int) -> Floats:
        """Return a row for each cell, NaN until it is filled."""
        return np.full((len(self.traces), n_features), np.nan)

    def along(self, reach: float, *, least: int = 1) -> int:
        """Return how many traces lie within `reach` metres to each side, at least `least`."""
        length = check_positive(reach, "reach")
        n_traces = round(length / self.spacing)
        if n_traces < least:
            msg = (
                f"Invalid spacing '{self.spacing}'. Must leave {least} or more traces in the "
                f"{length} m looked at to each side."
            )
            raise ValueError(msg)
        return n_traces

    def half(self, duration: float) -> int:
        """Return how many samples lie in half a `duration` in seconds, at least one."""
        return half_window(duration, self.interval)

    def patches(
        self, *, along: int, across: int, before: int, after: int, is_cut: bool = False
    ) -> Iterator[tuple[int, Samples]]:
        """
        Yield the row of each usable cell and the patch around it.

        It reaches `along` traces and `across` channels to each side, from `before` samples
        ahead of the echo to `after` behind it. Zeros stand for unusable traces, for what lies
        beyond the lane, the array or the record and, with `is_cut`, above the ground.
        """
        n_channels, n_samples = self.sweep.sensor.shape
        shape = (2 * along + 1, 2 * across + 1, before + after + 1)
        usable = self.sweep.is_usable
        top = self.ground if is_cut else 0
        for row in np.flatnonzero(self.is_usable):
            i, c, j = int(self.traces[row]), int(self.channels[row]), int(self.samples[row])
            patch = np.zeros(shape, np.float32)
            traces, to_traces = _overlap(i - along, shape[0], 0, len(self.sweep))
            channels, to_channels = _overlap(c - across, shape[1], 0, n_channels)
            samples, to_samples = _overlap(j - before, shape[2], top, n_samples)
            patch[to_traces, to_channels, to_samples] = np.where(
                usable[traces, None, None], self.sweep.samples[traces, channels, samples], 0
            )
            yield int(row), patch


def locate_cells(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
) -> Cells:
    """
    Check candidates and find the sample of each one's echo.

    Where the time is NaN it is that of the greatest energy of the cell's own trace below the
    ground, summed over one period of the centre frequency.
    """
    interval = check_radar(sweep.sensor)
    axis = sweep.sensor.axis
    if not axis[0] <= check_not_negative(ground_time, "ground_time") < axis[-1]:
        msg = f"Invalid ground_time '{ground_time}'. Must lie in {axis[0]} to {axis[-1]} s."
        raise ValueError(msg)
    rows = _check_indices(traces, "traces", len(sweep))
    columns = _check_indices(channels, "channels", sweep.sensor.shape[0], len(rows))
    delays = check_shape(check_real(times, "times"), "times", (len(rows),)).astype(np.float64)
    is_given = ~np.isnan(delays)
    if ((delays < axis[0]) | (delays > axis[-1])).any():
        wrong = float(delays[(delays < axis[0]) | (delays > axis[-1])][0])
        msg = f"Invalid times with '{wrong}'. Must lie in {axis[0]} to {axis[-1]} s, or be NaN."
        raise ValueError(msg)
    ground = int(np.searchsorted(axis, ground_time))
    samples = np.full(len(rows), ground, np.intp)
    samples[is_given] = np.rint((delays[is_given] - axis[0]) / interval).astype(np.intp)
    is_usable = sweep.is_usable[rows]
    radar = sweep.sensor.radar
    period = 1 / radar.centre_frequency if radar else 4 * interval
    half = max(1, round(period / 2 / interval))
    for row in np.flatnonzero(is_usable & ~is_given):
        trace = sweep.samples[rows[row], columns[row], ground:]
        samples[row] = ground + _strongest(trace, half)
    return Cells(
        sweep=sweep,
        traces=rows,
        channels=columns,
        samples=samples,
        is_usable=is_usable,
        ground=ground,
        interval=interval,
        spacing=check_positive(spacing, "spacing"),
    )


def half_window(duration: float, interval: float) -> int:
    """Return how many samples lie in half a `duration` in seconds, at least one."""
    window = check_positive(duration, "duration")
    half = round(window / 2 / interval)
    if half < 1:
        msg = (
            f"Invalid duration '{window}'. Must hold three samples of {interval:.4g} s or more."
        )
        raise ValueError(msg)
    return half


def _strongest(trace: Samples, half: int) -> int:
    """Return the sample with the greatest sum of squares up to `half` samples around it."""
    total = np.concatenate([[0.0], np.cumsum(trace.astype(np.float64) ** 2)])
    n = len(trace)
    low = np.maximum(0, np.arange(n) - half)
    high = np.minimum(n, np.arange(n) + half + 1)
    return int(np.argmax(total[high] - total[low]))


def _overlap(start: int, length: int, first: int, stop: int) -> tuple[slice, slice]:
    """Return where a window and a range meet, counted in the range and in the window."""
    low, high = max(first, start), min(stop, start + length)
    if low >= high:
        return slice(0, 0), slice(0, 0)
    return slice(low, high), slice(low - start, high - start)


def _check_indices(
    values: npt.ArrayLike, name: str, stop: int, n: int | None = None
) -> Indices:
    """Return whole numbers from 0 to below `stop`, `n` of them."""
    array = check_shape(check_real(values, name), name, ("n" if n is None else n,))
    if not len(array):
        return np.empty(0, np.intp)
    if array.dtype.kind not in "iu":
        msg = f"Invalid {name} of dtype {array.dtype}. Must be whole numbers."
        raise TypeError(msg)
    if array.min() < 0 or array.max() >= stop:
        wrong = int(array[(array < 0) | (array >= stop)][0])
        msg = f"Invalid {name} with '{wrong}'. Must lie in 0 to {stop - 1}."
        raise ValueError(msg)
    return array.astype(np.intp)

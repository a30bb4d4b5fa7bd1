"""Windows of two-way time as samples, and what moving traces in time needs."""

from __future__ import annotations

import numpy as np

from .._validation import check_array
from ..sensor import Sensor
from ..sweep import Floats


def check_window(value: tuple[float, float], name: str) -> tuple[float, float]:
    """Return (start, stop) as floats if start is before stop."""
    start, stop = check_array(value, name, (2,)).tolist()
    if start >= stop:
        msg = f"Invalid {name} ({start}, {stop}). Must be (start, stop), start before stop."
        raise ValueError(msg)
    return start, stop


def samples_between(window: tuple[float, float], name: str, sensor: Sensor) -> tuple[int, int]:
    """Return the first sample of a window of two-way time and the first after it."""
    start, stop = window
    axis, step = sensor.axis, sensor.sample_interval
    if start < axis[0] - step / 2 or stop > axis[-1] + step / 2:
        msg = (
            f"Invalid {name} ({start}, {stop}). Must lie on the axis of sensor "
            f"'{sensor.name}', {axis[0]:.4g} to {axis[-1]:.4g} s."
        )
        raise ValueError(msg)
    first, last = round((start - axis[0]) / step), round((stop - axis[0]) / step)
    if last - first < 2:
        msg = (
            f"Invalid {name} ({start}, {stop}). Must hold three samples of {step:.4g} s or "
            "more."
        )
        raise ValueError(msg)
    return first, last + 1


def scratch_of_shift(sensor: Sensor) -> tuple[Floats, Floats]:
    """Return the scratch arrays of `shift_traces`."""
    return np.empty((4, 8)), np.empty(sensor.shape[1] + 7)

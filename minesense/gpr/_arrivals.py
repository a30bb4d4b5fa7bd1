"""When echoes of points in the ground arrive, for imaging."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_increasing,
    check_not_negative,
    check_number,
    check_positive,
)
from ..constants import SPEED_OF_LIGHT
from ..physics import trace_rays
from ..sensor import Sensor
from ..sweep import Floats, Samples, Sweep

#: Heights of one table lie within this many samples of the way of light.
HEIGHT_BIN = 1 / 12


class Arrivals(NamedTuple):
    """Where in a trace the echo of a point is, by depth and offset in traces."""

    is_in: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]
    fractions: Samples
    weights: Samples

    @property
    def ranges(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """First offset in the sum of every depth, and the one behind its last."""
        # along offset both time and angle grow: what enters a sum has no holes
        firsts = np.argmax(self.is_in, axis=1)
        return firsts, firsts + self.is_in.sum(axis=1)

    @property
    def halves(self) -> tuple[Samples, Samples]:
        """Weights of the row and of the next for each of two traces at an offset."""
        weights = np.where(self.is_in, self.weights, np.float32(0.0))
        weights[:, 0] /= 2  # both are one trace
        upper = weights * self.fractions
        return weights - upper, upper


def check_permittivity(value: float) -> float:
    """Return a relative permittivity that ground can have."""
    number = check_number(value, "permittivity")
    if not 1 <= number <= 100:
        msg = f"Invalid permittivity '{number:g}'. Must be relative, from 1 to 100."
        raise ValueError(msg)
    return number


def check_depths(values: npt.ArrayLike) -> Floats:
    """Return increasing depths below the surface."""
    depths = check_increasing(check_array(values, "depths", ("n_depths",)), "depths")
    if not len(depths) or depths[0] <= 0:
        found = f"'{depths[0]:g}'" if len(depths) else "without a value"
        msg = f"Invalid depths {found}. Must be one or more, greater than zero."
        raise ValueError(msg)
    return depths.copy()


def check_angle(value: float) -> float:
    """Return an angle from the vertical in the ground, less than a right one."""
    angle = check_positive(value, "angle")
    if angle >= math.pi / 2:
        msg = f"Invalid angle '{angle}'. Must be less than pi / 2, in radians."
        raise ValueError(msg)
    return angle


def height_of(sensor: Sensor, height: npt.ArrayLike | None) -> npt.ArrayLike:
    """Return the height that is given, or else that of the sensor's radar."""
    if height is None:
        height = sensor.radar.height if sensor.radar else None
    if height is None:
        msg = f"Invalid height None: sensor '{sensor.name}' has none. Must be given."
        raise ValueError(msg)
    return height


def check_heights(sweep: Sweep, height: npt.ArrayLike | None) -> Floats:
    """Return the height of every trace and channel."""
    height = height_of(sweep.sensor, height)
    n_traces, n_channels, _ = sweep.samples.shape
    if np.ndim(height) == 0:
        return np.full((n_traces, n_channels), check_not_negative(height, "height"))
    if np.ndim(height) == 2:
        n_rows = 1 if np.shape(height)[0] == 1 else n_traces
        heights = check_array(height, "height", (n_rows, n_channels))
    else:
        heights = check_array(height, "height", (n_traces,))[:, None]
    if (heights < 0).any():
        k, c = np.argwhere(heights < 0)[0]
        msg = f"Invalid height '{heights[k, c]:g}' of trace {k}. Must not be negative."
        raise ValueError(msg)
    return np.array(np.broadcast_to(heights, (n_traces, n_channels)))


def bin_heights(heights: Floats, width: float) -> tuple[Floats, npt.NDArray[np.intp]]:
    """
    Return heights no more than half a width from all, and which one is whose.

    Those of a channel (a column) that are all the same are returned as they are.
    """
    if not heights.size:
        return np.empty(0), np.zeros(heights.shape, np.intp)
    middles = np.where(heights > 0, (np.floor(heights / width) + 0.5) * width, 0.0)
    kept = np.where(np.ptp(heights, axis=0) == 0, heights, middles)
    centres, bins = np.unique(kept, return_inverse=True)
    return centres, bins.reshape(heights.shape)


def leg(
    height: float, depths: Floats, offset: Floats, permittivity: float
) -> tuple[Floats, Floats]:
    """Return time of one leg and its cosine in the ground; depth first."""
    index, z = math.sqrt(permittivity), depths[:, None]
    if height == 0:  # straight: on the ground a wave is not to creep along it
        path = np.hypot(z, offset)
        return index * path / SPEED_OF_LIGHT, z / path
    n_steps = 5 if height > 0.02 else 12
    rays = trace_rays(height, z, offset, index=index, n_steps=n_steps)
    return rays.time, z / rays.soil


def legs(
    separation: float, height: float, depths: Floats, x: Floats, permittivity: float
) -> tuple[Floats, Floats, Floats]:
    """Return time over both legs, and mean and least cosine in the ground; depth first."""
    half = abs(separation) / 2
    near, near_cosine = leg(height, depths, np.abs(x - half), permittivity)
    if half == 0:
        return 2 * near, near_cosine, near_cosine
    far, far_cosine = leg(height, depths, x + half, permittivity)
    return near + far, (near_cosine + far_cosine) / 2, np.minimum(near_cosine, far_cosine)


def separation_of(sensor: Sensor) -> float:
    """Return the distance between the antennas; 0 if it is unknown."""
    return sensor.radar.separation if sensor.radar else 0.0


def arrivals_at(
    sensor: Sensor,
    height: float,
    depths: Floats,
    x: Floats,
    *,
    permittivity: float,
    aperture: float,
    time_zero: float,
    angle: float,
) -> Arrivals:
    """Return where echoes of points are in traces at distances x, from one height."""
    time, cosine, steepest = legs(separation_of(sensor), height, depths, x, permittivity)
    place = (time + (time_zero - sensor.axis[0])) / sensor.sample_interval
    last = len(sensor.axis) - 1
    is_in = steepest >= math.cos(angle) * (1 - 1e-12)
    is_in &= (place >= -1e-9) & (place <= last + 1e-9) & (x < aperture)
    place = np.where(is_in, place, 0.0)
    rows = np.clip(place.astype(np.int64), 0, last - 1)
    fractions = np.clip(place - rows, 0.0, 1.0)
    weights = cosine * np.cos(np.pi * x / (2 * aperture)) ** 2
    return Arrivals(is_in, rows, fractions.astype(np.float32), weights.astype(np.float32))


def offsets_of(aperture: float, spacing: float) -> int:
    """Return how many offsets in traces an aperture holds, the trace itself included."""
    return math.ceil(aperture / spacing * (1 - 1e-9))

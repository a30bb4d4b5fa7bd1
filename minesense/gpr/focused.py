"""Features of what a candidate's echo becomes when the lane around it is focused."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from .._validation import check_not_negative
from ..alarm import Feature
from ..sweep import Floats, Quality, Sweep
from .features import FEATURES, radar_features
from .migration import kirchhoff

#: Features of :func:`focused_features`, in the order of its columns.
FOCUSED_FEATURES: tuple[Feature, ...] = tuple(
    Feature(f"focused_{feature.name}", feature.unit, f"after focusing: {feature.meaning}")
    for feature in FEATURES
)

_BELOW = 1e-9  # s after the ground, from which the level of the image is taken
_LEAST = 1e-30  # level of an image without anything in it


def focused_features(
    sweep: Sweep,
    traces: Sequence[int],
    channels: Sequence[int],
    *,
    ground_time: float,
    spacing: float,
    velocity: float = 1.2e8,
    aperture: float = 0.3,
) -> Floats:
    r"""
    Describe the echoes at candidate places as they are after focusing along the track.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) sequence of int
        Trace and channel of each candidate.
    ground_time : float
        Two-way time of the ground surface in the aligned sweep, in seconds.
    spacing : float
        Distance between neighbouring traces, in metres.
    velocity : float
        With which echoes are focused, in metres per second.
    aperture : float
        How far a sum reaches along the track to each side, in metres.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`FOCUSED_FEATURES`; a row of NaN where the trace itself is
        unusable.

    Raises
    ------
    TypeError, ValueError
        As :func:`radar_features` and :func:`kirchhoff`.

    Notes
    -----
    The image is that of :func:`kirchhoff`, as if the lane were straight and evenly spaced
    and antenna, air and ground one medium of `velocity`. It is divided by
    :math:`1.4826\, \mathrm{median} |I|` over the usable traces, from 1 ns below the ground
    on, or over all of a shorter record, and then described by :func:`radar_features`: the
    amplitude of the lane does not matter, that of an echo against the rest of it does.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import FOCUSED_FEATURES, focused_features
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=62.5e-12 * np.arange(96), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.025 * np.arange(60)
    >>> arrival = 2 * np.hypot(0.18, northing - 0.75) / 1.2e8
    >>> phase = np.pi * 1.5e9 * (sensor.axis - arrival[:, None])
    >>> echo = (1 - 2 * phase**2) * np.exp(-(phase**2))
    >>> noise = np.random.default_rng(seed=0).normal(scale=0.1, size=(60, 96))
    >>> sweep = Sweep(
    ...     samples=(echo + noise)[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(60),
    ...     sensor=sensor,
    ... )
    >>> row = focused_features(sweep, [30], [0], ground_time=1e-9, spacing=0.025)[0]
    >>> names = [feature.name for feature in FOCUSED_FEATURES]
    >>> bool(row[names.index("focused_contrast")] > 4)
    True
    """
    start = check_not_negative(ground_time, "ground_time")
    northing = np.arange(len(sweep)) * float(spacing)
    even = dataclasses.replace(
        sweep,
        position=np.column_stack([0 * northing, northing, 0 * northing]),
        heading=np.zeros(len(sweep)),
        # the caller says that nothing is missing, and neither of the two is used
        quality=sweep.quality & ~int(Quality.GAP | Quality.POSE_NONE),
    )
    image = kirchhoff(even, velocity=velocity, spacing=spacing, aperture=aperture)
    below = image.sensor.axis >= start + _BELOW
    level = np.abs(image.samples[image.is_usable][..., below if below.any() else slice(None)])
    scale = 1.4826 * float(np.median(level)) if level.size else 0.0
    scaled = dataclasses.replace(
        image, samples=(image.samples / max(scale, _LEAST)).astype(np.float32)
    )
    return radar_features(scaled, traces, channels, ground_time=start, spacing=spacing)

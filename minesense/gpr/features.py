"""Features of a radar candidate: what the echo looks like, with names and units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._validation import check_not_negative, check_positive
from ..alarm import Feature
from ..sweep import Floats, Samples, Sweep
from .preprocess import check_radar

#: Features of :func:`radar_features`, in the order of its columns.
FEATURES: tuple[Feature, ...] = (
    Feature("peak_amplitude", "1", "largest whitened amplitude of the apex traces"),
    Feature("peak_delay", "s", "two-way time of the energy peak after the ground"),
    Feature("polarity", "1", "(max + min) / (max - min) around the peak"),
    Feature("core_level", "dB", "mean energy within 0.1 m along track"),
    Feature("outer_level", "dB", "mean energy from 0.25 m along track outward"),
    Feature("contrast", "dB", "core level minus outer level"),
    Feature("shallow_share", "1", "share of apex energy in the first nanosecond"),
    Feature("middle_share", "1", "share of apex energy from 1 to 2.5 ns"),
    Feature("echo_duration", "s", "spread of apex energy in time"),
    Feature("second_delay", "s", "from the peak to the strongest other echo below it"),
    Feature("second_ratio", "dB", "level of that echo against the peak"),
    Feature("along_width", "m", "spread of energy along track at the peak's time"),
    Feature("across_ratio", "dB", "neighbouring channels against this one"),
    Feature("across_balance", "1", "difference of the two neighbours over their sum"),
    Feature("symmetry", "1", "correlation of the patch with its mirror image along track"),
    Feature("moveout", "s/m^2", "curvature of delay along track"),
    Feature("alignment", "1", "mean correlation of traces with the apex at that delay"),
    Feature("coherence", "1", "semblance of the apex traces"),
    Feature("centroid_frequency", "Hz", "mean frequency of the apex traces"),
    Feature("bandwidth", "Hz", "spread of frequency of the apex traces"),
)

_REACH = 0.35  # m of track on each side of the apex
_APEX = 0.06  # m on each side that count as the apex
_MAX_LAG = 1.2e-9  # s, greatest delay looked for along the track
_NEAR = 0.4e-9  # s around the peak that belong to the same echo


def radar_features(
    sweep: Sweep,
    traces: Sequence[int],
    channels: Sequence[int],
    *,
    ground_time: float,
    spacing: float,
) -> Floats:
    """
    Describe the echoes at candidate places.

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

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`FEATURES`; a row of NaN where the trace itself is unusable.

    Raises
    ------
    ValueError
        If `ground_time` lies outside the sample axis, `spacing` is not greater than zero or
        beyond 0.35 m, or a trace or channel is outside the sweep.

    Notes
    -----
    The patch reaches 0.35 m along track and to both neighbouring channels. Unusable traces,
    and what lies beyond the lane or the array, count as zero amplitude. Energy is smoothed
    over one period of the centre frequency, and only samples below the ground are looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import FEATURES, radar_features
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=62.5e-12 * np.arange(96),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9),
    ... )
    >>> northing = 0.025 * np.arange(40)
    >>> samples = np.random.default_rng(seed=0).normal(size=(40, 1, 96))
    >>> samples[18:23, 0, 40] += 20.0
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(40),
    ...     sensor=sensor,
    ... )
    >>> row = radar_features(sweep, [20], [0], ground_time=1e-9, spacing=0.025)[0]
    >>> names = [feature.name for feature in FEATURES]
    >>> bool(row[names.index("contrast")] > 5)
    True
    """
    spacing = check_positive(spacing, "spacing")
    if spacing > _REACH:
        msg = f"Invalid spacing '{spacing}'. Must be at most {_REACH} m, the reach looked at."
        raise ValueError(msg)
    axis = sweep.sensor.axis
    if not axis[0] <= check_not_negative(ground_time, "ground_time") < axis[-1]:
        msg = f"Invalid ground_time '{ground_time}'. Must lie in {axis[0]} to {axis[-1]} s."
        raise ValueError(msg)
    interval = check_radar(sweep.sensor)
    first = int(np.searchsorted(axis, ground_time))
    n_traces, n_channels = len(sweep), sweep.sensor.shape[0]
    result = np.full((len(traces), len(FEATURES)), np.nan)
    for row, (i, c) in enumerate(zip(traces, channels, strict=True)):
        if not (0 <= i < n_traces and 0 <= c < n_channels):
            msg = f"Invalid trace {i}, channel {c}. Must lie in {n_traces}, {n_channels}."
            raise ValueError(msg)
        if sweep.is_usable[i]:
            patch = _cut(sweep, i, c, first, round(_REACH / spacing))
            result[row] = _describe(patch, interval, spacing, _period(sweep))
    return result


def _period(sweep: Sweep) -> float:
    """Return one period of the centre frequency."""
    radar = sweep.sensor.radar
    return 1 / radar.centre_frequency if radar else 4 * sweep.sensor.sample_interval


def _cut(sweep: Sweep, i: int, c: int, first: int, reach: int) -> Samples:
    """
    Return traces i +- reach of channels c - 1, c, c + 1 from sample `first` on.

    Zeros stand for what lies beyond the lane or the array and for unusable traces.
    """
    n_channels, n_samples = sweep.sensor.shape
    patch = np.zeros((2 * reach + 1, 3, n_samples - first), np.float32)
    low, high = max(0, i - reach), min(len(sweep), i + reach + 1)
    left, right = max(0, c - 1), min(n_channels, c + 2)
    block = sweep.samples[low:high, left:right, first:]
    usable = sweep.is_usable[low:high, None, None]
    patch[low - i + reach : high - i + reach, left - c + 1 : right - c + 1] = np.where(
        usable, block, 0
    )
    return patch


def _describe(patch: Samples, interval: float, spacing: float, period: float) -> Floats:
    """Return the features of one patch in the order of FEATURES."""
    reach = len(patch) // 2
    apex = max(1, round(_APEX / spacing))
    core, outer = round(0.1 / spacing), round(0.25 / spacing)
    middle = patch[:, 1].astype(np.float64)
    energy = _smooth(middle**2, max(1, round(period / interval)))
    delay = interval * np.arange(energy.shape[1])
    top = energy[reach - apex : reach + apex + 1].mean(axis=0)  # energy of the apex in time
    peak = int(np.argmax(top))
    total = top.sum() + 1e-12
    near = max(1, round(_NEAR / interval))
    around = slice(max(0, peak - near), peak + near + 1)
    traces = middle[reach - apex : reach + apex + 1]
    high, low = traces[:, around].max(), traces[:, around].min()
    mean_delay = (top * delay).sum() / total
    distance = np.abs(np.arange(-reach, reach + 1))
    core_level = _decibel(energy[distance <= core].mean())
    outer_level = _decibel(energy[distance >= outer].mean())
    below = top[peak + 2 * near :]
    second = int(np.argmax(below)) if len(below) else 0
    along = energy[:, around].sum(axis=1)
    sides = (patch[reach - apex : reach + apex + 1, ::2, around].astype(np.float64) ** 2).sum(
        axis=(0, 2)
    )
    centre = (traces[:, around] ** 2).sum()
    moveout, alignment = _moveout(middle, peak, near, interval, spacing)
    frequency, power = _spectrum(traces[:, max(0, peak - 2 * near) : peak + 2 * near], interval)
    centroid = (frequency * power).sum() / power.sum()
    return np.array(
        [
            np.abs(traces).max(),
            delay[peak],
            (high + low) / (high - low + 1e-12),
            core_level,
            outer_level,
            core_level - outer_level,
            top[delay < 1e-9].sum() / total,
            top[(delay >= 1e-9) & (delay < 2.5e-9)].sum() / total,
            np.sqrt((top * (delay - mean_delay) ** 2).sum() / total),
            interval * (2 * near + second) if len(below) else 0.0,
            _decibel(below[second]) - _decibel(top[peak]) if len(below) else -60.0,
            spacing * np.sqrt((along * distance**2).sum() / (along.sum() + 1e-12)),
            _decibel(sides.mean()) - _decibel(centre),
            abs(sides[1] - sides[0]) / (sides.sum() + 1e-12),
            _correlation(middle, middle[::-1]),
            moveout,
            alignment,
            (traces[:, around].sum(axis=0) ** 2).sum() / (len(traces) * centre + 1e-12),
            centroid,
            np.sqrt((power * (frequency - centroid) ** 2).sum() / power.sum()),
        ]
    )


def _decibel(power: float) -> float:
    """Return a power ratio in decibels, at least -60."""
    return float(10 * np.log10(max(power, 1e-6)))


def _smooth(energy: Floats, width: int) -> Floats:
    """Return the running mean over `width` samples along time, edges shrinking."""
    total = np.cumsum(np.pad(energy, ((0, 0), (1, 0))), axis=1)
    n = energy.shape[1]
    low = np.maximum(0, np.arange(n) - width // 2)
    high = np.minimum(n, np.arange(n) + width - width // 2)
    return (total[:, high] - total[:, low]) / (high - low)


def _correlation(a: Floats, b: Floats) -> float:
    """Return the correlation of two arrays about zero."""
    return float((a * b).sum() / (np.sqrt((a**2).sum() * (b**2).sum()) + 1e-12))


def _moveout(
    traces: Floats, peak: int, near: int, interval: float, spacing: float
) -> tuple[float, float]:
    r"""
    Return curvature and quality of the delay along track.

    For each trace the lag of its best correlation with the apex, from 0 down to later
    times, is fitted by :math:`\tau = b x^2` with the correlations as weights.
    """
    reach = len(traces) // 2
    start, stop = max(0, peak - near), peak + near + 1
    template = traces[reach - 1 : reach + 2, start:stop].sum(axis=0)
    n_lags = min(round(_MAX_LAG / interval), traces.shape[1] - stop)
    if n_lags < 1:
        return 0.0, 0.0
    windows = np.lib.stride_tricks.sliding_window_view(
        traces[:, start : stop + n_lags], stop - start, axis=1
    )
    norm = np.sqrt((windows**2).sum(axis=2) * (template**2).sum()) + 1e-12
    match = (windows * template).sum(axis=2) / norm
    best = match.argmax(axis=1)
    weight = np.clip(match.max(axis=1), 0, None) ** 2
    square = (spacing * np.arange(-reach, reach + 1)) ** 2
    curvature = (weight * square * best * interval).sum() / ((weight * square**2).sum() + 1e-12)
    return float(curvature), float(match.max(axis=1).mean())


def _spectrum(traces: Floats, interval: float) -> tuple[Floats, Floats]:
    """Return frequencies and the mean power spectrum, with a Hann window."""
    length = traces.shape[1]
    window = np.hanning(length + 2)[1:-1]
    n = max(256, length)  # rfft would drop samples beyond n
    power = (np.abs(np.fft.rfft(traces * window, n=n, axis=1)) ** 2).mean(axis=0)
    frequency = np.fft.rfftfreq(n, interval).astype(np.float64)
    return frequency, power + 1e-12

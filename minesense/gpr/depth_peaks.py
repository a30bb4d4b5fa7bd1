"""Features of the energy of a candidate over depth: how many echoes, and where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..alarm import Feature
from ..sweep import Floats, Sweep
from ._patches import locate_cells

_N_PEAKS = 3  # that are described
_REACH, _APEX = 0.35, 0.06  # m along track to each side: looked at, and counted as the apex
_LEAST = 10 ** (-1.2)  # of the strongest: what has less energy is no peak
_FLOOR = 1e-6

#: Features of :func:`depth_peak_features`, in the order of its columns.
DEPTH_PEAK_FEATURES: tuple[Feature, ...] = (
    Feature("depth_peaks", "1", "peaks of apex energy within 12 dB of the strongest"),
    Feature("depth_peak_delay_1", "s", "from the ground to the strongest peak"),
    Feature("depth_peak_delay_2", "s", "from the strongest peak to the second, later positive"),
    Feature("depth_peak_delay_3", "s", "from the strongest peak to the third, later positive"),
    Feature("depth_peak_level_2", "dB", "of the second peak against the strongest"),
    Feature("depth_peak_level_3", "dB", "of the third peak against the strongest"),
    Feature("depth_peak_distance", "s", "of the echo asked for from the strongest peak"),
    Feature("depth_peak_gap", "dB", "lowest energy between the two, against the second"),
    Feature("depth_peak_offset", "m", "from the candidate to the middle of the strongest peak"),
    Feature("depth_peak_drift", "m", "between the middles along track of the two strongest"),
    Feature("depth_peak_likeness", "1", "of the two strongest peaks' energy along track"),
)


def depth_peak_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
) -> Floats:
    r"""
    Describe the peaks of energy over depth at candidate places.

    Parameters
    ----------
    sweep : Sweep
        One continuous lane, aligned to the ground, without background, whitened.
    traces, channels : (n,) array_like of int
        Trace and channel of each candidate.
    times : (n,) array_like
        Two-way time of each echo, in seconds; NaN for the strongest of its trace.
    ground_time : float
        Two-way time of the ground surface in the aligned sweep, in seconds.
    spacing : float
        Distance between neighbouring traces, in metres.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`DEPTH_PEAK_FEATURES`; a row of NaN where the cell is unusable.
        Delays of peaks that are not there are NaN, their levels -60 dB.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, a trace, channel or time is outside the sweep, or
        the sensor is not a radar with a regular axis in seconds.

    Notes
    -----
    The energy of each trace, from the ground down, is the mean of squares over one period
    of the centre frequency; :math:`E(t)` is its mean over the traces within 6 cm. A peak
    is a time with the greatest energy within three quarters of a period to each side that
    has at least a sixteenth (-12 dB) of the strongest. The middle of a peak is the
    centroid of the energy at its time over the traces within 0.35 m; the likeness of two
    is the cosine between those energies along track. Amplitude does not matter, nor which
    way the lane was run.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import depth_peak_features
    >>> from minesense.sensor import Radar, Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo",
    ...     kind="gpr",
    ...     axis=62.5e-12 * np.arange(120),
    ...     lever_arms=[[0, 0, 0]],
    ...     radar=Radar(centre_frequency=1.5e9),
    ... )
    >>> samples = np.zeros((41, 1, 120))
    >>> samples[18:23, 0, [40, 70]] = [2.0, 1.0]
    >>> northing = 0.025 * np.arange(41)
    >>> sweep = Sweep(
    ...     samples=samples,
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> row = depth_peak_features(
    ...     sweep, [20], [0], [2.5e-9], ground_time=1e-9, spacing=0.025
    ... )[0]
    >>> n_peaks, level = row[0], row[4]
    >>> int(n_peaks), round(float(level), 1)
    (2, -6.0)
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    interval = cells.interval
    radar = sweep.sensor.radar
    period = max(2, round(1 / radar.centre_frequency / interval)) if radar else 4
    n_along, n_apex = cells.along(_REACH), max(1, round(_APEX / cells.spacing))
    n_samples = len(sweep.sensor.axis)
    result = cells.empty(len(DEPTH_PEAK_FEATURES))
    # one patch of the whole record from the ground on, whatever the time of the echo
    whole = {"along": n_along, "across": 0, "before": n_samples, "after": n_samples}
    for row, patch in cells.patches(**whole, is_cut=True):
        first = n_samples - int(cells.samples[row])
        section = patch[:, 0, first + cells.ground : first + n_samples].astype(np.float64)
        energy = _smooth(section**2, period)
        asked = interval * (int(cells.samples[row]) - cells.ground)
        result[row] = _describe(energy, n_apex, period, interval, cells.spacing, asked)
    return result


def _smooth(energy: Floats, width: int) -> Floats:
    """Return the mean over about `width` samples around each along time, edges shrinking."""
    total = np.cumsum(np.pad(energy, ((0, 0), (1, 0))), axis=1)
    n, half = energy.shape[1], width // 2
    low = np.maximum(0, np.arange(n) - half)
    high = np.minimum(n, np.arange(n) + half + 1)
    return (total[:, high] - total[:, low]) / (high - low)


def _peaks(top: Floats, apart: int) -> npt.NDArray[np.intp]:
    """Return where energy is greatest within `apart` samples, strongest first."""
    padded = np.pad(top, apart, constant_values=-1.0)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * apart + 1)
    is_peak = (top >= around.max(axis=1)) & (top > 0) & (top >= _LEAST * top.max())
    # a plateau, such as the smoothed energy of one sample has, is one peak: its middle
    edges = np.flatnonzero(np.diff(np.pad(is_peak.astype(np.int8), 1)))
    middles = (edges[::2] + edges[1::2] - 1) // 2
    return middles[np.argsort(-top[middles], kind="stable")]


def _describe(
    energy: Floats, n_apex: int, period: int, interval: float, spacing: float, asked: float
) -> Floats:
    """Return the features of the energy of traces around a candidate."""
    middle = len(energy) // 2
    top = energy[middle - n_apex : middle + n_apex + 1].mean(axis=0)
    peaks = _peaks(top, max(1, round(0.75 * period)))
    result = np.full(len(DEPTH_PEAK_FEATURES), np.nan)
    result[0], result[4:6] = len(peaks), -60.0
    if not len(peaks):
        return result
    first = peaks[0]
    offset: Floats = spacing * (np.arange(len(energy), dtype=np.float64) - middle)
    centre = _centroid(energy[:, first], offset)
    result[1] = interval * first
    result[6], result[8] = abs(asked - interval * first), abs(centre)
    for k, peak in enumerate(peaks[1:_N_PEAKS]):
        result[2 + k] = interval * (peak - first)
        result[4 + k] = max(-60.0, 10 * np.log10(top[peak] / top[first]))
    if len(peaks) > 1:
        second = peaks[1]
        between = top[min(first, second) : max(first, second) + 1].min()
        a, b = energy[:, first], energy[:, second]
        result[7] = 10 * np.log10(max(between / top[second], _FLOOR))
        result[9] = abs(_centroid(b, offset) - centre)
        result[10] = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    return result


def _centroid(energy: Floats, offset: Floats) -> float:
    """Return where along track the middle of an energy is."""
    return float((energy * offset).sum() / energy.sum())

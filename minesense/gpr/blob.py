"""Features of what a candidate's echoes become in a three-dimensional image of the ground."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._kernels.volume import stack_volume
from .._validation import check_not_negative
from ..alarm import Feature
from ..constants import SPEED_OF_LIGHT
from ..sweep import Floats, Samples, Sweep
from ._arrivals import check_permittivity, separation_of
from ._patches import Cells, locate_cells
from .volume import _tables

#: Features of :func:`blob_features`, in the order of its columns.
BLOB_FEATURES: tuple[Feature, ...] = (
    Feature("blob_volume", "m^3", "within -6 dB around the greatest envelope of the image"),
    Feature("blob_along", "m", "extent of that along track"),
    Feature("blob_across", "m", "its extent across the track"),
    Feature("blob_thickness", "m", "its extent in depth"),
    Feature("blob_circularity", "1", "minor over major spread seen from above"),
    Feature("blob_elongation", "1", "major spread seen from above over that in depth"),
    Feature("blob_depth", "m", "of the greatest envelope below the surface"),
    Feature("blob_offset", "m", "of it from the candidate, horizontally"),
    Feature("blob_gain", "dB", "of it against traces that all sum in phase"),
    Feature("blob_coherence", "1", "of the traces summed there"),
    Feature("blob_second_delay", "s", "two-way time to the strongest echo below, as of a base"),
    Feature("blob_second_level", "dB", "of that echo against the first"),
    Feature("blob_second_sign", "1", "of that echo times that of the first"),
)

_APERTURE = 0.3  # m
_ANGLE = math.radians(50.0)
_ALONG = 0.025 * np.arange(-6, 7)  # m, of the image from the candidate
_ACROSS = 0.025 * np.arange(-4, 5)
_ABOVE, _BELOW = 0.14, 0.18  # m of depth around the echo
_NEAR = (0.101, 0.076, 0.06)  # m along, across and in depth within which the maximum lies
_SIDE = 2  # channels to each side that are imaged
_AWAY = 1e6  # m: an antenna that is not there


class _Imager(NamedTuple):
    """What all candidates share."""

    cells: Cells
    depths: Floats
    step: float  # m from one depth to the next
    velocity: float
    wave: int  # depths in a period of the image
    n_along: int
    arms: Floats
    half: float
    tables: tuple[Samples, Floats, float]


def blob_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    permittivity: float = 6.25,
    height: float | None = None,
) -> Floats:
    r"""
    Image the ground around each candidate and describe the shape of what lies there.

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
    permittivity : float
        Relative, real, of the ground; 1 to 100.
    height : float, optional
        Of the antennas over the ground, in metres. By default that of the sensor's radar,
        or 0.

    Returns
    -------
    features : (n, n_features) float64 ndarray
        Columns as in :data:`BLOB_FEATURES`; a row of NaN where the cell is unusable. Where
        nothing was recorded the volume is 0 and the rest NaN.

    Raises
    ------
    TypeError, ValueError
        If an option is not in its range, a trace, channel or time is outside the sweep, or
        the sensor is not a radar with a regular axis in seconds.

    Notes
    -----
    The image is that of :func:`back_project_volume` with an aperture of 0.3 m and angles to 50
    degrees, on lines 2.5 cm apart along and across, an eighth of a period of the image
    in depth, of the traces of the channel and two to each side, as if the lane were straight
    and evenly spaced. Its envelope is taken along depth. The greatest one within 10 cm
    along, 7.5 cm across and 6 cm in depth of the echo's own place is the middle of the
    blob: the connected cells around it with at least half of it (-6 dB). Spreads are
    roots of the eigenvalues of the blob's second moments, with that of a cell, so that one
    cell alone is round. Across the track the channels' distance limits what is resolved.

    The gain is :math:`20 \lg (|I| / (A \sum_a w_a))` with the weights of the traces summed
    there and the greatest envelope A of the traces within 6 cm and one period of the echo:
    0 dB if all traces hold the same and sum in phase. The second echo is the greatest
    envelope of that column from three quarters of a period of the image to 15 cm below;
    its sign is that of the greatest values near both. Amplitude does not matter.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.gpr import blob_features
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(
    ...     name="demo", kind="gpr", axis=62.5e-12 * np.arange(160), lever_arms=[[0, 0, 0]]
    ... )
    >>> northing = 0.025 * np.arange(41)
    >>> delay = 2e-9 + 2 * np.hypot(0.15, northing - 0.5) / 1.2e8
    >>> phase = np.pi * 1.5e9 * (sensor.axis - delay[:, None])
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> row = blob_features(sweep, [20], [0], [4.5e-9], ground_time=2e-9, spacing=0.025)[0]
    >>> bool(abs(row[6] - 0.15) < 0.01)
    True
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    imager = _new_imager(cells, ground_time, check_permittivity(permittivity), height)
    result = cells.empty(len(BLOB_FEATURES))
    n = len(sweep.sensor.axis)
    # one patch of the whole record, cut above the ground
    for row, patch in cells.patches(
        along=imager.n_along, across=_SIDE, before=n, after=n, is_cut=True
    ):
        start = n - int(cells.samples[row])
        section = np.ascontiguousarray(patch[:, :, start : start + n])
        delay = float(sweep.sensor.axis[cells.samples[row]]) - ground_time
        right = _right_of(imager.arms, int(cells.channels[row]))
        result[row] = _describe(imager, section, right, delay, int(cells.samples[row]))
    return result


def _new_imager(
    cells: Cells, ground_time: float, permittivity: float, height: float | None
) -> _Imager:
    """Return the grid and the tables of times that all candidates share."""
    sensor = cells.sweep.sensor
    radar = sensor.radar
    if height is None:
        height = (radar.height if radar else None) or 0.0
    height = check_not_negative(height, "height")
    half = abs(separation_of(sensor)) / 2
    frequency = radar.centre_frequency if radar else 1 / (8 * cells.interval)
    velocity = SPEED_OF_LIGHT / math.sqrt(permittivity)
    step = velocity / (2 * frequency) / 8
    deepest = velocity * (float(sensor.axis[-1]) - ground_time) / 2
    depths = step * np.arange(1, max(3, math.floor(deepest / step)) + 1, dtype=np.float64)
    time_zero = ground_time - 2 * math.hypot(height, half) / SPEED_OF_LIGHT
    tables = _tables(
        np.array([height]),
        depths,
        index=math.sqrt(permittivity),
        farthest=_APERTURE + half,
        interval=cells.interval,
        first=(time_zero - sensor.axis[0]) / cells.interval,
        angle=_ANGLE,
    )
    return _Imager(
        cells=cells,
        depths=depths,
        step=step,
        velocity=velocity,
        wave=8,
        n_along=cells.along(_APERTURE + float(_ALONG[-1])),
        arms=sensor.lever_arms[:, 0],
        half=half,
        tables=tables,
    )


def _right_of(arms: Floats, channel: int) -> Floats:
    """Return how far right of a channel its neighbours are; far away if there is none."""
    right = np.full(2 * _SIDE + 1, _AWAY)
    for k in range(max(0, channel - _SIDE), min(len(arms), channel + _SIDE + 1)):
        right[k - channel + _SIDE] = arms[k] - arms[channel]
    return right


def _image(
    imager: _Imager, section: Samples, right: Floats, columns: Floats, window: slice
) -> tuple[Floats, Floats]:
    """Return image and coherence below columns, zero where no trace is used."""
    n_traces, n_channels, _ = section.shape
    along = imager.cells.spacing * (np.arange(n_traces) - n_traces // 2)
    antennas = np.stack(
        np.broadcast_arrays(along[:, None], right), axis=-1
    )  # along and right, as the columns
    aside = np.array([imager.half, 0.0])
    table, reaches, step = imager.tables
    depths = imager.depths[window]
    out = np.empty((2, len(columns), len(depths)), np.float32)
    n = len(depths)
    stack_volume(
        section,
        np.ones(n_traces, np.bool_),
        antennas - aside,
        antennas + aside,
        np.zeros((n_traces, n_channels), np.int64),
        0,
        n_traces,
        columns,
        _APERTURE,
        np.ascontiguousarray(table[..., window]),
        np.ascontiguousarray(reaches[:, window]),
        step,
        len(columns) == 1,
        np.empty((2, n), np.float32),
        np.empty(n, np.int32),
        np.empty((3, n), np.float32),
        np.empty(n + 1, np.int64),
        out[0],
        out[1],
    )
    if len(columns) > 1:
        out[1] = 0.0  # not asked for
    values, coherence = np.nan_to_num(out).astype(np.float64)
    return values, coherence


def _envelope(values: Floats) -> Floats:
    """Return the magnitude of the analytic signal along the last axis."""
    n = values.shape[-1]
    spectrum = np.fft.fft(values, 2 * n, axis=-1)
    spectrum[..., 1:n] *= 2
    spectrum[..., n + 1 :] = 0
    return np.abs(np.fft.ifft(spectrum, axis=-1))[..., :n]


def _describe(
    imager: _Imager, section: Samples, right: Floats, delay: float, sample: int
) -> Floats:
    """Return the features of the image of a section."""
    result = np.full(len(BLOB_FEATURES), np.nan)
    result[0] = 0.0
    depth = imager.velocity * max(delay, 0.0) / 2
    window = slice(
        int(np.searchsorted(imager.depths, min(depth, imager.depths[-1]) - _ABOVE)),
        int(np.searchsorted(imager.depths, depth + _BELOW)),
    )
    depths = imager.depths[window]
    grid = np.stack(np.meshgrid(_ALONG, _ACROSS, indexing="ij"), axis=-1)
    columns = np.ascontiguousarray(grid.reshape(-1, 2))
    values = _image(imager, section, right, columns, window)[0]
    values = values.reshape(len(_ALONG), len(_ACROSS), -1)
    envelope = _envelope(values)
    near = np.abs(_ALONG)[:, None, None] <= _NEAR[0]
    near = near & (np.abs(_ACROSS)[:, None] <= _NEAR[1])
    near = near & (np.abs(depths - min(depth, depths[-1])) <= max(_NEAR[2], imager.step))
    top = np.unravel_index(np.argmax(np.where(near, envelope, 0.0)), envelope.shape)
    i, j, k = (int(value) for value in top)
    peak = float(envelope[i, j, k])
    if not peak > 0:
        return result
    result[:6] = _shape(envelope >= peak / 2, (i, j, k), imager.step)
    result[6], result[7] = depths[k], math.hypot(_ALONG[i], _ACROSS[j])
    column = np.array([[_ALONG[i], _ACROSS[j]]])
    here = slice(window.start + k, window.start + k + 1)
    coherence = _image(imager, section, right, column, here)[1][0, 0]
    weight = _image(imager, np.ones_like(section), right, column, here)[0][0, 0]
    before = _strongest(imager, section, sample)
    if weight > 0 and before > 0:
        result[8] = max(-60.0, 20 * math.log10(peak / (weight * before)))
    result[9] = coherence
    result[10:] = _second(imager, values[i, j], envelope[i, j], k)
    return result


def _shape(is_in: npt.NDArray[np.bool_], top: tuple[int, int, int], step: float) -> Floats:
    """Return volume, extents, circularity and elongation of the cells connected to one."""
    from scipy import ndimage  # noqa: PLC0415 - takes a while to import

    labels, _ = ndimage.label(is_in)
    cells = np.argwhere(labels == labels[top])
    sizes = np.array([_ALONG[1] - _ALONG[0], _ACROSS[1] - _ACROSS[0], step])
    extent = sizes * (np.ptp(cells, axis=0) + 1)
    offset = sizes * (cells - cells.mean(axis=0))
    moments = offset.T @ offset / len(cells) + np.diag(sizes**2 / 12)
    minor, major = np.linalg.eigvalsh(moments[:2, :2])
    return np.array(
        [
            len(cells) * sizes.prod(),
            *extent,
            math.sqrt(minor / major),
            math.sqrt(major / moments[2, 2]),
        ]
    )


def _strongest(imager: _Imager, section: Samples, sample: int) -> float:
    """Return the greatest envelope of the candidate's own channel around its echo."""
    aside = max(1, round(0.06 / imager.cells.spacing))
    period = 2 * imager.step * imager.wave / imager.velocity
    near = max(1, round(period / imager.cells.interval))
    middle = len(section) // 2
    traces = section[middle - aside : middle + aside + 1, _SIDE].astype(np.float64)
    return float(_envelope(traces)[:, max(0, sample - near) : sample + near + 1].max())


def _second(imager: _Imager, values: Floats, envelope: Floats, k: int) -> Floats:
    """Return delay, level and sign of the strongest echo below one in a column."""
    result = np.full(3, np.nan)
    first = k + math.ceil(0.75 * imager.wave)
    below = envelope[first : k + round(0.15 / imager.step) + 1]
    if not len(below) or not below.max() > 0:
        return result
    other = first + int(np.argmax(below))
    quarter = imager.wave // 4

    def sign(place: int) -> float:
        around = values[max(0, place - quarter) : place + quarter + 1]
        return float(np.sign(around[np.argmax(np.abs(around))]))

    result[0] = 2 * imager.step * (other - k) / imager.velocity
    result[1] = max(-60.0, 20 * math.log10(envelope[other] / envelope[k]))
    result[2] = sign(other) * sign(k)
    return result

"""Histograms of gradients: of any images, and as features of a radar candidate."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels.gradient_histogram import fill_cells, normalise_blocks
from .._validation import check_count, check_positive, check_real, check_shape
from ..alarm import Feature
from ..sweep import Floats, Sweep
from ._patches import locate_cells

_N_ALONG, _N_DOWN, _N_BINS = 5, 5, 9
_TOLERANCE = 1e-9  # a cell of exactly 3 traces is one of 3, however 0.15 / 0.05 is rounded

#: Features of :func:`gradient_histogram_features`, in the order of its columns.
GRADIENT_HISTOGRAM_FEATURES: tuple[Feature, ...] = tuple(
    Feature(
        f"gradient_histogram_{i + 1}_{j + 1}_{b + 1}",
        "1",
        f"mean gradient of log amplitude from {180 * b // _N_BINS} to "
        f"{180 * (b + 1) // _N_BINS} degrees in cell {i + 1} along track, {j + 1} down",
    )
    for i in range(_N_ALONG)
    for j in range(_N_DOWN)
    for b in range(_N_BINS)
)


def gradient_histogram(
    patches: npt.ArrayLike,
    *,
    n_bins: int = 9,
    cell: tuple[int, int] = (8, 8),
    block: tuple[int, int] = (2, 2),
) -> npt.NDArray[np.floating]:
    r"""
    Compute histograms of oriented gradients of many images of one size.

    Parameters
    ----------
    patches : (n, n_rows, n_columns) array_like
        Images, finite; float32 stays float32, all else is taken as float64.
    n_bins : int
        Number of unsigned directions, from 0 to 180 degrees.
    cell : (int, int)
        Rows and columns of a cell; those that fill no cell are left over.
    block : (int, int)
        Rows and columns of cells that are normalised together.

    Returns
    -------
    histograms : (n, n_features) float32 or float64 ndarray
        For each image, blocks row by row, in each its cells row by row, in each its bins.

    Raises
    ------
    TypeError, ValueError
        If `patches` are not real numbers, not three-dimensional or not finite, an option is
        not a whole number of at least one, or there is no room for one block.

    Notes
    -----
    The descriptor of Dalal and Triggs [1]_, equal to `skimage.feature.hog` but for rounding.
    Gradients are differences of the neighbours on both sides, 0 at the border. With
    :math:`g_r` down the rows and :math:`g_c` along the columns, a place adds its magnitude
    :math:`\sqrt{g_r^2 + g_c^2}`, over the number of places in a cell, to the bin that holds
    :math:`\operatorname{atan2}(g_r, g_c)` modulo 180 degrees: to that bin alone, without
    interpolation between bins or cells. A block :math:`v` becomes

    .. math:: v' = \min \Big( \frac{v}{\sqrt{\lVert v \rVert^2 + \epsilon^2}}, 0.2 \Big),
        \qquad v'' = \frac{v'}{\sqrt{\lVert v' \rVert^2 + \epsilon^2}}, \qquad
        \epsilon = 10^{-5}.

    Negative images have the same histograms, brighter and, but for :math:`\epsilon`,
    stronger ones too.

    References
    ----------
    .. [1] Dalal, N. and Triggs, B. (2005). Histograms of oriented gradients for human
       detection. *IEEE Conference on Computer Vision and Pattern Recognition*, 886-893.
       https://doi.org/10.1109/CVPR.2005.177

    Examples
    --------
    >>> ramp = np.tile(np.arange(16.0), (1, 16, 1))  # grows along the columns: 0 degrees
    >>> histogram = gradient_histogram(ramp).reshape(2, 2, 9)
    >>> histogram[0, 0].round(2)
    array([0.5, 0. , 0. , 0. , 0. , 0. , 0. , 0. , 0. ])
    """
    images = _check_images(patches)
    n_bins = check_count(n_bins, "n_bins")
    rows, columns = _check_pair(cell, "cell")
    block_rows, block_columns = _check_pair(block, "block")
    n_down = images.shape[1] // rows - block_rows + 1
    n_right = images.shape[2] // columns - block_columns + 1
    if min(n_down, n_right) < 1:
        msg = (
            f"Invalid patches with shape {images.shape}. Must hold a block of "
            f"{block_rows * rows} rows and {block_columns * columns} columns."
        )
        raise ValueError(msg)
    cells = _cells(images, (rows, columns), n_bins)
    shape = (len(images), n_down, n_right, block_rows, block_columns, n_bins)
    blocks = np.empty(shape, images.dtype)
    normalise_blocks(cells, blocks)
    return blocks.reshape(len(images), math.prod(shape[1:]))


def gradient_histogram_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    cell_length: float = 0.15,
    cell_duration: float = 0.5e-9,
) -> Floats:
    r"""
    Describe the gradients around candidates by their directions, in five by five cells.

    Parameters
    ----------
    sweep, traces, channels, times, ground_time, spacing
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`.
    cell_length : float
        Of a cell along track, in metres: the largest odd number of traces that fits, so that
        the candidate is in the middle.
    cell_duration : float
        Of a cell in two-way time, in seconds, to the nearest sample.

    Returns
    -------
    features : (n, 225) float64 ndarray
        Columns as in :data:`GRADIENT_HISTOGRAM_FEATURES`; a row of NaN where the trace itself
        is unusable.

    Raises
    ------
    TypeError, ValueError
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`; a cell must
        hold a trace and a sample.

    Notes
    -----
    Cells as in :func:`gradient_histogram`, with gradients at their border too, of
    :math:`\operatorname{sgn}(z) \ln(1 + |z|)` for amplitude :math:`z`, and no blocks: how
    strong an echo is tells something here. They are
    the mean of the channel and of those of its two neighbours that the array has. The bin of
    0 degrees has what changes with time alone, as layers do; that of 90 degrees what changes
    along the track. Directions are those in the grid of traces and samples: what is learned
    at one spacing and sample interval holds for these.

    Unusable traces, and what lies beyond the lane or the record, count as zero amplitude.
    Polarity changes no feature, nor a delay that `times` follow; travel the other way reverses
    the cells along track and the bins, but leaves in the first what does not change along
    the track at all.

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> axis = 62.5e-12 * np.arange(96)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> northing = 0.025 * np.arange(40)
    >>> sweep = Sweep(
    ...     samples=np.tile(9 * np.sin(2 * np.pi * 1e9 * axis), (40, 1, 1)),  # layers
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(40),
    ...     sensor=sensor,
    ... )
    >>> row = gradient_histogram_features(
    ...     sweep, [20], [0], [3e-9], ground_time=1e-9, spacing=0.025
    ... )[0]
    >>> cells = row.reshape(5, 5, 9)  # along track, down, direction
    >>> bool(cells[2, 2, 0] > 0.1), bool(cells[2, 2, 1:].any())
    (True, False)
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    length = check_positive(cell_length, "cell_length") / cells.spacing + _TOLERANCE
    if length < 1:
        msg = f"Invalid spacing '{spacing}'. Must be at most the cell_length '{cell_length}'."
        raise ValueError(msg)
    wide = 2 * math.floor((length - 1) / 2) + 1
    deep = round(check_positive(cell_duration, "cell_duration") / cells.interval)
    if deep < 1:
        msg = (
            f"Invalid cell_duration '{cell_duration}'. Must be {cells.interval:.4g} s or more."
        )
        raise ValueError(msg)
    n_channels = sweep.sensor.shape[0]
    result = cells.empty(len(GRADIENT_HISTOGRAM_FEATURES))
    before = _N_DOWN * deep // 2
    around = cells.patches(
        along=_N_ALONG * wide // 2 + 1,  # with a margin, so that no difference is missing
        across=1,
        before=before + 1,
        after=_N_DOWN * deep - before,
    )
    for row, patch in around:
        logarithm = np.copysign(np.log1p(np.abs(patch)), patch)
        images = np.ascontiguousarray(logarithm.transpose(1, 0, 2))
        c = int(cells.channels[row])
        n_present = min(n_channels, c + 2) - max(0, c - 1)
        result[row] = (
            _cells(images, (wide, deep), _N_BINS, margin=1).sum(axis=0).ravel() / n_present
        )
    return result


def _cells(
    images: npt.NDArray[np.floating], cell: tuple[int, int], n_bins: int, *, margin: int = 0
) -> npt.NDArray[np.float64]:
    """Return the histograms of the cells of images within a margin."""
    n, n_rows, n_columns = images.shape
    n_down, n_right = ((n_rows - 2 * margin) // cell[0], (n_columns - 2 * margin) // cell[1])
    cells = np.empty((n, n_down, n_right, n_bins))
    scratch = np.empty((3, n_columns)), np.empty(n_columns, np.int64)
    fill_cells(images, *cell, margin, _bounds(n_bins), *scratch, cells)
    return cells


def _bounds(n_bins: int) -> Floats:
    """Return cosine and sine of where bin 1, 2, ... begin; those of equal size are equal."""
    angles = np.pi * np.arange(1, n_bins) / n_bins
    bounds = np.column_stack([np.cos(angles), np.sin(angles)])
    # at 45, 90 and 135 degrees whole numbers lie right on the bound: it must be exact
    eighths = 8 * np.arange(1, n_bins) / n_bins
    for eighth, direction in ((2, (1, 1)), (4, (0, 1)), (6, (-1, 1))):
        bounds[eighths == eighth] = direction
    return np.ascontiguousarray(bounds, np.float64)


def _check_images(patches: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Return finite images, contiguous, in float32 if they come so, else float64."""
    images = check_shape(
        check_real(patches, "patches"), "patches", ("n", "n_rows", "n_columns")
    )
    dtype = np.float32 if images.dtype == np.float32 else np.float64
    images = np.ascontiguousarray(images, dtype)
    is_finite = np.isfinite(images).all(axis=(1, 2))
    if not is_finite.all():
        msg = (
            f"Invalid patches: {np.count_nonzero(~is_finite)} of {len(images)} hold NaN or "
            f"infinite values, the first is {int(np.argmin(is_finite))}. Must be finite."
        )
        raise ValueError(msg)
    return images


def _check_pair(value: tuple[int, int], name: str) -> tuple[int, int]:
    """Return a number of rows and of columns, each one or more."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        msg = f"Invalid {name} {value!r}. Must be a pair of whole numbers."
        raise TypeError(msg)
    return check_count(value[0], name), check_count(value[1], name)

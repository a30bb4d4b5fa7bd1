"""Features of a radar candidate: which way the edges of its section run, strip by strip."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._kernels.edge_histogram import count_edges
from ..alarm import Feature
from ..sweep import Floats, Samples, Sweep
from ._patches import Cells, locate_cells

_DIRECTIONS = ("0", "45", "90", "135", "none")
_N_STRIPS = 7

#: Features of :func:`edge_histogram_features`, in the order of its columns.
EDGE_HISTOGRAM_FEATURES: tuple[Feature, ...] = tuple(
    Feature(
        f"edge_histogram_{plane}_{strip + 1}_{label}",
        "1",
        f"share of {'no edge' if label == 'none' else f'edges at {label} degrees'} in strip "
        f"{strip + 1} of {_N_STRIPS} {plane} track",
    )
    for plane in ("along", "across")
    for strip in range(_N_STRIPS)
    for label in _DIRECTIONS
)

_THRESHOLD = 0.5  # standard deviations of the section that make an edge
_LEAST = 2  # traces to each side: strips of fewer would be empty


def edge_histogram_features(
    sweep: Sweep,
    traces: npt.ArrayLike,
    channels: npt.ArrayLike,
    times: npt.ArrayLike,
    *,
    ground_time: float,
    spacing: float,
    reach: float = 0.35,
    duration: float = 2.75e-9,
) -> Floats:
    r"""
    Count the edges around candidates by direction, along and across the track.

    Parameters
    ----------
    sweep, traces, channels, times, ground_time, spacing
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`.
    reach : float
        How far a section goes to each side of the candidate, in metres: along the track, and
        across it in the distances of neighbouring channels.
    duration : float
        Of the sections, with the echo in their middle, in seconds.

    Returns
    -------
    features : (n, 70) float64 ndarray
        Columns as in :data:`EDGE_HISTOGRAM_FEATURES`; a row of NaN where the trace itself is
        unusable.

    Raises
    ------
    TypeError, ValueError
        As in :func:`~minesense.gpr.energy_spectrum.energy_spectrum_features`; `spacing` must
        leave two traces to each side in `reach`.

    Notes
    -----
    The edge histogram descriptor of MPEG-7 as it is used for radar [1]_, with operators of
    three by three. The section along the track is that of the candidate's channel, the one
    across it that of its trace. Of four operators, differences of the means of three samples
    on both sides of a line, the one of greatest magnitude gives a place its label, if that
    is more than half the standard deviation of the section; else there is no edge. An edge
    at 0 degrees lies flat, one at 45 degrees goes down in the direction of travel or to
    higher channels, one at 90 degrees stands upright, one at 135 degrees comes up. The
    :math:`n` traces of a section make seven strips from :math:`2 s n / 15` to
    :math:`(2 s + 3) n / 15`: three of 15 each, of which neighbours share one. Shares of
    the five labels sum to 1 in a strip.

    Unusable traces, and what lies beyond the lane, the array or the record, count as zero
    amplitude. Where the channels have no distance across, or there is but one, two to each
    side are looked at. Neither amplitude nor polarity changes a feature, nor a delay that
    `times` follow; travel the other way reverses the strips and changes 45 for 135 degrees.

    References
    ----------
    .. [1] Frigui, H. and Gader, P. (2009). Detection and discrimination of land mines in
       ground-penetrating radar based on edge histogram descriptors and a possibilistic
       k-nearest neighbor classifier. *IEEE Transactions on Fuzzy Systems*, 17(1), 185-199.
       https://doi.org/10.1109/TFUZZ.2008.2005249

    Examples
    --------
    >>> from minesense.sensor import Sensor
    >>> axis = 62.5e-12 * np.arange(96)
    >>> sensor = Sensor(name="demo", kind="gpr", axis=axis, lever_arms=[[0, 0, 0]])
    >>> northing = 0.05 * np.arange(41)
    >>> delay = 2e-9 + 1.25e-9 * np.abs(northing[:, None] - 1.0)  # a roof: up, then down
    >>> phase = np.pi * 1e9 * (axis - delay)
    >>> sweep = Sweep(
    ...     samples=((1 - 2 * phase**2) * np.exp(-(phase**2)))[:, None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=sensor,
    ... )
    >>> row = edge_histogram_features(
    ...     sweep, [20], [0], [2.2e-9], ground_time=1e-9, spacing=0.05
    ... )[0]
    >>> along = row[:35].reshape(7, 5)  # strips by labels
    >>> [int(label) for label in along[[1, 5], :4].argmax(axis=1)]  # 135, then 45 degrees
    [3, 1]
    """
    cells = locate_cells(
        sweep, traces, channels, times, ground_time=ground_time, spacing=spacing
    )
    half = cells.half(duration) + 1  # a margin of one for the operators, here and below
    n_along, n_across = cells.along(reach, least=_LEAST), _channels(cells, reach)
    result = cells.empty(len(EDGE_HISTOGRAM_FEATURES))
    for row, patch in cells.patches(along=n_along + 1, across=0, before=half, after=half):
        result[row, :35] = _shares(patch[:, 0])
    for row, patch in cells.patches(along=0, across=n_across + 1, before=half, after=half):
        result[row, 35:] = _shares(patch[0])
    return result


def _channels(cells: Cells, reach: float) -> int:
    """Return how many channels lie within reach to each side, two or more."""
    right = cells.sweep.sensor.lever_arms[:, 0]
    pitch = float(np.median(np.abs(np.diff(right)))) if len(right) > 1 else 0.0
    return max(_LEAST, round(reach / pitch)) if pitch > 0 else _LEAST


def _shares(section: Samples) -> Floats:
    """Return the histograms of a section with a margin of one."""
    plane = np.ascontiguousarray(section)
    shares = np.empty((_N_STRIPS, len(_DIRECTIONS)))
    spread = plane[1:-1, 1:-1].std(dtype=np.float64)
    count_edges(plane, _THRESHOLD * float(spread), shares)
    return shares.ravel()

"""Where a gridded survey stands out: its maxima, and how they stand above noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_number,
    check_positive,
)
from ..alarm import Candidate
from ..sweep import Floats, Quality
from .gridding import SurveyGrid, check_grid

#: Rows north and columns east to the neighbour that comes later, of the four directions.
_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
#: Median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurveyPeaks:
    """What :func:`find_survey_peaks` returns, the highest first."""

    easting: Floats  #: (n,) m, of the interpolated maximum
    northing: Floats  #: (n,) m
    height: Floats  #: (n,) of it, unit of the grid
    directions: npt.NDArray[np.int64]  #: (n,) 1 to 4, in how many it is higher
    is_at_border: npt.NDArray[np.bool_]  #: (n,) beside ground that was not observed
    row: npt.NDArray[np.int64]  #: (n,) of its cell
    column: npt.NDArray[np.int64]  #: (n,)
    candidates: tuple[Candidate, ...]  #: the same, for features and detectors

    def __len__(self) -> int:
        """Return the number of peaks."""
        return len(self.height)


def noise_threshold(
    grid: SurveyGrid, polygon: npt.ArrayLike, *, factor: float = 5.0, sample: int = 0
) -> float:
    r"""
    Return a threshold from an area of a grid that holds only noise.

    Parameters
    ----------
    grid : SurveyGrid
        Smoothed as the one in which peaks are looked for.
    polygon : (n, 2) array_like
        Eastings and northings of the corners, m; the last joins the first.
    factor : float
        How many standard deviations above the median, zero or more.
    sample : int
        Index of the gate or frequency.

    Returns
    -------
    threshold : float
        In the unit of the grid.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the polygon holds fewer than ten observed cells.

    Notes
    -----
    Median and :math:`1.4826` times the median absolute deviation of the observed cells whose
    middles lie inside: a few objects in the polygon matter little. The heights of peaks are
    maxima of many cells, so more of them exceed a threshold than of single cells.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import grid_survey, noise_threshold
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> arms = np.column_stack([0.05 + 0.1 * np.arange(31), np.zeros((31, 2))])
    >>> northing = 0.05 + 0.1 * np.arange(31)
    >>> sweep = Sweep(
    ...     samples=2 + 0.5 * np.random.default_rng(seed=1).normal(size=(31, 31, 1)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(31),
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=arms),
    ... )
    >>> grid = grid_survey([sweep], cell=0.1, reach=0.1)
    >>> square = [[0, 0], [3, 0], [3, 3], [0, 3]]
    >>> abs(noise_threshold(grid, square, factor=4) - (2 + 4 * 0.5)) < 0.2
    True
    """
    check_grid(grid)
    corners = check_array(polygon, "polygon", ("n", 2))
    if len(corners) < 3:
        msg = f"Invalid polygon with {len(corners)} corners. Must have at least three."
        raise ValueError(msg)
    factor = check_not_negative(factor, "factor")
    values = _layer(grid, sample)
    inside = values[_is_inside(grid, corners) & grid.is_observed]
    if len(inside) < 10:
        msg = f"Invalid polygon: {len(inside)} observed cells lie inside. Must be at least 10."
        raise ValueError(msg)
    middle = float(np.median(inside))
    return middle + factor * _MAD * float(np.median(np.abs(inside - middle)))


def find_survey_peaks(
    grid: SurveyGrid,
    *,
    threshold: float,
    merge_radius: float,
    least_directions: int = 4,
    sample: int = 0,
) -> SurveyPeaks:
    r"""
    Find the maxima of a gridded survey.

    Parameters
    ----------
    grid : SurveyGrid
        Smoothed (:func:`~minesense.emi.gridding.smooth_grid`), or every ripple is a peak.
    threshold : float
        A peak's cell is higher, in the unit of the grid; see :func:`noise_threshold`.
    merge_radius : float
        Of two peaks not farther apart than this, in metres, only the higher is kept.
    least_directions : int
        In how many of the four directions a cell must be higher than both neighbours: 4
        for all eight neighbours, fewer for ridges.
    sample : int
        Index of the gate or frequency that is searched.

    Returns
    -------
    peaks : SurveyPeaks
        The highest first. Candidates name the trace and channel measured nearest; those at
        a border carry the flag EDGE.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    As in [1]_: a cell is compared with its two neighbours along the row, the column and both
    diagonals, and the number of directions in which it is higher than both, 1 to 4, tells
    how round the maximum is. In each of these a parabola through the three values has its
    maximum at

    .. math:: x = -\frac{b\,d}{2 a}, \qquad g = g_0 - \frac{b^2}{4 a}, \qquad
        a = \tfrac12 (g_- - 2 g_0 + g_+), \quad b = \tfrac12 (g_+ - g_-) ,

    with :math:`d` from cell to cell, and the largest :math:`g` of the four gives place and
    height. Of neighbours that are equal the first counts as higher, row by row from the
    south-west, so that a plateau has a peak.

    **A neighbour that was not observed is taken for lower**, lest an object at the border be
    missed. Such peaks are reported as at the border: the maximum may lie beyond, and no
    parabola is drawn in that direction.

    References
    ----------
    .. [1] Blakely and Simpson (1986), Approximating edges of source bodies from magnetic or
       gravity anomalies, Geophysics 51, 1494-1498.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import find_survey_peaks, grid_survey, noise_threshold
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> arms = np.column_stack([0.1 * np.arange(41), np.zeros((41, 2))])
    >>> northing = 0.1 * np.arange(41)
    >>> apart = (arms[:, 0] - 1.23) ** 2 + (northing[:, None] - 2.02) ** 2
    >>> rng = np.random.default_rng(seed=1)
    >>> sweep = Sweep(
    ...     samples=(np.exp(-apart / 0.1) + 0.01 * rng.normal(size=(41, 41)))[..., None],
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(41),
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=arms),
    ... )
    >>> grid = grid_survey([sweep], cell=0.1, reach=0.1)
    >>> threshold = noise_threshold(grid, [[2.5, 0], [4, 0], [4, 4], [2.5, 4]])
    >>> peaks = find_survey_peaks(grid, threshold=threshold, merge_radius=0.5)
    >>> len(peaks), peaks.directions.tolist(), peaks.is_at_border.tolist()
    (1, [4], [False])
    >>> bool(np.hypot(peaks.easting - 1.23, peaks.northing - 2.02)[0] < 0.02)
    True
    >>> peaks.candidates[0].trace, peaks.candidates[0].channel
    (20, 12)
    """
    check_grid(grid)
    threshold = check_number(threshold, "threshold")
    radius = check_positive(merge_radius, "merge_radius")
    least = check_count(least_directions, "least_directions")
    if least > len(_DIRECTIONS):
        msg = f"Invalid least_directions '{least}'. Must be at most {len(_DIRECTIONS)}."
        raise ValueError(msg)
    values = _layer(grid, sample)
    count, shift, height = _compare(values)
    is_peak = (count >= least) & (values > threshold)
    row, column = np.nonzero(is_peak)
    place = np.column_stack([grid.easting[column], grid.northing[row]])
    place += grid.cell * shift[row, column]
    kept = _merge(place, height[row, column], radius)
    row, column, place = row[kept], column[kept], place[kept]
    is_at_border = _is_beside_unobserved(values)[row, column]
    return SurveyPeaks(
        easting=place[:, 0],
        northing=place[:, 1],
        height=height[row, column],
        directions=count[row, column],
        is_at_border=is_at_border,
        row=row,
        column=column,
        candidates=_candidates(grid, place, height[row, column], is_at_border, (row, column)),
    )


def _layer(grid: SurveyGrid, sample: int) -> Floats:
    """Return the values of one gate or frequency, (n_rows, n_columns)."""
    n_samples = grid.values.shape[2]
    if check_count(sample, "sample", least=0) >= n_samples:
        msg = (
            f"Invalid sample '{sample}'. Must be less than {n_samples}, the samples there are."
        )
        raise ValueError(msg)
    return grid.values[..., sample].astype(np.float64)


def _is_inside(grid: SurveyGrid, corners: Floats) -> npt.NDArray[np.bool_]:
    """Tell which middles of cells lie in a polygon: an odd number of edges lies east."""
    inside = np.zeros(grid.values.shape[:2], np.bool_)
    north = grid.northing[:, None]
    for (e0, n0), (e1, n1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if n0 == n1:
            continue
        is_level = (n0 > north) != (n1 > north)
        crossing = e0 + (north - n0) * (e1 - e0) / (n1 - n0)
        inside ^= is_level & (grid.easting < crossing)
    return inside


def _neighbour(padded: Floats, north: int, east: int) -> Floats:
    """Return what lies some steps north and east of each cell of a grid padded by one."""
    n_rows, n_columns = padded.shape
    return padded[1 + north : n_rows - 1 + north, 1 + east : n_columns - 1 + east]


def _compare(values: Floats) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """Return directions in which cells are higher, shift of the maximum in cells, height."""
    padded = np.pad(values, 1, constant_values=np.nan)
    count = np.zeros(values.shape, np.int64)
    shift = np.zeros((*values.shape, 2))
    height = values.copy()
    for north, east in _DIRECTIONS:
        before = _neighbour(padded, -north, -east)
        after = _neighbour(padded, north, east)
        is_higher = np.isfinite(values)
        is_higher &= ~(before >= values) & ~(after > values)  # a NaN is neither
        count += is_higher
        a, b = 0.5 * (before - 2 * values + after), 0.5 * (after - before)
        with np.errstate(divide="ignore", invalid="ignore"):
            x, top = -b / (2 * a), values - b**2 / (4 * a)
        is_best = is_higher & (top > height)  # never where a neighbour is NaN
        height[is_best] = top[is_best]
        shift[is_best] = x[is_best, None] * (east, north)
    return count, shift, height


def _is_beside_unobserved(values: Floats) -> npt.NDArray[np.bool_]:
    """Tell which cells have a neighbour that is NaN or outside the grid."""
    padded = np.pad(values, 1, constant_values=np.nan)
    steps = [step for pair in _DIRECTIONS for step in (pair, (-pair[0], -pair[1]))]
    return np.any([np.isnan(_neighbour(padded, *step)) for step in steps], axis=0)


def _merge(place: Floats, height: Floats, radius: float) -> npt.NDArray[np.int64]:
    """Return indices of the peaks that no higher one kept is near, the highest first."""
    kept: list[int] = []
    for i in np.argsort(-height, kind="stable").tolist():
        apart = np.hypot(*(place[kept] - place[i]).T)
        if not (apart <= radius).any():
            kept.append(i)
    return np.array(kept, np.int64)


def _candidates(
    grid: SurveyGrid,
    place: Floats,
    height: Floats,
    is_at_border: npt.NDArray[np.bool_],
    cells: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> tuple[Candidate, ...]:
    """Return peaks as candidates of the point that was measured nearest to the cell."""
    points = grid.points
    found = []
    for k, point in enumerate(grid.nearest[cells].tolist()):
        flag = int(Quality.EDGE) if is_at_border[k] else 0
        found.append(
            Candidate(
                sensor=grid.sensor,
                lane=points.lanes[points.lane[point]],
                trace=int(points.trace[point]),
                channel=int(points.channel[point]),
                time=float(points.time[point]),
                easting=float(place[k, 0]),
                northing=float(place[k, 1]),
                score=float(height[k]),
                two_way_time=math.nan,
                quality=int(points.quality[point]) | flag,
            )
        )
    return tuple(found)

"""From the lanes of a mapped survey to a regular grid that knows what was not observed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_count, check_one_of, check_positive
from ..sweep import Floats, Frame, Samples, Sweep

#: A grid with more cells is refused: a stray position, or a cell too small.
_MOST_CELLS = 20_000_000
#: Distances are compared with a nanometre to spare, for the rounding of coordinates.
_TOLERANCE = 1e-9
#: Weights of smoothing by the steps to a neighbour: none, along a side, along a diagonal.
_WEIGHTS = (0.36, 0.10, 0.06)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurveyPoints:
    """Where and when a survey measured: one row for each channel of each trace used."""

    place: Floats  #: (n, 2) easting and northing, m
    lane: npt.NDArray[np.int64]  #: (n,) index in `lanes`
    trace: npt.NDArray[np.int64]  #: (n,) index in the lane
    channel: npt.NDArray[np.int64]  #: (n,)
    time: Floats  #: (n,) s
    quality: npt.NDArray[np.int64]  #: (n,) flags of the trace
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurveyGrid:
    """A grid of what was measured; rows go north and columns east from `origin`."""

    origin: tuple[float, float]  #: m, easting and northing of the south-western corner
    cell: float  #: m, side of a cell
    values: Samples  #: (n_rows, n_columns, n_samples), unit of the sweeps; NaN: not observed
    distance: Floats  #: (n_rows, n_columns) from the middle of a cell to the nearest point, m
    nearest: npt.NDArray[np.int64]  #: (n_rows, n_columns) which point that is
    points: SurveyPoints
    sensor: str  #: kind of the sensor
    n_left_out: int  #: traces that were flagged, and so not used
    frame: Frame

    @property
    def is_observed(self) -> npt.NDArray[np.bool_]:
        """Whether each cell holds a value, (n_rows, n_columns)."""
        return np.isfinite(self.values[..., 0])

    @property
    def easting(self) -> Floats:
        """Eastings of the middles of columns, (n_columns,), m."""
        return np.asarray(self.origin[0] + self.cell * (np.arange(self.values.shape[1]) + 0.5))

    @property
    def northing(self) -> Floats:
        """Northings of the middles of rows, (n_rows,), m."""
        return np.asarray(self.origin[1] + self.cell * (np.arange(self.values.shape[0]) + 0.5))


def grid_survey(
    sweeps: Iterable[Sweep],
    *,
    cell: float,
    reach: float,
    method: Literal["linear", "cubic"] = "linear",
) -> SurveyGrid:
    r"""
    Grid what the channels of several lanes measured.

    Parameters
    ----------
    sweeps : iterable of Sweep
        Lanes of one sensor in one frame, their soil and baselines removed; scores of a
        prescreener will do as well.
    cell : float
        Side of a cell, m.
    reach : float
        Cells whose middle is farther than this from every point measured are NaN: not
        observed, m. No less than half the distance of lanes, or the grid has stripes.
    method : {"linear", "cubic"}
        Between the points: planes over triangles, or cubic pieces over them with continuous
        slopes of about the least curvature.

    Returns
    -------
    grid : SurveyGrid
        All gates or frequencies, at the middles of cells.

    Raises
    ------
    TypeError, ValueError
        If an option is out of range, there is no sweep or no usable trace, sweeps differ in
        sensor or frame, all points lie on a line, or the grid had more than 20 million
        cells.

    Notes
    -----
    Points are the channels at their own places
    (:attr:`~minesense.sweep.Sweep.channel_position`). Traces whose ground is not credited
    are left out, so that what only they passed is not observed. Corners of cells are whole
    multiples of `cell`.

    Points in one cell are first replaced by their mean, place and values alike: otherwise
    two passes over one place would make steps of their noise. Over the Delaunay triangles
    of these, values are interpolated by SciPy, linearly or as in [1]_ with the gradients of
    [2]_; cells within reach but outside all triangles take the value of the nearest mean.
    A linear field is reproduced by both methods inside the triangles.

    References
    ----------
    .. [1] Alfeld (1984), A trivariate Clough-Tocher scheme for tetrahedral data, Computer
       Aided Geometric Design 1, 169-181.
    .. [2] Nielson (1983), A method for interpolating scattered data based upon a minimum
       norm network, Mathematics of Computation 40, 253-271.

    Examples
    --------
    Two lanes half a metre apart, a metre of one flagged as lost:

    >>> import numpy as np
    >>> from minesense.emi import grid_survey
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Quality, Sweep
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=[[0, 0, 0]])
    >>> northing = 0.1 * np.arange(31)
    >>> lost = np.where((northing > 1) & (northing < 2), Quality.NOT_FINITE, 0)
    >>> lanes = [
    ...     Sweep(
    ...         samples=np.where(quality, np.nan, 2 * east + northing)[:, None, None],
    ...         time=northing,
    ...         position=np.column_stack([east + 0 * northing, northing, 0 * northing]),
    ...         heading=np.zeros(31),
    ...         sensor=sensor,
    ...         quality=quality,
    ...         lane=f"{east}",
    ...     )
    ...     for east, quality in ((0.0, 0 * lost), (0.5, lost))
    ... ]
    >>> grid = grid_survey(lanes, cell=0.25, reach=0.3)
    >>> rows = [int(np.flatnonzero(grid.northing == north)[0]) for north in (0.625, 1.625)]
    >>> grid.easting[2:4].tolist()
    [0.125, 0.375]
    >>> grid.values[rows, 2:4, 0].round(3)
    array([[0.875, 1.375],
           [1.875,   nan]], dtype=float32)
    """
    cell, reach = check_positive(cell, "cell"), check_positive(reach, "reach")
    check_one_of(method, "method", ("linear", "cubic"))
    lanes = _check_sweeps(sweeps)
    points, values = _points_of(lanes)
    if not len(values):
        msg = "Invalid sweeps without a usable trace. Must have some that are credited."
        raise ValueError(msg)
    low = np.floor((points.place.min(axis=0) - reach) / cell) * cell
    counts = np.ceil((points.place.max(axis=0) + reach - low) / cell)
    if not counts.prod() <= _MOST_CELLS:  # counted in float64, which stray places do not wrap
        msg = (
            f"Invalid cell '{cell}': {counts[1]:g} by {counts[0]:g} cells for points that far "
            f"apart. Must make at most {_MOST_CELLS}: look for stray positions."
        )
        raise ValueError(msg)
    n_columns, n_rows = counts.astype(int)
    local = points.place - low  # small numbers, so that triangles keep their digits
    north, east = np.indices((n_rows, n_columns)).reshape(2, -1)
    middles = cell * (np.column_stack([east, north]) + 0.5)
    distance, nearest = _nearest(local, middles)
    is_near = distance <= reach + _TOLERANCE
    result = np.full((len(middles), values.shape[1]), np.nan, np.float32)
    block_places, block_values = _block_means(local, values, cell, int(n_columns))
    result[is_near] = _interpolate(block_places, block_values, middles[is_near], method)
    return SurveyGrid(
        origin=(float(low[0]), float(low[1])),
        cell=cell,
        values=result.reshape(n_rows, n_columns, -1),
        distance=distance.reshape(n_rows, n_columns),
        nearest=nearest.reshape(n_rows, n_columns),
        points=points,
        sensor=lanes[0].sensor.kind,
        n_left_out=sum(int(np.count_nonzero(~lane.is_credited)) for lane in lanes),
        frame=lanes[0].frame,
    )


def smooth_grid(grid: SurveyGrid, *, passes: int = 3) -> SurveyGrid:
    r"""
    Smooth a grid where it was observed, and only there.

    Parameters
    ----------
    grid : SurveyGrid
        Of any number of samples.
    passes : int
        How often, zero or more.

    Returns
    -------
    smooth : SurveyGrid
        The same cells with their values smoothed; what was not observed stays so.

    Raises
    ------
    TypeError, ValueError
        If `grid` is none, or `passes` is no whole number of zero or more.

    Notes
    -----
    Each pass replaces the value of a cell by the mean of the observed ones among it and its
    eight neighbours, with the weights

    .. math:: w = \begin{pmatrix} 0.06 & 0.10 & 0.06 \\ 0.10 & 0.36 & 0.10 \\
        0.06 & 0.10 & 0.06 \end{pmatrix} , \qquad
        v' = \frac{\sum w\, v}{\sum w} ,

    both sums over observed cells. A constant stays one up to every border; three passes
    spread a single cell with a standard deviation of 1.15 cells to each side.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.emi import grid_survey, smooth_grid
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> arms = [[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0]]
    >>> spike = Sweep(
    ...     samples=np.reshape([0, 0, 0, 0, 1, 0, 0, 0, 0], (3, 3, 1)),
    ...     time=[0.0, 1.0, 2.0],
    ...     position=[[0.5, 0.5, 0], [0.5, 1.5, 0], [0.5, 2.5, 0]],
    ...     heading=[0.0, 0.0, 0.0],
    ...     sensor=Sensor(name="demo", kind="emi", axis=[1e-5], lever_arms=arms),
    ... )
    >>> grid = grid_survey([spike], cell=1.0, reach=0.4)
    >>> smooth_grid(grid, passes=1).values[..., 0].round(3)
    array([[0.097, 0.128, 0.097],
           [0.128, 0.36 , 0.128],
           [0.097, 0.128, 0.097]], dtype=float32)
    """
    check_grid(grid)
    observed = grid.is_observed[..., None]
    inverse = np.zeros(observed.shape, np.float32)  # where not observed, values stay zero
    np.divide(1, _spread(observed.astype(np.float32)), out=inverse, where=observed)
    values = np.where(observed, grid.values, np.float32(0))
    for _ in range(check_count(passes, "passes", least=0)):
        values = _spread(values)
        values *= inverse
    return dataclasses.replace(grid, values=np.where(observed, values, np.float32(np.nan)))


def check_grid(grid: SurveyGrid) -> None:
    """Raise unless something is a grid."""
    if not isinstance(grid, SurveyGrid):
        msg = f"Invalid grid of type {type(grid).__name__}. Must be a SurveyGrid."
        raise TypeError(msg)


def _check_sweeps(sweeps: Iterable[Sweep]) -> list[Sweep]:
    """Return sweeps of one sensor in one frame."""
    lanes = list(sweeps)
    for lane in lanes:
        if not isinstance(lane, Sweep):
            msg = f"Invalid sweeps: one of type {type(lane).__name__}. Must be Sweeps."
            raise TypeError(msg)
        first = lanes[0]
        if lane.frame != first.frame or lane.sensor.describe() != first.sensor.describe():
            msg = (
                f"Invalid sweep of lane '{lane.lane}', sensor '{lane.sensor.name}'. Must have "
                f"the frame and sensor of the first, '{first.sensor.name}'."
            )
            raise ValueError(msg)
    if not lanes or not all(lanes[0].sensor.shape):
        msg = "Invalid sweeps: nothing was measured. Must hold channels and samples."
        raise ValueError(msg)
    return lanes


def _points_of(lanes: list[Sweep]) -> tuple[SurveyPoints, Floats]:
    """Return the credited channels of all lanes, and their values (n, n_samples)."""
    rows = [np.argwhere(np.repeat(s.is_credited[:, None], s.sensor.shape[0], 1)) for s in lanes]
    trace, channel = np.concatenate(rows).T
    index = np.repeat(np.arange(len(lanes)), [len(part) for part in rows])
    pairs = [tuple(part.T) for part in rows]
    both = list(zip(lanes, pairs, strict=True))
    points = SurveyPoints(
        place=np.concatenate([s.channel_position[at][:, :2] for s, at in both]),
        lane=index,
        trace=trace,
        channel=channel,
        time=np.concatenate([s.time[at[0]] for s, at in both]),
        quality=np.concatenate([s.quality[at[0]] for s, at in both]),
        lanes=tuple(s.lane for s in lanes),
    )
    return points, np.concatenate([s.samples[at] for s, at in both]).astype(np.float64)


def _nearest(places: Floats, middles: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return distance and index of the nearest place to each middle."""
    from scipy.spatial import KDTree  # noqa: PLC0415  slow to import

    distance, nearest = KDTree(places).query(middles)
    return distance, nearest.astype(np.int64)


def _block_means(
    places: Floats, values: Floats, cell: float, n_columns: int
) -> tuple[Floats, Floats]:
    """Return mean places and values of the points in each cell that has some."""
    column, row = np.floor(places / cell).astype(np.int64).T
    _, which, counts = np.unique(
        row * n_columns + column, return_inverse=True, return_counts=True
    )
    table = np.concatenate([places, values], axis=1)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(table[np.argsort(which, kind="stable")], first, axis=0)
    means = sums / counts[:, None]
    return means[:, :2], means[:, 2:]


def _interpolate(places: Floats, values: Floats, middles: Floats, method: str) -> Floats:
    """Return values at the middles; outside all triangles, those of the nearest place."""
    from scipy.interpolate import (  # noqa: PLC0415  slow to import
        CloughTocher2DInterpolator,
        LinearNDInterpolator,
    )
    from scipy.spatial import Delaunay  # noqa: PLC0415

    wide = places - places.mean(axis=0)
    sizes = np.linalg.svd(wide, compute_uv=False)
    if len(places) < 3 or sizes[1] <= 1e-6 * sizes[0]:
        msg = (
            f"Invalid sweeps: {len(places)} places that lie on one line. Must cover an area: "
            "score a single lane along its track instead."
        )
        raise ValueError(msg)
    triangles = Delaunay(places)
    make = LinearNDInterpolator if method == "linear" else CloughTocher2DInterpolator
    result = np.asarray(make(triangles, values)(middles))
    is_outside = ~np.isfinite(result[:, 0])
    result[is_outside] = values[_nearest(places, middles[is_outside])[1]]
    return result


def _spread(values: Samples) -> Samples:
    """Return the weighted sum over the eight neighbours and each cell itself."""
    here, beside, across = map(np.float32, _WEIGHTS)
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    middle = padded[1:-1]
    rows = padded[:-2] + padded[2:]  # north and south of a cell, in all columns
    total = here * values
    part = middle[:, :-2] + middle[:, 2:]
    part += rows[:, 1:-1]
    part *= beside
    total += part
    np.add(rows[:, :-2], rows[:, 2:], out=part)
    part *= across
    total += part
    return total

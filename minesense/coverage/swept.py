"""Work out which ground the sweeps observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from .._validation import check_array, check_number, check_positive
from ..sweep import NOT_CREDITED, Floats, Frame, Quality, Sweep
from .record import TOLERANCE, Coverage, Grid, Labels, Mask, frozen, stamp

#: Easting and northing of two opposite corners, m, and the lane they belong to.
Rectangle = tuple[float, float, float, float, str]

#: Corners of a convex region of any direction, easting and northing in m, and its lane.
Region = tuple[Sequence[Sequence[float]], str]

_MAX_CELLS = 100_000_000
_NO_PLACE = Quality.POSE_NONE | Quality.POSE_JUMP


class _Capsules(NamedTuple):
    """Stretches of track, and what kept them from being credited: 0 if nothing."""

    starts: Floats
    stops: Floats
    reasons: Labels


def observe(
    sweeps: Iterable[Sweep],
    *,
    footprint: Mapping[str, float] | float,
    cell: float = 0.05,
    area: Sequence[Rectangle | Region] | None = None,
    max_step: float | None = None,
) -> Coverage:
    """
    Work out which ground the sweeps observed.

    Parameters
    ----------
    sweeps : iterable of Sweep
        Of any sensors and lanes, all in one frame. Their order does not matter.
    footprint : float or mapping of str to float
        Radius around a channel in which the weakest required target would be noticed, in
        metres, for all sensors or by kind of sensor. There is no default: it belongs to
        the task.
    cell : float
        Side of a cell, in metres.
    area : sequence of (easting, northing, easting, northing, lane), optional
        Rectangles in which observation was wanted: two opposite corners in metres, and the
        lane. A lane of any direction is given as its corners and its name: ``([(easting,
        northing), ...], lane)``, three or more around a convex region. Without `area`, ground
        counts as wanted where any trace passed, credited or not.
    max_step : float, optional
        Longest distance between neighbouring traces that is taken as continuous, in
        metres; the footprint of the sensor by default.

    Returns
    -------
    Coverage
        The grid of observed ground, and the reasons where it is not.

    Raises
    ------
    TypeError
        If a sweep is not a Sweep, or a number is none.
    ValueError
        If a length is not greater than zero, a kind of sensor has no footprint, frames
        differ, a rectangle is empty, or the grid would be empty or beyond 100 million
        cells.

    Notes
    -----
    A cell is observed by a kind of sensor if its centre lies within the footprint of the
    path of a channel. The path is the credited traces and the straight lines between
    neighbours of them, except where a gap lies between (flag GAP, or a step longer than
    `max_step`): such a stretch gets the reason GAP. Stretches that begin, end or pass over
    traces without credit get the flags of those. A reason stays where another pass
    observed the cell; only the areas of `not_observed` leave it out.

    The footprint is to be shrunk by the position error of the platform beforehand.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.sensor import Sensor
    >>> from minesense.sweep import Sweep
    >>> sensor = Sensor(name="demo", kind="emi", axis=[1e-5, 2e-5], lever_arms=[[0, 0, 0]])
    >>> northing = np.array([0.0, 0.1, 0.2, 0.8, 0.9, 1.0])
    >>> sweep = Sweep(
    ...     samples=np.zeros((6, 1, 2)),
    ...     time=northing,
    ...     position=np.column_stack([0 * northing, northing, 0 * northing]),
    ...     heading=np.zeros(6),
    ...     sensor=sensor,
    ...     lane="A",
    ... )
    >>> lane = (-0.1, 0.0, 0.1, 1.0, "A")
    >>> coverage = observe([sweep], footprint=0.15, area=[lane])
    >>> round(coverage.area("emi"), 3), coverage.not_observed("emi")
    (0.14, {'GAP': 0.06})
    """
    sweeps = [sweeps] if isinstance(sweeps, Sweep) else list(sweeps)
    for item in cast("list[object]", sweeps):
        if not isinstance(item, Sweep):
            msg = f"Invalid sweep of type {type(item).__name__}. Must be a Sweep."
            raise TypeError(msg)
    sweeps = [sweep for sweep in sweeps if sweep.sensor.shape != (0, 0)]
    radii = _check_footprint(footprint, sweeps)
    frame = _check_frame(sweeps)
    cell = check_positive(cell, "cell")
    if max_step is not None:
        check_positive(max_step, "max_step")
    regions = _check_area(area)
    tracks = [_track(sweep, max_step or radii[sweep.sensor.kind]) for sweep in sweeps]
    grid = _grid(sweeps, radii, regions, cell)

    observed = {kind: np.zeros(grid.shape, np.int64) for kind in radii}
    reasons = {kind: np.zeros(grid.shape, np.int64) for kind in radii}
    for sweep, track in zip(sweeps, tracks, strict=True):
        kind = sweep.sensor.kind
        reach = np.full(len(track.starts), radii[kind])
        credited = track.reasons == 0
        for out, chosen, values in (
            (observed[kind], credited, np.ones_like(track.reasons)),
            (reasons[kind], ~credited, track.reasons),
        ):
            stamp(
                out,
                grid,
                starts=track.starts[chosen],
                stops=track.stops[chosen],
                radii=reach[chosen],
                values=values[chosen],
            )
    if regions:
        lanes = tuple(sorted({lane for _, lane in regions}))
        lane_index = _label_regions(regions, lanes, grid)
    else:
        lanes = tuple(sorted({sweep.lane for sweep in sweeps}))
        lane_index = _label_tracks(sweeps, tracks, radii, lanes, grid)
    return Coverage(
        origin=grid.origin,
        cell=grid.cell,
        footprint=radii,
        observed={kind: frozen(layer, np.bool_) for kind, layer in observed.items()},
        reasons={kind: frozen(layer, np.int64) for kind, layer in reasons.items()},
        wanted=frozen(lane_index >= 0, np.bool_),
        lane_index=frozen(lane_index, np.int64),
        lanes=lanes,
        unlocated={
            kind: sum(int((~_has_place(s)).sum()) for s in sweeps if s.sensor.kind == kind)
            for kind in radii
        },
        frame=frame,
    )


def _check_footprint(
    footprint: Mapping[str, float] | float, sweeps: Sequence[Sweep]
) -> dict[str, float]:
    """Return the radius of every kind of sensor, by name in order."""
    kinds = sorted({sweep.sensor.kind for sweep in sweeps})
    if not isinstance(footprint, Mapping):
        radius = check_positive(footprint, "footprint")
        footprint = dict.fromkeys(kinds, radius)
    for kind in kinds:
        if kind not in footprint:
            msg = (
                f"Invalid footprint {dict(footprint)!r}. Must name a radius for every kind "
                f"of sensor; '{kind}' is missing."
            )
            raise ValueError(msg)
    if not footprint:
        msg = "Invalid sweeps: there are none, and footprint names no kind of sensor."
        raise ValueError(msg)
    return {k: check_positive(footprint[k], f"footprint of '{k}'") for k in sorted(footprint)}


def _check_frame(sweeps: Sequence[Sweep]) -> Frame:
    """Return the frame that all sweeps share."""
    frames = [sweep.frame for sweep in sweeps] or [Frame()]
    for frame in frames:
        if frame != frames[0]:
            msg = f"Invalid frame {frame} beside {frames[0]}. Must be one for all sweeps."
            raise ValueError(msg)
    return frames[0]


def _check_area(area: Sequence[Rectangle | Region] | None) -> list[tuple[Floats, str]]:
    """Return the corners of regions, counterclockwise, and their lanes."""
    regions = []
    for k, item in enumerate(area or ()):
        name, parts = f"area[{k}]", cast("tuple[object, ...]", item)
        if len(parts) == 5:
            east, north, east_2, north_2 = (check_number(v, name) for v in item[:4])
            if east == east_2 or north == north_2:
                msg = f"Invalid {name} {item!r}. Must have a length and a width."
                raise ValueError(msg)
            west, east = sorted((east, east_2))
            south, north = sorted((north, north_2))
            corners = np.array([(west, south), (east, south), (east, north), (west, north)])
        elif len(parts) == 2:
            corners = check_array(cast("Any", parts[0]), name, ("n_corners", 2))
            corners = _counterclockwise(corners, name)
        else:
            msg = (
                f"Invalid {name} {item!r}. Must be two eastings and northings, and a lane; or "
                "corners, and a lane."
            )
            raise ValueError(msg)
        regions.append((corners, str(parts[-1])))
    return regions


def _counterclockwise(corners: Floats, name: str) -> Floats:
    """Return the corners of a convex region in order; raise if it is none."""
    sides = np.roll(corners, -1, axis=0) - corners
    after = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    if len(corners) < 3 or not ((turns > 0).all() or (turns < 0).all()):
        msg = f"Invalid {name} with corners {corners.tolist()}. Must go around a convex region."
        raise ValueError(msg)
    return corners if turns[0] > 0 else corners[::-1]


def _has_place(sweep: Sweep) -> Mask:
    """Return which traces have a position that can be put on a map."""
    pose = np.column_stack([sweep.position[:, :2], sweep.heading])
    result: Mask = ((sweep.quality & _NO_PLACE) == 0) & np.isfinite(pose).all(axis=1)
    return result


def _track(sweep: Sweep, max_step: float) -> _Capsules:
    """Return the paths of all channels: traces as points, and the lines between them."""
    index = np.flatnonzero(_has_place(sweep))
    place = np.ascontiguousarray(sweep.channel_position[index, :, :2])
    flags = sweep.quality & int(NOT_CREDITED)
    reasons = flags[index]
    starts, stops = [place], [place]
    if len(index) > 1:
        # What lies between two neighbours with a place: flags of the traces behind the
        # first up to the second (a GAP lies before its trace), and of the first itself.
        behind = (sweep.quality & int(NOT_CREDITED | Quality.GAP))[: index[-1] + 1]
        between = np.bitwise_or.reduceat(behind, index[:-1] + 1) | reasons[:-1]
        steps = np.hypot(*np.diff(sweep.position[index, :2], axis=0).T)
        between = between | np.where(steps > max_step + TOLERANCE, int(Quality.GAP), 0)
        starts.append(place[:-1])
        stops.append(place[1:])
        reasons = np.concatenate([reasons, between])
    n_channels = place.shape[1]
    return _Capsules(
        np.concatenate(starts).reshape(-1, 2),
        np.concatenate(stops).reshape(-1, 2),
        np.repeat(reasons, n_channels),
    )


def _grid(
    sweeps: Sequence[Sweep],
    radii: Mapping[str, float],
    regions: Sequence[tuple[Floats, str]],
    cell: float,
) -> Grid:
    """Return a grid over all regions and trusted positions."""
    corners = [item for item, _ in regions]
    for sweep in sweeps:
        place = sweep.channel_position[_has_place(sweep)][..., :2].reshape(-1, 2)
        if len(place):
            radius = radii[sweep.sensor.kind]
            corners.append(np.stack([place.min(axis=0) - radius, place.max(axis=0) + radius]))
    if not corners:
        msg = "Invalid sweeps: no trace has a position, and no area is given: nothing to map."
        raise ValueError(msg)
    # Corners at whole numbers of cells: two recordings of one place share their grid.
    points = np.concatenate(corners) / cell
    first = np.floor(points.min(axis=0) + 1e-6)
    last = np.ceil(points.max(axis=0) - 1e-6)
    n_columns, n_rows = (last - first).tolist()
    if n_columns * n_rows > _MAX_CELLS:
        msg = (
            f"Invalid positions: they span {n_columns * cell:.6g} m by {n_rows * cell:.6g} m. "
            f"Must be at most {_MAX_CELLS} cells of {cell:.6g} m: flag jumps with "
            "Quality.POSE_JUMP, or choose a larger cell."
        )
        raise ValueError(msg)
    east, north = (float(value) for value in first * cell)
    return Grid((east, north), cell, (int(n_rows), int(n_columns)))


def _label_regions(
    regions: Sequence[tuple[Floats, str]], lanes: tuple[str, ...], grid: Grid
) -> Labels:
    """Return the lane of every cell whose centre lies in a region, the first in order."""
    out = np.full(grid.shape, -1, np.int64)
    n_rows, n_columns = grid.shape
    north = grid.origin[1] + (np.arange(n_rows)[:, None] + 0.5) * grid.cell
    east = grid.origin[0] + (np.arange(n_columns) + 0.5) * grid.cell
    for corners, lane in sorted(regions, key=lambda item: lanes.index(item[1]), reverse=True):
        inside = np.ones(grid.shape, dtype=bool)
        for (x, y), (x_2, y_2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            # left of every side; a side along an axis compares one coordinate alone
            if y == y_2:
                inside &= north >= y if x_2 > x else north <= y
            elif x == x_2:
                inside &= east <= x if y_2 > y else east >= x
            else:
                inside &= (x_2 - x) * (north - y) - (y_2 - y) * (east - x) >= 0
        out[inside] = lanes.index(lane)
    return out


def _label_tracks(
    sweeps: Sequence[Sweep],
    tracks: Sequence[_Capsules],
    radii: Mapping[str, float],
    lanes: tuple[str, ...],
    grid: Grid,
) -> Labels:
    """Return the lane that passed every cell, the first in order where several did."""
    from .._kernels.coverage import stamp_least  # noqa: PLC0415 - see stamp

    out = np.full(grid.shape, -1, np.int64)
    for sweep, track in zip(sweeps, tracks, strict=True):
        reach = np.full(len(track.starts), radii[sweep.sensor.kind] + TOLERANCE)
        label = lanes.index(sweep.lane)
        stamp_least(track.starts, track.stops, reach, label, *grid.origin, grid.cell, out)
    return out

"""Kernels that sweep a footprint along a track, and share polygons among cells."""

import math

from ._jit import jit


@jit
def sweep_footprint(
    starts,
    stops,
    reach,
    outer,
    times,
    figures,
    flags,
    inner,
    credit,
    passes,
    channels,
    separation,
    east,
    north,
    cell,
    first_row,
    first_column,
    looks,
    marks,
    greatest,
    nearest,
    last_time,
    last_pass,
    last_channel,
):
    """
    Put stretches of track into the cells whose centre is near them.

    Parameters
    ----------
    starts, stops : (n, 2) float64 array
        Ends of the stretches, easting and northing in m, in order of time for each pass.
    reach, outer : (n,) float64 array
        Distance up to which a look is credited, and up to which the flags are written, m.
    times : (n, 2) float64 array
        When each stretch begins and ends, s.
    figures : (n, 3) float32 array
        Height, speed and tilt.
    flags, inner : (n,) int64 array
        What is joined into the cells up to `outer`, and up to `reach`.
    credit : (n,) int64 array
        1 if all gates were met, 0 otherwise.
    passes, channels : (n,) int32 array
        Which pass and which channel each stretch is of.
    separation : float
        Time after which the same pass is another look, s.
    east, north, cell : float
        South-western corner of the grid and side of a cell, m.
    first_row, first_column : int
        Where in the grid the arrays begin, which may be a window of it.
    looks : (n_rows, n_columns) uint16 array
        Changed in place: looks that met all gates.
    marks : (n_rows, n_columns) int64 array
        Changed in place: flags, joined with or.
    greatest : (n_rows, n_columns, 3) float32 array
        Changed in place: greatest figures of credited stretches.
    nearest : (n_rows, n_columns) float32 array
        Changed in place: least squared distance from a credited path, as a share of the
        squared reach; negative where two paths were near.
    last_time, last_pass, last_channel : (n_rows, n_columns) array
        Changed in place: of the latest credited stretch; pass -1 where there was none.
    """
    n_rows, n_columns = looks.shape
    for i in range(len(starts)):
        wide = max(reach[i], outer[i])
        south, top = _span(starts[i, 1], stops[i, 1], wide, north, cell)
        low, high = min(starts[i, 1], stops[i, 1]), max(starts[i, 1], stops[i, 1])
        reach_squared, outer_squared = reach[i] * reach[i], outer[i] * outer[i]
        for row in range(max(south - first_row, 0), min(top - first_row + 1, n_rows)):
            y = north + (first_row + row + 0.5) * cell
            # Half the width of the row that lies near, at the most.
            beyond = max(low - y, y - high, 0.0)
            half = math.sqrt(max(wide * wide - beyond * beyond, 0.0))
            west, right = _span(starts[i, 0], stops[i, 0], half, east, cell)
            for column in range(
                max(west - first_column, 0), min(right - first_column + 1, n_columns)
            ):
                x = east + (first_column + column + 0.5) * cell
                squared = _distance_squared(x, y, starts[i], stops[i])
                if squared <= outer_squared:
                    marks[row, column] |= flags[i]
                if squared <= reach_squared:
                    marks[row, column] |= inner[i]
                if credit[i] == 1 and squared <= reach_squared:
                    is_new = (
                        last_pass[row, column] != passes[i]
                        or times[i, 0] - last_time[row, column] > separation
                    )
                    if is_new:
                        if looks[row, column] < 65535:
                            looks[row, column] += 1
                    shared = nearest[row, column] < 0.0 or (
                        last_pass[row, column] >= 0
                        and (is_new or last_channel[row, column] != channels[i])
                    )
                    if shared:
                        nearest[row, column] = -1.0
                    else:
                        share = squared / reach_squared
                        if share < nearest[row, column]:
                            nearest[row, column] = share
                    last_pass[row, column] = passes[i]
                    last_channel[row, column] = channels[i]
                    last_time[row, column] = times[i, 1]
                    for k in range(3):
                        if figures[i, k] > greatest[row, column, k]:
                            greatest[row, column, k] = figures[i, k]


@jit
def mark_discs(centres, radii, east, north, cell, first_row, first_column, marks):
    """
    Set the cells whose centre lies in a disc.

    Parameters
    ----------
    centres : (n, 2) float64 array
        Easting and northing, m.
    radii : (n,) float64 array
        m.
    east, north, cell : float
        South-western corner of the grid and side of a cell, m.
    first_row, first_column : int
        Where in the grid `marks` begins.
    marks : (n_rows, n_columns) uint8 array
        Changed in place: 1 within a disc.
    """
    n_rows, n_columns = marks.shape
    for i in range(len(centres)):
        south, top = _span(centres[i, 1], centres[i, 1], radii[i], north, cell)
        west, right = _span(centres[i, 0], centres[i, 0], radii[i], east, cell)
        for row in range(max(south - first_row, 0), min(top - first_row + 1, n_rows)):
            y = north + (first_row + row + 0.5) * cell
            for column in range(
                max(west - first_column, 0), min(right - first_column + 1, n_columns)
            ):
                x = east + (first_column + column + 0.5) * cell
                squared = _distance_squared(x, y, centres[i], centres[i])
                if squared <= radii[i] * radii[i]:
                    marks[row, column] = 1


@jit
def add_side(x, y, x_2, y_2, share, rest):
    """
    Add one side of a ring to the areas that cells have in common with it.

    The area to the right of a side, within the row it passes, is split into what lies in the
    side's own column and what fills all columns east of it. Summing `rest` eastward and adding
    `share` gives the area of each cell within a ring.

    Parameters
    ----------
    x, y, x_2, y_2 : float
        Ends of the side in cells, counted from the corner of the grid, within the grid.
    share : (n_rows, n_columns) float64 array
        Changed in place: area in the cells that the side passes.
    rest : (n_rows, n_columns) float64 array
        Changed in place: area that every cell east of it has more.
    """
    n_rows, n_columns = share.shape
    low, high = min(y, y_2), max(y, y_2)
    # A ring that goes counterclockwise has its ground west of the sides that go north.
    sign = -1.0 if y_2 > y else 1.0
    slope = (x_2 - x) / (y_2 - y) if y_2 != y else 0.0
    for row in range(int(low), min(math.ceil(high), n_rows)):
        bottom, top = max(low, float(row)), min(high, row + 1.0)
        a = x + (bottom - y) * slope
        b = x + (top - y) * slope
        left, right = min(max(min(a, b), 0.0), n_columns), min(max(a, b, 0.0), n_columns)
        height = top - bottom
        first, last = min(int(left), n_columns - 1), min(int(right), n_columns - 1)
        done = 0.0
        for column in range(first, last + 1):
            # The part of the side in this column, and how much of the row it takes.
            start, stop = max(left, float(column)), min(right, column + 1.0)
            part = height if right == left else height * (stop - start) / (right - left)
            middle = (start + stop) / 2 - column
            # East of it in this cell; and all of the cell for parts farther west.
            share[row, column] += sign * (part * (1.0 - middle) + done)
            done += part
        if last + 1 < n_columns:
            rest[row, last + 1] += sign * height


@jit
def _span(start, stop, radius, origin, cell):
    """Return the first and last index of a grid without end that a stretch can reach."""
    # One cell more on each side: rounding must not cut off a centre at the radius.
    first = math.floor((min(start, stop) - radius - origin) / cell) - 1.0
    last = math.floor((max(start, stop) + radius - origin) / cell) + 1.0
    # No grid is as large, and a far end of a stretch must not overflow.
    return int(max(first, -1.0)), int(min(max(last, -1.0), 1e9))


@jit
def _distance_squared(x, y, start, stop):
    """Return the squared distance of a point from a stretch."""
    along_x, along_y = stop[0] - start[0], stop[1] - start[1]
    from_x, from_y = x - start[0], y - start[1]
    length_squared = along_x * along_x + along_y * along_y
    if length_squared > 0.0:
        share = (from_x * along_x + from_y * along_y) / length_squared
        share = min(max(share, 0.0), 1.0)
        from_x -= share * along_x
        from_y -= share * along_y
    return from_x * from_x + from_y * from_y

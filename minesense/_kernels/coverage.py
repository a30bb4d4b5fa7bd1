"""Kernels that mark the cells of a grid near a track."""

from ._jit import jit


@jit
def stamp_capsules(starts, stops, radii, values, east, north, cell, out):
    """
    Join a value, with or, into every cell whose centre is near a line segment.

    Parameters
    ----------
    starts, stops : (n_capsules, 2) float64 array
        Ends of the segments, easting and northing in m; equal ends make a disc.
    radii : (n_capsules,) float64 array
        Largest distance of a centre that is marked, m.
    values : (n_capsules,) int64 array
        What is joined into the marked cells.
    east, north, cell : float
        South-western corner of the grid and side of a cell, m.
    out : (n_rows, n_columns) int64 array
        Rows go north, columns east; changed in place.
    """
    n_rows, n_columns = out.shape
    for i in range(len(starts)):
        first_row, last_row = _span(starts[i, 1], stops[i, 1], radii[i], north, cell, n_rows)
        first, last = _span(starts[i, 0], stops[i, 0], radii[i], east, cell, n_columns)
        for row in range(first_row, last_row + 1):
            y = north + (row + 0.5) * cell
            for column in range(first, last + 1):
                x = east + (column + 0.5) * cell
                if _distance_squared(x, y, starts[i], stops[i]) <= radii[i] * radii[i]:
                    out[row, column] |= values[i]


@jit
def stamp_least(starts, stops, radii, label, east, north, cell, out):
    """
    Write a label where a cell near a line segment has none yet, or a greater one.

    Parameters
    ----------
    starts, stops, radii, east, north, cell
        As for `stamp_capsules`.
    label : int
        Zero or more.
    out : (n_rows, n_columns) int64 array
        Labels, -1 for none; changed in place.
    """
    n_rows, n_columns = out.shape
    for i in range(len(starts)):
        first_row, last_row = _span(starts[i, 1], stops[i, 1], radii[i], north, cell, n_rows)
        first, last = _span(starts[i, 0], stops[i, 0], radii[i], east, cell, n_columns)
        for row in range(first_row, last_row + 1):
            y = north + (row + 0.5) * cell
            for column in range(first, last + 1):
                x = east + (column + 0.5) * cell
                if out[row, column] < 0 or out[row, column] > label:
                    if _distance_squared(x, y, starts[i], stops[i]) <= radii[i] * radii[i]:
                        out[row, column] = label


@jit
def _span(start, stop, radius, origin, cell, size):
    """Return the first and last index of the grid that a segment can reach."""
    # One cell more on each side: rounding must not cut off a centre at the radius.
    first = int((min(start, stop) - radius - origin) / cell) - 1
    last = int((max(start, stop) + radius - origin) / cell) + 1
    return max(first, 0), min(last, size - 1)


@jit
def _distance_squared(x, y, start, stop):
    """Return the squared distance of a point from a segment."""
    along_x, along_y = stop[0] - start[0], stop[1] - start[1]
    from_x, from_y = x - start[0], y - start[1]
    length_squared = along_x * along_x + along_y * along_y
    if length_squared > 0.0:
        share = (from_x * along_x + from_y * along_y) / length_squared
        share = min(max(share, 0.0), 1.0)
        from_x -= share * along_x
        from_y -= share * along_y
    return from_x * from_x + from_y * from_y

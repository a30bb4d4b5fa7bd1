"""Kernel that looks at the ground under a head."""

from ._jit import jit


@jit
def sum_under(easting, northing, turn, offsets, weights, place, heights, out):
    """
    Sum a bilinear surface at places around each position, weighted.

    Parameters
    ----------
    easting, northing : (n,) float64 array
        Positions, m.
    turn : (n, 2) float64 array
        Sine and cosine of the heading, clockwise from north.
    offsets : (n_places, 2) float64 array
        Right and forward of a position, m.
    weights : (n_places,) float64 array
        Of the places.
    place : (3,) float64 array
        Easting and northing of `heights[0, 0]` and step of the grid, m.
    heights : (n_easting, n_northing) float64 array
        Surface, at least two along each axis; beyond it counts its edge.
    out : (n,) float64 array
        Sums; written.
    """
    last = heights.shape[0] - 1
    last_north = heights.shape[1] - 1
    for k in range(len(easting)):
        sin, cos = turn[k]
        total = 0.0
        for i in range(len(weights)):
            right, forward = offsets[i]
            x = (easting[k] + cos * right + sin * forward - place[0]) / place[2]
            y = (northing[k] - sin * right + cos * forward - place[1]) / place[2]
            x = min(max(x, 0.0), float(last))
            y = min(max(y, 0.0), float(last_north))
            column, row = min(int(x), last - 1), min(int(y), last_north - 1)
            x -= column
            y -= row
            low = (1 - y) * heights[column, row] + y * heights[column, row + 1]
            high = (1 - y) * heights[column + 1, row] + y * heights[column + 1, row + 1]
            total += weights[i] * ((1 - x) * low + x * high)
        out[k] = total

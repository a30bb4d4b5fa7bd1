"""Polygons of a task: checks that a ring encloses ground, and its area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_array
from ..sweep import Floats

Ring = Sequence[Sequence[float]]


def check_ring(ring: Ring | npt.ArrayLike, name: str) -> Floats:
    """
    Return the corners of a ring, counterclockwise, the first one not repeated at the end.

    Parameters
    ----------
    ring : (n_corners, 2) array_like
        Easting and northing in metres, in either direction; the first corner may be repeated
        at the end.
    name : str
        What an error calls it.

    Returns
    -------
    corners : (n_corners, 2) float64 ndarray
        At least three, no two the same.

    Raises
    ------
    TypeError, ValueError
        If a corner is no pair of finite numbers, there are fewer than three, two are the same,
        the ring encloses nothing, or two of its sides cross or touch.

    Examples
    --------
    >>> check_ring([[0, 0], [0, 2], [3, 2], [3, 0]], "polygon").tolist()
    [[3.0, 0.0], [3.0, 2.0], [0.0, 2.0], [0.0, 0.0]]
    >>> check_ring([[0, 0], [2, 2], [2, 0], [0, 2]], "polygon")
    Traceback (most recent call last):
    ValueError: Invalid polygon: sides 1 and 3 cross or touch. Must not cross itself.
    """
    corners = check_array(np.array(ring, dtype=object).tolist(), name, ("n_corners", 2))
    if len(corners) > 1 and (corners[0] == corners[-1]).all():
        corners = corners[:-1]
    if len(corners) < 3:
        msg = f"Invalid {name} with {len(corners)} corners. Must have at least three."
        raise ValueError(msg)
    _, inverse = np.unique(corners, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    counts = np.bincount(inverse)
    if (counts > 1).any():
        # by their numbers: places of hazards do not go into messages
        one, two = (np.flatnonzero(inverse == np.argmax(counts > 1))[:2] + 1).tolist()
        msg = (
            f"Invalid {name}: corner {two} is corner {one}, which occurs twice. Must not "
            "repeat a corner."
        )
        raise ValueError(msg)
    pair = crossing_sides(corners)
    if pair is not None:
        msg = (
            f"Invalid {name}: sides {pair[0] + 1} and {pair[1] + 1} cross or touch. Must not "
            "cross itself."
        )
        raise ValueError(msg)
    area = signed_area(corners)
    return np.ascontiguousarray(corners if area > 0 else corners[::-1])


def signed_area(corners: Floats) -> float:
    """Return the area of a ring in square metres, negative if it goes clockwise."""
    east, north = (corners - corners[0]).T  # near zero, so that no digits are lost
    return float(np.sum(east * np.roll(north, -1) - np.roll(east, -1) * north) / 2)


def crossing_sides(corners: Floats) -> tuple[int, int] | None:
    """
    Return two sides of a ring that meet elsewhere than at the corner they share, if any do.

    Parameters
    ----------
    corners : (n_corners, 2) float64 ndarray
        Easting and northing in metres.

    Returns
    -------
    pair : (int, int) or None
        Numbers of the sides; side k goes from corner k to the next.

    Examples
    --------
    >>> import numpy as np
    >>> crossing_sides(np.array([[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]]))
    (0, 2)
    """
    n = len(corners)
    ends = np.roll(corners, -1, axis=0)
    for i in range(n - 1):
        others = np.arange(i + 1, n)
        start, stop = corners[others], ends[others]
        met = _meet(corners[i], ends[i], start, stop)
        # Neighbours share a corner, and meet only if one folds back over the other.
        is_neighbour = (others == i + 1) | ((i == 0) & (others == n - 1))
        near = np.where((others == i + 1)[:, None], stop, start)
        shared = np.where((others == i + 1)[:, None], start, stop)
        own = np.where((others == i + 1)[:, None], corners[i], ends[i])
        folded = (_turn(own, shared, near) == 0) & (
            np.sum((own - shared) * (near - shared), axis=1) > 0
        )
        bad = np.where(is_neighbour, folded, met)
        if bad.any():
            return i, int(others[np.argmax(bad)])
    return None


def _turn(start: Floats, stop: Floats, point: Floats) -> Floats:
    """Return the sign of the turn at `stop` on the way from `start` to `point`."""
    along, on = stop - start, point - start
    result: Floats = np.sign(along[..., 0] * on[..., 1] - along[..., 1] * on[..., 0])
    return result


def _meet(start: Floats, stop: Floats, starts: Floats, stops: Floats) -> npt.NDArray[np.bool_]:
    """Return whether a segment has a point in common with each of some others."""
    a, b = _turn(start, stop, starts), _turn(start, stop, stops)
    c, d = _turn(starts, stops, start), _turn(starts, stops, stop)
    low, high = np.minimum(start, stop), np.maximum(start, stop)
    boxes = (np.minimum(starts, stops) <= high) & (np.maximum(starts, stops) >= low)
    result: npt.NDArray[np.bool_] = boxes.all(axis=1) & (a * b <= 0) & (c * d <= 0)
    return result

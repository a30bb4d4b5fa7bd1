"""Windings of circles and polygons: their field, and how they move and mirror."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels import induction
from .._validation import check_array, check_count
from ..sensor import Circle, Polygon, Winding
from .relaxation import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wires:
    """A winding as kernels take it."""

    circles: Floats  #: (n, 8) centre, unit axis, radius, turns
    segments: Floats  #: (n, 7) start, stop, turns


def winding_field(points: npt.ArrayLike, winding: Winding) -> Floats:
    r"""
    Compute the magnetic field of a winding.

    Parameters
    ----------
    points : (n, 3) array_like
        In the frame of the winding: right, forward, upward, m.
    winding : tuple of Circle and Polygon
        Wire paths in series.

    Returns
    -------
    field : (n, 3) float64 ndarray
        H per ampere of terminal current, turns included, in 1/m.

    Raises
    ------
    TypeError, ValueError
        If `winding` is none, or a point lies on the wire, where the field has no value.

    Notes
    -----
    Circles as in :func:`loop_field`. For a straight segment from A to B, with
    :math:`r_1 = P - A, r_2 = P - B`,

    .. math:: H = \frac{1}{4 \pi} \, r_1 \times r_2 \,
        \frac{|r_1| + |r_2|}{|r_1| |r_2| (|r_1| |r_2| + r_1 \cdot r_2)} ,

    where beside the segment :math:`(|r_1| |r_2| - r_1 \cdot r_2) / |r_1 \times r_2|^2` stands
    for the last bracket, so that nothing cancels near the wire.

    Examples
    --------
    >>> from minesense.physics import winding_field
    >>> from minesense.sensor import Circle
    >>> pair = (Circle(radius=0.1), Circle(radius=0.1, turns=-1.0))
    >>> winding_field([[0.0, 0.0, 0.05]], pair).tolist()
    [[0.0, 0.0, 0.0]]
    """
    points = check_array(points, "points", ("n", 3))
    wires = wires_of(winding)
    field = np.empty_like(points)
    induction.winding_field(points, wires.circles, wires.segments, field)
    is_wire = np.isnan(field[:, 0])
    if is_wire.any():
        i = int(np.argmax(is_wire))
        msg = f"Invalid points: point {i}, {points[i].tolist()}, lies on the wire."
        raise ValueError(msg)
    return field


def wires_of(winding: Winding) -> Wires:
    """
    Return a winding as arrays.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series.

    Returns
    -------
    wires : Wires
        For kernels.

    Raises
    ------
    TypeError, ValueError
        If it holds something else, or nothing.
    """
    if isinstance(winding, (Circle, Polygon)) or not isinstance(winding, (tuple, list)):
        msg = f"Invalid winding of type {type(winding).__name__}. Must be a tuple of paths."
        raise TypeError(msg)
    circles, segments = [np.empty((0, 8))], [np.empty((0, 7))]
    for path in winding:
        if isinstance(path, Circle):
            axis = path.axis / np.linalg.norm(path.axis)
            circles.append(np.hstack([path.centre, axis, path.radius, path.turns])[None])
        elif isinstance(path, Polygon):
            stop = np.roll(path.vertices, -1, axis=0)
            turns = np.full((len(stop), 1), path.turns)
            segments.append(np.hstack([path.vertices, stop, turns]))
        else:
            msg = f"Invalid path of type {type(path).__name__}. Must be a Circle or Polygon."
            raise TypeError(msg)
    if not winding:
        msg = "Invalid winding (). Must hold a wire."
        raise ValueError(msg)
    return Wires(
        circles=np.ascontiguousarray(np.concatenate(circles)),
        segments=np.ascontiguousarray(np.concatenate(segments)),
    )


def spanned_triangles(winding: Winding) -> Floats:
    """
    Return the surface that the polygons of a winding span, as fans of triangles.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series.

    Returns
    -------
    triangles : (n, 3, 3) float64 ndarray
        Corners: the middle of a polygon and the ends of each of its edges, m.
    """
    fans = [np.empty((0, 3, 3))]
    for path in winding:
        if isinstance(path, Polygon):
            middle = np.broadcast_to(path.vertices.mean(axis=0), path.vertices.shape)
            stop = np.roll(path.vertices, -1, axis=0)
            fans.append(np.stack([middle, path.vertices, stop], axis=1))
    return np.ascontiguousarray(np.concatenate(fans))


def extent(winding: Winding) -> float:
    """
    Return the largest distance of wire from the origin of its frame.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series.

    Returns
    -------
    extent : float
        An upper bound, m.
    """
    return max(
        float(np.linalg.norm(path.centre)) + path.radius
        if isinstance(path, Circle)
        else float(np.linalg.norm(path.vertices, axis=1).max())
        for path in winding
    )


def moved(
    winding: Winding,
    *,
    offset: npt.ArrayLike = (0.0, 0.0, 0.0),
    rotation: npt.ArrayLike | None = None,
) -> Winding:
    """
    Return a winding turned, then shifted.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series.
    offset : (3,) array_like
        Shift, m.
    rotation : (3, 3) array_like, optional
        Orthogonal matrix of determinant 1; by default no rotation.

    Returns
    -------
    winding : tuple of Circle and Polygon
        Somewhere else.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit or `rotation` is no rotation.

    Examples
    --------
    >>> from minesense.physics import moved
    >>> from minesense.sensor import Circle
    >>> moved((Circle(radius=0.1),), offset=[0.0, 0.0, 0.2])[0].centre.tolist()
    [0.0, 0.0, 0.2]
    """
    shift = check_array(offset, "offset", (3,))
    turn = np.eye(3) if rotation is None else check_array(rotation, "rotation", (3, 3))
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-9 or np.linalg.det(turn) < 0:
        msg = f"Invalid rotation {turn.tolist()}. Must be orthogonal, of determinant 1."
        raise ValueError(msg)
    paths: list[Circle | Polygon] = []
    for path in winding:
        if isinstance(path, Circle):
            centre, axis = turn @ path.centre + shift, turn @ path.axis
            paths.append(dataclasses.replace(path, centre=centre, axis=axis))
        else:
            vertices = path.vertices @ turn.T + shift
            paths.append(dataclasses.replace(path, vertices=vertices))
    return tuple(paths)


def mirrored(winding: Winding) -> Winding:
    r"""
    Return the image of a winding below the plane of height zero.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series; upward is the third coordinate.

    Returns
    -------
    image : tuple of Circle and Polygon
        Each point of the wire mirrored, in the same order: horizontal currents keep their
        direction, vertical ones flip. The axis of a circle, right-handed about its current,
        becomes :math:`(-a_1, -a_2, a_3)`.

    Examples
    --------
    >>> from minesense.physics import mirrored
    >>> from minesense.sensor import Circle
    >>> image = mirrored((Circle(radius=0.1, centre=[0.0, 0.0, 0.05]),))
    >>> image[0].centre.tolist(), image[0].axis.tolist()
    ([0.0, 0.0, -0.05], [0.0, 0.0, 1.0])
    """
    flip = np.array([1.0, 1.0, -1.0])
    paths: list[Circle | Polygon] = []
    for path in winding:
        if isinstance(path, Circle):
            axis = -path.axis * flip + 0.0
            paths.append(dataclasses.replace(path, centre=path.centre * flip, axis=axis))
        else:
            paths.append(dataclasses.replace(path, vertices=path.vertices * flip))
    return tuple(paths)


def circle_polygon(circle: Circle, n_edges: int) -> Polygon:
    r"""
    Return a regular polygon that stands for a circle.

    Parameters
    ----------
    circle : Circle
        Any.
    n_edges : int
        At least 3.

    Returns
    -------
    polygon : Polygon
        Of the same area, which makes its far field that of the circle: its vertices lie at
        :math:`R \sqrt{2 \pi / (n \sin(2 \pi / n))}`.

    Raises
    ------
    TypeError, ValueError
        If `circle` is none or `n_edges` is less than 3.

    Examples
    --------
    >>> from minesense.physics import circle_polygon
    >>> from minesense.sensor import Circle
    >>> len(circle_polygon(Circle(radius=0.1), 64).vertices)
    64
    """
    if not isinstance(circle, Circle):
        msg = f"Invalid circle of type {type(circle).__name__}. Must be a Circle."
        raise TypeError(msg)
    n = check_count(n_edges, "n_edges", least=3)
    radius = circle.radius * math.sqrt(2 * math.pi / (n * math.sin(2 * math.pi / n)))
    angle = 2 * math.pi * np.arange(n)[:, None] / n
    first, second = frame_about(circle.axis)
    vertices = circle.centre + radius * (np.cos(angle) * first + np.sin(angle) * second)
    return Polygon(vertices=vertices, turns=circle.turns)


def frame_about(axis: Floats) -> tuple[Floats, Floats]:
    """
    Return two unit vectors that form a right-handed frame with an axis.

    Parameters
    ----------
    axis : (3,) float64 ndarray
        Of any length but zero.

    Returns
    -------
    first, second : (3,) float64 ndarray
        first x second points along the axis.
    """
    unit = axis / np.linalg.norm(axis)
    first = np.cross(np.eye(3)[int(np.argmin(np.abs(unit)))], unit)
    first /= np.linalg.norm(first)
    return first, np.cross(unit, first)

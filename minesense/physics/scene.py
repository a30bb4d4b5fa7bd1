"""Heads among bodies: poses, what is near, what touches, and the sum over all pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .._kernels import contact, induction
from .._validation import check_array, check_positive
from ..sensor import ContinuousWave, Head
from .relaxation import Absence, Floats, Relaxation, check_response
from .winding import Wires, extent, spanned_triangles, wires_of

#: Rows and columns of the six elements of a symmetric tensor, in the kernel's order.
_ROWS = np.array([0, 1, 2, 0, 0, 1])
_COLUMNS = np.array([0, 1, 2, 1, 2, 2])
#: Objects nearer to the middle of a wire than this touch it, m: the field of a thread has no
#: meaning inside a winding.
WIRE_RADIUS = 1e-3
#: Greatest coordinate of a head or object, m: more than any map has.
_FARTHEST = 1e9
#: Positions that share one search for the bodies around them.
_BLOCK = 256

Objects: TypeAlias = Sequence[Relaxation | Absence]


def check_head(head: Any) -> Head:
    """
    Return head if it is the record of a metal-detector head.

    Parameters
    ----------
    head : object
        What was given.

    Returns
    -------
    head : Head
        The same.
    """
    if not isinstance(head, Head):
        msg = f"Invalid head of type {type(head).__name__}. Must be a Head."
        raise TypeError(msg)
    return head


def check_wave(excitation: Any) -> ContinuousWave:
    """
    Return excitation if it is a continuous wave.

    Parameters
    ----------
    excitation : object
        What was given.

    Returns
    -------
    wave : ContinuousWave
        The same.
    """
    if not isinstance(excitation, ContinuousWave):
        msg = f"Invalid excitation of type {type(excitation).__name__}. Must be ContinuousWave."
        raise TypeError(msg)
    return excitation


def check_pose(
    position: npt.ArrayLike, rotation: npt.ArrayLike | None, name: str = "head_position"
) -> tuple[Floats, Floats]:
    """
    Return positions and rotations that fit together.

    Parameters
    ----------
    position : (n, 3) array_like
        Easting, northing, upward, m.
    rotation : (n, 3, 3) array_like or None
        Orthogonal matrices of determinant 1; level for None.
    name : str
        What an error calls the positions.

    Returns
    -------
    position : (n, 3) float64 ndarray
        The same.
    rotation : (n, 3, 3) float64 ndarray
        The same.
    """
    places = check_array(position, name, ("n", 3))
    _check_near(places, name)
    if rotation is None:
        return places, np.ascontiguousarray(np.tile(np.eye(3), (len(places), 1, 1)))
    turn = check_array(rotation, "rotation", (len(places), 3, 3))
    error = np.abs(turn @ np.swapaxes(turn, 1, 2) - np.eye(3)).max(axis=(1, 2), initial=0.0)
    bad = (error > 1e-9) | (np.linalg.det(turn) < 0)
    if bad.any():
        i = int(np.argmax(bad))
        msg = (
            f"Invalid rotation {turn[i].tolist()} at position {i}. Must be orthogonal, of "
            "determinant 1."
        )
        raise ValueError(msg)
    return places, turn


def objects_within(
    position: Floats,
    object_position: npt.ArrayLike,
    objects: Objects,
    object_radius: npt.ArrayLike,
    reach: float,
) -> tuple[Floats, Floats, list[Relaxation | Absence]]:
    """
    Return places, radii and lists of the objects that some head position may reach.

    Parameters
    ----------
    position : (n, 3) float64 ndarray
        Of the head, m.
    object_position, objects, object_radius, reach
        As in :func:`~minesense.physics.pulse_voltage`.

    Returns
    -------
    places : (m, 3) float64 ndarray
        Of those within a box around the lane, m.
    radii : (m,) float64 ndarray
        Of the spheres around them, m.
    used : list of Relaxation or Absence
        The objects.
    """
    used = [check_response(body, "object") for body in objects]
    places = check_array(object_position, "object_position", (len(used), 3))
    _check_near(places, "object_position")
    shape = () if np.ndim(object_radius) == 0 else (len(used),)
    radii = np.broadcast_to(check_array(object_radius, "object_radius", shape), len(used))
    if (radii < 0).any():
        msg = f"Invalid object_radius '{radii.min()}'. Must not be negative."
        raise ValueError(msg)
    if reach != math.inf:
        check_positive(reach, "reach")
    radii = np.ascontiguousarray(radii)
    if not len(position) or not len(places) or reach == math.inf:
        return places, radii, used
    kept = _near(position, places, reach)  # objects elsewhere in the field cost nothing
    return places[kept], radii[kept], [used[int(j)] for j in kept]  # type: ignore[union-attr]


def sum_of_bodies(
    head: Head,
    position: Floats,
    rotation: Floats,
    bodies: tuple[Floats, Floats],
    tensors: Floats,
    *,
    reach: float,
) -> Floats:
    """
    Return the sum over bodies of h_rx^T T h_tx.

    Parameters
    ----------
    head : Head
        Its windings.
    position, rotation : (n, 3) and (n, 3, 3) float64 ndarray
        Of the head.
    bodies : (m, 3) and (m,) float64 ndarray
        Places and radii, m.
    tensors : (m, n_out, 3, 3) float64 ndarray
        Of each body, symmetric.
    reach : float
        Bodies farther than this from the head are left out, m.

    Returns
    -------
    sums : (n, n_out) float64 ndarray
        In the unit of the tensors over m^2.

    Raises
    ------
    ValueError
        If a body touches the head.
    """
    places, radii = bodies
    elements = np.ascontiguousarray(np.swapaxes(tensors[:, :, _ROWS, _COLUMNS], 1, 2))
    out = np.empty((len(position), tensors.shape[1]))
    windings = [head.transmitter, head.receiver]
    if head.receiver is head.transmitter:
        windings.pop()
    wires = [wires_of(winding) for winding in windings]
    surfaces = [(spanned_triangles(winding), extent(winding)) for winding in windings]
    # in blocks, each with the bodies around it: a long lane takes time as its length does
    n_block = _BLOCK if reach < math.inf else max(1, len(position))
    for start in range(0, len(position), n_block):
        block = slice(start, start + n_block)
        near = _near(position[block], places, reach)
        for wire, surface in zip(wires, surfaces, strict=True):
            _check_apart(
                wire,
                surface,
                position[block],
                rotation[block],
                places[near],
                radii[near],
                start,
            )
        _sum_block(
            wires,
            position[block],
            rotation[block],
            places[near],
            elements[near],
            reach,
            out[block],
        )
    return out


def _check_near(places: Floats, name: str) -> None:
    """Raise if a place is so far off that powers of its distance overflow."""
    far = np.abs(places).max(axis=1, initial=0.0) > _FARTHEST
    if far.any():
        i = int(np.argmax(far))
        msg = (
            f"Invalid {name} {places[i].tolist()} at position {i}. Must lie within "
            f"{_FARTHEST:g} m of the origin."
        )
        raise ValueError(msg)


def _near(position: Floats, places: Floats, reach: float) -> slice | npt.NDArray[np.intp]:
    """Return which places lie in a box around positions, wider by the reach."""
    if reach == math.inf:
        return slice(None)
    is_near = (places >= position.min(axis=0) - reach) & (
        places <= position.max(axis=0) + reach
    )
    return np.flatnonzero(is_near.all(axis=1))


def _sum_block(
    wires: list[Wires],
    position: Floats,
    rotation: Floats,
    places: Floats,
    elements: Floats,
    reach: float,
    out: Floats,
) -> None:
    """Fill the sums of some positions over the bodies near them."""
    transmitter, receiver = wires[0], wires[-1]
    induction.sum_of_bodies(
        position,
        rotation,
        transmitter.circles,
        transmitter.segments,
        receiver.circles,
        receiver.segments,
        len(wires) == 1,
        places,
        elements,
        float(reach),
        np.empty((2, 3)),
        out,
    )


def _check_apart(
    wires: Wires,
    surface: tuple[Floats, float],
    position: Floats,
    rotation: Floats,
    places: Floats,
    radii: Floats,
    first: int,
) -> None:
    """Raise if a body touches a wire or reaches through what it spans; `first` is counted."""
    found = np.empty(3, np.int64)
    contact.first_contact(
        position,
        rotation,
        wires.circles,
        wires.segments,
        *surface,
        WIRE_RADIUS,
        places,
        radii,
        found,
    )
    i, j, kind = (int(x) for x in found)
    if kind < 0:
        return
    place, size = places[j].tolist(), radii[j]
    at = f"position {first + i}, {position[i].tolist()}"
    if kind == 1:
        msg = (
            f"Invalid object_position {place}: with a radius of {size:g} m the object "
            f"touches a wire of the head at {at}. Must lie farther from it than "
            f"{max(size, WIRE_RADIUS):g} m."
        )
    else:
        msg = (
            f"Invalid object_radius '{size:g}' of the object at {place}: it reaches "
            f"through the coil at {at}. Must stay on one side of it."
        )
    raise ValueError(msg)

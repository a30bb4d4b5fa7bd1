"""How bodies and heads stand in space: rotations to easting, northing, upward."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_real
from .relaxation import Floats


def attitude(
    heading: npt.ArrayLike, *, pitch: npt.ArrayLike = 0.0, roll: npt.ArrayLike = 0.0
) -> Floats:
    r"""
    Return the rotation of a platform.

    Parameters
    ----------
    heading : (n,) array_like
        Direction of forward, rad clockwise from north.
    pitch : (n,) array_like or float
        By which forward points above the horizon, rad.
    roll : (n,) array_like or float
        By which the right side is lower than the left, rad.

    Returns
    -------
    rotation : (n, 3, 3) float64 ndarray
        Takes right, forward, upward of the platform to easting, northing, upward; its
        columns are the three axes of the platform.

    Raises
    ------
    TypeError, ValueError
        If an angle is no finite number or shapes do not fit.

    Notes
    -----
    Roll about forward first, then pitch about right, then heading:
    :math:`R = R_u(-\psi) R_r(\theta) R_f(\phi)`, right-handed rotations.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import attitude
    >>> east = attitude([np.pi / 2])[0]
    >>> (east @ [0.0, 1.0, 0.0]).round(12).tolist()  # forward is easting
    [1.0, 0.0, 0.0]
    """
    psi = check_array(heading, "heading", ("n",))
    angles = []
    for value, name in ((pitch, "pitch"), (roll, "roll")):
        shape = () if np.ndim(check_real(value, name)) == 0 else (len(psi),)
        angles.append(np.broadcast_to(check_array(value, name, shape), psi.shape))
    (sin_h, sin_p, sin_r), (cos_h, cos_p, cos_r) = (
        [turn(x) for x in (psi, *angles)] for turn in (np.sin, np.cos)
    )
    right = [
        cos_h * cos_r + sin_h * sin_p * sin_r,
        -sin_h * cos_r + cos_h * sin_p * sin_r,
        -cos_p * sin_r,
    ]
    forward = [sin_h * cos_p, cos_h * cos_p, sin_p]
    upward = [
        cos_h * sin_r - sin_h * sin_p * cos_r,
        -sin_h * sin_r - cos_h * sin_p * cos_r,
        cos_p * cos_r,
    ]
    columns = [np.stack(axis, axis=-1) for axis in (right, forward, upward)]
    return np.ascontiguousarray(np.stack(columns, axis=-1))


def rotation_onto(axis: npt.ArrayLike) -> Floats:
    """
    Return the shortest rotation that takes upward to a direction.

    Parameters
    ----------
    axis : (3,) array_like
        Of any length but zero.

    Returns
    -------
    rotation : (3, 3) float64 ndarray
        Orthogonal; its last column is the direction.

    Raises
    ------
    ValueError
        If `axis` is zero or not finite.

    Examples
    --------
    >>> from minesense.physics import rotation_onto
    >>> (rotation_onto([3.0, 0.0, 4.0]) @ [0.0, 0.0, 1.0]).round(12).tolist()
    [0.6, 0.0, 0.8]
    """
    direction = check_array(axis, "axis", (3,))
    length = float(np.linalg.norm(direction))
    if length == 0:
        msg = f"Invalid axis {direction.tolist()}. Must have a direction."
        raise ValueError(msg)
    e, n, u = (direction / length).tolist()
    across = math.hypot(e, n)
    if across < 1e-150:  # vertical, and nothing to divide by
        return np.diag([1.0, math.copysign(1.0, u), math.copysign(1.0, u)])
    east, north = e / across, n / across
    bend = across**2 / (1 + u) if u > 0 else 1 - u  # 1 - u without cancelling
    return np.array(
        [
            [1 - bend * east * east, -bend * east * north, e],
            [-bend * east * north, 1 - bend * north * north, n],
            [-e, -n, u],
        ]
    )

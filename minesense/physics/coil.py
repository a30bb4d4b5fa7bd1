"""The field of a circular coil, without loss of digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_array
from ..sensor import Circle
from .relaxation import Floats
from .winding import winding_field


def loop_field(
    points: npt.ArrayLike, *, radius: float, axis: npt.ArrayLike = (0.0, 0.0, 1.0)
) -> Floats:
    r"""
    Compute the magnetic field of a circular loop.

    Parameters
    ----------
    points : (n, 3) array_like
        Easting, northing, upward from the centre of the loop, m.
    radius : float
        Of the loop, m.
    axis : (3,) array_like
        Normal of the loop, about which the current turns right-handed; of any length but
        zero.

    Returns
    -------
    field : (n, 3) float64 ndarray
        H per ampere of one turn, in 1/m. Multiply by :math:`\mu_0 I` for tesla.

    Raises
    ------
    ValueError
        If a point lies on the wire, where the field has no value, the radius is not
        greater than zero or the axis has no direction.

    Notes
    -----
    With :math:`a_\pm = (R \pm \rho)^2 + z^2` and :math:`k_c^2 = a_- / a_+`, both components
    are Bulirsch's complete elliptic integral, entered after its first step, in which terms
    that nearly cancel have already vanished: :math:`H_\rho` is good to about 1e-15 and
    :math:`H_z` to 2e-12 of the field, on the axis, near the wire and far away alike. There
    is no division by :math:`\rho`. Far away the loop is a dipole of moment
    :math:`\pi R^2`.

    References
    ----------
    R. Bulirsch 1965, "Numerical calculation of elliptic integrals and elliptic functions",
    Numerische Mathematik 7, 78-90. M. Ortner, P. Leitner and F. Slanovc 2023, "Numerically
    stable and computationally efficient expression for the magnetic field of a current
    loop", Magnetism 3(1), 11-31, for the idea to resume after the first step.

    Examples
    --------
    >>> from minesense.physics import loop_field
    >>> loop_field([[0.0, 0.0, 0.0]], radius=0.1).round(12).tolist()
    [[0.0, 0.0, 5.0]]
    """
    normal = unit_vectors(np.reshape(check_array(axis, "axis", (3,)), (1, 3)), "axis")[0]
    return winding_field(points, (Circle(radius=radius, axis=normal),))


def unit_vectors(vectors: Floats, name: str) -> Floats:
    """
    Return vectors at length one.

    Parameters
    ----------
    vectors : (n, 3) float64 ndarray
        Of any length but zero.
    name : str
        What an error calls them.

    Returns
    -------
    directions : (n, 3) float64 ndarray
        C-contiguous.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    if (length == 0).any():
        i = int(np.argmax(length[:, 0] == 0))
        msg = f"Invalid {name}: vector {i} is zero. Must have a direction."
        raise ValueError(msg)
    return np.ascontiguousarray(vectors / length)

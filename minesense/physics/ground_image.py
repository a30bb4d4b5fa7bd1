"""Flat magnetic ground as an image of the transmitter below it, exact for any winding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._validation import check_array
from ..sensor import Circle, Head, Winding
from .inductance import mutual_inductance, winding_inductance
from .pose import rotation_onto
from .relaxation import Floats, check_range
from .scene import check_head, check_pose
from .winding import mirrored, moved

Numbers = npt.NDArray


def image_flux(
    height: npt.ArrayLike,
    *,
    radius: float,
    susceptibility: npt.ArrayLike,
    receiver_radius: float | None = None,
) -> npt.NDArray[np.complex128] | Floats:
    r"""
    Compute the flux that magnetic ground adds through a horizontal receiver.

    Parameters
    ----------
    height : (...) array_like
        Of both loops over the ground, m, greater than zero.
    radius : float
        Of the transmitter, m.
    susceptibility : (...) array_like
        Of the ground, SI; complex for viscous soil at one frequency. Broadcast against
        `height`.
    receiver_radius : float, optional
        Of the receiver, coaxial and at the same height, m; by default that of the
        transmitter.

    Returns
    -------
    flux : (...) float64 or complex128 ndarray
        In Wb per ampere; complex if the susceptibility is.

    Raises
    ------
    ValueError
        If a height or radius is not greater than zero, or a susceptibility is not finite,
        not greater than -1 or has a positive imaginary part.

    Notes
    -----
    The ground is flat, uniform and does not conduct: exactly a transmitter mirrored in its
    surface with the current times :math:`\beta = \chi / (2 + \chi)`, so
    :math:`\Phi = \beta M(a, b, 2h)`. Divided by :math:`\mu_0` it compares, sign included,
    with :func:`continuous_wave_response` of objects: a magnetic ball and magnetic soil
    move the in-phase channel the same way.

    Examples
    --------
    >>> from minesense.physics import image_flux
    >>> print(f"{image_flux(0.03, radius=0.1, susceptibility=1e-3):.6g}")
    4.6459e-11
    """
    beta = image_factor(susceptibility)
    other = radius if receiver_radius is None else receiver_radius
    return np.asarray(beta * mutual_inductance(radius, other, 2 * check_height(height)))[()]


def image_inductance(
    height: npt.ArrayLike, *, head: Head, rotation: npt.ArrayLike | None = None
) -> Floats:
    r"""
    Compute the mutual inductance of a receiver and its mirrored transmitter.

    Parameters
    ----------
    height : (n,) array_like
        Of the origin of the wires over flat ground, m.
    head : Head
        With any windings.
    rotation : (n, 3, 3) array_like, optional
        How the platform stands, as :func:`~minesense.physics.attitude` returns it; level by
        default. The heading does not matter.

    Returns
    -------
    inductance : (n,) float64 ndarray
        In H. Times :math:`\beta = \chi / (2 + \chi)` of uniform ground it is the flux that
        the ground adds through the receiver, per ampere.

    Raises
    ------
    TypeError, ValueError
        If a shape does not fit, or a wire touches the ground or lies below it.

    Notes
    -----
    Points of the wire are mirrored in the surface, in the same order, and carry
    :math:`\beta I`: exact for tilted heads and for receivers anywhere above the ground. A
    level head of circles about one vertical axis takes Maxwell's formula, any other an
    integral for each different pose (:func:`winding_inductance`), a millisecond or several:
    see :func:`tabulate_ground` for lanes.

    Examples
    --------
    >>> from minesense.physics import attitude, heads, image_inductance, mutual_inductance
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.single(radius=0.1, excitation=ContinuousWave(frequencies=[1e4]))
    >>> level, tilted = image_inductance(
    ...     [0.05, 0.05], head=head, rotation=attitude([0.0, 0.0], roll=[0.0, 0.1])
    ... )
    >>> bool(abs(level / mutual_inductance(0.1, 0.1, 0.1) - 1) < 1e-12), bool(tilted > level)
    (True, True)
    """
    head = check_head(head)
    heights = check_array(height, "height", ("n",))
    down = np.array([[0.0, 0.0, 1.0]])  # the vertical in the frame of the platform
    if rotation is not None:
        down = check_pose(np.zeros((len(heights), 3)), rotation)[1][:, 2]
    windings = (head.transmitter, head.receiver)
    for winding in windings if head.receiver is not head.transmitter else windings[:1]:
        low = heights + lowest(winding, down)
        if (low <= 0).any():
            i = int(np.argmin(low))
            msg = (
                f"Invalid height '{heights[i]}' at position {i}: the lowest wire is "
                f"{low[i]:g} m over the ground. Must be above it."
            )
            raise ValueError(msg)
    circles = coaxial_circles(head)
    if circles is not None and not np.abs(down[:, :2]).max(initial=0.0):
        total = np.zeros(len(heights))
        for one in circles[0]:
            for other in circles[1]:
                gap = 2 * heights + one.centre[2] + other.centre[2]
                turns = one.turns * other.turns * np.sign(one.axis[2] * other.axis[2])
                total += turns * mutual_inductance(one.radius, other.radius, gap)
        return total
    down = np.broadcast_to(down, (len(heights), 3))
    poses, index = np.unique(np.column_stack([heights, down]), axis=0, return_inverse=True)
    return np.array([_one_inductance(head, pose) for pose in poses])[index.reshape(-1)]


def image_factor(susceptibility: npt.ArrayLike) -> Numbers:
    r"""
    Return the current of the image, as a share of that of the transmitter.

    Parameters
    ----------
    susceptibility : (...) array_like
        Of the ground, SI; complex for viscous soil at one frequency.

    Returns
    -------
    factor : (...) float64 or complex128 ndarray
        :math:`\beta = \chi / (2 + \chi)`.

    Raises
    ------
    TypeError, ValueError
        If a susceptibility is no finite number, not greater than -1, or has a positive
        imaginary part.
    """
    chi = np.asarray(susceptibility)
    if chi.dtype.kind not in "iufc":
        msg = f"Invalid susceptibility of dtype {chi.dtype}. Must be numbers."
        raise TypeError(msg)
    if not np.isfinite(chi).all() or (chi.real <= -1).any():
        found = chi[~np.isfinite(chi) | (chi.real <= -1)].flat[0] if chi.ndim else chi[()]
        msg = f"Invalid susceptibility '{found}'. Must be finite and greater than -1."
        raise ValueError(msg)
    if (chi.imag > 0).any():
        found = chi[chi.imag > 0].flat[0] if chi.ndim else chi[()]
        msg = (
            f"Invalid susceptibility '{found}'. Must have an imaginary part of zero or less: "
            "for exp(+i omega t), more would be a gain."
        )
        raise ValueError(msg)
    return np.asarray(chi / (2 + chi))


def lowest(winding: Winding, upward: Floats) -> Floats:
    """
    Return how far the lowest wire lies above the origin of a winding.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series.
    upward : (n, 3) float64 ndarray
        Unit vectors upward, in the frame of the winding.

    Returns
    -------
    lowest : (n,) float64 ndarray
        In metres; negative below the origin.
    """
    ends = []
    for path in winding:
        if isinstance(path, Circle):
            axis = path.axis / np.linalg.norm(path.axis)
            lean = np.sqrt(np.clip(1 - (upward @ axis) ** 2, 0, 1))
            ends.append(upward @ path.centre - path.radius * lean)
        else:
            ends.append((upward @ path.vertices.T).min(axis=1))
    return np.min(ends, axis=0)


def check_height(height: npt.ArrayLike) -> Floats:
    """
    Return heights greater than zero.

    Parameters
    ----------
    height : (...) array_like
        Over the ground, m.

    Returns
    -------
    height : (...) float64 ndarray
        The same.
    """
    heights = check_range(height, "height")
    if (heights == 0).any():
        msg = "Invalid height '0.0'. Must be greater than zero."
        raise ValueError(msg)
    return heights


def coaxial_circles(head: Head) -> tuple[list[Circle], list[Circle]] | None:
    """
    Return the circles of both windings if they lie about one vertical axis.

    Parameters
    ----------
    head : Head
        With any windings.

    Returns
    -------
    circles : (list of Circle, list of Circle) or None
        Of transmitter and receiver; None for any other head.
    """
    both = tuple(
        [path for path in winding if isinstance(path, Circle) and not path.axis[:2].any()]
        for winding in (head.transmitter, head.receiver)
    )
    paths = [*both[0], *both[1]]
    is_all = len(paths) == len(head.transmitter) + len(head.receiver)
    if not is_all or any((x.centre[:2] != paths[0].centre[:2]).any() for x in paths):
        return None
    return both[0], both[1]


def _one_inductance(head: Head, pose: Floats) -> float:
    """Return the inductance of one pose: height, and the vertical in the platform's frame."""
    # any heading will do: the shortest rotation that sets the vertical upright
    at, turn = [0.0, 0.0, pose[0]], rotation_onto(pose[1:]).T
    image = mirrored(moved(head.transmitter, offset=at, rotation=turn))
    return winding_inductance(image, moved(head.receiver, offset=at, rotation=turn))

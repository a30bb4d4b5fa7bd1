"""Mutual and self-inductance of windings."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._kernels import induction
from .._validation import check_positive
from ..constants import MU_0
from ..sensor import Circle, Polygon, Winding
from .relaxation import Floats, check_range
from .winding import Wires, frame_about, wires_of

#: Error of a line integral, as a share of the integral of the potential's size.
_TOLERANCE = 1e-11
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_ARCS = 4
_DEEPEST = 50


def mutual_inductance(
    radius_a: float, radius_b: float, distance: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    r"""
    Compute the mutual inductance of two coaxial circular loops of one turn.

    Parameters
    ----------
    radius_a, radius_b : float
        Radii, m.
    distance : (...) array_like
        Between their planes, m, zero or more.

    Returns
    -------
    inductance : (...) float64 ndarray
        In H.

    Raises
    ------
    ValueError
        If a radius is not greater than zero, a distance is negative, or the loops touch.

    Notes
    -----
    Maxwell's formula with :math:`k^2 = 4 a b / ((a + b)^2 + d^2)`,

    .. math:: M = \mu_0 \sqrt{a b} \left[\left(\frac{2}{k} - k\right) K(k)
        - \frac{2}{k} E(k)\right]
        = \mu_0 \sqrt{a b} \, k \, \mathrm{cel}(k_c, 1, -1, 1),

    evaluated in the second form after its first step, which keeps all digits at any
    distance; the first loses two for each decade of :math:`1/k`.

    References
    ----------
    J. C. Maxwell 1873, "A treatise on electricity and magnetism", article 701. R. Bulirsch
    1965, Numerische Mathematik 7, 78-90, for cel.

    Examples
    --------
    >>> from minesense.physics import mutual_inductance
    >>> print(f"{mutual_inductance(0.1, 0.1, 0.1):.6g}")
    4.94078e-08
    """
    a, b = check_positive(radius_a, "radius_a"), check_positive(radius_b, "radius_b")
    # farther off its square overflows, and nothing is left: 0
    gap = np.minimum(check_range(distance, "distance"), 1e150)
    coupling = np.empty(gap.size)
    induction.coaxial_coupling(a, b, np.ascontiguousarray(gap.reshape(-1)), coupling)
    if np.isinf(coupling).any():
        msg = "Invalid distance '0.0' between loops of equal radius. Must not touch."
        raise ValueError(msg)
    return np.asarray(MU_0 * coupling.reshape(gap.shape))[()]


def winding_inductance(first: Winding, second: Winding) -> float:
    r"""
    Compute the mutual inductance of two windings.

    Parameters
    ----------
    first, second : tuple of Circle and Polygon
        Wire paths in series, in one frame; they may cross but not run along each other.

    Returns
    -------
    inductance : float
        In H, turns included.

    Raises
    ------
    TypeError, ValueError
        If a winding is none, or wires touch along a length.

    Notes
    -----
    The sum over pairs of paths. Coaxial circles are exact (:func:`mutual_inductance`). All
    others are the integral of the vector potential of one path along the other,
    :math:`M = \oint A_1 \cdot \mathrm{d}l_2`, with the closed form of a circle and, for a
    segment of length `l`, :math:`\frac{\mu_0}{2 \pi} \mathrm{artanh}(l / (r_1 + r_2))`.
    Gauss quadrature of ten points is halved until halves agree with their whole: the error
    is below 1e-10 of the integral of :math:`|A|`, whether or not the sum is near zero.

    Examples
    --------
    >>> from minesense.physics import moved, mutual_inductance, winding_inductance
    >>> from minesense.sensor import Circle
    >>> coil = (Circle(radius=0.1, turns=10.0),)
    >>> pair = winding_inductance(coil, moved(coil, offset=[0.0, 0.0, 0.1]))
    >>> bool(abs(pair / mutual_inductance(0.1, 0.1, 0.1) - 100) < 1e-9)
    True
    """
    wires_of(first), wires_of(second)
    total = 0.0
    for one in first:
        for other in second:
            exact = _coaxial(one, other)
            if exact is None:
                # along the path of fewer corners: its field is the dearer one
                source, path = (one, other) if _cost(one) >= _cost(other) else (other, one)
                exact = source.turns * path.turns * _line_integral(source, path, 0.0)
            total += exact
    return MU_0 * total


def self_inductance(winding: Winding, *, wire_radius: float) -> float:
    r"""
    Compute the inductance of a winding of thin wire.

    Parameters
    ----------
    winding : tuple of Circle and Polygon
        Wire paths in series; turns of a path lie on one another.
    wire_radius : float
        Of the wire, or of the bundle of turns, m; small against the paths.

    Returns
    -------
    inductance : float
        In H, for currents on the surface of the wire.

    Raises
    ------
    TypeError, ValueError
        If `winding` is none, `wire_radius` is not greater than zero, or a circle's is not
        below a fifth of its radius.

    Notes
    -----
    :math:`\mu_0 R\,(\ln(8 R / w) - 2)` for each circle; for a polygon the potential of its
    axis along its surface, with distances :math:`\sqrt{r^2 + w^2}`; and twice the mutual
    inductance of different paths.

    References
    ----------
    F. W. Grover 1946, "Inductance calculations", for both.

    Examples
    --------
    >>> from minesense.physics import self_inductance
    >>> from minesense.sensor import Circle
    >>> print(f"{self_inductance((Circle(radius=0.1),), wire_radius=0.001):.4g}")
    5.887e-07
    """
    wires_of(winding)
    wire_radius = check_positive(wire_radius, "wire_radius")
    total = 0.0
    for i, path in enumerate(winding):
        if isinstance(path, Circle):
            if wire_radius > 0.2 * path.radius:
                msg = (
                    f"Invalid wire_radius '{wire_radius}'. Must be below a fifth of the radius."
                )
                raise ValueError(msg)
            own = path.radius * (math.log(8 * path.radius / wire_radius) - 2)
        else:
            own = _line_integral(path, path, wire_radius)
        total += MU_0 * path.turns**2 * own
        for other in winding[i + 1 :]:
            total += 2 * winding_inductance((path,), (other,))
    return total


def _coaxial(one: Circle | Polygon, other: Circle | Polygon) -> float | None:
    """Return the inductance over mu_0 of circles on one axis, None for all else."""
    if not (isinstance(one, Circle) and isinstance(other, Circle)):
        return None
    axis = one.axis / np.linalg.norm(one.axis)
    apart = other.centre - one.centre
    distance = float(apart @ axis)
    size = one.radius + other.radius + abs(distance)
    tilt = np.cross(axis, other.axis / np.linalg.norm(other.axis))
    if np.linalg.norm(apart - distance * axis) > 1e-13 * size or np.abs(tilt).max() > 1e-13:
        return None
    sign = math.copysign(1.0, float(axis @ other.axis))
    coupling = np.empty(1)
    gap = np.array([abs(distance)])
    induction.coaxial_coupling(one.radius, other.radius, gap, coupling)
    if np.isinf(coupling[0]):
        raise ValueError(_TOUCHING)
    return sign * one.turns * other.turns * float(coupling[0])


_TOUCHING = "Invalid windings: their wires touch along a length. Must lie apart."


def _cost(path: Circle | Polygon) -> int:
    """Return about how long the potential of a path takes, in segments."""
    return 5 if isinstance(path, Circle) else len(path.vertices)


def _line_integral(source: Circle | Polygon, path: Circle | Polygon, softening: float) -> float:
    """Return the integral of the potential of one turn over mu_0 along a path."""
    wires = wires_of((source,))
    wires.circles[:, 7] = 1.0
    wires.segments[:, 6] = 1.0
    if isinstance(path, Polygon):
        panel = np.repeat(np.arange(len(path.vertices))[:, None], 3, axis=1).astype(float)
        panel[:, 1:] = [0.0, 1.0]
    else:
        edges = 2 * math.pi * np.arange(_ARCS + 1) / _ARCS
        panel = np.column_stack([np.zeros(_ARCS), edges[:-1], edges[1:]])
    whole = _panel_integrals(wires, path, panel, softening)
    total, size = 0.0, 0.0
    for _ in range(_DEEPEST):
        middle = panel[:, 1:].mean(axis=1)
        left, right = panel.copy(), panel.copy()
        left[:, 2] = right[:, 1] = middle
        halves = _panel_integrals(wires, path, np.concatenate([left, right]), softening)
        halves = halves.reshape(2, len(panel), 2)
        if not np.isfinite(halves).all():
            break
        # sums, and sums of sizes: an integral near zero is judged by what it is made of
        size = max(size, float(halves[..., 1].sum()))
        error = np.abs(halves[..., 0].sum(axis=0) - whole[:, 0])
        is_done = error <= _TOLERANCE * size
        total += float(halves[:, is_done, 0].sum())
        if is_done.all():
            return total
        panel = np.concatenate([left[~is_done], right[~is_done]])
        whole = halves[:, ~is_done].reshape(-1, 2)
    raise ValueError(_TOUCHING)


def _panel_integrals(
    wires: Wires, path: Circle | Polygon, panel: Floats, softening: float
) -> Floats:
    """Return the integrals over panels (edge, start, stop), and of absolute values, (n, 2)."""
    half = (panel[:, 2] - panel[:, 1])[:, None] / 2
    place = (panel[:, 1:].mean(axis=1)[:, None] + half * _NODES)[..., None]
    if isinstance(path, Polygon):
        edge = panel[:, 0].astype(int)
        step = (np.roll(path.vertices, -1, axis=0) - path.vertices)[edge][:, None]
        points = path.vertices[edge][:, None] + place * step
        directions = np.broadcast_to(step, points.shape)
    else:
        first, second = frame_about(path.axis)
        cos, sin = path.radius * np.cos(place), path.radius * np.sin(place)
        points = path.centre + cos * first + sin * second
        directions = cos * second - sin * first
    values = np.empty(points.shape[0] * points.shape[1])
    induction.potential_along(
        np.ascontiguousarray(points.reshape(-1, 3)),
        np.ascontiguousarray(directions.reshape(-1, 3)),
        wires.circles,
        wires.segments,
        softening,
        values,
    )
    weighted = values.reshape(place.shape[:2]) * half * _WEIGHTS
    return np.stack([weighted.sum(axis=1), np.abs(weighted).sum(axis=1)], axis=1)

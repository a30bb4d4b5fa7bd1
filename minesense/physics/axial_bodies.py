"""Relaxation lists of bodies of revolution: spheroids, rods and discs, closed shells."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from .._validation import check_number, check_positive
from ..constants import MU_0
from .cylinder_limits import FLATTEST, LONGEST, AxisLimits, cylinder_limits
from .modes import short_list
from .pose import rotation_onto
from .relaxation import Relaxation, combine_axes, isotropic

#: Largest share of the order of the modes that a shell may ask for, nu + 1 over nu + 2.
_MOST_ORDERLY = 0.9


def spheroid_relaxation(
    *,
    diameter: float,
    length: float,
    conductivity: float,
    permeability: float,
    axis: npt.ArrayLike = (0.0, 0.0, 1.0),
) -> Relaxation:
    r"""
    Build the list of a solid conducting spheroid.

    Parameters
    ----------
    diameter, length : float
        Across its axis and along it, m; a length from 1e-4 to 100 diameters.
    conductivity : float
        In S/m.
    permeability : float
        Relative, 1 to 1000.
    axis : (3,) array_like
        Direction of its axis, of any length but zero.

    Returns
    -------
    body : Relaxation
        In m^3 and s.

    Raises
    ------
    ValueError
        If an argument is out of range or not finite, or `axis` has no direction.

    Notes
    -----
    Along each axis the interior is taken as uniform, of an effective permeability
    :math:`\mu_e` between that of the metal and zero:

    .. math:: M = \frac{V \chi}{1 + N \chi}, \quad \chi = \mu_e - 1, \quad
        \mu_e = \mu_r \frac{(1 - N) G_\nu(q)}{1 - N G_\nu(q)}, \quad
        q^2 = i \omega \mu_0 \mu_r \sigma \ell^2 ,

    with the demagnetising factor :math:`N` and
    :math:`G_\nu = 2 (\nu + 1) I_{\nu+1}(q) / (q I_\nu(q))`. This one form is exact for the
    sphere (:math:`N = 1/3, \nu = 1/2`) and for a long cylinder along its axis
    (:math:`N = 0, \nu = 0`) and across it (:math:`N = 1/2, \nu = 0`). For a spheroid the
    static limit :math:`V (\mu_r - 1) / (1 + N (\mu_r - 1))` and the inductive limit
    :math:`-V / (1 - N)` are exact whatever :math:`\ell` and :math:`\nu`. These two are chosen
    so that without magnetism the first term at low frequency, :math:`-i \omega \mu_0 \sigma V
    s`, and the skin effect at high frequency, :math:`-V / (1 - N)\,(1 - h / \sqrt{i \omega
    \mu_0 \sigma})`, are exact as well:

    .. math:: \frac{\nu + 1}{\nu + 2} = h^2 s (1 - N), \quad
        \ell^2 = 4 (\nu + 1) (\nu + 2)\, s (1 - N) ,

    with :math:`s = a^2 / 10` along the axis, :math:`a^2 c^2 / (5 (a^2 + c^2))` across it, and
    :math:`h = \oint (1 - n_i^2) \mathrm{d}S / (V (1 - N))`. In between it interpolates. All
    poles lie on the negative real axis and all amplitudes are positive.

    References
    ----------
    J. A. Osborn 1945, "Demagnetizing factors of the general ellipsoid", Physical Review 67,
    351-357. L. D. Landau and E. M. Lifshitz, "Electrodynamics of continuous media", sections
    58 and 59, for weak and strong skin effect. The family that joins them is our own.

    Examples
    --------
    >>> from minesense.physics import sphere_polarizability, spheroid_relaxation
    >>> steel = {"conductivity": 4e6, "permeability": 100.0}
    >>> ball = spheroid_relaxation(diameter=0.01, length=0.01, **steel)
    >>> exact = sphere_polarizability(20e3, radius=0.005, **steel)
    >>> bool(abs(ball.polarizability(20e3)[2, 2] / exact - 1) < 1e-4)
    True
    """
    diameter, length = _check_size(diameter, length)
    conductivity, permeability = _check_metal(conductivity, permeability)
    axial, transverse = _spheroid_limits(diameter / 2, length / 2)
    along, across = (
        _axis_relaxation(limits, conductivity, permeability, permeability)
        for limits in (axial, transverse)
    )
    return combine_axes(across, across, along).rotated(rotation_onto(axis))


def cylinder_relaxation(
    *,
    diameter: float,
    length: float,
    conductivity: float,
    permeability: float,
    axis: npt.ArrayLike = (0.0, 0.0, 1.0),
) -> Relaxation:
    r"""
    Build the list of a solid conducting cylinder: a rod, a nail, a coin, a piece of foil.

    Parameters
    ----------
    diameter, length : float
        Across its axis and along it, m; a length from 1e-4 to 100 diameters.
    conductivity : float
        In S/m.
    permeability : float
        Relative, 1 to 1000.
    axis : (3,) array_like
        Direction of its axis, of any length but zero.

    Returns
    -------
    body : Relaxation
        In m^3 and s.

    Raises
    ------
    ValueError
        If an argument is out of range or not finite, or `axis` has no direction.

    Notes
    -----
    The form of :func:`spheroid_relaxation`, with the static and the inductive limit, the
    loss at low frequency and the skin effect of a cylinder
    (:func:`~minesense.physics.cylinder_limits.cylinder_limits`), so that nothing is fitted to
    the spectrum of any body. Against the computed tensors of the MPT-Library below 1e6 rad/s:
    for a coin of 20.3 by 1.65 mm the error is at most 3.3 % of :math:`|M|` along its axis
    and 0.7 % across it; for a steel screwdriver of 5 by 62.5 mm, whose flat tip makes it a
    tenth smaller than the rod, 15 % and 17 %. Thin foil has more relaxations than this form
    while the field passes through it: beside a sheet of coupled rings it is up to 10 % off
    along its axis, and its slowest time constant is 19 % short.

    Examples
    --------
    >>> from minesense.physics import cylinder_relaxation
    >>> nail = cylinder_relaxation(
    ...     diameter=0.003, length=0.06, conductivity=4e6, permeability=100.0
    ... )
    >>> moment = nail.polarizability(0.0).real
    >>> bool(moment[2, 2] > 20 * moment[0, 0])
    True
    """
    diameter, length = _check_size(diameter, length)
    conductivity, permeability = _check_metal(conductivity, permeability)
    axial, transverse = cylinder_limits(diameter / 2, length, permeability)
    along, across = (
        _axis_relaxation(limits, conductivity, permeability, permeability)
        for limits in (axial, transverse)
    )
    return combine_axes(across, across, along).rotated(rotation_onto(axis))


def shell_relaxation(
    *,
    diameter: float,
    length: float,
    wall: float,
    conductivity: float,
    permeability: float,
    axis: npt.ArrayLike = (0.0, 0.0, 1.0),
) -> Relaxation:
    r"""
    Build the list of a hollow cylinder with closed ends: a can, a case, a capsule.

    Parameters
    ----------
    diameter, length : float
        Outside, across its axis and along it, m; a length from 0.01 to 100 diameters.
    wall : float
        Thickness of wall and ends, m; less than half of diameter and length.
    conductivity : float
        In S/m.
    permeability : float
        Relative, 1 to 1000.
    axis : (3,) array_like
        Direction of its axis, of any length but zero.

    Returns
    -------
    body : Relaxation
        In m^3 and s.

    Raises
    ------
    ValueError
        If an argument is out of range or not finite, or `axis` has no direction.

    Notes
    -----
    The form of :func:`cylinder_relaxation` for its outside, with these differences. The loss
    at low frequency is that of the solid cylinder less that of the hollow, times what the
    rise of the vector potential :math:`r - \delta a^2 / r` through a magnetic wall makes of
    it: exact for long shells. The permeability is that of a shell with the share
    :math:`f` of metal, as if inside and outside were confocal spheroids,

    .. math:: \mu_s = \mu_r + \frac{1 - f}{1 / (1 - \mu_r) + f N / \mu_r} ,

    and the order follows from :math:`(\nu + 1)/(\nu + 2) = h^2 s (1 - N) \mu_r / \mu_s`, at
    most 0.9: above, in walls of steel thicker than a hundredth of the diameter or so, the
    skin effect comes out too weak. An open end counts as closed: along the axis
    one open end makes the response of a capsule up to 8 % wrong, of a case 3 % and of an
    aluminium can 9 %. Compared with no computed or measured tensor (unverified).

    Examples
    --------
    >>> from minesense.physics import shell_relaxation
    >>> capsule = shell_relaxation(
    ...     diameter=0.006, length=0.007, wall=0.0004, conductivity=3.5e7, permeability=1.0
    ... )
    >>> bool(capsule.taus.max() < 1e-4)
    True
    """
    diameter, length = _check_size(diameter, length, flattest=0.01)
    conductivity, permeability = _check_metal(conductivity, permeability)
    wall = check_positive(wall, "wall")
    if 2 * wall >= min(diameter, length):
        msg = f"Invalid wall '{wall}'. Must be less than half of diameter and length."
        raise ValueError(msg)
    outer = cylinder_limits(diameter / 2, length, permeability)
    inner = cylinder_limits(diameter / 2 - wall, length - 2 * wall, permeability)
    lists = []
    for outside, inside in zip(outer, inner, strict=True):
        lost = outside.volume * outside.loss - inside.volume * inside.loss
        share = 1 - inside.volume / outside.volume
        effective = permeability
        if permeability > 1:
            effective += (1 - share) / (
                1 / (1 - permeability) + share * outside.factor / permeability
            )
        # the vector potential of the hollow over that of the surface
        within = permeability / (
            effective * (permeability - outside.factor * share * (permeability - 1))
        )
        lost *= _wall_weight(1 - share, within)
        hollow = dataclasses.replace(outside, loss=lost / outside.volume)
        lists.append(_axis_relaxation(hollow, conductivity, permeability, effective))
    axial, transverse = lists
    return combine_axes(transverse, transverse, axial).rotated(rotation_onto(axis))


def _axis_relaxation(
    limits: AxisLimits, conductivity: float, permeability: float, effective: float
) -> Relaxation:
    """Return the list of a field along one axis, as if it were that of every axis."""
    inductive = -limits.volume * limits.expulsion
    coupling = limits.factor * (effective - 1)
    static = limits.volume * (effective - 1) / (1 + coupling)
    # weak eddy currents and strong skin effect fix the order and the length of the modes
    loss = limits.loss / limits.expulsion
    ratio = min(limits.skin**2 * loss * permeability / effective, _MOST_ORDERLY)
    order = (2 * ratio - 1) / (1 - ratio)
    size = 4 * (order + 1) * (order + 2) * loss
    shares, taus = short_list(order, coupling)
    amplitudes = (static - inductive) * shares
    return isotropic(
        static - float(amplitudes.sum()),
        amplitudes,
        MU_0 * effective * conductivity * size * taus,
    )


def _wall_weight(hollow: float, within: float) -> float:
    """Return the loss in a wall over that if the field in it were as even as in the hollow."""
    # A goes as r - rise a^2 / r between the radii a and 1, with a^2 = hollow
    rise = (1 - within) / (1 - within * hollow)
    square = (1 - hollow**2) / 4 - rise * hollow * (1 - hollow)
    square -= rise**2 * hollow**2 * math.log(hollow) / 2
    return 4 * square / ((1 - hollow**2) * (1 - rise * hollow) ** 2)


def _spheroid_limits(a: float, c: float) -> tuple[AxisLimits, AxisLimits]:
    """Return the limits of a spheroid along its axis and across it."""
    volume = 4 / 3 * math.pi * a * a * c
    along = _demagnetising(c / a)
    # all of the surface, and the part of it that faces along the axis
    area, facing = _spheroid_surface(a, c)
    return tuple(  # type: ignore[return-value]
        AxisLimits(
            volume=volume,
            factor=factor,
            expulsion=1 / (1 - factor),
            loss=loss,
            skin=surface / (volume * (1 - factor)),
        )
        for factor, loss, surface in (
            (along, a * a / 10, area - facing),
            ((1 - along) / 2, (a * c) ** 2 / (5 * (a * a + c * c)), (area + facing) / 2),
        )
    )


def _demagnetising(aspect: float) -> float:
    """Return the factor of a spheroid along its axis (Osborn 1945), by series near 1/3."""
    excess = aspect * aspect - 1
    if abs(excess) < 0.05:  # N as the integral of u^2 / (p^2 - excess u^2) over 0 .. 1
        nodes, weights = np.polynomial.legendre.leggauss(12)
        u2 = ((nodes + 1) / 2) ** 2
        return float((weights / 2 * u2 / (aspect * aspect - excess * u2)).sum())
    root = math.sqrt(abs(excess))
    turn = math.atanh(root / aspect) if excess > 0 else math.atan(root / aspect)
    return (aspect * turn / root - 1) / excess


def _spheroid_surface(a: float, c: float) -> tuple[float, float]:
    """Return the area of a spheroid and the integral of n_z squared over it."""
    # x = cos of the polar parameter, graded towards the edge of flat ones
    nodes, weights = np.polynomial.legendre.leggauss(64)
    edges = np.append(0, 2.0 ** np.arange(-24, 1))
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half + half * nodes).ravel()
    dx = (half * weights).ravel()
    stretch = np.sqrt(a * a * x * x + c * c * (1 - x * x))
    area = 4 * math.pi * a * (dx * stretch).sum()
    facing = 4 * math.pi * a * (dx * (a * x) ** 2 / stretch).sum()
    return float(area), float(facing)


def _check_size(
    diameter: float, length: float, *, flattest: float = FLATTEST
) -> tuple[float, float]:
    """Return lengths that the limits of cylinders were made for."""
    diameter, length = check_positive(diameter, "diameter"), check_positive(length, "length")
    if not flattest <= length / diameter <= LONGEST:
        msg = (
            f"Invalid length '{length}' of a body {diameter} m across. Must be from "
            f"{flattest:g} to {LONGEST:g} diameters."
        )
        raise ValueError(msg)
    return diameter, length


def _check_metal(conductivity: float, permeability: float) -> tuple[float, float]:
    """Return conductivity and relative permeability in range."""
    permeability = check_number(permeability, "permeability")
    if not 1 <= permeability <= 1000:
        msg = f"Invalid permeability '{permeability}'. Must be relative, 1 to 1000."
        raise ValueError(msg)
    return check_positive(conductivity, "conductivity"), permeability

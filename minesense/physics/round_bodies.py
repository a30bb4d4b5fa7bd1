"""Exact scattering of spheres and of long cylinders: stones, voids, roots, wires, pipes."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_one_of, check_positive
from .soil import Complexes, check_permittivity, wavenumber

Field = Literal["along", "across", "mean"]

#: Imaginary part of an argument from which a body is as if it were endlessly deep.
_DEEP = 300.0


def sphere_length(
    frequency: npt.ArrayLike,
    *,
    radius: float,
    soil: npt.ArrayLike,
    permittivity: npt.ArrayLike = np.inf,
) -> Complexes:
    r"""
    Compute the length with which a sphere of any size scatters back.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    radius : float
        In metres.
    soil : scalar or (n_freq,) array_like
        Relative permittivity around it.
    permittivity : scalar or (n_freq,) array_like
        Relative, of the sphere; infinite for metal.

    Returns
    -------
    length : (n_freq,) complex128 ndarray
        In metres, for a scatterer at the centre of the sphere.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    Mie's series [1]_ for the time factor :math:`e^{+i \omega t}`, with :math:`x = k a`,
    :math:`m = \sqrt{\epsilon_o / \epsilon_s}`, :math:`\psi_n(x) = x j_n(x)` and
    :math:`\xi_n(x) = x h_n^{(2)}(x)`,

    .. math:: S = \frac{i}{2 k} \sum_n (-1)^n (2n + 1) (a_n - b_n) , \quad
        a_n = \frac{m \psi_n(mx) \psi_n'(x) - \psi_n(x) \psi_n'(mx)}
        {m \psi_n(mx) \xi_n'(x) - \xi_n(x) \psi_n'(mx)} ,

    and :math:`b_n` with m at the other terms. A small sphere has :math:`k^2 a^3 (\epsilon_o -
    \epsilon_s)/(\epsilon_o + 2 \epsilon_s)`, one of metal :math:`1.5 k^2 a^3`. Antennas are
    taken as far against its size, and transmitter and receiver as seen under one angle.

    References
    ----------
    .. [1] Bohren, C. F. and Huffman, D. R. (1983). *Absorption and Scattering of Light by
       Small Particles*. Wiley, equations 4.53 and 4.82.

    Examples
    --------
    >>> from minesense.physics import sphere_length
    >>> sphere_length([1e8, 1.5e9], radius=0.03, soil=9.0, permittivity=5.0).round(6)
    array([-0.000182-0.j      ,  0.001083-0.001034j])
    """
    from scipy.special import h2vp, hankel2, jv, jvp  # noqa: PLC0415

    radius = check_positive(radius, "radius")
    k = np.atleast_1d(wavenumber(frequency, soil))
    x = k * radius
    n = np.arange(1, _n_terms(x) + 1)[:, None]
    order = n + 0.5
    # all over the root of pi x / 2; in lossy soil j - i y would cancel
    regular, outgoing = jv(order, x), hankel2(order, x)
    regular_slope = jvp(order, x) + regular / (2 * x)
    outgoing_slope = h2vp(order, x) + outgoing / (2 * x)
    if _is_metal(permittivity):
        a, b = regular_slope / outgoing_slope, regular / outgoing
    else:
        ratio = _index_ratio(permittivity, soil)
        inner = _log_slope(order, ratio * x) + 1 / (2 * ratio * x)
        a = (ratio * regular_slope - regular * inner) / (
            ratio * outgoing_slope - outgoing * inner
        )
        b = (regular_slope - ratio * regular * inner) / (
            outgoing_slope - ratio * outgoing * inner
        )
    sign = np.where(n % 2 == 0, 1.0, -1.0)
    return np.asarray((sign * (2 * n + 1) * (a - b)).sum(axis=0) * 1j / (2 * k))


def cylinder_length(
    frequency: npt.ArrayLike,
    *,
    radius: float,
    soil: npt.ArrayLike,
    permittivity: npt.ArrayLike = np.inf,
    field: Field = "mean",
) -> Complexes:
    r"""
    Compute the length per metre with which a long cylinder scatters back.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    radius : float
        In metres.
    soil : scalar or (n_freq,) array_like
        Relative permittivity around it.
    permittivity : scalar or (n_freq,) array_like
        Relative, of the cylinder; infinite for metal.
    field : {"along", "across", "mean"}
        Direction of the electric field against the axis of the cylinder; the mean of both
        for a field of no certain direction.

    Returns
    -------
    length : (n_freq,) complex128 ndarray
        In metres per metre of axis, for elements on the axis much shorter than the
        wavelength.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    :math:`S = i T / \pi`, where T is the exact backscatter of an infinite cylinder [1]_,

    .. math:: T_{along} = -\sum_n \epsilon_n (-1)^n \frac{J_n'(x) J_n(mx) - m J_n(x) J_n'(mx)}
        {H_n'(x) J_n(mx) - m H_n(x) J_n'(mx)} , \quad x = k a ,

    with the Hankel functions of the second kind and :math:`\epsilon_0 = 1`, :math:`\epsilon_n =
    2`, and :math:`T_{across}` with m at the other terms and the opposite sign. The echoes of a
    straight chain of such elements add up to that of the cylinder; a thin one has
    :math:`k^2 a^2 (\epsilon_o/\epsilon_s - 1)/4` along, and :math:`k^2 a^2 (\epsilon_o -
    \epsilon_s)/[2 (\epsilon_o + \epsilon_s)]` across.

    References
    ----------
    .. [1] Balanis, C. A. (1989). *Advanced Engineering Electromagnetics*. Wiley, section
       11.5: scattering by circular cylinders.

    Examples
    --------
    >>> from minesense.physics import cylinder_length
    >>> root = {"radius": 0.005, "soil": 9.0, "permittivity": 20.0}
    >>> cylinder_length([1e9], **root, field="along").round(4)
    array([0.0313-0.0033j])
    """
    from scipy.special import h2vp, hankel2, jv, jvp  # noqa: PLC0415

    check_one_of(field, "field", ("along", "across", "mean"))
    if field == "mean":
        shape = {"radius": radius, "soil": soil, "permittivity": permittivity}
        along = cylinder_length(frequency, **shape, field="along")  # type: ignore[arg-type]
        across = cylinder_length(frequency, **shape, field="across")  # type: ignore[arg-type]
        return np.asarray((along + across) / 2)
    radius = check_positive(radius, "radius")
    x = np.atleast_1d(wavenumber(frequency, soil)) * radius
    n = np.arange(_n_terms(x) + 1)[:, None]
    wave, wave_slope = jv(n, x), jvp(n, x)
    out, out_slope = hankel2(n, x), h2vp(n, x)
    if _is_metal(permittivity):
        share = wave / out if field == "along" else wave_slope / out_slope
    else:
        ratio = _index_ratio(permittivity, soil)
        inner = _log_slope(n, ratio * x)
        one, other = (1.0, ratio) if field == "along" else (ratio, 1.0)
        share = (one * wave_slope - other * wave * inner) / (
            one * out_slope - other * out * inner
        )
    sign = np.where(n == 0, 1.0, 2.0) * np.where(n % 2 == 0, 1.0, -1.0)
    total = -(sign * share).sum(axis=0)
    return np.asarray(1j / math.pi * (total if field == "along" else -total))


def _log_slope(order: npt.NDArray[Any], z: Complexes) -> Complexes:
    """Return J'(z) / J(z), also where J overflows: in metal of finite conductivity."""
    from scipy.special import jve  # noqa: PLC0415

    order, z = np.broadcast_arrays(np.asarray(order, np.float64), z)
    bend = order**2 - 0.25
    root = 1j * np.sqrt(1 - bend / z**2)
    # the wave that grows outwards, to second order: without sum of the other beyond 300
    deep = root + bend / (2 * z**3 * root**2) - 1 / (2 * z)
    near = np.where(z.imag < -_DEEP, 1.0, z)
    exact = jve(order - 1, near) / jve(order, near) - order / near
    return np.where(z.imag < -_DEEP, deep, exact)


def _n_terms(x: Complexes) -> int:
    """Return how many terms of a series of Bessel functions count (Wiscombe's rule)."""
    size = float(np.abs(x).max())
    return math.ceil(size + 4 * size ** (1 / 3) + 2)


def _is_metal(permittivity: npt.ArrayLike) -> bool:
    """Return whether a permittivity stands for metal."""
    return bool(np.isinf(np.asarray(permittivity)).all())


def _index_ratio(permittivity: npt.ArrayLike, soil: npt.ArrayLike) -> Complexes:
    """Return the index of a body over that of the soil."""
    inner, outer = check_permittivity(permittivity), check_permittivity(soil, "soil")
    return np.sqrt(inner / outer)

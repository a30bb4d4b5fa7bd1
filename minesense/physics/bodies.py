"""Relaxation lists of bodies with closed forms: the sphere and the ring."""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_count, check_number, check_positive
from ..constants import MU_0
from .modes import wire_modes
from .relaxation import Complexes, Floats, Relaxation, check_range, isotropic

#: How the list of a sphere is made: slow modes kept as they are, then a grid of time
#: constants for all the faster ones, down to this share of the slowest.
_N_EXACT = 6
_GRID_PER_DECADE = 8
_GRID_END = 1e-7


def sphere_polarizability(
    frequency: npt.ArrayLike, *, radius: float, conductivity: float, permeability: float
) -> Complexes:
    r"""
    Compute the moment per uniform field of a conducting permeable sphere.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, zero or more.
    radius : float
        In metres.
    conductivity : float
        In S/m.
    permeability : float
        Relative, 1 or more.

    Returns
    -------
    polarizability : (...) complex128 ndarray
        In m^3, times the identity, for the time factor exp(+i omega t).

    Raises
    ------
    ValueError
        If an argument is out of range or not finite.

    Notes
    -----
    With :math:`q = a \sqrt{i \omega \mu_0 \mu_r \sigma}` and
    :math:`D = (\coth q - 1/q)/q - 1/3`,

    .. math:: M = 2 \pi a^3 \frac{2(\mu_r - 1) + 3(2 \mu_r + 1) D}
        {(\mu_r + 2) + 3(\mu_r - 1) D} ,

    where the series of :math:`D` takes over below :math:`|q| = 1`, so that nothing
    cancels. It runs from :math:`4 \pi a^3 (\mu_r - 1)/(\mu_r + 2)` at zero frequency to
    :math:`-2 \pi a^3`.

    References
    ----------
    J. R. Wait 1951, "A conducting sphere in a time varying magnetic field", Geophysics
    16, 666-672, in another form of the same function.

    Examples
    --------
    >>> from minesense.physics import sphere_polarizability
    >>> sphere_polarizability(
    ...     20e3, radius=0.005, conductivity=3.5e7, permeability=1.0
    ... ).round(12)
    np.complex128(-6.43661e-07-1.24684e-07j)
    """
    radius, conductivity, mr = _check_sphere(radius, conductivity, permeability)
    omega = 2 * math.pi * check_range(frequency, "frequency")
    size = omega * (MU_0 * mr * conductivity * radius**2)
    return np.asarray(radius**3 * _unit_polarizability(size, mr))[()]


def sphere_poles(
    n_poles: int, *, radius: float, conductivity: float, permeability: float
) -> tuple[Floats, Floats]:
    r"""
    Compute the slowest relaxations of a conducting permeable sphere.

    Parameters
    ----------
    n_poles : int
        How many.
    radius : float
        In metres.
    conductivity : float
        In S/m.
    permeability : float
        Relative, 1 or more.

    Returns
    -------
    amplitudes : (n_poles,) float64 ndarray
        In m^3, of the slowest relaxation first.
    taus : (n_poles,) float64 ndarray
        Time constants in seconds, decreasing.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    .. math:: \tan x_n = \frac{(\mu_r - 1) x_n}{\mu_r - 1 + x_n^2},\quad
        \tau_n = \frac{\mu_0 \mu_r \sigma a^2}{x_n^2},\quad
        A_n = \frac{12 \pi a^3 \mu_r}{(\mu_r + 2)(\mu_r - 1) + x_n^2},

    one root between :math:`n \pi` and :math:`(n + 1/2) \pi`. All amplitudes add up to
    :math:`6 \pi a^3 \mu_r / (\mu_r + 2)`. The series converges fast in time and slowly in
    frequency; :func:`sphere_relaxation` serves both.

    References
    ----------
    J. R. Wait and K. P. Spies 1969, "Quasi-static transient response of a conducting
    permeable sphere", Geophysics 34, 789-792.

    Examples
    --------
    >>> from minesense.physics import sphere_poles
    >>> _, taus = sphere_poles(2, radius=0.005, conductivity=3.5e7, permeability=1.0)
    >>> (taus * 1e6).round(3).tolist()
    [111.408, 27.852]
    """
    n_poles = check_count(n_poles, "n_poles")
    radius, conductivity, mr = _check_sphere(radius, conductivity, permeability)
    amplitudes, taus = _unit_poles(n_poles, mr)
    return radius**3 * amplitudes, MU_0 * mr * conductivity * radius**2 * taus


def sphere_relaxation(*, radius: float, conductivity: float, permeability: float) -> Relaxation:
    r"""
    Build one short list for a sphere that serves frequencies and times alike.

    Parameters
    ----------
    radius : float
        In metres.
    conductivity : float
        In S/m.
    permeability : float
        Relative, 1 to 1000, the range over which the list was checked.

    Returns
    -------
    sphere : Relaxation
        In m^3 and s.

    Raises
    ------
    ValueError
        If an argument is out of range or not finite.

    Notes
    -----
    The six slowest modes are exact. All others are replaced by a non-negative least-squares
    fit on a grid of time constants, eight per decade, to what those six leave of
    :func:`sphere_polarizability` and of the decay. With :math:`M_0` the static value, the
    instantaneous part is :math:`M_0 - \sum_k A_k`, so that modes faster than the grid act
    at once. For :math:`10^{-3} < \omega \tau_1 < 10^6` the error is below 1e-5 of
    :math:`|M|`; for :math:`10^{-5} < t / \tau_1 < 14` it is below 1e-5 of :math:`L` and of
    its rate of change. Size and conductivity enter through the scales of volume and time
    alone, so the fit is made once for each permeability.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import sphere_polarizability, sphere_relaxation
    >>> steel = {"radius": 0.005, "conductivity": 4e6, "permeability": 100.0}
    >>> listed = sphere_relaxation(**steel).polarizability(19.2e3)[0, 0]
    >>> bool(abs(listed / sphere_polarizability(19.2e3, **steel) - 1) < 1e-5)
    True
    """
    radius, conductivity, mr = _check_sphere(radius, conductivity, permeability)
    if mr > 1000:
        msg = f"Invalid permeability '{mr}'. Must be at most 1000 for a fitted list."
        raise ValueError(msg)
    amplitudes, taus = _unit_list(mr)
    volume = radius**3
    static = 4 * math.pi * (mr - 1) / (mr + 2)
    return isotropic(
        volume * (static - float(amplitudes.sum())),
        volume * amplitudes,
        MU_0 * mr * conductivity * radius**2 * taus,
    )


def ring_relaxation(
    *,
    radius: float,
    wire_radius: float,
    conductivity: float,
    normal: npt.ArrayLike,
    permeability: float = 1.0,
) -> Relaxation:
    r"""
    Build the list of a closed ring of round wire.

    Parameters
    ----------
    radius : float
        Of the ring, to the middle of the wire, in metres.
    wire_radius : float
        In metres, less than half of `radius`.
    conductivity : float
        In S/m.
    normal : (3,) array_like
        Axis of the ring, of any length but zero.
    permeability : float
        Of the wire, relative, 1 to 1000.

    Returns
    -------
    ring : Relaxation
        In m^3 and s.

    Raises
    ------
    ValueError
        If a length or the conductivity is not greater than zero, the wire is too thick for
        the formula, the permeability out of range, or `normal` has no direction.

    Notes
    -----
    A thin wire: the inductance of what is outside of it, and the internal impedance of a
    round wire, in which the current goes from its whole section to its skin:

    .. math:: M = \frac{-i \omega \mu_0 (\pi b^2)^2}{i \omega L_e + Z} n n^T, \quad
        L_e = \mu_0 b \lambda, \quad \lambda = \ln \frac{8 b}{w} - 2, \quad
        Z = \frac{b\, q I_0(q)}{\sigma w^2 I_1(q)}, \quad
        q^2 = i \omega \mu_0 \mu_r \sigma w^2 .

    Its poles are the roots :math:`x_k` of :math:`\mu_r J_0(x) = \lambda x J_1(x)`:

    .. math:: \tau_k = \frac{\mu_0 \mu_r \sigma w^2}{x_k^2}, \quad
        A_k = A \frac{2 \mu_r / \lambda}{x_k^2 + (\mu_r / \lambda)^2}, \quad
        A = \sum_k A_k = \frac{\mu_0 (\pi b^2)^2}{L_e} = -M_\infty .

    Fast ones are joined in groups (:func:`~minesense.physics.modes.short_list`); what the
    list leaves out acts at once, so that the ring has no moment in a field at rest. What a
    magnetic wire does at rest as a thin body, without any current around it, is left out.

    References
    ----------
    S. Ramo, J. R. Whinnery and T. Van Duzer, "Fields and waves in communication
    electronics", internal impedance of a round wire.

    Examples
    --------
    >>> from minesense.physics import ring_relaxation
    >>> ring = ring_relaxation(
    ...     radius=0.01, wire_radius=0.001, conductivity=3.5e7, normal=[0, 0, 2]
    ... )
    >>> round(1e6 * float(ring.taus[0]), 1)
    58.1
    """
    radius = check_positive(radius, "radius")
    wire_radius = check_positive(wire_radius, "wire_radius")
    conductivity = check_positive(conductivity, "conductivity")
    if 2 * wire_radius >= radius:
        msg = f"Invalid wire_radius '{wire_radius}'. Must be less than half of the radius."
        raise ValueError(msg)
    permeability = check_number(permeability, "permeability")
    if not 1 <= permeability <= 1000:
        msg = f"Invalid permeability '{permeability}'. Must be relative, 1 to 1000."
        raise ValueError(msg)
    axis = check_array(normal, "normal", (3,))
    length = float(np.linalg.norm(axis))
    if length == 0:
        msg = f"Invalid normal {axis.tolist()}. Must not be zero."
        raise ValueError(msg)
    axis = axis / length
    outside = math.log(8 * radius / wire_radius) - 2
    amplitude = (math.pi * radius**2) ** 2 / (radius * outside) * np.outer(axis, axis)
    shares, taus = wire_modes(permeability / outside)
    # modes behind the end of the list count with the fastest, so that the limit of strong
    # currents is that of the ring; all together are its whole response
    shares[-1] += 1 - shares.sum()
    return Relaxation(
        instantaneous=-amplitude,
        amplitudes=shares[:, None, None] * amplitude,
        taus=MU_0 * permeability * conductivity * wire_radius**2 * taus,
    )


def _check_sphere(
    radius: float, conductivity: float, permeability: float
) -> tuple[float, float, float]:
    """Return radius, conductivity and relative permeability in range."""
    permeability = check_number(permeability, "permeability")
    if permeability < 1:
        msg = f"Invalid permeability '{permeability}'. Must be relative, 1 or more."
        raise ValueError(msg)
    return (
        check_positive(radius, "radius"),
        check_positive(conductivity, "conductivity"),
        permeability,
    )


@functools.cache
def _coth_series() -> tuple[float, ...]:
    """Return c_2 .. c_15 of coth q = 1/q + sum of c_n q^(2n - 1)."""
    # From coth' = 1 - coth^2; all products of one coefficient have one sign.
    series = [0.0, 1 / 3]
    for n in range(2, 16):
        convolved = sum(series[j] * series[n - j] for j in range(1, n))
        series.append(-convolved / (2 * n + 1))
    return tuple(series[2:])


def _unit_polarizability(size: Floats, mr: float) -> Complexes:
    """Return M of a sphere of radius 1, where `size` is |q|^2."""
    q2 = 1j * np.asarray(size)
    is_small = size < 1
    series = np.zeros_like(q2)
    small = np.where(is_small, q2, 0)
    for coefficient in reversed(_coth_series()):
        series = small * (coefficient + series)
    q = np.sqrt(np.where(is_small, 1, q2))
    fading = np.exp(-2 * q)
    closed = ((1 + fading) / (1 - fading) - 1 / q) / q - 1 / 3
    d = np.where(is_small, series, closed)
    top, bottom = 2 * (mr - 1) + 3 * (2 * mr + 1) * d, (mr + 2) + 3 * (mr - 1) * d
    return np.asarray(2 * math.pi * top / bottom)


def _unit_poles(n_poles: int, mr: float) -> tuple[Floats, Floats]:
    """Return amplitudes over a^3 and time constants over mu0 mr sigma a^2."""
    # The root is n pi + y with 0 <= y <= pi / 2; with sines of y alone nothing is lost
    # however large n is, and at mr = 1 the root is y = 0 itself.
    whole = np.arange(1, n_poles + 1) * math.pi
    low, high = np.zeros(n_poles), np.full(n_poles, math.pi / 2)
    for _ in range(60):
        y = 0.5 * (low + high)
        x = whole + y
        is_above = (mr - 1 + x * x) * np.sin(y) > (mr - 1) * x * np.cos(y)
        low, high = np.where(is_above, low, y), np.where(is_above, y, high)
    x2 = (whole + high) ** 2
    return 12 * math.pi * mr / ((mr + 2) * (mr - 1) + x2), 1 / x2


@functools.lru_cache(maxsize=64)
def _unit_list(mr: float) -> tuple[Floats, Floats]:
    """Fit the short list of a sphere, in the units of `_unit_poles`."""
    from scipy.optimize import nnls  # noqa: PLC0415  half a second that few imports need

    amplitudes, taus = _unit_poles(1000, mr)
    slow, exact = taus[:_N_EXACT], amplitudes[:_N_EXACT]
    decades = math.log10(taus[_N_EXACT] / (_GRID_END * taus[0]))
    grid = taus[_N_EXACT] * 10 ** -np.arange(0, decades, 1 / _GRID_PER_DECADE)

    omega = np.geomspace(1e-3, 1e6, 200)[:, None] / taus[0]
    moment = _unit_polarizability(omega[:, 0], mr)
    # M0 - M as a sum over relaxations; at low frequency M itself would hide them
    lag = 1j * omega * grid / (1 + 1j * omega * grid)
    left = 4 * math.pi * (mr - 1) / (mr + 2) - moment
    left = left - (1j * omega * slow / (1 + 1j * omega * slow)) @ exact
    time = np.geomspace(1e-5, 14, 120)[:, None] * taus[0]
    fading = np.exp(-time / taus) * amplitudes
    # Times count a tenth, as errors of L are divided by L and those of M0 - M by |M|.
    time_weight = 0.1 / fading.sum(axis=1)
    late = fading[:, _N_EXACT:].sum(axis=1)

    weight = 1 / np.abs(moment)
    rows = np.concatenate(
        [
            lag.real * weight[:, None],
            lag.imag * weight[:, None],
            np.exp(-time / grid) * time_weight[:, None],
        ]
    )
    goal = np.concatenate([left.real * weight, left.imag * weight, late * time_weight])
    norms = np.linalg.norm(rows, axis=0)
    fitted, _ = nnls(rows / norms, goal, maxiter=50 * len(grid))
    is_active = fitted > 0
    return (
        np.concatenate([exact, (fitted / norms)[is_active]]),
        np.concatenate([slow, grid[is_active]]),
    )

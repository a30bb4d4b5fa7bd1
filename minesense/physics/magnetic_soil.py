"""Magnetic soil: viscous susceptibility, and what a coil over it receives."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number, check_positive
from ..sweep import PulseCoil
from .coil import mutual_inductance
from .pulse import check_coil, gate_factors, step_off_coefficients
from .relaxation import Complexes, Floats, Relaxation, check_range, isotropic

#: Limits of the relaxation times of viscous soil, s. Engineering defaults, unverified.
SHORTEST_TAU = 1e-10
LONGEST_TAU = 10.0

_PER_DECADE = 3


def vrm_susceptibility(
    frequency: npt.ArrayLike,
    *,
    chi0: float,
    tau1: float = SHORTEST_TAU,
    tau2: float = LONGEST_TAU,
) -> Complexes:
    r"""
    Compute the susceptibility of viscous soil.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, zero or more.
    chi0 : float
        Static susceptibility, SI, dimensionless.
    tau1, tau2 : float
        Shortest and longest relaxation time, s; the defaults are unverified.

    Returns
    -------
    susceptibility : (...) complex128 ndarray
        SI, for the time factor exp(+i omega t).

    Raises
    ------
    ValueError
        If an argument is out of range or not finite.

    Notes
    -----
    Relaxation times uniform in their logarithm:

    .. math:: \chi(\omega) = \chi_0 \left[1 - \frac{1}{\ln(\tau_2/\tau_1)}
        \ln \frac{1 + i \omega \tau_2}{1 + i \omega \tau_1}\right] .

    Between :math:`1/\tau_2` and :math:`1/\tau_1` the imaginary part is
    :math:`-(\pi/2) \chi_0 / \ln(\tau_2/\tau_1)` at all frequencies.

    Examples
    --------
    >>> from minesense.physics import vrm_susceptibility
    >>> complex(vrm_susceptibility(4650.0, chi0=1e-3).round(9))
    (0.000503124-6.2017e-05j)
    """
    chi0, tau1, tau2 = _check_viscosity(chi0, tau1, tau2)
    omega = 2 * math.pi * check_range(frequency, "frequency")
    slow, fast = np.log1p(1j * omega * tau2), np.log1p(1j * omega * tau1)
    return np.asarray(chi0 * (1 - (slow - fast) / math.log(tau2 / tau1)))[()]


def vrm_relaxation(
    *,
    chi0: float,
    tau1: float = SHORTEST_TAU,
    tau2: float = LONGEST_TAU,
    viscous_share: float = 1.0,
) -> Relaxation:
    r"""
    Build the relaxation list of one cubic metre of viscous soil.

    Parameters
    ----------
    chi0 : float
        Static susceptibility, SI, dimensionless.
    tau1, tau2 : float
        Shortest and longest relaxation time, s; the defaults are unverified.
    viscous_share : float
        Part of `chi0` that is viscous, 0 to 1; the rest acts at once. 0.1 to 1 in real
        soil (unverified).

    Returns
    -------
    soil : Relaxation
        Moment per field of a volume of 1 m^3, so that polarizabilities in m^3 are
        susceptibilities.

    Raises
    ------
    ValueError
        If an argument is out of range or not finite.

    Notes
    -----
    Three or a little more relaxations a decade, each of amplitude
    :math:`\chi_0 \Delta / \ln(\tau_2/\tau_1)` at the middle of its step :math:`\Delta` of
    :math:`\ln \tau`. For times and frequencies well inside the limits the list repeats the
    :math:`1/t` decay within 6e-5 and the imaginary part within 1.1e-5.

    Examples
    --------
    >>> from minesense.physics import vrm_relaxation
    >>> soil = vrm_relaxation(chi0=1e-3)
    >>> len(soil), round(float(soil.polarizability(4650.0)[0, 0].real), 8)
    (33, 0.00050312)
    """
    chi0, tau1, tau2 = _check_viscosity(chi0, tau1, tau2)
    share = _check_share(viscous_share)
    n_taus = max(1, math.ceil(_PER_DECADE * math.log10(tau2 / tau1)))
    middle = (np.arange(n_taus) + 0.5) / n_taus
    taus = tau1 * (tau2 / tau1) ** middle
    return isotropic((1 - share) * chi0, np.full(n_taus, share * chi0 / n_taus), taus)


def void_relaxation(
    volume: float,
    *,
    susceptibility: float,
    viscous_share: float = 1.0,
    tau1: float = SHORTEST_TAU,
    tau2: float = LONGEST_TAU,
) -> Relaxation:
    r"""
    Build what a body without metal takes away from magnetic soil.

    Parameters
    ----------
    volume : float
        Of the body, m^3.
    susceptibility : float
        Static susceptibility of the soil around it, SI, dimensionless.
    viscous_share, tau1, tau2 : float
        As in :func:`vrm_relaxation`.

    Returns
    -------
    void : Relaxation
        Negative, in m^3: an object for :func:`pulse_voltage`, to be added to the soil.

    Raises
    ------
    ValueError
        If an argument is out of range or not finite.

    Notes
    -----
    To first order in the susceptibility the missing flux is
    :math:`\Phi = -\mu_0 \chi V_b \, h_{rx} \cdot h_{tx}`, that of a body of polarizability
    :math:`-\chi V_b`. It is the only signature of a metal-free body in a metal detector.

    Examples
    --------
    >>> from minesense.physics import void_relaxation
    >>> void = void_relaxation(1e-4, susceptibility=1e-3)
    >>> print(f"{void.polarizability(0.0)[2, 2].real:.4g}")
    -1e-07
    """
    volume = check_positive(volume, "volume")
    chi0 = check_number(susceptibility, "susceptibility")
    soil = vrm_relaxation(chi0=chi0, viscous_share=viscous_share, tau1=tau1, tau2=tau2)
    return Relaxation(
        instantaneous=-volume * soil.instantaneous,
        amplitudes=-volume * soil.amplitudes,
        taus=soil.taus,
    )


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
        If a height or radius is not greater than zero, or a susceptibility is not finite
        or not greater than -1.

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
    chi = np.asarray(susceptibility)
    if chi.dtype.kind not in "iufc":
        msg = f"Invalid susceptibility of dtype {chi.dtype}. Must be numbers."
        raise TypeError(msg)
    if not np.isfinite(chi).all() or (chi.real <= -1).any():
        msg = "Invalid susceptibility. Must be finite and greater than -1."
        raise ValueError(msg)
    other = radius if receiver_radius is None else receiver_radius
    coupling = mutual_inductance(radius, other, 2 * _check_height(height))
    return np.asarray(chi / (2 + chi) * coupling)[()]


def soil_pulse_voltage(
    height: npt.ArrayLike,
    *,
    coil: PulseCoil,
    susceptibility: npt.ArrayLike,
    viscous_share: float = 1.0,
    tau1: float = SHORTEST_TAU,
    tau2: float = LONGEST_TAU,
) -> Floats:
    r"""
    Compute the gate voltages of a horizontal coil over viscous magnetic soil.

    Parameters
    ----------
    height : (n,) array_like
        Of the coil over the ground, m, greater than zero.
    coil : PulseCoil
        One turn that transmits, then receives.
    susceptibility : float or (n,) array_like
        Static susceptibility of the soil under each position, SI, dimensionless.
    viscous_share, tau1, tau2
        As in :func:`vrm_relaxation`.

    Returns
    -------
    voltage : (n, n_gates) float64 ndarray
        In V per ampere, to be added to that of :func:`pulse_voltage`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or a shape does not fit.

    Notes
    -----
    The flux of :func:`image_flux` at the static susceptibility, with the time course of
    :func:`vrm_relaxation`. The image factor :math:`\beta` is not quite proportional to
    :math:`\chi(\omega)`: to use its static value is an error of the order of
    :math:`\chi/2`, below 2.5 % even at 0.05. Soil that varies from place to place is
    taken as uniform under each position, which holds when it changes little over about
    two radii.

    Examples
    --------
    >>> from minesense.physics import soil_pulse_voltage
    >>> from minesense.sweep import PulseCoil
    >>> coil = PulseCoil(
    ...     radius=0.1, gates=[[20e-6, 30e-6]], pulse=200e-6, ramp=5e-6, half_period=1e-3,
    ...     receiver_tau=1e-6,
    ... )
    >>> low, high = soil_pulse_voltage([0.03, 0.05], coil=coil, susceptibility=1e-3)
    >>> round(float(low[0] / high[0]), 3)
    1.882
    """
    coil = check_coil(coil)
    heights = _check_height(check_array(height, "height", ("n",)))
    chi = np.asarray(susceptibility)
    chi = check_array(chi, "susceptibility", () if chi.ndim == 0 else (len(heights),))
    # The course of a soil of chi0 = 1; the image scales it.
    course = vrm_relaxation(chi0=1.0, tau1=tau1, tau2=tau2, viscous_share=viscous_share)
    thetas, coefficients = step_off_coefficients(
        course.instantaneous[0, 0],
        course.amplitudes[:, 0, 0],
        course.taus,
        receiver_tau=coil.receiver_tau,
    )
    factors = coefficients @ gate_factors(coil, thetas)
    flux = image_flux(heights, radius=coil.radius, susceptibility=chi)
    return np.asarray(np.real(flux)[:, None] * factors)


def _check_viscosity(chi0: float, tau1: float, tau2: float) -> tuple[float, float, float]:
    """Return a finite susceptibility and ordered limits of relaxation times."""
    tau1, tau2 = check_positive(tau1, "tau1"), check_positive(tau2, "tau2")
    if tau2 <= tau1:
        msg = f"Invalid tau2 '{tau2}'. Must be greater than tau1, '{tau1}'."
        raise ValueError(msg)
    return check_number(chi0, "chi0"), tau1, tau2


def _check_share(viscous_share: float) -> float:
    """Return a share from 0 to 1."""
    share = check_number(viscous_share, "viscous_share")
    if not 0 <= share <= 1:
        msg = f"Invalid viscous_share '{share}'. Must lie between 0 and 1."
        raise ValueError(msg)
    return share


def _check_height(height: npt.ArrayLike) -> Floats:
    """Return heights greater than zero, of any shape."""
    heights = check_range(height, "height")
    if (heights == 0).any():
        msg = "Invalid height '0.0'. Must be greater than zero."
        raise ValueError(msg)
    return heights

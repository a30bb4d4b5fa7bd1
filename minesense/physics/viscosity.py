"""Viscous magnetic soil: its susceptibility, as one list for frequencies and times."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_number, check_positive
from .relaxation import Absence, Complexes, Floats, Relaxation, check_range, isotropic

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
    viscous_share: float = 1.0,
) -> Complexes:
    r"""
    Compute the susceptibility of viscous soil.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, zero or more.
    chi0 : float
        Static susceptibility, SI, dimensionless; greater than -1, and not negative where
        any of it is viscous.
    tau1, tau2 : float
        Shortest and longest relaxation time, s; the defaults are unverified.
    viscous_share : float
        Part of `chi0` that is viscous, 0 to 1; the rest does not change with frequency.
        0.1 to 1 in real soil (unverified).

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
    With the viscous share :math:`s` and relaxation times uniform in their logarithm:

    .. math:: \chi(\omega) = \chi_0 \left[1 - \frac{s}{\ln(\tau_2/\tau_1)}
        \ln \frac{1 + i \omega \tau_2}{1 + i \omega \tau_1}\right] .

    Between :math:`1/\tau_2` and :math:`1/\tau_1` the imaginary part is
    :math:`-(\pi/2)\, s \chi_0 / \ln(\tau_2/\tau_1)` at all frequencies.

    Examples
    --------
    >>> from minesense.physics import vrm_susceptibility
    >>> complex(vrm_susceptibility(4650.0, chi0=1e-3).round(9))
    (0.000503124-6.2017e-05j)
    """
    chi0, share, tau1, tau2 = _check_viscosity(chi0, viscous_share, tau1, tau2)
    omega = 2 * math.pi * check_range(frequency, "frequency")
    slow, fast = np.log1p(1j * omega * tau2), np.log1p(1j * omega * tau1)
    return np.asarray(chi0 * (1 - share * (slow - fast) / math.log(tau2 / tau1)))[()]


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
        Static susceptibility, SI, dimensionless; greater than -1, and not negative where
        any of it is viscous.
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
    chi0, share, tau1, tau2 = _check_viscosity(chi0, viscous_share, tau1, tau2)
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
) -> Absence:
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
    void : Absence
        In m^3: an object for :func:`pulse_voltage`, to be added to the soil.

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
    return Absence(
        instantaneous=-volume * soil.instantaneous,
        amplitudes=-volume * soil.amplitudes,
        taus=soil.taus,
    )


def _check_viscosity(
    chi0: float, viscous_share: float, tau1: float, tau2: float
) -> tuple[float, float, float, float]:
    """Return susceptibility, viscous share and ordered limits of relaxation times."""
    tau1, tau2 = check_positive(tau1, "tau1"), check_positive(tau2, "tau2")
    if tau2 <= tau1:
        msg = f"Invalid tau2 '{tau2}'. Must be greater than tau1, '{tau1}'."
        raise ValueError(msg)
    share = check_number(viscous_share, "viscous_share")
    if not 0 <= share <= 1:
        msg = f"Invalid viscous_share '{share}'. Must lie between 0 and 1."
        raise ValueError(msg)
    chi0 = check_number(chi0, "chi0")
    if chi0 <= -1:
        msg = f"Invalid chi0 '{chi0}'. Must be greater than -1."
        raise ValueError(msg)
    check_viscous_sign(np.array(chi0), share, "chi0")
    return chi0, share, tau1, tau2


def check_viscous_sign(susceptibility: Floats, viscous_share: float, name: str) -> None:
    """
    Raise if soil of negative susceptibility is viscous.

    Parameters
    ----------
    susceptibility : (...) float64 ndarray
        Static, SI.
    viscous_share : float
        0 to 1.
    name : str
        What an error calls the susceptibility.

    Raises
    ------
    ValueError
        If one is negative and the share is not zero.
    """
    if viscous_share > 0 and (susceptibility < 0).any():
        least = susceptibility.min()
        msg = f"Invalid {name} '{least}'. Must be not negative where it is viscous."
        raise ValueError(msg)

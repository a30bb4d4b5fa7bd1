"""Ground that conducts: horizontal coaxial loops over it, in frequency and late in time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_not_negative, check_number, check_positive
from ..constants import EPSILON_0, MU_0
from ..sensor import PulseTrain
from .ground_image import check_height, image_factor
from .inductance import mutual_inductance
from .pulse import check_train
from .relaxation import Complexes, Floats, check_range

#: Agreement of two rules of quadrature that ends the search for a finer one.
_TOLERANCE = 1e-9
_RULES = (12, 20)
_MOST_HALVINGS = 6
#: Where the exponential of the lowest height has ended the integral.
_FARTHEST = 40.0
_N_PULSES = 4000


def conductive_flux(
    height: npt.ArrayLike,
    *,
    frequency: npt.ArrayLike,
    radius: float,
    conductivity: float,
    susceptibility: npt.ArrayLike = 0.0,
    permittivity: float = 1.0,
    receiver_radius: float | None = None,
) -> Complexes:
    r"""
    Compute the flux that conducting magnetic ground adds through a horizontal receiver.

    Parameters
    ----------
    height : (n,) array_like
        Of both loops over the ground, m.
    frequency : (n_frequencies,) array_like
        In Hz, zero or more.
    radius : float
        Of the transmitter, one turn, m.
    conductivity : float
        Of the ground, S/m, zero or more.
    susceptibility : complex or (n_frequencies,) array_like
        Of the ground, SI; complex for viscous soil, see :func:`vrm_susceptibility`.
    permittivity : float
        Relative, 1 or more. Matters where :math:`\omega \epsilon_0 \epsilon_r` is not small
        against the conductivity, which is hardly ever at the frequencies of metal detectors.
    receiver_radius : float, optional
        Of the receiver, coaxial and at the same height, m; by default that of the
        transmitter.

    Returns
    -------
    flux : (n, n_frequencies) complex128 ndarray
        In Wb per ampere and turn of both, for the time factor exp(+i omega t); over
        :math:`\mu_0` it adds to :func:`continuous_wave_response`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or a shape does not fit.

    Notes
    -----
    With :math:`u^2 = \lambda^2 + i \omega \mu_0 \mu_r (\sigma + i \omega \epsilon_0
    (\epsilon_r - 1))`,

    .. math:: \Phi = \pi \mu_0 a b \int_0^\infty R\, J_1(\lambda a) J_1(\lambda b)
        e^{-2 \lambda h} \mathrm{d}\lambda , \qquad
        R = \frac{\mu_r \lambda - u}{\mu_r \lambda + u} .

    The part :math:`\beta = (\mu_r - 1)/(\mu_r + 1)` of R is the image, taken from Maxwell's
    formula; the rest is integrated by Gauss panels, geometric near zero and no longer than
    the oscillation beyond, halved until rules of 12 and 20 points agree within 1e-9.

    References
    ----------
    J. R. Wait 1982, "Geo-electromagnetism", chapter 3, for the reflection of a horizontal
    loop.

    Examples
    --------
    >>> from minesense.physics import conductive_flux
    >>> flux = conductive_flux([0.03], frequency=[20e3], radius=0.1, conductivity=0.1)
    >>> print(f"{flux[0, 0].imag:.3g}")
    -3.8e-12
    """
    heights = check_height(check_array(height, "height", ("n",)))
    frequencies = check_range(check_array(frequency, "frequency", ("n",)), "frequency")
    a = check_positive(radius, "radius")
    b = a if receiver_radius is None else check_positive(receiver_radius, "receiver_radius")
    sigma = check_not_negative(conductivity, "conductivity")
    epsilon = check_number(permittivity, "permittivity")
    if epsilon < 1:
        msg = f"Invalid permittivity '{epsilon}'. Must be relative, 1 or more."
        raise ValueError(msg)
    if np.shape(susceptibility) not in {(), frequencies.shape}:
        msg = (
            f"Invalid susceptibility with shape {np.shape(susceptibility)}. Must be () or "
            f"{frequencies.shape}, that of the frequencies."
        )
        raise ValueError(msg)
    image_factor(susceptibility)  # refuses what is out of range
    mr = 1 + np.broadcast_to(np.asarray(susceptibility, np.complex128), frequencies.shape)
    omega = 2 * math.pi * frequencies
    k2 = 1j * omega * MU_0 * mr * (sigma + 1j * omega * EPSILON_0 * (epsilon - 1))
    beta = (mr - 1) / (mr + 1)
    flux = np.multiply.outer(mutual_inductance(a, b, 2 * heights), beta)
    if not len(heights) or not np.abs(k2).max(initial=0.0):
        return flux
    edges = _panels(a + b, float(heights.min()), float(np.abs(k2).max()))
    for _ in range(_MOST_HALVINGS):
        coarse, fine = (_rest(n, edges, heights, a, b, mr, k2) for n in _RULES)
        if np.abs(fine - coarse).max() <= _TOLERANCE * np.abs(fine).max():
            break
        edges = np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    else:
        msg = f"Invalid height '{heights.min()}'. Must be more: the integral did not converge."
        raise ValueError(msg)
    return np.asarray(flux + math.pi * MU_0 * a * b * fine)


def late_conductive_voltage(
    train: PulseTrain,
    *,
    height: float,
    radius: float,
    conductivity: float,
    receiver_radius: float | None = None,
) -> Floats:
    r"""
    Compute what conducting ground adds to late gates of a pulse-induction head.

    Parameters
    ----------
    train : PulseTrain
        Its gates begin later than ten time constants of the receiver.
    height : float
        Of both loops over the ground, m, zero or more.
    radius : float
        Of the transmitter, horizontal, one turn, m.
    conductivity : float
        Of the ground, S/m, zero or more.
    receiver_radius : float, optional
        Of the receiver, around the same axis, m; by default that of the transmitter.

    Returns
    -------
    voltage : (n_gates,) float64 ndarray
        In V per ampere and turn of both, to be added to that of
        :func:`soil_pulse_voltage`; of the same sign.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or a gate is not late: before ten time constants of
        the receiver, or before the field has spread ten times as far as the loops are wide
        and high.

    Notes
    -----
    After a step, when the field has spread far beyond the loops, its change is the same over
    the receiver:

    .. math:: \frac{\mathrm{d}B_z}{\mathrm{d}t} = - \frac{I \mu_0^{5/2} \sigma^{3/2} a^2}
        {20 \sqrt{\pi}}\, t^{-5/2} \left(1 - \frac{5 \sqrt{\pi}}{4} h
        \sqrt{\frac{\mu_0 \sigma}{t}}\right) .

    The second term, our own, is the first that the height makes; what is left out is of the
    order of :math:`\mu_0 \sigma (a^2 + h^2) / t`, at most 3 % by the rule for gates. Ramp,
    pulse, train and gates are exact integrals of the powers. The receiver delays them by its
    time constant, which is its effect to first order. Viscous soil is mostly far stronger:
    at 20 us, 0.1 S/m gives 1/331 of it for a susceptibility of 1e-3.

    References
    ----------
    S. H. Ward and G. W. Hohmann 1988, "Electromagnetic theory for geophysical applications",
    equation 4.97, dh_z/dt at the middle of a loop, late in time, for the first term.

    Examples
    --------
    >>> from minesense.physics import late_conductive_voltage
    >>> from minesense.sensor import PulseTrain
    >>> train = PulseTrain(
    ...     pulse=200e-6, ramp=5e-6, half_period=1e-3, receiver_tau=1e-6, gates=[[20e-6, 30e-6]]
    ... )
    >>> wet, sea = (
    ...     late_conductive_voltage(train, height=0.0, radius=0.1, conductivity=x)[0]
    ...     for x in (0.1, 0.4)
    ... )
    >>> round(float(sea / wet), 6)
    8.0
    """
    train = check_train(train)
    height = check_not_negative(height, "height")
    a = check_positive(radius, "radius")
    b = a if receiver_radius is None else check_positive(receiver_radius, "receiver_radius")
    sigma = check_not_negative(conductivity, "conductivity")
    first = float(train.gates[:, 0].min())
    least = max(10 * train.receiver_tau, 100 * MU_0 * sigma * max(a, b, height) ** 2)
    if first < least:
        msg = (
            f"Invalid train: its first gate begins at {first:g} s. Must be later than "
            f"{least:.3g} s, when the field has spread and the receiver has settled."
        )
        raise ValueError(msg)
    scale = MU_0**2.5 * sigma**1.5 * a**2 / (20 * math.sqrt(math.pi)) * math.pi * b**2
    lift = 1.25 * math.sqrt(math.pi) * height * math.sqrt(MU_0 * sigma)
    return np.asarray(scale * (_power_through(train, 2.5) - lift * _power_through(train, 3.0)))


def _panels(span: float, lowest: float, k2: float) -> Floats:
    """Return edges of panels over the wavenumber, 1/m."""
    turn = math.pi / span
    last = max(_FARTHEST / (2 * lowest), 2 * turn)
    first = 1e-6 * min(turn, math.sqrt(k2))
    n_geometric = math.ceil(math.log2(turn / first))
    n_linear = math.ceil((last - turn) / turn)
    geometric = turn * 2.0 ** -np.arange(n_geometric, -1, -1.0)
    return np.concatenate(
        [[0.0], geometric, turn + (last - turn) * np.arange(1, n_linear + 1) / n_linear]
    )


def _rest(
    n: int, edges: Floats, heights: Floats, a: float, b: float, mr: Complexes, k2: Complexes
) -> Complexes:
    """Return the integral of what the image leaves of R, (n_heights, n_frequencies)."""
    from scipy.special import j1  # noqa: PLC0415  a tenth of a second that few imports need

    nodes, weights = np.polynomial.legendre.leggauss(n)
    half = np.diff(edges)[:, None] / 2
    wave = (edges[:-1, None] + half + half * nodes).ravel()
    weight = (half * weights).ravel() * j1(wave * a) * j1(wave * b)
    u = np.sqrt(wave[:, None] ** 2 + k2)
    # R - beta = 2 mr (l - u) / ((mr + 1) (mr l + u)), and l - u = -k^2 / (l + u)
    left = -2 * mr * k2 / ((mr + 1) * (mr * wave[:, None] + u) * (wave[:, None] + u))
    return np.asarray((np.exp(-2 * np.multiply.outer(heights, wave)) * weight) @ left)


def _power_through(train: PulseTrain, power: float) -> Floats:
    """Return the gate means of t^-power after ramp, pulse and train, (n_gates,)."""
    start, stop = train.gates.T - train.receiver_tau

    def mean(early: Floats, late: Floats) -> Floats:
        """Return the mean of the power between two times."""
        ends = early ** (1 - power) - late ** (1 - power)
        return ends / ((power - 1) * (late - early))

    def ramp_mean(early: Floats, late: Floats) -> Floats:
        """Return the mean over the gate of the mean over the ramp: a second integral."""
        corners = ((late + train.ramp, 1), (early + train.ramp, -1), (late, -1), (early, 1))
        total = sum(sign * t ** (2 - power) for t, sign in corners)
        area = train.ramp * (late - early)
        return np.asarray(total / ((power - 1) * (power - 2) * area))

    off = ramp_mean if train.ramp > 0 else mean
    pulse = np.arange(1 if train.half_period is None else _N_PULSES)[:, None]
    at = pulse * (train.half_period or 0.0)
    sign = np.where(pulse % 2, -1.0 if train.polarity == "bipolar" else 1.0, 1.0)
    total = (sign * off(at + start, at + stop)).sum(axis=0)
    if math.isfinite(train.pulse):
        begun = at + train.pulse + train.ramp
        total -= (sign * mean(begun + start, begun + stop)).sum(axis=0)
    return np.asarray(total)

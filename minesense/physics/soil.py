"""What radar waves feel of soil and water: permittivity, wavenumber, index."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_one_of, check_positive, check_real
from ..constants import EPSILON_0, SPEED_OF_LIGHT

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

#: Permittivity of water far above its relaxation.
_WATER_OPTICAL = 4.9
#: Exponent of the mixing law, and the least water that it is used with.
_MIXING = 0.65
_DRIEST = 0.005


def check_permittivity(values: npt.ArrayLike, name: str = "permittivity") -> Complexes:
    """Return relative permittivities as complex128: finite, real part 1 or more, no gain."""
    array = np.asarray(values)
    if array.dtype.kind not in "iufc":
        msg = f"Invalid {name} of dtype {array.dtype}. Must be real or complex numbers."
        raise TypeError(msg)
    values = array.astype(np.complex128)
    # a mixture that comes to air by sums of its parts may end a rounding below 1
    good = np.isfinite(values) & (values.real >= 1 - 1e-9) & (values.imag <= 0)
    if not good.all():
        first = values[~good].flat[0]
        msg = (
            f"Invalid {name} '{first}'. Must be finite, its real part not less than that of "
            "air, 1, and its imaginary part zero or negative (losses, time factor exp(+i omega "
            "t))."
        )
        raise ValueError(msg)
    return values


def water_permittivity(frequency: npt.ArrayLike, *, temperature: float = 20.0) -> Complexes:
    r"""
    Compute the relative permittivity of free water without salt.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, greater than zero.
    temperature : float
        In degrees Celsius, 0 to 60.

    Returns
    -------
    permittivity : (...) complex128 ndarray
        Relative, with a negative imaginary part for losses.

    Raises
    ------
    TypeError, ValueError
        If a frequency is not greater than zero or the temperature is out of range.

    Notes
    -----
    One Debye relaxation, :math:`4.9 + (\epsilon_s - 4.9) / (1 + i \omega \tau)`, whose
    static value and time constant are cubic in the temperature. The coefficients are
    those commonly credited to [1]_; the paper itself was not checked (unverified).

    References
    ----------
    .. [1] Klein, L. A. and Swift, C. T. (1977). An improved model for the dielectric
       constant of sea water at microwave frequencies. *IEEE Journal of Oceanic
       Engineering*, 2(1). https://doi.org/10.1109/JOE.1977.1145319

    Examples
    --------
    >>> from minesense.physics import water_permittivity
    >>> water_permittivity(1e9).round(3)
    np.complex128(79.834-4.368j)
    """
    omega = 2 * math.pi * _check_frequency(frequency)
    static, tau = _debye_of_water(temperature)
    return np.asarray(_WATER_OPTICAL + (static - _WATER_OPTICAL) / (1 + 1j * omega * tau))[()]


def peplinski_permittivity(
    frequency: npt.ArrayLike,
    *,
    sand: float,
    clay: float,
    bulk_density: float,
    moisture: npt.ArrayLike,
    particle_density: float = 2.66,
    temperature: float = 20.0,
    band: Literal["lower", "upper"] = "lower",
) -> Complexes:
    r"""
    Compute the relative permittivity of a moist soil from its texture.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, greater than zero; broadcast with `moisture`.
    sand, clay : float
        Mass fractions, together at most 1.
    bulk_density : float
        Of the dry soil, in g/cm^3, less than `particle_density`.
    moisture : (...) array_like
        Water per volume of soil, 0 to 0.6. Values below 0.005 count as 0.005, since the
        loss of the model is inversely proportional to it.
    particle_density : float
        Of the grains, in g/cm^3.
    temperature : float
        In degrees Celsius, 0 to 60.
    band : {"lower", "upper"}
        The form for 0.3-1.3 GHz or that for 1.4-18 GHz. The two do not join, so one form
        serves a whole pulse, outside its range too.

    Returns
    -------
    permittivity : (...) complex128 ndarray
        Relative, with a negative imaginary part for losses.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    With mass fractions :math:`S, C`, densities :math:`\rho_b, \rho_s`, moisture :math:`m`
    and water :math:`\epsilon_w` [1]_,

    .. math::
        \epsilon' &= [1 + (\rho_b/\rho_s)(\epsilon_s^\alpha - 1)
            + m^{\beta'} \epsilon_w'^\alpha - m]^{1/\alpha} \\
        \epsilon'' &= m^{\beta''/\alpha} [\epsilon_w''
            + \sigma_f (\rho_s - \rho_b) / (\omega \epsilon_0 \rho_s m)]

    and, in the lower band, :math:`\epsilon' \to 1.15 \epsilon' - 0.68`. The fitted
    conductivity :math:`\sigma_f` turns negative in sandy soil; it is clipped at zero.

    References
    ----------
    .. [1] Peplinski, N. R., Ulaby, F. T. and Dobson, M. C. (1995). Dielectric properties
       of soils in the 0.3-1.3-GHz range. *IEEE Transactions on Geoscience and Remote
       Sensing*, 33(3). https://doi.org/10.1109/36.387598

    Examples
    --------
    >>> from minesense.physics import peplinski_permittivity
    >>> peplinski_permittivity(1e9, sand=0.4, clay=0.2, bulk_density=1.5, moisture=0.1).round(3)
    np.complex128(7.083-0.726j)
    """
    omega = 2 * math.pi * _check_frequency(frequency)
    particle_density = check_positive(particle_density, "particle_density")
    bulk_density = check_positive(bulk_density, "bulk_density")
    if bulk_density >= particle_density:
        msg = (
            f"Invalid bulk_density '{bulk_density}'. Must be less than the particle_density, "
            f"{particle_density} g/cm^3."
        )
        raise ValueError(msg)
    sand = float(_check_between(sand, "sand", 0, 1))
    clay = float(_check_between(clay, "clay", 0, 1))
    if sand + clay > 1 + 1e-9:
        msg = f"Invalid sand '{sand}' with clay '{clay}'. Must add up to at most 1."
        raise ValueError(msg)
    mv = np.maximum(_check_between(moisture, "moisture", 0, 0.6), _DRIEST)
    check_one_of(band, "band", ("lower", "upper"))
    static, tau = _debye_of_water(temperature)

    sigma = _fitted_conductivity(band, sand, clay, bulk_density)
    relaxing = (static - _WATER_OPTICAL) / (1 + (omega * tau) ** 2)
    water_real = _WATER_OPTICAL + relaxing
    share = (particle_density - bulk_density) / particle_density
    water_loss = omega * tau * relaxing + sigma * share / (omega * EPSILON_0 * mv)

    grains = (1.01 + 0.44 * particle_density) ** 2 - 0.062
    beta_real = 1.2748 - 0.519 * sand - 0.152 * clay
    beta_loss = _loss_exponent(sand, clay)
    mixture = (
        1
        + (bulk_density / particle_density) * (grains**_MIXING - 1)
        + mv**beta_real * water_real**_MIXING
        - mv
    )
    real = mixture ** (1 / _MIXING)
    if band == "lower":
        real = 1.15 * real - 0.68
    return np.asarray(real - 1j * mv ** (beta_loss / _MIXING) * water_loss)[()]


def peplinski_conductivity(
    *,
    sand: float,
    clay: float,
    bulk_density: float,
    moisture: float,
    particle_density: float = 2.66,
    band: Literal["lower", "upper"] = "lower",
) -> float:
    r"""
    Compute the conductivity that :func:`peplinski_permittivity` contains already.

    Parameters
    ----------
    sand, clay, bulk_density, moisture, particle_density, band
        As in :func:`peplinski_permittivity`, one value each.

    Returns
    -------
    conductivity : float
        In S/m. Of a soil whose conductivity was measured, only what exceeds this may be added
        to the permittivity, or the loss would be counted twice.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The part of the loss that falls with frequency as that of a conductor does,

    .. math:: \sigma = m^{\beta''/\alpha} \sigma_f \frac{\rho_s - \rho_b}{\rho_s m} ,

    with the symbols of :func:`peplinski_permittivity`.

    Examples
    --------
    >>> from minesense.physics import peplinski_conductivity
    >>> round(peplinski_conductivity(sand=0.4, clay=0.2, bulk_density=1.5, moisture=0.1), 4)
    0.0348
    """
    texture = {"sand": sand, "clay": clay, "bulk_density": bulk_density}
    whole = {"moisture": moisture, "particle_density": particle_density, "band": band}
    peplinski_permittivity(1e9, **texture, **whole)  # type: ignore[arg-type]  # checks all
    mv = max(moisture, _DRIEST)
    share = (particle_density - bulk_density) / particle_density
    sigma = _fitted_conductivity(band, sand, clay, bulk_density)
    return float(mv ** (_loss_exponent(sand, clay) / _MIXING) * sigma * share / mv)


def debye_permittivity(
    frequency: npt.ArrayLike,
    *,
    static: float,
    optical: float | None = None,
    relaxation_time: float = 0.0,
    conductivity: float = 0.0,
) -> Complexes:
    r"""
    Compute the relative permittivity of a medium with one relaxation and a conductivity.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, greater than zero.
    static : float
        Relative permittivity far below the relaxation, 1 or more.
    optical : float, optional
        Far above it, from 1 to `static`; by default `static`, for no relaxation.
    relaxation_time : float
        In s, zero or more.
    conductivity : float
        At zero frequency, S/m, zero or more.

    Returns
    -------
    permittivity : (...) complex128 ndarray
        With a negative imaginary part for losses.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    :math:`\epsilon_\infty + (\epsilon_s - \epsilon_\infty) / (1 + i \omega \tau)
    + \sigma / (i \omega \epsilon_0)`: what a measured or another model's medium is given
    by, and what finite-difference solvers take.

    Examples
    --------
    >>> from minesense.physics import debye_permittivity
    >>> debye_permittivity(1e9, static=9.0, conductivity=0.01).round(4)
    np.complex128(9-0.1798j)
    """
    omega = 2 * math.pi * _check_frequency(frequency)
    static = float(_check_between(static, "static", 1, math.inf))
    optical = static if optical is None else optical
    optical = float(_check_between(optical, "optical", 1, static))
    tau = check_not_negative(relaxation_time, "relaxation_time")
    sigma = check_not_negative(conductivity, "conductivity")
    relaxing = (static - optical) / (1 + 1j * omega * tau)
    return np.asarray(optical + relaxing - 1j * sigma / (omega * EPSILON_0))[()]


def wavenumber(frequency: npt.ArrayLike, permittivity: npt.ArrayLike) -> Complexes:
    r"""
    Compute the complex wavenumber of a plane wave.

    Parameters
    ----------
    frequency : (...) array_like
        In Hz, greater than zero.
    permittivity : (...) array_like
        Relative, complex, broadcast with `frequency`.

    Returns
    -------
    wavenumber : (...) complex128 ndarray
        In rad/m; a wave travels as exp(-ikr), so losses make the imaginary part negative.

    Raises
    ------
    TypeError, ValueError
        If a frequency is not greater than zero, or a permittivity is not finite, has a real
        part below 1, or gains (positive imaginary part).

    Notes
    -----
    :math:`k = (\omega / c) \sqrt{\epsilon}`, magnetic permeability 1. The one-way loss is
    :math:`-8.685889638\,\mathrm{Im}\,k` in dB/m.

    Examples
    --------
    >>> from minesense.physics import wavenumber
    >>> wavenumber(1e9, 9.0).round(3)
    np.complex128(62.875+0j)
    """
    omega = 2 * math.pi * _check_frequency(frequency)
    index: Complexes = np.sqrt(check_permittivity(permittivity))
    return np.asarray(omega / SPEED_OF_LIGHT * index)[()]


def _fitted_conductivity(band: str, sand: float, clay: float, bulk_density: float) -> float:
    """Return the fitted conductivity of the soil's water in S/m, clipped at zero."""
    if band == "lower":
        sigma = 0.0467 + 0.2204 * bulk_density - 0.4111 * sand + 0.6614 * clay
    else:
        sigma = -1.645 + 1.939 * bulk_density - 2.25622 * sand + 1.594 * clay
    return max(sigma, 0.0)


def _loss_exponent(sand: float, clay: float) -> float:
    """Return the exponent of the moisture in the loss."""
    return 1.33797 - 0.603 * sand - 0.166 * clay


def _debye_of_water(temperature: float) -> tuple[float, float]:
    """Return the static permittivity of water and its relaxation time in s."""
    t = float(_check_between(temperature, "temperature", 0, 60))
    static = 88.045 - 0.4147 * t + 6.295e-4 * t**2 + 1.075e-5 * t**3
    tau = 1.1109e-10 - 3.824e-12 * t + 6.938e-14 * t**2 - 5.096e-16 * t**3
    return static, tau / (2 * math.pi)


def _check_frequency(frequency: npt.ArrayLike) -> Floats:
    """Return frequencies as float64: finite and greater than zero."""
    array = check_real(frequency, "frequency").astype(np.float64)
    good = np.isfinite(array) & (array > 0)
    if not good.all():
        msg = (
            f"Invalid frequency '{array[~good].flat[0]}'. Must be finite and greater than zero."
        )
        raise ValueError(msg)
    return array


def _check_between(values: Any, name: str, least: float, most: float) -> Floats:
    """Return values as float64, all of them from `least` to `most`."""
    array: Floats = check_real(values, name).astype(np.float64)
    good = (array >= least) & (array <= most) & np.isfinite(array)  # false for NaN
    if not good.all():
        msg = f"Invalid {name} '{array[~good].flat[0]}'. Must lie between {least} and {most}."
        raise ValueError(msg)
    return array

"""How a layered body of finite width reflects: modes between its sides, later echoes."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_not_negative, check_positive
from .soil import Complexes, Floats, check_permittivity, wavenumber

#: Modes of a face, in each direction: the rest holds 2 % of the power.
_N_MODES = 20


def finite_reflection(
    frequency: npt.ArrayLike,
    permittivities: Sequence[npt.ArrayLike],
    thicknesses: Sequence[float],
    *,
    diameter: float | None = None,
    length: float | None = None,
    width: float | None = None,
) -> Complexes:
    r"""
    Compute how a layered disc or box reflects, on average over its face.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    permittivities : sequence of scalar or (n_freq,) array_like
        Relative, complex: the soil, the layers from the face on, and the medium behind. The
        last may be infinite: metal.
    thicknesses : sequence of float
        Of the layers, in metres: two fewer than `permittivities`.
    diameter : float, optional
        Of a disc, m.
    length, width : float, optional
        Of a box, m, instead of `diameter`. Without any of them the layers have no end.

    Returns
    -------
    reflection : (n_freq,) complex128 ndarray
        Reflected over incident field of a wave that falls straight on the face.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the numbers of layers do not fit, or the outline is
        neither that of a disc, nor of a box, nor absent.

    Notes
    -----
    A body about as wide as a wavelength does not hold a plane wave. Two pictures of it are
    mixed, :math:`R = (1 - w) R_o + w R_c`.

    *Open sides.* What enters the face spreads on its way through the layers, as the field of
    a piston does. The way to the bottom of layer j and back, :math:`p = e^{-2 i \sum k d}`,
    is multiplied by the part of the field that meets the face again,

    .. math:: D = 1 - e^{-iv} [J_0(v) + i J_1(v)], \quad v = k a^2 / (2 \textstyle\sum d),

    with the radius a of a face of this area and the mean k of the layers [1]_. Of what is
    lost, :math:`1 - D`, only the share :math:`1 - e^{-(\sum k d)^2}` counts, so that thin
    weak layers scatter as their volume does.

    *Closed sides.* The field on the face is expanded in modes that vanish at the rim, as in
    a hollow guide, and each meets the layers with its own transverse wavenumber :math:`k_t`,

    .. math:: R_c = \sum_m w_m \tfrac{1}{2} [R_E(k_{t,m}) + R_H(k_{t,m})] ,

    where :math:`R_E`, :math:`R_H` are the reflections of waves with E and with H parallel to
    the face by the recursion of :func:`layered_reflection` with :math:`k_z = \sqrt{k^2 -
    k_t^2}`. A disc has :math:`k_t = j_m / a` and :math:`w_m = 4 / j_m^2` with the zeros
    :math:`j_m` of the Bessel function of order 0; a box :math:`k_t^2 = (p \pi / l)^2 + (q \pi
    / b)^2` and :math:`w = 64 / (\pi^4 p^2 q^2)` for odd p, q: the shares of a uniform field.
    Twenty modes in each direction are taken and their shares brought to 1; a mode that fades
    away in the soil may meet a resonance of the layers, so none sends back more than it
    brings.

    Sides close as the body differs from the soil: :math:`w = \min(1, 2 |r|)` with the
    reflection r between soil and the mean index of the layers. This rule was chosen beside
    full-wave solutions of one disc in three soils; the page on validation shows how well it
    does in others. Both pictures tend to plane layers for wide faces, and R to nothing for a
    body that does not differ from the soil.

    References
    ----------
    .. [1] Rogers, P. H. and Van Buren, A. L. (1974). An exact expression for the Lommel
       diffraction correction integral. *Journal of the Acoustical Society of America*,
       55(4). https://doi.org/10.1121/1.1914589

    Examples
    --------
    >>> from minesense.physics import finite_reflection, layered_reflection
    >>> plane = layered_reflection([1.5e9], [9.0, 2.8, 9.0], [0.04])
    >>> disc = finite_reflection([1.5e9], [9.0, 2.8, 9.0], [0.04], diameter=0.1)
    >>> wide = finite_reflection([1.5e9], [9.0, 2.8, 9.0], [0.04], diameter=1e4)
    >>> bool(abs(wide - plane) < 1e-6), bool(abs(disc - plane) > 0.1)
    (True, True)
    """
    frequency = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
    _check_numbers(permittivities, thicknesses)
    depths = [check_positive(d, "thicknesses") for d in thicknesses]
    lateral, weight, radius = _modes(diameter, length, width)
    *media, last = permittivities
    k = [np.atleast_1d(wavenumber(frequency, medium)) for medium in media]
    is_metal = bool(np.isinf(np.asarray(last)).all())
    if not is_metal:
        k.append(np.atleast_1d(wavenumber(frequency, last)))
    kz = [_fading(layer**2 - lateral[:, None] ** 2) for layer in k]
    through = [np.exp(-2j * q * d) for q, d in zip(kz[1:], depths, strict=False)]
    # admittances of horizontal fields: kz for E parallel to the face, k^2 / kz for H
    electric = _stack(kz, through, is_metal)
    magnetic = _stack([q**2 / z for q, z in zip(k, kz, strict=True)], through, is_metal)
    is_fading = lateral[:, None] > k[0].real
    closed = 0.5 * (weight @ (_limited(electric, is_fading) + _limited(magnetic, is_fading)))
    if math.isinf(radius) or not depths:
        return np.asarray(closed)
    ways = np.cumsum([q * d for q, d in zip(k[1:], depths, strict=False)], axis=0)
    total = np.cumsum(depths)
    share = []
    for way, d in zip(ways.real, total, strict=True):
        lost = 1 - _piston(way * radius**2 / (2 * d**2))
        share.append(1 - lost * -np.expm1(-(way**2)))
    spread = [share[0], *(b / a for a, b in itertools.pairwise(share))]
    through = [
        np.exp(-2j * q * d) * part for q, d, part in zip(k[1:], depths, spread, strict=False)
    ]
    opened = _stack(k, through, is_metal)
    inner = ways[-1] / total[-1]
    mix = np.minimum(1, 2 * np.abs((k[0] - inner) / (k[0] + inner)))
    return np.asarray((1 - mix) * opened + mix * closed)


def surface_echoes(
    reflection: npt.ArrayLike,
    frequency: npt.ArrayLike,
    *,
    soil: npt.ArrayLike,
    depth: float,
    area: float,
) -> Complexes:
    r"""
    Add the echoes that go back and forth between a flat body and the ground surface.

    Parameters
    ----------
    reflection : (n_freq,) array_like
        Of the body's top, as of :func:`finite_reflection`.
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    soil : scalar or (n_freq,) array_like
        Relative permittivity between them.
    depth : float
        Of the top below the surface, m, zero or more.
    area : float
        Of the top, m^2.

    Returns
    -------
    reflection : (n_freq,) complex128 ndarray
        With all later echoes of the pair.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    .. math:: R' = \frac{R}{1 - r R e^{-2ikz} D}, \quad r = \frac{n - 1}{n + 1}, \quad
        D = 1 - e^{-iv} [J_0(v) + i J_1(v)], \quad v = k a^2 / (2 z) .

    D is how much of the field of a disc of radius a comes back to it from its image at the
    distance 2z, the diffraction of a piston [1]_: all of it for a wide disc, little for a
    small or deep one. That rays spread on the way is left out.

    References
    ----------
    .. [1] Rogers, P. H. and Van Buren, A. L. (1974). An exact expression for the Lommel
       diffraction correction integral. *Journal of the Acoustical Society of America*,
       55(4). https://doi.org/10.1121/1.1914589

    Examples
    --------
    >>> from minesense.physics import surface_echoes
    >>> surface_echoes([-1.0], [1.5e9], soil=9.0, depth=0.05, area=0.00785).round(3)
    array([-1.365-0.391j])
    """
    frequency = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
    reflection = np.asarray(reflection, dtype=np.complex128)
    if not np.isfinite(reflection).all():
        msg = "Invalid reflection with NaN or infinite values. Must be finite."
        raise ValueError(msg)
    depth = check_not_negative(depth, "depth")
    area = check_positive(area, "area")
    k = np.atleast_1d(wavenumber(frequency, soil))
    index = np.sqrt(check_permittivity(soil, "soil"))
    face = (index - 1) / (index + 1)
    # a body at the surface: all comes back
    share = _piston(k.real * area / (2 * math.pi * max(depth, 1e-6)))
    return np.asarray(reflection / (1 - face * reflection * np.exp(-2j * k * depth) * share))


def _check_numbers(
    permittivities: Sequence[npt.ArrayLike], thicknesses: Sequence[float]
) -> None:
    """Raise unless there is one thickness for each layer."""
    if len(permittivities) < 2 or len(thicknesses) != len(permittivities) - 2:
        msg = (
            f"Invalid thicknesses: {len(thicknesses)} for {len(permittivities)} "
            "permittivities. Must be two fewer, and at least two permittivities."
        )
        raise ValueError(msg)


def _modes(
    diameter: float | None, length: float | None, width: float | None
) -> tuple[Floats, Floats, float]:
    """Return transverse wavenumbers (rad/m) and shares of the modes of a face, its radius."""
    if diameter is not None:
        if length is not None or width is not None:
            msg = f"Invalid diameter '{diameter}' with length or width. Must be one outline."
            raise ValueError(msg)
        zeros, weight = _disc_modes()
        radius = check_positive(diameter, "diameter") / 2
        return zeros / radius, weight, radius
    if (length is None) != (width is None):
        msg = f"Invalid length '{length}' and width '{width}'. Must be given together."
        raise ValueError(msg)
    if length is None or width is None:
        return np.zeros(1), np.ones(1), math.inf
    length, width = check_positive(length, "length"), check_positive(width, "width")
    odd = 2 * np.arange(_N_MODES) + 1.0
    lateral = np.hypot(math.pi / length * odd[:, None], math.pi / width * odd).ravel()
    weight = np.outer(1 / odd**2, 1 / odd**2).ravel()
    return lateral, weight / weight.sum(), math.sqrt(length * width / math.pi)


@functools.cache
def _disc_modes() -> tuple[Floats, Floats]:
    """Return the zeros of the Bessel function of order 0, and the shares of the modes."""
    from scipy.special import jn_zeros  # noqa: PLC0415  half a second that few imports need

    zeros = jn_zeros(0, _N_MODES)
    weight = 4 / zeros**2
    return zeros, weight / weight.sum()


def _fading(kz_squared: Complexes) -> Complexes:
    """Return the vertical wavenumber whose wave fades away from its source."""
    kz = np.sqrt(kz_squared + 0j)
    return np.where(kz.imag > 0, -kz, kz)


def _stack(admittance: list[Complexes], phase: list[Complexes], is_metal: bool) -> Complexes:
    """Return the reflection of a stack by its admittances and the way through each layer."""
    if is_metal:
        total = np.full(admittance[0].shape, -1.0 + 0.0j)
    else:
        total = (admittance[-2] - admittance[-1]) / (admittance[-2] + admittance[-1])
    for j in range(len(phase) - 1, -1, -1):
        face = (admittance[j] - admittance[j + 1]) / (admittance[j] + admittance[j + 1])
        inner = total * phase[j]
        total = (face + inner) / (1 + face * inner)
    return total


def _limited(reflection: Complexes, is_fading: npt.NDArray[np.bool_]) -> Complexes:
    """Return reflections, those of waves that fade away with sizes of at most one."""
    return np.asarray(reflection / np.where(is_fading, np.maximum(1, np.abs(reflection)), 1))


def _piston(v: Floats) -> Complexes:
    """Return how much of the field of a piston meets it again, v = k a^2 over the distance."""
    from scipy.special import jv  # noqa: PLC0415  half a second that few imports need

    return np.asarray(1 - np.exp(-1j * v) * (jv(0, v) + 1j * jv(1, v)))

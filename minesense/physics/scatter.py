"""
Scattering lengths of faces and of pieces of soil, in metres.

A body in a field E answers with S E exp(-ikr)/r at distance r. One rule of signs for all:
less permittivity than the soil keeps the polarity of the first arrival, more of it, or
metal, turns it over. For a body much smaller than the wavelength that reads S < 0 and
S > 0, since S grows with frequency squared, which is minus the second derivative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_positive
from .soil import Complexes, wavenumber


def layered_reflection(
    frequency: npt.ArrayLike,
    permittivities: Sequence[npt.ArrayLike],
    thicknesses: Sequence[float],
) -> Complexes:
    r"""
    Compute the reflection of a stack of layers at normal incidence.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    permittivities : sequence of scalar or (n_freq,) array_like
        Relative, complex: the medium of the incident wave, the layers in the order the
        wave meets them, and the medium behind. The last may be infinite: metal.
    thicknesses : sequence of float
        Of the layers, in metres: two fewer than `permittivities`.

    Returns
    -------
    reflection : (n_freq,) complex128 ndarray
        Reflected over incident field, at the first surface.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or the numbers of layers do not fit.

    Notes
    -----
    With indices :math:`n_j = \sqrt{\epsilon_j}`, from the innermost surface outward,

    .. math:: R_j = \frac{r_j + R_{j+1} p_j}{1 + r_j R_{j+1} p_j}, \quad
        r_j = \frac{n_j - n_{j+1}}{n_j + n_{j+1}}, \quad p_j = e^{-2 i k_{j+1} d_{j+1}} ,

    which holds all echoes inside the layers. One layer gives
    :math:`r - (1 - r^2) r p - (1 - r^2) r^3 p^2 - \dots`.

    Examples
    --------
    >>> from minesense.physics import layered_reflection
    >>> layered_reflection([1e9], [9.0, 3.5, 9.0], [0.05]).round(4)
    array([0.3873-0.1428j])
    >>> layered_reflection([1e9], [9.0, np.inf], [])
    array([-1.+0.j])
    """
    frequency = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
    if len(permittivities) < 2 or len(thicknesses) != len(permittivities) - 2:
        msg = (
            f"Invalid thicknesses: {len(thicknesses)} for {len(permittivities)} "
            "permittivities. Must be two fewer, and at least two permittivities."
        )
        raise ValueError(msg)
    depths = [check_positive(d, "thicknesses") for d in thicknesses]
    *media, last = permittivities
    k = [wavenumber(frequency, medium) for medium in media]
    if np.isinf(np.asarray(last)).all():
        total = np.full(frequency.shape, -1.0 + 0.0j)
    else:
        behind = wavenumber(frequency, last)
        total = (k[-1] - behind) / (k[-1] + behind)
    for j in range(len(k) - 2, -1, -1):
        face = (k[j] - k[j + 1]) / (k[j] + k[j + 1])
        inner = total * np.exp(-2j * k[j + 1] * depths[j])
        total = (face + inner) / (1 + face * inner)
    return total


def facet_length(
    frequency: npt.ArrayLike, reflection: npt.ArrayLike, *, soil: npt.ArrayLike
) -> Complexes:
    r"""
    Compute the scattering length per area of a small piece of a face.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    reflection : (n_freq,) array_like
        Of the face, as of :func:`layered_reflection`.
    soil : scalar or (n_freq,) array_like
        Relative permittivity around the face.

    Returns
    -------
    length : (n_freq,) complex128 ndarray
        In metres per m^2, to be multiplied by the cosine between ray and normal.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    :math:`i k' R / (2 \pi)` with the real part :math:`k'` of the soil's wavenumber. An
    infinite plane of facets at distance z returns :math:`R e^{-2ikz} / (2z)`, the mirror
    image; the edge of a finite one diffracts by itself.

    Examples
    --------
    >>> from minesense.physics import facet_length
    >>> facet_length([1e9], -1.0, soil=9.0).round(3)
    array([-0.-10.007j])
    """
    k = np.atleast_1d(wavenumber(frequency, soil)).real
    values = np.asarray(reflection)
    if not np.isfinite(values).all():
        msg = "Invalid reflection with NaN or infinite values. Must be finite."
        raise ValueError(msg)
    return np.asarray(1j * k / (2 * math.pi) * values)


def volume_cell(frequency: npt.ArrayLike, *, soil: npt.ArrayLike) -> Complexes:
    r"""
    Compute the scattering length of uneven soil, per relative contrast and volume.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz, greater than zero.
    soil : scalar or (n_freq,) array_like
        Mean relative permittivity.

    Returns
    -------
    length : (n_freq,) complex128 ndarray
        In metres per m^3, to be multiplied by the contrast (local over mean permittivity,
        minus 1) and the volume of the cell.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    :math:`k^2 / (4 \pi)`, the first Born approximation. Cells should be at most a quarter
    of a wavelength wide. If only a random share p of the cells is kept, divide their
    contrast by :math:`\sqrt{p}`, which keeps the mean power.

    Examples
    --------
    >>> from minesense.physics import volume_cell
    >>> volume_cell([1e9], soil=9.0).round(2)
    array([314.59+0.j])
    """
    return np.atleast_1d(wavenumber(frequency, soil)) ** 2 / (4 * math.pi)

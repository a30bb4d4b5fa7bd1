"""Correlated random fields with an outer scale: rough surfaces, uneven soil."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import (
    check_array,
    check_count,
    check_not_negative,
    check_number,
    check_positive,
    check_rng,
)
from .soil import Floats

#: Points times waves evaluated at a time, to bound the memory.
_BATCH = 2_000_000


def gaussian_field(
    shape: Sequence[int],
    spacing: float,
    *,
    outer_scale: float,
    std: float,
    rng: np.random.Generator,
    hurst: float = 0.5,
    stretch: float = 1.0,
) -> Floats:
    r"""
    Draw a correlated Gaussian field on a grid.

    Parameters
    ----------
    shape : sequence of int
        Points along easting and northing, and along upward if there is a third.
    spacing : float
        Between points along every axis, m. At most a sixth of the correlation length,
        `outer_scale` over 2 pi, for its shape at small distances.
    outer_scale : float
        Longest wavelength with full power, m.
    std : float
        Standard deviation, in the unit of the result; zero or more.
    rng : numpy.random.Generator
        Source of randomness.
    hurst : float
        Roughness, above 0 (rough) and up to 2 (smooth).
    stretch : float
        By how much longer the field is correlated along upward; three axes only.

    Returns
    -------
    field : ndarray of float64
        Of the given shape, with mean 0 in expectation.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    White noise is filtered in the wavenumber domain of D dimensions by

    .. math:: F = (k_e^2 + k_n^2 + g^2 k_u^2 + k_0^2)^{-(H + D/2)/2} , \quad
        k_0 = 2 \pi / L ,

    on a grid longer by L, since the result is periodic, and divided by the expected
    deviation of the filter, not by that of the sample. The covariance is that of Matérn,
    :math:`2^{1-H} (k_0 r)^H K_H(k_0 r) / \Gamma(H)`; for H = 1/2 it is
    :math:`e^{-k_0 r}`, so that the 1/e length is L over 2 pi.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import gaussian_field
    >>> rng = np.random.default_rng(seed=1)
    >>> gaussian_field((40, 30), 0.02, outer_scale=0.4, std=0.01, rng=rng).shape
    (40, 30)
    """
    sizes = [check_count(n, "shape") for n in shape]
    if len(sizes) not in (2, 3):
        msg = f"Invalid shape {tuple(sizes)}. Must have two or three axes."
        raise ValueError(msg)
    spacing = check_positive(spacing, "spacing")
    k0 = 2 * math.pi / check_positive(outer_scale, "outer_scale")
    std = check_not_negative(std, "std")
    hurst, stretches = _check_law(hurst, stretch, len(sizes))
    check_rng(rng)
    padded = [
        _fast_length(n + math.ceil(g * outer_scale / spacing))
        for n, g in zip(sizes, stretches, strict=True)
    ]
    squares = np.full([1] * len(sizes), k0**2)
    for axis, (n, g) in enumerate(zip(padded, stretches, strict=True)):
        is_last = axis == len(sizes) - 1
        cycles = np.fft.rfftfreq(n, spacing) if is_last else np.fft.fftfreq(n, spacing)
        along = [1] * len(sizes)
        along[axis] = len(cycles)
        squares = squares + ((2 * math.pi * g * cycles) ** 2).reshape(along)
    power = squares ** -(hurst + len(sizes) / 2)
    # the half spectrum stands for the whole: all but its ends count twice
    twice = np.full(power.shape[-1], 2.0)
    twice[0] = 1
    twice[-1] = 1  # padded lengths are even
    mean_power = (power * twice).sum() / math.prod(padded)
    white = np.fft.rfftn(rng.standard_normal(padded))
    field = np.fft.irfftn(white * np.sqrt(power / mean_power), s=padded, axes=range(len(sizes)))
    return np.ascontiguousarray(std * field[tuple(slice(n) for n in sizes)])


class FourierField:
    r"""
    A correlated Gaussian field that can be evaluated anywhere, as a sum of waves.

    Parameters
    ----------
    n_axes : int
        2 or 3: easting, northing, and upward.
    outer_scale, std, hurst, stretch
        As in :func:`gaussian_field`.
    rng : numpy.random.Generator
        Draws the waves, once.
    n_waves : int
        The more, the closer to a Gaussian field.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    Of N waves, :math:`\sigma \sqrt{2/N} \sum_j \cos(k_j \cdot r + \phi_j)` has the
    covariance of :func:`gaussian_field` on average, with :math:`k_j` drawn from the power
    spectrum [1]_: for this one a normal vector times :math:`k_0` over the root of a
    chi-squared number with 2H degrees. A value depends on its place alone, so a lane may be
    cut anywhere.

    References
    ----------
    .. [1] Rahimi, A. and Recht, B. (2007). Random features for large-scale kernel machines.
       *Advances in Neural Information Processing Systems* 20.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import FourierField
    >>> rng = np.random.default_rng(seed=1)
    >>> ground = FourierField(2, outer_scale=0.4, std=0.01, rng=rng)
    >>> ground([[0.0, 0.0], [1000.0, 0.5]]).shape
    (2,)
    """

    def __init__(
        self,
        n_axes: int,
        *,
        outer_scale: float,
        std: float,
        rng: np.random.Generator,
        hurst: float = 0.5,
        stretch: float = 1.0,
        n_waves: int = 2000,
    ):
        if check_count(n_axes, "n_axes") not in (2, 3):
            msg = f"Invalid n_axes '{n_axes}'. Must be 2 or 3."
            raise ValueError(msg)
        k0 = 2 * math.pi / check_positive(outer_scale, "outer_scale")
        std = check_not_negative(std, "std")
        hurst, stretches = _check_law(hurst, stretch, n_axes)
        n_waves = check_count(n_waves, "n_waves")
        check_rng(rng)
        # a chi-squared number near 0 is a wave too short to matter, but must be finite
        spread = np.maximum(rng.chisquare(2 * hurst, size=(n_waves, 1)), 1e-12)
        waves = rng.standard_normal((n_waves, n_axes)) * k0 / np.sqrt(spread)
        self._waves = waves / np.array(stretches)
        self._phases = rng.uniform(0, 2 * math.pi, size=n_waves)
        self._scale = std * math.sqrt(2 / n_waves)

    def __call__(self, points: npt.ArrayLike) -> Floats:
        """
        Evaluate the field.

        Parameters
        ----------
        points : (n, n_axes) array_like
            Places, m.

        Returns
        -------
        values : (n,) float64 ndarray
            In the unit of `std`.

        Raises
        ------
        TypeError, ValueError
            If points are not finite or of another shape.
        """
        places = check_array(points, "points", ("n", self._waves.shape[1]))
        values = np.empty(len(places))
        batch = max(1, _BATCH // len(self._waves))
        for start in range(0, len(places), batch):
            part = places[start : start + batch]
            phase = np.repeat(self._phases[None], len(part), axis=0)
            # axis by axis: a matrix product may round differently in other batches
            for axis in range(places.shape[1]):
                phase += part[:, axis, None] * self._waves[:, axis]
            values[start : start + batch] = self._scale * np.cos(phase).sum(axis=1)
        return values


def _check_law(hurst: float, stretch: float, n_axes: int) -> tuple[float, list[float]]:
    """Return the exponent and the stretch along each axis."""
    hurst, stretch = check_number(hurst, "hurst"), check_positive(stretch, "stretch")
    if not 0 < hurst <= 2:
        msg = f"Invalid hurst '{hurst}'. Must be above 0 and at most 2."
        raise ValueError(msg)
    if n_axes == 2 and stretch != 1:
        msg = f"Invalid stretch '{stretch}' of a field without upward axis. Must be 1."
        raise ValueError(msg)
    return hurst, [1.0, 1.0, stretch][:n_axes]


def _fast_length(n: int) -> int:
    """Return the least even length from n on whose only factors are 2, 3 and 5."""
    n += n % 2
    while True:
        rest = n
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return n
        n += 2

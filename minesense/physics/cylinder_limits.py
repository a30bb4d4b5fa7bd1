"""
Limits of solid cylinders in a uniform field: static, conducting perfectly, weakly, at the skin.

Fits to boundary elements and a Bessel series; tools/fit_cylinder_limits.py makes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

#: Aspects, length over diameter, that the fits were made for; ln 1000 is that of mr.
_SPAN = math.log(100)
_MAGNETIC_SPAN = math.log(1000)
#: Thinner discs are the limit of a flat sheet.
FLATTEST, LONGEST = 1e-4, 100.0

# fmt: off
# Chebyshev polynomials of ln p / ln 100, and of 2 ln mr / ln 1000 - 1 in the rows
_AXIAL = [
    -2.34721, -3.17187, -0.46464, 0.08393, 0.05541, 0.00826, 0.00105, 0.00222, 0.00142,
]
_TRANSVERSE = [
    -0.49515, -4.41152, -0.14199, 0.02963, 0.02314, -0.00735, -0.0071, 0.00215, 0.00221,
]
_LOSS = [
    0.95473, 0.00148, 0.0593, -0.00164, -0.02732, 0.00073, 0.01042, 5e-05, -0.00353,
]
_AXIAL_FACTOR = np.array([
    [-2.3669, -0.29403, 0.03837, 0.00558, 0.00029, 0.00015],
    [-3.24543, -0.44619, 0.03193, 0.01628, 0.00197, -0.00077],
    [-0.94524, -0.20712, -0.02553, 0.01631, 0.00391, -0.00118],
    [0.07054, -0.05106, -0.0357, 0.00493, 0.00433, 8e-05],
    [0.10706, 0.01624, -0.01963, -0.006, 0.00306, 0.0012],
    [-0.0001, 0.02561, -0.003, -0.00791, 0.00036, 0.00124],
    [-0.01307, 0.00858, 0.00542, -0.00341, -0.00197, 0.00057],
    [0.00099, -0.00335, 0.00515, 0.00074, -0.00219, -0.00017],
    [0.00243, -0.00255, 0.00094, 0.00205, -0.00064, -0.00074],
])
_TRANSVERSE_FACTOR = np.array([
    [-1.88193, -0.07025, 0.02563, -0.00264, -0.00145, 0.00045],
    [1.77105, 0.09992, -0.03345, 0.00162, 0.00233, -0.00029],
    [-0.68207, -0.04049, 0.00763, 0.00378, -0.00178, -0.0004],
    [0.04981, 0.01491, 0.00141, -0.00458, 0.00135, 0.0004],
    [0.06052, -0.00533, -0.00158, 0.00208, -0.00027, -0.00031],
    [-0.01041, -0.00235, 0.00172, -7e-05, -0.00063, 0.0003],
    [-0.00918, 0.00341, -0.00117, -0.00039, 0.00054, -0.00013],
    [0.00205, -5e-05, -0.00014, 0.00021, -6e-05, -7e-05],
    [0.00189, -0.00127, 0.0006, -9e-05, -0.00013, 0.00012],
])
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisLimits:
    """How a body answers a field along one of its axes, at the ends of the spectrum."""

    volume: float  #: m^3
    factor: float  #: demagnetising factor that gives the static moment
    expulsion: float  #: moment of a perfect conductor over minus the volume
    loss: float  #: m^2; the moment in weak eddy currents is -i omega mu0 sigma V loss
    skin: float  #: 1/m; share by which that moment falls for each metre of skin depth


def cylinder_limits(
    radius: float, length: float, permeability: float
) -> tuple[AxisLimits, AxisLimits]:
    r"""
    Return the limits of a solid cylinder along its axis and across it.

    Parameters
    ----------
    radius, length : float
        In metres.
    permeability : float
        Relative, 1 to 1000: the factor depends on it.

    Returns
    -------
    axial, transverse : AxisLimits
        Along the axis, and along any direction across it.

    Notes
    -----
    With the aspect :math:`p`, length over diameter, a perfect conductor expels
    :math:`E(p) V`. A skin of depth :math:`d` makes a cylinder smaller by `d` on all sides of
    it, so that the share lost for each metre is :math:`-\mathrm{d} \ln (E V) / \mathrm{d}d`.
    Against boundary elements and the series the fits are good to 2e-4 in the expulsion,
    2e-3 in the static moment and in the loss, for :math:`0.01 \le p \le 100`. Flatter discs
    go on towards a flat sheet, of :math:`E V = 8 a^3 / 3` along its axis and :math:`V` across.
    """
    aspect = length / (2 * radius)
    volume = math.pi * radius**2 * length
    fitted = max(aspect, math.exp(-_SPAN))
    thin = aspect / fitted  # 1, or less for discs flatter than those fitted
    limits = []
    for is_axial in (True, False):
        expulsion, slope = _axial(fitted) if is_axial else _transverse(fitted)
        if thin < 1:
            if is_axial:  # what is left beside the flat sheet goes on with the logarithm
                flat = 4 / (3 * math.pi)
                rest = slope + flat / fitted
                expulsion += flat * (1 / aspect - 1 / fitted) + rest * math.log(thin)
                slope = rest - flat / aspect
            else:
                slope = (expulsion - 1) * thin
                expulsion = 1 + slope
        factor = _factor(fitted, permeability, is_axial=is_axial)
        factor = 1 - thin * (1 - factor) if is_axial else thin * factor
        loss = radius**2 / 8 if is_axial else _transverse_loss(radius, length, fitted)
        skin = 2 / radius + 2 / length - slope / expulsion * (1 - 1 / aspect) / radius
        limits.append(
            AxisLimits(volume=volume, factor=factor, expulsion=expulsion, loss=loss, skin=skin)
        )
    return limits[0], limits[1]


def _place(aspect: float) -> float:
    """Return the variable of the fits."""
    return math.log(aspect) / _SPAN


def _axial(aspect: float) -> tuple[float, float]:
    """Return the expulsion along the axis, and its derivative by the logarithm of aspect."""
    x = _place(aspect)
    flat = 4 / (3 * math.pi * aspect)
    rest = math.exp(chebyshev.chebval(x, _AXIAL))
    slope = rest * chebyshev.chebval(x, chebyshev.chebder(_AXIAL)) / _SPAN
    return 1 + flat + rest, float(slope - flat)


def _transverse(aspect: float) -> tuple[float, float]:
    """Return the same across the axis."""
    x = _place(aspect)
    ratio = math.exp(chebyshev.chebval(x, _TRANSVERSE))
    slope = ratio * chebyshev.chebval(x, chebyshev.chebder(_TRANSVERSE)) / _SPAN
    return (2 + ratio) / (1 + ratio), float(-slope / (1 + ratio) ** 2)


def _factor(aspect: float, permeability: float, *, is_axial: bool) -> float:
    """Return the demagnetising factor that gives the static moment."""
    y = 2 * math.log(permeability) / _MAGNETIC_SPAN - 1
    table = _AXIAL_FACTOR if is_axial else _TRANSVERSE_FACTOR
    return math.exp(chebyshev.chebval2d(_place(aspect), y, table))


def _transverse_loss(radius: float, length: float, fitted: float) -> float:
    """Return the loss across the axis: a slab, a long cylinder, and what is between."""
    return float(chebyshev.chebval(_place(fitted), _LOSS) / (12 / length**2 + 4 / radius**2))

"""The image inductance of a head over height and tilt, tabulated for lanes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels import chebyshev
from .._validation import check_array, check_positive
from ..head import Head, describe_winding
from .ground_image import image_inductance
from .pose import rotation_onto
from .relaxation import Floats
from .scene import check_head, check_pose
from .winding import extent

#: Degrees that the search begins and ends with: of height, and of lean.
_FIRST, _LAST = (8, 4), (30, 16)
_N_CHECKS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundTable:
    """
    What :func:`tabulate_ground` returns: the image inductance of a head at many poses.

    The error was measured at sixty random poses within the range, as a share of the largest
    inductance that falls off with height as :func:`tabulate_ground` says.
    """

    head: Head
    heights: tuple[float, float]  #: m, lowest and highest
    tilt: float  #: rad, largest angle between upward of the platform and the vertical
    coefficients: Floats  #: of the Chebyshev series, over height, right and forward lean
    error: float  #: largest found, see above

    def inductance(
        self, height: npt.ArrayLike, *, rotation: npt.ArrayLike | None = None
    ) -> Floats:
        """
        Return the image inductance at poses within the range.

        Parameters
        ----------
        height : (n,) array_like
            Of the origin of the wires over the ground, m.
        rotation : (n, 3, 3) array_like, optional
            How the platform stands; level by default.

        Returns
        -------
        inductance : (n,) float64 ndarray
            As of :func:`image_inductance`, in H.

        Raises
        ------
        ValueError
            If a shape does not fit, or a pose is outside of the table.
        """
        values = check_array(height, "height", ("n",))
        _, turn = check_pose(np.zeros((len(values), 3)), rotation)
        low, high = self.heights
        bad = (values < low * (1 - 1e-12)) | (values > high * (1 + 1e-12))
        if bad.any():
            i = int(np.argmax(bad))
            msg = (
                f"Invalid height '{values[i]}' at position {i}. Must be from {low:g} to "
                f"{high:g} m, the range of the table."
            )
            raise ValueError(msg)
        lean = turn[:, 2, :2] / math.sin(self.tilt)
        steepest = float(np.hypot(*lean.T).max(initial=0.0))
        if steepest > 1 + 1e-9 or (turn[:, 2, 2] <= 0).any():
            msg = (
                f"Invalid rotation: tilted by {steepest:.3g} times the sine of {self.tilt:g} "
                "rad or upside down. Must be in the range of the table."
            )
            raise ValueError(msg)
        return _evaluate(self.coefficients, values, lean, self.heights) * _fall(
            values, self.head
        )

    def check_head(self, head: Head) -> None:
        """
        Raise unless the table is of these wires.

        Parameters
        ----------
        head : Head
            Whose windings must be those of the table.

        Raises
        ------
        ValueError
            If they are not.
        """
        for name in ("transmitter", "receiver"):
            if describe_winding(getattr(head, name)) != describe_winding(
                getattr(self.head, name)
            ):
                msg = f"Invalid table of another head: its {name} differs. Must be of this one."
                raise ValueError(msg)


def tabulate_ground(
    head: Head, *, heights: tuple[float, float], tilt: float, tolerance: float = 1e-6
) -> GroundTable:
    r"""
    Tabulate the image inductance of a head over height and tilt.

    Parameters
    ----------
    head : Head
        With any windings.
    heights : (float, float)
        Lowest and highest origin of the wires over the ground, m.
    tilt : float
        Largest angle of the platform from level, rad, greater than 0 and at most 1. No wire
        may touch the ground at the lowest height and this tilt.
    tolerance : float
        Largest error allowed, as a share of the largest inductance.

    Returns
    -------
    table : GroundTable
        For :func:`soil_pulse_voltage` and :func:`soil_wave_response`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, a wire could touch the ground, or the tolerance is
        not reached by polynomials of degree 30 in height and 16 in lean.

    Notes
    -----
    With the lean of the vertical to the right and forward, :math:`(u, v)` in the frame of
    the platform, and the extent `e` of the transmitter, :math:`M(h, u, v)\, (1 + (2 h /
    e)^2)^{3/2}` is a polynomial: Chebyshev in :math:`\ln h`, least squares over the disc of
    leans. Degrees are raised until sixty random poses are met. A circular coil takes about a
    second, polygons of many edges some more; a pose then takes a microsecond.

    Examples
    --------
    >>> from minesense.physics import heads, tabulate_ground
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.single(radius=0.1, excitation=ContinuousWave(frequencies=[1e4]))
    >>> table = tabulate_ground(head, heights=(0.04, 0.12), tilt=0.2, tolerance=1e-4)
    >>> table.error < 1e-4
    True
    """
    head = check_head(head)
    low, high = (check_positive(x, "heights") for x in heights)
    tilt, tolerance = check_positive(tilt, "tilt"), check_positive(tolerance, "tolerance")
    if high <= low:
        msg = f"Invalid heights {tuple(heights)}. Must increase."
        raise ValueError(msg)
    if tilt > 1:
        msg = f"Invalid tilt '{tilt}'. Must be at most 1 rad."
        raise ValueError(msg)
    rng = np.random.default_rng(seed=0)
    radius, angle = np.sqrt(rng.random(_N_CHECKS)), 2 * math.pi * rng.random(_N_CHECKS)
    leans = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    values = low * (high / low) ** rng.random(_N_CHECKS)
    exact = _exact(head, values, tilt, leans)
    degrees = _FIRST
    while True:
        coefficients = _fit(head, (low, high), tilt, degrees)
        misfit = np.abs(_evaluate(coefficients, values, leans, (low, high)) - exact)
        error = float(misfit.max() / np.abs(exact).max())
        if error <= tolerance:
            break
        if degrees == _LAST:
            msg = (
                f"Invalid tolerance '{tolerance}': {error:.2g} is reached with polynomials of "
                f"degree {degrees[0]} and {degrees[1]}. Must be more, or the range less."
            )
            raise ValueError(msg)
        degrees = _raised(coefficients, degrees)
    return GroundTable(
        head=head, heights=(low, high), tilt=tilt, coefficients=coefficients, error=error
    )


def _fall(heights: Floats, head: Head) -> Floats:
    """Return about how the inductance falls with height, 1 at the ground."""
    return (1 + (2 * heights / extent(head.transmitter)) ** 2) ** -1.5


def _exact(head: Head, heights: Floats, tilt: float, leans: Floats) -> Floats:
    """Return inductances over their fall with height, at leans in the unit disc."""
    across = math.sin(tilt) * leans
    upward = np.column_stack([across, np.sqrt(1 - (across**2).sum(axis=1))])
    rotation = np.array([rotation_onto(one).T for one in upward])
    return image_inductance(heights, head=head, rotation=rotation) / _fall(heights, head)


def _fit(
    head: Head, heights: tuple[float, float], tilt: float, degrees: tuple[int, int]
) -> Floats:
    """Return the coefficients of the series, (n_h, n_lean, n_lean)."""
    n_height, n_lean = (degree + 1 for degree in degrees)
    # over the disc: Gauss points of radius squared, and angles enough for the degree
    nodes = (np.polynomial.legendre.leggauss(n_lean // 2 + 1)[0] + 1) / 2
    angle = 2 * math.pi * (np.arange(2 * n_lean + 1) + 0.25) / (2 * n_lean + 1)
    leans = np.sqrt(nodes)[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    leans = leans.reshape(-1, 2)
    first, second = np.meshgrid(np.arange(n_lean), np.arange(n_lean), indexing="ij")
    is_used = first + second < n_lean
    basis = [chebyshev_values(leans[:, k], n_lean) for k in (0, 1)]
    matrix = (basis[0][:, :, None] * basis[1][:, None, :])[:, is_used]
    # over the height: nodes and weights of the transform
    place = np.cos(math.pi * (np.arange(n_height) + 0.5) / n_height)
    values = np.sqrt(heights[0] * heights[1]) * np.exp(
        place * 0.5 * math.log(heights[1] / heights[0])
    )
    grid = np.repeat(values, len(leans)), np.tile(leans, (n_height, 1))
    exact = _exact(head, grid[0], tilt, grid[1]).reshape(n_height, len(leans))
    per_height = np.linalg.lstsq(matrix, exact.T, rcond=None)[0].T
    transform = 2 / n_height * chebyshev_values(place, n_height).T
    transform[0] /= 2
    coefficients = np.zeros((n_height, n_lean, n_lean))
    coefficients[:, is_used] = transform @ per_height
    return coefficients


def _evaluate(
    coefficients: Floats, heights: Floats, leans: Floats, span: tuple[float, float]
) -> Floats:
    """Return the series at heights and at leans in the unit disc."""
    place = np.log(heights**2 / (span[0] * span[1])) / math.log(span[1] / span[0])
    points = np.clip(np.column_stack([place, leans]), -1, 1)
    out, work = np.empty(len(heights)), np.empty((3, max(coefficients.shape)))
    chebyshev.evaluate_box(np.ascontiguousarray(points), coefficients, work, out)
    return out


def _raised(coefficients: Floats, degrees: tuple[int, int]) -> tuple[int, int]:
    """Return degrees with that one raised whose last terms are the larger."""
    ends = np.abs(coefficients[-2:]).max(), 0.0
    n_lean = coefficients.shape[1]
    first, second = np.meshgrid(np.arange(n_lean), np.arange(n_lean), indexing="ij")
    ends = ends[0], np.abs(coefficients[:, first + second >= n_lean - 2]).max()
    height, lean = degrees
    if height < _LAST[0] and (ends[0] >= ends[1] or lean == _LAST[1]):
        return min(_LAST[0], height + 4), lean
    return height, min(_LAST[1], lean + 2)


def chebyshev_values(x: Floats, n: int) -> Floats:
    """
    Return the first Chebyshev polynomials.

    Parameters
    ----------
    x : (m,) float64 ndarray
        In -1 .. 1.
    n : int
        How many.

    Returns
    -------
    values : (m, n) float64 ndarray
        Of degree 0 .. n - 1.
    """
    return np.asarray(np.polynomial.chebyshev.chebvander(x, n - 1))

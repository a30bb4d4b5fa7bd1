"""Soil that is not uniform: what a head feels of each place under it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._kernels.ground import sum_under
from .._validation import check_array, check_count, check_positive
from ..constants import MU_0
from ..sensor import Head
from .ground_image import image_inductance
from .relaxation import Floats
from .scene import check_head
from .surface import Surface
from .winding import extent, winding_field

#: A value over the ground: on a grid, or of easting and northing in m, arrays of one shape.
Field = Surface | Callable[[Floats, Floats], npt.ArrayLike]

#: A head whose weights cancel to less than this share of their size has no mean.
_LEAST_SUM = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundWeights:
    """
    What :func:`ground_weights` returns: places under a head, and how much each counts.

    Places turn with the heading of the platform; its tilt and changes of height are those of
    :func:`image_inductance`.
    """

    offsets: Floats  #: (n, 2) right and forward of the origin of the head, m
    volume: Floats  #: (n,) m; flux over mu_0 for each unit of susceptibility of a column
    surface: Floats  #: (n,) the same for each metre that the surface rises
    error: float  #: of the sum of `volume` beside the image, as a share of its size

    def sum_of(
        self,
        susceptibility: Field,
        easting: npt.ArrayLike,
        northing: npt.ArrayLike,
        heading: npt.ArrayLike,
    ) -> Floats:
        r"""
        Sum a susceptibility under the head, weighted.

        Parameters
        ----------
        susceptibility : Surface or callable
            On a grid, or of easting and northing, m; the same at all depths.
        easting, northing : (n,) array_like
            Of the head, m.
        heading : (n,) array_like
            Direction of forward, rad clockwise from north.

        Returns
        -------
        flux : (n,) float64 ndarray
            :math:`\Phi_s / \mu_0` per ampere to first order, in m. Of the difference to a
            uniform soil it adds to :func:`image_flux` of that soil, for nulled heads too.

        Raises
        ------
        ValueError
            If shapes do not fit.
        """
        return self._sum(susceptibility, easting, northing, heading, self.volume)

    def mean_of(
        self,
        susceptibility: Field,
        easting: npt.ArrayLike,
        northing: npt.ArrayLike,
        heading: npt.ArrayLike,
    ) -> Floats:
        """
        Return the mean susceptibility under the head.

        Parameters
        ----------
        susceptibility, easting, northing, heading
            As in :meth:`sum_of`.

        Returns
        -------
        mean : (n,) float64 ndarray
            What a uniform soil would have, to first order: for
            :func:`soil_pulse_voltage`.

        Raises
        ------
        ValueError
            If shapes do not fit, or the head is nulled so well that it has no mean.
        """
        total = self._check_sum(self.volume)
        return self.sum_of(susceptibility, easting, northing, heading) / total

    def ground_under(
        self,
        surface: Field,
        easting: npt.ArrayLike,
        northing: npt.ArrayLike,
        heading: npt.ArrayLike,
    ) -> Floats:
        """
        Return the height of rough ground as the head feels it.

        Parameters
        ----------
        surface : Surface or callable
            Height of the ground over its mean, m, on a grid, or of easting and northing, m.
        easting, northing, heading
            As in :meth:`sum_of`.

        Returns
        -------
        height : (n,) float64 ndarray
            That of a flat surface with the same effect, to first order, m.

        Raises
        ------
        ValueError
            If shapes do not fit, or the head is nulled so well that it has no mean.
        """
        total = self._check_sum(self.surface)
        return self._sum(surface, easting, northing, heading, self.surface) / total

    def _sum(
        self,
        field: Field,
        easting: npt.ArrayLike,
        northing: npt.ArrayLike,
        heading: npt.ArrayLike,
        weights: Floats,
    ) -> Floats:
        """Return the weighted sum of a field at the places under a head."""
        east = check_array(easting, "easting", ("n",))
        north = check_array(northing, "northing", (len(east),))
        turn = check_array(heading, "heading", (len(east),))
        sin, cos = np.sin(turn), np.cos(turn)
        total = np.zeros(len(east))
        if isinstance(field, Surface):
            place = np.array([*field.origin, field.step])
            heading_parts = np.column_stack([sin, cos])
            sum_under(
                east, north, heading_parts, self.offsets, weights, place, field.heights, total
            )
            return total
        for (right, forward), weight in zip(self.offsets, weights, strict=True):
            value = field(
                east + cos * right + sin * forward, north - sin * right + cos * forward
            )
            total += weight * np.asarray(value, np.float64)
        return total

    def _check_sum(self, weights: Floats) -> float:
        """Return the sum of weights, or raise if they cancel."""
        total = float(weights.sum())
        if abs(total) < _LEAST_SUM * np.abs(weights).sum():
            msg = (
                "Invalid head: what it feels of the ground right and left of it cancels, so "
                "that there is no mean. Must be used with sum_of."
            )
            raise ValueError(msg)
        return total


def ground_weights(
    head: Head, *, height: float, n_rings: int = 12, n_directions: int = 16
) -> GroundWeights:
    r"""
    Tabulate what a level head feels of each place under it.

    Parameters
    ----------
    head : Head
        With any windings.
    height : float
        Of the origin of the wires over flat ground, m.
    n_rings, n_directions : int
        Places: rings around the head, and directions on each.

    Returns
    -------
    weights : GroundWeights
        For each place.

    Raises
    ------
    TypeError, ValueError
        If a count is less than 4, a wire touches the ground, or the places are too few: the
        sum of the weights is off the image by more than 2 % of its size.

    Notes
    -----
    To first order in the susceptibility (Born)

    .. math:: \Phi_s = \mu_0 \int \chi(r)\, h_{rx}(r) \cdot h_{tx}(r) \, \mathrm{d}V ,

    integrated over depth once and for all, so that what remains is a sum over places; a rise
    of the surface adds :math:`\mu_0 \chi\, h_{rx} \cdot h_{tx}` at the surface. Rings follow
    :math:`\rho = L x / (1 - x)` at Gauss nodes `x`, depths alike; `L` is the extent of the
    head plus its height. For uniform soil the sum is half of :func:`image_inductance` over
    :math:`\mu_0`; `error` says how nearly. Rings resolve patches down to about the width of
    the head, as the head itself does.

    References
    ----------
    P. Druyts, C. Craeye and M. Acheroy 2010, "Volume of influence for magnetic soils and
    electromagnetic induction sensors", IEEE Transactions on Geoscience and Remote Sensing
    48(10), 3686-3697.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.physics import ground_weights, heads
    >>> from minesense.sensor import ContinuousWave
    >>> head = heads.single(radius=0.1, excitation=ContinuousWave(frequencies=[1e4]))
    >>> weights = ground_weights(head, height=0.05)
    >>> patch = lambda easting, northing: 1e-3 * (northing > 0)
    >>> weights.mean_of(patch, [0.0, 0.0], [-1.0, 1.0], [0.0, 0.0]).round(5).tolist()
    [0.0, 0.001]
    """
    head, height = check_head(head), check_positive(height, "height")
    n_rings = check_count(n_rings, "n_rings", least=4)
    n_directions = check_count(n_directions, "n_directions", least=4)
    image = float(image_inductance([height], head=head)[0]) / MU_0
    length = max(extent(head.transmitter), extent(head.receiver)) + height
    rings, ring_weights = _half_line(n_rings, length)
    angle = 2 * math.pi * (np.arange(n_directions) + 0.5) / n_directions
    offsets = (
        rings[:, None, None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    ).reshape(-1, 2)
    area = np.repeat(2 * math.pi / n_directions * rings * ring_weights, n_directions)
    depths, depth_weights = _half_line(40, height)
    depths, depth_weights = np.append(0.0, depths), np.append(0.0, depth_weights)
    places = np.concatenate([np.column_stack([offsets, 0 * area - height - d]) for d in depths])
    product = (
        winding_field(places, head.transmitter) * winding_field(places, head.receiver)
    ).sum(axis=1)
    product = product.reshape(len(depths), -1)
    volume = area * (depth_weights @ product)
    size = float(np.abs(volume).sum())
    error = abs(float(volume.sum()) - image / 2) / size
    if error > 0.02:
        msg = (
            f"Invalid n_rings '{n_rings}' or n_directions '{n_directions}': uniform ground is "
            f"off by {error:.2g}. Must be more."
        )
        raise ValueError(msg)
    return GroundWeights(offsets=offsets, volume=volume, surface=area * product[0], error=error)


def _half_line(n: int, length: float) -> tuple[Floats, Floats]:
    """Return Gauss nodes and weights from 0 to infinity, half of them within a length."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    x = (nodes + 1) / 2
    return length * x / (1 - x), length * weights / 2 / (1 - x) ** 2

"""Where to cut faces and rods, so that few facets echo as the whole body does."""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number, check_positive
from ..constants import SPEED_OF_LIGHT
from .radar_scene import Scatterers
from .soil import Complexes, Floats, check_permittivity


def facet_spacing(
    frequency: npt.ArrayLike, soil: npt.ArrayLike, spacing: float | None
) -> float:
    r"""
    Return the mean width of facets: what was asked for, or what the wavelength asks for.

    Parameters
    ----------
    frequency : (n_freq,) array_like
        In Hz.
    soil : scalar or (n_freq,) array_like
        Relative permittivity.
    spacing : float or None
        What was asked for, m.

    Returns
    -------
    spacing : float
        In metres; by default :math:`\lambda_0 / 4 n` at two thirds of the last frequency, for
        the index n of the soil or 2 if that is more.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    Along a body the phase of an echo turns by up to :math:`4 \pi / \lambda_0` a metre, as it
    does along the surface, and a body that leans adds
    :math:`(4 \pi n / \lambda_0) \sin(tilt)`: the first is why light soil asks for no wider
    facets than an index of 2.
    """
    if spacing is not None:
        return check_positive(spacing, "spacing")
    top = check_positive(np.max(frequency), "frequency") * 2 / 3
    index = float(np.sqrt(check_permittivity(soil, "soil")).real.max())
    return SPEED_OF_LIGHT / (4 * max(index, 2.0) * top)


def cut_line(length: float, spacing: float) -> tuple[Floats, Floats]:
    r"""
    Cut a line into elements at the nodes of a Gauss-Legendre rule.

    Parameters
    ----------
    length : float
        In metres.
    spacing : float
        Mean length of an element at most, m.

    Returns
    -------
    places, lengths : (n,) float64 ndarray
        Of the elements, from the middle of the line, m.

    Notes
    -----
    A wave whose phase turns by q a metre is summed up over a line of length L as soon as
    :math:`n > q L / 2`, with an error that falls faster than any power of n. Even elements
    would be wrong by the share :math:`(q L / n)^2 / 24` of the sum, however many they are.

    Examples
    --------
    >>> places, lengths = cut_line(1.0, 0.4)
    >>> places.round(3), lengths.round(3)
    (array([-0.431, -0.17 ,  0.17 ,  0.431]), array([0.174, 0.326, 0.326, 0.174]))
    """
    nodes, weights = _gauss(_count(length, spacing))
    return 0.5 * length * nodes, 0.5 * length * weights


def cut_rectangle(length: float, width: float, spacing: float) -> tuple[Floats, Floats]:
    """
    Cut a rectangle into facets: the elements of its length by those of its width.

    Parameters
    ----------
    length, width : float
        In metres.
    spacing : float
        Mean width of a facet at most, m.

    Returns
    -------
    places : (n, 2) float64 ndarray
        Along the length and the width, from the middle, m.
    areas : (n,) float64 ndarray
        In m^2.
    """
    along, lengths = cut_line(length, spacing)
    across, widths = cut_line(width, spacing)
    grid = np.meshgrid(along, across, indexing="ij")
    return np.column_stack([axis.ravel() for axis in grid]), np.outer(lengths, widths).ravel()


def cut_disc(diameter: float, spacing: float) -> tuple[Floats, Floats]:
    """
    Cut a disc into facets on rings, at the nodes of a Gauss-Legendre rule over the area.

    Parameters
    ----------
    diameter : float
        In metres.
    spacing : float
        Mean distance between rings at most, m.

    Returns
    -------
    places : (n, 2) float64 ndarray
        From the middle, m.
    areas : (n,) float64 ndarray
        In m^2, alike on one ring.

    Notes
    -----
    The mean of a wave over a ring is a power series of the area inside: a rule over the area
    finds the sum from few rings. Even angles find the mean over a ring of radius r once there
    are more than q r of them. Facets may therefore be 4 / pi times as long as rings are apart,
    and a disc has about as many as squares of `spacing` would fit into it.

    Examples
    --------
    >>> places, areas = cut_disc(0.1, 0.05)
    >>> len(places), areas.sum().round(6).item()
    (5, 0.007854)
    """
    radius = diameter / 2
    if _count(diameter, spacing) == 1:
        return np.zeros((1, 2)), np.array([math.pi * radius**2])
    nodes, weights = _gauss(math.ceil(radius / spacing))
    places, areas = [], []
    for i, (node, weight) in enumerate(zip(nodes, weights, strict=True)):
        ring = radius * math.sqrt((1 + node) / 2)
        n = max(4, 1 + math.ceil(math.pi**2 / 2 * ring / spacing))
        angle = 2 * math.pi * (np.arange(n) + 0.5 * (i % 2)) / n
        places.append(ring * np.column_stack([np.cos(angle), np.sin(angle)]))
        areas.append(np.full(n, math.pi * radius**2 * weight / 2 / n))
    return np.concatenate(places), np.concatenate(areas)


def place_face(
    top: npt.ArrayLike,
    places: Floats,
    areas: Floats,
    spectrum: Complexes,
    *,
    tilt: float,
    tilt_direction: float,
) -> Scatterers:
    """
    Tilt flat facets about the middle of their face and move them to its place.

    Parameters
    ----------
    top : (3,) array_like
        Easting, northing, upward of the middle, m.
    places : (n, 2) float64 ndarray
        Easting and northing of the level facets from the middle, m.
    areas : (n,) float64 ndarray
        In m^2.
    spectrum : (n_freq,) complex128 ndarray
        Scattering length per area, m / m^2.
    tilt, tilt_direction : float
        As in :func:`minesense.physics.disc_facets`.

    Returns
    -------
    scatterers : Scatterers
        All of one normal and one spectrum.

    Raises
    ------
    TypeError, ValueError
        If `top` is not three finite numbers or a face is not seen from above.
    """
    middle = check_array(top, "top", (3,))
    tilt, turn = check_number(tilt, "tilt"), check_number(tilt_direction, "tilt_direction")
    if not 0 <= tilt < math.pi / 2:
        msg = f"Invalid tilt '{tilt}'. Must be at least 0 and below pi/2 radians."
        raise ValueError(msg)
    lean = np.array([math.sin(turn), math.cos(turn)])
    along = places @ lean  # distance towards where the normal leans: that side sinks
    position = np.empty((len(places), 3))
    position[:, :2] = places + np.outer(along * (math.cos(tilt) - 1), lean)
    position[:, 2] = -along * math.sin(tilt)
    normal = np.array([*(lean * math.sin(tilt)), math.cos(tilt)])
    return Scatterers(
        position=position + middle,
        normal=np.tile(normal, (len(places), 1)),
        weight=areas,
        spectrum=np.zeros(len(places), np.int64),
        spectra=spectrum[None],
    )


def _count(length: float, spacing: float) -> int:
    """Return how many elements a line gets: one alone up to a quarter of `spacing`."""
    return math.ceil(length / spacing + 0.75)


@functools.lru_cache(maxsize=256)
def _gauss(n: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of a Gauss-Legendre rule over -1..1, not to be written to."""
    from scipy.special import roots_legendre  # noqa: PLC0415  half a second few imports need

    nodes, weights = roots_legendre(n)
    return nodes, weights

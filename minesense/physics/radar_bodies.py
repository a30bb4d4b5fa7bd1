"""Buried bodies as lists of scatterers: faces of layers, spheres, uneven soil."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .._validation import check_array, check_number, check_positive
from .facets import cut_disc, cut_line, cut_rectangle, facet_spacing, place_face
from .finite_layers import finite_reflection, surface_echoes
from .radar_scene import Scatterers
from .round_bodies import Field, cylinder_length, sphere_length
from .scatter import facet_length, volume_cell
from .soil import Complexes, Floats

#: A layer of a body: its thickness in m and its relative permittivity.
Layer = tuple[float, npt.ArrayLike]


def disc_facets(
    top: npt.ArrayLike,
    *,
    diameter: float,
    frequency: npt.ArrayLike,
    soil: npt.ArrayLike,
    layers: Sequence[Layer] = (),
    below: npt.ArrayLike | None = None,
    depth: float | None = None,
    tilt: float = 0.0,
    tilt_direction: float = 0.0,
    spacing: float | None = None,
) -> Scatterers:
    r"""
    Cut the top face of a flat layered disc into facets.

    Parameters
    ----------
    top : (3,) array_like
        Easting, northing, upward of the middle of the top face, m.
    diameter : float
        In metres.
    frequency : (n_freq,) array_like
        In Hz, as of :func:`radar_frequencies`.
    soil : scalar or (n_freq,) array_like
        Relative permittivity around the disc.
    layers : sequence of (thickness, permittivity)
        From the top down: metres, and a relative permittivity as for `soil`.
    below : scalar or (n_freq,) array_like, optional
        Medium under the layers; the soil by default. Infinite for metal, so that
        `layers=(), below=np.inf` is a metal plate.
    depth : float, optional
        Of the top below the surface, m: adds what goes back and forth between the two
        (:func:`surface_echoes`).
    tilt : float
        Angle between the normal and the vertical, radians, below pi/2.
    tilt_direction : float
        Where the normal leans to, radians clockwise from north.
    spacing : float, optional
        Mean width of a facet at most, m; facets are narrower at the rim and wider in the
        middle. By default a quarter of the wavelength in the soil, or in soil of permittivity 4
        if that is shorter, at two thirds of the last frequency: enough for pulses and tones.

    Returns
    -------
    scatterers : Scatterers
        Facets in rings, alike on one ring; their areas add up to the disc.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Notes
    -----
    The spectrum of all facets is :func:`facet_length` of :func:`finite_reflection`: echoes
    of the top, of the bottom and between them, as far as a body of this width holds them.
    Together the facets diffract as the rim does. The sides send nothing back.

    Facets stand where a Gauss-Legendre rule wants them. With the default, tones up to the last
    frequency give the trace of very many facets, after a Hann window, within 1 % of its peak,
    as far as half a metre aside and for a tilt of 0.3; at 0.5 it can be 1.5 %. Take two thirds
    of the default for a body that leans more, and to see that an echo has settled.

    Examples
    --------
    >>> from minesense.physics import disc_facets
    >>> mine = disc_facets(
    ...     [0, 0, -0.05], diameter=0.1, frequency=[1e9, 2e9], soil=9.0, layers=[(0.04, 2.8)]
    ... )
    >>> len(mine), mine.weight.sum().round(6).item()
    (31, 0.007854)
    """
    diameter = check_positive(diameter, "diameter")
    places, areas = cut_disc(diameter, facet_spacing(frequency, soil, spacing))
    spectrum = _layer_spectrum(frequency, soil, layers, below, depth, diameter=diameter)
    return place_face(top, places, areas, spectrum, tilt=tilt, tilt_direction=tilt_direction)


def rectangle_facets(
    top: npt.ArrayLike,
    *,
    length: float,
    width: float,
    frequency: npt.ArrayLike,
    soil: npt.ArrayLike,
    heading: float = 0.0,
    layers: Sequence[Layer] = (),
    below: npt.ArrayLike | None = None,
    depth: float | None = None,
    tilt: float = 0.0,
    tilt_direction: float = 0.0,
    spacing: float | None = None,
) -> Scatterers:
    r"""
    Cut the top face of a flat layered box into facets.

    Parameters
    ----------
    top : (3,) array_like
        Easting, northing, upward of the middle of the top face, m.
    length, width : float
        Along `heading` and across it, in metres.
    frequency, soil : array_like
        As in :func:`disc_facets`.
    heading : float
        Direction of the length, radians clockwise from north, before the tilt.
    layers, below, depth, tilt, tilt_direction, spacing
        As in :func:`disc_facets`.

    Returns
    -------
    scatterers : Scatterers
        Facets on a grid, smaller towards its edges.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from minesense.physics import rectangle_facets
    >>> plate = rectangle_facets(
    ...     [0, 0, -0.1], length=0.1, width=0.05, frequency=[1e9, 2e9], soil=9.0, below=np.inf
    ... )
    >>> len(plate), plate.weight.sum().round(6).item()
    (28, 0.005)
    """
    length, width = check_positive(length, "length"), check_positive(width, "width")
    heading = check_number(heading, "heading")
    spacing = facet_spacing(frequency, soil, spacing)
    (forward, right), areas = (a.T for a in cut_rectangle(length, width, spacing))
    sin, cos = math.sin(heading), math.cos(heading)
    places = np.column_stack([right * cos + forward * sin, forward * cos - right * sin])
    spectrum = _layer_spectrum(
        frequency, soil, layers, below, depth, length=length, width=width
    )
    return place_face(top, places, areas, spectrum, tilt=tilt, tilt_direction=tilt_direction)


def sphere_body(
    centre: npt.ArrayLike,
    *,
    radius: float,
    frequency: npt.ArrayLike,
    soil: npt.ArrayLike,
    permittivity: npt.ArrayLike = np.inf,
) -> Scatterers:
    """
    Describe a sphere, of metal or of a dielectric, by one scatterer at its centre.

    Parameters
    ----------
    centre : (3,) array_like
        Easting, northing, upward, m.
    radius : float
        In metres.
    frequency, soil : array_like
        As in :func:`disc_facets`.
    permittivity : scalar or (n_freq,) array_like
        Relative, of the sphere; infinite for metal, 1 for a void.

    Returns
    -------
    scatterers : Scatterers
        One, without a face, with the spectrum of :func:`sphere_length`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from minesense.physics import sphere_body
    >>> sphere_body([0, 0, -0.1], radius=0.005, frequency=[1e9], soil=9.0).spectra.round(6)
    array([[0.000734-9.e-06j]])
    """
    place = check_array(centre, "centre", (3,))
    spectrum = sphere_length(frequency, radius=radius, soil=soil, permittivity=permittivity)
    return _points(place[None], np.ones(1), spectrum)


def rod_body(
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    *,
    radius: float,
    frequency: npt.ArrayLike,
    soil: npt.ArrayLike,
    permittivity: npt.ArrayLike = np.inf,
    field: Field = "mean",
    spacing: float | None = None,
) -> Scatterers:
    """
    Describe a straight rod by a chain of scatterers: a root, a wire, a pipe, a lying can.

    Parameters
    ----------
    start, stop : (3,) array_like
        Ends of its axis: easting, northing, upward, m.
    radius : float
        In metres.
    frequency, soil : array_like
        As in :func:`disc_facets`.
    permittivity : scalar or (n_freq,) array_like
        Relative, of the rod; infinite for metal.
    field : {"along", "across", "mean"}
        Direction of the electric field against the rod, as in :func:`cylinder_length`.
    spacing : float, optional
        Mean length of an element at most, m. By default that of :func:`disc_facets`.

    Returns
    -------
    scatterers : Scatterers
        Elements on the axis, without faces, shorter towards the ends.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or the ends are one place.

    Notes
    -----
    Each element has its share of :func:`cylinder_length`: exact for a rod that is long
    against the wavelength and lies across the view. What its ends do is left out.

    Examples
    --------
    >>> from minesense.physics import rod_body
    >>> wire = rod_body(
    ...     [0, 0, -0.1], [0.3, 0, -0.1], radius=0.001, frequency=[1e9, 2e9], soil=9.0
    ... )
    >>> len(wire), wire.weight.sum().round(6).item()
    (17, 0.3)
    """
    ends = np.stack([check_array(start, "start", (3,)), check_array(stop, "stop", (3,))])
    length = float(np.linalg.norm(ends[1] - ends[0]))
    if length == 0:
        msg = f"Invalid stop {ends[1].tolist()}. Must not be the place of start."
        raise ValueError(msg)
    along, lengths = cut_line(length, facet_spacing(frequency, soil, spacing))
    share = 0.5 + along[:, None] / length
    spectrum = cylinder_length(
        frequency, radius=radius, soil=soil, permittivity=permittivity, field=field
    )
    return _points(ends[0] + share * (ends[1] - ends[0]), lengths, spectrum)


def volume_cells(
    position: npt.ArrayLike,
    *,
    contrast: npt.ArrayLike,
    volume: float,
    frequency: npt.ArrayLike,
    soil: npt.ArrayLike,
) -> Scatterers:
    """
    Describe uneven soil by one scatterer a cell.

    Parameters
    ----------
    position : (n, 3) array_like
        Middles of the cells: easting, northing, upward, m.
    contrast : (n,) array_like
        Local over mean permittivity, minus 1; for a random share p of the cells, over the
        square root of p.
    volume : float
        Of a cell, m^3.
    frequency, soil : array_like
        As in :func:`disc_facets`.

    Returns
    -------
    scatterers : Scatterers
        Without faces, all of one spectrum.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or a shape does not fit.

    Examples
    --------
    >>> from minesense.physics import volume_cells
    >>> soil = volume_cells(
    ...     [[0, 0, -0.1]], contrast=[0.05], volume=1e-6, frequency=[1e9], soil=9.0
    ... )
    >>> soil.weight
    array([5.e-08])
    """
    places = check_array(position, "position", ("n", 3))
    weight = check_array(contrast, "contrast", (len(places),))
    frequency = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
    spectrum = volume_cell(frequency, soil=soil)
    return _points(places, weight * check_positive(volume, "volume"), spectrum)


def _points(places: Floats, weight: Floats, spectrum: Complexes) -> Scatterers:
    """Return scatterers without faces that share one spectrum."""
    return Scatterers(
        position=places,
        normal=np.zeros_like(places),
        weight=weight,
        spectrum=np.zeros(len(places), np.int64),
        spectra=spectrum[None],
    )


def _layer_spectrum(
    frequency: npt.ArrayLike,
    soil: npt.ArrayLike,
    layers: Sequence[Layer],
    below: npt.ArrayLike | None,
    depth: float | None,
    **outline: float,
) -> Complexes:
    """Return the scattering length per area of the top of layers in soil."""
    frequency = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
    reflection = finite_reflection(
        frequency,
        [soil, *(permittivity for _, permittivity in layers), soil if below is None else below],
        [thickness for thickness, _ in layers],
        **outline,
    )
    if depth is not None:
        area = outline["length"] * outline["width"] if "length" in outline else 0.0
        area = area or math.pi / 4 * outline["diameter"] ** 2
        reflection = surface_echoes(reflection, frequency, soil=soil, depth=depth, area=area)
    return facet_length(frequency, reflection, soil=soil)

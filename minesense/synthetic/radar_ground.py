"""What answers the radar in the ground of a lane: bodies, clutter, uneven soil."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..physics import (
    Scatterers,
    disc_facets,
    join_scatterers,
    rectangle_facets,
    rod_body,
    sphere_body,
    volume_cell,
    wavenumber,
)
from ..sweep import Floats
from .clutter import Clutter
from .metal import MetalPiece
from .targets import Buried
from .terrain import Terrain

#: Depth down to which soil is uneven, m.
DEEPEST = 0.35
_CELLS = 1000.0  # scatterers per m^2 that stand for uneven soil
_TOP = 0.05  # m; twice as deep as this from the surface they are half as close
_SMALLEST = 0.02  # m of metal that is left to the metal detector
_PLATE = 0.03  # m of metal from which its face counts, about a third of a wavelength
_STEEP = 1.4  # rad; a face that is steeper is seen edge-on


def lane_scatterers(
    terrain: Terrain,
    frequency: Floats,
    soil: np.ndarray,
    buried: tuple[Buried, ...],
    clutter: tuple[Clutter, ...],
    positions: Floats,
    rng: np.random.Generator,
    *,
    reach: float = 0.45,
) -> Scatterers:
    """
    Return everything in the ground that answers the radar.

    Parameters
    ----------
    terrain : Terrain
        Surface of the lane.
    frequency : (n_freq,) float64 ndarray
        Hz.
    soil : (n_freq,) complex128 ndarray
        Relative permittivity.
    buried : tuple of Buried
        Targets.
    clutter : tuple of Clutter
        Other objects; metal below 20 mm is left to the metal detector.
    positions : (n_traces, n_channels, 3) float64 ndarray
        Where the antennas go, m; uneven soil is drawn around them.
    rng : numpy.random.Generator
        Source of chance.
    reach : float
        Along the ground beyond which scatterers are not heard, m.

    Returns
    -------
    scatterers : Scatterers
        Facets and points, none above the surface.
    """
    parts = [_uneven_soil(terrain, frequency, soil, positions, rng, reach)]
    parts += [_target(terrain, frequency, soil, item) for item in buried]
    for item in clutter:
        part = _clutter(terrain, frequency, soil, item)
        if part is not None:
            parts.append(part)
    return _heard(join_scatterers(parts), terrain, positions, reach)


def _ground(terrain: Terrain, easting: float, northing: float) -> float:
    """Return the height of the surface at a place."""
    return float(terrain.surface.height_at(easting, northing))


def _target(terrain: Terrain, frequency: Floats, soil: np.ndarray, item: Buried) -> Scatterers:
    """Return the top face of a target, layered, or of metal."""
    target, body = item.target, item.body
    upward = _ground(terrain, target.easting, target.northing) - target.depth
    top = [target.easting, target.northing, upward]
    if body.shape == "sphere":
        centre = [top[0], top[1], top[2] - body.height / 2]
        return sphere_body(centre, radius=body.height / 2, frequency=frequency, soil=soil)
    shape: dict[str, Any] = {
        "frequency": frequency,
        "soil": soil,
        "depth": target.depth,
        "tilt": math.hypot(*target.tilt),
        "tilt_direction": math.atan2(*target.tilt),
    }
    if body.has_metal_case:
        shape["below"] = np.inf
    else:
        shape["layers"] = [(layer.thickness, layer.permittivity) for layer in body.layers]
    if body.is_round:
        return disc_facets(top, diameter=body.length, **shape)
    return rectangle_facets(
        top, length=body.length, width=body.width, heading=target.heading, **shape
    )


def _clutter(
    terrain: Terrain, frequency: Floats, soil: np.ndarray, item: Clutter
) -> Scatterers | None:
    """Return a piece of clutter; None if the radar does not see it."""
    upward = _ground(terrain, item.easting, item.northing) - item.depth
    if item.piece is not None:
        return _metal(item, item.piece, upward, frequency, soil)
    if item.form == "root":
        return _root(item, upward, frequency, soil)
    if item.form == "patch":
        return _wet_patch(terrain, item, upward, frequency, soil)
    radius = (3 * item.volume / (4 * math.pi)) ** (1 / 3)
    return sphere_body(
        [item.easting, item.northing, upward - item.thickness / 2],
        radius=radius,
        frequency=frequency,
        soil=soil,
        permittivity=float(item.permittivity or 1.0),
    )


def _metal(
    item: Clutter, piece: MetalPiece, upward: float, frequency: Floats, soil: np.ndarray
) -> Scatterers | None:
    """Return a piece of metal: a face, a rod if it is long and lies, else a ball."""
    if piece.extent < _SMALLEST:
        return None
    middle = np.array([item.easting, item.northing, upward - item.thickness / 2])
    ground: dict[str, Any] = {"frequency": frequency, "soil": soil}
    if piece.extent < _PLATE:
        return sphere_body(middle, radius=0.3 * piece.extent, **ground)
    lean = abs(piece.dip)
    if piece.shape in ("disc", "ring"):
        # the axis rises towards its heading, so the face leans there
        towards = piece.heading if piece.dip >= 0 else piece.heading + math.pi
        tilt = min(math.pi / 2 - lean, _STEEP)
        return disc_facets(
            middle,
            diameter=piece.diameter,
            below=np.inf,
            tilt=tilt,
            tilt_direction=towards,
            **ground,
        )
    if lean > math.pi / 4:  # it stands: its upper end is what the radar sees
        end = middle + np.array([0, 0, 0.5 * piece.length * math.sin(lean)])
        return disc_facets(end, diameter=piece.diameter, below=np.inf, **ground)
    half = 0.5 * piece.length * piece.axis
    return rod_body(middle - half, middle + half, radius=piece.diameter / 2, **ground)


def _wet_patch(
    terrain: Terrain, item: Clutter, upward: float, frequency: Floats, soil: np.ndarray
) -> Scatterers:
    """Return the top of a wet patch, whose water comes and goes by degrees."""
    layers = [
        (
            0.2 * item.thickness,
            terrain.soil.permittivity(frequency, wetter=share * item.moisture),
        )
        for share in (0.25, 0.75, 1.0, 0.75, 0.25)
    ]
    return disc_facets(
        [item.easting, item.northing, upward],
        diameter=item.size,
        frequency=frequency,
        soil=soil,
        layers=layers,
    )


def _root(item: Clutter, upward: float, frequency: Floats, soil: np.ndarray) -> Scatterers:
    """Return a root, or a piece of wood, as a rod seen by fields along and across alike."""
    radius = item.width / 2
    half = item.size / 2 * np.array([math.sin(item.heading), math.cos(item.heading), 0.0])
    middle = np.array([item.easting, item.northing, upward - radius])
    return rod_body(
        middle - half,
        middle + half,
        radius=radius,
        frequency=frequency,
        soil=soil,
        permittivity=float(item.permittivity or 1.0),
    )


def _uneven_soil(
    terrain: Terrain,
    frequency: Floats,
    soil: np.ndarray,
    positions: Floats,
    rng: np.random.Generator,
    reach: float,
) -> Scatterers:
    r"""
    Return points at random places that scatter back as much as uneven soil does.

    In the Born approximation a medium of relative contrast :math:`\delta` returns per
    volume the power :math:`|k^2 / 4 \pi|^2 \Phi(2 k')`. Its lumps are those of
    :class:`minesense.physics.FourierField`, of outer scale :math:`2 \pi l`, whose
    spectrum is :math:`\Phi(q) = 8 \pi l^3 \sigma^2 / (1 + q^2 l^2)^2`. So do :math:`\nu`
    points a volume of independent weights of unit variance and of the scattering length
    :math:`(k^2 / 4 \pi) \sqrt{\Phi(2 k') / \nu}`.

    A pulse resolves less ground the nearer it is, and what few points return is spikier
    than a medium is. So they lie the closer the shallower, :math:`\nu \propto 1 / (z + z_0)`,
    and differ in sign alone: of all weights those spread the sum's fourth moment least.
    """
    low = positions[..., :2].min(axis=(0, 1)) - reach
    high = positions[..., :2].max(axis=(0, 1)) + reach
    n = rng.poisson(_CELLS * float(np.prod(high - low)))
    ratio = 1 + DEEPEST / _TOP
    depth = _TOP * (ratio ** rng.random(n) - 1)
    density = _CELLS / (math.log(ratio) * (depth + _TOP))
    place = np.column_stack([rng.uniform(low, high, (n, 2)), np.zeros(n)])
    place[:, 2] = terrain.surface.height_at(place[:, 0], place[:, 1]) - depth
    preset = terrain.soil.preset
    spread = terrain.soil.spread(float(frequency[len(frequency) // 2]))
    scale = preset.correlation_length / (2 * math.pi)
    double = 2 * wavenumber(frequency, soil).real
    power = 8 * math.pi * scale**3 / (1 + (double * scale) ** 2) ** 2
    length = volume_cell(frequency, soil=soil) * np.sqrt(power)
    return Scatterers(
        position=place,
        normal=np.zeros_like(place),
        weight=spread * rng.choice([-1.0, 1.0], n) / np.sqrt(density),
        spectrum=np.zeros(n, np.int64),
        spectra=length[None],
    )


def _heard(
    scatterers: Scatterers, terrain: Terrain, positions: Floats, reach: float
) -> Scatterers:
    """Return the scatterers that some antenna may hear, each 2 mm or more below ground."""
    low = positions[..., :2].min(axis=(0, 1)) - reach
    high = positions[..., :2].max(axis=(0, 1)) + reach
    place = scatterers.position[:, :2]
    near = ((place >= low) & (place <= high)).all(axis=1)
    position = scatterers.position[near]
    ground = terrain.surface.height_at(position[:, 0], position[:, 1])
    position[:, 2] = np.minimum(position[:, 2], ground - 0.002)
    return Scatterers(
        position=position,
        normal=scatterers.normal[near],
        weight=scatterers.weight[near],
        spectrum=scatterers.spectrum[near],
        spectra=scatterers.spectra,
    )

"""Everything in the ground of a lane that a metal detector feels besides the soil."""

from __future__ import annotations

import math

import numpy as np

from ..physics import (
    Absence,
    Relaxation,
    rotation_onto,
    void_relaxation,
    vrm_relaxation,
)
from ..sweep import Floats
from ..truth import Target
from .catalogue import Body
from .clutter import Clutter
from .metal import piece_relaxation
from .targets import Buried
from .terrain import Terrain

_THIN = 0.02  # m of a root that is not missed
_PIECE = 0.06  # m, widest part of a body whose missing soil is put at its middle

Objects = tuple[Floats, list[Relaxation | Absence]]


def metal_objects(
    terrain: Terrain, buried: tuple[Buried, ...], clutter: tuple[Clutter, ...]
) -> Objects:
    """
    Return everything that a coil feels besides the soil, with its place.

    Parameters
    ----------
    terrain : Terrain
        Surface and susceptibility of the lane.
    buried : tuple of Buried
        Targets.
    clutter : tuple of Clutter
        Other objects.

    Returns
    -------
    places : (n, 3) float64 ndarray
        Easting, northing, upward of each centre, m.
    objects : list of Relaxation or Absence
        Metal, magnetic stones, and what bodies without metal take away from magnetic soil;
        those of a target lean with it about the middle of its top.
    """
    places: list[Floats] = []
    objects: list[Relaxation | Absence] = []

    def ground(thing: Target | Clutter) -> float:
        return float(terrain.surface.height_at(thing.easting, thing.northing))

    def susceptibility(thing: Target | Clutter) -> float:
        return float(terrain.magnetism.height_at(thing.easting, thing.northing))

    share = terrain.soil.viscous_share
    for one in buried:
        target, body = one.target, one.body
        top = np.array([target.easting, target.northing, ground(target) - target.depth])
        turn = _lean(target, body)
        for piece in one.pieces:
            places.append(top - turn @ [0, 0, piece.below])
            objects.append(piece_relaxation(piece).rotated(turn))
        if not body.has_metal_case:
            offsets = _pieces(body, target.heading) @ turn.T
            volume = _volume(body) / len(offsets)
            void = void_relaxation(
                volume, susceptibility=susceptibility(target), viscous_share=share
            )
            places += list(top + offsets)
            objects += [void] * len(offsets)
    for item in clutter:
        middle = ground(item) - item.depth - item.thickness / 2
        place = np.array([item.easting, item.northing, middle])
        if item.piece is not None:
            places.append(place)
            objects.append(piece_relaxation(item.piece))
            continue
        if item.form == "patch" or (item.form == "root" and item.width < _THIN):
            continue  # a wet patch is as magnetic as the soil; a thin root is not missed
        places.append(place)
        objects.append(
            void_relaxation(
                item.volume, susceptibility=susceptibility(item), viscous_share=share
            )
        )
        if item.susceptibility > 0:
            places.append(place)
            objects.append(_magnetic_body(item, share))
    return np.array(places).reshape(-1, 3), objects


def _lean(target: Target, body: Body) -> Floats:
    """Return how a target leans, (3, 3), about the middle of its top as for the radar."""
    if body.shape == "sphere" or not any(target.tilt):
        return np.eye(3)  # a ball lies as it did
    tilt, towards = math.hypot(*target.tilt), math.atan2(*target.tilt)
    across = math.sin(tilt)
    return rotation_onto(
        [across * math.sin(towards), across * math.cos(towards), math.cos(tilt)]
    )


def _magnetic_body(item: Clutter, viscous_share: float) -> Relaxation:
    """Return a magnetic stone, as viscous as the soil around it (assumption)."""
    matter = vrm_relaxation(chi0=item.susceptibility, viscous_share=viscous_share)
    return Relaxation(
        instantaneous=item.volume * matter.instantaneous,
        amplitudes=item.volume * matter.amplitudes,
        taus=matter.taus,
    )


def _volume(body: Body) -> float:
    """Return the volume of a body, m^3."""
    outline = math.pi / 4 * body.length**2 if body.is_round else body.length * body.width
    return outline * body.height


def _pieces(body: Body, heading: float) -> Floats:
    """Return the middles of equal pieces of a body, from the middle of its top, (n, 3), m."""
    counts = [max(1, math.ceil(x / _PIECE)) for x in (body.length, body.width, body.height)]
    forward, right, down = (
        x.ravel()
        for x in np.meshgrid(
            *((np.arange(n) + 0.5) / n - 0.5 for n in counts[:2]),
            (np.arange(counts[2]) + 0.5) / counts[2],
            indexing="ij",
        )
    )
    if body.is_round:
        # square rings onto round ones, so that areas stay equal
        outer = np.maximum(np.abs(forward), np.abs(right))
        length = np.hypot(forward, right)
        scale = np.divide(outer, length, out=np.zeros_like(length), where=length > 0)
        forward, right = forward * scale, right * scale
    forward, right = forward * body.length, right * body.width
    sin, cos = math.sin(heading), math.cos(heading)
    return np.column_stack(
        [right * cos + forward * sin, forward * cos - right * sin, -down * body.height]
    )

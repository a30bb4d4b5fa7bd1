"""Small grounds with a few things in them, and what coils and radar make of them."""

import dataclasses
import math

import numpy as np

from minesense.physics import Surface, gaussian_field
from minesense.synthetic import (
    SOILS,
    Buried,
    Soil,
    body,
    cart,
    draw_piece,
)
from minesense.synthetic.coil_lane import coil_samples
from minesense.synthetic.radar_lane import radar_samples
from minesense.synthetic.terrain import Terrain
from minesense.truth import Target

EVEN = {
    name: dataclasses.replace(p, permittivity_spread=0.0, moisture_spread=0.0)
    for name, p in SOILS.items()
}


def make_rng(seed=0):
    return np.random.default_rng(seed)


def make_soil(name="loam", *, moisture=0.1, susceptibility=1e-3, preset=None):
    return Soil(preset=preset or EVEN[name], moisture=moisture, susceptibility=susceptibility)


def make_ground(soil=None, *, heights=None, spread=0.0):
    """Return flat ground, 3 m square about the origin, or with the given heights."""
    surface = Surface(
        origin=[-1.5, -1.5],
        step=0.03,
        heights=np.zeros((101, 101)) if heights is None else heights,
    )
    logs = gaussian_field((61, 61), 0.05, outer_scale=3.0, std=spread, rng=make_rng())
    soil = soil or make_soil()
    magnetism = Surface(
        origin=[-1.5, -1.5], step=0.05, heights=soil.susceptibility * np.exp(logs)
    )
    return Terrain(soil=soil, surface=surface, magnetism=magnetism)


def bury(kind, *, depth=0.05, easting=0.0, northing=0.0, metal=0):
    """Return a target with its metal drawn from a seed, or without it if that is None."""
    item = body(kind)
    parts = () if metal is None else item.metal
    pieces = tuple(draw_piece(part, rng=make_rng(metal)) for part in parts)
    target = Target(
        identifier=kind,
        kind=kind,
        is_target=True,
        easting=easting,
        northing=northing,
        depth=depth,
        diameter=item.diameter,
        metal_class=item.metal_class,
        heading=0.3,
    )
    return Buried(target=target, body=item, pieces=pieces)


def coils_over(places, *, sensor=None, terrain=None, buried=(), clutter=(), rotation=None):
    """Return samples of one coil (or one for each of the second axis) at places."""
    places = np.asarray(places, dtype=float)
    places = places[:, None] if places.ndim == 2 else places
    return coil_samples(
        sensor or cart(n_coils=places.shape[1]).coils,
        places,
        rotation,
        terrain=terrain or make_ground(),
        buried=buried,
        clutter=clutter,
    )


def radar_over(places, *, terrain=None, buried=(), clutter=(), seed=0, heading=0.0, **errors):
    """Return traces of one channel (or one for each of the second axis) at places."""
    places = np.asarray(places, dtype=float)
    places = places[:, None] if places.ndim == 2 else places
    forward = np.tile([math.sin(heading), math.cos(heading), 0.0], (len(places), 1))
    return radar_samples(
        cart().radar,
        places,
        forward,
        terrain=terrain or make_ground(),
        buried=buried,
        clutter=clutter,
        rng=make_rng(seed),
        **errors,
    )

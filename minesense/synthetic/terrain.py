"""The ground of one lane: its rough surface and what varies along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validation import check_rng
from ..physics import Surface, gaussian_field
from .ground import Soil
from .points import Area

_STEP = 0.03  # m between points of the surface; the shortest wave in air is 66 mm long
_HURST = 0.8
_PATCH_STEP = 0.05  # m between points of the susceptibility
_PATCH_HURST = 1.5  # smooth patches
#: Scales of the patches over that of the preset, and their shares of the variance: wide ones,
#: and small ones among them (assumption).
_PATCHES = ((1.0, 0.75), (0.15, 0.25))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terrain:
    """Surface height and magnetic susceptibility over one lane and its margins."""

    soil: Soil
    surface: Surface
    magnetism: Surface  #: magnetic susceptibility of the soil, SI, on a grid


def make_terrain(area: Area, soil: Soil, *, margin: float, rng: np.random.Generator) -> Terrain:
    """
    Draw the ground of a lane.

    Parameters
    ----------
    area : (float, float, float, float)
        Least easting and northing, greatest easting and northing of the lane, in metres.
    soil : Soil
        What it is made of.
    margin : float
        Ground around the lane that is needed too, in metres.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    terrain : Terrain
        Surface, and susceptibility that varies from place to place as the soil says, in
        patches of two scales.

    Raises
    ------
    TypeError
        If `rng` is not a generator.
    """
    rng = check_rng(rng)
    west, south, east, north = area
    shape = (
        int(np.ceil((east - west + 2 * margin) / _STEP)) + 1,
        int(np.ceil((north - south + 2 * margin) / _STEP)) + 1,
    )
    origin = np.array([west - margin, south - margin])
    preset = soil.preset
    heights = gaussian_field(
        shape,
        _STEP,
        outer_scale=preset.surface_length,
        hurst=_HURST,
        std=preset.roughness,
        rng=rng,
    )
    # a coil feels the mean of what lies under it, so that half its width is fine enough
    wide = tuple(int(np.ceil(_STEP * (n - 1) / _PATCH_STEP)) + 1 for n in shape)
    patches = np.zeros(wide)
    for length, share in _PATCHES:
        patches += gaussian_field(
            wide,
            _PATCH_STEP,
            outer_scale=length * preset.patch_length,
            hurst=_PATCH_HURST,
            std=preset.susceptibility_spread * share**0.5,
            rng=rng,
        )
    susceptibility = soil.susceptibility * np.exp(patches)
    return Terrain(
        soil=soil,
        surface=Surface(origin=origin, step=_STEP, heights=heights),
        magnetism=Surface(origin=origin, step=_PATCH_STEP, heights=susceptibility),
    )

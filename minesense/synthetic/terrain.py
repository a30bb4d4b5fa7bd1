"""The ground of one lane: its rough surface and what varies along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validation import check_rng
from ..physics import FourierField, Surface, gaussian_field
from ..sweep import Floats
from .clutter import Area
from .ground import Soil

_STEP = 0.03  # m between points of the surface; the shortest wave in air is 66 mm long
_HURST = 0.8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terrain:
    """Surface height and magnetic susceptibility over one lane and its margins."""

    soil: Soil
    surface: Surface
    unevenness: FourierField  #: of the logarithm of the susceptibility

    def susceptibility(self, easting: Floats, northing: Floats) -> Floats:
        """
        Return the magnetic susceptibility of the soil.

        Parameters
        ----------
        easting, northing : (n,) float64 ndarray
            Places in metres.

        Returns
        -------
        susceptibility : (n,) float64 ndarray
            SI, log-normal around the lane's own.
        """
        points = np.column_stack([easting, northing])
        return self.soil.susceptibility * np.exp(self.unevenness(points))


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
        Surface and susceptibility; the latter varies by 15 % over about a metre
        (unverified).

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
    heights = gaussian_field(
        shape,
        _STEP,
        outer_scale=soil.preset.surface_length,
        hurst=_HURST,
        std=soil.preset.roughness,
        rng=rng,
    )
    return Terrain(
        soil=soil,
        surface=Surface(
            origin=np.array([west - margin, south - margin]), step=_STEP, heights=heights
        ),
        # smooth, since a coil feels the mean of what lies under it; 1/e after 1.0 m
        unevenness=FourierField(2, outer_scale=3.0, hurst=1.5, std=0.15, n_waves=400, rng=rng),
    )

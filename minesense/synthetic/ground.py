"""Soils: what a sensor feels of the ground itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validation import check_one_of, check_rng


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilPreset:
    """Ranges from which the soil of a lane is drawn. All figures are unverified."""

    name: str
    sand: float  #: mass fraction
    clay: float  #: mass fraction
    bulk_density: float  #: g/cm^3, as in Peplinski, Ulaby & Dobson (1995)
    moisture: tuple[float, float]  #: volumetric
    susceptibility: tuple[float, float]  #: SI, at the gates of a pulse detector
    permittivity_spread: float  #: relative standard deviation inside the volume
    correlation_length: float  #: m, outer scale of the permittivity; 1/e after its 2 pi-th
    roughness: float  #: m, standard deviation of the surface height
    surface_length: float  #: m, outer scale of the surface


SOILS: dict[str, SoilPreset] = {
    preset.name: preset
    for preset in (
        SoilPreset(
            name="quartz_sand",
            sand=0.9,
            clay=0.03,
            bulk_density=1.6,
            moisture=(0.02, 0.12),
            susceptibility=(1e-6, 2e-4),
            permittivity_spread=0.05,
            correlation_length=0.15,
            roughness=0.008,
            surface_length=0.5,
        ),
        SoilPreset(
            name="loam",
            sand=0.4,
            clay=0.2,
            bulk_density=1.4,
            moisture=(0.08, 0.25),
            susceptibility=(1e-4, 1e-3),
            permittivity_spread=0.10,
            correlation_length=0.10,
            roughness=0.012,
            surface_length=0.4,
        ),
        SoilPreset(
            name="clay",
            sand=0.1,
            clay=0.5,
            bulk_density=1.3,
            moisture=(0.10, 0.30),
            susceptibility=(1e-4, 1e-3),
            permittivity_spread=0.10,
            correlation_length=0.08,
            roughness=0.015,
            surface_length=0.45,
        ),
        SoilPreset(
            name="laterite_basalt",
            sand=0.3,
            clay=0.4,
            bulk_density=1.4,
            moisture=(0.06, 0.20),
            susceptibility=(2e-3, 2e-2),
            permittivity_spread=0.10,
            correlation_length=0.10,
            roughness=0.015,
            surface_length=0.5,
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Soil:
    """The soil of one lane, drawn from a preset."""

    preset: SoilPreset
    moisture: float  #: volumetric
    susceptibility: float  #: SI, mean over the lane


def draw_soil(name: str, *, rng: np.random.Generator) -> Soil:
    """
    Draw the soil of a lane from a preset.

    Parameters
    ----------
    name : str
        Name of the preset, for example ``"loam"``.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    soil : Soil
        Moisture uniform, susceptibility log-uniform in the ranges of the preset.

    Raises
    ------
    ValueError
        If there is no such preset.
    TypeError
        If `rng` is not a generator.

    Examples
    --------
    >>> import numpy as np
    >>> from minesense.synthetic import draw_soil
    >>> soil = draw_soil("loam", rng=np.random.default_rng(seed=1))
    >>> 0.08 <= soil.moisture <= 0.25
    True
    """
    preset = SOILS[check_one_of(name, "name", SOILS)]
    rng = check_rng(rng)
    low, high = np.log(preset.susceptibility)
    return Soil(
        preset=preset,
        moisture=float(rng.uniform(*preset.moisture)),
        susceptibility=float(np.exp(rng.uniform(low, high))),
    )

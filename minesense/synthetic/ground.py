"""Soils: what a sensor feels of the ground itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._validation import (
    check_at_most,
    check_not_negative,
    check_number,
    check_one_of,
    check_positive,
    check_rng,
)
from ..constants import EPSILON_0
from ..physics import peplinski_conductivity, peplinski_permittivity
from ..sweep import Floats
from .distribution import to_micro
from .document import build
from .sources import read_table, unfold

#: Standard deviation of a surface, m: over rougher ones hollows under the antennas would be
#: seen from farther off than the ground reaches that is simulated around a lane.
ROUGHEST = 0.05

_Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilPreset:
    """
    Ranges from which the soil of a lane is drawn.

    The source of every figure is in `sources`; most are assumptions.

    Raises
    ------
    TypeError, ValueError
        If a figure is out of range: sand and clay shares of at most 1 together, moisture from
        0 to 0.6, conductivity not negative, susceptibility above zero, viscous share from 0
        to 1, spreads not negative, roughness up to 0.05 m, lengths greater than zero.
    """

    name: str = ""
    title: str = ""
    sand: float  #: mass fraction
    clay: float  #: mass fraction
    bulk_density: float  #: g/cm^3, as in Peplinski, Ulaby & Dobson (1995)
    moisture: _Range  #: volumetric
    conductivity: _Range  #: S/m, as a metal detector feels it, drawn log-uniform
    susceptibility: _Range  #: SI, static, drawn log-uniform
    viscous_share: _Range  #: of the susceptibility, that relaxes
    permittivity_spread: float  #: relative standard deviation inside the volume, texture alone
    correlation_length: float  #: m, outer scale of the permittivity; 1/e after its 2 pi-th
    moisture_spread: float  #: volumetric standard deviation inside the volume
    susceptibility_spread: float  #: standard deviation of its logarithm from place to place
    patch_length: float  #: m, outer scale of the susceptibility
    roughness: float  #: m, standard deviation of the surface height
    surface_length: float  #: m, outer scale of the surface
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_positive(self.bulk_density, "bulk_density")
        for name in ("sand", "clay"):
            _check_share(getattr(self, name), name)
        if self.sand + self.clay > 1:
            msg = (
                f"Invalid sand '{self.sand}' with clay '{self.clay}'. Must be at most 1 in all."
            )
            raise ValueError(msg)
        for name, most in (("moisture", 0.6), ("viscous_share", 1.0)):
            _check_range(getattr(self, name), name, 0.0, most)
        _check_range(self.conductivity, "conductivity", 0.0, math.inf)
        _check_range(self.susceptibility, "susceptibility", 0.0, math.inf)
        for name in ("conductivity", "susceptibility"):
            check_positive(getattr(self, name)[0], name)  # drawn log-uniform
        for name in ("permittivity_spread", "moisture_spread", "susceptibility_spread"):
            check_not_negative(getattr(self, name), name)
        for name in ("correlation_length", "patch_length", "surface_length"):
            check_positive(getattr(self, name), name)
        roughness = check_not_negative(self.roughness, "roughness")
        check_at_most(roughness, "roughness", ROUGHEST, "m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Soil:
    """
    The soil of one lane, drawn from a preset.

    Raises
    ------
    TypeError, ValueError
        If the moisture is not from 0 to 0.6, the conductivity negative, the susceptibility
        not above -1, or the viscous share not from 0 to 1.
    """

    preset: SoilPreset
    moisture: float  #: volumetric
    susceptibility: float  #: SI, static, mean over the lane
    conductivity: float = 0.0  #: S/m
    viscous_share: float = 1.0  #: of the susceptibility, that relaxes

    def __post_init__(self) -> None:
        if not 0 <= check_number(self.moisture, "moisture") <= 0.6:
            msg = f"Invalid moisture '{self.moisture}'. Must lie between 0 and 0.6."
            raise ValueError(msg)
        check_not_negative(self.conductivity, "conductivity")
        if check_number(self.susceptibility, "susceptibility") <= -1:
            msg = f"Invalid susceptibility '{self.susceptibility}'. Must be above -1."
            raise ValueError(msg)
        _check_share(self.viscous_share, "viscous_share")

    def permittivity(self, frequency: Floats, *, wetter: float = 0.0) -> np.ndarray:
        """
        Return the permittivity of the soil by its texture, moisture and salt.

        Parameters
        ----------
        frequency : (n_freq,) float64 ndarray
            Hz.
        wetter : float
            What is added to the moisture, volumetric; 0.6 is the most.

        Returns
        -------
        permittivity : (n_freq,) complex128 ndarray
            Relative. Of the conductivity only what exceeds that of the texture's own law is
            added as loss, so that nothing counts twice.
        """
        preset = self.preset
        texture: dict[str, Any] = {
            "sand": preset.sand,
            "clay": preset.clay,
            "bulk_density": preset.bulk_density,
            "moisture": min(self.moisture + wetter, 0.6),
        }
        soil = peplinski_permittivity(frequency, **texture)
        salt = max(0.0, self.conductivity - peplinski_conductivity(**texture))
        return np.asarray(soil - 1j * salt / (2 * np.pi * np.asarray(frequency) * EPSILON_0))

    def spread(self, frequency: float) -> float:
        """
        Return the relative standard deviation of the permittivity inside the volume.

        Parameters
        ----------
        frequency : float
            Hz.

        Returns
        -------
        spread : float
            Texture and moisture together, as independent of each other.
        """
        # beyond 0.6 nothing gets wetter: there the slope is that of drying
        at, step = np.array([frequency]), 1e-3 if self.moisture < 0.599 else -1e-3
        dry, wet = (self.permittivity(at, wetter=x)[0].real for x in (0.0, step))
        by_moisture = self.preset.moisture_spread * (wet / dry - 1) / step
        return math.hypot(self.preset.permittivity_spread, by_moisture)


def _check_share(value: float, name: str) -> None:
    """Raise unless a share lies between 0 and 1."""
    if not 0 <= check_number(value, name) <= 1:
        msg = f"Invalid {name} '{value}'. Must lie between 0 and 1."
        raise ValueError(msg)


def _check_range(limits: _Range, name: str, least: float, most: float) -> None:
    """Raise unless both limits are in order and within others."""
    low, high = (check_number(value, name) for value in limits)
    if not least <= low <= high <= most:
        rule = (
            f"from {least:g} to {most:g}" if math.isfinite(most) else f"of at least {least:g}"
        )
        wrong = low if low < least else high
        msg = f"Invalid {name} '{wrong}'. Must be a range {rule}, in order."
        raise ValueError(msg)


def _read_soils() -> dict[str, SoilPreset]:
    """Return the soils of the data file."""
    document = read_table("soils.toml")
    sources = document.pop("sources")
    soils = {}
    for name, entry in document.items():
        values, cited = unfold(entry, sources, words=frozenset({"title"}))
        values |= {"name": name, "sources": cited}
        soils[name] = build(SoilPreset, values, path=f"$.{name}")
    return soils


#: Soils by name.
SOILS: dict[str, SoilPreset] = _read_soils()


def draw_soil(soil: str | SoilPreset, *, rng: np.random.Generator) -> Soil:
    """
    Draw the soil of a lane.

    Parameters
    ----------
    soil : str or SoilPreset
        Name of a preset, for example ``"loam"``, or ranges of one's own.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    soil : Soil
        Moisture and viscous share uniform, conductivity and susceptibility log-uniform in the
        ranges of the preset, all to six digits.

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
    preset = SOILS[check_one_of(soil, "soil", SOILS)] if isinstance(soil, str) else soil
    shares = check_rng(rng).random(4)

    def uniform(limits: _Range, share: float) -> float:
        return to_micro(limits[0] + share * (limits[1] - limits[0]))

    def log_uniform(limits: _Range, share: float) -> float:
        value = limits[0] * (limits[1] / limits[0]) ** share
        return float(f"{min(max(value, limits[0]), limits[1]):.6g}")

    return Soil(
        preset=preset,
        moisture=uniform(preset.moisture, shares[0]),
        susceptibility=log_uniform(preset.susceptibility, shares[1]),
        conductivity=log_uniform(preset.conductivity, shares[2]),
        viscous_share=uniform(preset.viscous_share, shares[3]),
    )

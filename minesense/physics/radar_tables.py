"""Tables that the sum of echoes reads: soil paths and near fields, facets, phasors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._kernels import bounce
from ..constants import SPEED_OF_LIGHT
from .near_field import flat_bounce, near_field_ratio
from .radar_scene import AntennaPattern
from .refraction import Polarization
from .soil import Complexes, Floats, wavenumber

Blocks = npt.NDArray[np.float32]

#: Largest step of the excess phase and loss between nodes of a table of soil paths, and
#: largest step along the path, m: the near field changes over centimetres.
_TABLE_STEP = 0.1
_PATH_STEP = 0.01
#: Heights of the tables: multiples of a power of the ratio, whatever heights are asked for.
_LOWEST = 1e-3
_RATIO = 1.06
#: Depths and number of frequencies at which the near field is integrated.
_DEPTHS = np.geomspace(2e-3, 2.0, 16)
_N_NEAR = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Band:
    """Regular frequencies, and what of them reaches a trace."""

    frequency: Floats  #: Hz, (n_freq,)
    step: float  #: Hz
    latest: float  #: s after the start of the trace, when the last arrival counts
    reference: float  #: Hz, at which rays bend
    longest: float  #: m, wavelength in air that sets how wide the ground bounce is
    is_windowed: bool = True  #: whether what is buried is dropped if it comes later


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AntennaPair:
    """How the antennas radiate, and how far apart they are."""

    separation: float  #: m
    pattern: AntennaPattern
    surface_radius: float  #: m, 0 for that of the local height, negative for no bounce


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """What the kernel reads, in blocks of 32 real and 32 imaginary parts."""

    index: float
    path_step: float  #: m
    delay_step: float  #: s
    first_height: float  #: m
    ratio: float
    decay: Blocks  #: (n_heights, n_nodes, n_blocks, 64)
    slope: Blocks  #: the same, 1/m
    phasors: Blocks  #: (n_bins, n_blocks, 64)
    facet: Blocks  #: (n_heights + 2, n_blocks, 64), one height more at either end


def make_tables(
    band: Band,
    soil: Complexes,
    antennas: AntennaPair,
    *,
    heights: Floats,
    longest_path: float,
    step: float,
) -> Tables:
    """
    Tabulate soil paths, near fields and facets for the heights of some traces.

    Parameters
    ----------
    band : Band
        Frequencies.
    soil : (n_freq,) complex128 ndarray
        Relative permittivity.
    antennas : AntennaPair
        Pattern, polarization, separation.
    heights : (n,) float64 ndarray
        Antennas over the surface, m.
    longest_path : float
        In soil, both legs, m.
    step : float
        Between facets of the surface, m.

    Returns
    -------
    tables : Tables
        A node depends on its own height and path alone, not on which others are asked for.
    """
    frequency = band.frequency
    index = float(np.interp(band.reference, frequency, np.sqrt(soil).real))
    excess = wavenumber(frequency, soil) - 2 * np.pi * frequency / SPEED_OF_LIGHT * index
    path_step = min(_TABLE_STEP / max(np.abs(excess).max(), 1e-9), _PATH_STEP)
    low, high = (np.log(max(h, _LOWEST) / _LOWEST) for h in (heights.min(), heights.max()))
    scale = math.log(_RATIO)
    levels = np.arange(math.floor(low / scale), math.floor(high / scale) + 2)
    grid = _LOWEST * _RATIO**levels
    paths = np.arange(math.ceil(longest_path / path_step) + 1) * path_step
    plain = np.exp(-1j * np.outer(paths, excess))
    near, slope = _near_fields(
        frequency, grid, paths / 2, soil, index, antennas.pattern.polarization
    )
    delay_step = 0.125 / frequency[-1]
    # the bounce bends more with height than what is buried: the kernel puts cubics through it
    wider = _LOWEST * _RATIO ** np.arange(levels[0] - 1, levels[-1] + 2)
    radii = _bounce_radii(band, antennas, wider)
    # all facets of flat ground, though late ones are dropped from a trace
    longest = 2 * np.hypot(wider, radii).max() + antennas.separation
    n_bins = math.ceil(max(band.latest, longest / SPEED_OF_LIGHT) / delay_step) + 4
    delays = (np.arange(n_bins) - 1) * delay_step
    phasors = in_blocks(np.exp(-2j * np.pi * np.outer(delays, frequency)))
    facet = np.zeros((len(wider), len(frequency)), np.complex128)
    if antennas.surface_radius >= 0:
        facet = _facet_spectra(band, soil, antennas, wider, radii, step, delay_step, phasors)
    return Tables(
        index=index,
        path_step=path_step,
        delay_step=delay_step,
        first_height=float(grid[0]),
        ratio=_RATIO,
        decay=in_blocks(_without_denormals(plain * near**2)),
        slope=in_blocks(slope / near - 1j * excess),
        phasors=phasors,
        facet=in_blocks(facet),
    )


def _near_fields(
    frequency: Floats,
    heights: Floats,
    depths: Floats,
    soil: Complexes,
    index: float,
    polarization: Polarization,
) -> tuple[Complexes, Complexes]:
    """Return the near field of a leg, (n_heights, n_depths, n_freq), and its slope, 1/m."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  0.2 s that few imports need

    few = frequency
    if len(frequency) > _N_NEAR:
        few = np.geomspace(frequency[0], frequency[-1], _N_NEAR)
    part = np.interp(few, frequency, soil.real) + 1j * np.interp(few, frequency, soil.imag)
    coarse = near_field_ratio(
        few,
        heights[:, None],
        _DEPTHS,
        permittivity=part,
        index=index,
        polarization=polarization,
    )
    # k (ratio - 1) bends little with frequency, the ratio itself with depth
    coarse = CubicSpline(np.log(few), few * (coarse - 1), axis=-1)(np.log(frequency))
    depths = np.clip(depths, _DEPTHS[0], _DEPTHS[-1])
    spline = CubicSpline(np.log(_DEPTHS), coarse / frequency, axis=1)
    place = np.log(depths)
    return 1 + spline(place), spline(place, 1) / depths[:, None]


def _bounce_radii(band: Band, antennas: AntennaPair, heights: Floats) -> Floats:
    """Return how far the surface takes part in the bounce at each height, m."""
    if antennas.surface_radius:
        return np.full(len(heights), max(antennas.surface_radius, 0.0))
    return np.asarray(3 * np.sqrt(0.5 * band.longest * heights))


def _facet_spectra(
    band: Band,
    soil: Complexes,
    antennas: AntennaPair,
    heights: Floats,
    radii: Floats,
    step: float,
    delay_step: float,
    phasors: Blocks,
) -> Complexes:
    """Return the spectrum of a facet by height, such that flat ground bounces exactly."""
    frequency, half = band.frequency, antennas.separation / 2
    n = 2 * math.ceil(radii.max() / step) + 3
    flat = np.zeros((n, n))
    pairs = np.zeros((len(heights), 6))
    pairs[:, 0], pairs[:, 3] = -half, half
    pairs[:, 2] = pairs[:, 5] = heights
    sums = np.empty((len(heights), *phasors.shape[1:]), np.float32)
    bounce.bounce_spectra(
        pairs,
        radii,
        antennas.pattern.exponent,
        flat,
        np.array([-(n // 2) * step, -(n // 2) * step, step]),
        SPEED_OF_LIGHT * delay_step,
        phasors,
        np.zeros(len(phasors)),
        np.empty((5, (n - 1) * bounce.FINEST + 1)),
        sums,
    )
    parts = sums.reshape(len(heights), -1, 2, 32).astype(np.float64)
    total = (parts[:, :, 0] + 1j * parts[:, :, 1]).reshape(len(heights), -1)[
        :, : len(frequency)
    ]
    exact = flat_bounce(
        frequency,
        heights,
        separation=antennas.separation,
        permittivity=soil,
        polarization=antennas.pattern.polarization,
        dipole_angle=antennas.pattern.dipole_angle,
    )
    cosine = heights / np.hypot(heights, half)
    return np.asarray(exact * cosine[:, None] ** (2 * antennas.pattern.exponent) / total)


def in_blocks(spectra: npt.NDArray[Any]) -> Blocks:
    """
    Return spectra as blocks: 32 real parts, then 32 imaginary parts.

    Parameters
    ----------
    spectra : (..., n_freq) array
        Real or complex.

    Returns
    -------
    blocks : (..., n_blocks, 64) float32 ndarray
        Padded with zeros.
    """
    *rows, n_freq = spectra.shape
    n_blocks = math.ceil(n_freq / 32)
    padded = np.zeros((*rows, n_blocks * 32), np.complex128)
    padded[..., :n_freq] = spectra
    blocks = padded.reshape(*rows, n_blocks, 32)
    return np.concatenate([blocks.real, blocks.imag], axis=-1, dtype=np.float32)


def from_blocks(blocks: Blocks, n_freq: int) -> npt.NDArray[np.complex64]:
    """
    Return blocks as spectra.

    Parameters
    ----------
    blocks : (n, n_blocks, 64) float32 ndarray
        As of :func:`in_blocks`.
    n_freq : int
        Frequencies of a spectrum.

    Returns
    -------
    spectra : (n, n_freq) complex64 ndarray
        Without the padding.
    """
    parts = blocks.reshape(len(blocks), -1, 2, 32)
    flat = (len(blocks), -1)
    out = np.empty((len(blocks), n_freq), np.complex64)
    out.real = parts[:, :, 0].reshape(flat)[:, :n_freq]
    out.imag = parts[:, :, 1].reshape(flat)[:, :n_freq]
    return out


def _without_denormals(table: Complexes) -> Complexes:
    """Return the table with zeros where nothing is heard: there float32 turns slow."""
    table[np.abs(table) < 1e-18] = 0
    return table

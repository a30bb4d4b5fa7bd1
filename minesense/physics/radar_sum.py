"""The sum of echoes over a scene: tables, sorted scatterers, one call of the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .._kernels import bounce, radar
from ..constants import SPEED_OF_LIGHT
from .radar_checks import (
    check_coupling,
    check_cover,
    check_depth,
    check_radius,
    check_reach,
    check_soil,
    check_spectra,
    farthest,
)
from .radar_scene import AntennaPattern, Scatterers
from .radar_tables import AntennaPair, Band, Tables, in_blocks, make_tables
from .refraction import ELECTRIC_SHARE
from .soil import Floats
from .surface import Surface

Permittivity = npt.ArrayLike | Callable[[Floats], npt.ArrayLike]

#: Traces computed at a time, to bound the memory of their spectra.
_BATCH = 1024


def sum_echoes(
    antennas: Floats,
    band: Band,
    keep: Callable[[npt.NDArray[np.int64], npt.NDArray[np.float32]], None],
    *,
    permittivity: Permittivity,
    surface: Surface,
    scatterers: Scatterers,
    coupling: npt.ArrayLike,
    origin: Floats,
    reach: float,
    surface_radius: float | None,
    pattern: AntennaPattern,
) -> None:
    """
    Hand the spectra of all traces to a function, those of one separation at a time.

    Parameters
    ----------
    antennas : (n, 6) float64 ndarray
        Transmitter and receiver, above the surface, m.
    band : Band
        Frequencies.
    keep : callable
        Called with the indices of some traces and their spectra, (m, n_blocks, 64) float32.
    permittivity, surface, scatterers, coupling, reach, surface_radius, pattern
        As in :func:`minesense.physics.radar_traces`.
    origin : (n,) float64 ndarray
        Time zero of each trace, s.
    """
    soil = permittivity(band.frequency) if callable(permittivity) else permittivity
    soil = check_soil(soil, len(band.frequency))
    check_spectra(scatterers, len(band.frequency))
    direct = check_coupling(coupling, antennas)
    reach = check_reach(reach)
    fixed = check_radius(surface_radius, surface.step)
    heights = check_cover(antennas, surface, band.longest, fixed)
    depth = check_depth(scatterers, surface)
    scene = _Scene(surface, scatterers, depth, reach)
    # the bounce is that of the mean height, with the horizontal separation
    apart = np.linalg.norm(antennas[:, :2] - antennas[:, 3:5], axis=1)
    # tables belong to one separation, known to a tenth of a millimetre
    group = np.rint(1e4 * apart).astype(np.int64)
    for number in np.unique(group):
        which = np.flatnonzero(group == number)
        pair = AntennaPair(
            separation=1e-4 * float(number), pattern=pattern, surface_radius=fixed
        )
        longest = farthest(antennas[which], scatterers, depth, reach)
        tables = make_tables(
            band, soil, pair, heights=heights[which], longest_path=longest, step=surface.step
        )
        for part in np.split(which, range(_BATCH, len(which), _BATCH)):
            spectra = scene.spectra(
                antennas[part], origin[part], direct[part], band=band, pair=pair, tables=tables
            )
            keep(part, spectra)


class _Scene:
    """Surface and scatterers as the kernel reads them."""

    def __init__(self, surface: Surface, scatterers: Scatterers, depth: Floats, reach: float):
        order, starts, cells = _sort_into_cells(scatterers.position, reach)
        self.reach = reach
        self.surface = (
            surface.heights,
            *(np.ascontiguousarray(s) for s in np.gradient(surface.heights, surface.step)),
            np.array([*surface.origin, surface.step]),
        )
        self.scatterers = (
            np.ascontiguousarray(scatterers.position[order]),
            np.ascontiguousarray(scatterers.normal[order]),
            depth[order],
            scatterers.weight[order],
            scatterers.spectrum[order],
            starts,
            cells,
        )
        self.own_spectra = in_blocks(scatterers.spectra)

    def spectra(
        self,
        antennas: Floats,
        origin: Floats,
        direct: Floats,
        *,
        band: Band,
        pair: AntennaPair,
        tables: Tables,
    ) -> npt.NDArray[np.float32]:
        """Return the spectra of some traces in blocks."""
        pattern = pair.pattern
        n_blocks = tables.facet.shape[1]
        n_columns = self.surface[0].shape[1]
        geometry = np.array(
            [
                SPEED_OF_LIGHT,
                band.frequency[0],
                band.step,
                tables.delay_step,
                band.latest if band.is_windowed else 1.0,  # a second: never
                tables.index,
                tables.path_step,
                pattern.exponent,
                ELECTRIC_SHARE[pattern.polarization],
                min(self.reach, 1e7),
                pair.surface_radius,
                band.longest,
                math.log(tables.first_height),
                math.log(tables.ratio),
                pattern.polarization == "dipole",
                math.sin(pattern.dipole_angle),
                math.cos(pattern.dipole_angle),
            ],
            dtype=np.float64,
        )
        out = np.empty((len(antennas), n_blocks, 64), np.float32)
        arguments = (
            antennas,
            origin,
            direct,
            geometry,
            *self.surface,
            *self.scatterers,
            self.own_spectra,
            tables.decay,
            tables.slope,
            tables.phasors,
            tables.facet,
            in_blocks(SPEED_OF_LIGHT / (2 * np.pi * band.frequency)),
            np.empty(len(self.scatterers[2]) + 64, np.int64),
            np.empty(640),
            np.empty(640),
            np.zeros(len(tables.phasors)),
            np.empty((5, (n_columns - 1) * bounce.FINEST + 1)),
            np.empty(tables.decay.shape[1:], np.float32),
            np.empty(tables.decay.shape[1:], np.float32),
            np.empty((n_blocks, 64), np.float32),
            np.empty((n_blocks, 64), np.float32),
            out,
        )
        radar.sum_echoes(*arguments)
        return out


def _sort_into_cells(
    position: Floats, reach: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Return an order by square cells, where each begins, and the grid of cells."""
    if not len(position):
        return np.empty(0, np.int64), np.zeros(2, np.int64), np.array([0, 0, 1.0, 1, 1])
    origin = position[:, :2].min(axis=0)
    extent = np.ptp(position[:, :2], axis=0)
    size = max(min(reach / 4, extent.max() + 1), math.sqrt(extent[0] * extent[1] / 1e6))
    n_rows, n_columns = (int(n) for n in extent // size + 1)
    row, column = ((position[:, :2] - origin) // size).astype(np.int64).T
    cell = np.minimum(row, n_rows - 1) * n_columns + np.minimum(column, n_columns - 1)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(n_rows * n_columns + 1))
    return order, starts, np.array([*origin, size, n_rows, n_columns])

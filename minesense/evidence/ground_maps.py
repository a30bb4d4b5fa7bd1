"""The grid of a site as maps that an annex shows: one over all, and one for each target."""

from __future__ import annotations

import numpy as np

from .grid import CoverageGrid, Layer
from .ground_map import STATES, GroundMap
from .reasons import REASONS, State

#: Index in STATES of each `State`.
_INDEX = np.array([STATES.index(state.name) for state in State], np.int64)


def band_label(sensor: str, target: str, depth_from: float, depth_to: float) -> str:
    """
    Return the words for a layer of a grid.

    Parameters
    ----------
    sensor, target : str
        Identifier, and name of the class.
    depth_from, depth_to : float
        Band of depth in metres.

    Returns
    -------
    label : str
        As figures, tables and map layers have it.

    Examples
    --------
    >>> from minesense.evidence.ground_maps import band_label
    >>> band_label("coil", "AP", 0.0, 0.13)
    'AP, 0 to 0.13 m, by coil'
    """
    return f"{target}, {depth_from:g} to {depth_to:g} m, by {sensor}"


def ground_maps(grid: CoverageGrid) -> tuple[GroundMap, ...]:
    """
    Return the states of a grid as maps.

    Parameters
    ----------
    grid : CoverageGrid
        Of a task.

    Returns
    -------
    maps : tuple of GroundMap
        The summary over all targets first, then one for each layer.

    Examples
    --------
    >>> from minesense.evidence import CoverageTracker, read_site
    >>> grid = CoverageTracker(read_site("examples/site.toml")).finish()
    >>> [ground.label for ground in ground_maps(grid)][1]
    'AP minimum metal, 0 to 0.1 m, by coil'
    """
    named = {bit: name for name, bit in REASONS.items()}
    summary = grid.summary()
    flags = np.zeros(grid.shape, np.int64)
    looks: np.ndarray | None = None
    for layer in _in_scope(grid):
        # a cell's reasons are those of the layers that gave it its state
        flags |= np.where(layer.state == summary, layer.reasons(), 0)
        mine = layer.looks.astype(np.int64)
        looks = mine if looks is None else np.minimum(looks, mine)
    units = np.where(grid.inside, grid.units, 0)
    units.setflags(write=False)  # shared by all maps
    maps = [_map(grid, summary, flags, looks, "all targets", named, units)]
    for layer in grid.layers:
        label = band_label(layer.sensor, *layer.band)
        own = layer.looks.astype(np.int64)
        maps.append(_map(grid, layer.state, layer.reasons(), own, label, named, units))
    return tuple(maps)


def _in_scope(grid: CoverageGrid) -> list[Layer]:
    """Return the layers that the summary looks at."""
    required = {layer.band for layer in grid.layers if layer.is_required}
    return [layer for layer in grid.layers if layer.is_required or layer.band not in required]


def _map(
    grid: CoverageGrid,
    state: np.ndarray,
    flags: np.ndarray,
    looks: np.ndarray | None,
    label: str,
    named: dict[int, str],
    units: np.ndarray,
) -> GroundMap:
    """Return one map, without anything beyond the task."""
    inside = grid.inside
    return GroundMap(
        origin=grid.origin,
        cell=grid.cell,
        states=np.where(inside, _INDEX[state], -1),
        reasons=np.where(inside, flags, 0),
        reason_names=named,
        looks=np.where(inside, np.zeros(grid.shape, np.int64) if looks is None else looks, 0),
        units=units,
        label=label,
    )

"""The states of ground as layers and surfaces of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..io.gis import Column, Layer, MapFeature, Surface, grid_patches
from ..io.gis._extra import import_geo
from ..io.gis.layers import Value
from .ground_map import STATES, UNSEEN, GroundMap

_SLIVER = 1e-9  # m2; less is rounding


def ground_layers(grounds: Sequence[GroundMap], *, task: Any = None) -> tuple[Layer, Layer]:
    """
    Return the layers coverage and not_observed.

    Parameters
    ----------
    grounds : sequence of GroundMap
        The summary, and those of each class and depth band.
    task : shapely geometry, optional
        Ground of the task, to which cells on its border are cut; whole cells by default.

    Returns
    -------
    coverage : Layer
        Polygons of every state; those of one label add up to the task.
    not_observed : Layer
        Those of the states of UNSEEN again, with their reasons.

    Raises
    ------
    ImportError
        If the extra ``geo`` is not installed.

    Examples
    --------
    >>> from minesense.evidence.ground_map import GroundMap
    >>> from minesense.evidence.ground_layers import ground_layers
    >>> ground = GroundMap(
    ...     origin=(0.0, 0.0), cell=0.5, states=[[4, 2, -1]], reasons=[[0, 1, 0]],
    ...     reason_names={1: "NOT_SWEPT"}, looks=[[1, 0, 0]],
    ... )
    >>> coverage, unseen = ground_layers([ground])
    >>> len(coverage), unseen.features[0].values["reason"]
    (2, 'NOT_SWEPT')
    """
    columns = (
        Column(name="state", meaning="of the words of the annex, section 8"),
        Column(name="reason", meaning="why, names separated by blanks"),
        Column(name="about", meaning="class of items and depth band"),
        Column(name="area_m2", kind="number"),
        Column(name="least_looks", kind="count", meaning="fewest credited looks of a cell"),
        Column(name="most_looks", kind="count"),
    )
    features: list[MapFeature] = []
    for ground in grounds:
        features += _patches_of(ground, task, first=len(features) + 1)
    coverage = Layer(
        name="coverage",
        geometry="Polygon",
        columns=columns,
        features=tuple(features),
        description="state of every part of the task; no state says that nothing is there",
        is_hazard=False,
        apart=("about",),
        least_side=1e-9,
    )
    unseen = Layer(
        name="not_observed",
        geometry="Polygon",
        columns=columns,
        features=tuple(f for f in features if f.values["state"] in UNSEEN),
        description="ground that was not looked at to the stated limits, and why",
        is_hazard=False,
        apart=("about",),
        least_side=1e-9,
    )
    return coverage, unseen


def _patches_of(ground: GroundMap, task: Any, first: int) -> list[MapFeature]:
    """Return the polygons of one map of the ground."""
    codes, kinds = ground.codes()
    patches = grid_patches(codes, origin=ground.origin, cell=ground.cell)
    least, most = _looks_of(ground, codes, len(kinds))
    features = []
    for number, patch in enumerate(patches, start=first):
        state, bits = kinds[patch.code]
        shape = patch.polygon
        if task is not None and not task.covers(shape):
            shape = _polygons_of(shape.intersection(task))
            if shape is None:  # cells whose ground in the task is a sliver without area
                continue
        values: dict[str, Value] = {
            "state": STATES[state],
            "reason": " ".join(ground.names_of(bits)),
            "about": ground.label,
            "area_m2": round(float(shape.area), 9),
            "least_looks": least[patch.code],
            "most_looks": most[patch.code],
        }
        features.append(MapFeature(identifier=f"G{number:06d}", geometry=shape, values=values))
    return features


def _polygons_of(shape: Any) -> Any:
    """Return the polygons of what two polygons share; None if there are none."""
    shapely = import_geo("shapely")
    parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    parts = [part for part in parts if part.area > _SLIVER]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _looks_of(ground: GroundMap, codes: Any, n: int) -> tuple[list[int], list[int]]:
    """Return the fewest and most looks among the cells of each code."""
    inside = codes >= 0
    least = np.full(n, np.iinfo(np.int64).max)
    most = np.zeros(n, np.int64)
    np.minimum.at(least, codes[inside], ground.looks[inside])
    np.maximum.at(most, codes[inside], ground.looks[inside])
    return least.tolist(), most.tolist()


def ground_surfaces(ground: GroundMap, *, is_synthetic: bool) -> tuple[Surface, ...]:
    """
    Return states and looks as surfaces.

    Parameters
    ----------
    ground : GroundMap
        The summary.
    is_synthetic : bool
        Whether it was made by a simulator.

    Returns
    -------
    surfaces : tuple of Surface
        Of codes that the legend explains, and of counts.

    Examples
    --------
    >>> from minesense.evidence.ground_map import GroundMap
    >>> from minesense.evidence.ground_layers import ground_surfaces
    >>> ground = GroundMap(
    ...     origin=(0.0, 0.0), cell=0.5, states=[[4]], reasons=[[0]], reason_names={},
    ...     looks=[[1]],
    ... )
    >>> [surface.name for surface in ground_surfaces(ground, is_synthetic=True)]
    ['state_code', 'looks_count']
    """
    beyond = ground.states < 0
    states = np.where(beyond, np.nan, ground.states)
    looks = np.where(beyond, np.nan, ground.looks)
    made = []
    for name, values, words, legend in (
        ("state_code", states, "state of the ground", dict(enumerate(STATES))),
        ("looks_count", looks, "credited looks", {}),
    ):
        made.append(
            Surface(
                name=name,
                values=values,
                origin=ground.origin,
                cell=ground.cell,
                description=words,
                is_synthetic=is_synthetic,
                legend=legend,
            )
        )
    return tuple(made)

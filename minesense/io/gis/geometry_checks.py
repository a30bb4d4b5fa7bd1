"""Checks of the shapes of a map before it is written: what fails them stops the export."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..._validation import check_positive
from ._extra import import_geo
from .layers import Layer, MapFeature

#: Column that marks a feature as lying outside the task.
OUTSIDE = "is_outside_task"

#: Longest distance in metres between corners that is taken as meant.
LONGEST_SIDE = 5_000.0

_MOST_NAMED = 5  # faults that an error names one by one
_OVERLAP = 1e-6  # m2 that two polygons may share through rounding


class GeometryError(ValueError):
    """
    Shapes of a map that must not be written; `faults` names every feature and what is wrong.

    No message tells a position.
    """

    def __init__(self, faults: Iterable[str]):
        self.faults = tuple(faults)
        n = len(self.faults)
        shown = "; ".join(self.faults[:_MOST_NAMED])
        more = f"; and {n - _MOST_NAMED} more" if n > _MOST_NAMED else ""
        super().__init__(
            f"Invalid geometry, nothing was written: {shown}{more}. Must be valid: see the "
            "features named."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error travel between processes."""
        return type(self), (self.faults,)


def check_layers(
    layers: Iterable[Layer], *, task: Any = None, farthest: float = LONGEST_SIDE
) -> None:
    """
    Check the shapes of all layers of a map.

    Parameters
    ----------
    layers : iterable of Layer
        With shapes in metres.
    task : shapely polygon, optional
        Ground of the task. Points outside it must carry a true value in the column
        ``is_outside_task``.
    farthest : float
        Longest side and largest distance from the task that is taken as meant, in metres.

    Raises
    ------
    GeometryError
        If a polygon crosses itself, has fewer than three corners, no area, or repeats one;
        identifiers are not unique; polygons of a layer overlap; a coordinate is not finite,
        two corners are closer than the layer allows, or a side is longer than `farthest`; or
        an alarm lies outside the task without saying so. All faults are named.
    ImportError
        If shapely is not installed (extra ``geo``).

    Examples
    --------
    >>> from shapely import Polygon
    >>> from minesense.io.gis import GeometryError, Layer, MapFeature, check_layers
    >>> bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    >>> layer = Layer(
    ...     name="task", geometry="Polygon", columns=(),
    ...     features=(MapFeature(identifier="T1", geometry=bow_tie),),
    ... )
    >>> try:
    ...     check_layers([layer])
    ... except GeometryError as error:
    ...     print(error.faults)
    ("layer 'task', feature 'T1': Self-intersection",)
    """
    farthest = check_positive(farthest, "farthest")
    faults: list[str] = []
    for layer in layers:
        faults += _layer_faults(layer, task, farthest)
    if faults:
        raise GeometryError(faults)


def check_area_sum(layer: Layer, expected: float, *, column: str = "area_m2") -> None:
    """
    Check that the polygons of a layer cover the area of the task, no more and no less.

    Parameters
    ----------
    layer : Layer
        Of polygons in metres, one for every state of the ground.
    expected : float
        Area of the task in square metres.
    column : str
        That holds the area stated for each.

    Raises
    ------
    GeometryError
        If the shapes or the stated areas do not add up to it, to one part in a million, or a
        stated area is not that of its shape.

    Examples
    --------
    >>> from minesense.io.gis import Layer
    >>> from minesense.io.gis.geometry_checks import check_area_sum
    >>> check_area_sum(Layer(name="x", geometry="Polygon", columns=(), features=()), 0.0)
    """
    room = max(1e-6 * expected, 1e-9)
    drawn = stated = 0.0
    faults = []
    for item in layer.features:
        value = item.values.get(column)
        area = float(item.geometry.area)
        drawn += area
        stated += float(value or 0.0)
        if abs(area - float(value or 0.0)) > max(1e-6 * area, 1e-6):
            faults.append(
                f"{_name(layer, item)}: states {value} m2, but its shape has {area:.6f} m2"
            )
    for word, total in (("shapes", drawn), ("stated areas", stated)):
        if abs(total - expected) > room:
            faults.append(
                f"layer '{layer.name}': {word} add up to {total:.4f} m2, but the task has "
                f"{expected:.4f} m2"
            )
    if faults:
        raise GeometryError(faults)


def _name(layer: Layer, item: MapFeature) -> str:
    return f"layer '{layer.name}', feature '{item.identifier}'"


def _layer_faults(layer: Layer, task: Any, farthest: float) -> Iterator[str]:
    """Yield what is wrong with a layer."""
    counts = Counter(item.identifier for item in layer.features)
    for identifier, n in counts.items():
        if n > 1 or not identifier:
            words = f"its identifier stands {n} times"
            yield f"layer '{layer.name}', feature '{identifier}': {words}"
    if not layer.geometry:
        return
    good = []
    for item in layer.features:
        if item.geometry is None or item.geometry.is_empty:
            if layer.geometry == "Polygon":
                yield f"{_name(layer, item)}: no shape"
            continue
        found = list(_shape_faults(layer, item, farthest))
        yield from found
        if not found:
            good.append(item)
            yield from _place_faults(layer, item, task, farthest)
    if layer.geometry == "Polygon" and not layer.may_overlap:
        yield from _overlaps(layer, good)


def _shape_faults(layer: Layer, item: MapFeature, farthest: float) -> Iterator[str]:
    """Yield what is wrong with a shape of its own."""
    shapely = import_geo("shapely")
    shape = item.geometry
    kind = shape.geom_type.removeprefix("Multi")
    if kind != layer.geometry:
        yield f"{_name(layer, item)}: a {shape.geom_type}, must be a {layer.geometry}"
        return
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        yield f"{_name(layer, item)}: a coordinate is not finite"
        return
    if kind == "Point":
        return
    closed = kind == "Polygon"
    for ring in _rings(shape):
        corners = ring[:-1] if closed else ring
        if closed and len(np.unique(corners, axis=0)) < 3:
            yield f"{_name(layer, item)}: fewer than three corners"
            return
        sides = np.hypot(*np.diff(ring, axis=0).T)
        if (sides == 0).any():
            yield f"{_name(layer, item)}: a corner stands twice in a row"
        elif (sides < layer.least_side).any() and closed:
            yield f"{_name(layer, item)}: corners {sides.min():.2g} m apart"
        if (sides > farthest).any():
            yield f"{_name(layer, item)}: a side of {sides.max():.0f} m"
    if closed and not shape.is_valid:
        # shapely tells where, which messages must not
        reason = re.sub(r"\s*\[.*", "", shapely.is_valid_reason(shape))
        yield f"{_name(layer, item)}: {reason}"
    elif closed and not shape.area > 0:
        yield f"{_name(layer, item)}: no area"


def _rings(shape: Any) -> Iterator[Any]:
    """Yield the corners of every ring or line of a shape."""
    for part in getattr(shape, "geoms", [shape]):
        if part.geom_type == "Polygon":
            yield np.asarray(part.exterior.coords)[:, :2]
            for hole in part.interiors:
                yield np.asarray(hole.coords)[:, :2]
        else:
            yield np.asarray(part.coords)[:, :2]


def _place_faults(layer: Layer, item: MapFeature, task: Any, farthest: float) -> Iterator[str]:
    """Yield what is wrong with where a shape lies."""
    if task is None:
        return
    distance = float(task.distance(item.geometry))
    if distance > farthest:
        yield f"{_name(layer, item)}: {distance / 1000:.0f} km from the task"
    elif layer.geometry == "Point" and distance > 0 and not item.values.get(OUTSIDE):
        yield f"{_name(layer, item)}: lies outside the task and is not marked as {OUTSIDE}"


def _overlaps(layer: Layer, items: list[MapFeature]) -> Iterator[str]:
    """Yield pairs of polygons that share ground."""
    shapely = import_geo("shapely")
    groups: dict[tuple[Any, ...], list[MapFeature]] = {}
    for item in items:
        key = tuple(item.values.get(name) for name in layer.apart)
        groups.setdefault(key, []).append(item)
    for group in groups.values():
        shapes = np.array([item.geometry for item in group], dtype=object)
        tree = shapely.STRtree(shapes)
        first, second = tree.query(shapes, predicate="intersects")
        pairs = np.column_stack([first, second])[first < second]
        pairs = pairs[np.lexsort(pairs.T[::-1])]
        shared = shapely.area(shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]]))
        for (i, j), area in zip(pairs.tolist(), shared.tolist(), strict=True):
            if area > _OVERLAP:
                yield (
                    f"layer '{layer.name}', features '{group[i].identifier}' and "
                    f"'{group[j].identifier}': overlap by {area:.4g} m2"
                )

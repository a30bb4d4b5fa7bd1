"""Layers of a map: features with columns that name their units, in metres of a site."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..._validation import check_one_of
from ...sweep import Floats
from .provenance import Provenance, Release

Geometry = Literal["Polygon", "Point", "LineString", ""]
GEOMETRIES = ("Polygon", "Point", "LineString", "")
KINDS = ("text", "number", "count", "truth")

Value = str | float | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a layer; its name ends with its unit, if it has one."""

    name: str
    kind: Literal["text", "number", "count", "truth"] = "text"
    meaning: str = ""

    def __post_init__(self) -> None:
        check_one_of(self.kind, "kind", KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFeature:
    """
    One feature: its identifier, shape and columns.

    `geometry` is a shapely geometry in metres of the site; None where there is none or it is
    unknown.
    """

    identifier: str
    geometry: Any = None
    values: Mapping[str, Value] = field(default_factory=dict)
    provenance: Provenance = Provenance.SENSOR_ANOMALY


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    Features of one sort.

    Raises
    ------
    TypeError, ValueError
        If a feature has a column that the layer has not, a number is infinite, or a value
        is of another kind than its column.

    Examples
    --------
    >>> from minesense.io.gis import Column, Layer, MapFeature
    >>> layer = Layer(
    ...     name="alarms",
    ...     geometry="Point",
    ...     columns=(Column(name="depth_m", kind="number"),),
    ...     features=(MapFeature(identifier="A1", values={"depth_m": 0.1}),),
    ... )
    >>> len(layer)
    1
    """

    name: str
    geometry: Geometry
    columns: tuple[Column, ...]
    features: tuple[MapFeature, ...]
    description: str = ""
    is_synthetic: bool = False
    is_hazard: bool = True  #: whether people must confirm its features before anyone acts
    apart: tuple[str, ...] = ()  #: columns; features that differ in one may overlap
    may_overlap: bool = False
    least_side: float = 1e-3  #: m; a shorter side of a polygon is taken for a mistake

    def __post_init__(self) -> None:
        check_one_of(self.geometry, "geometry", GEOMETRIES)
        kinds = {column.name: column.kind for column in self.columns}
        if len(kinds) < len(self.columns):
            msg = f"Invalid columns of layer '{self.name}'. Must have different names."
            raise ValueError(msg)
        for item in self.features:
            for name, value in item.values.items():
                _check_value(value, kinds.get(name), name, self.name, item.identifier)

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.features)

    def value(self, item: MapFeature, name: str) -> Value:
        """Return what a feature has in a column; None for nothing and for NaN."""
        found = item.values.get(name)
        return None if isinstance(found, float) and math.isnan(found) else found


#: Columns that every layer of an export has, after its own.
MARKS = (
    Column(name="data_kind", meaning="SYNTHETIC or recorded"),
    Column(name="provenance", meaning="how far people stand behind it"),
    Column(name="confidentiality", meaning="to whom it may be handed"),
)

#: Columns that tell a position; emptied where positions are not shown.
POSITION_COLUMNS = frozenset(
    {"easting_m", "northing_m", "longitude_deg", "latitude_deg", "up_m", "height_m"}
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """
    Figures on a grid, such as expected items per cell.

    `values` are (n_rows, n_columns), rows north and columns east from `origin`; NaN where
    there is none.
    """

    name: str  #: ends with its unit
    values: Floats
    origin: tuple[float, float]  #: m, south-western corner
    cell: float  #: m
    description: str = ""
    is_synthetic: bool = False
    legend: Mapping[int, str] = field(default_factory=dict)  #: of codes

    def __post_init__(self) -> None:
        values = np.asarray(self.values, np.float64)
        if values.ndim != 2 or not values.size or np.isinf(values).any():
            msg = (
                f"Invalid values of surface '{self.name}' with shape {values.shape}. Must be "
                "a grid of figures that are not infinite."
            )
            raise ValueError(msg)
        object.__setattr__(self, "values", values)


def admit(
    layers: Iterable[Layer], release: Release, *, is_synthetic: bool
) -> tuple[Layer, ...]:
    """
    Return layers as they may leave: marked, and without positions where none may be shown.

    Parameters
    ----------
    layers : iterable of Layer
        As they were made.
    release : Release
        For whom and for what.
    is_synthetic : bool
        Whether any input of the map was made by a simulator; then all of it is.

    Returns
    -------
    layers : tuple of Layer
        Each with the columns MARKS.

    Raises
    ------
    ValueError
        If the export is operational and anything is synthetic or was not confirmed by a
        person: such entries are never left out in silence.

    Examples
    --------
    >>> from minesense.io.gis import Layer, MapFeature, Release, admit
    >>> layer = Layer(name="x", geometry="", columns=(), features=(MapFeature(identifier="1"),))
    >>> admit([layer], Release(), is_synthetic=True)[0].features[0].values["data_kind"]
    'SYNTHETIC'
    """
    given = tuple(layers)
    tainted = is_synthetic or any(
        layer.is_synthetic
        or any(item.provenance is Provenance.SYNTHETIC for item in layer.features)
        for layer in given
    )
    if release.purpose == "operational":
        if tainted:
            msg = (
                "Invalid purpose 'operational' for SYNTHETIC data. Must be 'record': nothing "
                "that a simulator made may be acted upon."
            )
            raise ValueError(msg)
        for layer in given:
            low = [
                item.identifier
                for item in layer.features
                if layer.is_hazard and item.provenance < Provenance.OPERATOR_CONFIRMED
            ]
            if low:
                msg = (
                    f"Invalid purpose 'operational': {len(low)} features of layer "
                    f"'{layer.name}' were confirmed by nobody, the first is '{low[0]}'. Must "
                    "be 'record', or all confirmed: they are not left out in silence."
                )
                raise ValueError(msg)
    return tuple(_marked(layer, release, tainted) for layer in given)


def _marked(layer: Layer, release: Release, is_synthetic: bool) -> Layer:
    """Return a layer with its marks, and without positions where none are shown."""
    hides = layer.geometry != "" and not release.shows_positions
    features = []
    for item in layer.features:
        provenance = Provenance.SYNTHETIC if is_synthetic else item.provenance
        values = dict(item.values)
        if not release.shows_positions:
            values |= dict.fromkeys(POSITION_COLUMNS & values.keys())
        values |= {
            "data_kind": "SYNTHETIC" if is_synthetic else "recorded",
            "provenance": provenance.word,
            "confidentiality": release.level,
        }
        features.append(
            dataclasses.replace(
                item,
                geometry=None if hides else item.geometry,
                values=values,
                provenance=provenance,
            )
        )
    words = ["SYNTHETIC" if is_synthetic else "", release.level, layer.description]
    if hides:
        words.append("positions withheld")
    names = {mark.name for mark in MARKS}
    columns = tuple(column for column in layer.columns if column.name not in names)
    return dataclasses.replace(
        layer,
        columns=(*columns, *MARKS),
        features=tuple(features),
        description="; ".join(word for word in words if word),
        is_synthetic=is_synthetic,
    )


def table_layer(name: str, rows: Sequence[tuple[str, str]], description: str = "") -> Layer:
    """
    Return a layer without geometry of names and values.

    Parameters
    ----------
    name : str
        Of the layer.
    rows : sequence of (str, str)
        Name and value.
    description : str
        What it is.

    Returns
    -------
    layer : Layer
        With the columns name and value.

    Examples
    --------
    >>> from minesense.io.gis.layers import table_layer
    >>> table_layer("manifest", [("program", "minesense")]).features[0].values["value"]
    'minesense'
    """
    features = tuple(
        MapFeature(identifier=str(k), values={"name": key, "value": value})
        for k, (key, value) in enumerate(rows)
    )
    return Layer(
        name=name,
        geometry="",
        columns=(Column(name="name"), Column(name="value")),
        features=features,
        description=description,
        is_hazard=False,
    )


def _check_value(value: Any, kind: str | None, name: str, layer: str, identifier: str) -> None:
    """Raise unless a value is of the kind of its column."""
    where = f"column '{name}' of feature '{identifier}' in layer '{layer}'"
    if kind is None:
        msg = f"Invalid {where}. Must be a column of the layer."
        raise ValueError(msg)
    if value is None:
        return
    allowed: Any = {"text": str, "number": (int, float), "count": int, "truth": bool}[kind]
    is_truth = isinstance(value, bool)
    if not isinstance(value, allowed) or (is_truth and kind != "truth"):
        msg = f"Invalid value of type {type(value).__name__} in {where}. Must be a {kind}."
        raise TypeError(msg)
    if kind == "number" and math.isinf(value):
        msg = f"Invalid value in {where}. Must be finite; NaN or None for nothing."
        raise ValueError(msg)

"""What may remain, as a file that an annex takes: maps, bounds, assumptions."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..digest import canonical
from ..io.gis import Column, Layer, MapFeature, Surface
from ..io.gis._extra import import_geo
from ..io.gis.layers import Value
from ..sweep import Floats

_FORMAT, _VERSION = "minesense residual", 1
_FIGURES = ("mean", "upper", "none_remain", "greatest_cell")

#: Most cells that are written as polygons; larger grids are surfaces alone.
MOST_CELLS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResidualMap:
    """
    Expected items and their credible bounds on a grid, by class and band of depth.

    `cases` are figures of the whole task, the worst case first; `others` those under other
    assumptions, each with its words.
    """

    origin: tuple[float, float]  #: m, south-western corner
    cell: float  #: m
    classes: tuple[str, ...]
    depth_bands: tuple[tuple[float, float], ...]  #: m
    expected: Floats  #: (n_classes, n_bands, n_rows, n_columns) items, worst case
    upper: Floats  #: likewise, credible upper bounds
    confidence: float  #: of the bounds
    cases: Mapping[str, Mapping[str, float]]
    others: Mapping[str, Mapping[str, float]]
    words: Mapping[str, str]  #: what each of `others` assumes
    assumptions: tuple[str, ...]
    is_synthetic: bool

    def __post_init__(self) -> None:
        shape = (len(self.classes), len(self.depth_bands))
        for name in ("expected", "upper"):
            values = np.asarray(getattr(self, name), np.float64)
            known = values[np.isfinite(values)]
            if values.ndim != 4 or values.shape[:2] != shape or np.isinf(values).any():
                msg = (
                    f"Invalid {name} with shape {values.shape}. Must be (n_classes, n_bands, "
                    "n_rows, n_columns), finite or NaN."
                )
                raise ValueError(msg)
            if (known <= 0).any():
                msg = f"Invalid {name}: a cell has none. Must be greater than zero everywhere."
                raise ValueError(msg)
            object.__setattr__(self, name, values)
        if self.expected.shape != self.upper.shape:
            msg = f"Invalid upper with shape {self.upper.shape}. Must be that of expected."
            raise ValueError(msg)


def residual_map(residual: Any) -> ResidualMap:
    """
    Return what an annex shows of an estimate.

    Parameters
    ----------
    residual : Residual
        Of :func:`minesense.evidence.estimate_remaining`.

    Returns
    -------
    shown : ResidualMap
        With the worst case first.
    """
    cases = {name: _figures(item) for name, item in residual.combinations.items()}
    return ResidualMap(
        origin=(float(residual.grid.origin[0]), float(residual.grid.origin[1])),
        cell=float(residual.grid.cell),
        classes=tuple(residual.classes),
        depth_bands=tuple((float(a), float(b)) for a, b in residual.depth_bands),
        expected=residual.expected,
        upper=residual.upper,
        confidence=float(residual.confidence),
        cases=cases,
        others={item.name: _figures(item.remaining) for item in residual.scenarios},
        words={item.name: item.assumption for item in residual.scenarios},
        assumptions=tuple(residual.assumptions),
        is_synthetic=bool(residual.is_synthetic),
    )


def save_residual(path: str | os.PathLike[str], shown: ResidualMap) -> Path:
    """
    Write what may remain to a file, always the same bytes for the same figures.

    Parameters
    ----------
    path : path-like
        A file to write, by custom ``residual.npz``.
    shown : ResidualMap
        Of :func:`residual_map`.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    header = {
        "format": _FORMAT,
        "version": _VERSION,
        "origin": list(shown.origin),
        "cell": shown.cell,
        "classes": list(shown.classes),
        "depth_bands": [list(band) for band in shown.depth_bands],
        "confidence": shown.confidence,
        # a list, so that the order stays: the worst case comes first
        "cases": [[name, dict(item)] for name, item in shown.cases.items()],
        "others": [[name, dict(item)] for name, item in shown.others.items()],
        "words": dict(shown.words),
        "assumptions": list(shown.assumptions),
        "is_synthetic": shown.is_synthetic,
    }
    buffer = io.BytesIO()
    text = np.frombuffer(canonical(header), np.uint8)
    np.savez(buffer, header=text, expected=shown.expected, upper=shown.upper)
    target = Path(path)
    beside = target.with_name(f".{target.name}.part")
    try:
        beside.write_bytes(buffer.getvalue())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def load_residual(path: str | os.PathLike[str]) -> ResidualMap:
    """
    Read what :func:`save_residual` wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    shown : ResidualMap
        As it was written.

    Raises
    ------
    ValueError
        If it is not of this form.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    data = path.read_bytes()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            header = json.loads(arrays["header"].tobytes())
            expected, upper = arrays["expected"], arrays["upper"]
        if (header.pop("format"), header.pop("version")) != (_FORMAT, _VERSION):
            msg = "another format or version"
            raise ValueError(msg)
        return ResidualMap(
            origin=(float(header["origin"][0]), float(header["origin"][1])),
            cell=float(header["cell"]),
            classes=tuple(header["classes"]),
            depth_bands=tuple((float(a), float(b)) for a, b in header["depth_bands"]),
            expected=expected,
            upper=upper,
            confidence=float(header["confidence"]),
            cases=dict(header["cases"]),
            others=dict(header["others"]),
            words=dict(header["words"]),
            assumptions=tuple(header["assumptions"]),
            is_synthetic=bool(header["is_synthetic"]),
        )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, EOFError, IndexError) as error:
        msg = f"Invalid residual '{path}': {error}. Must be a file of save_residual."
        raise ValueError(msg) from None


def residual_layer(shown: ResidualMap | None) -> Layer:
    """
    Return the layer residual_risk: expected items and bounds of every cell.

    Parameters
    ----------
    shown : ResidualMap or None
        Nothing if nobody estimated what may remain.

    Returns
    -------
    layer : Layer
        Squares; empty if there are more than MOST_CELLS, which only surfaces show.
    """
    columns = (
        Column(name="target_class"),
        Column(name="depth_from_m", kind="number"),
        Column(name="depth_to_m", kind="number"),
        Column(name="expected_items", kind="number"),
        Column(name="upper_items", kind="number", meaning="credible upper bound"),
        Column(name="confidence", kind="number"),
    )
    description = "items that may remain, worst case; not a release authorisation, never zero"
    features: list[MapFeature] = []
    if shown is None:
        description = "nobody estimated what may remain"
    elif np.isfinite(shown.expected).sum() > MOST_CELLS:
        description += "; too many cells for polygons: see residual.tif"
    else:
        shapely = import_geo("shapely")
        for c, b, row, column in np.argwhere(np.isfinite(shown.expected)).tolist():
            west = shown.origin[0] + column * shown.cell
            south = shown.origin[1] + row * shown.cell
            values: dict[str, Value] = {
                "target_class": shown.classes[c],
                "depth_from_m": shown.depth_bands[b][0],
                "depth_to_m": shown.depth_bands[b][1],
                "expected_items": float(shown.expected[c, b, row, column]),
                "upper_items": float(shown.upper[c, b, row, column]),
                "confidence": shown.confidence,
            }
            features.append(
                MapFeature(
                    identifier=f"R{len(features) + 1:06d}",
                    geometry=shapely.box(west, south, west + shown.cell, south + shown.cell),
                    values=values,
                )
            )
    return Layer(
        name="residual_risk",
        geometry="Polygon",
        columns=columns,
        features=tuple(features),
        description=description,
        is_synthetic=bool(shown and shown.is_synthetic),
        is_hazard=False,
        may_overlap=True,  # squares of one grid, once for each class and band
    )


def residual_surfaces(shown: ResidualMap, *, is_synthetic: bool) -> tuple[Surface, ...]:
    """
    Return expected items and bounds as surfaces, two for each class and band.

    Parameters
    ----------
    shown : ResidualMap
        What may remain.
    is_synthetic : bool
        Whether anything it rests on was made by a simulator.

    Returns
    -------
    surfaces : tuple of Surface
        Items per cell.
    """
    made = []
    for c, name in enumerate(shown.classes):
        for b, (low, high) in enumerate(shown.depth_bands):
            words = f"{name}, {low:g} to {high:g} m; not a release authorisation"
            for kind, values in (("expected", shown.expected), ("upper", shown.upper)):
                made.append(
                    Surface(
                        name=f"{kind}_items_per_cell",
                        values=values[c, b],
                        origin=shown.origin,
                        cell=shown.cell,
                        description=words,
                        is_synthetic=is_synthetic or shown.is_synthetic,
                    )
                )
    return tuple(made)


def _figures(item: Any) -> dict[str, float]:
    """Return the figures of a Remaining that an annex shows."""
    found = {name: float(getattr(item, name)) for name in _FIGURES}
    if any(not math.isfinite(value) for value in found.values()):
        msg = f"Invalid figures {found}. Must be finite."
        raise ValueError(msg)
    return found

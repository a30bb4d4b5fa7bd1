"""Layers of an annex and the files that they are written to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._version import __version__
from ..alarm import SAFETY_TEXT
from ..evidence import Site
from ..evidence.annex_matter import AnnexMatter
from ..evidence.chain import ChainedFile, chained_file
from ..evidence.dispositions import LogEntry, current_dispositions
from ..evidence.evidence_session import EvidenceSession
from ..evidence.grid import CoverageGrid
from ..evidence.ground_layers import ground_layers, ground_surfaces
from ..evidence.ground_map import GroundMap
from ..evidence.map_layers import alarm_layer, check_layer, record_layer, track_layer
from ..evidence.residual_file import residual_surfaces
from ..io.gis import (
    FieldMap,
    Layer,
    MapFrame,
    Release,
    admit,
    check_area_sum,
    write_form_csv,
    write_geopackage,
    write_geotiff,
    write_layer_csv,
    write_layer_geojson,
)
from ..io.gis._extra import import_geo
from ..io.gis.layers import table_layer

#: Name of the GeoPackage of an annex.
MAP = "annex.gpkg"


def map_frame(site: Site, *, is_synthetic: bool) -> MapFrame:
    """
    Return the place of a site on Earth.

    Parameters
    ----------
    site : Site
        With a coordinate system, or the WGS 84 place of its local origin.
    is_synthetic : bool
        Whether a fictitious place will do.

    Returns
    -------
    frame : MapFrame
        Of the site.

    Raises
    ------
    ValueError
        If the place is unknown and the data are not synthetic.
    """
    if site.frame.crs != "local":
        assert site.frame.origin is not None
        return MapFrame(
            crs=site.frame.crs, shift=site.frame.origin, name=site.frame.description
        )
    keys = ("origin_longitude_deg", "origin_latitude_deg", "origin_height_m")
    given = [site.annex.get(key, "") for key in keys]
    if any(given):
        try:
            longitude, latitude, height = (float(text) for text in given)
        except ValueError:
            msg = f"Invalid annex {', '.join(keys)} {given}. Must be three numbers."
            raise ValueError(msg) from None
        return MapFrame(origin=(longitude, latitude, height), name=site.frame.description)
    if not is_synthetic:
        msg = (
            "Invalid frame 'local' of the site: its place on Earth is not known. Must have a "
            f"crs with an origin, or {', '.join(keys)} in the table annex."
        )
        raise ValueError(msg)
    return MapFrame.fictitious()


def task_polygon(site: Site) -> Any:
    """
    Return the ground of the task as one shape.

    Parameters
    ----------
    site : Site
        Of the task.

    Returns
    -------
    task : shapely geometry
        In metres of the site.
    """
    shapely = import_geo("shapely")
    parts = [shapely.Polygon(area.polygon, area.holes) for area in site.area]
    return shapely.union_all(parts) if len(parts) > 1 else parts[0]


def map_layers_of(
    sessions: Sequence[EvidenceSession],
    entries: Sequence[LogEntry],
    grid: CoverageGrid,
    grounds: Sequence[GroundMap],
    task: Any,
) -> list[Layer]:
    """
    Return the layers of the map, as they were made.

    Parameters
    ----------
    sessions : sequence of EvidenceSession
        Recordings.
    entries : sequence of LogEntry
        Of the log of dispositions.
    grid : CoverageGrid
        States of the ground.
    grounds : sequence of GroundMap
        The same as maps.
    task : shapely geometry
        Ground of the task.

    Returns
    -------
    layers : list of Layer
        Neither checked nor admitted.
    """
    coverage, unseen = ground_layers(grounds, task=task)
    alarms = [alarm for session in sessions for alarm in session.alarms]
    thresholds = [session.threshold for session in sessions]
    threshold = thresholds[0] if len(set(map(str, thresholds))) == 1 else float("nan")
    sweeps = (sweep for session in sessions for sweep in session.open_sweeps())
    records = [record for session in sessions for record in session.records]
    sources = {r.identifier: s.name for s in sessions for r in s.records}
    return [
        coverage,
        unseen,
        alarm_layer(alarms, current_dispositions(entries), task=task, threshold=threshold),
        check_layer(grid.checks),
        track_layer(sweeps),
        record_layer(records, sources=sources),
    ]


def check_areas(coverage: Layer, grounds: Sequence[GroundMap]) -> None:
    """
    Raise unless the polygons of every map add up to the task.

    Parameters
    ----------
    coverage : Layer
        Of all maps.
    grounds : sequence of GroundMap
        The maps.
    """
    for ground in grounds:
        own = tuple(f for f in coverage.features if f.values["about"] == ground.label)
        check_area_sum(dataclasses.replace(coverage, features=own), ground.area)


def write_form(
    folder: Path, layers: Sequence[Layer], field_map: FieldMap, frame: MapFrame
) -> list[ChainedFile]:
    """
    Write the table of a country's form.

    Parameters
    ----------
    folder : Path
        Of the annex.
    layers : sequence of Layer
        As they were admitted.
    field_map : FieldMap
        Of the form.
    frame : MapFrame
        Of the site.

    Returns
    -------
    files : list of ChainedFile
        The table with its hash.

    Raises
    ------
    ValueError
        If the map is of no layer, or does not fit it.
    """
    found = [layer for layer in layers if layer.name == field_map.layer]
    if not found:
        known = ", ".join(layer.name for layer in layers)
        msg = f"Invalid layer '{field_map.layer}' of a field map. Must be one of {known}."
        raise ValueError(msg)
    name = f"form_{Path(field_map.source).stem}.csv"
    write_form_csv(folder / name, found[0], field_map, frame=frame)
    return [chained_file(folder / name, role="output", name=name)]


def write_maps(
    folder: Path,
    layers: Sequence[Layer],
    matter: AnnexMatter,
    release: Release,
) -> list[ChainedFile]:
    """
    Write all files of the map.

    Parameters
    ----------
    folder : Path
        Of the annex.
    layers : sequence of Layer
        As they were admitted.
    matter : AnnexMatter
        What the annex is made from.
    release : Release
        For whom and for what.

    Returns
    -------
    files : list of ChainedFile
        With their hashes.
    """
    frame, is_synthetic = matter.frame, matter.is_synthetic
    written = []
    about = [
        ("program", f"minesense {__version__}"),
        ("data_kind", "SYNTHETIC" if is_synthetic else "recorded"),
        ("confidentiality", release.level),
        ("coordinates", "WGS 84 longitude and latitude (EPSG:4326)"),
        ("origin", frame.name),
        ("safety", SAFETY_TEXT),
    ]
    manifest = admit(
        [table_layer("manifest", about, "what this file is")],
        Release(level=release.level, exact_positions=release.exact_positions),
        is_synthetic=is_synthetic,
    )
    write_geopackage(folder / MAP, [*layers, *manifest], frame=frame)
    written.append(MAP)
    for layer in layers:
        write_layer_geojson(folder / f"{layer.name}.geojson", layer, frame=frame)
        write_layer_csv(folder / f"{layer.name}.csv", layer, frame=frame)
        written += [f"{layer.name}.geojson", f"{layer.name}.csv"]
    if release.shows_positions:
        surfaces = ground_surfaces(matter.grounds[0], is_synthetic=is_synthetic)
        write_geotiff(folder / "states.tif", surfaces, frame=frame, release=release)
        written.append("states.tif")
        if matter.residual is not None:
            surfaces = residual_surfaces(matter.residual, is_synthetic=is_synthetic)
            write_geotiff(folder / "residual.tif", surfaces, frame=frame, release=release)
            written.append("residual.tif")
    return [chained_file(folder / name, role="output", name=name) for name in written]

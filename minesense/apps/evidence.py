"""The command ``minesense evidence``: write the annex of a task."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import report
from .._version import __version__
from ..alarm import SAFETY_TEXT
from ..digest import canonical
from ..evidence import CoverageTracker, Footprint, Site, read_site
from ..evidence.annex import Annex, format_area
from ..evidence.annex_matter import AnnexMatter, check_statements, figure_layers
from ..evidence.annex_sections import annex_sections
from ..evidence.chain import (
    BEGINNING,
    HASHES,
    MANIFEST,
    ChainedFile,
    chain,
    chained_file,
    signature_block,
    write_manifest,
)
from ..evidence.dispositions import LogEntry, current_dispositions, read_dispositions
from ..evidence.evidence_session import EvidenceSession, session_checks, session_tracks
from ..evidence.grid import CoverageGrid
from ..evidence.ground_map import GroundMap
from ..evidence.ground_maps import ground_maps
from ..evidence.map_layers import (
    alarm_layer,
    check_layer,
    ground_layers,
    ground_surfaces,
    record_layer,
    track_layer,
)
from ..evidence.residual_file import load_residual, residual_layer, residual_surfaces
from ..evidence.site_file import line_of
from ..io.gis import (
    Layer,
    MapFrame,
    Release,
    admit,
    check_area_sum,
    check_frames,
    check_layers,
    read_field_map,
    write_form_csv,
    write_geopackage,
    write_geotiff,
    write_layer_csv,
    write_layer_geojson,
)
from ..io.gis._extra import import_geo
from ..io.gis.layers import table_layer
from .evidence_sessions import open_sessions
from .files import make_folder

PAGE, MAP = "annex.html", "annex.gpkg"
SITE, LOG, RESIDUAL = "site.toml", "dispositions.jsonl", "residual.npz"


def run(options: Namespace) -> str:
    """
    Write the annex of a task.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was observed, what was not, and the hash to sign.

    Raises
    ------
    ValueError
        If the input cannot be used, a shape is not valid, or a section that must not be empty
        is.
    OSError
        If a file cannot be read or written.
    """
    release = Release(
        level=options.level,
        purpose=options.purpose,
        exact_positions=True if options.exact_positions else None,
    )
    site = read_site(options.site)
    _check_annex_keys(site, Path(options.site))
    sessions = open_sessions(options.sessions)
    entries = read_dispositions(options.dispositions) if options.dispositions else ()
    maps = [read_field_map(path) for path in options.field_map or ()]
    is_synthetic = any(session.is_synthetic for session in sessions)
    frame = map_frame(site, is_synthetic=is_synthetic)
    residual = load_residual(options.residual) if options.residual else None
    is_synthetic = is_synthetic or bool(residual and residual.is_synthetic)
    grid = build_grid(site, sessions, entries)
    grounds = ground_maps(grid)
    task = _task_polygon(site)
    layers = _layers(sessions, entries, grid, grounds, task)
    layers.append(residual_layer(residual))
    check_layers(layers, task=task)
    _check_areas(layers[0], grounds)
    admitted = admit(layers, release, is_synthetic=is_synthetic)
    matter = AnnexMatter(
        site=site,
        grid=grid,
        grounds=grounds,
        sessions=sessions,
        entries=entries,
        frame=frame,
        is_synthetic=is_synthetic,
        shows_positions=release.shows_positions,
        residual=residual,
        program=_program(options, site),
    )
    _make_annex(matter, release)  # refuses an empty section before anything is written
    folder = make_folder(options.output or f"{site.task.identifier}-annex")
    _refuse_occupied(folder)
    files = _inputs(sessions, folder) + _copies(options, folder, sessions)
    for field_map in maps:
        files += _form(folder, admitted, field_map, frame)
    files += _maps(folder, admitted, matter, release)
    ordered = sorted(files, key=lambda f: (_ORDER.index(f.role), f.name))
    matter = _with_files(matter, ordered)
    annex = _make_annex(matter, release)
    report.annex_report(folder / PAGE, annex, figures=_figures(matter, site))
    files.append(chained_file(folder / PAGE, role="output", name=PAGE))
    head = write_manifest(folder, files, statement=_statement(matter, release))
    return _said(folder, matter, grounds, head)


_ORDER = ("input", "configuration", "model", "output")


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


def build_grid(
    site: Site, sessions: Sequence[EvidenceSession], entries: Sequence[LogEntry]
) -> CoverageGrid:
    """
    Return the states of the ground from all sessions.

    Parameters
    ----------
    site : Site
        Of the task.
    sessions : sequence of EvidenceSession
        Recordings with their alarms and checks.
    entries : sequence of LogEntry
        Of the log of dispositions.

    Returns
    -------
    grid : CoverageGrid
        With every alarm that no named person ended as ALARM.

    Raises
    ------
    ValueError
        If frames, clocks or identifiers do not fit the site or each other.
    """
    tracker = CoverageTracker(site)
    frame = site.frame.frame
    for session in sessions:
        check_frames(((sweep.lane, sweep.frame) for sweep in session.open_sweeps()), frame)
        for check in session_checks(session):
            tracker.push_check(check)
        for track in session_tracks(session, clock=site.task.clock):
            tracker.push_track(track)
        for alarm in session.alarms:
            tracker.push_alarm(alarm)
    known = {alarm.identifier for session in sessions for alarm in session.alarms}
    for name, entry in current_dispositions(entries).items():
        if name not in known:
            msg = f"Invalid disposition of alarm '{name}'. Must be of an alarm of the sessions."
            raise ValueError(msg)
        if entry.disposition.ends_alarm:
            tracker.dispose(name, by=entry.disposition.by)
    return tracker.finish()


def _check_annex_keys(site: Site, path: Path) -> None:
    """Raise, with the line, if the table annex of a site file has an unknown key."""
    try:
        check_statements(site.annex)
    except ValueError as error:
        key = str(error).split("'")[1]
        line = line_of(path.read_text(encoding="utf-8-sig"), f"$.annex.{key}")
        msg = f"Invalid site file '{path}', line {line}: {error}"
        raise ValueError(msg) from None


def _task_polygon(site: Site) -> Any:
    """Return the ground of the task as one shape."""
    shapely = import_geo("shapely")
    parts = [shapely.Polygon(area.polygon, area.holes) for area in site.area]
    return shapely.union_all(parts) if len(parts) > 1 else parts[0]


def _layers(
    sessions: Sequence[EvidenceSession],
    entries: Sequence[LogEntry],
    grid: CoverageGrid,
    grounds: Sequence[GroundMap],
    task: Any,
) -> list[Layer]:
    """Return the layers of the map, as they were made."""
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


def _check_areas(coverage: Layer, grounds: Sequence[GroundMap]) -> None:
    """Raise unless the polygons of every map add up to the task."""
    import dataclasses  # noqa: PLC0415

    for ground in grounds:
        own = tuple(f for f in coverage.features if f.values["about"] == ground.label)
        check_area_sum(dataclasses.replace(coverage, features=own), ground.area)


def _program(options: Namespace, site: Site) -> dict[str, str]:
    """Return what made the annex."""
    import hashlib  # noqa: PLC0415

    text = Path(options.site).read_bytes()
    return {
        "Program": f"minesense {__version__}",
        "SHA-512 of the site file": hashlib.sha512(text).hexdigest(),
        "Cell": f"{site.cell:g} m",
    }


def _make_annex(matter: AnnexMatter, release: Release) -> Annex:
    return Annex(
        title=f"{matter.site.task.identifier}, {matter.site.task.imsma_id}",
        sections=annex_sections(matter),
        is_synthetic=matter.is_synthetic,
        level=release.level,
    )


def _refuse_occupied(folder: Path) -> None:
    """Raise if a folder holds anything: an annex never mixes with another."""
    found = sorted(path.name for path in folder.iterdir())
    if found:
        msg = f"Invalid folder '{folder}': it holds '{found[0]}'. Must be new or empty."
        raise FileExistsError(msg)


def _inputs(sessions: Sequence[EvidenceSession], folder: Path) -> list[ChainedFile]:
    """Return the files of the sessions, hashed where they are."""
    here = folder.resolve()
    return [
        chained_file(
            path,
            role="input",
            name=name,
            location=Path(os.path.relpath(path.resolve(), here)).as_posix(),
        )
        for session in sessions
        for name, path in session.files
    ]


def _copies(
    options: Namespace, folder: Path, sessions: Sequence[EvidenceSession]
) -> list[ChainedFile]:
    """Copy what the annex was configured with; note what judged the samples."""
    files = []
    shutil.copyfile(options.site, folder / SITE)
    files.append(chained_file(folder / SITE, role="configuration", name=SITE))
    if options.dispositions:
        shutil.copyfile(options.dispositions, folder / LOG)
        files.append(chained_file(folder / LOG, role="configuration", name=LOG))
    if options.residual:
        shutil.copyfile(options.residual, folder / RESIDUAL)
        files.append(chained_file(folder / RESIDUAL, role="model", name=RESIDUAL))
    for k, path in enumerate(options.field_map or (), start=1):
        name = f"field_map_{k}.toml"
        shutil.copyfile(path, folder / name)
        files.append(chained_file(folder / name, role="configuration", name=name))
    models = {
        session.name: {
            "processing": dict(session.processing),
            "models": sorted({alarm.model for alarm in session.alarms}),
        }
        for session in sessions
    }
    (folder / "models.json").write_bytes(canonical(models) + b"\n")
    files.append(chained_file(folder / "models.json", role="model", name="models.json"))
    return files


def _form(folder: Path, layers: Sequence[Layer], field_map: Any, frame: MapFrame) -> list[Any]:
    """Write the table of a country's form."""
    found = [layer for layer in layers if layer.name == field_map.layer]
    if not found:
        known = ", ".join(layer.name for layer in layers)
        msg = f"Invalid layer '{field_map.layer}' of a field map. Must be one of {known}."
        raise ValueError(msg)
    name = f"form_{Path(field_map.source).stem}.csv"
    write_form_csv(folder / name, found[0], field_map, frame=frame)
    return [chained_file(folder / name, role="output", name=name)]


def _maps(
    folder: Path,
    layers: Sequence[Layer],
    matter: AnnexMatter,
    release: Release,
) -> list[ChainedFile]:
    """Write all files of the map."""
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


def _with_files(matter: AnnexMatter, files: Sequence[ChainedFile]) -> AnnexMatter:
    import dataclasses  # noqa: PLC0415

    return dataclasses.replace(matter, files=tuple(files), links=chain(files))


def _figures(matter: AnnexMatter, site: Site) -> dict[str, tuple[bytes, str, str]]:
    """Return the figures of the page by name."""
    rings = [ring for area in site.area for ring in (area.polygon, *area.holes)]
    synthetic = matter.is_synthetic
    figures: dict[str, tuple[bytes, str, str]] = {}
    chosen = [("", matter.grounds[0])]
    chosen += [(f"_{k}", matter.grounds[k + 1]) for k in figure_layers(matter.grid)]
    for suffix, ground in chosen:
        if not matter.shows_positions:
            break
        areas = "; ".join(f"{k} {format_area(v)} m2" for k, v in ground.areas().items())
        image = report.ground_figure(ground, outlines=rings, is_synthetic=synthetic)
        figures[f"states{suffix}"] = (
            image,
            f"Map of the task by state, {ground.label}: {areas}.",
            f"Ground of the task by state: {ground.label}. Hatching means that all gates were "
            "met and no threshold was crossed; it does not say what lies there.",
        )
        unseen = sum(part.area for part in ground.unseen())
        image = report.reason_figure(ground, outlines=rings, is_synthetic=synthetic)
        figures[f"reasons{suffix}"] = (
            image,
            f"Map of what was not observed, {ground.label}: {format_area(unseen)} m2.",
            f"What was not looked at to the stated limits, and why: {ground.label}, "
            f"{format_area(unseen)} m² of {format_area(ground.area)} m².",
        )
    figures |= _histograms(matter)
    if matter.shows_positions:
        alarms = [alarm for session in matter.sessions for alarm in session.alarms]
        table = current_dispositions(matter.entries)
        ended = frozenset(n for n, e in table.items() if e.disposition.ends_alarm)
        image = report.alarm_figure(
            matter.grounds[0], alarms, ended, outlines=rings, is_synthetic=synthetic
        )
        caption = f"{len(alarms)} alarms, {len(ended)} of them ended by a named person."
        figures["alarms"] = (image, f"Map of the alarms. {caption}", caption)
    return figures


def _histograms(matter: AnnexMatter) -> dict[str, tuple[bytes, str, str]]:
    """Return heights and speeds where ground was observed, beside their limits."""
    grid = matter.grid
    area = grid.units / 1e12
    figures = {}
    for k in figure_layers(grid):
        layer = grid.layers[k]
        gates = matter.site.sensor_named(layer.sensor).gates
        seen = grid.inside & (layer.looks > 0)
        about = matter.grounds[k + 1].label
        for name, values, unit, label, limit in (
            ("heights", layer.height, "m", "greatest height of a look", gates.head_height),
            ("speeds", layer.speed, "m/s", "greatest speed of a look", gates.speed_upper),
        ):
            limits = [] if limit.limit is None else [(float(limit.limit), "limit")]
            image = report.histogram_figure(
                np.asarray(values[seen], np.float64),
                area[seen],
                label=label,
                unit=unit,
                limits=limits,
                is_synthetic=matter.is_synthetic,
            )
            caption = f"{label.capitalize()} over the ground that was looked at: {about}."
            figures[f"{name}_{k}"] = (image, caption, caption)
    return figures


def _statement(matter: AnnexMatter, release: Release) -> Mapping[str, Any]:
    """Return what the manifest says of the annex."""
    task = matter.site.task
    return {
        "task": task.identifier,
        "imsma_id": task.imsma_id,
        "data_kind": "SYNTHETIC" if matter.is_synthetic else "recorded",
        "confidentiality": release.level,
        "purpose": release.purpose,
        "safety": SAFETY_TEXT,
        "frame": matter.frame.describe(),
    }


def _said(folder: Path, matter: AnnexMatter, grounds: Sequence[GroundMap], head: str) -> str:
    """Return what the command prints; no position is in it."""
    lines = ["SYNTHETIC data: says nothing about performance in the field."]
    lines = lines if matter.is_synthetic else []
    for ground in grounds:
        areas = ground.areas()
        unseen = sum(part.area for part in ground.unseen())
        lines.append(
            f"{ground.label}: of {format_area(ground.area)} m^2, "
            f"{format_area(areas['OBSERVED_NO_ALARM'])} m^2 observed without an alarm, "
            f"{format_area(areas['ALARM'])} m^2 under alarms, {format_area(unseen)} m^2 not "
            "observed to the limits"
        )
    blind = [layer for layer in matter.grid.layers if not isinstance(layer.model, Footprint)]
    if blind:
        lines.append(
            f"{len(blind)} of {len(matter.grid.layers)} pairs of sensor and target are "
            "such that the sensor says nothing of the target"
        )
    lines += [
        f"wrote {folder}: {PAGE}, {MAP}, {MANIFEST}, {HASHES} and maps",
        "last hash of the chain, to be signed:",
        signature_block(head if head != "" else BEGINNING),
        "draft for discussion; whether any authority accepts it is unknown",
        SAFETY_TEXT,
    ]
    return "\n".join(lines)

"""The command ``minesense evidence``: write the annex of a task."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import report
from .._version import __version__
from ..alarm import SAFETY_TEXT
from ..digest import canonical
from ..evidence import CoverageTracker, Footprint, Site, read_site
from ..evidence.annex import Annex, format_area
from ..evidence.annex_matter import AnnexMatter, check_statements
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
from ..evidence.lane_pauses import with_pauses_checked
from ..evidence.residual_file import load_residual, residual_layer
from ..evidence.site_file import line_of
from ..io.gis import (
    Release,
    admit,
    check_frames,
    check_layers,
    read_field_map,
)
from .evidence_figures import annex_figures
from .evidence_maps import (
    MAP,
    check_areas,
    map_frame,
    map_layers_of,
    task_polygon,
    write_form,
    write_maps,
)
from .evidence_sessions import open_sessions
from .files import make_folder

PAGE = "annex.html"
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
    sessions = open_sessions(
        options.sessions, stream_config=options.config, stream_model=options.model
    )
    entries = read_dispositions(options.dispositions) if options.dispositions else ()
    maps = [read_field_map(path) for path in options.field_map or ()]
    is_synthetic = any(session.is_synthetic for session in sessions)
    frame = map_frame(site, is_synthetic=is_synthetic)
    residual = load_residual(options.residual) if options.residual else None
    is_synthetic = is_synthetic or bool(residual and residual.is_synthetic)
    grid = build_grid(site, sessions, entries)
    grounds = ground_maps(grid)
    task = task_polygon(site)
    layers = map_layers_of(sessions, entries, grid, grounds, task)
    layers.append(residual_layer(residual))
    check_layers(layers, task=task)
    check_areas(layers[0], grounds)
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
    files = _inputs(sessions, folder) + _copies(options, folder, sessions, release)
    for field_map in maps:
        files += write_form(folder, admitted, field_map, frame)
    files += write_maps(folder, admitted, matter, release)
    ordered = sorted(files, key=lambda f: (_ORDER.index(f.role), f.name))
    matter = _with_files(matter, ordered)
    annex = _make_annex(matter, release)
    report.annex_report(folder / PAGE, annex, figures=annex_figures(matter, site))
    files.append(chained_file(folder / PAGE, role="output", name=PAGE))
    head = write_manifest(folder, files, statement=_statement(matter, release))
    return _said(folder, matter, grounds, head)


_ORDER = ("input", "configuration", "model", "output")


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
        tracks = session_tracks(session, clock=site.task.clock)
        pause = session.notes.pause_between_lanes
        for track in with_pauses_checked(tracks, site, pause=pause):
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
    return [_input(path, folder, name) for session in sessions for name, path in session.files]


def _input(path: Path, folder: Path, name: str) -> ChainedFile:
    """Return a file that stays where it is."""
    location = os.path.relpath(path.resolve(), folder.resolve())
    return chained_file(path, role="input", name=name, location=Path(location).as_posix())


def _copies(
    options: Namespace,
    folder: Path,
    sessions: Sequence[EvidenceSession],
    release: Release,
) -> list[ChainedFile]:
    """Copy what the annex was configured with; note what judged the samples."""
    files = []
    for path, name, role in (
        (options.site, SITE, "configuration"),
        (options.dispositions, LOG, "configuration"),
        (options.residual, RESIDUAL, "model"),
    ):
        if not path:
            continue
        if not release.shows_positions:
            # they hold places, or words about them: hashed where they are, and not handed on
            files.append(_input(Path(path), folder, name))
            continue
        shutil.copyfile(path, folder / name)
        files.append(chained_file(folder / name, role=role, name=name))
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


def _with_files(matter: AnnexMatter, files: Sequence[ChainedFile]) -> AnnexMatter:
    import dataclasses  # noqa: PLC0415

    return dataclasses.replace(matter, files=tuple(files), links=chain(files))


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

"""Open what the command line calls a session: folders of fields and of their alarms."""

from __future__ import annotations

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..alarm import Alarm
from ..evidence.evidence_session import (
    SESSION_FILE,
    EvidenceSession,
    SessionNotes,
    read_session_notes,
)
from ..io import read_alarms
from ..minefield_records import MinefieldRecord
from ..sweep import Sweep
from .evidence_streams import RECORDINGS, StreamParts, open_stream, read_parts
from .fieldfolder import read_lanes, read_records
from .fieldsweeps import read_sweeps
from .files import read_json

_MARK = b"SYNTHETIC"
_TEXT = (".json", ".csv", ".toml", ".geojson", ".jsonl")


def open_sessions(
    paths: Iterable[str | os.PathLike[str]],
    *,
    stream_config: str | os.PathLike[str] | None = None,
    stream_model: str | os.PathLike[str] | None = None,
) -> tuple[EvidenceSession, ...]:
    """
    Open sessions: recorded streams, and folders of fields, each with its folder of alarms.

    Parameters
    ----------
    paths : iterable of path-like
        A folder with field.json, and after it the folder that ``minesense detect`` wrote for
        it; the two may be one folder. session.toml lies in either. Or a recording of
        ``minesense stream``, with NAME.session.toml or session.toml beside it.
    stream_config, stream_model : path-like, optional
        Configuration and model of the live sessions that were recorded.

    Returns
    -------
    sessions : tuple of EvidenceSession
        One for each field and recording, in the order given.

    Raises
    ------
    ValueError
        If a path is no session, alarms belong to no field, a field has no alarms, or two
        sessions have the same name.
    OSError
        If a file cannot be read.
    """
    groups: list[list[Path]] = []
    for given in paths:
        path = Path(given)
        if path.suffix in RECORDINGS and path.is_file():
            groups.append([path])
            continue
        if not path.exists():
            msg = f"Invalid session '{path}'. Must be a folder or a recording that exists."
            raise ValueError(msg)
        is_field = (path / "field.json").is_file()
        is_alarms = (path / "alarms.csv").is_file()
        if not is_field and not is_alarms:
            msg = (
                f"Invalid session '{path}'. Must be a folder with field.json, or one with "
                "alarms.csv after it, or a recording of minesense stream."
            )
            raise ValueError(msg)
        if is_field:
            groups.append([path])
        elif not groups or groups[-1][0].is_file():
            msg = f"Invalid session '{path}': alarms of no field. Must follow their field."
            raise ValueError(msg)
        else:
            groups[-1].append(path)
    is_streamed = any(group[0].is_file() for group in groups)
    for option, file in (("--config", stream_config), ("--model", stream_model)):
        if file is not None and not is_streamed:
            msg = f"Invalid {option} '{file}'. Must come with a recording of minesense stream."
            raise ValueError(msg)
    parts = read_parts(stream_config, stream_model) if is_streamed else StreamParts()
    sessions = tuple(
        open_stream(group[0], parts) if group[0].is_file() else _field_session(group)
        for group in groups
    )
    names = [session.name for session in sessions]
    for name in names:
        if names.count(name) > 1:
            msg = f"Invalid session '{name}': it is given twice. Must be given once."
            raise ValueError(msg)
    return _with_own_names(sessions)


def _with_own_names(sessions: tuple[EvidenceSession, ...]) -> tuple[EvidenceSession, ...]:
    """Return sessions whose alarms can be told apart: a name of two gets its session's name."""
    counts = Counter(alarm.identifier for session in sessions for alarm in session.alarms)
    return tuple(
        dataclasses.replace(
            session,
            alarms=tuple(
                dataclasses.replace(alarm, identifier=f"{session.name}/{alarm.identifier}")
                if counts[alarm.identifier] > 1
                else alarm
                for alarm in session.alarms
            ),
        )
        for session in sessions
    )


def _field_session(folders: list[Path]) -> EvidenceSession:
    """Return the session of a field and of the alarms on it."""
    field = folders[0]
    name = field.resolve().name
    lanes = read_lanes(field)
    known = {lane["name"] for lane in lanes}
    found = [folder for folder in folders if (folder / "alarms.csv").is_file()]
    if not found:
        msg = (
            f"Invalid session '{field}': no alarms.csv. Must come with the folder of minesense "
            "detect: without a detector's judgement no ground counts as observed."
        )
        raise ValueError(msg)
    alarms, judged, threshold, processing = _alarms(found, known)
    if any(alarm.lane not in known for alarm in alarms):
        lane = next(alarm.lane for alarm in alarms if alarm.lane not in known)
        msg = f"Invalid alarms of session '{name}': lane '{lane}' is no lane of the field."
        raise ValueError(msg)

    def open_sweeps() -> Iterator[Sweep]:
        for lane in lanes:
            yield from read_sweeps(field, {lane["name"]})

    files = [
        (f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}", path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return EvidenceSession(
        name=name,
        is_synthetic=_is_synthetic(path for _, path in files) or _is_simulated(open_sweeps()),
        open_sweeps=open_sweeps,
        alarms=tuple(alarms),
        judged_lanes=frozenset(judged),
        notes=_notes(folders),
        files=tuple(files),
        records=_records(field),
        processing=processing,
        threshold=threshold,
    )


def _alarms(
    folders: list[Path], known: set[str]
) -> tuple[list[Alarm], set[str], float, dict[str, str]]:
    """Return alarms, the lanes that were judged, the threshold, and how it was done."""
    from .score import read_coverage  # noqa: PLC0415, loads NumPy and the scorer

    alarms: list[Alarm] = []
    judged: set[str] = set()
    threshold = math.nan
    processing: dict[str, str] = {}
    for folder in folders:
        alarms += read_alarms(folder / "alarms.csv")
        grid = folder / "coverage.npz"
        if not grid.is_file():
            msg = (
                f"Invalid session '{folder}': no coverage.npz. Must be there: it names the "
                "lanes that the detector went over."
            )
            raise ValueError(msg)
        lanes = set(read_coverage(grid).lanes)
        if not lanes <= known:
            msg = f"Invalid session '{folder}': it names lanes that the field has not."
            raise ValueError(msg)
        judged |= lanes
        quality = (
            read_json(folder / "quality.json") if (folder / "quality.json").is_file() else {}
        )
        if isinstance(quality.get("threshold"), float):
            threshold = quality["threshold"]
        processing |= {
            key: str(quality[key])
            for key in ("model", "mode", "threshold", "n_noticed", "guarantee")
            if quality.get(key) is not None
        }
    return alarms, judged, threshold, processing


def _notes(folders: list[Path]) -> SessionNotes:
    """Return what the session file states; nothing if there is none."""
    found = [folder / SESSION_FILE for folder in folders if (folder / SESSION_FILE).is_file()]
    if len(found) > 1:
        msg = f"Invalid session files '{found[0]}' and '{found[1]}'. Must be one."
        raise ValueError(msg)
    return read_session_notes(found[0]) if found else SessionNotes()


def _records(field: Path) -> tuple[MinefieldRecord, ...]:
    """Return the records of a field, if it has any."""
    return read_records(field) if (field / "records.json").is_file() else ()


def _is_synthetic(files: Iterable[Path]) -> bool:
    """Return whether a text file of the session says that it is synthetic."""
    for path in files:
        if path.suffix in _TEXT:
            with path.open("rb") as file:
                tail = b""
                while block := file.read(2**20):
                    if _MARK in tail + block:
                        return True
                    tail = block[-len(_MARK) :]
    return False


def _is_simulated(sweeps: Iterable[Sweep]) -> bool:
    """Return whether a sweep says that it was simulated."""
    return any(
        "SYNTHETIC" in sweep.frame.origin or any("SYNTHETIC" in line for line in sweep.history)
        for sweep in sweeps
    )

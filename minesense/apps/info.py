"""The command ``minesense info``."""

from __future__ import annotations

import json
import warnings
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..detect import Detector
from ..io import FormatError, FormatWarning, Recording, read
from ..io.formats import detect
from ..io.mcap_summary import describe_streams
from ..io.recording import LOOKED_THROUGH
from ..io.sniff import HEAD
from ..io.store import load_sweep
from ..seal import is_sealed
from ..sweep import Sweep
from .fieldfolder import SYNTHETIC, read_lanes, read_records, read_truth
from .fieldsweeps import check_sweeps, is_of_field, read_sweep
from .files import write_json
from .readoptions import call_with, parse_options


def run(options: Namespace) -> str:
    """
    Say what a recording, a sweep, a simulated field or a model holds.

    Hashes of a field and its sweeps are verified.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        One figure a line.

    Raises
    ------
    ValueError
        If it is none of them, or a file of a field is missing or not as it was written.
    OSError
        If it cannot be read.
    """
    path = Path(options.path)
    reading = parse_options(getattr(options, "option", []), "--option")
    if path.is_dir() and detect(b"", path) is not None:
        document = _describe_recording(path, reading)
    elif path.is_dir():
        document = _describe_field(path)
    elif is_of_field(path):
        sealed = "the sweep and field.json: as written, by their SHA-256"
        document = _describe_sweep(read_sweep(path), sealed)
    elif path.is_file() and _is_sweep(path):
        sweep = load_sweep(path)
        by_own = "the sweep: as written, by the SHA-256 that ends its history"
        unknown = "nothing: its history does not end with a SHA-256"
        document = _describe_sweep(sweep, by_own if is_sealed(sweep) else unknown)
    elif path.is_file() and _is_model(path):
        document = _describe_model(path)
    elif path.is_file() and _is_of_streams(path):
        document = _describe_recording(path, reading, call=describe_streams)
    else:
        document = _describe_recording(path, reading)
    if options.output:
        write_json(Path(options.output), document)
    return "\n".join(_lines(document))


def _describe_field(path: Path) -> dict[str, Any]:
    lanes, truth, records = read_lanes(path), read_truth(path), read_records(path)
    n_sweeps = check_sweeps(path)
    kinds = sorted({target.kind for target in truth.targets})
    return {
        "kind": "simulated field",
        "note": SYNTHETIC,
        "training_lanes": sum(not lane["is_blind"] for lane in lanes),
        "blind_lanes": sum(lane["is_blind"] for lane in lanes),
        "soils": sorted({lane["soil"] for lane in lanes}),
        "targets": {k: sum(t.kind == k for t in truth.targets) for k in kinds},
        "clutter": len(truth.clutter),
        "records": len(records),
        "sweeps": n_sweeps,
        "verified": "field, truth, records and every sweep: as written, by their SHA-256",
    }


def _is_sweep(path: Path) -> bool:
    """Return whether a file is an archive like those of a store of sweeps."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {"header.npy", "samples.npy"} <= set(archive.namelist())


def _is_model(path: Path) -> bool:
    """Return whether a file is an archive like those of models; projects of vendors are not."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "schema.json" in archive.namelist()


def _describe_sweep(sweep: Sweep, verified: str) -> dict[str, Any]:
    n_channels, n_samples = sweep.sensor.shape
    said = (sweep.frame.origin, *sweep.history)
    is_synthetic = any(line.startswith("SYNTHETIC") for line in said)
    return {
        "kind": "sweep",
        **({"note": SYNTHETIC} if is_synthetic else {}),
        "lane": sweep.lane,
        "sensor": sweep.sensor.name,
        "sensor_kind": sweep.sensor.kind,
        "traces": len(sweep),
        "channels": n_channels,
        "samples": n_samples,
        "usable_traces": int(sweep.is_usable.sum()),
        "frame": sweep.frame.origin,
        "history": list(sweep.history),
        "verified": verified,
    }


def _describe_model(path: Path) -> dict[str, Any]:
    detector = Detector.load(path)
    card = dict(detector.card)
    return {
        "kind": "model",
        "identity": detector.identity,
        **({"note": SYNTHETIC} if card.get("is_synthetic") else {}),
        **{key: card[key] for key in sorted(card) if key != "features"},
        "features": {k: [name for name, _ in v] for k, v in card["features"].items()},
        "sensors": {kind: dict(sensor) for kind, sensor in detector.sensors.items()},
        "thresholds": dict(detector.thresholds),
    }


def _is_of_streams(path: Path) -> bool:
    """Return whether a file is a recording of streams."""
    with path.open("rb") as file:
        found = detect(file.read(HEAD), path)
    return found is not None and found.name == "mcap"


def _describe_recording(
    path: Path, options: dict[str, Any], *, call: Callable[..., Any] | None = None
) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        if call is not None:  # describes without reading all at once
            document: dict[str, Any] = call_with(call, path, options=options)
        else:
            document = describe(call_with(read, path, options=options))
    document["warnings"] = list(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
    return document


def describe(source: Any) -> dict[str, Any]:
    """
    Return what was read from a file, whatever it is.

    Parameters
    ----------
    source : Recording, FrequencySweep, SweepFile or PositionLog
        As :func:`minesense.io.read` returns it.

    Returns
    -------
    document : dict
        JSON-ready.
    """
    if isinstance(source, Recording):
        return describe_recording(source)
    document: dict[str, Any] = source.describe()
    return document


def describe_recording(recording: Recording) -> dict[str, Any]:
    """
    Return what a recording holds; of a large one what its first traces tell.

    Parameters
    ----------
    recording : Recording
        As read.

    Returns
    -------
    document : dict
        JSON-ready.
    """
    n_traces, n_channels, n_samples = recording.shape
    is_large = recording.stored.nbytes > LOOKED_THROUGH
    n_first = LOOKED_THROUGH * n_traces // max(1, recording.stored.nbytes)
    part = recording[: max(1, n_first)] if is_large else recording
    n_clipped = int(part.survey().n_clipped.sum())
    return {
        "kind": "radar recording",
        "format": recording.format,
        "traces": n_traces,
        "channels": n_channels,
        "samples": n_samples,
        "stored_as": str(recording.stored.dtype),
        "sample_interval_s": recording.sample_interval,
        "window_s": recording.window,
        "time_zero_in_header_s": recording.time_zero,
        "trace_spacing_m": recording.spacing,
        "trace_interval_s": recording.trace_interval,
        "centre_frequency_hz": _frequency(part),
        "antenna_separation_m": recording.antenna_separation,
        "date": recording.date,
        "fixes": len(recording.fixes),
        "traces_with_position": int(np.count_nonzero(~np.isnan(part.latitude))),
        "marks": part.marks.tolist(),
        "clipped_samples": n_clipped,
        **({"traces_looked_at": len(part)} if is_large else {}),
        "sources": dict(recording.sources),
        "corrections": [str(correction) for correction in recording.corrections],
        "warnings": list(recording.warnings),
    }


def _frequency(recording: Recording) -> float | None:
    """Return the centre frequency, by the header or estimated; None if neither tells it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FormatWarning)
            radar = recording.to_sweep().sensor.radar
    except FormatError:
        raise
    except ValueError:  # no trace that varies
        return None
    return radar.centre_frequency if radar else None


def _lines(document: dict[str, Any]) -> list[str]:
    """Return a document as aligned lines, nested values as compact JSON."""
    width = max(len(key) for key in document)
    lines = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], str):
            lines += [f"{key:<{width}}  {value[0]}"]
            lines += [f"{'':<{width}}  {item}" for item in value[1:]]
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{key:<{width}}  {'not stated' if value is None else text}")
    return lines

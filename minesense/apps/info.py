"""The command ``minesense info``."""

from __future__ import annotations

import json
import warnings
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..detect import Detector
from ..io import FormatWarning, read
from .fieldfolder import SYNTHETIC, read_lanes, read_truth
from .files import write_json


def run(options: Namespace) -> str:
    """
    Say what a recording, a simulated field or a model holds.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        One figure a line.
    """
    path = Path(options.path)
    if path.is_dir():
        document = _describe_field(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        document = _describe_model(path)
    else:
        document = _describe_recording(path)
    if options.output:
        write_json(Path(options.output), document)
    return "\n".join(_lines(document))


def _describe_field(path: Path) -> dict[str, Any]:
    lanes, truth = read_lanes(path), read_truth(path)
    kinds = sorted({target.kind for target in truth.targets})
    return {
        "kind": "simulated field",
        "note": SYNTHETIC,
        "training_lanes": sum(not lane["is_blind"] for lane in lanes),
        "blind_lanes": sum(lane["is_blind"] for lane in lanes),
        "soils": sorted({lane["soil"] for lane in lanes}),
        "targets": {k: sum(t.kind == k for t in truth.targets) for k in kinds},
        "clutter": len(truth.clutter),
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


def _describe_recording(path: Path) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        recording = read(path)
        sweep = recording.to_sweep()
    n_traces, n_channels, n_samples = recording.shape
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
        "centre_frequency_hz": sweep.sensor.radar.centre_frequency
        if sweep.sensor.radar
        else None,
        "antenna_separation_m": recording.antenna_separation,
        "date": recording.date,
        "fixes": len(recording.fixes),
        "marks": recording.marks.tolist(),
        "clipped_samples": int(recording.n_clipped.sum()),
        "sources": dict(recording.sources),
        "corrections": [str(correction) for correction in recording.corrections],
        "warnings": list(dict.fromkeys(" ".join(str(w.message).split()) for w in caught)),
    }


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

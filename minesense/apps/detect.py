"""The command ``minesense detect``: on a recording, or on a simulated field."""

from __future__ import annotations

import dataclasses
import errno
import math
import os
import warnings
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from .. import report
from ..alarm import SAFETY_TEXT
from ..coverage import Coverage
from ..detect import Detection, Detector, Screening, screen_recording
from ..io import FormatWarning, Recording, read, write_csv, write_geojson
from ..sweep import Frame, Sweep
from .fieldfolder import SYNTHETIC, ground_of, read_lanes
from .fieldsweeps import read_sweeps
from .files import make_folder, write_json


def run(options: Namespace) -> str:
    """
    Find alarms and write them.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        What was scanned and found.

    Raises
    ------
    ValueError
        If the input cannot be used.
    OSError
        If there is none, or it cannot be read.
    """
    path = Path(options.path)
    if path.is_dir():
        return _detect_field(path, options)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if options.model:
        msg = (
            f"Invalid --model '{options.model}' for the recording '{path}'. Must be left out: "
            "models are trained on the sensors of a simulated field."
        )
        raise ValueError(msg)
    if options.miss_rate is not None:
        msg = (
            f"Invalid --miss-rate '{options.miss_rate:g}' for the recording '{path}'. Must be "
            "left out: no model knows its sensor, so no rate can be promised."
        )
        raise ValueError(msg)
    return _detect_recording(path, options)


def _detect_field(path: Path, options: Namespace) -> str:
    """Run a trained detector over lanes of a simulated field."""
    if not options.model:
        msg = f"Invalid folder '{path}' without a model. Must come with --model FILE."
        raise ValueError(msg)
    detector = Detector.load(options.model)
    if options.miss_rate is not None:
        detector.certify(options.miss_rate, mode=options.mode)  # before anything is read
    chosen = [
        lane
        for lane in read_lanes(path)
        if options.lanes == "all" or lane["is_blind"] == (options.lanes == "blind")
    ]
    if not chosen:
        msg = f"Invalid field '{path}': no {options.lanes} lanes. Must hold at least one."
        raise ValueError(msg)
    output = make_folder(options.output or f"{path.resolve().name}-alarms")
    names = {lane["name"] for lane in chosen}
    sweeps = read_sweeps(path, names)
    with tqdm(total=len(chosen), desc="detecting", unit="lane") as bar:
        found = detector.detect(
            sweeps,
            mode=options.mode,
            area=ground_of(chosen),
            threshold=options.threshold,
            miss_rate=options.miss_rate,
            workers=options.workers,
            progress=lambda _: bar.update() and None,
        )
    write_detection(output, found, sweeps[0].frame)
    n_alarms = len(found)
    promise = f"{found.guarantee}\n" if found.guarantee else ""
    if promise and found.unfamiliar:
        promise += (
            f"{len(found.unfamiliar)} stretches are unlike the training lanes: there the "
            "promise does not hold, and every place is an alarm.\n"
        )
    n_new = sum(math.isnan(alarm.probability) for alarm in found.ranked)
    new = (
        f"{n_new} places without a probability: their ground is unlike that of training, and "
        "all are alarms, whatever the threshold\n"
        if n_new
        else ""
    )
    return (
        f"{SYNTHETIC}\n"
        f"{promise}"
        f"{n_alarms} alarms (of {len(found.ranked)} places that were noticed) on "
        f"{found.coverage.area('any'):.1f} m^2 observed, "
        f"{found.coverage.missing_area('any'):.1f} m^2 not observed; wrote {output}\n"
        f"{new}"
        f"{SAFETY_TEXT}"
    )


def write_detection(output: Path, found: Detection, frame: Frame) -> None:
    """
    Write the alarms of a simulated field and what they rest on.

    Parameters
    ----------
    output : Path
        An existing folder. It receives the alarms at or above the threshold in alarms.csv
        and alarms.geojson, every place that was noticed in noticed.csv, the ground that was
        observed in coverage.npz, and threshold, areas and gaps in quality.json.
    found : Detection
        What was found.
    frame : Frame
        Of the positions.
    """
    write_csv(found, output / "alarms.csv", synthetic=True)
    write_csv(found.ranked, output / "noticed.csv", synthetic=True)
    write_geojson(found, output / "alarms.geojson", frame=frame, synthetic=True)
    write_coverage(output / "coverage.npz", found.coverage)
    write_json(output / "quality.json", field_quality(found))


def write_coverage(path: Path, coverage: Coverage) -> None:
    """
    Write which ground was observed.

    Parameters
    ----------
    path : Path
        File to write.
    coverage : Coverage
        The grid.
    """
    arrays: dict[str, Any] = coverage.to_arrays()
    np.savez_compressed(path, **arrays)


def field_quality(found: Detection) -> dict[str, Any]:
    """
    Return what a detection over a simulated field rests on, ready for JSON.

    Parameters
    ----------
    found : Detection
        Alarms and coverage.

    Returns
    -------
    quality : dict
        Areas observed and not observed with reasons, gaps, threshold and model.
    """
    area = found.coverage
    return {
        "note": SYNTHETIC,
        "mode": found.mode,
        "model": found.model,
        "threshold": found.threshold,
        "n_alarms": len(found),
        "n_noticed": len(found.ranked),
        "observed_m2": {kind: round(area.area(kind), 4) for kind in ("any", *area.kinds)},
        "not_observed_m2": {
            kind: {name: round(m2, 4) for name, m2 in area.not_observed(kind).items()}
            for kind in ("any", *area.kinds)
        },
        "gaps": [
            {"lane": gap.lane, "sensor": gap.sensor, "length_m": round(gap.length, 4)}
            for gap in found.gaps
        ],
        "withheld_by_cap": [dataclasses.asdict(item) for item in found.withheld],
        "kept": {name: list(by) for name, by in found.kept.items()},
        "unlike_training": [dataclasses.asdict(item) for item in found.unfamiliar],
        "guarantee": found.guarantee.as_dict() if found.guarantee else None,
    }


def _detect_recording(path: Path, options: Namespace) -> str:
    """Run the radar half on a recording."""
    overrides = {} if options.spacing is None else {"spacing": options.spacing}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        recording = read(path, **overrides)
        raw = recording.to_sweep(lane=path.stem, centre_frequency=options.frequency)
    notes = list(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
    screening = screen_recording(raw, threshold=options.threshold)
    output = make_folder(options.output or f"{path.stem}-alarms")
    write_csv(screening.alarms, output / "alarms.csv")
    write_geojson(screening.alarms, output / "alarms.geojson", frame=raw.frame, synthetic=False)
    quality = recording_quality(recording, raw, screening, notes)
    write_json(output / "quality.json", quality)
    (output / "section.png").write_bytes(report.section_before_after(raw, screening))
    report.recording_report(output / "report.html", recording, raw, screening)
    return "\n".join([*_summary(quality), f"wrote {output}", SAFETY_TEXT])


def recording_quality(
    recording: Recording, raw: Sweep, screening: Screening, notes: list[str]
) -> dict[str, Any]:
    """
    Return what was scanned, how well, and how every figure came about, ready for JSON.

    Parameters
    ----------
    recording : Recording
        As read.
    raw : Sweep
        Its sweep.
    screening : Screening
        What the prescreener noticed.
    notes : list of str
        Warnings of the reader.

    Returns
    -------
    quality : dict
        Numbers with their unit in the name; None where the recording does not state one.
    """
    radar = raw.sensor.radar
    return {
        "file": recording.path.name,
        "format": recording.format,
        "truth": "none is known: alarms are places that stand out, Pd cannot be stated",
        "n_traces": screening.n_traces,
        "n_channels": raw.sensor.shape[0],
        "n_samples": raw.sensor.shape[1],
        "sample_interval_s": recording.sample_interval,
        "window_s": recording.window,
        "time_zero_in_header_s": recording.time_zero,
        "trace_spacing_m": recording.spacing,
        "length_m": _number(screening.length),
        "observed_length_m": _number(screening.observed_length)
        if math.isfinite(screening.length)
        else None,
        "n_observed_traces": screening.n_observed,
        "n_not_observed_traces": screening.n_traces - screening.n_observed,
        "not_observed_by_reason": screening.reasons,
        "gaps": [{"length_m": _number(g.length)} for g in screening.gaps],
        "n_alarms": len(screening.alarms),
        "alarms_per_metre": _number(screening.alarms_per_metre)
        if math.isfinite(screening.length)
        else None,
        "alarms_per_trace": len(screening.alarms) / max(1, screening.n_observed),
        "threshold": screening.settings.radar.threshold,
        "centre_frequency_hz": radar.centre_frequency if radar else None,
        "n_clipped_samples": int(recording.n_clipped.sum()),
        "is_offset_gather": recording.is_offset_gather,
        "sources": dict(recording.sources),
        "corrections": [str(correction) for correction in recording.corrections],
        "warnings": notes,
        "settings": screening.settings.as_dict(),
        "history": list(screening.screened.parts[0].scores.history),
    }


def _summary(quality: dict[str, Any]) -> list[str]:
    """Return the lines that the command prints."""
    if quality["length_m"] is None:
        scanned = "length not stated by the file"
        rate = f"{quality['alarms_per_trace']:.4f} alarms per trace"
    else:
        scanned = (
            f"{quality['length_m']:.2f} m, of which {quality['observed_length_m']:.2f} m "
            "could be judged"
        )
        rate = f"{quality['alarms_per_metre']:.3f} alarms per metre"
    lines = [
        f"{quality['file']}: {quality['n_traces']} traces of "
        f"{quality['n_channels']} channel(s), "
        f"{quality['window_s'] * 1e9:.1f} ns; {scanned}",
        f"{quality['n_alarms']} alarms above a score of {quality['threshold']:g}: {rate}; "
        "no model knows this sensor, so no probability",
    ]
    if quality["n_not_observed_traces"]:
        reasons = ", ".join(f"{k} {v}" for k, v in quality["not_observed_by_reason"].items())
        lines.append(f"not observed: {quality['n_not_observed_traces']} traces ({reasons})")
    if quality["is_offset_gather"]:
        lines.append("the header says this is an offset gather: distances are not along a line")
    return lines + [f"warning: {note}" for note in quality["warnings"]]


def _number(value: float) -> float | None:
    """Return a number, or None where there is none."""
    return float(value) if math.isfinite(value) else None

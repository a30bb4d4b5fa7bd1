"""The command ``minesense calibrate-lag``: the lag of a detector from a recorded drive."""

from __future__ import annotations

import json
import math
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..emi.lag_calibration import LagCalibration, calibrate_lag
from ..message import StreamDeclaration
from ..stream import load_config
from ..stream.located_scans import located_scans
from ..stream.replay_source import read_stream

_BACKWARD = (
    "Not every fix states a heading: that of the track stands in, and the lag is wrong by the "
    "way of two lever arms if the platform backed up instead of turning round."
)


def run(options: Namespace) -> str:
    """
    Estimate a lag and say how to declare it.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The lag, its error, and the fields of the declaration.

    Raises
    ------
    ValueError, OSError, ImportError
        If the recording or the configuration cannot be used, or tells no lag.
    """
    config = None if options.config is None else load_config(options.config)
    sweeps, declaration, is_heading_stated = located_scans(
        read_stream(options.path), options.stream, config=config
    )
    found = calibrate_lag(
        sweeps, largest=options.largest, reach=options.reach, smooth=options.smooth
    )
    # stamps in steps of the resolution cannot tell less
    error = found.error + declaration.resolution
    if options.output is not None:
        document = {
            **_document(declaration, found, error),
            "is_heading_stated": is_heading_stated,
        }
        Path(options.output).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    text = _text(declaration, found, error)
    return text if is_heading_stated else f"{text}\n{_BACKWARD}"


def _document(
    declaration: StreamDeclaration, found: LagCalibration, error: float
) -> dict[str, Any]:
    """Return what is written as JSON."""
    return {
        "stream": declaration.name,
        "lag": declaration.lag + found.lag,
        "lag_error": error,
        "declared_lag": declaration.lag,
        "n_passes": found.n_passes,
        "left_out": list(found.refused),
        "pairs": [
            {
                "start_time": times[0],
                "stop_time": times[1],
                "lag": declaration.lag + pair.lag,
                "standard_error": pair.error,
                "correlation": pair.correlation,
                "overlap": pair.overlap,
            }
            for pair, times in zip(found.pairs, found.times, strict=True)
        ],
    }


def _text(declaration: StreamDeclaration, found: LagCalibration, error: float) -> str:
    """Return what is printed."""
    total = declaration.lag + found.lag
    n_digits = min(9, max(3, 1 - math.floor(math.log10(error))))
    lines = [
        f"Lag of stream '{declaration.name}' behind the positions: {total:.{n_digits}f} s, "
        f"95 % error {error:.{n_digits}f} s"
    ]
    if declaration.lag:
        lines.append(f"  of which {declaration.lag:g} s were declared already")
    lines += [
        f"  pair from {start:.2f} to {stop:.2f} s: "
        f"{declaration.lag + pair.lag:.{n_digits}f} s, "
        f"standard error {pair.error:.{n_digits}f} s, "
        f"correlation {pair.correlation:.3f} over {pair.overlap:.2f} m"
        for pair, (start, stop) in zip(found.pairs, found.times, strict=True)
    ]
    lines += [f"  left out: {reason}" for reason in found.refused]
    lines += [
        f"In the declaration of '{declaration.name}':",
        f'  "lag": {total:.{n_digits}f}, "lag_error": {error:.{n_digits}f}',
    ]
    return "\n".join(lines)

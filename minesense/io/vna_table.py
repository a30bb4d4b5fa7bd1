"""Read sweeps of a network analyser kept as one table a position, the axis in the name."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..sweep import Frame
from .frequency_arrays import check_axis_option
from .frequency_sweep import FrequencySweep, check_sweep, finish_sweep
from .sidecar import decode_lines, read_text_bytes
from .trouble import Findings, parse_number

_NUMBER = r"(-?[0-9]{1,9}(?:\.[0-9]{0,9})?)"
_PLACE = re.compile(rf"VNA(?:_data)?_X{_NUMBER}_Y{_NUMBER}(?=_|$|\.)")
_AXIS = re.compile(rf"_Fs{_NUMBER}M_Fe{_NUMBER}M_Qf{_NUMBER}(?=_|$|\.)")
_ORIENTATION = re.compile(r"_Or([XY])(?=_|$|\.)")
_HEIGHT = re.compile(rf"_H{_NUMBER}(?=_|$|\.)")
_HEADER = re.compile(r"(S[1-9][1-9])_real\s*,\s*(S[1-9][1-9])_imag", re.IGNORECASE)

#: Positions come from the names of files, in the raster of the table the antenna moves on.
TABLE_FRAME = Frame(crs="local", origin="origin of the raster that names of files count from")


def read_vna_table(
    path: str | Path,
    *,
    start_frequency: float | None = None,
    stop_frequency: float | None = None,
    strict: bool = False,
    is_conjugate: bool = False,
) -> FrequencySweep:
    """
    Read the sweep of one position, or a folder of them as one survey.

    Parameters
    ----------
    path : str or Path
        A CSV file with the header `S21_real,S21_imag`, or a folder with such files.
    start_frequency, stop_frequency : float, optional
        Of the first and the last row, in hertz, instead of what the name says, or because it
        says nothing.
    strict : bool, optional
        Whether warnings are errors.
    is_conjugate : bool, optional
        Whether phasors turn as exp(-i w t).

    Returns
    -------
    sweep : FrequencySweep
        Positions from the names, sorted by Y, then X; `header["files"]` names them.

    Raises
    ------
    FormatError
        If the axis is not known, the number of rows is not the one that the name says, a cell
        is no number, or files of a folder differ in their axis.
    TypeError, ValueError
        If an option is not in its range.

    Notes
    -----
    Names are `VNA_X<mm>_Y<mm>_Or<X or Y>_Fs<MHz>M_Fe<MHz>M_Qf<points>_H<mm>.csv`, or
    `VNA_data_X.._Y...csv` of an older form, which does not tell the axis.
    """
    path = Path(path)
    findings = Findings(path, strict=strict)
    files = [path]
    if path.is_dir():
        files = _files_of(path)
        if not files:
            findings.fail("folder", str(path), "one with files VNA_X.._Y...csv in it")
    given = (start_frequency, stop_frequency)
    parts = [_read_one(findings, file, given) for file in files]
    first = parts[0]
    for file, part in zip(files, parts, strict=True):
        same = np.array_equal(part["frequency"], first["frequency"])
        if not same or part["parameter"] != first["parameter"]:
            rule = f"the axis and parameter of {files[0].name}"
            findings.fail("sweep", file.name, rule)
    order = sorted(
        range(len(files)), key=lambda k: (*_key(parts[k]["position"]), files[k].name)
    )
    parts, files = [parts[k] for k in order], [files[k] for k in order]
    positions = np.array([part["position"] for part in parts], np.float64)
    sweep = check_sweep(
        findings,
        first["frequency"],
        np.stack([part["values"] for part in parts]),
        parameters=(first["parameter"],),
        position=positions,
        frame=TABLE_FRAME,
        is_conjugate=is_conjugate,
    )
    return finish_sweep(
        findings,
        sweep,
        format="vna",
        header={
            "files": [file.name for file in files],
            "orientation": [part["orientation"] for part in parts],
            "height_m": [part["position"][2] for part in parts],
        },
        sources={
            "frequency": "caller" if start_frequency is not None else "name of the file",
            "position": "name of the file",
        },
    )


def _files_of(folder: Path) -> list[Path]:
    """Return the tables of a folder."""
    return [
        entry
        for entry in sorted(folder.iterdir())
        if entry.is_file() and entry.suffix.lower() == ".csv" and _PLACE.match(entry.name)
    ]


def _key(position: list[float]) -> tuple[float, float]:
    """Return what positions are sorted by: Y, then X, the unknown last."""
    x, y = position[0], position[1]
    return (y if math.isfinite(y) else math.inf, x if math.isfinite(x) else math.inf)


def _read_one(
    findings: Findings, path: Path, given: tuple[float | None, float | None]
) -> dict[str, Any]:
    """Return axis, values and place of one file."""
    own = Findings(path, strict=findings.strict)
    lines = decode_lines(read_text_bytes(path), own)
    findings.corrections += own.corrections
    findings.warnings += own.warnings
    header = _HEADER.fullmatch(lines[0].strip()) if lines else None
    if header is None or header[1].upper() != header[2].upper():
        own.fail("header", lines[0][:80] if lines else "nothing", "S21_real,S21_imag", "line 1")
        raise AssertionError  # fail() has raised
    values = np.empty(len(lines) - 1, np.complex128)
    for k, line in enumerate(lines[1:]):
        cells = line.split(",")
        numbers = [parse_number(cell) for cell in cells]
        if len(cells) != 2 or None in numbers:
            own.fail("row", line[:80], "two decimal numbers", f"line {k + 2}")
        values[k] = complex(numbers[0] or 0.0, numbers[1] or 0.0)
    return {
        "values": values[None],
        "frequency": _axis_of(own, path.name, len(values), given),
        "parameter": header[1].upper(),
        "position": _place_of(path.name),
        "orientation": (_ORIENTATION.search(path.name) or [None, None])[1],
    }


def _place_of(name: str) -> list[float]:
    """Return X, Y and height in metres, NaN where the name does not tell."""
    place, height = _PLACE.match(name), _HEIGHT.search(name)
    return [
        float(place[1]) / 1000 if place else math.nan,
        float(place[2]) / 1000 if place else math.nan,
        float(height[1]) / 1000 if height else 0.0,
    ]


def _axis_of(
    findings: Findings, name: str, count: int, given: tuple[float | None, float | None]
) -> npt.NDArray[np.float64]:
    """Return the frequencies in Hz that the caller gives, or the name tells."""
    match = _AXIS.search(name)
    if match and float(match[3]) != count:
        findings.fail("rows", count, f"Qf{match[3]} rows, as the name says")
    if given != (None, None):
        if None in given:
            msg = f"Invalid frequencies {given}. Must be both first and last, or neither."
            raise ValueError(msg)
        return check_axis_option(given[0], given[1], count)
    if match is None:
        rule = "with Fs, Fe and Qf in it: or pass start_frequency and stop_frequency"
        findings.fail("name", name, rule)
        raise AssertionError  # fail() has raised
    first, last = float(match[1]) * 1e6, float(match[2]) * 1e6
    if count < 2 or not 0 <= first < last:
        findings.fail("axis", f"{count} rows from {first:g} to {last:g} Hz", "increasing")
    return np.linspace(first, last, count)

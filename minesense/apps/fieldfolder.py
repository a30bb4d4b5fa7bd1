"""A synthetic field as a folder: its sweeps, its truth and its recipe."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..coverage import Rectangle, Region
from ..digest import PREFIX, digest_lines
from ..io import save_sweeps
from ..minefield_records import MinefieldRecord
from ..sweep import Sweep
from ..synthetic import Field
from ..synthetic.document import plain
from ..truth import Truth
from .fieldseal import KIND, VERSION, are_rows, check_beside, check_field, digest_of
from .files import read_json, write_json

#: Begins the note that every file about a synthetic field carries.
SYNTHETIC = "SYNTHETIC data: says nothing about performance in the field."


def write_field(
    folder: str | os.PathLike[str],
    field: Field,
    sweeps: Iterable[Sweep],
) -> int:
    """
    Write sweeps, truth, records and recipe to a folder, one lane at a time.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist.
    field : Field
        What is swept.
    sweeps : iterable of Sweep
        What is recorded, such as :meth:`minesense.synthetic.Field.stream`; only one is in
        memory at a time.

    Returns
    -------
    n_traces : int
        Traces of all channels that were written.

    Raises
    ------
    FileExistsError
        If the folder holds a field already.
    OSError
        If it cannot be written to.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[dict[str, Any]] = []
    n_traces = 0

    def noted() -> Iterator[Sweep]:
        nonlocal n_traces
        for sweep in sweeps:
            digest = sweep.history[-1].removeprefix(PREFIX)
            written.append({"lane": sweep.lane, "sensor": sweep.sensor.name, "sha256": digest})
            n_traces += len(sweep) * sweep.sensor.shape[0]
            yield sweep

    paths = save_sweeps(folder / "sweeps", noted())
    for entry, path in zip(written, paths, strict=True):
        entry["file"] = path.name
    digest = _write_truth(folder / "truth.json", field)
    records_digest = _write_records(folder / "records.json", field.records)
    lanes = [
        {
            "name": lane.name,
            "area": list(lane.area),
            "corners": lane.corners.round(6).tolist(),
            "heading": lane.heading,
            "soil": lane.soil.preset.name,
            "is_blind": lane.is_blind,
        }
        for lane in field.lanes
    ]
    recipe = {"scenario": plain(field.scenario), "seed": field.seed}
    found = {"lanes": lanes, "sweeps": written}
    digests = {"truth_sha256": digest, "records_sha256": records_digest}
    document = {"format": KIND, "version": VERSION, **recipe, **found, **digests}
    sealed = {"note": SYNTHETIC, **document, "sha256": digest_of(document)}
    write_json(folder / "field.json", sealed)
    return n_traces


def _write_truth(path: Path, field: Field) -> str:
    """Write the truth of a field row by row; return its SHA-256."""
    head = {"is_synthetic": True, "position_error": 0.0}

    def rows() -> Iterator[dict[str, Any]]:
        for lane in field.lanes:
            yield from map(dataclasses.asdict, field.rows_of(lane.index))

    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(f'{{\n"note": {json.dumps(SYNTHETIC)},\n"objects": [')

        def written() -> Iterator[dict[str, Any]]:
            yield head
            for k, row in enumerate(rows()):
                file.write(("," if k else "") + "\n" + json.dumps(row, allow_nan=False))
                yield row
            file.write('\n],\n"origins": [')
            for k, row in enumerate(map(dataclasses.asdict, field.record_origins)):
                file.write(("," if k else "") + "\n" + json.dumps(row, allow_nan=False))
                yield row

        digest = digest_lines(written())
        rest = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
        file.write(f'\n],\n{rest},\n"sha256": "{digest}"\n}}\n')
    temporary.replace(path)
    return digest


def _write_records(path: Path, records: Iterable[MinefieldRecord]) -> str | None:
    """Write minefield records, if there are any; return their SHA-256."""
    rows = [dataclasses.asdict(record) for record in records]
    if not rows:
        return None
    digest = digest_lines(rows)
    write_json(path, {"note": SYNTHETIC, "records": rows, "sha256": digest})
    return digest


def read_truth(path: str | os.PathLike[str]) -> Truth:
    """
    Read the truth of a field.

    Parameters
    ----------
    path : path-like
        truth.json, or the folder that holds it.

    Returns
    -------
    truth : Truth
        What lies in the ground.

    Raises
    ------
    ValueError
        If the file is not the truth of a field, or not as it was written: that of a synthetic
        field must carry its SHA-256, and a field.json beside it must name it. The message
        says what is wrong where.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    path = path / "truth.json" if path.is_dir() else path
    document = read_json(path)
    digest = document.pop("sha256", None)
    document.pop("note", None)
    try:
        truth = msgspec.convert(document, Truth, strict=True)
    except msgspec.ValidationError as error:
        msg = f"Invalid truth '{path}': {error}. Must be a truth.json of minesense simulate."
        raise ValueError(msg) from None
    if truth.sha256 != digest and (truth.is_synthetic or digest is not None):
        msg = (
            f"Invalid truth '{path}': its sha256 is '{digest}'. Must be that of its content, "
            f"{truth.sha256}: it was changed after it was written."
        )
        raise ValueError(msg)
    check_beside(path, "truth", truth.sha256)
    return truth


def read_records(folder: str | os.PathLike[str]) -> tuple[MinefieldRecord, ...]:
    """
    Read the minefield records of a field.

    Parameters
    ----------
    folder : path-like
        Folder of ``minesense simulate``.

    Returns
    -------
    records : tuple of MinefieldRecord
        Empty if the field has none.

    Raises
    ------
    ValueError
        If records.json is not of this form, not as it was written, or not what a field.json
        beside it names, also where one of the two has none.
    OSError
        If it cannot be read.
    """
    path = Path(folder) / "records.json"
    if not path.exists():
        check_beside(path, "records", None)
        return ()
    document = read_json(path)
    rows = document.get("records")
    try:
        records = msgspec.convert(rows, tuple[MinefieldRecord, ...], strict=True)
    except msgspec.ValidationError as error:
        msg = (
            f"Invalid records '{path}': {error}. Must be a records.json of minesense simulate."
        )
        raise ValueError(msg) from None
    digest = digest_lines(dataclasses.asdict(record) for record in records)
    if document.get("sha256") != digest:
        msg = (
            f"Invalid records '{path}': their sha256 is '{document.get('sha256')}'. Must be "
            f"that of their content, {digest}: they were changed after they were written."
        )
        raise ValueError(msg)
    check_beside(path, "records", digest)
    return records


def read_lanes(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """
    Read the lanes of a field.

    Parameters
    ----------
    folder : path-like
        Folder of ``minesense simulate``.

    Returns
    -------
    lanes : list of dict
        With name, area, corners, heading, soil and is_blind.

    Raises
    ------
    ValueError
        If field.json is not of this form, or not as it was written.
    OSError
        If it cannot be read.
    """
    path = Path(folder) / "field.json"
    document = read_json(path)
    lanes: Any = document.get("lanes")
    wanted = {
        "name": str,
        "area": list,
        "corners": list,
        "heading": float,
        "soil": str,
        "is_blind": bool,
    }
    good = are_rows(lanes, wanted) and all(
        _are_numbers(lane["area"], 4)
        and len(lane["corners"]) == 4
        and all(_are_numbers(corner, 2) for corner in lane["corners"])
        for lane in lanes
    )
    if not good or not lanes:
        msg = f"Invalid field '{path}': no lanes. Must be a field.json of minesense simulate."
        raise ValueError(msg)
    check_field(document, path)
    return list(lanes)


def ground_of(lanes: Iterable[Mapping[str, Any]]) -> list[Rectangle | Region]:
    """
    Return the ground of lanes, as detectors and coverage take it.

    Parameters
    ----------
    lanes : iterable of dict
        Of :func:`read_lanes`.

    Returns
    -------
    area : list of tuple
        As :meth:`minesense.synthetic.Field.area_of` returns it.
    """
    return [
        (*lane["area"], lane["name"])
        if abs(math.sin(2 * lane["heading"])) < 1e-9
        else (lane["corners"], lane["name"])
        for lane in lanes
    ]


def _are_numbers(values: Any, n: int) -> bool:
    """Return whether something is a list of so many numbers."""
    return (
        isinstance(values, list)
        and len(values) == n
        and all(type(value) in (int, float) for value in values)
    )

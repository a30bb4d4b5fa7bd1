"""A synthetic field as a folder: its sweeps, its truth and its recipe."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from argparse import Namespace
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..coverage import Rectangle, Region
from ..digest import PREFIX, digest_lines
from ..io import save_sweeps
from ..io.store import load_sweep
from ..minefield_records import MinefieldRecord
from ..seal import sweep_digest
from ..sweep import Sweep
from ..synthetic import Field, Scenario, field, read_scenario, scenario
from ..synthetic.document import plain
from ..truth import Truth
from .fieldseal import check_field, check_truth, digest_of
from .files import read_json, write_json

#: Begins the note that every file about a synthetic field carries.
SYNTHETIC = "SYNTHETIC data: says nothing about performance in the field."


def make_field(options: Namespace) -> Field:
    """
    Make the field that the options of a command describe.

    Parameters
    ----------
    options : argparse.Namespace
        With scenario, training_lanes, blind_lanes and seed.

    Returns
    -------
    field : Field
        The field.

    Raises
    ------
    ValueError
        If the scenario is neither a preset nor a readable TOML file, or a number of lanes
        is out of range.
    """
    recipe = read_recipe(options.scenario)
    changes = {
        name: count
        for name, count in (
            ("training", options.training_lanes),
            ("blind", options.blind_lanes),
        )
        if count is not None
    }
    lanes = dataclasses.replace(recipe.lanes, **changes)
    return field(dataclasses.replace(recipe, lanes=lanes), seed=options.seed)


def read_recipe(name: str) -> Scenario:
    """
    Return the scenario that a command names.

    Parameters
    ----------
    name : str
        Of a preset, or a TOML file.

    Returns
    -------
    recipe : Scenario
        The scenario.

    Raises
    ------
    ValueError
        If it is neither a preset nor a readable TOML file.
    OSError
        If the file cannot be read.
    """
    return read_scenario(Path(name)) if name.endswith(".toml") else scenario(name)


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
    records = [dataclasses.asdict(record) for record in field.records]
    if records:
        sealed = {"records": records, "sha256": digest_lines(records)}
        write_json(folder / "records.json", {"note": SYNTHETIC, **sealed})
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
    found = {"lanes": lanes, "sweeps": written, "truth_sha256": digest}
    document = {**recipe, **found}
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
    check_truth(truth.sha256, path)
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
        If records.json is not of this form, or not as it was written.
    OSError
        If it cannot be read.
    """
    path = Path(folder) / "records.json"
    if not path.exists():
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
    good = _are_rows(lanes, wanted) and all(
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


def read_sweeps(folder: str | os.PathLike[str], lanes: Collection[str]) -> list[Sweep]:
    """
    Read the sweeps of some lanes of a field; files of others are not opened.

    Parameters
    ----------
    folder : path-like
        Folder of ``minesense simulate``.
    lanes : collection of str
        Their names.

    Returns
    -------
    sweeps : list of Sweep
        In the order they were written.

    Raises
    ------
    ValueError
        If field.json is not of this form or not as it was written, a file is damaged, or a
        sweep is not the one that field.json names.
    OSError
        If a file cannot be read.
    """
    path = Path(folder) / "field.json"
    document = read_json(path)
    entries: Any = document.get("sweeps")
    if not _are_rows(entries, dict.fromkeys(("lane", "sensor", "sha256", "file"), str)):
        msg = f"Invalid field '{path}': no sweeps. Must be a field.json of minesense simulate."
        raise ValueError(msg)
    check_field(document, path)
    sweeps = []
    for entry in entries:
        if entry["lane"] not in lanes:
            continue
        file = Path(folder) / "sweeps" / Path(entry["file"]).name
        sweep = load_sweep(file)
        found = (sweep.lane, sweep.sensor.name, sweep_digest(sweep))
        expected = (entry["lane"], entry["sensor"], entry["sha256"])
        if found != expected:
            msg = (
                f"Invalid sweep '{file}': lane, sensor and sha256 are {found}. Must be those "
                f"of field.json, {expected}."
            )
            raise ValueError(msg)
        sweeps.append(sweep)
    return sweeps


def _are_numbers(values: Any, n: int) -> bool:
    """Return whether something is a list of so many numbers."""
    return (
        isinstance(values, list)
        and len(values) == n
        and all(type(value) in (int, float) for value in values)
    )


def _are_rows(rows: Any, wanted: Mapping[str, type]) -> bool:
    """Return whether something is a list of tables that hold fields of the wanted types."""
    return isinstance(rows, list) and all(
        isinstance(row, dict)
        and all(isinstance(row.get(name), kind) for name, kind in wanted.items())
        for row in rows
    )

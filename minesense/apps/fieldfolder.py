"""A synthetic field as a folder: its sweeps, its truth and its recipe."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..io import save_sweeps
from ..sweep import Sweep
from ..synthetic import Field, Scenario, field, read_scenario, scenario
from ..truth import Truth

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
        If the scenario is neither a preset nor a readable JSON file, or a number of lanes
        is out of range.
    """
    recipe = _recipe(options.scenario)
    changes = {
        name: count
        for name, count in (
            ("n_training", options.training_lanes),
            ("n_blind", options.blind_lanes),
        )
        if count is not None
    }
    return field(dataclasses.replace(recipe, **changes), seed=options.seed)


def _recipe(name: str) -> Scenario:
    """Return a preset, or the scenario of a JSON file."""
    if not name.endswith(".json"):
        return scenario(name)
    return read_scenario(read_json(Path(name)))


def write_field(folder: str | os.PathLike[str], field: Field, sweeps: Sequence[Sweep]) -> None:
    """
    Write sweeps, truth and recipe to a folder.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist.
    field : Field
        What was swept.
    sweeps : sequence of Sweep
        What was recorded.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_sweeps(folder / "sweeps", sweeps)
    write_json(folder / "truth.json", {"note": SYNTHETIC, **dataclasses.asdict(field.truth)})
    lanes = [
        {
            "name": lane.name,
            "area": list(lane.area),
            "soil": lane.soil.preset.name,
            "is_blind": lane.is_blind,
        }
        for lane in field.lanes
    ]
    recipe = {"scenario": dataclasses.asdict(field.scenario), "seed": field.seed}
    write_json(folder / "field.json", {"note": SYNTHETIC, **recipe, "lanes": lanes})


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
        If the file is not the truth of a field; the message names what is wrong where.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    path = path / "truth.json" if path.is_dir() else path
    document = read_json(path)
    try:
        return msgspec.convert(
            {k: v for k, v in document.items() if k != "note"}, Truth, strict=True
        )
    except msgspec.ValidationError as error:
        msg = f"Invalid truth '{path}': {error}. Must be a truth.json of minesense simulate."
        raise ValueError(msg) from None


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
        With name, area, soil and is_blind.

    Raises
    ------
    ValueError
        If field.json is not of this form.
    OSError
        If it cannot be read.
    """
    path = Path(folder) / "field.json"
    lanes = read_json(path).get("lanes")
    wanted = {"name": str, "area": list, "soil": str, "is_blind": bool}
    good = isinstance(lanes, list) and all(
        isinstance(lane, dict)
        and all(isinstance(lane.get(name), kind) for name, kind in wanted.items())
        and len(lane["area"]) == 4
        and all(type(figure) in (int, float) for figure in lane["area"])
        for lane in lanes
    )
    if not good or not lanes:
        msg = f"Invalid field '{path}': no lanes. Must be a field.json of minesense simulate."
        raise ValueError(msg)
    return list(lanes)


def read_json(path: Path) -> dict[str, Any]:
    """
    Read a JSON object.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    document : dict
        Its content.

    Raises
    ------
    ValueError
        If it is not JSON, or not an object.
    OSError
        If it cannot be read.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        msg = f"Invalid file '{path}': {error}. Must be JSON."
        raise ValueError(msg) from None
    if not isinstance(document, dict):
        msg = f"Invalid file '{path}': a {type(document).__name__}. Must be a JSON object."
        raise ValueError(msg)
    return document


def make_folder(path: str | os.PathLike[str]) -> Path:
    """
    Make a folder for results, before the work whose results it will hold.

    Parameters
    ----------
    path : path-like
        May exist.

    Returns
    -------
    folder : Path
        An existing folder.

    Raises
    ------
    OSError
        If it cannot be made or written to.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    return folder


def write_json(path: Path, document: Any) -> None:
    """
    Write JSON, always with the same bytes for the same content.

    Parameters
    ----------
    path : Path
        File to write; replaced as a whole.
    document : object
        JSON-ready.
    """
    temporary = path.with_name(path.name + ".part")
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)

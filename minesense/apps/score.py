"""The command ``minesense score``."""

from __future__ import annotations

import struct
import zipfile
import zlib
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..coverage import Coverage
from ..io import read_alarms
from ..score import Halo, random_alarms, score
from ..score.counted import CountedTruth, counted_truth
from ..truth import Target
from .fieldfolder import read_truth
from .files import read_json, write_json

#: Names of lanes that a note tells, at most.
_MOST_NAMES = 5

#: What NumPy and zip archives raise for a file that is none, or a damaged one.
_UNREADABLE = (
    ValueError,
    KeyError,
    EOFError,
    AttributeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


def run(options: Namespace) -> str:
    """
    Score alarms against the truth.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command line.

    Returns
    -------
    text : str
        The table, what was left out of the truth, and where the JSON file is.

    Raises
    ------
    ValueError
        If a file is not of its form, the alarms or the truth are not counted from where the
        coverage is, or no threshold is stated.
    OSError
        If a file cannot be read or written.
    """
    path = Path(options.alarms)
    alarms, truth = read_alarms(path), read_truth(options.truth)
    coverage = read_coverage(Path(options.coverage or path.parent / "coverage.npz"))
    read_alarms(path, frame=coverage.frame)  # which is known only now
    threshold, is_capped = _stated(path.parent / "quality.json", options.threshold)
    halo = Halo(kind="handheld", radius=options.halo)
    counted = counted_truth(truth, coverage, halo)
    found = score(
        alarms,
        counted.truth,
        coverage,
        threshold=threshold,
        halo=halo,
        rng=np.random.default_rng(options.seed),
        is_capped=is_capped,
    )
    marks = random_alarms(coverage, 1.0, np.random.default_rng(options.seed))
    random = score(marks, counted.truth, coverage, threshold=0.5, halo=halo, curve=False)
    beside = {
        "random_baseline": random.to_dict(),
        "left_out_of_truth": _count(counted.left_out),
        "lane_unknown_but_counted": _count(counted.renamed),
    }
    write_json(Path(options.output), {**found.to_dict(), **beside})
    return "\n".join(
        [
            str(found),
            "",
            *_notes(counted),
            "baseline of random marks, half a mark per m^2: Pd "
            f"{random.pd_swept.k}/{random.pd_swept.n}",
            f"wrote {options.output}",
        ]
    )


def _count(objects: Sequence[Target]) -> dict[str, Any]:
    """Return how many objects and targets there are, and the lanes they name."""
    return {
        "n_objects": len(objects),
        "n_targets": sum(item.is_target for item in objects),
        "lanes": sorted({item.lane for item in objects}),
    }


def _notes(counted: CountedTruth) -> list[str]:
    """Return what is to be said about objects that name a lane of which nothing is known."""
    lines = []
    for objects, what in (
        (counted.left_out, "left out, since they lie elsewhere"),
        (counted.renamed, "counted where they lie, on the wanted ground or beside it"),
    ):
        if objects:
            found = _count(objects)
            names = ", ".join(repr(name) for name in found["lanes"][:_MOST_NAMES])
            more = len(found["lanes"]) - _MOST_NAMES
            lines += [
                f"Objects of lanes that the coverage has not, {what}: {found['n_objects']}, "
                f"targets among them: {found['n_targets']}",
                f"  lanes: {names}{f' and {more} more' if more > 0 else ''}",
            ]
    return lines


def read_coverage(path: Path) -> Coverage:
    """
    Read which ground was observed.

    Parameters
    ----------
    path : Path
        coverage.npz of ``minesense detect``.

    Returns
    -------
    coverage : Coverage
        The grid.

    Raises
    ------
    ValueError
        If the file is not of this form.
    OSError
        If it cannot be read.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            msg = f"it holds one array with shape {loaded.shape}"
            raise ValueError(msg)
        with loaded as arrays:
            return Coverage.from_arrays({name: arrays[name] for name in arrays.files})
    except _UNREADABLE as error:
        why = str(error).rstrip(".")
        msg = f"Invalid coverage '{path}': {why}. Must be a coverage.npz of minesense detect."
        raise ValueError(msg) from None


def _stated(path: Path, threshold: float | None) -> tuple[float, bool]:
    """
    Return the threshold, and whether a cap withheld alarms, as was stated with the alarms.

    A threshold that is given goes before the one in the file.
    """
    if not path.exists():
        if threshold is None:
            msg = (
                f"Invalid --threshold: not given, and '{path}' does not exist. Must be one of "
                "both."
            )
            raise ValueError(msg)
        return threshold, False
    quality = read_json(path)
    withheld = quality.get("withheld_by_cap") or []
    if not isinstance(withheld, list):
        msg = f"Invalid withheld_by_cap {withheld!r} in '{path}'. Must be a list."
        raise ValueError(msg)
    stated = quality.get("threshold") if threshold is None else threshold
    if isinstance(stated, bool) or not isinstance(stated, (int, float)):
        msg = f"Invalid threshold {stated!r} in '{path}'. Must be a number."
        raise ValueError(msg)
    return float(stated), bool(withheld)
